"""Dilation and erosion: their formulas, derivatives and derivations against plain loops, SciPy and by hand."""

from __future__ import annotations

import pickle
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
import sympy
from click.testing import CliRunner

from symconv import Dilation, Erosion, MaxPool, derive, prove
from symconv.cli.application import commands
from symconv.errors import ArgumentError, GeometryError
from symconv.formulas.algebra import Access, add, const
from symconv.formulas.algebra import product as times
from symconv.formulas.walks import transform

INFINITY = float("inf")


def taps_of(op: Any, o: tuple[int, ...], sizes: tuple[int, ...]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """(tap, position) of the real taps of an output, by the definition, taps row-major."""
    found = []
    for tap in product(*map(range, op.kernel_size)):
        place = []
        for axis, m in enumerate(tap):
            turned = op.kernel_size[axis] - 1 - m if op.flip else m
            place.append(op.stride[axis] * o[axis] + op.dilation[axis] * turned - op.padding[axis][0])
        if all(0 <= at < n for at, n in zip(place, sizes, strict=True)):
            found.append((tap, tuple(place)))
    return found


def loops(op: Any, a: np.ndarray, b: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The output and the gradients by the input and by the weight; the first best tap gets what arrives."""
    best = max if isinstance(op, Dilation) else min
    sign = 1 if isinstance(op, Dilation) else -1
    c, to_a, to_b = np.empty(g.shape, object), np.zeros(a.shape, object), np.zeros(b.shape, object)
    for o in np.ndindex(*g.shape):
        values = [(a[at] + sign * b[tap], tap, at) for tap, at in taps_of(op, o, a.shape)]
        c[o] = best((v for v, _, _ in values), default=-sign * INFINITY)
        for value, tap, at in values:
            if value == c[o]:
                to_a[at] += g[o]
                to_b[tap] += sign * g[o]
                break
    return c, to_a, to_b


def whole(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Small numbers, so that there are ties."""
    found = np.empty(shape, object)
    for place in np.ndindex(*shape):
        found[place] = Fraction(int(generator.integers(-3, 4)), 2)
    return found


CASES = [
    Dilation((3,), padding=1),
    Erosion((3,), padding=1),
    Dilation((3,), 2, ((1, 0),), 2, True),
    Erosion((2,), 3, ((0, 2),), 1, True),
    Dilation((4,), 1, ((-1, 2),)),
    Dilation((1,), 2, 3),
    Erosion((2,), 2, 3),
    Dilation((2, 3), (1, 2), (1, 0)),
    Erosion((3, 2), (2, 1), ((0, 1), (1, -1)), (1, 2)),
    Dilation((2, 2), padding="same_upper", flip=True),
    Erosion((2, 2, 2), 2, 1),
]


def pairs(op: Any) -> Any:
    """The same operator with its padding in numbers."""
    padding = tuple((int(w.padding(7)[0].value or 0), int(w.padding(7)[1].value or 0)) for w in op.windows)
    return type(op)(op.kernel_size, op.stride, padding, op.dilation, op.flip)


@pytest.mark.parametrize("op", CASES, ids=repr)
def test_formulas_are_plain_loops(op: Any) -> None:
    op = pairs(op)
    sizes = (7, 6, 3)[: op.ndim] if op.ndim < 3 else (3, 4, 3)
    generator = np.random.default_rng(5)
    a, b = whole(generator, sizes), whole(generator, op.kernel_size)
    g = whole(generator, op.output_size(sizes))
    c, to_a, to_b = loops(op, a, b, g)
    tensors = {"a": a.tolist(), "b": b.tolist(), "g": g.tolist()}
    for formula, expected in ((op.output(), c), (op.gradient("input"), to_a), (op.gradient("weight"), to_b)):
        needed = {tensor.name: tensors[tensor.name] for tensor in formula.tensors}
        found = formula.values(needed, sizes)
        assert found == dict(zip(np.ndindex(*expected.shape), expected.flat, strict=True))


@pytest.mark.parametrize("sizes", [(8,), (6, 7)])
@pytest.mark.parametrize("kernel", [(3, 3), (2, 4), (1, 5)])
def test_scipy_computes_the_same(sizes: tuple[int, ...], kernel: tuple[int, ...]) -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    kernel = kernel[: len(sizes)]
    generator = np.random.default_rng(3)
    a = generator.integers(-9, 10, sizes).astype(float)
    b = generator.integers(-9, 10, kernel).astype(float)
    before = [k // 2 for k in kernel]  # SciPy's window has its origin there; turned around, there from its end
    after = [k - 1 - k // 2 for k in kernel]
    eroded = Erosion(kernel, padding=tuple(zip(before, after, strict=True)))
    dilated = Dilation(kernel, padding=tuple(zip(after, before, strict=True)), flip=True)
    for op, peer, outside in ((eroded, ndimage.grey_erosion, INFINITY), (dilated, ndimage.grey_dilation, -INFINITY)):
        found = op.output().values({"a": a.tolist(), "b": b.tolist()}, sizes)
        expected = peer(a, structure=b, mode="constant", cval=outside)
        assert {place: float(value) for place, value in found.items()} == dict(np.ndenumerate(expected))


def test_entries_and_jacobians() -> None:
    a0, a1, b0, b1 = (sympy.IndexedBase(name)[k] for name in "ab" for k in (0, 1))
    assert Dilation((2,)).output().at(0, input_size=2) == sympy.Max(a0 + b0, a1 + b1)
    assert Erosion((2,)).output().at(0, input_size=2) == sympy.Min(a0 - b0, a1 - b1)
    assert Dilation((1,), padding=1).output().at(0, input_size=2) == -sympy.oo  # no entry at all
    assert Erosion((1,), padding=1).output().at(0, input_size=2) == sympy.oo
    jacobian = Erosion((2,)).derivative("weight").matrix(2)
    at = {a0: 1, a1: 1, b0: 2, b1: 2}
    assert jacobian.subs(at).doit().tolist() == [[-1, 0]]  # the first of two equal ones
    whole_form = Erosion((2,)).output().sympy()
    (p,) = (symbol for symbol in whole_form.free_symbols if str(symbol) == "p")
    assert whole_form.subs(p, 0).doit() == sympy.Min(a0 - b0, a1 - b1)


def test_the_window_and_its_size() -> None:
    assert Dilation(3, 2, 1).output_size((5, 6)) == (3, 3)
    assert Erosion((5,), padding="same").output_size((9,)) == (9,)
    assert str(Dilation((2,)).generic().output_size((sympy.Symbol("n"),))[0]) == "floor((-D*K + D + 2*P + n - 1)/S) + 1"
    with pytest.raises(GeometryError, match=r"^kernel_size needs an effective size"):
        Erosion((5,)).output_size((3,))
    with pytest.raises(ArgumentError, match=r"^flip must be"):
        Dilation(3, flip=2)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"^wrt must be a variable of Dilation: input, weight"):
        Dilation(3).gradient("bias")
    op = Erosion((3, 2), 2, ((1, 0), (0, 1)), flip=True)
    assert pickle.loads(pickle.dumps(op)) == op == eval(repr(op), {"Erosion": Erosion})
    assert op != Dilation((3, 2), 2, ((1, 0), (0, 1)), flip=True)


def test_printed_forms() -> None:
    op = Dilation((3,), padding=1)
    assert op.output(index_base=1).text() == "c[p] = max(1 ≤ m ≤ 3, 3 ≤ p + m ≤ I + 2) (a[p+m−2] + b[m])"
    assert Erosion(2).output().latex() == (
        r"c_{pq} = \min_{0 \leq m \leq 1,\;0 \leq n \leq 1} \left( a_{p+m,\,q+n}-b_{mn} \right)"
    )
    assert Erosion((2,)).derivative("weight").text() == (
        "∂c[p]/∂b[m] = −[m = first argmin(0 ≤ m′ ≤ 1) (a[p+m′] − b[m′])]"
    )


def with_weights(formula: Any, change: Any) -> Any:
    return formula.with_body(
        transform(formula.body, lambda n: change(n) if isinstance(n, Access) and n.tensor == "b" else None)
    )


def test_laws_are_proved_and_slips_refuted() -> None:
    options = {"stride": 2, "padding": 1}
    flat = with_weights(Dilation((3,), **options).output(), lambda n: const(0))
    assert prove(flat, MaxPool((3,), **options).output()).status == "proved"
    assert prove(Dilation((3,), 1, 1).output(), Dilation((3,), padding="same").output()).status == "proved"
    assert prove(Dilation((3,)).output(), Dilation((3,), flip=True).output()).status == "refuted"
    assert prove(Dilation((2,)).output(), Erosion((2,)).output()).status == "refuted"
    assert prove(Dilation((2,)).gradient("weight"), Erosion((2,)).gradient("weight")).status == "refuted"
    assert prove(Dilation((2,)).gradient(), Erosion((2,)).gradient()).status == "refuted"
    raised = with_weights(Dilation((2,)).output(), lambda n: add(n, const(1)))
    assert prove(raised, Dilation((2,)).output()).status == "refuted"
    negative = with_weights(Erosion((2,)).output(), lambda n: times(const(-1), n))  # min(a + b), no max
    assert prove(negative, Dilation((2,)).output()).status == "refuted"


WHAT = [("output", "input"), ("derivative", "input"), ("gradient", "input"), ("gradient", "weight")]


@pytest.mark.parametrize("op", [CASES[0], CASES[3], CASES[7], Erosion((2,)).generic()], ids=repr)
def test_every_step_of_a_derivation_is_proved(op: Any) -> None:
    for what, wrt in WHAT:
        for step in derive(op, what, wrt).steps:  # type: ignore[arg-type]
            assert step.verdict.status in ("proved", "exact"), f"{what} by {wrt}: {step.statement}"


def test_the_command_says_what_the_share_is() -> None:
    found = CliRunner().invoke(commands, ["derive", "dilation", "--kernel", "3", "--padding", "1", "--wrt", "weight"])
    assert found.exit_code == 0
    assert "The gradient of a dilation with respect to its weight" in found.output
    assert "ω[p, i] = 1 if a[i] + b[i−p+2] is the first maximum of the window, in the order of the taps" in found.output
    assert "[proved: for all I]" in found.output
    assert "undecided" not in found.output
    found = CliRunner().invoke(commands, ["derive", "erosion", "--kernel", "2x2", "--flip", "--what", "derivative"])
    assert found.exit_code == 0
    assert "The minimum passes its derivative on to one tap: among equal minima, to the first" in found.output
    assert "a[i, j] − b[p−i+2, q−j+2] is the first minimum" in found.output
