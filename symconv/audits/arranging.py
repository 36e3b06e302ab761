"""How the arrays of a black box lie: which axes they have, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symconv.audits.candidate import has_channels
from symconv.audits.reading import Array, DataReading, WeightReading, places
from symconv.audits.rounding import Rounding
from symconv.audits.subject import Subject
from symconv.audits.trials import Shapes
from symconv.doors import instance, items, plain_integer
from symconv.errors import ArgumentError, NotSupportedError
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.transposed import ConvTranspose

__all__ = ["Arranged", "arranged"]

MOST_AXES = 3


@dataclass(frozen=True)
class Arranged:
    """The canonical shapes of the arrays, and the orders in which a black box has their axes.

    Attributes:
        sizes: the spatial input size.
        shapes: the canonical shapes.
        data: the order of the input and the output.
        weight: that of the weight; None for a pooling.
        transposed: whether the weight has its input channels first.
    """

    sizes: tuple[int, ...]
    shapes: Shapes
    data: DataReading
    weight: WeightReading | None
    transposed: bool

    @property
    def words(self) -> str:
        """The orders in words."""
        return self.data.order + (f", weight {self.weight.order}" if self.weight is not None else "")

    def laid(self, name: str, array: Array) -> Array:
        """A canonical array as it lies; `name` is a variable, "upstream" or "output"."""
        if name == "bias":
            return array
        if name == "weight":
            assert self.weight is not None
            return self.weight.laid(array, self.transposed)
        return self.data.laid(array)

    def canonical(self, name: str, array: Array, op: Operator) -> Array:
        """A weight or a bias as it lies in canonical order.

        Raises:
            ArgumentError: for another shape than the operator's.
        """
        whole = _parameter_shape(op, name)
        if name == "bias":
            due, found = whole, array
        else:
            assert self.weight is not None
            due = self.weight.laid(np.empty(whole), self.transposed).shape
            found = self.weight.canonical(array, self.transposed) if array.shape == due else array
        if array.shape != due:
            raise ArgumentError(name, array.shape, f"must have the shape {due}")
        return found


def arranged(
    op: Operator,
    input_size: Any,
    layout: Any,
    weight_layout: Any,
    batch: Any,
    subject: Subject,
    variables: Sequence[str],
    planes: int = 2,
) -> Arranged:
    """The arrays of a black box that claims to be an operator at an input size; a pooling gets so many planes.

    Raises:
        ArgumentError: for an order of axes that is none, or lacks one that is needed; GeometryError where no window
            fits; NotSupportedError for more than 3 spatial axes.
    """
    axes = op.spatial_axes
    if axes > MOST_AXES:
        raise NotSupportedError(f"what is certified has 1 to {MOST_AXES} spatial axes, and {op!r} has {axes}")
    entries = items(input_size)
    given = (input_size,) * axes if entries is None else entries
    sizes = tuple(plain_integer("input_size", n, 1) for n in given)
    if len(sizes) != axes:
        raise ArgumentError("input_size", input_size, f"must have {axes} entries, one a spatial axis, or be one number")
    op.output_size(sizes)  # refuses what does not fit, and symbols
    plain = not (subject.framework or has_channels(op))
    order = _order("layout", layout, ("" if plain else "NC") + places(axes), "NC" + places(axes))
    data = DataReading(order, axes)
    if batch is not None and "N" not in order:
        raise ArgumentError("batch", batch, f"must be left out: the layout {order} has no N")
    count = 1 if "N" not in order else 2 if batch is None else plain_integer("batch", batch, 1)
    channels_in, channels_out = (int(getattr(op, name, 1)) for name in ("in_channels", "out_channels"))
    if "C" not in order and (channels_in, channels_out) != (1, 1):
        raise ArgumentError("layout", order, "must have a C: the operator has channels")
    pooled = planes if "C" in order and not isinstance(op, Conv | ConvTranspose) else None  # planes by themselves
    output = tuple(int(n) for n in op.output_size(sizes))
    arguments: dict[str, tuple[int, ...]] = {"input": (count, pooled or channels_in, *sizes)}
    reading, transposed = None, isinstance(op, ConvTranspose)
    if isinstance(op, Conv | ConvTranspose):
        lead = "IO" if transposed else "OI"
        usual = (lead if "C" in order else "") + places(axes)
        reading = WeightReading(_order("weight_layout", weight_layout, usual, lead + places(axes)), axes)
        shape = dict(zip(lead, _parameter_shape(op, "weight")[:2], strict=True))
        lacking = [letter for letter, size in shape.items() if size != 1 and letter not in reading.order]
        if lacking:
            raise ArgumentError("weight_layout", reading.order, f"must have {' and '.join(lacking)}")
        arguments |= {name: _parameter_shape(op, name) for name in variables if name != "input"}
    elif weight_layout is not None:
        raise ArgumentError("weight_layout", weight_layout, f"must be left out: {op!r} has no weight")
    unit = Rounding.named(subject.dtype).unit
    whole = (count, pooled or channels_out, *output)
    shapes = Shapes(arguments, whole, 0 if unit is None else unit.digits, subject.gradients)
    return Arranged(sizes, shapes, data, reading, transposed)


def _order(name: str, given: Any, usual: str, letters: str) -> str:
    """An order of axes: letters that are all different, the places among them."""
    order = usual if given is None else instance(name, given, str, f"must be a text of letters of {letters}")
    need = set(letters[2:])
    if len(set(order)) != len(order) or not need <= set(order) <= set(letters):
        raise ArgumentError(
            name, order, f"must have the letters {letters} once each; N and the channels may be left out"
        )
    return order


def _parameter_shape(op: Any, name: str) -> tuple[int, ...]:
    """The canonical shape of the weight or the bias."""
    inputs, outputs, groups = int(op.in_channels), int(op.out_channels), int(op.groups)
    if name == "bias":
        return (outputs,)
    lead = (inputs, outputs // groups) if isinstance(op, ConvTranspose) else (outputs, inputs // groups)
    return (*lead, *map(int, op.kernel_size))
