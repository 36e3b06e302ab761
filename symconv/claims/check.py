"""From a claim to verdicts: literally at the declared size, and for all sizes where a generalisation is declared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symconv.claims import arrays
from symconv.claims.assumptions import read_all_absolute, read_as_nonnegative, without_known_ranges
from symconv.claims.decision import decide, wrong_ends
from symconv.claims.definedness import End, Obligation, obligations, of_arrays
from symconv.claims.family import given, kept, names_axes
from symconv.claims.lowering import lower, orders
from symconv.claims.ranges import free_names_of, free_ranges, use_abstract_sets
from symconv.claims.repair import candidates, shown, with_ends
from symconv.claims.scope import ORDER, Declarations, Scope, general_scope, literal_scope, mentioned
from symconv.claims.source import ClaimSource, Mode
from symconv.claims.syntax import (
    Call,
    Claim,
    Derivative,
    Entry,
    Expr,
    Limit,
    MatrixLiteral,
    Name,
)
from symconv.claims.traversal import map_expr, walk_expr, words
from symconv.claims.writing import to_text
from symconv.doors import flag, instance
from symconv.doors import text as to_claim
from symconv.errors import ClaimError, SymconvError
from symconv.formulas.algebra import Bound, Guard, Node, accesses, equal, scalar
from symconv.formulas.effort import Effort, OutOfEffort
from symconv.formulas.index import Index
from symconv.proofs.needs import Valued
from symconv.proofs.record import conjunction, preceded_by
from symconv.proofs.statement import Statement, free_names
from symconv.proofs.verdict import Counterexample, Verdict

if TYPE_CHECKING:
    from symconv.claims.problem import Problem

__all__ = ["ClaimVerdict", "check", "check_claim", "check_source", "judge"]

MAX_CANDIDATES = 160
REPAIR = 2_500_000  # steps; a repair is a courtesy: a claim is answered without one rather than late
CANDIDATE = 3_000  # steps to read one repaired claim
_WORKED_OUT = {Derivative: "derivatives", Limit: "limits"}  # before the two sides are compared
_RANK = {"error": 0, "refuted": 1, "undecided": 2, "exact": 3, "proved": 4}


@dataclass(frozen=True)
class ClaimVerdict:
    """A verdict on a claim in one mode, with the smallest edit that makes it true where one was found.

    Attributes:
        source: the claim.
        mode: "literal" or "general".
        verdict: the verdict; "error" where the claim cannot be read or names something undeclared.
        repair: the claim as it should read, in the Python-like language.
        edit: the edit in words, such as "j+m-1 should be j+n-1".
        repaired: the verdict on the repaired claim.
        notes: what was read in one of several ways, and what was passed over.
        claim: the syntax tree, None where it could not be read.
        mended: the syntax tree of the repaired claim.
    """

    source: ClaimSource
    mode: Mode
    verdict: Verdict
    repair: str = ""
    edit: str = ""
    repaired: Verdict | None = None
    notes: tuple[str, ...] = ()
    claim: Claim | None = None
    mended: Claim | None = None

    @property
    def status(self) -> str:
        """The status of the verdict."""
        return self.verdict.status

    def as_json(self) -> dict[str, Any]:
        """A dictionary of plain values."""
        counter = self.verdict.counterexample
        return {
            "id": self.source.id,
            "mode": self.mode,
            "status": self.status,
            "scope": str(self.verdict.scope) if self.status != "error" else "",
            "counterexample": None if counter is None else _counter_json(counter),
            "repair": self.repair or None,
            "edit": self.edit or None,
            "explanation": self.verdict.explanation,
            "given": list(given(self.source.declared, self.claim)),
            "conditions": list(self.verdict.conditions),
            "notes": list(self.notes),
        }


def _counter_json(counter: Counterexample) -> dict[str, Any]:
    place = {"sizes": dict(counter.sizes), "indices": dict(counter.indices)}
    if counter.entry is not None:
        tensor, index = counter.entry
        box = [list(ends) for ends in counter.boxes[tensor]]
        return {"kind": counter.what, **place, "entry": {"tensor": tensor, "index": list(index), "exist": box}}
    tensors = {
        name: [{"index": list(index), "value": str(value)} for index, value in entries.items()]
        for name, entries in counter.tensors.items()
    }
    return {**place, "tensors": tensors, "left": str(counter.left), "right": str(counter.right)}


def check(problem: Problem | str | Path) -> list[ClaimVerdict]:
    """A verdict for every claim of a problem in every mode, in the order of the file.

    Args:
        problem: a problem, or the path of a problem file.

    Raises:
        ProblemFileError: where the file is not what the schema asks for.
    """
    from symconv.claims.problem import Problem, load_problem

    read = problem if isinstance(problem, Problem) else load_problem(problem)
    return [result for source in read.claims for result in check_source(source)]


def check_claim(text: str, declarations: Declarations, *, general: bool = False) -> Verdict:
    """Check one claim, given in the Python-like language or (where it has a backslash) in LaTeX.

    Args:
        text: the claim.
        declarations: what it may speak of.
        general: for all sizes instead of at the declared one.
    """
    instance("declarations", declarations, Declarations, "must be declarations, such as Declarations(Conv((3,)), (5,))")
    mode: Mode = "general" if flag("general", general) else "literal"
    latex = "\\" in to_claim("text", text)
    source = ClaimSource("", declarations, "" if latex else text, text if latex else "", (mode,))
    return check_source(source, repair=False)[0].verdict


def check_source(source: ClaimSource, *, repair: bool = True) -> tuple[ClaimVerdict, ...]:
    """A verdict for every mode of a claim; errors are verdicts too."""
    try:
        claim = source.read()
    except SymconvError as error:
        return tuple(ClaimVerdict(source, mode, Verdict("error", explanation=str(error))) for mode in source.modes)
    results = []
    for mode in source.modes:
        verdict = _guarded(claim, source.declared, mode)
        result = ClaimVerdict(source, mode, verdict, notes=claim.notes, claim=claim)
        results.append(_mended(result, claim) if repair and verdict.status == "refuted" else result)
    return tuple(results)


def _mended(result: ClaimVerdict, claim: Claim) -> ClaimVerdict:
    """The verdict with a repair added, where a small edit makes the claim true."""
    counter = result.verdict.counterexample
    effort = Effort(REPAIR)
    scope = _scope_of(claim, result.source.declared, result.mode)
    try:
        if counter is not None and counter.entry is not None:
            within = _within_its_tensors(result, claim, scope, effort)
            if within is not None:
                return within
        for mended, before, after in islice(candidates(claim), MAX_CANDIDATES):
            effort.spend(CANDIDATE)
            try:
                verdict = _judged(mended, scope.again(effort.part(1, 2)), quick=True)
            except SymconvError:
                continue
            if verdict.holds:
                edit = f"{shown(before)} should be {shown(after)}"
                return replace(result, repair=to_text(_with_commas(mended)), edit=edit, repaired=verdict, mended=mended)
    except OutOfEffort:
        return result
    return result


def _within_its_tensors(result: ClaimVerdict, claim: Claim, scope: Scope, effort: Effort) -> ClaimVerdict | None:
    """The verdict with a repair, where sums that end with their tensors make the claim true."""
    whole, scope = scope, scope.again(effort.part(1, 4))
    _tell(scope, claim)
    ends: list[End] = []
    try:
        for left, right in pairwise(claim.parts):
            free = free_ranges(left, right, scope)
            known = [*scope.hypotheses, *(equal(name, value) for name, value in scope.definitions)]
            known += [guard for bound in free for guard in bound.guards()]
            ends += wrong_ends(obligations((left, right), free, scope), known, orders(scope), scope.effort)
        mended, edit = with_ends(claim, ends)
        verdict = _judged(mended, whole.again(effort.part(1, 2)), quick=True)
    except SymconvError:
        return None
    if not verdict.holds:
        return None
    return replace(result, repair=to_text(_with_commas(mended)), edit=edit, repaired=verdict, mended=mended)


def _with_commas(claim: Claim) -> Claim:
    """The claim with c_{ij} written as c[i, j]."""

    def change(expr: Expr) -> Expr | None:
        return replace(expr, joined=False) if isinstance(expr, Entry) and expr.joined else None

    return replace(claim, parts=tuple(map_expr(part, change) for part in claim.parts))


def _guarded(claim: Claim, declared: Declarations, mode: Mode) -> Verdict:
    try:
        return judge(claim, declared, mode)
    except SymconvError as error:
        return Verdict("error", explanation=str(error))


def judge(claim: Claim, declared: Declarations, mode: Mode) -> Verdict:
    """The verdict on a claim in one mode; a chain of relations is as good as its weakest link.

    Args:
        claim: the claim.
        declared: what it may speak of.
        mode: at the declared size, or for all sizes.

    Raises:
        ClaimError: where it names something undeclared, or has no meaning.
    """
    return _judged(claim, _scope_of(claim, declared, mode), quick=False)


def _scope_of(claim: Claim, declared: Declarations, mode: Mode) -> Scope:
    return literal_scope(declared) if mode == "literal" else general_scope(declared, apart=names_axes(claim, declared))


def _judged(claim: Claim, scope: Scope, *, quick: bool) -> Verdict:
    """The verdict on a claim.

    Args:
        claim: the claim.
        scope: what it may speak of, and what the verdict may cost.
        quick: for a claim that is tried as a repair: a few values come first, and a proof only where they agree; after
            one that failed no example is searched for.

    Raises:
        ClaimError: where it names something undeclared, or has no meaning.
    """
    declared = scope.declared
    _tell(scope, claim)
    if claim.continues is not None:
        raise ClaimError("begins with a relation; write the left-hand side that it continues")
    parts = list(claim.parts)
    relations: list[str] = list(claim.relations)
    if not relations:
        if not declared.of:
            raise ClaimError(
                'a single value says nothing by itself; declare what it is for with of = "size" or of = "C"'
            )
        parts.insert(0, Name(declared.of))
        relations = ["=="]
    if any(relation != "==" for relation in relations):
        raise ClaimError("only equalities can be checked")
    links = []
    for left, right in pairwise(parts):
        links.append(_compare(left, right, scope, quick))
        if quick and not links[-1].holds:
            break
    verdict = _all_of(links)
    kinds = {type(expr) for part in parts for expr in walk_expr(part)}
    before = [word for kind, word in _WORKED_OUT.items() if kind in kinds]
    family = replace(verdict.scope, kept=kept(scope))
    return replace(verdict, scope=family, record=preceded_by(verdict.record, *before))


def _tell(scope: Scope, claim: Claim) -> None:
    """Tell a scope where the numbers of a claim stand, and of which sets it speaks."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for part in claim.parts:
        for value, places in mentioned(part).items():
            spans.setdefault(value, []).extend(places)
    scope.note_numbers(spans)
    use_abstract_sets(claim, scope)


