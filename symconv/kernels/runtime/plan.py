"""What a plan is: a way to compute an operator, where it applies, what it costs and why it is right."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

import numpy as np

from symconv.errors import NotSupportedError
from symconv.kernels.form.extraction import tap_form
from symconv.kernels.form.tapform import KINDS, Kind, TapForm
from symconv.kernels.runtime.cost import Estimate
from symconv.kernels.runtime.engine import Engine
from symconv.kernels.runtime.layout import Layout
from symconv.kernels.runtime.padding import Array

if TYPE_CHECKING:
    from symconv.derivations.step import Derivation
    from symconv.operators.base import Operator

__all__ = ["ACCURACIES", "Accuracy", "CallShape", "Plan", "Task"]

Task: TypeAlias = Literal["output", "input", "weight"]
"""What is computed: the output, the gradient of the input, or the gradient of the weight."""

Accuracy: TypeAlias = Literal["exact_order", "default", "fast"]
"""Sums in the order of the taps; sums in any order; transforms that lose digits."""

ACCURACIES: tuple[Accuracy, ...] = ("exact_order", "default", "fast")


@dataclass(frozen=True)
class CallShape:
    """What a cost is estimated for.

    Attributes:
        batch: the number of items.
        layout: the layout at the input size.
        dtype: the type that is computed in: float32, float64 or int64.
        weight: the weight bound at compile time, ``(groups, out, in, *kernel)``, or None.
        threads: how many threads may be used.
    """

    batch: int
    layout: Layout
    dtype: np.dtype[Any]
    weight: Array | None = None
    threads: int = 1

    @property
    def outputs(self) -> tuple[int, ...]:
        """The output size."""
        return self.layout.outputs

    @property
    def sizes(self) -> tuple[int, ...]:
        """The input size."""
        return self.layout.sizes

    @property
    def positions(self) -> int:
        """The number of output positions of one channel."""
        return prod(self.layout.outputs)


class Plan(ABC):
    """A way to compute an operator: one object without state, one entry of the table of a backend.

    Attributes:
        name: what a user writes for ``plan=``.
        kind: the kind of formula that it computes; it is never asked about any other.
        accuracy: the accuracy class; a plan is taken only where its class is allowed.
        integers: whether it is exact on int64.
        error: the accuracy to expect, in one line.
        direct: whether every result of a convolution is the sum of its products, in any order: what is promised of its
            rounding errors is then known.
    """

    name: ClassVar[str]
    kind: ClassVar[Kind] = "correlation"
    accuracy: ClassVar[Accuracy] = "default"
    integers: ClassVar[bool] = True
    error: ClassVar[str]
    direct: ClassVar[bool] = False

    @abstractmethod
    def refusal(self, form: TapForm, weight: Array | None) -> str | None:
        """None where the plan applies, else the requirement that is not met, such as "must have stride 1".

        Args:
            form: the tap form, of the plan's kind.
            weight: the weight bound at compile time, ``(groups, out, in, *kernel)``, or None.
        """

    def yields(self, form: TapForm) -> bool:
        """Whether a plan with the same estimate is taken rather than this one; else the one first in the table is."""
        return False

    @abstractmethod
    def cost(self, form: TapForm, call: CallShape, task: Task) -> Estimate | None:
        """The estimated cost of a task, or None where the plan does not do it or not at these sizes."""

    @abstractmethod
    def engine(self, form: TapForm, weight: Array | None) -> Engine:
        """What runs. With a bound weight the engine may keep what it computes from it."""

    def derivation(self, op: Operator) -> Derivation:
        """The rewrites that lead from the formula of the operator to the plan; each step can be checked.

        Raises:
            NotSupportedError: for a formula of another kind than the plan's.
        """
        if tap_form(op).kind != self.kind:
            raise NotSupportedError(f"the plan {self.name!r} does not compute {op!r}: it needs {KINDS[self.kind]}")
        return self.rewrites(op)

    @abstractmethod
    def rewrites(self, op: Operator) -> Derivation:
        """The derivation of an operator whose formula is of the plan's kind."""
