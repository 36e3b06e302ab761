"""Bound names without the primes of an earlier form: only where no other index of that name is in sight."""

from __future__ import annotations

import pytest

from symconv.formulas.algebra import Access, Bound, Node, Power, Reduce, Share, const, product, summation
from symconv.formulas.index import Index
from symconv.formulas.naming import free_names
from symconv.formulas.substitution import plain_names
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool


def over(name: str, body: Node, low: Index | int = 0) -> Node:
    return summation(body, Bound(name, Index.of(low), Index.of("K") - 1))


def entry(*names: str) -> Access:
    return Access("a", tuple(Index.of(name) for name in names))


def two_rows(one: str, two: str) -> Node:
    return summation(entry(one, two), Bound(one, Index.of(0), Index.of(2)), Bound(two, Index.of(one), Index.of(3)))


ROWS = over("m", entry("m"))


@pytest.mark.parametrize(
    ("tree", "taken", "expected"),
    [
        (over("m'", entry("m'")), (), over("m", entry("m"))),
        (over("m'", entry("m'")), ("m",), over("m'", entry("m'"))),
        (over("m'", entry("m'", "m")), (), over("m'", entry("m'", "m"))),  # m is free there
        (over("m'", over("m", entry("m", "m'"))), (), over("m", over("m'", entry("m'", "m")))),
        (over("m", over("m'", entry("m", "m'"))), (), over("m", over("m'", entry("m", "m'")))),
        (over("m''", over("n'", entry("n'", "m''"))), (), over("m", over("n", entry("n", "m")))),
        (two_rows("m", "n'"), (), two_rows("m", "n")),
        (two_rows("m'", "n"), (), two_rows("m", "n")),
        (product(over("m'", entry("m'")), ROWS), (), product(over("m", entry("m")), ROWS)),
        (over("p", over("m'", entry("m'"), Index.of("p"))), (), over("p", over("m", entry("m"), Index.of("p")))),
        (Power(over("m'", entry("m'")), const(-1)), (), Power(over("m", entry("m")), const(-1))),
    ],
)  # fmt: skip
def test_names_are_as_plain_as_their_place_allows(tree: Node, taken: tuple[str, ...], expected: Node) -> None:
    found = plain_names(tree, frozenset(taken))
    assert found == expected
    assert free_names(found) == free_names(tree)


def test_shares_lose_their_primes_and_keep_their_place() -> None:
    window = Reduce("max", (Bound("m'", Index.of(0), Index.of(2)),), (), entry("m'"))
    share = plain_names(Share("first", window, (Index.of("i"),)))
    assert isinstance(share, Share)
    assert share.reduce.bounds[0].name == "m"
    assert share.at == (Index.of("i"),)


@pytest.mark.parametrize("base", [0, 1])
def test_no_prime_is_printed_where_the_plain_letter_is_free(base: int) -> None:
    """The outer sum of a gradient is over m, the inner one over another tap; alone, every sum is over m."""
    for op in (MaxPool((2,)), MaxPool((2, 2), ties="split"), AvgPool((3,), 2, 1, count_include_pad=False)):
        for formula in (op.output(index_base=base), op.derivative(index_base=base), op.gradient(index_base=base)):
            assert "′" not in formula.text()
            assert "'" not in formula.latex()
    lp = LPPool(3, (2,), 1).gradient(index_base=base).text()
    assert lp.index("∑(m = ") < lp.index("∑(m′ = ")
    assert "f′" in Conv((2,), out_channels=2, bias=True).derivative("bias").text()
