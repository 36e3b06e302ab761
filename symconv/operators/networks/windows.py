"""What operators do with positions: those with windows, and those that are place by place or about a whole vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from symconv.errors import GeometryError, NotSupportedError
from symconv.operators.adaptive import AdaptivePooling
from symconv.operators.base import Operator
from symconv.operators.channels import Channelled
from symconv.operators.convolution import Conv
from symconv.operators.dense import Dense
from symconv.operators.flatten import Flatten
from symconv.operators.losses import Loss
from symconv.operators.networks.acts import Act, Blind, Collapse, Mix, Product, Same, Shape, Tracks, merged
from symconv.operators.networks.image import Image, Masks
from symconv.operators.networks.moves import Reshape
from symconv.operators.networks.reading import positions_read, reach
from symconv.operators.networks.staircase import Staircase
from symconv.operators.networks.track import Track
from symconv.operators.patches import Fold, Unfold

__all__ = ["Pad", "Windowing", "act_of", "has_windows"]


def has_windows(op: Operator) -> bool:
    """Whether a layer reads windows; those of an adaptive pooling differ from output to output."""
    return not op.place_by_place and (bool(op.windows) or isinstance(op, AdaptivePooling))


def act_of(op: Operator, shape: Shape) -> Act:
    """What an operator does to an array with a batch.

    Args:
        op: the operator.
        shape: the shape of its (first) input.
    """
    if has_windows(op):
        return Windowing(op)
    if op.place_by_place:
        return Same()
    if isinstance(op, Flatten):
        return Reshape((shape[0], prod(shape[1:])))
    if isinstance(op, Dense):
        inputs = shape[-1] if op.in_features is None else int(op.in_features)
        return Product(("left",), (inputs, int(op.out_features)))
    if isinstance(op, Loss):
        return Collapse(tuple(range(1, len(shape))), keep=False)
    return Mix((len(shape) - 1,))


@dataclass(frozen=True)
class Windowing(Act):
    """An operator with windows on ``(batch, channels, *sizes)``; further inputs are weights that the graph computes.

    Attributes:
        op: the operator.
        hidden: why it is not known which positions it reads; empty where it is.
    """

    op: Operator
    hidden: str = ""

    def size(self, shapes: Sequence[Shape]) -> Shape | None:
        """The sizes by the formula.

        Raises:
            GeometryError: where channels or sizes do not fit; NotSupportedError for another number of axes.
        """
        op, shape = self.op, shapes[0]
        if isinstance(op, Fold):
            raise NotSupportedError("it puts patches together, and takes no image")
        if op.spatial_axes != len(shape) - 2:
            shown = "x".join(map(str, shape[2:]))
            raise NotSupportedError(f"it has {op.spatial_axes} spatial axes, and its input is {shown}")
        if isinstance(op, Channelled) and op.in_channels != shape[1]:
            raise GeometryError("in_channels", op.in_channels, f"must be the {shape[1]} that come in")
        sizes = tuple(int(size) for size in op.output_size(shape[2:]))
        if isinstance(op, Unfold):
            return (shape[0], shape[1] * prod(map(int, op.kernel_size)), prod(sizes))
        return (shape[0], int(op.out_channels) if isinstance(op, Channelled) else shape[1], *sizes)

    def tracks(self, images: Sequence[Image], shape: Shape) -> Tracks:
        op, image = self.op, images[0]
        if self.hidden or isinstance(op, Unfold):
            return Blind(self.hidden or f"{type(op).__name__} puts positions into its channels").tracks(images, shape)
        reaches = [reach(op, axis, n) for axis, n in enumerate(image.shape[2:])]
        found: dict[tuple[str, int], Track] = {}
        for key, track in image.tracks.items():
            if isinstance(op, Channelled) and 1 in track.terms:
                one = op.groups == 1
                track = track.folded(1, image.shape[1]) if one else track.without("its groups mix some channels")
            for axis, ends in enumerate(reaches):
                track = track.through(axis + 2, *ends)
            found[key] = track
        weights = [
            Collapse(tuple(range(len(other.shape))), keep=False).tracks([other], ()) for other in images[1:]
        ]  # every output depends on all of what its weight was made of
        return merged([found, *weights], shape)

    def back(self, wanted: Masks, shapes: Sequence[Shape], shape: Shape) -> Sequence[Masks]:
        op, sizes = self.op, shapes[0][2:]
        others = [(None,) * len(own) for own in shapes[1:]]
        if self.hidden or isinstance(op, Unfold):
            return [(None,) * len(shapes[0]), *others]
        read = []
        for axis, n in enumerate(sizes):
            mask = wanted[axis + 2]
            known = mask is None or mask.size == int(op.axis_output_size(axis, n))
            read.append(positions_read(op, axis, n, mask if known else None))
        return [(wanted[0], None if isinstance(op, Channelled) else wanted[1], *read), *others]


@dataclass(frozen=True)
class Pad(Act):
    """Padding, or cutting, of every axis by so many places before and after it, as a convolution of one tap does."""

    pairs: tuple[tuple[int, int], ...]
    mode: str = "zeros"

    def _axis(self, axis: int) -> Conv:
        return Conv((1,), padding=(self.pairs[axis],), padding_mode=self.mode)

    def size(self, shapes: Sequence[Shape]) -> Shape | None:
        sizes = (
            self._axis(axis).output_size((n,)) if any(self.pairs[axis]) else (n,) for axis, n in enumerate(shapes[0])
        )
        return tuple(int(n) for (n,) in sizes)

    def tracks(self, images: Sequence[Image], shape: Shape) -> Tracks:
        found = {}
        for key, track in images[0].tracks.items():
            for axis, (before, _) in enumerate(self.pairs):
                place = Staircase((-before,), 1)
                track = track.through(axis, place, place)
            found[key] = track
        return found

    def back(self, wanted: Masks, shapes: Sequence[Shape], shape: Shape) -> Sequence[Masks]:
        return [
            tuple(
                positions_read(self._axis(axis), 0, n, mask) if any(self.pairs[axis]) else mask
                for axis, (n, mask) in enumerate(zip(shapes[0], wanted, strict=True))
            )
        ]
