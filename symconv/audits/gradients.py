"""Gradients that somebody got, compared with those of an explanation; and what is wrong with one that differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np

from symconv.audits.candidate import Candidate
from symconv.audits.checking import kernel_of
from symconv.audits.reading import Array
from symconv.audits.rounding import Rounding
from symconv.operators.pooling import MaxPool

__all__ = ["judged"]

TIES = ("first", "split")


def judged(
    candidate: Candidate, x: Array, weight: Array | None, upstream: Array, given: Mapping[str, Array]
) -> tuple[Candidate, dict[str, str], tuple[str, ...]]:
    """The gradients of an explanation compared with those that were given.

    Args:
        candidate: the operator and how it is applied.
        x, weight: its arrays as they were given.
        upstream: the gradient of the output, in the shape and order of the output.
        given: the gradients of "input", "weight" and "bias", as they were given.

    Returns:
        The candidate, its operator with the rule of ties that the gradients show; for every gradient what is wrong with
        it, empty where it is right; notes.
    """
    operator = candidate.operator
    if not isinstance(operator, MaxPool):
        return candidate, _verdicts(candidate, x, weight, upstream, given), ()
    rules = {rule: replace(candidate, operator=replace(operator, ties=rule)) for rule in TIES}
    found = {rule: _verdicts(each, x, weight, upstream, given) for rule, each in rules.items()}
    right = [rule for rule in TIES if not any(found[rule].values())]
    if not right:
        return candidate, found["first"], ()
    note = ("the data have no ties that tell ties='first' from ties='split'",) if len(right) == 2 else ()
    return rules[right[0]], found[right[0]], note


def _verdicts(
    candidate: Candidate, x: Array, weight: Array | None, upstream: Array, given: Mapping[str, Array]
) -> dict[str, str]:
    due = _due(candidate, x, weight, upstream, given)
    return {part: _wrong(array, *due[part]) for part, array in given.items()}


def _due(
    candidate: Candidate, x: Array, weight: Array | None, upstream: Array, given: Mapping[str, Array]
) -> dict[str, tuple[Array, Array]]:
    """The gradients as they should be, in the order of axes of their variables; and how far an entry may be off."""
    orientation = candidate.orientation
    g = orientation.output(upstream)
    arrays = [orientation.input(x)] + ([] if weight is None else [orientation.filter(weight)])
    unit = Rounding.of(*arrays, g, *given.values()).unit
    arrays, g = [array.astype(np.float64) for array in arrays], g.astype(np.float64)
    kernel = kernel_of(candidate.operator)
    exact = kernel.vjp(g, *arrays, wrt=tuple(given))
    result = {}
    for part in given:
        slack = kernel.error_bound(*arrays, of=part, grad_output=g).values
        if unit is not None:
            narrow = [array.astype(unit.name) for array in (*arrays, g)]
            slack = slack + kernel.error_bound(*narrow[:-1], of=part, grad_output=narrow[-1]).values
        value = getattr(exact, part)
        result[part] = (_placed(candidate, part, value, x, weight), _placed(candidate, part, slack, x, weight))
    return result


def _placed(candidate: Candidate, part: str, value: Array, x: Array, weight: Array | None) -> Array:
    """A gradient in the order of the axes of its variable as it was given."""
    orientation = candidate.orientation
    if part == "bias":
        return value
    variable, read = (x, orientation.input) if part == "input" else (weight, orientation.filter)
    assert variable is not None
    placed = np.empty(variable.shape, dtype=value.dtype)
    placed.flat[read(np.arange(variable.size).reshape(variable.shape))] = value
    return placed


def _wrong(given: Array, due: Array, slack: Array) -> str:
    """What is wrong with a gradient: empty for nothing, the slip where it is one of the known ones."""
    if given.shape != due.shape:
        return f"wrong: its shape is {given.shape} and should be {due.shape}"
    if (np.abs(given - due) <= slack).all():
        return ""
    for words, array, allowed in _slips(given, due, slack):
        if array.shape == due.shape and (np.abs(array - due) <= allowed).all():
            return f"wrong: {words}"
    off = np.abs(given - due) > slack
    first = tuple(map(int, np.argwhere(off)[0]))
    count = int(off.sum())
    said = (
        f"{count} of {off.size} entries differ; the first: {list(first)} is {given[first]} and should be {due[first]}"
    )
    return f"wrong: {said}"


def _slips(given: Array, due: Array, slack: Array) -> Iterator[tuple[str, Array, Array]]:
    """Known slips: (words, the gradient with the slip undone, how far its entries may then be off)."""
    axes = min(due.ndim, 3)
    for count in range(1, axes + 1):
        last = tuple(range(due.ndim - count, due.ndim))
        which = "reversed" if count == 1 else f"reversed along its last {count} axes"
        yield f"it is {which}", np.flip(given, last), slack
    if due.ndim >= 2:
        yield "its last two axes are exchanged", given.swapaxes(-1, -2), slack
    top = np.unravel_index(int(np.argmax(np.abs(due))), due.shape)
    if due[top] != 0 and given[top] != 0:
        factor = Fraction(float(given[top]) / float(due[top])).limit_denominator(10_000)
        if factor not in (0, 1):
            rest = given.astype(np.float64) * (factor.denominator / factor.numerator)
            yield f"it is {factor} times the right one", rest, slack * (1 + 1e-9) + 1e-15 * np.abs(due)
