"""The sizes of one layer: how many windows fit, what they read, and which of them touch an input."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from symconv.derivations.theorems.building import M, V, options
from symconv.derivations.theorems.theorem import Check, Theorem, all_of
from symconv.formulas.algebra import (
    ONE,
    Bound,
    Compare,
    Guard,
    Reduce,
    between,
    const,
    divides,
    nonnegative,
)
from symconv.formulas.index import Index, IndexLike, ceiling, floor, maximum
from symconv.operators.window import Window
from symconv.proofs.goals import prove_equivalent, prove_goal
from symconv.proofs.prove import prove_statement
from symconv.proofs.statement import Statement
from symconv.proofs.verdict import Verdict

__all__ = ["FITS", "GENERAL", "GUIDE", "PLACE", "SIZES", "THEOREMS", "counted", "fitting", "positive", "window"]

GUIDE = "Dumoulin & Visin, A guide to convolution arithmetic (arXiv 1603.07285)"
SIZES = ("I", "K", "S", "P", "D")
PLACE = V("p")


def window(*, dilated: bool = True, ceil_mode: bool = False) -> Window:
    """The general window: kernel K, stride S, padding P on both sides, dilation D."""
    (k, s, pad, d) = (axis[0] for axis in options("KSPD", 1))
    return Window(k, s, pad, pad, d if dilated else 1, ceil_mode)


def positive(*names: str) -> tuple[Guard, ...]:
    """The conditions that sizes are at least 1, and a padding P at least 0."""
    return tuple(nonnegative(V(name) - (0 if name in ("P", "p", "A") else 1)) for name in names)


def fitting(w: Window, n: IndexLike, place: IndexLike) -> Guard:
    """A window at a place ends inside the padded input."""
    last = w.tap(place, w.k - 1, n)
    return nonnegative(Index.of(n) - 1 + w.padding(n)[1] - last)


def counted(
    given: Sequence[Guard],
    conditions: Iterable[Guard],
    total: Index,
    order: Sequence[str] = SIZES,
    place: Index = PLACE,
) -> Verdict:
    """Whether the places >= 0 under some conditions are exactly the first `total` ones, and there is at least one."""
    first = nonnegative(place)
    return all_of(
        (
            prove_equivalent(given, (first, *conditions), (first, nonnegative(total - 1 - place)), order=order),
            prove_goal(given, (nonnegative(total - 1),), order=order),
        )
    )


# ---------------------------------------------------------------------- one layer


def _output_size(wrong: int = 0) -> Verdict:
    w, n = window(), V("I")
    given = (*positive(*SIZES), *w.facts(n))
    return counted(given, (fitting(w, n, PLACE),), w.outputs(n) + wrong)


def _no_window() -> Verdict:
    """Where no window fits there is no place, and the formula gives nothing positive."""
    w, n = window(), V("I")
    given = (*positive(*SIZES), nonnegative(-1 - w.room(n)))
    return all_of(
        (
            prove_goal(given, (nonnegative(-w.outputs(n)),), order=SIZES),
            prove_goal((*given, nonnegative(PLACE)), (nonnegative(-1 - _slack(w, n)),), order=SIZES),
        )
    )


def _slack(w: Window, n: Index) -> Index:
    return fitting(w, n, PLACE).expr


def _padded_reads(above: int = 0, taps: int = 0) -> Verdict:
    w, n = window(), V("I")
    given = (
        *positive(*SIZES),
        *w.facts(n),
        *between(0, PLACE, w.outputs(n) - 1 + above),
        *between(0, "m", w.k - 1 + taps),
    )
    before, behind = w.padding(n)
    return prove_goal(given, between(-before, w.tap(PLACE, "m", n), n - 1 + behind), order=SIZES)


def _ceil_size(*, starts_before_padding: bool = True, overhang: int = 1) -> Verdict:
    w, n = window(ceil_mode=True), V("I")
    given = (*positive(*SIZES), *w.facts(n))
    place = PLACE
    conditions = [nonnegative(w.room(n) + w.s - overhang - w.s * place)]
    if starts_before_padding:
        conditions.append(_starts_inside(w, n, place))
    return counted(given, conditions, w.outputs(n))


def _starts_inside(w: Window, n: Index, place: Index) -> Guard:
    return nonnegative(n - 1 - w.tap(place, 0, n))


def _ceil_starts(last: int = 0) -> Verdict:
    w, n = window(ceil_mode=True), V("I")
    given = (*positive(*SIZES), *w.facts(n), *between(0, PLACE, w.outputs(n) - 1 + last))
    return prove_goal(given, (_starts_inside(w, n, PLACE),), order=SIZES)


def _real_taps(*, ceil_mode: bool) -> Verdict:
    """The taps of a window that are no padding are those from max(0, P - S p) on, and the first of them is one."""
    w, n = window(dilated=False, ceil_mode=ceil_mode), V("I")
    small = nonnegative(w.span - 1 - w.padding(n)[0])
    given = (*positive("I", "K", "S", "P"), *w.facts(n), small, *between(0, PLACE, w.outputs(n) - 1))
    tap = maximum(0, w.padding(n)[0] - w.s * PLACE)
    return prove_goal(given, (*between(0, tap, w.k - 1), *between(0, w.tap(PLACE, tap, n), n - 1)), order=SIZES)


def _real_taps_claimed(*, dilated: bool, small: bool) -> Verdict:
    """The claim that every window has a real tap, counted tap by tap, under weaker hypotheses."""
    w, n = window(dilated=dilated), V("I")
    taps = Bound("m", V(0), w.k - 1)
    count = Reduce("sum", (taps,), between(0, w.tap(PLACE, "m", n), n - 1), ONE)
    given = [*positive("I", "K", "S", "P", *("D" if dilated else "")), *w.facts(n)]
    if small:
        given.append(nonnegative(w.span - 1 - w.padding(n)[0]))
    free = (Bound("p", V(0), w.outputs(n) - 1),)
    return prove_statement(Statement.of(Compare(count, ">=", const(1)), ONE, free, {}, given))


def _touching(low: int = 0, high: int = 0, *, rounded_up: bool = True) -> Verdict:
    w, n, j = window(dilated=False), V("I"), V("j")
    given = (*positive("I", "K", "S", "P"), *between(0, j, n - 1))
    pad = w.padding(n)[0]
    start = ceiling if rounded_up else floor
    tap = j - w.tap(PLACE, 0, n)
    return prove_equivalent(
        given,
        between(0, tap, w.k - 1),
        between(start(j + pad - w.k + 1 + low, w.s), PLACE, floor(j + pad + high, w.s)),
        order=SIZES,
    )


SIZE = M(
    r"O = \left\lfloor \frac{I + 2P - D(K-1) - 1}{S} \right\rfloor + 1",
    "O = ⌊(I + 2P - D(K - 1) - 1)/S⌋ + 1",
)
GENERAL = M(r"I, K, S, D \geq 1,\; P \geq 0", "I, K, S, D ≥ 1, P ≥ 0")
FITS = M(r"I + 2P \geq D(K-1) + 1", "I + 2P ≥ D(K - 1) + 1")

THEOREMS = (
    Theorem(
        "output-size",
        "The output size is the number of windows that fit",
        (SIZE, " places: a place ", M(r"p \geq 0", "p ≥ 0"), " fits if and only if p < O."),
        (GENERAL, "; a window fits, ", FITS, " (otherwise there is no place, and the formula gives at most 0)"),
        f"{GUIDE}, relationships 6 and 15",
        (
            Check("p fits if and only if 0 <= p < O", _output_size),
            Check("where no window fits, there is no place and the formula gives at most 0", _no_window),
        ),
        (
            Check("one output more", lambda: _output_size(1)),
            Check("one output fewer", lambda: _output_size(-1)),
            Check(
                "without the floor: S divides I + 2P - K",
                lambda: prove_goal(
                    (*positive("I", "K", "S", "P"), nonnegative(V("I") + 2 * V("P") - V("K"))),
                    (divides("S", V("I") + 2 * V("P") - V("K")),),
                    order=SIZES,
                ),
            ),
        ),
    ),
    Theorem(
        "padded-reads",
        "Every tap reads inside the padded input",
        (M(r"-P \leq S p + D m - P \leq I - 1 + P", "-P ≤ S p + D m - P ≤ I - 1 + P"),),
        (GENERAL, "; ", FITS, "; ", M(r"0 \leq p < O,\; 0 \leq m < K", "0 ≤ p < O, 0 ≤ m < K")),
        f"{GUIDE}, section 2",
        (Check("both ends", _padded_reads),),
        (
            Check("one output more", lambda: _padded_reads(above=1)),
            Check("one tap more", lambda: _padded_reads(taps=1)),
        ),
    ),
    Theorem(
        "ceil-mode-size",
        "The size under ceil_mode",
        (
            M(
                r"O = \min\left( \left\lceil \frac{I + 2P - D(K-1) - 1}{S} \right\rceil + 1,\; "
                r"\left\lceil \frac{I + P}{S} \right\rceil \right)",
                "O = min(⌈(I + 2P - D(K - 1) - 1)/S⌉ + 1, ⌈(I + P)/S⌉)",
            ),
            " is the number of windows that overhang by less than a stride and start before the padding after the "
            "input.",
        ),
        (GENERAL, "; ", FITS, "; ", M(r"P \leq D(K-1)", "P ≤ D(K - 1)")),
        "PyTorch and ONNX; the formula in PyTorch's documentation leaves the second half out",
        (Check("p counts if and only if 0 <= p < O", _ceil_size),),
        (
            Check("windows may start in the padding after the input", lambda: _ceil_size(starts_before_padding=False)),
            Check("an overhang of a whole stride", lambda: _ceil_size(overhang=0)),
        ),
    ),
    Theorem(
        "ceil-mode-starts",
        "Under ceil_mode every window starts before the end of the input",
        (M(r"S p - P \leq I - 1", "S p - P ≤ I - 1"),),
        (GENERAL, "; ", FITS, "; ", M(r"P \leq D(K-1),\; 0 \leq p < O", "P ≤ D(K - 1), 0 ≤ p < O")),
        "PyTorch and ONNX, pooling with ceil_mode",
        (Check("the start of the window", _ceil_starts),),
        (Check("one output more", lambda: _ceil_starts(1)),),
    ),
    Theorem(
        "non-empty-windows",
        "Every window covers an entry of the input",
        (
            "The tap ",
            M(r"m = \max(0, P - S p)", "m = max(0, P - S p)"),
            " is one of the window, and reads inside the input.",
        ),
        (
            M(r"I, K, S \geq 1,\; D = 1,\; 0 \leq P \leq K - 1", "I, K, S ≥ 1, D = 1, 0 ≤ P ≤ K - 1"),
            "; a window fits; with ceil_mode or without",
        ),
        "Elementary; PyTorch accepts a padding up to K/2 only",
        (
            Check("floor", lambda: _real_taps(ceil_mode=False)),
            Check("ceil_mode", lambda: _real_taps(ceil_mode=True)),
        ),
        (
            Check("with any dilation", lambda: _real_taps_claimed(dilated=True, small=True)),
            Check("with any padding", lambda: _real_taps_claimed(dilated=False, small=False)),
        ),
    ),
    Theorem(
        "touching-windows",
        "The windows that touch an input",
        (
            "Window p has a tap at input j if and only if ",
            M(
                r"\left\lceil \frac{j + P - K + 1}{S} \right\rceil \leq p "
                r"\leq \left\lfloor \frac{j + P}{S} \right\rfloor",
                "⌈(j + P - K + 1)/S⌉ ≤ p ≤ ⌊(j + P)/S⌋",
            ),
            ".",
        ),
        (M(r"K, S \geq 1,\; D = 1,\; P \geq 0,\; 0 \leq j < I", "K, S ≥ 1, D = 1, P ≥ 0, 0 ≤ j < I"),),
        "Elementary: the windows that the gradient by an input sums over",
        (Check("both directions", _touching),),
        (
            Check("starting one later", lambda: _touching(low=1)),
            Check("ending one later", lambda: _touching(high=1)),
            Check("the first one rounded down", lambda: _touching(rounded_up=False)),
        ),
    ),
)