def _compare(left: Expr, right: Expr, scope: Scope, quick: bool) -> Verdict:
    if arrays.is_array(left, scope) or arrays.is_array(right, scope):
        if _numeric(left, scope) or _numeric(right, scope):
            return _compare_numbers(left, right, scope)
        return _compare_arrays(left, right, scope, quick)
    mine, theirs = lower(left, scope), lower(right, scope)  # what is not declared is found here, before ranges
    free = free_ranges(left, right, scope)
    return _decide(mine, theirs, free, obligations((left, right), free, scope), scope, quick)


def _decide(
    left: Node, right: Node, free: Sequence[Bound], obliged: Sequence[Obligation], scope: Scope, quick: bool
) -> Verdict:
    letters = scope.declared.nonnegative
    unknown = [name for name in letters if name not in scope.boxes]
    if unknown:
        raise scope.unknown("the tensor", unknown[0], list(scope.boxes))
    left, right = (without_known_ranges(read_as_nonnegative(side, letters), free) for side in (left, right))
    obliged = [_nonnegative(one, letters) for one in obliged]
    powers = [one.need.demand for one in obliged if isinstance(one.need.demand, Valued)]
    trees = [left, right, *(tree for power in powers for tree in (power.base, power.exponent))]
    read = {access.tensor for tree in trees for access in accesses(tree)}
    statement = Statement.of(
        left,
        right,
        free,
        {name: box for name, box in scope.boxes.items() if name in read},  # an example shows no other tensor
        (*scope.hypotheses, *_element_facts(scope), *_order_facts(left, right, scope)),
        definitions=scope.definitions,
        reals=frozenset(scope.output.table.real),
        order=scope.order,
    )

    def judged(statement: Statement) -> Verdict:
        return decide(
            statement,
            obliged,
            reals=orders(scope),
            order=scope.order,
            letters=letters,
            effort=scope.effort,
            quick=quick,
        )

    verdict = judged(statement)
    if letters:
        verdict = _under_signs(verdict, statement, letters, judged)
    return verdict


