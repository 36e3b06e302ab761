"""PyTorch's layers as operators, from a module's attributes or from its options by name.

Conventions that differ are named, never chosen in silence: PyTorch's LP pooling takes no absolute value, and under
``ceil_mode`` it scales the windows that reach over the end. Source: the documentation of ``torch.nn``, PyTorch 2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field
from typing import Any

from symconv.doors import plain_integer
from symconv.errors import ArgumentError, NotSupportedError
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.importers.departures import as_stated, dead_windows, lp_gradients, lp_values, overlaps
from symconv.operators.importers.functions import ORDER, TORCH, axes_of_size, function_of, torch_options
from symconv.operators.importers.imported import Imported, Options, sizes_of
from symconv.operators.kinds import Flag, Padding, PerAxis
from symconv.operators.option import Option, option_fields
from symconv.operators.patches import Fold, Unfold
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose
from symconv.operators.unpooling import MaxUnpool

__all__ = [
    "FAMILIES", "Family", "axes_of_name", "bound", "from_torch", "is_layer", "options_of", "read_layer", "read_module",
]  # fmt: skip

_REQUIRED = object()


@dataclass(frozen=True)
class Family:
    """The layers of PyTorch that are one operator here.

    Attributes:
        operator: the operator; what an option means, takes and has for a default is read off it.
        order: the options in PyTorch's order.
        differing: the defaults that PyTorch has and we have not, and options that are PyTorch's alone.
        notes: where PyTorch's values are not those of the operator.
        gradients: where its values are, and its gradients are not.
        numbered: whether the name of a layer ends in its number of axes, as in Conv2d.
    """

    operator: type[Operator]
    order: tuple[str, ...]
    differing: Mapping[str, object] = field(default_factory=dict)
    notes: Callable[[Operator], tuple[str, ...]] = as_stated
    gradients: Callable[[Operator, Sequence[int] | None], tuple[str, ...]] = as_stated
    numbered: bool = True

    @property
    def signature(self) -> tuple[tuple[str, object], ...]:
        """The options in PyTorch's order, with their defaults."""
        known = option_fields(self.operator)
        return tuple(
            (name, self.differing[name] if name in self.differing else _ours(known[name])) for name in self.order
        )


def _ours(declared: tuple[Option, Field[Any]]) -> object:
    return _REQUIRED if declared[1].default is MISSING else declared[1].default


_CHANNELS = {"in_channels": _REQUIRED, "out_channels": _REQUIRED, "bias": True}
_WINDOW = ("kernel_size", "stride", "padding")
FAMILIES: dict[str, Family] = {
    "Conv": Family(
        Conv,
        ("in_channels", "out_channels", *_WINDOW, "dilation", "groups", "bias", "padding_mode"),
        _CHANNELS,
    ),
    "ConvTranspose": Family(
        ConvTranspose,
        ("in_channels", "out_channels", *_WINDOW, "output_padding", "groups", "bias", "dilation", "padding_mode"),
        {**_CHANNELS, "padding_mode": "zeros"},
    ),
    "MaxPool": Family(
        MaxPool,
        (*_WINDOW, "dilation", "return_indices", "ceil_mode"),
        {"return_indices": False},
        gradients=dead_windows,
    ),
    "AvgPool": Family(AvgPool, (*_WINDOW, "ceil_mode", "count_include_pad", "divisor_override")),
    "LPPool": Family(
        LPPool, ("norm_type", "kernel_size", "stride", "ceil_mode"), notes=lp_values, gradients=lp_gradients
    ),
    "AdaptiveAvgPool": Family(AdaptiveAvgPool, ("output_size",)),
    "AdaptiveMaxPool": Family(AdaptiveMaxPool, ("output_size", "return_indices"), {"return_indices": False}),
    "MaxUnpool": Family(MaxUnpool, _WINDOW, notes=overlaps),
    "Unfold": Family(Unfold, ("kernel_size", "dilation", "padding", "stride"), numbered=False),
    "Fold": Family(Fold, ("output_size", "kernel_size", "dilation", "padding", "stride"), numbered=False),
}
"""The families of layers, by their names without the number of axes."""


