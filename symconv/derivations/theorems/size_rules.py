"""Rules that sizes obey: transposed layers, layers after one another, SAME padding, adaptive windows, flattening."""

from __future__ import annotations

from symconv.derivations.theorems.building import M, V, options
from symconv.derivations.theorems.sizes import FITS, GUIDE, PLACE, SIZES, positive, window
from symconv.derivations.theorems.theorem import Check, Theorem, all_of
from symconv.formulas.algebra import between, equal, nonnegative
from symconv.formulas.index import Index, ceiling, floor
from symconv.operators.transposed import ConvTranspose
from symconv.operators.window import Window
from symconv.proofs.goals import prove_goal
from symconv.proofs.verdict import Verdict

__all__ = ["THEOREMS"]

# ---------------------------------------------------------------------- layers after one another


def _transposed(w: Window, n: Index, extra: Index) -> Index:
    """The output size of the transposed convolution with this window."""
    op = ConvTranspose((w.kernel,), w.stride, ((w.before, w.after),), dilation=w.dilation)
    return op.count(0, n) + extra


def _inverse(wrong: int = 0, *, bounded: bool = True) -> Verdict:
    """The layer maps the transposed size back to n, for every output padding below the stride."""
    w, n, extra = window(), V("N"), V("A")
    given = [*positive("N", "K", "S", "P", "D"), nonnegative(extra)]
    if bounded:
        given.append(nonnegative(w.s - 1 - extra))
    return prove_goal(given, (equal(w.outputs(_transposed(w, n, extra) + wrong), n),), order=("N", *SIZES))


def _every_input_size(extra_below: int = 0) -> Verdict:
    """Every input size is the transposed size for one output padding below the stride."""
    w, n = window(), V("I")
    given = (*positive(*SIZES), *w.facts(n))
    count = w.outputs(n)
    extra = w.room(n) - w.s * (count - 1)
    return prove_goal(
        given,
        (*between(0, extra, w.s - 1 - extra_below), equal(_transposed(w, count, extra), n)),
        order=SIZES,
    )


def _two_layers() -> tuple[Window, Window]:
    """Kernel K, stride S and padding P, then L, T and Q."""
    options_of = [tuple(axis[0] for axis in options(letters, 1)) for letters in ("KSP", "LTQ")]
    one, two = (Window(kernel, stride, pad, pad) for kernel, stride, pad in options_of)
    return one, two


def _nested(wrong: int = 0, *, stride: bool = True) -> Verdict:
    first, second = _two_layers()
    n = V("I")
    K, S, P, L, T, Q = (V(name) for name in "KSPLTQ")
    given = (*positive("I", "K", "S", "P", "L", "T"), nonnegative(Q), *first.facts(n))
    field = S * (L - 1) + K + wrong if stride else L - 1 + K + wrong
    whole = floor(n + 2 * P + 2 * S * Q - field, S * T) + 1
    return prove_goal(given, (equal(second.outputs(first.outputs(n)), whole),), order=("I", "K", "L", "S", "T", "P"))


def _field_reads(wrong: int = 0) -> Verdict:
    """The taps of the second layer's window reach the inputs S T p - P - S Q and up to the receptive field further."""
    first, second = _two_layers()
    n = V("I")
    K, S, P, L, T, Q = (V(name) for name in "KSPLTQ")
    given = (*positive("I", "K", "S", "P", "L", "T"), nonnegative(Q), *between(0, "n", L - 1), *between(0, "m", K - 1))
    read = first.tap(second.tap(PLACE, "n", n), "m", n)
    start = S * T * PLACE - P - S * Q
    return prove_goal(given, between(start, read, start + S * (L - 1) + K - 1 + wrong), order=("I", "K", "L", "S", "T"))


# ---------------------------------------------------------------------- other rules


def _flat(width: str = "W") -> tuple[Verdict, Verdict]:
    H, W, i, j, r = (V(name) for name in "HWijr")
    sizes = (nonnegative(H - 1), nonnegative(W - 1))
    inside = (*sizes, *between(0, i, H - 1), *between(0, j, W - 1))
    flat = i * V(width) + j
    there = prove_goal(
        inside,
        (*between(0, flat, H * W - 1), equal(floor(flat, W), i), equal(flat - W * floor(flat, W), j)),
        order="HW",
    )
    row = floor(r, V(width))
    back = prove_goal(
        (*sizes, *between(0, r, H * W - 1)), (*between(0, row, H - 1), *between(0, r - W * row, W - 1)), order="HW"
    )
    return there, back


def _same_size(total_less: int = 0) -> Verdict:
    (k, s, d) = (axis[0] for axis in options("KSD", 1))
    n = V("I")
    checks = []
    for fit in ("same_upper", "same_lower"):
        w = Window(k, s, dilation=d, fit="same_upper" if fit == "same_upper" else "same_lower")
        before, behind = w.padding(n)
        counts = floor(n + before + behind - total_less - w.span, w.s) + 1
        checks.append(prove_goal(positive("I", "K", "S", "D"), (equal(counts, w.outputs(n)),), order=SIZES))
    return all_of(checks)


def _adaptive(*, rounded_up: bool = True) -> Verdict:
    n, count, place = V("I"), V("O"), PLACE
    given = (*positive("I", "O"), *between(0, place, count - 1))

    def first(o: Index) -> Index:
        return floor(o * n, count)

    def end(o: Index) -> Index:
        return (ceiling if rounded_up else floor)((o + 1) * n, count)

    goals = (
        nonnegative(first(place)),
        nonnegative(end(place) - 1 - first(place)),
        nonnegative(n - end(place)),
        nonnegative(end(place) - first(place + 1)),
    )
    return prove_goal(given, goals, order=("I", "O"))


