"""Figures of layers: what is drawn is what plain loops read, nothing overlaps, and files are what they say.

The loops import nothing of symconv; the figures are read through their own description, as a program would.
"""

from __future__ import annotations

import html
import json
import re
import time
from itertools import combinations, product
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symconv as sc
from symconv.report.drawing.shapes import PALETTE

ROOT = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"


def window(o: int, k: int, s: int, d: int, before: int) -> list[int]:
    return [s * o + d * m - before for m in range(k)]


def outputs(n: int, k: int, s: int, d: int, before: int, after: int) -> int:
    count, start = 0, -before
    while start + d * (k - 1) < n + after:
        count, start = count + 1, start + s
    return count


AXIS = st.tuples(
    st.integers(1, 7), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2), st.integers(0, 2)
).filter(lambda axis: outputs(*axis) > 0)


def plates(figure: sc.Figure, role: str) -> list[dict]:
    return [plate for plate in figure.description["frames"][0]["plates"] if plate["role"] == role]


def at_home(place: object) -> tuple[int, ...]:
    return (place,) if isinstance(place, int) else tuple(place)  # type: ignore[arg-type]


def states(plate: dict) -> dict[tuple[int, ...], str]:
    return {at_home(place): state for state, places in plate["states"].items() for place in places}


def check_apart(figure: sc.Figure) -> None:
    """No plate or heading lies on another, and all lie in the picture."""
    for sheet in figure.sheets:
        boxes = [*sheet.boxes, *sheet.headings]
        assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]
        for box in boxes:
            assert box.x >= -1e-9
            assert box.x + box.width <= sheet.scene.width + 1e-9
            assert box.y + box.height <= sheet.scene.height + 1e-9


@given(st.lists(AXIS, min_size=1, max_size=2), st.booleans(), st.data())
@settings(max_examples=200, deadline=None)
def test_the_window_of_a_convolution_is_that_of_loops(
    axes: list[tuple[int, ...]], flip: bool, data: st.DataObject
) -> None:
    sizes, kernel, stride, dilation = (tuple(axis[part] for axis in axes) for part in range(4))
    op = sc.Conv(kernel, stride, [axis[4:] for axis in axes], dilation, flip=flip)
    counts = [outputs(*axis) for axis in axes]
    at = tuple(data.draw(st.integers(0, count - 1)) for count in counts)
    figure = sc.figure(op, input_size=sizes, at=at)
    check_apart(figure)
    lines = [window(o, k, s, d, before) for o, (_, k, s, d, before, _) in zip(at, axes, strict=True)]
    inside = [[place for place in line if 0 <= place < n] for line, n in zip(lines, sizes, strict=True)]
    read_by_any = [
        {place for o in range(count) for place in window(o, k, s, d, before)}
        for count, (_, k, s, d, before, _) in zip(counts, axes, strict=True)
    ]
    (plate,) = plates(figure, "input")
    drawn = states(plate)
    assert {place for place, state in drawn.items() if state == "read"} == set(product(*inside))
    assert {p for p, state in drawn.items() if state in ("read", "padding read")} == set(product(*lines))
    entries = set(product(*map(range, sizes)))
    assert {p for p, state in drawn.items() if state == "unread"} == entries - set(product(*read_by_any))
    assert {p for p, state in drawn.items() if state in ("read", "idle", "unread")} == entries
    frame = [(line[0], line[-1] - line[0] + 1) for line in lines]
    assert plate["frames"] == [[frame[0][0], *(f[0] for f in frame[1:]), frame[0][1], *(f[1] for f in frame[1:])]]
    expected = [
        {
            "input": list(place) if all(0 <= p < n for p, n in zip(place, sizes, strict=True)) else None,
            "weight": [k - 1 - m if flip else m for m, k in zip(taps, kernel, strict=True)],
        }
        for taps in product(*map(range, kernel))
        for place in [tuple(line[m] for line, m in zip(lines, taps, strict=True))]
    ]
    found = figure.description["frames"][0]["reads"]
    assert sorted(found, key=str) == sorted(expected, key=str)


