"""``symconv derive``: the worked derivation of one operator, on the terminal or as LaTeX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from symconv.cli import shapes
from symconv.cli.deriving import ceil_mode_option, shared_options, show, show_window, ties_option
from symconv.cli.winograd import winograd

__all__ = ["derive"]


class _Layers(click.Group):
    """The commands of ``derive``, and any text with a bracket in it, which is a layer that is written out."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and "(" in args[0]:
            return layer.name, layer, args
        return super().resolve_command(ctx, args)


@click.group(cls=_Layers, short_help="Derive an output or a gradient, step by step.")
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
    """


derive.add_command(winograd)


@derive.command()
@shared_options("input", "weight", "bias")
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
    show_window(Conv, options, all_ones=all_ones, **shared)


@derive.command()
@shared_options("input")
@ceil_mode_option
@ties_option
def maxpool(ceil_mode: bool, ties: str, **shared: Any) -> None:
    """Max pooling.

    \b
    Examples:
      symconv derive maxpool --kernel 2x2
      symconv derive maxpool --kernel 3x3 --stride 2 --padding 1 --ties split --what derivative
      symconv derive maxpool --kernel 2 --ties set
    """
    from symconv.operators.pooling import MaxPool

    show_window(MaxPool, {"ceil_mode": ceil_mode, "ties": ties}, **shared)


@derive.command()
@shared_options("input")
@ceil_mode_option
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
    show_window(AvgPool, options, **shared)


@derive.command()
@shared_options("input")
@ceil_mode_option
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
    show_window(LPPool, {"ceil_mode": ceil_mode, "norm_type": order}, **shared)


_turned = click.option("--flip", is_flag=True, help="With the weight turned around.")


@derive.command()
@shared_options("input", "weight")
@_turned
def dilation(flip: bool, **shared: Any) -> None:
    """Grayscale dilation: the largest sum of an entry and the weight of its tap.

    \b
    Examples:
      symconv derive dilation --kernel 3x3 --padding 1
      symconv derive dilation --kernel 3 --flip --wrt weight
    """
    from symconv.operators.morphology import Dilation

    show_window(Dilation, {"flip": flip}, **shared)


@derive.command()
@shared_options("input", "weight")
@_turned
def erosion(flip: bool, **shared: Any) -> None:
    """Grayscale erosion: the smallest difference of an entry and the weight of its tap.

    \b
    Examples:
      symconv derive erosion --kernel 3x3 --padding 1
      symconv derive erosion --kernel 2 --what derivative --wrt weight --format latex
    """
    from symconv.operators.morphology import Erosion

    show_window(Erosion, {"flip": flip}, **shared)


@derive.command("conv-transpose")
@shared_options("input", "weight", "bias")
@click.option("--output-padding", callback=shapes.per_axis, metavar="1", default="0", help="Entries after the output.")
@click.option("--flip", is_flag=True, help="The transpose of the mathematician's convolution.")
@click.option("--in-channels", type=click.IntRange(1, 10**6), default=1, show_default=True)
@click.option("--out-channels", type=click.IntRange(1, 10**6), default=1, show_default=True)
@click.option("--groups", type=click.IntRange(1, 10**6), default=1, show_default=True)
@click.option("--bias", is_flag=True, help="Add a bias to every output channel (implied by --wrt bias).")
def conv_transpose(bias: bool, **shared: Any) -> None:
    """A transposed convolution.

    \b
    Examples:
      symconv derive conv-transpose --kernel 3x3 --stride 2 --padding 1 --output-padding 1 --what output
      symconv derive conv-transpose --kernel 3 --symbolic --wrt weight
    """
    from symconv.operators.transposed import ConvTranspose

    show_window(ConvTranspose, {"bias": bias or shared["wrt"] == "bias"}, **shared)


_output = click.option("--output", callback=shapes.shape, metavar="3x3", required=True, help="The output size.")
_channels = click.option(
    "--channels", "in_channels", type=click.IntRange(1, 10**6), default=1, show_default=True, help="Of the image."
)


@derive.command("adaptive-avg")
@shared_options("input", window=())
@_output
def adaptive_avg(output: tuple[int, ...], **shared: Any) -> None:
    """Adaptive average pooling; --output 1 is global average pooling.

    \b
    Examples:
      symconv derive adaptive-avg --output 3x3
      symconv derive adaptive-avg --output 4 --input 7 --what output
    """
    from symconv.operators.adaptive import AdaptiveAvgPool

    show(AdaptiveAvgPool(_per_axis(output, shared["input_size"])), **shared)


@derive.command("adaptive-max")
@shared_options("input", window=())
@_output
@ties_option
def adaptive_max(output: tuple[int, ...], ties: str, **shared: Any) -> None:
    """Adaptive max pooling; --output 1 is global max pooling.

    \b
    Examples:
      symconv derive adaptive-max --output 3x3
      symconv derive adaptive-max --output 2 --ties set
    """
    from symconv.operators.adaptive import AdaptiveMaxPool

    show(AdaptiveMaxPool(_per_axis(output, shared["input_size"]), ties), **shared)


def _per_axis(output: tuple[int, ...], input_size: tuple[int, ...] | None) -> tuple[int, ...]:
    """One number for every axis of the input, where one stands for all."""
    return output * len(input_size) if input_size is not None and len(output) == 1 else output


@derive.command()
@shared_options("input")
@_channels
def unfold(in_channels: int, **shared: Any) -> None:
    """The patches under every window, laid out (im2col).

    \b
    Examples:
      symconv derive unfold --kernel 3x3 --stride 2 --padding 1
      symconv derive unfold --kernel 2 --what output
    """
    from symconv.operators.patches import Unfold

    show_window(Unfold, {"in_channels": in_channels}, **shared)


@derive.command()
@shared_options("input")
@_output
@_channels
def fold(output: tuple[int, ...], in_channels: int, **shared: Any) -> None:
    """Patches added up where they overlap (col2im); --output is the size of the image.

    \b
    Examples:
      symconv derive fold --output 6x6 --kernel 3x3 --stride 2 --padding 1
      symconv derive fold --output 6 --kernel 2 --symbolic --what output
    """
    from symconv.operators.patches import Fold

    if len(shared["kernel"]) == 1:  # as many axes as the image has
        shared["kernel"] *= len(output)
    show_window(Fold, {"in_channels": in_channels, "output_size": output}, **shared)


@derive.command("max-unpool")
@shared_options("input", window=("kernel", "stride", "padding", "symbolic"))
def max_unpool(**shared: Any) -> None:
    """Max unpooling: every entry put back where a max pooling took it from.

    \b
    Examples:
      symconv derive max-unpool --kernel 2x2
      symconv derive max-unpool --kernel 3 --stride 2 --what output
    """
    from symconv.operators.unpooling import MaxUnpool

    show_window(MaxUnpool, {}, **shared)


@derive.command()
@click.argument("layer", metavar="LAYER")
@shared_options("input", "weight", "bias", window=())
@click.option("--channels", type=click.IntRange(1, 10**6), help="Of the input: 1 if left out, for Unfold and Fold.")
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
