"""The judge of mutants: tests are collected once, and every mutant is tried in a fork of that process.

`python -m mutants.forked ORDER` (from `tests/`) reads an order (JSON: files of symconv, tests, and what to try) and
writes one line of JSON a mutant. Three things make one cheap:

- Statements of the files are counted while each test runs once, so that a mutant meets only tests that execute it,
  the quickest first. (The counting code is put in place in the same way as a mutant: that this works is checked by
  these very tests, all of which must pass.)
- A mutant is put in place by exchanging the code of its function, in a fork; nothing is imported or collected again.
- Only what already ran while symconv was imported and the tests were collected (tables, parameters of tests) needs a
  fresh import: a second process, which has loaded no more than SymPy, z3 and NumPy, is forked for that.

A test that runs for ten times its usual time is ended, and counts as red.
"""

from __future__ import annotations

import ast
import builtins
import functools
import gc
import importlib.abc
import importlib.util
import json
import os
import resource
import signal
import sys
import time
import traceback
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest
from mutants.changes import Change, changes

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = ["-q", "--tb=no", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:xdist"]
SLACK, TIMES, MEMORY = 3, 10, 6 << 30  # seconds and times that a test may take longer, and bytes that a fork may use
FRESH_AT_MOST = 12  # seconds of tests, quick ones first, that a freshly imported mutant meets

Place = tuple[str, int]  # of a function: its qualified name and first line
Mark = tuple[str, int]  # of a statement: file and line


class Source:
    """A file of symconv: its tree, its changes, and its code with or without marks."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.absolute = str(ROOT / path)
        self.module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        self.tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        self.changes = changes(self.tree)

    def code(self) -> CodeType:
        return compile(ast.fix_missing_locations(self.tree), self.absolute, "exec")

    def marked(self) -> CodeType:
        tree = ast.parse((ROOT / self.path).read_text(encoding="utf-8"))
        _Marking(self.path).visit(tree)
        return compile(ast.fix_missing_locations(tree), self.absolute, "exec")


class _Marking(ast.NodeTransformer):
    """Before every statement, a call that notes it."""

    def __init__(self, path: str) -> None:
        self.path = path

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                setattr(node, name, [s for statement in block for s in (*self.before(statement), statement)])
        return node

    def before(self, statement: ast.stmt) -> list[ast.stmt]:
        value = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(statement, ast.ImportFrom) or isinstance(value, ast.Constant):
            return []  # a docstring and `from __future__` must stay first
        note = ast.Call(
            ast.Name("__mutants_mark__", ast.Load()), [ast.Constant(self.path), ast.Constant(statement.lineno)], []
        )
        return [ast.copy_location(ast.Expr(note), statement)]


class Hook(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the given modules of symconv from code that is handed in."""

    def __init__(self, code: dict[str, tuple[str, Callable[[], CodeType]]]) -> None:
        self.code = code

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname not in self.code:
            return None
        file = self.code[fullname][0]
        places = [str(Path(file).parent)] if file.endswith("__init__.py") else None
        return importlib.util.spec_from_file_location(fullname, file, loader=self, submodule_search_locations=places)

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code[module.__name__][1](), vars(module))


def functions_in(code: CodeType) -> dict[Place, CodeType | None]:
    """The code of every function by its place; None where two (lambdas on one line) share one."""
    found: dict[Place, CodeType | None] = {}
    for const in code.co_consts:
        if isinstance(const, CodeType):
            place = (const.co_qualname, const.co_firstlineno)
            found[place] = None if place in found else const
            for inner, its in functions_in(const).items():
                found[inner] = None if inner in found else its
    return found


