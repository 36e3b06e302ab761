"""The networks of a problem at work, one figure each, before the questions about them."""

from __future__ import annotations

from symconv.errors import SymconvError
from symconv.problems.answers.desk import Desk
from symconv.problems.answers.working import too_large, working
from symconv.report.document import Block
from symconv.report.stations import stations, symbolic_stations
from symconv.report.worked import count_entries

__all__ = ["figures"]

_NUMBERS = frozenset({"forward", "backward", "update"})
_BACKWARD = frozenset({"backward", "update"})


def figures(desk: Desk) -> list[Block]:
    """A figure for every network that a question wants the numbers of; of one with too many numbers only the shapes.

    Gradients are drawn where a question asks for them.
    """
    blocks: list[Block] = []
    for chain in desk.problem.networks.values():
        asking = [q for q in desk.problem.questions if q.network == chain]
        numbers = [q for q in asking if _NUMBERS & {*q.asks} and q.own.get("numbers") is not False]
        if asking and too_large(chain):
            label = desk.figure()
            count = count_entries(chain.network, chain.input_shape)
            blocks.append(symbolic_stations(chain.network, chain.input_shape, f"figure-{label}", label, count))
        elif numbers:
            label = desk.figure()
            back = [q for q in numbers if _BACKWARD & {*q.asks}]
            question = (back or numbers)[0]
            desk.progress(f"figure {label}")
            try:
                worked = working(desk, question, backward=bool(back))
                blocks.append(stations(worked, f"figure-{label}", label))
            except SymconvError as error:
                raise desk.problem.where(question).error(str(error)) from error
    return blocks
