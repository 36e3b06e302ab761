"""The gradients of a convolution: closed forms, and the same read as convolutions again."""

from __future__ import annotations

from dataclasses import replace

from symconv.derivations.theorems.building import (
    V,
    at,
    axes_of,
    each_axis,
    error,
    every,
    gradient,
    image,
    layer,
    let_of,
    options,
    place,
    setting,
    spread,
    with_access,
)
from symconv.derivations.theorems.proposition import AnyTensor, Clause, Let, Partial, Proposition, chain, same
from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.formulas.algebra import ONE, Access, Bound, Node, product, scalar, summation
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.symbols import symbol
from symconv.operators.base import Variable
from symconv.operators.convolution import Conv

__all__ = ["THEOREMS", "with_error"]

GUIDE = "Dumoulin & Visin, A guide to convolution arithmetic (arXiv 1603.07285)"
BOOK = "Goodfellow, Bengio & Courville, Deep Learning, section 9.5"


def with_error(output: Formula, *others: Formula) -> tuple[Proposition, dict[str, AnyTensor]]:
    """A layer, an upstream gradient and the error, to state something of; and the arrays by letter."""
    frame = setting(output, *others)
    upstream, whole = error(output)
    frame = replace(frame, arrays=(*frame.arrays, upstream), lets=(let_of(output), whole))
    return frame, {array.name: array for array in frame.arrays}


# ---------------------------------------------------------------------- closed forms


def _closed(ndim: int, wrt: Variable, move: int = 0, *, flip: bool = False) -> Proposition:
    """The derivative of an output by an entry, in closed form."""
    output, closed = layer(ndim).output(), layer(ndim, flip=flip).derivative(wrt)
    read = "b" if wrt == "input" else "a"
    right = with_access(closed.body, read, lambda index: tuple(e + move for e in index))
    frame = setting(output)
    _, by = closed.quantity.of, closed.quantity.wrt
    assert by is not None
    left = Partial(Access("c", place(output)), at(by[0], *by[1]))
    free = sorted(closed.free, key=lambda b: b.name in output.indices) if wrt == "input" else closed.free
    return replace(frame, lets=(let_of(output),), clauses=(every(free, same(left, right)),))


# ---------------------------------------------------------------------- gradients as convolutions


def _full(ndim: int, *, flip: bool = True, wider: int = 0, any_stride: bool = False) -> Proposition:
    """A layer of stride 1 over the upstream gradient, padded by D(K-1) - P, with the kernel turned."""
    output = layer(ndim).output()
    frame, arrays = with_error(output)
    K, P, D = options("KPD", ndim)
    pads = tuple((d * (k - 1) - p + wider, d * (k - 1) - p - wider) for k, p, d in zip(K, P, D, strict=True))
    over = Conv(K, padding=pads, dilation=D, flip=flip).output(names={"input": "g"})
    right = image(over, _sizes(over, [V(name) for name, _ in output.definitions]), "ijk"[:ndim])
    given = () if any_stride else tuple(same(S, 1) for (S,) in each_axis("S", ndim))
    clauses = () if any_stride else (_has_size(right, ndim),)
    return replace(
        frame,
        given=(*frame.given, *given),
        clauses=(*clauses, every(arrays["a"].ranges, same(gradient(arrays["a"]), right.body))),
    )


def _sizes(formula: Formula, sizes: list[Index]) -> dict[str, Index]:
    return dict(zip(formula.sizes, sizes, strict=True))


def _has_size(formula: Formula, ndim: int, letter: str = "I") -> Clause:
    """The output of a formula has the size of an array: the number of its places on every axis."""
    return every(
        (), *(same(n, b.upper - b.lower + 1) for (n,), b in zip(each_axis(letter, ndim), formula.free, strict=True))
    )


