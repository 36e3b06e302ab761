"""Letters of a claim: each that somebody chose has one meaning, and those that are ours give way to them.

A size that nobody named is called by a letter of ours: I, K, O. Where that letter means something else in the question,
the size gets a prime, which no claim can write; so what a claim says is never taken for one of our letters, and what is
shown is in the letters of the question.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from symconv.claims.declarations import Declarations
from symconv.claims.reading.lexicon import Lexicon
from symconv.errors import ClaimError
from symconv.formulas.spelling import look
from symconv.operators.base import Operator
from symconv.operators.frame import numbered
from symconv.operators.letters import ARRAYS, Letters, capital, free_letter

__all__ = ["CHANNELS", "FUNCTIONS", "SIZES", "Naming", "lexicon", "naming", "tensors"]

SIZES = {
    "input": "I",
    "output": "O",
    "kernel": "K",
    "stride": "S",
    "padding": "P",
    "dilation": "D",
}
"""What a size letter may stand for, in the order in which sizes are enumerated, and our own letter for it."""

CHANNELS = ("in_channels", "out_channels")
"""And the counts that have a letter where one is declared alone."""

DEFAULT = ("input", "output", "kernel")
"""The sizes that a claim may write by our letters, without declaring one."""

WORDS = ("size", "oo", "infinity", "ones", "everywhere", "transposed")
FUNCTIONS = (
    "floor", "ceil", "mod", "abs", "max", "min", "size", "card", "sum", "diff", "limit", "cases", "setof", "upper",
    "star", "ast", "odot", "corr", "conv", "pad", "rot180", "ones", "entry",
)  # fmt: skip
"""The functions of the language, which no declared one may be called like."""


@dataclass(frozen=True)
class Naming:
    """The letters of one claim.

    Attributes:
        letters: those of the tensors and their indices.
        sizes: the letter of every kind of size, in the order in which sizes are enumerated.
        written: what the claim may write for a size: letters, and the kinds that they stand for.
        chosen: every letter that somebody chose, as it looks, and what it stands for.
        members: the letter of the set that has no indices.
    """

    letters: Letters
    sizes: Mapping[str, str]
    written: Mapping[str, str]
    chosen: Mapping[str, str]
    members: str

    def elements(self, words: Collection[str]) -> str:
        """The name for the number of elements of a set: n, or that of S in bars where n has a meaning in the claim."""
        return "n" if "n" not in self.chosen and "n" not in words else f"|{self.members}|"


def naming(declared: Declarations) -> Naming:
    """The letters of a question.

    Raises:
        ClaimError: where two chosen letters look alike, or one is a word of the language.
    """
    chosen = _chosen(declared)
    named: dict[str, str] = {}
    for letter, kind in declared.sizes.items():
        if kind not in (*SIZES, *CHANNELS):
            raise ClaimError(f"sizes: {letter!r} must be one of {', '.join((*SIZES, *CHANNELS))}, got {kind!r}")
        if kind in CHANNELS and not hasattr(declared.op, kind):
            raise ClaimError(f"sizes: {letter!r} is to be the {kind}, and {declared.op.noun} has none")
        named.setdefault(kind, letter)
    ndim = declared.op.spatial_axes
    sizes = {kind: named.get(kind) or _away(letter, chosen, ndim) for kind, letter in SIZES.items()}
    written = {letter: kind for kind, letter in sizes.items() if kind in DEFAULT and letter == SIZES[kind]}
    sizes |= {kind: named[kind] for kind in CHANNELS if kind in named}
    own = {name for letter in sizes.values() for name in (letter, *numbered(letter, ndim))}
    elsewhere = {name for name in _words(declared) if name not in declared.indices}
    others = {*own, *elsewhere}
    letters = Letters.of(declared.names).avoiding(others, axes=ndim, beside=declared.indices)
    # an index may be one of a family, and no tensor
    letters = letters.avoiding(declared.indices, axes=0, beside=others)
    members = declared.sets[0] if declared.sets else "S"
    return Naming(letters, sizes, {**written, **declared.sizes}, chosen, members)


def tensors(declared: Declarations, letters: Letters) -> tuple[str, ...]:
    """The letters of the arrays of a layer, as entries are written."""
    roles = ("input", *(role for role in ("weight", "bias") if _has(declared.op, role)), "output", "upstream")
    return tuple(getattr(letters, role) for role in roles)


def lexicon(declared: Declarations) -> Lexicon:
    """The names with which a claim in LaTeX is read."""
    letters = naming(declared).letters
    entries = tensors(declared, letters)
    arrays = {*entries, *map(capital, entries)}
    named = {*arrays, letters.error, *_words(declared)}
    functions = {*declared.functions, *({"sigma"} - named)}
    return Lexicon(frozenset(name for name in named if len(name) > 1), frozenset(arrays), frozenset(functions))


def _away(letter: str, chosen: Collection[str], axes: int) -> str:
    """The letter of a size, or a primed one: it means nothing else, nor does it with the number of an axis."""
    while not {look(letter), *map(look, numbered(letter, axes))}.isdisjoint(chosen):
        letter += "'"
    return letter


def _words(declared: Declarations) -> Iterator[str]:
    """The letters that a claim's question declares beside those of tensors."""
    yield from declared.sizes
    yield from declared.functions
    yield from declared.quantities
    yield from declared.matrices
    yield from declared.sets
    yield from declared.indices
    if declared.upper:
        yield declared.upper


