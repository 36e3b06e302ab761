"""One call of a framework, the operator that it should be, and the options that it is made of."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, product
from math import prod
from typing import Any

from symconv.audits.isolation import Work
from symconv.audits.reading import Array
from symconv.errors import SymconvError
from symconv.operators.base import Operator

__all__ = ["AuditedFramework", "FrameworkCall", "OptionSpace", "Point", "Value", "literal", "sides"]

Value = Any
Point = Mapping[str, Value]
"""A place in the space of options: a value for each of them."""


@dataclass(frozen=True)
class FrameworkCall:
    """One call.

    Attributes:
        function: what is called.
        operator: what it should be.
        sizes: the spatial input size.
        dtype: the type of all arrays.
        keywords: what it is called with besides the arrays: numbers, texts and tuples of these.
        layout, weight_layout: the order of the axes of the arrays.
    """

    function: str
    operator: Operator
    sizes: tuple[int, ...]
    dtype: str
    keywords: Mapping[str, Value]
    layout: str | None = None
    weight_layout: str | None = None

    @property
    def text(self) -> str:
        """What the process of the framework is told of it."""
        return json.dumps([self.function, dict(self.keywords), self.dtype])

    def __str__(self) -> str:
        said = ", ".join(f"{name}={value!r}" for name, value in self.keywords.items())
        return f"{self.function}({said})"


Built = tuple[Operator, Mapping[str, Value]]


@dataclass(frozen=True)
class OptionSpace:
    """A function with its options.

    Attributes:
        function: what is called.
        options: the values of each option that are tried, the plainest first; "size" and "dtype" are among them.
        build: gives the operator and the keywords of a place in the space of options; None where the documentation
            excludes it.
        gradients: whether the framework gives gradients.
        layout, weight_layout: the order of the axes of the arrays; None for channels first.
        promises: what the documentation says of special entries, by what is special about them.
        title: the name that functions of several numbers of axes share.
    """

    function: str
    options: Mapping[str, tuple[Value, ...]]
    build: Callable[[Point], Built | None]
    gradients: bool = False
    layout: str | None = None
    weight_layout: str | None = None
    promises: Mapping[str, str] = field(default_factory=dict)
    title: str = ""

    def call(self, point: Point) -> FrameworkCall | None:
        """The call at a place; None where no window fits, or the documentation excludes it."""
        try:
            built = self.build(point)
            if built is None or prod(int(n) for n in built[0].output_size(point["size"])) == 0:
                return None
        except SymconvError:
            return None
        return FrameworkCall(
            self.function, built[0], point["size"], point["dtype"], built[1], self.layout, self.weight_layout
        )  # fmt: skip

    def points(self, seed: int) -> Iterator[Point]:
        """All places, those first that differ from the plain one in few options, the most unusual values of them first.

        With the plain place as it is, one option, two options; then places at random, no end of them but that of the
        space.
        """
        plain = {name: values[0] for name, values in self.options.items()}
        seen = set()
        for count in range(3):
            for names in combinations(self.options, count):
                for values in product(*(self.options[name][:0:-1] for name in names)):
                    point = {**plain, **dict(zip(names, values, strict=True))}
                    seen.add(tuple(point.values()))
                    yield point
        total = prod(len(values) for values in self.options.values())
        draw = random.Random(f"{seed} {self.function}")  # noqa: S311 - to choose cases
        missed = 0
        while len(seen) < total and missed < 10_000:
            point = {name: draw.choice(values) for name, values in self.options.items()}
            if tuple(point.values()) in seen:
                missed += 1
                continue
            missed = 0
            seen.add(tuple(point.values()))
            yield point


@dataclass(frozen=True)
class AuditedFramework:
    """A framework.

    Attributes:
        name: on the command line.
        title: in print.
        packages: the packages whose versions are printed; the first must be there.
        families: its functions.
        start: imports it, in a process of its own, and gives what calls it.
        script: the source of a program that makes one call on arrays and prints what it gives, without symconv; the
            second argument has the arrays by variable, and the gradient of the output as "upstream".
    """

    name: str
    title: str
    packages: tuple[str, ...]
    families: Callable[[], tuple[OptionSpace, ...]]
    start: Callable[[], Work]
    script: Callable[[FrameworkCall, Mapping[str, Array]], str]


def literal(array: Array) -> str:
    """An array as nested lists in Python's notation, with NaN and infinities.

    >>> import numpy as np
    >>> literal(np.array([[0.5, np.nan], [1.0, -np.inf]]))
    '[[0.5, float("nan")], [1.0, float("-inf")]]'
    """
    text = repr(array.tolist())
    for name in ("-inf", "inf", "nan"):
        text = text.replace(f" {name}", f' float("{name}")').replace(f"[{name}", f'[float("{name}")')
    return text


def sides(value: Any, axes: int) -> tuple[tuple[int, int], ...]:
    """Paddings as pairs, one an axis."""
    return tuple((value, value) if isinstance(value, int) else tuple(value) for _ in range(axes))
