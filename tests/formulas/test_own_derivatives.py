"""Derivatives of operators that nobody foresaw: every entry against exact dual numbers, by plain loops."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from fractions import Fraction
from typing import Any

import pytest
import sympy
from dual_numbers import Data, dual

import symconv as sc
from symconv.formulas.algebra import (
    Absolute,
    Access,
    Bound,
    Compare,
    Guard,
    Node,
    Power,
    Reduce,
    Scalar,
    Sign,
    add,
    between,
    const,
    divides,
    product,
    summation,
)
from symconv.formulas.index import Index, floor, minimum
from symconv.operators.frame import Geometry
from symconv.operators.option import KERNEL_SIZE, PADDING, STRIDE

V = Index.of


@dataclass(frozen=True, repr=False)
class Stated(sc.Operator):
    """An operator with one axis whose body is given: a function of its arrays, its output index and its tap."""

    kernel_size: Any = field(metadata=KERNEL_SIZE.metadata)
    stride: Any = field(default=1, metadata=STRIDE.metadata)
    padding: Any = field(default=0, metadata=PADDING.metadata)
    _: KW_ONLY
    stated: Callable[..., Node]
    ndim: int = 1

    variables = ("input", "weight")

    def body(self, geometry: Geometry) -> Node:
        letters = geometry.letters
        (tap,), (out,) = self.tap_axes(geometry), self.axes("output", geometry)

        def a(index: Index | int | str) -> Node:
            return Access(letters.input, (V(index),))

        def b(index: Index | int | str) -> Node:
            return Access(letters.weight, (V(index),))

        return self.stated(a, b, out.index, tap)


def own(stated: Callable[..., Node], **options: Any) -> Stated:
    return Stated((2,), stated=stated, **options)


def over(op: Any, body: Node, *bounds: Bound, guards: tuple[Guard, ...] = ()) -> Reduce:
    return Reduce(op, bounds, guards, body)


n, k, S, P = (V(name) for name in ("n", "k", "S", "P"))
N = Bound("n", V(0), V(1))
STRIDE_S = {"stride": sympy.Symbol("S", integer=True, positive=True)}
PADDING_P = {"padding": sympy.Symbol("P", integer=True, nonnegative=True)}
BOTH = {**STRIDE_S, **PADDING_P}

ENTRIES: list[tuple[str, Stated]] = [
    ("an output times a tap", own(lambda a, b, p, m: summation(product(a(p * m.index), b(m.index)), m.bound))),
    (
        "a tap that counts backwards by the output",
        own(lambda a, b, p, m: summation(product(a(3 - p * m.index), b(m.index)), m.bound)),
    ),
    ("a square of a tap", own(lambda a, b, p, m: summation(product(a(m.index * m.index + p), b(m.index)), m.bound))),
    ("a rounded tap", own(lambda a, b, p, m: summation(product(a(floor(3 * p + m.index, 2)), b(m.index)), m.bound))),
    ("a tap cut off", own(lambda a, b, p, m: summation(product(a(minimum(p + m.index, 2)), b(m.index)), m.bound))),
    ("a dilated tap", own(lambda a, b, p, m: summation(product(a(2 * m.index - p + 1), b(m.index)), m.bound))),
    ("an entry three times", own(lambda a, b, p, m: product(a(p), a(p + 1), a(p)))),
]
DEPENDENT: list[tuple[str, Stated]] = [
    ("as many as the output says", own(lambda a, b, p, m: summation(product(a(n), b(0)), Bound("n", V(0), p)))),
    (
        "as many as the output says, for each tap",
        own(lambda a, b, p, m: summation(product(a(n + m.index), b(m.index)), Bound("n", V(0), p), m.bound)),
    ),
    (
        "a range from a tap to the output, whose entry holds both",
        own(lambda a, b, p, m: summation(product(a(n + m.index), b(m.index)), m.bound, Bound("n", m.index, p))),
    ),
    ("a range that is empty at times", own(lambda a, b, p, m: summation(product(a(n), b(0)), Bound("n", p, V(1))))),
    ("a square of a sum", own(lambda a, b, p, m: Power(summation(product(a(n), b(0)), Bound("n", V(0), p)), const(2)))),
    (
        "a triangle",
        own(lambda a, b, p, m: summation(product(a(n), a(k)), Bound("n", V(0), p), Bound("k", V(0), n))),
    ),
    (
        "a difference of two indices",
        own(lambda a, b, p, m: summation(product(a(n), b(n - k)), Bound("n", V(0), p + 1), Bound("k", V(0), n))),
    ),
    (
        "a sum of one term, and one of one term in it",
        own(lambda a, b, p, m: summation(product(a("n"), b("k")), Bound("k", V(1), V(1)), Bound("n", k, k))),
    ),
    (
        "the name of the output bound again",
        own(
            lambda a, b, p, m: product(a(p), summation(product(a(p), b(m.index)), Bound(str(p), V(-2), V(1)), m.bound))
        ),
    ),
    (
        "the name of the entry bound too",
        own(lambda a, b, p, m: summation(product(a(V("i") + p), b(m.index)), Bound("i", m.index, V(1)), m.bound)),
    ),
]
KINKS: list[tuple[str, Stated]] = [
    (
        "absolute differences",
        own(lambda a, b, p, m: summation(Absolute(add(a(p + m.index), product(const(-1), b(m.index)))), m.bound)),
    ),
    ("a maximum of products", own(lambda a, b, p, m: over("max", product(a(p + m.index), b(m.index)), m.bound))),
    (
        "a minimum of squares",
        own(lambda a, b, p, m: over("min", Power(add(a(p + m.index), b(m.index)), const(2)), m.bound)),
    ),
    (
        "a range of values",
        own(
            lambda a, b, p, m: add(
                over("max", a(p + m.index), m.bound), product(const(-1), over("min", a(p + m.index), m.bound))
            )
        ),
    ),
    (
        "a maximum under conditions",
        own(
            lambda a, b, p, m: over("max", product(a(n), b(n - p)), Bound("n", V(0), V(3)), guards=between(p, n, p + 1))
        ),
    ),
    (
        "a maximum of sums",
        own(lambda a, b, p, m: over("max", summation(product(a(p + m.index + n), b(m.index)), m.bound), N)),
    ),
    (
        "a sum of maxima",
        own(lambda a, b, p, m: summation(product(b(m.index), over("max", a(p + m.index * n), N)), m.bound)),
    ),
    (
        "a comparison of values",
        own(
            lambda a, b, p, m: summation(
                product(Compare(a(p + m.index), ">", b(m.index)), Sign(a(p)), a(p + m.index)), m.bound
            )
        ),
    ),
    ("a running maximum", own(lambda a, b, p, m: over("max", a(n), Bound("n", V(0), p + P)), **PADDING_P)),
]
SIZES: list[tuple[str, Stated]] = [
    (name, own(lambda a, b, p, m, place=place: summation(product(a(place(p, m.index)), b(m.index)), m.bound), **sizes))
    for name, place, sizes in [
        ("a tap times a padding", lambda p, m: P * m + p, PADDING_P),
        ("a tap times minus a padding", lambda p, m: p - P * m, PADDING_P),
        ("a stride of its own", lambda p, m: S * p + S * m - P, BOTH),
        ("a stride less one", lambda p, m: (S - 1) * m + p, STRIDE_S),
        ("a stride less a padding", lambda p, m: (S - P) * m + p, BOTH),
        ("a stride and a padding", lambda p, m: (S + P) * m + p, BOTH),
        ("rounded by a stride", lambda p, m: floor(p + m, S), STRIDE_S),
    ]
]
SIZES += [
    ("from a stride to a padding", own(lambda a, b, p, m: summation(a(n + p), Bound("n", S, P)), **BOTH)),
    ("every stride", own(
        lambda a, b, p, m: over("sum", product(a(n), b(0)), Bound("n", V(0), S * p), guards=(divides(S, n),)),
        **STRIDE_S,
    )),
    ("to the power of a stride", own(
        lambda a, b, p, m: summation(Power(a(p + m.index), Scalar(S)), m.bound), **STRIDE_S,
    )),
    ("weighed by sizes", own(
        lambda a, b, p, m: summation(product(Scalar(S * m.index - P), a(p + m.index), b(m.index)), m.bound), **BOTH,
    )),
    ("a mean", own(lambda a, b, p, m: product(
        Power(summation(const(1), Bound("n", p, V(3))), const(-1)), summation(a(n), Bound("n", p, V(3))),
    ))),
    ("one over a sum of squares", own(lambda a, b, p, m: product(
        a(p), Power(summation(Power(add(a(p + m.index), b(0)), const(2)), m.bound), const(-1)),
    ))),
]  # fmt: skip
ALL = [*ENTRIES, *DEPENDENT, *KINKS, *SIZES]
SIZE, TAPS = 4, 2


def data_of(a: list[Any], b: list[Any]) -> Data:
    return {(name, (at,)): Fraction(v) for name, row in (("a", a), ("b", b)) for at, v in enumerate(row)}


GENERIC = data_of(["-2", "-1/3", "2", "23/5"], ["-3/2", "2/3"])
TIED = data_of([2, 2, -1, 2], [1, 1])
FLAT = data_of([0, 2, 0, 0], [3, 0])  # a kink at every other entry


@pytest.mark.parametrize("op", [pytest.param(op, id=name) for name, op in ALL])
@pytest.mark.parametrize("wrt", ["input", "weight"])
def test_every_entry_of_a_derivative_is_the_slope(op: Stated, wrt: Any) -> None:
    output, derivative = op.output(), op.derivative(wrt)
    tensor, length = ("a", SIZE) if wrt == "input" else ("b", TAPS)
    (name,) = (bound.name for bound in output.free)
    for stride, padding in itertools.product((1, 2), (0, 1)):
        sizes = {"S": stride, "P": padding}
        given = {letter: value for letter, value in sizes.items() if letter in output.parameters}
        if sizes != {"S": 1, "P": 0, **given}:
            continue
        places = range((SIZE + 2 * padding - TAPS) // stride + 1)
        for data, p, at in itertools.product((GENERIC, TIED, FLAT), places, range(length)):
            numbers = {sympy.IndexedBase(of)[place]: sympy.Rational(str(v)) for (of, place), v in data.items()}
            due = dual(output.body, {name: p, "I": SIZE, "K": TAPS, **sizes}, data, (tensor, (at,)))
            assert output.at(p, input_size=SIZE, **given).xreplace(numbers) == due.value
            assert derivative.at(p, at, input_size=SIZE, **given).xreplace(numbers) == due.slope, (given, p, at)


@pytest.mark.parametrize("op", [pytest.param(op, id=name) for name, op in (*ENTRIES[:2], *DEPENDENT[:3], *SIZES[:2])])
def test_no_step_of_its_derivation_is_refuted(op: Stated) -> None:
    worked = sc.derive(op, "derivative", "input")
    assert {step.verdict.status for step in worked.steps} <= {"proved", "undecided"}
