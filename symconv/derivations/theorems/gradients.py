"""The gradients of a convolution: closed forms, and the same read as convolutions again."""

from __future__ import annotations

from collections.abc import Callable

from symconv.derivations.theorems.building import (
    M,
    V,
    each_axis,
    fixed,
    image,
    options,
    scalar_formula,
    shifted,
    unsifted,
    with_entries,
)
from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.formulas.algebra import Access, Bound, Bracket, equal, nonnegative, product, substitute, summation
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.symbols import symbol
from symconv.operators.base import Variable
from symconv.operators.convolution import Conv
from symconv.proofs.prove import prove
from symconv.proofs.verdict import Verdict

__all__ = ["AXES", "GENERAL", "THEOREMS", "axes_of", "entries", "layer"]

GUIDE = "Dumoulin & Visin, A guide to convolution arithmetic (arXiv 1603.07285)"
AXES = ((1, "one axis"), (2, "two axes"))
BOOK = "Goodfellow, Bengio & Courville, Deep Learning, section 9.5"
GENERAL = M(r"I, K, S, D \geq 1,\; P \geq 0", "I, K, S, D ≥ 1, P ≥ 0")


def layer(ndim: int, *, flip: bool = False) -> Conv:
    """The general convolution layer: all sizes symbolic, of their own on every axis."""
    op: Conv = Conv((3,) * ndim, flip=flip).generic()
    return op


def axes_of(proof: Callable[[int], Verdict]) -> tuple[Check, ...]:
    """The same proof for one axis and for two."""

    def part(ndim: int) -> Callable[[], Verdict]:
        return lambda: proof(ndim)

    return tuple(Check(words, part(ndim)) for ndim, words in AXES)


def entries(formula: Formula) -> tuple[Index, ...]:
    """The free indices of a formula, as an index of a tensor."""
    return tuple(V(name) for name in formula.indices)


# ---------------------------------------------------------------------- closed forms


def _closed(ndim: int, wrt: Variable, move: int = 0, *, flip: bool = False) -> Verdict:
    """The derivative by the rules of differentiation is the closed form (of a layer that may turn its kernel)."""
    closed = layer(ndim, flip=flip).derivative(wrt)
    read = "b" if wrt == "input" else "a"
    return prove(unsifted(layer(ndim), wrt, "derivative"), image(shifted(closed, read, *(move,) * ndim)))


# ---------------------------------------------------------------------- gradients as convolutions


def _full(ndim: int, *, flip: bool = True, wider: int = 0, any_stride: bool = False) -> Verdict:
    """A layer of stride 1 over the upstream gradient, padded by D(K-1) - P, with the kernel turned."""
    gradient = layer(ndim).gradient("input")
    K, P, D = options("KPD", ndim)
    pads = tuple((d * (k - 1) - p + wider, d * (k - 1) - p - wider) for k, p, d in zip(K, P, D, strict=True))
    over = Conv(K, padding=pads, dilation=D, flip=flip).output(names={"input": "g"})
    outputs = dict(zip(over.sizes, (name for name, _ in gradient.definitions), strict=True))
    right = image(over, **outputs)
    if any_stride:  # its size is I at stride 1 only; entries beyond are not what is compared
        right = _on(right, gradient)
    return prove(gradient, right, assuming=() if any_stride else fixed("S", 1, ndim))


def _on(right: Formula, left: Formula) -> Formula:
    """The right-hand side on the indices of the left one."""
    env = {theirs: V(ours) for theirs, ours in zip(right.indices, left.indices, strict=True)}
    return left.with_body(substitute(right.body, env))


