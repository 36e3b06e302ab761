"""Nothing is written out before it is counted: terms against plain loops, and a refusal that says what to do."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from time import process_time
from typing import Any

import pytest
import sympy

from symconv.errors import SizeLimitError
from symconv.formulas.counting import count_terms
from symconv.formulas.formula import Formula
from symconv.formulas.sympy_windows import WindowSum
from symconv.operators.adaptive import AdaptiveAvgPool
from symconv.operators.convolution import Conv
from symconv.operators.morphology import Dilation
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose

ENOUGH = 1_000_000


def counted(formula: Formula, size: int, **parameters: int) -> int:
    env = formula.environment(size, parameters)
    return count_terms(formula.body, formula.free_at(env), env, formula.boxes, ENOUGH)


def reads(n: int, k: int, s: int, p: int, d: int) -> int:
    """How many pairs of an output and a tap read an entry, by plain loops."""
    outputs = (n + 2 * p - d * (k - 1) - 1) // s + 1
    return sum(0 <= s * o + d * m - p < n for o in range(outputs) for m in range(k))


GEOMETRIES = [(4, 2, 1, 0, 1), (5, 3, 2, 1, 1), (6, 2, 3, 2, 2), (3, 3, 1, 2, 1), (1, 1, 1, 1, 1), (7, 2, 4, 0, 3)]


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_terms_are_what_plain_loops_count(geometry: tuple[int, ...]) -> None:
    n, k, s, p, d = geometry
    due = reads(*geometry)
    assert counted(Conv((k,), s, p, d).output(), n) == due
    assert counted(MaxPool((k,), s, p, d).output(), n) == due
    assert counted(LPPool(2, (k,), s, p, d).output(), n) == due
    assert counted(Conv((k,), s, p, d).gradient("input"), n) == due
    assert counted(Conv((k,), s, p, d).gradient("weight"), n) == due
    assert counted(Conv((k,), s, p, d).derivative("input"), n) == due


def test_a_share_counts_its_window_twice_for_every_tap() -> None:
    # 3 windows of 2 taps: each of the 6 derivatives compares the 2 values of its window
    assert counted(MaxPool((2,), 1).derivative("input"), 4) == 6 * 2 * 2
    assert counted(MaxPool((2,), 1).gradient("input"), 4) == 6 * 2 * 2


def test_channels_and_axes_multiply() -> None:
    formula = Conv((2, 3), in_channels=4, out_channels=6, groups=2).output()
    batch = {name: 5 for name in formula.parameters if name not in formula.sizes}
    env = formula.environment((3, 5), batch)
    count = count_terms(formula.body, formula.free_at(env), env, formula.boxes, ENOUGH)
    assert count == 5 ** len(batch) * 6 * (2 * 3) * 2 * (2 * 3)  # outputs times their channels and taps


def test_counting_stops_where_it_is_enough() -> None:
    env = Conv((1000,)).output().environment(1000, {})
    formula = Conv((1000,)).output()
    assert count_terms(formula.body, formula.free_at(env), env, formula.boxes, 1000) == 1000
    assert count_terms(formula.body, formula.free_at(env), env, formula.boxes, 999) > 999


HUGE: list[tuple[str, Callable[[], Any]]] = [
    ("Conv", lambda: Conv(1000).output().at(0, 0, input_size=(1000, 1000))),
    (
        "Conv, symbolic",
        lambda: Conv((sympy.Symbol("K", integer=True, positive=True),)).output().at(0, input_size=10**7, K=10**7),
    ),
    ("MaxPool", lambda: MaxPool(1000).output().at(0, 0, input_size=(1000, 1000))),
    ("AvgPool", lambda: AvgPool(1000, padding=1, count_include_pad=False).output().at(0, 0, input_size=(1000, 1000))),
    ("LPPool", lambda: LPPool(3, 1000).output().at(0, 0, input_size=(1000, 1000))),
    ("Dilation", lambda: Dilation(1000).output().at(0, 0, input_size=(1000, 1000))),
    ("AdaptiveAvgPool", lambda: AdaptiveAvgPool(1).output().at(0, 0, input_size=(1000, 1000))),
    ("shares", lambda: MaxPool(1000).derivative("input").at(0, 0, 1, 1, input_size=(1000, 1000))),
    ("split shares", lambda: MaxPool(1000, ties="split").gradient("input").at(1, 1, input_size=(1000, 1000))),
    ("LP gradient", lambda: LPPool(3, 1000).gradient("input").at(1, 1, input_size=(1000, 1000))),
    ("weight gradient", lambda: Conv(2).gradient("weight").at(1, 1, input_size=(1000, 1000))),
    ("ConvTranspose", lambda: ConvTranspose(1000).gradient("input").at(0, 0, input_size=(2, 2))),
    ("matrix", lambda: Conv(200).output().matrix((300, 300))),
    ("Jacobian", lambda: MaxPool((200,), 1).derivative("input").matrix((300,))),
    ("sparse", lambda: Conv(1000).derivative("input").sparse((2000, 2000))),
    ("polynomials", lambda: Conv(1000).output().polynomials((2000, 2000))),
    ("a window in SymPy", lambda: WindowSum(sympy.Integer(1), (sympy.Symbol("m"), 1, 10**9)).doit()),
]


@pytest.mark.parametrize(("call"), [pytest.param(call, id=name) for name, call in HUGE])
def test_what_is_too_large_is_refused_at_once_with_what_to_do_instead(call: Callable[[], Any]) -> None:
    start = process_time()
    with pytest.raises(SizeLimitError, match=r"(10,000|100,000|1,000,000).*; (use|put) ") as refusal:
        call()
    assert process_time() - start < 5
    assert len(str(refusal.value)) < 300


def test_values_are_counted_too() -> None:
    data = [[0] * 1200] * 1200
    with pytest.raises(
        SizeLimitError, match=r"^values\(\.\.\.\) would have more than 1,000,000 terms .* symconv\.compile"
    ):
        AvgPool(1000, 1).output().values({"a": data}, (1200, 1200))


def test_an_entry_with_as_many_terms_as_are_allowed_is_written_out() -> None:
    entry = Conv((10_000,)).output().at(0, input_size=10_000)
    assert len(entry.args) == 10_000
    with pytest.raises(SizeLimitError, match=r"^at\(0,\) would have more than 10,000 terms"):
        Conv((10_001,)).output().at(0, input_size=10_001)


def test_one_entry_of_a_huge_layer_with_few_terms_is_written_out() -> None:
    assert (
        Conv(1000).gradient("input").at(0, 0, input_size=(5000, 5000))
        == sympy.IndexedBase("g")[0, 0] * (sympy.IndexedBase("b")[0, 0])
    )
    formula = Conv(1000).derivative("input")
    assert formula.at(0, 0, 1, 2, input_size=(5000, 5000)) == sympy.IndexedBase("b")[1, 2]


@pytest.mark.parametrize("op", [MaxPool(30), Dilation((900,)), LPPool(float("inf"), (30, 30), padding=1)])
def test_a_maximum_of_hundreds_of_entries_is_written_out_without_comparing_all_pairs(op: Any) -> None:
    size = (30, 30) if op.spatial_axes == 2 else 900
    start = process_time()
    entry = op.output().at(*([0] * op.spatial_axes), input_size=size)
    assert process_time() - start < 10
    assert isinstance(entry, sympy.Max)
    assert all(value.is_number is False for value in entry.args)


def test_the_zeros_of_a_product_are_not_worked_out() -> None:
    # of the 400 windows around an entry in the corner only one exists
    entry = MaxPool(20, 1).gradient("input").at(0, 0, input_size=(20, 20))
    assert entry.has(sympy.IndexedBase("g")[0, 0])
    assert list(product([0], [0])) == [index.indices for index in entry.atoms(sympy.Indexed) if index.base.name == "g"]
