"""PyTorch's layers read by `from_torch` and `from_text`: sizes and values against PyTorch itself."""

from __future__ import annotations

import inspect
import warnings
from contextlib import suppress
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from symconv.errors import ArgumentError, GeometryError, NotSupportedError, SymconvError
from symconv.kernels.compile import compile
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.convolution import Conv
from symconv.operators.importers.imported import ConventionWarning
from symconv.operators.importers.text import from_text
from symconv.operators.importers.torch import FAMILIES, from_torch, read_module
from symconv.operators.patches import Fold, Unfold
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose
from symconv.operators.unpooling import MaxUnpool

torch = pytest.importorskip("torch", reason="the importer of PyTorch's layers is held against PyTorch")
nn = torch.nn
thorough = settings(max_examples=100, deadline=None, derandomize=True)
often = settings(max_examples=300, deadline=None, derandomize=True)
quick = settings(max_examples=30, deadline=None, derandomize=True)


def image(layer: Any, channels: int, sizes: tuple[int, ...]) -> Any:
    """A random input, and what PyTorch makes of it; None where PyTorch refuses the sizes."""
    x = torch.from_numpy(np.random.default_rng(sum(sizes)).normal(size=(2, channels, *sizes)))
    try:
        return x, layer.double()(x).detach().numpy()
    except (RuntimeError, ValueError, TypeError):
        return x, None


def layer_of(draw: Any, family: str, ndim: int) -> tuple[Any, int]:
    """A layer of a family with drawn options, and its number of channels."""

    def entry(low: int, high: int) -> Any:
        if draw(st.booleans()):
            return draw(st.integers(low, high))
        return tuple(draw(st.integers(low, high)) for _ in range(ndim))

    kind = getattr(nn, f"{family}{ndim}d")
    if family in ("Conv", "ConvTranspose"):
        groups = draw(st.sampled_from([1, 2]))
        ins, outs = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
        options: dict[str, Any] = {"stride": entry(1, 3), "padding": entry(0, 2), "dilation": entry(1, 2)}
        if family == "Conv":
            options["padding_mode"] = draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"]))
            if options["stride"] == 1:
                options["padding"] = draw(st.sampled_from(["same", "valid", 1]))
        else:
            options["output_padding"] = entry(0, 1)
        return kind(ins, outs, entry(1, 3), groups=groups, bias=draw(st.booleans()), **options), ins
    if family.startswith("Adaptive"):
        return kind(entry(1, 4)), 2
    pool: dict[str, Any] = {"stride": draw(st.none()) if draw(st.booleans()) else entry(1, 3)}
    if family == "LPPool":
        return kind(draw(st.sampled_from([2, 4])), entry(1, 3), **pool), 2
    pool |= {"padding": draw(st.integers(0, 1)), "ceil_mode": draw(st.booleans())}
    if family == "MaxPool":
        pool["dilation"] = entry(1, 2)
    else:
        pool["count_include_pad"] = draw(st.booleans())
        if ndim > 1:
            pool["divisor_override"] = draw(st.sampled_from([None, 3]))
    return kind(entry(1, 3) if ndim > 1 else draw(st.integers(1, 3)), **pool), 2


@st.composite
def layers(draw: Any, *families: str) -> tuple[Any, int, tuple[int, ...]]:
    """A layer, its channels, and input sizes."""
    ndim = draw(st.integers(1, 3))
    layer, channels = layer_of(draw, draw(st.sampled_from(families)), ndim)
    return layer, channels, tuple(draw(st.integers(1, 8 if ndim < 3 else 5)) for _ in range(ndim))


@thorough
@given(layers("Conv", "MaxPool", "AvgPool", "LPPool", "ConvTranspose", "AdaptiveAvgPool", "AdaptiveMaxPool"))
def test_output_sizes_are_those_of_pytorch(case: Any) -> None:
    layer, channels, sizes = case
    _, theirs = image(layer, channels, sizes)
    assume(theirs is not None)
    op = from_torch(layer)
    assert op.output_size(sizes) == theirs.shape[2:]
    if isinstance(op, Conv | ConvTranspose):
        assert op.out_channels == theirs.shape[1]


