"""Every walk over formulas speaks of every kind of node, and nobody asks a node three times what it is."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import symconv
from symconv.formulas import algebra
from symconv.formulas.algebra import ONE, Constant, FormulaWalker, Scalar
from symconv.formulas.index import Index
from symconv.formulas.walker import Walker, case

ROOT = Path(symconv.__file__).parent


def walkers() -> list[type[Walker[Any]]]:
    """All walks of the package; those of a library that is not installed, which has none, are left out."""
    for module in pkgutil.walk_packages([str(ROOT)], "symconv."):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError as error:
                if error.name not in ("jax", "torch"):
                    raise
    return sorted(
        {w for w in Walker.walkers() if w.__module__.startswith("symconv.")},
        key=lambda w: (w.__module__, w.__qualname__),
    )


def lacking(kind: type) -> list[str]:
    """The walks over formulas that have no case for a kind, by name."""
    return [w.__qualname__ for w in walkers() if issubclass(w, FormulaWalker) and w.missing((kind,))]


# ---------------------------------------------------------------------- every kind has a case


def test_the_kinds_are_those_of_the_type() -> None:
    members = algebra.Node.split(" | ")
    assert [kind.__name__ for kind in FormulaWalker.kinds] == members
    assert len(FormulaWalker.kinds) == len(members) == 14


def test_every_walk_has_a_case_for_every_kind() -> None:
    missing = {w.__qualname__: [kind.__name__ for kind in w.missing()] for w in walkers()}
    assert {name: kinds for name, kinds in missing.items() if kinds} == {}
    assert len(missing) >= 5


@dataclass(frozen=True)
class Toy:
    """A kind of node that nobody knows."""


def test_a_new_kind_is_missed_by_every_walk_by_name() -> None:
    assert lacking(Toy) == [w.__qualname__ for w in walkers() if issubclass(w, FormulaWalker)]
    assert "_Children" in lacking(Toy)


def test_a_walk_refuses_a_kind_that_it_does_not_know() -> None:
    for walker in walkers():
        with pytest.raises(TypeError, match=rf"^{walker.__qualname__} has no case for the node kind Toy$"):
            walker.visit(object.__new__(walker), Toy())


# ---------------------------------------------------------------------- the table


class Base(Walker[str]):
    """Numbers and index values."""

    kinds = (Constant, Scalar)

    @case(Constant, Scalar)
    def _value(self, node: Constant | Scalar) -> str:
        return "value"


class Above(Base):
    """One case of its own."""

    @case(Scalar)
    def _scalar(self, node: Scalar) -> str:
        return "scalar"


def test_a_subclass_has_the_cases_of_its_bases_and_its_own_before_them() -> None:
    node = Scalar(Index.of("n"))
    assert [walker.visit(n) for walker in (Base(), Above()) for n in (ONE, node)] == [
        "value",
        "value",
        "value",
        "scalar",
    ]
    assert Above.missing() == ()
    assert Above.missing((Constant, Toy)) == (Toy,)


# ---------------------------------------------------------------------- no ladder beside it

TREES = {"symconv.formulas.algebra": {kind.__name__ for kind in FormulaWalker.kinds}}
MOST = 2


def ladders(source: str, where: str) -> list[str]:
    """The functions that test one thing for more than two kinds of nodes of one tree."""
    tree = ast.parse(source)
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in TREES:
            names.update({a.asname or a.name: a.name for a in node.names if a.name in TREES[node.module or ""]})
        elif isinstance(node, ast.ImportFrom):
            full = {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
            for alias in (alias for alias, module in full.items() if module in TREES):
                names.update({f"{alias}.{kind}": kind for kind in TREES[full[alias]]})
    found = []
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        asked: dict[str, set[str]] = {}
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "isinstance" and len(call.args) == 2:
                kinds = {
                    ast.unparse(part) for part in ast.walk(call.args[1]) if isinstance(part, ast.Name | ast.Attribute)
                }
                asked.setdefault(ast.unparse(call.args[0]), set()).update(kinds & names.keys())
        if any(len(kinds) > MOST for kinds in asked.values()):
            found.append(f"{where}:{function.name}")
    return found


def test_no_function_asks_a_node_for_three_kinds() -> None:
    found = {
        name
        for path in sorted(ROOT.rglob("*.py"))
        for name in ladders(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix())
    }
    assert found == set()


@pytest.mark.parametrize(
    ("test", "count"),
    [
        ("isinstance(n, Plus) or isinstance(n, Scalar)", 0),
        ("isinstance(n, Plus) or isinstance(n, Scalar) or isinstance(n, Power)", 1),
        ("isinstance(n, Plus | Scalar | Power)", 1),
        ("isinstance(n, (Plus, Scalar, Power))", 1),
        ("isinstance(n, Plus | Scalar) or isinstance(m, Power)", 0),
        ("isinstance(n, Plus | Scalar | int)", 0),
    ],
)
def test_a_ladder_is_found(test: str, count: int) -> None:
    source = f"from symconv.formulas.algebra import Plus, Power, Scalar\n\ndef f(n, m):\n    return {test}\n"
    assert ladders(source, "x.py") == ["x.py:f"] * count
    dotted = source
    for kind in ("Plus", "Scalar", "Power"):
        dotted = dotted.replace(kind, f"algebra.{kind}")
    dotted = dotted.replace(
        "from symconv.formulas.algebra import algebra.Plus, algebra.Power, algebra.Scalar",
        "from symconv.formulas import algebra",
    )
    assert ladders(dotted, "x.py") == ["x.py:f"] * count