@given(st.lists(AXIS, min_size=1, max_size=2), st.data())
@settings(max_examples=60, deadline=None)
def test_the_stretched_input_of_a_transposed_convolution(axes: list[tuple[int, ...]], data: st.DataObject) -> None:
    sizes, kernel, stride, dilation = (tuple(axis[part] for axis in axes) for part in range(4))
    cut = [(min(before, d * (k - 1)), 0) for _, k, _, d, before, _ in axes]
    op = sc.ConvTranspose(kernel, stride, cut, 0, dilation)
    counts = [s * (n - 1) + d * (k - 1) + 1 - p for (n, k, s, d, _, _), (p, _) in zip(axes, cut, strict=True)]
    if min(counts) < 1:
        return
    at = tuple(data.draw(st.integers(0, count - 1)) for count in counts)
    figure = sc.figure(op, input_size=sizes, at=at)
    check_apart(figure)
    reached = set()  # every input hands its value on
    for i in product(*map(range, sizes)):
        for m in product(*map(range, kernel)):
            if all(
                s * x + d * t - p == o for s, x, d, t, (p, _), o in zip(stride, i, dilation, m, cut, at, strict=True)
            ):
                reached.add((i, m))
    (plate,) = plates(figure, "input")
    drawn = {place for place, state in states(plate).items() if state == "read"}
    assert drawn == {tuple(s * x for s, x in zip(stride, i, strict=True)) for i, _ in reached}
    lines = [[o + p - d * m for m in range(k)] for o, (p, _), d, k in zip(at, cut, dilation, kernel, strict=True)]
    under = {place for place, state in states(plate).items() if state in ("read", "gap read", "padding read")}
    assert under == set(product(*lines))
    found = {(tuple(read["input"]), tuple(read["weight"])) for read in figure.description["frames"][0]["reads"]}
    assert found == reached


@given(st.lists(AXIS, min_size=1, max_size=2), st.data())
@settings(max_examples=60, deadline=None)
def test_backward_and_counts_are_those_of_loops(axes: list[tuple[int, ...]], data: st.DataObject) -> None:
    sizes = tuple(axis[0] for axis in axes)
    op = sc.Conv(*(tuple(a[p] for a in axes) for p in (1, 2)), [a[4:] for a in axes], tuple(a[3] for a in axes))
    entry = tuple(data.draw(st.integers(0, n - 1)) for n in sizes)
    readers: dict[tuple[int, ...], set] = {}
    for o in product(*(range(outputs(*axis)) for axis in axes)):
        lines = [window(i, k, s, d, before) for i, (_, k, s, d, before, _) in zip(o, axes, strict=True)]
        for m in product(*(range(len(line)) for line in lines)):
            readers.setdefault(tuple(line[t] for line, t in zip(lines, m, strict=True)), set()).add((o, m))
    back = sc.figure(op, "backward", input_size=sizes, at=entry)
    check_apart(back)
    by = back.description["frames"][0]["read by"]
    assert {(tuple(one["output"]), tuple(one["weight"])) for one in by} == readers.get(entry, set())
    touching = {place for place, state in states(plates(back, "output")[0]).items() if state == "touching"}
    assert touching == {o for o, _ in readers.get(entry, set())}
    counts = sc.figure(op, "multiplicity", input_size=sizes)
    check_apart(counts)
    for one in counts.description["frames"][0]["counts"]:
        assert one["outputs"] == len({o for o, _ in readers.get(tuple(one["input"]), set())})


def test_poolings_read_what_loops_read() -> None:
    figure = sc.figure(sc.MaxPool((3,), 2, 1, ceil_mode=True), input_size=6, at=3)
    assert [read["input"] for read in figure.description["frames"][0]["reads"]] == [[5]]
    (plate,) = plates(figure, "input")
    assert plate["frames"] == [[5, 3]]  # over the padding, and beyond it
    assert states(plate)[(7,)] == "absent"
    adaptive = sc.figure(sc.AdaptiveAvgPool((3,)), input_size=7, at=1)
    assert [read["input"] for read in adaptive.description["frames"][0]["reads"]] == [[2], [3], [4]]


def test_groups_read_their_own_channels() -> None:
    figure = sc.figure(sc.Conv(3, padding=1, in_channels=4, out_channels=4, groups=2), input_size=(4, 4), at=(2, 1, 1))
    check_apart(figure)
    read = {plate["channel"][0]: "read" in plate["states"] for plate in plates(figure, "input")}
    assert read == {0: False, 1: False, 2: True, 3: True}
    assert [plate["channel"] for plate in plates(figure, "weight")] == [[2, 0], [2, 1]]


def test_padding_by_reflection_shows_what_is_copied() -> None:
    figure = sc.figure(sc.Conv((3,), padding=2, padding_mode="reflect"), input_size=4, at=0)
    tiles = figure.sheets[0].plates[0].tiles
    assert [tiles[0, place].content.indices for place in (-2, -1, 4, 5)] == [(2,), (1,), (2,), (1,)]
    assert [read["input"] for read in figure.description["frames"][0]["reads"]] == [[2], [1], [0]]


def test_the_matrix_is_that_of_loops() -> None:
    figure = sc.figure(sc.Conv(2, stride=2, padding=1), "matrix", input_size=(3, 4))
    expected = []
    for p, q in product(range(2), range(3)):
        for m, n in product(range(2), range(2)):
            i, j = 2 * p + m - 1, 2 * q + n - 1
            if 0 <= i < 3 and 0 <= j < 4:
                expected.append({"row": 3 * p + q, "column": 4 * i + j, "weights": [[m, n]]})
    found = figure.description["frames"][0]["entries"]
    assert found == sorted(expected, key=lambda one: (one["row"], one["column"]))


