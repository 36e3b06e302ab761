"""The stages that every gradient shares: one output and one entry, then all outputs that touch the entry."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from symconv.derivations import rules
from symconv.derivations.step import Definition, Maths, Phrase, Stage, Step, maths
from symconv.formulas.algebra import Access, Label, Named, Node, Power, Reduce, Share
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.naming import free_names, fresh_name
from symconv.formulas.printing import LATEX, UNICODE, PrintContext, Style, context_of
from symconv.formulas.quantity import Quantity, Tensor
from symconv.formulas.substitution import substitute
from symconv.formulas.terms import expand
from symconv.formulas.walker import case
from symconv.formulas.walks import Rewriter, accesses, transform, walk
from symconv.operators.base import Operator, Variable
from symconv.operators.letters import Letters, capital, look

__all__ = [
    "Frame",
    "abbreviated",
    "alike",
    "axes_alike",
    "derivative_stage",
    "entry",
    "extents",
    "gradient_stage",
    "is_padded",
    "notation",
    "per_axis",
    "share_definition",
    "size_text",
    "through_one_tap",
]


_BESIDE = ("W", "U", "V", "T", "R", "l", "t", "s", "r", "q")


@dataclass(frozen=True)
class Frame:
    """What the stages of one derivation have in common: operator, variable, letters, index base, step numbers."""

    op: Operator
    wrt: Variable = "input"
    names: Mapping[str, str] | None = None
    base: int = 1
    input_size: tuple[int, ...] | None = None
    _numbers: list[int] = field(default_factory=lambda: [0])

    def number(self) -> str:
        """The next step number."""
        self._numbers[0] += 1
        return str(self._numbers[0])

    @cached_property
    def letters(self) -> Letters:
        """The letters of the formulas."""
        return self.op.geometry(Letters.of(self.names), self.input_size).letters

    @cached_property
    def output(self) -> Formula:
        """The formula of one output."""
        return self.op.output(names=self.names, index_base=self.base, input_size=self.input_size)

    @cached_property
    def derivative(self) -> Formula:
        """The closed form of the derivative, as the operator gives it."""
        return self.op.derivative(self.wrt, names=self.names, index_base=self.base, input_size=self.input_size)

    @cached_property
    def gradient(self) -> Formula:
        """The gradient, as the operator gives it."""
        return self.op.gradient(self.wrt, names=self.names, index_base=self.base, input_size=self.input_size)

    @cached_property
    def sizes(self) -> tuple[Index, ...]:
        """The input sizes, one a spatial axis."""
        return self.op.geometry(Letters.of(self.names), self.input_size).sizes

    def constant(self, name: str) -> Formula:
        """A formula without free indices or tensors, under the same hypotheses, whose body is to be filled in."""
        defined = {own for own, _ in self.output.definitions}
        name = fresh_name(name, {*self.output.parameters, *self.letters.names})
        return replace(
            self.output,
            quantity=Quantity("entry", (name, ())),
            free=(),
            tensors=(),
            definitions=(),
            lower=tuple((own, low) for own, low in self.output.lower if own not in defined),
        )

    def tensor(self, role: str) -> Tensor:
        """The tensor of a role in the gradient's formula."""
        return next(t for t in self.gradient.tensors if t.role == role)

    def array(self, role: str) -> Maths:
        """A whole array: the capital letter of its entries."""
        return maths(lambda s: s.name(self.capital(role)))

    def capital(self, role: str) -> str:
        """The capital letter of an array."""
        return capital(getattr(self.letters, role))

    def beside(self, usual: str, *others: str) -> str:
        """A letter for what only the lines of a page name, such as a window set S: the first that means nothing else.

        Args:
            usual: the letter by which a reader expects it.
            others: further names that the page uses.
        """
        used = {look(name) for name in (*self.letters.printed(self.op.spatial_axes), *self.output.parameters, *others)}
        used |= {look(name) for name, _ in self.output.definitions}
        alphabet = string.ascii_uppercase if usual.isupper() else string.ascii_lowercase
        return next((letter for letter in (usual, *_BESIDE, *alphabet) if letter not in used
                     and letter.isupper() == usual.isupper()), usual + "'")  # fmt: skip

    @property
    def variable_entry(self) -> Maths:
        """The entry that is differentiated by."""
        assert self.gradient.quantity.wrt is not None
        return entry(*self.gradient.quantity.wrt)

    @property
    def output_entry(self) -> Maths:
        """One output."""
        return entry(*self.output.quantity.of)


