"""What the rewrites of plans are written with: the window of a formula, what it reads, and a part put for another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from symconv.derivations.step import Definition, Phrase, maths
from symconv.formulas.algebra import Access, Bound, Label, Named, Node, Reduce
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index, quotient
from symconv.formulas.printing import context_of
from symconv.formulas.substitution import substitute
from symconv.formulas.walks import accesses, transform, walk
from symconv.kernels.form.extraction import tap_form
from symconv.kernels.form.reading import WALK
from symconv.operators.base import Operator

if TYPE_CHECKING:
    from symconv.proofs.verdict import Verdict

__all__ = [
    "COLUMN",
    "EVERYWHERE",
    "ZERO",
    "LayerFormula",
    "last_of",
    "proved",
    "put",
    "read_of",
    "window_of",
]

COLUMN = Label("X", "X")
EVERYWHERE: Phrase = ("for every input size, and every index in its range",)
ZERO: Phrase = ("An array is zero outside its range.",)


def put(formula: Formula, old: Node, new: Node) -> Formula:
    """The formula with one part in the place of another."""
    return formula.with_body(transform(formula.body, lambda node: new if node == old else None))


def window_of(formula: Formula) -> Reduce:
    """The reduction over the taps."""
    letter = next(tensor.name for tensor in formula.tensors if tensor.role == "input")
    return next(n for n in walk(formula.body) if isinstance(n, Reduce) and accesses(n, letter))


def read_of(node: Node, formula: Formula) -> Access:
    """What is read of the input."""
    letter = next(tensor.name for tensor in formula.tensors if tensor.role == "input")
    return accesses(node, letter)[0]


def last_of(bound: Bound) -> int:
    """The last value of an index whose range is made of numbers."""
    last = bound.upper.value
    assert last is not None
    return last


def proved(name: str) -> Callable[[], Verdict]:
    """What looks a theorem up when a step that rests on it is checked."""

    def check() -> Verdict:
        from symconv.derivations.theorems import theorem

        return theorem(name).verdict

    return check


class LayerFormula:
    """The formula of the output, taken apart: the sum over channels and taps, and what it reads."""

    def __init__(self, op: Operator) -> None:
        self.op, self.form = op, tap_form(op)
        self.output = op.output()
        self.input = self.form.input
        self.sum = next(n for n in walk(self.output.body) if isinstance(n, Reduce))
        self.access = accesses(self.sum, self.input)[0]
        weight = self.form.letter("weight")
        assert weight is not None
        self.kernel = accesses(self.sum, weight)[0]
        self.taps = tuple(walk.tap for walk in self.form.walks)
        self.places = tuple(walk.output for walk in self.form.walks)
        self.channel = self.access.index[: -len(self.taps)]

    def column(self, access: Access, index: tuple[Index, ...]) -> Named:
        """What is read, as an entry of an array of columns or of tiles."""
        return Named(COLUMN, (*self.channel, *index), access)

    def tiled(self, widths: tuple[Index, ...]) -> tuple[Formula, Formula, Definition]:
        """The output at place i of tile t: as it stands, and of entries j of what a tile holds; and what that is.

        Args:
            widths: how many outputs a tile has along every axis.
        """
        ndim, walks = len(self.places), self.form.walks
        numbers = [""] if ndim == 1 else [str(axis) for axis in range(1, ndim + 1)]
        tiles, insides, entries = ([Index.of(letter + n) for n in numbers] for letter in "tij")
        firsts = [min(0, walk.step * (walk.taps - 1)) for walk in walks]
        placed = {p: w * t + i for p, w, t, i in zip(self.places, widths, tiles, insides, strict=True)}
        lead, spatial = self.output.free[:-ndim], self.output.free[-ndim:]
        free = (
            *lead,
            *(
                Bound(f"t{n}", Index.of(0), quotient(bound.upper, w, "floor"))
                for n, bound, w in zip(numbers, spatial, widths, strict=True)
            ),
            *(Bound(f"i{n}", Index.of(0), w - 1) for n, w in zip(numbers, widths, strict=True)),
        )
        quantity = replace(self.output.quantity, of=(self.output.quantity.of[0], tuple(bound.name for bound in free)))
        lower = (*self.output.lower, *((name, 1) for w in widths for name in w.names))
        whole = replace(
            self.output, quantity=quantity, free=free, body=substitute(self.output.body, placed), lower=lower
        )
        held = Access(
            self.input,
            (
                *self.channel,
                *(
                    walk.position.subs({WALK: w * t + j + first})
                    for walk, w, t, j, first in zip(walks, widths, tiles, entries, firsts, strict=True)
                ),
            ),
        )
        read = [
            i + walk.step * Index.of(walk.tap) - first for i, walk, first in zip(insides, walks, firsts, strict=True)
        ]
        entry = substitute(held, {f"j{n}": place for n, place in zip(numbers, read, strict=True)})
        old = substitute(self.access, placed)
        named = Named(COLUMN, (*self.channel, *tiles, *read), entry)
        context = context_of(whole)
        line = maths(
            lambda style: (
                f"{style.node(Named(COLUMN, (*self.channel, *tiles, *entries), held), context)} = "
                f"{style.node(held, context)}"
            )
        )
        return whole, put(whole, old, named), Definition("X", (), (line,), "what a tile holds", ())

    def definition(self, access: Access, index: tuple[Index, ...], name: str) -> Definition:
        context = context_of(self.output)
        entry = maths(
            lambda style: f"{style.pointwise(self.column(access, index), context)} = {style.pointwise(access, context)}"
        )
        return Definition("D1", (), (entry,), name, ())
