"""Derivatives of operators that nobody foresaw: every entry against exact dual numbers, by plain loops."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from fractions import Fraction
from typing import Any

import pytest
import sympy
from dual_numbers import dual

import symconv as sc
from symconv.formulas.algebra import Access, Bound, Node, product, summation
from symconv.formulas.index import Index
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


OWN: list[tuple[str, Stated]] = [
    ("an output times a tap", own(lambda a, b, p, m: summation(product(a(p * m.index), b(m.index)), m.bound))),
    (
        "a tap that counts backwards by the output",
        own(lambda a, b, p, m: summation(product(a(3 - p * m.index), b(m.index)), m.bound)),
    ),
    (
        "a sum over as many as the output says",
        own(lambda a, b, p, m: summation(product(a(V("n") + m.index), b(m.index)), Bound("n", V(0), p), m.bound)),
    ),
    (
        "a range that depends on a tap, whose entry holds both",
        own(lambda a, b, p, m: summation(product(a(V("n") + m.index), b(m.index)), m.bound, Bound("n", m.index, p))),
    ),
    (
        "a sum of one term, and one of one term in it",
        own(lambda a, b, p, m: summation(product(a("n"), b("k")), Bound("k", V(1), V(1)), Bound("n", V("k"), V("k")))),
    ),
]  # fmt: skip


@pytest.mark.parametrize("op", [pytest.param(op, id=name) for name, op in OWN])
@pytest.mark.parametrize("wrt", ["input", "weight"])
def test_every_entry_of_a_derivative_is_the_slope(op: Stated, wrt: Any) -> None:
    size, taps = 4, 2
    data = {("a", (k,)): Fraction(3 * k * k - 4, k + 2) for k in range(size)}
    data.update({("b", (k,)): Fraction(5 * k - 3, k + 2) for k in range(taps)})
    numbers = {
        sympy.IndexedBase(name)[place]: sympy.Rational(v.numerator, v.denominator) for (name, place), v in data.items()
    }
    output, derivative = op.output(), op.derivative(wrt)
    tensor, length = ("a", size) if wrt == "input" else ("b", taps)
    (name,) = (bound.name for bound in output.free)
    for p, k in itertools.product(range(op.output_size(size)[0]), range(length)):
        env = {name: p, "I": size, "K": taps}
        due = dual(output.body, env, data, (tensor, (k,)))
        assert output.at(p, input_size=size).subs(numbers) == due.value
        assert derivative.at(p, k, input_size=size).subs(numbers) == due.slope, (p, k)


@pytest.mark.parametrize("op", [pytest.param(op, id=name) for name, op in OWN])
def test_no_step_of_its_derivation_is_refuted(op: Stated) -> None:
    for wrt in ("input", "weight"):
        worked = sc.derive(op, "derivative", wrt)
        assert {step.verdict.status for step in worked.steps} <= {"proved", "undecided"}
