"""Layers that work position by position: formulas, derivatives, kernels against plain loops, by hand, and PyTorch."""

from __future__ import annotations

import math
import pickle
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
import sympy
from click.testing import CliRunner

import symconv as sc
from symconv.cli.application import commands

NAN, INF = math.nan, math.inf


def relu_slope(x: Any, at_zero: str) -> Any:
    """The derivative of max(0, x) by its definition."""
    return 1 if x > 0 else 0 if x < 0 else {"zero": 0, "one": 1}[at_zero]


SHAPES: list[tuple[int, ...]] = [(5,), (1,), (2, 3), (2, 1, 2)]
VALUES = [Fraction(p, 2) for p in (-5, -3, -1, 0, 1, 2, 7)]


def arrays(shape: tuple[int, ...], seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """An input with zeros in it, and an upstream gradient without any."""
    draw = np.random.default_rng(seed)
    a, g = np.empty(shape, object), np.empty(shape, object)
    for place in np.ndindex(*shape):
        a[place] = VALUES[int(draw.integers(len(VALUES)))]
        g[place] = Fraction(int(draw.integers(1, 9)), 3)
    return a, g


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("at_zero", ["zero", "one"])
def test_relu_against_loops(shape: tuple[int, ...], at_zero: str) -> None:
    op = sc.ReLU(at_zero, ndim=len(shape))
    a, g = arrays(shape)
    places = list(np.ndindex(*shape))
    assert op.output_size(shape) == shape
    output = op.output().values({"a": a.tolist()}, input_size=shape)
    assert output == {place: max(Fraction(0), a[place]) for place in places}
    assert all(type(value) is Fraction for value in output.values())
    gradient = op.gradient("input").values({"a": a.tolist(), "g": g.tolist()}, input_size=shape)
    assert gradient == {place: g[place] * relu_slope(a[place], at_zero) for place in places}
    jacobian = op.derivative("input").values({"a": a.tolist()}, input_size=shape)
    assert jacobian == {
        (*one, *other): relu_slope(a[one], at_zero) if one == other else 0 for one, other in product(places, places)
    }


def test_relu_without_a_rule_refuses_an_entry_of_0_with_its_place() -> None:
    op = sc.ReLU(ndim=2)
    a, g = [[1, -2], [0, 3]], [[1, 1], [1, 1]]
    assert op.output().values({"a": a}, input_size=(2, 2)) == {(0, 0): 1, (0, 1): 0, (1, 0): 0, (1, 1): 3}
    with pytest.raises(sc.ArgumentError, match=r"have no derivative at 0\), got a\[1, 0\] = 0$"):
        op.gradient("input").values({"a": a, "g": g}, input_size=(2, 2))
    with pytest.raises(sc.ArgumentError, match=r"a\[2, 1\] = 0"):
        op.gradient("input", index_base=1).values({"a": a, "g": g}, input_size=(2, 2))
    with pytest.raises(sc.ArgumentError, match=r"a\[1, 0\] = 0"):
        op.derivative("input").values({"a": a}, input_size=(2, 2))
    dead = op.gradient("input").values({"a": a, "g": [[1, 1], [0, 1]]}, input_size=(2, 2))
    assert dead == {(0, 0): 1, (0, 1): 0, (1, 0): 0, (1, 1): 1}  # nothing arrives at 0, so nothing is passed on


def test_the_formulas_by_hand() -> None:
    assert str(sc.ReLU(ndim=2).output()) == "c[p, q] = max(0, a[p, q])"
    assert sc.ReLU().output().latex() == r"c_{p} = \max(0,\,a_{p})"
    assert str(sc.ReLU().gradient()) == "∂E/∂a[i] = g[i]·[a[i] > 0]"
    assert str(sc.ReLU("zero").gradient()) == "∂E/∂a[i] = g[i]·[a[i] > 0]"
    assert str(sc.ReLU("one").gradient()) == "∂E/∂a[i] = g[i]·[a[i] ≥ 0]"
    assert str(sc.ReLU().derivative()) == "∂c[p]/∂a[i] = [a[p] > 0]   if p = i, else 0"
    names = {"input": "x", "output": "y", "upstream": "d", "input_index": "k", "output_index": "l"}
    assert str(sc.ReLU().gradient(names=names)) == "∂E/∂x[k] = d[k]·[x[k] > 0]"


def test_symbolic_entries() -> None:
    a, g = sympy.IndexedBase("a"), sympy.IndexedBase("g")
    assert sc.ReLU().output().at(1, input_size=3) == sympy.Max(0, a[1])
    assert sc.ReLU("zero").gradient().at(1, input_size=3) == g[1] * sympy.Piecewise((1, a[1] > 0), (0, True))
    open_ = sc.ReLU().gradient().at(1, input_size=3)
    assert open_.subs({a[1]: 2, g[1]: 5}) == 5
    assert open_.subs({a[1]: -2, g[1]: 5}) == 0
    assert open_.subs(a[1], 0) == sympy.nan
    assert sc.ReLU("one").derivative().matrix(2)[0, 1] == 0


def test_options_names_and_copies() -> None:
    assert repr(sc.ReLU()) == "ReLU()"
    assert repr(sc.ReLU("zero", ndim=2)) == "ReLU(at_zero='zero', ndim=2)"
    assert sc.ReLU("zero") == sc.ReLU(at_zero="zero") != sc.ReLU("one")
    assert sc.ReLU() != sc.ReLU(ndim=2)
    assert sc.ReLU().generic() == sc.ReLU()
    op = sc.ReLU("one", ndim=3)
    assert pickle.loads(pickle.dumps(op)) == op
    assert pickle.loads(pickle.dumps(op.gradient())) == op.gradient()
    with pytest.raises(sc.ArgumentError, match=r"^at_zero must be one of 'undefined', 'zero', 'one', got 'zeros'"):
        sc.ReLU("zeros")
    with pytest.raises(sc.ArgumentError, match=r"^ndim must be >= 1, got 0"):
        sc.ReLU(ndim=0)
    with pytest.raises(sc.ArgumentError, match=r"^wrt must be a variable of ReLU: input, got 'weight'"):
        sc.ReLU().gradient("weight")
    with pytest.raises(sc.ArgumentError, match=r"^input_size must have 2 entries"):
        sc.ReLU(ndim=2).output_size((3,))


def test_relu_and_its_rules_are_one_function() -> None:
    assert sc.prove(sc.ReLU("zero").output(), sc.ReLU("one").output()).status == "proved"
    assert sc.prove(sc.ReLU("zero").gradient(), sc.ReLU("one").gradient()).status == "refuted"
    verdict = sc.prove(sc.ReLU().gradient(), sc.ReLU("zero").gradient())
    assert (verdict.status, verdict.conditions) == ("proved", ("no entry is 0",))


# ---------------------------------------------------------------------- derivations


@pytest.mark.parametrize("what", ["output", "derivative", "gradient"])
@pytest.mark.parametrize("at_zero", ["undefined", "zero", "one"])
def test_every_step_is_proved_and_says_what_it_needs(what: Any, at_zero: str) -> None:
    worked = sc.derive(sc.ReLU(at_zero, ndim=2), what)
    assert {step.verdict.status for step in worked.steps} == {"proved"}
    needed = {step.id for step in worked.steps if any("no entry is 0" in c for c in step.verdict.conditions)}
    assert needed == (set() if what == "output" else {step.id for step in worked.steps})
    if what == "gradient":
        assert worked.result.body == sc.ReLU(at_zero, ndim=2).gradient(index_base=1).body


def test_the_command_line() -> None:
    run = CliRunner().invoke
    found = run(commands, ["derive", "relu", "--what", "gradient"])
    assert found.exit_code == 0
    assert "(6) ∂E/∂a[i] = g[i]·[a[i] > 0]" in found.output
    assert "needs no entry is 0]" in found.output
    plane = run(commands, ["derive", "relu", "--at-zero", "one", "--input", "2x3", "--what", "derivative"])
    assert plane.exit_code == 0
    assert "∂c[p, q]/∂a[i, j]" in plane.output
    assert run(commands, ["derive", "relu", "--wrt", "weight"]).exit_code == 2


# ---------------------------------------------------------------------- kernels


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("at_zero", ["undefined", "zero", "one"])
def test_the_kernel_of_relu(dtype: str, at_zero: str) -> None:
    kernel = sc.compile(sc.ReLU(at_zero, ndim=2))
    x = np.array([[[-2, 0, 3], [0.5, -0.25, INF]], [[NAN, -INF, 0], [1, 2, 3]]], dtype)
    y = kernel(x)
    assert y.dtype == dtype
    assert np.array_equal(y, np.where(np.isnan(x), NAN, np.where(x > 0, x, 0)), equal_nan=True)
    at = {"undefined": NAN, "zero": 0, "one": 1}[at_zero]
    slope = np.where(np.isnan(x), NAN, np.where(x > 0, 1, np.where(x < 0, 0, at)))
    g = np.full(x.shape, 3, dtype)
    found = kernel.vjp(g, x).input
    assert found.dtype == dtype
    assert np.array_equal(found, 3 * slope, equal_nan=True)
    assert np.array_equal(kernel.jvp(x, dx=g), 3 * slope, equal_nan=True)
    nothing = kernel.vjp(0 * g, x).input
    assert np.array_equal(nothing, np.where(np.isnan(x), NAN, 0), equal_nan=True)


def test_integers_stay_integers() -> None:
    kernel = sc.compile(sc.ReLU())
    y = kernel(np.array([[3, -4, 0]], np.int8))
    assert y.tolist() == [[3, 0, 0]]
    assert y.dtype.kind == "i"
    with pytest.raises(sc.NotSupportedError, match="needs a floating dtype"):
        kernel.vjp(np.ones(3), np.array([1, 2, 3]))


def test_what_a_kernel_says_of_itself() -> None:
    kernel = sc.compile(sc.ReLU("zero"))
    assert (
        kernel.source
        == kernel.gradient_source
        == (
            "# ReLU(at_zero='zero'), plan 'pointwise': over all entries x of the input\n"
            "y = max(0, x)\ngrad_x = g*([x > 0] )\n"
        )
    )
    assert kernel.derivation().steps[0].verdict.status == "proved"
    assert "no bound of the rounding error is promised" in kernel.explain((4,))
    with pytest.raises(sc.NotSupportedError, match="no bound of rounding errors is promised"):
        kernel.error_bound(np.ones(3))
    with pytest.raises(sc.ArgumentError, match=r"^weight .*must be left out"):
        kernel(np.ones(3), np.ones(3))
    with pytest.raises(sc.ArgumentError, match=r"must have the shape"):
        kernel(np.ones((2, 2, 2, 2)))


def test_autograd_of_pytorch_is_the_rule_of_0() -> None:
    torch = pytest.importorskip("torch")
    draw = np.random.default_rng(5)
    x = draw.integers(-2, 3, (2, 3, 4)).astype(np.float64)
    g = draw.standard_normal(x.shape)
    entries = torch.tensor(x, requires_grad=True)
    y = torch.relu(entries)
    y.backward(torch.tensor(g))
    kernel = sc.compile(sc.ReLU("zero"))
    assert np.array_equal(kernel(x), y.detach().numpy())
    assert np.array_equal(kernel.vjp(g, x).input, entries.grad.numpy())


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.uint64])
def test_a_rectifier_keeps_every_integer(dtype: type[np.integer[Any]]) -> None:
    ends = np.iinfo(dtype)
    found = sc.compile(sc.ReLU(ndim=1))(np.array([ends.max, ends.min, 3], dtype))
    assert found.tolist() == [ends.max, 0, 3]
    assert found.dtype == dtype
