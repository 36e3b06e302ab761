"""Questions for the output in numbers, exactly; a convolution in both readings, an answer that was printed compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import isfinite
from operator import ne
from typing import Any

from symconv.claims.nested import nested, shape_of
from symconv.errors import ProblemFileError
from symconv.formulas.algebra import Power
from symconv.formulas.exact import polynomials
from symconv.formulas.formula import Formula
from symconv.formulas.printing import LATEX
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.kinds import Size
from symconv.operators.letters import Letters
from symconv.operators.networks.traced import TensorKey
from symconv.operators.option import DILATION, PADDING, STRIDE, option_fields
from symconv.operators.pooling import LPPool
from symconv.problems.answers.desk import Desk, Root, matrix, number_text, words
from symconv.problems.answers.drawing import array_latex
from symconv.problems.answers.forward import forward
from symconv.problems.answers.working import values_of, working
from symconv.problems.chains import has_planes
from symconv.problems.problem import Declared, Question
from symconv.report.colour import colour
from symconv.report.document import Band, Block, Inline, Math, Paragraph, Reason, RelationLine
from symconv.report.ledger import NOTHING, Basis

__all__ = ["values"]

WORKED_OUT = Basis(NOTHING, "every entry from the formula, in exact arithmetic")

READINGS = {False: "cross-correlation", True: "flipped convolution"}


def values(desk: Desk, question: Question) -> list[Block]:
    """The output for given data: every reading, one entry worked out, and the printed answer beside them."""
    declared = question.operators[0]
    blocks: list[Block] = []
    if question.own["unstated"]:
        taken = ", ".join(_stated(declared.op, option) for option in question.own["unstated"])
        blocks.append(Paragraph(words(f"The exercise does not say so; taken here: {taken}.")))
    if not has_planes(declared.op):
        return [*blocks, *_of_arrays(desk, question)]
    inputs = _inputs(desk, question, declared)
    results: list[tuple[str, Any, Declared]] = []
    for label, data in inputs:
        for reading, variant in _variants(declared):
            results.append((reading or label, _compute(desk, question, variant, data), variant))
    letters = Letters.of(question.names)
    roles = desk.roles(letters, declared.op)
    if question.own["input"] in desk.problem.data:
        blocks += _data(desk, question, letters, roles)
    for label, result, variant in results:
        blocks.append(_result(desk, label, result, variant, letters, roles))
    desk.results[question.id] = [(label, result) for label, result, _ in results]
    if isinstance(declared.op, Conv) and question.own["input"] in desk.problem.data:
        blocks.append(_worked_entry(desk, question, declared, results[0][1], letters, roles))
    if question.own["printed"] is not None:
        blocks += _compare(desk, question, declared, results, letters, roles)
    return blocks


def _of_arrays(desk: Desk, question: Question) -> list[Block]:
    """The output of any layer, with channels and a bias, and the printed answer beside it."""
    blocks = forward(desk, question)
    printed = question.own["printed"]
    if printed is None:
        return blocks
    worked, layer = working(desk, question, backward=False), question.operators[0].name
    due = values_of(worked, layer).ravel().tolist()
    different = sum(map(ne, due, _flat(printed)))
    if not different:
        return [*blocks, Paragraph(words("The printed answer agrees."))]
    count = "one of its entries differs" if different == 1 else f"{different} of its entries differ"
    name = Math(worked.array(TensorKey(layer)))
    reason = words(f"{count[0].upper()}{count[1:]}.")
    return [*blocks, _band(desk, "The printed answer is different", name, printed, reason)]


def _stated(op: Operator, option: str) -> str:
    """An option and its value in words: "window 2×2", "stride 1"."""
    said, entry = option_fields(type(op))[option]
    value = getattr(op, entry.name)
    name = said.noun or option.replace("_", " ")
    if isinstance(value, tuple):
        whole = isinstance(said.kind, Size)
        shown = str(value[0]) if not whole and len(set(value)) == 1 else "×".join(map(str, value))
        return f"{name} {shown}"
    return f"{name} {value}"


def _inputs(desk: Desk, question: Question, declared: Declared) -> list[tuple[str, Any]]:
    """The arrays that the question runs on: named data, or all results of an earlier question."""
    source = question.own["input"]
    if source in desk.problem.data:
        return [("", desk.problem.data[source])]
    earlier = desk.results.get(source, [])
    for label, data in earlier:
        if any(isinstance(value, Root) for value in _flat(data)):
            raise ProblemFileError(
                f"{desk.problem.file}: question {question.id!r}: input: the output of question {source!r} has "
                f"roots; name data with rational entries"
            )
        shape = shape_of(data)
        if shape != declared.input_size:
            raise ProblemFileError(
                f"{desk.problem.file}: question {question.id!r}: input: the output of question {source!r} "
                f"({label}) has shape {'x'.join(map(str, shape))}, and operator {declared.name!r} takes "
                f"{'x'.join(map(str, declared.input_size))}; change its input_size"
            )
    if not earlier:
        raise ProblemFileError(
            f"{desk.problem.file}: question {question.id!r}: input: question {source!r} has no values; "
            f"name a question with ask = 'values'"
        )
    return earlier


def _flat(data: Any) -> list[Any]:
    return [value for part in data for value in _flat(part)] if isinstance(data, list) else [data]


def _variants(declared: Declared) -> list[tuple[str, Declared]]:
    """Both readings of a convolution, the declared one first; a pooling has one."""
    op = declared.op
    if not isinstance(op, Conv):
        return [("", declared)]
    other = replace(declared, op=replace(op, flip=not op.flip))
    return [(READINGS[op.flip], declared), (READINGS[not op.flip], other)]


def _compute(desk: Desk, question: Question, declared: Declared, data: Any) -> Any:
    letters = Letters.of(question.names)
    tensors = {letters.input: data}
    if "weight" in declared.op.variables:
        tensors[letters.weight] = desk.problem.data[question.own["weight"]]
    formula = declared.op.output(names=question.names)
    entries = formula.values(tensors, declared.input_size)
    op = declared.op
    if isinstance(op, LPPool) and isinstance(op.norm_type, int) and op.norm_type > 1:
        assert isinstance(formula.body, Power)
        sums = formula.with_body(formula.body.base).values(tensors, declared.input_size)
        entries = {
            place: value if isinstance(value, Fraction) else Root(sums[place], op.norm_type)
            for place, value in entries.items()
        }
    nowhere = [place for place, value in entries.items() if isinstance(value, float) and not isfinite(value)]
    if nowhere:
        place = ", ".join(str(p + question.index_base) for p in nowhere[0])
        raise ProblemFileError(
            f"{desk.problem.file}: question {question.id!r}: the window of output {place} holds no entry of the input, "
            f"and {op.noun} has no value there; take a smaller padding"
        )
    if any(not isinstance(value, Fraction | Root) for value in entries.values()):
        raise ProblemFileError(
            f"{desk.problem.file}: question {question.id!r}: the values are not rational and no roots of whole degree "
            f"(norm_type = {getattr(op, 'norm_type', None)}); take a whole norm_type"
        )
    return nested(entries, declared.op.output_size(declared.input_size))


def _data(desk: Desk, question: Question, letters: Letters, roles: dict[str, str]) -> list[Block]:
    data = desk.problem.data
    pieces = [f"{array_latex(letters, 'input')} = {matrix(data[question.own['input']]).latex}"]
    if question.own["weight"]:
        pieces.append(f"{array_latex(letters, 'weight')} = {matrix(data[question.own['weight']]).latex}")
    both = r",\qquad ".join(pieces)
    return [RelationLine("", "", "none", Math(""), "", Math(colour(both, roles)))]


def _result(
    desk: Desk,
    label: str,
    result: Any,
    variant: Declared,
    letters: Letters,
    roles: dict[str, str],
) -> RelationLine:
    name = array_latex(letters, "output")
    if isinstance(variant.op, Conv):
        kernel, image = array_latex(letters, "weight"), array_latex(letters, "input")
        rule = label[0].upper() + label[1:] + "."
        how = _how(variant.op)
        context = (
            rf"\operatorname{{conv}}{how}({image}, {kernel})" if variant.op.flip else rf"{image} \star{how} {kernel}"
        )
        turned = rf"{image} \star{how} \operatorname{{rot}}_{{180}}({kernel})"
        reason: tuple[Inline, ...] = (
            words("The kernel is turned by a half before it slides: it is ", Math(colour(turned, roles)), ".")
            if variant.op.flip
            else (words("The kernel slides as it is; this is what deep learning calls a convolution."))
        )
        left = colour(context, roles)
    else:
        image = name if label else array_latex(letters, "input")
        window = r" \times ".join(map(str, variant.op.kernel_size))  # type: ignore[attr-defined]
        rule, arrays = "Pool", image
        if "weight" in variant.op.variables:
            rule, arrays = "Combine", f"{image}, {array_latex(letters, 'weight')}"
        left = colour(rf"\operatorname{{{type(variant.op).__name__}}}_{{{window}}}({arrays})", roles)
        reason = words("the ", Math(image), f" of the {label}.") if label else words("every window.")
    return desk.plain_statement(left, matrix(result).latex, "exact", WORKED_OUT, rule, reason)


def _how(op: Conv) -> str:
    """What makes a layer more than a plain correlation, as a subscript of its sign: its stride, dilation, padding."""
    notes = [
        (option.noun, values)
        for option, values in ((STRIDE, op.stride), (DILATION, op.dilation))
        if not option.is_neutral(values)
    ]
    parts = [rf"\text{{{word} }}{_same(values)}" for word, values in notes]
    if isinstance(op.padding, str):
        parts += [rf"\text{{{PADDING.noun} {op.padding.replace('_', ' ')}}}"] if op.padding != "valid" else []
    elif not PADDING.is_neutral(op.padding):
        parts.append(rf"\text{{{PADDING.noun} }}{_same([_same(pair) for pair in op.padding])}")
    joined = r",\,".join(parts)
    return f"_{{{joined}}}" if parts else ""


def _same(values: Sequence[Any]) -> str:
    """One value where all axes agree, else all of them."""
    shown = [str(value) for value in values]
    return shown[0] if len(set(shown)) == 1 else f"({','.join(shown)})"


def _worked_entry(
    desk: Desk, question: Question, declared: Declared, result: Any, letters: Letters, roles: dict[str, str]
) -> RelationLine:
    """The first entry as the sum of products that it is, in letters and in numbers."""
    first = result
    while isinstance(first, list):
        first = first[0]
    base = question.index_base
    place = tuple(base for _ in declared.input_size)
    formula = declared.op.output(names=question.names, index_base=base)
    env = formula.environment(declared.input_size, {})
    data = {
        letters.input: desk.problem.data[question.own["input"]],
        letters.weight: desk.problem.data[question.own["weight"]],
    }
    left = LATEX.subscripted(LATEX.name(letters.output), [str(p) for p in place])
    symbols, numbers = _products(formula, env, place, data, base)
    return RelationLine(
        "",
        "",
        "none",
        Math(left),
        "=",
        Math(colour(_shortened(symbols), roles)),
        Reason("For instance", words("the first entry.")),
        (Math(f"= {_shortened(numbers)} = {number_text(first)}"),),
    )


def _shortened(summands: list[str]) -> str:
    if not summands:
        return "0"
    if len(summands) <= 4:
        return " + ".join(summands)
    return " + ".join(summands[:3]) + r" + \cdots + " + summands[-1]


def _products(
    formula: Formula, env: dict[str, int], place: tuple[int, ...], data: dict[str, Any], base: int
) -> tuple[list[str], list[str]]:
    whole = {**env, **dict(zip(formula.indices, place, strict=True))}
    poly = polynomials(formula.body, (), whole, formula.boxes).get((), {})
    symbols, numbers = [], []
    rank = {tensor.name: position for position, tensor in enumerate(formula.tensors)}  # no letter decides the order
    for monomial in sorted(sorted(factors, key=lambda f: rank[f[0]]) for factors in poly):
        entries = [LATEX.subscripted(LATEX.name(name), [str(i) for i in index]) for name, index in monomial]
        symbols.append(r"\, ".join(entries))
        numbers.append(r" \cdot ".join(_signed(_lookup(data[name], index, base)) for name, index in monomial))
    return symbols, numbers


def _lookup(array: Any, index: tuple[int, ...], base: int) -> Any:
    for position in index:
        array = array[position - base]
    return array


def _signed(value: Any) -> str:
    text = number_text(value)
    return f"({text})" if text.startswith("-") else text


def _compare(
    desk: Desk,
    question: Question,
    declared: Declared,
    results: list[tuple[str, Any, Declared]],
    letters: Letters,
    roles: dict[str, str],
) -> list[Block]:
    """The printed answer: which reading it is, and how many entries differ from the declared one."""
    printed = question.own["printed"]
    matching = [label for label, result, _ in results if result == printed]
    name = Math(colour(array_latex(letters, "output"), roles))
    wanted, due, _ = results[0]
    different = sum(map(ne, _flat(due), _flat(printed)))
    count = f"{different} of its entries differ" if different != 1 else "one of its entries differs"
    if isinstance(declared.op, Conv):
        if wanted in matching:
            return [
                Paragraph(
                    words(f"The printed matrix is this {wanted}, which is what {_formula(desk, question)} means.")
                )
            ]
        means = f"{_formula(desk, question)} means the {wanted}"
        if matching:
            reason = words(f"It is the {matching[0]}. {means[0].upper()}{means[1:]}, from which {count}.")
            return [_band(desk, "The printed matrix is the other reading", name, printed, reason)]
        reason = words(f"It is neither reading; {means}, from which {count}.")
        return [_band(desk, "The printed matrix is neither reading", name, printed, reason)]
    if len(matching) == len(results):
        return [Paragraph(words("The printed answer agrees."))]
    if matching:
        return [Paragraph(words("The printed answer is the one for the ", matching[0], "."))]
    one = f"{count[0].upper()}{count[1:]}."
    reason = words(one if len(results) == 1 else f"No reading gives it; {count} from the first one.")
    return [_band(desk, "The printed answer is different", name, printed, reason)]


def _formula(desk: Desk, question: Question) -> str:
    """The formula that fixes the reading: that of the question which derives from it, else the declared layer's."""
    own = question.operators[0]
    for other in desk.problem.questions:
        if "derivation" in other.asks and other.operators[0] == own:
            return f"the formula in {other.id}"
    return "the formula of the layer"


def _band(desk: Desk, title: str, name: Math, printed: Any, reason: tuple[Inline, ...]) -> Band:
    """The printed answer on tinted ground, under a number of its own."""
    label = f"R{1 + sum(number.startswith('R') for number, _ in desk.checked)}"
    desk.note(label, "refuted", Basis("every entry compared", "the entries that differ"))
    sign = r"\overset{?}{=}"
    statement = RelationLine(f"s-{label}", label, "refuted", name, sign, matrix(printed), Reason("Compared.", reason))
    return Band(words(title), words("at the declared size"), (statement,))
