"""The Jinja2 environments: sandboxed, strict about names, and escaping whatever is not typed as markup.

Templates arrange and nothing else; all that they print was made by Python. They are part of the package, and even so
they run in a sandbox, without any of Jinja's own functions, so that a template of one's own is no program either.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from symconv.errors import RenderError
from symconv.report.escape import Tex, latex_text

__all__ = ["html_environment", "latex_environment", "read_template_file", "template_directory", "text_environment"]


def template_directory() -> Path:
    """Where the templates lie: inside the installed package, or at the root of the repository that is worked in.

    Raises:
        RenderError: neither directory has them.
    """
    package = Path(__file__).resolve().parent.parent
    places = (package / "templates", package.parent / "templates")
    for place in places:
        if (place / "report.tex.jinja").is_file():
            return place
    raise RenderError(
        f"the report templates were found neither in {places[0]} nor in {places[1]}; install symconv again, or run it "
        "from a complete checkout"
    )


def read_template_file(name: str) -> str:
    """The text of a file that lies with the templates, such as the style sheet.

    Raises:
        RenderError: it is not there, or cannot be read.
    """
    path = template_directory() / name
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RenderError(f"{path} cannot be read ({error}); install symconv again") from None


def _tex_or_escaped(value: object) -> str:
    return value if isinstance(value, Tex) else latex_text(str(value))


def _bare(environment: ImmutableSandboxedEnvironment) -> ImmutableSandboxedEnvironment:
    """Without Jinja's global functions: `range` alone can fill the memory."""
    environment.globals.clear()
    return environment


def latex_environment() -> ImmutableSandboxedEnvironment:
    """A new one: `((* *))`, `((( )))` and `((= =))` instead of braces; output is `Tex` or it is escaped."""
    return _bare(
        ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(template_directory()),
            block_start_string="((*",
            block_end_string="*))",
            variable_start_string="(((",
            variable_end_string=")))",
            comment_start_string="((=",
            comment_end_string="=))",
            undefined=StrictUndefined,
            finalize=_tex_or_escaped,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
    )


def html_environment() -> ImmutableSandboxedEnvironment:
    """A new one: templates with Jinja's usual braces; output is `Markup` or it is escaped."""
    return _bare(
        ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(template_directory()),
            undefined=StrictUndefined,
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
    )


def text_environment() -> ImmutableSandboxedEnvironment:
    """A new one for plain texts, with Jinja's usual braces: nothing is escaped, so what is printed has a filter."""
    return _bare(
        ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(template_directory()),
            undefined=StrictUndefined,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
    )


def markup(text: str) -> Markup:
    """A string that is HTML already; only writers may say so."""
    return Markup(text)  # noqa: S704 - the one door through which made HTML enters a template
