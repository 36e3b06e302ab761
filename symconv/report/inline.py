"""What stands in a line of a document: plain text, emphasis, formulas, names as one types them, references."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Code", "Inline", "Math", "Ref", "Strong", "Text"]


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

    `\SCkernel{..}` and `\SCupstream{..}` carry the two roles, `\SCbad{..}` marks a refuted token, `\SCfixed{..}` what a
    repair changed, `\SCzero` is the grey zero of a wide matrix, `\star` is the correlation.
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
