"""Kernels of `Unfold` and `Fold`: one tap after the other, a strided part of the image copied or added."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from symconv.errors import ArgumentError
from symconv.formulas.algebra import Access, Bound, Bracket, Node, equal, summation
from symconv.formulas.algebra import product as times
from symconv.formulas.index import Index
from symconv.formulas.naming import fresh_name
from symconv.kernels.accuracy.units import Unit
from symconv.kernels.adapters.planes import PlaneKernel, Planes, cuts, lines_of_windows
from symconv.kernels.programs.reading import added_up
from symconv.kernels.runtime.arguments import compute_type, native, outputs_of
from symconv.kernels.runtime.geometry import Line
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.parameters import largest_of, refuse_sum
from symconv.operators.patches import Fold, Patches, Unfold

if TYPE_CHECKING:
    from symconv.formulas.formula import Formula
    from symconv.kernels.accuracy.entries import SumOfEntries

__all__ = ["FoldKernel", "UnfoldKernel"]


def tap_slices(lines: tuple[Line, ...]) -> Iterator[tuple[Any, Any, Any]]:
    """For every tap of the window: its patches, the places where it lies in the image, and what it reads there."""
    for taps in product(*(range(line.taps) for line in lines)):
        places: list[Any] = [...]
        reads: list[Any] = [...]
        for line, tap in zip(lines, taps, strict=True):
            first, stop, entry = line.real(tap)
            places.append(slice(first, stop))
            reads.append(slice(entry, entry + line.stride * (stop - first), line.stride))
        yield (slice(None), *taps), tuple(places), tuple(reads)


def unfold(x: Array, lines: tuple[Line, ...], patches: Array) -> None:
    """Write the entries under every window of images ``(planes, *sizes)`` to ``(planes, *taps, *places)``."""
    for taps, places, reads in tap_slices(lines):
        under = patches[taps]
        part = x[reads]
        if part.shape != under.shape:
            under.fill(0)
        under[places] = part


def fold(patches: Array, lines: tuple[Line, ...], x: Array) -> None:
    """Add patches ``(planes, *taps, *places)`` to images ``(planes, *sizes)``, where each of their entries lies."""
    for taps, places, reads in tap_slices(lines):
        x[reads] += patches[taps][places]


class PatchKernel(PlaneKernel):
    """What the kernels of `Unfold` and `Fold` share: both maps between images and patches, each other's transpose."""

    op: Patches
    name = "taps"
    costs = "none or one an entry of the patches"
    error = "entries are copied as they are; sums in the order of the taps"
    stages = ("one array operation a tap, on blocks of planes of about 512 kB",)

    def lines(self, sizes: tuple[int, ...]) -> tuple[Line, ...]:
        """How the windows read an image, from the windows of the operator."""
        return lines_of_windows(self.op.windows, sizes)

    @property
    def taps(self) -> int:
        """The number of taps of a window."""
        return prod(self.op.kernel_size)

    def unfolded(self, images: Array) -> Array:
        """The patches ``(planes, taps, places)`` of images ``(planes, *sizes)``."""
        lines = self.lines(images.shape[1:])
        shape = (len(images), *(line.taps for line in lines), *(line.outputs for line in lines))
        patches = np.empty(shape, native(images.dtype))
        for part in cuts(len(images), prod(images.shape[1:]), images.dtype):
            unfold(images[part], lines, patches[part])
        return patches.reshape(len(images), self.taps, prod(line.outputs for line in lines))

    def folded(self, patches: Array, sizes: tuple[int, ...]) -> Array:
        """The images ``(planes, *sizes)`` that patches ``(planes, taps, places)`` add up to."""
        lines = self.lines(sizes)
        spread = patches.reshape(len(patches), *(line.taps for line in lines), *(line.outputs for line in lines))
        images = np.zeros((len(patches), *sizes), compute_type(patches.dtype))
        for part in cuts(len(images), prod(sizes), images.dtype):
            fold(spread[part].astype(images.dtype, copy=False), lines, images[part])
        return images

    def overlapping(self, sizes: tuple[int, ...], compute: np.dtype[Any], letter: str) -> SumOfEntries:
        """What is promised of images that patches add up to."""
        from symconv.kernels.accuracy.entries import SumOfEntries

        lines = self.lines(sizes)
        ones = np.ones((1, self.taps, prod(line.outputs for line in lines)))
        most = int(self.folded(ones, sizes).max(initial=0))
        return SumOfEntries(Unit.of(compute), f"∑|{letter}|", max(0, most - 1), most)

    def copied(self, compute: np.dtype[Any], letter: str) -> SumOfEntries:
        """What is promised of patches: they are copied."""
        from symconv.kernels.accuracy.entries import SumOfEntries

        return SumOfEntries(Unit.of(compute), f"|{letter}|", 0, 1)

    def reads(self, sizes: Sequence[Index], places: Sequence[Index], tap: Sequence[int]) -> tuple[Index, ...]:
        """What a tap reads at a place, with the numbers of `lines`."""
        found = []
        for window, size, place, m in zip(self.op.windows, sizes, places, tap, strict=True):
            found.append(window.stride * place + window.dilation * m - window.padding(size)[0])
        return tuple(found)

    def tap_by_tap(self) -> Iterator[tuple[int, ...]]:
        """The taps in the order in which they are gone through."""
        return product(*map(range, self.op.kernel_size))

    def check_channels(self, found: int, shape: tuple[int, ...], what: str) -> None:
        """Refuse another number of channels than the operator has; one that has one channel takes any number."""
        if self.op.in_channels not in (1, found):
            raise ArgumentError("x", shape, f"must have {what} ({self.op!r})")


