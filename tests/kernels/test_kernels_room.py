"""The room `symconv/kernels`, read off its source: no circle, no name and no helper twice, no engine by name."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

from symconv import AvgPool, Conv, compile

ROOT = Path(__file__).resolve().parents[2]
ROOM = "symconv.kernels"
ORDER = ("form", "libraries", "runtime", "arrays", "programs", "plans", "adapters", "backends", "network", "compile")
"""Each imports only what stands before it."""
BESIDE = ("accuracy", "export")
"""What kernels are asked for when they are called, and what knows no engine: rounding bounds, and modules that stand
alone."""


def sources(root: Path) -> dict[str, ast.Module]:
    """The trees of all modules below root/symconv, by dotted name; that of a package is the name of its folder."""
    found = {}
    for path in sorted((root / "symconv").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imports(tree: ast.Module, known: set[str]) -> Iterator[str]:
    """The modules that a module imports, wherever the import is written."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in known else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def circles(trees: dict[str, ast.Module]) -> list[list[str]]:
    """Modules of the room that import themselves by way of others: what is left when those without imports go."""
    known = {name for name in trees if name.startswith(ROOM)}
    edges = {name: {target for target in imports(trees[name], known) if target in known} for name in known}
    while True:
        ends = {name for name, targets in edges.items() if not targets}
        if not ends:
            return [sorted(edges)] if edges else []
        edges = {name: targets - ends for name, targets in edges.items() if name not in ends}


def public_classes(trees: dict[str, ast.Module]) -> dict[str, list[str]]:
    """The modules that have a public class of a name."""
    found = defaultdict(list)
    for module, tree in trees.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(module)
    return found


def twice_named(trees: dict[str, ast.Module]) -> list[str]:
    """Public classes of the room whose name another public class has."""
    return [
        f"{name}: {', '.join(modules)}"
        for name, modules in public_classes(trees).items()
        if len(modules) > 1 and any(module.startswith(ROOM) for module in modules)
    ]


def twice_written(trees: dict[str, ast.Module]) -> list[str]:
    """Functions of the room with the same body: helpers of a module, and methods of more than one statement."""
    found = defaultdict(list)
    for module, tree in trees.items():
        if not module.startswith(ROOM):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and not any(ast.unparse(d) == "overload" for d in node.decorator_list):
                said = ast.get_docstring(node) is not None
                body = node.body[1:] if said else node.body
                if len(body) > 1 or (body and node in tree.body):
                    key = ast.dump(ast.Module(body, []))
                    found[key].append(f"{module}.{node.name}")
    return [" = ".join(names) for names in found.values() if len(names) > 1]


def out_of_order(trees: dict[str, ast.Module]) -> list[str]:
    """Imports of a folder of the room that stands later."""
    found = []
    for module, tree in trees.items():
        parts = module.split(".")
        if not module.startswith(f"{ROOM}.") or parts[2] in BESIDE:
            continue
        for target in imports(tree, set(trees)):
            names = target.split(".")
            later = target.startswith(f"{ROOM}.") and names[2] in ORDER[ORDER.index(parts[2]) + 1 :]
            if later:
                found.append(f"{module} imports {target}")
    return found


TREES = sources(ROOT)


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert circles(TREES) == []


def test_no_public_class_has_the_name_of_another() -> None:
    assert twice_named(TREES) == []


def test_no_helper_is_written_twice() -> None:
    assert twice_written(TREES) == []


def test_every_folder_imports_only_those_before_it() -> None:
    assert {name.split(".")[2] for name in TREES if name.startswith(f"{ROOM}.")} == {*ORDER, *BESIDE}
    assert out_of_order(TREES) == []


def test_what_is_common_to_all_backends_knows_none_by_name() -> None:
    for module, tree in TREES.items():
        if module.startswith((f"{ROOM}.runtime", f"{ROOM}.form")) or module == f"{ROOM}.compile":
            code = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
            shown = " ".join(ast.unparse(node) for node in code)
            assert not any(f"{ROOM}.{folder}" in shown for folder in ("plans", "programs", "arrays", "adapters")), (
                module
            )
            assert "backends.numpy" not in shown, module


@pytest.mark.parametrize(
    ("files", "check"),
    [
        ({"a": "from symconv.kernels import b\n", "b": "def f():\n    from symconv.kernels.a import x\n"}, circles),
        ({"a": "class Frame: ...\n", "b": "class Frame: ...\n"}, twice_named),
        ({"a": "def f(x):\n    'One.'\n    return x + 1\n", "b": "def g(x):\n    return x + 1\n"}, twice_written),
        ({"form.x": "from symconv.kernels.plans.y import z\n", "plans.y": "z = 1\n"}, out_of_order),
    ],
)
def test_the_checks_see_what_they_name(files: dict[str, str], check: object) -> None:
    trees = {f"{ROOM}.{name}": ast.parse(source) for name, source in files.items()}
    assert callable(check)
    assert len(check(trees)) == 1
    assert check({name: ast.parse("x = 1\n") for name in trees}) == []


# --- the way from `compile` to the engine -----------------------------------------------------------------------------


def ways(work: Callable[[], object]) -> list[list[str]]:
    """The files of the room that stand on the stack whenever a function of it is called, in the order of the calls."""
    found = []

    def file_of(frame: FrameType) -> str | None:
        _, inside, name = frame.f_code.co_filename.partition("/symconv/kernels/")
        return name if inside else None

    def look(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and file_of(frame) is not None:
            stack: list[str] = []
            at: FrameType | None = frame
            while at is not None:
                name = file_of(at)
                if name is not None and stack[-1:] != [name]:
                    stack.append(name)
                at = at.f_back
            found.append(stack[::-1])

    sys.setprofile(look)
    try:
        work()
    finally:
        sys.setprofile(None)
    return found


@pytest.mark.parametrize("op", [Conv((3, 2), stride=3), Conv((3,), in_channels=2, out_channels=2), AvgPool((4, 3))])
def test_the_way_from_compile_to_the_engine_has_no_return(op: Any) -> None:
    kernels: list[Any] = []
    x, parameters = np.ones((1, op.in_channels if isinstance(op, Conv) else 1, 9, 9)[: 2 + op.ndim]), []
    if isinstance(op, Conv):
        parameters.append(np.ones((op.out_channels, op.in_channels, *op.kernel_size)))
    compiling = ways(lambda: kernels.append(compile(op)))
    calling = ways(lambda: kernels[0](x, *parameters))
    assert calling[0] == ["libraries/door.py"]
    for way in [*compiling, *calling]:
        assert len(way) <= 10
        # a sweep is a workspace that lays its arrays out as the input lies, so that the two call each other
        rest = [name for name in way if name not in ("programs/blocks.py", "runtime/workspace.py")]
        again = [name for name in rest if rest.count(name) > 1]
        assert again == [], " > ".join(way)
