"""The words of a page, written out by hand: what is derived, for what, by which rules, and from which lines.

The formulas of a page are left out here; `test_lines_by_loops` works them out.
"""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from sympy import Symbol
from test_lines_by_loops import conv, layer, operator_of, transposed

from symconv.derivations.convolution import turned_array
from symconv.derivations.derive import derive
from symconv.derivations.frame import Frame
from symconv.derivations.step import Derivation, Maths, plain
from symconv.formulas.printing import UNICODE
from symconv.operators.adaptive import AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.patches import Fold, Unfold
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose
from symconv.operators.unpooling import MaxUnpool


def words(derivation: Derivation) -> str:
    """A page without its formulas: every step with its rule, the lines that it rests on, its reason and its needs."""
    lines = [derivation.title, plain(derivation.lead), plain(derivation.hypotheses)]
    lines += [f"{d.id} {d.name}" for d in derivation.definitions]
    for stage in derivation.stages:
        lines.append(f"{plain(stage.title)}: {plain(stage.domain)}")
        for step in stage.steps:
            needs = f" | needs {plain(step.needs)}" if step.needs else ""
            sign = "-" if step.opens else "="
            lines.append(
                f"{sign} {step.id} {step.rule} ({', '.join(step.uses)}) {step.title} {plain(step.reason)}{needs}"
            )
    return unicodedata.normalize("NFC", "\n".join(lines))


SLIDE = (
    "Sliding a kernel forward is undone, in the gradient, by sliding the kernel turned around over the upstream "
    "gradient, padded so far that every entry of the input gets its turn."
)
DELTAS = "Kronecker deltas. The entries of {0} are independent: the derivative of one by {1} is 1 where their indices agree, else 0."  # noqa: E501
SIFT = "Sift. Only one tap can make all brackets 1, and that term is in the sum exactly when the tap exists."
DIVIDES = "What does not divide leaves a divisibility condition."
CHAIN = "Chain rule, with (D2). {0} reaches E only through the outputs. | needs E differentiable in the outputs"
SQUARE = "kernel and upstream gradient have changed places, and an array of ones is its own half turn."

INPUT_OF_A_CORRELATION = f"""\
The gradient of a correlation with respect to its input
{SLIDE}
For I ≥ 2.
D1 correlation
D2 upstream gradient
D3 upsampling and padding
D4 reversal
D5 upsampling and padding and cropping
One output, one entry of A: for every c[p] and every a[i]
- 1 differentiate_term_by_term (D1) Differentiate (D1) term by term.
= 2 use_independence (1) {DELTAS.format("A", "a[i]")}
= 3 closed_form (2) {SIFT} {DIVIDES}
The outputs that touch a[i]: for every a[i] of A
- 4 chain_rule (D2) {CHAIN.format("A")}
= 5 restrict_to_touching_outputs (3, 4) Insert (3) and drop the zero terms.
Read the sum as a correlation: for every a[i]
= 6 turn (5, D3) Substitute u = 4 − m, so that the kernel runs backwards.
= 7 recognise (6, D1, D3, D4) Recognise (D1): image G̃ = pad[3:I − 2O + 2](up[2](G)), kernel rev(B); \
the result has the size of the input.
The all-ones gradient: for every a[i], where every g[p] = 1
- 8 put_ones (5) Put g[p] = 1 into (5): the error is the sum of all outputs.
= 9 turn (8, D5) Substitute u = O − p + 1.
= 10 recognise (9, D1, D5) Recognise (D1): image B̃ = pad[2O − 3:I − 4](up[2](B)); {SQUARE}"""

