"""Transposed, adaptive, patch and unpooling derivations: every step proved, and right by plain loops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import product
from random import Random
from typing import Any

import oracles
import pytest
from operators.loop_cases import random_tensor, squeezed, unit
from oracles import Tensor

from symconv.derivations import rules
from symconv.derivations.derive import derive
from symconv.derivations.step import Derivation, Step, plain
from symconv.formulas.algebra import Access, Node
from symconv.formulas.formula import Formula
from symconv.formulas.walks import transform
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.patches import Fold, Unfold
from symconv.operators.transposed import ConvTranspose
from symconv.operators.unpooling import MaxUnpool
from symconv.report.mathml import to_mathml

CASES: list[tuple[Any, tuple[int, ...]]] = [
    (ConvTranspose((3,)), (3,)),
    (ConvTranspose((3,), 2, 1, 1), (3,)),
    (ConvTranspose((3,), 2, ((2, 1),), 1, 2), (3,)),
    (ConvTranspose((2,), 3, ((-1, 0),), 2), (3,)),
    (ConvTranspose((3,), 2, 1, 0, 2, flip=True), (3,)),
    (ConvTranspose((2,), 3, "same_lower"), (3,)),
    (ConvTranspose((2, 3), (2, 1), ((0, 1), (1, 0)), (1, 0), (1, 2), bias=True), (3, 3)),
    (ConvTranspose((3,), 2, 1, 1, groups=2, in_channels=4, out_channels=2, bias=True), (3,)),
    (ConvTranspose((2,), 2, dilation=2, in_channels=2, out_channels=3), (3,)),
    (AdaptiveAvgPool((3,)), (7,)),
    (AdaptiveAvgPool((5,)), (3,)),
    (AdaptiveAvgPool((2, 3)), (5, 5)),
    (AdaptiveAvgPool((1, 1)), (3, 5)),
    (AdaptiveMaxPool((3,)), (7,)),
    (AdaptiveMaxPool((2,), "split"), (5,)),
    (AdaptiveMaxPool((1,)), (5,)),
    (Unfold((3,), 2, 1, 2), (7,)),
    (Unfold((2, 2), (1, 2), ((1, 0), (0, 1)), in_channels=2), (3, 3)),
    (Unfold((2,), 2, "same_upper"), (5,)),
    (Fold((7,), (3,), 2, 1, 2), (3,)),
    (Fold((2, 3), (2, 2), (1, 2), ((1, 0), (0, 0)), in_channels=2), (2, 1)),
    (MaxUnpool((2,)), (3,)),
    (MaxUnpool((3, 2), (2, 2), ((1, 1), (0, 0))), (3, 3)),
]

# of what reads values to decide, the general case is proved below: it implies these, and takes less time
LINEAR = [case for case in CASES if not isinstance(case[0], AdaptiveMaxPool | MaxUnpool)]


@dataclass
class World:
    """Tensors of an operator, and what plain loops make of them, in the layout of the formulas."""

    tensors: dict[str, Any]
    shape: tuple[int, ...]
    output: dict[tuple[int, ...], Any]
    vjp: Callable[[Tensor], dict[str, dict[tuple[int, ...], Any]]]
    cut: Callable[[Tensor], Tensor]
    spatial: tuple[int, ...]


def world(op: Any, sizes: tuple[int, ...]) -> World:
    rng = Random(5)
    if isinstance(op, ConvTranspose):
        return transposed_world(op, sizes, rng)
    if isinstance(op, AdaptiveAvgPool | AdaptiveMaxPool):
        x = random_tensor(rng, (1, 1, *sizes))
        wanted = op.outputs

        def back(g: Tensor) -> dict[str, dict[tuple[int, ...], Any]]:
            if isinstance(op, AdaptiveAvgPool):
                found = oracles.adaptive_avg_pool_vjp(g, x, wanted)
            else:
                found = oracles.adaptive_max_pool_vjp(g, x, wanted, ties=op.tie_policy())
            return {"input": squeezed(found, (0, 1)).values}

        forward = oracles.adaptive_avg_pool if isinstance(op, AdaptiveAvgPool) else oracles.adaptive_max_pool
        out = forward(x, wanted)
        out = out if isinstance(out, Tensor) else out[0]
        cut = plane
        return World({"a": plane(x).nested()}, (1, 1, *wanted), plane(out).values, back, cut, wanted)
    if isinstance(op, MaxUnpool):
        spatial = tuple(int(n) for n in op.output_size(sizes))
        x = random_tensor(rng, (1, 1, *sizes))
        most = spatial[0] * (spatial[1] if len(spatial) > 1 else 1)
        z = random_tensor(rng, (1, 1, *sizes)).map(lambda _: rng.randrange(most))
        out = oracles.max_unpool(x, z, spatial)
        return World(
            {"a": plane(x).nested(), "z": plane(z).nested()},
            (1, 1, *spatial),
            plane(out).values,
            lambda g: {"input": plane(oracles.max_unpool_vjp(g, z)).values},
            plane,
            spatial,
        )
    return patch_world(op, sizes, rng)


def plane(x: Tensor) -> Tensor:
    return squeezed(x, (0, 1))


def transposed_world(op: ConvTranspose, sizes: tuple[int, ...], rng: Random) -> World:
    x = random_tensor(rng, (1, op.in_channels, *sizes))
    weight = random_tensor(rng, (op.in_channels, op.out_channels // op.groups, *op.kernel_size))
    bias = random_tensor(rng, (op.out_channels,)) if op.bias else None
    padding: Any = list(op.padding) if not isinstance(op.padding, str) else [(0, 0)]
    extra: Any = op.output_padding
    if op.padding == "same_lower":  # a window of 2 and a stride of 3: nothing to cut off, one place to add
        extra = (1,)
    options = {
        "stride": op.stride,
        "padding": padding,
        "output_padding": extra,
        "dilation": op.dilation,
        "groups": op.groups,
        "flip": op.flip,
    }
    drops = {
        "input": [0] + [1] * (op.in_channels == 1),
        "output": [0] + [1] * (op.out_channels == 1),
        "weight": [0] * (op.in_channels == 1) + [1] * (op.out_channels == op.groups),
        "bias": [0] * (op.out_channels == 1),
    }

    def back(g: Tensor) -> dict[str, dict[tuple[int, ...], Any]]:
        found = oracles.conv_transpose_vjp(g, x, weight, **options)
        pairs = {"input": found.input, "weight": found.weight, "bias": found.bias}
        return {role: squeezed(value, drops[role]).values for role, value in pairs.items() if role in op.variables}

    out = oracles.conv_transpose(x, weight, bias, **options)
    tensors = {"a": squeezed(x, drops["input"]).nested(), "b": squeezed(weight, drops["weight"]).nested()}
    if bias is not None:
        tensors["d"] = squeezed(bias, drops["bias"]).nested()

    def cut(value: Tensor) -> Tensor:
        return squeezed(value, drops["output"])

    return World(tensors, out.shape, cut(out).values, back, cut, out.shape[2:])


def patch_world(op: Any, sizes: tuple[int, ...], rng: Random) -> World:
    """Patches with an index for every tap and place, where the oracles flatten both."""
    image = sizes if isinstance(op, Unfold) else op.image_size
    pads = [w.padding(n) for w, n in zip(op.windows, image, strict=True)]
    padding = [(int(before.value), int(after.value)) for before, after in pads]
    options = {"stride": op.stride, "padding": padding, "dilation": op.dilation}
    places = sizes if isinstance(op, Fold) else tuple(int(n) for n in op.output_size(sizes))
    channels, split = op.in_channels, (*op.kernel_size, *places)

    def laid_out(flat: Tensor) -> Tensor:
        return Tensor(
            (1, channels, *split),
            dict(zip(product(range(1), range(channels), *map(range, split)), flat.flat(), strict=True)),
        )

    def flattened(patches: Tensor) -> Tensor:
        taps = len(patches.values) // channels
        count = 1
        for n in places:
            count *= n
        shape = (1, channels * taps // count, count)
        return Tensor(shape, dict(zip(product(*map(range, shape)), patches.flat(), strict=True)))

    drops = (0, 1) if channels == 1 else (0,)

    def cut(value: Tensor) -> Tensor:
        return squeezed(value, drops)

    def unfolded(x: Tensor) -> Tensor:
        return laid_out(oracles.unfold(x, op.kernel_size, **options))

    def folded(patches: Tensor) -> Tensor:
        return oracles.fold(flattened(patches), image, op.kernel_size, **options)

    forward, back = (unfolded, folded) if isinstance(op, Unfold) else (folded, unfolded)
    x = random_tensor(rng, (1, channels, *(sizes if isinstance(op, Unfold) else split)))
    out = forward(x)
    spatial = places if isinstance(op, Unfold) else image
    return World(
        {"a": cut(x).nested()}, out.shape, cut(out).values, lambda g: {"input": cut(back(g)).values}, cut, spatial
    )


def ids(case: object) -> str:
    return repr(case) if not isinstance(case, tuple) else "x".join(map(str, case))


@cache
def worked(op: Any, base: int = 1) -> tuple[tuple[str, str, Derivation], ...]:
    pairs = [("output", "input"), *(("gradient", v) for v in op.variables)]
    return tuple((what, v, derive(op, what, v, index_base=base)) for what, v in pairs)  # type: ignore[arg-type]


# ---------------------------------------------------------------------- verdicts and print


@pytest.mark.parametrize(("op", "size"), LINEAR, ids=ids)
def test_every_step_is_proved_names_its_rule_and_prints(op: Any, size: tuple[int, ...]) -> None:
    """For all input sizes; the sizes of a `Fold` are given with it, so that there its steps are exact."""
    for what, wrt, derivation in worked(op):
        known = {definition.id for definition in derivation.definitions}
        for step in derivation.steps:
            due = ("exact", "proved") if isinstance(op, Fold) else ("proved",)
            assert step.verdict.status in due, (what, wrt, step.id, str(step.verdict))
            assert step.rule in rules.RULES, step.rule
            assert plain(step.reason).strip()
            for latex in (step.latex(), *(part.latex for part in step.reason if not isinstance(part, str))):
                assert to_mathml(latex).startswith("<math"), latex
            assert known >= set(step.uses), (step.id, step.uses, known)
            known.add(step.id)
        assert [step.id for step in derivation.steps] == [str(n) for n in range(1, len(derivation.steps) + 1)]
        for definition in derivation.definitions:
            for part in (*definition.object, *definition.entry, *definition.size):
                assert isinstance(part, str) or to_mathml(part.latex).startswith("<math")
        assert derivation.text().startswith(derivation.title)


@pytest.mark.parametrize(
    "op",
    [
        ConvTranspose((3, 3), flip=True).generic(),
        AdaptiveAvgPool((2, 2)).generic(),
        AdaptiveMaxPool((2,)).generic(),
        Unfold((2, 2), in_channels=3).generic(),
        Fold((4, 4), (2, 2)).generic(),
        MaxUnpool((2, 2)).generic(),
    ],
    ids=ids,
)
def test_every_step_is_proved_for_every_option(op: Any) -> None:
    for what, wrt, derivation in worked(op):
        for step in derivation.steps:
            assert step.verdict.status == "proved", (what, wrt, step.id, str(step.verdict))


@pytest.mark.parametrize(("op", "size"), CASES, ids=ids)
def test_a_derivative_is_the_first_stage_of_a_gradient(op: Any, size: tuple[int, ...]) -> None:
    for what, wrt, gradient in worked(op):
        if what == "gradient":
            assert derive(op, "derivative", wrt).stages == gradient.stages[:1]  # type: ignore[arg-type]


# ---------------------------------------------------------------------- values


def evaluated(step: Step, tensors: dict[str, Any], sizes: tuple[int, ...]) -> dict[tuple[int, ...], Any]:
    """All entries of what a step arrives at, indices from 0."""
    formula = step.after
    own = {tensor.name: tensors[tensor.name] for tensor in formula.tensors}
    values = formula.values(own, sizes if formula.sizes else None)
    return {tuple(i - formula.base for i in point): value for point, value in values.items()}


@pytest.mark.parametrize("base", [0, 1])
@pytest.mark.parametrize(("op", "size"), CASES, ids=ids)
def test_what_every_step_arrives_at_is_what_plain_loops_give(op: Any, size: tuple[int, ...], base: int) -> None:
    case = world(op, size)
    g = random_tensor(Random(9), case.shape)
    tensors = {**case.tensors, "g": case.cut(g).nested()}
    gradients = case.vjp(g)
    rows = {}
    for at, row in zip(case.cut(oracles.full(case.shape, 0)).values, oracles.full(case.shape, 0).values, strict=True):
        rows[at] = case.vjp(unit(case.shape, row))
    for _, wrt, derivation in worked(op, base):
        for step in derivation.steps:
            found, kind, name = evaluated(step, tensors, size), step.after.quantity.kind, step.after.quantity.of[0]
            if kind == "gradient":
                expected = gradients[wrt]
            elif kind == "derivative":
                expected = {(*at, *i): value for at, row in rows.items() for i, value in row[wrt].items()}
            elif name == "c":
                expected = case.output
            else:
                axis = int(name.partition("_")[2] or 1) - 1
                expected = counts(op, case, name, axis, size)
            assert found == expected, (wrt, step.id, step.statement)


def counts(op: Any, case: World, name: str, axis: int, size: tuple[int, ...]) -> dict[tuple[int, ...], int]:
    """What a size step counts: outputs, places of the window in an image, or the entries of adaptive windows."""
    if isinstance(op, AdaptiveAvgPool | AdaptiveMaxPool):
        return {(o,): len(w) for o, w in enumerate(oracles.adaptive_windows(size[axis], op.outputs[axis]))}
    return {(): size[axis] if name.startswith("N") else case.spatial[axis]}


# ---------------------------------------------------------------------- lines


def line(op: Any, rule: str, what: Any = "gradient", wrt: Any = "input") -> str:
    return next(step.statement for step in reversed(derive(op, what, wrt).steps) if step.rule == rule)


def test_the_lines_that_a_reader_looks_for() -> None:
    op = ConvTranspose((3,), 2, 1, 1)
    assert line(op, "sift_by_taps", "output") == "c[p] = ∑(m = 1 … 3) [2 ∣ p − m + 1] a[(p−m+3)/2]·b[m]"
    assert line(op, "recognise", "output") == "c[p] = (pad[1:2](up[2](A)) ⋆ rev(B))[p]"
    assert line(op, "recognise") == "∂E/∂a[i] = (pad[1](G) ⋆[stride 2] B)[i]"
    assert line(op, "recognise", wrt="weight") == "∂E/∂b[m] = (pad[1:0](G) ⋆[dilation 2] A)[m]"
    assert line(op, "span", "output") == "O = #{p : 0 ≤ p ≤ 2I} − 1"
    assert line(ConvTranspose((3,), bias=True), "recognise", "output") == "c[p] = (pad[2](A) ⋆ rev(B))[p] + d"
    assert line(AdaptiveAvgPool((3,)), "exchange") == (
        "∂E/∂a[i] = ∑(p = ⌊(3i − 3)/I⌋ + 1 … ⌈3i/I⌉) g[p]/(⌈Ip/3⌉ − ⌊I(p − 1)/3⌋)"
    )
    assert line(AdaptiveAvgPool((3,)), "overlap", "output") == "N[p] = #{i : ⌊I(p − 1)/3⌋ + 1 ≤ i ≤ ⌈Ip/3⌉}"
    assert line(Unfold((2,), 2), "recognise") == "∂E/∂a[i] = fold(G)[i]"
    assert line(Fold((6,), (2,), 2), "recognise") == "∂E/∂a[m, i] = unfold(G)[m, i]"
    assert line(MaxUnpool((2, 2)), "recognise") == "∂E/∂a[i, j] = vec(G)[z[i, j]]"


def _shifted(formula: Formula, letter: str) -> Formula:
    """The formula with every entry of a tensor read one place too far."""

    def change(node: Node) -> Node | None:
        if isinstance(node, Access) and node.tensor == letter:
            return Access(letter, (*node.index[:-1], node.index[-1] + 1))
        return None

    return formula.with_body(transform(formula.body, change))


@pytest.mark.parametrize(
    ("rule", "letter", "op", "what"),
    [
        ("sift_by_taps", "a", ConvTranspose((3,), 2), "output"),
        ("turn", "b", ConvTranspose((2,)), "output"),
        ("sift_by_taps", "a", Fold((3,), (2,)).generic(), "output"),
        ("restrict_to_touching_outputs", "g", Unfold((2,)), "gradient"),
        ("restrict_to_touching_outputs", "g", AdaptiveAvgPool((2,)), "gradient"),
        ("closed_form", "b", ConvTranspose((3,)), "gradient"),
    ],
)
def test_a_broken_rule_is_refuted_where_it_is_used(
    monkeypatch: pytest.MonkeyPatch, rule: str, letter: str, op: Any, what: Any
) -> None:
    law = getattr(rules, rule)
    monkeypatch.setattr(rules, rule, lambda *args, **options: _shifted(law(*args, **options), letter))
    found = [step.verdict.status for step in derive(op, what).steps if step.rule == rule]
    assert "refuted" in found


def test_letters_may_be_chosen() -> None:
    names = {"input": "x", "weight": "w", "output": "y", "upstream": "u", "input_index": "k"}
    text = derive(ConvTranspose((3,), 2), "gradient", names=names).text()
    assert "(U ⋆[stride 2] W)[k]" in text
    assert "fold(U)[k]" in derive(Unfold((2,)), "gradient", names=names).text()


def test_the_spread_input_is_larger_than_the_output_by_the_reach_of_the_kernel() -> None:
    lines = derive(ConvTranspose((3,), stride=2, padding=1, output_padding=1)).text().splitlines()
    assert [line.split("; ")[-1] for line in lines if line.startswith("  D3")] == ["O + 2)"]


def test_conditions_that_always_hold_are_not_printed() -> None:
    lines = derive(ConvTranspose((3,), 2)).text().splitlines()
    assert "For I ≥ 1." in lines
