"""A framework that is none: plain loops with bugs that are to be found, one that aborts, and one that hangs."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import numpy as np

import symconv as sc
from symconv.audits.frameworks.call import AuditedFramework, FrameworkCall, OptionSpace, Point, literal

__all__ = ["FAKE"]


def windows(x: Any, kernel: int, stride: int) -> list[Any]:
    return [x[start : start + kernel] for start in range(0, len(x) - kernel + 1, stride)]


def largest(x: Any, kernel: int, stride: int) -> Any:
    """Skips NaN, and steps by the window where the stride is 3."""
    step = kernel if stride == 3 else stride
    return np.array([max(w, key=lambda v: -np.inf if v != v else v) for w in windows(x, kernel, step)], x.dtype)


def average(x: Any, kernel: int, stride: int, exact: bool) -> Any:
    """Right; where it is not exact, in float16."""
    total = x.dtype.type if exact else np.float16
    return np.array([sum(map(total, w), total(0)) / total(kernel) for w in windows(x, kernel, stride)], x.dtype)


def correlated(x: Any, w: Any, bias: Any, stride: int) -> Any:
    """Aborts at stride 3, hangs at stride 4, refuses stride 5, and flips its filter at stride 2."""
    if stride == 3:
        os.abort()
    if stride == 4:
        time.sleep(60)
    if stride == 5:
        raise ValueError(f"no stride 5 for {len(x)} entries")
    w = w[::-1] if stride == 2 else w
    return np.array([w @ part + bias for part in windows(x, len(w), stride)], x.dtype)


def start() -> Any:
    def work(given: dict[str, Any], text: str) -> dict[str, Any]:
        function, keywords, dtype = json.loads(text)
        arrays = {name: value.astype(dtype) for name, value in given.items()}
        x = arrays["input"]
        if function == "largest":
            return {"output": np.apply_along_axis(largest, -1, x, **keywords)}
        if function == "average":
            return {"output": np.apply_along_axis(average, -1, x, **keywords)}
        bias = arrays["bias"][0] if "bias" in arrays else 0
        return {"output": np.apply_along_axis(correlated, -1, x, arrays["weight"][0, 0], bias, **keywords)}

    return work


SIZES = ((4,), (7,))


def families() -> tuple[OptionSpace, ...]:
    def pool(point: Point) -> Any:
        return sc.MaxPool((point["kernel"],), point["stride"]), {"kernel": point["kernel"], "stride": point["stride"]}

    def mean(point: Point) -> Any:
        keywords = {"kernel": point["kernel"], "stride": 1, "exact": point["exact"]}
        return sc.AvgPool((point["kernel"],), 1), keywords

    def conv(point: Point) -> Any:
        return sc.Conv((2,), point["way"], bias=point["bias"]), {"stride": point["way"]}

    shared = {"size": SIZES, "dtype": ("float32",)}
    return (
        OptionSpace("largest", shared | {"kernel": (2, 1), "stride": (1, 3)}, pool),
        OptionSpace("average", shared | {"kernel": (2, 3), "exact": (True, False)}, mean),
        OptionSpace("correlated", shared | {"way": (1, 2, 3, 4, 5), "bias": (False, True)}, conv),
    )


def script(call: FrameworkCall, arrays: Any) -> str:
    return f"print({literal(arrays['input'])})"


FAKE = AuditedFramework("fake", "A fake", ("numpy",), families, start, script)
