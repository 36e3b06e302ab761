"""Report pages of random layers, read from HTML: derivations, sizes, window sets and relations, by plain loops."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import oracles
import pytest

from readback.arithmetic import Point, close
from readback.arrays import Array
from readback.checking import check
from readback.hypertext import Section, page_of, sections
from readback.hypotheses import check_hypotheses, evaluate, size_names
from readback.layers import Case, Layer, case_of, random_layer
from readback.pages import Step
from readback.reading import Reader
from readback.tex_pages import tex_sections
from readback.world import World
from symconv.problems.build import build_document
from symconv.problems.reading import load_problem
from symconv.report.html_writer import to_html
from symconv.report.latex_writer import to_latex

MOST_IN_NUMBERS = 64  # entries of an input whose size a derivation by cases may have in numbers
KINDS = {"conv": "Conv", "maxpool": "MaxPool", "avgpool": "AvgPool", "lppool": "LPPool"}


def options(layer: Layer, sizes: Point) -> dict[str, Any]:
    """The keys of a problem file."""
    found: dict[str, Any] = {
        "kind": KINDS[layer.kind],
        "input_size": list(sizes),
        "kernel_size": list(layer.kernel),
        "stride": list(layer.stride),
        "padding": [list(pair) for pair in layer.pads],
        "dilation": list(layer.dilation),
    }
    if layer.kind == "conv":
        found |= {"flip": layer.flip, "padding_mode": layer.padding_mode}
    else:
        found["ceil_mode"] = layer.ceil_mode
    if layer.kind == "maxpool":
        found["ties"] = layer.ties
    if layer.kind == "avgpool":
        found["count_include_pad"] = not layer.exclude_padding
        if layer.divisor is not None:
            found["divisor_override"] = layer.divisor
    if layer.kind == "lppool":
        found["norm_type"] = math.inf if layer.norm == "inf" else layer.norm
        found["norm_type"] = int(layer.norm) if layer.norm.isdigit() else layer.norm
    return found


def toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return f"[{', '.join(map(toml, value))}]" if isinstance(value, list) else str(value)


def page(
    tmp_path: Path, layers: dict[str, tuple[Layer, Point]], questions: Sequence[dict[str, Any]], style: str
) -> list[Section]:
    """The sections of a page about these layers, as it is written in a style: "html", "tex" or "fragment"."""
    (base,) = {layer.base for layer, _ in layers.values()}
    lines = ['title = "Read back"', f"index_base = {base}"]
    for name, (layer, sizes) in layers.items():
        lines += [f"[operators.{name}]", *(f"{k} = {toml(v)}" for k, v in options(layer, sizes).items())]
    for number, question in enumerate(questions, 1):
        lines += ["[[questions]]", f'id = "{number}"', f'title = "t{number}"']
        lines += [f"{key} = {toml(value)}" for key, value in question.items()]
    file = tmp_path / "problem.toml"
    file.write_text("\n".join(lines), encoding="utf-8")
    document = build_document(load_problem(file))
    return sections(to_html(document)) if style == "html" else tex_sections(to_latex(document, style == "fragment"))


def usable(random: Random, kind: str) -> tuple[Layer, Point]:
    """A layer of one channel with a size that it takes."""
    while True:
        layer = random_layer(random, kind)
        sizes = tuple(random.randint(1, 5) for _ in range(layer.ndim))
        plain = layer.in_channels == layer.out_channels == layer.groups == 1 and not layer.bias
        if plain and layer.accepts(sizes) and layer.ties != "set" and layer.norm != "3/2":
            return layer, sizes


def kernels(layer: Layer) -> dict[str, int]:
    found = dict(zip(size_names(layer.ndim, "K"), layer.kernel, strict=True))
    return {**found, "K": layer.kernel[0]} if len(set(layer.kernel)) == 1 else found


def _alike(layer: Layer) -> Iterator[Point]:
    """Small kernels, the same on all axes where the page has one letter for them."""
    for kernel in product(range(1, 5), repeat=layer.ndim):
        if len(set(kernel)) == 1 or len(set(layer.kernel)) > 1:
            yield kernel


def derivations(tmp_path: Path, random: Random, kind: str, style: str) -> int:
    layer, sizes = usable(random, kind)
    wrt = random.choice(layer.variables)
    declared = random.random() < 0.4 and math.prod(sizes) <= MOST_IN_NUMBERS
    question: dict[str, Any] = {"ask": "derivation", "operator": "layer", "wrt": [wrt]}
    if declared:
        question["sizes"] = "declared"
    (part, *_) = page(tmp_path, {"layer": (layer, sizes)}, [question], style)
    read, fixed = page_of(part), {} if declared else kernels(layer)
    tried = [
        (own, kernels(own)) for own in (replace(layer, kernel=kernel) for kernel in (*_alike(layer), layer.kernel))
    ]
    allowed = [sizes] if declared else check_hypotheses(read, layer, tried)
    lines = 0
    for own in dict.fromkeys([allowed[0], sizes, random.choice(allowed)]):
        for zeros in (True, False):
            case = case_of(layer, own, random, zeros=zeros)
            found = check(read, case, "gradient", wrt, random, fixed).lines
            assert found == sum(len(stage.steps) for stage in read.stages) >= 4, read
            lines += found
    return lines


# --- sizes -----------------------------------------------------------------------------------------------------------


def sizes_of(tmp_path: Path, random: Random, kind: str, style: str) -> int:
    """The size in numbers, and in general with the numbers put in."""
    layer, sizes = usable(random, kind)
    asked = [{"ask": "size", "operator": "layer"}, {"ask": "size-formula", "operator": "layer"}]
    numbers, general, *_ = page(tmp_path, {"layer": (layer, sizes)}, asked, style)
    outs = layer.output_size(sizes)
    steps = numbers.page.steps
    for axis, step in enumerate(steps if len(steps) == len(outs) else steps * len(outs)):
        formula, _, total = step.right.rpartition(" = ")
        placed = oracles.place(sizes[axis], layer.axes()[axis])
        assert int(total) == evaluate(World({}), formula, {}) == len(placed), step
        said = re.search(r"the windows(?: that fit)?: (\d+)", step.reason)
        assert said is not None, step
        assert int(said[1]) == len(placed), step
        hanging = re.search(r"(\d+) of them fits?, (\d+) hangs? over", step.reason)
        fit = sum(row[-1] < sizes[axis] + layer.pads[axis][1] for row in placed)
        assert (hanging is not None) == (fit < len(placed)), step
        assert hanging is None or (int(hanging[1]), int(hanging[2])) == (fit, len(placed) - fit), step
        assert ("that fit" in step.reason) <= (fit == len(placed)), step
    stated = [int(n) for n in re.findall(r"\d+", numbers.paragraphs[0].partition("from a")[0].partition("is")[2])]
    assert tuple(stated) == outs, numbers.paragraphs
    _captions(numbers.captions, layer, sizes)
    return len(steps) + _general(general, layer, sizes)


def _captions(captions: Sequence[str], layer: Layer, sizes: Point) -> None:
    """Where the drawn window is, and how many outputs touch an entry; planes are drawn, where zeros are padded."""
    drawn = layer.padding_mode == "zeros" and len(layer.kernel) <= 2
    assert len(captions) == (2 if drawn else 0), captions
    if not captions:
        return
    window, touched = captions
    place = re.fullmatch(r"The window of output \(?([\d, ]+)\)?(, with the padding drawn)?\.", window)
    assert place is not None, window
    at = [int(n) - layer.base for n in place[1].split(",")]
    assert all(0 <= p < n for p, n in zip(at, layer.output_size(sizes), strict=True)), (window, sizes)
    assert bool(place[2]) == any(low > 0 or high > 0 for low, high in layer.pads), (window, layer)
    counts = dict.fromkeys(product(*map(range, sizes)), 0)
    rows = [oracles.place(n, axis) for n, axis in zip(sizes, layer.axes(), strict=True)]
    for taps in product(*rows):
        for entry in product(*taps):
            if entry in counts:
                counts[entry] += 1
    said = re.match(r"How many outputs touch each entry of A: from (\d+) to (\d+)\.", touched)
    assert said is not None, touched
    assert (int(said[1]), int(said[2])) == (min(counts.values()), max(counts.values())), (touched, layer, sizes)
    pale = re.search(r"No output reads the (\d+) pale (entry|entries)\.$", touched)
    unread = sum(count == 0 for count in counts.values())
    assert (pale is not None) == (unread > 0), (touched, layer, sizes)
    assert pale is None or (int(pale[1]), pale[2]) == (unread, "entry" if unread == 1 else "entries"), touched


def _general(part: Section, layer: Layer, sizes: Point) -> int:
    """``O = #{p ≥ 1 : ...} = ...`` in letters for the options of an axis, put in axis by axis."""
    lines = 0
    for stage in part.page.stages:
        for axis, (own, n) in enumerate(zip(layer.axes(), sizes, strict=True)):
            match = re.search(r"on ax[ei]s (.*)", stage.title)
            if match and str(axis + 1) not in re.split(", | and ", match[1]):
                continue
            numbers = {"I": n, "K": own.kernel, "S": own.stride, "P": own.before, "Q": own.after, "D": own.dilation}
            numbers |= {f"{name}{axis + 1}": value for name, value in numbers.items()}
            if "P" not in stage.domain:
                numbers["Q"] = numbers["P"]
            elif "Q" not in stage.domain:
                assert own.before == own.after, (stage, layer)
            for step in stage.steps:
                assert step.status == "proved", step
                found = evaluate(World({}, numbers), step.right, {})
                assert found == oracles.output_size(n, own), f"{step} at {numbers}"
                lines += 1
    assert lines >= 2 * len(sizes), part
    return lines


