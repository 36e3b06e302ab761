"""What a page says around its lines: sizes, hypotheses and conditions are those of the layer at hand."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import oracles
import pytest
from click.testing import CliRunner
from sympy import Symbol, floor

from symconv.cli.application import commands
from symconv.derivations.derive import derive
from symconv.derivations.frame import Frame
from symconv.derivations.output import conditions
from symconv.derivations.step import Derivation, plain
from symconv.errors import GeometryError, SymconvError
from symconv.operators.adaptive import AdaptiveMaxPool
from symconv.operators.convolution import Conv
from symconv.operators.morphology import Dilation, Erosion
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose


def least_input(worked: Derivation) -> int:
    """The least I of the hypotheses, which say no more of a layer whose only symbol is I."""
    text = plain(worked.hypotheses)
    match = re.match(r"For I ≥ (\d+)\.", text)
    assert match is not None, text
    return int(match[1])


@pytest.mark.parametrize(
    ("kernel", "stride", "before", "after", "dilation"),
    [*product((1, 2, 3), (1, 2, 3), (-1, 0, 1, 2), (-1, 0, 2, 3), (1,)), (2, 2, 1, 4, 3), (1, 2, -1, 1, 1)],
)
def test_under_ceil_mode_no_window_starts_in_the_padding_after_the_input(
    kernel: int, stride: int, before: int, after: int, dilation: int
) -> None:
    op = MaxPool((kernel,), stride, ((before, after),), dilation, True)
    axis = oracles.Axis(kernel, stride, before, after, dilation, True)
    sizes = {n: oracles.output_size(n, axis) for n in range(1, 12)}
    for n, count in sizes.items():
        if count:
            assert op.output_size(n) == (count,)
        else:
            with pytest.raises(GeometryError):
                op.output_size(n)
    # the hypotheses leave no size out that the layer takes, and let none in that it refuses
    first = least_input(derive(op, "output"))
    assert [n for n, count in sizes.items() if count] == list(range(first, 12))


@pytest.mark.parametrize(
    ("kernel", "stride", "before", "after", "ceil"),
    [
        (2, 2, 0, 2, True),
        (2, 1, 0, 2, True),
        (1, 1, 0, 3, True),
        (1, 2, -1, 1, True),
        (3, 2, 0, 0, True),
        (2, 3, 1, 0, True),
        (1, 1, 0, 0, False),
        (2, 1, 1, 0, False),
        (3, 2, 0, 2, False),
    ],
)
def test_the_number_of_windows_is_proved_for_the_page_s_own_layer(
    kernel: int, stride: int, before: int, after: int, ceil: bool
) -> None:
    op = MaxPool((kernel,), stride, ((before, after),), 1, ceil)
    for size in (None, (4,)):
        worked = derive(op, "output", input_size=size)
        assert [s.verdict.status for s in worked.steps] == (["proved"] * 2 if size is None else ["exact"] * 2)
        assert {str(s.verdict.scope) for s in worked.steps} == {"for all I" if size is None else "at the given size"}
        (stage,) = worked.stages
        assert plain(stage.domain) == ("for all I" if size is None else "at the declared size")
        assert ("fit" in plain(stage.title)) is not ceil


def needs(op: Any, what: Any = "gradient", size: Any = None) -> set[tuple[str, ...]]:
    """The conditions of the steps, but for the differentiability of the error."""
    found = {step.verdict.conditions for step in derive(op, what, input_size=size).steps}
    return {
        tuple(c.removeprefix("E differentiable in the outputs").removeprefix(", and ") for c in own) for own in found
    }


LEFT_OUT = "that outputs without a tap in the input are left out (they have no value)"


@pytest.mark.parametrize(
    ("op", "condition"),
    [
        (AvgPool((2,), 1, ((2, 0),), count_include_pad=False), LEFT_OUT),
        (AvgPool((1,), 1, 1, count_include_pad=False), LEFT_OUT),
        (AvgPool((2,), 1, 1, 2, count_include_pad=False), LEFT_OUT),  # at I = 1 the taps pass the input on both sides
        (AvgPool((2,), 1, ((1, 0),), count_include_pad=False), ""),
        (AvgPool((2,), 1, ((2, 0),)), ""),
        (AvgPool((3,), 2, 1, ceil_mode=True, count_include_pad=False), ""),
        (LPPool(2, (2,), 1), "c[p] ≠ 0 (at a window of zeros the derivative counts as 0)"),
        (LPPool(1, (2,), 1), "a[i] ≠ 0 (at 0 the derivative of the absolute value counts as 0)"),
        (MaxPool((2,), 1), ""),
        (Conv((2,)), ""),
    ],
    ids=repr,
)
def test_a_line_that_may_have_no_meaning_says_what_it_needs(op: Any, condition: str) -> None:
    found = {c for own in needs(op) for c in own} - {""}
    assert found == ({condition} if condition else set())
    worked = derive(op, "gradient")
    for step in worked.steps:
        assert (not condition) or any(condition in c for c in step.verdict.conditions)
    text, latex = worked.text(), worked.latex()
    assert text.count(condition) >= len(worked.steps) or not condition
    assert "needs" in latex
    assert latex.startswith("For $I")
    if condition == LEFT_OUT:
        assert "An output whose window has no tap in the input has no value." in text


def test_a_window_without_a_tap_is_looked_for_at_the_given_size() -> None:
    op = AvgPool((2,), 1, 1, 2, count_include_pad=False)
    assert needs(op, size=(1,)) != needs(op, size=(3,)) == {(), ("",)}


def test_a_set_of_gradients_needs_upstream_gradients_that_are_not_negative() -> None:
    worked = derive(MaxPool((2,), ties="set"), "gradient")
    last = worked.steps[-1]
    assert last.verdict.conditions == ("g[p] ≥ 0 for every output, and E = ∑(p = 1 … O) g[p]·c[p]",)
    assert "[proved: for all I; needs g[p] ≥ 0" in worked.text()
    assert r"needs $g_{p} \geq 0$ for every output" in worked.latex()
    assert all(step.verdict.scope.symbolic == ("I",) for step in worked.steps)
    empty = derive(MaxPool((1,), 1, 1, ties="set"), "gradient")
    assert empty.steps[0].verdict.conditions == ("a tap in the input for the window of c[p]",)


@pytest.mark.parametrize("mode", ["replicate", "circular", "reflect"])
def test_a_tap_is_called_the_only_one_only_where_it_is(mode: str) -> None:
    """At a border that is read more than once, two taps read one entry."""
    text = derive(Conv((2,), 1, 1, padding_mode=mode), "gradient").text()
    assert "Only one tap" not in text
    assert "An output may read an entry of A by several taps" in text
    assert "Only one tap" in derive(Conv((2,), 1, 1), "gradient").text()
    kernel = derive(Conv((2,), 1, 1, padding_mode=mode), "gradient", "weight").text()
    assert "Only one tap" in kernel  # each entry of the kernel is read by one tap


def test_latex_leaves_out_nothing_that_a_line_holds_under() -> None:
    result = CliRunner().invoke(commands, ["derive", "maxpool", "--kernel", "2", "--ties", "set", "--format", "latex"])
    assert result.exit_code == 0
    assert result.output.startswith("For $I \\geq 2$.\n\n(D1) ")
    assert "(3) proved for all $I$ (needs $g_{p} \\geq 0$ for every output" in result.output


def test_a_transposed_convolution_is_padded_alike_on_both_sides_where_that_can_be() -> None:
    call = ["shape", "transposed", "--input", "14", "--output", "28", "--kernel", "3", "--stride", "2"]
    rows = [line.split() for line in CliRunner().invoke(commands, call).output.splitlines() if re.match(r" +\d", line)]
    assert ["2", "1", "1", "1"] in rows  # stride, padding, dilation, output padding
    for stride, padding, dilation, extra in rows:
        assert ":" not in padding
        assert (14 - 1) * int(stride) - 2 * int(padding) + int(dilation) * 2 + int(extra) + 1 == 28


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("wrt", ["input", "weight"])
def test_a_kernel_of_one_tap_leaves_no_step_undecided(mode: str, wrt: Any) -> None:
    """Its index has one value, which the closed forms have put in, also inside rounded quotients."""
    for stride, flip in product((1, 2, 3), (False, True)):
        worked = derive(Conv((1,), stride, ((0, 1),), flip=flip, padding_mode=mode), "gradient", wrt)
        assert {step.verdict.status for step in worked.steps} == {"proved"}


def test_an_extremum_over_no_tap_is_spoken_of() -> None:
    assert "A minimum over no tap is ∞." in derive(Erosion((1,), 1, 1), "output").text()
    assert "A maximum over no tap is −∞." in derive(Dilation((1,), 1, 1), "output").text()
    assert "over no tap" not in derive(Erosion((2,), 1, 1), "output").text()


def test_a_share_compares_the_entry_that_it_is_the_share_of() -> None:
    """A kernel of one tap reads a[p-1] at c[p]; the share is still that of a[i]."""
    text = derive(Erosion((1,), 1, 1), "gradient").text()
    assert "ω[p, i] = 1 if a[i] − b[1] is the first minimum" in text


def test_signs_of_a_chain_stand_below_each_other() -> None:
    text = derive(Conv((2,)), "gradient", all_ones=True).text()
    lines = [line for line in text.splitlines() if re.match(r"  \(\d+\)", line)]
    assert len(lines) == 10
    assert {line.index(" = ") for line in lines} in ({lines[0].index(" = "), lines[3].index(" = ")},)


def test_an_output_with_a_bias_is_not_called_the_correlation_alone() -> None:
    for bias, wanted in ((False, "C = A ⋆ B: "), (True, "C: ")):
        (text,) = [line for line in derive(Conv((2,), bias=bias), "output").text().splitlines() if " D1 " in line]
        assert text.strip().startswith(f"D1  {wanted}c[p] = ")
        assert ("+ d " in text) is bias


D, E, Q = Symbol("D", integer=True), Symbol("E", integer=True, positive=True), Symbol("Q", integer=True)
P, N = Symbol("P", integer=True, nonnegative=True), Symbol("N", integer=True, negative=True)
BY_ZERO = " An output that divides by 0 has no value."


@pytest.mark.parametrize(
    ("op", "text"),
    [
        (Conv((2,), dilation=D), "For D, I ≥ 1 with I ≥ D + 1 (a window fits)."),
        (Conv((2,), dilation=D**2), "For I ≥ 1 with DD ≥ 1 and I ≥ DD + 1 (a window fits)."),
        (Conv((2,), dilation=E**2), "For E, I ≥ 1 with I ≥ EE + 1 (a window fits)."),
        (Conv((2,), stride=D - 3), "For D ≥ 4, I ≥ 2."),
        (Conv((2,), stride=2 * D - 3), "For D, I ≥ 2."),  # the least integer, not the half of 4
        (Conv((2,), stride=3 - D), "For I ≥ 2 with 2 ≥ D."),
        (Conv((2, 2), stride=(E - 1, 2 * E)), "For E, I₁, I₂ ≥ 2."),
        (Conv((D * E,)), "For E, I ≥ 1 with DE ≥ 1 and I ≥ DE (a window fits)."),
        (Conv((3,), dilation=floor(E / 2)), "For E, I ≥ 1 with ⌊E/2⌋ ≥ 1 and I ≥ 2⌊E/2⌋ + 1 (a window fits)."),
        (Conv((2,), in_channels=Q - 1, out_channels=2), "For I, Q ≥ 2."),
        (ConvTranspose((3,), stride=2, output_padding=Q - 1), "For I, Q ≥ 1."),
        (Conv((3,), padding=Q), "For I ≥ 1, Q ≥ 0 with I + 2Q ≥ 3 (a window fits)."),
        (Conv((3,), padding=2 * P), "For I ≥ 1, P ≥ 0 with I + 4P ≥ 3 (a window fits)."),
        (Conv((3,), padding=2 * Q), "For I ≥ 1 with I + 4Q ≥ 3 (a window fits)."),
        (Conv((3,), padding=N), "For I ≥ 1 with I + 2N ≥ 3 (a window fits)."),  # which crops
        (AvgPool((2,), divisor_override=E), "For E ≥ 1, I ≥ 2."),
        (AvgPool((2,), divisor_override=E * E), "For E ≥ 1, I ≥ 2."),
        (AvgPool((2,), divisor_override=P), "For I ≥ 2, P ≥ 0." + BY_ZERO),
        (AvgPool((2,), divisor_override=P + 1), "For I ≥ 2, P ≥ 0."),
        (AvgPool((2,), divisor_override=N), "For I ≥ 2." + BY_ZERO),
        (AvgPool((2,), divisor_override=D), "For I ≥ 2." + BY_ZERO),
        (AvgPool((2,), divisor_override=2 * D - 1), "For I ≥ 2."),
    ],
    ids=repr,
)
def test_what_the_options_must_be_is_among_the_hypotheses(op: Any, text: str) -> None:
    assert plain(conditions(Frame(op))) == text


def test_hypotheses_on_options_alone_are_a_sentence() -> None:
    for op, text in [
        (Conv((2,), dilation=D), "For D ≥ 1 with 7 ≥ D (a window fits)."),
        (Conv((2,), dilation=D**2), "For DD ≥ 1 and 7 ≥ DD (a window fits)."),
        (Conv((2,), stride=D**2), "For DD ≥ 1."),
        (Conv((2,)), "All sizes are given."),
    ]:
        assert plain(conditions(Frame(op, input_size=(8,)))) == text


@pytest.mark.parametrize(
    "make",
    [
        lambda d: Conv((2,), dilation=d**2),
        lambda d: Conv((2,), stride=d - 3),
        lambda d: Conv((2,), stride=2 * d - 3, padding=1),
        lambda d: Conv((2,), stride=3 - d, dilation=d + 1),
        lambda d: Conv((2 * d,), padding=((d, -d),)),
        lambda d: Conv((2,), in_channels=d - 1, out_channels=2 * d - 5),
        lambda d: MaxPool((d * d - 2,), 1, dilation=d),
        lambda d: ConvTranspose((3,), stride=d, output_padding=d - 2),
    ],
)
def test_hypotheses_are_neither_too_few_nor_too_many(make: Any) -> None:
    """A layer in D is the layer at every number that the hypotheses allow, and at no other."""
    formula = make(D).output()
    for d, n in product(range(-4, 7), range(1, 9)):
        env = {"D": d, "I": n}
        allowed = all(env[name] >= low for name, low in formula.lower if name in env)
        allowed = allowed and all(fact.evaluate(env) >= 0 for fact in formula.facts)
        try:
            is_taken = bool(make(d).output_size(n))
        except SymconvError:
            is_taken = False
        assert allowed is is_taken, env


CUBE = ((1, 0), (0, 0), (1, 0))


@pytest.mark.parametrize(
    ("op", "size", "titles"),
    [
        (MaxPool((2,)), None, [""]),
        (MaxPool((2, 2)), None, [" on axis 1", " on axis 2"]),  # I_1 and I_2 are two letters
        (MaxPool((2, 2)), (4, 4), [" on axis 1, and alike on axis 2"]),
        (MaxPool((2, 2)), (4, 5), [" on axis 1", " on axis 2"]),
        (MaxPool((2, 2, 2), 1, CUBE), (4, 4, 4), [" on axis 1, and alike on axis 3", " on axis 2"]),
        (MaxPool((2, 3, 2)), (4, 4, 4), [" on axis 1, and alike on axis 3", " on axis 2"]),
        (MaxPool((2, 2, 2)), (4, 4, 4), [" on axis 1, and alike on axes 2 and 3"]),
        (MaxPool((2, 2, 2)), (3, 4, 4), [" on axis 1", " on axis 2, and alike on axis 3"]),
        (ConvTranspose((2, 2, 2)), (4, 4, 4), [" on axis 1, and alike on axes 2 and 3"]),
        (
            ConvTranspose((2, 2, 2), stride=2, output_padding=(0, 1, 0)),
            (4, 4, 4),
            [" on axis 1, and alike on axis 3", " on axis 2"],
        ),
        (AdaptiveMaxPool((3, 2, 3)), (4, 4, 4), [" on axis 1, and alike on axis 3", " on axis 2"]),
        (AdaptiveMaxPool((3, 3)), (5, 5), [" on axis 1, and alike on axis 2"]),
    ],
    ids=repr,
)
def test_a_stage_says_for_which_axes_it_speaks(op: Any, size: Any, titles: list[str]) -> None:
    stages = [stage for stage in derive(op, "output", input_size=size).stages if "gather" not in plain(stage.title)]
    found = [re.search(r"( on axis .*)?$", plain(stage.title)) for stage in stages[: len(titles)]]
    assert [match[0] for match in found if match is not None] == titles
    assert len(stages) - len(titles) == isinstance(op, ConvTranspose)


@pytest.mark.parametrize("mode", ["replicate", "circular", "reflect"])
def test_a_padding_that_there_is_not_is_filled_by_nothing(mode: str) -> None:
    for pads in (0, -1, ((-1, 0),), ((0, -2),)):
        op, plainly = Conv((2,), 1, pads, padding_mode=mode), Conv((2,), 1, pads)
        assert op.output(index_base=1).text() == plainly.output(index_base=1).text()
        text = derive(op, "gradient").text()
        assert "by several taps" not in text
        assert "mod" not in text
    for pads in (1, ((-1, 1),), ((1, 0),), P):
        assert Conv((2,), 1, pads, padding_mode=mode).output().text() != Conv((2,), 1, pads).output().text()