KERNEL_OF_A_CORRELATION = f"""\
The gradient of a correlation with respect to its weight
The gradient by the kernel is again a correlation: of the input with the upstream gradient.
For I ≥ 2.
D1 correlation
D2 upstream gradient
D3 padding
One output, one entry of B: for every c[p] and every b[m]
- 1 differentiate_term_by_term (D1) Differentiate (D1) term by term.
= 2 use_independence (1) {DELTAS.format("B", "b[m]")}
= 3 closed_form (2) {SIFT}
The outputs that touch b[m]: for every b[m] of B
- 4 chain_rule (D2) {CHAIN.format("B")}
= 5 insert (3, 4) Insert (3).
Read the sum as a correlation: for every b[m]
= 6 name_access (5, D3) Read what the windows cover: A, zeros where they reach beyond it (D3).
= 7 recognise (6, D1) Recognise (D1): image Ã = pad[1:2O − I + 2](A), kernel G. \
Stride and dilation have changed places."""

INPUT_OF_A_CONVOLUTION = f"""\
The gradient of a convolution with respect to its input
{SLIDE}
For I₁, I₂ ≥ 1.
D1 convolution
D2 upstream gradient
D3 upsampling and padding
D4 half turn
D5 upsampling and padding and cropping
One output, one entry of A: for every c[p, q] and every a[i, j]
- 1 differentiate_term_by_term (D1) Differentiate (D1) term by term.
= 2 use_independence (1) {DELTAS.format("A", "a[i, j]")}
= 3 closed_form (2) {SIFT} {DIVIDES}
The outputs that touch a[i, j]: for every a[i, j] of A
- 4 chain_rule (D2) {CHAIN.format("A")}
= 5 restrict_to_touching_outputs (3, 4) Insert (3) and drop the zero terms.
Read the sum as a correlation: for every a[i, j]
= 6 turn (5, D3) Substitute the output indices by taps, which run the same way as the kernel of a flipped convolution.
= 7 recognise (6, D1, D3) Recognise (D1): image G̃ = pad[(1:I₁ − 2O₁ + 1, 0:2)](up[(2, 1)](G)), kernel B; \
the result has the size of the input.
The all-ones gradient: for every a[i, j], where every g[p, q] = 1
- 8 put_ones (5) Put g[p, q] = 1 into (5): the error is the sum of all outputs.
= 9 turn (8, D5) Substitute u = O₁ − p − 1, v = I₂ − q − 1.
= 10 recognise (9, D1, D5) Recognise (D1): image B̃ = pad[(2O₁ − 2:I₁ − 2, I₂ − 3:I₂ − 1)](up[(1, 2)](rot180(B))); \
{SQUARE}"""

ONE_PLACE = f"""\
The all-ones gradient: for every a[i], where every g[p] = 1
- 8 put_ones (5) Put g[p] = 1 into (5): the error is the sum of all outputs.
= 9 turn (8) Substitute u = 2 − p.
= 10 recognise (9, D1) Recognise (D1): image B; {SQUARE}"""

WINDOWS = """\
The output of a correlation
An output exists for every place of the window; its size is the number of places where the window fits.
For I₁, I₂ ≥ 1, I₃ ≥ 2.
D1 correlation
How many windows fit on axis 1: for all I₁, I₂, I₃
- 1 place (D1) Place the window: it starts p − 1 cells into the padded input and spans 2 of its I₁ + 1 cells.
= 2 count (1) Count the multiples of 1 from 0 up to that room.
How many windows fit on axis 2: for all I₁, I₂, I₃
- 3 place (D1) Place the window: it starts 2q − 2 cells into the padded input and spans 1 of its I₂ + 1 cells.
= 4 count (3) Count the multiples of 2 from 0 up to that room.
How many windows fit on axis 3: for all I₁, I₂, I₃
- 5 place (D1) Place the window: it starts r − 1 cells into the padded input and spans 2 of its I₃ cells.
= 6 count (5) Count the multiples of 1 from 0 up to that room."""

OVERHANG = """\
The output of max pooling
An output exists for every place of the window that starts before the end of the input and hangs over the padding \
after it by less than a stride; its size is the number of these places.
For I ≥ 1. A maximum over no tap is −∞.
D1 max pooling
How many windows there are: for all I
- 1 place (D1) Place the window: it starts p − 1 cells into the padded input and spans 3 of its I + 2 cells. \
It may hang over by less than a stride, but must start before the padding after the input.
= 2 count (1) Count the multiples of 1 from 0 up to both bounds."""

