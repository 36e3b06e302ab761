"""Where an obligation is stated: names in scope, hypotheses on them, and quotients turned into variables.

``floor(n/d)`` is the one integer t with ``0 <= n - d*t <= d - 1``, ``ceil(n/d)`` the one with ``0 <= d*t - n <= d - 1``
(d >= 1, which is asked of the hypotheses and never assumed), and ``d | n`` says ``d*t == n``. So after this pass all
index arithmetic is polynomial, and a sum that was sifted down to an exact quotient has its bound index back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from symconv.formulas.algebra import Bound, Guard
from symconv.formulas.exact import Box
from symconv.formulas.index import Extremum, Index, Quotient, maximum, minimum
from symconv.proofs.obligation import Obligation, Outcome, condition
from symconv.proofs.sizes import denominators
from symconv.proofs.smt import Script, Solver, script, sum_script

__all__ = ["GUARD", "Context", "NotShown", "Quotients", "Trace", "Window", "fresh", "has_quotient", "rewrite_quotients"]

Window: TypeAlias = "tuple[tuple[Bound, ...], tuple[Guard, ...]]"
"""The ranges of a window and the conditions on its taps."""

GUARD = 20  # steps to look at one hypothesis


class NotShown(Exception):  # noqa: N818  (no failure of the program: the outcome of an attempt)
    """An attempt at a proof came to nothing; the message says at which step."""


def fresh(name: str, taken: set[str]) -> str:
    """A name like `name` that is not taken, and is from now on; the primes stop at two, so that texts stay short."""
    base = name.partition("'")[0]
    count = 0
    candidate = base
    while candidate in taken:
        count += 1
        candidate = base + "'" * count if count < 3 else f"{base}'{count}"
    taken.add(candidate)
    return candidate


def rewrite_quotients(
    expr: Index, define: Callable[[Index, Index, str], str], blocked: frozenset[str] = frozenset()
) -> Index:
    """An index expression with a variable from `define` for every quotient that has no blocked name in it."""

    def change(atom: Quotient | Extremum) -> Index | None:
        if isinstance(atom, Extremum):
            args = [rewrite_quotients(arg, define, blocked) for arg in atom.args]
            return minimum(*args) if atom.kind == "min" else maximum(*args)
        if atom.names & blocked:
            return None
        numerator = rewrite_quotients(atom.numerator, define)
        return Index.of(define(numerator, rewrite_quotients(atom.denominator, define), atom.rounding))

    return expr.map_atoms(change)


@dataclass
class Trace:
    """The obligations of an attempt, in order; `mark` and `rewind` forget those of a branch that failed.

    Attributes:
        done: what was discharged so far.
        best: what the attempt that came furthest discharged.
        presumed: whether something was used that no certificate states: that a window holds something, or that windows
            cover another one.
    """

    done: list[Obligation] = field(default_factory=list)
    best: list[Obligation] = field(default_factory=list)
    presumed: bool = False

    def note(self, obligation: Obligation) -> None:
        if obligation not in self.done:
            self.done.append(obligation)

    def furthest(self) -> tuple[Obligation, ...]:
        """The obligations of the attempt that came furthest."""
        return tuple(self.best if len(self.best) > len(self.done) else self.done)

    def mark(self) -> int:
        return len(self.done)

    def rewind(self, mark: int) -> None:
        if len(self.done) > len(self.best):
            self.best = list(self.done)
        del self.done[mark:]


class Quotients:
    """Variables for quotients, with the guards that define them."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = taken
        self.names: dict[tuple[Index, Index, str], str] = {}
        self.guards: dict[str, tuple[Guard, ...]] = {}
        self.denominators: list[Index] = []

    def find(self, numerator: Index, denominator: Index, rounding: str) -> str | None:
        return self.names.get((numerator, denominator, "ceil" if rounding == "ceil" else "floor"))

    def define(self, numerator: Index, denominator: Index, rounding: str) -> str:
        """The variable of a quotient, a new one where there is none yet."""
        known = self.find(numerator, denominator, rounding)
        if known is not None:
            return known
        name = self._new(denominator)
        up = rounding == "ceil"
        rest = Index.of(name) * denominator - numerator if up else numerator - Index.of(name) * denominator
        self.names[numerator, denominator, "ceil" if up else "floor"] = name
        self.guards[name] = (Guard("ge", rest), Guard("ge", denominator - 1 - rest))
        return name

    def define_exact(self, numerator: Index, denominator: Index) -> str:
        """The variable t with ``d*t == n``: rounding down and up are then the same."""
        known = self.find(numerator, denominator, "floor")
        if known is None:
            known = self._new(denominator)
            self.names[numerator, denominator, "floor"] = known
        self.names.setdefault((numerator, denominator, "ceil"), known)
        self.guards[known] = (Guard("eq", Index.of(known) * denominator - numerator),)
        return known

    def defined(self) -> tuple[tuple[str, Index, Index, str], ...]:
        """Every variable with the numerator, the denominator and the rounding of its quotient."""
        return tuple((name, *quotient) for quotient, name in self.names.items())

    def _new(self, denominator: Index) -> str:
        name = fresh("t", self.taken)
        if denominator not in self.denominators:
            self.denominators.append(denominator)
        return name


