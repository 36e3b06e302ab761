"""Which outputs read an input entry: their number, and the weights they read it with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import TypeAlias

from symconv.errors import SizeLimitError
from symconv.report.drawing.axis import DrawnAxis
from symconv.report.drawing.panels import Cell, Panel, cell_sizes, describe_cropping, draw, ellipses, visible
from symconv.report.drawing.plane import FigureLetters, in_words, plane_of, size_words, touched
from symconv.report.drawing.shapes import Glyph, Paint, Rectangle, Shape, Stroke
from symconv.report.scene import Scene

__all__ = ["Counts", "glyph_map", "touch_counts", "touch_map"]

_MOST_COUNTS = 1_000_000
_MOST_GLYPH_SQUARES, _LARGEST_GLYPH = 8_000, 64

Counts: TypeAlias = tuple[int, ...] | tuple[tuple[int, ...], ...]


def touch_counts(axes: Sequence[DrawnAxis]) -> Counts:
    """How many outputs read each input entry, in the shape of the input.

    Raises:
        NotSupportedError: more than two axes.
        SizeLimitError: more than a million entries.

    >>> touch_counts([DrawnAxis(5, 3)]), touch_counts([DrawnAxis(3, 2), DrawnAxis(2, 1, stride=2)])
    ((1, 2, 3, 2, 1), ((1, 0), (2, 0), (1, 0)))
    """
    rows, columns = plane_of(axes)
    if rows.size * columns.size > _MOST_COUNTS:
        raise SizeLimitError(
            f"{rows.size} x {columns.size} counts are more than {_MOST_COUNTS}; count one axis at a time, "
            "the counts of two axes multiply"
        )
    down = [len(rows.touches(row)) for row in range(rows.size)]
    across = [len(columns.touches(column)) for column in range(columns.size)]
    if len(axes) == 1:
        return tuple(across)
    return tuple(tuple(a * b for b in across) for a in down)


def touch_map(
    axes: Sequence[DrawnAxis],
    *,
    around: Sequence[int] | None = None,
    names: Mapping[str, str] | None = None,
    index_base: int = 1,
) -> Scene:
    """How many outputs read each input entry, as a number on a tint; 0 stays white.

    Args:
        axes: one axis or two, rows first.
        around: the input entry that a cropped picture is drawn around; the first one unless given.
        names: letters for "input" and "output" other than a and c, in the words of the scene.
        index_base: what the first index is called, 0 or 1.

    Raises:
        GeometryError: `around` is no entry of the input.
        NotSupportedError: more than two axes.
    """
    plane, naming = plane_of(axes), FigureLetters(axes, names, index_base)
    sizes = (plane[0].size, plane[1].size)
    place = (0, 0) if around is None else naming.place(around, sizes, "input entry")
    spans = visible((0, sizes[0]), (0, sizes[1]), (place[0], place[0] + 1), (place[1], place[1] + 1))
    counts = {(r, c): touched(plane, r, c) for r, c in product(spans[0].shown(), spans[1].shown())}
    most = max(1, *counts.values())

    def cell(row: int, column: int) -> Cell:
        count = counts[row, column]
        if not count:
            return Cell("0", "zero")
        strength = 8 + 84 * count // most
        return Cell(str(count), "paper" if strength > 55 else "ink", Paint("upstream", strength))

    letter, result = naming.letters["input"], naming.letters["output"]
    table = "; ".join(" ".join(str(counts[r, c]) for c in spans[1].shown()) for r in spans[0].shown())
    panel = Panel(
        *spans,
        cell,
        (),
        f"How many entries of {result} each entry of {letter} touches",
        f"Row by row: {table}.",
    )
    return draw((panel,))[0]


def glyph_map(
    axes: Sequence[DrawnAxis],
    *,
    at: Sequence[int],
    names: Mapping[str, str] | None = None,
    index_base: int = 1,
) -> Scene:
    """For every input entry a small kernel whose filled squares are the weights that its gradient adds up.

    Args:
        axes: one axis or two, rows first.
        at: the input entry that is framed.
        names: letters for "input" and "weight" other than a and b, in the words of the scene.
        index_base: what the first index is called, 0 or 1.

    Raises:
        GeometryError: `at` is no entry of the input.
        NotSupportedError: more than two axes.
        SizeLimitError: a kernel of more taps than a small square can show.
    """
    (rows, columns), naming = plane_of(axes), FigureLetters(axes, names, index_base)
    place = naming.place(at, (rows.size, columns.size), "input entry")
    kernel = (rows.kernel, columns.kernel)
    squares = kernel[0] * kernel[1]
    if squares > _LARGEST_GLYPH:
        raise SizeLimitError(
            f"a {size_words(kernel, naming.flat)} kernel has {squares} taps, more than the {_LARGEST_GLYPH} that a "
            "small square can show; draw touch_map instead"
        )
    spans = visible(
        (0, rows.size),
        (0, columns.size),
        (place[0], place[0] + 1),
        (place[1], place[1] + 1),
        most=_MOST_GLYPH_SQUARES // squares,
    )

    def added(row: int, column: int) -> tuple[tuple[int, int], ...]:
        return tuple(product((m for _, m in rows.touches(row)), (n for _, n in columns.touches(column))))

    pitch = 0.8 / max(kernel)
    width, height = pitch * kernel[1], pitch * kernel[0]
    inset_x, inset_y = (1 - width + 0.1 * pitch) / 2, (1 - height + 0.1 * pitch) / 2
    glyphs = [
        Glyph(
            spans[1].position(column) + inset_x,
            spans[0].position(row) + inset_y,
            width,
            height,
            *kernel,
            added(row, column),
        )
        for row, column in product(spans[0].shown(), spans[1].shown())
    ]
    frame = Rectangle(spans[1].position(place[1]), spans[0].position(place[0]), 1, 1, None, Stroke("ink", "thin"))
    sums = ", ".join(in_words(naming.indices(*tap)) for tap in added(*place)) or "none"
    description = (
        f"Each small square is the kernel {naming.letters['weight']} of size {size_words(kernel, naming.flat)}; filled "
        f"are the weights that reach the entry. The framed entry {in_words(at)} adds up the weights {sums}."
    )
    title = f"Which weights the gradient of each entry of {naming.letters['input']} adds up"
    size = max(22, 6 * max(kernel) + 8)
    px, mm = cell_sizes([(spans[1].length, spans[0].length)], size)
    cropped = describe_cropping(*spans)
    items: tuple[Shape, ...] = (*glyphs, frame, *ellipses(*spans))
    return Scene(title, description + cropped, items, spans[1].length, spans[0].length, px, mm)
