"""Formulas as trees: windowed sums, maxima and minima of products of tensor accesses.

A tensor is a function on all integer positions that is zero outside its declared box, so zero padding costs nothing.
Maxima, minima, absolute values, powers, functions of one value and tie shares are factors of a product like any access,
so that one walk differentiates, substitutes, evaluates and prints all of them. Every such walk is a `FormulaWalker`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal, TypeAlias, TypeVar

from symconv.formulas.function import Function
from symconv.formulas.index import Index, IndexLike, Quotient
from symconv.formulas.walker import Walker

__all__ = [
    "ONE",
    "ZERO",
    "Absolute",
    "Access",
    "Applied",
    "Bound",
    "Bracket",
    "Compare",
    "Constant",
    "FormulaWalker",
    "Guard",
    "Label",
    "Multiply",
    "Named",
    "Node",
    "Plus",
    "Power",
    "Reduce",
    "Scalar",
    "Share",
    "Sign",
    "add",
    "between",
    "const",
    "divides",
    "equal",
    "factors_of",
    "inside",
    "nonnegative",
    "product",
    "scalar",
    "summation",
]


@dataclass(frozen=True)
class Guard:
    """A condition on indices: ``expr >= 0``, ``expr == 0`` or ``divisor | expr``."""

    kind: Literal["ge", "eq", "div"]
    expr: Index
    divisor: Index | None = None

    @property
    def names(self) -> frozenset[str]:
        return self.expr.names | (self.divisor.names if self.divisor is not None else frozenset())

    def subs(self, env: Mapping[str, IndexLike]) -> Guard:
        return Guard(self.kind, self.expr.subs(env), None if self.divisor is None else self.divisor.subs(env))

    @property
    def truth(self) -> bool | None:
        """True or False where the condition holds or fails whatever the names are, as far as one can see; else None."""
        if self.divisor == 1:
            return True
        value = self.expr.value
        if value is None:
            return None
        if self.kind == "ge":
            return value >= 0
        if self.kind == "eq":
            return value == 0
        divisor = self.divisor.value if self.divisor is not None else None
        if value == 0:
            return True
        return None if divisor is None else value % divisor == 0


def nonnegative(expr: IndexLike) -> Guard:
    """The guard ``expr >= 0``."""
    return Guard("ge", Index.of(expr))


def equal(left: IndexLike, right: IndexLike) -> Guard:
    """The guard ``left == right``."""
    return Guard("eq", Index.of(left) - Index.of(right))


def divides(divisor: IndexLike, expr: IndexLike) -> Guard:
    """The guard ``divisor | expr``."""
    return Guard("div", Index.of(expr), Index.of(divisor))


def between(lower: IndexLike, expr: IndexLike, upper: IndexLike) -> tuple[Guard, Guard]:
    """The guards ``lower <= expr <= upper``."""
    middle = Index.of(expr)
    return nonnegative(middle - Index.of(lower)), nonnegative(Index.of(upper) - middle)


@dataclass(frozen=True)
class Bound:
    """A bound index and its inclusive range; the range is empty where ``upper < lower``."""

    name: str
    lower: Index
    upper: Index

    def guards(self) -> tuple[Guard, Guard]:
        return between(self.lower, self.name, self.upper)

    def subs(self, env: Mapping[str, IndexLike]) -> Bound:
        return Bound(self.name, self.lower.subs(env), self.upper.subs(env))


@dataclass(frozen=True)
class Constant:
    """An exact rational number."""

    value: Fraction


@dataclass(frozen=True)
class Scalar:
    """An index expression, or a real parameter such as the p of an LP norm, as a value."""

    index: Index


@dataclass(frozen=True)
class Access:
    """An entry of a tensor; zero outside the tensor's box."""

    tensor: str
    index: tuple[Index, ...]


@dataclass(frozen=True)
class Plus:
    """A sum of finitely many nodes."""

    args: tuple[Node, ...]


@dataclass(frozen=True)
class Multiply:
    """A product of finitely many nodes."""

    args: tuple[Node, ...]


@dataclass(frozen=True)
class Power:
    """``base ** exponent``; a non-positive power of zero counts as zero where it is a factor of a gradient."""

    base: Node
    exponent: Node


@dataclass(frozen=True)
class Absolute:
    """The absolute value."""

    arg: Node


@dataclass(frozen=True)
class Sign:
    """-1, 0 or 1."""

    arg: Node


@dataclass(frozen=True)
class Applied:
    """A function of one value, one of `symconv.formulas.functions`, at the value of `arg`."""

    function: Function
    arg: Node


@dataclass(frozen=True)
class Bracket:
    """Iverson's bracket: 1 where all guards hold, else 0."""

    guards: tuple[Guard, ...]


@dataclass(frozen=True)
class Compare:
    """1 where ``left relation right`` holds between values, else 0."""

    left: Node
    relation: Literal[">", ">=", "="]
    right: Node


