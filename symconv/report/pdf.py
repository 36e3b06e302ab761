"""LaTeX to PDF by pdflatex, when it is there: no shell, no files from outside, a time limit, reproducible bytes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from symconv.doors import text as as_text
from symconv.errors import ArgumentError, RenderError

__all__ = ["find_pdflatex", "require_pdflatex", "to_pdf"]

_INSTALL = (
    "install TeX Live (Debian and Ubuntu: apt install texlive-latex-base texlive-latex-recommended texlive-pictures "
    "lmodern; macOS: MacTeX; Windows: MiKTeX), or take the .tex or .html output, which need nothing"
)
_TEX_PATHS = re.compile(r"TEX.*|.*INPUTS.*|.*FONTS.*", re.DOTALL)
_LONGEST = 86_400  # seconds, a day
_RUNS = 2  # the second run knows the number of pages and the places of the links


def find_pdflatex() -> Path | None:
    """The pdflatex program on the search path, or None where TeX is not installed."""
    found = shutil.which("pdflatex")
    return Path(found) if found else None


def require_pdflatex() -> Path:
    """The pdflatex program on the search path.

    Raises:
        RenderError: it is not there; the message says what to install.
    """
    program = find_pdflatex()
    if program is None:
        raise RenderError(f"pdflatex was not found on the search path; {_INSTALL}")
    return program


def to_pdf(tex: str, timeout: float = 60) -> bytes:
    """The PDF of a LaTeX document; byte-identical for the same input.

    pdflatex runs in an empty scratch directory, without a shell, and may neither read nor write a file outside it
    except TeX's own.

    Args:
        tex: a whole document.
        timeout: seconds that each of the two runs may take.

    Returns:
        The bytes of the PDF.

    Raises:
        ArgumentError: for a timeout that is no number of seconds up to a day.
        RenderError: pdflatex is missing, took too long, or stopped at an error (the first one is quoted).
    """
    as_text("tex", tex, "must be the text of a LaTeX document, such as to_latex gives")
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout <= _LONGEST:
        raise ArgumentError("timeout", timeout, f"must be a number of seconds, above 0 and at most {_LONGEST}")
    program = require_pdflatex()
    with tempfile.TemporaryDirectory(prefix="symconv-") as scratch:
        folder = Path(scratch)
        (folder / "report.tex").write_text(tex, encoding="utf-8")
        for _ in range(_RUNS):
            _run(program, folder, timeout)
        return (folder / "report.pdf").read_bytes()


def _run(program: Path, folder: Path, timeout: float) -> None:
    command = [str(program), "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "report.tex"]
    # SOURCE_DATE_EPOCH would add dates again where a distribution sets it; a fixed one keeps every date fixed.
    # What a user has set for TeX's search paths would decide which files are read, and so which bytes come out.
    plain = {name: value for name, value in os.environ.items() if not _TEX_PATHS.fullmatch(name)}
    environment = plain | {
        "openin_any": "p",
        "openout_any": "p",
        "SOURCE_DATE_EPOCH": "0",
        "FORCE_SOURCE_DATE": "1",
        "max_print_line": "1000",
        "error_line": "254",
        "half_error_line": "238",
    }
    try:
        finished = subprocess.run(  # noqa: S603 - a fixed program and fixed arguments, no shell
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RenderError(
            f"pdflatex must finish within timeout={timeout:g} seconds and did not; raise the timeout or shorten the "
            "document"
        ) from error
    except OSError as error:
        raise RenderError(f"pdflatex at {program} could not be started: {error.strerror or error}") from error
    if finished.returncode != 0 or not (folder / "report.pdf").is_file():
        log = folder / "report.log"
        text = log.read_text("utf-8", "replace") if log.is_file() else finished.stdout.decode("utf-8", "replace")
        raise RenderError(f"pdflatex stopped: {first_error(text)}")


def first_error(log: str) -> str:
    """The first error of a TeX log with the source line that it names.

    >>> first_error("blah\\n! Undefined control sequence.\\nl.7 \\\\foo\\n        bar\\n")
    '! Undefined control sequence. (line 7: \\\\foo bar)'
    """
    lines = log.splitlines()
    start = next((n for n, line in enumerate(lines) if line.startswith("!")), None)
    if start is None:
        return "no error was written to the log; its end: " + " ".join(lines[-3:])
    for n in range(start, min(start + 30, len(lines))):
        place = re.match(r"l\.(\d+) ?(.*)", lines[n])
        if place:
            rest = lines[n + 1].strip() if n + 1 < len(lines) else ""
            return f"{lines[start]} (line {place[1]}: {' '.join(f'{place[2].strip()} {rest}'.split())})"
    return lines[start]