def _transposed(ndim: int, *, flip: bool = True, upsampled: bool = True, move: int = 0) -> Verdict:
    """The same over the upstream gradient with S - 1 zeros between its entries, and what is left over behind it."""
    gradient = layer(ndim).gradient("input")
    K, P, D, A = options("KPDA", ndim)
    pads = tuple((d * (k - 1) - p, d * (k - 1) - p + a) for k, p, d, a in zip(K, P, D, A, strict=True))
    over = Conv(K, padding=pads, dilation=D, flip=flip).output(names={"input": "z"})
    env: dict[str, Index] = {}
    places, bounds, guards = [], [], []
    for axis, (I, K_, S, P_, D_, O, A_) in enumerate(each_axis("IKSPDOA", ndim)):  # noqa: E741
        place, source = "xyw"[axis], "stw"[axis]
        env[over.sizes[axis]] = S * (O - 1) + 1 if upsampled else O
        env[str(A_)] = I + 2 * P_ - D_ * (K_ - 1) - 1 - S * (O - 1) if upsampled else I + 2 * P_ - D_ * (K_ - 1) - O
        places.append(place)
        bounds.append(Bound(source, V(0), O - 1))
        guards.append(equal(place, (S if upsampled else V(1)) * V(source) + move))
    zeros = summation(Access("g", tuple(V(b.name) for b in bounds)), *bounds, guards=guards)
    upstream = next(t for t in gradient.tensors if t.role == "upstream")
    right = with_entries(image(over, **env), "z", places, zeros, (upstream,))
    return prove(gradient, right)


def _exchanged(ndim: int, *, exchange: bool = True, cropped: bool = True) -> Verdict:
    """The input under the upstream gradient as kernel, stride and dilation exchanged, what is left over cropped."""
    gradient = layer(ndim).gradient("weight")
    O, S, D, P, A = options("OSDPA", ndim)  # noqa: E741
    pads = tuple((p, p - a) for p, a in zip(P, A, strict=True))
    stride, dilation = (D, S) if exchange else (S, D)
    over = Conv(O, stride, pads, dilation).output(names={"weight": "g"})
    env: dict[str, Index] = {}
    for I, K, S_, P_, D_, O_, A_ in each_axis("IKSPDOA", ndim):  # noqa: E741
        env[str(A_)] = I + 2 * P_ - D_ * (K - 1) - 1 - S_ * (O_ - 1) if cropped else V(0)
    right = image(over, **env)
    return prove(gradient, right if exchange else _on(right, gradient))


def _bias(*, channels: bool = True) -> Verdict:
    """The gradient by a bias is the sum of the upstream gradient over its output channel."""
    many = {name: symbol(letter, positive=True) for name, letter in (("in_channels", "C"), ("out_channels", "F"))}
    op: Conv = Conv((3,), bias=True, **many).generic()
    gradient = op.gradient("bias")
    (own,) = gradient.indices
    channel, place = op.output().free
    entry = Access("g", (V(own if channels else channel.name), V(place.name)))
    total = summation(entry, *(() if channels else (channel,)), place)
    return prove(gradient, gradient.with_body(total), assuming=[nonnegative(V(letter) - 1) for letter in "CF"])


def _all_ones(ndim: int, *, wider: int = 0, dilation: bool = True) -> Verdict:
    """With all-ones upstream the gradient is the kernel, zeros put in and around it, under an array of ones."""
    gradient = layer(ndim).gradient("input")
    upstream = next(t for t in gradient.tensors if t.role == "upstream")
    names = tuple("xyw"[:ndim])
    inside = Bracket(
        tuple(g for n, (low, high) in zip(names, upstream.box, strict=True) for g in Bound(n, low, high).guards())
    )
    left = with_entries(gradient, "g", names, inside)
    O, S, B, F = options("OSBF", ndim)  # noqa: E741
    over = Conv(O, padding=tuple(zip(B, F, strict=True)), dilation=S, flip=True).output(
        names={"input": "z", "weight": "e"}
    )
    env: dict[str, Index] = {}
    bounds, guards = [], []
    for axis, (I, K, S_, P, D, O_, B_, F_) in enumerate(each_axis("IKSPDOBF", ndim)):  # noqa: E741
        source = "st"[axis]
        env[over.sizes[axis]] = D * (K - 1) + 1
        env[str(B_)] = S_ * (O_ - 1) - P + wider
        env[str(F_)] = I - 1 - D * (K - 1) + P - wider  # so that the result has the size of the input
        bounds.append(Bound(source, V(0), K - 1))
        guards.append(equal(names[axis], (D if dilation else V(1)) * V(source)))
    zeros = summation(Access("b", tuple(V(b.name) for b in bounds)), *bounds, guards=guards)
    right = image(over, **env)
    ones = Bracket(
        tuple(g for n, (low, high) in zip(names, upstream.box, strict=True) for g in Bound(n, low, high).guards())
    )
    kernel = next(t for t in gradient.tensors if t.role == "weight")
    right = with_entries(with_entries(right, "e", names, ones), "z", names, zeros, (kernel,))
    return prove(left, right)


