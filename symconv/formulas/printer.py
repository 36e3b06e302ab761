"""Trees on paper: one walk, which decides what is written and in which order; `Signs` writes it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symconv.formulas.algebra import (
    ONE,
    Absolute,
    Access,
    Applied,
    Bracket,
    Compare,
    Constant,
    FormulaWalker,
    Multiply,
    Named,
    Node,
    Plus,
    Power,
    Reduce,
    Scalar,
    Share,
    Sign,
    factors_of,
    product,
)
from symconv.formulas.calculus import closed_count
from symconv.formulas.functions import RECIPROCAL
from symconv.formulas.order import inverse, is_negative
from symconv.formulas.signs import PrintContext, Signs
from symconv.formulas.substitution import substitute
from symconv.formulas.walker import case

__all__ = ["TreePrinter"]


class TreePrinter(FormulaWalker[str]):
    """A tree in a style, without conditions for what lies outside a box (it is zero)."""

    def __init__(self, signs: Signs, context: PrintContext) -> None:
        self.signs, self.context = signs, context

    # ------------------------------------------------------------------ entries and functions

    @case(Constant)
    def _constant(self, node: Constant) -> str:
        return self.signs.number(node.value)

    @case(Scalar)
    def _scalar(self, node: Scalar) -> str:
        return self.signs.index(node.index, self.context, display=True)

    @case(Access)
    def _access(self, node: Access) -> str:
        return self.signs.access(node, self.context)

    @case(Absolute)
    def _absolute(self, node: Absolute) -> str:
        return self.signs.absolute(self.visit(node.arg))

    @case(Sign)
    def _sign(self, node: Sign) -> str:
        return self.signs.function("sign", self.visit(node.arg))

    @case(Applied)
    def _apply(self, node: Applied) -> str:
        return node.function.written(self.signs, self.visit(node.arg))

    @case(Bracket)
    def _bracket(self, node: Bracket) -> str:
        return "".join(self.signs.bracket(c) for c in self.signs.conditions(node.guards, self.context)) or "1"

    @case(Compare)
    def _compare(self, node: Compare) -> str:
        sides = self.visit(node.left) + self.signs.relation(node.relation) + self.visit(node.right)
        return self.signs.bracket(sides)

    @case(Named)
    def _named(self, node: Named) -> str:
        indices = [self.signs.index(e, self.context) for e in node.index]
        if node.wrt is None:
            return self.signs.subscripted(self.signs.written(node.label), indices)
        top = self.signs.subscripted(self.signs.name(node.label.text), indices)  # the letter of a tensor, as it is
        return self.signs.derivative(top, self.visit(node.wrt))

    # ------------------------------------------------------------------ sums and products

    @case(Plus)
    def _add(self, node: Plus) -> str:
        text, minus = "", self.signs.minus
        for position, arg in enumerate(map(_number_first, node.args)):
            body, text = self.visit(arg), text.rstrip(" ")
            if position and _LEADS.visit(arg) and body.startswith(minus):
                text += self.signs.plus(minus) + body.removeprefix(minus)
            else:
                text += (self.signs.plus("+") if position else "") + body
        return text

    @case(Multiply)
    def _multiply(self, node: Multiply) -> str:
        top: list[Node] = []
        bottom: list[Node] = []
        number = Fraction(1)
        for arg in (part for own in node.args for part in _parts(own)):
            if isinstance(arg, Constant):
                number *= arg.value
            elif (below := _divided_by(arg)) is not None:
                bottom.append(below)
            else:
                top.append(arg)
        top, bottom = ([part for part in parts if not self._is_one(part)] for parts in (top, bottom))
        # sums and maxima reach to the right as far as they can, so they go last
        top.sort(key=lambda n: isinstance(n, Reduce))
        if bottom:
            loose = [n for n in top if isinstance(n, Reduce)]
            tight = [n for n in top if not isinstance(n, Reduce)]
            head = self.signs.fraction(
                self._product([Constant(Fraction(abs(number.numerator))), *tight]),
                self._product([Constant(Fraction(number.denominator)), *bottom]),
            )
            head = self.signs.minus + head if number < 0 else head
            return self.signs.times([head, *(self._factor(n, last=n is loose[-1]) for n in loose)])
        return self._product([Constant(number), *top])

    def _is_one(self, node: Node) -> bool:
        """Whether a factor is the count of one thing, which need not be written."""
        return isinstance(node, Reduce) and closed_count(node, self.context.known) == 1

    def _product(self, nodes: Sequence[Node]) -> str:
        parts = [n for n in nodes if n != ONE]
        if not parts:
            return "1"
        if parts[0] == Constant(Fraction(-1)) and len(parts) > 1:
            return self.signs.minus + self._product(parts[1:])
        return self.signs.times([self._factor(n, last=k == len(parts) - 1) for k, n in enumerate(parts)])

    def _factor(self, node: Node, last: bool) -> str:
        text = self.visit(node)
        return self.signs.parentheses(text) if _Loose(self.context, last).visit(node) else text

    # ------------------------------------------------------------------ powers

    @case(Power)
    def _power(self, node: Power) -> str:
        if is_negative(node.exponent):
            bottom = inverse(node)
            return "1" if self._is_one(bottom) else self.signs.fraction("1", self.visit(bottom))
        if isinstance(node.base, Power):
            merged = self._nested(node.base, node.exponent)
            if merged is not None:
                return merged
        if node.exponent == ONE:
            return self.visit(node.base)
        return self.signs.power(self.visit(node.base), self._exponent(node.exponent), _ATOMIC.visit(node.base))

    def _nested(self, base: Power, exponent: Node) -> str | None:
        """A power of a root of a nonnegative number as one power: (S^(1/p))^(p-1) is S^((p-1)/p)."""
        if isinstance(base.exponent, Constant) and isinstance(exponent, Constant):
            return self._power(Power(base.base, Constant(base.exponent.value * exponent.value)))
        root = base.exponent
        if isinstance(root, Power) and root.exponent == Constant(Fraction(-1)):
            top, bottom = self._exponent(exponent), self._exponent(root.base)
            return self.signs.power(self.visit(base.base), f"({top})/{bottom}", False)
        return None

    def _exponent(self, node: Node) -> str:
        if isinstance(node, Constant):
            value = node.value
            return str(value.numerator) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"
        if isinstance(node, Power) and node.exponent == Constant(Fraction(-1)):
            return "1/" + self.visit(node.base)
        return self.visit(node)

    # ------------------------------------------------------------------ windows

    @case(Reduce)
    def _reduce(self, node: Reduce) -> str:
        if (moved := _number_first(node)) != node:
            return self.visit(moved)
        inner = TreePrinter(self.signs, self.context.inside(node.bounds))
        if node.op != "sum":
            return self.signs.extremum_sign(node.op, inner._window(node)) + inner._body(node.body)
        count = closed_count(node, self.context.known)
        if count is not None:
            return self.signs.index(count, self.context)
        signs = "".join(
            self.signs.sum_sign(
                self.signs.name(b.name),
                self.signs.index(b.lower, inner.context),
                self.signs.index(b.upper, inner.context),
            )
            for b in node.bounds
        )
        brackets = "".join(self.signs.bracket(c) for c in self.signs.conditions(node.guards, inner.context))
        return signs + brackets + inner._body(node.body, after_bracket=bool(brackets))

    def _window(self, node: Reduce) -> list[str]:
        """The ranges and conditions of a window, from within."""
        ranges = [self.signs.range(b, self.context) for b in node.bounds]
        return ranges + self.signs.conditions(node.guards, self.context)

    def _body(self, node: Node, after_bracket: bool = False) -> str:
        text = self.visit(node)
        if after_bracket and node == ONE:
            return ""
        return self.signs.parentheses(text) if isinstance(node, Plus) else text

    @case(Share)
    def _share(self, node: Share) -> str:
        inner = TreePrinter(self.signs, self.context.inside(node.reduce.bounds))
        window = self.signs.conjunction(inner._window(node.reduce))
        at = ", ".join(self.signs.index(e, self.context) for e in node.at)
        where = at if len(node.at) == 1 else f"({at})"
        body = inner._body(node.reduce.body)
        if node.policy == "first":
            return self.signs.first_extremum(node.reduce.op, where, window, body)
        env = {b.name: e for b, e in zip(node.reduce.bounds, node.at, strict=True)}
        entry = self.visit(substitute(node.reduce.body, env))
        return self.signs.equal_share(entry, self.visit(node.reduce), window, body)


def _divided_by(node: Node) -> Node | None:
    """What stands below the line where a factor is one over something; None for any other factor."""
    if isinstance(node, Power):
        return inverse(node) if is_negative(node.exponent) else None
    return node.arg if isinstance(node, Applied) and node.function is RECIPROCAL else None


def _parts(node: Node) -> tuple[Node, ...]:
    """A factor as it is written: the number of a conditioned sum is one of its own."""
    moved = _number_first(node)
    return (node,) if moved == node else factors_of(moved)


def _number_first(node: Node) -> Node:
    """A conditioned sum with the number in front of its brackets: behind them, a minus would read as a difference."""
    if not isinstance(node, Reduce) or node.op != "sum" or not node.guards:
        return node
    numbers = [factor for factor in factors_of(node.body) if isinstance(factor, Constant)]
    if not numbers or node.body == ONE:
        return node
    rest = product(*(factor for factor in factors_of(node.body) if factor not in numbers))
    return Multiply((*numbers, Reduce("sum", node.bounds, node.guards, rest)))


# ---------------------------------------------------------------------- where signs and parentheses go


class _Leads(FormulaWalker[bool]):
    """Whether a minus in front of a text is the sign of all of it, so that it can stand for a plus."""

    @case(Constant, Multiply, Scalar)
    def _signed(self, node: Node) -> bool:
        return True

    @case(Access, Plus, Power, Absolute, Sign, Applied, Bracket, Compare, Reduce, Share, Named)
    def _plain(self, node: Node) -> bool:
        return False


class _Loose(FormulaWalker[bool]):
    """Whether a factor needs parentheses: a sum, and a window that something else stands behind."""

    def __init__(self, context: PrintContext, last: bool) -> None:
        self.context, self.last = context, last

    @case(Plus)
    def _add(self, node: Plus) -> bool:
        return True

    @case(Scalar)
    def _scalar(self, node: Scalar) -> bool:
        return len(node.index.terms) > 1

    @case(Reduce)
    def _reduce(self, node: Reduce) -> bool:
        count = closed_count(node, self.context.known)
        return not self.last if count is None else len(count.terms) > 1

    @case(Constant, Access, Multiply, Power, Absolute, Sign, Applied, Bracket, Compare, Share, Named)
    def _tight(self, node: Node) -> bool:
        return False


class _Atomic(FormulaWalker[bool]):
    """Whether a base needs no parentheses under an exponent: a name with its indices, what has bars around it."""

    @case(Named)
    def _named(self, node: Named) -> bool:
        return bool(node.index)

    @case(Scalar)
    def _scalar(self, node: Scalar) -> bool:
        return len(node.index.terms) == 1

    @case(Access, Absolute)
    def _enclosed(self, node: Node) -> bool:
        return True

    @case(Applied)
    def _apply(self, node: Applied) -> bool:
        return node.function.encloses

    @case(Constant, Plus, Multiply, Power, Sign, Bracket, Compare, Reduce, Share)
    def _open(self, node: Node) -> bool:
        return False


_LEADS, _ATOMIC = _Leads(), _Atomic()
