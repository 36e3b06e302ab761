"""The embedded fonts hold what the pages print."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.resources import files

import pytest
from sample import sample

from symconv.report.html_writer import to_html
from symconv.report.typefaces import font_faces

FONTS = files("symconv.report") / "fonts"


def test_the_fonts_are_embedded_and_not_too_heavy() -> None:
    rules = font_faces("")
    assert rules.count("@font-face") == 4
    assert "url(data:font/woff2;base64," in rules
    assert len(rules) < 230_000


@pytest.mark.parametrize(("title", "faces"), [("Übung", 4), ("Cvičení", 7), ("İşlem", 7), ("Œuvre", 4)])
def test_letters_from_further_east_come_along_where_a_page_has_them(title: str, faces: int) -> None:
    page = to_html(replace(sample(), title=title))
    assert page.count("@font-face") == faces
    assert page.index("@font-face") == page.index("<style>\n") + len("<style>\n")


def test_the_licence_lies_beside_them() -> None:
    assert "SIL OPEN FONT LICENSE Version 1.1" in (FONTS / "OFL.txt").read_text(encoding="utf-8")


def test_the_mathematical_font_keeps_its_tables_and_characters() -> None:
    fonttools = pytest.importorskip("fontTools.ttLib", reason="fontTools reads the fonts")
    pytest.importorskip("brotli", reason="woff2 needs brotli")
    font = fonttools.TTFont(str(FONTS / "stix-two-math.woff2"))
    assert "MATH" in font
    assert "ssty" in {record.FeatureTag for record in font["GSUB"].table.FeatureList.FeatureRecord}
    variants = font["MATH"].table.MathVariants.VertGlyphCoverage.glyphs
    names = font.getBestCmap()
    wanted = "∑∏∂∞≤≥≠∈∉∪∩⌊⌋⌈⌉⋆★×·…⋯⋮⋱∣‖→↦⟺⟹∘⊂⊆±−∀∃¬∧∨√αωΓΩℝ𝔸𝒜𝑎𝒎𝟏𝟡"
    assert [c for c in wanted if ord(c) not in names] == []
    assert all(names[ord(c)] in variants for c in "()[]{}⌊⌋∑|")


def test_every_character_of_a_formula_is_in_the_font() -> None:
    fonttools = pytest.importorskip("fontTools.ttLib", reason="fontTools reads the fonts")
    pytest.importorskip("brotli", reason="woff2 needs brotli")
    names = fonttools.TTFont(str(FONTS / "stix-two-math.woff2")).getBestCmap()
    text = "".join(re.findall(r"<m(?:i|o|n|text)[^>]*>([^<]*)<", to_html(sample())))
    # Italic letters are made by the browser from plain ones; the table of MathML Core maps them to this block.
    assert {c for c in text if ord(c) not in names} == set()
    assert all(0x1D434 + n in names for n in range(52) if n != 33)
