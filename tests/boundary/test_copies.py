"""Public objects are pickled and copied, and compare equal to what they were copied from; errors too."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy

import symconv as sc
from symconv.problems.reading import read_problem

K = sympy.Symbol("K", integer=True, positive=True)
OPERATORS: dict[str, Any] = {
    "conv": sc.Conv((3,), padding=1),
    "symbolic": sc.Conv((K,)),
    "generic": sc.Conv(3).generic(),
    "transposed": sc.ConvTranspose((3,)),
    "maximum": sc.MaxPool((2,)),
    "average": sc.AvgPool((2,)),
    "norm": sc.LPPool(2, (2,)),
    "adaptive average": sc.AdaptiveAvgPool((2,)),
    "adaptive maximum": sc.AdaptiveMaxPool((2,)),
    "unpooling": sc.MaxUnpool((2,)),
    "unfold": sc.Unfold((2,)),
    "fold": sc.Fold((4,), (2,)),
    "dilation": sc.Dilation((2,)),
    "erosion": sc.Erosion((2,)),
    "relu": sc.ReLU(ndim=1),
    "leaky relu": sc.LeakyReLU(ndim=1),
    "sigmoid": sc.Sigmoid(ndim=1),
    "tanh": sc.Tanh(ndim=1),
    "softplus": sc.Softplus(ndim=1),
    "flatten": sc.Flatten(),
    "dense": sc.Dense(2, 6),
    "softmax": sc.Softmax(),
    "log softmax": sc.LogSoftmax(),
    "cross-entropy": sc.CrossEntropy(target=1),
    "squared error": sc.SquaredError(target=[1, 2, 3, 4, 5, 6]),
    "normalisation": sc.BatchNorm(6),
    "sum": sc.Add(),
}
NETWORK = sc.Network([sc.Conv((3,)), sc.ReLU(), sc.Flatten(), sc.Dense(2), sc.LogSoftmax()])
X, W = np.arange(8.0), np.array([1.0, 2.0, np.nan])
EXACT = {"conv1": {"weight": [1, 2, 3]}, "dense1": {"weight": [[1], [2]], "bias": [0, 1]}}
PROBLEM = read_problem(
    'title = "T"\n[operators.o]\nkind = "Conv"\ninput_size = [4]\nkernel_size = [2]\n'
    '[[questions]]\nid = "1"\ntitle = "t"\nask = "size"\noperator = "o"\n'
    '[[claims]]\nid = "2"\noperator = "o"\ntext = "size == 3"\n'
)
CONV, TURNED = sc.Conv((3,)).output(), sc.Conv((3,), flip=True).output()
RECORDS: dict[str, Callable[[], Any]] = {
    **{name: lambda op=op: op for name, op in OPERATORS.items()},
    **{f"output of {name}": lambda op=op: op.output() for name, op in OPERATORS.items()},
    "window": lambda: sc.Window(3),
    "derivation": lambda: sc.derive(sc.Conv((2,)), "gradient"),
    "step": lambda: sc.derive(sc.Conv((2,)), "gradient").steps[0],
    "proved": lambda: sc.prove(CONV, CONV),
    "refuted": lambda: sc.prove(TURNED, CONV),
    "declarations": lambda: sc.Declarations(sc.Conv((3,)), (5,), data={"A": [1, 2]}),
    "size report": lambda: sc.size_report(sc.Conv((3,)), (5,)),
    "settings": lambda: sc.settings_for(5, 3, 3),
    "network": lambda: sc.Network([*NETWORK.layers]),
    "derivation of a network": lambda: sc.derive(NETWORK, "gradient"),
    "explanation": lambda: sc.diagnose(X, W[:2], np.convolve(X, W[1::-1], "valid"))[0],
    "certificate": lambda: sc.certificate(sc.prove(CONV, CONV)),
    "problem": lambda: PROBLEM,
    "document": lambda: sc.build_document(PROBLEM),
    "verdict on a claim": lambda: sc.check(PROBLEM)[0],
    "gradients": lambda: sc.compile(sc.Conv((3,))).vjp(np.ones(6), X, W),
    "exact gradients": lambda: NETWORK.gradients([1, 2, 3], EXACT, [1, 1])["conv1"],
    "bound of errors": lambda: sc.compile(sc.Conv((3,))).error_bound(X, W[[0, 1, 1]]),
    "table of a network": lambda: NETWORK.table(8),
    "table of a model": lambda: sc.network_from_text("Sequential(Conv2d(3, 8, 3), MaxPool2d(2))", (1, 3, 8, 8)),
}
WAYS: dict[str, Callable[[Any], Any]] = {
    "pickled": lambda value: pickle.loads(pickle.dumps(value)),
    "copied": copy.copy,
    "copied deeply": copy.deepcopy,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", RECORDS)
def test_a_record_is_equal_to_its_copy(name: str, way: str) -> None:
    record = RECORDS[name]()
    assert WAYS[way](record) == record


CALLS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "conv": (np.arange(8.0), (np.array([1.0, 2.0, 3.0]),)),
    "transposed": (np.arange(8.0), (np.array([1.0, 2.0, 3.0]),)),
    "unpooling": (np.array([5.0, 7.0]), (np.array([1, 2]),)),
    "fold": (np.arange(6.0).reshape(2, 3), ()),
    "flatten": (np.arange(6.0).reshape(1, 1, 2, 3), ()),
    "normalisation": (np.arange(6.0).reshape(1, 6, 1, 1), (np.arange(6.0), np.ones(6))),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", [name for name in OPERATORS if name not in ("symbolic", "generic", "sum")])
def test_a_kernel_that_was_called_is_copied_and_gives_the_same(name: str, way: str) -> None:
    kernel = sc.compile(OPERATORS[name])
    weights = (np.arange(float(np.prod(s))).reshape(s) for s in OPERATORS[name].parameter_sizes((1, 6)).values())
    x, more = CALLS.get(name, (np.array([3.0, -1.0, 4.0, 1.0, -5.0, 9.0]), tuple(weights)))
    first = kernel(x, *more)
    other = WAYS[way](kernel)
    assert other == kernel
    assert hash(other) == hash(kernel)
    np.testing.assert_array_equal(other(x, *more), first)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("backend", ["numpy", "auto", "halide"])
def test_the_kernel_of_a_network_is_copied_and_gives_the_same(backend: str, way: str) -> None:
    if backend == "halide":
        pytest.importorskip("halide", reason="the extra `halide` is not installed")
    network = sc.Network([sc.Conv((3,), out_channels=2), sc.Conv((2,), in_channels=2)])
    kernel = sc.compile(network, backend=backend)
    weights = {n: {r: np.ones(s) for r, s in own.items()} for n, own in network.parameter_sizes(8).items()}
    first = kernel(X, weights)
    other = WAYS[way](kernel)
    assert other == kernel
    assert hash(other) == hash(kernel)
    np.testing.assert_array_equal(other(X, weights), first)


def test_records_with_arrays_differ_by_any_entry_and_by_their_types() -> None:
    kernel = sc.compile(sc.Conv((3,)))
    found = kernel.vjp(np.ones(6), X, W)
    assert found != kernel.vjp(np.ones(6), X + np.eye(8)[0], W)
    assert found != kernel.vjp(np.ones(6, np.float32), X.astype(np.float32), W.astype(np.float32))
    assert found != kernel.vjp(np.ones(6), X, W, wrt=("input",))
    assert found != (found.input, found.weight, found.bias)


def test_a_bound_weight_goes_along_and_is_compared() -> None:
    weight = np.array([1.0, 2.0, 3.0])
    kernel = sc.compile(sc.Conv((3,)), weight=weight)
    other = pickle.loads(pickle.dumps(kernel))
    weight[:] = 0  # what the caller does afterwards is not seen
    assert other([1.0, 1.0, 1.0]).tolist() == kernel([1.0, 1.0, 1.0]).tolist() == [6.0]
    assert other == kernel
    assert kernel != sc.compile(sc.Conv((3,)), weight=[1.0, 2.0, 4.0])
    assert kernel != sc.compile(sc.Conv((3,)))


class Stubborn:
    """What can be neither shown nor copied."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __reduce__(self) -> Any:
        raise RuntimeError("no copy")


