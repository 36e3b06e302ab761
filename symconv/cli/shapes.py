"""How sizes are typed: ``5x5`` for shapes, ``2x1`` or ``2,1`` one an axis, ``1:0,0:2`` for paddings.

Each function is the callback of an option: it turns what was typed into the value that an operator takes.
"""

from __future__ import annotations

import re
from typing import Any

import click

__all__ = ["letters", "padding", "per_axis", "shape"]

_SIZE = "[0-9]{1,9}"  # a number of more digits is a slip, not a size
_BETWEEN = "[x×,]"
_MOST_AXES = 6


def shape(ctx: click.Context, option: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """``5x5`` -> (5, 5)."""
    if value is None:
        return None
    entries = re.split(_BETWEEN, value)
    if not all(re.fullmatch(_SIZE, entry, re.ASCII) for entry in entries):
        raise click.BadParameter(f"must be a shape such as 5x5, one size an axis, got {value!r}", ctx, option)
    if len(entries) > _MOST_AXES:
        raise click.BadParameter(f"must have at most {_MOST_AXES} axes, got {len(entries)}", ctx, option)
    return tuple(map(int, entries))


def per_axis(ctx: click.Context, option: click.Parameter, value: str | None) -> int | tuple[int, ...] | None:
    """``2`` -> 2 for every axis; ``2x1`` or ``2,1`` -> (2, 1)."""
    if value is None:
        return None
    entries = re.split(_BETWEEN, value)
    if not all(re.fullmatch(f"-?{_SIZE}", entry) for entry in entries):
        raise click.BadParameter(f"must be an integer, or one an axis such as 2x1, got {value!r}", ctx, option)
    numbers = tuple(map(int, entries))
    return numbers if len(numbers) > 1 else numbers[0]


def padding(ctx: click.Context, option: click.Parameter, value: str) -> Any:
    """``1``, ``1,0`` one an axis, ``1:0,0:2`` before and after on every axis, or the name of a rule."""
    if re.fullmatch("[a-z_]+", value):
        return value  # the operator knows the rules, and the nearest one to a misspelt name
    entries: list[Any] = []
    for entry in re.split(_BETWEEN, value):
        if not re.fullmatch(f"-?{_SIZE}(:-?{_SIZE})?", entry):
            raise click.BadParameter(
                f"must be 1, or 1,0 one an axis, or before:after such as 1:0,0:2, or a rule like same, got {value!r}",
                ctx,
                option,
            )
        sides = tuple(map(int, entry.split(":")))
        entries.append(sides if len(sides) == 2 else sides[0])
    return entries[0] if len(entries) == 1 and isinstance(entries[0], int) else tuple(entries)


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
