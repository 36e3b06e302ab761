"""``symconv derive``: the worked derivation of one operator, on the terminal or as LaTeX."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from symconv.cli import shapes
from symconv.cli.activity import Activity

if TYPE_CHECKING:
    from symconv.operators.base import Operator

__all__ = ["derive"]

Decorated = Callable[..., None]


@click.group(short_help="Derive an output or a gradient, step by step.")
def derive() -> None:
    """Derive the output, a derivative or a gradient of an operator, step by step.

    Every step is checked; behind it stands what was found, such as "proved: for all I_1, I_2". The input size stays
    symbolic unless --input gives it.

    \b
    Examples:
      symconv derive conv --kernel 3x3 --stride 2 --padding 1
      symconv derive conv --input 5x5 --kernel 3x3 --wrt weight --format latex
      symconv derive maxpool --kernel 2x2 --ties split
    """


def _options(*choices: str) -> Callable[[Decorated], Decorated]:
    """The options that all operators share; `choices` are the variables."""
    layers = [
        click.option(
            "--input", "input_size", callback=shapes.shape, metavar="5x5", help="The input size; symbolic if left out."
        ),
        click.option(
            "--kernel",
            callback=shapes.shape,
            metavar="3x3",
            required=True,
            help="The window. One number is one axis, or as many axes as --input has.",
        ),
        click.option(
            "--stride", callback=shapes.per_axis, metavar="2", help="The step between outputs: 2, or 2x1 an axis."
        ),
        click.option(
            "--padding",
            callback=shapes.padding,
            metavar="1",
            default="0",
            help="1, or 1,0 an axis, or before:after such as 1:0,0:2, or same, same_upper, half, full, ...",
        ),
        click.option("--dilation", callback=shapes.per_axis, metavar="1", default="1", help="The step between taps."),
        click.option(
            "--symbolic",
            is_flag=True,
            help="Leave kernel, stride, padding and dilation symbolic too; --kernel only says how many axes there are.",
        ),
        click.option(
            "--what",
            type=click.Choice(["output", "derivative", "gradient"]),
            default="gradient",
            show_default=True,
            help="One output, its derivative by one entry, or the gradient of an error.",
        ),
        click.option(
            "--wrt", type=click.Choice(choices), default="input", show_default=True, help="By what is differentiated."
        ),
        click.option(
            "--format",
            "style",
            type=click.Choice(["text", "latex"]),
            default="text",
            show_default=True,
            help="Unicode mathematics for a terminal, or LaTeX displays.",
        ),
        click.option(
            "--index-base",
            type=click.Choice(["0", "1"]),
            default="1",
            show_default=True,
            help="Where indices start.",
        ),
        click.option(
            "--names",
            callback=shapes.letters,
            metavar="ROLE=LETTER,...",
            help="Other letters, such as input=x,weight=w,output=y,input_index=kl.",
        ),
    ]

    def decorate(function: Decorated) -> Decorated:
        for layer in reversed(layers):
            function = layer(function)
        return function

    return decorate


_ceil_mode = click.option("--ceil-mode", is_flag=True, help="Round the number of outputs up.")


@derive.command()
@_options("input", "weight", "bias")
@click.option("--flip", is_flag=True, help="The mathematician's convolution, with the kernel turned around.")
@click.option("--padding-mode", default="zeros", show_default=True, help="zeros, reflect, replicate or circular.")
@click.option("--in-channels", type=click.IntRange(1, 10**6), default=1, show_default=True)
@click.option("--out-channels", type=click.IntRange(1, 10**6), default=1, show_default=True)
@click.option("--groups", type=click.IntRange(1, 10**6), default=1, show_default=True)
@click.option("--bias", is_flag=True, help="Add a bias to every output channel (implied by --wrt bias).")
@click.option("--all-ones", is_flag=True, help="Go on to the gradient under an upstream gradient of ones.")
def conv(
    flip: bool,
    padding_mode: str,
    in_channels: int,
    out_channels: int,
    groups: int,
    bias: bool,
    all_ones: bool,
    **shared: Any,
) -> None:
    """A convolution layer (a cross-correlation unless --flip is given).

    \b
    Examples:
      symconv derive conv --kernel 3x3 --stride 2 --padding 1 --wrt input
      symconv derive conv --input 5x5 --kernel 3x3 --all-ones
      symconv derive conv --kernel 3 --what output --flip
      symconv derive conv --kernel 3x3 --symbolic --wrt weight --format latex
    """
    from symconv.operators.convolution import Conv

    options = {
        "flip": flip,
        "padding_mode": padding_mode,
        "in_channels": in_channels,
        "out_channels": out_channels,
        "groups": groups,
        "bias": bias or shared["wrt"] == "bias",
    }
    _show(Conv, options, all_ones=all_ones, **shared)


@derive.command()
@_options("input")
@_ceil_mode
@click.option(
    "--ties",
    type=click.Choice(["first", "split"]),
    default="first",
    show_default=True,
    help="Which of several equal maxima receives the gradient.",
)
def maxpool(ceil_mode: bool, ties: str, **shared: Any) -> None:
    """Max pooling.

    \b
    Examples:
      symconv derive maxpool --kernel 2x2
      symconv derive maxpool --kernel 3x3 --stride 2 --padding 1 --ties split --what derivative
    """
    from symconv.operators.pooling import MaxPool

    _show(MaxPool, {"ceil_mode": ceil_mode, "ties": ties}, **shared)


@derive.command()
@_options("input")
@_ceil_mode
@click.option("--exclude-padding", is_flag=True, help="Divide by the number of taps in the input alone.")
@click.option("--divisor", type=int, help="Divide by this number instead.")
def avgpool(ceil_mode: bool, exclude_padding: bool, divisor: int | None, **shared: Any) -> None:
    """Average pooling.

    \b
    Examples:
      symconv derive avgpool --kernel 2x2
      symconv derive avgpool --kernel 3 --stride 2 --padding 1 --exclude-padding --what output
    """
    from symconv.operators.pooling import AvgPool

    options = {"ceil_mode": ceil_mode, "count_include_pad": not exclude_padding, "divisor_override": divisor}
    _show(AvgPool, options, **shared)


@derive.command()
@_options("input")
@_ceil_mode
@click.option("--norm", metavar="P", required=True, help="A number >= 1, a fraction such as 3/2, inf, or one letter.")
def lppool(ceil_mode: bool, norm: str, **shared: Any) -> None:
    """LP pooling: the p-norm of every window.

    \b
    Examples:
      symconv derive lppool --norm 2 --kernel 2x2
      symconv derive lppool --norm p --kernel 3x3 --stride 1 --what output
    """
    from symconv.claims import schema
    from symconv.operators.pooling import LPPool

    order = schema.norm(schema.decimal(norm), schema.Where("--norm"))
    _show(LPPool, {"ceil_mode": ceil_mode, "norm_type": order}, **shared)


def _show(
    kind: Callable[..., Operator],
    options: dict[str, Any],
    *,
    input_size: tuple[int, ...] | None,
    kernel: tuple[int, ...],
    stride: Any,
    padding: Any,
    dilation: Any,
    symbolic: bool,
    what: Any,
    wrt: Any,
    style: str,
    index_base: str,
    names: dict[str, str] | None,
    all_ones: bool = False,
) -> None:
    """Build the operator, derive, and print."""
    from symconv.claims.problem import check_declared_size
    from symconv.claims.schema import Where
    from symconv.derivations.derive import derive as derivation

    if symbolic and input_size is not None:
        raise click.UsageError("--symbolic leaves all sizes open and --input fixes one; give one of them")
    if all_ones and (what, wrt) != ("gradient", "input"):
        raise click.UsageError("--all-ones belongs to --what gradient --wrt input")
    if input_size is not None and len(kernel) == 1:
        kernel *= len(input_size)
    if stride is not None:
        options["stride"] = stride
    with Activity("deriving and checking") as activity:
        op = kind(kernel_size=kernel, padding=padding, dilation=dilation, **options)
        if input_size is not None:
            check_declared_size(op, input_size, Where("--input"))
        if symbolic:
            op = op.generic()
        worked = derivation(
            op, what, wrt, names=names, index_base=int(index_base), input_size=input_size, all_ones=all_ones
        )
        activity.say(worked.title)
        text = worked.text() if style == "text" else worked.latex()
    click.echo(text)
