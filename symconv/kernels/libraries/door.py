"""The door of every kernel: arrays of other libraries come in as NumPy's, and what comes out goes back as theirs."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from typing import Any, TypeVar

import numpy as np

from symconv.kernels.libraries.library import NUMPY, USER_TYPES
from symconv.kernels.libraries.passing import Passing, Path, changed, passing_of, place_of, said

__all__ = ["METHODS", "through_the_door"]

METHODS = ("__call__", "vjp", "jvp", "error_bound")
"""The methods of a kernel that take arrays."""

_PLAIN = frozenset({type(None), bool, int, float, str, list})

Method = TypeVar("Method", bound=Callable[..., Any])


def through_the_door(method: Method) -> Method:
    """A method of a kernel that takes arrays of any library; it is called with NumPy's, and gives theirs back.

    A call whose arrays are NumPy's goes straight on.
    """
    parameters = list(signature(method).parameters.values())[1:]
    names = [p.name for p in parameters if p.kind is Parameter.POSITIONAL_OR_KEYWORD]

    @wraps(method)
    def called(self: Any, *args: Any, **options: Any) -> Any:
        for value in (*args, *options.values()):
            kind = type(value)
            if kind is np.ndarray:
                if value.dtype.num >= USER_TYPES:
                    break
            elif kind not in _PLAIN:
                break
        else:
            return method(self, *args, **options)
        if len(args) > len(names) or options.keys() & set(names[: len(args)]):
            return method(self, *args, **options)  # Python says what is wrong with such a call
        passing = passing_of(self, method.__name__, len(args), {**dict(zip(names, args, strict=False)), **options})
        if passing is None:
            return method(self, *args, **options)
        return _passed(passing, lambda *a, **o: method(self, *a, **o))

    return called  # type: ignore[return-value]


def _passed(passing: Passing, method: Callable[..., Any]) -> Any:
    """The result of a call whose arrays come from a library."""
    library = passing.library
    if library.follows(passing.values):
        return library.followed(passing)
    read = [library.read(said(path), value) for path, value in zip(passing.paths, passing.values, strict=True)]
    result = passing.call([array for array, _ in read], method)
    if library is NUMPY and all(narrow is None for _, narrow in read):
        return result
    floats = {
        place_of(path): narrow
        for path, (array, narrow) in zip(passing.paths, read, strict=True)
        if array.dtype.kind == "f"
    }
    common = next(iter(floats.values())) if len(set(floats.values())) == 1 else None

    def give(path: Path, value: Any) -> Any:
        if not isinstance(value, np.ndarray | np.generic):
            return value
        array = np.asarray(value)
        if any(np.may_share_memory(array, given) for given, _ in read):
            array = array.copy()
        narrow = (
            floats.get(path, common) if passing.method == "vjp" else common
        )  # a gradient has the type of its variable
        return library.give(array, passing.values[0], narrow if array.dtype.kind == "f" else None)

    return changed(give, result)
