"""NumPy's integers and arrays of one axis are taken where Python's integers and tuples are."""

from __future__ import annotations

import numpy as np
import pytest

import symconv as sc
from symconv.errors import SymconvError


def test_options_are_taken_from_arrays_and_are_equal_to_those_from_tuples() -> None:
    given = sc.Conv(np.array([3, 5]), stride=np.array([2, 1]), padding=np.array([[1, 0], [2, 2]]), dilation=np.int8(2))
    plain = sc.Conv((3, 5), stride=(2, 1), padding=((1, 0), (2, 2)), dilation=2)
    assert given == plain
    assert hash(given) == hash(plain)
    assert repr(given) == repr(plain)


def test_sizes_are_taken_from_arrays() -> None:
    conv = sc.Conv((3,))
    assert conv.output_size(np.array([5])) == conv.output_size(np.int64(5)) == (3,)
    assert conv.output().at(np.int32(0), input_size=np.array([3])) == conv.output().at(0, input_size=3)
    assert conv.output().shape(np.uint8(5)) == (3,)


@pytest.mark.parametrize("wrong", [np.array([1.5, 2.0]), np.array([True, False]), np.array([[3, 3], [3, 3]])])
def test_an_array_of_anything_else_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(sc.ArgumentError, match="kernel_size must be an integer"):
        sc.Conv(wrong)


def test_a_mask_is_not_dropped_in_silence() -> None:
    masked = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
    with pytest.raises(sc.ArgumentError, match=r"x must be an array without a mask.*x\.filled"):
        sc.compile(sc.Conv((3,)))(masked, [1.0, 1.0, 1.0])


def test_whole_numbers_of_numpy_are_orders_of_norms_and_index_bases() -> None:
    norm = sc.LPPool(np.int64(2), (2,))
    assert norm == sc.LPPool(2, (2,))
    assert type(norm.norm_type) is int
    for what in ("output", "derivative", "gradient"):
        given = sc.derive(sc.Conv((3,)), what, index_base=np.int64(0), input_size=(np.int64(5),))
        assert given.text() == sc.derive(sc.Conv((3,)), what, index_base=0, input_size=(5,)).text()


def test_an_input_size_of_another_number_of_axes_is_refused_by_derive() -> None:
    for size in ((5, 5), (), "55", (5.0,), (0,), (2,)):
        with pytest.raises(SymconvError, match=r"input_size|kernel_size"):
            sc.derive(sc.Conv((3,)), "gradient", input_size=size)  # type: ignore[arg-type]
