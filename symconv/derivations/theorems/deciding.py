"""A proposition handed to the prover: its names spelled out, its equations solved, and every clause decided.

Source of each rule: arithmetic of sizes goes to `symconv.proofs.goals`, equality of entries to `symconv.proofs.prove`.
The verdict is that of the whole conjunction. Nothing else is supposed than what the proposition prints.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from symconv.derivations.theorems.proposition import (
    Clause,
    Condition,
    Divides,
    Iff,
    Let,
    Partial,
    Proposition,
    Relation,
    Side,
    is_arithmetic,
)
from symconv.formulas.algebra import ONE, Absolute, Access, Bound, Compare, Guard, Node, between, summation
from symconv.formulas.calculus import differentiate
from symconv.formulas.effort import Effort
from symconv.formulas.functions import has_domain
from symconv.formulas.index import Index
from symconv.formulas.substitution import substitute
from symconv.formulas.walks import transform, walk

if TYPE_CHECKING:
    from symconv.proofs.statement import Statement
    from symconv.proofs.verdict import Counterexample, Verdict

__all__ = ["all_of", "decide", "expanded", "guards_of", "statement_of"]

WEAKEST_FIRST = ("refuted", "error", "undecided", "exact", "proved")


def decide(proposition: Proposition) -> Verdict:
    """The verdict on all clauses together: as weak as the weakest, with what all of them rest on."""
    verdicts: list[Verdict] = []
    for clause in proposition.clauses:
        arithmetic = [part for part in clause.then if is_arithmetic(part)]
        verdicts += _arithmetic(proposition, clause, arithmetic)
        for part in clause.then:
            if part not in arithmetic:
                verdicts += _entries(proposition, clause, part)
        if verdicts and verdicts[-1].status == "refuted":
            break
    return all_of(verdicts)


# ---------------------------------------------------------------------- arithmetic of sizes


def _arithmetic(proposition: Proposition, clause: Clause, parts: Sequence[Condition]) -> list[Verdict]:
    from symconv.proofs.goals import prove_equivalent, prove_goal

    spell = _Spelled(proposition, clause)
    found: list[Verdict] = []
    goals = [guard for part in parts if not isinstance(part, Iff) for guard in guards_of(part)]
    if goals:
        found.append(prove_goal(spell.given, spell(goals), order=spell.order))
    for part in parts:
        if isinstance(part, Iff):
            sides = [spell(guard for entry in side for guard in guards_of(entry)) for side in (part.left, part.right)]
            found.append(prove_equivalent(spell.given, *sides, order=spell.order))
    return [replace(verdict, scope=spell.scope(verdict)) for verdict in found]


class _Spelled:
    """The conditions of a clause with sizes and equations put in: ``s = 1`` puts 1 in for s."""

    def __init__(self, proposition: Proposition, clause: Clause) -> None:
        self.order = [entry.name for entry in (*proposition.integers, *clause.ranges)]
        self._env: dict[str, Index] = {}
        for let in proposition.sizes:
            assert let.size is not None
            self._env[let.name] = let.size.subs(self._env)
        conditions = [*proposition.given, *clause.given]
        guards = [guard for entry in (*proposition.integers, *clause.ranges) for guard in entry.guards()]
        guards += [guard for part in conditions for guard in guards_of(part)]
        self._solved: dict[str, Index] = {}
        self.given = self._solve(self(guards))

    def __call__(self, guards: Iterable[Guard]) -> tuple[Guard, ...]:
        return tuple(guard.subs(self._env).subs(self._solved) for guard in guards)

    def _solve(self, guards: tuple[Guard, ...]) -> tuple[Guard, ...]:
        while True:
            step = next((found for guard in guards if (found := _solution(guard)) is not None), None)
            if step is None:
                return tuple(guard for guard in guards if guard.truth is not True)
            env = dict([step])
            self._solved = {**{name: value.subs(env) for name, value in self._solved.items()}, **env}
            guards = tuple(guard.subs(env) for guard in guards)
            guards = tuple(guard for guard in guards if guard.kind != "eq" or guard.truth is not True)

    def scope(self, verdict: Verdict) -> VerdictScope:
        """The scope of a verdict, with the sizes that an equation fixes."""
        from symconv.proofs.verdict import VerdictScope

        fixed = tuple((name, value.value) for name, value in self._solved.items() if value.value is not None)
        return VerdictScope(verdict.scope.symbolic, fixed)


if TYPE_CHECKING:
    from symconv.proofs.verdict import VerdictScope


def _solution(guard: Guard) -> tuple[str, Index] | None:
    """The name that an equation gives by others."""
    if guard.kind != "eq" or guard.truth is not None:
        return None
    for name in sorted(guard.names):
        split = guard.expr.linear_in(name)
        if split is not None and split[0].value in (1, -1):
            return name, -split[1] if split[0].value == 1 else split[1]
    return None


def guards_of(condition: Condition) -> tuple[Guard, ...]:
    """An arithmetic condition, no equivalence, as guards."""
    assert isinstance(condition, Relation | Divides)
    return condition.guards()


# ---------------------------------------------------------------------- entries of arrays


def _entries(proposition: Proposition, clause: Clause, part: Condition) -> list[Verdict]:
    """Relations between entries, link by link."""
    from symconv.proofs.prove import prove_statement
    from symconv.proofs.record import preceded_by
    from symconv.proofs.verdict import Verdict
    from symconv.proofs.windows import open_needs, said_of

    if not isinstance(part, Relation) or not all(is_arithmetic(given) for given in proposition.given):
        return [Verdict("undecided", explanation="No rule decides a statement of this form.")]
    found = []
    for left, sign, right in part.links():
        statement = statement_of(proposition, clause, left, sign, right)
        if any(has_domain(node) for side in (statement.left, statement.right) for node in walk(side)):
            needs = open_needs(statement, Effort())
            if needs:
                words = ", and ".join(dict.fromkeys(map(said_of, needs)))
                return [Verdict("undecided", explanation=f"Not known where the sides have a value: {words}.")]
        verdict = prove_statement(statement)
        verdict = replace(verdict, counterexample=_shown(proposition, verdict.counterexample))
        if _derives(proposition, (left, right)):
            verdict = replace(verdict, record=preceded_by(verdict.record, "derivatives"))
        found.append(verdict)
    return found


def _derives(proposition: Proposition, sides: Iterable[Side]) -> bool:
    """Whether a derivative is worked out before the sides are compared."""
    return any(isinstance(side, Partial) for side in (*sides, *(let.value for let in proposition.lets)))


def statement_of(proposition: Proposition, clause: Clause, left: Side, sign: str, right: Side) -> Statement:
    """One relation of a clause as the statement that the prover takes, under all that is supposed."""
    from symconv.proofs.statement import Statement

    one, two = (expanded(proposition, side) for side in (left, right))
    if sign != "=":
        one, two = Compare(*((one, ">=", two) if sign == ">=" else (two, ">=", one))), ONE
    free = [Bound(r.name, r.lower, r.upper) for r in clause.ranges if r.lower is not None and r.upper is not None]
    open_ = [r for r in clause.ranges if r.lower is None or r.upper is None]
    guards = [guard for entry in (*proposition.integers, *open_) for guard in entry.guards()]
    guards += [guard for part in (*proposition.given, *clause.given) for guard in guards_of(part)]
    guards += [wider for guard in guards for wider in _widened(guard, free)]
    return Statement.of(
        one,
        two,
        free,
        {array.name: tuple((b.lower, b.upper) for b in array.ranges) for array in proposition.arrays},
        guards,
        definitions=[(let.name, let.size) for let in proposition.sizes if let.size is not None],
        order=[entry.name for entry in proposition.integers],
    )


def _widened(guard: Guard, free: Sequence[Bound]) -> tuple[Guard, ...]:
    """What a condition on indices says of sizes: ``p + 1 <= O - 1`` with p >= 0 that 1 <= O - 1.

    It follows, and is said so that the search for an instance need not look at sizes where no index meets it.
    """
    if guard.kind != "ge":
        return ()
    expr = guard.expr
    for bound in reversed(free):
        split = expr.linear_in(bound.name)
        if split is None or split[0].value is None:
            return ()
        expr = expr.subs({bound.name: bound.lower if split[0].value < 0 else bound.upper})
    return () if expr == guard.expr else (Guard("ge", expr),)


def expanded(proposition: Proposition, side: Side) -> Node:
    """A side with every named array replaced by its value, and every derivative worked out."""
    lets = {let.name: let for let in proposition.lets}
    signed = {array.name for array in proposition.arrays if array.nonnegative}
    node = _expanded(side, lets)
    if signed:  # |x| runs through all numbers >= 0 as x runs through all
        node = transform(node, lambda n: Absolute(n) if isinstance(n, Access) and n.tensor in signed else None)
        node = transform(node, lambda n: n.arg if isinstance(n, Absolute) and isinstance(n.arg, Absolute) else None)
    return node


def _expanded(side: Side, lets: Mapping[str, Let]) -> Node:
    if isinstance(side, Partial):
        whole = _expanded(side.of, lets)
        return differentiate(whole, side.by.tensor, side.by.index)

    def change(node: Node) -> Node | None:
        if not isinstance(node, Access) or node.tensor not in lets:
            return None
        let = lets[node.tensor]
        at = dict(zip(let.indices, node.index, strict=True))
        value = substitute(_expanded(let.value, lets), at)
        bounds = [guard.subs(at) for b in let.ranges for guard in between(b.lower, b.name, b.upper)]
        return summation(value, guards=bounds)

    return transform(side, change)


def _shown(proposition: Proposition, found: Counterexample | None) -> Counterexample | None:
    """A counterexample with the entries that are meant: those of a nonnegative array without their signs."""
    signed = {array.name for array in proposition.arrays if array.nonnegative}
    if found is None or not signed:
        return found
    tensors = {
        name: {index: abs(value) for index, value in entries.items()} if name in signed else entries
        for name, entries in found.tensors.items()
    }
    return replace(found, tensors=tensors)


# ---------------------------------------------------------------------- conjunctions


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """One verdict on a conjunction: the weakest status, and the hypotheses, bijections and obligations of all."""
    from symconv.proofs.record import conjunction

    given = tuple(verdicts)
    weakest = min(given, key=lambda verdict: WEAKEST_FIRST.index(verdict.status))
    if len(given) == 1:
        return weakest
    methods = dict.fromkeys(verdict.method for verdict in given if verdict.method)
    texts = dict.fromkeys(verdict.explanation for verdict in given if verdict.explanation)
    alike = weakest.status == "proved"
    return replace(
        weakest,
        scope=_joined([verdict.scope for verdict in given]),
        hypotheses=tuple(dict.fromkeys(guard for verdict in given for guard in verdict.hypotheses)),
        explanation=" ".join(texts) if alike else weakest.explanation,
        bijection=tuple(match for verdict in given for match in verdict.bijection),
        obligations=tuple(dict.fromkeys(entry for verdict in given for entry in verdict.obligations)),
        method=", ".join(methods) if alike else weakest.method,
        sizes=sum(verdict.sizes for verdict in given),
        seconds=sum(verdict.seconds for verdict in given),
        record=conjunction(verdict.record for verdict in given) if alike else None,
    )


def _joined(scopes: Iterable[VerdictScope]) -> VerdictScope:
    """The parameters of all scopes; one that a part leaves symbolic and another fixes is fixed."""
    from symconv.proofs.verdict import VerdictScope

    given = tuple(scopes)
    fixed = dict.fromkeys(pair for scope in given for pair in scope.fixed)
    held = {name for name, _ in fixed}
    return VerdictScope(
        tuple(dict.fromkeys(n for scope in given for n in scope.symbolic if n not in held)), tuple(fixed)
    )
