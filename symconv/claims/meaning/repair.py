"""Small edits of a claim, each a slip that people make: up to three signs that change together, the likeliest first.

Whether an edit makes a refuted claim true is judged like any claim; only one that is proved (or exact, at a declared
size) is offered, and what is said of the slip is said of that edit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from typing import TypeAlias

from symconv.claims.meaning.obligations import End
from symconv.claims.meaning.scope import Scope
from symconv.claims.syntax import Binary, Call, Claim, Derivative, Entry, Expr, Name, Negate, Number, Raised, Range, Sum
from symconv.claims.traversal import children, map_expr, walk_expr
from symconv.claims.writing import to_text
from symconv.formulas.index import Index

__all__ = ["Edit", "candidates", "said", "shown", "with_ends"]

Shown: TypeAlias = "Expr | tuple[str, Expr, Expr]"
"""A part of a claim, or the range of a sum."""

ONE = Number(Fraction(1))
ZERO = Number(Fraction(0))


@dataclass(frozen=True)
class Edit:
    """One part of a claim that is another one instead.

    Attributes:
        old, new: the part, by identity, and what stands there instead.
        slip: what went wrong.
        before, after: what is shown of it: the index or the range that the part belongs to.
        kind: edits of one kind are made together.
        at: where the sign stands that is wrong; the whole part where that is not said.
        missing: what is missing and is put there, where nothing else is wrong.
    """

    old: Expr
    new: Expr
    slip: str = ""
    before: Shown | None = None
    after: Shown | None = None
    kind: str = ""
    at: tuple[int, int] = (0, 0)
    missing: str = ""

    @property
    def change(self) -> tuple[str, str]:
        """What is shown of it: what stands there, and what should."""
        before, after = (self.old, self.new) if self.before is None or self.after is None else (self.before, self.after)
        return shown(before), shown(after)

    def __str__(self) -> str:
        return f"add {self.missing}" if self.missing else " should be ".join(self.change)

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands in the source of the claim; (0, 0) where it was not written."""
        if self.missing:
            return (0, 0)
        return self.at if self.at != (0, 0) else self.old.span


Edits: TypeAlias = "tuple[Edit, ...]"
_Kind: TypeAlias = "Callable[[Expr, Claim, Scope], Iterator[Edit]]"


def candidates(claim: Claim, scope: Scope) -> Iterator[tuple[Claim, Edits]]:
    """Claims that differ by one slip, the likeliest first, with the edits that it takes.

    The last part of a chain is edited first: it is what was derived. A slip that is made on one axis is then tried on
    two and on three.
    """
    # The left-hand side says what is claimed.
    positions = [n for n in reversed(range(len(claim.parts))) if n or len(claim.parts) == 1]
    found = [(n, edit) for kind in _KINDS for n in positions for edit in kind(claim.parts[n], claim, scope)]
    for position, edit in found:
        yield _edited(claim, position, (edit,)), (edit,)
    alike: dict[tuple[int, str], list[Edit]] = {}
    for position, edit in found:
        if edit.kind:
            alike.setdefault((position, edit.kind), []).append(edit)
    for count in (2, 3):
        for (position, _), edits in alike.items():
            for several in combinations(edits, count):
                if _apart(several):
                    yield _edited(claim, position, several), several


def _edited(claim: Claim, position: int, edits: Edits) -> Claim:
    part = map_expr(claim.parts[position], lambda expr: next((e.new for e in edits if e.old is expr), None))
    return replace(claim, parts=(*claim.parts[:position], part, *claim.parts[position + 1 :]))


def _apart(edits: Edits) -> bool:
    """Whether no edit changes what lies within another one's part."""
    within = [{id(part) for part in walk_expr(edit.old)} for edit in edits]
    return not any(id(edit.old) in inside for n, edit in enumerate(edits) for m, inside in enumerate(within) if n != m)


def with_ends(claim: Claim, ends: Sequence[End]) -> tuple[Claim, Edits]:
    """The claim with other ends of its sums, and what changes."""

    def change(expr: Expr) -> Expr | None:
        return next((end.new for end in ends if end.old is expr), None)

    edits = tuple(Edit(end.old, end.new, "a sum goes past the end of an array") for end in ends)
    return replace(claim, parts=tuple(map_expr(part, change) for part in claim.parts)), edits


