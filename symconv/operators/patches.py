"""The patches that a window sees: `Unfold` lays them out (im2col), `Fold` adds them up again (col2im).

Source: PyTorch's ``Unfold`` and ``Fold``, which flatten channel and taps into one axis, and the places of the window
into another; the formulas keep one index for each, and kernels flatten, row-major.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field, fields, replace
from typing import Any

from symconv.errors import GeometryError, NotSupportedError
from symconv.formulas.algebra import Access, Guard, Node, equal, summation
from symconv.formulas.index import Index
from symconv.operators.frame import Axis, Geometry, named_axes
from symconv.operators.option import DILATION, IN_CHANNELS, KERNEL_SIZE, OUTPUT_SIZE, PADDING, STRIDE
from symconv.operators.options import Integer, to_index
from symconv.operators.windowed import Windowed

__all__ = ["Fold", "Unfold"]

CHANNELS = replace(IN_CHANNELS, words="the number of channels of the image", switch="channels")
IMAGE_SIZE = replace(OUTPUT_SIZE, words="the size of the image, which says how many places there are")


class Patches(Windowed):
    """What `Unfold` and `Fold` share: the window, and the two tensors between which they map."""

    in_channels: Integer

    def fitted(self, shape: tuple[int, ...]) -> Any:
        """No layer of a network: it gives patches, and no image with channels."""
        raise NotSupportedError(f"{self!r} cannot stand in a network: it gives patches, and no image with channels")

    def _channel(self, family: str, geometry: Geometry) -> tuple[Axis, ...]:
        """The channel index, in the letter of the tensor that it belongs to: both have the same channels."""
        if self.in_channels == 1:
            return ()
        name = getattr(geometry.letters, f"{family}_channel")
        return (Axis(name, to_index(self.in_channels, geometry.symbols, "in_channels")),)

    def image(self, family: str, sizes: tuple[Index, ...], geometry: Geometry) -> tuple[Axis, ...]:
        """The indices of the image: channel and position."""
        return (*self._channel(family, geometry), *named_axes(geometry.letters.axes(family, self.ndim), sizes))

    def patches(self, family: str, places: tuple[Index, ...], geometry: Geometry) -> tuple[Axis, ...]:
        """The indices of the patches: channel, tap, and place of the window."""
        taps = named_axes(geometry.letters.axes("weight", self.ndim), [window.k for window in self.windows])
        return (*self._channel(family, geometry), *taps, *named_axes(geometry.letters.axes(family, self.ndim), places))


@dataclass(frozen=True, repr=False)
class Unfold(Patches):
    """The entries under every window, laid out (im2col): ``c[h, m, p] = a[h, s*p + D*m - P]`` (0-based).

    The free indices are the channel, the taps and the places of the window; arrays are ``(N, C*prod(kernel), places)``.

    >>> Unfold(2, stride=2).output_size((4, 6))
    (2, 3)
    """

    kernel_size: Any = field(metadata=KERNEL_SIZE.metadata)
    stride: Any = field(default=1, metadata=STRIDE.metadata)
    padding: Any = field(default=0, metadata=PADDING.metadata)
    dilation: Any = field(default=1, metadata=DILATION.metadata)
    in_channels: Integer = field(default=1, metadata=CHANNELS.metadata)
    _: KW_ONLY
    ndim: int = 2

    @property
    def noun(self) -> str:
        return "unfolding"

    def axes(self, role: str, geometry: Geometry, *, primed: bool = False) -> tuple[Axis, ...]:
        if role == "input":
            return self.image("input", geometry.sizes, geometry)
        return self.patches("output", geometry.outputs, geometry)

    def body(self, geometry: Geometry) -> Node:
        free, ndim = self.axes("output", geometry), self.ndim
        channel, taps, places = free[: -2 * ndim], free[-2 * ndim : -ndim], free[-ndim:]
        parts = zip(self.windows, places, taps, geometry.sizes, strict=True)
        read = [window.tap(p.index, m.index, n) for window, p, m, n in parts]
        return Access(geometry.letters.input, (*(axis.index for axis in channel), *read))


@dataclass(frozen=True, repr=False, init=False)
class Fold(Patches):
    """Patches added up where they overlap (col2im), the transpose of `Unfold`.

    ``c[h, i] = sum over m, p with s*p + D*m - P = i of a[h, m, p]`` (0-based). The free indices are the channel and the
    position; arrays of patches are ``(N, C*prod(kernel), places)``.

    >>> Fold((4, 6), 2, stride=2).output_size((2, 3))
    (4, 6)
    """

    image_size: tuple[Integer, ...] = field(metadata=IMAGE_SIZE.metadata)
    kernel_size: Any = field(metadata=KERNEL_SIZE.metadata)
    stride: Any = field(default=1, metadata=STRIDE.metadata)
    padding: Any = field(default=0, metadata=PADDING.metadata)
    dilation: Any = field(default=1, metadata=DILATION.metadata)
    in_channels: Integer = field(default=1, metadata=CHANNELS.metadata)
    ndim: int = 2

    def __init__(
        self,
        output_size: Any,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        in_channels: Integer = 1,
        *,
        ndim: int = 2,
    ) -> None:
        put = object.__setattr__
        given = (output_size, kernel_size, stride, padding, dilation, in_channels, ndim)
        for entry, value in zip(fields(self), given, strict=True):
            put(self, entry.name, value)
        self.__post_init__()
        for window, size in zip(self.windows, self.image_size, strict=True):
            window.output_size(size)  # refuses an image that no window fits in

    @property
    def noun(self) -> str:
        return "folding"

    # ------------------------------------------------------------------ sizes

    def count(self, axis: int, size: Index) -> Index:
        """The size of the image."""
        return to_index(self.image_size[axis], {}, "output_size")

    def input_sizes(self, names: Any) -> tuple[Index, ...]:
        """How many places there are in the image."""
        return tuple(window.outputs(self.count(axis, Index.of(0))) for axis, window in enumerate(self.windows))

    def facts(self, axis: int, size: Index) -> list[Guard]:
        """A window fits in the image."""
        return self.windows[axis].facts(self.count(axis, size))

    def axis_output_size(self, axis: int, n: Integer) -> Integer:
        places = self.windows[axis].output_size(self.image_size[axis])
        if isinstance(places, int) and isinstance(n, int) and n != places:
            raise GeometryError(
                "input_size",
                n,
                f"must be {places} on axis {axis}: so many windows fit in an image of {self.image_size[axis]}",
            )
        return self.image_size[axis]

    # ------------------------------------------------------------------ the formula

    def axes(self, role: str, geometry: Geometry, *, primed: bool = False) -> tuple[Axis, ...]:
        if role == "input":
            return self.patches("input", geometry.sizes, geometry)
        return self.image("output", geometry.outputs, geometry)

    def body(self, geometry: Geometry) -> Node:
        ndim = self.ndim
        patch = self.axes("input", geometry)
        taps, places = patch[-2 * ndim : -ndim], patch[-ndim:]
        reaches: list[Guard] = []
        for window, place, tap, position, size in zip(
            self.windows, places, taps, self.axes("output", geometry)[-ndim:], geometry.outputs, strict=True
        ):
            reaches.append(equal(window.tap(place.index, tap.index, size), position.index))
        channel = tuple(axis.index for axis in self.axes("output", geometry)[:-ndim])
        entry = Access(geometry.letters.input, (*channel, *(axis.index for axis in (*taps, *places))))
        return summation(entry, *(axis.bound for axis in (*taps, *places)), guards=reaches)
