"""Integer obligations as SMT-LIB 2, and their decision by z3 under a bound on its work, never on time.

The text is what z3 reads, so an exported obligation is exactly what was checked. Quotients have been replaced by
variables before (see `symconv.proofs.context`); minima and maxima become ``ite``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any, Literal, TypeAlias

from symconv.formulas.algebra import Guard
from symconv.formulas.index import Extremum, Index, Quotient

__all__ = ["EFFORT", "Answer", "Solver", "script"]

EFFORT = 1_500_000  # z3 resource units a question, half a second; a typical one takes 5,000
PATIENCE = 6  # questions left open in one proof; after that the others get a tenth of the effort
Answer: TypeAlias = Literal["unsat", "sat", "unknown"]


def script(name: str, hypotheses: Iterable[Guard], goals: Sequence[Guard], reals: frozenset[str] = frozenset()) -> str:
    """``hypotheses and not all goals`` in SMT-LIB 2: unsatisfiable exactly where the hypotheses imply every goal."""
    given = list(dict.fromkeys(hypotheses))
    names = sorted(frozenset().union(*(g.names for g in (*given, *goals))))
    lines = [f"; {name}", "(set-logic ALL)" if reals & set(names) else "(set-logic QF_NIA)"]
    for known in names:
        lines.append(f"(declare-const {_symbol(known)} {'Real' if known in reals else 'Int'})")
    lines += [f"(assert {_guard(g, reals)})" for g in given]
    wanted = [_guard(g, reals) for g in goals]
    lines.append(f"(assert (not {wanted[0] if len(wanted) == 1 else '(and ' + ' '.join(wanted) + ')'}))")
    lines.append("(check-sat)")
    return "\n".join(lines) + "\n"


def _symbol(name: str) -> str:
    return name if name.replace("_", "a").isalnum() and name.isascii() and not name[0].isdigit() else f"|{name}|"


def _guard(guard: Guard, reals: frozenset[str]) -> str:
    assert guard.kind != "div", "divisibility is stated through a quotient variable"
    mixed = bool(guard.names & reals)
    left = Index({key: value for key, value in guard.expr.terms.items() if value > 0})
    right = Index({key: -value for key, value in guard.expr.terms.items() if value < 0})
    return f"({'>=' if guard.kind == 'ge' else '='} {_index(left, mixed, reals)} {_index(right, mixed, reals)})"


def _index(expr: Index, mixed: bool, reals: frozenset[str]) -> str:
    terms = []
    for key, value in sorted(expr.terms.items(), key=lambda item: [str(atom) for atom in item[0]]):
        factors = [_atom(atom, mixed, reals) for atom in key]
        if value != 1 or not factors:
            factors.insert(0, _number(value, mixed))
        terms.append(factors[0] if len(factors) == 1 else f"(* {' '.join(factors)})")
    if not terms:
        return _number(0, mixed)
    return terms[0] if len(terms) == 1 else f"(+ {' '.join(terms)})"


def _number(value: int, mixed: bool) -> str:
    text = f"{abs(value)}.0" if mixed else str(abs(value))
    return text if value >= 0 else f"(- {text})"


def _atom(atom: str | Quotient | Extremum, mixed: bool, reals: frozenset[str]) -> str:
    if isinstance(atom, str):
        return _symbol(atom) if atom in reals or not mixed else f"(to_real {_symbol(atom)})"
    assert isinstance(atom, Extremum), "a quotient must have been replaced by a variable"
    relation = "<=" if atom.kind == "min" else ">="
    args = [_index(arg, mixed, reals) for arg in atom.args]
    return reduce(lambda a, b: f"(ite ({relation} {a} {b}) {a} {b})", args)


class Solver:
    """z3 with one context of its own, so that an answer depends on the question and on nothing asked before.

    Args:
        effort: the bound on z3's resource units, a question.
    """

    def __init__(self, effort: int = EFFORT) -> None:
        self.effort = effort
        self._context: Any = None
        self._answers: dict[str, Answer] = {}
        self._open = 0

    def decide(self, text: str) -> Answer:
        """The answer to an SMT-LIB script with one ``check-sat``."""
        body = text.partition("\n")[2]  # the first line is the name
        if body not in self._answers:
            self._answers[body] = self._ask(body)
        return self._answers[body]

    def _ask(self, body: str) -> Answer:
        import z3

        if self._context is None:
            self._context = z3.Context()
        # The bare core answers most questions in a third of the time; what it leaves open goes to the full one.
        for build in (z3.SimpleSolver, z3.Solver):
            solver = build(ctx=self._context)
            solver.set("rlimit", self.effort if self._open < PATIENCE else self.effort // 10)
            solver.set("random_seed", 0)
            solver.from_string(body)
            answer = str(solver.check())
            if answer == "unsat":
                return "unsat"
            if answer == "sat":
                return "sat"
        self._open += 1
        return "unknown"
