"""One equation of a claim: two values, or two arrays by their sizes and every entry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from symconv.claims.meaning import arrays
from symconv.claims.meaning.assumptions import (
    nonnegative_obligation,
    read_as_nonnegative,
    shares_as_comparisons,
    under_signs,
    unique_maxima,
    without_known_ranges,
)
from symconv.claims.meaning.decision import decide
from symconv.claims.meaning.definedness import obligations, of_arrays
from symconv.claims.meaning.lowering import lower
from symconv.claims.meaning.number_arrays import are_numbers, compare_numbers
from symconv.claims.meaning.obligations import ClaimNeed
from symconv.claims.meaning.ranges import free_names_of, free_ranges
from symconv.claims.meaning.scope import ORDER, Scope
from symconv.claims.nested import shape_text
from symconv.claims.syntax import Binary, Claim, Expr, MatrixLiteral, Negate
from symconv.claims.traversal import words
from symconv.claims.writing import to_text
from symconv.errors import ClaimError
from symconv.formulas.algebra import Bound, Guard, Node, equal, scalar
from symconv.formulas.index import Index
from symconv.formulas.walks import accesses
from symconv.proofs.needs import Valued
from symconv.proofs.record import conjunction
from symconv.proofs.statement import Statement, free_names
from symconv.proofs.verdict import Verdict

__all__ = ["all_of", "compare"]

_RANK = {"refuted": 0, "error": 1, "undecided": 2, "exact": 3, "proved": 4}  # what differs goes first
_T = TypeVar("_T")


def compare(left: Expr, right: Expr, scope: Scope, quick: bool) -> Verdict:
    whole = [side for side in (left, right) if arrays.is_array(side, scope)]
    # an array in arithmetic that is compared with a value stands in it by mistake, which is said there
    if len(whole) == 2 or any(not _in_arithmetic(side) for side in whole):
        if are_numbers(left, scope) or are_numbers(right, scope):
            return compare_numbers(left, right, scope)
        return _compare_arrays(left, right, scope, quick)
    mine, theirs = lower(left, scope), lower(right, scope)  # what is not declared is found here, before ranges
    free = free_ranges(left, right, scope)
    return _decide(mine, theirs, free, obligations((left, right), free, scope), scope, quick)


def _in_arithmetic(expr: Expr) -> bool:
    return isinstance(expr, Negate) or (isinstance(expr, Binary) and expr.op in "+-*/")


def _decide(
    left: Node,
    right: Node,
    free: Sequence[Bound],
    obliged: Sequence[ClaimNeed],
    scope: Scope,
    quick: bool,
    given: Sequence[Guard] = (),
) -> Verdict:
    letters = scope.declared.nonnegative
    unknown = [name for name in letters if name not in scope.boxes]
    if unknown:
        raise scope.unknown("the tensor", unknown[0], list(scope.boxes))
    if scope.declared.unique_maxima:
        left, right = shares_as_comparisons(left), shares_as_comparisons(right)
        obliged = [*obliged, *unique_maxima(scope.output)]
    left, right = (without_known_ranges(read_as_nonnegative(side, letters), free) for side in (left, right))
    obliged = [nonnegative_obligation(one, letters) for one in obliged]
    powers = [one.need.demand for one in obliged if isinstance(one.need.demand, Valued)]
    trees = [left, right, *(tree for power in powers for tree in (power.base, power.exponent))]
    read = {access.tensor for tree in trees for access in accesses(tree)}
    statement = Statement.of(
        left,
        right,
        free,
        {name: box for name, box in scope.boxes.items() if name in read},  # an example shows no other tensor
        (*scope.hypotheses, *_element_facts(scope), *_order_facts(left, right, obliged, scope), *given),
        definitions=scope.definitions,
        reals=scope.orders,
        order=scope.order,
    )

    def judged(statement: Statement) -> Verdict:
        return decide(
            statement,
            obliged,
            reals=scope.orders,
            order=scope.order,
            letters=letters,
            effort=scope.effort,
            quick=quick,
        )

    verdict = judged(statement)
    if letters:
        verdict = under_signs(verdict, statement, letters, judged)
    return verdict


def all_of(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict that all of several statements hold: the weakest of theirs, under what any of them rests on."""
    weakest = min(verdicts, key=lambda v: _RANK[v.status])
    if not weakest.holds:
        return replace(weakest, record=None)
    scopes = [verdict.scope for verdict in verdicts]
    return replace(
        weakest,
        scope=replace(
            weakest.scope,
            symbolic=_merged(scope.symbolic for scope in scopes),
            fixed=_merged(scope.fixed for scope in scopes),
        ),
        hypotheses=_merged(verdict.hypotheses for verdict in verdicts),
        conditions=_merged(verdict.conditions for verdict in verdicts),
        record=conjunction(verdict.record for verdict in verdicts),
    )


def _merged(parts: Iterable[tuple[_T, ...]]) -> tuple[_T, ...]:
    """What stands in any of several tuples, once."""
    return tuple(dict.fromkeys(one for part in parts for one in part))


def _element_facts(scope: Scope) -> tuple[Guard, ...]:
    used = any(scope.elements.names & e.names for box in scope.boxes.values() for ends in box for e in ends)
    return (scope.nonempty,) if used and scope.elements.value is None else ()


