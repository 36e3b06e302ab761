"""What a derivation states of array programs is read off the programs; a change in one of them refuses its plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from symconv.derivations.rules import RULES
from symconv.derivations.step import plain
from symconv.errors import ArgumentError, NotSupportedError
from symconv.kernels.compile import compile
from symconv.kernels.form.extraction import tap_form
from symconv.kernels.plans import chained
from symconv.kernels.plans.chained import chain_derivation
from symconv.kernels.programs.derivative import forward
from symconv.kernels.programs.program import Apply, ArrayStep, Copy, FixedEntry, Program, TapView
from symconv.kernels.programs.stage import ChainStage, chain_of
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool

INF = float("inf")
POOLINGS = [
    MaxPool((5,), 1),
    MaxPool((3,)),
    MaxPool((1,), 2),
    MaxPool((1, 3), (2, 1), (0, 1)),
    MaxPool((9,), 2, 4, dilation=2),
    MaxPool((3, 3), 2, 1),
    MaxPool((2, 3), 1, ((1, 0), (0, 2))),
    MaxPool((3, 2, 2), 2, 1),
    MaxPool((3, 3), padding=1, dilation=2, ceil_mode=True),
    MaxPool((3, 9), 1, 1),
    LPPool(INF, (3, 2), padding=1),
    LPPool(INF, (6,), 1),
    LPPool(2, (3, 2)),
    LPPool(3, (4,), 1),
    LPPool(1, (9,), 1),
    LPPool(5, (2, 2), 1),
    LPPool(4, (2,), 1),
    LPPool(6, (2,), 1),
    LPPool(Fraction(5, 2), (2,), 1),
    LPPool(40, (2,), 1),
    AvgPool((3, 3), padding=1),
    AvgPool((3, 9), 1, 1, count_include_pad=False),
    AvgPool((7,), 1, 2),
    AvgPool((5,), 2, 2, ceil_mode=True),
    AvgPool((2, 2), divisor_override=-3),
]
CONVOLUTIONS = [
    Conv((4,), 2, 1),
    Conv((3, 2), 1, ((1, 0), (0, 2)), dilation=(2, 1), flip=True),
    Conv((2, 1, 2)),
    Conv((3,), 2, 1, groups=2, in_channels=4, out_channels=6, bias=True),
    Conv((2, 2), in_channels=3, out_channels=1),
    Conv((3,), 1, 1, bias=True, padding_mode="circular"),
    Conv((3,), 1, 2, bias=True, padding_mode="reflect", flip=True),
    Conv((2, 2), padding=1, padding_mode="replicate"),
    Conv((13, 11), flip=True),
]
PLANS = [(op, plan) for op in POOLINGS for plan in ("taps", "separable")] + [(op, "taps") for op in CONVOLUTIONS]


@pytest.mark.parametrize(("op", "plan"), PLANS, ids=repr)
def test_what_the_programs_compute_is_the_layer(op: Operator, plan: str) -> None:
    derivation = compile(op).derivation(plan)
    assert {step.verdict.status for step in derivation.steps} == {"proved"}
    assert derivation.steps[-1].before == op.output()
    assert r"\begin{aligned}" in derivation.latex()
    assert derivation.title in derivation.text()


def _lines(op: Operator, plan: str = "taps") -> list[str]:
    return [step.statement for step in chain_derivation(op, plan).steps]


def test_the_steps_that_run_are_printed() -> None:
    """Written out by hand from ``kernel.source``."""
    assert _lines(MaxPool((2, 3), 1)) == ["c[p, q] = max(0 ≤ k ≤ 5) a[p+⌊k/3⌋, q+k−3⌊k/3⌋]"]
    assert _lines(MaxPool((2, 3), 1), "separable") == [
        "R[p, q] = max(0 ≤ k ≤ 1) a[p+k, q]",
        "c[p, q] = max(0 ≤ k ≤ 2) R[p, q+k]",
    ]
    assert _lines(MaxPool((7,), 2, 3)) == [
        "L₂[p] = max(0 ≤ k ≤ 1) x[p+k]",
        "L₄[p] = max(0 ≤ k ≤ 1) L₂[p+2k]",
        "c[p] = max(0 ≤ k ≤ 1) L₄[2p+3k]",
    ]
    assert _lines(AvgPool((7,), 1)) == [
        "L₂[p] = a[p] + a[p+1]",
        "L₄[p] = L₂[p] + L₂[p+2]",
        "c[p] = (a[p] + L₂[p+1] + L₄[p+3])/7",
    ]
    assert _lines(LPPool(2, (2, 2), 1), "separable") == [
        "R[p, q] = a[p, q]^2",
        "R′[p, q] = R[p, q] + R[p+1, q]",
        "c[p, q] = (R′[p, q] + R′[p, q+1])^(1/2)",
    ]
    assert _lines(Conv((3,), 2, 1, bias=True, in_channels=2, flip=True)) == [
        "c[p] = ∑(h = 0 … 1) (a[h, 2p+1]·b[h, 0] + a[h, 2p]·b[h, 1] + a[h, 2p−1]·b[h, 2]) + d"
    ]


def test_a_sum_of_more_than_sixteen_terms_has_a_sum_sign() -> None:
    terms = " + ".join(["a[p]·b[0]", *(f"a[p+{m}]·b[{m}]" for m in range(1, 16))])
    assert _lines(Conv((16,))) == [f"c[p] = {terms}"]
    assert _lines(Conv((17,))) == ["c[p] = ∑(k = 0 … 16) a[p+k]·b[k]"]
    assert _lines(Conv((17,), bias=True)) == ["c[p] = ∑(k = 0 … 16) a[p+k]·b[k] + d"]
    assert _lines(Conv((3, 6))) == ["c[p, q] = ∑(k = 0 … 17) a[p+⌊k/6⌋, q+k−6⌊k/6⌋]·b[⌊k/6⌋, k−6⌊k/6⌋]"]
    assert _lines(LPPool(2, (17,), 1)) == ["c[p] = (∑(k = 0 … 16) a[p+k]^2)^(1/2)"]


def test_a_thousand_taps_are_proved_at_once() -> None:
    (step,) = compile(Conv((1000,), bias=True)).derivation("taps").steps
    assert step.statement == "c[p] = ∑(k = 0 … 999) a[p+k]·b[k] + d"
    assert step.verdict.status == "proved"


def test_the_steps_are_told_in_order() -> None:
    for op, plan, title in (
        (MaxPool((7, 3), 2, 3), "separable", "Max pooling, one axis after the other"),
        (AvgPool((7,), 1), "taps", "Average pooling, tap by tap"),
        (Conv((3,)), "taps", "A correlation, tap by tap"),
    ):
        derivation = chain_derivation(op, plan)
        steps = derivation.steps
        assert derivation.title == title
        assert [step.id for step in steps] == [str(number) for number in range(1, len(steps) + 1)]
        assert steps[-1].uses == tuple(step.id for step in steps[:-1])
        assert all(step.opens and step.rule in RULES and step.title not in RULES for step in steps)
        assert plain(derivation.lead).startswith("A window has a fixed number of taps")
        assert plain(derivation.hypotheses) == "An array is zero outside its range."
        assert [plain(stage.title) for stage in derivation.stages][-1] == "The output"
        told = "each is a shifted view of the input" if len(steps) == 1 else "what the window is made of"
        assert told in plain(steps[-1].reason)
        assert all(plain(stage.domain).startswith("for ") for stage in derivation.stages)
    doubled = chain_derivation(LPPool(2, (9, 2), 1), "separable").steps
    assert [step.title for step in doubled] == ["Prepare", "Double", "Double", "Double", "Reduce", "Put together"]
    assert {tensor.name: tensor.role for step in doubled[:-1] for tensor in step.before.tensors} == {
        "a": "input",
        "R": "input",
    }


def test_an_array_on_the_way_is_as_long_as_what_it_reads() -> None:
    """A place p of N reads up to ``2*(N - 1) + 6`` along 7 taps at stride 2, and its own place along the other axis."""
    for step in chain_derivation(MaxPool((7, 3), (2, 1), 3), "separable").steps[:-1]:
        (tensor,) = step.before.tensors
        assert [(b.name, repr(b.lower), repr(b.upper)) for b in step.before.free] == [
            ("p", "0", "N_1 - 1"),
            ("q", "0", "N_2 - 1"),
        ]
        assert repr(tensor.box) == "((0, 2*N_1 + 4), (0, N_2 - 1))"
        assert step.before.lower == (("N_1", 1), ("N_2", 1))


def test_the_padded_input_has_a_definition() -> None:
    text = chain_derivation(MaxPool((7,), 2, 3), "taps").text()
    assert "D1  x[p] = a[p−3]   (the input with its padding; nothing where that does not exist)" in text
    text = chain_derivation(AvgPool((7,), 1, 3), "taps").text()
    assert "D1  x[p] = a[p−3]   (the input with its padding)" in text
    assert "D1" not in chain_derivation(MaxPool((7,), 1), "taps").text()
    for op in (MaxPool((3,), 1, 1), Conv((3,), 1, 1)):  # where it is read at once, the formula says its padding itself
        assert "D1" not in chain_derivation(op, "taps").text()


def _pooling(rng: np.random.Generator) -> Operator:
    ndim = int(rng.integers(1, 4))
    kernel = tuple(int(k) for k in rng.integers(1, 7 if ndim < 3 else 4, ndim))
    options: dict[str, Any] = {
        "stride": tuple(int(s) for s in rng.integers(1, 4, ndim)),
        "padding": tuple(int(rng.integers(0, k // 2 + 1)) for k in kernel),
        "dilation": tuple(int(d) for d in rng.integers(1, 3, ndim)),
        "ceil_mode": bool(rng.integers(2)),
    }
    kind = rng.integers(3)
    if kind == 0:
        return MaxPool(kernel, **options)
    if kind == 1:
        return AvgPool(kernel, count_include_pad=bool(rng.integers(2)), **options)
    return LPPool([1, 2, 3, INF][rng.integers(4)], kernel, **options)


@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(s, marks=pytest.mark.slow) for s in range(3, 60))])
def test_random_poolings_state_what_runs(seed: int) -> None:
    op = _pooling(np.random.default_rng(seed))
    for plan in ("taps", "separable"):
        assert {step.verdict.status for step in compile(op).derivation(plan).steps} == {"proved"}, (op, plan)


# ---------------------------------------------------------------------- changes of programs


def _changed(step: ArrayStep) -> Iterator[ArrayStep]:
    """A step with another function, another operand, or a view moved by one."""
    if isinstance(step, Apply):
        others = {"add": "maximum", "maximum": "add", "multiply": "add", "divide": "multiply", "absolute": "positive",
                  "square": "positive", "sqrt": "cbrt", "cbrt": "sqrt", "positive": "square"}  # fmt: skip
        yield replace(step, function=others[step.function])
        if len(step.args) == 2 and step.args[0] != step.args[1]:
            yield replace(step, args=(step.args[0], step.args[0]))
            yield replace(step, args=(step.args[1], step.args[1]))
        yield replace(step, where="w0")
    elif isinstance(step, TapView):
        for axis, part in enumerate(step.parts):
            if part.extent is None:
                continue
            for other in (
                replace(part, start=part.start + 1),
                replace(part, start=part.start - 1),
                replace(part, step=part.step + 1),
            ):
                yield replace(step, parts=(*step.parts[:axis], other, *step.parts[axis + 1 :]))
    elif isinstance(step, FixedEntry):
        yield replace(step, entries=(*step.entries[:-1], step.entries[-1] + 1))
    else:
        assert isinstance(step, Copy)
        yield Copy(step.target, 1)


def _programs(op: Operator, plan: str) -> Iterator[tuple[int, int, ArrayStep | None]]:
    """The stage and the number of a step, and the step in its place; None where it is left out."""
    for number, stage in enumerate(chain_of(tap_form(op), plan).forward):
        program = forward(stage)
        for at, step in enumerate(program.steps):
            if not isinstance(step, TapView | FixedEntry):
                yield number, at, None
            for changed in _changed(step):
                yield number, at, changed


def _slipped(number: int, at: int, changed: ArrayStep | None) -> Callable[[ChainStage], Program]:
    """What makes the programs of a chain, one of them with a step changed."""
    stages: list[ChainStage] = []

    def program_of(stage: ChainStage) -> Program:
        stages.append(stage)
        program = forward(stage)
        if len(stages) - 1 != number:
            return program
        steps = (*program.steps[:at], *(() if changed is None else (changed,)), *program.steps[at + 1 :])
        return replace(program, steps=steps)

    return program_of


CHANGED = [
    (MaxPool((5,), 1), "taps"),
    (MaxPool((6,), 2, 1, dilation=2), "taps"),
    (MaxPool((2, 3), 1, 1), "taps"),
    (MaxPool((2, 3), 1, 1), "separable"),
    (AvgPool((11,), 1, 2), "taps"),
    (AvgPool((2, 3), 1, 1, count_include_pad=False), "separable"),
    (LPPool(3, (3,), 1), "taps"),
    (LPPool(INF, (2, 5), 1), "separable"),
    (Conv((3,), 2, bias=True), "taps"),
    (Conv((2, 2), in_channels=2, padding=1), "taps"),
]


@pytest.mark.parametrize(("op", "plan"), CHANGED, ids=repr)
def test_a_change_in_a_program_refuses_its_plan(op: Operator, plan: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, tried = [], 0
    for number, at, changed in _programs(op, plan):
        monkeypatch.setattr(chained, "forward", _slipped(number, at, changed))
        tried += 1
        try:
            derivation = chain_derivation(op, plan)
        except (NotSupportedError, KeyError):
            continue
        if all(step.verdict.status in ("proved", "exact") for step in derivation.steps):
            kept.append((number, at, changed))
    assert tried >= 6
    assert not kept


def test_a_refused_plan_is_taken_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    def slipped(stage: Any) -> Program:
        program = forward(stage)
        return replace(
            program, steps=tuple(replace(s, function="add") if isinstance(s, Apply) else s for s in program.steps)
        )

    op = MaxPool((2, 3), 1)
    kernel = compile(op)
    kernel = type(kernel)(_again(kernel))
    monkeypatch.setattr(chained, "forward", slipped)
    with pytest.raises(NotSupportedError, match=r"^the plan 'taps' is refused: step 1 of its derivation, c\[p, q\] ="):
        kernel.derivation("taps")
    with pytest.raises(ArgumentError, match=r"must be one whose derivation is proved here"):
        kernel.derivation("taps")
    assert kernel.plan != "taps"
    assert np.asarray(kernel(np.ones((4, 4)))).shape == (3, 2)


def _again(kernel: Any) -> Any:
    """What a kernel runs, of its own: kernels of one operator share it."""
    compiled = kernel._compiled
    return type(compiled)(compiled.op, compiled.form, compiled.table, compiled.words, None, compiled.accuracy)
