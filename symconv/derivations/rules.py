"""The rules of derivations: named functions from formula to formula.

A rule says how a right-hand side is rewritten; that the result is equal is not taken from the rule but checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from symconv.formulas.algebra import (
    Access,
    Bound,
    Bracket,
    Guard,
    Label,
    Named,
    Node,
    Reduce,
    inside,
    product,
    summation,
)
from symconv.formulas.calculus import absorb, change_variables, differentiate, sift, tighten, without_settled_guards
from symconv.formulas.collecting import collected
from symconv.formulas.formula import Formula
from symconv.formulas.function import Kink
from symconv.formulas.index import Index, Quotient, quotient
from symconv.formulas.terms import Term, expand, rebuild
from symconv.formulas.walks import transform

__all__ = [
    "RULES",
    "chain_rule",
    "closed_form",
    "differentiate_term_by_term",
    "factor_out",
    "insert",
    "name_access",
    "restrict_to_touching_outputs",
    "sift_by_taps",
    "turn",
    "use_independence",
]


def differentiate_term_by_term(
    output: Formula,
    variable: str,
    at: Sequence[str],
    target: Formula,
    ties: Literal["first", "split"],
    kinks: Kink = "undefined",
) -> Formula:
    """Differentiate a formula of the output term by term; derivatives of single entries keep their name."""
    place = tuple(Index.of(name) for name in at)
    return target.with_body(differentiate(output.body, variable, place, ties, kinks=kinks, formal=True))


def use_independence(formula: Formula) -> Formula:
    """Entries are independent: the derivative of one by another is 1 where their indices agree, else 0."""

    def change(node: Node) -> Node | None:
        if isinstance(node, Named) and node.wrt is not None and isinstance(node.value, Bracket):
            return node.value
        return None

    return formula.with_body(transform(formula.body, change))


def closed_form(formula: Formula) -> Formula:
    """Sift: the sum keeps the one term whose brackets are all 1; a range becomes a condition."""
    known = formula.knowledge()
    terms = [without_settled_guards(sift(term, known), known) for term in expand(formula.body)]
    return formula.with_body(absorb(rebuild(terms), formula.boxes))


def chain_rule(derivative: Formula, gradient: Formula, upstream: str, outputs: Sequence[Bound]) -> Formula:
    """The error depends on the variable through the outputs: sum upstream gradient times derivative."""
    of, places = derivative.quantity.of
    assert derivative.quantity.wrt is not None
    variable, at = derivative.quantity.wrt
    named = Named(
        Label(of, of),
        tuple(Index.of(p) for p in places),
        derivative.body,
        Access(variable, tuple(Index.of(name) for name in at)),
    )
    body = summation(product(Access(upstream, tuple(Index.of(p) for p in places)), named), *outputs)
    return gradient.with_body(body)


def insert(formula: Formula) -> Formula:
    """Put the closed form of the derivative in for its name."""
    known = formula.knowledge()
    terms = [without_settled_guards(term, known) for term in expand(formula.body)]  # which reads names as their values
    return formula.with_body(rebuild(terms))


def restrict_to_touching_outputs(formula: Formula) -> Formula:
    """Drop the zero terms: sum only over the outputs whose window touches the entry."""
    known = formula.knowledge()
    terms = []
    for term in expand(formula.body):
        guards = list(term.guards)
        for factor in term.factors:
            if isinstance(factor, Access):
                guards += inside(factor, formula.boxes[factor.tensor])
        widened = without_settled_guards(replace(term, guards=tuple(guards)), known)
        terms.append(tighten(widened, known))
    return formula.with_body(absorb(rebuild(terms), formula.boxes))


def sift_by_taps(formula: Formula, keep: Sequence[str]) -> Formula:
    """Use up the brackets so that the indices in `keep` stay; what does not divide leaves a condition."""
    known = formula.knowledge()
    terms = [without_settled_guards(sift(term, known, keep), known) for term in expand(formula.body)]
    return formula.with_body(absorb(rebuild(terms), formula.boxes))


def turn(formula: Formula, replacement: Mapping[str, Index], bounds: Sequence[Bound]) -> Formula:
    """Substitute new indices that run the other way."""
    known = formula.knowledge()
    new = tuple(bounds)
    terms = [
        without_settled_guards(change_variables(t, replacement, new), known)
        if any(bound.name in replacement for bound in t.bounds)
        else t  # such as a bias, which is no part of the sum
        for t in expand(formula.body)
    ]
    return formula.with_body(absorb(rebuild(terms), formula.boxes))


def name_access(
    formula: Formula,
    tensor: str,
    label: Label,
    scales: Sequence[Index],
    pads: Sequence[Index],
    turned: Sequence[Index] = (),
) -> Formula:
    """Read an access to a tensor, with its divisibility conditions, as an entry of it upsampled and padded.

    An access ``x[e/s]`` under ``s | e`` is the entry at ``e + r`` of x with s - 1 zeros between entries and r before.
    `scales` and `pads` have one entry a spatial axis; leading indices are channels and stay. With the sizes of x in
    `turned`, x is turned around before.
    """
    base = formula.base
    terms = []
    for term in expand(formula.body):
        factors, guards = list(term.factors), list(term.guards)
        for position, factor in enumerate(factors):
            if not isinstance(factor, Access) or factor.tensor != tensor:
                continue
            lead = len(factor.index) - len(scales)
            index = list(factor.index[:lead])
            own: list[Guard] = []
            own_index = factor.index[lead:]
            if turned:
                own_index = tuple(size - 1 + 2 * base - e for e, size in zip(own_index, turned, strict=True))
            for e, scale, pad in zip(own_index, scales, pads, strict=True):
                place = scale * (e - base) + base  # in which exact quotients by the scale cancel
                index.append(place + pad)
                own += [g for g in guards if _says_divides(g, scale, place - base)]
            guards = [g for g in guards if g not in own]
            value: Node = Reduce("sum", (), tuple(own), factor) if own else factor
            factors[position] = Named(label, tuple(index), value)
        terms.append(Term(term.coefficient, tuple(factors), term.bounds, tuple(guards)))
    return formula.with_body(rebuild(terms))


def _says_divides(guard: Guard, scale: Index, expr: Index) -> bool:
    """Whether a guard says that `scale` divides `expr`, up to a visible multiple of `scale`."""
    if guard.kind != "div" or guard.divisor != scale:
        return False
    difference = guard.expr - expr
    ratio = quotient(difference, scale, "exact")
    if any(isinstance(atom, Quotient) for key in ratio.terms for atom in key):
        return False
    return scale * ratio == difference  # a quotient of two numbers is rounded


def factor_out(formula: Formula) -> Formula:
    """Put the factors that all terms have in front of the sum of what is left."""
    return formula.with_body(collected(formula.body))


_WORKINGS = (
    chain_rule,
    closed_form,
    differentiate_term_by_term,
    factor_out,
    insert,
    name_access,
    restrict_to_touching_outputs,
    sift_by_taps,
    turn,
    use_independence,
)
_READINGS = {
    "sum_of_targets": "Put 1 for the sum of the entries of a target.",
    "state": "State the formula of a layer as it is declared.",
    "place": "Put the window at every place where it fits, and number the places.",
    "count": "Count the places: multiples of the stride from 0 up to the room, or all from the first to the last.",
    "span": "Measure from the first place that is reached to the last one.",
    "overlap": "The entries of a window are those that overlap a part of the input.",
    "exchange": "To overlap is mutual: the parts that overlap an entry follow the rule with the sizes exchanged.",
    "convex_hull": "The subdifferential of a maximum is the convex hull of the gradients of the taps that attain it.",
    "set_sum": "Subgradients of the outputs, times upstream gradients that are not negative, sum to one of the error.",
    "recognise": "Read a sum as an entry of an array with a name of its own.",
    "put_ones": "Put 1 for every entry of the upstream gradient.",
    "window_set": "Reduce over the input positions that a window covers.",
    "write_out_taps": "Write a window set out, one position for every tap.",
    "absolute_of_nonnegative": "An entry that is not negative is its own absolute value.",
    "largest_term": "A sum of terms that are not negative is at least its largest one.",
    "every_term": "A sum of n terms is at most n times its largest one.",
    "take_roots": "Take roots on both sides of an inequality, which keeps its sense.",
    "squeeze": "What lies between two sequences with one limit has that limit.",
    "evaluate": "The value of a product of polynomials at a point is the product of their values.",
    "interpolate": "A polynomial of degree below n is the sum of its n values, each times the polynomial of its point.",
    "collect": "Give the entries of a matrix a letter.",
    "transpose": "Exchange two sums of a trilinear form, and read what stands beside one of its variables.",
    "compare_coefficients": "Two linear forms that agree everywhere have the same coefficients.",
    "nest": "Apply an algorithm along one axis to whole lines, and another to the products of lines.",
    "number": "Number the places of a box row-major.",
    "put_together": "Put a window together of its taps in the order in which they are combined, or of shorter windows.",
}

RULES: dict[str, str] = {
    **{rule.__name__: str(rule.__doc__).partition("\n")[0] for rule in _WORKINGS},
    **_READINGS,
}
"""The law of every rule that a step may name: the functions above, and ways of reading that change no term."""
