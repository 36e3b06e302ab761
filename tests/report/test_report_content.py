"""What a report says: its sections, marks and numbers, for the packaged example and for an odd problem."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from typing import Any

import oracles
import pytest

import symconv as sc
from symconv.cli.certificates import recorded
from symconv.errors import ProblemFileError
from symconv.problems.build import build_document
from symconv.problems.problem import Problem
from symconv.problems.reading import load_problem, read_problem
from symconv.proofs.verdict import Verdict
from symconv.report.document import (
    Band,
    Block,
    Document,
    FigureBlock,
    Ledger,
    Math,
    Paragraph,
    RelationLine,
    Section,
)
from symconv.report.mathml import to_mathml
from symconv.report.render import to_html, to_latex

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "reports" / "dsga1008-hw2.toml"
ODD = Path(__file__).with_name("odd_problem.toml")


@cache
def problem(path: Path) -> Problem:
    return load_problem(path)


@cache
def document(path: Path) -> Document:
    return build_document(problem(path))


def flat(blocks: tuple[Block, ...]) -> Iterator[Block]:
    """All blocks, those on tinted ground included."""
    for block in blocks:
        yield block
        if isinstance(block, Band):
            yield from flat(block.blocks)


def section(doc: Document, id: str) -> list[Block]:
    """The blocks of a section, up to the next."""
    found: list[Block] = []
    inside = False
    for block in doc.blocks:
        if isinstance(block, Section):
            inside = block.id == id
        elif inside:
            found.append(block)
    return list(flat(tuple(found)))


def statements(blocks: list[Block]) -> list[RelationLine]:
    return [block for block in blocks if isinstance(block, RelationLine)]


def marks(blocks: list[Block]) -> str:
    """The marks of the numbered statements, by their first letters."""
    return "".join(s.mark[0] for s in statements(blocks) if s.number and s.mark != "definition")


def pmatrix(rows: list[list[Any]]) -> str:
    return r"\begin{pmatrix} " + r" \\ ".join(" & ".join(map(str, row)) for row in rows) + r" \end{pmatrix}"


def nested(tensor: oracles.Tensor) -> Any:
    """A tensor of the oracles without batch and channel, as nested lists."""
    return tensor.nested()[0][0]


# ---------------------------------------------------------------------- the example


def test_the_example_has_its_sections_in_order() -> None:
    found = [block.id for block in document(EXAMPLE).blocks if isinstance(block, Section)]
    assert found == ["q-1a", "q-1b", "q-1c", "q-1d", "q-2a", "q-2b", "q-2c", "q-2d", "claims", "basis"]


EXAMPLE_MARKS = {
    "q-1a": "e",
    "q-1b": "pp",
    "q-1c": "eer",  # both readings, and the printed matrix, which is the other one
    "q-1d": "p" * 16,
    "q-2a": "",
    "q-2b": "pppppp",
    "q-2c": "ee",
    "q-2d": "pppppp",
}


@pytest.mark.parametrize("id", EXAMPLE_MARKS)
def test_the_example_has_the_marks_that_are_due(id: str) -> None:
    assert marks(section(document(EXAMPLE), id)) == EXAMPLE_MARKS[id]


def verdicts(blocks: list[Block]) -> dict[str, str]:
    """The mark of every verdict, by its number: one a statement, or several with a letter each."""
    found: dict[str, str] = {}
    for one in statements(blocks):
        several = [sub for sub in one.reason.substeps if sub.mark != "none"] if one.reason else []
        found |= {one.number + sub.number: sub.mark for sub in several} or (
            {one.number: one.mark} if one.number else {}
        )
    return found


def test_every_claim_is_shown_once_with_the_marks_of_its_verdicts() -> None:
    shown = section(document(EXAMPLE), "claims")
    due: dict[str, str] = {}
    sources = [list(group) for _, group in itertools.groupby(sc.check(EXAMPLE), key=lambda found: found.source.id)]
    for number, results in enumerate(sources, 1):
        letters = [""] if len(results) == 1 else "ab"
        for letter, result in zip(letters, results, strict=True):
            due[f"C{number}{letter}"] = "none" if result.status == "error" else result.status
        repaired = [result.repaired.status for result in results if result.repaired is not None]
        for letter, status in zip([""] if len(repaired) == 1 else "ab", repaired, strict=False):
            due[f"C{number}'{letter}"] = status
    assert verdicts(shown) == due
    assert list(due.values()).count("refuted") == 9
    assert len({s.number for s in statements(shown) if s.number and not s.number.endswith("'")}) == len(sources)
    order = ("refuted", "none", "undecided", "exact", "proved")
    for statement in statements(shown):  # the mark of a claim is never better than one of its verdicts
        own = [mark for number, mark in due.items() if number.rstrip("ab") == statement.number]
        assert not own or statement.mark == min(own, key=order.index)


def test_the_status_counts_every_mark_once() -> None:
    for path in (EXAMPLE, ODD):
        doc = document(path)
        shown = list(verdicts(list(flat(doc.blocks))).values())
        counted = {line.mark: int(line.body[0].text) for line in doc.status if line.mark not in ("none", "definition")}  # type: ignore[union-attr]
        assert counted == {mark: shown.count(mark) for mark in ("proved", "exact", "refuted") if mark in shown}
        assert not any(re.search(r"\d[–,]", str(run)) for line in doc.status for run in line.body)  # no list of numbers


def test_what_holds_under_a_condition_is_counted_and_its_condition_is_printed() -> None:
    doc = document(EXAMPLE)
    counted = 0
    for line in doc.status:
        found = re.search(r"\((\d+) under a condition, which stands beside each", line.body[-1].text)  # type: ignore[union-attr]
        counted += int(found[1]) if found else 0
    due = [found for found in sc.check(EXAMPLE) if found.verdict.holds and found.verdict.conditions]
    assert due
    steps = [s for s in statements(list(flat(doc.blocks))) if s.mark in ("proved", "exact") and s.reason is not None]
    needing = [step.number for step in steps if step.reason and step.reason.needs]
    printed = sum(str(step.reason).count("on the condition that") for step in steps)
    assert (counted, printed) == (len(needing) + len(due), len(due))


def test_the_head_says_what_a_checker_took_as_known() -> None:
    said = ["Coq 8", "Coq 8, but for derivatives", ""]

    def certify(named: Sequence[tuple[str, str, Verdict]]) -> list[Verdict]:
        return [replace(verdict, checked_by=said[k % 3]) for k, (_, _, verdict) in enumerate(named)]

    lines = [
        "".join(str(getattr(run, "text", "")) for run in line.body)
        for line in build_document(problem(EXAMPLE), certify=certify).status
    ]
    found = [line.split(" ", 1) for line in lines if "checked by" in line]
    assert [text for _, text in found] == ["checked by Coq 8", "checked by Coq 8, but for derivatives"]
    numbers = [int(count) for count, _ in found]
    assert min(numbers) > 1
    assert 0 <= numbers[0] - numbers[1] <= 1  # by turns


def _spread(text: str) -> set[str]:
    """``3–5, C1`` as its numbers."""
    found: set[str] = set()
    for part in re.findall(r"[A-Z]?\d+'?[ab]?(?:–[A-Z]?\d+)?", text):
        low, _, high = part.partition("–")
        letter = low.rstrip("0123456789'")
        first = low.removeprefix(letter)
        if high:
            found |= {f"{letter}{n}" for n in range(int(first), int(high.removeprefix(letter)) + 1)}
        else:
            found.add(low)
    return found


A, B = (problem(EXAMPLE).data[name] for name in "AB")


def correlated(flip: bool) -> list[list[Any]]:
    return nested(oracles.conv([[A]], [[B]], flip=flip))


def test_the_example_has_the_numbers_of_plain_loops() -> None:
    plain, turned = correlated(False), correlated(True)
    assert plain == [[109, 92, 72], [108, 85, 74], [110, 74, 79]]
    assert turned == problem(EXAMPLE).questions[2].own["printed"]
    found = [s.rhs.latex for s in statements(section(document(EXAMPLE), "q-1c")) if s.number]
    assert found == [pmatrix(plain), pmatrix(turned), pmatrix(turned)]
    pooled = [nested(oracles.max_pool([[rows]], 2, stride=1)[0]) for rows in (plain, turned)]
    found = [s.rhs.latex for s in statements(section(document(EXAMPLE), "q-2c"))]
    assert found == [pmatrix(rows) for rows in pooled]
    (first,) = [s for s in statements(section(document(EXAMPLE), "q-1c")) if s.rows]
    assert first.rows[0].latex == r"= 4 \cdot 4 + 5 \cdot 3 + 2 \cdot 3 + \cdots + 4 \cdot 3 = 109"


def all_ones(kernel: list[list[int]], size: tuple[int, int], **options: Any) -> list[list[Any]]:
    """The gradient by the input for an upstream gradient of ones."""
    zeros = [[[[0] * size[1] for _ in range(size[0])]]]
    shape = oracles.conv(zeros, [[kernel]], **options).shape
    return nested(oracles.conv_vjp(oracles.full(shape, 1), zeros, [[kernel]], **options).input)


def test_the_all_ones_figures_show_the_gradient_of_plain_loops() -> None:
    figures = [b for b in section(document(EXAMPLE), "q-1d") if isinstance(b, FigureBlock)]
    assert figures[-1].display == Math(pmatrix(all_ones([[1, 2, 3], [4, 5, 6], [7, 8, 9]], (5, 5))))
    figures = [b for b in section(document(ODD), "q-ones") if isinstance(b, FigureBlock)]
    kernel = [[1, 2], [3, 4], [5, 6]]
    assert figures[-1].display == Math(pmatrix(all_ones(kernel, (3, 4), padding=[(1, 1), (0, 1)])))


def test_one_entry_of_the_gradient_is_written_out_as_plain_loops_have_it() -> None:
    """The entry (2, 4): which products of upstream gradient and kernel stand there."""
    figures = [b for b in section(document(EXAMPLE), "q-1d") if isinstance(b, FigureBlock)]
    shown = figures[0].display
    assert shown is not None
    pairs = re.findall(r"\\SCkernel\{b_\{(\d)(\d)\}\}\\, \\SCupstream\{g_\{(\d)(\d)\}\}", shown.latex)
    found = {(p, q, m, n) for m, n, p, q in pairs}
    due = set()
    for p in range(3):
        for q in range(3):
            for m in range(3):
                for n in range(3):
                    if (p + m, q + n) == (1, 3):
                        due.add(tuple(str(v + 1) for v in (p, q, m, n)))
    assert found == due
    assert r"\partial a_{24}" in shown.latex


def test_the_printed_matrix_is_said_to_be_the_other_reading() -> None:
    (band,) = [b for b in document(EXAMPLE).blocks if isinstance(b, Band) and b.title[0].text.startswith("The printed")]  # type: ignore[union-attr]
    assert band.title[0].text == "The printed matrix is the other reading"  # type: ignore[union-attr]
    (statement,) = [b for b in band.blocks if isinstance(b, RelationLine)]
    assert statement.reason is not None
    text = "".join(getattr(run, "text", "") for run in statement.reason.body)
    assert text == (
        "It is the flipped convolution. The formula in 1d means the cross-correlation, from which 9 of its entries "
        "differ."
    )


def test_a_refuted_claim_stands_with_its_witness_and_its_repair() -> None:
    blocks = section(document(EXAMPLE), "claims")
    place = next(k for k, b in enumerate(blocks) if isinstance(b, RelationLine) and b.number == "C6")
    wrong, _, _, witness, values, repair = blocks[place : place + 6]
    assert isinstance(wrong, RelationLine)
    assert isinstance(witness, RelationLine)
    assert isinstance(repair, RelationLine)
    assert (wrong.mark, repair.mark) == ("refuted", "exact")
    assert r"j + \SCbad{m} - 1" in wrong.rhs.latex
    assert r"j + n - 1" in repair.rhs.latex
    assert r"A = \begin{pmatrix} 1 & 0 \\ 0 & 0 \end{pmatrix}" in witness.rhs.latex
    assert isinstance(values, Paragraph)
    assert [run.latex for run in values.body if isinstance(run, Math)] == ["0", r"\SCbad{1}"]


def test_a_correlation_is_never_a_bare_asterisk() -> None:
    for path in (EXAMPLE, ODD):
        for block in flat(document(path).blocks):
            if isinstance(block, RelationLine):
                assert "*" not in block.lhs.latex + block.rhs.latex


# ---------------------------------------------------------------------- the odd problem

ODD_MARKS = {
    "q-line": "ee",
    "q-line gradients": "p" * 17,
    "q-size": "ee",
    "q-plane": "ee",
    "q-plane gradients": "p" * 17,
    "q-ones": "p" * 10,
    "q-same": "e",
    "q-up": "e",
    "q-mean": "ppppp",
    "q-norm": "ppppp",
    "q-top": "eeeee",  # asked at the declared size
    "q-forms": "pppppp",
    "q-kinds": "pppppp",
    "q-sizes": "pp",
    "q-rounded sizes": "pp",
    "q-same sizes": "pp",
    "q-norms": "e",
    "q-means": "e",
}


def test_the_odd_problem_has_its_sections_in_order() -> None:
    found = [block.id for block in document(ODD).blocks if isinstance(block, Section)]
    assert found == [*ODD_MARKS, "basis"]


@pytest.mark.parametrize("id", ODD_MARKS)
def test_the_odd_problem_has_the_marks_that_are_due(id: str) -> None:
    assert marks(section(document(ODD), id)) == ODD_MARKS[id]


def numbers_of(latex: str) -> list[list[Fraction]]:
    """The entries of a matrix as printed, cube roots as the numbers below them."""
    inner = latex.removeprefix(r"\begin{pmatrix} ").removesuffix(r" \end{pmatrix}")
    cells = [row.split(" & ") for row in inner.split(r" \\ ")]
    return [
        [Fraction(re.sub(r"\\SCzero", "0", re.sub(r"\\sqrt\[3\]\{(.*)\}", r"\1", c))) for c in row] for row in cells
    ]


def test_the_odd_problem_has_the_numbers_of_plain_loops() -> None:
    data = problem(ODD).data
    doc = document(ODD)
    for flip, shown in zip((False, True), statements(section(doc, "q-line"))[1:3], strict=True):
        due = oracles.conv([[data["V"]]], [[data["K"]]], stride=2, padding=1, flip=flip)
        assert numbers_of(shown.rhs.latex) == [nested(due)]
        assert r"\text{stride }2,\,\text{padding }1" in shown.lhs.latex
    options = {"stride": (2, 1), "padding": [(1, 0), (0, 2)], "dilation": (1, 2)}
    for flip, shown in zip((False, True), statements(section(doc, "q-plane"))[1:3], strict=True):
        due = oracles.conv([[data["X"]]], [[data["W"]]], flip=flip, **options)
        assert numbers_of(shown.rhs.latex) == nested(due)
    geometry = {"padding": [(1, 1), (0, 0)]}
    (shown,) = [s for s in statements(section(doc, "q-means")) if s.number]
    due = oracles.avg_pool([[data["X"]]], (3, 2), count_include_pad=False, **geometry)
    assert numbers_of(shown.rhs.latex) == nested(due)
    (shown,) = [s for s in statements(section(doc, "q-norms")) if s.number]
    for row, due_row in zip(numbers_of(shown.rhs.latex), nested(oracles.lp_pool([[data["X"]]], 3, (3, 2), **geometry))):
        assert [float(v) for v in row] == pytest.approx([float(v) ** 3 for v in due_row], rel=1e-12)


_FRACTION = re.compile(
    r"\\left\\l(floor|ceil) \\frac\{([^{}]*)\}\{(\d+)\} \\right\\r(?:floor|ceil)((?: [+-] 1)*) = (\d+)$"
)


def test_sizes_are_spelled_out_as_equations_that_hold() -> None:
    """The printed sum is worked out again: a line such as 7/3 rounded up, plus 1, equals 3 must not stand there."""
    found = 0
    for id in ("q-size", "q-same", "q-up"):
        for shown in statements(section(document(ODD), id)):
            match = _FRACTION.match(shown.rhs.latex)
            assert match is not None, shown.rhs.latex
            top = Fraction(_sum(match[2]), int(match[3]))
            rounded = top.__floor__() if match[1] == "floor" else top.__ceil__()
            assert rounded + _sum(match[4] or "0") == int(match[5]), shown.rhs.latex
            found += 1
    assert found == 4
    (up,) = statements(section(document(ODD), "q-up"))
    assert up.rhs.latex.endswith(r"\right\rceil + 1 - 1 = 3")


def _sum(text: str) -> int:
    """A sum of whole numbers, with products in brackets such as (2 \\cdot 1 + 1)."""
    text = re.sub(r"\((\d+) \\cdot (\d+) \+ 1\)", lambda m: str(int(m[1]) * int(m[2]) + 1), text)
    return sum(int(part.replace(" ", "")) for part in re.findall(r"[+-]? ?\d+", text))


def test_a_general_size_is_that_of_the_declared_rule() -> None:
    sizes = {
        id: statements(section(document(ODD), f"q-{id}"))[1].rhs.latex
        for id in ("sizes", "rounded sizes", "same sizes")
    }
    assert sizes["sizes"] == r"\left\lfloor \frac{I+P+Q-D(K-1)-1}{S} \right\rfloor+1"  # its paddings differ
    assert sizes["rounded sizes"] == r"\min(\lceil (I+2P-K)/S \rceil+1,\,\lceil (I+P)/S \rceil)"
    assert sizes["same sizes"] == r"\left\lceil \frac{I}{S} \right\rceil"
    told = {
        id: [b for b in section(document(ODD), f"q-{id}") if _text(b).startswith("The floor is needed")] for id in sizes
    }
    assert {id: len(found) for id, found in told.items()} == {"sizes": 1, "rounded sizes": 0, "same sizes": 0}


def _text(block: Block) -> str:
    return "".join(getattr(run, "text", "") for run in block.body) if isinstance(block, Paragraph) else ""


# ---------------------------------------------------------------------- both writers, and the same bytes


@pytest.mark.parametrize("path", [EXAMPLE, ODD], ids=["example", "odd"])
def test_both_writers_take_the_document(path: Path) -> None:
    doc = document(path)
    latex, html = to_latex(doc), to_html(doc)
    assert latex.startswith("% Written by symconv.")
    assert r"\documentclass" in latex
    assert latex.rstrip().endswith(r"\end{document}")
    assert html.lower().startswith("<!doctype html>")
    for text in (latex, html):
        assert "not decided" not in text  # what the mark of an undecided step says
    assert r"\input{/etc/passwd}" not in latex
    for block in flat(doc.blocks):
        if isinstance(block, RelationLine):
            for formula in (block.lhs, block.rhs, *block.rows):
                assert not formula.latex or to_mathml(formula.latex).startswith("<math")


def test_a_mark_that_is_undecided_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks above can fail: with a checker that knows nothing, every mark of a derivation is another."""
    undecided = sc.Verdict("undecided", explanation="Nothing was found.")
    monkeypatch.setattr("symconv.proofs.prove.prove", lambda *args, **options: undecided)
    doc = build_document(replace(problem(ODD), questions=problem(ODD).questions[5:6]))
    assert "u" in marks(section(doc, "q-ones"))
    assert "not decided" in to_html(doc)


