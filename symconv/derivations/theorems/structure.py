"""The structure of convolutions: matrices, layers after one another, kernels that are dilated, turned or separable."""

from __future__ import annotations

from dataclasses import replace

from symconv.derivations.theorems.building import M, V, after, box, each_axis, image, options, with_entries
from symconv.derivations.theorems.gradients import GENERAL, axes_of, layer
from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.formulas.algebra import (
    Access,
    Bound,
    Bracket,
    between,
    equal,
    nonnegative,
    product,
    substitute,
    summation,
)
from symconv.formulas.formula import Tensor
from symconv.formulas.index import Index
from symconv.operators.convolution import Conv
from symconv.operators.frame import numbered
from symconv.proofs.prove import prove
from symconv.proofs.verdict import Verdict

__all__ = ["THEOREMS"]


def _tensor(letter: str, *extents: Index) -> Tensor:
    return Tensor(letter, "weight", box(*extents))


# ---------------------------------------------------------------------- matrices


def _matrix_form(ndim: int, *, transposed: bool = False) -> Verdict:
    """c = T a with T the derivative: sum over inputs of T[p, i] a[i]."""
    op = layer(ndim)
    output, jacobian = op.output(), op.derivative("input")
    inputs = jacobian.free[ndim:]
    at = [V(bound.name) for bound in inputs]
    entry = Access("a", tuple(reversed(at)) if transposed else tuple(at))
    return prove(output, output.with_body(summation(product(jacobian.body, entry), *inputs)))


def _toeplitz(ndim: int, *, by_stride: bool = True, move: int = 1) -> Verdict:
    """T[p + 1, i + S] = T[p, i] on every axis, both places inside the matrix."""
    jacobian = layer(ndim).derivative("input")
    moved: dict[str, Index] = {}
    inside = []
    for axis, (S,) in enumerate(each_axis("S", ndim)):
        p, i = jacobian.free[axis], jacobian.free[ndim + axis]
        moved[p.name], moved[i.name] = V(p.name) + move, V(i.name) + (S if by_stride else 1)
        inside += [nonnegative(p.upper - moved[p.name]), nonnegative(i.upper - moved[i.name])]
        # what follows for the sizes is said too, so that the search for an instance need not look below it
        inside += [nonnegative(p.upper - move), nonnegative(i.upper - (S if by_stride else 1))]
    return prove(jacobian, image(jacobian.with_body(substitute(jacobian.body, moved))), assuming=inside)


# ---------------------------------------------------------------------- layers after one another


def _composition(*, stride: bool = True, padded: bool = False) -> Verdict:
    """conv(conv(a, b), w) is one layer with kernel b correlated with w put S apart, its stride the product."""
    (k,), (s,), (length,), (t,), (pad,) = options("KSLTP", 1)
    first = Conv((k,), (s,), pad if padded else 0).output()
    second = Conv((length,), (t,), pad if padded else 0).output(names={"weight": "w"})
    K, S, L, P = V("K"), V("S"), V("L"), V("P")
    whole = Conv((s * (length - 1) + k,), (s * t,), (pad + s * pad) if padded else 0).output(names={"weight": "z"})
    entries = summation(
        product(Access("b", (V("m"),)), Access("w", (V("n"),))),
        Bound("n", V(0), L - 1),
        Bound("m", V(0), K - 1),
        guards=[equal("x", (S if stride else V(1)) * V("n") + V("m"))],
    )
    right = with_entries(image(whole), "z", ("x",), entries, (_tensor("b", K), _tensor("w", L)))
    both = after(second, first)
    if padded:
        both = replace(both, lower=tuple(dict(both.lower, P=0).items()), facts=(*both.facts, P))
    return prove(both, right)


def _separable(*, second: str = "v", padded_twice: bool = False) -> Verdict:
    """A kernel u[m] v[n] is two passes, one along each axis."""
    (K, L), (S, T), (P, Q), (D, F) = (tuple(a[0] for a in options(pair, 1)) for pair in ("KL", "ST", "PQ", "DF"))
    names = ("K", "L")
    columns = Conv((K, 1), (S, 1), ((P, P), (Q, Q) if padded_twice else (0, 0)), (D, 1)).output(names={"weight": "y"})
    rows = Conv((1, L), (1, T), ((0, 0), (Q, Q)), (1, F)).output(names={"weight": "z"})
    u, v = Access("u", (V("x"),)), Access(second, (V("w"),))
    tensors = (_tensor("u", V(names[0])), _tensor("v", V(names[1])))
    whole = Conv((K, L), (S, T), ((P, P), (Q, Q)), (D, F)).output(names={"weight": "z"})
    left = with_entries(whole, "z", ("x", "w"), product(u, v), tensors)
    first = with_entries(columns, "y", ("x", "w"), u, tensors[:1])
    last = with_entries(rows, "z", ("x", "w"), Access("v", (V("w"),)), tensors[1:])
    return prove(left, image(after(last, first)))


