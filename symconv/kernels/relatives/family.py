"""The kernels of operators that no tap form is made of, because they do not slide one window over one input."""

from __future__ import annotations

from typing import Any, TypeAlias

from symconv.errors import ArgumentError
from symconv.kernels.contract import Kernel
from symconv.kernels.plan import ACCURACIES, Accuracy
from symconv.kernels.relatives.adaptive import adaptive_kernel
from symconv.kernels.relatives.patches import patches_kernel
from symconv.kernels.relatives.planes import DirectKernel
from symconv.kernels.relatives.transposed import transposed_kernel
from symconv.kernels.relatives.unpooling import MaxUnpoolKernel
from symconv.operators.adaptive import AdaptivePooling
from symconv.operators.patches import Patches
from symconv.operators.transposed import ConvTranspose
from symconv.operators.unpooling import MaxUnpool

__all__ = ["Relative", "relative_kernel"]

Relative: TypeAlias = ConvTranspose | AdaptivePooling | Patches | MaxUnpool


def relative_kernel(op: Relative, plan: str | None, accuracy: Accuracy, weight: Any) -> Kernel:
    """The kernel of a relative of convolution and pooling.

    Args:
        op: the operator.
        plan: the plan to force, or None.
        accuracy: the accuracy class.
        weight: a weight to bind, or None.

    Raises:
        ArgumentError: for symbolic options, a weight that the operator does not have, or a plan or an accuracy class
            that does not apply.
    """
    if isinstance(op, ConvTranspose):
        return transposed_kernel(op, plan, accuracy, weight)
    if weight is not None:
        raise ArgumentError("weight", type(weight).__name__, f"must be left out: {op!r} has no weight")
    kernel: DirectKernel
    if isinstance(op, AdaptivePooling):
        kernel = adaptive_kernel(op)
    elif isinstance(op, Patches):
        kernel = patches_kernel(op)
    else:
        kernel = MaxUnpoolKernel(op)
    if plan not in (None, kernel.plan):
        raise ArgumentError("plan", plan, f"must be one of the plans that apply here ({kernel.plan!r})")
    if ACCURACIES.index(kernel.accuracy) > ACCURACIES.index(accuracy):
        raise ArgumentError("accuracy", accuracy, f"must be {kernel.accuracy!r} for {op!r}: {kernel.error}")
    return kernel
