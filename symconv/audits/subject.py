"""The black box that is certified: a function of arrays or tensors, a module of PyTorch, or an ONNX model.

What is heavy, or may go wrong, is made by `Subject.start`, which runs in the process of the black box.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from symconv.audits.isolation import Work
from symconv.audits.reading import Array
from symconv.audits.wire import Bits
from symconv.doors import one_of, path
from symconv.errors import ArgumentError

__all__ = ["DTYPES", "Subject", "answered", "numpy_type", "subject_of", "tensors_of"]

DTYPES = ("float16", "bfloat16", "float32", "float64", "int32", "int64")
ARRAYS = ("numpy", "torch")


@dataclass(frozen=True)
class Subject:
    """A black box, ready to be started in a process of its own.

    Attributes:
        start: gives a function of arrays by name ("input", "weight", "bias", and "upstream" where gradients are wanted)
            that returns "output", gradients as "grad_input" and so on, and the arguments as they are after the call as
            "after_input" and so on.
        dtype: the type that it is tried in.
        gradients: whether it gives gradients.
        kind: what it is, in words.
        framework: whether its arrays usually have axes for a batch and channels.
    """

    start: Callable[[], Work]
    dtype: str
    gradients: bool
    kind: str
    framework: bool


def subject_of(function: Any, variables: Sequence[str], gradients: Any, dtype: Any, arrays: Any) -> Subject:
    """What is to be tried.

    Args:
        function: the black box.
        variables: what it is called with, in this order.
        gradients: a function that gives the gradients; None for those of PyTorch, or none.
        dtype: the type to try it in; None for its own.
        arrays: "numpy" or "torch": what a plain function takes.

    Raises:
        ArgumentError: for what cannot be tried.
    """
    one_of("arrays", arrays, ARRAYS)
    if dtype is not None:
        one_of("dtype", dtype, DTYPES)
    if gradients is not None and not callable(gradients):
        raise ArgumentError("gradients", gradients, "must be a function of grad_output and the arguments, or None")
    if isinstance(function, str | Path):
        return _model(path("function", function), len(variables), gradients, dtype)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(function, torch.nn.Module):
        return _module(torch, function, variables, gradients, dtype)
    if not callable(function):
        raise ArgumentError(
            "function", function, "must be a function, a module of PyTorch, or the path of an ONNX model"
        )
    found = dtype or ("float32" if arrays == "torch" else "float64")
    if arrays == "torch":
        if find_spec("torch") is None:
            raise ArgumentError("arrays", arrays, "needs PyTorch", "pip install torch")
        _refuse_gradients(gradients)
        import_module("torch")  # before the process divides, so that it is read once

        return Subject(lambda: _on_tensors(function, found), found, found[0] != "i", "function of tensors", True)
    _refuse_missing(found)
    return Subject(
        lambda: _on_arrays(function, gradients, found), found, gradients is not None, "function of arrays", False
    )


def _refuse_missing(dtype: str) -> None:
    if dtype == "bfloat16" and find_spec("ml_dtypes") is None:
        raise ArgumentError("dtype", dtype, "needs a package that gives NumPy this type", "pip install ml_dtypes")


def _refuse_gradients(gradients: Any) -> None:
    if gradients is not None:
        raise ArgumentError("gradients", gradients, "must be left out: they are PyTorch's own")


# ---------------------------------------------------------------------- functions of NumPy arrays


def _on_arrays(function: Any, gradients: Any, dtype: str) -> Work:
    own = numpy_type(dtype)

    def work(given: dict[str, Array], _: str) -> dict[str, object]:
        arguments = {name: value.astype(own) for name, value in given.items()}
        upstream = arguments.pop("upstream", None)
        found: dict[str, object] = {"output": function(*arguments.values())}
        if upstream is not None:
            returned = gradients(upstream, *arguments.values())
            found |= {f"grad_{part}": value for part, value in _by_part(returned, list(arguments)).items()}
        return found | {f"after_{name}": value for name, value in arguments.items()}

    return work


def numpy_type(dtype: str) -> np.dtype[Any]:
    """The type of a name, bfloat16 among them."""
    if dtype == "bfloat16":
        dtype = import_module("ml_dtypes").bfloat16
    return np.dtype(dtype)


def _by_part(returned: Any, names: Sequence[str]) -> dict[str, Any]:
    """Gradients by variable: of a mapping, of an object such as `Gradients`, of a tuple, or of one array alone."""
    if isinstance(returned, Mapping):
        pairs = [(name, returned.get(name)) for name in names]
    elif all(hasattr(returned, name) for name in names):
        pairs = [(name, getattr(returned, name)) for name in names]
    elif isinstance(returned, tuple | list):
        pairs = list(zip(names, returned))
    else:
        pairs = [(names[0], returned)]
    return {name: value for name, value in pairs if value is not None}


# ---------------------------------------------------------------------- PyTorch


def _on_tensors(function: Any, dtype: str) -> Work:
    torch = import_module("torch")

    def work(given: dict[str, Array], _: str) -> dict[str, object]:
        tensors = tensors_of(torch, given, dtype)
        upstream = tensors.pop("upstream", None)
        for tensor in tensors.values():
            tensor.requires_grad_(upstream is not None)
        return answered(torch, function(*tensors.values()), tensors, upstream)

    return work


def tensors_of(torch: Any, given: Mapping[str, Array], dtype: str) -> dict[str, Any]:
    """Arrays as tensors of a type."""
    return {name: torch.from_numpy(np.array(value)).to(getattr(torch, dtype)) for name, value in given.items()}


def answered(torch: Any, output: Any, tensors: dict[str, Any], upstream: Any) -> dict[str, object]:
    """The output, its gradients by autograd, and the arguments after the call."""
    found: dict[str, object] = {"output": _array(torch, output)}
    if upstream is not None:
        if upstream.shape == output.shape and output.requires_grad:
            pulled = torch.autograd.grad(output, list(tensors.values()), upstream.to(output.dtype), allow_unused=True)
        else:
            pulled = [None] * len(tensors)
        found |= {f"grad_{n}": _array(torch, g) for n, g in zip(tensors, pulled, strict=True) if g is not None}
    return found | {f"after_{name}": _array(torch, tensor) for name, tensor in tensors.items()}


def _array(torch: Any, value: Any) -> object:
    """A tensor as what can be sent; anything else as it is."""
    if not isinstance(value, torch.Tensor):
        return value
    plain = value.detach().cpu().contiguous()
    if plain.dtype == torch.bfloat16:
        return Bits("bfloat16", plain.view(torch.int16).numpy().view(np.uint16))
    return plain.numpy()


def _module(torch: Any, module: Any, variables: Sequence[str], gradients: Any, dtype: str | None) -> Subject:
    _refuse_gradients(gradients)
    own = dict(module.named_parameters())
    slots: dict[str, str] = {}
    if len(variables) > 1:
        for name, parameter in own.items():
            slots.setdefault("bias" if parameter.ndim == 1 and "bias" in name else "weight", name)
        if len(own) != len(slots) or set(slots) != set(variables) - {"input"}:
            wanted = " and ".join(variables[1:])
            raise ArgumentError(
                "function", sorted(own), f"must have one parameter each for {wanted} of the operator, and no more"
            )
    first = next(iter(own.values()), None)
    found = dtype or ("float32" if first is None else str(first.dtype).removeprefix("torch."))
    one_of("dtype", found, DTYPES)

    def start() -> Work:
        moved = module.to(getattr(torch, found))
        held = dict(moved.named_parameters())

        def work(given: dict[str, Array], _: str) -> dict[str, object]:
            tensors = tensors_of(torch, given, found)
            upstream = tensors.pop("upstream", None)
            with torch.no_grad():
                for variable, name in slots.items():
                    held[name].copy_(tensors[variable])
                    tensors[variable] = held[name]
            tensors["input"].requires_grad_(upstream is not None)
            return answered(torch, moved(tensors["input"]), tensors, upstream)

        return work

    return Subject(start, found, found[0] != "i", f"module {type(module).__name__} of PyTorch", True)


# ---------------------------------------------------------------------- ONNX


def _model(file: Path, inputs: int, gradients: Any, dtype: str | None) -> Subject:
    if gradients is not None:
        raise ArgumentError("gradients", gradients, "must be left out: a model gives none")
    try:
        exists = file.is_file()
    except OSError:  # such as a name that no file can have
        exists = False
    if not exists:
        raise ArgumentError("function", str(file), "must be the path of an ONNX model")
    if find_spec("onnxruntime") is None:
        raise ArgumentError("function", str(file), "is a model, which needs ONNX Runtime", "pip install onnxruntime")
    found = dtype or "float32"
    _refuse_missing(found)

    def start() -> Work:
        onnxruntime = import_module("onnxruntime")
        own = numpy_type(found)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        names = [entry.name for entry in session.get_inputs()]
        if len(names) != inputs:
            raise TypeError(f"the model has the inputs {', '.join(names)}, and the operator {inputs} variables")

        def work(given: dict[str, Array], _: str) -> dict[str, object]:
            arrays = [value.astype(own) for value in given.values()]
            return {"output": session.run(None, dict(zip(names, arrays, strict=True)))[0]}

        return work

    return Subject(start, found, False, "ONNX model", True)
