"""The plans of a pooling: what its Halide pipelines are given, and in which order they run."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from symconv.formulas.index import Index
from symconv.kernels.backends.halide.gathering import GatheringTexts
from symconv.kernels.backends.halide.pooling_texts import PoolingCase
from symconv.kernels.backends.halide.script import LoopPieces, floor_power, pieces_of, threads_of
from symconv.kernels.backends.halide.wheel import lanes, run
from symconv.kernels.form.reading import WALK
from symconv.kernels.form.tapform import TapForm
from symconv.kernels.plans.folds import FoldEngine, FoldPlan
from symconv.kernels.runtime.arguments import places_in
from symconv.kernels.runtime.cost import Estimate
from symconv.kernels.runtime.engine import NOTHING, Engine, Given, Known
from symconv.kernels.runtime.geometry import Line, lines_of, phases
from symconv.kernels.runtime.layout import Layout
from symconv.kernels.runtime.order import Order
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import CallShape, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


__all__ = ["PoolingEngine", "PoolingPlan"]

PHASES = 16
"""Up to so many phases of a gradient are computed by one pipeline."""

LONGEST = 128
"""The most taps of an axis whose sum is written out, in halves."""

KEPT = 256
"""How many texts of an engine are kept."""


def seconds_of(entries: int, count: int, inputs: int, size: int) -> float:
    """The seconds that one thread takes for outputs of `count` terms each, of inputs with `size` bytes an entry."""
    return size * (entries * count * 1e-11 + (entries + inputs) * 1e-10)


class PoolingEngine(FoldEngine):
    """A pooling as Halide pipelines; no entry goes through more roundings than in the programs for NumPy.

    Args:
        form: the tap form.
        plan: how it is cut into stages.
    """

    heading = "# run by symconv.kernels.backends.halide.wheel.run"

    def __init__(self, form: TapForm, plan: Literal["separable", "taps"]) -> None:
        super().__init__(form, plan)
        self.form, self.texts = form, GatheringTexts(form, plan)
        self._kept: dict[tuple[Any, ...], str] = {}

    # ------------------------------------------------------------------ settings and arrays

    def _setting(self, layout: Layout, dtype: np.dtype[Any], last: bool, innermost: int, cut: str = "") -> PoolingCase:
        """The setting of a pipeline whose result has so many entries along the innermost axis."""
        starts = tuple(int(axis.starts[0]) for axis in layout.axes)
        padded = not all(line.inside for line in lines_of(layout))
        computed = self.texts.computed(dtype)
        return PoolingCase(dtype, computed, last, starts, padded, floor_power(min(lanes(computed), innermost)), cut)

    def _pieces(self, x: Array, layout: Layout, count: int, rows: int) -> LoopPieces:
        """The pieces of a pipeline with so many terms an output, and so many steps along the first of several axes."""
        entries = x.size // max(1, prod(layout.sizes)) * prod(layout.outputs)
        loops = {"n": len(x)}
        if len(layout.sizes) > 1:
            loops["0"] = rows
        return pieces_of(self.threads, seconds_of(entries, count, x.size, x.itemsize), loops)

    def _text(self, make: Callable[..., str], *of: Any) -> str:
        """A text, written once."""
        key = (make.__name__, *of)
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            found = self._kept[key] = make(*of)
        return found

    def _counts(self, layout: Layout, dtype: np.dtype[Any]) -> list[Array]:
        found = (layout.axes[axis].count for axis, _ in self.form.counts)
        return [count.astype(self.texts.computed(dtype)) for count in found if count is not None]

    def _last(self, x: Array) -> bool:
        return x.ndim == len(self.form.walks) + 2

    @staticmethod
    def _stored(a: Array, dtype: npt.DTypeLike, last: bool) -> Array:
        """An array in a type, its axes in the order in which they lie in memory."""
        return (np.moveaxis(a, 1, -1) if last else a).astype(dtype, copy=False)

    def _run(
        self,
        make: Callable[[PoolingCase], str],
        x: Array,
        layout: Layout,
        arrays: Sequence[Array],
        dtype: np.dtype[Any],
        *numbers: int,
        result: npt.DTypeLike | None = None,
    ) -> Array:
        """Run a text whose result is as large as the output of an input, on arrays of a type, counts, and numbers."""
        last, kind = self._last(x), dtype if result is None else result
        out = Order(last).empty((*x.shape[: -len(layout.outputs)], *layout.outputs), kind)
        if out.size:
            pieces = self._pieces(x, layout, prod(walk.taps for walk in self.form.walks), layout.outputs[0])
            innermost = x.shape[1] if last else layout.outputs[-1]
            text = self._text(make, self._setting(layout, dtype, last, innermost, pieces.loop))
            inputs: list[Array | int] = [*arrays, *self._counts(layout, dtype), *numbers, *pieces.numbers]
            run(text, inputs, self._stored(out, kind, last))
        return out

    # ------------------------------------------------------------------ tasks

    def forward(self, x: Array, layout: Layout, given: Given, dtype: npt.DTypeLike) -> Array:
        kind = np.dtype(dtype)
        return self._run(self.texts.forward, x, layout, [self._stored(x, kind, self._last(x))], kind)

    def _winners(self, x: Array, layout: Layout, dtype: np.dtype[Any]) -> Array:
        """The places of the first maxima in their planes, in 32 bits."""
        arrays = [self._stored(x, dtype, self._last(x))]
        return self._run(self.texts.winners, x, layout, arrays, dtype, result=np.int32)

    def indices(self, x: Array, layout: Layout, dtype: npt.DTypeLike) -> Array:
        return self._winners(x, layout, np.dtype(dtype)).astype(np.int64)

    def _needed(self, x: Array, layout: Layout, dtype: np.dtype[Any], known: Known) -> list[Array]:
        """The arrays that the derivative speaks of."""
        last, found = self._last(x), []
        for name in self.texts.needed:
            if name == "x":
                found.append(self._stored(x, dtype, last))
            elif name == "winner":
                if known.indices is None:
                    places = self._winners(x, layout, dtype)
                else:
                    places_in(known.indices, layout.sizes)
                    places = known.indices
                found.append(self._stored(places, np.int32, last))
            elif name == "y":
                y = self.forward(x, layout, {}, dtype) if known.output is None else known.output
                found.append(self._stored(y, dtype, last))
            else:
                shares = self._run(self.texts.shares, x, layout, found[:2], dtype)
                found.append(self._stored(shares, dtype, last))
        return found

    def input_gradient(self, g: Array, x: Array, layout: Layout, given: Given, known: Known = NOTHING) -> Array:
        dtype, last = g.dtype, self._last(x)
        gradient = Order(last).empty(x.shape, dtype)
        if not g.size or not gradient.size:
            gradient.fill(0)
            return gradient
        arrays: list[Array | int] = [self._stored(g, dtype, last), *self._needed(x, layout, dtype, known)]
        arrays += self._counts(layout, dtype)
        into = self._stored(gradient, dtype, last)
        apart = tuple(walk.stride for walk in self.form.walks)
        parts = [
            (where, tuple(line._replace(size=0, outputs=0) for line in lines))
            for where, _, lines in phases(lines_of(layout))
        ]
        together = len(parts) == prod(apart) <= PHASES
        for group in [parts] if together else [[part] for part in parts]:
            cut: tuple[Any, ...] = (slice(None), *group[0][0]) if len(group) == 1 else (slice(None),)
            part = into[cut] if len(group) > 1 or prod(apart) == 1 else np.empty(into[cut].shape, dtype)
            along = part.shape[-1] // (apart[-1] if len(group) > 1 and not last else 1)
            count = max(prod(line.taps for line in lines) for _, lines in group)
            rows = part.shape[1] if len(group) == 1 else -(-layout.sizes[0] // apart[0])
            pieces = self._pieces(x, layout, count, rows)
            setting = self._setting(layout, dtype, last, along, pieces.loop)
            listed = tuple((tuple(place.start for place in where), lines) for where, lines in group)
            even = all(size % stride == 0 for size, stride in zip(layout.sizes, apart, strict=True))
            inputs = [*arrays, *layout.sizes, *pieces.numbers]
            run(self._text(self.texts.pull, setting, apart, listed, even), inputs, part)
            if prod(apart) > 1 and len(group) == 1:
                into[cut] = part
        return gradient

    def push(self, x: Array, tangent: Array, layout: Layout, given: Given, dtype: npt.DTypeLike) -> Array:
        if not self.texts.nonlinear:
            return self.forward(tangent, layout, given, dtype)
        kind, last = np.dtype(dtype), self._last(x)
        arrays = [self._stored(tangent, kind, last), *self._needed(x, layout, kind, NOTHING)]
        return self._run(self.texts.push, x, layout, arrays, kind, *layout.sizes)

    # ------------------------------------------------------------------ what is shown

    def _nominal(self) -> PoolingCase:
        dtype = np.dtype(np.float32)
        computed = self.texts.computed(dtype)
        cut = "n" if self.threads > 1 else ""
        return PoolingCase(dtype, computed, False, (0,) * len(self.form.walks), False, lanes(computed), cut)

    @property
    def source(self) -> str:
        return self.texts.forward(self._nominal())

    @property
    def gradient_source(self) -> str:
        setting, texts = self._nominal(), self.texts
        found = [texts.winners(setting)] if "winner" in texts.needed else []
        found += [texts.shares(setting)] if "shares" in texts.needed else []
        apart = tuple(walk.stride for walk in self.form.walks)
        lines = tuple(Line(1 << 10, 1 << 10, w.taps, w.stride, abs(w.step), 0) for w in self.form.walks)
        parts = tuple((tuple(place.start for place in where), reads) for where, _, reads in phases(lines))
        return "\n\n".join([*found, texts.pull(setting, apart, parts if len(parts) <= PHASES else parts[:1], True)])

    @property
    def stages(self) -> tuple[str, ...]:
        return tuple(
            f"recipe: fold of {prod(stage.tile)} taps in registers, {lanes(self._nominal().computed)} lanes at once"
            for stage in self.texts.chain.forward
        )


class PoolingPlan(FoldPlan):
    """The same stages as Halide pipelines."""

    def refusal(self, form: TapForm, weight: Array | None) -> str | None:
        if any(WALK in (walk.position - Index.of(WALK)).names for walk in form.walks):
            return "needs padding that is zero or left out; run it with backend='numpy'"
        taps = [walk.taps for walk in form.walks if walk.taps > 1]
        if max(taps, default=1) > LONGEST and (self.name == "separable" or len(taps) == 1):
            return f"needs at most {LONGEST} taps an axis; run it with backend='numpy'"
        return None

    def cost(self, form: TapForm, call: CallShape, task: Task) -> Estimate | None:
        if task == "weight":
            return None
        taps = [walk.taps for walk in form.walks]
        count = prod(taps) if self.name == "taps" or task == "input" else sum(taps)
        entries = call.batch * call.positions
        inputs, size = call.batch * prod(call.sizes), call.dtype.itemsize
        seconds = seconds_of(entries, count, inputs, size)
        seconds = 4e-6 + seconds / threads_of(call.threads, seconds)
        return Estimate(seconds, entries * count, (entries + inputs) * size, 0)

    def engine(self, form: TapForm, weight: Array | None) -> Engine:
        return PoolingEngine(form, "taps" if self.name == "taps" else "separable")
