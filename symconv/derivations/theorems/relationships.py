"""The fifteen relationships of Dumoulin & Visin's guide, with the side conditions that they need.

i and o are the input and output size, i' and o' those of the transposed layer; k, s, p and d as in the guide. A
relationship is proved as what it counts: the places where a window fits are exactly the first o. A transposed layer is
a layer of stride 1 and padding p' = k - p - 1 over its input with s - 1 zeros between the entries; its relationships
hold in two senses, that this layer has o' outputs, and that o' is the input size of the layer that it transposes.
"""

from __future__ import annotations

from collections.abc import Callable

from symconv.derivations.step import Maths, Phrase
from symconv.derivations.theorems.building import M, V
from symconv.derivations.theorems.sizes import counted, fitting
from symconv.derivations.theorems.theorem import Check, Theorem, all_of
from symconv.formulas.algebra import Guard, divides, equal, nonnegative
from symconv.formulas.index import Index, floor
from symconv.formulas.symbols import symbol
from symconv.operators.convolution import Conv
from symconv.operators.pooling import MaxPool
from symconv.operators.window import Window
from symconv.proofs.goals import prove_goal
from symconv.proofs.verdict import Verdict

__all__ = ["THEOREMS"]

ORDER = ("i'", "i", "k", "s", "p", "d", "n")
PLACE = V("q")
i, k, s, p, d, a, small = (V(name) for name in ("i", "k", "s", "p", "d", "a", "i'"))

# What each relationship says of an input of size n: the number of outputs; from 8 on of the transposed layer, with a
# left over behind the input.
TOTALS: dict[int, Callable[[Index, Index], Index]] = {
    1: lambda n, _: n - k + 1,
    2: lambda n, _: n - k + 2 * p + 1,
    3: lambda n, _: n,
    4: lambda n, _: n + (k - 1),
    5: lambda n, _: floor(n - k, s) + 1,
    6: lambda n, _: floor(n + 2 * p - k, s) + 1,
    7: lambda n, _: floor(n - k, s) + 1,
    8: lambda n, _: n + (k - 1),
    9: lambda n, _: n + (k - 1) - 2 * p,
    10: lambda n, _: n,
    11: lambda n, _: n - (k - 1),
    12: lambda n, _: s * (n - 1) + k,
    13: lambda n, _: s * (n - 1) + k - 2 * p,
    14: lambda n, left_over: s * (n - 1) + left_over + k - 2 * p,
    15: lambda n, _: floor(n + 2 * p - k - (k - 1) * (d - 1), s) + 1,
}


def _window(number: int, condition: bool) -> Window:
    """The layer of a relationship; without its side condition where `condition` is False."""
    K, S, P, D, N = (symbol(name, **{"nonnegative" if name in "pn" else "positive": True}) for name in "kspdn")
    layers = {
        1: Window(K, 1 if condition else S),
        2: Window(K, 1 if condition else S, P, P),
        3: Window(2 * N + 1, 1, N, N) if condition else Window(K, 1, P, P),
        4: Window(K, 1, K - 1, K - 1) if condition else Window(K, 1, P, P),
        5: Window(K, S) if condition else Window(K, S, P, P),
        6: Window(K, S, P, P),
        7: MaxPool((K,), S).windows[0],
        8: Window(K),
        9: Window(K, 1, P, P),
        12: Window(K, S),
        15: Conv((K,), S, P, D).windows[0],
    }
    return layers[{10: 3, 11: 4, 13: 6, 14: 6}.get(number, number)]


def _sizes(window: Window, size: Index) -> tuple[Guard, ...]:
    """Every size at least 1, every padding at least 0."""
    least: dict[str, int] = {}
    window.parameters(lambda name, low: least.__setitem__(name, low))
    return (nonnegative(size - 1), *(nonnegative(V(name) - low) for name, low in least.items()))


def _layer(number: int, *, wrong: int = 0, condition: bool = True) -> Verdict:
    """The places where a window fits are the first `total`, and the operator's own formula says so too."""
    window = _window(number, condition)
    given = (*_sizes(window, i), *window.facts(i))
    total = TOTALS[number](i, V(0)) + wrong
    return all_of(
        (
            counted(given, (fitting(window, i, PLACE),), total, ORDER, PLACE),
            prove_goal(given, (equal(window.outputs(i), total),), order=ORDER),
        )
    )


