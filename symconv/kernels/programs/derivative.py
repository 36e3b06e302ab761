"""The programs of one stage: the formula, and what `differentiate` makes of it, at any position.

The derivative of one output by one of its taps is a local formula like the output itself. Its factors that are the same
for all taps are computed once; a `Share` of a maximum becomes comparison masks under the tie policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod

from symconv.errors import NotSupportedError
from symconv.formulas.algebra import Absolute, Access, Bound, Constant, Node, Power, Reduce, Share, const, product
from symconv.formulas.bounds import Knowledge
from symconv.formulas.calculus import differentiate, normalize
from symconv.formulas.index import Index
from symconv.formulas.naming import names_in
from symconv.formulas.substitution import substitute
from symconv.formulas.terms import expand
from symconv.formulas.walks import transform, walk
from symconv.kernels.programs.build import Builder, Taps
from symconv.kernels.programs.program import INFINITY, Operand, Program
from symconv.kernels.programs.stage import ChainStage

__all__ = [
    "TapDerivative",
    "balanced",
    "bind_output",
    "forward",
    "partial",
    "pullback",
    "pushforward",
    "root_of",
    "tiled_pullback",
    "weight_pullback",
    "winners",
]

OUTPUT, UPSTREAM, TANGENT = "c", "g", "d_in"
"""The arrays of a program beside the letters of the formula: the output of the stage, its gradient, a tangent."""


@dataclass(frozen=True)
class TapDerivative:
    """The derivative of one output by one entry: ``coefficient * common * each``, `each` being the entry's own.

    `at` are the names of the entry's tap indices; `share` is the share of a maximum that it receives, if there is one.
    """

    coefficient: Fraction
    common: tuple[Node, ...]
    each: tuple[Node, ...]
    share: Share | None
    at: tuple[str, ...]

    def shared(self, scale: Fraction | None = None) -> tuple[Node, ...]:
        """What all entries have in common, with `scale` in place of the coefficient if given."""
        value = self.coefficient if scale is None else scale
        return self.common if value == 1 else (Constant(value), *self.common)

    def together(self, stage: ChainStage) -> bool:
        """True where the output is among the entry's own factors, which are then multiplied before anything else."""
        return any(isinstance(factor, Power) and factor.base == stage.body for factor in self.each)

    def loose(self, stage: ChainStage) -> TapDerivative:
        """The same with powers of the output taken once, for numbers of which none leaves its range on the way."""
        powers = tuple(f for f in self.each if isinstance(f, Power) and f.base == stage.body)
        return replace(self, common=(*self.common, *powers), each=tuple(f for f in self.each if f not in powers))

    def factors(self, taps: Taps) -> tuple[Node, ...]:
        """What belongs to the entry, at one tap."""
        return tuple(substitute(factor, dict(zip(self.at, taps, strict=True))) for factor in self.each)


def partial(stage: ChainStage, tensor: str) -> TapDerivative:
    """The derivative of a stage's output by an entry of its source or its weight.

    Raises:
        NotSupportedError: where it is no single product, or a tie policy leaves it open.
    """
    if stage.ties == "set":
        raise NotSupportedError(
            "the gradient of a maximum under ties='set' is a set, not a function; compile the operator with "
            "ties='first' or ties='split'"
        )
    at = tuple(f"%{axis}" for axis in stage.axes)
    ranges = [Bound(name, tap.lower, tap.upper) for name, tap in zip(at, stage.taps, strict=True)]
    index = tuple(Index.of(name) for name in at)
    derivative = normalize(differentiate(stage.body, tensor, index, stage.ties), Knowledge({}, ranges))
    terms = expand(derivative)
    if len(terms) != 1 or terms[0].bounds or terms[0].guards:
        raise NotSupportedError(f"no array program for a derivative of the form {derivative!r}")
    (term,) = terms
    factors = tuple(transform(factor, lambda n: _recognized(n, stage.reduction)) for factor in term.factors)
    factors = tuple(transform(factor, lambda n: _by_the_root(n, stage.body)) for factor in factors)
    coefficient = prod((f.value for f in factors if isinstance(f, Constant)), start=term.coefficient)
    share = next((factor for factor in factors if isinstance(factor, Share)), None)
    factors = tuple(factor for factor in factors if factor is not share and not isinstance(factor, Constant))

    each = tuple(factor for factor in factors if not _is_count(factor) and _of_one_tap(factor, stage, at))
    if any(isinstance(n, Absolute) for factor in each for n in walk(factor)):
        # |x|**(p-1) * y**(1-p) stays together: each may overflow, their quotient is at most 1
        each += tuple(factor for factor in factors if _is_of(factor, stage.body))
    return TapDerivative(coefficient, tuple(factor for factor in factors if factor not in each), each, share, at)


