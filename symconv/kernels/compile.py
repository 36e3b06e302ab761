"""`compile`: from an operator to a kernel."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

import numpy as np

from symconv.doors import instance, one_of, plain_integer
from symconv.errors import ArgumentError
from symconv.kernels.adapters.family import Relative, relative_kernel
from symconv.kernels.form.extraction import tap_form
from symconv.kernels.runtime.arguments import as_array, engine_weight
from symconv.kernels.runtime.compiled import Compiled
from symconv.kernels.runtime.contract import Kernel
from symconv.kernels.runtime.kernel import WindowKernel
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import ACCURACIES, Accuracy
from symconv.operators.base import Operator

__all__ = ["BACKENDS", "compile", "compiled_again"]

BACKENDS = ("numpy",)


def compile(
    op: Operator,
    backend: str = "numpy",
    *,
    threads: int = 1,
    accuracy: str = "default",
    plan: str | None = None,
    weight: Any = None,
) -> Kernel:
    """Compile an operator's formula into a function of arrays.

    Args:
        op: an operator with numbers for all its options; the input size stays free.
        backend: "numpy".
        threads: 1; NumPy's matrix products have their own setting (such as OPENBLAS_NUM_THREADS).
        accuracy: "exact_order" for plain sums in the order of the taps; "default" for sums in any order; "fast" to
            allow transforms that lose digits. Sums are rounded in the type that is computed in.
        plan: how to compute it; by default a cost model chooses for every shape and type. A plan that is forced is
            taken for the gradients, too, where it has any. `Kernel.explain` lists what there is and what it costs.
        weight: bind this weight; the kernel is then called without one, and keeps what it computes from it.

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
    instance("op", op, Operator, "must be an operator, such as Conv(3)")
    one_of("backend", backend, BACKENDS)
    if plain_integer("threads", threads) != 1:
        raise ArgumentError(
            "threads", threads, "must be 1 for the backend 'numpy'", "set the threads of NumPy's BLAS by its variable"
        )
    chosen = cast("Accuracy", one_of("accuracy", accuracy, ACCURACIES))
    if plan is not None:
        instance("plan", plan, str, "must be the name of a plan, or None")
    given = None if weight is None else np.array(as_array("weight", weight))  # what the caller does to it is not seen
    return _kernel(op, chosen, plan, given).made_by(compiled_again, chosen, plan, given)


def compiled_again(op: Operator, accuracy: str, plan: str | None, weight: Array | None) -> Kernel:
    """The kernel that a pickled or copied one was: compiled anew from what it was made of."""
    return compile(op, accuracy=accuracy, plan=plan, weight=weight)


def _kernel(op: Operator, accuracy: Accuracy, plan: str | None, weight: Array | None) -> Kernel:
    if isinstance(op, Relative):
        return relative_kernel(op, plan, accuracy, weight)
    if weight is None:
        return WindowKernel(_compiled(op, plan, accuracy))
    form = tap_form(op)
    if form.letter("weight") is None:
        raise ArgumentError("weight", type(weight).__name__, f"must be left out: {op!r} has no weight")
    arranged = engine_weight(form, weight)  # refuses a wrong shape now, not at the first call
    weight.flags.writeable = arranged.flags.writeable = False
    return WindowKernel(Compiled(op, form, plan, accuracy, arranged), weight)


@lru_cache(maxsize=256)
def _compiled(op: Operator, plan: str | None, accuracy: Accuracy) -> Compiled:
    return Compiled(op, tap_form(op), plan, accuracy, None)
