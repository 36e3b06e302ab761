"""What `derive` may be asked: what is left out has its default, and what has no answer is refused with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from symconv.derivations.derive import derive
from symconv.derivations.step import Derivation, plain
from symconv.errors import ArgumentError, SymconvError
from symconv.operators.adaptive import AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose

LINE = Conv((3,))


def titles(page: Derivation) -> list[str]:
    return [plain(stage.title) for stage in page.stages]


ALL_ONES = r"^all_ones belongs to the gradient by the input of a Conv with one channel and padding_mode='zeros'"


def test_what_is_left_out_has_its_default() -> None:
    output = derive(LINE)
    assert output.title == "The output of a correlation"
    assert output == derive(LINE, "output", "input", index_base=1, input_size=None, all_ones=False)
    gradient = derive(LINE, "gradient")
    assert gradient.title.endswith("with respect to its input")
    assert titles(gradient)[-1] == "Read the sum as a correlation"
    assert "c[p] = ∑(m = 1 … 3) a[p+m−1]·b[m]" in plain(gradient.definitions[0].entry)
    assert "c[p] = ∑(m = 0 … 2) a[p+m]·b[m]" in plain(derive(LINE, index_base=0).definitions[0].entry)


@pytest.mark.parametrize(
    ("op", "what", "wrt", "message"),
    [
        (LINE, "hessian", "input", r"^what.*must be one of 'output', 'derivative', 'gradient'"),
        (LINE, "gradient", "bias", r"^wrt.*must be a variable of Conv: input, weight"),
        (MaxPool(2), "gradient", "weight", r"^wrt.*must be a variable of MaxPool: input"),
        (LINE, "output", "weight", r"^wrt belongs to a derivative or a gradient, got 'weight'"),
        (Conv((3,), bias=True), "output", "bias", r"^wrt belongs to a derivative or a gradient, got 'bias'"),
        ("Conv", "output", "input", r"^op must be an operator, such as Conv\(3\)"),
    ],
    ids=str,
)
def test_a_question_without_an_answer_is_refused(op: Any, what: Any, wrt: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        derive(op, what, wrt)


@pytest.mark.parametrize("wrt", ["weight", "bias"])
@pytest.mark.parametrize("what", ["derivative", "gradient"])
def test_derivatives_are_asked_by_any_variable(what: Any, wrt: Any) -> None:
    assert derive(Conv((2,), bias=True), what, wrt).title.endswith(wrt)


@pytest.mark.parametrize(
    ("op", "what", "wrt"),
    [
        (LINE, "output", "input"),
        (LINE, "derivative", "input"),
        (LINE, "gradient", "weight"),
        (MaxPool((2,)), "gradient", "input"),
        (ConvTranspose((2,)), "gradient", "input"),
        (Conv((3,), in_channels=2), "gradient", "input"),
        (Conv((3,), out_channels=2), "gradient", "input"),
        (Conv((3,), 1, 1, padding_mode="circular"), "gradient", "input"),
    ],
    ids=str,
)
def test_all_ones_are_put_in_where_there_is_a_case_of_them(op: Operator, what: Any, wrt: Any) -> None:
    with pytest.raises(ArgumentError, match=ALL_ONES):
        derive(op, what, wrt, all_ones=True)
    assert "The all-ones gradient" not in titles(derive(op, what, wrt))
    assert titles(derive(LINE, "gradient", all_ones=True))[-1] == "The all-ones gradient"


def test_an_index_base_is_0_or_1_and_a_flag_is_a_flag() -> None:
    for base in (2, -1, "1"):
        with pytest.raises(SymconvError, match=r"^index_base"):
            derive(LINE, index_base=base)  # type: ignore[arg-type]
    with pytest.raises(SymconvError, match=r"^all_ones"):
        derive(LINE, "gradient", all_ones=1)  # type: ignore[arg-type]


def test_an_input_size_is_one_number_an_axis_and_windows_fit_in_it() -> None:
    assert derive(LINE, input_size=5) == derive(LINE, input_size=(5,)) == derive(LINE, input_size=[5])
    assert derive(LINE, input_size=5) != derive(LINE)
    for size, name in ((2, "kernel_size"), ((5, 5), "input_size"), ("5", "input_size"), (5.0, "input_size")):
        with pytest.raises(SymconvError, match=rf"^{name}"):
            derive(LINE, input_size=size)  # type: ignore[arg-type]


@pytest.mark.parametrize("pool", [MaxPool((2,), ties="set"), AdaptiveMaxPool((2,), "set")], ids=str)
def test_under_the_tie_rule_set_derivatives_are_sets(pool: Operator) -> None:
    output, derivative = derive(pool), derive(pool, "derivative")
    assert {step.rule for step in output.steps} <= {"place", "count", "overlap"}
    assert "convex_hull" in {step.rule for step in derivative.steps}
    assert "set_sum" in {step.rule for step in derive(pool, "gradient").steps}
    assert "set_sum" not in {step.rule for step in derivative.steps}


@pytest.mark.parametrize(
    ("op", "names"),
    [
        (MaxPool((2,)), ["max pooling", "upstream gradient", "first of ties"]),
        (MaxPool((2,), ties="split"), ["max pooling", "upstream gradient", "ties split"]),
        (MaxPool((2,), ties="error"), ["max pooling", "upstream gradient", "the winner"]),
        (AdaptiveMaxPool((2,)), ["adaptive max pooling", "upstream gradient", "first of ties"]),
        (LPPool(float("inf"), (2,)), ["LP pooling", "upstream gradient", "first of ties"]),
        (LPPool(2, (2,)), ["LP pooling", "upstream gradient"]),
        (AvgPool((2,)), ["average pooling", "upstream gradient"]),
    ],
    ids=str,
)
def test_shares_are_defined_where_a_line_has_them(op: Operator, names: list[str]) -> None:
    assert [d.name for d in derive(op, "gradient").definitions] == names
    assert [d.name for d in derive(op, "derivative").definitions] == [names[0], *names[2:]]


def test_what_a_line_needs_is_said_after_what_it_needs_already() -> None:
    page = derive(LPPool(2, (2,)), "gradient")
    own = "c[p] ≠ 0 (at a window of zeros the derivative counts as 0)"
    chain = f"E differentiable in the outputs, and {own}"
    assert [plain(step.needs) for step in page.steps] == [chain if s.rule == "chain_rule" else own for s in page.steps]
    for refusing in (MaxPool((2,), ties="error"), AdaptiveMaxPool((2,), "error")):
        needs = {plain(step.needs) for step in derive(refusing, "derivative").steps}
        assert needs == {"no window has two largest entries"}
        assert all(own in plain(s.needs) for s in derive(refusing, "gradient").steps for own in needs)
    single = derive(MaxPool((1, 1), ties="error"), "derivative").steps  # one entry ties with none
    assert {plain(step.needs) for step in single} == {""}
    assert all(step.verdict.status == "proved" and not step.verdict.conditions for step in single)
    bare = derive(MaxPool((2,)), "gradient").steps
    assert {plain(step.needs) for step in bare} == {"", "E differentiable in the outputs"}
