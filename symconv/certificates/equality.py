"""A statement "left = right for all sizes" as a theorem: printed from the statement as it was made.

The theorem reads: for all sizes under the hypotheses, both sides declare the same ranges and boxes, and for all tensors
and free indices the two trees have the same value. Its proof puts in what equations fix, and follows the match.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symconv.certificates.indices import index, operand, proposition
from symconv.certificates.matching import Follower
from symconv.certificates.naming import Names
from symconv.certificates.quotients import floors, sizes
from symconv.certificates.trees import NotCertified, Printer
from symconv.formulas.algebra import Bound, Guard, Reduce
from symconv.formulas.walks import accesses, walk
from symconv.proofs.record import Equality
from symconv.proofs.statement import Statement
from symconv.proofs.windows import given_windows

__all__ = ["equality"]


def equality(record: Equality, name: str) -> str:
    """The Coq text of a section with one theorem.

    Raises:
        NotCertified: where the statement or its proof has no form here.
    """
    stated = _stated(record.statement)
    reductions = [n for tree in (stated.left, stated.right) for n in walk(tree) if isinstance(n, Reduce)]
    bound = {b.name for reduction in reductions for b in reduction.bounds}
    names = Names(bound)
    theorem = _Theorem(stated, Printer(names, stated.reals))
    lines = theorem.lines(name)
    proof = _proof(record, stated, theorem.printer)
    return "\n".join([*_opening(theorem.printer), *lines, "Proof.", *(f"  {line}" for line in proof), "Qed.", ""])


def _stated(statement: Statement) -> Statement:
    """The statement as it was made, which must be the one that was proved.

    What the two sides need to have a value, such as a logarithm of what is positive, is no part of it: the certificate
    says more, of any functions.

    Raises:
        NotCertified: where it is not known, or has been changed since.
    """
    stated = statement.stated
    if given_windows(statement):
        raise NotCertified("that windows hold an entry is supposed, which has no form in Coq yet")
    if stated is None:
        raise NotCertified("the statement as it was made is not known")
    solved = Statement.of(
        stated.left,
        stated.right,
        stated.free,
        stated.boxes,
        stated.hypotheses,
        definitions=stated.definitions,
        other_free=stated.other_free,
        reals=stated.reals,
        order=statement.parameters,
        agreements=stated.agreements,
    )
    if _said(solved) != _said(statement):
        raise NotCertified("the statement was changed after it was made")
    return stated


def _said(statement: Statement) -> Statement:
    """What a statement says, without how it is gone through."""
    return replace(statement, parameters=(), solved=(), fixed=(), needs=())


def _opening(printer: Printer) -> list[str]:
    """The section, and what the values have."""
    table = printer.names.table()
    lines = [f"(* {'; '.join(table)} *)"] if table else []
    lines += [
        "Section Certificate.",
        f"Variable Num : {'CField' if printer.field else 'CRing'}. Add Ring num : (laws Num).",
    ]
    if printer.ordered:
        lines.append("Variables (order : Order Num) (none : Num).")
    if printer.functions:
        functions = " ".join(f"({name} : {kind})" for name, kind in sorted(printer.functions.items()))
        lines.append(f"Variables {functions}.  (* any functions *)")
    return lines


class _Theorem:
    """The text of a statement."""

    def __init__(self, stated: Statement, printer: Printer) -> None:
        self.stated, self.printer = stated, printer
        self.names = printer.names

    def lines(self, name: str) -> list[str]:
        """The theorem, in the order in which one reads it: sizes, hypotheses, tensors, indices, both sides."""
        stated, printer = self.stated, self.printer
        for size in sizes(stated):
            self.names.of(size)
        tensors = read_tensors(stated)
        for tensor in tensors:
            self.names.of(tensor, "tensor")
        left, right = printer.visit(stated.left), printer.visit(stated.right)
        quantified = [self.names.of(size) for size in sizes(stated)]
        lines = [f"Theorem {name} :"]
        if quantified:
            lines.append(f"  forall {' '.join(quantified)} : Z,")
        lines += [f"  {text} ->" for text in self.hypotheses()]
        lines += [f"  {text} /\\" for text in self.agreements()]
        numbers = sorted(printer.numbers)
        if numbers:
            lines.append(f"  forall {' '.join(self.names.of(number, 'number') for number in numbers)} : Num,")
        for tensor in tensors:
            lines += self._tensor(tensor)
        if stated.free:
            lines.append(f"  forall {' '.join(self.names.of(b.name) for b in stated.free)} : Z,")
            lines += [f"  {self._range(b)} ->" for b in stated.free]
        lines += [f"  {proposition(g, self.names)} ->" for g in self._integral(stated.on_indices)]
        return [*lines, f"  {left}", f"  = {right} :> Num."]

    def hypotheses(self) -> list[str]:
        """The conditions on sizes, and what names are defined as."""
        own = set(self.stated.indices)
        given = [g for g in self._integral(self.stated.hypotheses) if not g.names & own and g.truth is not True]
        defined = [(n, value) for n, value in self.stated.definitions if not value.names & self.stated.reals]
        texts = [proposition(g, self.names) for g in given]
        return [*texts, *(f"{self.names.of(name)} = {index(value, self.names)}" for name, value in defined)]

    def agreements(self) -> list[str]:
        """What both sides declare: the same ranges of free indices, and the same boxes."""
        ranges = [
            pair
            for ours, theirs in zip(self.stated.free, self.stated.other_free, strict=True)
            for pair in ((ours.lower, theirs.lower), (ours.upper, theirs.upper))
        ]
        goals = [Guard("eq", one - two) for one, two in ranges] + [g for _, g in self.stated.agreements]
        texts = [proposition(goal, self.names) for goal in dict.fromkeys(goals) if goal.truth is not True]
        self.printer.integers(*(goal.expr for goal in goals))
        return texts

    def _integral(self, guards: tuple[Guard, ...]) -> Iterator[Guard]:
        """The conditions on integers; those on real parameters are left out, which makes the theorem stronger."""
        return (guard for guard in guards if not guard.names & self.stated.reals)

    def _range(self, bound: Bound) -> str:
        self.printer.integers(bound.lower, bound.upper)
        name = self.names.of(bound.name)
        return f"{index(bound.lower, self.names)} <= {name} <= {index(bound.upper, self.names)}"

    def _tensor(self, tensor: str) -> list[str]:
        box = self.stated.boxes[tensor]
        self.printer.integers(*(end for axis in box for end in axis))
        name, entries = self.names.of(tensor, "tensor"), self.printer.entries(tensor)
        lines = [f"  forall {entries} : {'Z -> ' * len(box)}Num,"]
        if not box:
            return [*lines, f"  let {name} := {entries} in"]
        places = " ".join(self.names.helper("place", str(k), f"x{k}") for k in range(1, len(box) + 1))
        inside = " && ".join(
            f"inside {operand(low, self.names)} {place} {operand(high, self.names)}"
            for place, (low, high) in zip(places.split(), box, strict=True)
        )
        test = self.printer.box(tensor)
        lines.append(f"  let {test} {places} := {inside} in")
        return [*lines, f"  let {name} {places} := iv ({test} {places}) ({entries} {places}) in"]


def read_tensors(statement: Statement) -> list[str]:
    """The tensors that either side reads, in reading order."""
    return list(dict.fromkeys(a.tensor for node in (statement.left, statement.right) for a in accesses(node)))


def _proof(record: Equality, stated: Statement, printer: Printer) -> list[str]:
    """The script: hypotheses, quotients in them, what equations fix, agreements, and then the match."""
    theorem = _Theorem(stated, printer)
    names, solved = printer.names, record.statement
    known = [g.expr for g in stated.hypotheses if not g.names & (set(stated.indices) | stated.reals)]
    known += [g.divisor for g in stated.hypotheses if g.divisor is not None and not g.names & set(stated.indices)]
    known += [value for _, value in stated.definitions]
    ends = [end for _, guard in stated.agreements for end in (guard.expr,)]
    ends += [end for bound in (*stated.free, *stated.other_free) for end in (bound.lower, bound.upper)]
    ends += [end for tensor in read_tensors(stated) for axis in stated.boxes[tensor] for end in axis]
    count = len(theorem.hypotheses())
    script = [f"intros{''.join(' ' + names.of(size) for size in sizes(stated))}."] if sizes(stated) else []
    if count:
        script.append(f"do {count} intro.")
    script += floors([*known, *ends], printer)
    for name, value in solved.solved:
        script.append(f"assert ({names.of(name)} = {index(value, names)}) by zs; subst {names.of(name)}; put_in.")
    script += ["also ltac:(zs)." for _ in theorem.agreements()]
    script.append("intros.")
    follower = Follower(record, printer)
    scope = {*sizes(stated), *stated.indices}
    outer = [value for value in follower.outer.values() if value.names <= scope]
    script += [line for line in floors(outer, printer) if line not in script]
    return [*script, *follower.script()]
