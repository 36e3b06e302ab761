"""The size calculator: an output size with the formula behind it, and its inverse.

The formula is the one that the operator itself has for its size; nothing of it is typed here again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from symconv.doors import instance, items, plain_integer
from symconv.errors import ArgumentError, GeometryError, SizeLimitError
from symconv.formulas.index import Index
from symconv.formulas.printing import UNICODE, PrintContext
from symconv.operators.base import Operator
from symconv.operators.networks.reading import unread_positions
from symconv.operators.options import integer
from symconv.operators.transposed import ConvTranspose
from symconv.operators.window import Window

__all__ = ["AxisSize", "Setting", "Settings", "settings_for", "size_report"]

MOST_COUNTED = 1_000
_ORDER = PrintContext({letter: place for place, letter in enumerate("IBE")})


@dataclass(frozen=True)
class AxisSize:
    """The output size of one axis, and how it comes about.

    Attributes:
        input, output: the sizes.
        formula: the size formula in letters: I input, K kernel, S stride, P padding (B before and E after where they
            differ), D dilation, A output padding. An option that changes nothing is left out.
        numbers: the same with the numbers put in.
        unread: the input positions that no output reads, as ranges ``(first, last)`` counted from 0; None for an axis
            that is too long to go through.
    """

    input: int
    output: int
    formula: str
    numbers: str
    unread: tuple[tuple[int, int], ...] | None

    @property
    def dropped(self) -> int | None:
        """How many input positions no output reads; None where they were not gone through."""
        return None if self.unread is None else sum(last - first + 1 for first, last in self.unread)


def size_report(op: Operator, input_size: Sequence[int]) -> tuple[AxisSize, ...]:
    """The output size of an operator with numbers for its options, axis by axis.

    Args:
        op: the operator.
        input_size: the input size of every spatial axis.

    Raises:
        GeometryError: where no window fits.

    >>> from symconv.operators.convolution import Conv
    >>> (axis,) = size_report(Conv((7,), stride=2, padding=3), (224,))
    >>> print(axis.formula, "=", axis.numbers, "=", axis.output)
    ⌊(I + 2P − K)/S⌋ + 1 = ⌊(224 + 2·3 − 7)/2⌋ + 1 = 112
    """
    instance("op", op, Operator, "must be an operator, such as Conv(3)")
    sizes = tuple(plain_integer("input_size", n, 1) for n in items(input_size) or (input_size,))
    outputs = op.output_size(sizes)
    result = []
    for axis, (n, size) in enumerate(zip(sizes, outputs, strict=True)):
        letters = _letters(op, axis, n)
        formula = UNICODE.index(_symbolic(op, axis, letters).count(0, Index.of("I")), _ORDER)
        try:
            unread = unread_positions(op, axis, n)
        except SizeLimitError:
            unread = None
        result.append(AxisSize(n, size, formula, _with_numbers(formula, letters), unread))
    return tuple(result)


def _letters(op: Operator, axis: int, n: int) -> dict[str, int]:
    """The number behind every letter that the formula of an axis needs; options that change nothing have none."""
    options: Any = op.options()
    letters = {"I": n}
    for option, letter in (("kernel_size", "K"), ("output_size", "O")):
        if option in options:
            letters[letter] = options[option][axis]
    for option, letter, neutral in (("stride", "S", 1), ("dilation", "D", 1), ("output_padding", "A", 0)):
        if option in options and options[option][axis] != neutral:
            letters[letter] = options[option][axis]
    padding = options.get("padding", "valid")
    if not isinstance(padding, str):
        before, after = padding[axis]
        if before == after and before:
            letters["P"] = before
        elif before != after:
            letters |= {"B": before, "E": after}
    if padding in ("same_upper", "same_lower") and isinstance(op, ConvTranspose):
        letters = {"I": n}  # the rule needs numbers
    return letters


def _symbolic(op: Operator, axis: int, letters: dict[str, int]) -> Operator:
    """The operator on one axis alone, with symbols for the options that have a letter."""
    from sympy import Symbol

    options = op.options()
    one: dict[str, Any] = {"ndim": 1}
    for option, letter in (
        ("kernel_size", "K"), ("stride", "S"), ("dilation", "D"), ("output_padding", "A"), ("output_size", "O")
    ):  # fmt: skip
        if option in options:
            value = options[option][axis]
            one[option] = (Symbol(letter, integer=True, positive=True) if letter in letters else value,)
    if not isinstance(options.get("padding", ""), str):
        before, after = options["padding"][axis]
        sides = ("P", "P") if "P" in letters else ("B", "E") if "B" in letters else None
        one["padding"] = ((before, after) if sides is None else tuple(Symbol(side, integer=True) for side in sides),)
    for option in ("in_channels", "out_channels", "groups"):
        if option in options:
            one[option] = 1
    return type(op)(**{**options, **one})


def _with_numbers(formula: str, letters: dict[str, int]) -> str:
    """A formula with its letters replaced by numbers, and a sign wherever a product has become two numbers."""
    text = ""
    for part in re.findall(r"[a-z]+|[A-Z]|\d+|.", formula):
        shown = part
        if part in letters:
            shown = str(letters[part]) if letters[part] >= 0 else f"(−{-letters[part]})"
        factor = part in letters or part == "("
        if factor and re.search(r"[\d)]$", text):
            shown = "·" + shown
        text += shown
    return text


# ------------------------------------------------------------------ the inverse


@dataclass(frozen=True)
class Setting:
    """Options of a window that give a wanted output size.

    Attributes:
        stride, dilation: the stride and the dilation.
        padding: the least and the largest total padding (before and after together) that give it.
        inputs: the least and the largest input size with the same output, under the padding of `sides`.
        free_stride: whether every larger stride does as well (with a single output).
        output_padding: for a transposed convolution.
    """

    stride: int
    dilation: int
    padding: tuple[int, int]
    inputs: tuple[int, int]
    free_stride: bool = False
    output_padding: int = 0

    @property
    def sides(self) -> tuple[int, int]:
        """Padding before and after: the smallest equal on both sides where there is one, else the surplus after."""
        total = _total(*self.padding)
        return total // 2, total - total // 2


def _total(low: int, high: int) -> int:
    """The smallest even total padding, or the only one there is."""
    return low if low % 2 == 0 or low == high else low + 1


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
    `most_dilation`. For a transposed convolution, output padding stays below the stride, and where some output padding
    goes with equal padding on both sides, the others are left out.

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
    for name, value in (("input_size", input_size), ("output_size", output_size), ("kernel", kernel)):
        if not isinstance(integer(name, value, 1), int):
            raise ArgumentError(name, value, "must be a number")
    for name, fixed, least in (("stride", stride, 1), ("padding", padding, 0), ("dilation", dilation, 1)):
        if fixed is not None:
            integer(name, fixed, least)
    if ceil_mode and transposed:
        raise ArgumentError("ceil_mode", True, "must not be given for a transposed convolution")
    search = _Search(input_size, output_size, kernel, stride, padding, ceil_mode)
    # one tap has no dilation, so that all dilations are the same
    dilations = range(1, (1 if kernel == 1 else most_dilation) + 1) if dilation is None else (dilation,)
    walk = search.transposed(dilations) if transposed else search.windows(dilations)
    found = tuple(islice(walk, limit))
    more = sum(1 for _ in islice(walk, MOST_COUNTED))
    for setting in found:
        search.confirm(setting, transposed)
    side = f"at most {'D*(K - 1)' if dilation is None else dilation * (kernel - 1)} zeros on either side"
    fixed_padding = f"padding {padding} on either side"
    ranges = [side if padding is None else fixed_padding]
    ranges.append(f"dilations up to {dilations[-1]}" if dilation is None else f"dilation {dilation}")
    ranges.append("any stride" if stride is None else f"stride {stride}")
    if transposed:
        ranges += [
            "output padding below the stride",
            "a padding that differs between the sides only where none else does",
        ]
    return Settings(found, more, ", ".join(ranges))


@dataclass(frozen=True)
class _Search:
    """A search on one axis."""

    n: int
    out: int
    kernel: int
    stride: int | None
    padding: int | None
    ceil_mode: bool

    def _totals(self, dilation: int) -> tuple[int, int]:
        """The least and the largest total padding that are looked at."""
        most = 2 * dilation * (self.kernel - 1)
        return (0, most) if self.padding is None else (2 * self.padding, 2 * self.padding)

    def _room(self, dilation: int, total: int) -> int:
        """Where the last window may start in the padded input."""
        room = Window(self.kernel, 1, 0, total, dilation).room(self.n).value
        assert room is not None
        return room

    def windows(self, dilations: Sequence[int]) -> Iterator[Setting]:
        """Settings of a convolution or pooling: ``out`` windows start at 0, s, 2s, ... up to the room."""
        for d in dilations:
            low, high = self._totals(d)
            least, most = max(self._room(d, low), 0), self._room(d, high)
            if most < 0:
                continue
            if self.ceil_mode:
                yield from self._rounded_up(d, low, high)
            elif self.out == 1:
                first = max(least + 1, 1) if self.stride is None else self.stride
                total = least - self._room(d, 0)
                last = min(high, total + first - 1 - least)
                if first > least:
                    yield Setting(first, d, (total, last), self._inputs(first, (total, last), d), self.stride is None)
            else:
                strides = range(least // self.out + 1, most // (self.out - 1) + 1)
                for s in strides if self.stride is None else [self.stride] if self.stride in strides else []:
                    begin, end = max((self.out - 1) * s, least), min(self.out * s - 1, most)
                    if begin <= end:
                        totals = begin - self._room(d, 0), end - self._room(d, 0)
                        yield Setting(s, d, totals, self._inputs(s, totals, d))

    def _inputs(self, s: int, totals: tuple[int, int], d: int) -> tuple[int, int]:
        """The input sizes with the same number of outputs: the room lies from ``(out-1)*s`` to ``out*s - 1``."""
        beyond = self.n - self._room(d, _total(*totals))
        return max((self.out - 1) * s + beyond, 1), self.out * s - 1 + beyond

    def _rounded_up(self, d: int, low: int, high: int) -> Iterator[Setting]:
        """With ceil_mode settings are tried one by one: the rule for the last window follows no simple range.

        There are ``ceil(room/s) + 1`` windows, or the ``ceil((n + p)/s)`` that start before the end of the input.
        """
        sides = range(low // 2, high // 2 + 1)
        if self.out == 1:
            for p in sides:
                room = self._room(d, 2 * p)
                first = 1 if room == 0 else self.n + p
                if room >= 0 and (self.stride is None or self.stride >= first):
                    s = first if self.stride is None else self.stride
                    yield Setting(s, d, (2 * p, 2 * p), (self.n, self.n), self.stride is None)
            return
        most = self._room(d, high)
        last = (most - 1) // (self.out - 2) if self.out > 2 else self.n + high
        least = min(max(self._room(d, low), 0), self.n + low // 2)
        strides = range(max(-(-least // self.out), 1), max(last, 0) + 1)
        for s in strides if self.stride is None else [self.stride] if self.stride in strides else []:
            for p in sides:
                if self._pooled(s, p, d) == self.out:
                    yield Setting(s, d, (2 * p, 2 * p), (self.n, self.n))

    def _pooled(self, s: int, p: int, d: int) -> int | None:
        try:
            return int(Window(self.kernel, s, p, p, d, ceil_mode=True).output_size(self.n))
        except GeometryError:
            return None

    def transposed(self, dilations: Sequence[int]) -> Iterator[Setting]:
        """Settings of a transposed convolution, whose size is linear in all that is sought."""
        for d in dilations:
            low, high = self._totals(d)
            one = int(ConvTranspose((self.kernel,), dilation=d).output_size(1)[0])
            first = max(-(-(self.out - one + low + 1) // self.n), 1)  # with an output padding of s - 1
            last = first if self.n == 1 else (self.out - one + high) // (self.n - 1)
            for s in range(first, last + 1) if self.stride is None else (self.stride,):
                surplus = int(ConvTranspose((self.kernel,), s, dilation=d).output_size(self.n)[0]) - self.out
                extras = range(max(low - surplus, 0), min(s - 1, high - surplus) + 1)
                equal = [extra for extra in extras if (surplus + extra) % 2 == 0]
                for extra in equal or extras[:1]:  # a padding that differs between the sides only where it must
                    totals = (surplus + extra, surplus + extra)
                    yield Setting(s, d, totals, (self.n, self.n), output_padding=extra)

    def confirm(self, setting: Setting, transposed: bool) -> None:
        """Hold a setting against the size of the operator itself."""
        for total in setting.padding:
            sides = ((total // 2, total - total // 2),)
            op: Operator
            if transposed:
                op = ConvTranspose((self.kernel,), setting.stride, sides, setting.output_padding, setting.dilation)
                sizes = [int(op.output_size(self.n)[0])]
            else:
                w = Window(self.kernel, setting.stride, *sides[0], setting.dilation, self.ceil_mode)
                ends = setting.inputs if total == sum(setting.sides) else (self.n,)
                sizes = [int(w.output_size(n)) for n in (self.n, *ends)]
            assert all(size == self.out for size in sizes), setting
