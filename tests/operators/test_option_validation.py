"""Bad options and bad arguments: one error each that names the argument, its value and the requirement."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import sympy

from symconv.errors import ArgumentError, GeometryError, NotSupportedError, SizeLimitError, SymconvError
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.window import Window

INF = float("inf")
n = sympy.Symbol("n", integer=True, positive=True)
half = sympy.Rational(1, 2)

WINDOWED: list[Callable[..., Any]] = [Conv, MaxPool, AvgPool, lambda *a, **k: LPPool(2, *a, **k)]

WRONG_SIZES: list[tuple[str, Any, str]] = [
    # option, value, what the message must say beside "OPTION must ..., got VALUE"
    ("kernel_size", 0, "must be >= 1"),
    ("kernel_size", -3, "must be >= 1"),
    ("kernel_size", (3, 0), "must be >= 1 on every axis"),
    ("kernel_size", (), "must have one entry a spatial axis"),
    ("kernel_size", 2.0, "must be an integer"),
    ("kernel_size", "3", "must be an integer"),
    ("kernel_size", True, "must be an integer"),
    ("kernel_size", None, "must be an integer"),
    ("kernel_size", (3, "3"), "must be an integer or a SymPy integer expression on every axis"),
    ("kernel_size", (3, True), "must be an integer"),
    ("kernel_size", Fraction(3), "must be an integer"),
    ("kernel_size", half, "must be an integer"),
    ("kernel_size", sympy.Float(3), "must be an integer"),
    ("kernel_size", n / 2, "must be an integer"),
    ("kernel_size", sympy.Symbol("r", integer=False), "must be an integer"),
    ("stride", 0, "must be >= 1"),
    ("stride", -1, "must be >= 1"),
    ("stride", (2, 0), "must be >= 1 on every axis"),
    ("stride", (1, 1, 1), "must be one integer or 2 of them, one a spatial axis"),
    ("stride", (1,), "must be one integer or 2 of them"),
    ("stride", (), "must be one integer or 2 of them"),
    ("stride", 1.5, "must be an integer"),
    ("stride", "2", "must be an integer"),
    ("stride", False, "must be an integer"),
    ("dilation", 0, "must be >= 1"),
    ("dilation", (1, 0), "must be >= 1 on every axis"),
    ("dilation", (1, 2, 3), "must be one integer or 2 of them"),
    ("dilation", 2.0, "must be an integer"),
    ("dilation", None, "must be an integer"),
    ("padding", 1.0, "must be an integer"),
    ("padding", True, "must be an integer"),
    ("padding", None, "must be an integer"),
    ("padding", (1, 2, 3), r"must be one integer, 2 of them, or 2 \(before, after\) pairs"),
    ("padding", ((1, 2),), r"must be one integer, 2 of them, or 2 \(before, after\) pairs"),
    ("padding", ((1, 2, 3), 0), r"must have \(before, after\) pairs"),
    ("padding", "smae", "must be one of 'valid', 'same', .*did you mean 'same'"),
    ("padding", "SAME", "must be one of 'valid'"),
    ("padding", "same_uper", "did you mean 'same_upper'"),
    ("ndim", 0, "must be >= 1"),
    ("ndim", 1.0, "must be an integer"),
    ("ndim", "2", "must be an integer"),
    ("ndim", n, "must be a plain integer"),
]


def refused(build: Callable[[], object], argument: str, value: object, says: str) -> SymconvError:
    """The error of a call: of symconv's own kind, with the argument, the requirement and the value in its message."""
    with pytest.raises(ArgumentError, match=says) as caught:
        build()
    error = caught.value
    message = str(error)
    assert error.argument == argument
    assert message.startswith(argument)
    assert ", got " in message
    assert repr(value) in message or isinstance(value, sympy.Rational)  # shown as the fraction that it is
    assert len(message) < 400
    assert "\n" not in message
    return error


@pytest.mark.parametrize(("option", "value", "says"), WRONG_SIZES, ids=lambda v: None if callable(v) else str(v)[:24])
@pytest.mark.parametrize("make", WINDOWED, ids=["Conv", "MaxPool", "AvgPool", "LPPool"])
def test_options_of_every_window(make: Callable[..., Any], option: str, value: Any, says: str) -> None:
    options: dict[str, Any] = {"kernel_size": 2, option: value}
    shown = (value,) if value == (3, "3") else value
    assert shown is not None or value is None
    refused(lambda: make(**options), option, value, says)


