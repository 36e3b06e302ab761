"""The promises of a transposed convolution: those of the convolution, with input and upstream gradient exchanged."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from symconv.kernels.accuracy.magnitudes import Magnitudes
from symconv.kernels.accuracy.promise import Error, TaskPromise
from symconv.kernels.form.tapform import TapForm
from symconv.kernels.runtime.engine import Engine
from symconv.kernels.runtime.plan import Task

__all__ = ["OTHER", "ExchangedPromise", "exchanged"]

OTHER: dict[Task, Task] = {"output": "input", "input": "output", "weight": "weight"}
"""Which task of the convolution does a task here."""


@dataclass(frozen=True)
class ExchangedPromise(TaskPromise):
    """A promise of the convolution; a bias is added afterwards, and takes part in 2 roundings at most.

    Attributes:
        inner: the promise of the other task, which counts the addition of the bias.
        bias: whether there is one.
    """

    inner: TaskPromise
    bias: bool

    @property
    def source(self) -> str:  # type: ignore[override]
        """Where the bound comes from."""
        return self.inner.source

    @property
    def constant(self) -> float:
        return self.inner.constant

    @property
    def formula(self) -> str:
        letters = {"a": "g", "g": "a"}
        text = re.sub(r"(?<=[|‖])[ag](?=[|‖])", lambda found: letters[found[0]], self.inner.formula)
        return f"{text}; and γ(2)|d|" if self.bias else text

    def error(self, magnitudes: Magnitudes) -> Error:
        found = self.inner.error(magnitudes)
        if not self.bias:
            return found
        d = magnitudes.sizes["bias"]
        d = d.reshape(*d.shape, *[1] * len(magnitudes.layout.axes))
        return Error(found.error + self.unit.gamma(2) * d, found.size + d, found.largest + d)


def exchanged(magnitudes: Magnitudes, form: TapForm, engine: Engine, shape: tuple[int, ...]) -> Magnitudes:
    """What the other task of the convolution is given.

    Args:
        magnitudes: of the transposed convolution.
        form, engine: of the convolution.
        shape: of the output of the transposed convolution, as engines have it.
    """
    g = magnitudes.upstream
    x = np.zeros(shape) if g is None else g
    return replace(magnitudes, form=form, engine=engine, entries=x, x=x, upstream=magnitudes.x)
