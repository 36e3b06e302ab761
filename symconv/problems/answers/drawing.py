"""Figures of a declared operator: where its window is, and how many outputs touch each input."""

from __future__ import annotations

from symconv.formulas.index import Index
from symconv.formulas.printing import LATEX
from symconv.operators.convolution import Conv
from symconv.operators.letters import Letters, capital
from symconv.operators.morphology import Morphology
from symconv.operators.pooling import MaxPool
from symconv.problems.answers.desk import Desk, words
from symconv.problems.problem import Declared, Question
from symconv.report.colour import colour
from symconv.report.document import Block, FigureBlock, Inline, Math
from symconv.report.figures import DrawnAxis, touch_counts, touch_map, window_figure

__all__ = ["array_latex", "axes_of", "can_draw", "naming", "touch_figure", "window"]


def can_draw(declared: Declared) -> bool:
    """Whether an operator can be drawn flat: one or two axes, numbers only, zeros for padding."""
    op = declared.op
    flat = op.spatial_axes <= 2 and not (isinstance(op, Conv) and op.padding_mode != "zeros")
    return flat and all(isinstance(w.kernel, int) and isinstance(w.stride, int) for w in op.windows)


def axes_of(declared: Declared) -> tuple[DrawnAxis, ...]:
    """The axes of a figure, from the operator's own windows."""
    result = []
    for window, size in zip(declared.op.windows, declared.input_size, strict=True):
        before, after = (pad.value or 0 for pad in window.padding(Index.of(size)))
        counted = window.output_size(size) if window.ceil_mode else None
        result.append(
            DrawnAxis(size, int(window.kernel), int(window.stride), int(window.dilation), before, after, counted)
        )
    return tuple(result)


def naming(letters: Letters) -> dict[str, str]:
    """The letters of a figure."""
    return {role: getattr(letters, role) for role in ("input", "weight", "output", "upstream")}


def array_latex(letters: Letters, role: str) -> str:
    """The array of a tensor's letter, as LaTeX."""
    return LATEX.name(capital(getattr(letters, role)))


def window(desk: Desk, question: Question, declared: Declared) -> list[Block]:
    """The window at one output, with the padding drawn."""
    if not can_draw(declared):
        return []
    axes, base = axes_of(declared), question.index_base
    at = tuple(min(1, axis.outputs - 1) + base for axis in axes)
    letters = Letters.of(question.names)
    is_conv = isinstance(declared.op, Conv)
    scenes = window_figure(
        axes, at=at, names=naming(letters), index_base=base, padding_label="0" if _zeros(declared) else ""
    )
    roles = desk.roles(letters, declared.op)
    number = desk.figure()
    names = [Math(colour(array_latex(letters, role), roles)) for role in ("input", "weight", "output")]
    place = Math(rf"({', '.join(map(str, at))})") if len(at) > 1 else Math(str(at[0]))
    padded = any(axis.before > 0 or axis.after > 0 for axis in axes)  # a negative padding takes entries away
    caption: tuple[Inline, ...] = words("The window of output ", place, ", with the padding drawn." if padded else ".")
    if is_conv:
        return [
            FigureBlock(f"figure-{number}", number, scenes, tuple(names), (Math(r"\star"), Math("=")), caption, "none")
        ]
    pair = (scenes[0], scenes[2])
    return [FigureBlock(f"figure-{number}", number, pair, (names[0], names[2]), (Math(r"\to"),), caption, "none")]


def _zeros(declared: Declared) -> bool:
    return not isinstance(declared.op, MaxPool | Morphology)


def touch_figure(desk: Desk, question: Question, declared: Declared) -> list[Block]:
    """How many outputs touch each input."""
    if not can_draw(declared):
        return []
    axes = axes_of(declared)
    letters = Letters.of(question.names)
    scene = touch_map(axes, names=naming(letters), index_base=question.index_base)
    counts = touch_counts(axes)
    flat = [entry for row in counts for entry in (row if isinstance(row, tuple) else (row,))]
    number = desk.figure()
    roles = desk.roles(letters, declared.op)
    caption: list[str | Math] = [
        "How many outputs touch each entry of ",
        Math(colour(array_latex(letters, "input"), roles)),
        f": from {min(flat)} to {max(flat)}.",
    ]
    unread = flat.count(0)
    if unread:
        caption.append(f" No output reads the {unread} pale {'entry' if unread == 1 else 'entries'}.")
    label = Math(rf"\#\{{\,\text{{outputs that touch }}{entry_name(letters, len(axes))}\,\}}")
    return [FigureBlock(f"figure-{number}", number, (scene,), (label,), (), words(*caption), "none")]


def entry_name(letters: Letters, ndim: int) -> str:
    """An entry of the input by its index names."""
    return LATEX.entry(letters.input, letters.axes("input", ndim))
