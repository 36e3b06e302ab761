"""What lies between two layers: its shape, what its entries depend on, and which positions of the inputs it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from symconv.operators.networks.staircase import Field
from symconv.operators.networks.track import Track

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Image", "Mask", "Masks", "either"]

Mask: TypeAlias = "NDArray[np.bool_] | None"
"""Which places of an axis; None for all of them."""

Masks: TypeAlias = "tuple[Mask, ...]"
"""One mask an axis; a place counts where all of its indices do."""


class Acting(Protocol):
    """What is asked of an `Act` here."""

    def back(self, wanted: Masks, shapes: Sequence[tuple[int, ...]], shape: tuple[int, ...]) -> Sequence[Masks]: ...


@dataclass(frozen=True, eq=False)
class Image:
    """What lies between two layers.

    Attributes:
        shape: the sizes of all axes, batch and channels among them.
        tracks: what an entry depends on, by the name of an input of the network and one of its axes.
        parents: the images that it is computed from.
        act: how; None for an input.
        name: that of an input.
        depth: larger than that of every parent.
        reads: which positions of the inputs of the network it depends on, by their names.
    """

    shape: tuple[int, ...]
    tracks: Mapping[tuple[str, int], Track]
    parents: tuple[Image, ...] = ()
    act: Acting | None = None
    name: str = ""
    depth: int = 0
    reads: dict[str, Masks] = field(default_factory=dict, repr=False)

    @staticmethod
    def start(name: str, shape: Sequence[int]) -> Image:
        """An input of a network."""
        sizes = tuple(shape)
        tracks = {(name, axis): Track(n, {axis: Field()}) for axis, n in enumerate(sizes)}
        return Image(sizes, tracks, name=name, reads={name: (None,) * len(sizes)})

    @staticmethod
    def made(
        shape: Sequence[int], tracks: Mapping[tuple[str, int], Track], act: Acting, parents: Sequence[Image]
    ) -> Image:
        """What an act makes of its parents."""
        depth = 1 + max(parent.depth for parent in parents)
        image = Image(tuple(shape), tracks, tuple(parents), act, depth=depth)
        image.reads.update(_traced(image))
        return image

    def back(self, wanted: Masks) -> Sequence[Masks]:
        """Which places of each parent are read for the wanted ones of this image."""
        assert self.act is not None
        return self.act.back(wanted, [parent.shape for parent in self.parents], self.shape)


def either(one: Masks, other: Masks) -> Masks:
    """The places that are in one of two."""
    return tuple(None if a is None or b is None else a | b for a, b in zip(one, other, strict=True))


def tidy(masks: Sequence[Any]) -> Masks:
    """None instead of a mask that has all places."""
    return tuple(None if mask is None or mask.all() else mask for mask in masks)


def _traced(image: Image) -> dict[str, Masks]:
    """Walk back from all of an image; an image that is wanted as a whole has been traced before."""
    wanted: dict[int, Masks] = {id(image): (None,) * len(image.shape)}
    waiting: dict[int, Image] = {id(image): image}
    found: dict[str, Masks] = {}
    while waiting:
        here = max(waiting.values(), key=lambda entry: entry.depth)
        del waiting[id(here)]
        masks = tidy(wanted.pop(id(here)))
        if any(mask is not None and not mask.any() for mask in masks):
            continue
        if here is not image and all(mask is None for mask in masks):
            for name, reads in here.reads.items():
                found[name] = either(found[name], reads) if name in found else reads
            continue
        if not here.parents:
            found[here.name] = either(found[here.name], masks) if here.name in found else masks
            continue
        for parent, read in zip(here.parents, here.back(masks), strict=True):
            wanted[id(parent)] = either(wanted[id(parent)], read) if id(parent) in wanted else read
            waiting[id(parent)] = parent
    return found
