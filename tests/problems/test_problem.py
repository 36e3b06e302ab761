"""Problem files: what their schema accepts, refuses and keeps exact."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from symconv.errors import ProblemFileError
from symconv.operators.convolution import Conv
from symconv.operators.pooling import LPPool, MaxPool
from symconv.problems.asks import ASKS
from symconv.problems.build import build_document
from symconv.problems.claim_table import CLAIM
from symconv.problems.problem import Problem
from symconv.problems.reading import load_problem, read_problem
from symconv.problems.starter import starter
from symconv.problems.tables import NETWORK, OPERATORS, TOP, operator_keys, question_keys
from symconv.report.document import Document, Section
from symconv.report.render import to_html, to_latex

EXAMPLE = Path(__file__).resolve().parents[2] / "reports" / "dsga1008-hw2.toml"

BASE = """\
title = "T"

[data]
A = [[1, 2, 3], [4, 5, 6]]
B = [[1, 0], [0, 1]]

[operators.conv]
kind = "Conv"
input_size = [2, 3]
kernel_size = [2, 2]

[operators.max]
kind = "MaxPool"
input_size = [1, 2]
kernel_size = [1, 2]

[operators.lp]
kind = "LPPool"
input_size = [1, 2]
kernel_size = [1, 2]
norm_type = 3

[[questions]]
id = "1"
title = "Values"
ask = "values"
operator = "conv"
input = "A"
weight = "B"

[[questions]]
id = "2"
title = "Pooled"
ask = "values"
operator = "max"
input = "1"

[[questions]]
id = "3"
title = "Gradient"
ask = "derivation"
operator = "conv"

