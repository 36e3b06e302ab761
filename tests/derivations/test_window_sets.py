"""Poolings over their window sets, and how they are related: written pages, and what they say by plain loops."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from random import Random
from typing import Any

import oracles
import pytest
import sympy
from derivations.test_formulas_of_pages import nested
from readback.arithmetic import Point, close
from readback.arrays import Array
from readback.checking import relation_of
from readback.hypotheses import evaluate, size_names
from readback.layers import Case, Layer, case_of
from readback.reading import Reader
from readback.test_pages import read_sets
from readback.world import World

from symconv.derivations import relations, window_sets
from symconv.derivations.frame import Frame
from symconv.derivations.relations import _under_condition, relation_stages
from symconv.derivations.step import Maths, Step, in_latex, plain
from symconv.derivations.window_sets import set_form_steps, set_name, window_set
from symconv.errors import GeometryError
from symconv.formulas.algebra import Guard, between, const, product
from symconv.formulas.index import Index
from symconv.operators.pooling import AvgPool, LPPool, MaxPool, Pooling
from symconv.proofs.induction import power_sum_bound
from symconv.proofs.verdict import Verdict

Golden = Callable[[str, str], None]
P = sympy.Symbol("p", positive=True)


def layer(kind: str, kernel: Point, stride: Point = (), pads: Any = (), dilation: Point = (), **more: Any) -> Layer:
    ones = (1,) * len(kernel)
    return Layer(kind, kernel, stride or ones, pads or ((0, 0),) * len(kernel), dilation or ones, **more)


# A layer, and its input size; the size stays in letters where "all" stands, and is then that of the numbers.
POOLS: list[tuple[Layer, Point, bool]] = [
    (layer("maxpool", (2,), (2,)), (5,), True),
    (layer("maxpool", (3, 2), (2, 1), ((1, 0), (0, 1)), base=0), (4, 3), True),
    (layer("maxpool", (2,), (1,), ((1, 1),), (2,)), (3,), True),
    (layer("maxpool", (2, 2), (1, 2), ((0, 0), (1, 0)), (1, 2)), (2, 4), False),
    (layer("maxpool", (2,), (1,), ((1, 0),), (3,), base=0), (3,), False),
    (layer("avgpool", (2,), (2,)), (4,), True),
    (layer("avgpool", (3,), (2,), ((1, 1),), base=0, exclude_padding=True), (5,), True),
    (layer("avgpool", (3,), (2,), ((1, 1),)), (5,), True),
    (layer("avgpool", (3,), (2,), ((1, 0),), ceil_mode=True), (4,), True),
    (layer("avgpool", (2,), (3,), ceil_mode=True), (4,), True),
    (layer("avgpool", (2,), (2,), ((0, 1),), ceil_mode=True, exclude_padding=True, base=0), (4,), False),
    (layer("avgpool", (2, 2), (2, 1), ((1, 0), (0, 0)), (1, 2)), (3, 4), True),
    (layer("avgpool", (2, 3), (1, 2), ((0, 0), (2, 1)), exclude_padding=True), (3, 3), False),
    (layer("avgpool", (2, 3), (1, 2), ((0, 0), (1, 0)), exclude_padding=True, base=0), (4, 5), True),
    (layer("avgpool", (2,), (1,), exclude_padding=True), (4,), True),
    (layer("avgpool", (2,), (1,), ((0, 1),), exclude_padding=True), (3,), True),
    (layer("avgpool", (2,), (1,), ((1, 1),), divisor=3), (3,), True),
    (layer("lppool", (2,), (1,), ((1, 1),), norm="2"), (3,), True),
    (layer("lppool", (2, 2), (2, 1), norm="1", base=0), (4, 3), True),
]  # fmt: skip


def operator(layer: Layer) -> Pooling:
    window: dict[str, Any] = {
        "kernel_size": layer.kernel, "stride": layer.stride, "padding": layer.pads, "dilation": layer.dilation,
        "ceil_mode": layer.ceil_mode,
    }  # fmt: skip
    if layer.kind == "maxpool":
        return MaxPool(**window)
    if layer.kind == "lppool":
        return LPPool(P if layer.norm == "p" else Fraction(layer.norm), **window)
    return AvgPool(**window, count_include_pad=not layer.exclude_padding, divisor_override=layer.divisor)


def frame(layer: Layer, size: Point, general: bool) -> Frame:
    return Frame(operator(layer), base=layer.base, input_size=None if general else size)


def name(case: tuple[Layer, Point, bool]) -> str:
    layer, size, general = case
    options = " ".join(layer.arguments()).replace("--", "").replace("=", " ").replace(":", "_")
    return options if general else f"{options}, {'x'.join(map(str, size))}"


def lines(steps: tuple[Step, ...]) -> Iterator[str]:
    """All that is said of steps."""
    for step in steps:
        yield f"({step.id}) {step.rule}: {', '.join(step.uses)}{' opens' * step.opens}"
        yield f"{step.statement}\n{step.latex()}"
        yield f"{step.title} {plain(step.reason)}\n{step.title} {in_latex(step.reason)}"
        yield f"[{step.verdict.status} {step.verdict.scope}] needs {plain(step.needs)} | {in_latex(step.needs)}\n"


def both(maths: Maths) -> str:
    return f"{maths.text}\n{maths.latex}"


@pytest.mark.parametrize("case", POOLS, ids=name)
def test_sets_and_their_lines_agree_with_the_written_page(case: tuple[Layer, Point, bool], golden: Golden) -> None:
    own = frame(*case)
    text = "\n".join([both(set_name(own)), both(window_set(own)), "", *lines(set_form_steps(own))])
    golden(f"window_sets/{name(case)}.txt", text)


@pytest.mark.parametrize("case", POOLS, ids=name)
def test_a_set_has_the_positions_of_the_window_and_the_lines_their_values(case: tuple[Layer, Point, bool]) -> None:
    layer, size, _ = case
    own, world_case = frame(*case), case_of(layer, size, Random(4))
    a, c = world_case.arrays["a"], world_case.arrays["c"]
    numbers = dict(zip(size_names(layer.ndim), size, strict=True))
    world = World({"a": a}, numbers, base=layer.base)
    letter = set_name(own).text
    indices = letter.partition("[")[2].rstrip("]").replace(", ", "")
    sentence = f"The window set of an output is {letter.partition('[')[0]}[{indices}] = {window_set(own).text}."
    read_sets([re.sub(r"\{\((.*?)\)", r"{\1", sentence)], world, layer.ndim)
    (members,) = world.sets.values()
    padded = "\u0304" in letter
    assert padded == (layer.kind == "avgpool" and not layer.exclude_padding and not layer.divisor and layer.pads != ((0, 0),) * layer.ndim)  # fmt: skip  # noqa: E501
    for at in c.places():
        assert members(at) == positions(world_case, at, padded), at
    for step in set_form_steps(own):
        left, _, right = relation_of(step.statement)
        free = re.findall(r"\w", left.partition("[")[2])
        for at in c.places():
            if world_case.terms[at] or layer.kind != "maxpool":
                assert close(evaluate(world, right, dict(zip(free, at, strict=True))), c.at(at)), step.statement
        for formula in (step.before, step.after):
            for at, value in formula.values({"a": nested(a)}, size if formula.sizes else None).items():
                assert math.isclose(value, c.at(at)) or value == c.at(at), (step.statement, at)


def positions(case: Case, at: Point, padded: bool) -> set[Point]:
    """Where the window of an output reads: in the input, or in the padded input."""
    own = case.layer
    found: list[Point] = [()]
    for o, n, axis in zip(at, case.sizes, own.axes(), strict=True):
        low, high = (-axis.before, n + axis.after) if padded else (0, n)
        row = [p + own.base for p in oracles.place(n, axis)[o - own.base] if low <= p < high]
        found = [(*place, p) for place in found for p in row]
    return set(found)


@pytest.mark.parametrize("end", ["lower", "upper"])
@pytest.mark.parametrize("exclude", [True, False])
def test_a_set_that_misses_a_position_is_refused(monkeypatch: pytest.MonkeyPatch, end: str, exclude: bool) -> None:
    """An average divides by its taps: a set that leaves out the outermost one, on one axis, has another size."""
    pad = 0 if exclude else 1
    own = frame(layer("avgpool", (3, 3), (2, 1), ((1, 0), (pad, pad)), exclude_padding=exclude), (4, 4), True)
    clip = window_sets._clip

    def narrower(frame: Frame, axis: int) -> tuple[Guard, ...]:
        n, place = frame.sizes[axis], Index.of("j") - frame.base
        return between(-pad + (end == "lower"), place, n + pad - 1 - (end == "upper")) if axis else clip(frame, axis)

    assert set_form_steps(own)[0].verdict.holds
    monkeypatch.setattr(window_sets, "_clip", narrower)
    assert not set_form_steps(own)[0].verdict.holds


# ---------------------------------------------------------------------- relations

PAIRS: list[tuple[Layer, Layer, Point, bool]] = [
    (layer("lppool", (2,), (2,), norm="3"), layer("maxpool", (2,), (2,)), (4,), True),
    (layer("lppool", (2, 3), (1, 2), ((1, 0), (0, 1)), norm="p"),
     layer("maxpool", (2, 3), (1, 2), ((1, 0), (0, 1))), (3, 3), True),
    (layer("lppool", (2,), (1,), ((1, 1),), (2,), norm="2", base=0),
     layer("maxpool", (2,), (1,), ((1, 1),), (2,), base=0), (2,), False),
    (layer("lppool", (2,), (3,), ceil_mode=True, norm="2"), layer("maxpool", (2,), (3,), ceil_mode=True), (4,), True),
    (layer("lppool", (2,), (2,), norm="p"), layer("avgpool", (2,), (2,)), (4,), True),
    (layer("lppool", (2, 2), norm="3", base=0), layer("avgpool", (2, 2), base=0), (3, 2), False),
    (layer("lppool", (3,), (2,), ((1, 1),), norm="2"), layer("avgpool", (3,), (2,), ((1, 1),)), (5,), True),
    (layer("lppool", (3,), (2,), ((1, 1),), norm="p"),
     layer("avgpool", (3,), (2,), ((1, 1),), exclude_padding=True), (5,), True),
    (layer("lppool", (2,), (2,), ((0, 1),), ceil_mode=True, norm="2"),
     layer("avgpool", (2,), (2,), ((0, 1),), ceil_mode=True), (4,), True),
    (layer("lppool", (2,), (3,), ceil_mode=True, norm="2"), layer("avgpool", (2,), (3,), ceil_mode=True), (4,), True),
    (layer("lppool", (2,), (1,), ((2, 0),), norm="2"),
     layer("avgpool", (2,), (1,), ((2, 0),), exclude_padding=True), (2,), True),
    (layer("lppool", (2,), (1,), norm="2"), layer("avgpool", (2,), (1,), divisor=3), (3,), True),
]  # fmt: skip


def pair_name(pair: tuple[Layer, Layer, Point, bool]) -> str:
    norm, other, size, general = pair
    return f"{norm.norm} {name((other, size, general))}"


@pytest.mark.parametrize("pair", PAIRS, ids=pair_name)
def test_relations_agree_with_the_written_page(pair: tuple[Layer, Layer, Point, bool], golden: Golden) -> None:
    norm, other, size, general = pair
    (stage,) = relation_stages(frame(norm, size, general), frame(other, size, general))
    title = f"{plain(stage.title)} [{plain(stage.domain)}]\n{in_latex(stage.title)} [{in_latex(stage.domain)}]\n"
    golden(f"relations/{pair_name(pair)}.txt", "\n".join([title, *lines(stage.steps)]))


@pytest.mark.parametrize("pair", PAIRS, ids=pair_name)
def test_relations_hold_for_entries_that_are_not_negative(pair: tuple[Layer, Layer, Point, bool]) -> None:
    norm, other, size, general = pair
    (stage,) = relation_stages(frame(norm, size, general), frame(other, size, general))
    assert all(step.verdict.holds for step in stage.steps)
    order = 3 if norm.norm == "p" else int(norm.norm)
    own = case_of(replace(norm, norm=str(order)), size, Random(6))
    a = Array({at: abs(v) for at, v in own.arrays["a"].entries.items()}, own.arrays["a"].shape, norm.base)
    match = re.search(r"every c\[(.*?)\](?:, every (\w) ≥ 1)?", plain(stage.domain))
    assert match is not None
    free, letter = match[1].split(", "), match[2]
    divisors = case_of(other, size, Random(6)) if other.divisor or all(own.terms.values()) else None
    for step in stage.steps:
        for at, rows in own.terms.items():
            values = [a.at(i) for _, i, _ in rows if i is not None]
            if not values:
                assert "tap in the" in plain(step.needs) or step.needs == ()
                continue
            if step.statement.startswith("lim"):
                assert step.statement.endswith(" = M")
                continue
            numbers: dict[str, Any] = dict(zip(size_names(norm.ndim), size, strict=True))
            numbers |= {"M": max(values)} | ({letter: order} if letter else {})
            world = World({"a": a}, numbers, base=norm.base)
            if other.kind == "avgpool":
                share = Fraction(1, len(values)) if divisors is None else divisors.terms[at][0][0]
                world.entries["c"] = partial(_constant, share * sum(values))
            text = step.statement
            for found in set(re.findall(r"(L(\w)\[[^\]]*\])", text)):
                by = 1 if found[1] == "1" else order
                world.numbers["U"] = oracles.pooling.lp_norm(values, by)
                text = text.replace(found[0], "U")
            reader = Reader(world, text, frozenset(free))
            holds = reader.chain()
            assert not reader.peek(), text
            assert holds(dict(zip(free, at, strict=True))), (step.statement, at, a.entries)


K, L = sympy.symbols("K L")


@pytest.mark.parametrize(
    ("kernel", "count", "base"),
    [
        ((K,), "K", "K"),
        ((2 * K,), "2K", "(2K)"),
        ((K + 1,), "(K + 1)", "(K + 1)"),
        ((K, L), "KL", "(KL)"),
        ((K, K), "KK", "(KK)"),
        ((2, K), "2K", "(2K)"),
        ((2, 3), "6", "6"),
    ],
    ids=str,
)
def test_the_number_of_taps_stands_in_brackets_where_it_is_raised_to_a_power(
    kernel: tuple[Any, ...], count: str, base: str
) -> None:
    (stage,) = relation_stages(Frame(LPPool(3, kernel, 1)), Frame(MaxPool(kernel, 1)))
    _, every, roots, squeeze = stage.steps
    assert every.statement.endswith(f" ≤ {count}·M^t")
    assert every.latex().endswith(rf" \leq {count.replace(' ', '')}\, M^{{t}}")
    assert roots.statement.endswith(f"] ≤ {base}^(1/t)·M")
    assert roots.latex().endswith(rf" \leq {base.replace(' ', '')}^{{1/t}}\, M")
    assert plain(squeeze.reason).startswith(f"{base}^(1/t) → 1, ")


def _constant(value: Any, place: Point) -> Any:
    return value


def test_relations_are_of_poolings_over_the_same_windows() -> None:
    lp = LPPool(2, (2,))
    for other in (MaxPool((2,), 1), AvgPool((3,), 2)):
        with pytest.raises(GeometryError, match=r"^operators must have the windows and the input size of the LP"):
            relation_stages(Frame(lp), Frame(other))
    with pytest.raises(GeometryError):
        relation_stages(Frame(lp, input_size=(4,)), Frame(MaxPool((2,)), input_size=(5,)))


MEAN, THIRD = AvgPool((2,)).output(), AvgPool((2,), divisor_override=3).output()


def test_absolute_values_are_read_as_what_is_in_them_and_nothing_else_is() -> None:
    absolute = LPPool(1, (2,)).output()
    double = absolute.with_body(product(const(2), absolute.body))
    halved = MEAN.with_body(product(const(2), MEAN.body))
    for left, right, status in [
        (absolute, halved, "proved"),
        (halved, absolute, "proved"),
        (double, halved, "refuted"),
        (halved, double, "refuted"),
        (MEAN, THIRD, "refuted"),
    ]:
        assert _under_condition(left, right).status == status


@pytest.mark.parametrize("side", ["lower", "upper"])
def test_a_bound_that_is_not_proved_leaves_the_limit_undecided(monkeypatch: pytest.MonkeyPatch, side: str) -> None:
    def bound(which: str) -> Verdict:
        return Verdict("undecided") if which == side else power_sum_bound(which)  # type: ignore[arg-type]

    monkeypatch.setattr(relations, "power_sum_bound", bound)
    (stage,) = relation_stages(Frame(LPPool(3, (2,))), Frame(MaxPool((2,))))
    assert [step.verdict.holds for step in stage.steps] == [side == "upper", side == "lower", False, False]


def test_a_limit_that_is_not_1_leaves_the_last_step_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sympy, "limit", lambda *_: 2)
    (stage,) = relation_stages(Frame(LPPool(3, (2,))), Frame(MaxPool((2,))))
    assert [step.verdict.holds for step in stage.steps] == [True, True, True, False]
    assert stage.steps[-1].verdict.explanation == "The limit of n**(1/p) was not found to be 1."


def test_both_bounds_are_on_record_where_roots_are_taken() -> None:
    (stage,) = relation_stages(Frame(LPPool(3, (2,))), Frame(MaxPool((2,))))
    lower, upper, roots, limit = ([o.name for o in step.verdict.obligations] for step in stage.steps)
    assert roots == limit == [*lower, *upper]
    assert lower
    assert upper
