"""``symconv figure``: the picture of a layer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from symconv.cli import shapes
from symconv.cli.derive import OperatorCommands, summary_of
from symconv.cli.deriving import built
from symconv.cli.options import operator_options
from symconv.cli.plugin import plugin_option
from symconv.report.plates.kinds import KINDS

if TYPE_CHECKING:
    from symconv.operators.base import Operator

__all__ = ["figure"]

EXAMPLES: dict[str, tuple[str, ...]] = {
    "conv": (
        "--kernel 3x3 --stride 2 --padding 1 --input 6x6 --at 1,2 -o window.svg",
        "--kernel 3x3 --stride 2 --input 6x6 --kind multiplicity -o counts.pdf",
        "--kernel 3 --padding 1 --input 8 --kind matrix -o band.tex",
        "--kernel 3x3 --input 5x5 --animate -o windows.gif",
    ),
    "conv-transpose": ("--kernel 3x3 --stride 2 --padding 1 --input 3x3 -o stretched.svg",),
    "maxpool": ("--kernel 2x2 --input 4x4 --kind winners --data x.csv -o winners.svg",),
}


def _index(ctx: click.Context, option: click.Parameter, value: str | None) -> Any:
    """``1,2`` -> (1, 2); ``all`` stays."""
    if value is None or value == "all":
        return value
    if not re.fullmatch(r"\d{1,9}(,\d{1,9}){0,5}", value):
        raise click.BadParameter(f"must be an index such as 1,2, or all; got {value!r}", ctx, option)
    return tuple(map(int, value.split(",")))


def _shared() -> list[click.Parameter]:
    """The options that every figure has."""
    array = click.Path(path_type=Path, exists=True, dir_okay=False)
    return [
        click.Option(
            ["--input", "input_size"], callback=shapes.shape, metavar="6x6", required=True, help="The input size."
        ),
        click.Option(
            ["--kind"],
            type=click.Choice(tuple(KINDS)),
            default="window",
            show_default=True,
            help="What is drawn (see below).",
        ),
        click.Option(
            ["--at"],
            callback=_index,
            metavar="1,2",
            help="Which output, or which input of --kind backward; the middle one if left out. all: every window.",
        ),
        click.Option(["--animate"], is_flag=True, help="One picture after the other, for .svg, .gif and .pdf."),
        click.Option(
            ["--data"], type=array, metavar="X", help="An input (.npy, .csv, .json), for numbers in the cells."
        ),
        click.Option(["--weights"], type=array, metavar="W", help="A weight, for numbers in the cells."),
        click.Option(
            ["--index-base"], type=click.Choice(["0", "1"]), default="1", show_default=True, help="Where indices start."
        ),
        click.Option(
            ["--names"],
            callback=shapes.letters,
            metavar="ROLE=LETTER,...",
            help="Other letters, such as input=x,weight=w,output=y.",
        ),
        click.Option(
            ["-o", "file"],
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Where it goes: .svg, .tex, .pdf, .png, .gif or .json (what is drawn, for programs); without it SVG "
            "is printed.",
        ),
    ]


def _draw(
    op: Operator,
    *,
    input_size: tuple[int, ...],
    kind: str,
    at: Any,
    animate: bool,
    data: Path | None,
    weights: Path | None,
    index_base: str,
    names: dict[str, str] | None,
    file: Path | None,
) -> None:
    from symconv.cli.arrays import array_file
    from symconv.report.plates.figure import figure as draw

    given = {name: array_file(path) for name, path in (("data", data), ("weight", weights)) if path is not None}
    picture = draw(
        op,
        kind,
        input_size=input_size,
        at=at,
        animate=animate,
        names=names,
        index_base=int(index_base),
        **given,
    )
    if file is None:
        click.echo(picture.svg(), nl=False)
    else:
        picture.save(file)
        click.echo(f"wrote {file}: {picture.title}")


def _command(name: str, kind: type[Operator]) -> click.Command:
    """The command that draws one operator."""

    def run(**given: Any) -> None:
        own = {option.name: given.pop(option.name) for option in operator_options(kind) if option.name in given}
        _draw(built(kind, given["input_size"], own), **given)

    summary = summary_of(kind)
    examples = "".join(f"\n  symconv figure {name} {example}" for example in EXAMPLES.get(name, ()))
    return click.Command(
        name,
        params=[*operator_options(kind), *_shared()],
        callback=run,
        short_help=re.split(r"[:;(]", summary)[0].rstrip(" .") + ".",
        help=summary + _KINDS + (f"\n\n\b\nExamples:{examples}" if examples else ""),
    )


_KINDS = "\n\n\b\nKinds:" + "".join(f"\n  {name:<13} {words}" for name, words in KINDS.items())


@click.command()
def layer(layer: str, channels: int | None, input_size: tuple[int, ...], **given: Any) -> None:
    """A LAYER as PyTorch prints it, or as it is typed.

    \b
    Examples:
      symconv figure "nn.MaxPool2d(3, 2, 1)" --input 5x5 -o pool.svg
    """
    from symconv.operators.importers.text import read_text

    read = read_text(layer, input_size=input_size, channels=channels)
    _draw(read.operator, input_size=input_size, **given)
    for note in read.notes:
        click.echo(f"note: {note}", err=True)


layer.params = [
    click.Argument(["layer"], metavar="LAYER"),
    click.Option(
        ["--channels"], type=click.IntRange(1, 10**6), help="Of the input: 1 if left out, for Unfold and Fold."
    ),
    *_shared(),
]


@click.group(cls=OperatorCommands, made=_command, layer=layer, short_help="Draw a layer: its window, its matrix...")
@plugin_option
def figure() -> None:
    """Draw what a layer reads: made from the index map of its formula, so that it shows what the formula says.

    \b
    Examples:
      symconv figure conv --kernel 3x3 --stride 2 --padding 1 --input 6x6 -o window.svg
      symconv figure conv-transpose --kernel 3x3 --stride 2 --input 3x3 -o stretched.pdf
      symconv figure conv --kernel 3x3 --input 5x5 --kind matrix -o band.png
      symconv figure conv --kernel 3 --stride 2 --input 9 --animate -o windows.gif
      symconv figure "nn.AvgPool2d(2)" --input 4x4
    """
