"""The input sizes of test vectors: small ones at which strides leave entries over, fit, and windows hang over."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from symconv.errors import GeometryError, NotSupportedError
from symconv.operators.adaptive import AdaptivePooling
from symconv.operators.base import Operator
from symconv.operators.transposed import ConvTranspose

__all__ = ["further_sizes", "vector_sizes"]

FURTHER, NEAR = 12, 2
"""How far from the first size one of a kind may lie, and how far one that is tried for what it tells."""
SEARCHED = 64
"""Among how many sizes of an axis one is looked for."""


def vector_sizes(op: Operator) -> list[tuple[int, ...]]:
    """The first sizes, the one that tells most before the others.

    These are one with windows inside the input at which the last stride leaves entries over; one at which it does not;
    the smallest at which there is an output; and, with ``ceil_mode``, one at which the last window is left out because
    it would start in the padding.
    """
    first = _roomy(op)
    chosen = [first, *(size for rule in (_fits, _left_out, _smallest) if (size := _first(op, first, rule)))]
    return list(dict.fromkeys(chosen))


def _roomy(op: Operator) -> tuple[int, ...]:
    """Sizes that tell conventions apart, and have a window that neither border cuts; all axes different.

    Raises:
        NotSupportedError: where an axis has none.
    """
    found: list[int] = []
    for axis in range(op.spatial_axes):
        least, stride = 2, 1
        if isinstance(op, AdaptivePooling):
            least = int(op.axis_output_size(axis, 1)) + 1
        elif not isinstance(op, ConvTranspose):
            window = op.windows[axis]
            stride = int(window.s.value or 1)
            least = int(window.span.value or 1) + stride
        near = [n for n in range(least, least + SEARCHED) if n not in found and (_outputs(op, axis, n) or 0) > 0]
        chosen = next((n for n in near if _over(op, axis, n, stride)), near[0] if near else None)
        if chosen is None:
            raise NotSupportedError(f"there is no small input size of {op!r} on axis {axis + 1}; give the input size")
        found.append(chosen)
    return tuple(found)


def _over(op: Operator, axis: int, n: int, stride: int) -> bool:
    """Whether there is more than one output, and the last stride leaves entries over, where one can."""
    count = _outputs(op, axis, n) or 1
    if isinstance(op, AdaptivePooling):
        return count == 1 or n % count > 0
    return count > 1 and (stride == 1 or bool((op.windows[axis].room(n).value or 0) % stride))


def further_sizes(op: Operator) -> Iterator[tuple[int, ...]]:
    """Other sizes, the nearest to the first one before the others."""
    first = _roomy(op)
    for step in range(1, NEAR + 1):
        for size in (tuple(n + step for n in first), tuple(n - step for n in first)):
            if all(n > 0 and _outputs(op, axis, n) is not None for axis, n in enumerate(size)):
                yield size


def _first(op: Operator, near: tuple[int, ...], rule: Callable[[Operator, int, int], bool]) -> tuple[int, ...] | None:
    """The smallest sizes that a rule is for, an axis each; None where an axis has none."""
    found = []
    for axis, n in enumerate(near):
        size = next(
            (k for k in range(1, min(n, SEARCHED) + FURTHER) if _outputs(op, axis, k) and rule(op, axis, k)), None
        )
        if size is None:
            return None
        found.append(size)
    return tuple(found)


def _outputs(op: Operator, axis: int, n: int) -> int | None:
    try:
        count = op.axis_output_size(axis, n)
    except GeometryError:
        return None
    return int(count)


def _smallest(op: Operator, axis: int, n: int) -> bool:
    return True


def _fits(op: Operator, axis: int, n: int) -> bool:
    """More than one output, and no entry left over."""
    if isinstance(op, ConvTranspose):
        return False
    if isinstance(op, AdaptivePooling):
        count = _outputs(op, axis, n) or 1
        return n > count and n % count == 0
    room, stride = op.windows[axis].room(n).value, op.windows[axis].s.value
    return bool(room and stride and stride > 1 and room % stride == 0)


def _left_out(op: Operator, axis: int, n: int) -> bool:
    """Rounding up the number of outputs gives one more than there are."""
    if not getattr(op, "ceil_mode", False):
        return False
    room, stride = op.windows[axis].room(n).value, op.windows[axis].s.value
    return room is not None and stride is not None and -(-room // stride) + 1 > (_outputs(op, axis, n) or 0)
