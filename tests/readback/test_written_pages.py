"""The golden files of derivations are right: every line, definition and sentence of them, in both prints, by loops."""

from __future__ import annotations

from pathlib import Path
from random import Random

import oracles
import pytest

from readback.checking import check
from readback.chosen import CHOSEN, Chosen
from readback.hypotheses import check_hypotheses
from readback.layers import case_of
from readback.pages import Page, read_latex, read_text

PAGES = Path(__file__).parents[1] / "golden" / "derivations"
ALL = [page for pages in CHOSEN.values() for page in pages]


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_a_written_page_is_read_back(page: Chosen) -> None:
    text, latex, _ = Path(PAGES, f"{page.name}.txt").read_text(encoding="utf-8").split("\n----\n")
    random = Random(3)
    read_back(read_text(text), page, random)
    read_back(read_latex(latex), page, random)


def read_back(read: Page, page: Chosen, random: Random) -> None:
    """At the smallest size, and at a larger one, with numbers of which some are equal or 0, and without."""
    layer, size = page.layer, page.size
    if layer.kind == "fold":
        allowed = [tuple(map(oracles.output_size, layer.output, layer.axes()))]
    else:
        allowed = [size] if size is not None else check_hypotheses(read, layer)
    allowed.sort(key=sum)
    for sizes in dict.fromkeys((allowed[0], allowed[min(4, len(allowed) - 1)])):
        for zeros in (True, False):
            done = check(read, case_of(layer, sizes, random, zeros=zeros), page.what, page.wrt, random)
            assert done.lines >= 1


def test_every_written_page_is_of_a_chosen_layer() -> None:
    assert {file.name for file in PAGES.iterdir()} == {f"{page.name}.txt" for page in ALL}
    assert len(ALL) == len({page.name for page in ALL})
