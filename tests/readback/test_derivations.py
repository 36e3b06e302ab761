"""Pages of random layers, smallest sizes included: what a terminal and LaTeX say is worked out by loops."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner

from readback.checking import Checked, check
from readback.hypotheses import check_hypotheses
from readback.layers import KINDS, OWN, SYMBOLIC, Layer, case_of, own_layer, random_layer, symbolic_layers
from readback.pages import Page, read_latex, read_text
from symconv.cli.application import commands

Point = tuple[int, ...]
PLUGIN = Path(__file__).with_name("own_operators.py")
MOST = 36  # entries of an input that is gone through


@dataclass(frozen=True)
class Asked:
    """A question that has an answer.

    Attributes:
        layer: the layer.
        call: its command line.
        size: the input size, where it is given.
        alike: layers for a page that keeps options in letters, each with what the letters stand for; the first is ours.
        letters: the letters that were asked for, and the usual ones in their place.
    """

    layer: Layer
    call: list[str]
    what: str
    wrt: str
    size: Point | None = None
    alike: Sequence[tuple[Layer, Mapping[str, int]]] = ()
    letters: Mapping[str, str] = field(default_factory=dict)


def asked(random: Random, kind: str) -> Asked:
    """A random question: a layer, its command line, what is derived by what, and at which size."""
    while True:
        layer = random_layer(random, kind)
        what = random.choice(("output", "derivative", "gradient", "gradient"))
        wrt = random.choice(layer.variables) if what != "output" else "input"
        size = None
        if layer.kind != "fold" and random.random() < 0.3:
            size = tuple(random.randint(1, 4) for _ in range(layer.ndim))
        if not usable(layer, size):
            continue
        call = ["derive", *layer.arguments(), "--what", what, "--wrt", wrt]
        call += ["--input", "x".join(map(str, size))] if size is not None else []
        plain = layer.kind == "conv" and layer.in_channels * layer.out_channels == 1 and layer.padding_mode == "zeros"
        if plain and (wrt, what) == ("input", "gradient") and random.random() < 0.3:
            call.append("--all-ones")
        return Asked(layer, call, what, wrt, size)


def asked_for_all_sizes(random: Random, kind: str) -> Asked:
    """A random question with --symbolic."""
    alike = [(layer, layer.symbols()) for layer in symbolic_layers(random, kind, 4)]
    alike.sort(key=lambda entry: -min(entry[0].patches()) if kind == "fold" else 0)
    layer = alike[0][0]
    what = random.choice(("output", "derivative", "gradient", "gradient"))
    wrt = random.choice(layer.variables) if what != "output" else "input"
    call = ["derive", *layer.symbolic_arguments(), "--what", what, "--wrt", wrt]
    return Asked(layer, call, what, wrt, None, alike)


USUAL = {"input": "a", "weight": "b", "bias": "d", "output": "c", "upstream": "g", "error": "E"}
OTHERS = "uvwxyzfh"


def asked_in_other_letters(random: Random, kind: str) -> Asked:
    """A random question with letters of one's own for its arrays: none that the page has for something else.

    Sets of subgradients are left out: their unit arrays have a letter that goes with the others.
    """
    ask = asked if random.random() < 0.7 or kind not in SYMBOLIC else asked_for_all_sizes
    question = ask(random, kind)
    while question.layer.ties == "set":
        question = ask(random, kind)
    taken = set(re.findall(LETTER, printed(question.call)))
    free = [letter for letter in OTHERS if not {letter, letter.upper()} & taken]
    roles = [role for role in USUAL if role in ("input", "output", "upstream", "error", *question.layer.variables)]
    chosen = dict(zip(roles, random.sample(free, min(len(roles), len(free))), strict=False))
    letters = {new: USUAL[role] for role, new in chosen.items()}
    letters |= {new.upper(): old.upper() for new, old in letters.items() if new.islower()}
    names = ",".join(f"{role}={new}" for role, new in chosen.items())
    return replace(question, call=[*question.call, "--names", names], letters=letters)


LETTER = r"(?<![A-Za-z\\])[A-Za-z](?![A-Za-z])"


def in_usual_letters(text: str, letters: Mapping[str, str]) -> str:
    """A page with the usual letters in place of others; a letter that stays usual where another was asked for fails."""
    old = set(re.findall(LETTER, text)) & (set(letters.values()) & set("bcdgE"))  # a is a word, and capitals are sizes
    assert not old, old
    return re.sub(LETTER, lambda match: letters.get(match[0], match[0]), text)


def asked_of_ones_own(random: Random, name: str) -> Asked:
    """A random question about an operator of a user's file."""
    layer = own_layer(random, name)
    what = random.choice(("output", "derivative", "gradient", "gradient"))
    wrt = random.choice(layer.variables) if what != "output" else "input"
    call = ["derive", "--plugin", str(PLUGIN), *layer.arguments(), "--what", what, "--wrt", wrt]
    return Asked(layer, call, what, wrt)


