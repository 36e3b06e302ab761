"""One term of a match as Coq sees it: points, a domain, and a product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from symconv.certificates.indices import condition
from symconv.certificates.trees import Printer, is_reciprocal
from symconv.formulas.algebra import Access, Bound, Constant, Guard, Node, Reduce, Scalar
from symconv.formulas.index import Index, quotient
from symconv.formulas.naming import names_in
from symconv.formulas.substitution import substitute
from symconv.formulas.terms import Term
from symconv.proofs.terms import Flat

__all__ = ["Side", "unquotient"]


def unquotient(defined: Sequence[tuple[str, Index, Index, str]]) -> dict[str, Index]:
    """What the names of quotients stand for, those of later ones spelled out by those of earlier ones."""
    found: dict[str, Index] = {}
    for name, numerator, denominator, rounding in defined:
        if name not in found:
            kind = "ceil" if rounding == "ceil" else "floor"
            found[name] = quotient(numerator.subs(found), denominator.subs(found), kind)  # type: ignore[arg-type]
    return found


@dataclass(frozen=True)
class Side:
    """A term ``scale * sum over points, on a domain, of weight/divisor * accesses * others``.

    Attributes:
        flat: the term as it was matched.
        bounds: its points; bound indices that occur nowhere are in the scale.
        guards: its conditions.
        accesses: the tensor entries, in the order of those of the flat term.
        others: the other factors, in the same way.
        outer: what the names of quotients around the term stand for.
        full: whether weight and divisor are written where they are 1.
    """

    flat: Flat
    bounds: tuple[Bound, ...]
    guards: tuple[Guard, ...]
    accesses: tuple[Access, ...]
    others: tuple[Node, ...]
    outer: Mapping[str, Index]
    full: bool = False

    @staticmethod
    def of(term: Term, flat: Flat, outer: Mapping[str, Index]) -> Side:
        """The side of a term and its flat form."""
        kept = _kept(term, len(flat.ranges))
        env = {bound.name: Index.of(new) for bound, (new, _, _) in zip(kept, flat.ranges, strict=True)}
        bounds = tuple(
            Bound(new, bound.lower.subs(env), bound.upper.subs(env))
            for bound, (new, _, _) in zip(kept, flat.ranges, strict=True)
        )
        factors = [substitute(factor, env) for factor in term.factors]
        accesses = tuple(factor for factor in factors if isinstance(factor, Access))
        others = tuple(factor for factor in factors if not _is_number(factor) and not isinstance(factor, Access))
        return Side(flat, bounds, tuple(guard.subs(env) for guard in term.guards), accesses, others, outer)

    @staticmethod
    def of_window(window: Reduce, flat: Flat, outer: Mapping[str, Index]) -> Side:
        """The side of a maximum, whose taps outside the box of a tensor are zeros."""
        whole = Side.of(Term(Fraction(1), (window.body,), window.bounds, window.guards), flat, outer)
        env = dict(zip((b.name for b in window.bounds), (Index.of(b.name) for b in whole.bounds), strict=True))
        return replace(whole, accesses=(), others=(substitute(window.body, env),))

    @property
    def spelled(self) -> dict[str, Index]:
        """What the names of quotients stand for, those of the term included."""
        found = dict(self.outer)
        for name, numerator, denominator in self.flat.quotients:
            found.setdefault(name, quotient(numerator.subs(found), denominator.subs(found), "floor"))
        return found

    def exact(self, name: str) -> bool:
        """Whether the quotient behind a name is known to be exact by a condition of the term."""
        return any(
            guard.kind == "eq" and guard == Guard("eq", Index.of(name) * d - n)
            for guard in self.flat.guards
            for known, n, d in self.flat.quotients
            if known == name
        )

    # ------------------------------------------------------------------ as text

    def scale(self, printer: Printer) -> str:
        """The factor before the sum; empty where it is 1."""
        parts = []
        if self.flat.coefficient != 1:
            parts.append(f"({printer.constant(self.flat.coefficient)})")
        outer = self.flat.outer.subs(self.spelled)
        if outer != 1:
            parts.append(f"({printer.scalar(outer)})")
        return " · ".join(parts)

    def domain(self, printer: Printer) -> str:
        """All conditions: those of the term, and that every access lies in the box of its tensor."""
        parts = [condition([guard], printer.names) for guard in self.guards]
        parts += [f"{printer.box(a.tensor)} {_arguments(a, printer)}" for a in self.accesses if a.index]
        return " && ".join(parts) or "true"

    def product(
        self,
        printer: Printer,
        accesses: Sequence[Access] | None = None,
        others: Sequence[Node] | None = None,
        ratio: tuple[Index, Index] | None = None,
    ) -> str:
        """The product, with other accesses, factors, weight and divisor in place of its own where they are given."""
        weight, divisor = (self.flat.weight, self.flat.divisor) if ratio is None else ratio
        ratio_of = ratio_text(weight.subs(self.spelled), divisor.subs(self.spelled), printer, full=self.full)
        parts = [f"({printer.access(a, raw=True)})" for a in (self.accesses if accesses is None else accesses)]
        parts += [printer.factor(other) for other in (self.others if others is None else others)]
        parts += [f"({ratio_of})"] if ratio_of else []
        return " · ".join(parts) or "one"

    def text(self, printer: Printer) -> str:
        """The whole term."""
        scale = self.scale(printer)
        return f"{scale} · ({self.sum(printer)})" if scale else self.sum(printer)

    def sum(self, printer: Printer) -> str:
        """The term without its scale."""
        points = printer.points(self.bounds)
        domain = printer.function(self.bounds, self.domain(printer))
        product = printer.function(self.bounds, self.product(printer))
        return f"sum {points} (fun z => iv ({domain} z) ({product} z))"

    def maximum(self, printer: Printer) -> str:
        """The maximum over the points, for a window."""
        return f"maximum order none {self.taps(printer)}"

    def taps(self, printer: Printer) -> str:
        """The taps of a window, and what is read at them."""
        taps = f"(filter {printer.function(self.bounds, self.domain(printer))} {printer.points(self.bounds)})"
        return f"{taps} {printer.function(self.bounds, self.product(printer))}"


def ratio_text(weight: Index, divisor: Index, printer: Printer, *, full: bool) -> str:
    """A weight over a divisor; what is 1 is left out, but not where the text is to be `full`."""
    printer.field |= full
    parts = [printer.scalar(weight)] if full or weight != 1 else []
    parts += [printer.reciprocal(divisor)] if full or divisor != 1 else []
    return " · ".join(f"({part})" for part in parts)


def _arguments(access: Access, printer: Printer) -> str:
    return printer.access(access).partition(" ")[2]


def _is_number(factor: Node) -> bool:
    return isinstance(factor, Scalar | Constant) or is_reciprocal(factor)


def _kept(term: Term, count: int) -> tuple[Bound, ...]:
    """The bound indices that were not set aside; those that occur nowhere are, where their range is not empty."""
    used = frozenset().union(
        *(names_in(factor) for factor in term.factors),
        *(guard.names for guard in term.guards),
        *(bound.lower.names | bound.upper.names for bound in term.bounds),
    )
    idle = [b for b in term.bounds if b.name not in used]
    surplus = len(term.bounds) - count
    return tuple(b for b in term.bounds if not (surplus and b in idle[:surplus]))
