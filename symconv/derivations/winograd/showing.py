"""An algorithm on paper and on a terminal: its derivation, its matrices, its cost, and its measured errors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction

from symconv.derivations.step import Maths
from symconv.derivations.winograd.accuracy import MeasuredError
from symconv.derivations.winograd.derivation import axis_numbers, derivation
from symconv.derivations.winograd.nested import Cost, Nested
from symconv.derivations.winograd.toom_cook import Matrix
from symconv.derivations.winograd.wording import equals, many, matrix_letter, sandwich
from symconv.formulas.printing import UNICODE

__all__ = ["latex", "matrix_latex", "matrix_text", "text"]

Table = Sequence[tuple[Maths, Sequence[str]]]

LINE, COLUMN_GAP = 280, 10  # points: an article's line of 345 without "A = " and brackets, and between two columns
TILE, KERNEL, PRODUCTS = Maths("d", "d"), Maths("g", "g"), Maths(r"[\,\cdots\,]", "[⋯]")
UNSHARED = "A multiplication by 0, 1 or −1 is none, and nothing is shared between rows."


def _words(words: str) -> Maths:
    return Maths(rf"\text{{{words}}}", words)


_COST_TITLES = tuple(map(_words, ("operations", "additions", "multiplications")))


def text(algorithm: Nested, measurements: Sequence[MeasuredError] = ()) -> str:
    """All of it for a terminal.

    Args:
        algorithm: the algorithm; its steps are checked here unless they have been before.
        measurements: what `symconv.derivations.winograd.accuracy.measure` has found, one a format.
    """
    lines = [derivation(algorithm).text(), "", "The matrices"]
    for name, matrix in _matrices(algorithm):
        lines += ["", *_labelled(name.text, matrix_text(matrix))]
    lines += ["", f"Operations of {_one_tile(algorithm)}", ""]
    lines += _columns(_COST_TITLES, _costs(algorithm))
    lines += ["", f"  {_saving(algorithm)}", f"  {UNSHARED}"]
    if measurements:
        lines += ["", f"Measured errors of {many(measurements[0].tiles, 'random tile')}", ""]
        lines += _columns(_error_titles(algorithm), _measured(measurements))
        lines += [
            "",
            "  Root mean square and largest difference from the exact rational sums, in parts of their own root",
            "  mean square. Every operation is rounded to the format. The entries of tiles and kernels are random in",
            "  (−1, 1), and exact in it.",
        ]
    return "\n".join(lines)


def latex(algorithm: Nested, measurements: Sequence[MeasuredError] = ()) -> str:
    """All of it as LaTeX displays, for amsmath.

    Args:
        algorithm: the algorithm; its steps are checked here unless they have been before.
        measurements: what `symconv.derivations.winograd.accuracy.measure` has found, one a format.
    """
    worked = derivation(algorithm)
    displays = [display for name, matrix in _matrices(algorithm) for display in _matrix_displays(name, matrix)]
    displays.append(_display(_array(_COST_TITLES, _costs(algorithm))))
    if measurements:
        rows = [(row, [_scientific(cell) for cell in cells]) for row, cells in _measured(measurements)]
        displays.append(_display(_array(_error_titles(algorithm), rows)))
    return "\n\n".join([worked.latex(), *displays])


def matrix_text(matrix: Matrix) -> list[str]:
    """The lines of a matrix in brackets; every column is aligned at its fraction bars.

    >>> print("\\n".join(matrix_text(((Fraction(1, 2), Fraction(-1)), (Fraction(3), Fraction(1, 10))))))
    ⎡ 1/2  −1    ⎤
    ⎣ 3     1/10 ⎦
    """
    columns = []
    for column in zip(*matrix, strict=True):
        parts = [UNICODE.number(entry).partition("/") for entry in column]
        before = max(len(top) for top, _, _ in parts)
        after = max(len(bar + bottom) for _, bar, bottom in parts)
        columns.append([top.rjust(before) + (bar + bottom).ljust(after) for top, bar, bottom in parts])
    rows = ["  ".join(row) for row in zip(*columns, strict=True)]
    if len(rows) == 1:
        return [f"[ {rows[0]} ]"]
    left, right = (first + middle * (len(rows) - 2) + last for first, middle, last in ("⎡⎢⎣", "⎤⎥⎦"))
    return [f"{a} {row} {b}" for a, row, b in zip(left, rows, right, strict=True)]


def matrix_latex(matrix: Matrix) -> str:
    """A matrix in square brackets, its columns right-aligned."""
    fractions = any(entry.denominator != 1 for row in matrix for entry in row)
    # a row of small fractions needs more room than a row of digits
    ending = " \\\\[6pt]\n" if fractions else " \\\\\n"
    rows = ending.join(" & ".join(map(_small, row)) for row in matrix)
    return f"\\left[\\begin{{array}}{{{'r' * len(matrix[0])}}}\n{rows}\n\\end{{array}}\\right]"


def _display(mathematics: str) -> str:
    return f"\\[\n{mathematics}\n\\]"


def _matrix_displays(name: Maths, matrix: Matrix) -> list[str]:
    """``name = matrix``; a matrix that is wider than a line goes on below, with its brackets at its two ends."""
    parts = [matrix_latex(block) for block in _column_blocks(matrix)]
    parts = [part.removesuffix(r"\right]") + r"\;\cdots\right." for part in parts[:-1]] + parts[-1:]
    parts[1:] = [r"\left.\cdots\;" + part.removeprefix(r"\left[") for part in parts[1:]]
    return [_display(part) for part in (equals(name, Maths(parts[0], "")).latex, *parts[1:])]


def _column_blocks(matrix: Matrix) -> list[Matrix]:
    """The columns of a matrix in blocks, each no wider than a line of an article in 10 points."""
    columns: list[list[tuple[Fraction, ...]]] = [[]]
    room = LINE
    for column in zip(*matrix, strict=True):
        width = max(map(_points, column)) + COLUMN_GAP
        if width > room and columns[-1]:
            columns.append([])
            room = LINE
        columns[-1].append(column)
        room -= width
    return [tuple(zip(*block, strict=True)) for block in columns]


def _points(entry: Fraction) -> int:
    """About how wide an entry is set: digits of 5 points, of 4 in a small fraction, and a sign of 8."""
    sign = 8 if entry < 0 else 0
    if entry.denominator == 1:
        return sign + 5 * len(str(abs(entry.numerator)))
    return sign + 3 + 4 * max(len(str(abs(entry.numerator))), len(str(entry.denominator)))


def _small(entry: Fraction) -> str:
    if entry.denominator == 1:
        return str(entry.numerator)
    return rf"{'-' if entry < 0 else ''}\tfrac{{{abs(entry.numerator)}}}{{{entry.denominator}}}"


def _matrices(algorithm: Nested) -> Iterable[tuple[Maths, Matrix]]:
    """The three matrices of every axis that has its own."""
    for number, axis in zip(axis_numbers(algorithm), dict.fromkeys(algorithm.axes), strict=False):
        yield matrix_letter("A", number), axis.AT
        yield matrix_letter("G", number), axis.G
        yield matrix_letter("B", number), axis.BT


def _labelled(name: str, lines: list[str]) -> list[str]:
    """A name and an equals sign before the middle line."""
    head, middle = f"  {name} = ", (len(lines) - 1) // 2
    return [(head if row == middle else " " * len(head)) + line for row, line in enumerate(lines)]


def _costs(algorithm: Nested) -> Table:
    numbers = axis_numbers(algorithm)
    rows = (
        ("kernel, ", sandwich("G", numbers, KERNEL), algorithm.kernel_transform),
        ("tile, ", sandwich("B", numbers, TILE), algorithm.input_transform),
        ("products", Maths("", ""), Cost(0, algorithm.multiplications)),
        ("outputs, ", sandwich("A", numbers, PRODUCTS), algorithm.output_transform),
        ("direct sum", Maths("", ""), algorithm.direct),
    )
    return [
        (Maths(rf"\text{{{words}}} {which.latex}".rstrip(), words + which.text), [str(n) for n in _pair(cost)])
        for words, which, cost in rows
    ]


def _pair(cost: Cost) -> tuple[int, int]:
    return cost.additions, cost.multiplications


def _one_tile(algorithm: Nested) -> str:
    outputs = "×".join(map(str, algorithm.outputs))
    return f"a tile of {outputs} {'output' if math.prod(algorithm.outputs) == 1 else 'outputs'}"


def _saving(algorithm: Nested) -> str:
    """What is saved where many channels share the transforms."""
    products, direct = algorithm.multiplications, algorithm.direct.multiplications
    if products == direct:
        return f"Products: {products}, as many as in the direct sum."
    times = f"{direct / products:.2f}".rstrip("0").rstrip(".")
    return (
        f"Products: {products} in place of {direct}, {times} times fewer; a kernel is transformed once, and a tile "
        "once for all output channels."
    )


def _error_titles(algorithm: Nested) -> tuple[Maths, ...]:
    largest = _words("largest")
    name = Maths(algorithm.name.replace("x", r"{\times}") + r"\text{, rms}", f"{algorithm.name}, rms")
    return _words("errors"), _words("direct, rms"), largest, name, largest, _words("ratio")


def _measured(measurements: Sequence[MeasuredError]) -> Table:
    return [
        (
            _words(found.dtype),
            [
                *(
                    _figure(value)
                    for errors in (found.direct, found.winograd)
                    for value in (errors.rms, errors.largest)
                ),
                "–"
                if not math.isfinite(found.ratio)
                else f"{found.ratio:.2g}"
                if found.ratio < 10
                else f"{found.ratio:.0f}",
            ],
        )
        for found in measurements
    ]


def _figure(value: float) -> str:
    return f"{value:.1e}".replace("e-0", "e-") if math.isfinite(value) else "overflow"


def _scientific(cell: str) -> str:
    """A cell in LaTeX: 1.5e-4 with a power of ten, words as text."""
    figure, mark, exponent = cell.partition("e")
    if mark and figure.replace(".", "").isdigit():
        return rf"{figure} \cdot 10^{{{int(exponent)}}}"
    return cell if cell[0].isdigit() else rf"\text{{{cell.replace('–', '--')}}}"


def _columns(head: Sequence[Maths], rows: Table) -> list[str]:
    """A table: words to the left, numbers to the right."""
    cells = [[title.text for title in head], *([name.text, *values] for name, values in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return [
        "  " + "  ".join(c.rjust(w) if k else c.ljust(w) for k, (c, w) in enumerate(zip(row, widths, strict=True)))
        for row in cells
    ]


def _array(head: Sequence[Maths], rows: Table) -> str:
    """A table as an array."""
    titles = " & ".join(title.latex for title in head)
    body = " \\\\\n".join(" & ".join([name.latex, *values]) for name, values in rows)
    return f"\\begin{{array}}{{l{'r' * (len(head) - 1)}}}\n{titles} \\\\[3pt]\n{body}\n\\end{{array}}"
