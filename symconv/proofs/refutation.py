"""The smallest example that refutes a statement: sizes ascending, then the entry and tensors with the fewest letters.

Nothing is refuted by a solver's model: both sides are evaluated at the example, by another route than the one that
found it, and must differ there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from itertools import combinations, islice, product
from typing import Any, TypeAlias

from symconv.errors import SizeLimitError
from symconv.formulas.effort import Effort, OutOfEffort
from symconv.formulas.exact import Entry, Polynomial, evaluate, is_polynomial
from symconv.formulas.radicals import UndecidedNumberError
from symconv.proofs.exact import At, identity_at, places
from symconv.proofs.needs import Need, failure
from symconv.proofs.numbers import ExactNumbers, NoValueError
from symconv.proofs.sizes import assignments
from symconv.proofs.statement import Statement
from symconv.proofs.verdict import Counterexample

__all__ = ["Read", "Search", "counterexample_at", "filled", "no_value", "small_fillings", "value_at"]

Read: TypeAlias = "Callable[[str, tuple[int, ...]], Fraction]"
"""An entry of a tensor, by the tensor's name and the index."""

ENTRY = 30  # steps to look at one entry with one filling, besides what is worked out
MAX_ENTRIES = 64  # tensor entries that are varied in such a search
_SMALL = (1, -1, 2, -2, 3)


class Search:
    """The sizes of a statement in ascending order, compared one after the other; it can be continued.

    Args:
        statement: the statement.
        effort: what the whole search may cost.

    Attributes:
        polynomial: whether both sides are polynomials in tensor entries, so that all entries are compared at once.
        tried: at how many sizes the two sides were compared and found equal.
        conclusive: False where some of these comparisons rest on examples alone (formulas that are no polynomials).
        instance: the first size with an entry: the hypotheses hold there.
    """

    def __init__(self, statement: Statement, effort: Effort | None = None) -> None:
        self.statement = statement
        self.effort = Effort() if effort is None else effort
        self.polynomial = is_polynomial(statement.left) and is_polynomial(statement.right)
        self.tried = 0
        self.conclusive = True
        self.instance: dict[str, int] | None = None
        self._sizes: Iterator[dict[str, int]] = assignments(
            statement.parameters,
            [guard for guard in statement.hypotheses if not guard.names & set(statement.indices)],
            definitions=statement.definitions,
            positive=statement.denominators(),
            effort=self.effort,
        )
        self._next: dict[str, int] | None = None
        self._done = False

    def look(self) -> None:
        """Find out whether the statement has an entry at its only size, without comparing anything."""
        env = {name: int(value.evaluate({})) for name, value in self.statement.definitions}
        try:
            if next(At(self.statement, env, self.effort).points(), None) is not None:
                self.instance = self.statement.at_size(env)
        except OutOfEffort:
            self._done = True

    def run(self, sizes: int, effort: Effort | None = None) -> Counterexample | None:
        """Compare at further sizes; the first difference ends the search, and so does the first size that is too large.

        A size at which the effort ran out is looked at again by the next run, which may have more.

        Args:
            sizes: at how many at most.
            effort: what that may cost, a part of the effort of the whole search; all that is left of it unless given.

        Raises:
            ArgumentError: where the two sides declare different boxes for a tensor.
        """
        if self._done:
            return None
        effort = self.effort if effort is None else effort
        try:
            for _ in range(sizes):
                if self._next is None:
                    self._next = next(self._sizes, None)
                if self._next is None:
                    self._done = True
                    return None
                found = self._compare(self._next, effort)
                if found is not None:
                    return found
                self._next = None
        except SizeLimitError:
            self._done = True  # later sizes are larger
        except OutOfEffort:
            return None
        return None

    def at(self, env: Mapping[str, int], place: tuple[int, ...] | None, effort: Effort) -> Counterexample | None:
        """The simplest example at one size and one entry, or None where none was found."""
        try:
            return counterexample_at(self.statement, env, effort, place)
        except (SizeLimitError, OutOfEffort, ZeroDivisionError):
            return None

    def _compare(self, env: Mapping[str, int], effort: Effort) -> Counterexample | None:
        at = At(self.statement, env, effort)
        at.check_boxes()
        if self.instance is None and next(at.points(), None) is not None:
            self.instance = self.statement.at_size(env)
        if self.statement.needs and next(at.points(), None) is None:
            return None  # at this size a side has no value anywhere, and may not even be evaluated
        try:
            same = not at.polynomial and self._identical(env, effort.part(1, 2))
            found = None if same else counterexample_at(self.statement, env, effort)
        except ZeroDivisionError:
            return None  # a quotient by an index: at this size the statement has no meaning
        if found is None:
            self.conclusive = self.conclusive and (same or at.polynomial)
            self.tried += 1
        return found

    def _identical(self, env: Mapping[str, int], effort: Effort) -> bool:
        try:
            return identity_at(self.statement, env, effort) == "equal"
        except OutOfEffort:
            return False


