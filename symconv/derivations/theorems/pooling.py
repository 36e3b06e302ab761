"""Poolings: the average as a convolution, LP norms between average and maximum, and maxima after one another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from symconv.derivations.theorems.building import (
    M,
    V,
    after,
    each_axis,
    image,
    options,
    reciprocal,
    spelled,
    with_entries,
)
from symconv.derivations.theorems.gradients import GENERAL, axes_of
from symconv.derivations.theorems.inductive import Claim, by_induction
from symconv.derivations.theorems.theorem import Check, Theorem, all_of
from symconv.formulas.algebra import (
    ONE,
    Absolute,
    Access,
    Bound,
    Compare,
    Guard,
    Node,
    Reduce,
    equal,
    nonnegative,
    product,
    transform,
)
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index, floor, minimum
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.proofs.goals import prove_goal
from symconv.proofs.induction import power_sum_bound
from symconv.proofs.prove import prove
from symconv.proofs.verdict import Verdict

__all__ = ["THEOREMS", "same_reads"]


def _taps(ndim: int) -> Index:
    """The number of taps of a window."""
    total = V(1)
    for (k,) in each_axis("K", ndim):
        total = total * k
    return total


# ---------------------------------------------------------------------- averages


def _uniform(ndim: int, *, include: bool = True, more: int = 0) -> Verdict:
    """Average pooling is a convolution with all entries of the kernel one over the number of taps."""
    average = AvgPool((2,) * ndim, count_include_pad=include).generic().output()
    layer = Conv((2,) * ndim).generic().output()
    return prove(average, image(with_entries(layer, "b", "xy"[:ndim], reciprocal(_taps(ndim) + more))))


def _norm(ndim: int, order: Any, *, padded: bool = True) -> Formula:
    formula: Formula = LPPool(order, (2,) * ndim).generic(keep=() if padded else ("padding",)).output()
    return formula


def _absolute(formula: Formula, ndim: int) -> Formula:
    """The same pooling of |x|."""
    source = next(t for t in formula.tensors if t.role == "input")
    places = tuple("xy"[:ndim])
    return with_entries(formula, "a", places, Absolute(Access("a", tuple(V(x) for x in places))), (source,))


def _nonnegative(formula: Formula) -> Formula:
    """The formula for entries that are not negative, where |x| = x."""
    return formula.with_body(transform(formula.body, lambda n: n.arg if isinstance(n, Absolute) else None))


def _one_norm(ndim: int, *, of: Literal["absolute", "nonnegative", "any"], more: int = 0) -> Verdict:
    average = AvgPool((2,) * ndim).generic().output()
    norm = _norm(ndim, 1)
    mean = norm.with_body(product(reciprocal(_taps(ndim) + more), norm.body))
    if of == "absolute":
        return prove(_absolute(average, ndim), image(mean))
    return prove(average, image(_nonnegative(mean) if of == "nonnegative" else mean))


# ---------------------------------------------------------------------- LP norms and the maximum


def _largest(ndim: int, *, of: Literal["absolute", "nonnegative", "any"]) -> Verdict:
    # padding is 0 to a norm and absent to a maximum, which differ where a window has no real tap
    maximum = MaxPool((2,) * ndim).generic(keep=("padding",)).output()
    norm = _norm(ndim, float("inf"), padded=False)
    if of == "absolute":
        return prove(_absolute(maximum, ndim), image(norm))
    return prove(maximum, image(_nonnegative(norm) if of == "nonnegative" else norm))


def _powers() -> Verdict:
    return all_of((power_sum_bound("lower"), power_sum_bound("upper")))


# f is x -> x**p, increasing for x >= 0: only that enters, at the points that are compared. L is the norm, M the largest
# entry, R = n**(1/p) M, so that f(R) = n f(M).
_ROOTS = (
    Claim(
        "M <= L, as M^p <= sum = L^p",
        "L M fL fM S",
        ("(>= L 0.0)", "(>= M 0.0)", "(= fL S)", "(<= fM S)", "(=> (< L M) (< fL fM))"),
        "(<= M L)",
    ),
    Claim(
        "L <= n^(1/p) M, as L^p = sum <= n M^p",
        "L R fL fM fR S n",
        (
            "(>= L 0.0)",
            "(>= R 0.0)",
            "(>= n 1.0)",
            "(= fL S)",
            "(= fR (* n fM))",
            "(<= S (* n fM))",
            "(=> (< R L) (< fR fL))",
        ),
        "(<= L R)",
    ),
)

# Bernoulli: (1 + h)**q >= 1 + q h for whole q >= 1 and h >= 0; with h = (n - 1)/q it says n <= (1 + (n - 1)/q)**q.
_LIMIT = (
    Claim("q = 1: 1 + h <= 1 + h", "h B", ("(>= h 0.0)", "(= B (+ 1.0 h))"), "(>= B (+ 1.0 (* 1.0 h)))"),
    Claim(
        "from q to q + 1: (1 + h)^(q + 1) >= 1 + (q + 1) h",
        "h B q",
        ("(>= h 0.0)", "(>= q 1.0)", "(>= B (+ 1.0 (* q h)))"),
        "(>= (* B (+ 1.0 h)) (+ 1.0 (* (+ q 1.0) h)))",
    ),
    Claim(
        "with h = (n - 1)/q: n <= (1 + h)^q",
        "h B q n",
        ("(>= q 1.0)", "(>= n 1.0)", "(= (* q h) (- n 1.0))", "(>= B (+ 1.0 (* q h)))"),
        "(<= n B)",
    ),
    Claim(
        "n^(1/q) <= 1 + (n - 1)/q, as the power is increasing",
        "r u fr fu n",
        ("(>= r 1.0)", "(>= u 1.0)", "(= fr n)", "(<= n fu)", "(=> (< u r) (< fu fr))"),
        "(<= r u)",
    ),
    Claim(
        "n^(1/p) <= n^(1/q) for p >= q, as powers of r >= 1 increase with the exponent",
        "r u rp rq uq n",
        ("(>= r 1.0)", "(>= u 1.0)", "(= rp n)", "(= uq n)", "(<= rq rp)", "(=> (< u r) (< uq rq))"),
        "(<= r u)",
    ),
    Claim(
        "0 <= L - M <= e for every p >= q, where q e >= (n - 1) M",
        "L M r h q n e",
        (
            "(>= M 0.0)",
            "(>= q 1.0)",
            "(>= n 1.0)",
            "(>= e 0.0)",
            "(= (* q h) (- n 1.0))",
            "(<= r (+ 1.0 h))",
            "(<= M L)",
            "(<= L (* r M))",
            "(>= (* q e) (* (- n 1.0) M))",
        ),
        "(and (<= 0.0 (- L M)) (<= (- L M) e))",
    ),
)


def _roots() -> Verdict:
    return by_induction(
        _ROOTS, ("n", "p"), "From the bounds on the sum of powers, using only that x^p is increasing for x >= 0."
    )


def _limit() -> Verdict:
    return by_induction(
        _LIMIT, ("n", "p"), "Bernoulli's inequality, by induction over a whole q <= p, bounds n^(1/p) by 1 + (n - 1)/q."
    )


def _below_maximum() -> Verdict:
    """The claim L_2 <= max |x|, which would do without the factor n**(1/p)."""
    two, largest = _norm(1, 2, padded=False), _norm(1, float("inf"), padded=False)
    return prove(two.with_body(Compare(largest.body, ">=", two.body)), two.with_body(ONE))


def _reached() -> Verdict:
    """The claim that the limit is reached at p = 3."""
    return prove(_norm(1, 3, padded=False), image(_norm(1, float("inf"), padded=False)))


# ---------------------------------------------------------------------- maxima after one another


def _pools(ndim: int) -> tuple[Formula, Formula]:
    """Two max poolings after one another, and one over their receptive field."""
    K, S, L, T = options("KSLT", ndim)
    first = MaxPool(K, S).output()
    second = MaxPool(L, T).output(names={"weight_index": "uvw"})
    wide = tuple(s * (n - 1) + k for k, s, n in zip(K, S, L, strict=True))
    whole = MaxPool(wide, tuple(s * t for s, t in zip(S, T, strict=True))).output(names={"weight_index": "xyz"})
    # without padding every window reads outputs of the first pooling only, so there is nothing to guard
    return after(second, first, guarded=False), image(whole)


def same_reads(ndim: int, *, condition: bool = True) -> Verdict:
    """Both maxima run over the same entries: each is shown to read every entry that the other one reads.

    Without the condition S <= K this shows nothing; and it never refutes, since other taps might do.
    """
    left, right = _pools(ndim)
    sizes = each_axis("KSLT", ndim)
    small = tuple(nonnegative(K - S) for K, S, _, _ in sizes) if condition else ()
    mine, theirs = _Reads(left.body), _Reads(right.body)
    forward: dict[str, Index] = {}
    backward: dict[str, Index] = {}
    outer, inner = mine.names[:ndim], mine.names[ndim:]
    for (_, S, L, _), x, u, m in zip(sizes, theirs.names, outer, inner, strict=True):
        forward[x] = S * V(u) + V(m)
        backward[u] = minimum(L - 1, floor(V(x), S))
        backward[m] = V(x) - S * backward[u]
    given = (*left.assumptions(), *small)
    sizes_agree = [
        guard
        for one, two in zip(spelled(left).free, right.free, strict=True)
        for guard in (equal(one.lower, two.lower), equal(one.upper, two.upper))
    ]
    verdict = all_of(
        (
            prove_goal([g for g in given if not g.names & set(left.indices)], sizes_agree),
            prove_goal((*given, *mine.guards), theirs.covers(mine, forward)),
            prove_goal((*given, *theirs.guards), mine.covers(theirs, backward)),
        )
    )
    if verdict.status == "proved":
        text = "Both maxima run over the same entries: each tap of one side reads what a tap of the other side reads."
        return replace(verdict, explanation=text, method="equal sets of reads", record=None)
    # a model speaks against these taps only, not against the statement
    return replace(verdict, status="undecided", counterexample=None, explanation="The taps were not shown to agree.")


class _Reads:
    """The taps of a maximum, or of a maximum of maxima: their names, their conditions, and the entry they read."""

    def __init__(self, node: Node) -> None:
        bounds: list[Bound] = []
        guards: list[Guard] = []
        while isinstance(node, Reduce) and node.op == "max":
            bounds += node.bounds
            guards += node.guards
            node = node.body
        assert isinstance(node, Access)
        self.entry = node
        self.names = [bound.name for bound in bounds]
        self.guards = (*(guard for bound in bounds for guard in bound.guards()), *guards)

    def covers(self, other: _Reads, taps: dict[str, Index]) -> tuple[Guard, ...]:
        """That the taps given are taps here, and read what the other one reads."""
        same = (equal(a.subs(taps), b) for a, b in zip(self.entry.index, other.entry.index, strict=True))
        return (*(guard.subs(taps) for guard in self.guards), *same)


def _composed_anyhow() -> Verdict:
    """The same claim without S <= K: between two windows of the first pooling lies an entry that neither sees."""
    return prove(*_pools(1))


def _wide(more: int) -> Verdict:
    """The claim for a window of another size, with S <= K."""
    left, right = _pools(1)
    wider = right.with_body(_longer(right.body, more))
    return prove(left, wider, assuming=(nonnegative(V("K") - V("S")),))


def _longer(node: Node, more: int) -> Node:
    assert isinstance(node, Reduce)
    bounds = tuple(Bound(b.name, b.lower, b.upper + more) for b in node.bounds)
    return Reduce("max", bounds, node.guards, node.body)


ENTRIES = M(r"x \geq 0,\; \lvert x \rvert = x", "x ≥ 0, where |x| = x")
ANY = ("a window with any number ", M(r"n \geq 1", "n ≥ 1"), " of taps in the input")
NORM = M(r"L_p = \Bigl( \sum_k \lvert x_k \rvert^p \Bigr)^{1/p}", "Lp = (∑(k) |x[k]|^p)^(1/p)")

THEOREMS = (
    Theorem(
        "average-uniform",
        "Average pooling is a convolution with a uniform kernel",
        (
            M(r"\operatorname{avg}(a) = a \star b,\quad b_m = \tfrac{1}{n}", "avg(a) = a ⋆ b, b[m] = 1/n"),
            ", n the number of taps, for every channel by itself (depthwise).",
        ),
        (GENERAL, "; a window fits; the padding is counted, no overhang (no ceil_mode)"),
        "LeCun et al., Gradient-based learning applied to document recognition (1998), for the average with a weight",
        axes_of(_uniform),
        (
            Check("the padding not counted", lambda: _uniform(1, include=False)),
            Check("one tap more", lambda: _uniform(1, more=1)),
        ),
    ),
    Theorem(
        "average-one-norm",
        "The average is LP pooling with p = 1, over the number of taps",
        (
            M(r"\operatorname{avg}(\lvert x \rvert) = L_1(x) / n", "avg(|x|) = L1(x)/n"),
            "; for ",
            M(r"x \geq 0", "x ≥ 0"),
            " therefore ",
            M(r"\operatorname{avg}(x) = L_1(x) / n", "avg(x) = L1(x)/n"),
            ".",
        ),
        (GENERAL, "; a window fits; the padding is counted; for the second half ", ENTRIES),
        "Sermanet, Chintala & LeCun (arXiv 1204.3968), for LP pooling",
        (
            *axes_of(lambda ndim: _one_norm(ndim, of="absolute")),
            Check("entries ≥ 0, one axis", lambda: _one_norm(1, of="nonnegative")),
            Check("entries ≥ 0, two axes", lambda: _one_norm(2, of="nonnegative")),
        ),
        (
            Check("entries of any sign", lambda: _one_norm(1, of="any")),
            Check("one tap more", lambda: _one_norm(1, of="absolute", more=1)),
        ),
    ),
    Theorem(
        "lp-squeeze",
        "LP pooling lies between the maximum and a multiple of it",
        (
            M(r"M \leq L_p \leq n^{1/p} M,\quad M = \max_k \lvert x_k \rvert", "M ≤ Lp ≤ n^(1/p)·M, M = max(k) |x[k]|"),
            ", ",
            NORM,
            ".",
        ),
        (*ANY, "; real ", M(r"p \geq 1", "p ≥ 1")),
        "Hardy, Littlewood & Pólya, Inequalities, section 2.10",
        (Check("the sum of powers, by induction over the taps", _powers), Check("the roots", _roots)),
        (Check("without the factor n^(1/p), at p = 2", _below_maximum),),
    ),
    Theorem(
        "lp-limit",
        "The maximum is the limit of LP poolings",
        (
            M(r"\lim_{p \to \infty} L_p = \max_k \lvert x_k \rvert", "lim(p → ∞) Lp = max(k) |x[k]|"),
            ", for ",
            M(r"x \geq 0", "x ≥ 0"),
            " the max pooling: ",
            M(r"0 \leq L_p - M \leq \varepsilon", "0 ≤ Lp - M ≤ ε"),
            " for all ",
            M(r"p \geq q", "p ≥ q"),
            " once a whole ",
            M(r"q \geq 1", "q ≥ 1"),
            " has ",
            M(r"q \varepsilon \geq (n - 1) M", "q ε ≥ (n - 1) M"),
            ".",
        ),
        (*ANY, "; real p; for max pooling ", ENTRIES, " and no padding"),
        "Hardy, Littlewood & Pólya, Inequalities, section 2.10",
        (
            Check("the sum of powers, by induction over the taps", _powers),
            Check("the roots", _roots),
            Check("the limit of n^(1/p)", _limit),
            *axes_of(lambda ndim: _largest(ndim, of="absolute")),
            Check("entries ≥ 0, one axis", lambda: _largest(1, of="nonnegative")),
            Check("entries ≥ 0, two axes", lambda: _largest(2, of="nonnegative")),
        ),
        (
            Check("entries of any sign", lambda: _largest(1, of="any")),
            Check("reached at p = 3", _reached),
        ),
    ),
    Theorem(
        "max-composition",
        "Two max poolings are one over their receptive field",
        (
            M(
                r"\max{}_{L,T} \circ \max{}_{K,S} = \max{}_{S(L-1)+K,\; ST}",
                "max[L, stride T] ∘ max[K, stride S] = max[S(L - 1) + K, stride S T]",
            ),
            "; for S > K the first pooling leaves entries out, and it is false.",
        ),
        (
            M(r"1 \leq S \leq K,\; I, L, T \geq 1", "1 ≤ S ≤ K, I, L, T ≥ 1"),
            "; no padding, no dilation; a window of each pooling fits",
        ),
        "Elementary: the maximum over a union is the largest of the maxima",
        axes_of(same_reads),
        (
            Check("any stride: S > K", _composed_anyhow),
            Check("a window of one more", lambda: _wide(1)),
            Check("a window of one less", lambda: _wide(-1)),
        ),
    ),
)