IMAGE = """\
The output of folding
The size of the image is given, and says how many patches there are; where they overlap, they add up.
All sizes are given.
D1 folding
How many windows fit in the image on axis 1: at the declared size
- 1 place (D1) Place the window: it starts i cells into the padded input and spans 2 of its 3 cells.
= 2 count (1) Count the multiples of 1 from 0 up to that room.
How many windows fit in the image on axis 2: at the declared size
- 3 place (D1) Place the window: it starts 2j cells into the padded input and spans 2 of its 3 cells.
= 4 count (3) Count the multiples of 2 from 0 up to that room.
What is added up: for every c[f, p, q]
- 5 sift_by_taps (D1) Gather. For a tap m, n at most one place of the window reaches c[f, p, q], and the bracket fixes \
which one; where the stride does not divide, there is none."""

EXTREMUM = f"""\
The gradient of max pooling with respect to its input
Every output hands its upstream gradient to the entries of A that it depends on.
For I ≥ 2.
D1 max pooling
D2 upstream gradient
D3 first of ties
One output, one entry of A: for every c[p] and every a[i]
- 1 differentiate_term_by_term (D1) Differentiate. The maximum passes its derivative on to one tap: among equal \
maxima, to the first in row-major order.
= 2 use_independence (1) {DELTAS.format("A", "a[i]")}
= 3 closed_form (2) {SIFT}
The outputs that touch a[i]: for every a[i] of A
- 4 chain_rule (D2) {CHAIN.format("A")}
= 5 restrict_to_touching_outputs (3, 4) Insert (3) and drop the zero terms."""


@pytest.mark.parametrize(
    ("own", "what", "wrt", "text"),
    [
        (conv((3,), (2,), ((1, 2),), (2,)), "gradient", "input", INPUT_OF_A_CORRELATION),
        (conv((3,), (2,), ((1, 2),), (2,)), "gradient", "weight", KERNEL_OF_A_CORRELATION),
        (conv((2, 2), (2, 1), ((0, 1), (2, 0)), (1, 2), flip=True, base=0), "gradient", "input",
         INPUT_OF_A_CONVOLUTION),
        (conv((2, 1, 2), (1, 2, 1), ((0, 1), (1, 0), (0, 0))), "output", "input", WINDOWS),
        (layer("maxpool", (2,), (1,), ((1, 1),), (2,), ceil_mode=True), "output", "input", OVERHANG),
        (layer("fold", (2, 2), (1, 2), ((1, 0), (0, 0)), output=(2, 3), channels=2, base=0), "output", "input", IMAGE),
        (layer("maxpool", (2,), (1,)), "gradient", "input", EXTREMUM),
    ],
    ids=["correlation-input", "correlation-weight", "convolution-input", "windows", "overhang", "image", "extremum"],
)  # fmt: skip
def test_a_page_in_words(own: Any, what: Any, wrt: Any, text: str) -> None:
    ones = (own.kind, what, wrt) == ("conv", "gradient", "input")
    assert words(derive(operator_of(own), what, wrt, index_base=own.base, all_ones=ones)) == text


def test_a_kernel_that_fits_once_is_its_own_gradient_for_ones_and_has_no_second_name() -> None:
    page = words(derive(Conv((3,)), "gradient", input_size=(3,), all_ones=True))
    assert page.endswith(ONE_PLACE)
    assert "D5" not in page
    assert "All sizes are given." in page


EXCHANGED, BACKWARDS = " Stride and dilation have changed places.", " The result runs backwards, as the kernel does."


