"""Questions for the size of an output: in numbers, and for all sizes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import count as counting

from symconv.claims.problem import Question
from symconv.derivations.derive import derive
from symconv.formulas.index import Index
from symconv.formulas.printing import LATEX
from symconv.operators.convolution import Conv
from symconv.operators.window import Window
from symconv.report.document import Block, LedgerRow, Math, Paragraph, Text
from symconv.report.questions.desk import Desk, number_text, words
from symconv.report.questions.drawing import touch_figure, window

__all__ = ["size", "size_formula"]


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
        mark = "exact" if placed == total else "refuted"
        dropped = " One more would start in the padding after the input." if _drops_one(w, n) else ""
        reason = words(f"the windows that fit: {placed} of them, recounted by placing each one.{dropped}")
        blocks.append(
            desk.plain_statement(left, f"{_spelled(w, n)} = {total}", mark, "Count", reason)  # type: ignore[arg-type]
        )
    times = r" \times ".join(map(str, outputs))
    blocks.append(Paragraph((Text("The output is "), Math(times), Text(f", from {_input_words(question)}.")), id=""))
    desk.ledger.append(
        LedgerRow(
            words(*_range(desk, len(groups))),
            words("windows placed one by one and counted, at the declared size"),
            words("the size formula, in numbers"),
        )
    )
    return [*blocks, *window(desk, question, declared), *touch_figure(desk, question, declared)]


def _range(desk: Desk, count: int) -> tuple[str, ...]:
    last = desk._count
    return (str(last),) if count == 1 else (f"{last - count + 1}–{last}",)


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


def _spelled(w: Window, n: int) -> str:
    """The size formula with the numbers put in and nothing worked out."""
    before, after = (pad.value or 0 for pad in w.padding(Index.of(n)))
    top = f"{n}"
    if before or after:
        top += f" + {before} + {after}"
    span = f"{w.kernel}" if w.dilation == 1 else rf"({w.dilation} \cdot {int(w.kernel) - 1} + 1)"
    left, right = (r"\left\lceil", r"\right\rceil") if w.ceil_mode else (r"\left\lfloor", r"\right\rfloor")
    if w.fit is not None:
        return rf"\left\lceil \frac{{{n}}}{{{w.stride}}} \right\rceil"
    late = " - 1" if _drops_one(w, n) else ""
    return rf"{left} \frac{{{top} - {span}}}{{{w.stride}}} {right} + 1{late}"


def _drops_one(w: Window, n: int) -> bool:
    """Whether rounding up would place a window that starts in the padding after the input."""
    room = w.room(n).value
    assert room is not None
    return w.ceil_mode and -(-room // int(w.stride)) + 1 > int(w.output_size(n))


def size_formula(desk: Desk, question: Question) -> list[Block]:
    """The output size for all sizes, by counting the windows that fit on one axis."""
    op = question.operators[0].op
    keep = [] if any(d != 1 for d in op.dilation) else ["dilation"]  # type: ignore[attr-defined]
    padding = op.padding if isinstance(op.padding, str) else 0  # type: ignore[attr-defined]
    one = replace(
        op,  # type: ignore[type-var]
        kernel_size=op.kernel_size[:1],  # type: ignore[attr-defined]
        ndim=1,
        stride=op.stride[:1],  # type: ignore[attr-defined]
        dilation=op.dilation[:1],  # type: ignore[attr-defined]
        padding=padding,
    )
    generic = one.generic(keep=keep)
    derivation = derive(generic, "output", names=question.names, index_base=question.index_base)
    numbers: dict[str, str] = {}
    first = desk._count + 1
    blocks: list[Block] = [Paragraph(desk.inline(derivation.hypotheses, {}))]
    blocks += desk.stages(derivation, {}, numbers)
    desk.ledger.append(
        LedgerRow(
            words(f"{first}–{desk._count}"),
            words("windows counted at many sizes"),
            words("counting places; the equivalence discharged by an SMT solver"),
        )
    )
    if padding or one.windows[0].ceil_mode:
        return blocks  # the size by a rule, or rounded up: what follows is about rounding down
    example = _first_remainder()
    room = example["I"] + 2 * example["P"] - example["K"]
    fitting = _placed(Window(example["K"], example["S"], example["P"], example["P"]), example["I"])
    blocks.append(
        Paragraph(
            words(
                "The floor is needed: at ",
                Math(", ".join(f"{name}={value}" for name, value in example.items())),
                " the quotient is ",
                Math(
                    f"{number_text(Fraction(room, example['S']))} + 1 = {number_text(Fraction(room, example['S']) + 1)}"
                ),
                f", and {fitting} window{'s fit' if fitting != 1 else ' fits'}.",
            )
        )
    )
    return blocks


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
