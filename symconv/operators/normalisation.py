"""Batch normalisation as it is used after training: a scale and a shift of every channel."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, ClassVar

from symconv.errors import ArgumentError, GeometryError
from symconv.formulas.algebra import Access, Node, add, product
from symconv.operators.arrays import shape_text
from symconv.operators.base import Variable
from symconv.operators.frame import Axis, Geometry, named_axes
from symconv.operators.kinds import Whole
from symconv.operators.option import Option
from symconv.operators.options import Integer, to_index
from symconv.operators.unwindowed import Unwindowed

__all__ = ["BatchNorm"]

CHANNELS = Option(
    Whole(1), "the number of channels; an index f appears where it is not 1", noun="channels", switch="channels"
)


@dataclass(frozen=True, repr=False)
class BatchNorm(Unwindowed):
    """Batch normalisation in inference: ``c[f, i, j] = b[f] * a[f, i, j] + d[f]`` (0-based).

    With the mean m and the variance v of a channel, its scale s and its shift t, as a trained layer has them, the
    weight is ``b = s / sqrt(v + eps)`` and the bias ``d = t - m * b``; `folded` works them out.

    >>> BatchNorm(4).output_size((6, 6))
    (6, 6)
    """

    channels: Integer = field(metadata=CHANNELS.metadata)
    _: KW_ONLY
    ndim: int = 2

    variables: ClassVar[tuple[Variable, ...]] = ("input", "weight", "bias")
    place_by_place: ClassVar[bool] = True
    least_axes: ClassVar[int] = 0

    @property
    def noun(self) -> str:
        return "batch normalisation"

    @property
    def phrase(self) -> str:
        return f"a {self.noun}"

    @staticmethod
    def folded(mean: Any, variance: Any, scale: Any = None, shift: Any = None, eps: float = 1e-5) -> dict[str, Any]:
        """The weight and the bias of a trained layer, in float64.

        Args:
            mean, variance: the running figures, one a channel.
            scale, shift: what it learned, one a channel; 1 and 0 where left out.
            eps: what is added to the variances.

        Raises:
            ArgumentError: for figures of several lengths, or variances that leave no root.

        >>> BatchNorm.folded([1.0], [3.0], [4.0], [5.0], eps=1.0)
        {'weight': array([2.]), 'bias': array([3.])}
        """
        import numpy as np

        given = {"mean": mean, "variance": variance, "scale": scale, "shift": shift}
        try:
            read = {name: np.asarray(value, np.float64) for name, value in given.items() if value is not None}
            below = float(eps)
        except (TypeError, ValueError):
            raise ArgumentError("mean, variance, scale, shift", mean, "must be arrays of numbers") from None
        shape = read["mean"].shape
        for name, array in read.items():
            if array.ndim != 1 or array.shape != shape:
                raise ArgumentError(name, array.shape, f"must have one number a channel, as mean has {shape}")
        if not (read["variance"] + below > 0).all():
            raise ArgumentError("variance", variance, "must be above -eps on every channel")
        weight = read.get("scale", np.ones(shape)) / np.sqrt(read["variance"] + below)
        return {"weight": weight, "bias": read.get("shift", np.zeros(shape)) - read["mean"] * weight}

    # ------------------------------------------------------------------ whole arrays

    def fitted(self, shape: tuple[int, ...]) -> BatchNorm:
        """The same for arrays with so many axes."""
        if not shape or shape[0] != self.channels:
            wanted = f"must have the {self.channels} channels that {self!r} takes"
            raise GeometryError("the input", shape_text(shape), wanted, "channels come first")
        return replace(self, ndim=len(shape) - 1)

    def parameter_sizes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        return {"weight": (self.channels,), "bias": (self.channels,)}

    # ------------------------------------------------------------------ the formula

    def axes(self, role: str, geometry: Geometry, *, primed: bool = False) -> tuple[Axis, ...]:
        letters = geometry.letters
        name = {"input": letters.input_channel, "output": letters.output_channel}.get(
            role, f"{letters.output_channel}'"
        )
        channel = (
            (Axis(name, to_index(self.channels, geometry.symbols, "channels")),)
            if self.channels != 1 or not self.ndim
            else ()
        )
        if role in ("weight", "bias"):
            return channel
        return (*channel, *named_axes(letters.axes(role, self.ndim), geometry.sizes))

    def body(self, geometry: Geometry) -> Node:
        at = tuple(axis.index for axis in self.axes("output", geometry))
        channel = at[: len(at) - self.ndim]
        scaled = product(Access(geometry.letters.weight, channel), Access(geometry.letters.input, at))
        return add(scaled, Access(geometry.letters.bias, channel))
