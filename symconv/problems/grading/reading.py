"""The ``[[solutions]]`` of a problem file: what each key takes, and the `Solution` made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symconv.claims.meaning.naming import SIZES
from symconv.errors import ArgumentError
from symconv.operators.letters import Letters
from symconv.operators.networks.network import Network
from symconv.operators.pooling import MaxPool
from symconv.problems import schema
from symconv.problems.ask import unknown_name
from symconv.problems.chains import array_names
from symconv.problems.claim_table import meanings, words_of
from symconv.problems.naming import entry_letter
from symconv.problems.problem import Declared, Layers, Question, Solution, SolutionLine
from symconv.problems.schema import Key, Where, check_table

__all__ = ["LINE", "SOLUTION", "line_of", "read_solutions"]

SAYS = ("parameters", "size", "receptive-field", "max-pool-gradient")
ROUTES = ("winner", "all", "shares")


def _lines(value: Any, where: Where) -> Any:
    if not isinstance(value, list) or not value:
        raise where.error("must be a list of lines, one table each")
    return value


def _equals(value: Any, where: Where) -> Any:
    """A number, or one an axis, or the word for another size."""
    if isinstance(value, str):
        return schema.one_of("input")(value, where)
    entries = value if isinstance(value, list) else [value]
    if not entries or not all(type(entry) is int and entry >= 0 for entry in entries):
        raise where.error(f'must be an integer, one an axis, or "input", got {schema.shown(value)}')
    return tuple(entries)


LINE: dict[str, Key] = {
    "says": Key(schema.one_of(*SAYS), "what the line says in words: " + ", ".join(SAYS)),
    "latex": Key(schema.text, "the line in LaTeX instead; what stands above a letter of an array is a channel"),
    "as_written": Key(schema.text, "the words of the solution, with $mathematics$ in them"),
    "of": Key(schema.text, "the layer that it speaks of; the whole network, or the only max pooling, if left out"),
    "equals": Key(_equals, 'what it says the number is: an integer, one an axis, or "input" for the size of the input'),
    "general": Key(meanings, "what numbers of the line stand for in general"),
    "sizes": Key(words_of(*SIZES), "letters for sizes: " + ", ".join(SIZES)),
    "routes_to": Key(
        schema.one_of(*ROUTES),
        'where the gradient of a maximum goes: to the "winner", to "all" entries of the window whole, or in "shares"',
    ),
    "upstream": Key(schema.mapping, "letters for gradients, and the arrays that they are the gradients by"),
}
_USED = {
    "parameters": {"of", "equals"},
    "size": {"of", "equals", "general", "sizes"},
    "receptive-field": {"of", "equals"},
    "max-pool-gradient": {"of", "routes_to"},
    "latex": {"upstream"},
}
SOLUTION: dict[str, Key] = {
    "id": Key(schema.text, "the number of the solution", required=True),
    "title": Key(schema.text, "its heading", required=True),
    "text": Key(schema.text, "the words of the exercise, with $mathematics$ in them"),
    "network": Key(schema.text, "the network that it is about; the only one where it is left out"),
    "operator": Key(schema.text, "or the operator"),
    "lines": Key(_lines, "the lines, in order", required=True),
}


def read_solutions(
    entries: Any,
    where: Where,
    operators: Mapping[str, Declared],
    networks: Mapping[str, Layers],
    names: Mapping[str, str],
    base: int,
    taken: frozenset[str],
) -> tuple[Solution, ...]:
    """The solutions of a file, in order.

    Raises:
        ProblemFileError: for anything that the schema does not allow. A line in LaTeX that cannot be read is a verdict.
    """
    if not isinstance(entries, list):
        raise where.at("solutions").error("must be tables [[solutions]]")
    result: list[Solution] = []
    for position, entry in enumerate(entries, 1):
        label = entry.get("id") if isinstance(entry, dict) else None
        here = where.at(f"solution {label!r}" if isinstance(label, str) else f"solution {position}")
        read = check_table(entry, SOLUTION, here, "a solution")
        if read["id"] in taken or any(read["id"] == other.question.id for other in result):
            raise here.error(f"the id {read['id']!r} is used twice", "give every question and solution its own id")
        chain = _about(read, here, operators, networks)
        question = Question(read["id"], read["title"], (), names=names, index_base=base, text=read.get("text", ""))
        lines = tuple(
            line_of(line, number, read["id"], chain, question, here.at(f"line {number}"))
            for number, line in enumerate(read["lines"], 1)
        )
        result.append(Solution(question, chain, lines))
    return tuple(result)


def _about(
    read: Mapping[str, Any], where: Where, operators: Mapping[str, Declared], networks: Mapping[str, Layers]
) -> Layers:
    if "operator" in read and "network" in read:
        raise where.error("must have one of the keys operator and network")
    if "operator" in read:
        name = read["operator"]
        if name not in operators:
            raise where.error(unknown_name("operator", name, operators))
        if not operators[name].input_size:
            raise where.error(f"the operator {name!r} has no input_size", "declare one, or name its network")
        network = Network([(name, operators[name].op)])
        return Layers(name, network, {name: operators[name]}, network.input_shape(operators[name].input_size))
    if "network" in read:
        if read["network"] not in networks:
            raise where.error(unknown_name("network", read["network"], networks))
        return networks[read["network"]]
    if len(networks) != 1:
        raise where.error("needs an operator or a network", 'add operator = "..." or network = "..."')
    return next(iter(networks.values()))


def line_of(entry: Any, number: int, solution: str, chain: Layers, question: Question, where: Where) -> SolutionLine:
    """The line of a table.

    Raises:
        ProblemFileError: for anything that the schema does not allow.
    """
    read = check_table(entry, LINE, where, "a line")
    if ("says" in read) == ("latex" in read):
        raise where.error("must have either says or latex")
    kind = read.get("says", "latex")
    for key in read:
        if key not in ("says", "latex", "as_written") and key not in _USED[kind]:
            raise where.at(key).error(f"is not used by {kind!r}", "remove it")
    line = SolutionLine(f"{solution} L{number}", f"L{number}", **{**read, "of": read.get("of", "")})
    if line.of and line.of not in chain.network.names:
        raise where.at("of").error(unknown_name("layer", line.of, dict.fromkeys(chain.network.names)))
    if kind in ("parameters", "size", "receptive-field") and line.equals is None:
        raise where.error(f"says = {kind!r} needs the key 'equals'", LINE["equals"].doc)
    if kind in ("size", "receptive-field") and not line.of:
        raise where.error(f"says = {kind!r} needs the key 'of'", "name a layer")
    if kind != "size" and line.equals == "input":
        raise where.at("equals").error("must be an integer, or one an axis")
    if kind == "parameters" and len(line.equals) != 1:
        raise where.at("equals").error("must be one integer")
    if kind == "max-pool-gradient":
        pools = [name for name, op in chain.network.layers if isinstance(op, MaxPool)]
        if not line.routes_to:
            raise where.error("says = 'max-pool-gradient' needs the key 'routes_to'", LINE["routes_to"].doc)
        if (line.of and line.of not in pools) or (not line.of and len(pools) != 1):
            listed = ", ".join(pools) or "there is none"
            raise where.at("of").error("must name a MaxPool", f"those of this network: {listed}")
    known = {name for own in array_names(chain, question).values() for name in own.values()}
    taken = {entry_letter(name): f"is a letter of the array {name}" for name in known}
    taken[entry_letter(Letters.of(question.names).error)] = "is the letter of the error"
    for letter, array in line.upstream.items():
        here = where.at("upstream").at(letter)
        if array not in known:
            raise here.error(unknown_name("array", array, dict.fromkeys(sorted(known))))
        entry = entry_letter(letter)
        try:
            Letters.of({"upstream": entry})
        except ArgumentError as error:
            raise here.error(str(error)) from None
        if entry in taken:
            raise here.error(taken[entry], "take another letter for the gradient")
        taken[entry] = f"is a letter of the gradient by {array}"
    return line
