"""Questions for the size of an output: in numbers, and for all sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import count as counting
from typing import Any

from symconv.derivations.derive import derive
from symconv.derivations.step import Derivation
from symconv.formulas.index import Index
from symconv.formulas.printing import LATEX
from symconv.operators.convolution import Conv
from symconv.operators.window import Window
from symconv.problems.answers.desk import Desk, number_text, words
from symconv.problems.answers.drawing import touch_figure, window
from symconv.problems.problem import Question
from symconv.report.document import Block, Math, Paragraph, Text
from symconv.report.ledger import Basis
from symconv.report.marks import Mark

__all__ = ["size", "size_formula"]

PLACED = Basis("windows placed one by one and counted, at the declared size", "the size formula, in numbers")


def size(desk: Desk, question: Question) -> list[Block]:
    """The output size at the declared input size, axis by axis, and a recount of the windows by placing them."""
    declared = question.operators[0]
    outputs = declared.op.output_size(declared.input_size)
    blocks: list[Block] = []
    groups: dict[tuple[Window, int], list[int]] = {}
    for axis, (w, n) in enumerate(zip(declared.op.windows, declared.input_size, strict=True)):
        groups.setdefault((w, n), []).append(axis)
    ndim = declared.op.spatial_axes
    for (w, n), axes in groups.items():
        left = ", ".join(LATEX.name(f"O_{axis + 1}" if ndim > 1 else "O") for axis in axes)
        if len(axes) > 1:
            left = " = ".join(LATEX.name(f"O_{axis + 1}") for axis in axes)
        placed = _placed(w, n)
        total = int(w.output_size(n))
        reason = words(_recounted(w, n, placed))
        mark: Mark = "exact" if placed == total else "refuted"
        blocks.append(desk.plain_statement(left, f"{_spelled(w, n)} = {total}", mark, PLACED, "Count", reason))
    times = r" \times ".join(map(str, outputs))
    blocks.append(Paragraph((Text("The output is "), Math(times), Text(f", from {_input_words(question)}.")), id=""))
    return [*blocks, *window(desk, question, declared), *touch_figure(desk, question, declared)]


def _input_words(question: Question) -> str:
    declared = question.operators[0]
    noun = "kernel" if isinstance(declared.op, Conv) else "window"
    size, window = ("×".join(map(str, s)) for s in (declared.input_size, declared.op.kernel_size))  # type: ignore[attr-defined]
    if declared.op.spatial_axes == 1:
        return f"an input of length {size} and a {noun} of length {window}"
    return f"a {size} input and a {window} {noun}"


def _placed(w: Window, n: int) -> int:
    """The number of windows, by placing them at 0, s, 2s, ... of the padded input."""
    before, after = (pad.value or 0 for pad in w.padding(Index.of(n)))
    span = w.span.value or 1
    padded = n + before + after
    placed = 0
    for start in counting(0, int(w.stride)):
        ends = start + span
        if w.ceil_mode:
            if ends > padded + int(w.stride) - 1 or start >= n + before:
                return placed
        elif ends > padded:
            return placed
        placed += 1
    return placed


def _recounted(w: Window, n: int, placed: int) -> str:
    """The windows in words: how many fit, how many hang over the end, how many would start too late."""
    fit = _placed(replace(w, ceil_mode=False), n)
    if not w.ceil_mode or w.fit is not None:
        return f"the windows that fit: {placed} of them, recounted by placing each one."
    over = max(placed - fit, 0)
    text = f"the windows: {placed}, recounted by placing each one."
    if over:
        text += (
            f" {min(fit, placed)} of them {'fit' if fit != 1 else 'fits'}, {over} hang{'s' if over == 1 else ''} over."
        )
    late = _late(w, n)
    if late:
        text += f" {late} more would start in the padding after the input."
    return text


def _spelled(w: Window, n: int) -> str:
    """The size formula with the numbers put in and nothing worked out."""
    before, after = (pad.value or 0 for pad in w.padding(Index.of(n)))
    top = f"{n}"
    if before or after:
        top += "".join(f" {'+' if pad >= 0 else '-'} {abs(pad)}" for pad in (before, after))
    span = f"{w.kernel}" if w.dilation == 1 else rf"({w.dilation} \cdot {int(w.kernel) - 1} + 1)"
    left, right = (r"\left\lceil", r"\right\rceil") if w.ceil_mode else (r"\left\lfloor", r"\right\rfloor")
    if w.fit is not None:
        return rf"\left\lceil \frac{{{n}}}{{{w.stride}}} \right\rceil"
    late = f" - {_late(w, n)}" if _late(w, n) else ""
    return rf"{left} \frac{{{top} - {span}}}{{{w.stride}}} {right} + 1{late}"


def _late(w: Window, n: int) -> int:
    """How many windows rounding up would place that start in the padding after the input."""
    room = w.room(n).value
    assert room is not None
    return -(-room // int(w.stride)) + 1 - int(w.output_size(n)) if w.ceil_mode and w.fit is None else 0


def size_formula(desk: Desk, question: Question) -> list[Block]:
    """The output size for all sizes, by counting the windows that fit on one axis."""
    op = question.operators[0].op
    keep = [] if any(d != 1 for d in op.dilation) else ["dilation"]  # type: ignore[attr-defined]
    blocks: list[Block] = []
    paddings = _paddings(op.padding)  # type: ignore[attr-defined]
    for padding in paddings:
        one = replace(
            op,  # type: ignore[type-var]
            kernel_size=op.kernel_size[:1],  # type: ignore[attr-defined]
            ndim=1,
            stride=op.stride[:1],  # type: ignore[attr-defined]
            dilation=op.dilation[:1],  # type: ignore[attr-defined]
            padding=padding,
        )
        generic = one.generic(keep=[*keep, "padding"] if _is_cropped(op.padding) else keep)  # type: ignore[attr-defined]
        derivation = derive(generic, "output", names=question.names, index_base=question.index_base)
        numbers: dict[str, str] = {}
        if len(paddings) > 1:
            derivation = _on_axes(derivation, [k for k, pair in enumerate(op.padding, 1) if (pair,) == padding])  # type: ignore[attr-defined]
        blocks.append(Paragraph(desk.inline(derivation.hypotheses, {})))
        blocks += desk.stages(derivation, {}, numbers)
    if paddings not in ([((0, 0),)], [((0, 1),)]) or one.windows[0].ceil_mode:
        return blocks  # by a rule, with numbers, or rounded up: what follows is about rounding down
    example = _first_remainder()
    room = example["I"] + 2 * example["P"] - example["K"]
    shown = example if paddings == [((0, 0),)] else {**example, "Q": example["P"]}
    fitting = _placed(Window(example["K"], example["S"], example["P"], example["P"]), example["I"])
    blocks.append(
        Paragraph(
            words(
                "The floor is needed: at ",
                Math(", ".join(f"{name}={value}" for name, value in shown.items())),
                " the quotient is ",
                Math(
                    f"{number_text(Fraction(room, example['S']))} + 1 = {number_text(Fraction(room, example['S']) + 1)}"
                ),
                f", and {fitting} window{'s fit' if fitting != 1 else ' fits'}.",
            )
        )
    )
    return blocks


def _is_cropped(padding: Any) -> bool:
    """Whether a padding of pairs takes entries away on some side."""
    return not isinstance(padding, str) and any(side < 0 for pair in padding for side in pair)


def _on_axes(derivation: Derivation, axes: Sequence[int]) -> Derivation:
    """The derivation of a size with the axes that it is about in the titles of its stages."""
    *others, last = map(str, axes)
    where = f" on axes {', '.join(others)} and {last}" if others else f" on axis {last}"
    return replace(derivation, stages=tuple(replace(s, title=(*s.title, where)) for s in derivation.stages))


def _paddings(padding: Any) -> list[Any]:
    """A padding of one axis for every formula that is needed to cover all axes of the layer.

    One letter P where no axis has another padding after the input than before it, else P and Q. A letter stands for a
    padding of at least 0: where an axis is cropped, the paddings stay numbers.
    """
    if isinstance(padding, str):
        return [padding]
    if _is_cropped(padding):
        return [(pair,) for pair in dict.fromkeys(padding)]
    return [((0, 0),)] if all(before == after for before, after in padding) else [((0, 1),)]


def _first_remainder() -> dict[str, int]:
    """The smallest sizes at which I + 2P - K is no multiple of S, by their sum, then in the order I, K, S, P."""
    for total in counting(0):
        for i in range(1, total + 1):
            for k in range(1, total - i + 1):
                for s in range(1, total - i - k + 1):
                    p = total - i - k - s
                    if i + 2 * p >= k and (i + 2 * p - k) % s:
                        return {"I": i, "K": k, "S": s, "P": p}
    raise AssertionError("there is always such a size")
