"""Questions for values: what every layer of a network gives, in exact numbers, and entries written out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from symconv.operators.networks.shape import INPUT
from symconv.operators.networks.traced import TensorKey
from symconv.problems.answers.desk import Desk, words
from symconv.problems.answers.showing import GIVEN, WORKED_OUT, all_entries, entry_line, tensor
from symconv.problems.answers.working import too_large, working
from symconv.problems.chains import array_names, chain_of
from symconv.problems.problem import Question
from symconv.report.document import Block, Paragraph
from symconv.report.worked import Worked, layer_words

__all__ = ["forward", "written_out"]


def forward(desk: Desk, question: Question) -> list[Block]:
    """What every layer gives, of a single one the data too; entries that are asked for as full sums."""
    chain = chain_of(question, desk.problem.where(question), desk.problem.data)
    why = too_large(chain)
    if why:
        return [Paragraph(words(why), wide=True)]
    worked = working(desk, question, backward=False)
    blocks: list[Block] = []
    if question.network is None:
        for key in worked.tensors:
            if not key.gradient and (key.layer == INPUT or key.role != "output"):
                blocks += tensor(desk, worked, key, "as given.", GIVEN)
    names = array_names(chain, question)
    for layer, op in chain.network.layers:
        key = TensorKey(layer)
        blocks += written_out(desk, worked, key, question.own.get("written_out"), names[layer]["output"])
        blocks += tensor(desk, worked, key, f"{layer_words(op)}.", WORKED_OUT)
    return blocks


def written_out(desk: Desk, worked: Worked, key: TensorKey, wanted: Any, name: str) -> Iterator[Block]:
    """The entries of a tensor that are asked for, each a line, or all of them behind one."""
    places = (wanted or {}).get(name, (wanted or {}).get("", ()))
    if places == "all":
        yield from all_entries(desk, worked, key)
        return
    shape = worked.trace.tensors[key].values.shape
    for place in places:  # an axis of one channel may be left out
        at = (*((0,) * (len(shape) - len(place))), *(i - worked.index_base for i in place))
        yield entry_line(desk, worked, key, at)
