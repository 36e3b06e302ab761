"""Rules that sizes obey: transposed layers, layers after one another, SAME padding, adaptive windows, flattening."""

from __future__ import annotations

from typing import Literal

from symconv.derivations.theorems.building import V, every, integers, options, suppose
from symconv.derivations.theorems.proposition import AnyInteger, Condition, Iff, Let, Proposition, chain, same
from symconv.derivations.theorems.sizes import GUIDE, I, window
from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.formulas.algebra import Bound, scalar
from symconv.formulas.index import Index, ceiling, floor, minimum
from symconv.operators.transposed import ConvTranspose
from symconv.operators.window import Window

__all__ = ["THEOREMS"]

# ---------------------------------------------------------------------- layers after one another


def _transposed(w: Window, n: Index, extra: Index) -> Index:
    """The output size of the transposed convolution with this window."""
    op = ConvTranspose((w.kernel,), w.stride, ((w.before, w.after),), dilation=w.dilation)
    return op.count(0, n) + extra


def _least(*windows: Window, **sizes: int) -> dict[str, int]:
    """The least values of the sizes of windows, and of others."""
    least = dict(sizes)
    for w in windows:
        w.parameters(lambda name, low: least.__setitem__(name, low))
    return least


def _inverse(wrong: int = 0, *, limited: bool = True) -> Proposition:
    """The layer maps the transposed size back to n, for every output padding below the stride."""
    w, n, extra = window(), V("N"), V("A")
    given = (chain(extra, "<=", w.s - 1),) if limited else ()
    size = Let("I", (), scalar(_transposed(w, n, extra) + wrong))
    return Proposition(integers(_least(w, N=1, A=0), "NKSPD"), (every([], same(w.outputs(I), n)),), given, (size,))


def _every_input_size(below: int = 0) -> Proposition:
    """Every input size is the transposed size of the outputs, for one output padding below the stride and no other."""
    w, n, extra = window(), V("N"), V("A")
    count = Let("O", (), scalar(w.outputs(I)))
    rest = Let("B", (), scalar(w.room(I) - w.s * (V("O") - 1)))
    left = (same(I, _transposed(w, n, extra)), chain(extra, "<=", w.s - 1 - below))
    unique = Iff(left, (same(n, "O"), same(extra, "B")))
    return Proposition(
        integers(_least(w, I=1)),
        (every([AnyInteger("N", V(1)), AnyInteger("A", V(0))], unique), every([], chain(0, "<=", "B", "<=", w.s - 1))),
        tuple(suppose(fact) for fact in w.facts(I)),
        (count, rest),
    )


def _two_layers() -> tuple[Window, Window]:
    """Kernel K, stride S and padding P, then L, T and Q."""
    options_of = [tuple(axis[0] for axis in options(letters, 1)) for letters in ("KSP", "LTQ")]
    one, two = (Window(kernel, stride, pad, pad) for kernel, stride, pad in options_of)
    return one, two


FIELD = V("F")


def _field(first: Window, second: Window, wrong: int = 0, *, stride: bool = True) -> Let:
    """The span of what one output of the second layer sees."""
    step = first.s if stride else V(1)
    return Let("F", (), scalar(step * (second.k - 1) + first.k + wrong))


def _nested(wrong: int = 0, *, stride: bool = True) -> Proposition:
    first, second = _two_layers()
    outputs = Let("O", (), scalar(first.outputs(I)))
    before, behind = (one + first.s * two for one, two in zip(first.padding(I), second.padding(I), strict=True))
    whole = floor(I + before + behind - FIELD, first.s * second.s) + 1
    return Proposition(
        integers(_least(first, second, I=1), "IKLSTP"),
        (every([], same(second.outputs("O"), whole)),),
        tuple(suppose(fact) for fact in first.facts(I)),
        (outputs, _field(first, second, wrong, stride=stride)),
    )


def _tap_of_taps(first: Window, second: Window) -> tuple[Index, Index]:
    """What tap m of tap n of output p reads, and the first of these reads."""
    read = first.tap(second.tap("p", "n", I), "m", I)
    return read, read.subs({"n": 0, "m": 0})


def _field_reads(wrong: int = 0) -> Proposition:
    """The taps of the second layer's window lie in a span of the receptive field, and reach both its ends."""
    first, second = _two_layers()
    read, start = _tap_of_taps(first, second)
    last = read.subs({"n": second.k - 1, "m": first.k - 1})
    taps: list[Bound | AnyInteger] = [AnyInteger("p"), Bound("n", V(0), second.k - 1), Bound("m", V(0), first.k - 1)]
    span = chain(start, "<=", read, "<=", start + FIELD - 1)
    return Proposition(
        integers(_least(first, second), "KLSTP"),
        (every(taps, span), every([AnyInteger("p")], same(last, start + FIELD - 1))),
        (),
        (_field(first, second, wrong),),
    )


