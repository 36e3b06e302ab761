"""A report page taken apart: the sections of its questions, as `pages` has them, from HTML with MathML alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from xml.etree.ElementTree import Element

from readback.notation import from_mathml
from readback.pages import Definition, Page, Stage, Step

__all__ = ["Drawing", "Section", "page_of", "sections"]

VOID = {"meta", "link", "br", "img", "input", "hr", "wbr", "path", "circle", "rect", "line"}


class _Tree(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("root")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = Element(tag, {key: value or "" for key, value in attrs})
        self.open[-1].append(own)
        if tag not in VOID:
            self.open.append(own)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].append(Element(tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        while self.open[-1].tag != tag:
            self.open.pop()
        self.open.pop()

    def handle_data(self, data: str) -> None:
        last = self.open[-1]
        if len(last):
            last[-1].tail = (last[-1].tail or "") + data
        else:
            last.text = (last.text or "") + data


def words(element: Element, *, skip: tuple[str, ...] = ()) -> str:
    """The text of an element, its mathematics read."""
    return re.sub(r"\s+", " ", "".join(_words(element, skip))).strip()


def _words(element: Element, skip: tuple[str, ...]) -> Iterator[str]:
    if element.tag == "math":
        yield from_mathml(element)
        return
    if element.tag not in ("svg", "style", "script"):
        yield element.text or ""
        for child in element:
            if child.tag not in skip and not set(skip) & set(child.get("class", "").split()):
                yield from _words(child, skip)
            yield child.tail or ""


def of_class(element: Element, name: str) -> Iterator[Element]:
    return (own for own in element.iter() if name in own.get("class", "").split())


@dataclass
class Drawing:
    """A drawing: what it is said to show, and the words in it, line by line from left to right."""

    title: str
    description: str
    words: list[list[str]]


@dataclass
class Section:
    """One question: its paragraphs, the captions of its figures, and its notation, stages and lines.

    Attributes:
        figures: the drawings of every figure.
        lines: the lines without a number: left side, right sides, and why.
        rows: the rows of its tables without numbers, such as that of the modules, cell by cell.
    """

    title: str
    paragraphs: list[str] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    figures: list[list[Drawing]] = field(default_factory=list)
    lines: list[tuple[str, list[str], str]] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    page: Page = field(default_factory=lambda: Page("", [], []))


def sections(html: str) -> list[Section]:
    tree = _Tree()
    tree.feed(html)
    scopes = dict(_scopes(tree.root))
    return [_section(part, scopes) for part in of_class(tree.root, "part")]


def _scopes(root: Element) -> Iterator[tuple[str, str]]:
    """What the table at the end says of every number: ``3–4 | ... | ...; for all I, K; ...``."""
    for table in of_class(root, "ledger"):
        for row in of_class(table, "entry"):
            yield from scopes_of(_only(row, "first"), _only(row, "why"))


def scopes_of(numbers: str, argument: str) -> Iterator[tuple[str, str]]:
    """The numbers of a row, each with the sizes that its statement is proved for all of."""
    found = re.search(r"; (for all .*?)(;|$)", argument)
    for part in numbers.split(", "):
        low, _, high = part.partition("–")
        letter = re.sub(r"\d.*", "", low)
        if not high:
            yield low, found[1] if found else ""
            continue
        for number in range(int(low.removeprefix(letter)), int(high.removeprefix(letter)) + 1):
            yield f"{letter}{number}", found[1] if found else ""


def _section(part: Element, scopes: dict[str, str]) -> Section:
    (title,) = (own for own in part.iter("h2"))
    found = Section(words(title))
    page = found.page
    for row in part.iter():
        kinds = row.get("class", "").split()
        if "row" not in kinds:
            continue
        if "picture" in kinds:
            found.captions.append(words(next(row.iter("figcaption")), skip=("rule", "formula")))
            found.figures.append([_drawing(svg) for svg in row.iter("svg")])
        elif "paragraph" in kinds:
            found.paragraphs.append(words(row))
        elif "entry" in kinds and len(list(of_class(row, "num"))):
            page.definitions.append(_definition(row))
        elif "entry" in kinds:
            found.rows.append([words(cell) for cell in row])
        elif "stage" in kinds:
            page.stages.append(Stage(*_stage_words(row)))
        elif "statement" in kinds and not any(of_class(row, "num")):
            found.lines.append((_only(row, "lhs"), _sides(row), f"{_rule(row)} {_only(row, 'why')}".strip()))
        elif "statement" in kinds and words(next(of_class(row, "num"))).startswith("D"):
            page.definitions.append(_apart(row))
        elif "statement" in kinds:
            if not page.stages:
                page.stages.append(Stage("", ""))
            page.stages[-1].steps.append(_step(row, scopes))
    return found


def page_of(section: Section) -> Page:
    """The derivation in a section, with the hypotheses that stand in its first paragraph."""
    match = re.search(r"(For [A-Z].* ≥ .*|All sizes are given\..*)$", section.paragraphs[0].replace("≥", " ≥ "))
    assert match is not None, section.paragraphs
    section.page.hypotheses = match[1]
    return section.page


def _only(row: Element, name: str) -> str:
    found = [words(own, skip=("rule", "needs", "qed")) for own in of_class(row, name)]
    return found[0] if found else ""


def _definition(row: Element) -> Definition:
    (number,) = of_class(row, "num")
    return Definition(words(number), _only(row, "first"), _only(row, "second"), _only(row, "name"), _only(row, "why"))


def _apart(row: Element) -> Definition:
    """A definition that is too wide for the table, displayed like a step."""
    size = _only(row, "why").removeprefix("of size ")
    entry = f"{_only(row, 'lhs')} {_only(row, 'rhs')}"
    return Definition(words(next(of_class(row, "num"))), "", entry, _rule(row).rstrip(",").lower(), size)


def _stage_words(row: Element) -> tuple[str, str]:
    (name,) = of_class(row, "name")
    return words(name, skip=("i",)), _only(row, "quantifier")


def _step(row: Element, scopes: dict[str, str]) -> Step:
    (number,) = of_class(row, "num")
    id = words(number)
    left, right = _only(row, "lhs"), _only(row, "rhs")
    sign, right = right[0], right[1:].strip()
    (label,) = (own.get("aria-label", "") for own in number.iter("svg"))
    needs = words(next(of_class(row, "needs"))).removeprefix("needs ") if any(of_class(row, "needs")) else ""
    rule = _rule(row)
    return Step(id, left, sign, right, f"{rule} {_only(row, 'why')}".strip(), label.split()[0], scopes[id], needs)


def _sides(row: Element) -> list[str]:
    """The right sides of a line, one after the other."""
    return [words(line) for side in of_class(row, "rhs") for line in side if line.tag == "div"]


def _drawing(svg: Element) -> Drawing:
    found: dict[float, list[tuple[float, str]]] = {}
    for own in svg.iter("text"):
        found.setdefault(float(own.get("y", "")), []).append((float(own.get("x", "")), words(own)))
    lines = [[word for _, word in sorted(found[y])] for y in sorted(found)]
    title, description = (words(next(svg.iter(tag))) for tag in ("title", "desc"))
    return Drawing(title, description, lines)


def _rule(row: Element) -> str:
    return next((words(own) for own in of_class(row, "rule")), "")
