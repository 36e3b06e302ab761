"""Coq for tests: the library compiled once a session, and what coqc says of a text; skipped where there is no coqc."""

from __future__ import annotations

import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from symconv.certificates.library import LOGICAL_NAME, library

needs_coq = pytest.mark.skipif(
    shutil.which("coqc") is None, reason="coqc is not installed (Debian: apt-get install coq)"
)


@lru_cache(maxsize=1)
def _compiled() -> Path:
    folder = Path(mkdtemp(prefix="symconv-coq-"))
    for name, text in library().items():
        (folder / f"{name}.v").write_text(text, encoding="utf-8")
        subprocess.run(["coqc", "-q", "-R", str(folder), LOGICAL_NAME, f"{folder}/{name}.v"], check=True, cwd=folder)
    return folder


def coqc(folder: Path, text: str, seconds: int = 60) -> tuple[bool, str]:
    """Whether Coq accepts a text, and what it prints."""
    path = folder / "judged.v"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["coqc", "-q", "-R", str(_compiled()), LOGICAL_NAME, str(path)],
        capture_output=True,
        text=True,
        timeout=seconds,
        cwd=folder,
        check=False,
    )
    return done.returncode == 0, done.stdout + done.stderr


CLOSED = "Closed under the global context"
