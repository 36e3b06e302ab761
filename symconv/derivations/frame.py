"""What the stages of one derivation have in common, and how sizes and axes are written on its page."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from symconv.derivations.step import Maths, maths
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.naming import fresh_name
from symconv.formulas.printing import PrintContext, Style
from symconv.formulas.quantity import Quantity, Tensor
from symconv.formulas.spelling import look
from symconv.operators.base import Operator, Variable
from symconv.operators.letters import Letters, capital

__all__ = ["Frame", "alike", "axes_alike", "entry", "extents", "is_padded", "per_axis", "size_text"]


_BESIDE = ("W", "U", "V", "T", "R", "l", "t", "s", "r", "q")


@dataclass(frozen=True)
class Frame:
    """What the stages of one derivation have in common: operator, variable, letters, index base, step numbers.

    Attributes:
        elsewhere: how names are printed that other lines of the page use, such as those of a further operator.
    """

    op: Operator
    wrt: Variable = "input"
    names: Mapping[str, str] | Letters | None = None
    base: int = 1
    input_size: tuple[int, ...] | None = None
    elsewhere: frozenset[str] = frozenset()
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

    @property
    def channel(self) -> tuple[str, ...]:
        """The index of the channel in a network, for a layer that takes every channel by itself."""
        within = self.letters.within
        return () if within is None or within.channels is None else self.output.indices[:1]

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

    @cached_property
    def used(self) -> frozenset[str]:
        """How the names of the formulas are printed: letters, sizes and exponents."""
        sizes = (*self.output.parameters, *(name for name, _ in self.output.definitions))
        return self.letters.printed(self.op.spatial_axes) | frozenset(map(look, sizes))

    def beside(self, usual: str, *others: str) -> str:
        """A letter for what only the lines of a page name, such as a window set S: the first that means nothing else.

        Args:
            usual: the letter by which a reader expects it.
            others: further names that the page uses.
        """
        used = {*self.used, *self.elsewhere, *map(look, others)}
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


def is_padded(frame: Frame) -> bool:
    """Whether there is padding, or a padding in symbols that may be 0."""
    return any(pad != 0 for w, n in zip(frame.op.windows, frame.sizes, strict=True) for pad in w.padding(n))