class Context:
    """The hypotheses in force, without quotients and divisibility, and the boxes of the tensors.

    Args:
        hypotheses: conditions on parameters and free indices; outer bound indices join by `within`.
        boxes: the box of every tensor.
        reals: names that are real numbers, such as the p of an LP norm.
        names: names that must not be used for new variables.
        solver: who decides, and how much all of it may cost.
        trace: where obligations are noted.
        filled: windows of which it is given that they hold something.
    """

    def __init__(
        self,
        hypotheses: Iterable[Guard],
        boxes: Mapping[str, Box],
        reals: frozenset[str],
        names: Iterable[str],
        solver: Solver,
        trace: Trace,
        filled: Sequence[Window] = (),
    ) -> None:
        given = list(hypotheses)
        self.reals, self.solver, self.trace = reals, solver, trace
        self.effort = solver.effort
        self.filled = tuple(filled)
        self.taken = set(names).union(*(g.names for g in given))
        for box in boxes.values():
            for low, high in box:
                self.taken |= low.names | high.names
        self.scope = frozenset(self.taken)
        self.quotients = Quotients(self.taken)
        self._exact: dict[str, Guard] = {}
        self._checked: set[Guard] = set()
        # what a denominator >= 1 may be concluded from: not from the definitions of quotients, which presuppose it
        self.base = [g for g in given if g.kind != "div" and not has_quotient(g.expr)]
        self.guards: list[Guard] = []
        for guard in given:
            self.guards += self._stated(guard)
        self.boxes = {
            name: tuple((self.flat(low), self.flat(high)) for low, high in box) for name, box in boxes.items()
        }
        self._outer: list[Guard] = []
        self.check_quotients()

    def within(self, names: Iterable[str], guards: Iterable[Guard]) -> Context:
        """The same context inside a sum over further indices; `guards` must be free of quotients."""
        inner = object.__new__(Context)
        inner.__dict__.update(self.__dict__)
        inner.scope = self.scope | set(names)
        inner._outer = [*self._outer, *guards]
        return inner

    def inside(self, bounds: Sequence[Bound], guards: Sequence[Guard]) -> Context:
        """The same inside a reduction whose bound names are not in use outside; guards with quotients are left out."""
        given = [guard for bound in bounds for guard in bound.guards()] + list(guards)
        self.taken.update(bound.name for bound in bounds)
        known = [g for g in given if g.kind != "div" and not has_quotient(g.expr)]
        return self.within([bound.name for bound in bounds], known)

    def is_filled(self, bounds: Sequence[Bound], guards: Sequence[Guard]) -> bool:
        """Whether it is given that a window holds something."""
        given = any(_is_in(bounds, guards, window) for window in self.filled)
        self.trace.presumed = self.trace.presumed or given
        return given

    @property
    def reserved(self) -> frozenset[str]:
        """The names that mean something here: no reduction may bind one of them."""
        return self.scope | self.quotients.guards.keys()

    @property
    def hypotheses(self) -> list[Guard]:
        """All that may be used: what was given, the definitions of quotients, and the domains of outer sums."""
        defined = [g for guards in self.quotients.guards.values() for g in guards]
        return [*self.guards, *defined, *self._outer]

    def _stated(self, guard: Guard) -> list[Guard]:
        expr = self.flat(guard.expr)
        if guard.kind != "div":
            return [Guard(guard.kind, expr)]
        assert guard.divisor is not None
        divisor = self.flat(guard.divisor)
        name = self.quotients.define(expr, divisor, "floor")
        return [Guard("eq", Index.of(name) * divisor - expr)]

    def stated(self, guards: Iterable[Guard]) -> list[Guard]:
        """Guards on names in scope with quotients and divisibility written out."""
        return [g for guard in guards for g in self._stated(guard)]

    def flat(self, expr: Index) -> Index:
        """An index expression on names in scope, without quotients."""
        return rewrite_quotients(expr, self._define)

    def _define(self, numerator: Index, denominator: Index, rounding: str) -> str:
        name = self.quotients.define(numerator, denominator, rounding)
        if rounding == "exact":
            self._exact[name] = Guard("eq", Index.of(name) * denominator - numerator)
        return name

    def divides_by(self, denominator: Index) -> bool:
        """Whether it stands among the hypotheses, word by word, that a denominator is at least 1."""
        if denominator.value is not None:
            return denominator.value >= 1
        return Guard("ge", denominator - 1) in self.base

    def check_quotients(self, denominators: Sequence[Index] = ()) -> None:
        """Require what the definitions of quotients take for granted: denominators are at least 1, exact ones divide.

        The definitions themselves are no evidence for a positive denominator.
        """
        for denominator in (*self.quotients.denominators, *denominators):
            if denominator.value is not None and denominator.value >= 1:
                continue
            goal = Guard("ge", denominator - 1)
            if goal not in self._checked:
                self.require(f"{denominator!r} >= 1, as a denominator must be", (goal,), only=self.base)
                self._checked.add(goal)
        for guard in self._exact.values():
            if guard not in self._checked:
                self.require("an exact quotient is exact", (guard,))
                self._checked.add(guard)

    def require(
        self,
        name: str,
        goals: Iterable[Guard],
        given: Iterable[Guard] = (),
        *,
        only: Sequence[Guard] | None = None,
    ) -> None:
        """Discharge ``hypotheses and given => goals``; goals that share no name are asked one by one.

        Raises:
            NotShown: where a goal is false for a constant reason, or the solver does not say unsat.
            OutOfEffort: where the solver cannot be asked any more.
        """
        wanted = list(dict.fromkeys(goal for goal in goals if goal.truth is not True))
        if any(goal.truth is False for goal in wanted):
            raise NotShown(f"{name}: {condition(next(g for g in wanted if g.truth is False))} is false")
        known = list(dict.fromkeys([*(self.hypotheses if only is None else only), *given]))
        self.effort.spend(GUARD * len(known) * (1 + len(wanted)))
        present = set(known)
        settled = [goal for goal in wanted if goal in present]
        open_ = [goal for goal in wanted if goal not in present]
        if settled and not open_:  # what is assumed word by word need not be asked
            assumed = script(_about(settled, settled), settled, self.reals)
            self.trace.note(Obligation(name, "proved", assumed.text, assumed.variables))
        for group in _connected(open_, known):
            self._ask(name, script(_about(group, known), group, self.reals))

    def holds(self, name: str, goals: Iterable[Guard]) -> bool:
        """Whether goals on names in scope follow; what was asked in vain leaves no trace.

        A goal with an exact quotient, or with a denominator that is not known to be positive, counts as open.
        """
        wanted = [goal for goal in goals if goal.truth is not True]
        exprs = [expr for g in wanted for expr in (g.expr, g.divisor) if expr is not None]
        if any(goal.truth is False or not goal.names <= self.scope for goal in wanted) or _has_exact(exprs):
            return False
        mark = self.trace.mark()
        try:
            for denominator in denominators(exprs, wanted):
                if has_quotient(denominator):
                    return False
                goal = Guard("ge", denominator - 1)
                self.require(f"{denominator!r} >= 1, as a denominator must be", [goal], only=self.base)
            self.require(name, self.stated(wanted))
        except NotShown:
            self.trace.rewind(mark)
            return False
        return True

    def cancels(self, name: str, pieces: Sequence[tuple[Index, Sequence[Guard]]]) -> None:
        """Show that the weights whose guards hold add up to 0, for all values of the names in them.

        Raises:
            NotShown: where the solver does not say unsat.
        """
        known = list(dict.fromkeys(self.hypotheses))
        spoken_of = [guard for _, guards in pieces for guard in guards]
        spoken_of += [Guard("eq", weight) for weight, _ in pieces]
        self._ask(name, sum_script(_about(spoken_of, known), pieces, self.reals))

    def impossible(self, name: str, given: Iterable[Guard] = ()) -> None:
        """Show that the hypotheses and `given` contradict each other.

        Raises:
            NotShown: where the solver does not say unsat.
        """
        self._ask(name, script([*self.hypotheses, *given], (Guard("ge", Index.of(-1)),), self.reals))

    def _ask(self, name: str, question: Script) -> None:
        answer = self.solver.decide(question.text)
        outcome: Outcome = "proved" if answer == "unsat" else "failed" if answer == "sat" else "unknown"
        self.trace.note(Obligation(name, outcome, question.text, question.variables))
        if answer != "unsat":
            raise NotShown(f"{name}: {outcome}")


