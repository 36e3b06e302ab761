"""A proposition of a theorem, as its page prints it, as a theorem for Coq over any ordered field.

Named arrays stay names, a `let` each; nothing is put in, and every hypothesis stands in its place. What it rests on is
proved for a window of any number of taps in `coq/Taps.v`, `coq/Subgradients.v` and, of norms, `coq/Powers.v`; the
script only finds it there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from symconv.certificates.indices import index, operand, parenthesised, proposition
from symconv.certificates.naming import Names
from symconv.certificates.reads import reads_proof
from symconv.certificates.trees import NotCertified, Printer
from symconv.derivations.theorems.proposition import (
    AnyInteger,
    AnyTensor,
    Clause,
    Condition,
    Divides,
    Every,
    Iff,
    Let,
    Partial,
    Relation,
    Side,
    is_arithmetic,
)
from symconv.derivations.theorems.recorded import Stated
from symconv.formulas.algebra import Absolute, Compare, Power, Reduce, Sign, const
from symconv.formulas.walker import case
from symconv.formulas.walks import walk

__all__ = ["stated"]

_COMPARISONS = {">": "larger", ">=": "no_smaller"}


def stated(record: Stated, name: str) -> str:
    """The Coq text of a section with one theorem.

    Raises:
        NotCertified: where a part of the proposition has no form here.
    """
    writer = _Writer(record)
    lines = writer.lines(name)
    table = writer.names.table()
    opening = [f"(* {'; '.join(table)} *)"] if table else []
    opening += ["Section Certificate.", "Variable Num : OField."]
    if writer.printer.ordered:
        opening.append("Variable none : Num.")
    if writer.printer.powers:
        opening.append("Variable Pow : Powers Num.")
    proof = ["Proof. by_norms. Qed." if writer.printer.powers else "Proof. by_taps. Qed."]
    if record.taps is not None:
        script = reads_proof(record.proposition, record.taps, writer.printer, writer.on_sizes)
        proof = ["Proof.", *(f"  {line}" for line in script), "Qed."]
    return "\n".join([*opening, *lines, *proof, "End Certificate.", ""])


class _Values(Printer):
    """Writes trees over an ordered field."""

    order = "order_of"
    powers = False
    """Whether powers other than reciprocals are taken."""

    @case(Compare)
    def _compared(self, node: Compare) -> str:
        name = _COMPARISONS.get(node.relation)
        if name is None or not isinstance(node.right, Reduce) or node.right.op != "max":
            raise NotCertified("comparisons with anything but a maximum have no form in Coq yet")
        largest = f"(max_of {self.order} {self.window(node.right)})"
        return f"iv ({name} {self.order} {self.factor(node.left)} {largest}) one"

    @case(Power)
    def _raised(self, node: Power) -> str:
        if node.exponent == const(-1):
            return f"inverse {self.factor(node.base)}"
        self.powers = True
        return f"real_power Pow {self.factor(node.base)} {self.factor(node.exponent)}"

    @case(Absolute)
    def _absolute(self, node: Absolute) -> str:
        return f"magnitude {self.factor(node.arg)}"

    @case(Sign)
    def _sign(self, node: Sign) -> str:
        raise NotCertified("signs have no form in Coq yet")


class _Writer:
    """The text of a proposition."""

    def __init__(self, record: Stated) -> None:
        self.said = record.proposition
        self.names = Names(_bound(record))
        self.printer = _Values(self.names, frozenset(real.name for real in self.said.reals))
        self.on_sizes = 0  # the number of hypotheses on sizes, once they are written

    def lines(self, name: str) -> list[str]:
        """The theorem, in the order in which one reads it."""
        said = self.said
        lines = [f"Theorem {name} :", *self.integers((*said.integers, *(AnyInteger(let.name) for let in said.sizes)))]
        sizes = [given for given in said.given if is_arithmetic(given)]
        lines += [f"{text} ->" for given in sizes for text in self.condition(given)]
        for let in said.sizes:
            assert let.size is not None
            lines.append(f"{self.names.of(let.name)} = {index(let.size, self.names)} ->")
        self.on_sizes = sum(line.endswith("->") for line in lines)
        for real in said.reals:
            known = self.names.of(real.name, "number")
            lines += [f"forall {known} : Num,", f"{self.printer.scalar(real.lower)} ≼ {known} ->"]
        lines += [line for array in said.arrays for line in self.array(array)]
        lines += [self.let(let) for let in said.lets]
        values = [given for given in said.given if given not in sizes]
        lines += [f"{parenthesised(text)} ->" for given in values for text in self.condition(given)]
        parts = [self.clause(clause) for clause in said.clauses]
        lines.append(" /\\ ".join(parts if len(parts) == 1 else map(parenthesised, parts)) + ".")
        return [lines[0], *(f"  {line}" for line in lines[1:])]

    # ------------------------------------------------------------------ what is quantified over

    def integers(self, ranges: Sequence[AnyInteger]) -> list[str]:
        """Integers in their ranges."""
        if not ranges:
            return []
        lines = [f"forall {' '.join(self.names.of(entry.name) for entry in ranges)} : Z,"]
        for entry in ranges:
            ends = [None if end is None else index(end, self.names) for end in (entry.lower, entry.upper)]
            low, high = f"{ends[0]} <= " if ends[0] else "", f" <= {ends[1]}" if ends[1] else ""
            if low or high:
                lines.append(f"{low}{self.names.of(entry.name)}{high} ->")
        return lines

    def array(self, array: AnyTensor) -> list[str]:
        """An array: any values in its ranges, zero elsewhere."""
        if array.nonnegative:
            raise NotCertified("arrays that are not negative have no form in Coq yet")
        name, entries = self.names.of(array.name, "tensor"), self.printer.entries(array.name)
        places = [self.names.helper("place", str(k), f"x{k}") for k in range(1, len(array.ranges) + 1)]
        inside = " && ".join(
            f"inside {operand(bound.lower, self.names)} {place} {operand(bound.upper, self.names)}"
            for place, bound in zip(places, array.ranges, strict=True)
        )
        words = " ".join(places)
        return [
            f"forall {entries} : {'Z -> ' * len(places)}Num,",
            f"let {name} {words} := iv ({inside}) ({entries} {words}) in",
        ]

    def let(self, let: Let) -> str:
        """A name for the entries of another array."""
        if let.ranges or isinstance(let.value, Partial):
            raise NotCertified("derivatives, and arrays in a range of their own, have no form in Coq here yet")
        head = " ".join([self.names.of(let.name, "tensor"), *(self.names.of(place) for place in let.indices)])
        return f"let {head} : Num := {self.printer.visit(let.value)} in"

    # ------------------------------------------------------------------ what is said

    def clause(self, clause: Clause) -> str:
        """One clause in one line."""
        given = [f"{parenthesised(text)} ->" for part in clause.given for text in self.condition(part)]
        return " ".join([*self.integers(clause.ranges), *given, self.all_of(clause.then)])

    def all_of(self, conditions: Iterable[Condition]) -> str:
        """A conjunction."""
        texts = [text for condition in conditions for text in self.condition(condition)]
        return " /\\ ".join(texts if len(texts) == 1 else map(parenthesised, texts))

    def condition(self, condition: Condition) -> list[str]:
        """A condition as propositions, all of which hold."""
        if isinstance(condition, Iff):
            return [f"({self.all_of(condition.left)}) <-> ({self.all_of(condition.right)})"]
        if isinstance(condition, Every):
            arrays = [line for array in condition.arrays for line in self.array(array)]
            return [" ".join([*self.integers(condition.ranges), *arrays, self.all_of(condition.then)])]
        if isinstance(condition, Divides) or is_arithmetic(condition):
            return [proposition(guard, self.names) for guard in condition.guards()]
        return [self.relation(*link) for link in condition.links()]

    def relation(self, left: Side, sign: str, right: Side) -> str:
        """A relation between values."""
        if isinstance(left, Partial) or isinstance(right, Partial):
            raise NotCertified("derivatives have no form in Coq here yet")
        one, two = self.printer.visit(left), self.printer.visit(right)
        if sign == "=":
            return f"{one} = {two} :> Num"
        return f"{one} ≼ {two}" if sign == "<=" else f"{two} ≼ {one}"


def _bound(record: Stated) -> set[str]:
    """The names that are bound in trees."""
    said = record.proposition
    conditions: list[Condition] = [*said.given, *(part for clause in said.clauses for part in clause.then)]
    found: set[str] = set()
    sides: list[Side] = [let.value for let in said.lets]
    while conditions:
        condition = conditions.pop()
        if isinstance(condition, Relation):
            sides += condition.sides
        elif isinstance(condition, Every):
            conditions += condition.then
        elif isinstance(condition, Iff):
            conditions += [*condition.left, *condition.right]
    for side in sides:
        if not isinstance(side, Partial):
            found |= {bound.name for node in walk(side) if isinstance(node, Reduce) for bound in node.bounds}
    return found
