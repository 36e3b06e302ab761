"""Every peer does the task that its name says: small tasks against the plain-loop oracles."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import oracles
import pytest

from symconv.bench.case import BenchSettings, Case, Contender, Missing
from symconv.bench.catalogue import select
from symconv.bench.gate import array_error
from symconv.bench.networks import NETWORKS
from symconv.bench.numeric import peers_of
from symconv.bench.task import Data, Task, data_of

TASKS = {
    "image": Task("conv", 9, 3),
    "image, float64": Task("conv", 12, 7, dtype="float64"),
    "image, rank one": Task("conv", 10, 5, bound=True, separable=True),
    "layer": Task("conv", 6, 3, batch=2, channels=2, out_channels=3, padding=1),
    "layer, stride": Task("conv", 9, 5, channels=3, out_channels=2, stride=2, padding=2, bound=True),
    "depthwise": Task("conv", 6, 3, channels=4, out_channels=4, padding=1, groups=4),
    "max 2": Task("max", 8, 2, batch=2, channels=3, stride=2),
    "max 3": Task("max", 8, 3, channels=3, stride=2, padding=1),
    "max, stride 1": Task("max", 12, 5),
    "max, channels last": Task("max", 8, 2, batch=2, channels=3, stride=2, channels_last=True),
    "average 2": Task("average", 8, 2, batch=2, channels=3, stride=2),
    "average 3": Task("average", 8, 3, channels=3, stride=2, padding=1),
    "average, stride 1": Task("average", 12, 5),
    "LP 2": Task("lp", 8, 2, channels=2, stride=2),
    "LP 3": Task("lp", 8, 3, channels=2, stride=2, padding=1),
}
BACKWARD = ("layer", "layer, stride", "depthwise", "max 2", "max 3", "average 2", "average 3", "LP 2", "LP 3")


def geometry(task: Task) -> dict[str, Any]:
    return {"stride": task.stride, "padding": task.padding}


def expected(task: Task, data: Data) -> Any:
    """The output of the oracle, or its gradients (input, weight)."""
    x, weight, g = data.x.tolist(), None if data.weight is None else data.weight.tolist(), data.upstream.tolist()
    forward = task.direction == "forward"
    if task.operator == "conv":
        options = {**geometry(task), "groups": task.groups}
        if forward:
            return oracles.to_numpy(oracles.conv(x, weight, **options))
        found = oracles.conv_vjp(g, x, weight, **options)
        return tuple(oracles.to_numpy(gradient) for gradient in (found.input, found.weight))
    if task.operator == "max":
        if forward:
            return oracles.to_numpy(oracles.max_pool(x, task.kernel, **geometry(task))[0])
        return oracles.to_numpy(oracles.max_pool_vjp(g, x, task.kernel, **geometry(task)))
    if task.operator == "average":
        if forward:
            return oracles.to_numpy(oracles.avg_pool(x, task.kernel, **geometry(task)))
        return oracles.to_numpy(oracles.avg_pool_vjp(g, x, task.kernel, **geometry(task)))
    if forward:
        return oracles.to_numpy(oracles.lp_pool(x, 2, task.kernel, **geometry(task)))
    return oracles.to_numpy(oracles.lp_pool_vjp(g, x, 2, task.kernel, **geometry(task)))


def check(task: Task, wanted: Any) -> set[str]:
    """The names of the peers that were compared; each must agree."""
    seen = set()
    for peer in peers_of(task, data_of(task)):
        if isinstance(peer, Missing):
            assert peer.reason
            continue
        assert isinstance(peer, Contender)
        theirs = peer.array(peer.call())
        assert theirs.dtype == task.dtype, peer.name
        assert array_error(theirs.astype("f8"), wanted) < (2e-6 if task.dtype == "float32" else 1e-12), peer.name
        seen.add(peer.name)
    return seen


@pytest.mark.parametrize("name", TASKS)
def test_peers_compute_what_the_oracle_computes(name: str) -> None:
    task = TASKS[name]
    seen = check(task, expected(task, data_of(task)))
    scipy = {"max": "ndimage.maximum_filter", "average": "ndimage.uniform_filter", "conv": "ndimage.correlate"}
    if task.operator != "lp" and (task.plane or task.operator != "conv"):
        pytest.importorskip("scipy")
        assert scipy[task.operator] in seen


@pytest.mark.parametrize("name", BACKWARD)
def test_gradients_of_peers_are_those_of_the_oracle(name: str) -> None:
    pytest.importorskip("torch")
    task = replace(TASKS[name], direction="input gradient")
    wanted = expected(task, data_of(task))
    both = {"torch NCHW", "torch channels_last"}
    if task.operator != "conv":
        assert check(task, wanted) == both
        return
    for direction, gradient in (("input gradient", wanted[0]), ("weight gradient", wanted[1])):
        assert check(replace(task, direction=direction), gradient) == both  # type: ignore[arg-type]


def test_every_peer_library_takes_part_somewhere() -> None:
    for module in ("torch", "cv2", "scipy", "onnx", "onnxruntime"):
        pytest.importorskip(module)
    image = {p.name for p in peers_of(TASKS["image"], data_of(TASKS["image"])) if isinstance(p, Contender)}
    assert image == {
        "torch NCHW",
        "cv2.filter2D",
        "ndimage.correlate",
        "signal.correlate2d",
        "ONNX reference",
        "ONNX Runtime",
    }
    rank_one = {p.name for p in peers_of(TASKS["image, rank one"], data_of(TASKS["image, rank one"]))}
    assert {"cv2.sepFilter2D", "ndimage.correlate1d"} <= rank_one


def test_a_library_that_is_not_installed_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    from symconv.bench import numeric

    libraries = ("PyTorch", "OpenCV", "SciPy", "ONNX reference", "ONNX Runtime")
    monkeypatch.setattr(numeric, "load", lambda library: None)
    for version, reason in ((None, "not installed"), ("1.0", "cannot be loaded")):
        monkeypatch.setattr(numeric, "library_version", lambda library, found=version: found)
        found = peers_of(TASKS["image"], data_of(TASKS["image"]))
        assert found == tuple(Missing(library, library, reason) for library in libraries)


def test_data_is_the_same_every_time_and_of_the_type_asked_for() -> None:
    for task in TASKS.values():
        one, two = data_of(task), data_of(task)
        for name in ("x", "weight", "upstream"):
            a, b = getattr(one, name), getattr(two, name)
            assert (a is None) == (task.operator != "conv" and name == "weight")
            if a is not None:
                assert a.dtype == task.dtype
                assert np.array_equal(a, b)


@pytest.mark.parametrize("name", sorted(NETWORKS))
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_networks_and_their_peers_agree(name: str, direction: str) -> None:
    (workload,) = select([f"network-{name}{'-backward' if direction == 'backward' else ''}"])[:1]
    case = workload.build(BenchSettings())
    assert isinstance(case, Case)
    ours, (peer,) = case.ours(), case.peers
    assert np.isfinite(ours).all()
    if isinstance(peer, Missing):
        pytest.skip(f"PyTorch: {peer.reason}")
    assert case.error(ours, peer.array(peer.call())) <= case.tolerance
