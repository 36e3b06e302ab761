"""Programs: what a kernel does to whole arrays, as a short list of steps, each of which is one line of source.

A step gives a name to a view, or to the result of a NumPy function that writes into an array it was handed. Nothing is
allocated inside a program: `Scratch` says what it needs, and the runtime hands it arrays that fit in the cache.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal, TypeAlias

__all__ = [
    "INFINITY",
    "Apply",
    "ArrayStep",
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
    "TapView",
    "TiledView",
    "Total",
    "program_of",
]

INFINITY = "inf"
"""The operand that stands for infinity."""

Operand: TypeAlias = "str | int | Fraction"
"""The name of an array, a number, or `INFINITY`."""


def _text(operand: Operand) -> str:
    return "numpy.inf" if operand == INFINITY else str(operand)


@dataclass(frozen=True)
class ArrayStep(ABC):
    """One line ``assigned = code``.

    Attributes:
        target: the name that stands for the result.
        names: whether the step gives the target its name; else that is an array which the program was handed.
        passes: whether it goes over an array.
    """

    target: str

    names: ClassVar[bool] = False
    passes: ClassVar[bool] = True

    @property
    @abstractmethod
    def code(self) -> str:
        """The right side of the line."""

    @property
    def assigned(self) -> str:
        """The left side of the line."""
        return self.target

    @property
    @abstractmethod
    def reads(self) -> tuple[Operand, ...]:
        """What it needs, in order; what it writes into included."""


@dataclass(frozen=True)
class _OfOne(ArrayStep):
    """A step that gives a name to what it makes of one array."""

    source: str

    names: ClassVar[bool] = True
    passes: ClassVar[bool] = False

    @property
    def reads(self) -> tuple[Operand, ...]:
        return (self.source,)


@dataclass(frozen=True)
class AxisPart:
    """``start : extent + start : step`` on one axis, with ``extent`` a parameter; or all of the axis.

    `shorter` is taken off the end, for a view that must not run over the end of the array.
    """

    start: int = 0
    extent: str | None = None
    step: int = 1
    shorter: int = 0

    def __str__(self) -> str:
        if self.extent is None:
            return ":"
        offset = self.start - self.shorter
        stop = self.extent if offset == 0 else f"{self.extent} {'+' if offset > 0 else '-'} {abs(offset)}"
        return f"{self.start or ''}:{stop}" + ("" if self.step == 1 else f":{self.step}")


@dataclass(frozen=True)
class TapView(_OfOne):
    """``target = source[..., parts]``: the positions that one tap reads, one part a spatial axis."""

    parts: tuple[AxisPart, ...]

    @property
    def code(self) -> str:
        return f"{self.source}[..., {', '.join(map(str, self.parts))}]"


@dataclass(frozen=True)
class TiledView(_OfOne):
    """``target = source.reshape(...)``: a spatial axis as one of windows that tile it and one of their taps.

    `taps` has the number of taps of every spatial axis; where it is 1 the axis stays as it is.
    """

    taps: tuple[int, ...]

    @property
    def code(self) -> str:
        name, ndim = self.source, len(self.taps)
        sizes = [f"{name}.shape[{axis - ndim}]" for axis in range(ndim)]
        sizes = [size if tap == 1 else f"{size} // {tap}, {tap}" for size, tap in zip(sizes, self.taps, strict=True)]
        return f"{name}.reshape((*{name}.shape[:-{ndim}], {', '.join(sizes)}))"


@dataclass(frozen=True)
class SpreadView(_OfOne):
    """``target = source[..., :, None, :, None]``: an entry a window, for all of its taps; `taps` as for `TiledView`."""

    taps: tuple[int, ...]

    @property
    def code(self) -> str:
        return f"{self.source}[..., {', '.join(':' if tap == 1 else ':, None' for tap in self.taps)}]"


@dataclass(frozen=True)
class FixedEntry(_OfOne):
    """``target = source[:, ..., entries]``: fixed entries of the axes after the first `lead` ones."""

    entries: tuple[int, ...]
    lead: int = 0

    @property
    def code(self) -> str:
        return f"{self.source}[{', '.join([':'] * self.lead + [str(entry) for entry in self.entries])}]"


@dataclass(frozen=True)
class Total(_OfOne):
    """``target = numpy.sum(source, axis=axes, keepdims=True)``."""

    axes: tuple[int, ...]

    passes: ClassVar[bool] = True

    @property
    def code(self) -> str:
        return f"numpy.sum({self.source}, axis={self.axes}, keepdims=True)"


@dataclass(frozen=True)
class Bytes(_OfOne):
    """``target = source.view(numpy.uint8)``: a mask as numbers, 1 where it is true."""

    @property
    def code(self) -> str:
        return f"{self.source}.view(numpy.uint8)"


@dataclass(frozen=True)
class Apply(ArrayStep):
    """``target = numpy.function(*args, out=target, where=where)``."""

    function: str
    args: tuple[Operand, ...]
    where: str | None = None

    @property
    def code(self) -> str:
        shown = [*map(_text, self.args), f"out={self.target}", *([f"where={self.where}"] if self.where else [])]
        return f"numpy.{self.function}({', '.join(shown)})"

    @property
    def reads(self) -> tuple[Operand, ...]:
        return (*self.args, self.target, *([self.where] if self.where else []))


@dataclass(frozen=True)
class Copy(ArrayStep):
    """``target[...] = source``, an array or a number."""

    source: Operand

    @property
    def code(self) -> str:
        return _text(self.source)

    @property
    def assigned(self) -> str:
        return f"{self.target}[...]"

    @property
    def reads(self) -> tuple[Operand, ...]:
        return (self.source, self.target)


@dataclass(frozen=True)
class Gather(ArrayStep):
    """``target = source[index]``: entries of a flat array, by their places."""

    source: str
    index: str

    @property
    def code(self) -> str:
        # with mode="raise" NumPy would buffer the output
        return f'numpy.take({self.source}, {self.index}, out={self.target}, mode="clip")'

    @property
    def reads(self) -> tuple[Operand, ...]:
        return (self.source, self.index, self.target)


@dataclass(frozen=True)
class Scatter(ArrayStep):
    """``target[index] += source`` on a flat array; ``=`` where no place comes twice and nothing is there yet."""

    index: str
    source: str
    fresh: bool

    @property
    def code(self) -> str:
        return self.source if self.fresh else f"numpy.add.at({self.target}, {self.index}, {self.source})"

    @property
    def assigned(self) -> str:
        return f"{self.target}[{self.index}]" if self.fresh else "_"

    @property
    def reads(self) -> tuple[Operand, ...]:
        return (self.source, self.index, self.target)


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
    steps: tuple[ArrayStep, ...]
    results: tuple[str, ...]

    @property
    def operations(self) -> int:
        """The number of passes over an array of the size of the output or the input."""
        return sum(step.passes for step in self.steps)


def program_of(
    name: str, steps: Sequence[ArrayStep], results: tuple[str, ...], scratch: Sequence[Scratch] = ()
) -> Program:
    """The program of some steps; what they use and do not define is a parameter, scratch and extents last."""
    arrays: dict[str, None] = {}
    extents: dict[str, None] = {}
    defined: set[str] = set()
    for step in steps:
        if step.names:
            defined.add(step.target)
        if isinstance(step, TapView):
            extents.update(dict.fromkeys(part.extent for part in step.parts if part.extent))
        for operand in step.reads:
            if isinstance(operand, str) and operand != INFINITY and operand not in defined:
                arrays[operand] = None
    held = {s.name: s for s in scratch}
    order = [*(a for a in arrays if a not in held), *(a for a in arrays if a in held), *extents]
    return Program(name, tuple(order), tuple(s for s in scratch if s.name in arrays), tuple(steps), results)