@pytest.mark.parametrize(
    ("options", "argument", "value", "says"),
    [
        ({"groups": 0}, "groups", 0, "must be >= 1"),
        ({"groups": 1.0}, "groups", 1.0, "must be an integer"),
        ({"in_channels": 0}, "in_channels", 0, "must be >= 1"),
        ({"out_channels": "4"}, "out_channels", "4", "must be an integer"),
        ({"in_channels": 4, "groups": 3}, "in_channels", 4, "must be divisible by groups=3"),
        ({"in_channels": 3, "out_channels": 4, "groups": 3}, "out_channels", 4, "must be divisible by groups=3"),
        ({"in_channels": n, "groups": 2}, "in_channels", n, "must be divisible by groups=2, whatever its symbols"),
        ({"bias": 1}, "bias", 1, "must be True or False"),
        ({"bias": "yes"}, "bias", "yes", "must be True or False"),
        ({"flip": 0}, "flip", 0, "must be True or False"),
        ({"padding_mode": "zero"}, "padding_mode", "zero", "must be one of 'zeros', .* did you mean 'zeros'"),
        ({"padding_mode": "mirror"}, "padding_mode", "mirror", "must be one of"),
        ({"padding_mode": 0}, "padding_mode", 0, "must be one of"),
        ({"padding": "same", "stride": 2}, "padding", "same", "needs stride 1 .*use 'same_upper'"),
    ],
    ids=str,
)
def test_options_of_a_convolution(options: dict[str, Any], argument: str, value: Any, says: str) -> None:
    refused(lambda: Conv(3, **options), argument, value, says)


@pytest.mark.parametrize(
    ("build", "argument", "value", "says"),
    [
        (
            lambda: MaxPool(2, ceil_mode=1),  # type: ignore[arg-type]
            "ceil_mode",
            1,
            "must be True or False",
        ),
        (lambda: MaxPool(2, ties="last"), "ties", "last", "must be one of 'first', 'split', 'error', 'set'"),
        (lambda: MaxPool(2, ties="frist"), "ties", "frist", "did you mean 'first'"),
        (lambda: MaxPool(2, padding="same"), "padding", "same", "needs stride 1"),
        (
            lambda: AvgPool(2, count_include_pad=None),  # type: ignore[arg-type]
            "count_include_pad",
            None,
            "must be True or False",
        ),
        (lambda: AvgPool(2, divisor_override=0), "divisor_override", 0, "must not be 0"),
        (lambda: AvgPool(2, divisor_override=2.5), "divisor_override", 2.5, "must be an integer"),
        (lambda: AvgPool(2, divisor_override=True), "divisor_override", True, "must be an integer"),
        (lambda: LPPool(0, 2), "norm_type", 0, "must be >= 1"),
        (lambda: LPPool(0.5, 2), "norm_type", 0.5, "must be >= 1"),
        (lambda: LPPool(-2, 2), "norm_type", -2, "must be >= 1"),
        (lambda: LPPool(-INF, 2), "norm_type", -INF, "must be >= 1"),
        (lambda: LPPool(float("nan"), 2), "norm_type", float("nan"), "must be a number >= 1"),
        (lambda: LPPool("2", 2), "norm_type", "2", "must be a number >= 1"),
        (lambda: LPPool(True, 2), "norm_type", True, "must be a number >= 1"),
        (lambda: LPPool(None, 2), "norm_type", None, "must be a number >= 1"),
        (lambda: LPPool(half, 2), "norm_type", half, "must be >= 1"),
        (lambda: LPPool(n + 1, 2), "norm_type", n + 1, "must be a number >= 1, a SymPy symbol"),
        (lambda: LPPool(-sympy.oo, 2), "norm_type", -sympy.oo, "must be a number >= 1"),
        (
            lambda: LPPool(sympy.Symbol("p", negative=True), 2),
            "norm_type",
            sympy.Symbol("p", negative=True),
            "must be a symbol that can be",
        ),
        (lambda: Window(0), "kernel", 0, "must be >= 1"),
        (lambda: Window(2, stride=0), "stride", 0, "must be >= 1"),
        (lambda: Window(2, dilation="2"), "dilation", "2", "must be an integer"),
        (lambda: Window(2, before=0.5), "before", 0.5, "must be an integer"),
        (
            lambda: Window(2, ceil_mode="no"),  # type: ignore[arg-type]
            "ceil_mode",
            "no",
            "must be True or False",
        ),
        (
            lambda: Window(2, fit="same"),  # type: ignore[arg-type]
            "fit",
            "same",
            "must be None, 'same_upper' or 'same_lower'",
        ),
    ],
)
def test_options_of_poolings_and_windows(build: Callable[[], object], argument: str, value: Any, says: str) -> None:
    refused(build, argument, value, says)


