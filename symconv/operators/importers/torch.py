"""PyTorch's layers as operators, from a module's attributes or from its options by name.

Conventions that differ are named, never chosen in silence: PyTorch's LP pooling takes no absolute value, and under
``ceil_mode`` it scales the windows that reach over the end. Source: the documentation of ``torch.nn``, PyTorch 2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symconv.errors import ArgumentError, NotSupportedError
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.importers.imported import Imported, Options, sizes_of
from symconv.operators.patches import Fold, Unfold
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose
from symconv.operators.unpooling import MaxUnpool

__all__ = ["SIGNATURES", "bound", "from_torch", "is_layer", "options_of", "read_layer", "read_module"]

_REQUIRED = object()
_LAYER = re.compile(
    r"(Conv|ConvTranspose|MaxPool|AvgPool|LPPool|AdaptiveAvgPool|AdaptiveMaxPool|MaxUnpool)([123])d|(Unfold|Fold)"
)

SIGNATURES: Mapping[str, tuple[tuple[str, object], ...]] = {
    "Conv": (
        ("in_channels", _REQUIRED), ("out_channels", _REQUIRED), ("kernel_size", _REQUIRED), ("stride", 1),
        ("padding", 0), ("dilation", 1), ("groups", 1), ("bias", True), ("padding_mode", "zeros"),
    ),
    "ConvTranspose": (
        ("in_channels", _REQUIRED), ("out_channels", _REQUIRED), ("kernel_size", _REQUIRED), ("stride", 1),
        ("padding", 0), ("output_padding", 0), ("groups", 1), ("bias", True), ("dilation", 1),
        ("padding_mode", "zeros"),
    ),
    "MaxPool": (
        ("kernel_size", _REQUIRED), ("stride", None), ("padding", 0), ("dilation", 1), ("return_indices", False),
        ("ceil_mode", False),
    ),
    "AvgPool": (
        ("kernel_size", _REQUIRED), ("stride", None), ("padding", 0), ("ceil_mode", False),
        ("count_include_pad", True), ("divisor_override", None),
    ),
    "LPPool": (("norm_type", _REQUIRED), ("kernel_size", _REQUIRED), ("stride", None), ("ceil_mode", False)),
    "AdaptiveAvgPool": (("output_size", _REQUIRED),),
    "AdaptiveMaxPool": (("output_size", _REQUIRED), ("return_indices", False)),
    "MaxUnpool": (("kernel_size", _REQUIRED), ("stride", None), ("padding", 0)),
    "Unfold": (("kernel_size", _REQUIRED), ("dilation", 1), ("padding", 0), ("stride", 1)),
    "Fold": (("output_size", _REQUIRED), ("kernel_size", _REQUIRED), ("dilation", 1), ("padding", 0), ("stride", 1)),
}  # fmt: skip
"""The options of every family of layers in PyTorch's order, with their defaults."""


def from_torch(module: object, *, input_size: Sequence[int] | None = None, channels: int | None = None) -> Operator:
    """The operator that a PyTorch layer computes.

    The layer is known by the name of its class, and its attributes are read; PyTorch is not imported. Weights are not
    read: pass ``module.weight`` and ``module.bias`` to the kernel.

    Args:
        module: Conv1d to Conv3d, ConvTranspose1d to 3d, MaxPool, AvgPool, LPPool, AdaptiveAvgPool, AdaptiveMaxPool and
            MaxUnpool of 1 to 3 axes, Unfold or Fold.
        input_size: the spatial sizes of the input, for an adaptive pooling that keeps the size of an axis (None).
        channels: the number of channels of the input, or of the image of Unfold and Fold, which do not know it
            themselves (1 if left out); a pooling takes any number.

    Raises:
        NotSupportedError: for another class, or a lazy layer that has not seen an input yet.
        ArgumentError: for a missing attribute or an option that PyTorch itself would refuse.

    Warns:
        ConventionWarning: where PyTorch's values are not in all cases those of the operator (LPPool).

    >>> class Conv2d:
    ...     in_channels, out_channels, kernel_size, stride, padding, dilation = 3, 64, (7, 7), (2, 2), (3, 3), (1, 1)
    ...     groups, bias, padding_mode = 1, None, "zeros"
    >>> from_torch(Conv2d())
    Conv(kernel_size=(7, 7), stride=(2, 2), padding=(3, 3), in_channels=3, out_channels=64)
    """
    return read_module(module, input_size=input_size, channels=channels).announced()


