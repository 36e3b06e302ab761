"""The gradients of a convolution read as convolutions: the kernel turned, the strides exchanged, all ones upstream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

from symconv.derivations import rules
from symconv.derivations.chain import Frame, extents, per_axis, size_text
from symconv.derivations.step import Definition, Maths, Phrase, Stage, Step, maths
from symconv.formulas.algebra import Access, Bound, Bracket, Label, Named, Node, expand, inside, rebuild, transform
from symconv.formulas.arrays import Array, correlated, padded, tensor, upsampled
from symconv.formulas.arrays import ones as ones_of
from symconv.formulas.arrays import turned as reversed_
from symconv.formulas.calculus import without_settled_guards
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index, quotient
from symconv.formulas.printing import LATEX, UNICODE, Style, context_of
from symconv.operators.convolution import Conv

__all__ = ["all_ones_stage", "input_stage", "padded_array", "turned_array", "weight_stage"]


def input_stage(frame: Frame, op: Conv, touched: Step) -> tuple[Stage, tuple[Definition, ...]]:
    """The gradient by the input as a correlation of the padded, upsampled upstream gradient with the turned kernel."""
    windows, ndim = op.windows, op.spatial_axes
    sizes = frame.sizes
    taps = frame.letters.axes("weight", ndim)
    raw = rules.insert(rules.chain_rule(_unsifted(frame), frame.gradient, frame.letters.upstream, frame.output.free))
    by_taps = rules.sift_by_taps(raw, keep=taps)
    pads = [w.d * (w.k - 1) - w.padding(n)[0] for w, n in zip(windows, sizes, strict=True)]
    words: list[str | Maths]
    if op.flip:
        turned, names = by_taps, taps
        words = ["the output indices by taps, which run the same way as the kernel of a flipped convolution."]
    else:
        names = frame.letters.axes("turned", ndim)
        turned = _turned(by_taps, taps, names, [w.k for w in windows], frame.base)
        words = [_equations(names, taps, [w.k for w in windows], frame), ", so that the kernel runs backwards."]
    label = _marked(frame.letters.upstream, "tilde")
    named = rules.name_access(turned, frame.letters.upstream, label, [w.s for w in windows], pads)
    first = Step(
        frame.number(),
        touched.after,
        named,
        "turn",
        "Substitute",
        tuple(words),
        uses=(touched.id, "D3"),
    )
    definition = _padded_definition(
        "D3",
        frame,
        "upstream",
        [w.s for w in windows],
        pads,
        label,
        [n + w.d * (w.k - 1) for w, n in zip(windows, sizes, strict=True)],
    )
    steps, definitions = [first], [definition]
    if op.in_channels == 1 and op.out_channels == 1:
        kernel = frame.array("weight") if op.flip else _turned_kernel(frame, ndim)
        whole = _correlation(
            _padded(frame, "upstream", [w.s for w in windows], pads), kernel, [w.d for w in windows], [], frame
        )
        image = padded(upsampled(_array(frame, "upstream"), [w.s for w in windows]), pads, [Index.of(0)] * ndim)
        turning = _array(frame, "weight") if op.flip else reversed_(_array(frame, "weight"))
        result = correlated(image, turning, dilation=[w.d for w in windows], sizes=sizes)
        recognised = _recognised(named, whole, result)
        if not op.flip:
            definitions.append(_turned_definition("D4", frame, names, [w.k for w in windows]))
        steps.append(
            Step(
                frame.number(),
                named,
                recognised,
                "recognise",
                "Recognise",
                (
                    "(D1): image ",
                    _padded(frame, "upstream", [w.s for w in windows], pads),
                    ", kernel ",
                    kernel,
                    "; the result has the size of the input.",
                ),
                uses=(first.id, "D1", *(d.id for d in definitions)),
            )
        )
    title: Phrase = ("Read the sum as a correlation",)
    return Stage(title, ("for every ", frame.variable_entry), tuple(steps)), tuple(definitions)


def weight_stage(frame: Frame, op: Conv, touched: Step) -> tuple[Stage, tuple[Definition, ...]]:
    """The gradient by the kernel: the input correlated with the upstream gradient, stride and dilation exchanged."""
    windows = op.windows
    pads = [w.padding(n)[0] for w, n in zip(windows, frame.sizes, strict=True)]
    image: Maths = frame.array("input")
    definitions: tuple[Definition, ...] = ()
    before = touched.after
    steps = []
    if any(pad != 0 for pad in pads):
        label = _marked(frame.letters.input, "tilde")
        unit = [Index.of(1)] * len(pads)
        extents = [n + w.padding(n)[0] + w.padding(n)[1] for w, n in zip(windows, frame.sizes, strict=True)]
        before = rules.name_access(touched.after, frame.letters.input, label, unit, pads)
        definitions = (_padded_definition("D3", frame, "input", unit, pads, label, extents),)
        image = _padded(frame, "input", unit, pads)
        steps.append(
            Step(
                frame.number(),
                touched.after,
                before,
                "name_access",
                "Read",
                ("the entries outside ", frame.array("input"), " as zeros around it (D3)."),
                uses=(touched.id, "D3"),
            )
        )
    whole = _correlation(image, frame.array("upstream"), [w.s for w in windows], [w.d for w in windows], frame)
    around = padded(_array(frame, "input"), pads, [Index.of(0)] * len(pads))
    result = correlated(
        around,
        _array(frame, "upstream"),
        [w.d for w in windows],
        [w.s for w in windows],
        sizes=[w.k for w in windows],
    )
    if op.flip:  # the kernel was read backwards, and so is its gradient
        whole, result = _around(whole, op.spatial_axes), reversed_(result)
    last = steps[-1].id if steps else touched.id
    swapped: Phrase = (
        () if all(w.s == 1 and w.d == 1 for w in windows) else (" Stride and dilation have changed places.",)
    )
    backwards: Phrase = (" The result runs backwards, as the kernel does.",) if op.flip else ()
    steps.append(
        Step(
            frame.number(),
            before,
            _recognised(before, whole, result),
            "recognise",
            "Recognise",
            ("(D1): image ", image, ", kernel ", frame.array("upstream"), ".", *swapped, *backwards),
            uses=(last, "D1"),
        )
    )
    return Stage(("Read the sum as a correlation",), ("for every ", frame.variable_entry), tuple(steps)), definitions


def all_ones_stage(frame: Frame, op: Conv, touched: Step) -> tuple[Stage, tuple[Definition, ...]]:
    """The gradient by the input where every upstream entry is 1: the padded kernel correlated with an array of ones."""
    windows, ndim = op.windows, op.spatial_axes
    ones = _with_ones(touched.after, frame)
    first = Step(
        frame.number(),
        _with_ones(frame.gradient, frame),
        ones,
        "put_ones",
        "Put",
        (
            maths(lambda s: f"{_upstream_entry(frame, s)} = 1"),
            f" into ({touched.id}): the error is the sum of all outputs.",
        ),
        uses=(touched.id,),
        opens=True,
    )
    outputs = frame.letters.axes("output", ndim)
    names = frame.letters.axes("turned", ndim)
    counts = [bound.upper - bound.lower + 1 for bound in frame.output.free]
    raw = _with_ones(
        rules.insert(rules.chain_rule(_unsifted(frame), frame.gradient, frame.letters.upstream, frame.output.free)),
        frame,
    )
    closed = rules.sift_by_taps(raw, keep=outputs)
    turned = _turned(closed, outputs, names, counts, frame.base)
    pads = [w.s * (count - 1) - w.padding(n)[0] for w, count, n in zip(windows, counts, frame.sizes, strict=True)]
    label = _marked(frame.letters.weight, "tilde")
    # a flipped convolution reads its kernel backwards already, so here the kernel itself is turned around
    kernel_turned = [w.k for w in windows] if op.flip else []
    named = rules.name_access(turned, frame.letters.weight, label, [w.d for w in windows], pads, kernel_turned)
    second = Step(
        frame.number(),
        ones,
        named,
        "turn",
        "Substitute",
        (_equations(names, outputs, counts, frame), "."),
        uses=(first.id, "D5"),
    )
    square = maths(lambda s: _ones(counts, s, frame))
    image = _padded(frame, "weight", [w.d for w in windows], pads, turned=op.flip)
    whole = _correlation(image, square, [w.s for w in windows], [], frame)
    kernel = reversed_(_array(frame, "weight")) if op.flip else _array(frame, "weight")
    spread = padded(upsampled(kernel, [w.d for w in windows]), pads, [Index.of(0)] * ndim)
    result = correlated(spread, ones_of(counts, frame.base), dilation=[w.s for w in windows], sizes=frame.sizes)
    third = Step(
        frame.number(),
        named,
        _recognised(named, whole, result),
        "recognise",
        "Recognise",
        ("(D1): kernel and upstream gradient have changed places, and an array of ones is its own half turn.",),
        uses=(second.id, "D1", "D5"),
    )
    definition = _padded_definition(
        "D5",
        frame,
        "weight",
        [w.d for w in windows],
        pads,
        label,
        [n + w.s * (count - 1) for w, n, count in zip(windows, frame.sizes, counts, strict=True)],
        kernel_turned,
    )
    definitions: tuple[Definition, ...] = (definition,)
    if op.flip:
        definitions = (_turned_definition("D4", frame, names, kernel_turned), definition)
    domain: Phrase = (
        "for every ",
        frame.variable_entry,
        ", where every ",
        maths(lambda s: f"{_upstream_entry(frame, s)} = 1"),
    )
    return Stage(("The all-ones gradient",), domain, (first, second, third)), definitions


def padded_array(frame: Frame, op: Conv, input_size: Sequence[int]) -> Maths:
    """The padded and upsampled upstream gradient under the turned kernel, at a size."""
    pads = [w.d * (w.k - 1) - w.padding(n)[0] for w, n in zip(op.windows, input_size, strict=True)]
    return _padded(frame, "upstream", [w.s for w in op.windows], pads)


def turned_array(frame: Frame, op: Conv) -> Maths:
    """The kernel that slides over it."""
    return frame.array("weight") if op.flip else _turned_kernel(frame, op.spatial_axes)


# ---------------------------------------------------------------------- pieces


def _unsifted(frame: Frame) -> Formula:
    target = frame.derivative
    assert target.quantity.wrt is not None
    variable, at = target.quantity.wrt
    return rules.use_independence(
        rules.differentiate_term_by_term(frame.output, variable, at, target, frame.op.tie_policy())
    )


def _turned(formula: Formula, old: Sequence[str], new: Sequence[str], counts: Sequence[Index], base: int) -> Formula:
    """Indices that run backwards: the first of the old range is the last of the new one."""
    replacement = {o: count - 1 + 2 * base - Index.of(n) for o, n, count in zip(old, new, counts, strict=True)}
    bounds = [Bound(n, Index.of(base), count - 1 + base) for n, count in zip(new, counts, strict=True)]
    return rules.turn(formula, replacement, bounds)


def _equations(new: Sequence[str], old: Sequence[str], counts: Sequence[Index], frame: Frame) -> Maths:
    context = context_of(frame.gradient)

    def write(style: Style) -> str:
        pieces = []
        for n, o, count in zip(new, old, counts, strict=True):
            value = style.index(count - 1 + 2 * frame.base - Index.of(o), context)
            pieces.append(f"{style.name(n)} = {value}")
        return (r",\; " if style is LATEX else ", ").join(pieces)

    return maths(write)


def _marked(letter: str, mark: str) -> Label:
    latex = LATEX.name(letter)
    return Label(rf"\{mark} {latex}", UNICODE.name(letter) + "\u0303")


def _padded(frame: Frame, role: str, scales: Sequence[Index], pads: Sequence[Index], *, turned: bool = False) -> Maths:
    """``pad_r(up_s(X))``, each part only where it does something; X may be the kernel turned around."""
    context = context_of(frame.gradient)

    def write(style: Style) -> str:
        text = style.name(frame.capital(role))
        if turned:
            whole = _turned_kernel(frame, frame.op.spatial_axes)
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


def _turned_kernel(frame: Frame, ndim: int) -> Maths:
    return maths(lambda s: f"{_turn(ndim, s)}({s.name(frame.capital('weight'))})")


def _around(array: Label, ndim: int) -> Label:
    """An array in brackets, turned around."""
    return Label(_turn(ndim, LATEX) + array.latex, _turn(ndim, UNICODE) + array.text)


def _ones(counts: Sequence[Index], style: Style, frame: Frame) -> str:
    context = context_of(frame.gradient)
    times = (r" \times " if style is LATEX else "×").join(style.index(c, context) for c in counts)
    return rf"\mathbf{{1}}_{{{times}}}" if style is LATEX else f"ones({times})"


def _correlation(
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


def _array(frame: Frame, role: str) -> Array:
    """The array of a role, in the entries of its tensor."""
    letter: str = getattr(frame.letters, role)
    return tensor(letter, frame.gradient.boxes[letter], frame.base)


def _recognised(formula: Formula, label: Label, array: Array) -> Formula:
    """The same quantity as an entry of a whole array: the label prints its construction, and its entry is checked."""
    place = tuple(Index.of(name) for name in formula.indices)
    return formula.with_body(Named(label, place, array.entry(place)))


def _upstream_entry(frame: Frame, style: Style) -> str:
    indices = [style.name(i) for i in frame.output.indices]
    return style.subscripted(style.name(frame.letters.upstream), indices)


def _with_ones(formula: Formula, frame: Frame) -> Formula:
    """The formula with every entry of the upstream gradient 1 (and still 0 outside its box)."""
    letter = frame.letters.upstream
    known = formula.knowledge()

    def change(node: Node) -> Node | None:
        if isinstance(node, Access) and node.tensor == letter:
            return Bracket(inside(node, formula.boxes[letter]))
        return None

    body = transform(formula.body, change)
    terms = [without_settled_guards(term, known) for term in expand(body)]
    return replace(formula, body=rebuild(terms), tensors=tuple(t for t in formula.tensors if t.name != letter))


def _padded_definition(
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
    channels = frame.output.indices[: len(frame.tensor(role).box) - len(pads)] if role == "upstream" else ()
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
    whole = _padded(frame, role, scales, pads, turned=bool(turned))
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


def _turned_definition(id: str, frame: Frame, names: Sequence[str], counts: Sequence[Index]) -> Definition:
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
        (_turned_kernel(frame, len(names)),),
        (maths(write), *where),
        "half turn" if len(names) == 2 else "reversal",
        (size_text(counts, context),),
    )


def _spare_places(frame: Frame, count: int) -> tuple[str, ...]:
    """Letters for a place in an array that has no index letters of its own."""
    used = {letter for entry in fields(frame.letters) for letter in getattr(frame.letters, entry.name)}
    free = [letter for letter in "stwxyzlkrqponmjihvue" if letter not in used]
    return tuple(free[:count]) if len(free) >= count else tuple(f"s{axis}" for axis in range(1, count + 1))
