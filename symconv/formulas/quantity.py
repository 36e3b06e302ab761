"""What a formula speaks of: the quantity that it gives, and the tensors that it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from symconv.formulas.exact import Box

__all__ = ["Quantity", "Role", "Tensor"]

Role = Literal["input", "weight", "bias", "position", "target", "output", "upstream"]


@dataclass(frozen=True)
class Tensor:
    """A tensor of a formula: its letter, what it is for, and the inclusive range of each of its indices."""

    name: str
    role: Role
    box: Box


@dataclass(frozen=True)
class Quantity:
    """What a formula gives: an entry of a tensor, a derivative of one by another, or a gradient of the error.

    `of` and `wrt` are a letter and the names of its indices; for a gradient `of` is the error, without indices.
    """

    kind: Literal["entry", "derivative", "gradient"]
    of: tuple[str, tuple[str, ...]]
    wrt: tuple[str, tuple[str, ...]] | None = None
