"""No false PROVED and no false REFUTED on random statements; and every check of the engine is needed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import fuzz
import pytest
from laws import V, engine_proves, statement

from symconv.formulas.algebra import Access, Bound, Guard, Node, Reduce, Share, equal, nonnegative, summation
from symconv.formulas.formula import Formula
from symconv.formulas.quantity import Quantity, Tensor
from symconv.proofs import bijection, context, prove, terms
from symconv.proofs.statement import Statement, of_formulas

NORMAL = 300
SLOW = int(os.environ.get("SYMCONV_FUZZ_CASES", "50000"))
K, i, m, n, p = (V(name) for name in ["K", "i", "m", "n", "p"])
POSITIVE = [nonnegative(K - 1)]


def run(first: int, count: int, capsys: pytest.CaptureFixture[str]) -> None:
    judged = [fuzz.judge(seed) for seed in range(first, first + count)]
    with capsys.disabled():
        print("\n" + fuzz.table(judged))
    faults = [f"seed {first + k}: {j.fault}\n{j.verdict}" for k, j in enumerate(judged) if j.fault]
    assert not faults, "\n".join(faults)
    for kind in fuzz.LAWS:
        statuses = [j.verdict.status for j in judged if j.case.kind == kind]
        assert statuses.count("undecided") <= 0.05 * len(statuses), f"{kind}: too many undecided"
        assert "proved" in statuses, f"{kind}: the generator must make true statements too"
        assert "refuted" in statuses, f"{kind}: and false ones"


def test_random_statements(capsys: pytest.CaptureFixture[str]) -> None:
    run(0, NORMAL, capsys)


@pytest.mark.slow
def test_many_random_statements(capsys: pytest.CaptureFixture[str]) -> None:
    run(NORMAL, SLOW, capsys)


def test_the_judge_notices_wrong_verdicts() -> None:
    judged = next(j for j in map(fuzz.judge, range(0, 500, len(fuzz.LAWS))) if j.verdict.status == "refuted")
    assert judged.verdict.counterexample is not None
    moved = replace(judged.verdict.counterexample, left=judged.verdict.counterexample.right)
    wrong = replace(judged, verdict=replace(judged.verdict, counterexample=moved))
    assert wrong.fault == "false REFUTED"
    claimed = replace(judged, verdict=replace(judged.verdict, status="proved"), equal=False)
    assert claimed.fault == "false PROVED"


# --- the engine, broken ----------------------------------------------------------------------------------------------

ENTRY = Access("a", (n,))


def total(low: Any, high: Any, body: Node = ENTRY, *more: Bound, guards: tuple[Guard, ...] = ()) -> Node:
    return summation(body, Bound("n", V(low), V(high)), *more, guards=guards)


def twice(node_guard: Guard) -> Node:
    """Every entry counted twice, by an index m = 0, 1 that only a guard speaks of."""
    return total(0, K - 1, ENTRY, Bound("m", V(0), V(1)), guards=(node_guard,))


def reads(step: int) -> Node:
    from symconv.formulas.algebra import product

    return total(0, K - 1, product(Access("z", (p + step * n,)), Access("b", (n,))))


SHORT = statement(total(0, K - 2), total(0, K - 1), [], POSITIVE, a=K)
LONG = statement(total(0, K - 1), total(0, K - 2), [], POSITIVE, a=K)
DOUBLE_LEFT = statement(twice(nonnegative(m + n)), total(0, K - 1), [], POSITIVE, a=K)
DOUBLE_RIGHT = statement(total(0, K - 1), twice(nonnegative(m + n)), [], POSITIVE, a=K)
OTHER_READS = statement(reads(1), reads(2), [Bound("p", V(0), V("I"))], POSITIVE, z=V("I") + 3 * K, b=K)
GUARDED = statement(total(0, K - 1, guards=(nonnegative(n - 1),)), total(0, K - 1), [], POSITIVE, a=K)


@pytest.mark.parametrize(
    ("dropped", "claim"),
    [(0, OTHER_READS), (1, LONG), (2, SHORT), (3, DOUBLE_LEFT), (4, DOUBLE_RIGHT)],
    ids=["same entries", "into the right", "into the left", "there and back on the left", "and on the right"],
)
def test_each_obligation_is_needed(dropped: int, claim: Statement, monkeypatch: pytest.MonkeyPatch) -> None:
    assert prove.prove_statement(claim).status == "refuted"
    assert not engine_proves(claim)
    whole = bijection.obligations

    def without(*args: Any) -> Any:
        kept = whole(*args)
        return kept[:dropped] + kept[dropped + 1 :]

    monkeypatch.setattr(bijection, "obligations", without)
    assert engine_proves(claim)


def test_the_ranges_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not engine_proves(LONG)
    monkeypatch.setattr(terms, "range_guards", lambda bounds: [])
    assert engine_proves(LONG)


def test_the_guards_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not engine_proves(GUARDED)
    whole = terms.flatten

    def without_guards(term: Any, *args: Any, **options: Any) -> Any:
        return whole(replace(term, guards=()), *args, **options)

    monkeypatch.setattr(bijection, "flatten", without_guards)
    assert engine_proves(GUARDED)


def test_the_boxes_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without them nothing false is proved, but what is true only because a tensor ends is no longer proved."""
    claim = statement(total(-3, K + 2), total(0, K - 1), [], POSITIVE, a=K)
    assert engine_proves(claim)
    monkeypatch.setattr(terms, "box_guards", lambda accesses, context: [])
    assert not engine_proves(claim)


