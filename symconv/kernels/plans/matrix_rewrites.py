"""The rewrites behind the plans for many channels, as derivations whose steps are checked."""

from __future__ import annotations

from dataclasses import replace

from symconv.derivations.step import Definition, Derivation, Maths, Phrase, Stage, Step, maths
from symconv.derivations.theorems import theorem
from symconv.derivations.winograd.checks import nests
from symconv.derivations.winograd.derivation import axis_numbers
from symconv.derivations.winograd.derivation import derivation as minimal_filtering
from symconv.derivations.winograd.nested import Nested
from symconv.derivations.winograd.toom_cook import cook_toom
from symconv.formulas.algebra import (
    Access,
    Bound,
    Guard,
    Label,
    Named,
    Node,
    Reduce,
    equal,
    product,
    substitute,
    summation,
    transform,
    walk,
)
from symconv.formulas.formula import Formula, Quantity, Tensor
from symconv.formulas.index import Index, quotient
from symconv.formulas.printing import context_of
from symconv.kernels.form.extraction import tap_form
from symconv.operators.base import Operator

__all__ = ["im2col_derivation", "winograd_derivation"]

COLUMN = Label("X", "X")
EVERYWHERE: Phrase = ("for every input size, and every index in its range",)


class _Layer:
    """The formula of the output, taken apart: the sum over channels and taps, and what it reads."""

    def __init__(self, op: Operator) -> None:
        self.op, self.form = op, tap_form(op)
        self.output = op.output()
        self.input, self.weight = self.form.input, self.form.letter("weight")
        self.sum = next(n for n in walk(self.output.body) if isinstance(n, Reduce) and self._read(n))
        self.access = self._read(self.sum)[0]
        self.kernel = next(n for n in walk(self.sum) if isinstance(n, Access) and n.tensor == self.weight)
        self.taps = tuple(walk.tap for walk in self.form.walks)
        self.places = tuple(walk.output for walk in self.form.walks)
        self.channel = self.access.index[: -len(self.taps)]

    def _read(self, node: Node) -> list[Access]:
        return [n for n in walk(node) if isinstance(n, Access) and n.tensor == self.form.input]

    def column(self, access: Access, index: tuple[Index, ...]) -> Named:
        """What is read, as an entry of an array of columns or of tiles."""
        return Named(COLUMN, (*self.channel, *index), access)

    def definition(self, access: Access, index: tuple[Index, ...], name: str) -> Definition:
        context = context_of(self.output)
        entry = maths(
            lambda style: f"{style.pointwise(self.column(access, index), context)} = {style.pointwise(access, context)}"
        )
        return Definition("D1", (), (entry,), name, ())


def _put(formula: Formula, old: Node, new: Node) -> Formula:
    return formula.with_body(transform(formula.body, lambda node: new if node == old else None))


# ---------------------------------------------------------------------- columns


def im2col_derivation(op: Operator) -> Derivation:
    """The output and both gradients with the taps laid out as the columns of a matrix."""
    layer = _Layer(op)
    index = tuple(map(Index.of, (*layer.taps, *layer.places)))
    column = layer.column(layer.access, index)
    read = _put(layer.output, layer.access, column)
    laid = Step("1", layer.output, read, "recognise", "Lay out", ("what each tap reads, at every place.",), opens=True)
    numbered = Step(
        "2",
        read,
        read,
        "number",
        "Number",
        ("the rows (channel, tap) and the columns (place) of X row-major: the sum is a product of two matrices.",),
        uses=("1",),
        opens=True,
        shown=(Maths("C", "C"), "=", Maths(r"B\,X", "B·X")),
        check=lambda: theorem("flattening").verdict,
    )
    stages = [Stage(("The output",), EVERYWHERE, (laid, numbered)), _weight_stage(layer), _input_stage(layer)]
    return Derivation(
        "A convolution as products of matrices (im2col, col2im)",
        ("The taps at all places are the columns of a matrix X, and every sum over channels and taps is a product.",),
        ("An array is zero outside its range.",),
        (layer.definition(layer.access, index, "columns"),),
        tuple(stages),
    )


def _weight_stage(layer: _Layer) -> Stage:
    """The gradient of the weight: a product of the upstream gradient with the transposed columns."""
    gradient = layer.op.gradient("weight")
    access = next(n for n in walk(gradient.body) if isinstance(n, Access) and n.tensor == layer.input)
    index = tuple(map(Index.of, (*layer.taps, *layer.places)))
    column = Named(COLUMN, (*access.index[: -len(layer.taps)], *index), access)
    step = Step(
        "3",
        gradient,
        _put(gradient, access, column),
        "recognise",
        "Lay out",
        ("the same columns, and sum over places: the upstream gradient times the transposed matrix.",),
        uses=("1",),
        opens=True,
    )
    return Stage(("The gradient of the weight",), EVERYWHERE, (step,))


