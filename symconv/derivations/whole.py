"""Whole arrays in derivations: sums read as the correlation of padded, upsampled and turned arrays."""

from __future__ import annotations

from collections.abc import Sequence

from symconv.derivations import rules
from symconv.derivations.frame import Frame, extents, per_axis, size_text
from symconv.derivations.spread import Spread, array_of, turn, turned_kernel
from symconv.derivations.step import Definition, Maths, Phrase, Step, maths
from symconv.formulas.algebra import Access, Bound, Guard, Label, Named, add
from symconv.formulas.arrays import Array, correlated, turned
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index, quotient
from symconv.formulas.printing import LATEX, UNICODE, Style, context_of
from symconv.operators.channels import Channelled
from symconv.operators.option import DILATION, STRIDE

__all__ = [
    "correlation",
    "direct_steps",
    "equations",
    "has_result_size",
    "image_of_turned",
    "recognised",
    "single_channel",
    "turned_definition",
    "turned_indices",
    "turned_steps",
]


def single_channel(op: Channelled) -> bool:
    """Whether arrays have spatial axes alone, as a correlation of whole arrays needs them."""
    return bool(op.in_channels == 1 and op.out_channels == 1)


def turned_steps(
    frame: Frame,
    before: Step,
    by_taps: Formula,
    role: str,
    flip: bool,
    sizes: Sequence[Index],
    result: tuple[Phrase, Sequence[Index]],
) -> tuple[tuple[Step, ...], tuple[Definition, ...]]:
    """A sum over taps as the correlation of an upsampled and padded array with the turned kernel.

    Args:
        frame: the derivation.
        before: the step whose result is rewritten.
        by_taps: the same quantity as a sum over taps, with divisibility conditions on the places that are read.
        role: whose entries are read, "upstream" or "input".
        flip: whether the operator itself turns its kernel, so that here nothing is left to turn.
        sizes: the size of the result on every axis; the spread array is as much larger as the kernel reaches.
        result: the size of the result, in words and in numbers.
    """
    op, windows, ndim = _channelled(frame), frame.op.windows, frame.op.spatial_axes
    taps = frame.letters.axes("weight", ndim)
    dilations, kernel_sizes = [w.d for w in windows], [w.k for w in windows]
    place = "output" if role == "upstream" else "input"
    words: Phrase
    if flip:
        rewritten, names = by_taps, taps
        words = (f"the {place} indices by taps, which run the same way as the kernel of a flipped convolution.",)
    else:
        names = frame.letters.axes("turned", ndim)
        rewritten = turned_indices(by_taps, taps, names, kernel_sizes, frame.base)
        words = (equations(names, taps, kernel_sizes, frame), ", so that the kernel runs backwards.")
    image = image_of_turned(frame, role, sizes)
    named = image.named(rewritten)
    definitions = [] if image.is_plain else [image.definition("D3")]
    line, last, steps = before.after, before, []
    if named.text() != line.text():
        uses = (before.id, *(d.id for d in definitions))
        last = Step(frame.number(), line, named, "turn", "Substitute", words, uses=uses)
        steps.append(last)
    if single_channel(op):
        kernel = frame.array("weight") if flip else turned_kernel(frame, ndim)
        turning = array_of(frame, "weight") if flip else turned(array_of(frame, "weight"))
        whole = correlation(image.name, kernel, dilations, [], frame)
        if not flip:
            definitions.append(turned_definition("D4", frame, names, kernel_sizes))
        slid = correlated(image.array, turning, dilation=dilations, sizes=result[1])
        steps.append(
            Step(
                frame.number(),
                last.after,
                recognised(named, whole, slid),
                "recognise",
                "Recognise",
                (*_a_correlation(frame), ": image ", image.introduced, ", kernel ", kernel, "; ", *result[0], "."),
                uses=(last.id, *([] if _is_transposed(frame) else ["D1"]), *(d.id for d in definitions)),
                fits=has_result_size(named, slid),
            )
        )
    return tuple(steps), tuple(definitions)


