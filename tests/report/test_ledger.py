"""What the ledger of a page says of its statements is what their verdicts have on record."""

from __future__ import annotations

import pytest

from symconv.proofs.verdict import Status, Verdict
from symconv.report.document import LedgerRow, Math
from symconv.report.ledger import Basis, basis_of, ledger_of, ranges


@pytest.mark.parametrize(
    ("status", "method", "sizes", "recomputed", "argument"),
    [
        ("proved", "bijection", 12, "both sides compared entry by entry, at 12 of the smallest sizes",
         "terms matched one to one; what that needs of indices and sizes discharged by an SMT solver"),
        ("proved", "bijection", 1, "both sides compared entry by entry, at 1 of the smallest sizes",
         "terms matched one to one; what that needs of indices and sizes discharged by an SMT solver"),
        ("exact", "bijection", 0, "not recomputed",
         "terms matched one to one; what that needs of indices and sizes discharged by an SMT solver"),
        ("proved", "arithmetic", 120, "what follows, at 120 choices of sizes and places",
         "integer arithmetic, discharged by an SMT solver"),
        ("proved", "arithmetic", 1, "what follows, at 1 choice of sizes and places",
         "integer arithmetic, discharged by an SMT solver"),
        ("proved", "arithmetic", 0, "not recomputed", "integer arithmetic, discharged by an SMT solver"),
        ("proved", "induction over the number of terms", 0, "not recomputed", "induction over the number of terms"),
        ("exact", "polynomial identity", 1, "not recomputed",
         "all entries at the declared size are the same polynomials"),
        ("exact", "normal forms", 1, "not recomputed", "all entries at the declared size have the same normal form"),
        ("exact", "numbers", 0, "not recomputed", "all entries worked out in exact arithmetic"),
        ("undecided", "search", 7, "both sides compared entry by entry, at 7 of the smallest sizes", "none"),
        ("undecided", "", 0, "not recomputed", "none"),
        ("undecided", "bijection", 0, "not recomputed", "none"),
        ("refuted", "search", 3, "the counterexample evaluated", "a counterexample"),
    ],
)  # fmt: skip
def test_a_verdict_says_what_was_compared_and_why_it_holds(
    status: Status, method: str, sizes: int, recomputed: str, argument: str
) -> None:
    assert basis_of(Verdict(status, method=method, sizes=sizes)) == Basis(recomputed, argument)


def test_statements_that_rest_on_the_same_share_a_row() -> None:
    one, other = Basis("r", "a"), Basis("r", "b")
    ledger = ledger_of({"1": one, "2": one, "3": other, "4": one, "C1": other, "C2": other}, {}, {})
    assert [_said(row) for row in ledger.rows] == [("1–2, 4", "r", "a"), ("3, C1–C2", "r", "b")]


def test_what_another_program_has_checked_is_said_in_its_argument() -> None:
    one = Basis("r", "a")
    ledger = ledger_of({"1": one, "2": one, "3": one}, {"2": "Coq 8, but for derivatives"}, {"3": ("I", "K")})
    assert [_said(row) for row in ledger.rows] == [
        ("1", "r", "a"),
        ("2", "r", "a; checked by Coq 8, but for derivatives"),
        ("3", "r", "a; for all I, K"),
    ]


def _said(row: LedgerRow) -> tuple[str, ...]:
    cells = (row.steps, row.recomputed, row.argument)
    return tuple("".join(run.latex if isinstance(run, Math) else run.text for run in cell) for cell in cells)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([], ""),
        (["7"], "7"),
        (["1", "2", "3"], "1–3"),
        (["9", "10"], "9–10"),
        (["1", "3"], "1, 3"),
        (["2", "1"], "2, 1"),
        (["1", "C2"], "1, C2"),
        (["C1", "C2", "R3"], "C1–C2, R3"),
        (["C1", "C1'", "C2"], "C1, C1', C2"),
        (["C9", "C10", "C12"], "C9–C10, C12"),
    ],
)
def test_numbers_in_a_row_are_a_range(numbers: list[str], text: str) -> None:
    assert ranges(numbers) == text
