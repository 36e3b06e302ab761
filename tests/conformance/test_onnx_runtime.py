"""Single ONNX nodes with random attributes: sizes, outputs and indices as ONNX Runtime computes them, in float32.

Where ONNX Runtime departs from the text of the operator's schema, or the schema leaves it open, the difference has a
name in `DIFFERENCES`; such nodes are left out of the comparison, and one of each is looked at.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx_models
import pytest
from hypothesis import HealthCheck, assume, given, settings
from onnx_models import NodeCase

from symconv.errors import GeometryError
from symconv.kernels.compile import compile
from symconv.operators.importers.imported import ConventionWarning
from symconv.operators.importers.onnx import from_onnx

pytest.importorskip("onnx", reason="nodes of ONNX are made by the onnx package")
pytest.importorskip("onnxruntime", reason="nodes of ONNX are held against ONNX Runtime")

NORMAL = 50
SLOW = int(os.environ.get("SYMCONV_FUZZ_CASES", "8000")) // len(onnx_models.FAMILIES)


def examples(count: int) -> Any:
    return settings(
        max_examples=count, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.filter_too_much]
    )


def read(case: NodeCase) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConventionWarning)
        return from_onnx(case.node, **case.given)


def axes_of(case: NodeCase) -> list[tuple[int, int, int, int, int]]:
    """Size, kernel, stride, dilation and the sum of the padding of every axis."""
    ndim, attributes = len(case.sizes), case.attributes
    kernel = case.inputs[1].shape[2:] if "Conv" in case.kind else attributes["kernel_shape"]
    pads = attributes.get("pads", [0] * 2 * ndim)
    lists = (attributes.get(name, [1] * ndim) for name in ("strides", "dilations"))
    return list(zip(case.sizes, kernel, *lists, (sum(pads[i::ndim]) for i in range(ndim)), strict=True))


def same(case: NodeCase) -> bool:
    return case.attributes.get("auto_pad", "NOTSET").startswith("SAME")


def pooling(case: NodeCase) -> bool:
    return case.kind.endswith("Pool")


def misses(case: NodeCase) -> bool:
    """Whether a place of the window within the padded input has no tap in the input."""
    ndim = len(case.sizes)
    begins = case.attributes.get("pads", [0] * 2 * ndim)[:ndim]
    for (n, k, s, d, _), begin in zip(axes_of(case), begins, strict=True):
        for start in range(-begin, n, s):
            if not any(0 <= start + d * m < n for m in range(k)):
                return True
    return False


DIFFERENCES: dict[str, Callable[[NodeCase], bool]] = {
    # the schema's padding is for the dilated kernel; ONNX Runtime's is for the kernel without its dilation
    "a pooling with SAME and a dilation": lambda case: (
        pooling(case) and same(case) and any(d > 1 < k for _, k, _, d, _ in axes_of(case))
    ),
    # the schema's total is negative there; ONNX Runtime's poolings crop, its convolutions and TensorFlow pad nothing
    "a pooling with SAME and a stride above the kernel": lambda case: (
        pooling(case) and same(case) and any(s > k for _, k, s, _, _ in axes_of(case))
    ),
    # the schema's size is n times the stride; ONNX Runtime leaves what no kernel covers out of the output
    "a transposed convolution with SAME and a stride above the kernel": lambda case: (
        case.kind == "ConvTranspose" and same(case) and any(s > d * (k - 1) + 1 for _, k, s, d, _ in axes_of(case))
    ),
    # the schema says nothing; ONNX Runtime's maximum of nothing is the lowest finite number, here it is -infinity
    "a maximum of a window without a real tap": lambda case: case.kind == "MaxPool" and misses(case),
    # the schema says nothing; ONNX Runtime's average of nothing is 0, here it is NaN
    "an average of a window without a real tap": lambda case: (
        case.kind == "AveragePool" and not case.attributes.get("count_include_pad", 0) and misses(case)
    ),
    # the schema rounds down, and has no output then; ONNX Runtime rounds a negative quotient towards zero
    "a pooling with a kernel above the padded input": lambda case: (
        pooling(case) and not same(case) and any(d * (k - 1) + 1 > n + p for n, k, _, d, p in axes_of(case))
    ),
}


def agree(case: NodeCase) -> None:
    assume(not any(holds(case) for holds in DIFFERENCES.values()))
    theirs = onnx_models.run(case)
    assume(theirs is not None)
    assert theirs is not None
    if theirs[0].size == 0:
        with pytest.raises(GeometryError):
            read(case).output_size(case.sizes)
        return
    op = read(case)
    assert op.output_size(case.sizes) == theirs[0].shape[2:]
    kernel: Any = compile(op)
    if case.outputs == 1:
        np.testing.assert_allclose(kernel(*case.inputs), theirs[0], rtol=1e-4, atol=1e-4)
        return
    values, indices = kernel(*case.inputs, return_indices=True)
    np.testing.assert_array_equal(values, theirs[0])
    batch, channels = values.shape[:2]
    plane = np.arange(batch * channels).reshape(batch, channels, *[1] * len(case.sizes)) * np.prod(case.sizes)
    real = indices >= 0
    np.testing.assert_array_equal((indices + plane)[real], theirs[1][real])


@pytest.mark.parametrize("kind", onnx_models.FAMILIES)
def test_nodes(kind: str) -> None:
    examples(NORMAL)(given(onnx_models.FAMILIES[kind])(agree))()


@pytest.mark.slow
@pytest.mark.parametrize("kind", onnx_models.FAMILIES)
def test_many_nodes(kind: str) -> None:
    examples(SLOW)(given(onnx_models.FAMILIES[kind])(agree))()


# --- the differences, one of each ------------------------------------------------------------------------------------


def counted(kind: str, size: int, outputs: int = 1, **attributes: Any) -> NodeCase:
    """A node of an input 1, 2, 3, ..."""
    x = np.arange(1, size + 1, dtype=np.float32).reshape(1, 1, size)
    weight = [np.ones((1, 1, attributes["kernel_shape"][0]), np.float32)] if kind == "ConvTranspose" else []
    given = {"weight_shape": weight[0].shape} if weight else {}
    return NodeCase(kind, attributes, (x, *weight), outputs, given)


@pytest.mark.parametrize(
    ("name", "case", "ours", "theirs"),
    [
        (
            "a pooling with SAME and a dilation",  # ceil(5/1) windows; the taps are at o - 1 and o + 1
            counted("MaxPool", 5, kernel_shape=[2], dilations=[2], auto_pad="SAME_UPPER"),
            [2, 3, 4, 5, 4],
            [3, 4, 5, 4],
        ),
        (
            "a pooling with SAME and a stride above the kernel",  # nothing is padded and nothing cropped
            counted("MaxPool", 6, 2, kernel_shape=[1], strides=[3], auto_pad="SAME_UPPER"),
            [1, 4],
            [2, 5],
        ),
        (
            "a transposed convolution with SAME and a stride above the kernel",  # 2 * 3 entries
            counted("ConvTranspose", 2, kernel_shape=[2], strides=[3], auto_pad="SAME_UPPER"),
            [1, 1, 0, 2, 2, 0],
            [1, 1, 0, 2, 2],
        ),
        (
            "a maximum of a window without a real tap",  # the taps are at -1 and 1
            counted("MaxPool", 1, kernel_shape=[2], dilations=[2], pads=[1, 1]),
            [-np.inf],
            [float(np.finfo(np.float32).min)],
        ),
        (
            "an average of a window without a real tap",
            counted("AveragePool", 1, kernel_shape=[2], dilations=[2], pads=[1, 1]),
            [np.nan],
            [0],
        ),
        (
            "a pooling with a kernel above the padded input",
            counted("MaxPool", 2, kernel_shape=[3], strides=[2]),
            None,
            [2],
        ),
    ],
)
def test_differences(name: str, case: NodeCase, ours: list[float] | None, theirs: list[float]) -> None:
    assert [other for other, holds in DIFFERENCES.items() if holds(case)] == [name]
    found = onnx_models.run(case)
    assert found is not None
    assert found[0].ravel().tolist() == theirs
    kernel: Any = compile(read(case))
    if ours is None:
        with pytest.raises(GeometryError, match="needs an effective size of at most the padded input"):
            kernel(*case.inputs)
        return
    np.testing.assert_array_equal(kernel(*case.inputs).ravel(), ours)
