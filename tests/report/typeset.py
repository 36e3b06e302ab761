"""Typesetting for the tests of figures: pdflatex on a list of pictures, and the namespace of SVG."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from symconv.report.drawing.shapes import DEFINED_COLOURS

SVG = "{http://www.w3.org/2000/svg}"
needs_latex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")


def compile_latex(pictures: list[str], folder: Path) -> str:
    """Typesets pictures one a line; returns the log, and fails with it if pdflatex does."""
    colours = "\n".join(rf"\definecolor{{{name}}}{{HTML}}{{{value}}}" for name, value in DEFINED_COLOURS.items())
    body = "\n\n".join(pictures)
    packages = r"\usepackage[T1]{fontenc}\usepackage{textcomp,lmodern,amsmath,xcolor,tikz}"
    source = rf"\documentclass{{article}}{packages}{colours}\begin{{document}}{body}\end{{document}}"
    (folder / "figure.tex").write_text(source, encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "figure.tex"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "openin_any": "p"},
    )
    assert done.returncode == 0, done.stdout[-2500:]
    return done.stdout
