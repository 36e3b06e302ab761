"""Consistent renaming of random claims into letters that a program is likely to use itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from string import ascii_letters

from claim_words import Case
from latex_words import in_latex, is_written

TENSORS = {"a": "input", "b": "weight", "c": "output", "g": "upstream", "E": "error"}
SIZES = {"I": "input", "K": "kernel", "O": "output", "S": "stride", "P": "padding", "D": "dilation"}
FUNCTIONS = (
    "sum",
    "max",
    "diff",
    "floor",
    "ceil",
    "mod",
    "abs",
    "cases",
    "corr",
    "conv",
    "pad",
    "rot180",
    "ones",
    "size",
)

# letters, Greek, names with numbers, what symconv calls sizes, coordinates and solver variables itself, and words of
# the claim language, Python, SMT-LIB, LaTeX and NumPy; a tensor takes fewer of them
WORDS = (
    *ascii_letters, "alpha", "beta", "lamda", "omega", "pi", "phi", "Sigma", "mu",
    "x1", "s1", "i1", "t0", "v0", "v1", "S1", "K2", "a1", "n0", "e2", "q_1", "I_9",
    "sum", "max", "min", "diff", "pad", "corr", "floor", "ceil", "abs", "mod", "card", "upper", "setof", "limit",
    "Int", "Real", "ite", "exists", "forall", "let", "par", "assert_", "exit", "check", "sat", "push",
    "frac", "mathrm", "input", "begin", "end", "left", "right", "cdot", "text",
    "np", "numpy", "array", "self", "print", "eval", "exec", "range", "len", "id", "Symbol", "Sum", "Max", "oops",
    "kernel", "stride", "output", "weight", "error", "nil",
)  # fmt: skip
LONG = (
    "I_out",
    "n_max",
    "x_prime",
    "S_1_2",
    "K_",
    "kernel_size",
    "assert_false",
    "v0_1",
    "true",
)  # of sizes and indices only
_TENSOR = re.compile(r"[A-Za-z](?:[A-Za-z]{0,11}|_?[0-9]{1,2})")
_TOKEN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Renamed:
    """A claim in other letters, with declarations that say what they are.

    Attributes:
        text: the claim.
        latex: the claim in LaTeX, where that was asked for.
        letters: the new letter of every old one.
    """

    text: str
    latex: str
    names: Mapping[str, str]
    sizes: Mapping[str, str]
    indices: Mapping[str, str]
    letters: Mapping[str, str]


def capital(name: str) -> str:
    return name[0].upper() + name[1:]


def look(name: str) -> str:
    return name.replace("_", "")


def renamed(case: Case, random: Random, *, latex: bool = False) -> Renamed:
    """The claim under a random renaming of every letter; what prints alike is never chosen twice."""
    words = {word for word in _TOKEN.findall(case.text) if word not in FUNCTIONS}
    sizes = {"I", "K", "O", *case.sizes}
    letters: dict[str, str] = {}
    taken: set[str] = set()
    others = sorted(words - TENSORS.keys() - sizes - set("ABCG"))
    order = [*TENSORS, *sorted(sizes), *sorted({*others, *case.indices})]
    random.shuffle(order)
    for letter in order:
        array = letter in "abcg"
        while True:
            pool = WORDS if letter in TENSORS else WORDS + LONG
            new = random.choice(pool if random.random() < 0.5 else ascii_letters)
            forms = {look(new), look(capital(new))} if array else {look(new)}
            if letter in sizes:
                forms |= {look(f"{new}_{axis}") for axis in range(1, case.layer.axes + 1)}
            written = not latex or all(map(is_written, (new, capital(new))))
            if written and not forms & taken and (letter not in TENSORS or _TENSOR.fullmatch(new)):
                break
        letters[letter] = new
        taken |= forms
    whole = {**letters, **{letter.upper(): capital(letters[letter]) for letter in "abcg"}}
    text = _TOKEN.sub(lambda match: whole.get(match[0], match[0]), case.text)
    return Renamed(
        text,
        in_latex(text) if latex else "",
        {role: letters[letter] for letter, role in TENSORS.items()},
        {letters[letter]: SIZES[letter] for letter in sorted(sizes)},
        {letters[index]: place for index, place in case.indices.items()},
        letters,
    )
