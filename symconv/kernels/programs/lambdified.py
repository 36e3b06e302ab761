"""From a program to a function: every step becomes a SymPy node, and ``sympy.lambdify`` prints and compiles them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy
import sympy
from sympy.core.symbol import Str
from sympy.printing.numpy import NumPyPrinter

from symconv.kernels.programs.program import (
    INFINITY,
    Apply,
    AxisPart,
    Bytes,
    Copy,
    FixedEntry,
    Gather,
    Operand,
    Program,
    Scatter,
    SpreadView,
    Step,
    TapView,
    TiledView,
    Total,
)

__all__ = ["Emitted", "Programs", "emit"]


class ArrayPart(sympy.Basic):  # type: ignore[misc]
    """One axis of a view: start, extent (or an empty name), step, shortening."""


class ArrayView(sympy.Basic):  # type: ignore[misc]
    """A view of an array, one `ArrayPart` a spatial axis."""


class ArrayWindows(sympy.Basic):  # type: ignore[misc]
    """An array as windows that tile it: the source and the numbers of taps."""


class ArraySpread(sympy.Basic):  # type: ignore[misc]
    """An array with an axis of one entry after each spatial one with taps: the source and their numbers."""


class ArrayEntry(sympy.Basic):  # type: ignore[misc]
    """Fixed entries of an array: the source, the number of axes before them, the entries."""


class ArrayApply(sympy.Basic):  # type: ignore[misc]
    """A NumPy function that writes into an array: its name, the array, the mask (or an empty name), the arguments."""


class ArrayWhole(sympy.Basic):  # type: ignore[misc]
    """All entries of an array, as the target of a copy."""


class ArrayTotal(sympy.Basic):  # type: ignore[misc]
    """A sum over axes: the source and the axes."""


class ArrayBytes(sympy.Basic):  # type: ignore[misc]
    """The bytes of a mask."""


class ArrayGather(sympy.Basic):  # type: ignore[misc]
    """Entries of a flat array: the source, the places, the target."""


class ArrayScatter(sympy.Basic):  # type: ignore[misc]
    """An addition to entries of a flat array: the target, the places, the source."""


class ArrayPlaces(sympy.Basic):  # type: ignore[misc]
    """Entries of a flat array as the target of an assignment: the array and the places."""


class KernelPrinter(NumPyPrinter):  # type: ignore[misc]
    """SymPy's NumPy printer, with the nodes of array programs added."""

    def __init__(self) -> None:
        super().__init__({"fully_qualified_modules": True, "inline": True, "allow_unknown_functions": True})

    def _print_Infinity(self, expr: Any) -> str:  # noqa: N802
        return "numpy.inf"

    def _print_ArrayPart(self, expr: Any) -> str:  # noqa: N802
        start, extent, step, shorter = expr.args
        if not extent.name:
            return ":"
        offset = int(start) - int(shorter)
        stop = extent.name if offset == 0 else f"{extent.name} {'+' if offset > 0 else '-'} {abs(offset)}"
        return f"{start if start else ''}:{stop}" + ("" if step == 1 else f":{step}")

    def _print_ArrayView(self, expr: Any) -> str:  # noqa: N802
        source, *parts = expr.args
        return f"{self._print(source)}[..., {', '.join(self._print(part) for part in parts)}]"

    def _print_ArrayWindows(self, expr: Any) -> str:  # noqa: N802
        source, *taps = expr.args
        name, ndim = self._print(source), len(taps)
        sizes = [f"{name}.shape[{axis - ndim}]" for axis in range(ndim)]
        sizes = [size if tap == 1 else f"{size} // {tap}, {tap}" for size, tap in zip(sizes, taps, strict=True)]
        return f"{name}.reshape((*{name}.shape[:-{ndim}], {', '.join(sizes)}))"

    def _print_ArraySpread(self, expr: Any) -> str:  # noqa: N802
        source, *taps = expr.args
        return f"{self._print(source)}[..., {', '.join(':' if tap == 1 else ':, None' for tap in taps)}]"

    def _print_ArrayEntry(self, expr: Any) -> str:  # noqa: N802
        source, lead, *entries = expr.args
        return f"{self._print(source)}[{', '.join([':'] * int(lead) + [str(entry) for entry in entries])}]"

    def _print_ArrayApply(self, expr: Any) -> str:  # noqa: N802
        function, target, where, *args = expr.args
        shown = [self._print(arg) for arg in args] + [f"out={self._print(target)}"]
        if where.name:
            shown.append(f"where={where.name}")
        return f"numpy.{function.name}({', '.join(shown)})"

    def _print_ArrayWhole(self, expr: Any) -> str:  # noqa: N802
        return f"{self._print(expr.args[0])}[...]"

    def _print_ArrayTotal(self, expr: Any) -> str:  # noqa: N802
        source, *axes = expr.args
        listed = ", ".join(str(axis) for axis in axes)
        return f"numpy.sum({self._print(source)}, axis=({listed}{',' if len(axes) == 1 else ''}), keepdims=True)"

    def _print_ArrayBytes(self, expr: Any) -> str:  # noqa: N802
        return f"{self._print(expr.args[0])}.view(numpy.uint8)"

    def _print_ArrayGather(self, expr: Any) -> str:  # noqa: N802
        source, index, target = (self._print(arg) for arg in expr.args)
        return f'numpy.take({source}, {index}, out={target}, mode="clip")'  # "raise" would buffer the output

    def _print_ArrayScatter(self, expr: Any) -> str:  # noqa: N802
        return f"numpy.add.at({', '.join(self._print(arg) for arg in expr.args)})"

    def _print_ArrayPlaces(self, expr: Any) -> str:  # noqa: N802
        target, index = (self._print(arg) for arg in expr.args)
        return f"{target}[{index}]"


