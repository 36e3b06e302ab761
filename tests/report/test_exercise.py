"""The blocks of worked exercises, in HTML and in LaTeX."""

from __future__ import annotations

import dataclasses
import re

import pytest
from report.exercise_sample import exercise_document, plane
from report.typeset import needs_latex

from symconv.errors import RenderError
from symconv.report.document import Math
from symconv.report.exercise import Grid, Grids
from symconv.report.render import to_html, to_latex, to_pdf


@pytest.fixture(scope="module")
def page() -> str:
    return to_html(exercise_document())


def test_what_is_asked_stands_before_the_answer_and_a_theorem_before_its_proof(page: str) -> None:
    asked, sheet = page.index("How large is the output?"), page.index("parameters</th>")
    assert asked < sheet
    assert page.index("A convolution with bias") < page.index('<details class="proof" open>') < page.index("Chain rule")
    assert page.index('<details class="fold">') < page.index("All 4 entries, written out")


def test_a_table_of_numbers_says_which_tensor_and_which_plane(page: str) -> None:
    (table,) = re.findall(r'<table class="tn" data-t="X".*?</table>', page, re.S)
    assert 'data-c="0"' in table
    assert 'aria-label="X"' in table
    assert table.count("<tr") == 3
    assert table.count('class="rr"') == 1
    assert '<td class="s1 et el eb er">1<td>' in table
    assert '<td class="z">0<td>' in table
    assert "−3" in table


def test_a_refuted_line_stands_in_its_band_and_the_repair_outside(page: str) -> None:
    start = page.index('<article class="row claim no"')
    band = page[start : page.index("</article>", start)]
    assert "Witness." in band
    assert 'class="x"' in band
    assert "L2'" not in band.replace("&#39;", "'")
    assert 'class="f"' not in band
    assert 'class="f"' in page[page.index("</article>", start) :]


def test_what_a_page_does_not_have_is_not_in_its_style(page: str) -> None:
    plain = dataclasses.replace(exercise_document(), blocks=exercise_document().blocks[-1:])
    assert ".tn td.dead" in page
    assert ".tn td.dead" not in to_html(plain)
    assert r"\SCstations" in to_latex(exercise_document())
    assert r"\SCstations" not in to_latex(plain)


@needs_latex
def test_pdflatex_sets_every_block() -> None:
    assert to_pdf(to_latex(exercise_document())).startswith(b"%PDF")
    assert to_pdf(to_latex(exercise_document())) == to_pdf(to_latex(exercise_document()))


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (Grids((plane("1"), plane("2")), (Math("="), Math("="))), "one between two of them, got 2 tables and 2 signs"),
        (Grids((Grid((), "nothing"),)), "table 'nothing' must have rows of one length"),
    ],
)
def test_tables_that_cannot_be_drawn_are_refused(block: Grids, message: str) -> None:
    document = dataclasses.replace(exercise_document(), blocks=(block,))
    for write in (to_html, to_latex):
        with pytest.raises(RenderError, match=re.escape(message)):
            write(document)


def test_hostile_numbers_and_labels_come_out_as_typed() -> None:
    hostile = Grid(plane("1").rows, '"><script>')
    page = to_html(dataclasses.replace(exercise_document(), blocks=(Grids((hostile,)),)))
    assert "<script>x" not in page
    assert "&#34;&gt;&lt;script&gt;" in page
