"""What one layer reads along one axis: which positions at all, and from where to where a single output."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

from symconv.errors import SizeLimitError
from symconv.formulas.index import Index
from symconv.operators.adaptive import AdaptivePooling
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv, padded_position
from symconv.operators.networks.staircase import Staircase
from symconv.operators.patches import Fold
from symconv.operators.transposed import ConvTranspose
from symconv.operators.unpooling import MaxUnpool

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LONGEST_AXIS", "positions_read", "ranges", "reach", "unread_positions"]

MOST_READS = 200_000_000
LONGEST_AXIS = 20_000_000


def positions_read(op: Operator, axis: int, n: int, wanted: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """Which of the positions ``0..n-1`` of an axis the outputs of an operator read.

    Exact: padding reads nothing, unless its mode shows the input again; a position counts as read where some tap of
    some output falls on it, whatever the weights.

    Args:
        op: the operator.
        axis: the spatial axis, counted from 0.
        n: its input size.
        wanted: the outputs that count, one entry an output; all of them where left out.

    Raises:
        SizeLimitError: where there are too many taps to go through.
    """
    import numpy as np

    outputs = int(op.axis_output_size(axis, n))
    if max(n, outputs) > LONGEST_AXIS:
        raise SizeLimitError(f"what is read of an axis of {max(n, outputs):,} positions; at most {LONGEST_AXIS:,}")
    at = np.arange(outputs) if wanted is None else np.flatnonzero(wanted)
    read = np.zeros(n, dtype=np.bool_)
    if isinstance(op, MaxUnpool):  # every entry has a position in the output
        read[:] = at.size > 0
    elif isinstance(op, AdaptivePooling):
        first, last = (end.evaluate({"o": at}) + 0 * at for end in op.span(axis, Index.of("o"), Index.of(n)))
        steps = np.bincount(first, minlength=n + 1) - np.bincount(last + 1, minlength=n + 1)
        read |= np.cumsum(steps)[:n] > 0
    else:
        transposed = isinstance(op, ConvTranspose | Fold)
        start, stride, step = _affine(op, axis, outputs if transposed else n)
        kernel = int(op.windows[axis].kernel)
        if kernel * max(n, outputs) > MOST_READS:
            raise SizeLimitError(f"{kernel:,} taps on an axis of {n:,} positions: more than {MOST_READS:,} reads")
        reached = np.zeros(outputs, dtype=np.bool_)
        reached[at] = True
        for tap in range(kernel):
            if transposed:
                places = start + step * tap + stride * np.arange(n)
                inside = (places >= 0) & (places < outputs)
                read[inside] |= reached[places[inside]]
            else:
                places = start + step * tap + stride * at
                if isinstance(op, Conv) and op.padding_mode != "zeros":
                    read_at = padded_position(op.padding_mode, Index.of("x"), Index.of(n))
                    places = read_at.evaluate({"x": places}) + 0 * places  # the same for all of an axis of size 1
                read[places[(places >= 0) & (places < n)]] = True
    return read


def _affine(op: Operator, axis: int, size: int) -> tuple[int, int, int]:
    """The position of tap 0 of window 0, and the steps from window to window and from tap to tap."""
    window = op.windows[axis]
    places = [window.tap(o, m, size).value for o, m in ((0, 0), (1, 0), (0, 1))]
    start, next_window, next_tap = (int(place) for place in places if place is not None)
    return start, next_window - start, next_tap - start


def reach(op: Operator, axis: int, n: int) -> tuple[Staircase, Staircase]:
    """The first and the last input position that an output depends on, as functions of its position.

    Padding counts as positions before 0 and after n - 1. For a transposed convolution these are the ends of the range
    of inputs whose kernels cover the output.
    """
    if isinstance(op, AdaptivePooling):
        outputs = int(op.axis_output_size(axis, n))
        common = gcd(n, outputs)
        first, last = op.span(axis, Index.of("o"), Index.of(n))
        period, rise = outputs // common, n // common
        return (
            Staircase.of(lambda o: int(first.evaluate({"o": o})), period, rise),
            Staircase.of(lambda o: int(last.evaluate({"o": o})), period, rise),
        )
    outputs = int(op.axis_output_size(axis, n))
    transposed = isinstance(op, ConvTranspose | Fold | MaxUnpool)
    start, stride, step = _affine(op, axis, outputs if transposed else n)
    end = start + step * (int(op.windows[axis].kernel) - 1)
    if not transposed:
        return Staircase((start,), stride), Staircase((end,), stride)
    return (
        Staircase.of(lambda o: -((end - o) // stride), stride, 1),
        Staircase.of(lambda o: (o - start) // stride, stride, 1),
    )


def unread_positions(op: Operator, axis: int, n: int) -> tuple[tuple[int, int], ...]:
    """The positions of an axis that no output reads, as ranges ``(first, last)``.

    >>> from symconv.operators.pooling import MaxPool
    >>> unread_positions(MaxPool((2,), 2), 0, 5)
    ((4, 4),)
    """
    return ranges(~positions_read(op, axis, n))


def ranges(mask: NDArray[np.bool_]) -> tuple[tuple[int, int], ...]:
    """The runs of True of a mask, as ``(first, last)``."""
    import numpy as np

    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return tuple((int(first), int(last) - 1) for first, last in zip(edges[::2], edges[1::2], strict=True))
