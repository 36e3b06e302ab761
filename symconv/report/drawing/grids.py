"""Tables of numbers on paper: a grid in TikZ, its numbers, and what its cells are."""

from __future__ import annotations

from symconv.report.escape import Tex, latex_text
from symconv.report.exercise import Grid, GridCell

__all__ = ["grid_tikz"]

# The height of a cell and the least width, in mm; a character of the small figures takes so much.
_HEIGHT = {"cell": 3.1, "double": 6.2, "flat": 2.5, "wide": 2.8}
_WIDTH = {"cell": 3.1, "double": 6.2, "flat": 3.8, "wide": 7.0}
_CHARACTER = 1.15
_INK = {"value": "ink", "kernel": "kern", "gradient": "grad"}
_GROUND = {"value": "", "kernel": "kern!9", "gradient": "grad!9"}
_SIDES = {"et": (0, 0, 1, 0), "eb": (0, 1, 1, 1), "el": (0, 0, 0, 1), "er": (1, 0, 1, 1)}


def grid_tikz(grid: Grid) -> Tex:
    """A `tikzpicture` of a table; its commands are those of ``exercise.tex.jinja``.

    Raises:
        RenderError: a cell holds a character that pdflatex cannot print.
    """
    high, wide = len(grid.rows), len(grid.rows[0])
    longest = max(len(cell.text) for row in grid.rows for cell in row)
    width = max(_WIDTH[grid.size], 0.9 + _CHARACTER * longest)
    lines = [
        rf"\begin{{tikzpicture}}[x={width:.2f}mm,y=-{_HEIGHT[grid.size]:.2f}mm,baseline=(current bounding box.north)]"
    ]
    for r, row in enumerate(grid.rows):
        for c, cell in enumerate(row):
            ground = _ground(grid, cell)
            if ground:
                lines.append(rf"\SCtint{{{c}}}{{{r}}}{{{ground}}}")
    ruled = [f"(0,{r})--({wide},{r})" for r in range(high + 1)] + [f"({c},0)--({c},{high})" for c in range(wide + 1)]
    lines.append(rf"\SCgridlines{{{''.join(ruled)}}}")
    lines += _windows(grid, high, wide)
    for r, row in enumerate(grid.rows):
        for c, cell in enumerate(row):
            lines += _cell(grid, cell, r, c, width)
    lines.append(r"\end{tikzpicture}")
    return Tex("%\n".join(lines))


def _ground(grid: Grid, cell: GridCell) -> str:
    """What a cell is filled with; the gradients that are 0 stay white."""
    if "me" in cell.states:
        return "ink"
    if "s1" in cell.states or "q1" in cell.states:
        return "lit"
    if "t1" in cell.states:
        return "hair!70"
    if "dead" in cell.states:
        return "hair!45"
    if "ring" in cell.states or (grid.kind == "gradient" and "z" in cell.states):
        return ""
    return _GROUND[grid.kind]


def _windows(grid: Grid, high: int, wide: int) -> list[str]:
    """Thick lines round the windows."""
    step_down, step_right = grid.window
    rows = [*range(0, high, step_down), high] if step_down else []
    columns = [*range(0, wide, step_right), wide] if step_right else []
    return [rf"\SCwindow{{0}}{{{r}}}{{{wide}}}{{{r}}}" for r in rows] + [
        rf"\SCwindow{{{c}}}{{0}}{{{c}}}{{{high}}}" for c in columns
    ]


def _cell(grid: Grid, cell: GridCell, r: int, c: int, width: float) -> list[str]:
    """The number of a cell, the corner of a winner, and the sides of it that a frame runs along."""
    ink = "white" if "me" in cell.states else _INK[grid.kind]
    if {"z", "dead", "ring"} & {*cell.states} and not {"me", "s1"} & {*cell.states}:
        ink = "mute"
    lines = []
    if cell.text:
        # pgf counts from the lower left in cm, whatever the axes of the picture are
        x, y = (c + 0.5) * width / 10, -(r + 0.5) * _HEIGHT[grid.size] / 10
        lines.append(rf"\SCput{{{x:.3f}}}{{{y:.3f}}}{{{ink}}}{{{latex_text(cell.text, grid.label)}}}")
    if "won" in cell.states:
        lines.append(rf"\SCcorner{{{c}}}{{{r}}}")
    colour = "dst" if "t1" in cell.states else "src"
    for side, (x1, y1, x2, y2) in _SIDES.items():
        if side in cell.states:
            lines.append(rf"\SCedge{{{colour}}}{{{c + x1}}}{{{r + y1}}}{{{c + x2}}}{{{r + y2}}}")
    return lines
