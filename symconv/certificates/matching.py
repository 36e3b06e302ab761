"""The script of a match: both sides as sums of terms, and every pair of terms equal along its bijection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from symconv.certificates.indices import index, operand, parenthesised, quotients
from symconv.certificates.quotients import floors, sizes
from symconv.certificates.sides import Side, unquotient
from symconv.certificates.trees import NotCertified, Printer, function_name, maximum_in
from symconv.formulas.algebra import ONE, Access, Bound, Node, Power, Reduce, Share
from symconv.formulas.index import Index
from symconv.formulas.substitution import substitute
from symconv.formulas.terms import expand
from symconv.formulas.walks import accesses, children, unnamed, walk
from symconv.proofs.record import Alike, Equality, Match, Pairing, Parts, Sums, Windows
from symconv.proofs.rewriting import one_window

__all__ = ["Follower"]


class Follower:
    """Writes the script that follows a record, from where all hypotheses, tensors and indices have been introduced.

    Args:
        record: the record.
        printer: writes trees; it has written the statement.
    """

    def __init__(self, record: Equality, printer: Printer) -> None:
        self.record, self.printer, self.names = record, printer, printer.names
        self.outer = unquotient(record.quotients)
        read = [a.tensor for node in (record.statement.left, record.statement.right) for a in accesses(node)]
        tensors = list(dict.fromkeys(read))
        self.tensors = [self.names.of(tensor, "tensor") for tensor in tensors]
        self.boxes = [printer.box(tensor) for tensor in tensors if record.statement.boxes[tensor]]

    def script(self) -> list[str]:
        """The whole script."""
        statement, sums = self.record.statement, self.record.sums
        left, right = self.printer.visit(statement.left), self.printer.visit(statement.right)
        script = []
        if statement.solved:
            script += [
                f"transitivity ({left} : Num); [alike|].",
                f"symmetry; transitivity ({right} : Num); [alike|]; symmetry.",
            ]
        if left == right:
            return [*script, "reflexivity."]
        if (sums.left, sums.right) != (statement.left, statement.right):
            raise NotCertified("sums that were written out term by term are not followed yet")
        scope = frozenset({*sizes(statement), *statement.indices})
        return [*script, *self.sums(sums, scope)]

    # ------------------------------------------------------------------ sums of terms

    def sums(self, sums: Sums, scope: frozenset[str]) -> list[str]:
        """The goal is that two trees have the same value; `scope` are the names that have been introduced."""
        sides = {
            id(flat): Side.of(term, flat, self.outer)
            for tree, flats in zip((sums.left, sums.right), sums.terms, strict=True)
            for term, flat in zip(expand(tree), flats, strict=True)
        }
        for match in sums.matches:  # a weight over a divisor is written whole where the divisors are compared
            assert match.pairing is not None
            left, right = match.pairing.left, match.pairing.right
            if right.divisor.subs(dict(match.forward)) != left.divisor:
                sides |= {id(flat): replace(sides[id(flat)], full=True) for flat in (left, right)}
        mine, theirs = ([sides[id(flat)] for flat in flats] for flats in sums.terms)
        script = [
            f"transitivity ({self._terms(mine)} : Num).",
            f"{{ {self._unfolded()}terms. }}",
            f"symmetry; transitivity ({self._terms(theirs)} : Num).",
            f"{{ {self._unfolded()}terms. }}",
            "symmetry.",
        ]
        scales = [side.scale(self.printer) for side in (*mine, *theirs)]
        if len(mine) == len(theirs) == 1 and not sums.empty and scales[0] == scales[1]:
            script += ["apply (f_equal2 mul); [reflexivity|]."] if scales[0] else []
            return [*script, *self.match(mine[0], theirs[0], sums.matches[0], scope)]
        return [*script, *self._classes(sums, sides, scope)]

    def _classes(self, sums: Sums, sides: Mapping[int, Side], scope: frozenset[str]) -> list[str]:
        """Every term as the first one that it is equal to, those without a point as 0; then the coefficients add up."""
        script, equal, none = [], [], []
        for match in sums.matches:
            assert match.pairing is not None
            left, right = sides[id(match.pairing.left)], sides[id(match.pairing.right)]
            equal.append(self.names.fresh("same"))
            script.append(f"assert ({equal[-1]} : {left.sum(self.printer)} = {right.sum(self.printer)} :> Num).")
            script += _braced(self.match(left, right, match, scope))
        for flat in sums.empty:
            side = sides[id(flat)]
            none.append(self.names.fresh("empty"))
            script.append(f"assert ({none[-1]} : {side.sum(self.printer)} = zero :> Num).")
            proof = [
                *self._boxes_unfolded(),
                f"apply sum_none; intros {self.printer.pattern(side.bounds)} ?; no_point.",
            ]
            script += _braced([*proof, *self._known(side, scope)[0], "exfalso; zs."])
        rewritten = "".join(f"rewrite <- ?{name}; " for name in equal) + "".join(f"rewrite ?{name}; " for name in none)
        return [*script, f"{rewritten}added_up."]

    def _boxes_unfolded(self) -> list[str]:
        return [f"unfold {', '.join(self.boxes)}."] if self.boxes else []

    def _unfolded(self) -> str:
        return f"unfold {', '.join(self.tensors)}; " if self.tensors else ""

    def _terms(self, sides: Sequence[Side]) -> str:
        return " ⊕ ".join(parenthesised(side.text(self.printer)) for side in sides) or "zero"

    # ------------------------------------------------------------------ one pair of terms

    def match(self, left: Side, right: Side, match: Match, scope: frozenset[str]) -> list[str]:
        """The goal is that two sums over points are equal."""
        pairing = match.pairing
        assert pairing is not None
        there, back = dict(match.forward), dict(match.backward)
        factors = _Ordered.of(left, right, pairing, there)
        if all(map(_plain, pairing.alike)) and any(_moved_inside(other, there) for other in right.flat.others):
            raise NotCertified("a window whose places are written otherwise is not followed yet")
        script = [*self._boxes_unfolded()]
        script.append(f"apply (sum_match Num {self._ways(left, right, match)}); [nodup | nodup | |].")
        forth, known = self._arrived(left, right, there, scope)
        between = right.product(self.printer, factors.accesses, factors.others, factors.ratio)
        replaced = self._witnesses(left, right, there)
        forth += [
            f"split; [{replaced}same_point|].",
            f"transitivity ({between} : Num); [{known}ring|]. {known}{replaced}cbn beta iota.",
            *self._factors(factors, scope | set(left.flat.names)),
        ]
        back_again = [*self._arrived(right, left, back, scope)[0], f"{self._witnesses(right, left, back)}same_point."]
        return [*script, *_braced(forth), *_braced(back_again)]

    def _windows(self, mine: Node, theirs: Node, windows: Windows) -> tuple[Side, Side]:
        """The two sides of a match of windows."""
        pairing = windows.match.pairing
        assert pairing is not None
        sides = []
        for node, flat in ((mine, pairing.left), (theirs, pairing.right)):
            whole = one_window(node) if isinstance(node, Reduce) else node
            if not isinstance(whole, Reduce) or len(whole.bounds) != len(flat.ranges):
                raise NotCertified("a maximum of maxima that have a name is not followed yet")
            sides.append(Side.of_window(whole, flat, self.outer))
        left, right = sides
        if not all(_plain(alike) for alike in pairing.alike) or left.flat.quotients or right.flat.quotients:
            raise NotCertified("a maximum of sums is not followed yet")
        return left, right

    def share(self, mine: Share, theirs: Share, windows: Windows, scope: frozenset[str]) -> list[str]:
        """The goal is that two shares of ties are equal: the same tap of one window, moved."""
        left, right = self._windows(mine.reduce, theirs.reduce, windows)
        there, back = dict(windows.match.forward), dict(windows.match.backward)
        taps = frozenset(left.flat.names)
        names = zip(left.flat.names, right.flat.names, strict=True)
        if any((there[other] - own).names & taps for own, other in names):
            raise NotCertified("equal shares of taps in another order are not followed yet")
        one, two = (
            self.printer.share(share.policy, side.taps(self.printer), side.bounds, share.at)
            for share, side in ((mine, left), (theirs, right))
        )
        script = [
            f"transitivity ({one}); [every_tap|].",
            f"symmetry; transitivity ({two}); [every_tap|]; symmetry.",
            f"apply ({mine.policy}_share_by {self._ways(left, right, windows.match)});",
            "  [in_order | in_order | order_kept | |].",
        ]
        script += _braced([*self._arrived(left, right, there, scope)[0], "split; [alike | same_tap]."])
        return [*script, *_braced([*self._arrived(right, left, back, scope)[0], "same_point."])]

    def window(self, mine: Node, theirs: Node, windows: Windows, scope: frozenset[str]) -> list[str]:
        """The goal is that two maxima are equal."""
        left, right = self._windows(mine, theirs, windows)
        there, back = dict(windows.match.forward), dict(windows.match.backward)
        script = []
        for node, side in ((mine, left), (theirs, right)):
            assert isinstance(node, Reduce)
            script += [
                f"transitivity ({side.maximum(self.printer)}).",
                *_braced(self._one_maximum(node, side)),
                "symmetry.",
            ]
        script.append(f"apply (maximum_match Num order none {self._ways(left, right, windows.match)}).")
        for side, other, way in ((left, right, there), (right, left, back)):
            script += _braced([*self._arrived(side, other, way, scope)[0], "alike."])
        return script

    def _one_maximum(self, node: Reduce, side: Side) -> list[str]:
        """The goal is that a maximum is the one of a side, which is over all taps at once."""
        counts, inner = [len(node.bounds)], maximum_in(node)
        if inner is None:
            return ["all_taps."]
        while inner is not None:
            counts.append(len(inner.bounds))
            inner = maximum_in(inner)
        names = [self.names.of(bound.name) for bound in side.bounds]
        ends = list(accumulate(counts))
        levels = [self.printer.tuple(names[end - count : end]) for count, end in zip(counts, ends, strict=True)]
        nested, flat = levels[-1], self.printer.tuple(names)
        for level in reversed(levels[:-1]):
            nested = f"({level}, {nested})"
        ways = f"(fun '{nested} => {flat}) (fun '{flat} => {nested})"
        return [f"eapply (maximum_nested Num order none {ways}); [one_maximum | same_pair | same_pair]."]

    def _ways(self, left: Side, right: Side, match: Match) -> str:
        """Both maps of a bijection."""
        return " ".join(
            self.printer.function(side.bounds, self._point(other.bounds, dict(way), side))
            for side, other, way in ((left, right, match.forward), (right, left, match.backward))
        )

    def _point(self, bounds: Sequence[Bound], way: Mapping[str, Index], side: Side) -> str:
        if not bounds:
            return "tt"
        return self.printer.tuple([index(way[b.name].subs(side.spelled), self.names) for b in bounds])

    def _witnesses(self, side: Side, other: Side, way: Mapping[str, Index]) -> str:
        """What the quotients of the other term are at the point that one of this term goes to."""
        found = []
        for name, _, denominator in other.flat.quotients:
            divisor = operand(denominator.subs(self.outer).subs(dict(way)).subs(side.outer), self.names)
            value = operand(way[name].subs(side.outer), self.names)
            found.append(f"{'exact' if other.exact(name) else 'rounded'}_is {divisor} {value}")
        return "".join(f"try {put_in}; " for put_in in dict.fromkeys(found))

    def _arrived(
        self, side: Side, other: Side, way: Mapping[str, Index], scope: frozenset[str]
    ) -> tuple[list[str], str]:
        """A point of one side is one of the other, in its domain; and how its quotients are put in elsewhere."""
        known, equations = self._known(side, scope)
        replaced = self._witnesses(side, other, way)
        script = [
            f"intros {self.printer.pattern(side.bounds)} ? ?; facts.",
            *known,
            *self._same_around(side, way),
            f"split; [{replaced}point|]; split; [{replaced}domain|].",
        ]
        return script, "".join(f"rewrite ?{equation}; " for equation in equations)

    def _same_around(self, side: Side, way: Mapping[str, Index]) -> list[str]:
        """A quotient around the term, by which the point that it goes to is found, may be one of the term's own."""
        used = frozenset().union(*(value.names for value in way.values()))
        around = quotients(value for name, value in self.outer.items() if name in used)
        own = [name for name, *_ in side.flat.quotients if not side.exact(name)]
        found = [
            f"try rounded_is {operand(divisor, self.names)} {self.names.of(name)}."
            for _, divisor in around
            for name in own
        ]
        return list(dict.fromkeys(found))

    def _known(self, side: Side, scope: frozenset[str]) -> tuple[list[str], list[str]]:
        """What is known of the quotients at a point: those around the term that speak of it, and its own."""
        inner = scope | set(side.flat.names)
        new = [value for value in self.outer.values() if value.names <= inner and not value.names <= scope]
        script, equations = self._quotients(side)
        return [*floors(new, self.printer), *script], equations

    def _quotients(self, side: Side) -> tuple[list[str], list[str]]:
        """Quotients of a term as numbers of their own, and what says so."""
        script, equations = [], []
        for name, numerator, denominator in dict.fromkeys(side.flat.quotients):
            n, d = (operand(e.subs(self.outer), self.names) for e in (numerator, denominator))
            t = self.names.of(name)
            kind = "exact" if side.exact(name) else "rounded"
            equations.append(self.names.fresh("known"))
            script.append(f"{kind}_quotient {d} {n} {t} {equations[-1]}.")
        return script, equations

    def _factors(self, factors: _Ordered, scope: frozenset[str]) -> list[str]:
        """The goal is that two products are equal, factor by factor."""
        if factors.same_divisor and all(_plain(alike) for alike in factors.alike):
            return ["factors."]
        script = []
        parts = [["alike."] for _ in factors.accesses]
        for mine, theirs, alike in zip(factors.others, factors.theirs, factors.alike, strict=True):
            parts.append(self._alike(mine, theirs, alike, scope))
        if not factors.same_divisor:
            script.append("apply (f_equal2 mul); [|apply ratio_eq; zs]." if parts else "apply ratio_eq; zs.")
        elif factors.has_ratio:
            script.append("apply (f_equal2 mul); [|factors].")
        if len(parts) > 1:
            script.append("by_factors.")
        for part in parts:
            script += _braced(part)
        return script

    def _alike(self, mine: Node, theirs: Node, alike: Alike, scope: frozenset[str]) -> list[str]:
        """The goal is that two factors have the same value."""
        if isinstance(alike, Sums):
            return self.sums(alike, scope)
        if isinstance(alike, Windows):
            mine, theirs = unnamed(mine), unnamed(theirs)
            if isinstance(mine, Share) and isinstance(theirs, Share):
                return self.share(mine, theirs, alike, scope)
            return self.window(mine, theirs, alike, scope)
        if _plain(alike):
            return ["alike."]
        assert isinstance(alike, Parts)
        mine, theirs = unnamed(mine), unnamed(theirs)
        name = function_name(mine)
        if isinstance(mine, Power) and isinstance(theirs, Power) and ONE in (mine.exponent, theirs.exponent):
            return self._alike(mine.base, theirs.base, alike.parts[0], scope)  # x**1 is written as x
        if not name or function_name(theirs) != name:
            raise NotCertified(f"a {type(mine).__name__.lower()} is not followed yet")
        pairs = list(zip(children(mine), children(theirs), strict=True))
        script = [f"apply (f_equal{'' if len(pairs) == 1 else '2'} {name})."]
        for (one, two), part in zip(pairs, alike.parts, strict=True):
            script += _braced(self._alike(one, two, part, scope))
        return script


