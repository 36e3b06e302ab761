"""An option is declared once: a toy operator gets a new one, and every door knows it without another word."""

from __future__ import annotations

import inspect
from dataclasses import KW_ONLY, dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from symconv.cli.application import commands
from symconv.errors import ArgumentError, ProblemFileError
from symconv.formulas.algebra import Node, const, product, summation
from symconv.operators.catalogue import COMMANDS
from symconv.operators.convolution import Conv
from symconv.operators.frame import Geometry
from symconv.operators.importers import keras, onnx, torch
from symconv.operators.importers.imported import Imported, Options
from symconv.operators.kinds import PerAxis, Whole, Word
from symconv.operators.networks.network import Network
from symconv.operators.option import KERNEL_SIZE, POOL_STRIDE, Option
from symconv.operators.pointwise import Pointwise
from symconv.operators.pooling import Pooling
from symconv.problems import tables
from symconv.problems.answers.pooling import _options as listed
from symconv.problems.reading import read_problem

SKIP = Option(
    PerAxis(0), "how many places are left out between outputs", noun="skip", letter="L", neutral=0, example="3",
    known_as={"onnx": "skips", "keras": "skip_rate"},
)  # fmt: skip
GAIN = Option(Whole(1), "what the sum is multiplied by", noun="gain", neutral=1, example="5", switch="times")
MOOD = Option(Word(("plain", "merry")), "how it feels", noun="mood", neutral="plain", example='"merry"')


@dataclass(frozen=True, repr=False)
class Toy(Pooling):
    """A sum over every window, times its gain.

    >>> 1
    1
    """

    kernel_size: Any = field(metadata=KERNEL_SIZE.metadata)
    stride: Any = field(default=None, metadata=POOL_STRIDE.metadata)
    skip: Any = field(default=0, metadata=SKIP.metadata)
    gain: Any = field(default=1, metadata=GAIN.metadata)
    mood: str = field(default="plain", metadata=MOOD.metadata)
    _: KW_ONLY
    ndim: int = 2

    @property
    def noun(self) -> str:
        return "toy pooling"

    def pooled(self, geometry: Geometry) -> Node:
        entry, _ = self.read(geometry)
        return product(const(self.gain), summation(entry, *(tap.bound for tap in self.tap_axes(geometry))))


@pytest.fixture(autouse=True)
def declared_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line in each list of operators: what there is, not what an option is."""
    monkeypatch.setitem(COMMANDS, "toy", Toy)
    monkeypatch.setitem(tables.OPERATORS, "Toy", Toy)
    monkeypatch.setitem(torch.FAMILIES, "Toy", torch.Family(Toy, ("kernel_size", "gain", "skip", "mood")))

    def node(found: Any) -> Imported:
        kernel = found.options.take("kernel_shape")
        return Imported(Toy(kernel, **onnx.plain_options(found, Toy, len(kernel))))

    monkeypatch.setitem(onnx.NODES, "Toy", node)


def test_the_constructor_reads_it() -> None:
    assert Toy(3, skip=2).skip == (2, 2)
    assert Toy((3,), skip=[4]).skip == (4,)
    assert Toy(3).stride == (3, 3)
    assert repr(Toy((3, 3), gain=2, mood="merry")) == "Toy(kernel_size=(3, 3), stride=(3, 3), gain=2, mood='merry')"
    assert Toy(3, gain=2) != Toy(3, gain=3)
    for options, message in (
        ({"skip": -1}, "skip must be >= 0, got -1"),
        ({"skip": (1, 2, 3)}, "skip must be one integer or 2 of them"),
        ({"gain": 0}, "gain must be >= 1, got 0"),
        ({"gain": 2.0}, "gain must be an integer"),
        ({"mood": "mery"}, "mood must be one of 'plain', 'merry', got 'mery'; did you mean 'merry'"),
    ):
        with pytest.raises(ArgumentError, match=message):
            Toy(3, **options)  # type: ignore[arg-type]


def test_its_documentation_and_its_letter() -> None:
    text = inspect.getdoc(Toy) or ""
    assert "    skip: how many places are left out between outputs (an int or one an axis)." in text
    assert '    mood: how it feels ("plain" or "merry").' in text
    assert text.index("mood:") < text.index(">>> 1")
    assert [str(entry) for entry in Toy(3).generic().skip] == ["L_1", "L_2"]
    assert Toy(3).generic(keep=("skip",)).skip == (0, 0)
    assert Toy((3,)).generic(letters={"skip": "M"}).skip[0].is_nonnegative


def problem(more: str = "") -> str:
    return f"""
