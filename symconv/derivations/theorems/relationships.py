"""The fifteen relationships of Dumoulin & Visin's guide, with the side conditions that they need.

i and o are the input and output size, i' and o' those of the transposed layer; k, s, p and d as in the guide. A
relationship is proved as what it counts: the places where a window fits are exactly the first o. A transposed layer is
a layer of stride 1 and padding p' = k - p - 1 over its input with s - 1 zeros between the entries (z entries in all);
its relationships hold in two senses, that this layer has o' outputs, and that o' is the input size of the layer that
it transposes. That p' is a padding only for p <= k - 1 is not said in the guide; the sizes agree without it.
"""

from __future__ import annotations

from collections.abc import Callable

from symconv.derivations.theorems.building import V, every, integers, suppose
from symconv.derivations.theorems.deciding import guards_of
from symconv.derivations.theorems.proposition import Condition, Divides, Let, Proposition, chain, same
from symconv.derivations.theorems.sizes import counted, fits
from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.formulas.algebra import nonnegative, scalar
from symconv.formulas.index import Index, floor
from symconv.formulas.symbols import symbol
from symconv.operators.convolution import Conv
from symconv.operators.pooling import MaxPool
from symconv.operators.window import Window

__all__ = ["THEOREMS"]

ORDER = "iksapdn"
i, k, s, p, d, a, n, small = (V(name) for name in ("i", "k", "s", "p", "d", "a", "n", "i'"))

# What each relationship says of an input of size n: the number of outputs; from 8 on of the transposed layer, with a
# left over behind the input.
TOTALS: dict[int, Callable[[Index], Index]] = {
    1: lambda n: n - k + 1,
    2: lambda n: n - k + 2 * p + 1,
    3: lambda n: n,
    4: lambda n: n + (k - 1),
    5: lambda n: floor(n - k, s) + 1,
    6: lambda n: floor(n + 2 * p - k, s) + 1,
    7: lambda n: floor(n - k, s) + 1,
    8: lambda n: n + (k - 1),
    9: lambda n: n + (k - 1) - 2 * p,
    10: lambda n: n,
    11: lambda n: n - (k - 1),
    12: lambda n: s * (n - 1) + k,
    13: lambda n: s * (n - 1) + k - 2 * p,
    14: lambda n: s * (n - 1) + a + k - 2 * p,
    15: lambda n: floor(n + 2 * p - k - (k - 1) * (d - 1), s) + 1,
}

HALF, FULL = (same(k, 2 * n + 1), same(p, n)), (same(p, k - 1),)
# Under which condition on the layer, beside the sizes.
CONDITIONS: dict[int, tuple[Condition, ...]] = {
    1: (same(s, 1), same(p, 0)),
    2: (same(s, 1),),
    3: (same(s, 1), *HALF),
    4: (same(s, 1), *FULL),
    5: (same(p, 0),),
    6: (),
    7: (same(p, 0),),
    8: (same(s, 1), same(p, 0)),
    9: (same(s, 1),),
    10: (same(s, 1), *HALF),
    11: (same(s, 1), *FULL),
    12: (same(p, 0),),
    13: (),
    14: (),
    15: (),
}


def _window(number: int) -> Window:
    """The layer of a relationship, before its condition."""
    K, S, P, D = (symbol(name, **{"nonnegative" if name == "p" else "positive": True}) for name in "kspd")
    if number == 7:
        return MaxPool((K,), S, P).windows[0]
    if number == 15:
        return Conv((K,), S, P, D).windows[0]
    return Window(K, S, P, P)


def _least(window: Window, conditions: tuple[Condition, ...], **sizes: int) -> dict[str, int]:
    least = dict(sizes)
    window.parameters(lambda name, low: least.__setitem__(name, low))
    names = frozenset().union(*(guard.names for part in conditions for guard in guards_of(part)))
    return {**least, **({"n": 0} if "n" in names else {})}


def _layer(number: int, *, wrong: int = 0, condition: bool = True) -> Proposition:
    """The places where a window fits are the first `o`, and the operator's own formula says so too."""
    window = _window(number)
    conditions = CONDITIONS[number] if condition else ()
    total = Let("o", (), scalar(TOTALS[number](i) + wrong))
    return Proposition(
        integers(_least(window, conditions, i=1), ORDER),
        (*counted("q", (fits(window, i, "q"),), V("o")), every([], same(window.outputs(i), "o"))),
        (*conditions, *(suppose(fact) for fact in window.facts(i))),
        (total,),
    )


