"""Both sides of a theorem, built from operators: layers put after one another, kernels and inputs put in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from symconv.derivations.step import Maths
from symconv.formulas.algebra import (
    Access,
    Bound,
    Guard,
    Node,
    Power,
    Scalar,
    const,
    equal,
    product,
    substitute,
    summation,
    transform,
)
from symconv.formulas.calculus import differentiate
from symconv.formulas.formula import Formula, Quantity, Tensor
from symconv.formulas.index import Index, IndexLike
from symconv.formulas.symbols import SymbolTable, symbol
from symconv.operators.base import Operator, Variable
from symconv.operators.frame import numbered
from symconv.operators.letters import Letters

__all__ = [
    "M",
    "V",
    "after",
    "box",
    "each_axis",
    "fixed",
    "image",
    "options",
    "reciprocal",
    "scalar_formula",
    "shifted",
    "spelled",
    "unsifted",
    "with_entries",
]

V = Index.of
M = Maths


def options(letters: str, ndim: int) -> list[tuple[Any, ...]]:
    """SymPy symbols for options of an operator: for every letter a tuple with one symbol an axis.

    A padding is a symbol that may be 0, all others are at least 1.
    """
    return [
        tuple(
            symbol(name, **{"nonnegative" if letter in "PA" else "positive": True}) for name in numbered(letter, ndim)
        )
        for letter in letters
    ]


def each_axis(letters: str, ndim: int) -> list[tuple[Index, ...]]:
    """Index expressions for sizes: for every axis one for every letter."""
    return [tuple(V(numbered(letter, ndim)[axis]) for letter in letters) for axis in range(ndim)]


def fixed(letter: str, value: int, ndim: int) -> tuple[Guard, ...]:
    """The condition that a size has a value on every axis."""
    return tuple(equal(name, value) for name in numbered(letter, ndim))


def spelled(formula: Formula) -> Formula:
    """The formula with its definitions, such as the output size, put in."""
    for name, value in reversed(formula.definitions):
        formula = formula.subs({name: value})
    return formula


def image(formula: Formula, **sizes: IndexLike) -> Formula:
    """A right-hand side: sizes put in, definitions too, and no hypotheses of its own.

    So a theorem rests on what its left-hand side assumes, and on nothing else; its sizes are those of the left-hand
    side, such as O where that is the size of an output there.
    """
    table = SymbolTable(real=formula.table.real)
    return replace(spelled(formula).subs(dict(sizes)), sizes=(), lower=(), facts=(), table=table)


def box(*extents: IndexLike) -> tuple[tuple[Index, Index], ...]:
    """The box of a tensor whose indices count from 0."""
    return tuple((V(0), V(extent) - 1) for extent in extents)


def with_entries(
    formula: Formula, tensor: str, places: Sequence[str], value: Node, tensors: Sequence[Tensor] = ()
) -> Formula:
    """The formula with every entry of a tensor replaced by a value in its place, such as an upsampled kernel.

    Args:
        formula: a formula that reads the tensor.
        tensor: its letter.
        places: the names of its indices in `value`.
        value: the entry at these places; zero outside the tensor's box by its own guards.
        tensors: what `value` reads.
    """

    def change(node: Node) -> Node | None:
        if isinstance(node, Access) and node.tensor == tensor:
            return substitute(value, dict(zip(places, node.index, strict=True)))
        return None

    others = tuple(t for t in formula.tensors if t.name != tensor)
    return replace(formula, body=transform(formula.body, change), tensors=(*others, *tensors))


def after(outer: Formula, inner: Formula, *, guarded: bool = True) -> Formula:
    """The formula of two layers: the input of the outer one is the output of the inner one, zero outside its range.

    Args:
        outer: the second layer; its input sizes are put in.
        inner: the first layer.
        guarded: whether to write out that the outer one reads zeros outside; not needed where it never does.
    """
    first, second = spelled(inner), spelled(outer)
    extents = {name: bound.upper + 1 for name, bound in zip(second.sizes, first.free, strict=True)}
    second = second.subs(extents)
    guards = tuple(guard for bound in first.free for guard in bound.guards()) if guarded else ()
    value = summation(first.body, guards=guards)
    joined = with_entries(second, "a", first.indices, value, first.tensors)
    lower = dict(first.lower) | dict(second.lower)
    return replace(
        joined,
        sizes=first.sizes,
        lower=tuple(sorted(lower.items())),
        facts=tuple(dict.fromkeys((*first.facts, *second.facts))),
    )


def shifted(formula: Formula, tensor: str, *steps: int) -> Formula:
    """The formula with every access to a tensor moved: what an index slip makes of it."""

    def change(node: Node) -> Node | None:
        if isinstance(node, Access) and node.tensor == tensor:
            return Access(tensor, tuple(e + step for e, step in zip(node.index, steps, strict=True)))
        return None

    return formula.with_body(transform(formula.body, change))


def unsifted(op: Operator, wrt: Variable, kind: Literal["derivative", "gradient"]) -> Formula:
    """A derivative or gradient by the rules of differentiation alone: brackets, nothing sifted or closed."""
    closed = op.derivative(wrt) if kind == "derivative" else op.gradient(wrt)
    frame = op.geometry(Letters())
    variable, outputs = op.axes(wrt, frame, primed=wrt == "bias"), op.axes("output", frame)
    letter = {"input": frame.letters.input, "weight": frame.letters.weight, "bias": frame.letters.bias}[wrt]
    body = differentiate(op.body(frame), letter, tuple(axis.index for axis in variable), op.tie_policy())
    if kind == "gradient":
        upstream = Access(frame.letters.upstream, tuple(axis.index for axis in outputs))
        body = summation(product(upstream, body), *(axis.bound for axis in outputs))
    return closed.with_body(body)


def scalar_formula(formula: Formula, body: Node, free: Sequence[Bound] = (), tensors: Sequence[Tensor] = ()) -> Formula:
    """A sum over the entries of tensors, such as an inner product, under the hypotheses of a formula."""
    quantity = Quantity("entry", ("s", tuple(bound.name for bound in free)))
    return replace(formula, quantity=quantity, free=tuple(free), body=body, tensors=(*formula.tensors, *tensors))


def reciprocal(value: Index) -> Node:
    """One over an index expression."""
    return Power(Scalar(value), const(-1))
