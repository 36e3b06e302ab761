"""What a call of a network gives besides its input: weights and biases by layer, and the target of a loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from symconv.doors import mapping
from symconv.errors import ArgumentError
from symconv.operators.base import Operator
from symconv.operators.joining import Add
from symconv.operators.losses import Loss
from symconv.operators.networks.shape import Shape

__all__ = ["given_arrays", "given_roles", "given_sizes"]


def given_roles(op: Operator) -> tuple[str, ...]:
    """What must be given for a layer, by role."""
    if isinstance(op, Add):
        return ()
    return ("target",) if isinstance(op, Loss) and op.target is None else op.variables[1:]


def given_sizes(op: Operator, shape: Shape) -> dict[str, Shape]:
    """The shapes of what must be given for a layer that reads an array of a shape."""
    return {"target": shape} if given_roles(op) == ("target",) else op.parameter_sizes(shape)


def given_arrays(weights: Any, needed: Mapping[str, Iterable[str]]) -> dict[str, dict[str, Any]]:
    """What is given by layer and role; nobody has looked at the arrays yet.

    Args:
        weights: what a caller gave.
        needed: the roles that must be given, by layer.

    Raises:
        ArgumentError: for something missing or superfluous.
    """
    wanted = 'must be a table by layer, such as {"conv1": {"weight": ..., "bias": ...}}'
    table = mapping("weights", {} if weights is None else weights, wanted)
    for name in table:
        if name not in needed:
            known = ", ".join(needed) or "none"
            raise ArgumentError("weights", name, f"must be by the names of layers that have weights: {known}")
    found: dict[str, dict[str, Any]] = {}
    for name, roles in needed.items():
        listed = " and ".join(f'"{role}"' for role in roles)
        if name not in table:
            raise ArgumentError("weights", tuple(table), f"must have an entry for {name}, with {listed}")
        own = mapping(f"weights[{name!r}]", table[name], f"must be a table with {listed}")
        if own.keys() != set(roles):
            raise ArgumentError(f"weights[{name!r}]", tuple(own), f"must have {listed} and nothing else")
        found[name] = {role: own[role] for role in roles}
    return found
