"""Adaptive pooling: the window of every output, and the outputs whose windows cover an entry."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from symconv.derivations.counting import about_sizes
from symconv.derivations.frame import Frame, axes_alike
from symconv.derivations.shares import abbreviated
from symconv.derivations.step import Maths, Phrase, Stage, Step, maths
from symconv.formulas.algebra import Bound, Guard, Label, Named, Reduce, Scalar, between, const, nonnegative
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index, ceiling, floor
from symconv.formulas.printing import LATEX, UNICODE, PrintContext, Style, context_of
from symconv.formulas.quantity import Quantity
from symconv.formulas.terms import Term, expand, rebuild
from symconv.operators.adaptive import AdaptivePooling

if TYPE_CHECKING:
    from symconv.proofs.verdict import Verdict

__all__ = ["covering_stages", "window_stages"]


def window_stages(frame: Frame, op: AdaptivePooling) -> tuple[Stage, ...]:
    """One stage for every axis whose arithmetic differs from that of the axes before it."""
    kinds = tuple(zip(op.outputs, frame.sizes, strict=True))
    return tuple(_window_stage(frame, op, axis, words) for axis, words in axes_alike(kinds))


def _window_stage(frame: Frame, op: AdaptivePooling, axis: int, where: str) -> Stage:
    """The entries that overlap one of the equal parts of the input, and how many they are."""
    n, count, base = frame.sizes[axis], op.count(axis, frame.sizes[axis]), frame.base
    i, p = (frame.letters.axes(family, op.ndim)[axis] for family in ("input", "output"))
    entry, place = Index.of(i) - base, Index.of(p) - base
    low, high = op.span(axis, place, n)
    free = frame.output.free[axis]
    name = f"N_{axis + 1}" if op.ndim > 1 else "N"
    formula = replace(frame.output, quantity=Quantity("entry", (name, (p,))), free=(free,), tensors=())
    bound = Bound(i, Index.of(base), n - 1 + base)
    overlap = (nonnegative(count * (entry + 1) - n * place - 1), nonnegative(n * (place + 1) - count * entry - 1))
    inside = between(low, entry, high)
    context = context_of(formula)
    ranked = replace(context, rank={**context.rank, i: len(context.rank)})
    start = formula.with_body(Reduce("sum", (bound,), overlap, const(1)))
    covered = formula.with_body(_number_of(i, (low + base, high + base), bound, inside, ranked))
    closed = formula.with_body(Scalar(high - low + 1))
    ends: tuple[Maths, ...] = tuple(
        maths(lambda s, top=top: s.rounded("exact", s.index(top, ranked), s.index(count, ranked), True))  # type: ignore[misc]
        for top in (n * place, n * (place + 1))
    )
    letter = maths(lambda s: s.name(p))
    parts: Phrase = ("The input is cut into ", maths(lambda s: s.index(count, ranked)), " equal parts; part ", letter)
    parts = (*parts, " reaches from ", ends[0], " to ", ends[1], ", and every entry that it overlaps counts.")
    first = Step(
        frame.number(),
        start,
        covered,
        "overlap",
        "Overlap.",
        parts if count != 1 else ("The input is one part: every entry counts.",),
        uses=("D1",),
        opens=True,
        check=lambda: about_sizes(frame, _same_entries(formula, bound, overlap, inside)),
    )
    second = Step(
        frame.number(),
        covered,
        closed,
        "count",
        "Count",
        ("from the first entry to the last; both lie in the input, and there is at least one.",),
        uses=(first.id,),
        check=lambda: about_sizes(frame, _counted(formula, low, high, n)),
    )
    return Stage((f"The windows{where}",), ("for every ", letter), (first, second))


def _number_of(
    name: str, ends: tuple[Index, Index], bound: Bound, guards: tuple[Guard, ...], context: PrintContext
) -> Named:
    def write(style: Style) -> str:
        chain = style.relation("<=").join(
            [style.index(ends[0], context), style.name(name), style.index(ends[1], context)]
        )
        return style.count_of(style.set(style.name(name), [chain]))

    return Named(Label(write(LATEX), write(UNICODE)), (), Reduce("sum", (bound,), guards, const(1)))


def _same_entries(formula: Formula, bound: Bound, left: tuple[Guard, ...], right: tuple[Guard, ...]) -> Verdict:
    from symconv.proofs.goals import prove_equivalent

    return prove_equivalent((*formula.assumptions(), *bound.guards()), left, right)


def _counted(formula: Formula, low: Index, high: Index, n: Index) -> Verdict:
    """Whether both ends lie in the input and in order: then their distance counts what is between them."""
    from symconv.proofs.goals import prove_goal

    goals = (nonnegative(low), nonnegative(n - 1 - high), nonnegative(high - low))
    return prove_goal(formula.assumptions(), goals)


# ---------------------------------------------------------------------- the gradient


def covering_stages(frame: Frame, op: AdaptivePooling, touched: Step) -> tuple[Stage, ...]:
    """The sum over all outputs as one over those whose window covers the entry: the same rule, sizes exchanged."""
    line = touched.after
    counts = [op.count(axis, n) for axis, n in enumerate(frame.sizes)]
    outputs = frame.letters.axes("output", op.ndim)
    inputs = frame.letters.axes("input", op.ndim)
    ranges: dict[str, tuple[Index, Index]] = {}
    for p, i, n, count in zip(outputs, inputs, frame.sizes, counts, strict=True):
        if count != 1:
            entry = Index.of(i) - frame.base
            ranges[p] = floor(count * entry, n) + frame.base, ceiling(count * (entry + 1), n) - 1 + frame.base
    terms = [_ranged(term, ranges) for term in expand(line.body)]
    narrowed = line.with_body(abbreviated(frame, rebuild(terms)))
    if not ranges or narrowed.text() == line.text():
        return ()  # the line names these outputs already, such as where every window is one entry, or all of the input
    step = Step(
        frame.number(),
        line,
        narrowed,
        "exchange",
        "Exchange",
        (
            "input and output: an entry overlaps a part of the input exactly where the part overlaps the entry, so "
            "that the outputs that cover ",
            frame.variable_entry,
            " follow the same rule with the sizes exchanged.",
        ),
        uses=(touched.id,),
        check=lambda: about_sizes(frame, _same_outputs(line, ranges)),
    )
    title: Phrase = ("The outputs whose windows cover ", frame.variable_entry)
    return (Stage(title, ("for every ", frame.variable_entry), (step,)),)


def _ranged(term: Term, ranges: dict[str, tuple[Index, Index]]) -> Term:
    """The term with its conditions, all of which are on outputs, as ranges of these."""
    assert all(guard.names & ranges.keys() for guard in term.guards), term
    bounds = tuple(Bound(b.name, *ranges[b.name]) if b.name in ranges else b for b in term.bounds)
    return replace(term, bounds=bounds, guards=())


def _same_outputs(before: Formula, ranges: dict[str, tuple[Index, Index]]) -> Verdict:
    """Whether conditions and ranges allow the same outputs, whatever stands under the sum."""
    from symconv.derivations.theorems.deciding import all_of
    from symconv.proofs.goals import prove_equivalent

    verdicts = []
    for term in expand(before.body):
        for bound in term.bounds:
            if bound.name in ranges:
                old = (*bound.guards(), *(g for g in term.guards if bound.name in g.names))
                new = between(ranges[bound.name][0], bound.name, ranges[bound.name][1])
                verdicts.append(prove_equivalent(before.assumptions(), old, new))
    return all_of(verdicts)
