"""The text of a pipeline, put together line by line: an algorithm, its schedule, and the function of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from symconv.kernels.backends.halide.expression import PRELUDE
from symconv.kernels.backends.halide.wheel import type_name

__all__ = ["LoopPieces", "PipelineText", "affine", "floor_power", "pieces_of", "threads_of", "words_for"]

LEAST = 2e-4
"""Seconds of work below which a thread is not worth being woken."""


def affine(*terms: tuple[int, str]) -> str:
    """The text of a sum of integers times names; the name of a number is empty.

    >>> affine((2, "o"), (-1, "m"), (-3, ""))
    '2 * o - m - 3'
    """
    text = ""
    for value, name in terms:
        if value:
            size = " * ".join([str(abs(value)), name] if name and abs(value) > 1 else [name or str(abs(value))])
            text += f" {'-' if value < 0 else '+'} {size}" if text else f"{'-' if value < 0 else ''}{size}"
    return text or "0"


def floor_power(n: int) -> int:
    """The largest power of two up to n.

    >>> floor_power(1), floor_power(13)
    (1, 8)
    """
    return 1 << (n.bit_length() - 1)


class LoopPieces(NamedTuple):
    """How a call is handed out to threads: a loop in pieces of so many steps; no loop where one thread does it all."""

    loop: str = ""
    steps: int = 1

    @property
    def numbers(self) -> tuple[int, ...]:
        """What a text that was cut is given beside its arrays."""
        return (self.steps,) if self.loop else ()


def threads_of(threads: int, seconds: float) -> int:
    """How many of some threads are worth being woken for so many seconds of work, this one included."""
    return max(1, min(threads, int(seconds / LEAST)))


def words_for(threads: int) -> str:
    """What runs, in words.

    >>> words_for(1), words_for(2)
    ('Halide, one thread', 'Halide, up to 2 threads')
    """
    return f"Halide, {'one thread' if threads == 1 else f'up to {threads} threads'}"


def pieces_of(threads: int, seconds: float, loops: Mapping[str, int]) -> LoopPieces:
    """The pieces of a call: one a thread, so that no more work than were asked for, and none larger than need be.

    Args:
        threads: how many threads may be used.
        seconds: what the call is estimated to take one thread.
        loops: the loops that can be cut and their steps, the outermost first, which of equals is taken.

    >>> pieces_of(2, 1e-3, {"n": 3, "o0": 64})
    LoopPieces(loop='o0', steps=32)
    >>> pieces_of(2, 1e-5, {"o0": 64}).loop
    ''
    """
    several = threads_of(threads, seconds)
    if several > 1:
        loops = {loop: steps for loop, steps in loops.items() if steps > 1}
        if loops:
            loop = min(loops, key=lambda loop: -(-loops[loop] // several) / loops[loop])
            return LoopPieces(loop, -(-loops[loop] // several))
    return LoopPieces()


class PipelineText:
    """A text in the making.

    Args:
        title: what is computed, for the head of the text.
        dtype: the type T that is computed in.
        strict: whether sums keep their order and NaN is a number like any other to the compiler.
    """

    def __init__(self, title: str, dtype: np.dtype[Any], strict: bool) -> None:
        self._lines = [f"# {title}", "import halide as hl", "", f"T = {type_name(dtype)}"]
        self._target = "hl.get_host_target()"
        if strict:
            self._target += ".with_feature(hl.TargetFeature.StrictFloat)"
        self._arguments: list[str] = []

    def __call__(self, *lines: str) -> None:
        """Add lines."""
        self._lines += lines

    def prelude(self) -> None:
        """Add the functions that expressions are written with."""
        self._lines[1] = "import functools\nimport operator\n\nimport halide as hl"
        self("", "", *PRELUDE.splitlines(), "", "")

    def variables(self, *names: str) -> None:
        """Add free variables."""
        self(f"{', '.join(names)} = ({' '.join(f'hl.Var({name!r}),' for name in names)})")

    def image(self, name: str, ndim: int, dtype: np.dtype[Any] | None = None) -> None:
        """Add an input array, its last axis first, as Halide counts them."""
        self._arguments.append(name)
        self(f'{name} = hl.ImageParam({"T" if dtype is None else type_name(dtype)}, {ndim}, "{name}")')

    def number(self, name: str) -> None:
        """Add an integer that a call gives."""
        self._arguments.append(name)
        self(f'{name} = hl.Param(hl.Int(32), "{name}")')

    def cut(self, loop: str) -> None:
        """Cut a loop of the output into the pieces that threads take, where there is one: see `LoopPieces`."""
        if loop:
            self.number("piece")
            split = f"output.split({loop}, t, {loop}, piece, hl.TailStrategy.GuardWithIf)"
            self('t = hl.Var("t")', f"{split}.parallel(t)")

    def exterior(self, name: str, source: str, outside: str, bounded: Sequence[bool]) -> None:
        """Add what an array shows beyond its ends along some dimensions."""
        ends = ", ".join(
            f"(0, {source}.dim({dim}).extent())" if bound else "(hl.Expr(), hl.Expr())"
            for dim, bound in enumerate(bounded)
        )
        self(f"{name} = hl.BoundaryConditions.constant_exterior({source}, {outside}, [{ends}])")

    def text(self, output: str = "output") -> str:
        """The whole text."""
        made = f"function = hl.Pipeline({output}).compile_to_callable([{', '.join(self._arguments)}], {self._target})"
        return "\n".join([*self._lines, made, ""])
