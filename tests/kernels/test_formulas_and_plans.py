"""Plans read the formula: one that states something else than what a plan computes never gets that plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy
from kernels.layers import CONVOLUTION_PLANS, POOLING_PLANS, plans_for

from symconv import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool,
    Conv,
    ConvTranspose,
    Fold,
    LPPool,
    MaxPool,
    MaxUnpool,
    Unfold,
    compile,
)
from symconv.errors import ArgumentError, GeometryError, NotSupportedError
from symconv.formulas.algebra import Absolute, Access, Bound, Multiply, Node, Power, Reduce, Scalar, add, const, product
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.walks import accesses, transform, walk
from symconv.kernels.backends.numpy import BACKEND
from symconv.kernels.form.extraction import tap_form
from symconv.kernels.plans import rows
from symconv.kernels.runtime.selection import applicable

M, P = Index.of("m"), Index.of("p")


def stated(op: Any, change: Callable[[Node], Node]) -> Any:
    """A user's operator: the options of `op`, and a formula of its own."""
    base = type(op)

    def body(self: Any, geometry: Any) -> Node:
        return change(base.body(self, geometry))

    mine = object.__new__(type(f"My{base.__name__}", (base,), {"body": body}))
    mine.__dict__.update(op.__dict__)
    return mine


def window_of(body: Node) -> Reduce:
    return next(n for n in walk(body) if isinstance(n, Reduce) and accesses(n, "a"))


def in_window(change: Callable[[Reduce], Node]) -> Callable[[Node], Node]:
    def whole(body: Node) -> Node:
        window = window_of(body)
        return transform(body, lambda n: change(window) if n == window else None)

    return whole


def times(factor: Node) -> Callable[[Node], Node]:
    return in_window(lambda w: replace(w, body=product(w.body, factor)))


def entry_and_weight(window: Reduce) -> tuple[Node, Node]:
    assert isinstance(window.body, Multiply)
    entry, weight = window.body.args
    return entry, weight


def refused_or_as_stated(op: Any, *arrays: Any) -> bool:
    """Whether no kernel is made of a formula; where one is, its values are those that the formula has."""
    try:
        found = compile(op)(*arrays)
    except NotSupportedError as error:
        return str(error).startswith("no kernel can be made of ")
    x, *rest = arrays
    given = {"a": x, **({"b": rest[0]} if rest else {})}
    for place, value in np.ndenumerate(found):
        entry = op.output().at(*place, input_size=x.shape)
        at = {e: given[str(e.base)][tuple(map(int, e.indices))] for e in entry.atoms(sympy.Indexed)}
        assert abs(entry.subs(at) - value) < 1e-12
    assert compile(op).plan == "stated"
    return False


COMPUTED_AS_STATED = {
    "a sum of sums",
    "a weight squared",
    "an input squared",
    "a weight to the power of 3",
    "twice a correlation",
    "twice the sum",
    "no weight",
    "a sum with a number in it",
}
"""Sums over the taps of a polynomial, which have a kernel, though no plan."""

