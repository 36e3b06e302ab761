"""Integer obligations as SMT-LIB 2, and their decision by z3 under a bound on its work, never on time.

The text is what z3 reads, so an exported obligation is exactly what was checked. Quotients have been replaced by
variables before (see `symconv.proofs.context`); minima and maxima become ``ite``.

A name of an index or a size may be any string at all (SymPy takes every one), so none is ever written into the text:
the solver reads v0, v1, ..., and which is which stands beside it, in `Script.variables`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal, TypeAlias

from symconv.formulas.algebra import Guard
from symconv.formulas.effort import Effort
from symconv.formulas.index import Extremum, Index, Quotient

__all__ = ["QUESTION", "Answer", "Script", "Solver", "script", "sum_script"]

QUESTION = 1_500_000  # steps for one question, half a second; a typical one takes 5,000
PATIENCE = 6  # questions left open in one proof; after that the others get a tenth of that
SETUP = 3_000  # steps to set a question up
READING = 2  # steps for a character that z3 reads
Answer: TypeAlias = Literal["unsat", "sat", "unknown"]


@dataclass(frozen=True)
class Script:
    """A question to a solver.

    Attributes:
        text: SMT-LIB 2 with one ``check-sat``.
        variables: the generated variables, and the names that they stand for.
    """

    text: str
    variables: tuple[tuple[str, str], ...] = ()


def script(hypotheses: Iterable[Guard], goals: Sequence[Guard], reals: frozenset[str] = frozenset()) -> Script:
    """``hypotheses and not all goals`` in SMT-LIB 2: unsatisfiable exactly where the hypotheses imply every goal."""
    given = list(dict.fromkeys(hypotheses))
    names = frozenset().union(*(g.names for g in (*given, *goals)))
    return _script(given, names, reals, lambda writer: writer.conjunction(goals))


def sum_script(
    hypotheses: Iterable[Guard],
    pieces: Sequence[tuple[Index, Sequence[Guard]]],
    reals: frozenset[str] = frozenset(),
) -> Script:
    """``hypotheses and the sum of the weights whose guards hold is not 0``: unsatisfiable where it always is."""
    given = list(dict.fromkeys(hypotheses))
    guards = [guard for _, conditions in pieces for guard in conditions]
    names = frozenset().union(*(g.names for g in (*given, *guards)), *(weight.names for weight, _ in pieces))
    mixed = any(weight.names & reals for weight, _ in pieces)
    zero = _number(0, mixed)

    def goal(writer: _Writer) -> str:
        terms = [f"(ite {writer.conjunction(c)} {writer.index(weight, mixed)} {zero})" for weight, c in pieces]
        return f"(= (+ {' '.join(terms)} {zero}) {zero})"

    return _script(given, names, reals, goal)


def _script(
    given: Sequence[Guard], names: frozenset[str], reals: frozenset[str], goal: Callable[[_Writer], str]
) -> Script:
    writer = _Writer({name: f"v{number}" for number, name in enumerate(sorted(names))}, reals)
    lines = ["(set-logic ALL)" if reals & names else "(set-logic QF_NIA)"]
    for name, variable in writer.variables.items():
        lines.append(f"(declare-const {variable} {'Real' if name in reals else 'Int'})")
    lines += [f"(assert {writer.guard(g)})" for g in given]
    lines += [f"(assert (not {goal(writer)}))", "(check-sat)"]
    return Script("\n".join(lines) + "\n", tuple((variable, name) for name, variable in writer.variables.items()))


@dataclass(frozen=True)
class _Writer:
    """Guards and index expressions in SMT-LIB, in generated variables."""

    variables: Mapping[str, str]
    reals: frozenset[str]

    def guard(self, guard: Guard) -> str:
        assert guard.kind != "div", "divisibility is stated through a quotient variable"
        mixed = bool(guard.names & self.reals)
        left = Index({key: value for key, value in guard.expr.terms.items() if value > 0})
        right = Index({key: -value for key, value in guard.expr.terms.items() if value < 0})
        return f"({'>=' if guard.kind == 'ge' else '='} {self.index(left, mixed)} {self.index(right, mixed)})"

    def conjunction(self, guards: Sequence[Guard]) -> str:
        wanted = [self.guard(g) for g in guards]
        return wanted[0] if len(wanted) == 1 else f"(and {' '.join(wanted)})" if wanted else "true"

    def index(self, expr: Index, mixed: bool) -> str:
        terms = []
        for key, value in sorted(expr.terms.items(), key=lambda item: [str(atom) for atom in item[0]]):
            factors = [self.atom(atom, mixed) for atom in key]
            if value != 1 or not factors:
                factors.insert(0, _number(value, mixed))
            terms.append(factors[0] if len(factors) == 1 else f"(* {' '.join(factors)})")
        if not terms:
            return _number(0, mixed)
        return terms[0] if len(terms) == 1 else f"(+ {' '.join(terms)})"

    def atom(self, atom: str | Quotient | Extremum, mixed: bool) -> str:
        if isinstance(atom, str):
            variable = self.variables[atom]
            return variable if atom in self.reals or not mixed else f"(to_real {variable})"
        assert isinstance(atom, Extremum), "a quotient must have been replaced by a variable"
        relation = "<=" if atom.kind == "min" else ">="
        args = [self.index(arg, mixed) for arg in atom.args]
        return reduce(lambda a, b: f"(ite ({relation} {a} {b}) {a} {b})", args)


def _number(value: int, mixed: bool) -> str:
    text = f"{abs(value)}.0" if mixed else str(abs(value))
    return text if value >= 0 else f"(- {text})"


class Solver:
    """z3 with one context of its own, so that an answer depends on the question and on nothing asked before.

    Args:
        effort: what all questions together may cost.
        question: what one of them may.
    """

    def __init__(self, effort: Effort | None = None, question: int = QUESTION) -> None:
        self.effort = Effort() if effort is None else effort
        self.question = question
        self._context: Any = None
        self._taken = 0
        self._answers: dict[str, Answer] = {}
        self._open = 0

    def decide(self, text: str) -> Answer:
        """The answer to an SMT-LIB script with one ``check-sat``.

        Raises:
            OutOfEffort: where the question cannot be asked any more.
        """
        if text not in self._answers:
            self._answers[text] = self._ask(text)
        return self._answers[text]

    def _ask(self, text: str) -> Answer:
        import z3

        if self._context is None:
            self._context = z3.Context()
        # The bare core answers most questions in a third of the time; what it leaves open goes to the full one.
        for build in (z3.SimpleSolver, z3.Solver):
            self.effort.spend(SETUP + READING * len(text))
            solver = build(ctx=self._context)
            allowed = self.question if self._open < PATIENCE else self.question // 10
            solver.set("rlimit", max(1, min(allowed, self.effort.left)))  # 0 would be no limit
            solver.set("random_seed", 0)
            solver.set("ctrl_c", False)  # z3 would take an interrupt for itself and answer "unknown"
            solver.from_string(text)
            answer = str(solver.check())
            taken = int(solver.statistics().get_key_value("rlimit count"))  # by all questions in this context
            steps, self._taken = taken - self._taken, taken
            self.effort.spend(steps)
            if answer == "unsat":
                return "unsat"
            if answer == "sat":
                return "sat"
        self._open += 1
        return "unknown"
