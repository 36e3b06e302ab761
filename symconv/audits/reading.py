"""How an array is read: which of its axes are the batch, the channels and the places, and in which order.

An order of axes is a word of letters, as frameworks write it: N the batch, C the channels, D, H and W the places; of
a weight O the output channels, I the input channels of a group, G the groups (a depthwise filter) and M the filters of
each of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

__all__ = ["Array", "DataReading", "WeightReading", "data_readings", "moved", "places", "weight_readings"]

Array = npt.NDArray[Any]

PLACES = {1: "W", 2: "HW", 3: "DHW"}


def places(axes: int) -> str:
    """The letters of a number of spatial axes, 1 to 3.

    >>> places(2)
    'HW'
    """
    return PLACES[axes]


def moved(name: str, order: str, wanted: str) -> str:
    """The expression that puts the axes of an array into another order.

    >>> moved("x", "HWC", "CHW"), moved("x", "CHW", "CHW")
    ('x.transpose(2, 0, 1)', 'x')
    """
    if order == wanted:
        return name
    return f"{name}.transpose({', '.join(str(order.index(letter)) for letter in wanted)})"


@dataclass(frozen=True)
class DataReading:
    """An input or an output, read as (N, C, places).

    Attributes:
        order: the letters of its axes as they lie.
        axes: the number of spatial axes.
    """

    order: str
    axes: int

    @property
    def present(self) -> str:
        """Its letters in canonical order."""
        return "".join(letter for letter in "NC" + places(self.axes) if letter in self.order)

    @property
    def last(self) -> bool:
        """Whether the channels come last."""
        return self.order[-1] == "C"

    def canonical(self, array: Array) -> Array:
        """The array as (N, C, places); axes that it lacks have length 1."""
        moved = array.transpose([self.order.index(letter) for letter in self.present])
        lead = tuple(moved.shape[self.present.index(letter)] if letter in self.order else 1 for letter in "NC")
        return moved.reshape(*lead, *moved.shape[-self.axes :])

    def laid(self, array: Array) -> Array:
        """An array (N, C, places) in this order; axes that it lacks must have length 1."""
        sizes = dict(zip("NC" + places(self.axes), array.shape, strict=True))
        found = array.reshape([sizes[letter] for letter in self.present])
        return found.transpose([self.present.index(letter) for letter in self.order])


@dataclass(frozen=True)
class WeightReading:
    """A weight, read as (O, I, taps): the output channels, the input channels of a group, and the taps.

    Attributes:
        order: the letters of its axes as they lie.
        axes: the number of spatial axes.
    """

    order: str
    axes: int

    def canonical(self, array: Array, transposed: bool = False) -> Array:
        """The array as (O, I, taps), or (I, O, taps) for a transposed convolution; axes that it lacks have length 1."""
        moved = array.transpose([self.order.index(letter) for letter in self._wanted(transposed)])
        return moved.reshape(self._shape(array.shape, transposed))

    def laid(self, array: Array, transposed: bool = False) -> Array:
        """An array (O, I, taps), or (I, O, taps) for a transposed convolution, in this order.

        It may have no axes of groups; channels that it lacks must have length 1.
        """
        wanted = self._wanted(transposed)
        sizes = dict(zip(("IO" if transposed else "OI") + places(self.axes), array.shape, strict=True))
        found = array.reshape([sizes[letter] for letter in wanted])
        return found.transpose([wanted.index(letter) for letter in self.order])

    def _wanted(self, transposed: bool) -> str:
        """The letters in canonical order."""
        lead = "GMIO" if transposed else "GMOI"
        return "".join(letter for letter in lead + places(self.axes) if letter in self.order)

    def _shape(self, shape: tuple[int, ...], transposed: bool) -> tuple[int, ...]:
        """The canonical shape of an array of a shape."""
        sizes = dict(zip(self.order, shape, strict=True))
        outputs, inputs = sizes.get("O", 1), sizes.get("I", 1)
        lead = (inputs, outputs) if transposed else (outputs, inputs)
        if "G" in sizes:
            lead = (sizes["G"] * sizes.get("M", 1), 1)
        return (*lead, *(sizes[letter] for letter in places(self.axes)))

    def expression(self, name: str, shape: tuple[int, ...], transposed: bool = False) -> str:
        """What a kernel of an operator with channels is given for it, where the array has a shape."""
        wanted = self._wanted(transposed)
        found, whole = moved(name, self.order, wanted), self._shape(shape, transposed)
        sizes = dict(zip(self.order, shape, strict=True))
        return found if whole == tuple(sizes[letter] for letter in wanted) else f"{found}.reshape{whole}"


def data_readings(array: Array, axes: int) -> list[DataReading]:
    """The ways to read an input or an output with a number of spatial axes, the commonest first."""
    taps = places(axes)
    orders = [taps, "C" + taps, taps + "C", "N" + taps, "NC" + taps, "N" + taps + "C"]
    return [DataReading(order, axes) for order in orders if len(order) == array.ndim]


def weight_readings(array: Array, axes: int) -> list[WeightReading]:
    """The ways to read a weight with a number of spatial axes, PyTorch's first, then TensorFlow's, then others."""
    t = places(axes)
    orders = [
        *(t, f"O{t}", f"{t}O", f"I{t}", f"{t}I", f"G{t}", f"{t}G"),
        *(f"OI{t}", f"{t}IO", f"IO{t}", f"O{t}I", f"{t}OI", f"I{t}O", f"{t}GM"),
    ]
    found: dict[tuple[Any, ...], WeightReading] = {}
    for order in orders:
        if len(order) == array.ndim:
            reading = WeightReading(order, axes)
            seen = reading.canonical(array)
            # two orders of one array are two readings only where they read it differently
            found.setdefault((seen.shape, seen.tobytes(), "M" in order or "G" in order), reading)
    return list(found.values())