@pytest.mark.parametrize(("ties", "winners"), [("first", [[0], [2]]), ("split", [[0], [1], [2]])])
def test_the_winners_follow_the_ties(ties: str, winners: list[list[int]]) -> None:
    figure = sc.figure(sc.MaxPool((2,), ties=ties), "winners", input_size=4, data=[3, 3, 5, 1])
    assert [one["input"] for one in figure.description["frames"][0]["winners"]] == winners
    assert {p for p, s in states(plates(figure, "input")[0]).items() if s == "winner"} == {tuple(w) for w in winners}


def test_numbers_stand_in_the_cells() -> None:
    figure = sc.figure(sc.Conv((2,)), input_size=3, at=0, data=[1, 2, 4], weight=[1, -1])
    texts = {plate.role: [tile.content for _, tile in sorted(plate.tiles.items())] for plate in figure.sheets[0].plates}
    assert texts == {
        "input": ["1", "2", "4"],
        "weight": ["1", "\N{MINUS SIGN}1"],
        "output": ["\N{MINUS SIGN}1", "\N{MINUS SIGN}2"],
    }


def test_every_window_and_an_animation_have_a_picture_for_every_output() -> None:
    op = sc.Conv(3, stride=2, padding=1)
    sheet = sc.figure(op, input_size=(5, 5), at="all")
    check_apart(sheet)
    assert len(sheet.sheets[0].plates) == 9
    film = sc.figure(op, input_size=(5, 5), animate=True)
    assert [frame["output"] for frame in film.description["frames"]] == [list(o) for o in product(range(3), range(3))]
    tree = ElementTree.fromstring(film.svg())
    assert len(tree.findall(f"{SVG}g")) == 9
    assert "<script" not in film.svg()


def test_the_file_holds_its_description_and_words_and_follows_the_colours_of_the_reader() -> None:
    figure = sc.figure(sc.Conv(3, padding=1), input_size=(4, 4), at=(0, 0), names={"input": "x"})
    text = figure.svg()
    tree = ElementTree.fromstring(text)
    assert json.loads(tree.findtext(f"{SVG}metadata") or "") == figure.description
    assert tree.findtext(f"{SVG}title") == figure.title
    assert "x[0, 0], x[0, 1], x[1, 0], x[1, 1], and 5 in the padding" in html.unescape(text)
    assert "prefers-color-scheme:dark" in text
    assert "prefers-color-scheme" not in figure.svg("dark")
    assert not re.search(r"(href|src|url\()", text)


def test_the_dark_colours_are_those_of_the_pages() -> None:
    dark = (ROOT / "templates" / "style.css").read_text("utf-8").partition("prefers-color-scheme: dark")[2]
    values = dict(re.findall(r"(--\w+): (#\w+);", dark.partition("}")[0]))
    assert {c.variable: c.dark for c in PALETTE.values()} == {c.variable: values[c.variable] for c in PALETTE.values()}


def test_large_layers_are_cropped_and_quick() -> None:
    started = time.perf_counter()
    op = sc.Conv(7, stride=2, padding=3, in_channels=3, out_channels=64)
    figure = sc.figure(op, input_size=(224, 224), at=(5, 50, 60))
    figure.svg()
    assert time.perf_counter() - started < 3  # seconds; a tenth of it on a quiet machine
    assert "cropped" in figure.words
    assert len(figure.svg()) < 100_000


def test_files_of_every_kind(tmp_path: Path) -> None:
    figure = sc.figure(sc.MaxPool(2), input_size=(4, 4))
    for name in ("f.svg", "f.tex", "f.json"):
        figure.save(tmp_path / name)
    assert (tmp_path / "f.tex").read_text().startswith("\\definecolor")
    assert json.loads((tmp_path / "f.json").read_text()) == figure.description
    with pytest.raises(sc.ArgumentError, match=r"path must end in \.svg, \.tex"):
        figure.save(tmp_path / "f.bmp")
    with pytest.raises(sc.ArgumentError, match=r"must end in \.gif"):
        sc.figure(sc.MaxPool((2,)), input_size=4, animate=True).save(tmp_path / "f.png")