class UnfoldKernel(PatchKernel):
    """``kernel(x)``: the entries under every window, ``(N, C*prod(kernel), places)``, row-major as in PyTorch.

    A batch may be left out, and a plane may come alone: ``(C, *spatial)`` gives ``(C*prod(kernel), places)``,
    ``(*spatial)`` gives ``(prod(kernel), places)``. An operator that was declared with one channel takes any number of
    them, as each is unfolded for itself. Entries keep their type.
    """

    op: Unfold
    functions = (tap_slices, unfold)
    gradient_functions = (tap_slices, fold)

    def computed(self, output: Formula) -> Node:
        """Every tap writes to its own rows what it reads."""
        ndim, indices = self.op.ndim, tuple(map(Index.of, output.indices))
        channel, mine, places = indices[: -2 * ndim], indices[-2 * ndim : -ndim], indices[-ndim:]
        sizes = tuple(map(Index.of, output.sizes))
        letter = next(tensor.name for tensor in output.tensors if tensor.role == "input")
        rows = []
        for tap in self.tap_by_tap():
            here = Bracket(tuple(equal(m, number) for m, number in zip(mine, tap, strict=True)))
            rows.append(times(here, Access(letter, (*channel, *self.reads(sizes, places, tap)))))
        return added_up(rows, self.op.kernel_size, frozenset((*output.parameters, *output.indices)))

    def arrange(self, x: Array) -> Planes:
        planes = super().arrange(x)
        channels = self.op.in_channels
        self.check_channels(planes.lead[-1] if planes.lead else 1, x.shape, f"{channels} channels before its positions")
        return planes

    def outputs(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        return (self.taps, prod(outputs_of(self.op, sizes)))

    def joined(self, lead: tuple[int, ...], outputs: tuple[int, ...]) -> tuple[int, ...]:
        return (*lead[:-1], prod(lead[-1:]) * outputs[0], outputs[1])

    def promise(self, of: str, sizes: tuple[int, ...], compute: np.dtype[Any]) -> SumOfEntries:
        return self.copied(compute, "a") if of == "output" else self.overlapping(sizes, compute, "g")

    def forward(self, x: Array) -> Array:
        return self.unfolded(x)

    def pull(self, g: Array, x: Array) -> Array:
        return self.folded(g, x.shape[1:])

    def push(self, x: Array, tangent: Array) -> Array:
        return self.unfolded(tangent)


class FoldKernel(PatchKernel):
    """``kernel(x)``: patches ``(N, C*prod(kernel), places)`` added up to images ``(N, C, *output_size)``.

    Without the batch, ``(C*prod(kernel), places)`` gives ``(C, *output_size)``. An operator that was declared with one
    channel takes any number of them. Sums of integers are exact, in int64, and refused where they might overflow.
    """

    op: Fold
    functions = (tap_slices, fold)
    gradient_functions = (tap_slices, unfold)

    def computed(self, output: Formula) -> Node:
        """Every tap adds its rows to what it reads, place by place."""
        ndim, indices = self.op.ndim, tuple(map(Index.of, output.indices))
        channel, position = indices[:-ndim], indices[-ndim:]
        patches = next(tensor for tensor in output.tensors if tensor.role == "input")
        taken = frozenset((*output.parameters, *output.indices))
        names = [fresh_name(f"k{axis}", taken) for axis in range(1, ndim + 1)]
        places = tuple(map(Index.of, names))
        bounds = [Bound(name, low, high) for name, (low, high) in zip(names, patches.box[-ndim:], strict=True)]
        sizes = tuple(map(Index.of, self.op.image_size))
        parts = []
        for tap in self.tap_by_tap():
            here = [equal(read, at) for read, at in zip(self.reads(sizes, places, tap), position, strict=True)]
            entry = Access(patches.name, (*channel, *map(Index.of, tap), *places))
            parts.append(summation(entry, *bounds, guards=here))
        return added_up(parts, self.op.kernel_size, taken.union(names))

    def result_type(self, x: Array) -> np.dtype[Any]:
        if x.dtype.kind == "f":
            return native(x.dtype)
        refuse_sum(x, largest_of(x) * self.taps)
        return np.dtype(np.int64)

    def arrange(self, x: Array) -> Planes:
        if x.ndim not in (2, 3):
            raise ArgumentError("x", x.shape, "must have the shape (N, C*prod(kernel), places) or without the N")
        places = tuple(line.outputs for line in self.lines(self.op.image_size))
        rows, columns = x.shape[-2:]
        if rows % self.taps or not rows:
            raise ArgumentError(
                "x", x.shape, f"must have a multiple of {self.taps} (the taps) rows on axis {x.ndim - 2}"
            )
        self.check_channels(rows // self.taps, x.shape, f"{self.op.in_channels}*{self.taps} rows: channels, then taps")
        if columns != prod(places):
            raise ArgumentError(
                "x",
                x.shape,
                f"must have {prod(places)} columns, as {' x '.join(map(str, places))} windows fit in an image of "
                f"{' x '.join(map(str, self.op.image_size))}",
            )
        lead = (*x.shape[:-2], rows // self.taps)
        return Planes(x.reshape(prod(lead), self.taps, columns), lead, (self.taps, columns))

    def outputs(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        return self.op.image_size

    def promise(self, of: str, sizes: tuple[int, ...], compute: np.dtype[Any]) -> SumOfEntries:
        if of == "output":
            return self.overlapping(self.op.image_size, compute, "a")
        return self.copied(compute, "g")

    def forward(self, x: Array) -> Array:
        return self.folded(x, self.op.image_size)

    def pull(self, g: Array, x: Array) -> Array:
        return self.unfolded(g)

    def push(self, x: Array, tangent: Array) -> Array:
        return self.folded(tangent, self.op.image_size)
