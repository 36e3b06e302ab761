"""The size calculator: an output size with the formula behind it.

The formula is the one that the operator itself has for its size; nothing of it is typed here again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from symconv.doors import instance, items, plain_integer
from symconv.errors import NotSupportedError, SizeLimitError
from symconv.formulas.index import Index
from symconv.formulas.printing import UNICODE, PrintContext
from symconv.operators.adaptive import AdaptivePooling
from symconv.operators.base import Operator
from symconv.operators.networks.reading import unread_positions
from symconv.operators.transposed import ConvTranspose

__all__ = ["AxisSize", "size_report"]

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
        NotSupportedError: for an operator without windows.

    >>> from symconv.operators.convolution import Conv
    >>> (axis,) = size_report(Conv((7,), stride=2, padding=3), (224,))
    >>> print(axis.formula, "=", axis.numbers, "=", axis.output)
    ⌊(I + 2P − K)/S⌋ + 1 = ⌊(224 + 2·3 − 7)/2⌋ + 1 = 112
    """
    instance("op", op, Operator, "must be an operator, such as Conv(3)")
    sizes = tuple(plain_integer("input_size", n) for n in items(input_size) or (input_size,))
    outputs = op.output_size(sizes)
    if not op.windows and not isinstance(op, AdaptivePooling):
        raise NotSupportedError(f"{op!r} has no windows whose places are counted; its output_size is {outputs}")
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
    for option, letter, neutral in (("stride", "S", 1), ("dilation", "D", 1), ("output_padding", "R", 0)):
        if option in options and options[option][axis] != neutral:
            letters[letter] = options[option][axis]
    padding = options.get("padding", "valid")
    if not isinstance(padding, str):
        start, end = padding[axis]
        if start != end:
            letters |= {"B": start, "E": end}
        elif start:
            letters["P"] = start
    if padding in ("same_upper", "same_lower") and isinstance(op, ConvTranspose):
        letters = {"I": n}  # the rule needs numbers
    return letters


def _symbolic(op: Operator, axis: int, letters: dict[str, int]) -> Operator:
    """The operator on one axis alone, with symbols for the options that have a letter."""
    from sympy import Symbol

    options = op.options()
    one: dict[str, Any] = {}
    for option, letter in (
        ("kernel_size", "K"), ("stride", "S"), ("dilation", "D"), ("output_padding", "R"), ("output_size", "O")
    ):  # fmt: skip
        if option in options:
            one[option] = (Symbol(letter, integer=True) if letter in letters else options[option][axis],)
    if not isinstance(options.get("padding", ""), str):
        sides = "PP" if "P" in letters else "BE" if "B" in letters else ""
        one["padding"] = (tuple(Symbol(side, integer=True) for side in sides) or (0, 0),)
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
