"""``symconv derive``: the worked derivation of one operator, on the terminal or as LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from symconv.cli.certificates import certificates_option
from symconv.cli.deriving import all_ones_option, shared_options, show, show_operator, symbolic_option
from symconv.cli.options import operator_options
from symconv.cli.plugin import own_operators, plugin_option
from symconv.cli.winograd import winograd
from symconv.errors import shortened

if TYPE_CHECKING:
    from symconv.operators.base import Operator

__all__ = ["OperatorCommands", "derive", "summary_of"]

EXAMPLES: dict[str, tuple[str, ...]] = {
    "conv": (
        "--kernel 3x3 --stride 2 --padding 1 --wrt input",
        "--input 5x5 --kernel 3x3 --all-ones",
        "--kernel 3 --what output --flip",
        "--kernel 3x3 --symbolic --wrt weight --format latex",
    ),
    "maxpool": (
        "--kernel 2x2",
        "--kernel 3x3 --stride 2 --padding 1 --ties split --what derivative",
        "--kernel 2 --ties set",
    ),
    "avgpool": ("--kernel 2x2", "--kernel 3 --stride 2 --padding 1 --exclude-padding --what output"),
    "lppool": ("--norm 2 --kernel 2x2", "--norm p --kernel 3x3 --stride 1 --what output"),
    "dilation": ("--kernel 3x3 --padding 1", "--kernel 3 --flip --wrt weight"),
    "erosion": ("--kernel 3x3 --padding 1", "--kernel 2 --what derivative --wrt weight --format latex"),
    "conv-transpose": (
        "--kernel 3x3 --stride 2 --padding 1 --output-padding 1 --what output",
        "--kernel 3 --symbolic --wrt weight",
    ),
    "adaptive-avg": ("--output 3x3", "--output 4 --input 7 --what output"),
    "adaptive-max": ("--output 3x3", "--output 2 --ties set"),
    "unfold": ("--kernel 3x3 --stride 2 --padding 1", "--kernel 2 --what output"),
    "fold": ("--output 6x6 --kernel 3x3 --stride 2 --padding 1", "--output 6 --kernel 2 --symbolic --what output"),
    "max-unpool": ("--kernel 2x2", "--kernel 3 --stride 2 --what output"),
}


class OperatorCommands(click.Group):
    """A command for every operator, made from its declaration; and any text with a bracket in it, which is a layer.

    Args:
        made: the command of an operator, by its name and its class.
        layer: that of a layer, which gets the text.
    """

    def __init__(
        self, *args: Any, made: Callable[[str, type[Operator]], click.Command], layer: click.Command, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.made, self.layer = made, layer

    def list_commands(self, ctx: click.Context) -> list[str]:
        from symconv.operators.catalogue import COMMANDS

        return sorted({*COMMANDS, *own_operators(ctx), *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from symconv.operators.catalogue import COMMANDS, operator_of

        own = own_operators(ctx).get(cmd_name)
        if own is not None:
            return self.made(cmd_name, own)
        if cmd_name in COMMANDS:
            return self.made(cmd_name, operator_of(cmd_name))
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and "(" in args[0]:
            return self.layer.name, self.layer, args
        if args and (".py" in args[0] or ":" in args[0]):
            raise click.UsageError(
                f"{shortened(args[0])!r} names code, which is run only where it is asked for: symconv {self.name} "
                "--plugin FILE.py CLASS ..."
            )
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            known = self.list_commands(ctx)
            near = get_close_matches(args[0].lower(), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            raise click.UsageError(f"there is no operator {shortened(args[0])!r}; {hint}")
        return super().resolve_command(ctx, args)


def summary_of(kind: type[Operator]) -> str:
    """What an operator is, in the first lines of its words."""
    return re.sub("`+", "", " ".join((kind.__doc__ or "").partition("\n\n")[0].split()))


def _command(name: str, kind: type[Operator]) -> click.Command:
    """The command that derives one operator: its options, those that all share, and the first lines of its words."""
    summary = summary_of(kind)
    examples = "".join(f"\n  symconv derive {name} {example}" for example in EXAMPLES.get(name, ()))
    sizes = [option.name for option in operator_options(kind) if option.required]
    given, *rest = shared_options(*kind.every_variable())
    more: list[click.Parameter] = [symbolic_option(kind)] if "kernel_size" in sizes else []
    command = click.Command(
        name,
        params=[given, *operator_options(kind), *more, *rest, *([all_ones_option()] if name == "conv" else [])],
        callback=lambda **given: show_operator(kind, **given),
        short_help=re.split(r"[:;(]", summary)[0].rstrip(" .") + ".",
        help=summary + (f"\n\n\b\nExamples:{examples}" if examples else ""),
    )
    return certificates_option(command)


@click.command()
def layer(
    layer: str,
    channels: int | None,
    input_size: tuple[int, ...] | None,
    what: Any,
    wrt: Any,
    style: str,
    index_base: str,
    names: dict[str, str] | None,
    certificates: Path | None,
) -> None:
    """A LAYER as PyTorch prints it, or as it is typed.

    \b
    Examples:
      symconv derive "Conv2d(16, 32, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), groups=4)" --wrt weight
      symconv derive "nn.MaxPool2d(3, 2, 1)" --what output
    """
    from symconv.operators.importers.text import read_text

    read = read_text(layer, input_size=input_size, channels=channels)
    show(read.operator, input_size, what, wrt, style, index_base, names, certificates)
    for note in read.notes:
        click.echo(f"note: {note}", err=True)


layer.params = [
    click.Argument(["layer"], metavar="LAYER"),
    *shared_options("input", "weight", "bias"),
    click.Option(
        ["--channels"], type=click.IntRange(1, 10**6), help="Of the input: 1 if left out, for Unfold and Fold."
    ),
]


@click.group(
    cls=OperatorCommands,
    made=_command,
    layer=certificates_option(layer),
    short_help="Derive an output or a gradient, step by step.",
)
@plugin_option
def derive() -> None:
    """Derive the output, a derivative or a gradient of an operator, step by step.

    Every step is checked; behind it stands what was found, such as "proved: for all I_1, I_2". The input size stays
    symbolic unless --input gives it.

    \b
    Examples:
      symconv derive conv --kernel 3x3 --stride 2 --padding 1
      symconv derive conv --input 5x5 --kernel 3x3 --wrt weight --format latex
      symconv derive maxpool --kernel 2x2 --ties split
      symconv derive winograd --m 4 --r 3
      symconv derive "Conv2d(16, 32, kernel_size=(3, 3), stride=(2, 2), groups=4)"
      symconv derive --plugin matching.py TemplateMatching --kernel 2
    """


derive.add_command(winograd)
derive.add_command(layer)
