"""What a claim takes for granted, put into its trees: the ranges of its indices, and entries that are not negative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symconv.formulas.algebra import ONE, Absolute, Access, Bound, Bracket, Node, Reduce, transform

__all__ = ["read_all_absolute", "read_as_nonnegative", "without_known_ranges"]


def without_known_ranges(node: Node, free: Sequence[Bound]) -> Node:
    """The tree without the conditions that only repeat the range of a free index, or of the sum around them.

    So ``c[p, q]`` is its formula where p and q run over the output, and is zero outside it anywhere else.
    """
    known = frozenset(guard for bound in free for guard in bound.guards())

    def change(n: Node) -> Node | None:
        if isinstance(n, Bracket):
            open_ones = tuple(guard for guard in n.guards if guard not in known)
            return Bracket(open_ones) if open_ones else ONE
        if isinstance(n, Reduce):
            own = {bound.name for bound in n.bounds}
            outer = [b for b in free if not ({b.name} | b.lower.names | b.upper.names) & own]
            return replace(n, body=without_known_ranges(n.body, [*outer, *n.bounds]))
        return None

    return transform(node, change)


def read_as_nonnegative(node: Node, letters: tuple[str, ...]) -> Node:
    """The tree with |x| read as x for tensors whose entries are assumed to be >= 0."""

    def change(n: Node) -> Node | None:
        if isinstance(n, Absolute) and isinstance(n.arg, Access) and n.arg.tensor in letters:
            return n.arg
        return None

    return transform(node, change)


def read_all_absolute(node: Node, letters: Sequence[str]) -> Node:
    """The tree with x read as |x| for the same tensors: its values at x are those of the tree at |x|."""

    def change(n: Node) -> Node | None:
        if isinstance(n, Absolute) and isinstance(n.arg, Access):
            return n
        return Absolute(n) if isinstance(n, Access) and n.tensor in letters else None

    return transform(node, change)
