"""What an operator gives, from its formula: sums of fractions, an item of the batch, and a plane, at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symconv.audits.reading import Array
from symconv.audits.trials import Trial
from symconv.errors import NotSupportedError
from symconv.formulas.formula import Formula
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.transposed import ConvTranspose

__all__ = ["ByFormula"]

# The letters of formulas that nobody gave others.
LETTERS = {"input": "a", "weight": "b", "bias": "d", "upstream": "g"}


class ByFormula:
    """An operator at one input size.

    Args:
        op: the operator, with numbers for all options.
        sizes: the spatial input size.
    """

    def __init__(self, op: Operator, sizes: tuple[int, ...]) -> None:
        self._op, self._sizes = op, sizes
        self._output = op.output()
        self._gradients: dict[str, Formula] = {}

    def due(self, trial: Trial) -> dict[str, Array]:
        """The output, and with an upstream gradient "grad_input" and so on, in float64: each entry rounded once."""
        if not isinstance(self._op, Conv | ConvTranspose):
            return self._of_planes(trial)
        shared = {name: array for name, array in trial.arrays.items() if name != "input"}
        items = [{"input": x, **shared} for x in trial.arrays["input"]]
        found = {"output": np.stack([self._worked(self._output, item) for item in items])}
        if trial.upstream is None:
            return _floats(found)
        pulled = [{**item, "upstream": g} for item, g in zip(items, trial.upstream, strict=True)]
        for name, array in trial.arrays.items():
            formula = self._gradient(name)
            parts = np.stack([self._worked(formula, item) for item in pulled])
            whole = parts if name == "input" else np.asarray(parts.sum(axis=0), dtype=object)
            found[f"grad_{name}"] = whole.reshape(array.shape)
        output = (len(items), *trial.upstream.shape[1:])
        found["output"] = found["output"].reshape(output)
        return _floats(found)

    def _of_planes(self, trial: Trial) -> dict[str, Array]:
        x, g = trial.arrays["input"], trial.upstream
        axes = len(self._sizes)
        planes = [{"input": plane} for plane in x.reshape(-1, *self._sizes)]
        found = {"output": np.stack([self._worked(self._output, plane) for plane in planes])}
        places = found["output"].shape[1:]
        if g is not None:
            formula = self._gradient("input")
            pulled = zip(planes, g.reshape(-1, *places), strict=True)
            parts = [self._worked(formula, {**plane, "upstream": part}) for plane, part in pulled]
            found["grad_input"] = np.stack(parts)
        return _floats({name: array.reshape(*x.shape[:2], *array.shape[-axes:]) for name, array in found.items()})

    def _gradient(self, name: Any) -> Formula:
        if name not in self._gradients:
            self._gradients[name] = self._op.gradient(name)
        return self._gradients[name]

    def _worked(self, formula: Formula, given: Mapping[str, Array]) -> Any:
        """The exact entries of a formula, as an array of objects."""
        env = formula.environment(self._sizes, {})
        letters = {LETTERS[name]: array for name, array in given.items()}
        tensors = {}
        for tensor in formula.tensors:
            box = tuple(int((high - low + 1).evaluate(env)) for low, high in tensor.box)
            whole = letters[tensor.name].astype(np.int64).reshape(box)
            tensors[tensor.name] = whole.tolist()
        try:
            values = formula.values(tensors, input_size=self._sizes)
        except OverflowError:
            raise NotSupportedError(
                f"powers of {self._op!r} are larger than float64 holds; take a smaller norm"
            ) from None
        entries = np.empty(len(values), dtype=object)
        entries[:] = list(values.values())
        return entries.reshape(formula.shape(self._sizes))


def _floats(found: Mapping[str, Any]) -> dict[str, Array]:
    return {name: array.astype(np.float64) for name, array in found.items()}
