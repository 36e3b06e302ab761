"""Random true and mutated identities of windowed sums, and an evaluator of their own to judge verdicts by.

A case starts from a law that holds (an output, a gradient in one of its forms, two terms, a maximum, ...), writes its
right side with other bound indices, and then, in most cases, changes one thing: an offset, the end of a range, a
coefficient, an index, a guard. Whether the result still holds is not known beforehand: plain loops at many sizes tell.

``python tests/proofs/fuzz.py 50000`` runs that many cases and prints the table.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product as every
from typing import Any

from symconv.formulas.algebra import (
    ONE,
    Absolute,
    Access,
    Bound,
    Bracket,
    Constant,
    Guard,
    Multiply,
    Node,
    Plus,
    Power,
    Reduce,
    Scalar,
    Share,
    Sign,
    add,
    between,
    const,
    divides,
    equal,
    nonnegative,
    product,
    summation,
)
from symconv.formulas.effort import Effort
from symconv.formulas.index import Index, floor, maximum, minimum, quotient
from symconv.formulas.substitution import substitute
from symconv.formulas.walks import transform, walk
from symconv.proofs.context import Trace
from symconv.proofs.prove import bijection_proof, prove_statement
from symconv.proofs.refutation import Search
from symconv.proofs.statement import Statement
from symconv.proofs.verdict import Verdict

V = Index.of


# --- the judge: plain loops, which share nothing with the engine ------------------------------------------------------


def truth(guard: Guard, env: Mapping[str, int]) -> bool:
    value = guard.expr.evaluate(env)
    if guard.kind == "div":
        assert guard.divisor is not None
        return bool(value % guard.divisor.evaluate(env) == 0)
    return bool(value >= 0 if guard.kind == "ge" else value == 0)


def loop(bounds: Sequence[Bound], guards: Sequence[Guard], env: dict[str, int]) -> Iterator[dict[str, int]]:
    """The points of a sum, by nested loops."""
    if not bounds:
        if all(truth(guard, env) for guard in guards):
            yield env
        return
    first = bounds[0]
    for value in range(first.lower.evaluate(env), first.upper.evaluate(env) + 1):
        yield from loop(bounds[1:], guards, {**env, first.name: value})


def value_of(node: Node, env: dict[str, int], tensors: Mapping[str, Any], boxes: Mapping[str, Any]) -> Any:
    """The value of a tree; a float only for the minus infinity of an empty maximum."""

    def get(n: Node, here: dict[str, int] = env) -> Any:
        return value_of(n, here, tensors, boxes)

    if isinstance(node, Constant):
        return node.value
    if isinstance(node, Scalar):
        return Fraction(node.index.evaluate(env))
    if isinstance(node, Access):
        index = tuple(e.evaluate(env) for e in node.index)
        box = [(low.evaluate(env), high.evaluate(env)) for low, high in boxes[node.tensor]]
        inside = all(low <= i <= high for i, (low, high) in zip(index, box, strict=True))
        return tensors[node.tensor](index) if inside else Fraction(0)
    if isinstance(node, Bracket):
        return Fraction(all(truth(guard, env) for guard in node.guards))
    if isinstance(node, Plus):
        return sum((get(arg) for arg in node.args), Fraction(0))
    if isinstance(node, Multiply):
        total = Fraction(1)
        for arg in node.args:
            total = total * get(arg)
            if total == 0:
                return Fraction(0)  # what follows may be a quotient that has a meaning only where this is not zero
        return total
    if isinstance(node, Reduce):
        values = [get(node.body, here) for here in loop(node.bounds, node.guards, env)]
        return sum(values, Fraction(0)) if node.op == "sum" else max(values, default=float("-inf"))
    if isinstance(node, Absolute):
        return abs(get(node.arg))
    if isinstance(node, Sign):
        value = get(node.arg)
        return Fraction((value > 0) - (value < 0))
    if isinstance(node, Power):
        base, exponent = get(node.base), get(node.exponent)
        return base ** int(exponent) if base else Fraction(int(exponent == 0))
    assert isinstance(node, Share)
    assert node.policy == "first"
    names = [bound.name for bound in node.reduce.bounds]
    taps = {
        tuple(p[n] for n in names): get(node.reduce.body, p) for p in loop(node.reduce.bounds, node.reduce.guards, env)
    }
    here = tuple(e.evaluate(env) for e in node.at)
    if here not in taps:
        return Fraction(0)
    return Fraction(here == min(key for key in taps if taps[key] == max(taps.values())))


def random_tensors(statement: Statement, rng: random.Random, small: bool) -> dict[str, Any]:
    """Tensors with random entries; small ones have many ties and zeros, the others many digits."""
    entries: dict[tuple[str, tuple[int, ...]], Fraction] = {}

    def read(name: str) -> Any:
        def at(index: tuple[int, ...]) -> Fraction:
            if (name, index) not in entries:
                entries[name, index] = Fraction(rng.randint(-1, 1) if small else rng.randint(-(10**6), 10**6))
            return entries[name, index]

        return at

    return {name: read(name) for name in statement.boxes}


def differ_at(statement: Statement, env: dict[str, int], rng: random.Random, rounds: int) -> bool:
    """Whether random tensors tell the two sides apart at one size (linear sums: one round misses nearly nothing)."""
    for name, other in zip(statement.free, statement.other_free, strict=True):
        if [e.evaluate(env) for e in (name.lower, name.upper)] != [e.evaluate(env) for e in (other.lower, other.upper)]:
            return True
    for round_ in range(rounds):
        tensors = random_tensors(statement, rng, small=round_ % 2 == 1)
        for here in loop(statement.free, statement.on_indices, env):
            sides = [value_of(side, dict(here), tensors, statement.boxes) for side in (statement.left, statement.right)]
            if sides[0] != sides[1]:
                return True
    return False


def sizes_to_try(statement: Statement, rng: random.Random, count: int) -> list[dict[str, int]]:
    """Random sizes that the hypotheses allow, small ones and some larger ones."""
    found: list[dict[str, int]] = []
    flat = "I" in statement.parameters
    for attempt in range(60 * count):
        top = 2 + attempt % (4 if flat else 2)
        tops = {"I": 2 + 2 * top if flat else 2 + top, "P": rng.choice([0, 1, top])}
        env = {n: rng.randint(0 if n[0] == "P" else 1, tops.get(n[0], top)) for n in statement.parameters}
        for name, value in statement.definitions:
            env[name] = value.evaluate(env)
        if (
            all(truth(g, env) for g in statement.hypotheses if not g.names & set(statement.indices))
            and env not in found
        ):
            found.append(env)
        if len(found) == count:
            break
    return found


# --- the laws ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Axis:
    """One axis of a convolution: its letters, and its options, symbolic or not."""

    i: str
    m: str
    p: str
    u: str
    I: Index  # noqa: E741
    K: Index
    S: Index
    P: Index
    D: Index
    O: str  # noqa: E741

    @property
    def read(self) -> Index:
        return self.S * V(self.p) + self.D * V(self.m) - self.P

    @property
    def room(self) -> Index:
        return self.I + 2 * self.P - self.D * (self.K - 1) - 1


@dataclass(frozen=True)
class Case:
    kind: str
    statement: Statement
    mutation: str


def make_axes(rng: random.Random) -> tuple[Axis, ...]:
    """One or two axes; every option is symbolic or a small number."""
    count = 1 if rng.random() < 0.6 else 2
    all_symbolic = rng.random() < 0.4
    axes = []
    for axis, letters in enumerate(("impu", "jnqv")[:count]):
        tail = "" if count == 1 else f"_{axis + 1}"

        def option(letter: str, low: int, high: int, tail: str = tail) -> Index:
            return V(letter + tail) if all_symbolic or rng.random() < 0.5 else V(rng.randint(low, high))

        axes.append(
            Axis(
                *letters,
                V("I" + tail),
                option("K", 1, 3),
                option("S", 1, 3),
                option("P", 0, 2),
                option("D", 1, 3),
                "O" + tail,
            )
        )
    return tuple(axes)


def conv(axes: Sequence[Axis], kernel: str = "b") -> Node:
    body = product(Access("a", tuple(x.read for x in axes)), Access(kernel, tuple(V(x.m) for x in axes)))
    return summation(body, *(Bound(x.m, V(0), x.K - 1) for x in axes))


def upstream(axes: Sequence[Axis]) -> Access:
    return Access("g", tuple(V(x.p) for x in axes))


def over_outputs(axes: Sequence[Axis], body: Node, guards: Sequence[Guard] = ()) -> Node:
    return summation(body, *(Bound(x.p, V(0), V(x.O) - 1) for x in axes), guards=guards)


def kernel_entry(axes: Sequence[Axis], turned: bool = False) -> Access:
    return Access("b", tuple(x.K - 1 - V(x.u) if turned else V(x.m) for x in axes))


Law = Callable[[random.Random, tuple[Axis, ...]], tuple[Node, list[Node], str]]


def law_output(rng: random.Random, axes: tuple[Axis, ...]) -> tuple[Node, list[Node], str]:
    return conv(axes), [conv(axes)], "p"


def law_derivative(rng: random.Random, axes: tuple[Axis, ...]) -> tuple[Node, list[Node], str]:
    reads = [equal(x.read, x.i) for x in axes]
    left = summation(kernel_entry(axes), *(Bound(x.m, V(0), x.K - 1) for x in axes), guards=reads)
    tops = [V(x.i) + x.P - x.S * V(x.p) for x in axes]
    closed = Access("b", tuple(quotient(t, x.D, "exact") for t, x in zip(tops, axes, strict=True)))
    guards = [divides(x.D, t) for t, x in zip(tops, axes, strict=True)]
    return left, [summation(closed, guards=guards), left], "pi"


def law_gradient(rng: random.Random, axes: tuple[Axis, ...]) -> tuple[Node, list[Node], str]:
    reads = [equal(x.read, x.i) for x in axes]
    taps = [Bound(x.m, V(0), x.K - 1) for x in axes]
    left = over_outputs(axes, product(upstream(axes), summation(kernel_entry(axes), *taps, guards=reads)))
    over_p = over_outputs(
        axes,
        product(upstream(axes), Access("b", tuple(quotient(V(x.i) + x.P - x.S * V(x.p), x.D, "exact") for x in axes))),
        [divides(x.D, V(x.i) + x.P - x.S * V(x.p)) for x in axes],
    )
    tops = [V(x.i) + x.P - x.D * V(x.m) for x in axes]
    over_m = summation(
        product(
            Access("g", tuple(quotient(t, x.S, "exact") for t, x in zip(tops, axes, strict=True))), kernel_entry(axes)
        ),
        *taps,
        guards=[divides(x.S, t) for t, x in zip(tops, axes, strict=True)],
    )
    turned = [Bound(x.u, V(0), x.K - 1) for x in axes]
    place = [equal(V(x.i) + x.D * V(x.u) - (x.D * (x.K - 1) - x.P), x.S * V(x.p)) for x in axes]
    upsampled = summation(over_outputs(axes, product(upstream(axes), kernel_entry(axes, True)), place), *turned)
    return left, [over_p, over_m, upsampled, left], "i"


def law_weight(rng: random.Random, axes: tuple[Axis, ...]) -> tuple[Node, list[Node], str]:
    left = over_outputs(axes, product(upstream(axes), Access("a", tuple(x.read for x in axes))))
    padded = summation(
        product(upstream(axes), Access("a", tuple(V(x.u) + x.D * V(x.m) - x.P for x in axes))),
        *(Bound(x.u, V(0), x.S * (V(x.O) - 1)) for x in axes),
        *(Bound(x.p, V(0), V(x.O) - 1) for x in axes),
        guards=[equal(x.u, x.S * V(x.p)) for x in axes],
    )
    return left, [left, padded], "m"


def law_adjoint(rng: random.Random, axes: tuple[Axis, ...]) -> tuple[Node, list[Node], str]:
    left = over_outputs(axes, product(upstream(axes), conv(axes)))
    _, gradients, _ = law_gradient(rng, axes)
    whole = Access("a", tuple(V(x.i) for x in axes))
    right = [summation(product(g, whole), *(Bound(x.i, V(0), x.I - 1) for x in axes)) for g in gradients]
    return left, right, ""


def law_terms(rng: random.Random, axes: tuple[Axis, ...]) -> tuple[Node, list[Node], str]:
    one, two = conv(axes), conv(axes, "w")
    bias = Access("d", (V(0),))
    size = Scalar(axes[0].K) if axes[0].K.value is None else const(2)
    choices = [
        (add(one, two), add(two, one)),
        (add(product(const(2), one), bias), add(one, bias, one)),
        (add(one, product(const(3), two)), add(two, one, product(const(2), two))),
        (add(product(size, one), bias), add(bias, product(one, size))),
        (add(one, product(const(-1), one), two), two),
        (
            product(const(Fraction(1, 2)), add(one, two)),
            add(product(const(Fraction(1, 2)), two), product(const(Fraction(1, 2)), one)),
        ),
        (add(bias, summation(bias, Bound(axes[0].m, V(1), axes[0].K))), product(Scalar(axes[0].K + 1), bias)),
        (product(one, one), product(one, one)),
    ]
    left, right = rng.choice(choices)
    return left, [right], "p"


def law_maximum(rng: random.Random, axes: tuple[Axis, ...]) -> tuple[Node, list[Node], str]:
    inside = [g for x in axes for g in between(0, x.read, x.I - 1)]
    taps = tuple(Bound(x.m, V(0), x.K - 1) for x in axes)
    entry = Access("a", tuple(x.read for x in axes))
    largest = Reduce("max", taps, tuple(inside), entry)
    norm = Power(summation(Power(Absolute(entry), const(2)), *taps), const(1))
    norm = Power(norm, const(3))
    share = Share("first", largest, tuple(V(x.u) for x in axes))
    gradient = over_outputs(
        axes,
        product(
            upstream(axes),
            summation(
                product(share, ONE),
                *(Bound(x.u, V(0), x.K - 1) for x in axes),
                guards=[equal(x.S * V(x.p) + x.D * V(x.u) - x.P, x.i) for x in axes],
            ),
        ),
    )
    slopes = summation(product(Sign(entry), Absolute(entry)), *taps)
    pick = rng.choice(["max", "max", "norm", "share", "sign"])
    node = {"max": largest, "norm": norm, "share": gradient, "sign": slopes}[pick]
    return node, [node], "i" if pick == "share" else "p"


def law_average(rng: random.Random, axes: tuple[Axis, ...]) -> tuple[Node, list[Node], str]:
    """Averages over the taps inside the input, and over all taps."""
    taps = [Bound(x.m, V(0), x.K - 1) for x in axes]
    inside = [g for x in axes for g in between(0, x.read, x.I - 1)]
    size = V(1)
    for x in axes:
        size = size * x.K
    divisor = rng.choice(
        [Power(summation(ONE, *taps, guards=inside), const(-1)), Power(Scalar(size), const(-1))]
        if size.value is None
        else [Power(summation(ONE, *taps, guards=inside), const(-1)), const(Fraction(1, size.value))]
    )
    entry = Access("a", tuple(x.read for x in axes))
    whole = product(divisor, summation(entry, *taps))
    return whole, [whole, summation(product(entry, divisor), *taps)], "p"


def law_padding(rng: random.Random, axes: tuple[Axis, ...]) -> tuple[Node, list[Node], str]:
    """Convolutions that read the input again where it ends: index maps with floors, minima and maxima."""
    how = rng.choice(["replicate", "circular", "reflect"])
    read = []
    for x in axes:
        if how == "replicate":
            read.append(minimum(maximum(x.read, 0), x.I - 1))
        elif how == "circular":
            read.append(x.read - x.I * floor(x.read, x.I))
        else:
            once = maximum(x.read, -x.read)
            read.append(x.I - 1 - maximum(x.I - 1 - once, once - (x.I - 1)))
    body = product(Access("a", tuple(read)), kernel_entry(axes))
    node = summation(body, *(Bound(x.m, V(0), x.K - 1) for x in axes))
    return node, [node], "p"


def law_two_layers(rng: random.Random, axes: tuple[Axis, ...]) -> tuple[Node, list[Node], str]:
    """Two strided layers without padding are one, with kernel b * up(w)."""
    x = axes[0]
    p, m, u = V(x.p), V(x.m), V(x.u)
    left = summation(
        product(Access("w", (u,)), Access("a", (x.S * (x.D * p + u) + m,)), Access("b", (m,))),
        Bound(x.u, V(0), x.K - 1),
        Bound(x.m, V(0), x.K - 1),
    )
    right = summation(
        product(Access("a", (x.S * x.D * p + V("t"),)), Access("b", (m,)), Access("w", (u,))),
        Bound("t", V(0), (x.K - 1) * (x.S + 1)),
        Bound(x.m, V(0), x.K - 1),
        Bound(x.u, V(0), x.K - 1),
        guards=[equal("t", x.S * u + m)],
    )
    return left, [right], "p"


def law_written(rng: random.Random, axes: tuple[Axis, ...]) -> tuple[Node, list[Node], str]:
    """A window of a few taps, and its taps one by one, all of them or those of one axis."""
    counts = [rng.randint(1, 4 if len(axes) == 1 else 2) for _ in axes]
    guards = [g for x in axes for g in between(0, x.read, x.I - 1) if rng.random() < 0.5]
    factors: list[Node] = [Access("a", tuple(x.read for x in axes))]
    if rng.random() < 0.4:
        factors.append(Scalar(V(axes[0].m) + rng.randint(0, 2)))
    if rng.random() < 0.3:
        factors.append(Power(Access("g", tuple(V(x.p) for x in axes)), const(rng.choice([2, -1]))))
    if rng.random() < 0.3:
        factors.append(Access("a", tuple(floor(x.read, 2) for x in axes)))
    bounds = [Bound(x.m, V(0), V(count - 1)) for x, count in zip(axes, counts, strict=True)]
    whole = summation(product(*factors), *bounds, guards=guards)

    def written(some: int) -> Node:
        terms = []
        for taps in every(*(range(count) for count in counts[:some])):
            env = {x.m: V(tap) for x, tap in zip(axes, taps, strict=False)}
            entry = product(*(substitute(factor, env) for factor in factors))
            terms.append(summation(entry, *bounds[some:], guards=[guard.subs(env) for guard in guards]))
        return add(*terms)

    return whole, [written(some) for some in range(1, len(axes) + 1)], "p"


def law_nested(rng: random.Random, axes: tuple[Axis, ...]) -> tuple[Node, list[Node], str]:
    """A maximum over a box of taps, and maxima of maxima, with guards that may leave inner windows empty."""
    first = axes[0]
    here: tuple[Index, ...]
    if len(axes) == 1:
        bounds = [Bound(first.m, V(0), first.K - 1), Bound(first.u, V(0), V(rng.randint(0, 2)))]
        here = (first.read + V(first.u),)
    else:
        bounds = [Bound(x.m, V(0), x.K - 1) for x in axes]
        here = tuple(x.read for x in axes)
    guards = [g for x, place in zip(axes, here, strict=True) for g in between(0, place, x.I - 1)]
    guards = [g for g in guards if rng.random() < 0.7]
    entry = Access("a", here)
    body: Node = Absolute(entry) if rng.random() < 0.3 else entry
    outer, inner = bounds if rng.random() < 0.5 else bounds[::-1]
    early = tuple(g for g in guards if inner.name not in g.names)
    nested = Reduce("max", (outer,), early, Reduce("max", (inner,), tuple(g for g in guards if g not in early), body))
    return Reduce("max", tuple(bounds), tuple(guards), body), [nested], "p"


LAWS: dict[str, Law] = {
    "output": law_output,
    "derivative": law_derivative,
    "gradient": law_gradient,
    "weight": law_weight,
    "adjoint": law_adjoint,
    "terms": law_terms,
    "maximum": law_maximum,
    "average": law_average,
    "padding": law_padding,
    "two layers": law_two_layers,
    "written": law_written,
    "nested": law_nested,
}


# --- other bound indices, and mutations -------------------------------------------------------------------------------


def reparametrise(node: Node, rng: random.Random, order_matters: bool) -> Node:
    """The same sums over moved or turned indices, in another order, with part of a range written as a guard."""

    def change(n: Node) -> Node | None:
        if isinstance(n, Share):
            return moved_taps(n, rng.choice([0, 1, -2]), rng.random() < 0.1)
        if not isinstance(n, Reduce):
            return None
        body, bounds, guards = reparametrise(n.body, rng, order_matters), list(n.bounds), list(n.guards)
        for position, bound in enumerate(bounds):
            how = rng.choice(["same", "move", "turn", "guard"])
            if order_matters or any(bound.name in (b.lower.names | b.upper.names) for b in bounds):
                how = "same"
            if how == "move":
                by = rng.choice([1, 2, -1])
                env = {bound.name: V(bound.name) - by}
                bounds[position] = Bound(bound.name, bound.lower + by, bound.upper + by)
            elif how == "turn":
                env = {bound.name: bound.lower + bound.upper - V(bound.name)}
            elif how == "guard":
                env = {}
                bounds[position] = Bound(bound.name, bound.lower - 1, bound.upper + 2)
                guards += bound.guards()
            else:
                env = {}
            body = substitute(body, env)
            guards = [g.subs(env) for g in guards]
        if not order_matters:
            rng.shuffle(bounds)
        return Reduce(n.op, tuple(bounds), tuple(guards), body)

    return transform(node, change)


def moved_taps(share: Share, by: int, turn: bool) -> Share:
    """A share with its taps counted from elsewhere; turning them round is wrong where maxima are equal."""
    window = share.reduce
    env = {b.name: b.lower + b.upper - V(b.name) if turn else V(b.name) - by for b in window.bounds}
    at = tuple(b.lower + b.upper - e if turn else e + by for b, e in zip(window.bounds, share.at, strict=True))
    bounds = tuple(b if turn else Bound(b.name, b.lower + by, b.upper + by) for b in window.bounds)
    guards = tuple(g.subs(env) for g in window.guards)
    return Share(share.policy, Reduce("max", bounds, guards, substitute(window.body, env)), at)


MUTATIONS = ("offset", "range", "coefficient", "index", "guard", "factor", "scale")


def mutate(node: Node, rng: random.Random, kind: str) -> Node:
    """The tree with one thing changed; the same tree where there is nothing of that kind."""
    wanted: Any = {"offset": Access, "index": Access, "range": Reduce, "guard": Reduce, "scale": Access}.get(kind)
    places = [n for n in walk(node) if wanted is None or isinstance(n, wanted)]
    if kind == "guard":
        # a divisibility guard stays: without it an exact quotient would mean nothing
        places = [n for n in places if isinstance(n, Reduce) and any(g.kind != "div" for g in n.guards)]
    if kind == "coefficient":
        return product(const(rng.choice([2, -1])), node)
    if kind == "factor" and isinstance(node, Reduce | Plus):
        return add(node, Access("d", (V(0),)))
    if not places or wanted is None:
        return node
    chosen = rng.randrange(len(places))
    seen = [-1]

    def change(n: Node) -> Node | None:
        if not any(n is place for place in places):
            return None
        seen[0] += 1
        if seen[0] != chosen:
            return None
        if isinstance(n, Access):
            at = rng.randrange(len(n.index))
            index = list(n.index)
            names = sorted(index[at].names)
            if kind == "offset":
                index[at] = index[at] + rng.choice([1, -1])
            elif kind == "index" and len(index) > 1:
                index[0], index[1] = index[1], index[0]
            elif names:
                index[at] = index[at] + V(rng.choice(names)) * rng.choice([1, -1])
            return Access(n.tensor, tuple(index))
        assert isinstance(n, Reduce)
        if kind == "guard":
            guards = list(n.guards)
            gone = rng.choice([k for k, g in enumerate(guards) if g.kind != "div"])
            if rng.random() < 0.5:
                del guards[gone]
            else:
                guards[gone] = replace(guards[gone], expr=guards[gone].expr + rng.choice([1, -1]))
            return replace(n, guards=tuple(guards))
        if not n.bounds:
            return n
        at = rng.randrange(len(n.bounds))
        bounds = list(n.bounds)
        low, high = rng.choice([(0, 1), (0, -1), (1, 0), (-1, 0)])
        bounds[at] = Bound(bounds[at].name, bounds[at].lower + low, bounds[at].upper + high)
        return replace(n, bounds=tuple(bounds))

    return transform(node, change)


def make_case(seed: int) -> Case:
    """The case of a seed."""
    rng = random.Random(seed)
    kind = list(LAWS)[seed % len(LAWS)]
    axes = make_axes(rng)
    if kind == "two layers":
        axes = axes[:1]
    left, rights, free_letters = LAWS[kind](rng, axes)
    right = rng.choice(rights)
    share = any(isinstance(n, Share) for n in walk(left))
    right = reparametrise(right, rng, share)
    if rng.random() < 0.3:
        left = reparametrise(left, rng, share)
    mutation = rng.choice(MUTATIONS) if rng.random() < 0.6 else "none"
    if mutation != "none":
        right = mutate(right, rng, mutation)
    ranges = {
        "i": lambda x: Bound(x.i, V(0), x.I - 1),
        "p": lambda x: Bound(x.p, V(0), V(x.O) - 1),
        "m": lambda x: Bound(x.m, V(0), x.K - 1),
    }
    free = [ranges[letter](x) for letter in free_letters for x in axes]
    kernel = tuple((V(0), x.K - 1) for x in axes)
    boxes = {
        "a": tuple((V(0), x.I - 1) for x in axes),
        "b": kernel,
        "w": kernel,
        "g": tuple((V(0), V(x.O) - 1) for x in axes),
        "d": ((V(0), V(0)),),
    }
    hypotheses = []
    for x in axes:
        hypotheses += [nonnegative(e - 1) for e in (x.I, x.K, x.S, x.D)] + [nonnegative(x.P), nonnegative(x.room)]
    definitions = [(x.O, floor(x.room, x.S) + 1) for x in axes]
    hypotheses = [g for g in hypotheses if g.truth is not True]
    statement = Statement.of(left, right, free, boxes, hypotheses, definitions=definitions)
    return Case(kind, statement, mutation)


# --- judging ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    case: Case
    verdict: Verdict
    equal: bool | None  # on all sizes tried; None where that was not looked at

    @property
    def fault(self) -> str:
        """What is wrong with the verdict; empty where nothing is."""
        if self.verdict.status == "proved" and self.equal is False:
            return "false PROVED"
        if self.verdict.status == "refuted" and not genuine(self.case.statement, self.verdict):
            return "false REFUTED"
        if self.verdict.status == "refuted" and engine_proves(self.case.statement):
            return "false PROVED by the engine alone"
        return ""


def engine_proves(statement: Statement) -> bool:
    """Whether the bijection engine proves a statement when no search for a counterexample stands before it."""
    search = Search(statement)
    search.instance = {"assumed": 1}
    return bijection_proof(statement, Trace(), Effort(), search)[1] is None


def genuine(statement: Statement, verdict: Verdict) -> bool:
    """Whether the two sides really differ at the counterexample, by the plain loops."""
    found = verdict.counterexample
    if found is None:
        return False
    env = dict(found.sizes)
    if not all(truth(g, env) for g in statement.hypotheses if not g.names & set(statement.indices)):
        return False
    if any(env[name] != value.evaluate(env) for name, value in statement.definitions):
        return False
    if found.what != "value":
        return differ_at(statement, env, random.Random(0), 0)
    here = {**env, **found.indices}
    if not all(truth(g, here) for bound in statement.free for g in bound.guards()):
        return False
    tensors = {
        name: (lambda index, name=name: found.tensors.get(name, {}).get(index, Fraction(0))) for name in statement.boxes
    }
    sides = [value_of(side, dict(here), tensors, statement.boxes) for side in (statement.left, statement.right)]
    return bool(sides[0] != sides[1]) and sides == [found.left, found.right]


def judge(seed: int, sizes: int = 14) -> Judged:
    """The verdict on the case of a seed, and what plain loops say."""
    case = make_case(seed)
    verdict = prove_statement(case.statement)
    if verdict.status == "refuted":
        return Judged(case, verdict, None)
    rng = random.Random(seed)
    rounds = 6 if case.kind == "maximum" else 1
    tried = sizes_to_try(case.statement, rng, sizes)
    same = not any(differ_at(case.statement, env, rng, rounds) for env in tried)
    return Judged(case, verdict, same if tried else None)


def table(judged: Sequence[Judged]) -> str:
    """How many verdicts of each status there are in each class, and the share of undecided ones."""
    lines = [f"{'class':12s} {'cases':>6s} {'proved':>7s} {'refuted':>8s} {'undecided':>10s} {'share':>6s}"]
    for kind in LAWS:
        counts = Counter(j.verdict.status for j in judged if j.case.kind == kind)
        total = sum(counts.values())
        if total:
            proved, refuted, undecided = (counts[status] for status in ("proved", "refuted", "undecided"))
            lines.append(f"{kind:12s} {total:6d} {proved:7d} {refuted:8d} {undecided:10d} {undecided / total:6.1%}")
    return "\n".join(lines)


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    results = []
    for number in range(count):
        results.append(judge(number))
        if results[-1].fault:
            print(f"seed {number}: {results[-1].fault}\n{results[-1].verdict}")
    print(table(results))
    sys.exit(any(result.fault for result in results))
