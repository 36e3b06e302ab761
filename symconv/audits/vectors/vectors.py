"""Test vectors of an operator: which sizes and arguments, what is due, and which neighbours they tell apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from symconv.audits.neighbours import neighbours
from symconv.audits.reading import Array
from symconv.audits.reference import Reference
from symconv.audits.rounding import Rounding
from symconv.audits.trials import Trial
from symconv.audits.vectors.case import Vector, VectorSet
from symconv.audits.vectors.exact import ByFormula
from symconv.audits.vectors.inputs import trials_of
from symconv.audits.vectors.sizes import further_sizes, vector_sizes
from symconv.doors import instance, plain_integer
from symconv.errors import ArgumentError, NotSupportedError, SizeLimitError, SymconvError
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose

__all__ = ["HAVE_VECTORS", "vectors_of"]

HAVE_VECTORS = (Conv, ConvTranspose, MaxPool, AvgPool, LPPool, AdaptiveAvgPool, AdaptiveMaxPool)
BATCH, PLANES = 2, 2
MOST_AXES = 3
MOST_ENTRIES = 1 << 13
FLOATS = ("float64", "float32", "float16", "bfloat16")
WHOLE = {"int64": 63, "int32": 31}
"""The types of whole numbers, and their digits."""


def vectors_of(
    op: Operator, input_size: tuple[int, ...] | None = None, progress: Callable[[str], None] | None = None
) -> VectorSet:
    """The test vectors of an operator.

    The arguments are whole numbers, a batch of 2, and 2 planes of a pooling. Outputs and gradients are the exact values
    of the formula, each rounded once to float64.

    Args:
        op: a convolution, a transposed one, or a pooling, with numbers for all its options.
        input_size: the spatial input size, an axis each; sizes that tell conventions apart where it is left out.
        progress: is told in words what is being worked out.

    Raises:
        NotSupportedError: for another operator, a maximum norm, or more than 3 spatial axes.
        GeometryError: where no window fits.
        SizeLimitError: above 8,192 entries of an array, or 1,000,000 terms.
    """
    instance("op", op, Operator, "must be an operator, such as symconv.Conv(3)")
    if not isinstance(op, HAVE_VECTORS):
        names = ", ".join(kind.__name__ for kind in HAVE_VECTORS)
        raise NotSupportedError(f"there are no test vectors of {op!r}; there are of {names}")
    if isinstance(op, LPPool) and op.norm_type == np.inf:
        raise NotSupportedError(f"there are no test vectors of {op!r}; take MaxPool of the absolute values")
    if op.spatial_axes > MOST_AXES:
        raise NotSupportedError(f"test vectors have 1 to {MOST_AXES} spatial axes, and {op!r} has {op.spatial_axes}")
    if op.reals() or op.size_symbols():
        raise ArgumentError("op", op, "must have numbers for all its options")
    if input_size is None:
        sizes = vector_sizes(op)
    else:
        sizes = [tuple(plain_integer("input_size", n, 1) for n in input_size)]
    say = progress or (lambda _: None)
    made = _Making(op, say)
    for number, size in enumerate(sizes):
        made.add(size, full=number == 0)
    for size in further_sizes(op) if input_size is None else ():
        if not made.untold:
            break
        made.try_size(size)
    return VectorSet(op, tuple(made.vectors), tuple(made.told), tuple(made.untold))


class _Making:
    """The vectors of one operator, while they are made."""

    def __init__(self, op: Any, say: Callable[[str], None]) -> None:
        self._say, self._given = say, op
        # Where equal entries have no gradient, it is asked for only where no entries are equal, and all rules agree.
        self._op = replace(op, ties="first") if getattr(op, "ties", "first") not in ("first", "split") else op
        self.vectors: list[Vector] = []
        self.told: list[tuple[Operator, str]] = []
        found = {repr(other): other for other in neighbours(self._op) if other.variables == op.variables}
        ruled = [other for other in found.values() if self._op is op or getattr(other, "ties", "first") == "first"]
        self.untold = [other for other in ruled if repr(other) != repr(self._op)]

    def add(self, sizes: tuple[int, ...], *, full: bool) -> None:
        """The vectors of a size."""
        shapes, output = self._shapes(sizes)
        exact, judges = ByFormula(self._op, sizes), _judges(self._op, sizes)
        for trial in self._trials(shapes, output, full=full):
            name = f"{len(self.vectors) + 1:02}_{trial.words.lower().replace('-', 'minus ').replace(' ', '_')}"
            self._say(f"{'x'.join(map(str, sizes))}: {trial.words}")
            finite = all(np.isfinite(array).all() for array in trial.arrays.values())
            due = exact.due(trial) if finite else {"output": judges["float64"].due(trial)["output"].values}
            tolerance = _tolerance(trial, self._bounds(trial, exact) if finite else {}, judges)
            if not all(np.isfinite(array).all() for array in due.values()):
                tolerance = {dtype: slack for dtype, slack in tolerance.items() if dtype not in WHOLE}
            self.vectors.append(Vector(name, sizes, trial, due, tolerance))
            told = [other for other in self.untold if _tells(sizes, trial, due, other)]
            self.told += [(other, name) for other in told]
            self.untold = [other for other in self.untold if other not in told]

    def try_size(self, sizes: tuple[int, ...]) -> None:
        """The same, where they tell a neighbour apart that the vectors so far do not."""
        judge, trials = Reference(self._op, sizes, "float64", {}), self._trials(*self._shapes(sizes), full=False)
        for trial in trials:
            due = {name: entry.values for name, entry in judge.due(trial).items()}
            if any(_tells(sizes, trial, due, other) for other in self.untold):
                self.add(sizes, full=False)
                return

    def _shapes(self, sizes: tuple[int, ...]) -> tuple[dict[str, tuple[int, ...]], tuple[int, ...]]:
        shapes, output = _shapes(self._op, sizes)
        most = max(map(prod, (*shapes.values(), output)))
        if most > MOST_ENTRIES:
            raise SizeLimitError(
                f"an array of a test vector must have at most {MOST_ENTRIES:,} entries, got {most:,}; take a smaller "
                "input, or fewer channels"
            )
        return shapes, output

    def _trials(self, shapes: Mapping[str, tuple[int, ...]], output: tuple[int, ...], *, full: bool) -> Iterator[Trial]:
        terms = max(prod(shapes.get("weight", (1,))), BATCH * prod(output[2:]))
        return trials_of(self._given, shapes, output, terms, full=full)

    def _bounds(self, trial: Trial, exact: ByFormula) -> dict[str, int]:
        """What no partial sum of an array exceeds, where nothing but sums, products and choices are made."""
        if isinstance(self._op, Conv | ConvTranspose):
            sums = exact.due(_absolute(trial, *trial.arrays))
        elif isinstance(self._op, MaxPool | AdaptiveMaxPool):
            sums = exact.due(_absolute(trial))
        else:
            return {}
        return {name: int(np.abs(array[np.isfinite(array)]).max(initial=0)) for name, array in sums.items()}


def _judges(op: Operator, sizes: tuple[int, ...]) -> dict[str, Reference]:
    """The operator as the judge of each type."""
    first = Reference(op, sizes, FLOATS[0], {})
    found = {dtype: copy(first) for dtype in FLOATS}  # they share its kernel
    for dtype, judge in found.items():
        judge.rounding = Rounding.named(dtype)
    return found


def _tolerance(trial: Trial, bounds: Mapping[str, int], judges: Mapping[str, Reference]) -> dict[str, dict[str, float]]:
    """How far each array may be off, by the types that hold the arguments."""
    entries = int(max(np.abs(array[np.isfinite(array)]).max(initial=0) for _, array in trial.parts()))
    found: dict[str, dict[str, float]] = {}
    for dtype, judge in judges.items():
        unit = judge.rounding.unit
        assert unit is not None
        if entries > min(1 << unit.digits, judge.largest_integer()):
            continue
        slack = {}
        for name, due in judge.due(trial).items():
            rounded = due.slack[np.isfinite(due.values)]
            slack[name] = 0.0 if name in bounds and bounds[name] <= 1 << unit.digits else float(rounded.max(initial=0))
        if np.isfinite(list(slack.values())).all():
            found[dtype] = slack
    if bounds:
        whole = {dtype: digits for dtype, digits in WHOLE.items() if max(entries, *bounds.values()) < 1 << digits}
        found |= {dtype: dict.fromkeys(bounds, 0.0) for dtype in whole}
    return found


def _absolute(trial: Trial, *names: str) -> Trial:
    """The same with the absolute values of the upstream gradient and of some arguments."""
    upstream = None if trial.upstream is None else np.abs(trial.upstream)
    arrays = {name: np.abs(array) if name in names else array for name, array in trial.arrays.items()}
    return replace(trial, arrays=arrays, upstream=upstream)


def _shapes(op: Any, sizes: tuple[int, ...]) -> tuple[dict[str, tuple[int, ...]], tuple[int, ...]]:
    """The shapes of the arguments, and that of the output."""
    places = tuple(int(n) for n in op.output_size(sizes))
    if not isinstance(op, Conv | ConvTranspose):
        return {"input": (BATCH, PLANES, *sizes)}, (BATCH, PLANES, *places)
    inputs, outputs, groups = int(op.in_channels), int(op.out_channels), int(op.groups)
    lead = (inputs, outputs // groups) if isinstance(op, ConvTranspose) else (outputs, inputs // groups)
    shapes = {"input": (BATCH, inputs, *sizes), "weight": (*lead, *map(int, op.kernel_size))}
    if "bias" in op.variables:
        shapes["bias"] = (outputs,)
    return shapes, (BATCH, outputs, *places)


def _tells(sizes: tuple[int, ...], trial: Trial, due: Mapping[str, Array], other: Operator) -> bool:
    """Whether another operator gives something else, or nothing."""
    try:
        if tuple(map(int, other.output_size(sizes))) != due["output"].shape[2:]:
            return True
        found = Reference(other, sizes, "float64", {}).due(trial)
    except SymconvError:
        return True
    return any(found[name].off(array).any() for name, array in due.items() if name in found)
