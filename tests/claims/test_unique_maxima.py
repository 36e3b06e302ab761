"""Where no window has two largest entries: a line says nothing of other inputs, and no example is one of them."""

from __future__ import annotations

from itertools import product

import pytest

import symconv as sc

ASSUMED = "no window has two largest entries"


def verdict(text: str, op: sc.MaxPool, size: int, *, unique: bool = True) -> sc.Verdict:
    return sc.check_claim(text, sc.Declarations(op, (size,), base=1, unique_maxima=unique))


def is_unique(entries: list[int], window: int, stride: int) -> bool:
    windows = [entries[start : start + window] for start in range(0, len(entries) - window + 1, stride)]
    return all(own.count(max(own)) == 1 for own in windows)


@pytest.mark.parametrize(
    ("text", "window", "stride", "size", "holds"),
    [
        ("cases((1, a[1] == a[2]), (0,)) == 0", 2, 2, 4, lambda a: a[0] != a[1]),
        ("cases((1, a[2] == a[3]), (0,)) == 0", 2, 2, 4, lambda a: a[1] != a[2]),
        ("cases((1, a[2] == a[3]), (0,)) == 0", 2, 1, 4, lambda a: a[1] != a[2]),
        ("diff(c[1], a[1]) + diff(c[1], a[2]) == 1", 2, 2, 4, lambda a: (a[0] >= a[1]) + (a[1] >= a[0]) == 1),
        ("diff(c[2], a[2]) == 1", 2, 1, 3, lambda a: a[1] > a[2]),
        ("cases((1, a[1] >= a[2]), (0,)) == cases((1, a[1] > a[2]), (0,))", 2, 2, 4, lambda a: a[0] != a[1]),
        ("cases((1, a[1] >= a[3]), (0,)) == cases((1, a[1] > a[3]), (0,))", 2, 2, 4, lambda a: a[0] != a[2]),
        ("c[1] == a[1]", 2, 2, 4, lambda a: max(a[:2]) == a[0]),
        ("0 == 1", 2, 2, 4, lambda a: False),
    ],
)
def test_a_line_is_judged_where_every_window_has_one_largest_entry(
    text: str, window: int, stride: int, size: int, holds: object
) -> None:
    assert callable(holds)
    inputs = [list(a) for a in product(range(3), repeat=size) if is_unique(list(a), window, stride)]
    true = all(holds(a) for a in inputs)
    found = verdict(text, sc.MaxPool((window,), stride=stride), size)
    if true:
        assert found.status in ("exact", "undecided")
        assert found.status == "undecided" or found.conditions == (ASSUMED,)
        return
    assert found.status == "refuted"
    assert found.counterexample is not None
    entries = [int(found.counterexample.tensors.get("a", {}).get((place,), 0)) for place in range(1, size + 1)]
    assert is_unique(entries, window, stride)
    assert not holds(entries)


def test_an_example_may_tie_where_nothing_is_assumed() -> None:
    found = verdict("cases((1, a[1] == a[2]), (0,)) == 0", sc.MaxPool((2,)), 4, unique=False)
    assert (found.status, found.conditions) == ("refuted", ())
