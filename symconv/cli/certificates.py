"""``--certificates DIR`` of several commands, and ``symconv coq-check``: what Coq says of such a folder."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from symconv.cli.activity import Activity

if TYPE_CHECKING:
    from symconv.certificates.running import Answer
    from symconv.proofs.verdict import Verdict

__all__ = ["certificates_option", "certified", "coq_check", "recorded"]

REFUSED = 1

F = TypeVar("F", bound=Callable[..., Any])


def certificates_option(command: F) -> F:
    """The option of a command that can write certificates."""
    return click.option(
        "--certificates",
        "certificates",
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="Write what is proved as theorems for Coq into DIR (see symconv coq-check); say of which it has checked.",
    )(command)


def certified(folder: Path, verdicts: Iterable[tuple[str, str, Verdict]]) -> list[Verdict]:
    """Write a folder of certificates, and say on stderr how many there are and what has none.

    Args:
        folder: where they go; a record of what Coq has accepted of them stays.
        verdicts: a name, what is said, and the verdict.

    Returns:
        The verdicts, with what has checked them.

    Raises:
        WriteError: where the folder holds something else, or cannot be written.
    """
    from symconv.certificates.folder import entries, folder_files
    from symconv.certificates.recorded import read_record
    from symconv.report.files import write_together

    found = entries(verdicts)
    files = folder_files(found)
    stale = _stale(folder)
    _make(folder, {Path(name).parent for name in files})
    write_together({folder / name: text for name, text in files.items()})
    for path in stale:
        if path.relative_to(folder).as_posix() not in files:
            path.unlink(missing_ok=True)
    for entry in found:
        if entry.made is None:
            click.echo(f"no certificate: {entry.title}: {entry.missing}", err=True)
    count = sum(entry.made is not None for entry in found)
    shown = click.format_filename(folder)
    command = f"symconv coq-check {shlex.quote(str(shown))}"
    click.echo(f"{count} of {len(found)} statements have a certificate in {shown}; {command}", err=True)
    record = read_record(folder)
    return [entry.verdict if record is None else record.marked(entry) for entry in found]


def recorded(name: str, verdicts: Iterable[tuple[str, str, Verdict]]) -> list[Verdict]:
    """Verdicts of what the package itself states, with what has checked them by its own record.

    Args:
        name: of the record, see `packaged_record`.
        verdicts: a name, what is said, and the verdict.
    """
    from symconv.certificates.folder import entries
    from symconv.certificates.recorded import packaged_record

    record = packaged_record(name)
    return [record.marked(entry) for entry in entries(verdicts)]


def _stale(folder: Path) -> list[Path]:
    """The statements of an earlier run, which go where they are not written again."""
    from symconv.certificates.folder import INDEX, STATEMENTS
    from symconv.errors import WriteError

    if not folder.exists():
        return []
    if not folder.is_dir():
        raise WriteError(f"cannot write to {folder}: it is no directory; name another one")
    if not (folder / INDEX).is_file() and any(folder.iterdir()):
        raise WriteError(
            f"cannot write certificates to {folder}: it holds other files; name a new or an empty directory"
        )
    return sorted((folder / STATEMENTS).glob("*.v"))


def _make(folder: Path, parts: set[Path]) -> None:
    from symconv.errors import WriteError

    try:
        for part in sorted(parts):
            (folder / part).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"cannot write to {folder}: {error.strerror or error}; name another directory") from error


@click.command("coq-check", short_help="Check a folder of certificates with Coq.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--coqchk", is_flag=True, help="Once more with Coq's kernel alone, its own library included.")
@click.option(
    "--seconds", type=click.IntRange(1), default=120, show_default=True, help="The most that a file may take."
)
@click.option("--memory", type=click.IntRange(256), default=4000, show_default=True, help="The most, in megabytes.")
def coq_check(folder: Path, coqchk: bool, seconds: int, memory: int) -> None:
    """Let Coq check every statement of DIR, which a command with --certificates wrote; one line a statement.

    "accepted" means that Coq has checked the proof and that it rests on no axiom. What was accepted is kept in
    DIR/record.json; the command that wrote DIR, run again, then says "checked by Coq" of it. Coq must be installed
    (Debian and Ubuntu: apt-get install coq).

    \b
    Exit status: 0 all accepted, 1 one is refused, 2 DIR is no such folder or Coq is not installed.

    \b
    Examples:
      symconv check homework.toml --certificates proofs    writes the certificates
      symconv coq-check proofs                             has Coq check them
      symconv check homework.toml --certificates proofs    says what has been checked
      symconv coq-check proofs --coqchk
    """
    from symconv.certificates.recorded import RECORD
    from symconv.certificates.running import check_folder
    from symconv.report.files import write_together

    with Activity("starting Coq") as activity:
        checked = check_folder(
            folder, coqchk=coqchk, seconds=seconds, megabytes=memory, say=activity.say, each=_print_answer
        )
    write_together({folder / RECORD: checked.record.text})
    if checked.kernel is not None:
        _print_answer(checked.kernel)
    refused = sum(not answer.accepted for answer in checked.answers)
    click.echo(
        f"\nCoq {checked.version}: {len(checked.answers) - refused} accepted, {refused} refused, "
        f"{len(checked.missing)} without a certificate"
    )
    if not checked.accepted:
        click.get_current_context().exit(REFUSED)


def _print_answer(answer: Answer) -> None:
    click.echo(
        f"{'accepted' if answer.accepted else 'REFUSED '}  {answer.name}{': ' if answer.said else ''}{answer.said}"
    )
