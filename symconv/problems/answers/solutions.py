"""A solution, graded: a tally, then its lines with their verdicts, the smallest example against them, and repairs."""

from __future__ import annotations

from typing import Any

from symconv.claims.claim_verdict import ClaimVerdict
from symconv.formulas.printing import LATEX
from symconv.problems.answers.desk import Desk, mark_of, words
from symconv.problems.answers.exact_text import exact_text
from symconv.problems.answers.prose import formula, prose
from symconv.problems.grading.channel_lines import shown
from symconv.problems.grading.grade import GradedOne, grade
from symconv.problems.problem import Solution
from symconv.proofs.verdict import Counterexample, Verdict
from symconv.report.document import Block, Graded, GradedLine, Inline, Math, Reason, RelationLine, Text
from symconv.report.exercise import Grid, GridCell, Grids, Witness
from symconv.report.ledger import Basis
from symconv.report.marks import Mark
from symconv.report.numbers import cell_text

__all__ = ["graded"]

_CHECKED = {
    "exact": Basis("both sides, in every entry", "expressions in the entries of all arrays, at the declared sizes"),
    "refuted": Basis("the example evaluated", "a counterexample"),
}
_WORDS = {"proved": "Right.", "exact": "Right.", "refuted": "Wrong.", "undecided": "Not decided.", "error": "Not read."}


def graded(desk: Desk, solution: Solution) -> Graded:
    """The lines of a solution, graded."""
    lines, right = [], 0
    for line in solution.lines:
        desk.progress(f"line {line.id}")
        one = grade(line, solution)
        stands = one.results[0].verdict.holds
        right += stands
        lines.append(_line(desk, solution, one))
    total = len(lines)
    verb = "stands" if total == 1 else "stand"
    return Graded(words(f"{right} of {total} lines {verb}" if total > 1 else f"{right} of 1 line stands"), tuple(lines))


def _line(desk: Desk, solution: Solution, one: GradedOne) -> GradedLine:
    label = _label(desk, solution, one)
    first, *others = one.results
    mark = mark_of(first.verdict)
    _note(desk, label, mark, first.verdict)
    verdict = _verdict(one, first)
    refuted = next((result for result in others if result.status == "refuted"), None)
    word = _WORDS[first.status]
    if refuted is not None and first.verdict.holds:
        word = "Right here,"
        verdict = (*words("not in general: "), *_explained(refuted.verdict))
        mark = "exact"
    for result in others:
        if result.status in ("proved", "undecided"):
            verdict = (*verdict, *words(f" In general: {result.status}."))
    return GradedLine(
        f"s-{label}", label, mark, _written(one), word, verdict, _witness(first.verdict), _repair(desk, label, one)
    )


def _label(desk: Desk, solution: Solution, one: GradedOne) -> str:
    """The number of a line; with that of its solution where there are several."""
    several = len(desk.problem.solutions) > 1
    return f"{solution.question.id}.{one.line.number}" if several else one.line.number


def _note(desk: Desk, label: str, mark: Mark, verdict: Verdict) -> None:
    if mark == "none":
        desk.errors.append(label)
    elif mark == "proved":
        desk.note(label, mark, verdict)
    else:
        desk.note(label, mark, _CHECKED.get(mark, Basis("", "none")))


def _written(one: GradedOne) -> tuple[Inline, ...]:
    """The line as it was written: the words of the solution, or its formula."""
    if one.line.as_written:
        return tuple(run for paragraph in prose(one.line.as_written) for run in paragraph)
    if one.line.latex:
        read = formula(one.line.latex)
        return (Math(read),) if read is not None else (Text(one.line.latex),)
    return (Text(f"{one.line.says} of {one.line.of or 'the network'}"),)


def _verdict(one: GradedOne, result: ClaimVerdict) -> tuple[Inline, ...]:
    verdict = result.verdict
    if verdict.holds:
        found: tuple[Inline, ...] = ()
        if verdict.status == "exact":
            found = words("At the sizes of this exercise, for all numbers." if one.line.latex else "Counted.")
        if verdict.conditions:
            found = (*found, *words(f" On the condition that {', and that '.join(verdict.conditions)}."))
        if verdict.status == "proved":
            found = (*words("For all sizes."), *found)
        return found
    if result.edit:
        return words(f"{result.edit[0].upper()}{result.edit[1:]}." if "$" not in result.edit and "{" not in result.edit
                     else "One edit puts it right.")  # fmt: skip
    return _explained(verdict)