def image_of_turned(frame: Frame, role: str, sizes: Sequence[Index]) -> Spread:
    """What the turned kernel slides over: a tensor upsampled by the stride and padded by what the kernel reaches.

    Args:
        frame: the derivation.
        role: whose entries it has.
        sizes: the size of the result; the array is as much larger as the kernel reaches.
    """
    windows = frame.op.windows
    return Spread(
        frame,
        role,
        tuple(w.s for w in windows),
        tuple(w.span - 1 - w.padding(n)[0] for w, n in zip(windows, sizes, strict=True)),
        tuple(n + w.span - 1 for w, n in zip(windows, sizes, strict=True)),
    )


def direct_steps(
    frame: Frame,
    touched: Step,
    roles: tuple[str, str],
    strides: Sequence[Index],
    dilations: Sequence[Index],
    result_sizes: Sequence[Index],
    *,
    turn: str = "",
    remark: str = "",
) -> tuple[tuple[Step, ...], tuple[Definition, ...]]:
    """A sum as the correlation of a padded array with another one, whose indices run the same way.

    Args:
        frame: the derivation.
        touched: the step whose result is read.
        roles: whose entries are the image and the kernel.
        strides, dilations: those of the correlation.
        result_sizes: the size of the result.
        turn: "kernel" or "result" where that is turned around.
        remark: what else there is to say.
    """
    windows, ndim = frame.op.windows, frame.op.spatial_axes
    image_role, kernel_role = roles
    slid = extents(frame.tensor(kernel_role))[-ndim:]
    pads = tuple(w.padding(n)[0] for w, n in zip(windows, frame.sizes, strict=True))
    apart = zip(result_sizes, strides, dilations, slid, strict=True)
    covered = [s * (result - 1) + d * (k - 1) + 1 for result, s, d, k in apart]
    declared = _with_declared_padding(frame, image_role)
    for axis, n in enumerate(declared):  # the padding of the layer, where it gives a result of the same size
        over = quotient(n - covered[axis], strides[axis], "floor")
        covered[axis] = n if over.subs(dict(frame.output.definitions)) == 0 else covered[axis]
    image = Spread(frame, image_role, (Index.of(1),) * ndim, pads, tuple(covered))
    kernel_name = frame.array(kernel_role)
    definitions: tuple[Definition, ...] = ()
    before, last, steps = touched.after, touched, []
    if not image.is_plain:
        before = image.named(touched.after)
        definitions = (image.definition("D3"),)
        last = Step(
            frame.number(),
            touched.after,
            before,
            "name_access",
            "Read",
            ("what the windows cover: ", frame.array(image_role), ", zeros where they reach beyond it (D3)."),
            uses=(touched.id, "D3"),
        )
        steps.append(last)
    if not single_channel(_channelled(frame)):
        return tuple(steps), definitions
    kernel = array_of(frame, kernel_role)
    if turn == "kernel":
        kernel, kernel_name = turned(kernel), turned_kernel(frame, ndim)
    whole = correlation(image.name, kernel_name, dilations, strides, frame)
    result = correlated(image.array, kernel, strides, dilations, sizes=result_sizes)
    if turn == "result":  # the kernel was read backwards, and so is its gradient
        whole, result = _around(whole, ndim), turned(result)
    steps.append(
        Step(
            frame.number(),
            before,
            recognised(before, whole, result),
            "recognise",
            "Recognise",
            (*_a_correlation(frame), ": image ", image.introduced, ", kernel ", kernel_name, ".", remark),
            uses=(last.id, *([] if _is_transposed(frame) else ["D1"])),
            fits=has_result_size(before, result),
        )
    )
    return tuple(steps), definitions


def _with_declared_padding(frame: Frame, role: str) -> list[Index]:
    """The size of an array with the layer's padding around it, one a spatial axis."""
    sizes = extents(frame.tensor(role))[-frame.op.spatial_axes :]
    pads = [w.padding(n) for w, n in zip(frame.op.windows, frame.sizes, strict=True)]
    return [n + before + after for n, (before, after) in zip(sizes, pads, strict=True)]


