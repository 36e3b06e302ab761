"""What a backend is: it gets tap forms and gives kernels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, TypeAlias

from symconv.errors import ArgumentError, NotSupportedError
from symconv.kernels.form.extraction import local_form, tap_form
from symconv.kernels.form.tapform import Kind, TapForm
from symconv.kernels.runtime.compiled import Compiled
from symconv.kernels.runtime.contract import Kernel
from symconv.kernels.runtime.kernel import WindowKernel
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import Accuracy, Plan
from symconv.operators.base import Operator

__all__ = ["Adapter", "Backend", "Request"]


@dataclass(frozen=True, eq=False)
class Request:
    """What a kernel is asked for, checked at the door.

    Attributes:
        op: the operator.
        plan: the plan to take wherever it does the task, or None.
        accuracy: the accuracy class.
        weight: the weight to bind, a copy of what the user gave, or None.
        threads: how many threads may be used.
    """

    op: Operator
    plan: str | None = None
    accuracy: Accuracy = "default"
    weight: Array | None = None
    threads: int = 1


Adapter: TypeAlias = "Callable[[Request, Backend], Kernel]"
"""Makes the kernel of an operator that is no window over one input, or of one that is run by way of another's."""


class Backend(ABC):
    """Gets tap forms and gives kernels: the object ``BACKEND`` of a folder below `symconv.kernels.backends`.

    What is common to all kernels stays common: arguments, layouts, types and messages are those of `WindowKernel`. A
    backend says which plans there are for a kind of formula; a plan brings the engine that runs it.

    Attributes:
        name: what a user writes for ``backend=``: the name of the folder.
        words: what runs the plans, as `Kernel.explain` says it.
        adapters: what makes the kernels of operators that have no tap form, by the class that states the formula.
    """

    name: ClassVar[str]
    words: ClassVar[str]
    adapters: ClassVar[Mapping[type[Operator], Adapter]] = {}

    def __init__(self, plans: Iterable[Plan]) -> None:
        self._table: dict[Kind, tuple[Plan, ...]] = {}
        self.kept: Callable[..., Any] = lru_cache(maxsize=256)(_made)
        """What a function made of hashable arguments, kept from call to call."""
        for plan in plans:
            self.register(plan)

    def register(self, plan: Plan) -> None:
        """Put a plan behind the others of its kind.

        Raises:
            ArgumentError: where its kind has a plan of this name.
        """
        table = self._table.get(plan.kind, ())
        if any(other.name == plan.name for other in table):
            raise ArgumentError("plan", plan.name, f"must be a name that no other plan of a {plan.kind} has")
        self._table[plan.kind] = (*table, plan)
        self.kept.cache_clear()  # type: ignore[attr-defined]

    def plans(self, form: TapForm) -> tuple[Plan, ...]:
        """The plans for a tap form: that its formula is what they compute is known of all of them."""
        assert form.kind is not None
        return tuple(sorted(self._table.get(form.kind, ()), key=lambda plan: plan.yields(form)))

    @abstractmethod
    def check_threads(self, threads: int) -> None:
        """Refuse a number of threads that the plans cannot use.

        Raises:
            ArgumentError: for such a number.
        """

    def kernel(self, request: Request) -> Kernel:
        """The kernel of an operator: by way of its tap form, or by its adapter where it has one.

        Raises:
            ArgumentError: for symbolic options, or a weight or a plan that does not apply.
            NotSupportedError: for a formula that no kernel can be made of.
        """
        adapter = self._adapter(request.op)
        if adapter is not None:
            return adapter(request, self)
        if self.kept(_planless, request.op):
            return self.stated(request)
        if request.weight is None:
            return WindowKernel(self.kept(self.compiled, request.op, request.plan, request.accuracy, request.threads))
        return WindowKernel(self.compiled(request.op, request.plan, request.accuracy, request.threads, request.weight))

    def stated(self, request: Request) -> Kernel:
        """The kernel of an operator whose formula no plan computes.

        Raises:
            NotSupportedError: where there is none, saying why.
        """
        return WindowKernel(self.compiled(request.op, request.plan, request.accuracy, 1))  # refuses it by name

    def compiled(
        self, op: Operator, plan: str | None, accuracy: Accuracy, threads: int, weight: Array | None = None
    ) -> Compiled:
        """What the kernel of an operator runs: its tap form, and the plans that apply to that.

        Raises:
            ArgumentError: for symbolic options, or a weight or a plan that does not apply.
            NotSupportedError: for an operator that has no tap form.
        """
        form = tap_form(op)
        return Compiled(op, form, self.plans(form), self.words_for(threads), plan, accuracy, weight, threads)

    def words_for(self, threads: int) -> str:
        """What runs the plans where so many threads may be used, as `Kernel.explain` says it."""
        del threads
        return self.words

    def _adapter(self, op: Operator) -> Adapter | None:
        """The adapter of an operator, which must state the formula that its adapter computes."""
        for kind, adapter in self.adapters.items():
            if isinstance(op, kind):
                twin = object.__new__(kind)  # the same options; the formula that the adapter is for
                twin.__dict__.update(op.__dict__)
                if type(op) is kind or op.output() == twin.output():
                    return adapter
                names = ", ".join(known.__name__ for known in self.adapters)
                raise NotSupportedError(f"no kernel can be made of {op!r}: its formula is not that of {names}")
        return None


def _planless(op: Operator) -> bool:
    """Whether no plan computes the kind of formula that an operator states."""
    return local_form(op).kind is None


def _made(make: Callable[..., Any], *of: Any) -> Any:
    return make(*of)
