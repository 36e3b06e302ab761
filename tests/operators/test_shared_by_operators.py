"""What all operators share: options and their defaults, symbolic sizes, frames and the formulas made from a body."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
import pytest
import sympy

import symconv as sc
from symconv.errors import ArgumentError, SymconvError
from symconv.formulas.algebra import Access, Node, product, summation
from symconv.operators.adaptive import AdaptiveAvgPool
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.frame import Geometry
from symconv.operators.letters import Letters
from symconv.operators.option import KERNEL_SIZE, PADDING, STRIDE
from symconv.operators.patches import Fold
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose
from symconv.operators.window import Window


def size(name: str, **more: bool) -> Any:
    return sympy.Symbol(name, integer=True, **more)


# ------------------------------------------------------------------ operators with few options of their own


@dataclass(frozen=True, repr=False)
class Bare(sc.Operator):
    """A window and nothing else."""

    kernel_size: Any = field(metadata=KERNEL_SIZE.metadata)
    _: KW_ONLY
    ndim: int = 2

    variables = ("input", "weight")

    def body(self, geometry: Geometry) -> Node:
        taps = product(self.tap_entry(geometry), self.tap_weight(geometry))
        return summation(taps, *(tap.bound for tap in self.tap_axes(geometry)))


@dataclass(frozen=True, repr=False)
class Stepped(Bare):
    """A window with a stride and a padding."""

    stride: Any = field(default=1, metadata=STRIDE.metadata)
    padding: Any = field(default=0, metadata=PADDING.metadata)


@dataclass(frozen=True, repr=False)
class Doubled(sc.Operator):
    """No window at all."""

    _: KW_ONLY
    ndim: int = 2

    @property
    def windows(self) -> tuple[Window, ...]:
        return (Window(1),) * self.ndim

    def body(self, geometry: Geometry) -> Node:
        entry = Access(geometry.letters.input, tuple(axis.index for axis in self.axes("output", geometry)))
        return product(entry, entry)


def test_a_window_without_options_steps_by_one_and_pads_nothing() -> None:
    assert Bare((2, 3)).windows == (Window(2), Window(3))
    assert Bare(3).windows == (Window(3), Window(3))
    assert Bare((2,)).output().text() == "c[p] = ∑(m = 0 … 1) a[p+m]·b[m]"
    assert Bare((2,)).output_size(5) == (4,)
    assert Bare((2,)).gradient("weight").text() == "∂E/∂b[m] = ∑(p = 0 … O − 1) g[p]·a[p+m]"


def test_a_tap_reads_the_entry_of_its_window() -> None:
    op = Stepped((2, 3), stride=(2, 1), padding=((1, 0), (0, 2)))
    assert op.windows == (Window(2, 2, 1, 0), Window(3, 1, 0, 2))
    assert op.output().text() == "c[p, q] = ∑(m = 0 … 1) ∑(n = 0 … 2) a[2p+m−1, q+n]·b[m, n]"
    rule = Stepped((4,), padding="same_lower")
    assert rule.output().text() == "c[p] = ∑(m = 0 … 3) a[p+m−2]·b[m]"


def test_an_operator_without_a_size_says_how_many_axes_it_has() -> None:
    assert Doubled(ndim=1).output().text() == "c[p] = a[p]·a[p]"
    assert Doubled().spatial_axes == 2
    for wrong in (0, -1):
        with pytest.raises(ArgumentError, match=rf"^ndim must be >= 1, got {wrong}"):
            Doubled(ndim=wrong)


# ------------------------------------------------------------------ options


@pytest.mark.parametrize(
    ("output", "kernel", "sizes"),
    [
        (8, 2, ((8, 8), (2, 2))),
        (8, (2,), ((8,), (2,))),
        ((8,), 1, ((8,), (1,))),
        (8, (2, 3), ((8, 8), (2, 3))),
        ((4, 5, 6), 2, ((4, 5, 6), (2, 2, 2))),
    ],
)
def test_of_two_sizes_the_one_with_several_numbers_says_how_many_axes_there_are(
    output: Any, kernel: Any, sizes: Any
) -> None:
    op = Fold(output, kernel)
    assert (op.options()["output_size"], op.options()["kernel_size"], op.ndim) == (*sizes, len(sizes[0]))


@pytest.mark.parametrize(
    ("output", "kernel", "says"),
    [
        ((4, 4), (2, 2, 2), "kernel_size must be one integer or 2 of them"),
        ((4, 4, 4), (2, 2), "kernel_size must be one integer or 3 of them"),
        ((4, 4), 0, "kernel_size must be >= 1, got 0"),
        ((4, 4), (1, 0), "kernel_size must be >= 1 on every axis"),
        (0, (2, 2), "output_size must be >= 1"),
    ],
)
def test_two_sizes_that_do_not_agree_are_refused(output: Any, kernel: Any, says: str) -> None:
    with pytest.raises(ArgumentError, match=f"^{says}"):
        Fold(output, kernel)


SHOWN: list[tuple[Operator, str]] = [
    (Conv((2, 3)), "Conv(kernel_size=(2, 3))"),
    (Conv((2,), padding=1), "Conv(kernel_size=(2,), padding=1)"),
    (Conv((2, 2), padding=1, stride=2), "Conv(kernel_size=(2, 2), stride=(2, 2), padding=1)"),
    (Conv((2, 2), padding=(1, 2)), "Conv(kernel_size=(2, 2), padding=(1, 2))"),
    (Conv((2, 2), padding=2), "Conv(kernel_size=(2, 2), padding=(2, 2))"),
    (Conv((2, 2), padding=((1, 0), (2, 2))), "Conv(kernel_size=(2, 2), padding=((1, 0), 2))"),
    (Conv((2,), padding=((0, 1),)), "Conv(kernel_size=(2,), padding=((0, 1),))"),
    (Conv((2, 2), padding=((1, 1), (0, 0))), "Conv(kernel_size=(2, 2), padding=(1, 0))"),
    (Conv((2, 2), stride=(1, 2)), "Conv(kernel_size=(2, 2), stride=(1, 2))"),
    (Conv((2,), padding="same", bias=True), "Conv(kernel_size=(2,), padding='same', bias=True)"),
    (ConvTranspose((2, 2), 2, output_padding=1), "ConvTranspose(kernel_size=(2, 2), stride=(2, 2), output_padding=1)"),
]


@pytest.mark.parametrize(("op", "expected"), SHOWN, ids=[text for _, text in SHOWN])
def test_an_operator_is_shown_as_it_may_be_written(op: Operator, expected: str) -> None:
    assert repr(op) == expected


# ------------------------------------------------------------------ all sizes symbolic


def letters_of(op: Any) -> dict[str, str]:
    """Every size option of an operator in its letters."""
    sizes = ("output_size", "kernel_size", "stride", "padding", "output_padding", "dilation")
    return {name: str(value) for name, value in op.options().items() if name in sizes}


ONE = {"kernel_size": "(K,)", "stride": "(S,)", "dilation": "(D,)"}
TWO = {"kernel_size": "(K_1, K_2)", "stride": "(S_1, S_2)", "dilation": "(D_1, D_2)"}
GENERIC: list[tuple[Operator, dict[str, Any], dict[str, str]]] = [
    (
        Conv((2, 3), 2, 1),
        {},
        {**TWO, "padding": "((P_1, P_1), (P_2, P_2))"},
    ),
    (Conv((2,)), {}, {**ONE, "padding": "((P, P),)"}),
    (
        Conv((3, 3), (2, 1), 1),
        {},
        {**TWO, "padding": "((P_1, P_1), (P_2, P_2))"},
    ),
    (
        Conv((3, 3), (2, 1), 1),
        {"shared": True},
        {"kernel_size": "(K, K)", "stride": "(S_1, S_2)", "padding": "((P, P), (P, P))", "dilation": "(D, D)"},
    ),
    (
        Conv((2, 3), 2, ((1, 0), (2, 2))),
        {"shared": True},
        {"kernel_size": "(K_1, K_2)", "stride": "(S, S)", "padding": "((P_1, Q_1), (P_2, P_2))", "dilation": "(D, D)"},
    ),
    (
        Conv((3, 3), 2, ((1, 0), (1, 0))),
        {"shared": True},
        {"kernel_size": "(K, K)", "stride": "(S, S)", "padding": "((P, Q), (P, Q))", "dilation": "(D, D)"},
    ),
    (
        Conv((2, 2), 1, ((-1, 2), (0, -3))),
        {},
        {**TWO, "padding": "((-1, Q_1), (P_2, -3))"},
    ),
    (Conv((2,), 1, ((-2, -2),)), {}, {**ONE, "padding": "((-2, -2),)"}),
    (
        Conv((3,), 2, 1),
        {"keep": ("stride", "padding")},
        {"kernel_size": "(K,)", "stride": "(2,)", "padding": "((1, 1),)", "dilation": "(D,)"},
    ),
    (
        Conv((3,), 2, ((1, 0),)),
        {"letters": {"stride": "T", "padding_after": "R", "kernel_size": "W"}},
        {"kernel_size": "(W,)", "stride": "(T,)", "padding": "((P, R),)", "dilation": "(D,)"},
    ),
    (
        Conv((3, 4), padding="same"),
        {},
        {"kernel_size": "(K_1, K_2)", "stride": "(1, 1)", "padding": "same", "dilation": "(D_1, D_2)"},
    ),
    (
        Conv((3,), 2, padding="same_upper"),
        {"keep": ["dilation"]},
        {"kernel_size": "(K,)", "stride": "(S,)", "padding": "same_upper", "dilation": "(1,)"},
    ),
    (
        ConvTranspose((3,), 2, output_padding=1),
        {},
        {"kernel_size": "(K,)", "stride": "(S,)", "padding": "((P, P),)", "output_padding": "(R,)", "dilation": "(D,)"},
    ),
    (
        Conv((3,), padding=((sympy.Symbol("U"), sympy.Symbol("V")),)),  # letters of which nothing is known
        {},
        {"kernel_size": "(K,)", "stride": "(S,)", "padding": "((P, Q),)", "dilation": "(D,)"},
    ),
    (AdaptiveAvgPool((2, 2)), {"shared": True}, {"output_size": "(O, O)"}),
    (AdaptiveAvgPool((2, 3)), {"shared": True}, {"output_size": "(O_1, O_2)"}),
    (Bare((2, 3)), {}, {"kernel_size": "(K_1, K_2)"}),
]  # fmt: skip


@pytest.mark.parametrize(("op", "how", "expected"), GENERIC, ids=[f"{op!r} {how}" for op, how, _ in GENERIC])
def test_the_same_operator_in_letters(op: Operator, how: dict[str, Any], expected: dict[str, str]) -> None:
    made = op.generic(**how)
    assert letters_of(made) == expected
    assert type(made) is type(op)
    for option, value in op.options().items():
        if option not in expected:
            assert made.options()[option] == value
    for symbol in made.size_symbols().values():
        assert symbol.is_integer
        if symbol.name[0] in "PQRA":
            assert symbol.is_nonnegative
            assert symbol.is_positive is None
        else:
            assert symbol.is_positive


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"keep": ("bias",)}, "keep must be among kernel_size, stride, padding, dilation, got 'bias'"),
        (
            {"keep": ("padding_after",)},
            "keep must be among kernel_size, stride, padding, dilation, got 'padding_after'",
        ),
        ({"keep": ("stride", "x")}, "keep must be among kernel_size, stride, padding, dilation, got 'x'"),
        ({"keep": "stride"}, "keep must be a tuple of options"),
        ({"shared": 1}, "shared must be"),
        (
            {"letters": {"bias": "T"}},
            "letters must have options among kernel_size, stride, padding, padding_after, dil",
        ),
        ({"letters": ("T",)}, r"letters must be a table, such as {'stride': 'T'}, got \('T',\)"),
        ({"letters": {"stride": 3}}, r"letters\['stride'\] must be a short name of letters, got 3"),
        ({"letters": {"stride": "a| b"}}, r"letters\['stride'\] must be a short name of letters, got 'a| b'"),
        ({"letters": {"stride": "K"}}, "letters must leave every option a letter of its own, in {'kernel_size': 'K'"),
    ],
)
def test_what_is_no_size_has_no_letter(how: dict[str, Any], says: str) -> None:
    with pytest.raises(ArgumentError, match=f"^{says}"):
        Conv((3,)).generic(**how)


# ------------------------------------------------------------------ frames

LOWER: list[tuple[Operator, dict[str, int]]] = [
    (Conv((2,)), {"I": 1, "O": 1}),
    (Conv((1,)), {"I": 1}),  # as many outputs as inputs: no letter of their own
    (Conv((2, 1)), {"I_1": 1, "I_2": 1, "O_1": 1}),
    (Conv((size("k"),), size("s"), size("p"), size("d")), {"I": 1, "O": 1, "k": 1, "s": 1, "p": 0, "d": 1}),
    (Conv((size("k"),), padding=size("k")), {"I": 1, "O": 1, "k": 1}),
    (Conv((3,), size("p"), size("p")), {"I": 1, "O": 1, "p": 1}),
    (Fold((size("n"),), (2,), padding=size("p")), {"n": 1, "p": 0}),
    (LPPool(sympy.Symbol("r", positive=True), (2,)), {"I": 1, "O": 1, "r": 1}),
    (AvgPool((2,), divisor_override=size("v")), {"I": 1, "O": 1}),
    (ConvTranspose((2,), output_padding=size("e"), stride=9), {"I": 1, "O": 1, "e": 0}),
    (AdaptiveAvgPool((size("n"),)), {"I": 1, "n": 1}),
]


@pytest.mark.parametrize(("op", "expected"), LOWER, ids=[repr(op) for op, _ in LOWER])
def test_the_least_values_that_a_formula_takes_for_granted(op: Operator, expected: dict[str, int]) -> None:
    for formula in (op.output(), op.derivative(), op.gradient()):
        assert dict(formula.lower) == expected


def test_only_the_order_of_a_norm_is_no_integer() -> None:
    assert AvgPool((2,), divisor_override=size("v")).reals() == ()
    assert LPPool(3, (2,)).reals() == ()
    order = sympy.Symbol("r", positive=True)
    assert LPPool(order, (size("k"),)).reals() == ("r",)
    assert list(LPPool(order, (size("k"),)).size_symbols()) == ["k"]
    assert list(Conv((size("k"), 2), 1, size("p")).size_symbols(0)) == ["k", "p"]
    assert list(Conv((size("k"), 2), 1, size("p")).size_symbols(1)) == ["p"]
    assert list(AvgPool((size("k"),), divisor_override=size("v")).size_symbols(0)) == ["k"]
    assert list(AvgPool((size("k"),), divisor_override=size("v")).size_symbols()) == ["k", "v"]


def test_the_sizes_of_a_formula_are_positive_in_sympy_and_given_symbols_stay_as_they_are() -> None:
    kernel, padding = size("k"), size("p", nonnegative=True)
    free = Conv((kernel,), padding=padding).output().sympy().free_symbols
    by_name = {symbol.name: symbol for symbol in free}
    assert by_name["k"] is kernel or by_name["k"] == kernel
    assert by_name["I"].is_positive
    assert by_name["I"].is_integer
    assert by_name["p"] in (padding, size("p"))
    order = sympy.Symbol("r", positive=True)
    assert order in LPPool(order, (2,)).output().sympy().free_symbols


def test_a_size_is_an_integer_of_at_least_one_for_each_axis() -> None:
    op = Conv((1, 1), padding=1)
    assert op.output(input_size=(1, 2)).text() == "c[p, q] = ∑(m = 0 … 0) ∑(n = 0 … 0) a[p+m−1, q+n−1]·b[m, n]"
    assert op.output_size((1, 2)) == (3, 4)
    assert Conv((1,), padding=1).output_size(1) == (3,)
    n = size("n")
    for wrong, says in [
        ((0, 1), "input_size must be >= 1, got 0"),
        ((1, 2, 3), "input_size must have 2 entries"),
        (3, "input_size must have 2 entries"),
        ((3, n), "input_size must be integers"),
        ((n, 3), "input_size must be integers"),
        ((n, n), "input_size must be integers"),
        ((3, 2.0), "input_size must be an integer"),
        ((True, 2), "input_size must be an integer"),
    ]:
        with pytest.raises(ArgumentError, match=f"^{says}"):
            op.output(input_size=wrong)
    for wrong in ((0, 1), (1, 0), (1,), (1, 2, 3)):
        for other in (op, AdaptiveAvgPool((3, 3))):
            with pytest.raises(ArgumentError, match=r"^input_size must"):
                other.output_size(wrong)


# ------------------------------------------------------------------ formulas

channels = Conv((2,), in_channels=2, out_channels=3, bias=True)
FORMULAS: list[tuple[Any, str]] = [
    (channels.derivative(), "∂c[f, p]/∂a[h, i] = b[f, h, i−p]  if 0 ≤ i − p ≤ 1, else 0"),
    (channels.derivative("weight"), "∂c[f, p]/∂b[f′, h, m] = a[h, p+m]  if f′ = f, else 0"),
    (channels.derivative("bias"), "∂c[f, p]/∂d[f′] = 1  if f′ = f, else 0"),
    (channels.gradient(), "∂E/∂a[h, i] = ∑(f = 0 … 2) ∑(m = 0 … 1) g[f, i−m]·b[f, h, m]"),
    (channels.gradient("weight"), "∂E/∂b[f′, h, m] = ∑(p = 0 … O − 1) g[f′, p]·a[h, p+m]"),
    (channels.gradient("bias"), "∂E/∂d[f′] = ∑(p = 0 … O − 1) g[f′, p]"),
    (Conv((2,)).output(index_base=1), "c[p] = ∑(m = 1 … 2) a[p+m−1]·b[m]"),
    (Conv((2,)).derivative(index_base=1), "∂c[p]/∂a[i] = b[i−p+1]  if 1 ≤ i − p + 1 ≤ 2, else 0"),
    (Conv((2,), 2).gradient(index_base=1), "∂E/∂a[i] = ∑(p = 1 … O) g[p]·b[i−2p+2]"),
    (MaxPool((2,)).output(input_size=4), "c[p] = max(0 ≤ m ≤ 1) a[2p+m]"),
    (MaxPool((4,)).gradient(input_size=4), "∂E/∂a[i] = g[0]·[i = first argmax(0 ≤ m ≤ 3) a[m]]"),
]


@pytest.mark.parametrize(("formula", "expected"), FORMULAS, ids=[text for _, text in FORMULAS])
def test_formulas_written_out_by_hand(formula: Any, expected: str) -> None:
    assert formula.text() == expected


def test_a_formula_says_of_what_it_is_the_derivative() -> None:
    derivative, gradient, output = channels.derivative("weight"), channels.gradient("weight"), channels.output()
    assert (output.quantity.of, output.quantity.wrt) == (("c", ("f", "p")), None)
    assert (derivative.quantity.of, derivative.quantity.wrt) == (("c", ("f", "p")), ("b", ("f'", "h", "m")))
    assert (gradient.quantity.of, gradient.quantity.wrt) == (("E", ()), ("b", ("f'", "h", "m")))
    assert [bound.name for bound in derivative.free] == ["f", "p", "f'", "h", "m"]
    assert [bound.name for bound in gradient.free] == ["f'", "h", "m"]
    assert [tensor.name for tensor in output.tensors] == ["a", "b", "d"]
    assert [tensor.name for tensor in gradient.tensors] == ["g", "a", "b", "d"]
    assert {name: [str(high) for _, high in box] for name, box in gradient.boxes.items()} == {
        "g": ["2", "O - 1"], "a": ["1", "I - 1"], "b": ["2", "1", "1"], "d": ["2"],
    }  # fmt: skip


@pytest.mark.parametrize("base", [2, -1, "1", True, None, 1.0])
def test_indices_start_at_zero_or_one(base: Any) -> None:
    for ask in (Conv((2,)).output, Conv((2,)).derivative, Conv((2,)).gradient):
        with pytest.raises(ArgumentError, match=r"^index_base must be 0 or 1"):
            ask(index_base=base)


@pytest.mark.parametrize("wrt", ["bias", "output", "", None, 1, ["input"], np.array(["input", "weight"])])
def test_a_variable_is_one_that_the_operator_has(wrt: Any) -> None:
    for ask in (Conv((2,)).derivative, Conv((2,)).gradient, Conv((2,)).check_variable):
        with pytest.raises(ArgumentError, match=r"^wrt must be a variable of Conv: input, weight, got"):
            ask(wrt)
    Conv((2,)).check_variable("weight")
    with pytest.raises(SymconvError, match=r"^wrt must be a variable of MaxPool: input, got"):
        MaxPool((2,)).gradient("weight")


def test_letters_are_those_that_are_asked_for() -> None:
    names = {"input": "x", "weight": "w", "output": "y", "upstream": "t", "error": "L"}
    assert Conv((2,)).gradient("weight", names=names).text() == "∂L/∂w[m] = ∑(p = 0 … O − 1) t[p]·x[p+m]"
    assert Conv((2,)).output(names=Letters.of(names)).text() == "y[p] = ∑(m = 0 … 1) x[p+m]·w[m]"