def _field_whole(*, condition: bool = True) -> Proposition:
    """Where the first stride is at most the first kernel, every input of the span is read by some tap."""
    first, second = _two_layers()
    n = minimum(second.k - 1, floor(V("x"), first.s))
    taps = every(
        [Bound("x", V(0), FIELD - 1)],
        chain(0, "<=", n, "<=", second.k - 1),
        chain(0, "<=", V("x") - first.s * n, "<=", first.k - 1),
    )
    given: tuple[Condition, ...] = (chain(first.s, "<=", first.k),) if condition else ()
    least = {name: low for name, low in _least(first, second).items() if name in "KLS"}
    return Proposition(integers(least, "KLS"), (taps,), given, (_field(first, second),))


# ---------------------------------------------------------------------- other rules


def _there(width: str = "W") -> Proposition:
    H, W, i, j = (V(name) for name in "HWij")
    flat = i * V(width) + j
    row = floor(flat, W)
    places = [Bound("i", V(0), H - 1), Bound("j", V(0), W - 1)]
    inside = chain(0, "<=", flat, "<=", H * W - 1)
    return Proposition(
        integers({"H": 1, "W": 1}, "HW"), (every(places, inside, same(row, i), same(flat - W * row, j)),)
    )


def _back(width: str = "W") -> Proposition:
    H, W, r = (V(name) for name in "HWr")
    row = floor(r, V(width))
    rows, columns = chain(0, "<=", row, "<=", H - 1), chain(0, "<=", r - W * row, "<=", W - 1)
    return Proposition(integers({"H": 1, "W": 1}, "HW"), (every([Bound("r", V(0), H * W - 1)], rows, columns),))


def _same_size(fit: Literal["same_upper", "same_lower"], less: int = 0) -> Proposition:
    (k, s, d) = (axis[0] for axis in options("KSD", 1))
    w = Window(k, s, dilation=d, fit=fit)
    total, half = V("T"), floor("T", 2)
    before, behind = (half, total - half) if fit == "same_upper" else (total - half, half)
    whole = w.padding(I)[0] + w.padding(I)[1]
    assert w.padding(I) == (before.subs({"T": whole}), behind.subs({"T": whole}))
    values = {"T": whole, "B": before, "A": behind - less}
    pads = tuple(Let(name, (), scalar(value)) for name, value in values.items())
    counts = floor(I + V("B") + V("A") - w.span, w.s) + 1
    return Proposition(integers(_least(w, I=1)), (every([], same(counts, w.outputs(I))),), (), pads)


def _adaptive(*, rounded_up: bool = True) -> Proposition:
    count, p = V("O"), V("p")
    end_of = ceiling if rounded_up else floor

    def first(o: Index) -> Index:
        return floor(o * I, count)

    last = end_of((p + 1) * I, count) - 1
    inside = chain(0, "<=", first(p), "<=", last, "<=", I - 1)
    no_gap = chain(first(p + 1), "<=", last + 1)
    return Proposition(integers({"I": 1, "O": 1}, "IO"), (every([Bound("p", V(0), count - 1)], inside, no_gap),))


THEOREMS = (
    Theorem(
        "transposed-size",
        "The transposed size inverts the output size, with one output padding below the stride for every input size",
        f"{GUIDE}, relationship 14",
        (
            Check("the layer gives the outputs back", _inverse()),
            Check("every input size has one output padding", _every_input_size()),
        ),
        (
            Check("one input fewer", _inverse(-1)),
            Check("any output padding", _inverse(limited=False)),
            Check("an output padding below the last", _every_input_size(1)),
        ),
    ),
    Theorem(
        "receptive-field",
        "Two layers have the size of one with their receptive field, which is the span of what one output sees",
        "Araujo, Norris & Sim, Computing Receptive Fields of Convolutional Neural Networks (Distill, 2019)",
        (
            Check("the sizes", _nested()),
            Check("the span", _field_reads()),
            Check("a span without holes", _field_whole()),
        ),
        (
            Check("a receptive field of one more", _nested(1)),
            Check("without the first stride", _nested(stride=False)),
            Check("one input fewer seen", _field_reads(-1)),
            Check("a span without holes for any stride", _field_whole(condition=False)),
        ),
    ),
    Theorem(
        "flattening",
        "Row-major flattening is a bijection",
        "Elementary: the order of ties, and of the rows and columns of a Jacobian",
        (Check("there", _there()), Check("back", _back())),
        (
            Check("the height instead of the width, there", _there("H")),
            Check("the height instead of the width, back", _back("H")),
        ),
    ),
    Theorem(
        "same-size",
        "Under SAME padding the output size is the input size over the stride, rounded up",
        "ONNX operator Conv, attribute auto_pad",
        (
            Check("the odd entry behind (SAME_UPPER)", _same_size("same_upper")),
            Check("the odd entry before (SAME_LOWER)", _same_size("same_lower")),
        ),
        (Check("a padding of one less", _same_size("same_upper", 1)),),
    ),
    Theorem(
        "adaptive-windows",
        "Adaptive windows lie in the input, are not empty and leave no gap",
        "PyTorch, AdaptiveAvgPool",
        (Check("ends, extent and neighbours", _adaptive()),),
        (Check("the end rounded down", _adaptive(rounded_up=False)),),
    ),
)
