"""Which of the plans of a backend apply to an operator, and which one a call takes."""

from __future__ import annotations

from collections.abc import Sequence

from symconv.doors import instance
from symconv.errors import ArgumentError
from symconv.kernels.form.tapform import TapForm
from symconv.kernels.runtime.cost import Estimate
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import ACCURACIES, Accuracy, CallShape, Plan, Task

__all__ = ["applicable", "ranked", "required"]


def applicable(
    plans: Sequence[Plan], form: TapForm, weight: Array | None = None, accuracy: Accuracy = "default"
) -> tuple[Plan, ...]:
    """Those of some plans that apply to a tap form and, where one is given, a bound weight, in an accuracy class."""
    allowed = ACCURACIES[: ACCURACIES.index(accuracy) + 1]
    return tuple(plan for plan in plans if plan.accuracy in allowed and plan.refusal(form, weight) is None)


def required(plans: Sequence[Plan], form: TapForm, weight: Array | None, accuracy: Accuracy, name: str) -> Plan:
    """The plan that a user asks for.

    Raises:
        ArgumentError: for a plan that does not exist, does not apply, or is of another accuracy class.
    """
    instance("plan", name, str, "must be the name of a plan")
    known = applicable(plans, form, weight, accuracy)
    for plan in known:
        if plan.name == name:
            return plan
    names = ", ".join(repr(plan.name) for plan in known)
    why = ""
    for plan in plans:
        if plan.name == name:
            refusal = plan.refusal(form, weight)
            if refusal is not None:
                why = f"{name!r} {refusal}"
            else:
                why = f"{name!r} is of the accuracy class {plan.accuracy!r}: pass accuracy={plan.accuracy!r}"
    raise ArgumentError("plan", name, f"must be one of the plans that apply here ({names})", why)


def ranked(form: TapForm, call: CallShape, task: Task, plans: Sequence[Plan]) -> list[tuple[Estimate, Plan]]:
    """The plans that do a task at the sizes of a call, the one with the lowest estimate first."""
    integers = call.dtype.kind in "iu"
    found = []
    for plan in plans:
        cost = plan.cost(form, call, task) if plan.integers or not integers else None
        if cost is not None:
            found.append((cost, plan))
    return sorted(found, key=lambda pair: pair[0].seconds)
