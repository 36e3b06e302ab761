"""Derivations of layers of every kind, each with the options that its lines depend on: all that they say, by loops.

What a page prints, in both styles, is read back and worked out at several sizes; marks are not asked for here, which
takes long, and which other tests do.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import product
from random import Random
from typing import Any

import oracles
import pytest
from readback.arithmetic import close
from readback.arrays import Array
from readback.checking import check
from readback.hypotheses import check_hypotheses
from readback.layers import Case, Layer, case_of
from readback.pages import phrase, read_latex, read_text

from symconv.derivations.derive import derive
from symconv.derivations.step import Derivation, Step, in_latex, plain
from symconv.formulas.formula import Formula
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.morphology import Dilation, Erosion
from symconv.operators.patches import Fold, Unfold
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose
from symconv.operators.unpooling import MaxUnpool
from symconv.proofs.verdict import Verdict, VerdictScope

Point = tuple[int, ...]


def layer(
    kind: str, kernel: Point = (), stride: Point = (), pads: Any = (), dilation: Point = (), **options: Any
) -> Layer:
    """A layer without stride, padding and dilation where they are left out."""
    if not kernel:
        return Layer(kind, **options)
    ones = (1,) * len(kernel)
    return Layer(kind, kernel, stride or ones, pads or ((0, 0),) * len(kernel), dilation or ones, **options)


conv, transposed = partial(layer, "conv"), partial(layer, "conv-transpose")
LINEAR = [
    conv((3,)),
    conv((2,), (2,), base=0),
    conv((3,), (2,), ((1, 2),), (2,)),
    conv((2,), (1,), ((0, 0),), (2,)),
    conv((2,), (3,), ((1, 0),), (2,), base=0),
    conv((1,), (1,), ((0, 2),)),
    conv((1,), (2,), ((1, 0),), base=0),
    conv((2,), (2,), ((-1, 1),)),
    conv((2,), (1,), ((1, -2),), base=0),
    conv((3,), (2,), ((1, 1),), flip=True),
    conv((3,), (1,), ((0, 1),), (3,), flip=True, base=0),
    conv((3, 2), (2, 1), ((1, 2), (1, 0)), (2, 1)),
    conv((2, 3), (1, 2), ((0, 1), (0, 0)), (1, 2), base=0),
    conv((2, 1), (1, 3), ((0, 0), (1, 1)), (1, 1)),
    conv((2, 3), flip=True),
    conv((2, 2), (2, 1), ((0, 1), (2, 0)), (1, 2), flip=True, base=0),
    conv((2, 2), bias=True),
    conv((2, 1, 2), (1, 2, 1), ((0, 1), (1, 0), (0, 0))),
    conv((2,), (2,), ((1, 0),), in_channels=2, out_channels=3, bias=True),
    conv((2,), (2,), ((1, 1),), in_channels=4, out_channels=2, groups=2, base=0),
    conv((2,), (1,), ((1, 1),), (2,), in_channels=2, out_channels=2, groups=2, bias=True),
    conv((2,), (2,), ((1, 0),), in_channels=2),
    conv((2,), (1,), ((0, 1),), out_channels=2, flip=True),
    conv((3,), (1,), ((1, 1),), padding_mode="reflect"),
    conv((3,), (2,), ((2, 1),), padding_mode="replicate", base=0),
    conv((2,), (1,), ((1, 1),), padding_mode="circular", flip=True),
    transposed((3,)),
    transposed((3,), (2,), ((1, 1),), output_padding=(1,)),
    transposed((3,), (2,), ((2, 1),), (2,), output_padding=(1,), base=0),
    transposed((2,), (3,), ((-1, 0),), (2,), flip=True),
    transposed((2, 3), (2, 1), ((0, 1), (1, 0)), (1, 2), output_padding=(1, 0), bias=True),
    transposed((3,), (2,), ((1, 0),), in_channels=4, out_channels=2, groups=2, flip=True, base=0),
    transposed((2,), (2,), ((0, 0),), (2,), in_channels=2, out_channels=3, bias=True),
    layer("unfold", (3,), (2,), ((1, 0),), (2,)),
    layer("unfold", (2, 2), (1, 2), ((1, 0), (0, 1)), channels=2, base=0),
    layer("fold", (3,), (2,), ((1, 1),), (2,), output=(7,)),
    layer("fold", (2, 2), (1, 2), ((1, 0), (0, 0)), output=(2, 3), channels=2, base=0),
    layer("max-unpool", (2,), (2,)),
    layer("max-unpool", (3, 2), (2, 2), base=0),
    layer("adaptive-avg", output=(3,)),
    layer("adaptive-avg", output=(1, 2), base=0),
]
POOLINGS = [
    layer("maxpool", (2,), (2,)),
    layer("maxpool", (2,), (1,), ((1, 1),), (2,), ceil_mode=True),
    layer("maxpool", (1,), (1,), ((1, 0),), base=0),
    layer("maxpool", (3,), (2,), ((-1, 2),), (1,), ceil_mode=True, base=0),
    layer("maxpool", (3,), (1,), ((1, 1),), ties="split"),
    layer("maxpool", (2, 3), (2, 1), ((1, 0), (0, 1)), (1, 2)),
    layer("maxpool", (2,), (1,), ((1, 0),), ties="set"),
    layer("adaptive-max", output=(2,), ties="split"),
    layer("adaptive-max", output=(2, 1), base=0),
    layer("adaptive-max", output=(3,), ties="set"),
    layer("avgpool", (2,), (2,)),
    layer("avgpool", (3,), (2,), ((1, 1),), exclude_padding=True),
    layer("avgpool", (3,), (2,), ((1, 1),), ceil_mode=True, base=0),
    layer("avgpool", (2,), (2,), ((1, 1),), ceil_mode=True, exclude_padding=True),
    layer("avgpool", (2,), (3,), ((0, 2),), ceil_mode=True),
    layer("avgpool", (2,), (1,), ((2, 0),), exclude_padding=True, base=0),
    layer("avgpool", (1,), (1,), ((1, 0),), exclude_padding=True),
    layer("avgpool", (2, 3), (1, 2), ((0, 0), (1, 0)), divisor=3),
    layer("avgpool", (3, 2), (2, 1), ((1, 1), (0, 0)), exclude_padding=True),
    layer("lppool", (2,), norm="1"),
    layer("lppool", (2,), (1,), ((1, 1),), norm="2", base=0),
    layer("lppool", (2, 2), (1, 2), norm="3"),
    layer("lppool", (2,), (1,), ((1, 0),), norm="3/2"),
    layer("lppool", (2,), (1,), ((1, 0),), norm="inf"),
    layer("dilation", (2,)),
    layer("dilation", (2, 2), (1, 2), ((1, 0), (0, 0)), flip=True),
    layer("dilation", (1,), (1,), ((1, 1),)),
    layer("erosion", (3,), (2,), ((1, 1),), base=0),
    layer("erosion", (1,), (1,), ((1, 0),)),
]
LAYERS = [*LINEAR, *POOLINGS]
NORMS = {"inf": float("inf"), "3/2": Fraction(3, 2)}


def operator_of(own: Layer) -> Operator:
    """The layer, declared."""
    k, s, p, d = own.kernel, own.stride, own.pads, own.dilation
    match own.kind:
        case "conv":
            channels = (own.groups, own.in_channels, own.out_channels)
            return Conv(k, s, p, d, *channels, own.bias, own.padding_mode, own.flip)
        case "conv-transpose":
            channels = (own.groups, own.in_channels, own.out_channels)
            return ConvTranspose(k, s, p, own.output_padding or 0, d, *channels, own.bias, own.flip)
        case "maxpool":
            return MaxPool(k, s, p, d, own.ceil_mode, own.ties)
        case "avgpool":
            return AvgPool(k, s, p, d, own.ceil_mode, not own.exclude_padding, own.divisor)
        case "lppool":
            order: Any = NORMS[own.norm] if own.norm in NORMS else int(own.norm)
            return LPPool(order, k, s, p, d, own.ceil_mode)
        case "dilation" | "erosion":
            return (Dilation if own.kind == "dilation" else Erosion)(k, s, p, d, own.flip)
        case "unfold":
            return Unfold(k, s, p, d, own.channels)
        case "fold":
            return Fold(own.output, k, s, p, d, own.channels)
        case "max-unpool":
            return MaxUnpool(k, s)
        case "adaptive-avg":
            return AdaptiveAvgPool(own.output)
    return AdaptiveMaxPool(own.output, own.ties)


def name_of(own: object) -> str:
    return repr(operator_of(own)) + f" from {own.base}" if isinstance(own, Layer) else str(own)


@pytest.fixture
def unmarked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps whose marks are not worked out: proved for all sizes, or exact where all are given."""

    def verdict(step: Step) -> Verdict:
        sizes = tuple(name for name in step.after.sizes if isinstance(name, str))
        names = tuple(dict.fromkeys([*sizes, *sorted(step.after.parameters)]))
        return Verdict("proved" if names else "exact", VerdictScope(names))

    monkeypatch.setattr(Step, "verdict", property(verdict))