@pytest.mark.parametrize(
    ("stride", "dilation", "remark"),
    [(1, 1, ""), ((1, 2), 1, EXCHANGED), (1, (2, 1), EXCHANGED), ((2, 1), 1, EXCHANGED), (2, 2, EXCHANGED)],
)
@pytest.mark.parametrize("flip", [False, True])
def test_what_is_remarked_of_the_gradient_by_the_kernel(stride: Any, dilation: Any, remark: str, flip: bool) -> None:
    last = derive(Conv((2, 2), stride, 0, dilation, flip=flip), "gradient", "weight").steps[-1]
    assert plain(last.reason).partition(", kernel G.")[2] == remark + BACKWARDS * flip


SEVERAL = "An output may read an entry of A by several taps; the gradient gathers all of them."
KERNEL = "The gradient by the kernel is again a correlation: of the input with the upstream gradient."
HANDS = "Every output hands its upstream gradient to the entries of {} that it depends on."
LEADS: list[tuple[Any, str, str, str]] = [
    (conv((2,)), "input", "a correlation", SLIDE),
    (conv((2,), flip=True), "input", "a convolution", SLIDE),
    (conv((2,), in_channels=2), "input", "a correlation", SLIDE),
    (conv((2,), (1,), ((1, 1),), padding_mode="circular"), "input", "a correlation", SEVERAL),
    (conv((2,), (1,), ((1, 1),), padding_mode="circular"), "weight", "a correlation", HANDS.format("B")),
    (conv((2,)), "weight", "a correlation", KERNEL),
    (conv((2,), bias=True), "bias", "a correlation", HANDS.format("D")),
    (transposed((2,)), "input", "a transposed convolution",
     "The gradient of a transposed convolution is the convolution that it is the transpose of."),
    (transposed((2,)), "weight", "a transposed convolution", KERNEL),
    (transposed((2,), bias=True), "bias", "a transposed convolution", HANDS.format("D")),
    (layer("unfold", (2,)), "input", "unfolding",
     "An entry that several windows show gathers the upstream gradient of all of them: a folding."),
    (layer("fold", (2,), output=(3,)), "input", "folding",
     "Every patch receives what the upstream gradient shows under its window: an unfolding."),
    (layer("max-unpool", (2,), (2,)), "input", "max unpooling",
     "Every entry receives the upstream gradient from the position that it was put at."),
    (layer("adaptive-avg", output=(2,)), "input", "adaptive average pooling", HANDS.format("A")),
    (layer("maxpool", (2,)), "input", "max pooling", HANDS.format("A")),
    (layer("avgpool", (2,)), "input", "average pooling", HANDS.format("A")),
    (layer("lppool", (2,), norm="2"), "input", "LP pooling", HANDS.format("A")),
    (layer("dilation", (2,)), "weight", "a dilation", HANDS.format("B")),
    (layer("erosion", (2,)), "input", "an erosion", HANDS.format("A")),
]  # fmt: skip


@pytest.mark.parametrize(("own", "wrt", "phrase", "lead"), LEADS, ids=str)
def test_a_gradient_says_of_what_by_what_and_what_it_comes_to(own: Any, wrt: Any, phrase: str, lead: str) -> None:
    page = derive(operator_of(own), "gradient", wrt)
    assert page.title == f"The gradient of {phrase} with respect to its {wrt}"
    assert plain(page.lead) == lead
    derivative = derive(operator_of(own), "derivative", wrt)
    assert derivative.title == f"The derivative of one output with respect to the {wrt}"
    letter = {"input": "A", "weight": "B", "bias": "D"}[wrt]
    taps = "one or more taps" if lead == SEVERAL else "at most one tap"
    assert plain(derivative.lead) == f"One output depends on one entry of {letter} through {taps} of its window."
    ids = [d.id for d in derivative.definitions]
    assert "D1" in ids
    assert "D2" not in ids  # the upstream gradient
    assert (derivative.lead == page.lead) is False


K, S, P, D = (Symbol(name, integer=True) for name in "KSPD")
FITS = "I{0} + 2P{0} ≥ D{0}(K{0} − 1) + 1"


