"""``symconv vectors``: test vectors of a layer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from symconv.cli import shapes
from symconv.cli.activity import Activity
from symconv.cli.derive import OperatorCommands, summary_of
from symconv.cli.deriving import built
from symconv.cli.options import operator_options

if TYPE_CHECKING:
    from symconv.operators.base import Operator

__all__ = ["vectors"]

HAVE = ("adaptive-avg", "adaptive-max", "avgpool", "conv", "conv-transpose", "lppool", "maxpool")
EXAMPLES: dict[str, tuple[str, ...]] = {
    "conv": (
        "--kernel 3x3 --stride 2 --padding 1 -o conv",
        "--kernel 3 --groups 2 --in-channels 4 --out-channels 4 --bias -o grouped",
    ),
    "conv-transpose": ("--kernel 3x3 --stride 2 --padding 1 --output-padding 1 -o transposed",),
    "maxpool": ("--kernel 3x3 --stride 2 --ceil-mode -o maximum",),
}


class _Commands(OperatorCommands):
    """The operators that there are vectors of."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(HAVE)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) if cmd_name in HAVE else None


def _shared() -> list[click.Parameter]:
    return [
        click.Option(
            ["--input", "input_size"],
            callback=shapes.shape,
            metavar="6x6",
            help="The input size; some small ones that tell conventions apart if left out.",
        ),
        click.Option(
            ["-o", "folder"],
            type=click.Path(path_type=Path),
            metavar="DIR",
            required=True,
            help="Where the vectors go: a directory that is not there yet, or is empty.",
        ),
    ]


def _write(op: Operator, input_size: tuple[int, ...] | None, folder: Path) -> None:
    from symconv.audits.vectors.files import arrays_file, text_file
    from symconv.audits.vectors.onnx_tests import node_tests, why_no_node_tests
    from symconv.audits.vectors.vectors import vectors_of
    from symconv.report.folders import check_new_folder, write_folder

    check_new_folder(folder)
    with Activity("working out test vectors") as activity:
        found = vectors_of(op, input_size, progress=activity.say)
        files: dict[str, str | bytes] = {"vectors.json": text_file(found), "vectors.npz": arrays_file(found)}
        tests = node_tests(found)
        files |= {f"onnx/{name}": data for name, data in tests.items()}
        write_folder(folder, files)
    count, sizes = len(found.vectors), dict.fromkeys("x".join(map(str, v.sizes)) for v in found.vectors)
    click.echo(f"wrote {folder}: {count} vectors of {found.operator!r}, at {', '.join(sizes)}")
    click.echo(f"they tell {len(found.told)} operators apart that differ from it in one option")
    for other in found.untold:
        click.echo(f"they do not tell it from {other!r}")
    if tests:
        click.echo(
            f"{len({name.partition('/')[0] for name in tests})} of them are node tests of ONNX, in {folder}/onnx"
        )
    else:
        click.echo(f"note: no node tests of ONNX: {why_no_node_tests(op)}", err=True)


def _command(name: str, kind: type[Operator]) -> click.Command:
    """The command that writes the vectors of one operator."""

    def run(input_size: tuple[int, ...] | None, folder: Path, **own: Any) -> None:
        _write(built(kind, input_size, own), input_size, folder)

    summary = summary_of(kind)
    examples = "".join(f"\n  symconv vectors {name} {example}" for example in EXAMPLES.get(name, ()))
    return click.Command(
        name,
        params=[*operator_options(kind), *_shared()],
        callback=run,
        short_help=re.split(r"[:;(]", summary)[0].rstrip(" .") + ".",
        help=summary + (f"\n\n\b\nExamples:{examples}" if examples else ""),
    )


@click.command()
def layer(layer: str, channels: int | None, input_size: tuple[int, ...] | None, folder: Path) -> None:
    """A LAYER as PyTorch prints it, or as it is typed.

    \b
    Examples:
      symconv vectors "nn.MaxPool2d(3, 2, 1)" -o pool
    """
    from symconv.operators.importers.text import read_text

    read = read_text(layer, input_size=input_size, channels=channels)
    _write(read.operator, input_size, folder)
    for note in read.notes:
        click.echo(f"note: {note}", err=True)


layer.params = [
    click.Argument(["layer"], metavar="LAYER"),
    click.Option(["--channels"], type=click.IntRange(1, 10**6), help="Of the input, where the layer does not say it."),
    *_shared(),
]


@click.group(cls=_Commands, made=_command, layer=layer, short_help="Write test vectors: inputs, outputs and gradients.")
def vectors() -> None:
    """Write test vectors of a layer: inputs, attributes, outputs and gradients, exact, from its formula.

    They are small whole numbers, chosen so that slips show: strides that leave input over, dilation taken for padding,
    sides of the padding exchanged, windows that hang over, ties at borders, groups, output padding, a batch of two.
    Every operator that differs from yours in one option is tried on them, and it is said which of those they tell
    apart.

    \b
    In DIR:
      vectors.json   attributes, arguments, outputs, gradients, and how far each type may be off
      vectors.npz    the same arrays, for np.load
      onnx/test_*    a model of one node with its tensors, as ONNX's node tests lie, where ONNX has the node and the
                     package onnx is installed

    Nothing of symconv is needed to use them; see docs/vectors.md. The same call writes the same bytes.

    \b
    Examples:
      symconv vectors conv --kernel 3x3 --stride 2 --padding 1 -o conv
      symconv vectors maxpool --kernel 2x2 --ceil-mode --input 5x7 -o pool
      symconv vectors "nn.ConvTranspose2d(2, 2, 3, stride=2, padding=1, output_padding=1)" -o transposed
    """
