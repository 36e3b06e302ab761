"""`compile`: from an operator to a kernel."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from symconv.errors import ArgumentError
from symconv.kernels.arguments import as_array, engine_weight
from symconv.kernels.kernel import Compiled, Kernel
from symconv.kernels.plans import choose
from symconv.kernels.tapform import tap_form
from symconv.operators.base import Operator

__all__ = ["BACKENDS", "compile"]

BACKENDS = ("numpy",)
ACCURACIES = ("default",)


def compile(
    op: Operator,
    backend: str = "numpy",
    *,
    threads: int = 1,
    accuracy: str = "default",
    plan: str | None = None,
    weight: Any = None,
) -> Kernel:
    """Compile an operator's formula into a function of arrays, by way of ``sympy.lambdify``.

    Args:
        op: an operator with numbers for all its options; the input size stays free.
        backend: "numpy".
        threads: 1; NumPy's matrix products have their own setting (such as OPENBLAS_NUM_THREADS).
        accuracy: "default": sums are rounded in the type that is computed in, in the order of the plan.
        plan: how to compute it; by default the fastest plan known. "taps" takes one tap after the other, "separable"
            one axis after the other (pooling), "gemm" turns the taps into a matrix (convolution).
        weight: bind this weight; the kernel is then called without one.

    Returns:
        The kernel. Programs are cached by operator and plan.

    Raises:
        ArgumentError: for an unknown backend, accuracy or plan, or symbolic options.
        NotSupportedError: for a formula that no kernel can be made of.

    >>> from symconv.operators.convolution import Conv
    >>> kernel = compile(Conv((3,), padding=1))
    >>> kernel([1, 2, 3], [1, 0, -1]).tolist()
    [-2, -2, 2]
    """
    if not isinstance(op, Operator):
        raise ArgumentError("op", op, "must be an operator, such as Conv(3)")
    if backend not in BACKENDS:
        raise ArgumentError("backend", backend, f"must be one of {', '.join(map(repr, BACKENDS))}")
    if isinstance(threads, bool) or threads != 1:
        raise ArgumentError(
            "threads", threads, "must be 1 for the backend 'numpy'", "set the threads of NumPy's BLAS by its variable"
        )
    if accuracy not in ACCURACIES:
        raise ArgumentError("accuracy", accuracy, f"must be one of {', '.join(map(repr, ACCURACIES))}")
    compiled = _compiled(op, plan)
    if weight is None:
        return Kernel(compiled, None)
    if compiled.form.letter("weight") is None:
        raise ArgumentError("weight", type(weight).__name__, f"must be left out: {op!r} has no weight")
    bound = np.array(as_array("weight", weight))
    engine_weight(compiled.form, bound, compiled.grouped)  # refuses a wrong shape now, not at the first call
    bound.flags.writeable = False
    return Kernel(compiled, bound)


@lru_cache(maxsize=256)
def _compiled(op: Operator, plan: str | None) -> Compiled:
    form = tap_form(op)
    return Compiled(op, form, choose(form, plan))
