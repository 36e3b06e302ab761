"""The matrix form of a formula that sums products of two tensors: which of three index classes is summed.

The entries of a convolution fall into three classes of indices: output channels (f), a channel of the group together
with the taps (K), and positions with the batch (P). The weight is an f x K matrix, the taps of all positions are K x P,
an output or its gradient f x P. The output sums over K, the gradient of the taps over f, the gradient of the weights
over P: which it is, is read off the formula and its derivatives.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from symconv.errors import NotSupportedError
from symconv.formulas.algebra import Access, Bound, Term, expand, product, summation
from symconv.formulas.bounds import Knowledge
from symconv.formulas.calculus import differentiate, normalize
from symconv.formulas.index import Index
from symconv.kernels.build import Builder
from symconv.kernels.plans import Stage
from symconv.kernels.program import Apply, Copy, Program, Step, Total, program_of
from symconv.kernels.tapform import TapForm

__all__ = ["MatrixPrograms", "matrix_programs"]

Class: TypeAlias = Literal["f", "K", "P"]


@dataclass(frozen=True)
class MatrixPrograms:
    """The programs of the output, of the gradient of the taps, and of the gradient of the weights."""

    forward: Program
    forward_direct: Program
    pullback: Program
    weight_pullback: Program


@dataclass(frozen=True)
class _Contraction:
    """A sum over one class of indices of the product of two tensors."""

    left: str
    right: str
    summed: Class


class _Matrices:
    """The tensors of a tap form as matrices, and the reading of its formulas as contractions."""

    def __init__(self, form: TapForm) -> None:
        self.form = form
        channels = form.channels
        weight = form.letter("weight")
        assert channels is not None
        assert weight is not None
        self.weight, self.bias, self.source = weight, form.letter("bias"), form.input
        self.upstream = "g"
        self.k = (*_bound(channels.input, channels.per_group_in), *form.taps)
        self.f = _bound(channels.output, channels.per_group_out)
        self.classes: dict[str, tuple[Class, Class]] = {
            self.weight: ("f", "K"),
            self.source: ("K", "P"),
            self.upstream: ("f", "P"),
        }

    def output(self) -> tuple[_Contraction, bool]:
        """The output as a contraction, and whether a bias is added to it."""
        terms = expand(self.form.body)
        bias = Term(Fraction(1), (Access(self.bias, tuple(Index.of(b.name) for b in self.f)),)) if self.bias else None
        rest = [term for term in terms if term != bias]
        if len(rest) != 1 or len(terms) - len(rest) != int(bias is not None):
            raise NotSupportedError(f"no matrix form of {self.form.body!r}")
        return self._read(rest[0], "f", "P", {}), bias is not None

    def gradient(self, tensor: str) -> _Contraction:
        """The gradient by an entry of the source or the weight, before positions are summed where they are."""
        rows: list[Bound] = [*self.f] if tensor == self.weight else []
        mine = {b.name: f"%{b.name}" for b in (*rows, *self.k)}
        at = tuple(Index.of(name) for name in mine.values())
        derivative = differentiate(self.form.body, tensor, at)
        upstream = Access(self.upstream, tuple(Index.of(b.name) for b in self.f))
        known = Knowledge({}, [Bound(mine[b.name], b.lower, b.upper) for b in (*rows, *self.k)])
        terms = expand(normalize(summation(product(upstream, derivative), *self.f), known))
        if len(terms) != 1:
            raise NotSupportedError(f"no matrix form of {derivative!r}")
        row, column = self.classes[tensor]
        return self._read(terms[0], row, column, mine)

    def _read(self, term: Term, row: Class, column: Class, renamed: dict[str, str]) -> _Contraction:
        """Check that a term is the product of two tensors summed over exactly one class."""
        factors = [factor for factor in term.factors if isinstance(factor, Access)]
        (summed,) = {"f", "K", "P"} - {row, column}
        names = {"f": [b.name for b in self.f], "K": [b.name for b in self.k], "P": []}
        expected = {
            factor.tensor: [
                renamed.get(name, name) if kind != summed else name
                for kind in self.classes[factor.tensor]
                for name in names[kind]
            ]
            for factor in factors
        }
        good = (
            len(factors) == len(term.factors) == 2
            and term.coefficient == 1
            and not term.guards
            and [b.name for b in term.bounds] == names[summed]
            and all([repr(e) for e in f.index] == expected[f.tensor] for f in factors)
        )
        if not good:
            raise NotSupportedError(f"no matrix form of {term.node()!r}")
        return _Contraction(factors[0].tensor, factors[1].tensor, summed)  # type: ignore[arg-type]

    def multiply(self, contraction: _Contraction, target: str, rows: Class, matrices: dict[str, str]) -> Apply:
        """The matrix product: the factor that has the rows first, each turned so that the summed class is inside."""
        left, right = contraction.left, contraction.right
        if rows not in self.classes[left]:
            left, right = right, left
        first = matrices[left] + ("" if self.classes[left][1] == contraction.summed else "_t")
        second = matrices[right] + ("" if self.classes[right][0] == contraction.summed else "_t")
        return Apply(target, "matmul", (first, second))


def _bound(name: str | None, extent: int) -> tuple[Bound, ...]:
    return () if name is None else (Bound(name, Index.of(0), Index.of(extent - 1)),)


def matrix_programs(form: TapForm) -> MatrixPrograms:
    """The programs of the plan "gemm".

    The arrays that they share: `taps`, the tap tensor, a view ``(batch, groups, channels, *kernel, *positions)`` of the
    padded input; `columns`, a copy of it; `matrix`, that copy as ``(batch, groups, K, P)``; a name with ``_t`` is the
    transposed view.
    """
    m = _Matrices(form)
    matrices = {m.weight: m.weight, m.source: "matrix", m.upstream: m.upstream}
    fill = Copy("columns", "taps")
    contraction, has_bias = m.output()
    steps: list[Step] = [m.multiply(contraction, "c", "f", matrices)]
    if has_bias:
        assert m.bias is not None
        steps.append(Apply("c", "add", ("c", m.bias)))
    kernel = tuple(w.taps for w in form.walks)
    whole = Stage(form.body, tuple(range(len(kernel))), form.walks, m.source, m.weight, m.bias, form.ties)
    into = f"grad_{m.source}"
    scatter: list[Step] = [m.multiply(m.gradient(m.source), "matrix", "K", matrices)]
    builder = Builder(whole)
    for taps in builder.window():
        target = builder.tap(into, taps)
        builder.apply(target, "add", target, builder.entry("columns", taps, lead=3))
    into_weight = f"grad_{m.weight}"
    weight: list[Step] = [
        fill,
        m.multiply(m.gradient(m.weight), "partial", "f", matrices),
        Total("total", "partial", (0,)),
        Apply(into_weight, "add", (into_weight, "total")),
    ]
    return MatrixPrograms(
        forward=program_of("forward", [fill, *steps], ("c",)),
        forward_direct=program_of("forward_direct", steps, ("c",)),
        pullback=program_of("pullback", [*scatter, *builder.steps], (into,)),
        weight_pullback=program_of("weight_pullback", weight, (into_weight,)),
    )