def read_module(module: object, *, input_size: Sequence[int] | None = None, channels: int | None = None) -> Imported:
    """The operator of a PyTorch layer, and where PyTorch departs from it; see `from_torch`."""
    name = type(module).__name__
    return read_layer(name, options_of(module), input_size=input_size, channels=channels)


def options_of(module: object) -> dict[str, object]:
    """The options of a PyTorch layer by name, from its attributes.

    Raises:
        NotSupportedError: for another class; ArgumentError for a missing attribute.
    """
    name = type(module).__name__
    family, _ = _family(name)
    given: dict[str, object] = {}
    for option, _ in SIGNATURES[family]:
        if hasattr(module, option):
            given[option] = getattr(module, option)
        elif option != "divisor_override":  # AvgPool1d has none
            raise ArgumentError(f"{name}: {option}", None, "must be an attribute of the layer")
    if "bias" in given:
        given["bias"] = given["bias"] is not None and given["bias"] is not False
    return given


def is_layer(name: str) -> bool:
    """Whether a class name is that of a convolution, a pooling, or one of their relatives."""
    return _LAYER.fullmatch(name) is not None


def _family(name: str) -> tuple[str, int]:
    """The family of a layer and its number of spatial axes."""
    found = _LAYER.fullmatch(name)
    if found:
        return (found[3], 2) if found[3] else (found[1], int(found[2]))
    if name.startswith("Lazy"):
        raise NotSupportedError(
            f"{name} does not know its input channels before it has seen an input; run it once, or write "
            f"{name.removeprefix('Lazy')} with the number of channels"
        )
    if name in ("Sequential", "ModuleList", "Module"):
        raise NotSupportedError(f"{name} holds several layers and this takes one; take one of them, such as model[0]")
    known = [f"{family}{n}d" for family in SIGNATURES if not family.endswith("old") for n in (1, 2, 3)]
    near = next((entry for entry in known if entry.lower() == name.lower()), None)
    hint = f"did you mean {near}?" if near else f"known are {', '.join(known[::3])}, ... Unfold, Fold"
    raise NotSupportedError(f"{name} is not a layer with windows that is known here; {hint}")


def bound(name: str, positional: Sequence[object], keywords: Mapping[str, object]) -> dict[str, object]:
    """The options of a call such as ``Conv2d(3, 64, 7, stride=2)``, by name, in PyTorch's order.

    Raises:
        ArgumentError: for too many arguments, or one that is given twice.
        NotSupportedError: for an unknown class or an unknown option.
    """
    family, _ = _family(name)
    names = [option for option, _ in SIGNATURES[family]]
    if name == "AvgPool1d":
        names.remove("divisor_override")
    if len(positional) > len(names):
        raise ArgumentError(f"{name}: the arguments", tuple(positional), f"must be at most {len(names)}")
    given = dict(zip(names, positional, strict=False))
    for option, value in keywords.items():
        if option in given:
            raise ArgumentError(f"{name}: {option}", value, "must be given once")
        given[option] = value
    options = Options(name, given)
    for option in names:
        options.take(option, None)
    options.ignore(("device", "dtype") if "in_channels" in names else ())
    options.done()
    return given


def read_layer(
    name: str, given: Mapping[str, object], *, input_size: Sequence[int] | None = None, channels: int | None = None
) -> Imported:
    """The operator of a layer with a class name and options by name; options left out have PyTorch's defaults.

    Args and Raises: as for `from_torch`.
    """
    family, ndim = _family(name)
    values: dict[str, Any] = {}
    for option, default in SIGNATURES[family]:
        value = given.get(option, default)
        if value is _REQUIRED:
            raise ArgumentError(f"{name}: {option}", None, "must be given")
        values[option] = value
    for option in ("kernel_size", "stride", "padding", "dilation", "output_padding", "output_size"):
        entry = values.get(option)
        if isinstance(entry, tuple | list) and len(entry) != ndim:
            raise ArgumentError(
                f"{name}: {option}", entry, f"must be one integer or {ndim} of them, one a spatial axis"
            )
    for option in ("bias", "ceil_mode", "return_indices", "count_include_pad"):
        if option in values and not isinstance(values[option], bool):
            raise ArgumentError(f"{name}: {option}", values[option], "must be True or False")
    values.pop("return_indices", None)  # the kernel is asked for indices when it is called
    if isinstance(values.get("padding"), str) and not (family == "Conv" and values["padding"] in ("same", "valid")):
        allowed = "integers, 'same' or 'valid'" if family == "Conv" else "integers"
        raise ArgumentError(f"{name}: padding", values["padding"], f"must be {allowed}")
    _not_negative(name, values.get("padding"))
    if family.startswith("Adaptive"):
        values["output_size"] = _kept_sizes(name, values["output_size"], ndim, input_size)
    if family in ("Unfold", "Fold"):
        values["in_channels"] = 1 if channels is None else channels
    elif channels is not None and values.get("in_channels", channels) != channels:
        raise ArgumentError(f"{name}: channels", channels, f"must be the {values['in_channels']} that the layer takes")
    return _READERS[family](values, ndim)


