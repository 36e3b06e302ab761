"""The generic operator: the same one with its sizes symbolic, so that what is shown of it holds for all sizes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from symconv.doors import list_of, mapping
from symconv.errors import ArgumentError
from symconv.formulas.naming import fresh_name
from symconv.formulas.symbols import SymbolTable
from symconv.operators.frame import numbered
from symconv.operators.kinds import PerAxis
from symconv.operators.option import option_fields
from symconv.operators.options import Integer

__all__ = ["generic"]

_LETTER = re.compile(r"[A-Za-z]\w{0,15}'{0,3}")


def generic(op: Any, keep: object, shared: bool, letters: object) -> Any:
    """What `Operator.generic` says."""
    ndim = op.spatial_axes
    known = op.options()
    changed: dict[str, Any] = {}
    usual = op.size_letters()
    chosen = {**usual, **_size_letters(letters)}
    keep = list_of("keep", keep, str, "must be a tuple of options, such as ('stride', 'padding')")
    for option in keep:
        if option not in usual or option not in known:
            raise ArgumentError("keep", option, f"must be among {', '.join(o for o in usual if o in known)}")
    if chosen.keys() != usual.keys():
        raise ArgumentError("letters", letters, f"must have options among {', '.join(usual)} as keys")
    if len(set(chosen.values())) < len(chosen):
        raise ArgumentError("letters", letters, f"must leave every option a letter of its own, in {chosen}")
    if known.get("padding") == "same":
        keep = (*keep, "stride")  # this rule is for stride 1 alone
    kinds = {name: option.kind for name, (option, _) in option_fields(type(op)).items()}
    left = [name for name in known if name not in usual or name in keep or isinstance(known[name], str)]
    taken = {*op.size_symbols(options=left), *op.reals()}  # these keep their meaning

    def named(letter: str, shared: bool) -> tuple[str, ...]:
        own = (letter,) * ndim if shared else numbered(letter, ndim)
        return tuple(fresh_name(name, taken) for name in own)

    names = {option: frozenset((*named(letter, True), *named(letter, False))) for option, letter in chosen.items()}
    counts = {name for name, kind in kinds.items() if isinstance(kind, PerAxis) and kind.least >= 1}
    positive = frozenset().union(*(own for option, own in names.items() if option in counts))
    table = SymbolTable(positive=positive, nonnegative=frozenset().union(*names.values()) - positive)
    for option, letter in chosen.items():
        if option in known and option not in keep and not isinstance(known[option], str):
            same = shared and len(set(known[option])) == 1
            letters_of = named(letter, same)
            changed[option] = tuple(table[name] for name in letters_of)
            if f"{option}_after" in chosen:
                after = named(chosen[f"{option}_after"], same)
                changed[option] = tuple(
                    _sides(pair, table[one], table[two])
                    for pair, one, two in zip(known[option], letters_of, after, strict=True)
                )
    return type(op)(**{**known, **changed})


def _size_letters(letters: object) -> Mapping[str, str]:
    """Letters for options by their names, read from an argument."""
    found = {} if letters is None else mapping("letters", letters, "must be a table, such as {'stride': 'T'}")
    for option, letter in found.items():
        if not isinstance(letter, str) or not _LETTER.fullmatch(letter):
            raise ArgumentError(f"letters[{option!r}]", letter, "must be a short name of letters")
    return found


def _sides(pair: tuple[Integer, Integer], before: Any, after: Any) -> tuple[Any, Any]:
    """The symbols of the padding of one axis: the same one twice where its sides are equal."""
    symbols = (before, before) if pair[0] == pair[1] else (before, after)
    return tuple(  # type: ignore[return-value]
        side if isinstance(side, int) and side < 0 else symbol for side, symbol in zip(pair, symbols, strict=True)
    )