@pytest.mark.parametrize(
    ("op", "text"),
    [
        (Conv((3,)), "For I ≥ 3."),
        (Conv((3, 2)), "For I₁ ≥ 3, I₂ ≥ 2."),
        (Conv((2, 3, 3)), "For I₁ ≥ 2, I₂, I₃ ≥ 3."),
        (Conv((2,), padding=((1, -2),)), "For I ≥ 3."),
        (Conv((K,), padding="half"), "For I, K ≥ 1 with I + 2⌊(K − 1)/2⌋ ≥ K (a window fits)."),
        (Conv((3,), S, "same_upper"),
         "For I, S ≥ 1 with I + max(0, S(⌈I/S⌉ − 1) − I + 3) ≥ 3 (a window fits)."),
        (Conv((3,), padding=((-P, 0),)), "For I ≥ 1 with I ≥ P + 3 (a window fits)."),
        (Conv((3,), S), "For I ≥ 3, S ≥ 1."),
        (Conv((3,), padding=P), "For I ≥ 1, P ≥ 0 with I + 2P ≥ 3 (a window fits)."),
        (Conv((K,), 2), "For I, K ≥ 1 with I ≥ K (a window fits)."),
        (Conv((K, K), 1, P), "For I₁, I₂, K ≥ 1, P ≥ 0 with I₁ + 2P ≥ K and I₂ + 2P ≥ K (a window fits)."),
        (Conv((3, 2), dilation=(D, 1)), "For D, I₁ ≥ 1, I₂ ≥ 2 with I₁ ≥ 2D + 1 (a window fits)."),
        (Conv((3,)).generic(), f"For D, I, K, S ≥ 1, P ≥ 0 with {FITS.format('')} (a window fits)."),
        (AvgPool((2, 2)).generic(), "For D₁, D₂, I₁, I₂, K₁, K₂, S₁, S₂ ≥ 1, P₁, P₂ ≥ 0 with "
         f"{FITS.format('₁')} and {FITS.format('₂')} (a window fits)."),
        (MaxPool((2,), ceil_mode=True).generic(),
         "For D, I, K, S ≥ 1, P ≥ 0 with I + 2P + S ≥ D(K − 1) + 2 (an output is left). A maximum over no tap is −∞."),
        (ConvTranspose((3,), S, P), "For I, S ≥ 1, P ≥ 0 with 2 ≥ 2P − S(I − 1) (an output is left)."),
        (MaxUnpool((2,)).generic(), "For I, K, S ≥ 1, P ≥ 0 with K ≥ 2P − S(I − 1) + 1 (an output is left)."),
        (Fold((4,), (2,)).generic(), "For D, K, O, S ≥ 1, P ≥ 0 with O + 2P ≥ D(K − 1) + 1 (a window fits)."),
        (Fold((4,), (2,)), "All sizes are given."),
        (ConvTranspose((3,)), "For I ≥ 1."),
        (AdaptiveMaxPool((2,)).generic(), "For I, O ≥ 1."),
        (LPPool(2, (2,), 1, 2), "For I ≥ 1."),
        (Unfold((2,), 1, ((0, -1),)), "For I ≥ 3."),
    ],
    ids=repr,
)  # fmt: skip
def test_for_which_sizes_a_page_speaks(op: Operator, text: str) -> None:
    assert plain(derive(op).hypotheses) == text


@pytest.mark.parametrize("own", [conv((2,)), transposed((2,)), layer("maxpool", (2,)), layer("avgpool", (2,))], ids=str)
def test_a_derivative_keeps_its_name_until_a_line_says_what_it_is(own: Any) -> None:
    lines = {step.rule: step.right(UNICODE) for step in derive(operator_of(own), "gradient").steps}
    assert "∂a[" in lines["differentiate_term_by_term"]
    assert "∂" not in lines["use_independence"]
    assert "∂c[p]/∂a[i]" in lines["chain_rule"]
    assert "∂" not in lines["restrict_to_touching_outputs"]


