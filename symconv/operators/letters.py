"""The letters of a formula: one for every tensor, one pair (or triple) of indices for every tensor.

i, j index the input, m, n the kernel, p, q the output, f and h the output and input channels, as a reader expects.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace

from symconv.doors import mapping
from symconv.errors import ArgumentError

__all__ = ["Letters"]

_NAME = re.compile(r"[A-Za-z](?:[A-Za-z]{0,11}|_?[0-9]{1,2})(?:\^[A-Za-z])?")
# What other texts call a role; the kernel is the array of weights here, and its size is no letter of `names`.
_ALIASES = {"kernel": "weight", "filter": "weight", "image": "input", "gradient": "upstream", "loss": "error"}
_SPARE_FAMILIES = ("stz", "uvw", "xyz")
_USUAL = "ghrlefktsvwzLFJ"
_SPARE_NAMES = tuple(dict.fromkeys(_USUAL + string.ascii_lowercase + string.ascii_uppercase))


@dataclass(frozen=True)
class Letters:
    """The names that a formula uses.

    Tensors are single names; index families are names for up to three axes, continued as i1, i2, ... beyond. `error` is
    the scalar whose gradient is taken.
    """

    input: str = "a"
    weight: str = "b"
    bias: str = "d"
    output: str = "c"
    upstream: str = "g"
    error: str = "E"
    position: str = "z"
    input_index: str = "ijk"
    weight_index: str = "mno"
    output_index: str = "pqr"
    turned_index: str = "uvw"
    output_channel: str = "f"
    input_channel: str = "h"

    @staticmethod
    def of(names: Mapping[str, str] | None) -> Letters:
        """The default letters, with some changed.

        Raises:
            ArgumentError: for an unknown role, something that is no name, or one name for two things.
        """
        if names is None or not mapping("names", names, "must be a table of letters, such as {'input': 'x'}"):
            return Letters()
        known = [field.name for field in fields(Letters)]
        for role, name in names.items():
            if role not in known:
                from difflib import get_close_matches

                near = [_ALIASES[role]] if role in _ALIASES else get_close_matches(str(role), known, n=1)
                raise ArgumentError(
                    "names", role, f"must use the keys {', '.join(known)}", f"did you mean {near[0]!r}?" if near else ""
                )
            pattern = r"[A-Za-z]{1,3}" if role.endswith("_index") else _NAME.pattern
            if not isinstance(name, str) or not re.fullmatch(pattern, name):
                wanted = "one to three letters, one an axis" if role.endswith("_index") else "a short name of letters"
                raise ArgumentError(f"names[{role!r}]", name, f"must be {wanted}")
        chosen = replace(Letters(), **names)
        letters = chosen._with_room(names)
        letters._check()
        return letters

    def _with_room(self, chosen: Mapping[str, str]) -> Letters:
        """Defaults make way for chosen letters: only two chosen ones can meet."""
        taken = {name for role in chosen for name in self._names(role)}
        letters = self
        for entry in fields(self):
            if entry.name in chosen or not taken & set(letters._names(entry.name)):
                continue
            used = taken.union(*(letters._names(other.name) for other in fields(self) if other.name != entry.name))
            family = entry.name.endswith("_index")
            spare = _spare_family(used) if family else next((s for s in _SPARE_NAMES if s not in used), None)
            if spare is None:
                raise ArgumentError("names", dict(chosen), f"leave no letter for {entry.name}", "choose fewer letters")
            letters = replace(letters, **{entry.name: spare})
        return letters

    @property
    def names(self) -> frozenset[str]:
        """All names in use."""
        return frozenset(name for entry in fields(self) for name in self._names(entry.name))

    def _names(self, role: str) -> list[str]:
        """The names that a role stands for: one, or one an axis."""
        value: str = getattr(self, role)
        return list(value) if role.endswith("_index") else [value]

    def _check(self) -> None:
        seen: dict[str, str] = {}
        for entry in fields(self):
            value = getattr(self, entry.name)
            for name in self._names(entry.name):
                if name in seen and seen[name] != entry.name:
                    raise ArgumentError(
                        "names", name, f"must not stand for both {seen[name]} and {entry.name}", "rename one of them"
                    )
                if name in seen:
                    raise ArgumentError(f"names[{entry.name!r}]", value, "must have a different letter for every axis")
                seen[name] = entry.name

    def axes(self, family: str, ndim: int) -> tuple[str, ...]:
        """The index names of a family ("input", "weight", "output", "turned") for `ndim` axes."""
        letters: str = getattr(self, f"{family}_index")
        if ndim <= len(letters):
            return tuple(letters[:ndim])
        return tuple(f"{letters[0]}{axis}" for axis in range(1, ndim + 1))

    def avoiding(self, taken: Iterable[str]) -> Letters:
        """The same letters, with every one moved away that would meet a symbol of the operator's options.

        In "LP pooling with exponent p" the exponent keeps its name and the outputs are indexed by other letters.
        """
        names = set(taken)
        letters = self
        for entry in fields(self):
            value = getattr(letters, entry.name)
            if not names & set(letters._names(entry.name)):
                continue
            used = names.union(*(letters._names(other.name) for other in fields(self) if other.name != entry.name))
            family = entry.name.endswith("_index")
            spare = _spare_family(used) if family else next((s for s in _SPARE_NAMES if s not in used), None)
            if spare is None:
                raise ArgumentError("names", value, "must not meet the symbols of the options", "choose other letters")
            letters = replace(letters, **{entry.name: spare})
        return letters


def _spare_family(used: set[str]) -> str | None:
    """Three index letters that are not in use: a usual triple, else the first free ones."""
    usual = next((family for family in _SPARE_FAMILIES if not used & set(family)), None)
    free = [letter for letter in "stuvwxyzklrijmnpqgh" if letter not in used]
    return usual or ("".join(free[:3]) if len(free) >= 3 else None)
