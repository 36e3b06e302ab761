"""How many roundings a program puts on its result: its steps are gone through with counts in place of arrays.

A count n says of an array that it is what exact arithmetic gives, with every product of entries that it is the sum of
multiplied by at most n factors ``(1 + d)**±1``, |d| <= u. Roots and powers are taken of sums without cancellation
alone, where that holds for the sum itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import ceil

from symconv.errors import NotSupportedError
from symconv.kernels.accuracy.units import Unit
from symconv.kernels.programs.program import Apply, Copy, FixedEntry, Operand, Program, TapView

__all__ = ["LIBRARY", "held", "power_cost", "roundings_of_chain"]

LIBRARY = 8
"""Roundings that a power or a cube root counts for: 4 units in the last place, the most that NumPy's functions and
those of a C library are off by."""


def held(value: Fraction | int, digits: int) -> bool:
    """Whether a number, if its exponent is small, is one of a type with so many binary digits."""
    above, below = abs(Fraction(value).numerator), Fraction(value).denominator
    return below & (below - 1) == 0 and (above == 0 or (above // (above & -above)).bit_length() <= digits)


def power_cost(exponent: Fraction, unit: Unit) -> int:
    """What ``numpy.power`` with an exponent counts for, besides that of its base.

    An exponent that is rounded changes the power by its error times the logarithm of the base, which is below the
    number of binary digits between the smallest and the largest number.
    """
    if held(exponent, unit.digits):
        return LIBRARY
    return LIBRARY + ceil(exponent * (unit.digits - unit.least))


def roundings_of_chain(programs: Iterable[Program], unit: Unit, source: str) -> int:
    """The count of the last result of programs that run one after the other, each on what the one before gave.

    Args:
        programs: the programs; a result is called "c".
        unit: the type that they compute in.
        source: the letter of the input.
    """
    count = Fraction(0)
    for program in programs:
        count = _Walk(unit, {source: count}).result(program)
    return ceil(count)


class _Walk:
    """The counts of the arrays of one program; what is not written by it, and is not given, has the count 0."""

    def __init__(self, unit: Unit, given: Mapping[str, Fraction]) -> None:
        self.unit = unit
        self.counts = dict(given)
        self.behind: dict[str, str] = {}  # of a view, the array that it shows

    def result(self, program: Program) -> Fraction:
        for step in program.steps:
            if isinstance(step, TapView | FixedEntry):
                self.behind[step.target] = self._root(step.source)
            elif isinstance(step, Copy):
                self._write(step.target, self._of(step.source), whole=True)
            elif isinstance(step, Apply):
                found = self._applied(step)
                if found is not None:
                    self._write(step.target, found, whole=step.where is None)
            else:
                raise NotSupportedError(f"no roundings are counted for the step {type(step).__name__}")
        return self._of(program.results[0])

    def _root(self, name: str) -> str:
        return self.behind.get(name, name)

    def _of(self, operand: Operand) -> Fraction:
        if isinstance(operand, str):
            return self.counts.get(self._root(operand), Fraction(0))
        return Fraction(0 if held(operand, self.unit.digits) else 2)

    def _write(self, target: str, count: Fraction, whole: bool) -> None:
        root = self._root(target)
        if root != target or not whole:  # other entries keep what they were
            count = max(count, self.counts.get(root, Fraction(0)))
        self.counts[root] = count

    def _applied(self, step: Apply) -> Fraction | None:
        """The count of a result; None for a mask, which is not rounded."""
        counts = [self._of(arg) for arg in step.args]
        match step.function:
            case "add" | "subtract":
                return max(counts) + 1
            case "multiply" | "divide":
                return sum(counts, Fraction(1))
            case "maximum" | "minimum":
                return max(counts)
            case "positive" | "absolute" | "copysign":
                return counts[0]
            case "square":
                return 2 * counts[0] + 1
            case "sqrt":
                return counts[0] / 2 + 1
            case "cbrt":
                return counts[0] / 3 + LIBRARY
            case "power":
                exponent = step.args[1]
                assert not isinstance(exponent, str)
                return exponent * counts[0] + power_cost(Fraction(exponent), self.unit)
            case "equal" | "isinf" | "logical_or" | "logical_not" | "logical_and":
                return None
        raise NotSupportedError(f"no roundings are counted for numpy.{step.function}")
