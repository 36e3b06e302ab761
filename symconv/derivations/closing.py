"""The last stage where an equality picks out terms of the sum over outputs: the gradient of an entry in closed form."""

from __future__ import annotations

from symconv.derivations import rules
from symconv.derivations.frame import Frame
from symconv.derivations.shares import abbreviated
from symconv.derivations.step import Phrase, Stage, Step
from symconv.formulas.formula import Formula
from symconv.formulas.terms import expand
from symconv.operators.pointwise import Pointwise

__all__ = ["closed_stage"]


def closed_stage(frame: Frame, touched: Step) -> Stage | None:
    """The closed form of the gradient: what the sum over the outputs leaves; None where it keeps all its sums."""
    closed = rules.factor_out(rules.closed_form(touched.after))
    closed = closed.with_body(abbreviated(frame, closed.body, summed=True))
    if _sums(closed) == _sums(touched.after):
        return None
    words: Phrase = ("The sum keeps the outputs whose indices agree with those of ", frame.variable_entry, ".")
    if isinstance(frame.op, Pointwise):
        words = ("The sum over the outputs keeps the one at the place of ", frame.variable_entry, ".")
    step = Step(frame.number(), touched.after, closed, "closed_form", "Sift.", words, uses=(touched.id,), opens=True)
    return Stage(("The closed form",), ("for every ", frame.variable_entry, " of ", frame.array(frame.wrt)), (step,))


def _sums(formula: Formula) -> int:
    """How many indices the terms of a formula are summed over, all together."""
    return sum(len(term.bounds) for term in expand(formula.body))
