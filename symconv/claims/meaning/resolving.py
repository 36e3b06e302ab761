r"""From a claim as it was read to one in the letters of its scope: each name and each index where it belongs.

Ways of writing come to one form here: ``y(i, j)`` and ``Y_{ij}`` are entries of y, ``x_{(i+u)(j+v)}`` has as many
indices as x has axes, ``H_{out}`` is a declared name, ``\delta_{i,j}`` is 1 where i = j, and what stands above an array
for the number of its layer is passed over. What could mean two things is refused, with the declaration that would tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from symconv.claims.meaning.lowering import compares_values
from symconv.claims.meaning.naming import tensors
from symconv.claims.meaning.open_sums import readings
from symconv.claims.meaning.scope import ARRAY_FUNCTIONS, Scope
from symconv.claims.syntax import (
    ENTRY,
    TRANSPOSED,
    Binary,
    Call,
    Cases,
    Claim,
    Condition,
    Derivative,
    Entry,
    Expr,
    Name,
    Number,
    Over,
    Raised,
    Range,
    SetOf,
    Sum,
)
from symconv.claims.traversal import map_expr, walk_expr
from symconv.claims.writing import to_text
from symconv.errors import ClaimError
from symconv.operators.letters import capital

__all__ = ["resolved"]

_FUNCTIONS = {"ReLU": "relu", "sigmoid": "sigmoid", "relu": "relu", "exp": "exp", "log": "log", "ln": "log",
              "tanh": "tanh", "softplus": "softplus"}  # fmt: skip
"""Functions of one value by the names that they have everywhere."""

_KRONECKER = "delta"


def resolved(claim: Claim, scope: Scope) -> Claim:
    """The claim in the letters of its scope, with notes on what was read in one of several ways.

    Raises:
        ClaimError: for what could mean two things.
    """
    resolver = _Resolver(scope, claim)
    parts = tuple(resolver.value(part) for part in claim.parts)
    open_ones = dict.fromkeys(text for part in parts for text in readings(part, scope))
    given = tuple(Range(one.variable, resolver.index(one.lower), resolver.index(one.upper)) for one in claim.given)
    return replace(claim, parts=parts, given=given, readings=(*resolver.notes, *open_ones))


@dataclass
class _Resolver:
    scope: Scope
    claim: Claim
    notes: list[str] = field(default_factory=list)
    above: dict[str, Expr] = field(default_factory=dict)  # what stands above each array for its layer

    def __post_init__(self) -> None:
        scope = self.scope
        self.ranks = {
            name: len(scope.boxes[name]) for name in tensors(scope.declared, scope.letters) if name in scope.boxes
        }
        self.ranks[scope.letters.output] = len(scope.output.free)
        named = {capital(name): name for name in self.ranks}
        self.capitals = {name: entry for name, entry in named.items() if name in scope.arrays or len(name) > 1}
        self.names = {*scope.sizes, *scope.declared.quantities, *scope.declared.indices, *scope.declared.sizes}

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    # ------------------------------------------------------------------ values

    def value(self, expr: Expr) -> Expr:
        return map_expr(expr, self._changed)

    def index(self, expr: Expr) -> Expr:
        """An index or a size, in which a letter of an array is no array."""
        return map_expr(expr, lambda part: None if isinstance(part, Name) else self._changed(part))

    def _over(self, over: Range | Over) -> Range | Over:
        if isinstance(over, Range):
            return Range(over.variable, self.index(over.lower), self.index(over.upper))
        return Over(over.variables, self.index(over.set))

    def _changed(self, expr: Expr) -> Expr | None:
        match expr:
            case Name(name) if name in self.ranks and self.ranks[name] and name not in self.names:
                return replace(expr, name=capital(name)) if capital(name) in self.scope.arrays else None
            case Entry():
                return self._entry(expr)
            case Raised():
                return self._raised(expr)
            case Sum():
                return replace(expr, body=self.value(expr.body), over=tuple(map(self._over, expr.over)))
            case SetOf():
                return replace(
                    expr, body=self.value(expr.body), over=Over(expr.over.variables, self.index(expr.over.set))
                )
            case Call("floor" | "ceil" | "mod"):
                return replace(expr, args=tuple(map(self.index, expr.args)))
            case Call():
                return self._call(expr)
            case Cases(rows):
                return replace(expr, rows=tuple((self.value(v), tuple(map(self._condition, c))) for v, c in rows))
        return None

    def _condition(self, condition: Condition) -> Condition:
        change = self.value if compares_values(condition) else self.index
        return replace(condition, left=change(condition.left), right=change(condition.right))

    # ------------------------------------------------------------------ entries

    def _entry(self, expr: Entry) -> Expr | None:
        word = "".join(part.name for part in expr.indices if isinstance(part, Name))
        single = len(expr.indices) == 1 and isinstance(expr.indices[0], Number)
        label = f"{expr.name}_{to_text(expr.indices[0]) if single else word}"
        if label in self.names and (single or len(word) >= len(expr.indices)) and expr.upper is None:
            return Name(label, expr.span)
        name = self.capitals.get(expr.name, expr.name) if expr.name not in self.ranks else expr.name
        if name != expr.name:
            self.note(f"entries of {expr.name} are those of {name}")
        if name not in self.ranks:
            delta = self._kronecker(expr)
            if delta is not None:
                return delta
        indices = expr.indices
        rank = self.ranks.get(name, len(indices))
        if expr.joined and len(indices) != rank:
            indices = _grouped(indices, rank) or indices
        upper = self._upper(name, expr.upper)
        indices = tuple(self.index(index) for index in indices)
        joined, close = expr.joined and len(indices) != rank, expr.joined and indices == expr.indices
        return replace(expr, name=name, indices=indices, upper=upper and self.value(upper), joined=joined, close=close)

    def _kronecker(self, expr: Entry) -> Expr | None:
        """``delta_{i,j}`` where nothing is called delta."""
        declared = self.scope.declared
        if expr.name != _KRONECKER or expr.upper is not None or len(expr.indices) not in (1, 2):
            return None
        if _KRONECKER in (*declared.names.values(), *declared.data, *self.names, *declared.functions):
            return None
        left, right = expr.indices if len(expr.indices) == 2 else (expr.indices[0], Number(Fraction(0)))
        if self._may_be_a_gradient() or (len(expr.indices) == 1 and isinstance(left, Name)):
            output = self.scope.letters.output
            raise ClaimError(
                f"{_KRONECKER} may be Kronecker's, or a gradient: for the gradient by {output} declare "
                f'upstream = {{ {_KRONECKER} = "{output}" }}, for the other write \\mathbb{{1}}[i = j]'
            )
        self.note(f"{_KRONECKER} is Kronecker's: 1 where its two indices agree, else 0")
        one, zero = Number(Fraction(1), _OWN), Number(Fraction(0), _OWN)
        condition = Condition(self.value(left), "==", self.value(right))
        return Cases(((one, (condition,)), (zero, ())), expr.span)

    def _may_be_a_gradient(self) -> bool:
        """Whether the line has a derivative of the error, or says what delta is."""
        error = Name(self.scope.letters.error)
        parts = (part for side in self.claim.parts for part in walk_expr(side))
        first, *rest = self.claim.parts
        defined = _is_delta(first) and not all(isinstance(side, Number) for side in rest)
        return defined or any(isinstance(part, Derivative) and part.of == error for part in parts)

    # ------------------------------------------------------------------ what stands above

    def _raised(self, expr: Raised) -> Expr | None:
        base = expr.base
        if isinstance(base, Name) and (base.name in self.ranks or base.name in self.capitals):
            entry = self.capitals.get(base.name, base.name)
            if self._upper(entry, expr.exponent) is None:
                return self.value(base)
        if expr.exponent == Name("T") and not {"T"} & {*self.names, *self.scope.declared.matrices}:
            return replace(expr, base=self.value(base), exponent=TRANSPOSED)
        return None

    def _upper(self, name: str, upper: Expr | None) -> Expr | None:
        """What stands above an array and is no number of a layer."""
        letter = self.scope.declared.upper
        if upper is None:
            return None
        inside = {part.name for part in walk_expr(upper) if isinstance(part, Name)}
        if not letter:
            unknown = sorted(inside - {*self.names, *self.scope.output.table.real, "T", "transposed", "p"})
            if unknown and name in self.ranks:
                raise ClaimError(
                    f"{unknown[0]} above {name} is not declared; for the number of a layer, or a channel, add "
                    f'upper = "{unknown[0]}"'
                )
            return upper
        if letter not in inside:
            return upper
        known = self.above.setdefault(name, upper)
        if known != upper:
            raise ClaimError(
                f"{name} has {to_text(known)} above it here and {to_text(upper)} there, and would be two "
                "arrays; this is about one layer"
            )
        return None

    # ------------------------------------------------------------------ functions

    def _call(self, expr: Call) -> Expr | None:
        name, args, declared = expr.name, expr.args, self.scope.declared
        if name == ENTRY and args:
            return replace(expr, args=(self.value(args[0]), *map(self.index, args[1:])))
        if name in declared.functions or name in ARRAY_FUNCTIONS:
            return None
        entry = name if name in self.ranks else self.capitals.get(name)
        if entry is not None:
            return self._entry(Entry(entry, args, span=expr.span))
        if name == _KRONECKER and (delta := self._kronecker(Entry(name, args, span=expr.span))) is not None:
            return delta
        if name == "rot" and len(args) == 2 and args[1] == Number(Fraction(180)):
            return Call("rot180", (self.value(args[0]),), expr.span)
        if name == "sigma" and len(args) == 1:
            self.note("sigma is the sigmoid")
            return Call("sigmoid", (self.value(args[0]),), expr.span)
        if name in _FUNCTIONS and len(args) == 1:
            return Call(_FUNCTIONS[name], (self.value(args[0]),), expr.span)
        return None


def _is_delta(expr: Expr) -> bool:
    return isinstance(expr, Entry | Call) and expr.name == _KRONECKER


_OWN = (-1, -1)
"""The span of a number that the claim does not write."""


def _grouped(indices: Sequence[Expr], rank: int) -> tuple[Expr, ...]:
    """Letters and digits side by side as so many indices: ``2i2j`` is 2i and 2j, and 10 is one number."""
    groups: list[list[Expr]] = []
    for index in indices:
        last = groups[-1] if groups else []
        if last and all(isinstance(part, Number) for part in last) and not (isinstance(index, Number) and rank > 1):
            last.append(index)
        else:
            groups.append([index])
    if len(groups) != rank:
        return ()
    return tuple(_product(group) for group in groups)


def _product(group: Sequence[Expr]) -> Expr:
    digits = [part for part in group if isinstance(part, Number)]
    rest = [part for part in group if not isinstance(part, Number)]
    if not digits:
        return group[0]
    span = (digits[0].span[0], digits[-1].span[1])
    number = Number(Fraction(int("".join(str(part.value) for part in digits))), span)
    return Binary("*", number, rest[0], (span[0], rest[0].span[1])) if rest else number
