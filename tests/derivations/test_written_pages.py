"""Derivations of chosen layers agree with their golden files, which `readback/test_written_pages.py` reads by loops.

So every word, letter and mark of a page is looked at, and that page is right. Below a page stands what is not printed:
the rule of every step, what it rests on, and its words in LaTeX.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from readback.chosen import CHOSEN, Chosen
from readback.layers import Layer

from symconv.derivations.derive import derive
from symconv.derivations.step import Derivation, in_latex
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.morphology import Dilation, Erosion
from symconv.operators.patches import Fold, Unfold
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose
from symconv.operators.unpooling import MaxUnpool

Golden = Callable[[str, str], None]


def operator(layer: Layer) -> Operator:
    if layer.kind.startswith("adaptive"):
        return (
            AdaptiveAvgPool(layer.output) if layer.kind == "adaptive-avg" else AdaptiveMaxPool(layer.output, layer.ties)
        )
    window: dict[str, Any] = {"kernel_size": layer.kernel, "stride": layer.stride, "padding": layer.pads}
    if layer.kind == "max-unpool":
        return MaxUnpool(**window)
    window["dilation"] = layer.dilation
    channels = {"in_channels": layer.in_channels, "out_channels": layer.out_channels, "groups": layer.groups}
    if layer.kind == "conv":
        return Conv(**window, **channels, flip=layer.flip, bias=layer.bias, padding_mode=layer.padding_mode)
    if layer.kind == "conv-transpose":
        extra = layer.output_padding or 0
        return ConvTranspose(**window, **channels, flip=layer.flip, bias=layer.bias, output_padding=extra)
    if layer.kind in ("fold", "unfold"):
        more = {"in_channels": layer.channels}
        return Fold(layer.output, **window, **more) if layer.kind == "fold" else Unfold(**window, **more)
    if layer.kind in ("dilation", "erosion"):
        return (Dilation if layer.kind == "dilation" else Erosion)(**window, flip=layer.flip)
    if layer.kind == "maxpool":
        return MaxPool(**window, ties=layer.ties)
    return AvgPool(**window) if layer.kind == "avgpool" else LPPool(Fraction(layer.norm), **window)


def written(derivation: Derivation) -> str:
    rules = [f"({s.id}) {s.rule}: {', '.join(s.uses)} | {in_latex(s.reason)}" for s in derivation.steps]
    return "\n----\n".join([derivation.text(), derivation.latex(), "\n".join(rules)]) + "\n"


def agrees(page: Chosen, golden: Golden) -> None:
    what: Any = page.what
    derivation = derive(
        operator(page.layer),
        what,
        page.wrt,
        index_base=page.layer.base,
        input_size=page.size,  # type: ignore[arg-type]
    )
    golden(f"derivations/{page.name}.txt", written(derivation))


def pages(family: str) -> Any:
    return pytest.mark.parametrize("page", CHOSEN[family], ids=lambda page: page.name)


@pages("adaptive")
def test_adaptive_poolings(page: Chosen, golden: Golden) -> None:
    agrees(page, golden)


@pages("transposed")
def test_transposed_convolutions_and_unpoolings(page: Chosen, golden: Golden) -> None:
    agrees(page, golden)


@pages("patches")
def test_patches(page: Chosen, golden: Golden) -> None:
    agrees(page, golden)


@pages("convolutions")
def test_convolutions(page: Chosen, golden: Golden) -> None:
    agrees(page, golden)


@pages("pools")
def test_poolings_and_morphology(page: Chosen, golden: Golden) -> None:
    agrees(page, golden)
