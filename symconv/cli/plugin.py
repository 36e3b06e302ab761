"""Operators of one's own at the command line: a Python file that the user names is run, and never one unasked."""

from __future__ import annotations

import importlib.util
import sys
from inspect import isabstract
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from symconv.operators.base import Operator

__all__ = ["own_operators", "plugin_option"]

_KEY = "symconv.plugin"
_MODULE = "symconv plugin"
"""A name with a space is imported by nobody: a file json.py is no module json."""


def own_operators(ctx: click.Context) -> dict[str, type[Operator]]:
    """The operators of the file that was named with ``--plugin``, by the names of their classes."""
    found: dict[str, type[Operator]] = ctx.meta.get(_KEY, {})
    return found


def _load(ctx: click.Context, option: click.Parameter, value: Path | None) -> None:
    """Run the file as a module under a name that no import finds, and note its operators."""
    if value is None:
        return
    from symconv.operators.base import Operator

    specification = importlib.util.spec_from_file_location(_MODULE, value)
    if value.suffix != ".py" or specification is None or specification.loader is None:
        raise click.BadParameter(f"must be a Python file, such as matching.py, got {str(value)!r}", ctx, option)
    module = importlib.util.module_from_spec(specification)
    sys.modules[_MODULE] = module  # dataclasses look their module up
    try:
        specification.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever the user's own code raises
        raise click.BadParameter(f"{value.name} ended in {type(error).__name__}: {error}", ctx, option) from error
    found = {
        name: entry
        for name, entry in vars(module).items()
        if isinstance(entry, type) and issubclass(entry, Operator) and entry.__module__ == module.__name__
    }
    ready = {name: entry for name, entry in found.items() if _is_frozen(entry) and not isabstract(entry)}
    if not ready:
        raise click.BadParameter(
            f"{value.name} defines no operator: a subclass of symconv.Operator that is a frozen dataclass and states "
            "its body",
            ctx,
            option,
        )
    ctx.meta[_KEY] = ready


def _is_frozen(kind: type[Operator]) -> bool:
    """Whether a class is a frozen dataclass by its own declaration, not only by that of its base."""
    declared: Any = vars(kind).get("__dataclass_params__")
    return declared is not None and bool(declared.frozen)


plugin_option = click.option(
    "--plugin",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.py",
    callback=_load,
    expose_value=False,
    is_eager=True,
    help="Run this Python file, which must be one that you trust, and derive the operators that it defines.",
)
