"""Index expressions of claims: integers, indices and sizes, exactly as they stand."""

from __future__ import annotations

from fractions import Fraction

from symconv.claims.meaning.naming import SIZES
from symconv.claims.meaning.scope import Scope
from symconv.claims.syntax import Binary, Call, Entry, Expr, Name, Negate, Number
from symconv.errors import ClaimError
from symconv.formulas.index import Index, ceiling, floor, maximum, minimum

__all__ = ["indices_of", "to_index", "to_ratio"]


def indices_of(entry: Entry, rank: int) -> tuple[Expr, ...]:
    """The indices of an entry; a joined subscript must have one letter an axis."""
    if len(entry.indices) != rank:
        raise ClaimError(
            f"{entry.name} has {rank} {'index' if rank == 1 else 'indices'}, and {len(entry.indices)} are given"
            + ("; separate them by commas" if entry.joined else "")
        )
    return entry.indices


def to_index(expr: Expr, scope: Scope, bound: frozenset[str] = frozenset()) -> Index:
    """An index expression: integers, indices and sizes under + - * floor ceil mod min max."""
    if isinstance(expr, Number):
        value = scope.number(expr)
        if isinstance(value, Fraction):
            raise ClaimError(f"{value} stands in an index, which must be an integer")
        return value
    if isinstance(expr, Name):
        return _index_name(expr.name, scope, bound)
    if isinstance(expr, Negate):
        return -to_index(expr.arg, scope, bound)
    if isinstance(expr, Binary) and expr.op in ("+", "-", "*", "ast"):
        left, right = to_index(expr.left, scope, bound), to_index(expr.right, scope, bound)
        return left + right if expr.op == "+" else left - right if expr.op == "-" else left * right
    if isinstance(expr, Call) and expr.name in ("floor", "ceil") and len(expr.args) == 1:
        inner = expr.args[0]
        rounded = floor if expr.name == "floor" else ceiling
        top, bottom = _whole(to_ratio(inner, scope, bound), scope)
        return rounded(*_with_positive(top, bottom))
    if isinstance(expr, Call) and expr.name == "mod" and len(expr.args) == 2:
        top, bottom = _whole((to_index(expr.args[0], scope, bound), to_index(expr.args[1], scope, bound)), scope)
        return top - bottom * floor(*_with_positive(top, bottom))
    if isinstance(expr, Call) and expr.name in ("min", "max") and expr.args:
        parts = [to_index(arg, scope, bound) for arg in expr.args]
        return minimum(*parts) if expr.name == "min" else maximum(*parts)
    raise ClaimError("an index must be built from integers, indices and sizes with + - * floor ceil mod min max")


def _whole(ratio: tuple[Index, Index], scope: Scope) -> tuple[Index, Index]:
    """The same quotient, of whole numbers."""
    order = min(scope.orders & (ratio[0].names | ratio[1].names), default="")
    if order:
        raise ClaimError(f"{order} is the order of a norm, which need not be a whole number, and is not rounded here")
    return ratio


def _with_positive(top: Index, bottom: Index) -> tuple[Index, Index]:
    """The same quotient, not below a negative number."""
    number = bottom.value
    if number == 0:
        raise ClaimError("divides by zero")
    return (-top, -bottom) if number is not None and number < 0 else (top, bottom)


def to_ratio(expr: Expr, scope: Scope, bound: frozenset[str]) -> tuple[Index, Index]:
    """``(n, d)`` of an expression n/d, also inside a sum: ``(I - K)/S + 1`` is ``(I - K + S)/S``."""
    if isinstance(expr, Binary) and expr.op == "/":
        top, inner = to_ratio(expr.left, scope, bound)
        return top, inner * to_index(expr.right, scope, bound)
    if isinstance(expr, Binary) and expr.op in ("+", "-"):
        (top, bottom), (other, below) = (to_ratio(side, scope, bound) for side in (expr.left, expr.right))
        other = other if expr.op == "+" else -other
        return (top + other, bottom) if bottom == below else (top * below + other * bottom, bottom * below)
    return to_index(expr, scope, bound), Index.of(1)


def _index_name(name: str, scope: Scope, bound: frozenset[str]) -> Index:
    if name in scope.sizes:
        return scope.sizes[name]
    if name == "size":
        return scope.whole_size()
    if name in bound:
        return Index.of(name)
    letters = scope.letters
    if name == letters.output or name in scope.boxes:
        raise ClaimError(
            f"{name} is a tensor and stands in an index; an index or a size is wanted there{_size_hint(name)}"
        )
    orders = scope.output.table.real
    others = (letters.error, "oo", scope.declared.upper, *scope.arrays, *scope.declared.sets, *scope.declared.functions)
    if name in (*others, *orders):
        raise ClaimError(f"{name} stands in an index; an index or a size is wanted there{_size_hint(name)}")
    return Index.of(name)


def _size_hint(name: str) -> str:
    """How a size is named whose usual letter has another meaning in the question."""
    kinds = [kind for kind, letter in SIZES.items() if letter == name]
    return "".join(f'; name the {kind} by another letter, such as sizes = {{ N = "{kind}" }}' for kind in kinds)
