"""`compile`: from an operator to a kernel."""

from __future__ import annotations

from typing import Any, cast, overload

import numpy as np

from symconv.doors import instance, one_of, plain_integer
from symconv.errors import ArgumentError, NotSupportedError
from symconv.kernels.backends.finding import backend_of
from symconv.kernels.network import NetworkKernel
from symconv.kernels.runtime.arguments import as_array
from symconv.kernels.runtime.backend import Request
from symconv.kernels.runtime.contract import Kernel
from symconv.kernels.runtime.plan import ACCURACIES, Accuracy
from symconv.operators.base import Operator
from symconv.operators.joining import Add
from symconv.operators.networks.network import Network

__all__ = ["compile"]


@overload
def compile(
    op: Operator,
    backend: str = "numpy",
    *,
    threads: int = 1,
    accuracy: str = "default",
    plan: str | None = None,
    weight: Any = None,
) -> Kernel: ...


@overload
def compile(op: Network, backend: str = "numpy", *, threads: int = 1, accuracy: str = "default") -> NetworkKernel: ...


def compile(
    op: Operator | Network,
    backend: str = "numpy",
    *,
    threads: int = 1,
    accuracy: str = "default",
    plan: str | None = None,
    weight: Any = None,
) -> Kernel | NetworkKernel:
    """Compile an operator's formula, or a network's, into a function of arrays.

    The way, in one line: the backend reads the tap form off the operator's formula, keeps the plans of its table whose
    pattern the form has, and hands both to a `symconv.kernels.runtime.kernel.WindowKernel`; the kernel takes, for every
    shape and type that it is called with, the plan with the lowest estimate, and lets the engine of that plan run.

    Args:
        op: an operator with numbers for all its options, or a network of such; the input size stays free.
        backend: "numpy"; "halide" for pipelines that are compiled for this machine, a few tenths of a second at the
            first call of a kind, which needs ``pip install halide``; or "auto", which goes over from the one
            to the other for calls that are often done, where the second is there and the estimates favour it.
        threads: how many threads may work on one call; each takes a piece of the result, and a call of less than half a
            millisecond is not cut. "numpy" uses 1, and so does "auto" as long as NumPy does the work: its matrix
            products have their own setting (such as OPENBLAS_NUM_THREADS).
        accuracy: "exact_order" for plain sums in the order of the taps; "default" for sums in any order; "fast" to
            allow transforms that lose digits. Sums are rounded in the type that is computed in.
        plan: how to compute it; by default a cost model chooses for every shape and type. A plan that is forced is
            taken for the gradients, too, where it has any. `Kernel.explain` lists what there is and what it costs.
            Every layer of a network takes its own.
        weight: bind this weight; the kernel is then called without one, and keeps what it computes from it.

    Returns:
        The kernel. Programs are cached by operator and plan.

    Raises:
        ArgumentError: for an unknown backend, or one whose package is missing, an unknown accuracy or plan, or
            symbolic options.
        NotSupportedError: for a formula that no kernel can be made of by this backend, and for a sum by itself.

    >>> from symconv.operators.convolution import Conv
    >>> kernel = compile(Conv((3,), padding=1))
    >>> kernel([1, 2, 3], [1, 0, -1]).tolist()
    [-2, -2, 2]
    """
    instance("op", op, (Operator, Network), "must be an operator, such as Conv(3), or a Network")
    found = backend_of(backend)
    found.check_threads(plain_integer("threads", threads))
    allowed = cast("Accuracy", one_of("accuracy", accuracy, ACCURACIES))
    if isinstance(op, Network):
        if plan is not None or weight is not None:
            raise ArgumentError("plan, weight", (plan, weight), "must be left out for a network: they are of one layer")
        again = (_network_again, op, backend, threads, accuracy)
        return NetworkKernel(op, lambda layer: compile(layer, backend, threads=threads, accuracy=accuracy), again)
    if isinstance(op, Add):
        raise NotSupportedError(
            f"no kernel is made of {op!r} by itself: of two arrays it is x + y; compile the Network in which it adds "
            "what layers give"
        )
    if plan is not None:
        instance("plan", plan, str, "must be the name of a plan, or None")
    given = None if weight is None else np.array(as_array("weight", weight))  # what the caller does to it is not seen
    kernel = found.kernel(Request(op, plan, allowed, given, threads))
    return kernel.made_by(_compiled_again, op, backend, threads, accuracy, plan, given)


def _compiled_again(op: Operator, backend: str, threads: int, accuracy: str, plan: str | None, weight: Any) -> Kernel:
    """The kernel that a pickled or copied one was: compiled anew from what it was made of."""
    return compile(op, backend, threads=threads, accuracy=accuracy, plan=plan, weight=weight)


def _network_again(network: Network, backend: str, threads: int, accuracy: str) -> NetworkKernel:
    """The kernel that a pickled or copied one of a network was."""
    return compile(network, backend, threads=threads, accuracy=accuracy)
