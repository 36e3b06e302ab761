"""Grayscale morphology: dilation and erosion, the convolution of the algebra in which a maximum stands for the sum.

Source: Serra, "Image Analysis and Mathematical Morphology" (1982), chapter XII; Haralick, Sternberg and Zhuang, "Image
analysis using mathematical morphology" (IEEE PAMI 9, 1987), definitions 24 and 29.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, ClassVar, Literal

from symconv.formulas.algebra import Access, Guard, Node, Reduce, add, between, const, product
from symconv.formulas.index import Index
from symconv.operators.base import Variable
from symconv.operators.frame import Geometry
from symconv.operators.option import DILATION, FLIP, KERNEL_SIZE, PADDING, STRIDE
from symconv.operators.windowed import Windowed

__all__ = ["Dilation", "Erosion", "Morphology"]

TURNED = replace(FLIP, words="whether the weight is turned around", noun="weight turned around")


class Morphology(Windowed):
    """What dilation and erosion share: a weight for every tap, and windows in which padding is absent."""

    variables: ClassVar[tuple[Variable, ...]] = ("input", "weight")
    extremum: ClassVar[Literal["max", "min"]]
    flip: bool

    @property
    def noun(self) -> str:
        return type(self).__name__.lower()

    @property
    def phrase(self) -> str:
        return f"{'an' if self.noun[0] in 'aeiou' else 'a'} {self.noun}"

    @abstractmethod
    def moved(self, entry: Access, weight: Access) -> Node:
        """What a tap makes of the entry that it reads."""

    def body(self, geometry: Geometry) -> Node:
        position: list[Index] = []
        guards: list[Guard] = []
        taps = self.axes("weight", geometry)
        outputs = self.axes("output", geometry)
        for window, o, tap, size in zip(self.windows, outputs, taps, geometry.sizes, strict=True):
            m = window.k - 1 - tap.index if self.flip else tap.index
            read = window.tap(o.index, m, size)
            position.append(read)
            guards += between(0, read, size - 1)
        entry = Access(geometry.letters.input, tuple(position))
        weight = Access(geometry.letters.weight, tuple(tap.index for tap in taps))
        whole = Reduce(self.extremum, tuple(tap.bound for tap in taps), tuple(guards), self.moved(entry, weight))
        return self.settled(whole, outputs, geometry)


@dataclass(frozen=True, repr=False)
class Dilation(Morphology):
    """Grayscale dilation: the largest sum of an entry and the weight of its tap; padding never wins.

    ``c[p, q] = max over m, n of a[s*p + D*m - P, s*q + D*n - P] + b[m, n]`` (0-based), over the taps that find an
    entry. The weight is the structuring function; a weight of 0 for all taps makes it max pooling. The gradient of a
    maximum that several taps attain goes to the first of them in row-major order, as for `MaxPool`.

    >>> print(Dilation((3,), padding=1).output())
    c[p] = max(0 ≤ m ≤ 2, 1 ≤ p + m ≤ I) (a[p+m−1] + b[m])
    """

    kernel_size: Any = field(metadata=KERNEL_SIZE.metadata)
    stride: Any = field(default=1, metadata=STRIDE.metadata)
    padding: Any = field(default=0, metadata=PADDING.metadata)
    dilation: Any = field(default=1, metadata=DILATION.metadata)
    flip: bool = field(default=False, metadata=TURNED.metadata)
    _: KW_ONLY
    ndim: int = 2

    extremum: ClassVar[Literal["max", "min"]] = "max"

    def moved(self, entry: Access, weight: Access) -> Node:
        return add(entry, weight)


@dataclass(frozen=True, repr=False)
class Erosion(Morphology):
    """Grayscale erosion: the smallest difference of an entry and the weight of its tap; padding never wins.

    ``c[p, q] = min over m, n of a[s*p + D*m - P, s*q + D*n - P] - b[m, n]`` (0-based), over the taps that find an
    entry. It is the dilation of -a by the same weight, with the sign changed.

    >>> print(Erosion((2,)).output())
    c[p] = min(0 ≤ m ≤ 1) (a[p+m] − b[m])
    """

    kernel_size: Any = field(metadata=KERNEL_SIZE.metadata)
    stride: Any = field(default=1, metadata=STRIDE.metadata)
    padding: Any = field(default=0, metadata=PADDING.metadata)
    dilation: Any = field(default=1, metadata=DILATION.metadata)
    flip: bool = field(default=False, metadata=TURNED.metadata)
    _: KW_ONLY
    ndim: int = 2

    extremum: ClassVar[Literal["max", "min"]] = "min"

    def moved(self, entry: Access, weight: Access) -> Node:
        return add(entry, product(const(-1), weight))