def test_pictures_of_pixels(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py", reason="the extra figures")
    pytest.importorskip("fontTools", reason="the extra figures")
    image = pytest.importorskip("PIL.Image", reason="the extra figures")
    sc.figure(sc.MaxPool(2), input_size=(4, 4)).save(tmp_path / "f.png")
    picture = image.open(tmp_path / "f.png")
    assert picture.width > 300
    assert len(picture.convert("RGB").getcolors(1 << 24)) > 20  # text is there: its edges are grey
    sc.figure(sc.MaxPool((2,)), input_size=6, animate=True).save(tmp_path / "f.gif")
    assert image.open(tmp_path / "f.gif").n_frames == 3


def test_a_page_for_every_frame(tmp_path: Path) -> None:
    from symconv.report.pdf import find_pdflatex

    if find_pdflatex() is None:
        pytest.skip("pdflatex is not installed")
    sc.figure(sc.MaxPool((2,)), input_size=6, animate=True).save(tmp_path / "f.pdf")
    assert (tmp_path / "f.pdf").read_bytes().count(b"/Type /Page\n") == 3


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"input_size": (5, 5), "at": (9, 9)}, sc.GeometryError, r"at must be the index of an output, from \(0, 0\)"),
        ({"input_size": (5, 5), "at": "x"}, sc.ArgumentError, r"at must be an index"),
        ({"input_size": (5, 5), "kind": "side"}, sc.ArgumentError, r"kind must be"),
        ({}, sc.ArgumentError, r"input_size must be given"),
        ({"input_size": (5, 5), "kind": "winners"}, sc.NotSupportedError, r"has no winners"),
        ({"input_size": (40, 40), "kind": "matrix"}, sc.SizeLimitError, r"too large to be seen"),
        ({"input_size": (40, 40), "animate": True}, sc.SizeLimitError, r"too long"),
        ({"input_size": (40, 40), "at": "all"}, sc.SizeLimitError, r"too many for one picture"),
        ({"input_size": (5, 5), "data": [[1]]}, sc.ArgumentError, r"a"),
        ({"input_size": (5, 5), "kind": "matrix", "at": 1}, sc.ArgumentError, r"kind is one picture|kind must|kind"),
    ],
)
def test_what_is_wrong_is_said(given: dict, error: type[Exception], said: str) -> None:
    kind = given.pop("kind", "window")
    with pytest.raises(error, match=said):
        sc.figure(sc.Conv(3), kind, **given)


def test_the_receptive_field_is_that_of_loops() -> None:
    network = sc.Network([sc.Conv((3,), stride=2, padding=1), sc.ReLU(), sc.MaxPool((2,)), sc.Conv((2,), dilation=2)])
    figure = sc.figure(network, input_size=40, at=3)
    check_apart(figure)
    field = figure.description["frames"][0]["field"]
    pooled = {3, 5}
    before = {2 * p + m for p in pooled for m in range(2)}
    read = {2 * q + m - 1 for q in before for m in range(3)}
    assert field == {
        "conv2": [[3]],
        "maxpool1": [[p] for p in sorted(pooled)],
        "relu1": [[q] for q in sorted(before)],
        "conv1": [[q] for q in sorted(before)],
        "input": [[i] for i in sorted(read) if 0 <= i < 40],
    }
    assert {place for place, state in states(plates(figure, "layer")[0]).items() if state == "read"} == {
        (i,) for i in read if 0 <= i < 40
    }
    assert f"{min(read)} to {max(read)}" in figure.words


def test_the_receptive_field_through_channels_a_vector_and_a_sum() -> None:
    flat = sc.Network([sc.Conv(3, in_channels=2, out_channels=3), sc.Flatten(), sc.Dense(4)])
    field = sc.figure(flat, input_size=(5, 5), at=0).description["frames"][0]["field"]
    assert field["input"] == [[i, j] for i in range(5) for j in range(5)]
    joined = sc.Network(
        [("one", sc.Conv((3,), padding=1)), ("two", sc.Conv((5,), padding=2)), ("sum", sc.Add())],
        [("input", "one"), ("input", "two"), ("one", "sum"), ("two", "sum")],
    )
    figure = sc.figure(joined, input_size=9, at=4)
    check_apart(figure)
    assert figure.description["frames"][0]["field"]["input"] == [[i] for i in range(2, 7)]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"input_size": (9, 9), "at": (99, 0)},
        {"input_size": (9, 9), "kind": "matrix"},
        {"input_size": 3},
        {"input_size": (9, 9), "animate": True},
    ],
)
def test_what_is_wrong_of_a_network_is_said(given: dict) -> None:
    with pytest.raises(sc.SymconvError, match=r"input_size|at must|kind must|animate must"):
        sc.figure(sc.Network([sc.Conv(3), sc.MaxPool(2)]), **given)


def test_three_axes_and_symbols_are_refused() -> None:
    with pytest.raises(sc.NotSupportedError, match=r"a figure is flat"):
        sc.figure(sc.Conv((2, 2, 2)), input_size=(3, 3, 3))
    with pytest.raises(sc.SymconvError, match=r"K"):
        sc.figure(sc.Conv((2,)).generic(), input_size=3)