class Judge:
    """A pytest plugin that tries mutants instead of running the tests.

    Args:
        order: "files", "tests" (what to collect), and perhaps "only" (pairs of function and text) and "hints" (the
            tests to try first, by function); with "hints" nothing is counted, and only the tests named there are run.
        fresh: hands a mutant to the process that imports anew.
    """

    def __init__(self, order: dict[str, Any], fresh: Fresh, out: Any) -> None:
        self.sources = [Source(path) for path in order["files"]]
        self.only = {tuple(key) for key in order["only"]} if order.get("only") is not None else None
        self.hints: dict[str, list[str]] | None = order.get("hints")
        self.fresh, self.out = fresh, out
        self.bucket = ""
        self.marks: dict[str, set[Mark]] = defaultdict(set)  # what ran, by test, and by file while it was collected
        self.seconds: dict[str, float] = {}
        self.problems: list[str] = []
        self.killers: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.power: Counter[tuple[str, str]] = Counter()

    def mark(self, path: str, line: int) -> None:
        self.marks[self.bucket].add((path, line))

    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        if isinstance(collector, pytest.File):
            self.bucket = collector.nodeid

    def pytest_internalerror(self, excrepr: object) -> None:
        sys.stderr.write(f"{excrepr}\n")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.bucket = ""
        for (
            source
        ) in self.sources:  # what is imported no sooner than it is asked for would stay as it was in every fork
            importlib.import_module(source.module)
        self.items = {item.nodeid: item for item in session.items}
        self.numbers = dict(zip(self.items, numbered(self.items)))
        self.names = {number: name for name, number in self.numbers.items()}
        self.order = {nodeid: place for place, nodeid in enumerate(self.items)}
        gc.collect()
        objects = gc.get_objects()
        self.caches = [x for x in objects if isinstance(x, functools._lru_cache_wrapper)
                       and str(x.__module__).startswith("symconv")]  # fmt: skip
        files = {source.absolute for source in self.sources}
        self.functions: dict[str, list[FunctionType]] = defaultdict(list)
        for x in objects:
            if isinstance(x, FunctionType) and x.__code__.co_filename in files:
                self.functions[x.__code__.co_filename].append(x)
        del objects
        self.at_import = set().union(*(self.marks[b] for b in self.marks))
        if self.hints is None:
            self.count()
        gc.freeze()
        self.say(ready=len(self.items), problems=self.problems, seconds=self.seconds)
        for source in self.sources:
            for change in source.changes:
                if self.only is None or change.key in self.only:
                    self.judge(source, change)
        return True

    def say(self, **record: Any) -> None:
        self.out.write(json.dumps(record) + "\n")
        self.out.flush()

    def count(self) -> None:
        """Every test once, with the statements that it executes."""
        for source in self.sources:
            self.exchange(source, source.marked())
        for nodeid, item in self.items.items():
            read, write = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.close(read)
                status = 3
                try:
                    quiet()
                    self.forget()
                    self.bucket = ""
                    self.marks[""] = set()
                    began = time.process_time()
                    status = 1 if self.red(item) else 0
                    took = time.process_time() - began
                    with os.fdopen(write, "w") as pipe:
                        json.dump([took, sorted(self.marks[""])], pipe)
                finally:
                    os._exit(status)
            os.close(write)
            with os.fdopen(read) as pipe:
                text = pipe.read()
            _, status = os.waitpid(pid, 0)
            if status or not text:
                self.problems.append(f"{nodeid} fails with no change made")
                continue
            self.seconds[nodeid], marks = json.loads(text)
            self.marks[nodeid] = {tuple(mark) for mark in marks}
        for source in self.sources:
            self.exchange(source, source.code())

    def exchange(self, source: Source, code: CodeType) -> bool:
        """Puts the code of a file in place of that of its functions; False where one does not fit."""
        new = functions_in(code)
        fits = True
        for function in self.functions[source.absolute]:
            old = function.__code__
            other = new.get((old.co_qualname, old.co_firstlineno))
            if other is None or other.co_freevars != old.co_freevars:
                fits = False
            else:
                function.__code__ = other
        return fits

    def forget(self) -> None:
        """Nothing is remembered that was worked out by the code as it was."""
        for cache in self.caches:
            cache.cache_clear()

    def red(self, item: pytest.Item) -> bool:
        from _pytest.runner import runtestprotocol

        item._initrequest()  # type: ignore[attr-defined]
        reports = runtestprotocol(item, log=False, nextitem=None)
        return any(report.failed for report in reports)

    def judge(self, source: Source, change: Change) -> None:
        line = (source.path, change.statement.lineno)
        began = cpu()
        with change.made():
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    code = source.code()
            except (SyntaxError, ValueError, TypeError):
                return  # no program
            killer, way, tests = "", "exchange", self.candidates(source, change, line)
            if tests and not change.runs_at_import:
                killer = self.in_fork(source, code, tests)
            if not killer and line in self.at_import:
                way = "import"
                again = self.at_collection(source, change, line)
                killer = self.fresh.ask(source, [self.numbers[t] for t in again], self.limit(again))
                killer = self.names.get(killer, killer)
        if killer in self.items:
            self.killers[("" if way == "import" else change.function), source.path].append(killer)
            self.power[source.path, killer] += 1
        self.say(
            file=source.path, function=change.function, change=change.text, killer=killer, way=way, tests=len(tests),
            line=change.statement.lineno, cpu=round(cpu() - began, 2),
        )  # fmt: skip

    def candidates(self, source: Source, change: Change, line: Mark) -> list[str]:
        """The tests that execute a statement: first those that noticed a change of the function or file before."""
        if self.hints is not None:
            return [t for t in self.hints.get(change.function, []) if t in self.items]
        found = [t for t in self.items if line in self.marks[t]]
        return self.sorted(source, change, found)

    def at_collection(self, source: Source, change: Change, line: Mark) -> list[str]:
        """The tests of the test files that executed a statement when collected; of a table, first those of its file.

        The defaults of a record are read by code of other files; so a table is then tried by all the other tests.
        """
        own = {t for t in self.items if any(path == source.path for path, _ in self.marks[t])}
        if change.runs_at_import:
            found = list(self.seconds)
        else:
            found = [t for t in self.items if line in self.marks[t.partition("::")[0]]]
        last = dict.fromkeys(reversed(self.killers["", source.path]))
        some, seconds = list(last), 0.0
        for t in sorted((t for t in found if t not in last), key=lambda t: (t not in own, self.seconds[t])):
            seconds += self.seconds[t]
            if seconds > FRESH_AT_MOST:
                break
            some.append(t)
        return some

    def sorted(self, source: Source, change: Change, tests: list[str]) -> list[str]:
        last = {t: n for n, t in enumerate(dict.fromkeys(reversed(self.killers[change.function, source.path])), -1000)}
        power = {t: self.power[source.path, t] / (0.1 + self.seconds.get(t, 9.0)) for t in tests}
        return sorted(tests, key=lambda t: (last.get(t, 0), -power[t], self.seconds.get(t, 9.0), self.order[t]))

    def limit(self, tests: Iterable[str]) -> int:
        return int(SLACK + TIMES * sum(self.seconds.get(t, 1.0) for t in tests))

    def in_fork(self, source: Source, code: CodeType, tests: Sequence[str]) -> str:
        """The first test that is red, "" where none is."""
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            status = 3
            try:
                os.close(read)
                quiet()
                self.forget()
                if not self.exchange(source, code) and not self.functions[source.absolute]:
                    os._exit(2)
                for test in tests:
                    os.write(write, (test + "\n").encode())
                    signal.setitimer(signal.ITIMER_PROF, SLACK + TIMES * self.seconds.get(test, 1.0))
                    if self.red(self.items[test]):
                        os._exit(1)
                status = 0
            finally:
                os._exit(status)
        os.close(write)
        with os.fdopen(read, encoding="utf-8") as pipe:
            met = pipe.read().splitlines()
        _, status = os.waitpid(pid, 0)
        return "" if os.waitstatus_to_exitcode(status) == 0 else met[-1] if met else tests[0]