@thorough
@given(layers("Conv", "MaxPool", "AvgPool", "LPPool", "ConvTranspose", "AdaptiveAvgPool", "AdaptiveMaxPool"))
def test_kernels_give_the_values_of_pytorch(case: Any) -> None:
    layer, channels, sizes = case
    x, theirs = image(layer, channels, sizes)
    assume(theirs is not None)
    parameters = [parameter.detach().numpy() for parameter in layer.parameters()]
    ours = compile(from_torch(layer))(x.numpy(), *parameters)
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)


@quick
@given(layers("Conv", "MaxPool", "LPPool", "ConvTranspose", "AdaptiveAvgPool", "AdaptiveMaxPool"))
def test_what_pytorch_prints_is_the_same_operator(case: Any) -> None:
    layer, _, _ = case
    try:
        op = from_torch(layer)
    except ArgumentError:  # what PyTorch refuses to run
        with pytest.raises(ArgumentError, match="in PyTorch"):
            from_text(str(layer))
        return
    assert from_text(str(layer)) == op


@quick
@given(layers("AvgPool"))
def test_what_pytorch_does_not_print_of_an_average_is_said(case: Any) -> None:
    layer, _, _ = case
    assume((np.asarray(layer.padding) <= np.asarray(layer.kernel_size) // 2).all())  # else PyTorch refuses to run it
    with pytest.warns(ConventionWarning, match="does not print ceil_mode, count_include_pad"):
        op: Any = from_text(str(layer))
    printed: Any = from_torch(layer)
    assert (op.kernel_size, op.stride, op.padding) == (printed.kernel_size, printed.stride, printed.padding)
    assert op == AvgPool(printed.kernel_size, printed.stride, printed.padding)


def test_each_family_becomes_its_operator() -> None:
    assert from_torch(nn.Conv2d(16, 32, 3, 2, 1, groups=4)) == Conv(3, 2, 1, 1, 4, 16, 32, bias=True)
    assert from_torch(nn.Conv1d(2, 3, 4, padding="same", bias=False)) == Conv((4,), 1, "same", 1, 1, 2, 3)
    assert from_torch(nn.ConvTranspose3d(2, 4, 3, 2, 1, 1, 2, False, 2)) == ConvTranspose(
        (3, 3, 3), 2, 1, 1, 2, 2, 2, 4
    )
    assert from_torch(nn.MaxPool2d(3, 2, 1, 2, return_indices=True, ceil_mode=True)) == MaxPool(3, 2, 1, 2, True)
    assert from_torch(nn.AvgPool1d(3)) == AvgPool((3,))
    assert from_torch(nn.AvgPool2d(3, divisor_override=5)) == AvgPool(3, divisor_override=5)
    assert from_torch(nn.AdaptiveAvgPool2d((2, 3))) == AdaptiveAvgPool((2, 3))
    assert from_torch(nn.AdaptiveMaxPool1d(4)) == AdaptiveMaxPool((4,))
    assert from_torch(nn.Unfold((2, 3), 1, 1, 2), channels=3) == Unfold((2, 3), 2, 1, 1, 3)
    assert from_torch(nn.Fold((6, 7), (2, 3), 1, 1, 2)) == Fold((6, 7), (2, 3), 2, 1)
    assert from_torch(nn.MaxUnpool2d(2)) == MaxUnpool(2)


@pytest.mark.parametrize("family", FAMILIES)
def test_positional_arguments_come_in_the_order_of_pytorch(family: str) -> None:
    kinds = [family] if family in ("Unfold", "Fold") else [f"{family}{n}d" for n in (1, 2, 3)]
    for kind in kinds:
        stated = [
            (option, "required" if entry.default is entry.empty else entry.default)
            for option, entry in inspect.signature(getattr(nn, kind)).parameters.items()
            if option not in ("device", "dtype")
        ]
        ours = [
            (option, default if is_default(default) else "required") for option, default in FAMILIES[family].signature
        ]
        assert stated == [entry for entry in ours if kind != "AvgPool1d" or entry[0] != "divisor_override"]


def is_default(value: object) -> bool:
    return value is None or isinstance(value, int | str)


def test_an_axis_that_keeps_its_size_needs_the_input() -> None:
    layer = nn.AdaptiveAvgPool2d((None, 3))
    with pytest.raises(NotSupportedError, match=r"keeps the size of an axis \(None\).*give input_size"):
        from_torch(layer)
    assert from_torch(layer, input_size=(7, 9)) == AdaptiveAvgPool((7, 3))
    with pytest.raises(ArgumentError, match="input_size must be integers >= 1, 2 of them"):
        from_torch(layer, input_size=(7,))


@pytest.mark.parametrize("p", [1, 2.5, 3])
def test_lp_pooling_without_the_absolute_value_is_said(p: float) -> None:
    with pytest.warns(ConventionWarning, match=f"takes no absolute value: for norm_type={Fraction(p)}"):
        op = from_torch(nn.LPPool1d(p, 2, 1))
    assert op == LPPool(p, (2,), 1)
    # where no input is negative they agree, and where one is they may not
    positive, mixed = (torch.tensor([[entries]], dtype=torch.float64) for entries in ([1.0, 2.0], [1.0, -2.0]))
    layer = nn.LPPool1d(p, 2, 1)
    np.testing.assert_allclose(compile(op)(positive.numpy()), layer(positive).numpy())
    assert not np.allclose(compile(op)(mixed.numpy()), layer(mixed).numpy(), equal_nan=True)


def test_the_gradient_of_a_sum_of_absolute_values_at_0_is_said() -> None:
    with pytest.warns(ConventionWarning, match="the derivative of PyTorch's LPPool at an entry 0 is 1"):
        op = from_torch(nn.LPPool1d(1, 2))
    x = torch.tensor([[[0.0, 3.0]]], requires_grad=True)
    nn.LPPool1d(1, 2)(x).sum().backward()
    assert x.grad.tolist() == [[[1, 1]]]
    assert compile(op).vjp(np.ones((1, 1, 1)), x.detach().double().numpy()).input.tolist() == [[[0, 1]]]


def test_the_gradient_of_a_window_in_the_padding_is_said() -> None:
    layer = nn.MaxPool2d((1, 2), 1, (0, 1), (1, 2))
    with pytest.warns(ConventionWarning, match="a max window that lies wholly in the padding"):
        op = from_torch(layer)
    x = torch.tensor([[[[1.0], [2.0]]]], requires_grad=True)  # taps before and after the one column
    y = layer(x)
    y[0, 0, 0, 0].backward()  # that of the second row would be written behind the array
    assert x.grad.tolist() == [[[[0], [1]]]]
    kernel, given = compile(op), x.detach().double().numpy()
    assert (kernel(given) == -np.inf).all()
    assert kernel.vjp(np.ones((1, 1, 2, 1)), given).input.tolist() == [[[[0], [0]]]]


@pytest.mark.parametrize(
    ("options", "n", "dead"),
    [((2, 1, 1, 2), 1, True), ((2, 1, 1, 2), 2, False), ((2, 1, 1, 3), 2, True), ((3, 2, 1, 2), None, False),
     ((3, 2, 1, 1), None, False), ((4, 1, 2, 3), 6, False), ((4, 4, 1, 9), None, False), ((2, 1, 1, 2), None, True)],
)  # fmt: skip
def test_windows_in_the_padding_are_those_that_counting_finds(options: Any, n: int | None, dead: bool) -> None:
    kernel, stride, padding, dilation = options
    sizes = range(1, 40) if n is None else (n,)
    found = False
    for size in sizes:
        outputs = (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        for o in range(outputs):
            found |= not any(0 <= o * stride - padding + dilation * m < size for m in range(kernel))
    assert found is dead
    read = read_module(nn.MaxPool1d(*options), input_size=None if n is None else (n,))
    assert bool(read.notes) is dead
    assert read.exact


def test_lp_pooling_under_ceil_mode_is_said() -> None:
    layer = nn.LPPool1d(2, 2, 2, ceil_mode=True)
    with pytest.warns(ConventionWarning, match="scaled by its number of taps over those inside"):
        op = from_torch(layer)
    x = torch.tensor([[[3.0, 4.0, 1.0]]])
    assert compile(op)(x.numpy()).ravel().tolist() == [5.0, 1.0]
    np.testing.assert_allclose(layer(x).numpy().ravel(), [5.0, 2**0.5], rtol=1e-6)


@pytest.mark.parametrize("p", [2, 4, float("inf")])
def test_lp_pooling_that_agrees_is_silent(p: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from_torch(nn.LPPool2d(p, 2))
        from_torch(nn.MaxUnpool2d(2))
    with pytest.warns(ConventionWarning, match="PyTorch keeps one of them"):
        from_torch(nn.MaxUnpool2d(3, 2))


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (nn.LazyConv2d(3, 3), r"LazyConv2d does not know its input channels.*write Conv2d"),
        (nn.Sequential(nn.Conv2d(1, 1, 1)), r"Sequential holds several layers.*model\[0\]"),
        (nn.Embedding(3, 4), "Embedding is not a layer with windows that is known here; known are Conv1d"),
        (SimpleNamespace(), "SimpleNamespace is not a layer with windows"),
    ],
)
def test_other_modules_are_refused(layer: Any, message: str) -> None:
    with pytest.raises(NotSupportedError, match=message):
        from_torch(layer)


def test_a_layer_without_its_attributes_is_refused() -> None:
    fake = type("MaxPool2d", (), {"kernel_size": 2})()
    with pytest.raises(ArgumentError, match="MaxPool2d: stride must be an attribute of the layer"):
        from_torch(fake)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("Conv2d(3, 4, 3, strid=2)", NotSupportedError, "Conv2d has strid=2.*did you mean 'stride'"),
        ("Conv2d(3, 4, 3, kernel_size=2)", ArgumentError, "Conv2d: kernel_size must be given once"),
        ("Conv2d(3, 4, 3, stride=1, stride=2)", ArgumentError, "stride was given before"),
        ("Conv2d(3)", ArgumentError, "Conv2d: out_channels must be given"),
        ("Conv2d(3, 4, (3, 3, 3))", ArgumentError, "kernel_size must be one integer or 2 of them"),
        ("Conv2d(3, 4, 3, padding=sam)", ArgumentError, "padding must be integers, 'same' or 'valid'"),
        ("Conv2d(3, 4, 3, padding=-1)", ArgumentError, "padding must not be negative in PyTorch"),
        ("Conv2d(3, 4, 3, bias=0)", ArgumentError, "bias must be True or False"),
        ("Conv2d(3, 4, 3, groups=2)", GeometryError, "in_channels must be divisible by groups=2"),
        ("MaxPool2d(2, padding='same')", ArgumentError, "padding must be integers"),
        ("AvgPool1d(3, divisor_override=2)", NotSupportedError, "AvgPool1d has divisor_override=2"),
        ("ConvTranspose2d(1, 1, 3, padding_mode='reflect')", NotSupportedError, "no padding_mode but 'zeros'"),
        ("conv2d(3, 4, 3)", NotSupportedError, "did you mean Conv2d"),
        ("MaxPool2d(1, 2, 3, 4, 5, 6, 7)", ArgumentError, "arguments must be at most 6"),
        ("Conv2d", ArgumentError, "column 7 must be an opening bracket after Conv2d"),
        ("Conv2d(3, 4, (3", ArgumentError, r"column 16 must be closed by '\)'"),
        ("Conv2d(3, 4, 9**9**9)", ArgumentError, "column 15 must be a name, a number or a bracket"),
        ("__import__('os').system('true')", ArgumentError, "column 17"),
        ("Conv2d(3, 4, 3) x", ArgumentError, "must be the end of the text after one layer"),
        ("Conv2d(3, 4, " + "(" * 100, ArgumentError, "nested at most 40 deep"),
        ("Conv2d(3, 4, " + "9" * 30 + ")", ArgumentError, "at most 20 characters"),
        ("Conv2d(3, 4, ٣)", ArgumentError, "must be a name, a number or a bracket"),
        ("", ArgumentError, "must be a layer such as"),
        ("x" * 2_000_000, ArgumentError, "must have at most 1,000,000"),
    ],
)
def test_text_that_is_no_layer_is_refused(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        from_text(text)


LAYER = "Conv2d(16, 32, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), groups=4)"


@often
@given(st.integers(0, len(LAYER)), st.integers(0, 3), st.text("(),=[]'\"0123456789.-eE xNoTrue\n:٣", max_size=6))
def test_text_with_a_slip_is_refused_and_never_runs_into_an_error_of_python(at: int, cut: int, slip: str) -> None:
    text = LAYER[:at] + slip + LAYER[at + cut :]
    with suppress(SymconvError):
        assert isinstance(from_text(text), Conv)


def test_text_as_it_is_typed() -> None:
    assert from_text("nn.Conv2d(3, 64, 7, 2, 3, bias=False)") == Conv(7, 2, 3, in_channels=3, out_channels=64)
    assert from_text("torch.nn.MaxPool2d([3, 3], stride=2)") == MaxPool(3, 2)
    assert from_text("LPPool2d(inf, 2)") == LPPool(float("inf"), 2)
    assert from_text("Conv1d(1, 1, (3,), padding='same')") == Conv((3,), padding="same", bias=True)
    assert from_text("Unfold(kernel_size=3, dilation=1, padding=0, stride=1)", channels=2) == Unfold(3, in_channels=2)
    with pytest.raises(ArgumentError, match="Conv2d: channels must be the 3 that the layer takes"):
        from_text("nn.Conv2d(3, 64, 7)", channels=4)
    assert from_text("AdaptiveAvgPool2d((None, 7))", input_size=(5, 9)) == AdaptiveAvgPool((5, 7))


class Derived(nn.Conv2d):  # type: ignore[misc]
    """A subclass that computes what its base does."""


class Bent(nn.Conv2d):  # type: ignore[misc]
    """A subclass with a forward of its own."""

    def forward(self, x: Any) -> Any:
        return super().forward(x) * 2


@pytest.mark.filterwarnings("error::symconv.operators.importers.imported.ConventionWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning:torch")
def test_layers_that_are_derived_from_others() -> None:
    expected = Conv((3, 3), in_channels=2, out_channels=4, bias=True)
    quantised = torch.ao.nn.quantized
    assert from_torch(Derived(2, 4, 3)) == expected
    assert from_torch(torch.nn.utils.parametrizations.weight_norm(nn.Conv2d(2, 4, 3))) == expected
    assert from_torch(quantised.Conv2d(2, 4, 3)) == expected
    assert from_torch(quantised.Conv2d(2, 4, 3, bias=False)) == Conv((3, 3), in_channels=2, out_channels=4)


def test_what_a_derived_layer_does_besides_is_said() -> None:
    expected = Conv((3, 3), in_channels=2, out_channels=4, bias=True)
    with pytest.warns(ConventionWarning, match="Bent has a forward of its own, and was read as the Conv2d"):
        assert from_torch(Bent(2, 4, 3)) == expected
    fused = torch.ao.nn.intrinsic.ConvReLU2d(nn.Conv2d(2, 4, 3), nn.ReLU())
    with pytest.warns(ConventionWarning, match="the ReLU of ConvReLU2d comes after the operator"):
        assert from_torch(fused) == expected


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            nn.Sequential(nn.Conv2d(1, 1, 1)),
            r"^Sequential holds several layers .* give the whole to network_from_torch",
        ),
        (nn.TransformerEncoderLayer(4, 2), r"^TransformerEncoderLayer holds several layers"),
        (nn.MaxPool2d(2, padding=2), r"^MaxPool2d: padding must be at most half of the kernel size"),
        (nn.AvgPool1d(3, padding=2), r"^AvgPool1d: padding must be at most half of the kernel size"),
        (
            nn.ConvTranspose2d(2, 2, 3, stride=2, output_padding=2),
            r"^ConvTranspose2d: output_padding must be smaller than the stride or the dilation",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_pytorch_itself_refuses_when_it_runs(layer: Any, message: str) -> None:
    with pytest.raises(SymconvError, match=message):
        from_torch(layer)
    if not list(layer.children()):
        with pytest.raises(RuntimeError):
            layer(torch.zeros((1, 2, 9, 9)[: 4 - ("1d" in type(layer).__name__)]))


def test_what_pytorch_allows_is_read() -> None:
    for layer in (nn.MaxPool2d(5, dilation=2, padding=2), nn.ConvTranspose2d(2, 2, 3, dilation=3, output_padding=2)):
        assert from_torch(layer).output_size((9, 9)) == tuple(layer(torch.zeros(1, 2, 9, 9)).shape[2:])
