"""``symconv report``: from a problem file to its worked solution. Everything is rendered before anything is written."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from symconv.cli.activity import Activity
from symconv.cli.certificates import certificates_option, certified, recorded
from symconv.cli.example import EXAMPLES, example_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from symconv.problems.build import Certify
    from symconv.report.document import Document
    from symconv.report.marks import Mark

__all__ = ["report"]


@click.command(short_help="Work out a problem file as LaTeX, HTML and PDF.")
@click.argument("problem", required=False, metavar="[PROBLEM.toml]", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "folder",
    default="reports",
    show_default=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where the files go; made if it is not there.",
)
@click.option("--pdf", is_flag=True, help="Write a PDF as well (needs pdflatex).")
@click.option("--fragment", is_flag=True, help=r"Write NAME.fragment.tex as well: a body without preamble, for \input.")
@click.option("--no-tex", is_flag=True, help="Leave NAME.tex out (it cannot hold, say, a title in Chinese).")
@click.option("--watch", is_flag=True, help="Build again at every save, and show the page in a browser (see below).")
@click.option("--no-html", is_flag=True, help="Leave NAME.html out.")
@click.option("--example", type=click.Choice(EXAMPLES), help="Work out a packaged example instead of a file.")
@certificates_option
def report(
    problem: Path | None,
    folder: Path,
    pdf: bool,
    fragment: bool,
    no_tex: bool,
    watch: bool,
    no_html: bool,
    example: str | None,
    certificates: Path | None,
) -> None:
    """Work out PROBLEM.toml and write its solution as LaTeX and HTML.

    Without a file it is the packaged example. Every step is derived and checked on the way; the table that is printed
    says how many statements were proved for all symbolic sizes, found exact at one size, refuted, or left undecided.

    \b
    Examples:
      symconv report                        the packaged example, into reports/
      symconv report --example network      another packaged example
      symconv report homework.toml          reports/homework.tex and reports/homework.html
      symconv report homework.toml -o out --pdf
      symconv report homework.toml --fragment --no-html
      symconv report homework.toml --certificates proofs
      symconv report homework.toml --watch   at every save, in the browser at the address that is printed

    With --watch the page is served to this machine alone, at an address that holds a secret; it is refreshed at every
    save, an error in the file is shown at its question, and only questions that changed are derived again.
    """
    from symconv.problems.build import build_document
    from symconv.problems.memory import AnswerMemory
    from symconv.problems.reading import load_problem
    from symconv.report.files import write_together
    from symconv.report.pdf import require_pdflatex

    if no_tex and no_html and not (pdf or fragment):
        raise click.UsageError("--no-tex and --no-html leave nothing to write; drop one, or add --pdf or --fragment")
    if pdf:
        require_pdflatex()
    if problem is not None and example is not None:
        raise click.UsageError("name a file or an --example, not both")
    source = problem if problem is not None else example_file(example or EXAMPLES[0])
    memory = AnswerMemory()
    last: list[tuple[Document, dict[Path, str | bytes]]] = []

    def work() -> tuple[dict[Path, str | bytes], Document]:
        with Activity(f"reading {source.name}") as activity:
            read = load_problem(source)
            document = build_document(read, activity.say, _certify(problem, example, certificates), memory)
            if not last or last[0][0] != document:  # the same document is not written twice
                files = _written(document, folder / source.stem, activity, pdf, fragment, no_tex, no_html)
                last[:] = [(document, files)]
            return last[0][1], document

    def put(files: dict[Path, str | bytes]) -> None:
        _spare(source, files)
        _make(folder)
        write_together(files)

    if watch:
        _watch(problem, no_html, folder, work, put)
        return
    files, document = work()
    put(files)
    for path in files:
        click.echo(f"wrote {click.format_filename(path)}")
    click.echo()
    click.echo(summary(document))


def _watch(
    problem: Path | None,
    no_html: bool,
    folder: Path,
    work: Callable[[], tuple[dict[Path, str | bytes], Document]],
    put: Callable[[dict[Path, str | bytes]], None],
) -> None:
    """Build at every save of the file.

    Raises:
        UsageError: without a file or a page to watch, and where the watcher of files is not installed.
    """
    from importlib.util import find_spec

    if problem is None or no_html:
        raise click.UsageError("--watch needs a PROBLEM.toml, and a page: name a file, and drop --no-html")
    if find_spec("watchfiles") is None:
        raise click.UsageError("--watch needs the package watchfiles: pip install watchfiles")
    if not problem.is_file():
        raise click.UsageError(f"--watch needs a file that is there, got {click.format_filename(problem)}")
    from symconv.cli.watching import watch

    page = folder / f"{problem.stem}.html"

    def build() -> str:
        files, _ = work()
        put(files)
        return str(files[page])

    watch(problem, build, click.echo)


def _written(
    document: Document, stem: Path, activity: Activity, pdf: bool, fragment: bool, no_tex: bool, no_html: bool
) -> dict[Path, str | bytes]:
    """The files of a document, rendered."""
    from symconv.report.render import to_html, to_latex, to_pdf

    files: dict[Path, str | bytes] = {}
    activity.say("writing LaTeX and HTML")
    if pdf or not no_tex:
        tex = to_latex(document)
        if not no_tex:
            files[stem.with_name(f"{stem.name}.tex")] = tex
    if fragment:
        files[stem.with_name(f"{stem.name}.fragment.tex")] = to_latex(document, fragment=True)
    if not no_html:
        files[stem.with_name(f"{stem.name}.html")] = to_html(document)
    if pdf:
        activity.say("running pdflatex")
        files[stem.with_name(f"{stem.name}.pdf")] = to_pdf(tex)
    return files


def _certify(problem: Path | None, example: str | None, folder: Path | None) -> Certify | None:
    """What says of a statement that Coq has checked it: the record of a folder, or that of the packaged example."""
    if folder is not None:
        return partial(certified, folder)
    return partial(recorded, EXAMPLES[0]) if problem is None and example in (None, EXAMPLES[0]) else None


def summary(document: Document) -> str:
    """How many statements have which mark, one line a mark."""
    from symconv.report.document import Notation
    from symconv.report.layout import MARK_MEANINGS, all_blocks, marked

    marks: tuple[Mark, ...] = ("proved", "exact", "refuted", "undecided")
    blocks = (block for block in all_blocks(document.blocks) if not isinstance(block, Notation))
    found = [mark for block in blocks for mark, number in marked(block) if number]
    return "\n".join(f"{found.count(mark):5}  {MARK_MEANINGS[mark]}" for mark in marks)


def _spare(source: Path, files: dict[Path, str | bytes]) -> None:
    """The problem file itself must not be written over."""
    from symconv.errors import WriteError

    for path in files:
        if path.exists() and path.samefile(source):
            raise WriteError(f"cannot write {path}: it is the problem file; name another directory with -o")


def _make(folder: Path) -> None:
    from symconv.errors import WriteError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(
            f"cannot write to {folder}: it is no directory and cannot be made one ({error.strerror or error}); name "
            "another one with -o"
        ) from error
