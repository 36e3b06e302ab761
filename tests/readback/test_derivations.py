"""Pages of random layers, smallest sizes included: what a terminal and LaTeX say is worked out by loops."""

from __future__ import annotations

from collections import Counter
from random import Random

import oracles
import pytest
from click.testing import CliRunner

from readback.checking import Checked, check
from readback.hypotheses import check_hypotheses
from readback.layers import KINDS, Layer, case_of, random_layer
from readback.pages import Page, read_latex, read_text
from symconv.cli.application import commands

Point = tuple[int, ...]


def asked(random: Random, kind: str) -> tuple[Layer, list[str], str, str, Point | None]:
    """A random question that has an answer: a layer, its command line, what is derived by what, and at which size."""
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
        return layer, call, what, wrt, size


def usable(layer: Layer, size: Point | None) -> bool:
    if layer.kind == "fold":
        return min(patches(layer)) >= 1
    return size is None or layer.accepts(size)


def patches(layer: Layer) -> Point:
    return tuple(map(oracles.output_size, layer.output, layer.axes()))


def printed(call: list[str]) -> str:
    result = CliRunner().invoke(commands, call)
    assert result.exit_code == 0, f"symconv {' '.join(call)}: {result.output}"
    return result.output


def read_back(kind: str, seed: int, count: int) -> Checked:
    """Reads `count` pages of a kind of layer, each from the terminal and from LaTeX, at three sizes."""
    random, total = Random(f"{kind} {seed}"), Checked()
    for _ in range(count):
        layer, call, what, wrt, size = asked(random, kind)
        for style, read in (("text", read_text), ("latex", read_latex)):
            text = printed([*call, "--format", style])
            try:
                done = _one(read(text), layer, what, wrt, size, random)
            except Exception as error:
                raise AssertionError(f"symconv {' '.join(call)} --format {style}\n{error}") from error
            for name, value in vars(done).items():
                setattr(total, name, getattr(total, name) + value)
    return total


def _one(page: Page, layer: Layer, what: str, wrt: str, size: Point | None, random: Random) -> Checked:
    if layer.kind == "fold":
        allowed = [patches(layer)]
    else:
        allowed = [size] if size is not None else check_hypotheses(page, layer)
    allowed.sort(key=sum)
    total = Counter()  # type: ignore[var-annotated]
    for sizes in dict.fromkeys([*allowed[:2], random.choice(allowed)]):
        for zeros in (True, False):
            total.update(vars(check(page, case_of(layer, sizes, random, zeros=zeros), what, wrt, random)))
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
