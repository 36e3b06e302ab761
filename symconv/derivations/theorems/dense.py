"""Dense layers: as convolutions whose kernel is as large as their input, and their gradients in closed form."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from symconv.derivations.theorems.building import (
    V,
    at,
    each_axis,
    every,
    gradient,
    image,
    let_of,
    options,
    setting,
)
from symconv.derivations.theorems.gradients import with_error
from symconv.derivations.theorems.proposition import Condition, Let, Proposition, same
from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.formulas.algebra import Bound, Node, product, summation
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.symbols import symbol
from symconv.operators.base import Variable
from symconv.operators.convolution import Conv
from symconv.operators.dense import Dense
from symconv.operators.flatten import Flatten

__all__ = ["THEOREMS"]

Order = Literal["channel-first", "channel-last"]
CHANNELS, FEATURES = (symbol(letter, positive=True) for letter in "CF")
BOOK = "Goodfellow, Bengio & Courville, Deep Learning"


# ---------------------------------------------------------------------- as a convolution


def _layer(ndim: int, *, padded: bool = False, channels: bool = True) -> Formula:
    """A convolution with F output channels and a bias, any kernel and stride, without padding or dilation."""
    K, S, P = options("KSP", ndim)
    many = {"in_channels": CHANNELS} if channels else {}
    pads = tuple((p, p) for p in P) if padded else 0
    return Conv(K, S, pads, out_channels=FEATURES, bias=True, **many).output()


def _as_large(ndim: int, less: int = 0) -> tuple[Condition, ...]:
    """The kernel is as large as the input, or smaller by `less`, on every axis."""
    return tuple(same(K + less, I) for K, I in each_axis("KI", ndim))  # noqa: E741


def _one_place(conv: Formula, dense: Formula) -> Proposition:
    """Both layers are equal at the one place of the convolution, with the sizes that are printed."""
    channel, *places = conv.free
    return replace(
        setting(conv, dense, order="IKSPCF"),
        clauses=(
            every((), *(same(V(name), 1) for name, _ in conv.definitions)),
            every((channel,), same(at("y", channel.name), at("c", channel.name, *(0 for _ in places)))),
        ),
    )


def _of_vector(less: int = 0, *, padded: bool = False) -> Proposition:
    """A dense layer is a convolution of one channel, with the same weight."""
    dense = Dense(FEATURES).output(names={"output": "y"})
    conv = _layer(1, padded=padded, channels=False)
    whole = _one_place(conv, dense)
    clauses = whole.clauses[1:] if less or padded else whole.clauses  # a slip fails at the entries, not at the sizes
    return replace(whole, given=_as_large(1, less), lets=(let_of(conv), let_of(dense)), clauses=clauses)


def _of_image(ndim: int, order: Order, kernel: Order | None = None) -> Proposition:
    """A dense layer over a flattened array is a convolution with its weight in the shape of the array.

    Args:
        ndim: the number of axes beside the channels.
        order: the order in which the array is flattened.
        kernel: that in which the weight is read, if not the same.
    """
    conv = _layer(ndim)
    sizes = (V("C"), *(I for (I,) in each_axis("I", ndim)))  # noqa: E741
    flat = Flatten(order, ndim=ndim + 1).output(names={"input": "a", "output": "z"})
    flat = image(flat, dict(zip(flat.sizes, sizes, strict=True)))
    count = V(1)
    for size in sizes:
        count = count * size
    dense = Dense(FEATURES).output(names={"input": "z", "weight": "w", "output": "y"})
    dense = image(dense, {dense.sizes[0]: count})
    whole = _one_place(conv, dense)
    shaped = next(array for array in whole.arrays if array.name == "b")
    row, *taps = (bound.name for bound in shaped.ranges)
    weight = Let("b", (row, *taps), at("w", row, _place(taps, sizes, kernel or order)), shaped.ranges)
    return replace(
        whole,
        given=_as_large(ndim),
        arrays=tuple(array for array in whole.arrays if array.name not in ("b", "z")),
        lets=(let_of(flat), weight, let_of(conv), let_of(dense)),
    )


def _place(names: list[str], sizes: tuple[Index, ...], order: Order) -> Index:
    """The place of an entry in a flattened array: its channel first, or last."""
    axes = list(zip(names, sizes, strict=True))
    found = V(0)
    for name, size in axes if order == "channel-first" else [*axes[1:], axes[0]]:
        found = found * size + V(name)
    return found


# ---------------------------------------------------------------------- gradients


def _gradient(variable: Variable, right: Node | None = None) -> Proposition:
    """The gradient by a variable, as the layer gives it in closed form, or as `right` says."""
    op = Dense(FEATURES)
    frame, arrays = with_error(op.output())
    by = arrays[{"input": "a", "weight": "b", "bias": "d"}[variable]]
    closed = image(op.gradient(variable), {}, tuple(bound.name for bound in by.ranges))
    return replace(frame, clauses=(every(by.ranges, same(gradient(by), right or closed.body)),))


OUTPUTS = Bound("p", V(0), V("F") - 1)
UNTURNED = summation(product(at("g", "p"), at("b", "i", "p")), OUTPUTS)

THEOREMS = (
    Theorem(
        "dense-convolution",
        "A dense layer is a convolution whose kernel is as large as its input",
        "Long, Shelhamer & Darrell, Fully convolutional networks (arXiv 1411.4038), section 3.1",
        (
            Check("a vector", _of_vector()),
            Check("one axis, channels first", _of_image(1, "channel-first")),
            Check("two axes, channels first", _of_image(2, "channel-first"), again=True),
            Check("one axis, channels last", _of_image(1, "channel-last")),
            Check("two axes, channels last", _of_image(2, "channel-last"), again=True),
        ),
        (
            Check("a kernel of one less", _of_vector(1)),
            Check("with padding: its first place reads the border", _of_vector(padded=True)),
            Check("the weight in the other order", _of_image(1, "channel-first", "channel-last")),
        ),
    ),
    Theorem(
        "dense-gradients",
        "The gradients of a dense layer: a product with the transposed matrix, an outer product, the upstream gradient",
        f"{BOOK}, section 6.5",
        (
            Check("by the input", _gradient("input")),
            Check("by the weight", _gradient("weight")),
            Check("by the bias", _gradient("bias")),
        ),
        (
            Check(
                "the matrix not transposed",
                _gradient("input", UNTURNED),
            ),
            Check("the factors exchanged", _gradient("weight", product(at("g", "m"), at("a", "f")))),
            Check("the bias: all outputs", _gradient("bias", summation(at("g", "p"), OUTPUTS))),
        ),
    ),
)