# --- window sets and relations ---------------------------------------------------------------------------------------


def read_sets(paragraphs: Sequence[str], world: World, ndim: int) -> dict[str, str]:
    """The window sets that a page names, as sets of places by output."""
    found: dict[str, str] = {}
    for text in paragraphs:
        match = re.search(r"The window set of an output(?: of (.*?))? is ([A-Z]\u0304?)\[(\w+)\] = \{(.*)\}\.", text)
        if match is None:
            continue
        assert match[2] not in found
        assert match[2][0] not in world.numbers, f"{match[2]} is a set and a number"
        for kind in re.split(", | and ", match[1] or "max pooling, average pooling, LP pooling"):
            found[kind] = match[2]
        names, _, conditions = match[4].partition(":")
        places, outputs = re.findall(r"\w", names), re.findall(r"\w", match[3])
        assert len(places) == len(outputs) == ndim
        world.sets[match[2]] = _members(world, places, outputs, conditions)
    return found


def _members(world: World, places: list[str], outputs: list[str], conditions: str) -> Any:
    """The places that fulfil the conditions, by output: every one in a box is tried, letter by letter as they come."""
    taps = [m for m in re.findall(r"≤ (\w) ≤", conditions) if m not in places]
    ranges = {**dict.fromkeys(places, range(-6, 12)), **dict.fromkeys(taps, range(4))}
    reader, chains, begin = Reader(world, conditions, frozenset({*outputs, *ranges})), [], 0
    while True:
        chains.append((reader.chain(), [name for name in ranges if name in reader.tokens[begin : reader.position]]))
        if reader.peek() not in (",", "and"):
            break
        reader.take()
        begin = reader.position
    assert not reader.peek(), conditions
    assert set(ranges) == {name for _, names in chains for name in names}, conditions

    def of(at: Point) -> set[Point]:
        found = [dict(zip(outputs, at, strict=True))]
        for holds, names in chains:
            found = [inner for env in found for inner in _tried(env, names, ranges) if holds(inner)]
        return {tuple(env[place] for place in places) for env in found}

    cache: dict[Point, set[Point]] = {}
    return lambda at: cache.setdefault(tuple(at), of(tuple(at)))


