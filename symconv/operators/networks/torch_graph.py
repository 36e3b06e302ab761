"""The network of a PyTorch model: ``torch.export`` traces its forward without values, and the calls are followed."""

from __future__ import annotations

import warnings
from typing import Any

from symconv.errors import ArgumentError, NotSupportedError
from symconv.operators.importers.imported import sizes_of
from symconv.operators.importers.torch import axes_of_name, is_layer
from symconv.operators.networks.assembly import ModelTable, assemble
from symconv.operators.networks.torch_axes import AXES
from symconv.operators.networks.torch_places import PLACES
from symconv.operators.networks.torch_sums import SUMS
from symconv.operators.networks.torch_trace import TorchTrace
from symconv.operators.networks.torch_windows import WINDOWED

__all__ = ["network_from_torch"]


def network_from_torch(model: Any, example: Any) -> ModelTable:
    """The table of a PyTorch model, by following its forward on an example.

    Branches, gates, sums and functions count as they are called; the mode of the model is kept (``model.eval()`` for
    inference). Where everything that it calls is a layer of one, ``table.network`` is the model as a `Network`, and
    ``table.weights`` are its weights.

    Args:
        model: a ``torch.nn.Module``.
        example: an input: a tensor, a tuple of tensors, or the shape of one, whose batch may be left out.

    Raises:
        ArgumentError: for what is no module, or an example that the model does not take.
        NotSupportedError: where PyTorch is not installed or cannot trace the model, or nothing in it has windows.
    """
    try:
        import torch
    except ImportError:
        raise NotSupportedError("following a PyTorch model needs PyTorch, which is not installed") from None
    if not isinstance(model, torch.nn.Module):
        raise ArgumentError("model", model, "must be a torch.nn.Module")
    inputs = _examples(torch, model, example)
    try:
        with warnings.catch_warnings(), torch.no_grad():  # else what a forward does without gradients is set apart
            warnings.simplefilter("ignore")
            traced = torch.export.export(model, inputs, strict=False)
            if any(getattr(getattr(node.target, "_schema", None), "is_mutable", False) for node in traced.graph.nodes):
                traced = traced.run_decompositions({})  # what is written in place becomes a value of its own
    except Exception as error:  # forward is anybody's code, and raises anything
        reason = str(error).strip().splitlines()
        shown = f"{type(error).__name__}: {reason[0] if reason else ''}"
        raise NotSupportedError(
            f"the forward of {type(model).__name__} cannot be followed on this example ({shown})"
        ) from None
    trace = TorchTrace(traced, {**PLACES, **SUMS, **AXES, **WINDOWED}, WINDOWED)
    trace.read()
    table = assemble(trace.graph)
    if not table.layers:
        raise NotSupportedError(f"{type(model).__name__} calls no layer with windows on its input")
    return table


def _examples(torch: Any, model: Any, example: Any) -> tuple[Any, ...]:
    """The arguments of the forward."""
    if isinstance(example, torch.Tensor):
        return (example,)
    if isinstance(example, tuple | list) and example and all(isinstance(entry, torch.Tensor) for entry in example):
        return tuple(example)
    wanted = "must be a tensor, a tuple of tensors, or the shape of one"
    try:
        shape = sizes_of("example", example)
    except ArgumentError:
        raise ArgumentError("example", example, wanted) from None
    names = (type(module).__name__ for module in model.modules())
    axes = next((axes_of_name(name) for name in names if is_layer(name)), None)
    if axes is not None and len(shape) == axes + 1:
        shape = (1, *shape)
    weight = next(iter(model.parameters()), None)
    kind = {} if weight is None else {"dtype": weight.dtype, "device": weight.device}
    return (torch.zeros(shape, **kind),)