def cpu() -> float:
    """Seconds that the forks of this process have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def quiet() -> None:
    """What a fork that runs tests must not do: print, fill the memory, or run for ever."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    os.dup2(null, 2)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


class Fresh:
    """A process that has not imported symconv, and is forked for every mutant that needs a fresh import."""

    def __init__(self) -> None:
        self.requests, requests = os.pipe()
        answers, self.answers = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(requests)
            os.close(answers)
            try:
                self.serve()
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(0)
        os.close(self.requests)
        os.close(self.answers)
        self.to = os.fdopen(requests, "w", encoding="utf-8")
        self.from_ = os.fdopen(answers, encoding="utf-8")

    def ask(self, source: Source, tests: Sequence[str], seconds: int) -> str:
        """The test that is red, or "import" where it does not get so far; "" where none is."""
        if not tests:
            return ""
        text = ast.unparse(ast.fix_missing_locations(source.tree))
        request = {"module": source.module, "file": source.absolute, "text": text, "tests": tests, "seconds": seconds}
        self.to.write(json.dumps(request) + "\n")
        self.to.flush()
        return str(json.loads(self.from_.readline()))

    def serve(self) -> None:
        with os.fdopen(self.requests, encoding="utf-8") as lines, os.fdopen(self.answers, "w") as answers:
            for line in lines:
                answers.write(json.dumps(self.served(json.loads(line))) + "\n")
                answers.flush()

    @staticmethod
    def served(request: dict[str, Any]) -> str:
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            status = 3
            try:
                os.close(read)
                quiet()
                seconds = request["seconds"]
                resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    code = compile(request["text"], request["file"], "exec")
                sys.meta_path.insert(0, Hook({request["module"]: (request["file"], lambda: code)}))
                files = list(dict.fromkeys(test.partition("::")[0] for test in request["tests"]))
                plugin = _FirstRed(write, request["tests"])
                status = int(pytest.main([*SETTINGS, "-x", *files], plugins=[plugin]))
            finally:
                os._exit(status)
        os.close(write)
        with os.fdopen(read, encoding="utf-8") as pipe:
            met = pipe.read().splitlines()
        _, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED):
            raise RuntimeError(f"pytest does not find {request['tests']}")
        return "" if code == 0 else met[-1] if met else "import"


