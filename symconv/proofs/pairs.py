"""Two values that say more together: the larger and the smaller of the same two, and max(0, x) with max(0, -x)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from symconv.formulas.algebra import ZERO, Absolute, Applied, Node, Plus, Reduce, const, product
from symconv.formulas.functions import POSITIVE_PART
from symconv.formulas.substitution import substitute
from symconv.proofs.factors import has_extremum, turned_value, with_number

__all__ = ["multiplied", "summed"]

Form = Callable[[Node], Node]
"""The normal form of a value."""


def summed(one: Node, two: Node, form: Form) -> tuple[str, list[Node]] | None:
    """Summands in the place of two of them, by a rule; None where none is known.

    ``max(x, y) + min(x, y) = x + y``, ``max(0, x) - max(0, -x) = x`` and ``max(0, x) + max(0, -x) = |x|``, each times
    a number.
    """
    (number, one), (other, two) = with_number(one), with_number(two)
    taken = _both(one, two, form) if number == other else None
    if taken is not None:
        return "max(x, y) + min(x, y) = x + y", [product(const(number), value) for value in taken]
    if abs(number) != abs(other) or not _are_parts(one, two):
        return None
    assert isinstance(one, Applied)
    if number == other:
        return "max(0, x) + max(0, -x) = |x|", [product(const(number), form(Absolute(one.arg)))]
    return "max(0, x) - max(0, -x) = x", [product(const(number), one.arg)]


def multiplied(one: Node, two: Node, form: Form) -> tuple[str, list[Node]] | None:
    """Factors in the place of two of them: ``max(x, y) min(x, y) = x y`` and ``max(0, x) max(0, -x) = 0``."""
    taken = _both(one, two, form)
    if taken is not None:
        return "max(x, y) min(x, y) = x y", taken
    return ("max(0, x) max(0, -x) = 0", [ZERO]) if _are_parts(one, two) else None


def _are_parts(one: Node, two: Node) -> bool:
    """Whether one is max(0, x), and the other max(0, -x)."""
    if not isinstance(one, Applied) or not isinstance(two, Applied):
        return False
    if one.function is not POSITIVE_PART or two.function is not POSITIVE_PART:
        return False
    (mine, sign), (theirs, other) = turned_value(one.arg), turned_value(two.arg)
    return sign != other and _summands(mine) == _summands(theirs)


def _summands(node: Node) -> Counter[Node]:
    return Counter(node.args if isinstance(node, Plus) else (node,))


def _both(one: Node, two: Node, form: Form) -> list[Node] | None:
    """The two values of which one is the larger, and the other the smaller; each is finite."""
    if not isinstance(one, Reduce) or not isinstance(two, Reduce) or {one.op, two.op} != {"max", "min"}:
        return None
    mine, theirs = _taps(one, form), _taps(two, form)
    return mine if mine and Counter(mine) == Counter(theirs) else None


def _taps(reduce: Reduce, form: Form) -> list[Node]:
    """The values of a reduction over two taps; none where it is over others."""
    if len(reduce.bounds) != 1 or reduce.guards or has_extremum(reduce.body):
        return []
    (bound,) = reduce.bounds
    if bound.upper - bound.lower != 1:
        return []
    return [form(substitute(reduce.body, {bound.name: place})) for place in (bound.lower, bound.upper)]
