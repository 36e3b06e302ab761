"""Pages that say numbers: outputs for given data, lists of modules and drawings, read from HTML by plain loops."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from random import Random
from typing import Any

import oracles
import pytest

from readback.arithmetic import Point, close
from readback.arrays import Array
from readback.hypertext import Drawing, Section, sections
from readback.hypotheses import evaluate
from readback.layers import Case, Layer, case_of
from readback.pages import Step
from readback.test_pages import KINDS, options, toml, usable
from readback.world import World
from symconv.errors import ProblemFileError
from symconv.problems.build import build_document
from symconv.problems.reading import read_problem
from symconv.report.html_writer import to_html

READINGS = {False: "cross-correlation", True: "flipped convolution"}


def page(
    base: int, tables: dict[str, dict[str, Any]], data: dict[str, Any], asked: Sequence[dict[str, Any]]
) -> list[Section]:
    """The sections of a page about operators and data."""
    lines = ['title = "Read back"', f"index_base = {base}", "[data]"]
    lines += [f"{name} = {toml(value)}" for name, value in data.items()]
    for name, table in tables.items():
        lines += [f"[operators.{name}]", *(f"{k} = {toml(v)}" for k, v in table.items())]
    for number, question in enumerate(asked, 1):
        lines += ["[[questions]]", f'id = "{number}"', f'title = "t{number}"']
        lines += [f"{key} = {toml(value)}" for key, value in question.items()]
    return sections(to_html(build_document(read_problem("\n".join(lines)))))


def nested(array: Array, shape: Point | None = None, at: Point = ()) -> Any:
    """The entries as lists of lists; a broken number as text, as a file has it."""
    shape = array.shape if shape is None else shape
    if not shape:
        value = Fraction(array.at(tuple(p + array.base for p in at)))
        return str(value) if value.denominator > 1 else int(value)
    return [nested(array, shape[1:], (*at, n)) for n in range(shape[0])]


# --- numbers ---------------------------------------------------------------------------------------------------------


def number(text: str) -> Any:
    """``−15/2``, or a root such as ``root[3](43/2)``."""
    root = re.fullmatch(r"root\[(\d)\]\((.*)\)", text)
    if root is None:
        return Fraction(text.replace("−", "-"))
    degree, radicand = int(root[1]), number(root[2])
    exact = [n for part in (radicand.numerator, radicand.denominator) for n in range(part + 1) if n**degree == part]
    assert len(exact) < 2, f"{text} is no root"
    return float(radicand) ** (1 / degree)


def matrix(text: str) -> list[Any]:
    """``[1, 2; 3, 4]`` or several of them side by side, row by row in one list."""
    parts = re.findall(r"\[([^\[\]]*(?:root\[\d\][^\[\]]*)*)\]", text)
    return [number(cell) for part in parts for row in part.split("; ") for cell in row.split(", ")]


def same(found: Sequence[Any], array: Array) -> bool:
    wanted = [array.at(place) for place in array.places()]
    return len(found) == len(wanted) and all(close(one, other) for one, other in zip(found, wanted, strict=True))


# --- outputs ---------------------------------------------------------------------------------------------------------


WIDE = {  # with more products in an entry than are written out, and with one number for both axes
    "conv": Layer("conv", (2, 3), (2, 2), ((0, 1), (0, 0)), (1, 1)),
    "avgpool": Layer("avgpool", (2, 1), (3, 3), ((0, 0), (0, 0)), (1, 1)),
    "five taps": Layer("conv", (5,), (1,), ((0, 0),), (1,)),
}


def outputs(random: Random, kind: str, answer: str = "other", wide: bool = False) -> int:
    """The outputs of a layer for numbers, in both readings of a convolution, and an answer beside them.

    Args:
        answer: what is printed: the "due" numbers, those of the "other" reading, or "none" of them.
        wide: of a layer whose entries have many products.
    """
    while True:
        layer, sizes = (WIDE[kind], (4, 6)[-len(WIDE[kind].kernel) :]) if wide else usable(random, kind)
        if layer.norm != "inf" or kind != "lppool":
            break
    kind = layer.kind
    seed = random.random()
    try:
        cases = {flip: case_of(replace(layer, flip=flip), sizes, Random(seed)) for flip in (layer.flip, not layer.flip)}
    except ZeroDivisionError:
        return 0  # an average over no tap
    case = cases[layer.flip]
    question: dict[str, Any] = {
        "ask": "values",
        "operator": "layer",
        "input": "A",
        "unstated": ["stride", "kernel_size"],
    }
    data = {"A": nested(case.arrays["a"])}
    if kind == "conv":
        data["B"] = nested(case.arrays["b"])
        question["weight"] = "B"
    rational = all(isinstance(v, int | Fraction) for v in case.arrays["c"].entries.values())
    source = cases[not layer.flip] if answer == "other" and kind == "conv" else case
    printed = Array(dict(source.arrays["c"].entries), case.arrays["c"].shape, layer.base)
    if answer == "none":
        for place in random.sample(list(printed.places()), random.randint(1, len(printed.entries))):
            printed.entries[place] += random.choice((1, 7))
    if rational:
        question["printed"] = nested(printed)
    nowhere = _nowhere(layer, case)
    if nowhere:
        place = ", ".join(map(str, nowhere[0]))
        with pytest.raises(ProblemFileError, match=rf"the window of output {place} holds no entry of the input, and"):
            page(layer.base, {"layer": options(layer, sizes)}, data, [question])
        return 1
    part, *_, last = page(layer.base, {"layer": options(layer, sizes)}, data, [question])
    stated = "×".join(map(str, layer.kernel))
    strides = str(layer.stride[0]) if len(set(layer.stride)) == 1 else "×".join(map(str, layer.stride))
    assert part.paragraphs[0] == (f"The exercise does not say so; taken here: stride {strides}, window {stated}."), (
        part.paragraphs
    )
    _data(part, case)
    steps = [step for step in part.page.steps if not step.id.startswith("R")]
    readings = [layer.flip, not layer.flip] if kind == "conv" else [layer.flip]
    for step, flip in zip(steps, readings, strict=True):
        assert step.status == "exact"
        assert same(matrix(step.right), cases[flip].arrays["c"]), (step, layer, sizes)
        _called(step, layer, flip)
    rests = {row[0].partition("–")[0]: row[1:] for row in last.rows}
    assert rests["1"] == ["not recomputed", "every entry from the formula, in exact arithmetic"]
    if any(step.id == "R1" for step in part.page.steps):
        assert rests["R1"] == ["every entry compared", "the entries that differ"]
    if kind == "conv":
        _worked(part, case)
    if rational:
        _compared(part, cases, printed, layer)
    return len(steps)


def _nowhere(layer: Layer, case: Case) -> list[Point]:
    """The outputs that have no value: a maximum over the padding alone, or an average that does not count it."""
    if layer.kind == "maxpool" or (layer.kind == "avgpool" and layer.exclude_padding and layer.divisor is None):
        return [place for place in case.terms if not case.terms[place]]
    return []


def _data(part: Section, case: Case) -> None:
    """The arrays that were given."""
    (left, (line, *_), _), *_ = part.lines
    names = [name for name in ("A", "B") if name.lower() in case.arrays and (name == "A" or case.layer.kind == "conv")]
    pieces = re.split(r",? ?(?=[AB] = )", line)
    assert not left
    for name, piece in zip(names, [piece for piece in pieces if piece], strict=True):
        assert piece.startswith(f"{name} = ")
        assert same(matrix(piece), case.arrays[name.lower()]), piece


def _called(step: Step, layer: Layer, flip: bool) -> None:
    """What an output is called: the reading, and the options that make it more than a plain correlation."""
    if layer.kind != "conv":
        window = "×".join(map(str, layer.kernel))
        assert step.left == f"{KINDS[layer.kind]}[{window}](A)", step
        assert step.reason == "Pool every window.", step
        return
    assert step.reason.startswith(READINGS[flip].capitalize()), step
    assert step.left.endswith("(A, B)" if flip else "B"), step
    assert ("turned by a half" in step.reason) == flip, step
    assert step.left.startswith("conv" if flip else "A"), step
    assert ("⋆" in step.left) != flip, step
    for word, values, neutral in (
        ("stride", layer.stride, 1),
        ("dilation", layer.dilation, 1),
        ("padding", tuple(low if low == high else f"({low},{high})" for low, high in layer.pads), 0),
    ):
        said = re.search(rf"{word} (\((?:[^()]|\([^()]*\))*\)|[−\d]+)", step.left)
        assert (said is not None) == any(value != neutral for value in values), step
        if said is not None:
            shown = str(values[0]) if len(set(values)) == 1 else f"({','.join(map(str, values))})"
            assert said[1].replace(" ", "").replace("−", "-") == shown, step


def _worked(part: Section, case: Case) -> None:
    """The first entry, in letters and in numbers: as many products as plain loops find, the first and the last."""
    _, (left, lines, why) = part.lines
    assert why == "For instance the first entry."
    arrays = case.arrays
    first = (case.layer.base,) * len(case.sizes)
    base = case.layer.base
    assert left == f"c[{''.join(map(str, first))}]"
    symbols, numbers = lines
    if case.layer.padding_mode == "zeros":
        inside = [(i, m) for _, i, m in case.terms[first] if i in arrays["a"].entries]
    else:
        inside = [(i, m) for _, i, m in case.terms[first]]
    wanted: dict[tuple[Point, Point], int] = {}
    for i, m in inside:
        wanted[i, m] = wanted.get((i, m), 0) + 1
    terms = sorted(wanted)
    shown = terms if len(terms) <= 4 else [*terms[:3], terms[-1]]
    in_letters = ["".join(f"{name}[{''.join(map(str, at))}]" for name, at in (("a", i), ("b", m))) for i, m in shown]
    if len(terms) > 4:
        in_letters.insert(3, "⋯")
    assert symbols.removeprefix("= ").replace(" ", "") == ("+".join(in_letters) or "0"), (symbols, terms)
    products, _, total = numbers.removeprefix("= ").rpartition(" = ")
    assert number(total) == arrays["c"].at(first)
    values = [(arrays["a"].at(i), arrays["b"].at(m)) for i, m in shown]
    in_numbers = ["·".join(f"({v})" if v < 0 else str(v) for v in pair).replace("-", "−") for pair in values]
    if len(terms) > 4:
        in_numbers.insert(3, "⋯")
    else:
        assert sum(a * b for a, b in values) == number(total)
        assert not products or evaluate(World({}, base=base), products, {}) == number(total)
    assert products.replace(" ", "") == ("+".join(in_numbers) or "0"), numbers


def _compared(part: Section, cases: dict[bool, Case], printed: Array, layer: Layer) -> None:
    """Which reading a printed answer is, and by how many entries it differs from what is due."""
    due = cases[layer.flip].arrays["c"]
    different = sum(due.at(place) != printed.at(place) for place in due.places())
    said = " ".join([*part.paragraphs, *(step.reason for step in part.page.steps)])
    refuted = [step for step in part.page.steps if step.id.startswith("R")]
    assert len(refuted) == (different > 0)
    for step in refuted:
        assert step.status == "refuted"
        assert step.right.startswith("? ")
        assert same(matrix(step.right), printed)
    counted = re.search(r"(\d+|[Oo]ne) of its entries differs?", said)
    assert (counted is not None) == (different > 0), said
    if counted is not None:
        assert (1 if counted[1].lower() == "one" else int(counted[1])) == different, said
        assert ("differs" in said) == (different == 1), said
    if layer.kind != "conv":
        assert ("The printed answer agrees." in said) == (different == 0)
        return
    alike = [flip for flip, case in cases.items() if case.arrays["c"].entries == printed.entries]
    title = part.page.stages[-1].title
    if layer.flip in alike:
        assert f"The printed matrix is this {READINGS[layer.flip]}" in said, said
    elif alike:
        assert title == "The printed matrix is the other reading"
        assert f"It is the {READINGS[alike[0]]}." in said
    else:
        assert title == "The printed matrix is neither reading"
    assert f"means the {READINGS[layer.flip]}" in said or not different, said


# --- modules ---------------------------------------------------------------------------------------------------------


def modules(random: Random) -> int:
    layers = {kind: usable(random, kind) for kind in ("maxpool", "avgpool", "lppool")}
    base = layers["maxpool"][0].base
    tables = {kind: options(layer, sizes) for kind, (layer, sizes) in layers.items()}
    part, *_ = page(base, tables, {}, [{"ask": "modules", "operators": list(layers)}])
    for row, (kind, (layer, _)) in zip(part.rows, layers.items(), strict=True):
        name, computes, here = row
        assert name == f"{KINDS[kind]}{len(layer.kernel)}d"
        own = {"maxpool": "padding never wins", "lppool": "of the absolute values"}.get(kind, "")
        if kind == "avgpool":
            own = "padding does not count" if layer.exclude_padding else "padding counts"
            own = own if layer.divisor is None else f"the divisor is {layer.divisor}"
        assert computes.endswith(own), row
        wanted = [f"window {'×'.join(map(str, layer.kernel))}", f"stride {'×'.join(map(str, layer.stride))}"]
        if any(pair != (0, 0) for pair in layer.pads):
            sides = [str(low) if low == high else f"({low},{high})" for low, high in layer.pads]
            wanted.append(f"padding {'×'.join(sides)}")
        if kind == "lppool":
            wanted.append(f"exponent {'infinity' if layer.norm == 'inf' else layer.norm}")
        if any(d != 1 for d in layer.dilation):
            wanted.append(f"dilation {'×'.join(map(str, layer.dilation))}")
        said = re.split(r", (?![^(]*\))", here)
        assert [
            part for part in said if part.split()[0] in ("window", "stride", "padding", "dilation", "exponent")
        ] == (wanted), (here, layer)
    return len(part.rows)


# --- drawings --------------------------------------------------------------------------------------------------------


def drawings(random: Random, kind: str) -> int:
    """The window of one output on its input, and how many outputs touch each entry, cell by cell."""
    while True:
        layer, sizes = usable(random, kind)
        if layer.padding_mode == "zeros" and len(sizes) <= 2:
            break
    part, *_ = page(layer.base, {"layer": options(layer, sizes)}, {}, [{"ask": "size", "operator": "layer"}])
    window, touched = part.figures
    rows = [oracles.place(n, axis) for n, axis in zip(sizes, layer.axes(), strict=True)]
    _window(window, layer, sizes, rows)
    (drawn,) = touched
    counts = [str(count) for count in _counts(sizes, rows)]
    assert [word for line in drawn.words for word in line] == counts, (drawn, layer, sizes)
    assert drawn.description == f"Row by row: {'; '.join(' '.join(line) for line in _lines(counts, sizes))}."
    return len(counts)


def _lines(cells: Sequence[str], sizes: Point) -> Iterator[Sequence[str]]:
    return (cells[k : k + sizes[-1]] for k in range(0, len(cells), sizes[-1]))


def _counts(sizes: Point, rows: Sequence[list[list[int]]]) -> list[int]:
    found = dict.fromkeys(product(*map(range, sizes)), 0)
    for taps in product(*rows):
        for entry in product(*taps):
            if entry in found:
                found[entry] += 1
    return list(found.values())


def _window(drawn: Sequence[Drawing], layer: Layer, sizes: Point, rows: Sequence[list[list[int]]]) -> None:
    b = layer.base
    inside = drawn[0]
    at = [int(n) - b for n in re.findall(r"\d+", inside.title.rpartition("output")[2])]
    assert all(0 <= p < len(row) for p, row in zip(at, rows, strict=True)), inside
    taps = [[place for place in row[p] if 0 <= place < n] for p, row, n in zip(at, rows, sizes, strict=True)]
    entries = ["a" + "".join(str(p + b) for p in place) for place in product(*map(range, sizes))]
    assert [word for line in inside.words for word in line if word.startswith("a")] == entries, inside
    size = f"Input of size {' by '.join(map(str, sizes))}"
    assert re.match(rf"{size}[.,]", inside.description), inside
    said = re.findall(r"(?:rows?|columns?|entry|entries) ([\d, ]+)", inside.description.partition("It reads")[2])
    if said and all(taps):
        assert [[int(n) - b for n in part.split(", ")] for part in said] == taps, (inside, layer, sizes)
    if layer.kind == "conv":
        met = 1
        for part in taps:
            met *= len(part)
        total = 1
        for k in layer.kernel:
            total *= k
        counted = re.search(r"(\d+) of its (\d+) taps?", drawn[1].description)
        assert counted is not None, drawn[1]
        assert (int(counted[1]), int(counted[2])) == (met, total), (drawn[1], layer, sizes)


# --- tests -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_sample_of_outputs_is_read_back(kind: str) -> None:
    answers = ("due", "other", "none")
    assert sum(outputs(Random(f"outputs {kind} {seed}"), kind, answers[seed % 3]) for seed in range(9))


@pytest.mark.parametrize("kind", sorted(WIDE))
def test_outputs_of_wide_windows_are_read_back(kind: str) -> None:
    assert outputs(Random("wide"), kind, wide=True)


PLAIN = {"kind": "Conv", "input_size": [4], "kernel_size": [3]}


def asked(questions: Sequence[dict[str, Any]], **tables: dict[str, Any]) -> list[Section]:
    data = {"A": [1, 5, 2, 4], "B": [1, -2, 3], "D": [2, 1]}
    return page(1, tables, data, [{"ask": "values", **question} for question in questions])


@pytest.mark.parametrize(
    ("padding", "said", "right"),
    [
        ("same", "A⋆[padding same]B", "[13, −3, 13, −6]"),  # -2 + 15, 1 - 10 + 6, 5 - 4 + 12, 2 - 8
        ("valid", "A ⋆ B", "[−3, 13]"),
        ([[1, 1]], "A⋆[padding 1]B", "[13, −3, 13, −6]"),
        ([[0, 1]], "A⋆[padding (0, 1)]B", "[−3, 13, −6]"),
    ],
)
def test_a_padding_is_said(padding: Any, said: str, right: str) -> None:
    part, *_ = asked([{"operator": "o", "input": "A", "weight": "B"}], o={**PLAIN, "padding": padding})
    step = part.page.steps[0]
    assert (step.left.replace(" ⋆ ", "⋆"), step.right) == (said.replace(" ⋆ ", "⋆"), right)


def test_outputs_of_outputs() -> None:
    """A convolution of what a convolution gave, in both readings of both."""
    first = {"operator": "o", "input": "A", "weight": "B"}
    second = {"operator": "next", "input": "1", "weight": "D"}
    third = {"operator": "max", "input": "1"}
    small = {"input_size": [2], "kernel_size": [2]}
    one, two, three, *_ = asked(
        [first, second, third], o=PLAIN, next={"kind": "Conv", **small}, max={"kind": "MaxPool", **small}
    )
    assert [step.right for step in one.page.steps] == ["[−3, 13]", "[−5, 15]"]  # 3 - 10 + 2, 15 - 4 + 4
    assert [step.right for step in two.page.steps] == [
        "[7]",
        "[23]",
        "[5]",
        "[25]",
    ]  # -6 + 13, -3 + 26, -10 + 15, -5 + 30
    assert not two.lines  # no entry of an array that is not printed is worked out
    assert [(step.right, step.reason) for step in three.page.steps] == [
        ("[13]", "Pool the C of the cross-correlation."),
        ("[15]", "Pool the C of the flipped convolution."),
    ]


def test_roots_go_no_further() -> None:
    norm = {"kind": "LPPool", "input_size": [4], "kernel_size": [2], "norm_type": 2, "stride": 2}  # roots of 26 and 20
    pool = {"kind": "MaxPool", "input_size": [2], "kernel_size": [2]}
    with pytest.raises(
        ProblemFileError, match=r"the output of question '1' has roots; name data with rational entries"
    ):
        asked([{"operator": "n", "input": "A"}, {"operator": "m", "input": "1"}], n=norm, m=pool)
    first = {**norm, "input_size": [3], "kernel_size": [1], "stride": 1}
    data = {"Z": [3, 0, 2], "Y": [3, 0, 1]}
    mixed = {**norm, "input_size": [3], "stride": 1, "dilation": 2, "padding": [[0, 1]]}  # a root of 10, and 0
    with pytest.raises(ProblemFileError, match=r"the output of question '1' has roots"):
        page(1, {"n": mixed, "m": pool}, data, [
            {"ask": "values", "operator": "n", "input": "Y"}, {"ask": "values", "operator": "m", "input": "1"}
        ])  # fmt: skip
    assert [step.right for step in page(1, {"n": first}, data, [{"ask": "values", "operator": "n", "input": "Z"}])[0]
            .page.steps] == ["[3, 0, 2]"]  # fmt: skip


def test_powers_that_are_no_roots_are_refused() -> None:
    """The powers 3/2 of 1 and 0 add up to a number, those of 1 and 2 to none."""
    norm = {"kind": "LPPool", "input_size": [3], "kernel_size": [2], "norm_type": "3/2", "stride": 1}
    with pytest.raises(ProblemFileError, match=r"no roots of whole degree \(norm_type = 3/2\); take a whole norm_type"):
        page(1, {"n": norm}, {"Z": [0, 1, 2]}, [{"ask": "values", "operator": "n", "input": "Z"}])


@pytest.mark.parametrize(
    ("kind", "options_", "option", "said"),
    [
        ("Conv", {"kernel_size": [2, 2], "stride": 2}, "stride", "stride 2"),
        ("Conv", {"kernel_size": [2, 2], "stride": [2, 1]}, "stride", "stride 2×1"),
        ("Conv", {"kernel_size": [2, 2]}, "kernel_size", "window 2×2"),
        ("Conv", {"kernel_size": [2, 2]}, "padding_mode", "padding mode zeros"),
        ("Conv", {"kernel_size": [2, 2]}, "in_channels", "in channels 1"),
    ],
)
def test_what_was_taken(kind: str, options_: dict[str, Any], option: str, said: str) -> None:
    question = {"ask": "values", "operator": "o", "input": "A", "weight": "B", "unstated": [option]}
    data = {"A": [[1, 2, 3]] * 3, "B": [[1, 0], [0, 1]]}
    part, *_ = page(1, {"o": {"kind": kind, "input_size": [3, 3], **options_}}, data, [question])
    assert part.paragraphs[0] == f"The exercise does not say so; taken here: {said}."


@pytest.mark.parametrize(
    ("asks", "said"),
    [
        ([], "the formula of the layer"),
        ([("o", "derivation")], "the formula in 2"),
        ([("other", "derivation")], "the formula of the layer"),
        ([("o", "size")], "the formula of the layer"),
        ([("other", "derivation"), ("o", "derivation")], "the formula in 3"),
    ],
)
def test_which_formula_fixes_the_reading(asks: list[tuple[str, str]], said: str) -> None:
    first = {"ask": "values", "operator": "o", "input": "A", "weight": "B", "printed": [1, 10]}
    tables = {"o": {"kind": "Conv", "input_size": [3], "kernel_size": [2]},
              "other": {"kind": "Conv", "input_size": [3], "kernel_size": [1]}}  # fmt: skip
    more: list[dict[str, Any]] = [{"ask": ask, "operator": name} for name, ask in asks]
    more = [
        {**entry, "wrt": ["weight"], "sizes": "declared"} if entry["ask"] == "derivation" else entry for entry in more
    ]
    part, *_ = page(1, tables, {"A": [1, 5, 2], "B": [1, 2]}, [first, *more])
    reason = next(step.reason for step in part.page.steps if step.id == "R1")
    assert f"{said} means the cross-correlation" in reason


def test_a_sample_of_modules_is_read_back() -> None:
    assert sum(modules(Random(f"modules {seed}")) for seed in range(4))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_sample_of_drawings_is_read_back(kind: str) -> None:
    assert sum(drawings(Random(f"drawings {kind} {seed}"), kind) for seed in range(4))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_pages_of_values_are_read_back(seed: int) -> None:
    found = modules(Random(f"more modules {seed}"))
    for kind in sorted(KINDS):
        for more in range(5):
            found += outputs(Random(f"more outputs {kind} {seed} {more}"), kind, ("due", "other", "none")[more % 3])
        found += drawings(Random(f"more drawings {kind} {seed}"), kind)
    assert found > 20
