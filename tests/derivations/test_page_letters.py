"""Letters of a page: what a reader chose keeps its meaning, and what only the page names is called something else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sympy import Symbol

from symconv.derivations.derive import derive
from symconv.derivations.frame import Frame
from symconv.derivations.relations import relation_stages
from symconv.derivations.step import plain
from symconv.derivations.window_sets import set_form_steps, window_set
from symconv.errors import ArgumentError, ProblemFileError
from symconv.formulas.naming import names_in
from symconv.formulas.printing import LATEX, UNICODE
from symconv.formulas.spelling import look
from symconv.formulas.substitution import plain_names
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.dense import Dense
from symconv.operators.letters import Letters
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose
from symconv.problems.build import build_document
from symconv.problems.reading import read_problem

LINE = Conv((3,))


@pytest.mark.parametrize(
    ("op", "names"),
    [
        (LINE, {"weight": "g", "upstream": "G"}),
        (LINE, {"input": "x", "output": "X"}),
        (LINE, {"input": "x", "error": "X"}),
        (LINE, {"input": "x1", "weight": "x_1"}),
        (LINE.generic(), {"weight": "K"}),
        (LINE.generic(), {"weight": "k"}),
        (LINE.generic(), {"output": "s"}),
        (LINE, {"input": "I"}),
        (LINE, {"output": "o"}),
        (LPPool(Symbol("p", positive=True), (2,)), {"input": "p"}),
    ],
)
def test_an_array_that_prints_like_another_or_like_a_size_is_refused_with_a_free_letter(
    op: Operator, names: dict[str, str]
) -> None:
    with pytest.raises(ArgumentError, match=r"choose another letter, such as (.)$") as refused:
        derive(op, "gradient", names=names)
    free = str(refused.value)[-1]
    role = next(reversed(names))
    derive(op, "gradient", names={**names, role: free})  # and what is proposed is taken


@pytest.mark.parametrize("wrt", ["input", "weight", "bias"])
@pytest.mark.parametrize("op", [Conv((3,), bias=True), ConvTranspose((3,), bias=True)], ids=["conv", "transposed"])
def test_no_default_array_is_printed_like_a_size_of_its_page(op: Operator, wrt: Any) -> None:
    """The bias d is no D where the dilation is, and no size is called like the input's array A."""
    worked = derive(op.generic(), "gradient", wrt)
    sizes = set(re.findall(r"[A-Z]", plain(worked.hypotheses)))
    assert sizes >= {"I", "K", "S", "P", "D"}
    text = worked.text()
    (array,) = re.findall(r"The entries of (\w) are independent", text)
    whole = {array, *re.findall(r"[→:(⋆] ?([A-Z])(?: ⋆|\)| =)", text)}
    assert whole.isdisjoint(sizes)


def test_where_all_sizes_are_numbers_no_letter_is_one() -> None:
    text = derive(LINE, "gradient", names={"weight": "k", "input": "i", "output": "o"}, input_size=(5,)).text()
    assert re.search(r"o\[p\] = ∑\((\w) = 1 … 3\) i\[p\+\1−1\]·k\[\1\]", text)


def test_a_default_makes_way_for_a_chosen_letter_whose_array_looks_like_its_own() -> None:
    for role, name in (("weight", "G"), ("output", "A"), ("error", "G")):
        letters = Letters.of({role: name})
        capitals = [c for r in ("input", "weight", "output", "upstream") if (c := getattr(letters, r)[0].upper())]
        assert len({*capitals, letters.error}) == 5, letters
    assert Letters.of({"weight": "k"}).input_index != "ijk"


PROBLEM = """
title = "T"
{names}
[operators.conv]
kind = "Conv"
input_size = [5]
kernel_size = [3]
[[questions]]
id = "1"
title = "Gradient"
ask = "derivation"
operator = "conv"
"""


