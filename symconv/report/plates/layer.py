"""A layer at a size, ready to be drawn: its index map, its arrays, and where the entries of the input stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from typing import Any

import numpy as np

from symconv.doors import instance, items, plain_integer
from symconv.errors import ArgumentError, GeometryError, NotSupportedError, SizeLimitError
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.reads import Read, read_tables, reads
from symconv.operators.base import Operator
from symconv.operators.convolution import padded_position
from symconv.operators.transposed import ConvTranspose
from symconv.operators.window import Window
from symconv.operators.windowed import Spreading, Windowed
from symconv.report.drawing.panels import Span, visible
from symconv.report.drawing.shapes import Symbol
from symconv.report.plates.plate import Plate

__all__ = ["DrawnLayer", "index_words"]

Place = tuple[int, ...]
Cut = tuple[Span, Span]

MOST_PLANES = 4
"""Channels of an array that are drawn; the words of a figure say how many there are."""
LARGEST, MOST_TAPS = 1_000_000, 10_000
"""Entries on an axis of an array, and taps of a window, that a figure is made of."""


@dataclass(frozen=True)
class DrawnLayer:
    """An operator with numbers for all its sizes.

    Attributes:
        op, size: the operator, and the size of its input, an integer a spatial axis.
        formula: the formula of one output at that size, with indices from 0.
        env: numbers for what the formula leaves open.
        base: what the first index is called, 0 or 1.
    """

    op: Operator
    size: Place
    formula: Formula
    env: Mapping[str, int]
    base: int

    @classmethod
    def of(cls, op: Any, size: Any, names: Any = None, base: int = 0) -> DrawnLayer:
        """Check what was given.

        Raises:
            ArgumentError: for what is no operator, symbolic options, or a wrong size.
            GeometryError: where no window fits.
        """
        instance("op", op, Operator, "must be an operator, such as sc.Conv(3), or a network")
        plain_integer("index_base", base, requirement="must be 0 or 1")
        if base not in (0, 1):
            raise ArgumentError("index_base", base, "must be 0 or 1")
        if size is None:
            raise ArgumentError("input_size", None, "must be given: a figure has numbers for all sizes")
        given = items(size)
        entries = tuple(plain_integer("input_size", n, 1) for n in ((size,) if given is None else given))
        _check_windows(op.windows if isinstance(op, Windowed) else (), entries)
        formula = op.output(names=names, input_size=entries)
        return cls(op, entries, formula, formula.environment(None, {}), base)

    # ------------------------------------------------------------------ arrays

    @cached_property
    def letters(self) -> dict[str, str]:
        """The letter of every array, by role."""
        return {"output": self.formula.quantity.of[0], **{t.role: t.name for t in self.formula.tensors}}

    @cached_property
    def shapes(self) -> dict[str, Place]:
        """The extent of every index of every array, by role."""
        found: dict[str, Place] = {
            t.role: tuple(int((high - low + 1).evaluate(self.env)) for low, high in t.box) for t in self.formula.tensors
        }
        outputs = tuple(max(0, r.stop - r.start) for r in self.formula.ranges(self.env))
        for role, shape in (("output", outputs), *found.items()):
            if max(shape, default=1) > LARGEST:
                raise SizeLimitError(f"the {role} has {max(shape):,} entries on an axis, too many to be drawn")
        return {"output": outputs, **found}

    @cached_property
    def slides(self) -> bool:
        """Whether a window of one size goes over the places of the input, which may be stretched."""
        reads_windows = isinstance(self.op, ConvTranspose) or not isinstance(self.op, Spreading)
        return (
            isinstance(self.op, Windowed)
            and reads_windows
            and len(self.shapes["input"]) - self.op.spatial_axes in (0, 1)
        )

    @property
    def spreads(self) -> bool:
        """Whether the window goes over the stretched input of a transposed layer."""
        return self.slides and isinstance(self.op, Spreading)

    def axes(self, role: str) -> int:
        """How many of the last indices of an array lie in its plane."""
        rank = len(self.shapes[role])
        if not self.slides:
            return min(rank, 2)
        if self.op.spatial_axes > 2:
            raise NotSupportedError(
                f"a figure is flat: it shows 1 or 2 spatial axes, got {self.op.spatial_axes}; draw two of them"
            )
        return self.op.spatial_axes if role in ("input", "output", "weight") else min(rank, 2)

    def split(self, role: str, index: Place) -> tuple[Place, Place]:
        """The channel of an entry, and its place in the plane."""
        cut = len(index) - self.axes(role)
        return index[:cut], index[cut:]

    def leads(self, role: str) -> Iterator[Place]:
        """The channels of an array in order."""
        shape = self.shapes[role]
        yield from product(*map(range, shape[: len(shape) - self.axes(role)]))

    def planes(self, role: str, first: Sequence[Place]) -> list[Place]:
        """Channels to draw: those that matter, then others up to the limit, in order."""
        chosen = list(dict.fromkeys(first))[:MOST_PLANES]
        for lead in self.leads(role):
            if len(chosen) >= MOST_PLANES:
                break
            if lead not in chosen:
                chosen.append(lead)
        return sorted(chosen)

    def symbol(self, role: str, index: Place) -> Symbol:
        """An entry as it is printed."""
        return Symbol(self.letters[role], tuple(i + self.base for i in index))

    def entry_words(self, role: str, index: Place) -> str:
        """An entry in a sentence."""
        if not index:
            return self.letters[role]
        return f"{self.letters[role]}[{', '.join(str(i + self.base) for i in index)}]"

    def heading(self, role: str, lead: Place) -> str:
        """What stands above a plane."""
        words = {"input": "input", "weight": "kernel", "output": "output"}[role]
        if not lead:
            return f"{words} {self.letters[role]}"
        return f"{self.letters[role]}, channel {index_words(lead, self.base)}"

    def output_at(self, at: Any, role: str = "output") -> Place:
        """An index as it was given, as an index from 0; the channel may be left out for the first one.

        Raises:
            GeometryError: for no index of the array.
        """
        shape = self.shapes[role]
        noun = "output" if role == "output" else "input entry"
        if at is None:
            lead = len(shape) - self.axes(role)
            return tuple(0 if axis < lead else (extent - 1) // 2 for axis, extent in enumerate(shape))
        entries = items(at)
        given = tuple(plain_integer("at", i) for i in ((at,) if entries is None else entries))
        index = tuple(i - self.base for i in given)
        index = (0,) * (len(shape) - len(index) if len(index) == self.axes(role) else 0) + index
        if len(index) != len(shape) or any(not 0 <= i < n for i, n in zip(index, shape, strict=True)):
            last = ", ".join(str(n - 1 + self.base) for n in shape)
            raise GeometryError(
                "at",
                at,
                f"must be the index of an {noun}, from {index_words((0,) * len(shape), self.base)} to ({last})",
            )
        return index

    # ------------------------------------------------------------------ the index map

    def reads(self, output: Place) -> tuple[Read, ...]:
        """What one output reads of the input."""
        return reads(self.formula, self.env, entries=[(i, i) for i in output], limit=MOST_TAPS)

    def readers(self, entry: Place) -> tuple[Read, ...]:
        """What reads one entry of the input."""
        return reads(self.formula, self.env, within=[(i, i) for i in entry], limit=MOST_TAPS)

    def counts(self, lead: Place, cut: Cut) -> dict[Place, int] | None:
        """How many outputs read each entry of a plane of the input that is shown; None where they are too many."""
        shape = self.shapes["input"][len(lead) :]
        ranges = self._shown(cut, shape)
        if ranges is None:
            return {}
        try:
            tables = read_tables(self.formula, self.env, within=[*((i, i) for i in lead), *ranges])
        except SizeLimitError:
            return None
        outputs = self.shapes["output"]
        pairs = [
            np.ravel_multi_index(tuple(table.at[:, len(lead) :].T), shape) * prod(outputs)
            + (np.ravel_multi_index(tuple(table.entry.T), outputs) if outputs else 0)
            for table in tables
        ]
        if not pairs:
            return {}
        read = np.unique(np.concatenate(pairs)) // prod(outputs)
        places, counts = np.unique(read, return_counts=True)
        where = zip(*(axis.tolist() for axis in np.unravel_index(places, shape)), strict=True)
        return dict(zip(where, counts.tolist(), strict=True))

    def _shown(self, cut: Cut, shape: Place) -> list[tuple[int, int]] | None:
        """The entries of the input that stand at the shown places; None for none."""
        spans = cut[2 - len(shape) :]
        ranges = []
        for span, step, n in zip(spans, self.stretch, shape, strict=True):
            low, high = max(0, -(-span.first // step)), min(n - 1, (span.stop - 1) // step)
            if low > high:
                return None
            ranges.append((low, high))
        return ranges

    @cached_property
    def pads_with_zeros(self) -> bool:
        """Whether taps outside the input read a zero, as in a sum; a maximum knows nothing there."""
        if self.spreads:
            return True  # its sum goes over the entries that there are, which is the same
        corners = product(*({0, n - 1} for n in self.shapes["output"][-self.axes("output") :]))
        lead = (0,) * (len(self.shapes["output"]) - self.axes("output"))
        return any(not read.inside for corner in corners for read in self.reads((*lead, *corner)))

    # ------------------------------------------------------------------ places

    @cached_property
    def stretch(self) -> Place:
        """How far neighbouring entries of the input stand apart, an entry an axis of the plane."""
        if self.spreads:
            return tuple(int(s) for s in self.op.stride)  # type: ignore[attr-defined]
        return (1,) * self.axes("input")

    def place(self, plane: Place) -> Place:
        """Where an entry of the input stands."""
        return tuple(i * step for i, step in zip(plane, self.stretch, strict=True))

    def window(self, axis: int, output: int) -> list[int]:
        """The places on an axis that the taps of an output stand at, tap by tap."""
        window, n = self.op.windows[axis], self.size[axis]
        taps = range(int(window.k.evaluate({})))
        if self.spreads:
            start = output + int(window.padding(self.shapes["output"][-self.axes("output") :][axis])[0].evaluate({}))
            return [start - int(window.d.evaluate({})) * tap for tap in taps]
        return [int(window.tap(output, tap, n).evaluate({})) for tap in taps]

    @cached_property
    def extent(self) -> tuple[tuple[int, int], ...]:
        """(first, one past the last) place of the input with all windows over it, an entry an axis of the plane."""
        plane = self.shapes["input"][-self.axes("input") :]
        found = []
        for axis, (low, high) in enumerate(self.padded):
            if self.slides:
                last = self.shapes["output"][-self.axes("output") :][axis] - 1
                ends = [*self.window(axis, 0), *self.window(axis, last)]
                low, high = min(low, *ends), max(high, *(end + 1 for end in ends))
            found.append((low, high))
        assert len(found) == len(plane)
        return tuple(found)

    @cached_property
    def padded(self) -> tuple[tuple[int, int], ...]:
        """(first, one past the last) place of the input with its padding."""
        plane = self.shapes["input"][-self.axes("input") :]
        found = []
        for axis, (n, step) in enumerate(zip(plane, self.stretch, strict=True)):
            low, high = 0, step * (n - 1) + 1
            if self.spreads:
                last = self.shapes["output"][-self.axes("output") :][axis] - 1
                ends = [*self.window(axis, 0), *self.window(axis, last)]
                low, high = min(low, *ends), max(high, *(end + 1 for end in ends))
            elif self.slides:
                before, after = (int(side.evaluate({})) for side in self.op.windows[axis].padding(n))
                low, high = min(low, -before), max(high, n + after)
            found.append((low, high))
        return tuple(found)

    def copied(self, plane: Place) -> Place | None:
        """The entry that a padding mode puts at a place outside the input; None where it puts none."""
        mode = getattr(self.op, "padding_mode", "zeros")
        if mode == "zeros" or not self.slides:
            return None
        found = []
        for place, n in zip(plane, self.shapes["input"][-self.axes("input") :], strict=True):
            index = int(padded_position(mode, Index.of(place), Index.of(n)).evaluate({}))
            if not 0 <= index < n:
                return None
            found.append(index)
        return tuple(found)

    def cut(self, role: str, focus: Place | None = None, span: Place | None = None) -> Cut:
        """What is shown of a plane: all of it, or what is around some places."""
        if role == "input":
            ends = list(self.extent)
        else:
            ends = [(0, n) for n in self.shapes[role][-self.axes(role) :]]
        start = focus or tuple(low for low, _ in ends)
        sizes = span or (1,) * len(start)
        marks = [(first, first + size) for first, size in zip(start, sizes, strict=True)]
        if len(ends) == 1:
            return visible((0, 1), ends[0], (0, 1), marks[0])
        if not ends:
            return visible((0, 1), (0, 1), (0, 1), (0, 1))
        return visible(ends[0], ends[1], marks[0], marks[1])

    def plate(self, role: str, lead: Place, cut: Cut, tiles: Any, **more: Any) -> Plate:
        """A plane of an array; `tiles` gives the tile of a place (of as many numbers as the plane has axes)."""
        axes = self.axes(role)
        made = {(r, c): tiles((r, c)[2 - axes :]) for r in cut[0].shown() for c in cut[1].shown()}
        stretch = ((1,) * (2 - axes) + self.stretch) if role == "input" else (1, 1)
        return Plate(
            more.pop("heading", self.heading(role, lead)),
            role,
            self.letters[role],
            lead,
            *cut,
            made,
            stretch=(stretch[0], stretch[1]),
            flat=axes == 1,
            **more,
        )


def _check_windows(windows: Sequence[Window], sizes: Place) -> None:
    """Refuse windows that are too large to be drawn, and numbers that arrays of places do not hold."""
    taps = prod(k for k in (window.k.value for window in windows) if k is not None)
    if taps > MOST_TAPS:
        raise SizeLimitError(f"a window of {taps:,} taps is too large to be drawn (limit {MOST_TAPS:,})")
    for window, n in zip(windows, sizes, strict=False):
        for part in (window.s, window.span, *window.padding(n)):
            if part.value is not None and abs(part.value) > LARGEST:
                raise SizeLimitError(f"{window!r} goes over more than {LARGEST:,} places and is too large to be drawn")


def index_words(index: Place, base: int) -> str:
    """An index as it is said: a number, or numbers in brackets."""
    shown = [str(i + base) for i in index]
    return shown[0] if len(shown) == 1 else f"({', '.join(shown)})"
