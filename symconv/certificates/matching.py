"""The script of a match: both sides as sums of terms, and every pair of terms equal along its bijection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symconv.certificates.indices import index, operand, parenthesised
from symconv.certificates.sides import Side, unquotient
from symconv.certificates.trees import NotCertified, Printer
from symconv.formulas.algebra import Access, Bound, Node, accesses
from symconv.formulas.index import Index
from symconv.formulas.terms import expand
from symconv.proofs.record import Alike, Equality, Pairing, Parts, Sums
from symconv.proofs.verdict import Match

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
        left, right = self.printer.of(statement.left), self.printer.of(statement.right)
        script = []
        if statement.solved:
            script += [f"transitivity ({left}); [alike|].", f"symmetry; transitivity ({right}); [alike|]; symmetry."]
        if left == right:
            return [*script, "reflexivity."]
        if (sums.left, sums.right) != (statement.left, statement.right):
            raise NotCertified("sums that were written out term by term are not followed yet")
        return [*script, *self.sums(sums)]

    # ------------------------------------------------------------------ sums of terms

    def sums(self, sums: Sums) -> list[str]:
        """The goal is that two trees have the same value."""
        sides = {
            id(flat): Side.of(term, flat, self.outer)
            for tree, flats in zip((sums.left, sums.right), sums.terms, strict=True)
            for term, flat in zip(expand(tree), flats, strict=True)
        }
        mine, theirs = ([sides[id(flat)] for flat in flats] for flats in sums.terms)
        script = [
            f"transitivity ({self._terms(mine)}).",
            f"{{ {self._unfolded()}terms. }}",
            f"symmetry; transitivity ({self._terms(theirs)}).",
            f"{{ {self._unfolded()}terms. }}",
            "symmetry.",
        ]
        if self.boxes:
            script.append(f"unfold {', '.join(self.boxes)}.")
        if len(mine) == len(theirs) == 1 and len(sums.matches) == 1 and not sums.empty:
            return [*script, *self._one_pair(mine[0], theirs[0], sums.matches[0])]
        raise NotCertified("sums of several terms are not followed yet")

    def _one_pair(self, left: Side, right: Side, match: Match) -> list[str]:
        scales = left.scale(self.printer), right.scale(self.printer)
        script = []
        if any(scales):
            wanted = [scale or "one" for scale in scales]
            if wanted[0] != wanted[1]:
                raise NotCertified("terms with different factors before them are not followed yet")
            script.append("apply (f_equal2 mul); [reflexivity|].")
        return [*script, *self.match(left, right, match)]

    def _unfolded(self) -> str:
        return f"unfold {', '.join(self.tensors)}; " if self.tensors else ""

    def _terms(self, sides: Sequence[Side]) -> str:
        return " ⊕ ".join(parenthesised(side.text(self.printer)) for side in sides) or "zero"

    # ------------------------------------------------------------------ one pair of terms

    def match(self, left: Side, right: Side, match: Match) -> list[str]:
        """The goal is that two sums over points are equal."""
        pairing = match.pairing
        assert pairing is not None
        there, back = dict(match.forward), dict(match.backward)
        ways = [
            self.printer.function(side.bounds, self._point(other.bounds, way, side))
            for side, other, way in ((left, right, there), (right, left, back))
        ]
        script = [f"apply (sum_match Num {ways[0]} {ways[1]}); [nodup | nodup | |]."]
        script += self._one_way(left, right, there, _Ordered.of(left, right, pairing, there))
        script += self._one_way(right, left, back, None)
        return script

    def _point(self, bounds: Sequence[Bound], way: Mapping[str, Index], side: Side) -> str:
        if not bounds:
            return "tt"
        return self.printer.tuple([index(way[b.name].subs(side.spelled), self.names) for b in bounds])

    def _one_way(self, side: Side, other: Side, way: Mapping[str, Index], factors: _Ordered | None) -> list[str]:
        """Points of one side go to points of the other, and back; with `factors`, the products are equal as well."""
        script = [f"- intros {self.printer.pattern(side.bounds)} ? ?; facts."]
        quotients, equations = self._quotients(side)
        script += [f"  {line}" for line in quotients]
        found = [way[name].subs(side.outer) for name, _, _ in other.flat.quotients]
        witnesses = dict.fromkeys(operand(value, self.names) for value in found)
        replaced = "".join(f"try quotient {witness}; " for witness in witnesses)
        steps = [f"{replaced}point", f"{replaced}domain", f"{replaced}same_point"]
        last = f"split; [{steps[2]}|]" if factors else steps[2]
        script.append(f"  split; [{steps[0]} | split; [{steps[1]} | {last}]].")
        if factors:
            between = other.product(self.printer, factors.accesses, factors.others, factors.ratio)
            known = "".join(f"rewrite ?{equation}; " for equation in equations)
            script.append(f"  transitivity ({between}); [{known}ring|]. {known}{replaced}cbn beta iota.")
            script += [f"  {line}" for line in self._factors(factors)]
        return script

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

    def _factors(self, factors: _Ordered) -> list[str]:
        """The goal is that two products are equal, factor by factor."""
        if all(isinstance(alike, Parts) for alike in factors.alike) and factors.same_divisor:
            return ["factors."]
        raise NotCertified("factors that are sums or maxima of their own are not followed yet")


class _Ordered:
    """The factors of the left term in the order of those of the right one."""

    def __init__(
        self,
        accesses: Sequence[Access],
        others: Sequence[Node],
        ratio: tuple[Index, Index],
        alike: Sequence[Alike],
        same_divisor: bool,
    ) -> None:
        self.accesses, self.others, self.ratio = accesses, others, ratio
        self.alike, self.same_divisor = alike, same_divisor

    @staticmethod
    def of(left: Side, right: Side, pairing: Pairing, there: Mapping[str, Index]) -> _Ordered:
        entries = _places(left.flat.accesses, right.flat.accesses, pairing.factors[0])
        others = _places(left.flat.others, right.flat.others, pairing.factors[1])
        divisor = right.flat.divisor.subs(there)
        return _Ordered(
            [left.accesses[k] for k, _ in entries],
            [left.others[k] for k, _ in others],
            (left.flat.weight.subs(left.spelled), left.flat.divisor.subs(left.spelled)),
            [pairing.alike[position] for _, position in others],
            divisor == left.flat.divisor,
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
