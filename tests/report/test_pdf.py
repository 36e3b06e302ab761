"""pdflatex as a guest: found or missed with advice, confined, on time, reproducible."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sample import sample

from symconv.errors import RenderError
from symconv.report import pdf
from symconv.report.pdf import find_pdflatex, first_error, to_pdf
from symconv.report.render import to_latex

needs_pdflatex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")


def test_a_missing_pdflatex_is_explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_pdflatex() is None
    with pytest.raises(RenderError, match=r"^pdflatex was not found .*apt install texlive.*html"):
        to_pdf("x")


@needs_pdflatex
def test_the_same_document_gives_the_same_bytes() -> None:
    tex = to_latex(sample())
    first = to_pdf(tex)
    assert first.startswith(b"%PDF-")
    assert b"CreationDate" not in first
    assert to_pdf(tex) == first


@needs_pdflatex
def test_an_error_quotes_the_log_and_the_line() -> None:
    with pytest.raises(RenderError, match=r"^pdflatex stopped: ! Undefined control sequence\. \(line 3: \\nosuch"):
        to_pdf("\\documentclass{article}\n\\begin{document}\n\\nosuch\n\\end{document}\n")


@needs_pdflatex
@pytest.mark.parametrize("command", [r"\input{%s}", r"\input{../secret.tex}", r"\openin5=%s \read5 to\x \x"])
def test_files_outside_the_scratch_directory_cannot_be_read(tmp_path: Path, command: str) -> None:
    secret = tmp_path / "secret.tex"
    secret.write_text("Sesame", encoding="utf-8")
    tex = "\\documentclass{article}\\begin{document}x" + command.replace("%s", str(secret)) + "\\end{document}"
    with pytest.raises(RenderError, match=r"^pdflatex stopped"):
        to_pdf(tex)


@needs_pdflatex
def test_files_outside_the_scratch_directory_cannot_be_written(tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    writing = rf"\newwrite\w \immediate\openout\w={target} \immediate\write\w{{x}}\immediate\closeout\w"
    with pytest.raises(RenderError, match=r"^pdflatex stopped"):
        to_pdf(rf"\documentclass{{article}}\begin{{document}}{writing} x\end{{document}}")
    assert not target.exists()


@needs_pdflatex
def test_there_is_no_shell(tmp_path: Path) -> None:
    target = tmp_path / "made"
    made = to_pdf(rf"\documentclass{{article}}\begin{{document}}\immediate\write18{{touch {target}}}x\end{{document}}")
    assert made.startswith(b"%PDF-")
    assert not target.exists()


@needs_pdflatex
def test_an_endless_document_is_stopped() -> None:
    with pytest.raises(RenderError, match=r"within timeout=1 seconds"):
        to_pdf(r"\documentclass{article}\begin{document}\loop\iftrue\repeat\end{document}", timeout=1)


def test_a_program_that_cannot_start_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "pdflatex"
    broken.write_text("no program", encoding="utf-8")
    monkeypatch.setattr(pdf, "find_pdflatex", lambda: broken)
    with pytest.raises(RenderError, match=r"could not be started"):
        to_pdf("x")


def test_a_log_without_an_error_shows_its_end() -> None:
    assert first_error("a\nb\nc\nd") == "no error was written to the log; its end: b c d"
