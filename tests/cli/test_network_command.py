"""``symconv network`` and ``symconv derive "Conv2d(...)"``: tables, notes, and what they refuse."""

from __future__ import annotations

import builtins
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from symconv.cli.application import commands

MODEL = """\
Net(
  (features): Sequential(
    (0): Conv2d(3, 8, kernel_size=(3, 3), stride=(3, 3))
    (1): ReLU()
    (2): AvgPool2d(kernel_size=2, stride=2, padding=0)
  )
  (head): Linear(in_features=200, out_features=10, bias=True)
)
"""


def run(*arguments: str | Path, text: str | None = None) -> Result:
    result = CliRunner().invoke(commands, [str(argument) for argument in arguments], input=text)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.txt"
    path.write_text(MODEL, encoding="utf-8")
    return path


def test_a_printed_model_as_a_table(model: Path) -> None:
    result = run("network", model, "--input", "1x3x32x33")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0].split()[:4] == ["layer", "kind", "window", "output"]
    assert lines[1].split() == ["features.0", "Conv2d", "3x3", "s3", "8x10x11", "224", "23,760", "3", "3", "2x0", "2x0"]
    assert lines[2].split() == ["features.2", "AvgPool2d", "2x2", "s2", "8x5x5", "6", "6", "0x1", "2x3"]
    assert lines[3].split() == ["total", "224", "23,760"]
    assert lines[4] == "warning: features.0 reads not all of its input; axis 1: 30-31 (the end)"
    assert [line[:5] for line in lines[6:]] == ["note:"] * 3
    assert "ceil_mode" in result.output


def test_a_batch_is_said_beside_the_multiply_adds_that_are_all_its(model: Path) -> None:
    lines = run("network", model, "--input", "4x3x32x33").output.splitlines()
    assert lines[3].split() == ["total", "224", f"{4 * 23_760:,}"]
    said = "note: multiply-adds are those of a batch of 4; sizes are those of one of its items"
    assert said in lines
    assert "batch" not in run("network", model, "--input", "1x3x32x33").output


def test_stdin_and_json(model: Path) -> None:
    result = run("network", "-", "--input", "3x32x33", "--json", text=MODEL)
    assert json.loads(result.output)["parameters"] == 224
    assert result.output == run("network", model, "--input", "3x32x33", "--json").output


def test_an_onnx_model(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="an .onnx file is read with the onnx package")
    helper = onnx.helper
    weight = helper.make_tensor("w", 1, (4, 3, 3, 3), [0.0] * 108)
    conv = helper.make_node("Conv", ["x", "w"], ["y"], name="conv")
    value = helper.make_tensor_value_info
    graph = helper.make_graph([conv], "g", [value("x", 1, (1, 3, 9, 8))], [value("y", 1, None)], [weight])
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph), path)
    lines = run("network", path).output.splitlines()
    assert lines[1].split() == ["conv", "Conv", "3x3", "4x7x6", "108", "4,536", "3", "1", "0", "0"]
    assert "4x3x3" in run("network", path, "--input", "1x3x5x5").output
    refused = run("network", path, "--ignore", "Foo")
    assert (refused.exit_code, "--ignore and --sequential belong to a printed model" in refused.output) == (2, True)
    assert "--value belongs to an .onnx file" in run("network", "-", "--value", "a=1", text=MODEL).output
    assert "must be a name and a number" in run("network", path, "--value", "a").output
    assert "values must be by the names of inputs: x, got 'a'" in run("network", path, "--value", "a=1").output


def test_what_is_not_known_of_an_onnx_model_is_said_and_the_totals_are_at_least(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="an .onnx file is read with the onnx package")
    helper = onnx.helper
    weight = helper.make_tensor("w", 1, (1, 1, 3, 3), [0.0] * 9)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["y"], name="first"),
        helper.make_node("Oracle", ["y"], ["z"], name="oracle", domain="somewhere"),
        helper.make_node("Conv", ["z", "w"], ["out"], name="second"),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "g", [value("x", 1, (1, 1, 9, 8))], [value("out", 1, None)], [weight])
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph), path)
    result = run("network", path)
    assert result.exit_code == 3
    assert "unknown: second (Conv): oracle (Oracle): somewhere.Oracle is no node of ONNX" in result.output
    assert "at least 378" in " ".join(result.output.split())
    record = json.loads(run("network", path, "--json").output)
    assert (record["complete"], record["at_least"], record["layers"][1]["output"]) == (False, True, None)
    assert record["parameters"] == 9  # one weight, which both share


def test_a_file_that_is_too_large_is_refused_from_its_size(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="an .onnx file is read with the onnx package")
    path = tmp_path / "model.onnx"
    with path.open("wb") as file:
        file.truncate(3 * 2**30)  # a hole: it takes no room
    result = run("network", path)
    assert result.exit_code == 2
    assert "has 3,221,225,472 bytes, and an ONNX model in one file has at most 2,147,483,647" in result.output


