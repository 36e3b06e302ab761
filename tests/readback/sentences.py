"""Sentences with numbers beside the lines of a derivation, each worked out by plain loops."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product
from typing import Any

import oracles

from readback.arithmetic import close
from readback.hypotheses import evaluate
from readback.pages import Page, Stage, Step, relation_of
from readback.reading import Reader

__all__ = ["Sentences"]


class Sentences:
    """The part of a check that reads reasons; what it reads them in is the check's."""

    done: Any
    world: Any
    ones: Any
    case: Any
    layer: Any
    page: Page
    free: Any
    same_array: Any

    # ------------------------------------------------------------------ sentences

    def read_sentences(self, stage: Stage, step: Step, previous: Step | None, left: str) -> None:
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
            self.same_array(construction, world.arrays[letter], world)
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
            outputs = self.free(self.page.definitions[1].entry.partition("=")[0])
            if old[0] in outputs or before is None:  # outputs: all of them
                axis = outputs.index(old[0])
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
    (r"it starts (.*?) cells into the padded input and spans (.*?) of its (.*?) cells\.", Sentences.place),
    (r"the multiples of (.*?) from 0 up to", Sentences.multiples),
    (r"the last tap of the last input lies (.*?) places after the first tap of the first\.", Sentences.reach),
    (r"The input is one part: every (entry) counts\.", Sentences.one_part),
    (r"cut into (.*?) equal parts; part (\w) reaches from (.*?) to (.*?), and", Sentences.parts),
    (r"image (\S+?)(?: = (.*?))?(?:, kernel|; kernel and)", Sentences.recognised),
    (r"^Substitute (\w+ = .*?)(?:, so that|\.$|: one output for every)", Sentences.substituted),
]
