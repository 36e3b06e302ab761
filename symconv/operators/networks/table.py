"""A network as images that flow from layer to layer, and the figures of every layer with windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, Any

from symconv.errors import GeometryError, NotSupportedError
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.networks.reading import positions_read, ranges, reach
from symconv.operators.networks.staircase import Field
from symconv.operators.patches import Unfold
from symconv.operators.transposed import ConvTranspose

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Image", "Layer", "NetworkTable", "Ranges"]

Ranges = tuple[tuple[int, int], ...]
"""Positions as ranges (first, last)."""


@dataclass(frozen=True, eq=False)
class Image:
    """What lies between two layers.

    Attributes:
        channels: the number of channels.
        sizes: the spatial sizes.
        fields: what an entry depends on, one an axis; None where that is not known.
        parents: the images that it is computed from, and by which operator; None for position by position.
        depth: larger than that of every parent.
        reads: which positions of the network's input it depends on, one entry an axis, once that has been asked for.
    """

    channels: int
    sizes: tuple[int, ...]
    fields: tuple[Field | None, ...]
    parents: tuple[tuple[Image, Operator | None], ...] = ()
    depth: int = 0
    reads: dict[int, NDArray[np.bool_]] = field(default_factory=dict, repr=False)

    def network_input_read(self, axis: int) -> NDArray[np.bool_]:
        """Which positions of an axis of the network's input this image depends on."""
        if axis not in self.reads:
            self.reads[axis] = self._trace(axis)
        return self.reads[axis]

    def _trace(self, axis: int) -> NDArray[np.bool_]:
        """Walk back from all of this image; an image that is wanted as a whole hands over to its own trace."""
        import numpy as np

        wanted = {id(self): np.ones(self.sizes[axis], dtype=np.bool_)}
        open_images: dict[int, Image] = {id(self): self}
        while True:
            image = max(open_images.values(), key=lambda entry: entry.depth)
            del open_images[id(image)]
            mask = wanted.pop(id(image))
            if not image.parents:
                return mask
            if mask.all() and axis in image.reads and not open_images:
                return image.reads[axis]
            for parent, op in image.parents:
                n = parent.sizes[axis]
                if op is not None:
                    back = positions_read(op, axis, n, mask)
                else:
                    back = mask if n == mask.size else np.full(n, bool(mask.any()))
                if id(parent) in wanted:
                    wanted[id(parent)] |= back
                else:
                    wanted[id(parent)], open_images[id(parent)] = back.copy(), parent


@dataclass(frozen=True)
class Layer:
    """One layer with windows, in numbers.

    Attributes:
        name: where it stands in the network.
        kind: what the framework calls it.
        operator: the operator that it was read as.
        input, output: channels, then spatial sizes.
        parameters: weights and biases.
        multiply_adds: products of an input entry and a weight; those with padding count, as usual.
        receptive_field: the largest number of positions of the network's input between the first and the last that one
            output depends on, one an axis, padding counted; None where it is not known.
        whole_input: on which axes every output depends on the whole input, as behind a gate.
        jump: the input positions between neighbouring outputs, one an axis.
        unread: the positions of the layer's input that no output of it reads, one tuple of ranges an axis.
        unread_of_network: the same for the network's input and what comes out of this layer.
    """

    name: str
    kind: str
    operator: Operator
    input: tuple[int, ...]
    output: tuple[int, ...]
    parameters: int
    multiply_adds: int
    receptive_field: tuple[int | None, ...]
    whole_input: tuple[bool, ...]
    jump: tuple[Fraction | None, ...]
    unread: tuple[Ranges, ...]
    unread_of_network: tuple[Ranges, ...]

    def as_json(self) -> dict[str, Any]:
        """The figures with plain numbers, lists and strings."""
        return {
            "name": self.name,
            "kind": self.kind,
            "operator": repr(self.operator),
            "input": list(self.input),
            "output": list(self.output),
            "parameters": self.parameters,
            "multiply_adds": self.multiply_adds,
            "receptive_field": list(self.receptive_field),
            "whole_input": list(self.whole_input),
            "jump": [None if step is None else int(step) if step.denominator == 1 else str(step) for step in self.jump],
            "unread": [list(map(list, axis)) for axis in self.unread],
            "unread_of_network": [list(map(list, axis)) for axis in self.unread_of_network],
        }


