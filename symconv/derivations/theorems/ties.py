"""The shares of a maximum among its taps: they sum to 1, select the maximum, and give a subgradient.

The taps x_1, ..., x_n of a window are taken in row-major order, n any number. Policy "first": the weight of tap k is
``prod over l < k of [x_k > x_l] * prod over l > k of [x_k >= x_l]``; "split": one over the number of maxima at each.
"""

from __future__ import annotations

from typing import Literal

from symconv.derivations.theorems.building import M, V
from symconv.derivations.theorems.inductive import Claim, by_induction
from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.formulas.algebra import ONE, Access, Bound, Compare, Node, Reduce, add, const, product
from symconv.proofs.prove import prove_statement
from symconv.proofs.statement import Statement
from symconv.proofs.verdict import Verdict

__all__ = ["THEOREMS"]

Policy = Literal["first", "split"]

# M is the largest of the taps so far, x the next tap, y any earlier one and w its weight so far; an earlier tap with a
# weight is a maximum. N is the new maximum.
_NEXT = (("N", "(ite (> x M) x M)"), ("stays", "(ite (>= M x) 1.0 0.0)"), ("wins", "(ite (> x M) 1.0 0.0)"))
_WEIGHT = "(or (= w 0.0) (and (= w 1.0) (= y M)))"

_WINS = (
    Claim(
        "one earlier tap: to beat it is to beat the largest",
        "M x y P",
        ("(= M y)", "(= P (ite (> x y) 1.0 0.0))"),
        "(= P (ite (> x M) 1.0 0.0))",
    ),
    Claim(
        "one more earlier tap: to beat all is to beat the largest",
        "M x y P",
        ("(= P (ite (> x M) 1.0 0.0))",),
        "(= (* P (ite (> x y) 1.0 0.0)) (ite (> x (ite (> y M) y M)) 1.0 0.0))",
    ),
)
_KEEPS = Claim(
    "an earlier tap keeps its weight where the next one does not beat the largest",
    "M x y w",
    ("(<= y M)", _WEIGHT),
    "(= (* w (ite (>= y x) 1.0 0.0)) (* w stays))",
    _NEXT,
)
_MAXIMAL = (
    Claim(
        "an earlier tap with a weight is a maximum still",
        "M x y w",
        ("(<= y M)", _WEIGHT),
        "(or (= (* w stays) 0.0) (and (= (* w stays) 1.0) (= y N)))",
        _NEXT,
    ),
    Claim("the next tap has a weight only as the maximum", "M x", (), "(or (= wins 0.0) (= x N))", _NEXT),
)


def _first(goal: Literal["sum", "selection"]) -> Verdict:
    """Induction over the taps; W is the sum of the weights so far, V that of weights times taps."""
    if goal == "sum":
        steps = (
            Claim("one tap: its weight is 1", "W w", ("(= w 1.0)", "(= W w)"), "(= W 1.0)"),
            Claim(
                "one more tap keeps the sum 1",
                "M x W",
                ("(= W 1.0)",),
                "(= (+ (* W stays) wins) 1.0)",
                _NEXT,
            ),
        )
    else:
        steps = (
            Claim("one tap: it is the maximum", "M x W V", ("(= W 1.0)", "(= M x)", "(= V (* W x))"), "(= V M)"),
            Claim(
                "one more tap keeps sum = maximum",
                "M x V",
                ("(= V M)",),
                "(= (+ (* V stays) (* wins x)) N)",
                _NEXT,
            ),
        )
    return by_induction(
        (*_WINS, _KEEPS, *_MAXIMAL, *steps),
        ("n",),
        "By induction over the taps in row-major order; the sums over all earlier taps change by linearity.",
    )


# C is the number of maxima so far, c whether tap y is one.
_COUNT = (
    Claim("one tap: there is one maximum", "C", ("(= C 1.0)",), "(>= C 1.0)"),
    Claim(
        "one more tap: there is a maximum still",
        "M x C",
        ("(>= C 1.0)",),
        "(>= (ite (> x M) 1.0 (ite (= x M) (+ C 1.0) C)) 1.0)",
    ),
)


def _split(goal: Literal["sum", "selection"]) -> Verdict:
    steps: tuple[Claim, ...]
    if goal == "sum":
        steps = (Claim("C shares of 1/C are 1", "C W", ("(>= C 1.0)", "(= (* C W) C)"), "(= W 1.0)"),)
    else:
        steps = (
            Claim(
                "a tap that counts is the maximum",
                "M y",
                (),
                "(= (* (ite (= y M) 1.0 0.0) y) (* (ite (= y M) 1.0 0.0) M))",
            ),
            Claim(
                "C shares of the maximum are the maximum",
                "C M V",
                ("(>= C 1.0)", "(= (* C V) (* C M))"),
                "(= V M)",
            ),
        )
    return by_induction(
        (*_COUNT, *steps),
        ("n",),
        "The number C of maxima is at least 1, by induction over the taps; each share is 1/C.",
    )


def _subgradient() -> Verdict:
    """From the two laws alone: A, B are the sums of w and w*y over the taps so far, Y the largest y."""
    steps = (
        Claim("no tap: 0 <= 0", "A B Y", ("(= A 0.0)", "(= B 0.0)"), "(<= B (* A Y))"),
        Claim(
            "one more tap keeps sum w y <= (sum w) max y",
            "A B Y w y",
            ("(<= B (* A Y))", "(>= w 0.0)", "(<= y Y)"),
            "(<= (+ B (* w y)) (* (+ A w) Y))",
        ),
        Claim(
            "all taps: max y >= max x + sum w (y - x)",
            "A B Y M V",
            ("(<= B (* A Y))", "(= A 1.0)", "(= V M)"),
            "(>= Y (+ M (- B V)))",
        ),
    )
    return by_induction(
        steps,
        ("n",),
        "By induction over the taps, from weights >= 0 that sum to 1 and select the maximum.",
    )


