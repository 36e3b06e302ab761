"""A window that is dead after a ReLU: nothing comes back to its entries, whatever the rule for ties."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from symconv.derivations.theorems.building import at, every
from symconv.derivations.theorems.folds import ByTaps
from symconv.derivations.theorems.proposition import Let, Proposition, chain, same
from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.derivations.theorems.ties import largest, taps_of, window
from symconv.formulas.algebra import ZERO, Compare, product

__all__ = ["THEOREMS"]


def _dead(slope: Literal[">", ">="] = ">", *, dead: bool = True) -> Proposition:
    """x goes into the ReLU, w are any shares of its outputs, v is what comes back: shares times the ReLU's slopes.

    The largest output is 0 where no entry is above 0. The slope at 0 is 0 (policy "zero"), or 1 with `slope` ">=".
    """
    comes_back = Let("v", ("k",), product(at("w", "k"), Compare(at("x", "k"), slope, ZERO)))
    return replace(
        window("w", "x"),
        given=(chain(largest("x"), "<=", ZERO),) if dead else (),
        lets=(comes_back,),
        clauses=(every([taps_of()], same(at("v", "k"), ZERO)),),
    )


THEOREMS = (
    Theorem(
        "dead-windows",
        "Through a ReLU with slope 0 at 0, a window without an entry above 0 passes nothing back, whatever the shares",
        "Elementary: the chain rule for a max pooling after a ReLU",
        (Check("any shares of any number of taps", _dead(), proof=ByTaps()),),
        (
            Check("slope 1 at 0", _dead(">="), proof=ByTaps()),
            Check("a window that is alive", _dead(dead=False), proof=ByTaps()),
        ),
    ),
)
