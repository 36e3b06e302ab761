"""Operators as modules that stand alone: they run with NumPy only, and give what plain loops give."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from kernels.layers import Layer, convolutions, poolings
from operators.matching import TemplateMatching

from symconv import AdaptiveMaxPool, Conv, ConvTranspose, Dilation, Fold, MaxPool, Softmax, compile
from symconv.cli.application import commands
from symconv.errors import NotSupportedError
from symconv.kernels.export.module import numpy_module

RNG = np.random.default_rng(16)


def loaded(text: str) -> Any:
    names: dict[str, Any] = {"__name__": "module"}
    exec(text, names)
    names["self_test"]()
    return names["forward"]


@settings(max_examples=15, derandomize=True, deadline=None)
@given(convolutions() | poolings())
def test_modules_test_themselves(layer: Layer) -> None:
    loaded(numpy_module(layer.op))


@pytest.mark.parametrize(
    ("op", "shape", "weight"),
    [
        (
            Conv((3, 2), 2, 1, in_channels=4, out_channels=6, groups=2, padding_mode="reflect"),
            (2, 4, 9, 8),
            (6, 2, 3, 2),
        ),
        (ConvTranspose((3, 2), (2, 3), 1, in_channels=2, out_channels=3), (2, 2, 5, 4), (2, 3, 3, 2)),
        (MaxPool(3, 2, 1), (2, 3, 9, 8), None),
        (AdaptiveMaxPool((3, 2)), (2, 7, 5), None),
        (Dilation((2, 3), padding=1), (2, 6, 7), (2, 3)),
        (TemplateMatching((2, 3), stride=2), (2, 6, 7), (2, 3)),
    ],
    ids=repr,
)
def test_modules_give_what_kernels_give(op: Any, shape: Any, weight: Any) -> None:
    x = RNG.integers(-4, 5, shape).astype("float32")
    arrays = (x,) if weight is None else (x, RNG.integers(-4, 5, weight).astype("float32"))
    forward = loaded(compile(op).standalone())
    np.testing.assert_array_equal(forward(*arrays), compile(op)(*arrays))
    with pytest.raises(ValueError, match=r"must have (the shape|. axes)|no window fits"):
        forward(x[..., :1], *(np.zeros((1,) * 9) for _ in arrays[1:])) if weight else forward(np.zeros(()))


def test_patches_are_added_up_as_by_loops() -> None:
    patches = RNG.integers(-4, 5, (2, 3, 3, 3, 3)).astype("float32")  # a batch of 2, taps, then places
    due = np.zeros((2, 8, 8), np.float32)
    for m in range(3):
        for n in range(3):
            for i in range(3):
                for j in range(3):
                    due[:, m + 2 * i, n + 2 * j] += patches[:, m, n, i, j]
    forward = loaded(numpy_module(Fold((6, 6), (3, 3), 2, 1)))
    np.testing.assert_array_equal(forward(patches), due[:, 1:7, 1:7])


def test_what_overflows_is_refused() -> None:
    with pytest.raises(NotSupportedError, match="function exp, which may overflow"):
        numpy_module(Softmax())


def test_the_command_writes_a_module_that_runs(tmp_path: Path) -> None:
    file = tmp_path / "kernel.py"
    done = CliRunner().invoke(commands, ["kernel", "conv", "--kernel", "3x3", "--stride", "2", "-o", str(file)])
    assert done.exit_code == 0, done.output
    ran = subprocess.run([sys.executable, "-I", str(file)], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert ran.stdout == "the self-test has passed\n"
    assert "symconv" not in file.read_text().replace("MADE_BY = 'symconv", "")
    again = CliRunner().invoke(commands, ["kernel", "conv", "--kernel", "5", "-o", str(file)])
    assert (again.exit_code, "kernel_size=(5,)" in file.read_text()) == (0, True)
    layer = CliRunner().invoke(commands, ["kernel", "nn.MaxPool2d(3, 2, 1)"])
    loaded(layer.output)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("conv.a", "must be a module that Python can import"),
        ("class.py", "must be a module that Python can import"),
        ("own.py", "was not written by this command"),
    ],
)
def test_a_place_for_no_module_is_refused(tmp_path: Path, name: str, message: str) -> None:
    own = tmp_path / "own.py"
    own.write_text("answer = 42\n")
    done = CliRunner().invoke(commands, ["kernel", "conv", "--kernel", "3", "-o", str(tmp_path / name)])
    assert done.exit_code == 2
    assert message in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["own.py"]
    assert own.read_text() == "answer = 42\n"