def places_of(own: Layer) -> Point:
    """The number of patches that a folding puts into its image."""
    return tuple(map(oracles.output_size, own.output, own.axes()))


def questions(own: Layer) -> Iterator[tuple[Any, Any]]:
    """What is asked of a layer; a derivative is the first stage of its gradient."""
    yield "output", "input"
    yield from (("gradient", wrt) for wrt in own.variables)


def worked(own: Layer, what: Any, wrt: Any, size: Point | None = None) -> Derivation:
    plain_conv = own.kind == "conv" and own.in_channels * own.out_channels == 1 and own.padding_mode == "zeros"
    ones = plain_conv and (what, wrt) == ("gradient", "input")
    return derive(operator_of(own), what, wrt, index_base=own.base, input_size=size, all_ones=ones)


@pytest.mark.usefixtures("unmarked")
@pytest.mark.parametrize("own", LAYERS, ids=name_of)
def test_all_that_a_derivation_says_is_what_plain_loops_give(own: Layer) -> None:
    random = Random(5)
    for what, wrt in questions(own):
        derivation = worked(own, what, wrt)
        for page in (read_text(derivation.text()), read_latex(derivation.latex())):
            allowed = [places_of(own)] if own.kind == "fold" else check_hypotheses(page, own)
            allowed.sort(key=sum)
            for number, sizes in enumerate(dict.fromkeys([allowed[0], allowed[min(2, len(allowed) - 1)]])):
                check(page, case_of(own, sizes, random, zeros=number == 0), what, wrt, random)


