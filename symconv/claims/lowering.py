"""From the syntax tree of a claim to the algebra: entries to accesses, outputs to their formulas, sets to guards."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from symconv.claims.indices import to_index
from symconv.claims.scope import ARRAY_FUNCTIONS, NORMS, ORDER, Scope
from symconv.claims.syntax import (
    Binary,
    Call,
    Cases,
    Condition,
    Derivative,
    Entry,
    Expr,
    Limit,
    MatrixLiteral,
    Name,
    Negate,
    Number,
    Over,
    Power,
    Range,
    SetOf,
    Sum,
)
from symconv.claims.traversal import walk_expr
from symconv.errors import ClaimError
from symconv.formulas import algebra
from symconv.formulas.algebra import (
    ONE,
    Absolute,
    Access,
    Bound,
    Bracket,
    Constant,
    Guard,
    Node,
    Reduce,
    Scalar,
    add,
    between,
    const,
    equal,
    inside,
    nonnegative,
    product,
    substitute,
    summation,
    transform,
)
from symconv.formulas.calculus import differentiate
from symconv.formulas.index import Index

__all__ = ["lower", "read_all_absolute", "read_as_nonnegative", "without_known_ranges"]


def lower(expr: Expr, scope: Scope, bound: frozenset[str] = frozenset()) -> Node:
    """The value of an expression, in its free indices and sizes.

    Raises:
        ClaimError: for a name that is not declared, a wrong number of indices, or something that is no single value.
    """
    if isinstance(expr, Number):
        value = scope.number(expr)
        return Constant(value) if isinstance(value, Fraction) else _scalar(value)
    if isinstance(expr, Name):
        return _name(expr, scope, bound)
    if isinstance(expr, Entry):
        return _entry(expr, scope, bound)
    if isinstance(expr, Negate):
        return product(const(-1), lower(expr.arg, scope, bound))
    if isinstance(expr, Binary):
        return _binary(expr, scope, bound)
    if isinstance(expr, Power):
        return _power(expr, scope, bound)
    if isinstance(expr, Sum):
        return _sum(expr, scope, bound)
    if isinstance(expr, Derivative):
        return _derivative(expr, scope, bound)
    if isinstance(expr, Cases):
        return _cases(expr, scope, bound)
    if isinstance(expr, Call):
        return _call(expr, scope, bound)
    if isinstance(expr, Limit):
        return _limit(expr, scope, bound)
    if isinstance(expr, MatrixLiteral):
        raise ClaimError("a matrix stands where a single value is wanted; compare it with an array such as C")
    assert isinstance(expr, SetOf)
    raise ClaimError("a set stands where a single value is wanted; take its maximum with max")


def _scalar(index: Index) -> Node:
    return const(index.value) if index.value is not None else Scalar(index)


# ---------------------------------------------------------------------- names and entries


def _name(expr: Name, scope: Scope, bound: frozenset[str]) -> Node:
    name = expr.name
    if name in scope.sizes:
        return _scalar(scope.sizes[name])
    if name == "size":
        return _scalar(scope.whole_size())
    if name in bound:
        return Scalar(Index.of(name))
    if name == scope.letters.error:
        raise ClaimError(f"{name} is the error: only its derivatives have a formula here")
    if name in scope.arrays:
        raise ClaimError(f"{name} is an array and stands where one entry is wanted; write an entry such as "
                         f"{name.lower()}[i, j]")  # fmt: skip
    if name in scope.declared.sets or name in scope.declared.functions:
        kind = "set" if name in scope.declared.sets else "norm"
        raise ClaimError(f"{name} is a {kind} and stands where a value is wanted")
    raise scope.unknown("the name", name, _known(scope))


def _known(scope: Scope) -> list[str]:
    letters = scope.letters
    tensors = [letters.input, letters.output, letters.upstream, letters.error]
    if letters.weight in scope.boxes:
        tensors.insert(1, letters.weight)
    sizes = [name for name in scope.sizes if "_" not in name]
    return [*tensors, *scope.arrays, *sizes, *scope.declared.functions, *scope.declared.sets]


def indices_of(entry: Entry, rank: int, scope: Scope) -> tuple[Expr, ...]:
    """The indices of an entry; a joined subscript must have one letter an axis."""
    if len(entry.indices) != rank:
        raise ClaimError(
            f"{entry.name} has {rank} {'index' if rank == 1 else 'indices'}, and {len(entry.indices)} are given"
            + ("; separate them by commas" if entry.joined else "")
        )
    del scope
    return entry.indices


def _entry(expr: Entry, scope: Scope, bound: frozenset[str]) -> Node:
    letters, name = scope.letters, expr.name
    node: Node
    if name == "size":
        (axis,) = indices_of(expr, 1, scope)
        place = to_index(axis, scope).value
        if place is None or not 1 <= place <= len(scope.output_sizes):
            raise ClaimError(f"size has entries 1 to {len(scope.output_sizes)}")
        return _scalar(scope.output_sizes[place - 1].subs(dict(scope.definitions)))
    if name == letters.output:
        free = scope.output.indices
        at = [to_index(i, scope, bound) for i in indices_of(expr, len(free), scope)]
        node = _boxed(scope, dict(zip(free, at, strict=True)))
    elif name in scope.boxes:
        box = scope.boxes[name]
        at = [to_index(i, scope, bound) for i in indices_of(expr, len(box), scope)]
        access = Access(name, tuple(at))
        node = access
        if name == letters.upstream and scope.declared.upstream == "ones":
            node = Bracket(inside(access, box))
    else:
        raise scope.unknown("the tensor", name, [*scope.boxes, letters.output])
    return _with_upper(expr, node, scope, bound)


def _boxed(scope: Scope, env: Mapping[str, Index]) -> Node:
    """An entry of the output: its formula with the indices put in, and zero outside its box."""
    guards: list[Guard] = []
    for free in scope.output.free:
        guards += between(free.lower, env[free.name], free.upper)
    return product(Bracket(tuple(guards)), substitute(scope.output.body, env))


def without_known_ranges(node: Node, free: Sequence[Bound]) -> Node:
    """The tree without the conditions that only repeat the range of a free index, or of the sum around them.

    So ``c[p, q]`` is its formula where p and q run over the output, and is zero outside it anywhere else.
    """
    known = frozenset(guard for bound in free for guard in bound.guards())

    def change(n: Node) -> Node | None:
        if isinstance(n, Bracket):
            open_ones = tuple(guard for guard in n.guards if guard not in known)
            return Bracket(open_ones) if open_ones else ONE
        if isinstance(n, Reduce):
            own = {bound.name for bound in n.bounds}
            outer = [b for b in free if not ({b.name} | b.lower.names | b.upper.names) & own]
            return replace(n, body=without_known_ranges(n.body, [*outer, *n.bounds]))
        return None

    return transform(node, change)


def _with_upper(expr: Entry, node: Node, scope: Scope, bound: frozenset[str]) -> Node:
    """An upper index that is declared to be none of a power is passed over; anything else is a power."""
    if expr.upper is None:
        return node
    if isinstance(expr.upper, Name) and expr.upper.name == scope.declared.upper:
        return node
    return _raised(node, lower(expr.upper, scope, bound | _orders(scope)))


def _orders(scope: Scope) -> frozenset[str]:
    return frozenset(scope.output.table.real) | frozenset({ORDER} if scope.declared.functions else ())


# ---------------------------------------------------------------------- arithmetic


def _binary(expr: Binary, scope: Scope, bound: frozenset[str]) -> Node:
    if expr.op == "star" or (expr.op == "ast" and not _are_sizes(expr, scope)):
        raise ClaimError("a correlation of arrays stands where a single value is wanted")
    left, right = lower(expr.left, scope, bound), lower(expr.right, scope, bound)
    if expr.op == "+":
        return add(left, right)
    if expr.op == "-":
        return add(left, product(const(-1), right))
    if expr.op in ("*", "ast"):
        return product(left, right)
    if isinstance(right, Constant):
        if right.value == 0:
            raise ClaimError("divides by zero")
        return product(Constant(1 / right.value), left)
    return product(left, algebra.Power(right, const(-1)))


def _are_sizes(expr: Binary, scope: Scope) -> bool:
    """Whether an asterisk stands between sizes, such as ``S * P``, and not between arrays."""
    names = [part.name for part in walk_expr(expr) if isinstance(part, Name)]
    return all(name in scope.sizes for name in names)


def _power(expr: Power, scope: Scope, bound: frozenset[str]) -> Node:
    base = lower(expr.base, scope, bound)
    exponent = lower(expr.exponent, scope, bound | _orders(scope))
    return _raised(base, exponent)


def _raised(base: Node, exponent: Node) -> Node:
    if isinstance(exponent, Constant) and abs(exponent.value) > 64:
        raise ClaimError(f"the exponent {exponent.value} is larger than 64")
    if isinstance(base, Constant) and isinstance(exponent, Constant) and exponent.value.denominator == 1:
        if base.value == 0 and exponent.value < 0:
            raise ClaimError("divides by zero")
        return Constant(base.value**exponent.value.numerator)
    if exponent == ONE:
        return base
    return algebra.Power(base, exponent)


def _sum(expr: Sum, scope: Scope, bound: frozenset[str]) -> Node:
    names: set[str] = set()
    bounds: list[Bound] = []
    guards: list[Guard] = []
    for over in expr.over:
        if isinstance(over, Range):
            inner = bound | frozenset(names)
            _check_bound(over.variable, scope, inner)
            low, high = to_index(over.lower, scope, inner), to_index(over.upper, scope, inner)
            if over.variable in low.names | high.names:
                raise ClaimError(f"{over.variable} stands in the range that it runs over; take another letter")
            bounds.append(Bound(over.variable, low, high))
            names.add(over.variable)
        else:
            own, conditions = members(over, scope, bound | frozenset(names))
            bounds += own
            guards += conditions
            names |= set(over.variables)
    body = lower(expr.body, scope, bound | frozenset(names))
    if expr.op == "max":
        return Reduce("max", tuple(bounds), tuple(guards), body)
    return summation(body, *bounds, guards=guards)


def _check_bound(name: str, scope: Scope, bound: frozenset[str]) -> None:
    if name in bound:  # which of the two is meant in the body is anybody's guess
        raise ClaimError(f"{name} is summed over twice, one sum inside the other; take another letter for one of them")
    if name in scope.sizes:
        raise ClaimError(f"{name} is declared as a size and cannot be summed over")
    if name in scope.boxes or name in (scope.letters.output, scope.letters.error, *scope.arrays):
        raise ClaimError(f"{name} is declared as a tensor and cannot be summed over")


def members(over: Over, scope: Scope, bound: frozenset[str]) -> tuple[list[Bound], list[Guard]]:
    """The index ranges and conditions of ``(s, t) in S_ij``: the input positions of a window, or an abstract set."""
    where = over.set
    name = where.name if isinstance(where, Name | Entry) else ""
    if name not in scope.declared.sets:
        raise scope.unknown("the set", name or "?", list(scope.declared.sets))
    for number, variable in enumerate(over.variables):
        _check_bound(variable, scope, bound | frozenset(over.variables[:number]))
    if isinstance(where, Name):
        if len(over.variables) != 1:
            raise ClaimError(f"{name} without indices is a set of single elements; use one variable")
        return [Bound(over.variables[0], Index.of(1), scope.elements)], []
    assert isinstance(where, Entry)
    windows, sizes = scope.windows, scope.input_sizes
    if len(over.variables) != len(windows):
        raise ClaimError(f"a member of {name} has {len(windows)} coordinates, and {len(over.variables)} are named")
    outputs = [to_index(i, scope, bound) for i in indices_of(where, len(windows), scope)]
    bounds: list[Bound] = []
    guards: list[Guard] = []
    for variable, window, size, o in zip(over.variables, windows, sizes, outputs, strict=True):
        bounds.append(Bound(variable, Index.of(scope.base), size - 1 + scope.base))
        first = window.tap(o - scope.base, 0, size) + scope.base
        place = Index.of(variable)
        guards += between(first, place, first + window.d * (window.k - 1))
        if window.d != 1:
            guards.append(algebra.divides(window.d, place - first))
    return bounds, guards


# ---------------------------------------------------------------------- derivatives


def _derivative(expr: Derivative, scope: Scope, bound: frozenset[str]) -> Node:
    letters = scope.letters
    by = expr.by
    if not isinstance(by, Entry):
        raise ClaimError("a derivative must be by one entry, such as a[i, j]")
    of = expr.of
    if isinstance(of, Name):
        if of.name != letters.error:
            known = ", ".join(dict.fromkeys([letters.error, *_known(scope)]))
            raise ClaimError(
                f"{of.name!r} is not declared as an error, {letters.error} is (declared: {known}); did you mean "
                f"{letters.error}?"
            )
        return _error_by(by, scope, bound)
    if by.name not in scope.boxes or by.name == letters.upstream:
        raise scope.unknown("the variable", by.name, [n for n in scope.boxes if n != letters.upstream])
    at = tuple(to_index(i, scope, bound) for i in indices_of(by, len(scope.boxes[by.name]), scope))
    return product(
        _exists(by.name, at, scope), differentiate(lower(of, scope, bound), by.name, at, scope.op.tie_policy())
    )


def _error_by(by: Entry, scope: Scope, bound: frozenset[str]) -> Node:
    """The derivative of the error: the upstream gradient by an output, the chain rule by anything else."""
    letters = scope.letters
    free = scope.output.free
    if by.name == letters.output:
        at = tuple(to_index(i, scope, bound) for i in indices_of(by, len(free), scope))
        return _upstream(scope, at)
    if by.name not in scope.boxes or by.name == letters.upstream:
        raise scope.unknown("the variable", by.name, [n for n in scope.boxes if n != letters.upstream])
    at = tuple(to_index(i, scope, bound) for i in indices_of(by, len(scope.boxes[by.name]), scope))
    taken = frozenset().union(*(e.names for e in at))
    inner = differentiate(scope.output.body, by.name, at, scope.op.tie_policy())
    places = tuple(Index.of(b.name) for b in free)
    whole = Reduce("sum", tuple(free), (), product(_upstream(scope, places), inner))
    if taken & {b.name for b in free}:  # the sum over outputs must not catch the entry's own indices
        plain = {b.name: Index.of(b.name + "'") for b in free}
        body = differentiate(substitute(scope.output.body, plain), by.name, at, scope.op.tie_policy())
        bounds = tuple(Bound(b.name + "'", b.lower, b.upper) for b in free)
        whole = Reduce("sum", bounds, (), product(_upstream(scope, tuple(plain.values())), body))
    return product(_exists(by.name, at, scope), whole)


def _exists(tensor: str, at: tuple[Index, ...], scope: Scope) -> Node:
    """1 for an entry inside its tensor: a derivative by an entry that there is not is 0."""
    return Bracket(inside(Access(tensor, at), scope.boxes[tensor]))


def _upstream(scope: Scope, at: tuple[Index, ...]) -> Node:
    access = Access(scope.letters.upstream, at)
    return Bracket(inside(access, scope.boxes[access.tensor])) if scope.declared.upstream == "ones" else access


# ---------------------------------------------------------------------- cases and functions


def _cases(expr: Cases, scope: Scope, bound: frozenset[str]) -> Node:
    parts: list[Node] = []
    earlier: list[Node] = []
    for value, conditions in expr.rows:
        body = lower(value, scope, bound)
        here: Node = Bracket(tuple(g for c in conditions for g in _guards(c, scope, bound))) if conditions else ONE
        rest = [add(ONE, product(const(-1), e)) for e in earlier]
        parts.append(product(body, here, *rest))
        if conditions:
            earlier.append(here)
    return add(*parts)


def _guards(condition: Condition, scope: Scope, bound: frozenset[str]) -> list[Guard]:
    left, right = to_index(condition.left, scope, bound), to_index(condition.right, scope, bound)
    if condition.relation == "==":
        return [equal(left, right)]
    if condition.relation in ("<=", "<"):
        return [nonnegative(right - left - (condition.relation == "<"))]
    return [nonnegative(left - right - (condition.relation == ">"))]


def _call(expr: Call, scope: Scope, bound: frozenset[str]) -> Node:
    name, args = expr.name, expr.args
    if name in ("floor", "ceil"):
        return _scalar(to_index(expr, scope, bound))
    if name == "abs" and len(args) == 1 and getattr(args[0], "name", "") in scope.declared.sets:
        return _set_size(args[0], scope, bound)
    if name == "abs" and len(args) == 1:
        return Absolute(lower(args[0], scope, bound))
    if name in ("max", "min") and len(args) == 1 and isinstance(args[0], SetOf):
        inner = args[0]
        return _sum(Sum("max", inner.body, (inner.over,)), scope, bound)
    if name in ("max", "min"):
        return _scalar(to_index(expr, scope, bound))
    if name in ("size", "card") and len(args) == 1:
        return _set_size(args[0], scope, bound)
    if name in scope.declared.functions:
        return _norm(expr, scope, bound)
    if name in ARRAY_FUNCTIONS or name in scope.declared.operators:
        raise ClaimError(f"{name}(...) is an array and stands where a single value is wanted")
    known = ["floor", "ceil", "abs", "max", "size", "diff", "sum", *scope.declared.functions]
    raise scope.unknown("the function", name, known)


def _set_size(where: Expr, scope: Scope, bound: frozenset[str]) -> Node:
    """The number of elements of a set; that of a window set is counted, axis by axis."""
    if isinstance(where, Name) and where.name in scope.declared.sets:
        return _scalar(scope.elements)
    if isinstance(where, Entry) and where.name in scope.declared.sets:
        bounds, guards = members(Over(_coordinates(len(scope.windows), bound), where), scope, bound)
        whole, counts = Index.of(1), []
        for b in bounds:
            own = tuple(g for g in guards if b.name in g.names)
            window = next(w for w, other in zip(scope.windows, bounds, strict=True) if other is b)
            padded = any(pad != 0 for pad in window.padding(scope.input_sizes[bounds.index(b)]))
            if not padded and not window.ceil_mode:
                whole = whole * window.k  # the window lies inside the input
            else:
                counts.append(Reduce("sum", (b,), own, ONE))
        return product(_scalar(whole), *counts)
    name = getattr(where, "name", "?")
    raise scope.unknown("the set", name, list(scope.declared.sets))


def _coordinates(count: int, bound: frozenset[str]) -> tuple[str, ...]:
    """Letters for the coordinates of a member of a set, none of them summed over already."""
    free = (name for number in itertools.count(1) if (name := f"s{number}") not in bound)
    return tuple(itertools.islice(free, count))


def _norm(expr: Call, scope: Scope, bound: frozenset[str]) -> Node:
    """``L(X, S, p)`` or ``lp(x, p)``: the p-norm of the entries over a set."""
    kind = scope.declared.functions[expr.name]
    if kind not in NORMS:
        raise ClaimError(f"functions: {expr.name!r} must be one of {', '.join(map(repr, NORMS))}, got {kind!r}")
    if len(expr.args) not in (2, 3):
        raise ClaimError(f"{expr.name} takes (array, set, order) or (array, order), got {len(expr.args)} arguments")
    array, order = _without_upper(expr.args[0], scope), expr.args[-1]
    where: Expr = expr.args[1] if len(expr.args) == 3 else Name(scope.declared.sets[0] if scope.declared.sets else "S")
    letter = getattr(array, "name", "")
    letter = letter if letter in scope.boxes else letter.lower()  # an array is written with its capital
    if letter not in scope.boxes:
        raise scope.unknown("the array", getattr(array, "name", "?"), [name.upper() for name in scope.boxes])
    count = len(scope.windows) if isinstance(where, Entry) else 1
    bounds, guards = members(Over(_coordinates(count, bound), where), scope, bound)
    access: Node = Access(letter, tuple(Index.of(b.name) for b in bounds))
    if order == Name("oo") and kind == "lp":
        return Reduce("max", tuple(bounds), tuple(guards), Absolute(access))
    p = lower(order, scope, bound | _orders(scope))
    if isinstance(p, Constant) and p.value < 1:
        raise ClaimError(f"the order of a norm must be at least 1, got {p.value}")
    term: Node = Absolute(access) if kind == "lp" else access
    if p != ONE:
        term = algebra.Power(term, p)
    total = summation(term, *bounds, guards=guards)
    if p == ONE:
        return total
    root: Node = Constant(1 / p.value) if isinstance(p, Constant) else algebra.Power(p, const(-1))
    return algebra.Power(total, root)


def _without_upper(array: Expr, scope: Scope) -> Expr:
    """``X`` for ``X^k``, where k is declared to be an upper index and no power."""
    if isinstance(array, Power) and isinstance(array.exponent, Name) and array.exponent.name == scope.declared.upper:
        return array.base
    return array


def _limit(expr: Limit, scope: Scope, bound: frozenset[str]) -> Node:
    """The limit of a p-norm as p grows: the largest absolute value, which the squeeze proves for any finite set."""
    to = expr.to
    if not (isinstance(to, Name) and to.name in ("oo", "infinity")):
        raise ClaimError("only limits to infinity are read")
    body = lower(expr.body, scope, bound | {expr.variable})
    variable = Scalar(Index.of(expr.variable))
    if (
        isinstance(body, algebra.Power)
        and body.exponent == algebra.Power(variable, const(-1))
        and isinstance(body.base, Reduce)
        and isinstance(body.base.body, algebra.Power)
        and body.base.body.exponent == variable
        and isinstance(body.base.body.base, Absolute)
    ):
        inner = body.base
        return Reduce("max", inner.bounds, inner.guards, inner.body.base)  # type: ignore[union-attr]
    raise ClaimError(
        f"the limit in {expr.variable} is not that of a norm (sum |x|^{expr.variable})^(1/{expr.variable})"
    )


def read_as_nonnegative(node: Node, letters: tuple[str, ...]) -> Node:
    """The tree with |x| read as x for tensors whose entries are assumed to be >= 0."""

    def change(n: Node) -> Node | None:
        if isinstance(n, Absolute) and isinstance(n.arg, Access) and n.arg.tensor in letters:
            return n.arg
        return None

    return transform(node, change)


def read_all_absolute(node: Node, letters: Sequence[str]) -> Node:
    """The tree with x read as |x| for the same tensors: its values at x are those of the tree at |x|."""

    def change(n: Node) -> Node | None:
        if isinstance(n, Absolute) and isinstance(n.arg, Access):
            return n
        return Absolute(n) if isinstance(n, Access) and n.tensor in letters else None

    return transform(node, change)
