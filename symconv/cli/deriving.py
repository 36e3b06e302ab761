"""What the commands of ``symconv derive`` share: their options, and the way from operator to printed derivation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from symconv.cli import shapes
from symconv.cli.activity import Activity
from symconv.cli.certificates import certified

if TYPE_CHECKING:
    from symconv.operators.base import Operator

__all__ = ["all_ones_option", "built", "shared_options", "show", "show_operator", "symbolic_option"]


def shared_options(*choices: str) -> list[click.Parameter]:
    """The options that every derivation has, the input size first; `choices` are the variables of the operator."""
    return [
        click.Option(
            ["--input", "input_size"],
            callback=shapes.shape,
            metavar="5x5",
            help="The input size; symbolic if left out.",
        ),
        click.Option(
            ["--what"],
            type=click.Choice(["output", "derivative", "gradient"]),
            default="gradient",
            show_default=True,
            help="One output, its derivative by one entry, or the gradient of an error.",
        ),
        click.Option(
            ["--wrt"], type=click.Choice(choices), default="input", show_default=True, help="By what is differentiated."
        ),
        click.Option(
            ["--format", "style"],
            type=click.Choice(["text", "latex"]),
            default="text",
            show_default=True,
            help="Unicode mathematics for a terminal, or LaTeX displays.",
        ),
        click.Option(
            ["--index-base"],
            type=click.Choice(["0", "1"]),
            default="1",
            show_default=True,
            help="Where indices start.",
        ),
        click.Option(
            ["--names"],
            callback=shapes.letters,
            metavar="ROLE=LETTER,...",
            help="Other letters, such as input=x,weight=w,output=y,input_index=kl.",
        ),
    ]


def symbolic_option(kind: type[Operator]) -> click.Option:
    """The switch that leaves the sizes of an operator symbolic."""
    from symconv.operators.option import option_fields

    *first, last = [option.switch or name for name, (option, _) in option_fields(kind).items() if option.letter]
    sizes = f"{', '.join(first)} and {last}" if first else last
    return click.Option(
        ["--symbolic"],
        is_flag=True,
        help=f"Leave {sizes.replace('_', ' ')} symbolic too; --kernel only says how many axes there are.",
    )


def all_ones_option() -> click.Option:
    """The switch for the case that courses ask for."""
    return click.Option(["--all-ones"], is_flag=True, help="Go on to the gradient under an upstream gradient of ones.")


def show_operator(
    kind: type[Operator],
    *,
    input_size: tuple[int, ...] | None,
    what: Any,
    wrt: Any,
    style: str,
    index_base: str,
    names: dict[str, str] | None,
    certificates: Path | None,
    symbolic: bool = False,
    all_ones: bool = False,
    **options: Any,
) -> None:
    """Build an operator from what was typed, derive, and print; an option that is None keeps its default."""
    from symconv.operators.option import option_fields

    if symbolic and input_size is not None:
        raise click.UsageError("--symbolic leaves all sizes open and --input fixes one; give one of them")
    if all_ones and (what, wrt) != ("gradient", "input"):
        raise click.UsageError("--all-ones belongs to --what gradient --wrt input")
    if wrt == "bias" and "bias" in option_fields(kind):
        options["bias"] = True
    op = built(kind, input_size, options)
    show(op.generic() if symbolic else op, input_size, what, wrt, style, index_base, names, certificates, all_ones)


def built(kind: type[Operator], input_size: tuple[int, ...] | None, options: Mapping[str, Any]) -> Operator:
    """The operator of what was typed; an option that is None keeps its default."""
    from symconv.operators.kinds import Size
    from symconv.operators.option import axes_unsaid, option_fields

    given = {name: value for name, value in options.items() if value is not None}
    sizes = [
        name for name, (option, _) in option_fields(kind).items() if isinstance(option.kind, Size) and name in given
    ]
    axes = max(map(len, [input_size or (), *(given[name] for name in sizes)]), default=1)
    for name in sizes:  # one number stands for as many axes as there are elsewhere
        given[name] *= axes if len(given[name]) == 1 else 1
    if input_size is not None and axes_unsaid(kind) is not None:
        given["ndim"] = axes
    return kind(**given)


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
    from symconv.derivations.derive import derive as derivation
    from symconv.problems.asks.derivation import check_declared_size
    from symconv.problems.schema import Where

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
        checked: dict[str, list[str]] = {}
        for step, verdict in zip(worked.steps, certified(certificates, steps), strict=True):
            checked.setdefault(verdict.checked_by, []).append(f"({step.id})")
        for checker, ids in checked.items():
            if checker:
                click.echo(f"{'' if style == 'text' else '% '}checked by {checker}: {', '.join(ids)}")
