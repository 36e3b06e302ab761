"""The symbolic workloads: compiling, importing, deriving, matrices of entries, proofs, claims.

What is slow only the first time is done with something new at every sample: other sizes, other letters, or a fresh
interpreter.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

from symconv.bench.case import BenchSettings, Case, Cold, Contender, Workload
from symconv.bench.records import Mark
from symconv.errors import SymconvError

__all__ = ["symbolic_workloads"]


def symbolic_workloads() -> Iterator[Workload]:
    """All of them, in the order of the table."""
    for name, what, build, seconds in TIMES:
        mark = None if seconds is None else Mark("seconds", seconds)
        yield Workload(name, "time", what, build, mark, quick=name in ("compile-conv", "import"))
    for name, what, build, mark in SYMBOLS:
        yield Workload(name, "symbols", what, build, mark, quick=name == "derive")


PROVE = """
unproved = [entry.name for entry in theorems() if entry.verdict.status != "proved"]
assert not unproved, f"not proved: {', '.join(unproved)}"
"""


def _timed(work: Callable[[], Any]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def _fresh(statement: str, before: str = "pass") -> float:
    """How long a statement takes in a new interpreter, without the start of the interpreter itself."""
    program = (
        f"{before}\nfrom time import perf_counter\nstart = perf_counter()\n{statement}\nprint(perf_counter() - start)"
    )
    done = subprocess.run(  # noqa: S603 (this very interpreter, and no text of a user)
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SymconvError((done.stderr.strip().splitlines() or ["the interpreter ended with an error"])[-1])
    return float(done.stdout.split()[-1])


def _command(*arguments: str) -> float:
    """How long a command of symconv takes, from the start of the interpreter to its end."""
    command = [sys.executable, "-m", "symconv", *arguments]
    return _timed(lambda: subprocess.run(command, capture_output=True, check=True))  # noqa: S603


def _compile(what: str) -> Cold:
    """Another number of channels, or another window, at every sample; the first one, which imports, is not counted."""
    import numpy as np

    from symconv.kernels.compile import compile
    from symconv.operators.base import Operator
    from symconv.operators.convolution import Conv
    from symconv.operators.pooling import LPPool

    generator = np.random.default_rng(3)

    def sample(n: int) -> float:
        channels = 64 + n
        op: Operator = Conv((3, 3), padding=1, in_channels=64, out_channels=channels)
        weight = None
        if what == "lp":
            op = LPPool(2, (2 + n, 2 + n))
        elif what == "weight":
            op = Conv((3, 3), padding=1, in_channels=32, out_channels=channels)
            weight = generator.standard_normal((channels, 32, 3, 3)).astype("float32")
        elif what == "call":
            small = Conv((3, 3), padding=1, in_channels=1 + n, out_channels=2)
            x, w = np.ones((1, 1 + n, 8, 8), "float32"), np.ones((2, 1 + n, 3, 3), "float32")
            return _timed(lambda: compile(small)(x, w))
        return _timed(lambda: compile(op, weight=weight))

    sample(0)
    return Cold(lambda n: sample(n + 1))


def _derive(n: int) -> float:
    """A window, a stride and a padding that were not derived before."""
    from symconv.derivations.derive import derive
    from symconv.operators.convolution import Conv

    op = Conv((3 + n // 3, 3), stride=1 + n % 3, padding=1, bias=True)

    def work() -> None:
        for variable in ("input", "weight", "bias"):
            for step in derive(op, "gradient", variable).steps:
                assert step.verdict is None or step.verdict.status != "refuted"

    return _timed(work)


# --- matrices of entries, against SymPy by itself ---------------------------------------------------------------------

Naive = Callable[[int, Any, Any, Any], Any]


def _matrix(size: int, naive: Naive) -> Case:
    """``gradient("input").matrix`` of a 3 x 3 convolution; both sides use new letters at every call."""
    import sympy

    from symconv.operators.convolution import Conv

    op = Conv((3, 3), padding=1)
    count = iter(range(10**9))

    def ours() -> Any:
        n = next(count)
        names = {"input": f"a{n}", "weight": f"b{n}", "output": f"c{n}", "upstream": f"g{n}"}
        return op.gradient("input", names=names).matrix((size, size))

    def theirs() -> Any:
        n = next(count)
        return naive(size, *(sympy.IndexedBase(f"{letter}{n}") for letter in "abg"))

    return Case(ours, (Contender("SymPy", "SymPy", theirs),), _entries_differ, 0.0, libraries=("SymPy",))


def _built(size: int, a: Any, b: Any, g: Any) -> Any:
    """The gradient's sums, written down entry by entry."""
    import sympy

    del a
    return sympy.Matrix(
        size,
        size,
        lambda i, j: sympy.Add(
            *(
                b[m, n] * g[i + 1 - m, j + 1 - n]
                for m in range(3)
                for n in range(3)
                if 0 <= i + 1 - m < size and 0 <= j + 1 - n < size
            )
        ),
    )


