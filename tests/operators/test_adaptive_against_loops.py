"""Every formula of the adaptive poolings against plain loops, exactly."""

from __future__ import annotations

from fractions import Fraction
from random import Random
from typing import Any

import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loop_cases import computed, random_tensor, squeezed

from symconv.errors import ArgumentError, NotSupportedError
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool


@st.composite
def sizes_of(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Input and output sizes, outputs more than inputs among them."""
    ndim = draw(st.sampled_from([1, 1, 2, 3]))
    most = {1: 9, 2: 5, 3: 3}[ndim]
    return tuple(tuple(draw(st.integers(1, limit)) for _ in range(ndim)) for limit in (most, most))  # type: ignore[return-value]


@settings(max_examples=50, deadline=None, derandomize=True)
@given(sizes_of(), st.sampled_from([0, 1]), st.sampled_from(["first", "split"]))
def test_outputs_and_gradients_are_those_of_loops(
    sizes: tuple[tuple[int, ...], tuple[int, ...]], base: int, ties: Any
) -> None:
    given_size, wanted = sizes
    x = random_tensor(Random(0), (1, 1, *given_size))
    g = random_tensor(Random(1), (1, 1, *wanted))
    tensors = {"a": squeezed(x, (0, 1)).nested(), "g": squeezed(g, (0, 1)).nested()}
    average, maximum = AdaptiveAvgPool(wanted), AdaptiveMaxPool(wanted, ties)
    expected = [
        (average, oracles.adaptive_avg_pool(x, wanted), oracles.adaptive_avg_pool_vjp(g, x, wanted)),
        (maximum, oracles.adaptive_max_pool(x, wanted)[0], oracles.adaptive_max_pool_vjp(g, x, wanted, ties=ties)),
    ]
    for op, output, gradient in expected:
        assert op.output_size(given_size) == wanted
        found = computed(op.output(index_base=base), {"a": tensors["a"]}, given_size)
        assert found == squeezed(output, (0, 1)).values, op
        found = computed(op.gradient(index_base=base), tensors, given_size)
        assert found == squeezed(gradient, (0, 1)).values, op


def test_a_symbolic_output_size_is_put_in_later() -> None:
    generic = AdaptiveAvgPool(3, ndim=1).generic()
    values = {"a": [Fraction(v) for v in (1, 2, 4, 8, 16)]}
    assert generic.output().values(values, 5, O=3) == AdaptiveAvgPool(3, ndim=1).output().values(values, 5)
    assert str(generic.output_size((5,))[0]) == "O"


def test_global_pooling_is_one_window() -> None:
    assert AdaptiveAvgPool(1, ndim=1).output().text() == "c[p] = 1/I·∑(m = 0 … I − 1) a[m]"
    assert "g[0, 0]" in AdaptiveMaxPool(1).gradient().text()


def test_options_are_part_of_what_an_operator_is() -> None:
    assert repr(AdaptiveAvgPool((2, 3))) == "AdaptiveAvgPool(output_size=(2, 3))"
    assert repr(AdaptiveMaxPool(2, "split")) == "AdaptiveMaxPool(output_size=(2, 2), ties='split')"
    ops = {AdaptiveAvgPool(2), AdaptiveAvgPool((2, 2)), AdaptiveMaxPool(2), AdaptiveMaxPool(2, "split")}
    assert len(ops) == 3
    with pytest.raises(ArgumentError, match=r"^output_size must be >= 1, got 0"):
        AdaptiveAvgPool(0)
    with pytest.raises(ArgumentError, match="did you mean 'first'"):
        AdaptiveMaxPool(2, "frist")
    with pytest.raises(NotSupportedError, match="ties='set'"):
        AdaptiveMaxPool(2, "set").gradient()