def _of_one_tap(factor: Node, stage: ChainStage, at: Sequence[str]) -> bool:
    """Whether a factor of a derivative is another one for every tap."""
    if factor == stage.body or _is_of(factor, stage.body):
        return False
    return bool(names_in(factor) & set(at)) or any(isinstance(n, Access) and n.index == () for n in walk(factor))


def _is_of(factor: Node, base: Node) -> bool:
    """Whether a factor is a power of `base`."""
    return isinstance(factor, Power) and factor.base == base


def _recognized(node: Node, reduce: Reduce | None) -> Node | None:
    """The stage's reduction, for a node that differs from it by the names of its bound indices alone."""
    if reduce is None or not isinstance(node, Reduce) or len(node.bounds) != len(reduce.bounds):
        return None
    names = {mine.name: theirs.name for mine, theirs in zip(node.bounds, reduce.bounds, strict=True)}
    bounds = tuple(Bound(names[b.name], b.lower, b.upper) for b in node.bounds)
    renamed = Reduce(node.op, bounds, node.guards, substitute(node.body, names))
    return reduce if renamed == reduce else None


def _by_the_root(node: Node, body: Node) -> Node | None:
    """With y = s**e, a power s**r as y**(r/e): y is there already, and may be finite where s is not."""
    if not isinstance(body, Power) or not isinstance(body.base, Reduce):
        return None
    if isinstance(node, Power) and node.base == body.base and node != body:
        mine, whole = node.exponent, body.exponent
        if isinstance(mine, Constant) and isinstance(whole, Constant):
            return Power(body, Constant(mine.value / whole.value))
    return body if node == body else None


def _is_count(factor: Node) -> bool:
    """True for one over a count of the formula, such as ``r0``."""
    return isinstance(factor, Power) and isinstance(factor.base, Access) and factor.exponent == const(-1)


def forward(stage: ChainStage) -> Program:
    """The stage's output."""
    builder = Builder(stage)
    builder.into(OUTPUT, stage.body)
    return builder.program(f"forward{stage.suffix}", OUTPUT)


def balanced(stage: ChainStage) -> Program:
    """The same output with every power taken of ``x/M``, M the largest entry: ``M*(sum (x/M)**p)**(1/p)``.

    Nothing overflows or underflows then. Where M is 0 or infinite the scale is 1, which leaves 0 or infinity.
    """
    norm = root_of(stage)
    assert norm is not None
    total = norm.base
    assert isinstance(total, Reduce)
    assert isinstance(total.body, Power)
    inner, exponent = total.body.base, total.body.exponent
    builder = Builder(stage)
    scale, mask = builder.take(), builder.take("mask")
    builder.reduction(scale, Reduce("max", total.bounds, (), inner))
    builder.apply(mask, "equal", scale, 0)
    builder.apply(scale, "positive", 1, where=mask)
    builder.apply(mask, "isinf", scale)
    builder.apply(scale, "positive", 1, where=mask)
    here = Access(scale, ())
    scaled = Reduce("sum", total.bounds, (), Power(product(inner, Power(here, const(-1))), exponent))
    whole = product(here, Power(scaled, norm.exponent))
    builder.into(OUTPUT, transform(stage.body, lambda n: whole if n == norm else None))
    return builder.program("balanced", OUTPUT)


def root_of(stage: ChainStage) -> Power | None:
    """The root of a sum of powers in a stage, whose terms may overflow where the root does not."""
    for node in walk(stage.body):
        if isinstance(node, Power) and isinstance(node.base, Reduce) and isinstance(node.exponent, Constant):
            return node if 0 < node.exponent.value < 1 else None
    return None


# ---------------------------------------------------------------------- gradients


