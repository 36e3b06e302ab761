"""One plane of an array in a figure: what every cell is, in a word, and how that looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from symconv.report.drawing.panels import Cell, Outline, Panel, Span
from symconv.report.drawing.shapes import Paint, Stroke, Symbol, Tone

__all__ = ["LOOKS", "Plate", "Ring", "Spot", "State"]

State: TypeAlias = Literal[
    "read",
    "idle",
    "unread",
    "padding",
    "padding read",
    "gap",
    "gap read",
    "absent",
    "chosen",
    "waiting",
    "touching",
    "tap",
    "spare tap",
    "entry",
    "winner",
    "zero",
]
"""What a cell is in its figure."""

LOOKS: Mapping[State, tuple[Tone, Paint | None, str, str]] = {
    "read": ("upstream", Paint("upstream-mid"), "plain", "read by the window"),
    "idle": ("upstream", Paint("upstream-soft"), "plain", "read by other windows"),
    "unread": ("zero", None, "struck", "read by no output"),
    "padding": ("zero", None, "plain", "padding"),
    "padding read": ("mute", Paint("hair", 45), "plain", "padding under the window"),
    "gap": ("zero", Paint("hair", 15), "plain", "a zero put in between"),
    "gap read": ("mute", Paint("hair", 45), "plain", "a zero put in between, under the window"),
    "absent": ("zero", None, "absent", "beyond the padding"),
    "chosen": ("paper", Paint("ink", 82), "plain", "the entry that the figure is about"),
    "waiting": ("mute", None, "plain", "another entry"),
    "touching": ("kernel", Paint("kernel-mid"), "plain", "an output that reads the entry"),
    "tap": ("kernel", Paint("kernel-mid"), "plain", "a weight that meets an entry"),
    "spare tap": ("kernel", Paint("kernel-soft"), "plain", "a weight that meets none"),
    "entry": ("ink", None, "plain", "an entry"),
    "winner": ("upstream", Paint("upstream-mid"), "plain", "the largest of its window"),
    "zero": ("zero", None, "plain", "0"),
}
"""For every state: ink, ground, pattern, and the words of the legend."""


@dataclass(frozen=True)
class Spot:
    """One cell: its state, what stands in it, and a ground of its own where grounds are graded."""

    state: State
    content: Symbol | str = ""
    ground: Paint | None = None

    def cell(self) -> Cell:
        """How it is drawn."""
        ink, ground, look, _ = LOOKS[self.state]
        if self.ground is not None:
            ink, ground = "ink", self.ground
        if self.state in ("padding", "padding read") and self.content == "":
            look = "hatched"
        return Cell(self.content, ink, ground, look)


WINDOW = Stroke("kernel", "bold")
"""The line around a window and around the kernel."""


@dataclass(frozen=True)
class Ring:
    """A rectangle around height x width places from (top, left) on."""

    top: int
    left: int
    height: int
    width: int
    stroke: Stroke = WINDOW


@dataclass(frozen=True)
class Plate:
    """A plane of an array.

    Attributes:
        heading: what stands above it.
        role: "input", "weight", "output", "matrix".
        letter: the letter of the array.
        lead: the indices of the array before those of the plane, from 0: its channel.
        rows, columns: which places are shown; a row for an array of one axis.
        tiles: every shown place, counted from 0, where the array starts; entry i of an input that is stretched by s
            stands at place s*i.
        stretch: how far neighbouring entries stand apart, rows first.
        frames: the rectangles on it, such as the window.
        flat: whether the plane is a single axis.
    """

    heading: str
    role: str
    letter: str
    lead: tuple[int, ...]
    rows: Span
    columns: Span
    tiles: Mapping[tuple[int, int], Spot] = field(hash=False)
    stretch: tuple[int, int] = (1, 1)
    frames: tuple[Ring, ...] = ()
    flat: bool = False

    def panel(self) -> Panel:
        """The grid that is drawn."""
        outlines = tuple(Outline(f.top, f.left, f.height, f.width, f.stroke) for f in self.frames)
        return Panel(self.rows, self.columns, lambda r, c: self.tiles[r, c].cell(), outlines, self.heading, "")

    def record(self) -> dict[str, Any]:
        """What is drawn, for programs: places from 0, as [row, column], or as a number where there is one axis."""

        def place(row: int, column: int) -> Any:
            return column if self.flat else [row, column]

        states: dict[str, list[Any]] = {}
        for (row, column), tile in sorted(self.tiles.items()):
            states.setdefault(tile.state, []).append(place(row, column))
        spans = (self.columns,) if self.flat else (self.rows, self.columns)
        frames = ((f.left, f.width) if self.flat else (f.top, f.left, f.height, f.width) for f in self.frames)
        return {
            "array": self.letter,
            "role": self.role,
            "heading": self.heading,
            "channel": list(self.lead),
            "shown": [[span.first, span.stop] for span in spans],
            "of": [[span.low, span.high] for span in spans],
            "stretch": list(self.stretch[1:] if self.flat else self.stretch),
            "states": states,
            "frames": [list(frame) for frame in frames],
        }
