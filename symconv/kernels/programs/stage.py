"""Chains: how the tap form of an operator is cut into stages, each of which slides over some of the axes.

- "taps": one stage, the tap form as it is, one tap after the other.
- "separable": Fubini for sums, the same law for maxima: a reduction over a box of taps is one reduction an axis. What
  happens to an entry before it is reduced is a stage of its own, done once an entry instead of once a tap.

Where one axis slides, a sum of k taps is a tree: an entry goes through at most ``4 + 2*log2(k)`` roundings an axis, so
that an average of a 101 x 101 window in float32 is exact to about 3 units in the last place of the average size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from symconv.formulas.algebra import Access, Bound, Node, Reduce
from symconv.formulas.index import Index
from symconv.formulas.naming import names_in
from symconv.formulas.walks import accesses, transform, walk
from symconv.kernels.form.reading import Walk
from symconv.kernels.form.tapform import TapForm

__all__ = ["Chain", "ChainStage", "chain_of", "summed_at_once"]


@dataclass(frozen=True, eq=False)  # a stage is itself alone: what is made for one is kept by it
class ChainStage:
    """A local formula that slides over some axes.

    Attributes:
        body: one output of the stage; its input is accessed at the taps of `axes`, in this order.
        axes: the spatial axes that it slides over.
        walks: the walks of all spatial axes of the operator.
        source: the letter of the input; `weight` and `bias`, those of the parameters, or None.
        ties: the tie policy of a maximum.
    """

    body: Node
    axes: tuple[int, ...]
    walks: tuple[Walk, ...]
    source: str
    weight: str | None
    bias: str | None
    ties: Literal["first", "split", "set"]

    @property
    def taps(self) -> tuple[Bound, ...]:
        """The tap indices of this stage with their ranges, row-major."""
        return tuple(
            Bound(self.walks[axis].tap, Index.of(0), Index.of(self.walks[axis].taps - 1)) for axis in self.axes
        )

    @property
    def tile(self) -> tuple[int, ...]:
        """The number of taps along every spatial axis, 1 where the stage does not slide."""
        return tuple(walk.taps if axis in self.axes else 1 for axis, walk in enumerate(self.walks))

    @property
    def suffix(self) -> str:
        """What tells the functions of the stages apart in the source."""
        if len(self.axes) == len(self.walks):
            return ""
        return "".join(["_along", *(f"_{axis}" for axis in self.axes)]) if self.axes else "_each_entry"

    @property
    def reduction(self) -> Reduce | None:
        """The reduction over the taps of this stage, or None for a stage that works entry by entry."""
        return next((n for n in walk(self.body) if isinstance(n, Reduce)), None)


@dataclass(frozen=True)
class Chain:
    """Stages in the order in which they run: for the output, for gradients, and to find the first maximum.

    They differ for a maximum: its first tie in row-major order is found by going along the last axis first, while the
    output alone is faster along the first axis first; and equal shares of equal shares are not equal shares, so that
    ties that are split need the whole window at once. A sum goes the same way back as it came: what is handed out
    along the last axis is then the smaller array.
    """

    plan: str
    whole: ChainStage
    forward: tuple[ChainStage, ...]
    backward: tuple[ChainStage, ...]
    winners: tuple[ChainStage, ...]


def chain_of(form: TapForm, plan: str) -> Chain:
    """Cut a tap form into stages."""
    every = tuple(range(len(form.walks)))
    parameters = (form.letter("weight"), form.letter("bias"))

    channel = None if form.channels is None else form.channels.input

    def one_channel(node: Node) -> Node | None:  # channels stand side by side in the arrays, as batches do
        if isinstance(node, Access) and node.tensor in (form.input, *parameters):
            return Access(node.tensor, () if node.tensor == parameters[1] else node.index[-len(every) :])
        if channel is not None and isinstance(node, Reduce) and channel in {bound.name for bound in node.bounds}:
            bounds = tuple(bound for bound in node.bounds if bound.name != channel)
            return Reduce(node.op, bounds, node.guards, transform(node.body, one_channel))
        return None

    whole = _stage(form, transform(form.body, one_channel), every)
    if plan == "taps":
        return Chain(plan, whole, (whole,), (whole,), (whole,))
    separated = _separated(form, whole, every[::-1])
    forward = _separated(form, whole, every)
    reduce = whole.reduction
    maximum = reduce is not None and reduce.op == "max"
    return Chain(plan, whole, forward, (whole,) if maximum else forward, separated)


def summed_at_once(stages: Sequence[ChainStage]) -> ChainStage:
    """The first stages of a chain of sums as one: what happens to an entry, added up along all of their axes."""
    first = stages[0]
    axes = tuple(sorted(axis for stage in stages for axis in stage.axes))
    at = replace(first, axes=axes)
    index = tuple(Index.of(tap.name) for tap in at.taps)
    inner: Node = Access(first.source, index) if first.axes else _at(first.body, first.source, index)
    return replace(at, body=Reduce("sum", at.taps, (), inner))


def _stage(form: TapForm, body: Node, axes: tuple[int, ...]) -> ChainStage:
    return ChainStage(body, axes, form.walks, form.input, form.letter("weight"), form.letter("bias"), form.ties)


def _separated(form: TapForm, whole: ChainStage, order: Sequence[int]) -> tuple[ChainStage, ...]:
    """``outer(R over m, n of inner(a))`` as inner, then R over one axis after the other, the last one inside outer.

    An axis with one tap is taken along with the first reduction, so that its stride thins out the array early.
    """
    reduce = whole.reduction
    assert reduce is not None
    sliding = [axis for axis in order if form.walks[axis].taps > 1] or [order[0]]
    passes = [tuple(sorted({sliding[0], *(axis for axis in order if axis not in sliding)}))]
    passes += [(axis,) for axis in sliding[1:]]
    stages = []
    inner: Node = reduce.body
    if not isinstance(inner, Access):
        stages.append(_stage(form, _at(inner, form.input, ()), ()))
    for axes in passes:
        taps = tuple(form.taps[axis] for axis in axes)
        entry = Access(form.input, tuple(Index.of(tap.name) for tap in taps))
        step = Reduce(reduce.op, taps, (), entry)
        body: Node = step
        if axes == passes[-1]:
            body = transform(whole.body, lambda n, step=step: step if n == reduce else None)  # type: ignore[misc]
        stages.append(_stage(form, body, axes))
    return tuple(stages)


def _at(node: Node, source: str, index: tuple[Index, ...]) -> Node:
    """The tree with its accesses to the input moved to one index."""
    assert accesses(node, source)
    moved = transform(node, lambda n: Access(source, index) if isinstance(n, Access) and n.tensor == source else None)
    assert index or not names_in(moved)
    return moved
