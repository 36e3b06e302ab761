"""`certify` and `assert_matches`: what they find, how they say it, and black boxes that behave badly."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symconv as sc
from symconv.testing import assert_matches

SMALL = sc.AvgPool(2, stride=1, ndim=1)


def smooth(x: Any) -> Any:
    return (x[:-1] + x[1:]) / 2


def slid(x: Any, w: Any) -> Any:
    """A correlation by plain loops."""
    rows, columns = x.shape[0] - w.shape[0] + 1, x.shape[1] - w.shape[1] + 1
    y = np.zeros((rows, columns), np.result_type(x, w))
    for p, q, a, b in np.ndindex(rows, columns, *w.shape):
        y[p, q] += x[p + a, q + b] * w[a, b]
    return y


def test_a_correlation_is_exact_on_a_printed_condition_and_never_proved() -> None:
    verdict = sc.certify(slid, sc.Conv((2, 3)), (3, 4))
    assert verdict.status == "exact"
    assert verdict.conditions == (
        "the function is bilinear in the input and the weight, which was tried on 20 random cases",
    )
    assert verdict.calls == 20 + 12 * 6 + 1
    assert "on the condition that the function is bilinear" in str(verdict)


def test_a_flip_is_refuted_by_one_entry_each_and_named() -> None:
    verdict = sc.certify(lambda x, w: slid(x, w[::-1, ::-1]), sc.Conv((2, 3)), (3, 4))
    assert verdict.status == "refuted"
    assert verdict.finding is not None
    assert [int(np.count_nonzero(array)) for array in verdict.finding.arguments.values()] == [1, 1]
    assert verdict.cause is not None
    assert verdict.cause.operator == sc.Conv((2, 3), flip=True)
    assert verdict.counterexample is not None
    at = verdict.finding.index
    x, w = verdict.finding.arguments["input"], verdict.finding.arguments["weight"]
    assert (verdict.counterexample.left, verdict.counterexample.right) == (slid(x, w[::-1, ::-1])[at], slid(x, w)[at])


def test_what_is_bilinear_but_wrong_at_one_product_alone_is_found() -> None:
    def nearly(x: Any, w: Any) -> Any:
        y = slid(x, w)
        y[1, 1] += x[0, 3] * w[1, 2]
        return y

    verdict = sc.certify(nearly, sc.Conv((2, 3)), (3, 4), dtype="int64")
    assert verdict.finding is not None
    x, w = verdict.finding.arguments["input"], verdict.finding.arguments["weight"]
    assert (np.argwhere(x).tolist(), np.argwhere(w).tolist()) == ([[0, 3]], [[1, 2]])


def test_too_many_products_are_undecided_and_said() -> None:
    verdict = sc.certify(slid, sc.Conv((2, 3)), (3, 4), most=10)
    assert verdict.status == "undecided"
    assert "takes 72 further calls" in verdict.explanation


def test_gradients_are_certified_and_a_wrong_one_is_named() -> None:
    def pulled(g: Any, x: Any, w: Any) -> Any:
        dx, dw = np.zeros_like(x), np.zeros_like(w)
        for p, q, a, b in np.ndindex(*g.shape, *w.shape):
            dx[p + a, q + b] += g[p, q] * w[a, b]
            dw[a, b] += g[p, q] * x[p + a, q + b]
        return dx, dw

    op = sc.Conv((2, 2))
    assert sc.certify(slid, op, (3, 3), gradients=pulled).status == "exact"
    wrong = sc.certify(slid, op, (3, 3), gradients=lambda g, x, w: (pulled(g, x, w)[0], 2 * pulled(g, x, w)[1]))
    assert wrong.finding is not None
    assert wrong.finding.part == "grad_weight"
    assert "the gradient of the weight is wrong: it is 2 times the right one" in str(wrong)
    missing = sc.certify(slid, op, (3, 3), gradients=lambda g, x, w: {"input": pulled(g, x, w)[0]})
    assert "the gradient of the weight is missing" in str(missing)


def test_layouts_fixed_weights_and_integers() -> None:
    w = np.arange(1, 13).reshape(2, 2, 1, 3)  # H, W, I, O

    def last(x: Any) -> Any:
        return sum(x[:, a : a + 2, b : b + 3, :] * w[a, b, 0] for a, b in np.ndindex(2, 2))

    op = sc.Conv((2, 2), out_channels=3)
    keys = {"layout": "NHWC", "weight_layout": "HWIO", "dtype": "int64", "batch": 1}
    assert sc.certify(last, op, (3, 4), weight=w, **keys).status == "exact"
    assert sc.certify(last, op, (3, 4), weight=w[::-1], **keys).status == "refuted"


@pytest.mark.parametrize(
    ("function", "kind", "words"),
    [
        (lambda x: 1 / 0, "raised", "ZeroDivisionError: division by zero"),
        (lambda x: exit(3), "raised", "SystemExit"),
        (lambda x: os._exit(3), "crashed", "by itself, with status 3"),
        (lambda x: ctypes.string_at(0), "crashed", "SIGSEGV"),
        (lambda x: np.zeros(1 << 36), "raised", "MemoryError"),
        (lambda x: "nothing", "refused", "it returned an array of str"),
        (lambda x: smooth(x) * 1j, "refused", "it returned an array of complex128"),
        (lambda x: smooth(x)[1:], "shape", "(4,) and should have (5,)"),
        (lambda x: smooth(x).astype(np.float32), "type", "float32 and should be of float64"),
        (lambda x: x.__imul__(2)[1:] / 4 + x[:-1] / 4, "argument", "it writes to its argument, the input"),
        (lambda x: np.array([None] * 5), "refused", "it returned an array of object"),
        (lambda x: smooth(np.round(x, 3)), "value", "rounding allows"),
    ],
)
def test_what_goes_wrong_is_a_finding(function: Any, kind: str, words: str) -> None:
    verdict = sc.certify(function, SMALL, 6, memory=1 << 30)
    assert verdict.status == "refuted"
    assert verdict.finding is not None
    assert verdict.finding.kind == kind
    assert words in str(verdict)


def test_a_hang_ends_after_its_time_and_its_process_with_it(tmp_path: Path) -> None:
    def hang(x: Any) -> Any:
        Path(tmp_path, "pid").write_text(str(os.getpid()))
        while True:
            pass

    begun = time.monotonic()
    verdict = sc.certify(hang, SMALL, 6, timeout=0.5)
    assert time.monotonic() - begun < 20
    assert "no answer within 0.5 s" in str(verdict)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_the_black_box_has_no_environment_no_files_and_no_input(monkeypatch: Any) -> None:
    monkeypatch.setenv("SYMCONV_SECRET", "s3cret")

    def spy(x: Any) -> Any:
        told = Path("/proc/self/environ").read_bytes() if Path("/proc/self/environ").exists() else b""
        opened = [str(Path(f"/proc/self/fd/{number}").readlink()) for number in range(3)]
        assert "SYMCONV_SECRET" not in os.environ
        assert not told.strip(b"\0")
        assert set(opened) == {os.devnull}
        with pytest.raises(OSError):
            os.fstat(held.fileno())
        return smooth(x)

    if not Path("/proc/self/fd").exists():
        pytest.skip("no /proc here")
    with Path(__file__).open() as held:
        assert sc.certify(spy, SMALL, 6).status == "exact"


@pytest.mark.parametrize(
    "sent", [b"\xff" * 99, b"symconv1\xff\xff\xff\xff", b"symconv1\x02\0\0\0[]", b"symconv1\x01\0\0\0["]
)
def test_what_is_sent_back_is_not_trusted(sent: bytes) -> None:
    def talk(x: Any) -> Any:
        for place in range(3, 64):
            with contextlib.suppress(OSError):
                os.write(place, sent)
        return smooth(x)

    verdict = sc.certify(talk, SMALL, 6)
    assert "what it sent back is no answer" in str(verdict)


def test_a_huge_array_that_is_announced_takes_no_memory() -> None:
    from symconv.audits.wire import MAGIC, ProtocolError, unpacked

    header = b'["answer", "", [["output", "float64", [100000, 100000]]]]'
    data = iter([MAGIC + len(header).to_bytes(4, "little"), header])
    with pytest.raises(ProtocolError, match="bytes"):
        unpacked(lambda count: next(data))


def test_another_answer_to_the_same_arguments_is_found() -> None:
    calls = []

    def forgets(x: Any) -> Any:
        calls.append(x)
        return smooth(x) + (len(calls) > 60)

    verdict = sc.certify(forgets, sc.AvgPool(2, stride=1, ndim=1), 3, cases=1, special=False, seed=1)
    assert verdict.status == "exact"  # it is asked less often than that
    verdict = sc.certify(lambda x: smooth(x) + (calls.append(x) or len(calls) > 20), SMALL, 6)
    assert verdict.status == "refuted"


def test_a_function_by_ctypes(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    (tmp_path / "slide.c").write_text(
        "void slide(const double*x,const double*w,double*y,int n,int k){for(int p=0;p+k<=n;p++){y[p]=0;"
        "for(int m=0;m<k;m++)y[p]+=x[p+m]*w[m];}}"
    )
    subprocess.run([compiler, "-shared", "-fPIC", "-o", tmp_path / "s.so", tmp_path / "slide.c"], check=True)
    slide = ctypes.CDLL(str(tmp_path / "s.so")).slide
    pointer = np.ctypeslib.ndpointer(np.float64, flags="C")
    slide.argtypes = [pointer, pointer, pointer, ctypes.c_int, ctypes.c_int]

    def made(x: Any, w: Any) -> Any:
        y = np.empty(len(x) - len(w) + 1)
        slide(x, w, y, len(x), len(w))
        return y

    assert_matches(made, sc.Conv(3, ndim=1))


def test_assert_matches_says_what_differs() -> None:
    with pytest.raises(AssertionError, match="likely cause: it is what Conv") as caught:
        assert_matches(lambda x, w: np.correlate(x, w), sc.Conv(3, ndim=1, flip=True))
    assert "REFUTED at I_1 = 4" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"function": 3}, "must be a function, a module of PyTorch"),
        ({"function": "missing.onnx"}, "must be the path of an ONNX model"),
        ({"op": sc.ReLU()}, "cannot be certified"),
        ({"op": sc.LPPool(np.inf, 2, ndim=1)}, "cannot be certified"),
        ({"input_size": (3, 3)}, "must have 1 entries"),
        ({"input_size": 1}, "needs an effective size"),
        ({"input_size": 1 << 40}, "must make arrays of at most"),
        ({"layout": "HW"}, "must have the letters NCW"),
        ({"layout": "WW"}, "must have the letters NCW"),
        ({"layout": 3}, "must be a text"),
        ({"weight_layout": "OIW"}, "must be left out"),
        ({"dtype": "int64"}, "must be a floating-point type"),
        ({"dtype": "complex64"}, "must be one of"),
        ({"gradients": 3}, "must be a function"),
        ({"timeout": 0}, "must be a positive number"),
        ({"seconds": float("nan")}, "must be a positive number"),
        ({"cases": 0}, "must be >= 1"),
        ({"weight": [1, 2]}, "must be left out"),
        ({"batch": 2}, "must be left out"),
        ({"special": 1}, "must be True or False"),
        ({"arrays": "jax"}, "must be one of"),
        ({"progress": 1}, "must be a function of one number"),
    ],
)
def test_a_wrong_argument_is_refused(change: dict[str, Any], words: str) -> None:
    given = {"function": smooth, "op": SMALL, "input_size": 6, **change}
    with pytest.raises(sc.SymconvError, match=words.replace("(", r"\(")):
        sc.certify(**given)


# ---------------------------------------------------------------------- frameworks


def test_modules_and_functions_of_pytorch() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    module = torch.nn.Conv2d(1, 1, 2, stride=2, padding=1)
    op = sc.from_torch(module)
    for dtype in ("float32", "bfloat16", "float16"):
        assert_matches(module, op, (3, 4), batch=1, dtype=dtype, most=400)
    assert sc.certify(module, sc.Conv(2, stride=2, padding=1, bias=True, flip=True), 3, batch=1).status == "refuted"
    pool = torch.nn.AvgPool2d(3, 2, padding=1, count_include_pad=False)
    assert_matches(pool, sc.AvgPool(3, 2, padding=1, count_include_pad=False))
    verdict = sc.certify(pool, sc.AvgPool(3, 2, padding=1), 5)
    assert verdict.cause is not None
    assert verdict.cause.operator == sc.AvgPool(3, 2, padding=1, count_include_pad=False)
    functional = torch.nn.functional
    assert_matches(lambda x: functional.max_pool2d(x, 2), sc.MaxPool(2), arrays="torch")
    with pytest.raises(sc.ArgumentError, match="must have one parameter each"):
        sc.certify(torch.nn.Linear(2, 2), sc.Conv(2), 3)


def test_models_of_onnx(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    values = [helper.make_tensor_value_info(name, kind, [None] * 4) for name in "xwy"]
    node = helper.make_node("Conv", ["x", "w"], ["y"], auto_pad="SAME_LOWER", strides=[2, 2])
    graph = helper.make_graph([node], "g", values[:2], values[2:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "conv.onnx")
    assert_matches(tmp_path / "conv.onnx", sc.Conv((2, 2), stride=2, padding="same_lower"), (3, 3), batch=1)
    verdict = sc.certify(tmp_path / "conv.onnx", sc.Conv((2, 2), stride=2, padding="same_upper"), (3, 3), batch=1)
    assert verdict.status == "refuted"
    (tmp_path / "bad.onnx").write_bytes(b"\x08\x08junk")
    assert "it raises" in str(sc.certify(tmp_path / "bad.onnx", SMALL, 6))
