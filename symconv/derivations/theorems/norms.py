"""LP norms between the maximum and a multiple of it, and their limit, for a window of any number of taps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from symconv.derivations.theorems.building import V, at, axes_of, every, integers
from symconv.derivations.theorems.folds import ByTaps, ranged_script
from symconv.derivations.theorems.pooling import largest_norm
from symconv.derivations.theorems.proposition import Let, Proposition, Real, Relation, chain
from symconv.derivations.theorems.recorded import on_record
from symconv.derivations.theorems.refuting import refuted
from symconv.derivations.theorems.stages import InductionPoint, StageScript, node_of
from symconv.derivations.theorems.taps import NotReadError
from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.derivations.theorems.ties import taps_of, window
from symconv.derivations.theorems.writing import relation_text
from symconv.formulas.algebra import (
    ONE,
    ZERO,
    Absolute,
    Node,
    Power,
    Reduce,
    Scalar,
    add,
    const,
    product,
    summation,
)

if TYPE_CHECKING:
    from symconv.proofs.obligation import Obligation
    from symconv.proofs.verdict import Verdict

__all__ = ["THEOREMS"]

P = Scalar(V("p"))
ROOT = Power(P, const(-1))
SIZE = Absolute(at("x", "k"))
COUNT = Scalar(V("n"))
POWERS = summation(Power(SIZE, P), taps_of())
LARGEST = Reduce("max", (taps_of(),), (), SIZE)
LEAST = chain(LARGEST, ">=", ZERO)
SMALL = chain(Power(LARGEST, P), "<=", POWERS)
LARGE = chain(POWERS, "<=", product(COUNT, Power(LARGEST, P)))


def _norms(exponent: int = 1) -> Proposition:
    """A window, its largest entry M and its norm L of order p."""
    names = (Let("M", (), LARGEST), Let("L", (), Power(POWERS, ROOT)))
    return replace(window("x"), reals=(Real("p", V(exponent)),), lets=names)


def _squeeze(*, factor: bool = True) -> Proposition:
    largest = product(*([Power(COUNT, ROOT)] if factor else []), at("M"))
    return replace(_norms(), clauses=(every([], chain(at("M"), "<=", at("L"), "<=", largest)),))


def _rate(*, exponent: str = "q") -> Node:
    """An upper bound of n to the power of 1/p, for every p from q on."""
    return add(ONE, product(Scalar(V("n") - 1), Power(Scalar(V(exponent)), const(-1))))


def _root_of_count(more: int = 0) -> Proposition:
    upper = _rate() if not more else add(_rate(), const(-more))
    return Proposition(
        integers({"n": 1, "q": 1}, "nq"),
        (every([], chain(Power(COUNT, ROOT), "<=", upper)),),
        reals=(Real("p", V("q")),),
    )


def _limit() -> Proposition:
    """0 <= L - M <= e for every p from q on, where q e >= (n - 1) M."""
    q, e, gap = Scalar(V("q")), Scalar(V("e")), add(at("L"), product(const(-1), at("M")))
    reached = chain(product(q, e), ">=", product(Scalar(V("n") - 1), at("M")))
    return replace(
        _norms(),
        integers=integers({"n": 1, "q": 1}, "nq"),
        reals=(Real("p", V("q")), Real("e", V(0))),
        given=(reached,),
        clauses=(every([], chain(ZERO, "<=", gap, "<=", e)),),
    )


# ---------------------------------------------------------------------- Bernoulli


def _bernoulli(proposition: Proposition) -> Verdict:
    """That a root of n is at most 1 + h for q h = n - 1: by Bernoulli's inequality, by induction over a whole q <= p.

    Of powers it is used that they increase with the base, and for a base of at least 1 with the exponent.
    """
    from symconv.proofs.verdict import Verdict, VerdictScope

    (clause,) = proposition.clauses
    (relation,) = clause.then
    scope = VerdictScope(tuple(entry.name for entry in proposition.numbers))
    method = "induction over the exponent"
    assert isinstance(relation, Relation)
    try:
        obligations = _bernoulli_steps(proposition, relation)
    except NotReadError as other:
        obligations = ()
        problem = f"the statement has {other}"
    else:
        problem = ", ".join(entry.name for entry in obligations if entry.outcome != "proved")
    if not problem:
        text = "By Bernoulli's inequality, by induction over a whole exponent."
        verdict = Verdict("proved", scope, explanation=text, obligations=obligations, method=method)
        return on_record(verdict, proposition)
    found = refuted(proposition, relation)
    if found is not None:
        return replace(found, scope=scope)
    return Verdict("undecided", scope, explanation=f"Not shown: {problem}.", obligations=obligations, method=method)


def _bernoulli_steps(proposition: Proposition, relation: Relation) -> tuple[Obligation, ...]:
    from symconv.proofs.obligation import Obligation
    from symconv.proofs.smt import Solver

    (left, _, right) = next(relation.links())
    sizes, last = ranged_script(proposition), ranged_script(proposition)
    stage = InductionPoint(last, "n", {})
    root, upper = (stage.term(node_of(side), {}) for side in (left, right))
    if relation.signs != ("<=",) or root not in last.roots.values():
        raise NotReadError("no root on its left, or another relation")
    for name in ("h", "B", "R"):  # B is (1 + h) to the q, R the root to the q
        last.real(name)
    last.given += [
        "(= (* q h) (- n 1.0))",
        "(>= B (+ 1.0 (* q h)))",
        f"(=> (> {root} (+ 1.0 h)) (> R B))",
        f"(=> (>= {root} 1.0) (<= R {last.power(root)}))",
    ]
    first, step = StageScript(), StageScript()
    for script in (first, step):
        for name in ("h", "B", "j"):
            script.real(name)
        script.given.append("(>= h 0.0)")
    first.given.append("(= B (+ 1.0 h))")
    step.given += ["(>= j 1.0)", "(>= B (+ 1.0 (* j h)))"]
    parts = (
        ("the exponents and the number are in order", sizes, "(and (>= n 1.0) (>= q 1.0) (>= p q))"),
        ("Bernoulli's inequality for the exponent one", first, "(>= B (+ 1.0 (* 1.0 h)))"),
        ("Bernoulli's inequality for one more", step, "(>= (* B (+ 1.0 h)) (+ 1.0 (* (+ j 1.0) h)))"),
        (relation_text(relation), last, f"(<= {root} {upper})"),
    )
    solver = Solver()
    found = []
    for name, script, goal in parts:
        text = script.text(goal)
        proved = solver.decide(text) == "unsat" and solver.decide(script.text(None)) == "sat"
        found.append(Obligation(name, "proved" if proved else "failed", text))
    return tuple(found)


def _root_times_largest() -> Relation:
    """What the first part of the limit says, times the largest entry."""
    (clause,) = _root_of_count().clauses
    (relation,) = clause.then
    assert isinstance(relation, Relation)
    return Relation(tuple(product(node_of(side), LARGEST) for side in relation.sides), relation.signs)


SQUEEZE = ByTaps((LEAST, SMALL, LARGE))
LIMIT = ByTaps((LEAST, SMALL, LARGE), lemmas=(_root_times_largest(),))

THEOREMS = (
    Theorem(
        "lp-squeeze",
        "An LP norm lies between the maximum and a multiple of it",
        "Hardy, Littlewood & Pólya, Inequalities, section 2.10",
        (Check("induction over the taps", _squeeze(), proof=SQUEEZE),),
        (Check("without the factor", _squeeze(factor=False), proof=SQUEEZE),),
    ),
    Theorem(
        "lp-limit",
        "The maximum is the limit of LP norms, and the norm of order infinity",
        "Hardy, Littlewood & Pólya, Inequalities, section 2.10",
        (
            Check("a root of the number of taps", _root_of_count(), proof=_bernoulli),
            Check("the rate of the limit", _limit(), proof=LIMIT),
            *axes_of(largest_norm),
            Check("entries that are not negative, one axis", largest_norm(1, absolute=False)),
            Check("entries that are not negative, two axes", largest_norm(2, absolute=False), again=True),
        ),
        (
            Check("a root that is smaller by one", _root_of_count(1), proof=_bernoulli),
            Check("entries of any sign", largest_norm(1, absolute=False, signed=True)),
        ),
    ),
)