def _explained(verdict: Verdict) -> tuple[Inline, ...]:
    counter = verdict.counterexample
    if counter is None or counter.left is None:
        return words(verdict.explanation)
    sizes = ", ".join(f"{LATEX.name(name)} = {value}" for name, value in counter.sizes.items())
    if not sizes:
        return words("the two sides differ.")
    left, right = _number(counter.left), _number(counter.right)
    return words("at ", Math(sizes), " it would be ", Math(right), ", and it is ", Math(left), ".")


def _number(value: Any) -> str:
    return exact_text(value) if not isinstance(value, str) else value


def _witness(verdict: Verdict) -> Witness | None:
    """The smallest example against a line, as small pictures where its arrays are small."""
    counter = verdict.counterexample
    if counter is None or not counter.tensors:
        return None
    grids = tuple(grid for name in counter.tensors if (grid := _picture(counter, name)) is not None)
    place = ", ".join(f"{LATEX.name(name)} = {value}" for name, value in counter.indices.items() if "entry" not in name)
    entries = ", ".join(
        f"{LATEX.subscripted(LATEX.name(name), [str(i) for i in at])} = {exact_text(value)}"
        for name, own in counter.tensors.items()
        for at, value in own.items()
    )
    body = words(
        *(("At ", Math(place), ", with ") if place else ("With ",)),
        Math(entries),
        " and all other entries 0, the left side is ",
        Math(_number(counter.left)),
        " and the right side ",
        Math(rf"\SCbad{{{_number(counter.right)}}}"),
        ".",
    )
    return Witness(Grids(grids) if grids else None, body)


def _picture(counter: Counterexample, name: str) -> Grid | None:
    """The plane of an array that has its entries that are not 0; None for a large one, and for several planes."""
    own, box = counter.tensors[name], counter.boxes[name]
    planes = {place[:-2] for place in own}
    if not box or len(planes) != 1 or any(high - low > 7 for low, high in box[-2:]):
        return None
    (above,) = planes
    shape = [range(low, high + 1) for low, high in box[-2:]]
    rows = [(row,) for row in shape[0]] if len(shape) > 1 else [()]
    values = [[own.get((*above, *row, column), 0) for column in shape[-1]] for row in rows]
    cells = tuple(tuple(GridCell(cell_text(value), ("me" if value else "z",)) for value in row) for row in values)
    letter = LATEX.name(name if len(box) == 1 else name[:1].upper() + name[1:] if len(name) == 1 else name)
    upper = "".join(map(str, above))
    return Grid(cells, f"{name}, the example", caption=Math(f"{letter}^{{{upper}}}" if upper else letter))


def _repair(desk: Desk, label: str, one: GradedOne) -> tuple[Block, ...]:
    """The line put right, under a number of its own."""
    if one.judged is not None and one.judged.mended is not None and one.judged.repaired is not None:
        left, *rest = (shown(part) for part in one.judged.mended.parts)
        mark = mark_of(one.judged.repaired)
        _note(desk, f"{label}'", mark, one.judged.repaired)
        reason = Reason("Repair.", words("The smallest edit that makes it true."))
        more = tuple(Math(f"= {part}") for part in rest[1:])
        return (RelationLine(f"s-{label}-repair", f"{label}'", mark, Math(left), "=", Math(rest[0]), reason, more),)
    if one.repair and not one.results[0].verdict.holds and not one.repair.startswith("to "):
        _note(desk, f"{label}'", "exact", Verdict("exact"))
        reason = Reason("Repair.", words("Counted."))
        what = rf"\text{{{one.line.says.replace('-', ' ')}}}"
        return (RelationLine(f"s-{label}-repair", f"{label}'", "exact", Math(what), "=", Math(one.repair), reason),)
    return ()
