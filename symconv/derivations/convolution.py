"""The gradients of a convolution read as convolutions: the kernel turned, the strides exchanged, all ones upstream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symconv.derivations import rules
from symconv.derivations.frame import Frame
from symconv.derivations.spread import Spread, turned_kernel
from symconv.derivations.step import Definition, Maths, Phrase, Stage, Step, maths
from symconv.derivations.whole import (
    correlation,
    direct_steps,
    equations,
    has_result_size,
    recognised,
    turned_definition,
    turned_indices,
    turned_steps,
)
from symconv.formulas.algebra import Access, Bracket, Node, inside
from symconv.formulas.arrays import correlated
from symconv.formulas.arrays import ones as ones_of
from symconv.formulas.calculus import without_settled_guards
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.printing import Style, context_of
from symconv.formulas.terms import expand, rebuild
from symconv.formulas.walks import transform
from symconv.operators.convolution import Conv

__all__ = ["all_ones_stage", "input_stage", "spread_kernel", "turned_array", "weight_stage"]


def input_stage(frame: Frame, op: Conv, touched: Step) -> tuple[Stage, tuple[Definition, ...]]:
    """The gradient by the input as a correlation of the padded, upsampled upstream gradient with the turned kernel."""
    taps = frame.letters.axes("weight", op.spatial_axes)
    raw = rules.insert(rules.chain_rule(_unsifted(frame), frame.gradient, frame.letters.upstream, frame.output.free))
    by_taps = rules.sift_by_taps(raw, keep=taps)
    result: Phrase = ("the result has the size of the input",)
    steps, definitions = turned_steps(frame, touched, by_taps, "upstream", op.flip, frame.sizes, (result, frame.sizes))
    return Stage(("Read the sum as a correlation",), ("for every ", frame.variable_entry), steps), definitions


def weight_stage(frame: Frame, op: Conv, touched: Step) -> tuple[Stage, tuple[Definition, ...]]:
    """The gradient by the kernel: the input correlated with the upstream gradient, stride and dilation exchanged."""
    windows = op.windows
    remark = "" if all(w.s == 1 and w.d == 1 for w in windows) else " Stride and dilation have changed places."
    remark += " The result runs backwards, as the kernel does." if op.flip else ""
    steps, definitions = direct_steps(
        frame,
        touched,
        ("input", "upstream"),
        [w.d for w in windows],
        [w.s for w in windows],
        [w.k for w in windows],
        turn="result" if op.flip else "",
        remark=remark,
    )
    return Stage(("Read the sum as a correlation",), ("for every ", frame.variable_entry), steps), definitions


def all_ones_stage(frame: Frame, op: Conv, touched: Step) -> tuple[Stage, tuple[Definition, ...]]:
    """The gradient by the input where every upstream entry is 1: the padded kernel correlated with an array of ones."""
    windows, ndim = op.windows, op.spatial_axes
    ones = _with_ones(touched.after, frame)
    first = Step(
        frame.number(),
        _with_ones(frame.gradient, frame),
        ones,
        "put_ones",
        "Put",
        (
            maths(lambda s: f"{_upstream_entry(frame, s)} = 1"),
            f" into ({touched.id}): the error is the sum of all outputs.",
        ),
        uses=(touched.id,),
        opens=True,
    )
    outputs = frame.letters.axes("output", ndim)
    names = frame.letters.axes("turned", ndim)
    counts = [bound.upper - bound.lower + 1 for bound in frame.output.free]
    raw = _with_ones(
        rules.insert(rules.chain_rule(_unsifted(frame), frame.gradient, frame.letters.upstream, frame.output.free)),
        frame,
    )
    closed = rules.sift_by_taps(raw, keep=outputs)
    turned = turned_indices(closed, outputs, names, counts, frame.base)
    # a flipped convolution reads its kernel backwards already, so here the kernel itself is turned around
    image = spread_kernel(frame, op, frame.sizes, counts)
    named = image.named(turned)
    second = Step(
        frame.number(),
        ones,
        named,
        "turn",
        "Substitute",
        (equations(names, outputs, counts, frame), "."),
        uses=(first.id, *([] if image.is_plain else ["D5"])),
    )
    square = maths(lambda s: _ones(counts, s, frame))
    whole = correlation(image.name, square, [w.s for w in windows], [], frame)
    result = correlated(image.array, ones_of(counts, frame.base), dilation=[w.s for w in windows], sizes=frame.sizes)
    third = Step(
        frame.number(),
        named,
        recognised(named, whole, result),
        "recognise",
        "Recognise",
        (
            "(D1): image ",
            image.introduced,
            "; kernel and upstream gradient have changed places, and an array of ones is its own half turn.",
        ),
        uses=(second.id, "D1", *([] if image.is_plain else ["D5"])),
        fits=has_result_size(named, result),
    )
    definitions: tuple[Definition, ...] = () if image.is_plain else (image.definition("D5"),)
    if op.flip:
        definitions = (turned_definition("D4", frame, names, [w.k for w in windows]), *definitions)
    domain: Phrase = (
        "for every ",
        frame.variable_entry,
        ", where every ",
        maths(lambda s: f"{_upstream_entry(frame, s)} = 1"),
    )
    return Stage(("The all-ones gradient",), domain, (first, second, third)), definitions


def spread_kernel(frame: Frame, op: Conv, sizes: Sequence[Index], counts: Sequence[Index]) -> Spread:
    """The kernel under an array of ones: padded so far that every entry of the input gets its turn.

    Args:
        frame: the derivation.
        op: the convolution.
        sizes: the input size of every axis.
        counts: the output size of every axis.
    """
    steps = [w.s * (count - 1) for w, count in zip(op.windows, counts, strict=True)]
    axes = [(step - w.padding(n)[0], step + n) for step, w, n in zip(steps, op.windows, sizes, strict=True)]
    before, whole = zip(*axes, strict=True)
    return Spread(frame, "weight", tuple(w.d for w in op.windows), before, whole, is_turned=op.flip)


def turned_array(frame: Frame, op: Conv) -> Maths:
    """The kernel that slides over it."""
    return frame.array("weight") if op.flip else turned_kernel(frame, op.spatial_axes)


# ---------------------------------------------------------------------- pieces


def _unsifted(frame: Frame) -> Formula:
    target = frame.derivative
    assert target.quantity.wrt is not None
    variable, at = target.quantity.wrt
    return rules.use_independence(
        rules.differentiate_term_by_term(frame.output, variable, at, target, frame.op.tie_policy())
    )


def _ones(counts: Sequence[Index], style: Style, frame: Frame) -> str:
    context = context_of(frame.gradient)
    return style.ones(style.by(style.index(c, context) for c in counts))


def _upstream_entry(frame: Frame, style: Style) -> str:
    indices = [style.name(i) for i in frame.output.indices]
    return style.subscripted(style.name(frame.letters.upstream), indices)


def _with_ones(formula: Formula, frame: Frame) -> Formula:
    """The formula with every entry of the upstream gradient 1 (and still 0 outside its box)."""
    letter = frame.letters.upstream
    known = formula.knowledge()

    def change(node: Node) -> Node | None:
        if isinstance(node, Access) and node.tensor == letter:
            return Bracket(inside(node, formula.boxes[letter]))
        return None

    body = transform(formula.body, change)
    terms = [without_settled_guards(term, known) for term in expand(body)]
    return replace(formula, body=rebuild(terms), tensors=tuple(t for t in formula.tensors if t.name != letter))
