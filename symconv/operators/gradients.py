"""The gradients of a layer by what it depends on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Gradients"]


@dataclass(frozen=True)
class Gradients:
    """The vector-Jacobian products of one upstream gradient; None for what the operator does not have or was not asked
    for."""

    input: Any
    weight: Any = None
    bias: Any = None
