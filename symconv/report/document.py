"""The frozen document model: what a report says, before any output language.

A `Document` is a list of blocks; a block holds inline runs. Text is always plain and escaped by the writer; `Math` is
LaTeX that symconv's own printer made. Nothing else may enter a document, so a title can never inject TeX or HTML.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from symconv.report.marks import Mark
from symconv.report.scene import Scene

__all__ = [
    "ArcMap",
    "Band",
    "Block",
    "Code",
    "Display",
    "Document",
    "Figure",
    "Inline",
    "Ledger",
    "LedgerRow",
    "Math",
    "Node",
    "Notation",
    "NotationRow",
    "Paragraph",
    "Reason",
    "Ref",
    "RelationLine",
    "Section",
    "StageHeading",
    "StatusLine",
    "Strong",
    "Substep",
    "Text",
]


@dataclass(frozen=True)
class Text:
    """Plain text, escaped by every writer."""

    text: str


@dataclass(frozen=True)
class Strong:
    """Emphasised plain text."""

    text: str


@dataclass(frozen=True)
class Math:
    r"""LaTeX from symconv's printer, ASCII and without dollar signs, of the subset that math-core and pdflatex share.

    `\SCkernel{..}` and `\SCupstream{..}` carry the two roles, `\SCbad{..}` marks a refuted token, `\SCzero` is the grey
    zero of a wide matrix, `\star` is the correlation.
    """

    latex: str


@dataclass(frozen=True)
class Code:
    """A name as one types it."""

    text: str


@dataclass(frozen=True)
class Ref:
    """A reference to the statement, section or figure with this id; `label` is what is printed."""

    target: str
    label: str


Inline: TypeAlias = Text | Strong | Math | Code | Ref


@dataclass(frozen=True)
class Substep:
    """One line of a structured reason: a number such as 4.1, what it says, and (folded on screen) why."""

    number: str
    body: tuple[Inline, ...]
    detail: tuple[Inline, ...] = ()


@dataclass(frozen=True)
class Reason:
    """Why a relation holds: a bold rule name, an explanation, substeps, and what it needs."""

    rule: str
    body: tuple[Inline, ...] = ()
    substeps: tuple[Substep, ...] = ()
    needs: tuple[Inline, ...] = ()


@dataclass(frozen=True)
class Section:
    """A question of the exercise: its own heading, with an optional note at the right."""

    id: str
    number: str
    title: tuple[Inline, ...]
    note: tuple[Inline, ...] = ()


@dataclass(frozen=True)
class StageHeading:
    """A stage of a derivation: a ruled heading with the quantifiers right-aligned."""

    id: str
    number: str
    title: tuple[Inline, ...]
    domain: tuple[Inline, ...] = ()


@dataclass(frozen=True)
class RelationLine:
    """One displayed relation: mark and number in the margin, left and right sides on one axis, the reason beside it.

    `lhs` may be empty (the chain goes on). `rows` holds further right-hand sides of one long relation, one line each: a
    row that begins with a relation sign stands on the axis, any other (such as `+ x`) behind the sign of the first.
    `large` is for a theorem. `qed` ends the chain.
    """

    id: str
    number: str
    mark: Mark
    lhs: Math
    relation: str
    rhs: Math
    reason: Reason | None = None
    rows: tuple[Math, ...] = ()
    large: bool = False
    qed: bool = False


@dataclass(frozen=True)
class Paragraph:
    """Running text in the statement column, or `wide` across both; `mark` and `number` may hang in the margin."""

    body: tuple[Inline, ...]
    wide: bool = False
    mark: Mark = "none"
    number: str = ""
    id: str = ""


@dataclass(frozen=True)
class Display:
    """A displayed formula without a relation axis, such as a matrix; wide ones scroll on screen and shrink on paper."""

    math: Math
    id: str = ""
    number: str = ""
    mark: Mark = "none"
    reason: Reason | None = None


@dataclass(frozen=True)
class NotationRow:
    """One definition: the object, its entry, what it is called, its size."""

    id: str
    number: str
    object: tuple[Inline, ...]
    entry: tuple[Inline, ...]
    name: str
    size: tuple[Inline, ...]


@dataclass(frozen=True)
class Notation:
    """The notation table, which is also the list of definitions; `convention` is printed beside the heading 'size'."""

    rows: tuple[NotationRow, ...]
    convention: str = ""
    footer: NotationRow | None = None


@dataclass(frozen=True)
class Figure:
    """Scenes side by side with operator signs between them, and a caption in the reason column.

    `signs` has one entry fewer than `scenes` (LaTeX such as `\\star` or `=`; empty for a plain gap).
    """

    id: str
    number: str
    scenes: tuple[Scene, ...]
    captions: tuple[Math, ...]
    signs: tuple[Math, ...]
    caption: tuple[Inline, ...]
    mark: Mark = "none"
    display: Math | None = None


@dataclass(frozen=True)
class Band:
    """A tinted band for what is wrong or contested, so that nothing false looks true."""

    title: tuple[Inline, ...]
    domain: tuple[Inline, ...]
    blocks: tuple[Block, ...]
    tone: Literal["refuted", "note"] = "refuted"


@dataclass(frozen=True)
class Node:
    """A statement in the map of what rests on what."""

    id: str
    number: str
    mark: Mark


@dataclass(frozen=True)
class ArcMap:
    """What rests on what: nodes in reading order; an arc (a, b) says that statement b uses statement a (indices)."""

    nodes: tuple[Node, ...]
    arcs: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class LedgerRow:
    """Which statements, what was recomputed, and what the argument is."""

    steps: tuple[Inline, ...]
    recomputed: tuple[Inline, ...]
    argument: tuple[Inline, ...]


@dataclass(frozen=True)
class Ledger:
    """The table that keeps the argument and the recomputation apart."""

    rows: tuple[LedgerRow, ...]
    headings: tuple[str, str, str] = ("steps", "recomputed, exactly and without the argument", "argument")


Block: TypeAlias = (
    Section | StageHeading | RelationLine | Paragraph | Display | Notation | Figure | Band | ArcMap | Ledger
)


@dataclass(frozen=True)
class StatusLine:
    """One line of the strip under the title: a mark and what it totals."""

    mark: Mark
    body: tuple[Inline, ...]


@dataclass(frozen=True)
class Document:
    """A whole report. `running` is the short title in the page head; `language` is an HTML language tag."""

    title: str
    lead: tuple[Inline, ...]
    blocks: tuple[Block, ...]
    status: tuple[StatusLine, ...] = ()
    author: str = ""
    running: str = ""
    language: str = "en"
    colophon: tuple[Inline, ...] = field(default=())
