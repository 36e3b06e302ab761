"""Wrong formulas, refuted at the smallest sizes; and statements about which nothing may be concluded."""

from __future__ import annotations

from fractions import Fraction

import pytest
from laws import V, engine_proves, fixed, full_correlation, statement

from symconv.errors import ArgumentError
from symconv.formulas.algebra import (
    Absolute,
    Access,
    Bound,
    Guard,
    Node,
    Power,
    Reduce,
    Share,
    add,
    const,
    equal,
    nonnegative,
    product,
    summation,
)
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.quantity import Quantity, Tensor
from symconv.operators.convolution import Conv
from symconv.operators.pooling import LPPool, MaxPool
from symconv.proofs.prove import prove, prove_statement
from symconv.proofs.refutation import Search
from symconv.proofs.statement import Statement
from symconv.proofs.verdict import Counterexample, Verdict

I, K, i, j, m, n, p = (V(name) for name in ["I", "K", "i", "j", "m", "n", "p"])  # noqa: E741


def square_formula(body: Node) -> Formula:
    """c_ij for a square input and kernel, counted from 1, as on paper."""
    return Formula(
        Quantity("entry", ("c", ("i", "j"))),
        (Bound("i", V(1), I - K + 1), Bound("j", V(1), I - K + 1)),
        body,
        (Tensor("a", "input", ((V(1), I),) * 2), Tensor("b", "weight", ((V(1), K),) * 2)),
        lower=(("I", 1), ("K", 1)),
        facts=(I - K,),
        base=1,
    )


def correlation(second: Index, last: Index = K) -> Node:
    read = product(Access("a", (i + m - 1, j + second - 1)), Access("b", (m, n)))
    return summation(read, Bound("m", V(1), last), Bound("n", V(1), last))


def refuted(verdict: Verdict) -> Counterexample:
    assert verdict.status == "refuted", str(verdict)
    assert verdict.counterexample is not None
    assert verdict.counterexample.left != verdict.counterexample.right
    return verdict.counterexample


def test_the_slip_of_one_letter_is_refuted_at_the_smallest_size_with_two_entries() -> None:
    found = refuted(prove(square_formula(correlation(n)), square_formula(correlation(m))))
    assert found.sizes == {"I": 2, "K": 2}
    assert found.indices == {"i": 1, "j": 1}
    assert found.tensors == {"a": {(1, 1): 1}, "b": {(1, 2): 1}}
    assert (found.left, found.right) == (0, 1)
    assert found.matrix("a") == [[1, 0], [0, 0]]
    assert str(found) == (
        "I = 2, K = 2; at i = 1, j = 1; with a[1, 1] = 1, b[1, 2] = 1 and all other entries 0: "
        "value 0 on the left, 1 on the right"
    )


def test_a_range_that_ends_too_early_is_refuted_at_the_smallest_size() -> None:
    found = refuted(prove(square_formula(correlation(n)), square_formula(correlation(n, K - 1))))
    assert found.sizes == {"I": 1, "K": 1}


@pytest.mark.parametrize("ndim", [1, 2])
def test_wrong_full_correlations(ndim: int) -> None:
    gradient = Conv((3,) * ndim).generic().gradient("input")
    given = fixed("S", 1, ndim)
    unrotated = refuted(prove(gradient, full_correlation(gradient, rotated=False), assuming=given))
    assert sum(unrotated.sizes[name] for name in unrotated.sizes if name[0] == "K") == ndim + 1
    for shift in (1, -1):
        found = refuted(prove(gradient, full_correlation(gradient, shift=shift), assuming=given))
        assert {found.sizes[name] for name in found.sizes if name[0] in "IK"} == {1}
    # without stride 1 the full correlation is wrong, and the smallest stride says so
    strided = refuted(prove(gradient, full_correlation(gradient)))
    assert max(found_ for name, found_ in strided.sizes.items() if name[0] == "S") == 2


def test_a_transposed_kernel_is_wrong() -> None:
    gradient = Conv((3, 3)).generic().gradient("input")
    given = [*fixed("S", 1, 2), *(equal(f"{letter}_1", f"{letter}_2") for letter in "IKPD")]
    found = refuted(prove(gradient, full_correlation(gradient, transposed=True), assuming=given))
    assert found.sizes["K_1"] == found.sizes["K_2"] == 2


