"""Sums that cancel though no two of them are equal, such as a sum and its first term against the rest of it.

Terms ``w_i * sum over y in D_i of f_i(y)`` are put into the indices x of the longest of them, with body f. For each, a
map g takes its indices to x and a map h back. Where on D_i ``f_i(y) == f(g(y))`` and ``h(g(y)) == y``, g is injective
there, so that the term is the sum over all x with ``h(x) in D_i and g(h(x)) == x`` of ``w_i * f(x)``. All terms
together are 0 where, at every x, the weights of the terms that have x among their points add up to 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from symconv.formulas.algebra import Guard, Node
from symconv.formulas.index import Index
from symconv.formulas.substitution import substitute
from symconv.proofs.context import Context, NotShown
from symconv.proofs.record import Overlap, WeightedTerm
from symconv.proofs.terms import Flat
from symconv.proofs.unify import assignments, bijections

__all__ = ["overlapping"]

Same = Callable[[Node, Node, Context], object]
MOST_PIECES = 12


def overlapping(pieces: Sequence[WeightedTerm], context: Context, same: Same) -> Overlap:
    """Those of the terms that can be put into the indices of the longest, where these cancel.

    Args:
        pieces: terms with the same factors, and their weights, all in one scale.
        context: what is known around them.
        same: shows two factors equal, or raises `NotShown`.

    Raises:
        NotShown: where they were not shown to cancel.
    """
    if len(pieces) > MOST_PIECES:
        raise NotShown(f"{len(pieces)} terms are too many to be put into one sum")
    first = max(pieces, key=lambda piece: len(piece.term.names))
    placed = [_placed(piece, first.term, context, same) for piece in pieces]
    kept = [piece for piece in placed if piece is not None]
    if len(kept) < 2:
        raise NotShown(f"{first.term.label} has no equal on the other side")
    labels = ", ".join(piece.term.label for piece in kept)
    context.cancels(f"at every point the weights of {labels} add up to 0", [_indicator(piece) for piece in kept])
    return Overlap(tuple(kept))


def _indicator(piece: WeightedTerm) -> tuple[Index, list[Guard]]:
    """The weight of a term at a point of the first one's indices, and the conditions that the point is one of its."""
    forward, backward = dict(piece.forward), dict(piece.backward)
    own = [guard.subs(forward) for guard in piece.term.guards]
    reached = [Guard("eq", value.subs(forward) - name) for name, value in backward.items()]
    return piece.weight * piece.term.weight.subs(forward), [*own, *reached]


def _placed(piece: WeightedTerm, first: Flat, context: Context, same: Same) -> WeightedTerm | None:
    """A term in the indices of the first one; None where it could not be put there."""
    term = piece.term
    if term is first:
        here = tuple((name, Index.of(name)) for name in first.names)
        return replace(piece, forward=here, backward=here)
    for accesses, others in assignments(first, term):
        for forward, backward in bijections(first, term, (accesses, others), context.scope, context.effort):
            agree = [b - a.subs(backward) for one, two in accesses for a, b in zip(one.index, two.index, strict=True)]
            agree.append(term.divisor - first.divisor.subs(backward))
            back = [value.subs(backward) - name for name, value in forward.items()]
            mark = context.trace.mark()
            try:
                context.require(
                    f"{term.label} reads what {first.label} does", [Guard("eq", e) for e in agree], term.guards
                )
                context.require(
                    f"no two points of {term.label} are one of {first.label}",
                    [Guard("eq", e) for e in back],
                    term.guards,
                )
                inner = context.within(term.names, term.guards)
                for mine, theirs in others:
                    same(substitute(mine, backward), theirs, inner)
            except NotShown:
                context.trace.rewind(mark)
                continue
            return replace(piece, forward=tuple(forward.items()), backward=tuple(backward.items()))
    return None
