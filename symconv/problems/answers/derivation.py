"""Questions for a derivation: definition, derivative, gradient, and the figures that belong to them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from symconv.derivations.convolution import spread_kernel, turned_array
from symconv.derivations.derive import derive
from symconv.derivations.frame import Frame
from symconv.derivations.step import Derivation
from symconv.derivations.whole import image_of_turned
from symconv.formulas.exact import polynomials
from symconv.formulas.index import Index
from symconv.formulas.printing import LATEX, print_polynomial
from symconv.operators.convolution import Conv
from symconv.operators.letters import Letters
from symconv.problems.answers.desk import Desk, matrix, words
from symconv.problems.answers.drawing import array_latex, axes_of, can_draw, naming
from symconv.problems.problem import Declared, Question
from symconv.report.colour import colour
from symconv.report.document import Block, FigureBlock, Math, Paragraph, RelationLine, StageHeading
from symconv.report.figures import glyph_map, gradient_figure, matrix_scene

__all__ = ["derivation"]

MAX_GLYPH_TAPS = 64


def derivation(desk: Desk, question: Question) -> list[Block]:
    """The gradients by every variable asked for, each from the definition on."""
    declared = question.operators[0]
    blocks: list[Block] = []
    stage = 1
    for variable in question.own["wrt"]:
        worked = _derive(question, declared, variable)
        roles = desk.roles(Letters.of(question.names), declared.op)
        numbers: dict[str, str] = {}
        if variable == question.own["wrt"][0]:
            blocks.append(Paragraph(desk.inline((*worked.lead, " ", *worked.hypotheses), roles), wide=True))
        else:
            blocks.append(Paragraph(desk.inline(worked.lead, roles), wide=True))
        convention = f"indices count from {question.index_base}, row first"
        blocks += desk.define(worked.definitions, roles, numbers, convention)
        steps = desk.stages(worked, roles, numbers, stage)
        stage += len(worked.stages)
        if variable == "input":
            steps = _with_figures(desk, question, declared, steps, roles)
        blocks += steps
    return blocks


def _derive(question: Question, declared: Declared, variable: Any) -> Derivation:
    """The derivation with the kernel and input sizes symbolic, or as declared."""
    op, size = declared.op, None
    if question.own["sizes"] == "declared":
        size = declared.input_size
    elif _generic(declared):
        op = op.generic(
            keep=[name for name in op.size_letters() if name in ("stride", "padding", "dilation")], shared=True
        )
    return derive(
        op,
        "gradient",
        variable,
        names=question.names,
        index_base=question.index_base,
        input_size=size,
        all_ones=question.own["all_ones"] and variable == "input",
    )


def _generic(declared: Declared) -> bool:
    """A padding by name depends on the kernel in a way that only numbers settle."""
    return not isinstance(getattr(declared.op, "padding", 0), str)


def _with_figures(
    desk: Desk, question: Question, declared: Declared, steps: list[Block], roles: dict[str, str]
) -> list[Block]:
    """Figures below the stages that they show."""
    if not isinstance(declared.op, Conv) or not can_draw(declared) or declared.op.flip:
        return steps
    stages = [position for position, block in enumerate(steps) if isinstance(block, StageHeading)]
    ends = [*stages[1:], len(steps)]
    result: list[Block] = []
    for number, (start, end) in enumerate(zip(stages, ends, strict=True)):
        result += steps[start:end]
        last = steps[end - 1]
        if number == 2:
            result += _sliding(desk, question, declared, last, roles)
        elif number == 3:
            result += _ones(desk, question, declared, last, roles)
    return result


def _place(question: Question, declared: Declared) -> tuple[int, ...]:
    """An entry whose gradient is neither the shortest nor the longest sum: near the upper right corner."""
    base = question.index_base
    spots = [min(1, n - 1) + base for n in declared.input_size[:-1]]
    n = declared.input_size[-1]
    return (*spots, max(n - 2, 0) + base)


def _sliding(desk: Desk, question: Question, declared: Declared, last: Block, roles: dict[str, str]) -> list[Block]:
    """The turned kernel on the padded upstream gradient, at one entry, and that entry written out."""
    letters = Letters.of(question.names)
    axes, at = axes_of(declared), _place(question, declared)
    scenes = gradient_figure(axes, at=at, names=naming(letters), index_base=question.index_base)
    frame = Frame(declared.op, "input", question.names, question.index_base)
    formula = frame.gradient
    env = formula.environment(declared.input_size, {})
    whole = {**env, **dict(zip(formula.indices, at, strict=True))}
    poly = polynomials(formula.body, (), whole, formula.boxes).get((), {})
    pieces = print_polynomial(poly, LATEX, (letters.weight, letters.upstream))
    entry = LATEX.subscripted(LATEX.name(letters.input), _commas(at))
    left = rf"\frac{{\partial {LATEX.name(letters.error)}}}{{\partial {entry}}}"
    number = desk.figure()
    count = len(poly)
    step = last.number if isinstance(last, RelationLine) else ""
    sizes = " × ".join(map(str, declared.input_size))
    caption = words(
        f"Step ({step}) at size {sizes}, for the entry ",
        Math(entry),
        f": {_number_word(count)} output{'s' if count != 1 else ''} touch{'' if count != 1 else 'es'} it.",
    )
    labels = (_captions(frame, declared, roles, "upstream"), _captions(frame, declared, roles, "weight"))
    result = Math(rf"\partial {LATEX.name(letters.error)}/\partial {array_latex(letters, 'input')}")
    return [
        FigureBlock(
            f"figure-{number}",
            number,
            scenes,
            (*labels, result),
            (Math(r"\star"), Math("=")),
            caption,
            "exact",
            Math(colour(_broken(left, pieces), roles)),
        )
    ]


def _commas(at: tuple[int, ...]) -> list[str]:
    return [str(p) for p in at]


def _number_word(count: int) -> str:
    names = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return names[count] if count < len(names) else str(count)


def _broken(left: str, pieces: list[str], per_row: int = 2) -> str:
    """A long sum in rows of a few summands, aligned after the relation."""
    if len(pieces) <= per_row:
        return f"{left} = {''.join(pieces)}"
    rows = ["".join(pieces[k : k + per_row]) for k in range(0, len(pieces), per_row)]
    body = r" \\ & \quad {}".join(rows)
    return rf"\begin{{aligned}} {left} &= {body} \end{{aligned}}"


def _captions(frame: Frame, declared: Declared, roles: dict[str, str], role: str) -> Math:
    op = declared.op
    assert isinstance(op, Conv)
    if role == "weight":
        return Math(colour(turned_array(frame, op).latex, roles))
    at_size = replace(frame, input_size=declared.input_size)
    return Math(colour(image_of_turned(at_size, "upstream", at_size.sizes).name.latex, roles))


def _ones(desk: Desk, question: Question, declared: Declared, last: Block, roles: dict[str, str]) -> list[Block]:
    """The padded kernel under a window of ones, which kernel entries every entry adds up, and the sums in numbers."""
    op = declared.op
    assert isinstance(op, Conv)
    if any(w.stride != 1 or w.dilation != 1 for w in op.windows) or op.spatial_axes > 2:
        return []
    letters = Letters.of(question.names)
    base, axes = question.index_base, axes_of(declared)
    at = _place(question, declared)
    kernel = tuple(int(w.kernel) for w in op.windows)
    pads = tuple((axis.outputs - 1 - axis.before, axis.outputs - 1 - axis.after) for axis in axes)
    padded = ((0, 0), pads[0]) if len(axes) == 1 else pads
    rows: Any = (
        [[(m + base,) for m in range(kernel[0])]]
        if len(kernel) == 1
        else [[(m + base, n + base) for n in range(kernel[1])] for m in range(kernel[0])]
    )
    if any(pad < 0 for pair in pads for pad in pair):
        return []
    outputs = tuple(axis.outputs for axis in axes)
    start = tuple(p - base - pad[0] for p, pad in zip(at, pads, strict=True))
    window = (0, start[0], 1, outputs[0]) if len(axes) == 1 else (start[0], start[1], outputs[0], outputs[1])
    image = matrix_scene(
        rows,
        title="The padded kernel",
        role="kernel",
        letter=letters.weight,
        pad=padded,
        window=window,
        window_role="upstream",
    )
    ones_rows = [[1] * outputs[-1] for _ in range(outputs[0] if len(outputs) == 2 else 1)]
    ones = matrix_scene(ones_rows, title="An array of ones", role="upstream", framed=True)
    if math.prod(kernel) > MAX_GLYPH_TAPS:
        return []  # the small kernels could not be told apart
    glyphs = glyph_map(axes, at=at, names=naming(letters), index_base=base)
    numbers = _counted(declared, letters, question, kernel)
    number = desk.figure()
    name = LATEX.name(letters.error)
    step = last.number if isinstance(last, RelationLine) else ""
    weight = Math(colour(array_latex(letters, "weight"), roles))
    entry = LATEX.subscripted(LATEX.name(letters.input), _commas(at))
    caption = words(
        f"Step ({step}). Each small square shows which entries of ",
        weight,
        " an entry of the gradient adds up; framed: the one for ",
        Math(entry),
        ". With ",
        weight,
        " counting 1, 2, ... along its rows:",
    )
    frame = Frame(op, "input", question.names, base, declared.input_size)
    padded_kernel = spread_kernel(frame, op, frame.sizes, [Index.of(count) for count in outputs])
    times = r" \times ".join(map(str, outputs))
    labels = (
        Math(colour(padded_kernel.name.latex, roles)),
        Math(rf"\SCupstream{{\mathbf{{1}}_{{{times}}}}}"),
        Math(rf"\partial {name}/\partial {array_latex(letters, 'input')}"),
    )
    return [
        FigureBlock(
            f"figure-{number}",
            number,
            (image, ones, glyphs),
            labels,
            (Math(r"\star"), Math("=")),
            caption,
            "exact",
            matrix(numbers),
        )
    ]


def _counted(declared: Declared, letters: Letters, question: Question, kernel: tuple[int, ...]) -> Any:
    """The all-ones gradient for a kernel that counts 1, 2, ... along its rows."""
    formula = declared.op.gradient(names=question.names)
    flat = iter(range(1, 10**9))
    weight: Any = (
        [next(flat) for _ in range(kernel[0])]
        if len(kernel) == 1
        else [[next(flat) for _ in range(kernel[1])] for _ in range(kernel[0])]
    )
    outputs = declared.op.output_size(declared.input_size)
    ones: Any = 1
    for extent in reversed(outputs):
        ones = [ones] * extent
    tensors = {letters.weight: weight, letters.upstream: ones}
    tensors[letters.input] = _zeros(declared.input_size)
    values = formula.values(tensors, declared.input_size)
    shape = declared.input_size
    if len(shape) == 1:
        return [values[(i,)] for i in range(shape[0])]
    return [[values[(i, j)] for j in range(shape[1])] for i in range(shape[0])]


def _zeros(shape: tuple[int, ...]) -> Any:
    array: Any = 0
    for extent in reversed(shape):
        array = [array] * extent
    return array
