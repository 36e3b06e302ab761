"""Questions about a layer as a matrix, and about every entry of a gradient, written out."""

from __future__ import annotations

import numpy as np

from symconv.derivations.derive import derive
from symconv.formulas.printing import LATEX
from symconv.operators.letters import Letters
from symconv.problems.answers.desk import Desk, words
from symconv.problems.answers.forward import SUMMED, WORKED_OUT
from symconv.problems.answers.running import running
from symconv.problems.answers.showing import array_lines, entry_line
from symconv.problems.problem import Question
from symconv.report.document import Block, Display, Math, Paragraph, Reason
from symconv.report.ledger import Basis

__all__ = ["as_matrix", "entries"]

READ_OFF = Basis("every entry, at the declared size", "the derivative of every output by every entry of the input")


def as_matrix(desk: Desk, question: Question) -> list[Block]:
    """The matrix T with C = T vec(A), from the derivative of the output; then its product with the data."""
    declared = question.operators[0]
    worked = derive(declared.op, "derivative", "input", names=question.names, index_base=question.index_base)
    numbers: dict[str, str] = {}
    blocks: list[Block] = [Paragraph(desk.inline((*worked.lead, " ", *worked.hypotheses), {}), wide=True)]
    blocks += desk.define(worked.definitions, {}, numbers, f"indices count from {question.index_base}, row first")
    blocks += desk.stages(worked, {}, numbers)
    run = running(desk, question) if question.own["input"] else None
    letters = Letters.of(question.names)
    formula = declared.op.derivative(
        "input", names=letters, index_base=question.index_base, input_size=declared.input_size
    )
    table = formula.matrix()
    rows = r" \\ ".join(" & ".join(_entry(table[r, c]) for c in range(table.shape[1])) for r in range(table.shape[0]))
    label = desk.number()
    desk.note(label, "exact", READ_OFF)
    reason = Reason("Every entry.", words("One row an output, one column an entry of the input, both row by row."))
    shown = rf"T = \begin{{pmatrix}} {rows} \end{{pmatrix}}"
    blocks.append(Display(Math(shown), f"s-{label}", label, "exact", reason))
    if run is not None:
        name = LATEX.name(run.names[declared.name]["output"])
        source = LATEX.name(run.names["input"]["output"])
        if len(run.shapes["input"]) - (run.shapes["input"][:1] == (1,)) > 1:
            name, source = (rf"\operatorname{{vec}}({array})" for array in (name, source))
        product = rf"{name} = T\, {source}"
        if getattr(declared.op, "bias", False):
            product += " + " + LATEX.name(run.names[declared.name]["bias"])
        blocks += array_lines(desk, product, run.values[declared.name], "In numbers.", (), WORKED_OUT)
    return blocks


def _entry(value: object) -> str:
    """An entry of a matrix of entries of the weight."""
    import sympy

    if value == 0:
        return r"\SCzero"
    return sympy.latex(value) if not isinstance(value, sympy.Indexed) else LATEX.subscripted(
        LATEX.name(str(value.base)), [str(index) for index in value.indices]
    )  # fmt: skip


def entries(desk: Desk, question: Question) -> list[Block]:
    """Every entry of a gradient as the sum that it is, in letters and in numbers, and its value."""
    declared, role = question.operators[0], question.own["entries_of"]
    run = running(desk, question)
    error = LATEX.name(Letters.of(question.names).error)
    layer = declared.name
    shape = run.shapes["input"] if role == "input" else run.parameters[layer][role].shape
    blocks: list[Block] = []
    for at in np.ndindex(*shape):
        place = tuple(i + run.base for i in at)
        found = run.gradient_sum(layer, role, place)
        name = run.entry_name("input", "output", place) if role == "input" else run.entry_name(layer, role, place)
        blocks.append(
            entry_line(desk, rf"\frac{{\partial {error}}}{{\partial {name}}}", found, "Written out.", (), SUMMED)
        )
    return blocks