# ---------------------------------------------------------------------- kernels


def _dilation(ndim: int, *, apart: int = 0) -> Verdict:
    """A dilated layer is a plain one whose kernel has D - 1 zeros between its entries."""
    K, S, P, D = options("KSPD", ndim)
    wide = tuple(d * (k - 1) + 1 for k, d in zip(K, D, strict=True))
    plain = Conv(wide, S, tuple((p, p) for p in P)).output(names={"weight": "z"})
    sizes = each_axis("KD", ndim)
    bounds = [Bound(n, V(0), k - 1) for n, (k, _) in zip("st", sizes, strict=False)]
    places = tuple("xy"[:ndim])
    guards = [equal(x, (d + apart) * V(b.name)) for x, b, (_, d) in zip(places, bounds, sizes, strict=True)]
    zeros = summation(Access("b", tuple(V(b.name) for b in bounds)), *bounds, guards=guards)
    right = with_entries(image(plain), "z", places, zeros, (_tensor("b", *(k for k, _ in sizes)),))
    return prove(layer(ndim).output(), right)


def _flip(ndim: int, move: int = 0) -> Verdict:
    """Convolution in the mathematician's sense is correlation with the kernel turned around."""
    turned = tuple(k - 1 - V(x) + move for x, (k,) in zip("xy", each_axis("K", ndim), strict=False))
    op = layer(ndim).output()
    kernel = next(t for t in op.tensors if t.role == "weight")
    return prove(
        layer(ndim, flip=True).output(), image(with_entries(op, "b", "xy"[:ndim], Access("b", turned), (kernel,)))
    )


def _commutes(*, flip: bool = True) -> Verdict:
    """Full convolution, with every overlap of input and kernel counted, does not tell the two apart."""
    (k,) = options("K", 1)[0]
    (i,) = options("I", 1)[0]
    left = Conv((k,), padding=k - 1, flip=flip).output()
    other = Conv((i,), padding=i - 1, flip=flip).output(names={"input": "b", "weight": "a"})
    return prove(left, image(other, **{other.sizes[0]: V("K")}))


# ---------------------------------------------------------------------- shifts


def _shift(ndim: int, *, by_stride: bool = True, inside: bool = True) -> Verdict:
    """Shifting the input by S t shifts the output by t, where the window lies inside the input before and after."""
    output = layer(ndim).output()
    source = next(t for t in output.tensors if t.role == "input")
    places = tuple("xy"[:ndim])
    steps = [V(t) for t in numbered("t", ndim)]
    sizes = each_axis("IKSPD", ndim)
    at = tuple(V(x) + (S if by_stride else 1) * t for x, t, (_, _, S, _, _) in zip(places, steps, sizes, strict=True))
    stays = [g for x, (low, high) in zip(places, source.box, strict=True) for g in between(low, x, high)]
    shifted = product(Bracket(tuple(stays)), Access("a", at))
    left = with_entries(output, "a", places, shifted, (source,))
    moved = {name: V(name) + t for name, t in zip(output.indices, steps, strict=True)}
    right = image(output.with_body(substitute(output.body, moved)))
    given = []
    for name, t, (I, K, S, P, D) in zip(output.indices, steps, sizes, strict=True):  # noqa: E741
        given.append(nonnegative(t))
        if inside:
            given += [nonnegative(S * V(name) - P), nonnegative(I - 1 - S * V(name) - D * (K - 1) + P)]
    return prove(left, right, assuming=given)


FIRST_FITS = "; no padding; a window of each layer fits"

