"""A scene: one list of shapes, two writers.

What is drawn is decided once, in cells and roles; `Scene.tikz` and `Scene.svg` only spell it. Both are deterministic:
fixed decimals, no identifiers of their own, no dates.
"""

from __future__ import annotations

from dataclasses import dataclass

from symconv.errors import ArgumentError
from symconv.report.drawing.shapes import Shape
from symconv.report.drawing.svg import write_svg
from symconv.report.drawing.tikz import colour_definitions, write_tikz

__all__ = ["Scene"]


@dataclass(frozen=True)
class Scene:
    """A picture of `width` x `height` cells with its origin at the upper left.

    Args:
        title: what it is, for screen readers and as the tooltip; plain text.
        description: what can be read off it, in sentences; plain text.
        items: the shapes in drawing order.
        width, height: the extent in cells.
        cell_px: the natural size of a cell on screen, in CSS pixels.
        cell_mm: the size of a cell on paper.
        kind: the class of the `<svg>` element: `scene`, or `arcs` for the map of statements.

    >>> from symconv.report.drawing.shapes import Paint, Rectangle
    >>> square = Scene("A square", "One cell.", (Rectangle(0, 0, 1, 1, Paint("kernel")),), 1, 1)
    >>> print(square.tikz().splitlines()[1])
    \\path[fill=kern] (0,0) rectangle (1,1);
    """

    title: str
    description: str
    items: tuple[Shape, ...]
    width: float
    height: float
    cell_px: float = 22
    cell_mm: float = 4.55
    kind: str = "scene"

    def __post_init__(self) -> None:
        for name in ("width", "height", "cell_px", "cell_mm"):
            if not getattr(self, name) > 0:
                raise ArgumentError(name, getattr(self, name), "must be > 0")

    def tikz(self, *, define_colours: bool = False) -> str:
        """A `tikzpicture`; with `define_colours` the `\\definecolor` lines stand in front of it.

        Raises:
            RenderError: a label holds a character that pdflatex cannot print.
        """
        picture = write_tikz(self.items, self.cell_mm)
        return f"{colour_definitions()}\n{picture}" if define_colours else picture

    def svg(self, uid: str) -> str:
        """An `<svg>` element that follows the page's colours, light or dark, and stands alone in the light ones.

        Args:
            uid: a name that no other element of the page has; the title and the description are `uid`-t and `uid`-d.

        Raises:
            ArgumentError: `uid` is not a name.
            RenderError: a text holds a control character.
        """
        return write_svg(
            self.items, self.width, self.height, self.cell_px, uid, self.title, self.description, self.kind
        )
