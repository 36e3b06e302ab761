"""Formulas of convolutions written by hand, to be proved equal to what the operators derive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symconv.formulas.algebra import Access, Bound, Guard, Node, equal, product, summation
from symconv.formulas.calculus import differentiate
from symconv.formulas.effort import Effort
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.operators.letters import Letters
from symconv.proofs.context import Trace
from symconv.proofs.prove import bijection_proof
from symconv.proofs.refutation import Search
from symconv.proofs.statement import Statement

V = Index.of
TURNED = ("u", "v")
OUTPUT = ("p", "q")


def sized(letter: str, axis: int, ndim: int) -> Index:
    """The size of one axis: K for one axis, K_1, K_2 for two."""
    return V(letter if ndim == 1 else f"{letter}_{axis + 1}")


def fixed(letter: str, value: int, ndim: int) -> list[Guard]:
    """The condition that a size has a value on every axis."""
    return [equal(sized(letter, axis, ndim), value) for axis in range(ndim)]


def unsifted(op: Any, wrt: str, kind: str) -> tuple[Formula, Formula]:
    """A derivative or gradient as differentiation leaves it, brackets and all, and the closed form of the operator."""
    closed: Formula = op.derivative(wrt) if kind == "derivative" else op.gradient(wrt)
    frame = op.geometry(Letters())
    outputs = op.axes("output", frame)
    variable = op.axes(wrt, frame)
    letter = {"input": "a", "weight": "b"}[wrt]
    body = differentiate(op.body(frame), letter, tuple(axis.index for axis in variable), op.tie_policy())
    if kind == "gradient":
        upstream = Access("g", tuple(axis.index for axis in outputs))
        body = summation(product(upstream, body), *(axis.bound for axis in outputs))
    return closed.with_body(body), closed


def full_correlation(
    gradient: Formula,
    *,
    rotated: bool = True,
    transposed: bool = False,
    shift: int = 0,
    upsampled: bool = False,
) -> Formula:
    """The upstream gradient, padded, correlated with the kernel; every option but the defaults makes it wrong.

    With `upsampled` the gradient has S - 1 zeros between its entries, which makes it right for every stride.
    """
    ndim = len(gradient.free)
    at: list[Index] = []
    kernel: list[Index] = []
    bounds: list[Bound] = []
    guards: list[Guard] = []
    for axis, (name, u, p) in enumerate(zip(gradient.indices, TURNED, OUTPUT, strict=False)):
        K, S, P, D, O = (sized(letter, axis, ndim) for letter in "KSPDO")  # noqa: E741
        place = V(name) + D * V(u) - (D * (K - 1) - P) + shift
        kernel.append(K - 1 - V(u) if rotated else V(u))
        bounds.append(Bound(u, V(0), K - 1))
        if upsampled:
            bounds.append(Bound(p, V(0), O - 1))
            guards.append(equal(place, S * V(p)))
            place = V(p)
        at.append(place)
    entry = Access("b", tuple(reversed(kernel) if transposed else kernel))
    return gradient.with_body(summation(product(Access("g", tuple(at)), entry), *bounds, guards=guards))


def statement(
    left: Node,
    right: Node,
    free: Sequence[Bound],
    hypotheses: Sequence[Guard],
    **boxes: Index,
) -> Statement:
    """A statement about tensors with one index, which counts from 0 to below the extent given."""
    return Statement.of(left, right, free, {name: ((V(0), extent - 1),) for name, extent in boxes.items()}, hypotheses)


def engine_proves(claim: Statement) -> bool:
    """Whether the bijection engine proves a statement when no search for a counterexample stands before it."""
    search = Search(claim)
    search.instance = {"assumed": 1}
    return bijection_proof(claim, Trace(), Effort(), search)[1] is None
