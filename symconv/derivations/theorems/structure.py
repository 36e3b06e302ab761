"""The structure of convolutions: matrices, layers after one another, kernels that are dilated, turned or separable."""

from __future__ import annotations

from dataclasses import replace

from symconv.derivations.theorems.building import (
    V,
    at,
    axes_of,
    each_axis,
    every,
    image,
    layer,
    let_of,
    options,
    place,
    same_extents,
    setting,
    spread,
)
from symconv.derivations.theorems.proposition import (
    AnyInteger,
    AnyTensor,
    Let,
    Partial,
    Proposition,
    Relation,
    chain,
    same,
)
from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.formulas.algebra import Access, Bound, equal, product, summation
from symconv.operators.convolution import Conv
from symconv.operators.frame import numbered

__all__ = ["THEOREMS"]

GUIDE = "Dumoulin & Visin, A guide to convolution arithmetic (arXiv 1603.07285)"
BOOK = "Goodfellow, Bengio & Courville, Deep Learning"


def _array(proposition: Proposition, name: str) -> AnyTensor:
    return next(array for array in proposition.arrays if array.name == name)


# ---------------------------------------------------------------------- matrices


def _with_matrix(ndim: int) -> tuple[Proposition, AnyTensor, Let]:
    """A layer and its matrix T, the derivative of its output by its input."""
    output = layer(ndim).output()
    frame = setting(output)
    inputs = _array(frame, "a")
    places = tuple(V(b.name) for b in inputs.ranges)
    names = (*output.indices, *(b.name for b in inputs.ranges))
    matrix = Let("T", names, Partial(Access("c", place(output)), Access("a", places)), (*output.free, *inputs.ranges))
    return replace(frame, lets=(let_of(output), matrix)), inputs, matrix


def _matrix_form(ndim: int, *, transposed: bool = False) -> Proposition:
    """c = T a with T the derivative: sum over inputs of T[p, i] a[i]."""
    frame, inputs, matrix = _with_matrix(ndim)
    at_input = [V(b.name) for b in inputs.ranges]
    entry = Access("a", tuple(reversed(at_input)) if transposed else tuple(at_input))
    total = summation(product(at("T", *matrix.indices), entry), *inputs.ranges)
    free = matrix.ranges[:ndim]
    return replace(frame, clauses=(every(free, same(at("c", *(b.name for b in free)), total)),))


def _toeplitz(ndim: int, *, by_stride: bool = True, move: int = 1) -> Proposition:
    """T[p + 1, i + S] = T[p, i] on every axis, both places inside the matrix."""
    frame, _, matrix = _with_matrix(ndim)
    steps = [V(move)] * ndim + [S if by_stride else V(1) for (S,) in each_axis("S", ndim)]
    moved = at("T", *(V(name) + step for name, step in zip(matrix.indices, steps, strict=True)))
    inside = [chain(V(b.name) + step, "<=", b.upper) for b, step in zip(matrix.ranges, steps, strict=True)]
    return replace(frame, clauses=(every(matrix.ranges, same(moved, at("T", *matrix.indices)), given=inside),))


# ---------------------------------------------------------------------- layers after one another


def _composition(ndim: int, *, stride: bool = True, padded: bool = False) -> Proposition:
    """conv(conv(a, b), w) is one layer with kernel b correlated with w put S apart, its stride the product."""
    k, s, length, t, pad = options("KSLTP", ndim)
    one, two, pads = {"output": "c"}, {"input": "c", "weight": "w", "output": "y"}, pad if padded else (0,) * ndim
    first = Conv(k, s, tuple((p, p) for p in pads)).output(names=one)
    sizes = dict(zip(first.sizes, (b.upper + 1 for b in first.free), strict=True))
    second = image(Conv(length, t, tuple((p, p) for p in pads)).output(names=two), sizes)
    wide = tuple(s_ * (n - 1) + k_ for s_, n, k_ in zip(s, length, k, strict=True))
    strides = tuple(s_ * t_ for s_, t_ in zip(s, t, strict=True))
    around = tuple((p + s_ * p, p + s_ * p) for p, s_ in zip(pads, s, strict=True))
    whole = image(Conv(wide, strides, around).output(names={"weight": "z", "output": "y"}), {})
    axes = each_axis("KSL", ndim)
    taps, others, places = "mno"[:ndim], "stu"[:ndim], "xvw"[:ndim]
    entries = summation(
        product(at("b", *taps), at("w", *others)),
        *(Bound(n, V(0), L - 1) for n, (_, _, L) in zip(others, axes, strict=True)),
        *(Bound(m, V(0), K - 1) for m, (K, _, _) in zip(taps, axes, strict=True)),
        guards=[
            equal(x, (S if stride else V(1)) * V(n) + V(m))
            for x, n, m, (_, S, _) in zip(places, others, taps, axes, strict=True)
        ],
    )
    frame = setting(first, second, order="IKSLTP", defined=("c",))
    extents = [Bound(x, V(0), S * (L - 1) + K - 1) for x, (K, S, L) in zip(places, axes, strict=True)]
    return replace(
        frame,
        lets=(let_of(first, ranged=True), let_of(second), Let("z", tuple(places), entries, tuple(extents))),
        clauses=(
            *same_extents(second, whole),
            every(second.free, same(at("y", *second.indices), whole.body)),
        ),
    )


