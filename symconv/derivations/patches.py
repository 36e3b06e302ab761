"""Patches laid out and added up, and maxima put back: each gradient is the other operator, or a look-up."""

from __future__ import annotations

from symconv.derivations.frame import Frame, entry, extents, size_text
from symconv.derivations.step import Definition, Maths, Stage, Step, maths
from symconv.derivations.transposed import gather_step
from symconv.formulas.algebra import Label, Named, Node
from symconv.formulas.index import Index
from symconv.formulas.printing import LATEX, UNICODE, Style, context_of
from symconv.formulas.symbols import symbol
from symconv.operators.patches import Fold, Unfold
from symconv.operators.unpooling import MaxUnpool

__all__ = ["adjoint_stage", "fold_stage", "look_up_stage", "position_definition"]


# ---------------------------------------------------------------------- patches


def fold_stage(frame: Frame) -> Stage:
    """What is added up at one place of the image: one entry for every tap."""
    step = gather_step(frame, "place of the window")
    return Stage(("What is added up",), ("for every ", frame.output_entry), (step,))


def adjoint_stage(frame: Frame, op: Unfold | Fold, touched: Step) -> Stage:
    """The gradient of an unfolding is the folding of the upstream gradient, and the other way round."""
    name = "fold" if isinstance(op, Unfold) else "unfold"
    array = frame.array("upstream")
    label = Label(rf"\operatorname{{{name}}}({array.latex})", f"{name}({array.text})")
    line, before = touched.after, touched
    steps: list[Step] = []
    place = tuple(Index.of(index) for index in line.indices)
    whole = line.with_body(Named(label, place, _other(frame, op)))
    if frame.gradient.text() != line.text():
        what = "taps: each place of the window shows" if isinstance(op, Unfold) else "outputs: a tap of a place shows"
        reason = (f"the sum over {what} the entry at most once.",)
        before = Step(frame.number(), line, frame.gradient, "closed_form", "Sift", reason, uses=(touched.id,))
        steps.append(before)
    context = context_of(frame.gradient)
    words = (
        ("the folding of ", array, " into an image of ", size_text(frame.sizes, context), ", with the same window.")
        if isinstance(op, Unfold)
        else ("the unfolding of ", array, ", with the same window.")
    )
    uses = (before.id, "D2")
    steps.append(Step(frame.number(), before.after, whole, "recognise", "Recognise", words, uses=uses))
    return Stage(("Read the gradient as the other operator",), ("for every ", frame.variable_entry), tuple(steps))


def _other(frame: Frame, op: Unfold | Fold) -> Node:
    """One entry of the other operator, applied to the upstream gradient, in the indices of this one's gradient."""
    letters = frame.letters
    names = {
        "input": letters.upstream,
        "upstream": letters.input,
        "output": letters.output,
        "weight_index": letters.weight_index,
        "input_index": letters.output_index,
        "output_index": letters.input_index,
        "turned_index": letters.turned_index,
        "input_channel": letters.output_channel,
        "output_channel": letters.input_channel,
    }
    options = {key: value for key, value in op.options().items() if key not in ("output_size", "ndim")}
    if isinstance(op, Fold):
        other: Unfold | Fold = Unfold(**options)
    else:
        image = [n.value if n.value is not None else symbol(repr(n)) for n in frame.sizes]
        other = Fold(tuple(image), **options)
    return other.output(names=names, index_base=frame.base).body


# ---------------------------------------------------------------------- max unpooling


def position_definition(frame: Frame, op: MaxUnpool, id: str) -> Definition:
    """What the tensor of positions holds."""
    position = frame.tensor("position")
    own = entry(position.name, frame.letters.axes("input", op.ndim))
    return Definition(
        id,
        (frame.array("position"),),
        (own, ", the flat position in ", frame.array("output"), " of ", _input_entry(frame, op), ": row by row from 0"),
        "positions",
        (size_text(extents(position), context_of(frame.gradient)),),
    )


def _input_entry(frame: Frame, op: MaxUnpool) -> Maths:
    return entry(frame.letters.input, frame.letters.axes("input", op.ndim))


def look_up_stage(frame: Frame, op: MaxUnpool, touched: Step) -> tuple[Stage, Definition]:
    """The gradient by an entry is the upstream gradient at its position."""
    array, line = frame.array("upstream"), touched.after
    upstream, outputs = frame.tensor("upstream"), frame.letters.axes("output", op.ndim)
    sizes = extents(upstream)
    flat = Index.of(0)
    for name, size in zip(outputs, sizes, strict=True):
        flat = flat * size + Index.of(name) - frame.base
    position = entry(frame.letters.position, frame.letters.axes("input", op.ndim))
    context = context_of(frame.output)

    def vector(style: Style, place: str) -> str:
        return style.marked(style.function("vec", style.written(array)), place)

    label = Label(vector(LATEX, position.latex), vector(UNICODE, position.text))
    definition = Definition(
        "D4",
        (maths(lambda s: vector(s, "")),),
        (
            maths(lambda s: vector(s, s.index(flat, context))),
            " = ",
            entry(upstream.name, outputs),
            ", row by row from 0; 0 elsewhere",
        ),
        "flat",
        (size_text([_product(sizes)], context),),
    )
    read = line.with_body(Named(label, (), line.body))
    step = Step(
        frame.number(),
        line,
        read,
        "recognise",
        "Look up:",
        ("of all brackets only the one at the position of ", _input_entry(frame, op), " is 1 (D4)."),
        uses=(touched.id, "D3", "D4"),
    )
    return Stage(("One place of the upstream gradient",), ("for every ", frame.variable_entry), (step,)), definition


def _product(sizes: list[Index]) -> Index:
    total = Index.of(1)
    for size in sizes:
        total = total * size
    return total
