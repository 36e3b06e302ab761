"""What a benchmark found: marks, times with a spread, the peers of a workload, results; and all of it as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["MARK_LIBRARIES", "SLOW_LIBRARIES", "Mark", "PeerResult", "Result", "Status", "TimeSpread"]

MARK_LIBRARIES = ("PyTorch", "OpenCV", "SciPy")
"""The libraries that a mark is set against; others are measured and shown beside them."""

SLOW_LIBRARIES = ("SciPy", "ONNX reference")
"""The libraries that no kernel may be slower than, on any workload."""

Status = Literal["measured", "wrong", "failed", "unchecked"]


@dataclass(frozen=True)
class TimeSpread:
    """The median of some numbers, and the quartiles around it."""

    median: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Mark:
    """What a workload is meant to reach.

    Attributes:
        kind: "ratio" for at least `value` times the speed of the best peer, "seconds" for at most `value` seconds.
        value: the ratio or the seconds.
    """

    kind: Literal["ratio", "seconds"]
    value: float


@dataclass(frozen=True)
class PeerResult:
    """One peer on one workload.

    Attributes:
        name: such as "torch NCHW".
        library: where it is from, such as "PyTorch".
        seconds: the time of a call; None where it was not measured.
        ratio: its time by ours, window by window; above 1 ours is faster.
        error: how far our output is from its output, as the gate measures it.
        reason: why it was not measured.
    """

    name: str
    library: str
    seconds: TimeSpread | None = None
    ratio: TimeSpread | None = None
    error: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Result:
    """What was found for one workload.

    Attributes:
        name, group, what: those of the workload.
        status: "measured"; "wrong" where the output differs from a peer's by more than the tolerance; "failed" where
            it ended in an error; "unchecked" where no peer was there to compare with.
        seconds: the time of one call of ours.
        peers: every peer, measured or not.
        mark: what is to be reached.
        tolerance: the largest error that the gate lets pass.
        plan, accuracy: the plan and the accuracy class of the kernel.
        peak_bytes, peak_limit: the most memory that NumPy held during a call, and what is allowed.
        note: what went wrong.
        libraries: those that the mark is set against.
    """

    name: str
    group: str
    what: str
    status: Status
    seconds: TimeSpread | None = None
    peers: tuple[PeerResult, ...] = ()
    mark: Mark | None = None
    tolerance: float | None = None
    plan: str = ""
    accuracy: str = ""
    peak_bytes: int | None = None
    peak_limit: int | None = None
    note: str = ""
    libraries: tuple[str, ...] = MARK_LIBRARIES

    @property
    def best(self) -> PeerResult | None:
        """The fastest peer that was measured; None for an output that is wrong, which has no speed."""
        return self._fastest(self.peers)

    @property
    def best_of_mark(self) -> PeerResult | None:
        """The fastest one among the libraries that the mark is set against."""
        return self._fastest(tuple(peer for peer in self.peers if peer.library in self.libraries))

    def _fastest(self, peers: tuple[PeerResult, ...]) -> PeerResult | None:
        if self.status != "measured":
            return None
        ratios = {peer.name: peer.ratio.median for peer in peers if peer.ratio is not None}
        return min((p for p in peers if p.name in ratios), key=lambda p: ratios[p.name], default=None)

    @property
    def met(self) -> bool | None:
        """Whether the mark is met; None where there is none, or where it could not be measured."""
        if self.mark is None:
            return None
        if self.status in ("wrong", "failed"):
            return False
        if self.mark.kind == "seconds":
            return None if self.seconds is None else self.seconds.median <= self.mark.value
        best = self.best_of_mark
        return None if best is None or best.ratio is None else best.ratio.median >= self.mark.value

    @property
    def slower_than(self) -> tuple[PeerResult, ...]:
        """The measured peers among `SLOW_LIBRARIES` that are faster than ours."""
        if self.status != "measured":
            return ()
        return tuple(
            p for p in self.peers if p.library in SLOW_LIBRARIES and p.ratio is not None and p.ratio.median < 1
        )

    def as_json(self) -> dict[str, Any]:
        """A dictionary of plain values, with what follows from them: the best peer, the ratio, whether the mark is met.

        >>> Result("x", "g", "w", "unchecked").as_json()["ratio"] is None
        True
        """
        best = self.best
        record = asdict(self)
        for peer in record["peers"]:
            if peer["error"] is not None and not math.isfinite(peer["error"]):
                peer["error"] = None  # JSON has no infinity; the note says what is wrong
        return {
            **record,
            "best": None if best is None else best.name,
            "ratio": None if best is None or best.ratio is None else asdict(best.ratio),
            "met": self.met,
            "slower_than": [peer.name for peer in self.slower_than],
        }

    @staticmethod
    def from_json(record: dict[str, Any]) -> Result:
        """The result that `as_json` made a record of."""
        derived = ("best", "ratio", "met", "slower_than")
        values = {key: value for key, value in record.items() if key not in derived}
        values["seconds"] = _spread(values["seconds"])
        values["mark"] = None if values["mark"] is None else Mark(**values["mark"])
        values["libraries"] = tuple(values["libraries"])
        values["peers"] = tuple(
            PeerResult(**{**peer, "seconds": _spread(peer["seconds"]), "ratio": _spread(peer["ratio"])})
            for peer in values["peers"]
        )
        return Result(**values)


def _spread(record: dict[str, Any] | None) -> TimeSpread | None:
    return None if record is None else TimeSpread(**record)
