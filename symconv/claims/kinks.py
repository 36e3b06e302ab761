"""Where a derivative does not exist, of |x| at 0 and of a root at 0, it counts as 0: a convention that is said."""

from __future__ import annotations

from collections.abc import Iterator

from symconv.claims.obligations import Obligation, Path
from symconv.formulas import algebra
from symconv.formulas.algebra import Absolute, Add, Constant, Multiply, Node, Reduce, const
from symconv.formulas.walks import accesses
from symconv.proofs.needs import Need, Valued

__all__ = ["kinks"]


def kinks(node: Node, tensor: str, path: Path) -> Iterator[Obligation]:
    """The conventions of a derivative of a tree by a tensor."""
    if not accesses(node, tensor):
        return
    if isinstance(node, Absolute):
        yield _kink(node.arg, "the derivative of |x| at x = 0 counts as 0", path)
        yield from kinks(node.arg, tensor, path)
    elif isinstance(node, algebra.Power):
        exponent = node.exponent
        whole = isinstance(exponent, Constant) and exponent.value.denominator == 1
        if not whole:
            yield _kink(node.base, "the derivative of a norm or root at 0 counts as 0", path)
        smooth = isinstance(exponent, Constant) and exponent.value > 1 and isinstance(node.base, Absolute)
        inner = node.base.arg if smooth and isinstance(node.base, Absolute) else node.base
        yield from kinks(inner, tensor, path)
    elif isinstance(node, Reduce):
        yield from kinks(node.body, tensor, path.then(*node.bounds, *node.guards))
    elif isinstance(node, Add | Multiply):
        for part in node.args:
            yield from kinks(part, tensor, path)


def _kink(node: Node, convention: str, path: Path) -> Obligation:
    need = Need(path.steps, Valued(node, const(-1)))
    return Obligation(need, "convention", convention, "", condition=convention)
