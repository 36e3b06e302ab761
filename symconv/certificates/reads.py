"""The proof that a maximum of maxima is another maximum: the taps on each side that read what the other side reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from symconv.certificates.indices import operand, quotients
from symconv.certificates.trees import NotCertified, Printer
from symconv.derivations.theorems.deciding import expanded, guards_of
from symconv.derivations.theorems.proposition import Condition, Proposition, Relation, is_arithmetic
from symconv.derivations.theorems.recorded import Taps
from symconv.formulas.algebra import Bound, Node, Reduce
from symconv.formulas.index import Index

__all__ = ["reads_proof"]


def reads_proof(said: Proposition, taps: Taps, printer: Printer, given: int) -> list[str]:
    """The script of a proposition whose last clause says that two maxima are equal.

    Args:
        said: the proposition.
        taps: which tap reads what a tap of the other side reads.
        printer: what has written the proposition.
        given: the number of its hypotheses on sizes.

    Raises:
        NotCertified: where the maxima are not a maximum of maxima over all taps, and a maximum over all taps; or where
            the taps are not theirs.
    """
    names = printer.names
    sizes = [*(entry.name for entry in said.integers), *(let.name for let in said.sizes)]
    script = [f"intros {' '.join(map(names.of, sizes))}.", f"do {given} intro.", *_floors(_sizes_in(said), printer)]
    script.append("intros.")
    arrays = [names.of(let.name, "tensor") for let in reversed(said.lets)]
    inputs = [text for a in said.arrays for text in (names.of(a.name, "tensor"), printer.entries(a.name))]
    *before, last = said.clauses
    for _ in before:
        script.append(f"split; [clear {' '.join([*arrays, *inputs])}; sizes_agree|].")
    (relation,) = last.then
    assert isinstance(relation, Relation)
    left, right = (expanded(said, side) for side in relation.sides)
    outer, inside = _maximum(left)
    inner, entry = _maximum(inside)
    whole, _ = _maximum(right)

    def points(bounds: Sequence[Bound]) -> str:
        return printer.points(bounds)

    def first(bounds: Sequence[Bound]) -> str:
        return printer.tuple([operand(bound.lower, names) for bound in bounds])

    def tap(of: Sequence[Bound], found: Mapping[str, Index]) -> str:
        if not found.keys() >= {bound.name for bound in of}:
            raise NotCertified("the taps on record are those of other maxima")
        return printer.tuple([operand(found[bound.name], names) for bound in of])

    forward, backward = dict(taps.forward), dict(taps.backward)
    arguments = [
        f"Num {printer.order} none {points(outer)} {points(inner)} {points(whole)} _",
        printer.function(outer, printer.function(inner, printer.visit(entry))) + " _",
        printer.function(outer, printer.function(inner, tap(whole, forward))),
        f"{printer.function(whole, tap(outer, backward))} {printer.function(whole, tap(inner, backward))}",
        f"{first(outer)} {first(inner)} {first(whole)}",
    ]
    script += [f"intros. subst {' '.join(arrays)}. cbn beta.", f"apply (maximum_reads {arguments[0]}"]
    script += [f"  {argument}" for argument in arguments[1:]]
    script[-1] += ")."
    script += ["{ inner_maximum. }", "{ some_taps. }", "{ a_tap. }"]
    found = [f"tap_by {operand(n, names)} {operand(d, names)}." for n, d in quotients(e for _, e in taps.backward)]
    return [*script, f"{{ intros {printer.pattern(whole)} ?. {' '.join([*found, 'a_tap.'])} }}"]


def _maximum(node: Node) -> tuple[tuple[Bound, ...], Node]:
    """The taps of a maximum, and what it runs over."""
    if not isinstance(node, Reduce) or node.op != "max" or node.guards:
        raise NotCertified("only a maximum of maxima, each over all taps, has a proof in Coq yet")
    return node.bounds, node.body


def _sizes_in(said: Proposition) -> list[Index]:
    """The expressions in all that is said of sizes, and those that sizes stand for."""
    conditions: list[Condition] = [*said.given]
    found = [let.size for let in said.sizes if let.size is not None]
    for clause in said.clauses:
        conditions += clause.then
        found += [end for entry in clause.ranges for end in (entry.lower, entry.upper) if end is not None]
    return [*found, *(g.expr for c in conditions if is_arithmetic(c) for g in guards_of(c))]


def _floors(exprs: Iterable[Index], printer: Printer) -> list[str]:
    """What the rounded quotients in some expressions are."""
    names = printer.names
    pairs = quotients(exprs)
    return [f"pose proof (floor_spec {operand(n, names)} {operand(d, names)} ltac:(zs))." for n, d in pairs]
