"""The order in which an index is written: its summands, which of them go together, and on which side of a relation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symconv.formulas.algebra import Constant, Node, Power, Scalar
from symconv.formulas.index import Atom, Extremum, Index, Quotient

__all__ = [
    "Summand",
    "index_part",
    "inverse",
    "is_negative",
    "leads_negative",
    "needs_parentheses",
    "pieces_of",
    "sides",
    "solved",
]


@dataclass(frozen=True)
class Summand:
    """One summand of an index: ``number * atoms * (inner)``, printed with a sign."""

    negative: bool
    number: int
    atoms: tuple[Atom, ...]
    inner: Index | None
    rank: tuple[int, ...]


def pieces_of(expr: Index, rank: Mapping[str, int]) -> list[Summand]:
    """The summands of an index in printing order; what shares a symbolic factor with an index is taken together."""
    groups: dict[tuple[Atom, ...], dict[tuple[Atom, ...], int]] = {}
    for key, value in expr.terms.items():
        outside = tuple(a for a in key if not (isinstance(a, str) and a in rank))
        inside = tuple(a for a in key if isinstance(a, str) and a in rank)
        groups.setdefault(outside, {})[inside] = value
    plain = groups.pop((), {})
    pieces = []
    for outside, inner in groups.items():
        if any(inner) and len(inner) > 1 and any(key for key in inner):
            body = Index(inner)
            negative = leads_negative(body, rank)
            best = min(rank[a] for key in inner for a in key if isinstance(a, str))
            pieces.append(Summand(negative, 1, outside, -body if negative else body, (0, int(negative), best)))
        else:
            ((key, value),) = inner.items()
            best = min((rank[a] for a in key if isinstance(a, str)), default=10_000)
            order = (0 if key else 1, int(value < 0), best)
            pieces.append(Summand(value < 0, abs(value), outside + key, None, order))
    pieces = _factored(pieces)
    for key, value in plain.items():
        best = min((rank[a] for a in key if isinstance(a, str)), default=10_000)
        order = (0 if key else 2, int(value < 0), best)
        pieces.append(Summand(value < 0, abs(value), key, None, order))
    return sorted(pieces, key=lambda p: (*p.rank, [str(a) for a in p.atoms]))


def _factored(pieces: list[Summand]) -> list[Summand]:
    """``D*K - D`` as ``D(K - 1)``: the form in which a span is known."""
    for piece in pieces:
        if len(piece.atoms) != 2 or piece.inner is not None or piece.rank[0] == 0:
            continue
        for keep, other in (piece.atoms, piece.atoms[::-1]):
            partner = next(
                (
                    q
                    for q in pieces
                    if q.atoms == (keep,)
                    and q.inner is None
                    and q.number == piece.number
                    and q.negative != piece.negative
                ),
                None,
            )
            if partner is not None:
                rest = [q for q in pieces if q is not piece and q is not partner]
                joined = Summand(piece.negative, piece.number, (keep,), Index.atom(other) - 1, piece.rank)
                return _factored([*rest, joined])
    return pieces


def leads_negative(expr: Index, rank: Mapping[str, int]) -> bool:
    """Whether the first index by rank has a negative coefficient."""
    named = [
        (min(rank[a] for a in key if isinstance(a, str) and a in rank), value)
        for key, value in expr.terms.items()
        if any(isinstance(a, str) and a in rank for a in key)
    ]
    return bool(named) and min(named)[1] < 0


def index_part(expr: Index, rank: Mapping[str, int]) -> tuple[Index, Index]:
    """``(x, rest)`` with ``expr == x + rest``, where x holds all indices and rest sizes and numbers only.

    Rounded quotients, minima and maxima are ends of a range rather than what ranges: they go to the rest, indices in
    them or not, where an index stands beside them.
    """
    plain = {key: value for key, value in expr.terms.items() if any(isinstance(a, str) and a in rank for a in key)}
    plain = {key: value for key, value in plain.items() if not any(_is_end(a) for a in key)}
    x = {key: value for key, value in expr.terms.items() if any(_mentions(a, rank) for a in key)}
    if plain:
        x = {key: value for key, value in x.items() if key in plain or not any(_is_end(a) for a in key)}
    rest = {key: value for key, value in expr.terms.items() if key not in x}
    return Index(x), Index(rest)


def _is_end(atom: Atom) -> bool:
    return isinstance(atom, Extremum) or (isinstance(atom, Quotient) and atom.rounding != "exact")


def _mentions(atom: Atom, rank: Mapping[str, int]) -> bool:
    return atom in rank if isinstance(atom, str) else any(name in rank for name in atom.names)


def solved(expr: Index, rank: Mapping[str, int]) -> tuple[Index, Index]:
    """``expr == 0`` as ``rest == index``, with the first index by rank that stands alone; else by signs."""
    alone = [name for name in rank if expr.terms.get((name,)) in (1, -1) and expr.linear_in(name) is not None]
    if alone:
        name = min(alone, key=lambda n: rank[n])
        coefficient = expr.terms[name,]
        return (expr - coefficient * Index.of(name)) * -coefficient, Index.of(name)
    return sides(expr)


def sides(expr: Index) -> tuple[Index, Index]:
    """``expr >= 0`` as ``left >= right`` without negative terms, but with D*(K - 1) kept in one piece."""
    negative = {key: value for key, value in expr.terms.items() if value < 0}
    used = {atom for key in negative for atom in key}
    left = Index({k: v for k, v in expr.terms.items() if v > 0 and not (k and set(k) & used)})
    return left, left - expr


def needs_parentheses(expr: Index) -> bool:
    return len(expr.terms) > 1 or any(len(key) > 1 or (key and value != 1) for key, value in expr.terms.items())


def is_negative(exponent: Node) -> bool:
    if isinstance(exponent, Constant):
        return exponent.value < 0
    return isinstance(exponent, Scalar) and _one_minus(exponent.index)


def _one_minus(index: Index) -> bool:
    """Whether an exponent reads 1 - p: then the power is printed in a denominator, as p - 1."""
    return all(value < 0 for key, value in index.terms.items() if key) and bool(index.names)


def inverse(power: Power) -> Node:
    if isinstance(power.exponent, Constant):
        value = -power.exponent.value
        return power.base if value == 1 else Power(power.base, Constant(value))
    assert isinstance(power.exponent, Scalar)
    return Power(power.base, Scalar(-power.exponent.index))
