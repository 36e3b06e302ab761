"""Questions for a network, or a layer, at work: forward, backward, one step of learning."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any

from symconv.claims.nested import shape_of, shape_text
from symconv.problems import schema
from symconv.problems.ask import Ask, ReadSoFar, unknown_name
from symconv.problems.chains import array_names, chain_of, named_arrays
from symconv.problems.problem import Layers, Question
from symconv.problems.schema import Key, Where

if TYPE_CHECKING:
    from symconv.problems.answers.desk import Desk
    from symconv.report.document import Block

MOST_WRITTEN = 500

__all__ = ["BACKWARD", "FORWARD", "UPDATE", "needs_numbers"]


def _forward(desk: Desk, question: Question) -> list[Block]:
    from symconv.problems.answers.forward import forward

    return forward(desk, question)


def _backward(desk: Desk, question: Question) -> list[Block]:
    from symconv.problems.answers.backward import backward

    return backward(desk, question)


def _update(desk: Desk, question: Question) -> list[Block]:
    from symconv.problems.answers.update import update

    return update(desk, question)


def _places(value: Any, where: Where) -> Mapping[str, Any]:
    """Which entries are written out: by array a list of places, or "all"; the word alone for all arrays."""
    if value == "all":
        return {"": "all"}
    if not isinstance(value, dict):
        raise where.error(f'must be "all", or a table such as {{ Z = [[1, 2, 3]] }}, got {schema.shown(value)}')
    found: dict[str, Any] = {}
    for name, entry in value.items():
        here = where.at(name)
        if entry == "all":
            found[name] = "all"
            continue
        if not isinstance(entry, list) or not entry:
            raise here.error(f'must be "all" or a list of places, got {schema.shown(entry)}')
        for place in entry:
            if not isinstance(place, list) or not all(type(index) is int for index in place):
                raise here.error(f"must be a list of places such as [1, 2, 3], got {schema.shown(place)}")
        found[name] = tuple(map(tuple, entry))
    return found


def needs_numbers(question: Question, where: Where, so_far: ReadSoFar) -> Layers:
    """The network of a question with the data that it runs on, all there and of its shapes.

    Raises:
        ProblemFileError: for data that is missing.
    """
    chain = chain_of(question, where, so_far.data)
    owner = where if question.network is None else where.at(f"network {chain.name!r}")
    if not chain.input:
        raise owner.error("has no input in numbers", 'add input = "..."')
    if not chain.weights and chain.network.parameter_sizes(chain.input_shape):
        raise owner.error("has no weights in numbers", 'add weights = { conv = { weight = "W" } }')
    return chain


def _check_places(question: Question, chain: Layers, where: Where) -> None:
    """Entries to be written out are those of an array that the question has, at places that exist."""
    here, total = where.at("written_out"), 0
    known = named_arrays(chain, question)
    wanted = question.own["written_out"] or {}
    if "" in wanted:
        wanted = dict.fromkeys(known, "all")
    for name, places in wanted.items():
        if name not in known:
            raise here.error(unknown_name("array", name, known))
        shape = known[name]
        for place in places if places != "all" else ():
            base = question.index_base
            if len(place) != len(shape) or not all(base <= i < n + base for i, n in zip(place, shape, strict=True)):
                raise here.at(name).error(
                    f"has no entry {list(place)}: {name} is {shape_text(shape)}, indices count from {base}"
                )
        total += prod(shape) if places == "all" else len(places)
    if total > MOST_WRITTEN:
        raise here.error(f"names {total:,} entries, and a page writes out at most {MOST_WRITTEN}", "name fewer places")


def _needs_forward(question: Question, where: Where, so_far: ReadSoFar) -> None:
    _check_places(question, needs_numbers(question, where, so_far), where)


def _needs_backward(question: Question, where: Where, so_far: ReadSoFar) -> None:
    own = question.own
    chain = needs_numbers(question, where, so_far) if own["numbers"] else chain_of(question, where, so_far.data)
    _check_places(question, chain, where)
    known = array_names(chain, question)
    wanted = ("parameters", "inputs", *dict.fromkeys(name for arrays in known.values() for name in arrays.values()))
    for word in own["wrt"]:
        if word not in wanted:
            raise where.at("wrt").error(f"must be among {', '.join(wanted)}, got {word!r}")
    shape = chain.network.shapes(chain.input_shape)[chain.network.output]
    if own["numbers"] and not own["upstream"] and prod(shape) != 1:
        raise where.error(
            f"needs the gradient of an error by the output, which has shape {shape_text(shape)}",
            'add upstream = "ones" or the name of data, or end the network with a loss',
        )
    if own["upstream"] not in ("", "ones"):
        if own["upstream"] not in so_far.data:
            raise where.at("upstream").error(unknown_name("data", own["upstream"], so_far.data))
        given = shape_of(so_far.data[own["upstream"]])
        if given not in (shape, shape[1:] if shape[:1] == (1,) else shape):
            raise where.at("upstream").error(
                f"{own['upstream']} has shape {shape_text(given)}, and the output has {shape_text(shape)}"
            )


def _needs_update(question: Question, where: Where, so_far: ReadSoFar) -> None:
    chain = needs_numbers(question, where, so_far)
    shape = chain.network.shapes(chain.input_shape)[chain.network.output]
    if shape:
        raise where.error(
            f"needs a network that ends with a loss, and the output has shape {shape_text(shape)}",
            "add a CrossEntropy or a SquaredError",
        )
    if not chain.weights:
        raise where.error("needs a network with weights, and this one has none")


INPUT_KEY = Key(schema.text, "the name of the input data, where it is about one operator", default="")
WEIGHT_KEY = Key(schema.text, "the name of its weight in the data", default="")
BIAS_KEY = Key(schema.text, "the name of its bias in the data", default="")
WRITTEN_OUT = Key(
    _places,
    'entries that are written out as full sums, by the name of their array: a list of places, or "all"',
    example='{ Z = [[1, 1]], H = "all" }',
)
UPSTREAM = Key(
    schema.text,
    'the gradient of an error by the output: the name of data, or "ones"; a loss needs none',
    default="",
)

FORWARD = Ask(
    "the values of every layer, in numbers",
    _forward,
    keys={"input": INPUT_KEY, "weight": WEIGHT_KEY, "bias": BIAS_KEY, "written_out": WRITTEN_OUT},
    needs=_needs_forward,
    of_networks=True,
    examples=({"title": '"Forward, in numbers"', "network": '"net"', "written_out": "{ Z = [[1, 1, 1]] }"},),
)
BACKWARD = Ask(
    "the gradients of a network, or of one layer with a gradient that is given; in symbols or in numbers",
    _backward,
    keys={
        "numbers": Key(
            schema.boolean, "whether in numbers; else in symbols, with proofs", example="false", default=True
        ),
        "wrt": Key(
            schema.texts,
            'by what: "parameters", "inputs", or names of arrays',
            example='["parameters"]',
            default=("parameters", "inputs"),
        ),
        "input": INPUT_KEY,
        "weight": WEIGHT_KEY,
        "bias": BIAS_KEY,
        "upstream": UPSTREAM,
        "written_out": WRITTEN_OUT,
    },
    needs=_needs_backward,
    of_networks=True,
    examples=(
        {"title": '"Backward, in symbols"', "network": '"net"', "numbers": "false", "wrt": '["parameters"]'},
        {"title": '"Backward, in numbers"', "network": '"net"', "written_out": "{ V = [[1, 1]] }"},
        {
            "title": '"One layer, with a gradient that is given"',
            "operator": '"max"',
            "input": '"P"',
            "upstream": '"ones"',
        },
    ),
)
UPDATE = Ask(
    "one step of gradient descent on all parameters, and the loss after it",
    _update,
    keys={
        "rate": Key(schema.unit, "the step; a decimal stays exact", example="0.1", default=None),
        "rule": Key(schema.one_of("sgd"), 'how: "sgd", the parameter minus the rate times its gradient', default="sgd"),
    },
    needs=_needs_update,
    of_operators=False,
    of_networks=True,
    examples=({"title": '"One step of gradient descent"', "network": '"net"', "rate": "0.1", "rule": '"sgd"'},),
)
