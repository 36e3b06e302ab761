"""Whole arrays in derivations: padded, upsampled and turned arrays by name, and sums read as their correlation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from symconv.derivations import rules
from symconv.derivations.chain import Frame, extents, per_axis, size_text
from symconv.derivations.step import Definition, Maths, Phrase, Step, maths
from symconv.formulas.algebra import Access, Bound, Label, Named, add
from symconv.formulas.arrays import Array, correlated, padded, tensor, turned, upsampled
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index, quotient
from symconv.formulas.printing import LATEX, UNICODE, Style, context_of
from symconv.operators.channels import Channelled

__all__ = [
    "around",
    "array_of",
    "correlation",
    "direct_steps",
    "equations",
    "marked",
    "padded_definition",
    "padded_name",
    "recognised",
    "single_channel",
    "turned_definition",
    "turned_indices",
    "turned_kernel",
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
    pads = [w.d * (w.k - 1) - w.padding(n)[0] for w, n in zip(windows, sizes, strict=True)]
    strides, dilations, kernel_sizes = [w.s for w in windows], [w.d for w in windows], [w.k for w in windows]
    place = "output" if role == "upstream" else "input"
    words: Phrase
    if flip:
        rewritten, names = by_taps, taps
        words = (f"the {place} indices by taps, which run the same way as the kernel of a flipped convolution.",)
    else:
        names = frame.letters.axes("turned", ndim)
        rewritten = turned_indices(by_taps, taps, names, kernel_sizes, frame.base)
        words = (equations(names, taps, kernel_sizes, frame), ", so that the kernel runs backwards.")
    letter: str = getattr(frame.letters, role)
    label = marked(letter, "tilde")
    named = rules.name_access(rewritten, letter, label, strides, pads)
    spread = [n + d * (k - 1) for n, d, k in zip(sizes, dilations, kernel_sizes, strict=True)]
    definitions = [padded_definition("D3", frame, role, strides, pads, label, spread)]
    steps = [Step(frame.number(), before.after, named, "turn", "Substitute", words, uses=(before.id, "D3"))]
    if single_channel(op):
        kernel = frame.array("weight") if flip else turned_kernel(frame, ndim)
        image_name = padded_name(frame, role, strides, pads)
        image = padded(upsampled(array_of(frame, role), strides), pads, [Index.of(0)] * ndim)
        turning = array_of(frame, "weight") if flip else turned(array_of(frame, "weight"))
        whole = correlation(image_name, kernel, dilations, [], frame)
        if not flip:
            definitions.append(turned_definition("D4", frame, names, kernel_sizes))
        steps.append(
            Step(
                frame.number(),
                named,
                recognised(named, whole, correlated(image, turning, dilation=dilations, sizes=result[1])),
                "recognise",
                "Recognise",
                (*_a_correlation(frame), ": image ", image_name, ", kernel ", kernel, "; ", *result[0], "."),
                uses=(steps[-1].id, *([] if _is_transposed(frame) else ["D1"]), *(d.id for d in definitions)),
            )
        )
    return tuple(steps), tuple(definitions)


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
    letter: str = getattr(frame.letters, image_role)
    slid = frame.sizes if image_role == "input" else extents(frame.tensor("upstream"))[-ndim:]
    pads = [w.padding(n)[0] for w, n in zip(windows, slid, strict=True)]
    image_name, kernel_name = frame.array(image_role), frame.array(kernel_role)
    definitions: tuple[Definition, ...] = ()
    before, steps = touched.after, []
    unit = [Index.of(1)] * ndim
    if any(pad != 0 for pad in pads):
        label = marked(letter, "tilde")
        around_it = [n + sum(w.padding(n), Index.of(0)) for w, n in zip(windows, slid, strict=True)]
        before = rules.name_access(touched.after, letter, label, unit, pads)
        definitions = (padded_definition("D3", frame, image_role, unit, pads, label, around_it),)
        image_name = padded_name(frame, image_role, unit, pads)
        steps.append(
            Step(
                frame.number(),
                touched.after,
                before,
                "name_access",
                "Read",
                ("the entries outside ", frame.array(image_role), " as zeros around it (D3)."),
                uses=(touched.id, "D3"),
            )
        )
    if not single_channel(_channelled(frame)):
        return tuple(steps), definitions
    kernel = array_of(frame, kernel_role)
    if turn == "kernel":
        kernel, kernel_name = turned(kernel), turned_kernel(frame, ndim)
    whole = correlation(image_name, kernel_name, dilations, strides, frame)
    image = padded(array_of(frame, image_role), pads, [Index.of(0)] * ndim)
    result = correlated(image, kernel, strides, dilations, sizes=result_sizes)
    if turn == "result":  # the kernel was read backwards, and so is its gradient
        whole, result = around(whole, ndim), turned(result)
    steps.append(
        Step(
            frame.number(),
            before,
            recognised(before, whole, result),
            "recognise",
            "Recognise",
            (*_a_correlation(frame), ": image ", image_name, ", kernel ", kernel_name, ".", remark),
            uses=(steps[-1].id if steps else touched.id, *([] if _is_transposed(frame) else ["D1"])),
        )
    )
    return tuple(steps), definitions


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
        return (r",\; " if style is LATEX else ", ").join(pieces)

    return maths(write)


def marked(letter: str, mark: str) -> Label:
    latex = LATEX.name(letter)
    return Label(rf"\{mark} {latex}", UNICODE.name(letter) + "\u0303")


def padded_name(
    frame: Frame, role: str, scales: Sequence[Index], pads: Sequence[Index], *, turned: bool = False
) -> Maths:
    """``pad_r(up_s(X))``, each part only where it does something; X may be the kernel turned around."""
    context = context_of(frame.gradient)

    def write(style: Style) -> str:
        text = style.name(frame.capital(role))
        if turned:
            whole = turned_kernel(frame, frame.op.spatial_axes)
            text = whole.latex if style is LATEX else whole.text
        if any(scale != 1 for scale in scales):
            text = f"{_operator('up', per_axis(scales, style, context), style)}({text})"
        if any(pad != 0 for pad in pads):
            text = f"{_operator('pad', per_axis(pads, style, context), style)}({text})"
        return text

    return maths(write)


def _operator(name: str, index: str, style: Style) -> str:
    if style is LATEX:
        return rf"\operatorname{{{name}}}_{{{index}}}" if index else rf"\operatorname{{{name}}}"
    return f"{name}[{index}]" if index else name


def _turn(ndim: int, style: Style) -> str:
    """The sign for turning an array around: a half turn in the plane."""
    name, index = ("rot", "180") if ndim == 2 else ("rev", "")
    return _operator(name, index, style) if style is LATEX else name + index


def turned_kernel(frame: Frame, ndim: int) -> Maths:
    return maths(lambda s: f"{_turn(ndim, s)}({s.name(frame.capital('weight'))})")


def around(array: Label, ndim: int) -> Label:
    """An array in brackets, turned around."""
    return Label(_turn(ndim, LATEX) + array.latex, _turn(ndim, UNICODE) + array.text)


def correlation(
    image: Maths, kernel: Maths, dilations: Sequence[Index], strides: Sequence[Index], frame: Frame
) -> Label:
    """``image star kernel``, with stride and dilation named where they are not 1."""
    context = context_of(frame.gradient)

    def write(style: Style, left: str, right: str) -> str:
        notes = []
        for word, values in (("stride", strides), ("dilation", dilations)):
            if any(value != 1 for value in values):
                shown = per_axis(values, style, context)
                notes.append(rf"\text{{{word} }}{shown}" if style is LATEX else f"{word} {shown}")
        if style is LATEX:
            joined = r",\,".join(notes)
            index = f"_{{{joined}}}" if notes else ""
            return rf"\left( {left} \star{index} {right} \right)"
        note = f"[{', '.join(notes)}]" if notes else ""
        return f"({left} ⋆{note} {right})"

    return Label(write(LATEX, image.latex, kernel.latex), write(UNICODE, image.text, kernel.text))


def array_of(frame: Frame, role: str) -> Array:
    """The array of a role, in the entries of its tensor."""
    letter: str = getattr(frame.letters, role)
    return tensor(letter, frame.gradient.boxes[letter], frame.base)


def recognised(formula: Formula, label: Label, array: Array) -> Formula:
    """The same quantity as an entry of a whole array: the label prints its construction, and its entry is checked.

    A bias stays beside it.
    """
    place = tuple(Index.of(name) for name in formula.indices)
    biases = [t.name for t in formula.tensors if t.role == "bias"]
    kept = [Access(name, ()) for name in biases if formula.quantity.kind == "entry"]
    return formula.with_body(add(Named(label, place, array.entry(place)), *kept))


def padded_definition(
    id: str,
    frame: Frame,
    role: str,
    scales: Sequence[Index],
    pads: Sequence[Index],
    label: Label,
    sizes: Sequence[Index],
    turned: Sequence[Index] = (),
) -> Definition:
    """The entry of a padded and upsampled array, turned around before where its sizes are given in `turned`."""
    letter: str = getattr(frame.letters, role)
    context = context_of(frame.gradient)
    places = _spare_places(frame, len(pads))
    own = frame.letters.output_channel if role == "upstream" else frame.letters.input_channel
    channels = (own,)[: len(frame.tensor(role).box) - len(pads)]
    sizes = [*extents(frame.tensor(role))[: len(channels)], *sizes]

    def write(style: Style) -> str:
        lead = [style.name(name) for name in channels]
        left = style.subscripted(style.label(label), [*lead, *places])
        inner = list(lead)
        for axis, (place, scale, pad) in enumerate(zip(places, scales, pads, strict=True)):
            moved = Index.of(place) - pad
            if scale != 1:
                moved = quotient(moved - frame.base, scale, "exact") + frame.base
            if turned:
                moved = turned[axis] - 1 + 2 * frame.base - moved
            inner.append(style.index(moved, context))
        return f"{left} = {style.subscripted(style.name(letter), inner)}"

    words = "padding" if all(scale == 1 for scale in scales) else "upsampling and padding"
    whole = padded_name(frame, role, scales, pads, turned=bool(turned))
    if len(whole.text) > 16:  # too long for the first column: the marked capital stands for it
        capital = frame.capital(role)
        whole = Maths(rf"\tilde {LATEX.name(capital)}", UNICODE.name(capital) + "\u0303")
    upsampled = "" if all(scale == 1 for scale in scales) else " (an integer index)"
    return Definition(
        id,
        (whole,),
        (maths(write), f" where it exists{upsampled}, else 0"),
        words,
        (size_text(sizes, context),),
    )


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


def _spare_places(frame: Frame, count: int) -> tuple[str, ...]:
    """Letters for a place in an array that has no index letters of its own."""
    used = {letter for entry in fields(frame.letters) for letter in getattr(frame.letters, entry.name)}
    free = [letter for letter in "stwxyzlkrqponmjihvue" if letter not in used]
    return tuple(free[:count]) if len(free) >= count else tuple(f"s{axis}" for axis in range(1, count + 1))
