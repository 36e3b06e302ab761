"""What `diagnose` says: an operator, how it was applied, and how well it explains an output."""

from __future__ import annotations

from dataclasses import dataclass, field

from symconv.audits.reading import Array
from symconv.operators.base import Operator

__all__ = ["Difference", "Explanation", "Probe"]


@dataclass(frozen=True)
class Difference:
    """One entry of an array that is not what it should be.

    Attributes:
        index: its place, 0-based, in the array as it was given.
        given: what is there.
        due: what the operator gives.
    """

    index: tuple[int, ...]
    given: float | int
    due: float | int

    def __str__(self) -> str:
        return f"entry {list(self.index)} is {self.given} and should be {self.due}"


@dataclass(frozen=True)
class Probe:
    """The smallest further input that tells two explanations apart; a filter, where there is one, counts up from 1.

    Attributes:
        words: the input in words.
        x: the input.
        weight: the filter; None for poolings.
        outputs: what the first and the second explanation make of it.
    """

    words: str
    x: Array = field(compare=False)
    weight: Array | None = field(compare=False)
    outputs: tuple[Array, Array] = field(compare=False)

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class Explanation:
    """One way in which an output may have been made.

    Attributes:
        operator: the operator, with its options.
        layout: how the arrays were read, and what was turned, exchanged or shuffled, in words.
        reproduce: the line of Python that makes the output, of ``x``, ``weight``, ``np`` and ``sc``.
        fits: whether every entry is what the operator gives: equal, or within the bound of rounding errors.
        exact: whether every entry is equal.
        error: the largest difference between an entry and what the operator gives; 0 where it is exact.
        bias: the bias that was found, (O,); None for none.
        differences: the entries that are off by more than rounding allows, at most `MOST` of them.
        off: how many these are in all.
        bound: the largest rounding error that the type of the arrays allows; 0 for integers.
        gradients: for every gradient that was given, what is wrong with it; empty where it is right.
        probe: for one that fits and is not the first: the smallest further input that tells it from the first; None
            where none of those that were tried does, and for the first.
        notes: what these data leave open.
        cost: how unusual it is: explanations that fit are ranked by it.
    """

    MOST = 20

    operator: Operator
    layout: str
    reproduce: str
    fits: bool
    exact: bool
    error: float
    bias: Array | None = field(default=None, compare=False)
    differences: tuple[Difference, ...] = ()
    off: int = 0
    bound: float = 0.0
    gradients: dict[str, str] = field(default_factory=dict, hash=False)
    probe: Probe | None = field(default=None, compare=False)
    notes: tuple[str, ...] = ()
    cost: float = 0.0

    def __str__(self) -> str:
        lines = [repr(self.operator), f"  {self.layout}", f"  {self.reproduce}"]
        if self.exact:
            lines.append("  every entry is equal")
        elif self.fits:
            lines.append(f"  every entry is equal up to rounding (off by {self.error:.3g}, allowed {self.bound:.3g})")
        else:
            lines.append(f"  {self.off} {'entry is' if self.off == 1 else 'entries are'} not what this gives:")
            lines += [f"    {difference}" for difference in self.differences]
            if self.off > len(self.differences):
                lines.append(f"    and {self.off - len(self.differences)} more")
        for part, wrong in self.gradients.items():
            lines.append(f"  the gradient of the {part} is {wrong or 'right'}")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])