def said(ends: Iterable[End | Edit]) -> str:
    """What some parts should be."""
    edits = (end if isinstance(end, Edit) else Edit(end.old, end.new) for end in ends)
    return ", ".join(dict.fromkeys(map(str, edits)))


def shown(part: Shown) -> str:
    """A part of a claim without blanks; the range of a sum as it stands there."""
    if isinstance(part, tuple):
        return f"({part[0]},{shown(part[1])},{shown(part[2])})"
    return to_text(part).replace(" ", "")


# ---------------------------------------------------------------------- indices


def _entries(expr: Expr) -> list[Entry]:
    return [part for part in walk_expr(expr) if isinstance(part, Entry)]


def _swap(expr: Expr, old: Expr, new: Expr) -> Expr:
    """The expression with one part, by identity, replaced."""
    return map_expr(expr, lambda part: new if part is old else None)


def _in_index(index: Expr, old: Expr, new: Expr, slip: str, kind: str = "") -> Edit:
    """An edit within an index, of which the whole is shown."""
    return Edit(old, new, slip, index, _swap(index, old, new), kind)


def _index_names(claim: Claim) -> list[str]:
    """The names that occur in indices, and those that sums bind."""
    names: list[str] = []
    for part in claim.parts:
        for expr in walk_expr(part):
            if isinstance(expr, Entry):
                names += [p.name for i in expr.indices for p in walk_expr(i) if isinstance(p, Name)]
            elif isinstance(expr, Sum):
                names += [o.variable for o in expr.over if isinstance(o, Range)]
    return list(dict.fromkeys(names))


def _other_index(expr: Expr, claim: Claim, scope: Scope) -> Iterator[Edit]:
    """One index letter replaced by another one of the claim."""
    names = _index_names(claim)
    for entry in _entries(expr):
        channels = len(entry.indices) - len(scope.windows) if scope.windows else 0
        for axis, index in enumerate(entry.indices):
            slip = "an entry of another channel is meant" if axis < channels else "another index is meant"
            for part in walk_expr(index):
                if isinstance(part, Name):
                    for name in names:
                        if name != part.name:
                            yield _in_index(index, part, replace(part, name=name), slip)


def _one_off(expr: Expr, claim: Claim, scope: Scope) -> Iterator[Edit]:
    """One number of an index larger or smaller by one; an index with one, or a padding, added or taken away."""
    del claim
    letters = scope.letters
    padded = {letters.input: "-", letters.output: "+", letters.upstream: "+"}
    paddings = [_written(window.padding(n)[0], scope) for window, n in zip(scope.windows, scope.input_sizes)]
    further = dict.fromkeys(size for size in (ONE, *paddings) if size not in (None, ZERO))
    for entry in _entries(expr):
        axes = {id(index): size for index, size in zip(reversed(entry.indices), reversed(paddings))}
        for index in entry.indices:
            found = [part for part in walk_expr(index) if isinstance(part, Number)]
            products = [part for part in walk_expr(index) if isinstance(part, Binary) and part.op in ("*", "/")]
            factors = {id(side) for part in products for side in children(part)}
            for part in found:
                slip = "a factor of an index is another one" if id(part) in factors else "an index is off by one"
                for step in (1, -1):
                    other = _without_zero(_swap(index, part, replace(part, value=part.value + step)))
                    yield Edit(index, other, slip, kind=f"{entry.name}{step}", at=part.span)
            for size in further if not found else ():
                for op in ("+", "-"):
                    slip = f"an index is off by {'one' if size == ONE else shown(size)}"
                    if size == axes.get(id(index)) and padded.get(entry.name) == op:
                        slip = "the padding is missing"
                    new = Binary("+" if op == "+" else "-", index, size)
                    yield Edit(index, new, slip, kind=f"{entry.name}{op}{size}")


def _exchanged(expr: Expr, claim: Claim, scope: Scope) -> Iterator[Edit]:
    """Two indices of one entry exchanged."""
    del claim
    for entry in _entries(expr):
        channels = len(entry.indices) - len(scope.windows) if scope.windows else 0
        for n in range(len(entry.indices) - 1):
            indices = list(entry.indices)
            indices[n], indices[n + 1] = indices[n + 1], indices[n]
            slip = "two indices are exchanged" if n >= channels else "the channels are exchanged"
            yield Edit(entry, replace(entry, indices=tuple(indices), joined=False), slip)