def _tried(env: dict[str, int], names: Sequence[str], ranges: Mapping[str, range]) -> Iterator[dict[str, int]]:
    """With every value of the names that have none yet."""
    new = [name for name in names if name not in env]
    for values in product(*(ranges[name] for name in new)):
        yield {**env, **dict(zip(new, values, strict=True))}


def poolings(random: Random) -> tuple[dict[str, Case], int]:
    """Poolings over the same windows with a value everywhere, and the exponent of the LP pooling."""
    while True:
        layer, sizes = usable(random, "maxpool")
        average = replace(layer, kind="avgpool", ties="first", exclude_padding=random.random() < 0.4)
        order = random.choice((1, 2, 3))
        norm = replace(layer, kind="lppool", ties="first", norm=str(order))
        try:
            own = {"max pooling": layer, "average pooling": average, "LP pooling": norm}
            return {name: case_of(pooling, sizes, random) for name, pooling in own.items()}, order
        except ZeroDivisionError:
            continue  # an average over no tap; the derivations of averages look at these


def expressions(tmp_path: Path, random: Random, style: str, exponent: str = "p") -> int:
    """Maximum, average and LP pooling over the same windows: their sets, sizes, lines and relations."""
    cases, order = poolings(random)
    layer, sizes = cases["max pooling"].layer, cases["max pooling"].sizes
    norm = replace(cases["LP pooling"].layer, norm=exponent)
    layers = {"max": (layer, sizes), "avg": (cases["average pooling"].layer, sizes), "lp": (norm, sizes)}
    asked = [{"ask": kind, "operators": list(layers)} for kind in ("expressions", "relations")]
    one, two, *_ = page(tmp_path, layers, asked, style)
    numbers = {exponent: order, **dict(zip(size_names(layer.ndim), sizes, strict=True))}
    return _sets_and_lines(one, cases, numbers, layer) + _relations(two, cases, numbers, layer)


