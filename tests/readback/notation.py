"""Printed mathematics in one notation: LaTeX and MathML brought to the line of Unicode that the readers take.

Nothing of symconv is imported, and nothing is put right: a bracket that a page leaves out stays left out. Subscripts of
a letter become ``[...]``, whether they count an axis (``I[1]``) or an entry (``a[pq]``); who reads them knows which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

__all__ = ["from_latex", "from_mathml"]

SIGNS = {
    "leq": "≤", "geq": "≥", "mid": "∣", "star": " ⋆ ", "in": " ∈ ", "times": "×", "cdot": "·", "supseteq": " ⊇ ",
    "to": "→", "infty": "∞", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉", "lvert": "|", "rvert": "|",
    "{": "{", "}": "}", "#": "#", ",": " ", ";": " ", " ": " ", "quad": " ", "partial": "∂", "dots": "…", "ldots": "…",
    "lt": "<", "gt": ">", "neq": "≠", "ne": "≠", "alpha": "α", "omega": "ω",
    "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "sigma": "σ",
    "theta": "θ", "rho": "ρ", "tau": "τ", "max": "max", "min": "min", "lim": "lim", "ln": "ln",
    "colon": ":", "top": "⊤",
}  # fmt: skip
BIG = {"sum": "∑", "max": "max", "min": "min", "lim": "lim", "argmax": "argmax", "argmin": "argmin"}


def fraction(top: str, bottom: str) -> str:
    top, bottom = top.strip(), bottom.strip()
    return f"{top}/{bottom}" if top.startswith("∂") else f"(({top})/({bottom}))"


def quantified(sign: str, below: str, above: str = "") -> str:
    """A sign with what it runs over."""
    return f" {sign}({below.strip()} … {above.strip()}) " if above else f" {sign}({below.strip()}) "


def indexed(base: str, inside: str) -> str:
    inside = inside.strip()
    if base == "1":  # a bold one: an array of ones
        return f"ones({inside})"
    if base.endswith(("pad", "up", "⋆")):
        return f"{base}[{inside}]"
    return f"rot{inside}" if base == "rot" else f"{base}[{inside}]"


def raised(base: str, exponent: str) -> str:
    return f"{base}^({exponent.strip()})"


def tilde(base: str) -> str:
    return f"{base.strip()}\u0303"


def bar(base: str) -> str:
    return f"{base.strip()}\u0304"


@dataclass
class _Latex:
    text: str
    position: int = 0

    def group(self) -> str:
        """One argument: a group in braces, or one token."""
        while self.peek().isspace():
            self.position += 1
        if self.peek() == "{":
            self.position += 1
            inner = self.until("}")
            self.position += 1
            return inner
        return self.token()

    def peek(self) -> str:
        return self.text[self.position : self.position + 1]

    def until(self, end: str) -> str:
        """All up to a closing brace, or to the end of the text."""
        pieces: list[str] = []
        while self.position < len(self.text) and not (end and self.peek() == end):
            sign = self.peek()
            if sign in "_^" and pieces:
                self.position += 1
                base = pieces.pop()
                while base.isspace() and pieces:
                    base = pieces.pop()
                pieces.append(self._scripted(base.strip(), sign))
                continue
            pieces.append(self.token())
        return "".join(pieces)

    def _scripted(self, base: str, sign: str) -> str:
        inside = self.group()
        if base in BIG.values():
            above = ""
            if sign == "_" and self.peek() == "^":
                self.position += 1
                above = self.group()
            return quantified(base, inside, above)
        return indexed(base, inside) if sign == "_" else raised(base, inside)

    def token(self) -> str:
        sign = self.peek()
        if sign == "{":
            return self.group()
        if sign != "\\":
            self.position += 1
            return {"-": "−", "'": "′", "~": " ", "&": " "}.get(sign, sign)
        match = re.compile(r"\\([A-Za-z]+|.)").match(self.text, self.position)
        assert match is not None, self.text[self.position :]
        self.position = match.end()
        return self._command(match[1])

    def _command(self, name: str) -> str:
        if name in ("left", "right"):
            return self._delimiter()
        if name in ("frac", "tfrac", "dfrac"):
            top = self.group()
            return fraction(top, self.group())
        if name in ("operatorname", "mathit", "mathrm", "SCkernel", "SCupstream"):
            return self.group()
        if name == "mathbf":
            return self.group()
        if name in ("tilde", "bar"):
            return (tilde if name == "tilde" else bar)(self.group())
        if name == "text":
            begin = self.position + 1
            self.position = self.text.index("}", begin) + 1
            return self.text[begin : self.position - 1]
        if name == "begin":
            assert self.group() == "cases"
            return self._cases()
        if name == "lbrace":
            return "{"
        if name in BIG:
            return BIG[name]
        assert name in SIGNS, f"\\{name} in {self.text!r}"
        return SIGNS[name]

    def _delimiter(self) -> str:
        match = re.compile(r"\s*(\\[A-Za-z]+|\\?.)").match(self.text, self.position)
        assert match is not None
        self.position = match.end()
        sign = match[1]
        return SIGNS[sign[1:]] if sign.startswith("\\") else "" if sign == "." else sign

    def _cases(self) -> str:
        end = self.text.index(r"\end{cases}", self.position)
        rows = self.text[self.position : end].split(r"\\")
        self.position = end + len(r"\end{cases}")
        assert len(rows) == 2, rows
        assert rows[1].replace(" ", "") == r"0&\text{otherwise}", rows[1]
        value, condition = rows[0].split("&")
        return f"{from_latex(value).strip()}  if {from_latex(condition).strip().rstrip(',')}, else 0"


def from_latex(text: str) -> str:
    """LaTeX mathematics, without its dollar signs."""
    return re.sub(r"(?<=\S)  +(?!if)", " ", _Latex(text).until(""))


# --- MathML --------------------------------------------------------------------------------------------------------


def from_mathml(element: ElementTree.Element) -> str:
    """A ``<math>`` element, or one inside it."""
    return "".join(_pieces(element))


def _pieces(element: ElementTree.Element) -> Iterator[str]:
    tag, children = element.tag.rpartition("}")[2], list(element)
    if tag in ("mi", "mn", "mo", "mtext"):
        yield _leaf(element)
    elif tag == "mfrac":
        yield fraction(from_mathml(children[0]), from_mathml(children[1]))
    elif tag in ("msub", "munder", "msup", "mover", "msubsup", "munderover"):
        yield _script(tag, [from_mathml(child).strip() for child in children])
    elif tag == "mtable":
        yield _table(children)
    elif tag in ("msqrt", "mroot"):
        degree = from_mathml(children[1]).strip() if tag == "mroot" else "2"
        yield f"root[{degree}]({from_mathml(children[0]).strip()})"
    elif tag == "mspace":
        yield " "
    else:
        assert tag in ("math", "mrow", "mstyle", "mtd", "mpadded", "mphantom"), tag
        if any(child.tag == "mtable" for child in children):  # the brace before cases
            children = [child for child in children if child.tag == "mtable"]
        for child in children:
            yield from _pieces(child)


def _leaf(element: ElementTree.Element) -> str:
    text = "".join(element.itertext()).replace("\u2061", "").replace("\u00a0", " ")
    if text in ("=", "≤", "≥", "≠", "<", "⊇", "⋆", "∈", "∣"):
        return f" {text} "
    return {"-": "−", "⋅": "·", ",": ", ", "\u2063": ""}.get(text, text)


def _script(tag: str, parts: list[str]) -> str:
    base, inside = parts[:2]
    if tag in ("munder", "munderover") or (tag in ("msub", "msubsup") and base in BIG.values()):
        assert base in BIG.values(), base
        return quantified(base, inside, *parts[2:])
    if tag == "mover" and inside == "?":
        return f" {base}? "
    if tag == "mover":
        return tilde(base) if inside in ("~", "˜", "∼") else bar(base)
    if tag == "msub":
        return indexed(base, inside)
    if tag == "msup":
        return base + inside if set(inside) == {"′"} else raised(base, inside)
    primes = set(parts[2]) == {"′"}
    return f"{base}{parts[2]}[{inside}]" if primes else raised(indexed(base, inside), parts[2])


def _table(rows: list[ElementTree.Element]) -> str:
    """Two cases, of which the other one is 0; or a matrix, by rows: ``[1, 2; 3, 4]``."""
    cells = [[from_mathml(cell).strip() for cell in row] for row in rows]
    if cells[-1][-1] != "otherwise":
        return f"[{'; '.join(', '.join(row) for row in cells)}]"
    assert len(cells) == 2, cells
    assert cells[1] == ["0", "otherwise"], cells[1]
    return f"{cells[0][0]}  if {cells[0][1].rstrip(',')}, else 0"
