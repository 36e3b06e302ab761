"""From a program to a function: ``sympy.lambdify`` prints and compiles its steps, each of which is one node for it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy
import sympy
from sympy.core.symbol import Str
from sympy.printing.numpy import NumPyPrinter

from symconv.kernels.programs.program import Program

__all__ = ["Emitted", "Programs", "emit"]


class ArrayCode(sympy.Basic):  # type: ignore[misc]
    """One side of the line of a step."""


class KernelPrinter(NumPyPrinter):  # type: ignore[misc]
    """SymPy's NumPy printer, with the steps of array programs added."""

    def __init__(self) -> None:
        super().__init__({"fully_qualified_modules": True, "inline": True, "allow_unknown_functions": True})

    def _print_ArrayCode(self, expr: Any) -> str:  # noqa: N802
        code: str = expr.args[0].name
        return code


@dataclass(frozen=True, eq=False)
class Emitted:
    """A program, the function that runs it, and the source of that function."""

    program: Program
    function: Callable[..., Any]
    source: str


def emit(program: Program) -> Emitted:
    """Lambdify a program. The source is read back from what was compiled, so it is what runs."""
    steps = [(ArrayCode(Str(step.assigned)), ArrayCode(Str(step.code))) for step in program.steps]
    results = tuple(sympy.Symbol(name) for name in program.results)
    function = sympy.lambdify(
        [sympy.Symbol(name) for name in program.parameters],
        results[0] if len(results) == 1 else results,
        modules=[{"numpy": numpy}],
        printer=KernelPrinter(),
        cse=lambda result: (steps, result),  # the steps take the place of common subexpressions
        docstring_limit=0,
    )
    source = inspect.getsource(function).replace("def _lambdifygenerated(", f"def {program.name}(", 1)
    return Emitted(program, function, source)


class Programs:
    """The programs that have been emitted, by what makes them and of which stage."""

    def __init__(self) -> None:
        self._found: dict[tuple[Any, ...], Emitted] = {}

    def __call__(self, kind: Callable[..., Program], *of: Any) -> Emitted:
        """The function of the program that `kind` makes of a stage, if any, and options."""
        key = (kind, *of)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = emit(kind(*of))
        return found
