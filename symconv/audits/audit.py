"""Where does a framework depart from the formula?"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from symconv.audits.departure import AuditReport
from symconv.audits.frameworks.call import AuditedFramework
from symconv.audits.isolation import Isolated, Limits
from symconv.audits.sweep import FrameworkSweep
from symconv.doors import one_of, plain_integer
from symconv.errors import ArgumentError

__all__ = ["FRAMEWORKS", "audit"]

FRAMEWORKS = {
    "torch": "pytorch.TORCH",
    "onnxruntime": "onnx_nodes.RUNTIME",
    "onnx-reference": "onnx_nodes.REFERENCE",
    "scipy": "scientific.SCIPY",
}
"""Where each framework is described."""
MOST_CALLS, MOST_MINUTES = 1_000_000, 24 * 60
LIMITS = Limits(20.0, 16 << 30)


def audit(
    framework: str,
    *,
    minutes: float = 10.0,
    cases: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int, int], None] | None = None,
) -> AuditReport:
    """Sweep the options of a framework's convolutions and poolings, and find where it departs from the formula.

    Calls that differ from the plainest one in one or two options come first, then options at random. Each is tried on
    small integers, numbers with all digits and, for poolings, negative entries, zeros, ties, NaN, infinities and
    entries near the ends of the type, with gradients where the framework has them; a floating-point entry may be off by
    the a-priori bound of sums in its type. What departs is made small: options, sizes and entries.

    The framework runs in a process of its own, which is started anew where it crashes or hangs.

    Args:
        framework: "torch", "onnxruntime", "onnx-reference" (the evaluator of the package onnx) or "scipy".
        minutes: how long it may take; at most a day.
        cases: how many calls to make at most; the report then depends on no clock, if the time suffices.
        seed: of the options at random and of the entries.
        progress: is told how many calls were made, how many there may be, and how many departures were found.

    Raises:
        ArgumentError: for a framework that is not known, or not installed, and for numbers out of range.

    >>> audit("caffe")
    Traceback (most recent call last):
    symconv.errors.ArgumentError: framework must be one of 'torch', ..., 'scipy', got 'caffe'
    """
    found = framework_of(framework)
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or not 0 < minutes <= MOST_MINUTES:
        raise ArgumentError("minutes", minutes, f"must be a number above 0, and at most {MOST_MINUTES}")
    most = MOST_CALLS if cases is None else plain_integer("cases", cases, 1)
    if most > MOST_CALLS:
        raise ArgumentError("cases", cases, f"must be at most {MOST_CALLS}")
    if progress is not None and not callable(progress):
        raise ArgumentError("progress", progress, "must be a function of three numbers, or None")
    seed = plain_integer("seed", seed, 0)
    return audited(found, 60.0 * minutes, most, seed, progress)


def audited(
    framework: AuditedFramework,
    seconds: float,
    most: int,
    seed: int,
    progress: Callable[[int, int, int], None] | None = None,
) -> AuditReport:
    """The audit of a framework that is described by its record."""
    until = time.monotonic() + seconds
    with Isolated(framework.start, LIMITS) as process:
        return FrameworkSweep(framework, process, seed, until, most, progress).report(_versions(framework))


def framework_of(name: Any) -> AuditedFramework:
    """The record of a framework.

    Raises:
        ArgumentError: where it is not known, or not installed.
    """
    module, _, record = FRAMEWORKS[one_of("framework", name, tuple(FRAMEWORKS))].partition(".")
    found: AuditedFramework = getattr(import_module(f"symconv.audits.frameworks.{module}"), record)
    for package in found.packages:
        if find_spec(package) is None:
            raise ArgumentError("framework", name, f"needs the package {package}", f"pip install {package}")
    return found


def _versions(framework: AuditedFramework) -> dict[str, str]:
    result = {}
    for package in framework.packages:
        try:
            result[package] = version(package)
        except PackageNotFoundError:
            result[package] = "of unknown version"
    return result
