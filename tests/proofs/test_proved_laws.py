"""Laws of convolution and pooling that hold, proved for all sizes, with what the verdict says of itself."""

from __future__ import annotations

from math import comb
from typing import Any

import pytest
import sympy
from laws import OUTPUT, V, fixed, full_correlation, sized, statement, unsifted

from symconv.formulas.algebra import (
    Access,
    Bound,
    Power,
    Reduce,
    Scalar,
    add,
    const,
    equal,
    nonnegative,
    product,
    summation,
)
from symconv.formulas.formula import Formula
from symconv.formulas.index import floor
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.proofs.obligation import condition
from symconv.proofs.prove import prove, prove_statement
from symconv.proofs.verdict import Verdict

K, n, p = V("K"), V("n"), V("p")
LAYERS: list[Any] = [
    Conv(3, ndim=1),
    Conv(3),
    Conv(3, flip=True),
    Conv(3, bias=True, in_channels=2, out_channels=4, groups=2, ndim=1),
    Conv(3, padding=1, padding_mode="circular", ndim=1),
    Conv(3, padding=1, padding_mode="reflect", ndim=1),
    MaxPool(3, ndim=1),
    MaxPool(2),
    MaxPool(2, ties="split"),
    AvgPool(3, ndim=1),
    AvgPool(3, count_include_pad=False, ndim=1),
    LPPool(2, 3, ndim=1),
    LPPool(3, 2),
]


def assert_proved(verdict: Verdict) -> None:
    assert verdict.status == "proved", str(verdict)
    assert verdict.obligations
    assert all(obligation.outcome == "proved" for obligation in verdict.obligations)
    assert verdict.instance, "a proof must name sizes at which its hypotheses hold"


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_the_closed_form_of_every_derivative_is_the_unsifted_one(layer: Any) -> None:
    keep = ("padding",) if getattr(layer, "padding_mode", "zeros") != "zeros" else ()
    op = layer.generic(keep=keep)
    for wrt in [variable for variable in op.variables if variable != "bias"]:
        for kind in ("derivative", "gradient"):
            assert_proved(prove(*unsifted(op, wrt, kind)))


@pytest.mark.parametrize("ndim", [1, 2])
def test_the_input_gradient_is_the_full_correlation_with_the_rotated_kernel(ndim: int) -> None:
    gradient = Conv((3,) * ndim).generic().gradient("input")
    verdict = prove(gradient, full_correlation(gradient), assuming=fixed("S", 1, ndim))
    assert_proved(verdict)
    assert verdict.scope.fixed == tuple((str(sized("S", axis, ndim)), 1) for axis in range(ndim))
    assert "K" in " ".join(verdict.scope.symbolic)
    assert len(verdict.bijection) == 1
    assert dict(verdict.bijection[0].forward)["u"] == sized("K", 0, ndim) - V("m") - 1


@pytest.mark.parametrize("ndim", [1, 2])
def test_the_input_gradient_is_the_correlation_of_the_upsampled_upstream_gradient(ndim: int) -> None:
    gradient = Conv((3,) * ndim).generic().gradient("input")
    verdict = prove(gradient, full_correlation(gradient, upsampled=True))
    assert_proved(verdict)
    assert not verdict.scope.fixed


@pytest.mark.parametrize("ndim", [1, 2])
def test_the_weight_gradient_is_a_convolution_with_stride_and_dilation_exchanged(ndim: int) -> None:
    gradient = Conv((3,) * ndim).generic().gradient("weight")
    read, at, bounds = [], [], []
    for axis, (name, u) in enumerate(zip(gradient.indices, ("u", "v"), strict=False)):
        S, P, D, O = (sized(letter, axis, ndim) for letter in "SPDO")  # noqa: E741
        read.append(D * V(name) + S * V(u) - P)
        at.append(V(u))
        bounds.append(Bound(u, V(0), O - 1))
    body = summation(product(Access("a", tuple(read)), Access("g", tuple(at))), *reversed(bounds))
    assert_proved(prove(gradient, gradient.with_body(body)))