def _adjoint(ndim: int, move: int = 0) -> Verdict:
    """<g, conv a> = <gradient of g, a>, both as sums over all entries."""
    op = layer(ndim)
    output, gradient = op.output(), op.gradient("input")
    upstream = Access("g", entries(output))
    left = summation(product(upstream, output.body), *output.free)
    moved = Access("a", tuple(e + move for e in entries(gradient)))
    right = summation(product(gradient.body, moved), *gradient.free)
    return prove(scalar_formula(gradient, left), scalar_formula(gradient, right))


CLOSED_INPUT = M(
    r"\frac{\partial c_p}{\partial a_i} = "
    r"\begin{cases} b_{(i - Sp + P)/D} & D \mid i - Sp + P \\ 0 & \text{else} \end{cases}",
    "∂c[p]/∂a[i] = b[(i - S p + P)/D] where D divides i - S p + P, else 0",
)
FULL = M(
    r"\frac{\partial E}{\partial a} = \operatorname{pad}_{D(K-1)-P}(g) \star_D \operatorname{rot}_{180}(b)",
    "∂E/∂a = pad[D(K - 1) - P](g) ⋆[dilation D] rot180(b)",
)
TRANSPOSED = M(
    r"\frac{\partial E}{\partial a} = "
    r"\operatorname{pad}_{D(K-1)-P}(\operatorname{up}_S(g)) \star_D \operatorname{rot}_{180}(b)",
    "∂E/∂a = pad[D(K - 1) - P](up[S](g)) ⋆[dilation D] rot180(b)",
)
EXCHANGED = M(
    r"\frac{\partial E}{\partial b} = \operatorname{pad}_P(a) \star_{\text{stride } D,\, \text{dilation } S} g",
    "∂E/∂b = pad[P](a) ⋆[stride D, dilation S] g",
)

