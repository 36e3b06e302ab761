"""The walks that others are made of: what stands below a node, a tree once over, a tree rebuilt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from symconv.formulas.algebra import (
    Absolute,
    Access,
    Applied,
    Bound,
    Bracket,
    Compare,
    Constant,
    FormulaWalker,
    Guard,
    Multiply,
    Named,
    Node,
    Plus,
    Power,
    Reduce,
    Scalar,
    Share,
    Sign,
    add,
    product,
)
from symconv.formulas.index import Index
from symconv.formulas.walker import case

__all__ = ["Rewriter", "accesses", "children", "own_guards", "own_indices", "transform", "unnamed", "walk"]


class _Children(FormulaWalker[tuple[Node, ...]]):
    """The nodes right below a node, in reading order."""

    @case(Constant, Scalar, Access, Bracket)
    def _leaf(self, node: Constant | Scalar | Access | Bracket) -> tuple[Node, ...]:
        return ()

    @case(Plus, Multiply)
    def _many(self, node: Plus | Multiply) -> tuple[Node, ...]:
        return node.args

    @case(Power)
    def _power(self, node: Power) -> tuple[Node, ...]:
        return node.base, node.exponent

    @case(Absolute, Sign, Applied)
    def _one(self, node: Absolute | Sign | Applied) -> tuple[Node, ...]:
        return (node.arg,)

    @case(Compare)
    def _compare(self, node: Compare) -> tuple[Node, ...]:
        return node.left, node.right

    @case(Reduce)
    def _reduce(self, node: Reduce) -> tuple[Node, ...]:
        return (node.body,)

    @case(Share)
    def _share(self, node: Share) -> tuple[Node, ...]:
        return (node.reduce,)

    @case(Named)
    def _named(self, node: Named) -> tuple[Node, ...]:
        return (node.value,)


_CHILDREN = _Children()


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below a node, in reading order."""
    return _CHILDREN.visit(node)


class _OwnIndices(FormulaWalker[tuple[Index, ...]]):
    """The index expressions that stand in a node itself, those in its guards apart."""

    @case(Constant, Plus, Multiply, Power, Absolute, Sign, Applied, Compare, Bracket)
    def _none(self, node: Node) -> tuple[Index, ...]:
        return ()

    @case(Scalar)
    def _scalar(self, node: Scalar) -> tuple[Index, ...]:
        return (node.index,)

    @case(Access, Named)
    def _entry(self, node: Access | Named) -> tuple[Index, ...]:
        return node.index

    @case(Share)
    def _share(self, node: Share) -> tuple[Index, ...]:
        return node.at

    @case(Reduce)
    def _reduce(self, node: Reduce) -> tuple[Index, ...]:
        return tuple(end for bound in node.bounds for end in (bound.lower, bound.upper))


_OWN_INDICES = _OwnIndices()


def own_indices(node: Node) -> tuple[Index, ...]:
    """The index expressions that stand in a node itself: places, ends of ranges; those in its guards apart."""
    return _OWN_INDICES.visit(node)


def own_guards(node: Node) -> tuple[Guard, ...]:
    """The guards that stand in a node itself."""
    return node.guards if isinstance(node, Reduce | Bracket) else ()


def walk(node: Node) -> Iterator[Node]:
    """All nodes of a tree, the root first."""
    yield node
    for child in _CHILDREN.visit(node):
        yield from walk(child)


def accesses(node: Node, tensor: str | None = None) -> list[Access]:
    """The accesses in a tree, to one tensor or to all, in reading order."""
    return [n for n in walk(node) if isinstance(n, Access) and tensor in (None, n.tensor)]


