"""Poolings over their window sets, and how they are related: the mean is a scaled 1-norm, the maximum a limit."""

from __future__ import annotations

from dataclasses import replace

from symconv.derivations.chain import Frame, is_padded
from symconv.derivations.counting import at_this_layer
from symconv.derivations.step import Maths, Phrase, Stage, Step, maths
from symconv.derivations.windows import has_real_taps, needs_of_outputs
from symconv.errors import GeometryError
from symconv.formulas.algebra import (
    ONE,
    Absolute,
    Access,
    Bound,
    Guard,
    Label,
    Named,
    Node,
    Power,
    Reduce,
    between,
    divides,
    equal,
    product,
)
from symconv.formulas.bounds import Knowledge
from symconv.formulas.calculus import closed_count
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.printing import LATEX, UNICODE, Style, context_of
from symconv.formulas.symbols import is_symbolic, symbol
from symconv.formulas.walks import transform
from symconv.operators.letters import Letters
from symconv.operators.pooling import AvgPool, LPPool, MaxPool, Pooling
from symconv.proofs.induction import power_sum_bound
from symconv.proofs.prove import prove
from symconv.proofs.record import preceded_by
from symconv.proofs.verdict import Verdict, VerdictScope

__all__ = ["relation_stages", "set_form_steps", "set_name", "window_set"]


# ---------------------------------------------------------------------- window sets


def _pooling(frame: Frame) -> Pooling:
    assert isinstance(frame.op, Pooling)
    return frame.op


def _ends(frame: Frame) -> list[tuple[str, Index, Index, Index]]:
    """For every axis: the input index, the first position of the window, its number of taps, its dilation."""
    op, letters = _pooling(frame), frame.letters
    inputs = letters.axes("input", op.spatial_axes)
    outputs = letters.axes("output", op.spatial_axes)
    result = []
    for window, s, o, n in zip(op.windows, inputs, outputs, frame.sizes, strict=True):
        first = window.tap(Index.of(o) - frame.base, 0, n) + frame.base
        result.append((s, first, window.k, window.d))
    return result


def _clip(frame: Frame, axis: int) -> tuple[Guard, ...]:
    """The conditions under which a position of the window counts: inside the input, or inside the padded input."""
    op = _pooling(frame)
    name = _ends(frame)[axis][0]
    n, window = frame.sizes[axis], op.windows[axis]
    place = Index.of(name) - frame.base
    if counts_padding(frame):
        before, after = window.padding(n)
        return between(-before, place, n + after - 1)
    return between(0, place, n - 1)


def counts_padding(frame: Frame) -> bool:
    """Whether the positions of a window are those in the padded input: for an average that divides by their number."""
    op = frame.op
    return isinstance(op, AvgPool) and op.count_include_pad and op.divisor_override is None and is_padded(frame)


def window_set(frame: Frame) -> Maths:
    """The positions that a window covers, as a set; conditions that always hold are left out."""
    ends = _ends(frame)
    formula = frame.output
    bounds = [Bound(name, first, first + d * (k - 1)) for name, first, k, d in ends]
    known = formula.knowledge().within(bounds)
    context = context_of(formula).ranked(name for name, *_ in ends)
    taps = frame.letters.axes("weight", len(ends))

    def write(style: Style) -> str:
        conditions = []
        for axis, ((name, first, k, d), bound) in enumerate(zip(ends, bounds, strict=True)):
            if d == 1:
                middle = [style.index(bound.lower, context), style.name(name), style.index(bound.upper, context)]
                conditions.append(style.relation("<=").join(middle))
            else:
                tap = Index.of(taps[axis]) - frame.base
                value = style.index(first + d * tap, context)
                conditions.append(style.relation("=").join([style.name(name), value]))
                ends_of = [str(frame.base), style.name(taps[axis]), style.index(k - 1 + frame.base, context)]
                conditions.append(style.relation("<=").join(ends_of))
            open_ones = [g for g in _clip(frame, axis) if not known.holds(g)]
            conditions += style.conditions(open_ones, context)
        names = ", ".join(style.name(name) for name, *_ in ends)
        head = names if len(ends) == 1 else f"({names})"
        return style.set(head, conditions)

    return maths(write)


def set_form_steps(frame: Frame) -> tuple[Step, ...]:
    """The pooling over its window set, and the same with the set written out as taps."""
    formula = frame.output
    over_set = formula.with_body(_set_form(frame))
    own = Step(
        frame.number(),
        formula,
        over_set,
        "window_set",
        "Definition",
        ("over the window set.",),
        needs=needs_of_outputs(frame),
        opens=True,
        fits=_sizes_of_sets(frame),
    )
    taps = Step(
        frame.number(),
        over_set,
        formula,
        "write_out_taps",
        "Write out",
        (f"the set: one position for every tap{_of_padding(frame)}.",),
        needs=needs_of_outputs(frame),
        uses=(own.id,),
    )
    return own, taps


