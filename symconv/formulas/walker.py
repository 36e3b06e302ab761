"""A walk over trees as a table: one method for each kind of node, found by the type of the node.

Every subject (evaluation, printing, the derivative...) is one class, and a kind that a class does not speak of is an
error with both names in it, where a ladder of ``isinstance`` would take its last branch in silence. The shape is that
of the mappers of pymbolic and loopy (https://documen.tician.de/pymbolic/mappers.html); there a node names the method
that is meant for it, here the method names its nodes, so that a record knows nothing of those who walk over it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Generic, TypeVar

__all__ = ["Walker", "case"]

Answer = TypeVar("Answer")
Method = TypeVar("Method", bound=Callable[..., Any])


def case(*kinds: type) -> Callable[[Method], Method]:
    """Say which kinds of nodes a method of a `Walker` is for."""

    def mark(method: Method) -> Method:
        method.__dict__["kinds"] = kinds
        return method

    return mark


class Walker(Generic[Answer]):
    """What is asked of a tree, answered node by node.

    What the nodes are asked with is kept in attributes; where it changes on the way down, another walker goes on. A
    class inherits the cases of its bases, and its own come before theirs.

    Attributes:
        kinds: the kinds of nodes that a tree may be made of.
        cases: the method for each kind.
    """

    kinds: ClassVar[tuple[type, ...]] = ()
    cases: ClassVar[Mapping[type, Callable[..., Any]]] = MappingProxyType({})

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        table: dict[type, Callable[..., Any]] = {}
        for base in reversed(cls.__mro__):
            for method in vars(base).values():
                for kind in getattr(method, "__dict__", {}).get("kinds", ()):
                    table[kind] = method
        cls.cases = MappingProxyType(table)

    def visit(self, node: Any) -> Answer:
        """The answer of a node.

        Raises:
            TypeError: for a kind of nodes without a case.
        """
        method = self.cases.get(type(node))
        if method is None:
            raise TypeError(f"{type(self).__qualname__} has no case for the node kind {type(node).__name__}")
        answer: Answer = method(self, node)
        return answer

    @classmethod
    def missing(cls, kinds: tuple[type, ...] | None = None) -> tuple[type, ...]:
        """The kinds, those of its trees unless others are given, that this walk has no case for."""
        return tuple(kind for kind in (cls.kinds if kinds is None else kinds) if kind not in cls.cases)

    @classmethod
    def walkers(cls) -> Iterator[type[Walker[Any]]]:
        """All classes below this one that have cases."""
        for walker in cls.__subclasses__():
            if walker.cases:
                yield walker
            yield from walker.walkers()
