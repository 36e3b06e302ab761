"""Random claims against the judge: nothing false is proved or exact, nothing true is refuted."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from claim_words import INDICES, Case, Judge, Layer, MeaninglessError, World, outcome, random_case
from smallest import complaint_about_letters, complaint_at_a_smaller_size, complaint_at_its_size

import symconv as sc
from symconv.claims.declarations import Declarations
from symconv.operators.convolution import Conv

CASES = 320
SLOW_CASES = int(os.environ.get("SYMCONV_FUZZ_CASES", "5000"))


def declarations(case: Case) -> Declarations:
    layer = case.layer
    op = Conv((layer.kernel,) * layer.axes, layer.stride, layer.padding, layer.dilation, flip=layer.flip)
    return Declarations(op, (layer.size,) * layer.axes, sizes=case.sizes, indices=case.indices)


def fits(layer: Layer) -> bool:
    return layer.outputs >= 1


def other_sizes(case: Case) -> Iterator[Layer]:
    """Layers with other numbers for what a general claim leaves open: input and kernel, and what its letters name."""
    for size in (1, 2, 3, 4):
        for kernel in (1, 2, 3):
            for stride in (1, 2) if "S" in case.sizes else (case.layer.stride,):
                for padding in (0, 1) if "P" in case.sizes else (case.layer.padding,):
                    for dilation in (1, 2) if "D" in case.sizes else (case.layer.dilation,):
                        layer = replace(
                            case.layer, size=size, kernel=kernel, stride=stride, padding=padding, dilation=dilation
                        )
                        if fits(layer) and (layer.axes == 1 or size <= 3):
                            yield layer


def at(case: Case, counter: Any, general: bool) -> World:
    """The world of a counterexample."""
    sizes = counter.sizes
    layer = case.layer
    if general:
        layer = replace(
            layer,
            size=sizes["I"],
            kernel=sizes["K"],
            stride=sizes.get("S", layer.stride),
            padding=sizes.get("P", layer.padding),
            dilation=sizes.get("D", layer.dilation),
        )
    tensors = {letter: dict(counter.tensors.get(letter, {})) for letter in "abg"}
    return World(layer, tensors)


def confirmed(case: Case, counter: Any, general: bool) -> bool:
    """Whether the judge finds the same difference, or the same missing entry, at a counterexample."""
    for place in Judge(at(case, counter, general), case.indices).places(case.text):
        if counter.entry is not None:
            letter, index = counter.entry
            if any(gap.letter == letter and gap.at == index and not gap.free for gap in place.missing):
                return True
            continue
        if not place.differs:
            continue
        if isinstance(place.left, tuple):
            if place.left[0] != place.right[0]:
                return True
            index = tuple(counter.indices.values())
            return [Fraction(side[1].get(index, 0)) for side in (place.left, place.right)] == [
                counter.left,
                counter.right,
            ]
        here = all(place.env[name] == value for name, value in counter.indices.items() if name in place.env)
        if here and (place.left, place.right) == (counter.left, counter.right):
            return True
    return False


DUE = {
    "differs": ("refuted",),
    "missing": ("refuted",),
    "false": ("refuted",),
    "undefined": ("error",),
    "conditional": ("exact",),
    "true": ("exact",),
}


def judged(case: Case, general: bool) -> tuple[str, str]:
    """``(status, complaint)`` for one claim in one mode; the complaint is empty where the verdict is right."""
    return complaint(case, sc.check_claim(case.text, declarations(case), general=general), general)


def complaint(case: Case, verdict: Any, general: bool) -> tuple[str, str]:
    """The same for a verdict on the claim, wherever it comes from."""
    status = verdict.status
    try:
        found = {outcome(case.text, layer, case.indices) for layer in (other_sizes(case) if general else [case.layer])}
    except MeaninglessError:
        return status, "" if status == "error" else f"{status}, and meaningless"
    if status in ("proved", "exact"):
        if not found <= {"true", "conditional"}:
            return status, f"FALSE ({', '.join(found)}), and held to be true"
        if "conditional" in found and not verdict.conditions:
            return status, "true under a condition, and none is said"
    if not general and status != "undecided" and status not in DUE[next(iter(found))]:
        return status, f"{status}, and {found}"
    if not general and found == {"true"} and verdict.conditions:
        return status, f"under a condition that it does not need: {verdict.conditions}"
    if status == "refuted":
        if not general and (verdict.counterexample.entry is not None) != (found == {"missing"}):
            return status, f"refuted otherwise than as {found}: {verdict.counterexample}"
        if not confirmed(case, verdict.counterexample, general):
            return status, f"refuted by no example: {verdict.counterexample}"
        wrong = not_the_smallest(case, verdict, general)
        if wrong:
            return status, f"{wrong}; found was {verdict.counterexample}"
    if not case.changed and status in ("refuted", "error"):
        return status, f"an identity, and {status}: {verdict.explanation}"
    return status, ""


def not_the_smallest(case: Case, verdict: Any, general: bool) -> str:
    here = at(case, verdict.counterexample, general).layer
    open_ones = ("I", "K", *(name for name in ("S", "P", "D") if name in case.sizes))
    return (
        complaint_about_letters(case.text, verdict, case.sizes, case.layer.axes, general)
        or (complaint_at_a_smaller_size(case.text, verdict, here, case.indices, open_ones) if general else "")
        or complaint_at_its_size(case.text, verdict, here, case.indices)
    )


def survey(count: int, seed: int) -> tuple[dict[str, Counter[str]], list[str]]:
    random, complaints = Random(seed), []
    table: dict[str, Counter[str]] = {"literal": Counter(), "general": Counter()}
    for _ in range(count):
        case = random_case(random)
        while not fits(case.layer):
            case = random_case(random)
        for mode in ("literal", "general"):
            if mode == "general" and (
                any(c.isdigit() for c in case.text) and "K" not in case.text and "O" not in case.text
            ):
                continue  # written in numbers, it says nothing about other sizes
            status, wrong = judged(case, mode == "general")
            table[mode][status] += 1
            if wrong:
                complaints.append(f"{mode}: {case.text}   at {case.layer} is {wrong}")
    return table, complaints


def report(table: dict[str, Counter[str]]) -> None:
    for mode, counts in table.items():
        total = sum(counts.values())
        share = counts["undecided"] / max(total, 1)
        print(f"\n{mode:8} {total:5} claims, {share:6.2%} undecided: {dict(sorted(counts.items()))}", end="")


def test_no_random_claim_is_judged_wrongly(capsys: pytest.CaptureFixture[str]) -> None:
    table, complaints = survey(CASES, 20_261)
    with capsys.disabled():
        report(table)
    assert not complaints, "\n".join(complaints[:10])
    for counts in table.values():
        assert counts["refuted"] >= CASES // 8  # the generator makes both kinds
        assert counts["proved"] + counts["exact"] >= CASES // 8
        assert counts["undecided"] <= 0.05 * sum(counts.values())


@pytest.mark.slow
def test_no_random_claim_of_many_is_judged_wrongly() -> None:
    table, complaints = survey(SLOW_CASES, 7)
    report(table)
    assert not complaints, "\n".join(complaints[:10])


def test_an_example_that_is_not_the_smallest_is_seen() -> None:
    """The checks of smallness, each broken once: sizes, letters, entries, places and numbers."""
    case = Case("c[p] == a[p]*b[1]", Layer(size=4, kernel=2), INDICES, {}, True)
    verdict = sc.check_claim(case.text, declarations(case), general=True)
    assert not_the_smallest(case, verdict, True) == ""
    found = verdict.counterexample
    assert found is not None
    assert (found.sizes["I"], found.sizes["K"], found.indices) == (2, 2, {"p": 1})
    one, two = found.tensors["a"], found.tensors["b"]
    assert (one, two) == ({(2,): 1}, {(2,): 1})
    larger = {"sizes": {"I": 4, "K": 3, "O": 2}}
    for change, complaint_due in (
        (larger, "at the smaller"),
        ({"sizes": {"I": 2, "K": 2, "O": 1, "n": 3}}, "sizes that nobody has named"),
        ({"indices": {"o": 1}}, "indices that nobody has named"),
        ({"tensors": {"a": {**one, (1,): 1}, "b": two}}, "fewer entries"),
        ({"tensors": {"a": one, "b": {(2,): 3}}}, "smaller numbers"),
        ({"tensors": {"a": {(9,): 1}, "b": two}}, "other entries"),
    ):
        other = replace(verdict, counterexample=replace(found, **change))
        assert complaint_due in not_the_smallest(case, other, True), change
    far = replace(found, sizes={"I": 3, "K": 2, "O": 2}, indices={"p": 2})
    literal = replace(case, layer=Layer(size=3, kernel=2))
    assert "earlier place" in not_the_smallest(literal, replace(verdict, counterexample=far), False)


@pytest.mark.parametrize("axes", [1, 2])
@pytest.mark.parametrize("text", ["C == corr(C, B)", "C == corr(B, B)", "diff(E, B) == corr(A, A)", "C == A"])
def test_arrays_that_differ_in_an_entry_at_a_smaller_size_than_in_size(text: str, axes: int) -> None:
    layer = Layer(axes=axes, size=4, kernel=2)
    verdict = sc.check_claim(text, declarations(Case(text, layer, INDICES, {}, True)), general=True)
    assert verdict.status == "refuted"
    assert verdict.counterexample is not None
    assert (verdict.counterexample.sizes["I"], verdict.counterexample.sizes["K"]) == (1, 1)
    assert verdict.counterexample.tensors
