"""Output sizes: integers by counting placements, symbols as exact SymPy that gives the same integers."""

from __future__ import annotations

from typing import Any

import oracles
import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from symconv.errors import GeometryError
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, MaxPool
from symconv.operators.window import Window

often = settings(max_examples=250, deadline=None, derandomize=True)

axes = st.builds(
    oracles.Axis,
    kernel=st.integers(1, 5),
    stride=st.integers(1, 4),
    before=st.integers(-2, 4),
    after=st.integers(-2, 4),
    dilation=st.integers(1, 3),
    ceil_mode=st.booleans(),
)


def window(axis: oracles.Axis) -> Window:
    return Window(axis.kernel, axis.stride, axis.before, axis.after, axis.dilation, axis.ceil_mode)


def room(n: int, axis: oracles.Axis) -> int:
    return n + axis.before + axis.after - axis.dilation * (axis.kernel - 1) - 1


@often
@given(st.integers(1, 12), axes)
def test_integers_are_the_number_of_placements(n: int, axis: oracles.Axis) -> None:
    count = oracles.output_size(n, axis)
    if room(n, axis) + (axis.stride - 1 if axis.ceil_mode else 0) < 0:
        with pytest.raises(GeometryError, match="effective size of at most the padded input"):
            window(axis).output_size(n)
        assert count == 0
    elif count == 0:  # ceil_mode takes the only window away again when it starts after the input
        with pytest.raises(GeometryError, match="leaves no output"):
            window(axis).output_size(n)
    else:
        found = window(axis).output_size(n)
        assert (found, type(found)) == (count, int)


@often
@given(st.integers(1, 12), axes)
def test_taps_are_where_the_loops_place_them(n: int, axis: oracles.Axis) -> None:
    w = window(axis)
    for o, row in enumerate(oracles.place(n, axis)):
        assert [w.tap(o, m, n).value for m in range(axis.kernel)] == row


@often
@given(st.integers(1, 12), st.integers(1, 5), st.integers(1, 4), st.integers(1, 3), st.booleans())
def test_same_keeps_one_output_for_every_stride(n: int, k: int, s: int, d: int, upper: bool) -> None:
    w = Window(k, s, dilation=d, fit="same_upper" if upper else "same_lower")
    assert w.output_size(n) == oracles.same_output_size(n, s)
    assert tuple(pad.value for pad in w.padding(n)) == oracles.same_padding(n, k, s, d, upper=upper)


SYMBOLS = {name: sympy.Symbol(name, integer=True, positive=True) for name in ("n", "k", "s", "d", "b", "e")}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 12), axes)
def test_symbols_give_the_same_numbers(n: int, axis: oracles.Axis) -> None:
    assume(room(n, axis) >= 0)
    # with everything symbolic, ceil_mode takes a padding smaller than the window for granted (see Window.facts)
    assume(not axis.ceil_mode or axis.after <= axis.dilation * (axis.kernel - 1))
    symbolic = Window(SYMBOLS["k"], SYMBOLS["s"], SYMBOLS["b"], SYMBOLS["e"], SYMBOLS["d"], axis.ceil_mode)
    size = symbolic.output_size(SYMBOLS["n"])
    numbers = {"n": n, "k": axis.kernel, "s": axis.stride, "b": axis.before, "e": axis.after, "d": axis.dilation}
    assert size.subs({SYMBOLS[name]: value for name, value in numbers.items()}) == oracles.output_size(n, axis)
    partly = window(axis).output_size(SYMBOLS["n"])
    assert partly.subs(SYMBOLS["n"], n) == oracles.output_size(n, axis)


@pytest.mark.parametrize("rule", ["same_upper", "same_lower"])
@pytest.mark.parametrize("s", [1, 2, 3])
def test_symbolic_same(rule: Any, s: int) -> None:
    n = SYMBOLS["n"]
    assert Window(3, s, fit=rule).output_size(n) == sympy.ceiling(n / s)
    assert Conv((3,), s, rule).output_size(n) == (sympy.ceiling(n / s),)


