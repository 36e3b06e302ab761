"""Leaky ReLU, sigmoid, tanh and softplus: exact values, gradients and kernels against loops, mpmath and PyTorch."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from click.testing import CliRunner

import symconv as sc
from symconv.cli.application import commands
from symconv.formulas.algebra import Access, const
from symconv.formulas.algebra import product as times
from symconv.formulas.collecting import collected
from symconv.formulas.index import Index

SMOOTH: dict[type, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    sc.Sigmoid: (lambda x: 1 / (1 + mpmath.exp(-x)), lambda x: mpmath.exp(-x) / (1 + mpmath.exp(-x)) ** 2),
    sc.Tanh: (mpmath.tanh, lambda x: mpmath.sech(x) ** 2),
    sc.Softplus: (lambda x: mpmath.log(1 + mpmath.exp(x)), lambda x: 1 / (1 + mpmath.exp(-x))),
}
ENTRIES = [[Fraction(-3), Fraction(0), Fraction(1, 2)], [Fraction(7, 3), Fraction(-1, 4), Fraction(2)]]
UPSTREAM = [[Fraction(2), Fraction(-1), Fraction(1, 3)], [Fraction(0), Fraction(5), Fraction(1)]]
PLACES = [(i, j) for i in range(2) for j in range(3)]


def decimal_of(number: Any) -> mpmath.mpf:
    """An exact number to forty digits."""
    value = sympy.Rational(number.numerator, number.denominator) if isinstance(number, Fraction) else number
    return mpmath.mpf(str(value.evalf(40)))


@pytest.mark.parametrize("kind", SMOOTH)
def test_exact_values_and_gradients_are_those_of_mpmath(kind: Any) -> None:
    value, slope = SMOOTH[kind]
    op = kind(ndim=2)
    output = op.output().values({"a": ENTRIES}, input_size=(2, 3))
    gradient = op.gradient().values({"a": ENTRIES, "g": UPSTREAM}, input_size=(2, 3))
    assert list(output) == list(gradient) == PLACES
    with mpmath.workdps(40):
        for i, j in PLACES:
            x = mpmath.mpf(ENTRIES[i][j].numerator) / ENTRIES[i][j].denominator
            g = mpmath.mpf(UPSTREAM[i][j].numerator) / UPSTREAM[i][j].denominator
            for found, expected in ((output[i, j], value(x)), (gradient[i, j], g * slope(x))):
                assert isinstance(found, Fraction) or not found.atoms(sympy.Float)
                assert abs(decimal_of(found) - expected) < 1e-30
    assert gradient[1, 0] == 0  # nothing arrives there
    middle = {sc.Sigmoid: Fraction(1, 2), sc.Tanh: 0, sc.Softplus: sympy.log(2)}[kind]
    assert output[0, 1] == middle


@pytest.mark.parametrize("slope", [Fraction(1, 100), Fraction(-2), Fraction(0), Fraction(1), Fraction(3, 7)])
@pytest.mark.parametrize("at_zero", ["slope", "one"])
def test_leaky_relu_against_loops(slope: Fraction, at_zero: str) -> None:
    op = sc.LeakyReLU(slope, at_zero, ndim=2)
    output = op.output().values({"a": ENTRIES}, input_size=(2, 3))
    gradient = op.gradient().values({"a": ENTRIES, "g": UPSTREAM}, input_size=(2, 3))
    for i, j in PLACES:
        x = ENTRIES[i][j]
        assert output[i, j] == (x if x > 0 else slope * x)
        steep = 1 if x > 0 or (x == 0 and at_zero == "one") else slope
        assert gradient[i, j] == UPSTREAM[i][j] * steep


def test_leaky_relu_at_0_is_refused_where_nothing_is_said_of_it() -> None:
    with pytest.raises(sc.ArgumentError, match=r"have no derivative at 0\), got a\[0, 1\] = 0$"):
        sc.LeakyReLU(ndim=2).gradient().values({"a": ENTRIES, "g": UPSTREAM}, input_size=(2, 3))
    with pytest.raises(sc.ArgumentError, match=r"^at_zero must be one of 'undefined', 'slope', 'one', got 'zero'"):
        sc.LeakyReLU(at_zero="zero")


@pytest.mark.parametrize(
    "given", [0.01, "1/100", np.float64(0.01), decimal.Decimal("0.01"), sympy.Rational(1, 100), Fraction(1, 100)]
)
def test_a_decimal_slope_is_what_it_prints_as(given: Any) -> None:
    if isinstance(given, str):
        with pytest.raises(sc.ArgumentError, match=r"^negative_slope must be a rational number, got '1/100'"):
            sc.LeakyReLU(given)
        return
    assert sc.LeakyReLU(given) == sc.LeakyReLU()
    assert sc.LeakyReLU(given).negative_slope == Fraction(1, 100)


@pytest.mark.parametrize("given", [float("nan"), float("inf"), True, None, sympy.Symbol("s"), sympy.pi, 1j, [0.1]])
def test_a_slope_that_is_no_rational_number_is_refused(given: Any) -> None:
    with pytest.raises(sc.ArgumentError, match=r"^negative_slope must be a rational number, got "):
        sc.LeakyReLU(given)


def test_the_formulas_by_hand() -> None:
    assert str(sc.LeakyReLU(0.2).output()) == "c[p] = max(0, a[p]) + 1/5·min(0, a[p])"
    assert str(sc.LeakyReLU(0).output()) == "c[p] = max(0, a[p])"
    assert str(sc.LeakyReLU(0.2).gradient()) == "∂E/∂a[i] = g[i]·([a[i] > 0] + 1/5·[−a[i] > 0])"
    assert str(sc.LeakyReLU(0.2, "slope").gradient()) == "∂E/∂a[i] = g[i]·([a[i] > 0] + 1/5·[0 ≥ a[i]])"
    assert str(sc.Sigmoid().output()) == "c[p] = σ(a[p])"
    assert str(sc.Sigmoid().gradient()) == "∂E/∂a[i] = g[i]·σ(a[i])·(1 − σ(a[i]))"
    assert str(sc.Sigmoid().derivative()) == "∂c[p]/∂a[i] = σ(a[p])·(1 − σ(a[p]))  if p = i, else 0"
    assert str(sc.Tanh().gradient()) == "∂E/∂a[i] = g[i]·(1 − tanh(a[i])^2)"
    assert str(sc.Softplus(ndim=2).output()) == "c[p, q] = ln(1 + e^(a[p, q]))"
    assert str(sc.Softplus().gradient()) == "∂E/∂a[i] = g[i]·σ(a[i])"
    assert sc.Sigmoid().gradient().latex() == (
        r"\frac{\partial E}{\partial a_{i}} = g_{i}\, \sigma(a_{i})\, \left( 1-\sigma(a_{i}) \right)"
    )


def test_only_what_all_terms_have_is_taken_outside() -> None:
    a, b, c = (Access(name, (Index.of("i"),)) for name in "abc")
    from symconv.formulas.algebra import add

    assert collected(add(times(a, b), times(const(-2), a, c))) == times(a, add(b, times(const(-2), c)))
    assert collected(add(times(a, a, b), times(a, a))) == times(a, a, add(b, const(1)))
    for node in (add(a, b), times(a, b), const(0)):
        assert collected(node) == node


@pytest.mark.parametrize("op", [sc.LeakyReLU(), sc.LeakyReLU(2, "one"), *(kind(ndim=2) for kind in SMOOTH)], ids=repr)
def test_every_step_is_proved(op: Any) -> None:
    for what in ("output", "derivative", "gradient"):
        worked = sc.derive(op, what)
        assert {step.verdict.status for step in worked.steps} == {"proved"}
    assert worked.result.body == op.gradient(index_base=1).body


@pytest.mark.parametrize("command", ["leaky-relu --negative-slope 0.2 --at-zero slope", "sigmoid", "tanh", "softplus"])
def test_the_command_line(command: str) -> None:
    found = CliRunner().invoke(commands, ["derive", *command.split(), "--what", "gradient"])
    assert found.exit_code == 0
    assert "(6) ∂E/∂a[i] = g[i]·" in found.output
    assert ("1/5" in found.output) == command.startswith("leaky")


# ---------------------------------------------------------------------- kernels


LARGE = np.array([-np.inf, -1e300, -800.0, -1.5, 0.0, 0.25, 800.0, 1e300, np.inf, np.nan])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", SMOOTH)
def test_kernels_are_stable(kind: Any) -> None:
    kernel = sc.compile(kind())
    with np.errstate(all="raise", under="ignore"):
        y, slope = kernel(LARGE), kernel.vjp(np.ones_like(LARGE), LARGE).input
    ends = {sc.Sigmoid: (0, 1, 0), sc.Tanh: (-1, 1, 0), sc.Softplus: (0, None, 1)}[kind]
    assert y[0] == y[1] == y[2] == ends[0]
    assert list(y[6:9]) == ([800, 1e300, np.inf] if ends[1] is None else [ends[1]] * 3)
    assert list(slope[:3]) == [0, 0, 0]
    assert list(slope[6:9]) == [ends[2]] * 3
    assert np.isnan(y[9])
    assert np.isnan(slope[9])
    value, derivative = SMOOTH[kind]
    for place in (3, 4, 5):
        assert y[place] == pytest.approx(float(value(mpmath.mpf(LARGE[place]))), rel=1e-15)
        assert slope[place] == pytest.approx(float(derivative(mpmath.mpf(LARGE[place]))), rel=1e-15)
    assert np.array_equal(kernel.jvp(LARGE, dx=np.ones_like(LARGE)), slope, equal_nan=True)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_small_types_are_rounded_once(dtype: str) -> None:
    x = np.linspace(-9, 9, 37).astype(dtype)
    for kind in SMOOTH:
        y = sc.compile(kind())(x)
        assert y.dtype == dtype
        assert np.allclose(y, sc.compile(kind())(x.astype(np.float64)), rtol=2 * np.finfo(dtype).eps, atol=0)


def test_integers_are_refused_where_values_are_none() -> None:
    for op in (sc.Sigmoid(), sc.LeakyReLU()):
        with pytest.raises(sc.NotSupportedError, match="needs a floating dtype, got x of int64"):
            sc.compile(op)(np.array([1, 2]))


def test_autograd_of_pytorch_agrees() -> None:
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    draw = np.random.default_rng(11)
    x, g = draw.normal(0, 4, (2, 3, 5)), draw.standard_normal((2, 3, 5))
    x[0, 0] = [0, -20, 20, -40, 40]
    peers = {
        sc.LeakyReLU(0.2, "slope"): lambda t: functional.leaky_relu(t, 0.2),
        sc.Sigmoid(): torch.sigmoid,
        sc.Tanh(): torch.tanh,
        sc.Softplus(): lambda t: functional.softplus(t, threshold=1000),
    }
    for op, peer in peers.items():
        entries = torch.tensor(x, requires_grad=True)
        y = peer(entries)
        y.backward(torch.tensor(g))
        kernel = sc.compile(op)
        assert np.allclose(kernel(x), y.detach().numpy(), rtol=1e-14, atol=1e-300)
        assert np.allclose(kernel.vjp(g, x).input, entries.grad.numpy(), rtol=1e-13, atol=1e-17)


def test_exact_numbers_go_through_a_network_of_functions() -> None:
    network = sc.Network([("s", sc.Sigmoid()), ("l", sc.LeakyReLU(0.5, "slope")), ("t", sc.Tanh()), ("r", sc.ReLU())])
    values = network.values([Fraction(1), Fraction(-2)], {})
    with mpmath.workdps(40):
        for place, x in enumerate((1, -2)):
            s = 1 / (1 + mpmath.exp(-mpmath.mpf(x)))
            assert abs(decimal_of(values["r"][place]) - mpmath.tanh(s)) < 1e-30
        found = network.gradients([Fraction(1), Fraction(-2)], {})["input"]
        for place, x in enumerate((1, -2)):
            s = 1 / (1 + mpmath.exp(-mpmath.mpf(x)))
            assert abs(decimal_of(found[place]) - mpmath.sech(s) ** 2 * s * (1 - s)) < 1e-30
    kernel = sc.compile(network)
    assert np.allclose(kernel(np.array([1.0, -2.0])), [float(v) for v in values["r"]], rtol=1e-15)


def test_a_number_that_is_not_made_of_e_and_logarithms_is_no_entry() -> None:
    op = sc.Sigmoid()
    exact = op.output().values({"a": [sympy.log(3), sympy.exp(-1)]}, input_size=2)
    assert exact[(0,)] == Fraction(3, 4)
    for entry in (sympy.pi, sympy.sin(1), sympy.sqrt(-2), sympy.Symbol("x"), sympy.Float(0.5)):
        with pytest.raises(sc.ArgumentError, match="must have real numbers as entries"):
            op.output().values({"a": [entry, 1]}, input_size=2)