# ------------------------------------------------------------------ sizes


@pytest.mark.parametrize("op", [Conv((4, 3)), MaxPool((4, 3)), AvgPool((2, 3), dilation=(3, 1)), LPPool(2, (4, 3))])
def test_a_kernel_larger_than_the_padded_input(op: Any) -> None:
    calls: list[Callable[[], object]] = [
        lambda: op.output_size((3, 3)),
        lambda: op.output(input_size=(3, 3)),
        lambda: op.gradient(input_size=(3, 3)),
    ]
    for call in calls:
        with pytest.raises(GeometryError, match=r"effective size of at most the padded input \(4 > 3 \+ 0 \+ 0\)"):
            call()
    for call in (
        lambda: op.output().at(0, 0, input_size=(3, 3)),
        lambda: op.output().matrix((3, 3)),
        lambda: op.derivative().sparse((3, 3)),
        lambda: op.gradient().values({}, (3, 3)),
        lambda: op.gradient().shape((3, 3)),
    ):
        with pytest.raises(
            GeometryError, match=r"must meet the assumptions of the formula .*: I_1 - 4 >= 0 fails at I_1=3"
        ):
            call()
    assert op.output_size((4, 3)) == (1, 1)


@pytest.mark.parametrize(
    "bad", [0, -1, 2.0, "5", True, None, (5,), (5, 5, 5), (5, 0), (5, "5"), (5, 5.0), (True, 5)], ids=repr
)
def test_input_sizes(bad: Any) -> None:
    op = Conv((2, 2))
    for call in (
        lambda: op.output_size(bad),
        lambda: op.output().at(0, 0, input_size=bad),
        lambda: op.gradient().matrix(bad),
        lambda: op.output().values({"a": [[1]], "b": [[1]]}, bad),
    ):
        with pytest.raises(ArgumentError, match="input_size must "):
            call()
    if bad is not None:
        with pytest.raises(ArgumentError, match="input_size must "):
            op.output(input_size=bad)


def test_a_fixed_size_takes_no_other_one() -> None:
    formula = Conv((2,)).output(input_size=3)
    assert formula.shape() == (2,)
    with pytest.raises(ArgumentError, match="must be left out"):
        formula.at(0, input_size=3)
    with pytest.raises(ArgumentError, match=r"must be integers.*leave it out for symbolic sizes"):
        Conv((2,)).output(input_size=(n,))


@pytest.mark.parametrize("pads", [((2, 0),), ((0, 2),), ((5, 5),)])
def test_a_reflection_is_shorter_than_the_input(pads: Any) -> None:
    op = Conv((1,), padding=pads, padding_mode="reflect")
    with pytest.raises(GeometryError, match="padding must be below the input size 2"):
        op.output_size(2)
    with pytest.raises(GeometryError, match="fails at I=2"):
        op.output().at(0, input_size=2)
    assert op.output_size(6) == (6 + sum(pads[0]),)


# ------------------------------------------------------------------ arguments of formulas


def test_indices_of_an_entry() -> None:
    formula = Conv((3,)).output()
    for bad in (-1, 3, 1.0, True, "1", None, n):
        with pytest.raises(ArgumentError, match=r"p must be an integer in 0\.\.2, got "):
            formula.at(bad, input_size=5)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"indices must have 1 entries \(p\)"):
        formula.at(1, 1, input_size=5)
    with pytest.raises(ArgumentError, match=r"p must be an integer in 1\.\.3"):
        Conv((3,)).output(index_base=1).at(0, input_size=5)
    assert str(formula.at(1, input_size=5)) == "a[1]*b[0] + a[2]*b[1] + a[3]*b[2]"  # no trace of 1.0 or True


