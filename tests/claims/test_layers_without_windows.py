"""Lines about layers that have no windows: functions of one entry, dense layers; the larger and the smaller of values.

What is marked true or false is judged at numbers by plain loops.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

import symconv as sc
from symconv.claims.check import check_source
from symconv.claims.declarations import Declarations
from symconv.claims.source import ClaimSource
from symconv.operators.base import Operator

NO_ENTRY = ("no entry is 0",)
NO_KINK = ("nothing that max(0, x) or min(0, x) is taken of is 0",)


def both(op: Operator, size: tuple[int, ...], text: str) -> list[sc.Verdict]:
    return [sc.check_claim(text, Declarations(op, size), general=general) for general in (False, True)]


@pytest.mark.parametrize(
    ("op", "text", "conditions"),
    [
        (sc.ReLU(), "c[p] == max(a[p], 0)", ()),
        (sc.ReLU(), "c[p] == max(0, a[p])", ()),
        (sc.ReLU(), r"c_p = \max(0, a_p)", ()),
        (sc.ReLU(), "c[p] == -min(0, -a[p])", ()),
        (sc.ReLU(), "c[p] == max(0, a[p], 0)", ()),
        (sc.ReLU(), "max(c[p], 0) == c[p]", ()),
        (sc.ReLU(), "size == I", ()),
        (sc.ReLU(), "diff(E, a[i]) == g[i]*diff(c[i], a[i])", NO_ENTRY),
        (sc.ReLU("one"), "diff(E, a[i]) == g[i]*diff(c[i], a[i])", ()),
        (sc.ReLU("zero"), "diff(c[p], a[p]) == diff(max(a[p], 0), a[p])", ()),
        (sc.LeakyReLU(), "c[p] == max(a[p], 0) + min(a[p], 0)/100", ()),
        (sc.Sigmoid(), "diff(c[p], a[p]) == c[p]*(1 - c[p])", ()),
        (sc.Tanh(), "diff(E, a[i]) == g[i]*(1 - c[i]**2)", ()),
        (sc.Conv((2,)), "diff(max(c[p], 1), b[1]) == diff(max(c[p], 1), b[1])", NO_KINK),
        (sc.Dense(2), "c[p] == sum(b[p,i]*a[i], (i,1,I)) + d[p]", ()),
        (sc.Dense(2), "diff(E, a[i]) == sum(g[p]*b[p,i], (p,1,2))", ()),
        (sc.Dense(2), "diff(E, b[p,i]) == g[p]*a[i]", ()),
        (sc.Dense(2), "size == 2", ()),
    ],
)
def test_what_is_true_of_them(op: Operator, text: str, conditions: tuple[str, ...]) -> None:
    literal, general = both(op, (3,), text)
    assert (literal.status, literal.conditions) == ("exact", conditions), str(literal)
    assert (general.status, general.conditions) == ("proved", conditions), str(general)


@pytest.mark.parametrize(
    ("op", "text", "is_true"),
    [
        (sc.Dilation((2,), padding=1), "c[2] == max(a[1] + b[1], a[2] + b[2])", True),
        (sc.Dilation((2,), padding=1), "c[2] == max(a[1] + b[2], a[2] + b[1])", False),
        (sc.Dilation((2,), padding=1), "c[1] == max(a[1] + b[2], b[1])", False),
        (sc.Erosion((2,), dilation=2), "c[p] == min(a[p] - b[1], a[p+2] - b[2])", True),
        (sc.Erosion((2,), dilation=2), "c[p] == -max(b[1] - a[p], b[2] - a[p+2])", True),
        (sc.Erosion((2,), dilation=2), "c[p] == min(a[p] - b[1], a[p+1] - b[2])", False),
        (sc.Sigmoid(), "c[p] == 1 - sigmoid(-a[p])", True),
        (sc.Tanh(), "c[p] == -tanh(-a[p])", True),
        (sc.Tanh(), "c[p] == tanh(-a[p])", False),
        (sc.ReLU(), "c[p] - max(-a[p], 0) == a[p]", True),
        (sc.ReLU(), "c[p] + max(-a[p], 0) == a[p]", False),
        (sc.MaxPool((2,)), "c[1] + min(a[1], a[2]) == a[1] + a[2]", True),
        (sc.MaxPool((2,)), "c[1] + min(a[1], a[3]) == a[1] + a[3]", False),
    ],
)
def test_the_larger_and_the_smaller_of_two_values(op: Operator, text: str, is_true: bool) -> None:
    functions = {"sigmoid": "sigmoid", "tanh": "tanh"}
    verdict = sc.check_claim(text, Declarations(op, (4,), functions=functions))
    assert (verdict.status, verdict.conditions) == ("exact" if is_true else "refuted", ()), str(verdict)


def test_an_index_of_a_usual_letter_has_its_range() -> None:
    for verdict in both(sc.ReLU(), (3,), "c[p+1] == max(a[p+1], 0)"):
        assert verdict.holds, str(verdict)
        assert verdict.conditions == ("entries of c outside count as 0", "entries of a outside count as 0")


@pytest.mark.parametrize(
    ("op", "text"),
    [
        (sc.ReLU(), "c[p] == a[p]"),
        (sc.ReLU(), "c[p] == min(a[p], 0)"),
        (sc.ReLU(), "c[p] == max(a[p], 1)"),
        (sc.ReLU(), "c[p] == max(a[p], a[p])"),
        (sc.ReLU(), "diff(c[p], a[p]) == 1"),
        (sc.ReLU("one"), "diff(c[p], a[p]) == 1"),
        (sc.LeakyReLU(), "c[p] == max(a[p], 0)"),
        (sc.Sigmoid(), "diff(c[p], a[p]) == c[p]"),
        (sc.Dense(3), "c[p] == sum(b[i,p]*a[i], (i,1,3)) + d[p]"),
        (sc.MaxPool((2,), 1), "c[1] == min(a[1], a[2])"),
    ],
)
def test_what_is_false_of_them(op: Operator, text: str) -> None:
    for verdict in both(op, (3,), text):
        assert verdict.status == "refuted", str(verdict)


def test_the_order_of_two_indices_is_put_right_for_a_layer_of_planes() -> None:
    source = ClaimSource("", Declarations(sc.ReLU(ndim=2), (2, 2)), "c[p,q] == max(a[q,p], 0)", "", ("general",))
    (result,) = check_source(source)
    assert (result.status, result.edit) == ("refuted", "a[q,p] should be a[p,q]")


NUMBERS = (-2, -1, 0, 1, 3)
CHOSEN: list[tuple[str, Callable[[int, int], int]]] = [
    ("max(a[1], a[2])", max),
    ("min(a[1], a[2])", min),
    ("max(a[1], a[2], 1)", lambda x, y: max(x, y, 1)),
    ("min(0, a[1], a[2])", lambda x, y: min(0, x, y)),
    ("max(0, a[1] - a[2])", lambda x, y: max(0, x - y)),
    ("max(min(a[1], 1), a[2])", lambda x, y: max(min(x, 1), y)),
]


@pytest.mark.parametrize(("text", "value"), CHOSEN)
@pytest.mark.parametrize("wrong", [0, 1])
def test_the_larger_and_the_smaller_of_values_at_numbers(
    text: str, value: Callable[[int, int], int], wrong: int
) -> None:
    """Seen through what it is refuted by: with entries pinned down by a factor, nothing else differs."""
    for x, y in product(NUMBERS, repeat=2):
        moved = text.replace("a[1]", f"(a[1]*0 + {x})").replace("a[2]", f"(a[1]*0 + {y})")
        verdict = sc.check_claim(f"{moved} == {value(x, y) + wrong}", Declarations(sc.ReLU(), (2,)))
        assert verdict.status == ("refuted" if wrong else "exact"), (x, y, str(verdict))


def test_what_a_larger_value_reads_must_exist() -> None:
    for text in ("0*max(a[I+1], 0) == 0", "0*min(1, a[I+1]) == 0"):
        for verdict in both(sc.ReLU(), (3,), text):
            assert verdict.counterexample is not None
            assert verdict.counterexample.entry is not None
    (literal, _) = both(sc.ReLU(), (3,), "0*max(1/(a[1]-a[1]), 0) == 0")
    assert literal.explanation.startswith("divides by a[1] - a[1], which is 0")


def test_a_false_value_is_the_one_that_loops_find() -> None:
    verdict = sc.check_claim("c[p] == a[p]", Declarations(sc.Softplus(), (1,)))
    assert verdict.counterexample is not None
    x = float(verdict.counterexample.tensors.get("a", {}).get((1,), 0))
    assert math.isclose(float(verdict.counterexample.left), math.log1p(math.exp(x)))


@pytest.mark.parametrize("op", [sc.Softmax(), sc.Flatten(), sc.AdaptiveAvgPool((2,)), sc.SquaredError()])
def test_layers_that_no_line_speaks_of_are_refused(op: Operator) -> None:
    size = (2,) * op.spatial_axes
    for verdict in both(op, size, "c[1] == 0"):
        assert verdict.status == "error"
        assert "of one window for all outputs, or of none" in verdict.explanation


def test_a_file_may_have_claims_about_a_rectifier(tmp_path: Path) -> None:
    path = Path(tmp_path, "rectifier.toml")
    path.write_text(
        'title = "t"\nindex_base = 1\n[operators.act]\nkind = "ReLU"\ninput_size = [3]\n'
        '[[claims]]\nid = "a"\noperator = "act"\ntext = "c[p] == max(a[p], 0)"\ncheck = "general"\n',
        encoding="utf-8",
    )
    assert [verdict.status for verdict in sc.check(path)] == ["proved"]
