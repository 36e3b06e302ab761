"""Maxima with the whole set of their subgradients: the convex hull of the unit vectors of the maximal taps.

Source: Rockafellar, Convex Analysis, section 23.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from symconv.derivations.chain import notation
from symconv.derivations.counting import at_this_layer
from symconv.derivations.frame import Frame
from symconv.derivations.output import conditions
from symconv.derivations.step import Definition, Derivation, Maths, Phrase, Stage, Step, maths
from symconv.derivations.theorems.subdifferential import convex_hull, set_sum
from symconv.derivations.windows import every_count_is_positive
from symconv.formulas.algebra import Access, Label, Reduce
from symconv.formulas.printing import LATEX, Style, context_of
from symconv.operators.adaptive import AdaptiveMaxPool
from symconv.operators.pooling import MaxPool

if TYPE_CHECKING:
    from symconv.proofs.verdict import Verdict

__all__ = ["set_derivation", "with_first_ties"]


def with_first_ties(op: MaxPool | AdaptiveMaxPool) -> MaxPool | AdaptiveMaxPool:
    """The same pooling under the tie rule "first": what does not depend on the rule is the same for both."""
    options: dict[str, Any] = {**op.options(), "ties": "first"}
    return type(op)(**options)


def set_derivation(frame: Frame, what: str) -> Derivation:
    """The subdifferential of one output, and the gradients of an error, as sets.

    Args:
        frame: the frame of the pooling under the tie rule "first", whose output is the same.
        what: "derivative" or "gradient".
    """
    names = _Names(frame)
    definitions = [
        *(notation(frame)[:1] if what == "derivative" else notation(frame)),
        Definition("D3", (names.window,), (names.window, " = ", names.taps), "taps of a window", ()),
        Definition("D4", (names.unit,), (names.unit, ", 1 at ", names.place, ", else 0"), "unit array", ()),
    ]
    own: Phrase = ()
    others: Phrase = ()
    if not every_count_is_positive(frame):
        own = ("a tap in the input for the window of ", frame.output_entry)
        others = (", and that outputs without a tap in the input are left out",)
    hull = _shown(
        frame,
        convex_hull,
        "Subdifferential of a maximum:",
        ("the convex hull of the gradients of the taps that attain it; the gradient of a tap is a unit array.",),
        (names.subdifferential, "=", names.hull),
        uses=("D1", "D3", "D4"),
        needs=own,
    )
    written = _shown(
        frame,
        convex_hull,
        "Write out",
        ("the hull: shares that are not negative, sum to 1, and go to maximal taps only. One maximal tap has it all.",),
        (names.subdifferential, "=", names.shares),
        uses=(hull.id,),
        opens=False,
        needs=own,
    )
    stages = [Stage(("One output",), ("for every ", frame.output_entry), (hull, written))]
    title = "The subdifferential of one output"
    if what == "gradient":
        title = f"The set of gradients of {frame.op.phrase}"
        condition = maths(lambda s: s.relation(">=").join([names.upstream(s), "0"]))
        summed = _shown(
            frame,
            set_sum,
            "Sum of sets:",
            (
                "every output adds one of its subgradients, times its upstream gradient: each such sum is a "
                "subgradient of the error.",
            ),
            (Maths(rf"\partial {names.error(LATEX)}", f"∂{frame.letters.error}"), "superset", names.sums),
            uses=("D2", written.id),
            needs=(condition, " for every output, and ", names.linear, *others),
        )
        stages.append(Stage(("The error",), ("for all entries of ", frame.array("input"), " at once"), (summed,)))
    lead: Phrase = ("Where several taps are maximal, a maximum has a set of subgradients; a tie rule picks one.",)
    return Derivation(title, lead, conditions(frame), tuple(definitions), tuple(stages))


def _shown(
    frame: Frame,
    law: Callable[[], Verdict],
    title: str,
    reason: Phrase,
    shown: tuple[Maths, str, Maths],
    *,
    uses: tuple[str, ...],
    opens: bool = True,
    needs: Phrase = (),
) -> Step:
    """A step between sets, which are no formulas of entries; a proof over the taps of a window decides it."""
    formula = frame.output
    return Step(
        frame.number(),
        formula,
        formula,
        law.__name__,
        title,
        reason,
        needs=needs,
        uses=uses,
        opens=opens,
        shown=shown,
        check=lambda: at_this_layer(frame, law()),
    )


class _Names:
    """The pieces that the sets are written with."""

    def __init__(self, frame: Frame) -> None:
        formula = frame.output
        assert isinstance(formula.body, Reduce)
        assert isinstance(formula.body.body, Access)
        self.frame, self.reduce, self.read = frame, formula.body, formula.body.body
        self.context = context_of(formula)
        used = frame.used | frame.letters.names
        self.e, self.v = [x for x in dict.fromkeys(f"evxy{string.ascii_lowercase}") if x not in used][:2]
        self.w = next(x for x in ("W", "U", "V", *string.ascii_uppercase) if x not in used)
        greek = (("lambda", "λ"), ("mu", "μ"), ("nu", "ν"), ("xi", "ξ"))
        self.greek = next(names for names in greek if names[0] not in used)

    def _tap(self, style: Style) -> str:
        names = ", ".join(style.name(bound.name) for bound in self.reduce.bounds)
        return names if len(self.reduce.bounds) == 1 else f"({names})"

    def _share(self, style: Style) -> str:
        letter = Label(rf"\{self.greek[0]}", self.greek[1])
        return style.subscripted(style.written(letter), [style.name(bound.name) for bound in self.reduce.bounds])

    def _member(self, style: Style) -> str:
        window = style.entry(self.w, self.frame.output.indices)
        return style.relation("in").join([self._tap(style), window])

    def _sum(self, style: Style, below: str, body: str) -> str:
        return style.sum_over(below) + body

    def _unit_of_tap(self, style: Style) -> str:
        return style.subscripted(style.name(self.e), [style.index(e, self.context) for e in self.read.index])

    def _output(self, style: Style) -> str:
        return style.entry(self.frame.letters.output, self.frame.output.indices)

    def _derivative(self, style: Style) -> str:
        return style.partial(self._output(style))

    def upstream(self, style: Style) -> str:
        """One entry of the upstream gradient."""
        return style.entry(self.frame.letters.upstream, self.frame.output.indices)

    def error(self, style: Style) -> str:
        """The error."""
        return style.name(self.frame.letters.error)

    @property
    def linear(self) -> Maths:
        """The error as a sum of outputs times their upstream gradients."""

        def write(style: Style) -> str:
            return style.relation("=").join([self.error(style), self._outputs(style, self._output(style))])

        return maths(write)

    def _outputs(self, style: Style, entry: str) -> str:
        """The sum over all outputs of the upstream gradient times something."""
        signs = "".join(
            style.sum_sign(style.name(b.name), style.index(b.lower, self.context), style.index(b.upper, self.context))
            for b in self.frame.output.free
        )
        return signs + style.times([self.upstream(style), entry])

    @property
    def window(self) -> Maths:
        """The name of the set of taps."""
        return maths(lambda s: s.entry(self.w, self.frame.output.indices))

    @property
    def taps(self) -> Maths:
        """The taps of a window that lie in the input."""

        def write(style: Style) -> str:
            ranges = [
                style.relation("<=").join(
                    [style.index(b.lower, self.context), style.name(b.name), style.index(b.upper, self.context)]
                )
                for b in self.reduce.bounds
            ]
            conditions = style.conditions(self.reduce.guards, self.context)
            return style.set(self._tap(style), [*ranges, *conditions], tall=True)

        return maths(write)

    @property
    def place(self) -> Maths:
        """The place of an entry of the input."""
        names = self.frame.letters.axes("input", len(self.read.index))
        return maths(lambda s: ", ".join(s.name(name) for name in names))

    @property
    def unit(self) -> Maths:
        """The array that is 1 at one place."""
        return maths(lambda s: s.entry(self.e, self.frame.letters.axes("input", len(self.read.index))))

    @property
    def subdifferential(self) -> Maths:
        """The left-hand side."""
        return maths(self._derivative)

    @property
    def hull(self) -> Maths:
        """The convex hull of the unit arrays of the maximal taps."""

        def write(style: Style) -> str:
            attained = style.relation("=").join([style.access(self.read, self.context), self._output(style)])
            return style.hull(style.set(self._unit_of_tap(style), [self._member(style), attained], tall=True))

        return maths(write)

    @property
    def shares(self) -> Maths:
        """The same by shares: not negative, of sum 1, and 0 below the maximum."""

        def write(style: Style) -> str:
            share, below = self._share(style), self._member(style)
            smaller = style.relation("<").join([style.access(self.read, self.context), self._output(style)])
            conditions = [
                style.relation(">=").join([share, "0"]),
                style.relation("=").join([self._sum(style, below, share), "1"]),
                style.where(style.relation("=").join([share, "0"]), smaller),
            ]
            joined = style.times([share, self._unit_of_tap(style)])
            return style.set(self._sum(style, below, joined), conditions, tall=True)

        return maths(write)

    @property
    def sums(self) -> Maths:
        """One subgradient of every output, times its upstream gradient, added up."""

        def write(style: Style) -> str:
            chosen = style.entry(self.v, self.frame.output.indices)
            member = style.relation("in").join([chosen, self._derivative(style)])
            return style.set(self._outputs(style, chosen), [member], tall=True)

        return maths(write)
