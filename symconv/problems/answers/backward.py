"""Questions for gradients: of a network or of one layer, in symbols with their proofs, or in exact numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

from symconv.derivations.derive import derive
from symconv.derivations.step import Derivation
from symconv.errors import ProblemFileError
from symconv.formulas.printing import LATEX
from symconv.operators.joining import Add
from symconv.operators.letters import Letters
from symconv.operators.networks.shape import INPUT
from symconv.problems.answers.desk import Desk, words
from symconv.problems.answers.exact_text import exact_text
from symconv.problems.answers.forward import SUMMED, WORKED_OUT, places_of
from symconv.problems.answers.running import Running, running, too_large
from symconv.problems.answers.showing import array_lines, entry_line
from symconv.problems.answers.sums import added, sum_of_entries
from symconv.problems.chains import array_names, chain_of
from symconv.problems.naming import entry_letter
from symconv.problems.problem import Layers, Question
from symconv.report.document import Block, Inline, Math, Paragraph
from symconv.report.ledger import Basis

__all__ = ["backward", "gradients_asked"]


def backward(desk: Desk, question: Question) -> list[Block]:
    """The gradients that are asked for, in symbols or in numbers."""
    chain = chain_of(question, desk.problem.where(question), desk.problem.data)
    if not question.own["numbers"]:
        return _symbols(desk, question, chain)
    why = too_large(chain)
    return [Paragraph(words(why), wide=True)] if why else _numbers(desk, question, chain)


# ---------------------------------------------------------------------- in numbers


def gradients_asked(chain: Layers, question: Question) -> Iterator[tuple[str, str]]:
    """The arrays by which is differentiated, as a layer and a role, from the output to the input."""
    names, wrt = array_names(chain, question), question.own["wrt"]
    for layer in reversed(chain.network.names):
        roles = [role for role in ("output", "weight", "bias") if role in names[layer]]
        for role in roles:
            if role == "output" and layer == chain.network.output:
                continue
            if names[layer][role] in wrt or ("inputs" if role == "output" else "parameters") in wrt:
                yield layer, role
    if names[INPUT]["output"] in wrt or "inputs" in wrt:
        yield INPUT, "output"


def _numbers(desk: Desk, question: Question, chain: Layers) -> list[Block]:
    run = running(desk, question)
    asked = list(gradients_asked(chain, question))
    arrays = {f"{layer} {role}": run.gradient(layer, role) for layer, role in asked}
    unit = run.unit(arrays)
    blocks: list[Block] = [*_given(desk, question, run), *_unit_said(unit)]
    scale = "" if unit == 1 else exact_text(1 / unit) + r"\, "
    error = _error_letter(question)
    for layer, role in asked:
        array = LATEX.name(run.names[layer][role])
        for place in places_of(run, layer, role, question.own["written_out"]):
            blocks += _written(desk, run, layer, role, place, error)
        shown = run.gradient(layer, role)
        if unit != 1:
            shown = shown / unit
        name = rf"\frac{{\partial {error}}}{{\partial {array}}}"
        blocks += array_lines(desk, name, shown, _rule(chain, layer, role), (), WORKED_OUT, scale=scale)
    return blocks


def _given(desk: Desk, question: Question, run: Running) -> list[Block]:
    """The upstream gradient of a layer, or of a network that ends with no loss."""
    output = run.chain.network.output
    if not run.shapes[output]:
        return []
    name = rf"\frac{{\partial {_error_letter(question)}}}{{\partial {LATEX.name(run.names[output]['output'])}}}"
    said = words("all ones.") if question.own["upstream"] == "ones" else ()
    return array_lines(desk, name, run.flows[output], "Given", said, Basis("", "the data of the file"))


def _unit_said(unit: Fraction) -> list[Block]:
    if unit == 1:
        return []
    return [
        Paragraph(
            words(
                "All gradients below are multiples of ",
                Math(exact_text(unit)),
                ", so that they are whole: what stands here is ",
                Math(exact_text(1 / unit)),
                " times the gradient.",
            )
        )
    ]


def _error_letter(question: Question) -> str:
    return LATEX.name(Letters.of(question.names).error)


def _rule(chain: Layers, layer: str, role: str) -> str:
    if role != "output":
        return f"{layer}: the {role}."
    readers = [after for before, after in chain.network.edges if before == layer]
    return f"Back through {' and '.join(readers)}." if readers else "The output."


def _written(desk: Desk, run: Running, layer: str, role: str, place: tuple[int, ...], error: str) -> list[Block]:
    """An entry of a gradient as the sum that it is, one for every layer that it comes back from."""
    entry = run.entry_name(layer, role, place)
    name = rf"\frac{{\partial {error}}}{{\partial {entry}}}"
    readers = [after for before, after in run.chain.network.edges if before == layer] if role == "output" else [layer]
    due = run.gradient(layer, role)[tuple(i - run.base for i in place)]
    parts = []
    for reader in readers:
        if isinstance(run.chain.network[reader], Add):
            letter = run.upstream_letter(reader)
            at = tuple(i - run.base for i in place)
            parts.append(sum_of_entries([(letter, place, run.flows[reader][at])]))
        else:
            parts.append(run.gradient_sum(reader, "input" if role == "output" else role, place))
    total = parts[0] if len(parts) == 1 else added(parts)
    exact = not hasattr(total.value, "free_symbols") and not hasattr(due, "free_symbols")
    if exact and total.value != due:
        raise ProblemFileError(f"the sum of {name} is {total.value}, and the network says {due}")
    reason: tuple[Inline, ...] = words("products with a factor 0 are left out.")
    return [entry_line(desk, name, total, "Written out:", reason, SUMMED)]


# ---------------------------------------------------------------------- in symbols


def _symbols(desk: Desk, question: Question, chain: Layers) -> list[Block]:
    """The derivations of all gradients that are asked for: theorems first, then their proofs."""
    asked = list(gradients_asked(chain, question))
    blocks: list[Block] = []
    done: set[str] = set()
    for worked in _derivations(question, chain, asked):
        numbers: dict[str, str] = {}
        blocks.append(Paragraph(desk.inline((*worked.lead, " ", *worked.hypotheses), {}), wide=True))
        blocks += desk.define(worked.definitions, {}, numbers, f"indices count from {question.index_base}, row first")
        blocks += desk.stages(_without(worked, done), {}, numbers)
    return blocks


def _without(worked: Derivation, done: set[str]) -> Derivation:
    """A derivation without the stages that stood before."""
    stages = []
    for stage in worked.stages:
        key = repr([str(step.statement) for step in stage.steps])
        if key not in done:
            stages.append(stage)
        done.add(key)
    return replace(worked, stages=tuple(stages))


def _derivations(question: Question, chain: Layers, asked: list[tuple[str, str]]) -> Iterator[Derivation]:
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