def pullback(
    stage: ChainStage, careful: bool = False, fresh: bool = False, nonzero: bool = False, scale: Fraction | None = None
) -> Program:
    """Add ``upstream * derivative`` to the gradient of every tap's entry.

    Args:
        stage: the stage.
        careful: also right where an output or an upstream gradient is infinite or NaN: taps in the padding are then
            told from real ones, and what a mask leaves out is not multiplied by 0.
        fresh: no entry of the gradient belongs to two outputs: write instead of add.
        nonzero: no output is 0.
        scale: the number to multiply by, in place of the one in the derivative: constants of a chain cancel.
    """
    derivative = partial(stage, stage.source)
    builder = Builder(stage)
    bind_output(builder, stage, derivative, nonzero)
    upstream = UPSTREAM
    common = derivative.shared(scale)
    if common:
        upstream = builder.take()
        builder.product(upstream, (Access(UPSTREAM, ()), *common))
    masks = None if derivative.share is None else _Masks(builder, derivative.share, careful)
    if masks is not None and masks.count is not None:
        upstream = builder.apply(masks.count, "divide", upstream, masks.count)
    into = f"grad_{stage.source}"
    for taps in builder.window():
        target = builder.tap(into, taps)
        own: Operand | None = None
        if derivative.together(stage):
            own = builder.value(product(*derivative.factors(taps)))
            factors: tuple[Node, ...] = (Access(str(own), ()), Access(upstream, ()))
        else:
            factors = (*derivative.factors(taps), Access(upstream, ()))
        if masks is None:
            builder.accumulate(target, factors, fresh)
        elif careful:
            part = builder.value(product(*factors))
            builder.apply(target, "add", target, part, where=masks.at(taps))
            builder.done(part)
        else:
            builder.accumulate(target, (*factors, Access(masks.at(taps), ())), fresh)
        if own is not None:
            builder.done(own)
    return builder.program(f"pullback{stage.suffix}", into)


def tiled_pullback(stage: ChainStage, nonzero: bool, scale: Fraction | None = None) -> Program:
    """Write ``upstream * derivative`` to all entries at once, for windows that tile the input.

    Products are taken in any order (see `TapDerivative.loose`); `nonzero` and `scale` are those of `pullback`.
    """
    derivative = partial(stage, stage.source).loose(stage)
    builder = Builder(stage)
    bind_output(builder, stage, derivative, nonzero)
    upstream = UPSTREAM
    if common := derivative.shared(scale):
        upstream = builder.take()
        builder.product(upstream, (Access(UPSTREAM, ()), *common))
    into = f"grad_{stage.source}"
    builder.like = "windows"
    factors: list[Node] = [Access(builder.spread(upstream), ())]
    if derivative.each:
        here = Access(builder.windows(stage.source), ())
        factors += [transform(f, lambda n: here if isinstance(n, Access) else None) for f in derivative.each]
    builder.product(builder.windows(into), factors)
    return builder.program(f"pullback{stage.suffix}", into)


def weight_pullback(stage: ChainStage) -> Program:
    """Add to the gradient of every weight the sum of ``upstream * derivative`` over positions and batch."""
    assert stage.weight is not None
    derivative = partial(stage, stage.weight)
    builder = Builder(stage)
    into = f"grad_{stage.weight}"
    part = builder.take()
    for taps in builder.window():
        builder.product(part, (Access(UPSTREAM, ()), *derivative.shared(), *derivative.factors(taps)))
        total = builder.total("_".join(["s", *map(str, taps)]), part, (0, *range(-len(stage.walks), 0)))
        target = builder.entry(into, taps)
        builder.apply(target, "add", target, total)
    return builder.program("weight_pullback", into)


def pushforward(stage: ChainStage, careful: bool) -> Program:
    """The tangent of the output: the sum over the taps of ``derivative * tangent of the tap``."""
    derivative = partial(stage, stage.source)
    builder = Builder(stage)
    bind_output(builder, stage, derivative)
    into = f"d_{OUTPUT}"
    tangent = Access(TANGENT, tuple(Index.of(name) for name in derivative.at))
    if derivative.together(stage):
        for number, taps in enumerate(builder.window()):
            own = builder.value(product(*derivative.factors(taps)))
            moved = substitute(tangent, dict(zip(derivative.at, taps, strict=True)))
            builder.accumulate(into, (Access(str(own), ()), moved), fresh=number == 0)
            builder.done(own)
    elif derivative.share is None:
        terms = product(*derivative.each, tangent)
        over = tuple(Bound(name, t.lower, t.upper) for name, t in zip(derivative.at, stage.taps, strict=True))
        builder.into(into, Reduce("sum", over, (), terms) if stage.axes else terms)
    else:
        masks = _Masks(builder, derivative.share, careful)
        builder.copy(into, 0)
        for taps in builder.window():
            here = dict(zip(derivative.at, taps, strict=True))
            part = builder.value(product(*derivative.factors(taps), substitute(tangent, here)))
            if careful:
                builder.apply(into, "add", into, part, where=masks.at(taps))
            else:
                builder.accumulate(into, (Access(str(part), ()), Access(masks.at(taps), ())), fresh=False)
            builder.done(part)
        if masks.count is not None:
            builder.apply(into, "divide", into, masks.count)
    if common := derivative.shared():
        builder.product(into, (Access(into, ()), *common))
    return builder.program("pushforward", into)


