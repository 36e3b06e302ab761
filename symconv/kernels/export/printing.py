"""A formula as NumPy statements: free indices are arrays along axes of their own, bound ones are loops.

Every text is made of numbers and of words of this package: a name of a formula is taken over only where it is a plain
identifier, and is replaced otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from keyword import iskeyword

from symconv.errors import NotSupportedError
from symconv.formulas.algebra import (
    Absolute,
    Access,
    Applied,
    Bound,
    Bracket,
    Compare,
    Constant,
    FormulaWalker,
    Guard,
    Multiply,
    Named,
    Node,
    Plus,
    Power,
    Reduce,
    Scalar,
    Share,
    Sign,
    between,
    divides,
)
from symconv.formulas.functions import NEGATIVE_PART, POSITIVE_PART, SIGMOID, SOFTPLUS, TANH
from symconv.formulas.index import Extremum, Index, Quotient
from symconv.formulas.walker import case

__all__ = ["RESERVED", "ArrayText"]

_OWN = """T ValueError abs array arrays batch close expected fit float forward grid int kind lead max near np one
    pattern place range read self_test shape str value wanted"""

RESERVED = frozenset(_OWN.split())
"""Names that mean something else in a module."""

EMPTY = {"sum": "0", "max": "-np.inf", "min": "np.inf"}
JOINED = {"sum": "{} + {}", "max": "np.maximum({}, {})", "min": "np.minimum({}, {})"}

FUNCTIONS = {
    POSITIVE_PART.name: "np.maximum({}, 0)",
    NEGATIVE_PART.name: "np.minimum({}, 0)",
    TANH.name: "np.tanh({})",
    SOFTPLUS.name: "np.logaddexp(0, {})",
    SIGMOID.name: "np.exp(-np.logaddexp(0, -{}))",
}
"""Functions that do not overflow."""


class ArrayText(FormulaWalker[str]):
    """The text of a tree; the statements that it needs first are in `lines`.

    Args:
        free: the free indices, each of which is an array.
    """

    def __init__(self, free: Iterable[str]) -> None:
        self.moving = set(free)
        self.ndim = len(self.moving)
        self.lines: list[str] = []
        self._depth, self._made = 0, 0
        self._names: dict[str, str] = {}
        self._waiting: set[str] = set()  # bound indices that have no value yet

    def name(self, name: str) -> str:
        """The identifier of a name of the formula."""
        if name not in self._names:
            plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,19}", name) and not re.fullmatch(r"[kt]\d+", name)
            taken = name in RESERVED or iskeyword(name)
            self._names[name] = name if plain and not taken else f"k{len(self._names)}"
        return self._names[name]

    def say(self, line: str) -> None:
        """Add a statement."""
        self.lines.append("    " * self._depth + line)

    # ------------------------------------------------------------------ indices

    def index(self, expr: Index) -> str:
        """The text of an index expression."""
        text = ""
        for key, value in expr.terms.items():
            atoms = [self.name(atom) if isinstance(atom, str) else self._atom(atom) for atom in key]
            size = " * ".join([*([str(abs(value))] if abs(value) != 1 or not atoms else []), *atoms])
            sign = "-" if value < 0 else "+"
            text += f" {sign} {size}" if text else f"{sign.strip('+')}{size}"
        return text or "0"

    def _atom(self, atom: Quotient | Extremum) -> str:
        if isinstance(atom, Quotient):
            over, under = self.index(atom.numerator), self.index(atom.denominator)
            return f"(-(-({over}) // ({under})))" if atom.rounding == "ceil" else f"(({over}) // ({under}))"
        first, *rest = map(self.index, atom.args)
        for arg in rest:
            first = f"np.{atom.kind}imum({first}, {arg})"
        return first

    def guard(self, guard: Guard) -> str:
        """The text of a condition."""
        if guard.divisor is not None:
            return f"(({self.index(guard.expr)}) % ({self.index(guard.divisor)}) == 0)"
        return f"({self.index(guard.expr)} {'>=' if guard.kind == 'ge' else '=='} 0)"

    # ------------------------------------------------------------------ values

    @case(Constant)
    def _constant(self, node: Constant) -> str:
        value = node.value
        return f"({value})" if value.denominator == 1 and abs(value) < 2**53 else f"({float(value)!r})"

    @case(Scalar)
    def _scalar(self, node: Scalar) -> str:
        return f"np.asarray({self.index(node.index)}, T)"

    @case(Access)
    def _access(self, node: Access) -> str:
        return f"read({', '.join([str(self.ndim), self.name(node.tensor), *map(self.index, node.index)])})"

    @case(Named)
    def _named(self, node: Named) -> str:
        return self.visit(node.value)

    @case(Plus)
    def _plus(self, node: Plus) -> str:
        return f"({' + '.join(map(self.visit, node.args))})"

    @case(Multiply)
    def _multiply(self, node: Multiply) -> str:
        return f"({' * '.join(map(self.visit, node.args))})"

    @case(Power)
    def _power(self, node: Power) -> str:
        if not isinstance(node.exponent, Constant):
            return self._other(node)
        base, exponent = self.visit(node.base), abs(node.exponent.value)
        if exponent == Fraction(1, 2):
            text = f"np.sqrt({base})"
        elif exponent == 1:
            text = base
        else:
            text = f"{base} ** ({exponent})"
        return f"(1 / ({text}))" if node.exponent.value < 0 else f"({text})"

    @case(Absolute)
    def _absolute(self, node: Absolute) -> str:
        return f"np.abs({self.visit(node.arg)})"

    @case(Sign)
    def _sign(self, node: Sign) -> str:
        return f"np.sign({self.visit(node.arg)})"

    @case(Applied)
    def _applied(self, node: Applied) -> str:
        if node.function.name not in FUNCTIONS:
            return self._other(node)
        return FUNCTIONS[node.function.name].format(self.visit(node.arg))

    @case(Bracket)
    def _bracket(self, node: Bracket) -> str:
        return f"({' & '.join(map(self.guard, node.guards))})"

    @case(Compare)
    def _compare(self, node: Compare) -> str:
        relation = "==" if node.relation == "=" else node.relation
        return f"({self.visit(node.left)} {relation} {self.visit(node.right)})"

    @case(Reduce)
    def _reduce(self, node: Reduce) -> str:
        self._made += 1
        total, depth, moving = f"t{self._made}", self._depth, set(self.moving)
        self.say(f"{total} = {EMPTY[node.op]}")
        guards = list(node.guards)
        self._waiting |= {bound.name for bound in node.bounds}
        # an equation gives an index of a long range by those of short ones, which therefore come first
        for bound in sorted(node.bounds, key=lambda bound: bound.upper.value is None):
            guards = self._run_through(bound, guards)
        value = self.visit(node.body)
        if guards:
            value = f"np.where({' & '.join(map(self.guard, guards))}, {value}, {EMPTY[node.op]})"
        self.say(f"{total} = {JOINED[node.op].format(total, value)}")
        self._depth, self.moving = depth, moving
        return total

    def _run_through(self, bound: Bound, guards: list[Guard]) -> list[Guard]:
        """Open the loop of a bound index, or say what it is where an equation does; the conditions that are left."""
        name = self.name(bound.name)
        self._waiting.discard(bound.name)
        for guard in guards:
            if guard.kind != "eq" or bound.upper.value is not None or guard.expr.names & self._waiting:
                continue
            solved = guard.expr.linear_in(bound.name)
            factor = None if solved is None else solved[0].value
            if solved is not None and factor:
                rest, size = (-solved[1] if factor > 0 else solved[1]), Index.of(abs(factor))
                self.say(f"{name} = ({self.index(rest)}) // {self.index(size)}")
                self.moving.add(bound.name)
                left = [other for other in guards if other is not guard]
                return [*left, divides(size, rest), *between(bound.lower, bound.name, bound.upper)]
        lower, upper = self.index(bound.lower), self.index(bound.upper)
        if (bound.lower.names | bound.upper.names) & self.moving:
            lower, upper = f"int(np.min({lower}))", f"int(np.max({upper}))"
            guards = [*guards, *bound.guards()]
        self.say(f"for {name} in range({lower}, {upper} + 1):")
        self._depth += 1
        return guards

    @case(Share)
    def _other(self, node: Node) -> str:
        what = f"the function {node.function.name}" if isinstance(node, Applied) else f"a {type(node).__name__}"
        raise NotSupportedError(f"no module is printed of a formula with {what}, which may overflow or has no value")