@pytest.mark.usefixtures("unmarked")
@pytest.mark.parametrize("own", [own for own in LAYERS if own.kind != "fold"], ids=name_of)
def test_all_that_a_derivation_at_a_size_says_is_what_plain_loops_give(own: Layer) -> None:
    random = Random(6)
    sizes = next(s for s in sorted(product(range(1, 7), repeat=own.ndim), key=sum) if own.accepts(s))
    for what, wrt in questions(own):
        page = read_text(worked(own, what, wrt, sizes).text())
        check(page, case_of(own, sizes, random), what, wrt, random)


@pytest.mark.parametrize("own", LAYERS, ids=name_of)
def test_what_the_formula_of_a_line_says_is_what_plain_loops_give(own: Layer) -> None:
    """Also where the line is printed with a name, such as that of a padded array, for a part of it."""
    random = Random(7)
    sizes = next(s for s in sorted(product(range(2, 7), repeat=own.ndim), key=sum) if own.accepts(s))
    case = case_of(own, places_of(own) if own.kind == "fold" else sizes, random, zeros=False)
    arrays = {letter: nested(array) for letter, array in case.arrays.items()}
    ones = Array(dict.fromkeys(case.arrays["g"].places(), 1), case.shape("g"), own.base)
    for what, wrt in questions(own) if own.ties != "set" else ():
        for stage in worked(own, what, wrt).stages:
            all_ones = "ones" in plain(stage.title)
            g = ones if all_ones else case.arrays["g"]
            for step in stage.steps:
                formula = step.after
                if formula.quantity.of[0][0] in "ON":
                    for side in (step.before, formula):
                        for n in [s for s in product(range(1, 7), repeat=own.ndim) if own.accepts(s)]:
                            found = side.values({}, n if side.sizes else None)
                            assert found == counted(own, n, side), step.statement
                    continue
                tensors = {tensor.name: arrays[tensor.name] for tensor in formula.tensors}
                assert not (all_ones and "g" in tensors)
                given = {**tensors, **({"g": nested(g)} if "g" in tensors else {})}
                found = formula.values(given, sizes if formula.sizes else None)
                wanted = expected(case, formula.quantity.kind, wrt, g)
                for at, value in found.items():
                    if math.isnan(value):  # an average over no tap
                        assert not case.terms[at[: len(case.shape("c"))]]
                        continue
                    assert close(value, wanted.get(at, 0)), f"{step.statement} at {at}: {value}, not {wanted.get(at)}"


