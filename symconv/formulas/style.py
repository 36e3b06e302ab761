"""How formulas are written: one walk over the tree, which decides what is written and in which order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from symconv.formulas.algebra import (
    ONE,
    Absolute,
    Access,
    Add,
    Bound,
    Bracket,
    Compare,
    Constant,
    Guard,
    Label,
    Multiply,
    Named,
    Node,
    Power,
    Reduce,
    Scalar,
    Share,
    Sign,
)
from symconv.formulas.bounds import Knowledge
from symconv.formulas.calculus import closed_count
from symconv.formulas.exact import Box
from symconv.formulas.index import Atom, Extremum, Index
from symconv.formulas.order import (
    Piece,
    index_part,
    inverse,
    is_negative,
    leads_negative,
    needs_parentheses,
    pieces_of,
    sides,
    solved,
)
from symconv.formulas.substitution import plain_names, substitute

if TYPE_CHECKING:
    from symconv.formulas.formula import Quantity

__all__ = ["Context", "Style"]


@dataclass(frozen=True)
class Context:
    """What printing needs to know beside the tree.

    Attributes:
        rank: the order of index names; positive ones come first in a sum, numbers last.
        boxes: the boxes of the tensors, for the conditions of a pointwise closed form.
        known: what always holds, so that it need not be printed.
        taken: the names of the formula itself, which no bound index may print as.
    """

    rank: Mapping[str, int] = field(default_factory=dict)
    boxes: Mapping[str, Box] = field(default_factory=dict)
    known: Knowledge = field(default_factory=lambda: Knowledge({}))
    taken: frozenset[str] = frozenset()


class Style(ABC):
    """How single signs are written; `Style` itself decides what is written, and in which order."""

    minus = "-"

    @abstractmethod
    def name(self, name: str) -> str: ...
    @abstractmethod
    def label(self, label: Label) -> str: ...
    @abstractmethod
    def fraction(self, top: str, bottom: str) -> str: ...
    @abstractmethod
    def rounded(self, rounding: str, top: str, bottom: str, simple: bool) -> str: ...
    @abstractmethod
    def extremum(self, kind: str, args: Sequence[str]) -> str: ...
    @abstractmethod
    def subscripted(self, base: str, indices: Sequence[str]) -> str: ...
    @abstractmethod
    def derivative(self, top: str, bottom: str) -> str: ...
    @abstractmethod
    def sum_sign(self, name: str, low: str, high: str) -> str: ...
    @abstractmethod
    def extremum_sign(self, kind: str, conditions: Sequence[str]) -> str: ...
    @abstractmethod
    def bracket(self, inside: str) -> str: ...
    @abstractmethod
    def cases(self, value: str, conditions: Sequence[str]) -> str: ...
    @abstractmethod
    def power(self, base: str, exponent: str, atomic: bool) -> str: ...
    @abstractmethod
    def absolute(self, inside: str) -> str: ...
    @abstractmethod
    def function(self, name: str, inside: str) -> str: ...
    @abstractmethod
    def parentheses(self, inside: str) -> str: ...
    @abstractmethod
    def relation(self, sign: str) -> str: ...
    @abstractmethod
    def number(self, value: Fraction) -> str: ...
    @abstractmethod
    def times(self, factors: Sequence[str]) -> str: ...
    @abstractmethod
    def first_extremum(self, kind: str, where: str, window: str, body: str) -> str: ...
    @abstractmethod
    def equal_share(self, entry: str, maximum: str, window: str, body: str) -> str: ...
    @abstractmethod
    def conjunction(self, parts: Sequence[str]) -> str: ...

    # ------------------------------------------------------------------ indices

    def index(self, expr: Index, context: Context, display: bool = False) -> str:
        """An index expression: indices by rank, positive ones first, sizes after them, the number last."""
        pieces = pieces_of(expr, context.rank)
        if not pieces:
            return "0"
        first = next((k for k, piece in enumerate(pieces) if not piece.negative), 0)
        pieces.insert(0, pieces.pop(first))  # never lead with a minus where that can be helped
        text = ""
        for position, piece in enumerate(pieces):
            body = self._piece(piece, context, display)
            sign = self.minus if piece.negative else "+"
            text += (sign if piece.negative else "") + body if position == 0 else self.plus(sign) + body
        return text

    def plus(self, sign: str) -> str:
        """A binary plus or minus."""
        return sign

    def _piece(self, piece: Piece, context: Context, display: bool) -> str:
        factors = []
        if piece.number != 1 or (not piece.atoms and piece.inner is None):
            factors.append(str(piece.number))
        factors += [self.atom(atom, context, display) for atom in piece.atoms]
        if piece.inner is not None:
            factors.append(f"({self.index(piece.inner, context, display)})")
        return self.juxtaposed(factors)

    def juxtaposed(self, factors: Sequence[str]) -> str:
        """A product inside an index."""
        return "".join(factors)

    def atom(self, atom: Atom, context: Context, display: bool = False) -> str:
        """A name, a rounded quotient, or a minimum or maximum."""
        if isinstance(atom, str):
            return self.name(atom)
        if isinstance(atom, Extremum):
            return self.extremum(atom.kind, [self.index(arg, context) for arg in atom.args])
        top = self.index(atom.numerator, context)
        bottom = self.index(atom.denominator, context)
        if not display:
            top = f"({top})" if len(pieces_of(atom.numerator, context.rank)) > 1 else top
            bottom = f"({bottom})" if needs_parentheses(atom.denominator) else bottom
        return self.rounded(atom.rounding, top, bottom, not display)

    # ------------------------------------------------------------------ conditions

    def conditions(self, guards: Iterable[Guard], context: Context) -> list[str]:
        """Guards in words of mathematics; two opposite ones become one chain ``low <= x <= high``."""
        left = list(dict.fromkeys(guards))
        result = []
        while left:
            guard = left.pop(0)
            if guard.kind == "eq":
                left_side, right_side = solved(guard.expr, context.rank)
                result.append(self._chain([self.index(left_side, context), self.index(right_side, context)], "="))
            elif guard.kind == "div":
                assert guard.divisor is not None
                modulus = guard.divisor.value
                shift = guard.expr.terms.get((), 0)  # a multiple of the divisor says nothing
                expr = guard.expr - (shift - shift % modulus if modulus else 0)
                result.append(self._chain([self.index(guard.divisor, context), self.index(expr, context)], "|"))
            else:
                x, low = index_part(guard.expr, context.rank)
                if not x.terms:
                    larger, smaller = sides(guard.expr)
                    result.append(self._chain([self.index(larger, context), self.index(smaller, context)], ">="))
                    continue
                partner = next((g for g in left if g.kind == "ge" and index_part(g.expr, context.rank)[0] == -x), None)
                if partner is not None:
                    left.remove(partner)
                    high = index_part(partner.expr, context.rank)[1]
                    if leads_negative(x, context.rank):
                        x, low, high = -x, high, low
                    ends = [self.index(-low, context), self.index(x, context), self.index(high, context)]
                    result.append(self._chain(ends, "<="))
                elif leads_negative(x, context.rank):
                    result.append(self._chain([self.index(-x, context), self.index(low, context)], "<="))
                else:
                    result.append(self._chain([self.index(x, context), self.index(-low, context)], ">="))
        return result

    def _chain(self, parts: Sequence[str], sign: str) -> str:
        return self.relation(sign).join(parts)

    def box_conditions(self, access: Access, context: Context) -> list[str]:
        """The conditions under which an access lies in its box, where that is not known already."""
        result = []
        for e, (low, high) in zip(access.index, context.boxes.get(access.tensor, ()), strict=False):
            below = not context.known.nonnegative(e - low)
            above = not context.known.nonnegative(high - e)
            middle = self.index(e, context)
            if below and above:
                result.append(self._chain([self.index(low, context), middle, self.index(high, context)], "<="))
            elif below:
                result.append(self._chain([middle, self.index(low, context)], ">="))
            elif above:
                result.append(self._chain([middle, self.index(high, context)], "<="))
        return result

    # ------------------------------------------------------------------ trees

    def node(self, node: Node, context: Context) -> str:
        """A tree, without conditions for what lies outside a box (it is zero)."""
        if isinstance(node, Constant):
            return self.number(node.value)
        if isinstance(node, Scalar):
            return self.index(node.index, context, display=True)
        if isinstance(node, Access):
            return self.access(node, context)
        if isinstance(node, Add):
            return self._add(node, context)
        if isinstance(node, Multiply):
            return self._multiply(node, context)
        if isinstance(node, Power):
            return self._power(node, context)
        if isinstance(node, Absolute):
            return self.absolute(self.node(node.arg, context))
        if isinstance(node, Sign):
            return self.function("sign", self.node(node.arg, context))
        if isinstance(node, Bracket):
            return "".join(self.bracket(c) for c in self.conditions(node.guards, context)) or "1"
        if isinstance(node, Compare):
            inside = self.node(node.left, context) + self.relation(node.relation) + self.node(node.right, context)
            return self.bracket(inside)
        if isinstance(node, Share):
            return self._share(node, context)
        if isinstance(node, Named):
            return self._named(node, context)
        return self._reduce(node, context)

    def access(self, access: Access, context: Context) -> str:
        """An entry of a tensor."""
        indices = [self.index(e, context) for e in access.index]
        return self.subscripted(self.name(access.tensor), indices)

    def _named(self, node: Named, context: Context) -> str:
        top = self.subscripted(self.label(node.label), [self.index(e, context) for e in node.index])
        return top if node.wrt is None else self.derivative(top, self.access(node.wrt, context))

    def _add(self, node: Add, context: Context) -> str:
        text = ""
        for position, arg in enumerate(node.args):
            body = self.node(arg, context)
            negative = isinstance(arg, Constant | Multiply | Scalar) and body.startswith(self.minus)
            if position and negative:
                text += self.plus(self.minus) + body.removeprefix(self.minus)
            else:
                text += (self.plus("+") if position else "") + body
        return text

    def _multiply(self, node: Multiply, context: Context) -> str:
        top: list[Node] = []
        bottom: list[Node] = []
        number = Fraction(1)
        for arg in node.args:
            if isinstance(arg, Constant):
                number *= arg.value
            elif isinstance(arg, Power) and is_negative(arg.exponent):
                bottom.append(inverse(arg))
            else:
                top.append(arg)
        # sums and maxima reach to the right as far as they can, so they go last
        top.sort(key=lambda n: isinstance(n, Reduce))
        if bottom:
            loose = [n for n in top if isinstance(n, Reduce)]
            tight = [n for n in top if not isinstance(n, Reduce)]
            head = self.fraction(
                self._product([Constant(Fraction(number.numerator)), *tight], context),
                self._product([Constant(Fraction(number.denominator)), *bottom], context),
            )
            return self.times([head, *(self._factor(n, context, last=n is loose[-1]) for n in loose)])
        return self._product([Constant(number), *top], context)

    def _product(self, nodes: Sequence[Node], context: Context) -> str:
        parts = [n for n in nodes if n != ONE]
        if not parts:
            return "1"
        if parts[0] == Constant(Fraction(-1)) and len(parts) > 1:
            return self.minus + self._product(parts[1:], context)
        return self.times([self._factor(n, context, last=k == len(parts) - 1) for k, n in enumerate(parts)])

    def _factor(self, node: Node, context: Context, last: bool) -> str:
        text = self.node(node, context)
        loose = isinstance(node, Add) or (isinstance(node, Reduce) and not last)
        count = closed_count(node, context.known) if isinstance(node, Reduce) else None
        if count is not None:
            loose = len(count.terms) > 1
        if isinstance(node, Scalar) and len(node.index.terms) > 1:
            loose = True
        return self.parentheses(text) if loose else text

    def _power(self, node: Power, context: Context) -> str:
        if is_negative(node.exponent):
            return self.fraction("1", self.node(inverse(node), context))
        if isinstance(node.base, Power):
            merged = self._nested(node.base, node.exponent, context)
            if merged is not None:
                return merged
        if node.exponent == ONE:
            return self.node(node.base, context)
        exponent = self._exponent(node.exponent, context)
        named_entry = isinstance(node.base, Named) and bool(node.base.index)
        atomic = (
            named_entry
            or isinstance(node.base, Access | Absolute)
            or (isinstance(node.base, Scalar) and len(node.base.index.terms) == 1)
        )
        return self.power(self.node(node.base, context), exponent, atomic)

    def _nested(self, base: Power, exponent: Node, context: Context) -> str | None:
        """A power of a root of a nonnegative number as one power: (S^(1/p))^(p-1) is S^((p-1)/p)."""
        if isinstance(base.exponent, Constant) and isinstance(exponent, Constant):
            return self._power(Power(base.base, Constant(base.exponent.value * exponent.value)), context)
        root = base.exponent
        if isinstance(root, Power) and root.exponent == Constant(Fraction(-1)):
            top, bottom = self._exponent(exponent, context), self._exponent(root.base, context)
            return self.power(self.node(base.base, context), f"({top})/{bottom}", False)
        return None

    def _exponent(self, node: Node, context: Context) -> str:
        if isinstance(node, Constant):
            value = node.value
            return str(value.numerator) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"
        if isinstance(node, Power) and node.exponent == Constant(Fraction(-1)):
            return "1/" + self.node(node.base, context)
        return self.node(node, context)

    def _reduce(self, node: Reduce, context: Context) -> str:
        inner = _ranked(context, [b.name for b in node.bounds])
        if node.op != "sum":
            conditions = [self._range(b, inner) for b in node.bounds] + self.conditions(node.guards, inner)
            return self.extremum_sign(node.op, conditions) + self._body(node.body, inner)
        count = closed_count(node, context.known)
        if count is not None:
            return self.index(count, context)
        signs = "".join(
            self.sum_sign(self.name(b.name), self.index(b.lower, inner), self.index(b.upper, inner))
            for b in node.bounds
        )
        brackets = "".join(self.bracket(c) for c in self.conditions(node.guards, inner))
        return signs + brackets + self._body(node.body, inner, after_bracket=bool(brackets))

    def _body(self, node: Node, context: Context, after_bracket: bool = False) -> str:
        text = self.node(node, context)
        if after_bracket and node == ONE:
            return ""
        return self.parentheses(text) if isinstance(node, Add) else text

    def _range(self, bound: Bound, context: Context) -> str:
        parts = [self.index(bound.lower, context), self.name(bound.name), self.index(bound.upper, context)]
        return self._chain(parts, "<=")

    def _share(self, node: Share, context: Context) -> str:
        inner = _ranked(context, [b.name for b in node.reduce.bounds])
        window = [self._range(b, inner) for b in node.reduce.bounds] + self.conditions(node.reduce.guards, inner)
        at = ", ".join(self.index(e, context) for e in node.at)
        where = at if len(node.at) == 1 else f"({at})"
        body = self._body(node.reduce.body, inner)
        whole = self.conjunction(window)
        if node.policy == "first":
            return self.first_extremum(node.reduce.op, where, whole, body)
        env = {b.name: e for b, e in zip(node.reduce.bounds, node.at, strict=True)}
        entry = self.node(substitute(node.reduce.body, env), context)
        return self.equal_share(entry, self._reduce(node.reduce, context), whole, body)

    # ------------------------------------------------------------------ whole formulas

    def quantity(self, quantity: Quantity, context: Context) -> str:
        """The left-hand side."""
        name, indices = quantity.of
        top = self.subscripted(self.name(name), [self.name(i) for i in indices])
        if quantity.wrt is None:
            return top
        variable, places = quantity.wrt
        bottom = self.subscripted(self.name(variable), [self.name(i) for i in places])
        return self.derivative(top, bottom)

    def pointwise(self, node: Node, context: Context) -> str:
        """A tree with its conditions written out as cases, where it is no sum over an index."""
        node = plain_names(node, context.taken)
        guards: tuple[Guard, ...] = ()
        body = node
        if isinstance(body, Reduce) and body.op == "sum" and not body.bounds:
            guards, body = body.guards, body.body
        if isinstance(body, Reduce | Add | Constant) and not guards:
            return self.node(node, context)
        factors = body.args if isinstance(body, Multiply) else (body,)
        if not guards and any(isinstance(f, Reduce | Power) for f in factors):
            return self.node(node, context)
        conditions = self.conditions([g for g in guards if g.kind == "div"], context)
        conditions += self.conditions([g for g in guards if g.kind != "div"], context)
        for factor in factors:
            if isinstance(factor, Access):
                conditions += self.box_conditions(factor, context)
        conditions = list(dict.fromkeys(conditions))
        text = self.node(body, context)
        return self.cases(text, conditions) if conditions else text


def _ranked(context: Context, names: Iterable[str]) -> Context:
    rank = dict(context.rank)
    for name in names:
        rank.setdefault(name, len(rank))
    return replace(context, rank=rank)
