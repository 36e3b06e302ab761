"""What a number was worked out from: the products that an entry is the sum of, or the entries that a function reads.

It is read off the same tree as the value. A sum of products of entries has its products, in the order of the formula
and of the windows; a maximum has the entries of its window; of anything else there are only the entries that it reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from symconv.formulas.algebra import (
    Absolute,
    Access,
    Applied,
    Bracket,
    Compare,
    Constant,
    FormulaWalker,
    Multiply,
    Named,
    Node,
    Plus,
    Power,
    Reduce,
    Scalar,
    Share,
    Sign,
)
from symconv.formulas.exact import Box, Entry, Numbers, evaluate
from symconv.formulas.function import UndefinedError
from symconv.formulas.lattice import listed_points
from symconv.formulas.walker import case
from symconv.formulas.walks import accesses

__all__ = ["Addend", "Source", "source_of"]


@dataclass(frozen=True)
class Addend:
    """A product of entries with a number before it; an entry outside its box is 0 and stands there all the same."""

    factor: Any
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Source:
    """What an entry was worked out from.

    Attributes:
        kind: "sum" of the summands; "max" or "min" of them, each one entry; "function" of one entry each, whose order
            means nothing.
        summands: none that is 0 for other reasons than its entries.
        function: the name of the function of one entry, where it is no more than that, such as "positive part".
    """

    kind: Literal["sum", "max", "min", "function"]
    summands: tuple[Addend, ...]
    function: str = ""


def source_of(
    node: Node,
    env: Mapping[str, int],
    tensors: Mapping[str, Callable[[tuple[int, ...]], Any]],
    boxes: Mapping[str, Box],
    linear: frozenset[str] | None = None,
) -> tuple[Source, Any]:
    """What the value of a tree at a point comes from, and the value.

    Args:
        node: any tree.
        env: values of all indices and parameters.
        tensors: a function of an index for every tensor.
        boxes: the declared boxes.
        linear: the tensors that a product must have an entry of to count as one; what else it reads may be worked into
            its factor. A gradient is linear in the upstream gradient. Without it, no factor may read any entry.

    >>> from symconv.formulas.algebra import Access, product, add, const
    >>> entry = Access("a", ())
    >>> source, value = source_of(add(product(const(2), entry), entry), {}, {"a": lambda index: Fraction(3)}, {"a": ()})
    >>> [(summand.factor, summand.entries) for summand in source.summands], value
    ([(Fraction(2, 1), (('a', ()),)), (Fraction(1, 1), (('a', ()),))], Fraction(9, 1))
    """
    domain = _Recording(tensors)
    value = evaluate(node, env, domain, boxes)
    found = _Summands(env, Numbers(tensors), boxes, linear, {}).visit(node)
    if found is not None and all(len(summand.entries) in (1, 2) for summand in found):
        return Source("sum", tuple(found)), value
    if isinstance(node, Reduce) and node.op != "sum" and isinstance(node.body, Access):
        reads = [_entry(node.body, point) for point in listed_points(node.bounds, node.guards, env)]
        return Source(node.op, tuple(Addend(Fraction(1), (read,)) for read in reads)), value
    name = node.function.name if isinstance(node, Applied) and isinstance(node.arg, Access) else ""
    return Source("function", tuple(Addend(Fraction(1), (read,)) for read in domain.reads), name), value


def _entry(access: Access, env: Mapping[str, int]) -> Entry:
    return access.tensor, tuple(int(e.evaluate(env)) for e in access.index)


class _Recording(Numbers):
    """Numbers that remember which entries were read, each once, in the order of reading."""

    def __init__(self, tensors: Mapping[str, Callable[[tuple[int, ...]], Any]]) -> None:
        super().__init__(tensors)
        object.__setattr__(self, "reads", {})

    reads: dict[Entry, None]

    def entry(self, tensor: str, index: tuple[int, ...]) -> Any:
        self.reads[tensor, index] = None
        return super().entry(tensor, index)


class _Summands(FormulaWalker["list[Addend] | None"]):
    """The summands of a tree at one point; None where it is no sum of products of entries."""

    __slots__ = ("boxes", "domain", "env", "known", "linear")

    def __init__(
        self,
        env: Mapping[str, int],
        domain: Numbers,
        boxes: Mapping[str, Box],
        linear: frozenset[str] | None,
        known: dict[int, bool],
    ) -> None:
        self.env, self.domain, self.boxes, self.linear, self.known = env, domain, boxes, linear, known

    def _reads(self, node: Node) -> bool:
        """Whether a node reads an entry; it is asked at every point of a window, and looked at once."""
        if id(node) not in self.known:
            self.known[id(node)] = bool(accesses(node))
        return self.known[id(node)]

    @case(Constant, Scalar, Bracket)
    def _number(self, node: Node) -> list[Addend]:
        value = evaluate(node, self.env, self.domain, self.boxes)
        return [Addend(value, ())] if value != 0 else []

    @case(Access)
    def _access(self, node: Access) -> list[Addend]:
        return [Addend(Fraction(1), (_entry(node, self.env),))]

    @case(Named)
    def _named(self, node: Named) -> list[Addend] | None:
        return self.visit(node.value)

    @case(Plus)
    def _plus(self, node: Plus) -> list[Addend] | None:
        parts = [self.visit(arg) for arg in node.args]
        if any(part is None for part in parts):
            return None
        return [summand for part in parts if part is not None for summand in part]

    @case(Multiply)
    def _multiply(self, node: Multiply) -> list[Addend] | None:
        parts: list[list[Addend]] = []
        number: Any = Fraction(1)
        for arg in sorted(node.args, key=self._reads):  # what is 0 without an entry is found before entries are
            if not self._reads(arg):
                number = number * evaluate(arg, self.env, self.domain, self.boxes)
                if number == 0:
                    return []
                continue
            try:
                part = self.visit(arg)
                if part is not None:
                    parts.append(part)
                elif self.linear is None:
                    return None
                else:
                    number = number * evaluate(arg, self.env, self.domain, self.boxes)
            except UndefinedError:  # the whole tree has a value: it is multiplied by an entry that is 0
                return []
        if number == 0:
            return []
        result = [Addend(number, ())]
        for part in parts:
            result = [Addend(a.factor * b.factor, (*a.entries, *b.entries)) for a in result for b in part]
        # Without an entry that it is linear in, a product is a number that was worked out of others.
        linear = self.linear
        if linear is not None and not all(any(name in linear for name, _ in one.entries) for one in result):
            return None
        return [summand for summand in result if summand.factor != 0]

    @case(Reduce)
    def _reduce(self, node: Reduce) -> list[Addend] | None:
        if node.op != "sum":
            return None
        found: list[Addend] = []
        for point in listed_points(node.bounds, node.guards, self.env):
            part = _Summands(point, self.domain, self.boxes, self.linear, self.known).visit(node.body)
            if part is None:
                return None
            found += part
        return found

    @case(Power, Absolute, Applied, Sign, Compare, Share)
    def _other(self, node: Node) -> list[Addend] | None:
        return None if self._reads(node) else self._number(node)