def from_torch(module: object, *, input_size: Sequence[int] | None = None, channels: int | None = None) -> Operator:
    """The operator that a PyTorch layer computes.

    The layer is known by the name of its class, and its attributes are read; PyTorch is not imported. Weights are not
    read: pass ``module.weight`` and ``module.bias`` to the kernel.

    Args:
        module: Conv1d to Conv3d, ConvTranspose1d to 3d, MaxPool, AvgPool, LPPool, AdaptiveAvgPool, AdaptiveMaxPool and
            MaxUnpool of 1 to 3 axes, Unfold or Fold; ReLU, LeakyReLU, Sigmoid, Tanh, Softplus, Softmax, LogSoftmax,
            Linear, Flatten, BatchNorm1d to 3d, CrossEntropyLoss, or MSELoss with reduction="sum".
        input_size: the spatial sizes of the input, for an adaptive pooling that keeps the size of an axis (None), and
            for the axes of a function of single entries (one if left out).
        channels: the number of channels of the input, or of the image of Unfold and Fold, which do not know it
            themselves (1 if left out); a pooling takes any number.

    Raises:
        NotSupportedError: for another class, or a lazy layer that has not seen an input yet.
        ArgumentError: for a missing attribute or an option that PyTorch itself would refuse.

    Warns:
        ConventionWarning: where PyTorch's values are not in all cases those of the operator (LPPool, Softplus, the
            mean over a batch), or its gradients (LPPool at 0, a max pooling whose window may lie in the padding).

    >>> class Conv2d:
    ...     in_channels, out_channels, kernel_size, stride, padding, dilation = 3, 64, (7, 7), (2, 2), (3, 3), (1, 1)
    ...     groups, bias, padding_mode = 1, None, "zeros"
    >>> from_torch(Conv2d())
    Conv(kernel_size=(7, 7), stride=(2, 2), padding=(3, 3), in_channels=3, out_channels=64)
    """
    return read_module(module, input_size=input_size, channels=channels).announced()


def read_module(module: object, *, input_size: Sequence[int] | None = None, channels: int | None = None) -> Imported:
    """The operator of a PyTorch layer, and where PyTorch departs from it; see `from_torch`."""
    if type(module).__name__ not in FUSED and _base(module) is None and _children(module):
        first = type(module).__name__
        raise NotSupportedError(
            f"{first} holds several layers and this takes one; take one of them, such as model[0], or give the whole "
            "to network_from_torch"
        )
    fused = _children(module) if type(module).__name__ in FUSED else []
    if fused:
        read = read_module(fused[0], input_size=input_size, channels=channels)
        rest = " and ".join(type(child).__name__ for child in fused[1:])
        note = f"the {rest} of {type(module).__name__} comes after the operator and is not part of it"
        return Imported(read.operator, (*read.notes, note), exact=False)
    name = _base(module) or type(module).__name__
    if name in TORCH:
        read = function_of(TORCH, name, torch_options(module, name), axes_of_size(input_size, axes_of_name(name)))
    else:
        read = read_layer(name, options_of(module, name), input_size=input_size, channels=channels)
    return _with_notes(module, name, read)


FUSED = frozenset(f"Conv{middle}{n}d" for middle in ("ReLU", "Bn", "BnReLU") for n in (1, 2, 3)) | {"LinearReLU"}
"""PyTorch's containers for a layer and what comes after it, and its own layers that do both."""


def _children(module: object) -> list[Any]:
    found = getattr(module, "children", None)
    if isinstance(module, type) or not callable(found):
        return []
    return list(found())


def _base(module: object) -> str | None:
    """The first class above a module that is a layer here; None where there is none."""
    names = [kind.__name__ for kind in type(module).__mro__]
    if names[0].startswith("Lazy"):  # it has not seen its channels yet
        return None
    return next((name for name in names if name in TORCH or is_layer(name)), None)


def _with_notes(module: object, name: str, read: Imported) -> Imported:
    """What a subclass may do besides."""
    own = type(module).__name__
    if own == name:
        return read
    notes = list(read.notes)
    base = next(kind for kind in type(module).__mro__ if kind.__name__ == name)
    if own in FUSED:
        notes.append(f"what {own} does after the convolution is not part of the operator")
    elif getattr(type(module), "forward", None) is not getattr(base, "forward", None):
        notes.append(f"{own} has a forward of its own, and was read as the {name} that it is derived from")
    return Imported(read.operator, tuple(notes), exact=read.exact and len(notes) == len(read.notes))


def axes_of_name(name: str) -> int | None:
    """The number of axes at the end of the name of a class, such as BatchNorm2d; None where there is none."""
    found = re.search(r"([123])d$", name)
    return int(found[1]) if found else None


def options_of(module: object, name: str) -> dict[str, object]:
    """The options of a PyTorch layer by name, from its attributes; `name` is the class that it is read as.

    Raises:
        NotSupportedError: for another class; ArgumentError for a missing attribute.
    """
    family, _ = _family(name)
    given: dict[str, object] = {}
    for option in family.order:
        if hasattr(module, option):
            given[option] = getattr(module, option)
        elif option != "divisor_override":  # AvgPool1d has none
            raise ArgumentError(f"{name}: {option}", None, "must be an attribute of the layer")
    if "bias" in given:
        bias = given["bias"]() if callable(given["bias"]) and not hasattr(given["bias"], "shape") else given["bias"]
        given["bias"] = bias is not None and bias is not False  # of a quantised layer it is a method
    return given


def is_layer(name: str) -> bool:
    """Whether a class name is that of a convolution, a pooling, or one of their relatives."""
    return _known(name) is not None