def _plain(alike: Alike) -> bool:
    """Whether two factors differ in their indices alone."""
    return isinstance(alike, Parts) and all(_plain(part) for part in alike.parts)


def _moved_inside(node: Node, there: Mapping[str, Index]) -> bool:
    """Whether a window reads places that a bijection writes otherwise: Coq then does not see at once that it is one."""

    def moved(e: Index) -> bool:
        images = [there[name] for name in e.names if name in there and e != Index.of(name)]
        return any(all(image != Index.of(name) for name in image.names) for image in images)

    for part in walk(node):
        window = part.reduce if isinstance(part, Share) else part
        if isinstance(window, Reduce) and window.op != "sum":
            places = [e for entry in accesses(window.body) for e in entry.index]
            places += [*(guard.expr for guard in window.guards), *(part.at if isinstance(part, Share) else ())]
            if any(map(moved, places)):
                return True
    return False


def _braced(lines: Sequence[str]) -> list[str]:
    """A proof of the goal in focus."""
    if len(lines) == 1:
        return [f"{{ {lines[0]} }}"]
    return [f"{{ {lines[0]}", *(f"  {line}" for line in lines[1:-1]), f"  {lines[-1]} }}"]


@dataclass(frozen=True)
class _Ordered:
    """The factors of the left term in the order of those of the right one.

    Attributes:
        accesses, others: the factors of the left term.
        theirs: the other factors of the right term, along the bijection.
        ratio: weight and divisor of the left term.
        alike: why the other factors are equal.
        same_divisor: whether the divisors are the same expression.
        has_ratio: whether a weight or divisor is written.
    """

    accesses: Sequence[Access]
    others: Sequence[Node]
    theirs: Sequence[Node]
    ratio: tuple[Index, Index]
    alike: Sequence[Alike]
    same_divisor: bool
    has_ratio: bool

    @staticmethod
    def of(left: Side, right: Side, pairing: Pairing, there: Mapping[str, Index]) -> _Ordered:
        entries = _places(left.flat.accesses, right.flat.accesses, pairing.factors[0])
        others = _places(left.flat.others, right.flat.others, pairing.factors[1])
        one = Index.of(1)
        return _Ordered(
            [left.accesses[k] for k, _ in entries],
            [left.flat.others[k] for k, _ in others],
            [substitute(other, there) for other in right.flat.others],
            (left.flat.weight.subs(left.spelled), left.flat.divisor.subs(left.spelled)),
            [pairing.alike[position] for _, position in others],
            right.flat.divisor.subs(there) == left.flat.divisor,
            (left.flat.weight, left.flat.divisor) != (one, one),
        )


def _places(left: Sequence[Node], right: Sequence[Node], pairs: Sequence[tuple[Node, Node]]) -> list[tuple[int, int]]:
    """For every factor on the right, in order, the place of its partner on the left, and that of the pair."""
    found: dict[int, tuple[int, int]] = {}
    used: set[int] = set()
    for position, (mine, theirs) in enumerate(pairs):
        k = next(k for k, node in enumerate(left) if node is mine and k not in used)
        j = next(j for j, node in enumerate(right) if node is theirs and j not in found)
        used.add(k)
        found[j] = (k, position)
    return [found[j] for j in range(len(right))]
