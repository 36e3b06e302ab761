"""An equation: what it defines, its free indices with their ranges, its tree, and the tensors that it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from symconv.formulas.algebra import Bound, Guard, Node, Reduce
from symconv.formulas.bounds import Knowledge
from symconv.formulas.exact import Box
from symconv.formulas.index import Index, IndexLike
from symconv.formulas.naming import free_names
from symconv.formulas.quantity import Quantity, Tensor
from symconv.formulas.substitution import substitute
from symconv.formulas.symbols import SymbolTable
from symconv.formulas.walker import case
from symconv.formulas.walks import Rewriter

__all__ = ["Equation"]


@dataclass(frozen=True)
class Equation:
    """``quantity = body`` for all values of the free indices in their ranges: the record behind a `Formula`.

    Attributes:
        quantity: the left-hand side.
        free: the free indices in order, with their ranges.
        body: the right-hand side; a tensor is zero outside its box.
        tensors: the tensors that the body reads, with their boxes.
        sizes: the names of the input sizes, one a spatial axis.
        definitions: names that stand for expressions in the sizes, such as the output size O.
        lower: known lower bounds of names.
        facts: expressions known to be nonnegative, such as "a window fits".
        base: the first index of every tensor, 0 or 1.
        table: the SymPy symbols behind the names.
        one_winner: whether data with several winners of a maximum are refused, where its share counts.
    """

    quantity: Quantity
    free: tuple[Bound, ...]
    body: Node
    tensors: tuple[Tensor, ...]
    sizes: tuple[str, ...] = ()
    definitions: tuple[tuple[str, Index], ...] = ()
    lower: tuple[tuple[str, int], ...] = ()
    facts: tuple[Index, ...] = ()
    base: int = 0
    table: SymbolTable = field(default_factory=SymbolTable, compare=False, repr=False)
    one_winner: bool = field(default=False, compare=False, repr=False)

    # ------------------------------------------------------------------ structure

    @property
    def indices(self) -> tuple[str, ...]:
        """The names of the free indices, in order."""
        return tuple(bound.name for bound in self.free)

    @property
    def boxes(self) -> dict[str, Box]:
        """The box of every tensor, by letter."""
        return {tensor.name: tensor.box for tensor in self.tensors}

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names that must be given numbers before an entry can be: sizes and symbolic options, sorted."""
        names = free_names(self.body)
        for bound in self.free:
            names |= bound.lower.names | bound.upper.names
        for tensor in self.tensors:
            for low, high in tensor.box:
                names |= low.names | high.names
        for _, value in self.definitions:
            names |= value.names
        return tuple(sorted(names - set(self.indices) - {name for name, _ in self.definitions}))

    def knowledge(self) -> Knowledge:
        """What holds of the parameters and free indices."""
        return Knowledge(dict(self.lower), self.free, self.facts, dict(self.definitions))

    def assumptions(self) -> tuple[Guard, ...]:
        """The hypotheses under which the formula is meant: lower bounds, facts, definitions, ranges of free indices."""
        guards = [Guard("ge", Index.of(name) - low) for name, low in self.lower]
        guards += [Guard("ge", fact) for fact in self.facts]
        guards += [Guard("eq", Index.of(name) - value) for name, value in self.definitions]
        for bound in self.free:
            guards += bound.guards()
        return tuple(guards)

    def with_body(self, body: Node) -> Self:
        """The same statement with another right-hand side."""
        return replace(self, body=body)

    def subs(self, env: Mapping[str, IndexLike]) -> Self:
        """Put expressions or numbers in for parameters (not for indices)."""
        inner = {name: Index.of(value) for name, value in env.items()}
        return replace(
            self,
            free=tuple(Bound(b.name, b.lower.subs(inner), b.upper.subs(inner)) for b in self.free),
            body=substitute(self.body, inner),
            tensors=tuple(
                replace(t, box=tuple((low.subs(inner), high.subs(inner)) for low, high in t.box)) for t in self.tensors
            ),
            definitions=tuple((name, value.subs(inner)) for name, value in self.definitions if name not in inner),
            lower=tuple((name, low) for name, low in self.lower if name not in inner),
            facts=tuple(fact.subs(inner) for fact in self.facts),
        )

    def rebased(self, base: int) -> Self:
        """The same formula with indices that count from `base`; sizes and parameters stay what they are."""
        if base == self.base:
            return self
        shift = base - self.base
        free_names = set(self.indices)
        env: dict[str, IndexLike] = {name: Index.of(name) - shift for name in free_names}
        return replace(
            self,
            free=tuple(Bound(b.name, b.lower + shift, b.upper + shift) for b in self.free),
            body=_Rebase(env, shift).visit(self.body),
            tensors=tuple(
                replace(t, box=tuple((low + shift, high + shift) for low, high in t.box)) for t in self.tensors
            ),
            base=base,
        )

    def ranges(self, env: Mapping[str, int]) -> tuple[range, ...]:
        """The values of the free indices at given sizes."""
        return tuple(range(int(b.lower.evaluate(env)), int(b.upper.evaluate(env)) + 1) for b in self.free)

    def free_at(self, env: Mapping[str, int]) -> list[Bound]:
        """The free indices with their ranges at given sizes, as numbers."""
        return [
            Bound(b.name, Index.of(r.start), Index.of(r.stop - 1))
            for b, r in zip(self.free, self.ranges(env), strict=True)
        ]


class _Rebase(Rewriter):
    """A tree whose indices count from another number: places move by `shift`, and indices mean what they meant."""

    def __init__(self, env: Mapping[str, IndexLike], shift: int) -> None:
        self.env, self.shift = env, shift

    def index(self, expr: Index) -> Index:
        return expr.subs(self.env)

    def place(self, index: tuple[Index, ...]) -> tuple[Index, ...]:
        return tuple(e.subs(self.env) + self.shift for e in index)

    def bound(self, bound: Bound) -> Bound:
        return Bound(bound.name, bound.lower.subs(self.env) + self.shift, bound.upper.subs(self.env) + self.shift)

    @case(Reduce)
    def reduce(self, node: Reduce) -> Node:
        inner = _Rebase({**self.env, **{b.name: Index.of(b.name) - self.shift for b in node.bounds}}, self.shift)
        guards = tuple(inner.guard(g) for g in node.guards)
        return Reduce(node.op, tuple(inner.bound(b) for b in node.bounds), guards, inner.visit(node.body))
