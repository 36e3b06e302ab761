"""The derivation of F(m, r): its verdicts, its printed lines read back in numbers, its matrices and tables."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest
from derivations.printed_lines import Reader, Tensor

from symconv.derivations import rules
from symconv.derivations.step import Derivation, plain
from symconv.derivations.winograd import CookToom, cook_toom, nested
from symconv.derivations.winograd.accuracy import Errors, MeasuredError
from symconv.derivations.winograd.derivation import derivation
from symconv.derivations.winograd.nested import Nested
from symconv.derivations.winograd.showing import latex, matrix_latex, matrix_text, text
from symconv.formulas.printing import UNICODE
from symconv.report.mathml import to_mathml

CASES = [
    nested(4, 3),
    nested(1, 1),
    nested(1, 3),
    nested(3, 1),
    nested(3, 3, [[Fraction(-1, 2), Fraction(1, 2), -3, Fraction(7, 3)]]),
    nested((4, 4), (3, 3)),
    nested((2, 4), (3, 5)),
    nested((2, 2), (2, 2), [[0, 1], [0, 2]]),
]
MEASURED = (
    MeasuredError("float16", 3, Errors(2e-4, 3e-3), Errors(float("inf"), float("inf"))),
    MeasuredError("float64", 3, Errors(1e-16, 2e-15), Errors(12e-16, 2.25e-15)),
)


def name(value: Nested) -> str:
    return value.name + " ".join(str(point) for axis in value.axes for point in axis.points)


def right(worked: Derivation, step: int) -> str:
    return worked.steps[step].right(UNICODE).replace("ᵀ", "")


@pytest.mark.parametrize("algorithm", CASES, ids=name)
def test_every_step_is_checked_and_rests_on_what_comes_before(algorithm: Nested) -> None:
    worked = derivation(algorithm)
    known = {definition.id for definition in worked.definitions}
    assert [step.id for step in worked.steps] == [str(n) for n in range(1, len(worked.steps) + 1)]
    for step in worked.steps:
        assert step.verdict.status == ("proved" if step.rule == "transpose" else "exact")
        assert step.rule in rules.RULES
        assert plain(step.reason).strip()
        assert known >= set(step.uses), step.id
        known.add(step.id)
    proved = next(step for step in worked.steps if step.rule == "transpose")
    assert str(proved.verdict.scope) == "for all m, r"


@pytest.mark.parametrize("name", ["AT", "G", "BT"])
def test_a_wrong_entry_is_refuted_in_the_steps_that_rest_on_it(name: str) -> None:
    f = cook_toom(4, 3)
    matrix = getattr(f, name)
    broken = replace(f, **{name: (matrix[0], (matrix[1][0] + 1, *matrix[1][1:]), *matrix[2:])})
    verdicts = {step.rule: step.verdict for step in derivation(Nested((broken,))).steps}
    blamed = {rule for rule, verdict in verdicts.items() if verdict.status == "refuted"}
    assert blamed == {"compare_coefficients", "evaluate" if name == "AT" else "collect"}
    assert " is " in verdicts["compare_coefficients"].explanation
    both = derivation(Nested((f, broken))).steps[-1]
    assert (both.rule, both.verdict.status) == ("nest", "refuted")


# ---------------------------------------------------------------------- printed lines


def polynomial(coefficients: list[Fraction], x: Fraction) -> Fraction:
    return sum((c * x**k for k, c in enumerate(coefficients)), start=Fraction(0))


def of_list(values: list[Fraction]) -> Tensor:
    return Tensor({(k,): value for k, value in enumerate(values)}, (len(values),), 0)


def of_rows(rows: tuple[tuple[Fraction, ...], ...]) -> Tensor:
    entries = {(i, j): value for i, row in enumerate(rows) for j, value in enumerate(row)}
    return Tensor(entries, (len(rows), len(rows[0])), 0)


@pytest.mark.parametrize("algorithm", [case for case in CASES if len(case.axes) == 1], ids=name)
def test_the_printed_lines_are_true_in_numbers(algorithm: Nested) -> None:
    """Each right-hand side is read from its text and worked out for random polynomials, kernels and tiles."""
    (f,) = algorithm.axes
    random = Random(f.size)
    u, g, d = ([Fraction(random.randint(-9, 9), 3) for _ in range(n)] for n in (f.m, f.r, f.size))
    s = [sum(u[i] * g[j - i] for i in range(f.m) if 0 <= j - i < f.r) for j in range(f.size)]
    y = [sum(g[k] * d[i + k] for k in range(f.r)) for i in range(f.m)]
    x = Fraction(5, 7)
    others = [[x - b for b in f.points if b != a] for a in f.points]
    at_own = [[a - b for b in f.points if b != a] for a in f.points]
    powers = {(q, k): a**k for q, a in enumerate(f.points) for k in range(f.size)}
    tensors = {
        "A": of_rows(f.AT), "G": of_rows(f.G), "B": of_rows(f.BT), "u": of_list(u), "g": of_list(g), "d": of_list(d),
        "s": of_list(s), "P": Tensor(powers, (1, 1), 0), "V": of_list([polynomial(s, a) for a in f.points]),
        "L": of_list([product(factors) for factors in others]),
        "N": of_list([product(factors) for factors in at_own]),
        "M": of_list([product([x - a for a in f.points])]),
    }  # fmt: skip
    reader = Reader(tensors, base=0)
    worked = derivation(algorithm)

    line = re.sub(r"a\[q\]\^(\w)", r"P[q,\1]", right(worked, 0))
    if f.points:
        assert worked.steps[0].left(UNICODE) == "s(a[q])"
        assert [reader.value(line, {"q": q}) for q in range(len(f.points))] == [polynomial(s, a) for a in f.points]
    else:
        assert (worked.steps[0].left(UNICODE), reader.value(line, {})) == ("s[0]", s[0])

    line = right(worked, 1).replace("s(a[q])", "V[q]").replace("M[q](x)", "L[q]").replace("M(x)", "M[0]")
    assert reader.value(line, {}) == polynomial(s, x)
    assert [reader.value(right(worked, 2), {"j": j}) for j in range(f.size)] == s
    form = sum(a * b for a, b in zip(d, s, strict=True))
    assert form == reader.value(worked.steps[3].left(UNICODE), {}) == reader.value(right(worked, 3), {})
    assert [reader.value(right(worked, 4), {"i": i}) for i in range(f.m)] == y


def product(factors: list[Fraction]) -> Fraction:
    result = Fraction(1)
    for factor in factors:
        result *= factor
    return result


def test_the_last_line_on_two_axes_names_the_axes_where_they_differ() -> None:
    assert derivation(nested((4, 4), (3, 3))).steps[-1].statement == "Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A"
    assert derivation(nested((2, 4), (3, 5))).steps[-1].statement == "Y = A₁ᵀ [(G₁ g G₂ᵀ) ⊙ (B₁ᵀ d B₂)] A₂"


def test_the_points_and_the_change_of_sign_are_said() -> None:
    shown = text(nested(2, 3))
    assert "a = (0, 1, −1, ∞)   (points; 4)" in shown
    assert "Row 0 changes its sign in G and in Bᵀ" in shown
    assert "Row 0" not in text(nested(4, 3))


def test_a_large_nested_algorithm_rests_on_its_axes() -> None:
    last = derivation(nested((10, 10), (9, 9))).steps[-1]
    assert "is the product of those of the axes, which hold by (5)" in plain(last.substeps[0])
    assert last.verdict.status == "exact"


# ---------------------------------------------------------------------- matrices and tables


def read_back(lines: list[str]) -> tuple[tuple[Fraction, ...], ...]:
    return tuple(tuple(map(Fraction, line.strip("⎡⎢⎣⎤⎥⎦[] ").replace("−", "-").split())) for line in lines)


@pytest.mark.parametrize("algorithm", CASES, ids=name)
def test_a_printed_matrix_reads_back_and_is_aligned(algorithm: Nested) -> None:
    for axis in algorithm.axes:
        for matrix in (axis.AT, axis.G, axis.BT):
            lines = matrix_text(matrix)
            assert read_back(lines) == matrix
            assert len({len(line) for line in lines}) == 1
            bars = [[found.start() for found in re.finditer("/", line)] for line in lines]
            columns = {place for row in bars for place in row}
            assert len(columns) == sum(any(entry.denominator != 1 for entry in column) for column in zip(*matrix))


def test_a_matrix_in_latex_reads_back() -> None:
    f = cook_toom(4, 3)
    body = matrix_latex(f.G).partition("\n")[2].rpartition("\n")[0]
    cells = [row.split("&") for row in re.split(r"\\\\\[6pt\]", body)]
    plain_cells = [[re.sub(r"\\tfrac\{(\d+)\}\{(\d+)\}", r"\1/\2", cell).strip() for cell in row] for row in cells]
    assert tuple(tuple(map(Fraction, row)) for row in plain_cells) == f.G


def width(entry: str) -> float:
    """A lower bound of how wide an entry of a matrix is set in 10 points, in points."""
    digits = 3.9 * max(map(len, re.findall(r"\d+", entry))) if "frac" in entry else 5 * len(entry.strip("-"))
    return digits + 7.7 * entry.startswith("-")


@pytest.mark.parametrize(("m", "r"), [(4, 3), (14, 3), (8, 8)])
def test_no_matrix_is_wider_than_a_line_and_its_blocks_are_the_matrix(m: int, r: int) -> None:
    f = cook_toom(m, r)
    displays = re.findall(r"\\\[\n(.*?)\n\\\]", latex(nested(m, r)), re.DOTALL)
    rows: dict[str, list[list[str]]] = {}
    name = ""
    for display in displays:
        found = re.search(r"\\begin\{array\}\{(r+)\}\n(.*)\n\\end\{array\}", display, re.DOTALL)
        if found is None or "text" in display:
            continue
        block = [
            [re.sub(r"\\tfrac\{(\d+)\}\{(\d+)\}", r"\1/\2", cell).strip() for cell in row.split("&")]
            for row in re.split(r"\\\\(?:\[6pt\])?\n", found[2])
        ]
        raw = [re.split("&", row) for row in re.split(r"\\\\(?:\[6pt\])?\n", found[2])]
        wide = sum(10 + max(width(cell.strip()) for cell in column) for column in zip(*raw, strict=True))
        assert wide <= 310, display
        if display.startswith(r"\left."):
            rows[name] = [[*old, *new] for old, new in zip(rows[name], block, strict=True)]
        else:
            name = display.partition(" = ")[0]
            rows[name] = block
    matrices = [tuple(tuple(map(Fraction, row)) for row in matrix) for matrix in rows.values()]
    assert matrices == [f.AT, f.G, f.BT]


def test_the_text_holds_the_matrices_the_costs_and_the_errors() -> None:
    shown = text(nested((2, 2), (3, 3)), MEASURED)
    assert shown.startswith("F(2x2, 3x3): 4 outputs of a correlation with 9 taps by 16 multiplications\n")
    assert "  A" + "ᵀ = ⎡ 1  1   1  0 ⎤" in shown
    assert re.search(r"tile, Bᵀ d B +32 +0\n", shown)
    assert "Products: 16 in place of 36, 2.25 times fewer" in shown
    assert re.search(r"float16 +2\.0e-4 +3\.0e-3 +overflow +overflow +–\n", shown)
    assert re.search(r"float64 +1\.0e-16 +2\.0e-15 +1\.2e-15 +2\.\de-15 +12\n", shown)
    assert "Measured" not in text(nested((2, 2), (3, 3)))
    assert "Products: 1, as many as in the direct sum." in text(nested(1, 1))


@pytest.mark.parametrize("algorithm", CASES, ids=name)
def test_every_display_is_within_the_subset_for_the_web(algorithm: Nested) -> None:
    displays = re.findall(r"\\\[\n(.*?)\n\\\]", latex(algorithm, MEASURED), re.DOTALL)
    kinds = len(set(algorithm.axes))
    assert len(displays) == 2 * kinds + (len(algorithm.axes) > 1) + 3 * kinds + 2
    for display in displays:
        assert to_mathml(display, display=True).startswith("<math"), display
    worked = derivation(algorithm)
    for phrase in (*(s.reason for s in worked.steps), *(sub for s in worked.steps for sub in s.substeps)):
        for part in phrase:
            assert isinstance(part, str) or to_mathml(part.latex).startswith("<math"), part


def test_equal_axes_are_derived_once() -> None:
    assert len(derivation(nested((4, 4), (3, 3))).steps) == 6
    assert len(derivation(nested((2, 4), (3, 5))).steps) == 11
    assert isinstance(CASES[0].axes[0], CookToom)