SCRIPT = """
import hashlib, sys
from symconv.problems.reading import load_problem
from symconv.cli.certificates import recorded
from symconv.problems.build import build_document
from symconv.report.render import to_html, to_latex
document = build_document(load_problem(sys.argv[1]))
print(*(hashlib.sha256(write(document).encode()).hexdigest() for write in (to_latex, to_html)))
"""


@pytest.mark.parametrize("path", [EXAMPLE, ODD], ids=["example", "odd"])
def test_two_builds_are_the_same_bytes_whatever_the_seed_of_hashes(path: Path) -> None:
    found = set()
    for seed in ("1", "77"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(path)], capture_output=True, text=True, env=env, check=True, timeout=120
        )
        found.add(done.stdout)
    assert len(found) == 1
    assert len(found.pop().split()) == 2


@pytest.mark.parametrize(("suffix", "write"), [(".tex", to_latex), (".html", to_html)])
def test_the_committed_report_is_a_fresh_build(suffix: str, write: Any) -> None:
    path = EXAMPLE.with_suffix(suffix)
    if not path.is_file():
        pytest.skip(f"{path.name} is not committed")
    fresh = write(build_document(problem(EXAMPLE), certify=partial(recorded, EXAMPLE.stem)))
    assert path.read_text(encoding="utf-8") == fresh, f"{path.name} is not what symconv report writes; write it anew"