@dataclass
class NetworkTable:
    """The layers of a network, as they are found one after the other.

    Attributes:
        batch: the number of images that go through at once.
        layers: the layers with windows.
        notes: what the table leaves out, takes for granted, or where a framework departs from an operator.
    """

    batch: int
    layers: list[Layer] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def parameters(self) -> int:
        """The parameters of all layers that are listed."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        """The multiply-adds of all layers that are listed."""
        return sum(layer.multiply_adds for layer in self.layers)

    def note(self, text: str) -> None:
        """Add a note, once."""
        if text not in self.notes:
            self.notes.append(text)

    def as_json(self) -> dict[str, Any]:
        """The table for a program."""
        return {
            "batch": self.batch,
            "layers": [layer.as_json() for layer in self.layers],
            "parameters": self.parameters,
            "multiply_adds": self.multiply_adds,
            "notes": list(self.notes),
        }

    def start(self, channels: int, sizes: Sequence[int]) -> Image:
        """The network's input."""
        return Image(channels, tuple(sizes), (Field(),) * len(sizes))

    def apply(self, name: str, kind: str, op: Operator, image: Image, *, listed: bool = True) -> Image:
        """What an operator makes of an image, and its figures as a row of the table where it is `listed`.

        Raises:
            GeometryError: where channels, the number of axes or sizes do not fit, with the layer's name.
        """
        if op.spatial_axes != len(image.sizes):
            shown = "x".join(map(str, image.sizes))
            raise NotSupportedError(f"{name} ({kind}) has {op.spatial_axes} spatial axes, and its input is {shown}")
        takes = op.in_channels if isinstance(op, Conv | ConvTranspose) else image.channels
        if takes != image.channels:
            raise GeometryError(f"{name} ({kind}): in_channels", takes, f"must be the {image.channels} that come in")
        try:
            sizes = tuple(int(size) for size in op.output_size(image.sizes))
        except GeometryError as error:
            raise GeometryError(
                f"{name} ({kind}): {error.argument}", error.value, error.requirement, error.fix
            ) from None
        fields = tuple(
            None if before is None else before.through(*reach(op, axis, n))
            for axis, (before, n) in enumerate(zip(image.fields, image.sizes, strict=True))
        )
        channels = int(op.out_channels) if isinstance(op, Conv | ConvTranspose) else image.channels
        result = Image(channels, sizes, fields, ((image, op),), image.depth + 1)
        if listed:
            self.layers.append(self._layer(name, kind, op, image, result))
        return result

    def _layer(self, name: str, kind: str, op: Operator, image: Image, result: Image) -> Layer:
        axes = range(len(image.sizes))
        read = [positions_read(op, axis, image.sizes[axis]) for axis in axes]
        for axis in axes:  # most layers read all of their input, and then see what their input sees
            if read[axis].all() and len(result.parents) == 1:
                result.reads[axis] = image.network_input_read(axis)
        fields = list(zip(result.fields, result.sizes, strict=True))
        weights = 0
        products = 0
        if isinstance(op, Conv | ConvTranspose):
            weights = int(op.in_channels) * int(op.out_channels) // int(op.groups) * prod(map(int, op.kernel_size))
            products = weights * prod(image.sizes if isinstance(op, ConvTranspose) else result.sizes)
            weights += int(op.out_channels) if op.bias else 0
        output: tuple[int, ...] = (result.channels, *result.sizes)
        if isinstance(op, Unfold):
            output = (image.channels * prod(map(int, op.kernel_size)), prod(result.sizes))
        return Layer(
            name,
            kind,
            op,
            (image.channels, *image.sizes),
            output,
            weights,
            products * self.batch,
            tuple(None if one is None else one.extent(n) for one, n in fields),
            tuple(one is not None and one.whole for one, _ in fields),
            tuple(None if one is None else one.jump for one, _ in fields),
            tuple(ranges(~mask) for mask in read),
            tuple(ranges(~result.network_input_read(axis)) for axis in axes),
        )

    def merge(self, name: str, kind: str, images: Sequence[Image], *, stack: bool = False) -> Image:
        """Images joined position by position, or one after the other along the channels (`stack`).

        An image of size 1 on an axis counts for every position of it, as a gate does.

        Raises:
            GeometryError: where the sizes do not agree.
        """
        if len(images) == 1:
            return images[0]
        sizes = tuple(max(entries) for entries in zip(*(image.sizes for image in images), strict=True))
        for image in images:
            if any(n not in (1, size) or (stack and n != size) for n, size in zip(image.sizes, sizes, strict=True)):
                shapes = " and ".join("x".join(map(str, image.sizes)) for image in images)
                raise GeometryError(f"{name} ({kind}): the inputs", shapes, "must have the same spatial sizes")
        counts = {image.channels for image in images} - {1}
        if not stack and len(counts) > 1:
            raise GeometryError(f"{name} ({kind}): the channels", tuple(i.channels for i in images), "must agree")
        channels = sum(i.channels for i in images) if stack else max(i.channels for i in images)
        fields = tuple(self._joined(name, kind, axis, size, images) for axis, size in enumerate(sizes))
        depth = 1 + max(image.depth for image in images)
        return Image(channels, sizes, fields, tuple((image, None) for image in images), depth)

    def _joined(self, name: str, kind: str, axis: int, size: int, images: Sequence[Image]) -> Field | None:
        """The field of joined images on one axis."""
        full = [image for image in images if image.sizes[axis] == size]
        gates = [image for image in images if image.sizes[axis] != size]
        result: Field | None = full[0].fields[axis]
        for image in full[1:]:
            other = image.fields[axis]
            joined = None if result is None or other is None else result.joined(other)
            if joined is None and result is not None and other is not None:
                self.note(
                    f"{name} ({kind}) joins images whose entries lie {result.jump} and {other.jump} input positions "
                    "apart; behind it the receptive field is not known"
                )
            result = joined
        for image in gates:
            gate = image.fields[axis]
            if result is None or gate is None:
                return None
            if not gate.whole and not image.network_input_read(axis).all():
                self.note(f"{name} ({kind}) has a gate that sees a part of the input; behind it no field is known")
                return None
            result = Field(result.first, result.last, whole=True)
        return result
