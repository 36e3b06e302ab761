"""Every formula of `Conv` against plain loops, exactly, over the whole space of its options."""

from __future__ import annotations

from random import Random
from typing import Any

import oracles
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from loop_cases import ConvCase, at_numbers, computed, fits, pads_of, random_tensor, unit

from symconv.operators.convolution import Conv

small = st.integers(1, 3)
named = st.sampled_from(["valid", "same", "same_upper", "same_lower", "half", "full"])


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[Conv, tuple[int, ...]]:
    """A convolution of any options, and an input size where a window fits."""
    ndim = draw(st.sampled_from([1, 1, 2, 2, 3]))
    most = {1: 7, 2: 5, 3: 3}[ndim]
    sizes = tuple(draw(st.integers(1, most)) for _ in range(ndim))
    kernel = tuple(draw(st.integers(1, 3 if ndim < 3 else 2)) for _ in range(ndim))
    stride = tuple(draw(small) for _ in range(ndim))
    dilation = tuple(draw(st.integers(1, 2 if ndim > 1 else 3)) for _ in range(ndim))
    mode = draw(st.sampled_from(["zeros", "zeros", "zeros", "reflect", "replicate", "circular"]))
    low = -1 if mode == "zeros" else 0
    padding: Any = draw(st.one_of(st.just(None), named))
    if padding is None:
        padding = tuple((draw(st.integers(low, 2)), draw(st.integers(low, 2))) for _ in range(ndim))
    if padding == "same":
        stride = (1,) * ndim
    groups = draw(st.sampled_from([1, 1, 1, 2]))
    op = Conv(
        kernel,
        stride,
        padding,
        dilation,
        groups,
        groups * draw(st.integers(1, 2)),
        groups * draw(st.integers(1, 2)),
        bias=draw(st.booleans()),
        padding_mode=mode,
        flip=draw(st.booleans()),
    )
    assume(fits(sizes, op))
    if mode == "reflect":
        assume(all(max(pair) < n for pair, n in zip(pads_of(op, sizes), sizes, strict=True)))
    if mode == "circular":
        assume(all(max(pair) <= n for pair, n in zip(pads_of(op, sizes), sizes, strict=True)))
    assume(len(oracles.full((op.in_channels * op.out_channels, *sizes), 0).values) <= 150)
    return op, sizes


@settings(max_examples=60, deadline=None, derandomize=True)
@given(convolutions(), st.sampled_from([0, 1]))
def test_outputs_and_gradients_are_those_of_loops(drawn: tuple[Conv, tuple[int, ...]], base: int) -> None:
    op, sizes = drawn
    case = ConvCase.of(op, sizes)
    expected = case.output()
    assert op.output_size(sizes) == expected.shape[2:]
    found = computed(op.output(index_base=base), case.tensors(), sizes)
    assert found == case.cut("output", expected).values
    g = random_tensor(Random(1), expected.shape)
    for role, gradient in case.gradients(g).items():
        formula = op.gradient(role, index_base=base)  # type: ignore[arg-type]
        assert computed(formula, case.tensors(g), sizes) == gradient.values, role


@settings(max_examples=40, deadline=None, derandomize=True)
@given(convolutions(), st.sampled_from([0, 1]), st.data())
def test_derivatives_are_rows_of_the_jacobian_of_loops(
    drawn: tuple[Conv, tuple[int, ...]], base: int, data: st.DataObject
) -> None:
    op, sizes = drawn
    case = ConvCase.of(op, sizes)
    shape = case.output().shape
    tensors = case.tensors()
    row = data.draw(st.sampled_from(sorted(case.output().values)))
    place = tuple(i + base for axis, i in enumerate(row) if axis not in (0, *([1] if op.out_channels == 1 else [])))
    for role, gradient in case.gradients(unit(shape, row)).items():
        polynomials = op.derivative(role, index_base=base).polynomials(sizes)  # type: ignore[arg-type]
        for index, value in gradient.values.items():
            key = (*place, *(i + base for i in index))
            assert at_numbers(polynomials.get(key, {}), tensors, base) == value, (role, key)


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
def test_a_fixed_input_size_gives_the_same_values(mode: str) -> None:
    op = Conv((3, 2), (2, 1), ((1, 0), (1, 2)), (1, 2), padding_mode=mode)
    case = ConvCase.of(op, (4, 5))
    g = random_tensor(Random(2), case.output().shape)
    for formula, free in (
        (op.output(input_size=(4, 5)), op.output()),
        (op.gradient(input_size=(4, 5)), op.gradient()),
        (op.gradient("weight", input_size=(4, 5)), op.gradient("weight")),
    ):
        assert formula.sizes == ()
        assert formula.values(case.tensors(g)) == free.values(case.tensors(g), (4, 5))


def test_a_depthwise_convolution_has_no_channel_index_on_its_weight() -> None:
    op = Conv((2,), in_channels=3, out_channels=3, groups=3)
    assert [len(t.box) for t in op.output().tensors] == [2, 2]
    case = ConvCase.of(op, (4,))
    assert computed(op.output(), case.tensors(), (4,)) == case.cut("output", case.output()).values


def test_the_generic_operator_has_the_same_values_once_its_options_are_given() -> None:
    op = Conv((3, 2), (2, 1), ((1, 1), (2, 2)), (1, 2))
    case = ConvCase.of(op, (5, 6))
    g = random_tensor(Random(3), case.output().shape)
    numbers = {"K_1": 3, "K_2": 2, "S_1": 2, "S_2": 1, "P_1": 1, "P_2": 2, "D_1": 1, "D_2": 2}
    generic = op.generic()
    for ours, theirs in (
        (generic.output(), op.output()),
        (generic.gradient(), op.gradient()),
        (generic.gradient("weight", index_base=1), op.gradient("weight", index_base=1)),
    ):
        assert ours.values(case.tensors(g), (5, 6), **numbers) == theirs.values(case.tensors(g), (5, 6))
    kept = op.generic(keep=("stride", "dilation"))
    assert (kept.stride, kept.dilation) == (op.stride, op.dilation)
    numbers = {name: value for name, value in numbers.items() if name[0] in "KP"}
    assert kept.gradient().values(case.tensors(g), (5, 6), **numbers) == op.gradient().values(case.tensors(g), (5, 6))
    derivative = kept.derivative().polynomials((5, 6), **numbers)
    assert derivative == op.derivative().polynomials((5, 6))


def test_a_symbolic_number_of_channels() -> None:
    import sympy

    channels = sympy.Symbol("C", integer=True, positive=True)
    op = Conv((2,), in_channels=channels, out_channels=2)
    fixed = Conv((2,), in_channels=3, out_channels=2)
    case = ConvCase.of(fixed, (4,))
    g = random_tensor(Random(4), case.output().shape)
    for role in fixed.variables:
        ours = op.gradient(role).values(case.tensors(g), 4, C=3)
        assert ours == fixed.gradient(role).values(case.tensors(g), 4)


def test_four_axes_work_like_one() -> None:
    op = Conv((2, 1, 2, 1), (1, 2, 1, 1), padding=(0, 1, 0, 0))
    case = ConvCase.of(op, (2, 2, 3, 1))
    g = random_tensor(Random(5), case.output().shape)
    assert computed(op.output(), case.tensors(), case.sizes) == case.cut("output", case.output()).values
    for role, gradient in case.gradients(g).items():
        assert computed(op.gradient(role), case.tensors(g), case.sizes) == gradient.values  # type: ignore[arg-type]