@pytest.mark.parametrize(
    ("op", "size", "text"),
    [
        (ConvTranspose((3,), 2, P), 3, "For P ≥ 0 with 6 ≥ 2P (an output is left)."),
        (Conv((K,)), 5, "For K ≥ 1 with 5 ≥ K (a window fits)."),
        (Conv((3,), padding=P), 1, "For P ≥ 1."),
        (Conv((6,), padding=1, padding_mode="reflect"), None, "For I ≥ 4."),  # and not 2, to be reflected
        (Conv((3,), padding=3, padding_mode="reflect"), None, "For I ≥ 4."),  # and not 1, for a window to fit
    ],
    ids=repr,
)
def test_the_strongest_bound_of_a_name_is_said(op: Operator, size: int | None, text: str) -> None:
    assert plain(derive(op, input_size=size).hypotheses) == text


def test_axes_that_are_alike_are_counted_once() -> None:
    def titles(op: Operator, *size: int) -> list[str]:
        return [plain(stage.title) for stage in derive(op, input_size=size or None).stages]

    axes = [f"How many windows fit on axis {axis}" for axis in (1, 2)]
    assert titles(Conv((3, 3)), 4, 4) == [f"{axes[0]}, and alike on axis 2"]
    assert titles(Conv((3, 3)), 4, 5) == titles(Conv((3, 2)), 4, 4) == titles(Conv((3, 3))) == axes
    assert titles(Conv((3,)), 4) == ["How many windows fit"]
    assert titles(MaxPool((3, 2), ceil_mode=True)) == [f"How many windows there are on axis {axis}" for axis in (1, 2)]
    assert titles(Conv((3,), padding="same_upper"), 4) == ["How many windows fit"]


@pytest.mark.parametrize(
    ("op", "kernel"),
    [
        (Conv((2,)), Maths(r"\operatorname{rev}(B)", "rev(B)")),
        (Conv((2, 2)), Maths(r"\operatorname{rot}_{180}(B)", "rot180(B)")),
        (Conv((2, 2), flip=True), Maths("B", "B")),
    ],
    ids=repr,
)
def test_the_kernel_that_slides_over_the_upstream_gradient(op: Conv, kernel: Maths) -> None:
    assert turned_array(Frame(op), op) == kernel


@pytest.mark.parametrize(
    ("op", "divisor"),
    [
        (AvgPool((3,), 2, ((1, 2),), count_include_pad=False), "(min(3, I − 2p + 3) − max(1, 4 − 2p) + 1)"),
        (AvgPool((2,), 1, ((0, 1),), count_include_pad=False), "min(2, I − p + 1)"),
        (AvgPool((3,), 1, ((2, 0),), count_include_pad=False), "(4 − max(1, 4 − p))"),
        (AvgPool((2,), 3, ceil_mode=True), "min(2, I − 3p + 3)"),
        (AvgPool((1, 2), 1, ((0, 0), (1, 0)), count_include_pad=False), "(3 − max(1, 3 − q))"),
        (AvgPool((2,), 1, ((2, 0),), count_include_pad=False), "(3 − max(1, 4 − p))"),  # which may be 0
    ],
    ids=repr,
)
def test_a_count_is_written_alike_on_every_line(op: Operator, divisor: str) -> None:
    """That an output exists is known under the sum over the outputs, too."""
    page = derive(op, "gradient")
    lines = [step.right(UNICODE) for step in page.steps if step.rule != "chain_rule"]
    assert [f"/{divisor}" in line for line in (op.output(index_base=1).text(), *lines)] == [True] * (len(lines) + 1)


def test_a_count_that_is_a_number_under_a_sum_is_that_number() -> None:
    page = derive(AvgPool((1,), 1, ((2, 0),), count_include_pad=False), "gradient")
    assert page.steps[2].right(UNICODE).startswith("1/max(0, 2 − max(1, 4 − p))")
    assert page.steps[-1].right(UNICODE) == "∑(p = i + 2 … i + 2) g[p]"
