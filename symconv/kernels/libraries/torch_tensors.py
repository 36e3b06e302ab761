"""PyTorch's tensors: read and given without a copy, and differentiated by the gradients of the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt
import torch
from torch.autograd import Function

from symconv.errors import ArgumentError, NotSupportedError
from symconv.kernels.libraries.library import Library
from symconv.kernels.libraries.passing import Passing, said
from symconv.operators.gradients import Gradients

__all__ = ["LIBRARY"]

_NARROW = {getattr(torch, name) for name in dir(torch) if name == "bfloat16" or name.startswith("float8_")}


class _Torch(Library):
    noun, maker = "a PyTorch tensor", "torch.as_tensor"

    def has(self, kind: type) -> bool:
        return issubclass(kind, torch.Tensor)

    def read(self, name: str, value: Any) -> tuple[npt.NDArray[Any], Any]:
        if value.device.type != "cpu":
            raise self.elsewhere(name, str(value.device), f"pass {name}.cpu()")
        narrow = value.dtype if value.dtype in _NARROW else None
        tensor = value.detach() if narrow is None else value.detach().to(torch.float32)
        try:
            return tensor.resolve_conj().resolve_neg().numpy(), narrow
        except Exception as error:  # sparse, quantized, nested, symbolic: PyTorch says which
            reason = str(error).partition("\n")[0][:160]
            wanted = f"must be a dense tensor of numbers, and NumPy cannot read it ({reason})"
            raise ArgumentError(name, f"{value.dtype}, {value.layout}", wanted, f"pass {name}.to_dense()") from None

    def give(self, array: npt.NDArray[Any], like: Any, narrow: Any) -> Any:
        if not array.flags.writeable or any(stride < 0 for stride in array.strides):
            array = array.copy()
        tensor = torch.from_numpy(array)
        return tensor if narrow is None else tensor.to(narrow)

    def follows(self, values: Sequence[Any]) -> bool:
        return torch.is_grad_enabled() and any(value.requires_grad for value in values)

    def followed(self, passing: Passing) -> Any:
        for path, value, may in zip(passing.paths, passing.values, passing.followed, strict=True):
            if value.requires_grad and not may and path[0] != "output":
                name = said(path)
                wanted = "must not require grad: no gradient goes to it"
                raise ArgumentError(name, "a tensor that requires grad", wanted, f"pass {name}.detach()")
        if passing.method == "__call__":
            found = _Output.apply(passing, *passing.values)
            return found if isinstance(found, torch.Tensor) else tuple(found)
        if passing.method == "vjp" and hasattr(passing.kernel, "op"):
            return Gradients(*_Pulled.apply(passing, *passing.values))
        if passing.method == "error_bound":  # a bound is no function to be differentiated
            with torch.no_grad():
                return passing.call(passing.values)
        raise NotSupportedError(
            f"{passing.method} of {passing.kernel!r} is not differentiated; pass x.detach(), or use torch.no_grad()"
        )


class _Output(Function):  # type: ignore[misc]
    """The output of a kernel; what goes back is its `vjp`, which is differentiated as `_Pulled` says."""

    @staticmethod
    def forward(ctx: Any, passing: Passing, *values: Any) -> Any:
        ctx.passing = passing
        ctx.save_for_backward(*values)
        ctx.set_materialize_grads(False)
        found = passing.call([value.detach() for value in values])
        if isinstance(found, tuple):
            ctx.mark_non_differentiable(*found[1:])
        return found

    @staticmethod
    def backward(ctx: Any, g: Any, *_: Any) -> Any:
        if g is None:
            return (None,) * (1 + len(ctx.saved_tensors))
        return None, *ctx.passing.pulled(g, ctx.saved_tensors, ctx.needs_input_grad[1:])


class _Pulled(Function):  # type: ignore[misc]
    """The gradients of a kernel, differentiated where the output is affine in every variable."""

    @staticmethod
    def forward(ctx: Any, passing: Passing, *values: Any) -> Any:
        ctx.passing = passing
        ctx.save_for_backward(*values)
        ctx.set_materialize_grads(False)
        found = passing.call([value.detach() for value in values])
        return found.input, found.weight, found.bias

    @staticmethod
    def backward(ctx: Any, *moved: Any) -> Any:
        return None, *ctx.passing.pulled_twice(Gradients(*moved), ctx.saved_tensors)


LIBRARY = _Torch()