def test_the_agreement_of_boxes_is_needed() -> None:
    def formula(extent: Any) -> Formula:
        tensor = Tensor("a", "input", ((V(0), extent),))
        return Formula(Quantity("entry", ("c", ())), (), total(0, K + 5), (tensor,), lower=(("K", 1),))

    claim = of_formulas(formula(K), formula(K + 1))
    assert not engine_proves(claim)
    assert engine_proves(replace(claim, agreements=()))


def test_the_ranges_of_free_indices_are_needed() -> None:
    entry = Access("a", (p,))
    free = Bound("p", V(0), K - 1)
    claim = Statement.of(entry, entry, [free], {"a": ((V(0), K),)}, POSITIVE, other_free=[Bound("p", V(0), K)])
    assert not engine_proves(claim)
    assert engine_proves(replace(claim, other_free=claim.free))


def test_the_check_of_the_hypotheses_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    vacuous = statement(total(0, K - 2), total(0, K - 1), [], [*POSITIVE, nonnegative(-K)], a=K)
    assert prove.prove_statement(vacuous).status == "undecided"
    monkeypatch.setattr(prove, "_unmet", lambda *args: None)
    assert prove.prove_statement(vacuous).status == "proved"


def test_the_order_of_taps_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    def share(turned: bool) -> Node:
        tap = K - 1 - n if turned else n
        window = Reduce("max", (Bound("n", V(0), K - 1),), (), Access("a", (p + tap,)))
        return Share("first", window, (K - 1 - i + p if turned else i - p,))

    free = [Bound("p", V(0), V(4)), Bound("i", V(0), V(5))]
    claim = statement(share(False), share(True), free, POSITIVE, a=K + 9)
    assert not engine_proves(claim)
    monkeypatch.setattr(bijection, "_require_order", lambda *args: None)
    assert engine_proves(claim)


def test_shares_of_different_taps_are_not_equal() -> None:
    window = Reduce("max", (Bound("n", V(0), K - 1),), (), Access("a", (p + n,)))
    shares = [Share("first", window, (V(tap),)) for tap in (0, 1)]
    claim = statement(shares[0], shares[1], [Bound("p", V(0), V(4))], POSITIVE, a=K + 9)
    assert not engine_proves(claim)
    assert engine_proves(replace(claim, right=claim.left))


def test_the_sign_of_denominators_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    from symconv.formulas.index import floor

    S = V("S")
    claim = statement(
        Access("a", (floor(i + S, S),)), Access("a", (floor(i, S) + 1,)), [Bound("i", V(0), V(5))], [], a=K
    )
    assert not engine_proves(claim)
    monkeypatch.setattr(context.Context, "check_quotients", lambda self, denominators=(): None)
    assert engine_proves(claim)


def test_the_coefficients_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    from symconv.formulas.algebra import const, product

    claim = statement(total(0, K - 1), product(const(2), total(0, K - 1)), [], POSITIVE, a=K)
    assert not engine_proves(claim)
    monkeypatch.setattr(bijection._Class, "total", lambda self: V(0))
    assert engine_proves(claim)


@pytest.mark.parametrize("broken", ["obligations", "range_guards"])
def test_the_random_statements_notice_a_broken_engine(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if broken == "obligations":
        whole: Callable[..., Any] = bijection.obligations
        monkeypatch.setattr(bijection, "obligations", lambda *args: [whole(*args)[0], *whole(*args)[3:]])
    else:
        monkeypatch.setattr(terms, "range_guards", lambda bounds: [])
    assert any(fuzz.judge(seed).fault for seed in range(50, 150))


def test_equations_among_hypotheses_are_used() -> None:
    claim = Statement.of(
        total(0, K - 1), total(0, V("S") * K - V("S")), [], {"a": ((V(0), K - 1),)}, [*POSITIVE, equal("S", 1)]
    )
    assert claim.fixed == (("S", 1),)
    assert claim.parameters == ("K",)
    assert engine_proves(claim)
