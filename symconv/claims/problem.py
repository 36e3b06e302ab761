"""Problem files: an exercise described in TOML, and the frozen `Problem` read from it.

A problem names its data, its operators and its questions in order. Letters and the index base may be set for the whole
file and again for a question, since one exercise may use a letter for an index here and for an exponent there.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from math import prod
from pathlib import Path
from typing import Any

from symconv.claims import schema
from symconv.claims.claim_table import Settled, read_claims
from symconv.claims.nested import shape_of, shape_text
from symconv.claims.schema import Where, check_table
from symconv.claims.source import ClaimSource
from symconv.claims.tables import ASKS, BELONGS, OPERATORS, QUESTION, TOP, operator_keys
from symconv.doors import path as to_path
from symconv.errors import ArgumentError, ProblemFileError, SymconvError, shortened
from symconv.formulas.index import Index
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.letters import Letters
from symconv.operators.morphology import Morphology
from symconv.operators.pooling import LPPool, MaxPool

__all__ = ["Declared", "Problem", "Question", "check_declared_size", "load_problem", "read_problem"]

MAX_BYTES = 1_000_000
MAX_POSITIONS = 1_000_000  # of a padded input: a report places every window and counts
MAX_DECLARED = 4_096  # entries of an input whose size is in numbers: every step is expanded entry by entry,
MAX_DECLARED_CASES = 64  # and where a step is no polynomial, case by case on top of it


@dataclass(frozen=True)
class Declared:
    """An operator of a problem file with the input size that it is applied to."""

    name: str
    op: Operator
    input_size: tuple[int, ...]


@dataclass(frozen=True)
class Question:
    """One question of a problem file; attributes as in the schema."""

    id: str
    title: str
    ask: str
    operators: tuple[Declared, ...] = ()
    input: str = ""
    weight: str = ""
    printed: Any = None
    wrt: tuple[str, ...] = ("input",)
    all_ones: bool = False
    sizes: str = "symbolic"
    unstated: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    index_base: int = 1


@dataclass(frozen=True)
class Problem:
    """A problem file, read and checked."""

    title: str
    questions: tuple[Question, ...]
    operators: Mapping[str, Declared]
    data: Mapping[str, Any]
    author: str = ""
    lead: str = ""
    index_base: int = 1
    names: Mapping[str, str] = field(default_factory=dict)
    file: str = ""
    claims: tuple[ClaimSource, ...] = ()
    outside: str = ""

    def where(self, question: Question) -> Where:
        """The place of a question, for messages."""
        return Where(self.file, (f"question {question.id!r}",))


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
    options = check_table(table, operator_keys(kind), where, f"{'an' if kind in ('AvgPool', 'LPPool') else 'a'} {kind}")
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


def check_declared_size(op: Operator, size: tuple[int, ...], where: Where) -> None:
    """Refuse numbers for the input size of a derivation where its steps could not be expanded in reasonable time.

    Raises:
        ProblemFileError: naming the count, the limit and the way around it.
    """
    most = MAX_DECLARED_CASES if isinstance(op, MaxPool | LPPool | Morphology) else MAX_DECLARED
    if prod(size) > most:
        raise where.error(
            f"a derivation of {type(op).__name__} with numbers for the input size takes at most {most:,} entries, "
            f"got {prod(size):,} ({shape_text(size)})",
            "leave the sizes symbolic, and it holds for all of them",
        )


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
        read = check_table(entry, QUESTION, here, "a question")
        if any(q.id == read["id"] for q in result):
            raise here.error(f"the id {read['id']!r} is used twice", "give every question its own id")
        for key in read:
            if read["ask"] not in BELONGS.get(key, ASKS):
                raise here.at(key).error(
                    f"is not used by ask = {read['ask']!r}", "remove it, or ask for something else"
                )
        if "operator" in read and "operators" in read:
            raise here.error("must have the key operator or operators, not both", "put all of them in operators")
        chosen = (read["operator"],) if "operator" in read else read.get("operators", ())
        for name in chosen:
            if name not in operators:
                raise here.error(_unknown("operator", name, operators))
        for key in ("input", "weight"):
            name = read.get(key, "")
            earlier = {q.id: None for q in result if q.ask == "values"} if key == "input" else {}
            if name and name in data and name in earlier:
                raise here.at(key).error(f"{name!r} is both data and a question", "rename one of them")
            if name and name not in data and name not in earlier:
                raise here.at(key).error(_unknown("data", name, {**data, **earlier}))
        letters = {**names, **read.get("names", {})}
        _letters(letters, here.at("names"))
        question = Question(
            read["id"],
            read["title"],
            read["ask"],
            tuple(operators[name] for name in chosen),
            read.get("input", ""),
            read.get("weight", ""),
            read.get("printed"),
            read.get("wrt", ("input",)),
            read.get("all_ones", False),
            read.get("sizes", "symbolic"),
            read.get("unstated", ()),
            letters,
            read.get("index_base", base),
        )
        _check(question, here, data)
        result.append(question)
    return tuple(result)


def _unknown(what: str, name: str, known: Mapping[str, Any]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"declared: {', '.join(known) or 'none'}"
    return f"names the {what} {name!r}, which is not declared; {hint}"


def _check(question: Question, where: Where, data: Mapping[str, Any]) -> None:
    """What a question of its kind needs beyond its keys."""
    if not question.operators:
        raise where.error(f"ask = {question.ask!r} needs an operator", 'add operator = "..."')
    if question.ask in ("size", "size-formula", "values", "derivation") and len(question.operators) != 1:
        raise where.error(f"ask = {question.ask!r} takes one operator, got {len(question.operators)}")
    first = question.operators[0]
    if question.ask == "values":
        _check_values(question, first, where, data)
    if question.ask == "derivation":
        if question.sizes == "declared":
            check_declared_size(first.op, first.input_size, where.at("sizes"))
        else:
            _check_size_letters(question, first.op, where.at("names"))
        for variable in question.wrt:
            if variable not in first.op.variables:
                raise where.at("wrt").error(
                    f"must be among {', '.join(first.op.variables)} for this operator, got {variable!r}"
                )
        if question.all_ones and "input" not in question.wrt:
            raise where.at("all_ones").error("belongs to the gradient by the input", 'add "input" to wrt')
    if question.ask in ("modules", "expressions", "relations"):
        for declared in question.operators:
            if isinstance(declared.op, Conv):
                raise where.error(f"ask = {question.ask!r} takes poolings, and {declared.name!r} is a convolution")
    if question.ask == "relations":
        kinds = [type(declared.op).__name__ for declared in question.operators]
        if "LPPool" not in kinds or len(kinds) < 2 or len(set(kinds)) < len(kinds):
            raise where.error(
                f"ask = 'relations' needs an LPPool and a MaxPool or an AvgPool, one of each, got {', '.join(kinds)}"
            )
        for other in question.operators[1:]:
            if (other.op.windows, other.input_size) != (first.op.windows, first.input_size):
                raise where.error(
                    f"ask = 'relations' needs the same windows everywhere: {first.name!r} is {first.op!r} on "
                    f"{shape_text(first.input_size)}, {other.name!r} is {other.op!r} on {shape_text(other.input_size)}",
                    "give them the same kernel_size, stride, padding, dilation, ceil_mode and input_size",
                )
    known = [entry.name for entry in fields(first.op) if entry.name not in ("_", "ndim")]  # type: ignore[arg-type]
    for option in question.unstated:
        if option not in known:
            raise where.at("unstated").error(
                f"names {option!r}, which is no option of {type(first.op).__name__}; its options: {', '.join(known)}"
            )


def _check_size_letters(question: Question, op: Any, where: Where) -> None:
    """Refuse a chosen letter that a derivation would print for a whole array and for a size."""
    from symconv.derivations.derive import refuse_size_letters  # a file without derivations needs none of it

    padding_by_name = isinstance(getattr(op, "padding", 0), str)
    kept = [name for name in op.size_letters() if name in ("stride", "padding", "dilation")]
    sizes = op if padding_by_name else op.generic(keep=kept, shared=True)
    try:
        refuse_size_letters(sizes, question.names, None)
    except ArgumentError as error:
        raise where.error(str(error)) from None


def _check_values(question: Question, declared: Declared, where: Where, data: Mapping[str, Any]) -> None:
    if isinstance(declared.op, LPPool) and declared.op.reals():
        raise where.error(
            f"ask = 'values' needs a number for the norm, and operator {declared.name!r} has the symbol "
            f"{declared.op.norm_type}",
            "declare an operator with norm_type = 2, say",
        )
    if not question.input:
        raise where.error("ask = 'values' needs the input data", 'add input = "..."')
    if question.input in data:
        shape = shape_of(data[question.input])
        if shape != declared.input_size:
            raise where.at("input").error(
                f"{question.input} has shape {shape_text(shape)}, and operator {declared.name!r} takes "
                f"{shape_text(declared.input_size)}"
            )
    if isinstance(declared.op, Conv):
        if not question.weight:
            raise where.error("ask = 'values' of a convolution needs the kernel data", 'add weight = "..."')
        shape = shape_of(data[question.weight])
        kernel = tuple(declared.op.kernel_size)
        if shape != kernel:
            raise where.at("weight").error(
                f"{question.weight} has shape {shape_text(shape)}, and operator {declared.name!r} has a "
                f"{shape_text(kernel)} kernel"
            )
    elif question.weight:
        raise where.at("weight").error("is not used: a pooling has no kernel data", "remove it")
    if question.printed is not None:
        shape, due = shape_of(question.printed), declared.op.output_size(declared.input_size)
        if shape != due:
            raise where.at("printed").error(f"has shape {shape_text(shape)}, and the output has {shape_text(due)}")
