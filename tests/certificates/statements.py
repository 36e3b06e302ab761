"""Statements for certificates, and what symconv says of them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Literal

import symconv as sc
from symconv.derivations.theorems.building import options
from symconv.derivations.theorems.theorem import all_of
from symconv.formulas.algebra import (
    Absolute,
    Access,
    Applied,
    Bound,
    Guard,
    Node,
    Power,
    Reduce,
    Scalar,
    Share,
    add,
    const,
    divides,
    equal,
    nonnegative,
    product,
    summation,
)
from symconv.formulas.functions import TANH
from symconv.formulas.index import Index, ceiling, floor, maximum, minimum
from symconv.proofs.goals import prove_equivalent, prove_goal
from symconv.proofs.prove import prove_statement
from symconv.proofs.statement import Statement

V = Index.of
N, S, D = V("n"), V("s"), V("d")


def total(name: str, low: Index | int, high: Index | int, body: Node, *guards: Guard) -> Node:
    """A sum over one index."""
    return summation(body, Bound(name, V(low), V(high)), guards=guards)


def x(*index: Index | str | int) -> Access:
    """An entry of x."""
    return Access("x", tuple(V(e) for e in index))


def y(*index: Index | str | int) -> Access:
    """An entry of y."""
    return Access("y", tuple(V(e) for e in index))


BOX = ((V(0), N - 1),)


def about(left: Node, right: Node, *given: Guard, free: tuple[Bound, ...] = ()) -> Statement:
    """A statement on x and y, which lie in 0 .. n - 1."""
    return Statement.of(left, right, free, {"x": BOX, "y": BOX}, (nonnegative(N), *given))


I_FREE = (Bound("i", V(0), N - 1),)
HERE = equal("k", "i")

TRUE = {
    "moved": about(total("k", 0, N - 1, x(V("k"))), total("k", 1, N, x(V("k") - 1))),
    "turned": about(total("k", 0, N - 1, x("k")), total("k", 0, N - 1, x(N - 1 - V("k")))),
    "zero outside": about(total("k", -3, N + 5, x("k")), total("k", 0, N - 1, x("k"))),
    "sifted": about(total("k", 0, N - 1, product(x("k"), y("k")), HERE), product(x("i"), y("i")), free=I_FREE),
    "swapped": about(
        total("k", 0, N - 1, total("m", 0, N - 1, product(x("k"), y("m")))),
        product(total("k", 0, N - 1, y("k")), total("m", 0, N - 1, x("m"))),
    ),
    "multiples": about(
        total("k", 0, N - 1, x("k"), divides("s", "k")),
        total("k", 0, floor(N - 1, S), x(S * "k")),
        nonnegative(S - 1),
    ),
    "rounded up": about(
        total("k", 0, N - 1, x("k"), nonnegative(S * V("k") - 3)),
        total("k", ceiling(V(3), S), N - 1, x("k")),
        nonnegative(S - 1),
    ),
    "solved": about(total("k", 0, N - 1, x(S * "k")), total("k", 0, N - 1, x("k")), equal("s", 1)),
    "extremes": about(
        total("k", maximum(0, S), minimum(N - 1, D), x("k")),
        total("k", 0, N - 1, x("k"), nonnegative(V("k") - S), nonnegative(D - "k")),
    ),
}

LARGE = Reduce("max", (Bound("k", V(0), N - 1),), (), x("k"))
TURNED = Reduce("max", (Bound("m", V(1), N),), (nonnegative(N - "m"),), x(N - V("m")))
K, M, U = V("k"), V("m"), V("u")


def largest(body: Node, *taps: tuple[str, int], guards: tuple[Guard, ...] = ()) -> Reduce:
    """A maximum over taps, each from 0 on."""
    return Reduce("max", tuple(Bound(name, V(0), V(last)) for name, last in taps), guards, body)


def at_once(last: int) -> Node:
    """A maximum over three taps, in another order."""
    window = (("u", last), ("k", 4), ("m", 1))
    return largest(x(K + 2 * M - 3 + U), *window, guards=(nonnegative(S - K), nonnegative(D - K - M - 3 + U)))


NESTED = largest(
    largest(largest(x(K + 2 * M - U), ("u", 3), guards=(nonnegative(D - K - M - U),)), ("m", 1)),
    ("k", 4),
    guards=(nonnegative(S - K),),
)
NORM = Power(total("k", 0, N - 1, Power(Absolute(x("k")), const(2))), const(Fraction(1, 2)))
MOVED_NORM = Power(total("m", 1, N, Power(Absolute(x(V("m") - 1)), const(2))), const(Fraction(1, 2)))


def share(
    policy: Literal["first", "split"], at: Index | int, *, moved: int | None = None, turned: bool = False
) -> Share:
    """The share of a tap of the window of x[i] and the two entries behind it, its taps from `moved` on, or turned."""
    first = 0 if moved is None else moved
    tap = 2 - V("k") if turned else V("k") - first
    window = Reduce("max", (Bound("k", V(first), V(first + 2)),), (), x(V("i") + tap))
    return Share(policy, window, (V(at),))


TURNED_SHARES = about(share("split", 0), share("split", 2, turned=True), free=I_FREE)
TRUE |= {
    f"shares, {policy}": about(share(policy, 1), share(policy, 3, moved=2), free=I_FREE)
    for policy in ("first", "split")
}
TRUE |= {
    "shares in a sum": about(
        total("k", 0, 2, product(x("k"), share("first", V("k")))),
        total("m", 2, 4, product(share("first", V("m"), moved=2), x(V("m") - 2))),
        free=I_FREE,
    ),
    "a function": about(total("k", 0, N - 1, Applied(TANH, x("k"))), total("k", 1, N, Applied(TANH, x(V("k") - 1)))),
    "two terms": about(
        total("k", 0, N - 1, add(x("k"), product(const(-3), y("k")))),
        add(product(const(-3), total("k", 0, N - 1, y(N - 1 - V("k")))), total("k", 1, N, x(V("k") - 1))),
    ),
    "multiplied out": about(
        product(add(x("i"), y("i")), add(x("i"), product(const(-1), y("i")))),
        add(product(x("i"), x("i")), product(const(-1), y("i"), y("i"))),
        free=I_FREE,
    ),
    "no point": about(add(total("k", 0, N - 1, x("k"), nonnegative(V("k") - N)), x("i")), x("i"), free=I_FREE),
    "counted": about(product(Scalar(N), x("i")), total("k", 0, N - 1, x("i")), free=I_FREE),
    "mean": about(
        product(Power(Scalar(S), const(-1)), total("k", 0, N - 1, x("k"))),
        total("k", 1, N, product(x(N - V("k")), Power(Scalar(S), const(-1)))),
        nonnegative(S - 1),
    ),
    "maxima": about(LARGE, TURNED),
    "a maximum in a sum": about(
        total("k", 0, N - 1, product(LARGE, y("k"))), total("k", 1, N, product(y(V("k") - 1), TURNED))
    ),
    "norms": about(NORM, MOVED_NORM),
    "maxima of maxima, some over nothing": about(NESTED, at_once(3)),
}

FALSE = {
    "the share of the next tap": about(share("first", 1), share("first", 2), free=I_FREE),
    "an equal share of the next tap": about(share("split", 1), share("split", 2, moved=2), free=I_FREE),
    "a function of the next entry": about(Applied(TANH, x("i")), Applied(TANH, x(V("i") + 1)), free=I_FREE),
    "another coefficient": about(
        add(x("i"), product(Scalar(S), y("i"))), add(product(Scalar(S + 1), x("i")), y("i")), free=I_FREE
    ),
    "a window that is shorter": about(LARGE, Reduce("max", (Bound("k", V(0), N - 2),), (), x("k")), nonnegative(N - 2)),
    "maxima of maxima that are shorter": about(NESTED, at_once(2), nonnegative(N - 8)),
    "a norm that starts later": about(NORM, Power(total("k", 1, N - 1, NORM.base.body), const(Fraction(1, 2)))),
    "one tap fewer": about(total("k", 0, N - 1, x("k")), total("k", 1, N - 1, x(V("k") - 1))),
    "one step off": about(total("k", 0, N - 1, x("k")), total("k", 1, N, x("k"))),
    "another entry": about(product(x("i"), y("i")), product(y("s"), x("i")), free=I_FREE),
    "without a condition": about(total("k", 0, N - 1, x("k"), nonnegative(S - "k")), total("k", 0, N - 1, x("k"))),
    "rounded down": about(
        total("k", 0, N - 1, x("k"), nonnegative(S * V("k") - 3)),
        total("k", floor(V(3), S), N - 1, x("k")),
        nonnegative(S - 1),
    ),
}


def _layers() -> Iterator[tuple[str, sc.Verdict]]:
    layer = sc.Conv(3, ndim=1).generic()
    k, s, p, d = (axis[0] for axis in options("KSPD", 1))
    dilated = sc.Conv((k,), s, p, d)
    yield "gradient", sc.prove(layer.gradient("input"), layer.gradient("input", index_base=1))
    pool = sc.AvgPool((k,), s).generic()
    yield "average", sc.prove(pool.output(), pool.output(index_base=1))
    yield "output", sc.prove(dilated.output(), dilated.output(index_base=1))


def _arithmetic() -> Iterator[tuple[str, sc.Verdict]]:
    given = [nonnegative(N), nonnegative(S - 1)]
    yield "floor", prove_goal(given, [nonnegative(N - S * floor(N, S)), nonnegative(S - 1 - N + S * floor(N, S))])
    yield "ceil", prove_equivalent(given, [nonnegative(S * V("q") - N)], [nonnegative(V("q") - ceiling(N, S))])
    yield "divides", prove_goal([*given, divides(S, N)], [divides(S, 3 * N), equal(S * floor(N, S), N)])
    yield "both", all_of((prove_goal(given, [nonnegative(2 * N)]), prove_statement(TRUE["moved"])))
    yield "nothing", prove_goal(given, [nonnegative(V(0))])


def proved() -> list[tuple[str, sc.Verdict]]:
    """Names and verdicts of statements that hold."""
    return [
        *((name, prove_statement(statement)) for name, statement in TRUE.items()),
        *_layers(),
        *_arithmetic(),
    ]