def _nonnegative(one: Obligation, letters: Sequence[str]) -> Obligation:
    """An obligation on tensors some of which have no negative entry: their entries are read as absolute values."""
    demand = one.need.demand
    if not letters or not isinstance(demand, Valued):
        return one
    base, exponent = (read_all_absolute(tree, letters) for tree in (demand.base, demand.exponent))
    return replace(one, need=replace(one.need, demand=Valued(base, exponent)))


def _under_signs(
    verdict: Verdict, statement: Statement, letters: Sequence[str], judged: Callable[[Statement], Verdict]
) -> Verdict:
    """A verdict on tensors with nonnegative entries: an example with a negative entry refutes nothing.

    Then |x| is read for every such entry x, which speaks of nonnegative ones alone: what differs at x differs at |x|.
    """
    if _has_negative(verdict, letters):
        left, right = (read_all_absolute(side, letters) for side in (statement.left, statement.right))
        other = replace(statement, left=left, right=right)
        verdict = judged(other)
        counter = verdict.counterexample
        if counter is not None:
            tensors = {
                name: {at: abs(value) if name in letters else value for at, value in entries.items()}
                for name, entries in counter.tensors.items()
            }
            found = replace(counter, tensors=tensors)
            verdict = replace(verdict, counterexample=found, explanation=f"The two sides differ: at {found}.")
    names = ", ".join(letters)
    explanation = f"{verdict.explanation} Every entry of {names} is assumed to be >= 0."
    return replace(verdict, explanation=explanation, record=preceded_by(verdict.record, "absolute values"))


