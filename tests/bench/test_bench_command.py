"""``symconv bench``: the catalogue, the measuring process, the JSON, the picture, the exit status."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from click.testing import Result as Outcome

import symconv.bench.session as session
from symconv.bench.case import BenchSettings
from symconv.bench.catalogue import select, workloads
from symconv.bench.measure import spread
from symconv.bench.plot import ratio_plot
from symconv.bench.records import Mark, PeerResult, Result
from symconv.bench.session import Report, run_session
from symconv.cli.application import commands
from symconv.errors import ArgumentError, SymconvError

MACHINE = {
    "when": "2020-01-01T00:00:00+00:00",
    "processor": "A <processor> & more",
    "cores": 4,
    "load": 0.5,
    "system": "Linux",
    "python": "3.11",
    "symconv": "1",
    "numpy": "2",
    "blas": "blas 1",
    "sympy": "1",
    "threads": 1,
    "peers": {"PyTorch": "2", "OpenCV": None},
}


def run(*arguments: str) -> Outcome:
    return CliRunner().invoke(commands, ["bench", *arguments])


def result(name: str, ratio: float | None, **options: Any) -> Result:
    peers = () if ratio is None else (PeerResult("torch NCHW", "PyTorch", spread([ratio]), spread([ratio]), 0.0),)
    options = {"status": "measured", "mark": Mark("ratio", 0.5), **options}
    return Result(name, options.pop("group", "g"), "w", seconds=spread([1.0]), peers=peers, **options)


# --- the catalogue ----------------------------------------------------------------------------------------------------


def test_names_are_unique_and_groups_stand_together() -> None:
    names = [workload.name for workload in workloads()]
    assert len(set(names)) == len(names)
    groups = [workload.group for workload in workloads()]
    changes = sum(a != b for a, b in pairwise(groups))
    assert changes == len(set(groups)) - 1
    assert any(workload.quick for workload in workloads())


def test_patterns_are_parts_of_names_or_shell_patterns() -> None:
    assert {w.name for w in select(["pool-max-k2"])} == {"pool-max-k2", "pool-max-k2-backward"}
    assert {w.name for w in select(["pool-max-k2", "IMPORT"])} == {"pool-max-k2", "pool-max-k2-backward", "import"}
    listed = [w.name for w in select(["pool-*-k3"])]
    assert listed == [f"pool-{order}{name}-k3" for name in ("max", "average", "lp") for order in ("", "nhwc-")]
    assert set(select(quick=True)) < set(select())


@pytest.mark.parametrize("pattern", ["nothing", "", "pool-*-k99", "[", "../x", "a" * 10_000])
def test_a_pattern_without_a_match_is_refused_with_the_names(pattern: str) -> None:
    with pytest.raises(ArgumentError, match=r"^pattern must match a workload, got .*pool-max-k2"):
        select([pattern])
    outcome = run("--only", pattern)
    assert outcome.exit_code == 2
    assert "image-k3-512-float32" in outcome.output


def test_the_list_shows_marks_and_measures_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "run_session", lambda *_: pytest.fail("it measured"))
    outcome = run("--list", "--only", "call-conv")
    assert outcome.exit_code == 0
    assert outcome.output.splitlines() == [
        "time",
        "call-conv-8x8  ≤ 30 µs    quick  one call of conv on 8 x 8, window 3",
    ]


# --- one workload, really measured ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Path]:
    folder = tmp_path_factory.mktemp("bench") / "made" / "for it"
    return run("--quick", "--only", "call-max", "--seconds", "0.05", "--cpu-time", "-o", str(folder)), folder


def test_a_quick_run_prints_a_table_and_writes_json_and_picture(measured: tuple[Outcome, Path]) -> None:
    outcome, folder = measured
    assert outcome.exit_code == 0, outcome.output
    lines = outcome.output.splitlines()
    (row,) = (line for line in lines if line.startswith("call-max-8x8"))
    assert "≤ 30 µs" in row
    assert lines[0].endswith("1 thread each")
    assert "calls are timed by the processor time of the process" in lines
    assert f"wrote {folder / 'bench.json'}" in lines
    assert sorted(path.name for path in folder.iterdir()) == ["bench.json", "bench.svg"]
    ET.fromstring((folder / "bench.svg").read_text(encoding="utf-8"))


def test_the_json_holds_what_its_schema_says(measured: tuple[Outcome, Path]) -> None:
    def refuse(constant: str) -> Any:
        raise AssertionError(f"{constant} is no JSON")

    record = json.loads((measured[1] / "bench.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert set(record) == {"schema", "machine", "settings", "results"}
    assert record["schema"] == 1
    assert record["settings"] == {"accuracy": None, "seconds": 0.05, "cpu_time": True, "backend": "numpy"}
    assert set(record["machine"]) == set(MACHINE)
    assert record["machine"]["processor"]
    assert set(record["machine"]["peers"]) == {"PyTorch", "OpenCV", "SciPy", "ONNX reference", "ONNX Runtime"}
    (found,) = record["results"]
    assert set(found) == {
        *(
            "name",
            "group",
            "what",
            "status",
            "seconds",
            "peers",
            "mark",
            "tolerance",
            "plan",
            "note",
            "libraries",
            "accuracy",
        ),
        *("peak_bytes", "peak_limit", "best", "ratio", "met", "slower_than"),
    }
    assert found["mark"] == {"kind": "seconds", "value": 30e-6}
    assert found["met"] == (found["seconds"]["median"] <= 30e-6)
    ratios = {}
    for peer in found["peers"]:
        assert set(peer) == {"name", "library", "seconds", "ratio", "error", "reason"}
        assert (peer["ratio"] is None) == (peer["seconds"] is None) == bool(peer["reason"])
        if peer["ratio"] is not None:
            assert peer["ratio"]["low"] <= peer["ratio"]["median"] <= peer["ratio"]["high"]
            assert peer["error"] <= found["tolerance"]
            ratios[peer["name"]] = peer["ratio"]["median"]
            assert record["machine"]["peers"][peer["library"]]
    if ratios:
        assert found["status"] == "measured"
        assert found["best"] == min(ratios, key=ratios.__getitem__)
        assert found["ratio"]["median"] == min(ratios.values())
    else:
        assert (found["status"], found["best"], found["ratio"]) == ("unchecked", None, None)
    assert json.loads(json.dumps(Result.from_json(found).as_json())) == found


# --- the measuring process --------------------------------------------------------------------------------------------

FAKE_CHILD = """
import json, os, sys
request = json.load(sys.stdin)
print(json.dumps({"machine": json.loads(sys.argv[1])}), flush=True)
for name in request["names"]:
    print(json.dumps({"begin": name}), flush=True)
    if name == "pool-max-k2":
        print("last words", file=sys.stderr, flush=True)
        os._exit(7)
    assert os.environ["OMP_NUM_THREADS"] == "1"
    result = {**json.loads(sys.argv[2]), "name": name}
    print(json.dumps({"result": result}), flush=True)
