"""What a verdict says of itself."""

from __future__ import annotations

import symconv as sc


def test_the_conditions_of_a_verdict_are_printed_with_it() -> None:
    assert sc.Verdict("proved").conditions == ()
    verdict = sc.Verdict("exact", conditions=("entries of w outside count as 0", "p >= 1"))
    assert str(verdict).splitlines()[1] == "  on the condition that entries of w outside count as 0, and that p >= 1"
    assert verdict.holds
