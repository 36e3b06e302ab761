"""Scenes: both writers spell the same shapes, escape every text, and say the same thing every time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from typeset import SVG, compile_latex, needs_latex

from symconv.errors import ArgumentError, RenderError
from symconv.report.drawing.shapes import (
    DEFINED_COLOURS,
    PALETTE,
    Caption,
    Dot,
    Glyph,
    Lines,
    Paint,
    Rectangle,
    Stroke,
    Symbol,
)
from symconv.report.scene import Scene

HOSTILE = [
    r"\input{no-such-file}",
    "</text><script>alert(1)</script>",
    "a & b < c > d",
    "$x$ 50% #1 {~^_}",
    "say \"hi\" 'there' `now`",
    "x--y",
    "−3 × R′",
]


def every_shape() -> Scene:
    """A scene that holds every primitive, every tone and every line pattern."""
    tones = [Rectangle(k, 0, 1, 1, Paint(tone)) for k, tone in enumerate(PALETTE)]
    lines = [
        Lines(((0, 3 + k, 4, 3 + k),), Stroke("mute", "thin", pattern))
        for k, pattern in enumerate(("solid", "dashed", "dotted"))
    ]
    rest = [
        Rectangle(0, 5, 2, 1, Paint("upstream", 40), Stroke("kernel", "bold")),
        Caption(0.5, 6, Symbol("a", (1, 12)), 0.5, Paint("kernel")),
        Caption(1.5, 6, Symbol("δ", (-1,)), 0.5),
        Caption(2.5, 6, Symbol("xy", (1, 2)), 0.5),
        Caption(3.5, 6, Symbol("", (2, 4)), 0.5),
        Glyph(5, 5, 1, 1, 2, 2, ((0, 1),)),
        Dot(6, 6, 0.1),
        Caption(0.5, 8, "1", 0.5, face="number"),
    ]
    return Scene("Every shape", "All of them.", (*tones, *lines, *rest), 12, 9)


def test_svg_is_well_formed_and_named_for_a_screen_reader() -> None:
    root = ET.fromstring(every_shape().svg("fig-1.a"))
    assert root.tag == SVG + "svg"
    assert root.get("aria-labelledby") == "fig-1.a-t fig-1.a-d"
    ids = {element.get("id"): element.text for element in root.iter() if element.get("id")}
    assert ids == {"fig-1.a-t": "Every shape", "fig-1.a-d": "All of them."}
    # A cell is 22 pixels wide unless said, with 1.5 pixels around for half an outline.
    assert root.get("viewBox") == "0 0 267 201"
    assert (root.get("width"), root.get("height")) == ("267", "201")


def test_a_picture_is_an_image() -> None:
    assert ET.fromstring(Scene("t", "d", (Dot(0, 0, 1),), 1, 1).svg("f")).get("role") == "img"


def test_every_class_in_an_svg_has_its_rule_and_every_rule_is_used() -> None:
    root = ET.fromstring(every_shape().svg("f"))
    style = root.find(SVG + "style")
    assert style is not None
    assert style.text
    ruled = set(re.findall(r"\.(sc-[\w-]+)", style.text))
    used = {name for element in root.iter() for name in element.get("class", "").split() if name.startswith("sc-")}
    assert used == ruled


def test_every_colour_of_an_svg_follows_the_page_and_has_a_fallback() -> None:
    text = every_shape().svg("f")
    for tone, colour in PALETTE.items():
        assert f".sc-f-{tone}{{fill:var({colour.variable},{colour.light})}}" in text
    without_variables = re.sub(r"var\(--[a-z]+,#[0-9a-f]{6}\)", "", text)
    assert not re.findall(r"#[0-9a-f]{3,6}\b", without_variables)


def test_tikz_uses_only_the_colours_that_are_defined() -> None:
    text = every_shape().tikz()
    names = set(re.findall(r"(?:fill|draw|text)=([a-z]+)", text)) | set(re.findall(r"!\d+!([a-z]+)", text))
    assert names <= set(DEFINED_COLOURS) | {"white", "black"}
    assert {"kern", "grad", "bad", "ink", "mute", "hair"} <= names


def test_shapes_of_one_look_share_an_element_without_changing_their_order() -> None:
    blue, orange = Paint("upstream-soft"), Paint("kernel-soft")
    boxes = tuple(Rectangle(k, 0, 1, 1, paint) for k, paint in enumerate((blue, blue, orange, blue)))
    root = ET.fromstring(Scene("t", "d", boxes, 4, 1, cell_px=10).svg("f"))
    paths = [(path.get("class"), path.get("d")) for path in root.iter(SVG + "path")]
    assert paths == [
        ("sc-f-upstream-soft", "M1.5 1.5h10v10h-10zM11.5 1.5h10v10h-10z"),
        ("sc-f-kernel-soft", "M21.5 1.5h10v10h-10z"),
        ("sc-f-upstream-soft", "M31.5 1.5h10v10h-10z"),
    ]


def test_both_writers_put_a_label_at_the_same_place() -> None:
    scene = Scene("t", "d", (Caption(2.5, 1.5, "7", 0.5),), 4, 3, cell_px=20)
    text = ET.fromstring(scene.svg("f")).find(f"{SVG}g/{SVG}text")
    assert text is not None
    # The baseline lies a third of the font size below the middle of the cell.
    assert (float(text.get("x", "")), float(text.get("y", ""))) == (51.5, 1.5 + 20 * (1.5 + 0.165))
    assert r"\node at (2.5,1.665) {7};" in scene.tikz()


@pytest.mark.parametrize(
    ("indices", "svg", "tex"),
    [
        ((1, 2), "12", "12"),
        ((1, 12), "1,12", "1,12"),
        ((0, -1), "0,−1", "0,-1"),
        ((12,), "12", "12"),
        ((9, 9, 9), "999", "999"),
    ],
)
def test_subscripts_never_read_two_ways(indices: tuple[int, ...], svg: str, tex: str) -> None:
    scene = Scene("t", "d", (Caption(0, 0, Symbol("a", indices), 0.5),), 1, 1)
    spans = [span.text for span in ET.fromstring(scene.svg("f")).iter(SVG + "tspan")]
    assert spans == ["a", svg]
    assert f"{{$a_{{{tex}}}$}}" in scene.tikz()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_comes_out_of_an_svg_as_typed(text: str) -> None:
    labels = (Caption(0, 0, text, 0.5), Caption(0, 1, Symbol(text, (1,)), 0.5))
    root = ET.fromstring(Scene(text, text, labels, 1, 1).svg("f"))
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg",
        "title",
        "desc",
        "style",
        "g",
        "text",
        "tspan",
    }
    assert root.findtext(SVG + "title") == root.findtext(SVG + "desc") == text
    assert ["".join(element.itertext()) for element in root.iter(SVG + "text")] == [text, text + "1"]


@needs_latex
def test_hostile_text_does_nothing_in_tex(tmp_path: Path) -> None:
    items = tuple(
        label
        for k, text in enumerate(HOSTILE)
        for label in (Caption(0, k, text, 0.5), Caption(9, k, Symbol(text, (1, 2)), 0.5))
    )
    compile_latex([Scene("t", "d", items, 1, 1).tikz()], tmp_path)


def test_hostile_text_never_becomes_a_command() -> None:
    text = Scene("t", "d", (Caption(0, 0, r"\input{x}$", 0.5), Caption(0, 0, Symbol(r"}\x", (1,)), 0.5)), 1, 1).tikz()
    assert r"\input" not in text
    assert r"\textbackslash{}input\{x\}\$" in text
    assert r"\textit{\}\textbackslash{}x}$_{1}$" in text


@needs_latex
def test_every_shape_compiles_alone_and_inside_a_page(tmp_path: Path) -> None:
    scene = every_shape()
    log = compile_latex([scene.tikz(), f"A ${scene.tikz()}$ B"], tmp_path)
    assert "Missing character" not in log
    alone = tmp_path / "alone"
    alone.mkdir()
    text = scene.tikz(define_colours=True)
    assert text.startswith("\\definecolor{ink}{HTML}{1A1D21}\n")
    compile_latex([text], alone)


@pytest.mark.parametrize("writer", [lambda scene: scene.svg("f"), lambda scene: scene.tikz()])
def test_control_characters_are_refused(writer: object) -> None:
    assert callable(writer)
    with pytest.raises(RenderError, match=r"U\+0000"):
        writer(Scene("t", "d", (Caption(0, 0, "a\x00b", 0.5),), 1, 1))


def test_a_character_that_pdflatex_lacks_is_refused_by_name_and_only_there() -> None:
    scene = Scene("t", "d", (Caption(0, 0, "卷", 0.5),), 1, 1)
    assert "卷" in scene.svg("f")
    with pytest.raises(RenderError, match=r"U\+5377"):
        scene.tikz()


@pytest.mark.parametrize("uid", ["", "1a", "a b", 'a"b', "a'", "é"])
def test_an_id_must_be_a_name(uid: str) -> None:
    with pytest.raises(ArgumentError, match=r"^uid must start with a letter"):
        every_shape().svg(uid)


@pytest.mark.parametrize("name", ["width", "height", "cell_px", "cell_mm"])
def test_a_scene_has_an_extent(name: str) -> None:
    sizes = {"width": 1, "height": 1, name: 0}
    with pytest.raises(ArgumentError, match=f"^{name} must be > 0, got 0$"):
        Scene("t", "d", (), **sizes)


def test_a_new_process_with_another_hash_seed_writes_the_same_bytes() -> None:
    program = (
        "from symconv.report.figures import *\n"
        "a = [DrawnAxis(7, 3, 2, 1, 1, 0), DrawnAxis(6, 2, 1, 2, 0, 2)]\n"
        "maps = touch_map(a), glyph_map(a, at=(1, 1))\n"
        "for s in (*window_figure(a, at=(1, 5)), *gradient_figure(a, at=(3, 4)), *maps):\n"
        "    print(s.svg('f'), s.tikz(), s.description)\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert len(outputs.pop()) > 10_000


def test_numbers_are_fixed_decimals() -> None:
    scene = Scene("t", "d", (Rectangle(1 / 3, 2 / 3, 1e-9, -1e-9, Paint("ink")),), 1, 1, cell_px=10)
    assert 'd="M4.83 8.17h0v0h-0z"' in scene.svg("f")
    assert "(0.333,0.667) rectangle (0.333,0.667)" in scene.tikz()
