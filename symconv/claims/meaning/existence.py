"""Entries and windows that must exist: the box that each must lie in, and where the sums that lead there must end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from symconv.claims.meaning.indices import to_index
from symconv.claims.meaning.obligations import ClaimNeed, End, Path, Unmet
from symconv.claims.meaning.scope import Scope, general_scope
from symconv.claims.meaning.sets import coordinates, is_output, members
from symconv.claims.syntax import Entry, Expr, Name, Over
from symconv.claims.traversal import walk_expr
from symconv.claims.writing import size_expr, to_text
from symconv.formulas.algebra import Access, Guard, inside
from symconv.formulas.exact import Box
from symconv.formulas.index import Index, maximum
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool
from symconv.proofs.needs import Inside, Member, Need
from symconv.proofs.windows import FILLED

__all__ = ["Existence", "filled"]


@dataclass(frozen=True)
class Existence:
    """What must exist for a line to be read.

    Attributes:
        scope: what the claim may speak of; with ``outside = "zero"`` an entry at a free index need not exist.
        free: the free indices of the line.
    """

    scope: Scope
    free: frozenset[str]

    def of_entry(self, expr: Entry, path: Path) -> ClaimNeed | None:
        """An entry lies in its tensor."""
        at, box = self.place(expr, path)
        access = Access(expr.name, at)
        return self._of(expr, path, (access, box), inside(access, box), f"entries of {expr.name} outside count as 0")

    def of_window(self, where: Entry, path: Path) -> ClaimNeed | None:
        """A window set belongs to an output that there is."""
        at = tuple(to_index(index, self.scope, path.bound) for index in where.indices)
        box = _outputs(self.scope, len(at))
        words = f"windows of {where.name} outside are empty"
        return self._of(where, path, (Access(where.name, at), box), is_output(at, self.scope), words)

    def place(self, expr: Entry, path: Path) -> tuple[tuple[Index, ...], Box]:
        """The indices of an entry, and the box that they must lie in."""
        at = tuple(to_index(index, self.scope, path.bound) for index in expr.indices)
        if expr.name == self.scope.letters.output:
            return at, _outputs(self.scope, len(self.scope.output.free))
        return at, _readable(expr.name, self.scope)

    def _of(
        self, expr: Entry, path: Path, entry: tuple[Access, Box], guards: Sequence[Guard], convention: str
    ) -> ClaimNeed | None:
        outside = self.scope.declared.outside
        mine = frozenset().union(*(index.names for index in entry[0].index)) & self.free - path.bound
        if mine and outside == "zero":
            return None
        unmet: Unmet = "convention" if mine and not outside else "missing"
        text = to_text(replace(expr, upper=None, joined=False))
        return ClaimNeed(
            Need(path.steps, Inside(tuple(guards))),
            unmet,
            "",  # the entry is shown
            f"whether {text} always exists",
            condition=convention if unmet == "convention" else "",
            entry=entry,
            ends=tuple(self._ends(entry, path)) if unmet == "missing" else (),
        )

    def _ends(self, entry: tuple[Access, Box], path: Path) -> Iterator[End]:
        """Both ends of the ranges whose index stands alone on an axis of an entry, but for a number beside it."""
        ranges = {over.variable: over for over in path.ranges}
        access, box = entry
        for axis, (index, (low, high)) in enumerate(zip(access.index, box, strict=True)):
            over = next((ranges[name] for name in index.names if name in ranges), None)
            if over is None or (index - over.variable).value is None:
                continue
            shift = index - over.variable
            low_text, high_text = (self._box_in_letters(access) or box)[axis]
            for old, limit, text, sign in ((over.lower, low, low_text, 1), (over.upper, high, high_text, -1)):
                written = text if _has_names(old) else limit
                yield End(over.variable, old, size_expr(written - shift), sign * (index - limit))

    @cached_property
    def _lettered(self) -> Scope:
        """The scope with the size letters of the claim, at the declared size too."""
        scope = self.scope
        return general_scope(scope.declared) if scope.literal and not scope.is_family else scope

    def _box_in_letters(self, access: Access) -> Box:
        """The box of a tensor, or of window sets, in the size letters of the claim; empty where it cannot write one."""
        scope, tensor = self._lettered, access.tensor
        letters = {repr(size): letter for letter, size in reversed(scope.sizes.items())}
        if tensor == scope.letters.output or tensor in scope.declared.sets:
            box = _outputs(scope, len(access.index))
        else:
            box = scope.boxes.get(tensor, ())
        names = frozenset().union(*(end.names for ends in box for end in ends))
        if not names <= letters.keys():
            return ()
        env = {name: Index.of(letters[name]) for name in names}
        return tuple((low.subs(env), high.subs(env)) for low, high in box)


def filled(where: Expr, words: tuple[str, str], scope: Scope, path: Path) -> Iterator[ClaimNeed]:
    """A window set has a member: there is such a window, and it does not lie in the padding alone.

    The first is for the line to see to; where a layer has a window in the padding, no line says anything of it.
    """
    names = coordinates(len(scope.windows) if isinstance(where, Entry) else 1, path.bound)
    bounds, guards = members(Over(names, where), scope, path.bound)
    if isinstance(where, Entry):
        exists = is_output([to_index(index, scope, path.bound) for index in where.indices], scope)
        yield ClaimNeed(Need(path.steps, Inside(tuple(exists))), "undefined", *words)
        path = path.then(*exists)
    yield ClaimNeed(Need(path.steps, Member(tuple(bounds), tuple(guards))), "silent", *words, condition=FILLED)


def _outputs(scope: Scope, axes: int) -> Box:
    """The last indices of an output, so many."""
    return tuple((bound.lower, bound.upper) for bound in scope.output.free[-axes:])


def _has_names(expr: Expr) -> bool:
    return any(isinstance(part, Name) for part in walk_expr(expr))


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
        if window.ceil_mode:  # the last window may hang over the padding
            last = maximum(last, window.tap(count - 1, window.k - 1, size) + low)
        wider.append((low - _never_negative(before), last))
    return (*box[:lead], *wider)


def _never_negative(padding: Index) -> Index:
    return padding if padding.value is None else Index.of(max(padding.value, 0))
