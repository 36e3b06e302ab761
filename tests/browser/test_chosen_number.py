"""The page of a network in a browser: one chosen number, by pointer, touch and keyboard, and what lights up."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from report.exercise_sample import exercise_document
from report.test_worked import classifier

from browser.conftest import Opened
from symconv.operators.networks.traced import TensorKey
from symconv.report.document import Document, Folded, Section, Text
from symconv.report.exercise import Stations
from symconv.report.render import to_html
from symconv.report.stations import entries, grids, stations
from symconv.report.worked import merged_map

Open = Callable[..., Opened]


@pytest.fixture(scope="session")
def html() -> str:
    worked = classifier()
    sample = exercise_document()
    rest = tuple(block for block in sample.blocks if not isinstance(block, Stations))
    every = (Text("All of it, written out"),)
    blocks = (
        stations(worked, "figure-w", "2"),
        Section("s", "9", (Text("Numbers"),)),
        grids(worked, TensorKey("conv"), TensorKey("pool")),
        Folded(every, (entries(worked, TensorKey("input", "output", True)),)),
    )
    return to_html(Document(sample.title, sample.lead, (*blocks, *rest), sample.status, map=merged_map([worked])))


def page_map(html: str) -> dict[str, Any]:
    start = html.index('id="map">') + len('id="map">')
    return json.loads(html[start : html.index("</script>", start)])


CELLS = """() => [...document.querySelectorAll('table.tn[data-t] td')].map((cell) => ({
  tensor: cell.closest('table').dataset.t, states: [...cell.classList], label: cell.ariaLabel, tab: cell.tabIndex}))"""


def lit(found: Opened, state: str) -> set[str]:
    return {f"{c['tensor']} {c['label']}" for c in found.page.evaluate(CELLS) if state in c["states"]}


def cell(found: Opened, tensor: str, row: int, column: int) -> Any:
    return found.page.locator(f'table.tn[data-t="{tensor}"]').first.locator("tr").nth(row).locator("td").nth(column)


def test_the_page_is_whole_and_asks_for_nothing(opened: Open, html: str) -> None:
    found = opened(html)
    assert found.complaints == []
    assert [url for url in found.requests if not url.startswith(("file:", "data:"))] == []
    assert len(found.requests) == len([url for url in found.requests if url.startswith("data:")]) + 1


def test_script_and_page_without_script_show_the_same_picture(opened: Open, html: str) -> None:
    script = opened(html)
    states = "() => [...document.querySelectorAll('table.tn[data-t] td')].map((c) => [...c.classList].sort().join(' '))"
    plain = opened(
        html.replace("choose(map.first);\n", "", 1).replace("script-src 'sha256-", "script-src 'sha256-0", 1)
    )
    assert script.page.evaluate(states) == plain.page.evaluate(states)


def test_what_lights_up_is_what_the_map_says(opened: Open, html: str) -> None:
    found, page = opened(html), page_map(html)
    cell(found, "Z", 3, 1).hover()
    z = page["tensors"]["Z"]
    n = z["at"] + 3 * z["shape"][2] + 1
    assert lit(found, "me") == {f"Z z 1 4 2: {page['values'][n]}".replace("-", "−")}
    wanted = {m for m in page["terms"][n] if m >= 0}
    count = found.page.evaluate("() => document.querySelectorAll('.strip td.s1').length")
    assert count == len(wanted)
    assert len(lit(found, "twin")) == 1


def test_the_panel_says_the_sum_and_where_it_goes(opened: Open, html: str) -> None:
    found = opened(html)
    cell(found, "Z", 0, 0).hover()
    panel = found.page.locator(".live .body")
    assert "Convolution, channel 1, row 1, column 1" in panel.inner_text()
    assert "Flows into" in panel.inner_text()
    product = found.page.locator(".live .tm[data-a]").first
    product.hover()
    assert found.page.locator("td.hot").count() >= 1
    cell(found, "H", 0, 0).hover()
    assert "max{" in panel.inner_text()
    assert found.page.locator("td.hot").count() == 0


def test_keys_move_the_chosen_number_and_a_table_is_one_stop(opened: Open, html: str) -> None:
    found = opened(html)
    cell(found, "H", 0, 0).click()
    found.page.keyboard.press("ArrowRight")
    assert lit(found, "me").pop().startswith("H h 1 1 2")
    found.page.keyboard.press("ArrowDown")
    found.page.keyboard.press("Home")
    assert lit(found, "me").pop().startswith("H h 1 2 1")
    found.page.keyboard.press("End")
    assert lit(found, "me").pop().startswith("H h 1 2 2")
    found.page.keyboard.press("ArrowRight")  # nothing further: it stays
    assert lit(found, "me").pop().startswith("H h 1 2 2")
    tables = "[...document.querySelectorAll('table.tn[data-t]')]"
    stops = f"() => {tables}.map((table) => table.querySelectorAll('[tabindex=\"0\"]').length)"
    assert set(found.page.evaluate(stops)) == {1}
    found.page.keyboard.press("Tab")
    assert (
        found.page.evaluate("() => document.activeElement.closest('table').dataset.t") != "H"
        or len(lit(found, "me")) == 1
    )


def test_a_tap_chooses_and_hovering_away_does_not_clear(opened: Open, html: str) -> None:
    found = opened(html, 390, 800, has_touch=True, is_mobile=True)
    target = cell(found, "A", 1, 1)
    target.scroll_into_view_if_needed()
    target.tap()
    chosen = lit(found, "me")
    assert chosen.pop().startswith("A a 1 2 2")
    found.page.mouse.move(5, 5)
    assert lit(found, "me")


def test_steps_that_speak_of_the_chosen_tensor_get_a_bar_and_references_open_proofs(opened: Open, html: str) -> None:
    found = opened(html)
    cell(found, "W", 0, 0).hover()
    assert found.page.locator("#T1.touch").count() == 1
    cell(found, "Z", 0, 0).hover()
    assert found.page.locator("#T1.touch").count() == 0
    found.page.evaluate("() => document.querySelectorAll('details').forEach((d) => { d.open = false; })")
    found.page.locator('a.ref[href="#1"]').first.click()
    assert found.page.locator("details.proof[open]").count() == 1


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_nothing_scrolls_sideways(opened: Open, html: str, width: int) -> None:
    found = opened(html, width, 900)
    assert found.page.evaluate("() => document.documentElement.scrollWidth") <= width
    for fold in found.page.locator("details").all():
        fold.evaluate("(d) => { d.open = true; }")
    assert found.page.evaluate("() => document.documentElement.scrollWidth") <= width


CONTRAST = """() => {
  const channel = (v) => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; };
  const parse = (text) => { const canvas = document.createElement('canvas').getContext('2d'); canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const luminance = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
  const ground = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c[3] > 0) return c; } return [255, 255, 255, 255]; };
  const bad = [];
  for (const e of document.querySelectorAll('table.tn td, .live *, .asked, .how, .why, .kl, .shape, .cap')) {
    if (!e.textContent.trim()) continue;
    const [a, b] = [luminance(parse(getComputedStyle(e).color)), luminance(ground(e))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) bad.push(`${e.tagName}.${e.className} ${e.textContent.slice(0, 20)}: ${ratio.toFixed(2)}`);
  }
  return [...new Set(bad)];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_number_can_be_read_in_every_lit_state(opened: Open, html: str, scheme: str) -> None:
    found = opened(html, color_scheme=scheme, reduced_motion="reduce")
    assert found.page.evaluate(CONTRAST) == []
    for tensor in ("X", "W", "Z", "A", "H", "V", "s", "dW", "G", "dX", "dA"):
        cell(found, tensor, 0, 0).hover()
        assert found.page.evaluate(CONTRAST) == [], tensor
    product = found.page.locator(".live .tm[data-a]").first
    if product.count():
        product.hover()
    assert found.page.evaluate(CONTRAST) == []


def test_in_print_every_proof_is_open_and_nothing_is_wider_than_the_page(opened: Open, html: str) -> None:
    found = opened(html, 718, 1000)
    found.page.emulate_media(media="print")
    assert found.page.evaluate("() => document.documentElement.scrollWidth") <= 718
    heights = found.page.evaluate(
        "() => [...document.querySelectorAll('details > .part')].map((d) => d.getBoundingClientRect().height)"
    )
    assert all(height > 5 for height in heights)
    assert len(found.page.pdf(format="A4", prefer_css_page_size=True)) < 3_000_000
