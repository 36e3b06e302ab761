"""Test vectors read back and tried, as somebody does who has NumPy and nothing of symconv."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np


def cases_of(text: str) -> list[dict[str, Any]]:
    """The cases of a vectors.json."""
    return json.loads(text)["cases"]


def array_of(nested: Any, dtype: Any) -> Any:
    """Nested lists, in which "nan", "inf" and "-inf" may stand, as an array."""
    return np.array(nested, dtype=np.float64).astype(dtype)


def wrong(given: Any, due: Any, tolerance: float) -> bool:
    """Whether an array has another shape, or an entry that is too far off."""
    given, due = np.asarray(given, dtype=np.float64), np.asarray(due, dtype=np.float64)
    if given.shape != due.shape:
        return True
    with np.errstate(invalid="ignore"):
        near = np.abs(given - due) <= tolerance
    return not (near | (given == due) | (np.isnan(given) & np.isnan(due))).all()


def failures(
    cases: list[dict[str, Any]], function: Callable[..., Any], gradients: Callable[..., Any] | None, dtype: Any
) -> Iterator[str]:
    """What an implementation does wrong: the names of cases, each with what is wrong there."""
    for case in cases:
        tolerance = case["tolerance"].get(np.dtype(dtype).name)
        if tolerance is None:
            continue
        arrays = {name: array_of(nested, dtype) for name, nested in case["arguments"].items()}
        before = {name: array.copy() for name, array in arrays.items()}
        with np.errstate(all="ignore"):
            y = function(*arrays.values())
        if wrong(y, array_of(case["output"], np.float64), tolerance["output"]):
            yield f"{case['name']}: output"
        if any(wrong(arrays[name], before[name], 0) for name in arrays):
            yield f"{case['name']}: it writes to its arguments"
        if gradients is None or "gradients" not in case:
            continue
        with np.errstate(all="ignore"):
            found = gradients(array_of(case["grad_output"], dtype), *before.values())
        found = found if isinstance(found, tuple) else (found,)
        if len(found) != len(case["gradients"]):
            yield f"{case['name']}: a gradient is missing"
        for (name, due), part in zip(case["gradients"].items(), found, strict=False):
            if wrong(part, array_of(due, np.float64), tolerance[f"grad_{name}"]):
                yield f"{case['name']}: the gradient of the {name}"


def arrays_by_case(file: Path) -> dict[str, dict[str, Any]]:
    """The arrays of a vectors.npz by case and name."""
    found: dict[str, dict[str, Any]] = {}
    with np.load(file, allow_pickle=False) as archive:
        for key in archive.files:
            case, _, name = key.rpartition(".")
            found.setdefault(case, {})[name] = archive[key]
    return found
