"""What every kernel offers, whatever operator it was made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from html import escape
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from symconv.doors import iterable_of
from symconv.errors import ArgumentError
from symconv.kernels.libraries.door import METHODS, through_the_door
from symconv.kernels.runtime.padding import Array
from symconv.operators.base import Operator
from symconv.operators.gradients import Gradients, same

if TYPE_CHECKING:
    from symconv.derivations.step import Derivation
    from symconv.kernels.accuracy.bound import ErrorBound

__all__ = ["VARIABLES", "Gradients", "Kernel", "check_variables"]

VARIABLES = ("input", "weight", "bias")
"""What a gradient can be asked for."""


class Kernel(ABC):
    """``kernel(x, weight, bias)``: an operator, compiled. Made by `symconv.compile`.

    Attributes:
        op: the operator.

    Arrays are ``(N, C, *spatial)``, ``(C, *spatial)`` or ``(*spatial)``; the result has its axes in the same order.
    Arguments are never written to. Arrays of PyTorch, JAX and other libraries on the CPU come back as what they were,
    and PyTorch and JAX differentiate a kernel by its own `vjp`; all arrays of a call are of one library.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        """Every method that takes arrays takes those of any library, whichever class writes it."""
        super().__init_subclass__(**options)
        for name in METHODS:
            method = cls.__dict__.get(name)
            if method is not None and not getattr(method, "__isabstractmethod__", False):
                setattr(cls, name, through_the_door(method))

    def __init__(self, op: Operator) -> None:
        self.op = op
        self._again: Callable[..., Kernel] | None = None
        self._made_by: tuple[Any, ...] = ()

    def made_by(self, again: Callable[..., Kernel], *of: Any) -> Kernel:
        """This kernel, knowing how it was compiled: a copy is made by that, and it is compared by it.

        Args:
            again: what compiles it anew.
            of: what it was compiled from, the bound weight (or None) last.
        """
        self._again, self._made_by = again, of
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy is compiled anew: programs are functions made at run time, which cannot be carried over."""
        return self._again, self._made_by

    def __eq__(self, other: object) -> bool:
        """Whether two kernels are of one operator, backend, accuracy, plan and bound weight."""
        if not isinstance(other, Kernel):
            return NotImplemented
        (*mine, weight), (*theirs, other_weight) = self._made_by, other._made_by
        return mine == theirs and same(weight, other_weight)

    def __hash__(self) -> int:
        return hash(self._made_by[:-1])

    def __repr__(self) -> str:
        return f"<Kernel of {self.op!r}, plan {self.plan!r}>"

    def _repr_html_(self) -> str:
        source = f"<details><summary>source</summary><pre>{escape(self.source)}</pre></details>"
        return f"<div><code>{escape(repr(self))}</code>{source}</div>"

    @property
    @abstractmethod
    def plan(self) -> str:
        """The plan that was asked for, or the one that a nominal input takes."""

    @abstractmethod
    def plan_for(self, shape: tuple[int, ...], dtype: npt.DTypeLike = "float32") -> str:
        """The plan that an input of a shape and type takes."""

    @property
    @abstractmethod
    def source(self) -> str:
        """The NumPy source of what computes the output."""

    @property
    @abstractmethod
    def gradient_source(self) -> str:
        """The NumPy source of what computes the gradients."""

    def standalone(self) -> str:
        """The text of a module that needs NumPy alone: the formula as a function, where it is from, and a self-test.

        Raises:
            NotSupportedError: for a formula that overflows as it stands, such as that of a softmax.
        """
        from symconv.kernels.export.module import numpy_module

        return numpy_module(self.op)

    @abstractmethod
    def __call__(self, x: Any, *args: Any, **options: Any) -> Any:
        """The output."""

    @abstractmethod
    def vjp(self, grad_output: Any, x: Any, *args: Any, **options: Any) -> Gradients:
        """The gradients of ``<grad_output, kernel(x, ...)>``, each in the shape and type of its variable."""

    @abstractmethod
    def jvp(self, x: Any, *args: Any, **options: Any) -> Array:
        """The tangent of the output at `x` for tangents of the variables; None is a zero tangent."""

    @abstractmethod
    def explain(self, shape: tuple[int, ...] | None = None, dtype: npt.DTypeLike = "float32") -> str:
        """What an input of a shape and type is computed by, and what that costs."""

    @abstractmethod
    def error_bound(self, x: Any, *args: Any, **options: Any) -> ErrorBound:
        """How far a result of a call is at most from that of exact arithmetic on the same arrays."""

    @abstractmethod
    def derivation(self, plan: str | None = None) -> Derivation:
        """The rewrites that lead from the formula of the operator to the plan; every step can be checked."""


def check_variables(wrt: Collection[str]) -> None:
    """Refuse a name that is no variable.

    Raises:
        ArgumentError: for a string, and for anything but "input", "weight" and "bias".
    """
    wanted = f"must be a tuple of {', '.join(map(repr, VARIABLES))}"
    if not set(iterable_of("wrt", wrt, str, wanted)) <= set(VARIABLES):
        raise ArgumentError("wrt", wrt, wanted)
