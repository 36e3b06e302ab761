"""Random claims of three kinds against plain loops: reads past tensors, places without a value, hidden hypotheses."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from random import Random

import pytest
from claim_words import Judge, Layer, MeaninglessError, Outcome, World, outcome
from smallest import complaint_about_letters, complaint_at_a_smaller_size, complaint_at_its_size

import symconv as sc
from symconv.claims.declarations import Declarations

CASES = 120
COUNTS = {"reads": CASES, "values": CASES // 2}  # what is looked for far from the smallest size takes longer
SLOW = int(os.environ.get("SYMCONV_FUZZ_CASES", "5000"))
INDICES = {"p": "output 1", "i": "input 1", "m": "weight 1"}

READS = [
    "c[p] == sum(a[p+m-1]*b[m], (m,{low},{high}))",
    "c[p] == sum(a[p+m]*b[m+1], (m,{low}-1,{high}-1))",
    "sum(c[p], (p,{low},{end})) == sum(a[p+m-1]*b[m], (p,1,O), (m,{low},K))",
    "diff(c[p], a[i]) == b[i-p+{near}]",
    "diff(c[p], a[i]) == cases((b[i-p+1], i-p+1 >= {low}), (0,))",
    "diff(c[p], a[i]) == cases((b[i-p+1], i-p+1 >= 1, i-p+1 <= {high}), (0,))",
    "diff(c[p], a[i]) == cases((0, i < p), (0, i-p >= {high}), (b[i-p+1],))",
    "diff(E, a[i]) == sum(g[i-m+{near}]*b[m], (m,{low},{high}))",
    "diff(E, a[i]) == sum(g[p]*b[i-p+1], (p,{low},{end}))",
    "diff(E, a[i]) == sum(g[p]*b[i-p+1], (p,i-K+{near},i))",
    "diff(E, b[m]) == sum(g[p]*a[p+m-{near}], (p,{low},{end}))",
    "diff(c[{near}], a[{offset}]) == b[{offset}-{near}+1]",
    "0*a[p+{offset}] == 0*b[{near}] + 0*g[p-{offset}]",
    "c[p] == c[p+{offset}-{near}]",
    "a[i]*c[{near}] == c[{near}]*a[i+{offset}-{offset}]",
    "sum(a[i]*b[m], (i,{low},I), (m,1,{high})) == sum(b[m], (m,1,{high}))*sum(a[i], (i,{low},I))",
    "pad(pad(A, {crop}), -({crop})) == A",
    "corr(pad(A, {crop}), B) == pad(corr(A, B), {crop})",
    "corr(pad(pad(A, {crop}), 0-({crop})), B) == C",
]
VALUES = [
    "{x}/{d} == {x}/{d}",
    "{x}/{d}*{d} == {x}",
    "0/{d} == 0",
    "{x}*{d}**(-1) == {x}/{d}",
    "{d}**0 == 1",
    "{x} + 0*{d}**(K-2) == {x}",
    "{x}/{d} + {near} == {x}/{d} + 1",
    "cases(({x}/{d}, {guard}), (0,)) == cases(({x}/{d}, {guard}), (0,))",
    "cases(({x}, {guard}), ({x}, {other})) == {x}",
    "sum(b[m]/{e}, (m,1,K)) == sum(b[m]/{e}, (m,1,K))",
    "sum({x}*0/{e}, (m,{near},K)) == 0",
    "0*max(b[m], (m,{near},K)) == 0",
    "max(b[m], (m,1,{small})) - max(b[m], (m,1,{small})) == 0",
    "floor(I/{n}) == floor(I/{n})",
    "{x}*(I % {n}) == (I % {n})*{x}",
]


DIVISORS = (
    *("K", "O", "(K-1)", "(K-2)", "(I-K)", "(I-K+1)", "(K*O)", "(O-2)", "(I*I-4)"),
    *("a[i]", "(a[i]-a[i])", "(b[1]-g[1])", "(a[1]*a[1]+1)", "sum(b[m], (m,1,K))", "(b[1]*K)"),
)


def drawn(template: str, random: Random) -> str:
    def one(*options: str) -> str:
        return random.choice(options)

    return template.format(
        low=one("1", "1", "1", "0", "2", "-1"),
        high=one("K", "K", "K", "K+1", "K-1", "2", "2*K"),
        end=one("O", "O", "O+1", "I", "O-1"),
        near=one("1", "1", "1", "0", "2"),
        offset=one("1", "2", "0", "K", "I"),
        crop=one("1", "2", "-1", "K-1", "1-K", "0"),
        x=one("a[i]", "c[p]", "b[1]", "1", "K"),
        d=random.choice(DIVISORS),
        e=one("m", "(m-1)", "(m-2)", "(K-m)", "(K-m+1)", "(m+K)", "b[m]"),
        guard=one("p >= 2", "K >= 2", "i < p", "p == 1", "I >= K"),
        other=one("p < 2", "K <= 1", "i >= p", "p >= 3", "I < K"),
        small=one("K", "K-1", "1", "0"),
        n=one("K", "(K-1)", "2", "(I-K)", "O"),
    )  # fmt: skip


def layers() -> Iterator[Layer]:
    for size, kernel in product((1, 2, 3, 4), (1, 2, 3)):
        if kernel <= size:
            yield Layer(1, size, kernel)


DUE: Mapping[Outcome, str] = {
    "differs": "refuted",
    "missing": "refuted",
    "false": "refuted",
    "undefined": "error",
    "conditional": "exact",
    "true": "exact",
}


def complaint(text: str, layer: Layer, general: bool) -> tuple[str, str]:
    """The status of a verdict, and what is wrong with it, if anything."""
    declared = Declarations(sc.Conv((layer.kernel,)), (layer.size,), indices=INDICES)
    verdict = sc.check_claim(text, declared, general=general)
    status = verdict.status
    try:
        found = {outcome(text, one, INDICES) for one in (layers() if general else [layer])}
    except MeaninglessError:
        return status, "" if status == "error" else f"{status}, and it says nothing"
    said = f"{status} ({verdict.explanation}), and {sorted(found)}"
    if status in ("proved", "exact"):
        if not found <= {"true", "conditional"} or ("conditional" in found) > bool(verdict.conditions):
            return status, said
        if not general and bool(verdict.conditions) != (found == {"conditional"}):
            return status, said
    elif (status == "error" and "undefined" not in found) or (
        status == "refuted"
        and not (found & {"differs", "missing", "false"} and confirmed(text, layer, verdict, general))
    ):
        return status, said
    if not general and status not in ("undecided", DUE[next(iter(found))]):
        return status, said
    if status == "refuted":
        here = at_counterexample(layer, verdict, general)
        return status, (
            complaint_about_letters(text, verdict, {}, 1, general)
            or (complaint_at_a_smaller_size(text, verdict, here, INDICES, ("I", "K")) if general else "")
            or complaint_at_its_size(text, verdict, here, INDICES)
        )
    return status, ""


def at_counterexample(layer: Layer, verdict: sc.Verdict, general: bool) -> Layer:
    counter = verdict.counterexample
    assert counter is not None
    return replace(layer, size=counter.sizes["I"], kernel=counter.sizes["K"]) if general else layer


def confirmed(text: str, layer: Layer, verdict: sc.Verdict, general: bool) -> bool:
    counter = verdict.counterexample
    assert counter is not None
    world = World(
        at_counterexample(layer, verdict, general), {letter: dict(counter.tensors.get(letter, {})) for letter in "abg"}
    )
    for place in Judge(world, INDICES).places(text):
        if counter.entry is not None:
            if any((gap.letter, gap.at) == counter.entry and not gap.free for gap in place.missing):
                return True
        elif place.differs and (
            isinstance(place.left, tuple) or (place.left, place.right) == (counter.left, counter.right)
        ):
            return True
    return False


def survey(templates: list[str], count: int, seed: int) -> Counter[str]:
    random, statuses, complaints = Random(seed), Counter[str](), []
    for _ in range(count):
        layer = random.choice(list(layers()))
        text = drawn(random.choice(templates), random)
        for general in (False, True):
            status, wrong = complaint(text, layer, general)
            statuses[status] += 1
            if wrong:
                complaints.append(f"{'general' if general else 'literal'}: {text}   at {layer} is {wrong}")
    assert not complaints, "\n".join(complaints[:10])
    return statuses


KINDS = {"reads": READS, "values": VALUES}


@pytest.mark.parametrize("kind", KINDS)
def test_no_claim_of_these_kinds_is_judged_wrongly(kind: str) -> None:
    count = COUNTS[kind]
    statuses = survey(KINDS[kind], count, 11)
    assert statuses["refuted"] + statuses["error"] >= count // 4
    assert statuses["proved"] + statuses["exact"] >= count // 4
    assert statuses["undecided"] <= count // 8


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_no_claim_of_many_of_these_kinds_is_judged_wrongly(kind: str) -> None:
    print(kind, survey(KINDS[kind], SLOW, 12))


# ---------------------------------------------------------------------- the family that "for all" speaks of

SIZES = ("I_1", "I_2", "K_1", "K_2", "O_1", "O_2")
LETTERS = {"S": "stride", "P": "padding", "D": "dilation"}


def placements(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    span = dilation * (kernel - 1) + 1
    return len(range(0, size + 2 * padding - span + 1, stride))


def family_case(random: Random) -> tuple[str, Declarations, list[dict[str, int]]]:
    """A line about sizes, the layer that it is declared for, and sizes of the family that it is about."""
    options = {"S": random.randint(1, 2), "P": random.randint(0, 1), "D": random.randint(1, 2)}
    axes = 2 if random.random() < 0.4 else 1
    named = {letter for letter in LETTERS if axes == 1 and random.random() < 0.4}
    choices = [(1, 2) if x == "S" else (0, 1) if x == "P" else (1, 2) for x in LETTERS]
    open_ = [choice if x in named else (options[x],) for x, choice in zip(LETTERS, choices, strict=True)]
    names = sorted(named)
    sizes = {letter: LETTERS[letter] for letter in names}
    rows = []
    if axes == 2:
        left, right = random.sample(SIZES, 2)
        text = random.choice((f"{left} == {right}", "O_1 - O_2 == I_1 - I_2", "I_1 - K_1 == O_1 - 1", "O_1 == O_2"))
        text = text if random.random() < 0.7 else text.replace("_1", "").replace("_2", "")
        square = "_" not in text
    else:
        term = random.choice(("I - K + 1", "floor((I-K)/2) + 1", "I + 2*P - K + 1", "I - D*(K-1)", "O", "K", "I"))
        term += random.choice(("", "", " + 1", " - 1", " + P", " + S - 1"))
        for letter in LETTERS:
            if letter in term and letter not in named:
                term = term.replace(letter, str(options[letter]))
        text, square = f"{random.choice(('O', 'O', 'size', 'I'))} == {term}", True
    for s, p, d in product(*open_):
        for i, k, j, q in product(range(1, 5), range(1, 4), range(1, 5), range(1, 4)):
            if square and (i, k) != (j, q):
                continue
            outs = placements(i, k, s, p, d), placements(j, q, s, p, d)
            if min(outs) >= 1:
                row = {"I": i, "K": k, "O": outs[0], "I_1": i, "K_1": k, "O_1": outs[0]}
                rows.append({**row, "I_2": j, "K_2": q, "O_2": outs[1], "S": s, "P": p, "D": d})
    layer = sc.Conv((1,) * axes, options["S"], options["P"], options["D"])
    return text, Declarations(layer, (3,) * axes, sizes=sizes), rows


def true_at(text: str, row: Mapping[str, int]) -> bool:
    judge = Judge(World(Layer(), {"a": {}, "b": {}, "g": {}}), {})
    judge.sizes = dict(row)
    return not any(place.differs for place in judge.places(text.replace("size", "O")))


def family_survey(count: int, seed: int) -> Counter[str]:
    random, statuses, complaints = Random(seed), Counter[str](), []
    for _ in range(count):
        text, declared, rows = family_case(random)
        verdict = sc.check_claim(text, declared, general=True)
        statuses[verdict.status] += 1
        wrong = [row for row in rows if not true_at(text, row)]
        counter = verdict.counterexample
        if verdict.status in ("error", "undecided") or (verdict.status == "proved") == bool(wrong):
            complaints.append(f"{text} for {declared.op} and {declared.sizes}: {verdict}; {wrong[:1]}")
        elif counter is not None and not any(set(counter.sizes.items()) <= set(row.items()) for row in wrong):
            complaints.append(f"{text} for {declared.op} and {declared.sizes}: {counter} is no example")
        kept = {"S": "stride", "P": "padding", "D": "dilation"}.items()
        if not all((word in str(verdict.scope)) != (letter in declared.sizes) for letter, word in kept):
            complaints.append(f"{text} for {declared.op}: {verdict.scope} does not say what was kept")
    assert not complaints, "\n".join(complaints[:10])
    return statuses


def test_no_line_about_sizes_rests_on_what_is_not_declared() -> None:
    statuses = family_survey(CASES, 13)
    assert min(statuses["proved"], statuses["refuted"]) >= CASES // 20


@pytest.mark.slow
def test_no_line_of_many_about_sizes_rests_on_what_is_not_declared() -> None:
    print(family_survey(SLOW, 14))
