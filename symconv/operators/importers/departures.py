"""Where PyTorch's layers depart from the operators that they are read as, in words."""

from __future__ import annotations

from collections.abc import Sequence

from symconv.operators.base import Operator
from symconv.operators.importers.imported import sizes_of
from symconv.operators.pooling import LPPool, MaxPool

__all__ = ["as_stated", "dead_windows", "lp_gradients", "lp_values", "overlaps"]

MOST_STARTS = 10_000  # of windows that are looked at


def as_stated(op: Operator, sizes: Sequence[int] | None = None) -> tuple[str, ...]:
    """PyTorch computes what the operator says."""
    del op, sizes
    return ()


def lp_values(op: Operator) -> tuple[str, ...]:
    assert isinstance(op, LPPool)
    notes = []
    if op.norm_type != float("inf") and not (isinstance(op.norm_type, int) and op.norm_type % 2 == 0):
        notes.append(
            f"PyTorch's LPPool takes no absolute value: for norm_type={op.norm_type} it agrees with LPPool here "
            "where no input is negative (for every even integer and for infinity it always does)"
        )
    if op.ceil_mode and op.norm_type != float("inf"):
        notes.append(
            "PyTorch's LPPool is an average times the window size: under ceil_mode=True the sum of a window that "
            "reaches over the end is scaled by its number of taps over those inside, and LPPool here does not scale it"
        )
    return tuple(notes)


def overlaps(op: Operator) -> tuple[str, ...]:
    note = "where windows overlap two entries can have one position: PyTorch keeps one of them, and MaxUnpool adds them"
    return (note,) if any(window.stride < window.kernel for window in op.windows) else ()


def lp_gradients(op: Operator, sizes: Sequence[int] | None) -> tuple[str, ...]:
    del sizes
    assert isinstance(op, LPPool)
    note = (
        "under norm_type=1 the derivative of PyTorch's LPPool at an entry 0 is 1, that of x; here it is 0, that of |x|"
    )
    return (note,) if op.norm_type == 1 else ()


def dead_windows(op: Operator, sizes: Sequence[int] | None) -> tuple[str, ...]:
    """A max pooling of which a window has no tap on the input: on one of these sizes, or, without them, of any."""
    assert isinstance(op, MaxPool)
    known = None if sizes is None else sizes_of("input_size", sizes)
    for axis, window in enumerate(op.windows):
        kernel, stride, before, step = (int(n) for n in (window.kernel, window.stride, window.before, window.dilation))
        shortest = max(step * (kernel - 1) + 1 - 2 * before - (stride - 1 if op.ceil_mode else 0), 1)
        n = known[axis] if known is not None and len(known) == len(op.windows) else shortest
        starts = range(-before, 0, stride)[: min(step, MOST_STARTS)]
        if any(start % step >= n for start in starts):  # the first tap that is not before the input
            return (
                "PyTorch hands the gradient of a max window that lies wholly in the padding to an entry elsewhere, or "
                "writes it outside of the array; here it goes nowhere",
            )
    return ()