# ---------------------------------------------------------------------- slips, at windows of two taps


def _pair(first: Literal[">", ">="], second: Literal[">", ">="]) -> tuple[Node, Node]:
    """Weights of two taps: the first against the second, the second against the first."""
    x, y = (Access("x", (V(k),)) for k in (0, 1))
    return Compare(x, first, y), Compare(y, second, x)


def _two_taps(left: Node, right: Node) -> Verdict:
    extent = ((V(0), V(1)),)
    return prove_statement(Statement.of(left, right, (), {"x": extent, "y": extent}))


def _wrong_sum(first: Literal[">", ">="], second: Literal[">", ">="]) -> Verdict:
    return _two_taps(add(*_pair(first, second)), ONE)


def _largest(letter: str) -> Node:
    return Reduce("max", (Bound("m", V(0), V(1)),), (), Access(letter, (V("m"),)))


def _wrong_selection(first: Literal[">", ">="], second: Literal[">", ">="], *, scale: int = 1) -> Verdict:
    weights = _pair(first, second)
    chosen = add(*(product(w, Access("x", (V(k),))) for k, w in enumerate(weights)))
    return _two_taps(product(const(scale), chosen), _largest("x"))


def _wrong_subgradient(first: Literal[">", ">="], second: Literal[">", ">="]) -> Verdict:
    minus = const(-1)
    slopes = [
        product(w, add(Access("y", (V(k),)), product(minus, Access("x", (V(k),)))))
        for k, w in enumerate(_pair(first, second))
    ]
    return _two_taps(Compare(_largest("y"), ">=", add(_largest("x"), *slopes)), ONE)


ANY = (
    "a window with any number ",
    M(r"n \geq 1", "n ≥ 1"),
    " of taps, in row-major order, and any real entries",
)
SHOR = "Rockafellar, Convex Analysis, section 23"
FIRST = M(
    r"w_k = \prod_{l < k} [x_k > x_l] \prod_{l > k} [x_k \geq x_l]",
    "w[k] = ∏(l < k) [x[k] > x[l]] · ∏(l > k) [x[k] ≥ x[l]]",
)
SPLIT = M(
    r"w_k = [x_k = \max x] \,/\, \#\{l : x_l = \max x\}",
    "w[k] = [x[k] = max x] / #{l : x[l] = max x}",
)
SUM = M(r"\sum_k w_k = 1", "∑(k) w[k] = 1")
SELECTION = M(r"\sum_k w_k x_k = \max_k x_k", "∑(k) w[k]·x[k] = max(k) x[k]")

THEOREMS = (
    Theorem(
        "ties-first-sum",
        "The shares of the first maximum sum to 1",
        (SUM, " for ", FIRST),
        ANY,
        "PyTorch max_pool and JAX reduce_window share gradients like this",
        (Check("induction over the taps", lambda: _first("sum")),),
        (
            Check("≥ in both products", lambda: _wrong_sum(">=", ">=")),
            Check("> in both products", lambda: _wrong_sum(">", ">")),
        ),
    ),
    Theorem(
        "ties-first-selection",
        "The shares of the first maximum select the maximum",
        (SELECTION, " for ", FIRST),
        ANY,
        "PyTorch max_pool and JAX reduce_window share gradients like this",
        (Check("induction over the taps", lambda: _first("selection")),),
        (
            Check("> in both products", lambda: _wrong_selection(">", ">")),
            Check("≥ in both products", lambda: _wrong_selection(">=", ">=")),
        ),
    ),
    Theorem(
        "ties-split-sum",
        "Equal shares sum to 1",
        (SUM, " for ", SPLIT),
        ANY,
        "PyTorch amax shares gradients like this",
        (Check("induction over the taps", lambda: _split("sum")),),
        (Check("every maximum a share of 1", lambda: _wrong_sum(">=", ">=")),),
    ),
    Theorem(
        "ties-split-selection",
        "Equal shares select the maximum",
        (SELECTION, " for ", SPLIT),
        ANY,
        "PyTorch amax shares gradients like this",
        (Check("induction over the taps", lambda: _split("selection")),),
        (Check("every maximum a share of 1", lambda: _wrong_selection(">=", ">=")),),
    ),
    Theorem(
        "subgradient",
        "The shares of a maximum are a subgradient",
        (
            M(
                r"\max_k y_k \geq \max_k x_k + \sum_k w_k (y_k - x_k)",
                "max(k) y[k] ≥ max(k) x[k] + ∑(k) w[k]·(y[k] - x[k])",
            ),
            " for all y.",
        ),
        (
            *ANY,
            "; weights ",
            M(r"w_k \geq 0", "w[k] ≥ 0"),
            " that sum to 1 and select the maximum, as those of both policies do",
        ),
        SHOR,
        (
            Check("the weights of 'first' sum to 1", lambda: _first("sum")),
            Check("the weights of 'first' select the maximum", lambda: _first("selection")),
            Check("equal shares sum to 1", lambda: _split("sum")),
            Check("equal shares select the maximum", lambda: _split("selection")),
            Check("the inequality", _subgradient),
        ),
        (
            Check("every maximum a share of 1", lambda: _wrong_subgradient(">=", ">=")),
            Check("no share where maxima are equal", lambda: _wrong_subgradient(">", ">")),
        ),
    ),
)
