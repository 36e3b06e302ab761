"""The measured errors of F(m, r): against loops that round in the same order, and where they must grow or vanish."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from symconv.derivations.winograd import nested
from symconv.derivations.winograd.accuracy import DTYPES, MeasuredError, measure
from symconv.errors import ArgumentError

np = pytest.importorskip("numpy")


def test_a_direct_sum_and_an_algorithm_round_as_loops_do() -> None:
    """The same draws again, tile by tile, every product and sum rounded to float32, the reference in fractions."""
    f = nested(4, 3)
    axis, tiles = f.axes[0], 7
    found = measure(f, "float32", tiles=tiles, seed=5)
    generator = np.random.default_rng(5)
    kernels = generator.integers(1 - 2**24, 2**24, (tiles, 3))
    inputs = generator.integers(1 - 2**24, 2**24, (tiles, 6))
    single, exact, plain, fast = np.float32, [], [], []

    def transformed(matrix: object, vector: list[object]) -> list[object]:
        result = []
        for row in matrix:  # type: ignore[attr-defined]
            terms = [single(float(a)) * x for a, x in zip(row, vector, strict=True) if a]
            total = terms[0]
            for term in terms[1:]:
                total = total + term
            result.append(total)
        return result

    for kernel, tile in zip(kernels, inputs, strict=True):
        g, d = ([single(int(v) / 2**24) for v in values] for values in (kernel, tile))
        for i in range(4):
            exact.append(sum(Fraction(int(kernel[k]) * int(tile[i + k]), 2**48) for k in range(3)))
            plain.append((g[0] * d[i] + g[1] * d[i + 1]) + g[2] * d[i + 2])
        products = [a * b for a, b in zip(transformed(axis.G, g), transformed(axis.BT, d), strict=True)]
        fast += transformed(axis.AT, products)
    scale = math.sqrt(sum(float(value) ** 2 for value in exact) / len(exact))
    for name, values in (("direct", plain), ("winograd", fast)):
        errors = [abs(float(Fraction(float(v)) - e)) / scale for v, e in zip(values, exact, strict=True)]
        assert getattr(found, name).largest == pytest.approx(max(errors), rel=1e-12)
        assert getattr(found, name).rms == pytest.approx(math.sqrt(sum(e * e for e in errors) / len(errors)), rel=1e-9)


@pytest.mark.parametrize("dtype", DTYPES)
def test_errors_are_small_multiples_of_the_unit_roundoff(dtype: str) -> None:
    unit = 2.0 ** -DTYPES[dtype]
    found = measure(nested((2, 2), (3, 3)), dtype, tiles=50)
    assert 0 < found.direct.rms < 4 * unit
    assert 0 < found.winograd.rms < 8 * unit
    assert found.direct.rms < found.direct.largest < 40 * unit


def test_larger_tiles_lose_more() -> None:
    ratios = [measure(nested((m, m), (3, 3)), "float32", tiles=50).ratio for m in (1, 2, 4, 6)]
    assert ratios == sorted(ratios)
    assert ratios[2] > 5 > ratios[1] > 1


def test_one_product_alone_rounds_like_the_direct_sum() -> None:
    for dtype in DTYPES:
        found = measure(nested(1, 1), dtype)
        assert found.winograd == found.direct
        assert found.ratio == 1


def test_the_same_seed_gives_the_same_figures() -> None:
    f = nested((2, 3), (3, 2))
    first = measure(f, "float16", tiles=20, seed=3)
    assert measure(f, "float16", tiles=20, seed=3) == first
    assert measure(f, "float16", tiles=20, seed=4) != first


def test_an_overflow_is_an_infinite_error() -> None:
    found = measure(nested((12, 12), (5, 5)), "float16", tiles=5)
    assert math.isinf(found.winograd.rms)
    assert math.isfinite(found.direct.rms)


def test_a_direct_sum_without_error_has_no_ratio() -> None:
    found = measure(nested(1, 1), "float16")
    exact = MeasuredError("float16", 1, type(found.direct)(0.0, 0.0), found.winograd)
    assert math.isnan(exact.ratio)


def test_other_formats_and_no_tiles_are_refused() -> None:
    with pytest.raises(ArgumentError, match="dtype must be one of float16, float32, float64, got 'int8'"):
        measure(nested(2, 3), "int8")
    with pytest.raises(ArgumentError, match="tiles must be an integer >= 1, got 0"):
        measure(nested(2, 3), "float32", tiles=0)
