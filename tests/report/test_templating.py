"""Templates are no programs."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import UndefinedError
from jinja2.exceptions import SecurityError

from symconv.errors import RenderError
from symconv.report import templating
from symconv.report.escape import Tex
from symconv.report.templating import html_environment, latex_environment, template_directory


@pytest.mark.parametrize("expression", ["''.__class__.__mro__", "x.__init__.__globals__", "x.pop.__self__"])
def test_no_way_out_of_the_sandbox(expression: str) -> None:
    with pytest.raises(SecurityError):
        latex_environment().from_string(f"((( {expression} )))").render(x=[])
    with pytest.raises(SecurityError):
        html_environment().from_string("{{ " + expression + " }}").render(x=[])


def test_values_cannot_be_changed() -> None:
    with pytest.raises(SecurityError):
        html_environment().from_string("{{ x.append(1) }}").render(x=[])


@pytest.mark.parametrize("name", ["range", "lipsum", "cycler", "joiner", "namespace", "dict"])
def test_there_are_no_global_functions(name: str) -> None:
    with pytest.raises(UndefinedError):
        latex_environment().from_string(f"((( {name}(9) )))").render()
    with pytest.raises(UndefinedError):
        html_environment().from_string("{{ " + name + "(9) }}").render()


def test_a_missing_name_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        latex_environment().from_string("((( titel )))").render()


def test_only_what_is_typed_as_tex_stays_as_it_is() -> None:
    template = latex_environment().from_string("((( a )))((( b )))((( a ~ b )))((( 'x_y' )))")
    assert template.render(a=Tex(r"\x"), b="_") == r"\x" + r"\_" + r"\textbackslash{}x\_" + r"x\_y"


def test_html_is_escaped() -> None:
    assert html_environment().from_string("{{ a }}").render(a="<b>") == "&lt;b&gt;"


def test_templates_are_found_or_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert (template_directory() / "report.html.jinja").is_file()
    monkeypatch.setattr(templating, "__file__", f"{tmp_path}/symconv/report/templating.py")
    with pytest.raises(RenderError, match=r"found neither in .* nor in .*install symconv again"):
        template_directory()


def test_the_installed_directory_goes_before_the_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    root = tmp_path
    for place in (root / "symconv" / "templates", root / "templates"):
        place.mkdir(parents=True)
        (place / "report.tex.jinja").write_text("x", encoding="utf-8")
    monkeypatch.setattr(templating, "__file__", f"{root}/symconv/report/templating.py")
    assert template_directory() == (root / "symconv" / "templates").resolve()
