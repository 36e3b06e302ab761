"""What public objects show of themselves in a notebook."""

from __future__ import annotations

import re
from base64 import b64decode
from xml.etree import ElementTree

import pytest

import symconv as sc

OPERATORS = [
    sc.Conv((3,), stride=2, padding=1),
    sc.MaxPool(2),
    sc.AvgPool(2, ceil_mode=True),
    sc.ConvTranspose((3,), stride=2),
    sc.AdaptiveAvgPool(2),
    sc.Softmax(),
]


@pytest.mark.parametrize("op", OPERATORS, ids=repr)
def test_an_operator_shows_its_formula(op: sc.Operator) -> None:
    assert op._repr_latex_() == f"$\\displaystyle {op.output().latex()}$"


DERIVED = [
    (sc.Conv((3,)), "gradient"),
    (sc.Conv((3,), stride=2, padding=1), "gradient"),
    (sc.MaxPool((2,)), "gradient"),
    (sc.Conv((2,)), "derivative"),
]


@pytest.mark.parametrize(("op", "what"), DERIVED, ids=lambda part: str(part))
def test_no_block_of_a_derivation_begins_with_a_bare_sign(op: sc.Operator, what: str) -> None:
    text = sc.derive(op, what)._repr_latex_()
    blocks = re.findall(r"\\begin\{aligned\}\n(.*?)\n\\end\{aligned\}", text, flags=re.DOTALL)
    assert len(blocks) >= 1
    assert [block for block in blocks if block.lstrip().startswith("&")] == []


def test_the_letters_of_a_derivation_are_defined_before_they_are_used() -> None:
    text = sc.derive(sc.Conv((3,)), "gradient")._repr_latex_()
    for letter in (r"\tilde g_{s} =", r"\operatorname{rev}(B)", r"\operatorname{pad}_{2}(G)"):
        assert text.index(letter) < text.index(r"\begin{aligned}")


def test_a_verdict_shows_its_counterexample() -> None:
    verdict = sc.prove(sc.Conv((3,), flip=True).output(), sc.Conv((3,)).output())
    tree = ElementTree.fromstring(verdict._repr_html_())
    assert (tree.findtext("strong") or "").startswith("REFUTED")
    assert f"counterexample: {verdict.counterexample}" in (tree.findtext("pre") or "")


def test_a_kernel_shows_its_plan_and_source() -> None:
    kernel = sc.compile(sc.Conv((3,)))
    tree = ElementTree.fromstring(kernel._repr_html_())
    assert kernel.plan in (tree.findtext("code") or "")
    assert tree.findtext("details/pre") == kernel.source


def test_a_figure_shows_itself() -> None:
    figure = sc.figure(sc.MaxPool((2,)), input_size=4)
    image = ElementTree.fromstring(figure._repr_html_())
    assert (image.tag, image.get("alt")) == ("img", figure.words)
    kind, _, data = (image.get("src") or "").partition(",")
    assert (kind, b64decode(data).decode()) == ("data:image/svg+xml;base64", figure.svg())
