"""Formulas as Coq text, as one reads them, and what the values must have for it: reciprocals, an order, functions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symconv.certificates.indices import condition, index, operand, parenthesised
from symconv.certificates.naming import Names, identifier
from symconv.formulas.algebra import (
    ONE,
    Absolute,
    Access,
    Applied,
    Bound,
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
from symconv.formulas.substitution import rename_bounds
from symconv.formulas.walker import case
from symconv.proofs.context import has_quotient

__all__ = ["NotCertified", "Printer", "function_name", "is_reciprocal", "maximum_in"]

FUNCTIONS = {
    "power": "Num -> Num -> Num",
    "above": "Num -> Num -> Num",
    "at_least": "Num -> Num -> Num",
    "equals": "Num -> Num -> Num",
}
_RELATIONS = {">": "above", ">=": "at_least", "=": "equals"}


class NotCertified(Exception):  # noqa: N818  (an outcome, not a failure of the program)
    """There is no certificate; the message says why."""


def function_name(node: Node) -> str:
    """The function of values that a node applies; empty where it is none."""
    if isinstance(node, Compare):
        return _RELATIONS[node.relation]
    if isinstance(node, Applied):
        return identifier(node.function)
    return {Power: "power", Absolute: "absolute", Sign: "sign"}.get(type(node), "")


def is_reciprocal(node: Node) -> bool:
    """Whether a node is one over an index expression."""
    return (
        isinstance(node, Power)
        and isinstance(node.base, Scalar)
        and isinstance(node.exponent, Constant)
        and node.exponent.value == -1
    )


def maximum_in(node: Reduce) -> Reduce | None:
    """The maximum that a maximum is taken of; None where it is of other values."""
    body = node.body
    while isinstance(body, Named):
        body = body.value
    return body if isinstance(body, Reduce) and body.op == "max" else None


class Printer(FormulaWalker[str]):
    """Writes trees as Coq text, and remembers what they are made of; sums and products are not in parentheses.

    A part of a tree that has no form here is `NotCertified`.

    Args:
        names: the identifiers.
        reals: the names that stand for values, such as the order of a norm; all others are integers.

    Attributes:
        field: whether integers or reciprocals stand among the values.
        ordered: whether a maximum is taken.
        functions: the functions of values that occur; a certificate holds for any such functions.
        numbers: the real parameters that occur.
    """

    order = "order"
    """The order of the values, as text."""

    def __init__(self, names: Names, reals: frozenset[str] = frozenset()) -> None:
        self.names, self.reals = names, reals
        self.field = self.ordered = False
        self.functions: dict[str, str] = {}
        self.numbers: dict[str, None] = {}

    def integers(self, *exprs: Index) -> None:
        """Note that index expressions stand where integers are meant.

        Raises:
            NotCertified: where one speaks of a real number.
        """
        found = sorted(frozenset().union(*(e.names for e in exprs)) & self.reals)
        if found:
            raise NotCertified(f"{found[0]} is a real number and stands in an index")

    @case(Named)
    def _value(self, node: Named) -> str:
        return self.visit(node.value)

    @case(Constant)
    def _constant(self, node: Constant) -> str:
        return self.constant(node.value)

    @case(Scalar)
    def _scalar(self, node: Scalar) -> str:
        return self.scalar(node.index)

    @case(Access)
    def _access(self, node: Access) -> str:
        return self.access(node)

    @case(Plus)
    def _added(self, node: Plus) -> str:
        return " ⊕ ".join(self._term(arg) for arg in node.args) or "zero"

    @case(Multiply)
    def _multiplied(self, node: Multiply) -> str:
        return " · ".join(self.factor(arg) for arg in node.args) or "one"

    @case(Bracket)
    def _bracket(self, node: Bracket) -> str:
        self.integers(*(e for g in node.guards for e in (g.expr, g.divisor) if e is not None))
        return f"iv {parenthesised(condition(node.guards, self.names))} one"

    @case(Reduce)
    def _reduced(self, node: Reduce) -> str:
        if node.op == "min":
            raise NotCertified("minima have no form in Coq yet")
        return self.total(node) if node.op == "sum" else self.largest(node)

    @case(Power)
    def _raised(self, node: Power) -> str:
        if node.exponent == ONE:
            return self.visit(node.base)
        if is_reciprocal(node):
            assert isinstance(node.base, Scalar)
            if has_quotient(node.base.index):
                raise NotCertified("a division by what a rounded quotient stands in has no proof in Coq yet")
            return self.reciprocal(node.base.index)
        return self._call(function_name(node), node.base, node.exponent)

    @case(Absolute, Sign, Applied)
    def _of_one(self, node: Absolute | Sign | Applied) -> str:
        return self._call(function_name(node), node.arg)

    @case(Compare)
    def _compared(self, node: Compare) -> str:
        return self._call(function_name(node), node.left, node.right)

    @case(Share)
    def _shared(self, node: Share) -> str:
        if node.reduce.op == "min":
            raise NotCertified("minima have no form in Coq yet")
        ends = [end for bound in node.reduce.bounds for end in (bound.lower, bound.upper)]
        if any(map(has_quotient, (*ends, *node.at))):
            raise NotCertified("the shares of ties in a window with rounded ends are not followed yet")
        self.ordered = True
        self.field |= node.policy == "split"
        window = rename_bounds(node.reduce, frozenset().union(*(e.names for e in node.at)))
        return self.share(node.policy, self.window(window), window.bounds, node.at)

    def share(self, policy: str, taps: str, bounds: Sequence[Bound], at: Sequence[Index]) -> str:
        """The share of one of the taps of a window; `taps`: its taps, and what is read at them."""
        self.integers(*at)
        tests = [f"({self.names.of(b.name)} =? {index(e, self.names)})" for b, e in zip(bounds, at, strict=True)]
        return f"{policy}_share_of {self.order} {taps} {self.function(bounds, ' && '.join(tests) or 'true')}"

    def factor(self, node: Node) -> str:
        """A tree as a factor or an argument."""
        return parenthesised(self.visit(node))

    def _term(self, node: Node) -> str:
        text = self.visit(node)
        return text if isinstance(node, Multiply) else parenthesised(text)

    def _call(self, name: str, *args: Node) -> str:
        self.functions[name] = FUNCTIONS.get(name, "Num -> Num")
        return " ".join([name, *(self.factor(arg) for arg in args)])

    def constant(self, value: Fraction) -> str:
        """A rational number."""
        if value in (0, 1):
            return "zero" if value == 0 else "one"
        self.field = True
        parts = [] if value.numerator == 1 else [f"inj {operand(Index.of(value.numerator), self.names)}"]
        parts += [] if value.denominator == 1 else [f"recip {value.denominator}"]
        return " · ".join(f"({part})" for part in parts) if len(parts) > 1 else parts[0]

    def scalar(self, expr: Index) -> str:
        """An index expression, or a polynomial in real parameters, as a value."""
        if not expr.names & self.reals:
            self.field = True
            return f"inj {operand(expr, self.names)}"
        terms = []
        for key, value in expr.terms.items():
            real = [atom for atom in key if isinstance(atom, str) and atom in self.reals]
            rest = Index({tuple(atom for atom in key if atom not in real): value})
            self.integers(rest)
            self.numbers |= dict.fromkeys(real)
            factors = [] if rest == 1 else [f"inj {operand(rest, self.names)}"]
            self.field |= rest != 1
            factors += [self.names.of(atom, "number") for atom in real]
            terms.append(" · ".join(map(parenthesised, factors)) if len(factors) > 1 else factors[0])
        return " ⊕ ".join(map(parenthesised, terms)) if len(terms) > 1 else terms[0]

    def reciprocal(self, expr: Index) -> str:
        """One over an index expression."""
        self.integers(expr)
        self.field = True
        return f"recip {operand(expr, self.names)}"

    def access(self, node: Access, *, raw: bool = False) -> str:
        """An entry of a tensor; `raw`: of its entries alone, whatever the box."""
        self.integers(*node.index)
        name = self.names.of(node.tensor, "tensor")
        return " ".join([self.entries(node.tensor) if raw else name, *(operand(e, self.names) for e in node.index)])

    def entries(self, tensor: str) -> str:
        """The function of which a tensor is what lies inside its box."""
        return self.names.helper("entries", tensor, self.names.of(tensor, "tensor") + "'")

    def box(self, tensor: str) -> str:
        """The condition of the box of a tensor."""
        return self.names.helper("box", tensor, "in_" + self.names.of(tensor, "tensor"))

    def range(self, bound: Bound) -> str:
        """A range of integers as a list."""
        self.integers(bound.lower, bound.upper)
        return f"range {operand(bound.lower, self.names)} {operand(bound.upper, self.names)}"

    def total(self, node: Reduce) -> str:
        """A sum, one sign for every bound index; conditions stand behind the last one."""
        for bound in node.bounds:
            self.integers(bound.lower, bound.upper)
        signs = "".join(
            f"∑ {self.names.of(b.name)} from {index(b.lower, self.names)} to {index(b.upper, self.names)}, "
            for b in node.bounds
        )
        if not node.guards:
            return signs + self.visit(node.body)
        self.integers(*(e for g in node.guards for e in (g.expr, g.divisor) if e is not None))
        return f"{signs}iv {parenthesised(condition(node.guards, self.names))} {self.factor(node.body)}"

    def largest(self, node: Reduce) -> str:
        """A maximum over the points of a window; where there is none, `none`."""
        self.ordered = True
        if maximum_in(node) is not None:
            return f"value_or none ({self.found(node)})"
        return f"maximum {self.order} none {self.window(node)}"

    def found(self, node: Reduce) -> str:
        """The largest value of a window where there is one; windows within it may be empty."""
        inner = maximum_in(node)
        if inner is not None:
            return f"max_among {self.order} {self.window(node, self.found(inner))}"
        return f"max_of {self.order} {self.window(node)}"

    def window(self, node: Reduce, body: str = "") -> str:
        """The points of a window, and the function that is read at them; `body`: what it is, where it is no tree."""
        self.integers(*(e for g in node.guards for e in (g.expr, g.divisor) if e is not None))
        bounds = node.bounds
        taps = self.points(bounds)
        if node.guards:
            taps = f"(filter {self.function(bounds, condition(node.guards, self.names))} {taps})"
        return f"{taps} {self.function(bounds, body or self.visit(node.body))}"

    # ------------------------------------------------------------------ points: one or several bound indices

    def points(self, bounds: Sequence[Bound]) -> str:
        """The points of nested ranges as a list of nested pairs."""
        if not bounds:
            return "[tt]"
        text = f"({self.range(bounds[0])})"
        for k in range(1, len(bounds)):
            text = f"(points {text} {self.function(bounds[:k], self.range(bounds[k]))})"
        return text

    def function(self, bounds: Sequence[Bound], body: str) -> str:
        """A function of a point."""
        if not bounds:
            return f"(fun _ : unit => {body})"
        sign = "" if len(bounds) == 1 else "'"
        return f"(fun {sign}{self.tuple([self.names.of(b.name) for b in bounds])} => {body})"

    @staticmethod
    def tuple(parts: Sequence[str]) -> str:
        """Nested pairs."""
        text = parts[0]
        for part in parts[1:]:
            text = f"({text}, {part})"
        return text

    def pattern(self, bounds: Sequence[Bound]) -> str:
        """A point, taken apart where it is introduced."""
        if not bounds:
            return "[]"
        text = self.names.of(bounds[0].name)
        for bound in bounds[1:]:
            text = f"[{text} {self.names.of(bound.name)}]"
        return text
