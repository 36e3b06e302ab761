"""How an operator takes a whole array ``(C, *spatial)``, as layers of a network hand it on; shapes without a batch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from symconv.errors import GeometryError

__all__ = ["TakesArrays", "shape_text"]


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as it is written, ``2x6x6``; one number for an array without axes."""
    return "x".join(map(str, shape)) or "one number"


class TakesArrays:
    """What an operator makes of the shape of an array: here every channel is a plane of its own.

    An operator that sees channels, or any number of axes, says so by overriding these.
    """

    place_by_place: ClassVar[bool] = False
    """Whether every output reads the entry at its own place alone, so that an image stays one."""

    @property
    @abstractmethod
    def spatial_axes(self) -> int:
        """The number of spatial axes."""

    def fitted(self, shape: tuple[int, ...]) -> Any:
        """The operator for arrays of a shape; another one where it works for any number of axes.

        Raises:
            GeometryError: for a shape with a number of axes that it cannot have.
        """
        if len(shape) != self.spatial_axes + 1:
            wanted = f"must have channels and {self.spatial_axes} spatial axes before {self!r}"
            raise GeometryError("the input", shape_text(shape), wanted)
        return self

    def planes(self, shape: tuple[int, ...]) -> int:
        """How many parts of an array of a shape the formula is about, one after the other: its channels."""
        return shape[0]

    def array_size(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of what an array of a shape becomes.

        Raises:
            GeometryError: where no window fits, or the channels are others.
        """
        return (shape[0], *self.output_size(shape[1:]))  # type: ignore[attr-defined]

    def joined_size(self, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        """The shape of what the arrays that a layer reads become; all but `Add` read one."""
        (shape,) = shapes
        return self.fitted(shape).array_size(shape)  # type: ignore[no-any-return]

    def parameter_sizes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """The shapes of the weight and the bias for an input of a shape."""
        del shape
        if "weight" not in self.variables:  # type: ignore[attr-defined]
            return {}
        return {"weight": self.kernel_size}  # type: ignore[attr-defined]

    def multiply_adds(self, shape: tuple[int, ...]) -> int:
        """How many products of an entry and a weight an input of a shape takes; those with padding count."""
        del shape
        return 0
