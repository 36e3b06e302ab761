"""The document model as one self-contained HTML page: MathML, inline SVG, embedded fonts, no script needed."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from collections.abc import Iterator
from functools import lru_cache

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from symconv.doors import instance
from symconv.errors import RenderError
from symconv.report.document import Code, Display, Document, Inline, Math, Ref, RelationLine, Strong, Text
from symconv.report.escape import anchor, check_text
from symconv.report.exercise import Grid, Stations, TheoremLine
from symconv.report.formula_width import estimate_em
from symconv.report.layout import (
    MARK_MEANINGS,
    check_document,
    is_exercise,
    margin_numbers,
    marks_used,
    parts,
    starts_relation,
)
from symconv.report.marks import Mark
from symconv.report.mathml import to_mathml
from symconv.report.scene import Scene
from symconv.report.templating import html_environment, markup, read_template_file
from symconv.report.typefaces import font_faces

__all__ = ["to_html"]

# Widths in em of the formula's own size, from the measures of the style sheet: the statement column has 36, a phone 22.
_LONG_LEFT = 8.0
_AXIS = 3.4
_WIDE_DISPLAY = 34.5
_PHONE = 20.0
_WIDE_INLINE = 17.0
_OPENING = re.compile(r"[(\[“‘„«]+\Z")
_CLOSING = re.compile(r"\A[.,;:!?)\]”’»]+")

_SHAPES: dict[Mark, str] = {
    "definition": '<circle cx="6" cy="6" r="4.2" fill="none" stroke="currentColor"/>',
    "proved": '<circle cx="6" cy="6" r="4.6" fill="currentColor"/>',
    "exact": '<circle cx="6" cy="6" r="4.2" fill="none" stroke="currentColor"/>'
    '<path d="M6 1.8a4.2 4.2 0 0 0 0 8.4z" fill="currentColor"/>',
    "refuted": '<path d="M2 2l8 8M10 2l-8 8" class="cross"/>',
    "undecided": '<circle cx="6" cy="6" r="4.2" fill="none" stroke="currentColor" stroke-width="1.4" '
    'stroke-dasharray="1.4 1.24"/>',
}


def to_html(document: Document) -> str:
    """The document as one HTML page that needs nothing else; the same document gives the same bytes.

    Args:
        document: what to show.

    Returns:
        A whole page.

    Raises:
        RenderError: control characters in a text, or a formula outside the common subset.
    """
    check_document(instance("document", document, Document, "must be a document, such as build_document gives"))
    scripts = ["script.js", *(["chosen.js"] if document.map else [])]
    script = "".join(map(read_template_file, scripts))
    legend = tuple((mark, MARK_MEANINGS[mark]) for mark in marks_used(document))
    style = read_template_file("style.css") + (read_template_file("exercise.css") if is_exercise(document) else "")
    try:
        page = (
            _environment()
            .get_template("report.html.jinja")
            .render(
                document=document,
                parts=parts(document),
                # Stages stand one level below the sections, where there are any.
                level=3 if any(part.section for part in parts(document)) else 2,
                legend=legend,
                # The strip under the title says what its marks mean.
                unexplained=tuple(entry for entry in legend if entry[0] not in {s.mark for s in document.status}),
                contents=tuple(part.section for part in parts(document) if part.section),
                # Names for the pictures; no anchor has two hyphens in a row without a number between them.
                uids=(f"scene--{n}" for n in itertools.count(1)),
                digits=max(map(len, margin_numbers(document)), default=0),
                style=markup(style),
                script=markup(script),
                map=markup(document.map.replace("<", "\\u003c")),
                script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
            )
        )
    except TemplateError as error:
        raise RenderError(f"the HTML template failed: {error}") from error
    # The first "<style>" is the template's own: every "<" of a text is escaped.
    return page.replace("<style>\n", f"<style>\n{font_faces(page)}\n", 1)


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    environment = html_environment()
    environment.filters.update(
        about=_about,
        anchor=anchor,
        broad=_broad,
        cells=_cells,
        formula=_formula,
        gridclass=_grid_class,
        inline=_inline,
        kind=lambda block: type(block).__name__.lower(),
        lines=_lines,
        long_left=_long_left,
        mark=_mark,
        meaning=lambda mark: MARK_MEANINGS.get(mark, "not decided"),
        sides=_right_side,
        states=_states,
        svg=_svg,
        symbol=_symbol,
        text=lambda text, field: Markup(escape(check_text(text, field))),  # noqa: S704 - escaped in the same breath
        wide=_wide,
    )
    return environment


def _formula(math: Math | str, display: bool = False) -> Markup:
    return markup(to_mathml(math.latex if isinstance(math, Math) else math, display=display))


def _inline(runs: tuple[Inline, ...], field: str = "text", room: float = _WIDE_INLINE) -> Markup:
    """Runs in a row; brackets and stops cling to the formula or reference they touch, so that none starts a line."""
    texts = [check_text(run.text, field) if isinstance(run, Text) else "" for run in runs]
    pieces: list[str] = []
    for n, run in enumerate(runs):
        if isinstance(run, Text):
            pieces.append(str(escape(texts[n])))
            continue
        piece = _run(run, field, room)
        clings = isinstance(run, Math | Ref)
        before = _OPENING.search(texts[n - 1]) if clings and n else None
        after = _CLOSING.search(texts[n + 1]) if clings and n + 1 < len(runs) else None
        if before and pieces:
            pieces[-1] = str(escape(texts[n - 1][: before.start()]))
            texts[n - 1] = texts[n - 1][: before.start()]
        if after:
            texts[n + 1] = texts[n + 1][after.end() :]
        if before or after:
            opening, closing = escape(before.group() if before else ""), escape(after.group() if after else "")
            piece = f'<span class="nw">{opening}{piece}{closing}</span>'
        pieces.append(piece)
    return markup("".join(pieces))


def _run(run: Strong | Math | Code | Ref, field: str, room: float) -> str:
    match run:
        case Strong(text):
            return f"<strong>{escape(check_text(text, field))}</strong>"
        case Code(text):
            return f"<code>{escape(check_text(text, field))}</code>"
        case Math(latex):
            formula = to_mathml(latex)
            return f'<span class="scroll">{formula}</span>' if estimate_em(formula) > room else formula
        case Ref(target, label):
            return f'<a class="ref" href="#{anchor(target)}">{escape(check_text(label, field))}</a>'


def _lines(statement: RelationLine) -> tuple[tuple[bool, Markup], ...]:
    """The right-hand sides with their relation; True for a row that stands behind the sign of the first one."""
    first = f"{{}}{statement.relation} {statement.rhs.latex}"
    lines = [(False, first)]
    for row in statement.rows:
        on_axis = starts_relation(row.latex)
        # The empty group makes a leading sign a sign between two terms, with the space of one.
        lines.append((not on_axis, f"{{}}{row.latex}"))
    return tuple((behind, _formula(latex, display=True)) for behind, latex in lines)


def _sides(block: RelationLine) -> tuple[float, float]:
    """The widths of the left-hand side and of the longest line on the right, in em."""
    left = estimate_em(to_mathml(block.lhs.latex, display=True)) if block.lhs.latex else 0.0
    return left, max(estimate_em(line) for _, line in _lines(block))


def _wide(block: RelationLine | Display) -> bool:
    """Whether the formula leaves the statement column, so that its reason must stand below."""
    if isinstance(block, Display):
        return estimate_em(to_mathml(block.math.latex, display=True)) > _WIDE_DISPLAY
    left, right = _sides(block)
    return right + (left if left <= _LONG_LEFT else _AXIS) > _WIDE_DISPLAY


def _broad(block: RelationLine) -> bool:
    """Whether both sides together are wider than a phone, where the right one then goes below the left one."""
    left, right = _sides(block)
    return left > 0 and left + right > _PHONE


def _long_left(block: RelationLine) -> bool:
    """Whether the left-hand side is too long for the axis, so that it stands on a line of its own."""
    return _sides(block)[0] > _LONG_LEFT


def _mark(mark: Mark, label: bool = True) -> Markup:
    if mark == "none":
        return markup("")
    naming = f'role="img" aria-label="{MARK_MEANINGS[mark]}"' if label else 'aria-hidden="true"'
    return markup(f'<svg class="mk" {naming}><use href="#mark-{mark}"/></svg>')


def _symbol(mark: Mark) -> Markup:
    """The shape of a mark, once for all places that show it."""
    return markup(f'<symbol id="mark-{mark}" viewBox="0 0 12 12">{_SHAPES[mark]}</symbol>')


def _svg(scene: Scene, uids: Iterator[str]) -> Markup:
    return markup(scene.svg(next(uids)))


def _about(tensors: tuple[str, ...]) -> Markup:
    """The attribute of a statement that speaks of tensors of the map."""
    return markup(f' data-about="{" ".join(map(anchor, tensors))}"' if tensors else "")


def _right_side(line: TheoremLine) -> Markup:
    return _formula(f"{{}}{line.relation} {line.rhs.latex}", display=True)


_KINDS = {"value": "", "kernel": " k", "gradient": " d"}
_SIZES = {"cell": "", "double": " big", "flat": " flat", "wide": " flat five"}


def _grid_class(grid: Grid) -> str:
    return f"tn{_KINDS[grid.kind]}{_SIZES[grid.size]}"


def _cells(grid: Grid) -> Markup:
    """The rows of a table; thin are those that only hold cells outside of the tensor."""
    rows = []
    high, wide = grid.window
    for r, row in enumerate(grid.rows):
        cells = []
        for c, cell in enumerate(row):
            states: list[str] = [*cell.states]
            states += ["wt"] * bool(high and r % high == 0) + ["wl"] * bool(wide and c % wide == 0)
            states += ["wb"] * bool(high and r == len(grid.rows) - 1) + ["wr"] * bool(wide and c == len(row) - 1)
            named = f' class="{" ".join(states)}"' if states else ""
            cells.append(f"<td{named}>{escape(check_text(cell.text, grid.label))}")  # HTML closes cells by itself
        thin = ' class="rr"' if all("ring" in cell.states for cell in row) else ""
        rows.append(f"<tr{thin}>{''.join(cells)}")
    return markup(f"<tbody>{''.join(rows)}</tbody>")


def _states(block: Stations) -> frozenset[str]:
    """The states that some cell of a figure has, which its caption explains."""
    halves = [half for station in block.stations for half in (station.values, station.gradients) if half]
    grids = [grid for half in halves for row in half.rows for grid in row]
    return frozenset(state for grid in grids for row in grid.rows for cell in row for state in cell.states)
