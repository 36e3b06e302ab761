"""What a verdict takes from declarations: the family of layers that it speaks of, and what is given for the claim."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, TypeGuard

from symconv.claims.declarations import Declarations
from symconv.claims.meaning.naming import naming
from symconv.claims.meaning.scope import Scope
from symconv.claims.syntax import Binary, Claim, Derivative
from symconv.claims.traversal import walk_expr, words
from symconv.operators.base import Operator
from symconv.operators.pooling import MaxPool

__all__ = ["given", "has_ties", "kept", "names_axes"]

_GEOMETRY = ("stride", "padding", "dilation", "output_padding")
_SYMBOLIC = ("kernel_size", "norm_type", "ndim", "_")
_NORMS = {"lp": "the LP norm", "lp without absolute value": "the LP norm without absolute value"}


def names_axes(claim: Claim, declared: Declarations) -> bool:
    """Whether a claim speaks of sizes axis by axis, such as K_1, and of none that is the same on all axes."""
    letters = set(naming(declared).written)
    used = words(claim).union(*(_letters_in(meaning) for meaning in declared.general.values()))
    apart = {f"{letter}_{axis}" for letter in letters for axis in range(1, len(declared.input_size) + 1)}
    return bool(used & apart) and not used & letters


def _letters_in(meaning: Any) -> set[str]:
    texts = [meaning] if isinstance(meaning, str) else meaning
    marks = str.maketrans("+-*()", "     ")
    return {word for text in texts for word in str(text).translate(marks).split()}


def kept(scope: Scope) -> tuple[str, ...]:
    """What stayed as it is declared where sizes are symbolic, in words; nothing at one size, or for a bare family."""
    if scope.literal or not scope.hypotheses:
        return ()
    same = ("the same sizes on all axes",) if scope.square else ()
    return (*same, *_options(scope.op))


def _options(op: Any) -> Iterator[str]:
    from symconv.formulas.symbols import is_symbolic

    for field in fields(op):
        value = getattr(op, field.name)
        if field.name in _SYMBOLIC or (field.name not in _GEOMETRY and value == field.default):
            continue
        if field.name == "ties":
            continue  # said where a claim differentiates a maximum
        flat = value if isinstance(value, tuple) else (value,)
        flat = tuple(part for entry in flat for part in (entry if isinstance(entry, tuple) else (entry,)))
        if not any(is_symbolic(entry) for entry in flat):
            yield f"{field.name} {_shown(value)}"


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        entries = [_shown(entry) for entry in value]
        return entries[0] if len(set(entries)) == 1 else f"({', '.join(entries)})"
    return str(value).lower() if isinstance(value, bool) else str(value)


def given(declared: Declarations, claim: Claim | None) -> tuple[str, ...]:
    """What is declared for a claim beyond its layer, in words: it is part of what a verdict says."""
    letters = naming(declared).letters
    exprs = [expr for part in claim.parts for expr in walk_expr(part)] if claim is not None else []
    found = []
    if declared.upstream == "ones":
        found.append(f"every entry of {letters.upstream} is 1")
    found += [f"every entry of {letter} is >= 0" for letter in declared.nonnegative]
    used = words(claim) if claim is not None else set()
    found += [f"{name} is {_NORMS.get(kind, kind)}" for name, kind in declared.functions.items() if name in used]
    if declared.star and any(isinstance(expr, Binary) and expr.op == "ast" for expr in exprs):
        found.append(f"the asterisk is a {declared.star}")
    op = declared.op
    if has_ties(op) and any(isinstance(expr, Derivative) for expr in exprs):
        found.append(f"of equal maxima the gradient goes by ties = {op.ties!r}")
    if op.kink_policy() != "undefined" and any(isinstance(expr, Derivative) for expr in exprs):
        found.append(f"the derivatives of max(0, x) and min(0, x) at x = 0 are those from the {op.kink_policy()}")
    if declared.outside:
        found.append(OUTSIDE[declared.outside])
    return tuple(found)


def has_ties(op: Operator) -> TypeGuard[MaxPool]:
    """Whether a layer has an option that says which of several equal maxima takes the gradient."""
    return isinstance(op, MaxPool) and not op.refuses_ties  # which has a gradient where there is one winner alone


OUTSIDE = {
    "zero": "entries outside count as 0",
    "undefined": "entries outside are undefined",
}
"""What is declared of entries that do not exist, in words."""
