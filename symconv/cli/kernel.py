"""``symconv kernel``: an operator as a NumPy module that stands alone."""

from __future__ import annotations

import re
from keyword import iskeyword
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from symconv.cli.derive import OperatorCommands, summary_of
from symconv.cli.deriving import built
from symconv.cli.options import operator_options
from symconv.cli.plugin import plugin_option

if TYPE_CHECKING:
    from symconv.operators.base import Operator

__all__ = ["kernel"]


def _output() -> click.Option:
    return click.Option(
        ["-o", "file"],
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE.py",
        help="Where the module goes; printed if left out.",
    )


def _write(op: Operator, file: Path | None) -> None:
    from symconv.kernels.export.module import numpy_module
    from symconv.report.files import write_atomically

    if file is not None:
        _check_place(file)
    text = numpy_module(op)
    if file is None:
        click.echo(text, nl=False)
    else:
        write_atomically(file, text)
        click.echo(f"wrote {file}: forward(...) of {op!r}; test it with python {file}")


def _check_place(file: Path) -> None:
    """Refuse what is no name of a module, and a file of somebody's own."""
    from symconv.kernels.export.module import FIRST_LINE

    if file.suffix != ".py" or not file.stem.isidentifier() or iskeyword(file.stem):
        raise click.UsageError(f"-o must be a module that Python can import, such as kernel.py, got {str(file)!r}")
    if file.is_file():
        with file.open(encoding="utf-8", errors="replace") as there:
            if there.readline(len(FIRST_LINE) + 2).strip() != FIRST_LINE:
                raise click.UsageError(f"{file} is there and was not written by this command; take another name")


def _command(name: str, kind: type[Operator]) -> click.Command:
    """The command that prints one operator."""

    def run(file: Path | None, **options: Any) -> None:
        _write(built(kind, None, options), file)

    summary = summary_of(kind)
    return click.Command(
        name,
        params=[*operator_options(kind), _output()],
        callback=run,
        short_help=re.split(r"[:;(]", summary)[0].rstrip(" .") + ".",
        help=summary,
    )


@click.command()
def layer(layer: str, channels: int | None, file: Path | None) -> None:
    """A LAYER as PyTorch prints it, or as it is typed.

    \b
    Examples:
      symconv kernel "Conv2d(16, 32, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), groups=4)" -o layer.py
    """
    from symconv.operators.importers.text import read_text

    read = read_text(layer, input_size=None, channels=channels)
    _write(read.operator, file)
    for note in read.notes:
        click.echo(f"note: {note}", err=True)


layer.params = [
    click.Argument(["layer"], metavar="LAYER"),
    click.Option(
        ["--channels"], type=click.IntRange(1, 10**6), help="Of the input: 1 if left out, for Unfold and Fold."
    ),
    _output(),
]


@click.group(
    cls=OperatorCommands,
    made=_command,
    layer=layer,
    short_help="Print an operator as a NumPy module of its own.",
)
@plugin_option
def kernel() -> None:
    """Print an operator as a Python module that needs NumPy and nothing else.

    The module has the formula, where it is from, one function forward(...), and a self-test against exact values that
    runs when the file is run. It is made to be read, checked and carried along: a loop for every bound index of the
    formula, and whole arrays for the free ones.

    \b
    Examples:
      symconv kernel conv --kernel 3x3 --stride 2 --padding 1 -o kernel.py
      symconv kernel lppool --norm 3 --kernel 2x2
      symconv kernel "nn.MaxPool2d(3, 2, 1)" -o pool.py
    """