def usable(layer: Layer, size: Point | None) -> bool:
    if layer.kind == "fold":
        return min(layer.patches()) >= 1
    return size is None or layer.accepts(size)


def printed(call: list[str]) -> str:
    result = CliRunner().invoke(commands, call)
    assert result.exit_code == 0, f"symconv {' '.join(call)}: {result.output}"
    return result.output


Asking = Callable[[Random, str], Asked]


def read_back(kind: str, seed: int, count: int, ask: Asking = asked) -> Checked:
    """Reads `count` pages of a kind of layer, each from the terminal and from LaTeX, at three sizes."""
    random, total = Random(f"{kind} {seed}"), Checked()
    for _ in range(count):
        question = ask(random, kind)
        for style, read in (("text", read_text), ("latex", read_latex)):
            text = in_usual_letters(printed([*question.call, "--format", style]), question.letters)
            try:
                done = _one(read(text), question, random)
            except Exception as error:
                raise AssertionError(f"symconv {' '.join(question.call)} --format {style}\n{error}") from error
            for name, value in vars(done).items():
                setattr(total, name, getattr(total, name) + value)
    return total


def _one(page: Page, question: Asked, random: Random) -> Checked:
    if question.alike or question.layer.kind != "fold":
        allowed = [question.size] if question.size else check_hypotheses(page, question.layer, question.alike)
    else:
        allowed = [question.layer.patches()]
    allowed.sort(key=sum)
    total = Counter()  # type: ignore[var-annotated]
    far = [sizes for sizes in allowed if prod(sizes) <= MOST] or allowed[:1]
    for sizes in dict.fromkeys([*allowed[:2], random.choice(far)]):
        for layer, letters in question.alike[:2] or [(question.layer, {})]:
            for zeros in (True, False):
                if layer.accepts(sizes):
                    case = case_of(layer, sizes, random, zeros=zeros)
                    total.update(vars(check(page, case, question.what, question.wrt, random, letters)))
    return Checked(**total)


@pytest.mark.parametrize("kind", sorted(set(KINDS)))
def test_a_sample_of_pages_is_read_back(kind: str) -> None:
    done = read_back(kind, 1, 1 if kind == "adaptive-max" else 2)
    assert done.lines
    assert done.definitions


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", sorted(set(KINDS)))
def test_pages_are_read_back(kind: str, seed: int) -> None:
    done = read_back(kind, 100 + seed, 12)
    print(f"{kind}: {done}")
    assert done.lines >= 100


@pytest.mark.parametrize("kind", SYMBOLIC)
def test_a_sample_of_pages_for_all_sizes_is_read_back(kind: str) -> None:
    assert read_back(kind, 2, 1, asked_for_all_sizes).lines


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", SYMBOLIC)
def test_pages_for_all_sizes_are_read_back(kind: str, seed: int) -> None:
    done = read_back(kind, 200 + seed, 6, asked_for_all_sizes)
    print(f"{kind}: {done}")
    assert done.lines >= 100


@pytest.mark.parametrize("kind", ["avgpool", "conv", "conv-transpose", "dilation", "maxpool"])
def test_a_sample_of_pages_in_other_letters_is_read_back(kind: str) -> None:
    assert read_back(kind, 4, 1, asked_in_other_letters).lines


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(set(KINDS)))
def test_pages_in_other_letters_are_read_back(kind: str) -> None:
    assert read_back(kind, 401, 8, asked_in_other_letters).lines >= 30


@pytest.mark.parametrize("name", OWN)
def test_a_sample_of_pages_about_operators_of_ones_own_is_read_back(name: str) -> None:
    assert read_back(name, 3, 2, asked_of_ones_own).lines


@pytest.mark.slow
@pytest.mark.parametrize("name", OWN)
def test_pages_about_operators_of_ones_own_are_read_back(name: str) -> None:
    done = read_back(name, 300, 15, asked_of_ones_own)
    print(f"{name}: {done}")
    assert done.lines >= 100
