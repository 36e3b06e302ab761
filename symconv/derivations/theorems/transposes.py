"""Operators and their transposes, patches and matrix products, adaptive averages: theorems between whole operators."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symconv.derivations.theorems.building import (
    M,
    V,
    each_axis,
    image,
    options,
    reciprocal,
    scalar_formula,
    shifted,
    with_entries,
)
from symconv.derivations.theorems.gradients import GENERAL, axes_of, entries, layer
from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.formulas.algebra import Access, Bound, equal, nonnegative, product, substitute, summation
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.symbols import symbol
from symconv.operators.adaptive import AdaptiveAvgPool
from symconv.operators.convolution import Conv
from symconv.operators.patches import Fold, Unfold
from symconv.operators.pooling import AvgPool
from symconv.operators.transposed import ConvTranspose
from symconv.proofs.prove import prove
from symconv.proofs.verdict import Verdict

__all__ = ["THEOREMS"]

GUIDE = "Dumoulin & Visin, A guide to convolution arithmetic (arXiv 1603.07285)"


# ---------------------------------------------------------------------- transposed convolution


def _left_over(ndim: int) -> dict[str, Index]:
    """The output padding under which the transposed layer gives the input size back, for every axis."""
    return {
        str(A): I + 2 * P - D * (K - 1) - 1 - S * (O - 1)
        for I, K, S, P, D, O, A in each_axis("IKSPDOA", ndim)  # noqa: E741
    }


def _inner_product(formula: Formula, with_: str, move: int = 0) -> Any:
    """The sum over all entries of a formula times those of a tensor."""
    other = Access(with_, tuple(e + move for e in entries(formula)))
    return summation(product(other, formula.body), *formula.free)


def _adjoint(ndim: int, *, flip: bool = False, padded: bool = True) -> Verdict:
    """<g, conv a> = <transposed g, a>, both operators as declared."""
    plain = layer(ndim)
    over: ConvTranspose = ConvTranspose((3,) * ndim, flip=flip).generic()
    output, frame = plain.output(), plain.gradient("input")
    transposed = over.output(names={"input": "g"})
    sizes = {theirs: V(ours) for theirs, (ours, _) in zip(transposed.sizes, output.definitions, strict=True)}
    extra = _left_over(ndim) if padded else dict.fromkeys(_left_over(ndim), V(0))
    right = image(transposed, **sizes, **extra)
    return prove(scalar_formula(frame, _inner_product(output, "g")), scalar_formula(frame, _inner_product(right, "a")))


def _upsampled(ndim: int, *, turned: bool = True, zeros: bool = True) -> Verdict:
    """A layer of stride 1 over the input with S - 1 zeros between its entries, the kernel turned."""
    over: ConvTranspose = ConvTranspose((3,) * ndim).generic()
    output = over.output()
    K, P, D, A = options("KPDA", ndim)
    pads = tuple((d * (k - 1) - p, d * (k - 1) - p + a) for k, p, d, a in zip(K, P, D, A, strict=True))
    plain = Conv(K, padding=pads, dilation=D, flip=turned).output(names={"input": "x"})
    env, places, bounds, guards = {}, [], [], []
    for axis, (I, S) in enumerate(each_axis("IS", ndim)):  # noqa: E741
        step = S if zeros else V(1)
        env[plain.sizes[axis]] = S * (I - 1) + 1
        places.append("yzw"[axis])
        bounds.append(Bound("stu"[axis], V(0), I - 1))
        guards.append(equal("yzw"[axis], step * V("stu"[axis])))
    spread = summation(Access("a", tuple(V(b.name) for b in bounds)), *bounds, guards=guards)
    source = next(t for t in output.tensors if t.role == "input")
    return prove(output, with_entries(image(plain, **env), "x", places, spread, (source,)))


# ---------------------------------------------------------------------- patches


def _fold_adjoint(ndim: int, move: int = 0, *, stride: bool = True) -> Verdict:
    """<g, unfold a> = <fold g, a>."""
    unfold: Unfold = Unfold((3,) * ndim).generic()
    output, frame = unfold.output(), unfold.gradient("input")
    K, S, P, D, I = options("KSPDI", ndim)  # noqa: E741
    pads = tuple((p, p) for p in P)
    fold = image(Fold(I, K, S if stride else 1, pads, D).output(names={"input": "g"}))
    return prove(
        scalar_formula(frame, _inner_product(output, "g")), scalar_formula(frame, _inner_product(fold, "a", move))
    )


def _matrix_product(ndim: int, *, turned: bool = False, move: int = 0) -> Verdict:
    """c[f, p] = sum over h, m of b[f, h, m] times the patch entry [h, m, p], any numbers of channels."""
    many = {name: symbol(letter, positive=True) for name, letter in (("in_channels", "C"), ("out_channels", "F"))}
    conv: Conv = Conv((3,) * ndim, **many).generic()
    unfold: Unfold = Unfold((3,) * ndim, in_channels=many["in_channels"]).generic()
    output, patches = conv.output(), unfold.output()
    own, *places = output.indices
    channel, *taps = patches.free[: 1 + ndim]
    body = substitute(patches.body, {channel.name: V("h")})
    at = [b.upper - V(b.name) if turned else V(b.name) for b in taps]
    weight = Access("b", (V(own), V("h"), *at))
    summed = summation(product(weight, body), Bound("h", channel.lower, channel.upper), *taps)
    assert tuple(places) == patches.indices[1 + ndim :]
    right = shifted(output.with_body(summed), "a", 0, *(move,) * ndim) if move else output.with_body(summed)
    return prove(output, right, assuming=[nonnegative(V(letter) - 1) for letter in "CF"])


# ---------------------------------------------------------------------- adaptive averages


def _adaptive(ndim: int, more: int = 0) -> Verdict:
    """Where the input size is O times K, the windows of the adaptive average are those of AvgPool(K)."""
    adaptive: AdaptiveAvgPool = AdaptiveAvgPool((3,) * ndim).generic()
    average: AvgPool = AvgPool(options("K", ndim)[0])
    sizes = {str(I): O * K + more for I, O, K in each_axis("IOK", ndim)}  # noqa: E741
    left = replace(adaptive.output().subs(sizes), sizes=())
    right = image(average.output(), **sizes)
    return prove(left, right, assuming=[nonnegative(K - 1) for (K,) in each_axis("K", ndim)])


def _global(ndim: int, *, pooled: bool = False) -> Verdict:
    """One window over everything: the mean of all entries, or the pooling with a window as large as the input."""
    output = AdaptiveAvgPool((1,) * ndim).output()
    source = next(t for t in output.tensors if t.role == "input")
    if pooled:
        average = AvgPool(options("I", ndim)[0]).output()
        sizes = {theirs: high + 1 for theirs, (_, high) in zip(average.sizes, source.box, strict=True)}
        return prove(output, image(average, **sizes))
    return prove(output, output.with_body(_mean(source.box)))


def _mean(box: Any, more: int = 0) -> Any:
    bounds = [Bound("xyw"[axis], low, high) for axis, (low, high) in enumerate(box)]
    total = V(1)
    for _, high in box:
        total = total * (high + 1)
    return product(reciprocal(total + more), summation(Access("a", tuple(V(b.name) for b in bounds)), *bounds))


def _mean_of_means() -> Verdict:
    """The claim that the mean of two adaptive averages is the mean: the middle entry would count twice."""
    two = AdaptiveAvgPool((2,)).output()
    (outputs,), source = two.free, next(t for t in two.tensors if t.role == "input")
    left = scalar_formula(
        replace(two, tensors=()), product(reciprocal(V(2)), summation(two.body, outputs)), (), two.tensors
    )
    return prove(left, left.with_body(_mean(source.box)))


def _one_more() -> Verdict:
    output = AdaptiveAvgPool((1,)).output()
    return prove(output, output.with_body(_mean(output.tensors[0].box, 1)))


MODULUS = M(r"A = (I + 2P - D(K-1) - 1) \bmod S", "A = (I + 2P - D(K - 1) - 1) mod S")
PATCHES = M(r"u_{h,m,p} = a_{h,\, Sp + Dm - P}", "u[h, m, p] = a[h, S p + D m - P]")

THEOREMS = (
    Theorem(
        "transposed-adjoint",
        "Transposed convolution is the adjoint of convolution",
        (
            M(
                r"\langle g,\, \operatorname{conv}(a) \rangle = "
                r"\langle \operatorname{conv}^{\mathsf T}(g),\, a \rangle",
                "⟨g, conv(a)⟩ = ⟨convᵀ(g), a⟩",
            ),
            ", both sums over all entries, with the output padding ",
            MODULUS,
            ".",
        ),
        (GENERAL, "; a window fits; any a, b, g"),
        f"{GUIDE}, chapter 4",
        axes_of(_adjoint),
        (
            Check("the kernel turned in one of them", lambda: _adjoint(1, flip=True)),
            Check("without the output padding: what is left over is not reached", lambda: _adjoint(1, padded=False)),
        ),
    ),
    Theorem(
        "transposed-upsampled",
        "Transposed convolution is a correlation of the upsampled input",
        (
            M(
                r"\operatorname{conv}^{\mathsf T}(a) = \operatorname{pad}_{D(K-1)-P}(\operatorname{up}_S(a)) "
                r"\star_D \operatorname{rot}_{180}(b)",
                "convᵀ(a) = pad[D(K - 1) - P](up[S](a)) ⋆[dilation D] rot180(b)",
            ),
            ", with S - 1 zeros between the entries of a, and the output padding behind.",
        ),
        (
            M(r"I, K, S, D \geq 1,\; P, A \geq 0", "I, K, S, D ≥ 1, P, A ≥ 0"),
            "; an output is left, ",
            M(r"S(I-1) + D(K-1) + A \geq 2P", "S(I - 1) + D(K - 1) + A ≥ 2P"),
        ),
        f"{GUIDE}, chapter 4",
        axes_of(_upsampled),
        (
            Check("the kernel not turned", lambda: _upsampled(1, turned=False)),
            Check("without the zeros between", lambda: _upsampled(1, zeros=False)),
        ),
    ),
    Theorem(
        "fold-adjoint",
        "Folding is the adjoint of unfolding",
        (
            M(
                r"\langle g,\, \operatorname{unfold}(a) \rangle = \langle \operatorname{fold}(g),\, a \rangle",
                "⟨g, unfold(a)⟩ = ⟨fold(g), a⟩",
            ),
            ", both sums over all entries.",
        ),
        (GENERAL, "; a window fits; any a, g"),
        "PyTorch, Fold: what overlaps is added up",
        axes_of(_fold_adjoint),
        (
            Check("the image one place further", lambda: _fold_adjoint(1, 1)),
            Check("a stride of 1 in one of them", lambda: _fold_adjoint(1, stride=False)),
        ),
    ),
    Theorem(
        "im2col",
        "Convolution is a matrix product with the unfolded input",
        (
            M(r"c_{f,p} = \sum_{h,m} b_{f,h,m}\, u_{h,m,p},\quad", "c[f, p] = ∑(h, m) b[f, h, m]·u[h, m, p], "),
            PATCHES,
            ": rows f times columns p, summed over all (h, m).",
        ),
        (GENERAL, "; a window fits; any numbers of input and output channels"),
        "Chellapilla, Puri & Simard, High performance convolutional neural networks (2006)",
        axes_of(_matrix_product),
        (
            Check("the kernel turned", lambda: _matrix_product(1, turned=True)),
            Check("patches one place further", lambda: _matrix_product(1, move=1)),
        ),
    ),
    Theorem(
        "adaptive-average",
        "Where the sizes divide, adaptive average pooling is average pooling",
        (
            M(
                r"I = O K \implies \operatorname{adaptive}_O(a) = \operatorname{avg}_{K}(a)",
                "I = O K implies adaptive[O](a) = avg[K](a)",
            ),
            ", with windows and stride K.",
        ),
        (M(r"O, K \geq 1,\; I = O K", "O, K ≥ 1, I = O K"),),
        "PyTorch, AdaptiveAvgPool",
        axes_of(_adaptive),
        (Check("one entry left over", lambda: _adaptive(1, 1)),),
    ),
    Theorem(
        "global-average",
        "Global average pooling is the mean",
        (
            M(r"\operatorname{adaptive}_1(a) = \frac{1}{n} \sum_i a_i", "adaptive[1](a) = 1/n·∑(i) a[i]"),
            ", n the number of entries, and average pooling with a window as large as the input.",
        ),
        (M(r"I \geq 1", "I ≥ 1"), " on every axis"),
        "Lin, Chen & Yan, Network in network (arXiv 1312.4400)",
        (
            *axes_of(_global),
            *(Check(f"as a window, {c.what}", c.run) for c in axes_of(lambda n: _global(n, pooled=True))),
        ),
        (
            Check("one entry more", _one_more),
            Check("the mean of two adaptive averages", _mean_of_means),
        ),
    ),
)