def _known(name: str) -> tuple[Family, int] | None:
    """The family of a layer and its number of spatial axes, 2 where its name does not say it; None for another one."""
    numbered = re.fullmatch(r"(.+)([123])d", name)
    family = FAMILIES.get(name if numbered is None else numbered[1])
    if family is None or family.numbered != (numbered is not None):
        return None
    return family, 2 if numbered is None else int(numbered[2])


def _family(name: str) -> tuple[Family, int]:
    """The family of a layer and its number of spatial axes."""
    found = _known(name)
    if found is not None:
        return found
    if name.startswith("Lazy"):
        raise NotSupportedError(
            f"{name} does not know its input channels before it has seen an input; run it once, or write "
            f"{name.removeprefix('Lazy')} with the number of channels"
        )
    if name in ("Sequential", "ModuleList", "Module"):
        raise NotSupportedError(
            f"{name} holds several layers and this takes one; take one of them, such as model[0], or give the whole to "
            "network_from_torch"
        )
    known = [f"{family}{n}d" for family, entry in FAMILIES.items() if entry.numbered for n in (1, 2, 3)]
    near = next((entry for entry in known if entry.lower() == name.lower()), None)
    hint = f"did you mean {near}?" if near else f"known are {', '.join(known[::3])}, ... Unfold, Fold"
    raise NotSupportedError(f"{name} is not a layer with windows that is known here; {hint}")


def bound(name: str, positional: Sequence[object], keywords: Mapping[str, object]) -> dict[str, object]:
    """The options of a call such as ``Conv2d(3, 64, 7, stride=2)``, by name, in PyTorch's order.

    Raises:
        ArgumentError: for too many arguments, or one that is given twice.
        NotSupportedError: for an unknown class or an unknown option.
    """
    names = list(ORDER[name]) if name in ORDER else list(_family(name)[0].order)
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
    if input_size is not None:
        sizes_of("input_size", input_size, ndim)
    channels = None if channels is None else plain_integer("channels", channels, 1)
    values: dict[str, Any] = {}
    for option, default in family.signature:
        value = given.get(option, default)
        if value is _REQUIRED:
            raise ArgumentError(f"{name}: {option}", None, "must be given")
        values[option] = value
    known = option_fields(family.operator)
    for option, value in values.items():
        kind = (
            known[option][0].kind if option in known else Flag() if isinstance(family.differing[option], bool) else None
        )
        several = isinstance(value, tuple | list) and isinstance(kind, PerAxis | Padding)
        if several and len(value) != ndim:
            raise ArgumentError(
                f"{name}: {option}", value, f"must be one integer or {ndim} of them, one a spatial axis"
            )
        if isinstance(kind, Flag) and not isinstance(value, bool):
            raise ArgumentError(f"{name}: {option}", value, "must be True or False")
    values.pop("return_indices", None)  # the kernel is asked for indices when it is called
    _check_padding(name, family, values)
    if family.operator in (AdaptiveAvgPool, AdaptiveMaxPool):
        values["output_size"] = _kept_sizes(name, values["output_size"], ndim, input_size)
    if family.operator in (Unfold, Fold):
        values["in_channels"] = 1 if channels is None else channels
    elif channels is not None and values.get("in_channels", channels) != channels:
        raise ArgumentError(f"{name}: channels", channels, f"must be the {values['in_channels']} that the layer takes")
    make: Callable[..., Operator] = family.operator
    op = make(**values, ndim=ndim)
    _check_runs(name, op)
    notes = family.notes(op)
    return Imported(op, (*notes, *family.gradients(op, input_size)), exact=not notes)


def _check_padding(name: str, family: Family, values: dict[str, Any]) -> None:
    """Refuse paddings that PyTorch refuses, and a padding mode of a layer that has none."""
    named = family.operator is Conv
    if isinstance(values.get("padding"), str) and not (named and values["padding"] in ("same", "valid")):
        allowed = "integers, 'same' or 'valid'" if named else "integers"
        raise ArgumentError(f"{name}: padding", values["padding"], f"must be {allowed}")
    _not_negative(name, values.get("padding"))
    if "padding_mode" in values and "padding_mode" not in option_fields(family.operator):
        mode = values.pop("padding_mode")
        if mode != "zeros":
            raise NotSupportedError(f"{name} takes no padding_mode but 'zeros' in PyTorch, got {mode!r}")


def _check_runs(name: str, op: Operator) -> None:
    """Refuse what PyTorch lets be made, and refuses when it runs."""
    for window in op.windows:
        if isinstance(op, MaxPool | AvgPool) and window.before > window.kernel // 2:
            raise ArgumentError(f"{name}: padding", op.padding, "must be at most half of the kernel size in PyTorch")
    if isinstance(op, ConvTranspose):
        for extra, window in zip(op.output_padding, op.windows, strict=True):
            if extra >= max(window.stride, window.dilation):
                wanted = "must be smaller than the stride or the dilation in PyTorch"
                raise ArgumentError(f"{name}: output_padding", op.output_padding, wanted)


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