def _kept_sizes(name: str, output_size: object, ndim: int, input_size: Sequence[int] | None) -> object:
    """The output size of an adaptive pooling, with None, which keeps the size of an axis, read off the input size."""
    entries = tuple(output_size) if isinstance(output_size, tuple | list) else (output_size,) * ndim
    if None not in entries:
        return output_size
    if input_size is None:
        raise NotSupportedError(
            f"{name}(output_size={output_size!r}) keeps the size of an axis (None), which an operator cannot know; "
            "give input_size, the spatial sizes of the input"
        )
    sizes = sizes_of("input_size", input_size, ndim)
    return tuple(n if entry is None else entry for entry, n in zip(entries, sizes, strict=True))


def _not_negative(name: str, padding: object) -> None:
    for entry in padding if isinstance(padding, tuple | list) else (padding,):
        if isinstance(entry, int) and entry < 0:
            raise ArgumentError(f"{name}: padding", padding, "must not be negative in PyTorch")


def _conv(values: dict[str, Any], ndim: int) -> Imported:
    return Imported(Conv(**values, ndim=ndim))


def _transposed(values: dict[str, Any], ndim: int) -> Imported:
    mode = values.pop("padding_mode")
    if mode != "zeros":
        raise NotSupportedError(f"ConvTranspose{ndim}d takes no padding_mode but 'zeros' in PyTorch, got {mode!r}")
    return Imported(ConvTranspose(**values, ndim=ndim))


def _max_pool(values: dict[str, Any], ndim: int) -> Imported:
    return Imported(MaxPool(**values, ndim=ndim))


def _avg_pool(values: dict[str, Any], ndim: int) -> Imported:
    return Imported(AvgPool(**values, ndim=ndim))


def _lp_pool(values: dict[str, Any], ndim: int) -> Imported:
    op = LPPool(**values, ndim=ndim)
    notes = []
    if op.norm_type != float("inf") and not (isinstance(op.norm_type, int) and op.norm_type % 2 == 0):
        notes.append(
            f"PyTorch's LPPool takes no absolute value: for norm_type={values['norm_type']} it agrees with LPPool here "
            "where no input is negative (for every even integer and for infinity it always does)"
        )
    if op.ceil_mode and op.norm_type != float("inf"):
        notes.append(
            "PyTorch's LPPool is an average times the window size: under ceil_mode=True the sum of a window that "
            "reaches over the end is scaled by its number of taps over those inside, and LPPool here does not scale it"
        )
    return Imported(op, tuple(notes))


def _adaptive_average(values: dict[str, Any], ndim: int) -> Imported:
    return Imported(AdaptiveAvgPool(values["output_size"], ndim=ndim))


def _adaptive_maximum(values: dict[str, Any], ndim: int) -> Imported:
    return Imported(AdaptiveMaxPool(values["output_size"], ndim=ndim))


def _max_unpool(values: dict[str, Any], ndim: int) -> Imported:
    op = MaxUnpool(**values, ndim=ndim)
    overlap = any(window.stride < window.kernel for window in op.windows)
    note = "where windows overlap two entries can have one position: PyTorch keeps one of them, and MaxUnpool adds them"
    return Imported(op, (note,) if overlap else ())


def _unfold(values: dict[str, Any], ndim: int) -> Imported:
    return Imported(Unfold(**values, ndim=ndim))


def _fold(values: dict[str, Any], ndim: int) -> Imported:
    return Imported(Fold(**values, ndim=ndim))


_READERS: dict[str, Callable[[dict[str, Any], int], Imported]] = {
    "Conv": _conv,
    "ConvTranspose": _transposed,
    "MaxPool": _max_pool,
    "AvgPool": _avg_pool,
    "LPPool": _lp_pool,
    "AdaptiveAvgPool": _adaptive_average,
    "AdaptiveMaxPool": _adaptive_maximum,
    "MaxUnpool": _max_unpool,
    "Unfold": _unfold,
    "Fold": _fold,
}