@dataclass(frozen=True, eq=False)
class Emitted:
    """A program, the function that runs it, and the source of that function."""

    program: Program
    function: Callable[..., Any]
    source: str


def emit(program: Program) -> Emitted:
    """Lambdify a program. The source is read back from what was compiled, so it is what runs."""
    steps = [(_target(step), _node(step)) for step in program.steps]
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


def _target(step: Step) -> Any:
    name = sympy.Symbol(step.target)
    if isinstance(step, Scatter):
        return ArrayPlaces(name, sympy.Symbol(step.index)) if step.fresh else sympy.Symbol("_")
    return ArrayWhole(name) if isinstance(step, Copy) else name


def _node(step: Step) -> Any:
    if isinstance(step, Copy):
        return _operand(step.source)
    if isinstance(step, TapView):
        return ArrayView(sympy.Symbol(step.source), *(_part(part) for part in step.parts))
    if isinstance(step, TiledView):
        return ArrayWindows(sympy.Symbol(step.source), *map(sympy.Integer, step.taps))
    if isinstance(step, SpreadView):
        return ArraySpread(sympy.Symbol(step.source), *map(sympy.Integer, step.taps))
    if isinstance(step, FixedEntry):
        return ArrayEntry(sympy.Symbol(step.source), sympy.Integer(step.lead), *map(sympy.Integer, step.entries))
    if isinstance(step, Bytes):
        return ArrayBytes(sympy.Symbol(step.source))
    if isinstance(step, Gather):
        return ArrayGather(sympy.Symbol(step.source), sympy.Symbol(step.index), sympy.Symbol(step.target))
    if isinstance(step, Scatter):
        source = sympy.Symbol(step.source)
        return source if step.fresh else ArrayScatter(sympy.Symbol(step.target), sympy.Symbol(step.index), source)
    if isinstance(step, Total):
        return ArrayTotal(sympy.Symbol(step.source), *map(sympy.Integer, step.axes))
    assert isinstance(step, Apply)
    target, where = sympy.Symbol(step.target), Str(step.where or "")
    return ArrayApply(Str(step.function), target, where, *(_operand(arg) for arg in step.args))


def _part(part: AxisPart) -> Any:
    return ArrayPart(
        sympy.Integer(part.start), Str(part.extent or ""), sympy.Integer(part.step), sympy.Integer(part.shorter)
    )


def _operand(value: Operand) -> Any:
    if value == INFINITY:
        return sympy.oo
    if isinstance(value, str):
        return sympy.Symbol(value)
    return sympy.Rational(value.numerator, value.denominator) if isinstance(value, Fraction) else sympy.Integer(value)
