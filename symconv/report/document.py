"""The frozen document model: what a report says, before any output language.

A `Document` is a list of blocks; a block holds inline runs. Text is always plain and escaped by the writer; `Math` is
LaTeX that symconv's own printer made. Nothing else may enter a document, so a title can never inject TeX or HTML.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from symconv.report.exercise import Asked, Entries, Grids, Sheet, Stations, TheoremLine, Witness
from symconv.report.inline import Code, Inline, Math, Ref, Strong, Text
from symconv.report.marks import Mark
from symconv.report.scene import Scene

__all__ = [
    "Band",
    "Block",
    "Code",
    "Display",
    "Document",
    "FigureBlock",
    "Folded",
    "Graded",
    "GradedLine",
    "Inline",
    "Ledger",
    "LedgerRow",
    "Math",
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
    "TheoremBlock",
]


@dataclass(frozen=True)
class Substep:
    """One line of a structured reason: a number such as 4.1, what it says, and (folded on screen) why.

    Where it is a verdict of its own, such as one of two on one claim, it has a mark, which counts instead of the mark
    of its statement.
    """

    number: str
    body: tuple[Inline, ...]
    detail: tuple[Inline, ...] = ()
    mark: Mark = "none"


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
    `large` is for a theorem. `qed` ends the chain. `about` names the tensors of the page's map that the statement
    speaks of; it gets a bar in the margin while an entry of one of them is chosen.
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
    about: tuple[str, ...] = ()


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
class FigureBlock:
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
class Folded:
    """Blocks behind a line that opens and closes them; all are open in print and on paper.

    Attributes:
        summary: the line, such as "Proof" or "All 72 entries, written out".
        blocks: what is folded.
        proof: whether it is indented behind a hairline, as a proof is.
        open: whether it is open when the page opens.
    """

    summary: tuple[Inline, ...]
    blocks: tuple[Block, ...]
    proof: bool = False
    open: bool = False


@dataclass(frozen=True)
class TheoremBlock:
    """A theorem, stated before it is proved: its lines stand on one axis.

    Attributes:
        id, number, mark: as for a statement; the number is such as T1.
        name: in bold, such as "A convolution with bias".
        hypotheses: a sentence that ends where the lines begin, such as "Let ... Then for all channels o and c".
        lines: at least one.
        proof: folded under it; a square ends it. None for a theorem that is proved elsewhere.
        about: the tensors of the map that it speaks of; it gets a bar in the margin while an entry of one is chosen.
    """

    id: str
    number: str
    mark: Mark
    name: str
    hypotheses: tuple[Inline, ...]
    lines: tuple[TheoremLine, ...]
    proof: Folded | None = None
    about: tuple[str, ...] = ()


@dataclass(frozen=True)
class GradedLine:
    """One line of a solution.

    Attributes:
        id, number, mark: the number is such as L3; refuted lines stand in a tinted band.
        written: the line as it was written, without quotes; what is wrong in it is in `\\SCbad`.
        verdict: in the reason column: a bold word and an explanation.
        verdict_word: the bold word, such as "Right," or "Wrong.".
        witness: against a refuted line.
        repair: statements outside the band that put it right, numbered L3'.
    """

    id: str
    number: str
    mark: Mark
    written: tuple[Inline, ...]
    verdict_word: str
    verdict: tuple[Inline, ...] = ()
    witness: Witness | None = None
    repair: tuple[Block, ...] = ()


@dataclass(frozen=True)
class Graded:
    """A solution, graded: a tally, then its lines; `score` is such as "4 of 8 lines stand"."""

    score: tuple[Inline, ...]
    lines: tuple[GradedLine, ...]


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
    Section
    | StageHeading
    | RelationLine
    | Paragraph
    | Display
    | Notation
    | FigureBlock
    | Band
    | Ledger
    | Asked
    | Folded
    | TheoremBlock
    | Sheet
    | Grids
    | Entries
    | Stations
    | Graded
)


@dataclass(frozen=True)
class StatusLine:
    """One line of the strip under the title: a mark, how many statements have it, and what it means."""

    mark: Mark
    body: tuple[Inline, ...]


@dataclass(frozen=True)
class Document:
    """A whole report.

    Attributes:
        running: the short title in the page head.
        language: an HTML language tag.
        map: JSON of the numbers of the page and of what each was worked out from, as `symconv.report.numbers` gives it;
            empty where no number of the page can be chosen.
    """

    title: str
    lead: tuple[Inline, ...]
    blocks: tuple[Block, ...]
    status: tuple[StatusLine, ...] = ()
    author: str = ""
    running: str = ""
    language: str = "en"
    colophon: tuple[Inline, ...] = field(default=())
    map: str = ""