def numbered(nodeids: Iterable[str]) -> list[str]:
    """Tests by their file and number in it: what a test is called may change with a default that it prints."""
    counts: Counter[str] = Counter()
    result = []
    for nodeid in nodeids:
        file = nodeid.partition("::")[0]
        counts[file] += 1
        result.append(f"{file}::{counts[file]}")
    return result


class _FirstRed:
    """Runs the given tests in their order, and says which one it is at."""

    def __init__(self, write: int, tests: Sequence[str]) -> None:
        self.write, self.tests, self.started = write, tests, 0

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        found = dict(zip(numbered(item.nodeid for item in items), items))
        self.tests = [test for test in self.tests if test in found]
        items[:] = [found[test] for test in self.tests]

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        os.write(self.write, (self.tests[self.started] + "\n").encode())
        self.started += 1


def leaving_out(order: dict[str, Any]) -> list[str]:
    return [f"--deselect={test}" for test in order.get("not", [])]


def main(order: str) -> int:
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))  # this tree, not one that is installed
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    for heavy in ("sympy", "sympy.printing.latex", "z3", "numpy", "hypothesis", "lark", "jinja2"):
        importlib.import_module(heavy)
    from hypothesis import HealthCheck, Phase, settings

    settings.register_profile(
        "mutants", phases=[Phase.explicit, Phase.generate], derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    settings.load_profile("mutants")
    fresh = Fresh()
    request = json.loads(Path(order).read_text(encoding="utf-8"))
    judge = Judge(request, fresh, out)
    if judge.hints is None:
        vars(builtins)["__mutants_mark__"] = judge.mark
        hooked = {source.module: (source.absolute, source.marked) for source in judge.sources}
        sys.meta_path.insert(0, Hook(hooked))
    return int(pytest.main([*SETTINGS, *leaving_out(request), *request["tests"]], plugins=[judge]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
