"""What worked exercises are made of: what is asked, tables of numbers, entries written out, a network at work.

They are blocks of a `symconv.report.document.Document` like those there, or parts of such. Numbers are texts that
Python made, such as ``−3``, ``1/3`` or ``≈ 0.245``; no writer works anything out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from symconv.report.inline import Inline, Math

__all__ = [
    "Asked",
    "CellState",
    "Entries",
    "Grid",
    "GridCell",
    "Grids",
    "Half",
    "Live",
    "Sheet",
    "Station",
    "Stations",
    "TheoremLine",
    "Witness",
    "WrittenEntry",
]


@dataclass(frozen=True)
class Asked:
    """The exercise's own words, in grey behind a bar.

    Attributes:
        paragraphs: each already split into text and formulas.
        by: whose words these are, in small letters above them.
    """

    paragraphs: tuple[tuple[Inline, ...], ...]
    by: str = "The exercise"


@dataclass(frozen=True)
class TheoremLine:
    """One line of a theorem: both sides, and a gloss of a few words in the reason column."""

    lhs: Math
    relation: str
    rhs: Math
    gloss: tuple[Inline, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """A table of texts and numbers, such as that of sizes, parameters, multiply-adds and receptive fields.

    Attributes:
        headings: one a column.
        rows: one tuple of cells a row.
        total: a last row, ruled off; empty for none.
        texts: whether the columns hold sentences, which stand at the left; numbers stand at the right.
    """

    headings: tuple[tuple[Inline, ...], ...]
    rows: tuple[tuple[tuple[Inline, ...], ...], ...]
    total: tuple[tuple[Inline, ...], ...] = ()
    texts: bool = False


CellState: TypeAlias = Literal[
    "z", "ring", "dead", "won", "me", "s1", "s2", "t1", "t2", "twin", "q1", "et", "eb", "el", "er"
]
"""What a cell is: z zero, ring outside and read as 0, dead stopped by ReLU, won the winner of its window; me the chosen
number, s1 a summand of it and s2 of what it came from, t1 and t2 what it flows into, twin its value or gradient; q1
shaded by itself; et, eb, el, er the sides of the cell that a frame runs along."""


@dataclass(frozen=True)
class GridCell:
    """One number of a table, as it is printed, and what it is; `states` hold each state once."""

    text: str
    states: tuple[CellState, ...] = ()


@dataclass(frozen=True)
class Grid:
    """A plane of a tensor as a table of numbers, or a small picture of numbers.

    Attributes:
        rows: the cells, all rows of one length.
        label: what it is, for screen readers: "X, channel 1".
        tensor: the name of the tensor in the page's map; empty for a picture that no choice lights up.
        lead: which plane of the tensor: the indices, counted from 0, of its axes before the last two.
        offset: the row and column of the tensor that the first cell shows, where it is cut out of a larger plane.
        turned: whether rows and columns of the tensor change places.
        kind: whose colour its numbers have.
        size: square cells; twice as large; or flat ones for vectors; "wide" for texts such as ln 3.
        window: the rows and columns of the windows that thick lines show; (0, 0) for none.
        caption: below the table.
    """

    rows: tuple[tuple[GridCell, ...], ...]
    label: str
    tensor: str = ""
    lead: tuple[int, ...] = ()
    offset: tuple[int, int] = (0, 0)
    turned: bool = False
    kind: Literal["value", "kernel", "gradient"] = "value"
    size: Literal["cell", "double", "flat", "wide"] = "cell"
    window: tuple[int, int] = (0, 0)
    caption: Math | None = None


@dataclass(frozen=True)
class Grids:
    """Tables of numbers beside each other, with signs between them; `signs` is empty or has one fewer than `grids`."""

    grids: tuple[Grid, ...]
    signs: tuple[Math, ...] = ()


@dataclass(frozen=True)
class WrittenEntry:
    """An entry written out: its name or place, its products as one line of text or a formula, and its value."""

    name: tuple[Inline, ...]
    products: tuple[Inline, ...]
    value: tuple[Inline, ...]


@dataclass(frozen=True)
class Entries:
    """Entries of a tensor written out one below the other, in columns where there is room."""

    rows: tuple[WrittenEntry, ...]


@dataclass(frozen=True)
class Half:
    """The upper or the lower half of a station: a caption, then rows of tables.

    Attributes:
        caption: such as the name of a gradient and its unit.
        rows: the tables; a row of a station of kernels has one table a channel out.
        labels: what stands beside each row, one a row, or none at all.
    """

    caption: tuple[Inline, ...]
    rows: tuple[tuple[Grid, ...], ...]
    labels: tuple[tuple[Inline, ...], ...] = ()


@dataclass(frozen=True)
class Station:
    """One layer of a figure of stations: its name, its shape, and one line of help stand above its numbers."""

    name: tuple[Inline, ...]
    shape: tuple[Inline, ...]
    values: Half
    gradients: Half | None = None


@dataclass(frozen=True)
class Live:
    """The panel of the chosen number as it is drawn without a script: its place, its formula, where it goes."""

    what: tuple[Inline, ...]
    formula: Math
    flows: tuple[Inline, ...]


@dataclass(frozen=True)
class Stations:
    """A network at work: a strip of stations, values above, gradients below, the chosen number between them."""

    id: str
    number: str
    stations: tuple[Station, ...]
    live: Live | None
    caption: tuple[Inline, ...]


@dataclass(frozen=True)
class Witness:
    """The smallest example against a line: tables with signs between them, and a sentence about it."""

    grids: Grids | None
    body: tuple[Inline, ...]
