"""Claims on pages: what is marked right is right for random numbers, and a witness separates the sides as it says."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import product
from random import Random
from typing import Any

import oracles
import pytest

from readback.arrays import Array
from readback.hypertext import Section, sections
from readback.hypotheses import evaluate
from readback.pages import Step
from readback.test_pages_of_values import matrix, number
from readback.world import World
from symconv.problems.build import build_document
from symconv.problems.reading import read_problem
from symconv.report.html_writer import to_html


class Slipped:
    """A correlation of one axis, and a line about it that may be wrong in a number."""

    def __init__(self, random: Random) -> None:
        self.kernel, self.stride = random.randint(2, 3), random.randint(1, 2)
        self.size = self.kernel + random.randint(1, 3)
        self.step = random.choice((self.stride, self.stride, self.stride + 1))
        self.offset = -self.stride + random.choice((0, 0, 1, -1))
        self.last = self.kernel + random.choice((0, 0, 0, -1))
        self.turned = random.random() < 0.25
        self.factor = random.choice((1, 1, 1, 2))

    @property
    def text(self) -> str:
        tap = f"b[{self.kernel + 1}-m]" if self.turned else "b[m]"
        factor = "" if self.factor == 1 else f"{self.factor}*"
        return f"c[p] == {factor}sum(a[{self.step}*p+m{self.offset:+}]*{tap}, (m,1,{self.last}))"

    @property
    def outputs(self) -> int:
        return oracles.output_size(self.size, oracles.Axis(self.kernel, self.stride))

    def output(self, a: Array, b: Array) -> Any:
        """The output by plain loops, by its index."""
        rows = oracles.place(self.size, oracles.Axis(self.kernel, self.stride))
        return lambda at: sum(a.at((i + 1,)) * b.at((m + 1,)) for m, i in enumerate(rows[int(at[0]) - 1]))

    def world(self, a: Array, b: Array) -> World:
        world = World({"a": a, "b": b}, {"I": self.size, "K": self.kernel, "O": self.outputs})
        world.entries["c"] = self.output(a, b)
        return world

    def random_world(self, random: Random) -> World:
        def filled(n: int) -> Array:
            return Array({(k,): random.randint(-9, 9) for k in range(1, n + 1)}, (n,))

        return self.world(filled(self.size), filled(self.kernel))


def sections_of(lines: list[Slipped]) -> Section:
    text = ['title = "Read back"']
    for k, line in enumerate(lines):
        text += [f"[operators.o{k}]", 'kind = "Conv"', f"input_size = [{line.size}]", f"kernel_size = [{line.kernel}]"]
        text += [f"stride = {line.stride}"]
    for k, line in enumerate(lines):
        text += ["[[claims]]", f'id = "line {k}"', f'operator = "o{k}"', f'text = "{line.text}"']
    part, *_ = sections(to_html(build_document(read_problem("\n".join(text)))))
    return part


def holds_for_any(step: Step, line: Slipped, random: Random) -> bool:
    world = line.random_world(random)
    sides = (step.left, step.right)
    return all(
        evaluate(world, sides[0], {"p": p}) == evaluate(world, sides[1], {"p": p}) for p in range(1, line.outputs + 1)
    )


def separates(witness: str, said: str, step: Step, line: Slipped) -> None:
    """The arrays and the place of a witness, and the two values there."""
    arrays = {}
    for letter, n in (("a", line.size), ("b", line.kernel)):
        match = re.search(rf"{letter.upper()} = (\[.*?\])", witness)
        values = matrix(match[1]) if match else [Fraction(0)] * n
        assert len(values) == n, witness
        arrays[letter] = Array({(k,): value for k, value in enumerate(values, 1)}, (n,))
    place = re.search(r"(?<![A-Za-z])p ?= ?(\d+)", witness)
    assert place is not None, witness
    values = re.search(r"The left side is (.*?), the right side (.*?)\.", said)
    assert values is not None, said
    world, env = line.world(arrays["a"], arrays["b"]), {"p": int(place[1])}
    assert 1 <= env["p"] <= line.outputs
    left, right = (evaluate(world, side, env) for side in (step.left, step.right.removeprefix("?").strip()))
    assert (left, right) == (number(values[1]), number(values[2])), (witness, said, step)
    assert left != right


def is_missing(said: str, line: Slipped) -> None:
    """What is read and is not there."""
    match = re.search(r"At (.*?) it reads ([ab])\[([−\d]+)\]; the entries of [ab] are \{(\d+), ?…, ?(\d+)\}", said)
    assert match is not None, said
    index, low, high = int(match[3].replace("−", "-")), int(match[4]), int(match[5])
    assert (low, high) == (1, line.size if match[2] == "a" else line.kernel)
    assert not low <= index <= high
    env = {name: int(value) for name, value in re.findall(r"(\w) ?= ?(\d+)", match[1])}
    read = [
        line.step * p + m + line.offset
        for p, m in product(range(1, line.outputs + 1), range(1, line.last + 1))
        if env.get("p", p) == p and env.get("m", m) == m
    ]
    assert match[2] == "a"
    assert index in read, (said, line.text)


@pytest.mark.parametrize("seed", range(3))
def test_claims_are_read_back(seed: int) -> None:
    random = Random(f"claims {seed}")
    lines = [Slipped(random) for _ in range(6)]
    part = sections_of(lines)
    steps = {step.id: step for step in part.page.steps}
    witnesses, said = [line for line in part.lines if line[2].startswith("Witness")], list(part.paragraphs)
    for k, line in enumerate(lines, 1):
        step = steps[f"C{k}"]
        if step.status != "refuted":
            assert step.status in ("proved", "exact"), (step, line.text)
            assert holds_for_any(step, line, random), (step, line.text)
            continue
        text = said.pop(0)
        if "it reads" in text:
            is_missing(text, line)
        else:
            separates(witnesses.pop(0)[1][0], text, step, line)
        repaired = steps.get(f"C{k}'")
        if repaired is not None:
            assert repaired.status in ("proved", "exact")
            assert holds_for_any(repaired, line, random), (repaired, line.text)
    assert not witnesses
    assert not said
