"""Affine bijections of bound indices, guessed by solving the equations "both sides read the same entry".

What comes out of here is a guess and is never trusted: the obligations of `symconv.proofs.bijection` decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, permutations, product

from symconv.formulas.algebra import (
    Absolute,
    Access,
    Applied,
    Bracket,
    Compare,
    Constant,
    FormulaWalker,
    Multiply,
    Named,
    Node,
    Plus,
    Power,
    Reduce,
    Scalar,
    Share,
    Sign,
)
from symconv.formulas.effort import Effort
from symconv.formulas.index import Index, Quotient, quotient
from symconv.formulas.walker import case
from symconv.formulas.walks import children
from symconv.proofs.terms import Flat, kind_of

__all__ = ["Assignment", "assignments", "bijections"]

Assignment = tuple[tuple[tuple[Access, Access], ...], tuple[tuple[Node, Node], ...]]
MAX_ASSIGNMENTS = 48
MAX_GUESSES = 8
EQUATION = 20  # steps to look for one index in one equation
Solution = dict[str, Index]


def assignments(left: Flat, right: Flat) -> Iterator[Assignment]:
    """All ways to pair the factors of two terms with the same signature, equal tensors with equal tensors."""
    count = 0
    for accesses in _pairings([a.tensor for a in left.accesses], [a.tensor for a in right.accesses]):
        for others in _pairings([kind_of(n) for n in left.others], [kind_of(n) for n in right.others]):
            count += 1
            if count > MAX_ASSIGNMENTS:
                return
            yield (
                tuple((left.accesses[i], right.accesses[j]) for i, j in accesses),
                tuple((left.others[i], right.others[j]) for i, j in others),
            )


def _pairings(left: Sequence[str], right: Sequence[str]) -> Iterator[list[tuple[int, int]]]:
    kinds = sorted(set(left))
    choices = []
    for kind in kinds:
        mine = [i for i, k in enumerate(left) if k == kind]
        theirs = [j for j, k in enumerate(right) if k == kind]
        if len(mine) != len(theirs):
            return
        orders = islice(permutations(theirs), MAX_ASSIGNMENTS)  # of twelve entries there would be 479 million
        choices.append([list(zip(mine, order, strict=True)) for order in orders])
    for chosen in product(*choices):
        yield [pair for group in chosen for pair in group]


def bijections(
    left: Flat, right: Flat, pairs: Assignment, scope: frozenset[str], effort: Effort, given: Sequence[Index] = ()
) -> Iterator[tuple[Solution, Solution]]:
    """Candidates ``(forward, backward)``: the bound indices of the right term in those of the left, and back.

    What is 0 by hypothesis (`given`) may be added to an equation before it is divided: 2 m' + i - 2 m = 2 m + 2 t has
    a solution in integers where i = 2 m + 2 t is known around both terms.
    """
    equations = [a - b for mine, theirs in pairs[0] for a, b in zip(mine.index, theirs.index, strict=True)]
    hints = [e for mine, theirs in pairs[1] for e in _alike(mine, theirs, scope | {*left.names, *right.names})]
    seen = []
    for known in ([*equations, *hints], equations) if hints else (equations,):
        for forward in _solutions(right, left, known, given, effort):
            back = [Index.of(name) - value for name, value in forward.items()]
            for backward in _solutions(left, right, [*known, *back], given, effort):
                if (forward, backward) not in seen:
                    seen.append((forward, backward))
                    yield forward, backward
                if len(seen) >= MAX_GUESSES:
                    return


class _Alike(FormulaWalker[list[Index]]):
    """Differences of indices at the same place of two trees, where they speak of names in scope only."""

    def __init__(self, other: Node, scope: frozenset[str]) -> None:
        self.other, self.scope = other, scope

    def in_scope(self, both: Iterable[Index]) -> list[Index]:
        return [e for e in both if e.terms and e.names <= self.scope]

    @case(Access)
    def _access(self, node: Access) -> list[Index]:
        if not isinstance(self.other, Access):
            return []
        return self.in_scope(a - b for a, b in zip(node.index, self.other.index, strict=False))

    @case(Share)
    def _share(self, node: Share) -> list[Index]:
        if not isinstance(self.other, Share):
            return []
        windows = _alike(node.reduce, self.other.reduce, self.scope)
        return [*windows, *self.in_scope(a - b for a, b in zip(node.at, self.other.at, strict=False))]

    @case(Reduce)
    def _reduce(self, node: Reduce) -> list[Index]:
        if not isinstance(self.other, Reduce):
            return []
        # windows over the same taps: their bound indices are taken for one another, which may guess wrong
        env = {b.name: Index.of(a.name) for a, b in zip(node.bounds, self.other.bounds, strict=False)}
        inner = {b.name for b in node.bounds}
        moved = (e.subs(env) for e in _alike(node.body, self.other.body, self.scope | inner | set(env)))
        return self.in_scope(e for e in moved if not e.names & inner)

    @case(Plus, Multiply, Power, Absolute, Sign, Applied, Compare)
    def _composite(self, node: Node) -> list[Index]:
        if isinstance(self.other, Share | Reduce):
            return []
        pairs = zip(children(node), children(self.other), strict=False)
        return [e for a, b in pairs for e in _alike(a, b, self.scope)]

    @case(Constant, Scalar, Bracket, Named)
    def _leaf(self, node: Node) -> list[Index]:
        return []


def _alike(left: Node, right: Node, scope: frozenset[str]) -> list[Index]:
    return _Alike(right, scope).visit(left)


def _solutions(
    unknown: Flat, other: Flat, equations: Sequence[Index], around: Sequence[Index], effort: Effort
) -> Iterator[Solution]:
    """Values for the bound indices of one term in those of the other."""
    own = [g.expr for g in unknown.guards if g.kind == "eq"]
    given, fixed = _fixed(other)
    given = [*given, *around]
    theirs = [(name, n.subs(fixed), d.subs(fixed)) for name, n, d in other.quotients]
    equations = [e.subs(fixed) for e in equations]
    cost = EQUATION * (1 + len(unknown.names)) * (1 + len(equations) + len(own))
    effort.spend(cost)
    solved = _propagate(unknown, theirs, [*equations, *own], given)
    if solved is None:
        return
    left = [name for name in unknown.names if name not in solved]
    if not left:
        yield solved
        return
    for guess in islice(_guesses(unknown, other, solved, left, effort), MAX_GUESSES):
        effort.spend(cost)
        extra = [Index.of(name) - value for name, value in guess.items()]
        more = _propagate(unknown, theirs, [*equations, *own, *extra], given)
        if more is not None and all(name in more for name in unknown.names):
            yield more


def _fixed(flat: Flat) -> tuple[list[Index], Solution]:
    """What the equations among a term's own guards say: those that are left, and indices that others express."""
    left = [g.expr for g in flat.guards if g.kind == "eq"]
    fixed: Solution = {}
    while (step := _unit_pivot(left, [name for name in flat.names if name not in fixed])) is not None:
        env = {step[0]: step[1]}
        fixed = {name: value.subs(env) for name, value in fixed.items()} | env
        left = [e for e in (e.subs(env) for e in left) if e.terms]
    return left, fixed


