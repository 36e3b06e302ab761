"""Transposed convolution: its size by reach, its sum gathered into a correlation, its gradients as correlations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symconv.derivations import rules
from symconv.derivations.counting import about_sizes, size_domain
from symconv.derivations.frame import Frame, axes_alike, extents
from symconv.derivations.step import Definition, Maths, Phrase, Stage, Step, maths
from symconv.derivations.whole import direct_steps, turned_steps
from symconv.formulas.algebra import (
    Bound,
    Guard,
    Label,
    Named,
    Reduce,
    Scalar,
    add,
    between,
    const,
    nonnegative,
)
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.printing import LATEX, UNICODE, PrintContext, Style, context_of
from symconv.operators.transposed import ConvTranspose
from symconv.operators.unpooling import MaxUnpool

if TYPE_CHECKING:
    from symconv.proofs.verdict import Verdict

__all__ = ["gather_stage", "gather_step", "gradient_stages", "reach_stages"]


# ---------------------------------------------------------------------- the size


def reach_stages(frame: Frame, op: ConvTranspose | MaxUnpool) -> tuple[Stage, ...]:
    """One stage for every axis whose arithmetic differs from that of the axes before it."""
    axes = range(op.spatial_axes)
    added = [op.added(axis) if isinstance(op, ConvTranspose) else Index.of(0) for axis in axes]
    kinds = tuple(zip(op.windows, frame.sizes, added, strict=True))
    return tuple(_reach_stage(frame, op, axis, added[axis], words) for axis, words in axes_alike(kinds))


def _reach_stage(frame: Frame, op: ConvTranspose | MaxUnpool, axis: int, added: Index, where: str) -> Stage:
    """Count the places from the first tap of the first input to the last tap of the last one, then cut and add."""
    window, size = op.windows[axis], frame.sizes[axis]
    before, after = window.padding(size)
    beyond = added - before - after
    ndim = op.spatial_axes
    count = frame.constant(f"O_{axis + 1}" if ndim > 1 else "O")
    context = context_of(frame.output)
    i, m = (frame.letters.axes(family, ndim)[axis] for family in ("input", "weight"))
    inputs, taps = Bound(i, Index.of(0), size - 1), Bound(m, Index.of(0), window.k - 1)
    reached = window.s * Index.of(i) + window.d * Index.of(m)
    last = window.s * (size - 1) + window.d * (window.k - 1)
    place = frame.letters.axes("output", ndim)[axis]
    widest = Reduce("max", (inputs, taps), (), Scalar(reached))
    start = count.with_body(add(widest, Scalar(beyond + 1)))
    spanned = count.with_body(add(_places(place, last), Scalar(beyond)) if beyond != 0 else _places(place, last))
    closed = count.with_body(Scalar(op.count(axis, size)))
    far: Phrase = (
        "the last tap of the last input lies ",
        maths(lambda s: s.index(last, context)),
        " places after the first tap of the first.",
    )
    cut: list[str | Maths] = []
    if before != 0 or after != 0:
        amounts = [maths(lambda s, e=e: s.index(e, context)) for e in (before, after)]  # type: ignore[misc]
        cut = [" Padding cuts ", amounts[0], " off either side."]
        if before != after:
            cut = [" Padding cuts ", amounts[0], " off before and ", amounts[1], " behind."]
    if added != 0:
        cut += [" Output padding adds ", maths(lambda s: s.index(added, context)), " behind."]
    first = Step(
        frame.number(),
        start,
        spanned,
        "span",
        "Span:",
        (*far, *cut),
        uses=("D1",),
        opens=True,
        check=lambda: about_sizes(frame, _spanned(start, (inputs, taps), reached, last)),
    )
    second = Step(
        frame.number(),
        spanned,
        closed,
        "count",
        "Count",
        ("the places from 0 on.",),
        uses=(first.id,),
        check=lambda: about_sizes(frame, _counted(start, place, last, beyond, op.count(axis, size))),
    )
    return Stage((f"How far the input reaches{where}",), size_domain(frame), (first, second))


def _places(name: str, last: Index) -> Named:
    """The number of places from 0 to the last one, written with a number sign and a set."""
    context = PrintContext({name: 0})

    def write(style: Style) -> str:
        condition = style.relation("<=").join(["0", style.name(name), style.index(last, context)])
        return style.count_of(style.set(style.name(name), [condition]))

    bound = Bound(name, Index.of(0), last)
    return Named(Label(write(LATEX), write(UNICODE)), (), Reduce("sum", (bound,), (), const(1)))


def _spanned(start: Formula, bounds: tuple[Bound, ...], reached: Index, last: Index) -> Verdict:
    """Whether no place lies beyond the last one, and the last tap of the last input is there."""
    from symconv.proofs.goals import prove_goal

    given: tuple[Guard, ...] = (*start.assumptions(), *(guard for bound in bounds for guard in bound.guards()))
    ends = {bound.name: bound.upper for bound in bounds}
    there = reached.subs(ends) - last
    assert there == 0, there
    return prove_goal(given, between(0, reached, last))


def _counted(start: Formula, place: str, last: Index, beyond: Index, total: Index) -> Verdict:
    """Whether the places 0 .. last, less what is cut and more what is added, are as many as the size says."""
    from symconv.proofs.goals import prove_equivalent

    assert total == last + 1 + beyond
    first = nonnegative(Index.of(place))
    return prove_equivalent(
        start.assumptions(), between(0, place, last), (first, nonnegative(total - beyond - 1 - Index.of(place)))
    )


# ---------------------------------------------------------------------- the output


def gather_step(frame: Frame, source: str) -> Step:
    """A sum over all that reaches an output, as a sum over taps: the bracket fixes where each one comes from."""
    op = frame.op
    taps = maths(lambda s: ", ".join(s.name(name) for name in frame.letters.axes("weight", op.spatial_axes)))
    divides = any(w.s != 1 for w in op.windows)
    return Step(
        frame.number(),
        frame.output,
        rules.sift_by_taps(frame.output, keep=frame.letters.axes("weight", op.spatial_axes)),
        "sift_by_taps",
        "Gather.",
        (
            "For a tap ",
            taps,
            f" at most one {source} reaches ",
            frame.output_entry,
            ", and the bracket fixes which one; where the stride does not divide, there is none."
            if divides
            else ", and the bracket fixes which one.",
        ),
        uses=("D1",),
        opens=True,
    )


def gather_stage(frame: Frame, op: ConvTranspose) -> tuple[Stage, tuple[Definition, ...]]:
    """What every input scatters, gathered at one output: a correlation of the upsampled, padded input."""
    first = gather_step(frame, "input")
    outputs = [bound.upper - bound.lower + 1 for bound in frame.output.free[-op.spatial_axes :]]
    result: Phrase = ("the result has the size of the output",)
    steps, definitions = turned_steps(frame, first, first.after, "input", op.flip, outputs, (result, outputs))
    stage = Stage(("Scattering read as a correlation",), ("for every ", frame.output_entry), (first, *steps))
    return stage, definitions


# ---------------------------------------------------------------------- the gradients


def gradient_stages(frame: Frame, op: ConvTranspose, touched: Step) -> tuple[tuple[Stage, tuple[Definition, ...]], ...]:
    """The gradient by the input or the kernel: the padded upstream gradient, correlated as `Conv` correlates."""
    strides, dilations = [w.s for w in op.windows], [w.d for w in op.windows]
    place, base = "tap" if frame.wrt == "input" else "input", frame.base
    families = (frame.letters.axes(family, op.spatial_axes) for family in ("output", "input", "weight"))
    reached = []
    for w, n, p, i, m in zip(op.windows, frame.sizes, *families, strict=True):
        tap = Index.of(m) - base
        reached.append((p, w.tap(Index.of(i) - base, w.k - 1 - tap if op.flip else tap, n) + base))
    context = context_of(frame.gradient)

    def write(style: Style) -> str:
        pieces = [style.relation("=").join([style.name(p), style.index(e, context)]) for p, e in reached]
        return style.listed(pieces)

    substituted = Step(
        frame.number(),
        touched.after,
        frame.gradient,
        "sift_by_taps",
        "Substitute",
        (maths(write), f": one output for every {place}."),
        uses=(touched.id,),
    )
    if frame.wrt == "input":
        turn, remark = "kernel" if op.flip else "", " It is the convolution that this one is the transpose of."
        roles, sizes, steps_apart = ("upstream", "weight"), list(frame.sizes), (strides, dilations)
    else:
        plain = all(e == 1 for e in (*strides, *dilations))
        turn, remark = "result" if op.flip else "", "" if plain else " Stride and dilation have changed places."
        sizes = extents(frame.tensor("weight"))[-op.spatial_axes :]
        roles, steps_apart = ("upstream", "input"), (dilations, strides)
    steps, definitions = direct_steps(frame, substituted, roles, *steps_apart, sizes, turn=turn, remark=remark)
    domain: Phrase = ("for every ", frame.variable_entry)
    return ((Stage(("Read the sum as a correlation",), domain, (substituted, *steps)), definitions),)
