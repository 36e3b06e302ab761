"""The language that looks like Python: what is read, where it stands, and what is refused."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hostile import BOTH, check_refused

from symconv.claims.reading.language import read_claim
from symconv.claims.syntax import (
    Binary,
    Call,
    Cases,
    Claim,
    Condition,
    Derivative,
    Entry,
    Expr,
    Limit,
    MatrixLiteral,
    Name,
    Negate,
    Number,
    Over,
    Raised,
    Range,
    Sum,
)
from symconv.errors import ClaimError, SymconvError

A, B, C, E, K, S, oo = map(Name, ("A", "B", "C", "E", "K", "S", "oo"))
i, j, m, n, p, q, s, t, x = map(Name, "ijmnpqstx")


def num(value: int | str) -> Number:
    return Number(Fraction(value))


def plus(left: Expr, right: Expr) -> Binary:
    return Binary("+", left, right)


def minus(left: Expr, right: Expr) -> Binary:
    return Binary("-", left, right)


def value(text: str) -> Expr:
    """The only part of a claim."""
    claim = read_claim(text)
    assert len(claim.parts) == 1
    assert not claim.relations
    return claim.parts[0]


def test_a_correlation() -> None:
    claim = read_claim("c[i,j] == sum(a[i+m-1, j+n-1]*b[m,n], (m,1,K), (n,1,K))")
    a = Entry("a", (minus(plus(i, m), num(1)), minus(plus(j, n), num(1))))
    body = Binary("*", a, Entry("b", (m, n)))
    total = Sum("sum", body, (Range("m", num(1), K), Range("n", num(1), K)))
    assert claim == Claim((Entry("c", (i, j)), total), ("==",))


def test_derivatives() -> None:
    claim = read_claim("diff(c[p,q], a[i,j]) == b[i-p+1, j-q+1] == diff(E, A)")
    closed = Entry("b", (plus(minus(i, p), num(1)), plus(minus(j, q), num(1))))
    assert claim.parts == (Derivative(Entry("c", (p, q)), Entry("a", (i, j))), closed, Derivative(E, A))
    assert claim.relations == ("==", "==")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("floor((I+2*P-K)/S) + 1", "floor"),
        ("(I+2*P-K)//S + 1", "floor"),
    ],
)
def test_floor_in_two_spellings(text: str, tree: str) -> None:
    inner = minus(plus(Name("I"), Binary("*", num(2), Name("P"))), K)
    assert value(text) == plus(Call(tree, (Binary("/", inner, S),)), num(1))


def test_sets_and_limits() -> None:
    largest = Sum("max", Entry("x", (s,)), (Over(("s",), S),))
    assert value("max(x[s], s in S)") == largest
    assert value("max(setof(x[s], s in S))") == largest
    smallest = Sum("min", Entry("x", (s,)), (Over(("s",), S),))
    assert value("min(x[s], s in S)") == smallest
    assert value("min(setof(x[s], s in S))") == smallest
    assert value("min(x, S)") == Call("min", (Name("x"), S))
    assert value("max(x[s,t], (s,t) in S[i])") == Sum("max", Entry("x", (s, t)), (Over(("s", "t"), Entry("S", (i,))),))
    assert value("limit(lp(x, p), p, oo)") == Limit(Call("lp", (x, p)), "p", oo)
    mean = Binary("/", Sum("sum", Entry("x", (s,)), (Over(("s",), S),)), Call("size", (S,)))
    assert value("sum(x[s], s in S)/size(S)") == mean


def test_a_maximum_of_values_is_a_call() -> None:
    assert value("max(x, K, 1)") == Call("max", (x, K, num(1)))
    assert value("max(x[m], (m,1,K))") == Sum("max", Entry("x", (m,)), (Range("m", num(1), K),))


def test_a_sum_of_a_sum_is_one_sum_with_the_outer_range_first() -> None:
    assert value("sum(sum(x, (n,1,m)), (m,1,K))") == value("sum(x, (m,1,K), (n,1,m))")
    assert value("sum(max(x, (n,1,2)), (m,1,2))") != value("sum(x, (m,1,2), (n,1,2))")


def test_cases() -> None:
    tree = Cases(((num(1), (Condition(m, "==", i), Condition(num(1), "<=", n), Condition(n, "<", K))), (num(0), ())))
    assert value("cases((1, m == i, 1 <= n < K), (0,))") == tree
    assert value("cases((1, m == i, 1 <= n < K), 0)") == tree


def test_matrices() -> None:
    assert value("[[113, 87], [114, -80]]") == MatrixLiteral(((num(113), num(87)), (num(114), Negate(num(80)))))
    assert value("[1, 2, 3]") == MatrixLiteral(((num(1), num(2), num(3)),))


def test_any_call_is_kept() -> None:
    assert value("corr(pad(B, 2), ones(3,3))") == Call(
        "corr", (Call("pad", (B, num(2))), Call("ones", (num(3), num(3))))
    )


def test_what_latex_says_beyond_python() -> None:
    assert value('upper(c["ij"], k)') == Entry("c", (i, j), Name("k"), joined=True)
    assert value('b["11"]') == Entry("b", (num(1), num(1)), joined=True)
    assert value('b["alpha i"]') == Entry("b", (Name("alpha"), i), joined=True)
    assert value("star(A, ast(B, C))") == Binary("star", A, Binary("ast", B, C))


def test_numbers_are_exact() -> None:
    assert value("0.1") == num("1/10")
    assert value(".5") == num("1/2")
    assert value("3.") == num(3)
    assert value("0.333333333333") == num("333333333333/1000000000000")
    assert value("1000000") == num(10**6)


def test_powers_and_signs() -> None:
    assert value("-x**-p") == Negate(Raised(x, Negate(p)))
    assert value("9**9**9") == Raised(num(9), Raised(num(9), num(9)))
    assert value("-x*K + +m") == plus(Binary("*", Negate(x), K), m)


def test_relations_and_lines() -> None:
    claim = read_claim(" x <= K\n < m ")
    assert (claim.parts, claim.relations) == ((x, K, m), ("<=", "<"))
    assert claim.source == " x <= K\n < m "


def test_a_line_that_goes_on() -> None:
    second = read_claim("== m <= n")
    assert second == Claim((m, n), ("<=",), continues="==")
    joined = second.follow(read_claim("x == K"))
    assert (joined.parts, joined.relations, joined.continues) == ((K, m, n), ("==", "<="), None)
    assert read_claim("x == K").follow(second) == read_claim("x == K")


def test_spans_are_those_of_the_source() -> None:
    source = "x ==\n sum(a[i + 12], (m, 1, 3))"
    total = read_claim(source).parts[1]
    assert isinstance(total, Sum)
    assert isinstance(total.body, Entry)
    assert source[slice(*total.span)] == "sum(a[i + 12], (m, 1, 3))"
    assert source[slice(*total.body.span)] == "a[i + 12]"
    index = total.body.indices[0]
    assert isinstance(index, Binary)
    assert source[slice(*index.right.span)] == "12"
    upper = total.over[0]
    assert isinstance(upper, Range)
    assert source[slice(*upper.upper.span)] == "3"


def test_spans_take_no_part_in_equality() -> None:
    assert read_claim("x==K") == read_claim("  x  ==  (K)")


# ---------------------------------------------------------------------- what is refused

PYTHON = {
    "__import__('os').system('echo no')": "found '_'",
    "os.system": "found '.'",
    "x.y": "nothing has attributes",
    "().__class__.__bases__": "found '.'",
    "a__b": "double underscores",
    "_x": "begins with a letter",
    "lambda: 1": "lamda",
    "[x for x in y]": "found 'for'",
    "{x: 1}": "found '{'",
    'f"{x}"': "no strings",
    'a[f"ij"]': "no strings",
    'a[b"ij"]': "no strings",
    "'text'": 'found "\'"',
    '"text"': "no strings",
    'x + "ij"': "no strings",
    'a["i"]': "two letters or more",
    'a["i","j"]': "no strings",
    "(x := 1)": "found ':'",
    "x[1:2]": "found ':'",
    "x if y else z": "cases(",
    "not x": "found 'not'",
    "x and y": "found 'and'",
    "x is y": "found 'is'",
    "await x": "found 'await'",
    "True": "found 'True'",
    "None": "found 'None'",
    "f(*x)": "found '*'",
    "f(**x)": "found '**'",
    "f(y=x)": "== for an equation",
    "x = y": "== for an equation",
    "x != y": "found '!'",
    "x ^ 2": "** for a power",
    "|x|": "abs(x)",
    "~x": "found '~'",
    "a @ b": "found '@'",
    "a; b": "found ';'",
    "a # b": "found '#'",
    "\\frac{1}{2}": "read_latex",
    "f(x)(y)": "no name",
    "f(x)[y]": "no name",
    "x[]": "found ']'",
    "x[()]": "empty index",
    "()": "several values",
    "(x, y)": "several values",
    "x + (y == z)": "column 6: found a relation inside",
    "s in S": "'in'",
    "x == s in S": "'in'",
    "1_000": "after it",
    "0x10": "after it",
    "1e5": "after it",
    "1j": "after it",
    "2P": "2*P",
    "007": "leading zeros",
    "1..2": "after it",
    "a b": "an operator after 'a'",
    "2 3": "an operator after '2'",
    "[[1, 2], [3]]": "lengths 2, 1",
    "[1, [2]]": "side by side",
    "[]": "found ']'",
    "sum(x)": "sum(body, (m, 1, K))",
    "sum(x, 3)": "neither a range nor a set",
    "sum(x, (m, 1))": "neither a range nor a set",
    "sum(x, (m+1, 1, K))": "the name of an index",
    "sum(x, m in S in T)": "neither a range nor a set",
    "setof(x, (m,1,K))": "members of a set",
    "diff(x)": "diff(",
    "diff(x, y+1)": "derivative by a formula",
    "limit(x, 2, oo)": "the name of an index",
    "cases((0,), (1, m == i))": "that one last",
    "cases((1, m))": "a condition",
    "upper(x, k)": "no entry",
    "star(A)": "star(A, B)",
    "2**" * 1_300 + "2": "too many",
    "x**" * 6 + "x": "powers are nested too deeply",
    "f(" * 61 + "x" + ")" * 61: "nested too deeply",
    "-" * 70 + "x": "nested too deeply",
    "1, 2": "column 1: found several values",
    "0." + "1" * 13: "at most 12",
    "x" * 33: "at most 32",
}


@pytest.mark.parametrize("text", PYTHON, ids=lambda text: text[:40])
def test_python_beyond_the_language_is_refused(text: str) -> None:
    assert PYTHON[text] in str(check_refused(read_claim, text))


@pytest.mark.parametrize("name", BOTH)
def test_hostile_text_is_refused_at_once(name: str) -> None:
    check_refused(read_claim, BOTH[name])


def test_caps_are_where_they_are_said_to_be() -> None:
    read_claim("(" * 59 + "x" + ")" * 59)
    read_claim("+".join("x" * 199))
    read_claim("x" + " " * 3_999)
    read_claim("2**2**2**2**2")
    for text in ("(" * 61 + "x" + ")" * 61, "+".join("x" * 202), "x" + " " * 4_000, "2**2**2**2**2**2"):
        check_refused(read_claim, text)


@pytest.mark.parametrize(
    ("text", "name", "letter"),
    [
        ("\u0430", "CYRILLIC SMALL LETTER A (U+0430)", "a"),
        ("x + \u0421", "CYRILLIC CAPITAL LETTER ES (U+0421)", "C"),
        ("\u03bf", "GREEK SMALL LETTER OMICRON (U+03BF)", "o"),
        ("\uff11", "FULLWIDTH DIGIT ONE (U+FF11)", "1"),
        ("\U0001d44e", "MATHEMATICAL ITALIC SMALL A (U+1D44E)", "a"),
        ("\uff08", "FULLWIDTH LEFT PARENTHESIS (U+FF08)", "("),
    ],
)
def test_look_alikes_are_named_with_their_ascii_twin(text: str, name: str, letter: str) -> None:
    error = check_refused(read_claim, text)
    assert name in str(error)
    assert f" {letter}" in error.expected


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("x \u2264 1", "<="),
        ("x\u00b2", "**2"),
        ("\u03b1", "alpha"),
        ("\u221e", "oo"),
        ("a\u2212b", "-"),
        ("a\u00a0", "plain space"),
    ],
)
def test_signs_outside_ascii_come_with_what_to_write(text: str, instead: str) -> None:
    assert instead in check_refused(read_claim, text).expected


def test_an_error_says_where_it_is() -> None:
    with pytest.raises(ClaimError) as caught:
        read_claim("c[i] ==\n 2*P.x")
    error = caught.value
    assert (error.line, error.column, error.position) == (2, 5, 12)
    assert str(error).splitlines() == [
        "line 2, column 5: found '.', expected a formula: nothing has attributes here",
        "     2*P.x",
        "        ^",
    ]
    assert isinstance(error, SymconvError)
    assert isinstance(error, ValueError)


def test_the_caret_stands_under_wide_text() -> None:
    with pytest.raises(ClaimError) as caught:
        read_claim("x" * 20 + " + " * 20 + "\uff11" + "y" * 100)
    _, shown, caret = str(caught.value).splitlines()
    assert shown[len(caret) - 1] == "\uff11"
    assert len(shown) < 80


def test_nothing_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("print(1)", "exit()", "breakpoint()"):
        assert isinstance(read_claim(text).parts[0], Call)
    assert capsys.readouterr().out == ""