def _turned(expr: Expr, claim: Claim, scope: Scope) -> Iterator[Edit]:
    """The sign of a summand turned around; a difference the other way round."""
    del claim, scope
    for entry in _entries(expr):
        for index in entry.indices:
            for part in walk_expr(index):
                if not (isinstance(part, Binary) and part.op in ("+", "-")):
                    continue
                turned = replace(part, op="-" if part.op == "+" else "+")
                at = _between(part.left, part.right)
                yield Edit(part, turned, "an offset has the wrong sign", index, _swap(index, part, turned),
                           f"{entry.name}{part.op}", at)  # fmt: skip
                if part.op == "-":
                    other = replace(part, left=part.right, right=part.left)
                    yield _in_index(index, part, other, "a difference is the wrong way round", f"{entry.name}around")


def _between(left: Expr, right: Expr) -> tuple[int, int]:
    """The place of the sign between two parts."""
    return (left.span[1], right.span[0]) if 0 < left.span[1] < right.span[0] else (0, 0)


def _flipped(expr: Expr, claim: Claim, scope: Scope) -> Iterator[Edit]:
    """An index that runs backwards along its axis, ``K-1-m`` or ``i+1-u``, forwards."""
    del claim, scope
    for entry in _entries(expr):
        for index in entry.indices:
            if not (isinstance(index, Binary) and index.op == "-") or isinstance(index.right, Number):
                continue
            ahead = _without_numbers(index.left)
            new: Expr = index.right if ahead is None else Binary("+", ahead, index.right)
            if ahead != index.left:
                yield Edit(index, new, "the kernel is flipped", kind=f"{entry.name}flip")


def _without_numbers(expr: Expr) -> Expr | None:
    """The summands of an index that are small letters alone: ``i`` of ``i + K - 1``."""
    if isinstance(expr, Binary) and expr.op in ("+", "-"):
        left = _without_numbers(expr.left)
        right = _without_numbers(expr.right)
        return left if right is None else right if left is None and expr.op == "+" else expr
    return expr if isinstance(expr, Name) and expr.name.islower() else None


def _strided(expr: Expr, claim: Claim, scope: Scope) -> Iterator[Edit]:
    """A summand of an index times the stride or the dilation, which may stand on another one."""
    del claim
    factors: dict[Expr, list[str]] = {}
    for name in ("stride", "dilation"):
        sizes = [_written(getattr(window, name[0]), scope) for window in scope.windows]
        for size in [size for size in sizes if size is not None and size != ONE][:1]:
            factors.setdefault(size, []).append(name)
    for factor, named in factors.items():
        word = " or the ".join(named)  # one number may be both
        for entry in _entries(expr):
            for index in entry.indices:
                terms = [part for part in walk_expr(index) if isinstance(part, Name | Binary) and _is_term(part, index)]
                for number, term in enumerate(terms):
                    new: Expr = Binary("*", factor, term)
                    if isinstance(term, Name):
                        yield _in_index(index, term, new, f"the {word} is missing", f"{entry.name}{word}{number}")
                    rest = term.right if isinstance(term, Binary) and term.left == factor else None
                    for place, other in enumerate(terms):
                        if rest is not None and isinstance(other, Name):
                            moved = _swap(_swap(index, term, rest), other, Binary("*", factor, other))
                            slip = f"the {word} multiplies the wrong index"
                            yield Edit(index, moved, slip, kind=f"{entry.name}{word}{number}to{place}")
                    if rest is not None:
                        yield _in_index(
                            index, term, rest, f"a {' or a '.join(named)} too many", f"{entry.name}{word}{number}off"
                        )


def _is_term(part: Expr, index: Expr) -> bool:
    """Whether a part is a summand of an index: a letter, or a product."""
    while part is not index and isinstance(index, Binary) and index.op in ("+", "-"):
        if any(part is side for side in walk_expr(index.left)):
            index = index.left
        else:
            index = index.right
    return part is index and (isinstance(part, Name) or (isinstance(part, Binary) and part.op == "*"))


def _written(size: Index, scope: Scope) -> Expr | None:
    """A size as a claim writes it: a number, or its letter; None where it has neither."""
    value = size.value
    if value is not None:
        return Number(Fraction(value))
    return next((Name(letter) for letter, index in scope.sizes.items() if index == size), None)


