"""Networks whose layers join: the gradient of a sum by one summand, and of a value that several layers read.

The error depends on such a value through every layer that reads it. By the chain rule its gradient is the sum of what
these hand back, each by itself the gradient of an error of which all other readers are kept as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

from symconv.derivations import rules
from symconv.derivations.frame import Frame
from symconv.derivations.shares import abbreviated, has_shares
from symconv.derivations.step import Definition, Maths, Phrase, Step, maths, plain
from symconv.derivations.windows import needs_of_derivatives
from symconv.formulas.algebra import Access, Label, Named, Node, add, const, product
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.printing import LATEX, UNICODE, context_of
from symconv.formulas.quantity import Quantity
from symconv.formulas.substitution import substitute
from symconv.formulas.symbols import SymbolTable
from symconv.operators.base import Variable
from symconv.operators.frame import Geometry
from symconv.operators.joining import Add

__all__ = ["AddTo", "Meeting", "listed", "unfolded"]


@dataclass(frozen=True, repr=False)
class AddTo(Add):
    """A sum as a function of one of its summands; the others are tensors with names of their own."""

    others: tuple[str, ...] = ()

    variables: ClassVar[tuple[Variable, ...]] = ("input",)

    def body(self, geometry: Geometry) -> Node:
        at = tuple(axis.index for axis in self.axes("output", geometry))
        counts = Counter((geometry.letters.input, *self.others))  # a value may be added more than once
        return add(*(product(const(count), Access(name, at)) for name, count in counts.items()))

    def _stated(self, frame: Geometry) -> Node:
        return self.body(frame)

    def _formula(self, quantity: Quantity, *arguments: Any, **more: Any) -> Formula:
        """The other summands are tensors as well, where the formula is that of the output; a derivative reads none."""
        found = super()._formula(quantity, *arguments, **more)
        own = next(tensor for tensor in found.tensors if tensor.role == "input")
        others = [replace(own, name=name) for name in dict.fromkeys(self.others) if name != own.name]
        return replace(found, tensors=(*found.tensors, *others)) if quantity.kind == "entry" else found


def unfolded(frame: Frame) -> Formula:
    """The gradient of a layer by the chain rule over all of its outputs, each derivative in closed form."""
    return rules.insert(rules.chain_rule(frame.derivative, frame.gradient, frame.letters.upstream, frame.output.free))


def closed(frame: Frame) -> Formula:
    """The gradient of a layer in closed form: that of the operator, with shares of a maximum under their name.

    Where there are such shares it is the sum over the outputs that touch the entry, each of which has one.
    """
    found = frame.gradient
    if has_shares(found) and frame.wrt == "input":
        found = rules.restrict_to_touching_outputs(unfolded(frame))
        if frame.channel:
            found = rules.sift_by_taps(found, keep=frame.output.indices[1:])
    return found.with_body(abbreviated(frame, found.body, summed=True))


@dataclass(frozen=True)
class Meeting:
    """A value that several layers read.

    Attributes:
        value: the layer that gives it, or the input.
        upstream: what its gradient is called; None where that is the derivative of the error.
        error: the letter of the error.
        readers: what states the gradient by it of every layer that reads it, that layer, and its derivation.
    """

    value: str
    upstream: str | None
    error: str
    readers: tuple[tuple[str, str, Frame], ...]

    @property
    def id(self) -> str:
        """What the step that states its gradient is called."""
        return f"{self.value} gradient"

    @cached_property
    def _frames(self) -> list[Frame]:
        return [frame for _, _, frame in self.readers]

    def definition(self, layer: str, frame: Frame) -> Definition:
        """The error as a function of what one of the readers reads."""
        letter, own = maths(lambda s: s.name(frame.letters.error)), maths(lambda s: s.name(self.error))
        words = (
            own,
            f" as a function of what {layer} reads, while what all others read is kept",
        )
        return Definition(f"{layer} E", (letter,), words, "error through one reader", ())

    def stated(self) -> Step:
        """The gradient is the sum of what the readers hand back."""
        whole = together([unfolded(frame) for frame in self._frames], self.error)
        named = [frame.gradient.with_body(_handed_back(frame.gradient, whole.indices)) for frame in self._frames]
        layers = listed([layer for _, layer, _ in self.readers])
        words: Phrase = (f"{layers} read ", self._name, ", and the error depends on it through each of them.")
        return self._step(self.id, whole, together(named, self.error), "chain_rule", "Chain rule.", words)

    def inserted(self, id: str) -> Step:
        """The same in closed forms."""
        named = [
            frame.gradient.with_body(_handed_back(frame.gradient, self._frames[0].gradient.indices))
            for frame in self._frames
        ]
        whole = together([closed(frame) for frame in self._frames], self.error)
        ids = [own for own, _, _ in self.readers]
        words: Phrase = (", ".join(f"({own})" for own in ids) + ".",)
        return self._step(id, together(named, self.error), whole, "insert", "Insert", words, (self.id, *ids))

    def _step(
        self,
        id: str,
        before: Formula,
        after: Formula,
        rule: str,
        title: str,
        reason: Phrase,
        uses: tuple[str, ...] = (),
    ) -> Step:
        needs = tuple(dict.fromkeys(filter(None, (plain(needs_of_derivatives(frame)) for frame in self._frames))))
        context = context_of(after)
        shown = (self._left(after), "=", maths(lambda s: s.pointwise(after.body, context)))
        return Step(
            id,
            before,
            after,
            rule,
            title,
            reason,
            needs=(", and ".join(needs),) if needs else (),
            uses=uses,
            opens=True,
            shown=shown,
        )

    @property
    def _name(self) -> Maths:
        return self._frames[0].array("input")

    def _left(self, formula: Formula) -> Maths:
        letter = self.upstream
        return maths(lambda s: s.quantity(formula.quantity) if letter is None else s.entry(letter, formula.indices))


def listed(words: Sequence[str]) -> str:
    """Words one after the other: a, b and c."""
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]


def _handed_back(gradient: Formula, at: Sequence[str]) -> Named:
    """The gradient of one reader under its name, which is that of the derivative of its own error."""
    assert gradient.quantity.wrt is not None
    quantity = replace(gradient.quantity, wrt=(gradient.quantity.wrt[0], tuple(at)))
    return Named(Label(LATEX.quantity(quantity), UNICODE.quantity(quantity)), (), gradient.body)


def together(formulas: Sequence[Formula], error: str) -> Formula:
    """The sum of the gradients by one entry of one array that several layers read, as one formula."""
    first = formulas[0]
    assert first.quantity.wrt is not None
    bodies = []
    for formula in formulas:
        env = dict(zip(formula.indices, map(Index.of, first.indices), strict=True))
        bodies.append(substitute(formula.body, env))
    lower: dict[str, int] = {}
    for name, least in (entry for formula in formulas for entry in formula.lower):
        lower[name] = max(least, lower.get(name, least))
    return replace(
        first,
        quantity=replace(first.quantity, of=(error, ())),
        body=add(*bodies),
        tensors=tuple({tensor.name: tensor for formula in formulas for tensor in formula.tensors}.values()),
        sizes=tuple(dict.fromkeys(name for formula in formulas for name in formula.sizes)),
        definitions=tuple(dict(entry for formula in formulas for entry in formula.definitions).items()),
        lower=tuple(sorted(lower.items())),
        facts=tuple(dict.fromkeys(fact for formula in formulas for fact in formula.facts)),
        table=_one_table(formulas),
    )


def _one_table(formulas: Sequence[Formula]) -> SymbolTable:
    """The symbols behind the names of several formulas."""
    tables = [formula.table for formula in formulas]
    known = {name: table.known[name] for table in tables for name in table.given}
    return SymbolTable(
        known,
        frozenset().union(*(table.positive for table in tables)),
        frozenset().union(*(table.nonnegative for table in tables)),
        frozenset().union(*(table.real for table in tables)),
    )
