"""The cases that the onnx package generates for its own nodes: read, compiled, and compared with what they expect."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from symconv.errors import NotSupportedError
from symconv.kernels.compile import compile
from symconv.operators.importers.imported import ConventionWarning
from symconv.operators.importers.onnx import NODES, from_onnx

pytest.importorskip("onnx", reason="the cases are made by the onnx package")

DIFFERENT = {
    # values are the same; indices here count along the rows of a plane, and there down its columns
    "test_maxpool_with_argmax_2d_precomputed_strides": "storage_order=1 counts its indices down the columns",
    # indices count in the smaller plane that the node's attributes give, which is then set into a larger image
    "test_maxunpool_export_with_output_shape": "third input, output_shape",
}


def generated() -> list[Any]:
    """One case a node; those of all other nodes, which take a quarter of a minute, are not made."""
    package = import_module("onnx.backend.test.case.node")
    for kind in sorted(NODES):
        if kind != "GlobalLpPool":  # the package has none for it
            import_module(f"onnx.backend.test.case.node.{kind.lower()}")
    graphs = [(case, case.model.graph) for case in package._NodeTestCases]
    return [case for case, graph in graphs if len(graph.node) == 1 and graph.node[0].op_type in NODES]


CASES = generated()


def read(case: Any) -> Any:
    node = case.model.graph.node[0]
    x, *more = case.data_sets[0][0]
    given: dict[str, Any] = {"input_size": x.shape[2:]}
    if "Conv" in node.op_type:
        given["weight_shape"] = more[0].shape
    if node.op_type == "Col2Im":
        block = more[1].tolist()
        channels = x.shape[1] // int(np.prod(block))
        given = {"image_shape": more[0].tolist(), "block_shape": block, "channels": channels}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConventionWarning)
        return from_onnx(node, **given)


def test_there_are_cases_of_every_node() -> None:
    assert {case.model.graph.node[0].op_type for case in CASES} == set(NODES) - {"GlobalLpPool"}
    assert len(CASES) >= 75
    assert set(DIFFERENT) <= {case.name for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.removeprefix("test_"))
def test_case(case: Any) -> None:
    if case.name in DIFFERENT:
        with pytest.raises(NotSupportedError, match=DIFFERENT[case.name]):
            read(case)
        return
    inputs, outputs = case.data_sets[0]
    operands = inputs[:1] if case.model.graph.node[0].op_type == "Col2Im" else inputs
    options = {"return_indices": True} if len(outputs) == 2 else {}
    kernel: Any = compile(read(case))
    found = kernel(*operands, **options)
    for ours, theirs in zip(found if options else [found], outputs, strict=True):
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=case.rtol, atol=1e-6)
