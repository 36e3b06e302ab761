"""Which one-token changes there are of a piece of code, written out by hand, and what they do."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from mutants.changes import changes
from mutants.survey import scopes

CHANGES = {
    "return a and b": ["a and b → a or b", "a and b → True and b", "a and b → True and a"],
    "return a or b": ["a or b → a and b", "a or b → False or b", "a or b → False or a"],
    "return a or b or c": ["a or b or c → a and b and c", "a or b or c → b or c", "a or b or c → a or c",
                           "a or b or c → a or b"],
    "if a and b: return c": ["if a and b → if not (a and b)", "a and b → a or b", "a and b → True and b",
                             "a and b → True and a"],
    "if a: return c": ["if a → if not a"],
    "if not a: return c": ["if not a → if a"],
    "return a < b": ["a < b → a <= b"],
    "return a + b - 1": ["a + b - 1 → a + b + 1", "a + b → a - b", "a + b - 1 → a + b - 2", "a + b - 1 → a + b - 0"],
    "return -a": ["-a → +a"],
    "return [a for b in c if b]": ["if b → if True", "if b → if not b"],
    "return min(a, b)": ["min(a, b) → max(a, b)"],
    "return g(a, b)": ["g(a, b) → g(b, a)"],
    "raise Wrong(a + b)": [],
    "assert a + b": [],
}  # fmt: skip


@pytest.mark.parametrize("code", CHANGES)
def test_the_changes_of_a_line(code: str) -> None:
    found = changes(ast.parse(f"def f(a, b, c):\n    {code}"))
    assert [change.text for change in found] == CHANGES[code]
    assert {change.function for change in found} <= {"f"}


def _values(tree: ast.Module) -> list[Any]:
    names: dict[str, Any] = {}
    exec(compile(ast.fix_missing_locations(tree), "toy", "exec"), names)
    return [names["f"](*given) for given in [(0, 2), (1, 0), (3, 4), (0, "")]]


@pytest.mark.parametrize(
    ("code", "left"),
    [("a and b", ["b", "a"]), ("a or b", ["b", "a"]), ("a and b and a", ["b and a", "a and a", "a and b"])],
)
def test_without_an_operand_the_others_decide(code: str, left: list[str]) -> None:
    """Also where the value is used and not only whether it is true; each side is worked out once."""
    tree = ast.parse(f"def f(a, b):\n    return {code}")
    dropped = [change for change in changes(tree) if change.field == "values"]
    for change, other in zip(dropped, left, strict=True):
        with change.made():
            found = _values(tree)
        assert found == _values(ast.parse(f"def f(a, b):\n    return {other}"))
    assert _values(tree) == _values(ast.parse(f"def f(a, b):\n    return {code}"))


def test_every_change_in_scope_is_a_program() -> None:
    """What does not compile would be left out in silence."""
    for scope in scopes():
        for change in scope.changes():
            with change.made():
                inner = ast.While(ast.Constant(True), [change.statement], [])  # where break and return may stand
                nothing = ast.arguments([], [], None, [], [], None, [])
                body = [ast.FunctionDef("f", nothing, [inner], [])]
                compile(ast.fix_missing_locations(ast.Module(body, [])), scope.path, "exec")
