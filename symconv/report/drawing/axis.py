"""One spatial axis of a figure: the index map that every figure of sliding windows is drawn from."""

from __future__ import annotations

from dataclasses import dataclass

from symconv.errors import ArgumentError, GeometryError

__all__ = ["DrawnAxis"]


@dataclass(frozen=True)
class DrawnAxis:
    """Tap m of output o reads entry `stride*o + dilation*m - before`; outside 0..size-1 that is padding.

    Args:
        size: entries of the input on this axis, >= 1.
        kernel: taps, >= 1.
        stride, dilation: >= 1.
        before, after: padding; a negative number crops.
        counted: the number of outputs where it is not the floor formula (`ceil_mode`: a last window may hang over the
            padding), >= 1.

    Raises:
        ArgumentError: a size, a stride or a dilation below 1.
        GeometryError: no window fits.

    >>> DrawnAxis(7, 3, stride=2, before=1).outputs, DrawnAxis(5, 2, stride=2, counted=3).outputs
    (3, 3)
    """

    size: int
    kernel: int
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0
    counted: int | None = None

    def __post_init__(self) -> None:
        for name in ("size", "kernel", "stride", "dilation"):
            if getattr(self, name) < 1:
                raise ArgumentError(name, getattr(self, name), "must be >= 1")
        if self.counted is not None:
            if self.counted < 1:
                raise ArgumentError("counted", self.counted, "must be >= 1 output")
        elif self.padded < self.span:
            raise GeometryError(
                "kernel",
                self.kernel,
                f"with dilation {self.dilation} spans {self.span} entries and must fit into the padded input of "
                f"{self.before} + {self.size} + {self.after} = {self.padded}",
                "add padding or use a smaller kernel",
            )

    @property
    def span(self) -> int:
        """Entries from the first tap of a window to its last."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def padded(self) -> int:
        """Entries of the input with its padding."""
        return self.before + self.size + self.after

    @property
    def outputs(self) -> int:
        """Number of outputs: floor((size + before + after - span) / stride) + 1, or what was counted elsewhere."""
        return (self.padded - self.span) // self.stride + 1 if self.counted is None else self.counted

    @property
    def reach(self) -> tuple[int, int]:
        """First entry and one past the last that a picture must hold: input, padding and every window."""
        end = self.reads(self.outputs - 1, self.kernel - 1) + 1
        return min(0, -self.before), max(self.size, self.size + self.after, end)

    def reads(self, output: int, tap: int) -> int:
        """The entry that a tap of an output reads; both count from 0."""
        return self.stride * output + self.dilation * tap - self.before

    def window(self, output: int) -> range:
        """The entries that the taps of an output read, by tap.

        >>> list(DrawnAxis(7, 3, stride=2, dilation=2, before=1).window(1))
        [1, 3, 5]
        """
        first = self.reads(output, 0)
        return range(first, first + self.span, self.dilation)

    def touches(self, entry: int) -> tuple[tuple[int, int], ...]:
        """All (output, tap) with `reads(output, tap) == entry`, by tap: the map read backwards.

        >>> DrawnAxis(5, 3).touches(1), DrawnAxis(5, 3, stride=2).touches(1)
        (((1, 0), (0, 1)), ((0, 1),))
        """
        found = []
        for tap in range(self.kernel):
            output, rest = divmod(entry + self.before - self.dilation * tap, self.stride)
            if rest == 0 and 0 <= output < self.outputs:
                found.append((output, tap))
        return tuple(found)

    def adjoint(self) -> DrawnAxis:
        """The axis that the gradient slides on: upstream entries `stride` apart, kernel turned, one output per input.

        With t = stride*o an entry i of the input is read by tap m where t = i + before - dilation*m; counted from the
        other end of the kernel, m' = kernel-1-m, that is t = i + dilation*m' - (dilation*(kernel-1) - before).
        """
        size = self.stride * (self.outputs - 1) + 1
        return DrawnAxis(
            size,
            self.kernel,
            dilation=self.dilation,
            before=self.dilation * (self.kernel - 1) - self.before,
            after=self.size - 1 + self.before - self.stride * (self.outputs - 1),
        )
