"""Reading and checking the options of an operator: integers, one value an axis, pairs of paddings."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from symconv.errors import ArgumentError, NotSupportedError
from symconv.formulas.index import Index
from symconv.formulas.symbols import from_sympy, is_symbolic

__all__ = [
    "PADDING_NAMES",
    "TIES",
    "Integer",
    "axes_of",
    "flag",
    "integer",
    "one_of",
    "padding_pairs",
    "per_axis",
    "tie_rule",
    "to_index",
]

Integer: TypeAlias = Any
"""An int, or a SymPy expression that stands for one."""

TIES = ("first", "split", "set")
"""Which of several equal maxima receives the gradient: the first, all in equal shares, or it is left open."""

PADDING_NAMES = ("valid", "same", "same_upper", "same_lower", "half", "full")


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
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ArgumentError(argument, value, "must be an integer or a SymPy integer expression")
    result = int(value)
    if least is not None and result < least:
        raise ArgumentError(argument, result, f"must be >= {least}")
    return result


def flag(argument: str, value: object) -> bool:
    """A truth value, and nothing that merely looks like one."""
    if not isinstance(value, bool):
        raise ArgumentError(argument, value, "must be True or False")
    return value


def one_of(argument: str, value: object, allowed: tuple[str, ...]) -> str:
    """One name out of a closed set; the nearest one is suggested."""
    if isinstance(value, str) and value in allowed:
        return value
    from difflib import get_close_matches

    near = get_close_matches(str(value), allowed, n=1)
    raise ArgumentError(
        argument, value, f"must be one of {', '.join(map(repr, allowed))}", f"did you mean {near[0]!r}?" if near else ""
    )


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
    return "first" if ties == "first" else "split"


def axes_of(argument: str, value: object, ndim: object, least: int = 1) -> tuple[Integer, ...]:
    """The value of every spatial axis of a size: a tuple as it is, an integer `ndim` times.

    Raises:
        ArgumentError: for an empty tuple, an entry below `least`, or an `ndim` below 1.
    """
    if isinstance(value, tuple | list):
        if not value:
            raise ArgumentError(argument, value, "must have one entry a spatial axis, at least one")
        if ndim not in (2, len(value)):  # 2 is what stands there where nothing was said
            raise ArgumentError("ndim", ndim, f"must agree with {argument}={value!r}, which has {len(value)} axes")
        return tuple(_checked(argument, value, entry, least) for entry in value)
    count = integer("ndim", ndim, 1)
    if not isinstance(count, int):
        raise ArgumentError("ndim", ndim, "must be a plain integer")
    return (integer(argument, value, least),) * count


def per_axis(argument: str, value: object, ndim: int, least: int) -> tuple[Integer, ...]:
    """One value for every axis, given as one integer or as a tuple of `ndim`."""
    if isinstance(value, tuple | list):
        if len(value) != ndim:
            raise ArgumentError(
                argument, value, f"must be one integer or {ndim} of them, one a spatial axis", _one_each(ndim)
            )
        return tuple(_checked(argument, value, entry, least) for entry in value)
    return (integer(argument, value, least),) * ndim


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
    value: object, ndim: int, least: int | None = None, *, named: bool = True
) -> str | tuple[tuple[Integer, Integer], ...]:
    """Padding before and after on every axis, or the name of a rule where one may be `named`.

    An integer pads every side; a tuple of `ndim` entries pads each axis by an integer on both sides or by a
    ``(before, after)`` pair. A negative padding crops.
    """
    if isinstance(value, str) and named:
        return one_of("padding", value, PADDING_NAMES)
    if not isinstance(value, tuple | list):
        one = integer("padding", value, least)
        return ((one, one),) * ndim
    if len(value) != ndim:
        raise ArgumentError(
            "padding",
            value,
            f"must be one integer, {ndim} of them, or {ndim} (before, after) pairs, one a spatial axis",
            _one_each(ndim),
        )
    pairs = []
    for entry in value:
        if isinstance(entry, tuple | list):
            if len(entry) != 2:
                raise ArgumentError("padding", value, "must have (before, after) pairs, two integers each")
            pairs.append((integer("padding", entry[0], least), integer("padding", entry[1], least)))
        else:
            one = integer("padding", entry, least)
            pairs.append((one, one))
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
