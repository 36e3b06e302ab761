"""Lines about sets of subgradients: hulls by their corners, sums of sets by the inequality of subgradients."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from readback.arithmetic import Point, close
from readback.pages import Step
from readback.reading import Reader

__all__ = ["Subgradients"]


class Subgradients:
    """The part of a check that reads sets; what it reads them in is the check's."""

    done: Any
    world: Any
    case: Any
    random: Any
    positions: list[Point]
    taps: list[str]
    free: Any

    # ------------------------------------------------------------------ sets of subgradients

    def set_line(self, step: Step, left: str) -> None:
        names = self.free(left)
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
        names = self.free(f"g[{match[2]}]")
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