def _input_stage(layer: _Layer) -> Stage:
    """The gradient of the input: every tap hands its row of a product to the entries that it has read."""
    gradient = layer.op.gradient("input")
    free = [Index.of(bound.name) for bound in gradient.free]
    clash = {bound.name for bound in gradient.free} & {bound.name for bound in (*layer.output.free, *layer.sum.bounds)}
    fresh = {name: Index.of(f"{name}*") for name in clash}
    access, kernel = substitute(layer.access, fresh), substitute(layer.kernel, fresh)
    assert isinstance(access, Access)
    guards: list[Guard] = [equal(read, here) for read, here in zip(access.index, free, strict=True)]
    bounds = [
        Bound(f"{b.name}*" if b.name in clash else b.name, b.lower, b.upper)
        for b in (*layer.output.free, *layer.sum.bounds)
    ]
    upstream = Access("g", tuple(Index.of(bound.name) for bound in bounds[: len(layer.output.free)]))
    added = gradient.with_body(summation(product(upstream, kernel), *bounds, guards=guards))
    step = Step(
        "4",
        gradient,
        added,
        "insert",
        "Add up",
        ("the products of weight and upstream gradient at the entries that the taps have read.",),
        opens=True,
    )
    steps: tuple[Step, ...] = (step,)
    if all(walk.stride == 1 for walk in layer.form.walks):
        steps += (
            Step(
                "5",
                gradient,
                gradient,
                "turn",
                "Turn",
                ("the kernel around: the same gradient as a convolution of its own, so each serves for the other.",),
                uses=("4",),
                opens=True,
                shown=(
                    Maths(r"\partial E / \partial A", "∂E/∂A"),
                    "=",
                    Maths(r"\mathrm{pad}(G) \star \mathrm{rot}(B)", "pad(G) ⋆ rot(B)"),
                ),
                check=lambda: theorem("input-gradient-full").verdict,
            ),
        )
    return Stage(("The gradient of the input",), EVERYWHERE, steps)


# ---------------------------------------------------------------------- minimal filtering


def winograd_derivation(op: Operator, m: int) -> Derivation:
    """The output in tiles of m along every axis, the sum over taps by minimal filtering, and its transpose."""
    layer = _Layer(op)
    algorithm = Nested(tuple(cook_toom(m, walk.taps) for walk in layer.form.walks))
    tiled, laid = _tiles(layer, m)
    direct, filtered = _one_tile(algorithm)
    by_channel, by_product = _by_channels()
    form, transposed = _trilinear()
    inner = minimal_filtering(algorithm)
    cut = Step(
        "T1",
        tiled,
        laid,
        "recognise",
        "Cut",
        (f"the outputs into tiles of {m} along every axis, and read the inputs of a tile as entries of X.",),
        opens=True,
    )
    filter_ = Step(
        "T2",
        direct,
        filtered,
        "nest",
        "Filter",
        (f"one tile and one channel by {algorithm.name}; A, G and B are its three matrices.",),
        uses=("T1", inner.steps[-1].id),
        opens=True,
        check=lambda: nests(algorithm),
    )
    exchange = Step(
        "T3",
        by_channel,
        by_product,
        "transpose",
        "Exchange",
        (
            "the sums, u and v being the transforms of kernel and tile: for every q what stands inside is a product "
            "of matrices.",
        ),
        uses=("T2",),
        opens=True,
    )
    backwards = Step(
        "T4",
        form,
        transposed,
        "transpose",
        "Exchange",
        ("the sums over products and tiles: what stands beside u is the gradient of the transformed kernel.",),
        uses=("T3",),
        opens=True,
    )
    stages = (
        Stage(("Tiles",), EVERYWHERE, (cut,)),
        *inner.stages,
        Stage(("Channels",), ("for every tile x of every channel h, and every output channel f",), (filter_, exchange)),
        Stage(("The gradient of the kernel",), ("for every number of tiles t",), (backwards,)),
    )
    return Derivation(
        f"A convolution by {algorithm.name}",
        ("Outputs are computed a tile at a time, with fewer products than taps; the rest are additions.",),
        inner.hypotheses,
        inner.definitions,
        stages,
    )


def _tiles(layer: _Layer, m: int) -> tuple[Formula, Formula]:
    """The output at place i of tile t, before and after what is read has got a name."""
    ndim = len(layer.places)
    numbers = [""] if ndim == 1 else [str(axis) for axis in range(1, ndim + 1)]
    tiles, insides = [Index.of(f"t{n}") for n in numbers], [Index.of(f"i{n}") for n in numbers]
    put = {p: m * t + i for p, t, i in zip(layer.places, tiles, insides, strict=True)}
    lead, spatial = layer.output.free[:-ndim], layer.output.free[-ndim:]
    free = (
        *lead,
        *(
            Bound(f"t{n}", Index.of(0), quotient(b.upper, Index.of(m), "floor"))
            for n, b in zip(numbers, spatial, strict=True)
        ),
        *(Bound(f"i{n}", Index.of(0), Index.of(m - 1)) for n in numbers),
    )
    quantity = replace(layer.output.quantity, of=(layer.output.quantity.of[0], tuple(bound.name for bound in free)))
    tiled = replace(layer.output, quantity=quantity, free=free, body=substitute(layer.output.body, put))
    access = substitute(layer.access, put)
    assert isinstance(access, Access)
    inside = [
        i + (Index.of(walk.tap) if walk.step > 0 else walk.taps - 1 - Index.of(walk.tap))
        for i, walk in zip(insides, layer.form.walks, strict=True)
    ]
    return tiled, _put(tiled, access, layer.column(access, (*tiles, *inside)))


