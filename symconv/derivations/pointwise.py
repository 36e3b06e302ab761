"""The last stage for layers that work position by position: the gradient of an entry in closed form."""

from __future__ import annotations

from symconv.derivations import rules
from symconv.derivations.frame import Frame
from symconv.derivations.step import Stage, Step

__all__ = ["closed_stage"]


def closed_stage(frame: Frame, touched: Step) -> Stage:
    """The closed form of the gradient: what the sum over the outputs leaves."""
    closed = rules.factor_out(rules.closed_form(touched.after))
    words = "The sum over the outputs keeps the one at the place of "
    step = Step(
        frame.number(),
        touched.after,
        closed,
        "closed_form",
        "Sift.",
        (words, frame.variable_entry, "."),
        uses=(touched.id,),
        opens=True,
    )
    return Stage(("The closed form",), ("for every ", frame.variable_entry, " of ", frame.array(frame.wrt)), (step,))
