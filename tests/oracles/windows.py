"""One axis: windows are placed step by step and read position by position.

No closed size formula is used to place a window, so that a wrong formula elsewhere cannot agree with this by copying.
Positions are 0-based input positions: the padding before the input has negative ones, the padding after it starts at n.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal, TypeAlias

PaddingMode: TypeAlias = Literal["zeros", "reflect", "replicate", "circular"]
Triple: TypeAlias = tuple[int, int, int | None]


@dataclass(frozen=True)
class Axis:
    """The window of one axis; a negative `before` or `after` crops the input."""

    kernel: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1
    ceil_mode: bool = False

    def __post_init__(self) -> None:
        for name in ("kernel", "stride", "dilation"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be >= 1, got {getattr(self, name)}")


def place(n: int, axis: Axis) -> list[list[int]]:
    """The positions of the taps of every window, one list a window.

    The first window starts at the beginning of the padded input, each next one a stride later.  A window is placed as
    long as its last tap lies in the padded input; with `ceil_mode` as long as the window one stride before it did not
    reach the end, and then every window that starts after the input, in its padding, is taken away again.

    Example:
        >>> place(4, Axis(3, stride=2, before=1, after=1))
        [[-1, 0, 1], [1, 2, 3]]
        >>> place(4, Axis(3, stride=2, before=1, after=1, ceil_mode=True))
        [[-1, 0, 1], [1, 2, 3], [3, 4, 5]]
        >>> place(4, Axis(2, stride=3, before=1, after=1, ceil_mode=True))
        [[-1, 0], [2, 3]]
    """
    last_position = n + axis.after - 1
    rows: list[list[int]] = []
    start = -axis.before
    while True:
        row = [start]
        for _ in range(axis.kernel - 1):
            row.append(row[-1] + axis.dilation)
        reach = row[-1] - axis.stride + 1 if axis.ceil_mode else row[-1]
        if reach > last_position:
            break
        rows.append(row)
        start += axis.stride
    while axis.ceil_mode and rows and rows[-1][0] >= n:
        rows.pop()
    return rows


def output_size(n: int, axis: Axis) -> int:
    """The number of windows that `place` places.

    Example:
        >>> output_size(2, Axis(3)), output_size(5, Axis(3)), output_size(5, Axis(2, stride=2))
        (0, 3, 2)
        >>> output_size(5, Axis(2, stride=2, ceil_mode=True))
        3
    """
    return len(place(n, axis))


def sources(n: int, before: int, after: int, mode: PaddingMode) -> dict[int, int]:
    """Which input each position of the padded axis shows; positions that show none (zero padding) are absent.

    The padding is written by walking outward from each end of the whole input; cropping happens after that.

    Example:
        >>> [sources(4, 2, 2, "reflect")[position] for position in range(-2, 6)]
        [2, 1, 0, 1, 2, 3, 2, 1]
        >>> [sources(4, 2, 2, "circular")[position] for position in range(-2, 6)]
        [2, 3, 0, 1, 2, 3, 0, 1]
    """
    shown = {position: position for position in range(max(0, -before), min(n, n + after))}
    if mode == "zeros":
        return shown
    if n < 1:
        raise ValueError(f"padding mode {mode!r} needs an input of at least one entry, got {n}")
    for position, source in zip(range(-1, -before - 1, -1), _walk(n, 0, +1, -1, mode), strict=False):
        shown[position] = source
    for position, source in zip(range(n, n + after), _walk(n, n - 1, -1, +1, mode), strict=False):
        shown[position] = source
    return shown


def _walk(n: int, edge: int, inward: int, outward: int, mode: PaddingMode) -> Iterator[int]:
    """The inputs shown one after the other when leaving the input over `edge`; it never ends."""
    here, step = edge, inward
    while True:
        if mode == "reflect":
            if not 0 <= here + step < n:
                step = -step
            here += step if n > 1 else 0
        elif mode == "circular":
            here += outward
            if here < 0:
                here = n - 1
            elif here >= n:
                here = 0
        yield here


def triples(n: int, axis: Axis, mode: PaddingMode = "zeros") -> list[Triple]:
    """All (output, tap, input) of an axis; the input is None where the tap reads the zero padding or the overhang.

    Example:
        >>> triples(3, Axis(2, stride=2, before=1))
        [(0, 0, None), (0, 1, 0), (1, 0, 1), (1, 1, 2)]
    """
    shown = sources(n, axis.before, axis.after, mode)
    return [(o, m, shown.get(position)) for o, row in enumerate(place(n, axis)) for m, position in enumerate(row)]


def touching(n: int, axis: Axis, j: int) -> list[int]:
    """The outputs whose window reads input j.

    Example:
        >>> touching(5, Axis(3, before=1, after=1), 0)
        [0, 1]
    """
    return sorted({o for o, _, i in triples(n, axis) if i == j})


def same_output_size(n: int, stride: int) -> int:
    """SAME keeps one window for every stride that starts inside the input."""
    count = 0
    while count * stride < n:
        count += 1
    return count


def same_padding(n: int, kernel: int, stride: int = 1, dilation: int = 1, *, upper: bool) -> tuple[int, int]:
    """(before, after) of ONNX's SAME_UPPER or SAME_LOWER: the smallest total padding that holds the last window.

    An odd total puts the surplus after the input for upper, before it for lower.

    Example:
        >>> same_padding(4, 3, 2, upper=True), same_padding(4, 3, 2, upper=False)
        ((0, 1), (1, 0))
    """
    last_tap = 0
    for _ in range(same_output_size(n, stride) - 1):
        last_tap += stride
    for _ in range(kernel - 1):
        last_tap += dilation
    total = 0
    while last_tap > n + total - 1:
        total += 1
    small = total // 2
    return (small, total - small) if upper else (total - small, small)


def pytorch_same_padding(kernel: int, dilation: int = 1) -> tuple[int, int]:
    """(before, after) of PyTorch's 'same' at stride 1: d(k-1) in all, the surplus after the input."""
    total = sum(dilation for _ in range(kernel - 1))
    return total // 2, total - total // 2


