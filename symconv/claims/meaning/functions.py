"""Functions and counts by their words: those of one value, and what a layer has how many of."""

from __future__ import annotations

from typing import Any

from symconv.claims.meaning.naming import FUNCTIONS
from symconv.claims.meaning.scope import ARRAY_KINDS, NORMS, QUANTITIES, VALUES, Scope
from symconv.claims.syntax import ENTRY, Call, Derivative, Entry, Expr
from symconv.claims.traversal import walk_expr
from symconv.errors import ClaimError
from symconv.formulas.function import Function
from symconv.formulas.functions import EXP, LN, POSITIVE_PART, SIGMOID, SOFTPLUS, TANH
from symconv.formulas.index import Index
from symconv.operators.convolution import Conv

__all__ = ["array_function", "check_kind", "names_operator", "of_values", "quantity", "value_function"]

_FUNCTIONS: dict[str, Function] = {
    "relu": POSITIVE_PART,
    "sigmoid": SIGMOID,
    "tanh": TANH,
    "exp": EXP,
    "log": LN,
    "softplus": SOFTPLUS,
}


def value_function(name: str, scope: Scope) -> Function | None:
    """The function of one value that a claim calls so; None where there is none."""
    return _FUNCTIONS.get(scope.declared.functions.get(name, name))


def check_kind(name: str, scope: Scope) -> None:
    """Refuse a declared function that is none of those which there are."""
    kind, known = scope.declared.functions.get(name, ""), (*NORMS, *VALUES, *ARRAY_KINDS)
    if kind and kind not in known:
        raise ClaimError(f"functions: {name!r} must be one of {', '.join(map(repr, known))}, got {kind!r}")


def array_function(name: str, scope: Scope) -> str:
    """What a declared function does with arrays; "" where it is none of them."""
    kind = scope.declared.functions.get(name, "")
    return kind if kind in ARRAY_KINDS else ""


def names_operator(expr: Call, scope: Scope) -> bool:
    """Whether an operator of the file is applied; with several arguments, max is that of the language all the same."""
    return expr.name in scope.declared.operators and not (expr.name in FUNCTIONS and len(expr.args) > 1)


def of_values(expr: Expr) -> bool:
    """Whether an expression reads entries of tensors."""
    return any(
        (isinstance(part, Entry | Derivative) and getattr(part, "name", "") != "size")
        or (isinstance(part, Call) and part.name == ENTRY)
        for part in walk_expr(expr)
    )


def quantity(kind: str, scope: Scope) -> Index:
    """How many parameters, or multiply-adds, a layer has, how large its output is, or how much one output sees.

    Raises:
        ClaimError: where the axes differ and one number is asked for.
    """
    if kind not in QUANTITIES:
        raise ClaimError(f"quantities: must be one of {', '.join(QUANTITIES)}, got {kind!r}")
    if kind == "output size":
        return scope.whole_size()
    if kind == "receptive field":
        extents = {window.d * (window.k - 1) + 1 for window in scope.windows}
        if len(extents) != 1:
            raise ClaimError("the receptive field differs between the axes")
        return Index.of(extents.pop())
    op: Any = scope.op
    if not isinstance(op, Conv):
        if kind == "parameters":
            return Index.of(0)
        raise ClaimError(f"{op.noun} has no multiply-adds")
    taps = Index.of(1)
    for window in scope.windows:
        taps = taps * window.k
    outputs = Index.of(_size(op.out_channels))
    inputs = Index.of(_size(op.in_channels) if op.groups == 1 else op.in_channels // op.groups)
    weights = inputs * outputs * taps
    if kind == "parameters":
        return weights + outputs if op.bias else weights
    for size in scope.output_sizes:
        weights = weights * size
    return weights


def _size(option: Any) -> Any:
    return option if isinstance(option, int) else str(option)
