"""Programs: what a kernel does to whole arrays, as a short list of steps that an emitter turns into source.

A step gives a name to a view, or to the result of a NumPy function that writes into an array it was handed. Nothing is
allocated inside a program: `Scratch` says what it needs, and the runtime hands it arrays that fit in the cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

__all__ = [
    "INFINITY",
    "Apply",
    "AxisPart",
    "Bytes",
    "Copy",
    "FixedEntry",
    "Gather",
    "Like",
    "Operand",
    "Program",
    "Scatter",
    "Scratch",
    "SpreadView",
    "Step",
    "TapView",
    "TiledView",
    "Total",
    "program_of",
]

INFINITY = "inf"
"""The operand that stands for infinity."""

Operand: TypeAlias = "str | int | Fraction"
"""The name of an array, a number, or `INFINITY`."""


@dataclass(frozen=True)
class AxisPart:
    """``start : extent + start : step`` on one axis, with ``extent`` a parameter; or all of the axis.

    `shorter` is taken off the end, for a view that must not run over the end of the array.
    """

    start: int = 0
    extent: str | None = None
    step: int = 1
    shorter: int = 0


@dataclass(frozen=True)
class TapView:
    """``target = source[..., parts]``: the positions that one tap reads, one part a spatial axis."""

    target: str
    source: str
    parts: tuple[AxisPart, ...]


@dataclass(frozen=True)
class TiledView:
    """``target = source.reshape(...)``: a spatial axis as one of windows that tile it and one of their taps.

    `taps` has the number of taps of every spatial axis; where it is 1 the axis stays as it is.
    """

    target: str
    source: str
    taps: tuple[int, ...]


@dataclass(frozen=True)
class SpreadView:
    """``target = source[..., :, None, :, None]``: an entry a window, for all of its taps; `taps` as for `TiledView`."""

    target: str
    source: str
    taps: tuple[int, ...]


@dataclass(frozen=True)
class FixedEntry:
    """``target = source[:, ..., entries]``: fixed entries of the axes after the first `lead` ones."""

    target: str
    source: str
    entries: tuple[int, ...]
    lead: int = 0


@dataclass(frozen=True)
class Apply:
    """``target = numpy.function(*args, out=target, where=where)``."""

    target: str
    function: str
    args: tuple[Operand, ...]
    where: str | None = None


@dataclass(frozen=True)
class Copy:
    """``target[...] = source``, an array or a number."""

    target: str
    source: Operand


@dataclass(frozen=True)
class Total:
    """``target = numpy.sum(source, axis=axes, keepdims=True)``."""

    target: str
    source: str
    axes: tuple[int, ...]


@dataclass(frozen=True)
class Bytes:
    """``target = source.view(numpy.uint8)``: a mask as numbers, 1 where it is true."""

    target: str
    source: str


@dataclass(frozen=True)
class Gather:
    """``target = source[index]``: entries of a flat array, by their places."""

    target: str
    source: str
    index: str


@dataclass(frozen=True)
class Scatter:
    """``target[index] += source`` on a flat array; ``=`` where no place comes twice and nothing is there yet."""

    target: str
    index: str
    source: str
    fresh: bool


Step: TypeAlias = "TapView | TiledView | SpreadView | FixedEntry | Apply | Copy | Total | Bytes | Gather | Scatter"


Like: TypeAlias = Literal["output", "input", "windows"]


@dataclass(frozen=True)
class Scratch:
    """An array that a program needs: its name, what it holds, and whose shape it has; numbers are those of taps.

    Attributes:
        like: the shape of the output, of the input, or of the input as `TiledView`.
    """

    name: str
    holds: Literal["value", "mask", "number"]
    like: Like = "output"


@dataclass(frozen=True)
class Program:
    """A function of arrays.

    Attributes:
        name: what it computes, a Python name.
        parameters: arrays and extents, in order, scratch arrays included.
        scratch: which of the parameters are scratch.
        steps: the steps.
        results: the names of what is returned.
    """

    name: str
    parameters: tuple[str, ...]
    scratch: tuple[Scratch, ...]
    steps: tuple[Step, ...]
    results: tuple[str, ...]

    @property
    def operations(self) -> int:
        """The number of passes over an array of the size of the output or the input."""
        return sum(isinstance(step, Apply | Copy | Total | Gather | Scatter) for step in self.steps)


def program_of(name: str, steps: Sequence[Step], results: tuple[str, ...], scratch: Sequence[Scratch] = ()) -> Program:
    """The program of some steps; what they use and do not define is a parameter, scratch and extents last."""
    arrays: dict[str, None] = {}
    extents: dict[str, None] = {}
    defined: set[str] = set()
    for step in steps:
        reads: list[Operand]
        if isinstance(step, Apply):
            reads = [*step.args, step.target, *([step.where] if step.where else [])]
        elif isinstance(step, Copy):
            reads = [step.source, step.target]
        elif isinstance(step, Gather | Scatter):
            reads = [step.source, step.index, step.target]
        else:
            reads = [step.source]
            defined.add(step.target)
        if isinstance(step, TapView):
            extents.update(dict.fromkeys(part.extent for part in step.parts if part.extent))
        for operand in reads:
            if isinstance(operand, str) and operand != INFINITY and operand not in defined:
                arrays[operand] = None
    held = {s.name: s for s in scratch}
    order = [*(a for a in arrays if a not in held), *(a for a in arrays if a in held), *extents]
    return Program(name, tuple(order), tuple(s for s in scratch if s.name in arrays), tuple(steps), results)
