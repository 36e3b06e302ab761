r"""The names that a formula in LaTeX is read with: words that are one name, and letters that have entries.

A name is declared as it is written, ``\hat{y}``, ``H_{in}``, ``\omega`` or ``out``, and known by one spelling: y_hat,
H_in, omega, out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from symconv.claims.reading.latex_words import ACCENTS, FONTS, TEXTS

__all__ = ["Lexicon", "spelled"]

_FONT = re.compile(
    r"\\(?:" + "|".join(sorted(FONTS | TEXTS, key=len, reverse=True)) + r")\s*(?:\{([^{}]*)\}|([A-Za-z]))"
)
_ACCENT = re.compile(
    r"\\("
    + "|".join(sorted(ACCENTS, key=len, reverse=True))
    + r")\s*(?:\{\s*(\\?[A-Za-z]+(?:_[a-z]+)?)\s*\}|(\\[A-Za-z]+|[A-Za-z]))"
)
_SUBSCRIPT = re.compile(r"_\s*(?:\{([^{}]*)\}|([A-Za-z0-9]))")
_BOUND = re.compile(r"\\(?:sum|max|min)(?:\s*\\(?:no)?limits)?\s*_\s*\{([^{}]*)\}")
_WORD = re.compile(r"(?<![A-Za-z\\])[A-Za-z]{2,32}(?![A-Za-z])")


def spelled(name: str) -> str:
    r"""The spelling of a name that may be written in LaTeX; what is no name is returned as it stands.

    >>> spelled(r"\hat{y}"), spelled("H_{in}"), spelled(r"\omega"), spelled(r"\#\text{params}"), spelled("x'")
    ('y_hat', 'H_in', 'omega', 'params', 'x_prime')
    """
    text = _FONT.sub(lambda m: m[1] if m[1] is not None else m[2], name.strip().strip("$")).removeprefix(r"\#")
    for _ in range(2):
        text = _ACCENT.sub(lambda m: f"{m[2] or m[3]}_{ACCENTS[m[1]]}", text)
    text = _SUBSCRIPT.sub(lambda m: "_" + "".join((m[1] or m[2]).split()), text)
    text = re.sub(r"'+", lambda m: "_prime" * len(m[0]), text).replace("\\", "").replace("{", "").replace("}", "")
    text = re.sub(r"^lambda(?![A-Za-z])", "lamda", "".join(text.split()))
    return text if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", text) else name


@dataclass(frozen=True)
class Lexicon:
    r"""What is known of names before a formula is read.

    Attributes:
        words: names of several letters, which are no products of these.
        arrays: names that have entries: ``y(i)`` is one of y, and ``y * w`` is between arrays.
        functions: letters that a bracket behind is the argument of: ``\\sigma(x)`` is no product.
    """

    words: frozenset[str] = frozenset()
    arrays: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()

    def of_indices(self, source: str) -> frozenset[str]:
        r"""The words that are indices of sums: bound as in ``\sum_{kh=0}``, or listed and written apart elsewhere."""
        found: set[str] = set()
        for match in _BOUND.finditer(source):
            for word in _WORD.finditer(match[1]):
                after = match[1][word.end() :].lstrip()
                apart = re.search(rf"[,+\-]\s*{word[0]}(?![A-Za-z])|(?<![A-Za-z\\]){word[0]}\s*[,+\-]", source)
                if (
                    re.match(r"=|<|\\(?:in|leq?|lt)(?![A-Za-z])", after)
                    or (not after.strip(", ") and apart)
                    or (after[:1] == "," and apart)
                ):
                    found.add(word[0])
        return frozenset(found)
