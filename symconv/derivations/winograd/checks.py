"""The exact checks behind the steps of the derivation, one verdict each."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from symconv.derivations.winograd.nested import Nested
from symconv.derivations.winograd.toom_cook import CookToom, polynomial_from_roots
from symconv.formulas.algebra import Access, Bound, product, summation
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.quantity import Quantity, Tensor
from symconv.proofs.verdict import Verdict, VerdictScope

__all__ = [
    "correlation",
    "entries_are_collected",
    "exchange",
    "interpolation_is_exact",
    "nests",
    "reads_backwards",
    "values_multiply",
]

METHOD = "exact arithmetic"


def values_multiply(f: CookToom) -> Verdict:
    """The value of x^(i+k) at every point is that of x^i times that of x^k, the first taken from AT."""
    triples = ((q, i, k) for q in range(f.size) for i in range(f.m) for k in range(f.r))
    return _agreed(
        f,
        (
            (f"value of x^{i + k} at point {q}", f.AT[i][q] * _value(f, q, k, f.r), _value(f, q, i + k, f.size))
            for q, i, k in triples
        ),
    )


def interpolation_is_exact(f: CookToom) -> Verdict:
    """Every power of x below the size comes back from its values."""
    basis = [_lagrange(f, q) for q in range(f.size)]
    pairs = ((power, j) for power in range(f.size) for j in range(f.size))
    return _agreed(
        f,
        (
            (
                f"coefficient {j} of the polynomial through the values of x^{power}",
                sum((_value(f, q, power, f.size) * basis[q][j] for q in range(f.size)), start=Fraction(0)),
                Fraction(j == power),
            )
            for power, j in pairs
        ),
    )


def entries_are_collected(f: CookToom) -> Verdict:
    """G[q,k] BT[q,j] is coefficient j of the Lagrange polynomial of point q times the value of x^k there."""
    basis = [_lagrange(f, q) for q in range(f.size)]
    triples = ((q, k, j) for q in range(f.size) for k in range(f.r) for j in range(f.size))
    return _agreed(
        f,
        (
            (f"G[{q},{k}] BT[{q},{j}]", f.G[q][k] * f.BT[q][j], _value(f, q, k, f.r) * basis[q][j])
            for q, k, j in triples
        ),
    )


def reads_backwards(f: CookToom) -> Verdict:
    """The certificate of one axis."""
    found = f.certificate
    if found.defect is None:
        return Verdict("exact", _scope((f,)), method=METHOD)
    i, k, j = found.defect.index
    return _refuted(f, f"entry ({i}, {k}, {j}) of the tensor", found.defect.found, found.defect.needed)


def nests(algorithm: Nested) -> Verdict:
    """The certificate of the Kronecker products; where they are too large, that of every axis, which imply it."""
    broken = [verdict for verdict in map(reads_backwards, algorithm.axes) if not verdict.holds]
    if broken or (algorithm.is_small and not algorithm.certificate.holds):
        explanation = broken[0].explanation if broken else "the tensor of the Kronecker products differs"
        return Verdict("refuted", _scope(algorithm.axes), explanation=explanation, method=METHOD)
    return Verdict("exact", _scope(algorithm.axes), method=METHOD)


# ---------------------------------------------------------------------- formulas


def correlation(m: tuple[int, ...], r: tuple[int, ...]) -> Formula:
    """``y[i] = sum_k g[k] d[i + k]`` on one axis, or ``Y[i1, i2]`` on two."""
    numbers = [""] if len(m) == 1 else [str(axis) for axis in range(1, len(m) + 1)]
    letter = "y" if len(m) == 1 else "Y"
    rows, taps = [f"i{n}" for n in numbers], [f"k{n}" for n in numbers]
    tensors = (
        Tensor("g", "weight", tuple((Index.of(0), Index.of(b - 1)) for b in r)),
        Tensor("d", "input", tuple((Index.of(0), Index.of(a + b - 2)) for a, b in zip(m, r, strict=True))),
    )
    body = summation(
        product(
            Access("g", tuple(map(Index.of, taps))),
            Access("d", tuple(Index.of(i) + k for i, k in zip(rows, taps, strict=True))),
        ),
        *(Bound(k, Index.of(0), Index.of(b - 1)) for k, b in zip(taps, r, strict=True)),
    )
    free = tuple(Bound(i, Index.of(0), Index.of(a - 1)) for i, a in zip(rows, m, strict=True))
    return Formula(Quantity("entry", (letter, tuple(rows))), free, body, tensors)


def exchange(m: Index, r: Index) -> tuple[Formula, Formula]:
    """The trilinear form ``sum_j d[j] s[j]`` of a product s = u g, and the same with the coefficients of u outside."""
    i, j, k = map(Index.of, "ijk")
    last = m + r - 2
    tensors = (
        Tensor("u", "upstream", ((Index.of(0), m - 1),)),
        Tensor("g", "weight", ((Index.of(0), r - 1),)),
        Tensor("d", "input", ((Index.of(0), last),)),
    )
    products = summation(product(Access("u", (i,)), Access("g", (j - i,))), Bound("i", Index.of(0), m - 1))
    correlations = summation(product(Access("g", (k,)), Access("d", (i + k,))), Bound("k", Index.of(0), r - 1))
    by_inputs = summation(product(Access("d", (j,)), products), Bound("j", Index.of(0), last))
    by_outputs = summation(product(Access("u", (i,)), correlations), Bound("i", Index.of(0), m - 1))
    lower = tuple((str(size), 1) for size in ("m", "r") if size in (m.names | r.names))
    form = Formula(Quantity("entry", ("t", ())), (), by_inputs, tensors, lower=lower)
    return form, form.with_body(by_outputs)


# ---------------------------------------------------------------------- numbers


def _value(f: CookToom, q: int, power: int, size: int) -> Fraction:
    """The value at point q of a power among polynomials of `size` coefficients; at infinity, the last coefficient."""
    return f.points[q] ** power if q < len(f.points) else Fraction(power == size - 1)


def _lagrange(f: CookToom, q: int) -> tuple[Fraction, ...]:
    """The polynomial that is 1 at point q and 0 at the others, from the constant term up; at infinity, M itself."""
    if q == len(f.points):
        return polynomial_from_roots(f.points)
    others = [a for p, a in enumerate(f.points) if p != q]
    polynomial = polynomial_from_roots(others)
    at_point = sum((c * f.points[q] ** k for k, c in enumerate(polynomial)), start=Fraction(0))
    return (*(c / at_point for c in polynomial), Fraction(0))


def _agreed(f: CookToom, sides: Iterable[tuple[str, Fraction, Fraction]]) -> Verdict:
    for what, left, right in sides:
        if left != right:
            return _refuted(f, what, left, right)
    return Verdict("exact", _scope((f,)), method=METHOD)


def _refuted(f: CookToom, what: str, left: Fraction, right: Fraction) -> Verdict:
    return Verdict("refuted", _scope((f,)), explanation=f"The {what} is {left}, not {right}.", method=METHOD)


def _scope(axes: tuple[CookToom, ...]) -> VerdictScope:
    if len({(axis.m, axis.r) for axis in axes}) == 1:
        return VerdictScope(fixed=(("m", axes[0].m), ("r", axes[0].r)))
    fixed = ((f"{name}_{n}", getattr(axis, name)) for n, axis in enumerate(axes, 1) for name in ("m", "r"))
    return VerdictScope(fixed=tuple(fixed))
