"""How a pooling's window may slide along one axis, read off two sizes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from symconv.audits.reading import Array

__all__ = ["Passage", "passages_of"]

MOST_DILATION = 4


@dataclass(frozen=True)
class Passage:
    """One way to slide a pooling's window along an axis.

    Attributes:
        kernel, stride, dilation, before: the options.
        size, outputs: the lengths of the input and the output.
    """

    kernel: int
    stride: int
    dilation: int
    before: int
    size: int
    outputs: int

    @property
    def span(self) -> int:
        """From the first tap to the last."""
        return self.dilation * (self.kernel - 1) + 1

    @cached_property
    def reads(self) -> list[Array]:
        """The real entries that every output reads."""
        taps = np.arange(0, self.span, self.dilation) - self.before
        windows = (taps + self.stride * output for output in range(self.outputs))
        return [window[(window >= 0) & (window < self.size)] for window in windows]

    @cached_property
    def ends(self) -> list[tuple[int, bool]]:
        """(padding after, ceil_mode) with which there are so many outputs, the plainest first."""
        need = (self.outputs - 1) * self.stride + self.span - self.size - self.before
        fits = [after for after in range(max(need, 0), min(need + self.stride, self.span)) if after >= 0]
        result = [(after, False) for after in sorted(fits, key=lambda after: after != self.before)]
        starts = -(-(self.size + self.before) // self.stride)  # no window starts in the padding after the input
        for after in sorted({self.before, 0}, key=lambda after: after != self.before):
            room = self.size + self.before + after - self.span
            if after < need and min(-(-room // self.stride) + 1, starts) == self.outputs and room + self.stride > 0:
                result.append((after, True))
        return result

    @property
    def cost(self) -> float:
        """How unusual it is: most windows step by their own length, or by 1 or 2."""
        plain = 0.0 if self.stride == self.kernel else 0.1 if self.stride <= 2 else 0.4
        deep = 1.0 * (self.before > self.kernel // 2) + 0.2 * (self.before > 0)
        ended = min(self.end_cost(*end) for end in self.ends)
        return plain + ended + deep + 0.8 * (self.dilation > 1) + 0.02 * self.kernel

    def end_cost(self, after: int, ceiling: bool) -> float:
        """How unusual one of the ways to end it is."""
        return 1.5 * (after != self.before) + 0.6 * ceiling


def passages_of(size: int, outputs: int) -> list[Passage]:
    """The ways to slide a window over an input of a size that give a number of outputs, the plainest first."""
    result = []
    for kernel, dilation in product(range(1, size + 1), range(1, MOST_DILATION + 1)):
        span = dilation * (kernel - 1) + 1
        if span > 2 * size or (kernel == 1 and dilation > 1):
            continue
        for before in range(min(span, size)):
            strides: Iterable[int] = range(1, (size + 2 * (span - 1)) // max(outputs - 1, 1) + 1)
            if outputs == 1:  # any stride that passes over the rest: the window itself, if it does
                strides = (kernel, size + before + span)
            ways = [Passage(kernel, stride, dilation, before, size, outputs) for stride in strides]
            ways = [way for way in ways if way.ends]
            result += ways[:1] if outputs == 1 else ways
    return sorted(result, key=lambda way: way.cost)
