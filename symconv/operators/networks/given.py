"""What a call of a network gives besides its input: weights and biases by layer, and the target of a loss."""

from __future__ import annotations

from symconv.operators.base import Operator
from symconv.operators.joining import Add
from symconv.operators.losses import Loss
from symconv.operators.networks.shape import Shape

__all__ = ["given_roles", "given_sizes"]


def given_roles(op: Operator) -> tuple[str, ...]:
    """What must be given for a layer, by role."""
    if isinstance(op, Add):
        return ()
    return ("target",) if isinstance(op, Loss) and op.target is None else op.variables[1:]


def given_sizes(op: Operator, shape: Shape) -> dict[str, Shape]:
    """The shapes of what must be given for a layer that reads an array of a shape."""
    return {"target": shape} if given_roles(op) == ("target",) else op.parameter_sizes(shape)
