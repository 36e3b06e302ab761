"""How shapes (``5x5``) and letters (``input=x``) are typed: callbacks of options that belong to no operator."""

from __future__ import annotations

import click

__all__ = ["letters", "shape"]


def shape(ctx: click.Context, option: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """``5x5`` -> (5, 5)."""
    if value is None:
        return None
    from symconv.operators.kinds import Size, UnreadError

    try:
        return Size().typed(value)
    except UnreadError as error:
        raise click.BadParameter(f"{error.requirement}, got {error.value!r}", ctx, option) from None


def letters(ctx: click.Context, option: click.Parameter, value: str | None) -> dict[str, str] | None:
    """``input=x,weight=w`` -> {"input": "x", "weight": "w"}."""
    if value is None:
        return None
    result: dict[str, str] = {}
    for pair in value.split(","):
        role, sign, letter = (part.strip() for part in pair.partition("="))
        if not sign:
            raise click.BadParameter(f"must be pairs such as input=x,weight=w, got {value!r}", ctx, option)
        if role in result:
            raise click.BadParameter(f"must give {role!r} one letter, got {value!r}", ctx, option)
        result[role] = letter
    return result
