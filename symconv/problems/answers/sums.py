"""An entry as the sum that it is: the formula of a layer at one place, spelled in letters and in numbers at once.

The value is worked out again on the way, apart from what the network says it is; whoever prints a sum compares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symconv.formulas.exact import RELATIONS, Numbers, evaluate
from symconv.formulas.formula import Formula
from symconv.formulas.function import Function
from symconv.formulas.index import Index
from symconv.formulas.printing import LATEX
from symconv.problems.answers.exact_text import exact_text

__all__ = ["Lettered", "Spelled", "sum_of_entries", "written_sum"]

MOST_TERMS = 40  # that are written; of a longer sum the first three and the last


@dataclass(frozen=True)
class Lettered:
    """A tensor of a formula in numbers.

    Attributes:
        letter: what an entry is called.
        entries: the numbers, in the shape of the formula's tensor; 0-based.
        before: indices that stand before those of the formula, such as the channel of a plane.
    """

    letter: str
    entries: Any
    before: tuple[int, ...] = ()


@dataclass(frozen=True)
class Spelled:
    """A part of an entry, in letters and in numbers.

    Attributes:
        symbols, numbers: LaTeX.
        value: the exact value.
        binds: how tightly it holds together: 0 a sum, 1 a product, 2 a single sign.
        known: whether it is a number of the formula itself, such as a bracket that holds.
    """

    symbols: str
    numbers: str
    value: Any
    binds: int = 2
    known: bool = False
    terms: tuple[Spelled, ...] = ()


def written_sum(formula: Formula, place: tuple[int, ...], tensors: Mapping[str, Lettered]) -> Spelled:
    """The entry of a formula, whose sizes are numbers, at the values of its free indices.

    Products with a factor 0 are left out of the numbers.
    """
    env = {**formula.environment(None, {}), **dict(zip(formula.indices, place, strict=True))}
    return evaluate(formula.body, env, _Domain(tensors, formula.boxes), formula.boxes)  # type: ignore[no-any-return]


_NUMBERS = Numbers({})


@dataclass(frozen=True)
class _Domain:
    """Values that know how they are written; see `symconv.formulas.exact.Domain`."""

    tensors: Mapping[str, Lettered]
    boxes: Mapping[str, Any]

    def number(self, value: Fraction) -> Spelled:
        text = exact_text(value)
        return Spelled(text, text, value, 2 if value >= 0 and "/" not in text else 1, True)

    def entry(self, tensor: str, index: tuple[int, ...]) -> Spelled:
        own = self.tensors[tensor]
        lows = (int(low.evaluate({})) for low, _ in self.boxes[tensor])
        value = own.entries[tuple(i - low for i, low in zip(index, lows, strict=True))]
        name = LATEX.subscripted(LATEX.name(own.letter), [str(i) for i in (*own.before, *index)])
        return Spelled(name, exact_text(value), value, 2)

    def scalar(self, index: Index, env: Mapping[str, int]) -> Spelled:
        return self.number(Fraction(_NUMBERS.scalar(index, env)))

    def power(self, base: Spelled, exponent: Spelled) -> Spelled:
        value = _NUMBERS.power(base.value, exponent.value)
        if base.known and exponent.known and isinstance(value, Fraction):
            return self.number(value)
        if exponent.value == 1:
            return base
        if exponent.value == -1:
            return self._made(base, value, lambda text: rf"\frac{{1}}{{{text}}}", 0, 2)
        if isinstance(exponent.value, Fraction) and exponent.value.numerator == 1:
            degree = exponent.value.denominator
            sign = r"\sqrt" if degree == 2 else rf"\sqrt[{degree}]"
            return self._made(base, value, lambda text: f"{sign}{{{text}}}", 0, 2)
        return self._made(base, value, lambda text: f"{{{text}}}^{{{exponent.symbols}}}", 2, 2)

    def absolute(self, value: Spelled) -> Spelled:
        return self._made(value, abs(value.value), lambda text: rf"\lvert {text} \rvert", 0, 2)

    def sign(self, value: Spelled) -> Spelled:
        return self.number(_NUMBERS.sign(value.value))

    def function(self, function: Function, value: Spelled) -> Spelled:
        result = function.at(value.value)
        if value.known and isinstance(result, Fraction):
            return self.number(result)
        return self._made(value, result, lambda text: function.written(LATEX, text), 0, 2)

    def extremum(self, kind: str, values: list[Spelled]) -> Spelled:
        if not values:
            return Spelled(r"-\infty", r"-\infty", _NUMBERS.extremum(kind, []))
        largest = _NUMBERS.extremum(kind, [value.value for value in values])
        listed = [r",\, ".join(getattr(value, form) for value in values) for form in ("symbols", "numbers")]
        symbols, numbers = (rf"\{kind} \{{ {text} \}}" for text in listed)
        return Spelled(symbols, numbers, largest, 2)

    def compare(self, left: Spelled, relation: str, right: Spelled) -> Spelled:
        return self.number(Fraction(int(RELATIONS[relation](left.value, right.value))))

    def add(self, values: list[Spelled]) -> Spelled:
        terms = [term for value in values for term in (value.terms or (value,)) if not (term.known and term.value == 0)]
        if not terms:
            return self.number(Fraction(0))
        if len(terms) == 1:
            return terms[0]
        shown = [term for term in terms if term.value != 0]
        return Spelled(
            _joined([term.symbols for term in terms]),
            _joined([term.numbers for term in shown]) if shown else "0",
            sum((term.value for term in terms), Fraction(0)),
            0,
            all(term.known for term in terms),
            tuple(terms),
        )

    def multiply(self, values: list[Spelled]) -> Spelled:
        known = Fraction(1)
        rest = []
        for value in values:
            if value.known and isinstance(value.value, Fraction):
                known *= value.value
            else:
                rest.append(value)
        if known == 0 or not rest:
            return self.number(known)
        if known != 1 and len(rest) == 1 and rest[0].terms and known == -1:
            return self.add([self.multiply([self.number(known), term]) for term in rest[0].terms])
        total: Any = known
        for value in rest:
            total = total * value.value
        if known == 1 and len(rest) == 1:
            return rest[0]
        front = "" if known == 1 else "-" if known == -1 else _lead(known)
        symbols = front + r"\, ".join(_bracketed(v.symbols, v.binds) for v in rest)
        factors = [_bracketed(v.numbers, v.binds if v.terms else 2) for v in rest]
        if known not in (1, -1):
            factors = [exact_text(known), *factors]
        numbers = ("-" if known == -1 else "") + r" \cdot ".join(
            rf"({text})" if text.startswith("-") else text for text in factors
        )
        return Spelled(symbols, numbers, total, 1)

    def _made(self, inner: Spelled, value: Any, write: Callable[[str], str], needed: int, binds: int) -> Spelled:
        symbols = inner.symbols if inner.binds >= needed else rf"\left( {inner.symbols} \right)"
        numbers = inner.numbers
        if needed and (inner.binds < needed or numbers.startswith("-")):
            numbers = rf"\left( {numbers} \right)"
        return Spelled(write(symbols), write(numbers), value, binds)


def _lead(number: Fraction) -> str:
    """A number before letters."""
    return exact_text(number) + r"\, "


def _bracketed(text: str, binds: int) -> str:
    return text if binds else rf"\left( {text} \right)"


def _joined(terms: list[str]) -> str:
    """Summands with their signs; of very many the first three and the last."""
    if len(terms) > MOST_TERMS:
        terms = [*terms[:3], r"\cdots", terms[-1]]
    return terms[0] + "".join(f" - {term[1:]}" if term.startswith("-") else f" + {term}" for term in terms[1:])


def sum_of_entries(entries: list[tuple[str, tuple[int, ...], Any]]) -> Spelled:
    """The sum of entries of several arrays, each a letter, a place and a number."""
    spelled = _Domain({}, {})
    terms = [
        Spelled(LATEX.subscripted(LATEX.name(letter), [str(i) for i in place]), exact_text(value), value)
        for letter, place, value in entries
    ]
    return spelled.add(terms)


def added(parts: list[Spelled]) -> Spelled:
    """The sum of several."""
    return _Domain({}, {}).add(parts)