@pytest.mark.parametrize(
    "names",
    [
        'names = { input = "I", weight = "K", output = "S", upstream = "G" }',
        'names = { weight = "k" }',
        'names = { weight = "g", upstream = "G" }',
    ],
)
def test_a_problem_file_is_refused_before_it_calls_a_kernel_by_the_letter_of_a_size(names: str) -> None:
    with pytest.raises(ProblemFileError, match=r"names: .*; choose another letter, such as \w$"):
        read_problem(PROBLEM.format(names=names))


LETTERS: list[dict[str, str]] = [
    {"input": "M", "output": "L"},
    {"input": "S"}, {"input": "M"}, {"input": "L"}, {"input": "p"}, {"input": "r"}, {"output": "S"}, {"output": "m"},
    {"input_index": "k"}, {"input_index": "p"}, {"output": "l"}, {"input": "W", "output": "S"}, {"input": "n"}, {},
]  # fmt: skip


@pytest.mark.parametrize("names", LETTERS, ids=str)
def test_the_letters_of_a_window_set_and_of_a_squeeze_are_no_letters_of_the_question(names: dict[str, str]) -> None:
    maximum, average, lp = (Frame(op, names=names) for op in (MaxPool((2,)), AvgPool((2,)), LPPool(3, (2,))))
    printed = maximum.letters.printed(1)
    for frame in (maximum, average, lp):
        (letter,) = set(re.findall(r"∈ (\w)\[", set_form_steps(frame)[0].statement))
        assert letter not in printed
        assert "{" in window_set(frame).text
    (norm,) = set(re.findall(r"1/2·(\w)1\[", _lines(relation_stages(lp, average))))
    squeeze = _lines(relation_stages(lp, maximum))
    (other, order) = re.findall(r"≤ (\w)(\w)\[", squeeze)[0]
    (largest,) = set(re.findall(r"(?m)^(\w)\^", squeeze))
    assert norm == other
    assert {largest, norm, order}.isdisjoint(printed)
    assert len({largest, norm, order}) == 3


def _lines(stages: tuple[Any, ...]) -> str:
    return "\n".join(step.statement for stage in stages for step in stage.steps)


TWO = """
title = "T"
[operators.max]
kind = "MaxPool"
input_size = [4]
kernel_size = [2]
[operators.lp]
kind = "LPPool"
input_size = [4]
kernel_size = [2]
norm_type = "p"
[[questions]]
id = "1"
title = "Expressions"
ask = "expressions"
operators = ["max"]
names = { %s }
[[questions]]
id = "2"
title = "Relations"
ask = "relations"
operators = ["max", "lp"]
names = { %s }
"""


@pytest.mark.parametrize("names", [n for n in LETTERS if "p" not in n.values()], ids=str)
def test_pages_with_any_of_these_letters_are_built(names: dict[str, str]) -> None:
    table = ", ".join(f'{role} = "{letter}"' for role, letter in names.items())
    document: Any = build_document(read_problem(TWO % (table, table)))
    text = repr(document)
    channel = re.search(r"written as a superscript '\), Math\(latex='(\w)'", text)
    assert channel is not None
    assert channel[1] not in Letters.of(names).printed(1)


def test_a_channel_and_a_window_set_are_no_exponent() -> None:
    for exponent, channel, window in (("k", "l", "S"), ("l", "k", "S"), ("S", "k", "W"), ("p", "k", "S")):
        problem = (TWO % ("", "")).replace('norm_type = "p"', f'norm_type = "{exponent}"')
        text = repr(build_document(read_problem(problem.replace('operators = ["max"]', 'operators = ["max", "lp"]'))))
        said = re.findall(r"superscript '\), Math\(latex='(\w)'\), Text\(text='[^']*'\), Math\(latex='(\w)", text)
        assert said == [(channel, window)], exponent


