"""Every formula of `ConvTranspose` against plain loops, exactly, over the whole space of its options."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import oracles
import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from loop_cases import at_numbers, computed, random_tensor, squeezed, unit
from oracles import Tensor

from symconv.errors import ArgumentError, GeometryError
from symconv.operators.transposed import ConvTranspose


class Case:
    """A transposed convolution with its tensors, in the layouts of the oracles and of the formulas."""

    def __init__(self, op: ConvTranspose, sizes: tuple[int, ...]) -> None:
        self.op, self.sizes, random = op, sizes, Random(len(sizes))
        self.x = random_tensor(random, (1, op.in_channels, *sizes))
        self.weight = random_tensor(random, (op.in_channels, op.out_channels // op.groups, *op.kernel_size))
        self.bias = random_tensor(random, (op.out_channels,)) if op.bias else None
        self.options = {
            "stride": op.stride,
            "padding": list(op.padding),
            "output_padding": op.output_padding,
            "dilation": op.dilation,
            "groups": op.groups,
            "flip": op.flip,
        }

    def output(self) -> Tensor:
        return oracles.conv_transpose(self.x, self.weight, self.bias, **self.options)

    def cut(self, role: str, value: Tensor) -> Tensor:
        op = self.op
        dropped = {
            "input": [0] + [1] * (op.in_channels == 1),
            "output": [0] + [1] * (op.out_channels == 1),
            "weight": [0] * (op.in_channels == 1) + [1] * (op.out_channels == op.groups),
            "bias": [0] * (op.out_channels == 1),
        }[role]
        return squeezed(value, dropped)

    def tensors(self, g: Tensor | None = None) -> dict[str, Any]:
        found = {"a": self.cut("input", self.x).nested(), "b": self.cut("weight", self.weight).nested()}
        if self.bias is not None:
            found["d"] = self.cut("bias", self.bias).nested()
        return found if g is None else {**found, "g": self.cut("output", g).nested()}

    def gradients(self, g: Tensor) -> dict[str, Tensor]:
        found = oracles.conv_transpose_vjp(g, self.x, self.weight, **self.options)
        pairs = {"input": found.input, "weight": found.weight}
        if self.op.bias:
            pairs["bias"] = found.bias
        return {role: self.cut(role, value) for role, value in pairs.items()}


@st.composite
def cases(draw: st.DrawFn) -> Case:
    ndim = draw(st.sampled_from([1, 1, 2, 3]))
    most = {1: 5, 2: 3, 3: 2}[ndim]
    sizes = tuple(draw(st.integers(1, most)) for _ in range(ndim))

    def each(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(ndim))

    kernel, stride, dilation = each(1, 3 if ndim < 3 else 2), each(1, 3), each(1, 2)
    extra = each(0, 2)
    padding = tuple((draw(st.integers(-1, 2)), draw(st.integers(-1, 2))) for _ in range(ndim))
    groups = draw(st.sampled_from([1, 1, 2]))
    channels = [groups * draw(st.integers(1, 2)) for _ in range(2)]
    op = ConvTranspose(
        kernel,
        stride,
        padding,
        extra,
        dilation,
        groups,
        *channels,
        bias=draw(st.booleans()),
        flip=draw(st.booleans()),
    )
    outputs = [
        s * (n - 1) + d * (k - 1) + 1 + e - b - a
        for n, k, s, d, e, (b, a) in zip(sizes, kernel, stride, dilation, extra, padding, strict=True)
    ]
    assume(all(1 <= o <= 12 for o in outputs))
    return Case(op, sizes)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(cases(), st.sampled_from([0, 1]))
def test_outputs_and_gradients_are_those_of_loops(case: Case, base: int) -> None:
    op, sizes = case.op, case.sizes
    expected = case.output()
    assert op.output_size(sizes) == expected.shape[2:]
    assert computed(op.output(index_base=base), case.tensors(), sizes) == case.cut("output", expected).values
    g = random_tensor(Random(1), expected.shape)
    for role, gradient in case.gradients(g).items():
        formula = op.gradient(role, index_base=base)  # type: ignore[arg-type]
        assert computed(formula, case.tensors(g), sizes) == gradient.values, role


@settings(max_examples=40, deadline=None, derandomize=True)
@given(cases(), st.data())
def test_derivatives_are_rows_of_the_jacobian_of_loops(case: Case, data: st.DataObject) -> None:
    op, output, tensors = case.op, case.output(), case.tensors()
    row = data.draw(st.sampled_from(sorted(output.values)))
    place = tuple(i for axis, i in enumerate(row) if axis not in (0, *([1] if op.out_channels == 1 else [])))
    for role, gradient in case.gradients(unit(output.shape, row)).items():
        polynomials = op.derivative(role).polynomials(case.sizes)  # type: ignore[arg-type]
        for index, value in gradient.values.items():
            assert at_numbers(polynomials.get((*place, *index), {}), tensors) == value, (role, index)


def test_symbols_for_all_options_give_the_same_values() -> None:
    op = ConvTranspose((3, 2), (2, 3), ((1, 0), (0, 1)), (1, 0), (1, 2))
    case = Case(op, (2, 3))
    numbers = {"K_1": 3, "K_2": 2, "S_1": 2, "S_2": 3, "R_1": 1, "R_2": 0, "D_1": 1, "D_2": 2}
    generic = op.generic(keep=("padding",))
    assert generic.output().values(case.tensors(), (2, 3), **numbers) == computed(op.output(), case.tensors(), (2, 3))
    size = op.generic().output_size(tuple(sympy.symbols("I_1 I_2", positive=True, integer=True)))
    names = {str(s): s for s in size[0].free_symbols}
    a, d, i, k, p, q, s = (names[f"{letter}_1"] for letter in "RDIKPQS")  # this layer pads its two sides apart
    assert sympy.expand(size[0] - (s * (i - 1) + d * (k - 1) + 1 + a - p - q)) == 0
    alike = (
        ConvTranspose((3, 2), 2, 1).generic().output_size(tuple(sympy.symbols("I_1 I_2", positive=True, integer=True)))
    )
    assert sympy.expand(alike[0].subs(names["I_1"], i) - size[0].subs(q, p)) == 0


@pytest.mark.parametrize(("kernel", "stride", "n", "upper", "lower"), [
    (3, 2, 4, (0, 1), (1, 0)), (4, 2, 3, (1, 1), (1, 1)), (5, 1, 2, (2, 2), (2, 2)), (2, 3, 3, (0, 0), (0, 0)),
])  # fmt: skip
def test_same_gives_stride_times_the_input(
    kernel: int, stride: int, n: int, upper: tuple[int, int], lower: tuple[int, int]
) -> None:
    for rule, pads in (("same_upper", upper), ("same_lower", lower)):
        op = ConvTranspose((kernel,), stride, rule)
        assert op.output_size((n,)) == (stride * n,)
        extra = max(0, stride - kernel)  # windows that leave gaps: what SAME lacks is added after the output
        assert op.output().text() == ConvTranspose((kernel,), stride, (pads,), extra).output().text()


def test_a_padding_may_be_an_array() -> None:
    assert ConvTranspose((3, 2), padding=np.array([1, 0])) == ConvTranspose((3, 2), padding=((1, 1), (0, 0)))


def test_what_cannot_be_is_refused_with_its_numbers() -> None:
    with pytest.raises(GeometryError, match="on axis 0 an input of 1 gives -1 entries"):
        ConvTranspose((1,), padding=1).output_size(1)
    with pytest.raises(GeometryError, match=r"^out_channels must be divisible by groups=2, got 3"):
        ConvTranspose(3, groups=2, in_channels=4, out_channels=3)
    with pytest.raises(ArgumentError, match="use 'same_upper' or 'same_lower'"):
        ConvTranspose(3, padding="same")
    with pytest.raises(ArgumentError, match=r"^output_padding must be >= 0"):
        ConvTranspose(3, output_padding=-1)
    with pytest.raises(GeometryError, match="needs numbers for kernel_size"):
        ConvTranspose((sympy.Symbol("K", positive=True, integer=True),), padding="same_upper")
