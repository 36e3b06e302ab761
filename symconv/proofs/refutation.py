"""The smallest example that refutes a statement: sizes ascending, then the entry and tensors with the fewest letters.

Nothing is refuted by a solver's model: both sides are evaluated at the example, by another route than the one that
found it, and must differ there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations, islice, product
from typing import Any

from symconv.errors import SizeLimitError
from symconv.formulas.exact import RELATIONS, Entry, Numbers, Polynomial, evaluate
from symconv.proofs.exact import At, identity_at
from symconv.proofs.sizes import assignments
from symconv.proofs.statement import Statement
from symconv.proofs.verdict import Counterexample

__all__ = ["Search", "counterexample_at"]

MAX_EVALUATIONS = 20_000  # entries worked out one by one, over the whole search, where a formula is no polynomial
MAX_WORK = 60_000  # entries of polynomial formulas compared, over the whole search
MAX_ENTRIES = 64  # tensor entries that are varied in such a search
_SMALL = (1, -1, 2, -2, 3)


class Search:
    """The sizes of a statement in ascending order, compared one after the other; it can be continued.

    Attributes:
        tried: at how many sizes the two sides were compared and found equal.
        conclusive: False where some of these comparisons rest on examples alone (formulas that are no polynomials).
        instance: the first size with an entry: the hypotheses hold there.
    """

    def __init__(self, statement: Statement) -> None:
        self.statement = statement
        self.tried = 0
        self.conclusive = True
        self.instance: dict[str, int] | None = None
        self._evaluations = [MAX_EVALUATIONS]
        self._work = 0
        self._sizes: Iterator[dict[str, int]] = assignments(
            statement.parameters,
            [guard for guard in statement.hypotheses if not guard.names & set(statement.indices)],
            definitions=statement.definitions,
            positive=statement.denominators(),
        )
        self._done = False

    def look(self) -> None:
        """Find out whether the statement has an entry at its only size, without comparing anything."""
        env = {name: int(value.evaluate({})) for name, value in self.statement.definitions}
        if next(At(self.statement, env).points(), None) is not None:
            self.instance = _with_solved(self.statement, env)

    def run(self, sizes: int) -> Counterexample | None:
        """Compare at further sizes; the first difference ends the search.

        Raises:
            ArgumentError: where the two sides declare different boxes for a tensor.
        """
        for env in islice(self._sizes, sizes):
            if self._done:
                return None
            whole = _with_solved(self.statement, env)
            at = At(self.statement, env)
            at.check_boxes()
            if self.instance is None and next(at.points(), None) is not None:
                self.instance = whole
            self._work += at.entries() if at.polynomial else 0
            if self._work > MAX_WORK:
                self._done = True
                return None
            try:
                same = not at.polynomial and identity_at(self.statement, env) == "equal"
                found = None if same else counterexample_at(self.statement, env, self._evaluations)
            except SizeLimitError:
                self._done = True
                return None
            except ZeroDivisionError:
                continue  # a quotient by an index: at this size the statement has no meaning
            if found is not None:
                return found
            if self._evaluations[0] <= 0:
                self._done = True
                return None
            self.conclusive = self.conclusive and (same or at.polynomial)
            self.tried += 1
        return None


def _with_solved(statement: Statement, env: Mapping[str, int]) -> dict[str, int]:
    """The numbers of a size with the parameters first, then those that the hypotheses express by them."""
    solved = {name: int(value.evaluate(env)) for name, value in statement.solved}
    names = [*statement.parameters, *solved, *(name for name, _ in statement.definitions)]
    return {name: {**env, **solved}[name] for name in names}


def counterexample_at(
    statement: Statement, env: Mapping[str, int], evaluations: list[int] | None = None
) -> Counterexample | None:
    """The simplest entry and tensors at which the two sides differ at one size, or None where none was found.

    Args:
        statement: the statement.
        env: numbers for its parameters and definitions.
        evaluations: how many entries may still be worked out one by one; it is counted down.

    Raises:
        SizeLimitError: where the size is too large to compare.
    """
    at = At(statement, env)
    sizes = _with_solved(statement, env)
    for name, mine, theirs in zip(statement.indices, at.ranges("left"), at.ranges("right"), strict=True):
        if mine != theirs:
            shown = [f"{low}..{high}" for low, high in (mine, theirs)]
            return Counterexample(sizes, {}, {}, {}, shown[0], shown[1], what=f"the range of {name} is")
    budget = [MAX_EVALUATIONS] if evaluations is None else evaluations
    candidates = _polynomial_witnesses(at) if at.polynomial else _small_fillings(at, budget)
    for point, filling in candidates:
        try:
            left, right = (_value(at, side, point, filling) for side in (statement.left, statement.right))
        except _NoValueError:
            continue
        if _differ(left, right):
            tensors: dict[str, dict[tuple[int, ...], Fraction]] = {}
            for (tensor, index), value in sorted(filling.items()):
                tensors.setdefault(tensor, {})[index] = value
            indices = dict(zip(statement.indices, point, strict=True))
            return Counterexample(sizes, indices, tensors, at.boxes(), left, right)
    return None


def _value(at: At, node: Any, point: Sequence[int], filling: Mapping[Entry, Fraction]) -> Any:
    tensors = {name: (lambda index, name=name: filling.get((name, index), Fraction(0))) for name in at.statement.boxes}
    here = {**at.env, **dict(zip(at.statement.indices, point, strict=True))}
    return evaluate(node, here, _Exact(tensors), at.statement.boxes)


# --- polynomials -----------------------------------------------------------------------------------------------------


def _polynomial_witnesses(at: At) -> Iterator[tuple[tuple[int, ...], dict[Entry, Fraction]]]:
    """Entries and values from the difference of the sides: a monomial with the fewest letters, all other letters 0."""
    found = at.differences()
    order = sorted(
        (len(set(monomial)), point, monomial) for point, difference in found.items() for monomial in difference
    )
    for _, point, monomial in order:
        letters = sorted(set(monomial))
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


def _small_fillings(at: At, budget: list[int]) -> Iterator[tuple[tuple[int, ...], dict[Entry, Fraction]]]:
    """Entries and small rational tensors, the sparsest first; equal and negative values are among them."""
    read = [
        (name, index)
        for name, box in sorted(at.boxes().items())
        for index in product(*(range(low, high + 1) for low, high in box))
    ]
    points = list(at.points())
    for filling in _fillings(read[:MAX_ENTRIES]):
        for point in points:
            budget[0] -= 1
            if budget[0] < 0:
                return
            yield point, filling


def _fillings(entries: Sequence[Entry]) -> Iterator[dict[Entry, Fraction]]:
    yield {}
    for entry in entries:
        for value in (1, -1, 2):
            yield {entry: Fraction(value)}
    for one, value in ((entries, 1), (entries, -1)):
        yield dict.fromkeys(one, Fraction(value))
    for pair in islice(combinations(entries, 2), 60):
        for values in ((1, 1), (1, -1), (-1, -1), (1, 2), (2, 1)):
            yield {entry: Fraction(value) for entry, value in zip(pair, values, strict=True)}
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


class _NoValueError(Exception):
    """A root of a negative number."""


class _Exact(Numbers):
    """Rational numbers, and SymPy's exact powers where a root is not rational."""

    def power(self, base: Any, exponent: Any) -> Any:
        if base == 0 or (_is_rational(base) and exponent.denominator == 1):
            return super().power(base, exponent)
        if base < 0 and getattr(exponent, "denominator", 1) != 1:
            raise _NoValueError
        value = _sympy(base) ** _sympy(exponent)
        return Fraction(int(value.p), int(value.q)) if value.is_Rational else value

    def sign(self, value: Any) -> Any:
        return Fraction(int(bool(value > 0)) - int(bool(value < 0)))

    def compare(self, left: Any, relation: str, right: Any) -> Any:
        return Fraction(int(bool(RELATIONS[relation](left, right))))


def _is_rational(value: Any) -> bool:
    return isinstance(value, int | Fraction)


def _sympy(value: Any) -> Any:
    import sympy

    return sympy.Rational(value.numerator, value.denominator) if _is_rational(value) else value


def _differ(left: Any, right: Any) -> bool:
    """Whether two values certainly differ; irrational ones must do so by more than their rounding."""
    if all(_is_rational(v) or isinstance(v, float) for v in (left, right)):
        return bool(left != right)  # the only float is the minus infinity of an empty maximum
    if any(isinstance(v, float) for v in (left, right)):
        return True  # minus infinity against a finite number
    import sympy

    difference = sympy.N(_sympy(left) - _sympy(right), 60)
    return bool(abs(difference) > sympy.Rational(1, 10**30))
