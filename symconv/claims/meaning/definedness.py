"""What a claim needs to have a meaning: entries that exist, divisors that are not 0, maxima over something.

One walk over the claim, with the ranges and cases that lead to each place, yields everything that its two sides need;
what becomes of a need that is not met is decided in `symconv.claims.meaning.decision`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from symconv.claims.meaning import arrays
from symconv.claims.meaning.arithmetic import of_divisor, of_nonzero, of_norm, of_power, of_upper
from symconv.claims.meaning.existence import Existence, filled
from symconv.claims.meaning.family import has_ties
from symconv.claims.meaning.functions import of_values, value_function
from symconv.claims.meaning.indexed import exists_in
from symconv.claims.meaning.indices import to_index
from symconv.claims.meaning.kinks import Ties, kinks
from symconv.claims.meaning.lowering import compares_values, conditions_of, lower
from symconv.claims.meaning.obligations import NEVER, ClaimNeed, Path
from symconv.claims.meaning.open_sums import bound_names, is_open, open_range
from symconv.claims.meaning.scope import NORMS, Scope
from symconv.claims.meaning.sets import members
from symconv.claims.syntax import (
    ENTRY,
    TRANSPOSED,
    Binary,
    Call,
    Cases,
    Condition,
    Derivative,
    Entry,
    Expr,
    Limit,
    Name,
    Negate,
    Over,
    Raised,
    Range,
    Sum,
)
from symconv.claims.traversal import children
from symconv.claims.writing import to_text
from symconv.errors import ClaimError
from symconv.formulas import algebra
from symconv.formulas.algebra import Bound, Guard, Node, nonnegative
from symconv.formulas.index import Index
from symconv.formulas.substitution import substitute
from symconv.proofs.needs import Inside, Member, Need, Otherwise
from symconv.proofs.windows import needs_of, said_of

__all__ = ["obligations", "of_arrays"]


def obligations(parts: Sequence[Expr], free: Sequence[Bound], scope: Scope) -> list[ClaimNeed]:
    """What the sides of a claim need, in reading order; an inner part before the one that uses it.

    Args:
        parts: the sides, single values.
        free: the free indices with their ranges.
        scope: what the claim may speak of; with ``outside = "zero"`` an entry at a free index need not exist.
    """
    walker = _Walker(scope, Existence(scope, frozenset(bound.name for bound in free)))
    for part in parts:
        walker.value(part, Path())
    return list(dict.fromkeys(walker.found))


def of_arrays(parts: Sequence[Expr], scope: Scope) -> list[ClaimNeed]:
    """What whole arrays need: every array on the way has entries, and so have their written-out entries."""
    walker = _Walker(scope, Existence(scope, frozenset()))
    for part in parts:
        walker.array(part)
    return list(dict.fromkeys(walker.found))


@dataclass
class _Walker:
    scope: Scope
    exist: Existence
    found: list[ClaimNeed] = field(default_factory=list)

    def _add(self, more: Iterable[ClaimNeed]) -> None:
        self.found.extend(more)

    # ------------------------------------------------------------------ values

    def value(self, expr: Expr, path: Path) -> None:
        """What the value of an expression needs."""
        if isinstance(expr, Entry):
            self._entry(expr, path)
        elif isinstance(expr, Binary) and expr.op == "/":
            self.value(expr.left, path)
            self.value(expr.right, path)
            self._add(of_divisor(expr.right, self.scope, path))
        elif isinstance(expr, Raised):
            self.value(expr.base, path)
            self.value(expr.exponent, self._with_orders(path))
            self._add(of_power(expr, self.scope, path))
        elif isinstance(expr, Sum):
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

    def _with_orders(self, path: Path) -> Path:
        return replace(path, bound=path.bound | self.scope.orders)

    def _entry(self, expr: Entry, path: Path) -> None:
        for index in expr.indices:
            self._index(index, path)
        if expr.name == "size":
            return
        self._exists(expr, path)
        if expr.upper is not None and expr.upper != Name(self.scope.declared.upper):
            self.value(expr.upper, self._with_orders(path))
            self._add(of_upper(expr, self.scope, path))

    def _exists(self, expr: Entry, path: Path) -> None:
        """An entry lies in its tensor; an average or a maximum is over something."""
        one = self.exist.of_entry(expr, path)
        self._add([one] if one is not None else [])
        if expr.name == self.scope.letters.output:
            at, box = self.exist.place(expr, path)
            env = dict(zip(self.scope.output.indices, at, strict=True))
            there = algebra.inside(algebra.Access(expr.name, at), box)
            own = needs_of(substitute(self.scope.output.body, env), path.then(*there).steps)
            self._windows(own)

    def _windows(self, needs: Iterable[Need]) -> None:
        self._add(ClaimNeed(need, "silent", "", "", condition=said_of(need)) for need in needs)

    def _kinks(self, body: Node, tensor: str, path: Path) -> None:
        op = self.scope.op
        ties: Ties = "refused" if op.refuses_ties else "declared" if has_ties(op) else "undeclared"
        self._add(kinks(body, tensor, path, ties=ties, declared=op.kink_policy() != "undefined"))

    def _outputs(self) -> Path:
        """The way to every entry of the output; all of them have a value where the output, or the error, has one."""
        everywhere = Path().then(*self.scope.output.free)
        self._windows(needs_of(self.scope.output.body, everywhere.steps))
        return everywhere

    # ------------------------------------------------------------------ sums, maxima, cases

    def _reduced(self, expr: Sum, path: Path) -> None:
        inner, overs = path, expr.over
        for over in overs:
            inner = self._over(over, inner, expr)
        if expr.op != "sum":
            new = inner.steps[len(path.steps) :]
            bounds = tuple(step for step in new if isinstance(step, Bound))
            guards = tuple(step for step in new if isinstance(step, Guard))
            text = to_text(expr)
            words = f"takes {text}, a {expr.op}imum over nothing", f"whether {text} is always over something"
            if len(overs) == 1 and isinstance(overs[0], Over) and not is_open(overs[0]):
                self._add(filled(overs[0].set, words, self.scope, path))
            else:
                self._add([ClaimNeed(Need(path.steps, Member(bounds, guards)), "undefined", *words)])
        self.value(expr.body, inner)

    def _over(self, over: Range | Over, path: Path, whole: Sum) -> Path:
        if isinstance(over, Over) and is_open(over):
            every = path.bound | bound_names(whole)
            found = [open_range(name, whole.body, self.scope, every) for name in over.variables]
            bounds = [one.bound for one in found]
            return path.then(*bounds, *(guard for one in found for guard in one.guards))
        if isinstance(over, Range):
            self._index(over.lower, path)
            self._index(over.upper, path)
            low, high = (to_index(end, self.scope, path.bound) for end in (over.lower, over.upper))
            inner = path.then(Bound(over.variable, low, high))
            return replace(inner, ranges=(*path.ranges, over))
        self._window(over.set, path)
        bounds, guards = members(over, self.scope, path.bound)
        return path.then(*bounds, *guards)

    def _window(self, where: Expr, path: Path) -> None:
        """A window set belongs to an output that there is."""
        if not isinstance(where, Entry) or where.name not in self.scope.declared.sets:
            return
        for index in where.indices:
            self._index(index, path)
        one = self.exist.of_window(where, path)
        self._add([one] if one is not None else [])

    def _cases(self, expr: Cases, path: Path) -> None:
        rest = path
        for value, conditions in expr.rows:
            for condition in conditions:
                for side in (condition.left, condition.right):
                    (self.value if compares_values(condition) else self._index)(side, rest)
            guards = self._guards(conditions, path)
            self.value(value, rest.then(*guards))
            if not conditions:
                return
            if not any(
                map(compares_values, conditions)
            ):  # a comparison of values does not show in arithmetic of indices
                rest = rest.then(Otherwise(tuple(guards)))
        if any(compares_values(condition) for _, conditions in expr.rows for condition in conditions):
            if not _covers(expr):
                raise ClaimError(
                    "the cases compare values and leave some out, where nothing is said; add a last one with "
                    r"0 & \text{otherwise}, or say what holds there"
                )
            return
        text = to_text(expr)
        need = Need(rest.steps, Inside(NEVER))
        fault, doubt = f"finds no case of {text} that applies", f"whether a case of {text} applies"
        self._add([ClaimNeed(need, "undefined", fault, doubt)])

    def _guards(self, conditions: Sequence[Condition], path: Path) -> list[Guard]:
        return [g for condition in conditions for g in conditions_of(condition, self.scope, path.bound)]

    # ------------------------------------------------------------------ functions

    def _call(self, expr: Call, path: Path) -> None:
        name, args = expr.name, expr.args
        sets = self.scope.declared.sets
        if name == ENTRY:
            self._of_array(expr, path)
        elif name in ("floor", "ceil", "mod") or (name in ("max", "min") and not of_values(expr)):
            self._index(expr, path)
        elif name in ("size", "card") or (name == "abs" and getattr(args[0], "name", "") in sets):
            self._window(args[0], path)
        elif self.scope.declared.functions.get(name, "") in NORMS:
            if len(args) == 3:
                self._window(args[1], path)
            norm = lower(expr, self.scope, path.bound)
            self._add(of_norm(norm, to_text(expr), self.scope, path))
        else:
            for arg in args:
                self.value(arg, path)
            if value_function(name, self.scope) is not None:
                self._windows(needs_of(lower(expr, self.scope, path.bound), path.steps))

    def _of_array(self, expr: Call, path: Path) -> None:
        """An entry of an array expression: the array has one there, whatever is declared for tensors."""
        whole, *indices = expr.args
        for index in indices:
            self._index(index, path)
        self.array(whole)
        text = to_text(expr)
        need = Need(path.steps, Inside(exists_in(expr, self.scope, path.bound)))
        self._add(
            [ClaimNeed(need, "undefined", f"reads {text}, which does not exist", f"whether {text} always exists")]
        )

    def _derivative(self, expr: Derivative, path: Path) -> None:
        if isinstance(expr.of, Name):  # the error, by way of the output
            body: Node = self.scope.output.body
            inner = self._outputs()
        else:
            self.value(expr.of, path)
            body, inner = lower(expr.of, self.scope, path.bound), path
        if isinstance(expr.by, Entry):
            for index in expr.by.indices:
                self._index(index, path)
            self._exists(expr.by, path)
            if expr.by.name != self.scope.letters.output:
                self._kinks(body, expr.by.name, inner)

    # ------------------------------------------------------------------ index expressions

    def _index(self, expr: Expr, path: Path) -> None:
        """What an index expression needs: nothing is divided by 0 under its floors."""
        if isinstance(expr, Call) and expr.name in ("floor", "ceil"):
            self._ratio(expr.args[0], path)
        elif isinstance(expr, Call) and expr.name == "mod":
            for arg in expr.args:
                self._index(arg, path)
            self._add(of_nonzero(to_index(expr.args[1], self.scope, path.bound), to_text(expr.args[1]), path))
        else:
            for child in children(expr):
                self._index(child, path)

    def _ratio(self, expr: Expr, path: Path) -> None:
        if isinstance(expr, Binary) and expr.op in ("+", "-", "/"):
            self._ratio(expr.left, path)
            if expr.op != "/":
                self._ratio(expr.right, path)
                return
            self._index(expr.right, path)
            self._add(of_nonzero(to_index(expr.right, self.scope, path.bound), to_text(expr.right), path))
        else:
            self._index(expr, path)

    # ------------------------------------------------------------------ whole arrays

    def array(self, expr: Expr) -> None:
        """What an array needs: it has entries, and so has every array that it is made of."""
        if not arrays.is_array(expr, self.scope):
            self.value(expr, Path())
            return
        if isinstance(expr, Name):
            if self.scope.arrays.get(expr.name) == "output":
                self._outputs()
            return
        if isinstance(expr, Derivative):
            role = self.scope.arrays.get(getattr(expr.by, "name", ""), "")
            if role in ("input", "weight", "bias"):
                letter = getattr(self.scope.letters, role)
                self._kinks(self.scope.output.body, letter, self._outputs())
            return
        if isinstance(expr, Call | Binary | Negate | Raised):
            inner = expr.args if isinstance(expr, Call) else [c for c in children(expr) if c != TRANSPOSED]
            whole = isinstance(expr, Call) and expr.name in ("ones", "pad")
            for position, part in enumerate(inner):
                if whole and (position > 0 or expr.name == "ones"):  # type: ignore[union-attr]
                    self._index(part, Path())
                else:
                    self.array(part)
            sizes = arrays.symbolic(expr, self.scope).sizes
            guards = tuple(nonnegative(size - 1) for size in sizes)
            text = to_text(expr)
            fault, doubt = f"takes {text}, which has no entries", f"whether {text} always has entries"
            self._add([ClaimNeed(Need((), Inside(guards)), "undefined", fault, doubt)])
            return
        for child in children(expr):
            self.value(child, Path())


def _covers(expr: Cases) -> bool:
    """Whether cases that compare two values with each other leave no value out."""
    single = [conditions[0] for _, conditions in expr.rows if len(conditions) == 1]
    seen: set[str] = set()
    turned = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "=="}
    for one in single:
        if (one.left, one.right) == (single[0].left, single[0].right):
            seen |= {sign for sign in "<>=" if sign in one.relation}
        elif (one.right, one.left) == (single[0].left, single[0].right):
            seen |= {sign for sign in "<>=" if sign in turned[one.relation]}
    return seen >= {"<", ">", "="}
