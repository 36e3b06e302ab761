"""The kernel of an operator that only states a formula: a sum over the taps of what each makes of entry and weight.

What a tap makes of its entry u and its weight v is a polynomial, read off the formula. It, and its two derivatives as
SymPy finds them, become functions of arrays; the kernel adds one tap after the other. A formula of another shape is
refused: nothing here guesses.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from symconv.errors import ArgumentError, NotSupportedError
from symconv.formulas.algebra import (
    Absolute,
    Access,
    Applied,
    Bracket,
    Compare,
    Constant,
    FormulaWalker,
    Multiply,
    Named,
    Node,
    Plus,
    Power,
    Reduce,
    Scalar,
    Share,
    Sign,
    add,
    factors_of,
)
from symconv.formulas.algebra import product as times
from symconv.formulas.index import Index
from symconv.formulas.walker import case
from symconv.kernels.adapters.planes import DirectKernel, Planes, floating
from symconv.kernels.form.extraction import local_form
from symconv.kernels.form.reading import WALK
from symconv.kernels.form.tapform import TapForm
from symconv.kernels.programs.reading import added_up
from symconv.kernels.runtime.arguments import as_array, cast, fit, outputs_of, types_of
from symconv.kernels.runtime.contract import VARIABLES, Gradients, check_variables
from symconv.kernels.runtime.padding import Array
from symconv.operators.base import Operator

if TYPE_CHECKING:
    import sympy

    from symconv.formulas.formula import Formula
    from symconv.kernels.accuracy.bound import ErrorBound

__all__ = ["StatedKernel", "term_node"]

LARGEST_POWER = 16


def _term(form: TapForm, op: Operator) -> sympy.Expr:
    """What a tap makes of its entry u and its weight v.

    Raises:
        NotSupportedError: for a formula that is no sum of a polynomial over the taps of one plane.
    """
    import sympy

    def refuse(why: str) -> NotSupportedError:
        return NotSupportedError(f"no kernel can be made of {op!r}: its formula {form.formula} {why}")

    u, v = sympy.symbols("u v")
    names = tuple(bound.name for bound in form.taps)
    weight = form.letter("weight")

    read = _TapTerm(u, v, form.input, weight, tuple(map(Index.of, names)), refuse).visit
    factors = factors_of(form.body)
    sums = [node for node in factors if isinstance(node, Reduce)]
    others = [node for node in factors if not isinstance(node, Reduce)]
    if len(sums) != 1 or sums[0].op != "sum" or not all(isinstance(node, Constant) for node in others) or form.counts:
        raise refuse("is no number times one sum over a window")
    if {bound.name for bound in sums[0].bounds} != set(names) or any(walk.guards for walk in form.walks):
        raise refuse("sums over more, or less, than the taps of its window")
    if form.channels is not None and (form.channels.total_in, form.channels.total_out) != (1, 1):
        raise refuse("has channels, and a kernel of a stated formula takes one plane at a time")
    box = tuple((Index.of(0), bound.upper) for bound in form.taps)
    if any(tensor.role == "weight" and tensor.box != box for tensor in form.formula.tensors):
        raise refuse("has a weight of another size than its window")
    for walk in form.walks:
        if len(walk.shifts) != 1 or walk.position != Index.of(WALK) + walk.shifts[0] or walk.shifts[0].value is None:
            raise refuse("reads its padding in another way than as zeros")
    return sympy.Mul(*map(read, others), read(sums[0].body))


class _TapTerm(FormulaWalker["sympy.Expr"]):
    """What stands under the sum as a polynomial in the entry u and the weight v of a tap."""

    def __init__(
        self,
        u: sympy.Expr,
        v: sympy.Expr,
        entry: str,
        weight: str | None,
        tap: tuple[Index, ...],
        refuse: Callable[[str], NotSupportedError],
    ) -> None:
        self.u, self.v, self.entry, self.weight, self.tap, self.refuse = u, v, entry, weight, tap, refuse

    @case(Constant)
    def _constant(self, node: Constant) -> sympy.Expr:
        import sympy

        return sympy.Rational(node.value.numerator, node.value.denominator)

    @case(Plus)
    def _add(self, node: Plus) -> sympy.Expr:
        import sympy

        return sympy.Add(*map(self.visit, node.args))

    @case(Multiply)
    def _multiply(self, node: Multiply) -> sympy.Expr:
        import sympy

        return sympy.Mul(*map(self.visit, node.args))

    @case(Power)
    def _power(self, node: Power) -> sympy.Expr:
        if not isinstance(node.exponent, Constant):
            return self._other(node)
        exponent = node.exponent.value
        if exponent.denominator == 1 and 1 <= exponent <= LARGEST_POWER:
            return self.visit(node.base) ** int(exponent)
        raise self.refuse(f"has the power {exponent}, and a kernel takes whole powers from 1 to {LARGEST_POWER}")

    @case(Access)
    def _access(self, node: Access) -> sympy.Expr:
        if node.tensor == self.entry:
            return self.u
        if node.tensor != self.weight:
            return self._other(node)
        if node.index != self.tap:
            raise self.refuse("reads the weight at another place than its tap")
        return self.v

    @case(Scalar, Absolute, Sign, Applied, Bracket, Compare, Reduce, Share, Named)
    def _other(self, node: Node) -> sympy.Expr:
        raise self.refuse(
            f"has a {type(node).__name__} under the sum, and a kernel takes sums, products and whole powers"
        )


class StatedKernel(DirectKernel):
    """``kernel(x, weight)``: a sum over the taps of a polynomial in the entry and the weight of each.

    Every plane has the same weight, ``(*kernel)``. Outside the input an entry is 0, as in the formula. Sums are taken
    in the order of the taps; integers are refused, since a power of one soon is too large for its type.
    """

    name = "stated"
    functions = gradient_functions = ()  # they are made from the formula, and printed as terms
    stages = ("one tap after the other: what it makes of the entries that it reads is added",)
    costs = "the term of the formula once a tap and output entry"
    error = "every term is rounded, and so is every addition"

    def __init__(self, op: Operator, weight: Array | None = None) -> None:
        import sympy

        self.weighted = "weight" in op.variables  # type: ignore[misc]
        super().__init__(op, weight)
        self._form = local_form(op)
        term = _term(self._form, op)
        u, v = sympy.symbols("u v")
        self._terms: tuple[sympy.Expr, ...] = (term, sympy.diff(term, u), sympy.diff(term, v))
        self._value, self._by_entry, self._by_weight = (_function(u, v, part) for part in self._terms)
        self._taps = tuple(walk.taps for walk in self._form.walks)
        self._bound = None if weight is None else fit("weight", weight, self._taps, "that of the window")

    def _listing(self, functions: tuple[Callable[..., Any], ...]) -> str:
        del functions
        value, by_entry, by_weight = self._terms
        return (
            f"# {self.op!r}, plan {self.plan!r}: one tap after the other, u its entries and v its weight\n"
            f"y += {value}\n# gradients, for an upstream gradient g\ngrad_u += g*({by_entry})\n"
            f"grad_v += sum(g*({by_weight}))\n"
        )

    def __call__(self, x: Any, weight: Any = None, bias: Any = None) -> Any:
        """The output.

        Args:
            x: the input, ``(N, C, *spatial)``, ``(C, *spatial)`` or ``(*spatial)``.
            weight: ``(*kernel)``; left out where it was bound, and where the operator has none.
            bias: must be left out.

        Raises:
            ArgumentError: for a shape or a type that does not fit.
            NotSupportedError: for integers.
        """
        x, w, result, planes, padded, outputs = self._read("the kernel of a stated formula", x, weight, bias)
        with np.errstate(all="ignore"):
            y = self._summed(padded, w, outputs)
        return cast(y.reshape(*planes.lead, *outputs), result)

    def _summed(self, padded: Array, w: Array, outputs: tuple[int, ...]) -> Array:
        """The outputs of padded planes."""
        y = np.zeros((len(padded), *outputs), padded.dtype)
        for tap, view in self._views(padded, outputs):
            y += self._value(view, w[tap])
        return y

    def vjp(
        self, grad_output: Any, x: Any, weight: Any = None, bias: Any = None, *, wrt: Collection[str] = VARIABLES
    ) -> Gradients:
        """The gradients of ``<grad_output, kernel(x, weight)>``.

        Raises:
            ArgumentError: for a shape or a type that does not fit.
            NotSupportedError: for integers.
        """
        check_variables(wrt)
        x, w, result, planes, padded, outputs = self._read("vjp", x, weight, bias)
        g = fit("grad_output", as_array("grad_output", grad_output), (*planes.lead, *outputs), "that of the output")
        upstream = g.reshape(len(padded), *outputs).astype(padded.dtype, copy=False)
        with np.errstate(all="ignore"):
            to_input, to_weight = self._pulled(upstream, padded, w, outputs)
        inner = (slice(None), *(slice(before, before + n) for (before, _), n in self._margins(planes.sizes, outputs)))
        of_input = np.zeros(planes.array.shape, padded.dtype)
        of_input[self._kept(planes.sizes, outputs)] = to_input[inner]
        return Gradients(
            cast(of_input.reshape(x.shape), x.dtype) if "input" in wrt else None,
            cast(to_weight, result) if self.weighted and "weight" in wrt else None,
        )

    def _pulled(self, g: Array, padded: Array, w: Array, outputs: tuple[int, ...]) -> tuple[Array, Array]:
        """The gradients of padded planes and, in float64, of the weight."""
        to_input, to_weight = np.zeros_like(padded), np.zeros(w.shape, np.float64)
        targets = self._views(to_input, outputs)
        for (tap, view), (_, target) in zip(self._views(padded, outputs), targets, strict=True):
            target += g * self._by_entry(view, w[tap])
            to_weight[tap] += np.sum(g * self._by_weight(view, w[tap]), dtype=np.float64)
        return to_input, to_weight

    def jvp(
        self, x: Any, weight: Any = None, bias: Any = None, *, dx: Any = None, dweight: Any = None, dbias: Any = None
    ) -> Array:
        """The tangent of the output for tangents of the input and the weight; None is a zero tangent.

        Raises:
            ArgumentError: for a shape or a type that does not fit.
            NotSupportedError: for integers.
        """
        if dbias is not None or (dweight is not None and not self.weighted):
            raise ArgumentError("dweight, dbias", (dweight, dbias), f"must be left out: {self.op!r} has none")
        x, w, result, planes, padded, outputs = self._read("jvp", x, weight, bias)
        along = np.zeros(x.shape) if dx is None else fit("dx", as_array("dx", dx), x.shape, "the shape of x")
        moved = np.zeros(w.shape) if dweight is None else as_array("dweight", dweight)
        fit("dweight", moved, self._taps, "that of the window")
        tangents = self._padded(along.reshape(planes.array.shape).astype(padded.dtype), planes.sizes, outputs)
        with np.errstate(all="ignore"):
            y = self._pushed(tangents, moved, padded, w, outputs)
        return cast(y.reshape(*planes.lead, *outputs), result)

    def _pushed(self, d: Array, moved: Array, padded: Array, w: Array, outputs: tuple[int, ...]) -> Array:
        """The tangents of the outputs for tangents of padded planes and of the weight."""
        y = np.zeros((len(padded), *outputs), padded.dtype)
        views = zip(self._views(padded, outputs), self._views(d, outputs), strict=True)
        for (tap, view), (_, tangent) in views:
            y += self._by_entry(view, w[tap]) * tangent + self._by_weight(view, w[tap]) * moved[tap]
        return y

    def computed(self, output: Formula) -> Node:
        """The terms of the taps in the order of `_views`, each of what its view shows."""
        letter, weight = self._form.input, self._form.letter("weight")
        terms = []
        for tap in product(*map(range, self._taps)):
            places = []
            for walk, m in zip(self._form.walks, tap, strict=True):
                first = min(0, walk.step * (walk.taps - 1)) + int(walk.shifts[0].value or 0)
                places.append(walk.stride * Index.of(walk.output) + walk.offset(m) + first)
            entry = Access(letter, tuple(places))
            added = None if weight is None else Access(weight, tuple(map(Index.of, tap)))
            terms.append(term_node(self._terms[0], entry, added))
        return added_up(terms, self._taps, frozenset((*output.parameters, *output.indices)))

    def error_bound(self, x: Any, *args: Any, **options: Any) -> ErrorBound:
        """Nothing is promised of the rounding errors of a stated formula.

        Raises:
            NotSupportedError: always.
        """
        raise NotSupportedError(
            f"no bound of rounding errors is promised for {self.op!r}, which states its own formula; compare with "
            "op.output().at(...), which is exact"
        )

    def promised(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> list[str]:
        return ["no bound of the rounding error is promised"]

    # ------------------------------------------------------------------ arguments and views

    def _read(
        self, what: str, x: Any, weight: Any, bias: Any
    ) -> tuple[Array, Array, np.dtype[Any], Planes, Array, tuple[int, ...]]:
        """The input, the weight, the type of the result, the planes, these with their padding, and the output size."""
        if bias is not None:
            raise ArgumentError("bias", type(bias).__name__, f"must be left out: {self.op!r} has no bias")
        if weight is not None and (self._bound is not None or not self.weighted):
            why = "it was bound by compile(...)" if self.weighted else f"{self.op!r} has no weight"
            raise ArgumentError("weight", type(weight).__name__, f"must be left out: {why}")
        if weight is None and self._bound is None and self.weighted:
            raise ArgumentError("weight", None, f"must be given: {self.op!r} has a weight")
        array = floating("x", as_array("x", x), what)
        given = weight if self._bound is None else self._bound
        w = fit("weight", as_array("weight", given), self._taps, "that of the window") if self.weighted else None
        w = np.zeros(self._taps, array.dtype) if w is None else floating("weight", w, what)
        planes = Planes.of("x", array, self.op.spatial_axes)
        outputs = outputs_of(self.op, planes.sizes)
        types = types_of([array, w], keep_integers=False)
        padded = self._padded(planes.array.astype(types.compute), planes.sizes, outputs)
        return array, w.astype(types.compute), np.dtype(types.result), planes, padded, outputs

    def _margins(self, sizes: tuple[int, ...], outputs: tuple[int, ...]) -> list[tuple[tuple[int, int], int]]:
        """The zeros before and after what is kept of the input on every axis, and how much is kept."""
        found = []
        for walk, n, count in zip(self._form.walks, sizes, outputs, strict=True):
            first, last = self._ends(walk, count)
            kept = max(0, min(n - 1, last) - max(0, first) + 1)
            before = max(0, min(-first, last - first + 1))
            found.append(((before, last - first + 1 - before - kept), kept))
        return found

    def _ends(self, walk: Any, count: int) -> tuple[int, int]:
        """The first and the last position that any tap reads."""
        shift = int(walk.shifts[0].value)
        first = min(0, walk.step * (walk.taps - 1)) + shift
        return first, walk.stride * (count - 1) + max(0, walk.step * (walk.taps - 1)) + shift

    def _kept(self, sizes: tuple[int, ...], outputs: tuple[int, ...]) -> tuple[slice, ...]:
        """The part of the input that is read at all."""
        cut = []
        for walk, count, (_, kept) in zip(self._form.walks, outputs, self._margins(sizes, outputs), strict=True):
            start = max(0, self._ends(walk, count)[0])
            cut.append(slice(start, start + kept))
        return (slice(None), *cut)

    def _padded(self, planes: Array, sizes: tuple[int, ...], outputs: tuple[int, ...]) -> Array:
        """The planes from the first position that is read to the last, zeros where there is no entry."""
        widths = [width for width, _ in self._margins(sizes, outputs)]
        return np.pad(planes[self._kept(sizes, outputs)], ((0, 0), *widths))

    def _views(self, padded: Array, outputs: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Array]]:
        """Every tap in row-major order, and the entries that it reads for all outputs."""
        for tap in product(*map(range, self._taps)):
            places = []
            for walk, m, count in zip(self._form.walks, tap, outputs, strict=True):
                start = walk.offset(m)
                places.append(slice(start, start + walk.stride * (count - 1) + 1, walk.stride))
            yield tap, padded[(slice(None), *places)]


def term_node(term: sympy.Expr, entry: Access, weight: Access | None) -> Node:
    """A polynomial in u and v as a formula of an entry and a weight."""
    args = [term_node(arg, entry, weight) for arg in term.args]
    if term.is_Add:
        return add(*args)
    if term.is_Mul:
        return times(*args)
    if term.is_Pow:
        return Power(*args)
    if term.is_Rational:
        return Constant(Fraction(int(term.p), int(term.q)))
    found = entry if term.name == "u" else weight
    assert found is not None
    return found


def _function(u: Any, v: Any, term: Any) -> Callable[[Array, Any], Any]:
    import sympy

    found: Callable[[Array, Any], Any] = sympy.lambdify((u, v), term, "numpy")
    return found
