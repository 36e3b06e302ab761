"""How many terms an exact value is made of, counted before anything is built.

A term is a product of tensor entries, or one value among those that a maximum is taken of; a comparison of two taps for
a share counts as another one. What lies outside a tensor's box is zero and is not counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from symconv.errors import SizeLimitError
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
    inside,
)
from symconv.formulas.index import Index
from symconv.formulas.lattice import points
from symconv.formulas.substitution import rename_bounds
from symconv.formulas.walker import case

__all__ = ["count_terms"]

MOST_PLACES = 1_000_000  # looked at while counting, those included that a condition rules out in the end


def count_terms(
    node: Node,
    free: Sequence[Bound],
    env: Mapping[str, int],
    boxes: Mapping[str, Sequence[tuple[Index, Index]]],
    most: int,
) -> int:
    """How many terms the entries of a tree at a size have together; where that is more than `most`, any larger number.

    Args:
        node: any tree.
        free: the free indices with the ranges asked for; none where `env` gives them all.
        env: numbers for all other names.
        boxes: the boxes of the tensors.
        most: where counting may stop.

    >>> from symconv.formulas.algebra import ONE
    >>> bounds = [Bound(name, Index.of(1), Index.of(1000)) for name in "mn"]
    >>> count_terms(Reduce("sum", tuple(bounds), (), ONE), [], {}, {}, 2_000_000)
    1000000
    """
    return _Terms(env, boxes, most, tuple(free)).visit(node)


@dataclass(frozen=True)
class _Terms(FormulaWalker[int]):
    """The terms of a node inside of reductions over `around`, at the places where the guards hold."""

    env: Mapping[str, int]
    boxes: Mapping[str, Sequence[tuple[Index, Index]]]
    most: int
    around: tuple[Bound, ...]
    guards: tuple[Guard, ...] = ()

    @case(Constant, Scalar)
    def _value(self, node: Constant | Scalar) -> int:
        return self._places()

    @case(Access)
    def _access(self, node: Access) -> int:
        return self._under(self._box(node))._places()

    @case(Bracket)
    def _bracket(self, node: Bracket) -> int:
        return self._under(node.guards)._places()

    @case(Multiply)
    def _multiply(self, node: Multiply) -> int:
        """A product is one term; its factors may be sums."""
        inner = self
        for factor in node.args:
            if isinstance(factor, Bracket | Access):
                inner = inner._under(factor.guards if isinstance(factor, Bracket) else self._box(factor))
        return max(map(inner.visit, node.args))

    @case(Plus)
    def _add(self, node: Plus) -> int:
        return self._total(node.args)

    @case(Compare)
    def _compare(self, node: Compare) -> int:
        return self._total((node.left, node.right))

    @case(Power)
    def _power(self, node: Power) -> int:
        return self.visit(node.base)

    @case(Absolute, Sign, Applied)
    def _one(self, node: Absolute | Sign | Applied) -> int:
        return self.visit(node.arg)

    @case(Named)
    def _named(self, node: Named) -> int:
        return self.visit(node.value)

    @case(Share)
    def _share(self, node: Share) -> int:
        """Every tap is evaluated, and compared."""
        return 2 * self.visit(node.reduce)

    @case(Reduce)
    def _reduce(self, node: Reduce) -> int:
        node = rename_bounds(node, frozenset({bound.name for bound in self.around} | self.env.keys()))
        return replace(self._under(node.guards), around=(*self.around, *node.bounds)).visit(node.body)

    def _total(self, parts: Sequence[Node]) -> int:
        found = 0
        for part in parts:
            found += self.visit(part)
            if found > self.most:
                break
        return found

    def _under(self, guards: Sequence[Guard]) -> _Terms:
        return replace(self, guards=tuple(dict.fromkeys((*self.guards, *guards))))

    def _box(self, node: Access) -> tuple[Guard, ...]:
        return inside(node, tuple(self.boxes[node.tensor]))

    def _places(self) -> int:
        try:
            return points(self.around, self.guards, self.env, max(self.most, MOST_PLACES))[1]
        except SizeLimitError:
            return self.most + 1
