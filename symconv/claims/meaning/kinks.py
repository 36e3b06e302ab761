"""Where a derivative does not exist it counts as something, by a convention that is said.

Of |x| at 0 and of a root at 0 it counts as 0; of a maximum that several entries share, as that of the first of them,
where the layer has no option that decides it.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from symconv.claims.meaning.obligations import ClaimNeed, Path
from symconv.formulas import algebra
from symconv.formulas.algebra import (
    Absolute,
    Add,
    Compare,
    Constant,
    Multiply,
    Node,
    Reduce,
    add,
    const,
    product,
    summation,
)
from symconv.formulas.naming import names_in
from symconv.formulas.substitution import rename_bounds
from symconv.formulas.walks import accesses
from symconv.proofs.needs import Need, Valued

__all__ = ["kinks"]


def kinks(node: Node, tensor: str, path: Path, *, ties: bool) -> Iterator[ClaimNeed]:
    """The conventions of a derivative of a tree by a tensor.

    Args:
        node: the tree.
        tensor: the letter of the tensor.
        path: what leads there.
        ties: whether it is declared which of several equal maxima takes the gradient.
    """
    if not accesses(node, tensor):
        return
    if isinstance(node, Absolute):
        yield _kink(node.arg, "the derivative of |x| at x = 0 counts as 0", path)
        yield from kinks(node.arg, tensor, path, ties=ties)
    elif isinstance(node, algebra.Power):
        exponent = node.exponent
        whole = isinstance(exponent, Constant) and exponent.value.denominator == 1
        if not whole:
            yield _kink(node.base, "the derivative of a norm or root at 0 counts as 0", path)
        smooth = isinstance(exponent, Constant) and exponent.value > 1 and isinstance(node.base, Absolute)
        inner = node.base.arg if smooth and isinstance(node.base, Absolute) else node.base
        yield from kinks(inner, tensor, path, ties=ties)
    elif isinstance(node, Reduce):
        convention = _ties(node.op, ties)
        if convention:
            yield _tie(node, convention, path)
        yield from kinks(node.body, tensor, path.then(*node.bounds, *node.guards), ties=ties)
    elif isinstance(node, Add | Multiply):
        for part in node.args:
            yield from kinks(part, tensor, path, ties=ties)


def _ties(op: str, declared: bool) -> str:
    """What is not said of several equal entries; of minima a layer says nothing, and they go by its rule."""
    if op == "min" and declared:
        return "of equal minima the gradient goes as of equal maxima"
    return f"of equal {op}ima the first one takes the gradient" if op != "sum" and not declared else ""


def _tie(node: Reduce, convention: str, path: Path) -> ClaimNeed:
    """One tap alone is the largest: ``(3/2 - count)**(1/2)`` has a value for a count of at most one of them."""
    taps = rename_bounds(node, names_in(node))
    count = summation(Compare(taps.body, "=", node), *taps.bounds, guards=taps.guards)
    one = Valued(add(const(Fraction(3, 2)), product(const(-1), count)), const(Fraction(1, 2)))
    return ClaimNeed(Need(path.steps, one), "convention", convention, "", condition=convention)


def _kink(node: Node, convention: str, path: Path) -> ClaimNeed:
    need = Need(path.steps, Valued(node, const(-1)))
    return ClaimNeed(need, "convention", convention, "", condition=convention)
