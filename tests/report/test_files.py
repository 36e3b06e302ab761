"""Files appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from symconv.errors import WriteError
from symconv.report.files import write_atomically


def test_text_and_bytes_arrive_unchanged(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a.txt", "é\r\n")
    assert (tmp_path / "a.txt").read_bytes() == "é\r\n".encode()
    write_atomically(tmp_path / "a.txt", b"\0")
    assert (tmp_path / "a.txt").read_bytes() == b"\0"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_new_file_follows_the_mask_and_an_old_one_keeps_its_mode(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        write_atomically(tmp_path / "new", "x")
    finally:
        os.umask(mask)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640
    (tmp_path / "new").chmod(0o600)
    write_atomically(tmp_path / "new", "y")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.tex"
    path.write_text("old", encoding="utf-8")

    def fail(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(WriteError, match=r"^cannot write .*report\.tex: No space left on device$"):
        write_atomically(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["report.tex"]


def test_a_missing_directory_and_a_directory_are_named(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match=r"the directory .*nowhere does not exist"):
        write_atomically(tmp_path / "nowhere" / "a", "x")
    with pytest.raises(WriteError, match="it is a directory"):
        write_atomically(tmp_path, "x")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(WriteError, match="does not exist"):
        write_atomically(tmp_path / "file" / "a", "x")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_directory_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(WriteError, match="Permission denied"):
            write_atomically(tmp_path / "a", "x")
    finally:
        tmp_path.chmod(0o700)
