"""What is compared: a workload, the case that it builds, and the contenders of that case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symconv.bench.records import MARK_LIBRARIES, Mark

__all__ = ["BenchSettings", "Case", "Cold", "Contender", "Missing", "Workload", "refusal"]


def _unchanged(result: Any) -> Any:
    return result


@dataclass(frozen=True)
class Contender:
    """A peer on one workload.

    Attributes:
        name: such as "torch NCHW".
        library: where it is from, such as "PyTorch".
        call: does the work, on data of its own kind; this is what is timed.
        array: turns what `call` gives into what the gate compares.
    """

    name: str
    library: str
    call: Callable[[], Any]
    array: Callable[[Any], Any] = _unchanged


@dataclass(frozen=True)
class Missing:
    """A peer that cannot be measured, and why."""

    name: str
    library: str
    reason: str


@dataclass(frozen=True)
class Case:
    """A workload with its data: what is timed, and against what.

    Attributes:
        ours: does the work.
        peers: those who do the same work, and those who could not come.
        error: how far our output is from a peer's; what is above `tolerance` is wrong.
        plan, accuracy: the plan and the accuracy class of the kernel.
        moved: the bytes of all inputs and outputs, where memory is watched.
        libraries: those that the mark is set against.
    """

    ours: Callable[[], Any]
    peers: tuple[Contender | Missing, ...]
    error: Callable[[Any, Any], float]
    tolerance: float
    plan: str = ""
    accuracy: str = ""
    moved: int | None = None
    libraries: tuple[str, ...] = MARK_LIBRARIES


@dataclass(frozen=True)
class Cold:
    """A workload that is slow only once: every sample is a first time.

    Attributes:
        sample: does it for the n-th time, with something new, and gives the seconds it took.
        most: how many samples there can be.
        least: how many are taken even if that takes longer than a workload should.
    """

    sample: Callable[[int], float]
    most: int = 20
    least: int = 1


@dataclass(frozen=True)
class BenchSettings:
    """What the workloads need to know of a run.

    Attributes:
        accuracy: the accuracy class of all kernels; None for that of each workload.
        seconds: how long a workload is measured.
        problem: a problem file whose claims are checked.
        cpu_time: whether windows are timed by the processor time of the process, not by the clock on the wall.
        backend: what our kernels are compiled by.
    """

    accuracy: str | None = None
    seconds: float = 1.0
    problem: Path | None = None
    cpu_time: bool = False
    backend: str = "numpy"


@dataclass(frozen=True)
class Workload:
    """Something to measure.

    Attributes:
        name: what it is asked for by.
        group: the heading it stands under.
        what: the same in words.
        build: its case, with data; only this loads anything.
        mark: what is to be reached.
        quick: whether it belongs to a quick run.
    """

    name: str
    group: str
    what: str
    build: Callable[[BenchSettings], Case | Cold]
    mark: Mark | None = None
    quick: bool = False


def refusal(error: Exception) -> str:
    """What is said of a peer that raised: the first line of its message, or the name of the error."""
    return f"refused: {(str(error).strip().splitlines() or [type(error).__name__])[0][:120]}"
