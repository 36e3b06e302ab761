"""The shares of a maximum's gradient, and the output itself, under names that keep lines short."""

from __future__ import annotations

from symconv.derivations.frame import Frame, entry
from symconv.derivations.step import Definition, Maths, Phrase, maths
from symconv.formulas.algebra import Access, Label, Named, Node, Power, Reduce, Share
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.naming import free_names
from symconv.formulas.printing import LATEX, UNICODE, context_of
from symconv.formulas.substitution import substitute
from symconv.formulas.walker import case
from symconv.formulas.walks import Rewriter, accesses, transform, walk

__all__ = ["abbreviated", "extrema_in_words", "has_shares", "one_share", "share_definition", "share_label"]


def abbreviated(frame: Frame, body: Node, *, summed: bool = False) -> Node:
    """The derivative with the output itself and the shares of a maximum under names, which keeps its lines short.

    Args:
        frame: the derivation.
        body: the tree of a derivative, or of a gradient.
        summed: whether the indices of the output are summed over, and a sifted sum may have put others in for them.
    """
    return _Abbreviating(frame, summed).visit(body)


class _Abbreviating(Rewriter):
    """A tree with parts of it under names; what is under a name already stays as it is."""

    def __init__(self, frame: Frame, summed: bool) -> None:
        self.frame, self.summed = frame, summed
        self.outputs = tuple(Index.of(name) for name in frame.output.indices[len(frame.channel) :])

    @case(Named)
    def _known(self, node: Named) -> Node:
        return node

    @case(Power)
    def _power(self, node: Power) -> Node:
        """The output where it is a root, as in the derivative of a norm."""
        lead = self._channel(node)
        if node != substitute(self.frame.output.body, dict(zip(self.frame.channel, lead, strict=True))):
            return self.composite(node)
        letter = self.frame.letters.output
        return Named(Label(LATEX.name(letter), UNICODE.name(letter)), (*lead, *self.outputs), node)

    @case(Share)
    def _share(self, node: Share) -> Node:
        """A share of the one maximum, by the only entry that its tap compares."""
        env = {b.name: e for b, e in zip(node.reduce.bounds, node.at, strict=True)}
        entries = accesses(substitute(node.reduce.body, env), self.frame.letters.input)
        gone = self.summed and not set(self.outputs) <= set(map(Index.of, free_names(node)))
        if len(entries) != 1 or not one_share(self.frame) or gone:
            return self.share(node)
        lead, place = self._channel(node.reduce), entries[0].index[len(self.frame.channel) :]
        return Named(share_label(self.frame), (*lead, *self.outputs, *place), node)

    def _channel(self, node: Node) -> tuple[Index, ...]:
        """The channel that a part reads, which a closed form writes as that of the entry."""
        read = accesses(node, self.frame.letters.input)
        return read[0].index[: len(self.frame.channel)] if read else tuple(map(Index.of, self.frame.channel))


def one_share(frame: Frame) -> bool:
    """Whether an output has one maximum, not one for every term of a sum: one letter can stand for its shares."""
    body = frame.output.body
    extrema = {n for n in walk(body) if isinstance(n, Reduce) and n.op != "sum"}
    return len(extrema) == 1 and free_names(extrema.pop()) <= free_names(body)


def share_label(frame: Frame) -> Label:
    """A Greek letter for the shares of a maximum's gradient that is no name of the page; with the layer's number."""
    used = {name.lower() for name in frame.used}
    within = frame.letters.within
    number = "" if within is None else f"^({within.number})"
    for word, sign in (("omega", "ω"), ("lambda", "λ"), ("sigma", "σ"), ("theta", "θ"), ("rho", "ρ"), ("tau", "τ")):
        if word not in used:
            return Label(LATEX.name(word + number), UNICODE.name(word + number).replace(word, sign))
    return Label(r"\operatorname{share}", "share")


def share_definition(frame: Frame, id: str) -> Definition:
    """The share of a maximum's gradient that an entry of its window receives: the tie rule, named."""
    outputs = (*frame.channel, *frame.letters.axes("output", frame.op.spatial_axes))
    inputs = frame.letters.axes("input", frame.op.spatial_axes)
    share = share_label(frame)
    left = maths(lambda s: s.subscripted(s.written(share), [s.name(i) for i in (*outputs, *inputs)]))
    own = entry(frame.letters.input, (*frame.channel, *inputs))
    first = frame.op.tie_policy() == "first"
    value = _compared(frame)
    one, many = extrema_in_words(frame.output)
    order = "in the order of the taps" if "weight" in frame.op.variables else "row by row"
    rule: Phrase = (f" = 1 over the number of {many} of the window if ", value, " is one, else 0")
    name = "ties split"
    if frame.op.refuses_ties:
        rule, name = (" = 1 if ", value, f" is the {one} of the window, else 0"), "the winner"
    elif first:
        rule, name = (" = 1 if ", value, f" is the first {one} of the window, {order}, else 0"), "first of ties"
    return Definition(
        id,
        (maths(lambda s: s.written(share)),),
        (left, *rule),
        name,
        ("for ", frame.output_entry, " and ", own),
    )


def _compared(frame: Frame) -> Maths:
    """What the tap that reads an entry puts up for the maximum: the body of the window at that tap."""
    closed = frame.op.derivative("input", names=frame.names, index_base=frame.base, input_size=frame.input_size)
    share = next(n for n in walk(closed.body) if isinstance(n, Share))
    env = {b.name: e for b, e in zip(share.reduce.bounds, share.at, strict=True)}
    inputs = tuple(Index.of(n) for n in (*frame.channel, *frame.letters.axes("input", frame.op.spatial_axes)))

    def read(node: Node) -> Node | None:  # the entry under its own index, also where only one tap could read it
        return Access(node.tensor, inputs) if isinstance(node, Access) and node.tensor == frame.letters.input else None

    value, context = transform(substitute(share.reduce.body, env), read), context_of(closed)
    return maths(lambda s: s.node(value, context))


def extrema_in_words(formula: Formula) -> tuple[str, str]:
    """What a formula takes of its window, in words: one, and several."""
    found = {n.op for n in walk(formula.body) if isinstance(n, Reduce)} & {"max", "min"}
    if found == {"max", "min"}:
        return "maximum or minimum", "maxima or minima"
    return ("minimum", "minima") if found == {"min"} else ("maximum", "maxima")


def has_shares(formula: Formula) -> bool:
    return any(isinstance(n, Share) for n in walk(formula.body))
