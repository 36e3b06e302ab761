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

from readback.layers import LETTER, Case, Layer
from readback.pages import Definition, Page, Stage, Step, relation_of
from readback.reading import Array, Point, Reader, World, around, close

__all__ = ["Checked", "check", "check_hypotheses"]

FAR = 7  # the sizes up to which hypotheses are compared with what a layer takes


@dataclass
class Checked:
    """What was looked at, by kind."""

    lines: int = 0
    values: int = 0
    definitions: int = 0
    sizes: int = 0
    sentences: int = 0


def evaluate(world: World, text: str, env: Mapping[str, Any]) -> Any:
    reader = Reader(world, text, frozenset(env))
    return reader.end(reader.side())(env)


def condition(world: World, text: str, env: Mapping[str, Any]) -> bool:
    reader = Reader(world, text, frozenset(env))
    holds = reader.conditions()
    assert not reader.peek(), text
    return holds(env)


# --- hypotheses ------------------------------------------------------------------------------------------------------


def check_hypotheses(page: Page, layer: Layer, fixed: Mapping[str, int] | None = None) -> list[Point]:
    """The sizes that are let in, up to some; they must be those that the layer takes, neither more nor fewer."""
    text = page.hypotheses
    words = re.sub(r"\s+", " ", text.split(". ", 1)[0].rstrip("."))
    assert words.startswith("For "), text
    names = size_names(layer.ndim)
    stated, _, further = words[4:].partition(" with ")
    further = re.sub(r" \((a window fits|an output is left)\)$", "", further)
    allowed = []
    for sizes in product(range(FAR), repeat=layer.ndim):
        world = World({}, {**dict(zip(names, sizes, strict=True)), **(fixed or {})})
        holds = all(_shared_bounds(world, part) for part in _groups(stated))
        holds = holds and (not further or all(condition(world, part, {}) for part in further.split(" and ")))
        assert holds == (min(sizes) >= 1 and layer.accepts(sizes)), f"{text!r} and {sizes}: {holds}"
        if holds:
            allowed.append(sizes)
    said = re.search(r"over no tap is −?∞|whose window has no tap in the", text) is not None
    assert said == any(has_empty(layer, sizes) for sizes in allowed), text
    return allowed


def has_empty(layer: Layer, sizes: Point) -> bool:
    """Whether a window has nothing to compare or to divide by."""
    if layer.kind not in ("maxpool", "dilation", "erosion", "avgpool") and layer.norm != "inf":
        return False
    if layer.kind == "avgpool" and layer.divisor is not None:
        return False
    counted = layer.kind == "avgpool" and not layer.exclude_padding
    for n, axis in zip(sizes, layer.axes(), strict=True):
        low, high = (-axis.before, n + axis.after) if counted else (0, n)
        if any(not any(low <= p < high for p in row) for row in oracles.place(n, axis)):
            return True
    return False


def size_names(ndim: int, letter: str = "I") -> list[str]:
    return [letter] if ndim == 1 else [f"{letter}{axis}" for axis in range(1, ndim + 1)]


def _groups(text: str) -> Iterator[str]:
    """``I₁ ≥ 2, I₂, I₃ ≥ 1`` in its parts, each with one bound."""
    pending: list[str] = []
    for part in re.split(r", ?", text):
        pending.append(part.strip())
        if "≥" in part:
            yield ", ".join(pending)
            pending = []
    assert not pending, text


def _shared_bounds(world: World, text: str) -> bool:
    names, _, low = text.rpartition("≥")
    return all(condition(world, f"{name} ≥ {low}", {}) for name in names.split(", "))


def _part(array: Array, channel: Point) -> Array:
    """The spatial axes of an array in one channel."""
    lead = len(channel)
    entries = {at[lead:]: v for at, v in array.entries.items() if at[:lead] == channel}
    return Array(entries, array.shape[lead:], array.base)


# --- one page at one size --------------------------------------------------------------------------------------------


def check(
    page: Page, case: Case, what: str, wrt: str, random: Random, fixed: Mapping[str, int] | None = None
) -> Checked:
    """Raises where a line of the page is false at this size with these numbers; `fixed` are those of further names."""
    checker = _Checker(page, case, what, wrt, random)
    checker.world.numbers.update(fixed or {})
    checker.ones.numbers.update(fixed or {})
    checker.run()
    return checker.done


