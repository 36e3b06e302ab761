"""The five steps for one axis: evaluate, interpolate, collect; exchange, compare."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from symconv.derivations.step import Maths, Phrase, Stage, Step, maths
from symconv.derivations.winograd import checks
from symconv.derivations.winograd.toom_cook import CookToom
from symconv.derivations.winograd.wording import (
    all_of,
    bracketed,
    equals,
    grouped,
    hadamard,
    joined,
    letter,
    many,
    matrix_entry,
    product_of,
    sandwich,
    sum_to,
)
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.printing import context_of

if TYPE_CHECKING:
    from symconv.proofs.verdict import Verdict

__all__ = ["STEPS", "AxisSteps"]

STEPS = 5


@dataclass(frozen=True)
class AxisSteps:
    """The steps of an F(m, r).

    Attributes:
        axis: the algorithm.
        number: the number of its axis, where the axes differ; else "".
        first: the number of its first step.
        line: the id of the definition of the correlation on one axis.
        product: that of the product of two polynomials.
        polynomial: that of the polynomial that is zero at the points.
    """

    axis: CookToom
    number: str
    first: int
    line: str
    product: str
    polynomial: str

    def stages(self) -> tuple[Stage, Stage]:
        """The product of polynomials from its values, and the same read backwards."""
        m, r = self.axis.m, self.axis.r
        prefix = f"Axis {self.number}, F({m}, {r}): the" if self.number else "The"
        return (
            Stage(
                (f"{prefix} product of two polynomials from its values",),
                (f"for every u(x) of degree below {m} and g(x) of degree below {r}",),
                (self._evaluate(), self._interpolate(), self._collect()),
            ),
            Stage(
                (f"{prefix} transposition principle",),
                (f"for every u of {m}, g of {r} and d of {many(self.axis.size, 'entry')}",),
                (self._exchange(), self._compare()),
            ),
        )

    @cached_property
    def _correlation(self) -> Formula:
        return checks.correlation((self.axis.m,), (self.axis.r,))

    @property
    def _last(self) -> int:
        return self.axis.size - 1

    @property
    def _top(self) -> Maths:
        return Maths(f"s_{{{self._last}}}", f"s[{self._last}]")

    def _id(self, position: int) -> str:
        return str(self.first + position - 1)

    def _entry(self, name: str, row: str, column: str) -> Maths:
        return matrix_entry(name, self.number, row, column)

    def _kernel(self) -> Maths:
        """An entry of G g, as a sum."""
        return grouped(sum_to("k", self.axis.r - 1, product_of(self._entry("G", "q", "k"), Maths("g_{k}", "g[k]"))))

    def _evaluate(self) -> Step:
        m, r, axis = self.axis.m, self.axis.r, self.axis
        highest = Maths(f"u_{{{m - 1}}}\\, g_{{{r - 1}}}", f"u[{m - 1}]·g[{r - 1}]")
        if axis.points:
            left = Maths("s(a_{q})", "s(a[q])")
            right = product_of(
                grouped(sum_to("i", m - 1, Maths("a_{q}^{i}\\, u_{i}", "a[q]^i·u[i]"))),
                grouped(sum_to("k", r - 1, Maths("a_{q}^{k}\\, g_{k}", "a[q]^k·g[k]"))),
            )
            at_infinity = equals(self._top, highest)
            reason: Phrase = ("the product at every point; at infinity that is its highest coefficient, ", at_infinity)
        else:
            left, right = self._top, highest
            reason = ("the product at infinity, the only point: that is its highest coefficient",)
        return Step(
            self._id(1),
            self._correlation,
            self._correlation,
            "evaluate",
            "Evaluate",
            (*reason, "."),
            substeps=((f"Checked for {all_of(axis.size * m * r, 'triple')} (q, i, k), one factor taken from A.",),),
            uses=(self.product,),
            opens=True,
            shown=(left, "=", right),
            check=lambda: checks.values_multiply(axis),
        )

    def _interpolate(self) -> Step:
        axis, count = self.axis, len(self.axis.points)
        right = product_of(self._top, Maths("M(x)", "M(x)"))
        rest = joined("-", Maths("s", "s"), product_of(self._top, Maths("M", "M")))
        if count:
            term = Maths(r"\frac{s(a_{q})}{N_{q}}\, M_{q}(x)", "s(a[q])/N[q]·M[q](x)")
            right = joined("+", sum_to("q", count - 1, term), right)
            powers = Maths(rf"1, \ldots, x^{{{self._last}}}", f"1, …, x^{self._last}")
            reason: Phrase = (
                "between the points: ",
                rest,
                f" has a degree below {count}, and so has the sum, which agrees with it at {many(count, 'point')}.",
            )
        else:
            powers = Maths("1", "1")
            reason = ("without a finite point: a constant is its highest coefficient, and M = 1.",)
        return Step(
            self._id(2),
            self._correlation,
            self._correlation,
            "interpolate",
            "Interpolate",
            reason,
            substeps=(("Checked for ", powers, ", of which every polynomial of this degree is a sum."),),
            uses=(self._id(1), self.polynomial),
            opens=True,
            shown=(Maths("s(x)", "s(x)"), "=", right),
            check=lambda: checks.interpolation_is_exact(axis),
        )

    def _collect(self) -> Step:
        axis = self.axis
        a, g, b = (letter(name, self.number) for name in "AGB")
        values = grouped(sum_to("i", axis.m - 1, product_of(self._entry("A", "i", "q"), Maths("u_{i}", "u[i]"))))
        right = sum_to("q", self._last, product_of(self._entry("B", "q", "j"), values, self._kernel()))
        reason: Phrase = ("the three numbers, each of them 1.",)
        substeps: list[Phrase] = []
        if axis.points:
            scale, polynomial = Maths("N_{q}", "N[q]"), Maths("M_{q}", "M[q]")
            reason = (
                "the powers in ",
                a,
                ", the powers over ",
                scale,
                " in ",
                g,
                ", the coefficients of ",
                polynomial,
                " in ",
                b,
                f"; q = {self._last} is infinity, with the coefficients of M.",
            )
        if axis.points and math.prod(axis.points[0] - point for point in axis.points[1:]) < 0:
            substeps.append(("Row 0 changes its sign in ", g, " and in ", b, "ᵀ, so that ", g, " begins positive."))
        count = axis.size**2 * axis.r
        substeps.append((f"Checked for {all_of(count, 'product')} of an entry of ", g, " with one of ", b, "."))
        return Step(
            self._id(3),
            self._correlation,
            self._correlation,
            "collect",
            "Collect",
            reason,
            substeps=tuple(substeps),
            uses=(self._id(1), self._id(2)),
            opens=True,
            shown=(Maths("s_{j}", "s[j]"), "=", right),
            check=lambda: checks.entries_are_collected(axis),
        )

    def _exchange(self) -> Step:
        before, after = checks.exchange(Index.of(self.axis.m), Index.of(self.axis.r))
        left = sum_to("j", self._last, Maths("d_{j}\\, s_{j}", "d[j]·s[j]"))
        right = maths(lambda style: style.pointwise(after.body, context_of(after)))
        return Step(
            self._id(4),
            before,
            after,
            "transpose",
            "Exchange",
            (
                "the sums, with ",
                equals(Maths("k", "k"), joined("-", Maths("j", "j"), Maths("i", "i"))),
                ": what stands beside ",
                Maths("u_{i}", "u[i]"),
                " is the correlation ",
                Maths("y_{i}", "y[i]"),
                f", by ({self.line}).",
            ),
            uses=(self.line, self.product),
            opens=True,
            shown=(left, "=", right),
            check=_sums_exchange,
        )

    def _compare(self) -> Step:
        axis = self.axis
        tile = grouped(sum_to("j", self._last, product_of(self._entry("B", "q", "j"), Maths("d_{j}", "d[j]"))))
        right = sum_to("q", self._last, product_of(self._entry("A", "i", "q"), self._kernel(), tile))
        entries = product_of(self._entry("A", "i", "q"), self._entry("G", "q", "k"), self._entry("B", "q", "j"))
        certificate = equals(sum_to("q", self._last, entries), Maths(r"[\,j = i + k\,]", "[j = i + k]"))
        numbers = (self.number,)
        products = hadamard(sandwich("G", numbers, Maths("g", "g")), sandwich("B", numbers, Maths("d", "d")))
        short = equals(Maths("y", "y"), sandwich("A", numbers, bracketed(products)))
        count = axis.certificate.entries
        return Step(
            self._id(5),
            self._correlation,
            self._correlation,
            "compare_coefficients",
            "Compare",
            (
                f"({self._id(4)}) with the same sum by ({self._id(3)}), coefficient by coefficient of ",
                Maths("u_{i}", "u[i]"),
                "; that is ",
                short,
                ".",
            ),
            substeps=(("Certificate: ", certificate, f", checked for {all_of(count, 'triple')} (i, k, j)."),),
            uses=(self._id(3), self._id(4)),
            opens=True,
            shown=(Maths("y_{i}", "y[i]"), "=", right),
            check=lambda: checks.reads_backwards(axis),
        )


def _sums_exchange() -> Verdict:
    """The exchange of the two sums, for all m and r."""
    from symconv.proofs.prove import prove

    return prove(*checks.exchange(Index.of("m"), Index.of("r")))
