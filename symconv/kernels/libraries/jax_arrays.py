"""JAX's arrays: read without a copy, and traced as a callback of the kernel where JAX has no numbers yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
import numpy.typing as npt

from symconv.errors import ArgumentError, NotSupportedError
from symconv.kernels.libraries.library import NUMPY, Library
from symconv.kernels.libraries.passing import Passing
from symconv.operators.gradients import Gradients

__all__ = ["LIBRARY"]


class _Jax(Library):
    noun, maker = "a JAX array", "jax.numpy.asarray"

    def has(self, kind: type) -> bool:
        return issubclass(kind, jax.Array | jax.core.Tracer)

    def read(self, name: str, value: Any) -> tuple[npt.NDArray[Any], Any]:
        places = {device.platform for device in value.devices()}
        if places != {"cpu"}:
            raise self.elsewhere(name, ", ".join(sorted(places)), f"pass jax.device_put({name}, jax.devices('cpu')[0])")
        try:
            return NUMPY.read(name, np.asarray(value))
        except Exception as error:  # keys of random numbers, deleted arrays, parts of other processes
            reason = str(error).partition("\n")[0][:160]
            wanted = f"must be an array of numbers, and NumPy cannot read it ({reason})"
            raise ArgumentError(name, str(value.dtype), wanted) from None

    def give(self, array: npt.NDArray[Any], like: Any, narrow: Any) -> Any:
        return jax.device_put(_in_jax(NUMPY.give(array, like, narrow)), next(iter(like.devices())))

    def follows(self, values: Sequence[Any]) -> bool:
        return any(isinstance(value, jax.core.Tracer) for value in values)

    def followed(self, passing: Passing) -> Any:
        if passing.method == "error_bound":
            raise ArgumentError(
                "x", "a traced array", "must have entries for a bound of errors", "call it outside of jit"
            )
        found = _traced(passing)(*passing.values)
        return Gradients(*found) if passing.method == "vjp" and hasattr(passing.kernel, "op") else found


def _in_jax(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """An array in a type that JAX has at present: of 32 bits, unless 64 are switched on.

    Raises:
        ArgumentError: for integers that have no place in it.
    """
    kind = jax.dtypes.canonicalize_dtype(array.dtype)
    if kind == array.dtype:
        return array
    if array.dtype.kind in "iu" and array.size and not np.can_cast(array.dtype, kind):
        limits = np.iinfo(kind)
        if array.min() < limits.min or array.max() > limits.max:
            fix = "call jax.config.update('jax_enable_x64', True) first"
            raise ArgumentError("x", array.dtype.name, "must have results that fit in 32 bits, as JAX is set", fix)
    with np.errstate(all="ignore"):
        return array.astype(kind)


def _flat(found: Any) -> Any:
    """Gradients as a tuple, which JAX knows; None stays."""
    return (found.input, found.weight, found.bias) if isinstance(found, Gradients) else found


def _traced(passing: Passing) -> Any:
    """The call as a function that JAX can trace, map and differentiate."""

    def run(*values: Any) -> Any:
        found = _flat(passing.call([np.asarray(value) for value in values]))
        return jax.tree.map(lambda part: _in_jax(np.asarray(part)), found)

    def shaped(values: Sequence[Any]) -> Any:
        # what comes out is what comes out of zeros: JAX asks once for a shape
        found = run(*(np.zeros(value.shape, value.dtype) for value in values))
        return jax.tree.map(lambda part: jax.ShapeDtypeStruct(part.shape, part.dtype), found)

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def function(*values: Any) -> Any:
        return jax.pure_callback(run, shaped(values), *values, vmap_method="sequential")

    def forward(*values: Any) -> Any:
        return function(*values), values

    def backward(values: Any, g: Any) -> Any:
        floats = [jax.numpy.issubdtype(value.dtype, jax.numpy.floating) for value in values]
        needed = [may and real for may, real in zip(passing.followed, floats, strict=True)]
        if passing.method == "__call__":
            found = passing.pulled(g[0] if isinstance(g, tuple) else g, values, needed)
        elif passing.method == "vjp" and hasattr(passing.kernel, "op"):
            found = passing.pulled_twice(Gradients(*g), values)
        else:
            raise NotSupportedError(
                f"{passing.method} of {passing.kernel!r} is not differentiated; differentiate less often"
            )
        return tuple(_cotangent(part, value, real) for part, value, real in zip(found, values, floats, strict=True))

    function.defvjp(forward, backward)
    return function


def _cotangent(part: Any, value: Any, real: bool) -> Any:
    if not real:
        return np.zeros(value.shape, jax.dtypes.float0)
    return jax.numpy.zeros(value.shape, value.dtype) if part is None else part


LIBRARY = _Jax()