# ---------------------------------------------------------------------- what must not matter


def contents(doc: Document) -> dict[str, list[tuple[str, str, str, str]]]:
    """What every section states, without numbers."""
    return {
        block.id: [
            (s.mark, s.lhs.latex, s.relation, s.rhs.latex)
            for s in statements(section(doc, block.id))
            if s.mark != "definition"
        ]
        for block in doc.blocks
        if isinstance(block, Section)
    }


def test_another_order_of_questions_changes_the_order_only() -> None:
    turned = build_document(replace(problem(ODD), questions=problem(ODD).questions[::-1]))
    found = contents(turned)
    assert found == contents(document(ODD))
    assert list(found)[:-1] == list(ODD_MARKS)[::-1]
    numbers = [s.number for s in statements(list(flat(turned.blocks))) if s.number.isdigit()]
    assert numbers == [str(n) for n in range(1, len(numbers) + 1)]  # they are counted in the new order


LETTERS = {"x": "u", "w": "v", "y": "c", "g": "h", "L": "J", "X": "U", "W": "V", "Y": "C", "G": "H"}
NAMES = {"input": "u", "weight": "v", "output": "c", "upstream": "h", "error": "J"}
_PIECES = re.compile(r"\\(?:text|operatorname|begin|end)\{[^{}]*\}|\\[A-Za-z]+|[A-Za-z]|.", re.S)