def entry(letter: str, indices: Sequence[str]) -> Maths:
    """An entry of a tensor by its index names."""
    return maths(lambda s: s.entry(letter, indices))


def size_text(sizes: Sequence[Index], context: PrintContext) -> Maths:
    """A size such as ``5 x 5``, in numbers or symbols."""

    def write(style: Style) -> str:
        texts = [style.index(e, context) for e in sizes]
        if len(sizes) > 1:
            texts = [f"({text})" if len(e.terms) > 1 else text for text, e in zip(texts, sizes, strict=True)]
        return style.by(texts) or "1"

    return maths(write)


def axes_alike(kinds: Sequence[object]) -> list[tuple[int, str]]:
    """The first axis of every kind, and words for all axes of its kind; no words where there is one axis alone.

    >>> axes_alike(["long", "short", "long"])
    [(0, ' on axis 1, and alike on axis 3'), (1, ' on axis 2')]
    """
    result = []
    for axis, kind in enumerate(kinds):
        if kind not in kinds[:axis]:
            others = [str(other + 1) for other in range(axis + 1, len(kinds)) if kinds[other] == kind]
            words = f" on axis {axis + 1}"
            if others:
                words += f", and alike on {'axis' if len(others) == 1 else 'axes'} {' and '.join(others)}"
            result.append((axis, words if len(kinds) > 1 else ""))
    return result


def per_axis(values: Sequence[Index], style: Style, context: PrintContext) -> str:
    """One value where all axes agree, else a tuple."""
    return alike([style.index(value, context) for value in values], style)


def alike(texts: Sequence[str], style: Style) -> str:
    """One text where all axes agree, else a tuple."""
    return texts[0] if len(set(texts)) == 1 else f"({style.items(texts)})"


def extents(tensor: Tensor) -> list[Index]:
    """The size of every axis of a tensor."""
    return [high - low + 1 for low, high in tensor.box]


def notation(frame: Frame) -> tuple[Definition, ...]:
    """The arrays: the first definition is the operator's formula itself, the second the upstream gradient."""
    output = frame.output
    context = context_of(output)
    size: list[str | Maths] = [size_text([bound.upper - bound.lower + 1 for bound in output.free], context)]
    for position, (name, value) in enumerate(output.definitions):
        size.append(", with " if position == 0 else ", ")
        size.append(_equation(name, value, context))
    rule = maths(lambda s: f"{s.quantity(output.quantity)} = {s.pointwise(output.body, context)}")
    upstream = frame.tensor("upstream")
    error, own = frame.letters.error, frame.output_entry
    derivative = maths(lambda s: s.slash_derivative(s.name(error), s.written(own)))
    return (
        Definition("D1", _object(frame), (rule,), frame.op.noun, tuple(size)),
        Definition(
            "D2",
            (frame.array("upstream"),),
            (entry(upstream.name, output.indices), " = ", derivative),
            "upstream gradient",
            (size_text(extents(upstream), context),),
        ),
    )


def _object(frame: Frame) -> Phrase:
    """``C = A star B`` for a plain correlation of one channel without a bias, else the array alone."""
    op = frame.op
    if "bias" in op.variables:
        return (frame.array("output"),)
    if frame.op.noun != "correlation" or any(w.s != 1 or w.d != 1 for w in op.windows) or is_padded(frame):
        return (frame.array("output"),)
    if len(frame.output.free) != op.spatial_axes or any(len(t.box) != op.spatial_axes for t in frame.output.tensors):
        return (frame.array("output"),)  # arrays of several channels are not slid over each other as a whole
    star = Maths(r" \star ", " ⋆ ")
    pieces = [frame.array("output"), Maths(" = ", " = "), frame.array("input"), star, frame.array("weight")]
    return (Maths("".join(p.latex for p in pieces), "".join(p.text for p in pieces)),)


def is_padded(frame: Frame) -> bool:
    """Whether there is padding, or a padding in symbols that may be 0."""
    return any(pad != 0 for w, n in zip(frame.op.windows, frame.sizes, strict=True) for pad in w.padding(n))


def _equation(name: str, value: Index, context: PrintContext) -> Maths:
    return maths(lambda s: f"{s.name(name)} = {s.index(value, context)}")


