"""The audit finds what a framework does wrong, makes it small, and survives it."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from audits import fakes
from click.testing import CliRunner

import symconv as sc
from symconv.audits import audit as door
from symconv.audits.departure import AuditReport, Departure
from symconv.audits.frameworks import pytorch, scientific
from symconv.audits.frameworks.call import AuditedFramework, literal
from symconv.audits.isolation import Limits
from symconv.audits.neighbours import neighbours
from symconv.audits.powers import MeanPowerPool, PowerPool
from symconv.cli import application
from symconv.report.audit_page import audit_page


@pytest.fixture(scope="module")
def fake() -> AuditReport:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(door, "LIMITS", Limits(0.5, 4 << 30))
        return door.audited(fakes.FAKE, 120.0, 1000, 0)


def some(framework: AuditedFramework, *endings: str) -> AuditedFramework:
    """A framework with some of its functions, on one axis where there are several numbers of axes."""
    families = {f.function: f for f in reversed(framework.families()) if f.function.endswith(endings)}
    return replace(framework, families=lambda: tuple(families.values()))


def departures(report: AuditReport, function: str) -> dict[str, Departure]:
    """By what is wrong, in a word of it."""
    return {each.finding.words: each for each in report.departures if each.call.function == function}


def the(report: AuditReport, function: str, words: str) -> Departure:
    (found,) = [each for said, each in departures(report, function).items() if words in said]
    return found


def test_all_of_the_space_is_seen_and_counted(fake: AuditReport) -> None:
    assert fake.finished
    assert [(each.function, each.calls, each.equal) for each in fake.functions] == [
        ("largest", 8, 2),  # where a window has one entry, none can be skipped
        ("average", 8, 4),
        ("correlated", 20, 4),
    ]


def test_a_crash_and_a_hang_are_findings(fake: AuditReport) -> None:
    crash, hang = the(fake, "correlated", "it crashes"), the(fake, "correlated", "it hangs")
    assert (crash.kind, crash.options, crash.call.keywords) == ("crash", ("way",), {"stride": 3})
    assert "SIGABRT" in crash.finding.words
    assert (hang.kind, hang.options, hang.call.keywords) == ("crash", ("way",), {"stride": 4})
    assert crash.calls == hang.calls == 4


def test_a_refusal_is_one_finding_whatever_its_numbers(fake: AuditReport) -> None:
    found = the(fake, "correlated", "it raises")
    assert (found.kind, found.call.keywords) == ("undocumented", {"stride": 5})


def test_another_formula_is_found_and_checked_on_larger_inputs(fake: AuditReport) -> None:
    flipped = the(fake, "correlated", "the output at")
    assert flipped.kind == "convention", flipped.finding.words
    assert flipped.theirs == sc.Conv((2,), 2, flip=True)
    assert np.count_nonzero(flipped.finding.arguments["input"]) == 1
    assert np.count_nonzero(flipped.finding.arguments["weight"]) == 1
    assert "bias" not in flipped.finding.arguments


def test_special_entries_and_lost_digits_have_their_kinds(fake: AuditReport) -> None:
    assert the(fake, "largest", "should be nan").kind == "undocumented"
    lost = [each for each in fake.departures if each.call.function == "average"]
    assert {each.kind for each in lost} & {"numeric", "wrong"}
    assert all("exact" in each.options for each in lost)


def test_the_same_audit_gives_the_same_report(fake: AuditReport) -> None:
    assert door.audited(fakes.FAKE, 60.0, 5, 3).rows() == door.audited(fakes.FAKE, 60.0, 5, 3).rows()
    json.dumps(fake.rows(), allow_nan=False)


def test_the_time_is_kept(fake: AuditReport) -> None:
    found = door.audited(fakes.FAKE, 1e-9, 1000, 0)
    assert (found.finished, found.calls) == (False, 0)


def test_the_page_escapes_and_shows_all(fake: AuditReport) -> None:
    page = audit_page(fake)
    assert page.count('<section class="departure"') == len(fake.departures)
    assert "<script" not in page
    assert page == audit_page(fake)
    for each in fake.departures:
        assert each.call.function in page
    with pytest.raises(sc.ArgumentError):
        audit_page("report")  # type: ignore[arg-type]


def test_scipy_departs_and_its_programs_run_as_they_are_printed() -> None:
    pytest.importorskip("scipy", reason="is audited")
    found = door.audited(some(scientific.SCIPY, "signal.correlate2d", "maximum_filter"), 300.0, 10, 0)
    shifted = next(each for each in found.departures if each.call.function == "scipy.signal.correlate2d")
    assert (shifted.kind, shifted.call.keywords["mode"]) == ("convention", "same")
    for each in found.departures:
        assert "symconv" not in each.script
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(compile(each.script, "printed", "exec"), {})
        given, formula = said.getvalue().splitlines()
        assert given.startswith("output [")
        assert formula.startswith("the formula gives ")
        value = np.array(eval(given.partition(" ")[2], {"nan": np.nan, "inf": np.inf}))
        assert value[each.finding.index] == pytest.approx(each.finding.given, nan_ok=True, abs=1e-14)


@pytest.mark.parametrize("framework", ["onnxruntime", "onnx-reference"])
def test_onnx_is_audited(framework: str) -> None:
    pytest.importorskip("onnxruntime" if framework == "onnxruntime" else "onnx", reason="is audited")
    found = door.audited(some(door.framework_of(framework), "LpPool", "Conv"), 300.0, 4, 0)
    assert found.calls == 4
    assert {each.call.function for each in found.departures} == {"LpPool"}
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(found.departures[0].script, "printed", "exec"), {})
    assert said.getvalue().startswith("output [")


def test_pytorch_departs_in_three_ways() -> None:
    pytest.importorskip("torch", reason="is audited")
    found = door.audited(some(pytorch.TORCH, ".lp_pool1d", ".max_pool1d"), 300.0, 8, 0)
    assert len(found.departures) >= 3
    followed = {type(each.theirs) for each in found.departures}
    assert PowerPool in followed, str(found)
    counts = {each.function.rpartition(".")[2]: each.calls - each.equal for each in found.functions}
    assert counts["max_pool1d"] == 0


def test_the_formulas_beside_a_norm_against_plain_loops() -> None:
    x = np.array([1.0, -3.0, 2.0, 2.0, -1.0])
    options = {"kernel_size": (2,), "stride": (2,), "ceil_mode": True}
    sums = [1 - 27, 8 + 8, -1]
    roots = [np.nan if s < 0 else s ** (1 / 3) for s in sums]
    np.testing.assert_allclose(PowerPool(3, **options).kernel()(x), roots)
    squares = [1 + 9, 4 + 4, 2 * 1]  # one tap of two: its average counts twice
    np.testing.assert_allclose(MeanPowerPool(2, **options).kernel()(x), np.sqrt(squares))
    pulled = MeanPowerPool(2, **options).kernel().vjp(np.ones(3), x).input
    np.testing.assert_allclose(pulled, [1 / 10**0.5, -3 / 10**0.5, 2 / 8**0.5, 2 / 8**0.5, -2 / 2**0.5])
    assert str(PowerPool(3, (2,)).output()) == "c[p] = (∑(m = 0 … 1) a[2p+m]^3)^(1/3)"


def test_neighbours_differ_in_one_option() -> None:
    op = sc.AvgPool((2,), padding=1)
    found = list(neighbours(op))
    assert sc.AvgPool((2,), padding=1, count_include_pad=False) in found
    assert sc.AvgPool((2,), padding=1, ceil_mode=True) in found
    assert sc.AvgPool((2,), padding=1, divisor_override=2) in found


def test_literals_are_python() -> None:
    array = np.array([[[0.5, np.nan], [-np.inf, np.inf]], [[np.inf, 1.0], [np.nan, np.nan]]])
    np.testing.assert_array_equal(np.array(eval(literal(array))), array)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"framework": "caffe"}, "framework must be one of"),
        ({"framework": "scipy", "minutes": 0}, "minutes must be a number above 0"),
        ({"framework": "scipy", "minutes": True}, "minutes must be a number above 0"),
        ({"framework": "scipy", "minutes": float("nan")}, "minutes must be a number above 0"),
        ({"framework": "scipy", "cases": 0}, "cases must be >= 1"),
        ({"framework": "scipy", "cases": 10**9}, "cases must be at most"),
        ({"framework": "scipy", "seed": -1}, "seed must be >= 0"),
        ({"framework": "scipy", "progress": 3}, "progress must be a function"),
    ],
)
def test_wrong_arguments_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(sc.ArgumentError, match=words):
        sc.audit(**options)  # type: ignore[arg-type]


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "find_spec", lambda name: None)
    with pytest.raises(sc.ArgumentError, match="pip install scipy"):
        sc.audit("scipy")


def test_the_command_writes_both_files_and_prints_json(tmp_path: Path) -> None:
    pytest.importorskip("scipy", reason="is audited")
    call = ["audit", "scipy", "--cases", "3", "-o", str(tmp_path / "new"), "--json"]
    ended = CliRunner().invoke(application.commands, call)
    assert ended.exit_code in (0, 1), ended.output
    rows = json.loads(ended.stdout)
    assert rows == json.loads((tmp_path / "new" / "scipy.json").read_text())
    assert sum(each["calls"] for each in rows["functions"]) == 3
    assert (tmp_path / "new" / "scipy.html").read_text().startswith("<!doctype html>")


def test_the_command_refuses_in_one_message(tmp_path: Path) -> None:
    for words in (["caffe"], ["scipy", "--minutes", "0"], ["scipy", "--cases", "0"], []):
        ended = CliRunner().invoke(application.commands, ["audit", *words])
        assert ended.exit_code == 2
        assert "Traceback" not in ended.output
