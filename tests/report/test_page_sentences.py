"""Sets, sizes and sentences of report pages, read back and counted by plain loops, small and odd layers included."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import oracles
import pytest
from click.testing import CliRunner

from symconv.cli.application import commands
from symconv.problems.build import build_document
from symconv.problems.reading import load_problem
from symconv.report.document import Math, Paragraph, RelationLine, Section, StageHeading

Layer = dict[str, Any]


def page(tmp_path: Path, layers: dict[str, Layer], questions: list[tuple[str, list[str]]]) -> list[Any]:
    """The blocks of a problem file with these layers and questions."""
    lines = ['title = "Odd"']
    for name, options in layers.items():
        lines.append(f"[operators.{name}]")
        lines += [
            f"{key} = {str(value).lower() if isinstance(value, bool) else _toml(value)}"
            for key, value in options.items()
        ]
    for number, (ask, names) in enumerate(questions):
        lines += ["[[questions]]", f'id = "{number}"', 'title = "t"', f'ask = "{ask}"']
        shown = f'operator = "{names[0]}"' if len(names) == 1 else f"operators = {_toml(names)}"
        lines.append(shown)
    file = tmp_path / "odd.toml"
    file.write_text("\n".join(lines), encoding="utf-8")
    return list(build_document(load_problem(file)).blocks)


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return f"[{', '.join(map(_toml, value))}]" if isinstance(value, list) else str(value)


def text(runs: Any) -> str:
    return "".join(getattr(run, "text", "") or getattr(run, "latex", "") for run in runs)


def statements(blocks: list[Any]) -> Iterator[RelationLine]:
    return (block for block in blocks if isinstance(block, RelationLine))


def pool(kind: str, n: int, kernel: int, stride: int, pads: tuple[int, int] = (0, 0), **more: Any) -> Layer:
    return {
        "kind": kind,
        "input_size": [n],
        "kernel_size": [kernel],
        "stride": stride,
        "padding": [list(pads)],
        **more,
    }


SIZES = [
    (4, 1, 1, (0, 3), True), (6, 3, 2, (-1, -1), False), (4, 2, 3, (0, 2), True), (5, 2, 2, (0, 0), True),
    (7, 2, 3, (1, 0), True), (3, 3, 2, (0, 1), True), (5, 3, 2, (1, 1), False), (2, 1, 2, (-1, 1), True),
]  # fmt: skip


@pytest.mark.parametrize(("n", "kernel", "stride", "pads", "ceil"), SIZES)
def test_the_windows_that_a_page_counts(
    tmp_path: Path, n: int, kernel: int, stride: int, pads: tuple[int, int], ceil: bool
) -> None:
    layer = pool("MaxPool", n, kernel, stride, pads, ceil_mode=ceil)
    (line,) = statements(page(tmp_path, {"layer": layer}, [("size", ["layer"])]))
    placed = oracles.place(n, oracles.Axis(kernel, stride, *pads, 1, ceil))
    fit = [row for row in placed if row[-1] <= n + pads[1] - 1]
    assert line.mark == "exact"
    formula, _, total = line.rhs.latex.rpartition(" = ")
    assert int(total) == len(placed)
    assert "+ -" not in formula
    numbers = re.fullmatch(r"\\left\\l(\w+) \\frac\{(.*)\}\{(\d+)\} \\right\\r\w+ \+ 1(?: - (\d+))?", formula)
    assert numbers is not None, formula
    top = sum(int(part.replace(" ", "")) for part in re.findall(r"[-+]? ?\d+", numbers[2]))
    room = Fraction(top, int(numbers[3]))
    rounded = -(-room.numerator // room.denominator) if numbers[1] == "ceil" else room.numerator // room.denominator
    assert rounded + 1 - int(numbers[4] or 0) == len(placed)
    assert line.reason is not None
    said = text(line.reason.body)
    if not ceil:
        assert said == f"the windows that fit: {len(placed)} of them, recounted by placing each one."
        return
    assert said.startswith(f"the windows: {len(placed)}, recounted by placing each one.")
    hanging = re.search(r" (\d+) of them fits?, (\d+) hangs? over\.", said)
    assert (hanging is not None) == (len(fit) < len(placed))
    if hanging is not None:
        assert (int(hanging[1]), int(hanging[2])) == (len(fit), len(placed) - len(fit))
    late = re.search(r" (\d+) more would start in the padding after the input\.", said)
    assert int(late[1] if late else 0) == int(numbers[4] or 0)


@pytest.mark.parametrize(
    ("pads", "symbols"),
    [([[1, 1], [2, 2]], "I, K, S, P"), ([[1, 0], [1, 1]], "I, K, S, P, Q"), ([[0, 0], [0, 0]], "I, K, S, P")],
)
def test_the_formula_of_a_page_covers_all_axes_of_its_layer(tmp_path: Path, pads: Any, symbols: str) -> None:
    layer = {"kind": "Conv", "input_size": [4, 5], "kernel_size": [2, 2], "padding": pads}
    blocks = page(tmp_path, {"layer": layer}, [("size-formula", ["layer"])])
    (stage,) = [block for block in blocks if isinstance(block, StageHeading)]
    assert text(stage.domain) == f"for all {symbols}"


def test_a_cropped_layer_is_not_shut_out_by_its_own_hypotheses(tmp_path: Path) -> None:
    layer = {"kind": "Conv", "input_size": [4, 5], "kernel_size": [2, 2], "padding": [[-1, 2], [0, 0]]}
    blocks = page(tmp_path, {"layer": layer}, [("size-formula", ["layer"])])
    formulas = [line.rhs.latex for line in statements(blocks) if "lfloor" in line.rhs.latex]
    assert len(formulas) == 2  # one with the numbers of each axis
    assert all(line.mark == "proved" for line in statements(blocks))


def test_two_sets_have_two_names_and_a_window_without_a_tap_is_spoken_of(tmp_path: Path) -> None:
    kinds: list[tuple[str, dict[str, Any]]] = [("MaxPool", {}), ("AvgPool", {}), ("LPPool", {"norm_type": 2})]
    layers = {kind[0].lower(): pool(kind, 4, 1, 1, (1, 1), **more) for kind, more in kinds}
    blocks = page(tmp_path, layers, [("expressions", list(layers)), ("relations", list(layers))])
    sets = {}
    for block in blocks:
        if isinstance(block, Paragraph) and "window set" in text(block.body):
            (math,) = [run.latex for run in block.body if isinstance(run, Math) and "=" in run.latex]
            name, _, body = math.partition(" = ")
            assert name not in sets
            sets[name] = body
    assert set(sets) == {"S_{p}", r"\bar S_{p}"}
    assert r"1 \leq i \leq I" in sets["S_{p}"]
    assert r"\leq I" not in sets[r"\bar S_{p}"]
    squeeze = [line for line in statements(blocks) if r"M" in line.lhs.latex or r"\lim" in line.lhs.latex]
    assert squeeze
    for line in squeeze:  # at p = 1 no real tap is in the window
        assert line.reason is not None
        assert "a tap in the input for the window of c_{p}" in text(line.reason.needs)
        assert r"a_{i} \geq 0" in text(line.reason.needs)


def test_a_divisor_of_one_s_own_is_called_by_its_number(tmp_path: Path) -> None:
    layers = {"avg": pool("AvgPool", 4, 2, 1, divisor_override=3), "lp": pool("LPPool", 4, 2, 1, norm_type=2)}
    blocks = page(tmp_path, layers, [("relations", ["avg", "lp"])])
    (stage,) = [block for block in blocks if isinstance(block, StageHeading)]
    assert text(stage.title) == "The average is the 1-norm divided by 3"


def test_the_file_that_init_writes_has_one_alphabet_a_question(tmp_path: Path) -> None:
    """The exponent p is no index of an output, and both sides of a line have the same free indices."""
    file = tmp_path / "new.toml"
    assert CliRunner().invoke(commands, ["init", str(file)]).exit_code == 0
    problem = load_problem(file)
    blocks = list(build_document(problem).blocks)
    starts = [k for k, block in enumerate(blocks) if isinstance(block, Section)]
    sections = [blocks[a:b] for a, b in zip(starts, [*starts[1:], len(blocks)], strict=True)]
    asked = {question.id: question.asks[0] for question in problem.questions}
    checked = 0
    for part in sections:
        if asked.get(part[0].id.removeprefix("q-")) not in ("expressions", "relations"):
            continue
        lines = list(statements(part))
        free = {match for line in lines for match in re.findall(r"^y(?:\^\{k\})?_\{(\w+)\}", line.lhs.latex)}
        free |= {match for line in lines for match in re.findall(r"L_\{\w+\} \\right\)\}_\{(\w+)\}", line.rhs.latex)}
        free |= set(
            re.findall(
                r"S_\{(\w+)\}",
                " ".join([b.rhs.latex for b in lines] + [text(b.body) for b in part if isinstance(b, Paragraph)]),
            )
        )
        assert len(free) == 1, free
        assert "p" not in free.pop()
        checked += 1
    assert checked == 2
