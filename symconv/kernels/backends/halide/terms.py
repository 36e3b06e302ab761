"""Operators that a sum, or the best, of terms states: each of them a function of an entry and the weight of its tap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import Any, ClassVar

import numpy as np

from symconv.formulas.algebra import Access, Node
from symconv.kernels.adapters.morphology import MorphologyKernel
from symconv.kernels.adapters.planes import DirectKernel, lines_of_windows
from symconv.kernels.adapters.stated import StatedKernel, term_node
from symconv.kernels.backends.halide.expression import Expression
from symconv.kernels.backends.halide.script import PipelineText, affine, floor_power, pieces_of, words_for
from symconv.kernels.backends.halide.wheel import lanes, run
from symconv.kernels.runtime.backend import Backend, Request
from symconv.kernels.runtime.geometry import Line, phases
from symconv.kernels.runtime.padding import Array

__all__ = ["HalideMorphologyKernel", "HalideStatedKernel"]

SLOWNESS = 2e-11
"""Seconds a byte of the result and a tap."""

WRITTEN = 32
"""Taps up to which a sum is unrolled."""


def _started(title: str, dtype: np.dtype[Any], ndim: int, arrays: str, weights: str) -> tuple[PipelineText, str]:
    """The head of a text on planes, and its free variables; sums keep their order."""
    script = PipelineText(title, dtype, strict=True)
    script.prelude()
    names = [*(f"o{axis}" for axis in reversed(range(ndim))), "n"]
    script.variables(*names, "i")
    for name in arrays:
        script.image(name, ndim + 1)
    for name in weights:
        script.image(name, ndim)
    return script, ", ".join(names)


def _domain(script: PipelineText, taps: Sequence[int]) -> list[str]:
    """A domain over taps in row-major order, the last axis fastest, and its indices by axis."""
    script(f'r = hl.RDom([{", ".join(f"(0, {count})" for count in taps[::-1])}], "r")')
    return [f"r[{len(taps) - 1 - axis}]" for axis in range(len(taps))]


def _ended(script: PipelineText, here: str, taps: Sequence[int], width: int, cut: str) -> str:
    """The schedule: the sums, or the best, of a vector of outputs in registers."""
    inner = here.split(", ")[0]
    unrolled = "".join(f".unroll(r[{dim}])" for dim in range(len(taps))) if prod(taps) <= WRITTEN else ""
    script(f"output.split({inner}, {inner}, i, {width}, hl.TailStrategy.ShiftInwards).vectorize(i)")
    script.cut(cut)
    script(
        f"total.compute_at(output, {inner}).vectorize({inner}, {width})",
        f"total.update().vectorize({inner}, {width}){unrolled}",
    )
    return script.text()


def _width(y: Array) -> int:
    return floor_power(min(lanes(y.dtype), y.shape[-1]))


class InThreads(DirectKernel):
    """A kernel whose pipelines may be handed out to threads.

    Attributes:
        threads: how many.
        left: what is left to NumPy.
    """

    threads: int = 1
    left: ClassVar[str]

    @classmethod
    def made(cls, request: Request, backend: Backend) -> DirectKernel:
        kernel = super().made(request, backend)
        assert isinstance(kernel, InThreads)
        kernel.threads = request.threads
        kernel.words = f"{words_for(request.threads)}; {cls.left} NumPy"
        return kernel

    def _ran(
        self, make: Callable[[str], str], taps: Sequence[int], inputs: Sequence[Array], y: Array, *more: Array
    ) -> None:
        """Run the text of a result, all or in pieces: it gets the loop that is cut."""
        if not y.size:
            return
        steps = y.shape[1] if y.ndim > 2 else -(-y.shape[1] // _width(y))
        seconds = y.nbytes * prod(taps) * SLOWNESS
        pieces = pieces_of(self.threads, seconds, {"n": len(y), "o0": steps})
        run(make(pieces.loop), (*inputs, *pieces.numbers), y, *more)


class HalideStatedKernel(InThreads, StatedKernel):
    """A sum of terms as Halide pipelines; the gradient of the weight, one number a tap, is left to NumPy."""

    left = "the gradient of the weight"
    stages = ("recipe: the terms of a window in registers, tap by tap",)

    def _lines(self, padded: Array, outputs: tuple[int, ...]) -> tuple[Line, ...]:
        sizes = zip(self._form.walks, padded.shape[1:], outputs, strict=True)
        return tuple(Line(size, count, w.taps, w.stride, abs(w.step), 0) for w, size, count in sizes)

    def _ascending(self, w: Array) -> Array:
        """A weight with its taps in the order of the positions that they read."""
        return np.flip(w, tuple(axis for axis, walk in enumerate(self._form.walks) if walk.step < 0))

    def _printed(self, part: int, entry: str, weight: str) -> str:
        """The term (0), or its derivative by the entry (1) or the weight (2)."""
        a, b = Access("a", ()), Access("b", ())
        node: Node = term_node(self._terms[part], a, b)
        return Expression(lambda n: entry if n is a or n == a else weight, lambda _: "").visit(node)

    def _text(
        self, title: str, lines: Sequence[Line], width: int, dtype: np.dtype[Any], tangent: bool, cut: str = ""
    ) -> str:
        script, here = _started(title, dtype, len(lines), "xd" if tangent else "x", "wm" if tangent else "w")
        taps = [line.taps for line in lines]
        at = _domain(script, taps)
        places = [affine((line.stride, f"o{axis}"), (line.step, at[axis])) for axis, line in enumerate(lines)]
        where, tap = ", ".join([*places[::-1], "n"]), ", ".join(at[::-1])
        entry, weight = f"hl.cast(T, x[{where}])", f"hl.cast(T, w[{tap}])"
        term = self._printed(0, entry, weight)
        if tangent:
            term = f"{self._printed(1, entry, weight)} * d[{where}] + {self._printed(2, entry, weight)} * m[{tap}]"
        script(
            'total, output = hl.Func("total"), hl.Func("output")',
            f"total[{here}] = hl.cast(T, 0)",
            f"total[{here}] += {term}",
            f"output[{here}] = total[{here}]",
        )
        return _ended(script, here, taps, width, cut)

    def _summed(self, padded: Array, w: Array, outputs: tuple[int, ...]) -> Array:
        y = np.empty((len(padded), *outputs), padded.dtype)
        lines = self._lines(padded, outputs)

        def make(cut: str) -> str:
            return self._text("a sum of terms", lines, _width(y), y.dtype, False, cut)

        self._ran(make, self._taps, (padded, self._ascending(w)), y)
        return y

    def _pushed(self, d: Array, moved: Array, padded: Array, w: Array, outputs: tuple[int, ...]) -> Array:
        y = np.empty((len(padded), *outputs), padded.dtype)
        lines, turned = self._lines(padded, outputs), self._ascending(moved.astype(y.dtype, copy=False))

        def make(cut: str) -> str:
            return self._text("its tangent", lines, _width(y), y.dtype, True, cut)

        self._ran(make, self._taps, (padded, d, self._ascending(w), turned), y)
        return y

    def _pulled(self, g: Array, padded: Array, w: Array, outputs: tuple[int, ...]) -> tuple[Array, Array]:
        to_weight = np.zeros(w.shape, np.float64)
        if self.weighted:
            for tap, view in self._views(padded, outputs):
                to_weight[tap] += np.sum(g * self._by_weight(view, w[tap]), dtype=np.float64)
        to_input = np.zeros_like(padded)
        if not g.size:
            return to_input, to_weight
        turned, every = np.flip(self._ascending(w)), (slice(None),)
        for where, taps, lines in phases(self._lines(padded, outputs)):
            part = np.empty(to_input[every + where].shape, g.dtype)
            if part.size and all(line.taps for line in lines):
                make = partial(self._gathered, lines, _width(part), g.dtype)
                self._ran(make, [line.taps for line in lines], (g, padded[every + where], turned[taps]), part)
                to_input[every + where] = part
        return to_input, to_weight

    def _gathered(self, lines: Sequence[Line], width: int, dtype: np.dtype[Any], cut: str = "") -> str:
        """The gradient of the entries of a phase: every one asks the outputs that read it."""
        script, here = _started("the gradient of the input", dtype, len(lines), "gx", "w")
        taps = [line.taps for line in lines]
        at = _domain(script, taps)
        script("g_at = hl.BoundaryConditions.repeat_edge(g)")
        outs = [affine((1, f"o{axis}"), (line.step, at[axis]), (-line.before, "")) for axis, line in enumerate(lines)]
        extents = [f"g.dim({len(lines) - 1 - axis}).extent()" for axis in range(len(lines))]
        there = " & ".join(f"({out} >= 0) & ({out} < {extent})" for out, extent in zip(outs, extents, strict=True))
        term = self._printed(1, f"hl.cast(T, x[{here}])", f"hl.cast(T, w[{', '.join(at[::-1])}])")
        script(
            'total, output = hl.Func("total"), hl.Func("output")',
            f"total[{here}] = hl.cast(T, 0)",
            f"total[{here}] += hl.select({there}, g_at[{', '.join([*outs[::-1], 'n'])}] * {term}, hl.cast(T, 0))",
            f"output[{here}] = total[{here}]",
        )
        return _ended(script, here, taps, width, cut)

    def _nominal(self) -> tuple[tuple[Line, ...], int, np.dtype[Any]]:
        dtype = np.dtype(np.float32)
        return tuple(Line(0, 0, w.taps, w.stride, abs(w.step), 0) for w in self._form.walks), lanes(dtype), dtype

    @property
    def source(self) -> str:
        return self._text("a sum of terms", *self._nominal(), tangent=False)

    @property
    def gradient_source(self) -> str:
        lines, width, dtype = self._nominal()
        return self._gathered(tuple(line._replace(stride=1) for line in lines), width, dtype)


class HalideMorphologyKernel(InThreads, MorphologyKernel):
    """The best sum of an entry and the weight of its tap as a Halide pipeline; what is handed back is left to NumPy."""

    left = "what is handed back"
    stages = ("recipe: the best of a window, and the number of its tap, in registers",)

    def _searched(self, lines: tuple[Line, ...], width: int, dtype: np.dtype[Any], cut: str = "") -> str:
        script, here = _started("the best of a window", dtype, len(lines), "x", "w")
        taps = [line.taps for line in lines]
        at = _domain(script, taps)
        script("x_at = hl.BoundaryConditions.repeat_edge(x)")
        reads, number = [], "0"
        lowest = "hl.cast(T, 0)" if dtype.kind in "iu" else "number(float('-inf'))"
        for axis, line in enumerate(lines):
            step, start = (-line.step, line.step * (line.taps - 1)) if self.op.flip else (line.step, 0)
            reads.append(affine((line.stride, f"o{axis}"), (step, at[axis]), (start - line.before, "")))
            number = f"({number}) * {line.taps} + {at[axis]}"
        sizes = [f"x.dim({len(lines) - 1 - axis}).extent()" for axis in range(len(lines))]
        script(
            'total, output = hl.Func("total"), hl.Func("output")',
            f"value = x_at[{', '.join([*reads[::-1], 'n'])}] + w[{', '.join(at[::-1])}]",
            "real = " + " & ".join(f"({at} >= 0) & ({at} < {size})" for at, size in zip(reads, sizes, strict=True)),
            f"total[{here}] = ({lowest}, hl.i32(-1))",
            f"top, index = hl.cast(T, total[{here}][0]), hl.cast(hl.Int(32), total[{here}][1])",
            "better = real & (top == top) & ((value > top) | (index < 0) | (value != value))",
            f"total[{here}] = (hl.select(better, value, top), hl.select(better, {number}, index))",
            f"output[{here}] = (hl.cast(T, total[{here}][0]), hl.cast(hl.Int(32), total[{here}][1]))",
        )
        return _ended(script, here, taps, width, cut)

    def _tops(self, x: Array, weight: Array, y: Array, sizes: tuple[int, ...]) -> Array:
        numbers = np.full(y.shape, -1, np.int32)
        lines = tuple(line._replace(size=0, outputs=0) for line in lines_of_windows(self.op.windows, sizes))
        make = partial(self._searched, lines, _width(y), y.dtype)
        self._ran(make, weight.shape, (x, weight), y, numbers)
        return numbers

    @property
    def source(self) -> str:
        dtype = np.dtype(np.float32)
        lines = tuple(Line(0, 0, w.kernel, w.stride, w.dilation, 0) for w in self.op.windows)
        return self._searched(lines, lanes(dtype), dtype)
