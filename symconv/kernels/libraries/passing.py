"""One call whose arrays come from another library: where they stand in the arguments, and what its derivatives are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from inspect import signature
from typing import Any, TypeAlias

from symconv.errors import ArgumentError, NotSupportedError, SymconvError
from symconv.formulas.algebra import Access
from symconv.formulas.walks import walk
from symconv.kernels.libraries.finding import library_of
from symconv.kernels.libraries.library import Library
from symconv.operators.gradients import Gradients

__all__ = ["Passing", "Path", "changed", "passing_of", "place_of", "said"]

Path: TypeAlias = "tuple[Any, ...]"
"""Where an array stands: the name of its argument, and what leads on from there."""

DEEPEST = 4


def changed(change: Callable[[Path, Any], Any], value: Any, path: Path = ()) -> Any:
    """A value with everything in its tuples, tables and gradients changed by `change`, which gets where it stands."""
    if len(path) < DEEPEST:
        if type(value) is tuple:
            return tuple(changed(change, part, (*path, at)) for at, part in enumerate(value))
        if type(value) is dict:
            return {key: changed(change, part, (*path, key)) for key, part in value.items()}
        if isinstance(value, Gradients):
            parts = {part.name: getattr(value, part.name) for part in fields(value)}
            return Gradients(**{role: changed(change, part, (*path, role)) for role, part in parts.items()})
    return change(path, value)


def said(path: Path) -> str:
    """An argument, or what is in it, for messages."""
    return f"{path[0]}{''.join(f'[{key!r}]' for key in path[1:])}"


def place_of(path: Path) -> Path:
    """Where in what `vjp` gives the gradient by the argument at a path stands."""
    return ("input",) if path == ("x",) else path[1:] if path[0] == "weights" else path


def _part_of(found: Any, path: Path) -> Any:
    """Of what `vjp` gives, the gradient by the argument at a path; None for one that has none."""
    for key in place_of(path):
        found = found.get(key) if isinstance(found, dict) else getattr(found, key, None)
    return found


@lru_cache(maxsize=256)
def affine(op: Any) -> bool:
    """Whether the output is affine in every variable, so that the gradient by one does not read that one."""
    try:
        gradients = [op.gradient(variable) for variable in op.variables]
    except SymconvError:
        return False
    read = [{node.tensor for node in walk(g.body) if isinstance(node, Access)} for g in gradients]
    return all(g.quantity.wrt[0] not in names for g, names in zip(gradients, read, strict=True))


@dataclass(frozen=True)
class Passing:
    """A call of a kernel.

    Attributes:
        kernel, method: what is called.
        positional: how many of the arguments are given by position.
        arguments: all arguments by name, those by position first.
        library: whose arrays they are.
        paths, values: where they stand, and which they are.
    """

    kernel: Any
    method: str
    positional: int
    arguments: Mapping[str, Any]
    library: Library
    paths: tuple[Path, ...]
    values: tuple[Any, ...]

    def arguments_with(self, values: Sequence[Any]) -> dict[str, Any]:
        """The arguments with other arrays in the places of those that were given."""
        at = dict(zip(self.paths, values, strict=True))
        found: dict[str, Any] = changed(lambda path, old: at.get(path, old), dict(self.arguments))
        return found

    def call(self, values: Sequence[Any], called: Callable[..., Any] | None = None) -> Any:
        """The call with other arrays."""
        given = list(self.arguments_with(values).items())
        by_position = [value for _, value in given[: self.positional]]
        method = getattr(self.kernel, self.method) if called is None else called
        return method(*by_position, **dict(given[self.positional :]))

    @property
    def followed(self) -> tuple[bool, ...]:
        """Which arrays a derivative can be taken by."""
        roots = ("x", "weight", "bias", "weights", *(("grad_output",) if self.method == "vjp" else ()))
        return tuple(path[0] in roots and path[-1] != "target" for path in self.paths)

    def pulled(self, g: Any, values: Sequence[Any], needed: Sequence[bool]) -> list[Any]:
        """The gradients by the arrays of an output, in their order; None for those that have none or are not needed."""
        given = self.arguments_with(values)
        given.pop("return_indices", None)
        if "wrt" in signature(self.kernel.vjp).parameters:
            roles = {"x": "input", "weight": "weight", "bias": "bias"}
            given["wrt"] = tuple(roles[p[0]] for p, n in zip(self.paths, needed, strict=True) if n and p[0] in roles)
        found = self.kernel.vjp(g, **given)
        return [_part_of(found, path) if need else None for path, need in zip(self.paths, needed, strict=True)]

    def pulled_twice(self, moved: Any, values: Sequence[Any]) -> list[Any]:
        """The gradients by the arrays of gradients, for upstream gradients `moved` of these.

        Where the output is affine in every variable, ``<moved, vjp(g, x, w)>`` is the tangent of the output along
        `moved` times g, and every term of it is linear in x or in w alone.

        Raises:
            NotSupportedError: for an output that is not, or of a network.
        """
        kernel, given = self.kernel, self.arguments_with(values)
        op = getattr(kernel, "op", None)
        if op is None or not affine(op):
            raise NotSupportedError(
                f"no second derivatives are made of {kernel!r}: only of an operator that is linear in its input and in "
                "its weight, such as Conv; differentiate once"
            )
        g, x, weight = (given.pop(name, None) for name in ("grad_output", "x", "weight"))
        for name in ("wrt", "output", "bias"):
            given.pop(name, None)
        own = {} if weight is None else {"weight": weight}
        along = {"dx": moved.input, "dweight": moved.weight, "dbias": moved.bias}
        along = {name: value for name, value in along.items() if value is not None}
        found: dict[str, Any] = {"grad_output": kernel.jvp(x, **own, **given, **along) if along else None}
        if moved.weight is not None:
            found["x"] = kernel.vjp(g, x, moved.weight, wrt=("input",)).input
        if moved.input is not None and weight is not None:
            found["weight"] = kernel.vjp(g, moved.input, weight, wrt=("weight",)).weight
        return [found.get(path[0]) for path in self.paths]


def passing_of(kernel: Any, method: str, positional: int, arguments: Mapping[str, Any]) -> Passing | None:
    """What of the arguments comes from a library of arrays; None where nothing does.

    Raises:
        ArgumentError: for arrays of two libraries.
    """
    found: list[tuple[Path, Any, Library]] = []

    def look(path: Path, value: Any) -> Any:
        library = library_of(type(value))  # type: ignore[arg-type]  # a class has a hash
        if library is not None:
            found.append((path, value, library))
        return value

    changed(look, dict(arguments))
    if not found:
        return None
    first = found[0]
    for path, _, library in found[1:]:
        if library is not first[2]:
            raise ArgumentError(
                said(path),
                library.noun,
                f"must be {first[2].noun}, as {said(first[0])} is",
                f"pass {first[2].maker}({said(path)})",
            )
    return Passing(
        kernel, method, positional, arguments, first[2], tuple(f[0] for f in found), tuple(f[1] for f in found)
    )
