"""Every line, definition, size, hypothesis and sentence of a derivation, evaluated by plain loops at one size."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Any

import oracles

from readback.arithmetic import Point, close
from readback.arrays import Array, around
from readback.hypotheses import condition, evaluate, size_names
from readback.layers import LETTER, Case
from readback.pages import Definition, Page, Stage, Step, relation_of
from readback.reading import Reader
from readback.sentences import Sentences
from readback.subgradients import Subgradients
from readback.world import World

__all__ = ["Checked", "check"]


@dataclass
class Checked:
    """What was looked at, by kind."""

    lines: int = 0
    values: int = 0
    definitions: int = 0
    sizes: int = 0
    sentences: int = 0


def _part(array: Array, channel: Point) -> Array:
    """The spatial axes of an array in one channel."""
    lead = len(channel)
    entries = {at[lead:]: v for at, v in array.entries.items() if at[:lead] == channel}
    return Array(entries, array.shape[lead:], array.base)


def check(
    page: Page, case: Case, what: str, wrt: str, random: Random, fixed: Mapping[str, int] | None = None
) -> Checked:
    """Raises where a line of the page is false at this size with these numbers; `fixed` are those of further names."""
    checker = _Checker(page, case, what, wrt, random)
    checker.fixed = dict(fixed or {})
    checker.world.numbers.update(fixed or {})
    checker.ones.numbers.update(fixed or {})
    checker.run()
    return checker.done


class _Checker(Sentences, Subgradients):
    def __init__(self, page: Page, case: Case, what: str, wrt: str, random: Random) -> None:
        self.page, self.case, self.what, self.wrt, self.random = page, case, what, wrt, random
        self.layer, self.done = case.layer, Checked()
        layer = case.layer
        self.sizes = [] if layer.kind == "fold" else size_names(layer.ndim)
        self.fixed: dict[str, int] = {}
        numbers: dict[str, Any] = {}
        if layer.kind != "fold":
            numbers = dict(zip(self.sizes, case.sizes, strict=True))
        if layer.norm and layer.norm.isalpha() and layer.norm != "inf":
            numbers[layer.norm] = 2
        arrays = {k: v for k, v in case.arrays.items() if k in "abcdgz"}
        self.world = World(arrays, numbers, base=layer.base, derivative=self._derivative)
        self.ones = World({**arrays, "g": self._all_ones()}, numbers, base=layer.base)
        self.world.whole = {"fold": self._fold, "unfold": self._unfold, "vec": self._flat}
        self.positions: list[Point] = sorted(case.arrays["c"].places())

    def _all_ones(self) -> Array:
        g = self.case.arrays["g"]
        return Array(dict.fromkeys(g.places(), 1), g.shape, g.base)

    # ------------------------------------------------------------------ truth

    def _derivative(self, of: str, at: Point, by: str, place: Point) -> Any:
        assert of == "c", of
        (role,) = (role for role, letter in LETTER.items() if letter == by)
        assert all(b <= e < b + n for e, n, b in zip(at, self.case.shape("c"), [self.layer.base] * 9)), at
        return self.case.derivatives[role].get((at, place), 0)

    def gradient(self, place: Point, g: Array) -> Any:
        found: Any = 0
        for (o, at), value in self.case.derivatives[self.wrt].items():
            if at == place:
                found += g.at(o) * value
        return found

    def _other(self, image: bool, value: Array) -> Array:
        b = self.layer.base
        result = Array({}, self.case.shape("a"), b)
        assert value.shape == self.case.shape("g")
        for o, terms in self.case.terms.items():
            for k, i, _ in terms:
                result.entries[i] = result.entries.get(i, 0) + k * value.at(o)  # type: ignore[index]
        return result

    def _fold(self, value: Array) -> Array:
        assert self.layer.kind == "unfold"
        return self._other(True, value)

    def _unfold(self, value: Array) -> Array:
        assert self.layer.kind == "fold"
        return self._other(False, value)

    def _flat(self, value: Array) -> Array:
        entries = {(k,): value.at(at) for k, at in enumerate(value.places())}
        return Array(entries, (len(entries),), 0)

    # ------------------------------------------------------------------ the page

    def run(self) -> None:
        for definition in self.page.definitions:
            self._define(definition)
            self.done.definitions += 1
        for stage in self.page.stages:
            self._stage(stage)

    def _define(self, definition: Definition) -> None:
        world = self.world
        size, _, rest = definition.size.partition(", with ")
        equations = re.split(r", (?=O[₁-₉]? =|O\[\d\] =|O =)", rest) if rest else []
        outs = self.case.output
        for equation in equations:
            name, sign, value = relation_of(equation)
            assert sign == "="
            name = re.sub(r"\[(\d)\]", r"\1", name.translate(str.maketrans("₁₂₃", "123")))
            world.numbers[name] = evaluate(world, value, {})
            axis = int(name[1:] or 1) - 1
            assert world.numbers[name] == outs[axis], f"{equation} at {self.case.sizes}: {outs[axis]} outputs"
            self.ones.numbers[name] = world.numbers[name]
            self.done.sizes += 1
        kind = definition.name
        if definition.id == "D1":
            self._expect_size(size, self.case.shape("c"))
            self._output_line(definition)
        elif kind == "upstream gradient":
            self._expect_size(size, self.case.shape("g"))
            assert re.fullmatch(r"g(\[.*\])? = ?∂ ?E/∂ ?c\1?", definition.entry.replace("g[", "g[")), definition.entry
        elif (
            re.fullmatch(r"(upsampling|padding|cropping|reversal|half turn)( and \w+)*", kind)
            and "\u0303" in definition.entry
        ):
            self._spread(definition, size)
        elif kind in ("reversal", "half turn"):
            self._turned(definition, size)
        elif kind in ("first of ties", "ties split"):
            self._shares(definition, kind)
        elif kind == "taps of a window":
            self._taps(definition)
        elif kind == "unit array":
            assert re.fullmatch(r"e\[[^\]]*\], 1 at \w+(, ?\w+)*, else 0", definition.entry), definition.entry
        elif kind == "positions":
            self._expect_size(size, self.case.shape("a"))
            assert "the flat position in C of a[" in definition.entry
            assert definition.entry.endswith(": row by row from 0")
        elif kind == "flat":
            self._expect_size(size, (math.prod(self.case.output),))
            self._flat_line(definition)
        else:
            raise AssertionError(f"unknown definition {definition}")

    def _expect_size(self, text: str, shape: Point) -> None:
        parts = [evaluate(self.world, part, {}) for part in re.split(" ?× ?", text)]
        assert tuple(parts) == (shape or (1,)), f"size {text} is {parts}, not {shape} at {self.case.sizes}"
        self.done.sizes += 1

    def _output_line(self, definition: Definition) -> None:
        left, _, right = relation_of(definition.entry)
        names = self.free(left)
        for at in self.positions:
            env = dict(zip(names, at, strict=True))
            if self._has_no_value(at):
                assert "An output whose window has no tap in the" in self.page.hypotheses, self.page.hypotheses
                continue
            self._equal(evaluate(self.world, right, env), self.case.arrays["c"].at(at), definition.entry, env)
        if "⋆" in definition.object:
            whole = definition.object.partition("=")[2]
            reader = Reader(self.world, f"({whole})")
            found = reader.correlated()({})
            assert found.shape == self.case.shape("c")
            assert all(close(found.at(at), self.case.arrays["c"].at(at)) for at in found.places())

    def _has_no_value(self, at: Point) -> bool:
        """Whether it is an average over no tap."""
        own = self.layer
        return own.kind == "avgpool" and own.exclude_padding and own.divisor is None and not self.case.terms[at]

    def free(self, left: str) -> list[str]:
        """The index names of ``c[p, q]`` or ``c[pq]``."""
        match = re.search(r"\[(.*)\]", left)
        if not match:
            return []
        inside = match[1].replace(" ", "")
        return inside.split(",") if "," in inside else re.findall(r"[^\W\d_][\u0303]?[₀-₉]*′*", inside)

    def _equal(self, found: Any, wanted: Any, text: str, env: Mapping[str, Any]) -> None:
        self.done.values += 1
        assert close(found, wanted), f"{text}\n  at {dict(env)}, sizes {self.case.sizes}: {found}, not {wanted}"

    # ------------------------------------------------------------------ definitions

    def _spread(self, definition: Definition, size: str) -> None:
        """``g̃[s] = g[(s−1)/2+1] where it exists (an integer index), else 0``."""
        left, _, right = relation_of(definition.entry)
        match = re.fullmatch(r"(.*?) where it exists( \(an integer index\))?, else 0", right)
        assert match is not None, definition.entry
        letter = left.partition("[")[0]
        names, text = self.free(left), match[1]
        reader = Reader(self.world, text, frozenset(names))
        value = reader.end(reader.side())
        shape = tuple(evaluate(self.world, part, {}) for part in re.split(" ?× ?", size))
        array = Array({}, shape, self.layer.base)
        for at in array.places():
            array.entries[at] = value(dict(zip(names, at, strict=True)))
        self.world.arrays[letter] = array
        self.ones.arrays[letter] = array
        self.done.sizes += 1
        for_whole = re.findall(r"(?:pad\[|up\[).*", definition.object)
        if for_whole:
            self.same_array(definition.object, array)

    def same_array(self, text: str, array: Array, world: World | None = None) -> None:
        world = world or self.world
        lead = len(array.shape) - self.layer.ndim  # channels stay as they are: it speaks of the spatial axes
        for channel in product(*(range(array.base, array.base + n) for n in array.shape[:lead])):
            own = {letter: _part(world.arrays[letter], channel) for letter in "abg" if letter in world.arrays}
            reader = Reader(World(own, world.numbers, base=world.base), text)
            found, wanted = reader.array()({}), _part(array, channel)
            assert not reader.peek(), text
            assert found.shape == wanted.shape, f"{text} has the size {found.shape}, not {wanted.shape}"
            assert all(close(found.at(at), wanted.at(at)) for at in wanted.places()), text

    def _turned(self, definition: Definition, size: str) -> None:
        """``rev(B): b[3−u] at u``, ``rot180(B): b[3−u, 3−v] in row u, column v``."""
        match = re.fullmatch(r"(.*?) (?:at (.*)|in row (\w+), column (\w+))", definition.entry)
        assert match is not None, definition.entry
        names = match[2].split(", ") if match[2] else [match[3], match[4]]
        kernel = self.case.arrays["b"]
        if len(kernel.shape) != len(names):
            return
        found = around(kernel)
        self._expect_size(size, found.shape)
        for at in found.places():
            self._equal(evaluate(self.world, match[1], dict(zip(names, at, strict=True))), found.at(at), match[1], {})

    def _shares(self, definition: Definition, kind: str) -> None:
        """The tie rule in words, and what it compares."""
        split = kind == "ties split"
        assert split == (self.layer.ties == "split"), definition
        assert ("over the number of" in definition.entry) == split
        assert ("is the first" in definition.entry) != split
        least = self.layer.kind == "erosion"
        assert re.search("(first|number of) minim" if least else "(first|number of) maxim", definition.entry)
        left, _, right = relation_of(definition.entry)
        letter, names = left.partition("[")[0], self.free(left)
        match = re.search(r"if (.*?) is (?:the first|one)", right)
        assert match is not None, right
        own = names[len(self.case.shape("c")) :]
        assert re.search(rf"a\[{',? ?'.join(own)}\]", match[1]), f"{definition.entry} compares another entry"
        reader = Reader(self.world, match[1], frozenset(names))
        compared = reader.end(reader.side())
        for o, rows in self.case.candidates.items():
            for value, i, _ in rows:
                env = dict(zip(names, (*o, *i), strict=True))
                self._equal(compared(env), value, definition.entry, env)
        shares = self.case.shares
        ndim = len(self.case.shape("c"))
        self.world.entries[letter] = lambda at: shares.get((at[:ndim], at[ndim:]), 0)
        self.ones.entries[letter] = self.world.entries[letter]

    def _taps(self, definition: Definition) -> None:
        left, _, right = relation_of(definition.entry)
        letter, names = left.partition("[")[0], self.free(left)
        match = re.fullmatch(r"\{(.*?):(.*)\}", right.strip())
        assert match is not None, right
        taps = re.findall(r"\w′*", match[1])
        reader = Reader(self.world, match[2], frozenset(names))
        own, points = reader.places()
        assert own == taps, (own, taps)
        assert not reader.peek()
        self.taps = taps

        def of(at: Point) -> set[Point]:
            return {tuple(env[t] for t in taps) for env in points(dict(zip(names, at, strict=True)))}

        self.world.sets[letter] = of
        for at in self.positions:
            assert len(of(at)) == len(self.case.terms[at]), f"{definition.entry} at {at}, sizes {self.case.sizes}"

    def _flat_line(self, definition: Definition) -> None:
        match = re.fullmatch(r"vec\(G\) ?\[(.*)\] = g\[(.*?)\], row by row from 0; 0 elsewhere", definition.entry)
        assert match is not None, definition.entry
        names = self.free(f"g[{match[2]}]")
        flat = self._flat(self.case.arrays["g"])
        for at in self.positions:
            env = dict(zip(names, at, strict=True))
            place = evaluate(self.world, match[1], env)
            self._equal(flat.at((place,)), self.case.arrays["g"].at(at), definition.entry, env)

    # ------------------------------------------------------------------ steps

    def _stage(self, stage: Stage) -> None:
        left = ""
        previous: Step | None = None
        for step in stage.steps:
            left = step.left or left or self.left
            self.left = left
            self._step(stage, step, left)
            self.read_sentences(stage, step, previous, left)
            previous = step
            self.done.lines += 1

    left = ""

    def _step(self, stage: Stage, step: Step, left: str) -> None:
        assert step.status in ("proved", "exact"), (step, self.page.hypotheses)
        symbols = set()
        if step.scope.startswith("for all"):
            found = re.findall(r"[A-Za-z](?:_?\d|[₁-₉]|\[\d\])?", step.scope.removeprefix("for all"))
            symbols = {re.sub(r"[_\[\]]", "", name.translate(str.maketrans("₁₂₃", "123"))) for name in found}
        given = "All sizes are given" in self.page.hypotheses
        assert (step.status == "exact") == (not symbols) == given, (step, self.page.hypotheses)
        assert symbols >= ({*self.sizes, *self._letters()} if not given else set()), step
        if "conv" in step.right[:5] or step.relation == "⊇" or step.right.startswith("{"):
            self.set_line(step, left)
            return
        ones = "where every" in stage.domain
        world = self.ones if ones else self.world
        reader, names = self._reader(world, step.right, left)
        value = reader.end(reader.side())
        for env, wanted in self._wanted(left, names, ones):
            if self._has_meaning(step, env, names):
                try:
                    found = value(env)
                except ZeroDivisionError:
                    raise AssertionError(f"({step.id}) {step.right} divides by 0 at {env}, {self.case.sizes}") from None
                self._equal(found, wanted, f"({step.id}) {left} = {step.right}", env)

    def _letters(self) -> set[str]:
        """The letters of options that the page keeps open: its hypotheses bound them."""
        text = re.sub(r"\[(\d)\]", r"\1", self.page.hypotheses.translate(str.maketrans("₁₂₃", "123")))
        return {name for name in self.fixed if re.search(rf"(?<![A-Za-z]){name}(?![\dA-Za-z])", text)}

    def _reader(self, world: World, text: str, left: str) -> tuple[Reader, list[list[str]]]:
        names = [self.free(part) for part in left.split("/")]
        return Reader(world, text, frozenset(n for part in names for n in part)), names

    def _has_meaning(self, step: Step, env: Mapping[str, Any], names: list[list[str]]) -> bool:
        """Whether what a line needs holds here."""
        if not step.needs:
            return True
        for part in re.split(r", and (?![^(]*\))", step.needs):
            bare = re.sub(r" \((at .*|they have no value)\)$", "", part)
            if re.match("E differentiable in the outputs$|that a m(ax|in)imum over no tap is", bare):
                continue
            if bare.startswith(("that outputs without a tap in the", "every window holds an entry of the input")):
                if not all(self.case.terms.values()):
                    return False
                continue
            if bare.startswith("a tap in the "):
                if env:
                    of = self.free(bare)
                    if not self.case.terms[tuple(env[n] for n in of)]:
                        return False
                continue
            if "≠" in bare:
                own = self.free(bare)
                if env and all(n in env for n in own):
                    if not condition(self.world, bare, env):
                        return False
                elif env:  # it speaks of all outputs
                    letter = bare[0]
                    if any(close(v, 0) for v in self.case.arrays[letter].entries.values()):
                        return False
                continue
            raise AssertionError(f"unknown need {part!r} of {step}")
        return True

    def _wanted(self, left: str, names: list[list[str]], ones: bool) -> Iterator[tuple[dict[str, Any], Any]]:
        case = self.case
        if re.match(r"∂ ?E/", left):
            g = self.ones.arrays["g"] if ones else case.arrays["g"]
            for place in case.arrays[LETTER[self.wrt]].places():
                yield dict(zip(names[1], place, strict=True)), self.gradient(place, g)
        elif re.match(r"∂ ?c", left):
            letter = LETTER[self.wrt]
            assert re.search(rf"∂ ?{letter}", left.partition("/")[2]), left
            for o in self.positions:
                for place in case.arrays[letter].places():
                    env = dict(zip((*names[0], *names[1]), (*o, *place), strict=True))
                    yield env, case.derivatives[self.wrt].get((o, place), 0)
        elif left.startswith("c"):
            for o in self.positions:
                yield dict(zip(names[0], o, strict=True)), case.arrays["c"].at(o)
        else:
            yield from self._counts(left, names[0])

    def _counts(self, left: str, names: list[str]) -> Iterator[tuple[dict[str, Any], Any]]:
        """``O``, ``O₂``, ``N`` of a folding, ``N₂[q]`` of adaptive windows."""
        match = re.match(r"([ON])([₁-₃]|\[(\d)\])?", left)
        assert match is not None, left
        number = (match[2] or "1").translate(str.maketrans("₁₂₃", "123")).strip("[]")
        axis = int(number) - 1
        if self.layer.kind.startswith("adaptive"):
            windows = oracles.adaptive_windows(self.case.sizes[axis], self.layer.output[axis])
            (name,) = [n for n in names if n.isalpha()] or ["?"]
            for o, row in enumerate(windows):
                yield {name: o + self.layer.base}, len(row)
        elif match[1] == "N":
            assert self.layer.kind == "fold"
            yield {}, oracles.output_size(self.layer.output[axis], self.layer.axes()[axis])
        else:
            yield {}, self.case.output[axis]
