"""How a problem file is read: an exercise described in TOML, to the frozen `Problem`.

A problem names its data, its operators and its questions in order. Letters and the index base may be set for the whole
file and again for a question, since one exercise may use a letter for an index here and for an exponent there.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from symconv.doors import path as to_path
from symconv.errors import ArgumentError, ProblemFileError, shortened
from symconv.operators.letters import Letters
from symconv.problems import schema
from symconv.problems.ask import ReadSoFar, unknown_name
from symconv.problems.asks import ASKS
from symconv.problems.claim_table import read_claims, read_declared
from symconv.problems.declaring import read_data, read_networks, read_operators, sized_by
from symconv.problems.grading.reading import read_solutions
from symconv.problems.problem import Declared, Layers, Problem, Question, Settled, Variants
from symconv.problems.schema import Key, Where, check_table
from symconv.problems.tables import TOP, VARIANTS, question_keys

__all__ = ["load_problem", "problem_text", "read_problem", "read_table"]

MAX_BYTES = 1_000_000


def load_problem(path: str | Path) -> Problem:
    """Read a problem file.

    Raises:
        ProblemFileError: where it is missing, too large, not TOML, or not what the schema asks for.
    """
    return read_problem(problem_text(path), to_path("path", path).name)


def problem_text(path: str | Path) -> str:
    """The text of a problem file.

    Raises:
        ProblemFileError: where it is missing, too large, or not UTF-8.
    """
    file = to_path("path", path)
    shown = shortened(str(path))
    try:
        with file.open("rb") as stream:  # no more than that is read, whatever the path leads to
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ProblemFileError(f"{shown}: does not exist; name a problem file, or write one: symconv init") from None
    except OSError as error:
        raise ProblemFileError(f"{shown}: cannot be read ({error.strerror or type(error).__name__})") from None
    if len(content) > MAX_BYTES:
        raise ProblemFileError(f"{shown}: must have at most {MAX_BYTES:,} bytes; take smaller data")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProblemFileError(f"{shown}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from None


def read_problem(content: str, file: str = "problem") -> Problem:
    """Read the text of a problem file; `file` is its name in messages."""
    where = Where(file)
    try:
        return _read(content, file, where)
    except RecursionError:
        raise where.error("is nested too deeply", "take out a few brackets, or parts of dotted keys") from None


def read_table(content: str, file: str = "problem") -> dict[str, Any]:
    """The table that the text of a file is; nobody has looked at what is in it."""
    where = Where(file)
    try:
        return _toml(content, where)
    except RecursionError:
        raise where.error("is nested too deeply", "take out a few brackets, or parts of dotted keys") from None


def _toml(content: str, where: Where) -> dict[str, Any]:
    """The table that a text is.

    Raises:
        ProblemFileError: where it is no TOML; a fraction without quotes is the likeliest reason where there is one.
    """
    try:
        return tomllib.loads(content, parse_float=Decimal)
    except (ValueError, ArithmeticError) as error:  # ValueError: TOML's own errors, and integers of thousands of digits
        said = f"is not valid TOML: {error or type(error).__name__}"
        line = re.search(r"at line (\d+)", str(error))
        written = content.splitlines()[int(line[1]) - 1] if line else ""
        fraction = re.search(r"(?<![\w\"'/.])-?\d+ */ *\d+(?![\w\"'])", written)
        raise where.error(said, f'a fraction stands in quotes: "{fraction[0]}"' if fraction else "") from None


def _read(content: str, file: str, where: Where) -> Problem:
    table = _toml(content, where)
    top = check_table(table, TOP, where, "the file")
    names = top.get("names", {})
    _letters(names, where.at("names"))
    base = top.get("index_base", 1)
    data = read_data(top.get("data", {}), where.at("data"))
    tables = top.get("networks", {})
    operators = read_operators(top["operators"], where.at("operators"), tables, base, data)
    networks = read_networks(tables, where.at("networks"), operators, data)
    operators = sized_by(operators, networks)
    if not any(top.get(key) for key in ("questions", "claims", "solutions")):
        raise where.error("needs questions or claims", "add a table [[questions]], [[claims]] or [[solutions]]")
    settings = _Settings(names, base, operators, networks, data)
    questions = _questions(top["questions"], where, settings) if "questions" in top else ()
    settled = Settled(names, base, top.get("outside", ""), read_declared(top.get("declare", {}), where.at("declare")))
    asked = {
        q.id: _settled(q, entry, settled, where) for q, entry in zip(questions, top.get("questions", ()), strict=True)
    }
    claims = read_claims(top.get("claims", []), where, operators, data, settled, asked)
    solutions = read_solutions(
        top.get("solutions", []), where, operators, networks, names, base, frozenset(q.id for q in questions)
    )
    author, lead = top.get("author", ""), top.get("lead", "")
    return Problem(
        top["title"],
        questions,
        operators,
        data,
        author,
        lead,
        base,
        names,
        file,
        claims,
        settled.outside,
        top.get("text", ""),
        networks,
        solutions,
        asked,
        _variants(top.get("variants", {}), where.at("variants"), data),
    )


def _variants(table: Any, where: Where, data: Mapping[str, Any]) -> Variants:
    read = check_table(table, VARIANTS, where, "the table")
    for name in read.get("keep", ()):
        if name not in data:
            raise where.at("keep").error(unknown_name("data", name, data))
    return Variants(**{name: read.get(name, key.default) for name, key in VARIANTS.items()})


def _settled(question: Question, entry: Mapping[str, Any], file: Settled, where: Where) -> Settled:
    """What is settled for the claims of a question, from its table."""
    here = where.at(f"question {question.id!r}").at("declare")
    declared = read_declared(entry.get("declare", {}), here, file.declared)
    return Settled(question.names, question.index_base, entry.get("outside", file.outside), declared)


def _letters(names: Mapping[str, str], where: Where) -> None:
    try:
        Letters.of(names)
    except ArgumentError as error:
        raise where.error(str(error)) from None


@dataclass(frozen=True)
class _Settings:
    """What a file declares before its questions: letters and base for all of them, and what they may name."""

    names: Mapping[str, str]
    base: int
    operators: Mapping[str, Declared]
    networks: Mapping[str, Layers]
    data: Mapping[str, Any]


def _questions(entries: Any, where: Where, settings: _Settings) -> tuple[Question, ...]:
    if not isinstance(entries, list) or not entries:
        raise where.at("questions").error("must be one or more tables [[questions]]")
    result: list[Question] = []
    for position, entry in enumerate(entries, 1):
        label = entry.get("id") if isinstance(entry, dict) else None
        here = where.at(f"question {label!r}" if isinstance(label, str) else f"question {position}")
        read = check_table(entry, _keys(entry, here), here, "a question")
        if any(q.id == read["id"] for q in result):
            raise here.error(f"the id {read['id']!r} is used twice", "give every question its own id")
        result.append(_question(read, here, settings, tuple(result)))
    return tuple(result)


def _question(read: Mapping[str, Any], here: Where, settings: _Settings, earlier: tuple[Question, ...]) -> Question:
    asked = " and ".join(map(repr, read["ask"]))
    own = _own(read["ask"])
    for key in read:
        if key not in question_keys(own):
            raise here.at(key).error(f"is not used by ask = {asked}", "remove it, or ask for something else")
    operators, network = _chosen(read, here, settings)
    chosen = read.get("names", {})
    letters = {**settings.names, **chosen}
    if len(operators) == 1:
        letters = {**settings.names, **operators[0].letters, **chosen}
    _letters(letters, here.at("names"))
    question = Question(
        read["id"],
        read["title"],
        read["ask"],
        operators,
        network,
        {name: read.get(name, key.default) for name, key in own.items()},
        letters,
        read.get("index_base", settings.base),
        read.get("text", ""),
        read.get("points"),
    )
    for word in question.asks:
        if operators and not ASKS[word].several and len(operators) != 1:
            raise here.error(f"ask = {word!r} takes one operator, got {len(operators)}")
        ASKS[word].needs(question, here, ReadSoFar(settings.data, earlier))
    return question


def _own(asks: Sequence[str]) -> dict[str, Key]:
    """The keys that kinds of questions have for themselves; of two that share one, the first says how it is read."""
    return {name: key for word in reversed(asks) for name, key in ASKS[word].keys.items()}


def _keys(entry: Any, where: Where) -> dict[str, Key]:
    """The keys of all questions, where those of its own kinds say how they are read; any other kind's are known too."""
    asked = entry.get("ask") if isinstance(entry, dict) else None
    own = _own(schema.words(*ASKS)(asked, where.at("ask"))) if asked is not None else {}
    return question_keys({**_own(tuple(ASKS)), **own})