ERRORS = [
    sc.ArgumentError("stride", (2, 0), "must be >= 1", "take 1"),
    sc.ArgumentError("stride", Stubborn(), "must be >= 1"),
    sc.GeometryError("padding", [1, 2], "must fit"),
    sc.NotSupportedError("not yet"),
    sc.SizeLimitError("too large"),
    sc.ProblemFileError("a.toml: wrong"),
    sc.RenderError("no"),
    sc.WriteError("full"),
]


@pytest.mark.parametrize("way", ["pickled", "copied deeply"])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_copied_with_its_message(error: Exception, way: str) -> None:
    other = WAYS[way](error)
    assert type(other) is type(error)
    assert str(other) == str(error)
    assert str(WAYS[way](other)) == str(error)


def test_an_error_of_a_claim_keeps_its_place() -> None:
    from symconv.errors import ClaimError

    error = ClaimError("found ')'", "a number", source="2*)", position=2)
    other = pickle.loads(pickle.dumps(error))
    assert (str(other), other.line, other.column) == (str(error), 1, 3)


def test_an_error_comes_back_from_another_process() -> None:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(1, get_context("spawn")) as pool, pytest.raises(sc.ArgumentError, match="stride must be"):
        pool.submit(sc.Conv, (3,), 0).result(timeout=60)