"""


def test_a_workload_that_kills_the_process_fails_and_the_others_go_on() -> None:
    chosen = select(["pool-m*-k2", "pool-max-k2-backward", "import"])
    assert [w.name for w in chosen] == ["pool-max-k2", "pool-max-k2-backward", "import"]
    command = (sys.executable, "-c", FAKE_CHILD, json.dumps(MACHINE), json.dumps(result("x", 2.0).as_json()))
    seen: list[tuple[str, int]] = []
    report = run_session(chosen, BenchSettings(), lambda name, done: seen.append((name, done)), command)
    assert [r.status for r in report.results] == ["failed", "measured", "measured"]
    assert report.results[0].note == "the measuring process ended with status 7: last words"
    assert seen == [("pool-max-k2", 0), ("pool-max-k2-backward", 1), ("import", 2)]
    assert report.machine == MACHINE
    assert not report.sound


def test_a_process_that_never_starts_is_an_error() -> None:
    command = (sys.executable, "-c", "import sys; sys.exit('no such thing')")
    with pytest.raises(SymconvError, match=r"^the measuring process ended with status 1: no such thing$"):
        run_session(select(["import"]), BenchSettings(), lambda *_: None, command)


# --- exit status and refusals -----------------------------------------------------------------------------------------


def fake_run(monkeypatch: pytest.MonkeyPatch, *results: Result) -> None:
    monkeypatch.setattr(session, "run_session", lambda _, settings, __: Report(MACHINE, settings, results))


def test_a_wrong_result_makes_the_exit_status_1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wrong = replace(result("bad", 2.0), status="wrong", note="differs from torch NCHW by 1; allowed is 0")
    fake_run(monkeypatch, result("good", 2.0), wrong)
    outcome = run("-o", str(tmp_path))
    assert outcome.exit_code == 1
    assert "bad: WRONG: differs from torch NCHW by 1; allowed is 0" in outcome.output
    assert json.loads((tmp_path / "bench.json").read_text())["results"][1]["ratio"] is None


def test_a_mark_that_is_not_met_leaves_the_exit_status_0(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake_run(monkeypatch, result("slow", 0.1))
    outcome = run("-o", str(tmp_path), "--json", str(tmp_path / "other.json"))
    assert outcome.exit_code == 0
    assert [line.split()[-1] for line in outcome.output.splitlines() if line.startswith("slow")] == ["below"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bench.svg", "other.json"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--accuracy", "perfect"), "accuracy must be one of"),
        (("--backend", "fortran"), "backend must be"),
        (("--backend", "auto"), "must be a backend that computes by itself"),
        (("--seconds", "0"), "must be from 0.01 to 3600 seconds, got 0"),
        (("--seconds", "nan"), "must be from 0.01 to 3600 seconds, got nan"),
        (("-o", "{tmp}/file"), "file"),
        (("--json", "{tmp}/none/x.json"), "create it first"),
        (("--json", "{tmp}"), "directory"),
        (("--json", "-"), "name a file with --json"),
    ],
)
def test_a_wrong_call_is_refused_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.setattr(session, "run_session", lambda *_: pytest.fail("it measured"))
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    outcome = run(*(argument.format(tmp=tmp_path) for argument in arguments))
    assert outcome.exit_code == 2, outcome.output
    assert message in outcome.output


# --- the picture ------------------------------------------------------------------------------------------------------

SVG = "{http://www.w3.org/2000/svg}"


def bars(report: Report) -> list[tuple[float, float, str]]:
    """(left, right, colour) of the bars; the background and the keys of the legend are left out."""
    root = ET.fromstring(ratio_plot(report))
    rects = root.findall(f"{SVG}rect")[1:-2]
    return [(float(r.get("x")), float(r.get("x")) + float(r.get("width")), r.get("fill")) for r in rects]  # type: ignore[arg-type]


def test_bars_end_at_their_ratio_on_a_logarithmic_axis() -> None:
    report = Report(MACHINE, BenchSettings(), tuple(result(f"r{r}", r) for r in (0.25, 0.5, 2.0, 4.0)))
    (a, one, slow), (b, one2, _), (one3, c, fast), (one4, d, _) = bars(report)
    assert one == one2 == one3 == one4
    assert slow != fast
    assert one - a == pytest.approx(2 * (one - b), abs=0.3)
    assert d - one == pytest.approx(2 * (c - one), abs=0.3)
    assert c - one == pytest.approx(one - b, abs=0.3)


def test_a_wrong_or_unmeasured_result_has_no_bar() -> None:
    wrong = replace(result("bad", 9.0), status="wrong")
    unmeasured = replace(result("alone", None), peers=(PeerResult("cv2", "OpenCV", reason="not installed"),))
    report = Report(MACHINE, BenchSettings(), (wrong, replace(unmeasured, status="unchecked"), result("good", 2.0)))
    assert len(bars(report)) == 1
    texts = [t.text for t in ET.fromstring(ratio_plot(report)).iter(f"{SVG}text")]
    assert "WRONG" in texts
    assert "not measured" in texts
    assert "A <processor> & more, 4 cores, Linux; 1 thread each" in texts


def test_a_picture_of_nothing_is_still_a_picture() -> None:
    assert bars(Report(MACHINE, BenchSettings(), ())) == []
