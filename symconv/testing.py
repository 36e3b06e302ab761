"""For tests of one's own code: `assert_matches` fails where a function is not the operator that it should be."""

from __future__ import annotations

from typing import Any

from symconv.audits.certification import Certification
from symconv.audits.certify import certify
from symconv.audits.sizes import telling_size
from symconv.operators.base import Operator

__all__ = ["assert_matches"]


def assert_matches(function: Any, op: Operator, input_size: Any = None, **options: Any) -> Certification:
    """Fail unless a black box is an operator, as far as `symconv.certify` can tell.

    Args:
        function, op, options: as for `symconv.certify`.
        input_size: likewise; by default a small size at which strides and windows leave entries over.

    Returns:
        The verdict: "exact", or "undecided" where there was too much to try and nothing wrong was found.

    Raises:
        AssertionError: where the black box is refuted; it says where, with both answers and the likely cause.
        ArgumentError, and others: as `symconv.certify`.

    >>> import numpy as np
    >>> import symconv as sc
    >>> assert_matches(lambda x, w: np.convolve(x, w), sc.Conv(3, padding="full", flip=True, ndim=1)).status
    'exact'
    """
    __tracebackhide__ = True
    verdict = certify(function, op, telling_size(op) if input_size is None else input_size, **options)
    if verdict.status == "refuted":
        raise AssertionError(str(verdict))
    return verdict
