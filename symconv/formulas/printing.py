"""Formulas on paper and on a terminal: one walk over the tree (`printer`), two styles (`latex`, `unicode`).

The LaTeX keeps to the subset that both pdflatex with amsmath and MathML converters take: no ``\\substack``, no
``\\mbox``, one sum sign an index. A correlation is never written with a bare ``*``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from symconv.doors import flag
from symconv.formulas.algebra import Access, Constant, Node, Reduce, Share, product
from symconv.formulas.equation import Equation
from symconv.formulas.index import Index
from symconv.formulas.latex import LATEX
from symconv.formulas.signs import PrintContext
from symconv.formulas.style import Style
from symconv.formulas.substitution import plain_names
from symconv.formulas.unicode import UNICODE
from symconv.formulas.walks import walk

__all__ = ["LATEX", "UNICODE", "PrintContext", "Style", "context_of", "print_formula", "print_polynomial"]


def context_of(formula: Equation) -> PrintContext:
    """The printing context of a formula: which index comes first in ``p + m - 1``, what is known, which boxes hold.

    Outputs come before the taps of a kernel, and an entry of the input before both: i - p + 1 reads better than -p + i.
    """
    quantity = formula.quantity
    taken = frozenset((*formula.indices, *quantity.of[1], *(quantity.wrt[1] if quantity.wrt is not None else ())))
    bound: list[str] = []
    for n in walk(plain_names(formula.body, taken)):
        reduce = n.reduce if isinstance(n, Share) else n
        if isinstance(reduce, Reduce):
            bound += [b.name for b in reduce.bounds]
    order = [*formula.indices, *bound]
    if quantity.wrt is not None:
        roles = {tensor.name: tensor.role for tensor in formula.tensors}
        if roles.get(quantity.wrt[0]) == "input":
            order = [*quantity.wrt[1], *quantity.of[1], *bound]
        else:
            order = [*quantity.of[1], *bound, *quantity.wrt[1]]
    rank = {name: position for position, name in enumerate(dict.fromkeys(order))}
    return PrintContext(rank, formula.boxes, formula.knowledge(), taken)


def print_formula(formula: Equation, style: Style, *, lhs: bool = True) -> str:
    """A formula in a style: the equation, or only its right-hand side."""
    flag("lhs", lhs)
    context = context_of(formula)
    right = style.pointwise(formula.body, context)
    return f"{style.quantity(formula.quantity)} = {right}" if lhs else right


def print_polynomial(
    poly: Mapping[tuple[tuple[str, tuple[int, ...]], ...], Fraction],
    style: Style,
    order: Sequence[str] = (),
) -> list[str]:
    """The signed summands of a polynomial in tensor entries; ["0"] for the zero polynomial.

    Args:
        poly: the coefficient of every monomial.
        style: how to print.
        order: tensors in the order that their entries are read in, so that no letter decides it; others follow.
    """
    context = PrintContext()
    pieces = []
    rank = {name: position for position, name in enumerate(order)}

    def place(factor: tuple[str, tuple[int, ...]]) -> tuple[int, str, tuple[int, ...]]:
        return rank.get(factor[0], len(rank)), *factor

    ordered = [(sorted(monomial, key=place), value) for monomial, value in poly.items()]
    ordered.sort(key=lambda entry: [place(factor) for factor in entry[0]])
    for position, (monomial, value) in enumerate(ordered):
        factors: list[Node] = [Access(name, tuple(Index.of(i) for i in index)) for name, index in monomial]
        body = style.node(product(Constant(abs(value)), *factors), context)
        sign = style.minus if value < 0 else "+"
        pieces.append((sign if value < 0 else "") + body if position == 0 else style.plus(sign) + body)
    return pieces or ["0"]
