"""From a local formula to the steps that compute it: one walk over the tree, three addresses a step, no new arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product as every
from math import prod
from typing import Literal

from symconv.errors import NotSupportedError, SizeLimitError
from symconv.formulas.algebra import (
    Absolute,
    Access,
    Applied,
    Bracket,
    Compare,
    Constant,
    FormulaWalker,
    Multiply,
    Named,
    Node,
    Plus,
    Power,
    Reduce,
    Scalar,
    Share,
    Sign,
    product,
)
from symconv.formulas.index import Index
from symconv.formulas.substitution import substitute
from symconv.formulas.walker import case
from symconv.kernels.programs.factors import fraction, ratios, signed, sized
from symconv.kernels.programs.program import (
    Apply,
    ArrayStep,
    AxisPart,
    Copy,
    FixedEntry,
    Like,
    Operand,
    Program,
    Scratch,
    SpreadView,
    TapView,
    TiledView,
    Total,
    program_of,
)
from symconv.kernels.programs.stage import ChainStage

__all__ = ["Builder", "Taps"]

Taps = tuple[int, ...]

_LONGEST_RUN = 8  # what is added up in sequence; longer sums are a tree of such runs, for their rounding error
MAX_TAPS = 1 << 14
"""Taps that a program is written out for: half a millisecond each to print and compile."""

_MAX_CHAIN = 32  # up to here an integer power is a chain of multiplications: `numpy.power` is ten times slower


class Builder:
    """The steps of one program.

    Args:
        stage: the stage whose formula, or whose derivative, is computed.
    """

    def __init__(self, stage: ChainStage) -> None:
        self.stage = stage
        self.like: Like = "output"  # the shape of what `value` computes
        self.steps: list[ArrayStep] = []
        self.known: dict[Node, str] = {}
        self._named: set[str] = set()
        self._scratch: list[Scratch] = []
        self._idle: list[Scratch] = []
        self._computed: list[Operand] = []

    @property
    def sliding(self) -> int | None:
        """The one axis with more than one tap of a stage without weights; None where there are several or none."""
        axes = [axis for axis in self.stage.axes if self.stage.walks[axis].taps > 1]
        return axes[0] if len(axes) == 1 and self.stage.weight is None else None

    # ------------------------------------------------------------------ names and scratch

    def apply(self, target: str, function: str, *args: Operand, where: str | None = None) -> str:
        """Write a function of arrays into an array."""
        self.steps.append(Apply(target, function, args, where))
        return target

    def copy(self, target: str, operand: Operand) -> None:
        """Write an array, or a number, into an array."""
        self.steps.append(Copy(target, operand))

    def take(self, holds: Literal["value", "mask", "number"] = "value", like: Like | None = None) -> str:
        """The name of a scratch array that nothing uses at the moment, in the shape of values unless told otherwise."""
        like = like or self.like
        for scratch in self._idle:
            if (scratch.holds, scratch.like) == (holds, like):
                self._idle.remove(scratch)
                return scratch.name
        letter = {"mask": "w", "number": "q", "value": "t"}[holds]
        if like != "output":
            letter = {"w": "m", "q": "s", "t": "l"}[letter]
        scratch = Scratch(f"{letter}{sum(s.name[0] == letter for s in self._scratch)}", holds, like)
        self._scratch.append(scratch)
        return scratch.name

    def give(self, name: str) -> None:
        """Say that a scratch array is free again; any other name is left alone."""
        for scratch in self._scratch:
            if scratch.name == name and scratch not in self._idle:
                self._idle.append(scratch)

    def done(self, operand: Operand) -> None:
        """Say that an operand from `value` has been used: scratch that was taken for it is free again."""
        if operand in self._computed:
            self._computed.remove(operand)
            self.give(str(operand))

    def program(self, name: str, *results: str) -> Program:
        """The program of the steps so far; what they use and do not define is a parameter."""
        return program_of(name, self.steps, results, self._scratch)

    # ------------------------------------------------------------------ taps

    def window(self) -> Iterator[Taps]:
        """The taps of the stage in row-major order.

        Raises:
            SizeLimitError: for more taps than a program is written for, a line or more each.
        """
        taps = prod(self.stage.walks[axis].taps for axis in self.stage.axes)
        if taps > MAX_TAPS:
            raise SizeLimitError(
                f"a window of {taps:,} taps would be written out tap by tap (limit {MAX_TAPS:,}); for a window over "
                f"the whole input take AdaptiveAvgPool(1) or AdaptiveMaxPool(1), which have no such limit"
            )
        return every(*(range(self.stage.walks[axis].taps) for axis in self.stage.axes))

    def tap(self, source: str, taps: Taps) -> str:
        """The view of an array that one tap reads at all outputs."""
        if not self.stage.axes:
            return source
        name = "_".join([source, *map(str, taps)])
        if name not in self._named:
            self._named.add(name)
            parts = [AxisPart()] * len(self.stage.walks)
            for axis, tap in zip(self.stage.axes, taps, strict=True):
                walk = self.stage.walks[axis]
                parts[axis] = AxisPart(walk.offset(tap), f"e{axis}", walk.stride)
            self.steps.append(TapView(name, source, tuple(parts)))
        return name

    def windows(self, source: str) -> str:
        """An array of the shape of the input, as windows that tile it."""
        name = f"{source}_windows"
        self.steps.append(TiledView(name, source, self.stage.tile))
        return name

    def spread(self, source: str) -> str:
        """An array of the shape of the output, each entry for all taps of its window."""
        name = f"{source}_spread"
        self.steps.append(SpreadView(name, source, self.stage.tile))
        return name

    def seen_from(self, axis: int, tap: int) -> tuple[AxisPart, ...]:
        """The parts of the view that one tap of an axis reads at all outputs, where the other axes have one tap."""
        parts = [AxisPart()] * len(self.stage.walks)
        for other in self.stage.axes:
            walk = self.stage.walks[other]
            parts[other] = AxisPart(walk.offset(tap) if other == axis else 0, f"e{other}", walk.stride)
        return tuple(parts)

    def entry(self, source: str, entries: Taps, lead: int = 0) -> str:
        """Fixed entries of an array that has the taps as axes."""
        name = "_".join([source, *map(str, entries)])
        if name not in self._named:
            self._named.add(name)
            self.steps.append(FixedEntry(name, source, entries, lead))
        return name

    def total(self, target: str, source: str, axes: Sequence[int]) -> str:
        """The sum of an array over axes."""
        self.steps.append(Total(target, source, tuple(axes)))
        return target

    # ------------------------------------------------------------------ values

    def operand(self, node: Node) -> Operand | None:
        """What stands for a node without computing anything, or None."""
        if node in self.known:
            return self.known[node]
        if isinstance(node, Constant):
            return node.value
        if not isinstance(node, Access):
            return None
        if node.tensor == self.stage.weight:
            return self.entry(node.tensor, self._fixed(node.index[-len(self.stage.walks) :]))
        if not node.index or node.tensor == self.stage.bias:
            return node.tensor
        return self.tap(node.tensor, self._fixed(node.index))

    @staticmethod
    def _fixed(index: Sequence[Index]) -> Taps:
        values = []
        for expr in index:
            if expr.value is None:
                raise NotSupportedError(f"no array stands for an access at {expr!r}, which is no fixed tap")
            values.append(expr.value)
        return tuple(values)

    def value(self, node: Node) -> Operand:
        """An operand for a node, computed into scratch if need be; the caller says `done` after use."""
        operand = self.operand(node)
        if operand is None:
            operand = self.take()
            self.into(operand, node)
            self._computed.append(operand)
        return operand

    def into(self, target: str, node: Node) -> None:
        """Compute a node into an array."""
        operand = self.operand(node)
        if operand is not None:
            self.copy(target, operand)
        else:
            _Into(self, target).visit(node)

    def combine(self, function: str, target: str, nodes: Sequence[Node]) -> None:
        """Fold nodes with a commutative function: what must be computed first, then what is there already."""
        if function == "add" and len(nodes) > _LONGEST_RUN and self.sliding is not None:
            half = len(nodes) // 2
            self.combine(function, target, nodes[:half])
            other = self.take()
            self.combine(function, other, nodes[half:])
            self.apply(target, function, target, other)
            self.give(other)
            return
        operands = [self.operand(node) for node in nodes]
        ready = [operand for operand in operands if operand is not None]
        started = False
        for node, operand in zip(nodes, operands, strict=True):
            if operand is not None:
                continue
            if not started:
                self.into(target, node)
                started = True
                continue
            part = self.value(node)
            self.apply(target, function, target, part)
            self.done(part)
        if not started:
            first, ready = ready[0], ready[1:]
            if not ready:
                self.copy(target, first)
                return
            self.apply(target, function, first, ready[0])
            ready = ready[1:]
        for operand in ready:
            self.apply(target, function, target, operand)

    # ------------------------------------------------------------------ reductions

    def reduction(self, target: str, node: Reduce) -> None:
        """A reduction over the taps: tap by tap, or by doubling where that takes fewer passes."""
        function = "add" if node.op == "sum" else "maximum"
        if self.sliding is not None and isinstance(node.body, Access):
            walk = self.stage.walks[self.sliding]
            levels = walk.taps.bit_length() - 1 if node.op == "sum" else (walk.taps - 1).bit_length() - 1
            last = walk.taps.bit_count() - 1 if node.op == "sum" else 1
            if levels * walk.stride + last < walk.taps - 1 and walk.step > 0:
                self._doubled(self.sliding, function, target, node.body.tensor, levels)
                return
        names = [bound.name for bound in node.bounds]
        bodies = [substitute(node.body, dict(zip(names, taps, strict=True))) for taps in self.window()]
        self.combine(function, target, bodies)

    def _doubled(self, axis: int, function: str, target: str, source: str, levels: int) -> None:
        """``L(2k)[u] = L(k)[u] o L(k)[u + k*d]``: windows of 2, 4, 8, ... taps, of which the window is put together.

        A sum takes one window for every binary digit of the number of taps, a maximum two that may overlap. Sums are
        added in a tree, so that their rounding error grows with the logarithm of the window; each is added as soon as
        it is there, so that two levels and the target are all that the cache has to hold.
        """
        walk = self.stage.walks[axis]
        parts, held = 0, ""

        def put(array: str, tap: int) -> None:
            """Let a window take part that starts `tap` taps after the first."""
            nonlocal parts, held
            name = f"{array}_at_{tap}"
            self.steps.append(TapView(name, array, self.seen_from(axis, tap)))
            parts += 1
            if parts == 1:
                held = name
            else:
                self.apply(target, function, held if parts == 2 else target, name)

        level, lost, first = source, 0, 0  # `lost`: by how much the level is shorter than the source
        kept: str | None = None  # the level that the only part so far is a view of
        for power in range(levels + 1):
            size = 1 << power
            if power:
                half = size // 2
                lost += half * walk.step
                pieces = [self.shifted(level, axis, f"{level}_{shift}", shift * walk.step, lost) for shift in (0, half)]
                new = self.take(like="input")
                fits = self.shifted(new, axis, f"{new}_of_{size}", 0, lost)
                self.apply(fits, function, *pieces)
                if level != kept:
                    self.give(level)
                level = new
            if function == "add" and walk.taps & size:
                put(level, first)
                first += size
                if kept is not None:
                    self.give(kept)
                kept = level if parts == 1 else None
        if function == "maximum":
            put(level, 0)
            put(level, walk.taps - (1 << levels))
        if parts == 1:
            self.copy(target, held)

    def shifted(self, source: str, axis: int, name: str, start: int, shorter: int) -> str:
        """The view of an array from `start` on, `shorter` positions shorter than the source along an axis."""
        parts = [AxisPart()] * len(self.stage.walks)
        parts[axis] = AxisPart(start, f"n{axis}", 1, shorter)
        self.steps.append(TapView(name, source, tuple(parts)))
        return name

    # ------------------------------------------------------------------ products and powers

    def product(self, target: str, factors: Sequence[Node]) -> None:
        """A product: a sign with the power of the absolute value that it belongs to, numerators, then denominators.

        ``sign(x)*|x|`` is x, and ``|x|**e * y**-e`` is ``(|x|/y)**e``, which neither overflows nor underflows where
        |x| <= y.
        """
        over, under, sign = signed(*fraction(factors))
        over, under = ratios(over, under)
        if sign is not None:
            size = next(node for node in over if isinstance(node, Power) and sized(node.base) == sign)
            self.power(target, size.base, size.exponent)
            source = self.value(sign)
            self.apply(target, "copysign", target, source)
            self.done(source)
            self._times(target, [node for node in over if node is not size])
        elif len(over) == 1 and isinstance(over[0], Power):
            self.power(target, over[0].base, over[0].exponent)
        elif len(over) == 1 and under and self.operand(over[0]) is not None and self.operand(under[0]) is not None:
            self.apply(target, "divide", self.value(over[0]), self.value(under[0]))
            under = under[1:]
        elif over:
            self.combine("multiply", target, over)
        else:
            self.copy(target, 1)
        for node in under:
            divisor = self.value(node)
            self.apply(target, "divide", target, divisor)
            self.done(divisor)

    def accumulate(self, target: str, factors: Sequence[Node], fresh: bool) -> None:
        """Add a product to an array, or write it there while the array is fresh."""
        if fresh:
            self.product(target, factors)
            return
        part = self.value(product(*factors))
        self.apply(target, "add", target, part)
        self.done(part)

    def _times(self, target: str, nodes: Sequence[Node]) -> None:
        for node in nodes:
            factor = self.value(node)
            self.apply(target, "multiply", target, factor)
            self.done(factor)

    def power(self, target: str, base: Node, exponent: Node) -> None:
        """``base**exponent`` for a positive rational exponent."""
        if not isinstance(exponent, Constant) or exponent.value <= 0:
            raise NotSupportedError(f"no array program for a power with the exponent {exponent!r}")
        value = exponent.value
        if isinstance(base, Absolute) and value.denominator == 1 and value % 2 == 0:
            base = base.arg
        source = self.operand(base)
        if source is None:
            self.into(target, base)
            source = target
        named = {Fraction(2): "square", Fraction(1, 2): "sqrt", Fraction(1, 3): "cbrt", Fraction(1): "positive"}
        if value in named:
            self.apply(target, named[value], source)
        elif value.denominator == 1 and value <= _MAX_CHAIN:
            self._chain(target, source, int(value))
        else:
            self.apply(target, "power", source, value)

    def _chain(self, target: str, source: Operand, exponent: int) -> None:
        """An integer power by squaring and multiplying, the leading binary digit first."""
        digits = bin(exponent)[3:]
        kept = self.take() if source == target and "1" in digits else ""
        base = self.apply(kept, "positive", source) if kept else source
        at = base
        for digit in digits:
            at = self.apply(target, "square", at)
            if digit == "1":
                self.apply(target, "multiply", target, base)
        if kept:
            self.give(kept)


class _Into(FormulaWalker[None]):
    """The steps that compute a node, which is not there already, into an array."""

    def __init__(self, builder: Builder, target: str) -> None:
        self.builder, self.target = builder, target

    @case(Plus)
    def _added(self, node: Plus) -> None:
        self.builder.combine("add", self.target, node.args)

    @case(Multiply)
    def _multiplied(self, node: Multiply) -> None:
        self.builder.product(self.target, node.args)

    @case(Power)
    def _raised(self, node: Power) -> None:
        self.builder.product(self.target, (node,))

    @case(Reduce)
    def _reduced(self, node: Reduce) -> None:
        self.builder.reduction(self.target, node)

    @case(Absolute)
    def _absolute(self, node: Absolute) -> None:
        self._applied("absolute", node.arg)

    @case(Sign)
    def _sign(self, node: Sign) -> None:
        self._applied("sign", node.arg)

    def _applied(self, function: str, node: Node) -> None:
        arg = self.builder.value(node)
        self.builder.apply(self.target, function, arg)
        self.builder.done(arg)

    @case(Constant, Scalar, Access, Applied, Bracket, Compare, Share, Named)
    def _unknown(self, node: Node) -> None:
        raise NotSupportedError(f"no array program for {type(node).__name__} in this place")
