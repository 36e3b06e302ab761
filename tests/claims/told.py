"""What a verdict says, in one short line that can be written down beside a claim."""

from __future__ import annotations

import symconv as sc

__all__ = ["told"]


def told(verdict: sc.Verdict) -> str:
    """``exact``, ``1, not 0 at p = 1, a[1] = 1``, ``no b[3] at m = 3`` or ``error: ...``, with ``if ...`` behind it.

    Where a claim is refuted the values of both sides are followed by sizes, indices and the entries that are not 0.
    """
    return " if ".join((_bare(verdict), *verdict.conditions))


def _bare(verdict: sc.Verdict) -> str:
    counter = verdict.counterexample
    if counter is None:
        return verdict.status if verdict.holds else f"{verdict.status}: {verdict.explanation}"
    places = [f"{name} = {value}" for name, value in {**counter.sizes, **counter.indices}.items()]
    places += [
        f"{name}[{', '.join(map(str, at))}] = {value}"
        for name, entries in counter.tensors.items()
        for at, value in entries.items()
    ]
    said = f"{counter.left}, not {counter.right}"
    if counter.entry is not None:
        name, index = counter.entry
        said = f"no {name}[{', '.join(map(str, index))}]"
    return f"{said} at {', '.join(places)}" if places else said
