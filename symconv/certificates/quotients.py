"""The integers that a statement speaks of, and what is known of the quotients in its expressions."""

from __future__ import annotations

from collections.abc import Sequence

from symconv.certificates.indices import operand, quotients
from symconv.certificates.trees import Printer
from symconv.formulas.index import Index
from symconv.proofs.statement import Statement

__all__ = ["floors", "sizes"]


def sizes(statement: Statement) -> list[str]:
    """The integers that a statement speaks of, definitions last."""
    named = [*statement.parameters, *(name for name, _ in statement.definitions)]
    return [name for name in dict.fromkeys(named) if name not in statement.reals]


def floors(exprs: Sequence[Index], printer: Printer) -> list[str]:
    """What the quotients in some expressions are."""
    return [
        f"pose proof (floor_spec {operand(n, printer.names)} {operand(d, printer.names)} ltac:(zs))."
        for n, d in quotients(exprs)
        if not (n.names | d.names) & printer.reals
    ]
