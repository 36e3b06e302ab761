"""How kernels are made: tap forms, plans, the source that is run, what is remembered."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from symconv.errors import NotSupportedError
from symconv.formulas.algebra import Access
from symconv.formulas.index import Index, maximum
from symconv.formulas.walks import accesses
from symconv.kernels.compile import compile
from symconv.kernels.form.extraction import tap_form
from symconv.kernels.form.reading import WALK, walk_of
from symconv.kernels.programs.lambdified import emit
from symconv.kernels.programs.program import INFINITY, Apply, AxisPart, Copy, TapView, program_of
from symconv.kernels.runtime.layout import layout_of
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool


def test_a_walk_is_read_off_an_access() -> None:
    p, m = Index.of("p"), Index.of("m")
    walk = walk_of(maximum(2 * p - 3 * m + 5, 0), "p", "m", 4, ())
    assert (walk.stride, walk.step, walk.reach) == (2, -3, 9)
    assert walk.position == maximum(Index.of(WALK) + 5, 0)
    assert [walk.offset(tap) for tap in range(4)] == [9, 6, 3, 0]


@pytest.mark.parametrize("index", [Index.of("p") * Index.of("m"), maximum("p", "m"), Index.of("m")])
def test_an_access_along_no_walk_is_refused(index: Index) -> None:
    with pytest.raises(NotSupportedError, match=r"^no kernel can be made of an access at"):
        walk_of(index, "p", "m", 3, ())


def test_the_tap_form_has_no_positions_left() -> None:
    form = tap_form(Conv(3, 2, 1, groups=2, in_channels=4, out_channels=6, padding_mode="reflect", flip=True))
    (access,) = accesses(form.body, "a")
    assert access == Access("a", (Index.of("h"), Index.of("m"), Index.of("n")))
    assert form.channels is not None
    assert (form.channels.groups, form.channels.per_group_in, form.channels.per_group_out) == (2, 2, 3)
    assert [(walk.stride, walk.step) for walk in form.walks] == [(2, -1), (2, -1)]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("zeros", "..0123.."), ("reflect", "21012321"), ("replicate", "00012333"), ("circular", "23012301")],
)
def test_the_border_is_read_off_the_formula(mode: str, expected: str) -> None:
    layout = layout_of(tap_form(Conv((3,), padding=2, padding_mode=mode)), (4,))
    (axis,) = layout.axes
    shown = ["."] * axis.length
    shown[axis.inner] = "0123"[axis.source]
    for place, origin in zip(axis.border.tolist(), axis.origin.tolist(), strict=True):
        shown[place] = shown[origin]
    assert "".join(shown) == expected


def test_negative_padding_is_a_view() -> None:
    layout = layout_of(tap_form(MaxPool((2,), 1, ((-1, -2),))), (7,))
    assert layout.plain
    assert layout.axes[0].source == slice(1, 5)


def test_counts_are_evaluated_along_one_axis() -> None:
    form = tap_form(AvgPool((3, 2), (2, 1), 1, count_include_pad=False))
    layout = layout_of(form, (5, 2))
    assert [axis.count is not None and axis.count.tolist() for axis in layout.axes] == [[2, 3, 2], [1, 2, 1]]


def test_the_source_is_what_runs() -> None:
    source = compile(MaxPool((3,), 2)).source
    assert source == (
        "# MaxPool(kernel_size=(3,), stride=(2,)), plan 'taps'\n"
        "import numpy\n\n\n"
        "def forward(a, c, e0):\n"
        "    a_0 = a[..., :e0:2]\n"
        "    a_1 = a[..., 1:e0 + 1:2]\n"
        "    a_2 = a[..., 2:e0 + 2:2]\n"
        "    c = numpy.maximum(a_0, a_1, out=c)\n"
        "    c = numpy.maximum(c, a_2, out=c)\n"
        "    return c\n"
    )
    assert "numpy.multiply(a_0_1, b_0_1, out=t0)" in compile(Conv(3), plan="taps").source
    assert "numpy.greater(" in compile(MaxPool(2)).gradient_source


def test_a_program_prints_exact_numbers_and_views() -> None:
    steps = [
        TapView("v", "a", (AxisPart(), AxisPart(2, "n", 3, 5))),
        Apply("c", "multiply", ("v", Fraction(1, 4))),
        Apply("c", "positive", (INFINITY,), where="w"),
        Copy("d", "c"),
    ]
    emitted = emit(program_of("example", steps, ("c",)))
    assert emitted.program.parameters == ("a", "c", "w", "d", "n")
    assert emitted.source.splitlines() == [
        "def example(a, c, w, d, n):",
        "    v = a[..., :, 2:n - 3:3]",
        "    c = numpy.multiply(v, 1/4, out=c)",
        "    c = numpy.positive(numpy.inf, out=c, where=w)",
        "    d[...] = c",
        "    return c",
    ]
    a, c, d = np.arange(20.0).reshape(2, 10), np.empty((2, 2)), np.empty((2, 2))
    emitted.function(a, c, np.array([True, False]), d, 9)
    assert d.tolist() == [[np.inf, 1.25], [np.inf, 3.75]]


def test_the_size_of_the_code_does_not_depend_on_the_image() -> None:
    op = AvgPool(5, 1, 2)
    kernel = compile(op)
    before = kernel.source
    kernel(np.ones((40, 50)))
    kernel(np.ones((9, 9)))
    assert kernel.source == before


def test_programs_are_made_once() -> None:
    first, second = compile(LPPool(2, 3)), compile(LPPool(2, (3, 3)))
    assert first._compiled is second._compiled
    assert compile(LPPool(3, 3))._compiled is not first._compiled
    assert compile(LPPool(2, 3), plan="taps").plan == "taps"
    assert first.plan == "separable"


@pytest.mark.parametrize(
    ("op", "plan"),
    [(Conv(3), "rows"), (MaxPool(2), "separable"), (MaxPool((4,)), "taps"), (AvgPool((3, 1)), "taps")],
)
def test_plans_and_their_explanation(op: Any, plan: str) -> None:
    kernel = compile(op)
    assert kernel.plan == plan
    text = kernel.explain()
    assert f"plan: {plan}" in text
    assert "operations: " in text
    assert "bytes: " in text