def test_containers_whose_order_a_print_does_not_tell(tmp_path: Path) -> None:
    text = "Net(\n  (a): Block(\n    (c): Conv2d(3, 3, 1)\n  )\n  (f): Flatten()\n)"
    refused = run("network", "-", "--input", "1x3x4x4", text=text)
    assert refused.exit_code == 2
    assert "line 2: the print of Block a does not tell what it does with its parts" in refused.output
    assert run("network", "-", "--input", "1x3x4x4", "--sequential", "Block", text=text).exit_code == 0


def test_without_the_onnx_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\x08\x07")
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "onnx":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    result = run("network", path)
    assert result.exit_code == 2
    assert "needs the package onnx, which is not installed" in result.output


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (MODEL, [], "a printed model needs --input"),
        (MODEL, ["--input", "1x4x32x32"], "in_channels must be the 4 that come in, got 3"),
        (MODEL, ["--input", "32x32"], "must be batch, channels and 2 spatial sizes"),
        (MODEL, ["--input", "1x3x2x2"], "features.0 (Conv2d): kernel_size needs an effective size"),
        (MODEL.replace("ReLU", "Foo"), ["--input", "1x3x32x32"], "line 4: Foo is not a layer that is known here"),
        ("", ["--input", "1x3x32x32"], "must be a layer such as"),
        ("hello", ["--input", "1x3x32x32"], "must be an opening bracket after hello"),
    ],
)
def test_what_is_refused(tmp_path: Path, content: str, arguments: list[str], message: str) -> None:
    path = tmp_path / "model.txt"
    path.write_text(content, encoding="utf-8")
    result = run("network", path, *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    binary = tmp_path / "model.bin"
    binary.write_bytes(bytes(range(256)))
    for path in (binary, tmp_path, tmp_path / "nosuch.txt", tmp_path / "nosuch.onnx"):
        result = run("network", path, "--input", "1x3x8x8")
        assert result.exit_code == 2, path
        assert "Error: " in result.output


def test_a_file_that_is_no_onnx_model(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="an .onnx file is read with the onnx package")
    path = tmp_path / "model.onnx"
    for content in (b"", MODEL.encode(), bytes(range(256))):
        path.write_bytes(content)
        result = run("network", path)
        assert result.exit_code == 2
        assert "must be an ONNX model" in result.output


# ------------------------------------------------------------------ derive


def test_a_layer_that_is_written_out_is_derived() -> None:
    typed = run("derive", "Conv1d(1, 1, 3, stride=2, padding=1, bias=False)", "--wrt", "weight", "--input", "7")
    assert typed.exit_code == 0
    options = ["--kernel", "3", "--stride", "2", "--padding", "1", "--wrt", "weight", "--input", "7"]
    assert typed.output == run("derive", "conv", *options).output
    pool = run("derive", "torch.nn.MaxPool2d(2)", "--what", "output", "--format", "latex")
    assert pool.output == run("derive", "maxpool", "--kernel", "2x2", "--what", "output", "--format", "latex").output


def test_the_examples_of_the_help_are_real_commands() -> None:
    examples = run("derive", "layer", "--help").output.split("Examples:")[1].split("Options:")[0].splitlines()
    commands_of = [shlex.split(line)[1:] for line in examples if line.strip().startswith("symconv derive")]
    assert len(commands_of) == 2
    for arguments in commands_of:
        assert run(*arguments).exit_code == 0, arguments


def test_what_the_text_leaves_open_is_noted() -> None:
    result = run("derive", "AvgPool1d(kernel_size=(3,), stride=(3,), padding=(0,))", "--what", "output")
    assert result.exit_code == 0
    assert "note: PyTorch does not print ceil_mode, count_include_pad" in result.output


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Conv2d(1, 2, 3", "must be closed by ')'"),
        ("Conv2d(1, 2, 3, foo=1)", "Conv2d has foo=1"),
        ("(1)", "must be a layer such as Conv2d"),
        ("Embedding(3, 4)", "Embedding is not a layer with windows"),
        ("exit()", "exit is not a layer with windows"),
    ],
)
def test_text_that_is_no_layer(text: str, message: str) -> None:
    result = run("derive", text)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_names_of_a_model_stay_in_their_line(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="a model is made with the onnx package")
    value, name = onnx.helper.make_tensor_value_info, "a\x1b[31mred\nfinding: none"
    weight = onnx.helper.make_tensor("w", 1, (1, 1, 3, 3), [1.0] * 9)
    node = onnx.helper.make_node("Conv", ["x", "w"], ["y"], name=name, pads=[-1] * 4)
    graph = onnx.helper.make_graph([node], "g", [value("x", 1, (1, 1, 9, 9))], [value("y", 1, None)], [weight])
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx.helper.make_model(graph).SerializeToString())
    lines = run("network", path).output.split("\n")
    assert lines[1].startswith("a\\x1b[31mred\\nfinding: none  Conv")
    assert lines[3].startswith("warning: a\\x1b[31mred\\nfinding: none reads not all")
    assert len(lines) == 5
