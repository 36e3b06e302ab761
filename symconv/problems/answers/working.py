"""The network of a question at work: its numbers with what each was made of, named as the file names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symconv.errors import ArgumentError
from symconv.operators.letters import Letters, capital
from symconv.operators.networks.shape import INPUT
from symconv.operators.networks.traced import TensorKey
from symconv.problems.answers.desk import Desk
from symconv.problems.chains import array_names, chain_of
from symconv.problems.problem import Layers, Question
from symconv.report.worked import MOST_ENTRIES, Worked, count_entries

__all__ = ["letters_of", "too_large", "values_of", "working"]


def too_large(chain: Layers) -> str:
    """Why numbers are left out, in a sentence; "" where they are not."""
    total = count_entries(chain.network, chain.input_shape)
    if total <= MOST_ENTRIES:
        return ""
    return (
        f"The arrays of this network have {total:,} entries together, and a page shows at most {MOST_ENTRIES:,}: "
        "shapes and symbols stand here, and no numbers."
    )


def working(desk: Desk, question: Question, *, backward: bool) -> Worked:
    """The network of a question, or its one layer, with its data; the same for all questions about it.

    Args:
        desk: the desk, which keeps it, so that a page has one map.
        question: the question.
        backward: whether gradients are needed.

    Raises:
        SymconvError: for data that have no gradient, such as two equal maxima where they are refused.
    """
    problem = desk.problem
    chain = chain_of(question, problem.where(question), problem.data)
    upstream: Any = _upstream(problem.data, question, chain) if backward or _goes_back(desk, chain) else None
    names = letters_of(chain, question)
    key = (chain.name, chain.input, repr(chain.weights), repr(upstream), question.index_base, repr(names))
    if key not in desk.working:
        last = next(reversed(desk.working.values()), None)
        number = len(desk.working) + 1
        desk.working[key] = Worked(
            chain.network,
            np.array(problem.data[chain.input], dtype=object),
            _weights(problem.data, chain),
            upstream,
            names,
            chain.unit,
            question.index_base,
            f"{number}." if last is not None else "",
            last.end if last is not None else 0,
        )
        _in_units(desk.working[key], chain)
    return desk.working[key]


def _goes_back(desk: Desk, chain: Layers) -> bool:
    """Whether a question of the page asks for the gradients of a network in numbers, so that all share one map."""
    return any(
        "update" in other.asks or ("backward" in other.asks and other.own["numbers"])
        for other in desk.problem.questions
        if other.network == chain
    )


def _upstream(data: Mapping[str, Any], question: Question, chain: Layers) -> Any:
    named = question.own.get("upstream") or ""
    return np.array(data[named], dtype=object) if named not in ("", "ones") else 1


def _weights(data: Mapping[str, Any], chain: Layers) -> dict[str, dict[str, Any]]:
    return {layer: {role: data[name] for role, name in own.items()} for layer, own in chain.weights.items()}


def letters_of(chain: Layers, question: Question) -> dict[str, str]:
    """The letters that a file decides, by tensor; those of a single layer are all decided, by its question."""
    found: dict[str, str] = {}
    if len(chain.network.names) == 1:
        for layer, own in array_names(chain, question).items():
            for role, name in own.items():
                found[layer if role == "output" else f"{layer}.{role}"] = name
        upstream = chain.layers[chain.network.output].names.get("upstream")
        found[f"d{chain.network.output}"] = upstream or capital(Letters.of(question.names).upstream)
        return found
    for layer, declared in chain.layers.items():
        for role, name in declared.names.items():
            if role == "input":
                continue
            prefix = {"output": layer, "upstream": f"d{layer}"}.get(role, f"{layer}.{role}")
            if role != "target" or _has_target(chain, layer):
                found[prefix] = name
    first = next(name for name in chain.network.names if INPUT in chain.network.sources(name))
    letter = chain.layers[first].names.get("input") or (chain.input if len(chain.input) == 1 else "")
    if letter and letter.lower() not in {name.lower() for name in found.values()}:
        found[INPUT] = letter
    return found


def _has_target(chain: Layers, layer: str) -> bool:
    return getattr(chain.network[layer], "target", 0) is None


def _in_units(worked: Worked, chain: Layers) -> None:
    """Refuse a unit that leaves fractions.

    Raises:
        ArgumentError: naming a gradient that is no multiple, and the common denominator.
    """
    if chain.unit is None:
        return
    for key, tensor in worked.trace.tensors.items():
        for value in tensor.values.flat if key.gradient else ():
            exact = getattr(value, "denominator", None) is not None
            if not exact or (value / chain.unit).denominator != 1:
                raise ArgumentError(
                    f"networks: {chain.name}: unit",
                    str(chain.unit),
                    f"must divide all gradients, and {value} is one",
                    "leave it out",
                )


def values_of(worked: Worked, layer: str, role: Any = "output", *, gradient: bool = False) -> Any:
    """The numbers of a tensor."""
    return worked.trace.tensors[TensorKey(layer, role, gradient)].values
