"""The parser of formulas in LaTeX: the grammar of ``claims.lark`` over the pieces of a scan, and what it expected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from lark import Lark, Token, UnexpectedInput

from symconv.claims.reading.latex_pieces import Piece
from symconv.claims.reading.latex_scan import NO_NAMES
from symconv.claims.reading.latex_tree import Reader
from symconv.claims.reading.lexicon import Lexicon
from symconv.claims.syntax import Claim
from symconv.errors import ClaimError

__all__ = ["read_pieces"]

_WORDS = {
    **dict.fromkeys(("NUMBER", "NAME", "WORD", "ONES", "FRAC", "SQRT"), "a number or a name"),
    **dict.fromkeys(("PLUS", "MINUS", "TIMES", "AST", "STAR", "SLASH", "MOD"), "an operator"),
    "REL": "a relation",
    "$END": "the end",
    "COMMA": "','",
    "RBRACE": "'}'",
    "RPAR": "')'",
    "RSQUARE": "']'",
    "SET_CLOSE": r"'\}'",
    "BAR_CLOSE": "a closing bar",
    "FLOOR_CLOSE": r"\rfloor",
    "CEIL_CLOSE": r"\rceil",
    "UNDER": "bounds such as _{m=1}^{K}",
    "IN": r"\in",
    "TO": r"\to",
    "LBRACE": "'{'",
    "IF": r"\text{if}",
    "OTHERWISE": r"\text{otherwise}",
    "ROW": r"'\\'",
    "MATRIX_CLOSE": "the end of the matrix",
    "CASES_CLOSE": "the end of the cases",
}


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = Path(__file__).with_name("claims.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="basic", propagate_positions=True, maybe_placeholders=False)


def read_pieces(pieces: Sequence[Piece], source: str, lexicon: Lexicon = NO_NAMES) -> Claim:
    """The claim that the pieces of a formula make.

    Raises:
        ClaimError: at the first piece that does not belong where it stands.
    """
    parser = _parser().parse_interactive()
    try:
        for piece in pieces:
            # Lines and columns are read from the offsets where they are wanted.
            parser.feed_token(
                Token(
                    piece.kind, piece.text, piece.start, end_pos=piece.end, line=1, column=1, end_line=1, end_column=1
                )
            )
        tree = parser.feed_token(Token("$END", "", len(source), end_pos=len(source)))
    except UnexpectedInput as error:
        position = error.pos_in_stream if error.pos_in_stream is not None else len(source)
        kinds: Iterable[str] = getattr(error, "accepts", None) or getattr(error, "expected", None) or ()
        raise ClaimError(_found(source, position, pieces), _wanted(kinds), source=source, position=position) from None
    return Reader(source, lexicon).claim(tree)


def _found(source: str, position: int, pieces: Sequence[Piece]) -> str:
    here = next((piece for piece in pieces if piece.start == position), None)
    if here is None:
        return "the formula ends too early"
    shown = source[here.start : here.end]
    return f"found {shown if len(shown) < 40 else shown[:37] + '...'!r}"


def _wanted(kinds: Iterable[str]) -> str:
    words = {_WORDS[kind] for kind in kinds if kind in _WORDS}
    if "a number or a name" in words:
        words.discard("'{'")
    if len(words) > 5:  # almost anything: what stands there is what matters
        words &= {"a number or a name", "an operator"}
    return " or ".join(sorted(words)) or "another sign"
