"""What a claim may cost is bounded: claims that ask for much work have the verdict that is due, none after 10 s."""

from __future__ import annotations

from time import process_time

import pytest
from hard_claims import HARD, Hard

from symconv.claims.check import check_source
from symconv.claims.source import ClaimSource
from symconv.formulas.effort import STEPS, Effort

SECONDS = 10  # of this process, whatever else the machine does; the counted effort ends a claim long before
# Undecided are true lines whose proof is not found.
DUE = {
    "proved": (
        "the square of the output",
        "the cube of the output",
        "a binomial",
        "forty equal terms",
        "three axes",
        "an average with K*K",
        "an average with K**2",
        "an average times its count",
        "an average of one axis",
        "a maximum of twice",
        "a squared norm",
        "triangles",
        "a triangle in three",
        "split in the middle",
        "split at a minimum",
        "a sum of cubes",
        "the sixth power",
        "a binomial to the sixth",
    ),
    "exact": (
        "a power of a sum of nine",
        "the eighth power of a long window",
        "wide padding",
        "wide padding of two axes",
        "a norm of order three",
        "a large image",
        "a large pooling",
        "a long line",
    ),
    "refuted": (
        "a product of six sums",
        "forty terms",
        "many different sums",
        "a strided layer of two axes",
        "a gradient with stride and dilation",
        "the gradient for the kernel",
        "strides that do not divide",
        "wide padding, wrong",
        "padding for all sizes",
        "three axes, wrong",
        "an average times a count that pads",
        "maxima in each other",
        "maxima five deep",
        "the gradient of a maximum",
        "the gradient of a norm",
        "a large image, wrong",
        "a long line, wrong at its end",
        "a large norm",
        "a large matrix",
        "quotients in indices",
        "polynomial bounds",
    ),
    "undecided": (
        "the gradient of a maximum, literally",
        "five sums",
    ),
}


def test_every_hard_claim_has_a_verdict_that_is_due() -> None:
    assert sorted(name for names in DUE.values() for name in names) == sorted(hard.name for hard in HARD)


@pytest.mark.parametrize("hard", HARD, ids=lambda hard: hard.name)
def test_a_hard_claim_is_answered_within_its_effort(hard: Hard, monkeypatch: pytest.MonkeyPatch) -> None:
    wholes: list[Effort] = []
    begin = Effort.__init__

    def counted(self: Effort, steps: int = STEPS, whole: Effort | None = None) -> None:
        begin(self, steps, whole)
        if whole is None:
            wholes.append(self)

    monkeypatch.setattr(Effort, "__init__", counted)
    start = process_time()
    source = ClaimSource("", hard.declared, hard.text, modes=("general" if hard.general else "literal",))
    (result,) = check_source(source)
    assert process_time() - start < SECONDS
    assert hard.name in DUE[result.status], str(result.verdict)
    # the claim, its repair, and small questions on the way; none of them takes more than it may by more than a tenth
    assert sum(effort.limit for effort in wholes if effort.left < effort.limit // 2) <= 3 * STEPS
    assert all(effort._left > -effort.limit // 10 for effort in wholes)