def _order_facts(left: Node, right: Node, obliged: Sequence[ClaimNeed], scope: Scope) -> tuple[Guard, ...]:
    """The order p of a declared norm is at least 1, where it is left open."""
    spoken = free_names(left).union(free_names(right), *(one.need.names for one in obliged))
    opened = scope.has_order and ORDER in spoken
    return (Guard("ge", Index.of(ORDER) - 1),) if opened else ()


# ---------------------------------------------------------------------- arrays


def _compare_arrays(left: Expr, right: Expr, scope: Scope, quick: bool) -> Verdict:
    """Two arrays in symbols: the same size, and every entry the same."""
    mine, theirs = arrays.symbolic(left, scope), arrays.symbolic(right, scope)
    if isinstance(left, MatrixLiteral):
        mine = arrays.as_row(mine, len(theirs.sizes))
    if isinstance(right, MatrixLiteral):
        theirs = arrays.as_row(theirs, len(mine.sizes))
    if len(mine.sizes) != len(theirs.sizes):
        raise ClaimError(f"an array with {len(mine.sizes)} axes is compared with one with {len(theirs.sizes)}")
    names = _entry_names(left, right, len(mine.sizes), scope)
    at = [Index.of(name) + (1 - scope.base) for name in names]
    unlike = _other_sizes(left, right, mine.sizes, theirs.sizes)
    if unlike is not None:
        return unlike
    obliged = of_arrays((left, right), scope)
    # apart from the entries: their ranges take it for granted that there are any
    sizes = _sizes_agree(mine.sizes, theirs.sizes, obliged, scope, quick)
    refuted = next((verdict for verdict in sizes if verdict.status == "refuted"), None)
    if refuted is not None and (quick or not refuted.scope.symbolic):
        return refuted
    first = Index.of(scope.base)
    free = [Bound(name, first, n - 1 + first) for name, n in zip(names, mine.sizes, strict=True)]
    alike = [equal(a, b) for a, b in zip(mine.sizes, theirs.sizes, strict=True)] if refuted is not None else []
    entries = _decide(mine.entry(at), theirs.entry(at), free, obliged, scope, quick, alike)
    if refuted is not None:
        return _smaller(refuted, entries)
    return entries if entries.status == "refuted" else all_of((*sizes, entries))


def _correlates(expr: Expr) -> bool:
    """Whether an expression is a correlation by a sign, which people write in either order."""
    return isinstance(expr, Binary) and expr.op in ("star", "ast")


def _other_sizes(left: Expr, right: Expr, mine: Sequence[Index], theirs: Sequence[Index]) -> Verdict | None:
    """The verdict on arrays in numbers of which one has no entries."""
    if not any(_correlates(side) for side in (left, right)):
        return None
    numbers = [tuple(max(int(size.value), 0) for size in side if size.value is not None) for side in (mine, theirs)]
    if {len(numbers[0]), len(numbers[1])} != {len(mine)} or all(numbers[0]) == all(numbers[1]):
        return None
    sizes = [shape_text(side) if all(side) else "no entries" for side in numbers]
    text = f"The sizes differ: {to_text(left)} has {sizes[0]}, {to_text(right)} has {sizes[1]}."
    return Verdict("refuted", explanation=text, method="search")


def _smaller(refuted: Verdict, entries: Verdict) -> Verdict:
    """The verdict on arrays that differ in size, by an entry where they are alike if that shows at a smaller size."""
    names = refuted.scope.symbolic

    def size(verdict: Verdict) -> tuple[int, list[int]]:
        assert verdict.counterexample is not None
        own = [verdict.counterexample.sizes[name] for name in names]
        return sum(own), own

    if entries.status != "refuted" or size(refuted) < size(entries):
        return refuted
    return replace(
        refuted,
        counterexample=entries.counterexample,
        explanation=entries.explanation,
        conditions=entries.conditions,
    )


def _entry_names(left: Expr, right: Expr, ndim: int, scope: Scope) -> tuple[str, ...]:
    """Names for the place of an entry of two arrays: the letters of the input, where they mean nothing else.

    Raises:
        ClaimError: where the claim writes an index that nothing binds; an array has no place that could be meant.
    """
    open_ = [name for side in (left, right) for name in free_names_of(side, scope)]
    if open_:
        raise ClaimError(
            f"{open_[0]} is no size, and an equation between arrays has no free index; write the entries out"
        )
    usual = scope.letters.axes("input", ndim)
    taken = {*words(Claim((left, right), ("==",))), *scope.declared.indices}
    if not taken & set(usual):
        return usual
    taken |= {*scope.naming.chosen, *scope.sizes, *scope.boxes, *scope.arrays, *scope.letters.names}
    spare = [letter for letter in "ijkuvwxyzstlrh" if letter not in taken]
    return tuple(spare[:ndim]) if len(spare) >= ndim else tuple(f"{name}'" for name in usual)


def _sizes_agree(
    left: Sequence[Index], right: Sequence[Index], obliged: Sequence[ClaimNeed], scope: Scope, quick: bool
) -> list[Verdict]:
    verdicts = []
    for number, (a, b) in enumerate(zip(left, right, strict=True)):
        if a == b and (number > 0 or not obliged):
            continue
        verdict = _decide(scalar(a), scalar(b), (), obliged, scope, quick)
        missing = verdict.counterexample is not None and verdict.counterexample.entry is not None
        if verdict.status == "refuted" and not missing:
            verdict = replace(verdict, explanation=f"The sizes differ. {verdict.explanation}")
        verdicts.append(verdict)
    return verdicts
