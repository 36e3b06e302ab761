"""Questions about poolings: what modules there are, their expressions over the window set, and how they are related."""

from __future__ import annotations

from dataclasses import replace
from string import ascii_letters
from typing import Any

from symconv.derivations.output import conditions
from symconv.derivations.relations import relation_stages
from symconv.derivations.window_sets import set_form_steps, set_name, window_set
from symconv.operators.kinds import Flag
from symconv.operators.letters import Letters
from symconv.operators.option import Option, option_fields
from symconv.operators.pooling import AvgPool, LPPool, MaxPool, Pooling
from symconv.problems.answers.desk import Desk, frame_of, roman, words
from symconv.problems.problem import Declared, Question
from symconv.report.document import Block, Code, Inline, Ledger, LedgerRow, Math, Paragraph, StageHeading, Text

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
    for name, value in op.options().items():
        if name not in ("kernel_size", "stride", "padding", "ndim"):
            text += _further(option_fields(type(op))[name][0], value)
    return text


def _further(option: Option, value: Any) -> str:
    """What a list of options says of one more of them; nothing where it changes nothing."""
    if not option.noun or option.is_neutral(value):
        return ""
    if isinstance(option.kind, Flag):
        return f", {option.noun}"
    shown = _x(value) if isinstance(value, tuple) else "infinity" if value == float("inf") else value
    return f", {option.noun} {shown}"


def _x(values: tuple[object, ...]) -> str:
    return "×".join(map(str, values))


def expressions(desk: Desk, question: Question) -> list[Block]:
    """Each pooling over its window set, and the same entry by entry."""
    blocks: list[Block] = []
    question = _one_alphabet(question)
    elsewhere = _used(question)
    channel = next(letter for letter in (*"klhfuvwxyz", *ascii_letters) if letter not in elsewhere)
    question = _by_channel(question, channel)
    sets: dict[str, list[str]] = {}
    frames = [replace(frame_of(question, declared.op), elsewhere=elsewhere) for declared in question.operators]
    for declared, frame in zip(question.operators, frames, strict=True):
        sets.setdefault(f"{set_name(frame).latex} = {window_set(frame).latex}", []).append(declared.op.noun)
    for text, nouns in sets.items():
        of = "" if len(sets) == 1 else f" of {' and '.join(nouns)}"
        blocks.append(
            Paragraph(
                (
                    Text("Channel by channel, written as a superscript "),
                    Math(channel),
                    Text(f" that is no power. The window set of an output{of} is "),
                    Math(text),
                    Text("."),
                ),
                wide=True,
            )
        )
    for position, (declared, frame) in enumerate(zip(question.operators, frames, strict=True), 1):
        numbers: dict[str, str] = {}
        noun = declared.op.noun
        domain: tuple[Inline, ...] = desk.inline(("for every ", frame.output_entry), {})
        blocks.append(
            StageHeading(f"stage-{desk._count + 1}", roman(position), words(noun[0].upper() + noun[1:]), domain)
        )
        blocks.append(Paragraph(desk.inline(conditions(frame), {})))
        for step in set_form_steps(frame):
            blocks.append(desk.statement(step, {}, numbers))
    return blocks


def _used(question: Question) -> frozenset[str]:
    """How all names of the formulas are printed: what one operator calls its exponent is no letter beside another."""
    return frozenset().union(*(frame_of(question, declared.op).used for declared in question.operators))


def _one_alphabet(question: Question) -> Question:
    """The same question with letters that no exponent of its norms has: one alphabet for all of its operators."""
    reals = [name for declared in question.operators for name in declared.op.reals()]
    old = Letters.of(question.names)
    new = old.avoiding(reals)
    moved = {role: getattr(new, role) for role in Letters.roles() if getattr(new, role) != getattr(old, role)}
    return replace(question, names={**question.names, **moved})


def _by_channel(question: Question, channel: str) -> Question:
    """The same question with the channel as an upper index of input and output, as poolings are usually written."""
    letters = Letters.of(question.names)
    names = {"input": f"{letters.input}^{channel}", "output": f"{letters.output}^{channel}"}
    return replace(question, names={**question.names, **names})


def relations(desk: Desk, question: Question) -> list[Block]:
    """Average and maximum from the LP pooling, each with its condition."""
    question = _one_alphabet(question)
    blocks: list[Block] = []
    kinds = {type(declared.op): declared for declared in question.operators}
    lp = kinds[LPPool]
    position = 1
    blocks.append(Paragraph(desk.inline(conditions(frame_of(question, lp.op)), {})))
    for kind in (AvgPool, MaxPool):
        if kind not in kinds:
            continue
        for stage in relation_stages(frame_of(question, lp.op), frame_of(question, kinds[kind].op)):
            numbers: dict[str, str] = {}
            blocks.append(
                StageHeading(
                    f"stage-{desk._count + 1}",
                    roman(position),
                    desk.inline(stage.title, {}),
                    desk.inline(stage.domain, {}),
                )
            )
            position += 1
            for step in stage.steps:
                blocks.append(desk.statement(step, {}, numbers, qed=step is stage.steps[-1]))
    return blocks