def renamed(latex: str) -> str:
    return "".join(LETTERS.get(piece, piece) for piece in _PIECES.findall(latex))


def test_other_letters_change_the_letters_only() -> None:
    """The index letters are given as well, since the default ones make way for chosen names."""
    families = {"input_index": "ijk", "weight_index": "mno", "output_index": "pqr", "turned_index": "zst"}
    lines = problem(ODD).questions[:6]
    plain, other = (
        build_document(replace(problem(ODD), questions=tuple(replace(q, names={**names, **families}) for q in lines)))
        for names in (problem(ODD).names, NAMES)
    )
    ours, theirs = contents(plain), contents(other)
    assert ours.keys() == theirs.keys()
    for id, rows in ours.items():
        for (mark, left, sign, right), (mark2, left2, sign2, right2) in zip(rows, theirs[id], strict=True):
            assert (mark2, sign2) == (mark, sign)
            assert (left2, right2) == (renamed(left), renamed(right)), id


def test_counting_from_0_changes_indices_and_no_mark() -> None:
    questions = tuple(replace(q, index_base=0) for q in problem(ODD).questions)
    doc = build_document(replace(problem(ODD), questions=questions))
    for id, due in ODD_MARKS.items():
        assert marks(section(doc, id)) == due, id
    first = statements(section(doc, "q-plane gradients"))[-1]
    assert first.mark == "proved"


