"""What a problem file may ask is what a report answers: no kind of question is advertised and then not found."""

from __future__ import annotations

from pathlib import Path

from symconv.claims.tables import ASKS, BELONGS, QUESTION
from symconv.report.build import ANSWERS


def test_every_question_that_can_be_asked_is_answered() -> None:
    assert list(ANSWERS) == list(ASKS)
    for key, asks in BELONGS.items():
        assert key in QUESTION
        assert set(asks) <= set(ASKS)


def test_contributing_names_what_is_there() -> None:
    root = Path(__file__).resolve().parents[2]
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = {word for word in text.split("`") if word.startswith(("symconv/", "tests/", ".ci/")) and " " not in word}
    assert len(named) >= 25
    for path in sorted(named):
        assert (root / path).exists(), path
