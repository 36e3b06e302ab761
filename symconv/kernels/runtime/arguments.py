"""The arrays of a call: shapes and types checked, and brought into the arrangement that an engine works in."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.errors import ArgumentError, SizeLimitError, shortened
from symconv.kernels.form.tapform import Channels, TapForm
from symconv.kernels.runtime.padding import Array
from symconv.operators.base import Operator

__all__ = [
    "Arrangement",
    "Types",
    "arrange",
    "as_array",
    "as_dtype",
    "cast",
    "compute_type",
    "engine_bias",
    "engine_weight",
    "fit",
    "native",
    "outputs_of",
    "places_in",
    "types_of",
]


@dataclass(frozen=True)
class Types:
    """The type of the result, and the type that is computed in: float32 for float16, int64 for integers."""

    result: np.dtype[Any]
    compute: np.dtype[Any]

    def of(self, variable: Array) -> npt.DTypeLike:
        """The type of a variable's gradient: its own, or that of the result where it is an integer."""
        return variable.dtype if variable.dtype.kind == "f" else self.result

    @property
    def exact(self) -> bool:
        """True for integers."""
        return self.compute.kind in "iu"


_TYPES = frozenset(np.dtype(code).type for code in ("efd" + np.typecodes["AllInteger"]))


def as_array(name: str, value: Any) -> Array:
    """An array of real numbers, not copied where it is one.

    Raises:
        ArgumentError: for anything but float16, float32, float64 and integers.
    """
    if isinstance(value, np.ma.MaskedArray):  # NumPy would drop the mask in silence
        raise ArgumentError(name, type(value).__name__, "must be an array without a mask", f"pass {name}.filled(...)")
    try:
        array = np.asarray(value)
    except Exception as error:  # whatever a foreign array, or a list of rows of several lengths, answers NumPy with
        fix = f"pass {name}.detach()" if getattr(value, "requires_grad", False) is True else ""
        said = str(error).partition("\n")[0][:160]
        wanted = f"must be an array of numbers, and NumPy cannot read it ({said})"
        raise ArgumentError(name, value, wanted, fix) from None
    if array.dtype.type not in _TYPES:
        raise ArgumentError(
            name,
            array.dtype.name,
            "must have the dtype float16, float32, float64 or an integer one",
            f"pass {name}.astype('float64')" if array.dtype.kind in "biufcV" else "",
        )
    return array


@np.errstate(over="ignore", under="ignore", invalid="ignore")
def _converted(array: Array, dtype: npt.DTypeLike) -> Array:
    return array.astype(dtype)


def cast(array: Array, dtype: npt.DTypeLike) -> Array:
    """An array in the type of what is given back; what is too large for that becomes infinite, without a warning."""
    return array if array.dtype == dtype else _converted(array, dtype)


@lru_cache(maxsize=1)
def _memory() -> int:
    """The bytes of memory that this machine has; what no machine has where that is not told."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 1 << 44


def outputs_of(op: Operator, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """The output size of an input, counted before anything is built.

    Raises:
        SizeLimitError: where the memory of this machine has no place for one plane of it.
    """
    outputs = op.output_size(sizes)
    if prod(outputs) > _memory():
        shape = shortened(" x ".join(map(str, outputs)))
        raise SizeLimitError(
            f"an output of {shape} entries has no place in the {_memory() >> 30} GiB of memory of this machine; take a "
            "smaller output, or the formula (op.output().at) for single entries"
        )
    return outputs


def places_in(at: Array, sizes: tuple[int, ...]) -> bool:
    """Whether all given places of maxima are in a plane of the input; False where some are -1, for no place.

    Raises:
        ArgumentError: for a number that is neither.
    """
    inside = int(at.view(np.uintp).max(initial=0)) < prod(sizes)  # one pass: what is negative is large there
    if not inside and (at.min() < -1 or at.max() >= prod(sizes)):
        wanted = f"must hold integers from -1 to {prod(sizes) - 1}, places in a plane of the input"
        raise ArgumentError("output[1]", f"{at.min()} to {at.max()}", wanted)
    return inside


def as_dtype(name: str, value: Any) -> np.dtype[Any]:
    """A type that kernels compute in.

    Raises:
        ArgumentError: for anything but float16, float32, float64 and integers.
    """
    try:
        given: np.dtype[Any] = np.dtype(value)
    except Exception:  # NumPy raises TypeError, SyntaxError, UnicodeError, ... by what it is given
        raise ArgumentError(name, value, "must be a dtype, such as 'float32'") from None
    if given.type not in _TYPES:
        raise ArgumentError(name, given.name, "must be float16, float32, float64 or an integer one")
    return given


def compute_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type that sums are computed in: float32 for float16, int64 for integers, in the byte order of the machine."""
    if dtype.kind in "iu":
        return np.dtype(np.int64)
    return np.dtype(np.float32) if dtype.itemsize == 2 else native(dtype)


