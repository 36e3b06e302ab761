"""What a question declares: its operator and size, and the meaning of every letter of its claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from symconv.claims.reading.lexicon import spelled
from symconv.doors import flag, instance, items, list_of, mapping, one_of, plain_integer, text
from symconv.errors import ArgumentError
from symconv.operators.base import Operator

__all__ = ["Declarations"]


_WRITTEN = ("indices", "functions", "quantities", "matrices")
"""Tables whose keys are names as a claim writes them."""


@dataclass(frozen=True)
class Declarations:
    """What a claim's question declares.

    Attributes:
        op: the operator that the claim is about.
        input_size: the size at which it is checked literally.
        operators: all operators of the file, by name; a claim may apply them to arrays.
        names: letters.
        base: where indices start.
        data: numbers for arrays, by name.
        sizes: letters for sizes: {"I": "input", "K": "kernel", "S": "stride", "P": "padding", "D": "dilation",
            "O": "output"}; a claim that uses them speaks of all sizes.
        general: for numbers of the claim, what they stand for in general: {"3": "K"}, or one entry an occurrence.
        indices: ranges of free indices: {"i": "output 1", "m": "weight 2"}.
        functions: letters for functions: {"L": "lp"} or {"L": "lp without absolute value"}, norms over a window;
            {"f": "relu"}, of single values; {"full": "full correlation"}, of arrays.
        quantities: letters for counts of the layer: {"P": "parameters"}.
        matrices: letters for matrices of the layer: {"T": "toeplitz"}.
        sets: letters for window sets, such as S.
        upper: an upper index that is no power, such as the channel k.
        star: what a bare asterisk between arrays means: "correlation" or "convolution".
        upstream: "any", or "ones" where every output has gradient 1.
        nonnegative: letters of tensors whose entries are assumed to be >= 0.
        unique_maxima: whether every window of a maximum is assumed to have one largest entry alone.
        of: what a claim without a relation is a value for: "size" or the capital of the output.
        outside: what an entry at a free index counts as where there is none: "zero", or "undefined"; where it is left
            open, a line that is true where such entries count as 0 holds under that condition.
    """

    op: Operator
    input_size: tuple[int, ...]
    operators: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    base: int = 1
    data: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, str] = field(default_factory=dict)
    general: Mapping[str, Any] = field(default_factory=dict)
    indices: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)
    sets: tuple[str, ...] = ()
    upper: str = ""
    star: str = ""
    upstream: str = "any"
    nonnegative: tuple[str, ...] = ()
    of: str = ""
    outside: str = ""
    quantities: Mapping[str, str] = field(default_factory=dict)
    matrices: Mapping[str, str] = field(default_factory=dict)
    unique_maxima: bool = False

    def __post_init__(self) -> None:
        instance("op", self.op, Operator, "must be an operator, such as Conv((3,))")
        sizes = items(self.input_size) or (self.input_size,)
        put = object.__setattr__
        put(self, "input_size", tuple(plain_integer("input_size", n, 1) for n in sizes))
        for name in ("operators", "names", "data", "sizes", "general", *_WRITTEN):
            mapping(name, getattr(self, name), "must be a table, from names to what they mean")
        for name in ("names", "sizes", *_WRITTEN):
            for key, value in getattr(self, name).items():
                text(f"{name}[{key!r}]", value)
        put(self, "names", {role: spelled(name) for role, name in self.names.items()})
        for name in ("sizes", *_WRITTEN):
            put(self, name, _spelled(name, getattr(self, name)))
        plain_integer("base", self.base)
        flag("unique_maxima", self.unique_maxima)
        for name in ("sets", "nonnegative"):
            put(self, name, list_of(name, getattr(self, name), str, "must be a list of names"))
        if not isinstance(self.outside, str) or self.outside:
            one_of("outside", self.outside, ("zero", "undefined"))
        for name in ("upper", "star", "upstream", "of"):
            text(name, getattr(self, name))
        put(self, "upper", spelled(self.upper) if self.upper else "")


def _spelled(argument: str, table: Mapping[str, str]) -> dict[str, str]:
    """A table by the spelling of its keys, of which each has one meaning."""
    found: dict[str, tuple[str, str]] = {}
    for key, value in table.items():
        before, _ = found.setdefault(spelled(key), (key, value))
        if before != key:
            raise ArgumentError(argument, key, f"must not have two keys for one name: it is that of {before!r}")
    return {name: value for name, (_, value) in found.items()}