def _transposed(ndim: int, *, flip: bool = True, upsampled: bool = True, move: int = 0) -> Proposition:
    """The same over the upstream gradient with S - 1 zeros between its entries, and what is left over behind it."""
    output = layer(ndim).output()
    frame, arrays = with_error(output)
    K, P, D, A = options("KPDA", ndim)
    pads = tuple((d * (k - 1) - p, d * (k - 1) - p + a) for k, p, d, a in zip(K, P, D, A, strict=True))
    over = Conv(K, padding=pads, dilation=D, flip=flip).output(names={"input": "z"})
    axes = each_axis("IKSPDOA", ndim)
    steps = [S if upsampled else V(1) for _, _, S, *_ in axes]
    outputs = [axis[5] for axis in axes]
    right = image(over, _sizes(over, [s * (n - 1) + 1 for s, n in zip(steps, outputs, strict=True)]), "ijk"[:ndim])
    left_over = [
        Let(repr(A_), (), scalar(I + 2 * P_ - D_ * (K_ - 1) - 1 - s * (O - 1)))
        for (I, K_, _, P_, D_, O, A_), s in zip(axes, steps, strict=True)  # noqa: E741
    ]
    remainders = tuple(chain(0, "<=", axis[6], "<=", axis[2] - 1) for axis in axes)
    return replace(
        frame,
        sizes=(*frame.sizes, *left_over),
        lets=(*frame.lets, spread("z", "g", outputs, steps, move)),
        clauses=(
            *([every((), *remainders)] if upsampled else []),
            _has_size(right, ndim),
            every(arrays["a"].ranges, same(gradient(arrays["a"]), right.body)),
        ),
    )


def _exchanged(ndim: int, *, exchange: bool = True, cropped: bool = True) -> Proposition:
    """The input under the upstream gradient as kernel, stride and dilation exchanged, what is left over cropped."""
    output = layer(ndim).output()
    frame, arrays = with_error(output)
    O, S, D, P, A = options("OSDPA", ndim)  # noqa: E741
    pads = tuple((p, p - a) for p, a in zip(P, A, strict=True))
    stride, dilation = (D, S) if exchange else (S, D)
    over = Conv(O, stride, pads, dilation).output(names={"weight": "g"})
    renamed = image(over, {}, tuple("mno"[:ndim]))
    left_over: list[Let] = []
    for I, K, S_, P_, D_, O_, A_ in each_axis("IKSPDOA", ndim):  # noqa: E741
        rest = I + 2 * P_ - D_ * (K - 1) - 1 - S_ * (O_ - 1) if cropped else V(0)
        left_over.append(Let(repr(A_), (), scalar(rest)))
    clauses = [_has_size(renamed, ndim, "K")] if exchange else []
    return replace(
        frame,
        sizes=(*frame.sizes, *left_over),
        clauses=(*clauses, every(arrays["b"].ranges, same(gradient(arrays["b"]), renamed.body))),
    )


def _bias(*, channels: bool = True) -> Proposition:
    """The gradient by a bias is the sum of the upstream gradient over its output channel."""
    many = {name: symbol(letter, positive=True) for name, letter in (("in_channels", "C"), ("out_channels", "F"))}
    op: Conv = Conv((3,), bias=True, **many).generic()
    output = op.output()
    frame, arrays = with_error(output)
    (own,) = arrays["d"].ranges
    channel, position = output.free
    other = Bound("l", channel.lower, channel.upper)
    entry = at("g", own.name if channels else other.name, position.name)
    total = summation(entry, *(() if channels else (other,)), position)
    return replace(frame, clauses=(every((own,), same(gradient(arrays["d"]), total)),))


def _all_ones(ndim: int, *, wider: int = 0, dilation: bool = True) -> Proposition:
    """With all-ones upstream the gradient is the kernel, zeros put in and around it, under an array of ones."""
    output = layer(ndim).output()
    frame = setting(output)
    upstream, whole = error(output)
    ones = Let("g", output.indices, ONE, upstream.ranges)
    inputs = next(array for array in frame.arrays if array.name == "a")
    O, S, B, F = options("OSBF", ndim)  # noqa: E741
    over = Conv(O, padding=tuple(zip(B, F, strict=True)), dilation=S, flip=True).output(
        names={"input": "z", "weight": "g"}
    )
    axes = each_axis("IKSPDOBF", ndim)
    steps = [D if dilation else V(1) for _, _, _, _, D, *_ in axes]
    kernels = [K for _, K, *_ in axes]
    right = image(over, _sizes(over, [D * (K - 1) + 1 for _, K, _, _, D, *_ in axes]), "ijk"[:ndim])
    pads: list[Let] = []
    for I, K, S_, P, D, O_, B_, F_ in axes:  # noqa: E741
        pads.append(Let(repr(B_), (), scalar(S_ * (O_ - 1) - P + wider)))
        # so that the result has the size of the input
        pads.append(Let(repr(F_), (), scalar(I - 1 - D * (K - 1) + P - wider)))
    return replace(
        frame,
        sizes=(*frame.sizes, *pads),
        lets=(let_of(output), ones, whole, spread("z", "b", kernels, steps)),
        clauses=(
            _has_size(right, ndim),
            every(inputs.ranges, same(gradient(inputs), right.body)),
        ),
    )