CORRELATIONS_NOT = {
    "a dilation": in_window(lambda w: replace(w, op="max", body=add(*entry_and_weight(w)))),
    "a maximum of products": in_window(lambda w: replace(w, op="max")),
    "a sum of sums": in_window(lambda w: replace(w, body=add(*entry_and_weight(w)))),
    "a weight squared": times(Access("b", (M,))),
    "an input squared": in_window(lambda w: replace(w, body=product(w.body, entry_and_weight(w)[0]))),
    "a product of sizes": in_window(lambda w: replace(w, body=Absolute(w.body))),
    "a weight to the power of 3": in_window(
        lambda w: replace(w, body=product(entry_and_weight(w)[0], Power(entry_and_weight(w)[1], const(3))))
    ),
    "twice a correlation": times(const(2)),
    "twice the sum": lambda body: product(const(2), body),
    "the number of the tap as a factor": times(Scalar(M)),
    "the place of the output as a factor": lambda body: product(Scalar(P), body),
    "one tap too few": in_window(lambda w: replace(w, bounds=(replace(w.bounds[0], upper=Index.of(1)),))),
    "one tap too many": in_window(lambda w: replace(w, bounds=(replace(w.bounds[0], upper=Index.of(3)),))),
    "taps from the second on": in_window(lambda w: replace(w, bounds=(replace(w.bounds[0], lower=Index.of(1)),))),
    "the next tap's weight": in_window(
        lambda w: replace(w, body=product(entry_and_weight(w)[0], Access("b", (M + 1,))))
    ),
    "the weights backwards": in_window(
        lambda w: replace(w, body=product(entry_and_weight(w)[0], Access("b", (2 - M,))))
    ),
    "the first weight for all taps": in_window(
        lambda w: replace(w, body=product(entry_and_weight(w)[0], Access("b", (Index.of(0),))))
    ),
    "no weight": in_window(lambda w: replace(w, body=entry_and_weight(w)[0])),
    "a constant added": lambda body: add(body, const(1)),
    "a weight added": lambda body: add(body, Access("b", (Index.of(0),))),
    "the input beside the window": lambda body: add(body, Access("a", (P,))),
    "a root": lambda body: Power(body, const(2)),
    "an index that nothing reads": in_window(
        lambda w: replace(w, bounds=(*w.bounds, Bound("z", Index.of(0), Index.of(2))))
    ),
}


@pytest.mark.parametrize("words", CORRELATIONS_NOT)
def test_what_is_no_correlation_runs_as_none(words: str) -> None:
    op = stated(Conv((3,), padding=1), CORRELATIONS_NOT[words])
    x, weight = np.array([1.0, -2.0, 5.0, 0.5]), np.array([2.0, 0.0, -1.0])
    assert refused_or_as_stated(op, x, weight) == (words not in COMPUTED_AS_STATED)
    for plan in CONVOLUTION_PLANS:
        with pytest.raises((NotSupportedError, ArgumentError)):
            compile(op, plan=plan.name, accuracy="fast")
        with pytest.raises((NotSupportedError, ArgumentError)):
            compile(op, plan=plan.name, accuracy="fast", weight=weight)
        with pytest.raises(NotSupportedError):
            plan.derivation(op)


BIASES_NOT = {
    "twice the bias": lambda body: add(body, Access("d", (Index.of("f"),))),
    "the bias of the first channel": lambda body: transform(
        body, lambda n: Access("d", (Index.of(0),)) if isinstance(n, Access) and n.tensor == "d" else None
    ),
    "the weight of another channel": in_window(
        lambda w: transform(
            w,
            lambda n: (
                Access("b", (1 - n.index[0], *n.index[1:])) if isinstance(n, Access) and n.tensor == "b" else None
            ),
        )
    ),
    "channels and taps exchanged": in_window(
        lambda w: transform(
            w,
            lambda n: (
                Access("b", (n.index[0], n.index[2], n.index[1])) if isinstance(n, Access) and n.tensor == "b" else None
            ),
        )
    ),
}


@pytest.mark.parametrize("words", BIASES_NOT)
def test_channels_are_read_too(words: str) -> None:
    op = Conv((2,), in_channels=2, out_channels=2, bias=True)
    assert tap_form(op).kind == "correlation"
    with pytest.raises(NotSupportedError, match="no kernel can be made of "):
        compile(stated(op, BIASES_NOT[words]))


POOLINGS_NOT: dict[str, tuple[Any, Callable[[Node], Node]]] = {
    "a maximum in which the padding counts": (MaxPool((3,), 1, 1), in_window(lambda w: replace(w, guards=()))),
    "a maximum with one end of the padding": (
        MaxPool((3,), 1, 1),
        in_window(lambda w: replace(w, guards=w.guards[:1])),
    ),
    "a largest size that leaves out the padding": (
        MaxPool((3,), 1, 1),
        in_window(lambda w: replace(w, body=Absolute(w.body))),
    ),
    "twice a maximum": (MaxPool((3,), 1, 1), lambda body: product(const(-2), body)),
    "a maximum of squares": (MaxPool((3,), 1, 1), in_window(lambda w: replace(w, body=Power(w.body, const(2))))),
    "a weighted sum": (AvgPool((3,), 1), times(Scalar(M))),
    "a sum with a number in it": (AvgPool((3,), 1), in_window(lambda w: replace(w, body=add(w.body, const(1))))),
    "an average and something": (AvgPool((3,), 1), lambda body: add(body, const(1))),
    "two averages": (AvgPool((3,), 1), lambda body: add(body, body)),
    "a sum of roots of nothing": (
        LPPool(2, (3,), 1),
        in_window(lambda w: replace(w, body=Power(Absolute(Access("a", (P + M,))), const(-1)))),
    ),
}


