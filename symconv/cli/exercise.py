"""``symconv exercise``: one variant of a problem file a student, with a sheet, a form and a worked key."""

from __future__ import annotations

from pathlib import Path

import click

from symconv.cli.activity import Activity

__all__ = ["exercise"]

MOST_SHOWN = 5


@click.command(short_help="Set an exercise for a class: own numbers for every student.")
@click.argument("problem", metavar="PROBLEM.toml", type=click.Path(path_type=Path))
@click.option(
    "--students",
    required=True,
    metavar="LIST.csv",
    type=click.Path(path_type=Path),
    help='The class: an id a line, and a name in the column "name", or behind a comma.',
)
@click.option("--seed", required=True, type=int, help="The same seed gives every student the same exercise again.")
@click.option(
    "-o", "--output", "folder", required=True, metavar="DIR", type=click.Path(path_type=Path),
    help="Where the class set goes; made if it is not there.",
)  # fmt: skip
def exercise(problem: Path, students: Path, seed: int, folder: Path) -> None:
    """Draw own numbers and letters for every student of LIST.csv, as hard as those of PROBLEM.toml.

    Numbers are drawn until every known slip (a kernel that is turned, a stride that is forgotten, ...) gives an answer
    of its own, so that symconv grade can name it. The folder gets, by student, sheets/KEY/ with the sheet (HTML, LaTeX)
    and the form to fill in (TOML, CSV), and keys/KEY/ with the worked solution; sheets/ is for handing out.

    In PROBLEM.toml, points = 4 in a question says what it is worth, and a table [variants] what stays: keep = ["K"] for
    data, letters = false for letters; slip_share = "1/2" gives an answer with one slip half of its points.

    \b
    Examples:
      symconv exercise homework.toml --seed 7 --students list.csv -o out
      symconv grade out --answers answers -o feedback
    """
    from symconv.grading.exercise import set_exercise
    from symconv.grading.roster import read_students
    from symconv.grading.variants import blueprint
    from symconv.problems.reading import problem_text

    with Activity(f"reading {problem.name}") as activity:
        listed = read_students(students)
        plan = blueprint(problem_text(problem), problem.name)
        hidden = set_exercise(plan, seed, listed, folder, activity.say)
    click.echo(f"wrote {len(listed)} variants to {click.format_filename(folder)}: sheets/ to hand out, keys/ to keep")
    if plan.by_hand:
        click.echo(f"to be graded by hand: {', '.join(plan.by_hand)}")
    for key, slips in hidden[:MOST_SHOWN]:
        click.echo(f"not told apart by the numbers of {key}: {'; '.join(slips[:MOST_SHOWN])}")
    if len(hidden) > MOST_SHOWN:
        click.echo(f"and so in {len(hidden) - MOST_SHOWN} more; another seed may do better")
