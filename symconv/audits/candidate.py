"""A candidate: an operator, and how it is applied to arrays as they lie, that may have made an output."""

from __future__ import annotations

from dataclasses import dataclass, replace

from symconv.audits.reading import Array, DataReading, WeightReading, moved, places
from symconv.audits.turns import Turn
from symconv.operators.adaptive import AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.pooling import MaxPool

__all__ = ["Candidate", "Orientation", "has_channels"]


@dataclass(frozen=True)
class Orientation:
    """How the arrays are read and turned before an operator sees them.

    Attributes:
        x, y: the order of the axes of the input and the output.
        weight: that of the weight; None for a pooling.
        turn: what is done to the filter.
        transposed: whether the operator is a transposed convolution, whose weight has its input channels first.
        exchanged: whether the output has its two spatial axes exchanged.
        groups: the number of groups.
        mixed_inputs, mixed_outputs: whether channel c belongs to group ``c % groups``, and not to ``c // (C/groups)``.
        shared: whether one plain filter goes over every channel by itself.
    """

    x: DataReading
    y: DataReading
    weight: WeightReading | None = None
    turn: Turn | None = None
    transposed: bool = False
    exchanged: bool = False
    groups: int = 1
    mixed_inputs: bool = False
    mixed_outputs: bool = False
    shared: bool = False

    # ------------------------------------------------------------------ arrays

    def input(self, x: Array) -> Array:
        """The input as (N, C, places), as the operator takes it."""
        seen = self.x.canonical(x)
        if self.shared:
            seen = seen.reshape(-1, 1, *seen.shape[2:])
        return seen[:, self._order(seen.shape[1])] if self.mixed_inputs else seen

    def output(self, y: Array) -> Array:
        """The output as (N, O, places), as the operator gives it."""
        seen = self.y.canonical(y)
        if self.shared:
            seen = seen.reshape(-1, 1, *seen.shape[2:])
        if self.exchanged:
            seen = seen.swapaxes(-1, -2)
        return seen[:, self._order(seen.shape[1])] if self.mixed_outputs else seen

    def filter(self, weight: Array) -> Array:
        """The weight as (O, I, taps), turned, but for the reversal of all axes that is the operator's own."""
        assert self.weight is not None
        assert self.turn is not None
        seen = self.weight.canonical(weight, self.transposed)
        turn = replace(self.turn, reversed=(False,) * len(self.turn.order)) if self.turn.flip else self.turn
        seen = turn(seen)
        return seen[self._order(seen.shape[0])] if self.mixed_outputs else seen

    def _order(self, channels: int) -> list[int]:
        """The channels, those of a group beside each other."""
        return [c for group in range(self.groups) for c in range(group, channels, self.groups)]

    # ------------------------------------------------------------------ texts

    def line(self, operator: Operator, x: Array, weight: Array | None, y: Array, bias: Array | None) -> str:
        """The expression of Python that makes `y` from `x` and `weight`."""
        plain = not has_channels(operator)
        given, letters = self._given(x, plain)
        if weight is None and x.dtype.kind != "f" and not isinstance(operator, MaxPool | AdaptiveMaxPool):
            given = f"{given}.astype(float)"  # a kernel of averages and norms refuses integers
        arguments = [given]
        if weight is not None:
            arguments.append(self._weight(weight, plain))
        if bias is not None:
            arguments.append(f"bias=np.array({bias.tolist()})")
        made = repr(operator).replace("norm_type=inf", "norm_type=np.inf")
        return self._undone(f"sc.compile(sc.{made})({', '.join(arguments)})", letters, y)

    def _given(self, x: Array, plain: bool) -> tuple[str, str]:
        """The expression of the input, and the letters of its axes."""
        present = self.x.present
        given = moved("x", self.x.order, present)
        whole = self.x.canonical(x).shape
        if self.shared and "C" in present:
            return f"{given}.reshape{(whole[0] * whole[1], 1, *whole[2:])}", "NC" + places(self.x.axes)
        if self.mixed_inputs:
            given = self._picked(given, self._order(whole[1]))
        if "C" in present or (plain and present == places(self.x.axes)):
            return given, present
        return f"{given}.reshape{whole}", "NC" + places(self.x.axes)

    def _weight(self, weight: Array, plain: bool) -> str:
        assert self.weight is not None
        assert self.turn is not None
        if plain and self.weight.order == places(self.weight.axes):
            return self.turn.expression("weight", 0)
        expression = self.turn.expression(self.weight.expression("weight", weight.shape, self.transposed), 2)
        return f"{expression}[{self._order(self.filter(weight).shape[0])}]" if self.mixed_outputs else expression

    def _undone(self, result: str, letters: str, y: Array) -> str:
        """The expression of the output as it lies, made of the operator's result, whose axes have some letters."""
        if self.mixed_outputs:
            order = self._order(self.y.canonical(y).shape[1])
            result = self._picked(result, sorted(range(len(order)), key=order.__getitem__))
        if self.exchanged:
            result = f"{result}.swapaxes(-1, -2)"
        if letters != self.y.present:
            sizes = dict(zip(self.y.order, y.shape, strict=True))
            result = f"{result}.reshape{tuple(sizes[letter] for letter in self.y.present)}"
        return moved(result, self.y.present, self.y.order)

    def _picked(self, name: str, order: list[int]) -> str:
        return f"{name}[..., {order}{', :' * self.x.axes}]"

    @property
    def words(self) -> str:
        """How the arrays are read, in words: orders of axes that are not the plain ones, and what was turned."""
        said = [f"input {self.x.order}, output {self.y.order}"]
        if self.weight is not None:
            said[0] += f", weight {self.weight.order}"
        if self.shared:
            said.append("one filter for every channel")
        if self.turn is not None and self.turn.words:
            said.append(self.turn.words)
        if self.exchanged:
            said.append("the output has its two axes exchanged")
        if self.mixed_inputs or self.mixed_outputs:
            which = " and ".join(["input"] * self.mixed_inputs + ["output"] * self.mixed_outputs)
            said.append(f"{which} channel c belongs to group c mod {self.groups}")
        return "; ".join(said)

    @property
    def cost(self) -> float:
        """How unusual the orientation is."""
        cost = 0.0 if self.turn is None else self.turn.cost
        cost += 2.0 * (self.x.last != self.y.last and {"C"} <= set(self.x.order) & set(self.y.order))
        cost += 3.0 * self.exchanged + 2.0 * (self.mixed_inputs + self.mixed_outputs)
        cost += 0.2 * self.x.last + 0.4 * ("N" in self.x.order and "C" not in self.x.order) + 0.1 * (self.groups > 1)
        if self.weight is not None:
            usual = self.weight.order[-1] in "IOGM" if self.x.last else self.weight.order[0] in "OG"
            order = self.weight.order.strip("DHW")
            usual = usual and (order in ("OI", "IO", "O", "I", "G", "GM", ""))
            usual = usual and not (order == "IO" and self.weight.order[0] == "I" and not self.transposed)
            cost += 0.0 if usual else 1.0
        return cost


def has_channels(operator: Operator) -> bool:
    """Whether an operator's arrays have an axis of channels."""
    return (getattr(operator, "in_channels", 1), getattr(operator, "out_channels", 1)) != (1, 1)


@dataclass(frozen=True)
class Candidate:
    """An operator with an orientation of arrays; with a bias, of which only that there is one is known here.

    Attributes:
        operator: the operator; it has a bias where one is to be found.
        orientation: how it is applied.
        cost: how unusual both are together: explanations are ranked by it.
    """

    operator: Operator
    orientation: Orientation
    cost: float
