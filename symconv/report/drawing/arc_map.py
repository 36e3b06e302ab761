"""What rests on what: the statements in reading order, and an arc from each to every one that uses it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from symconv.errors import ArgumentError
from symconv.report.document import Node
from symconv.report.drawing.shapes import Caption, Curve, Disc, Lines, Link, Paint, Shape, Stroke
from symconv.report.layout import MARK_MEANINGS
from symconv.report.marks import Mark
from symconv.report.scene import Scene

__all__ = ["arc_map"]

# Lengths are CSS pixels; the whole is as wide as a page's two text columns.
_WIDTH = 728.0
_MM_PER_PX = 0.2225
_WIDEST_PITCH, _NARROWEST_PITCH = 52.0, 12.5
_LEVELS = 3
"""Numbers stand on up to this many lines where neighbours would touch."""

_WORDS: dict[Mark, str] = {**MARK_MEANINGS, "none": "not checked"}


class _Layout:
    """Where the nodes stand: rows of equal pitch, numbers below them, room for the highest arc above."""

    def __init__(self, nodes: Sequence[Node], arcs: Sequence[tuple[int, int]]) -> None:
        longest = max(len(node.number) for node in nodes)
        crowded = len(nodes) * _WIDEST_PITCH * 0.6 > _WIDTH
        self.font = 10.5 if crowded else 12.5
        label = 0.6 * self.font * longest + 5
        pitch = max(_NARROWEST_PITCH, label / _LEVELS)
        rows = math.ceil(len(nodes) / max(1, int(_WIDTH / pitch)))
        self.per_row = math.ceil(len(nodes) / rows)
        self.pitch = min(max(_WIDEST_PITCH, label), _WIDTH / self.per_row)
        self.levels = min(_LEVELS, math.ceil(label / self.pitch))
        self.radius = min(4.7, 0.34 * self.pitch)
        inside = [b - a for a, b in ((min(arc), max(arc)) for arc in arcs) if a // self.per_row == b // self.per_row]
        farthest = max(inside, default=1)
        # As the square root of the distance, so that near and far arcs both keep their shape.
        self.rise = min(16.0, 105 / math.sqrt(farthest))
        self.top = self.radius + 6 + self.rise * math.sqrt(farthest)
        self.below = 22 + (self.levels - 1) * self.line
        self.height = self.top + self.below
        self.rows = rows
        self.extent = (self.per_row * self.pitch, rows * self.height + (rows - 1) * 14)

    @property
    def line(self) -> float:
        """Distance of two lines of numbers."""
        return self.font + 1.5

    def node(self, index: int) -> tuple[float, float]:
        """The middle of a node."""
        row, column = divmod(index, self.per_row)
        return (column + 0.5) * self.pitch, row * (self.height + 14) + self.top

    def label(self, index: int) -> float:
        """How far below its node the number's middle lies."""
        return 16 + (index % self.per_row % self.levels) * self.line


def _curves(layout: _Layout, nodes: Sequence[Node], arcs: Sequence[tuple[int, int]]) -> Iterator[Curve]:
    for a, b in arcs:
        (x1, y1), (x2, y2) = layout.node(min(a, b)), layout.node(max(a, b))
        source, target = nodes[a].id, nodes[b].id
        above = layout.radius + 3
        if y1 == y2:
            y = y1 - above
            # The control points of a cubic stand 4/3 as high as its crest.
            rise = 4 / 3 * layout.rise * math.sqrt(abs(b - a))
            yield Curve((x1, y), (x1, y - rise), (x2, y - rise), (x2, y), Stroke("mute", "hair"), source, target)
        else:
            y1, y2 = y1 + layout.below, y2 - above
            bend = 0.55 * (y2 - y1)
            yield Curve((x1, y1), (x1, y1 + bend), (x2, y2 - bend), (x2, y2), Stroke("mute", "hair"), source, target)


def _links(layout: _Layout, nodes: Sequence[Node]) -> Iterator[Link]:
    for index, node in enumerate(nodes):
        x, y = layout.node(index)
        drop = layout.label(index)
        leader = Lines(((x, y + layout.radius + 2, x, y + drop - 0.6 * layout.font),), Stroke("hair"))
        number = Caption(x, y + drop, node.number, layout.font, Paint("ink"), "number")
        disc = Disc(x, y, layout.radius, node.mark)
        box = (x - layout.pitch / 2, y - 9, layout.pitch, layout.below + 9)
        lowered = index % layout.per_row % layout.levels > 0
        yield Link(
            node.id, f"{node.number}, {_WORDS[node.mark]}", box, (leader, disc, number) if lowered else (disc, number)
        )


def _uses(nodes: Sequence[Node], arcs: Sequence[tuple[int, int]]) -> str:
    """Every statement with what it uses, in words."""
    used: dict[int, list[str]] = {}
    for a, b in sorted(arcs):
        used.setdefault(b, []).append(nodes[a].number)
    return " ".join(f"{nodes[b].number} uses {', '.join(names)}." for b, names in sorted(used.items()))


def arc_map(nodes: Sequence[Node], arcs: Sequence[tuple[int, int]]) -> Scene:
    """Nodes in reading order, marked by shape; an arc (a, b) joins statement a to statement b, which uses it.

    Args:
        nodes: the statements; more than a line holds go on in the next.
        arcs: pairs of places in `nodes`, from 0.

    Raises:
        ArgumentError: no nodes, or an arc that names no node or joins one to itself.

    >>> nodes = (Node("D1", "D1", "definition"), Node("s1", "1", "proved"))
    >>> arc_map(nodes, ((0, 1),)).description
    '2 statements in reading order; D1 definition; 1 proved for all symbolic sizes. 1 uses D1.'
    """
    if not nodes:
        raise ArgumentError("nodes", tuple(nodes), "must hold at least one statement")
    for arc in arcs:
        if arc[0] == arc[1] or not all(0 <= end < len(nodes) for end in arc):
            raise ArgumentError("arcs", arc, f"must join two different nodes, counted from 0 to {len(nodes) - 1}")
    layout = _Layout(nodes, arcs)
    items: tuple[Shape, ...] = (*_curves(layout, nodes, arcs), *_links(layout, nodes))
    marks = "; ".join(f"{node.number} {_WORDS[node.mark]}" for node in nodes)
    description = f"{len(nodes)} statements in reading order; {marks}. {_uses(nodes, arcs)}".rstrip()
    title = "What rests on what"
    return Scene(title, description, items, *layout.extent, 1, _MM_PER_PX, "arcs")