def _of_padding(frame: Frame) -> str:
    """What becomes of the positions in the padding."""
    if not is_padded(frame):
        return ""
    return ", entries in the padding being 0" if counts_padding(frame) else ", padding left out"


def _set_form(frame: Frame) -> Node:
    """The formula with its reduction over input positions instead of taps, printed over the set S."""
    op, letters = _pooling(frame), frame.letters
    ends = _ends(frame)
    bounds: list[Bound] = []
    guards: list[Guard] = []
    for axis, (name, first, k, d) in enumerate(ends):
        bounds.append(Bound(name, Index.of(frame.base), frame.sizes[axis] - 1 + frame.base))
        place = Index.of(name)
        guards += between(first, place, first + d * (k - 1))
        if d != 1:
            guards.append(divides(d, place - first))
    entry = Access(letters.input, tuple(Index.of(name) for name, *_ in ends))

    def change(node: Node) -> Node | None:
        if isinstance(node, Reduce) and node.body != ONE:
            body = transform(node.body, lambda n: entry if isinstance(n, Access) else None)
            reduction = Reduce(node.op, tuple(bounds), tuple(guards), body)
            return _over_set(frame, reduction)
        return None

    body = transform(frame.output.body, change)
    if isinstance(op, AvgPool) and op.divisor_override is None:
        return _over_size(frame, body)
    return body


def set_name(frame: Frame) -> Maths:
    """The window set of an output, with a bar where positions in the padding are in it."""
    outputs = frame.letters.axes("output", frame.op.spatial_axes)

    def write(style: Style) -> str:
        letter = style.name(frame.beside("S"))
        if counts_padding(frame):
            letter = style.barred(letter)
        return style.subscripted(letter, [style.name(o) for o in outputs])

    return maths(write)


def _sizes_of_sets(frame: Frame) -> tuple[Guard, ...]:
    """That the window set has as many positions, on every axis, as the taps that the average divides by.

    Where the taps lie apart, the set is written by its taps, and there is nothing to compare.
    """
    op = frame.op
    if not isinstance(op, AvgPool) or op.divisor_override is not None:
        return ()
    known = frame.output.knowledge()
    conditions = []
    taps = frame.letters.axes("weight", op.spatial_axes)
    for axis, ((name, first, k, d), m) in enumerate(zip(_ends(frame), taps, strict=True)):
        if d != 1:
            continue
        tap = Bound(m, Index.of(0), k - 1)
        guards = tuple(g.subs({name: first + m}) for g in _clip(frame, axis))
        positions = Reduce("sum", (Bound(name, first, first + k - 1),), _clip(frame, axis), ONE)
        divisor = Reduce("sum", (tap,), guards if _is_counted(frame, axis) else (), ONE)
        conditions.append(equal(_closed(positions, known), _closed(divisor, known)))
    return tuple(conditions)


def _is_counted(frame: Frame, axis: int) -> bool:
    """Whether the formula divides by a count on an axis, not by the number of taps of the whole window."""
    op, window = _pooling(frame), frame.op.windows[axis]
    before, after = window.padding(frame.sizes[axis])
    assert isinstance(op, AvgPool)
    return op.ceil_mode or (not op.count_include_pad and not (before == 0 and after == 0))


def _closed(count: Reduce, known: Knowledge) -> Index:
    closed = closed_count(count, known)
    assert closed is not None, count
    return closed


def _over_set(frame: Frame, reduction: Reduce) -> Named:
    """A reduction over input positions under the name ``max over (s, t) in S``."""
    names = [name for name, *_ in _ends(frame)]
    context = context_of(frame.output).ranked(names)

    def write(style: Style) -> str:
        place = ", ".join(style.name(name) for name in names)
        place = place if len(names) == 1 else f"({place})"
        inner = style.node(reduction.body, context)
        member = style.relation("in").join([place, style.written(set_name(frame))])
        sign = style.sum_over(member) if reduction.op == "sum" else style.extremum_sign(reduction.op, [member])
        return sign + inner

    return Named(Label(write(LATEX), write(UNICODE)), (), reduction)


def _over_size(frame: Frame, body: Node) -> Node:
    """An average's divisor under the name |S|: the number of positions that the window set has by definition."""
    divisor, total = _split_divisor(body)

    def write(style: Style) -> str:
        return style.one_over_size(style.written(set_name(frame)))

    return product(Named(Label(write(LATEX), write(UNICODE)), (), divisor), total)