def derivative_stage(frame: Frame) -> Stage:
    """Differentiate, use the independence of the entries, sift: the derivative of one output by one entry."""
    target = frame.derivative
    assert target.quantity.wrt is not None
    variable, at = target.quantity.wrt
    unsifted = rules.differentiate_term_by_term(frame.output, variable, at, target, frame.op.tie_policy())
    unsifted = unsifted.with_body(abbreviated(frame, unsifted.body))
    first = Step(
        frame.number(),
        target,
        unsifted,
        "differentiate_term_by_term",
        "Differentiate." if _has_shares(unsifted) else "Differentiate",
        _differentiate_words(frame, unsifted),
        uses=("D1",),
        opens=True,
    )
    brackets = rules.use_independence(unsifted)
    array = frame.array(frame.wrt)
    second = Step(
        frame.number(),
        unsifted,
        brackets,
        "use_independence",
        "Kronecker deltas.",
        (
            "The entries of ",
            array,
            " are independent: the derivative of one by ",
            frame.variable_entry,
            " is 1 where their indices agree, else 0.",
        ),
        uses=(first.id,),
    )
    steps = [first, second]
    closed = rules.closed_form(brackets)
    closed = closed.with_body(abbreviated(frame, closed.body))
    if _letters(closed) != _letters(brackets):
        steps.append(
            Step(
                frame.number(),
                brackets,
                closed,
                "closed_form",
                "Sift.",
                _sift_words(brackets, closed),
                uses=(second.id,),
            )
        )
    return Stage(
        ("One output, one entry of ", array),
        ("for every ", frame.output_entry, " and every ", frame.variable_entry),
        tuple(steps),
    )


def abbreviated(frame: Frame, body: Node) -> Node:
    """The derivative with the output itself and the shares of a maximum under names, which keeps its lines short."""
    return _Abbreviating(frame).visit(body)


class _Abbreviating(Rewriter):
    """A tree with parts of it under names; what is under a name already stays as it is."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.outputs = tuple(Index.of(name) for name in frame.output.indices)

    @case(Named)
    def _known(self, node: Named) -> Node:
        return node

    @case(Power)
    def _power(self, node: Power) -> Node:
        """The output where it is a root, as in the derivative of a norm."""
        if node != self.frame.output.body:
            return self.composite(node)
        letter = self.frame.letters.output
        return Named(Label(LATEX.name(letter), UNICODE.name(letter)), self.outputs, node)

    @case(Share)
    def _share(self, node: Share) -> Node:
        """A share of the one maximum, by the only entry that its tap compares."""
        env = {b.name: e for b, e in zip(node.reduce.bounds, node.at, strict=True)}
        entries = accesses(substitute(node.reduce.body, env), self.frame.letters.input)
        if len(entries) != 1 or not one_share(self.frame):
            return self.share(node)
        return Named(share_label(self.frame), (*self.outputs, *entries[0].index), node)


def one_share(frame: Frame) -> bool:
    """Whether an output has one maximum, not one for every term of a sum: one letter can stand for its shares."""
    body = frame.output.body
    extrema = {n for n in walk(body) if isinstance(n, Reduce) and n.op != "sum"}
    return len(extrema) == 1 and free_names(extrema.pop()) <= free_names(body)


def share_label(frame: Frame) -> Label:
    """A Greek letter for the shares of a maximum's gradient that is no name of the page."""
    used = {name.lower() for name in frame.letters.names} | {name.lower() for name in frame.output.parameters}
    for word, sign in (("omega", "ω"), ("lambda", "λ"), ("sigma", "σ"), ("theta", "θ"), ("rho", "ρ"), ("tau", "τ")):
        if word not in used and sign not in used:
            return Label(rf"\{word}", sign)
    return Label(r"\operatorname{share}", "share")


def share_definition(frame: Frame, id: str) -> Definition:
    """The share of a maximum's gradient that an entry of its window receives: the tie rule, named."""
    outputs = frame.letters.axes("output", frame.op.spatial_axes)
    inputs = frame.letters.axes("input", frame.op.spatial_axes)
    share = share_label(frame)
    left = maths(lambda s: s.subscripted(s.written(share), [s.name(i) for i in (*outputs, *inputs)]))
    own = entry(frame.letters.input, inputs)
    first = frame.op.tie_policy() == "first"
    value = _compared(frame)
    one, many = _extrema(frame.output)
    order = "in the order of the taps" if "weight" in frame.op.variables else "row by row"
    rule: Phrase = (
        (" = 1 if ", value, f" is the first {one} of the window, {order}, else 0")
        if first
        else (f" = 1 over the number of {many} of the window if ", value, " is one, else 0")
    )
    return Definition(
        id,
        (maths(lambda s: s.written(share)),),
        (left, *rule),
        "first of ties" if first else "ties split",
        ("for ", frame.output_entry, " and ", own),
    )


