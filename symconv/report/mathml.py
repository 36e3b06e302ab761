r"""LaTeX to MathML by math-core, with the corrections that browsers need and the roles as classes.

A formula that math-core rejects is an error that quotes it: nothing is ever shown half-converted. The same check guards
the LaTeX writer, since the common subset of both has no command that reads a file or redefines another.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from symconv.errors import RenderError

if TYPE_CHECKING:
    from math_core import LatexToMathML

__all__ = ["MACROS", "check_formula", "to_mathml"]

# math-core knows colours by name only; each role travels as one and becomes a class below.
_ROLES = {"orange": "b", "blue": "g", "red": "x", "gray": "z", "green": "f"}
_HEX = {
    "#FF8001": "orange",
    "#FF8000": "orange",
    "#0000FF": "blue",
    "#FF0000": "red",
    "#808080": "gray",
    "#03FF00": "green",
}

MACROS = {
    "SCkernel": r"\textcolor{orange}{#1}",
    "SCupstream": r"\textcolor{blue}{#1}",
    "SCbad": r"\textcolor{red}{\boldsymbol{#1}}",
    "SCfixed": r"\textcolor{green}{#1}",
    "SCzero": r"\textcolor{gray}{0}",
}
"""The semantic macros: kernel, upstream gradient, refuted token, what a repair changed, zero of a wide matrix."""

# Accepted by math-core, but not by a writer of untrusted formulas: these change what later commands mean.
_FORBIDDEN = re.compile(
    r"\\(?:def|gdef|edef|xdef|let|futurelet|global|newcommand|renewcommand|providecommand|DeclareMathOperator|"
    r"begingroup|endgroup|relax|eqref|ref|label|tag|color)(?![A-Za-z])"
)
_COMMENT = re.compile(r"(?<!\\)(?:\\\\)*%")
_COLOUR = re.compile(r' style="color:(#[0-9A-F]{6});"')
_DESCENDER = r"<mi>[^<]*[gjpqyf𝒈𝒋𝒑𝒒𝒚𝒇][^<]*</mi>|<mrow><mspace/><mi>[^<]*[gjpqyf][^<]*</mi></mrow>"
_ACCENTED = rf'<mover accent="true">(?:{_DESCENDER})<mo[^>]*>[^<]*</mo></mover>'
_BASE = re.compile(rf'<(msub|msubsup)>((?:<mrow class="[a-z]">)?(?:{_DESCENDER}|{_ACCENTED})(?:</mrow>)?)')
_STAR = re.compile(r"<mo([^>]*)>([⋆★])</mo>")
_ELLIPSIS = re.compile(r'<mo lspace="0">\.</mo><mo lspace="0" rspace="0\.1667em">\.</mo><mo lspace="0"[^>]*>\.</mo>')
_BOLD_DIGITS = re.compile(r"<mi>([0-9]+)</mi>")
_BOLD = {ord("0") + n: chr(0x1D7CE + n) for n in range(10)}


@lru_cache(maxsize=1)
def _converter() -> LatexToMathML:
    from math_core import LatexToMathML  # imported late: the command line must answer before it is loaded

    return LatexToMathML(macros=MACROS, fancy_error=False)


def _quoted(latex: str) -> str:
    return latex if len(latex) <= 200 else latex[:197] + "..."


def check_formula(latex: str) -> None:
    r"""A formula is ASCII LaTeX of the subset that math-core and pdflatex share, without comments and definitions.

    Args:
        latex: the formula without dollar signs.

    Raises:
        RenderError: naming the formula and what is wrong with it.

    >>> check_formula(r"\input{/etc/passwd}")
    Traceback (most recent call last):
    symconv.errors.RenderError: formula \input{/etc/passwd} cannot be shown: Unknown command "\input" (at character 0)
    """
    _convert(latex, display=False)


@lru_cache(maxsize=4096)
def _convert(latex: str, display: bool) -> str:
    if not latex.isascii() or any(ord(c) < 32 for c in latex if c != "\n"):
        wrong = next(c for c in latex if not c.isascii() or ord(c) < 32)
        raise RenderError(
            f"formula {_quoted(latex)!a} must be ASCII LaTeX, got U+{ord(wrong):04X} at position "
            f"{latex.index(wrong)}; write a command such as \\alpha instead"
        )
    if _COMMENT.search(latex):
        raise RenderError(f"formula {_quoted(latex)} must not contain a bare %, which starts a comment; write \\%")
    found = _FORBIDDEN.search(latex)
    if found:
        raise RenderError(f"formula {_quoted(latex)} must not use {found.group()}; it is not part of a formula")
    from math_core import LatexError

    try:
        mathml = str(_converter().convert_with_local_state(latex, displaystyle=display))
    except LatexError as error:
        place, _, reason = str(error).partition(": ")
        where = f" (at character {place})" if place.isdigit() else ""
        message = (reason or place).rstrip(".")
        raise RenderError(f"formula {_quoted(latex)} cannot be shown: {message}{where}") from error
    if "<menclose" in mathml:
        raise RenderError(f"formula {_quoted(latex)} cannot be shown: \\boxed and \\cancel are not in MathML Core")
    return mathml


def to_mathml(latex: str, *, display: bool = False) -> str:
    r"""The formula as one `<math>` element, in the line; roles are classes b, g, x, z and f.

    Args:
        latex: the formula without dollar signs.
        display: whether sums carry their limits above and below.

    Raises:
        RenderError: math-core rejects the formula.

    >>> to_mathml(r"\SCkernel{b_{1}}")
    '<math><mrow class="b"><msub><mi>b</mi><mn>1</mn></msub></mrow></math>'
    """
    mathml = _convert(latex, display).replace(' display="block"', ' displaystyle="true"', 1)
    mathml = mathml.replace("&ApplyFunction;", "\N{FUNCTION APPLICATION}").replace("\N{VARIATION SELECTOR-1}", "")
    mathml = _COLOUR.sub(_role, mathml)
    # Chromium hangs a subscript below the descender of its base: a base without depth keeps a row of them level.
    mathml = _BASE.sub(r'<\1><mpadded depth="0">\2</mpadded>', mathml)
    mathml = mathml.replace('<mspace width="0.16666667em"/>', '<mspace width=".167em"/>')
    mathml = _STAR.sub(r'<mo class="star"\1>\2</mo>', mathml)
    mathml = _ELLIPSIS.sub('<mo lspace="0" rspace="0">…</mo>', mathml)
    return _BOLD_DIGITS.sub(lambda match: f"<mn>{match[1].translate(_BOLD)}</mn>", mathml)


def _role(match: re.Match[str]) -> str:
    name = _HEX.get(match[1])
    return f' class="{_ROLES[name]}"' if name else ""