def _split_divisor(body: Node) -> tuple[Node, Node]:
    """``(divisor factors, the sum)`` of an average."""
    factors = body.args if hasattr(body, "args") else (body,)
    sums = [f for f in factors if isinstance(f, Named | Reduce)]
    rest = [f for f in factors if f not in sums]
    return product(*rest), product(*sums)


# ---------------------------------------------------------------------- relations


def relation_stages(lp: Frame, other: Frame) -> tuple[Stage, ...]:
    """Average or maximum pooling from LP pooling over the same windows, for entries that are not negative.

    Both are written in the letters of the LP pooling, which make way for its exponent.

    Raises:
        GeometryError: where the windows are not the same.
    """
    if lp.op.windows != other.op.windows or lp.input_size != other.input_size:
        raise GeometryError("operators", other.op, "must have the windows and the input size of the LP pooling")
    moved = {role: getattr(lp.letters, role) for role in Letters.roles()}
    kept = {role: getattr(other.letters, role) for role in Letters.roles()}
    differing = {role: letter for role, letter in moved.items() if letter != kept[role]}
    other = replace(other, names={**(other.names or {}), **differing})
    if isinstance(other.op, AvgPool):
        return (_average_stage(lp, other),)
    assert isinstance(other.op, MaxPool)
    return (_squeeze_stage(lp, other),)


def _condition(frame: Frame) -> Maths:
    """Every entry of the input is nonnegative."""
    names = frame.letters.axes("input", frame.op.spatial_axes)

    def write(style: Style) -> str:
        entry = style.entry(frame.letters.input, names)
        return style.relation(">=").join([entry, "0"])

    return maths(write)


def _norm_name(frame: Frame, order: str) -> Label:
    """``L_p`` at one output."""
    outputs = frame.letters.axes("output", frame.op.spatial_axes)
    letter = frame.beside("L", frame.beside("M"))  # the largest entry is on the same page

    def write(style: Style) -> str:
        place = [style.name(o) for o in outputs]
        return style.entry_of_numbered(style.numbered(letter, order), place)

    return Label(write(LATEX), write(UNICODE))


def _average_stage(lp: Frame, average: Frame) -> Stage:
    formula = average.output
    with_absolute = formula.with_body(transform(formula.body, lambda n: Absolute(n) if isinstance(n, Access) else None))
    first = Step(
        average.number(),
        formula,
        with_absolute,
        "absolute_of_nonnegative",
        "Absolute value.",
        ("An entry that is not negative is its own absolute value.",),
        needs=(_condition(average), *_and(needs_of_outputs(average))),
        opens=True,
        check=lambda: _under_condition(formula, with_absolute),
    )
    op = lp.op
    assert isinstance(op, LPPool)
    one_norm = replace(op, norm_type=1)
    norm = Frame(one_norm, "input", lp.names, lp.base, lp.input_size).output
    divisor, _ = _split_divisor(formula.body)
    named = formula.with_body(product(divisor, Named(_norm_name(lp, "1"), (), norm.body)))
    second = Step(
        average.number(),
        with_absolute,
        named,
        "recognise",
        "Recognise",
        ("LP pooling with exponent 1 over the same windows.",),
        needs=needs_of_outputs(average),
        uses=(first.id,),
    )
    return Stage(
        ("The average is the 1-norm divided by ", _divisor_words(average)),
        (
            "for every ",
            average.output_entry,
            ", and entries ",
            maths(lambda s: s.relation(">=").join(["", "0"]).strip()),
        ),
        (first, second),
    )


def _divisor_words(average: Frame) -> str:
    """What an average divides by, in words."""
    op = average.op
    assert isinstance(op, AvgPool)
    if op.divisor_override is not None:
        return str(op.divisor_override)
    if not is_padded(average) and not op.ceil_mode:
        return "its number of taps"
    return f"its number of taps in the {'padded input' if op.count_include_pad else 'input'}"


def _and(needs: Phrase) -> Phrase:
    return (", and ", *needs) if needs else ()


def _under_condition(left: Formula, right: Formula) -> Verdict:
    """Equality for nonnegative entries: |x| is read as x on both sides, and what is left is proved."""

    def read(formula: Formula) -> Formula:
        return formula.with_body(transform(formula.body, lambda n: n.arg if isinstance(n, Absolute) else None))

    verdict = prove(read(left), read(right))
    record = preceded_by(verdict.record, "absolute values")
    return replace(verdict, explanation=f"For entries >= 0, where |x| = x. {verdict.explanation}", record=record)


