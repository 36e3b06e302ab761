"""The line of the package, read off its source: who may import whom, what starts lazily, and what is never called.

    errors > doors > formulas > operators > proofs > derivations > certificates > kernels >
        audits > claims > report > problems > grading > bench > cli

Each stage imports only what stands left of it, and itself.  An import counts wherever it is written: in a function, or
under TYPE_CHECKING.  `symconv/__init__.py` and `symconv/__main__.py` are the public surface and may import every stage;
no other module stands outside the line, and no stage imports the surface.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STAGES = (
    "errors",
    "doors",
    "formulas",
    "operators",
    "proofs",
    "derivations",
    "certificates",
    "kernels",
    "audits",
    "claims",
    "report",
    "problems",
    "grading",
    "bench",
    "cli",
)
SURFACE = ("__init__", "__main__", "testing")
LAZY = ("sympy", "z3", "numpy.testing", "jinja2", "rich")


# --- the import line -------------------------------------------------------------------------------------------------


def module_parts(path: Path, root: Path) -> list[str]:
    """The dotted name of a file below root, in parts; `__init__` stays, so that relative imports can be resolved."""
    return list(path.relative_to(root).with_suffix("").parts)


def imported_modules(tree: ast.AST, parts: list[str]) -> Iterator[tuple[int, str]]:
    """(line, absolute dotted name) of everything a module imports, one entry a name in `from x import name`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = parts[: len(parts) - node.level] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{origin}.{alias.name}"
        elif isinstance(node, ast.Call) and _last_name(node.func) in ("import_module", "__import__"):
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    name = argument.value
                    level = len(name) - len(name.lstrip("."))
                    base = parts[: len(parts) - level] if level else []
                    yield node.lineno, ".".join([*base, name[level:]])


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def import_violations(root: Path) -> list[str]:
    """Every import below root/symconv that the line forbids, and every module that belongs to no stage."""
    found = []
    for path in sorted((root / "symconv").rglob("*.py")):
        parts = module_parts(path, root)
        where, stage = path.relative_to(root).as_posix(), parts[1]
        if len(parts) == 2 and stage in SURFACE:
            continue
        if stage not in STAGES:
            found.append(f"{where} belongs to no stage")
            continue
        for line, name in imported_modules(ast.parse(path.read_text(encoding="utf-8")), parts):
            names = name.split(".")
            if names[0] != "symconv":
                continue
            target = names[1] if len(names) > 1 else ""
            if target not in STAGES:
                found.append(f"{where}:{line} imports {name} from the public surface")
            elif STAGES.index(target) > STAGES.index(stage):
                found.append(f"{where}:{line} imports {name}, which stands right of {stage}")
    return found


def write(root: Path, files: dict[str, str]) -> None:
    """Write source files below root."""
    for name, source in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")


def test_each_stage_imports_only_what_stands_left_of_it() -> None:
    assert (ROOT / "symconv" / "errors.py").is_file()
    assert import_violations(ROOT) == []


def test_the_line_accepts_what_it_allows(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "symconv/__init__.py": "from symconv.report.build import build\nfrom symconv.cli import main\n",
            "symconv/__main__.py": "from symconv.cli import main\n",
            "symconv/operators/window.py": "import sympy\nfrom symconv import errors\nfrom ..formulas import algebra\n",
            "symconv/operators/__init__.py": "from .window import Window\nfrom . import window\n",
            "symconv/cli.py": "import symconv.report.build as build\n",
        },
    )
    assert import_violations(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "source", "report"),
    [
        (
            "formulas/a.py",
            "import symconv.operators.window\n",
            ":1 imports symconv.operators.window, which stands right",
        ),
        (
            "formulas/a.py",
            "from symconv.report.build import x\n",
            ":1 imports symconv.report.build.x, which stands right",
        ),
        ("errors.py", "from symconv import formulas\n", ":1 imports symconv.formulas, which stands right of errors"),
        (
            "proofs/a.py",
            "from ..claims import check\n",
            ":1 imports symconv.claims.check, which stands right of proofs",
        ),
        ("proofs/__init__.py", "from .. import cli\n", ":1 imports symconv.cli, which stands right of proofs"),
        ("proofs/deep/a.py", "from ...audits import x\n", ":1 imports symconv.audits.x, which stands right of proofs"),
        (
            "kernels/a.py",
            "def f():\n    from symconv.audits import x\n",
            ":2 imports symconv.audits.x, which stands right",
        ),
        (
            "kernels/a.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from symconv.claims import x\n",
            ":3 imports symconv.claims.x, which stands right of kernels",
        ),
        ("audits/a.py", "import importlib\nimportlib.import_module('symconv.cli')\n", ":2 imports symconv.cli, which"),
        (
            "audits/a.py",
            "from importlib import import_module\nimport_module('..cli', __package__)\n",
            ":2 imports symconv.cli",
        ),
        ("report/a.py", "import symconv as sc\n", ":1 imports symconv from the public surface"),
        ("report/a.py", "from symconv import Conv\n", ":1 imports symconv.Conv from the public surface"),
        ("displays.py", "x = 1\n", " belongs to no stage"),
    ],
)
def test_the_line_reports_a_violation(tmp_path: Path, name: str, source: str, report: str) -> None:
    write(tmp_path, {f"symconv/{name}": source})
    violations = import_violations(tmp_path)
    assert len(violations) == 1
    assert violations[0].startswith(f"symconv/{name}{report}")