def _separable(*, padded_twice: bool = False) -> Proposition:
    """A kernel u[m] v[n] is two passes, one along each axis."""
    (K, L), (S, T), (P, Q), (D, F) = (tuple(a[0] for a in options(pair, 1)) for pair in ("KL", "ST", "PQ", "DF"))
    whole = Conv((K, L), (S, T), ((P, P), (Q, Q)), (D, F)).output(names={"weight": "z", "output": "y"})
    columns = Conv((K, 1), (S, 1), ((P, P), (Q, Q) if padded_twice else (0, 0)), (D, 1)).output(names={"weight": "r"})
    columns = image(columns, {})
    sizes = dict(zip(columns.sizes, (b.upper + 1 for b in columns.free), strict=True))
    rows = image(Conv((1, L), (1, T), ((0, 0), (Q, Q)), (1, F)).output(names={"input": "c", "weight": "l"}), sizes)
    frame = setting(whole, order="IKLSTPQDF", defined=("z",))
    factors = (AnyTensor("u", (Bound("m", V(0), V("K") - 1),)), AnyTensor("v", (Bound("n", V(0), V("L") - 1),)))
    kernels = (
        Let("z", ("m", "n"), product(at("u", "m"), at("v", "n"))),
        Let("r", ("m", "n"), at("u", "m")),
        Let("l", ("m", "n"), at("v", "n")),
    )
    return replace(
        frame,
        arrays=(*frame.arrays, *factors),
        lets=(*kernels, let_of(whole), let_of(columns, ranged=True)),
        clauses=(*same_extents(whole, rows), every(whole.free, same(at("y", *whole.indices), rows.body))),
    )


# ---------------------------------------------------------------------- kernels


def _dilation(ndim: int, *, apart: int = 0) -> Proposition:
    """A dilated layer is a plain one whose kernel has D - 1 zeros between its entries."""
    output = layer(ndim).output()
    K, S, P, D = options("KSPD", ndim)
    wide = tuple(d * (k - 1) + 1 for k, d in zip(K, D, strict=True))
    plain = image(Conv(wide, S, tuple((p, p) for p in P)).output(names={"weight": "z"}), {})
    kernels, steps = zip(*((K_, D_ + apart) for K_, D_ in each_axis("KD", ndim)), strict=True)
    return replace(
        setting(output),
        lets=(let_of(output), spread("z", "b", kernels, steps)),
        clauses=(
            *same_extents(output, plain),
            every(output.free, same(at("c", *output.indices), plain.body)),
        ),
    )


def _flip(ndim: int, move: int = 0) -> Proposition:
    """Convolution in the mathematician's sense is correlation with the kernel turned around."""
    flipped = layer(ndim, flip=True).output()
    plain = layer(ndim).output(names={"weight": "z"})
    places = "mno"[:ndim]
    turned = at("b", *(K - 1 - V(m) + move for m, (K,) in zip(places, each_axis("K", ndim), strict=True)))
    return replace(
        setting(flipped),
        lets=(let_of(flipped), Let("z", tuple(places), turned)),
        clauses=(every(flipped.free, same(at("c", *flipped.indices), plain.body)),),
    )


def _commutes(ndim: int, *, flip: bool = True) -> Proposition:
    """Full convolution, with every overlap of input and kernel counted, does not tell the two apart."""
    K, I = options("KI", ndim)  # noqa: E741
    left = Conv(K, padding=tuple((k - 1, k - 1) for k in K), flip=flip).output()
    swapped = {"input": "b", "weight": "a", "output": "y"}
    right = Conv(I, padding=tuple((i - 1, i - 1) for i in I), flip=flip).output(names=swapped)
    kernels = [V(name) for name in numbered("K", ndim)]
    right = image(right, dict(zip(right.sizes, kernels, strict=True)))
    frame = setting(left)
    return replace(
        frame,
        lets=(let_of(left), let_of(right)),
        clauses=(
            *same_extents(left, right),
            every(left.free, same(at("c", *left.indices), at("y", *left.indices))),
        ),
    )


