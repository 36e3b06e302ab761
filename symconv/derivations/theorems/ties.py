"""The shares of a maximum among its taps: they sum to 1, select the maximum, and give a subgradient.

The taps x[0], ..., x[n - 1] of a window are taken in row-major order, n any number. Policy "first": a tap has a share
where it is larger than every tap before it and no smaller than any behind it; "split": one over the number of maxima.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from symconv.derivations.theorems.building import V, at, every, integers
from symconv.derivations.theorems.folds import ByTaps
from symconv.derivations.theorems.proposition import (
    AnyInteger,
    AnyTensor,
    Every,
    Let,
    Proposition,
    Relation,
    chain,
    same,
)
from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.formulas.algebra import ONE, ZERO, Bound, Compare, Node, Power, Reduce, add, const, product, summation
from symconv.formulas.index import IndexLike

__all__ = ["THEOREMS", "largest", "taps_of", "total"]

Strictness = Literal[">", ">="]
N = V("n")


def taps_of(name: str = "k") -> Bound:
    """The taps of a window of any number n of them."""
    return Bound(name, V(0), N - 1)


def largest(letter: str, name: str = "l", lower: IndexLike = 0, upper: IndexLike = N - 1) -> Reduce:
    """The largest tap of a window, or of a part of it."""
    return Reduce("max", (Bound(name, V(lower), V(upper)),), (), at(letter, name))


def total(*factors: Node, name: str = "k") -> Node:
    """The sum of a product over all taps."""
    return summation(product(*factors), taps_of(name))


def window(*letters: str) -> Proposition:
    """Windows with the same number of taps, any real entries."""
    return Proposition(integers({"n": 1}), (), arrays=tuple(AnyTensor(letter, (taps_of(),)) for letter in letters))


# ---------------------------------------------------------------------- the two policies


def _first(before: Strictness = ">", behind: Strictness = ">=") -> Let:
    """The share of a tap: 1 where it is the first of the largest."""
    k = V("k")
    wins = Compare(at("x", "k"), before, largest("x", "l", 0, k - 1))
    stays = Compare(at("x", "k"), behind, largest("x", "l", k + 1, N - 1))
    return Let("w", ("k",), product(wins, stays))


MAXIMAL = Compare(at("x", "k"), ">=", largest("x"))


def _split(*, shared: bool = True) -> Let:
    """The share of a tap: one over the number of the largest, where it is one of them."""
    count = summation(Compare(at("x", "l"), ">=", largest("x", "j")), taps_of("l"))
    return Let("w", ("k",), product(MAXIMAL, Power(count, const(-1))) if shared else MAXIMAL)


def _sums(weights: Let) -> Proposition:
    return replace(window("x"), lets=(weights,), clauses=(every([], same(total(at("w", "k")), ONE)),))


def _selects(weights: Let, times: int = 1) -> Proposition:
    chosen = product(const(times), total(at("w", "k"), at("x", "k")))
    return replace(window("x"), lets=(weights,), clauses=(every([], same(chosen, largest("x"))),))


SOME: Relation = chain(total(MAXIMAL), ">=", ONE)
THEIRS = same(total(MAXIMAL, at("x", "k")), product(total(MAXIMAL), largest("x")))


# ---------------------------------------------------------------------- subgradients


def slopes(weight: Node, name: str = "k") -> Node:
    """The sum of shares times differences."""
    return summation(product(weight, add(at("y", name), product(const(-1), at("x", name)))), taps_of(name))


def inequality(weight: Node) -> Relation:
    """The inequality of a subgradient."""
    return chain(largest("y", "k"), ">=", add(largest("x", "k"), slopes(weight)))


def _subgradient() -> Proposition:
    """From the two laws alone, for shares that are not negative."""
    w = at("w", "k")
    nonnegative = Every((AnyInteger("k", V(0), N - 1),), (), (chain(w, ">=", ZERO),))
    laws = (same(total(w), ONE), same(total(w, at("x", "k")), largest("x", "k")))
    return replace(window("w", "x", "y"), given=(nonnegative, *laws), clauses=(every([], inequality(w)),))


def _nonnegative(weights: Let) -> Proposition:
    """The shares are not negative, so that the laws are all that is missing."""
    return replace(window("x"), lets=(weights,), clauses=(every([taps_of()], chain(at("w", "k"), ">=", ZERO)),))


def _of_policy(weights: Let) -> Proposition:
    return replace(window("x", "y"), lets=(weights,), clauses=(every([], inequality(at("w", "k"))),))


POSITIVE: Relation = chain(total(at("w", "k")), ">=", ZERO)
BOUND: Relation = chain(total(at("w", "k"), at("y", "k")), "<=", product(total(at("w", "k")), largest("y", "k")))

FIRST, SPLIT = ByTaps(itself=True), ByTaps((SOME, THEIRS))

THEOREMS = (
    Theorem(
        "ties-first-sum",
        "The shares of the first maximum sum to one",
        "PyTorch max_pool and JAX reduce_window share gradients like this",
        (Check("induction over the taps", _sums(_first()), proof=FIRST),),
        (
            Check("no smaller, in both comparisons", _sums(_first(">=", ">=")), proof=FIRST),
            Check("larger, in both comparisons", _sums(_first(">", ">")), proof=FIRST),
        ),
    ),
    Theorem(
        "ties-first-selection",
        "The shares of the first maximum select the maximum",
        "PyTorch max_pool and JAX reduce_window share gradients like this",
        (Check("induction over the taps", _selects(_first()), proof=FIRST),),
        (
            Check("larger, in both comparisons", _selects(_first(">", ">")), proof=FIRST),
            Check("no smaller, in both comparisons", _selects(_first(">=", ">=")), proof=FIRST),
        ),
    ),
    Theorem(
        "ties-split-sum",
        "Equal shares sum to one",
        "PyTorch amax shares gradients like this",
        (Check("induction over the taps", _sums(_split()), proof=SPLIT),),
        (Check("every maximum a whole share", _sums(_split(shared=False)), proof=SPLIT),),
    ),
    Theorem(
        "ties-split-selection",
        "Equal shares select the maximum",
        "PyTorch amax shares gradients like this",
        (Check("induction over the taps", _selects(_split()), proof=SPLIT),),
        (Check("every maximum a whole share", _selects(_split(shared=False)), proof=SPLIT),),
    ),
    Theorem(
        "subgradient",
        "Shares that sum to one and select the maximum are a subgradient, and those of both policies are such",
        "Rockafellar, Convex Analysis, section 23",
        (
            Check("the inequality", _subgradient(), proof=ByTaps((POSITIVE, BOUND))),
            Check("the shares of the first maximum are not negative", _nonnegative(_first()), proof=ByTaps()),
            Check("they sum to one", _sums(_first()), proof=FIRST),
            Check("they select the maximum", _selects(_first()), proof=FIRST),
            Check("equal shares are not negative", _nonnegative(_split()), proof=ByTaps((SOME,))),
            Check("equal shares sum to one", _sums(_split()), proof=SPLIT),
            Check("equal shares select the maximum", _selects(_split()), proof=SPLIT),
        ),
        (
            Check("every maximum a whole share", _of_policy(_split(shared=False)), proof=ByTaps((POSITIVE, BOUND))),
            Check("no share where maxima are equal", _of_policy(_first(">", ">")), proof=ByTaps((POSITIVE, BOUND))),
        ),
    ),
)
