"""What an answer may cost, counted in steps and never in seconds: the same on every machine, however busy it is."""

from __future__ import annotations

__all__ = ["STEPS", "Effort", "OutOfEffort"]

STEPS = 9_000_000
"""What one question may cost unless said: about three seconds."""


class OutOfEffort(Exception):  # noqa: N818  (an outcome, not a failure of the program)
    """The steps that were allowed have been taken."""


class Effort:
    """Steps that may still be taken; every loop that may run long says what it is about to take.

    One step is a resource unit of z3, a third of a microsecond where these lines were written; what else is counted is
    weighed against it there. A part is spent along with the whole that it is taken from.

    Args:
        steps: how many steps may be taken.
        whole: the effort that this is a part of.

    >>> whole = Effort(100)
    >>> part = whole.part(1, 4)
    >>> part.spend(20)
    >>> part.left, whole.left
    (5, 80)
    """

    __slots__ = ("_left", "_whole", "limit")

    def __init__(self, steps: int = STEPS, whole: Effort | None = None) -> None:
        self.limit = self._left = steps
        self._whole = whole

    @property
    def left(self) -> int:
        """How many steps may still be taken, here and in every whole that this is a part of; never negative."""
        mine = max(0, self._left)
        return mine if self._whole is None else min(mine, self._whole.left)

    def part(self, share: int = 1, of: int = 1) -> Effort:
        """``share/of`` of what is left, so that a stage leaves something to the next one."""
        return Effort(self.left * share // of, self)

    def spend(self, steps: int) -> None:
        """Take steps.

        Raises:
            OutOfEffort: where there are not that many left, here or in a whole that this is a part of.
        """
        at: Effort | None = self
        out = False
        while at is not None:
            at._left -= steps
            out = out or at._left < 0
            at = at._whole
        if out:
            raise OutOfEffort
