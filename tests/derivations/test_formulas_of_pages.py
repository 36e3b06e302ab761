"""The formulas of every step of chosen derivations, before it and after it, worked out at a small size by loops.

A page prints whole arrays, numbers of places and derivatives by their names; here it is what stands under the names.
"""

from __future__ import annotations

import math
from itertools import pairwise, product
from random import Random
from typing import Any

import oracles
from derivations.test_written_pages import operator, pages
from readback.arrays import Array
from readback.chosen import Chosen
from readback.layers import Case, Layer, case_of

from symconv.derivations.derive import derive
from symconv.derivations.step import Step
from symconv.formulas.formula import Formula

Point = tuple[int, ...]


def nested(array: Array) -> Any:
    def rows(at: Point) -> Any:
        if len(at) == len(array.shape):
            return array.entries[at]
        return [rows((*at, place + array.base)) for place in range(array.shape[len(at)])]

    return rows(())


def sizes_of(page: Chosen) -> list[Point]:
    """The given size; else the smallest, and one that is not the same on all axes."""
    layer = page.layer
    if layer.kind == "fold":
        return [tuple(map(oracles.output_size, layer.output, layer.axes()))]
    if page.size is not None:
        return [page.size]
    allowed = [sizes for sizes in product(range(1, 7), repeat=layer.ndim) if layer.accepts(sizes)]
    return [allowed[0], next(sizes for sizes in allowed[1:] if min(sizes) > 1 and sum(sizes) % 2)]


def expected(case: Case, formula: Formula, page: Chosen) -> dict[Point, Any]:
    """What a formula is of, by plain loops: a gradient, a derivative, an output, or a number of outputs or entries."""
    kind, name, arrays = formula.quantity.kind, formula.quantity.of[0], case.arrays
    if kind in ("gradient", "derivative"):
        variable = arrays[{"input": "a", "weight": "b", "bias": "d"}[page.wrt]]
        slopes = case.derivatives[page.wrt]
        if kind == "derivative":
            return {(*o, *at): slopes.get((o, at), 0) for o in case.terms for at in variable.places()}
        found: dict[Point, Any] = dict.fromkeys(variable.places(), 0)
        for (o, at), slope in slopes.items():
            found[at] += arrays["g"].at(o) * slope
        return found
    if name == "c":
        return {o: arrays["c"].at(o) for o in case.terms}
    axis = int(name.partition("_")[2] or 1) - 1
    if page.layer.kind.startswith("adaptive"):
        rows = oracles.adaptive_windows(case.sizes[axis], page.layer.output[axis])
        return {(o + page.layer.base,): len(row) for o, row in enumerate(rows)}
    return {(): case.sizes[axis] if name.startswith("N") else case.output[axis]}


def check_formulas(page: Chosen) -> None:
    what: Any = page.what
    layer: Layer = page.layer
    derivation = derive(operator(layer), what, page.wrt, index_base=layer.base, input_size=page.size)  # type: ignore[arg-type]
    steps = derivation.steps
    for sizes in sizes_of(page):
        check_values(steps, case_of(layer, sizes, Random(5)), page)
    for before, step in pairwise(steps):
        if not step.opens:  # a chain goes on where the last line ended
            assert step.before == before.after or step.shown is not None, step.statement


def check_values(steps: tuple[Step, ...], case: Case, page: Chosen) -> None:
    for formula in [formula for step in steps for formula in (step.before, step.after)]:
        own = {tensor.name: nested(case.arrays[tensor.name]) for tensor in formula.tensors}
        found, due = formula.values(own, case.sizes if formula.sizes else None), expected(case, formula, page)
        assert found.keys() == due.keys()
        for at, value in found.items():
            same = value == due[at] or math.isclose(value, due[at], rel_tol=1e-12, abs_tol=1e-13)
            assert same, (formula.text(), at, case.sizes)


@pages("adaptive")
def test_adaptive_poolings(page: Chosen) -> None:
    check_formulas(page)


@pages("transposed")
def test_transposed_convolutions_and_unpoolings(page: Chosen) -> None:
    check_formulas(page)


@pages("patches")
def test_patches(page: Chosen) -> None:
    check_formulas(page)


@pages("convolutions")
def test_convolutions(page: Chosen) -> None:
    check_formulas(page)


@pages("pools")
def test_poolings_and_morphology(page: Chosen) -> None:
    check_formulas(page)
