"""The window on one axis: its kernel, stride, padding and dilation, and the arithmetic that follows from them.

Source: Dumoulin & Visin, "A guide to convolution arithmetic for deep learning" (arXiv 1603.07285), relationships 6 and
15; the rules for ceil_mode and SAME as in PyTorch and ONNX.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from symconv.doors import flag
from symconv.errors import ArgumentError, GeometryError
from symconv.formulas.algebra import Guard, nonnegative
from symconv.formulas.index import Index, IndexLike, ceiling, floor, maximum, minimum
from symconv.formulas.symbols import SymbolTable, index_to_sympy, is_symbolic
from symconv.operators.options import Integer, integer, to_index

__all__ = ["Window", "named_window"]


@dataclass(frozen=True)
class Window:
    """A sliding window on one axis: tap m of output o reads input ``stride*o + dilation*m - before`` (0-based).

    Args:
        kernel: the number of taps, at least 1.
        stride: the step between neighbouring outputs, at least 1.
        before: the padding before the input; a negative one crops.
        after: the padding after the input; a negative one crops.
        dilation: the step between neighbouring taps, at least 1.
        ceil_mode: round the number of outputs up, but start no window in the padding after the input (the usual rule
            takes one such window away, which is enough for a padding below the window; here none is left).
        fit: "same_upper" or "same_lower": the padding follows from the input size so that there are
            ``ceil(n / stride)`` outputs, with the odd surplus after or before; `before` and `after` must then be 0.

    >>> Window(kernel=3, stride=2, before=1, after=1).output_size(5)
    3
    """

    kernel: Integer
    stride: Integer = 1
    before: Integer = 0
    after: Integer = 0
    dilation: Integer = 1
    ceil_mode: bool = False
    fit: Literal["same_upper", "same_lower"] | None = None

    def __post_init__(self) -> None:
        for name, least in (("kernel", 1), ("stride", 1), ("before", None), ("after", None), ("dilation", 1)):
            object.__setattr__(self, name, integer(name, getattr(self, name), least))
        flag("ceil_mode", self.ceil_mode)
        if self.fit not in (None, "same_upper", "same_lower"):
            raise ArgumentError("fit", self.fit, "must be None, 'same_upper' or 'same_lower'")

    def _index(self, name: str) -> Index:
        return to_index(getattr(self, name), {}, name)

    @property
    def k(self) -> Index:
        """The number of taps."""
        return self._index("kernel")

    @property
    def s(self) -> Index:
        """The stride."""
        return self._index("stride")

    @property
    def d(self) -> Index:
        """The dilation."""
        return self._index("dilation")

    @property
    def span(self) -> Index:
        """The effective kernel ``d*(k - 1) + 1``: from the first tap to the last."""
        return self.d * (self.k - 1) + 1

    def padding(self, n: IndexLike) -> tuple[Index, Index]:
        """The padding before and after an input of length `n`."""
        if self.fit is None:
            return self._index("before"), self._index("after")
        length = Index.of(n)
        total = maximum(0, (ceiling(length, self.s) - 1) * self.s + self.span - length)
        small = floor(total, 2)
        return (small, total - small) if self.fit == "same_upper" else (total - small, small)

    def tap(self, output: IndexLike, tap: IndexLike, n: IndexLike) -> Index:
        """The input that tap `tap` of output `output` reads (0-based; outside ``0..n-1`` it is padding)."""
        return self.s * Index.of(output) + self.d * Index.of(tap) - self.padding(n)[0]

    def room(self, n: IndexLike) -> Index:
        """``n + before + after - span``: the last place where a window may start; negative where none fits."""
        before, after = self.padding(n)
        return Index.of(n) + before + after - self.span

    def reach(self, n: IndexLike) -> Index:
        """The room, and under ceil_mode the overhang that one window may have; negative where there is no output."""
        return self.room(n) + self.s - 1 if self.ceil_mode and self.fit is None else self.room(n)

    def outputs(self, n: IndexLike) -> Index:
        """The number of outputs of an input of length `n`, as an index expression (of a window that fits)."""
        if self.fit is not None:
            return ceiling(n, self.s)
        if not self.ceil_mode:
            return floor(self.room(n), self.s) + 1
        # every window that starts at n + before or later lies in the padding after the input, or beyond it
        starts = ceiling(Index.of(n) + self.padding(n)[0], self.s)
        return minimum(ceiling(self.room(n), self.s) + 1, starts)

    def output_size(self, n: Integer) -> Integer:
        """The number of outputs of an input of length `n`: an int for ints, else an exact SymPy expression.

        Raises:
            GeometryError: where no window fits.
        """
        symbols: dict[str, Any] = {}
        for name in ("kernel", "stride", "before", "after", "dilation"):
            to_index(getattr(self, name), symbols, name)
        length = to_index(integer("input_size", n, 1), symbols, "input_size")
        count, reach = self.outputs(length), self.reach(length)
        if reach.value is not None and reach.value < 0:
            before, after = self.padding(length)
            raise GeometryError(
                "kernel_size",
                self.kernel,
                f"needs an effective size of at most the padded input ({self.span!r} > {length!r} + {before!r} + "
                f"{after!r})",
                "take a larger input, more padding, or a smaller kernel or dilation",
            )
        if count.value is not None:
            if count.value < 1:
                raise GeometryError("input_size", n, "leaves no output at all")
            return count.value
        return index_to_sympy(count, SymbolTable(symbols))

    def parameters(self, note: Callable[[str, int], None]) -> None:
        """Tell `note` the lower bound of every option that is a bare symbol: 1 for sizes, 0 for paddings."""
        for name, least in (("kernel", 1), ("stride", 1), ("dilation", 1), ("before", 0), ("after", 0)):
            value = getattr(self, name)
            if is_symbolic(value):
                for sym in value.free_symbols:
                    if sym == value and not sym.is_negative:
                        note(sym.name, least)
                    elif sym.is_positive:
                        note(sym.name, 1)
                    elif sym.is_nonnegative:
                        note(sym.name, 0)

    def facts(self, n: IndexLike) -> list[Guard]:
        """What is assumed of symbolic sizes: there is an output.

        A window fits; under ceil_mode it may hang over, and the first one must start before the end of the input.
        """
        facts = [nonnegative(self.reach(n))]
        if self.ceil_mode and self.fit is None:
            facts.append(nonnegative(Index.of(n) + self.padding(n)[0] - 1))
        return facts


def named_window(padding: Any, axis: int, k: Integer, s: Integer, d: Integer, ceil_mode: bool) -> Window:
    """The window of one axis under a padding that is given in pairs or by the name of a rule."""
    if not isinstance(padding, str):
        before, after = padding[axis]
        return Window(k, s, before, after, d, ceil_mode)
    total = d * (k - 1)
    if padding == "valid":
        return Window(k, s, 0, 0, d, ceil_mode)
    if padding == "full":
        return Window(k, s, total, total, d, ceil_mode)
    if padding == "half":
        half = total // 2
        return Window(k, s, half, half, d, ceil_mode)
    if padding == "same":
        return Window(k, s, total // 2, total - total // 2, d, ceil_mode)
    if padding == "same_upper":
        return Window(k, s, 0, 0, d, ceil_mode, "same_upper")
    return Window(k, s, 0, 0, d, ceil_mode, "same_lower")
