"""The sizes of one layer: how many windows fit, what they read, and which of them touch an input."""

from __future__ import annotations

from symconv.derivations.theorems.building import V, every, integers, options, suppose
from symconv.derivations.theorems.proposition import AnyInteger, Clause, Condition, Iff, Let, Proposition, chain
from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.formulas.algebra import ONE, Bound, Reduce, between, nonnegative, scalar
from symconv.formulas.index import Index, IndexLike, ceiling, floor, maximum
from symconv.operators.window import Window

__all__ = ["GUIDE", "THEOREMS", "counted", "fits", "sized", "window"]

GUIDE = "Dumoulin & Visin, A guide to convolution arithmetic (arXiv 1603.07285)"
I = V("I")  # noqa: E741


def window(*, dilated: bool = True, ceil_mode: bool = False) -> Window:
    """The general window: kernel K, stride S, padding P on both sides, dilation D."""
    (k, s, pad, d) = (axis[0] for axis in options("KSPD", 1))
    return Window(k, s, pad, pad, d if dilated else 1, ceil_mode)


def sized(w: Window, n: IndexLike, *clauses: Clause, given: tuple[Condition, ...] = (), **changes: int) -> Proposition:
    """Clauses about the outputs O of a window over n inputs, under what the window takes for granted.

    Args:
        w: the window.
        n: the input size.
        clauses: what is said.
        given: what is supposed beside it.
        changes: `more`, added to O.
    """
    least = dict.fromkeys(V("I").names, 1)
    w.parameters(lambda name, low: least.__setitem__(name, low))
    outputs = Let("O", (), scalar(w.outputs(n) + changes.get("more", 0)))
    return Proposition(integers(least), clauses, (*(suppose(fact) for fact in w.facts(n)), *given), (outputs,))


def fits(w: Window, n: IndexLike, place: IndexLike) -> Condition:
    """A window at a place ends inside the padded input."""
    return chain(w.tap(place, w.k - 1, n), "<=", Index.of(n) + w.padding(n)[1] - 1)


def starts_inside(w: Window, n: IndexLike, place: IndexLike) -> Condition:
    """A window at a place starts before the end of the input."""
    return chain(w.tap(place, 0, n), "<=", Index.of(n) - 1)


def counted(place: str, conditions: tuple[Condition, ...], total: Index) -> tuple[Clause, Clause]:
    """The places from 0 on under some conditions are exactly the first `total`, and there is at least one."""
    first = Iff(conditions, (chain(place, "<=", total - 1),))
    return every([AnyInteger(place, V(0))], first), every([], chain(total, ">=", 1))


# ---------------------------------------------------------------------- one layer


def _output_size(more: int = 0) -> Proposition:
    w = window()
    return sized(w, I, *counted("p", (fits(w, I, "p"),), V("O")), more=more)


def _no_window() -> Proposition:
    """Where no window fits there is no place, and the formula gives nothing positive."""
    w = window()
    start, padded = w.tap("p", w.k - 1, I), I + w.padding(I)[1]
    whole = sized(w, I, every([], chain("O", "<=", 0)), every([AnyInteger("p", V(0))], chain(start, ">=", padded)))
    return Proposition(whole.integers, whole.clauses, (suppose(nonnegative(-1 - w.room(I))),), whole.sizes)


def _unrounded() -> Proposition:
    """The claim that the stride always divides."""
    from symconv.derivations.theorems.proposition import Divides

    w = window(dilated=False)
    return sized(w, I, every([], Divides(w.s, w.room(I))))


def _taps(w: Window, last: IndexLike = 0) -> list[Bound]:
    return [Bound("p", V(0), V("O") - 1), Bound("m", V(0), w.k - 1 + last)]


def _padded_reads(above: int = 0, taps: int = 0) -> Proposition:
    w = window()
    before, behind = w.padding(I)
    ends = chain(-before, "<=", w.tap("p", "m", I), "<=", I + behind - 1)
    return sized(w, I, every(_taps(w, taps), ends), more=above)


def _ceil_size(*, starts_before_padding: bool = True, overhang: int = 1) -> Proposition:
    w = window(ceil_mode=True)
    end = w.tap("p", w.k - 1, I)
    conditions: list[Condition] = [chain(end, "<=", I + w.padding(I)[1] + w.s - 1 - overhang)]
    if starts_before_padding:
        conditions.append(starts_inside(w, I, "p"))
    return sized(w, I, *counted("p", tuple(conditions), V("O")))


