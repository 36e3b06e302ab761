"""The letters of a formula: one for every tensor, one pair (or triple) of indices for every tensor.

i, j index the input, m, n the kernel, p, q the output, f and h the output and input channels, as a reader expects.
A letter that somebody chose is never changed: what prints like another chosen one is refused, and one of ours gives
way. A whole tensor is printed by its capital, so g and G are alike there.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, fields, replace

from symconv.doors import mapping
from symconv.errors import ArgumentError
from symconv.formulas.index import Index
from symconv.formulas.spelling import look

__all__ = ["ARRAYS", "Letters", "Within", "capital", "free_letter"]

ARRAYS = ("input", "weight", "bias", "output", "upstream", "position", "target")
"""The roles that are tensors; as a whole they are printed by their capitals."""

_NAME = re.compile(r"[A-Za-z](?:[A-Za-z]{0,11}(?:_[A-Za-z]{1,12}){0,2}|_?[0-9]{1,2})(?:\^(?:[A-Za-z]|\([0-9]{1,4}\)))?")
# What other texts call a role; the kernel is the array of weights here, and its size is no letter of `names`.
_ALIASES = {"kernel": "weight", "filter": "weight", "image": "input", "gradient": "upstream", "loss": "error"}
_SPARE_FAMILIES = ("stz", "uvw", "xyz")
_USUAL = "ghrlefktsvwzLFJ"
_SPARE_NAMES = tuple(dict.fromkeys(_USUAL + string.ascii_lowercase + string.ascii_uppercase))


@dataclass(frozen=True)
class Within:
    """What a layer's formulas take from the network that it stands in.

    Attributes:
        number: the number of the layer, which marks what has no letter of its own.
        sizes: the input size of every spatial axis of the layer.
        outputs: names for its output sizes, one a spatial axis, where they are no numbers and not those of the input.
        channels: how many channels there are for a layer that takes each by itself; its formulas then have an index
            for them. None for any other layer.
    """

    number: int
    sizes: tuple[Index, ...]
    outputs: tuple[str, ...] = ()
    channels: Index | None = None


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
    target: str = "y"
    input_index: str = "ijk"
    weight_index: str = "mno"
    output_index: str = "pqr"
    turned_index: str = "uvw"
    output_channel: str = "f"
    input_channel: str = "h"
    chosen: frozenset[str] = field(default=frozenset(), repr=False)
    """The roles whose letters somebody chose."""
    within: Within | None = field(default=None, repr=False)
    """The network around, where there is one."""

    @staticmethod
    def roles() -> tuple[str, ...]:
        """What there is a letter for."""
        return tuple(entry.name for entry in fields(Letters) if entry.name not in ("chosen", "within"))

    @staticmethod
    def of(names: Mapping[str, str] | Letters | None) -> Letters:
        """The default letters, with some changed.

        Raises:
            ArgumentError: for an unknown role, something that is no name, or names that print alike.
        """
        if isinstance(names, Letters):
            return names
        if names is None or not mapping("names", names, "must be a table of letters, such as {'input': 'x'}"):
            return Letters()
        known = Letters.roles()
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
        letters = replace(Letters(), **names, chosen=frozenset(names))  # type: ignore[arg-type]
        letters._check()
        return letters._with_room()

    def _with_room(self) -> Letters:
        """Defaults make way for chosen letters: only two chosen ones can meet."""
        exact = {name for role in self.chosen for name in self._names(role)}
        printed = exact.union(*(self._forms(role) for role in self.chosen))
        letters = self
        for role in Letters.roles():
            meets = printed & letters._forms(role) if role in ARRAYS else exact.intersection(letters._names(role))
            if role not in self.chosen and meets:
                letters = letters._moved(role, printed)
        return letters

    def _moved(self, role: str, taken: Set[str]) -> Letters:
        """The letters with another one, or another family, for a role."""
        used = set(taken).union(*(self._forms(other) for other in Letters.roles() if other != role))
        spare: str | None
        if role.endswith("_index"):
            spare = _spare_family(used)
        else:
            spare = free_letter(used, array=role in ARRAYS)
        if spare is None:
            raise ArgumentError("names", sorted(taken), f"leave no letter for {role}", "choose fewer letters")
        return replace(self, **{role: spare})  # type: ignore[arg-type]

    @property
    def names(self) -> frozenset[str]:
        """All names in use."""
        return frozenset(name for role in Letters.roles() for name in self._names(role))

    def printed(self, axes: int) -> frozenset[str]:
        """How all names in use are printed, tensors as a whole too, where there are so many spatial axes."""
        found: set[str] = set()
        for role in Letters.roles():
            own = self.axes(role.removesuffix("_index"), axes) if role.endswith("_index") else (getattr(self, role),)
            found.update(own, *((capital(name),) for name in own if role in ARRAYS))
        return frozenset(map(look, found))

    def _names(self, role: str) -> list[str]:
        """The names that a role stands for: one, or one an axis."""
        value: str = getattr(self, role)
        return list(value) if role.endswith("_index") else [value]

    def _forms(self, role: str) -> set[str]:
        """How the names of a role are printed: a tensor in entries, and as a whole."""
        names = self._names(role)
        return {look(name) for name in (*names, *(capital(name) for name in names if role in ARRAYS))}

    def _check(self) -> None:
        """Refuse chosen letters that print alike."""
        seen: dict[str, tuple[str, str]] = {}
        for role in (role for role in Letters.roles() if role in self.chosen):
            value: str = getattr(self, role)
            if len(set(self._names(role))) < len(self._names(role)):
                raise ArgumentError(f"names[{role!r}]", value, "must have a different letter for every axis")
            for name in self._names(role):
                for form in (name, capital(name)) if role in ARRAYS else (name,):
                    other, letter = seen.get(look(form), (role, name))
                    if other != role and name == letter:
                        raise ArgumentError(
                            "names", name, f"must not stand for both {other} and {role}", "rename one of them"
                        )
                    if other != role:
                        used = {"I", "K", "O"}.union(*(self._forms(any_) for any_ in Letters.roles()))
                        raise ArgumentError(
                            f"names[{role!r}]",
                            value,
                            f"must not print like names[{other!r}] = {getattr(self, other)!r}, as {look(form)}",
                            f"choose another letter, such as {free_letter(used, array=True)}",
                        )
                    seen[look(form)] = (role, name)

    def axes(self, family: str, ndim: int) -> tuple[str, ...]:
        """The index names of a family ("input", "weight", "output", "turned") for `ndim` axes."""
        letters: str = getattr(self, f"{family}_index")
        if ndim <= len(letters):
            return tuple(letters[:ndim])
        return tuple(f"{letters[0]}{axis}" for axis in range(1, ndim + 1))

    def avoiding(self, taken: Iterable[str], axes: int | None = None, *, beside: Iterable[str] = ()) -> Letters:
        """The same letters, with every one moved away that would meet a symbol of the operator's options.

        In "LP pooling with exponent p" the exponent keeps its name and the outputs are indexed by other letters.

        Args:
            taken: the symbols.
            axes: how many letters of a family are in use; all of them if left out.
            beside: what no letter need move away from, and none may move to.

        Raises:
            ArgumentError: where it is a chosen letter that meets a symbol.
        """
        names = set(map(look, taken))
        spelt = names.union("IO", *(self._names(role) for role in Letters.roles() if role.endswith("_index")))
        names.update(
            *(word for word in names if len(word) > 1 and spelt.issuperset(word))
        )  # Kp is no product of K and p
        numbers = {name.rstrip("0123456789") for name in names}  # a family of many axes is one letter with numbers
        letters = self
        for role in Letters.roles():
            in_use: Set[str] = set(letters._names(role))
            if axes is not None and role.endswith("_index"):
                in_use = set(letters.axes(role.removesuffix("_index"), axes))
            if role not in ARRAYS and role not in self.chosen:
                in_use |= {f"{name}'" for name in in_use}  # the indices of a tensor that is read twice
            if names.isdisjoint(map(look, in_use)):
                continue
            if role in self.chosen:
                used = names.union(*(letters._forms(other) for other in Letters.roles()))
                raise ArgumentError(
                    f"names[{role!r}]",
                    getattr(self, role),
                    "must not be the letter of a size or of an order as well, nor one that a product spells it with",
                    f"choose another letter, such as {free_letter(used, array=True)}",
                )
            letters = letters._moved(role, {*names, *numbers, *map(look, beside)})
        return letters


def capital(name: str) -> str:
    """The letter of a whole tensor."""
    return name[:1].upper() + name[1:]


def free_letter(used: Set[str], *, array: bool = False) -> str | None:
    """A usual letter that is not in use, nor its capital where it is to be a tensor; None where there is none."""
    return next((s for s in _SPARE_NAMES if s not in used and not (array and capital(s) in used)), None)


def _spare_family(used: set[str]) -> str | None:
    """Three index letters that are not in use: a usual triple, else the first free ones."""
    usual = next((family for family in _SPARE_FAMILIES if not used & set(family)), None)
    order = dict.fromkeys("stuvwxyzklrijmnpqgh" + string.ascii_letters)
    free = [letter for letter in order if letter not in used]
    return usual or ("".join(free[:3]) if len(free) >= 3 else None)
