"""The texts of a pooling: its output, where its maxima are, and its two derivatives.

The algorithms are printed from the stages of the tap form (`symconv.kernels.programs.stage`) and from their derivative
(`symconv.kernels.programs.derivative.partial`), which are those of the programs for NumPy; the schedules fold a window
in registers, vector by vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, Literal

import numpy as np

from symconv.formulas.algebra import Absolute, Access, Constant, Node, Power, Reduce, const, product
from symconv.formulas.walks import transform, walk
from symconv.kernels.backends.halide.expression import Expression
from symconv.kernels.backends.halide.script import PipelineText, affine
from symconv.kernels.backends.halide.wheel import type_name
from symconv.kernels.form.tapform import TapForm
from symconv.kernels.programs.derivative import TapDerivative, partial, root_of
from symconv.kernels.programs.stage import ChainStage, chain_of

__all__ = ["PoolingCase", "PoolingTexts"]

WRITTEN = 32
"""Taps up to which a fold is written out, and a sum unrolled."""

WIDE = np.dtype(np.float64)

EVERYWHERE = "(hl.i32(0) == 0)"


@dataclass(frozen=True)
class PoolingCase:
    """What a text depends on beside its formula.

    Attributes:
        stored, computed: the type of the arrays, and the type that is computed in.
        last: whether channels are next to each other in memory: arrays are then ``(N, *spatial, C)``, else planes.
        starts: the entry that tap 0 of output 0 reads on every axis.
        padded: whether a window leaves the input.
        width: the lanes of a vector.
        cut: the loop whose pieces threads take: "n", or "0" for the first spatial axis of several; see `LoopPieces`.
    """

    stored: np.dtype[Any]
    computed: np.dtype[Any]
    last: bool
    starts: tuple[int, ...]
    padded: bool
    width: int
    cut: str = ""

    def loop(self, letter: str = "o") -> str:
        """The loop whose pieces threads take, by the letter of its axes."""
        return f"{letter}0" if self.cut == "0" else self.cut

    def around(self, places: Sequence[str]) -> list[str]:
        """Places on the spatial axes as those of a whole array, last axis first, as Halide counts."""
        return [*(["c"] if self.last else []), *places[::-1], "n"]

    def names(self, letter: str = "o") -> list[str]:
        """The free variables."""
        return self.around([f"{letter}{axis}" for axis in range(len(self.starts))])

    def dim(self, axis: int) -> int:
        """The dimension of a spatial axis."""
        return len(self.starts) - 1 - axis + self.last


class PoolingTexts:
    """What is printed of a tap form.

    Args:
        form: the tap form.
        plan: how it is cut into stages.
    """

    def __init__(self, form: TapForm, plan: Literal["separable", "taps"]) -> None:
        self.form, self.walks = form, form.walks
        self.chain = chain_of(form, plan)
        self.whole = self.chain.whole
        reduce = self.whole.reduction
        assert reduce is not None
        self.reduce, self.root = reduce, root_of(self.whole)
        self.maximum = reduce.op == "max" and self.root is None
        self.nonlinear = self.maximum or any(isinstance(n, Absolute) for n in walk(self.whole.body))
        self.absent = self.maximum and isinstance(reduce.body, Access)  # what lies in the padding takes no part

    @cached_property
    def derivative(self) -> TapDerivative:
        """The derivative of an output by an entry of its window."""
        return partial(self.whole, self.whole.source)

    def computed(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """The type that is computed in: float64 for powers and roots."""
        return dtype if self.root is None else WIDE

    def _balanced(self, dtype: np.dtype[Any]) -> bool:
        """Whether powers of numbers of a type, which a root is taken of in the end, may leave the range of float64."""
        if self.root is None:
            return False
        assert isinstance(self.root.exponent, Constant)
        limits, p = np.finfo(dtype), 1 / float(self.root.exponent.value)
        return p * max(limits.maxexp, limits.nmant - limits.minexp) >= 1000

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """The arrays that the derivative speaks of, beside the upstream gradient or the tangent."""
        derivative = self.derivative
        share = None if derivative.share is None else derivative.share.policy
        factors = (*derivative.each, *derivative.common)
        found = ["x"] if derivative.each or share == "split" else []
        if share == "split" or any(n == self.whole.body for factor in factors for n in walk(factor)):
            found.append("y")
        return (*found, *(["winner"] if share == "first" else []), *(["shares"] if share == "split" else []))

    # ------------------------------------------------------------------ parts of texts

    def _script(self, title: str, setting: PoolingCase, arrays: Sequence[str], letter: str = "o") -> PipelineText:
        """The head of a text: its types, its variables and its arrays."""
        script = PipelineText(title, setting.computed, strict=True)
        script(f"S = {type_name(setting.stored)}")
        script.prelude()
        script("lowest = " + ("number(float('-inf'))" if setting.computed.kind == "f" else "T.min()"))
        script.variables(*setting.names(letter), "i")
        for name in arrays:
            dtype = np.dtype(np.int32) if name == "winner" else setting.stored
            script.image(name, len(setting.starts) + 1 + setting.last, dtype)
        for axis, _ in self.form.counts:
            script.image(f"count{axis}", 1, setting.computed)
        return script

    def _outside(self, script: PipelineText, name: str, setting: PoolingCase, source: str, fill: str) -> str:
        """What the input, or an array like it, shows outside of its ends; itself where no window leaves it."""
        if not setting.padded:
            return source
        spatial = [True] * len(setting.starts)
        script.exterior(name, source, f"hl.cast(S, {fill})", [*([False] if setting.last else []), *spatial, False])
        return name

    @property
    def _fill(self) -> str:
        """What a position shows that no input is behind: nothing is below -infinity, and no |x| below 0."""
        return "lowest" if self.absent else "number(0.0)"

    def _place(self, setting: PoolingCase, axis: int, tap: str) -> str:
        """The entry that a tap of an output reads along an axis."""
        walked = self.walks[axis]
        return affine((walked.stride, f"o{axis}"), (walked.step, tap), (setting.starts[axis], ""))

    def _window(self, script: PipelineText, setting: PoolingCase) -> list[str]:
        """A domain over the taps, and the places that they read; in row-major order, the last axis fastest."""
        script(f'r = hl.RDom([{", ".join(f"(0, {w.taps})" for w in self.walks[::-1])}], "r")')
        last = len(self.walks) - 1
        return [self._place(setting, axis, f"r[{last - axis}]") for axis in range(len(self.walks))]

    def _entry(self, setting: PoolingCase, places: Sequence[str], source: str) -> str:
        """What is reduced, of one entry of the input."""
        at = ", ".join(setting.around(places))
        return Expression(lambda _: f"hl.cast(T, {source}[{at}])", lambda _: "").visit(self.reduce.body)

    def _real(self, setting: PoolingCase, places: Sequence[str], sizes: Sequence[str]) -> str:
        """Whether a tap takes part: it lies in the input, where the formula leaves out what does not."""
        if not (setting.padded and self.absent):
            return EVERYWHERE
        return " & ".join(f"({at} >= 0) & ({at} < {size})" for at, size in zip(places, sizes, strict=True))

    @staticmethod
    def _flat(places: Sequence[str], sizes: Sequence[str]) -> str:
        """The place in a plane."""
        text = places[0]
        for at, size in zip(places[1:], sizes[1:], strict=True):
            text = f"({text}) * {size} + {at}"
        return text

    @staticmethod
    def _row(setting: PoolingCase, letter: str = "o") -> str:
        """The loop over rows."""
        return f"{letter}{len(setting.starts) - 2}" if len(setting.starts) > 1 else "n"

    @staticmethod
    def _extents(setting: PoolingCase, source: str) -> list[str]:
        return [f"{source}.dim({setting.dim(axis)}).extent()" for axis in range(len(setting.starts))]

    @staticmethod
    def _staged(script: PipelineText, setting: PoolingCase, name: str, row: str) -> None:
        """An array with what it shows outside: row by row where there are some, each once for all that read it."""
        kept = "t" if setting.cut == "0" else "n"
        held = (
            f"store_at(output, {kept}).compute_at(output, {row})"
            if len(setting.starts) > 1
            else "compute_at(output, n)"
        )
        script(f"{name}.{held}.vectorize({name}.args()[0], {setting.width}, hl.TailStrategy.ShiftInwards)")

    def _in_registers(self, script: PipelineText, setting: PoolingCase, total: str, terms: int, func: str) -> None:
        """The schedule of a sum, or of a search, in registers beside the entries that it is for."""
        inner, width = setting.names()[0], setting.width
        unrolled = "".join(f".unroll(r[{dim}])" for dim in range(len(setting.starts))) if terms <= WRITTEN else ""
        script(f"{func}.split({inner}, {inner}, i, {width}, hl.TailStrategy.ShiftInwards).vectorize(i)")
        if func == "output":
            script.cut(setting.loop())
        if total:
            script(
                f"{total}.compute_at({func}, {inner}).vectorize({inner}, {width})",
                f"{total}.update().vectorize({inner}, {width}){unrolled}",
            )

    # ------------------------------------------------------------------ the output

    def forward(self, setting: PoolingCase) -> str:
        """The output, one stage after the other; the last one is the output."""
        script = self._script("the output", setting, ["x"])
        here = ", ".join(setting.names())
        first = self._outside(script, "entry", setting, "x", self._fill)
        balanced = self._balanced(setting.stored)
        stages = (self.whole,) if balanced else self.chain.forward
        source, made = first, []
        for number, stage in enumerate(stages):
            name = "output" if stage is stages[-1] else f"stage{number}"
            value, totals = self._stage(script, stage, setting, source, f"sum{number}", balanced)
            script(
                f'{name} = hl.Func("{name}")',
                f"{name}[{here}] = " + (value if name != "output" else f"hl.cast(S, {value})"),
            )
            made.append((name, totals))
            source = name
        row = self._row(setting)
        for name, totals in made:
            self._in_registers(script, setting, "", 0, name)
            inner = setting.names()[0]
            for total in totals:
                script(f"{total}.compute_at({name}, {inner}).vectorize({inner}, {setting.width})")
                script(f"{total}.update().vectorize({inner}, {setting.width})")
            if name != "output":
                script(f"{name}.compute_at(output, {row})")
        if setting.padded:
            self._staged(script, setting, first, row)
        return script.text()

    def _stage(
        self, script: PipelineText, stage: ChainStage, setting: PoolingCase, source: str, name: str, balanced: bool
    ) -> tuple[str, list[str]]:
        """The value of a stage, and the sums that it is made of where they are not written out."""
        totals: list[str] = []
        taps = {axis: stage.walks[axis].taps for axis in stage.axes}
        places = [f"o{axis}" for axis in range(len(setting.starts))]
        for axis in stage.axes:
            places[axis] = self._place(setting, axis, f"m{axis}")

        def read(node: Access) -> str:
            if node.tensor == "%unit":
                return f"{name}_unit"
            if node.tensor != stage.source:
                axis = int(node.tensor[1:])
                return f"count{axis}[o{axis}]"
            return f"hl.cast(T, {source}[{', '.join(setting.around(places))}])"

        def reduce(node: Reduce) -> str:
            text = expression.visit(node.body)
            function, start = ("operator.add", "hl.cast(T, 0)") if node.op == "sum" else ("larger", "lowest")
            sliding = [axis for axis, count in taps.items() if count > 1]
            if len(sliding) == 1 or prod(taps.values()) <= WRITTEN:
                # along one axis in halves: the programs for NumPy, by which roundings are counted, never make fewer
                fold = "halved" if len(sliding) == 1 else "functools.reduce"
                loops = " ".join(f"for m{axis} in range({count})" for axis, count in taps.items())
                return f"{fold}({function}, [{text} {loops}])"
            total, here = f"{name}_{len(totals)}", ", ".join(setting.names())
            totals.append(total)
            axes = stage.axes[::-1]
            script(
                f'r = hl.RDom([{", ".join(f"(0, {taps[axis]})" for axis in axes)}], "r")',
                *(f"m{axis} = r[{dim}]" for dim, axis in enumerate(axes)),
                f'{total} = hl.Func("{total}")',
                f"{total}[{here}] = {start}",
                f"{total}[{here}] = {function}(hl.cast(T, {total}[{here}]), {text})",
            )
            return f"hl.cast(T, {total}[{here}])"

        expression = Expression(read, reduce)
        body = self._in_units(script, expression, f"{name}_unit") if balanced else stage.body
        return expression.visit(body), totals

    def _in_units(self, script: PipelineText, expression: Expression, name: str) -> Node:
        """A norm with every power taken of ``x/M``, M the largest entry of the window: nothing leaves its range."""
        assert self.root is not None
        total = self.root.base
        assert isinstance(total, Reduce)
        assert isinstance(total.body, Power)
        inner, exponent = total.body.base, total.body.exponent
        script(f"{name} = unit({expression.visit(Reduce('max', total.bounds, (), inner))})")
        here = Access("%unit", ())
        scaled = Reduce("sum", total.bounds, (), Power(product(inner, Power(here, const(-1))), exponent))
        whole = product(here, Power(scaled, self.root.exponent))
        return transform(self.whole.body, lambda n: whole if n == self.root else None)

    # ------------------------------------------------------------------ where maxima are

    def winners(self, setting: PoolingCase) -> str:
        """The place in its plane of the first maximum of every window, the first NaN if there is one; -1 for none."""
        script = self._script("where the maxima are", setting, ["x"])
        here, sizes = ", ".join(setting.names()), self._extents(setting, "x")
        source = self._outside(script, "entry", setting, "x", self._fill)
        places = self._window(script, setting)
        script(
            f"value = {self._entry(setting, places, source)}",
            f"real = {self._real(setting, places, sizes)}",
            f"place = {self._flat(places, sizes)}",
            'best, output = hl.Func("best"), hl.Func("output")',
            f"best[{here}] = (lowest, hl.i32(-1))",
            f"top, index = hl.cast(T, best[{here}][0]), hl.cast(hl.Int(32), best[{here}][1])",
            "better = real & (top == top) & ((index < 0) | (value > top) | (value != value))",
            f"best[{here}] = (hl.select(better, value, top), hl.select(better, place, index))",
            f"output[{here}] = best[{here}][1]",
        )
        self._in_registers(script, setting, "best", prod(self.whole.tile), "output")
        if setting.padded:
            self._staged(script, setting, source, self._row(setting))
        return script.text()

    def shares(self, setting: PoolingCase) -> str:
        """How many taps of every window are as large as its maximum, at least 1."""
        script = self._script("how many maxima there are", setting, ["x", "y"])
        here = ", ".join(setting.names())
        source = self._outside(script, "entry", setting, "x", self._fill)
        places = self._window(script, setting)
        script(
            f"value, top = {self._entry(setting, places, source)}, hl.cast(T, y[{here}])",
            f"tied = {self._real(setting, places, self._extents(setting, 'x'))} & equal(value, top)",
            'total, output = hl.Func("total"), hl.Func("output")',
            f"total[{here}] = hl.cast(T, 0)",
            f"total[{here}] += hl.cast(T, tied)",
            f"output[{here}] = hl.cast(S, hl.max(total[{here}], hl.cast(T, 1)))",
        )
        self._in_registers(script, setting, "total", prod(self.whole.tile), "output")
        if setting.padded:
            self._staged(script, setting, source, self._row(setting))
        return script.text()

    # ------------------------------------------------------------------ derivatives

    def _term(
        self, setting: PoolingCase, entry: Sequence[str], output: Sequence[str], flow: str, factors: Sequence[Node]
    ) -> str:
        """A product of what flows and factors of the derivative of an output by an entry of its window, masked."""
        share, there = self.derivative.share, ", ".join(setting.around(output))

        def read(node: Access) -> str:
            if node.tensor == self.whole.source:
                return f"hl.cast(T, x_at[{', '.join(setting.around(entry))}])"
            if node.tensor in ("%flow", "%shares"):
                return flow if node.tensor == "%flow" else f"hl.cast(T, shares_at[{there}])"
            return f"count{node.tensor[1:]}[{output[int(node.tensor[1:])]}]"

        known: dict[Node, str] = {self.whole.body: f"nonzero(hl.cast(T, y_at[{there}]))"}
        value = Expression(read, lambda _: "", known).product((Access("%flow", ()), *factors))
        if share is None or not entry:
            return value
        if share.policy == "first":
            sizes = [f"size{axis}" for axis in range(len(self.walks))]
            mask = f"hl.cast(hl.Int(32), winner_at[{there}]) == {self._flat(entry, sizes)}"
        else:
            mask = f"equal({self._entry(setting, entry, 'x_at')}, hl.cast(T, y_at[{there}]))"
        return f"hl.select({mask}, {value}, hl.cast(T, 0))"

    @property
    def _common(self) -> tuple[Node, ...]:
        """What all entries of a window have in common: ties that are split have their number, too."""
        split = "shares" in self.needed
        return (*self.derivative.shared(), *([Power(Access("%shares", ()), const(-1))] if split else []))

    def _handed(self, script: PipelineText, setting: PoolingCase, mask: str, term: str, terms: int) -> str:
        """The sum over r of a term where a mask says so."""
        here = ", ".join(setting.names())
        script(
            'total, output = hl.Func("total"), hl.Func("output")',
            f"total[{here}] = hl.cast(T, 0)",
            f"total[{here}] += hl.select({mask}, {term}, hl.cast(T, 0))",
            f"output[{here}] = hl.cast(S, total[{here}])",
        )
        self._in_registers(script, setting, "total", terms, "output")
        return script.text()

    def push(self, setting: PoolingCase) -> str:
        """The tangent of the output: the sum over the taps of the derivative times the tangent of the entry."""
        script = self._script("the tangent of the output", setting, ["d", *self.needed])
        sizes = [f"size{axis}" for axis in range(len(self.walks))]
        for name in sizes:
            script.number(name)
        for name in ("d", *self.needed):
            if name in ("d", "x"):
                shown = self._outside(script, f"{name}_at", setting, name, self._fill if name == "x" else "number(0.0)")
                script(f"{name}_at = {shown}")
            else:
                script(f"{name}_at = {name}")
        places = self._window(script, setting)
        outs = [f"o{axis}" for axis in range(len(self.walks))]
        flow = f"hl.cast(T, d_at[{', '.join(setting.around(places))}])"
        term = self._term(setting, places, outs, flow, (*self._common, *self.derivative.each))
        return self._handed(script, setting, self._real(setting, places, sizes), term, prod(self.whole.tile))
