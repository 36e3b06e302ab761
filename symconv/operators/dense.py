"""Dense layers: every output is a weighted sum of all entries of a vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, ClassVar

from symconv.errors import ArgumentError, GeometryError
from symconv.formulas.algebra import Access, Node, add, product, summation
from symconv.formulas.index import Index
from symconv.operators.arrays import shape_text
from symconv.operators.base import Variable
from symconv.operators.frame import Axis, Geometry, named_axes
from symconv.operators.kinds import Whole
from symconv.operators.option import BIAS, Option
from symconv.operators.options import Integer, to_index
from symconv.operators.unwindowed import Unwindowed

__all__ = ["Dense"]

OUT_FEATURES = Option(Whole(1), "the number of outputs", noun="outputs")
IN_FEATURES = Option(Whole(1, optional=True), "the number of inputs; as many as come in where it is left out")


@dataclass(frozen=True, repr=False)
class Dense(Unwindowed):
    """A dense, or fully connected, layer: a matrix times a vector, which is a window as large as its input.

    ``c[p] = d[p] + sum over n of b[p, n] * a[n]`` (0-based). The weight is ``(out_features, in_features)``.

    >>> Dense(3, bias=False).output_size((18,))
    (3,)
    """

    out_features: Integer = field(metadata=OUT_FEATURES.metadata)
    in_features: Integer = field(default=None, metadata=IN_FEATURES.metadata)
    bias: bool = field(default=True, metadata=replace(BIAS, words="whether a bias is added to every output").metadata)
    _: KW_ONLY
    ndim: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.ndim != 1:
            raise ArgumentError(
                "ndim", self.ndim, "must be 1: the input of a dense layer is a vector", "flatten it first"
            )

    most_indices: ClassVar[int] = 2  # those of the weight

    @property
    def noun(self) -> str:
        return "dense layer"

    @property
    def phrase(self) -> str:
        return f"a {self.noun}"

    @classmethod
    def every_variable(cls) -> tuple[Variable, ...]:
        return ("input", "weight", "bias")

    @property
    def variables(self) -> tuple[Variable, ...]:  # type: ignore[override]
        """The tensors that the output depends on."""
        return ("input", "weight", "bias") if self.bias else ("input", "weight")

    # ------------------------------------------------------------------ sizes

    def input_sizes(self, names: Sequence[str]) -> tuple[Index, ...]:
        """The number of inputs, where the layer says it."""
        if self.in_features is None:
            return super().input_sizes(names)
        return (to_index(self.in_features, {}, "in_features"),)

    def count(self, axis: int, size: Index) -> Index:
        """The number of outputs, whatever the number of inputs."""
        return to_index(self.out_features, {}, "out_features")

    def axis_output_size(self, axis: int, n: Integer) -> Integer:
        if isinstance(self.in_features, int) and isinstance(n, int) and n != self.in_features:
            raise GeometryError("input_size", n, f"must be in_features = {self.in_features}")
        return self.out_features

    # ------------------------------------------------------------------ whole arrays

    def fitted(self, shape: tuple[int, ...]) -> Dense:
        """The layer itself: it takes vectors alone."""
        if len(shape) != 1:
            raise GeometryError("the input", shape_text(shape), f"must be a vector before {self!r}", "flatten it first")
        self.axis_output_size(0, shape[0])
        return self

    def array_size(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (self.axis_output_size(0, shape[0]),)

    def parameter_sizes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        inputs = shape[0] if self.in_features is None and shape else self.in_features
        if inputs is None:
            raise ArgumentError("in_features", None, "must be given where the size of the input is not known")
        return {"weight": (self.out_features, inputs), **({"bias": (self.out_features,)} if self.bias else {})}

    def multiply_adds(self, shape: tuple[int, ...]) -> int:
        return shape[0] * self.out_features  # type: ignore[no-any-return]

    # ------------------------------------------------------------------ the formula

    def axes(self, role: str, geometry: Geometry, *, primed: bool = False) -> tuple[Axis, ...]:
        letters = geometry.letters
        if role == "input":
            return named_axes(letters.axes("input", 1), geometry.sizes)
        if role == "weight":
            return named_axes(letters.axes("weight", 2), (*geometry.outputs, *geometry.sizes))
        name = letters.axes("output", 1)[0] + ("'" if primed else "")
        return named_axes((name,), geometry.outputs)

    def body(self, geometry: Geometry) -> Node:
        letters = geometry.letters
        (output,) = self.axes("output", geometry)
        tap = self.axes("weight", geometry)[1]
        term = product(
            Access(letters.weight, (output.index, tap.index)),
            Access(letters.input, (tap.index,)),
        )
        total: Any = summation(term, tap.bound)
        return add(total, Access(letters.bias, (output.index,))) if self.bias else total
