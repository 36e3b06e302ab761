"""Which kind of formula a tap form is: what every plan asks before anything else.

A plan computes one kind of formula, and that an operator has a weight, or a name, does not say that it is of that kind.
The kinds are trees, compared node by node; a tree that is none of them has no plan. Nothing is left out of the
comparison: boxes of tensors, ranges of indices, guards and factors all take part.
"""

from __future__ import annotations

from collections.abc import Iterable

from symconv.formulas.algebra import (
    Absolute,
    Access,
    Bound,
    Constant,
    Guard,
    Multiply,
    Node,
    Plus,
    Power,
    Reduce,
    const,
    inside,
)
from symconv.formulas.index import Index
from symconv.kernels.form.tapform import Kind, TapForm

__all__ = ["kind_of", "leaves_out_padding"]


def kind_of(form: TapForm) -> Kind | None:
    """The kind of a tap form; None where it is of none.

    Args:
        form: the tap form; its walks and its channels have been read off the formula.
    """
    if not _whole_arrays(form):
        return None
    if form.letter("weight") is not None:
        return "correlation" if _is_correlation(form) else None
    return "pooling" if form.channels is None and _is_pooling(form) else None


def _whole_arrays(form: TapForm) -> bool:
    """Whether every tensor has the box of the array that a call hands over, and outputs are counted from 0."""
    formula, ndim, channels = form.formula, len(form.walks), form.channels
    ends: list[Index | int] = [Index.of(name) for name in formula.sizes]
    taps: list[Index | int] = [walk.taps for walk in form.walks]
    inputs: list[Index | int] = []
    outputs: list[Index | int] = []
    weights: list[Index | int] = []
    if channels is not None:
        inputs = [channels.total_in] if channels.total_in > 1 else []
        outputs = [channels.total_out] if channels.output is not None else []
        weights = [*outputs, *([channels.per_group_in] if channels.input is not None else [])]
    boxes = {"input": [*inputs, *ends], "weight": [*weights, *taps], "bias": outputs}
    for tensor in formula.tensors:
        extents = boxes.get(tensor.role)
        if extents is None or tensor.box != tuple((Index.of(0), Index.of(extent) - 1) for extent in extents):
            return False
    lead = formula.free[: len(formula.free) - ndim]
    if any(bound.lower != 0 for bound in formula.free) or len(lead) != len(outputs):
        return False
    return formula.indices[len(lead) :] == tuple(walk.output for walk in form.walks)


def _is_correlation(form: TapForm) -> bool:
    """``sum over channels and taps of a * b``, and perhaps the bias of the output channel."""
    channels = form.layer
    parts = form.body.args if isinstance(form.body, Plus) else (form.body,)
    taps = tuple(Index.of(walk.tap) for walk in form.walks)
    inner = () if channels.input is None else (Index.of(channels.input),)
    outer = () if channels.output is None else (Index.of(channels.output),)
    biases = [Access(tensor.name, outer) for tensor in form.formula.tensors if tensor.role == "bias"]
    (total, *rest) = sorted(parts, key=lambda part: not isinstance(part, Reduce))
    if rest != biases or not isinstance(total, Reduce) or total.op != "sum":
        return False
    own = () if channels.input is None else (_range(channels.input, channels.per_group_in),)
    read, weight = Access(form.input, (*inner, *taps)), Access(form.letter("weight") or "", (*outer, *inner, *taps))
    return _same(total.bounds, (*own, *form.taps)) and _factors(total.body) in ([read, weight], [weight, read])


def _is_pooling(form: TapForm) -> bool:
    """``outer(R over the taps of inner(a))``.

    R is a sum of powers of a or |a|, and `outer` divides by counts and numbers and takes a root; or a maximum of
    entries that leaves out the padding, or of |a|.
    """
    node = _reduction(form.body)
    if node is None or not _same(node.bounds, form.taps):
        return False
    here = Access(form.input, tuple(Index.of(walk.tap) for walk in form.walks))
    guarded = any(walk.guards for walk in form.walks)
    if node.op == "min":
        return False
    if node.op == "max":
        absent = node.body == here and leaves_out_padding(form)
        return node == form.body and (absent or (node.body == Absolute(here) and not guarded))
    # A positive power of 0 is 0: what lies in the padding, guarded or not, counts for nothing.
    return (_raised(node.body) or node.body) in (here, Absolute(here))


def _reduction(node: Node) -> Reduce | None:
    """The reduction below roots and divisors, where there is nothing else around it."""
    while not isinstance(node, Reduce):
        base = _raised(node)
        rest = [factor for factor in _factors(node) if not _is_number(factor)]
        if base is None and (not isinstance(node, Multiply) or len(rest) != 1):
            return None
        node = rest[0] if base is None else base
    return node


def _raised(node: Node) -> Node | None:
    """The base of a power with a positive number as its exponent."""
    positive = isinstance(node, Power) and isinstance(node.exponent, Constant) and node.exponent.value > 0
    return node.base if isinstance(node, Power) and positive else None


def leaves_out_padding(form: TapForm) -> bool:
    """Whether every tap that may lie outside of the input is under a guard: in no window does a zero take part."""
    formula, walks = form.formula, form.walks
    known = formula.knowledge().within(form.taps)
    given: set[Guard] = {guard for walk in walks for guard in walk.guards}
    box = next(tensor.box for tensor in formula.tensors if tensor.role == "input")
    position = Access(form.input, tuple(walk.read for walk in walks))
    return all(guard in given or known.holds(guard) for guard in inside(position, box[-len(walks) :]))


def _is_number(factor: Node) -> bool:
    """A number, or one over a count, which may be a number too."""
    if isinstance(factor, Constant):
        return True
    if not isinstance(factor, Power) or factor.exponent != const(-1):
        return False
    return isinstance(factor.base, Access) or (isinstance(factor.base, Constant) and factor.base.value != 0)


def _factors(node: Node) -> list[Node]:
    return list(node.args) if isinstance(node, Multiply) else [node]


def _range(name: str, extent: int) -> Bound:
    return Bound(name, Index.of(0), Index.of(extent - 1))


def _same(bounds: Iterable[Bound], wanted: Iterable[Bound]) -> bool:
    """Whether the same indices run over the same ranges."""
    found, expected = list(bounds), list(wanted)
    return len(found) == len(expected) and set(found) == set(expected)