# ---------------------------------------------------------------------- ranges


def _other_bound(expr: Expr, claim: Claim, scope: Scope) -> Iterator[Edit]:
    """A bound of a sum larger or smaller by one, or another size."""
    del scope
    sizes = list(dict.fromkeys(
        over.upper.name
        for part in claim.parts
        for s in walk_expr(part)
        if isinstance(s, Sum)
        for over in s.over
        if isinstance(over, Range) and isinstance(over.upper, Name)
    ))  # fmt: skip
    for part in walk_expr(expr):
        if not isinstance(part, Sum):
            continue
        for over in (one for one in part.over if isinstance(one, Range)):
            for end in (over.lower, over.upper):
                ends: list[tuple[int, Expr]] = [(step, _further(end, step)) for step in (1, -1)]
                ends += [(0, replace(end, name=n)) for n in sizes if isinstance(end, Name) and n != end.name]
                for step, after in ends:
                    low, high = (after if e is end else e for e in (over.lower, over.upper))
                    before = (over.variable, over.lower, over.upper)
                    side = "begins" if end is over.lower else "ends"
                    slip = _BOUND_SLIPS[side, step] if step else "a sum ends at another size"
                    yield Edit(end, after, slip, before, (over.variable, low, high), f"{side}{step}")


_BOUND_SLIPS = {
    ("begins", 1): "a sum begins one too early",
    ("begins", -1): "a sum begins one too late",
    ("ends", 1): "a sum ends one too early",
    ("ends", -1): "a sum goes one too far",
}


def _further(end: Expr, step: int) -> Expr:
    """A bound one further: ``K - 1`` for ``K - 2`` and for ``K``, and a number for a number."""
    if isinstance(end, Number):
        return replace(end, value=end.value + step)
    if isinstance(end, Binary) and end.op in ("+", "-") and isinstance(end.right, Number):
        moved = end.right.value + (step if end.op == "+" else -step)
        return _without_zero(replace(end, right=Number(moved)))
    return Binary("+" if step > 0 else "-", end, ONE)


# ---------------------------------------------------------------------- values


def _rounded(expr: Expr, claim: Claim, scope: Scope) -> Iterator[Edit]:
    """A quotient rounded down."""
    del claim, scope
    for part in walk_expr(expr):
        inside = any(
            isinstance(c, Call) and c.name in ("floor", "ceil") and part in children(c) for c in walk_expr(expr)
        )
        if isinstance(part, Binary) and part.op == "/" and not inside:
            yield Edit(part, Call("floor", (part,)), "the quotient is not rounded down")


def _other_number(expr: Expr, claim: Claim, scope: Scope) -> Iterator[Edit]:
    """A number that is no index and no bound, such as a divisor or a power, larger or smaller, or that of a window."""
    del claim
    indices = [index for entry in _entries(expr) for index in entry.indices]
    sums = [over for part in walk_expr(expr) if isinstance(part, Sum) for over in part.over]
    bounds = [end for over in sums if isinstance(over, Range) for end in (over.lower, over.upper)]
    elsewhere = {id(part) for outer in (*indices, *bounds) for part in walk_expr(outer)}
    taps = _taps(scope)
    for whole in walk_expr(expr):
        for part in children(whole):
            if id(part) in elsewhere:
                continue
            below = isinstance(whole, Binary) and whole.op == "/" and part is whole.right
            slip = "the divisor is another one" if below else "a number is another one"
            if isinstance(part, Number):
                values = [part.value + 1, part.value - 1]
                for value in dict.fromkeys(values):
                    new = replace(part, value=value)
                    yield Edit(part, new, slip, whole, _swap(whole, part, new))
            if below and taps is not None and taps != part:
                yield Edit(part, taps, slip, whole, _swap(whole, part, taps))


def _taps(scope: Scope) -> Expr | None:
    """How many entries a window has."""
    sizes = [_written(window.k, scope) for window in scope.windows]
    if not sizes or any(size is None for size in sizes):
        return None
    if all(isinstance(size, Number) for size in sizes):
        product = Fraction(1)
        for size in sizes:
            product *= size.value if isinstance(size, Number) else 1
        return Number(product)
    first = sizes[0]
    if first is not None and len(sizes) > 1 and all(size == first for size in sizes):
        return Raised(first, Number(Fraction(len(sizes))))
    return first if len(sizes) == 1 else None


