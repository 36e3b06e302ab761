"""How the signs of mathematics are written in a style, and with them index expressions and conditions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Protocol

from symconv.formulas.algebra import Access, Bound, Guard
from symconv.formulas.bounds import Knowledge
from symconv.formulas.exact import Box
from symconv.formulas.index import Atom, Extremum, Index
from symconv.formulas.order import Summand, index_part, leads_negative, needs_parentheses, pieces_of, sides, solved

__all__ = ["InBothStyles", "PrintContext", "Signs"]


@dataclass(frozen=True)
class PrintContext:
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

    def inside(self, bounds: Iterable[Bound]) -> PrintContext:
        """The context under bound indices, which come after all that have a rank, and whose ranges are known there."""
        inner = tuple(bounds)
        return replace(self.ranked(bound.name for bound in inner), known=self.known.within(inner))

    def ranked(self, names: Iterable[str]) -> PrintContext:
        """The context with more names, which come after all that have a rank."""
        rank = dict(self.rank)
        for name in names:
            rank.setdefault(name, len(rank))
        return replace(self, rank=rank)


class InBothStyles(Protocol):
    """A piece of mathematics in both styles."""

    @property
    def latex(self) -> str: ...
    @property
    def text(self) -> str: ...


class Signs(ABC):
    """How single signs are written, and from them what stands in an index and in a condition."""

    minus = "-"

    @abstractmethod
    def name(self, name: str) -> str: ...
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

    # ------------------------------------------------------------------ sets, operators on arrays, words

    @abstractmethod
    def written(self, both: InBothStyles) -> str:
        """What has been written in both styles before."""

    @abstractmethod
    def listed(self, parts: Iterable[str]) -> str:
        """Conditions or equations one after the other."""

    @abstractmethod
    def items(self, parts: Iterable[str]) -> str:
        """The entries of a tuple, without its parentheses."""

    @abstractmethod
    def by(self, sizes: Iterable[str]) -> str:
        """Sizes with a times sign between each two."""

    @abstractmethod
    def set(self, element: str, conditions: Iterable[str], tall: bool = False) -> str:
        """The set of all elements under conditions, in braces as high as what is in them where it may be high."""

    @abstractmethod
    def count_of(self, collection: str) -> str:
        """The number of elements of a set."""

    @abstractmethod
    def one_over_size(self, name: str) -> str:
        """One over the number of elements of a set with a name."""

    @abstractmethod
    def sum_over(self, below: str) -> str:
        """A sum sign with a condition below it."""

    @abstractmethod
    def hull(self, collection: str) -> str:
        """The convex hull of a set."""

    @abstractmethod
    def partial(self, entry: str) -> str:
        """The subdifferential of an entry."""

    @abstractmethod
    def slash_derivative(self, top: str, bottom: str) -> str:
        """A derivative in a line of text."""

    @abstractmethod
    def limit(self, name: str, body: str) -> str:
        """The limit for a name that grows without an end."""

    @abstractmethod
    def operator(self, name: str) -> str:
        """The name of an operator on arrays."""

    @abstractmethod
    def marked(self, base: str, mark: str) -> str:
        """An operator or a sign with a note on how it is meant, or an array with a place."""

    @abstractmethod
    def numbered(self, base: str, number: str) -> str:
        """A name with a number that belongs to it."""

    @abstractmethod
    def entry_of_numbered(self, base: str, indices: Sequence[str]) -> str:
        """An entry of an array whose name has a number."""

    @abstractmethod
    def barred(self, letter: str) -> str:
        """A letter with a bar."""

    @abstractmethod
    def ones(self, size: str) -> str:
        """An array of ones."""

    @abstractmethod
    def star(self) -> str:
        """The sign of a correlation."""

    @abstractmethod
    def word(self, word: str, value: str) -> str:
        """A value with a word before it."""

    @abstractmethod
    def where(self, statement: str, condition: str) -> str:
        """A statement that holds under a condition."""

    # ------------------------------------------------------------------ indices

    def index(self, expr: Index, context: PrintContext, display: bool = False) -> str:
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

    def _piece(self, piece: Summand, context: PrintContext, display: bool) -> str:
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

    def atom(self, atom: Atom, context: PrintContext, display: bool = False) -> str:
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

    def conditions(self, guards: Iterable[Guard], context: PrintContext) -> list[str]:
        """Guards in words of mathematics; two opposite ones become one chain ``low <= x <= high``."""
        left = list(dict.fromkeys(guards))
        result = []
        while left:
            guard = left.pop(0)
            if guard.kind == "eq":
                left_side, right_side = solved(guard.expr, context.rank)
                result.append(self.chain([self.index(left_side, context), self.index(right_side, context)], "="))
            elif guard.kind == "div":
                assert guard.divisor is not None
                modulus = guard.divisor.value
                shift = guard.expr.terms.get((), 0)  # a multiple of the divisor says nothing
                expr = guard.expr - (shift - shift % modulus if modulus else 0)
                result.append(self.chain([self.index(guard.divisor, context), self.index(expr, context)], "|"))
            else:
                x, low = index_part(guard.expr, context.rank)
                if not x.terms:
                    larger, smaller = sides(guard.expr)
                    result.append(self.chain([self.index(larger, context), self.index(smaller, context)], ">="))
                    continue
                partner = next((g for g in left if g.kind == "ge" and index_part(g.expr, context.rank)[0] == -x), None)
                if partner is not None:
                    left.remove(partner)
                    high = index_part(partner.expr, context.rank)[1]
                    if leads_negative(x, context.rank):
                        x, low, high = -x, high, low
                    ends = [self.index(-low, context), self.index(x, context), self.index(high, context)]
                    result.append(self.chain(ends, "<="))
                elif leads_negative(x, context.rank):
                    result.append(self.chain([self.index(-x, context), self.index(low, context)], "<="))
                else:
                    result.append(self.chain([self.index(x, context), self.index(-low, context)], ">="))
        return result

    def chain(self, parts: Sequence[str], sign: str) -> str:
        """Sides with one sign of relation between each two."""
        return self.relation(sign).join(parts)

    def box_conditions(self, access: Access, context: PrintContext) -> list[str]:
        """The conditions under which an access lies in its box, where that is not known already."""
        result = []
        for e, (low, high) in zip(access.index, context.boxes.get(access.tensor, ()), strict=False):
            below = not context.known.nonnegative(e - low)
            above = not context.known.nonnegative(high - e)
            middle = self.index(e, context)
            if below and above:
                result.append(self.chain([self.index(low, context), middle, self.index(high, context)], "<="))
            elif below:
                result.append(self.chain([middle, self.index(low, context)], ">="))
            elif above:
                result.append(self.chain([middle, self.index(high, context)], "<="))
        return result

    def range(self, bound: Bound, context: PrintContext) -> str:
        """The range of a bound index as a chain."""
        parts = [self.index(bound.lower, context), self.name(bound.name), self.index(bound.upper, context)]
        return self.chain(parts, "<=")

    def entry(self, letter: str, names: Sequence[str]) -> str:
        """An entry of a tensor by the names of its indices."""
        return self.subscripted(self.name(letter), [self.name(name) for name in names])

    def access(self, access: Access, context: PrintContext) -> str:
        """An entry of a tensor."""
        indices = [self.index(e, context) for e in access.index]
        return self.subscripted(self.name(access.tensor), indices)
