"""Propositions built from operators: a layer's formula gives sizes, suppositions, arrays and the named output."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from symconv.derivations.theorems.proposition import (
    AnyInteger,
    AnyTensor,
    Clause,
    Condition,
    Let,
    Partial,
    Proposition,
    Relation,
    chain,
    same,
)
from symconv.derivations.theorems.theorem import Check
from symconv.formulas.algebra import (
    Access,
    Bound,
    Guard,
    Node,
    Power,
    Scalar,
    const,
    equal,
    nonnegative,
    product,
    scalar,
    summation,
)
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index, IndexLike
from symconv.formulas.order import pieces_of, sides
from symconv.formulas.substitution import substitute
from symconv.formulas.symbols import symbol
from symconv.formulas.walks import transform
from symconv.operators.convolution import Conv
from symconv.operators.frame import numbered

__all__ = [
    "AXES",
    "V",
    "at",
    "axes_of",
    "bounded",
    "each_axis",
    "error",
    "every",
    "gradient",
    "image",
    "integers",
    "layer",
    "let_of",
    "names_of",
    "options",
    "place",
    "reciprocal",
    "same_extents",
    "setting",
    "spelled",
    "spread",
    "suppose",
    "with_access",
]

V = Index.of
AXES = ((1, "one axis"), (2, "two axes"))


def options(letters: str, ndim: int) -> list[tuple[Any, ...]]:
    """SymPy symbols for options of an operator: for every letter a tuple with one symbol an axis.

    A padding is a symbol that may be 0, all others are at least 1.
    """
    return [
        tuple(
            symbol(name, **{"nonnegative" if letter in "PQA" else "positive": True}) for name in numbered(letter, ndim)
        )
        for letter in letters
    ]


def each_axis(letters: str, ndim: int) -> list[tuple[Index, ...]]:
    """Index expressions for sizes: for every axis one for every letter."""
    return [tuple(V(numbered(letter, ndim)[axis]) for letter in letters) for axis in range(ndim)]


def layer(ndim: int, *, flip: bool = False) -> Conv:
    """The general convolution layer: all sizes symbolic, of their own on every axis."""
    op: Conv = Conv((3,) * ndim, flip=flip).generic()
    return op


def axes_of(state: Callable[[int], Proposition], ndims: Sequence[int] = (1, 2), **proof: Any) -> tuple[Check, ...]:
    """The same statement for one axis and for two."""
    chosen = [(ndim, words) for ndim, words in AXES if ndim in ndims]
    return tuple(
        Check(words, state(ndim), again=position > 0, **proof) for position, (ndim, words) in enumerate(chosen)
    )


# ---------------------------------------------------------------------- formulas


def spelled(formula: Formula) -> Formula:
    """The formula with its definitions, such as the output size, put in."""
    for name, value in reversed(formula.definitions):
        formula = formula.subs({name: value})
    return formula


def image(formula: Formula, sizes: Mapping[str, IndexLike], places: Sequence[str] = ()) -> Formula:
    """A formula with its definitions and other sizes put in, its free indices under other names."""
    changed = spelled(formula).subs(dict(sizes))
    if not places:
        return changed
    env = dict(zip(changed.indices, places, strict=True))
    free = tuple(Bound(env[b.name], b.lower, b.upper) for b in changed.free)
    return replace(changed, free=free, body=substitute(changed.body, env))


def with_access(node: Node, tensor: str, change: Callable[[tuple[Index, ...]], tuple[Index, ...]]) -> Node:
    """The tree with every access to a tensor at another place: what an index slip makes of it."""
    return transform(
        node, lambda n: Access(tensor, change(n.index)) if isinstance(n, Access) and n.tensor == tensor else None
    )


def reciprocal(value: Index) -> Node:
    """One over an index expression."""
    return Power(Scalar(value), const(-1))


# ---------------------------------------------------------------------- propositions


def at(name: str, *index: IndexLike) -> Access:
    """An entry of an array."""
    return Access(name, tuple(V(e) for e in index))


def place(formula: Formula) -> tuple[Index, ...]:
    """The free indices of a formula, as a place in its array."""
    return tuple(V(name) for name in formula.indices)


def names_of(role: str, count: int, ndim: int) -> tuple[str, ...]:
    """The names of the indices of a tensor: channels first, then one an axis."""
    channels = {"input": "h", "weight": "fh", "bias": "f"}.get(role, "")[: count - ndim if role != "bias" else 1]
    family = {"input": "ijk", "weight": "mno", "bias": ""}.get(role, "pqr")
    return (*channels, *family[: count - len(channels)])


def setting(*formulas: Formula, order: str = "IKSPD", defined: Iterable[str] = ()) -> Proposition:
    """What formulas take for granted: sizes with their least values, that windows fit, and the arrays that they read.

    Args:
        formulas: the formulas of layers.
        order: the letters of the sizes, in the order in which a search goes through them.
        defined: arrays that are no arrays of their own, but named by a `Let`.
    """
    own = dict(pair for formula in formulas for pair in formula.definitions)
    least = {name: low for formula in formulas for name, low in formula.lower if name not in own}
    facts = dict.fromkeys(fact for formula in formulas for fact in formula.facts)
    tensors = {t.name: (t, len(f.sizes)) for f in formulas for t in f.tensors if t.name not in set(defined)}
    arrays = tuple(
        AnyTensor(
            name, tuple(Bound(n, *ends) for n, ends in zip(names_of(t.role, len(t.box), ndim), t.box, strict=True))
        )
        for name, (t, ndim) in tensors.items()
    )
    return Proposition(
        integers(least, order),
        (),
        tuple(suppose(nonnegative(fact)) for fact in facts),
        tuple(Let(name, (), scalar(value)) for name, value in own.items()),
        (),
        arrays,
    )


def integers(least: Mapping[str, int], order: str = "IKSPD") -> tuple[AnyInteger, ...]:
    """Sizes with their least values, in the order of their letters."""

    def key(name: str) -> tuple[int, str]:
        letter = name[:1]
        return order.index(letter) if letter in order else len(order), name

    return tuple(AnyInteger(name, V(least[name])) for name in sorted(least, key=key))


def suppose(guard: Guard) -> Relation:
    """A guard as a relation, with nothing negative on either side where that can be done."""
    sign = "=" if guard.kind == "eq" else ">="
    small, large = sides(-guard.expr)
    splits = [(*sides(guard.expr), sign), _apart(guard.expr, sign), (small, large, "=" if sign == "=" else "<=")]
    left, right, shown = next((split for split in splits if _is_plain(split[0]) and _is_plain(split[1])), splits[0])
    return chain(left, shown, right)


def _apart(expr: Index, sign: str) -> tuple[Index, Index, str]:
    """``left >= right`` for ``expr >= 0``, with what has no positive part to go with on the right."""
    positive = {atom for key, value in expr.terms.items() if value > 0 for atom in key}
    right = Index({key: -value for key, value in expr.terms.items() if value < 0 and not set(key) & positive})
    return expr + right, right, sign


def _is_plain(expr: Index) -> bool:
    return not any(piece.negative for piece in pieces_of(expr, {})) and bool(expr.terms)


def let_of(formula: Formula, name: str = "", *, ranged: bool = False) -> Let:
    """The array that a formula gives.

    Args:
        formula: the formula.
        name: the letter of the array, if not that of the formula.
        ranged: whether it is zero outside its range; else the formula stands for all integers.
    """
    of, _ = formula.quantity.of
    return Let(name or of, formula.indices, formula.body, formula.free if ranged else ())


def bounded(bounds: Iterable[Bound]) -> tuple[AnyInteger, ...]:
    """Free indices as what is quantified over."""
    return tuple(AnyInteger(b.name, b.lower, b.upper) for b in bounds)


def every(bounds: Iterable[Bound | AnyInteger], *then: Condition, given: Iterable[Condition] = ()) -> Clause:
    """For all values of the indices, under the conditions given: all of `then`."""
    ranges = tuple(b if isinstance(b, AnyInteger) else AnyInteger(b.name, b.lower, b.upper) for b in bounds)
    return Clause(ranges, then, tuple(given))


def error(formula: Formula, output: str = "c", upstream: str = "g") -> tuple[AnyTensor, Let]:
    """The upstream gradient of a layer, and the error ``E = sum of g c`` that it stands for."""
    entries = place(formula)
    body = summation(product(Access(upstream, entries), Access(output, entries)), *formula.free)
    return AnyTensor(upstream, formula.free), Let("E", (), body)


def gradient(array: AnyTensor) -> Partial:
    """The derivative of the error by an entry of an array."""
    return Partial(Access("E", ()), Access(array.name, tuple(V(b.name) for b in array.ranges)))


def spread(name: str, of: str, sizes: Sequence[Index], steps: Sequence[Index], move: int = 0) -> Let:
    """An array with zeros between the entries of another: entry s of `of` stands at place `steps` times s."""
    sources, places = "stu"[: len(sizes)], "xvw"[: len(sizes)]
    bounds = [Bound(s, V(0), n - 1) for s, n in zip(sources, sizes, strict=True)]
    guards = [equal(x, step * V(s) + move) for x, s, step in zip(places, sources, steps, strict=True)]
    ends = [Bound(x, V(0), step * (n - 1)) for x, n, step in zip(places, sizes, steps, strict=True)]
    return Let(name, tuple(places), summation(at(of, *sources), *bounds, guards=guards), tuple(ends))


def same_extents(left: Formula, right: Formula) -> list[Clause]:
    """That two formulas have as many places on every axis, where that is not already one and the same expression."""
    pairs = [(one.upper + 1, two.upper + 1) for one, two in zip(spelled(left).free, spelled(right).free, strict=True)]
    differing = [same(one, two) for one, two in pairs if one != two]
    return [every((), *differing)] if differing else []
