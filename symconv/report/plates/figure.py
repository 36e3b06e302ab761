"""``symconv.figure``: the picture of a layer, from its formula."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from html import escape
from itertools import product
from typing import Any

from symconv.doors import flag, one_of
from symconv.errors import ArgumentError, SizeLimitError
from symconv.formulas.entries import check_shape, reader
from symconv.operators.networks.network import Network
from symconv.report.plates.field import field_sheet
from symconv.report.plates.kinds import KINDS
from symconv.report.plates.layer import DrawnLayer, Place
from symconv.report.plates.sheet import Composed
from symconv.report.plates.views import backward_sheet, counts_sheet, matrix_sheet, winners_sheet
from symconv.report.plates.window import Contents, every_window, window_sheet
from symconv.report.plates.writing import figure_svg, figure_tikz, save
from symconv.report.scene import Scene

__all__ = ["Figure", "figure"]

MOST_FRAMES = 100


@dataclass(frozen=True)
class Figure:
    """A picture, or several in a row, with what is drawn on them as data.

    Attributes:
        kind: one of `KINDS`.
        sheets: the pictures; more than one is an animation.
        description: what is drawn, for programs. Indices and places count from 0 whatever `index_base` says.
    """

    kind: str
    sheets: tuple[Composed, ...] = field(repr=False)
    description: Mapping[str, Any] = field(repr=False, hash=False)

    @property
    def title(self) -> str:
        """What the picture is, in plain text."""
        return self.sheets[0].scene.title

    @property
    def words(self) -> str:
        """What can be read off the (first) picture, in sentences: its text alternative."""
        return self.sheets[0].scene.description

    @property
    def _scenes(self) -> list[Scene]:
        return [sheet.scene for sheet in self.sheets]

    def json(self) -> str:
        """The description as JSON."""
        return json.dumps(self.description, ensure_ascii=False)

    def svg(self, theme: str = "auto") -> str:
        """A whole SVG file: one picture, or an animation by CSS, without script.

        Args:
            theme: "auto" follows the reader's choice of light or dark, "light" and "dark" are fixed.
        """
        return figure_svg(self._scenes, self.json(), one_of("theme", theme, ("auto", "light", "dark")))

    def tikz(self, *, define_colours: bool = True) -> str:
        """A `tikzpicture`, or one a frame; it needs the package tikz, and xcolor for its colours.

        Raises:
            RenderError: a name holds a character that pdflatex cannot print.
        """
        return figure_tikz(self._scenes, define_colours=flag("define_colours", define_colours))

    def save(self, path: Any) -> None:
        """Write it: .svg, .tex (to be read into a document), .pdf (a page a frame), .png, .gif or .json.

        Raises:
            ArgumentError: for another ending.
            RenderError: pdflatex is not there (.pdf), or the extra `figures` (.png, .gif).
            WriteError: the file cannot be written.
        """
        save(self._scenes, self.json(), path)

    def _repr_html_(self) -> str:
        # as an image of its own: its colours and names then meet none of the page's, and its words are the alternative
        data = b64encode(self.svg().encode()).decode()
        return f'<img alt="{escape(self.words)}" src="data:image/svg+xml;base64,{data}"/>'


def figure(
    op: Any,
    kind: str = "window",
    *,
    input_size: Any = None,
    at: Any = None,
    animate: bool = False,
    data: Any = None,
    weight: Any = None,
    names: Any = None,
    index_base: int = 0,
) -> Figure:
    """The picture of an operator, made from the index map of its formula.

    Args:
        op: an operator with numbers for all its options, on one spatial axis or two; or a network, of which the window
            of a place of the output is its receptive field, layer by layer.
        kind: "window", "backward", "multiplicity", "matrix" or "winners".
        input_size: the size of the input, an integer a spatial axis (5 alone stands for one axis).
        at: which output ("window", "winners") or which entry of the input ("backward"), the middle one unless given;
            its channel may be left out. "all" draws the windows of all outputs beside each other.
        animate: one picture for every output (for "backward": every entry of the input) of the first channel.
        data: an array in the shape of the input, whose numbers then stand in the cells; "winners" needs it.
        weight: an array in the shape of the weight; with both the output has its numbers too.
        names: letters by role, as for `Operator.output`.
        index_base: what the first index is called, 0 or 1.

    Raises:
        ArgumentError, GeometryError: for a wrong argument, or an index that is none.
        NotSupportedError: for more than two spatial axes.
        SizeLimitError: where it is too large to be drawn.

    >>> from symconv.operators.convolution import Conv
    >>> picture = figure(Conv(3, stride=2, padding=1), input_size=(5, 5), at=(0, 1))
    >>> [read["input"] for read in picture.description["frames"][0]["reads"]][3:]
    [[0, 1], [0, 2], [0, 3], [1, 1], [1, 2], [1, 3]]
    """
    one_of("kind", kind, tuple(KINDS))
    flag("animate", animate)
    if isinstance(op, Network):
        others = {"animate": animate or None, "data": data, "weight": weight, "names": names}
        for argument, value in others.items():
            if value is not None:
                raise ArgumentError(argument, value, "must be left out for a network")
        if kind != "window":
            raise ArgumentError("kind", kind, "must be 'window' for a network: its receptive field")
        sheet, record = field_sheet(op, input_size, at, index_base)
        return Figure(kind, (sheet,), _described(kind, repr(op), [(sheet, record)]))
    layer = DrawnLayer.of(op, input_size, names, index_base)
    numbers, contents = _numbers(layer, data, weight)
    drawn: list[tuple[Composed, Any]]
    every = isinstance(at, str)
    if every and at != "all":
        raise ArgumentError("at", at, "must be an index, or 'all'")
    if every and animate:
        raise ArgumentError("at", at, "must be left out with animate=True, which goes over all of them")
    if kind in ("multiplicity", "matrix"):
        if at is not None or animate:
            raise ArgumentError("kind", kind, "is one picture of the whole layer: leave out at and animate")
        if numbers:
            raise ArgumentError("kind", kind, "has no numbers of arrays in it: leave out data and weight")
        drawn = [counts_sheet(layer) if kind == "multiplicity" else matrix_sheet(layer)]
    elif every:
        if kind != "window":
            raise ArgumentError("at", at, "belongs to kind='window'")
        sheet, records = every_window(layer, contents)
        drawn = [(sheet, {"windows": records})]
    else:
        draw: Callable[[Place], tuple[Composed, dict[str, Any]]]
        if kind == "window":
            draw = lambda place: window_sheet(layer, place, contents)  # noqa: E731
        elif kind == "backward":
            draw = lambda place: backward_sheet(layer, place, contents)  # noqa: E731
        else:
            draw = lambda place: winners_sheet(layer, place, contents, numbers.get("input"))  # noqa: E731
        drawn = [draw(place) for place in _places(layer, "input" if kind == "backward" else "output", at, animate)]
    shapes = {"shapes": {role: list(shape) for role, shape in layer.shapes.items()}}
    return Figure(kind, tuple(sheet for sheet, _ in drawn), _described(kind, repr(layer.op), drawn) | shapes)


def _places(layer: DrawnLayer, role: str, at: Any, animate: bool) -> list[Place]:
    """The entries that pictures are drawn of."""
    if not animate:
        return [layer.output_at(at, role)]
    if at is not None:
        raise ArgumentError("at", at, "must be left out with animate=True, which goes over all of them")
    shape = layer.shapes[role]
    lead = len(shape) - layer.axes(role)
    places = [(*((0,) * lead), *place) for place in product(*map(range, shape[lead:]))]
    if len(places) > MOST_FRAMES:
        raise SizeLimitError(f"an animation of {len(places)} pictures is too long (limit {MOST_FRAMES})")
    return places


def _described(kind: str, operator: str, drawn: Sequence[tuple[Composed, Any]]) -> dict[str, Any]:
    """What is drawn, for programs."""
    return {
        "kind": kind,
        "operator": operator,
        "frames": [{**record, "plates": [plate.record() for plate in sheet.plates]} for sheet, record in drawn],
    }


def _numbers(layer: DrawnLayer, data: Any, weight: Any) -> tuple[dict[str, dict[Place, Any]], Contents]:
    """The numbers of the arrays that were given and of what follows from them, and how they are written."""
    given = {role: array for role, array in (("input", data), ("weight", weight)) if array is not None}
    found: dict[str, dict[Place, Any]] = {}
    for role, array in given.items():
        if role not in layer.letters:
            raise ArgumentError(role, "an array", f"must be left out: {layer.op!r} has no {role}")
        name = layer.letters[role]
        check_shape(name, array, layer.shapes[role])
        read = reader(name, array, 0)
        found[role] = {index: read(index) for index in product(*map(range, layer.shapes[role]))}
        if any(value != value for value in found[role].values()):
            raise ArgumentError(role, "an array with NaN in it", "must hold numbers")
    tensors: dict[str, str] = {tensor.role: tensor.name for tensor in layer.formula.tensors}
    if given and set(tensors) == set(given):
        found["output"] = layer.formula.values({tensors[role]: array for role, array in given.items()})
    return found, {role: {index: _written(value) for index, value in all_.items()} for role, all_ in found.items()}


def _written(value: Any) -> str:
    """A number in a cell: exact where it is short, else three digits."""
    if isinstance(value, Fraction) and len(str(value)) <= 6:
        return str(value).replace("-", "\N{MINUS SIGN}")
    return f"{float(value):.3g}".replace("-", "\N{MINUS SIGN}")