class _Rebuilt(FormulaWalker[Node]):
    """A node with what stands right below it replaced; a leaf is the same object as before."""

    def __init__(self, change: Callable[[Node], Node]) -> None:
        self.change = change

    @case(Constant, Scalar, Access, Bracket)
    def _leaf(self, node: Constant | Scalar | Access | Bracket) -> Node:
        return node

    @case(Plus)
    def _add(self, node: Plus) -> Node:
        return add(*(self.change(arg) for arg in node.args))

    @case(Multiply)
    def _multiply(self, node: Multiply) -> Node:
        return product(*(self.change(arg) for arg in node.args))

    @case(Power)
    def _power(self, node: Power) -> Node:
        return Power(self.change(node.base), self.change(node.exponent))

    @case(Absolute, Sign)
    def _one(self, node: Absolute | Sign) -> Node:
        return type(node)(self.change(node.arg))

    @case(Applied)
    def _apply(self, node: Applied) -> Node:
        return Applied(node.function, self.change(node.arg))

    @case(Compare)
    def _compare(self, node: Compare) -> Node:
        return Compare(self.change(node.left), node.relation, self.change(node.right))

    @case(Reduce)
    def _reduce(self, node: Reduce) -> Node:
        return replace(node, body=self.change(node.body))

    @case(Share)
    def _share(self, node: Share) -> Node:
        inner = self.change(node.reduce)
        assert isinstance(inner, Reduce)
        return replace(node, reduce=inner)

    @case(Named)
    def _named(self, node: Named) -> Node:
        return replace(node, value=self.change(node.value))


def transform(node: Node, change: Callable[[Node], Node | None]) -> Node:
    """Rebuild a tree from the top: where `change` answers with a node, that is taken whole and not entered."""

    def below(inner: Node) -> Node:
        changed = change(inner)
        return rebuilt.visit(inner) if changed is None else changed

    rebuilt = _Rebuilt(below)
    return below(node)


def unnamed(node: Node) -> Node:
    """The tree with every name replaced by its value."""
    return transform(node, lambda n: unnamed(n.value) if isinstance(n, Named) else None)


class Rewriter(FormulaWalker[Node]):
    """A tree rebuilt from the top: `index` changes all index expressions in it, a case of its own the nodes of a kind.

    A subclass that changes a reduction hands what is under its bound indices on to another walker.
    """

    def index(self, expr: Index) -> Index:
        """What stands for an index expression."""
        return expr

    def place(self, index: tuple[Index, ...]) -> tuple[Index, ...]:
        """What stands for the place of an entry."""
        return tuple(self.index(e) for e in index)

    def guard(self, guard: Guard) -> Guard:
        """What stands for a guard."""
        divisor = None if guard.divisor is None else self.index(guard.divisor)
        return Guard(guard.kind, self.index(guard.expr), divisor)

    def bound(self, bound: Bound) -> Bound:
        """What stands for a range."""
        return Bound(bound.name, self.index(bound.lower), self.index(bound.upper))

    @case(Constant)
    def constant(self, node: Constant) -> Node:
        return node

    @case(Scalar)
    def scalar(self, node: Scalar) -> Node:
        return Scalar(self.index(node.index))

    @case(Access)
    def access(self, node: Access) -> Node:
        return Access(node.tensor, self.place(node.index))

    @case(Bracket)
    def bracket(self, node: Bracket) -> Node:
        return Bracket(tuple(self.guard(g) for g in node.guards))

    @case(Plus, Multiply, Power, Absolute, Sign, Applied, Compare)
    def composite(self, node: Node) -> Node:
        return _Rebuilt(self.visit).visit(node)

    @case(Reduce)
    def reduce(self, node: Reduce) -> Node:
        guards = tuple(self.guard(g) for g in node.guards)
        return Reduce(node.op, tuple(self.bound(b) for b in node.bounds), guards, self.visit(node.body))

    @case(Share)
    def share(self, node: Share) -> Node:
        inner = self.visit(node.reduce)
        assert isinstance(inner, Reduce)
        return replace(node, reduce=inner, at=self.place(node.at))

    @case(Named)
    def named(self, node: Named) -> Node:
        wrt = None if node.wrt is None else Access(node.wrt.tensor, self.place(node.wrt.index))
        return Named(node.label, self.place(node.index), self.visit(node.value), wrt)
