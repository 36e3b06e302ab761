"""How poolings over the same windows are related: the mean is a scaled 1-norm, the maximum a limit of norms."""

from __future__ import annotations

from dataclasses import replace

from symconv.derivations.counting import at_this_layer
from symconv.derivations.frame import Frame, is_padded
from symconv.derivations.step import Maths, Phrase, Stage, Step, maths
from symconv.derivations.window_sets import split_divisor
from symconv.derivations.windows import has_real_taps, needs_of_outputs
from symconv.errors import GeometryError
from symconv.formulas.algebra import Absolute, Access, Label, Named, Node, Power, product
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.printing import LATEX, UNICODE, Style, context_of
from symconv.formulas.symbols import is_symbolic, symbol
from symconv.formulas.walks import transform
from symconv.operators.letters import Letters
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.proofs.induction import power_sum_bound
from symconv.proofs.prove import prove
from symconv.proofs.record import preceded_by
from symconv.proofs.verdict import Verdict, VerdictScope

__all__ = ["relation_stages"]


def relation_stages(lp: Frame, other: Frame) -> tuple[Stage, ...]:
    """Average or maximum pooling from LP pooling over the same windows, for entries that are not negative.

    Both are written in the letters of the LP pooling, which make way for its exponent.

    Raises:
        GeometryError: where the windows are not the same.
    """
    if lp.op.windows != other.op.windows or lp.input_size != other.input_size:
        raise GeometryError("operators", other.op, "must have the windows and the input size of the LP pooling")
    other = replace(other, names={role: getattr(lp.letters, role) for role in Letters.roles()})
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
    norm = replace(average, op=one_norm).output  # in the letters of the page
    divisor, _ = split_divisor(formula.body)
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
        lp = replace(lp, op=replace(op, norm_type=symbol(p, positive=True)))
    m = lp.beside("M")
    formula = lp.output
    total = _power_sum(formula.body)
    context = context_of(formula)
    taps = Index.of(1)
    for window in op.windows:
        taps = taps * window.k
    count = maths(lambda s: s.index(taps, context))
    in_brackets = Maths(f"({count.latex})", f"({count.text})")
    is_alone = taps.value is not None or taps in map(Index.of, taps.names)
    base = count if is_alone else in_brackets
    factor = in_brackets if len(taps.terms) > 1 else count
    real: Phrase = () if has_real_taps(lp) else ("a tap in the input for the window of ", lp.output_entry)
    p_name = maths(lambda s: s.name(p))
    big = Maths(rf"{m}^{{{p_name.latex}}}", f"{m}^{p_name.text}")
    sum_text = maths(lambda s: s.node(total, context))
    bound = Maths(rf"{factor.latex}\, {m}^{{{p_name.latex}}}", f"{factor.text}·{m}^{p_name.text}")
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
    return replace(upper if lower.holds else lower, obligations=(*lower.obligations, *upper.obligations))


def _limit() -> Verdict:
    """The outer bound tends to the inner one: SymPy's limit of n**(1/p) for a symbolic n, and the bounds themselves."""
    import sympy

    n, p = sympy.symbols("n p", positive=True)
    if sympy.limit(sympy.root(n, p), p, sympy.oo) != 1:
        return Verdict(
            "undecided", VerdictScope(("n", "p")), explanation="The limit of n**(1/p) was not found to be 1."
        )
    return _both_bounds()
