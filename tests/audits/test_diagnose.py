"""`diagnose`: conventions of other libraries, slips, gradients, what data leave open, and bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from audits import loops

import symconv as sc

RNG = np.random.default_rng(7)
X, W = RNG.integers(-9, 10, (5, 5)), RNG.integers(-5, 6, (3, 3))
PLAIN = loops.convolved(X[None, None], W[None, None], (1, 1), ((0, 0), (0, 0)), (1, 1), 1, "zeros", None)[0, 0]


def test_a_plain_correlation() -> None:
    (found,) = sc.diagnose(X, W, PLAIN)
    assert found.operator == sc.Conv((3, 3))
    assert (found.exact, found.error, found.off) == (True, 0.0, 0)
    assert found.reproduce == "sc.compile(sc.Conv(kernel_size=(3, 3)))(x, weight)"


@pytest.mark.parametrize(("mode", "padding"), [("same", ((2, 1),)), ("full", (3,)), ("valid", 0)])
def test_numpy_convolve(mode: Any, padding: Any) -> None:
    x, w = RNG.integers(-9, 10, 20), RNG.integers(-5, 6, 4)
    assert sc.diagnose(x, w, np.convolve(x, w, mode))[0].operator == sc.Conv((4,), padding=padding, flip=True)


def test_one_filter_for_every_channel_of_an_image() -> None:
    image, kernel = RNG.integers(0, 256, (8, 7, 3)), RNG.integers(-2, 3, (3, 3))
    planes = image.transpose(2, 0, 1)[:, None]
    y = loops.convolved(planes, kernel[None, None], (1, 1), ((1, 1), (1, 1)), (1, 1), 1, "reflect", None)
    found = sc.diagnose(image, kernel, y[:, 0].transpose(1, 2, 0))[0]
    assert found.operator == sc.Conv((3, 3), padding=1, padding_mode="reflect")
    assert found.layout == "input HWC, output HWC, weight HW; one filter for every channel"


def test_a_depthwise_filter_in_the_order_of_keras() -> None:
    x, w = RNG.integers(-9, 10, (6, 6, 4)), RNG.integers(-5, 6, (3, 3, 4, 2))
    filters = w.transpose(2, 3, 0, 1).reshape(8, 1, 3, 3)
    y = loops.convolved(x.transpose(2, 0, 1)[None], filters, (1, 1), ((0, 0), (0, 0)), (1, 1), 4, "zeros", None)
    found = sc.diagnose(x, w, y[0].transpose(1, 2, 0))[0]
    assert found.operator == sc.Conv((3, 3), groups=4, in_channels=4, out_channels=8)
    assert "weight HWGM" in found.layout


def test_channels_that_belong_to_their_group_by_the_remainder() -> None:
    x, w = RNG.integers(-9, 10, (1, 4, 6, 6)), RNG.integers(-5, 6, (6, 2, 3, 3))
    order = [0, 2, 1, 3]
    y = loops.convolved(x[:, order], w, (1, 1), ((0, 0), (0, 0)), (1, 1), 2, "zeros", None)
    found = sc.diagnose(x, w, y)[0]
    assert "input channel c belongs to group c mod 2" in found.layout
    assert np.array_equal(eval(found.reproduce, {"np": np, "sc": sc, "x": x, "weight": w}), y)


@pytest.mark.parametrize(("stride", "padding", "extra"), [(2, 1, 0), (2, 1, 1), (3, 0, 0)])
def test_a_transposed_convolution(stride: int, padding: int, extra: int) -> None:
    x, w = RNG.integers(-9, 10, (2, 4, 4)), RNG.integers(-5, 6, (2, 3, 3, 3))
    y = loops.spread(x, w, stride, padding, extra)
    wanted = sc.ConvTranspose(
        (3, 3), stride=stride, padding=padding, output_padding=extra, in_channels=2, out_channels=3
    )
    assert sc.diagnose(x, w, y)[0].operator == wanted


def test_an_output_with_its_axes_exchanged() -> None:
    found = sc.diagnose(X[:, :4], W, loops.convolved(
        X[None, None, :, :4], W[None, None], (1, 1), ((0, 0), (0, 0)), (1, 1), 1, "zeros", None
    )[0, 0].T)[0]  # fmt: skip
    assert "the output has its two axes exchanged" in found.layout


def test_one_slipped_digit_is_named() -> None:
    y = PLAIN.copy()
    y[1, 2] += 9
    found = sc.diagnose(X, W, y)[0]
    assert (found.fits, found.off, found.operator) == (False, 1, sc.Conv((3, 3)))
    (difference,) = found.differences
    assert (difference.index, difference.given, difference.due) == ((1, 2), y[1, 2], PLAIN[1, 2])


def test_a_slipped_entry_of_a_pooling_is_named() -> None:
    x = RNG.permutation(36).reshape(6, 6).astype(float)
    y = loops.pooled("average", x, (2, 2), (2, 2), (0, 0), False, True, 1)
    y[0, 1] += 1
    found = sc.diagnose(x, None, y)[0]
    assert (found.operator, [each.index for each in found.differences]) == (sc.AvgPool((2, 2)), [(0, 1)])


def test_the_line_for_an_average_of_integers_runs() -> None:
    x = RNG.integers(0, 100, (4, 6))
    y = loops.pooled("average", x.astype(float), (2, 2), (2, 2), (0, 0), False, True, 1)
    found = sc.diagnose(x, None, y)[0]
    assert np.array_equal(eval(found.reproduce, {"np": np, "sc": sc, "x": x}), y)


def test_a_long_list_of_differences_is_cut_and_says_so() -> None:
    x, w = RNG.integers(-9, 10, (12, 12)), RNG.integers(-5, 6, (3, 3))
    y = loops.convolved(x[None, None], w[None, None], (1, 1), ((0, 0), (0, 0)), (1, 1), 1, "zeros", None)[0, 0]
    y[:3, :8] += 1000
    found = sc.diagnose(x, w, y)[0]
    assert (found.off, len(found.differences)) == (24, 20)
    assert str(found).splitlines()[-1] == "    and 4 more"


def test_an_output_of_another_operator_is_called_so() -> None:
    (found,) = sc.diagnose(X, W, RNG.integers(100, 999, (3, 3)))
    assert not found.fits
    assert "hardly what made the output" in found.notes[0]


def test_a_search_that_was_cut_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symconv.audits.diagnose.MOST_OF_CONVOLUTIONS", 1)
    y = loops.convolved(X[None, None], W[None, None, ::-1], (2, 2), ((1, 1), (1, 1)), (1, 1), 1, "circular", None)
    assert "the search ended after 1 products" in sc.diagnose(X, W, y[0, 0])[0].notes[-1]


def test_no_operator_gives_an_output_that_is_far_too_large() -> None:
    assert sc.diagnose(X, W, np.zeros((200, 3), int)) == []


@pytest.mark.parametrize(("dtype", "fits"), [(np.float32, True), (np.float64, False)])
def test_the_tolerance_is_that_of_the_type(dtype: Any, fits: bool) -> None:
    """Sums of float32 are explained as such; called float64, the same numbers are off."""
    x, w = RNG.normal(size=(9, 9)).astype(np.float32), RNG.normal(size=(3, 3)).astype(np.float32)
    y = loops.convolved(x[None, None], w[None, None], (1, 1), ((0, 0), (0, 0)), (1, 1), 1, "zeros", None)[0, 0]
    found = sc.diagnose(x.astype(dtype), w.astype(dtype), y.astype(dtype))[0]
    assert (found.operator, found.fits) == (sc.Conv((3, 3)), fits)
    assert not found.exact
    assert (found.error <= found.bound) is fits


def test_what_the_data_leave_open_is_told_with_an_input_that_tells_it() -> None:
    symmetric = np.array([[0, 1, 0], [1, 3, 1], [0, 1, 0]])
    x = np.zeros((5, 5), int)
    x[2, 2] = 1
    y = loops.convolved(x[None, None], symmetric[None, None], (1, 1), ((1, 1), (1, 1)), (1, 1), 1, "zeros", None)
    found = sc.diagnose(x, symmetric, y[0, 0])
    assert found[0].operator == sc.Conv((3, 3), padding=1)
    others = {each.operator.padding_mode for each in found[1:] if isinstance(each.operator, sc.Conv)}
    assert {"reflect", "replicate", "circular"} <= others  # nothing is read at the border
    for each in found[1:]:
        if each.probe is not None:
            outputs = [
                eval(e.reproduce, {"np": np, "sc": sc, "x": each.probe.x, "weight": each.probe.weight})
                for e in (found[0], each)
            ]
            assert not np.array_equal(*outputs)
            assert np.array_equal(outputs[0], each.probe.outputs[0])


def test_the_rule_of_ties_is_read_off_the_gradient() -> None:
    x = np.array([[1, 1, 5, 2], [0, 1, 4, 5], [2, 3, 0, 0], [3, 1, 0, 0]])
    y, g = np.array([[1, 5], [3, 0]]), np.array([[6, 4], [2, 8]])
    split = np.array([[2, 2, 2, 0], [0, 2, 0, 2], [0, 1, 2, 2], [1, 0, 2, 2]])
    first = np.array([[6, 0, 4, 0], [0, 0, 0, 0], [0, 2, 8, 0], [0, 0, 0, 0]])
    for rule, gradient in (("split", split), ("first", first)):
        found = sc.diagnose(x, None, y, grad_output=g, grad_input=gradient)[0]
        assert (found.operator, found.gradients) == (sc.MaxPool((2, 2), ties=rule), {"input": ""})
        assert repr(found.operator) in found.reproduce
        assert hash(found) == hash(found)


def test_the_gradient_that_is_wrong_is_named_with_its_slip() -> None:
    g = RNG.integers(-3, 4, (3, 3))
    of_weight = np.array([[(X[a : a + 3, b : b + 3] * g).sum() for b in range(3)] for a in range(3)])
    of_input = np.zeros((5, 5), int)
    for p in range(3):
        for q in range(3):
            of_input[p : p + 3, q : q + 3] += g[p, q] * W
    found = sc.diagnose(X, W, PLAIN, grad_output=g, grad_input=of_input, grad_weight=of_weight[::-1, ::-1])[0]
    assert found.gradients == {"input": "", "weight": "wrong: it is reversed along its last 2 axes"}
    found = sc.diagnose(X, W, PLAIN, grad_output=g, grad_input=of_input, grad_weight=of_weight * 2)[0]
    assert found.gradients == {"input": "", "weight": "wrong: it is 2 times the right one"}


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((X, W, np.array([[np.nan]])), {}, "y must be finite"),
        ((X, W, np.zeros((1,) * 6)), {}, "y must be an array with 1 to 5 axes"),
        ((X, W, np.zeros((0, 3))), {}, "at least one entry"),
        (("x", W, PLAIN), {}, "x must have the dtype"),
        (([[1], [2, 3]], W, PLAIN), {}, "x must be an array of numbers"),
        ((X, W, PLAIN), {"grad_input": X}, "grad_output must be given with grad_input"),
        ((X, W, PLAIN), {"grad_output": PLAIN}, "grad_input must be given with grad_output"),
        ((X, W, PLAIN), {"grad_output": X, "grad_input": X}, r"grad_output must have the shape \(3, 3\)"),
        ((X, None, PLAIN), {"grad_output": PLAIN, "grad_weight": W}, "grad_weight must be left out"),
        ((X * 10**15, W * 10**4, PLAIN), {}, "no sum overflows"),
        ((X, W, PLAIN), {"progress": 3}, "progress must be a function"),
    ],
)
def test_bad_input(arguments: Any, options: Any, message: str) -> None:
    with pytest.raises(sc.ArgumentError, match=message):
        sc.diagnose(*arguments, **options)


def test_what_is_too_large_is_refused_before_it_is_looked_at() -> None:
    with pytest.raises(sc.SizeLimitError, match="at most 4,194,304 entries"):
        sc.diagnose(np.broadcast_to(np.int64(1), (10**5, 10**5)), W, PLAIN)


def test_progress_is_told() -> None:
    shares: list[float] = []
    sc.diagnose(X, W, PLAIN, progress=shares.append)
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] <= 1