def test_all_smaller_sizes_are_tried_before() -> None:
    """The sizes that agree come in ascending order, and all of them come."""
    a, b = square_formula(correlation(n)), square_formula(correlation(m))
    verdict = prove(a, b)
    assert verdict.sizes == 2  # (1, 1) and (2, 1)


def test_different_output_sizes_are_a_difference() -> None:
    one, two = Conv(3, ndim=1), Conv(3, stride=2, ndim=1)
    left, right = (
        one.generic(keep=("stride", "padding", "dilation")).output(),
        two.generic(keep=("stride", "padding", "dilation")).output(),
    )
    found = refuted(prove(left, right.with_body(left.body)))
    assert found.what == "the range of p is"
    assert (found.left, found.right) == ("0..1", "0..0")


def test_powers_of_one_entry_are_told_apart() -> None:
    """x and x*x agree at 0 and 1: the witness is the next integer."""
    x = Access("a", (V(0),))
    found = refuted(prove_statement(statement(x, product(x, x), [], [], a=V(1))))
    assert found.tensors == {"a": {(0,): Fraction(-1)}}


def test_maxima_absolute_values_and_roots_are_refuted_by_small_numbers() -> None:
    taps, free, given = (Bound("n", V(0), K - 1),), [Bound("p", V(0), I - K)], [nonnegative(K - 1), nonnegative(I - K)]
    entry = Access("a", (p + n,))
    largest = Reduce("max", taps, (), entry)
    short = Reduce("max", (Bound("n", V(0), K - 2),), (), entry)
    assert refuted(
        prove_statement(statement(largest, Reduce("max", taps, (), Absolute(entry)), free, given, a=I))
    ).tensors == {"a": {(0,): Fraction(-1)}}
    found = refuted(prove_statement(statement(largest, short, free, given, a=I)))
    assert found.right == float("-inf")
    norm = Power(summation(Power(Absolute(entry), const(2)), *taps), const(Fraction(1, 2)))
    total = summation(Absolute(entry), *taps)
    found = refuted(prove_statement(statement(norm, total, free, given, a=I)))
    assert found.sizes == {"I": 2, "K": 2}


def test_shares_with_taps_in_another_order_differ_at_a_tie_only() -> None:
    def gradient(turned: bool) -> Node:
        tap = K - 1 - n if turned else n
        window = Reduce("max", (Bound("n", V(0), K - 1),), (), Access("a", (p + tap,)))
        return Share("first", window, (K - 1 - i + p if turned else i - p,))

    free = [Bound("p", V(0), I - K), Bound("i", V(0), I - 1)]
    claim = statement(gradient(False), gradient(True), free, [nonnegative(K - 1), nonnegative(I - K)], a=I)
    found = refuted(prove_statement(claim))
    assert found.sizes == {"I": 2, "K": 2}
    assert not engine_proves(claim)


def test_irrational_values_are_compared_exactly() -> None:
    root = Power(add(Access("a", (V(0),)), Access("a", (V(1),))), const(Fraction(1, 2)))
    other = add(Power(Access("a", (V(0),)), const(Fraction(1, 2))), Power(Access("a", (V(1),)), const(Fraction(1, 2))))
    found = refuted(prove_statement(statement(Power(root, const(2)), Power(other, const(2)), [], [], a=V(2))))
    assert found.left != found.right


@pytest.mark.parametrize("layer", [MaxPool(2, 1, ndim=1), LPPool(2, 2, 1, ndim=1), LPPool(1, 2, 1, ndim=1)], ids=repr)
def test_off_by_one_in_a_pool(layer: MaxPool) -> None:
    formula = layer.generic().output()
    wrong = formula.with_body(_moved(formula.body))
    refuted(prove(formula, wrong))


def _moved(body: Node) -> Node:
    from symconv.formulas.walks import transform

    return transform(body, lambda node: Access("a", (node.index[0] + 1,)) if isinstance(node, Access) else None)


# --- nothing may be concluded ----------------------------------------------------------------------------------------


def test_contradictory_hypotheses_prove_nothing() -> None:
    same = square_formula(correlation(n))
    for other in (same, square_formula(correlation(m))):
        verdict = prove(same, other, assuming=[nonnegative(-K)])
        assert verdict.status == "undecided"
        assert verdict.explanation == "the hypotheses contradict each other, so a proof would say nothing"


