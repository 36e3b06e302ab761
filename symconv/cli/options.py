"""The options of operators on a command line: made from where they are declared, with their words and their readers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import MISSING, replace
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from symconv.operators.base import Operator
    from symconv.operators.option import Option

__all__ = ["Described", "operator_options", "typed_option", "worded"]


def typed_option(name: str, option: Option, default: Any = None, *, required: bool = False) -> click.Option:
    """The option of a command for an option of an operator, under the operator's name for it.

    A flag is a switch for the value that is not its default; what is not typed is None, and the default is the
    operator's own.
    """
    from symconv.operators.kinds import Flag, Word

    switch = option.switch or name.replace("_", "-")
    words = option.switch_words or option.words
    form = option.kind.form("command")
    shown = f"{words[:1].upper()}{words[1:]}" + (f" ({form})." if form else ".")
    if isinstance(option.kind, Flag):
        return click.Option([f"--{switch}", name], is_flag=True, flag_value=not default, default=None, help=shown)
    if isinstance(option.kind, Word):
        return click.Option(
            [f"--{switch}", name],
            type=click.Choice(tuple(option.kind.allowed)),
            default=default,
            show_default=True,
            help=shown,
        )
    return click.Option(
        [f"--{switch}", name], metavar=option.kind.metavar, required=required, callback=_reader(option), help=shown
    )


def _reader(option: Option) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    from symconv.operators.kinds import UnreadError

    def read(ctx: click.Context, parameter: click.Parameter, value: str | None) -> Any:
        if value is None:
            return None
        try:
            return option.kind.typed(value)
        except UnreadError as error:
            fix = f"; {error.fix}" if error.fix else ""
            raise click.BadParameter(f"{error.requirement}, got {error.value!r}{fix}", ctx, parameter) from None

    return read


def operator_options(kind: type[Operator]) -> list[click.Option]:
    """The options of a command for all options of an operator, in its order."""
    from symconv.operators.option import option_fields

    return [
        typed_option(
            name,
            option,
            None if entry.default is MISSING else entry.default,
            required=entry.default is MISSING,
        )
        for name, (option, entry) in option_fields(kind).items()
    ]


class Described(click.Command):
    """A command with options of operators, which are looked up when they are needed: the help of all needs none.

    Args:
        described: gives the options, by the names under which the command takes them.
    """

    def __init__(self, *arguments: Any, described: Callable[[], Sequence[click.Parameter]], **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._described = described
        self._known: Sequence[click.Parameter] | None = None

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        if self._known is None:
            self._known = self._described()
        own = super().get_params(ctx)
        return [*own[:1], *self._known, *own[1:]]


def worded(option: Option, words: str) -> Option:
    """An option with other words, where a command means something narrower."""
    return replace(option, words=words, switch_words="")