# --- no circle -------------------------------------------------------------------------------------------------------


def import_graph(root: Path) -> dict[str, set[str]]:
    """Which modules of the package each of them imports, in functions and for type checkers too."""
    files = {".".join(module_parts(path, root)): path for path in sorted((root / "symconv").rglob("*.py"))}

    def module_of(name: str) -> str | None:
        parts = name.split(".")
        for length in range(len(parts), 0, -1):
            start = ".".join(parts[:length])
            if start in files:
                return start
            if f"{start}.__init__" in files:
                return f"{start}.__init__"
        return None

    graph = {}
    for module, path in files.items():
        imported = imported_modules(ast.parse(path.read_text(encoding="utf-8")), module.split("."))
        found = {module_of(name) for _, name in imported}
        graph[module] = {name for name in found if name is not None and name != module}
    return graph


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """The largest sets of modules that import each other in a circle, by Tarjan's algorithm (1972)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        number[module] = lowest[module] = len(number)
        stack.append(module)
        for other in sorted(graph.get(module, ())):
            if other not in number:
                visit(other)
                lowest[module] = min(lowest[module], lowest[other])
            elif other in stack:
                lowest[module] = min(lowest[module], number[other])
        if lowest[module] == number[module]:
            position = stack.index(module)
            if len(stack) - position > 1:
                found.append(sorted(stack[position:]))
            del stack[position:]

    for module in graph:
        if module not in number:
            visit(module)
    return found


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(import_graph(ROOT)) == []


@pytest.mark.parametrize(
    "source",
    [
        "from symconv.claims.b import y\n",
        "from .b import y\n",
        "import symconv.claims.b\n",
        "def f():\n    from symconv.claims.b import y\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from symconv.claims.b import y\n",
        "from symconv.claims import b\n",
        "from symconv.claims.c import z\n",
    ],
)
def test_a_circle_is_reported(tmp_path: Path, source: str) -> None:
    files = {"a": source, "b": "from symconv.claims.a import x\n", "c": "from symconv.claims.b import y\n", "d": ""}
    write(tmp_path, {f"symconv/claims/{name}.py": text for name, text in files.items()})
    write(tmp_path, {"symconv/claims/__init__.py": "", "symconv/claims/d.py": "from symconv.claims.a import x\n"})
    found = circles(import_graph(tmp_path))
    expected = ["a", "b", "c"] if "claims.c" in source else ["a", "b"]
    assert found == [[f"symconv.claims.{name}" for name in expected]]


# --- no double name --------------------------------------------------------------------------------------------------

# Names that stand until their rooms are mended; nothing is added here.
DOUBLE_NAMES: set[str] = set()


def double_names(root: Path) -> dict[str, list[str]]:
    """The public classes that stand at more than one place, with their files."""
    places: dict[str, list[str]] = {}
    for path in sorted((root / "symconv").rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(path.relative_to(root).as_posix())
    return {name: files for name, files in places.items() if len(files) > 1}


def test_no_two_public_classes_have_one_name() -> None:
    found = double_names(ROOT)
    assert {name: files for name, files in found.items() if name not in DOUBLE_NAMES} == {}
    assert DOUBLE_NAMES - found.keys() == set(), "mended: take it off the list"


def test_a_double_name_is_reported(tmp_path: Path) -> None:
    files = {"a": "class Frame: ...\nclass _Own: ...\n", "b": "class Frame: ...\nclass _Own: ...\nclass View: ...\n"}
    write(tmp_path, {f"symconv/claims/{name}.py": text for name, text in files.items()})
    assert double_names(tmp_path) == {"Frame": ["symconv/claims/a.py", "symconv/claims/b.py"]}


# --- what the import of the package loads -----------------------------------------------------------------------------


def loaded_by(package: str, root: Path, watched: tuple[str, ...]) -> list[str]:
    """Which of the watched modules a fresh interpreter has loaded after `import package`."""
    program = f"import sys, {package}; print('\\n'.join(name for name in {watched!r} if name in sys.modules))"
    # -c puts the working directory first on the path, so that root's package is the one imported.
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_importing_symconv_loads_nothing_heavy() -> None:
    assert loaded_by("symconv", ROOT, LAZY) == []


def test_the_lazy_check_reports_an_eager_import(tmp_path: Path) -> None:
    write(tmp_path, {"eager/__init__.py": "import numpy.testing\nimport sympy\n"})
    assert loaded_by("eager", tmp_path, LAZY) == ["sympy", "numpy.testing"]


# --- what is never used: names that run the text of a user ------------------------------------------------------------

RUNS_TEXT = ("eval", "exec", "sympify", "parse_expr", "pickle")
PRINTED = {"symconv/kernels/backends/halide/wheel.py": "exec"}
"""What runs texts that symconv has printed: `tests/kernels/test_halide.py` holds that these are numbers and words of
its own, and nothing that a user wrote."""
PARSERS = ("sympy.parsing",)
PICKLERS = ("pickle", "cPickle", "_pickle", "dill", "cloudpickle", "shelve", "marshal")


def text_running_uses(source: str, where: str) -> list[str]:
    """Every use in Python source of a name that runs text as code.

    `model.eval()` of another library is a method and stands; `builtins.eval`, `sympy.S("...")`, which is sympify, and
    `allow_pickle=True` do not.
    """
    tree = ast.parse(source)
    sympify_calls = {"sympy.S"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            sympify_calls |= {f"{alias.asname or alias.name}.S" for alias in node.names if alias.name == "sympy"}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sympy":
            sympify_calls |= {alias.asname or alias.name for alias in node.names if alias.name == "S"}
    return [f"{where}:{line} uses {used}" for node in ast.walk(tree) for line, used in _uses(node, sympify_calls)]


def _uses(node: ast.AST, sympify_calls: set[str]) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Name) and node.id in RUNS_TEXT:
        yield node.lineno, node.id
    elif isinstance(node, ast.Attribute):
        built_in = ast.unparse(node.value) in ("builtins", "__builtins__")
        if node.attr in ("sympify", "parse_expr") or (node.attr in RUNS_TEXT and built_in):
            yield node.lineno, node.attr
    elif isinstance(node, ast.Import | ast.ImportFrom):
        module = node.module if isinstance(node, ast.ImportFrom) else None
        for alias in node.names:
            name = f"{module}.{alias.name}" if module else alias.name
            parser = any(name == parser or name.startswith(f"{parser}.") for parser in PARSERS)
            if parser or name.split(".")[0] in PICKLERS or alias.name in RUNS_TEXT:
                yield node.lineno, name
    elif isinstance(node, ast.Call):
        if ast.unparse(node.func) in sympify_calls:
            yield node.lineno, "S(...)"
        for keyword in node.keywords:
            allowed = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
            if keyword.arg == "allow_pickle" and not allowed:
                yield node.lineno, "allow_pickle"


def text_running_files(root: Path) -> list[str]:
    """The uses below root/symconv and root/templates; templates are scanned word by word, scripts in them included."""
    found = []
    for folder in ("symconv", "templates"):
        for path in sorted((root / folder).rglob("*")):
            where = path.relative_to(root).as_posix()
            if path.suffix == ".py":
                uses = text_running_uses(path.read_text(encoding="utf-8"), where)
                found += [use for use in uses if not use.endswith(f" uses {PRINTED.get(where)}")]
            elif folder == "templates" and path.is_file():
                for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
                    words = "".join(letter if letter.isalnum() or letter == "_" else " " for letter in line).split()
                    found += [f"{where}:{number} uses {word}" for word in words if word in RUNS_TEXT]
    return found


def test_nothing_runs_the_text_of_a_user() -> None:
    assert text_running_files(ROOT) == []


@pytest.mark.parametrize(
    ("source", "used"),
    [
        ("x = eval('1')\n", "eval"),
        ("run = exec\n", "exec"),
        ("import builtins\nbuiltins.eval('1')\n", "eval"),
        ("import sympy\nsympy.sympify('1')\n", "sympify"),
        ("from sympy import sympify as s\n", "sympy.sympify"),
        ("from sympy.parsing.sympy_parser import parse_expr\n", "sympy.parsing.sympy_parser.parse_expr"),
        ("from sympy import parsing\n", "sympy.parsing"),
        ("import sympy as sp\nsp.parse_expr('1')\n", "parse_expr"),
        ("import sympy as sp\nsp.S('1')\n", "S(...)"),
        ("from sympy import S\nS('1')\n", "S(...)"),
        ("def f():\n    import pickle\n", "pickle"),
        ("from pickle import loads\n", "pickle.loads"),
        ("import numpy as np\nnp.load('x', allow_pickle=True)\n", "allow_pickle"),
    ],
)
def test_the_scan_reports_a_use(tmp_path: Path, source: str, used: str) -> None:
    write(tmp_path, {"symconv/a.py": source})
    assert text_running_files(tmp_path) == [f"symconv/a.py:{source.count(chr(10))} uses {used}"]


def test_the_scan_reports_a_use_in_a_template(tmp_path: Path) -> None:
    write(tmp_path, {"templates/a.html.jinja": "<p>\n<script>eval(x)</script>\n", "templates/a.py": "exec('1')\n"})
    assert text_running_files(tmp_path) == ["templates/a.html.jinja:2 uses eval", "templates/a.py:1 uses exec"]


def test_the_scan_accepts_methods_singletons_and_prose(tmp_path: Path) -> None:
    source = '"""No eval."""\nfrom sympy import S\nhalf = S.Half\nmodel.eval()\nnp.load("x", allow_pickle=False)\n'
    write(tmp_path, {"symconv/a.py": source, "templates/a.tex.jinja": "evaluate the executed sum"})
    assert text_running_files(tmp_path) == []
