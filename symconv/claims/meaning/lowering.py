"""From the syntax tree of a claim to the algebra: entries to accesses, outputs to their formulas, sets to guards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Literal

from symconv.claims.meaning.functions import (
    array_function,
    check_kind,
    names_operator,
    of_values,
    quantity,
    value_function,
)
from symconv.claims.meaning.indexed import entry_in
from symconv.claims.meaning.indices import indices_of, to_index
from symconv.claims.meaning.norms import largest, limit_of_norm, norm
from symconv.claims.meaning.open_sums import bound_names, is_open, open_range
from symconv.claims.meaning.scope import ARRAY_FUNCTIONS, NORMS, Scope
from symconv.claims.meaning.sets import check_bound, coordinates, members, set_size
from symconv.claims.syntax import (
    ENTRY,
    Binary,
    Call,
    Cases,
    Condition,
    Derivative,
    Entry,
    Expr,
    Fold,
    Limit,
    MatrixLiteral,
    Name,
    Negate,
    Number,
    Over,
    Raised,
    Range,
    SetOf,
    Sum,
)
from symconv.claims.traversal import walk_expr
from symconv.errors import ClaimError
from symconv.formulas import algebra
from symconv.formulas.algebra import (
    ONE,
    ZERO,
    Absolute,
    Access,
    Applied,
    Bound,
    Bracket,
    Compare,
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
    scalar,
    summation,
)
from symconv.formulas.calculus import differentiate
from symconv.formulas.functions import NEGATIVE_PART, POSITIVE_PART
from symconv.formulas.index import Index
from symconv.formulas.substitution import substitute
from symconv.operators.pooling import Pooling
from symconv.proofs.factors import has_extremum

__all__ = ["are_sizes", "compares_values", "conditions_of", "lower"]

_NUMBER = "n'"  # of a value among several, which no claim can write


def lower(expr: Expr, scope: Scope, bound: frozenset[str] = frozenset()) -> Node:
    """The value of an expression, in its free indices and sizes.

    Raises:
        ClaimError: for a name that is not declared, a wrong number of indices, or something that is no single value.
    """
    if isinstance(expr, Number):
        value = scope.number(expr)
        return Constant(value) if isinstance(value, Fraction) else scalar(value)
    if isinstance(expr, Name):
        return _name(expr, scope, bound)
    if isinstance(expr, Entry):
        return _entry(expr, scope, bound)
    if isinstance(expr, Negate):
        return product(const(-1), lower(expr.arg, scope, bound))
    if isinstance(expr, Binary):
        return _binary(expr, scope, bound)
    if isinstance(expr, Raised):
        return _power(expr, scope, bound)
    if isinstance(expr, Sum):
        return _reduced(expr.op, expr.body, expr.over, scope, bound)
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


# ---------------------------------------------------------------------- names and entries


def _name(expr: Name, scope: Scope, bound: frozenset[str]) -> Node:
    name = expr.name
    if name in scope.sizes:
        return scalar(scope.sizes[name])
    if name == "size":
        return scalar(scope.whole_size())
    if name in bound:
        return Scalar(Index.of(name))
    if name in scope.declared.quantities:
        return scalar(quantity(scope.declared.quantities[name], scope))
    if scope.boxes.get(name) == ():
        return Access(name, ())
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


def _entry(expr: Entry, scope: Scope, bound: frozenset[str]) -> Node:
    letters, name = scope.letters, expr.name
    node: Node
    if name == "size":
        (axis,) = indices_of(expr, 1)
        place = to_index(axis, scope).value
        if place is None or not 1 <= place <= len(scope.output_sizes):
            raise ClaimError(f"size has entries 1 to {len(scope.output_sizes)}")
        return scalar(scope.output_sizes[place - 1].subs(dict(scope.definitions)))
    if name == letters.output:
        free = scope.output.indices
        at = [to_index(i, scope, bound) for i in indices_of(expr, len(free))]
        node = _boxed(scope, dict(zip(free, at, strict=True)))
    elif name in scope.boxes:
        box = scope.boxes[name]
        at = [to_index(i, scope, bound) for i in indices_of(expr, len(box))]
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
    open_guards = tuple(guard for guard in guards if guard.truth is not True)
    body = substitute(scope.output.body, env)
    return product(Bracket(open_guards), body) if open_guards else body


def _with_upper(expr: Entry, node: Node, scope: Scope, bound: frozenset[str]) -> Node:
    """An upper index that is declared to be none of a power is passed over; anything else is a power."""
    if expr.upper is None:
        return node
    if expr.upper == Name(scope.declared.upper):
        return node
    return _raised(node, lower(expr.upper, scope, bound | scope.orders))


# ---------------------------------------------------------------------- arithmetic


def _binary(expr: Binary, scope: Scope, bound: frozenset[str]) -> Node:
    if expr.op == "star" or (expr.op == "ast" and not are_sizes(expr, scope)):
        raise ClaimError("a correlation of arrays stands where a single value is wanted")
    left, right = lower(expr.left, scope, bound), lower(expr.right, scope, bound)
    if expr.op == "+":
        return add(left, right)
    if expr.op == "-":
        return add(left, product(const(-1), right))
    if expr.op in ("*", "ast", "odot"):
        return product(left, right)
    if isinstance(right, Constant) and right.value != 0:
        return product(Constant(1 / right.value), left)
    return product(left, algebra.Power(right, const(-1)))


def are_sizes(expr: Binary, scope: Scope) -> bool:
    """Whether an asterisk stands between sizes, such as ``S * P``, and not between arrays."""
    whole = (
        *ARRAY_FUNCTIONS,
        *scope.declared.operators,
        *(f for f in scope.declared.functions if array_function(f, scope)),
    )
    return not any(
        isinstance(part, MatrixLiteral)
        or (isinstance(part, Name) and part.name not in scope.sizes)
        or (isinstance(part, Call) and part.name in whole)
        for part in walk_expr(expr)
    )


def _power(expr: Raised, scope: Scope, bound: frozenset[str]) -> Node:
    base = lower(expr.base, scope, bound)
    exponent = lower(expr.exponent, scope, bound | scope.orders)
    return _raised(base, exponent)


def _raised(base: Node, exponent: Node) -> Node:
    if isinstance(exponent, Constant) and abs(exponent.value) > 64:
        raise ClaimError(f"the exponent {exponent.value} is larger than 64")
    if isinstance(base, Absolute) and isinstance(exponent, Constant) and exponent.value % 2 == 0:
        base = base.arg  # an even power of |x| has the derivatives of that of x, and no kink
    return base if exponent == ONE else algebra.Power(base, exponent)


def _reduced(op: Fold, expr: Expr, overs: Sequence[Range | Over], scope: Scope, bound: frozenset[str]) -> Node:
    """A sum, maximum or minimum over ranges and sets; each may speak of the letters of those before it."""
    names: set[str] = set()
    bounds: list[Bound] = []
    guards: list[Guard] = []
    for over in overs:
        if isinstance(over, Range):
            inner = bound | frozenset(names)
            check_bound(over.variable, scope, inner)
            low, high = to_index(over.lower, scope, inner), to_index(over.upper, scope, inner)
            if over.variable in low.names | high.names:
                raise ClaimError(f"{over.variable} stands in the range that it runs over; take another letter")
            bounds.append(Bound(over.variable, low, high))
            names.add(over.variable)
        elif is_open(over):
            for name in over.variables:
                found = open_range(name, expr, scope, bound | bound_names(Sum(op, expr, tuple(overs))))
                bounds.append(found.bound)
                guards += found.guards
                names.add(name)
        else:
            own, conditions = members(over, scope, bound | frozenset(names))
            bounds += own
            guards += conditions
            names |= set(over.variables)
    body = lower(expr, scope, bound | frozenset(names))
    if op == "sum":
        return summation(body, *bounds, guards=guards)
    return Reduce(op, tuple(bounds), tuple(guards), body)


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
    at = tuple(to_index(i, scope, bound) for i in indices_of(by, len(scope.boxes[by.name])))
    return product(_exists(by.name, at, scope), _differentiated(lower(of, scope, bound), by.name, at, scope))


def _error_by(by: Entry, scope: Scope, bound: frozenset[str]) -> Node:
    """The derivative of the error: the upstream gradient by an output, the chain rule by anything else."""
    letters = scope.letters
    free = scope.output.free
    if by.name == letters.output:
        at = tuple(to_index(i, scope, bound) for i in indices_of(by, len(free)))
        return _upstream(scope, at)
    if by.name not in scope.boxes or by.name == letters.upstream:
        raise scope.unknown("the variable", by.name, [n for n in scope.boxes if n != letters.upstream])
    at = tuple(to_index(i, scope, bound) for i in indices_of(by, len(scope.boxes[by.name])))
    places = {b.name: Index.of(b.name + "'") for b in free}  # the sum over outputs must not catch the entry's indices
    inner = _differentiated(substitute(scope.output.body, places), by.name, at, scope)
    bounds = tuple(Bound(b.name + "'", b.lower, b.upper) for b in free)
    whole = Reduce("sum", bounds, (), product(_upstream(scope, tuple(places.values())), inner))
    return product(_exists(by.name, at, scope), whole)


def _differentiated(node: Node, tensor: str, at: tuple[Index, ...], scope: Scope) -> Node:
    """The derivative of a tree by an entry, under the rules of the layer for ties and kinks."""
    return differentiate(node, tensor, at, scope.op.tie_policy(), kinks=scope.op.kink_policy())


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
        guards = tuple(g for condition in conditions for g in conditions_of(condition, scope, bound))
        of_tensors = [_compared(c, scope, bound) for c in conditions if compares_values(c)]
        here: Node = product(Bracket(guards) if guards else ONE, *of_tensors)
        rest = [add(ONE, product(const(-1), e)) for e in earlier]
        parts.append(product(body, here, *rest))
        if conditions:
            earlier.append(here)
    return add(*parts)


def compares_values(condition: Condition) -> bool:
    """Whether a condition compares values of tensors, and not indices."""
    return of_values(condition.left) or of_values(condition.right)


def _compared(condition: Condition, scope: Scope, bound: frozenset[str]) -> Node:
    """1 where a condition between values holds, else 0."""
    left, right = lower(condition.left, scope, bound), lower(condition.right, scope, bound)
    if condition.relation in ("<", "<="):
        left, right = right, left
    relations: dict[str, Literal[">", ">=", "="]] = {"==": "=", "<": ">", "<=": ">="}
    return Compare(left, relations.get(condition.relation, condition.relation), right)  # type: ignore[arg-type]


def conditions_of(condition: Condition, scope: Scope, bound: frozenset[str]) -> list[Guard]:
    """A condition of a case as guards; none where it compares values of tensors."""
    if compares_values(condition):
        return []
    left, right = to_index(condition.left, scope, bound), to_index(condition.right, scope, bound)
    if condition.relation == "==":
        return [equal(left, right)]
    if condition.relation in ("<=", "<"):
        return [nonnegative(right - left - (condition.relation == "<"))]
    return [nonnegative(left - right - (condition.relation == ">"))]


def _call(expr: Call, scope: Scope, bound: frozenset[str]) -> Node:
    name, args = expr.name, expr.args
    check_kind(name, scope)
    if name == ENTRY:
        return entry_in(expr, scope, bound)
    if name in ("floor", "ceil", "mod"):
        return scalar(to_index(expr, scope, bound))
    if name in ("abs", "size", "card"):
        if len(args) != 1:
            raise ClaimError(f"{name} takes one argument, got {len(args)}")
        if name != "abs" or getattr(args[0], "name", "") in scope.declared.sets:
            return set_size(args[0], scope, bound)
        return Absolute(lower(args[0], scope, bound))
    if name in ("max", "min"):
        if not of_values(expr):
            return scalar(to_index(expr, scope, bound))
        values = [lower(arg, scope, bound) for arg in args]
        windows = isinstance(scope.op, Pooling) or has_extremum(scope.output.body)
        return _of_window(name, values) if windows else _largest(name, values)
    function = value_function(name, scope)
    if function is not None:
        if len(args) != 1:
            raise ClaimError(f"{name} takes one value, got {len(args)}")
        return Applied(function, lower(args[0], scope, bound))
    if scope.declared.functions.get(name, "") in NORMS:
        return _norm(expr, scope, bound)
    if name in ARRAY_FUNCTIONS or names_operator(expr, scope) or array_function(name, scope):
        raise ClaimError(f"{name}(...) is an array and stands where a single value is wanted")
    known = ["floor", "ceil", "mod", "abs", "max", "min", "size", "diff", "sum", *scope.declared.functions]
    raise scope.unknown("the function", name, known, f'functions = {{ {name} = "relu" }}')


def _of_window(name: str, values: Sequence[Node]) -> Node:
    """The largest or smallest of some values in the form that the layer has, which runs over a window."""
    number = Index.of(_NUMBER)
    taken = add(*(product(Bracket((equal(number, place),)), value) for place, value in enumerate(values, 1)))
    op: Literal["max", "min"] = "max" if name == "max" else "min"
    return Reduce(op, (Bound(_NUMBER, Index.of(1), Index.of(len(values))),), (), taken)


def _largest(name: str, values: Sequence[Node]) -> Node:
    """The largest or smallest of some values: ``max(x, y) = y + max(0, x - y)``, a 0 being taken last."""
    part = POSITIVE_PART if name == "max" else NEGATIVE_PART
    first, *rest = sorted(values, key=lambda value: value == ZERO)
    for value in rest:
        first = add(value, Applied(part, add(first, product(const(-1), value))))
    return first


def _norm(expr: Call, scope: Scope, bound: frozenset[str]) -> Node:
    """``L(X, S, p)`` or ``lp(x, p)``: the p-norm of the entries of the input over a set of its positions."""
    kind = scope.declared.functions[expr.name]
    if kind not in NORMS:
        raise ClaimError(f"functions: {expr.name!r} must be one of {', '.join(map(repr, NORMS))}, got {kind!r}")
    if len(expr.args) not in (2, 3):
        raise ClaimError(f"{expr.name} takes (array, set, order) or (array, order), got {len(expr.args)} arguments")
    array, order = _without_upper(expr.args[0], scope), expr.args[-1]
    where: Expr = expr.args[1] if len(expr.args) == 3 else Name(scope.naming.members)
    letter = scope.letters.input
    if not (isinstance(array, Name) and (array.name == letter or scope.arrays.get(array.name) == "input")):
        raise ClaimError(f"{expr.name} is taken of the whole input, which is {scope.capital('input')}")
    count = len(scope.windows) if isinstance(where, Entry) else 1
    bounds, guards = members(Over(coordinates(count, bound), where), scope, bound)
    if len(bounds) != len(scope.boxes[letter]):
        raise ClaimError(f"{expr.name} is taken over positions with {len(bounds)} coordinates, and "
                         f"{scope.capital('input')} has {len(scope.boxes[letter])} axes")  # fmt: skip
    entry = Access(letter, tuple(Index.of(b.name) for b in bounds))
    if order == Name("oo") and kind == "lp":
        return largest(bounds, guards, entry, scope)
    value = lower(order, scope, bound | scope.orders)
    return norm(bounds, guards, Absolute(entry) if kind == "lp" else entry, value)


def _without_upper(array: Expr, scope: Scope) -> Expr:
    """``X`` for ``X^k``, where k is declared to be an upper index and no power."""
    if isinstance(array, Raised) and array.exponent == Name(scope.declared.upper):
        return array.base
    return array


def _limit(expr: Limit, scope: Scope, bound: frozenset[str]) -> Node:
    if expr.to not in (Name("oo"), Name("infinity")):
        raise ClaimError("only limits to infinity are read")
    check_bound(expr.variable, scope, bound)
    return limit_of_norm(lower(expr.body, scope, bound | {expr.variable}), expr.variable, scope)
