"""The text of the gradient of a pooling by its input: every entry asks the outputs that read it.

Entries that are a stride apart are read by the same taps, so that the gradient is one sum of stride 1 for each of these
phases; all of them are computed side by side, and stored interleaved.
"""

from __future__ import annotations

from math import prod
from typing import TypeAlias

from symconv.kernels.backends.halide.pooling_texts import WRITTEN, PoolingCase, PoolingTexts
from symconv.kernels.backends.halide.script import PipelineText, affine
from symconv.kernels.runtime.geometry import Line

__all__ = ["GatheringTexts", "Phase"]

Phase: TypeAlias = "tuple[tuple[int, ...], tuple[Line, ...]]"
"""The first entry of a phase on every axis, and how its entries read the upstream gradient; see `phases`."""


class GatheringTexts(PoolingTexts):
    """What is printed of a tap form, the gradient of the input included."""

    def pull(self, setting: PoolingCase, apart: tuple[int, ...], parts: tuple[Phase, ...], even: bool) -> str:
        """The gradient of the entries of some phases.

        Args:
            setting: the setting.
            apart: how far the entries of a phase are apart on every axis.
            parts: one phase, whose entries alone are the result, or all of them.
            even: whether every axis has a multiple of `apart` entries.
        """
        script = self._script("the gradient of the input", setting, ["g", *self.needed])
        axes = range(len(apart))
        script.variables("phase", *(f"{letter}{axis}" for axis in axes for letter in "ejp"))
        for axis in axes:
            script.number(f"size{axis}")
        if "x" in self.needed:  # the last entries of some phases may be there, and of others not
            script("x_at = x" if even or len(parts) == 1 else "x_at = hl.BoundaryConditions.repeat_edge(x)")
        staged = self._flow(script, setting)
        here, count = ", ".join(setting.names("j")), len(parts)
        values = [self._asked(script, setting, apart, part, f"total{number}") for number, part in enumerate(parts)]
        script('gathered, output = hl.Func("gathered"), hl.Func("output")')
        if count == 1:
            letter = "j"
            script(f"output[{here}] = hl.cast(S, {values[0]})")
        else:
            letter = "e"
            script(*(f"value{number} = {value}" for number, value in enumerate(values)))
            listed = ", ".join(f"value{number}" for number in range(count))
            script(f"gathered[{here}, phase] = hl.mux(phase, [{listed}])")
            at = ", ".join(setting.around([f"e{axis} / {apart[axis]}" for axis in axes]))
            which = self._flat([f"e{axis} % {apart[axis]}" for axis in axes], [str(n) for n in apart])
            script(f"output[{', '.join(setting.names('e'))}] = hl.cast(S, gathered[{at}, {which}])")
        inner = setting.names(letter)[0]
        order = ["i", inner] if setting.last else []
        for axis in axes[::-1]:
            if count > 1 and apart[axis] > 1:
                tail = "hl.TailStrategy.RoundUp" if even else "hl.TailStrategy.GuardWithIf"
                script(f"ends = output.output_buffer().dim({setting.dim(axis)})", "ends.set_min(0)")
                if even:
                    script(f"ends.set_extent(ends.extent() / {apart[axis]} * {apart[axis]})")
                script(f"output.split(e{axis}, e{axis}, p{axis}, {apart[axis]}, {tail}).unroll(p{axis})")
                order.append(f"p{axis}")
            order += ["i"] if f"{letter}{axis}" == inner else []
            order.append(f"{letter}{axis}")
        script(
            f"output.split({inner}, {inner}, i, {setting.width}, hl.TailStrategy.ShiftInwards).vectorize(i)",
            f"output.reorder({', '.join([*order, 'n'])})",
        )
        script.cut(setting.loop(letter))
        for number, (_, lines) in enumerate(parts):
            if prod(line.taps for line in lines) > WRITTEN:
                script(f"total{number}.compute_at(output, {inner}).vectorize({setting.names('j')[0]})")
                script(f"total{number}.update().vectorize({setting.names('j')[0]})")
        for name in staged:
            self._staged(script, setting, name, self._row(setting, letter))
        return script.text()

    def _flow(self, script: PipelineText, setting: PoolingCase) -> list[str]:
        """What flows from every output, and the other arrays of its size, with what they show outside of it."""
        names = setting.names()
        sizes = [f"(0, {size})" for size in setting.around(self._extents(setting, "g"))]
        for dim, name in enumerate(names):
            if name in ("c", "n"):
                sizes[dim] = "(hl.Expr(), hl.Expr())"
        ends, here = ", ".join(sizes), ", ".join(names)
        for name in ("y", "shares"):
            if name in self.needed:
                script(f"{name}_at = hl.BoundaryConditions.constant_exterior({name}, hl.cast(S, 1), [{ends}])")
        if "winner" in self.needed:
            script(f"winner_at = hl.BoundaryConditions.constant_exterior(winner, hl.i32(-2), [{ends}])")
        outs = [f"o{axis}" for axis in range(len(setting.starts))]
        flow = self._term(setting, (), outs, f"hl.cast(T, g[{here}])", self._common)
        script(
            'flow = hl.Func("flow")',
            f"flow[{here}] = {flow}",
            f"flow_at = hl.BoundaryConditions.constant_exterior(flow, hl.cast(T, 0), [{ends}])",
        )
        each = any(name in ("y", "shares") for name in self.needed)
        return ["flow_at", *(["winner_at"] if "winner" in self.needed else []), *(["y_at"] if each else [])]

    def _asked(self, script: PipelineText, setting: PoolingCase, apart: tuple[int, ...], part: Phase, name: str) -> str:
        """The sum of what the outputs that read an entry of a phase hand to it."""
        firsts, lines = part
        count, last = prod(line.taps for line in lines), len(lines) - 1
        if not count:
            return "hl.cast(T, 0)"
        written = count <= WRITTEN
        taps = [f"t{axis}" if written else f"r[{last - axis}]" for axis in range(len(lines))]
        outs = [affine((1, f"j{axis}"), (line.step, taps[axis]), (-line.before, "")) for axis, line in enumerate(lines)]
        entries = [affine((apart[axis], f"j{axis}"), (first, "")) for axis, first in enumerate(firsts)]
        flow = f"flow_at[{', '.join(setting.around(outs))}]"
        term = self._term(setting, entries, outs, f"hl.cast(T, {flow})", self.derivative.each)
        if self.derivative.share is None and self.derivative.each:  # what is infinite times the 0 of no output is NaN
            extents = self._extents(setting, "g")
            there = " & ".join(f"({out} >= 0) & ({out} < {extent})" for out, extent in zip(outs, extents, strict=True))
            term = f"hl.select({there}, {term}, hl.cast(T, 0))"
        if written:
            loops = " ".join(f"for {tap} in range({line.taps})" for tap, line in zip(taps, lines, strict=True))
            return f"functools.reduce(operator.add, [{term} {loops}])"
        here = ", ".join(setting.names("j"))
        script(
            f'r = hl.RDom([{", ".join(f"(0, {line.taps})" for line in lines[::-1])}], "r")',
            f'{name} = hl.Func("{name}")',
            f"{name}[{here}] = hl.cast(T, 0)",
            f"{name}[{here}] += {term}",
        )
        return f"{name}[{here}]"
