"""Steps and derivations made by hand: what is asked of the checker, and how a page is laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from symconv.derivations.counting import about_sizes, at_this_layer, size_domain
from symconv.derivations.derive import derive
from symconv.derivations.frame import Frame
from symconv.derivations.output import _counted as counted
from symconv.derivations.step import Definition, Derivation, Maths, Phrase, Stage, Step, in_latex, maths, plain
from symconv.formulas.algebra import Bound, Guard, const, nonnegative, product
from symconv.formulas.effort import STEPS
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.printing import UNICODE
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.proofs import prove
from symconv.proofs.verdict import Verdict, VerdictScope

OUTPUT = Conv((2,)).output()
DOUBLE = OUTPUT.with_body(product(const(2), OUTPUT.body))
INPUT = Index.of("I")


def step(after: Formula = OUTPUT, before: Formula = OUTPUT, **options: Any) -> Step:
    return Step("1", before, after, "turn", "Turn", **options)


def answered(status: Any, *symbolic: str, **more: Any) -> Verdict:
    return Verdict(status, VerdictScope(symbolic), **more)


# ---------------------------------------------------------------------- verdicts


def test_a_step_says_that_what_it_starts_from_is_what_it_arrives_at() -> None:
    assert step().verdict.status == "proved"
    verdict = step(DOUBLE).verdict
    assert verdict.status == "refuted"
    assert verdict.counterexample is not None
    found = verdict.counterexample
    assert found.right == 2 * found.left != 0
    assert step(OUTPUT, DOUBLE).verdict.status == "refuted"


def test_a_step_is_asked_about_once_and_may_take_four_times_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def count(before: Formula, after: Formula, *, steps: int, comparing: int) -> Verdict:
        asked.append((steps, comparing))
        return answered("proved")

    monkeypatch.setattr(prove, "prove", count)
    own = step()
    assert own.verdict is own.verdict
    assert asked == [(4 * STEPS, STEPS // 100)]


def test_what_decides_a_step_instead_is_asked_and_is_no_part_of_it() -> None:
    one, other = (step(DOUBLE, check=lambda: answered("exact")) for _ in range(2))
    assert one.verdict.status == "exact"
    assert one == other  # not by their checks, which are different functions
    assert "check" not in repr(one)
    assert step().opens is False


@pytest.mark.parametrize("status", ["proved", "exact", "refuted", "undecided"])
def test_what_a_step_needs_is_a_condition_of_a_verdict_that_holds(status: Any) -> None:
    found = answered(status, conditions=("x", "y"))
    needs: Phrase = ("some ", Maths(r"\alpha", "α"))
    holds = status in ("proved", "exact")
    bare, needing = step(check=lambda: found), step(check=lambda: found, needs=needs)
    assert bare.verdict.conditions == ("x", "y")
    assert bare.rests_on == ("x, and y",)
    assert needing.verdict.conditions == (("some α",) if holds else ("x", "y"))
    assert needing.rests_on == needs
    assert step(check=lambda: answered(status)).rests_on == ()


def test_sizes_have_to_fit_as_well() -> None:
    def verdict(*numbers: Index, of: str = "proved") -> Verdict:
        fits = tuple(nonnegative(number) for number in numbers)
        return step(check=lambda: answered(of), fits=fits).verdict

    free = verdict(Index.of(0), Index.of(3))
    assert (free.status, free.obligations) == ("proved", ())
    proved = verdict(INPUT - 2)  # the input of a window of two
    assert (proved.status, len(proved.obligations)) == ("proved", 1)
    for fits in ((INPUT - 3,), (Index.of(1), INPUT - 3), (INPUT - 3, Index.of(1)), (Index.of(-1),)):
        refuted = verdict(*fits)
        assert refuted.status == "refuted"
        assert refuted.explanation.startswith("The sizes of the two sides do not fit: ")
    for status in ("refuted", "undecided"):
        assert verdict(INPUT - 3, of=status).explanation == ""
    larger = replace(OUTPUT, facts=())
    wide = Conv((5,)).output()
    assert step(wide, larger, check=lambda: answered("proved"), fits=(nonnegative(INPUT - 5),)).verdict.holds
    assert not step(larger, wide, check=lambda: answered("proved"), fits=(nonnegative(INPUT - 5),)).verdict.holds


# ---------------------------------------------------------------------- numbers of outputs


def test_what_is_proved_of_places_is_said_of_their_number() -> None:
    frame = Frame(Conv((2,)))
    of_places = answered("proved", "I", "p", "O")
    assert about_sizes(frame, of_places) == answered("proved", "I")
    fixed = Frame(Conv((2,)), input_size=(4,))
    assert about_sizes(fixed, of_places) == answered("exact")
    for status in ("exact", "refuted", "undecided"):
        assert about_sizes(fixed, answered(status, "p")) == answered(status)
        assert about_sizes(frame, answered(status, "I", "p")) == answered(status, "I")


def test_what_is_proved_by_induction_is_said_of_the_layer() -> None:
    frame, fixed = Frame(Conv((2,))), Frame(Conv((2,)), input_size=(4,))
    by_induction = answered("proved", "n")
    assert at_this_layer(frame, by_induction) == answered("proved", "I")
    assert at_this_layer(frame, by_induction, "q", "I") == answered("proved", "I", "q")
    assert at_this_layer(fixed, by_induction) == answered("exact")
    assert at_this_layer(fixed, by_induction, "q") == answered("proved", "q")
    for status in ("exact", "refuted", "undecided"):
        assert at_this_layer(fixed, answered(status, "n")) == answered(status)
        assert at_this_layer(frame, answered(status, "n")) == answered(status, "I")


@pytest.mark.parametrize(
    ("op", "size", "text"),
    [
        (Conv((2,)), None, "for all I"),
        (Conv((2,)), (3,), "at the declared size"),
        (AvgPool((2, 3)), None, "for all I₁, I₂"),
        (Conv((2,)).generic(), None, "for all I, K, S, P, D"),
        (LPPool(2, (2,)), (3,), "at the declared size"),
    ],
    ids=str,
)
def test_for_which_sizes_outputs_are_counted(op: Operator, size: Any, text: str) -> None:
    assert plain(size_domain(Frame(op, input_size=size))) == text


# ---------------------------------------------------------------------- print


def shown(id: str, left: str, sign: str, right: str, verdict: Verdict, **options: Any) -> Step:
    sides = (Maths(rf"\{left}", left), sign, Maths(rf"\{right}", right))
    return Step(id, OUTPUT, OUTPUT, "turn", shown=sides, check=lambda: verdict, **options)


def page(stages: Sequence[Stage]) -> Derivation:
    definitions = (
        Definition("D1", ("C & more",), ("c = ", Maths(r"\frac12", "1/2")), "half", (Maths(r"2 \times 2", "2×2"),)),
        Definition("D2", (), ("x",), "bare", ()),
    )
    return Derivation("A title", ("A lead.",), ("For ", Maths("I_1", "I₁"), "."), definitions, tuple(stages))


ALL = Verdict("proved", VerdictScope(("I_1", "K")))
AT = Verdict("exact", VerdictScope((), (("I_1", 3), ("K", 2))))
BOTH = Verdict("proved", VerdictScope(("I_1",), (("K", 2),)), conditions=("b ≥ 0",))
PAGE = page(
    [
        Stage(
            ("First ", Maths(r"\phi", "φ")),
            ("for all ", Maths(r"\psi", "ψ")),
            (
                shown("1", "alpha", "=", "beta", ALL, title="Turn.", reason=("because",), opens=True,
                      substeps=(("one",), ("two ", Maths(r"\tau", "τ")))),
                shown("2", "alpha", "<=", "gamma", AT, title="Bound", needs=("luck ", Maths(r"\lambda", "λ"))),
                shown("3", "alpha", "=", "delta", ALL, title="Go on"),
            ),
        ),
        Stage(
            ("Second",),
            ("at a size",),
            (
                shown("10", "zeta", "=", "eta", BOTH, title="Open", reason=("100 %",), opens=True),
                shown("11", "zeta", "=", "iota", Verdict("undecided"), title="Stop"),
            ),
        ),
    ]
)  # fmt: skip

TEXT = """\
A title
=======
A lead.