# ---------------------------------------------------------------------- the rest


def test_every_statement_is_accounted_for_in_the_ledger() -> None:
    doc = document(ODD)
    ledger = [b for b in doc.blocks if isinstance(b, Ledger)][-1]
    rows = ["".join(getattr(run, "text", "") for run in row.steps) for row in ledger.rows]
    spread = [_spread(row) for row in rows]
    assert sum(map(len, spread)) == len(set().union(*spread))  # nothing twice
    checked = {n for n, mark in verdicts(list(flat(doc.blocks))).items() if mark not in ("none", "definition")}
    assert set().union(*spread) == checked


def test_values_of_an_earlier_question_that_do_not_fit_are_refused() -> None:
    content = (
        ODD.read_text(encoding="utf-8")
        + """
[[questions]]
id = "again"
title = "Again"
ask = "values"
operator = "top"
input = "plane"
"""
    )
    with pytest.raises(ProblemFileError, match=r"question 'again'.*has shape 3x6, and operator 'top' takes 7x6"):
        build_document(read_problem(content))


def test_progress_is_told_question_by_question() -> None:
    said: list[str] = []
    build_document(replace(problem(ODD), questions=problem(ODD).questions[2:3]), said.append)
    assert said[0] == "question size"


def test_the_names_of_the_operators_modules_are_listed() -> None:
    table: Mapping[str, str] = {
        "MaxPool2d": "padding never wins",
        "AvgPool2d": "padding counts",
        "LPPool2d": "absolute values",
    }
    (ledger,) = [b for b in section(document(EXAMPLE), "q-2a") if isinstance(b, Ledger)]
    for row in ledger.rows:
        assert table[row.steps[0].text] in row.recomputed[0].text  # type: ignore[union-attr]
    assert len(ledger.rows) == len(table)
