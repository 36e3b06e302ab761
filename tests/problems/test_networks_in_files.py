"""Networks of problem files: what is refused with its place, what is too large for numbers, and letters of entries."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from symconv.cli.application import commands
from symconv.errors import ProblemFileError
from symconv.problems.build import build_document
from symconv.problems.reading import load_problem, read_problem
from symconv.report.document import Document, TheoremBlock
from symconv.report.exercise import Grids, Sheet, Stations
from symconv.report.render import to_html, to_latex

LENET = Path(__file__).with_name("lenet.toml")
FILE = """
title = "T"
[data]
X = [[[1, 2, 0], [0, 1, 3], [2, 1, 1]]]
W = [[[[1, 0], [0, 1]]], [[[1, 1], [0, 2]]]]
b = [1, 0]
V = [[1, 2], [0, 1]]
d = [0, 1]
G = [1, 2]
[operators.conv]
kind = "Conv"
input_size = [3, 3]
kernel_size = [2, 2]
out_channels = 2
bias = true
names = { weight = "W", bias = "b", output = "Z" }
[operators.pool]
kind = "MaxPool"
kernel_size = [2, 2]
ties = "error"
[operators.flatten]
kind = "Flatten"
[operators.dense]
kind = "Dense"
out_features = 2
[operators.loss]
kind = "CrossEntropy"
target = 2
from_logits = true
[networks.net]
layers = ["conv", "pool", "flatten", "dense", "loss"]
input = "X"
weights = { conv = { weight = "W", bias = "b" }, dense = { weight = "V", bias = "d" } }
[[questions]]
id = "1"
title = "Forward"
ask = "forward"
written_out = { Z = [[1, 1, 1]] }
"""


def read(*changes: tuple[str, str]) -> Document:
    text = FILE
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return build_document(read_problem(text, "f.toml"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("target = 2", "target = 3", "networks: net: loss: target must be a class of 2"),
        ("target = 2", "target = 0", "operators: loss: target: must be a class, counted from 1, got 0"),
        ("target = 2", 'target = "Q"', "operators: loss: target: names the data 'Q', which is not declared"),
        ('"conv", "pool"', '"cnov", "pool"', "networks: net: layers: names the operator 'cnov'.*did you mean 'conv'"),
        ('"conv", "pool"', '"conv", "conv", "pool"', "networks: net: layers: names 'conv' twice"),
        ('input = "X"', 'input = "V"', "networks: net: .*"),
        ('input = "X"', 'input = "Y"', "networks: net: input: names the data 'Y'"),
        ("conv = { weight = \"W\", bias = \"b\" }, ", "", "networks: net: weights: conv: weight: is missing.*2x1x2x2"),
        ('bias = "b" }, dense', 'bias = "d2" }, dense', "networks: net: weights: conv: bias: names the data 'd2'"),
        ('weight = "W", bias = "b" }, dense', 'weight = "V", bias = "b" }, dense',
         "weights: conv: weight: V has shape 2x2, and 'conv' takes 2x1x2x2"),
        ("dense = { weight", "pool = { weight", "weights: pool: 'pool' has no weights"),
        ("bias = true\n", "", "weights: conv: bias: is not used: 'conv' has weight alone"),
        ("dense = { weight", "dnese = { weight", "weights: dnese: 'dnese' is no layer of it"),
        ("kernel_size = [2, 2]\nties", "kernel_size = [3, 3]\nties", "networks: net: pool: "),
        ("[[1, 1, 1]]", "[[1, 1, 3]]", r"written_out: Z: has no entry \[1, 1, 3\]: Z is 2x2x2, indices count from 1"),
        ("[[1, 1, 1]]", "[[0, 1, 1]]", "written_out: Z: has no entry"),
        ("{ Z =", "{ Y =", "written_out: names the array 'Y', which is not declared"),
        ('ask = "forward"', 'ask = "forward"\nnetwork = "ent"', "names the network 'ent'.*did you mean 'net'"),
        ('ask = "forward"', 'ask = "update"\nrate = 1', "written_out: is not used by ask = 'update'"),
        ('ask = "forward"\nwritten_out = { Z = [[1, 1, 1]] }', 'ask = "update"\nrate = 0', "rate: must be above 0"),
        ('[networks.net]\n', '[networks.net]\nunit = 0\n', "networks: net: unit: must be above 0"),
        ('[networks.net]\n', '[networks.net]\nedges = [["input", "conv"]]\n', "net: edges must say what pool reads"),
        ('output = "Z"', 'output = "w"', "operators: conv: names: names must not stand for both weight and output"),
    ],
)  # fmt: skip
def test_what_is_refused_names_its_place(old: str, new: str, message: str) -> None:
    with pytest.raises(ProblemFileError, match=message) as caught:
        read((old, new))
    assert str(caught.value).startswith("f.toml: ")
    assert "\n" not in str(caught.value)


def test_a_cycle_is_refused() -> None:
    edges = '[["input", "flatten"], ["conv", "pool"], ["pool", "conv"], ["flatten", "dense"], ["dense", "loss"]]'
    with pytest.raises(ProblemFileError, match="networks: net: "):
        read(("[networks.net]\n", f"[networks.net]\nedges = {edges}\n"))


def test_two_winners_that_are_alive_are_refused_with_their_place() -> None:
    tied = "X = [[[1, 1, 1], [1, 1, 1], [1, 1, 1]]]"
    with pytest.raises(ProblemFileError, match=r"question '1': pool: ties .*two winners"):
        read(
            ("X = [[[1, 2, 0], [0, 1, 3], [2, 1, 1]]]", tied),
            ('ask = "forward"\nwritten_out = { Z = [[1, 1, 1]] }', 'ask = "backward"'),
        )


def test_the_command_says_it_in_one_message(tmp_path: Path) -> None:
    file = tmp_path / "f.toml"
    file.write_text(FILE.replace("target = 2", "target = 7"))
    said = CliRunner().invoke(commands, ["report", str(file), "-o", str(tmp_path / "out")])
    assert (said.exit_code, "Traceback" in said.output, (tmp_path / "out").exists()) == (2, False, False)
    assert "networks: net: loss" in said.output


def test_lenet_is_shown_by_shapes_and_symbols() -> None:
    document = build_document(load_problem(LENET))
    (sheet,) = (block for block in document.blocks if isinstance(block, Sheet))
    assert [cell[0].text for cell in sheet.total if cell[0].text] == ["together", "61706", "416520"]  # type: ignore[union-attr]
    assert any(isinstance(block, Stations) for block in document.blocks)
    theorems = [block for block in document.blocks if isinstance(block, TheoremBlock)]
    assert {block.mark for block in theorems} == {"proved"}
    assert {re.sub(r".*\((\w+)\)", r"\1", block.name) for block in theorems} >= {"c1", "c3", "f5", "f6", "f7", "loss"}
    assert "above 4,000" in to_html(document)


def test_hostile_words_of_an_exercise_are_escaped() -> None:
    text = r"'A $\\input{/etc/passwd}$ and <script>alert(1)</script>, \\write18{ls} 50% $x^a^b$ and $Z=W\\star X$'"
    document = read(('title = "T"', f'title = "T"\ntext = {text.replace(chr(92) * 2, chr(92))}'))
    page, latex = to_html(document), to_latex(document)
    assert "<script>alert" not in page
    assert r"\input{/etc" not in latex
    assert r"\write18" not in latex
    assert "shown as it was typed" in page


ONE = """
title = "One layer"
[data]
C = [[[1, 5], [2, 3]], [[9, 0], [4, 9.5]]]
G = [[[2]], [[3]]]
[operators.o]
KIND
[[questions]]
id = "1"
title = "Back"
ask = "backward"
operator = "o"
input = "C"
upstream = "G"
"""


def test_a_pooling_by_itself_takes_every_channel_of_its_data() -> None:
    text = ONE.replace("KIND", 'kind = "MaxPool"\ninput_size = [2, 2]\nkernel_size = [2, 2]')
    tables = [block for block in build_document(read_problem(text)).blocks if isinstance(block, Grids)]
    assert [[[cell.text for cell in row] for row in grid.rows] for grid in tables[-1].grids] == [
        [["0", "2"], ["0", "0"]],
        [["0", "0"], ["0", "3"]],
    ]


def test_a_sum_by_itself_is_refused_with_its_place() -> None:
    with pytest.raises(ProblemFileError, match="question '1': edges must be given"):
        read_problem(ONE.replace("KIND", 'kind = "Add"\ninput_size = [2, 2]'), "f.toml")
