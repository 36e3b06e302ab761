"""OpenCV and SciPy as peers: filters of one image, and SciPy's filters thinned out to a pooling.

They filter the whole image and treat its border in a way of their own; the windows that lie inside are cut out of that.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from symconv.bench.case import Contender, Missing
from symconv.bench.libraries import load
from symconv.bench.task import Data, Task

__all__ = ["opencv", "scipy"]

MOST_TAPS = 700_000_000
"""How many taps a direct loop is asked for: about a second of work."""


def opencv(task: Task, data: Data) -> list[Contender | Missing]:
    """``filter2D``, ``sepFilter2D``, ``dilate`` or ``blur`` for one image; nothing for other tasks."""
    cv2: Any = load("OpenCV")
    if not task.plane or task.direction != "forward" or task.operator == "lp":
        return []
    image, k = data.x[0, 0], task.kernel
    inside = _inside(task)
    zeros = cv2.BORDER_CONSTANT
    found: dict[str, Callable[[], Any]] = {}
    if task.operator == "max":
        ones = np.ones((k, k), np.uint8)
        found["cv2.dilate"] = lambda: cv2.dilate(image, ones)[inside]
    elif task.operator == "average":
        found["cv2.blur"] = lambda: cv2.blur(image, (k, k))[inside]
    else:
        weight = data.given_weight[0, 0]
        found["cv2.filter2D"] = lambda: cv2.filter2D(image, -1, weight, borderType=zeros)[inside]
        if task.separable:
            row, column = data.row, data.column
            found["cv2.sepFilter2D"] = lambda: cv2.sepFilter2D(image, -1, row, column, borderType=zeros)[inside]
    return [Contender(name, "OpenCV", call, _four_axes) for name, call in found.items()]


def scipy(task: Task, data: Data) -> list[Contender | Missing]:
    """What `scipy.ndimage` and `scipy.signal` have for the forward direction of one image or of a pooling."""
    if task.direction != "forward" or task.operator == "lp":
        return []
    ndimage: Any = import_module("scipy.ndimage")
    if task.operator != "conv":
        return [_pooling(task, data, ndimage)]
    if not task.plane:
        return []
    signal: Any = import_module("scipy.signal")
    image, weight = data.x[0, 0], data.given_weight[0, 0]
    inside = _inside(task)
    turned = np.ascontiguousarray(weight[::-1, ::-1])
    direct: dict[str, Callable[[], Any]] = {
        "ndimage.correlate": lambda: ndimage.correlate(image, weight, mode="constant")[inside],
        "signal.correlate2d": lambda: signal.correlate2d(image, weight, "valid"),
    }
    found: list[Contender | Missing] = []
    for name, call in direct.items():
        if task.taps > MOST_TAPS:
            found.append(Missing(name, "SciPy", "left out: a call takes seconds"))
        else:
            found.append(Contender(name, "SciPy", call, _four_axes))
    if task.kernel >= 7:
        found.append(
            Contender("signal.oaconvolve", "SciPy", lambda: signal.oaconvolve(image, turned, "valid"), _four_axes)
        )
    if task.separable:
        found.append(Contender("ndimage.correlate1d", "SciPy", _two_passes(ndimage, image, data, inside), _four_axes))
    return found


def _two_passes(ndimage: Any, image: Any, data: Data, inside: Any) -> Callable[[], Any]:
    def both() -> Any:
        first = ndimage.correlate1d(image, data.column, 0, mode="constant")
        return ndimage.correlate1d(first, data.row, 1, mode="constant")[inside]

    return both


def _pooling(task: Task, data: Data, ndimage: Any) -> Contender:
    """A filter of every window, and of its output the entries that the stride leaves."""
    x, k, s = data.x, task.kernel, task.stride
    before = task.padding - k // 2  # moves the window so that it begins `padding` before its output
    size, origin = (1, 1, k, k), (0, 0, before, before)
    kept = (..., *[slice(0, (task.outputs - 1) * s + 1, s)] * 2)
    if task.operator == "max":
        return Contender(
            "ndimage.maximum_filter",
            "SciPy",
            lambda: ndimage.maximum_filter(x, size=size, origin=origin, mode="constant", cval=-np.inf)[kept],
        )
    return Contender(
        "ndimage.uniform_filter",
        "SciPy",
        lambda: ndimage.uniform_filter(x, size=size, origin=origin, mode="constant")[kept],
    )


def _inside(task: Task) -> tuple[slice, slice]:
    """The centres of the windows that lie inside the image."""
    first = task.kernel // 2
    return (slice(first, first + task.outputs),) * 2


def _four_axes(image: Any) -> Any:
    return image[None, None]
