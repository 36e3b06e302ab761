"""A proposition on paper and in a terminal: one walk over the object, two styles, no words but the quantifiers.

The Unicode is read back by the tests with a parser of their own, so it says all that it means: where an array is zero,
which integers an index runs through, and every condition.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from symconv.derivations.step import Maths, Phrase, maths, plain
from symconv.derivations.theorems.proposition import (
    AnyInteger,
    AnyTensor,
    Clause,
    Condition,
    Divides,
    Every,
    Iff,
    Let,
    Partial,
    Proposition,
    Real,
    Relation,
    Side,
    is_arithmetic,
)
from symconv.formulas.algebra import Bound
from symconv.formulas.index import Index
from symconv.formulas.printing import PrintContext, Style
from symconv.formulas.walks import accesses

__all__ = ["conclusion_lines", "hypothesis_lines", "one_line", "relation_text"]


@dataclass(frozen=True)
class _Writer:
    """Writes in one context: the names that are indices rather than sizes, in order of rank."""

    context: PrintContext

    def within(self, names: Iterable[str]) -> _Writer:
        """The writer inside a quantifier."""
        rank = dict(self.context.rank)
        for name in names:
            rank.setdefault(name, len(rank))
        return _Writer(PrintContext(rank))

    # ------------------------------------------------------------------ pieces

    def side(self, style: Style, side: Side) -> str:
        if isinstance(side, Partial):
            return style.derivative(style.access(side.of, self.context), style.access(side.by, self.context))
        return style.node(side, self.context).strip()

    def chained(self, style: Style, name: str, lower: Index | None, upper: Index | None) -> str:
        """A range: ``0 <= p <= O - 1``, ``p >= 0`` or ``p``."""
        if lower is None or upper is None:
            pairs = [(">=", lower), ("<=", upper)]
            return style.name(name) + "".join(
                style.relation(sign) + style.index(end, self.context) for sign, end in pairs if end is not None
            )
        ends = [style.index(end, self.context) for end in (lower, upper)]
        return style.relation("<=").join([ends[0], style.name(name), ends[1]])

    # ------------------------------------------------------------------ conditions

    def condition(self, condition: Condition) -> Phrase:
        if isinstance(condition, Relation):
            return (maths(lambda s: self._relation(s, condition)),)
        if isinstance(condition, Divides):
            ends = (condition.divisor, condition.of)
            return (maths(lambda s: s.relation("|").join(s.index(end, self.context) for end in ends)),)
        if isinstance(condition, Iff):
            return (*self.all_of(condition.left), " if and only if ", *self.all_of(condition.right))
        return self._every(condition)

    def all_of(self, conditions: Sequence[Condition]) -> Phrase:
        """A conjunction."""
        return joined([self.condition(part) for part in conditions], " and ")

    def _relation(self, style: Style, relation: Relation) -> str:
        text = self.side(style, relation.sides[0])
        for sign, side in zip(relation.signs, relation.sides[1:], strict=True):
            text += style.relation(sign) + self.side(style, side)
        return text

    def _every(self, every: Every) -> Phrase:
        inner = self.within(entry.name for entry in every.ranges)
        names = [*inner.ranges(every.ranges), *(self.array(array) for array in every.arrays)]
        return ("(for all ", *joined(names, ", "), ": ", *inner.all_of(every.then), ")")

    def ranges(self, ranges: Sequence[AnyInteger]) -> list[Phrase]:
        """Quantified integers; those with the same lower end and no upper one share it."""
        found: list[Phrase] = []
        groups: dict[Index | None, list[str]] = {}
        for entry in ranges:
            if entry.upper is None:
                groups.setdefault(entry.lower, []).append(entry.name)
            else:
                found.append((maths(lambda s, e=entry: self.chained(s, e.name, e.lower, e.upper)),))  # type: ignore[misc]
        for lower, names in groups.items():
            written = maths(lambda s, names=names, lower=lower: self._shared(s, names, lower))  # type: ignore[misc]
            found.append(("every integer ", written) if lower is None else (written,))
        return found

    def _shared(self, style: Style, names: Sequence[str], lower: Index | None) -> str:
        together = ", ".join(style.name(name) for name in names[:-1])
        last = self.chained(style, names[-1], lower, None)
        return f"{together}, {last}" if together else last

    # ------------------------------------------------------------------ arrays

    def array(self, array: AnyTensor) -> Phrase:
        """An array that is quantified over."""
        inner = self.within(b.name for b in array.ranges)
        names = [b.name for b in array.ranges]
        least = ["0"] if array.nonnegative else []
        entry = maths(lambda s: s.relation(">=").join([s.entry(array.name, names), *least]))
        return (entry, " for ", *inner.bounds(array.ranges), ", else 0")

    def bounds(self, bounds: Sequence[Bound]) -> Phrase:
        """The ranges of indices, all of them."""
        return joined(
            [(maths(lambda s, b=b: self.chained(s, b.name, b.lower, b.upper)),) for b in bounds],  # type: ignore[misc]
            ", ",
        )

    def let(self, let: Let) -> Phrase:
        """A name and what it stands for."""
        inner = self.within(let.indices)
        equation = maths(lambda s: s.relation("=").join([s.entry(let.name, let.indices), inner.side(s, let.value)]))
        if not let.indices:
            return (equation,)
        if let.ranges:
            return (equation, " for ", *inner.bounds(let.ranges), ", else 0")
        names = maths(lambda s: ", ".join(s.name(name) for name in let.indices))
        return (equation, " for all integers ", names)

    def real(self, real: Real) -> Phrase:
        return (maths(lambda s: self.chained(s, real.name, real.lower, None)),)

    def clause(self, clause: Clause) -> Phrase:
        """What follows, with what it is quantified over."""
        inner = self.within(entry.name for entry in clause.ranges)
        then = inner.all_of(clause.then)
        if not clause.ranges and not clause.given:
            return then
        ranges = joined(inner.ranges(clause.ranges), ", ")
        given = (" with " if ranges else "", *inner.all_of(clause.given)) if clause.given else ()
        return ("for ", *ranges, *given, ": ", *then)


def hypothesis_lines(proposition: Proposition) -> tuple[Phrase, ...]:
    """What is quantified over and supposed, a line a kind."""
    writer = _Writer(PrintContext())
    lines: list[Phrase] = []
    if proposition.integers:
        lines.append(("integers ", *joined(writer.ranges(proposition.integers), ", ")))
    lines += [("real ", *writer.real(real)) for real in proposition.reals]
    known = {entry.name for entry in proposition.integers}
    early = [part for part in proposition.given if _names(part) <= known]
    lines += [("with ", *writer.condition(part)) for part in early]
    lines += [writer.let(let) for let in proposition.sizes]
    lines += [("real ", *writer.array(array)) for array in proposition.arrays]
    late = [part for part in proposition.given if part not in early and not _reads(part) & _own(proposition)]
    lines += [("with ", *writer.condition(part)) for part in late]
    return tuple(lines)


def _own(proposition: Proposition) -> frozenset[str]:
    """The arrays and numbers that are defined rather than given."""
    return frozenset(let.name for let in proposition.lets)


def _reads(condition: Condition) -> frozenset[str]:
    """The arrays that a condition reads."""
    if isinstance(condition, Relation):
        return frozenset(e.tensor for side in condition.sides if not isinstance(side, Partial) for e in accesses(side))
    parts = condition.then if isinstance(condition, Every) else ()
    return frozenset().union(*(_reads(part) for part in parts))


def _names(condition: Condition) -> frozenset[str]:
    """The names in a condition on integers; one that reads an array has a name that no integer has."""
    if isinstance(condition, Relation | Divides) and is_arithmetic(condition):
        return frozenset().union(*(guard.names for guard in condition.guards()))
    return frozenset([""])


def conclusion_lines(proposition: Proposition) -> tuple[Phrase, ...]:
    """The arrays that are defined, and what follows, a line each."""
    writer = _Writer(PrintContext())
    lets = [("where ", *writer.let(let)) for let in proposition.lets]
    late = [part for part in proposition.given if _reads(part) & _own(proposition)]
    given = [("with ", *writer.condition(part)) for part in late]
    return (*lets, *given, *(writer.clause(clause) for clause in proposition.clauses))


def relation_text(relation: Relation) -> str:
    """A relation by itself, for a terminal."""
    return plain(_Writer(PrintContext()).condition(relation))


def one_line(lines: Iterable[Phrase]) -> Phrase:
    """Lines after one another."""
    return joined(list(lines), "; ")


def joined(phrases: Sequence[Phrase], between: str) -> Phrase:
    """Phrases with words between them."""
    found: list[str | Maths] = []
    for position, phrase in enumerate(phrases):
        found += ([between] if position else []) + list(phrase)
    return tuple(found)