@pytest.mark.parametrize("words", POOLINGS_NOT)
def test_what_is_no_pooling_runs_as_none(words: str) -> None:
    op, change = POOLINGS_NOT[words]
    assert tap_form(op).kind == "pooling"
    mine = stated(op, change)
    assert refused_or_as_stated(mine, np.arange(5.0)) == (words not in COMPUTED_AS_STATED)
    for plan in POOLING_PLANS:
        with pytest.raises(NotSupportedError):
            plan.derivation(mine)


def test_a_formula_that_stays_the_same_keeps_its_plans() -> None:
    """What counts is the formula, not the class that states it; factors may stand in any order."""
    x, weight = np.array([1.0, -2.0, 5.0, 0.5]), np.array([2.0, 0.0, -1.0])
    swapped = in_window(lambda w: replace(w, body=Multiply(entry_and_weight(w)[::-1])))
    for change in (lambda body: body, swapped):
        op = stated(Conv((3,), padding=1), change)
        assert plans_for(tap_form(op)) == plans_for(tap_form(Conv((3,), padding=1)))
        assert compile(op)(x, weight).tolist() == [2.0, -3.0, -4.5, 10.0]
    two_taps = in_window(lambda w: replace(w, bounds=(replace(w.bounds[0], upper=Index.of(1)),)))
    norm = stated(LPPool(1, (3,), 1), two_taps)  # at the places of three
    assert compile(norm)(x).tolist() == [3.0, 7.0]
    total = stated(MaxPool((3,), 1, 1), in_window(lambda w: replace(w, op="sum")))
    kernel = compile(total)
    assert kernel(x).tolist() == [-1.0, 4.0, 3.5, 5.5]
    with pytest.raises(ArgumentError, match=r"^return_indices must be False for an operator other than MaxPool"):
        kernel(x, return_indices=True)
    with pytest.raises(ArgumentError, match=r"^output must be what the call returned"):
        kernel.vjp(np.ones(4), x, output=(kernel(x), np.zeros(4, int)))


def test_a_plan_of_another_kind_says_which_formula_it_needs() -> None:
    for plan in CONVOLUTION_PLANS:
        with pytest.raises(
            NotSupportedError, match=f"the plan '{plan.name}' does not compute MaxPool.* a convolution: "
        ):
            plan.derivation(MaxPool(2))
    for plan in POOLING_PLANS:
        with pytest.raises(NotSupportedError, match=r"does not compute Conv.* it needs a pooling: "):
            plan.derivation(Conv(2))


RELATIVES = (
    ConvTranspose((2,), 2),
    AdaptiveAvgPool((2,)),
    AdaptiveMaxPool((2,)),
    Unfold((2,)),
    Fold((5,), (2,)),
    MaxUnpool((2,), 2),
)


@pytest.mark.parametrize("op", RELATIVES, ids=repr)
def test_a_relative_with_a_formula_of_its_own_is_refused(op: Any) -> None:
    compile(stated(op, lambda body: body))
    with pytest.raises(NotSupportedError, match="its formula is not that of ConvTranspose, "):
        compile(stated(op, lambda body: product(const(2), body)))


def _wrong(formula: Formula) -> Formula:
    return formula.with_body(product(const(2), formula.body))


