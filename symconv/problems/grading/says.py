"""Lines of a solution in words: how many parameters, how large, what is seen, where the gradient of a maximum goes."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

from symconv.claims.check import check_source
from symconv.claims.declarations import Declarations
from symconv.claims.source import ClaimSource, Mode
from symconv.derivations.derive import derive
from symconv.errors import SymconvError
from symconv.formulas.index import Index
from symconv.operators.networks.network import Network
from symconv.operators.networks.shape import INPUT
from symconv.operators.pooling import MaxPool
from symconv.problems.answers.counts import parameters_spelled, up_to
from symconv.problems.problem import Solution, SolutionLine
from symconv.proofs.verdict import Counterexample, Verdict

__all__ = ["Said", "judge_field", "judge_parameters", "judge_routes", "judge_size"]

COUNTED = "counted again, weight by weight"
TRACED = "the entries of the input that one output depends on, traced window by window"

TIE = "no window has two largest entries"

Said = tuple[Mode, Verdict, str]
"""A mode, a verdict, and how the line should read where it is refuted."""


def judge_parameters(line: SolutionLine, solution: Solution) -> list[Said]:
    """How many parameters a layer, or the network, has."""
    chain = solution.chain
    counts = chain.network.parameter_counts(chain.input_shape)
    total = counts.get(line.of, 0) if line.of else sum(counts.values())
    spelled = parameters_spelled(chain, line.of) if line.of else str(total)
    return [("literal", _equal(line.equals[0], total, COUNTED), "" if line.equals[0] == total else spelled)]


def judge_field(line: SolutionLine, solution: Solution) -> list[Said]:
    """How much of the input one entry of a layer sees, in the middle, where no border cuts it."""
    part = up_to(solution.chain.network, line.of)
    try:
        found = part.receptive_fields[line.of]
    except SymconvError as error:
        return [("literal", Verdict("undecided", explanation=str(error)), "")]
    if found is None:
        return [("literal", Verdict("undecided", explanation=f"{line.of!r} sees the whole input"), "")]
    extents = tuple(extent for extent, _ in found)
    traced = _traced(part, line.of)
    if traced != extents:
        seen = f"the formula gives {extents}, and tracing the windows {traced}"
        return [("literal", Verdict("undecided", explanation=seen), "")]
    said = line.equals * len(extents) if len(line.equals) == 1 else line.equals
    verdict = _equal(said, extents, TRACED)
    return [("literal", verdict, "" if verdict.holds else r" \times ".join(map(str, extents)))]


def _traced(part: Network, layer: str) -> tuple[int, ...]:
    """The extents of what one output far from all borders depends on, axis by axis, by following every tap."""
    axes = part.spatial_axes or 0
    middle = 10_000
    extents = []
    for axis in range(axes):
        wanted: dict[str, set[int]] = {layer: {middle}}
        for name in reversed(part.names):
            if name not in wanted:
                continue
            op, here = part[name], wanted[name]
            if not op.place_by_place:
                window = op.windows[axis]
                taps = (window.tap(Index.of(o), Index.of(m), 10**9) for o in here for m in range(int(window.kernel)))
                here = {int(tap.evaluate({})) for tap in taps}
            for source in part.sources(name):
                wanted.setdefault(source, set()).update(here)
        extents.append(max(wanted[INPUT]) - min(wanted[INPUT]) + 1)
    return tuple(extents)


def _equal(said: Any, due: Any, method: str) -> Verdict:
    if said == due:
        return Verdict("exact", explanation="The number is the one that is counted.", method=method, sizes=1)
    shown = (" x ".join(map(str, value)) if isinstance(value, tuple) else str(value) for value in (due, said))
    right, wrong = shown
    return Verdict("refuted", explanation=f"It is {right}, not {wrong}.", method=method)


def judge_size(line: SolutionLine, solution: Solution) -> list[Said]:
    """The size of the output of a layer: at its size, and in general where the line says how."""
    chain = solution.chain
    declared = chain.layers[line.of]
    if not declared.input_size:
        shape = chain.network.shapes(chain.input_shape)[chain.network.sources(line.of)[0]]
        size = shape[len(shape) - declared.op.spatial_axes :]
    else:
        size = declared.input_size
    actual = tuple(map(int, declared.op.output_size(size)))
    said = tuple(size) if line.equals == "input" else line.equals * (len(actual) if len(line.equals) == 1 else 1)
    found: list[Said] = [
        (
            "literal",
            _equal(said, actual, "windows counted"),
            "" if said == actual else r" \times ".join(map(str, actual)),
        )
    ]
    if line.general or line.sizes:
        found.append(("general", _general_size(line, declared.op, size), ""))
    return found


def _general_size(line: SolutionLine, op: Any, size: tuple[int, ...]) -> Verdict:
    """For all sizes: the size as a claim, in which the letters that the line declares stand for theirs."""
    letters = dict(line.sizes)
    names = {what: letter for letter, what in letters.items()}
    if line.equals == "input":
        letter = names.get("input") or next(name for name in ("I", "N", "n") if name not in letters)
        letters[letter], text = "input", letter
    else:
        meant = line.general.get(str(line.equals[0]))
        if not isinstance(meant, str) or len(set(line.equals)) != 1:
            return Verdict("undecided", explanation="what the size stands for in general is not said")
        text = meant
    declared = Declarations(op, size, sizes=letters, of="size")
    return check_source(ClaimSource(line.id, declared, text, modes=("general",)), repair=False)[0].verdict


def judge_routes(line: SolutionLine, solution: Solution) -> list[Said]:
    """Where the gradient of a max pooling goes: what its derivation proves, or the smallest window against it."""
    network = solution.chain.network
    name = line.of or next(name for name, op in network.layers if isinstance(op, MaxPool))
    op = network[name]
    if line.routes_to == "winner":
        steps = derive(op, "gradient", "input").steps
        weakest = next((step.verdict for step in steps if step.verdict.status != "proved"), None)
        if weakest is not None:
            return [("general", weakest, "")]
        last = steps[-1].verdict
        conditions = last.conditions if any(TIE in said for said in last.conditions) else (*last.conditions, TIE)
        return [("general", Verdict("proved", last.scope, last.hypotheses, method=last.method, sizes=last.sizes,
                                    conditions=conditions), "")]  # fmt: skip
    return [("general", _window_against(op, line.routes_to), "to the largest entry of each window")]


def _window_against(op: Any, routes: str) -> Verdict:
    """A window with one winner, by the layer's own gradient, and what the line says of an entry that does not win."""
    size = tuple(int(window.dilation) * (int(window.kernel) - 1) + 1 for window in op.windows)
    taps = [tuple(int(w.dilation) * m for w, m in zip(op.windows, tap, strict=True))
            for tap in product(*(range(int(w.kernel)) for w in op.windows))]  # fmt: skip
    if len(taps) < 2:
        return Verdict("undecided", explanation="a window of one entry has no other")
    bare = MaxPool(op.kernel_size, stride=op.stride, dilation=op.dilation)
    entries = {place: Fraction(0) for place in product(*map(range, size))}
    entries[taps[-1]] = Fraction(1)
    formula = bare.gradient(input_size=size)
    letters = {tensor.role: tensor.name for tensor in formula.tensors}
    image, flow = (
        _nested(entries, size),
        _nested({place: Fraction(1) for place in product(*[[0]] * len(size))}, (1,) * len(size)),
    )
    found = formula.values({letters["input"]: image, letters["upstream"]: flow})
    said = Fraction(1) if routes == "all" else Fraction(1, len(taps))
    at = taps[0]
    if found[at] == said:
        return Verdict("undecided", explanation="no window was found that tells them apart")
    boxes = {letters["input"]: tuple((1, n) for n in size), letters["upstream"]: ((1, 1),) * len(size)}
    ones = {
        letters["input"]: {tuple(i + 1 for i in taps[-1]): Fraction(1)},
        letters["upstream"]: {(1,) * len(size): Fraction(1)},
    }
    index = dict(zip(bare.output().indices, (i + 1 for i in at), strict=False))
    counter = Counterexample({}, index, ones, boxes, found[at], said)
    return Verdict(
        "refuted", counterexample=counter, explanation=f"An entry that is not the largest receives {found[at]}."
    )


def _nested(entries: dict[tuple[int, ...], Fraction], shape: tuple[int, ...], before: tuple[int, ...] = ()) -> Any:
    if len(before) == len(shape):
        return entries[before]
    return [_nested(entries, shape, (*before, i)) for i in range(shape[len(before)])]
