"""Operators and their transposes, patches and matrix products, adaptive averages: theorems between whole operators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symconv.derivations.theorems.building import (
    V,
    at,
    axes_of,
    each_axis,
    every,
    image,
    layer,
    let_of,
    options,
    reciprocal,
    same_extents,
    setting,
    spread,
    with_access,
)
from symconv.derivations.theorems.proposition import AnyTensor, Clause, Let, Proposition, same
from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.formulas.algebra import Bound, Node, product, scalar, summation
from symconv.formulas.formula import Formula
from symconv.formulas.symbols import symbol
from symconv.operators.adaptive import AdaptiveAvgPool
from symconv.operators.convolution import Conv
from symconv.operators.frame import numbered
from symconv.operators.patches import Fold, Unfold
from symconv.operators.pooling import AvgPool
from symconv.operators.transposed import ConvTranspose

__all__ = ["THEOREMS"]

GUIDE = "Dumoulin & Visin, A guide to convolution arithmetic (arXiv 1603.07285)"


# ---------------------------------------------------------------------- transposed convolution


def _left_over(ndim: int) -> tuple[Let, ...]:
    """The output padding under which the transposed layer gives the input size back, for every axis."""
    return tuple(
        Let(repr(R), (), scalar(I + 2 * P - D * (K - 1) - 1 - S * (O - 1)))
        for I, K, S, P, D, O, R in each_axis("IKSPDOR", ndim)  # noqa: E741
    )


def _inner(one: str, two: str, bounds: Sequence[Bound], move: int = 0) -> Node:
    """The sum over all entries of two arrays of their products."""
    places = [V(b.name) for b in bounds]
    return summation(product(at(one, *places), at(two, *(e + move for e in places))), *bounds)


def _inner_products(output: Formula, back: Formula, frame: Proposition, move: int = 0) -> tuple[Clause, ...]:
    """<g, c> = <y, a>, each over all entries of the arrays that are given; both arrays y and a have one size."""
    inputs = next(array for array in frame.arrays if array.name == "a")
    sizes = [
        same(b.upper + 1, theirs.upper + 1)
        for b, theirs in zip(inputs.ranges, back.free, strict=True)
        if b.upper != theirs.upper
    ]
    equal_sums = same(_inner("g", "c", output.free), _inner("y", "a", inputs.ranges, move))
    return (*([every((), *sizes)] if sizes else []), every((), equal_sums))


def _adjoint(ndim: int, *, flip: bool = False, padded: bool = True) -> Proposition:
    """<g, conv a> = <transposed g, a>, both operators as declared."""
    output = layer(ndim).output()
    over: ConvTranspose = ConvTranspose((3,) * ndim, flip=flip).generic()
    back = over.output(names={"input": "g", "output": "y", "output_index": "ijk", "input_index": "pqr"})
    back = image(back, {theirs: V(ours) for theirs, (ours, _) in zip(back.sizes, output.definitions, strict=True)})
    frame = setting(output)
    extra = _left_over(ndim) if padded else tuple(Let(let.name, (), scalar(V(0))) for let in _left_over(ndim))
    return replace(
        frame,
        sizes=(*frame.sizes, *extra),
        arrays=(*frame.arrays, AnyTensor("g", output.free)),
        lets=(let_of(output), let_of(back)),
        clauses=_inner_products(output, back, frame),
    )


def _upsampled(ndim: int, *, turned: bool = True, zeros: bool = True) -> Proposition:
    """A layer of stride 1 over the input with S - 1 zeros between its entries, the kernel turned."""
    over: ConvTranspose = ConvTranspose((3,) * ndim).generic()
    output = over.output()
    K, P, D, R = options("KPDR", ndim)
    pads = tuple((d * (k - 1) - p, d * (k - 1) - p + r) for k, p, d, r in zip(K, P, D, R, strict=True))
    plain = Conv(K, padding=pads, dilation=D, flip=turned).output(names={"input": "z"})
    inputs, steps = zip(*((I, S if zeros else V(1)) for I, S in each_axis("IS", ndim)), strict=True)  # noqa: E741
    sizes = {theirs: S * (I - 1) + 1 for theirs, I, S in zip(plain.sizes, inputs, steps, strict=True)}  # noqa: E741
    right = image(plain, sizes)
    return replace(
        setting(output, order="IKSPDR"),
        lets=(let_of(output), spread("z", "a", inputs, steps)),
        clauses=(
            *same_extents(output, right),
            every(output.free, same(at("c", *output.indices), right.body)),
        ),
    )


# ---------------------------------------------------------------------- patches


def _fold_adjoint(ndim: int, move: int = 0, *, stride: bool = True) -> Proposition:
    """<g, unfold a> = <fold g, a>."""
    unfold: Unfold = Unfold((3,) * ndim).generic()
    output = unfold.output(names={"output": "c"})
    K, S, P, D, I = options("KSPDI", ndim)  # noqa: E741
    pads = tuple((p, p) for p in P)
    fold = image(Fold(I, K, S if stride else 1, pads, D).output(names={"input": "g", "output": "y"}), {})
    frame = setting(output)
    return replace(
        frame,
        arrays=(*frame.arrays, AnyTensor("g", output.free)),
        lets=(let_of(output), let_of(fold)),
        clauses=_inner_products(output, fold, frame, move),
    )


def _matrix_product(ndim: int, *, turned: bool = False, move: int = 0) -> Proposition:
    """c[f, p] = sum over h, m of b[f, h, m] times the patch entry u[h, m, p], any numbers of channels."""
    many = {name: symbol(letter, positive=True) for name, letter in (("in_channels", "C"), ("out_channels", "F"))}
    output = Conv((3,) * ndim, **many).generic().output()
    unfold: Unfold = Unfold((3,) * ndim, in_channels=many["in_channels"]).generic()
    patches = unfold.output(names={"output": "u"})
    own, *places = output.indices
    patches = image(patches, {}, ("h", *patches.indices[1 : 1 + ndim], *places))
    channel, *taps = patches.free[: 1 + ndim]
    entries = [b.upper - V(b.name) if turned else V(b.name) for b in taps]
    weight = at("b", own, channel.name, *entries)
    summed = summation(product(weight, at("u", *patches.indices)), channel, *taps)
    moved = with_access(patches.body, "a", lambda index: (index[0], *(e + move for e in index[1:])))
    return replace(
        setting(output, order="IKSPDCF"),
        lets=(let_of(output), replace(let_of(patches), value=moved)),
        clauses=(every(output.free, same(at("c", *output.indices), summed)),),
    )


# ---------------------------------------------------------------------- adaptive averages


def _adaptive(ndim: int, more: int = 0) -> Proposition:
    """Where the input size is O times K, the windows of the adaptive average are those of AvgPool(K)."""
    adaptive = AdaptiveAvgPool((3,) * ndim).generic().output()
    average = image(AvgPool(options("K", ndim)[0]).output(names={"output": "y"}), {})
    divided = [same(I, O * K + more) for I, O, K in each_axis("IOK", ndim)]  # noqa: E741
    frame = setting(adaptive, average, order="OKI")
    counts = [same(b.upper + 1, V(name)) for b, name in zip(average.free, numbered("O", ndim), strict=True)]
    return replace(
        frame,
        given=tuple(divided),
        lets=(let_of(adaptive), let_of(average)),
        clauses=(
            every((), *counts),
            every(adaptive.free, same(at("c", *adaptive.indices), at("y", *adaptive.indices))),
        ),
    )


def _global(ndim: int, *, pooled: bool = False, more: int = 0) -> Proposition:
    """One window over everything: the mean of all entries, or the pooling with a window as large as the input."""
    output = AdaptiveAvgPool((1,) * ndim).output()
    frame = setting(output)
    inputs = frame.arrays[0]
    lets: tuple[Let, ...] = (let_of(output),)
    right: Node
    if pooled:
        average = AvgPool(options("I", ndim)[0]).output(names={"output": "y"})
        sizes = {theirs: b.upper + 1 for theirs, b in zip(average.sizes, inputs.ranges, strict=True)}
        average = image(average, sizes)
        lets, right = (*lets, let_of(average)), at("y", *output.indices)
    else:
        right = _mean(inputs, more)
    return replace(frame, lets=lets, clauses=(every(output.free, same(at("c", *output.indices), right)),))


def _mean(array: AnyTensor, more: int = 0) -> Node:
    total = V(1)
    for bound in array.ranges:
        total = total * (bound.upper + 1)
    entries = at(array.name, *(b.name for b in array.ranges))
    return product(reciprocal(total + more), summation(entries, *array.ranges))


def _mean_of_means() -> Proposition:
    """The claim that the mean of two adaptive averages is the mean: the middle entry would count twice."""
    two = AdaptiveAvgPool((2,)).output()
    frame = setting(two)
    halves = product(reciprocal(V(2)), summation(at("c", *two.indices), *two.free))
    return replace(frame, lets=(let_of(two),), clauses=(every((), same(halves, _mean(frame.arrays[0]))),))


THEOREMS = (
    Theorem(
        "transposed-adjoint",
        "Transposed convolution is the adjoint of convolution",
        f"{GUIDE}, chapter 4",
        axes_of(_adjoint),
        (
            Check("the kernel turned in one of them", _adjoint(1, flip=True)),
            Check("without the output padding: what is left over is not reached", _adjoint(1, padded=False)),
        ),
    ),
    Theorem(
        "transposed-upsampled",
        "Transposed convolution is a correlation of the upsampled input",
        f"{GUIDE}, chapter 4",
        axes_of(_upsampled),
        (
            Check("the kernel not turned", _upsampled(1, turned=False)),
            Check("without the zeros between", _upsampled(1, zeros=False)),
        ),
    ),
    Theorem(
        "fold-adjoint",
        "Folding is the adjoint of unfolding",
        "PyTorch, Fold: what overlaps is added up",
        axes_of(_fold_adjoint),
        (
            Check("the image one place further", _fold_adjoint(1, 1)),
            Check("unit strides in one of them", _fold_adjoint(1, stride=False)),
        ),
    ),
    Theorem(
        "im2col",
        "Convolution is a matrix product with the unfolded input",
        "Chellapilla, Puri & Simard, High performance convolutional neural networks (2006)",
        axes_of(_matrix_product),
        (
            Check("the kernel turned", _matrix_product(1, turned=True)),
            Check("patches one place further", _matrix_product(1, move=1)),
        ),
    ),
    Theorem(
        "adaptive-average",
        "Where the sizes divide, adaptive average pooling is average pooling",
        "PyTorch, AdaptiveAvgPool",
        axes_of(_adaptive),
        (Check("one entry left over", _adaptive(1, 1)),),
    ),
    Theorem(
        "global-average",
        "Global average pooling is the mean",
        "Lin, Chen & Yan, Network in network (arXiv 1312.4400)",
        (
            *axes_of(_global),
            Check("as a window, one axis", _global(1, pooled=True)),
            Check("as a window, two axes", _global(2, pooled=True), again=True),
        ),
        (
            Check("one entry more", _global(1, more=1)),
            Check("the mean of two adaptive averages", _mean_of_means()),
        ),
    ),
)
