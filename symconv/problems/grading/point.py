"""A network in numbers: its input and parameters are drawn, what every layer gives is worked out from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

import numpy as np
import sympy

from symconv.operators.networks.given import given_sizes
from symconv.operators.networks.shape import INPUT, Shape
from symconv.problems.answers.exact_text import as_sympy
from symconv.problems.problem import Layers

__all__ = ["Point"]


@dataclass(frozen=True)
class Point:
    """Numbers for the arrays of a network that belong together.

    Attributes:
        chain: the network.
        seed: which numbers are drawn.
    """

    chain: Layers
    seed: int

    @cached_property
    def given(self) -> dict[str, dict[str, Any]]:
        """What is drawn, by layer and role: weights, biases and targets that are not declared."""
        network, shapes = self.chain.network, self.chain.network.shapes(self.chain.input_shape)
        sizes = {name: given_sizes(op, shapes[network.sources(name)[0]]) for name, op in network.layers}
        return {
            name: {role: self.any(f"{name}.{role}", shape) for role, shape in own.items()}
            for name, own in sizes.items()
            if own
        }

    @cached_property
    def outputs(self) -> dict[str, Any]:
        """The input and what every layer gives."""
        image = self.any(INPUT, self.chain.input_shape)
        return {INPUT: image, **self.chain.network.values(_plain(image), _table(self.given))}

    def array(self, layer: str, role: str) -> Any:
        """The numbers of SymPy in an array of the network."""
        found = self.outputs[layer] if role == "output" else self.given[layer][role]
        return np.vectorize(as_sympy, otypes=[object])(found)

    def any(self, name: str, shape: Shape) -> Any:
        """Numbers that depend on nothing but a name."""
        draw = Random(f"{self.seed} {name}")  # noqa: S311 no secret: the same numbers every time
        result = np.empty(shape, object)
        for at in np.ndindex(*shape):
            result[at] = sympy.Integer(draw.choice((-3, -2, -1, 1, 2, 3, 4)))
        return result


def _plain(array: Any) -> Any:
    return np.vectorize(int, otypes=[object])(array)


def _table(given: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {layer: {role: _plain(array) for role, array in own.items()} for layer, own in given.items()}
