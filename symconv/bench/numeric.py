"""The numeric workloads: layers, filters and poolings, each against every library that has the same operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from symconv.bench.case import BenchSettings, Case, Contender, Missing, Workload, refusal
from symconv.bench.libraries import library_version, load
from symconv.bench.records import Mark
from symconv.bench.task import Data, Direction, Dtype, Kind, Task

__all__ = ["case_of", "numeric_workloads", "peers_of"]

Provider = Callable[[Task, Data], list[Contender | Missing]]


def peers_of(task: Task, data: Data) -> tuple[Contender | Missing, ...]:
    """Everyone who does the same task; a library that is not installed, or refuses the task, is listed as missing."""
    from symconv.bench import filters, onnx_peers, pytorch

    providers: dict[str, Provider] = {
        "PyTorch": pytorch.contenders,
        "OpenCV": filters.opencv,
        "SciPy": filters.scipy,
        "ONNX reference": onnx_peers.reference,
        "ONNX Runtime": onnx_peers.runtime,
    }
    found: list[Contender | Missing] = []
    for library, provider in providers.items():
        if load(library) is None:
            found.append(Missing(library, library, "cannot be loaded" if library_version(library) else "not installed"))
            continue
        try:
            found += provider(task, data)
        except Exception as error:  # a peer's refusal, in whatever class it comes, is a fact about the peer
            found.append(Missing(library, library, refusal(error)))
    return tuple(found)


def case_of(task: Task, settings: BenchSettings) -> Case:
    """The task with its data and peers.

    A weight that our kernel gets at compile time is a constant of the peers' models where they have one.
    """
    from symconv.bench.gate import array_error, tolerance
    from symconv.bench.task import data_of, kernel_of

    data = data_of(task)
    accuracy = settings.accuracy or task.accuracy
    kernel, ours = kernel_of(task, data, accuracy, settings.backend)
    forward = task.direction == "forward"
    arrays = [data.x, data.weight, data.upstream]
    if not forward:  # a gradient is as large as what it is by
        arrays.append(data.weight if task.direction == "weight gradient" else data.x)
    return Case(
        ours,
        peers_of(task, data),
        array_error,
        tolerance(accuracy, task.dtype, selects=task.operator == "max" and forward),
        plan=kernel.plan_for(task.input_shape, task.dtype) if forward else "",
        accuracy=accuracy,
        moved=sum(array.nbytes for array in arrays if array is not None),
    )


def _workload(
    name: str, group: str, what: str, task: Task, ratio: float | None = None, quick: bool = False
) -> Workload:
    mark = None if ratio is None else Mark("ratio", ratio)
    return Workload(name, group, what, partial(case_of, task), mark, quick)


def numeric_workloads() -> Iterator[Workload]:
    """All of them, in the order of the table."""
    yield from _images()
    yield from _layers()
    yield from _poolings()
    yield from _large_windows()
    yield from _calls()


def _images() -> Iterator[Workload]:
    group = "one channel"
    marks: dict[Dtype, dict[int, float]] = {
        "float32": {3: 0.4, 5: 0.5, 7: 0.5, 11: 0.7},
        "float64": {3: 0.55, 5: 0.55, 7: 0.55, 11: 0.55},
    }
    for dtype, by_window in marks.items():
        for k, ratio in by_window.items():
            for size in (512, 1024, 2048):
                name = f"image-k{k}-{size}-{dtype}"
                what = f"{size} x {size}, window {k}, {dtype}"
                task = Task("conv", size, k, dtype=dtype)
                yield _workload(name, group, what, task, ratio, quick=size == 512 and (k, dtype) == (3, "float32"))
    large: tuple[tuple[Dtype, int, float | None], ...] = (
        ("float32", 512, 1.2),
        ("float32", 2048, 1.2),
        ("float64", 512, None),
    )
    for dtype, size, least in large:
        task = Task("conv", size, 31, dtype=dtype, bound=True)
        what = f"{size} x {size}, window 31, weight known at compile time, {dtype}"
        yield _workload(f"image-k31-{size}-{dtype}", group, what, task, least)
    for size in (512, 2048):
        task = Task("conv", size, 31, bound=True, separable=True)
        what = f"{size} x {size}, window 31 of rank one, weight known at compile time, float32"
        yield _workload(f"image-rank1-k31-{size}", group, what, task, 1.3)


LAYERS: dict[str, tuple[str, Task, dict[Direction, float]]] = {
    "64to64": (
        "64 to 64 channels, 56 x 56, window 3",
        Task("conv", 56, 3, channels=64, out_channels=64, padding=1),
        {"weight gradient": 0.3},
    ),
    "64to64-fast": (
        "64 to 64 channels, 56 x 56, window 3, where digits may be lost",
        Task("conv", 56, 3, channels=64, out_channels=64, padding=1, accuracy="fast"),
        {"forward": 0.8, "input gradient": 0.8},
    ),
    "16to32": (
        "16 to 32 channels, 8 images 56 x 56, window 3",
        Task("conv", 56, 3, batch=8, channels=16, out_channels=32, padding=1),
        {"forward": 0.45, "input gradient": 0.3, "weight gradient": 0.3},
    ),
    "3to64-stride2": (
        "3 to 64 channels, 224 x 224, window 7, stride 2",
        Task("conv", 224, 7, channels=3, out_channels=64, stride=2, padding=3),
        {"forward": 0.51, "input gradient": 1.4, "weight gradient": 0.3},
    ),
    "depthwise": (
        "64 channels one by one, 112 x 112, window 3",
        Task("conv", 112, 3, channels=64, out_channels=64, padding=1, groups=64),
        {"forward": 0.3},
    ),
    "1x1": (
        "256 to 64 channels, 56 x 56, window 1",
        Task("conv", 56, 1, channels=256, out_channels=64),
        {"forward": 0.68, "input gradient": 1.57},
    ),
}
"""Of every layer: what it is, the task, and the marks."""


def _layers() -> Iterator[Workload]:
    known = "weight known at compile time"
    for name, (what, task, marks) in LAYERS.items():
        bound = replace(task, bound=True)
        said = f"{what}, {known}"
        yield _workload(f"layer-{name}", "layers", said, bound, marks.get("forward"), quick=name == "16to32")
        if name == "64to64-fast":
            yield _workload(f"layer-{name}-free", "layers", f"{what}, weight given at the call", task)
    group = "layers, backward"
    for name, (what, task, marks) in LAYERS.items():
        backward = replace(task, bound=True, direction="input gradient")
        said = f"input gradient, {what}, {known}"
        yield _workload(f"layer-{name}-input-gradient", group, said, backward, marks.get("input gradient"))
        if name != "64to64-fast":
            backward = replace(task, direction="weight gradient")
            said = f"weight gradient, {what}"
            yield _workload(f"layer-{name}-weight-gradient", group, said, backward, marks.get("weight gradient"))


POOLINGS: tuple[tuple[Kind, str, dict[tuple[int, Direction], float]], ...] = (
    ("max", "max", {(2, "forward"): 1.0, (3, "forward"): 0.6, (2, "input gradient"): 0.6}),
    ("average", "average", {(2, "forward"): 0.36, (3, "forward"): 0.29, (2, "input gradient"): 0.9}),
    (
        "lp",
        "LP (p = 2)",
        {
            (2, "forward"): 3.5,
            (3, "forward"): 3.5,
            (2, "input gradient"): 3.5,
            (3, "input gradient"): 3.5,
        },
    ),
)
"""Of every pooling: the operator, what it is called, and the marks by window and direction.

