"""The arithmetic of sizes: integer conditions that follow from others, such as "output size = placements that fit"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from time import perf_counter

from symconv.formulas.algebra import Guard
from symconv.formulas.effort import Effort, OutOfEffort
from symconv.formulas.index import Index
from symconv.proofs.context import Context, NotShown, Trace
from symconv.proofs.obligation import condition
from symconv.proofs.record import Equivalence, Goal
from symconv.proofs.sizes import assignments, denominators, holds
from symconv.proofs.smt import Solver
from symconv.proofs.statement import size_order
from symconv.proofs.verdict import Counterexample, Verdict, VerdictScope

__all__ = ["follows", "prove_equivalent", "prove_goal"]

FIRST_SIZES = 60
MORE_SIZES = 4_000


def prove_goal(
    hypotheses: Iterable[Guard],
    goal: Iterable[Guard],
    *,
    reals: frozenset[str] = frozenset(),
    order: Sequence[str] = (),
    effort: Effort | None = None,
) -> Verdict:
    """Decide whether the hypotheses imply every guard of the goal, for all integers.

    Floors, ceilings and divisibility may occur on both sides; a denominator must be positive by the hypotheses.

    Args:
        hypotheses: what is given.
        goal: what is to follow, guard by guard.
        reals: names that are real numbers.
        order: names in the order in which numbers for them are enumerated in the search for a counterexample.
        effort: what the answer may cost; where it is not enough the verdict is "undecided" and says so.

    >>> from symconv.formulas.algebra import nonnegative
    >>> from symconv.formulas.index import floor
    >>> n, s = Index.of("n"), Index.of("s")
    >>> prove_goal([nonnegative(n), nonnegative(s - 1)], [nonnegative(n - s * floor(n, s))]).status
    'proved'
    >>> print(prove_goal([nonnegative(n), nonnegative(s - 1)], [nonnegative(s - 1 - n)]).counterexample)
    n = 1, s = 1: s >= n + 1 reads 1 on the left, 2 on the right
    """
    start = perf_counter()
    given, wanted = tuple(dict.fromkeys(hypotheses)), tuple(goal)
    verdict = _decide(given, wanted, reals, order, Effort() if effort is None else effort)
    record = Goal(given, wanted, reals) if verdict.status == "proved" else None
    return replace(verdict, hypotheses=given, seconds=perf_counter() - start, record=record)


def follows(
    hypotheses: Sequence[Guard],
    goal: Sequence[Guard],
    *,
    reals: frozenset[str] = frozenset(),
    solver: Solver | None = None,
) -> bool:
    """Whether it is shown that the hypotheses imply every guard of the goal.

    No example is looked for, and hypotheses that contradict each other imply everything: they say that a place is
    never reached.
    """
    known = set(hypotheses)
    wanted = [guard for guard in goal if guard.truth is not True and guard not in known]
    if not wanted:
        return True
    names = frozenset().union(*(g.names for g in (*hypotheses, *wanted)))
    try:
        context = Context(hypotheses, {}, reals, names, solver or Solver(), Trace())
        if any(guard.truth is False for guard in wanted):
            context.impossible("a place that is never reached")
            return True
        for guard in wanted:
            stated = context.stated([guard])
            context.check_quotients()
            context.require(condition(guard), stated)
    except (NotShown, OutOfEffort):
        return False
    return True


def prove_equivalent(
    hypotheses: Iterable[Guard],
    left: Iterable[Guard],
    right: Iterable[Guard],
    *,
    reals: frozenset[str] = frozenset(),
    order: Sequence[str] = (),
) -> Verdict:
    """Decide ``left if and only if right`` under the hypotheses, as two goals; the weaker verdict counts."""
    given, one, two = tuple(hypotheses), tuple(left), tuple(right)
    there = prove_goal([*given, *one], two, reals=reals, order=order)
    if there.status == "refuted":
        return replace(there, hypotheses=given, explanation=f"From left to right: {there.explanation}")
    back = prove_goal([*given, *two], one, reals=reals, order=order)
    if back.status == "refuted":
        return replace(back, hypotheses=given, explanation=f"From right to left: {back.explanation}")
    weaker = there if there.status == "undecided" else back
    return replace(
        weaker,
        hypotheses=given,
        scope=VerdictScope(tuple(dict.fromkeys(there.scope.symbolic + back.scope.symbolic))),
        obligations=there.obligations + back.obligations,
        sizes=there.sizes + back.sizes,
        seconds=there.seconds + back.seconds,
        explanation="Both directions follow." if weaker.status == "proved" else weaker.explanation,
        record=Equivalence(given, one, two, reals) if weaker.status == "proved" else None,
    )


def _decide(
    given: tuple[Guard, ...], wanted: tuple[Guard, ...], reals: frozenset[str], order: Sequence[str], effort: Effort
) -> Verdict:
    names = sorted(frozenset().union(*(g.names for g in (*given, *wanted))), key=lambda n: size_order(n, order))
    definitions = _definitions(given, order)
    own = {name for name, _ in definitions}
    free = [name for name in names if name not in own]
    scope = VerdictScope(tuple(free))
    sizes = assignments(
        free,
        [g for g in given if not _defines(g, definitions)],
        definitions=definitions,
        positive=denominators((), (*given, *wanted)),
        effort=effort,
    )
    candidates = _affordable(sizes)
    instance: dict[str, int] | None = None
    tried = 0
    trace, problem = Trace(), ""
    for stage, count in enumerate((FIRST_SIZES, MORE_SIZES)):
        for env in islice(candidates, count):
            instance = env if instance is None else instance
            failing = next((guard for guard in wanted if not holds(guard, env)), None)
            if failing is not None:
                found = _counterexample(failing, {name: env[name] for name in names})
                return Verdict(
                    "refuted",
                    scope,
                    counterexample=found,
                    explanation=f"It fails at {found}.",
                    method="search",
                    sizes=tried,
                    instance=instance,
                )
            tried += 1
        if stage == 0:
            problem = (
                _attempt(given, wanted, reals, trace, effort.part(2, 3)) if instance is not None else "no instance"
            )
            if not problem and instance is not None:
                where = ", ".join(f"{name} = {value}" for name, value in instance.items()) or "any number"
                return Verdict(
                    "proved",
                    scope,
                    obligations=tuple(trace.done),
                    method="arithmetic",
                    sizes=tried,
                    instance=instance,
                    explanation=f"It follows from the hypotheses, which hold for instance at {where}.",
                )
    if instance is None:
        text = "No numbers were found at which the hypotheses hold, so a proof would say nothing."
    else:
        text = f"No proof was found ({problem}), and no counterexample among the {tried} smallest sizes."
    return Verdict(
        "undecided", scope, explanation=text, obligations=trace.furthest(), sizes=tried, instance=instance or {}
    )


def _affordable(sizes: Iterator[dict[str, int]]) -> Iterator[dict[str, int]]:
    """The sizes up to the one at which the effort runs out."""
    try:
        yield from sizes
    except OutOfEffort:
        return


def _attempt(
    given: tuple[Guard, ...], wanted: tuple[Guard, ...], reals: frozenset[str], trace: Trace, effort: Effort
) -> str:
    """Why there is no proof; empty where there is one."""
    names = frozenset().union(*(g.names for g in (*given, *wanted)))
    try:
        context = Context(given, {}, reals, names, Solver(effort), trace)
        for guard in wanted:
            stated = context.stated([guard])
            context.check_quotients()
            context.require(condition(guard), stated)
    except NotShown as failure:
        return str(failure)
    except OutOfEffort:
        return f"{effort.limit:,} steps were not enough"
    return ""


def _definitions(given: Sequence[Guard], order: Sequence[str]) -> tuple[tuple[str, Index], ...]:
    """Names that an equation expresses by others: they are computed, not enumerated."""
    found: list[tuple[str, Index]] = []
    for guard in given:
        if guard.kind != "eq":
            continue
        taken = {name for name, _ in found}.union(*(value.names for _, value in found))
        for name in sorted(guard.names - taken, key=lambda n: size_order(n, order), reverse=True):
            split = guard.expr.linear_in(name)
            if split is not None and split[0].value in (1, -1):
                found.append((name, -split[1] if split[0].value == 1 else split[1]))
                break
    return tuple(found)


def _defines(guard: Guard, definitions: Sequence[tuple[str, Index]]) -> bool:
    return guard.kind == "eq" and any(guard.expr in (Index.of(n) - value, value - n) for n, value in definitions)


def _counterexample(guard: Guard, env: dict[str, int]) -> Counterexample:
    left = Index({key: value for key, value in guard.expr.terms.items() if value > 0})
    right = Index({key: -value for key, value in guard.expr.terms.items() if value < 0})
    if guard.kind == "div":
        assert guard.divisor is not None
        left, right = guard.expr, guard.divisor
    return Counterexample(env, {}, {}, {}, left.evaluate(env), right.evaluate(env), what=f"{condition(guard)} reads")
