"""Random syntax trees of claims, of the shapes that the front ends read."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from symconv.claims.syntax import (
    EVERYWHERE,
    TRANSPOSED,
    Binary,
    Call,
    Cases,
    Claim,
    Condition,
    Derivative,
    Entry,
    Expr,
    Limit,
    MatrixLiteral,
    Name,
    Negate,
    Number,
    Over,
    Raised,
    Range,
    SetOf,
    sum_over,
)

NAMES = (
    "a",
    "b",
    "d",
    "i",
    "K",
    "S",
    "L",
    "x_prime",
    "y_hat",
    "omega_bar",
    "I_in",
    "K_h",
    "x_1",
    "size",
    "pad2",
    "alpha",
    "lamda",
    "Gamma",
    "oo",
)
ARRAYS = ("a", "b", "c", "X", "Y", "x_prime", "y_hat", "alpha", "lamda", "out", "out_prime")
VARIABLES = ("m", "n", "s", "alpha", "nu", "row")
SHAPES = (
    *("sum", "product", "sign", "power", "entry", "upper", "joined", "call", "several", "range", "set", "derivative"),
    *("limit", "matrix", "cases"),
)
relations = st.sampled_from(("==", "<=", ">=", "<", ">"))


@st.composite
def leaves(draw: st.DrawFn) -> Expr:
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return Number(Fraction(draw(st.integers(0, 10**6))))
    if kind == 1:
        return Number(Fraction(draw(st.integers(0, 9999)), 10 ** draw(st.integers(1, 4))))
    return Name(draw(st.sampled_from(NAMES)))


@st.composite
def exprs(draw: st.DrawFn, depth: int = 3) -> Expr:
    """A tree of at most so many levels."""
    if depth == 0:
        return draw(leaves())

    def inner() -> Expr:
        return draw(exprs(draw(st.integers(0, depth - 1))))

    def several(least: int = 1, most: int = 3) -> tuple[Expr, ...]:
        return tuple(inner() for _ in range(draw(st.integers(least, most))))

    def one(*options: Any) -> Any:
        return draw(st.sampled_from(options))

    def over() -> Range | Over:
        if draw(st.booleans()):
            return Range(one(*VARIABLES), inner(), inner())
        if draw(st.booleans()):
            return Over((one(*VARIABLES),), EVERYWHERE)
        variables = draw(st.lists(st.sampled_from(VARIABLES), min_size=1, max_size=3, unique=True))
        return Over(tuple(variables), one(Name("S"), Entry("S", (Name("i"), Name("j")), Name("k"))))

    def condition() -> Condition:
        return Condition(inner(), draw(relations), inner())

    match one(*SHAPES):
        case "sum":
            return Binary(one("+", "-"), inner(), inner())
        case "product":
            return Binary(one("*", "*", "*", "/", "star", "ast"), inner(), inner())
        case "sign":
            return Negate(inner())
        case "power":
            return Raised(inner(), one(inner(), TRANSPOSED))
        case "entry":
            return Entry(one(*ARRAYS), several())
        case "upper":
            return Entry(one(*ARRAYS), several(1, 2), inner())
        case "joined":
            pieces = (*map(Name, ("i", "j", "K", "alpha", "lamda")), *(Number(Fraction(n)) for n in range(10)))
            return Entry(one(*ARRAYS), tuple(one(*pieces) for _ in range(one(2, 3))), one(None, Name("k")), True)
        case "call":
            return Call(one("floor", "ceil", "abs", "pad", "rot180", "f", "min"), (inner(),))
        case "several":
            return Call(one("max", "min", "mod", "pad", "L", "corr", "ones", "f"), (inner(), inner()))
        case "range":
            return sum_over(one("sum", "max"), inner(), tuple(over() for _ in range(one(1, 2))))
        case "set":
            return SetOf(inner(), Over(("s",), Name("S")))
        case "derivative":
            return Derivative(inner(), one(Name("A"), Entry("a", several(1, 2))))
        case "limit":
            return Limit(inner(), one("p", "nu"), inner())
        case "matrix":
            width = one(1, 2, 3)
            return MatrixLiteral(tuple(several(width, width) for _ in range(one(1, 2))))
    rows = [(inner(), tuple(condition() for _ in range(one(1, 2)))) for _ in range(one(1, 2))]
    return Cases((*rows, *((value, ()) for value in several(0, 1))))


@st.composite
def claims(draw: st.DrawFn) -> Claim:
    parts = tuple(draw(st.lists(exprs(), min_size=1, max_size=2)))
    between = tuple(draw(relations) for _ in parts[1:])
    return Claim(parts, between, continues=draw(st.one_of(st.none(), relations)))  # type: ignore[arg-type]


def powers_deep(value: object) -> int:
    """The number of powers inside each other, upper indices included."""
    if isinstance(value, tuple):
        return max(map(powers_deep, value), default=0)
    if not hasattr(value, "__dataclass_fields__"):
        return 0
    own = isinstance(value, Raised) or (isinstance(value, Entry) and value.upper is not None)
    return own + max(map(powers_deep, vars(value).values()), default=0)


def has_asterisk(value: object) -> bool:
    """Whether there is an asterisk between arrays, which LaTeX writes like one between numbers."""
    if isinstance(value, tuple):
        return any(map(has_asterisk, value))
    if isinstance(value, Binary) and value.op == "ast":
        return True
    return hasattr(value, "__dataclass_fields__") and any(map(has_asterisk, vars(value).values()))