@dataclass(frozen=True)
class Reduce:
    """The sum, maximum or minimum of `body` over bound indices under guards.

    An empty sum is 0, an empty maximum -infinity, an empty minimum infinity.
    """

    op: Literal["sum", "max", "min"]
    bounds: tuple[Bound, ...]
    guards: tuple[Guard, ...]
    body: Node


@dataclass(frozen=True)
class Share:
    """The part of the gradient of a maximum or minimum that its tap at `at` receives under a tie policy.

    "first": 1 for the first maximum in row-major order, else 0; "split": one over the number of maxima, for each;
    likewise of a minimum. With `alone` nothing is said of a window with several: its layer refuses them.
    """

    policy: Literal["first", "split"]
    reduce: Reduce
    at: tuple[Index, ...]
    alone: bool = False


@dataclass(frozen=True)
class Label:
    """A name on paper: LaTeX and Unicode, made by symconv and never by a user."""

    latex: str
    text: str


@dataclass(frozen=True)
class Named:
    """A value under a name, such as an entry of a padded tensor; it prints as the name and counts as the value.

    With `wrt` it prints as the derivative of the named entry by an entry of a tensor.
    """

    label: Label
    index: tuple[Index, ...]
    value: Node
    wrt: Access | None = None


Node: TypeAlias = (
    "Constant | Scalar | Access | Plus | Multiply | Power | Absolute | Sign | Applied | Bracket | Compare | Reduce"
    " | Share | Named"
)

Answer = TypeVar("Answer")


class FormulaWalker(Walker[Answer]):
    """A walk over the trees of formulas: a case for every kind of `Node`."""

    kinds: ClassVar[tuple[type, ...]] = (
        Constant,
        Scalar,
        Access,
        Plus,
        Multiply,
        Power,
        Absolute,
        Sign,
        Applied,
        Bracket,
        Compare,
        Reduce,
        Share,
        Named,
    )


def inside(access: Access, box: tuple[tuple[Index, Index], ...]) -> tuple[Guard, ...]:
    """The guards that say that an access lies in its tensor's box.

    For an index that is one exact quotient n/d they read ``d*low <= n <= d*high``, which is affine.
    """
    guards: list[Guard] = []
    for e, (low, high) in zip(access.index, box, strict=True):
        exact = _exact_quotient(e)
        if exact is None:
            guards += between(low, e, high)
        else:
            top, scale, shift = exact
            guards += between(scale * (low - shift), top, scale * (high - shift))
    return tuple(guards)


def _exact_quotient(e: Index) -> tuple[Index, Index, Index] | None:
    """``(n, d, shift)`` where an index reads ``n/d + shift`` with an exact quotient and an integer shift."""
    shift = Index.of(e.terms.get((), 0))
    rest = e - shift
    if len(rest.terms) != 1:
        return None
    ((key, value),) = rest.terms.items()
    if value != 1 or len(key) != 1 or not isinstance(key[0], Quotient) or key[0].rounding != "exact":
        return None
    return key[0].numerator, key[0].denominator, shift


def const(value: int | Fraction) -> Constant:
    """The node of an exact number."""
    return Constant(Fraction(value))


def scalar(index: Index) -> Node:
    """The value of an index expression: a number where it is one."""
    return const(index.value) if index.value is not None else Scalar(index)


ZERO, ONE = const(0), const(1)


def product(*args: Node) -> Node:
    """A product, flattened, with its numbers multiplied into one leading factor.

    Nothing else is cancelled: p * (1/p) has no value where p is 0, which is not seen from here.
    """
    number = Fraction(1)
    rest: list[Node] = []
    for arg in args:
        for part in factors_of(arg):
            if isinstance(part, Constant):
                number *= part.value
            else:
                rest.append(part)
    if number == 0:
        return ZERO
    factors = tuple(rest) if number == 1 else (Constant(number), *rest)
    if not factors:
        return ONE
    return factors[0] if len(factors) == 1 else Multiply(factors)


def factors_of(node: Node) -> tuple[Node, ...]:
    """The factors of a product; anything else is its own one factor."""
    return node.args if isinstance(node, Multiply) else (node,)


def add(*args: Node) -> Node:
    """A sum, flattened, with zeros dropped."""
    parts = [part for arg in args for part in (arg.args if isinstance(arg, Plus) else (arg,)) if part != ZERO]
    if not parts:
        return ZERO
    return parts[0] if len(parts) == 1 else Plus(tuple(parts))


def summation(body: Node, *bounds: Bound, guards: Iterable[Guard] = ()) -> Node:
    """A sum over bound indices under guards; guards that always hold are dropped, one that never does gives 0."""
    kept = []
    for guard in dict.fromkeys(guards):
        if guard.truth is False:
            return ZERO
        if guard.truth is None:
            kept.append(guard)
    if body == ZERO:
        return ZERO
    if not bounds and not kept:
        return body
    return Reduce("sum", bounds, tuple(kept), body)
