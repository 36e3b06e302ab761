"""Questions about poolings: what modules there are, their expressions over the window set, and how they are related."""

from __future__ import annotations

from dataclasses import replace

from symconv.claims.problem import Declared, Question
from symconv.derivations.pooling import relation_stages, set_form_steps, window_set
from symconv.formulas.printing import LATEX
from symconv.operators.letters import Letters
from symconv.operators.pooling import AvgPool, LPPool, MaxPool, Pooling
from symconv.report.document import Block, Code, Inline, Ledger, LedgerRow, Math, Paragraph, Stage, Text
from symconv.report.questions.desk import Desk, frame_of, words

__all__ = ["expressions", "modules", "relations"]

COMPUTES = {
    "MaxPool": "the largest entry of every window",
    "AvgPool": "the mean of every window",
    "LPPool": "the p-norm of every window",
}


def modules(desk: Desk, question: Question) -> list[Block]:
    """The names of the pooling modules and what they compute."""
    del desk
    rows = []
    for declared in question.operators:
        kind = type(declared.op).__name__
        framework = f"{kind}{declared.op.spatial_axes}d"
        rows.append(LedgerRow((Code(framework),), words(COMPUTES[kind] + _detail(declared)), words(_options(declared))))
    return [Ledger(tuple(rows), ("module", "what it computes", "here"))]


def _detail(declared: Declared) -> str:
    op = declared.op
    if isinstance(op, MaxPool):
        return "; padding never wins"
    if isinstance(op, AvgPool):
        if op.divisor_override is not None:
            return f"; the divisor is {op.divisor_override}"
        return "; padding counts" if op.count_include_pad else "; padding does not count"
    return ", of the absolute values"


def _options(declared: Declared) -> str:
    op = declared.op
    assert isinstance(op, Pooling)
    text = f"window {_x(op.kernel_size)}, stride {_x(op.stride)}"
    if isinstance(op.padding, str):
        text += f", padding {op.padding}"
    elif any(p != (0, 0) for p in op.padding):
        text += ", padding " + _x(tuple(b if b == a else f"({b},{a})" for b, a in op.padding))
    if any(d != 1 for d in op.dilation):
        text += f", dilation {_x(op.dilation)}"
    if op.ceil_mode:
        text += ", size rounded up"
    if isinstance(op, LPPool):
        order = "infinity" if op.norm_type == float("inf") else op.norm_type
        text += f", exponent {order}"
    return text


def _x(values: tuple[object, ...]) -> str:
    return "×".join(map(str, values))


def expressions(desk: Desk, question: Question) -> list[Block]:
    """Each pooling over its window set, and the same entry by entry."""
    blocks: list[Block] = []
    channel = _channel(question)
    question = _by_channel(question, channel)
    letters = Letters.of(question.names)
    first = desk._count + 1
    seen: list[str] = []
    for declared in question.operators:
        frame = frame_of(question, declared.op)
        text = window_set(frame)
        if text.latex not in seen:
            seen.append(text.latex)
            places = [LATEX.name(i) for i in letters.axes("output", declared.op.spatial_axes)]
            output = LATEX.subscripted(LATEX.name(frame.beside("S")), places)
            blocks.append(
                Paragraph(
                    (
                        Text("Channel by channel, written as a superscript "),
                        Math(channel),
                        Text(" that is no power. The window set of an output is "),
                        Math(f"{output} = {text.latex}"),
                        Text("."),
                    ),
                    wide=True,
                )
            )
    for position, declared in enumerate(question.operators, 1):
        frame = frame_of(question, declared.op)
        numbers: dict[str, str] = {}
        noun = declared.op.noun
        domain: tuple[Inline, ...] = desk.inline(("for every ", frame.output_entry), {})
        blocks.append(Stage(f"stage-{desk._count + 1}", _roman(position), words(noun[0].upper() + noun[1:]), domain))
        for step in set_form_steps(frame):
            blocks.append(desk.statement(step, {}, numbers))
    desk.ledger.append(
        LedgerRow(
            words(f"{first}–{desk._count}"),
            words("both sides at the smallest sizes"),
            words("the window set written out, taps matched one to one"),
        )
    )
    return blocks


def _channel(question: Question) -> str:
    """The letter of a channel: k, where that is no index and no tensor of the question."""
    axes = max(declared.op.spatial_axes for declared in question.operators)
    printed = Letters.of(question.names).printed(axes)
    return next(letter for letter in "klhfuvwxyzabcdeg" if letter not in printed)


def _by_channel(question: Question, channel: str) -> Question:
    """The same question with the channel as an upper index of input and output, as poolings are usually written."""
    letters = Letters.of(question.names)
    names = {"input": f"{letters.input}^{channel}", "output": f"{letters.output}^{channel}"}
    return replace(question, names={**question.names, **names})


def relations(desk: Desk, question: Question) -> list[Block]:
    """Average and maximum from the LP pooling, each with its condition."""
    blocks: list[Block] = []
    kinds = {type(declared.op): declared for declared in question.operators}
    lp = kinds[LPPool]
    position = 1
    first = desk._count + 1
    for kind in (AvgPool, MaxPool):
        if kind not in kinds:
            continue
        for stage in relation_stages(frame_of(question, lp.op), frame_of(question, kinds[kind].op)):
            numbers: dict[str, str] = {}
            blocks.append(
                Stage(
                    f"stage-{desk._count + 1}",
                    _roman(position),
                    desk.inline(stage.title, {}),
                    desk.inline(stage.domain, {}),
                )
            )
            position += 1
            for step in stage.steps:
                blocks.append(desk.statement(step, {}, numbers, qed=step is stage.steps[-1]))
    desk.ledger.append(
        LedgerRow(
            words(f"{first}–{desk._count}"),
            words("not recomputed"),
            words("index algebra for the sums; induction over the number of taps for the bounds"),
        )
    )
    return blocks


def _roman(number: int) -> str:
    return ("I", "II", "III", "IV", "V", "VI", "VII", "VIII")[number - 1] if number <= 8 else str(number)