def _chosen(read: Mapping[str, Any], where: Where, settings: _Settings) -> tuple[tuple[Declared, ...], Layers | None]:
    """What a question is about: operators, at least one, or a network."""
    named = [key for key in ("operator", "operators", "network") if key in read]
    if len(named) > 1:
        fix = "" if "network" in named else "put all of them in operators"
        raise where.error(f"must have one of the keys operator, operators and network, not {' and '.join(named)}", fix)
    words = read["ask"]
    if "network" in read or (not named and all(ASKS[word].of_networks for word in words)):
        return (), _network(read, where, settings.networks)
    names = (read["operator"],) if "operator" in read else read.get("operators", ())
    for name in names:
        if name not in settings.operators:
            raise where.error(unknown_name("operator", name, settings.operators))
        if not settings.operators[name].input_size:
            raise where.error(
                f"the operator {name!r} has no input_size of its own", "declare one, or ask of its network"
            )
    for word in words:
        if not names:
            raise where.error(f"ask = {word!r} needs an operator", 'add operator = "..."')
        if not ASKS[word].of_operators:
            raise where.error(f"ask = {word!r} is about a network, not an operator", 'add network = "..."')
    return tuple(settings.operators[name] for name in names), None


def _network(read: Mapping[str, Any], where: Where, networks: Mapping[str, Layers]) -> Layers:
    for word in read["ask"]:
        if not ASKS[word].of_networks:
            raise where.at("network").error(f"is not used by ask = {word!r}", "it is about an operator")
    if "network" in read:
        if read["network"] not in networks:
            raise where.error(unknown_name("network", read["network"], networks))
        return networks[read["network"]]
    if len(networks) != 1:
        word = read["ask"][0]
        either = "an operator or a network" if ASKS[word].of_operators else "a network"
        raise where.error(f"ask = {word!r} needs {either}", 'add operator = "..." or network = "..."')
    return next(iter(networks.values()))
