"""The programs that find the first maximum of a window, and those that move something to it or from it.

Of two candidates the later one must be greater to win, so the first maximum in row-major order remains. The number of
a tap is its place in the window, row-major: where windows are compared in order, a winner's number is greater than
those of all that it has beaten.
"""

from __future__ import annotations

from symconv.formulas.algebra import Access, Node, product
from symconv.formulas.walks import transform
from symconv.kernels.programs.build import Builder
from symconv.kernels.programs.derivative import UPSTREAM, partial
from symconv.kernels.programs.program import (
    Apply,
    ArrayStep,
    Bytes,
    Gather,
    Operand,
    Program,
    Scatter,
    TapView,
    program_of,
)
from symconv.kernels.programs.stage import ChainStage

__all__ = ["NUMBER", "PLACE", "SOURCE_NUMBER", "fetched", "handed", "numbered", "places"]

NUMBER, SOURCE_NUMBER, PLACE = "k", "k_in", "i"


def numbered(stage: ChainStage, weight: int, carried: bool) -> Program:
    """The maximum along one axis, and the number of the first tap that is it.

    Args:
        stage: a stage that slides over one axis.
        weight: what a step along the axis adds to the number, the number of taps of all later axes.
        carried: the source has numbers too, those of the axes before; they go with the tap.
    """
    builder = Builder(stage)
    (axis,) = stage.axes
    walk = stage.walks[axis]
    duel = _Duel(builder, weight)
    levels = (walk.taps - 1).bit_length() - 1
    if walk.taps == 1:
        builder.copy("c", builder.tap(stage.source, (0,)))
        builder.copy(NUMBER, builder.tap(SOURCE_NUMBER, (0,)) if carried else 0)
    elif levels * walk.stride + 1 < walk.taps - 1:
        duel.doubled(levels, carried)
    else:
        holder, number = builder.tap(stage.source, (0,)), builder.tap(SOURCE_NUMBER, (0,)) if carried else None
        for tap in range(1, walk.taps):
            other = builder.tap(SOURCE_NUMBER, (tap,)) if carried else None
            duel.between(("c", NUMBER), (holder, number), (builder.tap(stage.source, (tap,)), other), tap)
            holder, number = "c", NUMBER
    return builder.program(f"winners{stage.suffix}", "c", NUMBER)


class _Duel:
    """Steps that decide between two candidates, each a value and the number of its tap (None: the number is 0)."""

    def __init__(self, builder: Builder, weight: int) -> None:
        self.builder, self.weight = builder, weight

    def between(
        self, target: tuple[str, str], holder: tuple[str, str | None], other: tuple[str, str | None], taps: int
    ) -> None:
        """The other one, whose window starts `taps` taps later, wins where it is greater."""
        mask, scratch = self.builder.take("mask"), self.builder.take("number")
        self._steps(target, holder, other, taps, mask, scratch)
        self.builder.give(mask)
        self.builder.give(scratch)

    def _steps(
        self,
        target: tuple[str, str],
        holder: tuple[str, str | None],
        other: tuple[str, str | None],
        taps: int,
        mask: str,
        scratch: str,
    ) -> None:
        # winners of a later window have greater numbers than all of an earlier one that it has beaten: the maximum of
        # the numbers, where those that lost count as 0, selects without a branch
        builder = self.builder
        builder.apply(mask, "greater", other[0], holder[0])
        builder.apply(target[0], "maximum", holder[0], other[0])
        bits = f"{mask}_bytes"
        builder.steps.append(Bytes(bits, mask))
        step: Operand = taps * self.weight
        if holder[1] is None and other[1] is None:
            if step == 1:
                builder.copy(target[1], bits)
            else:
                builder.apply(target[1], "multiply", bits, step)
            return
        if other[1] is None:
            builder.apply(scratch, "multiply", bits, step)
        else:
            builder.apply(scratch, "add", other[1], step)
            builder.apply(scratch, "multiply", scratch, bits)
        if holder[1] is None:
            builder.copy(target[1], scratch)
        else:
            builder.apply(target[1], "maximum", holder[1], scratch)

    def doubled(self, levels: int, carried: bool) -> None:
        """Windows of 2, 4, 8, ... taps; two of them, which may overlap, make the window."""
        builder, stage = self.builder, self.builder.stage
        (axis,) = stage.axes
        walk = stage.walks[axis]
        value, number, lost = stage.source, SOURCE_NUMBER if carried else None, 0
        for level in range(levels):
            half = 1 << level
            lost += half * walk.step

            def cut(name: str, taps: int, lost: int = lost) -> str:
                return builder.shifted(name, axis, f"{name}_from_{taps}", taps * walk.step, lost)

            held = builder.take(like="input"), builder.take("number", "input")
            used = builder.take("mask", "input"), builder.take("number", "input")
            pair = [(cut(value, at), None if number is None else cut(number, at)) for at in (0, half)]
            target = cut(held[0], 0), cut(held[1], 0)
            self._steps(target, pair[0], pair[1], half, cut(used[0], 0), cut(used[1], 0))
            for name in (value, number or "", *used):
                builder.give(name)
            value, number = held

        def at(name: str, tap: int) -> str:
            builder.steps.append(TapView(f"{name}_at_{tap}", name, builder.seen_from(axis, tap)))
            return f"{name}_at_{tap}"

        last = walk.taps - (1 << levels)
        final = [(at(value, tap), None if number is None else at(number, tap)) for tap in (0, last)]
        self.between(("c", NUMBER), final[0], final[1], last)


def places() -> Program:
    """Where the winners are in a flat array: the place where their window starts, and the offset of their tap."""
    steps: list[ArrayStep] = [Gather(PLACE, "offsets", NUMBER), Apply(PLACE, "add", (PLACE, "starts"))]
    return program_of("places", steps, (PLACE,))


def handed(stage: ChainStage, fresh: bool) -> Program:
    """Give each winner the gradient of its output, times what else the derivative has."""
    builder = Builder(stage)
    value = builder.value(product(*_picked(builder, stage), Access(UPSTREAM, ())))
    into = f"grad_{stage.source}"
    builder.steps.append(Scatter(into, PLACE, str(value), fresh))
    return builder.program("pullback", into)


def fetched(stage: ChainStage) -> Program:
    """The tangent of the output: that of the winner, times what else the derivative has."""
    builder = Builder(stage)
    factors = _picked(builder, stage)
    if factors:
        moved = builder.take()
        builder.steps.append(Gather(moved, "d_in", PLACE))
        builder.product("d_c", (*factors, Access(moved, ())))
    else:
        builder.steps.append(Gather("d_c", "d_in", PLACE))
    return builder.program("pushforward", "d_c")


def _picked(builder: Builder, stage: ChainStage) -> tuple[Node, ...]:
    """The factors of the derivative beside the share, at the winner."""
    derivative = partial(stage, stage.source)
    factors = (*derivative.shared(), *derivative.each)
    if not factors:
        return ()
    picked = builder.take()
    builder.steps.append(Gather(picked, stage.source, PLACE))

    def change(node: Node) -> Node | None:
        return Access(picked, ()) if isinstance(node, Access) and node.tensor == stage.source else None

    return tuple(transform(factor, change) for factor in factors)
