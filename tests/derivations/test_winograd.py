"""F(m, r): published matrices, the certificate, random points, nesting, costs, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import conv

from symconv.derivations.winograd import CookToom, certify, cook_toom, default_points, nested
from symconv.derivations.winograd.nested import Cost, Nested, kronecker
from symconv.derivations.winograd.toom_cook import MAX_SIZE
from symconv.errors import ArgumentError, SizeLimitError, SymconvError

Rows = Sequence[Sequence[Fraction]]
SMALL = [(m, r) for m in range(1, 7) for r in range(1, 6)]


def rows(text: str) -> tuple[tuple[Fraction, ...], ...]:
    return tuple(tuple(map(Fraction, row.split())) for row in text.split(";"))


def matrix(entries: Rows) -> str:
    return "; ".join(" ".join(map(str, row)) for row in entries)


def times(matrix: Rows, vector: Sequence[Fraction]) -> list[Fraction]:
    return [sum((a * b for a, b in zip(row, vector, strict=True)), start=Fraction(0)) for row in matrix]


def fast(f: CookToom, g: Sequence[Fraction], d: Sequence[Fraction]) -> list[Fraction]:
    """AT ((G g) * (BT d)), by loops."""
    return times(f.AT, [a * b for a, b in zip(times(f.G, g), times(f.BT, d), strict=True)])


def fast_2d(f: Nested, g: Rows, d: Rows) -> list[list[Fraction]]:
    """AT_1 ((G_1 g G_2^T) * (BT_1 d BT_2^T)) AT_2^T, by loops."""
    first, second = f.axes

    def both(left: Rows, array: Rows, right: Rows) -> list[list[Fraction]]:
        half = [times(right, row) for row in array]  # array right^T
        return [list(row) for row in zip(*(times(left, column) for column in zip(*half, strict=True)), strict=True)]

    kernel, tile = both(first.G, g, second.G), both(first.BT, d, second.BT)
    products = [[a * b for a, b in zip(*pair, strict=True)] for pair in zip(kernel, tile, strict=True)]
    return both(first.AT, products, second.AT)


def numbers(random: Random, count: int) -> list[Fraction]:
    return [Fraction(random.randint(-9, 9), random.randint(1, 9)) for _ in range(count)]


# ---------------------------------------------------------------------- matrices


def test_f_2_3_is_that_of_lavin_and_gray() -> None:
    f = cook_toom(2, 3)
    assert f.points == (0, 1, -1)
    assert matrix(f.AT) == "1 1 1 0; 0 1 -1 1"
    assert matrix(f.G) == "1 0 0; 1/2 1/2 1/2; 1/2 -1/2 1/2; 0 0 1"
    assert matrix(f.BT) == "1 0 -1 0; 0 1 1 0; 0 -1 1 0; 0 -1 0 1"


def test_f_4_3_is_that_of_lavin_and_gray() -> None:
    f = cook_toom(4, 3)
    assert f.points == (0, 1, -1, 2, -2)
    assert matrix(f.AT) == "1 1 1 1 1 0; 0 1 -1 2 -2 0; 0 1 1 4 4 0; 0 1 -1 8 -8 1"
    assert matrix(f.G) == "1/4 0 0; -1/6 -1/6 -1/6; -1/6 1/6 -1/6; 1/24 1/12 1/6; 1/24 -1/12 1/6; 0 0 1"
    assert matrix(f.BT) == "4 0 -5 0 1 0; 0 -4 -4 1 1 0; 0 4 -4 -1 1 0; 0 -2 -1 2 1 0; 0 2 -1 -2 1 0; 0 4 0 -5 0 1"


def test_one_output_or_one_tap_is_what_it_says() -> None:
    assert cook_toom(1, 1) == CookToom(1, 1, (), rows("1"), rows("1"), rows("1"))
    one_tap = cook_toom(3, 1)
    assert fast(one_tap, [Fraction(5)], [Fraction(n) for n in (1, 2, 3)]) == [5, 10, 15]
    one_output = cook_toom(1, 3)
    assert fast(one_output, [Fraction(n) for n in (1, 2, 3)], [Fraction(n) for n in (4, 5, 6)]) == [32]


@pytest.mark.parametrize(("m", "r"), SMALL)
def test_the_certificate_holds_and_the_outputs_are_a_correlation(m: int, r: int) -> None:
    f = cook_toom(m, r)
    assert f.certificate.holds
    assert f.certificate.shape == (m, r, m + r - 1)
    random = Random(100 * m + r)
    g, d = numbers(random, r), numbers(random, m + r - 1)
    assert fast(f, g, d) == conv([[d]], [[g]]).flat()
    for i, k, j in product(range(m), range(r), range(f.size)):  # the tensor, entry by entry and by definition
        entry = sum(f.AT[i][q] * f.G[q][k] * f.BT[q][j] for q in range(f.size))
        assert entry == (1 if j == i + k else 0)


@given(st.data())
@settings(derandomize=True, deadline=None, max_examples=60)
def test_any_distinct_points_give_a_correlation(data: st.DataObject) -> None:
    m, r = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 5))
    fractions = st.fractions(min_value=-20, max_value=20, max_denominator=12)
    points = data.draw(st.lists(fractions, min_size=m + r - 2, max_size=m + r - 2, unique=True))
    f = cook_toom(m, r, points)
    assert f.points == tuple(points)
    assert f.certificate.holds
    g = data.draw(st.lists(fractions, min_size=r, max_size=r))
    d = data.draw(st.lists(fractions, min_size=f.size, max_size=f.size))
    assert fast(f, g, d) == conv([[d]], [[g]]).flat()
    assert not f.points or f.G[0][0] > 0  # the sign of row 0


@given(st.sampled_from(["AT", "G", "BT"]), st.integers(0, 10**6), st.sampled_from(SMALL[1:]))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_one_wrong_entry_breaks_the_certificate(name: str, place: int, sizes: tuple[int, int]) -> None:
    f = cook_toom(*sizes)
    matrix = [list(row) for row in getattr(f, name)]
    row, column = divmod(place % (len(matrix) * len(matrix[0])), len(matrix[0]))
    matrix[row][column] += 1
    broken = replace(f, **{name: tuple(map(tuple, matrix))})
    assert not broken.certificate.holds
    assert broken.certificate.defect is not None
    i, k, j = broken.certificate.defect.index
    found = sum(broken.AT[i][q] * broken.G[q][k] * broken.BT[q][j] for q in range(f.size))
    assert broken.certificate.defect.found == found != broken.certificate.defect.needed == (j == i + k)


def test_points_are_read_from_text_as_well() -> None:
    by_text = cook_toom(4, 3, ["0", " 1", "-1", "1/2", "-0.25"])
    assert by_text == cook_toom(4, 3, [0, 1, -1, Fraction(1, 2), Fraction(-1, 4)])


def test_default_points_are_distinct_up_to_the_limit() -> None:
    points = default_points(MAX_SIZE - 1)
    assert len(set(points)) == MAX_SIZE - 1
    assert default_points(5) == points[:5]
    assert cook_toom(MAX_SIZE, 1).certificate.holds
    with pytest.raises(SizeLimitError, match=f"{MAX_SIZE - 1} default points"):
        default_points(MAX_SIZE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 3), "m must be an integer >= 1, got 0"),
        ((2, -1), "r must be an integer >= 1, got -1"),
        ((True, 3), "m must be an integer >= 1, got True"),
        ((2, 3, [0, 1]), "= 3 finite points for F(2, 3), infinity being one more, not 2"),
        ((2, 3, [0, 1, -1, 2]), "not 4, got (0, 1, -1, 2); for instance 0, 1, -1"),
        ((1, 1, [0]), "= 0 finite points for F(1, 1)"),
        ((2, 3, [0, 1, "2/2"]), "must be distinct, and 1 stands twice"),
        ((2, 3, [0, 1, "inf"]), "got 'inf'; infinity is always one more; leave it out"),
        ((2, 3, [0, 1, "1/0"]), "finite rational numbers such as -2 or 1/2, got '1/0'"),
        ((2, 3, [0, 1, "1e999999999"]), "finite rational numbers"),
        ((2, 3, [0, 1, "9" * 10**6]), "finite rational numbers"),
        ((2, 3, [0, 1, "__import__('os')"]), "finite rational numbers"),
        ((2, 3, [0, 1, 0.5]), "finite rational numbers such as -2 or 1/2, got 0.5"),
        ((2, 3, [0, 1, True]), "finite rational numbers"),
        ((20, 20), "F(20, 20) takes m + r - 1 = 39 multiplications, and the limit is 32"),
    ],
)
def test_what_can_not_be_built_is_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(SymconvError) as caught:
        cook_toom(*arguments)  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400


# ---------------------------------------------------------------------- nesting


@pytest.mark.parametrize(("m", "r"), [((2, 2), (3, 3)), ((4, 4), (3, 3)), ((2, 4), (3, 5)), ((1, 3), (4, 1))])
def test_a_nested_algorithm_is_a_correlation_on_two_axes(m: tuple[int, int], r: tuple[int, int]) -> None:
    f = nested(m, r)
    assert (f.outputs, f.taps, f.inputs) == (m, r, (m[0] + r[0] - 1, m[1] + r[1] - 1))
    assert f.certificate.holds
    assert f.certificate.shape == tuple(a * b for a, b in (m, r, f.inputs))
    random = Random(str((m, r)))
    g = [numbers(random, r[1]) for _ in range(r[0])]
    d = [numbers(random, f.inputs[1]) for _ in range(f.inputs[0])]
    assert [entry for row in fast_2d(f, g, d) for entry in row] == conv([[d]], [[g]]).flat()


def test_the_kronecker_certificate_finds_an_error_on_either_axis() -> None:
    good, other = nested((2, 3), (3, 2)).axes
    for axis in (good, other):
        broken = replace(axis, G=((Fraction(7), *axis.G[0][1:]), *axis.G[1:]))
        pair = (broken, other) if axis is good else (good, broken)
        assert not Nested(pair).certificate.holds


def test_a_kronecker_product_flattens_the_last_index_innermost() -> None:
    assert kronecker([rows("1 2"), rows("3 4; 5 6")]) == rows("3 4 6 8; 5 6 10 12")


def test_the_certificate_takes_other_inputs_than_a_correlation_reads() -> None:
    one = cook_toom(1, 1)
    assert certify(one.AT, one.G, one.BT, lambda i, k: 0).holds
    f = cook_toom(2, 2)
    backwards = tuple(tuple(reversed(row)) for row in f.BT)
    assert not certify(f.AT, f.G, backwards).holds
    assert certify(f.AT, f.G, backwards, lambda i, k: 2 - i - k).holds


def test_a_large_kronecker_product_is_refused_and_one_axis_is_not() -> None:
    f = nested((10, 10), (9, 9))
    assert not f.is_small
    with pytest.raises(SizeLimitError, match="take the certificates of its axes"):
        assert f.certificate
    assert all(axis.certificate.holds for axis in f.axes)
    assert nested(10, 9).certificate.holds


def test_each_axis_has_points_of_its_own() -> None:
    f = nested((2, 2), (2, 3), [[5, 6], None])
    assert [axis.points for axis in f.axes] == [(5, 6), (0, 1, -1)]
    assert f.certificate.holds


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((2, 2, 2), (3, 3, 3)), "m must have one or two axes, got (2, 2, 2)"),
        (((), ()), "m must have one or two axes"),
        (((2, 2), 3), "r must have as many axes as m, 2, got 3"),
        (((2, 2), (3, 3), [[0, 1, 2]]), "points must hold one list an axis, 2"),
    ],
)
def test_axes_that_do_not_fit_are_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        nested(*arguments)  # type: ignore[arg-type]
    assert message in str(caught.value)


# ---------------------------------------------------------------------- cost


def counted(matrix: Rows, vector: Sequence[object]) -> tuple[list[object], int, int]:
    """A product of a matrix and a vector of names, written out and counted."""
    additions = multiplications = 0
    result = []
    for row in matrix:
        terms = [(a, x) for a, x in zip(row, vector, strict=True) if a != 0]
        multiplications += sum(a not in (1, -1) for a, _ in terms)
        additions += max(0, len(terms) - 1)
        result.append(tuple(terms))
    return result, additions, multiplications


def test_costs_are_those_of_the_transforms_written_out() -> None:
    f = cook_toom(4, 3)
    for name, cost in (
        ("G", nested(4, 3).kernel_transform),
        ("BT", nested(4, 3).input_transform),
        ("AT", nested(4, 3).output_transform),
    ):
        matrix = getattr(f, name)
        _, additions, multiplications = counted(matrix, list(range(len(matrix[0]))))
        assert cost == Cost(additions, multiplications), name


def test_costs_on_two_axes_count_every_line() -> None:
    f = nested((2, 4), (3, 5))
    expected = {"G": f.kernel_transform, "BT": f.input_transform, "AT": f.output_transform}
    for name, cost in expected.items():
        first, second = (getattr(axis, name) for axis in f.axes)
        additions = multiplications = 0
        for matrix, lines in ((first, len(second[0])), (second, len(first))):
            _, more, times_ = counted(matrix, list(range(len(matrix[0]))))
            additions, multiplications = additions + more * lines, multiplications + times_ * lines
        assert cost == Cost(additions, multiplications), name


def test_f_2x2_3x3_takes_16_products_for_36_and_its_tile_32_additions() -> None:
    f = nested((2, 2), (3, 3))
    assert (f.multiplications, f.direct) == (16, Cost(32, 36))
    assert f.input_transform == Cost(32, 0)  # 32 operations in Lavin and Gray, section 4.1
    assert f.output_transform == Cost(24, 0)  # 24 there
