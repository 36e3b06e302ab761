"""Numbers of outputs: for which sizes they are worked out, and what a verdict on places says of sizes."""

from __future__ import annotations

from dataclasses import replace

from symconv.derivations.frame import Frame
from symconv.derivations.step import Phrase, maths
from symconv.proofs.statement import size_order
from symconv.proofs.verdict import Verdict

__all__ = ["about_sizes", "at_this_layer", "size_domain"]


def size_domain(frame: Frame) -> Phrase:
    """For which sizes the number of outputs is worked out: those that are left symbolic."""
    names = sorted(frame.output.parameters, key=size_order)
    if not names:
        return ("at the declared size",)
    return ("for all ", maths(lambda s: ", ".join(s.name(name) for name in names)))


def about_sizes(frame: Frame, verdict: Verdict) -> Verdict:
    """A verdict on places as one on their number: for all sizes that are symbolic; the places are bound, not free."""
    symbolic = tuple(name for name in verdict.scope.symbolic if name in frame.output.parameters)
    status = "exact" if verdict.status == "proved" and not symbolic else verdict.status
    return replace(verdict, status=status, scope=replace(verdict.scope, symbolic=symbolic))


def at_this_layer(frame: Frame, verdict: Verdict, *more: str) -> Verdict:
    """What was proved of windows and outputs of any number, as a verdict on those of the layer.

    Args:
        frame: the derivation, whose symbolic sizes are what it now speaks of.
        verdict: proved by induction over a number of taps or outputs.
        more: further names that it speaks of for all their values, such as the order of a norm.
    """
    symbolic = (*sorted(frame.output.parameters, key=size_order), *more)
    symbolic = tuple(dict.fromkeys(symbolic))
    status = "exact" if verdict.status == "proved" and not symbolic else verdict.status
    # no record: a certificate of what was proved of windows does not say what is said of this layer
    return replace(verdict, status=status, scope=replace(verdict.scope, symbolic=symbolic), record=None)
