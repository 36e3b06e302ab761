"""The derivation of an operator's output: how many windows fit, and what one entry is."""

from __future__ import annotations

from symconv.derivations.adaptive import window_stages
from symconv.derivations.chain import notation
from symconv.derivations.counting import about_sizes, size_domain
from symconv.derivations.frame import Frame, axes_alike
from symconv.derivations.patches import fold_stage, position_definition
from symconv.derivations.step import Derivation, Maths, Phrase, Stage, Step, maths
from symconv.derivations.transposed import gather_stage, reach_stages
from symconv.derivations.windows import empty_windows
from symconv.formulas.algebra import Bound, Guard, Label, Named, Reduce, Scalar, const, nonnegative
from symconv.formulas.bounds import Knowledge
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.printing import LATEX, UNICODE, PrintContext, Style, context_of
from symconv.operators.adaptive import AdaptivePooling
from symconv.operators.base import Operator
from symconv.operators.patches import Fold
from symconv.operators.transposed import ConvTranspose
from symconv.operators.unpooling import MaxUnpool
from symconv.operators.window import Window
from symconv.proofs.verdict import Verdict

__all__ = ["any_sizes", "conditions", "output_derivation"]


def output_derivation(frame: Frame) -> Derivation:
    """The size of the output, axis by axis; its entry is definition D1, and where inputs scatter, it is gathered."""
    op = frame.op
    definitions = list(notation(frame)[:1])
    lead = "An output exists for every place of the window; its size is the number of places where the window fits."
    if isinstance(op, ConvTranspose):
        lead = (
            "Every input hands the kernel, times its value, to the outputs under it; each output adds up what it gets."
        )
        sizes = reach_stages(frame, op)
        gathered, more = gather_stage(frame, op)
        stages, definitions = (*sizes, gathered), [*definitions, *more]
    elif isinstance(op, MaxUnpool):
        lead = "Every input is put at its position; the size is that of the input which the max pooling had."
        stages, definitions = reach_stages(frame, op), [*definitions, position_definition(frame, op, "D3")]
    elif isinstance(op, AdaptivePooling):
        lead = "The number of outputs is given; each reads the entries that overlap its part of the input."
        stages = window_stages(frame, op)
    elif isinstance(op, Fold):
        lead = "The size of the image is given, and says how many patches there are; where they overlap, they add up."
        image = tuple(op.count(axis, size) for axis, size in enumerate(frame.sizes))
        stages = (*_window_stages(frame, image, "input", "N", "How many windows fit in the image"), fold_stage(frame))
    elif not op.windows:
        lead = "Every output is worked out from the entries that the formula of the layer says; no window slides."
        stages = (_stated_stage(frame),)
    else:
        words = "How many windows fit"
        if _hang_over(op):
            words = "How many windows there are"
            lead = (
                "An output exists for every place of the window that starts before the end of the input and hangs over "
                "the padding after it by less than a stride; its size is the number of these places."
            )
        stages = _window_stages(frame, frame.sizes, "output", "O", words)
    return Derivation(f"The output of {op.phrase}", (lead,), conditions(frame), tuple(definitions), stages)


def _stated_stage(frame: Frame) -> Stage:
    """The formula as it is declared, with what it needs to have a value."""
    stated = (Maths("(D1)", "(D1)"), ".")
    step = Step(frame.number(), frame.output, frame.output, "state", "State", stated, uses=("D1",), opens=True)
    return Stage(("One output",), ("for every ", frame.output_entry), (step,))


def conditions(frame: Frame) -> Phrase:
    """What is assumed of the sizes, and what is said of an output whose window has no tap."""
    return (*_of_sizes(frame), *empty_windows(frame))


def any_sizes(frame: Frame) -> bool:
    """Whether nothing is assumed but that there is an entry on every axis."""
    strongest, facts = _assumed(frame)
    return set(strongest.values()) <= {1} and not facts and not empty_windows(frame)


def _assumed(frame: Frame) -> tuple[dict[str, int], list[Guard]]:
    """The least that single names can be, and what is assumed besides."""
    formula = frame.output
    defined = dict(formula.definitions)
    guards = [nonnegative(Index.of(name) - low) for name, low in formula.lower if name not in defined]
    guards += [nonnegative(fact) for fact in formula.facts]
    strongest = _strongest(guards)
    known = Knowledge(strongest)
    return strongest, [guard for guard in guards if not known.holds(guard)]


def _of_sizes(frame: Frame) -> Phrase:
    """Positive sizes, and an output on every axis."""
    formula, op = frame.output, frame.op
    context = context_of(formula)
    strongest, facts = _assumed(frame)
    if not strongest and not facts:
        return ("All sizes are given.",)
    grouped = _grouped(strongest)

    def write(style: Style) -> str:
        return style.listed(
            style.relation(">=").join([", ".join(style.name(n) for n in names), str(low)]) for names, low in grouped
        )

    words: list[str | Maths] = ["For ", maths(write), " with "] if grouped else ["For "]
    for fact in facts:
        words += [_condition(fact, context), " and "]
    words.pop()  # the word before a further condition
    of_windows = {guard for axis, size in enumerate(frame.sizes) for guard in op.facts(axis, size)}
    fits = not isinstance(op, ConvTranspose | MaxUnpool) and not _hang_over(op)
    words.append((" (a window fits)." if fits else " (an output is left).") if of_windows & {*facts} else ".")
    return tuple(words)


def _condition(guard: Guard, context: PrintContext) -> Maths:
    return maths(lambda s: s.conditions([guard], context)[0])


