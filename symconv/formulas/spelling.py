r"""Names on paper: any string that names an index or a size, written so that no line and no formula breaks by it.

symconv's own names are letters with a number, primes or an upper index. A SymPy symbol may be called anything: a
bracket, a backslash or a line break in its name must not become one of the formula that it stands in.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

__all__ = ["RAISED", "SIMPLE", "latex_word", "look", "one_line"]

SIMPLE = re.compile(r"([A-Za-z]+)(?:_?([0-9]+))?('*)")
"""Letters, a number that is set as a subscript, and primes."""

RAISED = re.compile(r"([A-Za-z]+(?:_?[0-9]+)?)\^(\([0-9]+\)|[A-Za-z]+(?:_?[0-9]+)?)('*)")
"""A name with an upper index, which is no power: a channel such as ``a^h``, or the number of a layer, ``w^(1)``."""

_LABELLED = re.compile(r"([A-Za-z]+)_([A-Za-z]+)")
_ACCENTS = frozenset(("hat", "tilde", "bar", "vec", "dot", "check", "breve"))

_COMMANDS = {
    "\\": r"\backslash ",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "%": r"\%",
    "#": r"\#",
    "&": r"\&",
    "_": r"\_",
    "^": r"\wedge ",
    "~": r"\sim ",
    "<": r"\lt ",
    ">": r"\gt ",
    " ": r"\ ",
}
_GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi",
    "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi",
    "Pi", "Sigma", "Phi", "Psi", "Omega",
}  # fmt: skip


def latex_word(word: str) -> str:
    r"""A name in math mode, in ASCII: a letter as it is, a Greek one by its command, a word in one piece.

    >>> print(latex_word("k"), latex_word("omega"), latex_word("mask"), latex_word("a\\b"), latex_word("y_hat"))
    k \omega \mathit{mask} \mathit{a\backslash b} \hat{y}
    """
    if len(word) == 1 and word.isascii() and word.isalpha():
        return word
    if below := _LABELLED.fullmatch(word):
        stem, label = latex_word(below[1]), below[2]
        return rf"\{label}{{{stem}}}" if label in _ACCENTS else rf"{{{stem}}}_{{\mathrm{{{label}}}}}"
    if word in _GREEK:
        return f"\\{word}"
    if len(word) == 1 and _greek(word):
        return f"\\{_greek(word)}"
    return rf"\mathit{{{''.join(_sign(sign) for sign in word)}}}"


def _sign(sign: str) -> str:
    if sign in _COMMANDS:
        return _COMMANDS[sign]
    if " " < sign <= "~":
        return sign
    greek = _greek(sign)
    return f"\\{greek} " if greek else rf"\langle\mathrm{{U+{ord(sign):04X}}}\rangle "


def _greek(sign: str) -> str:
    """The command of a Greek letter, "" for anything else."""
    words = unicodedata.name(sign, "").split()
    if words[:1] != ["GREEK"] or len(words) != 4 or words[2] != "LETTER":
        return ""
    word = words[3].lower().replace("lamda", "lambda")
    word = word if words[1] == "SMALL" else word.capitalize()
    return word if word in _GREEK else ""


def one_line(name: str) -> str:
    r"""A name in a line of text: what has no glyph of its own is written as an escape.

    >>> print(one_line("K_1"), one_line("a\nb"))
    K_1 a\nb
    """
    return name if name.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)


_DRAWN_ALIKE = str.maketrans(
    "\u2032\u2019ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοАВЕЅІЈКМНОРСТУХаеорсухіјѕ",
    "''ABEZHIKMNOPTYXoABESIJKMHOPCTYXaeopcyxijs",
)
"""Primes, and the letters of other alphabets that are drawn like Latin ones."""


@lru_cache(maxsize=4096)
def look(name: str) -> str:
    r"""What names have in common that print alike, in LaTeX or in a line of Unicode.

    >>> look("a_1") == look("a1") == look("a₁"), look("alpha") == look("α"), look("a1") == look("a2")
    (True, True, False)
    """
    flat = unicodedata.normalize("NFKC", one_line(name).translate(_DRAWN_ALIKE)).translate(_DRAWN_ALIKE)
    spelt = "".join(_greek(sign) or sign for sign in flat)
    return spelt.replace("_", "") if SIMPLE.fullmatch(spelt) else spelt
