r"""The document model as LaTeX: a whole file for pdflatex, or a fragment to `\input` into an article."""

from __future__ import annotations

import re
from functools import lru_cache

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from symconv.doors import flag, instance
from symconv.errors import RenderError
from symconv.report.document import (
    Code,
    Display,
    Document,
    Inline,
    Math,
    NotationRow,
    Paragraph,
    Ref,
    RelationLine,
    Section,
    Strong,
    Text,
    TheoremBlock,
)
from symconv.report.drawing.grids import grid_tikz
from symconv.report.drawing.shapes import DEFINED_COLOURS
from symconv.report.escape import Tex, anchor, check_latex_text, latex_text, pdf_string
from symconv.report.layout import (
    MARK_MEANINGS,
    Part,
    all_blocks,
    check_document,
    is_exercise,
    margin_numbers,
    marks_used,
    parts,
    starts_relation,
)
from symconv.report.marks import Mark
from symconv.report.mathml import check_formula
from symconv.report.templating import latex_environment

__all__ = ["to_latex"]

_RUNNING_LIMIT = 80


def to_latex(document: Document, fragment: bool = False) -> str:
    r"""The document as LaTeX for pdflatex; the same document gives the same bytes.

    Args:
        document: what to print.
        fragment: without preamble and page furniture, for `\input` into an article that loads the packages which its
            first lines name.

    Returns:
        A whole LaTeX file, or a body.

    Raises:
        RenderError: a text that pdflatex cannot set, or a formula outside the common subset.
    """
    check_document(instance("document", document, Document, "must be a document, such as build_document gives"))
    running = document.running or document.title
    try:
        return (
            _environment()
            .get_template("fragment.tex.jinja" if flag("fragment", fragment) else "report.tex.jinja")
            .render(
                document=document,
                parts=parts(document),
                colours=DEFINED_COLOURS,
                exercise=is_exercise(document),
                numbers=margin_numbers(document),
                legend=tuple((mark, MARK_MEANINGS[mark]) for mark in marks_used(document)),
                running=running if len(running) <= _RUNNING_LIMIT else running[: _RUNNING_LIMIT - 1].rstrip() + "…",
                pdf_title=pdf_string(document.title, "title"),
                pdf_author=pdf_string(document.author, "author"),
            )
        )
    except TemplateError as error:
        raise RenderError(f"the LaTeX template failed: {error}") from error


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    environment = latex_environment()
    environment.filters.update(
        anchor=lambda identifier: Tex(anchor(identifier)),
        bookmark=_bookmark,
        formula=_formula,
        grid=grid_tikz,
        inline=_inline,
        kind=lambda block: type(block).__name__.lower(),
        lines=_lines,
        margin=_margin,
        sides=_sides,
        text=latex_text,
        tikz=lambda scene: Tex(scene.tikz()),
    )
    return environment


def _formula(math: Math | str) -> Tex:
    latex = math.latex if isinstance(math, Math) else math
    if latex:
        check_formula(latex)
    # A blank line would end the paragraph, and with it the formula.
    return Tex(re.sub(r"\s*\n\s*", " ", latex.strip()))


def _inline(runs: tuple[Inline, ...], field: str = "text") -> Tex:
    return Tex("".join(_run(run, field) for run in runs))


def _run(run: Inline, field: str) -> str:
    match run:
        case Text(text):
            return latex_text(text, field)
        case Strong(text):
            return rf"\textbf{{{latex_text(text, field)}}}"
        case Code(text):
            return rf"\SCcode{{{_code(text, field)}}}"
        case Math():
            return rf"\SCmath{{{_formula(run)}}}"
        case Ref(target, label):
            return rf"\SCref{{{anchor(target)}}}{{{latex_text(label, field)}}}"


def _code(text: str, field: str) -> str:
    """Typewriter keeps quotes straight, borrows the glyphs it lacks, and may break a line after a joint of a name."""
    glyphs = {"'": r"\textquotesingle{}"} | {c: rf"\textrm{{{latex_text(c)}}}" for c in "Ĳĳẞ™"}
    straight = "".join(glyphs.get(c) or latex_text(c, field) for c in check_latex_text(text, field))
    return re.sub(r"(\\_|[./,:=])(?=.)", r"\1\\SCbreak{}", straight)


def _margin(block: RelationLine | Paragraph | Display | NotationRow, mark: Mark | None = None) -> Tex:
    number = latex_text(block.number, "number")
    return Tex(rf"\SCmargin{{{anchor(block.id)}}}{{{mark or getattr(block, 'mark', 'none')}}}{{{number}}}")


def _lines(statement: RelationLine) -> tuple[Tex, ...]:
    """The right-hand sides with their relation; a row that begins with no relation stands behind the first one."""
    relation = _formula(statement.relation)
    first = f"{{}}{relation} {_formula(statement.rhs)}"
    rows = [
        f"{{}}{row}" if starts_relation(row) else rf"\hphantom{{{{}}{relation}{{}}}}{{}}{row}"
        for row in map(_formula, statement.rows)
    ]
    lines = [first, *rows]
    if statement.qed:
        lines[-1] += r"\qquad\blacksquare"
    return tuple(map(Tex, lines))


def _sides(part: Part) -> tuple[tuple[Tex, bool], ...]:
    """The different left-hand sides of a part, each with whether it is large; the widest of them places the axis."""
    sides = []
    for block in all_blocks(part.blocks):
        if isinstance(block, RelationLine) and block.lhs.latex:
            sides.append((_formula(block.lhs), block.large))
        elif isinstance(block, TheoremBlock):
            sides += [(_formula(line.lhs), True) for line in block.lines]
    return tuple(dict.fromkeys(sides))


def _bookmark(section: Section) -> Tex:
    """A line of the PDF's outline, where formulas cannot stand: they are left out."""
    title = "".join(run.text for run in section.title if isinstance(run, Text | Strong | Code)).strip()
    return pdf_string(f"{section.number} {title}".strip() or "Section", "section title")
