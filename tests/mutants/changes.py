"""One-token changes of a source file: every place of its syntax tree where one token could be another.

A change is known by the function that it is in, and by the text of the smallest expression that holds the token, before
and after; so it is found again when lines or files move. What says an error or a type is left alone, and so is what
only makes a difference to the reader of a traceback: messages, annotations, assertions.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
NAMES = {
    one: other
    for pair in (
        ("min", "max"), ("minimum", "maximum"), ("floor", "ceiling"), ("any", "all"), ("lower", "upper"),
        ("before", "after"), ("stride", "dilation"), ("strides", "dilations"), ("s", "d"), ("low", "high"),
        ("lowers", "uppers"), ("first", "last"), ("least", "most"), ("left", "right"), ("add", "product"),
    )
    for one, other in (pair, pair[::-1])
}  # fmt: skip
WORDS = {"sum": "max", "max": "min", "min": "max", "first": "split", "split": "first", "input": "weight",
         "weight": "input", "ge": "eq", "eq": "ge", "div": "ge"}  # fmt: skip
SYMMETRIC = {"isinstance", "issubclass", "min", "max", "minimum", "maximum", "add", "product", "equal", "getattr",
             "setattr", "hasattr", "gcd", "lcm"}  # fmt: skip
SILENT = (ast.Raise, ast.Assert, ast.JoinedStr, ast.Import, ast.ImportFrom)
SYMCONV = Path(__file__).resolve().parents[2] / "symconv"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
REPRESENTATIONS = {"__repr__", "__str__", "_repr_latex_", "_repr_html_"}


@dataclass(frozen=True)
class Change:
    """One token changed: ``owner.field`` (its item `place`, where that is a list) becomes `new`.

    Attributes:
        function: the qualified name of the function or class that holds it, "" at the level of the module.
        text: the expression before and after.
        statement: the statement that holds it.
        runs_at_import: whether no function is around it: a table, the default of a field or of a parameter.
    """

    function: str
    text: str
    statement: ast.stmt
    runs_at_import: bool
    owner: ast.AST
    field: str
    place: int | None
    new: Any

    @property
    def key(self) -> tuple[str, str]:
        return self.function, self.text

    @contextmanager
    def made(self) -> Iterator[None]:
        """The tree with the change, for as long as it is entered."""
        old = _get(self.owner, self.field, self.place)
        _put(self.owner, self.field, self.place, self.new)
        try:
            yield
        finally:
            _put(self.owner, self.field, self.place, old)


def _get(owner: ast.AST, field: str, place: int | None) -> Any:
    value = getattr(owner, field)
    return value if place is None else value[place]


def _put(owner: ast.AST, field: str, place: int | None, new: Any) -> None:
    if place is None:
        setattr(owner, field, new)
    else:
        getattr(owner, field)[place] = new


def changes(tree: ast.Module) -> list[Change]:
    """All changes of a file, in the order of its text; equal texts in one function are numbered."""
    found = list(_within(tree, _Place("", None, frozenset())))
    seen: Counter[tuple[str, str]] = Counter()
    result = []
    for change in found:
        seen[change.key] += 1
        count = seen[change.key]
        text = change.text if count == 1 else f"{change.text}  (#{count})"
        result.append(replace(change, text=text))
    return result


@dataclass(frozen=True)
class _Place:
    """Where a node stands: its function, the names in it, the statement, and the expression around the node."""

    function: str
    statement: ast.stmt | None
    names: frozenset[str]
    parent: ast.AST | None = None
    at_import: bool = True


def _within(node: ast.AST, place: _Place) -> Iterator[Change]:
    """The changes in a node."""
    if isinstance(node, SILENT) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        return
    if isinstance(node, ast.keyword) and node.arg == "strict":
        return
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return
    if isinstance(node, FUNCTIONS) and node.name in REPRESENTATIONS:
        return
    if isinstance(node, ast.stmt):
        place = replace(place, statement=node, parent=None)
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        name = f"{place.function}.{node.name}" if place.function else node.name
        place = replace(place, function=name, names=_names(node) if isinstance(node, FUNCTIONS) else place.names)
    for owner, field, item, new in _here(node, place.names):
        assert place.statement is not None
        bare = Change("", "", place.statement, place.at_import, owner, field, item, new)
        yield replace(bare, function=place.function, text=_text(node, place.parent, bare))
    if isinstance(node, ast.arguments):
        given = list(zip([*node.posonlyargs, *node.args][::-1], node.defaults[::-1]))[::-1]
        for parameter, default in [*given, *zip(node.kwonlyargs, node.kw_defaults, strict=True)]:
            if default is not None and parameter.arg in place.names:  # what is not read has no value that matters
                yield from _within(default, replace(place, parent=ast.keyword(parameter.arg, default)))
        return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "bases", "op", "ops", "ctx"):
            continue
        if isinstance(node, ast.Call) and name == "args" and _called(node) in ("isinstance", "issubclass", "cast"):
            continue
        inner = place
        if isinstance(node, ast.expr | ast.comprehension | ast.keyword):
            inner = replace(inner, parent=node)
        if isinstance(node, FUNCTIONS) and name == "body":
            inner = replace(inner, at_import=False)
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _within(child, inner)


def _names(node: ast.AST) -> frozenset[str]:
    """The names that are read in a function."""
    return frozenset(n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))


def _text(node: ast.AST, parent: ast.AST | None, change: Change) -> str:
    if isinstance(node, ast.If | ast.While | ast.IfExp | ast.comprehension):
        test = node.ifs[change.place or 0] if isinstance(node, ast.comprehension) else node.test
        return f"if {ast.unparse(test)} → if {ast.unparse(change.new)}"
    short = isinstance(node, ast.Constant | ast.Name | ast.Attribute | ast.Subscript) and parent is not None
    shown = parent if short and parent is not None else node
    before = _shown(shown)
    with change.made():
        return f"{before} → {_shown(shown)}"


def _shown(node: ast.AST) -> str:
    if isinstance(node, ast.stmt):
        node = ast.Module([node], [])
    return " ".join(ast.unparse(node).split())


def _called(node: ast.Call) -> str:
    function = node.func
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )


def _here(node: ast.AST, names: set[str]) -> Iterator[tuple[ast.AST, str, int | None, Any]]:
    """What can be changed at one node: the owner, its field and place, and what is put there."""
    if isinstance(node, ast.Compare):
        for place, op in enumerate(node.ops):
            yield node, "ops", place, OPERATORS[type(op)]()
    elif isinstance(node, ast.BinOp | ast.AugAssign):
        texts = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.value,)
        is_text = any(isinstance(x, ast.JoinedStr) or isinstance(getattr(x, "value", None), str) for x in texts)
        if type(node.op) in OPERATORS and not is_text:
            yield node, "op", None, OPERATORS[type(node.op)]()
    elif isinstance(node, ast.BoolOp):
        yield node, "op", None, OPERATORS[type(node.op)]()
        for place in range(len(node.values)):
            left = node.values[:place] + node.values[place + 1 :]
            if len(left) == 1:  # alone it is no such expression; after what leaves it to decide it is worth the same
                left = [ast.Constant(isinstance(node.op, ast.And)), *left]
            yield node, "values", None, left
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield node, "value", None, not node.value
        elif isinstance(node.value, int):
            yield node, "value", None, node.value + 1
            if node.value == 1:
                yield node, "value", None, 0
        elif isinstance(node.value, str) and node.value in WORDS:
            yield node, "value", None, WORDS[node.value]
    elif isinstance(node, ast.Name):
        other = NAMES.get(node.id)
        if isinstance(node.ctx, ast.Load) and other is not None and (other in names or node.id in _FUNCTIONS):
            yield node, "id", None, other
    elif isinstance(node, ast.Attribute):
        if node.attr in NAMES and node.attr != "add":
            yield node, "attr", None, NAMES[node.attr]
    elif isinstance(node, ast.Call):
        plain = not any(isinstance(arg, ast.Starred) for arg in node.args)
        if plain and _called(node) not in SYMMETRIC:
            for place in range(len(node.args) - 1):
                one, two = node.args[place : place + 2]
                if ast.dump(one) != ast.dump(two) and _same_type(_called(node), place):
                    swapped = [*node.args[:place], two, one, *node.args[place + 2 :]]
                    yield node, "args", None, swapped
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node, "op", None, ast.UAdd()
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        yield from _condition(node, "test", None, node.test)
    elif isinstance(node, ast.comprehension):
        for place, test in enumerate(node.ifs):
            yield node, "ifs", place, ast.Constant(True)
            yield from _condition(node, "ifs", place, test)


def _same_type(function: str, place: int) -> bool:
    """Whether two neighbouring parameters may have one type, as far as is known; mypy sees to the others."""
    known = signatures().get(function)
    return known is None or any(place + 1 < len(types) and types[place] == types[place + 1] for types in known)


@cache
def signatures() -> dict[str, set[tuple[str, ...]]]:
    """The types of the parameters of every function and record of symconv, by its name, which several may share."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for path in SYMCONV.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                given = [a for a in (*node.args.posonlyargs, *node.args.args) if a.arg not in ("self", "cls")]
                types = [ast.unparse(a.annotation) if a.annotation else "" for a in given]
            elif isinstance(node, ast.ClassDef):
                types = [ast.unparse(s.annotation) for s in node.body if isinstance(s, ast.AnnAssign)]
            else:
                continue
            found.setdefault(node.name, set()).add(tuple(types))
    return found


_FUNCTIONS = {"min", "max", "any", "all", "floor", "ceiling", "minimum", "maximum"}


def _condition(
    node: ast.AST, field: str, place: int | None, test: ast.expr
) -> Iterator[tuple[ast.AST, str, int | None, Any]]:
    """A condition turned around; a comparison is not, where its own operator already is."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        yield node, field, place, test.operand
    elif isinstance(test, ast.Compare) and len(test.ops) == 1 and not isinstance(
        test.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE
    ):  # fmt: skip
        return
    else:
        yield node, field, place, ast.UnaryOp(ast.Not(), test)