THEOREMS = (
    Theorem(
        "matrix-form",
        "A convolution is a matrix times the input",
        (M(r"c_p = \sum_i T_{p,i}\, a_i,\quad T = \partial c / \partial a", "c[p] = ∑(i) T[p, i]·a[i], T = ∂c/∂a"),),
        (GENERAL, "; a window fits"),
        "Dumoulin & Visin, A guide to convolution arithmetic (arXiv 1603.07285), section 4.1",
        axes_of(_matrix_form),
        (Check("rows and columns of the input exchanged", lambda: _matrix_form(2, transposed=True)),),
    ),
    Theorem(
        "toeplitz",
        "The matrix of a convolution is Toeplitz, by strides",
        (M(r"T_{p+1,\, i+S} = T_{p,\, i}", "T[p + 1, i + S] = T[p, i]"), ", on two axes on each of them."),
        (GENERAL, "; a window fits; both places inside the matrix"),
        "Gray, Toeplitz and circulant matrices (2006)",
        axes_of(_toeplitz),
        (
            Check("one input further for every stride", lambda: _toeplitz(1, by_stride=False)),
            Check("the next output but one", lambda: _toeplitz(1, move=2)),
        ),
    ),
    Theorem(
        "composition",
        "Two convolutions are one",
        (
            M(
                r"(a \star_S b) \star_T w = a \star_{ST} v,\quad v_x = \sum_{x = Sn + m} b_m w_n",
                "(a ⋆[S] b) ⋆[T] w = a ⋆[S T] v, v[x] = ∑(x = S n + m) b[m]·w[n]",
            ),
            ", a kernel of ",
            M(r"S(L-1) + K", "S(L - 1) + K"),
            " entries.",
        ),
        (M(r"I, K, S, L, T \geq 1", "I, K, S, L, T ≥ 1"), FIRST_FITS),
        "Elementary: convolution is associative",
        (Check("one axis", _composition),),
        (
            Check("without the stride between the entries of w", lambda: _composition(stride=False)),
            Check(
                "with padding: what the first layer writes beyond the border is cut off",
                lambda: _composition(padded=True),
            ),
        ),
    ),
    Theorem(
        "separable",
        "A separable kernel is two passes",
        (
            M(r"a \star (u\, v^{\mathsf T}) = (a \star u) \star v^{\mathsf T}", "a ⋆ (u vᵀ) = (a ⋆ u) ⋆ vᵀ"),
            ", the first along the columns, the second along the rows.",
        ),
        (
            M(
                r"I_1, I_2, K, L, S, T, D, F \geq 1,\; P, Q \geq 0",
                "I_1, I_2, K, L, S, T, D, F ≥ 1, P, Q ≥ 0",
            ),
            "; a window fits; stride, padding and dilation of each axis in its own pass",
        ),
        "Elementary: the order of sums is free",
        (Check("two axes", _separable),),
        (Check("the padding of the rows in both passes", lambda: _separable(padded_twice=True)),),
    ),
    Theorem(
        "dilation",
        "Dilation is a kernel with zeros between its entries",
        (
            M(r"a \star_{\text{dilation } D} b = a \star \operatorname{up}_D(b)", "a ⋆[dilation D] b = a ⋆ up[D](b)"),
            ", a kernel of ",
            M(r"D(K-1) + 1", "D(K - 1) + 1"),
            " entries.",
        ),
        (GENERAL, "; a window fits"),
        "Yu & Koltun, Multi-scale context aggregation by dilated convolutions (arXiv 1511.07122)",
        axes_of(_dilation),
        (Check("D zeros between instead of D - 1", lambda: _dilation(1, apart=1)),),
    ),
    Theorem(
        "flip",
        "Convolution is correlation with the kernel turned",
        (M(r"a * b = a \star \operatorname{rot}_{180}(b)", "a * b = a ⋆ rot180(b)"),),
        (GENERAL, "; a window fits"),
        "Goodfellow, Bengio & Courville, Deep Learning, section 9.1",
        axes_of(_flip),
        (Check("turned around an entry one further", lambda: _flip(1, 1)),),
    ),
    Theorem(
        "commutative",
        "Full convolution is commutative",
        (M(r"a * b = b * a", "a * b = b * a"), ", of size I + K - 1."),
        (
            M(r"I, K \geq 1", "I, K ≥ 1"),
            "; stride and dilation 1; padding K - 1 on the left and I - 1 on the right side",
        ),
        "Goodfellow, Bengio & Courville, Deep Learning, section 9.1",
        (Check("one axis", _commutes),),
        (Check("correlation instead of convolution", lambda: _commutes(flip=False)),),
    ),
    Theorem(
        "shift-equivariance",
        "Shifting the input by a stride shifts the output by one",
        (
            M(r"a'_i = a_{i + St} \implies c'_p = c_{p + t}", "a'[i] = a[i + S t] implies c'[p] = c[p + t]"),
            " away from the border.",
        ),
        (
            GENERAL,
            M(r",\; t \geq 0", ", t ≥ 0"),
            "; the window of p lies inside the input, ",
            M(r"P \leq Sp,\; Sp + D(K-1) - P \leq I - 1", "P ≤ S p, S p + D(K - 1) - P ≤ I - 1"),
        ),
        "Goodfellow, Bengio & Courville, Deep Learning, section 9.2",
        axes_of(_shift),
        (
            Check("a shift by t instead of S t", lambda: _shift(1, by_stride=False)),
            Check("at the border too", lambda: _shift(1, inside=False)),
        ),
    ),
)
