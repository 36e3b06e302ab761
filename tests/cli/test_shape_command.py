"""``symconv shape``: sizes with formulas, warnings, the inverse, and what it refuses."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from symconv.cli.application import commands


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(commands, ["shape", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def said(line: str) -> str:
    result = run(*line.split())
    assert result.exit_code == 0, result.output
    return result.output


def test_a_size_comes_with_its_formula() -> None:
    assert said("--input 224 --kernel 7 --stride 2 --padding 3") == (
        "O = ⌊(I + 2P − K)/S⌋ + 1 = ⌊(224 + 2·3 − 7)/2⌋ + 1 = 112\n"
    )
    assert said("transposed --input 7 --kernel 4 --stride 2 --padding 1 --output-padding 1") == (
        "O = S(I − 1) + K + R − 2P = 2·(7 − 1) + 4 + 1 − 2·1 = 15\n"
    )
    assert said("pool --input 7 --kernel 2 --ceil-mode").endswith("= 4\n")
    assert said("--input 9 --kernel 1") == "O = I − K + 1 = 9 − 1 + 1 = 9\n"


def test_every_axis_has_a_line() -> None:
    assert said("--input 224x320 --kernel 3 --stride 2x1 --padding same_upper") == (
        "axis 1: O = ⌈I/S⌉ = ⌈224/2⌉ = 112\naxis 2: O = I = 320\n224x320 -> 112x320\n"
    )


def test_dropped_positions_are_warned_of() -> None:
    assert said("pool --input 7 --kernel 2").splitlines()[1] == (
        "warning: 1 of 7 input positions is read by no output: 6 (the end)"
    )
    lines = said("--input 9x30 --kernel 1x1 --stride 4").splitlines()
    assert lines[3:] == [
        "warning: 6 of 9 input positions are read by no output on axis 1: 1-3, 5-7",
        "warning: 22 of 30 input positions are read by no output on axis 2: 1-3, 5-7, 9-11, 13-15, 17-19, 21-23, ... "
        "(8 runs)",
    ]
    assert "warning" not in said("pool --input 8 --kernel 2")
    assert "999,999,999 positions are too many" in said("--input 999999999 --kernel 3")


def test_the_examples_of_the_help_are_real_commands() -> None:
    examples = run("--help").output.split("Examples:")[1].split("Options:")[0].split("\n")
    commands_of = [line.split()[2:] for line in examples if line.strip().startswith("symconv shape")]
    assert len(commands_of) == 6
    for arguments in commands_of:
        assert run(*arguments).exit_code == 0, arguments


def test_json() -> None:
    record = json.loads(said("pool --input 7x8 --kernel 2 --json"))
    assert record["output"] == [3, 4]
    assert record["axes"][0]["unread"] == [[6, 6]]
    (found,) = json.loads(said("--input 224 --output 112 --kernel 7 --dilation 1 --json"))
    assert found["settings"][0]["total_padding"] == [5, 6]


def test_the_inverse() -> None:
    assert said("--input 224 --output 112 --kernel 7 --dilation 1").splitlines() == [
        "224 -> 112 with kernel 7",
        "  stride  padding  dilation  also",
        "       2        3         1  total padding 5 to 6, inputs 223 to 224",
        "  searched: at most 6 zeros on either side, dilation 1, any stride",
    ]
    lines = said("transposed --input 14x14x7 --output 28x28x7 --kernel 4x4x3 --dilation 1").splitlines()
    assert lines[0] == "axis 1, 2: 14 -> 28 with kernel 4"
    assert lines[2].split() == ["2", "1", "1", "0"]
    assert "axis 3: 7 -> 7 with kernel 3" in lines
    assert "  and at least 1000 more" in said("--input 100000 --output 2 --kernel 3 --limit 1")


def test_nothing_found_is_exit_status_1() -> None:
    result = run("--input", "5", "--output", "100", "--kernel", "3")
    assert result.exit_code == 1
    assert "nothing gives it" in result.output


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--kernel 3", "Missing option '--input'"),
        ("--input 5", "Missing option '--kernel'"),
        ("--input 5 --kernel 7", "effective size of at most the padded input"),
        ("--input 5x5 --kernel 3x3x3", "--kernel must have 1 entry or 2"),
        ("--input 5 --kernel 3 --stride 0", "stride must be >= 1"),
        ("--input 5 --kernel 3 --stride 2 --padding same", "needs stride 1"),
        ("--input 5 --kernel 3 --padding sane", "did you mean 'same'"),
        ("--input 5 --kernel 3 --padding 1:x", "--padding"),
        ("--input 5 --kernel 3 --ceil-mode", "--ceil-mode belongs to a pool"),
        ("--input 5 --kernel 3 --output-padding 1", "--output-padding belongs to a transposed convolution"),
        ("transposed --input 5 --kernel 3 --padding same", "use 'same_upper'"),
        ("transposed --input 1 --kernel 1 --padding 3", "must leave an output"),
        ("--input 5 --kernel 3 --output 5x5", "--output must have 1 entry, one an axis"),
        ("--input 5 --kernel 3 --output 5 --padding same", "--padding must be one number"),
        ("--input 5x5 --kernel 3 --output 5x5 --stride 1x2", "--stride must be one number"),
        ("--input 5 --kernel 3 --limit 3", "--limit belongs to the search with --output"),
        ("--input 5 --kernel 3 --most-dilation 3", "--most-dilation belongs to the search with --output"),
        ("--input 0 --kernel 3", "input_size must be >= 1"),
        ("--input 0 --output 1 --kernel 3", "input_size must be >= 1"),
        ("--input 5 --kernel 0", "kernel_size must be >= 1"),
        ("--input abc --kernel 3", "must be a shape such as 5x5"),
        ("cone --input 5 --kernel 3", "'cone' is not one of"),
    ],
)
def test_what_is_refused(line: str, message: str) -> None:
    result = run(*line.split())
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