def _transposed(number: int, *, wrong: int = 0, condition: bool = True) -> Verdict:
    """The layer of stride 1 over the stretched input, padded by k - p - 1, has o' places where its window fits."""
    forward = _window(number, condition)
    kernel, behind = forward.kernel, forward.kernel - forward.after - 1
    extra, given = V(0), _sizes(forward, small)
    if number == 14:
        extra = a
        behind = behind + symbol("a", nonnegative=True)
        given = (*given, nonnegative(a), nonnegative(forward.s - 1 - a))
    window = Window(kernel, 1, kernel - forward.before - 1, behind)
    stretched = forward.s * (small - 1) + 1
    total = TOTALS[number](small, extra) + wrong
    return counted((*given, *window.facts(stretched)), (fitting(window, stretched, PLACE),), total, ORDER, PLACE)


def _inverse(number: int, *, wrong: int = 0, condition: bool = True) -> Verdict:
    """o' is i where i' is the output size of the layer that is transposed, and a what it leaves over."""
    window = _window(number, condition)
    room = window.room(i)
    given = (*_sizes(window, i), *window.facts(i), equal(small, window.outputs(i)))
    if number in (12, 13) and condition:
        given = (*given, divides(s, room))
    if number == 14:
        given = (*given, equal(a, room - s * floor(room, s) if condition else 0))
    return prove_goal(given, (equal(TOTALS[number](small, a) + wrong, i),), order=ORDER)


# ---------------------------------------------------------------------- the table


def _guide(number: int) -> str:
    return f"Dumoulin & Visin, A guide to convolution arithmetic (arXiv 1603.07285), relationship {number}"


def _first(number: int, statement: Maths, condition: Phrase, words: str, *slips: Check) -> Theorem:
    """A relationship of a layer."""
    return Theorem(
        f"relationship-{number}",
        words,
        (statement,),
        (*condition, *SIZES, "; a window fits"),
        _guide(number),
        (Check("the places where a window fits are the first o", lambda: _layer(number)),),
        (
            Check("one more", lambda: _layer(number, wrong=1)),
            Check("one fewer", lambda: _layer(number, wrong=-1)),
            *slips,
        ),
    )


def _second(number: int, statement: Maths, condition: Phrase, words: str, *slips: Check) -> Theorem:
    """A relationship of a transposed layer."""
    return Theorem(
        f"relationship-{number}",
        words,
        (statement,),
        (*condition, *SIZES, "; the transposed layer has an output, and for the inverse a window of the layer fits"),
        _guide(number),
        (
            Check("the layer over the stretched input has o' outputs", lambda: _transposed(number)),
            Check("o' is the input size of the layer with i' outputs", lambda: _inverse(number)),
        ),
        (
            Check("one more", lambda: _transposed(number, wrong=1)),
            Check("one fewer", lambda: _inverse(number, wrong=-1)),
            *slips,
        ),
    )


def _divisible() -> Verdict:
    """The claim that the stride always divides."""
    window = _window(6, True)
    return prove_goal((*_sizes(window, i), *window.facts(i)), (divides(s, window.room(i)),), order=ORDER)


def _without(number: int, words: str) -> Check:
    return Check(words, lambda: _layer(number, condition=False))


def _back_without(number: int, words: str) -> Check:
    return Check(words, lambda: _inverse(number, condition=False))


FLOOR_5 = M(r"o = \left\lfloor \frac{i - k}{s} \right\rfloor + 1", "o = ⌊(i - k)/s⌋ + 1")
FLOOR_6 = M(r"o = \left\lfloor \frac{i + 2p - k}{s} \right\rfloor + 1", "o = ⌊(i + 2p - k)/s⌋ + 1")
FLOOR_15 = M(
    r"o = \left\lfloor \frac{i + 2p - k - (k-1)(d-1)}{s} \right\rfloor + 1", "o = ⌊(i + 2p - k - (k - 1)(d - 1))/s⌋ + 1"
)
SIZES = ("; sizes and strides ", M(r"\geq 1", "≥ 1"), ", paddings ", M(r"\geq 0", "≥ 0"))
PADDING = (
    "; p' = k - p - 1 is a padding only for ",
    M(r"p \leq k - 1", "p ≤ k - 1"),
    ", which the guide does not say; the sizes agree without it",
)

