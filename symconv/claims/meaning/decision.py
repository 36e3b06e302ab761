"""The verdict on two sides that may have no value somewhere: what differs first, then what is missing or undefined.

In this order: where both sides are defined and differ, the line is refuted. Else an entry that does not exist refutes
it, where the line itself runs past its tensor. Else a line that is false by the conventions that it leaves unsaid is
refuted under those which count at the example. Else what is undefined by the line's own arithmetic is an error. Else a
line that is true, with these conventions, holds under them as conditions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, product
from math import prod
from typing import Any

from symconv.claims.meaning.obligations import ClaimNeed, End
from symconv.claims.meaning.repair import said
from symconv.formulas.algebra import Bound, Guard, nonnegative
from symconv.formulas.effort import Effort, OutOfEffort
from symconv.formulas.index import Index
from symconv.formulas.radicals import UndecidedNumberError
from symconv.proofs.exact import At
from symconv.proofs.goals import prove_goal
from symconv.proofs.needs import Inside, Need, Otherwise, failure, known_on
from symconv.proofs.prove import FIRST_SIZES, prove_statement
from symconv.proofs.refutation import Search, filled, no_value, small_fillings
from symconv.proofs.screening import told_apart
from symconv.proofs.signs import is_met
from symconv.proofs.sizes import assignments
from symconv.proofs.smt import Solver
from symconv.proofs.statement import Statement
from symconv.proofs.verdict import Counterexample, Verdict, VerdictScope

__all__ = ["decide", "wrong_ends"]

SIZES = 300  # at which something undefined is looked for, where it was not shown that there is nothing
POINTS = 5_000  # of free indices at the declared size that are gone through for one need
PLACE = 60  # steps to look at one need at one place


def decide(
    statement: Statement,
    obliged: Sequence[ClaimNeed],
    *,
    reals: frozenset[str] = frozenset(),
    order: Sequence[str] = (),
    letters: Sequence[str] = (),
    effort: Effort | None = None,
    quick: bool = False,
) -> Verdict:
    """The verdict on a statement under everything that its sides need.

    Args:
        statement: the two sides, without needs.
        obliged: what they need.
        reals: names that are real numbers in the needs, such as the order of a norm.
        order: sizes in the order in which they are enumerated.
        letters: tensors that have no negative entry.
        effort: what the verdict may cost.
        quick: a few values come first, and a proof only where they agree; after one that failed no example is searched
            for.
    """
    effort = Effort() if effort is None else effort
    known = statement.all_hypotheses
    solved = dict(statement.solved)
    obliged = [replace(one, need=one.need.subs(solved)) for one in obliged]
    if quick:  # where all needs are met, which ones ever fail need not be known
        strict = statement.with_needs((one.need for one in obliged), order) if obliged else statement
        if told_apart(strict, effort.part(1, 4), nonnegative=letters) is not None:
            return Verdict("refuted", explanation="The two sides have different values.", method="search")
    solver = Solver(effort.part(1, 3))
    open_ones = [
        one for one in obliged if not is_met(one.need, known, reals, solver) and not _is_met_at(statement, one.need)
    ]
    strict = statement.with_needs((one.need for one in open_ones), order) if open_ones else statement
    if not open_ones:
        return _proved(statement, effort, quick)
    found = Search(strict, effort).run(FIRST_SIZES, effort.part(1, 4))
    if found is not None:
        return _verdict(strict, "refuted", f"The two sides differ: at {found}.", found)
    silent = [one for one in open_ones if one.unmet == "silent"]
    spoken = replace(strict, needs=tuple(one.need for one in silent))  # where the line says anything
    missing = [one for one in open_ones if one.unmet == "missing"]
    gap = _missing(spoken, missing, effort.part(1, 4))
    if gap is not None:
        return gap
    undefined = [one for one in open_ones if one.unmet == "undefined"]
    loose = replace(strict, needs=tuple(one.need for one in (*undefined, *silent)))
    verdict = _proved(loose, effort.part(2, 3), quick)
    if verdict.status == "refuted":
        conventions = [one for one in open_ones if one.unmet == "convention"]
        return replace(verdict, conditions=_rests_on(verdict.counterexample, loose, conventions, effort))
    fault = _undefined(spoken, undefined, effort)
    if fault is not None:
        return _verdict(loose, "error", fault)
    if not verdict.holds:
        return verdict
    if missing or undefined:
        doubts = " and ".join(dict.fromkeys(one.doubt for one in (*missing, *undefined)))
        text = f"{doubts[0].upper()}{doubts[1:]} was not decided."
        return replace(verdict, status="undecided", explanation=text, record=None)
    return replace(verdict, conditions=tuple(dict.fromkeys(one.condition for one in open_ones)))


def _rests_on(
    counter: Counterexample | None, statement: Statement, conventions: Sequence[ClaimNeed], effort: Effort
) -> tuple[str, ...]:
    """The conventions by which the two sides have a value at a counterexample; all that may count, if that is dear."""
    if counter is None:
        return ()
    at = At(statement, counter.sizes, effort)
    point = tuple(counter.indices[name] for name in statement.indices if name in counter.indices)
    read = filled({(name, index): value for name, own in counter.tensors.items() for index, value in own.items()})

    def decides(one: ClaimNeed) -> bool:
        try:
            if one.need.of_values:
                return no_value(at, [one.need], point, read) is not None
            return failure(one.need, {**counter.sizes, **counter.indices}, effort) is not None
        except (OutOfEffort, UndecidedNumberError):
            return True

    return tuple(dict.fromkeys(one.condition for one in conventions if decides(one)))


def _is_met_at(statement: Statement, need: Need) -> bool:
    """Whether a need of indices is met at the only size that there is, by going through its points."""
    if statement.parameters or need.of_values:
        return False
    env = {name: int(value.evaluate({})) for name, value in statement.definitions}
    ranges = zip(statement.indices, At(statement, env).ranges(), strict=True)
    if prod(max(high - low + 1, 1) for name, (low, high) in ranges if name in need.names) > POINTS:
        return False
    try:
        return _failing(statement, env, [need], Effort()) is None
    except OutOfEffort:
        return False


def wrong_ends(
    obliged: Sequence[ClaimNeed], known: Sequence[Guard], reals: frozenset[str], effort: Effort
) -> list[End]:
    """The ends of sums that lead to an entry which does not exist, or are not shown to end before it."""
    solver = Solver(effort)
    return [
        end
        for one in obliged
        for end in one.ends
        if not is_met(Need(one.need.path, Inside((nonnegative(end.room),))), known, reals, solver)
    ]


def _proved(statement: Statement, effort: Effort, quick: bool) -> Verdict:
    return prove_statement(statement, effort=effort, more=0 if quick else None)


def _verdict(statement: Statement, status: Any, text: str, counter: Counterexample | None = None) -> Verdict:
    scope = VerdictScope(statement.parameters, statement.fixed)
    return Verdict(status, scope, statement.all_hypotheses, counter, text, method="search")


# ---------------------------------------------------------------------- entries that do not exist


def _missing(statement: Statement, obliged: Sequence[ClaimNeed], effort: Effort) -> Verdict | None:
    """The verdict that an entry does not exist, with the smallest sizes and indices at which it is read."""
    if not obliged:
        return None
    for env in _sizes(statement, effort):
        try:
            place = _failing(statement, env, [one.need for one in obliged], effort)
        except OutOfEffort:
            return None
        if place is None:
            continue
        number, where = place
        one = obliged[number]
        assert one.entry is not None
        access, box = one.entry
        indices = one.need.names.union(*(index.names for index in access.index))
        for step in reversed(one.need.path):  # and the outer indices that a range of one of these speaks of
            if isinstance(step, Bound) and step.name in indices:
                indices |= step.lower.names | step.upper.names
        indices -= env.keys()
        counter = Counterexample(
            statement.at_size(env),
            {name: value for name, value in where.items() if name in indices},
            {},
            {access.tensor: tuple((int(low.evaluate(env)), int(high.evaluate(env))) for low, high in box)},
            what="no such entry",
            entry=(access.tensor, tuple(int(index.evaluate(where)) for index in access.index)),
        )
        text = f"It reads an entry that does not exist: at {counter}."
        wrong = said(end for end in one.ends if end.room.evaluate(where) < 0)
        return _verdict(statement, "refuted", f"{text} {wrong}." if wrong else text, counter)
    return None


def _sizes(statement: Statement, effort: Effort) -> Iterator[dict[str, int]]:
    """The sizes of a statement in ascending order."""
    own = set(statement.indices)
    found = assignments(
        statement.parameters,
        [guard for guard in statement.hypotheses if not guard.names & own],
        definitions=statement.definitions,
        positive=statement.denominators(),
        effort=effort,
    )
    return islice(found, SIZES)


def _failing(
    statement: Statement, env: Mapping[str, int], needs: Sequence[Need], effort: Effort
) -> tuple[int, dict[str, int]] | None:
    """The first point at a size at which a need of indices is not met, and its number among them.

    Raises:
        OutOfEffort: where a path has too many points, or there are too many places.
    """
    ranges = At(statement, env).ranges()
    if any(high < low for low, high in ranges):
        return None
    names = frozenset().union(*(need.names for need in (*needs, *statement.needs)))
    some = [  # an index that no need speaks of stands at its first value
        range(low, high + 1 if name in names else low + 1)
        for name, (low, high) in zip(statement.indices, ranges, strict=True)
    ]
    for point in product(*some):
        effort.spend(PLACE * len(needs))
        if statement.needs and not At(statement, env, effort).allows(point):
            continue
        here = {**env, **dict(zip(statement.indices, point, strict=True))}
        for number, need in enumerate(needs):
            where = failure(need, here, effort)
            if where is not None:
                return number, where
    return None


# ---------------------------------------------------------------------- arithmetic without a value


def _undefined(statement: Statement, obliged: Sequence[ClaimNeed], effort: Effort) -> str | None:
    """What is undefined, and the smallest sizes, indices and entries at which it is; None where none was found.

    Args:
        statement: with the needs at whose points alone it says something.
        obliged: what may be undefined there.
    """
    if not obliged:
        return None
    plain = [one for one in obliged if not one.need.of_values]
    powers = [one for one in obliged if one.need.of_values]
    try:
        found = _undefined_at_first(statement, plain, powers, effort.part(1, 2))
    except OutOfEffort:
        found = None
    return found or next((text for one in plain if (text := _far_away(statement, one, effort)) is not None), None)


def _undefined_at_first(
    statement: Statement, plain: Sequence[ClaimNeed], powers: Sequence[ClaimNeed], effort: Effort
) -> str | None:
    for env in _sizes(statement, effort):
        place = _failing(statement, env, [one.need for one in plain], effort)
        if place is not None:
            one, where = plain[place[0]], place[1]
            return _says(one, {name: where[name] for name in where if name in _speaks_of(one.need)})
        at = At(statement, env, effort)
        for point, filling in small_fillings(at) if powers else ():
            try:
                found = no_value(at, [one.need for one in powers], point, filled(filling))
            except UndecidedNumberError:
                continue
            if found is not None:
                one = next(one for one in powers if one.need is found[0])
                entries = [
                    f"{name}[{', '.join(map(str, index))}] = {v}" for (name, index), v in sorted(filling.items())
                ]
                rest = f"{', '.join(entries)} and all other entries 0" if entries else "all entries 0"
                return _says(one, {**statement.at_size(env), **_free(found[1], env)}, rest)
    return None


def _free(where: Mapping[str, int], env: Mapping[str, int]) -> dict[str, int]:
    return {name: value for name, value in where.items() if name not in env}


def _says(one: ClaimNeed, where: Mapping[str, int], entries: str = "") -> str:
    place = ", ".join(f"{name} = {value}" for name, value in where.items()) or "the given size"
    return f"{one.fault} at {place}{f', with {entries}' if entries else ''}"


def _speaks_of(need: Need) -> frozenset[str]:
    """The names that decide whether a need is met: those of its demand and of the conditions on its path."""
    guards = [step for step in need.path if isinstance(step, Guard)]
    if need.demand == Inside((nonnegative(-1),)):  # a place that must not be reached: by an equation, or by all cases
        others = [guard for step in need.path if isinstance(step, Otherwise) for guard in step.guards]
        last = need.path[-1:] and isinstance(need.path[-1], Otherwise)
        return frozenset().union(*(guard.names for guard in (others if last else guards[-1:])))
    return Need((), need.demand).names.union(*(guard.names for guard in guards))


def _far_away(statement: Statement, one: ClaimNeed, effort: Effort) -> str | None:
    """An example beyond the smallest sizes, where an equation tells what it must be: P = 100 for 1/(P - 100)."""
    for way in known_on(one.need.path, statement.all_hypotheses):
        demand = one.need.demand
        if not isinstance(demand, Inside):
            return None
        for guard in demand.guards:
            if guard.kind != "ge":
                continue
            against = [] if guard.truth is False else [nonnegative(-guard.expr - 1)]
            # what the path adds comes first: its equations are solved, and the other names enumerated
            aims = [nonnegative(Index.of(-1))]
            example = prove_goal([*against, *reversed(way)], aims, effort=effort.part(1, 2)).counterexample
            if example is not None:
                own = _speaks_of(one.need)
                return _says(one, {name: value for name, value in example.sizes.items() if name in own})
    return None
