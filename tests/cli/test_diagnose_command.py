"""``symconv diagnose``: arrays from files, what is printed, and files that are hostile."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from symconv.cli import application

X = np.array([[1, 4, 2, 8], [5, 7, 1, 3], [9, 6, 2, 0], [3, 5, 8, 4]])
W = np.array([[1, 2], [0, -1]])
Y = np.array([[2, 7, 15], [13, 7, 7], [16, 2, -2]])  # by hand: x[p][q] + 2 x[p][q+1] - x[p+1][q+1]

SAME = "neither these data nor 16 simple inputs of their size tell it from the first"


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(application.commands, ["diagnose", *map(str, arguments)])


def saved(folder: Path, suffix: str) -> list[Path]:
    paths = []
    for name, array in (("x", X), ("w", W), ("y", Y)):
        path = folder / f"{name}{suffix}"
        if suffix == ".npy":
            np.save(path, array)
        elif suffix == ".npz":
            np.savez(path, array)
        elif suffix == ".csv":
            path.write_text("\n".join(", ".join(map(str, row)) for row in array.tolist()))
        else:
            path.write_text(json.dumps(array.tolist()))
        paths.append(path)
    return paths


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".csv", ".json"])
def test_arrays_come_from_files(tmp_path: Path, suffix: str) -> None:
    done = run(*saved(tmp_path, suffix))
    assert done.exit_code == 0
    assert done.stdout.startswith("1. Conv(kernel_size=(2, 2))\n  input HW, output HW, weight HW\n")


def test_one_file_holds_them_all(tmp_path: Path) -> None:
    (tmp_path / "case.json").write_text(json.dumps({"x": X.tolist(), "weight": W.tolist(), "y": Y.tolist()}))
    rows = json.loads(run(tmp_path / "case.json", "--json").stdout)
    assert (rows[0]["operator"], rows[0]["exact"]) == ("Conv(kernel_size=(2, 2))", True)
    assert {each for row in rows[1:] for each in row["notes"]} <= {SAME}


def test_nothing_fits_is_status_1(tmp_path: Path) -> None:
    x, w, y = saved(tmp_path, ".json")
    wrong = Y.copy()
    wrong[0, 1] = 71
    y.write_text(json.dumps(wrong.tolist()))
    done = run(x, w, y)
    assert done.exit_code == 1
    assert "entry [0, 1] is 71 and should be 7\n" in done.stdout


def test_a_wrong_gradient_is_status_1(tmp_path: Path) -> None:
    g, wrong = tmp_path / "g.json", tmp_path / "gw.json"
    g.write_text(json.dumps(np.ones((3, 3), int).tolist()))
    wrong.write_text(json.dumps([[1, 2], [3, 4]]))
    done = run(*saved(tmp_path, ".npy"), "--grad-output", g, "--grad-weight", wrong)
    assert done.exit_code == 1
    assert "the gradient of the weight is wrong: 4 of 4 entries differ" in done.stdout


def _header(shape: str, descr: str = "'<i8'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (63 - (len(text) + 10) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def _bomb() -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", b"\0" * (1 << 29))
    return memory.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.npy", b"nonsense", "must be an .npy file"),
        ("x.npy", _header("(100000, 100000)"), "Error: an array must have at most 268,435,456 bytes, got one of"),
        ("x.npy", _header("(2, 2)"), "must be an .npy file"),
        ("x.npy", _header("(-1, -1)") + bytes(8), "must have a shape"),
        ("x.npy", _header("(1,)", "'|O'") + b"cos\nsystem\n", "holds Python objects"),
        ("x.npz", b"PK\x03\x04", "must be an .npz archive"),
        ("x.npz", _bomb(), "must unpack to at most"),
        ("x.csv", b"1, 2\n3, __import__('os')", "line 2"),
        ("x.csv", b"1, 2\n3", "rows of one length"),
        ("x.csv", b"\xff\xfe", "must be text in UTF-8"),
        ("x.json", b"[" * 100_000, "must be JSON"),
        ("x.json", b"{}", "holds an object"),
        ("x.pkl", b"cos\nsystem\n", "must end in .npy, .npz, .csv, .json"),
    ],
)
def test_a_hostile_file_is_one_message(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    _, w, y = saved(tmp_path, ".csv")
    (tmp_path / name).write_bytes(content)
    done = run(tmp_path / name, w, y)
    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_number_of_files(tmp_path: Path) -> None:
    x, w, y = saved(tmp_path, ".csv")
    assert run(x, w, y, y).exit_code == 2
    assert "must end in .npz or .json" in run(x).stderr
