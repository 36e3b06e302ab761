"""All workloads, and those that a pattern asks for."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import lru_cache

from symconv.bench.case import Workload
from symconv.bench.networks import network_workloads
from symconv.bench.numeric import numeric_workloads
from symconv.bench.symbolic import symbolic_workloads
from symconv.errors import ArgumentError

__all__ = ["select", "workloads"]


@lru_cache(maxsize=1)
def workloads() -> tuple[Workload, ...]:
    """All of them, those of a group next to each other; none is built.

    >>> workloads()[0].name
    'image-k3-512-float32'
    """
    every = [*numeric_workloads(), *network_workloads(), *symbolic_workloads()]
    groups = dict.fromkeys(workload.group for workload in every)
    return tuple(workload for group in groups for workload in every if workload.group == group)


def select(patterns: Sequence[str] = (), *, quick: bool = False) -> tuple[Workload, ...]:
    """The workloads that a pattern matches, or all.

    Args:
        patterns: parts of a name, or shell patterns of a whole one, such as "pool-*-k2"; any of them will do.
        quick: only those of a quick run; where patterns are given, all that they match.

    Raises:
        ArgumentError: for a pattern that matches no workload.

    >>> [workload.name for workload in select(["pool-max*k31"])]
    ['pool-max-k31']
    """
    every = workloads()
    if not patterns:
        return tuple(workload for workload in every if workload.quick or not quick)
    wanted: set[str] = set()
    for pattern in patterns:
        found = {workload.name for workload in every if _matches(workload.name, pattern.lower())}
        if not found:
            known = ", ".join(workload.name for workload in every)
            raise ArgumentError("pattern", pattern, "must match a workload", f"the workloads are {known}")
        wanted |= found
    return tuple(workload for workload in every if workload.name in wanted)


def _matches(name: str, pattern: str) -> bool:
    if not pattern:
        return False
    return fnmatchcase(name, pattern) if any(c in pattern for c in "*?[") else pattern in name