def _sets_and_lines(part: Section, cases: dict[str, Case], numbers: dict[str, int], layer: Layer) -> int:
    lines = 0
    world = World({}, numbers, base=layer.base)
    channel = _channel(part.paragraphs)
    names = read_sets(part.paragraphs, world, layer.ndim)
    kinds = [re.sub(r"^[Mm]ax", "max", stage.title).replace("Average", "average") for stage in part.page.stages]
    assert set(names) == set(cases) == set(kinds), part.paragraphs
    for kind, stage in zip(kinds, part.page.stages, strict=True):
        assert len(stage.steps) >= 2, stage  # over the set, and tap by tap
        case = cases[kind]
        world.arrays = {"a": case.arrays["a"]}
        _set_is_right(world, names[kind], case)
        left = ""
        for step in stage.steps:
            left = in_a_channel(step.left, channel) if step.left else left
            outputs = re.findall(r"\w", left.partition("[")[2])
            assert not set(outputs) & set(numbers), f"{left} with {numbers}"
            text = in_a_channel(step.right, channel)
            for at in case.arrays["c"].places():
                if "a tap in the input for the window of" in step.needs and not world.sets[names[kind]](at):
                    continue
                found = evaluate(world, text, dict(zip(outputs, at, strict=True)))
                assert close(found, case.arrays["c"].at(at)), f"{step} at {at}, {case.sizes}: {case.arrays['c'].at(at)}"
            lines += 1
    return lines


def _channel(paragraphs: Sequence[str]) -> str:
    """The letter that the page says a channel is written with."""
    said = r"^Channel by channel, written as a superscript (\w) that is no power\."
    (letter,) = {match[1] for text in paragraphs if (match := re.match(said, text))}
    return letter


def in_a_channel(text: str, channel: str) -> str:
    """``c[s]`` for ``c^(k)[s]`` or ``c[s]^(k)``: every entry has the superscript, and its letter means nothing else."""
    upper = rf"\^\({channel}\)"
    index = r"\[(?:[^\[\]]|\[\w\])*\]"
    bare, count = re.subn(rf"([ac]){upper}({index})|([ac])({index}){upper}", r"\1\2\3\4", text)
    assert count == len(re.findall(r"[ac]\[", bare)) > 0, text
    assert channel not in Reader(World({}), bare).tokens, f"{channel} is a channel and something else: {text}"
    return bare


def _set_is_right(world: World, name: str, case: Case) -> None:
    """The real taps; with a bar, the taps in the padded input."""
    own = case.layer
    for at in case.arrays["c"].places():
        o = [p - own.base for p in at]
        rows = [oracles.place(n, axis)[e] for n, axis, e in zip(case.sizes, own.axes(), o, strict=True)]
        inside = [
            range(-axis.before, n + axis.after) if "\u0304" in name else range(n)
            for n, axis in zip(case.sizes, own.axes(), strict=True)
        ]
        wanted = {
            tuple(p + own.base for p in place)
            for place in product(*rows)
            if all(p in allowed for p, allowed in zip(place, inside, strict=True))
        }
        assert world.sets[name](at) == wanted, f"{name} at {at}, {case.sizes}: {world.sets[name](at)}, not {wanted}"


