"""The sums of absolute values that bounds are multiples of: the operator itself, on absolute values, in float64."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from symconv.kernels.accuracy.units import Unit
from symconv.kernels.form.tapform import TapForm
from symconv.kernels.plans.im2col import Im2colEngine
from symconv.kernels.runtime.engine import Engine
from symconv.kernels.runtime.layout import Layout
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import Task

__all__ = ["Magnitudes"]


@dataclass(frozen=True)
class Magnitudes:
    """The absolute values of what a task is given, as engines take it, in float64.

    What is rounded when it is brought into the type that is computed in is larger here by what that may add.

    Attributes:
        form, layout: the tap form, and the layout at the size of the input.
        engine: that of the plan.
        entries: the input itself, in float64; of the gradient of a convolution only its shape counts.
        x: its absolute values.
        given: the weight and the bias, if there are any, signs included.
        upstream: the upstream gradient, for a gradient.
        unit: of the type that is computed in.
    """

    form: TapForm
    layout: Layout
    engine: Engine
    entries: Array
    x: Array
    given: Mapping[str, Array]
    upstream: Array | None
    unit: Unit

    @cached_property
    def sizes(self) -> dict[str, Array]:
        """The absolute values of the parameters."""
        return {name: np.abs(value) for name, value in self.given.items()}

    def direct(self, task: Task) -> Array:
        """The task of a convolution done on absolute values: the output, its bias included, or a gradient."""
        engine = Im2colEngine(self.form, None)
        if task == "output":
            return engine.forward(self.x, self.layout, self.sizes, np.float64)
        assert self.upstream is not None
        if task == "input":
            return engine.input_gradient(self.upstream, self.x, self.layout, self.sizes)
        return engine.weight_gradient(self.upstream, self.x, self.layout, self.sizes)
