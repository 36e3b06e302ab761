"""What a black box that claims to be an operator is tried on, and what its verdict then rests on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod

from symconv.audits.reference import Reference, linear_in
from symconv.audits.trials import Shapes, Trial, basis, corners, generic, picks, picks_count
from symconv.operators.adaptive import AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.pooling import LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose

__all__ = ["TrialPlan", "planned"]


@dataclass(frozen=True)
class TrialPlan:
    """What is tried.

    Attributes:
        first: random cases, and for poolings those that they go wrong on.
        rest: what decides, on the conditions.
        total: how many calls all are.
        needed: how many the rest is, or would be.
        decides: whether the rest is there: it is left out where it would be too much.
        conditions: what the verdict "exact" rests on.
    """

    first: list[Trial]
    rest: Iterator[Trial]
    total: int
    needed: int
    decides: bool
    conditions: tuple[str, ...]


def planned(
    op: Operator, shapes: Shapes, reference: Reference, cases: int, most: int, seed: int, special: bool
) -> TrialPlan:
    """What an operator is tried on; the arguments are those of `certify`."""
    tried = f"which was tried on {cases} random cases"
    if isinstance(op, Conv | ConvTranspose):
        terms = prod(shapes.arguments.get("weight", (1,))[1:]) if isinstance(op, Conv) else prod(shapes.output[-1:])
        first = list(generic(shapes, cases, seed, terms))
        free = "weight" in shapes.arguments
        pairs = [("input", "weight") if free else ("input", "input")]
        pairs += [("bias", "bias")] if "bias" in shapes.arguments else []
        if shapes.gradients:
            pairs += [("upstream", "weight"), ("upstream", "input")] if free else [("upstream", "upstream")]
        rest, needed, decides = basis(shapes, pairs, most)
        words = "bilinear in the input and the weight" if free else "linear in the input"
        if "bias" in op.variables:
            words += ", plus its bias" if not free else ", plus what is linear in the bias"
        words += ", and its gradients in the two arrays that they are made of" if shapes.gradients and free else ""
        return TrialPlan(first, rest, len(first) + needed, needed, decides, (f"the function is {words}, {tried}",))
    ties = not isinstance(op, MaxPool | AdaptiveMaxPool) or op.ties in ("first", "split")
    first = list(generic(shapes, cases, seed, 1))
    if not ties:
        first = [replace(trial, upstream=None) for trial in first]
    first += corners(shapes, max(1, cases // 5), seed + 1, special=special, ties=ties)
    if isinstance(op, MaxPool | AdaptiveMaxPool):
        windows = reference.windows()
        needed = picks_count(shapes, windows, ties=ties)
        rest = picks(shapes, windows, seed + 2, ties=ties) if needed <= most else iter(())
        words = "the function is monotone and commutes with increasing maps of the entries"
        if shapes.gradients:
            words += ", and its gradient is linear and depends on which entries of a window are largest alone"
        return TrialPlan(first, rest, len(first) + needed, needed, needed <= most, (f"{words}, {tried}",))
    pairs = [("input", "input")] + ([("upstream", "upstream")] if shapes.gradients and linear_in(op) else [])
    rest, needed, decides = basis(shapes, pairs, most)
    further: tuple[str, ...] = ()
    words = "linear in the input"
    if isinstance(op, LPPool):
        words = f"the root of what is linear in the powers {op.norm_type} of the absolute entries"
        further = ("its gradient is right wherever it is on the random cases",) if shapes.gradients else ()
    elif shapes.gradients:
        words += ", and its gradient in that of the output"
    return TrialPlan(first, rest, len(first) + needed, needed, decides, (f"the function is {words}, {tried}", *further))