def _box(*extents: Index | int | str) -> tuple[tuple[Index, Index], ...]:
    return tuple((Index.of(0), Index.of(extent) - 1) for extent in extents)


def _range(name: str, extent: Index | int | str) -> Bound:
    return Bound(name, Index.of(0), Index.of(extent) - 1)


def _one_tile(algorithm: Nested) -> tuple[Formula, Formula]:
    """The outputs of a tile: as they are defined, and filtered channel by channel."""
    numbers = [str(axis) for axis in range(1, len(algorithm.axes) + 1)]
    i, k, j, q = ([Index.of(letter + n) for n in numbers] for letter in "ikjq")
    f, h = Index.of("f"), Index.of("h")
    kernel = Access("b", (f, h, *k))
    channels = _range("h", Index.of("H"))
    taps = [_range(f"k{n}", r) for n, r in zip(numbers, algorithm.taps, strict=True)]
    entries = [_range(f"j{n}", a) for n, a in zip(numbers, algorithm.inputs, strict=True)]
    products = [_range(f"q{n}", a) for n, a in zip(numbers, algorithm.inputs, strict=True)]
    marks = axis_numbers(algorithm)

    def factors(letter: str, rows: list[Index], columns: list[Index]) -> Node:
        names = [letter + mark for mark in marks]
        return product(*(Access(name, (r, c)) for name, r, c in zip(names, rows, columns, strict=True)))

    outer = factors("A", i, q)
    by_kernel = summation(product(factors("G", q, k), kernel), *taps)
    by_tile = summation(product(factors("B", q, j), Access("x", (h, *j))), *entries)
    read = Access("x", (h, *(a + b for a, b in zip(i, k, strict=True))))
    tensors = [
        Tensor("b", "weight", _box("F", "H", *algorithm.taps)),
        Tensor("x", "input", _box("H", *algorithm.inputs)),
    ]
    for mark, axis in dict(zip(marks, algorithm.axes, strict=True)).items():
        tensors += [
            Tensor("A" + mark, "weight", _box(axis.m, axis.size)),
            Tensor("G" + mark, "weight", _box(axis.size, axis.r)),
            Tensor("B" + mark, "weight", _box(axis.size, axis.size)),
        ]
    free = (_range("f", "F"), *(_range(f"i{n}", m) for n, m in zip(numbers, algorithm.outputs, strict=True)))
    quantity = Quantity("entry", ("y", tuple(bound.name for bound in free)))
    body = summation(product(kernel, read), channels, *taps)
    direct = Formula(quantity, free, body, tuple(tensors), lower=(("F", 1), ("H", 1)))
    filtered = direct.with_body(summation(summation(product(outer, by_kernel, by_tile), *products), channels))
    return direct, filtered


def _by_channels() -> tuple[Formula, Formula]:
    """The same with transformed kernels u and tiles v, q numbered row-major: summed over channels last, and first."""
    i, q, f, h, t = map(Index.of, "iqfht")
    products, channels = _range("q", "Q"), _range("h", "H")
    matrix, u, v = Access("A", (i, q)), Access("u", (q, f, h)), Access("v", (q, h, t))
    free = (_range("f", "F"), _range("t", "T"), _range("i", "M"))
    tensors = (
        Tensor("A", "weight", _box("M", "Q")),
        Tensor("u", "weight", _box("Q", "F", "H")),
        Tensor("v", "input", _box("Q", "H", "T")),
    )
    outside = summation(summation(product(matrix, u, v), products), channels)
    quantity = Quantity("entry", ("y", tuple(bound.name for bound in free)))
    before = Formula(quantity, free, outside, tensors, lower=tuple((name, 1) for name in "FHMQT"))
    return before, before.with_body(summation(product(matrix, summation(product(u, v), channels)), products))


def _trilinear() -> tuple[Formula, Formula]:
    """The error as a form in the transformed kernel u, the transformed tiles v and the upstream gradient g."""
    i, q, t = map(Index.of, "iqt")
    places, products, tiles = _range("i", "M"), _range("q", "Q"), _range("t", "T")
    matrix, upstream = Access("A", (i, q)), Access("g", (t, i))
    u, v = Access("u", (q,)), Access("v", (q, t))
    forwards = summation(product(upstream, summation(product(matrix, u, v), products)), tiles, places)
    back = summation(product(matrix, upstream), places)
    tensors = (
        Tensor("A", "weight", _box("M", "Q")),
        Tensor("g", "upstream", _box("T", "M")),
        Tensor("u", "weight", _box("Q")),
        Tensor("v", "input", _box("Q", "T")),
    )
    form = Formula(Quantity("entry", ("s", ())), (), forwards, tensors, lower=tuple((name, 1) for name in "MQT"))
    return form, form.with_body(summation(product(u, summation(product(back, v), tiles)), products))
