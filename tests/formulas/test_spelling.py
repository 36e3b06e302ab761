"""Names that are no letters: nothing that is printed breaks by them."""

from __future__ import annotations

import itertools

import pytest
import sympy

from symconv.errors import ArgumentError
from symconv.formulas.index import Index, floor
from symconv.formulas.printing import LATEX, UNICODE
from symconv.formulas.spelling import look
from symconv.operators.convolution import Conv
from symconv.operators.pooling import MaxPool
from symconv.report.mathml import check_formula

HOSTILE = (
    "k| Int)(assert false)(exit);",
    "k|",
    "a\\b",
    "}{",
    "%",
    "a\nb",
    "\\input{x}",
    "$x$",
    "a_b^c",
    "é",
    "核",
    "α",
    "",
    "\x00",
    "'",
    "^",
    "a^b^c",
    "k\\",
    "~(1)/(K)",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_latex_of_any_name_is_a_formula_and_unicode_one_line(name: str) -> None:
    check_formula(LATEX.name(name))
    assert UNICODE.name(name).isprintable()
    assert repr(Index.of(name) + 1).isprintable()


@pytest.mark.parametrize("name", [n for n in HOSTILE if n])
def test_formulas_in_symbols_of_any_name_are_printed_and_evaluated(name: str) -> None:
    k = sympy.Symbol(name)
    for op in (Conv((k,), padding=k), MaxPool((k,), stride=1)):
        formula = op.output()
        check_formula(formula.latex())
        assert "\n" not in str(formula)
        assert formula.sympy().subs(k, 2) is not None
        assert k in op.output_size((sympy.Symbol("n"),))[0].free_symbols


def test_our_own_names_print_as_they_did() -> None:
    given = ("k", "K_1", "i12", "m'", "omega", "y2", "x^k", "img", "K_2''")
    assert [LATEX.name(n) for n in given] == [
        "k", "K_{1}", "i_{12}", "m'", r"\omega", "y_{2}", "x^{k}", r"\mathit{img}", "K_{2}''",
    ]  # fmt: skip
    assert [UNICODE.name(n) for n in given[:4]] == ["k", "K₁", "i₁₂", "m′"]


def test_a_monomial_is_one_thing_whatever_its_names() -> None:
    quotient = floor("a", "b")
    impostor = Index.of("~" + str(quotient.terms.popitem()[0][0]))
    quotient = floor("a", "b")
    assert quotient * impostor == impostor * quotient


def test_symbols_that_share_a_name_are_not_taken_for_one() -> None:
    k, other = sympy.Symbol("k"), sympy.Symbol("k", positive=True)
    with pytest.raises(ArgumentError, match="two different symbols that are both called k"):
        Conv((k + other,)).output()
    with pytest.raises(ArgumentError, match="is a dummy"):
        Conv((sympy.Dummy("k"),))


PAIRS = [("K_1", "K1"), ("K_1", "K₁"), ("K1", "K₁"), ("m'", "m′"), ("alpha", "α"), ("Omega", "Ω"),
         ("omega_1", "omega1"), ("a\nb", "a\\nb"), ("K", "Κ"), ("a", "а"), ("h", "ℎ"), ("K_1'", "K₁′")]  # fmt: skip


@pytest.mark.parametrize(("one", "two"), PAIRS, ids=range(len(PAIRS)))
def test_names_that_print_alike_are_told_to(one: str, two: str) -> None:
    assert one != two
    assert look(one) == look(two)


def test_names_that_look_apart_print_apart() -> None:
    """Of all short names over signs that printing treats in a way of its own."""
    signs = ("a", "K", "α", "alpha", "1", "_", "'", "₁", "′", "^", "\\", "\n", "n", "}", "А")
    names = [*HOSTILE, *("".join(parts) for length in (1, 2, 3) for parts in itertools.product(signs, repeat=length))]
    for write in (LATEX.name, UNICODE.name):
        looks: dict[str, set[str]] = {}
        for name in names:
            looks.setdefault(write(name), set()).add(look(name))
        assert not {text: found for text, found in looks.items() if len(found) > 1}


def test_different_letters_look_different() -> None:
    letters = [*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "alpha", "beta", "a1", "a2", "a1'", "a'", "核"]
    assert len(set(map(look, letters))) == len(letters)
