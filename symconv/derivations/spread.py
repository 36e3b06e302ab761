"""Arrays with zeros between and around their entries: one record for their name, their definition and their size."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice
from itertools import count as numbers

from symconv.derivations import rules
from symconv.derivations.frame import Frame, alike, extents, size_text
from symconv.derivations.step import Definition, Maths, maths
from symconv.formulas.algebra import Label
from symconv.formulas.arrays import Array, padded, tensor, turned, upsampled
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index, quotient
from symconv.formulas.printing import LATEX, UNICODE, PrintContext, Style, context_of
from symconv.operators.letters import Letters
from symconv.proofs.context import has_quotient

__all__ = [
    "Spread",
    "array_of",
    "operator_sign",
    "turn",
    "turned_kernel",
]


@dataclass(frozen=True)
class Spread:
    """The tensor of a role, turned around if need be, with zeros between its entries and around them.

    Attributes:
        frame: the derivation.
        role: whose entries it has.
        scales: the step between neighbouring entries, one a spatial axis.
        before: the zeros before the first entry, one count a spatial axis; a negative one crops.
        sizes: the size of the whole, one a spatial axis: it says how many zeros follow the last entry.
        is_turned: whether the tensor is turned around first.
    """

    frame: Frame
    role: str
    scales: tuple[Index, ...]
    before: tuple[Index, ...]
    sizes: tuple[Index, ...]
    is_turned: bool = False

    @property
    def after(self) -> tuple[Index, ...]:
        """The zeros after the last entry; a negative count crops."""
        inner = upsampled(self._tensor, self.scales).sizes
        counts = []
        for whole, size, before in zip(self.sizes, inner, self.before, strict=True):
            count = whole - size - before
            alike = self._spelled(count) == self._spelled(before)  # the same number, if not in the same words
            counts.append(before if alike else self._spelled(count))
        return tuple(counts)

    def _spelled(self, expr: Index) -> Index:
        """An expression with the names of output sizes written out, where that leaves nothing to round."""
        plain = expr.subs(dict(self.frame.output.definitions))
        return expr if has_quotient(plain) else plain

    @property
    def _tensor(self) -> Array:
        """The spatial axes of the tensor."""
        letter: str = getattr(self.frame.letters, self.role)
        return tensor(letter, self.frame.gradient.boxes[letter][-len(self.scales) :], self.frame.base)

    @property
    def is_plain(self) -> bool:
        """Whether nothing is done to the tensor, which then needs no other name."""
        return (
            not self.is_turned
            and all(scale == 1 for scale in self.scales)
            and all(pad == 0 for pad in (*self.before, *self.after))
        )

    @property
    def array(self) -> Array:
        """The array, entry by entry; for a tensor without channels."""
        inner = array_of(self.frame, self.role)
        return padded(upsampled(turned(inner) if self.is_turned else inner, self.scales), self.before, self.after)

    @property
    def label(self) -> Label:
        """What its entries are called: the small letter with a tilde."""
        letter: str = getattr(self.frame.letters, self.role)
        return _tilde(letter)

    @property
    def name(self) -> Maths:
        """``pad_{r:t}(up_s(X))``, each part only where it does something; X may be the kernel turned around.

        The padding says both sides, and one number where they are equal.
        """
        context = context_of(self.frame.gradient)

        def write(style: Style) -> str:
            text = style.name(self.frame.capital(self.role))
            if self.is_turned:
                text = style.written(turned_kernel(self.frame, len(self.scales)))
            if any(scale != 1 for scale in self.scales):
                scales = [style.index(scale, context) for scale in self.scales]
                text = f"{operator_sign('up', alike(scales, style), style)}({text})"
            if any(pad != 0 for pad in (*self.before, *self.after)):
                pads = [_both(*pair, style, context) for pair in zip(self.before, self.after, strict=True)]
                text = f"{operator_sign('pad', alike(pads, style), style)}({text})"
            return text

        return maths(write)

    @property
    def introduced(self) -> Maths:
        """The name where a sentence brings it in: with the capital that its definition has where it is too long."""
        if not self._is_long:
            return self.name
        return Maths(f"{self._capital.latex} = {self.name.latex}", f"{self._capital.text} = {self.name.text}")

    @property
    def _is_long(self) -> bool:
        """Whether the name is too long for the first column of a table of definitions."""
        return len(self.name.text) > 16

    @property
    def _capital(self) -> Maths:
        """The capital letter with a tilde: the array of all entries that `label` names."""
        label = _tilde(self.frame.capital(self.role))
        return Maths(label.latex, label.text)

    def named(self, formula: Formula) -> Formula:
        """The formula with every access to the tensor as an entry of this array."""
        if self.is_plain:
            return formula
        letter: str = getattr(self.frame.letters, self.role)
        turned_sizes = self._tensor.sizes if self.is_turned else ()
        return rules.name_access(formula, letter, self.label, self.scales, self.before, turned_sizes)

    def definition(self, id: str) -> Definition:
        """The entry of the array, its name and its size."""
        frame, ndim = self.frame, len(self.scales)
        context = context_of(frame.gradient)
        letter: str = getattr(frame.letters, self.role)
        places = _spare_places(frame, ndim)
        own = frame.letters.output_channel if self.role == "upstream" else frame.letters.input_channel
        channels = (own,)[: len(frame.tensor(self.role).box) - ndim]
        inner_sizes = self._tensor.sizes

        def write(style: Style) -> str:
            lead = [style.name(name) for name in channels]
            inner = list(lead)
            for axis, (place, scale, pad) in enumerate(zip(places, self.scales, self.before, strict=True)):
                moved = quotient(Index.of(place) - pad - frame.base, scale, "exact") + frame.base
                if self.is_turned:
                    moved = inner_sizes[axis] - 1 + 2 * frame.base - moved
                inner.append(style.index(moved, context))
            left = style.subscripted(style.written(self.label), [*lead, *map(style.name, places)])
            return f"{left} = {style.subscripted(style.name(letter), inner)}"

        upsampled_words = "" if all(scale == 1 for scale in self.scales) else " (an integer index)"
        spatial = [min(n, self._spelled(n), key=lambda e: len(e.terms)) for n in self.sizes]
        size = [*extents(frame.tensor(self.role))[: len(channels)], *spatial]
        return Definition(
            id,
            (self._capital if self._is_long else self.name,),
            (maths(write), f" where it exists{upsampled_words}, else 0"),
            self._words,
            (size_text(size, context),),
        )

    @property
    def _words(self) -> str:
        """What is done to the tensor."""
        known = self.frame.gradient.knowledge()
        pads = (*self.before, *self.after)
        words = ["upsampling"] if any(scale != 1 for scale in self.scales) else []
        if any(not known.nonnegative(-pad) for pad in pads):
            words.append("padding")
        if any(not known.nonnegative(pad) for pad in pads):
            words.append("cropping")
        return " and ".join(words) or "reversal"


def _tilde(letter: str) -> Label:
    """A letter with a tilde on it; an upper index stands beside the tilde."""
    plain, hat, _ = letter.partition("^")
    text = UNICODE.name(letter)
    size = len(UNICODE.name(plain)) if hat else len(text)
    return Label(rf"\tilde {LATEX.name(letter)}", f"{text[:size]}\u0303{text[size:]}")


def _both(before: Index, after: Index, style: Style, context: PrintContext) -> str:
    """The padding of one axis: one number where both sides are equal, else ``before:after``."""
    return ":".join(dict.fromkeys((style.index(before, context), style.index(after, context))))


def operator_sign(name: str, index: str, style: Style) -> str:
    """An operator on arrays with its index, such as ``pad[1:0]``."""
    return style.marked(style.operator(name), index)


def turn(ndim: int, style: Style) -> str:
    """The operator that turns an array around."""
    return style.numbered(style.operator("rot"), "180") if ndim == 2 else style.operator("rev")


def turned_kernel(frame: Frame, ndim: int) -> Maths:
    """The kernel turned around: by a half turn in the plane."""
    return maths(lambda style: f"{turn(ndim, style)}({style.name(frame.capital('weight'))})")


def array_of(frame: Frame, role: str) -> Array:
    """The array of a role, in the entries of its tensor."""
    letter: str = getattr(frame.letters, role)
    return tensor(letter, frame.gradient.boxes[letter], frame.base)


def _spare_places(frame: Frame, count: int) -> tuple[str, ...]:
    """Letters for a place in an array that has no index letters of its own."""
    used = {letter for role in Letters.roles() for letter in getattr(frame.letters, role)}
    free = (letter for letter in "stwxyzlkrqponmjihvue" if letter not in used)
    return tuple(islice(chain(free, (f"s{number}" for number in numbers(1))), count))
