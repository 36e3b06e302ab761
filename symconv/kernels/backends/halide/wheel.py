"""The wheel `halide`: imported when it is first needed, its texts compiled once, arrays handed over as they lie."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from symconv.errors import ArgumentError, NotSupportedError
from symconv.kernels.runtime.padding import Array

__all__ = ["halide", "lanes", "required", "run", "type_name"]

LARGEST = (1 << 31) - 1
"""The most bytes of an array: places in it are counted in 32 bits."""

_compiling = threading.Lock()


def required() -> None:
    """Refuse the backend where the package is missing, without importing it.

    Raises:
        ArgumentError: where it is not installed.
    """
    found = find_spec("halide")
    if found is None or found.origin is None:  # nothing, or no more than a folder of that name
        wanted = "must be another backend: the package 'halide' is not installed here"
        raise ArgumentError("backend", "halide", wanted, "pip install halide")


def halide() -> Any:
    """The module.

    Raises:
        NotSupportedError: where what has the name is another module, or the wheel does not load.
    """
    try:
        import halide

        halide.Pipeline.compile_to_callable  # noqa: B018 -- a module of the user's has the name, but not this
    except (ImportError, AttributeError) as error:
        why = f"what is imported as 'halide' here is not the package of the extra 'symconv[halide]' ({error})"
        raise NotSupportedError(f"{why}; install that, or run it with backend='numpy'") from None
    return halide


@lru_cache(maxsize=1)
def _target() -> Any:
    return halide().get_host_target()


def type_name(dtype: np.dtype[Any]) -> str:
    """A type as a text has it.

    >>> type_name(np.dtype("uint8"))
    'hl.UInt(8)'
    """
    return f"hl.{ {'f': 'Float', 'i': 'Int', 'u': 'UInt'}[dtype.kind] }({8 * dtype.itemsize})"


@lru_cache(maxsize=32)
def lanes(dtype: np.dtype[Any]) -> int:
    """How many entries of a type a vector of this machine holds."""
    name = {"f": "Float", "i": "Int", "u": "UInt"}[dtype.kind]
    return int(_target().natural_vector_size(getattr(halide(), name)(8 * dtype.itemsize)))


@lru_cache(maxsize=256)
def _function(text: str) -> Callable[..., None]:
    """The function of a text, compiled for this machine."""
    names: dict[str, Any] = {}
    with _compiling:  # the compiler is the slow part, and one at a time is as fast on what is left of the machine
        exec(compile(text, "<halide>", "exec"), names)  # noqa: S102 -- a text is numbers and words of this package
        found: Callable[..., None] = names["function"]
    return found


class _Writable:
    """An array as one that may be written to, which nobody does: Halide takes no other, not even as an input."""

    def __init__(self, a: Array) -> None:
        self.__array_interface__ = {**a.__array_interface__, "data": (a.__array_interface__["data"][0], False)}
        self.owner = a


def _seen(a: Array) -> Array:
    """An array as Halide takes one: a copy only where its rows have gaps, or where it stands between two words."""
    if not a.flags.c_contiguous and (a.strides[-1] != a.itemsize or min(a.strides) <= 0):
        a = np.ascontiguousarray(a)
    if not a.flags.aligned:
        a = a.copy()
    return a if a.flags.writeable else np.asarray(_Writable(a))


def run(text: str, inputs: Sequence[Array | int], out: Array, *more: Array) -> Array:
    """Run a text on arrays, row-major as NumPy has them, and numbers; `out`, and more of its size, are written to.

    Raises:
        NotSupportedError: for an array of 2 GiB or more, and for what Halide refuses.
    """
    for a in (*inputs, out, *more):
        if not isinstance(a, int) and a.nbytes > LARGEST:
            raise NotSupportedError(
                f"an array of {a.nbytes:,} bytes is too large for Halide; run it with backend='numpy'"
            )
    hl = halide()
    function = _function(text)

    def buffer(a: Array) -> Any:
        return hl.Buffer(a.view(np.ulonglong) if a.dtype == np.uint64 else a)  # of two names of this type it knows one

    try:
        function(*(a if isinstance(a, int) else buffer(_seen(a)) for a in inputs), *map(buffer, (out, *more)))
    except hl.HalideError as error:
        raise NotSupportedError(f"Halide refuses ({str(error).strip()}); run it with backend='numpy'") from None
    return out
