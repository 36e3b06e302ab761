"""What array programs compute, as formulas: their steps are gone through with formulas in place of arrays.

Nothing is taken from the formula of the layer but what the input and the parameters are; so an error in a program is an
error in what is read off it, and a proof that it equals the layer's formula fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from fractions import Fraction
from functools import partial
from math import prod
from typing import Any, Literal, TypeAlias, TypeVar

from symconv.errors import NotSupportedError
from symconv.formulas.algebra import (
    Absolute,
    Access,
    Bound,
    Constant,
    Guard,
    Label,
    Named,
    Node,
    Power,
    Reduce,
    add,
    const,
    inside,
    product,
)
from symconv.formulas.index import Index, IndexLike, quotient
from symconv.formulas.naming import fresh_name, names_in
from symconv.formulas.printing import LATEX, UNICODE
from symconv.formulas.substitution import substitute
from symconv.formulas.walks import transform
from symconv.kernels.form.reading import WALK
from symconv.kernels.form.tapform import TapForm
from symconv.kernels.programs.program import (
    INFINITY,
    Apply,
    ArrayStep,
    AxisPart,
    Copy,
    FixedEntry,
    Operand,
    Program,
    TapView,
)
from symconv.kernels.programs.stage import ChainStage

__all__ = ["Made", "added_up", "entry_of", "read_chain", "rolled", "row_major"]

MOST_WRITTEN = 16
"""A sum of more terms than that is written with a sum sign."""

SOURCE = "%in"  # no tensor of a formula can be called that

LEVELS = "LMNUVWXY"
"""What arrays of windows of 2, 4, 8... taps are called, by the stage that they belong to."""

Op: TypeAlias = Literal["sum", "max"]
T = TypeVar("T")


@dataclass(frozen=True)
class Made:
    """An array of intermediate results.

    Attributes:
        name: what it is called; `source`, what the array is called that it is made of.
        axes: the axes along which an entry reads several entries of that, or none.
        taps: how many taps an entry is put together of, where windows grow by doubling; else 1.
        whole: what its entry is to be.
        steps: what the program makes of the arrays before it.
    """

    name: str
    source: str
    axes: tuple[int, ...]
    taps: int
    whole: Node
    steps: Node


@dataclass(frozen=True)
class _Fold:
    """What a commutative function has combined so far, in order."""

    op: Op
    parts: tuple[Node, ...]


Value: TypeAlias = "Node | _Fold"


def entry_of(form: TapForm, access: Access) -> Node:
    """What the laid-out input holds at the place ``(p, q, ...)`` that its outputs are numbered by.

    What lies in the padding takes no part where the formula of the layer says so of its taps, and counts as zero
    elsewhere.

    Args:
        form: the tap form.
        access: how the formula reads the input, for its channel.
    """
    ndim = len(form.walks)
    first = {walk.output: min(0, walk.step * (walk.taps - 1)) for walk in form.walks}  # where programs count from
    place = [walk.position.subs({WALK: Index.of(walk.output) + first[walk.output]}) for walk in form.walks]
    entry = Access(access.tensor, (*access.index[:-ndim], *place))
    box = next(tensor.box for tensor in form.formula.tensors if tensor.role == "input")[-ndim:]
    guards: list[Guard] = []
    for walk, here, sides in zip(form.walks, place, box, strict=True):
        tap = {walk.output: walk.stride * Index.of(walk.output) + walk.step * Index.of(walk.tap) - first[walk.output]}
        both = inside(Access(access.tensor, (here,)), (sides,))
        guards += [guard for guard in both if guard.subs(tap) in walk.guards]
    return Reduce("max", (), tuple(guards), entry) if guards else entry


def read_chain(
    stages: Sequence[ChainStage],
    programs: Sequence[Program],
    entry: Node,
    source: str,
    parameters: Mapping[str, Node],
    weight: Callable[[tuple[int, ...]], Node],
    taken: frozenset[str],
) -> tuple[Node, tuple[Made, ...]]:
    """What the last of some programs returns, and the arrays on the way to it.

    Args:
        stages, programs: the stages of a chain, and the program of each; a program runs on what the one before gave.
        entry: what the first one reads, see `entry_of`, and `source`, what that array is called.
        parameters: the arrays besides: counts and biases.
        weight: the entry of the weight at a tap.
        taken: names that no array and no index of a sum may have.

    Returns:
        The output, in which the arrays on the way have names, and these arrays.

    Raises:
        NotSupportedError: for a step that no formula is known of, a position that was not written, or taps of a
            maximum that are not one box.
    """
    made: list[Made] = []
    for number, (stage, program) in enumerate(zip(stages, programs, strict=True)):
        places = tuple(walk.output for walk in stage.walks)
        reader = _Reader(stage, {**parameters, stage.source: _at(places)}, weight, taken, LEVELS[number])
        value = reader.result(program)
        arrays = list(reader.levels)
        if stage is not stages[-1]:
            whole = transform(stage.body, partial(_read_at, stage))
            arrays.append(Made(fresh_name("R" + "'" * number, taken), SOURCE, stage.axes, 1, whole, value))
        for array in arrays:
            both = (_renamed(node, source) for node in (array.whole, array.steps))
            made.append(Made(array.name, source, stage.axes, array.taps, *both))
        if stage is stages[-1]:
            return _with_entries(value, places, entry), tuple(made)
        entry = Named(_label(arrays[-1].name), tuple(map(Index.of, places)), _with_entries(whole, places, entry))
        source = arrays[-1].name
    raise AssertionError("a chain has a stage")


def _renamed(node: Node, source: str) -> Node:
    """A tree with the array that a stage reads under its name."""
    return transform(node, lambda n: Access(source, n.index) if isinstance(n, Access) and n.tensor == SOURCE else None)


def _label(name: str) -> Label:
    return Label(LATEX.name(name), UNICODE.name(name))


def _at(places: Iterable[Index | str]) -> Access:
    """What a stage reads, at a place that its outputs are numbered by."""
    return Access(SOURCE, tuple(map(Index.of, places)))


def _with_entries(node: Node, places: tuple[str, ...], entry: Node) -> Node:
    """What a stage makes of its input, with the entries of that put in."""

    def change(node: Node) -> Node | None:
        if isinstance(node, Access) and node.tensor == SOURCE:
            return substitute(entry, dict(zip(places, node.index, strict=True)))
        if isinstance(node, Reduce):
            body = transform(node.body, change)
            if isinstance(body, Reduce) and not body.bounds and body.op == node.op:
                return Reduce(node.op, node.bounds, (*node.guards, *body.guards), body.body)
            return Reduce(node.op, node.bounds, node.guards, body)
        return None

    return transform(node, change)


def _read_at(stage: ChainStage, node: Node) -> Node | None:
    """What the formula of a stage reads at a tap, by its place."""
    if not isinstance(node, Access) or node.tensor != stage.source:
        return None
    place = {walk.output: Index.of(walk.output) for walk in stage.walks}
    for axis, tap in zip(stage.axes, node.index, strict=True):
        walk = stage.walks[axis]
        place[walk.output] = walk.stride * place[walk.output] + walk.step * tap - min(0, walk.step * (walk.taps - 1))
    return _at(place.values())


class _Reader:
    """The values of the arrays of one program, at the place that the outputs are numbered by."""

    def __init__(
        self,
        stage: ChainStage,
        given: Mapping[str, Node],
        weight: Callable[[tuple[int, ...]], Node],
        taken: frozenset[str],
        letter: str,
    ) -> None:
        self.stage, self.weight, self.taken, self.letter = stage, weight, taken, letter
        self.places = tuple(walk.output for walk in stage.walks)
        self.values: dict[str, Value] = dict(given)
        self.short: dict[str, tuple[int, ...]] = {}  # by how much of the end of an array was not written
        self.views: dict[str, TapView] = {}
        self.levels: list[Made] = []

    def result(self, program: Program) -> Node:
        levels = {scratch.name for scratch in program.scratch if scratch.like == "input"}
        for step in program.steps:
            self._take(step, levels)
        (result,) = program.results
        return self.node(self.values[result])

    def _take(self, step: ArrayStep, levels: set[str]) -> None:
        if isinstance(step, TapView):
            self.views[step.target] = step
        elif isinstance(step, FixedEntry):
            self.values[step.target] = self.weight(step.entries)
        elif isinstance(step, Copy):
            self._write(step.target, self.read(step.source), levels)
        elif isinstance(step, Apply) and step.where is None:
            self._write(step.target, self._applied(step), levels)
        else:
            raise NotSupportedError(f"no formula is read off the step {step.assigned} = {step.code}")

    # ------------------------------------------------------------------ arrays

    def read(self, operand: Operand) -> Value:
        """The value of an operand; of a view, that of its array at the place that it shows."""
        if not isinstance(operand, str):
            return const(operand)
        if operand == INFINITY:
            raise NotSupportedError("no formula has an infinity")
        view = self.views.get(operand)
        if view is None:
            return self.values[operand]
        for axis, part in enumerate(view.parts):
            self._within(view, axis, part)
        moved = {
            place: part.start + part.step * Index.of(place)
            for place, part in zip(self.places, view.parts, strict=True)
            if (part.start, part.step) != (0, 1)
        }
        value = self.values[view.source]
        if isinstance(value, _Fold):
            return _Fold(value.op, tuple(substitute(part, moved) for part in value.parts))
        return substitute(value, moved)

    def _within(self, view: TapView, axis: int, part: AxisPart) -> None:
        """Refuse a view of what was not written, or is not there."""
        lost = self.short.get(view.source, (0,) * len(view.parts))[axis]
        walk = self.stage.walks[axis]
        reach = walk.reach if axis in self.stage.axes else 0
        past = part.start - part.shorter if (part.extent or "").startswith("n") else part.start - reach
        if part.start < 0 or (part.extent is not None and past + lost > 0):
            raise NotSupportedError(f"{view.target} = {view.code} shows what was not written")

    def _write(self, target: str, value: Value, levels: set[str]) -> None:
        view = self.views.get(target)
        root = target if view is None else view.source
        if view is not None:
            if any((part.start, part.step) != (0, 1) for part in view.parts):
                raise NotSupportedError(f"{view.target} = {view.code} is no beginning of an array")
            self.short[root] = tuple(part.shorter for part in view.parts)
        self.values[root] = self._level(value) if root in levels and isinstance(value, _Fold) else value

    def _level(self, fold: _Fold) -> Named:
        """A name for windows of several taps, of which longer ones are put together."""
        parts = fold.parts
        known = {_label(made.name).text: made.taps for made in self.levels}
        taps = [known.get(part.label.text, 1) if isinstance(part, Named) else 1 for part in parts]
        one = parts[0]
        first = one.value if isinstance(one, Named) and taps[0] > 1 else rolled(fold.op, parts, (), self.taken)
        assert isinstance(first, Reduce)
        (bound,) = first.bounds
        whole = Reduce(fold.op, (Bound(bound.name, bound.lower, Index.of(sum(taps) - 1)),), first.guards, first.body)
        name = fresh_name(f"{self.letter}{sum(taps)}", self.taken)
        self.levels.append(Made(name, SOURCE, self.stage.axes, sum(taps), whole, self.node(fold)))
        return Named(_label(name), tuple(map(Index.of, self.places)), whole)

    # ------------------------------------------------------------------ functions

    def node(self, value: Value) -> Node:
        """A value as a formula."""
        if not isinstance(value, _Fold):
            return value
        sizes = tuple(self.stage.walks[axis].taps for axis in self.stage.axes)
        if value.op == "max":
            return rolled("max", value.parts, sizes, self.taken)
        count = prod(sizes) if len(value.parts) > MOST_WRITTEN else len(value.parts)  # a bias comes after the taps
        return add(added_up(value.parts[:count], sizes, self.taken), *value.parts[count:])

    def _applied(self, step: Apply) -> Value:
        args = [self.read(arg) for arg in step.args]
        if step.function in ("add", "maximum"):
            op: Op = "sum" if step.function == "add" else "max"
            return _Fold(op, tuple(part for arg in args for part in self._parts(op, arg)))
        first, *rest = map(self.node, args)
        match step.function:
            case "positive":
                return first
            case "absolute":
                return Absolute(first)
            case "multiply":
                return _times(first, *rest)
            case "divide":
                return product(first, *(Power(divisor, const(-1)) for divisor in rest))
            case "square":
                return _times(first, first)
            case "sqrt":
                return Power(first, const(Fraction(1, 2)))
            case "cbrt":
                return Power(first, const(Fraction(1, 3)))
            case "power":
                return Power(first, *rest)
        raise NotSupportedError(f"no formula is read off numpy.{step.function}")

    def _parts(self, op: Op, value: Value) -> tuple[Node, ...]:
        """What a value is combined of by a function."""
        return value.parts if isinstance(value, _Fold) and value.op == op else (self.node(value),)


def _times(one: Node, other: Node) -> Node:
    """A product; of whole powers of the same, which is how programs take powers, as one power."""
    (base, first), (base2, second) = (_power_of(factor) for factor in (one, other))
    return Power(base, const(first + second)) if base == base2 else product(one, other)


def _power_of(node: Node) -> tuple[Node, int]:
    """The base and the exponent of a whole power from 1 on."""
    if isinstance(node, Power) and isinstance(node.exponent, Constant):
        exponent = node.exponent.value
        if exponent.denominator == 1 and exponent >= 1:
            return node.base, int(exponent)
    return node, 1


# ---------------------------------------------------------------------- many parts as one reduction


def added_up(parts: Sequence[Node], sizes: Sequence[int], taken: frozenset[str]) -> Node:
    """A sum of parts in order: written out, or where they are many as one sum over their numbers; see `rolled`."""
    return add(*parts) if len(parts) <= MOST_WRITTEN else rolled("sum", parts, sizes, taken)


def rolled(op: Op, parts: Sequence[Node], sizes: Sequence[int], taken: frozenset[str]) -> Node:
    """Parts that differ by their place in a box as one reduction over their numbers, row-major.

    Args:
        op: what combines them.
        parts: the parts, in order.
        sizes: the box, where they are as many as it has places; else they lie on one line.
        taken: names that the index may not have.

    Raises:
        NotSupportedError: where they do not.
    """
    if len(parts) == 1:
        return parts[0]
    sliding = [size for size in sizes if size > 1]
    box = tuple(sliding) if prod(sliding) == len(parts) else (len(parts),)
    strides = [prod(box[axis + 1 :]) for axis in range(len(box))]
    name = fresh_name("k", taken.union(*map(names_in, parts[:1])))
    body: Node = _along(parts[0], [parts[stride] for stride in strides], row_major(name, box))
    for number, part in enumerate(parts):
        if substitute(body, {name: Index.of(number)}) != part:
            raise NotSupportedError(f"part {number} of a {op} of {len(parts)} parts is not where the others lead to")
    return Reduce(op, (Bound(name, Index.of(0), Index.of(len(parts) - 1)),), (), body)


def row_major(name: str, box: Sequence[IndexLike]) -> tuple[Index, ...]:
    """The place in a box that has a number, row-major."""
    rest, found = Index.of(name), []
    for axis in range(len(box)):
        stride = prod(map(Index.of, box[axis + 1 :]), start=Index.of(1))
        number = quotient(rest, stride)
        rest = rest - stride * number
        found.append(number)
    return tuple(found)


def _along(first: T, next_ones: Sequence[T], numbers: Sequence[Index]) -> T:
    """What is `first` at 0 and the `next_ones` one further, with what moves in between in proportion to the numbers."""
    if all(other == first for other in next_ones):
        return first
    found: Any = None
    if isinstance(first, Index):
        steps = [(Index.of(other) - first).value for other in next_ones]  # type: ignore[arg-type]
        if None not in steps:
            moves = (step * number for step, number in zip(steps, numbers, strict=True) if step)
            found = sum(moves, first)
    elif all(type(other) is type(first) for other in next_ones):
        if isinstance(first, tuple) and all(len(other) == len(first) for other in next_ones):  # type: ignore[arg-type]
            found = tuple(
                _along(part, [other[place] for other in next_ones], numbers)  # type: ignore[index]
                for place, part in enumerate(first)
            )
        elif is_dataclass(first):
            names = [entry.name for entry in fields(first)]
            parts = {
                name: _along(getattr(first, name), [getattr(other, name) for other in next_ones], numbers)
                for name in names
            }
            found = replace(first, **parts)  # type: ignore[type-var]
    if found is None:
        raise NotSupportedError("the parts of a fold differ by more than their place")
    moved: T = found
    return moved
