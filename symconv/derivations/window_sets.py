"""Poolings over their window sets: the positions of a window, and the formula that reduces over them."""

from __future__ import annotations

from symconv.derivations.frame import Frame, is_padded
from symconv.derivations.step import Maths, Step, maths
from symconv.derivations.windows import needs_of_outputs
from symconv.formulas.algebra import (
    ONE,
    Access,
    Bound,
    Guard,
    Label,
    Named,
    Node,
    Reduce,
    between,
    divides,
    equal,
    product,
)
from symconv.formulas.bounds import Knowledge
from symconv.formulas.calculus import closed_count
from symconv.formulas.index import Index
from symconv.formulas.printing import LATEX, UNICODE, Style, context_of
from symconv.formulas.walks import transform
from symconv.operators.pooling import AvgPool, Pooling

__all__ = ["set_form_steps", "set_name", "split_divisor", "window_set"]


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
        own = (*between(first, place, first + d * (k - 1)), divides(d, place - first))
        guards += [guard for guard in own if guard.truth is not True]
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
    for axis, (name, first, k, d) in enumerate(_ends(frame)):
        if d != 1:
            continue
        tap = Bound(name, Index.of(0), k - 1)
        guards = tuple(g.subs({name: first + name}) for g in _clip(frame, axis))
        positions = Reduce("sum", (Bound(name, first, first + k - 1),), _clip(frame, axis), ONE)
        divisor = Reduce("sum", (tap,), guards if _is_counted(op, axis, frame.sizes[axis]) else (), ONE)
        conditions.append(equal(_closed(positions, known), _closed(divisor, known)))
    return tuple(conditions)


def _is_counted(op: AvgPool, axis: int, size: Index) -> bool:
    """Whether the formula divides by a count on an axis, not by the number of taps of the whole window."""
    return op.ceil_mode or (not op.count_include_pad and any(pad != 0 for pad in op.windows[axis].padding(size)))


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
    divisor, total = split_divisor(body)

    def write(style: Style) -> str:
        return style.one_over_size(style.written(set_name(frame)))

    return product(Named(Label(write(LATEX), write(UNICODE)), (), divisor), total)


def split_divisor(body: Node) -> tuple[Node, Node]:
    """``(divisor factors, the sum)`` of an average."""
    factors = body.args if hasattr(body, "args") else (body,)
    sums = [f for f in factors if isinstance(f, Named | Reduce)]
    rest = [f for f in factors if f not in sums]
    return product(*rest), product(*sums)
