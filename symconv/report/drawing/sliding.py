"""A window on its way over an array: the forward operator, and its gradient as the same walk on the adjoint axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from symconv.report.drawing.axis import DrawnAxis
from symconv.report.drawing.panels import Cell, Outline, Panel, draw, visible
from symconv.report.drawing.plane import FigureLetters, in_words, plane_of, size_words, touched
from symconv.report.drawing.shapes import Paint, Stroke, Symbol
from symconv.report.scene import Scene

__all__ = ["gradient_figure", "window_figure"]


def _slid_panel(
    axes: tuple[DrawnAxis, DrawnAxis],
    place: tuple[int, int],
    entry: Callable[[int, int], Symbol | None],
    padding_label: str,
    title: str,
    description: str,
) -> Panel:
    """The array that a window slides over, with its padding, at one output.

    Args:
        entry: the symbol at (row, column) inside the array; None for a zero put in between.
    """
    rows, columns = axes
    row_taps, column_taps = rows.window(place[0]), columns.window(place[1])
    spread = any(axis.dilation > 1 for axis in axes)
    padding = Cell(padding_label, "zero") if padding_label else Cell(look="hatched")

    def cell(row: int, column: int) -> Cell:
        tapped = row in row_taps and column in column_taps
        inside = 0 <= row < rows.size and 0 <= column < columns.size
        symbol = entry(row, column) if inside else None
        if symbol is not None:
            if tapped:
                return Cell(symbol, "upstream", Paint("upstream-mid"))
            if not touched(axes, row, column):
                return Cell(symbol, "zero", None, "struck")
            return Cell(symbol, "upstream", Paint("upstream-soft"))
        # With a dilation the outline does not tell which zeros are read.
        tint = Paint("hair", 45) if tapped and spread else None
        if inside:
            return Cell("0", "mute" if tint else "zero", tint or Paint("hair", 15))
        padded = (-rows.before <= row < rows.size + rows.after) and (
            -columns.before <= column < columns.size + columns.after
        )
        if not padded:
            return Cell(look="absent")
        return replace(padding, ink="mute" if tint else padding.ink, fill=tint)

    top, left = row_taps[0], column_taps[0]
    spans = visible(rows.reach, columns.reach, (top, top + rows.span), (left, left + columns.span))
    outline = Outline(top, left, rows.span, columns.span, Stroke("kernel", "bold"))
    return Panel(*spans, cell, (outline,), title, description)


def _kernel_panel(
    axes: tuple[DrawnAxis, DrawnAxis],
    place: tuple[int, int],
    met: tuple[list[int], list[int]],
    naming: FigureLetters,
    *,
    turned: bool,
) -> Panel:
    """The kernel, or the kernel turned by a half; the taps that meet an entry of the array are darker."""
    rows, columns = axes

    def meets(row: int, column: int) -> bool:
        return rows.reads(place[0], row) in met[0] and columns.reads(place[1], column) in met[1]

    def cell(row: int, column: int) -> Cell:
        tap = (rows.kernel - 1 - row, columns.kernel - 1 - column) if turned else (row, column)
        fill = Paint("kernel-mid" if meets(row, column) else "kernel-soft")
        return Cell(naming.symbol("weight", *tap), "kernel", fill)

    spans = visible((0, rows.kernel), (0, columns.kernel), (0, 1), (0, 1))
    outline = Outline(0, 0, rows.kernel, columns.kernel, Stroke("kernel", "bold"))
    text = f"The kernel {naming.letters['weight']} of size {size_words((rows.kernel, columns.kernel), naming.flat)}"
    text += ", last tap first." if turned else "."
    return Panel(
        *spans,
        cell,
        (outline,),
        "Kernel turned by a half" if turned else "Kernel",
        text
        + f" {len(met[0]) * len(met[1])} of its {rows.kernel * columns.kernel} taps meet an entry; they are darker.",
    )


def _result_panel(
    extents: tuple[int, int], place: tuple[int, int], content: Callable[[int, int], Symbol | str], title: str, text: str
) -> Panel:
    """A grid of results with the one that is computed filled."""

    def cell(row: int, column: int) -> Cell:
        filled = (row, column) == place
        return Cell(content(row, column), "paper" if filled else "mute", Paint("ink", 82) if filled else None)

    spans = visible((0, extents[0]), (0, extents[1]), (place[0], place[0] + 1), (place[1], place[1] + 1))
    return Panel(*spans, cell, (), title, text)


def _met(axes: tuple[DrawnAxis, DrawnAxis], place: tuple[int, int]) -> tuple[list[int], list[int]]:
    """The rows and columns of the array, padding left out, that a window reads."""
    rows, columns = (
        [entry for entry in axis.window(output) if 0 <= entry < axis.size]
        for axis, output in zip(axes, place, strict=True)
    )
    return rows, columns


def _list(values: Sequence[int]) -> str:
    if len(values) > 12:
        return f"{values[0]}, {values[1]}, ... to {values[-1]}"
    return ", ".join(map(str, values))


def _reading(naming: FigureLetters, rows: Sequence[int], columns: Sequence[int], array: str) -> str:
    """In words, which entries a window reads."""
    if not rows or not columns:
        return f"It reads no entry of {array}."
    columns = [c + naming.base for c in columns]
    if naming.flat:
        return f"It reads the entries {_list(columns)} of {array}."
    return f"It reads rows {_list([r + naming.base for r in rows])} and columns {_list(columns)} of {array}."


def window_figure(
    axes: Sequence[DrawnAxis],
    *,
    at: Sequence[int],
    names: Mapping[str, str] | None = None,
    index_base: int = 1,
    padding_label: str = "0",
) -> tuple[Scene, Scene, Scene]:
    """Output `at` is read from the input entries stride*o + dilation*m - before: input with window, kernel, output.

    Args:
        axes: one axis or two, rows first.
        at: the index of the output.
        names: letters for "input", "weight", "output" other than a, b, c.
        index_base: what the first index is called, 0 or 1.
        padding_label: what a padding cell holds; "" hatches it, for operators that know no value there (max pooling).

    Raises:
        GeometryError: `at` is no output.
        NotSupportedError: more than two axes.

    >>> [scene.title for scene in window_figure([DrawnAxis(5, 3)], at=(2,))]
    ['Input a with the window of output 2', 'Kernel', 'Output c']
    """
    plane, naming = plane_of(axes), FigureLetters(axes, names, index_base)
    rows, columns = plane
    outputs = (rows.outputs, columns.outputs)
    place = naming.place(at, outputs, "output")
    met = _met(plane, place)
    letter, result = naming.letters["input"], naming.letters["output"]
    size = size_words((rows.size, columns.size), naming.flat)
    text = f"Input of size {size}{_padding(axes)}. The window of output {in_words(at)} is outlined. "
    slid = _slid_panel(
        plane,
        place,
        lambda row, column: naming.symbol("input", row, column),
        padding_label,
        f"Input {letter} with the window of output {in_words(at)}",
        text + _reading(naming, *met, letter) + _unread(plane),
    )
    kernel = _kernel_panel(plane, place, met, naming, turned=False)
    output = _result_panel(
        outputs,
        place,
        lambda row, column: naming.symbol("output", row, column),
        f"Output {result}",
        f"The output {result} of size {size_words(outputs, naming.flat)}; entry {in_words(at)} is filled.",
    )
    scenes = draw((slid, kernel, output))
    return scenes[0], scenes[1], scenes[2]


def _padding(axes: Sequence[DrawnAxis]) -> str:
    if not any(axis.before or axis.after for axis in axes):
        return ""
    sides = ("",) if len(axes) == 1 else ("rows ", "columns ")
    parts = [f"{side}{axis.before} before and {axis.after} after" for side, axis in zip(sides, axes, strict=True)]
    crops = any(axis.before < 0 or axis.after < 0 for axis in axes)
    return f", padding: {', '.join(parts)}" + (" (a negative padding crops)" if crops else "")


def _unread(axes: tuple[DrawnAxis, DrawnAxis], strides: tuple[int, int] = (1, 1)) -> str:
    for axis, stride in zip(axes, strides, strict=True):
        # Entries stay unread before the first window, beyond the last one, and between windows that are further apart
        # than their taps reach; that pattern repeats with the step of the windows.
        tail = range(max(0, axis.size - axis.stride - axis.span), axis.size)
        if any(entry % stride == 0 and not axis.touches(entry) for entry in (0, *tail)):
            return " Entries that are never read are struck out."
    return ""


def gradient_figure(
    axes: Sequence[DrawnAxis],
    *,
    at: Sequence[int],
    names: Mapping[str, str] | None = None,
    index_base: int = 1,
) -> tuple[Scene, Scene, Scene]:
    """The gradient of input `at` is a correlation: upstream gradient, stride-1 zeros between, with the turned kernel.

    The padding before is dilation*(kernel-1) - before; where that is negative the upstream gradient is cropped and the
    entries cut away are struck out.

    Args:
        axes: the axes of the *forward* operator.
        at: the index of the input entry.
        names: letters for "input", "weight", "upstream" other than a, b, g.
        index_base: what the first index is called, 0 or 1.

    Raises:
        GeometryError: `at` is no entry of the input.
        NotSupportedError: more than two axes.
    """
    forward, naming = plane_of(axes), FigureLetters(axes, names, index_base)
    plane = (forward[0].adjoint(), forward[1].adjoint())
    inputs = (forward[0].size, forward[1].size)
    place = naming.place(at, inputs, "input entry")
    strides = (forward[0].stride, forward[1].stride)

    def upstream(row: int, column: int) -> Symbol | None:
        if row % strides[0] or column % strides[1]:
            return None
        return naming.symbol("upstream", row // strides[0], column // strides[1])

    read = _met(plane, place)
    # Between the upstream entries, which stand a stride apart, there are zeros.
    met = [r for r in read[0] if r % strides[0] == 0], [c for c in read[1] if c % strides[1] == 0]
    array, letter = naming.letters["upstream"], naming.letters["input"]
    size = size_words((forward[0].outputs, forward[1].outputs), naming.flat)
    between = " with zeros put between its entries for the stride" if max(strides) > 1 else ""
    text = f"Upstream gradient of size {size}{between}{_padding([axis.adjoint() for axis in axes])}. "
    outputs = [r // strides[0] for r in met[0]], [c // strides[1] for c in met[1]]
    slid = _slid_panel(
        plane,
        place,
        upstream,
        "0",
        f"Upstream gradient {array} with the window of input {in_words(at)}",
        text + _reading(naming, *outputs, array) + _unread(plane, strides),
    )
    kernel = _kernel_panel(plane, place, met, naming, turned=True)
    result = _result_panel(
        inputs,
        place,
        lambda row, column: Symbol("", naming.indices(row, column)) if (row, column) == place else "",
        f"Gradient with respect to {letter}",
        f"The gradient with respect to {letter}, of size {size_words(inputs, naming.flat)}; "
        f"entry {in_words(at)} is filled.",
    )
    scenes = draw((slid, kernel, result))
    return scenes[0], scenes[1], scenes[2]
