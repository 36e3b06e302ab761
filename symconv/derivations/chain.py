"""The stages that every gradient shares: one output and one entry, then all outputs that touch the entry."""

from __future__ import annotations

from symconv.derivations import rules
from symconv.derivations.frame import Frame, entry, extents, is_padded, size_text
from symconv.derivations.shares import abbreviated, extrema_in_words, has_shares
from symconv.derivations.step import Definition, Maths, Phrase, Stage, Step, maths
from symconv.formulas.algebra import Reduce
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.printing import PrintContext, context_of
from symconv.formulas.terms import expand
from symconv.formulas.walks import walk
from symconv.operators.losses import Loss
from symconv.operators.pointwise import Pointwise

__all__ = ["derivative_stage", "gradient_stage", "notation", "through_one_tap"]


def notation(frame: Frame) -> tuple[Definition, ...]:
    """The arrays: the first definition is the operator's formula itself, the second the upstream gradient."""
    output = frame.output
    context = context_of(output)
    size: list[str | Maths] = [size_text([bound.upper - bound.lower + 1 for bound in output.free], context)]
    for position, (name, value) in enumerate(output.definitions):
        size.append(", with " if position == 0 else ", ")
        size.append(_equation(name, value, context))
    rule = maths(lambda s: f"{s.quantity(output.quantity)} = {s.pointwise(output.body, context)}")
    upstream = frame.tensor("upstream")
    error, own = frame.letters.error, frame.output_entry
    derivative = maths(lambda s: s.slash_derivative(s.name(error), s.written(own)))
    return (
        Definition("D1", _object(frame), (rule,), frame.op.noun, tuple(size)),
        Definition(
            "D2",
            (frame.array("upstream"),),
            (entry(upstream.name, output.indices), " = ", derivative),
            "upstream gradient",
            (size_text(extents(upstream), context),),
        ),
    )


def _object(frame: Frame) -> Phrase:
    """``C = A star B`` for a plain correlation of one channel without a bias, else the array alone."""
    op = frame.op
    if "bias" in op.variables:
        return (frame.array("output"),)
    if frame.op.noun != "correlation" or any(w.s != 1 or w.d != 1 for w in op.windows) or is_padded(frame):
        return (frame.array("output"),)
    if len(frame.output.free) != op.spatial_axes or any(len(t.box) != op.spatial_axes for t in frame.output.tensors):
        return (frame.array("output"),)  # arrays of several channels are not slid over each other as a whole
    star = Maths(r" \star ", " ⋆ ")
    pieces = [frame.array("output"), Maths(" = ", " = "), frame.array("input"), star, frame.array("weight")]
    return (Maths("".join(p.latex for p in pieces), "".join(p.text for p in pieces)),)


def _equation(name: str, value: Index, context: PrintContext) -> Maths:
    return maths(lambda s: f"{s.name(name)} = {s.index(value, context)}")


def derivative_stage(frame: Frame) -> Stage:
    """Differentiate, use the independence of the entries, sift: the derivative of one output by one entry."""
    target = frame.derivative
    assert target.quantity.wrt is not None
    variable, at = target.quantity.wrt
    op = frame.op
    unsifted = rules.differentiate_term_by_term(frame.output, variable, at, target, op.tie_policy(), op.kink_policy())
    unsifted = unsifted.with_body(abbreviated(frame, unsifted.body))
    first = Step(
        frame.number(),
        target,
        unsifted,
        "differentiate_term_by_term",
        "Differentiate." if has_shares(unsifted) else "Differentiate",
        _differentiate_words(frame, unsifted),
        uses=("D1",),
        opens=True,
    )
    brackets = rules.use_independence(unsifted)
    array = frame.array(frame.wrt)
    second = Step(
        frame.number(),
        unsifted,
        brackets,
        "use_independence",
        "Kronecker deltas.",
        (
            "The entries of ",
            array,
            " are independent: the derivative of one by ",
            frame.variable_entry,
            " is 1 where their indices agree, else 0.",
        ),
        uses=(first.id,),
    )
    steps = [first, second]
    closed = rules.closed_form(brackets)
    if isinstance(op, Pointwise | Loss):
        closed = rules.factor_out(closed)
    closed = closed.with_body(abbreviated(frame, closed.body))
    if _letters(closed) != _letters(brackets):
        steps.append(
            Step(
                frame.number(),
                brackets,
                closed,
                "closed_form",
                "Sift.",
                _sift_words(brackets, closed),
                uses=(second.id,),
            )
        )
    return Stage(
        ("One output, one entry of ", array),
        ("for every ", frame.output_entry, " and every ", frame.variable_entry),
        tuple(steps),
    )


def _differentiate_words(frame: Frame, unsifted: Formula) -> Phrase:
    if not has_shares(unsifted):
        return ("(D1) term by term.",)
    one, many = extrema_in_words(frame.output)
    if frame.op.refuses_ties:
        return (f"The {one} passes its derivative on to one tap, the largest.",)
    if frame.op.tie_policy() == "first":
        return (f"The {one} passes its derivative on to one tap: among equal {many}, to the first in row-major order.",)
    return (f"The {one} passes its derivative on to its taps: equal {many} receive equal shares.",)


def _letters(formula: Formula) -> str:
    """A formula as it prints, without the signs that say no more than that factors stand side by side."""
    return formula.text().replace(" ", "").replace("·", "")


def through_one_tap(closed: Formula) -> bool:
    """Whether the derivative of an output by an entry is one term at most: no sum over taps is left in it."""
    return not any(term.bounds for term in expand(closed.body))


def _sift_words(brackets: Formula, closed: Formula) -> Phrase:
    if not any(term.bounds for term in expand(brackets.body)):
        return ("Brackets are 1 where their conditions hold, and 0 elsewhere.",)
    if not through_one_tap(closed):
        return ("What always holds goes, and the sum stays: several taps may read one entry.",)
    kinds = {g.kind for n in walk(closed.body) if isinstance(n, Reduce) for g in n.guards}
    words = "Only one tap can make all brackets 1, and that term is in the sum exactly when the tap exists."
    if "div" in kinds:
        words += " What does not divide leaves a divisibility condition."
    return (words,)


def gradient_stage(frame: Frame, closed: Step) -> Stage:
    """The chain rule over all outputs, then the closed form put in and the zero terms dropped."""
    target = frame.gradient
    chained = rules.chain_rule(closed.after, target, frame.letters.upstream, frame.output.free)
    array, error = frame.array(frame.wrt), maths(lambda s: s.name(frame.letters.error))
    first = Step(
        frame.number(),
        target,
        chained,
        "chain_rule",
        "Chain rule,",
        ("with (D2). ", array, " reaches ", error, " only through the outputs."),
        needs=(error, " differentiable in the outputs"),
        uses=("D2",),
        opens=True,
    )
    inserted = rules.insert(chained)
    rule, words = "insert", f"({closed.id})."
    if frame.wrt == "input":  # for other variables every output counts, and zeros around the input do no harm
        inserted = rules.restrict_to_touching_outputs(inserted)
        if frame.channel:  # the outputs in other channels do not touch the entry either
            inserted = rules.sift_by_taps(inserted, keep=frame.output.indices[1:])
        rule, words = "restrict_to_touching_outputs", f"({closed.id}) and drop the zero terms."
    inserted = inserted.with_body(abbreviated(frame, inserted.body, summed=bool(frame.channel)))
    second = Step(frame.number(), chained, inserted, rule, "Insert", (words,), uses=(closed.id, first.id))
    return Stage(
        ("The outputs that touch ", frame.variable_entry),
        ("for every ", frame.variable_entry, " of ", array),
        (first, second),
    )
