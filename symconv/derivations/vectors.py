"""Derivatives of functions of whole vectors in the outputs themselves: that of softmax is ``c_p([p = i] - c_i)``."""

from __future__ import annotations

from symconv.derivations.frame import Frame
from symconv.derivations.step import Phrase, Stage, Step
from symconv.formulas.algebra import Access, Applied, Bracket, Label, Named, Node, add, const, equal, product, summation
from symconv.formulas.formula import Formula
from symconv.formulas.functions import EXP
from symconv.formulas.index import Index
from symconv.formulas.printing import LATEX, UNICODE
from symconv.formulas.substitution import substitute
from symconv.operators.softmax import Softmax

__all__ = ["outputs_step", "recognised_stage"]


def outputs_step(frame: Frame, closed: Step) -> Step:
    """The derivative of one output by one entry, with outputs for what they are."""
    output, wrt = frame.output, closed.after.quantity.wrt
    assert wrt is not None
    place, at = Index.of(output.free[0].name), Index.of(wrt[1][0])
    other = product(const(-1), _share(frame, at))
    body = add(Bracket((equal(place, at),)), other)
    if isinstance(frame.op, Softmax):
        body = product(_output(frame, place), body)
    return _recognised(frame, closed, closed.after.with_body(body), opens=False)


def recognised_stage(frame: Frame, touched: Step) -> Stage:
    """The gradient by one entry, with outputs for what they are."""
    (free,) = frame.output.free
    assert touched.after.quantity.wrt is not None
    at, place = Index.of(touched.after.quantity.wrt[1][0]), Index.of(free.name)
    upstream = frame.letters.upstream
    own, every = Access(upstream, (at,)), Access(upstream, (place,))
    if isinstance(frame.op, Softmax):
        mean = summation(product(every, _output(frame, place)), free)
        body = product(_output(frame, at), add(own, product(const(-1), mean)))
    else:
        body = add(own, product(const(-1), _share(frame, at), summation(every, free)))
    step = _recognised(frame, touched, touched.after.with_body(body), opens=True)
    return Stage(("The closed form",), ("for every ", frame.variable_entry, " of ", frame.array(frame.wrt)), (step,))


def _recognised(frame: Frame, before: Step, after: Formula, *, opens: bool) -> Step:
    words: Phrase = ("the outputs (D1) in it.",)
    return Step(
        frame.number(), before.after, after, "recognise", "Recognise", words, uses=("D1", before.id), opens=opens
    )


def _output(frame: Frame, at: Index) -> Named:
    """The output at a place, under its name."""
    name = frame.letters.output
    value = substitute(frame.output.body, {frame.output.free[0].name: at})
    return Named(Label(LATEX.name(name), UNICODE.name(name)), (at,), value)


def _share(frame: Frame, at: Index) -> Node:
    """The softmax of an entry: an output, or its power of e where the outputs are logarithms."""
    output = _output(frame, at)
    return output if isinstance(frame.op, Softmax) else Applied(EXP, output)
