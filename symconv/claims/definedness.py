"""What a claim needs to have a meaning: entries that exist, divisors that are not 0, maxima over something.

One walk over the claim, with the ranges and cases that lead to each place, yields everything that its two sides need;
what becomes of a need that is not met is decided in `symconv.claims.decision`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from symconv.claims import arrays
from symconv.claims.indices import to_index, to_ratio
from symconv.claims.lowering import conditions_of, lower, orders
from symconv.claims.scope import Scope, general_scope
from symconv.claims.sets import coordinates, is_output, members
from symconv.claims.syntax import (
    Binary,
    Call,
    Cases,
    Condition,
    Derivative,
    Entry,
    Expr,
    Limit,
    Name,
    Over,
    Power,
    Range,
    SetOf,
    Sum,
)
from symconv.claims.traversal import children, walk_expr
from symconv.claims.writing import size_expr, to_text
from symconv.errors import ClaimError
from symconv.formulas import algebra
from symconv.formulas.algebra import (
    Absolute,
    Access,
    Add,
    Bound,
    Constant,
    Guard,
    Multiply,
    Node,
    Reduce,
    Scalar,
    accesses,
    const,
    equal,
    inside,
    nonnegative,
    scalar,
    substitute,
)
from symconv.formulas.exact import Box
from symconv.formulas.index import Index, maximum
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, Pooling
from symconv.proofs.needs import Inside, Member, Need, Otherwise, Step, Valued, has_power

__all__ = ["End", "Obligation", "Unmet", "obligations", "of_arrays"]

Unmet: TypeAlias = Literal["missing", "undefined", "convention", "silent"]
"""What a need that is not met makes of a line there: one that reads an entry that there is not, or has no value; one
that has a value by a convention; or one that says nothing, because the layer itself has no value or no window there."""

NEVER = (nonnegative(-1),)
FILLED = "every window holds an entry of the input"


@dataclass(frozen=True)
class End:
    """Where a sum must end so that an entry with its index exists.

    Attributes:
        variable: the index.
        old: the end as it is written.
        new: what it should be, in the letters of the claim.
        room: how far the index is from where it must end; negative beyond.
    """

    variable: str
    old: Expr
    new: Expr
    room: Index


@dataclass(frozen=True)
class Obligation:
    """One thing that a claim needs, and what is said of it.

    Attributes:
        need: what must hold, and the path that leads there.
        unmet: what it means where it does not hold.
        fault: what is wrong where it does not hold, such as "divides by K - 1, which is 0".
        doubt: what was not decided where neither is found.
        condition: the convention that a line rests on where it does not hold, or what it says nothing without.
        entry: the entry that must exist, and the box that it must lie in.
        ends: where sums that lead there must end for it to exist.
    """

    need: Need
    unmet: Unmet
    fault: str
    doubt: str
    condition: str = ""
    entry: tuple[Access, Box] | None = None
    ends: tuple[End, ...] = ()


def obligations(parts: Sequence[Expr], free: Sequence[Bound], scope: Scope) -> list[Obligation]:
    """What the sides of a claim need, in reading order; an inner part before the one that uses it.

    Args:
        parts: the sides, single values.
        free: the free indices with their ranges.
        scope: what the claim may speak of; with ``outside = "zero"`` an entry at a free index need not exist.
    """
    walker = _Walker(scope, frozenset(bound.name for bound in free))
    for part in parts:
        walker.value(part, _Path())
    return list(dict.fromkeys(walker.found))


def of_arrays(parts: Sequence[Expr], scope: Scope) -> list[Obligation]:
    """What whole arrays need: every array on the way has entries, and so have their written-out entries."""
    walker = _Walker(scope, frozenset())
    for part in parts:
        walker.array(part)
    return list(dict.fromkeys(walker.found))


@dataclass(frozen=True)
class _Path:
    """How a place is reached: the steps, the names that are bound there, and the ranges as they are written."""

    steps: tuple[Step, ...] = ()
    bound: frozenset[str] = frozenset()
    ranges: tuple[Range, ...] = ()

    def then(self, *steps: Step) -> _Path:
        names = {step.name for step in steps if isinstance(step, Bound)}
        return replace(self, steps=(*self.steps, *steps), bound=self.bound | names)


@dataclass
class _Walker:
    scope: Scope
    free: frozenset[str]
    found: list[Obligation] = field(default_factory=list)

    # ------------------------------------------------------------------ values

    def value(self, expr: Expr, path: _Path) -> None:
        """What the value of an expression needs."""
        if isinstance(expr, Entry):
            self._entry(expr, path)
        elif isinstance(expr, Binary) and expr.op == "/":
            self.value(expr.left, path)
            self.value(expr.right, path)
            self._divisor(expr.right, path)
        elif isinstance(expr, Power):
            self.value(expr.base, path)
            inner = replace(path, bound=path.bound | orders(self.scope))
            self.value(expr.exponent, inner)
            base, exponent = self._plain(expr.base, path), self._plain(expr.exponent, inner)
            divides = not _has_names(expr.exponent) and _is_negative(exponent)
            self._power(base, exponent, _divides(to_text(expr.base)) if divides else _takes(to_text(expr)), path)
        elif isinstance(expr, Sum | SetOf):
            self._reduced(expr, path)
        elif isinstance(expr, Call):
            self._call(expr, path)
        elif isinstance(expr, Derivative):
            self._derivative(expr, path)
        elif isinstance(expr, Cases):
            self._cases(expr, path)
        elif isinstance(expr, Limit):
            # only the norm of a family is read in a limit, and it has a value for every order; 1 and 2 stand for all
            self.value(expr.body, path.then(Bound(expr.variable, Index.of(1), Index.of(2))))
        else:
            for child in children(expr):
                self.value(child, path)

    def _entry(self, expr: Entry, path: _Path) -> None:
        for index in expr.indices:
            self._index(index, path)
        if expr.name == "size":
            return
        self._exists(expr, path)
        if expr.upper is not None and not _is_name(expr.upper, self.scope.declared.upper):
            inner = replace(path, bound=path.bound | orders(self.scope))
            self.value(expr.upper, inner)
            base = lower(replace(expr, upper=None), self.scope, path.bound)
            self._power(base, self._plain(expr.upper, inner), _takes(to_text(expr)), path)

    def _exists(self, expr: Entry, path: _Path) -> None:
        """An entry lies in its tensor; that of a layer which averages needs something to average."""
        scope = self.scope
        at = tuple(to_index(index, scope, path.bound) for index in expr.indices)
        if expr.name == scope.letters.output:
            box = tuple((bound.lower, bound.upper) for bound in scope.output.free)
        else:
            box = _readable(expr.name, scope)
        access = Access(expr.name, at)
        guards = inside(access, box)
        plain = replace(expr, upper=None)
        self._must_exist(
            expr.name, at, guards, plain, path, (access, box), f"entries of {expr.name} outside count as 0"
        )
        if expr.name == scope.letters.output and isinstance(scope.op, AvgPool):
            env = dict(zip(scope.output.indices, at, strict=True))
            self._layer(substitute(scope.output.body, env), path.then(*guards))

    def _must_exist(
        self,
        name: str,
        at: Sequence[Index],
        guards: Sequence[Guard],
        expr: Entry,
        path: _Path,
        entry: tuple[Access, Box],
        convention: str,
    ) -> None:
        outside = self.scope.declared.outside
        mine = frozenset().union(*(index.names for index in at)) & self.free - path.bound
        if mine and outside == "zero":
            return
        unmet: Unmet = "convention" if mine and not outside else "missing"
        text = to_text(replace(expr, joined=False))
        self._add(
            Need(path.steps, Inside(tuple(guards))),
            unmet,
            f"reads {text}, which does not exist",
            f"whether {text} always exists",
            condition=convention if unmet == "convention" else "",
            entry=entry,
            ends=self._ends(at, entry, path) if unmet == "missing" else (),
        )

    def _add(
        self,
        need: Need,
        unmet: Unmet,
        fault: str,
        doubt: str,
        *,
        condition: str = "",
        entry: tuple[Access, Box] | None = None,
        ends: tuple[End, ...] = (),
    ) -> None:
        self.found.append(Obligation(need, unmet, fault, doubt, condition, entry, ends))

    def _ends(self, at: Sequence[Index], entry: tuple[Access, Box], path: _Path) -> tuple[End, ...]:
        """Both ends of the ranges whose index stands alone on an axis of an entry, but for a number beside it."""
        ranges = {over.variable: over for over in path.ranges}
        access, box = entry
        lettered = self._box_in_letters(access.tensor) or box
        found = []
        for index, (low, high), (low_text, high_text) in zip(at, box, lettered, strict=True):
            over = next((ranges[name] for name in index.names if name in ranges), None)
            if over is None or (index - over.variable).value is None:
                continue
            shift = index - over.variable
            for old, limit, text, sign in ((over.lower, low, low_text, 1), (over.upper, high, high_text, -1)):
                written = text if _has_names(old) else limit
                found.append(End(over.variable, old, size_expr(written - shift), sign * (index - limit)))
        return tuple(found)

    def _box_in_letters(self, tensor: str) -> Box | None:
        """The box of a tensor in the size letters of the claim, at the declared size too."""
        scope = general_scope(self.scope.declared) if self.scope.literal else self.scope
        letters = {repr(size): letter for letter, size in reversed(scope.sizes.items())}
        if tensor == scope.letters.output:
            box: Box = tuple((bound.lower, bound.upper) for bound in scope.output.free)
        else:
            box = scope.boxes.get(tensor, ())
        env = {name: Index.of(letters[name]) for ends in box for end in ends for name in end.names if name in letters}
        return tuple((low.subs(env), high.subs(env)) for low, high in box) or None

    # ------------------------------------------------------------------ divisors and powers

    def _divisor(self, expr: Expr, path: _Path) -> None:
        if isinstance(expr, Binary) and expr.op == "*":  # a product is 0 where a factor is
            self._divisor(expr.left, path)
            self._divisor(expr.right, path)
            return
        text = to_text(expr)
        if isinstance(expr, Call) and self._is_set_size(expr):
            self._filled(expr.args[0], _divides(text), path)
            return
        try:
            value, _ = to_ratio(expr, self.scope, path.bound)  # the denominator of a denominator is looked at by itself
        except ClaimError:  # no index expression: entries of tensors, or the real order of a norm
            self._power(lower(expr, self.scope, path.bound), const(-1), _divides(text), path)
        else:
            self._nonzero(value, text, path)

    def _is_set_size(self, expr: Call) -> bool:
        named = getattr(expr.args[0], "name", "") in self.scope.declared.sets if len(expr.args) == 1 else False
        return named and expr.name in ("size", "card", "abs")

    def _filled(self, where: Expr, words: tuple[str, str], path: _Path) -> None:
        """A window set has a member: there is such a window, and it does not lie in the padding alone.

        The first is for the line to see to; where a layer has a window in the padding, no line says anything of it.
        """
        names = coordinates(_axes(where, self.scope), path.bound)
        bounds, guards = members(Over(names, where), self.scope, path.bound)
        if isinstance(where, Entry):
            exists = is_output([to_index(index, self.scope, path.bound) for index in where.indices], self.scope)
            self._add(Need(path.steps, Inside(tuple(exists))), "undefined", *words)
            path = path.then(*exists)
        self._add(Need(path.steps, Member(tuple(bounds), tuple(guards))), "silent", *words, condition=FILLED)

    def _nonzero(self, value: Index, text: str, path: _Path) -> None:
        if value.value is None or value.value == 0:
            need = Need((*path.steps, equal(value, 0)), Inside(NEVER))
            self._add(need, "undefined", *_divides(text))

    def _plain(self, expr: Expr, path: _Path) -> Node:
        """The value of an expression, as one index expression where it is one: K - 3 is a number then, and no sum."""
        node = lower(expr, self.scope, path.bound)
        try:
            return node if isinstance(node, Constant) else scalar(to_index(expr, self.scope, path.bound))
        except ClaimError:
            return node

    def _power(self, base: Node, exponent: Node, words: tuple[str, str], path: _Path) -> None:
        """``base ** exponent`` has a value: by arithmetic of indices where it can be told there, else by evaluation."""
        need = self._index_power(base, exponent, path) or Need(path.steps, Valued(base, exponent))
        if need.demand != Inside(()):
            self._add(need, "undefined", *words)

    def _index_power(self, base: Node, exponent: Node, path: _Path) -> Need | None:
        """The need of a power of a number or an index expression by one; None where it is none of these."""
        if isinstance(exponent, Constant) and exponent.value.denominator == 1 and exponent.value >= 1:
            return Need(path.steps, Inside(()))
        if isinstance(base, Constant) and isinstance(exponent, Constant):
            return Need(path.steps, Inside(() if has_power(base.value, exponent.value) else NEVER))
        if isinstance(base, Constant) and base.value > 0:
            return Need(path.steps, Inside(()))
        reals = orders(self.scope)
        if any(isinstance(node, Scalar) and node.index.names & reals for node in (base, exponent)):
            return None
        if isinstance(exponent, Scalar) and isinstance(base, Constant):
            whole = Inside(() if base.value < 0 else (nonnegative(exponent.index - 1),))
            return Need(path.steps, whole)
        if isinstance(exponent, Scalar) and isinstance(base, Scalar):
            return Need((*path.steps, equal(base.index, 0)), Inside((nonnegative(exponent.index - 1),)))
        if isinstance(exponent, Constant) and isinstance(base, Scalar):
            if exponent.value.denominator == 1:
                return Need((*path.steps, equal(base.index, 0)), Inside(NEVER))
            return Need(path.steps, Inside((nonnegative(base.index - (exponent.value < 0)),)))
        return None

    def _layer(self, node: Node, path: _Path) -> None:
        """What the own formula of a layer divides by: an average over no tap has no value."""
        if isinstance(node, algebra.Power) and isinstance(node.base, Reduce):
            need = Need(path.steps, Member(node.base.bounds, node.base.guards))
            self._add(need, "silent", "an average is over nothing", "", condition=FILLED)
        for part in node.args if isinstance(node, Multiply | Add) else ():
            self._layer(part, path)

    # ------------------------------------------------------------------ sums, maxima, cases

    def _reduced(self, expr: Sum | SetOf, path: _Path) -> None:
        inner = path
        overs = expr.over if isinstance(expr, Sum) else (expr.over,)
        for over in overs:
            inner = self._over(over, inner)
        if isinstance(expr, SetOf) or expr.op == "max":
            new = inner.steps[len(path.steps) :]
            bounds = tuple(step for step in new if isinstance(step, Bound))
            guards = tuple(step for step in new if isinstance(step, Guard))
            text = to_text(expr)
            words = f"takes {text}, a maximum over nothing", f"whether {text} is always over something"
            if len(overs) == 1 and isinstance(overs[0], Over):
                self._filled(overs[0].set, words, path)
            else:
                self._add(Need(path.steps, Member(bounds, guards)), "undefined", *words)
        self.value(expr.body, inner)

    def _over(self, over: Range | Over, path: _Path) -> _Path:
        if isinstance(over, Range):
            self._index(over.lower, path)
            self._index(over.upper, path)
            low, high = (to_index(end, self.scope, path.bound) for end in (over.lower, over.upper))
            inner = path.then(Bound(over.variable, low, high))
            return replace(inner, ranges=(*path.ranges, over))
        self._window(over.set, path)
        bounds, guards = members(over, self.scope, path.bound)
        return path.then(*bounds, *guards)

    def _window(self, where: Expr, path: _Path) -> None:
        """A window set belongs to an output that there is."""
        if not isinstance(where, Entry) or where.name not in self.scope.declared.sets:
            return
        for index in where.indices:
            self._index(index, path)
        at = tuple(to_index(index, self.scope, path.bound) for index in where.indices)
        box = tuple((bound.lower, bound.upper) for bound in self.scope.output.free[-len(at) :])
        plain = replace(where, upper=None)
        words = f"windows of {where.name} outside are empty"
        guards = is_output(at, self.scope)
        self._must_exist(where.name, at, guards, plain, path, (Access(where.name, at), box), words)

    def _cases(self, expr: Cases, path: _Path) -> None:
        rest = path
        for value, conditions in expr.rows:
            for side in (side for condition in conditions for side in (condition.left, condition.right)):
                self._index(side, rest)
            guards = self._guards(conditions, path)
            self.value(value, rest.then(*guards))
            if not conditions:
                return
            rest = rest.then(Otherwise(tuple(guards)))
        text = to_text(expr)
        self._add(
            Need(rest.steps, Inside(NEVER)),
            "undefined",
            f"finds no case of {text} that applies",
            f"whether a case of {text} applies",
        )

    def _guards(self, conditions: Sequence[Condition], path: _Path) -> list[Guard]:
        return [g for condition in conditions for g in conditions_of(condition, self.scope, path.bound)]

    # ------------------------------------------------------------------ functions

    def _call(self, expr: Call, path: _Path) -> None:
        name, args = expr.name, expr.args
        sets = self.scope.declared.sets
        if name in ("floor", "ceil", "mod") or (name in ("max", "min") and not isinstance(args[0], SetOf)):
            self._index(expr, path)
        elif name in ("size", "card") or (name == "abs" and getattr(args[0], "name", "") in sets):
            self._window(args[0], path)
        elif name in self.scope.declared.functions:
            if len(args) == 3:
                self._window(args[1], path)
            self._powers_of(lower(expr, self.scope, path.bound), to_text(expr), path)
        else:
            for arg in args:
                self.value(arg, path)

    def _powers_of(self, node: Node, text: str, path: _Path) -> None:
        """What the powers of a norm need, inside its sum too."""
        if isinstance(node, algebra.Power):
            self._powers_of(node.base, text, path)
            self._power(node.base, node.exponent, _takes(text), path)
        elif isinstance(node, Reduce):
            self._powers_of(node.body, text, path.then(*node.bounds, *node.guards))

    def _derivative(self, expr: Derivative, path: _Path) -> None:
        if isinstance(expr.of, Name):  # the error, by way of the output
            body: Node = self.scope.output.body
            inner = path.then(*self.scope.output.free)
        else:
            self.value(expr.of, path)
            body, inner = lower(expr.of, self.scope, path.bound), path
        if isinstance(expr.by, Entry):
            for index in expr.by.indices:
                self._index(index, path)
            self._exists(expr.by, path)
            if expr.by.name != self.scope.letters.output:
                self._kinks(body, expr.by.name, inner)

    def _kinks(self, node: Node, tensor: str, path: _Path) -> None:
        """Where a derivative does not exist, of |x| at 0 and of a root at 0, it counts as 0: a convention."""
        if not accesses(node, tensor):
            return
        if isinstance(node, Absolute):
            self._kink(node.arg, "the derivative of |x| at x = 0 counts as 0", path)
            self._kinks(node.arg, tensor, path)
        elif isinstance(node, algebra.Power):
            exponent = node.exponent
            whole = isinstance(exponent, Constant) and exponent.value.denominator == 1
            if not whole:
                self._kink(node.base, "the derivative of a norm or root at 0 counts as 0", path)
            smooth = isinstance(exponent, Constant) and exponent.value > 1 and isinstance(node.base, Absolute)
            self._kinks(node.base.arg if smooth and isinstance(node.base, Absolute) else node.base, tensor, path)
        elif isinstance(node, Reduce):
            self._kinks(node.body, tensor, path.then(*node.bounds, *node.guards))
        elif isinstance(node, Add | Multiply):
            for part in node.args:
                self._kinks(part, tensor, path)

    def _kink(self, node: Node, convention: str, path: _Path) -> None:
        need = Need(path.steps, Valued(node, const(-1)))
        self._add(need, "convention", convention, "", condition=convention)

    # ------------------------------------------------------------------ index expressions

    def _index(self, expr: Expr, path: _Path) -> None:
        """What an index expression needs: nothing is divided by 0 under its floors."""
        if isinstance(expr, Call) and expr.name in ("floor", "ceil") and len(expr.args) == 1:
            self._ratio(expr.args[0], path)
        elif isinstance(expr, Call) and expr.name == "mod" and len(expr.args) == 2:
            for arg in expr.args:
                self._index(arg, path)
            self._nonzero(to_index(expr.args[1], self.scope, path.bound), to_text(expr.args[1]), path)
        else:
            for child in children(expr):
                self._index(child, path)

    def _ratio(self, expr: Expr, path: _Path) -> None:
        if isinstance(expr, Binary) and expr.op in ("+", "-", "/"):
            self._ratio(expr.left, path)
            if expr.op != "/":
                self._ratio(expr.right, path)
                return
            self._index(expr.right, path)
            self._nonzero(to_index(expr.right, self.scope, path.bound), to_text(expr.right), path)
        else:
            self._index(expr, path)

    # ------------------------------------------------------------------ whole arrays

    def array(self, expr: Expr) -> None:
        """What an array needs: it has entries, and so has every array that it is made of."""
        if isinstance(expr, Name):
            return
        if isinstance(expr, Derivative):
            role = self.scope.arrays.get(getattr(expr.by, "name", ""), "")
            if role in ("input", "weight"):
                letter = getattr(self.scope.letters, role)
                self._kinks(self.scope.output.body, letter, _Path().then(*self.scope.output.free))
            return
        if isinstance(expr, Call | Binary):
            inner = expr.args if isinstance(expr, Call) else (expr.left, expr.right)
            whole = isinstance(expr, Call) and expr.name in ("ones", "pad")
            for position, part in enumerate(inner):
                if whole and (position > 0 or expr.name == "ones"):  # type: ignore[union-attr]
                    self._index(part, _Path())
                else:
                    self.array(part)
            sizes = arrays.symbolic(expr, self.scope).sizes
            guards = tuple(nonnegative(size - 1) for size in sizes)
            text = to_text(expr)
            fault, doubt = f"takes {text}, which has no entries", f"whether {text} always has entries"
            self._add(Need((), Inside(guards)), "undefined", fault, doubt)
            return
        for child in children(expr):
            self.value(child, _Path())


def _divides(text: str) -> tuple[str, str]:
    """The fault and the doubt of a divisor."""
    fault = "divides by zero" if text == "0" else f"divides by {text}, which is 0"
    return fault, f"whether {text}, by which it divides, is ever 0"


def _takes(text: str) -> tuple[str, str]:
    """The fault and the doubt of a power."""
    return f"takes {text}, which has no value", f"whether {text} always has a value"


def _axes(where: Expr, scope: Scope) -> int:
    """How many coordinates a member of a set has."""
    return len(scope.windows) if isinstance(where, Entry) else 1


def _has_names(expr: Expr) -> bool:
    return any(isinstance(part, Name) for part in walk_expr(expr))


def _is_negative(exponent: Node) -> bool:
    return isinstance(exponent, Constant) and exponent.value < 0 and exponent.value.denominator == 1


def _is_name(expr: Expr, name: str) -> bool:
    return isinstance(expr, Name) and bool(name) and expr.name == name


def _readable(name: str, scope: Scope) -> Box:
    """The indices at which a tensor may be read: a padded input in its padding too, which is zero there."""
    box = scope.boxes[name]
    op = scope.op
    zeros = (isinstance(op, Conv) and op.padding_mode == "zeros") or isinstance(op, AvgPool | LPPool)
    if name != scope.letters.input or not zeros or len(box) < len(scope.windows):
        return box
    lead = len(box) - len(scope.windows)
    wider = []
    for (low, high), window, size, count in zip(
        box[lead:], scope.windows, scope.input_sizes, scope.output_sizes, strict=True
    ):
        before, after = window.padding(size)
        last = high + _never_negative(after)
        if isinstance(op, Pooling) and window.ceil_mode:  # the last window may hang over the padding
            last = maximum(last, window.tap(count - 1, window.k - 1, size) + low)
        wider.append((low - _never_negative(before), last))
    return (*box[:lead], *wider)


def _never_negative(padding: Index) -> Index:
    return padding if padding.value is None else Index.of(max(padding.value, 0))
