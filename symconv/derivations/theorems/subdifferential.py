"""The subdifferential of a maximum: convex hull of the unit vectors of its maximal taps, by induction over the taps."""

from __future__ import annotations

from symconv.derivations.theorems.building import M, V
from symconv.derivations.theorems.inductive import Claim, by_induction
from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.formulas.algebra import ONE, Access, Bound, Compare, Node, Reduce, add, const, product
from symconv.proofs.prove import prove_statement
from symconv.proofs.statement import Statement
from symconv.proofs.verdict import Verdict

__all__ = ["THEOREMS", "convex_hull", "set_sum"]

# M is the largest x, Y the largest y. Over the taps so far, A is the sum of the shares w, V that of w*x, B that of w*y.
_ENOUGH = (
    Claim(
        "no tap: V = A M and B <= A Y",
        "A B V M Y",
        ("(= A 0.0)", "(= V 0.0)", "(= B 0.0)"),
        "(and (= V (* A M)) (<= B (* A Y)))",
    ),
    Claim(
        "one more tap, with a share only where it is maximal, keeps V = A M",
        "A V M w x",
        ("(= V (* A M))", "(or (= w 0.0) (= x M))"),
        "(= (+ V (* w x)) (* (+ A w) M))",
    ),
    Claim(
        "one more tap, with a share that is not negative, keeps B <= A Y",
        "A B Y w y",
        ("(<= B (* A Y))", "(>= w 0.0)", "(<= y Y)"),
        "(<= (+ B (* w y)) (* (+ A w) Y))",
    ),
    Claim(
        "all taps, shares of sum 1: Y >= M + sum w (y - x)",
        "A B V M Y",
        ("(= A 1.0)", "(= V (* A M))", "(<= B (* A Y))"),
        "(>= Y (+ M (- B V)))",
    ),
)
# The inequality of a subgradient, Y >= M + sum w (y - x) for every y, at three choices of y.
_NEEDED = (
    Claim(
        "y one less at one tap: its share is not negative",
        "M Y w",
        ("(<= Y M)", "(>= Y (+ M (* w (- 1.0))))"),
        "(>= w 0.0)",
    ),
    Claim(
        "y one more, and one less, at every tap: the shares sum to 1",
        "M A",
        ("(>= (+ M 1.0) (+ M A))", "(>= (- M 1.0) (- M A))"),
        "(= A 1.0)",
    ),
    Claim(
        "y raised to the maximum at a tap below it: its share is 0",
        "M x w",
        ("(< x M)", "(>= w 0.0)", "(>= M (+ M (* w (- M x))))"),
        "(= w 0.0)",
    ),
)
# S and T are the sums of g times the maximum of x and of y over the outputs so far, R that of g times the slopes.
_SUM = (
    Claim("no output: 0 >= 0", "S T R", ("(= S 0.0)", "(= T 0.0)", "(= R 0.0)"), "(>= T (+ S R))"),
    Claim(
        "one more output, with an upstream gradient that is not negative",
        "S T R M Y s g",
        ("(>= T (+ S R))", "(>= Y (+ M s))", "(>= g 0.0)"),
        "(>= (+ T (* g Y)) (+ S (* g M) R (* g s)))",
    ),
)


def convex_hull() -> Verdict:
    """Shares that are not negative, sum to 1 and go to maximal taps are the subgradients, and there are no others."""
    text = "Both directions: such shares satisfy the subgradient inequality, and the inequality forces each condition."
    return by_induction((*_ENOUGH, *_NEEDED), ("n",), text)


def set_sum() -> Verdict:
    """For upstream gradients that are not negative, a sum of one subgradient of every output is one of the error."""
    text = "By induction over the outputs, from the subgradient inequality of each."
    return by_induction((*_ENOUGH, *_SUM), ("n",), text)


def _at_two_taps(*weights: Node) -> Verdict:
    """The subgradient inequality with these shares of two taps."""
    slopes = [
        product(w, add(Access("y", (V(k),)), product(const(-1), Access("x", (V(k),))))) for k, w in enumerate(weights)
    ]
    claim = Compare(_largest("y"), ">=", add(_largest("x"), *slopes))
    extent = ((V(0), V(1)),)
    return prove_statement(Statement.of(claim, ONE, (), {"x": extent, "y": extent}))


def _largest(letter: str) -> Node:
    return Reduce("max", (Bound("m", V(0), V(1)),), (), Access(letter, (V("m"),)))


def _tie() -> Node:
    x, y = (Access("x", (V(k),)) for k in (0, 1))
    return product(Compare(x, ">=", y), Compare(y, ">=", x))


THEOREMS = (
    Theorem(
        "subdifferential",
        "The subgradients of a maximum are the shares of its maximal taps",
        (
            M(
                r"\partial \max{}(x) = \operatorname{conv}\{\, e_k : x_k = \max x \,\} = "
                r"\{\, w : w_k \geq 0,\; \textstyle\sum_k w_k = 1,\; w_k = 0 \text{ where } x_k < \max x \,\}",
                "∂max(x) = conv{e[k] : x[k] = max x} = {w : w[k] ≥ 0, ∑(k) w[k] = 1, w[k] = 0 where x[k] < max x}",
            ),
            ".",
        ),
        ("a window with any number ", M(r"n \geq 1", "n ≥ 1"), " of taps, and any real entries"),
        "Rockafellar, Convex Analysis, section 23",
        (Check("both directions", convex_hull),),
        (
            Check("a share for a tap that is not maximal", lambda: _at_two_taps(ONE)),
            Check("a negative share", lambda: _at_two_taps(product(const(2), _tie()), product(const(-1), _tie()))),
            Check("shares that sum to 2", lambda: _at_two_taps(_tie(), _tie())),
        ),
    ),
)
