"""Softmax and its logarithm: exact values, derivatives, derivations and kernels against loops, mpmath and PyTorch."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from click.testing import CliRunner

import symconv as sc
from symconv.cli.application import commands
from symconv.formulas.algebra import Bracket, add, const, equal
from symconv.formulas.algebra import product as times
from symconv.formulas.index import Index

BOTH = [sc.Softmax(), sc.LogSoftmax()]
ENTRIES = [Fraction(-3), Fraction(0), Fraction(1, 2), Fraction(7, 3)]
UPSTREAM = [Fraction(2), Fraction(-1), Fraction(0), Fraction(1, 3)]


def shares(x: list[Any]) -> list[Any]:
    """Softmax by its definition, in mpmath."""
    powers = [mpmath.exp(v) for v in x]
    return [power / mpmath.fsum(powers) for power in powers]


def exact(number: Any) -> mpmath.mpf:
    """An exact number to forty digits."""
    if isinstance(number, Fraction):
        return mpmath.mpf(number.numerator) / number.denominator
    assert not number.atoms(sympy.Float)
    return mpmath.mpf(str(number.evalf(40)))


@pytest.mark.parametrize("op", BOTH, ids=repr)
def test_exact_values_derivatives_and_gradients_against_loops(op: Any) -> None:
    n = len(ENTRIES)
    output = op.output().values({"a": ENTRIES}, input_size=n)
    jacobian = op.derivative().values({"a": ENTRIES}, input_size=n)
    gradient = op.gradient().values({"a": ENTRIES, "g": UPSTREAM}, input_size=n)
    log = isinstance(op, sc.LogSoftmax)
    with mpmath.workdps(40):
        s = shares([exact(x) for x in ENTRIES])
        slopes = [[((p == i) - s[i]) if log else s[p] * ((p == i) - s[i]) for i in range(n)] for p in range(n)]
        for p in range(n):
            assert abs(exact(output[(p,)]) - (mpmath.log(s[p]) if log else s[p])) < 1e-30
        for p, i in product(range(n), repeat=2):
            assert abs(exact(jacobian[p, i]) - slopes[p][i]) < 1e-30
        for i in range(n):
            arrives = mpmath.fsum(exact(UPSTREAM[p]) * slopes[p][i] for p in range(n))
            assert abs(exact(gradient[(i,)]) - arrives) < 1e-30


def test_equal_entries_have_rational_shares() -> None:
    assert sc.Softmax().output().values({"a": [0, 0, 0]}, input_size=3) == dict.fromkeys(
        [(0,), (1,), (2,)], Fraction(1, 3)
    )
    assert sc.Softmax().output().values({"a": [5]}, input_size=1) == {(0,): Fraction(1)}
    assert sc.LogSoftmax().output().values({"a": [0, 0]}, input_size=2)[(0,)] == -sympy.log(2)
    logs = [sympy.log(2), sympy.log(6)]
    assert sc.Softmax().output().values({"a": logs}, input_size=2) == {(0,): Fraction(1, 4), (1,): Fraction(3, 4)}


def test_a_large_exact_entry_is_refused_with_its_place() -> None:
    with pytest.raises(sc.ArgumentError, match=r"of a number up to 10,000\), got a\[1\] = 10001; use"):
        sc.Softmax().output().values({"a": [0, 10001]}, input_size=2)


def test_the_formulas_by_hand() -> None:
    assert str(sc.Softmax().output(index_base=1)) == "c[p] = e^(a[p])/(∑(j = 1 … I) e^(a[j]))"
    assert sc.Softmax().output(index_base=1).latex() == r"c_{p} = \frac{e^{a_{p}}}{\sum_{j=1}^{I} e^{a_{j}}}"
    assert sc.LogSoftmax().output(index_base=1).latex() == r"c_{p} = a_{p}-\ln(\sum_{j=1}^{I} e^{a_{j}})"
    assert str(sc.LogSoftmax().derivative(input_size=3)) == "∂c[p]/∂a[i] = [p = i] − e^(a[i])/(∑(j = 0 … 2) e^(a[j]))"
    chosen = sc.Softmax().output(names={"input": "j", "output": "y", "output_index": "k", "input_index": "i"})
    assert str(chosen).startswith("y[k] = e^(j[k])/(∑(")
    assert chosen.at(0, input_size=1) == 1


def test_symbolic_entries() -> None:
    a = sympy.IndexedBase("a")
    assert sc.Softmax().output().at(1, input_size=2) == sympy.exp(a[1]) / (sympy.exp(a[0]) + sympy.exp(a[1]))
    matrix = sc.Softmax().derivative().matrix(2)
    s = [sympy.exp(a[k]) / (sympy.exp(a[0]) + sympy.exp(a[1])) for k in range(2)]
    for p, i in product(range(2), repeat=2):
        assert sympy.simplify(matrix[p, i] - s[p] * (int(p == i) - s[i])) == 0
    total = sc.Softmax().output().sympy()
    assert not total.has(sympy.Piecewise)
    assert len(total.atoms(sympy.Sum)) == 1


def test_options_sizes_and_copies() -> None:
    assert repr(sc.Softmax()) == "Softmax()"
    assert sc.Softmax() == sc.Softmax()
    assert sc.Softmax().output_size(7) == (7,)
    assert pickle.loads(pickle.dumps(sc.LogSoftmax().gradient())) == sc.LogSoftmax().gradient()
    with pytest.raises(sc.ArgumentError, match=r"^input_size must have 1 entries"):
        sc.Softmax().output_size((2, 3))
    network = sc.Network([sc.ReLU(), sc.Softmax()])
    with pytest.raises(sc.GeometryError, match=r"must be a vector before Softmax\(\).*put a Flatten\(\) before"):
        network.output_size((2, 2))


# ---------------------------------------------------------------------- proofs


@pytest.mark.parametrize("op", BOTH, ids=repr)
@pytest.mark.parametrize("what", ["output", "derivative", "gradient"])
def test_every_step_is_proved_without_a_condition(op: Any, what: Any) -> None:
    worked = sc.derive(op, what)
    for step in worked.steps:
        assert step.verdict.status == "proved"
        assert set(step.verdict.conditions) <= {"E differentiable in the outputs"}


def test_the_last_lines_by_hand() -> None:
    lines = {
        ("softmax", "derivative"): "∂c[p]/∂a[i] = c[p]·([p = i] − c[i])",
        ("softmax", "gradient"): "∂E/∂a[i] = c[i]·(g[i] − ∑(p = 1 … I) g[p]·c[p])",
        ("log-softmax", "derivative"): "∂c[p]/∂a[i] = [p = i] − e^(c[i])",
        ("log-softmax", "gradient"): "∂E/∂a[i] = g[i] − e^(c[i])·∑(p = 1 … I) g[p]",
    }
    for (command, what), line in lines.items():
        op = sc.Softmax() if command == "softmax" else sc.LogSoftmax()
        assert sc.derive(op, what).steps[-1].statement == line
        found = CliRunner().invoke(commands, ["derive", command, "--what", what])
        assert found.exit_code == 0
        assert line.partition(" = ")[2] in found.output


def test_slips_in_the_derivative_of_softmax_are_refuted() -> None:
    formula = sc.Softmax().derivative()
    p, i = Index.of("p"), Index.of("i")
    output = sc.Softmax().output().body

    def share(at: Index) -> Any:
        from symconv.formulas.substitution import substitute

        return substitute(output, {"p": at})

    minus = const(-1)
    delta = Bracket((equal(p, i),))
    right = formula.with_body(times(share(p), add(delta, times(minus, share(i)))))
    assert sc.prove(formula, right).status == "proved"
    slips: dict[str, Callable[[], Any]] = {
        "a sign": lambda: times(share(p), add(delta, share(i))),
        "the diagonal alone": lambda: times(delta, share(p), add(const(1), times(minus, share(i)))),
        "the wrong share": lambda: times(share(p), add(delta, times(minus, share(p)))),
        "no share before": lambda: add(delta, times(minus, share(i))),
        "the square": lambda: times(share(p), share(p), add(delta, times(minus, share(i)))),
    }
    for name, body in slips.items():
        assert sc.prove(formula, formula.with_body(body())).status == "refuted", name


# ---------------------------------------------------------------------- kernels


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [1.0, 700.0, 1e300])
def test_kernels_are_stable_and_those_of_mpmath(scale: float) -> None:
    draw = np.random.default_rng(2)
    x = scale * draw.standard_normal((3, 2, 5))
    g = draw.standard_normal(x.shape)
    with np.errstate(all="raise", under="ignore"):
        found = {op: (k(x), k.vjp(g, x).input, k.jvp(x, dx=g)) for op in BOTH for k in (sc.compile(op),)}
    with mpmath.workdps(30):
        for place in np.ndindex(3, 2):
            s = shares([mpmath.mpf(float(v)) for v in x[place]])
            up = [mpmath.mpf(float(v)) for v in g[place]]
            mean = mpmath.fsum(a * b for a, b in zip(s, up, strict=True))
            y, back, along = (array[place] for array in found[sc.Softmax()])
            assert np.allclose(y, [float(v) for v in s], rtol=1e-12, atol=1e-300)
            expected = [float(v * (u - mean)) for v, u in zip(s, up, strict=True)]
            assert np.allclose(back, expected, rtol=1e-9, atol=1e-15)
            assert np.array_equal(back, along)
            y, back, along = (array[place] for array in found[sc.LogSoftmax()])
            assert np.allclose(y, [float(mpmath.log(v)) if v else -np.inf for v in s], rtol=1e-12)
            arrived = mpmath.fsum(up)
            assert np.allclose(
                back, [float(u - v * arrived) for v, u in zip(s, up, strict=True)], rtol=1e-9, atol=1e-14
            )
            assert np.allclose(along, [float(u - mean) for u in up], rtol=1e-9, atol=1e-14)


def test_infinities_and_nan() -> None:
    nan, inf = np.nan, np.inf
    for op in BOTH:
        kernel = sc.compile(op)
        for vector in ([inf, 0.0], [nan, 0.0], [-inf, -inf]):
            assert np.isnan(kernel(np.array(vector))).all()
    assert sc.compile(sc.Softmax())(np.array([-inf, 0.0])).tolist() == [0, 1]
    assert sc.compile(sc.LogSoftmax())(np.array([-inf, 0.0])).tolist() == [-inf, 0]


@pytest.mark.parametrize("op", BOTH, ids=repr)
def test_types_layouts_and_what_a_kernel_says(op: Any) -> None:
    kernel = sc.compile(op)
    x = np.linspace(-2, 2, 8).reshape(2, 4)
    for dtype in ("float16", "float32"):
        y = kernel(x.astype(dtype))
        assert y.dtype == dtype
        assert np.allclose(y, kernel(x), rtol=0, atol=4 * np.finfo(dtype).eps)
    assert kernel(x[0]).shape == (4,)
    assert kernel(x.reshape(2, 1, 4)).shape == (2, 1, 4)
    assert np.array_equal(kernel(x)[1], kernel(x[1]))
    with pytest.raises(sc.NotSupportedError, match="needs a floating dtype"):
        kernel(np.array([1, 2]))
    assert kernel.derivation().steps[0].verdict.status == "proved"
    assert "np.max" in kernel.source
    with pytest.raises(sc.NotSupportedError, match="no bound of rounding errors is promised"):
        kernel.error_bound(x)


def test_autograd_of_pytorch_agrees() -> None:
    torch = pytest.importorskip("torch")
    draw = np.random.default_rng(4)
    x, g = draw.normal(0, 5, (2, 3, 6)), draw.standard_normal((2, 3, 6))
    for op, peer in ((sc.Softmax(), torch.softmax), (sc.LogSoftmax(), torch.log_softmax)):
        entries = torch.tensor(x, requires_grad=True)
        y = peer(entries, -1)
        y.backward(torch.tensor(g))
        assert np.allclose(sc.compile(op)(x), y.detach().numpy(), rtol=1e-13)
        assert np.allclose(sc.compile(op).vjp(g, x).input, entries.grad.numpy(), rtol=1e-12, atol=1e-15)
