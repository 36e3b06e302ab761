"""Convolutions with channels, in groups and with a bias: their three gradients in closed form.

The numbers of channels are symbols, C in and F out of every group; the groups are a number, one or two.
"""

from __future__ import annotations

from dataclasses import replace

from symconv.derivations.theorems.building import V, at, each_axis, every, gradient
from symconv.derivations.theorems.gradients import with_error
from symconv.derivations.theorems.proposition import Proposition, same
from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.formulas.algebra import Access, Bound, Node, equal, product, summation
from symconv.formulas.index import Index, floor
from symconv.formulas.substitution import substitute
from symconv.formulas.symbols import symbol
from symconv.formulas.walks import transform
from symconv.operators.base import Variable
from symconv.operators.convolution import Conv

__all__ = ["THEOREMS"]

INPUTS, OUTPUTS = (symbol(letter, positive=True) for letter in "CF")
LETTERS: dict[Variable, str] = {"input": "a", "weight": "b", "bias": "d"}
C, F, H = V("C"), V("F"), V("h")


def _layer(ndim: int, groups: int) -> Conv:
    """The general layer with a bias, C channels in and F out of every group."""
    op: Conv = Conv(
        (3,) * ndim, groups=groups, in_channels=groups * INPUTS, out_channels=groups * OUTPUTS, bias=True
    ).generic()
    return op


def _closed(ndim: int, groups: int, variable: Variable, *, slip: bool = False) -> Proposition:
    """The gradient by a variable as the layer gives it; in a slip groups or channels are not heeded."""
    op = _layer(ndim, groups)
    frame, arrays = with_error(op.output())
    by = arrays[LETTERS[variable]]
    closed = op.gradient(variable)
    names = dict(zip(closed.indices, (bound.name for bound in by.ranges), strict=True))
    right = substitute(closed.body, names)
    if slip:
        right = transform(right, lambda node: _mistaken(node, variable, groups))
    return replace(frame, clauses=(every(by.ranges, same(gradient(by), right)),))


def _mistaken(node: Node, variable: Variable, groups: int) -> Node | None:
    """By the input: the two channels of the kernel exchanged; by the weight: the inputs of the first group for all."""
    if not isinstance(node, Access) or node.tensor != ("b" if variable == "input" else "a"):
        return None
    if variable == "weight":
        return Access("a", (H, *node.index[1:])) if groups > 1 else None
    return Access("b", (node.index[1], node.index[0], *node.index[2:]))


def _own_group(ndim: int, *, every_group: bool = False) -> Proposition:
    """The gradient by an input channel sums over the outputs of its own group, which are F; in a slip over all."""
    groups = 2
    frame, arrays = with_error(_layer(ndim, groups).output())
    by = arrays["a"]
    group = floor(H, C)
    own = V("l") if every_group else V("l") + F * group
    places, taps = "pqr"[:ndim], "mno"[:ndim]
    axes = each_axis("IKSPDO", ndim)
    reads = [
        equal(S * V(p) + D * V(m) - P, V(bound.name))
        for (_, _, S, P, D, _), p, m, bound in zip(axes, places, taps, by.ranges[1:], strict=True)
    ]
    bounds = [
        Bound("l", V(0), F * (groups if every_group else 1) - 1),
        *(Bound(p, V(0), O - 1) for p, (*_, O) in zip(places, axes, strict=True)),  # noqa: E741
        *(Bound(m, V(0), K - 1) for m, (_, K, *_) in zip(taps, axes, strict=True)),
    ]
    total = summation(product(at("g", own, *places), at("b", own, H - C * group, *taps)), *bounds, guards=reads)
    return replace(frame, clauses=(every(by.ranges, same(gradient(by), total)),))


def _every_channel(ndim: int) -> Proposition:
    """The claim that the gradient by a bias sums over all channels."""
    frame, arrays = with_error(_layer(ndim, 1).output())
    own, upstream = arrays["d"], arrays["g"]
    channel, *places = upstream.ranges
    other = Bound("l", channel.lower, channel.upper)
    names: list[str | Index] = ["l", *(bound.name for bound in places)]
    return replace(frame, clauses=(every(own.ranges, same(gradient(own), summation(at("g", *names), other, *places))),))


def _parts() -> tuple[Check, ...]:
    """By every variable, in one group and in two, on one axis and on two."""
    found: list[Check] = []
    for groups, words in ((1, "one group"), (2, "two groups")):
        for variable in LETTERS:
            for ndim, axes in ((1, "one axis"), (2, "two axes")):
                what = f"by the {variable}, {words}, {axes}"
                found.append(Check(what, _closed(ndim, groups, variable), again=ndim > 1))
    own = "by the input, the outputs of its own group"
    return (
        *found,
        Check(f"{own}, one axis", _own_group(1)),
        Check(f"{own}, two axes", _own_group(2), again=True),
    )


THEOREMS = (
    Theorem(
        "channel-gradients",
        "The gradients of a convolution with channels, groups and a bias",
        "Krizhevsky, Sutskever & Hinton, ImageNet classification (2012), where layers have groups",
        _parts(),
        (
            Check("the channels of the kernel exchanged", _closed(1, 1, "input", slip=True)),
            Check("the inputs of the first group for every group", _closed(1, 2, "weight", slip=True)),
            Check("by the input, the outputs of every group", _own_group(1, every_group=True)),
            Check("by the bias, all channels", _every_channel(1)),
        ),
    ),
)