def _strongest(guards: list[Guard]) -> dict[str, int]:
    """The least that single names can be; ``2*name - 3 >= 0`` says that of an integer, too."""
    found: dict[str, int] = {}
    for guard in guards:
        for name in guard.expr.names:
            split = guard.expr.linear_in(name)
            factor, rest = (None, None) if split is None else (part.value for part in split)
            if factor is not None and factor > 0 and rest is not None:
                low = -(rest // factor)
                found[name] = max(low, found.get(name, low))
    return found


def _grouped(strongest: dict[str, int]) -> list[tuple[list[str], int]]:
    result: dict[int, list[str]] = {}
    for name, low in strongest.items():
        result.setdefault(low, []).append(name)
    return sorted(((sorted(names), low) for low, names in result.items()), key=lambda group: group[0])


def _window_stages(frame: Frame, sizes: tuple[Index, ...], family: str, name: str, title: str) -> tuple[Stage, ...]:
    """One stage for every axis whose arithmetic differs from that of the axes before it."""
    stages = []
    kinds = tuple(zip(frame.op.windows, sizes, strict=True))
    for axis, words in axes_alike(kinds):
        number = f"{name}_{axis + 1}" if len(kinds) > 1 else name
        place = frame.letters.axes(family, len(kinds))[axis]
        stages.append(_size_stage(frame, *kinds[axis], place, number, title + words))
    return tuple(stages)


def _hang_over(op: Operator) -> bool:
    """Whether windows may hang over: on all axes or on none, since axes round alike."""
    return {_hangs_over(window) for window in op.windows} == {True}


def _hangs_over(window: Window) -> bool:
    """Whether windows may hang over the end of the padded input."""
    return window.ceil_mode and window.fit is None


def _size_stage(frame: Frame, window: Window, size: Index, place: str, name: str, title: str) -> Stage:
    """Count the places o = 0, 1, ... with s*o <= room: there are floor(room/s) + 1 of them."""
    base = frame.base
    room = window.room(size)
    position = window.s * (Index.of(place) - base)
    before, after = window.padding(size)
    padded = size + before + after  # every place from here on is too late, whatever the stride
    bound = Bound(place, Index.of(base), padded + base)
    count = frame.constant(name)
    ends: tuple[Guard, ...] = (nonnegative(padded - (position + window.span)),)
    fits: tuple[Guard, ...] = (nonnegative(room - position),)
    if _hangs_over(window):  # by less than a stride, but it must start before the padding after the input
        ends = (
            nonnegative(padded + window.s - 1 - (position + window.span)),
            nonnegative(size + before - 1 - position),
        )
        fits = (nonnegative(room + window.s - 1 - position), nonnegative(size + before - 1 - position))
    start = count.with_body(_number_of(place, base, bound, ends, context_of(frame.output)))
    solved = count.with_body(_number_of(place, base, bound, fits, context_of(frame.output)))
    closed = count.with_body(Scalar(window.outputs(size)))
    context = context_of(count)
    span = maths(lambda s: s.index(window.span, context))
    overhang: Phrase = ()
    if _hangs_over(window):
        overhang = (" It may hang over by less than a stride, but must start before the padding after the input.",)
    first = Step(
        frame.number(),
        before=start,
        after=solved,
        rule="place",
        title="Place",
        reason=(
            "the window: it starts ",
            maths(lambda s: s.index(position, context)),
            " cells into the padded input and spans ",
            span,
            " of its ",
            maths(lambda s: s.index(padded, context)),
            " cells.",
            *overhang,
        ),
        uses=("D1",),
        opens=True,
    )
    second = Step(
        frame.number(),
        solved,
        closed,
        "count",
        "Count",
        (
            "the multiples of ",
            maths(lambda s: s.index(window.s, context)),
            " from 0 up to both bounds." if _hangs_over(window) else " from 0 up to that room.",
        ),
        uses=(first.id,),
        check=lambda: about_sizes(frame, _counted(solved, bound, fits, window.outputs(size))),
    )
    return Stage((title,), size_domain(frame), (first, second))


def _counted(solved: Formula, bound: Bound, fits: tuple[Guard, ...], total: Index) -> Verdict:
    """Whether the places under the condition are exactly the first `total` ones: two implications and two bounds."""
    from symconv.proofs.goals import prove_equivalent, prove_goal

    given, place = solved.assumptions(), Index.of(bound.name)
    verdicts = (
        prove_equivalent(given, fits, (nonnegative(bound.lower + total - 1 - place),)),
        prove_goal(given, (nonnegative(total),)),
        prove_goal((*given, *fits), (nonnegative(bound.upper - place),)),
    )
    return next((verdict for verdict in verdicts if verdict.status != "proved"), verdicts[0])


def _number_of(place: str, base: int, bound: Bound, guards: tuple[Guard, ...], context: PrintContext) -> Named:
    """The number of places under a condition, written with a number sign and a set."""

    def write(style: Style) -> str:
        first = style.relation(">=").join([style.name(place), str(base)])
        conditions = []
        for guard in guards:
            moving = _moving(guard.expr, place, base)  # what grows with the place stands on the left
            ends = [style.index(moving, context), style.index(guard.expr + moving, context)]
            conditions.append(style.relation("<=").join(ends))
        return style.count_of(style.set(first, conditions))

    return Named(Label(write(LATEX), write(UNICODE)), (), Reduce("sum", (bound,), guards, const(1)))


def _moving(expr: Index, place: str, base: int) -> Index:
    """What ``expr`` loses from the first place to `place`: ``S*(p - 1)`` in ``room - S*(p - 1)``, indices from 1."""
    return expr.subs({place: base}) - expr
