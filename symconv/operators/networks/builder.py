"""A chain of layers in the making: what is read, layer by layer, with the shape of what has come out so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symconv.errors import SymconvError
from symconv.operators.base import Operator
from symconv.operators.networks.acts import Act, Same, Shape
from symconv.operators.networks.graph import Graph, Vertex, placed
from symconv.operators.networks.moves import Reshape, Slice, Transpose
from symconv.operators.networks.windows import act_of, has_windows

__all__ = ["GraphBuilder"]


class GraphBuilder:
    """Adds nodes to a graph, and knows the shapes of their values.

    Attributes:
        graph: the graph.
        shapes: the shape of every value so far.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.shapes: dict[str, Shape] = dict(graph.inputs)

    def _fresh(self, name: str) -> str:
        number = 1
        while (value := name if number == 1 else f"{name}#{number}") in self.shapes:
            number += 1
        return value

    def add(
        self,
        name: str,
        kind: str,
        act: Act,
        *sources: str,
        operator: Operator | None = None,
        aside: str = "",
        passes: bool = False,
        place: str = "",
        weights: Mapping[str, Callable[[], Any]] | None = None,
    ) -> str:
        """Add a node; gives the name of its value.

        Raises:
            SymconvError: where it does not fit, with the name of the layer.
        """
        listed = operator is not None and has_windows(operator)
        value = self._fresh(name)
        node = Vertex(
            name, kind, act, sources, value, listed, operator, weights or {}, aside=aside, passes=passes, place=place
        )
        try:
            size = act.size([self.shapes[source] for source in sources])
        except SymconvError as error:
            raise placed(node, error) from None
        assert size is not None
        self.shapes[value] = size
        self.graph.nodes.append(node)
        return value

    def operator(self, name: str, kind: str, op: Operator, *sources: str, place: str = "", **more: Any) -> str:
        """Add what an operator does."""
        act = act_of(op, self.shapes[sources[0]])
        return self.add(name, kind, act, *sources, operator=op, place=place, **more)

    def gated(self, name: str, kind: str, axis: int, source: str, place: str = "") -> str:
        """Two halves of an axis that become one, place by place, as in a GLU."""
        shape = self.shapes[source]
        half = shape[axis] // 2
        parts = []
        for start in (0, half):
            cuts = tuple((start, 1, half) if at == axis else None for at in range(len(shape)))
            parts.append(self.add(name, kind, Slice(cuts), source, place=place))
        return self.add(name, kind, Same(), *parts, place=place)

    def regrouped(
        self, name: str, kind: str, shapes: tuple[Sequence[int], Sequence[int]], order: Sequence[int], source: str
    ) -> str:
        """A reshaping, a transposition, and a reshaping, as a pixel shuffle is."""
        first = self.add(name, kind, Reshape(tuple(shapes[0])), source)
        second = self.add(name, kind, Transpose(tuple(order)), first)
        return self.add(name, kind, Reshape(tuple(shapes[1])), second)
