"""Questions about a layer as a matrix, and about every entry of a gradient."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from symconv.claims.nested import shape_of, shape_text
from symconv.operators.convolution import Conv
from symconv.operators.dense import Dense
from symconv.operators.pooling import AvgPool
from symconv.operators.transposed import ConvTranspose
from symconv.problems import schema
from symconv.problems.ask import Ask, ReadSoFar, unknown_name
from symconv.problems.asks.numbers import BIAS_KEY, INPUT_KEY, UPSTREAM, WEIGHT_KEY
from symconv.problems.chains import chain_of
from symconv.problems.problem import Question
from symconv.problems.schema import Key, Where

if TYPE_CHECKING:
    from symconv.problems.answers.desk import Desk
    from symconv.report.document import Block

__all__ = ["ENTRIES", "MATRIX"]

MOST_IN_MATRIX = 900
MOST_ENTRIES = 200


def _matrix(desk: Desk, question: Question) -> list[Block]:
    from symconv.problems.answers.linear import as_matrix

    return as_matrix(desk, question)


def _entries(desk: Desk, question: Question) -> list[Block]:
    from symconv.problems.answers.linear import entries

    return entries(desk, question)


def _needs_matrix(question: Question, where: Where, so_far: ReadSoFar) -> None:
    declared = question.operators[0]
    if not isinstance(declared.op, Conv | ConvTranspose | Dense | AvgPool):
        raise where.error(
            f"ask = 'matrix' takes a layer whose output is a matrix times its input, and {declared.name!r} is "
            f"{declared.op.phrase}",
            "take a convolution, a transposed one, a dense layer or an average pooling",
        )
    chain = chain_of(question, where, so_far.data)
    shapes = chain.network.shapes(chain.input_shape)
    entries = prod(chain.input_shape) * prod(shapes[declared.name])
    if entries > MOST_IN_MATRIX:
        raise where.error(
            f"the matrix of {declared.name!r} has {entries:,} entries, and a page shows at most {MOST_IN_MATRIX}",
            "take a smaller input",
        )


def _needs_entries(question: Question, where: Where, so_far: ReadSoFar) -> None:
    declared, own = question.operators[0], question.own
    chain = chain_of(question, where, so_far.data)
    if own["entries_of"] not in declared.op.variables:
        raise where.at("entries_of").error(
            f"must be among {', '.join(declared.op.variables)} for this operator, got {own['entries_of']!r}"
        )
    sizes = chain.network.parameter_sizes(chain.input_shape).get(declared.name, {})
    shape = sizes.get(own["entries_of"], chain.input_shape)
    if prod(shape) > MOST_ENTRIES:
        raise where.at("entries_of").error(
            f"the gradient has {prod(shape):,} entries, and a page writes out at most {MOST_ENTRIES}",
            "take a smaller input, or ask = 'backward' with written_out",
        )
    if not own["input"]:
        raise where.error("ask = 'entries' needs the input data", 'add input = "..."')
    output = chain.network.shapes(chain.input_shape)[declared.name]
    if not own["upstream"]:
        raise where.error("ask = 'entries' needs the gradient by the output", 'add upstream = "ones" or a name of data')
    if own["upstream"] != "ones":
        if own["upstream"] not in so_far.data:
            raise where.at("upstream").error(unknown_name("data", own["upstream"], so_far.data))
        given = shape_of(so_far.data[own["upstream"]])
        if given not in (output, output[1:] if output[:1] == (1,) else output):
            raise where.at("upstream").error(
                f"{own['upstream']} has shape {shape_text(given)}, and the output has {shape_text(output)}"
            )


MATRIX = Ask(
    "a layer as a matrix times its input, every entry",
    _matrix,
    keys={"input": INPUT_KEY, "weight": WEIGHT_KEY, "bias": BIAS_KEY},
    needs=_needs_matrix,
    examples=(
        {
            "title": '"A layer as a matrix"',
            "ask": '["matrix", "entries"]',
            "operator": '"line"',
            "entries_of": '"input"',
            "input": '"a"',
            "weight": '"k"',
            "upstream": '"g"',
        },
    ),
)
ENTRIES = Ask(
    "every entry of a gradient, written out",
    _entries,
    keys={
        "entries_of": Key(schema.one_of("input", "weight", "bias"), "by what is differentiated", default="input"),
        "input": INPUT_KEY,
        "weight": WEIGHT_KEY,
        "bias": BIAS_KEY,
        "upstream": UPSTREAM,
    },
    needs=_needs_entries,
)
