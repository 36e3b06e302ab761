"""The subdifferential of a maximum: convex hull of the unit vectors of its maximal taps, by induction over the taps."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from symconv.derivations.theorems.building import V, at, every
from symconv.derivations.theorems.deciding import all_of
from symconv.derivations.theorems.folds import ByTaps
from symconv.derivations.theorems.instances import BothWays, Instance
from symconv.derivations.theorems.proposition import (
    AnyInteger,
    AnyTensor,
    Every,
    Iff,
    Proposition,
    Relation,
    chain,
    same,
)
from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.derivations.theorems.ties import BOUND, POSITIVE, N, inequality, largest, taps_of, total, window
from symconv.formulas.algebra import ONE, ZERO, Bracket, Node, add, const, equal, product

if TYPE_CHECKING:
    from symconv.proofs.verdict import Verdict

__all__ = ["THEOREMS", "convex_hull", "set_sum"]

W, X = at("w", "k"), at("x", "k")
MINUS = const(-1)
TAPS = (AnyInteger("k", V(0), N - 1),)


def _hull(*, maximal: bool = True, least: int = 0, whole: int = 1) -> Proposition:
    """Shares that are not negative, sum to 1 and go to maximal taps are the subgradients, and there are no others."""
    below = product(W, add(largest("x"), product(MINUS, X)))
    conditions: list[Relation] = [chain(W, ">=", const(least))]
    if maximal:
        conditions.append(same(below, ZERO))
    shares = (Every(TAPS, (), tuple(conditions)), same(total(W), const(whole)))
    slopes = Every((), (AnyTensor("y", (taps_of(),)),), (inequality(W),))
    return replace(window("w", "x"), clauses=(every([], Iff(shares, (slopes,))),))


def _other(step: Node, bound: Node) -> Instance:
    """Another array y: x with a step at place t, whose largest entry is at most a bound."""
    return Instance("y", "t", add(at("x", "t"), step), bound)


HERE = Bracket((equal("t", "i"),))
# The inequality at three choices of y: one less at one tap; one more, and one less, everywhere; and one tap raised to
# the maximum. They force that a share is not negative, that the shares sum to 1, and that one below the maximum is 0.
CHOICES = (
    _other(product(MINUS, HERE), largest("x")),
    _other(ONE, add(largest("x"), ONE)),
    _other(MINUS, add(largest("x"), MINUS)),
    _other(product(add(largest("x"), product(MINUS, at("x", "i"))), HERE), largest("x")),
)
HULL = BothWays(ByTaps((POSITIVE, BOUND)), CHOICES, "i")


def _added(*, nonnegative: bool = True) -> Proposition:
    """A sum of one subgradient of every output, by upstream gradients that are not negative, is one of the error.

    y[k] and x[k] are the maximum of an output at another and at this input, s[k] what a subgradient says of them.
    """
    g, x, y, s = (at(letter, "k") for letter in "gxys")
    given: list[Relation] = [chain(y, ">=", add(x, s))]
    if nonnegative:
        given.insert(0, chain(g, ">=", ZERO))
    sums = chain(total(g, y), ">=", add(total(g, x), total(g, s)))
    return replace(window(*"gxys"), given=(Every(TAPS, (), tuple(given)),), clauses=(every([], sums),))


@lru_cache(maxsize=1)
def convex_hull() -> Verdict:
    """That the theorem on the subdifferential of a maximum holds."""
    return THEOREMS[0].verdict


@lru_cache(maxsize=1)
def set_sum() -> Verdict:
    """That a sum of subgradients of outputs is one of the error, and what they are."""
    return all_of((convex_hull(), THEOREMS[1].verdict))


THEOREMS = (
    Theorem(
        "subdifferential",
        "The subgradients of a maximum are the shares of its maximal taps",
        "Rockafellar, Convex Analysis, section 23",
        (Check("both directions", _hull(), proof=HULL),),
        (
            Check("a share for a tap that is not maximal", _hull(maximal=False), proof=HULL),
            Check("a negative share", _hull(maximal=False, least=-1), proof=HULL),
            Check("shares of another sum", _hull(whole=2), proof=HULL),
        ),
    ),
    Theorem(
        "subgradient-sum",
        "By upstream gradients that are not negative, subgradients of outputs add up to one of the error",
        "Rockafellar, Convex Analysis, theorem 23.8, the direction that is elementary",
        (Check("induction over the outputs", _added(), proof=ByTaps(itself=True)),),
        (Check("any upstream gradients", _added(nonnegative=False), proof=ByTaps(itself=True)),),
    ),
)
