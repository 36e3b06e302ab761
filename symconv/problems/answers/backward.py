"""Questions for gradients: of a network or of one layer, in symbols with their proofs, or in exact numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal, TypeAlias

from symconv.derivations.derive import derive
from symconv.derivations.step import Derivation, Maths, Step
from symconv.formulas.printing import LATEX
from symconv.operators.networks.shape import INPUT
from symconv.operators.networks.traced import TensorKey
from symconv.problems.answers.desk import Desk, mark_of, words
from symconv.problems.answers.forward import written_out
from symconv.problems.answers.showing import GIVEN, WORKED_OUT, tensor
from symconv.problems.answers.working import too_large, working
from symconv.problems.chains import array_names, chain_of
from symconv.problems.naming import entry_letter
from symconv.problems.problem import Layers, Question
from symconv.report.document import Block, Folded, Math, Paragraph, TheoremBlock
from symconv.report.exercise import TheoremLine
from symconv.report.marks import Mark
from symconv.report.numbers import unit_words
from symconv.report.worked import layer_words

__all__ = ["backward", "gradients_asked"]

Role: TypeAlias = Literal["output", "weight", "bias"]
ROLES: tuple[Role, ...] = ("output", "weight", "bias")


def backward(desk: Desk, question: Question) -> list[Block]:
    """The gradients that are asked for, in symbols or in numbers."""
    chain = chain_of(question, desk.problem.where(question), desk.problem.data)
    if not question.own["numbers"]:
        return _symbols(desk, question, chain)
    why = too_large(chain)
    return [Paragraph(words(why), wide=True)] if why else _numbers(desk, question, chain)


# ---------------------------------------------------------------------- in numbers


def gradients_asked(chain: Layers, question: Question) -> Iterator[tuple[str, Role]]:
    """The arrays by which is differentiated, as a layer and a role, from the output to the input."""
    names, wrt = array_names(chain, question), question.own["wrt"]
    for layer in reversed(chain.network.names):
        roles: list[Role] = [role for role in ROLES if role in names[layer]]
        for role in roles:
            if role == "output" and layer == chain.network.output:
                continue
            if names[layer][role] in wrt or ("inputs" if role == "output" else "parameters") in wrt:
                yield layer, role
    if names[INPUT]["output"] in wrt or "inputs" in wrt:
        yield INPUT, "output"


def _numbers(desk: Desk, question: Question, chain: Layers) -> list[Block]:
    worked = working(desk, question, backward=True)
    names, output = array_names(chain, question), chain.network.output
    asked = list(gradients_asked(chain, question))
    blocks: list[Block] = []
    last = TensorKey(output, "output", True)
    if last in worked.tensors and worked.trace.tensors[last].values.ndim:
        said = "all ones." if question.own["upstream"] == "ones" else "as given."
        blocks += tensor(desk, worked, last, said, GIVEN)
    unit = worked.gradient_unit
    if unit != 1:
        blocks.append(
            Paragraph(
                words(
                    f"All gradients are printed {unit_words(unit)}, so that they are whole: what stands here is ",
                    Math(str(1 / unit)),
                    " times the gradient.",
                )
            )
        )
    for layer, role in asked:
        key = TensorKey(layer, role, True)
        blocks += written_out(desk, worked, key, question.own["written_out"], names[layer][role])
        blocks += tensor(desk, worked, key, _rule(chain, layer, role), WORKED_OUT)
    return blocks


def _rule(chain: Layers, layer: str, role: Role) -> str:
    if role != "output":
        return f"the {role} of {layer}."
    readers = [after for before, after in chain.network.edges if before == layer]
    return f"back through {' and '.join(readers)}."


# ---------------------------------------------------------------------- in symbols


def _symbols(desk: Desk, question: Question, chain: Layers) -> list[Block]:
    """A theorem a layer, with its proof folded under it, from the output to the input; then what is handed on."""
    asked = list(gradients_asked(chain, question))
    blocks: list[Block] = []
    done: set[str] = set()
    for worked in _derivations(question, chain, asked):
        numbers: dict[str, str] = {}
        blocks += desk.define(worked.definitions, {}, numbers, f"indices count from {question.index_base}, row first")
        if len(chain.network.names) == 1:
            blocks.append(Paragraph(desk.inline((*worked.lead, " ", *worked.hypotheses), {}), wide=True))
            blocks += desk.stages(worked, {}, numbers)
            continue
        common = _common(worked)
        if common:
            blocks.append(Paragraph(desk.inline(common, {}), wide=True))
        theorem, *rest = worked.stages
        for layer in reversed(chain.network.names):
            own = [step for step in theorem.steps if step.id.startswith(f"{layer} ") and _key(step) not in done]
            done.update(map(_key, own))
            if own:
                proofs = tuple(stage for stage in rest if stage.title[:1] == (f"{layer}: ",))
                blocks.append(_theorem(desk, chain, layer, own, replace(worked, stages=proofs), numbers))
        handed = tuple(stage for stage in rest if stage.title == ("From layer to layer",))
        fresh = tuple(replace(s, steps=tuple(t for t in s.steps if _key(t) not in done)) for s in handed)
        done.update(_key(step) for stage in handed for step in stage.steps)
        blocks += desk.stages(replace(worked, stages=tuple(stage for stage in fresh if stage.steps)), {}, numbers)
    return blocks


def _key(step: Step) -> str:
    return str(step.statement)


def _theorem(
    desk: Desk, chain: Layers, layer: str, steps: list[Step], proofs: Derivation, numbers: dict[str, str]
) -> TheoremBlock:
    """The gradients of one layer, stated before they are proved; its mark is the weakest of its lines."""
    lines: list[TheoremLine] = []
    marks: list[Mark] = []
    conditions: dict[str, None] = {}
    verdict = steps[0].verdict
    for step in steps:
        desk.progress(f"checking {step.id}")
        marks.append(mark_of(step.verdict))
        conditions.update(dict.fromkeys(step.verdict.conditions))
        if marks[-1] != "proved":
            verdict = step.verdict
        gloss = words(f"the {step.id.partition(' ')[2]}")
        lines.append(TheoremLine(Math(step.left(LATEX)), "=", Math(step.right(LATEX)), gloss))
    label = f"T{1 + sum(number.startswith('T') for number, _ in desk.checked)}"
    mark: Mark = next((mark for mark in marks if mark != "proved"), "proved")
    if conditions and verdict.holds:
        verdict = replace(verdict, conditions=tuple(conditions))
    desk.note(label, mark, verdict)
    for step in steps:
        numbers[step.id] = label
        desk.proved(label, f"{step.title}: {step.id}", step.verdict)
    kind = layer_words(chain.network[layer])
    said = _hypotheses(proofs, layer)
    if conditions:
        said = (*said, *((" ",) if said else ()), f"Suppose that {', and that '.join(conditions)}.")
    inner = tuple(desk.stages(_renamed(proofs, layer), {}, numbers))
    proof = Folded(words(f"Proof of {label}"), inner, proof=True, open=label == "T1") if inner else None
    return TheoremBlock(
        f"s-{label}", label, mark, f"{kind} ({layer})", desk.inline(said and (*said, " Then"), {}), tuple(lines), proof
    )


def _hypotheses(worked: Derivation, layer: str) -> tuple[str | Maths, ...]:
    """What is taken for granted of the sizes of a layer, out of what is said of all."""
    return _said_of(worked).get(layer, ())


def _common(worked: Derivation) -> tuple[str | Maths, ...]:
    """What is taken for granted of the sizes of all layers, and what the network fixes of them."""
    return _said_of(worked).get("", ())


def _said_of(worked: Derivation) -> dict[str, tuple[str | Maths, ...]]:
    """What is said of the sizes by layer, and of the network under ""."""
    layers = _named_in(worked)
    found: dict[str, list[str | Maths]] = {}
    layer = ""
    for piece in worked.hypotheses:
        named = isinstance(piece, str) and piece.endswith(": ") and piece[:-2] in layers
        layer = str(piece)[:-2] if named else "" if piece == "In this network " else layer
        own = found.setdefault(layer, [])
        if piece == "In this network " and own:
            own.append(" ")
        if not named and piece != " ":
            own.append(piece)
    return {name: tuple(own) for name, own in found.items()}


def _named_in(worked: Derivation) -> frozenset[str]:
    """The names that the hypotheses of a network's derivation begin with."""
    return frozenset(p[:-2] for p in worked.hypotheses if isinstance(p, str) and p.endswith(": ") and " " not in p[:-2])