def counted(own: Layer, sizes: Point, formula: Formula) -> dict[Point, int]:
    """How many outputs there are on an axis, how many places in an image, or how many entries in adaptive windows."""
    name = formula.quantity.of[0]
    axis = int(name.partition("_")[2] or 1) - 1
    if own.kind.startswith("adaptive"):
        windows = oracles.adaptive_windows(sizes[axis], own.output[axis])
        return {(o + own.base,): len(window) for o, window in enumerate(windows)}
    return {(): places_of(own)[axis] if name.startswith("N") else own.output_size(sizes)[axis]}


def nested(array: Array) -> Any:
    def rows(lead: Point) -> Any:
        if len(lead) == len(array.shape):
            return array.at(lead)
        return [rows((*lead, array.base + k)) for k in range(array.shape[len(lead)])]

    return rows(())


def expected(case: Case, kind: str, wrt: str, g: Array) -> dict[Point, Any]:
    """The entries of an output, of a derivative by one entry, or of a gradient."""
    if kind not in ("derivative", "gradient"):
        return dict(case.arrays["c"].entries)
    found: dict[Point, Any] = {}
    for (o, at), value in case.derivatives[wrt].items():
        if kind == "derivative":
            found[(*o, *at)] = value
        else:
            found[at] = found.get(at, 0) + g.at(o) * value
    return found


def alike(text: str) -> str:
    """A sentence without what the styles write in their own ways: blanks, brackets, dots, and the word "and"."""
    text = re.sub(r"([A-Z])\[(\d)\]", r"\1\2", text.translate(str.maketrans("₀₁₂₃", "0123")))
    return re.sub(r"[\s,·()]|\band\b", "", text)


@pytest.mark.parametrize("own", LAYERS, ids=name_of)
def test_sentences_say_the_same_in_both_styles(own: Layer) -> None:
    for what, wrt in questions(own):
        derivation = worked(own, what, wrt)
        steps = [part for s in derivation.steps for part in (s.reason, s.needs, *s.substeps)]
        stages = [part for s in derivation.stages for part in (s.title, s.domain)]
        definitions = [part for d in derivation.definitions for part in (d.object, d.entry, d.size)]
        for sentence in [derivation.lead, derivation.hypotheses, *definitions, *stages, *steps]:
            assert alike(phrase(in_latex(sentence))) == alike(plain(sentence))
