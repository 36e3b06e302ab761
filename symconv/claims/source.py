"""A claim as it was written, with what it may speak of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from symconv.claims.declarations import Declarations
from symconv.claims.syntax import Claim
from symconv.claims.writing import as_typed

__all__ = ["ClaimSource", "Mode"]

Mode: TypeAlias = Literal["literal", "general"]


@dataclass(frozen=True)
class ClaimSource:
    """A claim as it was written, with its declarations.

    Attributes:
        id: its name in the problem file.
        text: the claim in the Python-like language, or
        latex: in LaTeX.
        declared: what it may speak of.
        modes: whether it is checked literally, for all sizes, or both.
        question: the question that it belongs to.
        note: a remark of the author.
    """

    id: str
    declared: Declarations
    text: str = ""
    latex: str = ""
    modes: tuple[Mode, ...] = ("literal",)
    question: str = ""
    note: str = ""

    def read(self) -> Claim:
        """The syntax tree.

        Raises:
            ClaimError: where it cannot be read.
        """
        if self.latex:
            from symconv.claims.meaning.naming import lexicon
            from symconv.claims.reading.latex import read_latex

            return read_latex(self.latex, lexicon(self.declared))
        from symconv.claims.reading.language import read_claim

        return read_claim(self.text)

    def typed(self, words: str) -> str:
        """Words about the claim with its names as it has them: ``i'``, and not i_prime, in LaTeX."""
        return as_typed(words) if self.latex else words
