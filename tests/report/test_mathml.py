"""Every formula becomes MathML or an error that names it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from sample import sample

from symconv.errors import RenderError
from symconv.report.document import Math
from symconv.report.formula_width import estimate_em
from symconv.report.mathml import check_formula, to_mathml


def formulas(value: object) -> Iterator[str]:
    if isinstance(value, Math):
        yield value.latex
    elif isinstance(value, tuple):
        for item in value:
            yield from formulas(item)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from formulas(getattr(value, field.name))


def test_every_formula_of_the_sample_converts() -> None:
    found = [latex for latex in formulas(sample()) if latex]
    assert len(found) > 150
    for latex in found:
        for display in (False, True):
            assert to_mathml(latex, display=display).startswith("<math")


def test_roles_become_classes_that_style_and_script_can_reach() -> None:
    latex = r"\SCkernel{b}\SCupstream{g}\SCbad{m}\SCzero"
    mathml = to_mathml(latex)
    for role in "bgxz":
        assert f'<mrow class="{role}">' in mathml
    assert "style=" not in mathml
    assert "𝒎" in mathml


def test_a_wrong_digit_is_bold() -> None:
    assert to_mathml(r"\SCbad{12}").count("<mn>𝟏𝟐</mn>") == 1


def test_a_base_with_a_descender_keeps_its_subscript_level() -> None:
    level = '<msub><mpadded depth="0">'
    assert level in to_mathml("g_{1}")
    assert level in to_mathml(r"\tilde g_{1}")
    assert level in to_mathml(r"\operatorname{pad}_{1}(x)")
    assert level not in to_mathml("a_{1}")


def test_the_star_and_the_dots_are_one_sign_each() -> None:
    assert '<mo class="star"' in to_mathml(r"A\star B")
    assert to_mathml(r"1,\dots,K").count("…") == 1


@pytest.mark.parametrize(
    ("latex", "reason"),
    [
        (r"\input{/etc/passwd}", r"Unknown command"),
        (r"\write18{id}", r"Unknown command"),
        (r"\substack{a\\b}", r"Unknown command"),
        (r"\boxed{x}", r"MathML Core"),
        (r"\def\x{1}", r"must not use \\def"),
        (r"\newcommand{\input}{}", r"must not use \\newcommand"),
        (r"\let\x=y", r"must not use \\let"),
        ("a % b", "comment"),
        (r"\\% b", "comment"),
        ("$x$", "Unexpected"),
        ("x^^41", "followed by"),
        ("}{", "Unmatched"),
        ("é", r"must be ASCII"),
        ("a\0b", r"must be ASCII"),
    ],
)
def test_hostile_formulas_are_named_and_rejected(latex: str, reason: str) -> None:
    with pytest.raises(RenderError, match=r"^formula .*" + reason):
        check_formula(latex)


def test_an_escaped_percent_sign_is_no_comment() -> None:
    check_formula(r"100\%")


def test_text_in_a_formula_cannot_become_a_tag() -> None:
    assert "<script" not in to_mathml(r"\text{<script>alert(1)</script>}")


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("a", "a+b"),
        (r"\frac{a}{b}", r"\frac{a+b}{b}"),
        ("a_{ij}", "a_{i+j}"),
        (r"\begin{pmatrix}1&2\end{pmatrix}", r"\begin{pmatrix}1&2&3\end{pmatrix}"),
        (r"\sum_{i=1}^{n}", r"\sum_{i=\max(1,a)}^{n}"),
    ],
)
def test_the_estimated_width_grows_with_the_formula(narrow: str, wide: str) -> None:
    assert 0 < estimate_em(to_mathml(narrow, display=True)) < estimate_em(to_mathml(wide, display=True))