def _channelled(frame: Frame) -> Channelled:
    assert isinstance(frame.op, Channelled)
    return frame.op


def _is_transposed(frame: Frame) -> bool:
    return frame.op.noun == "transposed convolution"


def _a_correlation(frame: Frame) -> Phrase:
    """What is recognised: the definition of the operator where that is a correlation itself."""
    return ("a correlation",) if _is_transposed(frame) else ("(D1)",)


def turned_indices(
    formula: Formula, old: Sequence[str], new: Sequence[str], counts: Sequence[Index], base: int
) -> Formula:
    """Indices that run backwards: the first of the old range is the last of the new one."""
    replacement = {o: count - 1 + 2 * base - Index.of(n) for o, n, count in zip(old, new, counts, strict=True)}
    bounds = [Bound(n, Index.of(base), count - 1 + base) for n, count in zip(new, counts, strict=True)]
    return rules.turn(formula, replacement, bounds)


def equations(new: Sequence[str], old: Sequence[str], counts: Sequence[Index], frame: Frame) -> Maths:
    context = context_of(frame.gradient)

    def write(style: Style) -> str:
        pieces = []
        for n, o, count in zip(new, old, counts, strict=True):
            value = style.index(count - 1 + 2 * frame.base - Index.of(o), context)
            pieces.append(f"{style.name(n)} = {value}")
        return style.listed(pieces)

    return maths(write)


def _around(array: Label, ndim: int) -> Label:
    """An array in brackets, turned around."""
    return Label(turn(ndim, LATEX) + array.latex, turn(ndim, UNICODE) + array.text)


def correlation(
    image: Maths, kernel: Maths, dilations: Sequence[Index], strides: Sequence[Index], frame: Frame
) -> Label:
    """``image star kernel``, with stride and dilation named where they are not 1."""
    context = context_of(frame.gradient)

    def write(style: Style) -> str:
        notes = []
        for option, values in ((STRIDE, strides), (DILATION, dilations)):
            if not option.is_neutral(tuple(values)):
                notes.append(style.word(option.noun, per_axis(values, style, context)))
        star = style.marked(style.star(), style.items(notes))
        return style.parentheses(f"{style.written(image)} {star} {style.written(kernel)}")

    return Label(write(LATEX), write(UNICODE))


def recognised(formula: Formula, label: Label, array: Array) -> Formula:
    """The same quantity as an entry of a whole array: the label prints its construction, and its entry is checked.

    A bias stays beside it.
    """
    place = tuple(Index.of(name) for name in formula.indices)
    biases = [t.name for t in formula.tensors if t.role == "bias"]
    kept = [Access(name, ()) for name in biases if formula.quantity.kind == "entry"]
    return formula.with_body(add(Named(label, place, array.entry(place)), *kept))


def has_result_size(formula: Formula, array: Array) -> tuple[Guard, ...]:
    """The conditions under which an array has as many entries, on every axis, as the quantity that is read as it."""
    return array.has_size([bound.upper - bound.lower + 1 for bound in formula.free])


def turned_definition(id: str, frame: Frame, names: Sequence[str], counts: Sequence[Index]) -> Definition:
    context = context_of(frame.gradient)

    def write(style: Style) -> str:
        inner = [style.index(c - 1 + 2 * frame.base - Index.of(n), context) for n, c in zip(names, counts, strict=True)]
        return style.subscripted(style.name(frame.letters.weight), inner)

    places = [maths(lambda s, n=n: s.name(n)) for n in names]  # type: ignore[misc]
    where: Phrase = (
        (" in row ", places[0], ", column ", places[1])
        if len(names) == 2
        else (" at ", *(part for k, place in enumerate(places) for part in ((", ", place) if k else (place,))))
    )
    return Definition(
        id,
        (turned_kernel(frame, len(names)),),
        (maths(write), *where),
        "half turn" if len(names) == 2 else "reversal",
        (size_text(counts, context),),
    )