def test_the_output_is_the_jacobian_times_the_input() -> None:
    op = Conv(3, ndim=1).generic()
    output, jacobian = op.output(), op.derivative("input")
    times = summation(product(jacobian.body, Access("a", (V("i"),))), Bound("i", V(0), V("I") - 1))
    assert_proved(prove(output, output.with_body(times)))


def test_adjointness() -> None:
    """<g, conv a> = <conv^T g, a>: no free index is left."""
    op = Conv((3, 3)).generic()
    output, gradient = op.output(), op.gradient("input")
    upstream = Access("g", tuple(V(name) for name in output.indices))
    left = summation(product(upstream, output.body), *output.free)
    right = summation(product(gradient.body, Access("a", tuple(V(name) for name in gradient.indices))), *gradient.free)
    whole = Formula(
        gradient.quantity,
        (),
        left,
        gradient.tensors,
        gradient.sizes,
        gradient.definitions,
        gradient.lower,
        gradient.facts,
    )
    assert_proved(prove(whole, whole.with_body(right)))


def test_two_strided_layers_are_one() -> None:
    S, T, L = V("S"), V("T"), V("L")
    m, t = V("m"), V("t")
    left = summation(
        product(Access("a", (S * (T * p + n) + m,)), Access("b", (m,)), Access("w", (n,))),
        Bound("m", V(0), K - 1),
        Bound("n", V(0), L - 1),
    )
    right = summation(
        product(Access("w", (n,)), Access("a", (S * T * p + t,)), Access("b", (m,))),
        Bound("t", V(0), S * (L - 1) + K - 1),
        Bound("m", V(0), K - 1),
        Bound("n", V(0), L - 1),
        guards=[equal(t, S * n + m)],
    )
    given = [nonnegative(e - 1) for e in (V("I"), K, L, S, T)]
    claim = statement(left, right, [Bound("p", V(0), V("I"))], given, a=V("I"), b=K, w=L)
    assert_proved(prove_statement(claim))


def test_stride_moves_with_a_shift_of_the_input() -> None:
    op = Conv(3, ndim=1).generic()
    output = op.output()
    moved = output.with_body(
        summation(
            product(Access("a", (V("S") * (p + 1) + V("D") * n - V("P") - V("S"),)), Access("b", (n,))),
            Bound("n", V(0), K - 1),
        )
    )
    assert_proved(prove(output, moved))


def test_equal_terms_are_merged_and_those_that_vanish_are_dropped() -> None:
    one, two = Access("a", (n,)), Access("a", (K - 1 - n,))
    ranges, turned = Bound("n", V(0), K - 1), Bound("n", V(2), K + 1)
    left = add(summation(one, ranges), summation(two, ranges), summation(one, Bound("n", K, K + 2)))
    right = product(const(2), summation(Access("a", (n - 2,)), turned))
    verdict = prove_statement(statement(left, right, [], [nonnegative(K - 1)], a=K))
    assert_proved(verdict)
    assert any("no nonzero entry" in obligation.name for obligation in verdict.obligations)


def test_a_sum_of_ones_is_its_extent() -> None:
    left = summation(Access("a", (V(0),)), Bound("n", V(1), K))
    right = product(Scalar(K), Access("a", (V(0),)))
    assert_proved(prove_statement(statement(left, right, [], [nonnegative(K)], a=K + 1)))
    # without K >= 0 the extent of an empty range is not K
    assert prove_statement(statement(left, right, [], [], a=V(5))).status == "refuted"


def test_floors_are_compared_by_what_they_mean() -> None:
    I, S = V("I"), V("S")  # noqa: E741
    left, right = Access("a", (floor(I + S, S),)), Access("a", (floor(I, S) + 1,))
    claim = statement(left, right, [], [nonnegative(I), nonnegative(S - 1)], a=I + 5)
    assert_proved(prove_statement(claim))


