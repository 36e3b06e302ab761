"""What an operator states is looked at before anything follows from it: a slip in `body` is said, not derived from."""

from __future__ import annotations

from collections.abc import Mapping, Set

from symconv.errors import NotSupportedError, shortened
from symconv.formulas.algebra import FormulaWalker, Node
from symconv.formulas.naming import free_names
from symconv.formulas.walks import accesses

__all__ = ["checked_body"]


def checked_body(owner: str, body: object, ranks: Mapping[str, int], names: Set[str]) -> Node:
    """The formula of one output entry, where it speaks of nothing that it does not declare.

    Args:
        owner: the class of the operator.
        body: what its `body` gave.
        ranks: the tensors that it may read, and how many indices each of them has.
        names: the names that have a range or a value: the indices of the output, sizes and options.

    Raises:
        NotSupportedError: for what is no formula, reads another tensor or one with another number of indices, or
            leaves an index without a range.
    """
    if not isinstance(body, FormulaWalker.kinds):
        raise NotSupportedError(
            f"{owner}.body must return a formula made with symconv.formulas.algebra, got {shortened(repr(body))}"
        )
    for access in accesses(body):  # type: ignore[arg-type]
        rank = ranks.get(access.tensor)
        if rank is None:
            raise NotSupportedError(
                f"{owner}.body reads a tensor {access.tensor!r}, and what it declares in `variables` is "
                f"{', '.join(ranks)}; a weight is declared by variables = ('input', 'weight')"
            )
        if rank != len(access.index):
            raise NotSupportedError(
                f"{owner}.body reads {access.tensor!r} with {len(access.index)} indices, and it has {rank}"
            )
    loose = sorted(free_names(body) - names)  # type: ignore[arg-type]
    if loose:
        raise NotSupportedError(
            f"{owner}.body leaves {', '.join(loose)} without a range: sum over the taps, such as "
            "summation(term, *(tap.bound for tap in self.tap_axes(geometry)))"
        )
    return body  # type: ignore[return-value]
