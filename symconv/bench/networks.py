"""Networks against PyTorch: LeNet, and a residual block of 64 channels; forward, and forward and backward together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from symconv.bench.case import BenchSettings, Case, Contender, Missing, Workload, refusal
from symconv.bench.libraries import library_version, load
from symconv.bench.records import Mark

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from symconv.operators.networks.network import Network

__all__ = ["block", "lenet", "network_workloads"]

LIBRARY = "PyTorch"
Weights = dict[str, dict[str, "NDArray[Any]"]]


def lenet() -> Network:
    """LeNet-5 as it is built today: LeCun et al. (1998), with maxima for averages and rectifiers."""
    from symconv.operators.convolution import Conv
    from symconv.operators.dense import Dense
    from symconv.operators.flatten import Flatten
    from symconv.operators.networks.network import Network
    from symconv.operators.pooling import MaxPool
    from symconv.operators.relu import ReLU

    return Network(
        [
            Conv(5, padding=2, out_channels=6, bias=True),
            ReLU("zero"),
            MaxPool(2),
            Conv(5, in_channels=6, out_channels=16, bias=True),
            ReLU("zero"),
            MaxPool(2),
            Flatten(),
            Dense(120),
            ReLU("zero"),
            Dense(84),
            ReLU("zero"),
            Dense(10),
        ]
    )


def block() -> Network:
    """A residual block of 64 channels: He et al. (2015), figure 2, with the normalisation of inference."""
    from symconv.operators.convolution import Conv
    from symconv.operators.joining import Add
    from symconv.operators.networks.network import Network
    from symconv.operators.normalisation import BatchNorm
    from symconv.operators.relu import ReLU

    conv = Conv(3, padding=1, in_channels=64, out_channels=64)
    return Network(
        [
            ("conv1", conv),
            ("norm1", BatchNorm(64)),
            ("relu1", ReLU("zero")),
            ("conv2", conv),
            ("norm2", BatchNorm(64)),
            ("sum", Add()),
            ("relu2", ReLU("zero")),
        ],
        [
            ("input", "conv1"), ("conv1", "norm1"), ("norm1", "relu1"), ("relu1", "conv2"),
            ("conv2", "norm2"), ("norm2", "sum"), ("input", "sum"), ("sum", "relu2"),
        ],
    )  # fmt: skip


def _lenet_in_pytorch(torch: Any, x: Any, w: dict[str, dict[str, Any]]) -> Any:
    f = torch.nn.functional
    h = f.max_pool2d(f.relu(f.conv2d(x, w["conv1"]["weight"], w["conv1"]["bias"], padding=2)), 2)
    h = f.max_pool2d(f.relu(f.conv2d(h, w["conv2"]["weight"], w["conv2"]["bias"])), 2).flatten(1)
    for name in ("dense1", "dense2"):
        h = f.relu(f.linear(h, w[name]["weight"], w[name]["bias"]))
    return f.linear(h, w["dense3"]["weight"], w["dense3"]["bias"])


def _block_in_pytorch(torch: Any, x: Any, w: dict[str, dict[str, Any]]) -> Any:
    f = torch.nn.functional
    zeros, ones = torch.zeros(64), torch.ones(64)

    def norm(h: Any, name: str) -> Any:
        return f.batch_norm(h, zeros, ones, w[name]["weight"], w[name]["bias"], eps=0.0)

    h = f.relu(norm(f.conv2d(x, w["conv1"]["weight"], padding=1), "norm1"))
    return f.relu(norm(f.conv2d(h, w["conv2"]["weight"], padding=1), "norm2") + x)


Theirs = Callable[[Any, Any, dict[str, dict[str, Any]]], Any]
NETWORKS: dict[str, tuple[str, Callable[[], Network], tuple[int, ...], Theirs]] = {
    "lenet-1": ("LeNet, one image 28 x 28", lenet, (1, 1, 28, 28), _lenet_in_pytorch),
    "lenet-64": ("LeNet, 64 images 28 x 28", lenet, (64, 1, 28, 28), _lenet_in_pytorch),
    "block": ("a residual block of 64 channels, 56 x 56", block, (1, 64, 56, 56), _block_in_pytorch),
}
"""Of every network: what it is, its layers, the shape of its input, and the same in PyTorch."""


def network_workloads() -> Iterator[Workload]:
    """Forward at the speed of PyTorch in its default layout; forward and backward together at 0.7 of it."""
    for name, (what, *_) in NETWORKS.items():
        yield Workload(f"network-{name}", "networks", what, partial(_case, name, "forward"), Mark("ratio", 1.0))
        both = f"{what}, forward and backward"
        yield Workload(
            f"network-{name}-backward", "networks", both, partial(_case, name, "backward"), Mark("ratio", 0.7)
        )


def _case(name: str, direction: Literal["forward", "backward"], settings: BenchSettings) -> Case:
    """A network with its data, and PyTorch with the same; a backward pass is compared by the gradient of the input."""
    import numpy as np

    from symconv.bench.gate import array_error, tolerance
    from symconv.kernels.compile import compile

    _, make, shape, theirs = NETWORKS[name]
    network, rng = make(), np.random.default_rng(20)
    weights = {
        layer: {
            role: (rng.standard_normal(size) / np.sqrt(np.prod(size[1:]))).astype(np.float32)
            for role, size in own.items()
        }
        for layer, own in network.parameter_sizes(shape[1:]).items()
    }
    x = rng.standard_normal(shape).astype(np.float32)
    accuracy = settings.accuracy or "default"
    kernel = compile(network, settings.backend, accuracy=accuracy)

    def ours() -> Any:
        return kernel(x, weights) if direction == "forward" else kernel.vjp(1.0, x, weights)["input"]

    return Case(
        ours,
        (_contender(theirs, x, weights, direction),),
        array_error,
        tolerance(accuracy, "float32", selects=False),
        accuracy=accuracy,
    )


def _contender(theirs: Theirs, x: NDArray[Any], weights: Weights, direction: str) -> Contender | Missing:
    """PyTorch in its default layout, on tensors that are there already."""
    torch: Any = load(LIBRARY)
    name = "torch NCHW"
    if torch is None:
        return Missing(name, LIBRARY, "cannot be loaded" if library_version(LIBRARY) else "not installed")
    given = torch.from_numpy(x)
    tensors = {layer: {role: torch.from_numpy(a) for role, a in own.items()} for layer, own in weights.items()}

    def forward() -> Any:
        return theirs(torch, given, tensors)

    def backward() -> Any:
        with torch.enable_grad():
            leaf = given.detach().requires_grad_()
            own = {layer: {r: t.detach().requires_grad_() for r, t in of.items()} for layer, of in tensors.items()}
            y = theirs(torch, leaf, own)
            leaves = [leaf, *(t for of in own.values() for t in of.values())]
            return torch.autograd.grad(y, leaves, torch.ones_like(y))[0]

    try:
        (forward if direction == "forward" else backward)()
    except Exception as error:  # a peer's refusal, in whatever class it comes, is a fact about the peer
        return Missing(name, LIBRARY, refusal(error))
    return Contender(name, LIBRARY, forward if direction == "forward" else backward, lambda y: y.detach().numpy())
