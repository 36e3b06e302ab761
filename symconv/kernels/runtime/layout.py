"""A tap form at given sizes: output sizes, where the border comes from, which taps are real, the values of counts.

Everything here is an array along one axis, evaluated from the index expressions of the formula; no array of the size of
an image is built, and nothing is decided position by position.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from symconv.errors import GeometryError, NotSupportedError
from symconv.formulas.algebra import Bound, Guard, Reduce
from symconv.formulas.index import Index
from symconv.formulas.lattice import points
from symconv.kernels.form.reading import WALK, Walk
from symconv.kernels.form.tapform import TapForm

__all__ = ["AxisLayout", "Layout", "layout_of"]

IntArray: TypeAlias = "npt.NDArray[np.int64]"
BoolArray: TypeAlias = "npt.NDArray[np.bool_]"
FloatArray: TypeAlias = "npt.NDArray[np.float64]"


@dataclass(frozen=True)
class AxisLayout:
    """One axis of the padded input.

    Attributes:
        walk: the walk of the axis.
        outputs: the number of outputs.
        length: the number of positions of the padded axis.
        shift: where on the padded axis the first window starts.
        inner: the part of the padded axis that shows the input as it is, and `source`, the part of the input it shows.
        border: positions of the padded axis that show another one, and `origin`, which ones; empty for zero padding.
        starts: for each tap, the input position that output 0 reads.
        values: those of the names in the formula.
        count: the count that the formula divides by at each output; None where there is none.
    """

    walk: Walk
    outputs: int
    length: int
    shift: int
    inner: slice
    source: slice
    border: IntArray
    origin: IntArray
    starts: IntArray
    values: Mapping[str, int]
    count: FloatArray | None

    @cached_property
    def positions(self) -> IntArray:
        """For each tap, the input position that each output reads; a table that may be large."""
        taps, outputs = self._tables
        return _evaluate(self.walk.position, {**self.values, WALK: self.walk.step * taps + self.walk.stride * outputs})

    @cached_property
    def real(self) -> BoolArray | None:
        """For each tap, which outputs find the input there; None where all do. As large as `positions`."""
        return _real(self.walk.guards, self.walk, self._tables, self.values) if self.walk.guards else None

    @property
    def _tables(self) -> tuple[Any, Any]:
        return np.arange(self.walk.taps)[:, None], np.arange(self.outputs)[None, :]

    @property
    def plain(self) -> bool:
        """True where the padded axis is a part of the input."""
        return bool(self.inner.stop - self.inner.start == self.length)

    @property
    def tiled(self) -> bool:
        """True where every position of the padded axis is read by one tap of one output."""
        return self.walk.tiling and self.length == self.walk.stride * self.outputs

    def span(self, first: int, stop: int) -> slice:
        """The positions of the padded axis that outputs ``first..stop-1`` read."""
        start = self.shift + self.walk.stride * first
        return slice(start, start + self.walk.stride * (stop - first - 1) + self.walk.reach + 1)


@dataclass(frozen=True)
class Layout:
    """All axes of the padded input at one input size."""

    sizes: tuple[int, ...]
    axes: tuple[AxisLayout, ...]

    @cached_property
    def outputs(self) -> tuple[int, ...]:
        """The output size."""
        return tuple(axis.outputs for axis in self.axes)

    @cached_property
    def inner(self) -> Any:
        """The part of the padded input that shows the input as it is, as an index."""
        return (..., *(axis.inner for axis in self.axes))

    @cached_property
    def source(self) -> Any:
        """The part of the input that it shows, as an index."""
        return (..., *(axis.source for axis in self.axes))

    @cached_property
    def plain(self) -> bool:
        """True where no padding has to be built: the padded input is a view of the input."""
        return all(axis.plain for axis in self.axes)

    @cached_property
    def whole(self) -> bool:
        """True where the padded input shows all of the input."""
        return all(
            axis.source.stop - axis.source.start == size for axis, size in zip(self.axes, self.sizes, strict=True)
        )

    @cached_property
    def empty_windows(self) -> bool:
        """True where some window has no real tap."""
        return any(axis.real is not None and not axis.real.any(axis=0).all() for axis in self.axes)


def layout_of(form: TapForm, sizes: tuple[int, ...]) -> Layout:
    """Evaluate a tap form at an input size where a window fits."""
    env = form.formula.environment(sizes, {})
    ndim = len(form.walks)
    outputs = [len(values) for values in form.formula.ranges(env)[-ndim:]]
    counts = dict(form.counts)
    axes = []
    for axis, (walk, size, outs) in enumerate(zip(form.walks, sizes, outputs, strict=True)):
        count = None if axis not in counts else _count(counts[axis], walk.output, outs, env)
        axes.append(_axis(walk, size, outs, env, count))
    return Layout(sizes, tuple(axes))


def _axis(walk: Walk, size: int, outputs: int, env: dict[str, int], count: FloatArray | None) -> AxisLayout:
    first = min(0, walk.step * (walk.taps - 1))
    last = first + walk.stride * (outputs - 1) + walk.reach
    offset = _identity(walk, size, env)
    mapped = walk.position != Index.of(WALK) + walk.position.subs({WALK: 0})
    if mapped:  # what the border shows must lie on the padded axis, even where the padding after or before crops
        first, last = min(first, -offset), max(last, size - 1 - offset)
    start, stop = max(first, -offset), min(last, size - 1 - offset) + 1
    inner = slice(start - first, max(start, stop) - first)
    border = origin = np.zeros(0, np.int64)
    if mapped:
        walked = np.concatenate([np.arange(first, start), np.arange(stop, last + 1)])
        shown = _evaluate(walk.position, {**env, WALK: walked})
        if ((shown < 0) | (shown >= size)).any():
            raise GeometryError(
                "padding",
                f"{start - first} before and {last + 1 - stop} after",
                f"must be below the input size {size} with this padding_mode",
                "use padding_mode='circular' or 'replicate', or less padding",
            )
        border, origin = walked - first, shown - offset - first
    return AxisLayout(
        walk=walk,
        outputs=outputs,
        length=last - first + 1,
        shift=min(0, walk.step * (walk.taps - 1)) - first,
        inner=inner,
        source=slice(start + offset, max(start, stop) + offset),
        border=border,
        origin=origin,
        starts=_evaluate(walk.position, {**env, WALK: walk.step * np.arange(walk.taps)}),
        values=env,
        count=count,
    )


def _evaluate(index: Index, env: dict[str, Any]) -> IntArray:
    shape = np.shape(env[WALK])
    return np.broadcast_to(np.asarray(index.evaluate(env), np.int64), shape).copy()


def _identity(walk: Walk, size: int, env: dict[str, int]) -> int:
    """The offset c for which position(u) is u + c all over the input."""
    for shift in walk.shifts:
        offset = int(shift.evaluate(env))
        whole = np.arange(size) - offset
        if np.array_equal(_evaluate(walk.position, {**env, WALK: whole}), whole + offset):
            return offset
    raise NotSupportedError(f"no kernel can be made of an access at {walk.position!r}: it never shows the whole input")


def _real(guards: tuple[Guard, ...], walk: Walk, tables: tuple[Any, Any], env: Mapping[str, int]) -> BoolArray | None:
    real = np.ones(np.broadcast_shapes(tables[0].shape, tables[1].shape), np.bool_)
    for guard in guards:
        real &= guard.expr.evaluate({**env, walk.tap: tables[0], walk.output: tables[1]}) >= 0
    return None if real.all() else real


def _count(reduce: Reduce, output: str, outputs: int, env: dict[str, int]) -> FloatArray:
    """The value of a count at every output: its points are enumerated for all outputs at once.

    A count of 0 is NaN here: an average over nothing is no number.
    """
    known = {name: value for name, value in env.items() if name != output}
    over = Bound(output, Index.of(0), Index.of(outputs - 1))
    table, _ = points([over, *reduce.bounds], reduce.guards, known)
    counts = np.bincount(table[output], minlength=outputs).astype(np.float64)
    return np.where(counts == 0, np.nan, counts)