def _adjoint(ndim: int, move: int = 0) -> Proposition:
    """<g, conv a> = <gradient of g, a>, both as sums over all entries."""
    frame, arrays = with_error(layer(ndim).output())
    inputs = arrays["a"]
    places = tuple(V(b.name) for b in inputs.ranges)
    slopes = Let("h", tuple(b.name for b in inputs.ranges), gradient(inputs), inputs.ranges)
    moved = Access("a", tuple(e + move for e in places))
    total: Node = summation(product(moved, Access("h", places)), *inputs.ranges)
    return replace(frame, lets=(*frame.lets, slopes), clauses=(every((), same(Access("E", ()), total)),))


THEOREMS = (
    Theorem(
        "input-derivative",
        "The derivative of an output by an input",
        BOOK,
        axes_of(lambda ndim: _closed(ndim, "input")),
        (
            Check("an index of one more", _closed(1, "input", 1)),
            Check("the kernel turned", _closed(2, "input", flip=True)),
        ),
    ),
    Theorem(
        "weight-derivative",
        "The derivative of an output by a kernel entry",
        BOOK,
        axes_of(lambda ndim: _closed(ndim, "weight")),
        (
            Check("an index of one more", _closed(1, "weight", 1)),
            Check("the kernel turned", _closed(2, "weight", flip=True)),
        ),
    ),
    Theorem(
        "input-gradient-full",
        "At stride one, the gradient by the input is a full correlation with the kernel turned by 180 degrees",
        f"{GUIDE}, chapter 4",
        axes_of(_full),
        (
            Check("the kernel not turned", _full(2, flip=False)),
            Check("a padding of one more before, one less behind", _full(1, wider=1)),
            Check("any stride", _full(1, any_stride=True)),
        ),
    ),
    Theorem(
        "input-gradient-transposed",
        "The gradient by the input is the transposed convolution of the upstream gradient",
        f"{GUIDE}, chapter 4",
        axes_of(_transposed),
        (
            Check("the kernel not turned", _transposed(1, flip=False)),
            Check("without the zeros between", _transposed(1, upsampled=False)),
            Check("every entry one place later", _transposed(1, move=1)),
        ),
    ),
    Theorem(
        "weight-gradient",
        "The gradient by the kernel is a convolution with stride and dilation exchanged",
        BOOK,
        axes_of(_exchanged),
        (
            Check("stride and dilation not exchanged", _exchanged(1, exchange=False)),
            Check("nothing left out", _exchanged(1, cropped=False)),
        ),
    ),
    Theorem(
        "bias-gradient",
        "The gradient by a bias is the sum of the upstream gradient over its channel",
        BOOK,
        (Check("one axis", _bias()),),
        (Check("summed over the channels too", _bias(channels=False)),),
    ),
    Theorem(
        "all-ones-gradient",
        "For the all-ones upstream gradient the kernel itself is slid over by ones",
        "Elementary: kernel and upstream gradient change places in the transposed convolution",
        axes_of(_all_ones),
        (
            Check("a padding of one more before", _all_ones(1, wider=1)),
            Check("without the zeros between", _all_ones(1, dilation=False)),
        ),
    ),
    Theorem(
        "adjoint",
        "The gradient is the adjoint of the layer",
        "Claerbout, Earth Soundings Analysis (1992), the dot-product test of adjoints",
        axes_of(_adjoint),
        (Check("the input one place further", _adjoint(1, 1)),),
    ),
)
