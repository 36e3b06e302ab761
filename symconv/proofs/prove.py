"""`prove`: two formulas in, a verdict out; `prove_goal`: the same for the arithmetic of sizes alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from time import perf_counter

from symconv.doors import instance, iterable_of, plain_integer
from symconv.errors import SizeLimitError
from symconv.formulas.algebra import Guard
from symconv.formulas.effort import STEPS, Effort, OutOfEffort
from symconv.formulas.exact import is_polynomial
from symconv.formulas.formula import Formula
from symconv.formulas.substitution import substitute
from symconv.proofs.bijection import equal_sums
from symconv.proofs.context import Context, NotShown, Trace
from symconv.proofs.exact import identity_at
from symconv.proofs.record import Equality, preceded_by
from symconv.proofs.refutation import Search
from symconv.proofs.screening import told_apart
from symconv.proofs.smt import Solver
from symconv.proofs.statement import Statement, of_formulas
from symconv.proofs.verdict import Verdict, VerdictScope
from symconv.proofs.windows import given_windows, open_needs, said_of

__all__ = ["bijection_proof", "prove", "prove_statement"]

FIRST_SIZES = 12  # compared before a proof is tried: nearly every slip shows at one of the smallest sizes
MORE_SIZES = 1_500  # compared after a proof has failed
SLOW_SIZES = 150  # the same where entries must be worked out one by one


def prove(
    left: Formula,
    right: Formula,
    *,
    assuming: Iterable[Guard] = (),
    steps: int = STEPS,
    comparing: int | None = None,
) -> Verdict:
    """Decide ``left == right`` for all sizes and indices that both formulas and `assuming` allow.

    Args:
        left: a formula.
        right: another in the same free indices.
        assuming: further conditions on sizes and indices, such as ``equal("S", 1)``.
        steps: what the answer may cost, counted and not timed; about a third of a microsecond each.
        comparing: how many of them may go into comparing both sides at small sizes before a proof is tried; a part of
            them unless said. Few do where the two are expected to be equal.

    Returns:
        A verdict: "proved" with a bijection and its obligations; "exact" where there is one size only and the sides
        are identical there; "refuted" with the smallest example; else "undecided". Where windows may lie in the
        padding alone, an average or a maximum over them has no value, where a size or an index may be 0, what is
        divided by it has none, and so it is where a logarithm may be of what is not positive, or a derivative at a
        kink: what holds then holds under that condition.

    Raises:
        ArgumentError: where the two do not speak of the same indices and tensors.

    >>> from symconv.operators.convolution import Conv
    >>> layer = Conv(3, ndim=1).generic()
    >>> verdict = prove(layer.gradient("input"), layer.gradient("input", index_base=1))
    >>> verdict.status, str(verdict.scope)
    ('proved', 'for all I, K, S, P, D')
    """
    for argument, side in (("left", left), ("right", right)):
        instance(argument, side, Formula, "must be a formula, such as Conv(3).output()")
    given = iterable_of("assuming", assuming, Guard, "must be conditions, such as (equal('S', 1),)")
    effort = Effort(plain_integer("steps", steps, 1))
    comparing = None if comparing is None else plain_integer("comparing", comparing, 0)
    statement = of_formulas(left, right, given)
    needs = open_needs(statement, effort.part(1, 8))
    verdict = prove_statement(statement.with_needs(needs) if needs else statement, effort=effort, comparing=comparing)
    if needs and verdict.holds:
        verdict = replace(verdict, conditions=tuple(dict.fromkeys(map(said_of, needs))))
    if {left.quantity.kind, right.quantity.kind} & {"derivative", "gradient"}:
        verdict = replace(verdict, record=preceded_by(verdict.record, "derivatives"))
    return verdict


def prove_statement(
    statement: Statement,
    *,
    effort: Effort | None = None,
    first: int = FIRST_SIZES,
    more: int | None = None,
    comparing: int | None = None,
) -> Verdict:
    """`prove` for a statement.

    Args:
        statement: what is to be decided.
        effort: what the answer may cost; where it is not enough the verdict is "undecided" and says so.
        first: how many sizes are compared before a proof is tried.
        more: how many after it has failed; by default fewer where a size takes long.
        comparing: what the sizes before the proof may cost, as for `prove`.
    """
    start = perf_counter()
    if more is None:
        more = MORE_SIZES if is_polynomial(statement.left) and is_polynomial(statement.right) else SLOW_SIZES
    effort = Effort() if effort is None else effort
    verdict = _prove(statement, effort, first, more, comparing)
    scope = VerdictScope(statement.parameters, statement.fixed)
    return replace(verdict, scope=scope, hypotheses=statement.all_hypotheses, seconds=perf_counter() - start)


def _prove(statement: Statement, effort: Effort, first: int, more: int, comparing: int | None) -> Verdict:
    search = Search(statement, effort)
    looking = effort.part(1, 8 if search.polynomial else 24)
    if comparing is not None:
        looking = Effort(min(comparing, looking.left), effort)
    trace = Trace()
    problem: str | None = None
    tried = not statement.parameters  # one size only: a proof costs the same at every size, a comparison does not
    seen = told_apart(statement, effort.part(1, 8)) if tried else None
    if tried:
        search.look()
    if tried and seen is None:
        proof, problem = bijection_proof(statement, trace, effort.part(1, 2), search)
        if proof is not None:
            return _held(statement, proof, trace, search)
    # A proof costs the same whatever the window, a comparison entry by entry does not: it goes no further than that.
    found = search.run(first, looking)
    if found is None and seen is not None:  # there are too many entries to look for the simplest example
        found = search.at(seen.env, seen.place, effort.part(1, 2))
        problem = "the two sides differ, but no example with small numbers was found"
    if found is None and search.instance is None:
        found = search.run(more, effort.part(1, 2))  # hypotheses on indices may leave the smallest sizes empty
    if found is None:
        if not tried:
            proof, problem = bijection_proof(statement, trace, effort.part(2, 3), search)
            if proof is not None:
                return _held(statement, proof, trace, search)
        if search.instance is None:
            return Verdict("undecided", explanation=problem or "", obligations=trace.furthest())
        exact = _exact(statement, search, effort.part(1, 2))
        if exact is not None:
            return exact
        found = search.run(more)
        if found is None:
            sizes = "size" if search.tried == 1 else f"{search.tried} smallest sizes"
            reason = f"No proof was found ({problem}), and no difference at the {sizes}."
            if not effort.left:
                reason += f" All {effort.limit:,} steps that one question may cost have been taken."
            if not search.conclusive:
                reason += " There, examples with small numbers were compared, which is less than all tensors."
            return Verdict(
                "undecided",
                explanation=reason,
                obligations=trace.furthest(),
                sizes=search.tried,
                instance=search.instance,
                method="search",
            )
    return Verdict(
        "refuted",
        counterexample=found,
        explanation=f"The two sides differ: at {found}.",
        method="search",
        sizes=search.tried,
        instance=search.instance or {},
    )


def _held(statement: Statement, proof: Equality, trace: Trace, search: Search) -> Verdict:
    symbolic = bool(statement.parameters)
    instance = search.instance or {}
    where = ", ".join(f"{name} = {value}" for name, value in instance.items())
    matches = proof.sums.matches
    text = "The terms of both sides match one to one." if matches else "Both sides are zero or equal term by term."
    if proof.sums.overlaps:
        text = "The terms of both sides cancel point by point."
    if proof.sums.rules:
        text += f" Both sides were rewritten first ({', '.join(proof.sums.rules)})."
    if symbolic:
        text += f" The hypotheses can be met, for instance by {where}."
    return Verdict(
        "proved" if symbolic else "exact",
        explanation=text,
        bijection=matches,
        obligations=tuple(trace.done),
        method="bijection",
        sizes=search.tried,
        instance=instance,
        record=None if trace.presumed else proof,
    )


def _exact(statement: Statement, search: Search, effort: Effort) -> Verdict | None:
    """The verdict on a statement about one size, where its two sides are identical there."""
    if statement.parameters:
        return None
    env = {name: int(value.evaluate({})) for name, value in statement.definitions}
    try:
        answer = identity_at(statement, env, effort)
    except (SizeLimitError, OutOfEffort, ZeroDivisionError):  # the last: an index divides, and is 0 at some entry
        return None
    if answer != "equal":
        return None
    polynomial = search.conclusive
    return Verdict(
        "exact",
        explanation=(
            "All entries are the same polynomials in the tensors' entries."
            if polynomial
            else "All entries have the same normal form."
        ),
        method="polynomial identity" if polynomial else "normal forms",
        sizes=1,
        instance=search.instance or {},
    )


def bijection_proof(
    statement: Statement, trace: Trace, effort: Effort, search: Search
) -> tuple[Equality | None, str | None]:
    """A proof for all sizes, or why there is none."""
    try:
        problem = _unmet(statement, effort, search)
        if problem is not None:
            return None, problem
        try:
            return _matched(statement, trace, effort), None
        except NotShown as failure:
            pinned = _pinned(statement)
            if pinned is None:
                return None, str(failure)
            proof = _matched(pinned, trace, effort)
            trace.presumed = True  # no certificate: its statement is about the index, whose one value was put in
            return proof, None
    except NotShown as failure:
        return None, str(failure)
    except OutOfEffort:
        return None, f"{effort.limit:,} steps were not enough to match the terms"


def _pinned(statement: Statement) -> Statement | None:
    """The statement with the only value of an index put in for it on both sides; None where every index moves.

    An index of a kernel with one tap is an example: ``m`` in ``1 .. 1`` is 1, also inside a rounded quotient.
    """
    env = {b.name: b.lower for b in statement.free if b.lower == b.upper and not b.lower.names & set(statement.indices)}
    left, right = (substitute(side, env) for side in (statement.left, statement.right))
    return None if (left, right) == (statement.left, statement.right) else replace(statement, left=left, right=right)


def _matched(statement: Statement, trace: Trace, effort: Effort) -> Equality:
    """A proof for all sizes.

    Raises:
        NotShown: where there is none.
        OutOfEffort: where none was found with so much effort.
    """
    ranges: list[Guard] = []
    for mine, theirs in zip(statement.free, statement.other_free, strict=True):
        ranges += [Guard("eq", mine.lower - theirs.lower), Guard("eq", mine.upper - theirs.upper)]
    names = {b.name for b in statement.free} | set(statement.parameters) | {n for n, _ in statement.definitions}
    solver = Solver(effort)
    sizes = Context(statement.on_sizes, {}, statement.reals, names, solver, trace)
    sizes.require("both sides have the same range of indices", sizes.stated(ranges))
    same_boxes = sizes.stated(guard for _, guard in statement.agreements)
    sizes.check_quotients()
    sizes.require("both sides mean the same tensors", same_boxes)
    filled = given_windows(statement)
    context = Context(statement.all_hypotheses, statement.boxes, statement.reals, names, solver, trace, filled)
    sums = equal_sums(statement.left, statement.right, context)
    return Equality(statement, sums, context.quotients.defined())


def _unmet(statement: Statement, effort: Effort, search: Search) -> str | None:
    """Why nothing may be concluded: the hypotheses are not known to be satisfiable. None where they are."""
    if search.instance is not None:
        return None
    trace = Trace()
    context = Context(statement.all_hypotheses, {}, statement.reals, (), Solver(effort), trace)
    try:
        context.impossible("the hypotheses contradict each other")
    except NotShown:
        return "no size was found at which the hypotheses hold, so a proof would say nothing"
    return "the hypotheses contradict each other, so a proof would say nothing"
