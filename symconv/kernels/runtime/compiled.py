"""What kernels of one operator share: its tap form, its layouts, and which plan each call takes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from math import prod
from typing import Any, TypeVar

import numpy as np

from symconv.errors import ArgumentError, NotSupportedError
from symconv.kernels.form.tapform import TapForm
from symconv.kernels.runtime.arguments import engine_weight, outputs_of
from symconv.kernels.runtime.cost import Estimate
from symconv.kernels.runtime.engine import Engine
from symconv.kernels.runtime.layout import Layout, layout_of
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.parameters import BoundWeight
from symconv.kernels.runtime.plan import Accuracy, CallShape, Plan, Task
from symconv.kernels.runtime.selection import applicable, ranked, required
from symconv.operators.base import Operator

__all__ = ["Compiled", "remember"]

REMEMBERED = 64
"""How many input sizes, choices and shapes of calls are remembered."""

V = TypeVar("V")


def remember(store: OrderedDict[Any, V], key: Any, value: V) -> V:
    """Put a value into a store that forgets its oldest entry when it is full."""
    if len(store) >= REMEMBERED:
        store.popitem(last=False)
    store[key] = value
    return value


class Compiled:
    """The plans that a kernel may take, and the engines that have been made.

    Attributes:
        op, form: the operator and its tap form.
        table: the plans of the backend for forms of this kind, and `words`, what runs them.
        accuracy: the accuracy class.
        forced: the plan that the user asked for, or None.
        plans: the plans to choose from: those of the table that apply.
        bound: the weight that was given at compile time, or None; `weight`, that as engines take it.
        threads: how many threads may be used.

    Raises:
        ArgumentError: for a plan that does not exist or does not apply, or a weight that does not fit.
        NotSupportedError: for an operator that no plan of the table applies to.
    """

    def __init__(
        self,
        op: Operator,
        form: TapForm,
        table: Sequence[Plan],
        words: str,
        plan: str | None,
        accuracy: Accuracy,
        weight: Array | None = None,
        threads: int = 1,
    ) -> None:
        self.op, self.form, self.accuracy, self.threads = op, form, accuracy, threads
        self.bound = None if weight is None else BoundWeight(weight, self.arranged_weight(weight))
        self.weight = None if self.bound is None else self.bound.arranged
        self.table, self.words = tuple(table), words
        self._refused: set[Plan] = set()
        self.plans = applicable(self.table, form, self.weight, accuracy)
        if not self.plans:
            raise NotSupportedError(f"no plan of this backend ({words}) computes {op!r}")
        self.forced = None if plan is None else self.required(plan)
        self._layouts: OrderedDict[tuple[int, ...], Layout] = OrderedDict()
        self._choices: OrderedDict[Any, Engine] = OrderedDict()
        self._engines: dict[tuple[str, bool], Engine] = {}

    def required(self, name: str) -> Plan:
        """The plan with a name.

        Raises:
            ArgumentError: for a plan that does not exist, does not apply, or has been refused.
        """
        plan = required(self.table, self.form, self.weight, self.accuracy, name)
        if plan in self._refused:
            names = ", ".join(repr(other.name) for other in self.plans)
            raise ArgumentError("plan", name, f"must be one whose derivation is proved here ({names})")
        return plan

    def refuse(self, plan: Plan) -> None:
        """Take a plan no longer: a step of its derivation is not proved."""
        self._refused.add(plan)
        self.plans = tuple(other for other in self.plans if other is not plan)
        self._choices.clear()

    def arranged_weight(self, array: Array, name: str = "weight") -> Array:
        """A weight as engines take it: ``(groups, outputs of a group, inputs of a group, *kernel)``.

        Raises:
            ArgumentError: for a wrong shape, or an operator without a weight.
        """
        if self.form.channels is None:
            raise ArgumentError(name, type(array).__name__, f"must be left out: {self.op!r} has no weight")
        return engine_weight(self.form, array, name)

    def summed(self, weight: Array) -> Array:
        """The entries of a weight as engines take it, a row for everything that one output adds up."""
        return weight.reshape(prod(weight.shape[:2]), -1)

    def outputs(self, layout: Layout) -> tuple[int, ...]:
        """The spatial output size at a layout."""
        return layout.outputs

    def layout(self, sizes: tuple[int, ...]) -> Layout:
        """The layout at an input size.

        Raises:
            GeometryError: where no window fits.
        """
        found = self._layouts.get(sizes)
        if found is None:
            outputs_of(self.op, sizes)
            found = remember(self._layouts, sizes, layout_of(self.form, sizes))
        return found

    def call(self, batch: int, layout: Layout, dtype: np.dtype[Any], bound: bool = True) -> CallShape:
        """What the cost of a call depends on; an empty batch costs what one item does."""
        return CallShape(max(1, batch), layout, dtype, self.weight if bound else None, self.threads)

    def ranked(self, task: Task, call: CallShape) -> list[tuple[Estimate, Plan]]:
        """The plans that do a task, the best first; a plan that was asked for is the first where it does the task.

        Raises:
            ArgumentError: where the plan that was asked for cannot give the output.
        """
        plans = self.plans
        if call.weight is not self.weight:
            plans = tuple(p for p in applicable(self.table, self.form, None, self.accuracy) if p not in self._refused)
        found = ranked(self.form, call, task, plans)
        if not found or self.forced in self._refused:
            raise NotSupportedError(f"no plan is left for {self.op!r}: a step of a derivation is not proved")
        if self.forced is None:
            return found
        asked = [pair for pair in found if pair[1] is self.forced]
        if not asked and task == "output" and call.weight is self.weight:
            if call.dtype.kind in "iu" and not self.forced.integers:
                raise ArgumentError(
                    "x",
                    call.dtype.name,
                    f"must have a floating dtype: the plan {self.forced.name!r} is not exact on integers",
                    "pass x.astype('float64') or leave the plan out",
                )
            raise ArgumentError(
                "plan",
                self.forced.name,
                f"must be one that computes an input of {call.sizes} in {call.dtype.name}",
                f"such as {found[0][1].name!r}",
            )
        return asked + [pair for pair in found if pair[1] is not self.forced]

    def engine(self, task: Task, call: CallShape) -> Engine:
        """The engine of the best plan for a task; chosen once for each batch, size and type."""
        bound = call.weight is not None
        key = (task, call.batch, call.sizes, call.dtype, bound)
        found = self._choices.get(key)
        if found is None:
            found = remember(self._choices, key, self.made(self.ranked(task, call)[0][1], bound))
        return found

    def made(self, plan: Plan, bound: bool = True) -> Engine:
        """The engine of a plan, with the bound weight where there is one or without."""
        weight = self.weight if bound else None
        key = (plan.name, weight is not None)
        if key not in self._engines:
            engine = plan.engine(self.form, weight)
            engine.threads = self.threads
            self._engines[key] = engine
        return self._engines[key]
