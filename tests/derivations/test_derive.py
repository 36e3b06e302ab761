"""Every step of every derivation: proved by the engine, and right by plain loops, in its formula and in its print."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache
from random import Random
from typing import Any

import oracles
import pytest
import sympy
from operators.loop_cases import ConvCase, PoolCase, pads_of, random_tensor, squeezed, unit
from oracles import Tensor
from printed_lines import Reader
from printed_lines import Tensor as Array

from symconv.derivations import rules
from symconv.derivations.derive import derive
from symconv.derivations.step import Derivation, Step, plain
from symconv.errors import ArgumentError
from symconv.formulas.algebra import Access, Node
from symconv.formulas.formula import Formula
from symconv.formulas.terms import expand, rebuild
from symconv.formulas.walks import transform
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.report.mathml import to_mathml

INF = float("inf")
P = sympy.Symbol("p", positive=True)
ORDER = 3  # the number put in for a symbolic order of a norm

CONVS: list[tuple[Conv, tuple[int, ...]]] = [
    (Conv((3,)), (5,)),
    (Conv((3,), 2, ((1, 2),), 2), (5,)),
    (Conv((3,), 3, ((2, 0),)), (6,)),
    (Conv((2,), 2, ((-1, 1),)), (5,)),
    (Conv((2,), 1, ((1, -2),)), (5,)),
    (Conv((3,), 2, 1, flip=True), (4,)),
    (Conv((3,), padding="same"), (4,)),
    (Conv((2,), 1, "same", 3), (4,)),
    (Conv((3,), 2, "same_upper"), (5,)),
    (Conv((2,), 2, "same_lower", 2), (5,)),
    (Conv((3,), 2, "half"), (5,)),
    (Conv((2,), 1, "full", 2), (3,)),
    (Conv((3, 3)), (4, 5)),
    (Conv((3, 2), (2, 1), ((1, 0), (0, 2)), (1, 2)), (5, 4)),
    (Conv((2, 3), flip=True), (3, 4)),
    (Conv((2, 2), bias=True), (3, 3)),
    (Conv((2, 1, 2), (1, 2, 1), ((0, 1), (1, 0), (0, 0))), (2, 2, 3)),
    (Conv((2,), in_channels=2, out_channels=3, bias=True), (3,)),
    (Conv((2,), 2, 1, groups=2, in_channels=2, out_channels=4, bias=True), (4,)),
    (Conv((2,), in_channels=2, out_channels=2, groups=2), (3,)),
    (Conv((2,), out_channels=2, flip=True), (3,)),
    (Conv((3,), 1, ((1, 1),), padding_mode="reflect"), (4,)),
    (Conv((3,), 2, ((2, 1),), padding_mode="replicate"), (4,)),
    (Conv((2,), 1, ((1, 1),), padding_mode="circular"), (4,)),
]
POOLS: list[tuple[MaxPool | AvgPool | LPPool, tuple[int, ...]]] = [
    (MaxPool((2,), 1), (4,)),
    (MaxPool((2, 2), padding=((1, 0), (0, 1))), (3, 3)),
    (MaxPool((3,), 1, 1, ties="split"), (4,)),
    (MaxPool((2,), 1, 1, 2, True), (4,)),
    (MaxPool((2, 2), 2, 1, 2, True), (3, 4)),
    (AvgPool((2,)), (5,)),
    (AvgPool((3,), 2, 1, count_include_pad=False), (5,)),
    (AvgPool((3,), 2, 1, ceil_mode=True), (4,)),
    (AvgPool((2,), 2, 1, ceil_mode=True, count_include_pad=False), (4,)),
    (AvgPool((2, 2), divisor_override=3), (4, 4)),
    (AvgPool((2,), 1, ((1, 0),), 2, count_include_pad=False), (4,)),
    (AvgPool((3, 2), padding=((1, 1), (0, 0)), count_include_pad=False), (4, 4)),
    (LPPool(1, (2,)), (4,)),
    (LPPool(2, (2,), 1, 1), (4,)),
    (LPPool(3, (2, 2)), (4, 4)),
    (LPPool(Fraction(3, 2), (3,), 2, 1), (4,)),
    (LPPool(INF, (2,), 1, 1), (4,)),
    (LPPool(P, (2,), 1), (4,)),
]
CASES: list[tuple[Any, tuple[int, ...]]] = [*CONVS, *POOLS]

# Nothing is left undecided, and nothing is excused: a status that is due to be weaker would be listed here with the
# reason for it, as {(repr(op), what, wrt, rule): status}.
EXCUSED: dict[tuple[str, str, str, str], str] = {}


def ids(case: object) -> str:
    return repr(case) if not isinstance(case, tuple) else "x".join(map(str, case))


@cache
def worked(op: Any, what: Any, wrt: Any, size: tuple[int, ...] | None, base: int = 1) -> Derivation:
    """A derivation; an all-ones stage goes with the gradient by the input, where there is one."""
    return derive(op, what, wrt, input_size=size, index_base=base, all_ones=has_all_ones(op, what, wrt))


def has_all_ones(op: Any, what: str, wrt: str) -> bool:
    plain = isinstance(op, Conv) and op.padding_mode == "zeros" and op.in_channels == op.out_channels == 1
    return plain and (what, wrt) == ("gradient", "input")


def all_of(op: Any, size: tuple[int, ...] | None, base: int = 1) -> list[tuple[str, str, Derivation]]:
    """The output, and the gradient by every variable, which begins with the derivative."""
    pairs = [("output", "input"), *(("gradient", v) for v in op.variables)]
    return [(what, v, worked(op, what, v, size, base)) for what, v in pairs]


# ---------------------------------------------------------------------- verdicts, names, print


@pytest.mark.parametrize(("op", "size"), CASES, ids=ids)
def test_every_step_is_proved_for_all_sizes(op: Any, size: tuple[int, ...]) -> None:
    for what, wrt, derivation in all_of(op, None):
        assert derivation.steps, (what, wrt)
        for step in derivation.steps:
            due = EXCUSED.get((repr(op), what, wrt, step.rule), "proved")
            assert step.verdict.status == due, (what, wrt, step.id, str(step.verdict))
        assert derivation.text().count("  [proved: ") == sum(s.verdict.status == "proved" for s in derivation.steps)


@pytest.mark.parametrize(("op", "size"), CASES, ids=ids)
def test_every_step_holds_at_a_fixed_size(op: Any, size: tuple[int, ...]) -> None:
    for what, wrt, derivation in all_of(op, size):
        for step in derivation.steps:
            verdict = step.verdict
            # what is exact at a size may still be proved, where the order of a norm or a place is symbolic
            assert verdict.holds, (what, wrt, step.id, str(verdict))


@pytest.mark.parametrize(("op", "size"), CASES, ids=ids)
def test_every_step_names_its_rule_and_reason_and_prints(op: Any, size: tuple[int, ...]) -> None:
    for _, _, derivation in all_of(op, None):
        known = {definition.id for definition in derivation.definitions}
        for step in derivation.steps:
            assert step.rule in rules.RULES, step.rule
            assert step.title
            assert plain(step.reason).strip()
            assert f" {step.relation} " in step.statement
            for latex in (step.latex(), *(part.latex for part in step.reason if not isinstance(part, str))):
                assert to_mathml(latex).startswith("<math"), latex
            assert known >= set(step.uses), (step.id, step.uses, known)  # nothing rests on what comes later
            known.add(step.id)
        assert [step.id for step in derivation.steps] == [str(n) for n in range(1, len(derivation.steps) + 1)]
        for line in (derivation.lead, derivation.hypotheses, *(d.entry for d in derivation.definitions)):
            assert plain(line).strip()


@pytest.mark.parametrize(("op", "size"), CASES, ids=ids)
def test_a_derivative_is_the_first_stage_of_a_gradient(op: Any, size: tuple[int, ...]) -> None:
    for wrt in op.variables:
        derivative, gradient = worked(op, "derivative", wrt, None), worked(op, "gradient", wrt, None)
        assert derivative.steps == gradient.stages[0].steps
        assert derivative.stages == gradient.stages[:1]


def test_rules_are_functions_or_say_what_they_do() -> None:
    for name, law in rules.RULES.items():
        function = getattr(rules, name, None)
        assert law.strip()
        if function is not None:
            assert callable(function)
            assert law == (function.__doc__ or "").splitlines()[0]
    assert set(rules.__all__) - {"RULES"} <= set(rules.RULES)


# ---------------------------------------------------------------------- values


def case_of(op: Any, sizes: tuple[int, ...]) -> ConvCase | PoolCase:
    """Tensors for an operator; a symbolic order of a norm is a number there."""
    return ConvCase.of(op, sizes, 7) if isinstance(op, Conv) else PoolCase.of(op, sizes, 7)


def vjp(case: ConvCase | PoolCase, g: Tensor) -> dict[str, Tensor]:
    """The gradients by all variables for an upstream gradient, by plain loops, in the layout of the formulas."""
    if isinstance(case, ConvCase):
        return case.gradients(g)
    op, geometry = case.op, case.geometry
    if isinstance(op, MaxPool):
        found = oracles.max_pool_vjp(g, case.x, op.kernel_size, ties=op.tie_policy(), **geometry)
    elif isinstance(op, AvgPool):
        more = {"count_include_pad": op.count_include_pad, "divisor_override": op.divisor_override, **geometry}
        found = oracles.avg_pool_vjp(g, case.x, op.kernel_size, **more)
    else:
        assert isinstance(op, LPPool)
        order = ORDER if op.norm_type == P else op.norm_type
        found = oracles.lp_pool_vjp(g, case.x, order, op.kernel_size, **geometry)
    return {"input": squeezed(found, (0, 1))}


def output_shape(case: ConvCase | PoolCase) -> tuple[int, ...]:
    """The shape of the output with batch and channels, the number of windows counted by the oracles."""
    op = case.op
    axes = zip(case.sizes, op.kernel_size, op.stride, pads_of(op, case.sizes), op.dilation, strict=True)
    ceil = getattr(op, "ceil_mode", False)
    counts = [oracles.output_size(n, oracles.Axis(k, s, b, e, d, ceil)) for n, k, s, (b, e), d in axes]
    return (1, op.out_channels if isinstance(op, Conv) else 1, *counts)


def jacobian(case: ConvCase | PoolCase, wrt: str) -> dict[tuple[int, ...], Any]:
    """The derivative of every output by every entry of a variable, by unit upstream gradients."""
    shape, found = output_shape(case), {}
    for row in oracles.full(shape, 0).values:
        place = row[1:] if isinstance(case, ConvCase) and shape[1] != 1 else row[2:]
        for index, value in vjp(case, unit(shape, row))[wrt].values.items():
            found[(*place, *index)] = value
    return found


def agree(found: Mapping[tuple[int, ...], Any], expected: Mapping[tuple[int, ...], Any], exact: bool) -> None:
    assert found.keys() == expected.keys()
    for point, value in found.items():
        if exact:
            assert isinstance(value, int | Fraction)
            assert value == expected[point], point
        else:
            assert math.isclose(float(value), float(expected[point]), rel_tol=1e-12, abs_tol=1e-13), point


def evaluated(step: Step, tensors: Mapping[str, Any], sizes: tuple[int, ...]) -> dict[tuple[int, ...], Any]:
    """All entries of what a step arrives at, indices from 0."""
    formula = step.after
    more = {"p": ORDER} if "p" in formula.parameters and P.name in formula.table.real else {}
    own = {tensor.name: tensors[tensor.name] for tensor in formula.tensors}
    values = formula.values(own, sizes if formula.sizes else None, **more)
    return {tuple(i - formula.base for i in point): value for point, value in values.items()}


@pytest.mark.parametrize("base", [0, 1])
@pytest.mark.parametrize("fixed", [False, True], ids=["symbolic", "fixed"])
@pytest.mark.parametrize(("op", "size"), CASES, ids=ids)
def test_what_every_step_arrives_at_is_what_plain_loops_give(
    op: Any, size: tuple[int, ...], fixed: bool, base: int
) -> None:
    case = case_of(op, size)
    exact = not isinstance(op, LPPool) or op.norm_type in (1, INF)
    shape = output_shape(case)
    g = random_tensor(Random(11), shape)
    for what, wrt, derivation in all_of(op, size if fixed else None, base):
        for stage in derivation.stages:
            ones = plain(stage.title).startswith("The all-ones")
            for step in stage.steps:
                if what == "output":
                    axis = int(step.after.quantity.of[0].partition("_")[2] or 1) - 1
                    assert evaluated(step, {}, size) == {(): shape[2 + axis]}, step.statement
                    continue
                kind = step.after.quantity.kind
                assert kind == ("derivative" if len(step.after.free) > len(derivation.result.free) else what), step.id
                upstream = oracles.full(shape, 1) if ones else g
                found = evaluated(step, case.tensors(upstream), size)
                expected = jacobian(case, wrt) if kind == "derivative" else vjp(case, upstream)[wrt].values
                agree(found, expected, exact)


# ---------------------------------------------------------------------- print


def arrays_of(case: ConvCase, g: Tensor | None, base: int) -> dict[str, Array]:
    """The tensors of a case as a reader of printed lines wants them."""
    found = {}
    pairs = [("a", case.cut("input", case.x)), ("b", case.cut("weight", case.weight))]
    if case.bias is not None:
        pairs.append(("d", case.cut("bias", case.bias)))
    if g is not None:
        pairs.append(("g", case.cut("output", g)))
    for letter, tensor in pairs:
        entries = {tuple(i + base for i in at): Fraction(value) for at, value in tensor.values.items()}
        found[letter] = Array(entries, tensor.shape, base)
    return found


PLAIN = [(op, size) for op, size in CONVS if op.padding_mode == "zeros" and isinstance(op.padding, tuple)]
_DIGITS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@pytest.mark.parametrize("base", [0, 1])
@pytest.mark.parametrize("fixed", [False, True], ids=["symbolic", "fixed"])
@pytest.mark.parametrize(("op", "size"), PLAIN, ids=ids)
def test_what_a_line_says_is_what_plain_loops_give(op: Conv, size: tuple[int, ...], fixed: bool, base: int) -> None:
    """The printed right-hand sides, their definitions included, are read by a reader of its own."""
    case = ConvCase.of(op, size, 5)
    shape = output_shape(case)
    g = random_tensor(Random(12), shape)
    ndim = len(size)
    names = {
        f"{letter}{str(axis).translate(_DIGITS) if ndim > 1 else ''}": n
        for letter, values in (("I", size), ("O", shape[2:]))
        for axis, n in enumerate(values, 1)
    }
    for what, wrt, derivation in all_of(op, size if fixed else None, base):
        if what == "output":
            continue
        defined: dict[str, tuple[tuple[str, ...], str]] = {}
        for definition in derivation.definitions:
            text = plain(definition.entry)
            match = re.fullmatch(r"(\w\u0303)\[([^]]*)\] = (.*) where it exists( \(an integer index\))?, else 0", text)
            if match:
                defined[match[1]] = (tuple(match[2].split(", ")), match[3])
            elif definition.id == "D1":
                reader = Reader(arrays_of(case, None, base), names)
                _check_line(text, case.cut("output", case.output()).values, reader, base)
        for stage in derivation.stages:
            ones = plain(stage.title).startswith("The all-ones")
            upstream = oracles.full(shape, 1) if ones else g
            gradient = vjp(case, upstream)[wrt].values
            rows = {tuple(i + base for i in at): Fraction(v) for at, v in jacobian(case, wrt).items()}
            reader = Reader(arrays_of(case, upstream, base), names, defined, rows, base)
            for step in stage.steps:
                derivative = step.after.quantity.kind == "derivative"
                expected = {tuple(i - base for i in at): v for at, v in rows.items()} if derivative else gradient
                _check_line(step.statement, expected, reader, base)


def _check_line(text: str, expected: Mapping[tuple[int, ...], Any], reader: Reader, base: int) -> None:
    left, _, right = text.partition(" = ")
    free = [name for part in re.findall(r"\[([^]]*)\]", left) for name in part.split(", ") if name]
    for point, value in expected.items():
        env = {name: i + base for name, i in zip(free, point, strict=True)}
        assert reader.value(right, env) == value, (text, env)
    if "⋆" in right:  # both sides are arrays, and have one size
        assert reader.result == tuple(max(axis) + 1 for axis in zip(*expected, strict=True)), text


# ---------------------------------------------------------------------- letters

_NAMES = {
    "input": "x", "weight": "w", "bias": "t", "output": "y", "upstream": "z", "error": "L", "input_index": "abc",
    "weight_index": "def", "output_index": "ghi", "turned_index": "jkl", "output_channel": "q", "input_channel": "r",
}  # fmt: skip
_OLD = {
    "input": "a", "weight": "b", "bias": "d", "output": "c", "upstream": "g", "error": "E", "input_index": "ijk",
    "weight_index": "mno", "output_index": "pqr", "turned_index": "uvw", "output_channel": "f", "input_channel": "h",
}  # fmt: skip
_KEPT = re.compile(
    r"\\(?:operatorname|text)\{[^{}]*\}|\\[A-Za-z]+|[A-Za-z]{3,}[0-9]*|\b(?:up|if)\b|lim|[A-Za-z]|.", re.S
)


def renamed(line: str) -> str:
    """A line with every letter exchanged for its new one, words and commands left alone."""
    letters = {old: new for role in _OLD for old, new in zip(_OLD[role], _NAMES[role], strict=True)}
    letters |= {old.upper(): new.upper() for old, new in list(letters.items()) if old in "abcdg"}
    pieces = _KEPT.findall(line)
    return "".join(letters.get(piece, piece) if len(piece) == 1 else _joined(piece, letters) for piece in pieces)


def _joined(piece: str, letters: Mapping[str, str]) -> str:
    """Adjacent indices such as the ``pqij`` of LaTeX are letters; ``pad`` and ``max`` are words."""
    indices = "".join(family for role, family in _OLD.items() if role.endswith(("_index", "_channel")))
    word = piece in ("up", "if", "lim", "rot", "min") or not set(piece) <= set(indices)
    return piece if word else "".join(letters[c] for c in piece)


@pytest.mark.parametrize(
    "op",
    [
        Conv((3, 2), (2, 1), ((1, 0), (0, 2)), (1, 2)),
        Conv((2, 2, 2), flip=True),
        Conv((2,), 2, 1, groups=2, in_channels=4, out_channels=4, bias=True),
        MaxPool((2, 2), 1),
        AvgPool((3,), 2, 1, count_include_pad=False),
        LPPool(3, (2, 2), 1, 1),
    ],
    ids=repr,
)
def test_other_letters_change_nothing_but_the_letters(op: Any) -> None:
    for what, wrt in [("output", "input"), *(("gradient", v) for v in op.variables)]:
        plain_one = worked(op, what, wrt, None)
        other = derive(op, what, wrt, names=_NAMES, all_ones=has_all_ones(op, what, wrt))  # type: ignore[arg-type]
        assert [s.rule for s in other.steps] == [s.rule for s in plain_one.steps]
        assert [s.uses for s in other.steps] == [s.uses for s in plain_one.steps]
        for ours, theirs in zip(plain_one.steps, other.steps, strict=True):
            assert theirs.statement == renamed(ours.statement)
            assert theirs.latex() == renamed(ours.latex())
        assert all(s.verdict.status == "proved" for s in other.steps)


def test_letters_that_meet_are_refused_and_unknown_questions_too() -> None:
    with pytest.raises(ArgumentError, match="must not stand for both"):
        derive(Conv(3), "gradient", names={"input": "x", "weight": "x"})
    with pytest.raises(ArgumentError, match=r"^what.*must be one of 'output', 'derivative', 'gradient'"):
        derive(Conv(3), "hessian")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"^wrt.*must be a variable of MaxPool: input"):
        derive(MaxPool(2), "gradient", "weight")
    with pytest.raises(ArgumentError, match=r"^wrt.*must be a variable of Conv: input, weight"):
        derive(Conv(3), "gradient", "bias")
    with pytest.raises(ArgumentError, match=r"^wrt belongs to a derivative or a gradient, got 'weight'"):
        derive(Conv(3), "output", "weight")
    for op, what in ((MaxPool(2), "gradient"), (Conv(3), "derivative"), (Conv(3, in_channels=2), "gradient")):
        with pytest.raises(ArgumentError, match=r"^all_ones belongs to the gradient by the input of a Conv"):
            derive(op, what, all_ones=True)  # type: ignore[arg-type]


# ---------------------------------------------------------------------- broken rules


def statuses(op: Any, wrt: str = "input", **options: Any) -> dict[str, str]:
    """The statuses of a fresh derivation, by rule; the first weak one counts."""
    derivation = derive(op, "gradient", wrt, **options)  # type: ignore[arg-type]
    found: dict[str, str] = {}
    for step in derivation.steps:
        if found.get(step.rule, "proved") == "proved":
            found[step.rule] = step.verdict.status
    return found


def _shifted(formula: Formula) -> Formula:
    """The formula with every entry of the upstream gradient read one place too far."""

    def change(node: Node) -> Node | None:
        if isinstance(node, Access) and node.tensor == "g":
            return Access("g", tuple(e + 1 for e in node.index))
        return None

    return formula.with_body(transform(formula.body, change))


def _unguarded(formula: Formula) -> Formula:
    """The formula without its conditions."""
    return formula.with_body(rebuild([replace(term, guards=()) for term in expand(formula.body)]))


@pytest.mark.parametrize(
    ("rule", "slip", "op"),
    [
        ("turn", _shifted, Conv((3,))),
        ("turn", _shifted, Conv((2, 2), 2, 1)),
        ("restrict_to_touching_outputs", _unguarded, Conv((2,), 1, 0, 2)),
        ("restrict_to_touching_outputs", _shifted, AvgPool((2,), 1)),
        ("insert", _shifted, Conv((2,))),
        ("closed_form", _unguarded, Conv((2,), 1, 0, 2)),
        ("use_independence", _unguarded, Conv((3,), 1, 1)),
        ("chain_rule", _shifted, AvgPool((2,))),
        ("restrict_to_touching_outputs", _shifted, MaxPool((2,), 1)),
    ],
)
def test_a_broken_rule_is_refuted_where_it_is_used(
    monkeypatch: pytest.MonkeyPatch, rule: str, slip: Callable[[Formula], Formula], op: Any
) -> None:
    """What a rule makes is checked, never taken from it: break one, and its own step is refuted by an example."""
    wrt = "weight" if rule == "insert" else "input"
    assert set(statuses(op, wrt).values()) == {"proved"}
    law = getattr(rules, rule)
    monkeypatch.setattr(rules, rule, lambda *args, **options: slip(law(*args, **options)))
    found = statuses(op, wrt)
    assert found[rule] == "refuted", found


def test_a_refuted_step_shows_the_smallest_example(monkeypatch: pytest.MonkeyPatch) -> None:
    law = rules.turn
    monkeypatch.setattr(rules, "turn", lambda *args: _shifted(law(*args)))
    (step,) = [s for s in derive(Conv((2,)), "gradient").steps if s.rule == "turn"]
    counter = step.verdict.counterexample
    assert counter is not None
    assert counter.sizes == {"I": 2, "O": 1}
    assert counter.left != counter.right
