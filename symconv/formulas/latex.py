"""Formulas in LaTeX with amsmath, within the subset that MathML converters take."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction

from symconv.formulas.signs import InBothStyles
from symconv.formulas.spelling import RAISED, SIMPLE, latex_word
from symconv.formulas.style import Style

__all__ = ["LATEX"]


class _Latex(Style):
    """LaTeX with amsmath."""

    def plus(self, sign: str) -> str:
        return sign

    def name(self, name: str) -> str:
        raised = RAISED.fullmatch(name)
        if raised:
            return f"{self.name(raised[1])}^{{{raised[2]}{raised[3]}}}"
        match = SIMPLE.fullmatch(name)
        if match:
            return latex_word(match[1]) + (f"_{{{match[2]}}}" if match[2] else "") + match[3]
        bare = name.rstrip("'")
        return latex_word(bare) + "'" * (len(name) - len(bare))

    def fraction(self, top: str, bottom: str) -> str:
        return rf"\frac{{{top}}}{{{bottom}}}"

    def rounded(self, rounding: str, top: str, bottom: str, simple: bool) -> str:
        ratio = f"{top}/{bottom}" if simple else rf"\frac{{{top}}}{{{bottom}}}"
        if rounding == "exact":
            return f"{ratio}"
        left, right = (r"\lfloor", r"\rfloor") if rounding == "floor" else (r"\lceil", r"\rceil")
        if simple:
            return f"{left} {ratio} {right}"
        return rf"\left{left} {ratio} \right{right}"

    def extremum(self, kind: str, args: Sequence[str]) -> str:
        return rf"\{kind}(" + r",\,".join(args) + ")"

    def subscripted(self, base: str, indices: Sequence[str]) -> str:
        if not indices:
            return base
        if "_" in base:  # a name with a number has a subscript of its own
            base = f"{{{base}}}"
        if all(re.fullmatch(r"[A-Za-z0-9]'*", i) for i in indices) and not (
            len(indices) > 1 and any("'" in i for i in indices)
        ):
            return f"{base}_{{{''.join(indices)}}}"
        joined = r",\,".join(indices)
        return f"{base}_{{{joined}}}"

    def derivative(self, top: str, bottom: str) -> str:
        return rf"\frac{{\partial {top}}}{{\partial {bottom}}}"

    def sum_sign(self, name: str, low: str, high: str) -> str:
        return rf"\sum_{{{name}={low}}}^{{{high}}} "

    def extremum_sign(self, kind: str, conditions: Sequence[str]) -> str:
        return rf"\{kind}_{{{self.conjunction(conditions)}}} "

    def bracket(self, inside: str) -> str:
        return rf"[\,{inside}\,]\,"

    def cases(self, value: str, conditions: Sequence[str]) -> str:
        joined = r",\; ".join(conditions)
        return rf"\begin{{cases}} {value} & {joined}, \\ 0 & \text{{otherwise}} \end{{cases}}"

    def power(self, base: str, exponent: str, atomic: bool) -> str:
        plain = atomic and "^" not in base  # an upper index is no power
        return f"{base}^{{{exponent}}}" if plain else rf"\left( {base} \right)^{{{exponent}}}"

    def absolute(self, inside: str) -> str:
        return rf"\lvert {inside} \rvert"

    def function(self, name: str, inside: str) -> str:
        return rf"\operatorname{{{name}}}({inside})"

    def parentheses(self, inside: str) -> str:
        return rf"\left( {inside} \right)"

    def relation(self, sign: str) -> str:
        signs = {"in": r"\in", "<=": r"\leq", ">=": r"\geq", "|": r"\mid", "superset": r"\supseteq"}
        return f" {signs.get(sign, sign)} "

    def number(self, value: Fraction) -> str:
        if value.denominator == 1:
            return str(value.numerator)
        sign = "-" if value < 0 else ""
        return rf"{sign}\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"

    def times(self, factors: Sequence[str]) -> str:
        text = factors[0]
        for factor in factors[1:]:
            digits = text[-1:].isdigit() and factor[:1].isdigit()
            text += (r" \cdot " if digits else r"\, ") + factor
        return text

    def first_extremum(self, kind: str, where: str, window: str, body: str) -> str:
        return rf"[\,{where} = \text{{first}}\;\operatorname{{arg{kind}}}_{{{window}}} {body}\,]"

    def equal_share(self, entry: str, maximum: str, window: str, body: str) -> str:
        return rf"\frac{{[\,{entry} = {maximum}\,]}}{{\#\{{{window} : {body} = {maximum}\}}}}"

    def conjunction(self, parts: Sequence[str]) -> str:
        return r",\;".join(parts)

    def written(self, both: InBothStyles) -> str:
        return both.latex

    def listed(self, parts: Iterable[str]) -> str:
        return r",\; ".join(parts)

    def items(self, parts: Iterable[str]) -> str:
        return r",\,".join(parts)

    def by(self, sizes: Iterable[str]) -> str:
        return r" \times ".join(sizes)

    def set(self, element: str, conditions: Iterable[str], tall: bool = False) -> str:
        inside = f"{element} : {self.listed(conditions)}"
        return rf"\left\{{\, {inside} \,\right\}}" if tall else rf"\{{\,{inside}\,\}}"

    def count_of(self, collection: str) -> str:
        return rf"\#{collection}"

    def one_over_size(self, name: str) -> str:
        return self.fraction("1", self.absolute(name))

    def sum_over(self, below: str) -> str:
        return rf"\sum_{{{below}}} "

    def hull(self, collection: str) -> str:
        return rf"\operatorname{{conv}} {collection}"

    def partial(self, entry: str) -> str:
        return rf"\partial {entry}"

    def slash_derivative(self, top: str, bottom: str) -> str:
        return rf"\partial {top}/\partial {bottom}"

    def limit(self, name: str, body: str) -> str:
        return rf"\lim_{{{name} \to \infty}} {body}"

    def operator(self, name: str) -> str:
        return rf"\operatorname{{{name}}}"

    def marked(self, base: str, mark: str) -> str:
        return f"{base}_{{{mark}}}" if mark else base

    def numbered(self, base: str, number: str) -> str:
        return f"{base}_{{{number}}}"

    def entry_of_numbered(self, base: str, indices: Sequence[str]) -> str:
        return self.subscripted(self.parentheses(base), indices)

    def barred(self, letter: str) -> str:
        return rf"\bar {letter}"

    def ones(self, size: str) -> str:
        return rf"\mathbf{{1}}_{{{size}}}"

    def star(self) -> str:
        return r"\star"

    def word(self, word: str, value: str) -> str:
        return rf"\text{{{word} }}{value}"

    def where(self, statement: str, condition: str) -> str:
        return rf"{statement} \text{{ where }} {condition}"


LATEX: Style = _Latex()
