"""Reading and checking the options of an operator: integers, one value an axis, pairs of paddings."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, TypeAlias

from symconv.doors import items, one_of, plain_integer
from symconv.errors import ArgumentError, NotSupportedError, shown
from symconv.formulas.index import Index
from symconv.formulas.symbols import from_sympy, is_symbolic

__all__ = [
    "PADDING_RULES",
    "TIES",
    "Integer",
    "axes_of",
    "integer",
    "padding_pairs",
    "per_axis",
    "tie_rule",
    "to_index",
]

Integer: TypeAlias = Any
"""An int, or a SymPy expression that stands for one."""

TIES = ("first", "split", "error", "set")
"""Which of several equal maxima receives the gradient: the first, all in equal shares, none (such data are refused), or
it is left open."""

MOST_AXES = 16
"""More spatial axes than anybody has; each of them makes every formula longer."""

PADDING_RULES = ("valid", "same", "same_upper", "same_lower", "half", "full")


def integer(argument: str, value: object, least: int | None) -> Integer:
    """One integer option: an int, or a SymPy integer expression, taken as it is.

    Raises:
        ArgumentError: for a bool, a float, a string, or an int below `least`.
    """
    if is_symbolic(value):
        number = getattr(value, "is_Integer", False)
        if not number:
            from_sympy(value, argument)  # refuses what is no integer expression
            return value
        value = int(value)  # type: ignore[call-overload]
    try:
        result = plain_integer(argument, value)
    except ArgumentError:
        raise ArgumentError(argument, value, "must be an integer or a SymPy integer expression") from None
    if least is not None and result < least:
        raise ArgumentError(argument, result, f"must be >= {least}")
    return result


def tie_rule(ties: str) -> Literal["first", "split"]:
    """The tie policy by which a maximum is differentiated.

    Raises:
        NotSupportedError: for "set", where the derivative is a set.
    """
    if ties == "set":
        raise NotSupportedError(
            "the gradient of a maximum under ties='set' is a set, not a formula; use ties='first' or 'split', or "
            "symconv.derive, which prints the set"
        )
    return "split" if ties == "split" else "first"  # where ties are refused, the first winner is the only one


def axes_of(argument: str, value: object, ndim: object, least: int = 1) -> tuple[Integer, ...]:
    """The value of every spatial axis of a size: a tuple as it is, an integer `ndim` times.

    Raises:
        ArgumentError: for an empty tuple, an entry below `least`, or an `ndim` below 1.
    """
    if is_symbolic(ndim):
        raise ArgumentError("ndim", ndim, "must be a plain integer")
    count = plain_integer("ndim", ndim, 1)
    entries = items(value)
    if entries is None:
        if count > MOST_AXES:
            raise ArgumentError("ndim", count, f"must be at most {MOST_AXES}")
        return (integer(argument, value, least),) * count
    if not 1 <= len(entries) <= MOST_AXES:
        raise ArgumentError(argument, value, f"must have one entry a spatial axis, 1 to {MOST_AXES} of them")
    if count not in (2, len(entries)):  # 2 is what stands there where nothing was said
        raise ArgumentError("ndim", count, f"must agree with {argument}={shown(value)}, which has {len(entries)} axes")
    return tuple(_checked(argument, value, entry, least) for entry in entries)


def per_axis(argument: str, value: object, ndim: int, least: int) -> tuple[Integer, ...]:
    """One value for every axis, given as one integer or as a tuple of `ndim`."""
    entries = items(value)
    if entries is None:
        return (integer(argument, value, least),) * ndim
    if len(entries) != ndim:
        raise ArgumentError(
            argument, value, f"must be one integer or {ndim} of them, one a spatial axis", _one_each(ndim)
        )
    return tuple(_checked(argument, value, entry, least) for entry in entries)


def _one_each(ndim: int) -> str:
    return (
        "kernel_size (or ndim) says that there is 1 axis"
        if ndim == 1
        else (f"kernel_size (or ndim) says that there are {ndim} axes")
    )


def _checked(argument: str, whole: object, entry: object, least: int) -> Integer:
    try:
        return integer(argument, entry, least)
    except ArgumentError as error:
        raise ArgumentError(argument, whole, f"{error.requirement} on every axis") from None


def padding_pairs(
    value: object, ndim: int, rules: Collection[str] = PADDING_RULES
) -> str | tuple[tuple[Integer, Integer], ...]:
    """Padding before and after on every axis, or the name of one of the `rules`.

    An integer pads every side; a tuple of `ndim` entries pads each axis by an integer on both sides or by a
    ``(before, after)`` pair. A negative padding crops.
    """
    if isinstance(value, str) and rules:
        return one_of("padding", value, rules)
    entries = items(value)
    if entries is None and getattr(value, "ndim", 0) == 2 and not hasattr(value, "mask"):
        entries = tuple(value)  # type: ignore[arg-type]  # an array of pairs
    if entries is None:
        one = integer("padding", value, None)
        return ((one, one),) * ndim
    if len(entries) != ndim:
        raise ArgumentError(
            "padding",
            value,
            f"must be one integer, {ndim} of them, or {ndim} (before, after) pairs, one a spatial axis",
            _one_each(ndim),
        )
    pairs = []
    for entry in entries:
        pair = items(entry)
        if pair is None:
            one = integer("padding", entry, None)
            pairs.append((one, one))
        elif len(pair) != 2:
            raise ArgumentError("padding", value, "must have (before, after) pairs, two integers each")
        else:
            pairs.append((integer("padding", pair[0], None), integer("padding", pair[1], None)))
    return tuple(pairs)


def to_index(value: Integer, symbols: dict[str, Any], argument: str = "size") -> Index:
    """The index expression of an option; the SymPy symbols in it are noted in `symbols`.

    Raises:
        ArgumentError: where one name stands for two different symbols.
    """
    if isinstance(value, Index):
        return value
    if isinstance(value, int):
        return Index.of(value)
    index, found = from_sympy(value, argument)
    for name, sym in found.items():
        if symbols.setdefault(name, sym) != sym:
            raise ArgumentError(argument, value, f"uses two different symbols that are both called {name}")
    return index