@pytest.mark.parametrize("first", ["expressions", "relations"])
def test_an_exponent_called_like_a_size_of_another_pooling_is_refused(first: str) -> None:
    problem = (TWO % ("", "")).replace('norm_type = "p"', 'norm_type = "I"')
    alone = problem.partition('[[questions]]\nid = "2"')[0].replace('operators = ["max"]', 'operators = ["lp"]')
    assert "I'" in repr(build_document(read_problem(alone)))
    both = alone.replace('["lp"]', '["lp", "max"]').replace('ask = "expressions"', f'ask = "{first}"')
    with pytest.raises(ProblemFileError, match="the exponent 'I' of 'lp' must not be called like a size of 'max'"):
        read_problem(both)
    build_document(read_problem(both.replace('norm_type = "I"', 'norm_type = "N"')))
    chosen = both.replace('norm_type = "I"', 'norm_type = "q"').replace("names = {  }", 'names = { input = "q" }')
    with pytest.raises(ProblemFileError, match=r"must not be the letter of a size or of an order as well.*got 'q'"):
        build_document(read_problem(chosen))


def test_a_kernel_called_like_the_number_of_outputs() -> None:
    text = derive(MaxPool((Symbol("O"),), 1), "output").text()
    assert "O′ = #{p ≥ 1 : p − 1 ≤ I − O}" in text


def test_an_exponent_called_like_a_size_leaves_the_size_another_letter() -> None:
    text = derive(LPPool(Symbol("I"), (3,), padding=1), "gradient").text()
    assert "For I, I′ ≥ 1." in text
    assert "(∑(m = 1 … 3) |a[3p+m−4]|^I)^(1/I)" in text
    assert "with O = ⌊(I′ − 1)/3⌋ + 1" in text
    text = derive(LPPool(Symbol("O"), (3,), padding=1), "gradient").text()
    assert "For I, O ≥ 1." in text
    assert "with O′ = ⌊(I − 1)/3⌋ + 1" in text
    assert "min(O′, ⌊(i + 3)/3⌋)" in text
    plane = LPPool(Symbol("I_1"), (2, 1), 1).output()
    assert {name for name, _ in plane.lower} >= {"I_1", "I_1'", "I_2"}


def test_shares_are_no_letter_of_the_page() -> None:
    for letter in ("omega", "Omega"):
        page = derive(MaxPool((2,)), "gradient", names={"input": letter})
        assert "ω" not in page.text()
        assert r"\lambda" in page.latex()
    assert replace(Letters(), input="x").printed(1) >= {"x", "X"}


# ---------------------------------------------------------------------- symbols that print like a letter of ours

OURS = ("i1", "I_1", "I1", "i_1", "p1", "p_1", "m'", "m′", "K_1", "K1", "O1", "O_2", "Ο", "a", "А", "omega", "ω", "λ",
        "lambda", "S", "W", "E", "P_1'", "Q", "e", "M", "L")  # fmt: skip


def _layers(name: str) -> Iterator[Operator]:
    size, order = Symbol(name, integer=True, positive=True), Symbol(name, positive=True)
    yield Conv((size, 2), padding_mode="zeros")
    yield Conv((3, 2), padding=(size, 1)).generic(keep=("padding",))
    yield LPPool(order, (2, 2))
    yield LPPool(order, (2,), 1)
    yield LPPool(order, (2, 2)).generic()
    yield LPPool(order, (1, 1, 2, 1))
    yield MaxPool((2, size), ties="split")
    yield MaxPool((size,), ties="first")


def _names(op: Operator) -> set[str]:
    """Every name of the formulas of an operator."""
    found: set[str] = set()
    for formula in (op.output(), op.gradient("input")):
        found |= {*formula.parameters, *formula.indices, *(name for name, _ in formula.definitions)}
        found |= {tensor.name for tensor in formula.tensors}
        found |= names_in(plain_names(formula.body, frozenset((*formula.parameters, *formula.indices))))
    return found


@pytest.mark.parametrize("name", OURS)
def test_no_two_names_of_a_formula_print_alike(name: str) -> None:
    for op in _layers(name):
        found = _names(op)
        for write in (LATEX.name, UNICODE.name):
            assert len(set(map(write, found))) == len(found), (op, sorted(found))
        assert len({look(one) for one in found}) == len(found), (op, sorted(found))