[[questions]]
id = "4"
title = "Related"
ask = "relations"
operators = ["lp", "max"]
"""


def changed(*changes: tuple[str, str]) -> Problem:
    """The base problem with pieces replaced, each of which stands in it once."""
    text = BASE
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return read_problem(text, "file.toml")


def refused(*changes: tuple[str, str]) -> str:
    """The message that a changed problem is refused with."""
    with pytest.raises(ProblemFileError) as caught:
        changed(*changes)
    message = str(caught.value)
    assert message.startswith("file.toml: ")
    assert "\n" not in message
    return message.removeprefix("file.toml: ")


# --- what is read -----------------------------------------------------------------------------------------------------


def test_operators_data_and_questions_arrive() -> None:
    problem = changed()
    assert problem.operators["conv"].op == Conv((2, 2))
    assert problem.operators["max"].op == MaxPool((1, 2))
    assert problem.operators["lp"].op == LPPool(3, (1, 2))
    assert problem.operators["conv"].input_size == (2, 3)
    assert [(q.id, *q.asks) for q in problem.questions] == [
        ("1", "values"),
        ("2", "values"),
        ("3", "derivation"),
        ("4", "relations"),
    ]
    assert problem.questions[3].operators == (problem.operators["lp"], problem.operators["max"])
    assert (problem.index_base, problem.questions[0].index_base) == (1, 1)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0.1", Fraction(1, 10)),
        ("-2.50", Fraction(-5, 2)),
        ("1e-3", Fraction(1, 1000)),
        ('"1/3"', Fraction(1, 3)),
        ('"-7"', Fraction(-7)),
        ("3", Fraction(3)),
        ("0.3333333333333333333333333333", Fraction(3333333333333333333333333333, 10**28)),
    ],
)
def test_numbers_stay_exact(written: str, value: Fraction) -> None:
    number = changed(("A = [[1, 2, 3]", f"A = [[{written}, 2, 3]")).data["A"][0][0]
    assert (number, type(number)) == (value, Fraction)


@pytest.mark.parametrize(
    ("options", "op"),
    [
        (
            "stride = [2, 1]\npadding = [[1, 0], [0, 2]]\ndilation = [1, 2]",
            Conv((2, 2), (2, 1), ((1, 0), (0, 2)), (1, 2)),
        ),
        ("stride = 2\npadding = 1", Conv((2, 2), 2, 1)),
        ('padding = "same"\nflip = true', Conv((2, 2), padding="same", flip=True)),
        ('padding = [1, 0]\npadding_mode = "replicate"', Conv((2, 2), padding=(1, 0), padding_mode="replicate")),
    ],
)
def test_options_mean_what_they_mean_in_python(options: str, op: Conv) -> None:
    text = BASE.replace("kernel_size = [2, 2]", f"kernel_size = [2, 2]\n{options}").split("[[questions]]")[0]
    question = '[[questions]]\nid = "1"\ntitle = "t"\nask = "size"\noperator = "conv"\n'
    assert read_problem(text + question).operators["conv"].op == op


def test_one_number_is_a_kernel_for_every_axis() -> None:
    assert changed(("kernel_size = [2, 2]", "kernel_size = 2")).operators["conv"].op == Conv((2, 2))


@pytest.mark.parametrize(
    ("written", "norm"),
    [('"inf"', float("inf")), ("inf", float("inf")), ("1.5", Fraction(3, 2)), ('"3/2"', Fraction(3, 2))],
)
def test_norms(written: str, norm: Any) -> None:
    op = changed(("norm_type = 3", f"norm_type = {written}")).operators["lp"].op
    assert isinstance(op, LPPool)
    assert op.norm_type == norm


def test_a_letter_is_a_symbolic_norm() -> None:
    op = changed(("norm_type = 3", 'norm_type = "q"')).operators["lp"].op
    assert op == LPPool(next(iter(op.norm_type.free_symbols)), (1, 2))  # type: ignore[attr-defined]
    assert op.reals() == ("q",)


def test_letters_and_index_base_are_scoped_to_a_question() -> None:
    problem = changed(
        ('title = "T"', 'title = "T"\nindex_base = 0\nnames = { input = "x", output = "y" }'),
        ('title = "Gradient"', 'title = "Gradient"\nindex_base = 1\nnames = { input = "u" }'),
    )
    assert problem.questions[0].names == {"input": "x", "output": "y"}
    assert problem.questions[2].names == {"input": "u", "output": "y"}
    assert [question.index_base for question in problem.questions] == [0, 0, 1, 0]


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xef\xbb\xbf" + BASE.encode())
    assert load_problem(path).title == "T"


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        # keys
        ('title = "T"', 'title = "T"\ntitel = "T"', "unknown key 'titel' in the file; did you mean 'title'?"),
        ("norm_type = 3", "norm_typ = 3", "operators: lp: unknown key 'norm_typ' in an LPPool; did you mean"),
        ('kind = "Conv"', 'kind = "Conv"\nties = "first"', "operators: conv: unknown key 'ties' in a Conv; "),
        ('title = "T"', "", "the file needs the key 'title'"),
        ('id = "3"', "", "question 3: a question needs the key 'id'"),
        ('id = "3"', 'id = "1"', "question '1': the id '1' is used twice; give every question its own id"),
        ('kind = "Conv"', 'kind = "Convolution"', "operators: conv: kind: must be one of 'Conv', 'MaxPool', "),
        ('ask = "derivation"', 'ask = "deriv"', "did you mean 'derivation'?"),
        ('ask = "derivation"', 'ask = "derivation"\ninput = "A"', "input: is not used by ask = 'derivation'"),
        ("[operators.lp]", "[operators.max]", "is not valid TOML: "),
        # data
        ("[4, 5, 6]", "[4, 5]", "data: A: is ragged: entry 2 has shape 2 and the first one 3; give all rows the same"),
        ("[4, 5, 6]", "6", "data: A: is ragged: entry 2 has shape a single number and the first one 3"),
        ("[4, 5, 6]", '[4, 5, "six"]', "data: A: row 2: must be a number, got the string 'six'; write 3"),
        ("[4, 5, 6]", "[4, 5, true]", "data: A: row 2: must be a number, got true"),
        ("[4, 5, 6]", "[4, 5, nan]", "data: A: row 2: must be a finite number of ordinary size, got NaN"),
        ("[4, 5, 6]", "[4, 5, 1e99]", "data: A: row 2: must be a finite number of ordinary size, got 1E+99"),
        ("[4, 5, 6]", '[4, 5, "1/0"]', "data: A: row 2: must be a number, got the string '1/0'"),
        ("[4, 5, 6]", "[4, 5, 2024-01-01]", "data: A: row 2: must be a number, got 2024-01-01"),
        ("B = [[1, 0], [0, 1]]", "B = []", "data: B: must not be empty"),
        ("B = [[1, 0], [0, 1]]", "B = 3", "data: B: must be an array of numbers, got 3"),
        ("[4, 5, 6]", "[4, 5, 6], [7, 8, 9]", "input: A has shape 3x3, and operator 'conv' takes 2x3"),
        ("B = [[1, 0], [0, 1]]", "B = [[1, 0]]", "weight: B has shape 1x2, and operator 'conv' has a 2x2 kernel"),
        ('weight = "B"', 'weight = "B"\nprinted = [[1, 2, 3]]', "printed: has shape 1x3, and the output has 1x2"),
        ('weight = "B"', 'weight = "C"', "weight: names the data 'C', which is not declared; declared: A, B"),
        ('weight = "B"', "", "ask = 'values' of a convolution needs the kernel data; add weight"),
        ('input = "1"', 'input = "1"\nweight = "B"', "weight: is not used: a pooling has no kernel data; remove it"),
        ('input = "1"', 'input = "3"', "input: names the data '3', which is not declared"),
        # operators
        ("kernel_size = [2, 2]", "kernel_size = [3, 2]", "conv: kernel_size needs an effective size of at most"),
        ("kernel_size = [2, 2]", "kernel_size = [2, 2]\nstride = 0", "operators: conv: stride must be >= 1, got 0"),
        ("kernel_size = [2, 2]", "kernel_size = [2, 2]\nstride = 1.0", "stride: must be an integer, or a list of one"),
        ("kernel_size = [2, 2]", 'kernel_size = "2x2"', "kernel_size: must be an integer, or a list of one integer a"),
        ("kernel_size = [2, 2]", "kernel_size = [2, 2]\npadding = [[1], [1]]", "must have [before, after] pairs, two"),
        ("kernel_size = [2, 2]", "kernel_size = [2, 2]\npadding = [1, 1, 1]", "padding must be one integer, 2 of them"),
        ("kernel_size = [2, 2]", 'kernel_size = [2, 2]\npadding = "smae"', "did you mean 'same'?"),
        ("kernel_size = [2, 2]", "kernel_size = [2, 2]\nflip = 1", "flip: must be true or false, got 1"),
        ("input_size = [2, 3]", "input_size = [2, 3.5]", "input_size: must be a list of integers >= 1, one a spatial"),
        ("input_size = [2, 3]", "input_size = [2, 0]", "input_size: must be a list of integers >= 1, one a spatial"),
        ("input_size = [2, 3]", "input_size = []", "input_size: must have at least one entry"),
        ("input_size = [2, 3]", "input_size = [1, 1, 1, 1, 1, 1, 1]", "input_size: must have at most 6 entries"),
        ("input_size = [2, 3]", "input_size = [2000, 3000]", "the padded input has 6,000,000 entries"),
        ("norm_type = 3", "norm_type = 0.5", "operators: lp: norm_type must be >= 1"),
        ("norm_type = 3", 'norm_type = "pq"', "norm_type: must be a number >= 1, \"inf\" or one letter, got 'pq'"),
        # questions
        ('operator = "max"', 'operator = "mix"', "names the operator 'mix', which is not declared; did you"),
        ('operator = "max"', 'operator = "lp"\nunstated = ["phrase"]', "names 'phrase', which is no option of LPPool"),
        ('operators = ["lp", "max"]', 'operators = ["lp"]', "ask = 'relations' needs an LPPool and a MaxPool or an"),
        ('operators = ["lp", "max"]', 'operators = ["lp", "conv"]', "takes poolings, and 'conv' is a convolution"),
        ('operators = ["lp", "max"]', 'operators = ["lp", "lp"]', "operators: names 'lp' twice; name it once"),
        ('operators = ["lp", "max"]', "", "ask = 'relations' needs an operator; add operator"),
        ('operators = ["lp", "max"]', 'operators = ["lp", "max"]\noperator = "lp"', "not operator and operators"),
        ('ask = "derivation"', 'ask = "derivation"\nwrt = ["bias"]', "wrt: must be among input, weight for"),
        ('ask = "derivation"', 'ask = "derivation"\nwrt = []', "wrt: must not be empty"),
        ('ask = "derivation"', 'ask = "derivation"\nall_ones = "yes"', "all_ones: must be true or false, got 'yes'"),
        ('ask = "derivation"', 'ask = "derivation"\nindex_base = 2', "index_base: must be 0 or 1, got 2"),
        ('ask = "derivation"', 'ask = "derivation"\nnames = { input = "a b" }', "names['input'] must be a short name"),
        ('ask = "derivation"', 'ask = "derivation"\nnames = { imput = "x" }', "did you mean 'input'?"),
        ('ask = "derivation"', 'ask = "derivation"\nnames = { input = "x", output = "x" }', "must not stand for both"),
        ('title = "T"', 'title = "\\u0007"', "title: has the control character U+0007 at position 0; remove it"),
        ('title = "T"', f'title = "{"t" * 2001}"', "title: must have at most 2000 characters, got 2001"),
    ],
)  # fmt: skip
def test_a_problem_is_refused_with_its_place_and_the_fix(old: str, new: str, message: str) -> None:
    assert message in refused((old, new))


def test_relations_need_one_window() -> None:
    message = refused(("kernel_size = [1, 2]\nnorm_type = 3", "kernel_size = [1, 1]\nnorm_type = 3"))
    assert "needs the same windows everywhere: 'lp' is LPPool(" in message


def test_a_derivation_at_declared_sizes_is_counted_first() -> None:
    large = ("input_size = [2, 3]", "input_size = [200, 300]")
    text = BASE.split("[[questions]]")
    asked = text[3].replace('"derivation"', '"derivation"\nsizes = "declared"')
    assert read_problem((text[0] + "[[questions]]" + text[3]).replace(*large)).questions[0].own["sizes"] == "symbolic"
    with pytest.raises(ProblemFileError, match=r"takes at most 4,096 entries, got 60,000 \(200x300\); leave the sizes"):
        read_problem((text[0] + "[[questions]]" + asked).replace(*large))


def test_a_symbolic_norm_has_no_values() -> None:
    asked = ('ask = "values"\noperator = "max"', 'ask = "values"\noperator = "lp"')
    assert "needs a number for the norm" in refused(("norm_type = 3", 'norm_type = "p"'), asked)


# --- the same exercise in other clothes -------------------------------------------------------------------------------


def report(text: str) -> Document:
    return build_document(read_problem(text))


def in_order(document: Document) -> list[str]:
    return [block.number for block in document.blocks if isinstance(block, Section) and block.number]


def test_another_order_of_questions_is_another_order_in_the_report() -> None:
    head, *questions = BASE.split("[[questions]]")
    turned = "[[questions]]".join([head, questions[2] + "\n", questions[3] + "\n", questions[0], questions[1]])
    assert in_order(report(BASE)) == ["1", "2", "3", "4"]
    assert in_order(report(turned)) == ["3", "4", "1", "2"]


def test_other_letters_change_letters_alone() -> None:
    names = 'names = { input = "x", weight = "w", output = "y", error = "L", upstream = "h" }'
    renamed = to_latex(report(BASE.replace('title = "T"', f'title = "T"\n{names}')))
    plain = to_latex(report(BASE))
    assert "x_{" in renamed
    assert not re.search(r"\ba_\{", renamed)
    # Without any letter the two reports are the same.
    assert re.sub("[A-Za-z]", "", renamed) == re.sub("[A-Za-z]", "", plain)


def test_hostile_titles_are_printed_as_typed() -> None:
    hostile = r"\input{/etc/passwd} 100% _#~^ <script>"
    text = BASE.replace('title = "T"', f"title = '{hostile}'").replace('"Values"', f"'{hostile}'")
    text = text.replace('id = "3"', f"id = '{hostile}'")
    document = report(text)
    assert r"\input{/etc" not in to_latex(document)
    page = to_html(document)
    assert page.count(hostile.replace("<", "&lt;").replace(">", "&gt;")) >= 3
    assert "100% _#~^ <script>" not in page


# --- the file of symconv init -----------------------------------------------------------------------------------------


def test_the_starter_explains_every_key() -> None:
    text = starter()
    tables = (TOP, question_keys(), *(ask.keys for ask in ASKS.values()), *map(operator_keys, OPERATORS))
    for name in {name for table in (*tables, NETWORK) for name in table}:
        assert re.search(rf"^#?{name} = |^\[+{name}[.\]]", text, flags=re.MULTILINE), name
    claims = text[text.index("[[claims]]") : text.index("[[solutions]]")]
    for name in CLAIM.keys() - {"names"}:  # which is explained where the file has its own
        assert re.search(rf"^#?{name} = ", claims, flags=re.MULTILINE), name
    problem = read_problem(text)
    assert {word for question in problem.questions for word in question.asks} == ASKS.keys()


def test_every_key_of_the_starter_can_be_switched_on() -> None:
    lines = starter().splitlines()
    off = [n for n, line in enumerate(lines) if re.match(r"#[a-z_]+ = ", line)]
    assert len(off) >= 10
    for n in off:
        text = "\n".join([*lines[:n], lines[n][1:], *lines[n + 1 :]])
        if lines[n].startswith("#ceil_mode"):  # it changes one of three windows that must be the same
            with pytest.raises(ProblemFileError, match="needs the same windows everywhere"):
                read_problem(text)
        else:
            said = lines[n] not in ("#dilation = 1", "#in_channels = 1", "#groups = 1")  # which are so anyway
            assert (read_problem(text) != read_problem(starter())) == said, lines[n]


def test_the_packaged_example_is_valid() -> None:
    assert " ".join(question.id for question in load_problem(EXAMPLE).questions) == "1a 1b 1c 1d 2a 2b 2c 2d"
