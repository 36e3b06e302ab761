"""Formulas in one line of Unicode mathematics, for terminals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction

from symconv.formulas.signs import InBothStyles
from symconv.formulas.spelling import RAISED, SIMPLE, one_line
from symconv.formulas.style import Style

__all__ = ["UNICODE"]

_SUBSCRIPTS = str.maketrans("0123456789'", "₀₁₂₃₄₅₆₇₈₉′")
_SUPERSCRIPTS = str.maketrans("0123456789()'", "⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾′")
_WORD = r"[\w₀-₉⁽⁾′]+"
"""A name as it is written here, or several side by side."""
_SHORT = re.compile(r"\d+|[^\W\d_][₀-₉⁽⁾⁰¹²³⁴-⁹′]*|[(⌊⌈].*")
"""A factor that stands beside others without a sign: a number, a name of one letter, something with brackets."""


class _Unicode(Style):
    """One line of Unicode mathematics, for terminals."""

    minus = "−"

    def plus(self, sign: str) -> str:
        return f" {sign} "

    def name(self, name: str) -> str:
        if SIMPLE.fullmatch(name):
            return name.replace("_", "").translate(_SUBSCRIPTS)
        raised = RAISED.fullmatch(name)
        if raised and raised[2].startswith("("):
            return f"{self.name(raised[1])}{(raised[2] + raised[3]).translate(_SUPERSCRIPTS)}"
        return one_line(name)  # nobody's short hand for a letter with a number: as it is spelt

    def juxtaposed(self, factors: Sequence[str]) -> str:
        # "Smin(...)" and "Kpp" would read as other names
        text, name = "", False
        for factor in factors:
            short = bool(_SHORT.fullmatch(factor))
            text += f"·{factor}" if text and (name or not short) else factor
            name = not short and not factor.endswith(")")
        return text

    def fraction(self, top: str, bottom: str) -> str:
        return f"{_wrapped(top)}/{_below(bottom)}"

    def rounded(self, rounding: str, top: str, bottom: str, simple: bool) -> str:
        # a product such as I(p - 1) needs no parentheses above the stroke, where it can be read in one way only
        above = top if re.fullmatch(rf"{_WORD}\([^()]*\)", top) else _wrapped(top)
        ratio = f"{above}/{_below(bottom)}"
        if rounding == "exact":
            return ratio
        return f"⌊{ratio}⌋" if rounding == "floor" else f"⌈{ratio}⌉"

    def extremum(self, kind: str, args: Sequence[str]) -> str:
        return f"{kind}({', '.join(args)})"

    def subscripted(self, base: str, indices: Sequence[str]) -> str:
        return f"{base}[{', '.join(i.replace(' ', '') for i in indices)}]" if indices else base

    def derivative(self, top: str, bottom: str) -> str:
        return f"∂{top}/∂{bottom}"

    def sum_sign(self, name: str, low: str, high: str) -> str:
        return f"∑({name} = {low} … {high}) "

    def extremum_sign(self, kind: str, conditions: Sequence[str]) -> str:
        return f"{kind}({', '.join(conditions)}) "

    def bracket(self, inside: str) -> str:
        return f"[{inside}] "

    def cases(self, value: str, conditions: Sequence[str]) -> str:
        return f"{value}  if {' and '.join(conditions)}, else 0"

    def power(self, base: str, exponent: str, atomic: bool) -> str:
        raised = f"^{exponent}" if re.fullmatch(r"\w+", exponent) else f"^({exponent})"
        return f"{base}{raised}" if atomic else f"({base}){raised}"

    def absolute(self, inside: str) -> str:
        return f"|{inside}|"

    def function(self, name: str, inside: str) -> str:
        return f"{name}({inside})"

    def parentheses(self, inside: str) -> str:
        return f"({inside.strip()})"

    def relation(self, sign: str) -> str:
        signs = {"in": "∈", "<=": "≤", ">=": "≥", "|": "∣", "superset": "⊇"}
        return f" {signs.get(sign, sign)} "

    def number(self, value: Fraction) -> str:
        return str(value).replace("-", "−")

    def times(self, factors: Sequence[str]) -> str:
        return "·".join(factor.strip() for factor in factors)

    def first_extremum(self, kind: str, where: str, window: str, body: str) -> str:
        return f"[{where} = first arg{kind}({window}) {body}]"

    def equal_share(self, entry: str, maximum: str, window: str, body: str) -> str:
        return f"[{entry} = {maximum}]/#{{{window}: {body} = {maximum}}}"

    def conjunction(self, parts: Sequence[str]) -> str:
        return ", ".join(parts)

    def written(self, both: InBothStyles) -> str:
        return both.text

    def listed(self, parts: Iterable[str]) -> str:
        return ", ".join(parts)

    def items(self, parts: Iterable[str]) -> str:
        return ", ".join(parts)

    def by(self, sizes: Iterable[str]) -> str:
        return "×".join(sizes)

    def set(self, element: str, conditions: Iterable[str], tall: bool = False) -> str:
        return f"{{{element} : {self.listed(conditions)}}}"

    def count_of(self, collection: str) -> str:
        return f"#{collection}"

    def one_over_size(self, name: str) -> str:
        return f"1/{self.absolute(name)}"

    def sum_over(self, below: str) -> str:
        return f"∑({below}) "

    def hull(self, collection: str) -> str:
        return f"conv{collection}"

    def partial(self, entry: str) -> str:
        return f"∂{entry}"

    def slash_derivative(self, top: str, bottom: str) -> str:
        return self.derivative(top, bottom)

    def limit(self, name: str, body: str) -> str:
        return f"lim({name} → ∞) {body}"

    def operator(self, name: str) -> str:
        return name

    def marked(self, base: str, mark: str) -> str:
        return f"{base}[{mark}]" if mark else base

    def numbered(self, base: str, number: str) -> str:
        return f"{base}{number}"

    def entry_of_numbered(self, base: str, indices: Sequence[str]) -> str:
        return self.subscripted(base, indices)

    def barred(self, letter: str) -> str:
        return f"{letter}\u0304"

    def ones(self, size: str) -> str:
        return f"ones({size})"

    def star(self) -> str:
        return "⋆"

    def word(self, word: str, value: str) -> str:
        return f"{word} {value}"

    def where(self, statement: str, condition: str) -> str:
        return f"{statement} where {condition}"


def _below(text: str) -> str:
    """What stands below a stroke: as `_wrapped`, and a product such as K₁K₂ in parentheses too."""
    product = re.fullmatch(_WORD, text) and not re.fullmatch(r"[0-9]+|[^\W\d_][₀-₉′]*(⁽[⁰¹²³⁴-⁹]+⁾)?", text)
    return f"({text})" if product else _wrapped(text)


def _wrapped(text: str) -> str:
    """Parentheses around what is not one atom: a name, an entry, a call, or something already in parentheses."""
    if re.fullmatch(rf"{_WORD}|{_WORD}\[[^\[\]]*\]|∂[^/]*", text):
        return text
    head = re.match(r"(?:[a-zσ]*|e\^)\(", text)
    if head:
        depth = 0
        for position, sign in enumerate(text):
            depth += (sign == "(") - (sign == ")")
            if depth == 0 and position >= head.end() - 1:
                return text if position == len(text) - 1 else f"({text})"
    return f"({text})"


UNICODE: Style = _Unicode()