THEOREMS = (
    _first(
        1,
        M(r"o = i - k + 1", "o = i - k + 1"),
        (M(r"s = 1,\; p = 0", "s = 1, p = 0"),),
        "No padding, unit strides",
        _without(1, "any stride"),
    ),
    _first(
        2,
        M(r"o = i - k + 2p + 1", "o = i - k + 2p + 1"),
        (M(r"s = 1,\; p \geq 0", "s = 1, p ≥ 0"),),
        "Padding, unit strides",
        _without(2, "any stride"),
    ),
    _first(
        3,
        M(r"o = i", "o = i"),
        (M(r"s = 1,\; k = 2n + 1,\; p = n", "s = 1, k = 2n + 1, p = n"),),
        "Half padding",
        _without(3, "any kernel and padding"),
    ),
    _first(
        4,
        M(r"o = i + (k - 1)", "o = i + (k - 1)"),
        (M(r"s = 1,\; p = k - 1", "s = 1, p = k - 1"),),
        "Full padding",
        _without(4, "any padding"),
    ),
    _first(5, FLOOR_5, (M(r"p = 0,\; s \geq 1", "p = 0, s ≥ 1"),), "No padding, strides", _without(5, "any padding")),
    _first(
        6,
        FLOOR_6,
        (M(r"p \geq 0,\; s \geq 1", "p ≥ 0, s ≥ 1"),),
        "Padding and strides",
        Check(
            "without the floor: s divides i + 2p - k",
            _divisible,
        ),
    ),
    _first(7, FLOOR_5, (M(r"p = 0,\; s \geq 1", "p = 0, s ≥ 1"),), "Pooling"),
    _second(
        8,
        M(r"o' = i' + (k - 1)", "o' = i' + (k - 1)"),
        (M(r"s = 1,\; p = 0;\; k' = k,\; s' = 1,\; p' = k - 1", "s = 1, p = 0; k' = k, s' = 1, p' = k - 1"),),
        "Transposed: no padding, unit strides",
    ),
    _second(
        9,
        M(r"o' = i' + (k - 1) - 2p", "o' = i' + (k - 1) - 2p"),
        (M(r"s = 1;\; k' = k,\; s' = 1,\; p' = k - p - 1", "s = 1; k' = k, s' = 1, p' = k - p - 1"), *PADDING),
        "Transposed: padding, unit strides",
    ),
    _second(
        10,
        M(r"o' = i'", "o' = i'"),
        (M(r"s = 1,\; k = 2n + 1,\; p = n;\; p' = n", "s = 1, k = 2n + 1, p = n; p' = n"),),
        "Transposed: half padding",
        _back_without(10, "any kernel and padding"),
    ),
    _second(
        11,
        M(r"o' = i' - (k - 1)", "o' = i' - (k - 1)"),
        (M(r"s = 1,\; p = k - 1;\; p' = 0", "s = 1, p = k - 1; p' = 0"),),
        "Transposed: full padding",
        _back_without(11, "any padding"),
    ),
    _second(
        12,
        M(r"o' = s(i' - 1) + k", "o' = s(i' - 1) + k"),
        (
            M(r"p = 0,\; s \mid i - k;\; p' = k - 1", "p = 0, s divides i - k; p' = k - 1"),
            "; s - 1 zeros between the inputs",
        ),
        "Transposed: no padding, strides",
        _back_without(12, "where s does not divide i - k"),
    ),
    _second(
        13,
        M(r"o' = s(i' - 1) + k - 2p", "o' = s(i' - 1) + k - 2p"),
        (
            M(r"s \mid i + 2p - k;\; p' = k - p - 1", "s divides i + 2p - k; p' = k - p - 1"),
            "; s - 1 zeros between the inputs",
            *PADDING,
        ),
        "Transposed: padding and strides",
        _back_without(13, "where s does not divide i + 2p - k"),
    ),
    _second(
        14,
        M(r"o' = s(i' - 1) + a + k - 2p", "o' = s(i' - 1) + a + k - 2p"),
        (
            M(r"a = (i + 2p - k) \bmod s;\; p' = k - p - 1", "a = (i + 2p - k) mod s; p' = k - p - 1"),
            "; s - 1 zeros between the inputs and a behind them",
            *PADDING,
        ),
        "Transposed: padding and strides, any size",
        _back_without(14, "without what is left over: a = 0"),
    ),
    _first(
        15,
        FLOOR_15,
        (M(r"p \geq 0,\; s, d \geq 1", "p ≥ 0, s, d ≥ 1"),),
        "Dilation",
    ),
)
