"""What a user typed comes out as typed; what cannot is named."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symconv.errors import RenderError
from symconv.report.escape import anchor, check_latex_text, check_text, latex_text, pdf_string

ATTACK = r"\input{/etc/passwd} 100% _#~^<script>"


def test_every_special_character_is_escaped() -> None:
    expected = (
        r"\textbackslash{}input\{/etc/passwd\} 100\% \_\#\textasciitilde{}\textasciicircum{}"
        r"\textless{}script\textgreater{}"
    )
    assert latex_text(ATTACK) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a--b", "a-{}-b"),
        ("a---b", "a-{}-{}-b"),
        ("''", "'{}'"),
        (",,", ",{},"),
        ("<<", r"\textless{}\textless{}"),
        ("?`", r"?\textasciigrave{}"),
    ],
)
def test_no_ligature_arises(text: str, expected: str) -> None:
    assert latex_text(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5 × 5", r"5 \ensuremath{\times} 5"),
        ("a ≤ b ≥ c", r"a \ensuremath{\leq} b \ensuremath{\geq} c"),
        ("1–2 — 3…", r"1\textendash{}2 \textemdash{} 3\textellipsis{}"),
        ("“q” ’s", r"\textquotedblleft{}q\textquotedblright{} \textquoteright{}s"),
        ("éüßąőŁ", "éüßąőŁ"),
        ("e\u0301", "é"),
    ],
)
def test_harmless_characters_are_set(text: str, expected: str) -> None:
    assert latex_text(text) == expected


@pytest.mark.parametrize(
    ("text", "name", "position"),
    [
        ("abc 漢字", "U+6F22 CJK UNIFIED IDEOGRAPH-6F22", 4),
        ("hi \U0001f600", "U+1F600 GRINNING FACE", 3),
        ("αβ", "U+03B1 GREEK SMALL LETTER ALPHA", 0),
        ("xħ", "U+0127 LATIN SMALL LETTER H WITH STROKE", 1),
    ],
)
def test_what_pdflatex_cannot_set_is_named(text: str, name: str, position: int) -> None:
    with pytest.raises(RenderError, match=rf"^author must use .*got {re.escape(name)} at position {position} .*HTML"):
        check_latex_text(text, "author")
    assert check_text(text, "author") == text


@pytest.mark.parametrize("bad", ["a\0b", "a\x1bb", "a\u202eb", "a\ud800b", "a\x7fb", "a\u2066b"])
def test_control_characters_are_rejected_in_both_languages(bad: str) -> None:
    for check in (check_text, check_latex_text):
        with pytest.raises(RenderError, match=r"^title must not contain control characters, got U\+[0-9A-F]{4}"):
            check(bad, "title")


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x17F)))
def test_escaped_text_has_no_live_special_character(text: str) -> None:
    try:
        tex = latex_text(text)
    except RenderError:
        return
    # Without the commands of the table nothing that TeX acts upon is left.
    bare = re.sub(r"\\(?:[A-Za-z]+(?:\{\})?|[{}$&#%_-])", "", tex)
    bare = re.sub(r"\\ensuremath\{[^{}]*\}", "", tex) if "ensuremath" in tex else bare
    bare = re.sub(r"\\(?:[A-Za-z]+(?:\{\})?|[{}$&#%_-])", "", bare).replace("{}", "").replace("{-}", "")
    assert not set(bare) & set("\\{}$&#%_^"), tex


def test_a_long_run_may_break() -> None:
    assert latex_text("x" * 24) == "x" * 24
    assert latex_text("x" * 25) == r"x\SCbreak{}" * 24 + "x"


def test_the_document_information_has_words_for_signs() -> None:
    assert pdf_string("∂E/∂A ≤ 1%") == r"dE/dA \textless{}= 1\%"


@given(st.text(), st.text())
def test_anchors_are_safe_and_different(a: str, b: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]*", anchor(a))
    assert (anchor(a) == anchor(b)) == (a == b)