def _missing(expr: Expr, claim: Claim, scope: Scope) -> Iterator[Edit]:
    """What is missing of the whole: the bias, or the number of entries that a mean is divided by."""
    left = claim.parts[0]
    if not (isinstance(left, Entry) and left.name == scope.letters.output) or expr is left:
        return
    bias = scope.boxes.get(scope.letters.bias)
    if bias is not None and len(bias) == 1 and all(entry.name != scope.letters.bias for entry in _entries(expr)):
        entry = Entry(scope.letters.bias, (left.indices[0],))
        yield Edit(expr, Binary("+", expr, entry), "the bias is missing", missing=f"+{shown(entry)}")
    taps = _taps(scope)
    if taps is not None:
        yield Edit(expr, Binary("/", expr, taps), "the divisor is missing", missing=f"/{shown(taps)}")


def _other_array(expr: Expr, claim: Claim, scope: Scope) -> Iterator[Edit]:
    """An entry, or what is differentiated by, of another array with as many axes."""
    del claim
    letters = scope.letters
    ranks = {name: len(box) for name, box in scope.boxes.items()}
    ranks[letters.output] = len(scope.output.free)
    for part in walk_expr(expr):
        if isinstance(part, Derivative) and isinstance(part.by, Entry):
            for name, rank in ranks.items():
                if name not in (part.by.name, letters.upstream) and rank == len(part.by.indices):
                    new = replace(part.by, name=name)
                    yield Edit(part.by, new, "it is the gradient by another array", part, replace(part, by=new))
        elif isinstance(part, Entry):
            for name, rank in ranks.items():
                if name != part.name and rank == len(part.indices):
                    yield Edit(part, replace(part, name=name), "an entry of another array is meant")


# ---------------------------------------------------------------------- arrays


def _turned_around(expr: Expr, claim: Claim, scope: Scope) -> Iterator[Edit]:
    """A correlation for a convolution, or the other way round; image and kernel exchanged; the kernel turned."""
    del claim
    kinds = {"corr", "conv", *scope.declared.functions}
    for part in walk_expr(expr):
        if isinstance(part, Call) and part.name in ("corr", "conv"):
            other = replace(part, name="conv" if part.name == "corr" else "corr")
            yield Edit(part, other, f"it is a {'convolution' if part.name == 'corr' else 'correlation'}")
        if isinstance(part, Call) and part.name in ("corr", "conv"):
            yield Edit(part, replace(part, args=part.args[::-1]), "the two arrays are exchanged")
        if isinstance(part, Binary) and part.op in ("star", "ast"):
            swapped = replace(part, left=part.right, right=part.left)
            yield Edit(part, swapped, "the two arrays are exchanged")
        sides = [part.left, part.right] if isinstance(part, Binary) and part.op in ("star", "ast") else []
        if isinstance(part, Call) and part.name in kinds and len(part.args) == 2:
            sides = list(part.args)
        for side in sides:
            straight = isinstance(side, Call) and side.name == "rot180" and len(side.args) == 1
            new = side.args[0] if straight and isinstance(side, Call) else Call("rot180", (side,))
            slip = "the kernel is not turned by a half" if straight else "the kernel is to be turned by a half"
            yield Edit(side, new, slip)


def _other_sign(expr: Expr, claim: Claim, scope: Scope) -> Iterator[Edit]:
    """The whole with the other sign."""
    del claim, scope
    if isinstance(expr, Negate):
        yield Edit(expr, expr.arg, "the sign is the other one")
    elif not isinstance(expr, Binary):
        yield Edit(expr, Negate(expr), "the sign is the other one")


_KINDS: tuple[_Kind, ...] = (
    *(_other_index, _one_off, _exchanged, _turned, _other_bound, _rounded, _other_number, _turned_around),
    *(_flipped, _strided, _missing, _other_array, _other_sign),
)


def _without_zero(expr: Expr) -> Expr:
    """``k`` for ``k + 0`` and ``k - 0``."""

    def change(part: Expr) -> Expr | None:
        zero = isinstance(part, Binary) and part.op in ("+", "-") and part.right == Number(Fraction(0))
        return _without_zero(part.left) if zero and isinstance(part, Binary) else None

    return map_expr(expr, change)
