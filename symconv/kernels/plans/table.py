"""The table of plans, which of them apply to an operator, and which one a call takes."""

from __future__ import annotations

from collections.abc import Sequence

from symconv.doors import instance
from symconv.errors import ArgumentError
from symconv.kernels.form.tapform import TapForm
from symconv.kernels.plans.folds import FoldPlan
from symconv.kernels.plans.im2col import Im2colPlan
from symconv.kernels.plans.rows import RowsPlan
from symconv.kernels.plans.separable import SeparablePlan
from symconv.kernels.plans.spectral import SpectralPlan
from symconv.kernels.plans.taps import TapsPlan
from symconv.kernels.plans.winograd import AccurateWinogradPlan, WinogradPlan
from symconv.kernels.runtime.cost import Estimate
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import ACCURACIES, Accuracy, CallShape, Plan, Task

__all__ = ["CONVOLUTION_PLANS", "POOLING_PLANS", "applicable", "plans_for", "ranked", "required"]

CONVOLUTION_PLANS: tuple[Plan, ...] = (
    Im2colPlan(),
    WinogradPlan(),
    AccurateWinogradPlan(),
    RowsPlan(),
    SeparablePlan(),
    SpectralPlan(),
    TapsPlan(),
)

POOLING_PLANS: tuple[Plan, ...] = (FoldPlan("separable"), FoldPlan("taps"))


def _table(form: TapForm) -> tuple[Plan, ...]:
    """The plans of the kind of a tap form: that its formula is what they compute is known of all of them."""
    if form.kind == "correlation":
        return CONVOLUTION_PLANS
    # where one axis slides the two are the same, and the one with the simpler name goes first
    return POOLING_PLANS if sum(walk.taps > 1 for walk in form.walks) > 1 else POOLING_PLANS[::-1]


def plans_for(form: TapForm, weight: Array | None = None, accuracy: Accuracy = "default") -> tuple[str, ...]:
    """The names of the plans that apply to a tap form and, where one is given, a bound weight."""
    return tuple(plan.name for plan in applicable(form, weight, accuracy))


def applicable(form: TapForm, weight: Array | None, accuracy: Accuracy) -> tuple[Plan, ...]:
    """The plans that apply within an accuracy class."""
    allowed = ACCURACIES[: ACCURACIES.index(accuracy) + 1]
    plans = (plan for plan in _table(form) if plan.accuracy in allowed)
    return tuple(plan for plan in plans if plan.refusal(form, weight) is None)


def required(form: TapForm, weight: Array | None, accuracy: Accuracy, name: str) -> Plan:
    """The plan that a user asks for.

    Raises:
        ArgumentError: for a plan that does not exist, does not apply, or is of another accuracy class.
    """
    instance("plan", name, str, "must be the name of a plan")
    known = applicable(form, weight, accuracy)
    for plan in known:
        if plan.name == name:
            return plan
    names = ", ".join(repr(plan.name) for plan in known)
    why = ""
    for plan in _table(form):
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