# ---------------------------------------------------------------------- shifts


def _shift(ndim: int, *, by_stride: bool = True, inside: bool = True, ends: bool = True) -> Proposition:
    """Shifting the input by S t shifts the output by t, where the window lies inside the input before and after."""
    output = layer(ndim).output()
    frame = setting(output)
    inputs = _array(frame, "a")
    steps = [V(t) for t in numbered("t", ndim)]
    sizes = each_axis("IKSPD", ndim)
    strides = [S if by_stride else V(1) for (S,) in each_axis("S", ndim)]
    from_ = [V(b.name) + S * t for b, t, S in zip(inputs.ranges, steps, strides, strict=True)]
    moved = Let("z", tuple(b.name for b in inputs.ranges), Access("a", tuple(from_)), inputs.ranges)
    of_moved = let_of(layer(ndim).output(names={"input": "z", "output": "y"}))
    given: list[Relation] = []
    for b, t, (I, K, S, P, D) in zip(output.free, steps, sizes, strict=True):  # noqa: E741
        p = V(b.name)
        if ends:
            given.append(chain(0, "<=", p + t, "<=", b.upper))
        if inside:
            given.append(chain(0, "<=", S * p - P, "<=", I - 1 - D * (K - 1)))
    there = at("c", *(V(b.name) + t for b, t in zip(output.free, steps, strict=True)))
    ranges: list[Bound | AnyInteger] = [*output.free, *(AnyInteger(repr(t)) for t in steps)]
    return replace(
        frame,
        lets=(let_of(output, ranged=True), moved, of_moved),
        clauses=(every(ranges, same(at("y", *output.indices), there), given=given),),
    )


THEOREMS = (
    Theorem(
        "matrix-form",
        "A convolution is a matrix times the input",
        f"{GUIDE}, section 4.1",
        axes_of(_matrix_form),
        (Check("rows and columns of the input exchanged", _matrix_form(2, transposed=True)),),
    ),
    Theorem(
        "toeplitz",
        "The matrix of a convolution is Toeplitz, by strides",
        "Gray, Toeplitz and circulant matrices (2006)",
        axes_of(_toeplitz),
        (
            Check("one input further for every stride", _toeplitz(1, by_stride=False)),
            Check("the next output but one", _toeplitz(1, move=2)),
        ),
    ),
    Theorem(
        "composition",
        "Two convolutions without padding are one",
        "Elementary: convolution is associative",
        axes_of(_composition),
        (
            Check("without the stride between the entries of the second kernel", _composition(1, stride=False)),
            Check(
                "with padding: what the first layer writes beyond the border is cut off",
                _composition(1, padded=True),
            ),
        ),
    ),
    Theorem(
        "separable",
        "A separable kernel is two passes",
        "Elementary: the order of sums is free",
        (Check("two axes", _separable()),),
        (Check("the padding of the rows in both passes", _separable(padded_twice=True)),),
    ),
    Theorem(
        "dilation",
        "Dilation is a kernel with zeros between its entries",
        "Yu & Koltun, Multi-scale context aggregation by dilated convolutions (arXiv 1511.07122)",
        axes_of(_dilation),
        (Check("one zero too many between", _dilation(1, apart=1)),),
    ),
    Theorem(
        "flip",
        "Convolution is correlation with the kernel turned",
        f"{BOOK}, section 9.1",
        axes_of(_flip),
        (Check("turned around an entry one further", _flip(1, 1)),),
    ),
    Theorem(
        "commutative",
        "Full convolution is commutative",
        f"{BOOK}, section 9.1",
        axes_of(_commutes),
        (Check("correlation instead of convolution", _commutes(1, flip=False)),),
    ),
    Theorem(
        "shift-equivariance",
        "Away from the border, shifting the input by strides shifts the output by as many places",
        f"{BOOK}, section 9.2",
        axes_of(_shift),
        (
            Check("a shift without the stride", _shift(1, by_stride=False)),
            Check("at the border too", _shift(1, inside=False)),
            Check("beyond the last output", _shift(1, ends=False)),
        ),
    ),
)