def _renamed(proofs: Derivation, layer: str) -> Derivation:
    """The stages of a proof without the name of the layer in their titles: the theorem has it."""
    stages = (replace(stage, title=stage.title[1:]) for stage in proofs.stages)
    return replace(proofs, stages=tuple(stages))


def _derivations(question: Question, chain: Layers, asked: list[tuple[str, Role]]) -> Iterator[Derivation]:
    """One derivation of the whole network where its layers stand one after the other, else one a layer and variable."""
    names = array_names(chain, question)
    roles = {role for _, role in asked}
    parameters = [(layer, role) for layer, role in asked if role != "output"]
    every = sum(len(own) for own in chain.network.parameter_sizes(chain.input_shape).values())
    last = chain.network.output if not chain.network.shapes(chain.input_shape)[chain.network.output] else ""
    letters: dict[str, Any] = {"input": entry_letter(names[INPUT]["output"])}
    for layer, own in names.items():
        if layer != INPUT:
            kept = [role for role in own if role != "target" and not (role == "output" and layer == last)]
            letters[layer] = {role: entry_letter(own[role]) for role in kept}
            declared = chain.layers[layer].names
            if "upstream" in declared:
                letters[layer]["upstream"] = entry_letter(declared["upstream"])
    if len(chain.network.names) == 1:
        (declared_,) = chain.layers.values()
        for layer, role in asked:
            variable = "input" if layer == INPUT else role
            yield derive(
                declared_.op,
                "gradient",
                variable,
                names=question.names,
                index_base=question.index_base,
            )
        return
    if parameters and len(parameters) == every:
        yield derive(chain.network, "gradient", "parameters", names=letters, index_base=question.index_base)
    else:
        for layer, role in parameters:
            yield derive(chain.network, "gradient", f"{layer}.{role}", names=letters, index_base=question.index_base)
    if (INPUT, "output") in asked or (roles == {"output"}):
        yield derive(chain.network, "gradient", "input", names=letters, index_base=question.index_base)
