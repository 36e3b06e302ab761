"""Test vectors: planted bugs are found by them alone, right implementations pass, and the files are what they say."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audits.bugs import BUGS, CLAIMS, Claim
from audits.flawed import CALLS
from audits.vector_reader import array_of, arrays_by_case, cases_of, failures
from click.testing import CliRunner

import symconv as sc
from symconv.audits.vectors.files import arrays_file, text_file
from symconv.audits.vectors.vectors import vectors_of
from symconv.cli.application import commands
from symconv.errors import SymconvError


@cache
def _written(op: Any) -> tuple[str, bytes]:
    found = vectors_of(op)
    return text_file(found), arrays_file(found)


@pytest.mark.parametrize("flaw", BUGS)
def test_a_bug_is_found(flaw: str) -> None:
    claim = BUGS[flaw]
    CALLS["number"] = 0
    cases = cases_of(_written(claim.op)[0])
    assert next(failures(cases, claim.make(flaw), claim.gradients(flaw), np.float32), None) is not None


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: repr(claim.op))
def test_a_right_implementation_passes(claim: Claim, dtype: str) -> None:
    if dtype == "bfloat16":
        own = np.dtype(pytest.importorskip("ml_dtypes", reason="gives NumPy the type").bfloat16)
    else:
        own = np.dtype(dtype)
    cases = cases_of(_written(claim.op)[0])
    tried = [case for case in cases if dtype in case["tolerance"]]
    assert len(tried) > len(cases) // 2
    assert list(failures(tried, claim.make(""), claim.gradients(""), own)) == []


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: repr(claim.op))
def test_the_archive_holds_the_same_arrays(claim: Claim, tmp_path: Path) -> None:
    text, data = _written(claim.op)
    (tmp_path / "v.npz").write_bytes(data)
    arrays = arrays_by_case(tmp_path / "v.npz")
    cases = cases_of(text)
    assert list(arrays) == [case["name"] for case in cases]
    for case in cases:
        listed = {**case["arguments"], "output": case["output"]}
        if "grad_output" in case:
            listed["grad_output"] = case["grad_output"]
            listed |= {f"grad_{name}": nested for name, nested in case["gradients"].items()}
        assert arrays[case["name"]].keys() == listed.keys()
        for name, nested in listed.items():
            np.testing.assert_array_equal(arrays[case["name"]][name], array_of(nested, np.float64))


def _run(*arguments: str) -> Any:
    return CliRunner().invoke(commands, ["vectors", *arguments])


def test_the_same_call_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        ended = _run("conv", "--kernel", "2", "--stride", "2", "-o", str(tmp_path / name))
        assert ended.exit_code == 0, ended.output
    first = {file.relative_to(tmp_path / "first"): file for file in (tmp_path / "first").rglob("*") if file.is_file()}
    assert {Path("vectors.json"), Path("vectors.npz")} <= first.keys()
    assert all(file.read_bytes() == (tmp_path / "second" / name).read_bytes() for name, file in first.items())
    assert sorted(place.name for place in tmp_path.iterdir()) == ["first", "second"]


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    ended = _run("conv", "--kernel", "2", "-o", str(tmp_path))
    assert ended.exit_code == 2
    assert "the directory is not empty" in ended.output
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("relu",), "there is no operator 'relu'"),
        (("lppool", "--norm", "p", "--kernel", "2"), "must have numbers for all its options"),
        (("lppool", "--norm", "inf", "--kernel", "2"), "MaxPool of the absolute values"),
        (("conv", "--kernel", "3", "--input", "2"), "needs an effective size"),
        (("conv", "--kernel", "3x3", "--in-channels", "64", "--out-channels", "64"), "at most 8,192 entries"),
        (("lppool", "--norm", "999", "--kernel", "2"), "larger than float64 holds"),
        (("conv", "--kernel", "2", "--dilation", "99999999"), "at most 8,192 entries"),
        (("conv", "--kernel", "3", "--input", "9" * 9), "at most 8,192 entries"),
        (("nn.Linear(2, 2)",), "no test vectors"),
        (("conv", "--kernel", "2x2x2x2"), "1 to 3 spatial axes"),
    ],
)
def test_what_cannot_be_is_one_message(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    ended = _run(*arguments, "-o", str(tmp_path / "out"))
    assert ended.exit_code == 2
    assert words in ended.output
    assert ended.output.count("Error: ") == 1
    assert list(tmp_path.iterdir()) == []


def test_only_what_nothing_small_tells_apart_is_left() -> None:
    assert vectors_of(sc.Conv((2, 3), stride=(1, 2), padding=((1, 0), (2, 1)), bias=True)).untold == ()
    # every window has 9 places, so that a divisor of 9 changes nothing
    found = vectors_of(sc.AvgPool((3, 3), stride=2, padding=1))
    assert found.untold == (sc.AvgPool((3, 3), stride=2, padding=1, divisor_override=9),)


def test_a_maximum_without_a_rule_for_ties_has_gradients_where_there_are_none() -> None:
    for rule in ("set", "error"):
        found = vectors_of(sc.MaxPool((2,), ties=rule))
        pulled = [vector for vector in found.vectors if vector.trial.upstream is not None]
        assert pulled
        assert all(len(np.unique(v.trial.arrays["input"])) == v.trial.arrays["input"].size for v in pulled)


def test_three_axes_and_named_padding() -> None:
    for op in (sc.Conv((2, 1, 2), in_channels=2), sc.AvgPool((3,), stride=2, padding="same_lower")):
        text, _ = _written(op)
        assert cases_of(text)
    assert json.loads(text)["attributes"]["padding"] == "same_lower"


@pytest.mark.parametrize(
    "op",
    [
        sc.Conv((2, 3), stride=(1, 2), padding=((1, 0), (2, 1)), bias=True),
        sc.Conv((3,), stride=2, padding="same_lower"),
        sc.Conv((2, 2), stride=2, padding=1, dilation=2, groups=2, in_channels=4, out_channels=4),
        sc.ConvTranspose((3, 3), stride=2, padding=1, output_padding=1, in_channels=2, out_channels=2),
        sc.MaxPool((3, 3), stride=2, padding=1),
        sc.AvgPool((3, 3), stride=2, padding=1, count_include_pad=False),
        sc.LPPool(2, (2, 2), stride=1),
        sc.AdaptiveAvgPool((1, 1)),
    ],
    ids=repr,
)
def test_node_tests_run_in_the_evaluator_of_onnx(op: Any) -> None:
    onnx = pytest.importorskip("onnx", reason="the layout of node tests")
    from onnx.reference import ReferenceEvaluator

    from symconv.audits.vectors.onnx_tests import node_tests

    files = node_tests(vectors_of(op))
    folders = sorted({name.partition("/")[0] for name in files})
    assert folders
    for folder in folders:
        model = onnx.load_model_from_string(files[f"{folder}/model.onnx"])
        onnx.checker.check_model(model, full_check=True)

        def tensor(name: str, folder: str = folder) -> Any:
            read = onnx.TensorProto()
            read.ParseFromString(files[f"{folder}/test_data_set_0/{name}.pb"])
            return onnx.numpy_helper.to_array(read)

        given = {entry.name: tensor(f"input_{k}") for k, entry in enumerate(model.graph.input)}
        due = tensor("output_0")
        found = ReferenceEvaluator(model).run(None, given)[0]
        np.testing.assert_allclose(found, due, rtol=1e-4, atol=1e-4)


def test_what_onnx_has_no_node_for_has_no_node_tests() -> None:
    from symconv.audits.vectors.onnx_tests import node_tests, why_no_node_tests

    pytest.importorskip("onnx", reason="without it there are none at all")
    op = sc.Conv((2,), flip=True)
    assert node_tests(vectors_of(op)) == {}
    assert "ONNX has no node" in why_no_node_tests(op)


def test_an_argument_that_is_no_operator_is_refused() -> None:
    with pytest.raises(SymconvError, match="op must be an operator"):
        vectors_of("conv")  # type: ignore[arg-type]
