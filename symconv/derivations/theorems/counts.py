"""One more layer on a chain: what it adds to the parameters and to the multiply-adds, groups and channels included.

A parameter is an entry of the weight or of the bias. A multiply-add is a product in the formula of the layer, whether
it reads an entry of the input or of the padding; a bias is added, and counts for none.
"""

from __future__ import annotations

from dataclasses import replace

from symconv.derivations.theorems.building import V, at, every, setting
from symconv.derivations.theorems.proposition import AnyInteger, Let, Proposition, same
from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.formulas.algebra import ONE, Access, Bound, Node, Reduce, add, between, scalar, summation
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.symbols import symbol
from symconv.formulas.walks import walk
from symconv.operators.convolution import Conv

__all__ = ["THEOREMS"]

INPUTS, OUTPUTS = (symbol(letter, positive=True) for letter in "CF")
F, G = V("F"), V("G")


def _layer(ndim: int, groups: int = 1, *, depthwise: bool = False) -> Formula:
    """A layer with a bias, F output channels of every group and C input channels, or one, in it."""
    inputs = 1 if depthwise else INPUTS
    op: Conv = Conv(
        (3,) * ndim, groups=groups, in_channels=groups * inputs, out_channels=groups * OUTPUTS, bias=True
    ).generic()
    return op.output()


def _with_layer(layer: Formula, so_far: str, counted: Node, total: Index) -> Proposition:
    """What a chain has with one more layer: what it had so far, and what is counted of the layer; `total` more."""
    frame = setting(layer, order="IKSPDCF")
    groups = [AnyInteger("G", V(1))] if "G" in total.names else []
    return replace(
        frame,
        integers=(*frame.integers, *groups, AnyInteger(so_far, V(0))),
        arrays=(),
        lets=(Let(so_far.lower(), (), add(scalar(V(so_far)), counted)),),
        clauses=(every((), same(at(so_far.lower()), V(so_far) + total)),),
    )


def _all_groups(bounds: tuple[Bound, ...], groups: int | None) -> tuple[Bound, ...]:
    """The ranges of one group, or of a number of groups, as those of G groups where there is no number."""
    first, *others = bounds
    return bounds if groups else (replace(first, upper=G * F - 1), *others)


def _times(*sizes: Index) -> Index:
    found = V(1)
    for size in sizes:
        found = found * size
    return found


def _parameters(ndim: int, groups: int | None, *, depthwise: bool = False, bias: int = 1) -> Proposition:
    """The entries of the weight and of the bias, for every output channel."""
    layer = _layer(ndim, groups or 1, depthwise=depthwise)
    (weight,) = (array.ranges for array in setting(layer).arrays if array.name == "b")
    channels, *others = _all_groups(weight, groups)
    counted = summation(add(Reduce("sum", tuple(others), (), ONE), ONE), channels)
    taps = _times(*(bound.upper + 1 for bound in others))
    return _with_layer(layer, "W", counted, (channels.upper + 1) * (taps + bias))


def _multiply_adds(
    ndim: int, groups: int | None, *, depthwise: bool = False, bias: bool = False, padding: bool = True
) -> Proposition:
    """The products in the formula, for every output; in a slip the bias counts, or the padding does not."""
    layer = _layer(ndim, groups or 1, depthwise=depthwise)
    (sums,) = (node for node in walk(layer.body) if isinstance(node, Reduce))
    (entry,) = (node for node in walk(sums) if isinstance(node, Access) and node.tensor == "a")
    box = next(tensor.box for tensor in layer.tensors if tensor.name == "a")
    pairs = zip(entry.index[-ndim:], box[-ndim:], strict=True)
    inside = () if padding else tuple(guard for e, (low, high) in pairs for guard in between(low, e, high))
    one = replace(sums, guards=inside, body=ONE)
    places = _all_groups(layer.free, groups)
    counted = summation(add(one, ONE) if bias else one, *places)
    return _with_layer(layer, "T", counted, _times(*(bound.upper + 1 for bound in (*places, *sums.bounds))))


def _parts() -> tuple[Check, ...]:
    found = []
    for what, said in (("parameters", _parameters), ("multiply-adds", _multiply_adds)):
        found += [
            Check(f"{what}, any number of groups, one axis", said(1, None)),
            Check(f"{what}, any number of groups, two axes", said(2, None), again=True),
            Check(f"{what}, one group", said(1, 1)),
            Check(f"{what}, two groups", said(1, 2)),
            Check(f"{what}, depthwise", said(1, None, depthwise=True)),
        ]
    return tuple(found)


THEOREMS = (
    Theorem(
        "counts-step",
        "One more layer adds its taps to the parameters, and its taps for every output to the multiply-adds",
        "Howard et al., MobileNets (arXiv 1704.04861), section 3.1; padding counted, bias not",
        _parts(),
        (
            Check("parameters without the bias", _parameters(1, None, bias=0)),
            Check("the bias as a multiply-add", _multiply_adds(1, None, bias=True)),
            Check("the padding not counted", _multiply_adds(1, None, padding=False)),
        ),
    ),
)
