"""Trees over taps as real numbers for the solver: one tap, the window before and after it came in, and the script.

A power with the exponent p is a function f that increases on the numbers >= 0 and takes products to products; a root is
the number whose power is given. Nothing else is used of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from symconv.derivations.theorems.proposition import Partial, Relation, Side
from symconv.derivations.theorems.taps import NotReadError, body_of, part_of, total_of
from symconv.formulas.algebra import (
    Absolute,
    Access,
    Applied,
    Bracket,
    Compare,
    Constant,
    FormulaWalker,
    Multiply,
    Named,
    Node,
    Plus,
    Power,
    Reduce,
    Scalar,
    Share,
    Sign,
)
from symconv.formulas.index import Index
from symconv.formulas.walker import case

__all__ = ["InductionPoint", "StageScript", "Tap", "node_of"]

P = Scalar(Index.of("p"))


@dataclass(frozen=True)
class Tap:
    """One tap: its name to the solver, and the maxima of the taps before and behind it.

    `before` and `after` answer for the body of such a maximum with whether there is a tap at all, and its value.
    """

    name: str
    before: Callable[[Node], tuple[str, str]] | None = None
    after: Callable[[Node], tuple[str, str]] | None = None


@dataclass
class StageScript:
    """What the solver reads: real numbers, what is given of them, and powers as a function that is increasing."""

    names: dict[str, str] = field(default_factory=dict)
    given: list[str] = field(default_factory=list)
    powered: dict[str, str] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)
    products: dict[str, tuple[str, str]] = field(default_factory=dict)

    def real(self, name: str) -> str:
        """A real number."""
        self.names[name] = "Real"
        return name

    def truth(self, name: str) -> str:
        """Something that holds or does not."""
        self.names[name] = "Bool"
        return name

    def power(self, base: str) -> str:
        """The power of a number, as a number of its own."""
        if base not in self.powered:
            self.powered[base] = self.real(f"power{len(self.powered)}")
        return self.powered[base]

    def root(self, base: str) -> str:
        """The nonnegative number whose power is a nonnegative `base`."""
        if base not in self.roots:
            self.roots[base] = self.real(f"root{len(self.roots)}")
            root, power = self.roots[base], self.power(self.roots[base])
            self.given.append(f"(=> (>= {base} 0.0) (and (>= {root} 0.0) (= {power} {base})))")
        return self.roots[base]

    def _axioms(self) -> list[str]:
        """What is used of powers, at all numbers that are raised to one."""
        axioms = []
        for term, (left, right) in self.products.items():
            whole, parts = self.power(term), f"(* {self.power(left)} {self.power(right)})"
            axioms.append(f"(=> (and (>= {left} 0.0) (>= {right} 0.0)) (= {whole} {parts}))")
        for u, fu in self.powered.items():
            axioms.append(f"(=> (>= {u} 0.0) (>= {fu} 0.0))")
            axioms += [
                f"(=> (>= {u} 0.0) (and (=> (< {u} {v}) (< {fu} {fv})) (=> (= {u} {v}) (= {fu} {fv}))))"
                for v, fv in self.powered.items()
                if u != v
            ]
        return axioms

    def text(self, goal: str | None) -> str:
        """The script of one obligation; without a goal what is given alone, to see that it can be met."""
        axioms = self._axioms()
        lines = ["(set-logic ALL)"]
        lines += [f"(declare-const {name} {sort})" for name, sort in self.names.items()]
        lines += [f"(assert {condition})" for condition in dict.fromkeys([*self.given, *axioms])]
        lines += [] if goal is None else [f"(assert (not {goal}))"]
        return "\n".join([*lines, "(check-sat)", ""])


@dataclass(frozen=True)
class InductionPoint:
    """The window at one point of the induction: the values of its totals, and how many taps there are."""

    script: StageScript
    count: str
    totals: Mapping[Node, str]

    def term(self, node: Node, taps: Mapping[str, Tap]) -> str:
        """The value of a tree as a real number."""
        return _Term(self, taps).visit(node)

    def holds(self, node: Compare, taps: Mapping[str, Tap]) -> str:
        """A comparison; one with a maximum over no tap holds for every number."""
        conditions = []
        sides = []
        for side in (node.left, node.right):
            if isinstance(side, Reduce):
                present, value = self.total(side, taps)
                if present != "true" and side is node.left:
                    raise NotReadError("a maximum over taps that may be none, on the left")
                conditions.append(present)
                sides.append(value)
            else:
                sides.append(self.term(side, taps))
        there = [c for c in conditions if c != "true"]
        relation = f"({node.relation} {sides[0]} {sides[1]})"
        return f"(=> {there[0]} {relation})" if there else relation

    def condition(self, relation: Relation, taps: Mapping[str, Tap]) -> str:
        """A chain of relations."""
        parts = []
        for left, sign, right in relation.links():
            parts.append(f"({sign} {self.term(node_of(left), taps)} {self.term(node_of(right), taps)})")
        return parts[0] if len(parts) == 1 else f"(and {' '.join(parts)})"

    def index(self, expr: Index) -> str:
        """The value of an index expression."""
        terms = []
        for key, value in expr.terms.items():
            factors = [_number(Fraction(value))]
            for atom in key:
                if not isinstance(atom, str):
                    raise NotReadError("a rounded quotient")
                factors.append(self.count if atom == "n" else self.script.real(atom))
            terms.append(f"(* {' '.join(factors)})" if len(factors) > 1 else factors[0])
        return terms[0] if len(terms) == 1 else f"(+ {' '.join(terms)})" if terms else "0.0"

    def total(self, reduce: Reduce, taps: Mapping[str, Tap]) -> tuple[str, str]:
        """Whether there is a tap, and the value."""
        if reduce.op == "min":
            raise NotReadError("a minimum")
        part, name = part_of(reduce)
        body = body_of(reduce)
        if part == "all":
            key = total_of(reduce.op, body)
            if key not in self.totals:
                raise NotReadError("a total of totals")
            return "true", self.totals[key]
        if reduce.op != "max":
            raise NotReadError("a sum over a part of the taps")
        tap = taps[name]
        found = tap.before if part == "before" else tap.after
        if found is None:
            raise NotReadError("the taps around one tap, where they are not known")
        return found(body)


class _Term(FormulaWalker[str]):
    """The value of a tree at a point of the induction, as a real number for the solver."""

    def __init__(self, point: InductionPoint, taps: Mapping[str, Tap]) -> None:
        self.point, self.taps = point, taps

    @case(Constant)
    def _constant(self, node: Constant) -> str:
        return _number(node.value)

    @case(Scalar)
    def _scalar(self, node: Scalar) -> str:
        return self.point.index(node.index)

    @case(Plus)
    def _added(self, node: Plus) -> str:
        return f"(+ {' '.join(self.visit(arg) for arg in node.args)})"

    @case(Absolute)
    def _absolute(self, node: Absolute) -> str:
        inner = self.visit(node.arg)
        return f"(ite (>= {inner} 0.0) {inner} (- {inner}))"

    @case(Compare)
    def _compared(self, node: Compare) -> str:
        return f"(ite {self.point.holds(node, self.taps)} 1.0 0.0)"

    @case(Reduce)
    def _reduced(self, node: Reduce) -> str:
        present, value = self.point.total(node, self.taps)
        if present != "true":
            raise NotReadError("a maximum over taps that may be none")
        return value

    @case(Sign, Applied, Bracket, Share, Named)
    def _unread(self, node: Node) -> str:
        raise NotReadError(f"a {type(node).__name__.lower()}")

    @case(Access)
    def _entry(self, access: Access) -> str:
        if len(access.index) != 1:
            raise NotReadError("an array of several axes")
        name = next((name for name in self.taps if access.index[0] == Index.of(name)), None)
        if name is None:
            raise NotReadError("an entry that is no tap")
        return self.point.script.real(f"{access.tensor}_{self.taps[name].name}")

    @case(Multiply)
    def _product(self, node: Multiply) -> str:
        factors = [self.visit(arg) for arg in node.args]
        whole = factors[0]
        for factor in factors[1:]:
            term = f"(* {whole} {factor})"
            if whole in self.point.script.roots.values():
                self.point.script.products[term] = (whole, factor)
            whole = term
        return whole

    @case(Power)
    def _power(self, node: Power) -> str:
        base = self.visit(node.base)
        exponent = node.exponent
        if exponent == Constant(Fraction(-1)):
            return f"(/ 1.0 {base})"
        if exponent == P:
            return self.point.script.power(base)
        if exponent == Power(P, Constant(Fraction(-1))):
            return self.point.script.root(base)
        raise NotReadError("another power than p and 1/p")


def _number(value: Fraction) -> str:
    text = f"{abs(value.numerator)}.0"
    text = text if value.denominator == 1 else f"(/ {text} {value.denominator}.0)"
    return text if value >= 0 else f"(- {text})"


def node_of(side: Side) -> Node:
    """A side that is a tree."""
    if isinstance(side, Partial):
        raise NotReadError("a derivative")
    return side