def test_a_maximum_may_count_its_taps_backwards_but_a_share_may_not() -> None:
    entry, turned = Access("a", (p + n,)), Access("a", (p + K - 1 - n,))
    taps, free = (Bound("n", V(0), K - 1),), [Bound("p", V(0), V("I") - K)]
    given = [nonnegative(K - 1), nonnegative(V("I") - K)]
    left, right = Reduce("max", taps, (), entry), Reduce("max", taps, (), turned)
    assert_proved(prove_statement(statement(left, right, free, given, a=V("I"))))
    power = Power(left, const(2))
    assert_proved(prove_statement(statement(power, Power(right, const(2)), free, given, a=V("I"))))


def test_index_origins_do_not_matter() -> None:
    op = Conv((3, 3)).generic()
    for kind in (op.output, op.gradient):
        assert_proved(prove(kind(), kind(index_base=1)))


def test_free_indices_match_by_position_where_their_names_differ() -> None:
    op = Conv(3, ndim=1).generic()
    renamed = op.output(names={"output_index": "xyz", "weight_index": "pqr"})
    assert_proved(prove(op.output(), renamed))
    assert OUTPUT[0] in op.output().indices


def test_one_size_is_exact_and_not_proved() -> None:
    op = Conv(3, ndim=1)
    left = op.output(input_size=(5,))
    right = left.with_body(summation(product(Access("b", (n,)), Access("a", (p + n,))), Bound("n", V(0), V(2))))
    verdict = prove(left, right)
    assert verdict.status == "exact"
    assert verdict.scope.symbolic == ()
    pool = MaxPool(2, 1, ndim=1).output(input_size=(4,))
    turned = pool.with_body(Reduce("max", (Bound("n", V(0), V(1)),), (), Access("a", (p + 1 - n,))))
    assert prove(pool, turned).status == "exact"


def test_one_size_is_exact_where_no_bijection_exists() -> None:
    one, two = Access("a", (V(0),)), Access("a", (V(1),))
    left = Power(add(one, two), const(5))  # too high to be written as a product
    right = add(*(product(const(comb(5, k)), *[one] * k, *[two] * (5 - k)) for k in range(6)))
    verdict = prove_statement(statement(left, right, [], [], a=V(4)))
    assert verdict.status == "exact"
    assert verdict.method == "polynomial identity"
    top = Reduce("max", (Bound("n", V(0), V(1)),), (), Access("a", (n,)))
    both = add(Access("a", (V(3),)), top)
    moved = add(
        Reduce("max", (Bound("n", V(0), V(1)),), (), Access("a", (1 - n,))),
        summation(Access("a", (n,)), Bound("n", V(3), V(3))),
    )
    assert prove_statement(statement(both, moved, [], [], a=V(4))).status == "exact"


def test_a_single_term_equal_to_several_stays_undecided_and_says_where_it_was_compared() -> None:
    one, two = Access("a", (V(0),)), Access("a", (K,))
    left = Power(add(one, two), const(5))  # too high to be written as a product
    right = add(*(product(const(comb(5, k)), *[one] * k, *[two] * (5 - k)) for k in range(6)))
    verdict = prove_statement(statement(left, right, [], [nonnegative(K - 1)], a=K + 1), more=40)
    assert verdict.status == "undecided"
    assert verdict.sizes == 52
    assert "52 smallest sizes" in verdict.explanation
    assert any(obligation.outcome != "proved" for obligation in verdict.obligations)


def test_verdicts_are_the_same_again_and_their_time_takes_no_part() -> None:
    gradient = Conv(3, ndim=1).generic().gradient("input")
    one, two = (prove(gradient, full_correlation(gradient, upsampled=True)) for _ in range(2))
    assert one == two
    assert one.seconds > 0


def test_a_symbolic_order_of_a_norm_is_a_real_number_from_1() -> None:
    op = LPPool(sympy.Symbol("t", positive=True), 3, ndim=1).generic()
    verdict = prove(*unsifted(op, "input", "gradient"))
    assert_proved(verdict)
    assert "t >= 1" in [condition(guard) for guard in verdict.hypotheses]
    output = op.output()
    assert isinstance(output.body, Power)
    other = output.with_body(Power(output.body.base, const(1)))
    refuted = prove(output, other)
    assert refuted.status == "refuted"
    assert refuted.counterexample is not None
    assert refuted.counterexample.sizes["t"] == 2