def _compared(frame: Frame) -> Maths:
    """What the tap that reads an entry puts up for the maximum: the body of the window at that tap."""
    closed = frame.op.derivative("input", names=frame.names, index_base=frame.base, input_size=frame.input_size)
    share = next(n for n in walk(closed.body) if isinstance(n, Share))
    env = {b.name: e for b, e in zip(share.reduce.bounds, share.at, strict=True)}
    inputs = tuple(Index.of(name) for name in frame.letters.axes("input", frame.op.spatial_axes))

    def read(node: Node) -> Node | None:  # the entry under its own index, also where only one tap could read it
        return Access(node.tensor, inputs) if isinstance(node, Access) and node.tensor == frame.letters.input else None

    value, context = transform(substitute(share.reduce.body, env), read), context_of(closed)
    return maths(lambda s: s.node(value, context))


def _extrema(formula: Formula) -> tuple[str, str]:
    """What a formula takes of its window, in words: one, and several."""
    found = {n.op for n in walk(formula.body) if isinstance(n, Reduce)} & {"max", "min"}
    if found == {"max", "min"}:
        return "maximum or minimum", "maxima or minima"
    return ("minimum", "minima") if found == {"min"} else ("maximum", "maxima")


def _has_shares(formula: Formula) -> bool:
    return any(isinstance(n, Share) for n in walk(formula.body))


def _differentiate_words(frame: Frame, unsifted: Formula) -> Phrase:
    if not _has_shares(unsifted):
        return ("(D1) term by term.",)
    one, many = _extrema(frame.output)
    if frame.op.tie_policy() == "first":
        return (f"The {one} passes its derivative on to one tap: among equal {many}, to the first in row-major order.",)
    return (f"The {one} passes its derivative on to its taps: equal {many} receive equal shares.",)


def _letters(formula: Formula) -> str:
    """A formula as it prints, without the signs that say no more than that factors stand side by side."""
    return formula.text().replace(" ", "").replace("·", "")


def through_one_tap(closed: Formula) -> bool:
    """Whether the derivative of an output by an entry is one term at most: no sum over taps is left in it."""
    return not any(term.bounds for term in expand(closed.body))


def _sift_words(brackets: Formula, closed: Formula) -> Phrase:
    if not any(term.bounds for term in expand(brackets.body)):
        return ("Brackets are 1 where their conditions hold, and 0 elsewhere.",)
    if not through_one_tap(closed):
        return ("What always holds goes, and the sum stays: several taps may read one entry.",)
    kinds = {g.kind for n in walk(closed.body) if isinstance(n, Reduce) for g in n.guards}
    words = "Only one tap can make all brackets 1, and that term is in the sum exactly when the tap exists."
    if "div" in kinds:
        words += " What does not divide leaves a divisibility condition."
    return (words,)


def gradient_stage(frame: Frame, closed: Step) -> Stage:
    """The chain rule over all outputs, then the closed form put in and the zero terms dropped."""
    target = frame.gradient
    chained = rules.chain_rule(closed.after, target, frame.letters.upstream, frame.output.free)
    array, error = frame.array(frame.wrt), maths(lambda s: s.name(frame.letters.error))
    first = Step(
        frame.number(),
        target,
        chained,
        "chain_rule",
        "Chain rule,",
        ("with (D2). ", array, " reaches ", error, " only through the outputs."),
        needs=(error, " differentiable in the outputs"),
        uses=("D2",),
        opens=True,
    )
    inserted = rules.insert(chained)
    rule, words = "insert", f"({closed.id})."
    if frame.wrt == "input":  # for other variables every output counts, and zeros around the input do no harm
        inserted = rules.restrict_to_touching_outputs(inserted)
        rule, words = "restrict_to_touching_outputs", f"({closed.id}) and drop the zero terms."
    inserted = inserted.with_body(abbreviated(frame, inserted.body))
    second = Step(frame.number(), chained, inserted, rule, "Insert", (words,), uses=(closed.id, first.id))
    return Stage(
        ("The outputs that touch ", frame.variable_entry),
        ("for every ", frame.variable_entry, " of ", array),
        (first, second),
    )