def _stretched(number: int, *, wrong: int = 0) -> Proposition:
    """The layer of stride 1 over the stretched input, padded by k - p - 1, has o' places where its window fits."""
    forward = _window(number)
    extra, sizes = (a, {"a": 0}) if number == 14 else (V(0), {})
    before, size = V("p'"), V("z")
    lets = {
        "z": forward.s * (small - 1) + 1,
        "p'": forward.k - forward.padding(i)[0] - 1,
        "o'": TOTALS[number](small) + wrong,
    }
    end = V("q") + forward.k - 1 - before
    conditions = CONDITIONS[number]
    room = size + 2 * before + extra - forward.k
    limits = (chain(a, "<=", forward.s - 1),) if number == 14 else ()
    return Proposition(
        integers(_least(forward, conditions, **{"i'": 1}, **sizes), ORDER),
        counted("q", (chain(end, "<=", size - 1 + before + extra),), V("o'")),
        (*conditions, *limits, suppose(nonnegative(room))),
        tuple(Let(name, (), scalar(value)) for name, value in lets.items()),
    )


def _inverse(number: int, *, wrong: int = 0, condition: bool = True) -> Proposition:
    """o' is i where i' is the output size of the layer that is transposed, and a what it leaves over."""
    window = _window(number)
    conditions = CONDITIONS[number] if condition or number in (12, 13, 14) else ()
    room = window.room(i)
    lets = {"i'": window.outputs(i)}
    if number == 14:
        lets["a"] = room - window.s * floor(room, window.s) if condition else V(0)
    lets["o'"] = TOTALS[number](small) + wrong
    divided = (Divides(window.s, room),) if number in (12, 13) and condition else ()
    return Proposition(
        integers(_least(window, conditions, i=1), ORDER),
        (every([], same("o'", i)),),
        (*conditions, *(suppose(fact) for fact in window.facts(i)), *divided),
        tuple(Let(name, (), scalar(value)) for name, value in lets.items()),
    )


# ---------------------------------------------------------------------- the table


def _guide(number: int) -> str:
    return f"Dumoulin & Visin, A guide to convolution arithmetic (arXiv 1603.07285), relationship {number}"


def _first(number: int, words: str, *slips: Check) -> Theorem:
    """A relationship of a layer."""
    return Theorem(
        f"relationship-{number}",
        words,
        _guide(number),
        (Check("the places where a window fits", _layer(number)),),
        (
            Check("one more", _layer(number, wrong=1)),
            Check("one fewer", _layer(number, wrong=-1)),
            *slips,
        ),
    )


def _second(number: int, words: str, *slips: Check) -> Theorem:
    """A relationship of a transposed layer."""
    return Theorem(
        f"relationship-{number}",
        words,
        _guide(number),
        (
            Check("the places where the window of the transposed layer fits", _stretched(number)),
            Check("the input size of the layer that is transposed", _inverse(number)),
        ),
        (
            Check("one more", _stretched(number, wrong=1)),
            Check("one fewer", _inverse(number, wrong=-1)),
            *slips,
        ),
    )


def _unrounded() -> Proposition:
    """The claim that the stride always divides."""
    window = _window(6)
    return Proposition(
        integers(_least(window, (), i=1), ORDER),
        (every([], Divides(window.s, window.room(i))),),
        tuple(suppose(fact) for fact in window.facts(i)),
    )


def _without(number: int, words: str) -> Check:
    return Check(words, _layer(number, condition=False))


def _back_without(number: int, words: str) -> Check:
    return Check(words, _inverse(number, condition=False))


THEOREMS = (
    _first(1, "No padding, unit strides", _without(1, "any stride and padding")),
    _first(2, "Padding, unit strides", _without(2, "any stride")),
    _first(3, "Half padding, unit strides", _without(3, "any kernel, stride and padding")),
    _first(4, "Full padding, unit strides", _without(4, "any stride and padding")),
    _first(5, "No padding, strides", _without(5, "any padding")),
    _first(6, "Padding and strides", Check("without rounding: the stride divides", _unrounded())),
    _first(7, "Pooling without padding", _without(7, "any padding")),
    _second(8, "Transposed: no padding, unit strides", _back_without(8, "any stride and padding")),
    _second(9, "Transposed: padding, unit strides", _back_without(9, "any stride")),
    _second(10, "Transposed: half padding, unit strides", _back_without(10, "any kernel, stride and padding")),
    _second(11, "Transposed: full padding, unit strides", _back_without(11, "any stride and padding")),
    _second(12, "Transposed: no padding, strides", _back_without(12, "where the stride does not divide")),
    _second(13, "Transposed: padding and strides", _back_without(13, "where the stride does not divide")),
    _second(14, "Transposed: padding and strides, any size", _back_without(14, "without what is left over")),
    _first(15, "Dilation, padding and strides"),
)
