"""A statement "left == right for all indices and sizes", with everything that it is meant under."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symconv.errors import ArgumentError
from symconv.formulas.algebra import Bound, Guard, Named, Node
from symconv.formulas.exact import Box
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.naming import free_names, fresh_name, renamed_bounds
from symconv.formulas.substitution import substitute
from symconv.formulas.walks import accesses, own_guards, own_indices, walk
from symconv.proofs.needs import Need
from symconv.proofs.sizes import denominators

__all__ = ["Statement", "free_names", "of_formulas", "size_order"]


@dataclass(frozen=True)
class Statement:
    """``left == right`` for all values of the free indices and parameters that the hypotheses allow.

    Attributes:
        left: the left-hand side.
        right: the right-hand side, in the same free indices.
        free: the free indices with their ranges.
        boxes: the box of every tensor; outside it a tensor is zero.
        hypotheses: conditions on parameters, and on free indices beyond their ranges.
        definitions: names that stand for expressions in parameters, such as the output size.
        parameters: the names that range over integers, in the order in which sizes are enumerated.
        fixed: parameters that the hypotheses fix.
        solved: names that the hypotheses express by others; both sides are written without them.
        other_free: the ranges of the free indices as the right-hand side declares them.
        reals: names of real parameters, such as the p of an LP norm.
        agreements: where both sides declare the box of a tensor, that the two are the same.
        stated: the statement as it was made, before equations were put in; what a certificate states.
        needs: without what a side has no value; a point at which one is not met is no point of the statement.
    """

    left: Node
    right: Node
    free: tuple[Bound, ...]
    boxes: Mapping[str, Box]
    hypotheses: tuple[Guard, ...] = ()
    definitions: tuple[tuple[str, Index], ...] = ()
    parameters: tuple[str, ...] = ()
    fixed: tuple[tuple[str, int], ...] = ()
    solved: tuple[tuple[str, Index], ...] = ()
    other_free: tuple[Bound, ...] = ()
    reals: frozenset[str] = frozenset()
    agreements: tuple[tuple[str, Guard], ...] = ()
    stated: Statement | None = field(default=None, repr=False, compare=False)
    needs: tuple[Need, ...] = ()

    @staticmethod
    def of(
        left: Node,
        right: Node,
        free: Sequence[Bound],
        boxes: Mapping[str, Box],
        hypotheses: Iterable[Guard] = (),
        *,
        definitions: Iterable[tuple[str, Index]] = (),
        other_free: Sequence[Bound] | None = None,
        reals: frozenset[str] = frozenset(),
        order: Sequence[str] = (),
        agreements: Iterable[tuple[str, Guard]] = (),
        needs: Iterable[Need] = (),
    ) -> Statement:
        """A statement about two trees; what equations among the hypotheses fix is put in.

        Args:
            left, right, free, boxes, hypotheses, definitions, reals, agreements, needs: see the class.
            other_free: the ranges that the right-hand side declares, if they are stated apart.
            order: parameters in the order in which sizes are enumerated; the others follow.

        Raises:
            ArgumentError: for a tensor without a box, or one that is read with a wrong number of indices.
        """
        for side, node in (("left", left), ("right", right)):
            for access in accesses(node):
                if access.tensor not in boxes or len(boxes[access.tensor]) != len(access.index):
                    raise ArgumentError(side, access.tensor, "must be read with one index for every axis of its box")
        plain = Statement(
            left,
            right,
            tuple(free),
            dict(boxes),
            tuple(dict.fromkeys(hypotheses)),
            tuple(definitions),
            other_free=tuple(free if other_free is None else other_free),
            reals=reals,
            agreements=tuple(pair for pair in dict.fromkeys(agreements) if pair[1].truth is not True),
            needs=tuple(needs),
        )
        return replace(plain._solve_equations(order)._with_parameters(order), stated=plain._with_parameters(order))

    # ------------------------------------------------------------------ what it is made of

    @property
    def indices(self) -> tuple[str, ...]:
        """The names of the free indices."""
        return tuple(bound.name for bound in self.free)

    @property
    def on_sizes(self) -> tuple[Guard, ...]:
        """The hypotheses that speak of no free index, definitions included."""
        own = set(self.indices)
        given = [g for g in self.hypotheses if not g.names & own]
        return (*given, *(Guard("eq", Index.of(name) - value) for name, value in self.definitions))

    @property
    def on_indices(self) -> tuple[Guard, ...]:
        """The hypotheses that restrict free indices beyond their ranges."""
        own = set(self.indices)
        return tuple(g for g in self.hypotheses if g.names & own)

    @property
    def all_hypotheses(self) -> tuple[Guard, ...]:
        """All conditions under which the two sides must agree."""
        ranges = [g for bound in self.free for g in bound.guards()]
        return tuple(g for g in (*self.on_sizes, *ranges, *self.on_indices) if g.truth is not True)

    def _exprs(self) -> Iterator[Index]:
        for bound in (*self.free, *self.other_free):
            yield from (bound.lower, bound.upper)
        for box in self.boxes.values():
            for low, high in box:
                yield from (low, high)
        for guard in self.hypotheses:
            yield guard.expr
            if guard.divisor is not None:
                yield guard.divisor
        for _, value in self.definitions:
            yield value

    def denominators(self) -> tuple[Index, ...]:
        """All denominators and divisors that depend on parameters alone: they must be positive for a size to count."""
        allowed = set(self.parameters) | {name for name, _ in self.definitions}
        exprs = [*self._exprs(), *_indices_in(self.left), *_indices_in(self.right)]
        guards = [*self.hypotheses, *_guards_in(self.left), *_guards_in(self.right)]
        return tuple(d for d in denominators(exprs, guards) if d.names <= allowed)

    # ------------------------------------------------------------------ building

    def with_needs(self, needs: Iterable[Need], order: Sequence[str] = ()) -> Statement:
        """The statement about the points at which these needs are met; `order` as for `of`."""
        return replace(self, needs=tuple(needs))._with_parameters(order)

    def subs(self, env: Mapping[str, Index]) -> Statement:
        """The statement with expressions put in for parameters."""

        def ranges(bounds: Sequence[Bound]) -> tuple[Bound, ...]:
            return tuple(Bound(b.name, b.lower.subs(env), b.upper.subs(env)) for b in bounds)

        return replace(
            self,
            left=substitute(self.left, env),
            right=substitute(self.right, env),
            free=ranges(self.free),
            other_free=ranges(self.other_free),
            boxes={
                name: tuple((low.subs(env), high.subs(env)) for low, high in box) for name, box in self.boxes.items()
            },
            hypotheses=tuple(g for g in (g.subs(env) for g in self.hypotheses) if g.truth is not True),
            definitions=tuple((name, value.subs(env)) for name, value in self.definitions),
            agreements=tuple((name, guard.subs(env)) for name, guard in self.agreements),
            stated=None,
            needs=tuple(need.subs(env) for need in self.needs),
        )

    def at_size(self, env: Mapping[str, int]) -> dict[str, int]:
        """The numbers of a size with the parameters first, then those that the hypotheses express by them."""
        solved = {name: int(value.evaluate(env)) for name, value in self.solved}
        names = [*self.parameters, *solved, *(name for name, _ in self.definitions)]
        return {name: {**env, **solved}[name] for name in names}

    def _solve_equations(self, order: Sequence[str]) -> Statement:
        """Use equations among the hypotheses: ``S == 1`` puts 1 in for S, ``K == I`` puts I in for K."""
        statement, solved = self, list(self.solved)
        while True:
            step = statement._equation(order)
            if step is None:
                fixed = tuple((name, value.value) for name, value in solved if value.value is not None)
                return replace(statement, solved=tuple(solved), fixed=fixed)
            env = {step[0]: step[1]}
            solved = [(name, value.subs(env)) for name, value in solved] + [step]
            statement = statement.subs(env)

    def _equation(self, order: Sequence[str]) -> tuple[str, Index] | None:
        for guard in self.hypotheses:
            expr = guard.expr
            for defined, value in reversed(self.definitions):
                expr = expr.subs({defined: value})
            if guard.kind != "eq" or expr.names & set(self.indices) or _has_atoms(expr):
                continue
            for name in sorted(expr.names, key=lambda n: size_order(n, order), reverse=True):
                split = expr.linear_in(name)
                if split is not None and split[0].value in (1, -1):
                    return name, -split[1] if split[0].value == 1 else split[1]
        return None

    def _with_parameters(self, order: Sequence[str]) -> Statement:
        names = free_names(self.left) | free_names(self.right)
        for expr in self._exprs():
            names |= expr.names
        for need in self.needs:
            names |= need.names
        names -= set(self.indices) | {name for name, _ in self.definitions}
        return replace(self, parameters=tuple(sorted(names, key=lambda name: size_order(name, order))))


def size_order(name: str, order: Sequence[str] = ()) -> tuple[int, int, str]:
    """The place of a parameter in an enumeration: as given, else input, kernel, stride, padding, dilation, others."""
    if name in order:
        return 0, list(order).index(name), name
    letter = name.partition("_")[0].rstrip("'")
    return 1, "IKSPQD".find(letter) if letter and letter in "IKSPQD" else 9, name


def _has_atoms(expr: Index) -> bool:
    return any(not isinstance(atom, str) for key in expr.terms for atom in key)


def _indices_in(node: Node) -> Iterator[Index]:
    for n in walk(node):
        if not isinstance(n, Named):  # what is under a name counts, not what it is printed with
            yield from own_indices(n)
    for guard in _guards_in(node):
        yield guard.expr


def _guards_in(node: Node) -> Iterator[Guard]:
    for n in walk(node):
        yield from own_guards(n)


def of_formulas(left: Formula, right: Formula, assuming: Iterable[Guard] = ()) -> Statement:
    """The statement that two formulas agree: their free indices matched, their hypotheses joined.

    Free indices are matched by name where both sides have the same names, else by position. A size that follows from
    others (such as the output size O of an operator) is renamed where its name means something else on the other side.

    Raises:
        ArgumentError: where the numbers of free indices or the axes of a tensor differ.
    """
    right = right.rebased(left.base)
    if len(left.free) != len(right.free):
        raise ArgumentError(
            "right", right.indices, f"must have as many free indices as the left side ({', '.join(left.indices)})"
        )
    ours, theirs, order = _names_apart(left, right)
    body, free, left_boxes = _renamed(left, ours)
    boxes = dict(left_boxes)
    agreements: list[tuple[str, Guard]] = []
    other_body, other_free, right_boxes = _renamed(right, theirs)
    for name, box in right_boxes.items():
        mine = boxes.setdefault(name, box)
        if len(mine) != len(box):
            raise ArgumentError("right", name, "must have as many axes as on the left side")
        for one, two in zip(mine, box, strict=True):
            agreements += [(name, Guard("eq", a - b)) for a, b in zip(one, two, strict=True)]
    hypotheses: list[Guard] = []
    definitions: dict[tuple[str, Index], None] = {}
    for formula, env in ((left, ours), (right, theirs)):
        hypotheses += [Guard("ge", Index.of(env.get(name, name)) - low) for name, low in formula.lower]
        hypotheses += [Guard("ge", fact.subs(env)) for fact in formula.facts]
        hypotheses += [Guard("ge", Index.of(name) - 1) for name in sorted(formula.table.real)]  # the order of a norm
        definitions.update(((env.get(name, name), value.subs(env)), None) for name, value in formula.definitions)
    return Statement.of(
        body,
        other_body,
        free,
        boxes,
        [*hypotheses, *assuming],
        definitions=definitions,
        other_free=tuple(other_free[k] for k in order),
        reals=left.table.real | right.table.real,
        agreements=agreements,
    )


def _names_apart(left: Formula, right: Formula) -> tuple[dict[str, str], dict[str, str], list[int]]:
    """New names, on either side, for what would be taken for something else on the other one.

    Sizes that a caller named keep their names, and mean the same on both sides. The size of the input, what follows
    from it (an output size O) and free indices give way.

    Returns:
        the new names on the left and on the right, and the place on the right of every free index of the left.
    """
    own_left, own_right = _own_sizes(left), _own_sizes(right)
    given_left, given_right = (formula.table.given.intersection(formula.parameters) for formula in (left, right))
    taken = {*left.parameters, *right.parameters, *left.indices, *right.indices}
    taken |= {name for formula in (left, right) for name, _ in formula.definitions}
    ours: dict[str, str] = {}
    theirs: dict[str, str] = {}

    def move(name: str, names: dict[str, str]) -> None:
        names[name] = fresh_name(name, taken)
        taken.add(names[name])

    for name in own_left:
        if name in given_right:
            move(name, ours)
    if len(own_left) == len(own_right):  # the input of the two is one input
        theirs.update({b: ours.get(a, a) for a, b in zip(own_left, own_right, strict=True) if ours.get(a, a) != b})
    for name in own_right:
        if name in given_left and name not in theirs:
            move(name, theirs)
    for name, _ in left.definitions:
        if name in given_right or name in right.indices:
            move(name, ours)
    defined = {ours.get(name, name): value.subs(ours) for name, value in left.definitions}
    for name, value in right.definitions:
        if name in given_left or name in left.indices or defined.get(name, value.subs(theirs)) != value.subs(theirs):
            move(name, theirs)
    if set(left.indices) == set(right.indices):
        return ours, theirs, [right.indices.index(name) for name in left.indices]
    for mine, other in zip(left.indices, right.indices, strict=True):
        if mine in given_right or mine in theirs.values():
            move(mine, ours)
        theirs[other] = ours.get(mine, mine)
    return ours, theirs, list(range(len(left.free)))


def _own_sizes(formula: Formula) -> list[str]:
    """The input sizes that have their names from us: no option of the operator is called so."""
    present = set(formula.parameters)
    return [name for name in formula.sizes if name in present and name not in formula.table.given]


def _renamed(formula: Formula, names: Mapping[str, str]) -> tuple[Node, tuple[Bound, ...], dict[str, Box]]:
    """The body, free indices and boxes of a formula under other names."""
    boxes = {t.name: tuple((low.subs(names), high.subs(names)) for low, high in t.box) for t in formula.tensors}
    return substitute(formula.body, names), renamed_bounds(formula.free, names), boxes
