"""The gradient of a sum whose windows overlap, as sums of what arrives: each entry is written once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from symconv.formulas.algebra import Access, Bound, Reduce
from symconv.formulas.index import Index
from symconv.kernels.programs.build import Builder
from symconv.kernels.programs.derivative import UPSTREAM, bind_output, partial
from symconv.kernels.programs.program import Program
from symconv.kernels.programs.stage import ChainStage

__all__ = ["Mirror", "mirrored", "scaled"]


@dataclass(frozen=True)
class Mirror:
    """The gradient of a sum at every stride-th entry that its windows read.

    Attributes:
        first: the first of these entries.
        back: how many outputs before output 0 the first of them is read by.
        stage: the sum of stride 1 that reads what arrives, between zeros; None where no tap reads these entries.
    """

    first: int
    back: int
    stage: ChainStage | None


def mirrored(stage: ChainStage) -> tuple[Mirror, ...]:
    """The gradient of a sum along one axis as sums of what arrives; nothing where windows do not overlap.

    Entry ``u = first + stride*q`` is read by tap m of output ``(u - step*m)/stride``, so by the taps with ``step*m`` as
    ``first`` modulo the stride: with q, the outputs move on one by one, and with m, back by a fixed distance. That is a
    window over the outputs, and a sum over it does not mind to be taken backwards.
    """
    reduce = stage.reduction
    if reduce is None or reduce.op != "sum" or not isinstance(reduce.body, Access) or len(stage.axes) != 1:
        return ()
    (axis,) = stage.axes
    walk = stage.walks[axis]
    if walk.step < 1 or walk.taps == 1 or walk.apart:
        return ()
    found = []
    for first in range(walk.stride):
        taps = [tap for tap in range(walk.taps) if (walk.step * tap - first) % walk.stride == 0]
        if not taps:
            found.append(Mirror(first, 0, None))
            continue
        distance = walk.step * (taps[1] - taps[0]) // walk.stride if len(taps) > 1 else 1
        turned = replace(walk, stride=1, step=distance, taps=len(taps))
        walks = (*stage.walks[:axis], turned, *stage.walks[axis + 1 :])
        over = Bound(walk.tap, Index.of(0), Index.of(len(taps) - 1))
        body = Reduce("sum", (over,), (), Access(stage.source, (Index.of(walk.tap),)))
        back = (walk.step * taps[-1] - first) // walk.stride
        found.append(Mirror(first, back, replace(stage, body=body, walks=walks)))
    return tuple(found)


def scaled(stage: ChainStage, nonzero: bool, scale: Fraction) -> Program:
    """What arrives at all entries of a window of a `mirrored` stage: the upstream gradient times the derivative."""
    derivative = partial(stage, stage.source)
    builder = Builder(stage)
    bind_output(builder, stage, derivative, nonzero)
    builder.product("t", (Access(UPSTREAM, ()), *derivative.shared(scale)))
    return builder.program(f"upstream{stage.suffix}", "t")
