"""Questions about a layer as a matrix, and about every entry of a gradient, written out."""

from __future__ import annotations

import numpy as np

from symconv.derivations.derive import derive
from symconv.formulas.printing import LATEX
from symconv.operators.letters import Letters
from symconv.operators.networks.shape import INPUT
from symconv.operators.networks.traced import TensorKey
from symconv.problems.answers.desk import Desk, words
from symconv.problems.answers.showing import WORKED_OUT, entry_line, tensor
from symconv.problems.answers.working import working
from symconv.problems.problem import Question
from symconv.report.document import Block, Display, Math, Paragraph, Reason
from symconv.report.ledger import Basis

__all__ = ["as_matrix", "entries"]

READ_OFF = Basis("every entry, at the declared size", "the derivative of every output by every entry of the input")


def as_matrix(desk: Desk, question: Question) -> list[Block]:
    """The matrix T with C = T vec(A), from the derivative of the output; then its product with the data."""
    declared = question.operators[0]
    derived = derive(declared.op, "derivative", "input", names=question.names, index_base=question.index_base)
    numbers: dict[str, str] = {}
    blocks: list[Block] = [Paragraph(desk.inline((*derived.lead, " ", *derived.hypotheses), {}), wide=True)]
    blocks += desk.define(derived.definitions, {}, numbers, f"indices count from {question.index_base}, row first")
    blocks += desk.stages(derived, {}, numbers)
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
    if question.own["input"]:
        worked = working(desk, question, backward=False)
        key, layer = TensorKey(declared.name), declared.name
        name, source = worked.array(key), worked.array(TensorKey(INPUT))
        if worked.tensors[key].plane and len(worked.tensors[key].inner) > 1:
            name, source = (rf"\operatorname{{vec}}({array})" for array in (name, source))
        bias = f" + {worked.array(TensorKey(layer, 'bias'))}" if TensorKey(layer, "bias") in worked.tensors else ""
        blocks += tensor(
            desk, worked, key, "in numbers,", WORKED_OUT, words("as ", Math(rf"{name} = T\, {source}{bias}"), ".")
        )
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
    worked = working(desk, question, backward=True)
    key = TensorKey(INPUT, "output", True) if role == "input" else TensorKey(declared.name, role, True)
    shape = worked.trace.tensors[key].values.shape
    return [entry_line(desk, worked, key, at) for at in np.ndindex(*shape)]