class _Checker:
    def __init__(self, page: Page, case: Case, what: str, wrt: str, random: Random) -> None:
        self.page, self.case, self.what, self.wrt, self.random = page, case, what, wrt, random
        self.layer, self.done = case.layer, Checked()
        layer = case.layer
        self.sizes = size_names(layer.ndim)
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
        names = self._free(left)
        for at in self.positions:
            env = dict(zip(names, at, strict=True))
            if self._is_undefined(at):
                continue
            self._equal(evaluate(self.world, right, env), self.case.arrays["c"].at(at), definition.entry, env)
        if "⋆" in definition.object:
            whole = definition.object.partition("=")[2]
            reader = Reader(self.world, f"({whole})")
            found = reader.correlated()({})
            assert found.shape == self.case.shape("c")
            assert all(close(found.at(at), self.case.arrays["c"].at(at)) for at in found.places())

    def _is_undefined(self, at: Point) -> bool:
        """An average over no tap, which the page has to speak of."""
        c = self.case.arrays["c"]
        if at in c.entries and not (self.layer.kind == "avgpool" and self._divisor(at) == 0):
            return False
        assert "An output whose window has no tap in the" in self.page.hypotheses, self.page.hypotheses
        return True

    def _divisor(self, at: Point) -> int:
        return 1

    def _free(self, left: str) -> list[str]:
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
        names, text = self._free(left), match[1]
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
            self._same_array(definition.object, array)

    def _same_array(self, text: str, array: Array, world: World | None = None) -> None:
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
        letter, names = left.partition("[")[0], self._free(left)
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
        letter, names = left.partition("[")[0], self._free(left)
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
        names = self._free(f"g[{match[2]}]")
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
            self._sentences(stage, step, previous, left)
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
        assert symbols >= (set(self.sizes) if not given else set()), step
        if "conv" in step.right[:5] or step.relation == "⊇" or step.right.startswith("{"):
            self._set_line(step, left)
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

    def _reader(self, world: World, text: str, left: str) -> tuple[Reader, list[list[str]]]:
        names = [self._free(part) for part in left.split("/")]
        return Reader(world, text, frozenset(n for part in names for n in part)), names

    def _has_meaning(self, step: Step, env: Mapping[str, Any], names: list[list[str]]) -> bool:
        """Whether what a line needs holds here."""
        if not step.needs:
            return True
        for part in re.split(r", and (?![^(]*\))", step.needs):
            bare = re.sub(r" \((at .*|they have no value)\)$", "", part)
            if re.match("E differentiable in the outputs$|that a m(ax|in)imum over no tap is", bare):
                continue
            if bare.startswith("that outputs without a tap in the"):
                if not all(self.case.terms.values()):
                    return False
                continue
            if bare.startswith("a tap in the "):
                if env:
                    of = self._free(bare)
                    if not self.case.terms[tuple(env[n] for n in of)]:
                        return False
                continue
            if "≠" in bare:
                own = self._free(bare)
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

    # ------------------------------------------------------------------ sets of subgradients

    def _set_line(self, step: Step, left: str) -> None:
        names = self._free(left)
        for o in self.positions if names else []:
            env = dict(zip(names, o, strict=True))
            if not self.case.terms[o]:
                assert "a tap in the input for the window of" in step.needs, step
                continue
            found = self._hull(step.right, env)
            assert found == sorted(set(self.case.maximal[o])), f"({step.id}) {step.right} at {env}: {found}"
            self.done.values += 1
        if not names:
            self._sum_of_sets(step)

    def _hull(self, text: str, env: Mapping[str, Any]) -> list[Point]:
        """The places of the unit arrays that the hull is made of."""
        window = self.world.sets["W"](tuple(env.values()))
        number = r"(\(?[\w,′ ]+\)?) ?∈ ?W\[[^\]]*\]"
        if "conv" in text:
            match = re.fullmatch(rf"conv ?\{{ ?e\[(.*?)\] : {number}, a\[\1\] = c\[[^\]]*\] ?\}}", text.strip())
            assert match is not None, text
            place, relation = match[1], "="
        else:
            match = re.fullmatch(
                rf"\{{ ?∑\({number}\) λ\[([^\]]*)\](?:·| )e\[(.*?)\] : λ\[\2\] ≥ 0, ∑\({number}\) λ\[\2\] = 1, "
                rf"λ\[\2\] = 0 +where +a\[\3\] < c\[[^\]]*\] ?\}}",
                re.sub(" +", " ", text.strip()),
            )
            assert match is not None, text
            place, relation = match[3], "<"
        found = set()
        reader = Reader(self.world, f"a[{place}]", frozenset((*env, *self.taps)))
        reader.take()
        at = reader.index("a")
        for point in window:
            inner = {**env, **dict(zip(self.taps, point, strict=True))}
            i = tuple(int(e) for e in at(inner))
            value, best = self.case.arrays["a"].at(i), self.case.arrays["c"].at(tuple(env.values()))
            attained = value == best if relation == "=" else not value < best
            if attained:
                found.add(i)
        return sorted(found)

    def _sum_of_sets(self, step: Step) -> None:
        """``∂E ⊇ {∑ g[p]·x[p] : x[p] ∈ ∂c[p]}`` where every g[p] ≥ 0: each such sum is a subgradient of E."""
        match = re.fullmatch(
            r"\{ ?((?:∑\(.*?\) ?)+)g\[([^\]]*)\](?:·| )x\[\2\] : x\[\2\] ∈ ∂ ?c\[\2\] ?\}",
            re.sub(" +", " ", step.right.strip()),
        )
        assert match is not None, step.right
        assert "g[" in step.needs, step
        assert "≥ 0 for every output, and E = " in step.needs
        sums = step.needs.partition("E = ")[2].partition(", and that outputs")[0]
        names = self._free(f"g[{match[2]}]")
        reader = Reader(self.world, sums)
        linear = reader.end(reader.side())({})
        total = sum(
            self.case.arrays["g"].at(o) * self.case.arrays["c"].at(o) for o in self.positions if self.case.terms[o]
        )
        if all(self.case.terms.values()):
            assert close(linear, total), step.needs
        assert len(names) == len(self.case.shape("c"))
        g = {o: abs(self.case.arrays["g"].at(o)) for o in self.positions if self.case.terms[o]}
        chosen = {o: self.random.choice(self.case.maximal[o]) for o in g}
        a = self.case.arrays["a"]

        def error(values: Mapping[Point, Any]) -> Any:
            return sum(w * max(values[i] for _, i, _ in self.case.terms[o]) for o, w in g.items())  # type: ignore[index]

        slope: dict[Point, Any] = {}
        for o, i in chosen.items():
            slope[i] = slope.get(i, 0) + g[o]
        for _ in range(6):
            other = {at: self.random.randint(-4, 4) for at in a.places()}
            below = error(a.entries) + sum(slope.get(at, 0) * (other[at] - a.at(at)) for at in other)
            assert error(other) >= below, step
            self.done.values += 1

    # ------------------------------------------------------------------ sentences

    def _sentences(self, stage: Stage, step: Step, previous: Step | None, left: str) -> None:
        for pattern, read in _SENTENCES:
            for match in re.finditer(pattern, step.reason):
                read(self, match, step, previous, left)
                self.done.sentences += 1
        for number in re.findall(r"(?:Insert|into|line) \((\d+)\)", step.reason):
            assert int(number) < int(step.id), step
        for number in re.findall(r"\((D\d)\)", step.reason):
            assert number in {d.id for d in self.page.definitions}, step

    def number(self, text: str, env: Mapping[str, Any] | None = None) -> Any:
        return evaluate(self.world, text.strip(), env or {})

    def _axis(self, left: str) -> int:
        match = re.match(r"[ON]([₁-₃]|\[(\d)\])?", left)
        assert match is not None
        number = (match[1] or "1").translate(str.maketrans("₁₂₃", "123")).strip("[]")
        return int(number) - 1

    def place(self, match: re.Match[str], step: Step, previous: Step | None, left: str) -> None:
        """The window: where it starts, what it spans, and of how many cells."""
        axis = self._axis(left)
        own, (low, high) = self.layer.axes()[axis], self.layer.pads[axis]
        n = (self.layer.output if self.layer.kind == "fold" else self.case.sizes)[axis]
        assert self.number(match[3]) == n + low + high, step
        rows = oracles.place(n, own)
        assert self.number(match[2]) == rows[0][-1] - rows[0][0] + 1, step
        name = re.search(r"#\{ ?(\w)", step.right)
        assert name is not None
        for o, row in enumerate(rows):
            assert self.number(match[1], {name[1]: o + self.layer.base}) == row[0] + low, step
        late = "must start before the padding after the input" in step.reason
        assert late == ("hang over" in step.reason)

    def multiples(self, match: re.Match[str], step: Step, previous: Step | None, left: str) -> None:
        assert self.number(match[1]) == self.layer.stride[self._axis(left)], step

    def reach(self, match: re.Match[str], step: Step, previous: Step | None, left: str) -> None:
        axis = self._axis(left)
        n, own = self.case.sizes[axis], self.layer.axes()[axis]
        assert self.number(match[1]) == own.stride * (n - 1) + own.dilation * (own.kernel - 1), step
        cut = re.search(r"Padding cuts (\S+) off (?:either side|before and (\S+) behind)\.", step.reason)
        low = self.number(cut[1]) if cut else 0
        high = (self.number(cut[2]) if cut[2] else low) if cut else 0
        assert (low, high) == (own.before, own.after), step
        more = re.search(r"Output padding adds (\S+) behind\.", step.reason)
        extra = self.layer.output_padding[axis] if self.layer.output_padding else 0
        assert (self.number(more[1]) if more else 0) == extra, step

    def parts(self, match: re.Match[str], step: Step, previous: Step | None, left: str) -> None:
        axis = self._axis(left)
        n, count = self.case.sizes[axis], self.layer.output[axis]
        assert self.number(match[1]) == count
        for o in range(count):
            env = {match[2]: o + self.layer.base}
            assert close(self.number(match[3], env) * count, o * n), step
            assert close(self.number(match[4], env) * count, (o + 1) * n), step

    def one_part(self, match: re.Match[str], step: Step, previous: Step | None, left: str) -> None:
        assert self.layer.output[self._axis(left)] == 1, step

    def recognised(self, match: re.Match[str], step: Step, previous: Step | None, left: str) -> None:
        """``image G̃ = pad[1](G)``: the array of that name; and it is the one in the line."""
        name, construction = match[1], match[2] or match[1]
        line = re.sub(r"\s", "", step.right)
        assert re.sub(r"\s", "", construction) in line, step
        world = self.ones if "place" in step.reason and "changed places, and" in step.reason else self.world
        letter = name.lower()
        if match[2] and letter in world.arrays:
            self._same_array(construction, world.arrays[letter], world)
        kernel = re.search(r", kernel (.*?)[.;]", step.reason)
        if kernel:
            assert re.sub(r"\s", "", kernel[1]) in line, step
        if "the result has the size of the" in step.reason:
            reader = Reader(self.world, re.sub(r"\[[^\[\]]*\]$", "", step.right).strip())
            if reader.tokens[0] == "(":
                size = "a" if "size of the input" in step.reason else "c"
                assert reader.correlated()({}).shape == self.case.shape(size), step

    def substituted(self, match: re.Match[str], step: Step, previous: Step | None, left: str) -> None:
        """``u = 3 − m``: the old range, put in, gives the new one; ``p = 2i + m − 2``: where a tap lands."""
        if "one output for every" in step.reason:
            self._landed(match[1].partition(":")[0], step)
            return
        d1 = self.page.definitions[0].entry
        for equation in match[1].split(", "):
            new, sign, text = relation_of(equation)
            assert sign == "="
            pattern = r"∑\({} ?= ?(.*?) … (.*?)\) "
            ranges = re.search(pattern.format(new), step.right)
            assert ranges is not None, step
            old = [n for n in re.findall(r"[a-z]′?", text) if n not in self.world.numbers]
            assert len(old) == 1, step
            before = re.search(pattern.format(old[0]), d1)
            if before is None:
                for definition in (previous.right if previous else "",):
                    before = re.search(pattern.format(old[0]), definition)
            if old[0] == "p" or before is None:  # outputs: all of them
                axis = [self._free(self.page.definitions[1].entry)].pop().index(old[0])
                lo, hi = self.layer.base, self.layer.base + self.case.shape("c")[axis] - 1
            else:
                lo, hi = self.number(before[1]), self.number(before[2])
            image = sorted(self.number(text, {old[0]: v}) for v in range(lo, hi + 1))
            assert image == list(range(self.number(ranges[1]), self.number(ranges[2]) + 1)), step

    def _landed(self, equations: str, step: Step) -> None:
        b = self.layer.base
        for axis, equation in enumerate(equations.split(", ")):
            place, sign, text = relation_of(equation)
            assert (place, sign) == ("pqr"[axis], "="), step
            own = self.layer.axes()[axis]
            for i, m in product(range(self.case.sizes[axis]), range(own.kernel)):
                tap = own.kernel - 1 - m if self.layer.flip else m
                at = own.stride * i + own.dilation * tap - own.before
                assert self.number(text, {"ijk"[axis]: i + b, "mno"[axis]: m + b}) == at + b, step


_SENTENCES: list[tuple[str, Any]] = [
    (r"it starts (.*?) cells into the padded input and spans (.*?) of its (.*?) cells\.", _Checker.place),
    (r"the multiples of (.*?) from 0 up to", _Checker.multiples),
    (r"the last tap of the last input lies (.*?) places after the first tap of the first\.", _Checker.reach),
    (r"The input is one part: every (entry) counts\.", _Checker.one_part),
    (r"cut into (.*?) equal parts; part (\w) reaches from (.*?) to (.*?), and", _Checker.parts),
    (r"image (\S+?)(?: = (.*?))?(?:, kernel|; kernel and)", _Checker.recognised),
    (r"^Substitute (\w+ = .*?)(?:, so that|\.$|: one output for every)", _Checker.substituted),
]
