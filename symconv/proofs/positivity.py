"""What is known of the sign of a value, from how it is built and from the conditions on its sizes and indices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice, product

from symconv.formulas.algebra import (
    Absolute,
    Add,
    Bound,
    Bracket,
    Compare,
    Constant,
    Guard,
    Multiply,
    Node,
    Power,
    Reduce,
    Scalar,
    Share,
)
from symconv.formulas.index import Index, maximum, minimum
from symconv.proofs.context import Context, Window, has_quotient
from symconv.proofs.terms import range_guards

__all__ = ["entered", "is_nonnegative", "is_positive", "occupied"]

MOST_PLACES = 24


def entered(context: Context, bounds: Sequence[Bound], guards: Sequence[Guard]) -> Context:
    """The context inside a reduction whose bound names are not in use outside; quotients are passed over."""
    known = [g for g in (*range_guards(bounds), *guards) if g.kind != "div" and not has_quotient(g.expr)]
    context.taken.update(bound.name for bound in bounds)
    return context.within([bound.name for bound in bounds], known)


def is_nonnegative(node: Node, context: Context) -> bool:
    """Whether a value is known to be >= 0, wherever it has a value.

    An absolute value is, and an even power, a bracket, a comparison, a share; a power of what is; a product of such
    things in which others stand in pairs; a sum of them. An index expression is where the conditions say so.
    A maximum is none of these: it is minus infinity where its window is empty.
    """
    if isinstance(node, Constant):
        return node.value >= 0
    if isinstance(node, Absolute | Bracket | Compare | Share):
        return True
    if isinstance(node, Scalar):
        return _scalar_holds(node.index, context)
    if isinstance(node, Power):
        even = isinstance(node.exponent, Constant) and node.exponent.value % 2 == 0
        return even or is_nonnegative(node.base, context)
    if isinstance(node, Multiply):
        return all(times % 2 == 0 or is_nonnegative(arg, context) for arg, times in Counter(node.args).items())
    if isinstance(node, Add):
        return all(is_nonnegative(arg, context) for arg in node.args)
    if isinstance(node, Reduce) and node.op == "sum":
        if any(bound.name in context.reserved for bound in node.bounds):
            return False
        return is_nonnegative(node.body, entered(context, node.bounds, node.guards))
    return False


def is_positive(node: Node, context: Context) -> bool:
    """Whether a value is known to be > 0: a number, an index expression that is at least 1, powers and sums of such.

    A sum is, where it is over something.
    """
    if isinstance(node, Constant):
        return node.value > 0
    if isinstance(node, Scalar):
        return _scalar_holds(node.index - 1, context)
    if isinstance(node, Power):
        return is_positive(node.base, context)
    if isinstance(node, Multiply):
        return all(is_positive(arg, context) for arg in node.args)
    if isinstance(node, Reduce) and node.op == "sum" and not {b.name for b in node.bounds} & context.reserved:
        inner = entered(context, node.bounds, node.guards)
        return is_positive(node.body, inner) and occupied(context, node.bounds, node.guards)
    return False


def _scalar_holds(index: Index, context: Context) -> bool:
    if index.value is not None:
        return index.value >= 0
    return context.holds(f"{index!r} >= 0", [Guard("ge", index)])


def occupied(context: Context, bounds: Sequence[Bound], guards: Sequence[Guard]) -> bool:
    """Whether a window is known to have a point: that is given, or one is guessed and shown to be in the window."""
    if any(_is_in(bounds, guards, window) for window in context.filled):
        context.trace.presumed = True
        return True
    wanted = [*range_guards(bounds), *guards]
    for env in islice(_places(bounds, guards), MOST_PLACES):
        goals = [guard.subs(env) for guard in wanted]
        if context.holds("the window has a point", goals):
            return True
    return False


def _is_in(bounds: Sequence[Bound], guards: Sequence[Guard], window: Window) -> bool:
    """Whether every point of a window has one in these ranges, where these guards hold: they are among its own."""
    theirs, conditions = window
    used = frozenset().union(*(b.lower.names | b.upper.names for b in bounds), *(guard.names for guard in guards))
    outer = used - {bound.name for bound in bounds}
    if len(bounds) != len(theirs) or outer & {bound.name for bound in theirs}:  # a name of two meanings
        return False
    env = {mine.name: Index.of(other.name) for mine, other in zip(bounds, theirs, strict=True)}
    same = all(
        (mine.lower.subs(env), mine.upper.subs(env)) == (other.lower, other.upper)
        for mine, other in zip(bounds, theirs, strict=True)
    )
    return same and {guard.subs(env) for guard in guards} <= set(conditions)


def _places(bounds: Sequence[Bound], guards: Sequence[Guard]) -> Iterator[dict[str, Index]]:
    """Points to try: every index at an end of its range, or as far as a condition lets it go."""
    names = {bound.name for bound in bounds}
    choices = []
    for bound in bounds:
        lows, highs = [bound.lower], [bound.upper]
        for guard in guards:
            split = guard.expr.linear_in(bound.name)
            if guard.kind == "div" or split is None or split[0].value not in (1, -1) or split[1].names & names:
                continue
            value = -split[1] if split[0].value == 1 else split[1]
            if guard.kind == "eq":
                lows, highs = [value], [value]
                break
            (lows if split[0].value == 1 else highs).append(value)
        values = [*lows, *highs, maximum(*lows), minimum(*highs)]
        choices.append([(bound.name, value) for value in dict.fromkeys(values) if not value.names & names])
    for chosen in product(*choices):
        yield dict(chosen)