def _is_in(bounds: Sequence[Bound], guards: Sequence[Guard], window: Window) -> bool:
    """Whether every point of a window has one in these ranges, where these guards hold: they are among its own."""
    theirs, conditions = window
    used = frozenset().union(*(b.lower.names | b.upper.names for b in bounds), *(guard.names for guard in guards))
    outer = used - {bound.name for bound in bounds}
    if len(bounds) != len(theirs) or outer & {bound.name for bound in theirs}:  # a name of two meanings
        return False
    env = {mine.name: Index.of(other.name) for mine, other in zip(bounds, theirs, strict=True)}
    same = all(
        (mine.lower.subs(env), mine.upper.subs(env)) == (other.lower, other.upper)
        for mine, other in zip(bounds, theirs, strict=True)
    )
    return same and {guard.subs(env) for guard in guards} <= set(conditions)


def _about(goals: Sequence[Guard], known: Sequence[Guard]) -> list[Guard]:
    """Those of the hypotheses that have to do with the goals, through any chain of shared names."""
    names = set().union(*(g.names for g in goals))
    chosen: set[int] = set()
    while True:
        more = [i for i, g in enumerate(known) if i not in chosen and g.names & names]
        if not more:
            return [known[i] for i in sorted(chosen)]
        chosen |= set(more)
        names = names.union(*(known[i].names for i in more))


def _connected(goals: Sequence[Guard], known: Sequence[Guard]) -> list[list[Guard]]:
    """The goals in groups that share hypotheses; axes that have nothing in common fall apart."""
    groups: list[tuple[set[str], list[Guard]]] = []
    for goal in goals:
        names = set(goal.names).union(*(g.names for g in _about([goal], known)))
        joined = [goal]
        rest = []
        for other_names, other in groups:
            if other_names & names:
                names, joined = names | other_names, [*other, *joined]
            else:
                rest.append((other_names, other))
        groups = [*rest, (names, joined)]
    return [group for _, group in groups]


def _has_exact(exprs: Iterable[Index]) -> bool:
    return any(
        (isinstance(atom, Quotient) and (atom.rounding == "exact" or _has_exact((atom.numerator, atom.denominator))))
        or (isinstance(atom, Extremum) and _has_exact(atom.args))
        for expr in exprs
        for key in expr.terms
        for atom in key
    )


def has_quotient(expr: Index) -> bool:
    """Whether a quotient occurs in an index expression, inside minima and maxima too."""
    return any(
        isinstance(atom, Quotient) or (isinstance(atom, Extremum) and any(has_quotient(arg) for arg in atom.args))
        for key in expr.terms
        for atom in key
    )
