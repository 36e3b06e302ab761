"""Figures: what is drawn, read back from the shapes, against plain loops that know nothing of symconv's index map."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typeset import SVG, compile_latex, needs_latex

from symconv.errors import ArgumentError, GeometryError, NotSupportedError, SizeLimitError
from symconv.report.drawing.shapes import Caption, Dot, Glyph, Lines, Rectangle, Symbol
from symconv.report.figures import (
    DrawnAxis,
    glyph_map,
    gradient_figure,
    matrix_scene,
    touch_counts,
    touch_map,
    window_figure,
)
from symconv.report.scene import Scene


def windows(size: int, kernel: int, stride: int, dilation: int, before: int, after: int) -> list[list[int]]:
    """All windows of one axis by walking: the places that the taps read, padding included, counted from the input."""
    found = []
    start = -before
    while start + dilation * (kernel - 1) <= size + after - 1:
        found.append([start + dilation * tap for tap in range(kernel)])
        start += stride
    return found


@st.composite
def geometries(draw: st.DrawFn) -> tuple[DrawnAxis, list[list[int]]]:
    """An axis on which at least one window fits, with its windows."""
    size = draw(st.integers(1, 7))
    numbers = draw(
        st.tuples(
            st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.integers(-2, 3), st.integers(-2, 3)
        ).filter(lambda g: bool(windows(size, *g)))
    )
    return DrawnAxis(size, *numbers), windows(size, *numbers)


def planes() -> st.SearchStrategy[list[tuple[DrawnAxis, list[list[int]]]]]:
    return st.lists(geometries(), min_size=1, max_size=2)


def brute(
    plane: list[tuple[DrawnAxis, list[list[int]]]],
) -> dict[tuple[int, ...], list[tuple[tuple[int, ...], tuple[int, ...]]]]:
    """For every input entry all (output, tap) that read it."""
    touched: dict[tuple[int, ...], list[tuple[tuple[int, ...], tuple[int, ...]]]] = {
        entry: [] for entry in itertools.product(*(range(axis.size) for axis, _ in plane))
    }
    for output in itertools.product(*(range(len(found)) for _, found in plane)):
        for tap in itertools.product(*(range(axis.kernel) for axis, _ in plane)):
            entry = tuple(found[o][m] for (_, found), o, m in zip(plane, output, tap, strict=True))
            if entry in touched:
                touched[entry].append((output, tap))
    return touched


def cells(scene: Scene) -> dict[tuple[float, float], str | Symbol]:
    """The content of every labelled cell by its upper left corner (x, y)."""
    return {
        (round(item.x - 0.5, 6), round(item.y - 0.5, 6)): item.content
        for item in scene.items
        if isinstance(item, Caption)
    }


def tinted(scene: Scene, tone: str) -> list[tuple[float, float]]:
    """The upper left corners of the cells filled with a tone."""
    return [
        (round(item.x, 6), round(item.y, 6))
        for item in scene.items
        if isinstance(item, Rectangle) and item.fill is not None and item.fill.tone == tone
    ]


def outline(scene: Scene) -> Rectangle:
    (frame,) = [item for item in scene.items if isinstance(item, Rectangle) and item.fill is None]
    return frame


def struck(scene: Scene) -> set[tuple[int, int]]:
    """The cells (x, y) with a diagonal through them."""
    return {
        (int(x), int(y))
        for item in scene.items
        if isinstance(item, Lines)
        for x, _, x2, y in item.segments
        if item.stroke.tone == "zero" and x2 > x
    }


def indices(content: str | Symbol | None) -> tuple[int, ...]:
    assert isinstance(content, Symbol)
    return content.indices


# --- the counts -------------------------------------------------------------------------------------------------


@given(geometries())
def test_an_axis_counts_the_windows_that_fit(geometry: tuple[DrawnAxis, list[list[int]]]) -> None:
    axis, found = geometry
    assert axis.outputs == len(found)
    assert [list(axis.window(output)) for output in range(axis.outputs)] == found


@given(planes())
def test_touch_counts_are_what_plain_loops_count(plane: list[tuple[DrawnAxis, list[list[int]]]]) -> None:
    counts = touch_counts([axis for axis, _ in plane])
    for entry, readers in brute(plane).items():
        value: object = counts
        for index in entry:
            assert isinstance(value, tuple)
            value = value[index]
        assert value == len(readers)


def test_touch_counts_of_known_geometries() -> None:
    assert touch_counts([DrawnAxis(5, 3)]) == (1, 2, 3, 2, 1)
    assert touch_counts([DrawnAxis(5, 3, stride=2)] * 2)[2] == (2, 2, 4, 2, 2)
    assert touch_counts([DrawnAxis(6, 2, stride=3)]) == (1, 1, 0, 1, 1, 0)
    # A last window that hangs over the end (ceil_mode) reads what the floor formula leaves.
    assert touch_counts([DrawnAxis(6, 3, stride=2)]) == (1, 1, 2, 1, 1, 0)
    assert touch_counts([DrawnAxis(6, 3, stride=2, counted=3)]) == (1, 1, 2, 1, 2, 1)


@given(planes())
@settings(max_examples=40)
def test_touch_map_prints_the_counts_and_tints_them_by_size(plane: list[tuple[DrawnAxis, list[list[int]]]]) -> None:
    scene = touch_map([axis for axis, _ in plane])
    tints = {
        (item.x, item.y): item.fill.strength
        for item in scene.items
        if isinstance(item, Rectangle) and item.fill is not None
    }
    shown = cells(scene)
    by_count: dict[int, set[int]] = {}
    for entry, readers in brute(plane).items():
        corner = (float(entry[-1]), float(entry[0] if len(entry) == 2 else 0))
        assert shown[corner] == str(len(readers))
        by_count.setdefault(len(readers), set()).add(tints.get(corner, 0))
    assert all(len(strengths) == 1 for strengths in by_count.values())
    ordered = [by_count[count] for count in sorted(by_count)]
    assert all(min(low) < min(high) for low, high in itertools.pairwise(ordered))
    assert by_count.get(0, {0}) == {0}


# --- the window -------------------------------------------------------------------------------------------------


@given(planes(), st.data())
@settings(max_examples=80)
def test_window_figure_fills_what_the_output_reads(
    plane: list[tuple[DrawnAxis, list[list[int]]]], data: st.DataObject
) -> None:
    base = data.draw(st.sampled_from((0, 1)))
    at = tuple(data.draw(st.integers(0, len(found) - 1)) for _, found in plane)
    axes = [axis for axis, _ in plane]
    slid, kernel, output = window_figure(axes, at=[i + base for i in at], index_base=base)
    touched = brute(plane)

    filled = tinted(slid, "upstream-mid")
    content = cells(slid)
    read = {tuple(i - base for i in indices(content[corner])) for corner in filled}
    expected = {entry: tap for entry, readers in touched.items() for output_, tap in readers if output_ == at}
    assert read == set(expected)

    # Every filled entry lies under the tap that reads it, and the outline holds exactly the window.
    frame = outline(slid)
    steps = [axis.dilation for axis in axes]
    taps = [1, *steps] if len(axes) == 1 else steps
    names = cells(kernel)
    met = set()
    for x, y in filled:
        row, column = (y - frame.y) / taps[0], (x - frame.x) / taps[1]
        entry = tuple(i - base for i in indices(content[x, y]))
        assert tuple(i - base for i in indices(names[column, row])) == expected[entry]
        met.add((column, row))
    assert set(tinted(kernel, "kernel-mid")) == met
    assert frame.width == axes[-1].span
    assert frame.height == (axes[0].span if len(axes) == 2 else 1)

    # An entry that nothing reads is struck, no other.
    crossed = {tuple(i - base for i in indices(content[float(x), float(y)])) for x, y in struck(slid)}
    assert crossed == {entry for entry, readers in touched.items() if not readers}
    assert ("struck out" in slid.description) == bool(crossed)

    # The output holds one cell an output, and the one asked for is filled.
    results = cells(output)
    assert sorted(indices(symbol) for symbol in results.values()) == [
        tuple(i + base for i in place) for place in itertools.product(*(range(len(found)) for _, found in plane))
    ]
    (place,) = tinted(output, "ink")
    assert indices(results[place]) == tuple(i + base for i in at)


def test_padding_is_drawn_as_zeros_or_hatched_where_no_value_is_known() -> None:
    axes = [DrawnAxis(3, 2, before=1, after=2)]
    zeros, _, _ = window_figure(axes, at=(1,))
    assert [cells(zeros)[x, 0.0] for x in (0.0, 4.0, 5.0)] == ["0", "0", "0"]
    hatched, _, _ = window_figure(axes, at=(1,), padding_label="")
    assert sorted(cells(hatched)) == [(1.0, 0.0), (2.0, 0.0), (3.0, 0.0)]
    (hatching,) = [item for item in hatched.items if isinstance(item, Lines) and item.stroke.weight == "faint"]
    assert {int(segment[0]) for segment in hatching.segments} == {0, 4, 5}


def test_a_window_that_hangs_over_the_padding_is_drawn_dashed() -> None:
    slid, _, _ = window_figure([DrawnAxis(5, 2, stride=2, counted=3)], at=(3,))
    assert slid.width == 6
    frame = outline(slid)
    assert (frame.x, frame.width) == (4, 2)
    assert (5.0, 0.0) not in cells(slid)
    (dashed,) = [item for item in slid.items if isinstance(item, Lines) and item.stroke.pattern == "dashed"]
    # The three free sides of the cell beyond the padding; the one it shares with the input is solid.
    assert sorted(dashed.segments) == [(5, 0, 6, 0), (5, 1, 6, 1), (6, 0, 6, 1)]


def test_letters_and_index_origin_are_the_callers() -> None:
    names = {"input": "x", "weight": "w", "output": "y"}
    slid, kernel, output = window_figure([DrawnAxis(12, 3), DrawnAxis(3, 2)], at=(0, 1), names=names, index_base=0)
    assert cells(slid)[0.0, 0.0] == Symbol("x", (0, 0))
    assert cells(slid)[2.0, 11.0] == Symbol("x", (11, 2))
    assert cells(kernel)[1.0, 2.0] == Symbol("w", (2, 1))
    assert cells(output)[1.0, 0.0] == Symbol("y", (0, 1))
    assert "y" in output.title


# --- the gradient -----------------------------------------------------------------------------------------------


@given(planes(), st.data())
@settings(max_examples=80)
def test_gradient_figure_pairs_the_outputs_and_the_weights_of_an_entry(
    plane: list[tuple[DrawnAxis, list[list[int]]]], data: st.DataObject
) -> None:
    """Reading the picture as a correlation must give sum g_o b_m over all (o, m) that read the entry."""
    axes = [axis for axis, _ in plane]
    at = tuple(data.draw(st.integers(0, axis.size - 1)) for axis in axes)
    slid, kernel, result = gradient_figure(axes, at=at, index_base=0)
    frame = outline(slid)
    steps = [1, *(axis.dilation for axis in axes)][-2:] if len(axes) == 1 else [axis.dilation for axis in axes]
    content, taps = cells(slid), cells(kernel)
    terms, met = [], []
    for (column, row), weight in taps.items():
        value = content[frame.x + steps[1] * column, frame.y + steps[0] * row]
        if value != "0":
            terms.append((indices(value), indices(weight)))
            met.append((column, row))
    assert sorted(terms) == sorted(brute(plane)[at])
    assert sorted(tinted(kernel, "kernel-mid")) == sorted(met)
    assert len(tinted(slid, "upstream-mid")) == len(terms)
    (place,) = tinted(result, "ink")
    assert cells(result)[place] == Symbol("", at)
    assert (result.width, result.height) == (axes[-1].size, axes[0].size if len(axes) == 2 else 1)


def test_the_full_correlation_of_the_textbook() -> None:
    """5 by 5, kernel 3 by 3: padding 2, entry (2, 4) over rows 2 to 4 and columns 4 to 6 of the padded array."""
    slid, kernel, result = gradient_figure([DrawnAxis(5, 3), DrawnAxis(5, 3)], at=(2, 4))
    assert (slid.width, slid.height) == (7, 7)
    frame = outline(slid)
    assert (frame.x, frame.y, frame.width, frame.height) == (3, 1, 3, 3)
    assert {cells(slid)[corner] for corner in tinted(slid, "upstream-mid")} == {
        Symbol("g", (1, 2)),
        Symbol("g", (1, 3)),
        Symbol("g", (2, 2)),
        Symbol("g", (2, 3)),
    }
    assert cells(kernel)[0.0, 0.0] == Symbol("b", (3, 3))
    assert tinted(result, "ink") == [(3.0, 1.0)]


def test_a_negative_padding_crops_the_upstream_gradient() -> None:
    # Kernel 1 with padding 2: the outputs over the padding never reach an entry of the input.
    slid, _, result = gradient_figure([DrawnAxis(3, 1, before=2, after=1)], at=(1,))
    assert [cells(slid)[float(x), 0.0] for x in range(6)] == [Symbol("g", (x + 1,)) for x in range(6)]
    assert struck(slid) == {(0, 0), (1, 0), (5, 0)}
    assert outline(slid).x == 2
    assert "-2 before and -1 after (a negative padding crops)" in slid.description
    assert result.width == 3


def test_stride_puts_zeros_between_the_upstream_entries() -> None:
    slid, _, _ = gradient_figure([DrawnAxis(7, 3, stride=2)], at=(3,))
    row = [cells(slid)[float(x), 0.0] for x in range(9)]
    assert row == ["0", "0", Symbol("g", (1,)), "0", Symbol("g", (2,)), "0", Symbol("g", (3,)), "0", "0"]


# --- the small multiples ----------------------------------------------------------------------------------------


@given(planes(), st.data())
@settings(max_examples=60)
def test_glyph_map_fills_the_weights_that_reach_an_entry(
    plane: list[tuple[DrawnAxis, list[list[int]]]], data: st.DataObject
) -> None:
    axes = [axis for axis, _ in plane]
    at = tuple(data.draw(st.integers(0, axis.size - 1)) for axis in axes)
    scene = glyph_map(axes, at=at, index_base=0)
    touched = brute(plane)
    glyphs = [item for item in scene.items if isinstance(item, Glyph)]
    assert len(glyphs) == len(touched)
    for glyph in glyphs:
        entry = (int(glyph.y), int(glyph.x))[-len(axes) :]
        expected = {((0, *tap)[-2:]) for _, tap in touched[entry]}
        assert set(glyph.on) == expected
        assert int(glyph.x) < glyph.x + glyph.width < int(glyph.x) + 1
    frame = outline(scene)
    assert (frame.y, frame.x) == (0, *at)[-2:]


# --- any array --------------------------------------------------------------------------------------------------


def test_matrix_scene_draws_entries_zeros_and_frames() -> None:
    rows = [[(1, 1), (1, 2)], [0, -3], ["x", None]]
    scene = matrix_scene(
        rows,
        title="Any",
        role="kernel",
        letter="b",
        highlight=[(0, 1)],
        pad=((1, 0), (2, 1)),
        window=(-1, -1, 2, 2),
        window_role="upstream",
        framed=True,
    )
    assert (scene.width, scene.height) == (5, 4)
    content = cells(scene)
    assert content[2.0, 1.0] == Symbol("b", (1, 1))
    assert (content[2.0, 2.0], content[3.0, 2.0], content[2.0, 3.0]) == ("0", "−3", "x")
    assert (3.0, 3.0) not in content
    assert sum(value == "0" for value in content.values()) == 5 * 4 - 6 + 1
    assert tinted(scene, "kernel-mid") == [(3.0, 1.0)]
    frames = [item for item in scene.items if isinstance(item, Rectangle) and item.stroke is not None]
    assert [(f.x, f.y, f.width, f.height, f.stroke and f.stroke.tone) for f in frames] == [
        (2, 1, 2, 3, "kernel"),
        (1, 0, 2, 2, "upstream"),
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": []}, r"^rows must hold rows of one length >= 1, got \[\]$"),
        ({"rows": [[1], [1, 2]]}, r"^rows must hold rows of one length >= 1, got \[1, 2\]$"),
        ({"pad": ((0, -1), (0, 0))}, r"^pad must be two pairs"),
        ({"rows": [[(1, 2)]]}, r"^letter must name the array"),
    ],
)
def test_matrix_scene_refuses_what_is_no_array(changes: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {"rows": [[1]], "title": "t", **changes}
    with pytest.raises(ArgumentError, match=message):
        matrix_scene(**arguments)  # type: ignore[arg-type]


# --- large ------------------------------------------------------------------------------------------------------


def test_a_large_scene_is_cropped_around_the_window_and_says_so() -> None:
    slid, kernel, output = window_figure([DrawnAxis(224, 7, 2, 1, 3, 3)] * 2, at=(50, 1))
    assert "cropped to 9 of 230 rows and 9 of 230 columns" in slid.description
    assert "cropped" not in kernel.description
    content = {symbol for symbol in cells(slid).values() if isinstance(symbol, Symbol)}
    assert {Symbol("a", (row, column)) for row in range(96, 103) for column in range(1, 5)} <= content
    # Nothing lies before the first padding column; the picture goes on at the three other sides.
    dots = [(round(item.x, 2), round(item.y, 2)) for item in slid.items if isinstance(item, Dot)]
    assert len(dots) == 9
    assert outline(slid).x == 0
    assert {Symbol("c", (50, 1))} == {cells(output)[corner] for corner in tinted(output, "ink")}


def test_a_cropped_grid_stays_open_where_it_goes_on() -> None:
    # Column 1 of 100 is the first, so the picture ends with a line on the left and runs on to the right.
    scene = touch_map([DrawnAxis(100, 3)])
    (grid,) = [item for item in scene.items if isinstance(item, Lines)]
    assert {segment for segment in grid.segments if segment[1] == segment[3]} == {(0, 0, 9.35, 0), (0, 1, 9.35, 1)}
    inner = touch_map([DrawnAxis(100, 3)], around=(50,))
    (grid,) = [item for item in inner.items if isinstance(item, Lines)]
    assert {segment[0] for segment in grid.segments if segment[1] == segment[3]} == {0.35}


def test_a_grid_of_a_thousand_cells_is_whole_and_one_more_row_is_not() -> None:
    # 25 x 40 = 1000.
    assert "cropped" not in touch_map([DrawnAxis(25, 3), DrawnAxis(40, 3)]).description
    assert "cropped to 9 of 26 rows and 9 of 40 columns" in touch_map([DrawnAxis(26, 3), DrawnAxis(40, 3)]).description


def test_a_window_larger_than_the_picture_runs_open_into_the_gap() -> None:
    slid, kernel, _ = window_figure([DrawnAxis(100, 64), DrawnAxis(100, 3)], at=(5, 5))
    assert not [item for item in slid.items if isinstance(item, Rectangle) and item.fill is None]
    (frame,) = [item for item in slid.items if isinstance(item, Lines) and item.stroke.weight == "bold"]
    assert len(frame.segments) == 3
    assert "9 of 64 rows" in kernel.description


def test_sizes_far_beyond_drawing_cost_nothing() -> None:
    slid, _, _ = window_figure([DrawnAxis(10**9, 3), DrawnAxis(10**9, 3)], at=(10**8, 7))
    assert len(slid.items) < 2000
    with pytest.raises(SizeLimitError, match=r"^2000 x 2000 counts are more than 1000000"):
        touch_counts([DrawnAxis(2000, 3)] * 2)


@pytest.mark.parametrize(
    "axes",
    [
        [DrawnAxis(5, 3)] * 2,
        [DrawnAxis(31, 3)] * 2,
        [DrawnAxis(224, 3)] * 2,
        [DrawnAxis(24, 3)],
        [DrawnAxis(500, 5)],
        [DrawnAxis(1, 1)],
    ],
)
def test_no_scene_is_wider_than_its_column(axes: list[DrawnAxis]) -> None:
    at = (1,) * len(axes)
    figures = (window_figure(axes, at=at), gradient_figure(axes, at=at), (touch_map(axes),), (glyph_map(axes, at=at),))
    for scene in itertools.chain(*figures):
        assert scene.width * scene.cell_px <= 420
        assert scene.width * scene.cell_mm <= 95
    for figure in figures[:2]:
        assert len({(scene.cell_px, scene.cell_mm) for scene in figure}) == 1
        # All the cells of a figure beside its caption or, for the sake of their entries, above it.
        assert sum(scene.width * scene.cell_px for scene in figure) <= 860
        assert sum(scene.width * scene.cell_mm for scene in figure) <= 146


def test_a_small_figure_stands_beside_its_caption() -> None:
    figure = gradient_figure([DrawnAxis(5, 3)] * 2, at=(2, 4))
    assert {(scene.cell_px, scene.cell_mm) for scene in figure} == {(22, 4.55)}
    assert sum(scene.width * scene.cell_mm for scene in figure) <= 84


def test_a_figure_shrinks_to_the_room_beside_its_caption_before_it_moves_above_it() -> None:
    # 23 cells would take 105 mm at their full size; at 3.65 mm their entries can still be read.
    figure = gradient_figure([DrawnAxis(9, 3, 2, 1, 1, 1)], at=(3,))
    assert {scene.cell_mm for scene in figure} == {3.65}


def test_entries_that_could_not_be_read_are_left_out_and_that_is_said() -> None:
    slid, _, output = window_figure([DrawnAxis(31, 3)] * 2, at=(1, 1))
    assert not cells(slid)
    assert slid.description.endswith("The cells are too small for their entries, which are left out.")
    assert tinted(output, "ink") == [(0.0, 0.0)]


# --- refusals ---------------------------------------------------------------------------------------------------


def test_impossible_geometry_names_its_numbers() -> None:
    with pytest.raises(GeometryError, match=r"dilation 2 spans 5 .* 0 \+ 3 \+ 1 = 4, got 3; add padding"):
        DrawnAxis(3, 3, dilation=2, after=1)
    with pytest.raises(ArgumentError, match=r"^stride must be >= 1, got 0$"):
        DrawnAxis(3, 3, stride=0)
    with pytest.raises(ArgumentError, match=r"^counted must be >= 1 output, got 0$"):
        DrawnAxis(3, 3, counted=0)


@pytest.mark.parametrize("at", [(0, 1), (4, 1), (1, 5), (1,), (1, 1, 1)])
def test_an_output_that_does_not_exist_is_refused(at: tuple[int, ...]) -> None:
    with pytest.raises(GeometryError, match=r"^at must be the index of an output, from \(1, 1\) to \(3, 4\), got "):
        window_figure([DrawnAxis(5, 3), DrawnAxis(6, 3)], at=at)


def test_an_input_entry_that_does_not_exist_is_refused() -> None:
    for draw in (gradient_figure, glyph_map):
        with pytest.raises(GeometryError, match=r"^at must be the index of an input entry, from 0 to 4, got \(5,\)$"):
            draw([DrawnAxis(5, 3)], at=(5,), index_base=0)


def test_three_axes_are_not_drawn() -> None:
    axes = [DrawnAxis(3, 1)] * 3
    for act in (
        lambda: window_figure(axes, at=(1, 1, 1)),
        lambda: gradient_figure(axes, at=(1, 1, 1)),
        lambda: touch_map(axes),
        lambda: touch_counts(axes),
        lambda: glyph_map(axes, at=(1, 1, 1)),
    ):
        with pytest.raises(NotSupportedError, match=r"1 or 2 spatial axes, got 3"):
            act()
    with pytest.raises(ArgumentError, match=r"^axes must hold one axis or two"):
        touch_counts([])


def test_unknown_letters_and_origins_are_refused() -> None:
    with pytest.raises(ArgumentError, match=r"^names must be among input, weight, output, upstream, got \['bias'\]$"):
        touch_map([DrawnAxis(5, 3)], names={"bias": "d"})
    with pytest.raises(ArgumentError, match=r"^index_base must be 0 or 1, got 2$"):
        touch_map([DrawnAxis(5, 3)], index_base=2)


def test_a_glyph_of_too_many_taps_points_to_the_touch_map() -> None:
    with pytest.raises(SizeLimitError, match=r"81 taps, more than the 64 .* draw touch_map"):
        glyph_map([DrawnAxis(20, 9)] * 2, at=(1, 1))


# --- the writers ------------------------------------------------------------------------------------------------


def gallery() -> list[Scene]:
    uneven = [DrawnAxis(7, 3, 2, 1, 1, 0), DrawnAxis(6, 2, 1, 2, 0, 2)]
    line = [DrawnAxis(9, 3, 2, 1, 1, 1)]
    pooled = [DrawnAxis(6, 3, 2, 1, 1, 1, 4)] * 2
    return [
        *window_figure(uneven, at=(1, 5)),
        *gradient_figure(uneven, at=(3, 4)),
        *window_figure(pooled, at=(4, 4), padding_label=""),
        *window_figure(line, at=(3,)),
        *gradient_figure(line, at=(3,)),
        *window_figure([DrawnAxis(224, 64)] * 2, at=(9, 9)),
        touch_map(uneven),
        touch_map(line),
        glyph_map(uneven, at=(3, 4)),
        glyph_map(line, at=(3,)),
        matrix_scene([[1, -2], [0, "x"]], title="Any"),
    ]


def test_every_figure_is_well_formed_svg() -> None:
    for scene in gallery():
        root = ET.fromstring(scene.svg("f"))
        assert root.findtext(SVG + "title") == scene.title
        assert scene.description.endswith(".")


@needs_latex
def test_every_figure_compiles(tmp_path: Path) -> None:
    log = compile_latex([scene.tikz() for scene in gallery()], tmp_path)
    assert "Missing character" not in log
    assert "Dimension too large" not in log
