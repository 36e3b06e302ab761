"""`.sympy()` put to the test by numbers: sizes and indices substituted, evaluated, compared with the entries."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from random import Random
from typing import Any

import pytest
import sympy

from symconv.formulas.formula import Formula
from symconv.formulas.sympy_windows import ExtremumShare, WindowMaximum, WindowSum
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool


def finished(expression: Any) -> Any:
    """An expression evaluated until nothing changes any more."""
    for _ in range(4):
        after = expression.doit()
        if after == expression:
            break
        expression = after
    return expression


def at_point(formula: Formula, sizes: tuple[int, ...], point: tuple[int, ...], **parameters: int) -> Any:
    """The SymPy form at given sizes and indices."""
    numbers = {**dict(zip(formula.sizes, sizes, strict=True)), **dict(zip(formula.indices, point, strict=True))}
    numbers |= parameters
    return finished(formula.sympy().subs({formula.table[name]: value for name, value in numbers.items()}))


def some_points(formula: Formula, sizes: tuple[int, ...], most: int = 4) -> list[tuple[int, ...]]:
    """The first and the last point, and a few between them (SymPy takes its time over each)."""
    base = formula.base
    points = list(product(*(range(base, base + extent) for extent in formula.shape(sizes))))
    if len(points) <= most:
        return points
    return [points[0], *Random(len(points)).sample(points[1:-1], most - 2), points[-1]]


def formulas(op: Any) -> list[Formula]:
    return [
        op.output(),
        op.output(index_base=1),
        *(f for v in op.variables for f in (op.derivative(v), op.gradient(v), op.gradient(v, index_base=1))),
    ]


LINEAR: list[tuple[Any, tuple[int, ...]]] = [
    (Conv((3,)), (5,)),
    (Conv((2,), 3, ((1, 2),), 2), (6,)),
    (Conv((2,), padding=((-1, 1),), flip=True), (4,)),
    (Conv((2, 1), (1, 2), padding=((0, 1), (1, 0))), (2, 3)),
    (Conv((2,), in_channels=4, out_channels=2, groups=2, bias=True), (3,)),
    (Conv((2,), 2, "same_upper"), (3,)),
    (Conv((2,), padding=((1, 1),), padding_mode="reflect"), (2,)),
    (Conv((3,), padding=1, padding_mode="replicate"), (3,)),
    (Conv((3,), padding=1, padding_mode="circular"), (3,)),
    (AvgPool((2,), 1, padding=1, count_include_pad=False), (3,)),
    (AvgPool((3,), 2, padding=1, ceil_mode=True), (4,)),
    (AvgPool((2, 2), divisor_override=3), (2, 4)),
]


@pytest.mark.parametrize(("op", "sizes"), LINEAR, ids=[repr(op) for op, _ in LINEAR])
def test_linear_forms_are_the_exact_entries(op: Any, sizes: tuple[int, ...]) -> None:
    for formula in formulas(op):
        for point in some_points(formula, sizes):
            found = at_point(formula, sizes, point)
            assert sympy.expand(found - formula.at(*point, input_size=sizes)) == 0, (formula.text(), point)


OTHERS: list[tuple[Any, tuple[int, ...]]] = [
    (MaxPool((2,), 1, padding=1), (3,)),
    (MaxPool((3,), 2, ties="split"), (5,)),
    (MaxPool((2, 2), (1, 2), padding=((0, 1), (0, 0))), (2, 2)),
    (LPPool(1, (2,), 1, padding=1), (3,)),
    (LPPool(2, (2,), 1), (3,)),
    (LPPool(3, (2,), 2, padding=((1, 0),)), (3,)),
    (LPPool(Fraction(3, 2), (2,), 1), (3,)),
    (LPPool(float("inf"), (2,), 1), (3,)),
]


@pytest.mark.parametrize(("op", "sizes"), OTHERS, ids=[repr(op) for op, _ in OTHERS])
def test_maxima_and_norms_take_the_values_of_the_formula(op: Any, sizes: tuple[int, ...]) -> None:
    random = Random(3)
    data = {index: random.choice((-3, -2, -1, 1, 2, 2)) for index in product(*map(range, sizes))}
    upstream = {index: random.randint(1, 5) for index in product(*map(range, op.output_size(sizes)))}
    tensors = {"a": nested(data, sizes), "g": nested(upstream, op.output_size(sizes))}
    for formula in formulas(op):
        values = formula.values(tensors, sizes)
        a, g = sympy.IndexedBase("a"), sympy.IndexedBase("g")
        numbers = {a[tuple(i + formula.base for i in index)]: value for index, value in data.items()}
        numbers |= {g[tuple(i + formula.base for i in index)]: value for index, value in upstream.items()}
        for point in some_points(formula, sizes):
            found = at_point(formula, sizes, point)
            assert not found.has(WindowSum, WindowMaximum, ExtremumShare, sympy.Sum)
            number = finished(found.subs(numbers))
            assert float(number) == pytest.approx(float(values[point]), rel=1e-12, abs=1e-13), (formula.text(), point)


def nested(values: dict[tuple[int, ...], int], shape: tuple[int, ...], prefix: tuple[int, ...] = ()) -> Any:
    if len(prefix) == len(shape):
        return values[prefix]
    return [nested(values, shape, (*prefix, i)) for i in range(shape[len(prefix)])]


def test_the_generic_forms_hold_at_every_option() -> None:
    op = Conv((2,)).generic()
    for formula in (op.output(), op.derivative(), op.gradient(), op.gradient("weight")):
        for k, s, d, p in ((2, 1, 1, 0), (2, 2, 3, 2), (3, 3, 1, 1)):
            numbers = {"K": k, "S": s, "D": d, "P": p}
            points = list(product(*map(range, formula.shape(5, **numbers))))
            for point in Random(k).sample(points, min(4, len(points))):
                found = at_point(formula, (5,), point, **numbers)
                assert sympy.expand(found - formula.at(*point, input_size=5, **numbers)) == 0


def test_closed_forms_are_sums_and_piecewise() -> None:
    p, i, m, size = (sympy.Symbol(name, integer=True) for name in ("p", "i", "m", "I"))
    size = sympy.Symbol("I", integer=True, positive=True)
    a, b, g = (sympy.IndexedBase(name) for name in "abg")
    op = Conv((3,))
    assert op.output().sympy() == sympy.Sum(a[p + m] * b[m], (m, 0, 2))
    derivative = sympy.Piecewise((b[i - p], sympy.And(i - p >= 0, i - p <= 2)), (0, True))
    assert sympy.simplify(op.derivative().sympy() - derivative) == 0
    assert op.gradient("weight").sympy() == sympy.Sum(a[m + p] * g[p], (p, 0, size - 3))
    strided = Conv((3,), 2).derivative().sympy()
    assert strided.has(sympy.Piecewise)
    dilated = Conv((3,), dilation=2).derivative().sympy()
    assert dilated.has(sympy.Mod)  # deltasummation would forget it, and hand out b[3/2]
    table = {Conv((3,), dilation=2).derivative().table[name]: n for name, n in (("I", 9), ("p", 0), ("i", 3))}
    assert dilated.subs({sym: table.get(sym, sym) for sym in dilated.free_symbols}) == 0


# ------------------------------------------------------------------ the symbols of the caller


def test_the_symbols_of_the_caller_come_out_again() -> None:
    k = sympy.Symbol("k", integer=True, positive=True, odd=True)
    stride = sympy.Symbol("t")
    op = Conv((k,), stride, padding=((k - 1, 0),))
    for formula in (op.output(), op.gradient(), op.gradient("weight")):
        form = formula.sympy()
        assert {k, stride} <= form.free_symbols
        assert not any(s.name in ("k", "t") and s not in (k, stride) for s in form.free_symbols)
        numbered = Conv((3,), 2, padding=((2, 0),))
        fixed = {"output": numbered.output(), "gradient": numbered.gradient()}
        reduced = form.subs({k: 3, stride: 2})
        assert not reduced.free_symbols & {k, stride}
        if formula.quantity.kind == "entry":
            ours = finished(reduced.subs({formula.table["I"]: 5, formula.table["p"]: 1}))
            assert ours == fixed["output"].at(1, input_size=5)


def test_a_symbolic_order_is_no_index() -> None:
    p = sympy.Symbol("p", positive=True)
    op = LPPool(p, (2,))
    for formula in (op.output(), op.derivative(), op.gradient()):
        assert "p" not in formula.indices
        form = formula.sympy()
        assert p in form.free_symbols
    a = sympy.IndexedBase("a")
    s = op.output().table[op.output().indices[0]]
    assert op.output().sympy().subs({p: 2, s: 1}).doit() == sympy.sqrt(abs(a[2]) ** 2 + abs(a[3]) ** 2)
    x, y = abs(a[0]), abs(a[1])
    assert op.output().at(0, input_size=2) == (x**p + y**p) ** (1 / p)
    gradient = op.gradient().at(1, input_size=2)
    g = sympy.IndexedBase("g")
    expected = g[0] * sympy.sign(a[1]) * y ** (p - 1) / ((x**p + y**p) ** (1 / p)) ** (p - 1)
    for entries in ({a[0]: 2, a[1]: -3}, {a[0]: 0, a[1]: 5}, {a[0]: 4, a[1]: 0}):
        assert sympy.simplify((gradient - expected).xreplace(entries)) == 0
    assert gradient.xreplace({a[0]: 0, a[1]: 0}) == 0


@pytest.mark.parametrize("order", [1, sympy.Rational(3, 2), 2, 3])
@pytest.mark.parametrize("padding", [0, 1])
def test_a_norm_of_nothing_but_zeros_means_the_same_for_every_way_to_put_its_order_in(order: Any, padding: int) -> None:
    n, p, a = 2, sympy.Symbol("p"), sympy.IndexedBase("a")
    zeros = {a[i]: 0 for i in range(n)}
    symbolic, concrete = (LPPool(norm, (1,), 1, padding) for norm in (p, order))
    for one, two in zip(
        (symbolic.output(), symbolic.derivative()), (concrete.output(), concrete.derivative()), strict=True
    ):
        for point in product(*map(range, one.shape(n))):
            assert two.at(*point, input_size=n).xreplace(zeros) == 0
            assert one.at(*point, input_size=n, p=order).xreplace(zeros) == 0
            entry = one.at(*point, input_size=n)
            assert entry.xreplace(zeros).subs(p, order) == 0
            assert entry.subs(p, order).xreplace(zeros) == 0
            where = {one.table[name]: value for name, value in zip(one.indices, point, strict=True)} | {
                one.table["I"]: n
            }
            whole = one.sympy().subs(where)
            assert whole.subs(p, order).doit().xreplace(zeros) == 0
            assert whole.doit().xreplace(zeros).subs(p, order) == 0


@pytest.mark.parametrize("name", ["f", "h", "i", "m", "p", "a", "b", "c", "d", "g", "E", "I", "O"])
def test_a_size_of_any_name_is_not_captured_by_a_letter(name: str) -> None:
    size = sympy.Symbol(name, integer=True, positive=True)
    op = Conv((size,), in_channels=2, out_channels=2, bias=True)
    fixed = Conv((2,), in_channels=2, out_channels=2, bias=True)
    for wrt in ("input", "weight", "bias"):
        formula, expected = op.gradient(wrt), fixed.gradient(wrt)
        assert name not in formula.indices
        assert name not in {t.name for t in formula.tensors}
        letters = {t.name: t.role for t in formula.tensors}
        roles = {t.role: t.name for t in expected.tensors}
        first = {size.name: 2}
        place = (0,) * len(formula.free)
        found = formula.at(*place, input_size=4, **first)
        moved = {e: sympy.IndexedBase(roles[letters[str(e.base)]])[e.indices] for e in found.atoms(sympy.Indexed)}
        assert found.xreplace(moved) == expected.at(*place, input_size=4)


# ------------------------------------------------------------------ the functions for windows


def test_a_window_does_not_let_its_index_be_captured() -> None:
    formula = MaxPool((2,), 1).output()
    form = formula.sympy()
    p, m = formula.table["p"], formula.table["m"]
    assert form == WindowMaximum(sympy.IndexedBase("a")[m + p], sympy.Tuple(m, 0, 1))
    assert p in form.free_symbols
    assert m not in form.free_symbols
    assert form.subs(m, 7) == form
    a = sympy.IndexedBase("a")
    assert form.subs(p, m).subs(m, 3).doit() == sympy.Max(a[3], a[4])
    assert form.subs(p, 3).doit() == sympy.Max(a[3], a[4])


def test_a_window_stays_until_it_is_all_numbers() -> None:
    n, m, p = sympy.symbols("n m p", integer=True)
    a = sympy.IndexedBase("a")
    whole = WindowSum(a[m], sympy.Tuple(m, 0, n), m + p >= 1)
    assert whole.doit() == whole
    assert whole.subs(n, 2).doit() == whole.subs(n, 2)
    assert whole.subs({n: 2, p: 0}).doit() == a[1] + a[2]
    assert WindowMaximum(a[m], sympy.Tuple(m, 1, 0)).doit() == -sympy.oo
    assert WindowSum(a[m], sympy.Tuple(m, 1, -3)).doit() == 0  # not Karr's convention


def test_windows_are_numbers_to_sympy() -> None:
    # were they not, Sum.doit would run into "non-commutative expressions are not supported"
    formula = MaxPool((3,), 2, ties="split").gradient()
    form = formula.sympy()
    window, share = form.atoms(WindowMaximum), form.atoms(ExtremumShare)
    assert window
    assert share
    assert all(part.is_commutative for part in window | share)
    numbers = {formula.table["I"]: 5, formula.table["i"]: 0}
    assert finished(form.subs(numbers)).has(sympy.IndexedBase("g")[0])


def test_shares_of_a_tie() -> None:
    m = sympy.Symbol("m", integer=True)
    a = sympy.IndexedBase("a")
    window = WindowMaximum(a[m], sympy.Tuple(m, 0, 2))
    ties = {a[0]: 5, a[1]: 5, a[2]: 5}
    for policy, expected in (("first", [1, 0, 0]), ("split", [sympy.Rational(1, 3)] * 3)):
        shares = [ExtremumShare(window, sympy.Symbol(policy), k).doit() for k in range(3)]
        assert [finished(share.subs(ties)) for share in shares] == expected
    # the trap: Heaviside(0) = 1/2 hands out 3/2
    x, y, z = sympy.symbols("x y z", real=True)
    traps = [sympy.diff(sympy.Max(x, y, z), v).subs({x: 5, y: 5, z: 5}) for v in (x, y, z)]
    assert sum(traps) != 1
    open_share = ExtremumShare(window, sympy.Symbol("first"), sympy.Symbol("t", integer=True))
    assert open_share.doit() == open_share
