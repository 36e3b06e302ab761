"""A padded array says both of its sides, and a line about whole arrays is proved only where its sizes fit."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from symconv.derivations import whole
from symconv.derivations.derive import derive
from symconv.derivations.spread import Spread
from symconv.derivations.step import Derivation, plain
from symconv.formulas.arrays import Array
from symconv.operators.convolution import Conv
from symconv.operators.transposed import ConvTranspose


def star(derivation: Derivation) -> str:
    """The right-hand side of the line about whole arrays."""
    (line,) = [s.statement for s in derivation.steps if s.rule == "recognise"]
    return line.partition(" = ")[2]


@pytest.mark.parametrize(
    ("op", "wrt", "size", "line"),
    [
        (Conv((2,), padding=((1, 0),)), "input", None, "(pad[0:1](G) ⋆ rev(B))[i]"),
        (Conv((2,), padding=((0, 1),)), "input", None, "(pad[1:0](G) ⋆ rev(B))[i]"),
        (Conv((2,), padding=((0, 1),)), "weight", None, "(pad[0:1](A) ⋆ G)[m]"),
        (Conv((2,), padding=((1, 0),)), "weight", None, "(pad[1:0](A) ⋆ G)[m]"),
        (Conv((2,)), "input", None, "(pad[1](G) ⋆ rev(B))[i]"),
        (Conv((2,)), "weight", None, "(A ⋆ G)[m]"),
        (Conv((1,)), "input", None, "(G ⋆ rev(B))[i]"),  # nothing around it: no second name
        (Conv((1,), padding=((0, 2),)), "input", None, "(pad[0:−2](G) ⋆ rev(B))[i]"),
        (Conv((3,), 2), "input", (6,), "(pad[2:3](up[2](G)) ⋆ rev(B))[i]"),
        (Conv((3,), 2), "weight", (6,), "(pad[0:−1](A) ⋆[dilation 2] G)[m]"),  # the last entry is read by no window
        (Conv((3,), 2), "weight", (7,), "(A ⋆[dilation 2] G)[m]"),
        (Conv((2, 2), padding=((1, 0), (1, 1))), "input", None, "(pad[(0:1, 0)](G) ⋆ rot180(B))[i, j]"),
        (ConvTranspose((2,), 2, 0, 1), "input", None, "(G ⋆[stride 2] B)[i]"),  # the last entry is read by no window
        (ConvTranspose((2,), 1, ((1, 0),)), "input", None, "(pad[1:0](G) ⋆ B)[i]"),
    ],
    ids=repr,
)
def test_a_padding_is_named_by_both_sides(
    op: Conv | ConvTranspose, wrt: str, size: tuple[int, ...] | None, line: str
) -> None:
    worked = derive(op, "gradient", wrt, input_size=size)  # type: ignore[arg-type]
    assert star(worked) == line
    assert all(step.verdict.holds for step in worked.steps)
    image = line[1:].partition(" ⋆")[0]
    rows = [d for d in worked.definitions if "\u0303" in plain(d.entry)]
    assert bool(rows) == image.startswith("pad")
    reason = plain(worked.steps[-1].reason)
    for row in rows:
        named = plain(row.object)
        assert image == named or f"image {named} = {image}" in reason
        assert re.fullmatch(r"[A-Z]\u0303|pad.*", named)
        assert plain(row.size)


def test_the_output_padding_of_a_transposed_convolution_is_zeros_after_the_input() -> None:
    worked = derive(ConvTranspose((3,), 2, 1, 1), "output")
    assert star(worked) == "(pad[1:2](up[2](A)) ⋆ rev(B))[p]"
    assert all(step.verdict.status == "proved" for step in worked.steps)


@pytest.mark.parametrize(
    ("op", "wrt"),
    [
        (Conv((2,), padding=((1, 0),)), "input"),
        (Conv((2,), padding=((0, 1),)), "weight"),
        (Conv((3,), 2, 1), "input"),
        (Conv((2, 3), flip=True), "weight"),
        (ConvTranspose((2,), 1, ((1, 0),)), "input"),
        (ConvTranspose((3,), 2, 1, 1), "weight"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("size", [None, 4], ids=["symbolic", "fixed"])
def test_a_line_whose_sizes_do_not_fit_is_not_proved(
    monkeypatch: pytest.MonkeyPatch, op: Conv | ConvTranspose, wrt: str, size: int | None
) -> None:
    """One zero too many after the last entry changes no entry of the sum, but the line has another size."""
    after = Spread.after.fget
    assert after is not None
    monkeypatch.setattr(Spread, "after", property(lambda self: tuple(pad + 1 for pad in after(self))))
    given = None if size is None else (size,) * op.ndim
    (step,) = [s for s in derive(op, "gradient", wrt, input_size=given).steps if s.rule == "recognise"]  # type: ignore[arg-type]
    assert step.verdict.status == "refuted"
    assert "sizes of the two sides do not fit" in step.verdict.explanation


def test_a_size_that_is_only_said_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    law = whole.correlated

    def wrong(*args: object, **options: object) -> Array:
        made = law(*args, **options)  # type: ignore[arg-type]
        return replace(made, sizes=tuple(size + 1 for size in made.sizes))

    monkeypatch.setattr(whole, "correlated", wrong)
    for wrt in ("input", "weight"):
        (step,) = [s for s in derive(Conv((2,)), "gradient", wrt).steps if s.rule == "recognise"]  # type: ignore[arg-type]
        assert step.verdict.status == "refuted"


def test_the_size_of_an_array_follows_from_its_construction() -> None:
    worked = derive(Conv((3,), 2, ((1, 0),)), "gradient", input_size=(6,))
    (row,) = [d for d in worked.definitions if d.id == "D3"]
    assert plain(row.size) == "8"  # 6 places of a window of 3
