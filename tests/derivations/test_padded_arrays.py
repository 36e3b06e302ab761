"""A padded array says both of its sides, and a line about whole arrays is proved only where its sizes fit."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import Any

import pytest

from symconv.derivations import whole
from symconv.derivations.derive import derive
from symconv.derivations.frame import Frame
from symconv.derivations.spread import Spread
from symconv.derivations.step import Derivation, in_latex, plain
from symconv.formulas.arrays import Array
from symconv.formulas.index import Index
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


LINE, PLANE = Frame(Conv((3,))), Frame(Conv((2, 3), flip=True))
CHANNELS, LETTERS = Frame(Conv((3,), padding=1, in_channels=4, out_channels=2)), Frame(Conv((3,)).generic())
N, OUT, PAD, STEP = map(Index.of, "IOPS")


def spread(frame: Frame, role: str, scales: Any, before: Any, sizes: Any, is_turned: bool = False) -> Spread:
    numbers = [tuple(map(Index.of, own)) for own in (scales, before, sizes)]
    return Spread(frame, role, *numbers, is_turned=is_turned)


@pytest.mark.parametrize(
    ("array", "name", "entry", "words", "size"),
    [
        (spread(LINE, "weight", [1], [0], [3], True), "rev(B)", "b̃[s] = b[4−s]", "reversal", "3"),
        (spread(LINE, "weight", [2], [0], [5]), "up[2](B)", "b̃[s] = b[(s−1)/2+1]", "upsampling", "5"),
        (spread(LINE, "weight", [1], [1], [5]), "pad[1](B)", "b̃[s] = b[s−1]", "padding", "5"),
        (spread(LINE, "weight", [1], [0], [4]), "pad[0:1](B)", "b̃[s] = b[s]", "padding", "4"),
        (spread(LINE, "weight", [1], [-1], [2]), "pad[−1:0](B)", "b̃[s] = b[s+1]", "cropping", "2"),
        (spread(LINE, "weight", [1], [-1], [3]), "pad[−1:1](B)", "b̃[s] = b[s+1]", "padding and cropping", "3"),
        (
            spread(LINE, "weight", [2], [1], [9], True),
            "pad[1:3](up[2](rev(B)))",
            "b̃[s] = b[3−(s−2)/2]",
            "upsampling and padding",
            "9",
        ),
        (
            spread(replace(LINE, base=0), "weight", [2], [1], [9], True),
            "pad[1:3](up[2](rev(B)))",
            "b̃[s] = b[2−(s−1)/2]",
            "upsampling and padding",
            "9",
        ),
        (
            spread(PLANE, "weight", [1, 1], [0, 0], [2, 3], True),
            "rot180(B)",
            "b̃[s, t] = b[3−s, 4−t]",
            "reversal",
            "2×3",
        ),
        (spread(PLANE, "weight", [1, 1], [0, 1], [2, 5]), "pad[(0, 1)](B)", "b̃[s, t] = b[s, t−1]", "padding", "2×5"),
        (
            spread(PLANE, "weight", [1, 2], [0, 0], [2, 5]),
            "up[(1, 2)](B)",
            "b̃[s, t] = b[s, (t−1)/2+1]",
            "upsampling",
            "2×5",
        ),
        (
            spread(PLANE, "weight", [1, 1], [10, 11], [22, 25]),
            "pad[(10, 11)](B)",  # sixteen signs, the longest name that stands in the table
            "b̃[s, t] = b[s−10, t−11]",
            "padding",
            "22×25",
        ),
        (
            spread(PLANE, "weight", [1, 1], [10, 111], [22, 225]),
            "pad[(10, 111)](B)",
            "b̃[s, t] = b[s−10, t−111]",
            "padding",
            "22×225",
        ),
        (
            spread(PLANE, "weight", [2, 2], [1, 1], [5, 9]),
            "pad[(1, 1:3)](up[2](B))",
            "b̃[s, t] = b[(s−2)/2+1, (t−2)/2+1]",
            "upsampling and padding",
            "5×9",
        ),
        (spread(LINE, "upstream", [1], [1], [OUT + 2]), "pad[1](G)", "g̃[s] = g[s−1]", "padding", "I"),  # O = I - 2
        (spread(LINE, "upstream", [1], [1], [OUT]), "pad[1:−1](G)", "g̃[s] = g[s−1]", "padding and cropping", "O"),
        (spread(CHANNELS, "upstream", [1], [1], [N + 2]), "pad[1](G)", "g̃[f, s] = g[f, s−1]", "padding", "2×(I + 2)"),
        (spread(CHANNELS, "input", [1], [1], [N + 2]), "pad[1](A)", "ã[h, s] = a[h, s−1]", "padding", "4×(I + 2)"),
        (spread(LETTERS, "input", [1], [PAD], [N + 2 * PAD]), "pad[P](A)", "ã[s] = a[s−P]", "padding", "I + 2P"),
        (
            spread(LETTERS, "input", [STEP], [-PAD], [STEP * (N - 1) + 1 - 2 * PAD]),
            "pad[−P](up[S](A))",
            "ã[s] = a[(P+s−1)/S+1]",
            "upsampling and cropping",
            "S(I − 1) − 2P + 1",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_array_is_defined_by_its_entries_its_name_and_its_size(
    array: Spread, name: str, entry: str, words: str, size: str
) -> None:
    assert not array.is_plain
    row = array.definition("D7")
    long, capital = len(name) > 16, unicodedata.normalize("NFC", entry.partition("[")[0].upper())
    found = [array.name.text, plain(row.entry), row.name, plain(row.size), row.id]
    whole = " (an integer index)" if "up" in name else ""
    due = [name, f"{entry} where it exists{whole}, else 0", words, size, "D7"]
    assert [unicodedata.normalize("NFC", text) for text in found] == [unicodedata.normalize("NFC", t) for t in due]
    assert unicodedata.normalize("NFC", plain(row.object)) == (capital if long else name)
    assert unicodedata.normalize("NFC", array.introduced.text) == (f"{capital} = {name}" if long else name)
    if long:
        letter = array.label.latex.removeprefix(r"\tilde ").upper()
        assert array.introduced.latex == rf"\tilde {letter} = {array.name.latex}"


def test_what_nothing_is_done_to_needs_no_other_name() -> None:
    for plainly in (spread(LINE, "weight", [1], [0], [3]), spread(PLANE, "weight", [1, 1], [0, 0], [2, 3])):
        assert plainly.is_plain
        assert plainly.named(LINE.output) is LINE.output
        assert plainly.name.text == "B"
    page = derive(Conv((1,), 2), "gradient", input_size=(5,))
    assert star(page) == "(up[2](G) ⋆ rev(B))[i]"  # zeros between the entries alone
    (row,) = [row for row in page.definitions if plain(row.object) == "up[2](G)"]
    assert plain(row.entry).endswith("where it exists (an integer index), else 0")
    turned = derive(Conv((3,), flip=True), "gradient", input_size=(3,), all_ones=True)
    assert [plain(row.object) for row in turned.definitions if row.id == "D5"] == ["rev(B)"]


def test_a_place_in_an_array_has_a_letter_of_its_own() -> None:
    names = {"input_index": "stw", "weight_index": "xyz", "output_index": "lkr", "input": "q", "weight": "o"}
    taken = {**names, "output": "n", "upstream": "m", "bias": "j", "error": "i", "output_channel": "p"}
    for own, places in [
        ({"input_index": "i"}, "s"),
        ({"input_index": "s"}, "t"),
        ({"input_index": "s", "input": "t"}, "x"),  # u, v and w are those of the kernel turned around
    ]:
        entry = plain(spread(Frame(Conv((3,)), names=own), "weight", [1], [1], [5]).definition("D3").entry)
        assert re.match(rf"b\u0303\[{places}\] = ", entry)
    few = Frame(Conv((2, 2, 2)), names={**taken, "input_channel": "h", "target": "f"})
    row = spread(few, "weight", [1] * 3, [1] * 3, [4] * 3).definition("D3")
    assert plain(row.entry).startswith("o\u0303[e, s₁, s₂] = o[e−1, s₁−1, s₂−1] ")
    assert in_latex(row.entry).startswith(r"$\tilde o_{e,\,s_{1},\,s_{2}} = o_{e-1,\,s_{1}-1,\,s_{2}-1}$")