def _relations(part: Section, cases: dict[str, Case], numbers: dict[str, int], layer: Layer) -> int:
    lines = 0
    assert len(part.page.stages) == 2, part  # the average and the maximum
    a = cases["max pooling"].arrays["a"]
    positive = Array({at: abs(v) for at, v in a.entries.items()}, a.shape, a.base)
    for stage in part.page.stages:
        assert len(stage.steps) >= 2, stage
        left = ""
        for step in stage.steps:
            left = step.left or left
            lines += 1
            if left.startswith("lim"):
                assert (step.relation, step.right) == ("=", "M"), step
                continue
            for at in cases["max pooling"].arrays["c"].places():
                _relation(step, left, stage.domain, at, positive, cases, numbers)
    return lines


def _relation(
    step: Step, left: str, domain: str, at: Point, a: Array, cases: dict[str, Case], numbers: dict[str, int]
) -> None:
    taps = [i for _, i, _ in cases["max pooling"].terms[at]]
    if "a tap in the input for the window of" in step.needs and not taps:
        return
    match = re.search(r"every c\[(\w+)\]", domain)
    assert match is not None, domain
    env = dict(zip(re.findall(r"\w", match[1]), at, strict=True))
    values = [a.at(i) for i in taps]  # type: ignore[arg-type]
    divisors = {k for k, _, _ in cases["average pooling"].terms[at]}
    world = World({"a": a}, {**numbers, "M": max(values, default=0)}, base=a.base)
    if len(divisors) == 1:
        world.entries["c"] = lambda place: divisors.copy().pop() * sum(values)
    else:
        world.entries["c"] = lambda place: 0

    def norm(order: str) -> Any:
        return oracles.pooling.lp_norm(values, int(order) if order.isdigit() else numbers[order])

    text = f"{left} {step.relation} {step.right}"
    for order in set(re.findall(r"\( ?L\[(\w)\] ?\)", text)):
        letter = "U" if order == "1" else "V"
        world.numbers[letter] = norm(order)
        text = re.sub(rf"\( ?L\[{order}\] ?\)\[\w+\]", letter, text)
    reader = Reader(world, text, frozenset(env))
    holds = reader.chain()
    assert not reader.peek(), text
    assert holds(env), f"{step} at {env}, entries {a.entries}"


# --- tests -----------------------------------------------------------------------------------------------------------


STYLES = ("html", "tex", "fragment")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_sample_of_derivations_on_pages_is_read_back(tmp_path: Path, kind: str) -> None:
    assert derivations(tmp_path, Random(f"page {kind}"), kind, "html")
    assert derivations(tmp_path, Random(f"page {kind} tex"), kind, "tex")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_sample_of_sizes_on_pages_is_read_back(tmp_path: Path, kind: str) -> None:
    assert sum(sizes_of(tmp_path, Random(f"size {kind} {style}"), kind, style) for style in STYLES)


def test_a_sample_of_window_sets_and_relations_is_read_back(tmp_path: Path) -> None:
    assert sum(expressions(tmp_path, Random(f"sets {style}"), style) for style in STYLES)


@pytest.mark.parametrize("exponent", ["k", "l", "S", "i", "m"])
def test_an_exponent_by_any_letter_is_no_channel_set_or_index(tmp_path: Path, exponent: str) -> None:
    style = STYLES[ord(exponent) % len(STYLES)]
    assert expressions(tmp_path, Random(f"exponent {exponent}"), style, exponent)


@pytest.mark.parametrize("text", ["a^(l)[ijk] + a[ijk]", "|a[i]^(l)|^(l)", "∑(l ∈ S[s]) a^(l)[l]", "a[i]"])
def test_a_superscript_of_a_channel_is_on_every_entry_and_means_nothing_else(text: str) -> None:
    assert in_a_channel("max(i ∈ S[s]) a^(l)[i]", "l") == in_a_channel("max(i ∈ S[s]) a[i]^(l)", "l")
    with pytest.raises(AssertionError):
        in_a_channel(text, "l")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("style", STYLES)
def test_pages_are_read_back(tmp_path: Path, style: str, seed: int) -> None:
    for kind in sorted(KINDS):
        random = Random(f"{style} {kind} {seed}")
        assert derivations(tmp_path, random, kind, style)
        assert sizes_of(tmp_path, random, kind, style)
    random = Random(f"sets {style} {seed}")
    for _ in range(2):
        assert expressions(tmp_path, random, style)
