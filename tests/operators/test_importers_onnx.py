"""ONNX's nodes read by `from_onnx`, against the cases that the onnx package generates and against ONNX Runtime."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from symconv.errors import ArgumentError, NotSupportedError
from symconv.kernels.compile import compile
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.convolution import Conv
from symconv.operators.importers.imported import ConventionWarning
from symconv.operators.importers.onnx import NODES, from_onnx
from symconv.operators.patches import Fold
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose
from symconv.operators.unpooling import MaxUnpool

onnx = pytest.importorskip("onnx", reason="the importer of ONNX's nodes is held against the onnx package")
helper = onnx.helper
thorough = settings(max_examples=60, deadline=None, derandomize=True)


def node(kind: str, inputs: str = "x", **attributes: Any) -> Any:
    return helper.make_node(kind, inputs.split(), ["y"], **attributes)


def test_each_node_becomes_its_operator() -> None:
    conv = node("Conv", "x w b", kernel_shape=[3, 3], strides=[2, 1], pads=[1, 0, 2, 3], dilations=[1, 2], group=2)
    assert from_onnx(conv, weight_shape=(6, 2, 3, 3)) == Conv(3, (2, 1), ((1, 2), (0, 3)), (1, 2), 2, 4, 6, bias=True)
    assert from_onnx(node("Conv", "x w", kernel_shape=[3])) == Conv((3,))
    assert from_onnx(node("Conv", "x w", auto_pad="SAME_LOWER"), weight_shape=(1, 1, 2)) == Conv(
        (2,), padding="same_lower"
    )
    assert from_onnx(node("Conv", "x w", auto_pad="VALID", pads=[0, 0]), weight_shape=(1, 1, 2)).output_size((5,)) == (
        4,
    )
    transposed = node("ConvTranspose", "x w", strides=[2, 2], pads=[1, 1, 0, 1], output_padding=[1, 0], group=2)
    assert from_onnx(transposed, weight_shape=(4, 3, 3, 2)) == ConvTranspose(
        (3, 2), 2, ((1, 0), (1, 1)), (1, 0), 1, 2, 4, 6
    )
    assert from_onnx(node("MaxPool", kernel_shape=[2], ceil_mode=1, storage_order=1)) == MaxPool(
        (2,), 1, ceil_mode=True
    )
    assert from_onnx(node("AveragePool", kernel_shape=[2, 2])) == AvgPool(2, 1, count_include_pad=False)
    assert from_onnx(node("AveragePool", kernel_shape=[2, 2], count_include_pad=1)) == AvgPool(2, 1)
    assert from_onnx(node("LpPool", kernel_shape=[2, 2], p=3)) == LPPool(3, 2, 1)
    assert from_onnx(node("LpPool", kernel_shape=[2])) == LPPool(2, (2,), 1)
    assert from_onnx(node("GlobalAveragePool")) == AdaptiveAvgPool(1)
    assert from_onnx(node("GlobalMaxPool"), ndim=3) == AdaptiveMaxPool(1, ndim=3)
    assert from_onnx(node("GlobalAveragePool"), input_size=(4,)) == AdaptiveAvgPool((1,))
    assert from_onnx(node("GlobalLpPool", p=1), input_size=(4, 5)) == LPPool(1, (4, 5))
    fold = node("Col2Im", "x i b", pads=[1, 0, 1, 0], strides=[2, 1])
    assert from_onnx(fold, image_shape=(5, 6), block_shape=(1, 2), channels=3) == Fold(
        (5, 6), (1, 2), (2, 1), ((1, 1), (0, 0)), 1, 3
    )


def test_unpooling_says_how_indices_are_counted() -> None:
    with pytest.warns(ConventionWarning, match="ONNX counts the indices of a max pooling through batch and channels"):
        assert from_onnx(node("MaxUnpool", "x i", kernel_shape=[2, 2], strides=[2, 2])) == MaxUnpool(2)
    with pytest.warns(ConventionWarning, match="within one plane"):
        from_onnx(helper.make_node("MaxPool", ["x"], ["y", "i"], kernel_shape=[2, 2]))


def same_of(n: int, size: int, axis: dict[str, int], upper: bool) -> tuple[int, int]:
    """The padding of ConvTranspose for an output size, as the schema writes it; nothing is extended here."""
    total = axis["stride"] * (n - 1) + axis["extra"] + (axis["kernel"] - 1) * axis["dilation"] + 1 - size
    return (total // 2, total - total // 2) if upper else (total - total // 2, total // 2)


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER", "NOTSET"])
@pytest.mark.parametrize("size", [9, 10, 11])
def test_an_output_shape_decides_the_padding(auto_pad: str, size: int) -> None:
    asked = node("ConvTranspose", "x w", strides=[2], output_shape=[size], auto_pad=auto_pad)
    op: Any = from_onnx(asked, weight_shape=(1, 1, 4), input_size=(5,))
    axis = {"stride": 2, "extra": 0, "kernel": 4, "dilation": 1}
    assert op.output_size((5,)) == (size,)
    assert op.padding == (same_of(5, size, axis, auto_pad == "SAME_UPPER"),)


def test_an_output_shape_beyond_the_kernels_is_extended_and_said() -> None:
    asked = node("ConvTranspose", "x w", strides=[2], output_shape=[14])
    with pytest.warns(ConventionWarning, match="implementations differ there"):
        op = from_onnx(asked, weight_shape=(1, 1, 4), input_size=(5,))
    assert op.output_size((5,)) == (14,)
    with pytest.raises(ArgumentError, match="output_shape needs the input size"):
        from_onnx(asked, weight_shape=(1, 1, 4))


@pytest.mark.parametrize(
    ("asked", "given", "error", "message"),
    [
        (node("Celu"), {}, NotSupportedError, "Celu is not a node with windows that is known here"),
        (helper.make_node("Conv", ["x"], ["y"], domain="com.microsoft"), {}, NotSupportedError, "com.microsoft.Conv"),
        (node("Conv", "x w"), {}, ArgumentError, "kernel_shape must be given.*give weight_shape"),
        (node("Conv", "x w", kernel_shape=[3], group=2), {}, ArgumentError, "group needs the channels"),
        (
            node("Conv", "x w", kernel_shape=[2]),
            {"weight_shape": (1, 1, 3)},
            ArgumentError,
            "must agree with the weight",
        ),
        (node("Conv", "x w", pads=[1]), {"weight_shape": (1, 1, 3)}, ArgumentError, "pads must have 2 entries"),
        (
            node("Conv", "x w", strides=[1, 1]),
            {"weight_shape": (1, 1, 3)},
            ArgumentError,
            "strides must have 1 entries",
        ),
        (
            node("Conv", "x w", auto_pad="SAME_UPPER", pads=[1, 1]),
            {"weight_shape": (1, 1, 3)},
            ArgumentError,
            "pads must not be given beside auto_pad=SAME_UPPER",
        ),
        (node("MaxPool", kernel_shape=[2], auto_pad="SAME"), {}, ArgumentError, "auto_pad must be one of"),
        (node("MaxPool", kernel_shape=[2], stride=[2]), {}, NotSupportedError, r"MaxPool has stride=\(2,\).*'strides'"),
        (node("MaxPool", kernel_shape=[2], ceil_mode=2), {}, ArgumentError, "ceil_mode must be 0 or 1"),
        (
            helper.make_node("MaxPool", ["x"], ["y", "i"], kernel_shape=[2], storage_order=1),
            {},
            NotSupportedError,
            "counts its indices down the columns",
        ),
        (node("GlobalLpPool"), {}, ArgumentError, "input_size must be given"),
        (node("GlobalMaxPool"), {"input_size": (3, 3), "ndim": 1}, ArgumentError, "ndim must be the number of entries"),
        (node("Col2Im", "x i b"), {}, ArgumentError, "image_shape must be given"),
        (node("MaxUnpool", "x i s", kernel_shape=[2]), {}, NotSupportedError, "third input, output_shape"),
        (node("Conv", "x w"), {"weight_shape": (1, 1)}, ArgumentError, "weight_shape must be"),
    ],
)
def test_what_cannot_be_read_is_refused(asked: Any, given: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        from_onnx(asked, **given)


def generated() -> list[Any]:
    """The cases of the nodes in question; collecting all of them would take a quarter of a minute."""
    cases = import_module("onnx.backend.test.case.node")
    for kind in set(NODES) - {"GlobalLpPool"}:  # which has no cases
        import_module(f"onnx.backend.test.case.node.{kind.lower()}")
    return [case for case in cases._NodeTestCases if case.model.graph.node[0].op_type in NODES]


DIFFERENT = {
    "test_maxpool_with_argmax_2d_precomputed_strides": "storage_order",  # column-major indices
    "test_maxunpool_export_with_output_shape": "output_shape",  # sets the output into a larger image
}


@pytest.mark.filterwarnings("ignore")
def test_the_cases_of_the_onnx_package() -> None:
    values = 0
    for case in generated():
        asked = case.model.graph.node[0]
        inputs, outputs = case.data_sets[0]
        given: dict[str, Any] = {"input_size": inputs[0].shape[2:]}
        if asked.op_type in ("Conv", "ConvTranspose"):
            given["weight_shape"] = inputs[1].shape
        if asked.op_type == "Col2Im":
            given = {"image_shape": inputs[1].tolist(), "block_shape": inputs[2].tolist()}
        if case.name in DIFFERENT:
            with pytest.raises(NotSupportedError, match=DIFFERENT[case.name]):
                from_onnx(asked, **given)
            continue
        op = from_onnx(asked, **given)
        if isinstance(op, Fold):
            places = tuple(int(w.output_size(n)) for w, n in zip(op.windows, op.image_size, strict=True))
            assert op.output_size(places) == outputs[0].shape[2:]
            continue
        assert op.output_size(inputs[0].shape[2:]) == outputs[0].shape[2:], case.name
        if not isinstance(op, MaxUnpool):  # whose indices count differently
            values += 1
            ours = compile(op)(*inputs)
            np.testing.assert_allclose(ours, outputs[0], rtol=1e-3, atol=1e-5, err_msg=case.name)
    assert values >= 60


pool_axis = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), st.integers(0, 1), st.integers(0, 1))


@thorough
@given(
    st.sampled_from(["MaxPool", "AveragePool", "LpPool"]),
    st.lists(pool_axis, min_size=1, max_size=2),
    st.lists(st.integers(3, 9), min_size=2, max_size=2),
    st.sampled_from(["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"]),
    st.booleans(),
    st.booleans(),
)
def test_poolings_as_onnx_runtime_computes_them(
    kind: str, axes: list[Any], sizes: list[int], auto_pad: str, ceil: bool, include: bool
) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="values of poolings are held against ONNX Runtime")
    kernel, strides, dilations, begins, ends = (list(column) for column in zip(*axes, strict=True))
    assume(all(max(b, e) < k for k, b, e in zip(kernel, begins, ends, strict=True)))
    options: dict[str, Any] = {"kernel_shape": kernel, "strides": strides, "auto_pad": auto_pad, "ceil_mode": int(ceil)}
    if kind == "MaxPool" and auto_pad in ("NOTSET", "VALID"):
        options["dilations"] = dilations
    if auto_pad == "NOTSET":
        options["pads"] = begins + ends
    if kind == "AveragePool":
        options["count_include_pad"] = int(include)
    asked = node(kind, **options)
    size = tuple(sizes[: len(axes)])
    value = helper.make_tensor_value_info
    graph = helper.make_graph([asked], "g", [value("x", 1, (1, 2, *size))], [value("y", 1, (1, 2, *["n"] * len(size)))])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    x = np.random.default_rng(sum(size)).normal(size=(1, 2, *size)).astype(np.float32)
    try:
        session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        (theirs,) = session.run(None, {"x": x})
    except Exception:  # ONNX Runtime has no class of its own for what it refuses
        assume(False)
    assume(theirs.size > 0)
    op = from_onnx(asked)
    assert op.output_size(size) == theirs.shape[2:]
    np.testing.assert_allclose(compile(op)(x), theirs, rtol=2e-5, atol=2e-5)


def test_where_the_text_of_the_schema_has_another_size_it_is_said() -> None:
    pool = node("MaxPool", kernel_shape=[2], strides=[2], auto_pad="VALID", ceil_mode=1)
    with pytest.warns(ConventionWarning, match=r"for auto_pad=VALID with ceil_mode=1 the text of ONNX's schema gives"):
        assert from_onnx(pool).output_size(7) == (4,)
    value = helper.make_tensor_value_info
    graph = helper.make_graph([pool], "g", [value("x", 1, (1, 1, 7))], [value("y", 1, None)])
    inferred = onnx.shape_inference.infer_shapes(helper.make_model(graph)).graph.output[0]
    assert [dim.dim_value for dim in inferred.type.tensor_type.shape.dim] == [1, 1, 4]