def test_a_step_that_is_not_proved_refuses_its_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = compile(Conv((3, 2), padding=1))
    x, weight = np.arange(30.0).reshape(5, 6), np.ones((3, 2))
    expected = kernel(x, weight)
    taken = kernel.plan_for((5, 6), "float64")
    honest = rows.rows_derivation

    def slipped(op: Any) -> Any:
        derivation = honest(op)
        (stage,) = derivation.stages
        first, *rest = stage.steps
        return replace(derivation, stages=(replace(stage, steps=(replace(first, after=_wrong(first.after)), *rest)),))

    monkeypatch.setattr(rows, "rows_derivation", slipped)
    assert taken == "rows"
    with pytest.raises(NotSupportedError, match=r"the plan 'rows' is refused: step 1 of its derivation, .*refuted"):
        kernel.derivation("rows")
    assert kernel.plan_for((5, 6), "float64") != "rows"
    np.testing.assert_allclose(kernel(x, weight), expected)
    with pytest.raises(ArgumentError, match="must be one whose derivation is proved here"):
        kernel.derivation("rows")


def random_layer(generator: np.random.Generator) -> Any:
    """A convolution or a pooling with random options; None where they do not go together."""
    axes = int(generator.integers(1, 4))

    def draw(low: int, high: int) -> tuple[int, ...]:
        return tuple(int(n) for n in generator.integers(low, high + 1, axes))

    kernel, shared = draw(1, 4), {"stride": draw(1, 3), "dilation": draw(1, 3)}
    padding = tuple(zip(draw(-1, 3), draw(-1, 3), strict=True))
    kind, ceil_mode = int(generator.integers(6)), bool(generator.integers(2))
    try:
        if kind == 3:
            return MaxPool(kernel, padding=padding, ceil_mode=ceil_mode, **shared)
        if kind == 4:
            count = bool(generator.integers(2))
            return AvgPool(kernel, padding=padding, ceil_mode=ceil_mode, count_include_pad=count, **shared)
        if kind == 5:
            order = [1, 2, 3, 1.5, float("inf")][int(generator.integers(5))]
            return LPPool(order, kernel, padding=padding, ceil_mode=ceil_mode, **shared)
        groups = int(generator.integers(1, 4))
        inputs, outputs = (groups * int(n) for n in generator.integers(1, 3, 2))
        return Conv(
            kernel,
            padding=padding,
            groups=groups,
            in_channels=inputs,
            out_channels=outputs,
            bias=bool(generator.integers(2)),
            flip=bool(generator.integers(2)),
            padding_mode=str(generator.choice(["zeros", "circular", "replicate", "reflect"])),
            **shared,
        )
    except GeometryError:
        return None


def steps_not_proved(op: Any) -> list[str]:
    form = tap_form(op)
    channels = form.channels
    weight = None
    if channels is not None:
        shape = (channels.groups, channels.per_group_out, channels.per_group_in)
        weight = np.ones((*shape, *(walk.taps for walk in form.walks)))
    return [
        f"{op!r}, {plan.name}: {step.statement} is {step.verdict.status}"
        for plan in applicable(BACKEND.plans(form), form, weight, "fast")
        for step in plan.derivation(op).steps
        if step.verdict.status not in ("proved", "exact")
    ]


@pytest.mark.parametrize("seed", range(6))
def test_every_step_of_every_plan_is_proved(seed: int) -> None:
    generator = np.random.default_rng(seed)
    op = next(op for op in iter(lambda: random_layer(generator), 0) if op is not None)
    assert not steps_not_proved(op)


@pytest.mark.slow
def test_every_step_of_every_plan_is_proved_for_many_options() -> None:
    generator = np.random.default_rng(11)
    layers = [op for op in (random_layer(generator) for _ in range(200)) if op is not None]
    assert not [line for op in layers for line in steps_not_proved(op)]


@pytest.mark.parametrize(
    "options", [{"padding": 1}, {"stride": 2}, {"stride": 2, "dilation": 3, "padding": 3}], ids=str
)
def test_windows_that_go_round_are_written_out(options: dict[str, int]) -> None:
    """A quotient by the size of the input: what a number hides of it is known to have a value."""
    assert not steps_not_proved(Conv((3,), padding_mode="circular", **options))