title = "T"
[operators.toy]
kind = "Toy"
input_size = [4, 4]
kernel_size = 2
{more}
[[questions]]
id = "1"
title = "Size"
ask = "size"
operator = "toy"
"""


def test_a_problem_file_has_its_key() -> None:
    read = read_problem(problem('skip = [1, 2]\ngain = 3\nmood = "merry"')).operators["toy"].op
    assert read == Toy((2, 2), skip=(1, 2), gain=3, mood="merry")
    for more, message in (
        ('skip = "1"', r"operators: toy: skip: must be an integer, or a list of one integer a spatial axis, got '1'"),
        ("skip = -1", "operators: toy: skip must be >= 0, got -1"),
        ('mood = "mery"', r"toy: mood: must be one of 'plain', 'merry', got 'mery'; did you mean 'merry'\?"),
        ("skp = 1", r"unknown key 'skp' in a Toy; did you mean 'skip'\?"),
        ("gain = true", "toy: gain: must be an integer, got true"),
    ):
        with pytest.raises(ProblemFileError, match=message):
            read_problem(problem(more))


def test_the_comments_of_init_explain_it() -> None:
    from symconv.problems.starter import _table

    lines = list(_table(tables.operator_keys("Toy"), {"kind": '"Toy"'}, set()))
    assert "# how many places are left out between outputs (an integer or one an axis)" in lines
    assert "#skip = 3" in lines
    assert '#mood = "merry"' in lines


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(commands, ["derive", "toy", *arguments])
    return result.exit_code, " ".join(result.output.split())


def test_the_command_line_has_its_option() -> None:
    code, text = run("--help")
    assert code == 0
    assert "--skip 1 How many places are left out between outputs (2, or 2x1 an axis)." in text
    assert "--times N What the sum is multiplied by." in text
    assert "--mood [plain|merry] How it feels. [default: plain]" in text
    assert "Leave kernel, stride and skip symbolic too" in text
    code, text = run("--kernel", "2", "--times", "7", "--what", "derivative")
    assert (code, "7" in text, "proved" in text) == (0, True, True)
    code, text = run("--kernel", "2", "--skip", "1y")
    assert (code, "must be an integer, or one an axis such as 2x1, got '1y'" in text) == (2, True)
    assert run("--kernel", "2", "--skip", "-1")[0] == 2


def test_the_importers_read_it() -> None:
    module = type("Toy2d", (), {"kernel_size": 3, "gain": 4, "skip": (0, 1), "mood": "merry"})()
    assert torch.from_torch(module) == Toy((3, 3), gain=4, skip=(0, 1), mood="merry")
    assert torch.read_layer("Toy1d", {"kernel_size": 2}).operator == Toy((2,))
    with pytest.raises(ArgumentError, match="Toy2d: skip must be one integer or 2 of them"):
        torch.read_layer("Toy2d", {"kernel_size": 2, "skip": (1, 2, 3)})

    def attribute(name: str, *values: int) -> SimpleNamespace:
        return SimpleNamespace(name=name, type=7, ints=list(values))

    one = SimpleNamespace(op_type="Toy", attribute=[attribute("kernel_shape", 2, 2), attribute("skips", 3, 0)])
    assert onnx.from_onnx(one) == Toy((2, 2), stride=1, skip=(3, 0))
    assert keras.plain_options(Options("Toy", {"skip_rate": 2}), Toy, 2) == {"stride": (1, 1), "skip": (2, 2)}


def test_a_list_of_options_words_it() -> None:
    text = listed(SimpleNamespace(op=Toy((2, 3), 1, skip=(0, 2), gain=5, mood="merry")))  # type: ignore[arg-type]
    assert text == "window 2×3, stride 1×1, skip 0×2, gain 5, mood merry"
    assert listed(SimpleNamespace(op=Toy((2, 3), 1))) == "window 2×3, stride 1×1"  # type: ignore[arg-type]


@dataclass(frozen=True, repr=False)
class Louder(Pointwise):
    """Every entry times a gain."""

    gain: Any = field(default=1, metadata=GAIN.metadata)
    mood: str = field(default="plain", metadata=MOOD.metadata)
    _: KW_ONLY
    ndim: int = 1

    def value(self, entry: Node) -> Node:
        return product(const(self.gain), entry)


def test_the_option_of_a_function_is_known_to_every_door(monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer without a window, by itself, in a network, and in the network of a problem file."""
    monkeypatch.setitem(COMMANDS, "louder", Louder)
    monkeypatch.setitem(tables.OPERATORS, "Louder", Louder)
    assert repr(Louder(3, "merry")) == "Louder(gain=3, mood='merry')"
    assert Louder(3) != Louder(4)
    with pytest.raises(ArgumentError, match="gain must be >= 1, got 0"):
        Louder(0)
    assert '    mood: how it feels ("plain" or "merry").' in (inspect.getdoc(Louder) or "")
    head = 'title = "T"\n[[questions]]\nid = "1"\ntitle = "n"\nask = "size"\noperator = "o"\n'
    file = f'{head}[operators.o]\nkind = "Louder"\ninput_size = [4]\ngain = 3\nmood = "merry"\n'
    assert read_problem(file).operators["o"].op == Louder(3, "merry")
    with pytest.raises(ProblemFileError, match=r"unknown key 'gian' in a Louder; did you mean 'gain'\?"):
        read_problem(file.replace("gain", "gian"))
    shown = CliRunner().invoke(commands, ["derive", "louder", "--times", "7", "--what", "output"])
    assert shown.exit_code == 0, shown.output
    assert "7·a[p]" in shown.output
    assert "--mood [plain|merry]" in CliRunner().invoke(commands, ["derive", "louder", "--help"]).output
    network = Network([Conv((2,)), Louder(5)])
    weights = {"conv1": {"weight": [1, 2]}}
    assert network.values([1, 2, 3], weights)["louder1"].tolist() == [25, 40]
    assert network.gradients([1, 2, 3], weights)["input"].tolist() == [5, 15, 10]