def _squeeze_stage(lp: Frame, maximum: Frame) -> Stage:
    """M**p <= sum <= n*M**p, the p-th root, and the limit."""
    op = lp.op
    assert isinstance(op, LPPool)
    if is_symbolic(op.norm_type):
        p = str(op.norm_type)
    else:
        p = next(name for name in "prtzlvkes" if name not in lp.letters.names)
        lp = Frame(replace(op, norm_type=symbol(p, positive=True)), "input", lp.names, lp.base, lp.input_size)
    m = lp.beside("M")
    formula = lp.output
    total = _power_sum(formula.body)
    context = context_of(formula)
    taps = Index.of(1)
    for window in op.windows:
        taps = taps * window.k
    count = maths(lambda s: s.index(taps, context))
    alone = taps.value is not None or (len(taps.terms) == 1 and len(next(iter(taps.terms))) == 1)
    base = count if alone else Maths(f"({count.latex})", f"({count.text})")
    real: Phrase = () if has_real_taps(lp) else ("a tap in the input for the window of ", lp.output_entry)
    p_name = maths(lambda s: s.name(p))
    big = Maths(rf"{m}^{{{p_name.latex}}}", f"{m}^{p_name.text}")
    sum_text = maths(lambda s: s.node(total, context))
    bound = Maths(rf"{count.latex}\, {m}^{{{p_name.latex}}}", f"{count.text}·{m}^{p_name.text}")
    norm = _norm_name(lp, p)
    name = Maths(norm.latex, norm.text)
    largest = maths(lambda s: f"{m} = {s.node(maximum.output.body, context_of(maximum.output))}")
    first = Step(
        lp.number(),
        formula,
        formula,
        "largest_term",
        "One term",
        ("of the sum is the power of the largest entry, ", largest, ", and none is negative."),
        needs=(_condition(lp), *_and(real)),
        opens=True,
        shown=(big, "<=", sum_text),
        check=lambda: at_this_layer(lp, power_sum_bound("lower"), p),
    )
    second = Step(
        lp.number(),
        formula,
        formula,
        "every_term",
        "Every term",
        ("of the ", count, " (fewer where taps lie in the padding) is at most the largest.")
        if is_padded(lp) or op.ceil_mode
        else ("of the ", count, " is at most the largest."),
        needs=(_condition(lp), *_and(real)),
        uses=(first.id,),
        opens=True,
        shown=(sum_text, "<=", bound),
        check=lambda: at_this_layer(lp, power_sum_bound("upper"), p),
    )
    power = Maths(rf"{base.latex}^{{1/{p_name.latex}}}", f"{base.text}^(1/{p_name.text})")
    root = Maths(rf"{power.latex}\, {m}", f"{power.text}·{m}")
    between_text = maths(lambda s: s.relation("<=").join([s.written(name), s.written(root)]))
    third = Step(
        lp.number(),
        formula,
        formula,
        "take_roots",
        "Take roots:",
        ("the root is increasing, and that of the sum is the LP pooling.",),
        needs=(_condition(lp), *_and(real)),
        uses=(first.id, second.id),
        opens=True,
        shown=(Maths(m, m), "<=", between_text),
        check=lambda: at_this_layer(lp, _both_bounds(), p),
    )
    letter = Maths(m, m)
    limit = maths(lambda s: s.limit(s.written(p_name), s.written(name)))
    fourth = Step(
        lp.number(),
        formula,
        formula,
        "squeeze",
        "Squeeze:",
        (
            Maths(rf"{power.latex} \to 1", f"{power.text} → 1"),
            ", so both bounds tend to ",
            letter,
            ".",
        ),
        needs=(_condition(lp), *_and(real)),
        uses=(third.id,),
        opens=True,
        shown=(limit, "=", letter),
        check=lambda: at_this_layer(maximum, _limit()),
    )
    domain: Phrase = (
        "for every ",
        lp.output_entry,
        ", every ",
        maths(lambda s: s.relation(">=").join([s.name(p), "1"])),
    )
    return Stage(("The maximum is the limit of LP poolings",), domain, (first, second, third, fourth))


def _power_sum(body: Node) -> Node:
    """The sum of powers below the root of an LP pooling."""
    if isinstance(body, Power):
        return body.base
    return body


def _both_bounds() -> Verdict:
    lower, upper = power_sum_bound("lower"), power_sum_bound("upper")
    weaker = lower if lower.status != "proved" else upper
    return replace(weaker, obligations=(*lower.obligations, *upper.obligations))


def _limit() -> Verdict:
    """The outer bound tends to the inner one: SymPy's limit of n**(1/p) for a symbolic n, and the bounds themselves."""
    import sympy

    n, p = sympy.Symbol("n", positive=True), sympy.Symbol("p", positive=True)
    verdict = _both_bounds()
    if verdict.status == "proved" and sympy.limit(n ** (1 / p), p, sympy.oo) != 1:
        return Verdict(
            "undecided", VerdictScope(("n", "p")), explanation="The limit of n**(1/p) was not found to be 1."
        )
    return verdict