THEOREMS = (
    Theorem(
        "input-derivative",
        "The derivative of an output by an input",
        (CLOSED_INPUT, ", b zero outside its box."),
        (GENERAL, "; a window fits"),
        BOOK,
        axes_of(lambda ndim: _closed(ndim, "input")),
        (
            Check("an index of one more", lambda: _closed(1, "input", 1)),
            Check("the kernel turned", lambda: _closed(2, "input", flip=True)),
        ),
    ),
    Theorem(
        "weight-derivative",
        "The derivative of an output by a kernel entry",
        (
            M(r"\frac{\partial c_p}{\partial b_m} = a_{Sp + Dm - P}", "∂c[p]/∂b[m] = a[S p + D m - P]"),
            ", a zero outside its box.",
        ),
        (GENERAL, "; a window fits"),
        BOOK,
        axes_of(lambda ndim: _closed(ndim, "weight")),
        (
            Check("an index of one more", lambda: _closed(1, "weight", 1)),
            Check("the kernel turned", lambda: _closed(2, "weight", flip=True)),
        ),
    ),
    Theorem(
        "input-gradient-full",
        "The gradient by the input is a full correlation with the kernel turned by 180 degrees",
        (FULL, "; for P = 0 and D = 1 the padding is K - 1."),
        (
            M(r"S = 1,\; I, K, D \geq 1,\; P \geq 0", "S = 1, I, K, D ≥ 1, P ≥ 0"),
            "; a window fits; any upstream gradient g",
        ),
        f"{GUIDE}, chapter 4",
        axes_of(_full),
        (
            Check("the kernel not turned", lambda: _full(2, flip=False)),
            Check("a padding of one more before, one less behind", lambda: _full(1, wider=1)),
            Check("any stride", lambda: _full(1, any_stride=True)),
        ),
    ),
    Theorem(
        "input-gradient-transposed",
        "The gradient by the input is the transposed convolution of the upstream gradient",
        (
            TRANSPOSED,
            ", with S - 1 zeros between the entries of g, and behind them a further padding of ",
            M(r"(I + 2P - D(K-1) - 1) \bmod S", "(I + 2P - D(K - 1) - 1) mod S"),
            ".",
        ),
        (GENERAL, "; a window fits; any upstream gradient g"),
        f"{GUIDE}, chapter 4",
        axes_of(_transposed),
        (
            Check("the kernel not turned", lambda: _transposed(1, flip=False)),
            Check("without the zeros between", lambda: _transposed(1, upsampled=False)),
            Check("every entry one place later", lambda: _transposed(1, move=1)),
        ),
    ),
    Theorem(
        "weight-gradient",
        "The gradient by the kernel is a convolution with stride and dilation exchanged",
        (
            EXCHANGED,
            ", the last ",
            M(r"(I + 2P - D(K-1) - 1) \bmod S", "(I + 2P - D(K - 1) - 1) mod S"),
            " entries of the padded input left out.",
        ),
        (GENERAL, "; a window fits; any upstream gradient g"),
        BOOK,
        axes_of(_exchanged),
        (
            Check("stride and dilation not exchanged", lambda: _exchanged(1, exchange=False)),
            Check("nothing left out", lambda: _exchanged(1, cropped=False)),
        ),
    ),
    Theorem(
        "bias-gradient",
        "The gradient by a bias is the sum of the upstream gradient",
        (M(r"\frac{\partial E}{\partial d_f} = \sum_p g_{f,p}", "∂E/∂d[f] = ∑(p) g[f, p]"),),
        (GENERAL, "; a window fits; any numbers of input and output channels"),
        BOOK,
        (Check("one sum a channel", _bias),),
        (Check("summed over the channels too", lambda: _bias(channels=False)),),
    ),
    Theorem(
        "all-ones-gradient",
        "For the all-ones upstream gradient the kernel itself is slid over by ones",
        (
            M(
                r"\frac{\partial E}{\partial a} = "
                r"\operatorname{pad}_{S(O-1)-P}(\operatorname{up}_D(b)) \star_S \mathbf{1}_O",
                "∂E/∂a = pad[S(O - 1) - P](up[D](b)) ⋆[dilation S] ones(O)",
            ),
            " (padded behind up to the size of the input); for S = D = 1 and P = 0 the padding is O - 1.",
        ),
        (GENERAL, "; a window fits; every upstream entry is 1"),
        "Elementary: kernel and upstream gradient change places in the transposed convolution",
        axes_of(_all_ones),
        (
            Check("a padding of one more before", lambda: _all_ones(1, wider=1)),
            Check("without the zeros between", lambda: _all_ones(1, dilation=False)),
        ),
    ),
    Theorem(
        "adjoint",
        "The gradient is the adjoint of the layer",
        (
            M(r"\langle g,\, a \star b \rangle = \langle \nabla_a E(g),\, a \rangle", "⟨g, a ⋆ b⟩ = ⟨∇E(g), a⟩"),
            ", both sums over all entries.",
        ),
        (GENERAL, "; a window fits; any a, b, g"),
        "Claerbout, Earth Soundings Analysis (1992), the dot-product test of adjoints",
        axes_of(_adjoint),
        (Check("the input one place further", lambda: _adjoint(1, 1)),),
    ),
)
