"""How a problem file is read: an exercise described in TOML, to the frozen `Problem`.

A problem names its data, its operators and its questions in order. Letters and the index base may be set for the whole
file and again for a question, since one exercise may use a letter for an index here and for an exponent there.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from symconv.doors import path as to_path
from symconv.errors import ArgumentError, ProblemFileError, SymconvError, shortened
from symconv.formulas.index import Index
from symconv.operators.base import Operator
from symconv.operators.letters import Letters
from symconv.problems import schema
from symconv.problems.ask import ReadSoFar, unknown_name
from symconv.problems.asks import ASKS
from symconv.problems.claim_table import Settled, read_claims
from symconv.problems.problem import Declared, Problem, Question
from symconv.problems.schema import Key, Where, check_table
from symconv.problems.tables import OPERATORS, TOP, operator_keys, question_keys

__all__ = ["load_problem", "read_problem"]

MAX_BYTES = 1_000_000
MAX_POSITIONS = 1_000_000  # of a padded input: a report places every window and counts


def load_problem(path: str | Path) -> Problem:
    """Read a problem file.

    Raises:
        ProblemFileError: where it is missing, too large, not TOML, or not what the schema asks for.
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
        return read_problem(content.decode("utf-8-sig"), file.name)
    except UnicodeDecodeError as error:
        raise ProblemFileError(f"{shown}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from None


def read_problem(content: str, file: str = "problem") -> Problem:
    """Read the text of a problem file; `file` is its name in messages."""
    where = Where(file)
    try:
        return _read(content, file, where)
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
    data = _data(top.get("data", {}), where.at("data"))
    operators = _operators(top["operators"], where.at("operators"))
    if not top.get("questions") and not top.get("claims"):
        raise where.error("needs questions or claims", "add a table [[questions]] or [[claims]]")
    questions = _questions(top["questions"], where, names, base, operators, data) if "questions" in top else ()
    outside = {entry["id"]: entry["outside"] for entry in top.get("questions", []) if "outside" in entry}
    settled = Settled(names, base, top.get("outside", ""))
    asked = {q.id: Settled(q.names, q.index_base, outside.get(q.id, settled.outside)) for q in questions}
    claims = read_claims(top.get("claims", []), where, operators, data, settled, asked)
    author, lead = top.get("author", ""), top.get("lead", "")
    return Problem(top["title"], questions, operators, data, author, lead, base, names, file, claims, settled.outside)


def _letters(names: Mapping[str, str], where: Where) -> None:
    try:
        Letters.of(names)
    except ArgumentError as error:
        raise where.error(str(error)) from None


def _data(table: Any, where: Where) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise where.error("must be a table of named arrays")
    result = {}
    for name, value in table.items():
        if not isinstance(value, list):
            raise where.at(name).error(f"must be an array of numbers, got {schema.shown(value)}")
        result[name] = schema.array(value, where.at(name))
    return result


def _operators(table: Any, where: Where) -> dict[str, Declared]:
    if not isinstance(table, dict) or not table:
        raise where.error("must be tables of operators, at least one, such as [operators.conv]")
    result = {}
    for name, options in table.items():
        result[name] = _operator(name, options, where.at(name))
    return result


def _operator(name: str, table: Any, where: Where) -> Declared:
    if not isinstance(table, dict) or "kind" not in table:
        raise where.error(f"must be a table with a kind: {', '.join(OPERATORS)}")
    kind = schema.one_of(*OPERATORS)(table["kind"], where.at("kind"))
    options = check_table(
        table, operator_keys(kind), where, f"{'an' if kind[0] in 'AEIOU' or kind[:2] == 'LP' else 'a'} {kind}"
    )
    size = options.pop("input_size")
    del options["kind"]
    if isinstance(options["kernel_size"], int):
        options["kernel_size"] = (options["kernel_size"],) * len(size)
    try:
        op = OPERATORS[kind](**options)
        op.output_size(size)
    except SymconvError as error:
        raise where.error(str(error)) from None
    _count(op, size, where)
    return Declared(name, op, size)


def _count(op: Operator, size: tuple[int, ...], where: Where) -> None:
    """Refuse sizes that a report could not go through one by one."""
    padded = 1
    for window, n in zip(op.windows, size, strict=True):
        before, after = (side.value or 0 for side in window.padding(Index.of(n)))
        padded *= n + max(before, 0) + max(after, 0)
    if padded > MAX_POSITIONS:
        raise where.at("input_size").error(
            f"the padded input has {padded:,} entries, and a report goes through at most {MAX_POSITIONS:,}",
            "take a smaller input: derivations hold for all sizes anyway",
        )


def _questions(
    entries: Any,
    where: Where,
    names: Mapping[str, str],
    base: int,
    operators: Mapping[str, Declared],
    data: Mapping[str, Any],
) -> tuple[Question, ...]:
    if not isinstance(entries, list) or not entries:
        raise where.at("questions").error("must be one or more tables [[questions]]")
    result: list[Question] = []
    for position, entry in enumerate(entries, 1):
        label = entry.get("id") if isinstance(entry, dict) else None
        here = where.at(f"question {label!r}" if isinstance(label, str) else f"question {position}")
        read = check_table(entry, _keys(entry, here), here, "a question")
        if any(q.id == read["id"] for q in result):
            raise here.error(f"the id {read['id']!r} is used twice", "give every question its own id")
        ask = ASKS[read["ask"]]
        for key in read:
            if key not in question_keys(ask.keys):
                raise here.at(key).error(
                    f"is not used by ask = {read['ask']!r}", "remove it, or ask for something else"
                )
        letters = {**names, **read.get("names", {})}
        _letters(letters, here.at("names"))
        question = Question(
            read["id"],
            read["title"],
            read["ask"],
            _chosen(read, here, operators),
            {name: read.get(name, key.default) for name, key in ask.keys.items()},
            letters,
            read.get("index_base", base),
        )
        if not ask.several and len(question.operators) != 1:
            raise here.error(f"ask = {question.ask!r} takes one operator, got {len(question.operators)}")
        ask.needs(question, here, ReadSoFar(data, tuple(result)))
        result.append(question)
    return tuple(result)


def _keys(entry: Any, where: Where) -> dict[str, Key]:
    """The keys of all questions, where those of its own kind say how they are read; any other kind's are known too."""
    word = entry.get("ask") if isinstance(entry, dict) else None
    own = ASKS[schema.one_of(*ASKS)(word, where.at("ask"))].keys if isinstance(word, str) else {}
    return question_keys({**{name: key for ask in ASKS.values() for name, key in ask.keys.items()}, **own})


def _chosen(read: Mapping[str, Any], where: Where, operators: Mapping[str, Declared]) -> tuple[Declared, ...]:
    """The operators of a question, at least one."""
    if "operator" in read and "operators" in read:
        raise where.error("must have the key operator or operators, not both", "put all of them in operators")
    names = (read["operator"],) if "operator" in read else read.get("operators", ())
    for name in names:
        if name not in operators:
            raise where.error(unknown_name("operator", name, operators))
    if not names:
        raise where.error(f"ask = {read['ask']!r} needs an operator", 'add operator = "..."')
    return tuple(operators[name] for name in names)
