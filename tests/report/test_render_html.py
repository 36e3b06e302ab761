"""The HTML writer: self-contained, literal, deterministic, well-formed."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from sample import runs, sample

from symconv.errors import RenderError
from symconv.report.document import (
    Band,
    Code,
    Document,
    Math,
    Paragraph,
    Ref,
    RelationLine,
    Section,
    StageHeading,
    StatusLine,
    Strong,
    Text,
)
from symconv.report.render import to_html

ATTACK = r"""\input{/etc/passwd} 100% _#~^<script>alert(1)</script> "'>&amp; {{ x }} {% if x %}"""
VOID = {"meta", "br", "img", "link", "hr", "input"}


class Page(HTMLParser):
    """Tags, attributes and text of a page; fails at the first tag that is closed wrongly."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("style", "script"):
            self.text += data


def test_the_same_document_gives_the_same_bytes() -> None:
    assert to_html(sample()) == to_html(sample())


def test_the_sample_agrees_with_the_golden_file(golden: Callable[[str, str], None]) -> None:
    golden("sample.html", re.sub(r"base64,[A-Za-z0-9+/=]+\)", "base64,FONT)", to_html(sample())))


def test_the_page_is_well_formed_and_needs_nothing_else() -> None:
    page = Page(to_html(sample()))
    assert page.tags["h1"] == 1
    assert not set(page.tags) & {"link", "img", "iframe", "object", "base", "form"}
    loaded = [value for _, name, value in page.attributes if name in ("src", "href", "xlink:href", "action", "srcset")]
    assert loaded
    assert all(value.startswith("#") for value in loaded)
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    html = to_html(sample())
    assert set(re.findall(r"url\(([^,)]*)", html)) == {"data:font/woff2;base64"}
    assert "@import" not in html


def test_every_link_has_its_target_and_every_id_is_unique() -> None:
    page = Page(to_html(sample()))
    ids = Counter(value for _, name, value in page.attributes if name == "id")
    assert [identifier for identifier, count in ids.items() if count > 1] == []
    links = {value[1:] for _, name, value in page.attributes if name == "href"}
    assert links - set(ids) == set()


def test_the_policy_lets_only_the_script_of_the_page_run() -> None:
    html = to_html(sample())
    script = re.search(r"<script>(.*?)</script>", html, re.S)
    assert script
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    policy = next(v for t, n, v in Page(html).attributes if t == "meta" and n == "content" and "default-src" in v)
    assert policy.startswith("default-src 'none';")
    assert f"script-src 'sha256-{digest}'" in policy
    assert "unsafe-eval" not in policy


def test_user_text_is_literal_everywhere() -> None:
    hostile = Document(
        title=ATTACK,
        author=ATTACK,
        language='en"><script>',
        lead=(Text(ATTACK), Strong(ATTACK), Code(ATTACK), Math("x"), Text(ATTACK)),
        blocks=(
            Section('s"><script>', ATTACK, (Text(ATTACK),), (Text(ATTACK),)),
            StageHeading("st", ATTACK, (Text(ATTACK),), (Text(ATTACK),)),
            RelationLine("x", ATTACK, "proved", Math("a"), "=", Math("b")),
            Paragraph((Ref('s"><script>', ATTACK),)),
        ),
    )
    page = Page(to_html(hostile))
    assert page.tags["script"] == 1
    assert page.text.count("<script>alert(1)</script>") >= 10
    assert page.text.count(r"\input{/etc/passwd} 100% _#~^") >= 10


def test_the_browser_takes_what_pdflatex_cannot() -> None:
    assert "漢字 \U0001f600 αβ" in to_html(Document("漢字 \U0001f600 αβ", (), ()))


def test_control_characters_are_rejected() -> None:
    with pytest.raises(RenderError, match="title must not contain control characters"):
        to_html(Document("a\0", (), ()))


def test_stops_and_brackets_cling_to_their_formula() -> None:
    html = to_html(Document("t", runs("see ($x$), or $y$."), ()))
    assert '<span class="nw">(<math><mi>x</mi></math>),</span> or ' in html
    assert '<span class="nw"><math><mi>y</mi></math>.</span>' in html


def test_no_text_is_lost_where_runs_touch() -> None:
    html = to_html(Document("t", (Math("x"), Text(")("), Math("y"), Text("..."), Math("z"), Math("w")), ()))
    lead = re.search(r'<p class="lead">(.*?)</p>', html)
    assert lead
    assert re.sub(r"<[^>]*>", "", lead[1]) == "x)(y...zw"


def test_headings_go_one_level_at_a_time() -> None:
    def levels(document: Document) -> list[int]:
        return [int(n) for n in re.findall(r"<h([1-6])[ >]", to_html(document))]

    stage, band = StageHeading("a", "I", runs("A")), Band(runs("B"), (), (Paragraph(()),))
    assert levels(Document("t", (), (stage, band))) == [1, 2, 2]
    assert levels(Document("t", (), (Section("q", "1", runs("Q")), stage, band))) == [1, 2, 3, 3]


def test_a_wide_statement_has_its_reason_below_and_a_narrow_one_beside() -> None:
    html = to_html(sample())
    assert re.search(r'class="row statement over[^"]*" id="q2\.10"', html)
    assert re.search(r'class="row statement long[^"]*" id="q2\.11"', html)
    assert re.search(r'class="row statement" id="3"', html)


def test_only_the_marks_of_the_document_are_in_its_legend() -> None:
    html = to_html(Document("t", (), (Paragraph(runs("x"), mark="refuted"),)))
    legend = html[html.index('<p class="legend">') :]
    assert "refuted" in legend
    assert "undecided" not in legend
    assert "definition" not in legend


def test_a_mark_is_explained_once() -> None:
    strip = (StatusLine("refuted", runs("1 refuted")),)
    html = to_html(Document("t", (), (Paragraph(runs("x"), mark="refuted"),), strip))
    assert '<p class="legend">' not in html
    html = to_html(
        Document("t", (), (Paragraph(runs("x"), mark="refuted"), Paragraph(runs("y"), mark="proved")), strip)
    )
    legend = html[html.index('<p class="legend">') : html.index("</footer>")]
    assert "proved for all symbolic sizes" in legend
    assert "refuted" not in legend


def test_substeps_fold_only_where_they_hide_something() -> None:
    html = to_html(sample())
    assert html.count('<details class="sub">') == 2
    assert html.count('<div class="sub">') == 2
