"""The operators next to one: with one option changed, or a formula that is often taken for it."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

from symconv.audits.powers import MeanPowerPool, PowerPool
from symconv.errors import SymconvError
from symconv.operators.base import Operator
from symconv.operators.convolution import PADDING_MODES
from symconv.operators.pooling import LPPool

__all__ = ["neighbours"]

CHOICES = {"ties": ("first", "split"), "padding_mode": tuple(PADDING_MODES)}


def neighbours(op: Operator) -> Iterator[Operator]:
    """Operators that differ from one in a single option: flags turned, sizes changed by one, sides exchanged."""
    if type(op) is LPPool and op.norm_type != float("inf"):
        yield PowerPool(**op.options())
        yield MeanPowerPool(**op.options())
    for name, value in op.options().items():
        for other in _others(op, name, value):
            try:
                yield type(op)(**{**op.options(), name: other})
            except SymconvError:
                continue


def _others(op: Any, name: str, value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif name in CHOICES:
        yield from (choice for choice in CHOICES[name] if choice != value)
    elif name == "divisor_override" and value is None:
        yield prod(op.kernel_size)
    elif name == "divisor_override":
        yield None
    elif name in ("stride", "dilation") and isinstance(value, tuple):
        yield from _stepped(value, 1)
        yield value[::-1]
    elif name in ("padding", "output_padding") and isinstance(value, tuple):
        yield from _shifted(value)


def _stepped(value: tuple[int, ...], least: int) -> Iterator[tuple[int, ...]]:
    for axis, entry in enumerate(value):
        for other in (entry - 1, entry + 1):
            if other >= least:
                yield (*value[:axis], other, *value[axis + 1 :])


def _shifted(value: tuple[Any, ...]) -> Iterator[Any]:
    if value and isinstance(value[0], tuple):
        yield tuple((after, before) for before, after in value)
        yield tuple((before - 1, after + 1) for before, after in value if before)
        yield tuple((before + 1, after - 1) for before, after in value if after)
    else:
        yield from _stepped(value, 0)