def test_hypotheses_that_hold_at_no_size_tried_prove_nothing() -> None:
    x, y, z = V("x"), V("y"), V("z")
    given = [*(nonnegative(e - 1) for e in (x, y, z)), equal(x * x * x + y * y * y, z * z * z)]
    entry = Access("a", (x,))
    verdict = prove_statement(statement(entry, entry, [], given, a=x + 1))
    assert verdict.status == "undecided"
    assert "so a proof would say nothing" in verdict.explanation


def test_a_stride_must_be_positive_by_hypothesis() -> None:
    """The variable of floor(n/S) presupposes S >= 1: that must not slip in as knowledge."""
    S, t = V("S"), V("t")
    read = Access("a", (n,))
    left = summation(read, Bound("n", V(0), V(3)), guards=[Guard("div", n, S)])
    right = summation(Access("a", (S * t,)), Bound("t", V(0), V(3)), guards=[nonnegative(3 - S * t)])
    assert engine_proves(statement(left, right, [], [nonnegative(S - 1)], a=V(4)))
    assert not engine_proves(statement(left, right, [], [], a=V(4)))


def test_an_exact_quotient_must_be_exact() -> None:
    half = Index.of(0) + V("n")
    quotient_ = summation(Access("a", (_exact(half, 2),)), Bound("n", V(0), V(3)))
    assert not engine_proves(statement(quotient_, quotient_, [], [], a=V(4)))
    guarded = summation(Access("a", (_exact(half, 2),)), Bound("n", V(0), V(3)), guards=[Guard("div", n, V(2))])
    assert engine_proves(statement(guarded, guarded, [], [], a=V(4)))


def _exact(top: Index, bottom: int) -> Index:
    from symconv.formulas.index import quotient

    return quotient(top, bottom, "exact")


def test_two_boxes_for_one_tensor_are_refused() -> None:
    left = square_formula(correlation(n))
    right = Formula(
        left.quantity,
        left.free,
        left.body,
        (left.tensors[0], Tensor("b", "weight", ((V(1), K + 1),) * 2)),
        lower=left.lower,
        facts=left.facts,
        base=1,
    )
    with pytest.raises(
        ArgumentError, match=r"^right must have the same box on both sides, which fails at I = 1, K = 1, got 'b'$"
    ):
        prove(left, right)


def test_a_tensor_without_a_box_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"^left must be read with one index for every axis of its box, got 'x'$"):
        Statement.of(Access("x", (V(0),)), const(0), [], {})


def test_another_number_of_free_indices_is_refused() -> None:
    op = Conv(3, ndim=1)
    with pytest.raises(
        ArgumentError, match=r"^right must have as many free indices as the left side \(p\), got \('p', 'i'\)$"
    ):
        prove(op.output(), op.derivative("input"))


def test_a_solver_model_alone_refutes_nothing() -> None:
    """The engine fails with a model of the negation; the sides agree everywhere, so the verdict is undecided."""
    left = summation(Access("a", (n,)), Bound("n", V(0), 2 * K + 1))
    right = add(*(summation(Access("a", (2 * n + odd,)), Bound("n", V(0), K)) for odd in (0, 1)))
    verdict = prove_statement(statement(left, right, [], [nonnegative(K - 1)], a=2 * K + 2), more=20)
    assert any(obligation.outcome == "failed" for obligation in verdict.obligations)
    assert verdict.status == "undecided"


def test_a_search_can_be_continued() -> None:
    left = summation(Access("a", (n,)), Bound("n", V(0), K))
    right = add(left, product(const(0), left), Reduce("sum", (Bound("n", V(7), K),), (), Access("a", (n,))))
    search = Search(statement(left, right, [], [nonnegative(K)], a=K + 1))
    assert search.run(5) is None
    found = search.run(5)
    assert found is not None
    assert found.sizes == {"K": 7}
    assert search.tried == 7


def test_sizes_at_which_a_quotient_has_no_meaning_are_passed_over() -> None:
    """The denominator is an index that may be zero: nothing is proved, nothing refuted, and nothing breaks."""
    from symconv.formulas.algebra import Compare, Scalar
    from symconv.formulas.index import floor

    top = Compare(Scalar(floor(V(6), p)), ">=", Access("a", (V(0),)))
    claim = statement(top, top, [Bound("p", V(0), K)], [nonnegative(K)], a=V(1))
    assert prove_statement(claim, more=5).status == "undecided"
