"""Windows in the padding alone, and windows of zeros: whether a layer has them, and what its lines then need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from symconv.derivations.kinks import kinks
from symconv.derivations.step import Maths, Phrase
from symconv.formulas.algebra import ONE, Guard, Power, Reduce, Scalar, nonnegative
from symconv.formulas.calculus import closed_count
from symconv.formulas.effort import Effort
from symconv.formulas.formula import Formula
from symconv.formulas.images import is_always_positive
from symconv.formulas.walks import accesses, walk
from symconv.operators.adaptive import AdaptivePooling
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.proofs.needs import Inside
from symconv.proofs.windows import FILLED, NO_ZERO, ONE_WINNER, divisor, may_tie, needs_of

if TYPE_CHECKING:
    from symconv.derivations.frame import Frame

__all__ = [
    "empty_windows",
    "every_count_is_positive",
    "has_real_taps",
    "needs_of_derivatives",
    "needs_of_outputs",
]


def _counts(formula: Formula) -> Iterator[Reduce]:
    """What a formula takes for granted not to be 0: the counts that it divides by, the taps that it takes a maximum of.

    One count an axis: a window has a tap where it has one on every axis.
    """
    yield from _divisors(formula)
    for part in walk(formula.body):
        if isinstance(part, Reduce) and part.op in ("max", "min"):
            for bound in part.bounds:
                guards = tuple(guard for guard in part.guards if bound.name in guard.names)
                yield Reduce("sum", (bound,), guards, ONE)


def _divisors(formula: Formula) -> Iterator[Reduce]:
    """The sums that a formula may divide by: counts, and sums of entries."""
    known = formula.knowledge()
    for part in walk(formula.body):
        base = divisor(part)
        if isinstance(part, Power) and isinstance(part.exponent, Scalar):
            base = None if known.nonnegative(part.exponent.index) else part.base
        if isinstance(base, Reduce) and not is_always_positive(base, known):
            yield base


def every_count_is_positive(frame: Frame) -> bool:
    """Whether it was proved that every output has a tap to take the maximum of, and no divisor is a count of none."""
    if isinstance(frame.op, AdaptivePooling):
        return True  # a part of the input overlaps one entry at least: the stage of its windows proves it
    return _positive(frame, _counts(frame.output))


def has_real_taps(frame: Frame) -> bool:
    """Whether it was proved that every window of a pooling has a tap in the input."""
    op = frame.op
    assert isinstance(op, AvgPool | LPPool | MaxPool)
    options = {name: value for name, value in op.options().items() if name in _OF_WINDOWS}
    alike = MaxPool(**options, ndim=op.ndim)
    output = alike.output(names=frame.names, index_base=frame.base, input_size=frame.input_size)
    return _positive(frame, _counts(output))


_OF_WINDOWS = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")


def _positive(frame: Frame, counts: Iterator[Reduce]) -> bool:
    from symconv.proofs.goals import prove_goal

    formula = frame.output
    known = formula.knowledge()
    goals: list[Guard] = []
    for count in counts:
        closed = closed_count(count, known)
        if closed is None:
            return False
        goals.append(nonnegative(closed - 1))
    return prove_goal(formula.assumptions(), goals).status == "proved"


def empty_windows(frame: Frame) -> Phrase:
    """What is to be said of outputs without a value; nothing where it was proved that there is none.

    Their window has no tap, or a size or an index by which they divide is 0.
    """
    op = frame.op
    by_zero = " An output that divides by 0 has no value."
    divided: Phrase = () if _sizes_divide(frame) else (by_zero,)
    if every_count_is_positive(frame):
        return divided
    if isinstance(op, AvgPool):
        where = "padded input" if op.count_include_pad else "input"
        return (f" An output whose window has no tap in the {where} has no value.", *divided)
    if not any(isinstance(part, Reduce) and part.op != "sum" for part in walk(frame.output.body)):
        return (by_zero,)
    return (" A ", *_over_no_tap(frame), ".", *divided)


def needs_of_outputs(frame: Frame) -> Phrase:
    """What a line about an output needs to have a value: a tap, or a number, to divide by; a tap to be the maximum."""
    op = frame.op
    if every_count_is_positive(frame):
        return () if _sizes_divide(frame) else (NO_ZERO,)
    if isinstance(op, AvgPool):
        where = "padded input" if op.count_include_pad else "input"
        return ("a tap in the ", where, " for the window of ", frame.output_entry)
    return ("that a ", *_over_no_tap(frame))


def _over_no_tap(frame: Frame) -> Phrase:
    """What the extremum of a layer is where there is nothing to compare."""
    if any(isinstance(part, Reduce) and part.op == "min" for part in walk(frame.output.body)):
        return ("minimum over no tap is ", Maths(r"\infty", "∞"))
    return ("maximum over no tap is ", Maths(r"-\infty", "−∞"))


def needs_of_derivatives(frame: Frame) -> Phrase:
    """What a line about a derivative needs, beyond the hypotheses on sizes, to have a meaning for every entry.

    An average over no tap has no value; a norm has no derivative at a window of zeros, and the absolute value none at
    0: there `Formula.values` and the kernels take 0.
    """
    op, output = frame.op, frame.output
    if isinstance(op, AvgPool) and not every_count_is_positive(frame):
        where = "padded input" if op.count_include_pad else "input"
        return (f"that outputs without a tap in the {where} are left out (they have no value)",)
    if isinstance(op, LPPool):
        if op.norm_type in (1, float("inf")):
            return (_nonzero(frame.variable_entry), " (at 0 the derivative of the absolute value counts as 0)")
        return (_nonzero(frame.output_entry), " (at a window of zeros the derivative counts as 0)")
    found = kinks(
        output.body, frame.tensor(frame.wrt).name, output.knowledge(), op.kink_policy(), frozenset(op.reals())
    )
    if op.refuses_ties and any(isinstance(part, Reduce) and may_tie(part) for part in walk(output.body)):
        found = (ONE_WINNER["max"], *found)
    counts = (divisor for divisor in _divisors(output) if not accesses(divisor))
    if not _positive(frame, counts):  # the sum over the outputs speaks of those without a tap, too
        found = (FILLED, *found)
    if not _sizes_divide(frame):
        found = tuple(dict.fromkeys((NO_ZERO, *found)))
    return (", and ".join(found),) if found else ()


def _sizes_divide(frame: Frame) -> bool:
    """Whether it was proved that no size or index that the formula divides by is 0."""
    from symconv.proofs.signs import is_met
    from symconv.proofs.smt import Solver

    if isinstance(frame.op, AdaptivePooling):
        return True  # as for its counts
    given, reals, solver = frame.output.assumptions(), frozenset(frame.op.reals()), Solver(Effort())
    needs = (need for need in needs_of(frame.output.body) if isinstance(need.demand, Inside))
    return all(is_met(need, given, reals, solver) for need in needs)


def _nonzero(entry: Maths) -> Maths:
    return Maths(rf"{entry.latex} \neq 0", f"{entry.text} ≠ 0")
