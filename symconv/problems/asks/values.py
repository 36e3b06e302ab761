"""Questions for the output in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from symconv.claims.nested import shape_of, shape_text
from symconv.operators.convolution import Conv
from symconv.operators.pooling import LPPool
from symconv.problems import schema
from symconv.problems.ask import Ask, ReadSoFar, unknown_name
from symconv.problems.asks.numbers import BIAS_KEY, needs_numbers
from symconv.problems.chains import has_planes
from symconv.problems.problem import Declared, Question
from symconv.problems.schema import Key, Where

if TYPE_CHECKING:
    from symconv.problems.answers.desk import Desk
    from symconv.report.document import Block

__all__ = ["VALUES"]


def _answer(desk: Desk, question: Question) -> list[Block]:
    from symconv.problems.answers.values import values

    return values(desk, question)


def _needs(question: Question, where: Where, so_far: ReadSoFar) -> None:
    declared = question.operators[0]
    own = question.own
    if not has_planes(declared.op):
        _needs_of_arrays(question, where, so_far)
    else:
        _needs_of_planes(question, declared, where, so_far)
    options = [entry.name for entry in fields(declared.op) if entry.name not in ("_", "ndim")]  # type: ignore[arg-type]
    for option in own["unstated"]:
        if option not in options:
            raise where.at("unstated").error(
                f"names {option!r}, which is no option of {type(declared.op).__name__}; its options: "
                f"{', '.join(options)}"
            )


def _needs_of_arrays(question: Question, where: Where, so_far: ReadSoFar) -> None:
    """Data for whatever the layer takes, channels and bias too."""
    own, declared = question.own, question.operators[0]
    if not own["input"]:
        raise where.error("ask = 'values' needs the input data", 'add input = "..."')
    chain = needs_numbers(question, where, so_far)
    if own["printed"] is not None:
        shape, due = shape_of(own["printed"]), chain.network.shapes(chain.input_shape)[declared.name]
        if shape not in (due, due[1:] if due[:1] == (1,) else due):
            raise where.at("printed").error(f"has shape {shape_text(shape)}, and the output has {shape_text(due)}")


def _needs_of_planes(question: Question, declared: Declared, where: Where, so_far: ReadSoFar) -> None:
    own = question.own
    if own["bias"]:
        raise where.at("bias").error(f"is not used: {declared.name!r} has no bias", "declare bias = true, or remove it")
    earlier = {q.id: None for q in so_far.earlier if "values" in q.asks}
    if own["input"] and own["input"] in so_far.data and own["input"] in earlier:
        raise where.at("input").error(f"{own['input']!r} is both data and a question", "rename one of them")
    for key, there in (("input", {**so_far.data, **earlier}), ("weight", so_far.data)):
        if own[key] and own[key] not in there:
            raise where.at(key).error(unknown_name("data", own[key], there))
    if isinstance(declared.op, LPPool) and declared.op.reals():
        raise where.error(
            f"ask = 'values' needs a number for the norm, and operator {declared.name!r} has the symbol "
            f"{declared.op.norm_type}",
            "declare an operator with norm_type = 2, say",
        )
    if not own["input"]:
        raise where.error("ask = 'values' needs the input data", 'add input = "..."')
    if own["input"] in so_far.data:
        shape = shape_of(so_far.data[own["input"]])
        if shape != declared.input_size:
            raise where.at("input").error(
                f"{own['input']} has shape {shape_text(shape)}, and operator {declared.name!r} takes "
                f"{shape_text(declared.input_size)}"
            )
    _check_weight(own["weight"], declared, where, so_far.data)
    if own["printed"] is not None:
        shape, due = shape_of(own["printed"]), declared.op.output_size(declared.input_size)
        if shape != due:
            raise where.at("printed").error(f"has shape {shape_text(shape)}, and the output has {shape_text(due)}")


def _check_weight(name: str, declared: Declared, where: Where, data: Mapping[str, Any]) -> None:
    """What has a weight has data of its size, and nothing else has any."""
    if "weight" in declared.op.variables:
        if not name:
            kind = "a convolution" if isinstance(declared.op, Conv) else declared.op.phrase
            raise where.error(f"ask = 'values' of {kind} needs the kernel data", 'add weight = "..."')
        shape, kernel = shape_of(data[name]), tuple(declared.op.kernel_size)  # type: ignore[attr-defined]
        if shape != kernel:
            raise where.at("weight").error(
                f"{name} has shape {shape_text(shape)}, and operator {declared.name!r} has a {shape_text(kernel)} "
                f"kernel"
            )
    elif name:
        raise where.at("weight").error("is not used: a pooling has no kernel data", "remove it")


VALUES = Ask(
    "the output for given data; a convolution is shown in both readings",
    _answer,
    keys={
        "input": Key(schema.text, "the name of the input data, or the id of a question whose output it is", default=""),
        "weight": Key(
            schema.text, "the name of the kernel data, for a convolution, a dilation or an erosion", default=""
        ),
        "bias": BIAS_KEY,
        "printed": Key(schema.array, "an answer to compare with"),
        "unstated": Key(
            schema.texts,
            "options that the exercise does not state; the report says what was taken",
            default=(),
        ),
    },
    needs=_needs,
    examples=(
        {
            "title": '"The output in numbers"',
            "operator": '"conv"',
            "input": '"X"',
            "weight": '"W"',
            "printed": "[[0, 0.5, 2], [1.5, 5, 12.5], [2.5, 3.5, 5.5], [-2, 4.5, 1.5]]",
        },
        {
            "title": '"Max pooling of that output"',
            "operator": '"max"',
            "input": '"3"',
            "unstated": '["stride"]',
        },
    ),
)
