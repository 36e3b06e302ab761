"""``symconv init``: a commented problem file to start from."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["init"]


@click.command(short_help="Write a commented problem file to start from.")
@click.argument("file", default="problem.toml", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def init(file: Path, force: bool) -> None:
    """Write a commented problem FILE (problem.toml unless named).

    The file is a small exercise that can be reported as it is; every key is explained, and further keys stand in it
    switched off.

    \b
    Examples:
      symconv init                     write problem.toml
      symconv init homework.toml
      symconv init homework.toml --force
    """
    from symconv.errors import WriteError
    from symconv.problems.starter import starter
    from symconv.report.files import write_atomically

    if file.exists() and not file.is_dir() and not force:
        raise WriteError(f"cannot write {file}: it is there already; name another file, or replace it with --force")
    write_atomically(file, starter())
    shown = click.format_filename(file)
    click.echo(f"wrote {shown}")
    click.echo(f"next: symconv report {shown}")
