r"""A report page taken apart: the sections of its questions, as `hypertext` has them, from LaTeX, whole or a fragment.

A page is a row of macros (`\SCsection`, `\SCstatement`, `\SCrow`...) whose arguments are read here; what the macros do
with them is no part of this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from readback.hypertext import Section, scopes_of
from readback.notation import from_latex
from readback.pages import Definition, Stage, Step

__all__ = ["tex_sections", "tex_words"]

MACROS = {"SCsection": 4, "SCstage": 4, "SCstatement": 4, "SCparagraph": 3, "SCrow": 5, "SCfigure": 4}
CHARACTERS = {
    "textendash": "–", "textemdash": "—", "textquoteright": "’", "textquoteleft": "‘", "textquotedblleft": "“",
    "textquotedblright": "”", "textquotedbl": '"', "textless": "<", "textgreater": ">", "textbar": "|",
    "textbackslash": "\\", "textasciitilde": "~", "textasciicircum": "^", "texttwosuperior": "²",
    "textperiodcentered": "·", "SCbreak": "", "enspace": " ", "quad": " ", "leavevmode": "",
}  # fmt: skip


def group_at(text: str, start: int) -> tuple[str, int]:
    """The argument in braces that begins at `start`, and where it ends."""
    while text[start].isspace():
        start += 1
    assert text[start] == "{", text[start : start + 80]
    depth, place = 1, start + 1
    while depth:
        sign = text[place]
        place += 2 if sign == "\\" else 1
        depth += (sign == "{") - (sign == "}")
    return text[start + 1 : place - 1], place


def macros_of(text: str) -> Iterator[tuple[str, list[str]]]:
    """The macros of a page in reading order, each with its arguments."""
    pattern, place = re.compile(rf"\\({'|'.join(MACROS)})(?![A-Za-z])(\[[^\]]*\])?"), 0
    while (match := pattern.search(text, place)) is not None:
        place, arguments = match.end(), []
        for _ in range(MACROS[match[1]]):
            argument, place = group_at(text, place)
            arguments.append(argument)
        yield match[1], arguments


def tex_words(text: str) -> str:
    """Running text, its mathematics read."""
    return re.sub(r"\s+", " ", "".join(_words(text))).strip()


def _words(text: str) -> Iterator[str]:
    place = 0
    while place < len(text):
        sign = text[place]
        if sign in "{}":  # a group for a size or a colour
            place += 1
        elif sign == "~":
            yield " "
            place += 1
        elif sign != "\\":
            yield sign
            place += 1
        else:
            match = re.compile(r"\\([A-Za-z]+|.)").match(text, place)
            assert match is not None
            name, place = match[1], match.end()
            if name in ("SCmath", "ensuremath"):
                argument, place = group_at(text, place)
                yield from_latex(argument)
            elif name in ("textbf", "SCcode", "mbox", "SCrule"):
                argument, place = group_at(text, place)
                yield from _words(argument)
            elif name in ("SCmark", "color", "SCref", "SCanchor"):
                _, place = group_at(text, place)
            elif name in CHARACTERS:
                yield CHARACTERS[name]
            else:
                assert not name.isalpha() or name == "SClabel", f"\\{name} in {text!r}"
                yield "" if name.isalpha() else name


def tex_sections(tex: str) -> list[Section]:
    """The sections of a page, those of its questions and those about the page itself."""
    tex = re.sub(r"(?<!\\)%[^\n]*\n\s*", "", tex)
    found: list[Section] = []
    macros = list(macros_of(tex[tex.index(r"\SCtitlesize\raggedright") :]))
    ledger = max(n for n, (name, _) in enumerate(macros) if name == "SCsection")  # the last section
    rows = [(tex_words(own[1]), tex_words(own[4])) for name, own in macros[ledger:] if name == "SCrow"]
    scopes = {number: scope for numbers, argument in rows[1:] for number, scope in scopes_of(numbers, argument)}
    for name, arguments in macros:
        if name == "SCsection":
            found.append(Section(tex_words(arguments[2])))
        elif found:
            _add(found[-1], name, arguments, scopes)
    return found


def _add(section: Section, name: str, arguments: list[str], scopes: dict[str, str]) -> None:
    page = section.page
    if name == "SCparagraph":
        section.paragraphs.append(tex_words(arguments[2]))
    elif name == "SCstage":
        title = re.sub(r"^[IVX]+\\enspace\{\}", "", arguments[2])
        page.stages.append(Stage(tex_words(title), tex_words(arguments[3])))
    elif name == "SCrow":
        if arguments[0]:
            _, number = _margin(arguments[0])
            page.definitions.append(Definition(number, *(tex_words(arguments[k]) for k in (1, 2, 3, 4))))
    elif name == "SCfigure":
        caption, _, _ = arguments[3].partition(r"\SCbelow")
        section.captions.append(tex_words(re.sub(r"^\\SCfigurename\{[^}]*\}\{[^}]*\}", "", caption)))
    elif name == "SCstatement":
        _statement(section, arguments, scopes)


def _margin(text: str) -> tuple[str, str]:
    """The mark and the number beside a line."""
    parts, place = [], len(r"\SCmargin")
    for _ in range(3):
        argument, place = group_at(text, place)
        parts.append(argument)
    return parts[1], tex_words(parts[2])


def _statement(section: Section, arguments: list[str], scopes: dict[str, str]) -> None:
    page = section.page
    mark, number = _margin(arguments[0])
    left, lines, place = from_latex(arguments[1]).strip(), [], 0
    while (place := arguments[2].find(r"\SCline", place)) >= 0:
        line, place = group_at(arguments[2], place + len(r"\SCline"))
        lines.append(line)
    first = from_latex(lines[0].removesuffix(r"\qquad\blacksquare")).strip()
    rule, reason, needs = _reason(arguments[3])
    if number.startswith("D"):
        page.definitions.append(
            Definition(number, "", f"{left} {first}", rule.rstrip(",").lower(), reason.removeprefix("of size "))
        )
        return
    if not number:
        return  # an instance in numbers, without a mark
    if not page.stages:
        page.stages.append(Stage("", ""))
    step = Step(number, left, first[0], first[1:].strip(), f"{rule} {reason}".strip(), mark, scopes[number], needs)
    page.stages[-1].steps.append(step)


def _reason(text: str) -> tuple[str, str, str]:
    """The rule, what is said, and what it needs."""
    rule, needs = "", ""
    if text.startswith(r"\SCrule"):
        rule, place = group_at(text, len(r"\SCrule"))
        text = text[place:]
    text, _, rest = text.partition(r"\SCneeds")
    if rest:
        needs, _ = group_at(rest, 0)
    text, _, _ = text.partition(r"\SCsubstep")
    return tex_words(rule), tex_words(text), tex_words(needs)
