"""One meaning of every edge case: formulas, SymPy, proofs and kernels against plain loops at the smallest sizes.

Windows without a real tap, windows of padding only, data that are all zero, ties, the overhang of ceil_mode, negative
padding, dilation, norms of order 1, 3/2 and infinity, and two axes. What the loops say is said by `.values`, `.at`,
`.sympy()`, by the exact evaluation behind a verdict, and by the kernel that is compiled.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import inf, isnan, nan, prod
from typing import Any

import numpy as np
import pytest
import sympy

import symconv as sc
from symconv.errors import ArgumentError
from symconv.formulas.algebra import Access, Bracket, Node, Power, add, const, equal
from symconv.formulas.algebra import product as times
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.walks import transform

Place = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """A pooling by its options, one tuple of input size, kernel, stride, padding before and after, dilation an axis."""

    kind: str
    axes: tuple[tuple[int, int, int, tuple[int, int], int], ...]
    ceil: bool = False
    p: Any = None
    ties: str = "first"
    counted: bool = True
    divisor: int | None = None

    def operator(self) -> Any:
        sizes = dict(
            zip(("kernel_size", "stride", "padding", "dilation"), list(zip(*self.axes, strict=True))[1:], strict=True)
        )
        if self.kind in ("Dilation", "Erosion"):
            return getattr(sc, self.kind)(**sizes)
        sizes["ceil_mode"] = self.ceil
        if self.kind == "MaxPool":
            return sc.MaxPool(**sizes, ties=self.ties)
        if self.kind == "LPPool":
            return sc.LPPool(self.p, **sizes)
        return sc.AvgPool(**sizes, count_include_pad=self.counted, divisor_override=self.divisor)

    @property
    def size(self) -> Place:
        return tuple(n for n, *_ in self.axes)

    def outputs(self) -> list[Place]:
        """All outputs: every window that fits, and with ceil_mode the next one where it starts before the end."""
        counts = []
        for n, k, s, (before, after), d in self.axes:
            room = n + before + after - d * (k - 1) - 1
            count = room // s + 1
            if self.ceil and room % s and count * s < n + before:
                count += 1
            counts.append(count)
        return list(product(*map(range, counts)))

    def taps(self, o: Place) -> list[tuple[Place, Place]]:
        """The taps of a window with the places that they read, the padding included."""
        found = []
        for m in product(*(range(k) for _, k, *_ in self.axes)):
            read = (
                s * at + d * tap - before for at, tap, (_, _, s, (before, _), d) in zip(o, m, self.axes, strict=True)
            )
            found.append((m, tuple(read)))
        return found

    def real(self, o: Place) -> list[tuple[Place, Place]]:
        return [(m, i) for m, i in self.taps(o) if all(0 <= at < n for at, n in zip(i, self.size, strict=True))]

    def divides_by(self, o: Place) -> int:
        if self.divisor is not None:
            return self.divisor
        if not self.counted:
            return len(self.real(o))
        inside = [
            all(at < n + a for at, (n, _, _, (_, a), _) in zip(i, self.axes, strict=True)) for _, i in self.taps(o)
        ]
        return sum(inside)  # the overhang of ceil_mode never counts

    def value(self, o: Place, x: dict[Place, int], b: dict[Place, int]) -> Node | float:
        """One output by the definition of the layer: an exact number, or nan or an infinity where there is none."""
        real = self.real(o)
        if self.kind == "AvgPool":
            count = self.divides_by(o)
            return const(Fraction(sum(x[i] for _, i in real), count)) if count else nan
        if self.kind == "LPPool":
            sizes = [abs(x[i]) for _, i in real]
            if self.p == inf:
                return const(max(sizes, default=0))
            return root(sizes, self.p, 1 / Fraction(self.p))
        values = [moved(self.kind, x[i], b.get(m, 0)) for m, i in real]
        worst = inf if self.kind == "Erosion" else -inf
        return const(Fraction(best(self.kind, values))) if values else worst

    def slope(self, o: Place, j: Place, x: dict[Place, int], b: dict[Place, int]) -> Node:
        """The derivative of one output by one input entry, at a kink as the layer declares it."""
        real = self.real(o)
        if j not in [i for _, i in real]:
            return const(0)
        if self.kind == "AvgPool":
            return const(Fraction(1, self.divides_by(o)))
        sign = (x[j] > 0) - (x[j] < 0)
        if self.kind == "LPPool" and self.p != inf:
            p = Fraction(self.p)
            sizes = [abs(x[i]) for _, i in real]
            if not any(sizes) or not sign:
                return const(0)
            return times(const(sign), power(abs(x[j]), p - 1), root(sizes, p, (1 - p) / p))
        values = [abs(x[i]) if self.kind == "LPPool" else moved(self.kind, x[i], b.get(m, 0)) for m, i in real]
        top = [i for (_, i), value in zip(real, values, strict=True) if value == best(self.kind, values)]
        share = Fraction(1, len(top)) if self.ties == "split" else Fraction(top[0] == j)
        return const(share * (j in top) * (sign if self.kind == "LPPool" else 1))


def moved(kind: str, entry: int, weight: int) -> int:
    return entry - weight if kind == "Erosion" else entry + weight


def best(kind: str, values: list[int]) -> int:
    return min(values) if kind == "Erosion" else max(values)


def power(base: int, exponent: Fraction) -> Node:
    return (
        const(Fraction(base) ** exponent.numerator)
        if exponent.denominator == 1
        else Power(const(base), const(exponent))
    )


def root(sizes: list[int], p: Any, exponent: Fraction) -> Node:
    """``(sum of |x|**p) ** exponent``; 0 where the sum is."""
    if not any(sizes):
        return const(0)
    total = add(*(power(size, Fraction(p)) for size in sizes if size))
    return Power(total, const(exponent)) if exponent != 1 else total


def number(node: Node | float) -> float:
    """The value of what the loops have made."""
    if isinstance(node, float):
        return node
    if isinstance(node, Power):
        return number(node.base) ** number(node.exponent)
    if hasattr(node, "args"):
        parts = [number(arg) for arg in node.args]
        return sum(parts) if type(node).__name__ == "Plus" else prod(parts)
    return float(node.value)  # type: ignore[union-attr]


def exact(node: Node | float) -> bool:
    """Whether it is a rational number, or nothing: sums of roots may stay undecided."""
    return isinstance(node, float) or hasattr(node, "value")


LINE = [  # input, kernel, stride, padding, dilation of one axis; in the second and third some windows hold no real tap
    (1, 1, 1, (0, 0), 1),
    (1, 2, 1, (1, 1), 2),
    (1, 1, 1, (1, 1), 1),
    (2, 2, 1, (1, 1), 1),
    (3, 2, 2, (1, 0), 1),
    (4, 2, 1, (-1, 0), 1),
    (4, 2, 2, (0, -1), 1),
    (4, 2, 1, (2, 1), 3),
]
CEIL = [(2, 2, 3, (1, 1), 1), (3, 2, 2, (0, 1), 1), (4, 3, 2, (1, 0), 1), (2, 1, 2, (1, 1), 1)]
PLANES = [
    ((2, 2, 1, (1, 0), 1), (1, 1, 1, (0, 1), 1)),
    ((1, 2, 1, (1, 1), 2), (2, 2, 2, (0, 0), 1)),
]
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("MaxPool", {}),
    ("MaxPool", {"ties": "split"}),
    ("AvgPool", {}),
    ("AvgPool", {"counted": False}),
    ("AvgPool", {"divisor": 3}),
    *(("LPPool", {"p": p}) for p in (1, 2, 3, Fraction(3, 2), inf)),
    ("Dilation", {}),
    ("Erosion", {}),
]
LAYERS = [
    *(Layer(kind, (axis,), **options) for kind, options in KINDS for axis in LINE),
    *(Layer(kind, (axis,), ceil=True, **options) for kind, options in KINDS[:10] for axis in CEIL),
    *(Layer(kind, plane, **options) for kind, options in KINDS for plane in PLANES),
    *(Layer(kind, (CEIL[0], LINE[3]), ceil=True, **options) for kind, options in KINDS[:10]),
]
DATA = [(0, 0, 0, 0), (1, 1, 1, 1), (0, 2, 0, -2), (-3, 1, -3, 3)]
WEIGHTS = [(0, 0, 0, 0), (1, 0, -1, 1)]


def data(layer: Layer) -> list[tuple[dict[Place, int], dict[Place, int]]]:
    places = list(product(*map(range, layer.size)))
    taps = list(product(*(range(k) for _, k, *_ in layer.axes)))
    weights = WEIGHTS if layer.kind in ("Dilation", "Erosion") else WEIGHTS[:1]
    found = []
    for values, weight in product(DATA, weights):
        x = {place: values[at % 4] for at, place in enumerate(places)}
        found.append((x, {tap: weight[at % 4] for at, tap in enumerate(taps)}))
    return [pair for at, pair in enumerate(found) if pair not in found[:at]]


def nested(table: dict[Place, int]) -> Any:
    shape = tuple(1 + max(place[axis] for place in table) for axis in range(len(next(iter(table)))))
    return np.array([table[place] for place in product(*map(range, shape))]).reshape(shape)


def same(found: Any, due: Node | float) -> bool:
    one, two = float(found), number(due)
    return (isnan(one) and isnan(two)) or one == two or abs(one - two) < 1e-9


def expected(layer: Layer, formula: Formula, x: dict[Place, int], b: dict[Place, int]) -> dict[Place, Node | float]:
    """What the loops say of every entry of a formula."""
    if formula.quantity.kind == "entry":
        return {o: layer.value(o, x, b) for o in layer.outputs()}
    inputs = list(product(*map(range, layer.size)))
    return {(*o, *j): layer.slope(o, j, x, b) for o in layer.outputs() for j in inputs}


def put(formula: Formula, layer: Layer, x: dict[Place, int], b: dict[Place, int]) -> dict[str, Any]:
    return {t.name: nested(x) if t.role == "input" else nested(b) for t in formula.tensors}


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_exact_values_are_those_of_plain_loops(layer: Layer) -> None:
    op = layer.operator()
    for formula in (op.output(), op.derivative("input")):
        assert list(product(*map(range, formula.shape(layer.size)))) == list(expected(layer, formula, *data(layer)[0]))
        for x, b in data(layer):
            found = formula.values(put(formula, layer, x, b), layer.size)
            for place, due in expected(layer, formula, x, b).items():
                assert same(found[place], due), (formula.quantity.kind, x, b, place)


def at_numbers(expr: Any, tensors: dict[str, dict[Place, int]]) -> Any:
    """An entry at numbers, all put in at once, so that 0/0 is seen."""
    letters = {sympy.IndexedBase(name): table for name, table in tensors.items()}
    return expr.xreplace(
        {base[i]: sympy.Integer(v) for base, table in letters.items() for i, v in table.items()}
    ).doit()


def of_formula(formula: Formula, x: dict[Place, int], b: dict[Place, int]) -> dict[str, dict[Place, int]]:
    return {t.name: x if t.role == "input" else b for t in formula.tensors}


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_entries_in_sympy_are_those_of_plain_loops(layer: Layer) -> None:
    op = layer.operator()
    for formula in (op.output(), op.derivative("input")):
        cases = [(of_formula(formula, x, b), expected(layer, formula, x, b)) for x, b in data(layer)]
        for place in cases[0][1]:
            entry = formula.at(*place, input_size=layer.size)
            for tensors, due in cases:
                assert same(at_numbers(entry, tensors), due[place]), (formula.quantity.kind, tensors, place, entry)


def settled(layer: Layer) -> bool:
    """Whether the symbolic form is looked at: it is slow to write out, so at the layers with the most in them."""
    return len(layer.axes) == 1 and (layer.ceil or layer.axes[0] in (LINE[1], LINE[3], LINE[5]))


@pytest.mark.parametrize("layer", [layer for layer in LAYERS if settled(layer)], ids=str)
def test_the_symbolic_form_is_that_of_plain_loops(layer: Layer) -> None:
    op = layer.operator()
    formula = op.output()
    whole = formula.sympy()
    sizes = {formula.table[name]: n for name, n in zip(formula.sizes, layer.size, strict=True)}
    for place in layer.outputs():
        where = {formula.table[name]: at for name, at in zip(formula.indices, place, strict=True)}
        entry = whole.subs({**sizes, **where}).doit()
        for x, b in data(layer)[::2]:
            due = layer.value(place, x, b)
            if isinstance(due, float) and isnan(due):
                continue  # SymPy writes 0 times an infinity as it is asked: nan or zoo
            assert same(at_numbers(entry, of_formula(formula, x, b)), due), (x, b, place, entry)


# ---------------------------------------------------------------------- the prover


def filled(node: Node, tensors: dict[str, dict[Place, int]]) -> Node:
    """A tree with the entries of its tensors put in."""

    def change(n: Node) -> Node | None:
        if not isinstance(n, Access):
            return None
        return add(*(times(const(value), at(n.index, place)) for place, value in tensors[n.tensor].items()))

    return transform(node, change)


def at(index: tuple[Index, ...], place: Place) -> Node:
    return Bracket(tuple(equal(e, k) for e, k in zip(index, place, strict=True)))


def tabled(formula: Formula, values: dict[Place, Node | float]) -> Formula:
    index = tuple(Index.of(name) for name in formula.indices)
    return formula.with_body(add(*(times(at(index, o), v) for o, v in values.items() if not isinstance(v, float))))


PROVED = [layer for at, layer in enumerate(LAYERS) if at % 7 == 0]


@pytest.mark.parametrize("layer", PROVED, ids=str)
def test_a_verdict_is_about_the_values_of_plain_loops(layer: Layer) -> None:
    op = layer.operator()
    sizes = dict(zip(op.output().sizes, layer.size, strict=True))
    for formula in (op.output().subs(sizes), op.derivative("input").subs(sizes)):
        for x, b in data(layer)[1::2]:
            due = expected(layer, formula, x, b)
            left = formula.with_body(filled(formula.body, of_formula(formula, x, b)))
            verdict = sc.prove(left, tabled(formula, due), steps=1_000_000)
            assert verdict.status != "refuted", verdict
            if all(isinstance(value, float) for value in due.values()):  # no window has a value: nothing is said
                assert not verdict.holds
                continue
            if all(map(exact, due.values())):
                assert verdict.holds, (formula.quantity.kind, x, b, verdict)
            if verdict.holds and any(isinstance(value, float) for value in due.values()):
                assert verdict.conditions == ("every window holds an entry of the input",)
            for place, value in list(due.items())[:3]:
                if isinstance(value, float):
                    continue
                wrong = sc.prove(left, tabled(formula, {**due, place: add(value, const(1))}), steps=1_000_000)
                assert not wrong.holds
                assert wrong.status == "refuted" or not exact(value), (formula.quantity.kind, x, b, place, wrong)


# ---------------------------------------------------------------------- kernels


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_kernels_are_plain_loops(layer: Layer) -> None:
    kernel = sc.compile(layer.operator())
    for x, b in data(layer):
        arrays = [nested(x).astype(float)]
        if layer.kind in ("Dilation", "Erosion"):
            arrays.append(nested(b).astype(float))
        found = kernel(*arrays)
        for o in layer.outputs():
            assert same(found[o], layer.value(o, x, b)), (x, b, o, found)
            upstream = np.zeros(found.shape)
            upstream[o] = 1
            slopes = kernel.vjp(upstream, *arrays).input
            for j in x:
                assert same(slopes[j], layer.slope(o, j, x, b)), (x, b, o, j, slopes)


def test_an_order_below_1_is_no_norm() -> None:
    with pytest.raises(ArgumentError, match=r"^norm_type must be >= 1"):
        sc.LPPool(Fraction(1, 2), (2,))


@pytest.mark.parametrize("p", [1, 2, inf])
def test_a_closed_form_reads_no_entry_outside_the_input(p: Any) -> None:
    formula = sc.LPPool(p, (2,), 1, padding=1).output()
    for point in range(4):
        env = {formula.table["I"]: 3, formula.table["p"]: point}
        written = formula.sympy().subs(env).doit()
        assert {index for entry in written.atoms(sympy.Indexed) for index in entry.indices} <= {0, 1, 2}
        assert sympy.simplify(written - formula.at(point, input_size=3)) == 0