def test_symbolic_sizes_are_exact_sympy_with_floor() -> None:
    i, k, s, p = sympy.symbols("I K S P", integer=True, positive=True)
    (size,) = Conv((k,), s, p).output_size(i)
    assert sympy.simplify(size - (sympy.floor((i + 2 * p - k) / s) + 1)) == 0
    assert size.has(sympy.floor)
    assert size.free_symbols == {i, k, s, p}  # the very symbols that were passed in
    assert size.subs({i: 2, k: 1, s: 2, p: 0}) == 1  # where (I + 2P - K)/S + 1 is 3/2
    assert Conv((k,)).output_size(i) == (i - k + 1,)
    assert Conv((k,), padding=((k - 1, k - 1),)).output_size(i) == (i + k - 1,)
    assert Conv((2 * k + 1,), padding=((k, k),)).output_size(i) == (i,)
    assert Conv((k,), padding="full").output_size(i) == (i + k - 1,)
    assert MaxPool((k,)).output_size(k * 3) == (3,)


def test_the_symbols_of_the_caller_keep_their_assumptions() -> None:
    even = sympy.Symbol("n", integer=True, even=True, positive=True)
    plain = sympy.Symbol("m")
    size = Conv((3,), 2, 1).output_size(even)[0]
    assert size.subs(even, 8) == 4
    assert Conv((2,), 2).output_size(plain)[0].subs(plain, 9) == 4
    assert AvgPool((plain,)).output_size(10)[0].subs(plain, 3) == 3


def test_every_axis_has_its_own_size() -> None:
    op = Conv((3, 2), (2, 1), ((1, 0), (0, 2)), (1, 2))
    assert op.output_size((7, 6)) == (3, 6)
    assert op.output_size([7, 6]) == (3, 6)
    n = SYMBOLS["n"]
    mixed = op.output_size((n, 6))
    assert mixed[1] == 6
    assert mixed[0].subs(n, 7) == 3
    assert MaxPool((2,)).output_size(5) == MaxPool((2,)).output_size((5,)) == (2,)
    assert Conv((2, 2, 2), 2).output_size((4, 5, 6)) == (2, 2, 3)


# ------------------------------------------------------------------ Dumoulin & Visin's relationships (arXiv 1603.07285)


@pytest.mark.parametrize("i", range(1, 9))
@pytest.mark.parametrize("k", range(1, 5))
def test_relationships_of_the_convolution_guide(i: int, k: int) -> None:
    if k <= i:
        assert Conv((k,)).output_size(i) == (i - k + 1,)  # 1
    for p in range(3):
        if k <= i + 2 * p:
            assert Conv((k,), 1, p).output_size(i) == (i - k + 2 * p + 1,)  # 2
    assert Conv((2 * k - 1,), 1, "half").output_size(i) == (i,)  # 3
    assert Conv((2 * k - 1,), 1, "same").output_size(i) == (i,)
    assert Conv((k,), 1, "full").output_size(i) == (i + k - 1,)  # 4
    for s in range(1, 4):
        if k <= i:
            assert Conv((k,), s).output_size(i) == ((i - k) // s + 1,)  # 5
            assert MaxPool((k,), s).output_size(i) == ((i - k) // s + 1,)  # 7
        for p in range(2):
            if k <= i + 2 * p:
                assert Conv((k,), s, p).output_size(i) == ((i + 2 * p - k) // s + 1,)  # 6
            for d in range(1, 3):
                if d * (k - 1) < i + 2 * p:
                    size = (i + 2 * p - k - (k - 1) * (d - 1)) // s + 1
                    assert Conv((k,), s, p, d).output_size(i) == (size,)  # 15


def test_ceil_mode_starts_no_window_after_the_input() -> None:
    # PyTorch's documented formula omits the rule: it would say 3
    assert MaxPool((2,), 3, 1, ceil_mode=True).output_size(4) == (2,)
    assert MaxPool((3,), 2, 1, ceil_mode=True).output_size(4) == (3,)
    assert MaxPool((2,), 2, ceil_mode=True).output_size(5) == (3,)
    assert MaxPool((3,), 3, ceil_mode=True).output_size(1) == (1,)  # an overhang of less than a stride
    assert MaxPool((2,), 2).output_size(5) == (2,)
