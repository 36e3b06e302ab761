"""What a search may cost, counted in products and never in seconds, so that what is found depends on no clock."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Allowance"]


class Allowance:
    """What is left to spend.

    Attributes:
        spent, most: multiplications; a step costs at least `FLOOR`, its own overhead, and `CHECK`
            where an operator is compiled.
        cut: whether there was more to look at.
    """

    FLOOR, CHECK = 200_000, 10_000_000
    LITTLE = 100_000_000

    def __init__(self, most: int, progress: Callable[[float], None] | None = None) -> None:
        self.spent, self.most, self.cut = 0, most, False
        self._progress = progress

    def spend(self, products: int) -> bool:
        """Whether a step of so many products is still to be made; it is then counted."""
        if self.spent >= self.most:
            self.cut = True
            return False
        self.spent += max(products, self.FLOOR)
        if self._progress is not None:
            self._progress(min(1.0, self.spent / self.most))
        return True

    def settle(self) -> None:
        """Something was found: as much again may still be spent on what the data do not tell from it, and a little."""
        self.most = min(self.most, 2 * self.spent + self.LITTLE)