For I₁.

  D1  C & more: c = 1/2   (half; 2×2)
  D2  x   (bare)

First φ   [for all ψ]
  (1) alpha = beta
       Turn. because
         1.1 one
         1.2 two τ
       [proved: for all I₁, K]
  (2)       ≤ gamma
       Bound
       [exact: at I₁ = 3, K = 2; needs luck λ]
  (3)       = delta
       Go on
       [proved: for all I₁, K]

Second   [at a size]
  (10) zeta = eta
        Open 100 %
        [proved: for all I₁; at K = 2; needs b ≥ 0]
  (11)      = iota
        Stop
        [undecided: at the given size]"""

LATEX = r"""For $I_1$.

(D1) C \& more: c = $\frac12$   (half; $2 \times 2$).

(D2) x   (bare).

First $\phi$, for all $\psi$:
\[
\begin{aligned}
\alpha &= \beta && \text{(1: turn)} \\
 &\leq \gamma && \text{(2: bound)} \\
 &= \delta && \text{(3: go on)}
\end{aligned}
\]
(1), (3) proved for all $I_{1}, K$; (2) exact at $I_{1} = 3, K = 2$ (needs luck $\lambda$).

Second, at a size:
\[
\begin{aligned}
\zeta &= \eta && \text{(10: open)} \\
 &= \iota && \text{(11: stop)}
\end{aligned}
\]
(10) proved for all $I_{1}$ at $K = 2$ (needs b $\geq$ 0); (11) undecided at the given size."""


def test_a_page_for_a_terminal() -> None:
    assert PAGE.text() == TEXT


def test_a_page_in_latex() -> None:
    assert PAGE.latex() == PAGE._repr_latex_() == LATEX


def test_a_sentence_in_both_styles() -> None:
    both = maths(lambda s: s.subscripted("x", ["i"]))
    assert both == Maths("x_{i}", "x[i]")
    sentence: Phrase = ("50 % of ", both, " & {#_$} · × ≤ ≥")
    assert plain(sentence) == "50 % of x[i] & {#_$} · × ≤ ≥"
    assert in_latex(sentence) == r"50 \% of $x_{i}$ \& \{\#\_\$\} $\cdot$ $\times$ $\leq$ $\geq$"


def test_a_derivation_ends_in_what_its_last_step_arrives_at() -> None:
    steps = (step(OUTPUT, DOUBLE), step(OUTPUT, DOUBLE), step(DOUBLE, OUTPUT))
    whole = page([Stage((), (), steps[:1]), Stage((), (), steps[1:])])
    assert whole.steps == steps
    assert whole.result is DOUBLE


def test_a_line_is_what_a_step_arrives_at() -> None:
    other = Conv((2,)).gradient("input")
    line = step(other, OUTPUT)
    assert line.relation == "="
    assert line.statement.startswith("∂E/∂a[i] = ")
    assert line.statement.endswith(line.right(UNICODE))
    assert " g[i−m" in line.right(UNICODE)
    assert line.latex().startswith(r"\frac{\partial E}{\partial a_{i}} = ")
    assert "a[p+m]" in step(OUTPUT, other).statement  # in the order of its own indices
    assert shown("1", "alpha", ">=", "beta", ALL, title="").statement == "alpha ≥ beta"
    assert shown("1", "alpha", ">=", "beta", ALL, title="").latex() == r"\alpha \geq \beta"


@pytest.mark.parametrize("base", [0, 1])
def test_places_are_counted_only_where_they_are_the_first_ones_and_all_are_looked_at(base: int) -> None:
    """Windows of 3 with stride 2: the places p from the base on with 2*(p - base) <= I - 3."""
    frame = Frame(Conv((3,), 2), base=base)
    place, first = Index.of("p"), Index.of(base)
    fits = (nonnegative(INPUT - 3 - 2 * (place - base)),)
    total = frame.op.windows[0].outputs(INPUT)

    def status(upper: Index, count: Index, fits: tuple[Guard, ...] = fits, kernel: int = 3) -> str:
        given = derive(Conv((kernel,), 2)).steps[0].after  # for which sizes
        return counted(given, Bound("p", first, upper), fits, count).status

    last = total + base - 1
    assert status(last, total) == status(INPUT + base, total) == "proved"
    given = derive(Conv((3,), 2)).steps[0].after
    assert counted(given, Bound("p", first, last), fits, total).explanation == "Both directions follow."
    assert status(last, total + 1) == status(last, total - 1) == status(last + 1, total + 2) == "refuted"
    assert status(last - 1, total) == "refuted"  # the last place is not looked at
    assert status(last + 1, -total) != "proved"
    fewer = (nonnegative(INPUT - 6 - (place - base)),)  # at I = 3 there would be -2 of them
    assert status(INPUT, INPUT - 5, fewer) == "refuted"
    assert status(INPUT, INPUT - 5, fewer, 6) == "proved"


@pytest.mark.parametrize("op", [Conv((3,), 2), Conv((1,)), MaxPool((3,), 2, 1, ceil_mode=True)], ids=repr)
def test_a_number_of_places_is_as_many(op: Operator) -> None:
    for base in (0, 1):
        place, count = derive(op, index_base=base).steps
        for formula in (place.before, place.after, count.before, count.after):
            for n in range(3, 9):
                assert formula.values({}, (n,)) == {(): op.output_size(n)[0]}


def test_a_step_about_many_channels_is_cheap_and_a_false_one_is_still_refuted() -> None:
    """Little is compared before a proof is tried, however many entries the smallest size has."""
    wide, narrow = Conv(7, in_channels=64, out_channels=128), Conv(5, in_channels=6, out_channels=16)
    for layer in (wide, narrow):
        gradient = layer.gradient("weight")
        step = Step("1", gradient, layer.gradient("weight", index_base=1).rebased(0), "insert", "Insert")
        assert step.verdict.status == "proved"
        assert step.verdict.sizes < 3
    doubled = Step("2", gradient, gradient.with_body(product(const(2), gradient.body)), "insert", "Insert")
    assert doubled.verdict.status == "refuted"
