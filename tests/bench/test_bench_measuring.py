"""Statistics of paired windows on a clock that the tests turn, and the gate on kernels that lie."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from symconv.bench.case import BenchSettings, Case, Cold, Contender, Missing, Workload
from symconv.bench.gate import TOLERANCES, array_error, tolerance
from symconv.bench.measure import measure, repeated, spread
from symconv.bench.records import Mark, PeerResult, Result, TimeSpread
from symconv.bench.run import run_workload
from symconv.bench.table import mark_text, remarks, time_text, verdict


class Clock:
    """A clock that only stands still or is turned; calls made with it take exactly as long as they say."""

    def __init__(self) -> None:
        self.now = 0.0
        self.log: list[str] = []

    def __call__(self) -> float:
        return self.now

    def takes(self, name: str, seconds: float | Callable[[int], float]) -> Callable[[], None]:
        count = iter(range(10**9))

        def call() -> None:
            self.log.append(name)
            self.now += seconds if isinstance(seconds, float) else seconds(next(count))

        return call


# --- statistics -------------------------------------------------------------------------------------------------------


def test_quartiles_are_those_of_the_textbook() -> None:
    assert spread([4.0, 1.0, 3.0, 2.0, 5.0]) == TimeSpread(3.0, 2.0, 4.0, 5)
    assert spread([1.0, 2.0]) == TimeSpread(1.5, 1.25, 1.75, 2)
    assert spread([7.0]) == TimeSpread(7.0, 7.0, 7.0, 1)


def test_ratios_are_the_times_of_the_peers_by_ours() -> None:
    clock = Clock()
    found = measure(
        clock.takes("ours", 0.02),
        {"quick": clock.takes("quick", 0.01), "slow": clock.takes("slow", 0.03)},
        seconds=1.0,
        clock=clock,
    )
    assert found.ours.median == pytest.approx(0.02)
    assert found.peers["quick"][1].median == pytest.approx(0.5)
    assert found.peers["slow"][1].median == pytest.approx(1.5)
    assert found.peers["slow"][0].median == pytest.approx(0.03)


def test_what_slows_the_machine_down_leaves_the_ratio_alone() -> None:
    clock = Clock()
    drift = iter(range(1, 10**9))
    # Every pair of calls is slower than the one before; a ratio of medians over all windows would still be right on
    # average, the quartiles of paired ratios would not be this narrow.
    speed = {"now": 1.0}

    def ours() -> None:
        speed["now"] = 1 + next(drift) / 10
        clock.now += 0.2 * speed["now"]

    def peer() -> None:
        clock.now += 0.4 * speed["now"]

    found = measure(ours, {"peer": peer}, seconds=60.0, clock=clock)
    ratio = found.peers["peer"][1]
    assert ratio.median == pytest.approx(2.0, rel=0.05)
    assert ratio.high - ratio.low < 0.1
    assert found.ours.high > 1.2 * found.ours.low


def test_everyone_starts_in_turn() -> None:
    clock = Clock()
    peers = {name: clock.takes(name, 0.01) for name in ("a", "b")}
    measure(clock.takes("ours", 0.01), peers, seconds=0.3, clock=clock)
    rounds = clock.log[6::2]  # two calls of each to find out how long they take; then each call comes after another one
    assert rounds[:9] == ["ours", "a", "b", "a", "b", "ours", "b", "ours", "a"]


def test_a_far_slower_peer_runs_in_a_few_rounds_only() -> None:
    clock = Clock()
    peers = {"best": clock.takes("best", 0.01), "far": clock.takes("far", 0.1)}
    found = measure(clock.takes("ours", 0.01), peers, seconds=2.0, clock=clock)
    assert found.peers["far"][1].count == 3
    assert found.peers["far"][1].median == pytest.approx(10.0)
    assert found.peers["best"][1].count > 20


def test_a_peer_that_takes_seconds_is_called_no_second_time() -> None:
    clock = Clock()
    peers = {"best": clock.takes("best", 0.01), "far": clock.takes("far", 5.0)}
    found = measure(clock.takes("ours", 0.02), peers, seconds=1.0, first={"far": 4.0}, clock=clock)
    assert "far" not in clock.log
    assert found.peers["far"] == (TimeSpread(4.0, 4.0, 4.0, 1), spread([4.0 / found.ours.median]))


def test_the_only_peer_is_timed_however_slow_it_is() -> None:
    clock = Clock()
    found = measure(
        clock.takes("ours", 0.01), {"far": clock.takes("far", 5.0)}, seconds=1.0, first={"far": 5.0}, clock=clock
    )
    assert found.peers["far"][1].count == 3


def test_the_time_there_is_may_be_that_of_another_clock() -> None:
    clock = Clock()
    found = measure(clock.takes("ours", 0.01), {}, seconds=2.0, clock=clock, wall=lambda: 10 * clock.now)
    assert 8 <= found.ours.count <= 11


def test_short_calls_share_a_window() -> None:
    clock = Clock()
    found = measure(clock.takes("ours", 1e-5), {}, seconds=0.05, clock=clock)
    assert found.ours.median == pytest.approx(1e-5)
    assert len(clock.log) > 100 * found.ours.count


def test_cold_samples_stop_with_the_time_but_not_below_the_least() -> None:
    clock = Clock()

    def sample(n: int) -> float:
        clock.now += 1.0
        return float(n)

    assert repeated(sample, 3.0, most=20, clock=clock).count == 3
    assert repeated(sample, 3.0, most=2, clock=clock).count == 2
    assert repeated(sample, 3.0, most=20, least=9, clock=clock) == spread([float(n) for n in range(9)])


# --- the gate ---------------------------------------------------------------------------------------------------------


def test_the_error_is_that_of_the_worst_entry_by_the_largest() -> None:
    assert array_error(np.float64([1, 2, 3.5]), np.float64([1, 2, 4])) == 0.125
    assert array_error(np.float32([0, 0]), np.float32([0, 0])) == 0
    assert array_error(np.float32([1, 0]), np.float32([0, 0])) == math.inf


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (np.ones((2, 2), "f4"), np.ones(4, "f4")),
        (np.ones(2, "f8"), np.ones(2, "f4")),
        (np.float32([1, np.nan]), np.float32([1, 1])),
        (np.float32([1, 1]), np.float32([1, np.nan])),
        (np.float32([1, np.inf]), np.float32([1, -np.inf])),
    ],
    ids=["shape", "type", "nan", "number for nan", "sign of infinity"],
)
def test_what_cannot_agree_is_infinitely_far(ours: Any, theirs: Any) -> None:
    assert array_error(ours, theirs) == math.inf


def test_equal_nans_and_infinities_agree() -> None:
    values = np.float32([1, np.nan, -np.inf])
    assert array_error(values, values.copy()) == 0


def test_tolerances_grow_from_class_to_class_and_selections_are_exact() -> None:
    for dtype in ("float32", "float64"):
        classes = [TOLERANCES[name][dtype] for name in ("exact_order", "default", "fast")]
        assert classes == sorted(classes)
        assert len(set(classes)) == 3
        assert tolerance("fast", dtype, selects=True) == 0
    assert tolerance("no such class", "float32") == tolerance("exact_order", "float32")


# --- a workload with fake kernels -------------------------------------------------------------------------------------

RIGHT = np.float32([1, 2, 3])


def workload(build: Callable[[BenchSettings], Case | Cold], mark: Mark | None = None) -> Workload:
    return Workload("fake", "group", "a fake", build, mark)


def case(ours: Any, *peers: Contender | Missing) -> Callable[[BenchSettings], Case]:
    return lambda _: Case(ours, peers, array_error, 1e-5)


def peer(name: str, result: Any = RIGHT, library: str = "PyTorch") -> Contender:
    return Contender(name, library, lambda: result)


QUICKLY = BenchSettings(seconds=0.01)


def test_a_wrong_kernel_is_caught_and_has_no_speed() -> None:
    called = []

    def ours() -> Any:
        called.append(1)
        return RIGHT * np.float32(1.001)

    found = run_workload(workload(case(ours, peer("a")), Mark("ratio", 0.1)), QUICKLY)
    assert found.status == "wrong"
    assert found.best is None
    assert found.seconds is None
    assert found.met is False
    assert verdict(found) == "WRONG"
    assert found.note == "differs from a by 0.001; allowed is 1e-05"
    assert len(called) == 1


def test_one_peer_that_disagrees_is_enough() -> None:
    found = run_workload(workload(case(lambda: RIGHT, peer("a"), peer("b", RIGHT + 1), peer("c"))), QUICKLY)
    assert found.status == "wrong"
    assert found.note.startswith("differs from b by ")
    assert [p.error for p in found.peers] == [0.0, pytest.approx(0.25), 0.0]


def test_a_kernel_of_another_type_is_wrong() -> None:
    found = run_workload(workload(case(lambda: RIGHT.astype("f8"), peer("a"))), QUICKLY)
    assert found.status == "wrong"
    assert found.as_json()["peers"][0]["error"] is None  # infinite, which JSON has no word for


def test_a_missing_peer_is_not_a_win() -> None:
    missing = (Missing("torch", "PyTorch", "not installed"), Missing("cv2", "OpenCV", "not installed"))
    found = run_workload(workload(case(lambda: RIGHT, *missing), Mark("ratio", 0.1)), QUICKLY)
    assert found.status == "unchecked"
    assert found.seconds is not None
    assert found.best is None
    assert found.met is None
    assert verdict(found) == "not measured"
    assert [p.reason for p in found.peers] == ["not installed", "not installed"]


def test_a_peer_outside_the_mark_does_not_meet_it() -> None:
    found = run_workload(
        workload(case(lambda: RIGHT, peer("ort", library="ONNX Runtime")), Mark("ratio", 0.0)), QUICKLY
    )
    assert found.best is not None
    assert found.best_of_mark is None
    assert found.met is None


def test_a_peer_that_refuses_is_not_measured_and_says_why() -> None:
    def refuse() -> Any:
        raise RuntimeError("no float64 here\nand more")

    refusing = Contender("ort", "ONNX Runtime", refuse)
    found = run_workload(workload(case(lambda: RIGHT, refusing, peer("a"))), QUICKLY)
    assert found.status == "measured"
    assert found.peers[0] == PeerResult("ort", "ONNX Runtime", reason="refused: no float64 here")
    assert found.best is not None
    assert found.best.name == "a"


def test_an_error_of_ours_fails_the_workload() -> None:
    def ours() -> Any:
        raise ValueError("broken")

    found = run_workload(workload(case(ours, peer("a")), Mark("ratio", 0.1)), QUICKLY)
    assert (found.status, found.note, found.met) == ("failed", "ValueError: broken", False)
    assert run_workload(workload(lambda _: Cold(lambda _: 1 / 0)), QUICKLY).status == "failed"  # type: ignore[arg-type]


def test_memory_is_watched_where_it_is_asked_for() -> None:
    def ours() -> Any:
        np.zeros(10_000_000, "u1")
        return RIGHT

    watched = replace(case(ours, peer("a"))(QUICKLY), moved=24)
    found = run_workload(workload(lambda _: watched), QUICKLY)
    assert found.peak_bytes is not None
    assert 10_000_000 <= found.peak_bytes < 11_000_000
    assert found.peak_limit == 36 + 64 * 2**20


# --- verdicts ---------------------------------------------------------------------------------------------------------


def measured(*ratios: tuple[str, str, float], mark: Mark | None = None, seconds: float = 1.0) -> Result:
    peers = tuple(PeerResult(n, lib, spread([r * seconds]), spread([r]), 0.0) for n, lib, r in ratios)
    return Result("w", "g", "what", "measured", spread([seconds]), peers, mark)


def test_the_best_peer_is_the_one_with_the_smallest_ratio() -> None:
    found = measured(("t", "PyTorch", 2.0), ("c", "OpenCV", 0.6), ("s", "SciPy", 0.9), mark=Mark("ratio", 0.5))
    assert found.best is not None
    assert found.best.name == "c"
    assert found.met is True
    assert verdict(found) == "met"
    assert [p.name for p in found.slower_than] == ["s"]


def test_a_ratio_of_a_wrong_result_counts_for_nothing() -> None:
    found = replace(measured(("s", "SciPy", 9.0), mark=Mark("ratio", 0.5)), status="wrong")
    assert (found.best, found.best_of_mark, found.met, found.slower_than) == (None, None, False, ())


def test_the_mark_names_its_own_best_peer_where_another_is_faster() -> None:
    found = measured(("t", "PyTorch", 0.7), ("o", "ONNX Runtime", 0.4), mark=Mark("ratio", 0.5))
    assert verdict(found) == "met (0.70, t)"
    assert found.as_json()["ratio"]["median"] == 0.4
    assert found.as_json()["met"] is True


def test_a_limit_in_seconds_needs_no_peer() -> None:
    limit = Mark("seconds", 0.05)
    assert measured(mark=limit, seconds=0.04).met is True
    assert verdict(measured(mark=limit, seconds=0.06)) == "over"
    assert replace(measured(mark=limit, seconds=0.04), status="unchecked").met is True


def test_numbers_are_shown_with_three_digits() -> None:
    assert [time_text(s) for s in (2e-9, 1.234e-5, 0.1234, 12.34)] == ["2.00 ns", "12.3 µs", "123 ms", "12.3 s"]
    assert [mark_text(m) for m in (None, Mark("seconds", 15.0))] == ["", "≤ 15 s"]


def test_remarks_count_what_there_is() -> None:
    from symconv.bench.session import Report

    results = (
        measured(("s", "SciPy", 0.5), mark=Mark("ratio", 0.4)),
        measured(("t", "PyTorch", 0.3), mark=Mark("ratio", 0.4)),
        replace(measured(mark=Mark("ratio", 1.0)), status="wrong", note="differs"),
        Result("u", "g", "what", "unchecked", mark=Mark("ratio", 1.0)),
        Result("v", "g", "what", "measured", peak_bytes=2 << 20, peak_limit=1 << 20),
    )
    report = Report({}, BenchSettings(), results)
    lines = list(remarks(report))
    assert lines[-1] == "5 workloads: 1 marks met, 1 not met, 1 not measured, 1 wrong, 1 unchecked"
    assert "w: WRONG: differs" in lines
    assert "SciPy or ONNX's reference evaluator is faster on w (s, 0.50)." in lines
    assert any(line.endswith("is above 1.5 x (inputs + outputs) + 64 MiB on v (2 MiB of 1).") for line in lines)
    assert not report.sound
    assert Report({}, BenchSettings(), results[:2]).sound


def test_a_busy_machine_is_called_busy() -> None:
    from symconv.bench.session import Report
    from symconv.bench.table import headings

    machine = {"processor": "p", "cores": 2, "system": "s", "threads": 1, "symconv": "1", "python": "3", "numpy": "2"}
    machine |= {"blas": "b", "sympy": "1", "peers": {"PyTorch": None, "SciPy": "1.0"}}
    calm, busy = (headings(Report(machine | {"load": load}, BenchSettings(), ())) for load in (0.4, 1.4))
    assert not any("busy" in line for line in calm)
    assert "the machine was busy when this began (load average 1.4): the figures are rough" in busy
    assert "peers: SciPy 1.0" in busy
    assert "not installed, and so not measured: PyTorch" in busy
