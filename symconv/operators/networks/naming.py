"""Which layer of a network an error comes from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from symconv.errors import ArgumentError, SymconvError

__all__ = ["in_layer", "named_error"]


def named_error(name: str, error: SymconvError) -> SymconvError:
    """An error of a layer, with the layer's name before what it says; one that has a name keeps it."""
    if error.layer is not None:
        return error
    if isinstance(error, ArgumentError):
        found: SymconvError = type(error)(f"{name}: {error.argument}", error.value, error.requirement, error.fix)
    else:
        found = type(error)(f"{name}: {error}")
    found.layer = name
    return found


@contextmanager
def in_layer(name: str) -> Iterator[None]:
    """Say which layer an error comes from."""
    try:
        yield
    except SymconvError as error:
        raise named_error(name, error) from None
