"""The embedded fonts hold what the pages print."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.resources import files

import pytest
from sample import sample

from symconv.report.html_writer import to_html
from symconv.report.mathml import to_mathml
from symconv.report.typefaces import font_faces

FONTS = files("symconv.report") / "fonts"


def test_the_fonts_are_embedded_and_not_too_heavy() -> None:
    rules = font_faces("")
    assert rules.count("@font-face") == 4
    assert "url(data:font/woff2;base64," in rules
    assert len(rules) < 195_000


@pytest.mark.parametrize(("title", "faces"), [("Übung", 3), ("Cvičení", 6), ("İşlem", 6), ("Œuvre", 3)])
def test_letters_from_further_east_come_along_where_a_page_has_them(title: str, faces: int) -> None:
    page = to_html(replace(sample(), title=title))
    assert page.count('@font-face{font-family:"STIX Two Text"') == faces
    assert page.index("@font-face") == page.index("<style>\n") + len("<style>\n")


@pytest.mark.parametrize(("letter", "faces"), [("ℝ", 5), ("𝒜", 5), ("𝟙", 5), ("ℎ", 4), ("𝖳", 4), ("𝟏", 4)])
def test_rarer_alphabets_of_mathematics_come_along_where_a_page_has_them(letter: str, faces: int) -> None:
    assert font_faces(letter).count("@font-face") == faces


def test_the_rarer_alphabets_are_in_their_font_and_in_no_other() -> None:
    fonttools = pytest.importorskip("fontTools.ttLib", reason="fontTools reads the fonts")
    pytest.importorskip("brotli", reason="woff2 needs brotli")
    rarer = fonttools.TTFont(str(FONTS / "stix-two-math-alphabets.woff2"))
    assert "MATH" in rarer
    names = rarer.getBestCmap()
    assert [c for c in "ℝℤℕ𝔸𝟙𝟡𝒜ℬ𝓍" if ord(c) not in names] == []
    assert {chr(c) for c in names if font_faces(chr(c)).count("@font-face") == 4} == set()
    assert names.keys() & fonttools.TTFont(str(FONTS / "stix-two-math.woff2")).getBestCmap().keys() == set()


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
    wanted = "∑∏∂∞≤≥≠∈∉∪∩⌊⌋⌈⌉⋆★×·…⋯⋮⋱∣‖→↦⟺⟹∘⊂⊆±−∀∃¬∧∨√αωΓΩ𝑎𝒎𝟏𝖳"
    assert [c for c in wanted if ord(c) not in names] == []
    assert all(names[ord(c)] in variants for c in "()[]{}⌊⌋∑|")


def test_every_character_of_a_formula_is_in_the_font() -> None:
    fonttools = pytest.importorskip("fontTools.ttLib", reason="fontTools reads the fonts")
    pytest.importorskip("brotli", reason="woff2 needs brotli")
    names = {
        letter
        for font in ("stix-two-math", "stix-two-math-alphabets")
        for letter in fonttools.TTFont(str(FONTS / f"{font}.woff2")).getBestCmap()
    }
    page = to_html(sample()) + to_mathml(r"\mathsf{T}")
    text = "".join(re.findall(r"<m(?:i|o|n|text)[^>]*>([^<]*)<", page))
    # Italic letters are made by the browser from plain ones; the table of MathML Core maps them to this block.
    assert {c for c in text if ord(c) not in names} == set()
    assert all(0x1D434 + n in names for n in range(52) if n != 33)
