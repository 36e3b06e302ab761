"""``symconv derive winograd``: the minimal filtering F(m, r), its matrices, cost and accuracy."""

from __future__ import annotations

import click

from symconv.cli import shapes
from symconv.cli.activity import Activity

__all__ = ["winograd"]


def _lists(ctx: click.Context, option: click.Parameter, value: str | None) -> tuple[tuple[str, ...], ...] | None:
    """``0,1,-1;0,1`` -> (("0", "1", "-1"), ("0", "1")); an empty list has no points."""
    del ctx, option
    if value is None:
        return None
    return tuple(tuple(point.strip() for point in part.split(",")) if part.strip() else () for part in value.split(";"))


@click.command(short_help="Winograd's minimal filtering F(m, r).")
@click.option(
    "--m",
    "outputs",
    callback=shapes.shape,
    metavar="4",
    required=True,
    help="The outputs of a tile: 4, or 2x4 on two axes. One number is as many axes as --r has.",
)
@click.option(
    "--r",
    "taps",
    callback=shapes.shape,
    metavar="3",
    required=True,
    help="The taps of the kernel: 3, or 3x5 on two axes. One number is as many axes as --m has.",
)
@click.option(
    "--points",
    callback=_lists,
    metavar="0,1,-1,1/2",
    help="The m + r - 2 finite points, distinct rational numbers; infinity is one more. "
    "One list for all axes, or one an axis, with ; between. Default: 0,1,-1,2,-2,1/2,-1/2,...",
)
@click.option("--errors", is_flag=True, help="Measure the errors in float16, float32 and float64.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "latex"]),
    default="text",
    show_default=True,
    help="Unicode mathematics for a terminal, or LaTeX displays.",
)
def winograd(
    outputs: tuple[int, ...],
    taps: tuple[int, ...],
    points: tuple[tuple[str, ...], ...] | None,
    errors: bool,
    style: str,
) -> None:
    """Derive Winograd's F(m, r): m outputs of a correlation with r taps by m + r - 1 multiplications.

    The matrices are exact fractions for any sizes and points. Every step is checked, the result by its tensor identity,
    entry by entry. With --errors the accuracy is measured against exact rational sums.

    \b
    Examples:
      symconv derive winograd --m 4 --r 3                        the one of Lavin and Gray
      symconv derive winograd --m 4x4 --r 3x3 --errors           nested, and how accurate it is
      symconv derive winograd --m 4 --r 3 --points 0,1,-1,1/2,-2 other points
      symconv derive winograd --m 2x4 --r 3x5 --format latex
      symconv derive winograd --m 2x3 --r 3 --points "0,1,-1;0,1,-1,1/2"
    """
    from symconv.derivations.winograd import showing
    from symconv.derivations.winograd.accuracy import DTYPES, measure
    from symconv.derivations.winograd.nested import nested
    from symconv.errors import ArgumentError

    axes = max(len(outputs), len(taps))
    outputs, taps = (sizes * axes if len(sizes) == 1 else sizes for sizes in (outputs, taps))
    lists = points * axes if points is not None and len(points) == 1 else points
    try:
        algorithm = nested(outputs, taps, lists)
    except ArgumentError as error:
        fix = error.fix
        if error.argument == "points" and axes > 1:
            fix = f"{fix}; with two axes, one list an axis with ; between" if fix else "one list an axis with ; between"
        raise ArgumentError(f"--{error.argument}", error.value, error.requirement, fix) from error
    with Activity("deriving and checking") as activity:
        if errors:
            activity.say("measuring the errors")
        measured = [measure(algorithm, dtype) for dtype in DTYPES] if errors else []
        write = showing.text if style == "text" else showing.latex
        click.echo(write(algorithm, measured))
