"""PyTorch as a peer: the same work in both memory layouts, on tensors that are there already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symconv.bench.case import Contender, Missing
from symconv.bench.libraries import load
from symconv.bench.task import Data, Task

__all__ = ["contenders"]

LIBRARY = "PyTorch"
MOST_TAPS = {
    ("conv", "float32"): 5e9,
    ("conv", "float64"): 2e8,
    ("max", "float32"): 1e9,
    ("average", "float32"): 1e9,
}
"""How many taps of one image a loop or a matrix of taps is asked for: about two seconds of work."""


def contenders(task: Task, data: Data) -> list[Contender | Missing]:
    """ "torch NCHW" and "torch channels_last"; the latter only where there are channels to be last."""
    torch: Any = load(LIBRARY)
    if task.plane and task.taps > MOST_TAPS[task.operator, task.dtype]:
        return [Missing("torch NCHW", LIBRARY, "left out: a call takes seconds")]
    formats = {"NCHW": torch.contiguous_format}
    if task.channels > 1 or task.out_channels > 1:
        formats["channels_last"] = torch.channels_last
    found: list[Contender | Missing] = []
    for name, layout in formats.items():
        arrays = (data.x, data.weight, data.upstream)
        x, weight, upstream = (
            None if a is None else torch.from_numpy(a).contiguous(memory_format=layout) for a in arrays
        )
        work = _forward(torch, task, x, weight)
        if task.direction != "forward":
            work = _gradient(torch, task, x, weight, upstream, work)
        found.append(Contender(f"torch {name}", LIBRARY, work, _array))
    return found


def _array(result: Any) -> Any:
    return result.detach().numpy()


def _forward(torch: Any, task: Task, x: Any, weight: Any) -> Callable[[], Any]:
    functional = torch.nn.functional
    k, s, p = task.kernel, task.stride, task.padding
    if task.operator == "conv":
        return lambda: functional.conv2d(x, weight, None, s, p, 1, task.groups)
    if task.operator == "max":
        return lambda: functional.max_pool2d(x, k, s, p)
    if task.operator == "average":
        return lambda: functional.avg_pool2d(x, k, s, p)
    if p:  # lp_pool2d has no padding of its own
        return lambda: functional.lp_pool2d(functional.pad(x, (p, p, p, p)), 2, k, s)
    return lambda: functional.lp_pool2d(x, 2, k, s)


def _gradient(torch: Any, task: Task, x: Any, weight: Any, g: Any, forward: Callable[[], Any]) -> Callable[[], Any]:
    """The backward pass alone: what it needs of the forward pass, such as the places of the maxima, is given to it."""
    aten = torch.ops.aten
    window, stride, padding = ([n, n] for n in (task.kernel, task.stride, task.padding))
    if task.operator == "conv":
        mask = [task.direction == "input gradient", task.direction == "weight gradient", False]

        def convolution() -> Any:
            found = aten.convolution_backward(
                g, x, weight, None, stride, padding, [1, 1], False, [0, 0], task.groups, mask
            )
            return found[0] if mask[0] else found[1]

        return convolution
    if task.operator == "max":
        _, places = aten.max_pool2d_with_indices(x, window, stride, padding)
        return lambda: aten.max_pool2d_with_indices_backward(g, x, window, stride, padding, [1, 1], False, places)
    if task.operator == "average":
        return lambda: aten.avg_pool2d_backward(g, x, window, stride, padding, False, True, None)
    leaf = x.requires_grad_()
    with torch.enable_grad():
        y = forward()
    return lambda: torch.autograd.grad(y, leaf, g, retain_graph=True)[0]