def test_parameters_of_a_generic_operator() -> None:
    formula = Conv((3,)).generic().output()
    good = {"K": 2, "S": 1, "P": 0, "D": 1}
    assert str(formula.at(0, input_size=4, **good)) == "a[0]*b[0] + a[1]*b[1]"
    assert formula.at(0, input_size=4, **{**good, "K": sympy.Integer(2)}) == formula.at(0, input_size=4, **good)
    for name, bad, least in (("S", 0, 1), ("K", -3, 1), ("K", 2.0, 1), ("D", "1", 1), ("P", -1, 0), ("K", True, 1)):
        with pytest.raises(ArgumentError, match=f"{name} must be an integer >= {least}, got "):
            formula.at(0, input_size=4, **{**good, name: bad})
    with pytest.raises(
        ArgumentError, match=r"must give a number for every symbolic parameter; K, S has none.*; pass K="
    ):
        formula.at(0, input_size=4, P=0, D=1)
    with pytest.raises(ArgumentError, match=r"must be among the symbolic parameters \(D, I, K, P, S\), got 'Q'"):
        formula.at(0, input_size=4, **good, Q=1)
    with pytest.raises(ArgumentError, match="must be among the symbolic parameters"):
        formula.at(0, input_size=4, **good, I=4)
    with pytest.raises(GeometryError, match="fails at D=1, I=4, K=5, P=0"):
        formula.matrix(4, **{**good, "K": 5})


def test_the_order_of_a_norm_is_a_number_where_numbers_are_wanted() -> None:
    formula = LPPool(sympy.Symbol("p"), (2,)).output()
    tensors = {"a": [3, -4]}
    for two in (2, 2.0, Fraction(2), Decimal(2), sympy.Integer(2)):
        assert formula.values(tensors, 2, p=two) == {(0,): 5}
    for exact in (1.5, Fraction(3, 2), Decimal("1.5"), sympy.Rational(3, 2)):
        assert str(formula.at(0, input_size=2, p=exact)) == "(Abs(a[0])**(3/2) + Abs(a[1])**(3/2))**(2/3)"
    for bad in (0, 0.5, "2", True, None, INF, float("nan"), n):
        with pytest.raises(ArgumentError, match="p must be a number >= 1, got "):
            formula.values(tensors, 2, p=bad)
    with pytest.raises(ArgumentError, match="parameters must give a number for p"):
        formula.values(tensors, 2)


def test_numbers_for_tensors() -> None:
    formula = Conv((2, 1)).output()
    good: dict[str, Any] = {"a": [[1, 2], [3, 4]], "b": [[1], [10]]}
    assert list(formula.values(good, (2, 2)).values()) == [31, 42]
    for bad, says in (
        ([[1, 2]], r"must have shape \(2, 2\), but has 1 where axis 0 needs 2"),
        ([[1, 2], [3, 4], [5, 6]], r"has 3 where axis 0 needs 2"),
        ([[1, 2], [3]], r"has 1 where axis 1 needs 2"),
        ([1, 2], r"has a single number where axis 1 needs 2"),
        (7, r"has a single number where axis 0 needs 2"),
        ("ab", r"has a single number where axis 0 needs 2"),
        (["ab", "cd"], r"has a single number where axis 1 needs 2"),
        ([["a", "b"], ["c", "d"]], "must have real numbers as entries, got 'a'"),
        ([[n, 1], [1, 1]], "must have real numbers as entries, got n; see .at"),
        ([[None, 1], [1, 1]], "must have real numbers as entries, got None"),
    ):
        with pytest.raises(ArgumentError, match=r"tensors\['a'\] must .*" + says.removeprefix("must ")):
            formula.values({**good, "a": bad}, (2, 2))
    with pytest.raises(ArgumentError, match=r"tensors must give a value for b, got \('a',\)"):
        formula.values({"a": good["a"]}, (2, 2))


