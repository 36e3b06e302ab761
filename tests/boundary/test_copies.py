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
}
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
    "network": lambda: sc.network_from_text("Sequential(Conv2d(3, 8, 3), MaxPool2d(2))", (1, 3, 8, 8)),
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
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", [name for name in OPERATORS if name not in ("symbolic", "generic")])
def test_a_kernel_that_was_called_is_copied_and_gives_the_same(name: str, way: str) -> None:
    kernel = sc.compile(OPERATORS[name])
    x, more = CALLS.get(name, (np.array([3.0, -1.0, 4.0, 1.0, -5.0, 9.0]), ()))
    first = kernel(x, *more)
    other = WAYS[way](kernel)
    assert other == kernel
    assert hash(other) == hash(kernel)
    np.testing.assert_array_equal(other(x, *more), first)


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
