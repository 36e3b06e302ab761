"""What ``symconv shape`` prints, read back: sizes, formulas, positions and settings against plain loops."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from random import Random
from typing import Any

import oracles
import pytest
from click.testing import CliRunner
from readback.hypotheses import evaluate
from readback.world import World

from symconv.cli.application import commands
from symconv.cli.shape import position_words


def run(*arguments: str) -> Any:
    return CliRunner().invoke(commands, ["shape", *arguments], catch_exceptions=False)


def run_line(line: str) -> Any:
    return run(*line.split())


@dataclass(frozen=True)
class Axis:
    """One axis of a layer, by what is asked for."""

    kind: str
    kernel: int
    stride: int = 1
    sides: tuple[int, int] = (0, 0)
    dilation: int = 1
    extra: int = 0
    ceil: bool = False

    def reads(self, n: int) -> list[list[int]]:
        """The input positions that every output reads."""
        if self.kind != "transposed":
            own = oracles.Axis(self.kernel, self.stride, *self.sides, self.dilation, self.ceil)
            return [[place for place in row if 0 <= place < n] for row in oracles.place(n, own)]
        landed = [[self.stride * i + self.dilation * m for m in range(self.kernel)] for i in range(n)]
        length = max(map(max, landed)) + 1 - sum(self.sides) + self.extra
        return [[i for i, at in enumerate(landed) if o + self.sides[0] in at] for o in range(max(length, 0))]

    def gives(self, n: int) -> int:
        return len(self.reads(n))

    def unread(self, n: int) -> list[int]:
        read = {place for row in self.reads(n) for place in row}
        return [place for place in range(n) if place not in read]


def asked(random: Random) -> tuple[list[str], list[Axis], list[int]]:
    """Arguments, and what they mean axis by axis; every option may be left out."""
    while True:
        kind = random.choice(("conv", "transposed", "pool"))
        axes = random.choice((1, 2))
        sizes = [random.randint(1, 40) for _ in range(axes)]
        kernel = [random.randint(1, 4) for _ in range(axes)]
        words = [kind, "--input", "x".join(map(str, sizes)), "--kernel", "x".join(map(str, kernel))]
        stride = list(kernel) if kind == "pool" else [1] * axes
        sides, dilation, extra, ceil = [(0, 0)] * axes, [1] * axes, [0] * axes, False
        if random.random() < 0.7:
            stride = [random.randint(1, 6) for _ in range(axes)]
            words += ["--stride", "x".join(map(str, stride))]
        if random.random() < 0.5:
            dilation = [random.randint(1, 3) for _ in range(axes)]
            words += ["--dilation", "x".join(map(str, dilation))]
        if random.random() < 0.5:
            sides = [(random.randint(0, k // 2), random.randint(0, k // 2)) for k in kernel]
            words += ["--padding", "x".join(f"{low}:{high}" for low, high in sides)]
        if kind == "transposed" and max(map(max, zip(stride, dilation, strict=True))) > 1 and random.random() < 0.5:
            extra = [random.randint(0, max(s, d) - 1) for s, d in zip(stride, dilation, strict=True)]
            words += ["--output-padding", "x".join(map(str, extra))]
        if kind == "pool" and random.random() < 0.5:
            ceil = True
            words.append("--ceil-mode")
        layers = [Axis(kind, *own, ceil) for own in zip(kernel, stride, sides, dilation, extra, strict=True)]
        if all(layer.gives(n) > 0 for layer, n in zip(layers, sizes, strict=True)):
            return words, layers, sizes


def places_of(text: str) -> tuple[list[int], int | None]:
    """The positions in words, and how many runs there are where not all of them are said."""
    said, _, more = text.partition(", ... (")
    found = []
    for run_ in said.removesuffix(" (the end)").split(", "):
        first, _, last = run_.partition("-")
        found += list(range(int(first), int(last or first) + 1))
    return found, int(more.removesuffix(" runs)")) if more else None


def runs_of(places: list[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for place in places:
        if found and place == found[-1][1] + 1:
            found[-1] = (found[-1][0], place)
        else:
            found.append((place, place))
    return found


def check_sizes(output: str, layers: list[Axis], sizes: list[int]) -> None:
    lines = output.splitlines()
    many = len(layers) > 1
    warned = dict.fromkeys(range(len(layers)), "")
    for line in lines[len(layers) + many :]:
        match = re.fullmatch(r"warning: (\d+) of (\d+) input positions (is|are) read by no output(.*?): (.*)", line)
        assert match is not None, line
        axis = int(match[4].removeprefix(" on axis ")) - 1 if many else 0
        assert match[4] == (f" on axis {axis + 1}" if many else "")
        warned[axis] = match[5]
        unread = layers[axis].unread(sizes[axis])
        assert (int(match[1]), int(match[2])) == (len(unread), sizes[axis])
        assert match[3] == ("is" if len(unread) == 1 else "are")
    for axis, (layer, n) in enumerate(zip(layers, sizes, strict=True)):
        head, _, rest = lines[axis].partition("O = ")
        assert head == (f"axis {axis + 1}: " if many else "")
        formula, *others = rest.split(" = ")
        numbers, total = others if len(others) == 2 else ("", others[0]) if others else ("", formula)
        low, high = layer.sides
        letters = {"I": n, "K": layer.kernel, "S": layer.stride, "D": layer.dilation, "P": low, "B": low, "E": high}
        assert int(total) == layer.gives(n) == evaluate(World({}, {**letters, "R": layer.extra}), formula, {})
        assert not numbers or evaluate(World({}), numbers, {}) == int(total)
        unread = layer.unread(n)
        assert bool(warned[axis]) == bool(unread)
        if unread:
            said, runs = places_of(warned[axis])
            assert said == unread if runs is None else said == unread[: len(said)]
            assert runs in (None, len(runs_of(unread)))
            assert ("(the end)" in warned[axis]) == (len(runs_of(unread)) == 1 and unread[-1] == n - 1)
    if many:
        whole = "x".join(str(layer.gives(n)) for layer, n in zip(layers, sizes, strict=True))
        assert lines[len(layers)] == f"{'x'.join(map(str, sizes))} -> {whole}"


@pytest.mark.parametrize("seed", range(12))
def test_sizes_and_positions(seed: int) -> None:
    random = Random(seed)
    for _ in range(5):
        words, layers, sizes = asked(random)
        plain = run(*words)
        assert plain.exit_code == 0, plain.output
        check_sizes(plain.output, layers, sizes)
        text = run(*words, "--json").output
        record = json.loads(text)
        assert text == json.dumps(record, ensure_ascii=False, indent=2) + "\n"
        assert record["output"] == [layer.gives(n) for layer, n in zip(layers, sizes, strict=True)]
        for axis, (one, layer, n) in enumerate(zip(record["axes"], layers, sizes, strict=True)):
            assert one == {
                "input": n,
                "output": layer.gives(n),
                "formula": one["formula"],
                "numbers": one["numbers"],
                "unread": [list(run_) for run_ in runs_of(layer.unread(n))],
            }
            parts = list(dict.fromkeys((one["formula"], one["numbers"], str(one["output"]))))
            assert plain.output.splitlines()[axis].partition("O = ")[2] == " = ".join(parts)


def test_positions_in_words() -> None:
    assert position_words(((3, 3),), 9) == "3"
    assert position_words(((3, 5),), 9) == "3-5"
    assert position_words(((3, 8),), 9) == "3-8 (the end)"
    assert position_words(((8, 8),), 9) == "8 (the end)"
    assert position_words(((0, 1), (8, 8)), 9) == "0-1, 8"
    assert position_words(((0, 0), (8, 8)), 1) == "0, 8"
    six = tuple((k, k) for k in range(0, 12, 2))
    assert position_words(six, 20) == "0, 2, 4, 6, 8, 10"
    assert position_words((*six, (12, 13)), 20) == "0, 2, 4, 6, 8, 10, ... (7 runs)"
    assert position_words(((0, 1), (3, 4), (6, 6)), 9, most=2) == "0-1, 3-4, ... (3 runs)"


# --- the inverse -----------------------------------------------------------------------------------------------------


def table_of(lines: list[str]) -> list[dict[str, Any]]:
    """The settings of a table, by its heads."""
    heads = re.split(r"  +", lines[0].strip())
    found = []
    for line in lines[1:]:
        cells = re.split(r"  +", line.strip(), maxsplit=len(heads) - 1)
        found.append(dict(zip(heads, [*cells, ""][: len(heads)], strict=True)))
    return found


def check_setting(row: dict[str, Any], record: dict[str, Any], axis: Axis, n: int, wanted: int) -> None:
    low, _, high = row["padding"].partition(":")
    sides = (int(low), int(high or low))
    assert high != low
    own = Axis(
        axis.kind, axis.kernel, int(row["stride"]), sides, int(row["dilation"]), int(row.get("output padding", 0)),
        axis.ceil,
    )  # fmt: skip
    assert own.gives(n) == wanted, row
    free = row["also"]
    assert ("any larger stride" in free) <= (Axis(axis.kind, axis.kernel, 50, sides, own.dilation).gives(n) == wanted)
    said = re.search(r"inputs (\d+) to (\d+)", free)
    inputs = (int(said[1]), int(said[2])) if said else (n, n)
    assert all(own.gives(other) == wanted for other in range(inputs[0], inputs[1] + 1)), row
    assert own.gives(inputs[1] + 1) != wanted
    assert inputs[0] == 1 or own.gives(inputs[0] - 1) != wanted
    said = re.search(r"total padding (\d+) to (\d+)", free)
    totals = (int(said[1]), int(said[2])) if said else (sum(sides), sum(sides))
    assert record == {
        "stride": own.stride,
        "any_larger_stride": "any larger stride" in free,
        "padding": list(sides),
        "total_padding": list(totals),
        "dilation": own.dilation,
        "output_padding": own.extra,
        "inputs": list(inputs),
    }


INVERSE = [
    ("conv --input 12 --output 5 --kernel 3", Axis("conv", 3)),
    ("conv --input 12 --output 6 --kernel 4 --dilation 1 --stride 2", Axis("conv", 4)),
    ("conv --input 9 --output 10 --kernel 2 --stride 1", Axis("conv", 2)),
    ("conv --input 9 --output 1 --kernel 3 --padding 0", Axis("conv", 3)),
    ("conv --input 9 --output 5 --kernel 3 --padding 1", Axis("conv", 3)),
    ("pool --input 10 --output 4 --kernel 3 --ceil-mode", Axis("pool", 3, ceil=True)),
    ("pool --input 10 --output 3 --kernel 3 --dilation 2", Axis("pool", 3)),
    ("transposed --input 7 --output 14 --kernel 4 --dilation 1", Axis("transposed", 4)),
    ("transposed --input 3 --output 8 --kernel 3 --stride 3", Axis("transposed", 3)),
    ("transposed --input 4 --output 9 --kernel 2", Axis("transposed", 2)),
]


@pytest.mark.parametrize(("line", "axis"), INVERSE)
def test_settings_give_the_size(line: str, axis: Axis) -> None:
    words = line.split()
    n, wanted = int(words[words.index("--input") + 1]), int(words[words.index("--output") + 1])
    text = run(*words, "--json", "--limit", "1000").output
    (record,) = json.loads(text)
    assert text == json.dumps([record], indent=2) + "\n"
    lines = run(*words, "--limit", "1000").output.splitlines()
    assert lines[0] == f"{n} -> {wanted} with kernel {axis.kernel}" == record["question"]
    assert lines[-1] == f"  searched: {record['searched']}"
    rows = table_of(lines[1:-1])
    assert record["more"] == 0
    for row, one in zip(rows, record["settings"], strict=True):
        check_setting(row, one, axis, n, wanted)
    if len(rows) > 2:
        few = run(*words, "--limit", "2").output.splitlines()
        assert table_of(few[1:4]) == rows[:2]
        assert (
            few[4] == f"  and {len(rows) - 2} more (--limit shows more; --stride, --padding or --dilation narrow them)"
        )
    assert ("output padding" in lines[1]) == (axis.kind == "transposed")


def test_how_far_is_looked() -> None:
    lines = run_line("--input 30 --output 2 --kernel 3").output.splitlines()
    assert len(table_of(lines[1:-2])) == 20
    assert "dilations up to 8" in lines[-1]
    assert "dilations up to 9" in run_line("--input 30 --output 2 --kernel 3 --most-dilation 9").output


def test_nothing_for_one_axis_is_nothing() -> None:
    assert run_line("--input 5x5 --output 3x100 --kernel 3").exit_code == 1
    assert run_line("--input 5x6 --output 3x4 --kernel 3").exit_code == 0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("transposed --input 4 --output 9 --kernel 2 --output-padding 1", "is looked for with --output"),
        (
            "--input 9 --output 5 --kernel 3 --padding=-1",
            "--padding must be one number where --output is given, got -1",
        ),
        ("--input 9 --output 5 --kernel 3 --padding 1:2", "--padding must be one number"),
    ],
)
def test_what_a_search_refuses(line: str, message: str) -> None:
    result = run(*line.split())
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
