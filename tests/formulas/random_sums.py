"""Random guarded sums of products of accesses, for the tests of the calculus."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from symconv.formulas.algebra import (
    Access,
    Bound,
    Bracket,
    Guard,
    Node,
    Plus,
    Scalar,
    add,
    const,
    divides,
    equal,
    nonnegative,
    product,
    summation,
)
from symconv.formulas.index import Index

FREE = (Bound("i", Index.of(-1), Index.of(4)),)
BOXES = {
    "x": ((Index.of(-1), Index.of(4)),),
    "w": ((Index.of(0), Index.of(2)),),
    "z": ((Index.of(0), Index.of(2)), (Index.of(-1), Index.of(1))),
}
BOUND_NAMES = ("m", "n", "p")

coefficients = st.sampled_from([0, 0, 0, 1, 1, -1, 2, -2, 3])


def affine(names: tuple[str, ...]) -> st.SearchStrategy[Index]:
    return st.builds(
        lambda values, shift: sum((c * Index.of(n) for c, n in zip(values, names, strict=True)), Index.of(shift)),
        st.tuples(*[coefficients] * len(names)),
        st.integers(-3, 3),
    )


def guards(names: tuple[str, ...]) -> st.SearchStrategy[Guard]:
    form = affine(names)
    return st.one_of(
        form.map(lambda f: equal(f, 0)),
        form.map(lambda f: equal(f, "i")),
        form.map(nonnegative),
        st.builds(lambda f, d: divides(d, f), form, st.integers(1, 3)),
    )


def factors(names: tuple[str, ...]) -> st.SearchStrategy[Node]:
    form = affine(names)
    return st.one_of(
        form.map(lambda f: Access("x", (f,))),
        form.map(lambda f: Access("w", (f,))),
        st.builds(lambda f, g: Access("z", (f, g)), form, form),
        form.map(Scalar),
        guards(names).map(lambda g: Bracket((g,))),
        st.fractions(-2, 2, max_denominator=3).map(const),
    )


@st.composite
def sums(draw: st.DrawFn, scope: tuple[str, ...] = ("i",), depth: int = 2) -> Node:
    """A sum over one to three indices; its body is a product, a sum of products, or holds another sum.

    Inner sums may bind a name again that an outer one, or the free index, has bound.
    """
    own = draw(st.lists(st.sampled_from((*BOUND_NAMES, "i")), min_size=1, max_size=3 if depth == 2 else 1, unique=True))
    inside = tuple(dict.fromkeys((*scope, *own)))
    bounds = []
    for name in own:
        low = draw(st.integers(-2, 1))
        high = Index.of(low + draw(st.integers(-1, 3)))
        outer = [n for n in scope if n not in own]
        if outer and draw(st.integers(0, 3)) == 0:
            high = high + draw(st.sampled_from([1, -1])) * Index.of(draw(st.sampled_from(outer)))
        bounds.append(Bound(name, Index.of(low), high))
    body: Node = product(*draw(st.lists(factors(inside), min_size=1, max_size=2)))
    if depth > 1 and draw(st.booleans()):
        body = product(body, draw(sums(inside, depth - 1)))
    if draw(st.integers(0, 3)) == 0:
        body = Plus((body, product(*draw(st.lists(factors(inside), min_size=1, max_size=2)))))
    node = summation(body, *bounds, guards=draw(st.lists(guards(inside), max_size=2)))
    if depth == 2 and draw(st.integers(0, 2)) == 0:
        more = product(const(Fraction(1, 2)), draw(st.one_of(factors(scope), sums(scope, 1))))
        return draw(st.sampled_from([add(node, more), product(node, more)]))
    return node
