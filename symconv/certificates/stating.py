"""A proposition of a theorem, as its page prints it, as a theorem for Coq over any ordered field.

Named arrays stay names, a `let` each; nothing is put in, and every hypothesis stands in its place. What it rests on is
proved for a window of any number of taps in `coq/Taps.v`, `coq/Subgradients.v` and, of norms, `coq/Powers.v`, of
derivatives by scores in `coq/Slopes.v`; the script only finds it there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

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
    Proposition,
    Relation,
    Side,
    is_arithmetic,
)
from symconv.derivations.theorems.recorded import Stated
from symconv.formulas.algebra import Absolute, Access, Applied, Compare, Node, Power, Reduce, Sign, const
from symconv.formulas.functions import EXP, LN
from symconv.formulas.index import Index
from symconv.formulas.walker import case
from symconv.formulas.walks import accesses, walk

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
    if writer.printer.slopes:
        opening.append("Variables (Der : Slopes Num) (Elem : Elementary Num Der).")
    tactic = "by_norms" if writer.printer.powers else "by_slopes" if writer.printer.slopes else "by_taps"
    proof = [f"Proof. {tactic}. Qed."]
    if record.taps is not None:
        script = reads_proof(record.proposition, record.taps, writer.printer, writer.on_sizes)
        proof = ["Proof.", *(f"  {line}" for line in script), "Qed."]
    return "\n".join([*opening, *lines, *proof, "End Certificate.", ""])


class _Values(Printer):
    """Writes trees over an ordered field."""

    order = "order_of"
    powers = False
    """Whether powers other than reciprocals are taken."""
    slopes = False
    """Whether derivatives, powers of e or logarithms occur."""

    def __init__(self, names: Names, reals: frozenset[str], varied: Mapping[str, Sequence[str]]) -> None:
        super().__init__(names, reals)
        self.varied = varied

    def access(self, node: Access, *, raw: bool = False) -> str:
        name, *places = super().access(node, raw=raw).split(" ", 1)
        arrays = [self.names.of(array, "tensor") for array in self.varied.get(node.tensor, ())]
        return " ".join([name, *arrays, *places])

    @case(Applied)
    def _applied(self, node: Applied) -> str:
        if node.function not in (EXP, LN):
            raise NotCertified(f"functions such as {node.function.name!r} have no form in Coq here yet")
        self.slopes = True
        return f"{node.function.name} Elem {self.factor(node.arg)}"

    @case(Compare)
    def _compared(self, node: Compare) -> str:
        name = _COMPARISONS.get(node.relation)
        if name is None:
            raise NotCertified("the comparison of values for equality has no form in Coq here yet")
        if not isinstance(node.right, Reduce) or node.right.op != "max":
            one, two = self.factor(node.left), self.factor(node.right)
            holds = f"negb (le {self.order} {one} {two})" if node.relation == ">" else f"le {self.order} {two} {one}"
            return f"iv ({holds}) one"
        return f"iv ({name} {self.order} {self.factor(node.left)} ({self.found(node.right)})) one"

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
    def _signed(self, node: Sign) -> str:
        raise NotCertified("signs have no form in Coq yet")


class _Writer:
    """The text of a proposition."""

    def __init__(self, record: Stated) -> None:
        self.said = record.proposition
        self.names = Names(_bound(record))
        reals = frozenset(real.name for real in self.said.reals)
        self.printer = _Values(self.names, reals, _varied(self.said))
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
        arrays = [self.function(array) for array in self.printer.varied.get(let.name, ())]
        places = [self.names.of(place) for place in let.indices]
        head = " ".join([self.names.of(let.name, "tensor"), *arrays, *places])
        return f"let {head} : Num := {self.printer.visit(let.value)} in"

    def function(self, array: str) -> str:
        """An array that a defined one is a function of."""
        axes = next(len(own.ranges) for own in self.said.arrays if own.name == array)
        return f"({self.names.of(array, 'tensor')} : {'Z -> ' * axes}Num)"

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
        if isinstance(right, Partial) or (isinstance(left, Partial) and sign != "="):
            raise NotCertified("only the value of a derivative has a form in Coq yet")
        if isinstance(left, Partial):
            return self.derivative(left, right)
        one, two = self.printer.visit(left), self.printer.visit(right)
        if sign == "=":
            return f"{one} = {two} :> Num"
        return f"{one} ≼ {two}" if sign == "<=" else f"{two} ≼ {one}"

    def derivative(self, partial: Partial, value: Node) -> str:
        """That a defined entry, as a function of one entry of an array, has a value for its derivative there."""
        self.printer.slopes = True
        array, printer = partial.by.tensor, self.printer
        places = [self.names.helper("place", str(k), f"x{k}") for k in range(1, len(partial.by.index) + 1)]
        pairs = zip(places, partial.by.index, strict=True)
        here = " && ".join(parenthesised(f"{place} =? {index(e, self.names)}") for place, e in pairs)
        varying = self.names.helper("value", "", "v")
        entry = printer.visit(Access(array, tuple(map(Index.of, partial.by.index))))
        old = " ".join([self.names.of(array, "tensor"), *places])
        changed = f"(fun {' '.join(places)} => if {here} then {varying} else {old})"
        name, *at = Printer.access(printer, partial.of).split(" ", 1)
        others = [self.names.of(other, "tensor") for other in printer.varied[partial.of.tensor]]
        own = [changed if other == self.names.of(array, "tensor") else other for other in others]
        return f"slope Der (fun {varying} => {' '.join([name, *own, *at])}) ({entry}) {printer.factor(value)}"


def _varied(said: Proposition) -> dict[str, list[str]]:
    """For every array that is defined, the arrays by whose entries derivatives are taken and that it reads."""
    sides = [
        side for clause in said.clauses for part in clause.then if isinstance(part, Relation) for side in part.sides
    ]
    by = {side.by.tensor for side in sides if isinstance(side, Partial)}
    found: dict[str, list[str]] = {}
    for let in said.lets:
        if not isinstance(let.value, Partial):
            read = {entry.tensor for entry in accesses(let.value)}
            found[let.name] = sorted(by & read.union(*(found.get(other, ()) for other in read)))
    return {name: arrays for name, arrays in found.items() if arrays}


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