THEOREMS = (
    Theorem(
        "transposed-size",
        "The transposed size inverts the output size",
        (
            "A layer maps an input of size ",
            M(r"S(N - 1) + D(K-1) + 1 + A - 2P", "S(N - 1) + D(K - 1) + 1 + A - 2P"),
            " to N outputs, for every output padding A below S; every input size is of this form, for exactly one A.",
        ),
        (
            M(r"N, K, S, D \geq 1,\; P \geq 0,\; 0 \leq A < S", "N, K, S, D ≥ 1, P ≥ 0, 0 ≤ A < S"),
            "; for the second half ",
            FITS,
        ),
        f"{GUIDE}, relationship 14",
        (
            Check("the layer gives N outputs back", _inverse),
            Check("every input size has its output padding", _every_input_size),
        ),
        (
            Check("one input fewer", lambda: _inverse(-1)),
            Check("any output padding", lambda: _inverse(bounded=False)),
            Check("an output padding below S - 1", lambda: _every_input_size(1)),
        ),
    ),
    Theorem(
        "receptive-field",
        "Two layers have the size of one with their receptive field",
        (
            M(
                r"\left\lfloor \frac{O_1 + 2Q - L}{T} \right\rfloor + 1 = "
                r"\left\lfloor \frac{I + 2P + 2SQ - (S(L-1) + K)}{ST} \right\rfloor + 1",
                "⌊(O1 + 2Q - L)/T⌋ + 1 = ⌊(I + 2P + 2SQ - (S(L - 1) + K))/(ST)⌋ + 1",
            ),
            " for ",
            M(r"O_1 = \left\lfloor \frac{I + 2P - K}{S} \right\rfloor + 1", "O1 = ⌊(I + 2P - K)/S⌋ + 1"),
            ", and one output sees ",
            M(r"S(L-1) + K", "S(L - 1) + K"),
            " neighbouring inputs.",
        ),
        (
            M(r"I, K, S, L, T \geq 1,\; P, Q \geq 0", "I, K, S, L, T ≥ 1, P, Q ≥ 0"),
            "; a window of the first layer fits",
        ),
        "Araujo, Norris & Sim, Computing Receptive Fields of Convolutional Neural Networks (Distill, 2019)",
        (Check("the sizes", _nested), Check("the inputs that are seen", _field_reads)),
        (
            Check("a receptive field of one more", lambda: _nested(1)),
            Check("without the first stride", lambda: _nested(stride=False)),
            Check("one input fewer seen", lambda: _field_reads(-1)),
        ),
    ),
    Theorem(
        "flattening",
        "Row-major flattening is a bijection",
        (
            M(r"(i, j) \mapsto r = W i + j", "(i, j) ↦ r = W i + j"),
            " maps the H x W places one to one onto 0 .. HW - 1; back: ",
            M(r"i = \lfloor r / W \rfloor,\; j = r - W i", "i = ⌊r/W⌋, j = r - W i"),
            ".",
        ),
        (M(r"H, W \geq 1", "H, W ≥ 1"),),
        "Elementary: the order of ties, and of the rows and columns of a Jacobian",
        (Check("there", lambda: _flat()[0]), Check("back", lambda: _flat()[1])),
        (
            Check("the height instead of the width, there", lambda: _flat("H")[0]),
            Check("the height instead of the width, back", lambda: _flat("H")[1]),
        ),
    ),
    Theorem(
        "same-size",
        "SAME padding gives ⌈I/S⌉ outputs",
        (
            M(
                r"\left\lfloor \frac{I + T - D(K-1) - 1}{S} \right\rfloor + 1 = \left\lceil \frac{I}{S} \right\rceil,"
                r"\quad T = \max\left(0,\; S \lceil \tfrac{I}{S} \rceil - S + D(K-1) + 1 - I\right)",
                "⌊(I + T - D(K - 1) - 1)/S⌋ + 1 = ⌈I/S⌉, T = max(0, S ⌈I/S⌉ - S + D(K - 1) + 1 - I)",
            ),
        ),
        (
            M(r"I, K, S, D \geq 1", "I, K, S, D ≥ 1"),
            "; the odd entry of T after the input (UPPER) or before it (LOWER)",
        ),
        "ONNX operator Conv, attribute auto_pad",
        (Check("UPPER and LOWER", _same_size),),
        (Check("a padding of one less", lambda: _same_size(1)),),
    ),
    Theorem(
        "adaptive-windows",
        "Adaptive windows are not empty and leave no gap",
        (
            "The windows ",
            M(
                r"\lfloor p I / O \rfloor \,..\, \lceil (p+1) I / O \rceil - 1",
                "⌊p I/O⌋ .. ⌈(p + 1) I/O⌉ - 1",
            ),
            " lie in 0 .. I - 1, each covers an entry, and the next one starts at the end of each at the latest.",
        ),
        (M(r"I, O \geq 1,\; 0 \leq p < O", "I, O ≥ 1, 0 ≤ p < O"),),
        "PyTorch, AdaptiveAvgPool",
        (Check("ends, extent and neighbours", _adaptive),),
        (Check("the end rounded down", lambda: _adaptive(rounded_up=False)),),
    ),
)
