"""The inverse of the size calculator: which options of a window take an axis from one size to another."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice, repeat

from symconv.doors import flag, plain_integer
from symconv.errors import ArgumentError
from symconv.operators.transposed import ConvTranspose
from symconv.operators.window import Window

__all__ = ["Setting", "Settings", "settings_for"]

MOST_COUNTED = 1_000
MOST_ASKED = 10_000  # dilations to look at, and settings to give back


@dataclass(frozen=True)
class Setting:
    """Options of a window that give a wanted output size.

    Attributes:
        stride, dilation: the stride and the dilation.
        padding: the least and the largest total padding (before and after together) that give it.
        inputs: the least and the largest input size with the same output, under the padding of `sides`.
        free_stride: whether every larger stride does as well.
        output_padding: for a transposed convolution.
    """

    stride: int
    dilation: int
    padding: tuple[int, int]
    inputs: tuple[int, int]
    free_stride: bool
    output_padding: int

    @property
    def sides(self) -> tuple[int, int]:
        """Padding before and after: the smallest equal on both sides where there is one, else the surplus after."""
        total = _total(*self.padding)
        return total // 2, total - total // 2


def _total(least: int, most: int) -> int:
    """The smallest even total padding, or the only one there is."""
    return min(least + least % 2, most)


@dataclass(frozen=True)
class Settings:
    """What `settings_for` found, smallest first.

    Attributes:
        found: the settings, by dilation, stride and padding, at most as many as were asked for.
        more: how many further ones there are within the bounds; counted up to 1,000.
        bounds: where was searched, in words.
    """

    found: tuple[Setting, ...]
    more: int
    bounds: str


def settings_for(
    input_size: int,
    output_size: int,
    kernel: int,
    *,
    stride: int | None = None,
    padding: int | None = None,
    dilation: int | None = None,
    ceil_mode: bool = False,
    transposed: bool = False,
    most_dilation: int = 8,
    limit: int = 20,
) -> Settings:
    """The strides, paddings and dilations that take an axis from one size to another.

    The search is by exact integer arithmetic: for a dilation, the strides that can do it form a range, and for a stride
    the total paddings do; every setting that is given back is confirmed by the operator's own size. It is bounded: at
    most ``D*(K - 1)`` zeros on either side, so that no window lies in the padding alone, and dilations up to
    `most_dilation`. Where no stride is too large, as for a single window, the smallest one stands for all of them, with
    the paddings that go with it. With `ceil_mode` only equal paddings on both sides are looked at. For a transposed
    convolution, output padding stays below the stride, and where some output padding goes with equal padding on both
    sides, the others are left out.

    Args:
        input_size, output_size, kernel: the sizes, at least 1.
        stride, padding, dilation: fixed where they are given; padding is that of either side.
        ceil_mode: for a pooling that rounds its number of outputs up.
        transposed: for a transposed convolution.
        most_dilation: the largest dilation to look at.
        limit: the largest number of settings to give back.

    Raises:
        ArgumentError: for a size below 1, or both `ceil_mode` and `transposed`.

    >>> settings_for(224, 112, 7, dilation=1).found[0]
    Setting(stride=2, dilation=1, padding=(5, 6), inputs=(223, 224), free_stride=False, output_padding=0)
    """
    n, out, kernel = (
        plain_integer(name, value, 1)
        for name, value in (("input_size", input_size), ("output_size", output_size), ("kernel", kernel))
    )
    stride = None if stride is None else plain_integer("stride", stride, 1)
    padding = None if padding is None else plain_integer("padding", padding, 0)
    dilation = None if dilation is None else plain_integer("dilation", dilation)
    most_dilation, limit = plain_integer("most_dilation", most_dilation, 1), plain_integer("limit", limit, 1)
    for name, bound in (("most_dilation", most_dilation), ("limit", limit)):
        if bound > MOST_ASKED:
            raise ArgumentError(name, bound, f"must be at most {MOST_ASKED:,}")
    flag("transposed", transposed)
    if flag("ceil_mode", ceil_mode) and transposed:
        raise ArgumentError("ceil_mode", True, "must not be given for a transposed convolution")
    # one tap has no dilation, so that all dilations are the same
    dilations = range(1, (1 if kernel == 1 else most_dilation) + 1) if dilation is None else (dilation,)
    kind = _Transposed if transposed else _RoundedUp if ceil_mode else _Windows
    axes = [kind(n, out, kernel, d, stride, padding) for d in dilations]
    walk = chain.from_iterable(axis.settings() for axis in axes)
    found = tuple(islice(walk, limit))
    more = sum(1 for _ in islice(walk, MOST_COUNTED))
    side = f"at most {'D*(K - 1)' if dilation is None else dilation * (kernel - 1)} zeros on either side"
    ranges = [side if padding is None else f"padding {padding} on either side"]
    ranges.append(f"dilations up to {dilations[-1]}" if dilation is None else f"dilation {dilation}")
    ranges.append("any stride" if stride is None else f"stride {stride}")
    if transposed:
        ranges += [
            "output padding below the stride",
            "a padding that differs between the sides only where none else does",
        ]
    return Settings(found, more, ", ".join(ranges))


@dataclass(frozen=True)
class _Axis:
    """What is looked for on one axis with one dilation."""

    n: int
    out: int
    kernel: int
    dilation: int
    stride: int | None
    padding: int | None

    @property
    def totals(self) -> tuple[int, int]:
        """The least and the largest total padding that are looked at."""
        most = 2 * self.dilation * (self.kernel - 1)
        return (0, most) if self.padding is None else (2 * self.padding, 2 * self.padding)

    @property
    def span(self) -> int:
        """From the first tap to the last."""
        span = Window(self.kernel, dilation=self.dilation).span.value
        assert span is not None
        return span

    def strides(self, first: int, last: int | None) -> Iterable[int]:
        """The strides of a range that are asked for; of a range without an end the first one."""
        if self.stride is None:
            return range(first, (first if last is None else last) + 1)
        return [self.stride] if first <= self.stride and (last is None or self.stride <= last) else []

    def settings(self) -> Iterator[Setting]:
        """The settings, by stride and padding."""
        raise NotImplementedError

    def size(self, n: int, stride: int, total: int, extra: int) -> int:
        """The output size that the operator itself says."""
        raise NotImplementedError

    def found(
        self, stride: int, padding: tuple[int, int], inputs: tuple[int, int], *, free: bool, extra: int = 0
    ) -> Setting:
        """A setting, held against the size of the operator; `free` where no stride is too large."""
        setting = Setting(stride, self.dilation, padding, inputs, free and self.stride is None, extra)
        for total in padding:
            assert self.size(self.n, stride, total, extra) == self.out, setting
        for n in inputs:
            assert self.size(n, stride, sum(setting.sides), extra) == self.out, setting
        return setting


class _Windows(_Axis):
    """Windows of a convolution or pooling: they start at 0, s, 2s, ... up to the room in the padded input."""

    def settings(self) -> Iterator[Setting]:
        low, high = self.totals
        beyond = self.n - self.span
        least, most = max(beyond + low, 0), beyond + high  # of the room
        if most < 0:
            return
        single = self.out == 1
        for s in self.strides(least // self.out + 1, None if single else most // (self.out - 1)):
            begin, end = max((self.out - 1) * s, least), min(self.out * s - 1, most)
            totals = begin - beyond, end - beyond
            rest = self.span - _total(*totals)
            yield self.found(s, totals, (max((self.out - 1) * s + rest, 1), self.out * s - 1 + rest), free=single)

    def size(self, n: int, stride: int, total: int, extra: int) -> int:
        return int(Window(self.kernel, stride, total, dilation=self.dilation).output_size(n))


class _RoundedUp(_Axis):
    """Windows of a pooling that rounds up, with as many zeros before the input as after it.

    There are ``ceil(room/s) + 1`` windows, or the ``ceil((n + p)/s)`` that start before the end of the input. So there
    are as many as wanted where ``s*(out - 2) < room`` and ``s*(out - 1) < n + p``, and where ``room <= s*(out - 1)`` or
    ``n + p <= s*out``.
    """

    def settings(self) -> Iterator[Setting]:
        low, high = self.totals
        sides = [p for p in range(low // 2, high // 2 + 1) if self.out == 1 or self._room(p) > 0]
        for s, p in heapq.merge(*(zip(self.strides(*self._limits(p)), repeat(p)) for p in sides)):
            rest = self.span - 2 * p
            inputs = (
                max((self.out - 2) * s + 1 + rest, (self.out - 1) * s + 1 - p, 1),
                max((self.out - 1) * s + rest, self.out * s - p),
            )
            yield self.found(s, (2 * p, 2 * p), inputs, free=self.out == 1)

    def _room(self, p: int) -> int:
        return self.n + 2 * p - self.span

    def _limits(self, p: int) -> tuple[int, int | None]:
        """The least and the largest stride, where there is one, with so many zeros on either side."""
        room, end = self._room(p), self.n + p
        if self.out == 1:
            return (end if room > 0 else 1 - room), None
        first = min(_up(room, self.out - 1), _up(end, self.out))
        last = (end - 1) // (self.out - 1)
        return first, last if self.out == 2 else min(last, (room - 1) // (self.out - 2))

    def size(self, n: int, stride: int, total: int, extra: int) -> int:
        return int(Window(self.kernel, stride, total // 2, total // 2, self.dilation, ceil_mode=True).output_size(n))


class _Transposed(_Axis):
    """A transposed convolution: its size ``s*(n - 1) + span - total + extra`` is linear in all that is sought."""

    def settings(self) -> Iterator[Setting]:
        low, high = self.totals
        beyond = self.out - self.span
        first = max(_up(beyond + low + 1, self.n), 1)  # with an output padding of s - 1
        single = self.n == 1
        for s in self.strides(first, None if single else (beyond + high) // (self.n - 1)):
            surplus = s * (self.n - 1) - beyond
            totals = range(max(low, surplus), min(high, surplus + s - 1) + 1)
            equal = [total for total in totals if total % 2 == 0]
            for total in equal or totals:  # a padding that differs between the sides only where it must
                yield self.found(s, (total, total), (self.n, self.n), free=single, extra=total - surplus)

    def size(self, n: int, stride: int, total: int, extra: int) -> int:
        sides = ((total // 2, total - total // 2),)
        return int(ConvTranspose((self.kernel,), stride, sides, extra, self.dilation).output_size(n)[0])


def _up(numerator: int, denominator: int) -> int:
    """A quotient, rounded up."""
    return -(-numerator // denominator)