def counterexample_at(
    statement: Statement,
    env: Mapping[str, int],
    effort: Effort | None = None,
    place: tuple[int, ...] | None = None,
) -> Counterexample | None:
    """The simplest entry and tensors at which the two sides differ at one size, or None where none was found.

    Args:
        statement: the statement.
        env: numbers for its parameters and definitions.
        effort: what that may cost.
        place: the only entry to look at; all of them unless given.

    Raises:
        SizeLimitError, OutOfEffort: where the size is too large to compare.
    """
    at = At(statement, env, Effort() if effort is None else effort, place)
    sizes = statement.at_size(env)
    for name, mine, theirs in zip(statement.indices, at.ranges("left"), at.ranges("right"), strict=True):
        if mine != theirs:
            shown = [f"{low}..{high}" for low, high in (mine, theirs)]
            return Counterexample(sizes, {}, {}, {}, shown[0], shown[1], what=f"the range of {name} is")
    powers = [need for need in statement.needs if need.of_values]
    # where entries decide whether a side has a value, a witness with all other entries 0 is no better than any
    candidates = _polynomial_witnesses(at) if at.polynomial and not powers else small_fillings(at)
    for point, filling in candidates:
        try:
            if powers and no_value(at, powers, point, filled(filling)) is not None:
                continue
            left, right = (value_at(at, side, point, filled(filling)) for side in (statement.left, statement.right))
            differ = bool(left != right)
        except (NoValueError, UndecidedNumberError):
            continue
        if differ:
            tensors: dict[str, dict[tuple[int, ...], Fraction]] = {}
            for (tensor, index), value in sorted(filling.items()):
                tensors.setdefault(tensor, {})[index] = value
            indices = dict(zip(statement.indices, point, strict=True))
            return Counterexample(sizes, indices, tensors, at.boxes(), left, right)
    return None


def no_value(at: At, powers: Sequence[Need], point: Sequence[int], read: Read) -> tuple[Need, dict[str, int]] | None:
    """The first power that has no value for the tensors that `read` reads, and where on its path that is.

    Raises:
        UndecidedNumberError: for a number in it that was not worked out.
    """
    here = {**at.env, **dict(zip(at.statement.indices, point, strict=True))}
    domain = _domain(at, read)
    for need in powers:
        try:
            where = failure(need, here, at.effort, lambda node, env: evaluate(node, env, domain, at.statement.boxes))
        except NoValueError:  # a root inside of it has none, and a need of its own
            return need, here
        if where is not None:
            return need, where
    return None


def value_at(at: At, node: Any, point: Sequence[int], read: Read) -> Any:
    """The exact value of a tree at an entry, for the tensors that `read` reads.

    Raises:
        NoValueError: for a root of a negative number.
        UndecidedNumberError: for a number with roots in it that was not worked out.
        ZeroDivisionError: for a quotient by 0.
    """
    here = {**at.env, **dict(zip(at.statement.indices, point, strict=True))}
    return evaluate(node, here, _domain(at, read), at.statement.boxes)


def filled(filling: Mapping[Entry, Fraction]) -> Read:
    """Tensors with these entries, and 0 anywhere else."""
    return lambda name, index: filling.get((name, index), Fraction(0))


def _domain(at: At, read: Read) -> ExactNumbers:
    return ExactNumbers({name: partial(read, name) for name in at.statement.boxes}, effort=at.effort)


# --- polynomials -----------------------------------------------------------------------------------------------------


def _polynomial_witnesses(at: At) -> Iterator[tuple[tuple[int, ...], dict[Entry, Fraction]]]:
    """Entries and values from the difference of the sides: a monomial with the fewest letters, all other letters 0."""
    found = at.differences()
    order = sorted(
        (len(set(monomial)), point, monomial) for point, difference in found.items() for monomial in difference
    )
    for _, point, monomial in order:
        letters = sorted(set(monomial))
        at.effort.spend(ENTRY * 5 ** min(len(letters), 5))
        rest: Polynomial = {key: value for key, value in found[point].items() if set(key) <= set(letters)}
        for values in sorted(islice(product(_SMALL, repeat=len(letters)), 4000), key=_size_of_values):
            filling = {letter: Fraction(value) for letter, value in zip(letters, values, strict=True)}
            if _at(rest, filling):
                yield point, filling
                break


def _size_of_values(values: Sequence[int]) -> tuple[int, list[bool], list[int]]:
    return sum(abs(v) for v in values), [v < 0 for v in values], [abs(v) for v in values]


def _at(polynomial: Polynomial, filling: Mapping[Entry, Fraction]) -> Fraction:
    total = Fraction(0)
    for monomial, coefficient in polynomial.items():
        for letter in monomial:
            coefficient = coefficient * filling[letter]
        total += coefficient
    return total


# --- other formulas --------------------------------------------------------------------------------------------------


def small_fillings(at: At) -> Iterator[tuple[tuple[int, ...], dict[Entry, Fraction]]]:
    """Entries and small rational tensors, the sparsest first; equal and negative values are among them.

    None is other than 0, one, two (sixty pairs are tried), then all of them.
    """
    read = ((name, index) for name, box in sorted(at.boxes().items()) for index in places(box))
    points = list(at.points())
    for filling in _fillings(list(islice(read, MAX_ENTRIES))):
        for point in points:
            at.effort.spend(ENTRY)
            yield point, filling


def _fillings(entries: Sequence[Entry]) -> Iterator[dict[Entry, Fraction]]:
    yield {}
    for entry in entries:
        for value in (1, -1, 2):
            yield {entry: Fraction(value)}
    for pair in islice(combinations(entries, 2), 60):
        for values in ((1, 1), (1, -1), (-1, -1), (1, 2), (2, 1)):
            yield {entry: Fraction(value) for entry, value in zip(pair, values, strict=True)}
    for value in (1, -1):
        yield dict.fromkeys(entries, Fraction(value))
    state = 20_260
    values_of = [Fraction(v, 2) for v in (-4, -2, -2, -1, 0, 0, 1, 2, 2, 4, 6)]
    for _ in range(40):
        filling = {}
        for entry in entries:
            state = (1_103_515_245 * state + 12_345) % (1 << 31)  # a fixed sequence, the same on every machine
            value_ = values_of[(state >> 12) % len(values_of)]
            if value_:
                filling[entry] = value_
        yield filling
