"""``symconv grade``: the answers of a class, graded with the slips named."""

from __future__ import annotations

from pathlib import Path

import click

from symconv.cli.activity import Activity

__all__ = ["grade"]


@click.command(short_help="Grade the answers of a class, slips named.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--answers",
    required=True,
    metavar="ANSWERS",
    type=click.Path(path_type=Path),
    help="The folder with the forms that came back, KEY.toml or KEY.csv.",
)
@click.option(
    "-o", "--output", "out", required=True, metavar="FEEDBACK", type=click.Path(path_type=Path),
    help="Where pages and tables go; made if it is not there.",
)  # fmt: skip
def grade(folder: Path, answers: Path, out: Path) -> None:
    """Grade the forms in ANSWERS for the class set in DIR, which symconv exercise wrote.

    An answer is right; or it follows from a wrong one before it, which earns full points; or it has a slip with a name
    (the flipped convolution, the wrong divisor, a gradient without the rotation, ...); or it is wrong. FEEDBACK gets a
    page a student, pages/KEY.html; table.csv and table.json; and class.html, with how every question was answered and
    which slips there are.

    Points in the column set_points and words in the column remark of table.csv are kept when it is graded again. A file
    that cannot be read is listed; the others are graded. Nothing else than the files of the class is read.

    \b
    Examples:
      symconv grade out --answers answers -o feedback
    """
    from symconv.grading.grading import grade_class, summary

    with Activity("reading the class") as activity:
        outcome = grade_class(folder, answers, out, activity.say)
    click.echo(summary(outcome))
    click.echo(f"wrote {click.format_filename(out / 'class.html')}, table.csv, table.json and a page a student")
