"""``symconv derive winograd``: what it prints, what it takes, and what it refuses."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from symconv.cli.application import commands


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(commands, ["derive", "winograd", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_f_4_3_is_derived_and_its_matrices_are_shown() -> None:
    result = run("--m", "4", "--r", "3")
    assert result.exit_code == 0
    assert result.output.startswith("F(4, 3): 4 outputs of a correlation with 3 taps by 6 multiplications\n")
    assert "[proved: for all m, r]" in result.output
    assert "⎢  1/24  −1/12   1/6 ⎥" in result.output
    assert "refuted" not in result.output
    assert "Measured" not in result.output


@pytest.mark.parametrize("sizes", [("4x4", "3x3"), ("4", "3x3"), ("4x4", "3")])
def test_one_number_stands_for_both_axes(sizes: tuple[str, str]) -> None:
    assert run("--m", sizes[0], "--r", sizes[1]).output.startswith("F(4x4, 3x3): 16 outputs")


def test_points_are_taken_in_their_order() -> None:
    result = run("--m", "2", "--r", "3", "--points", "-1/2, 0.5,3")
    assert result.exit_code == 0
    assert "a = (−1/2, 1/2, 3, ∞)" in result.output


def test_axes_share_a_list_of_points_or_have_their_own() -> None:
    assert "a = (0, 1, 3, ∞)   (points; 4)" in run("--m", "2x2", "--r", "3", "--points", "0,1,3").output
    own = run("--m", "2x3", "--r", "3", "--points", "0,1,-1;0,1,-1,1/2").output
    assert "a = (0, 1, −1, ∞)   (points on axis 1, for F(2, 3); 4)" in own
    assert "a = (0, 1, −1, 1/2, ∞)   (points on axis 2, for F(3, 3); 5)" in own


def test_no_finite_point_is_an_empty_list() -> None:
    assert run("--m", "1", "--r", "1", "--points", "").output == run("--m", "1", "--r", "1").output


def test_errors_are_measured_on_request() -> None:
    pytest.importorskip("numpy")
    output = run("--m", "2", "--r", "3", "--errors").output
    rows = [line.split() for line in output.splitlines() if line.startswith("  float")]
    assert [row[0] for row in rows] == ["float16", "float32", "float64"]
    assert all(1 < float(row[-1]) < 3 for row in rows)


def test_latex_has_the_displays_and_what_they_hold_under() -> None:
    output = run("--m", "2x4", "--r", "3", "--format", "latex").output
    assert output.count("\\[\n") == output.count("\n\\]") == 4 + 1 + 6 + 1
    assert "A_{2}^{\\mathsf{T}} = \\left[\\begin{array}{rrrrrr}" in output
    assert output.isascii()


def test_help_teaches_by_examples() -> None:
    output = run("--help").output
    assert "symconv derive winograd --m 4 --r 3" in output
    assert "winograd" in CliRunner().invoke(commands, ["derive", "--help"]).output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--m", "4"), "Missing option '--r'"),
        (("--m", "0", "--r", "3"), "--m must be an integer >= 1, got 0"),
        (("--m", "4,x", "--r", "3"), "must be a shape such as 5x5"),
        (("--m", "2x2x2", "--r", "3"), "--m must have one or two axes, got (2, 2, 2)"),
        (("--m", "2x2", "--r", "3x3x3"), "--r must have as many axes as m, 2, got (3, 3, 3)"),
        (("--m", "40", "--r", "3"), "the limit is 32; compute fewer outputs at once"),
        (("--m", "2", "--r", "3", "--points", "0,1"), "= 3 finite points for F(2, 3), infinity being one more, not 2"),
        (("--m", "2", "--r", "3", "--points", "0,1,inf"), "got 'inf'; infinity is always one more; leave it out"),
        (("--m", "2", "--r", "3", "--points", "0,1,1.0"), "--points must be distinct, and 1 stands twice"),
        (("--m", "2", "--r", "3", "--points", "0,1,2**9**9"), "--points must be finite rational numbers"),
        (("--m", "2x2", "--r", "3", "--points", "0;1;2"), "--points must hold one list an axis, 2"),
        (("--m", "2x3", "--r", "3", "--points", "0,1,2"), "with two axes, one list an axis with ; between"),
        (("--m", "2", "--r", "3", "--points", ",".join(map(str, range(20_000)))), "not 20000"),
    ],
)
def test_bad_input_is_one_message_and_status_2(arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output
    assert len(result.output) < 600
