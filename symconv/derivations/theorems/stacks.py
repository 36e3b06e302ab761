"""One more layer on a chain: the field of its outputs by recursion, and how far apart they are."""

from __future__ import annotations

from symconv.derivations.theorems.building import V, every, integers
from symconv.derivations.theorems.proposition import AnyInteger, Condition, Let, Proposition, chain, same
from symconv.derivations.theorems.sizes import I, window
from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.formulas.algebra import Bound, scalar
from symconv.formulas.index import floor, minimum

__all__ = ["THEOREMS"]

JUMP, FIELD, WHOLE = V("J"), V("R"), V("F")
LETTERS = "RJKSDP"


def _field(wrong: int = 0, *, jump: bool = True) -> Let:
    """The field of the chain with the layer: what its first and last tap see, and all between."""
    w = window()
    return Let("F", (), scalar(FIELD + w.d * (w.k - 1) * (JUMP if jump else 1) + wrong))


def _least(letters: str) -> dict[str, int]:
    least = {"R": 1, "J": 1}
    window().parameters(lambda name, low: least.__setitem__(name, low))
    return {name: low for name, low in least.items() if name in letters}


def _span(wrong: int = 0, *, jump: bool = True) -> Proposition:
    """Entry x of the field of tap m, counted where output 0 of the chain starts: all lie in F, which is reached.

    Output o of the chain sees the R inputs from J o on; tap m of output p of the layer reads output S p + D m - P.
    """
    w = window()
    start = JUMP * w.tap("p", 0, I)
    read = JUMP * w.tap("p", "m", I) + V("x")
    taps: list[Bound | AnyInteger] = [AnyInteger("p"), Bound("m", V(0), w.k - 1), Bound("x", V(0), FIELD - 1)]
    last = read.subs({"m": w.k - 1, "x": FIELD - 1})
    return Proposition(
        integers(_least(LETTERS), LETTERS),
        (
            every(taps, chain(start, "<=", read, "<=", start + WHOLE - 1)),
            every([AnyInteger("p")], same(last, start + WHOLE - 1)),
        ),
        (),
        (_field(wrong, jump=jump),),
    )


def _jump(*, jump: bool = True) -> Proposition:
    """What output p sees begins p times G = J S further on than what output 0 sees."""
    w = window()
    here = JUMP * w.tap("p", 0, I)
    letters = "JSP"
    apart = Let("G", (), scalar(JUMP * w.s if jump else w.s))
    begins = every([AnyInteger("p")], same(here, here.subs({"p": 0}) + V("G") * V("p")))
    return Proposition(integers(_least(letters), letters), (begins,), (), (apart,))


def _no_holes(*, condition: bool = True) -> Proposition:
    """Where D J <= R, every entry of the span is in the field of some tap."""
    w = window()
    apart = w.d * JUMP
    tap = minimum(w.k - 1, floor(V("y"), apart))
    seen = every(
        [Bound("y", V(0), WHOLE - 1)],
        chain(0, "<=", tap, "<=", w.k - 1),
        chain(0, "<=", V("y") - apart * tap, "<=", FIELD - 1),
    )
    given: tuple[Condition, ...] = (chain(apart, "<=", FIELD),) if condition else ()
    letters = "RJKD"
    return Proposition(integers(_least(letters), letters), (seen,), given, (_field(),))


THEOREMS = (
    Theorem(
        "receptive-field-step",
        "One more layer adds D (K - 1) jumps to the receptive field, and multiplies the jump by its stride",
        "Araujo, Norris & Sim, Computing Receptive Fields of Convolutional Neural Networks (Distill, 2019)",
        (
            Check("the span", _span()),
            Check("the jump", _jump()),
            Check("a span without holes", _no_holes()),
        ),
        (
            Check("one input fewer seen", _span(-1)),
            Check("without the jump of the chain", _span(jump=False)),
            Check("the stride alone", _jump(jump=False)),
            Check("a span without holes for any jump", _no_holes(condition=False)),
        ),
    ),
)
