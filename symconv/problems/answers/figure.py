"""The networks of a problem at work, one figure each, before the questions about them."""

from __future__ import annotations

from symconv.errors import SymconvError
from symconv.operators.networks.shape import INPUT
from symconv.problems.answers.desk import Desk
from symconv.problems.answers.running import running, too_large
from symconv.problems.problem import Question
from symconv.report.document import Block
from symconv.report.stations import stations, symbolic_stations
from symconv.report.worked import Worked, count_entries

__all__ = ["figures"]

_FORWARD = frozenset({"forward"})
_BACKWARD = frozenset({"backward", "update"})


def figures(desk: Desk) -> tuple[list[Block], list[Worked]]:
    """A figure for every network with data that a question wants the numbers of, and the networks for the page's map.

    Gradients are drawn where a question asks for them. A network that has too many numbers is drawn by its shapes.
    """
    blocks: list[Block] = []
    found: list[Worked] = []
    for name, chain in desk.problem.networks.items():
        asking = [q for q in desk.problem.questions if q.network is not None and q.network.name == name]
        numbers = [q for q in asking if (_FORWARD | _BACKWARD) & {*q.asks} and q.own.get("numbers") is not False]
        if not numbers or not chain.input:
            continue
        label = desk.figure()
        if too_large(chain):
            count = count_entries(chain.network, chain.input_shape)
            blocks.append(symbolic_stations(chain.network, chain.input_shape, f"figure-{label}", label, count))
            continue
        back = [q for q in numbers if _BACKWARD & {*q.asks}]
        question = (back or numbers)[0]
        desk.progress(f"figure {label}")
        try:
            worked = _worked(desk, question, bool(back), f"{name}." if found else "", found[-1].end if found else 0)
            blocks.append(stations(worked, f"figure-{label}", label))
        except SymconvError as error:
            raise desk.problem.where(question).error(str(error)) from error
        found.append(worked)
    return blocks, found


def _worked(desk: Desk, question: Question, back: bool, prefix: str, start: int) -> Worked:
    """The network of a question with its numbers and the letters of the file."""
    run = running(desk, question)
    letters: dict[str, str] = {}
    for layer, own in run.names.items():
        for role, letter in own.items():
            if layer == INPUT or role == "output":
                letters[layer] = letter
            elif role == "upstream":
                letters[f"d{layer}"] = letter
            else:
                letters[f"{layer}.{role}"] = letter
    upstream = run.upstream if back else None
    return Worked(run.chain.network, run.input, run.weights, upstream, letters, run.chain.unit, run.base, prefix, start)