def _guesses(unknown: Flat, other: Flat, solved: Solution, left: Sequence[str], effort: Effort) -> Iterator[Solution]:
    """Guesses for indices that no equation fixes, those first that turn the most guards into ones of the other term."""
    ranges = {name: (low, high) for name, low, high in unknown.ranges}
    used = frozenset().union(*(value.names for value in solved.values()))
    free = [(name, low, high) for name, low, high in other.ranges if name not in used]
    open_ = [name for name in left if name in ranges]
    guards = [guard.subs(solved) for guard in unknown.guards]
    present = set(other.guards)
    choices = []
    for name in open_:
        low, _ = ranges[name]
        values = [Index.of(theirs) - start + low for theirs, start, _ in free]
        values += [low + end - Index.of(theirs) for theirs, _, end in free]
        mine = [guard for guard in guards if name in guard.names and not guard.names & set(left) - {name}]
        for guard in mine:
            for theirs in other.guards:
                step = _pivot([guard.expr - theirs.expr], [name], ()) if guard.kind == theirs.kind else None
                values += [step[1]] if step is not None and name not in step[1].names else []
        values.append(low)
        effort.spend(EQUATION * (1 + len(mine)) * (len(other.guards) + len(values)))
        scores = {v: sum(guard.subs({name: v}) in present for guard in mine) for v in dict.fromkeys(values)}
        best = sorted(scores, key=lambda v: -scores[v])  # a stable sort, so ties keep their order
        choices.append([(name, value) for value in best])
    together = islice(product(*(enumerate(choice) for choice in choices)), 512)
    for chosen in sorted(together, key=lambda pairs: sum(rank for rank, _ in pairs)):
        yield dict(pair for _, pair in chosen)


