"""What follows from known ranges: a fast, sound and incomplete test of ``e >= 0``.

It never answers True wrongly: each bound variable is written as an end of its range plus or minus a nonnegative slack,
each ``d*floor(n/d)`` as ``n`` minus a nonnegative rest, and the polynomial that results must have no negative
coefficient. Where it answers False, a guard is merely kept. (Proofs do not rest on it; z3 decides there.)

It is tried thousands of times a derivation, each time on a few affine terms, and a solver takes a millisecond to start:
hence a test of its own. An affine form is nonnegative on a polyhedron if and only if it is a nonnegative combination of
the polyhedron's own inequalities (Farkas' lemma); ends of ranges are the multipliers that windows need, one for each
index, and products of sizes make the rest polynomial, where nonnegative coefficients are enough (the first step of
Handelman's theorem, 1988). A rounded quotient is eliminated as in Presburger arithmetic, by its rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from symconv.formulas.algebra import Bound, Guard
from symconv.formulas.index import Extremum, Index, Quotient, quotient

__all__ = ["Knowledge"]


class Knowledge:
    """Facts about parameters (lower bounds) and ranges of index variables.

    Args:
        lower: known lower bounds of parameters, such as ``{"K": 1, "P": 0}``.
        bounds: ranges of index variables, outermost first; a range may use parameters and earlier variables.
        facts: further expressions known to be nonnegative, such as ``I - K``.
        definitions: names that stand for expressions, such as the output size.
    """

    def __init__(
        self,
        lower: Mapping[str, int],
        bounds: Iterable[Bound] = (),
        facts: Iterable[Index] = (),
        definitions: Mapping[str, Index] | None = None,
    ) -> None:
        self.lower = dict(lower)
        self.bounds = list(bounds)
        self.facts = list(facts)
        self.definitions = dict(definitions or {})

    def within(self, bounds: Iterable[Bound]) -> Knowledge:
        """The same knowledge inside a reduction over further bounds, without what speaks of names that they hide."""
        inner = list(bounds)
        own = {bound.name for bound in inner}
        return Knowledge(
            {name: low for name, low in self.lower.items() if name not in own},
            [*(bound for bound in self.bounds if bound.name not in own), *inner],
            [fact for fact in self.facts if not fact.names & own],
            {name: value for name, value in self.definitions.items() if not ({name} | value.names) & own},
        )

    def nonnegative(self, expr: Index) -> bool:
        """True only if ``expr >= 0`` for all values allowed; False means "not shown"."""
        if expr.value is not None:
            return expr.value >= 0
        ranges = list(reversed(self.bounds))  # the innermost first: its ends may speak of the outer ones
        spelled = [Bound(b.name, b.lower.subs(self.definitions), b.upper.subs(self.definitions)) for b in ranges]
        return any(self._settle(e, ranges) for e in self._with_facts(expr)) or (
            bool(self.definitions)
            and any(self._settle(e, spelled) for e in self._with_facts(expr.subs(self.definitions)))
        )

    def holds(self, guard: Guard) -> bool:
        """True only if the guard always holds."""
        if guard.truth is not None:
            return guard.truth
        if guard.kind == "ge":
            return self.nonnegative(guard.expr)
        if guard.kind == "eq":
            return self.nonnegative(guard.expr) and self.nonnegative(-guard.expr)
        assert guard.divisor is not None
        modulus = guard.divisor.value
        return modulus is not None and modulus > 0 and all(c % modulus == 0 for c in guard.expr.terms.values())

    def _with_facts(self, expr: Index) -> Sequence[Index]:
        # e >= 0 follows from e - f >= 0 for a fact f >= 0; one fact at a time is enough for windows.
        return [expr, *(expr - fact.subs(self.definitions) for fact in self.facts)]

    def _settle(self, expr: Index, bounds: list[Bound]) -> bool:
        return _split_extrema(expr, lambda e: self._settle_affine(e, bounds))

    def _settle_affine(self, expr: Index, bounds: list[Bound]) -> bool:
        if not bounds:
            return self._parameters(expr)
        bound, rest = bounds[0], bounds[1:]
        if bound.name not in expr.names:
            return self._settle(expr, rest)
        split = expr.linear_in(bound.name)
        if split is None:
            atoms = [a for key in expr.terms for a in key if isinstance(a, Quotient) and bound.name in a.names]
            simpler = _rest_form(expr, atoms[0], lambda e: self._settle(e, bounds)) if atoms else []
            return any(self._settle(e, bounds) for e in simpler)
        coefficient, remainder = split
        # The sign is asked of parameters alone: a coefficient that holds another index has no one sign over its range.
        # An affine expression is smallest at an end of the range: which end, the sign of the coefficient says.
        if self._parameters(coefficient):
            return self._settle(coefficient * bound.lower + remainder, rest)
        if self._parameters(-coefficient):
            return self._settle(coefficient * bound.upper + remainder, rest)
        return False

    def _parameters(self, expr: Index) -> bool:
        return _worst_case(expr, self._plain)

    def _plain(self, expr: Index) -> bool:
        # name = lower + slack with slack >= 0, so a polynomial in slacks without negative coefficients is >= 0
        shifted = expr.subs({name: Index.of(name) + low for name, low in self.lower.items() if low})
        return all(value >= 0 and all(a in self.lower for a in key) for key, value in shifted.terms.items())


def _split_extrema(expr: Index, test: Callable[[Index], bool]) -> bool:
    """Whether `test` holds of an expression, each minimum and maximum in it replaced by its arguments as need be."""
    for key, value in expr.terms.items():
        for atom in key:
            if isinstance(atom, Extremum):
                if len(key) > 1:
                    return False
                others = Index({k: v for k, v in expr.terms.items() if k != key})
                # a minimum in a positive place is each argument in the worst case; a maximum is at least any of them
                every = (value > 0) == (atom.kind == "min")
                results = (_split_extrema(others + value * arg, test) for arg in atom.args)
                return all(results) if every else any(results)
    return test(expr)


def _worst_case(expr: Index, test: Callable[[Index], bool]) -> bool:
    """Whether `test` holds of an expression with its quotients, minima and maxima replaced by what bounds it below."""
    for key in expr.terms:
        for atom in key:
            if isinstance(atom, Quotient):
                return any(_worst_case(e, test) for e in _rest_form(expr, atom, test))
            if isinstance(atom, Extremum):
                return _split_extrema(expr, lambda e: _worst_case(e, test))
    return test(expr)


def _rest_form(expr: Index, atom: Quotient, test: Callable[[Index], bool]) -> list[Index]:
    """What `_without` gives, where it is simpler: a factor that does not divide out may bring new quotients."""
    before = len(_quotients(expr))
    return [e for e in _without(expr, atom, test) if len(_quotients(e)) < before]


def _quotients(expr: Index) -> set[Quotient]:
    """All quotients of an expression, those inside others too."""
    found: set[Quotient] = set()
    for key in expr.terms:
        for atom in key:
            if isinstance(atom, Quotient):
                found |= {atom} | _quotients(atom.numerator) | _quotients(atom.denominator)
            elif isinstance(atom, Extremum):
                found = found.union(*(_quotients(arg) for arg in atom.args))
    return found


def _without(expr: Index, atom: Quotient, test: Callable[[Index], bool]) -> list[Index]:
    """An expression without the quotient that is nonnegative only if `expr` is: d*floor(n/d) = n - rest, rest < d.

    Which end of the rest is the worst, the sign of its factor says; `test` decides that sign.
    """
    split = _linear_in_atom(expr, atom)
    if split is None:
        return []
    coefficient, remainder = split
    n, d = atom.numerator, atom.denominator
    times = quotient(coefficient, d, "exact")
    scale = 1 if times * d == coefficient else d  # where d does not divide the coefficient, look at d*expr instead
    factor = times if scale == 1 else coefficient
    if atom.rounding == "exact":
        return [factor * n + scale * remainder]
    rising = test(factor)
    if not rising and not test(-factor):
        return []
    exact = factor * n + scale * remainder
    if coefficient.value in (1, -1):
        # between integers: floor(n/d) >= r says n >= d*r, ceil(n/d) >= r says n > d*(r - 1)
        return [exact + (d - 1) if (atom.rounding == "ceil") == rising else exact]
    if (atom.rounding == "floor") == rising:
        return [exact - factor * (d - 1) if rising else exact + factor * (d - 1)]
    return [exact]


def _linear_in_atom(expr: Index, atom: Quotient) -> tuple[Index, Index] | None:
    """``(coefficient, rest)`` of an expression that is affine in one quotient atom."""
    marker = "%atom"
    return expr.map_atoms(lambda a: Index.of(marker) if a == atom else None).linear_in(marker)
