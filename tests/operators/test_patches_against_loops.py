"""Every formula of `Unfold`, `Fold` and `MaxUnpool` against plain loops, exactly."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from random import Random
from typing import Any

import oracles
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from loop_cases import computed, random_tensor, squeezed

from symconv.errors import GeometryError
from symconv.operators.patches import Fold, Unfold
from symconv.operators.pooling import MaxPool
from symconv.operators.unpooling import MaxUnpool

Point = tuple[int, ...]


@st.composite
def patches(draw: st.DrawFn) -> tuple[dict[str, Any], Point, Point]:
    """Options of a window, the image's size, and how many places the window has in it."""
    ndim = draw(st.sampled_from([1, 1, 2]))
    kernel, stride, dilation = (tuple(draw(st.integers(1, 3)) for _ in range(ndim)) for _ in range(3))
    padding = tuple((draw(st.integers(-1, 2)), draw(st.integers(-1, 2))) for _ in range(ndim))
    image = tuple(draw(st.integers(1, 7 if ndim == 1 else 4)) for _ in range(ndim))
    places = tuple(
        len(range(0, n + before + after - d * (k - 1), s)) if n + before + after > d * (k - 1) else 0
        for n, k, s, d, (before, after) in zip(image, kernel, stride, dilation, padding, strict=True)
    )
    assume(all(places))
    options = {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    return {**options, "in_channels": draw(st.sampled_from([1, 1, 3]))}, image, places


def links(options: dict[str, Any], image: Point, places: Point) -> list[tuple[Point, Point, Point]]:
    """``(tap, place, position)`` of every tap that lies in the image."""
    axes = zip(options["kernel_size"], options["stride"], options["padding"], options["dilation"], image, places)
    rows = [
        [(m, p, s * p + d * m - before) for m in range(k) for p in range(o) if 0 <= s * p + d * m - before < n]
        for k, s, (before, _), d, n, o in axes
    ]
    return [tuple(zip(*row, strict=True)) for row in product(*rows)]  # type: ignore[misc]


@settings(max_examples=50, deadline=None, derandomize=True)
@given(patches(), st.sampled_from([0, 1]))
def test_unfold_and_fold_are_those_of_loops(drawn: tuple[dict[str, Any], Point, Point], base: int) -> None:
    options, image, places = drawn
    channels = range(options["in_channels"])
    lead = (len(channels),) if len(channels) > 1 else ()
    x, patch = (
        random_tensor(Random(0), (*lead, *image)),
        random_tensor(Random(1), (*lead, *options["kernel_size"], *places)),
    )
    unfolded, folded = dict.fromkeys(patch.values, Fraction(0)), dict.fromkeys(x.values, Fraction(0))
    for h in product(*map(range, lead)):
        for tap, place, position in links(options, image, places):
            unfolded[(*h, *tap, *place)] = x.values[(*h, *position)]
            folded[(*h, *position)] += patch.values[(*h, *tap, *place)]
    unfold, fold = Unfold(**options), Fold(image, **options)
    assert unfold.output_size(image) == places
    assert fold.output_size(places) == image
    assert computed(unfold.output(index_base=base), {"a": x.nested()}, image) == unfolded
    assert computed(unfold.gradient(index_base=base), {"a": x.nested(), "g": patch.nested()}, image) == folded
    values = {
        tuple(i - base for i in at): v for at, v in fold.output(index_base=base).values({"a": patch.nested()}).items()
    }
    assert values == folded
    back = fold.gradient(index_base=base).values({"a": patch.nested(), "g": x.nested()})
    assert {tuple(i - base for i in at): v for at, v in back.items()} == unfolded


def test_a_fold_says_how_many_places_there_are() -> None:
    fold = Fold((5,), (2,), 2)
    assert repr(fold) == "Fold(output_size=(5,), kernel_size=(2,), stride=(2,))"
    with pytest.raises(GeometryError, match="must be 2 on axis 0"):
        fold.output_size((3,))
    with pytest.raises(GeometryError, match=r"^kernel_size needs an effective size of at most the padded input"):
        Fold((2,), (3,))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.sampled_from([0, 1]))
def test_unpooling_puts_maxima_back(n: int, width: int, kernel: int, stride: int, base: int) -> None:
    """Positions may repeat: their entries add up."""
    op = MaxUnpool((kernel, kernel), stride)
    rows, columns = (stride * (size - 1) + kernel for size in (n, width))
    random = Random(n)
    a = random_tensor(random, (n, width))
    z = oracles.full((n, width), 0).map(lambda _: Fraction(random.randrange(rows * columns)))
    g = random_tensor(random, (rows, columns))
    expected = dict.fromkeys(product(range(rows), range(columns)), Fraction(0))
    back = {}
    for at, value in a.values.items():
        place = divmod(int(z.values[at]), columns)
        expected[place] += value
        back[at] = g.values[place]
    tensors = {"a": a.nested(), "z": z.nested()}
    assert op.output_size((n, width)) == (rows, columns)
    assert computed(op.output(index_base=base), tensors, (n, width)) == expected
    assert computed(op.gradient(index_base=base), {**tensors, "g": g.nested()}, (n, width)) == back


def test_unpooling_inverts_pooling_but_for_what_was_not_the_maximum() -> None:
    x = random_tensor(Random(5), (1, 1, 4, 6))
    y, z = oracles.max_pool(x, 2)
    tensors = {"a": squeezed(y, (0, 1)).nested(), "z": squeezed(z.map(Fraction), (0, 1)).nested()}
    found = computed(MaxUnpool(2).output(), tensors, (2, 3))
    assert computed(MaxPool(2).output(), {"a": [[found[i, j] for j in range(6)] for i in range(4)]}, (4, 6)) == {
        at[2:]: max(value, Fraction(0)) for at, value in y.values.items()
    }
    assert str(MaxUnpool((1,)).output().at(0, input_size=1)) == "Piecewise((1, Eq(z[0], 0)), (0, True))*a[0]"
