"""Every hypothesis that a verdict uses is declared and printed with it: nothing is inherited by a letter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import symconv as sc
from symconv.claims.claim_verdict import ClaimVerdict
from symconv.claims.declarations import Declarations
from symconv.cli.application import commands
from symconv.errors import ProblemFileError
from symconv.problems.reading import read_problem

NORMED = Declarations(sc.Conv((2,)), (4,), functions={"L": "lp"}, base=0)
SQUARE = Declarations(sc.Conv((2, 2)), (4, 4))
POOL = Declarations(sc.MaxPool((2,), 2), (4,), functions={"L": "lp"}, sets=("S",))


def judged(text: str, declared: Declarations, every: bool = True) -> sc.Verdict:
    return sc.check_claim(text, declared, general=every)


def test_an_index_called_p_is_no_order_of_a_norm() -> None:
    for every in (False, True):
        verdict = judged("c[p] == sum(a[p+m]*b[m],(m,0,K-1)) + cases((a[0], p == 0),(0,))", NORMED, every)
        assert verdict.status == "refuted", str(verdict)
        assert verdict.counterexample is not None
        assert verdict.counterexample.indices == {"p": 0}
        assert judged("c[p] == sum(a[p+m]*b[m],(m,0,K-1))", NORMED, every).holds


def test_a_letter_is_not_the_order_of_a_norm_and_an_index_of_one_claim() -> None:
    for text in ("c[p]*L(A, S[p], p) == 0", "sum(L(A, S, p), (p,1,3)) == 0"):
        verdict = judged(text, POOL)
        assert verdict.status == "error"
        assert verdict.explanation.startswith("p is the order of a norm")
    assert judged("L(A, S[p], 1) == sum(abs(a[s]), s in S[p])", POOL).status == "proved"
    open_order = judged("L(A, S, p) == L(A, S, p)*1", POOL)
    assert open_order.scope.symbolic == ("n", "p")
    assert "p >= 1" in str(open_order)


@pytest.mark.parametrize("text", ["I_1 == I_2", "K_1 == K_2", "size[1] == size[2] + 0*K_1", "O_1 - I_1 == O_2 - I_2"])
def test_axes_that_a_claim_tells_apart_are_apart(text: str) -> None:
    verdict = judged(text, SQUARE)
    assert verdict.status == "refuted", str(verdict)
    assert verdict.scope.symbolic == ("I_1", "I_2", "K_1", "K_2")


def test_what_was_kept_equal_or_fixed_is_named() -> None:
    same = judged("C == corr(A, B)", SQUARE)
    assert same.status == "proved"
    assert str(same.scope) == "for all I, K; with the same sizes on all axes, stride 1, padding 0, dilation 1"
    both = judged("I == I_2", SQUARE)  # I is the size of both axes, or has no meaning
    assert "the same sizes on all axes" in str(both.scope)
    strided = Declarations(sc.Conv((3,), 2, (1,), flip=True), (7,), sizes={"D": "dilation"})
    assert str(judged("size == O", strided).scope) == "for all I, K, D; with stride 2, padding 1, flip true"
    assert str(judged("size == O", strided, every=False).scope) == "at the given size"


def test_a_transposed_layer_has_the_output_padding_that_it_was_given() -> None:
    plain = Declarations(sc.ConvTranspose((2,)), (4,), sizes={"S": "stride"})
    verdict = judged("O == S*(I-1)+K", plain)
    assert verdict.status == "proved", str(verdict)
    assert "output_padding 0" in str(verdict.scope)
    padded = Declarations(sc.ConvTranspose((2,), 2, output_padding=1), (4,), sizes={"S": "stride"})
    assert judged("O == S*(I-1)+K", padded).status == "refuted"
    assert judged("O == S*(I-1)+K+1", padded).status == "proved"


# ---------------------------------------------------------------------- what is declared is printed

FILE = """
title = "Conditions"
{top}
[operators.conv]
kind = "Conv"
input_size = [4]
kernel_size = [2]
{question}
[[claims]]
id = "closed"
operator = "conv"
text = "diff(c[p], a[i]) == b[i-p+1]"
check = ["literal", "general"]
question = "q"
{claim}
[[claims]]
id = "ones"
operator = "conv"
text = "g[p] == 1"
upstream = "ones"
"""
QUESTION = '[[questions]]\nid = "q"\ntitle = "t"\nask = "size"\noperator = "conv"\n{key}\n'


def found(top: str = "", question: str = "", claim: str = "") -> list[ClaimVerdict]:
    text = FILE.format(top=top, question=QUESTION.format(key=question), claim=claim)
    return sc.check(read_problem(text))[:2]


def test_what_counts_outside_is_declared_for_a_claim_a_question_or_a_file() -> None:
    zero, undefined = 'outside = "zero"', 'outside = "undefined"'
    assert [r.verdict.conditions for r in found()] == [("entries of b outside count as 0",)] * 2
    for places in ({"top": zero}, {"question": zero}, {"claim": zero}, {"top": undefined, "question": zero}):
        assert [(r.status, r.verdict.conditions) for r in found(**places)] == [("exact", ()), ("proved", ())]
        assert [r.as_json()["given"] for r in found(**places)] == [["entries outside count as 0"]] * 2
    for places in ({"top": undefined}, {"question": undefined}, {"question": zero, "claim": undefined}):
        assert [r.status for r in found(**places)] == ["refuted"] * 2
    for places in ({"top": 'outside = "zeros"'}, {"question": 'outside = "zeros"'}, {"claim": 'outside = "zeros"'}):
        with pytest.raises(ProblemFileError, match="outside: must be one of 'zero', 'undefined', got 'zeros'"):
            found(**places)


def test_conditions_and_what_is_given_stand_in_the_terminal_and_in_json(tmp_path: Path) -> None:
    file = tmp_path / "problem.toml"
    file.write_text(FILE.format(top="", question=QUESTION.format(key=""), claim=""), encoding="utf-8")
    result = CliRunner().invoke(commands, ["check", str(file)])
    assert result.exit_code == 0, result.output
    assert result.output.count("on the condition that entries of b outside count as 0") == 2
    assert "given that every entry of g is 1" in result.output
    assert "for all I, K; with stride 1, padding 0, dilation 1" in result.output
    assert result.output.rstrip().endswith("1 exact, 1 exact under a condition, 1 proved under a condition")
    rows = json.loads(CliRunner().invoke(commands, ["check", str(file), "--json"]).output)
    assert [row["conditions"] for row in rows] == [["entries of b outside count as 0"]] * 2 + [[]]
    assert [row["given"] for row in rows] == [[], [], ["every entry of g is 1"]]


def test_no_line_of_the_packaged_page_is_both_right_and_wrong_without_saying_why() -> None:
    exercise = Path(__file__).parents[2] / "reports" / "dsga1008-hw2.toml"
    marks: dict[tuple[str, ...], set[bool]] = {}
    for result in sc.check(exercise):
        if result.status in ("proved", "exact", "refuted"):
            row = result.as_json()
            source = result.source
            key = (result.mode, source.text, source.latex, source.declared.op.noun, *row["given"])
            marks.setdefault(key, set()).add(result.verdict.holds)
    assert all(len(found) == 1 for found in marks.values())


def test_a_claim_is_read_with_the_letters_and_the_index_base_of_its_question() -> None:
    zero = 'outside = "zero"\nindex_base = 0\nnames = { input = "x" }'
    line = 'text = "diff(c[p], a[i]) == b[i-p+1]"'
    text = FILE.format(top="", question=QUESTION.format(key=zero), claim="")
    changed = text.replace(line, line.replace("a[i]", "x[i]").replace("i-p+1", "i-p"))
    assert [r.status for r in sc.check(read_problem(changed))[:2]] == ["exact", "proved"]  # a[p+0]*b[0] + a[p+1]*b[1]
    assert [r.status for r in sc.check(read_problem(text))[:2]] == ["error", "error"]  # a is no letter of the question
    off_by_one = changed.replace("b[i-p]", "b[i-p+1]")
    assert [r.status for r in sc.check(read_problem(off_by_one))[:2]] == ["refuted", "refuted"]
    own = off_by_one.replace('question = "q"', 'question = "q"\nindex_base = 1')
    assert [r.status for r in sc.check(read_problem(own))[:2]] == ["exact", "proved"]
    with pytest.raises(
        ProblemFileError, match="claim 'closed': question: names 'r', which is not declared; declared: q"
    ):
        read_problem(text.replace('question = "q"', 'question = "r"'))
    with pytest.raises(ProblemFileError, match="names 'q', which is not declared; none is"):
        read_problem(FILE.format(top="", question="", claim=""))