def _has_negative(verdict: Verdict, letters: Sequence[str]) -> bool:
    counter = verdict.counterexample
    return counter is not None and any(
        value < 0 for name in letters for value in counter.tensors.get(name, {}).values()
    )


def _all_of(verdicts: Sequence[Verdict]) -> Verdict:
    """The weakest of several verdicts, with the record of all of them."""
    weakest = min(verdicts, key=lambda v: _RANK[v.status])
    return replace(weakest, record=conjunction(v.record for v in verdicts) if weakest.holds else None)


def _element_facts(scope: Scope) -> tuple[Guard, ...]:
    """A set has at least one element."""
    used = any(scope.elements.names & e.names for box in scope.boxes.values() for ends in box for e in ends)
    return (Guard("ge", scope.elements - 1),) if used and scope.elements.value is None else ()


def _order_facts(left: Node, right: Node, scope: Scope) -> tuple[Guard, ...]:
    """The order p of a declared norm is at least 1, where it is left open."""
    opened = scope.has_order and ORDER in free_names(left) | free_names(right)
    return (Guard("ge", Index.of(ORDER) - 1),) if opened else ()


# ---------------------------------------------------------------------- arrays


def _numeric(expr: Expr, scope: Scope) -> bool:
    """Whether an array is one of numbers: data, a matrix of numbers, or an operator of such."""
    if isinstance(expr, MatrixLiteral):
        return all(not isinstance(part, Entry | Name) for row in expr.rows for cell in row for part in walk_expr(cell))
    if isinstance(expr, Call) and expr.name in scope.declared.operators:
        return True
    return isinstance(expr, Name) and expr.name in scope.declared.data and expr.name not in scope.arrays


def _compare_numbers(left: Expr, right: Expr, scope: Scope) -> Verdict:
    """Two arrays of numbers, entry by entry; where a layer's other reading gives the claimed one, that is said."""
    if not scope.literal:
        raise ClaimError("numbers are claimed at the declared size only")
    mine, theirs = arrays.numbers(left, scope), arrays.numbers(right, scope)
    mine, theirs = _row(mine, left, theirs), _row(theirs, right, mine)
    if _shape(mine) != _shape(theirs):
        text = f"The shapes differ: {_x(_shape(mine))} on the left, {_x(_shape(theirs))} on the right."
        return Verdict("refuted", explanation=text, method="numbers")
    wrong = list(_differences(mine, theirs, (), scope.base))
    if not wrong:
        return Verdict("exact", explanation="All entries agree, in exact arithmetic.", method="numbers")
    listed = ", ".join(f"{index}: {a} and {b}" for index, a, b in wrong[:9])
    text = f"{len(wrong)} of {_count(mine)} entries differ ({listed}{', ...' if len(wrong) > 9 else ''})."
    other = _other_reading(left, right, scope)
    return Verdict("refuted", explanation=text + other, method="numbers")


def _row(array: Any, written: Expr, other: Any) -> Any:
    """A matrix of one row is a vector where it is compared with one."""
    one = isinstance(written, MatrixLiteral) and len(written.rows) == 1 and len(_shape(other)) == 1
    return array[0] if one else array


