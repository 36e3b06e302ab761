"""The promise of the plan "separable": sums over rows of sums over columns, and what the factors leave out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from symconv.kernels.accuracy.magnitudes import Magnitudes
from symconv.kernels.accuracy.promise import HIGHAM, Error, TaskPromise
from symconv.kernels.accuracy.sums import SumOfProducts
from symconv.kernels.accuracy.units import SAFE, enlarged, upward
from symconv.kernels.plans.im2col import Im2colEngine
from symconv.kernels.plans.separable import rounded_factors
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import Task

__all__ = ["LowRankSum"]


@dataclass(frozen=True)
class LowRankSum(TaskPromise):
    """``gamma(n) * sum of |a||u||v| + sum of |a||r|``, with the kernel as the sum of `rank` products u*v and a rest r.

    A product of an entry with u takes part in one rounding a tap of the column, what comes of it in one a tap of the
    row, and in the sum over the products in rank - 1. The rest is what the factors, rounded to the type, leave: it is
    computed from them and from the kernel.

    Attributes:
        direct: the promise of direct sums: results that are not finite are computed again by them.
        rank: how many products.
        taps: the numbers of taps of a column and of a row.
        further: roundings of the bias, and of arguments.
    """

    direct: SumOfProducts
    rank: int
    taps: tuple[int, int]
    further: int

    source: ClassVar[str] = f"sums in any order, one after the other: {HIGHAM}, (3.5) and lemma 3.3"

    @property
    def task(self) -> Task:
        """What is computed: the output, or the gradient of the input."""
        return self.direct.task

    @property
    def roundings(self) -> int:
        """n."""
        return sum(self.taps) + self.rank - 1 + self.further

    @property
    def constant(self) -> float:
        return self.unit.gamma(self.roundings)

    @property
    def _small(self) -> int:
        return 3 * self.rank * self.taps[0] * self.taps[1]

    @property
    def formula(self) -> str:
        entry = "a" if self.task == "output" else "g"
        rest = f"∑|{entry}||b - ∑ u·v|"
        bias = " + |d|" if self.direct.bias else ""
        products = f"{self.rank} term{'s' if self.rank > 1 else ''}"
        own = f"γ({self.roundings})·(∑|{entry}|∑|u||v|{bias} + {rest} + {self._small}ω) + {rest}"
        return f"{own}, where all sums stay in the range; else at least {self.direct.formula}; b ≈ ∑ u·v of {products}"

    def error(self, magnitudes: Magnitudes) -> Error:
        engine = Im2colEngine(magnitudes.form, None)
        kernel = engine.ascending(magnitudes.given["weight"])[:, 0, 0]
        turned = kernel if self.task == "output" else np.flip(kernel, (1, 2)).copy()
        found = rounded_factors(turned.astype(self.unit.name))
        columns, rows = found.columns.astype(np.float64), found.rows.astype(np.float64)
        products = np.einsum("cqm,cqn->cmn", np.abs(columns), np.abs(rows))
        around = np.abs(turned) + products
        rest = np.abs(turned - np.einsum("cqm,cqn->cmn", columns, rows))
        rest = rest + upward((self.rank + 2) * SAFE) * around

        def summed(weight: Array, bias: bool) -> Array:
            back = weight if self.task == "output" else np.flip(weight, (1, 2))
            given = {"weight": engine.ascending(np.ascontiguousarray(back)[:, None, None])}
            if bias and "bias" in magnitudes.sizes:
                given["bias"] = magnitudes.sizes["bias"]
            terms = self.taps[0] * self.taps[1] + 1
            if self.task == "output":
                made = engine.forward(magnitudes.x, magnitudes.layout, given, np.float64)
            else:
                assert magnitudes.upstream is not None
                made = engine.input_gradient(magnitudes.upstream, magnitudes.x, magnitudes.layout, given)
            return np.asarray(enlarged(made, terms))

        left = summed(rest, bias=False)
        total = summed(products, bias=True) + left + self._small * self.unit.w
        # turned, a kernel has the same rank but for rounding
        constant = self.unit.gamma(self.roundings + max(0, found.rank - self.rank))
        direct = self.direct.error(magnitudes)
        own = constant * total + left
        if not self._stays(magnitudes, total, float(np.abs(columns).sum())):
            own = np.maximum(own, direct.error)
        return Error(own, direct.size, direct.largest)

    def _stays(self, magnitudes: Magnitudes, total: Array, column: float) -> bool:
        """Whether nothing overflows, not even the sum of all results that is asked whether it is finite.

        Only then is it certain that direct sums are not taken instead. Twice is more than rounding can add, to as many
        numbers as half of 1/u.
        """
        read = magnitudes.x if self.task == "output" else magnitudes.upstream
        assert read is not None
        first = float(np.abs(read).max(initial=0)) * column
        few = 2 * total.size * self.unit.u < 1
        return few and 4 * max(first, float(total.sum())) < self.unit.largest
