"""The picture: a bar a workload on a logarithmic axis, to the right of the line at 1 where ours is faster; as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

from symconv.bench.records import Result
from symconv.bench.session import Report
from symconv.bench.table import headings, missed, verdict

__all__ = ["ratio_plot"]

LEFT, PLOT, RIGHT = 270, 470, 250
ROW, BAR, TOP, FOOT = 19, 11, 104, 46
FASTER, SLOWER, BAD, INK, FAINT, GRID = "#1b7f5c", "#c2703d", "#b3202a", "#1f2328", "#5b636d", "#dfe3e8"
TICKS = (1, 2, 5)
DECADE = 85
"""How wide a power of ten must be to take three numbers."""

NARROWEST, WIDEST = 1e-3, 1e4
"""Ratios beyond these are drawn at the edge; the number beside the bar is the true one."""


def ratio_plot(report: Report) -> str:
    """The ratios of all results that were compared with a peer, as a complete SVG file.

    A bar is the median, the thin line on it the quartiles, the short upright line the mark.
    """
    rows = [result for result in report.results if result.peers]
    low, high = _limits(rows)
    scale = _Scale(low, high)
    lines = _layout(rows)
    bottom = TOP + len(lines) * ROW
    width, height = LEFT + PLOT + RIGHT, bottom + FOOT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" font-family="system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif" '
        f'font-size="12" fill="{INK}">',
        "<title>symconv against its peers: time of the best peer by ours</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        _text(16, 26, "symconv against its peers: time of the best peer / ours", size=16, weight="600"),
        *(_text(16, 45 + 15 * n, line, size=11, fill=FAINT) for n, line in enumerate(headings(report)[:3])),
        *_axis(scale, bottom),
    ]
    for number, line in enumerate(lines):
        middle = TOP + number * ROW + ROW / 2
        if isinstance(line, str):
            parts.append(_text(16, middle + 4, line, weight="600"))
        else:
            parts += _row(line, middle, scale)
    one = scale(1)
    parts.append(f'<line x1="{one}" y1="{TOP - 4}" x2="{one}" y2="{bottom}" stroke="{INK}" stroke-width="1.3"/>')
    parts.append(_legend(bottom + 34))
    return "\n".join([*parts, "</svg>"]) + "\n"


class _Scale:
    """From a ratio to a position."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def __call__(self, ratio: float) -> float:
        inside = min(max(ratio, self.low), self.high)
        share = math.log(inside / self.low) / math.log(self.high / self.low)
        return round(LEFT + PLOT * share, 1)

    def ticks(self) -> list[tuple[float, bool]]:
        """1, 2, 5 of every power of ten, and whether there is room for the number; there always is for the powers."""
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        every = [(step * 10.0**power, step == 1) for power in range(first, last + 1) for step in TICKS]
        room = PLOT / math.log10(self.high / self.low) >= DECADE
        return [(tick, power or room) for tick, power in every if self.low * 0.999 <= tick <= self.high * 1.001]


def _limits(rows: Sequence[Result]) -> tuple[float, float]:
    """The range of the axis: every bar and mark, and 1 with room on both sides."""
    values = [0.5, 2.0]
    for result in rows:
        best = result.best
        if best is not None and best.ratio is not None:
            values += [best.ratio.low, best.ratio.high]
        if result.mark is not None and result.mark.kind == "ratio":
            values.append(result.mark.value)
    return max(min(values) / 1.15, NARROWEST), min(max(values) * 1.15, WIDEST)


def _layout(rows: Sequence[Result]) -> list[str | Result]:
    """The rows with a heading before each group, and an empty line between groups."""
    lines: list[str | Result] = []
    for number, result in enumerate(rows):
        if number == 0 or rows[number - 1].group != result.group:
            lines += [result.group] if not lines else ["", result.group]
        lines.append(result)
    return lines


def _axis(scale: _Scale, bottom: float) -> list[str]:
    parts = []
    for tick, numbered in scale.ticks():
        x = scale(tick)
        parts.append(f'<line x1="{x}" y1="{TOP - 4}" x2="{x}" y2="{bottom}" stroke="{GRID}"/>')
        for y in (TOP - 9, bottom + 14) if numbered else ():
            parts.append(_text(x, y, f"{tick:g}", size=11, fill=FAINT, anchor="middle"))
    return parts


def _row(result: Result, middle: float, scale: _Scale) -> list[str]:
    parts = [f"<g><title>{escape(result.what)}</title>{_text(28, middle + 4, result.name)}</g>"]
    beside = LEFT + PLOT + 12
    best = result.best
    if best is None or best.ratio is None:
        word = verdict(result) or "not measured"
        bad = result.status in ("wrong", "failed")
        return [*parts, _text(beside, middle + 4, word, fill=BAD if bad else FAINT, weight="600" if bad else "400")]
    ratio = best.ratio
    left, right = sorted((scale(1), scale(ratio.median)))
    colour = FASTER if ratio.median >= 1 else SLOWER
    parts.append(
        f'<rect x="{left}" y="{middle - BAR / 2}" width="{max(right - left, 1):.1f}" height="{BAR}" fill="{colour}"/>'
    )
    parts.append(
        f'<line x1="{scale(ratio.low)}" y1="{middle}" x2="{scale(ratio.high)}" y2="{middle}" stroke="{INK}" '
        'stroke-width="1.2"/>'
    )
    if result.mark is not None and result.mark.kind == "ratio":
        x = scale(result.mark.value)
        parts.append(
            f'<line x1="{x}" y1="{middle - ROW / 2 + 1}" x2="{x}" y2="{middle + ROW / 2 - 1}" stroke="{BAD}" '
            'stroke-width="2"/>'
        )
    shown = f"{ratio.median:.2f}" if ratio.median < 100 else f"{ratio.median:.0f}"
    parts.append(_text(beside + 34, middle + 4, shown, weight="600", anchor="end"))
    parts.append(_text(beside + 44, middle + 4, best.name, fill=FAINT))
    if result.met is False:
        parts.append(_text(beside + 228, middle + 4, missed(result.mark), fill=BAD, anchor="end"))
    return parts


def _legend(y: float) -> str:
    keys = ((FASTER, "ours is faster"), (SLOWER, "the peer is faster"))
    parts, x = [], LEFT
    for colour, words in keys:
        parts.append(f'<rect x="{x}" y="{y - 9}" width="{BAR}" height="{BAR}" fill="{colour}"/>')
        parts.append(_text(x + 17, y, words, size=11))
        x += 130
    parts.append(f'<line x1="{x}" y1="{y - 4}" x2="{x + 18}" y2="{y - 4}" stroke="{INK}" stroke-width="1.2"/>')
    parts.append(_text(x + 24, y, "quartiles", size=11))
    parts.append(f'<line x1="{x + 95}" y1="{y - 11}" x2="{x + 95}" y2="{y + 3}" stroke="{BAD}" stroke-width="2"/>')
    parts.append(_text(x + 102, y, "mark", size=11))
    return "\n".join(parts)


def _text(
    x: float, y: float, words: str, *, size: int = 12, fill: str = INK, weight: str = "400", anchor: str = "start"
) -> str:
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" fill="{fill}" font-weight="{weight}" '
        f'text-anchor="{anchor}">{escape(words)}</text>'
    )
