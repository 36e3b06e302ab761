"""One meaning of every edge case: `.at`, `.sympy()` and `.values` against plain loops at the smallest sizes.

Windows without a real tap, data that are all zero, ties and entries next to the padding.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import inf, isnan
from typing import Any

import pytest
import sympy

from symconv.formulas.formula import Formula
from symconv.operators.pooling import AvgPool, LPPool, MaxPool, Pooling

GEOMETRIES = [  # input, kernel, stride, padding, dilation; with the second padding some windows hold no real tap
    (1, 1, 1, 0, 1),
    (1, 2, 1, 1, 2),
    (1, 1, 1, 1, 1),
    (2, 2, 1, 1, 1),
    (3, 2, 2, 1, 1),
]
POOLS: list[tuple[Any, dict[str, Any]]] = [
    (MaxPool, {}),
    (MaxPool, {"ties": "split"}),
    (AvgPool, {}),
    (AvgPool, {"count_include_pad": False}),
    (AvgPool, {"divisor_override": 3}),
    *((LPPool, {"norm_type": p}) for p in (1, 2, 3, Fraction(3, 2), inf)),
]
CASES = [(kind, options, geometry) for kind, options in POOLS for geometry in GEOMETRIES]
DATA = [(0, 0, 0), (1, 1, 1), (-1, -1, -1), (0, 2, 0), (-2, 2, 1)]


def layer(kind: Any, options: dict[str, Any], geometry: tuple[int, ...]) -> Pooling:
    _, k, s, p, d = geometry
    found: Pooling = kind(kernel_size=(k,), stride=s, padding=p, dilation=d, **options)
    return found


def taps(geometry: tuple[int, ...], o: int) -> list[int]:
    _, k, s, p, d = geometry
    return [s * o + d * m - p for m in range(k)]


def pooled(kind: Any, options: dict[str, Any], geometry: tuple[int, ...], x: tuple[int, ...], o: int) -> float:
    """One output, by the definition of the layer."""
    n = geometry[0]
    real = [x[i] for i in taps(geometry, o) if 0 <= i < n]
    if kind is MaxPool:
        return float(max(real, default=-inf))
    if kind is AvgPool:
        counted = len(real) if options.get("count_include_pad") is False else geometry[1]
        counted = options.get("divisor_override", counted)
        return sum(real) / counted if counted else float("nan")
    p = options["norm_type"]
    if p == inf:
        return float(max(map(abs, real), default=0))
    return float(sum(abs(v) ** float(p) for v in real) ** (1 / float(p)))


def slope(kind: Any, options: dict[str, Any], geometry: tuple[int, ...], x: tuple[int, ...], o: int, i: int) -> float:
    """The derivative of one output by one input entry, at a kink as the layer declares it."""
    n = geometry[0]
    real = [j for j in taps(geometry, o) if 0 <= j < n]
    if kind is AvgPool:
        counted = len(real) if options.get("count_include_pad") is False else geometry[1]
        counted = options.get("divisor_override", counted)
        return real.count(i) / counted if counted else 0.0  # what is averaged over nothing reads no entry
    if i not in real:
        return 0.0
    top = kind is MaxPool or options["norm_type"] == inf
    if top:
        sizes = [x[j] if kind is MaxPool else abs(x[j]) for j in real]
        best = [j for j, size in zip(real, sizes, strict=True) if size == max(sizes)]
        share = 1 / len(best) if options.get("ties") == "split" else 1.0
        share = share if options.get("ties") == "split" or best[0] == i else 0.0
        return share * (i in best) * (1 if kind is MaxPool else (x[i] > 0) - (x[i] < 0))
    p, y = float(options["norm_type"]), pooled(kind, options, geometry, x, o)
    sign = (x[i] > 0) - (x[i] < 0)
    return 0.0 if y == 0 else sign * abs(x[i]) ** (p - 1) / y ** (p - 1)


def same(found: Any, due: float) -> bool:
    number = float(found)
    return (isnan(number) and isnan(due)) or number == due or abs(number - due) < 1e-12


def at_numbers(expr: Any, x: tuple[int, ...]) -> Any:
    """An entry at numbers, all put in at once, so that 0/0 is seen."""
    a = sympy.IndexedBase("a")
    return expr.xreplace({a[i]: sympy.Integer(value) for i, value in enumerate(x)}).doit()


def points(formula: Formula, n: int) -> list[tuple[int, ...]]:
    return list(product(*map(range, formula.shape(n))))


@pytest.mark.parametrize(("kind", "options", "geometry"), CASES)
def test_outputs_and_derivatives_mean_the_same_everywhere(
    kind: Any, options: dict[str, Any], geometry: tuple[int, ...]
) -> None:
    op, n = layer(kind, options, geometry), geometry[0]
    for formula, due in ((op.output(), pooled), (op.derivative("input"), slope)):
        for x in dict.fromkeys(data[:n] for data in DATA):
            values = formula.values({"a": list(x)}, n)
            for point in points(formula, n):
                wanted = due(kind, options, geometry, x, *point)  # type: ignore[operator]
                assert same(values[point], wanted), (formula.quantity.kind, x, point, "values")
                entry = at_numbers(formula.at(*point, input_size=n), x)
                assert same(entry, wanted), (formula.quantity.kind, x, point, "at", entry)


@pytest.mark.parametrize("p", [1, 2, inf])
def test_a_closed_form_reads_no_entry_outside_the_input(p: Any) -> None:
    formula = LPPool(p, (2,), 1, padding=1).output()
    for point in range(4):
        env = {formula.table["I"]: 3, formula.table["p"]: point}
        written = formula.sympy().subs(env).doit()
        assert {index for entry in written.atoms(sympy.Indexed) for index in entry.indices} <= {0, 1, 2}
        assert sympy.simplify(written - formula.at(point, input_size=3)) == 0