def adaptive_windows(n: int, out: int) -> list[list[int]]:
    """The inputs of every window when [0, n) is cut into `out` equal pieces: the cells that meet the piece.

    Cell j is the interval [j, j+1), piece o the interval [o n/out, (o+1) n/out), and to meet is to share a positive
    length.  Nothing is rounded.

    Example:
        >>> adaptive_windows(5, 3)
        [[0, 1], [1, 2, 3], [3, 4]]
        >>> adaptive_windows(2, 3)
        [[0], [0, 1], [1]]
    """
    cuts = [Fraction(o * n, out) for o in range(out + 1)]
    return [[j for j in range(n) if j + 1 > left and j < right] for left, right in pairwise(cuts)]


def transposed_size(n: int, axis: Axis, output_padding: int = 0) -> int:
    """The length that the placed kernels cover, extended by the output padding and cropped by the padding.

    Example:
        >>> transposed_size(3, Axis(3, stride=2, before=1, after=1)), transposed_size(3, Axis(3, stride=2), 1)
        (5, 8)
    """
    if n == 0:
        return 0
    covered = 1
    for _ in range(n - 1):
        covered += axis.stride
    for _ in range(axis.kernel - 1):
        covered += axis.dilation
    return max(0, covered + output_padding - axis.before - axis.after)


def transposed_triples(n: int, axis: Axis, output_padding: int = 0) -> list[tuple[int, int, int]]:
    """All (input, tap, output) of a transposed axis: input i writes tap m, wherever that lands inside the output.

    Example:
        >>> transposed_triples(2, Axis(2, stride=2, before=1))
        [(0, 1, 0), (1, 0, 1), (1, 1, 2)]
    """
    size = transposed_size(n, axis, output_padding)
    written = []
    start = -axis.before
    for i in range(n):
        position = start
        for m in range(axis.kernel):
            if 0 <= position < size:
                written.append((i, m, position))
            position += axis.dilation
        start += axis.stride
    return written
