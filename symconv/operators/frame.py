"""The index frame of an operator: letters and ranges of its tensors' indices, its sizes, and what is known of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from symconv.formulas.algebra import Bound
from symconv.formulas.index import Index
from symconv.formulas.quantity import Tensor
from symconv.operators.letters import Letters
from symconv.operators.options import Integer, to_index

__all__ = ["Axis", "Geometry", "collect_symbols", "named_axes", "note_symbols", "numbered"]


@dataclass(frozen=True)
class Axis:
    """One index of a tensor: its letter and its extent (the index runs over ``0..extent-1``)."""

    name: str
    extent: Index

    @property
    def index(self) -> Index:
        return Index.of(self.name)

    @property
    def bound(self) -> Bound:
        return Bound(self.name, Index.of(0), self.extent - 1)


@dataclass(frozen=True)
class Geometry:
    """The index frame of an operator: letters, sizes and what is known of them.

    `sizes` are the input sizes, one a spatial axis; `outputs` the output sizes, as names where they are not numbers.
    """

    letters: Letters
    sizes: tuple[Index, ...]
    outputs: tuple[Index, ...]
    definitions: tuple[tuple[str, Index], ...]
    lower: dict[str, int]
    facts: tuple[Index, ...]
    symbols: dict[str, Any]

    def tensor(self, role: Any, axes: Sequence[Axis]) -> Tensor:
        """The declaration of a tensor with these axes."""
        box = tuple((Index.of(0), axis.extent - 1) for axis in axes)
        return Tensor(getattr(self.letters, role), role, box)


def named_axes(names: Sequence[str], extents: Sequence[Index]) -> tuple[Axis, ...]:
    """The axes of some names and extents, one each."""
    return tuple(Axis(name, extent) for name, extent in zip(names, extents, strict=True))


def numbered(letter: str, ndim: int) -> tuple[str, ...]:
    """K for one axis; K_1, K_2, ... for more; primes stay at the end."""
    if ndim == 1:
        return (letter,)
    bare = letter.rstrip("'")
    return tuple(f"{bare}_{axis}{letter[len(bare) :]}" for axis in range(1, ndim + 1))


def collect_symbols(value: Any, symbols: dict[str, Any], option: str) -> None:
    """Note the SymPy symbols of an option that is a size, or of several, in `symbols`."""
    if isinstance(value, tuple):
        for entry in value:
            collect_symbols(entry, symbols, option)
    elif hasattr(value, "free_symbols"):
        to_index(value, symbols, option)


def note_symbols(values: Iterable[Integer], least: int, note: Callable[[str, int], None]) -> None:
    """Tell `note` that every value which is a bare symbol is at least `least`."""
    for value in values:
        if getattr(value, "is_Symbol", False):
            note(value.name, least)
