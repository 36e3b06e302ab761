"""One workload in this process: built, gated, measured."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter, process_time
from typing import Any

from symconv.bench.case import BenchSettings, Case, Cold, Contender, Missing, Workload, refusal
from symconv.bench.measure import measure, repeated
from symconv.bench.records import PeerResult, Result

__all__ = ["run_workload"]

MEMORY_FACTOR, MEMORY_FREE = 1.5, 64 << 20
"""A kernel may hold this many times the bytes of its inputs and outputs, and 64 MiB."""


def run_workload(workload: Workload, settings: BenchSettings) -> Result:
    """Build a workload, compare its output with that of every peer, then time them in turns.

    An output that differs from any peer's is wrong, and is not timed. A peer that raises is left out and says why; an
    error of ours makes the workload fail.
    """
    try:
        built = workload.build(settings)
        if isinstance(built, Cold):
            seconds = repeated(built.sample, settings.seconds, built.most, built.least)
            return Result(workload.name, workload.group, workload.what, "measured", seconds, mark=workload.mark)
        return _compared(workload, built, settings)
    except Exception as error:  # whatever it is, the other workloads are still worth measuring
        said = str(error).strip() or "no message"
        note = f"{type(error).__name__}: {said}"
        return Result(workload.name, workload.group, workload.what, "failed", mark=workload.mark, note=note)


def _compared(workload: Workload, case: Case, settings: BenchSettings) -> Result:
    output = case.ours()
    peers: list[PeerResult] = []
    present: dict[str, Contender] = {}
    first: dict[str, float] = {}
    wrong = []
    for peer in case.peers:
        if isinstance(peer, Missing):
            peers.append(PeerResult(peer.name, peer.library, reason=peer.reason))
            continue
        try:
            start = perf_counter()
            theirs = peer.call()
            first[peer.name] = perf_counter() - start
            theirs = peer.array(theirs)
        except Exception as error:  # a peer's refusal, in whatever class it comes, is a fact about the peer
            peers.append(PeerResult(peer.name, peer.library, reason=refusal(error)))
            continue
        error_found = case.error(output, theirs)
        if not error_found <= case.tolerance:
            wrong.append(f"{peer.name} by {error_found:.2g}")
        peers.append(PeerResult(peer.name, peer.library, error=error_found))
        present[peer.name] = peer
    result = Result(
        workload.name,
        workload.group,
        workload.what,
        "measured" if present else "unchecked",
        peers=tuple(peers),
        mark=workload.mark,
        tolerance=case.tolerance,
        plan=case.plan,
        accuracy=case.accuracy,
        libraries=case.libraries,
    )
    if wrong:
        note = f"differs from {', '.join(wrong)}; allowed is {case.tolerance:.2g}"
        return replace(result, status="wrong", note=note)
    calls = {name: peer.call for name, peer in present.items()}
    clock = process_time if settings.cpu_time else perf_counter
    found = measure(case.ours, calls, settings.seconds, first, clock, perf_counter)
    timed = [
        replace(p, seconds=found.peers[p.name][0], ratio=found.peers[p.name][1]) if p.name in present else p
        for p in peers
    ]
    result = replace(result, seconds=found.ours, peers=tuple(timed))
    if case.moved is None:
        return result
    return replace(result, peak_bytes=_peak(case.ours), peak_limit=int(MEMORY_FACTOR * case.moved) + MEMORY_FREE)


def _peak(call: Callable[[], Any]) -> int:
    """The most bytes that NumPy and Python hold at once during a call, beyond what was there before."""
    tracemalloc.start()
    try:
        result = call()
        _, peak = tracemalloc.get_traced_memory()
        del result
    finally:
        tracemalloc.stop()
    return peak
