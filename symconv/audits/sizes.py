"""Small input sizes that tell conventions apart."""

from __future__ import annotations

from symconv.doors import instance
from symconv.errors import GeometryError, NotSupportedError
from symconv.operators.adaptive import AdaptivePooling
from symconv.operators.base import Operator
from symconv.operators.transposed import ConvTranspose

__all__ = ["telling_size"]

LARGEST = 256


def telling_size(op: Operator) -> tuple[int, ...]:
    """The smallest sizes with more than one output an axis, where the last stride leaves entries over.

    Two axes that are alike get different sizes, so that exchanged axes show.

    Raises:
        NotSupportedError: where there is none up to 256, and for symbolic options.

    >>> from symconv.operators.convolution import Conv
    >>> telling_size(Conv((3, 3), stride=2))
    (6, 8)
    """
    instance("op", op, Operator, "must be an operator, such as Conv(3)")
    found: list[int] = []
    for axis in range(op.spatial_axes):
        n = next((n for n in range(1, LARGEST + 1) if n not in found and _tells(op, axis, n)), None)
        if n is None:
            raise NotSupportedError(f"no input size up to {LARGEST} tells conventions of {op!r} apart; give one")
        found.append(n)
    return tuple(found)


def _tells(op: Operator, axis: int, n: int) -> bool:
    if isinstance(op, AdaptivePooling):
        count = op.axis_output_size(axis, n)
        return isinstance(count, int) and n > count and (n % count > 0 or count == 1)
    if isinstance(op, ConvTranspose):
        return n >= 2
    try:
        count = op.axis_output_size(axis, n)
    except GeometryError:
        return False
    room, stride = op.windows[axis].room(n).value, op.windows[axis].s.value
    if not isinstance(count, int) or room is None or stride is None:
        return False
    return count > 1 and (stride == 1 or room % stride > 0)