def winners(stage: ChainStage, carried: int) -> Program:
    """For every output the number of its first largest tap (row-major), -1 where no tap is real.

    `carried` arrays of the shape of the input are followed along: what they hold at that tap is handed on.
    """
    reduce = stage.reduction
    assert reduce is not None
    builder = Builder(stage)
    builder.known[stage.body] = OUTPUT
    masks = _Masks(builder, Share("first", reduce, tuple(Index.of(f"%{axis}") for axis in stage.axes)), careful=True)
    names = ["k", *(f"k_out{k}" for k in range(carried))]
    for name in names:
        builder.copy(name, -1)
    for number, taps in enumerate(builder.window()):
        mask = masks.at(taps)
        builder.apply("k", "positive", number, where=mask)
        for k in range(carried):
            builder.apply(f"k_out{k}", "positive", builder.tap(f"k_in{k}", taps), where=mask)
    return builder.program("winners", *names)


def bind_output(builder: Builder, stage: ChainStage, derivative: TapDerivative, nonzero: bool = False) -> None:
    """Let the output stand for the stage's body.

    Where the derivative divides by it, an output of 0 is taken as infinity: a non-positive power of zero counts as
    zero in a gradient (see `symconv.formulas.algebra.Power`).
    """
    builder.known[stage.body] = OUTPUT
    if nonzero:
        return
    if any(isinstance(f, Power) and f.base == stage.body for f in (*derivative.common, *derivative.each)):
        safe, mask = builder.take(), builder.take("mask")
        builder.apply(mask, "equal", OUTPUT, 0)
        builder.copy(safe, OUTPUT)
        builder.apply(safe, "positive", INFINITY, where=mask)
        builder.give(mask)
        builder.known[stage.body] = safe


class _Masks:
    """Which outputs a tap is the maximum of, under a tie policy; taps must be asked for in row-major order."""

    def __init__(self, builder: Builder, share: Share, careful: bool) -> None:
        self.builder, self.share, self.careful = builder, share, careful
        self.mask = builder.take("mask")
        self.other = builder.take("mask") if careful else ""
        self.open = ""
        self.count: str | None = None
        if share.policy == "split":
            self.count = builder.take()
            builder.copy(self.count, 0)
            for taps in builder.window():
                builder.apply(self.count, "add", self.count, self._largest(taps))
            builder.apply(self.count, "maximum", self.count, 1)  # a window without a real tap hands out nothing

    def _largest(self, taps: Taps) -> str:
        """Where the tap equals the maximum; if careful, only where it is real, and NaN equals NaN."""
        builder, reduce = self.builder, self.share.reduce
        maximum = builder.operand(reduce)
        assert maximum is not None
        at = {bound.name: tap for bound, tap in zip(reduce.bounds, taps, strict=True)}
        value: Operand = builder.value(substitute(reduce.body, at))
        builder.apply(self.mask, "equal", value, maximum)
        if self.careful:
            builder.apply(self.other, "not_equal", value, value)
            builder.apply(self.mask, "logical_or", self.mask, self.other)
            for axis, tap in zip(builder.stage.axes, taps, strict=True):
                if builder.stage.walks[axis].guards:
                    builder.apply(self.mask, "logical_and", self.mask, builder.entry(f"v{axis}", (tap,)))
        builder.done(value)
        return self.mask

    def at(self, taps: Taps) -> str:
        """The mask of a tap."""
        mask = self._largest(taps)
        if self.share.policy == "first":
            builder = self.builder
            if not self.open:
                self.open = builder.take("mask")
                builder.apply(self.open, "logical_not", mask)
            else:
                builder.apply(mask, "logical_and", mask, self.open)
                builder.apply(self.open, "greater", self.open, mask)
        return mask
