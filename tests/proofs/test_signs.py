"""Signs of values: what is said of them is true by plain arithmetic at small sizes, from either kind of place."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from random import Random
from typing import Any

import pytest

from symconv.formulas.algebra import (
    ONE,
    Absolute,
    Access,
    Bound,
    Bracket,
    Constant,
    Multiply,
    Node,
    Plus,
    Power,
    Reduce,
    Scalar,
    Sign,
    between,
    const,
    nonnegative,
)
from symconv.formulas.index import Index
from symconv.proofs.context import Context, Trace
from symconv.proofs.needs import Member, Need, Valued
from symconv.proofs.signs import has_member, is_met, is_nonnegative, is_nonzero, is_positive
from symconv.proofs.smt import Solver

N, K, P, M = (Index.of(name) for name in "IKPm")
GIVEN = (nonnegative(N - 1), nonnegative(K - 2), nonnegative(P), nonnegative(N - P - 1))
A = Access("a", (N,))
SIZES = [{"I": i, "K": k, "P": p} for i, k, p in product(range(1, 5), range(2, 5), range(4)) if i - p >= 1]


def place() -> Context:
    box = {"a": ((Index.of(1), N),)}
    return Context(GIVEN, box, frozenset(), ("I", "K", "P"), Solver(), Trace())


def window(op: Any, low: Index, high: Index, body: Node, *guards: Any) -> Reduce:
    return Reduce(op, (Bound("m", low, high),), tuple(guards), body)


KNOWN = [  # a value, and whether it is known to be >= 0, > 0, other than 0
    (Constant(Fraction(1, 2)), True, True, True),
    (const(-1), False, False, True),
    (Scalar(N), True, True, True),
    (Scalar(P), True, False, False),
    (Scalar(-N), False, False, True),
    (Scalar(N - K), False, False, False),
    (Scalar(P - N), False, False, True),
    (A, False, False, False),
    (Absolute(A), True, False, False),
    (Absolute(Scalar(P - N)), True, True, True),
    (Multiply((A, A)), True, False, False),
    (Multiply((A, A, A)), False, False, False),
    (Multiply((Scalar(P - N), Scalar(P - N))), True, True, True),
    (Multiply((const(-1), Scalar(N))), False, False, True),
    (Plus((Multiply((A, A)), ONE)), True, True, True),
    (Plus((A, ONE)), False, False, False),
    (Power(A, const(2)), True, False, False),
    (Power(Scalar(N), const(-1)), True, True, True),
    (Power(Scalar(N), Constant(Fraction(1, 2))), True, True, True),
    (Sign(Scalar(N)), True, True, True),
    (Sign(Scalar(P - N)), False, False, True),
    (Bracket((nonnegative(N - P),)), True, True, True),
    (Bracket((nonnegative(N - K),)), True, False, False),
    (window("sum", Index.of(1), K, ONE), True, True, True),
    (window("sum", Index.of(1), P, ONE), True, False, False),
    (window("sum", Index.of(1), K, ONE, *between(1, M - P + 1, N)), True, False, False),
    (window("sum", Index.of(0), K, ONE, *between(0, M + P, N)), True, True, True),
    (window("max", Index.of(1), K, Absolute(A)), True, False, False),
    (window("max", Index.of(1), P, Absolute(A)), False, False, False),
    (window("min", Index.of(1), K, Scalar(M)), True, True, True),
    (window("max", Index.of(1), P, Scalar(M)), False, False, False),
]


@pytest.mark.parametrize("known", KNOWN)
def test_what_is_known_of_the_sign_of_a_value(known: tuple[Node, bool, bool, bool]) -> None:
    node, *due = known
    assert [ask(node, place()) for ask in (is_nonnegative, is_positive, is_nonzero)] == due


def test_a_bound_index_is_not_the_letter_outside() -> None:
    free = Context([nonnegative(M)], {"a": ()}, frozenset(), ("m",), Solver(), Trace())
    assert is_nonnegative(Scalar(M), free)
    assert not is_nonnegative(window("sum", Index.of(-3), Index.of(3), Scalar(M)), free)


def test_a_window_has_a_point_where_one_is_found() -> None:
    both = (Bound("m", Index.of(1), K), Bound("n", M, M + N - 1))
    assert has_member(both, (), place())
    assert has_member(both, between(K, Index.of("n"), K), place())
    assert not has_member(both, between(N + K, Index.of("n"), N + K), place())


def test_a_need_is_met_by_the_same_rules() -> None:
    solver = Solver()
    taps = Member((Bound("m", Index.of(0), K),), between(0, M + P, N))
    assert is_met(Need((), taps), GIVEN, frozenset(), solver)
    root = Valued(window("sum", Index.of(1), P, Multiply((A, A))), Constant(Fraction(1, 2)))
    assert is_met(Need((), root), GIVEN, frozenset(), solver)
    assert not is_met(Need((), Valued(A, Constant(Fraction(1, 2)))), GIVEN, frozenset(), solver)
    # along a path that is never taken everything is met
    assert is_met(Need((nonnegative(-N),), Valued(A, const(-1))), GIVEN, frozenset(), solver)


def value(node: Node, env: dict[str, int]) -> Fraction | None:
    """The value of a tree of sizes, None where it has none."""
    if isinstance(node, Constant):
        return node.value
    if isinstance(node, Scalar):
        return Fraction(int(node.index.evaluate(env)))
    if isinstance(node, Absolute | Sign):
        arg = value(node.arg, env)
        return None if arg is None else abs(arg) if isinstance(node, Absolute) else Fraction((arg > 0) - (arg < 0))
    if isinstance(node, Plus | Multiply):
        parts = [value(arg, env) for arg in node.args]
        total = Fraction(isinstance(node, Multiply))
        for part in parts:
            if part is None:
                return None
            total = total + part if isinstance(node, Plus) else total * part
        return total
    if isinstance(node, Power):
        base = value(node.base, env)
        assert isinstance(node.exponent, Constant)
        exponent = node.exponent.value
        return None if base is None or (base == 0 and exponent <= 0) else base**exponent.numerator
    assert isinstance(node, Reduce)
    (bound,) = node.bounds
    places = range(int(bound.lower.evaluate(env)), int(bound.upper.evaluate(env)) + 1)
    taps = [value(node.body, {**env, bound.name: m}) for m in places]
    if None in taps or (node.op != "sum" and not taps):
        return None
    return {"sum": sum, "max": max, "min": min}[node.op](taps) if taps else Fraction(0)  # type: ignore[operator, return-value]


def tree(random: Random, depth: int) -> Node:
    kind = random.randrange(8 if depth else 2)
    if kind == 0:
        return const(random.randint(-2, 2))
    if kind == 1:
        names = [random.choice([N, K, P]) for _ in range(2)]
        return Scalar(random.choice([-1, 1]) * names[0] + random.choice([-1, 0, 1]) * names[1] + random.randint(-2, 2))
    if kind in (2, 3):
        args = [tree(random, depth - 1) for _ in range(2)]
        return (Plus if kind == 2 else Multiply)((*args, random.choice(args)))
    if kind == 4:
        return Power(tree(random, depth - 1), const(random.choice([-2, -1, 2, 3])))
    if kind in (5, 6):
        return (Absolute if kind == 5 else Sign)(tree(random, depth - 1))
    low, high = random.choice([(Index.of(1), K), (Index.of(1), P), (-P, N), (K, N)])
    body: Node = Scalar(random.choice([1, -1]) * M) if random.random() < 0.5 else tree(random, depth - 1)
    return window(random.choice(["sum", "max", "min"]), low, high, body)


def test_no_sign_is_wrong() -> None:
    random = Random(71)
    said = 0
    for _ in range(250):
        node = tree(random, 3)
        answers = [ask(node, place()) for ask in (is_nonnegative, is_positive, is_nonzero)]
        said += sum(answers)
        found = [v for v in (value(node, env) for env in SIZES) if v is not None]
        for answer, holds in zip(answers, (lambda v: v >= 0, lambda v: v > 0, lambda v: v != 0), strict=True):
            assert not answer or all(map(holds, found)), node
    assert said > 100