def test_numbers_stay_exact() -> None:
    import numpy as np

    formula = Conv((2,)).output()
    for tenth in (Decimal("0.1"), Fraction(1, 10), sympy.Rational(1, 10)):
        assert formula.values({"a": [tenth, tenth], "b": [1, 2]}, 2) == {(0,): Fraction(3, 10)}
    whole = formula.values({"a": np.array([1, 2]), "b": np.array([3, 4], dtype=np.int8)}, 2)[0,]
    assert (whole, type(whole)) == (11, Fraction)
    assert formula.values({"a": [0.5, 1], "b": [1, 1]}, 2) == {(0,): 1.5}


def test_variables_bases_and_names() -> None:
    for wrt in ("weights", "bias", "output", None):
        with pytest.raises(ArgumentError, match="wrt must be a variable of Conv: input, weight, got "):
            Conv((2,)).gradient(wrt)  # type: ignore[arg-type]
        with pytest.raises(ArgumentError, match="wrt must be a variable of MaxPool: input, got "):
            MaxPool((2,)).derivative(wrt)  # type: ignore[arg-type]
    for base in (2, -1, True, False, 1.0, "1", None):
        with pytest.raises(ArgumentError, match="index_base must be 0 or 1, got "):
            Conv((2,)).output(index_base=base)  # type: ignore[arg-type]
    for names, says in (
        ({"inputs": "x"}, "names must use the keys .* got 'inputs'; did you mean 'input'"),
        ({"input": "b", "weight": "b"}, "must not stand for both"),
        ({"input": "p", "output_index": "pq"}, "must not stand for both"),
        ({"output_index": "pp"}, "must have a different letter for every axis"),
        ({"input": "x y"}, "must be a short name of letters"),
        ({"input": "\\alpha"}, "must be a short name of letters"),
        ({"input": 3}, "must be a short name of letters"),
        ({"input": ""}, "must be a short name of letters"),
        ({"input_index": "i1"}, "must be one to three letters"),
        ({"input_index": "ijkl"}, "must be one to three letters"),
    ):
        with pytest.raises(ArgumentError, match=says):
            Conv((2,)).output(names=names)  # type: ignore[arg-type]


def test_the_subdifferential_is_no_formula() -> None:
    op = MaxPool(2, ties="set")
    assert op.output_size((4, 4)) == (2, 2)
    assert op.output().text() == MaxPool(2).output().text()
    for call in (op.gradient, op.derivative):
        with pytest.raises(NotSupportedError, match="ties='set' is a set, not a formula; use ties='first' or 'split'"):
            call()


def test_a_name_cannot_stand_for_two_symbols() -> None:
    other = sympy.Symbol("n", integer=True)
    with pytest.raises(ArgumentError, match="two different symbols that are both called n"):
        Conv((n,), stride=other).output()
    with pytest.raises(ArgumentError, match="norm_type must not have the name of another symbol"):
        LPPool(sympy.Symbol("n"), (n,)).output()
    with pytest.raises(ArgumentError, match="two different symbols that are both called n"):
        Conv((n,)).output_size(other)


def test_generic_keeps_only_what_there_is() -> None:
    with pytest.raises(ArgumentError, match="keep must be among kernel_size, stride, padding, dilation, got 'strides'"):
        Conv(3).generic(keep=("strides",))


@pytest.mark.parametrize("size", [(256, 256), (1000, 1000), (4096, 4096)])
def test_sizes_that_would_explode_are_counted_first(size: tuple[int, int]) -> None:
    import time

    op = Conv((3, 3))
    calls: list[tuple[Callable[[], object], str]] = [
        (
            lambda: op.derivative().matrix(size),
            r"would have [\d,]+ entries \(limit 100,000\); use \.sparse\(input_size\)",
        ),
        (lambda: op.derivative("weight").matrix(size), r"\(limit 100,000\); use \.sparse"),
    ]
    if size[0] > 256:
        calls.append((lambda: op.derivative().sparse(size), r"more than 1,000,000 index points .* use \.at\("))
        calls.append((lambda: op.gradient().matrix(size), r"or \.at\(\.\.\.\) for one"))
        calls.append((lambda: op.gradient().sparse(size), r"use \.at\("))
    if size[0] > 1000:
        calls.append((lambda: op.gradient().polynomials(size), r"more than 1,000,000 terms"))
    start = time.process_time()
    for call, says in calls:
        with pytest.raises(SizeLimitError, match=says):
            call()
    assert time.process_time() - start < 2
    at = op.gradient().at(200, 100, input_size=size)
    assert len(at.args) == 9