def _other_reading(left: Expr, right: Expr, scope: Scope) -> str:
    """Whether the other reading of a convolution gives the claimed numbers."""

    def swapped(expr: Expr) -> Expr:
        def change(part: Expr) -> Expr | None:
            if isinstance(part, Call) and part.name in ("corr", "conv"):
                return replace(part, name="conv" if part.name == "corr" else "corr")
            return None

        return map_expr(expr, change)

    from symconv.operators.convolution import Conv

    op = scope.declared.op
    flip = not op.flip if isinstance(op, Conv) else None
    try:
        mine, theirs = (arrays.numbers(swapped(side), scope, flip=flip) for side in (left, right))
        same = _row(mine, left, theirs) == _row(theirs, right, mine)
    except SymconvError:
        return ""
    if not same:
        return ""
    uses = {part.name for expr in (left, right) for part in walk_expr(expr) if isinstance(part, Call)}
    flipped = "corr" in uses or (not uses & {"corr", "conv"} and isinstance(op, Conv) and not op.flip)
    return f" The {'flipped convolution' if flipped else 'cross-correlation'} gives it."


def _differences(left: Any, right: Any, place: tuple[int, ...], base: int) -> Any:
    if isinstance(left, list):
        for position, (a, b) in enumerate(zip(left, right, strict=True), base):
            yield from _differences(a, b, (*place, position), base)
    elif left != right:
        yield place, left, right


def _shape(array: Any) -> tuple[int, ...]:
    return (len(array), *_shape(array[0])) if isinstance(array, list) else ()


def _count(array: Any) -> int:
    return sum(_count(entry) for entry in array) if isinstance(array, list) else 1


def _x(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a single number"


def _compare_arrays(left: Expr, right: Expr, scope: Scope, quick: bool) -> Verdict:
    """Two arrays in symbols: the same size, and every entry the same."""
    mine, theirs = arrays.symbolic(left, scope), arrays.symbolic(right, scope)
    if isinstance(left, MatrixLiteral):
        mine = arrays.as_row(mine, len(theirs.sizes))
    if isinstance(right, MatrixLiteral):
        theirs = arrays.as_row(theirs, len(mine.sizes))
    if len(mine.sizes) != len(theirs.sizes):
        raise ClaimError(f"an array with {len(mine.sizes)} axes is compared with one with {len(theirs.sizes)}")
    names = _entry_names(left, right, len(mine.sizes), scope)
    at = [Index.of(name) for name in names]
    obliged = of_arrays((left, right), scope)
    # apart from the entries: their ranges take it for granted that there are any
    sizes = _sizes_agree(mine.sizes, theirs.sizes, obliged, scope, quick)
    refuted = next((verdict for verdict in sizes if verdict.status == "refuted"), None)
    if refuted is not None:
        return refuted
    free = [Bound(name, Index.of(1), n) for name, n in zip(names, mine.sizes, strict=True)]
    entries = _decide(mine.entry(at), theirs.entry(at), free, obliged, scope, quick)
    return entries if entries.status == "refuted" else _all_of((*sizes, entries))


def _entry_names(left: Expr, right: Expr, ndim: int, scope: Scope) -> tuple[str, ...]:
    """Names for the place of an entry of two arrays: the letters of the input, where the claim does not write them.

    Raises:
        ClaimError: where the claim writes an index that nothing binds; an array has no place that could be meant.
    """
    open_ = [name for side in (left, right) for name in free_names_of(side, scope)]
    if open_:
        raise ClaimError(
            f"{open_[0]} is no size, and an equation between arrays has no free index; write the entries out"
        )
    usual = scope.letters.axes("input", ndim)
    written = words(Claim((left, right), ("==",)))
    return usual if not written & set(usual) else tuple(f"{name}'" for name in usual)


def _sizes_agree(
    left: Sequence[Index], right: Sequence[Index], obliged: Sequence[Obligation], scope: Scope, quick: bool
) -> list[Verdict]:
    verdicts = []
    for number, (a, b) in enumerate(zip(left, right, strict=True)):
        if a == b and (number > 0 or not obliged):
            continue
        verdict = _decide(scalar(a), scalar(b), (), obliged, scope, quick)
        missing = verdict.counterexample is not None and verdict.counterexample.entry is not None
        if verdict.status == "refuted" and not missing:
            verdict = replace(verdict, explanation=f"The sizes differ. {verdict.explanation}")
        verdicts.append(verdict)
    return verdicts