def _ceil_starts(more: int = 0) -> Proposition:
    w = window(ceil_mode=True)
    return sized(w, I, every([Bound("p", V(0), V("O") - 1)], starts_inside(w, I, "p")), more=more)


def _real_taps(*, ceil_mode: bool) -> Proposition:
    """The taps of a window that are no padding are those from max(0, P - S p) on, and the first of them is one."""
    w = window(dilated=False, ceil_mode=ceil_mode)
    before = w.padding(I)[0]
    first = maximum(0, before - w.s * V("p"))
    inside = chain(0, "<=", w.tap("p", first, I), "<=", I - 1)
    places = [Bound("p", V(0), V("O") - 1)]
    small = (chain(before, "<=", w.span - 1),)
    return sized(w, I, every(places, chain(0, "<=", first, "<=", w.k - 1), inside), given=small)


def _some_real_tap(*, dilated: bool, small: bool) -> Proposition:
    """The claim that every window has a real tap, counted tap by tap, under weaker hypotheses."""
    w = window(dilated=dilated)
    taps = Bound("m", V(0), w.k - 1)
    count = Reduce("sum", (taps,), between(0, w.tap("p", "m", I), I - 1), ONE)
    given = (chain(w.padding(I)[0], "<=", w.span - 1),) if small else ()
    return sized(w, I, every([Bound("p", V(0), V("O") - 1)], chain(count, ">=", ONE)), given=given)


def _touching(low: int = 0, high: int = 0, *, rounded_up: bool = True) -> Proposition:
    """A window touches an input where the tap that would read it exists."""
    w = window(dilated=False)
    start = ceiling if rounded_up else floor
    before = w.padding(I)[0]
    tap = V("j") - w.tap("p", 0, I)
    first, last = start(V("j") + before - w.k + 1 + low, w.s), floor(V("j") + before + high, w.s)
    touches = Iff((chain(0, "<=", tap, "<=", w.k - 1),), (chain(first, "<=", "p", "<=", last),))
    whole = sized(w, I, every([Bound("j", V(0), I - 1), AnyInteger("p")], touches))
    return Proposition(whole.integers, whole.clauses)  # wherever a window fits or not


THEOREMS = (
    Theorem(
        "output-size",
        "The output size is the number of windows that fit",
        f"{GUIDE}, relationships 6 and 15",
        (Check("where a window fits", _output_size()), Check("where none fits", _no_window())),
        (
            Check("one output more", _output_size(1)),
            Check("one output fewer", _output_size(-1)),
            Check("without rounding: the stride divides", _unrounded()),
        ),
    ),
    Theorem(
        "padded-reads",
        "Every tap reads inside the padded input",
        f"{GUIDE}, section 2",
        (Check("both ends", _padded_reads()),),
        (
            Check("one output more", _padded_reads(above=1)),
            Check("one tap more", _padded_reads(taps=1)),
        ),
    ),
    Theorem(
        "ceil-mode-size",
        "The size under ceil_mode counts the windows that overhang by less than a stride and start before the padding",
        "PyTorch and ONNX; the formula in PyTorch's documentation leaves the second half out",
        (Check("the windows that count", _ceil_size()),),
        (
            Check("windows may start in the padding after the input", _ceil_size(starts_before_padding=False)),
            Check("an overhang of a whole stride", _ceil_size(overhang=0)),
        ),
    ),
    Theorem(
        "ceil-mode-starts",
        "Under ceil_mode every window starts before the end of the input",
        "PyTorch and ONNX, pooling with ceil_mode",
        (Check("the start of the window", _ceil_starts()),),
        (Check("one output more", _ceil_starts(1)),),
    ),
    Theorem(
        "non-empty-windows",
        "Every window covers an entry of the input",
        "Elementary; PyTorch accepts a padding up to half the kernel only",
        (
            Check("rounded down", _real_taps(ceil_mode=False)),
            Check("under ceil_mode", _real_taps(ceil_mode=True)),
        ),
        (
            Check("with any dilation", _some_real_tap(dilated=True, small=True)),
            Check("with any padding", _some_real_tap(dilated=False, small=False)),
        ),
    ),
    Theorem(
        "touching-windows",
        "The windows that touch an input",
        "Elementary: the windows that the gradient by an input sums over",
        (Check("both directions", _touching()),),
        (
            Check("starting one later", _touching(low=1)),
            Check("ending one later", _touching(high=1)),
            Check("the first one rounded down", _touching(rounded_up=False)),
        ),
    ),
)
