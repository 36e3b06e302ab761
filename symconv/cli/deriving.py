"""What the commands of ``symconv derive`` share: their options, and the way from operator to printed derivation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from symconv.cli import shapes
from symconv.cli.activity import Activity
from symconv.cli.certificates import certificates_option, write_certificates

if TYPE_CHECKING:
    from symconv.operators.base import Operator

__all__ = ["ceil_mode_option", "shared_options", "show", "show_window", "ties_option"]

Decorated = Callable[..., None]

WINDOW = ("kernel", "stride", "padding", "dilation", "symbolic")


def shared_options(*choices: str, window: Sequence[str] = WINDOW) -> Callable[[Decorated], Decorated]:
    """The options that operators share; `choices` are the variables, `window` which options of a window there are."""
    given = click.option(
        "--input", "input_size", callback=shapes.shape, metavar="5x5", help="The input size; symbolic if left out."
    )
    windows = {
        "kernel": click.option(
            "--kernel",
            callback=shapes.shape,
            metavar="3x3",
            required=True,
            help="The window. One number is one axis, or as many axes as --input has.",
        ),
        "stride": click.option(
            "--stride", callback=shapes.per_axis, metavar="2", help="The step between outputs: 2, or 2x1 an axis."
        ),
        "padding": click.option(
            "--padding",
            callback=shapes.padding,
            metavar="1",
            default="0",
            help="1, or 1,0 an axis, or before:after such as 1:0,0:2, or same, same_upper, half, full, ...",
        ),
        "dilation": click.option(
            "--dilation", callback=shapes.per_axis, metavar="1", default="1", help="The step between taps."
        ),
        "symbolic": click.option(
            "--symbolic",
            is_flag=True,
            help="Leave kernel, stride, padding and dilation symbolic too; --kernel only says how many axes there are.",
        ),
    }
    layers = [
        given,
        *(windows[name] for name in window),
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
        certificates_option,
    ]

    def decorate(function: Decorated) -> Decorated:
        for layer in reversed(layers):
            function = layer(function)
        return function

    return decorate


ceil_mode_option = click.option("--ceil-mode", is_flag=True, help="Round the number of outputs up.")
ties_option = click.option(
    "--ties",
    type=click.Choice(["first", "split", "set"]),
    default="first",
    show_default=True,
    help="Which of several equal maxima receives the gradient; set prints all subgradients.",
)


def show_window(
    kind: Callable[..., Operator],
    options: dict[str, Any],
    *,
    input_size: tuple[int, ...] | None,
    kernel: tuple[int, ...],
    symbolic: bool = False,
    what: Any,
    wrt: Any,
    style: str,
    index_base: str,
    names: dict[str, str] | None,
    certificates: Path | None,
    all_ones: bool = False,
    **window: Any,
) -> None:
    """Build an operator with a window, derive, and print; an option that is None keeps its default."""
    if symbolic and input_size is not None:
        raise click.UsageError("--symbolic leaves all sizes open and --input fixes one; give one of them")
    if all_ones and (what, wrt) != ("gradient", "input"):
        raise click.UsageError("--all-ones belongs to --what gradient --wrt input")
    if input_size is not None and len(kernel) == 1:
        kernel *= len(input_size)
    given = {name: value for name, value in {**options, **window}.items() if value is not None}
    op = kind(kernel_size=kernel, **given)
    show(op.generic() if symbolic else op, input_size, what, wrt, style, index_base, names, certificates, all_ones)


def show(
    op: Operator,
    input_size: tuple[int, ...] | None,
    what: Any,
    wrt: Any,
    style: str,
    index_base: str,
    names: dict[str, str] | None,
    certificates: Path | None,
    all_ones: bool = False,
) -> None:
    """Derive, and print; with a folder, the steps as certificates too."""
    if what == "output" and wrt != "input":
        raise click.UsageError(
            f"--wrt {wrt} belongs to --what derivative or gradient: an output is differentiated by nothing"
        )
    from symconv.claims.problem import check_declared_size
    from symconv.claims.schema import Where
    from symconv.derivations.derive import derive as derivation

    with Activity("deriving and checking") as activity:
        if input_size is not None:
            check_declared_size(op, input_size, Where("--input"))
        worked = derivation(
            op, what, wrt, names=names, index_base=int(index_base), input_size=input_size, all_ones=all_ones
        )
        activity.say(worked.title)
        text = worked.text() if style == "text" else worked.latex()
    click.echo(text)
    if certificates is not None:
        steps = [(f"step {step.id}", f"step {step.id}: {step.title}", step.verdict) for step in worked.steps]
        write_certificates(certificates, steps)