PyTorch is measured in both orders of memory, whichever is the faster one. So is ours, and a mark stands at the order
that is; what the other one costs is measured beside it.
"""

ROWS_FASTER = {("max", "input gradient")}
"""Where ours is faster with the rows of a channel together than with its channels last."""


def _poolings() -> Iterator[Workload]:
    directions: tuple[tuple[Direction, str, str], ...] = (
        ("forward", "", "pooling"),
        ("input gradient", "-backward", "pooling, backward"),
    )
    for direction, suffix, group in directions:
        for operator, called, marks in POOLINGS:
            for k in (2, 3):
                task = Task(
                    operator,
                    112,
                    k,
                    batch=8,
                    channels=64,
                    stride=2,
                    padding=k // 3,
                    direction=direction,
                )
                name, what = f"{operator}-k{k}{suffix}", f"{called}, 8 x 64 planes 112 x 112, window {k}, stride 2"
                quick = (operator, k) == ("max", 2)
                last, mark = replace(task, channels_last=True), marks.get((k, direction))
                rows = (operator, direction) in ROWS_FASTER
                yield _workload(f"pool-{name}", group, what, task, mark if rows else None, quick)
                what += ", channels last"
                yield _workload(f"pool-nhwc-{name}", group, what, last, None if rows else mark, quick)


def _large_windows() -> Iterator[Workload]:
    for operator in ("max", "average"):
        task = Task(operator, 2048, 31)
        what = f"{operator} over windows of 31, 2048 x 2048, stride 1, float32"
        yield _workload(f"pool-{operator}-k31", "pooling", what, task, 0.7)


def _calls() -> Iterator[Workload]:
    mark = Mark("seconds", 30e-6)
    for name, task in (
        ("conv", Task("conv", 8, 3)),
        ("max", Task("max", 8, 2, stride=2)),
        ("average", Task("average", 8, 2, stride=2)),
    ):
        build = partial(case_of, task)
        what = f"one call of {name} on 8 x 8, window {task.kernel}"
        yield Workload(f"call-{name}-8x8", "time", what, build, mark, quick=name == "conv")
