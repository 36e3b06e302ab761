"""What losses share: one number for a whole array, and a target."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from symconv.errors import ArgumentError, GeometryError
from symconv.formulas.algebra import Access, Bound, Constant, Guard, Node, add, nonnegative, summation
from symconv.formulas.collecting import collected
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.operators.arrays import shape_text
from symconv.operators.frame import Axis, Geometry, named_axes
from symconv.operators.options import Integer
from symconv.operators.target import entries_of, shape_of
from symconv.operators.unwindowed import Unwindowed

__all__ = ["Loss"]


class Loss(Unwindowed):
    """An operator whose output is one number, which tells how far an array is from a target."""

    ndim: int
    target: Any

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.target, tuple):
            axes = len(shape_of("target", self.target))
            if self.ndim not in (1, axes):
                raise ArgumentError("ndim", self.ndim, f"must agree with the target, which has {axes} axes")
            self._take_axes(axes)

    @abstractmethod
    def _take_axes(self, axes: int) -> None:
        """Have so many axes, those of the target."""

    # ------------------------------------------------------------------ sizes

    def output_size(self, n: Integer | Sequence[Integer]) -> tuple[Integer, ...]:
        super().output_size(n)
        return ()

    def axis_output_size(self, axis: int, n: Integer) -> Integer:
        fixed = self._extents()
        if fixed is not None and isinstance(n, int) and n != fixed[axis]:
            raise GeometryError("input_size", n, f"must be {fixed[axis]} on axis {axis}, the size of the target")
        if isinstance(self.target, int) and isinstance(n, int) and n <= self.target:
            wanted = f"must be a class of {n}, counted from 0: at most {n - 1}"
            raise GeometryError("target", self.target, wanted)
        return n

    def _extents(self) -> tuple[int, ...] | None:
        """The sizes, where the target has them."""
        return shape_of("target", self.target) if isinstance(self.target, tuple) else None

    def input_sizes(self, names: Sequence[str]) -> tuple[Index, ...]:
        fixed = self._extents()
        return super().input_sizes(names) if fixed is None else tuple(map(Index.of, fixed))

    def facts(self, axis: int, size: Index) -> list[Guard]:
        """The class is one of those that there are."""
        return [nonnegative(size - 1 - self.target)] if isinstance(self.target, int) else []

    # ------------------------------------------------------------------ whole arrays

    def fitted(self, shape: tuple[int, ...]) -> Any:
        """The same: the array has as many axes as the loss."""
        if len(shape) != self.ndim:
            wanted = "be a vector" if self.ndim == 1 else f"have {self.ndim} axes"
            fix = "put a Flatten() before it" if self.ndim == 1 else ""
            raise GeometryError("the input", shape_text(shape), f"must {wanted} before {self!r}", fix)
        return self

    def array_size(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return self.output_size(shape)

    # ------------------------------------------------------------------ the formula

    def closed(self, formula: Formula) -> Node:
        return collected(super().closed(formula))

    def _reads(self) -> tuple[str, ...]:
        return ("input", "target") if self.target is None else ("input",)

    def axes(self, role: str, geometry: Geometry, *, primed: bool = False) -> tuple[Axis, ...]:
        if role in ("input", "target"):
            return named_axes(geometry.letters.axes("input", self.ndim), geometry.sizes)
        return ()

    def every(self, geometry: Geometry) -> tuple[Bound, ...]:
        """An index an axis over all entries."""
        return tuple(axis.bound for axis in self.axes("input", geometry))

    def over_entries(self, geometry: Geometry, term: Any) -> Node:
        """The sum over all entries of what `term` makes of an entry of the input and that of the target."""
        letters = geometry.letters
        if self.target is None:
            bounds = self.every(geometry)
            at = tuple(Index.of(bound.name) for bound in bounds)
            return summation(term(Access(letters.input, at), Access(letters.target, at)), *bounds)
        return add(
            *(
                term(Access(letters.input, tuple(map(Index.of, at))), Constant(value))
                for at, value in self.known_entries()
            )
        )

    def known_entries(self) -> Iterator[tuple[tuple[int, ...], Fraction]]:
        """The places and numbers of the target, where it is given; of a class the one that is not 0."""
        if isinstance(self.target, int):
            yield (self.target,), Fraction(1)
        elif self.target is not None:
            yield from entries_of(self.target)