def _chosen(declared: Declarations) -> dict[str, str]:
    """Every chosen letter as it looks, and what it stands for."""
    found: dict[str, tuple[str, str]] = {}
    meanings = list(_meanings(declared))
    for letter, meaning in meanings:
        if letter in WORDS or (letter in FUNCTIONS and meaning in ("a norm", "a function")):
            raise ClaimError(f"{letter} is {meaning}, and a word of the language; {_proposed(meanings)}")
        other, known = found.setdefault(look(letter), (letter, meaning))
        if known != meaning:
            both = letter if other == letter else f"{other} and {letter} look alike: {look(letter)}"
            raise ClaimError(f"{both} is declared as {known} and as {meaning}; {_proposed(meanings)}")
    return {letter: meaning for letter, (_, meaning) in found.items()}


def _proposed(meanings: list[tuple[str, str]]) -> str:
    used = {look(letter) for letter, _ in meanings} | {
        *Letters().names,
        *map(capital, Letters().names),
        *SIZES.values(),
    }
    return f"take another letter for one of them, such as {free_letter(used, array=True)}"


def _meanings(declared: Declarations) -> Iterator[tuple[str, str]]:
    op = declared.op
    letters = Letters.of(declared.names)
    families = {
        letter: f"an index of the {role.removesuffix('_index')}"
        for role in declared.names
        if role.endswith("_index")
        for letter in getattr(letters, role)[: op.spatial_axes]
    }
    for role in Letters.roles():
        if role not in declared.names or not _has(op, role):
            continue
        value: str = getattr(letters, role)
        if role.endswith("_index"):
            yield from (
                (letter, f"an index of the {role.removesuffix('_index')}") for letter in value[: op.spatial_axes]
            )
            continue
        yield value, f"the {role}"
        if role in ARRAYS:
            yield capital(value), f"the {role}"
    yield from ((name, "an option of the layer") for name in op.size_symbols())
    yield from ((name, "the order of the norm") for name in op.reals())
    for letter, kind in declared.sizes.items():
        yield letter, f"the {kind}"
        yield from ((f"{letter}_{axis + 1}", f"the {kind}, axis by axis") for axis in range(op.spatial_axes))
    yield from ((letter, "a norm" if kind[:2] == "lp" else "a function") for letter, kind in declared.functions.items())
    yield from ((letter, "a quantity") for letter in declared.quantities)
    yield from ((letter, "a matrix") for letter in declared.matrices)
    yield from ((letter, "a window set") for letter in declared.sets)
    yield from ((letter, families.get(letter, "an index")) for letter in declared.indices)
    if declared.upper:
        yield declared.upper, "an upper index"


def _has(op: Operator, role: str) -> bool:
    """Whether an operator has a tensor with a role; letters may be chosen for a whole file."""
    if role in ("weight", "bias"):
        return role in op.variables
    return role != "position"
