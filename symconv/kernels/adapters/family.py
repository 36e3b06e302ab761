"""The kernels of operators that no tap form is made of, because they do not slide one window over one input."""

from __future__ import annotations

from typing import TypeAlias

from symconv.errors import ArgumentError, NotSupportedError
from symconv.kernels.adapters.adaptive import adaptive_kernel
from symconv.kernels.adapters.morphology import MorphologyKernel
from symconv.kernels.adapters.patches import patches_kernel
from symconv.kernels.adapters.planes import DirectKernel
from symconv.kernels.adapters.transposed import transposed_kernel
from symconv.kernels.adapters.unpooling import MaxUnpoolKernel
from symconv.kernels.runtime.contract import Kernel
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import ACCURACIES, Accuracy
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool, AdaptivePooling
from symconv.operators.base import Operator
from symconv.operators.morphology import Dilation, Erosion, Morphology
from symconv.operators.patches import Fold, Patches, Unfold
from symconv.operators.transposed import ConvTranspose
from symconv.operators.unpooling import MaxUnpool

__all__ = ["Relative", "relative_kernel"]

Relative: TypeAlias = ConvTranspose | AdaptivePooling | Patches | MaxUnpool | Morphology

FAMILY: tuple[type[Operator], ...] = (
    ConvTranspose,
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    Unfold,
    Fold,
    MaxUnpool,
    Dilation,
    Erosion,
)
"""The operators whose formulas the kernels here compute."""


def relative_kernel(op: Relative, plan: str | None, accuracy: Accuracy, weight: Array | None) -> Kernel:
    """The kernel of a relative of convolution and pooling.

    Args:
        op: the operator.
        plan: the plan to force, or None.
        accuracy: the accuracy class.
        weight: a weight to bind, or None.

    Raises:
        ArgumentError: for symbolic options, a weight that the operator does not have, or a plan or an accuracy class
            that does not apply.
        NotSupportedError: for an operator that states another formula than the one that its kernel computes.
    """
    _refuse_other_formula(op)
    if isinstance(op, ConvTranspose):
        return transposed_kernel(op, plan, accuracy, weight)
    if weight is not None and not isinstance(op, Morphology):
        raise ArgumentError("weight", type(weight).__name__, f"must be left out: {op!r} has no weight")
    kernel: DirectKernel
    if isinstance(op, Morphology):
        kernel = MorphologyKernel(op, weight)
    elif isinstance(op, AdaptivePooling):
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


def _refuse_other_formula(op: Operator) -> None:
    """Refuse an operator that is made of one of the family, and states a formula of its own."""
    if type(op) in FAMILY:
        return
    known = next((kind for kind in FAMILY if isinstance(op, kind)), None)
    if known is not None:
        twin = object.__new__(known)  # the same options; the formula of the family
        twin.__dict__.update(op.__dict__)
        if op.output() == twin.output():
            return
    raise NotSupportedError(f"no kernel can be made of {op!r}: its formula is not that of {_names()}")


def _names() -> str:
    return ", ".join(kind.__name__ for kind in FAMILY)
