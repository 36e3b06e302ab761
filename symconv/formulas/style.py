"""A style: signs, and the whole formulas that are written with them."""

from __future__ import annotations

from symconv.formulas.algebra import Access, Constant, Guard, Node, Plus, Power, Reduce, factors_of
from symconv.formulas.printer import TreePrinter
from symconv.formulas.quantity import Quantity
from symconv.formulas.signs import PrintContext, Signs
from symconv.formulas.substitution import plain_names

__all__ = ["Style"]


class Style(Signs):
    """How formulas are written: LaTeX, one line of Unicode."""

    def node(self, node: Node, context: PrintContext) -> str:
        """A tree, without conditions for what lies outside a box (it is zero)."""
        return TreePrinter(self, context).visit(node)

    def quantity(self, quantity: Quantity) -> str:
        """The left-hand side."""
        top = self.entry(*quantity.of)
        if quantity.wrt is None:
            return top
        return self.derivative(top, self.entry(*quantity.wrt))

    def pointwise(self, node: Node, context: PrintContext) -> str:
        """A tree with its conditions written out as cases, where it is no sum over an index."""
        node = plain_names(node, context.taken)
        guards, body = _guarded(node)
        if isinstance(body, Plus | Constant) and not guards:
            return self.node(node, context)
        factors = factors_of(body)
        if not guards and any(isinstance(f, Reduce | Power) for f in factors):
            return self.node(node, context)
        conditions = self.conditions([g for g in guards if g.kind == "div"], context)
        conditions += self.conditions([g for g in guards if g.kind != "div"], context)
        for factor in factors:
            if isinstance(factor, Access):
                conditions += self.box_conditions(factor, context)
        conditions = list(dict.fromkeys(conditions))
        text = self.node(body, context)
        return self.cases(text, conditions) if conditions else text


def _guarded(node: Node) -> tuple[tuple[Guard, ...], Node]:
    """The guards of a sum over no index and what stands under them; none, and the node, for anything else."""
    if isinstance(node, Reduce) and node.op == "sum" and not node.bounds:
        return node.guards, node.body
    return (), node
