"""What both writers ask of a document before they write it: its parts, its marks, its widest margin number."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar, get_args

from symconv.errors import RenderError
from symconv.report.document import (
    Band,
    Block,
    Display,
    Document,
    FigureBlock,
    Folded,
    Graded,
    GradedLine,
    Notation,
    Paragraph,
    Ref,
    RelationLine,
    Section,
    StageHeading,
    TheoremBlock,
)
from symconv.report.exercise import Asked, Entries, Grid, Grids, Sheet, Stations
from symconv.report.marks import Mark

__all__ = [
    "MARK_MEANINGS",
    "Part",
    "all_blocks",
    "check_document",
    "is_exercise",
    "margin_numbers",
    "marked",
    "marks_used",
    "parts",
    "starts_relation",
]

_EXERCISE = (Asked, Entries, Folded, Graded, Grids, Sheet, Stations, TheoremBlock)
_MODEL = frozenset({Ref.__module__, Document.__module__, Grid.__module__})

_RELATION = re.compile(
    r"(?:\\(?:leq?|geq?|neq?|equiv|approx|in|overset|stackrel|iff|implies|to|mapsto)(?![A-Za-z])|[=<>])"
)

MARK_MEANINGS: dict[Mark, str] = {
    "definition": "definition",
    "proved": "proved for all symbolic sizes",
    "exact": "exact at one size",
    "refuted": "refuted",
    "undecided": "undecided",
}
"""What the legend says; a `none` mark has no meaning and is not drawn."""


@dataclass(frozen=True)
class Part:
    """A section with the blocks up to the next one; its statements share one axis. The first may have no section."""

    section: Section | None
    blocks: tuple[Block, ...]


def parts(document: Document) -> tuple[Part, ...]:
    """The blocks, split in front of every section; no block is lost and the order stays."""
    groups: list[tuple[Section | None, list[Block]]] = [(None, [])]
    for block in document.blocks:
        if isinstance(block, Section):
            groups.append((block, []))
        else:
            groups[-1][1].append(block)
    return tuple(Part(section, tuple(blocks)) for section, blocks in groups if section or blocks)


def all_blocks(blocks: tuple[Block, ...]) -> Iterator[Block]:
    """Every block in reading order, those inside bands, proofs and repairs too."""
    for block in blocks:
        yield block
        if isinstance(block, Band | Folded):
            yield from all_blocks(block.blocks)
        elif isinstance(block, TheoremBlock) and block.proof:
            yield from all_blocks((block.proof,))
        elif isinstance(block, Graded):
            for line in block.lines:
                yield from all_blocks(line.repair)


def is_exercise(document: Document) -> bool:
    """Whether a document has a block of a worked exercise, for which a page brings more style."""
    return any(isinstance(block, _EXERCISE) for block in all_blocks(document.blocks))


def marked(block: Block) -> Iterator[tuple[Mark, str]]:
    """The marks of a block with the number that stands beside each: in the margin, or at one of several verdicts."""
    verdicts = _verdicts(block)
    if verdicts:
        yield from verdicts
    elif isinstance(block, RelationLine | Paragraph | Display | TheoremBlock):
        yield block.mark, block.number
    elif isinstance(block, Graded):
        yield from ((line.mark, line.number) for line in block.lines)
    elif isinstance(block, Section):
        yield "none", block.number
    elif isinstance(block, FigureBlock):
        yield block.mark, ""
    elif isinstance(block, Notation):
        for row in (*block.rows, *((block.footer,) if block.footer else ())):
            yield "definition" if row.number else "none", row.number


def _verdicts(block: Block) -> tuple[tuple[Mark, str], ...]:
    """The marks and numbers of a statement that has several verdicts."""
    if not isinstance(block, RelationLine) or block.reason is None:
        return ()
    return tuple((one.mark, block.number + one.number) for one in block.reason.substeps if one.mark != "none")


def marks_used(document: Document) -> tuple[Mark, ...]:
    """The marks that the legend must explain, in its own order."""
    used = {mark for block in all_blocks(document.blocks) for mark, _ in marked(block)}
    used |= {line.mark for line in document.status}
    order: tuple[Mark, ...] = get_args(Mark)
    return tuple(mark for mark in order if mark in used and mark in MARK_MEANINGS)


def margin_numbers(document: Document) -> tuple[str, ...]:
    """The different numbers that hang in the margin, in order of appearance; the widest sets its width."""
    found = (
        number
        for block in all_blocks(document.blocks)
        for number in ((block.number,) if _verdicts(block) else (number for _, number in marked(block)))  # type: ignore[union-attr]
    )
    return tuple(dict.fromkeys(number for number in found if number))


def starts_relation(latex: str) -> bool:
    """Whether a row of a long relation begins with a relation sign of its own.

    >>> starts_relation("=a"), starts_relation(r"\\leq a"), starts_relation("+a")
    (True, True, False)
    """
    return _RELATION.match(latex.lstrip("{} ")) is not None


def check_document(document: Document) -> None:
    """Every id is given once, every reference leads somewhere, every figure has its captions and signs.

    Args:
        document: what a writer is about to print.

    Raises:
        RenderError: naming the id, the reference or the figure.
    """
    seen: set[str] = set()
    for identifier in _identifiers(document):
        if identifier in seen:
            raise RenderError(f"every id must be used once in a document, got {identifier!r} twice; rename one of them")
        seen.add(identifier)
    for reference in _references(document):
        if reference.target not in seen:
            raise RenderError(
                f"a reference must lead to an id of the document, got {reference.target!r} under the label "
                f"{reference.label!r}; correct it, or print the label as text"
            )
    for block in all_blocks(document.blocks):
        if isinstance(block, FigureBlock) and not (
            len(block.scenes) == len(block.captions) == len(block.signs) + 1 and block.scenes
        ):
            raise RenderError(
                f"figure {block.number} must have one caption a scene and one sign between two scenes, got "
                f"{len(block.scenes)} scenes, {len(block.captions)} captions and {len(block.signs)} signs"
            )
        for grids in _of(block, Grids):
            if not grids.grids or len(grids.signs) not in (0, len(grids.grids) - 1):
                raise RenderError(
                    f"tables beside each other must have no sign or one between two of them, got {len(grids.grids)} "
                    f"tables and {len(grids.signs)} signs"
                )
        for grid in _of(block, Grid):
            if not grid.rows or len({len(row) for row in grid.rows}) != 1 or not grid.rows[0]:
                raise RenderError(f"table {grid.label!r} must have rows of one length, and with cells")


_Part = TypeVar("_Part")


def _of(value: object, kind: type[_Part]) -> Iterator[_Part]:
    """Every record of a kind in a block, but for those of the blocks that it holds."""
    if isinstance(value, kind):
        yield value
    if isinstance(value, tuple):
        for item in value:
            yield from _of(item, kind)
    elif type(value).__module__ in _MODEL and dataclasses.is_dataclass(value):
        for attribute in dataclasses.fields(value):
            if not (isinstance(value, Band | Folded | GradedLine) and attribute.name in ("blocks", "repair")):
                yield from _of(getattr(value, attribute.name), kind)


_NAMED = (Section, StageHeading, RelationLine, Paragraph, Display, FigureBlock, TheoremBlock, Stations)


def _identifiers(document: Document) -> Iterator[str]:
    for block in all_blocks(document.blocks):
        if isinstance(block, Notation):
            rows = (*block.rows, *((block.footer,) if block.footer else ()))
            yield from (row.id for row in rows if row.id)
        elif isinstance(block, Graded):
            yield from (line.id for line in block.lines)
        elif isinstance(block, _NAMED) and block.id:
            yield block.id


def _references(value: object) -> Iterator[Ref]:
    """Every reference anywhere in a document, in reading order."""
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _references(item)
    elif dataclasses.is_dataclass(value) and type(value).__module__ in _MODEL and not isinstance(value, type | Grid):
        for attribute in dataclasses.fields(value):
            yield from _references(getattr(value, attribute.name))