def test_no_array_is_printed_like_a_size_of_another_alphabet() -> None:
    size = Symbol("А", integer=True, positive=True)  # a Cyrillic A
    page = derive(Conv((size,)), "gradient").text()
    assert "А" in page
    assert not re.search(r"\bA\b", page)


def test_two_symbols_that_print_alike_are_refused() -> None:
    for one, two in (("K1", "K_1"), ("alpha", "α"), ("k'", "k′")):
        sizes = [Symbol(name, integer=True, positive=True) for name in (one, two)]
        with pytest.raises(ArgumentError, match="must have symbols that do not print alike"):
            Conv(tuple(sizes)).output()
        with pytest.raises(ArgumentError, match="must have symbols that do not print alike"):
            LPPool(Symbol(one, positive=True), (sizes[1],)).output()
    with pytest.raises(ArgumentError, match="must not be the letter of a size or of an order as well"):
        Conv((Symbol("x_1", integer=True),)).output(names={"input": "x1"})


def test_no_symbol_is_printed_like_a_product() -> None:
    """Beside K, a symbol Kp is no K times p: the outputs go by another letter, and words stand apart."""
    size = {name: Symbol(name, integer=True, positive=True) for name in ("K", "Kp", "p", "stride", "Ip")}
    assert str(Conv((size["K"],), stride=size["Kp"]).output()) == "c[s] = ∑(m = 0 … K − 1) a[Kp·s+m]·b[m]"
    assert str(Conv((3,), stride=size["Kp"]).output()) == "c[p] = ∑(m = 0 … 2) a[Kp·p+m]·b[m]"  # there is no K
    assert str(Conv((3,), stride=size["stride"]).output()) == "c[p] = ∑(m = 0 … 2) a[stride·p+m]·b[m]"
    assert str(Conv((3,), stride=size["Ip"]).output()) == "c[s] = ∑(m = 0 … 2) a[Ip·s+m]·b[m]"
    with pytest.raises(ArgumentError, match="do not print alike, got 'K·p, Kp'"):
        Conv((size["K"],), stride=size["Kp"], padding=size["p"]).output()
    with pytest.raises(ArgumentError, match="nor one that a product spells it with, got 'pqr'"):
        Conv((size["K"],), stride=size["Kp"]).output(names={"output_index": "pqr"})


def test_a_new_size_is_no_symbol_that_was_kept() -> None:
    """The padding K of a layer is not the K that its kernel is called when it becomes symbolic."""
    layer = Conv((3,), padding=Symbol("K", integer=True, nonnegative=True)).generic(keep=("padding",))
    assert str(layer.output()) == "c[p] = ∑(m = 0 … K′ − 1) a[Sp+Dm−K]·b[m]"
    plane = LPPool(Symbol("K_1", positive=True), (2, 2)).generic(keep=("stride", "padding", "dilation"))
    assert [str(size) for size in plane.kernel_size] == ["K_1'", "K_2"]


@pytest.mark.parametrize("name", ["ω", "omega", "λ", "lambda", "W", "e", "S"])
def test_what_only_a_page_names_is_no_symbol(name: str) -> None:
    size = Symbol(name, integer=True, positive=True)
    for ties in ("first", "split", "set"):
        page = derive(MaxPool((size,), ties=ties), "gradient")
        shown = UNICODE.name(name) if len(name) == 1 else {"omega": "ω", "lambda": "λ"}[name]
        assert not re.search(rf"{shown}(₁|\[)|∈ {shown}\b", page.text()), page.text()


@pytest.mark.parametrize("letter", ["m", "n", "i", "p", "a", "E"])
def test_a_symbol_of_a_dense_layer_is_no_index_of_its_weight(letter: str) -> None:
    """The weight of a dense layer has two indices, more than there are axes."""
    symbol = Symbol(letter, integer=True, positive=True)
    for op, size, shape in ((Dense(symbol), {letter: 5}, (5, 4)), (Dense(3, symbol), {}, (3, 4))):
        gradient = op.gradient("weight")
        assert letter not in {*gradient.indices, *(tensor.name for tensor in gradient.tensors)}
        assert gradient.shape(4, **size) == shape
