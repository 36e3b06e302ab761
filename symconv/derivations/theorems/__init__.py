"""The theorems of symconv: for each its statement, its hypotheses, and a proof for all sizes."""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache

from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.errors import ArgumentError

__all__ = ["Check", "Theorem", "theorem", "theorems"]


@lru_cache(maxsize=1)
def theorems() -> tuple[Theorem, ...]:
    """All theorems, by subject; none is proved before its verdict is asked for.

    >>> theorems()[0].name
    'output-size'
    """
    from symconv.derivations.theorems import (
        channels,
        counts,
        dead,
        dense,
        flattened,
        gradients,
        losses,
        norms,
        pooling,
        relationships,
        size_rules,
        sizes,
        stacks,
        structure,
        subdifferential,
        ties,
        transposes,
    )

    return (
        *sizes.THEOREMS,
        *size_rules.THEOREMS,
        *stacks.THEOREMS,
        *counts.THEOREMS,
        *gradients.THEOREMS,
        *transposes.THEOREMS,
        *structure.THEOREMS,
        *channels.THEOREMS,
        *dense.THEOREMS,
        *flattened.THEOREMS,
        *losses.THEOREMS,
        *ties.THEOREMS,
        *dead.THEOREMS,
        *subdifferential.THEOREMS,
        *pooling.THEOREMS[:2],
        *norms.THEOREMS,
        *pooling.THEOREMS[2:],
        *relationships.THEOREMS,
    )


def theorem(name: str) -> Theorem:
    """The theorem with a name.

    Raises:
        ArgumentError: where there is none; the nearest name is suggested.

    >>> theorem("adjoint").verdict.status
    'proved'
    """
    known = {entry.name: entry for entry in theorems()}
    found = known.get(name)
    if found is None:
        near = get_close_matches(str(name).lower(), known, n=1, cutoff=0.4)
        fix = f"did you mean {near[0]!r}?" if near else "theorems() lists them all"
        raise ArgumentError("name", name, "must be the name of a theorem", fix)
    return found