def native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """A type in the byte order of the machine."""
    return np.dtype(dtype.type)


def types_of(arrays: list[Array], keep_integers: bool) -> Types:
    """The types of a call on some arrays; `keep_integers` leaves an integer type as it is."""
    if all(array.dtype.kind in "iu" for array in arrays):
        kept = np.dtype(arrays[0].dtype.type) if keep_integers else np.dtype(np.int64)
        return Types(kept, kept)
    result = np.dtype(np.result_type(*arrays).type)  # native order, and the one object for it that NumPy is fast with
    return Types(result, compute_type(result))


@dataclass(frozen=True)
class Arrangement:
    """How the input of a call is arranged: its spatial sizes, what stands before them, and the engine's lead axes."""

    lead: tuple[int, ...]
    sizes: tuple[int, ...]
    engine_in: tuple[int, ...]
    engine_out: tuple[int, ...]
    lead_out: tuple[int, ...]

    @property
    def with_channels(self) -> Arrangement:
        """The same for a pooling whose engine is to see the channels as an axis of their own, ``(N, C, *sizes)``."""
        lead = (1, *self.lead)[-2:]
        return replace(self, engine_in=lead, engine_out=lead)


def arrange(form: TapForm, shape: tuple[int, ...], name: str = "x") -> Arrangement:
    """Read an input shape; engines take ``(batch, groups, channels of a group, *sizes)`` or ``(planes, *sizes)``.

    Args:
        form: the tap form.
        shape: ``(N, C, *spatial)``, ``(C, *spatial)`` or ``(*spatial)``.
        name: the argument, for messages.

    Raises:
        ArgumentError: for a wrong number of axes or channels.
    """
    ndim, channels = len(form.walks), form.channels
    if not ndim <= len(shape) <= ndim + 2:
        raise ArgumentError(
            name, shape, f"must have the shape (N, C, *spatial), (C, *spatial) or (*spatial) with {ndim} spatial axes"
        )
    lead, sizes = shape[: len(shape) - ndim], shape[len(shape) - ndim :]
    if channels is None:
        planes = (prod(lead),)
        return Arrangement(lead, sizes, planes, planes, lead)
    if not lead:
        if (channels.total_in, channels.total_out) != (1, 1):
            raise ArgumentError(
                name,
                shape,
                f"must have an axis for its {_plural(channels.total_in, 'channel')}",
                f"only a layer with one input and one output channel takes (*spatial); this one has "
                f"{channels.total_in} and {channels.total_out}",
            )
    elif lead[-1] != channels.total_in:
        raise ArgumentError(
            name,
            shape,
            f"must have {_plural(channels.total_in, 'channel')} on axis {len(lead) - 1}",
            "a batch is given as (N, C, *spatial)" if len(lead) == 1 else "",
        )
    batch = lead[0] if len(lead) == 2 else 1
    inside, outside = (channels.groups, channels.per_group_in), (channels.groups, channels.per_group_out)
    lead_out = (*lead[:-1], channels.total_out) if lead else ()
    return Arrangement(lead, sizes, (batch, *inside), (batch, *outside), lead_out)


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def fit(name: str, array: Array, shape: tuple[int, ...], why: str) -> Array:
    """An array, which must have a shape.

    Raises:
        ArgumentError: where it has another one.
    """
    if array.shape != shape:
        raise ArgumentError(name, array.shape, f"must have the shape {shape}, {why}")
    return array


def _weight_shape(channels: Channels, form: TapForm) -> tuple[int, ...]:
    """``(out, in/groups, *kernel)``."""
    return (channels.total_out, channels.per_group_in, *(walk.taps for walk in form.walks))


def engine_weight(form: TapForm, array: Array, name: str = "weight") -> Array:
    """A weight as an engine takes it: ``(groups, outputs of a group, inputs of a group, *kernel)``.

    Raises:
        ArgumentError: for a wrong shape.
    """
    channels = form.layer
    wanted = _weight_shape(channels, form)
    kernel = wanted[2:]
    if wanted[:2] == (1, 1) and array.shape == kernel:
        array = array.reshape(wanted)
    fit(name, array, wanted, "which is (out, in/groups, *kernel)" + (" or (*kernel)" if wanted[:2] == (1, 1) else ""))
    return array.reshape(channels.groups, channels.per_group_out, *wanted[1:])


def engine_bias(form: TapForm, array: Array, name: str = "bias") -> Array:
    """A bias as an engine takes it: ``(groups, outputs of a group)``.

    Raises:
        ArgumentError: for a wrong shape.
    """
    channels = form.layer
    fit(name, array, (channels.total_out,), "one entry an output channel")
    return array.reshape(channels.groups, channels.per_group_out)
