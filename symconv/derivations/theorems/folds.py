"""Proofs for a window of any number of taps: its totals are followed from one tap to the next.

A proposition about arrays over taps 0 .. n - 1 is read tree by tree: every sum and maximum over all taps is a total, a
real number to the solver. What a total becomes when one more tap comes in at the end is worked out from its own tree:

- a maximum becomes the larger one of itself and of what the new tap gives;
- a sum becomes ``f`` times itself plus what the new tap gives, where each summand of an earlier tap is shown to become
  ``f`` times itself; ``f`` is 1, or whether the largest tap so far stays the largest;
- the maximum of the taps before a tap stays, that of the taps behind it takes the new tap in.

So every obligation is written from the trees of the proposition: that the invariants hold for one tap, that one more
tap keeps them, and that they imply what is said. Invariants are hints: where they do not do, nothing is proved.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from symconv.derivations.theorems.deciding import all_of, expanded
from symconv.derivations.theorems.proposition import AnyInteger, Every, Proposition, Relation
from symconv.derivations.theorems.recorded import on_record
from symconv.derivations.theorems.refuting import refuted
from symconv.derivations.theorems.stages import InductionPoint, StageScript, Tap, node_of
from symconv.derivations.theorems.taps import TAP, NotReadError, linear, total_of, totals_in
from symconv.derivations.theorems.writing import relation_text
from symconv.formulas.algebra import Bound, Node, Reduce
from symconv.formulas.index import Index
from symconv.formulas.naming import free_names

if TYPE_CHECKING:
    from symconv.proofs.obligation import Obligation
    from symconv.proofs.verdict import Verdict

__all__ = ["ByTaps", "Induction", "ranged_script"]

Outcome = Literal["proved", "failed", "unknown"]
NONE = ("false", "0.0")  # no tap, no maximum


@dataclass(frozen=True)
class ByTaps:
    """What decides a proposition about the taps of a window, by induction over their number.

    Attributes:
        invariants: what holds of the totals at every number of taps, beside the statement itself.
        itself: whether the statement holds at every number of taps, and so is an invariant too.
        lemmas: what is known of the sizes, and proved elsewhere.
    """

    invariants: tuple[Relation, ...] = ()
    itself: bool = False
    lemmas: tuple[Relation, ...] = ()

    def __call__(self, proposition: Proposition) -> Verdict:
        """The verdict on all clauses."""
        verdicts = []
        for clause in proposition.clauses:
            taps = tuple(entry for entry in clause.ranges if _is_tap(entry))
            sizes = tuple(entry for entry in clause.ranges if entry not in taps)
            inner = replace(
                proposition,
                integers=(*proposition.integers, *sizes),
                given=(*proposition.given, *clause.given),
                clauses=(replace(clause, ranges=taps, given=()),),
            )
            for part in clause.then:
                assert isinstance(part, Relation)
                verdicts.append(self.relation(inner, part, taps))
        return on_record(all_of(verdicts), proposition)

    def relation(self, proposition: Proposition, relation: Relation, taps: tuple[AnyInteger, ...] = ()) -> Verdict:
        """One relation under all that is given, for every tap that it names."""
        from symconv.proofs.verdict import Verdict, VerdictScope

        scope = VerdictScope(tuple(entry.name for entry in proposition.numbers))
        try:
            obligations, problem = Induction(self, proposition, relation, tuple(entry.name for entry in taps)).run()
        except NotReadError as other:
            obligations, problem = [], f"the statement has {other}"
        if not problem:
            text = "By induction over the taps: what holds of every summand holds of the sum."
            return Verdict(
                "proved", scope, explanation=text, obligations=tuple(obligations), method="induction over the taps"
            )
        found = refuted(proposition, relation, taps)
        if found is not None:
            return replace(found, scope=scope)
        return Verdict(
            "undecided",
            scope,
            explanation=f"Not shown: {problem}.",
            obligations=tuple(obligations),
            method="induction over the taps",
        )


def ranged_script(proposition: Proposition) -> StageScript:
    """A script in which every integer and real number is in its range."""
    script = StageScript()
    stage = InductionPoint(script, script.real("n"), {})
    for entry in proposition.numbers:
        name = script.real(entry.name)
        if entry.lower is not None:
            script.given.append(f"(>= {name} {stage.index(entry.lower)})")
        if isinstance(entry, AnyInteger) and entry.upper is not None:
            script.given.append(f"(<= {name} {stage.index(entry.upper)})")
    return script


def _is_least(entry: AnyInteger, least: int) -> bool:
    return entry.lower is not None and entry.lower.value is not None and entry.lower.value >= least


def _is_tap(entry: AnyInteger) -> bool:
    return entry.lower == 0 and entry.upper == Index.of("n") - 1


class Induction:
    """One relation on its way through the induction."""

    def __init__(self, fold: ByTaps, proposition: Proposition, relation: Relation, taps: tuple[str, ...]) -> None:
        self.proposition, self.taps = proposition, taps
        if not any(entry.name == "n" and _is_least(entry, 1) for entry in proposition.integers):
            raise NotReadError("windows without a tap")
        self.goal = self._read(relation)
        self.pointwise: list[tuple[str, Relation]] = []  # of every tap, at every number of taps
        lemmas = [self._read(lemma) for lemma in fold.lemmas]
        self.local = [entry for entry in lemmas if self._names_tap(entry)]  # of the taps that are named
        self.final = [entry for entry in lemmas if entry not in self.local]  # of all taps together
        for given in proposition.given:
            self._suppose(given)
        own = [self._read(entry) for entry in fold.invariants]
        self.invariants = [*own, *([self.goal] if fold.itself else [])]
        found: dict[Reduce, None] = {}
        for entry in (*self.invariants, self.goal, *self.final, *self.local):
            for side in entry.sides:
                found |= dict.fromkeys(totals_in(node_of(side)))
        self.totals = sorted(found, key=lambda total: total.op)  # maxima first: sums rest on them
        self.obligations: list[Obligation] = []

    def _names_tap(self, relation: Relation) -> bool:
        return any(set(self.taps) & free_names(node_of(side)) for side in relation.sides)

    def _read(self, relation: Relation) -> Relation:
        sides = tuple(linear(expanded(self.proposition, side)) for side in relation.sides)
        return Relation(sides, relation.signs)

    def _suppose(self, given: object) -> None:
        if isinstance(given, Relation):
            self.final.append(self._read(given))
            return
        if not isinstance(given, Every) or len(given.ranges) != 1 or given.arrays:
            raise NotReadError("a condition of another form")
        (entry,) = given.ranges
        if not _is_tap(entry):
            raise NotReadError("a condition on other indices than taps")
        for part in given.then:
            assert isinstance(part, Relation)
            relation = self._read(part)
            if any(True for side in relation.sides for _ in totals_in(node_of(side))):
                self.final.append(self._summed(relation, entry.name))
            else:
                self.pointwise.append((entry.name, relation))

    def _summed(self, relation: Relation, name: str) -> Relation:
        """What holds of every tap, summed over all of them."""
        bound = Bound(name, Index.of(0), Index.of("n") - 1)
        sides = (linear(Reduce("sum", (bound,), (), node_of(side))) for side in relation.sides)
        return Relation(tuple(sides), relation.signs)

    # ------------------------------------------------------------------ the induction

    def run(self) -> tuple[list[Obligation], str]:
        """The obligations, and what of them is not shown."""
        stages = (("powers", self._powers), ("one tap", self._first), ("one more tap", self._next))
        for title, check in (*stages, ("all taps", self._last)):
            for name, script, goal in check():
                outcome = self._ask(f"{title}: {name}", script, goal)
                if outcome:
                    return self.obligations, outcome
        return self.obligations, ""

    def _ask(self, name: str, script: StageScript, goal: str) -> str:
        from symconv.proofs.obligation import Obligation
        from symconv.proofs.smt import Solver

        solver = Solver()
        text = script.text(goal)
        answer = solver.decide(text)
        outcome: Outcome = "proved" if answer == "unsat" else "failed" if answer == "sat" else "unknown"
        self.obligations.append(Obligation(name, outcome, text))
        if outcome != "proved":
            return name
        # nothing may follow only because the conditions contradict each other
        return "" if solver.decide(script.text(None)) == "sat" else f"{name}, whose conditions cannot be met"

    def _script(self) -> StageScript:
        return ranged_script(self.proposition)

    def _powers(self) -> Iterable[tuple[str, StageScript, str]]:
        """An exponent is positive: of powers it is used that they increase."""
        if any(entry.name == "p" for entry in self.proposition.reals):
            yield "the exponent is positive", self._script(), "(> p 0.0)"

    def _first(self) -> Iterable[tuple[str, StageScript, str]]:
        """The invariants hold for one tap."""
        script = self._script()
        tap = Tap("first", lambda _: NONE, lambda _: NONE)
        values: dict[Node, str] = {}
        stage = InductionPoint(script, "1.0", values)
        for total in self.totals:
            values[total] = stage.term(total.body, {TAP: tap})
        script.given += self._of_tap(stage, tap)
        for invariant in self.invariants:
            yield relation_text(invariant), script, stage.condition(invariant, {})

    def _next(self) -> Iterable[tuple[str, StageScript, str]]:
        """One more tap keeps them."""
        if not self.invariants:
            return
        script = self._script()
        before = self._now(script)
        values: dict[Node, str] = {}
        after = InductionPoint(script, "(+ n 1.0)", values)
        new = Tap("new", lambda body: ("true", before.totals[total_of("max", body)]), lambda _: NONE)
        given = [*self._of_tap(before, new)]
        given += [before.condition(invariant, {}) for invariant in self.invariants]
        for total in self.totals:
            mine = after.term(total.body, {TAP: new})
            now = before.totals[total]
            if total.op == "max":
                values[total] = f"(ite (>= {mine} {now}) {mine} {now})"
                continue
            factor = self._factor(total, before, after, new)
            values[total] = f"(+ (* {factor} {now}) {mine})"
        script.given += given
        for invariant in self.invariants:
            yield relation_text(invariant), script, after.condition(invariant, {})

    def _last(self) -> Iterable[tuple[str, StageScript, str]]:
        """Together with what is given of all taps, the invariants imply the statement."""
        script = self._script()
        stage = self._now(script)
        script.given += [stage.condition(entry, {}) for entry in (*self.invariants, *self.final)]
        places = self._places(stage, self.taps)
        script.given = [*script.given, *(stage.condition(entry, places) for entry in self.local)]
        yield relation_text(self.goal), script, stage.condition(self.goal, places)

    def _places(self, stage: InductionPoint, names: Iterable[str]) -> dict[str, Tap]:
        """Taps of the window, with what is given of every tap."""
        places: dict[str, Tap] = {}
        for name in names:
            places[name], _ = self._earlier(stage, name)
            stage.script.given += self._of_tap(stage, places[name])
        return places

    def bounded(self, value: Node, bound: Node, *, same: bool) -> None:
        """Show that an entry at a tap, or at another one, is at most a bound.

        Raises:
            NotReadError: where it is not.
        """
        script = self._script()
        stage = self._now(script)
        places = self._places(stage, (*self.taps, *(() if same else ("other",))))
        goal = f"(<= {stage.term(value, places)} {stage.term(bound, places)})"
        where = "the tap itself" if same else "another tap"
        if self._ask(f"the chosen array is bounded at {where}", script, goal):
            raise NotReadError("a chosen array without its bound")

    def _now(self, script: StageScript) -> InductionPoint:
        """The window at any number of taps."""
        totals: dict[Node, str] = {total: script.real(f"{total.op}{place}") for place, total in enumerate(self.totals)}
        return InductionPoint(script, script.real("n"), totals)

    def _of_tap(self, stage: InductionPoint, tap: Tap) -> list[str]:
        """What is given of one tap."""
        return [stage.condition(relation, {name: tap}) for name, relation in self.pointwise]

    # ------------------------------------------------------------------ sums

    def _factor(self, total: Reduce, before: InductionPoint, after: InductionPoint, new: Tap) -> str:
        """What every summand of an earlier tap becomes a multiple by.

        Raises:
            NotReadError: where none is found.
        """
        candidates = ["1.0"]
        for entry in self.totals:
            if entry.op == "max":  # whether the largest so far stays the largest
                mine = before.term(entry.body, {TAP: new})
                candidates.append(f"(ite (>= {before.totals[entry]} {mine}) 1.0 0.0)")
        name = "one more tap: each summand of an earlier tap becomes one multiple of itself"
        for factor in candidates:
            script = StageScript(dict(before.script.names), list(before.script.given))
            here, then = (
                InductionPoint(script, before.count, before.totals),
                InductionPoint(script, after.count, after.totals),
            )
            old, grown = self._earlier(here, "earlier", new)
            script.given += self._of_tap(here, old)
            goal = f"(= {then.term(total.body, {TAP: grown})} (* {factor} {here.term(total.body, {TAP: old})}))"
            if not self._ask(name, script, goal):
                return factor
            self.obligations.pop()
        raise NotReadError("a sum whose summands change each in its own way")

    def _earlier(self, here: InductionPoint, name: str, new: Tap | None = None) -> tuple[Tap, Tap]:
        """An earlier tap, before and after the new one came in.

        Its own value and the maxima of the taps before and behind it make up the maximum of all.
        """
        script = here.script
        bodies = [entry.body for entry in self.totals if entry.op == "max"]

        def side(words: str) -> dict[Node, tuple[str, str]]:
            marks = {body: f"{words}_{name}{place}" for place, body in enumerate(bodies)}
            return {body: (script.truth(f"some_{mark}"), script.real(mark)) for body, mark in marks.items()}

        left, right = side("before"), side("behind")
        old = Tap(name, lambda body: left[body], lambda body: right[body])

        def grown(body: Node) -> tuple[str, str]:
            assert new is not None
            there, value = right[body]
            mine = here.term(body, {TAP: new})
            return "true", f"(ite (and {there} (>= {value} {mine})) {value} {mine})"

        for body in bodies:
            whole = here.term(body, {TAP: old})
            for there, value in (left[body], right[body]):
                whole = f"(ite (and {there} (>= {value} {whole})) {value} {whole})"
            script.given.append(f"(= {here.totals[total_of('max', body)]} {whole})")
        return old, Tap(name, old.before, grown)