def _propagate(
    unknown: Flat, quotients: Sequence[tuple[str, Index, Index]], equations: Sequence[Index], given: Sequence[Index]
) -> Solution | None:
    """Solve by substitution as far as it goes; None where two equations contradict each other."""
    names = list(unknown.names)
    solved: Solution = {}
    left = [e for e in equations if e.terms]
    while len(solved) < len(names):
        step = _pivot(left, [n for n in names if n not in solved], given)
        if step is None:
            step = _quotient_pivot(unknown.quotients, quotients, solved, names)
        if step is None:
            break
        env = {step[0]: step[1]}
        solved = {name: value.subs(env) for name, value in solved.items()}
        solved[step[0]] = step[1]
        left = [e for e in (e.subs(env) for e in left) if e.terms]
        if any(e.value is not None for e in left):
            return None
    return None if any(value.names & set(names) for value in solved.values()) and len(solved) == len(names) else solved


def _pivot(equations: Sequence[Index], names: Sequence[str], given: Sequence[Index]) -> tuple[str, Index] | None:
    unit = _unit_pivot(equations, names)
    if unit is not None:
        return unit
    open_ = set(names)
    for e in equations:
        for name in names:
            split = e.linear_in(name)
            if split is None or not split[0].terms or (split[0].names | split[1].names) & open_:
                continue
            for known in (Index.of(0), *given, *(-g for g in given)):
                value = _divided(-(split[1] + known), split[0])
                if value is not None:
                    return name, value
    return None


def _unit_pivot(equations: Sequence[Index], names: Sequence[str]) -> tuple[str, Index] | None:
    for e in equations:
        for name in names:
            split = e.linear_in(name)
            if split is not None and split[0].value in (1, -1):
                return name, -split[1] if split[0].value == 1 else split[1]
    return None


def _quotient_pivot(
    own: Sequence[tuple[str, Index, Index]],
    theirs: Sequence[tuple[str, Index, Index]],
    solved: Solution,
    names: Sequence[str],
) -> tuple[str, Index] | None:
    """A quotient whose numerator differs from another one's by a multiple of the denominator."""
    for name, numerator, denominator in own:
        if name in solved:
            continue
        n, d = numerator.subs(solved), denominator.subs(solved)
        if (n.names | d.names) & set(names):
            continue
        for other, n2, d2 in theirs:
            shift = _divided(n - n2, d) if d == d2 else None
            if shift is not None:
                return name, Index.of(other) + shift
        whole = _divided(n, d)
        if whole is not None:
            return name, whole
    return None


def _divided(top: Index, bottom: Index) -> Index | None:
    """``top / bottom`` where that is a polynomial, else None."""
    if top == 0:
        return Index.of(0)
    if len(bottom.terms) == 1 and next(iter(bottom.terms.values())) < 0:
        top, bottom = -top, -bottom
    result = quotient(top, bottom, "exact")
    if any(isinstance(atom, Quotient) for key in result.terms for atom in key):
        return None
    return result
