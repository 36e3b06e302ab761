"""SciPy: `scipy.signal` and the filters of `scipy.ndimage` on plain arrays."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from symconv.audits.frameworks.call import AuditedFramework, FrameworkCall, OptionSpace, Point, literal
from symconv.audits.isolation import Work
from symconv.audits.reading import Array
from symconv.audits.subject import numpy_type
from symconv.operators.convolution import Conv
from symconv.operators.pooling import MaxPool

__all__ = ["SCIPY"]

SIZES = {1: ((5,), (1,), (2,), (3,), (4,), (7,)), 2: ((3, 4), (1, 1), (2, 3), (5, 4))}
WINDOWS = {1: ((2,), (1,), (3,), (4,), (5,)), 2: ((2, 2), (1, 1), (3, 2), (2, 3), (3, 3))}
DTYPES = ("float64", "float32", "int64")
LETTERS = {1: "W", 2: "HW"}
MODES = {"constant": "zeros", "mirror": "reflect", "nearest": "replicate", "wrap": "circular"}


def _centred(kernel: tuple[int, ...], *, late: bool) -> tuple[tuple[int, int], ...]:
    """The padding of an output of the size of the input, with the surplus of an even window before or after it."""
    return tuple((k - 1 - (k - 1) // 2, (k - 1) // 2) if late else ((k - 1) // 2, k - 1 - (k - 1) // 2) for k in kernel)


def _signal(axes: int, name: str) -> OptionSpace:
    flip = name.startswith("convolve")
    options = {
        "mode": ("valid", "full", "same"),
        "size": SIZES[axes],
        "dtype": DTYPES,
        "kernel_size": WINDOWS[axes],
    }
    if not name.endswith("2d"):
        options["method"] = ("direct", "fft", "auto")

    def build(point: Point) -> tuple[Any, dict[str, Any]] | None:
        kernel, mode = point["kernel_size"], point["mode"]
        if mode != "full" and any(k > n for k, n in zip(kernel, point["size"], strict=True)):
            return None  # the larger array is then the input
        # "centered with respect to the 'full' output": the middle of it, the earlier one of two
        padding = _centred(kernel, late=True) if mode == "same" else mode
        keywords = {key: point[key] for key in ("mode", "method") if key in point}
        return Conv(kernel, padding=padding, flip=flip), keywords

    function = f"scipy.signal.{name}"
    return OptionSpace(function, options, build, layout=LETTERS[axes], weight_layout=LETTERS[axes], title=name)


def _filter(axes: int, name: str) -> OptionSpace:
    options = {
        "mode": tuple(MODES),
        "size": SIZES[axes],
        "dtype": DTYPES,
        "kernel_size": WINDOWS[axes],
    }

    def build(point: Point) -> tuple[Any, dict[str, Any]]:
        kernel, flip = point["kernel_size"], name == "convolve"
        padding = _centred(kernel, late=not flip)  # the origin is entry k // 2 of the window, mirrored where it flips
        op = Conv(kernel, padding=padding, padding_mode=MODES[point["mode"]], flip=flip)
        return op, {"mode": point["mode"]}

    function = f"scipy.ndimage.{name}"
    return OptionSpace(
        function, options, build, layout=LETTERS[axes], weight_layout=LETTERS[axes], title=f"ndimage.{name}"
    )


def _largest(axes: int) -> OptionSpace:
    options = {"size": SIZES[axes], "dtype": DTYPES[:2], "kernel_size": WINDOWS[axes]}

    def build(point: Point) -> tuple[Any, dict[str, Any]]:
        kernel = point["kernel_size"]
        padding = _centred(kernel, late=True)
        return MaxPool(kernel, 1, padding), {"size": kernel, "mode": "constant", "cval": float("-inf")}

    return OptionSpace(
        "scipy.ndimage.maximum_filter", options, build, layout=LETTERS[axes], title="ndimage.maximum_filter"
    )


def _families() -> Iterator[OptionSpace]:
    for axes in (1, 2):
        for name in ("correlate", "convolve"):
            yield _signal(axes, name)
            yield _filter(axes, name)
        yield _largest(axes)
    for name in ("correlate2d", "convolve2d"):
        yield _signal(2, name)


def _start() -> Work:
    modules = {name: import_module(name) for name in ("scipy.signal", "scipy.ndimage")}

    def work(given: dict[str, Array], text: str) -> dict[str, object]:
        function, keywords, dtype = json.loads(text)
        keywords = {name: tuple(value) if isinstance(value, list) else value for name, value in keywords.items()}
        module, _, name = function.rpartition(".")
        arrays = [value.astype(numpy_type(dtype)) for value in given.values()]
        return {"output": getattr(modules[module], name)(*arrays, **keywords)}

    return work


def _script(call: FrameworkCall, arrays: Mapping[str, Array]) -> str:
    names = {name: {"input": "x", "weight": "w"}[name] for name in arrays}
    lines = ["import numpy as np", f"import {call.function.rpartition('.')[0]}", ""]
    lines += [f"{names[name]} = np.array({literal(array)}, np.{call.dtype})" for name, array in arrays.items()]
    said = ", ".join(
        f"{name}={'-np.inf' if value == float('-inf') else repr(value)}" for name, value in call.keywords.items()
    )
    lines.append(f"y = {call.function}({', '.join(names.values())}, {said})")
    lines.append('print("output", y.tolist())')
    return "\n".join(lines)


SCIPY = AuditedFramework("scipy", "SciPy", ("scipy",), lambda: tuple(_families()), _start, _script)
