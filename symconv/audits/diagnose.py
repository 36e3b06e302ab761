"""`diagnose`: which operator, with which conventions, made an output that somebody got."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from symconv.audits import closest, convolutions, poolings
from symconv.audits.allowance import Allowance
from symconv.audits.candidate import Candidate
from symconv.audits.checking import applied, checked
from symconv.audits.explanation import Explanation, Probe
from symconv.audits.gradients import judged
from symconv.audits.probing import probe
from symconv.audits.reading import Array
from symconv.audits.rounding import Rounding
from symconv.doors import procedure
from symconv.errors import ArgumentError, SizeLimitError
from symconv.kernels.runtime.arguments import as_array
from symconv.operators.convolution import Conv
from symconv.operators.transposed import ConvTranspose

__all__ = ["diagnose"]

MOST_ENTRIES, MOST_AXES = 1 << 22, 5
MOST_OF_CONVOLUTIONS, MOST_OF_POOLINGS, MOST_OF_CLOSEST = 4_000_000_000, 1_200_000_000, 200_000_000
MOST_FITTING = 24
MOST_PROBED = 6
MOST_NEAR = 3
NEARLY = 0.01  # of the largest entry: so little off is rounding in another type, not a convention
FAR = "half of the entries or more differ: this is hardly what made the output"


def diagnose(
    x: Any,
    weight: Any,
    y: Any,
    *,
    grad_output: Any = None,
    grad_input: Any = None,
    grad_weight: Any = None,
    grad_bias: Any = None,
    progress: Callable[[float], None] | None = None,
) -> list[Explanation]:
    """The operators that make an output of an input and a filter, the plainest first.

    Looked for are, with a filter, convolutions and transposed convolutions: the filter flipped, transposed or turned,
    stride, padding (uneven and negative too), padding mode, dilation, groups and their order, the orders of the axes of
    all three arrays (NCHW, NHWC, OIHW, HWIO...), a bias, exchanged axes, output padding; without one, poolings: the
    kind, window, stride, padding, dilation, divisor, and the rule that rounds the size. Gradients tell the rule of ties
    of a maximum, and which of them is wrong.

    Args:
        x: the input, of 1 to 5 axes: numbers in any order of batch, channels and 1 to 3 spatial axes.
        weight: the filter, likewise; None for a pooling.
        y: the output that somebody got.
        grad_output: the gradient of the output, in its shape, with one or more of the next three.
        grad_input, grad_weight, grad_bias: gradients that somebody got, in the shapes of their variables.
        progress: is told from time to time which share of the work is done, 0 to 1.

    Returns:
        Where something fits, the explanations that do: integers are equal, floating-point numbers within the rounding
        errors that their type allows for sums in any order. Where nothing does, the closest, with the entries that
        differ; nothing at all where no operator gives an output of this size.

    Raises:
        ArgumentError: for anything but arrays of finite numbers; SizeLimitError above 2**22 entries.

    >>> import numpy as np
    >>> x, w = np.arange(16).reshape(4, 4) ** 2, np.array([[1, 2], [3, 5]])
    >>> y = np.array([[60, 168], [1020, 1480]])
    >>> print(diagnose(x, w, y)[0].operator)
    Conv(kernel_size=(2, 2), stride=(2, 2), flip=True)
    """
    if progress is not None:
        procedure("progress", progress)
    arrays = [_numbers("x", x), _numbers("y", y)] + ([] if weight is None else [_numbers("weight", weight)])
    given, filters = (arrays[0], arrays[1]), (None if weight is None else arrays[2])
    gradients = _gradients(given[0], filters, given[1], grad_output, grad_input, grad_weight, grad_bias)
    if filters is not None:
        _small(given[0], filters)
    allowance = Allowance(MOST_OF_POOLINGS if filters is None else MOST_OF_CONVOLUTIONS, progress)
    found = _fitting(*given, filters, allowance)
    fits = bool(found)
    if not found:
        found = _nearest(*given, filters)
        if allowance.cut:
            more = f"the search ended after {allowance.most:,} products, before everything was tried"
            found = [(candidate, replace(each, notes=(*each.notes, more))) for candidate, each in found]
    if gradients is not None:
        found = [_with_gradients(*pair, given[0], filters, given[1], *gradients) for pair in found]
        found.sort(key=lambda pair: any(pair[1].gradients.values()))
    return [
        _told_apart(found[0][0], candidate, each, *given, filters) if fits and 0 < rank <= MOST_PROBED else each
        for rank, (candidate, each) in enumerate(found)
    ]


def _numbers(name: str, value: Any) -> Array:
    array = as_array(name, value)
    if not 1 <= array.ndim <= MOST_AXES or not array.size:
        raise ArgumentError(name, array.shape, f"must be an array with 1 to {MOST_AXES} axes and at least one entry")
    if array.size > MOST_ENTRIES:
        raise SizeLimitError(f"{name} must have at most {MOST_ENTRIES:,} entries, got {array.shape}; pass a part of it")
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise ArgumentError(name, "an array with NaN or infinite entries", "must be finite", "leave such items out")
        return array
    if array.dtype.kind == "u" and array.max() >= 1 << 63:
        raise ArgumentError(name, array.max(), "must be below 2**63")
    return array.astype(np.int64)


def _small(x: Array, weight: Array) -> None:
    """Refuse integers whose sums of products may leave int64."""
    if x.dtype.kind == weight.dtype.kind == "i":
        most = int(np.abs(x).max()) * sum(map(abs, map(int, weight.flat)))
        if most >= 1 << 63:
            raise ArgumentError(
                "x", f"entries of up to {int(np.abs(x).max())}", "must be so small that no sum overflows"
            )


def _gradients(
    x: Array, weight: Array | None, y: Array, upstream: Any, of_input: Any, of_weight: Any, of_bias: Any
) -> tuple[Array, dict[str, Array]] | None:
    """The upstream gradient and the others by variable; None where none was given."""
    given = {"input": of_input, "weight": of_weight, "bias": of_bias}
    found = {part: _numbers(f"grad_{part}", value) for part, value in given.items() if value is not None}
    if upstream is None:
        if found:
            raise ArgumentError("grad_output", None, f"must be given with grad_{next(iter(found))}")
        return None
    if not found:
        raise ArgumentError("grad_input", None, "must be given with grad_output, or grad_weight or grad_bias")
    g = _numbers("grad_output", upstream)
    if g.shape != y.shape:
        raise ArgumentError("grad_output", g.shape, f"must have the shape {y.shape} of the output")
    if weight is None and set(found) != {"input"}:
        raise ArgumentError(f"grad_{max(found)}", "an array", "must be left out: a pooling has no weight and no bias")
    return g, found


Found = list[tuple[Candidate, Explanation]]


def _fitting(x: Array, y: Array, weight: Array | None, allowance: Allowance) -> Found:
    rounding = Rounding.of(x, y) if weight is None else Rounding.of(x, weight, y)
    candidates = poolings.found(x, y, allowance) if weight is None else convolutions.found(x, weight, y, allowance)
    found: dict[str, tuple[Candidate, Explanation]] = {}
    for candidate in candidates:
        for each in _with_bias(candidate):
            if not allowance.spend(Allowance.CHECK):
                break
            explanation = checked(each, x, weight, y, rounding)
            if explanation is not None and explanation.fits:
                allowance.settle()
                kept = found.get(explanation.reproduce)
                if kept is None or kept[1].cost > explanation.cost:
                    found[explanation.reproduce] = each, explanation
                break
        if len(found) == MOST_FITTING:
            break
    return sorted(found.values(), key=lambda pair: pair[1].cost)


def _with_bias(candidate: Candidate) -> Iterable[Candidate]:
    """The candidate, and that with a bias: one channel alone does not show one that is 0 there."""
    yield candidate
    operator = candidate.operator
    if isinstance(operator, Conv | ConvTranspose) and not operator.bias and operator.out_channels > 1:
        yield replace(candidate, operator=replace(operator, bias=True), cost=candidate.cost + 1.0)


def _nearest(x: Array, y: Array, weight: Array | None) -> Found:
    allowance = Allowance(MOST_OF_CLOSEST)
    rounding = Rounding.of(x, y) if weight is None else Rounding.of(x, weight, y)
    candidates: Iterable[Candidate]
    if weight is None:
        candidates = closest.near_poolings(x, y, allowance)
    else:
        candidates = closest.near_convolutions(x, weight, y, allowance)
    pairs = [(candidate, checked(candidate, x, weight, y, rounding)) for candidate in candidates]
    known = [(candidate, explanation) for candidate, explanation in pairs if explanation is not None]
    small = np.abs(y).max() * NEARLY
    known.sort(key=lambda pair: (pair[1].off * (pair[1].error > small), max(pair[1].error, small), pair[1].cost))
    near = [pair for pair in known if 2 * pair[1].off < y.size][:MOST_NEAR]
    if near:
        return near
    note = FAR
    if known and known[0][1].error <= small:
        nearest = known[0][1]
        allowed = f"{nearest.bound:.3g} is allowed"
        note = f"off by at most {nearest.error:.3g}, and {allowed}: was it rounded, or made in a coarser type?"
    return [(candidate, replace(explanation, notes=(note,))) for candidate, explanation in known[:1]]


def _with_gradients(
    candidate: Candidate,
    explanation: Explanation,
    x: Array,
    weight: Array | None,
    y: Array,
    upstream: Array,
    given: dict[str, Array],
) -> tuple[Candidate, Explanation]:
    """A candidate and its explanation, with what the gradients show of both."""
    found, verdicts, notes = judged(candidate, x, weight, upstream, given)
    line = found.orientation.line(found.operator, x, weight, y, explanation.bias)
    notes = (*explanation.notes, *notes)
    return found, replace(explanation, operator=found.operator, reproduce=line, gradients=verdicts, notes=notes)


def _told_apart(
    first: Candidate, other: Candidate, explanation: Explanation, x: Array, y: Array, weight: Array | None
) -> Explanation:
    """An explanation with the smallest input that tells it from the first."""
    makers = [partial(applied, candidate, y.shape) for candidate in (first, other)]
    found = probe(makers[0], makers[1], x.shape, None if weight is None else weight.shape)
    if isinstance(found, Probe):
        note = f"these data do not tell it from the first; {found} does"
        return replace(explanation, probe=found, notes=(*explanation.notes, note))
    note = f"neither these data nor {found} simple inputs of their size tell it from the first"
    return replace(explanation, notes=(*explanation.notes, note))
