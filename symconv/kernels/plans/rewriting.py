"""What the rewrites of plans are written with: the window of a formula, what it reads, and a part put for another."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product as every
from math import prod
from typing import TYPE_CHECKING

from symconv.derivations.step import Definition, Derivation, Phrase, Stage, Step, maths
from symconv.formulas.algebra import Access, Bound, Label, Named, Node, Reduce, add, summation
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index, quotient
from symconv.formulas.printing import context_of
from symconv.formulas.substitution import substitute
from symconv.formulas.walks import accesses, transform, walk
from symconv.kernels.form.extraction import tap_form
from symconv.operators.base import Operator

if TYPE_CHECKING:
    from symconv.proofs.verdict import Verdict

__all__ = [
    "COLUMN",
    "EVERYWHERE",
    "ZERO",
    "LayerFormula",
    "last_of",
    "numbered",
    "proved",
    "put",
    "read_of",
    "taps_derivation",
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
        self.sum = next(n for n in walk(self.output.body) if isinstance(n, Reduce) and accesses(n, self.input))
        self.access = accesses(self.sum, self.input)[0]
        self.kernel = accesses(self.sum, self.form.letter("weight") or "")[0]
        self.taps = tuple(walk.tap for walk in self.form.walks)
        self.places = tuple(walk.output for walk in self.form.walks)
        self.channel = self.access.index[: -len(self.taps)]

    def column(self, access: Access, index: tuple[Index, ...]) -> Named:
        """What is read, as an entry of an array of columns or of tiles."""
        return Named(COLUMN, (*self.channel, *index), access)

    def definition(self, access: Access, index: tuple[Index, ...], name: str) -> Definition:
        context = context_of(self.output)
        entry = maths(
            lambda style: f"{style.pointwise(self.column(access, index), context)} = {style.pointwise(access, context)}"
        )
        return Definition("D1", (), (entry,), name, ())


def numbered(formula: Formula, window: Reduce, axes: tuple[Bound, ...]) -> Formula:
    """The same reduction as one fold over the taps of some axes, numbered row-major."""
    known = {*formula.parameters, *formula.indices, *(bound.name for bound in window.bounds)}
    name = next(letter for letter in ("k", "t", "u", "k1") if letter not in known)
    count, rest, places = prod(last_of(bound) + 1 for bound in axes), Index.of(name), dict[str, Index]()
    for bound in reversed(axes):
        taps = last_of(bound) + 1
        above = quotient(rest, taps) if bound is not axes[0] else Index.of(0)
        places[bound.name] = rest - taps * above
        rest = above
    others = tuple(bound for bound in window.bounds if bound not in axes)
    bounds = (*others, Bound(name, Index.of(0), Index.of(count - 1)))
    guards = tuple(guard.subs(places) for guard in window.guards)
    return put(formula, window, Reduce(window.op, bounds, guards, substitute(window.body, places)))


def taps_derivation(op: Operator) -> Derivation:
    """The window written out, one tap after the other; or, where that is no sum of terms, as one fold over them."""
    from symconv.proofs.rewriting import MOST_TERMS

    output = op.output()
    window = window_of(output)
    taps: list[Bound] = []  # the axes along which the window is written out; a sum goes on along the others
    for bound in window.bounds[-op.ndim :]:
        if prod(last_of(b) + 1 for b in (*taps, bound)) <= MOST_TERMS:
            taps.append(bound)
    others = tuple(bound for bound in window.bounds if bound not in taps)
    rule, title = "write_out_taps", "Write out"
    reason = "the taps in row-major order; each of them is a shifted view of the input."
    if window.op == "sum" and not window.guards:
        terms = [
            substitute(window.body, {b.name: Index.of(at) for b, at in zip(taps, place, strict=True)})
            for place in every(*(range(last_of(bound) + 1) for bound in taps))
        ]
        written = put(output, window, summation(add(*terms), *others))
    else:
        written, rule, title = numbered(output, window, window.bounds[-op.ndim :]), "number", "Number"
        reason = "the taps row-major: what the taps before it gave is combined with tap k, a shifted view of the input."
    step = Step("1", output, written, rule, title, (reason,), opens=True)
    return Derivation(
        f"{op.phrase.capitalize()}, tap by tap",
        ("A window has a fixed number of taps, and each of them is one array operation for all outputs at once.",),
        ZERO,
        (),
        (Stage(("The output",), EVERYWHERE, (step,)),),
    )