def _differentiated(size: int, a: Any, b: Any, g: Any) -> Any:
    """The error as one sum, differentiated by every entry of the input."""
    import sympy

    terms = [
        g[p, q] * a[p + m - 1, q + n - 1] * b[m, n]
        for p in range(size)
        for q in range(size)
        for m in range(3)
        for n in range(3)
        if 0 <= p + m - 1 < size and 0 <= q + n - 1 < size
    ]
    error = sympy.Add(*terms)
    return sympy.Matrix(size, size, lambda i, j: sympy.diff(error, a[i, j]))


def _entries_differ(ours: Any, theirs: Any) -> float:
    """0 where two matrices have equal entries once the letters are the same, else infinity."""
    import sympy

    def renamed(matrix: Any) -> Any:
        entries = sympy.Matrix(matrix)
        letters = {atom.base for atom in entries.atoms(sympy.Indexed)}
        plain = {atom: sympy.Symbol(f"{str(atom.base)[0]}{atom.indices}") for atom in entries.atoms(sympy.Indexed)}
        assert len({str(letter)[0] for letter in letters}) == len(letters)
        return entries.xreplace(plain)

    if ours.shape != theirs.shape:
        return float("inf")
    difference = renamed(ours) - renamed(theirs)
    return 0.0 if all(sympy.expand(entry) == 0 for entry in difference) else float("inf")


# --- claims -----------------------------------------------------------------------------------------------------------


def _claims(settings: BenchSettings) -> Cold:
    """One sample a claim."""
    from symconv.claims.check import check_source
    from symconv.problems.reading import load_problem

    if settings.problem is None:
        raise SymconvError("no problem file was given whose claims could be checked")
    sources = load_problem(settings.problem).claims
    if not sources:
        raise SymconvError(f"{settings.problem.name} makes no claims that could be checked")
    return Cold(lambda n: _timed(lambda: check_source(sources[n])), most=len(sources), least=len(sources))


# --- the rows ---------------------------------------------------------------------------------------------------------

Build = Callable[[BenchSettings], Case | Cold]

TIMES: tuple[tuple[str, str, Build, float | None], ...] = (
    ("compile-conv", "compile a convolution of 64 channels not seen before", lambda _: _compile("conv"), 0.05),
    ("compile-weight", "compile one for a given weight", lambda _: _compile("weight"), 0.05),
    ("compile-lp", "compile an LP pooling", lambda _: _compile("lp"), 0.05),
    ("compile-and-call", "compile a convolution and call it on 8 x 8", lambda _: _compile("call"), None),
    ("import", "import symconv, in a fresh interpreter", lambda _: Cold(lambda _: _fresh("import symconv"), 5), 0.2),
    ("help", "symconv --help, start to end", lambda _: Cold(lambda _: _command("--help"), 5), 0.2),
)
"""Of every time: the name, what is timed, how, and the most seconds it may take."""

SYMBOLS: tuple[tuple[str, str, Build, Mark], ...] = (
    (
        "derive",
        "the three gradients of a convolution, derived and proved step by step",
        lambda _: Cold(_derive),
        Mark("seconds", 1.0),
    ),
    (
        "matrix",
        "the input gradient at 16 x 16, all entries; the peer only builds the same sums in SymPy",
        lambda _: _matrix(16, _built),
        Mark("ratio", 0.5),
    ),
    (
        "matrix-diff",
        "the input gradient at 5 x 5, all entries; the peer differentiates the error with sympy.diff",
        lambda _: _matrix(5, _differentiated),
        Mark("ratio", 1.0),
    ),
    (
        "theorems",
        "all theorems proved, in a fresh interpreter",
        lambda _: Cold(lambda _: _fresh(PROVE, "from symconv.derivations.theorems import theorems"), 1),
        Mark("seconds", 15.0),
    ),
    ("claims", "a claim of a problem file checked, the median one", _claims, Mark("seconds", 0.5)),
)
"""Of every symbolic workload: the name, what it is, how, and the mark."""
