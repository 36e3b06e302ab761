"""Chosen small layers, whose written pages (`golden/derivations`) take every way through the derivations."""

from __future__ import annotations

from dataclasses import dataclass

from readback.layers import Layer

__all__ = ["CHOSEN", "Chosen", "chosen"]

Point = tuple[int, ...]
WHAT = {"output": "o", "derivative": "d", "gradient": "g"}


@dataclass(frozen=True)
class Chosen:
    """What is derived of a layer.

    Attributes:
        size: the size of the input; None where it stays in letters.
    """

    layer: Layer
    size: Point | None
    what: str
    wrt: str

    @property
    def name(self) -> str:
        """Such as ``maxpool kernel 2 stride 1, 3x3, gradient input``: the name of its golden file too."""
        options = " ".join(self.layer.arguments()).replace("--", "").replace("=", " ").replace(":", "_")
        at = "" if self.size is None else f", {'x'.join(map(str, self.size))}"
        return f"{options}{at}, {self.what}" + (f" {self.wrt}" if self.what != "output" else "")


def window(
    kind: str,
    kernel: Point,
    stride: Point = (),
    pads: tuple[tuple[int, int], ...] = (),
    dilation: Point = (),
    **more: object,
) -> Layer:
    ndim = len(kernel)
    ones = (1,) * ndim
    return Layer(kind, kernel, stride or ones, pads or ((0, 0),) * ndim, dilation or ones, **more)  # type: ignore[arg-type]


def chosen(layer: Layer, *questions: str, size: Point | None = None) -> list[Chosen]:
    """A layer with its questions: "output", or "gradient input"."""
    pairs = [(what, wrt or "input") for what, _, wrt in (question.partition(" ") for question in questions)]
    return [Chosen(layer, size, what, wrt) for what, wrt in pairs]


OUT, DX, DW, DB = "output", "gradient input", "gradient weight", "gradient bias"

ADAPTIVE = [
    *chosen(Layer("adaptive-avg", output=(3,), base=0), OUT, DX),
    *chosen(Layer("adaptive-avg", output=(2, 1)), OUT, DX),
    *chosen(Layer("adaptive-avg", output=(2, 3), base=0), DX),
    *chosen(Layer("adaptive-avg", output=(2, 2)), OUT, size=(3, 3)),
    *chosen(Layer("adaptive-avg", output=(2, 3)), OUT, size=(4, 4)),
    *chosen(Layer("adaptive-avg", output=(2, 2)), OUT, size=(3, 4)),
    *chosen(Layer("adaptive-avg", output=(3,)), DX, size=(3,)),
    *chosen(Layer("adaptive-avg", output=(1,)), OUT, DX),
    *chosen(Layer("adaptive-max", output=(2,), ties="split"), DX),
    *chosen(Layer("adaptive-max", output=(2,), ties="set", base=0), DX),
]
TRANSPOSED = [
    *chosen(window("conv-transpose", (3,)), OUT, DX, DW),
    *chosen(window("conv-transpose", (3,), (2,), ((1, 1),), output_padding=(1,)), OUT, DX, DW),
    *chosen(window("conv-transpose", (2,), (3,), ((1, 0),), (2,), base=0), OUT, DX, DW),
    *chosen(window("conv-transpose", (3,), (2,), ((0, 1),), flip=True), OUT, DX, DW),
    *chosen(window("conv-transpose", (2,), (1,), ((-1, 2),), flip=True, bias=True), OUT, DX, DB),
    *chosen(window("conv-transpose", (2, 3), (2, 1), ((1, 0), (0, 1)), (1, 2)), OUT, DX, DW),
    *chosen(window("conv-transpose", (2, 2), flip=True), OUT, DW, size=(2, 2)),
    *chosen(window("conv-transpose", (2, 2)), OUT, DX, DW, size=(2, 3)),
    *chosen(
        window("conv-transpose", (2,), (2,), in_channels=2, out_channels=4, groups=2, bias=True), OUT, DX, DW, size=(2,)
    ),
    *chosen(window("conv-transpose", (1,), (2,)), OUT),
    *chosen(window("conv-transpose", (2,), (1,), (), (2,)), DW),
    *chosen(window("max-unpool", (2,), (2,)), OUT),
    *chosen(window("max-unpool", (2,), (2,)), DX, size=(2,)),
    *chosen(window("max-unpool", (2, 3), (2, 1), base=0), OUT, DX, size=(2, 2)),
]  # fmt: skip
PATCHES = [
    *chosen(window("unfold", (2,)), OUT, DX),
    *chosen(window("unfold", (3,), (2,), ((1, 0),), (2,), base=0), DX),
    *chosen(window("unfold", (2, 2), (1, 2), ((1, 0), (0, 1)), channels=2), DX, size=(3, 3)),
    *chosen(window("fold", (3,), (2,), ((1, 1),), output=(5,)), OUT, DX),
    *chosen(window("fold", (2, 2), (2, 1), ((0, 1), (1, 0)), (1, 2), output=(3, 4), base=0), OUT, DX),
    *chosen(window("fold", (2,), (1,), output=(3,), channels=2), DX),
]  # fmt: skip
CONVOLUTIONS = [
    *chosen(window("conv", (3,)), OUT, DX, DW),
    *chosen(window("conv", (3,), (2,), ((1, 2),), (2,)), DX, DW),
    *chosen(window("conv", (2,), (3,), ((1, 1),), base=0, bias=True), DX, DW, DB),
    *chosen(window("conv", (3,), (2,), ((-1, 1),), flip=True), DX, DW),
    *chosen(window("conv", (2,), (1,), ((1, -2),), flip=True, base=0), DX, DW),
    *chosen(window("conv", (2, 3), (2, 1), ((1, 0), (0, 2)), (1, 2)), DX, DW),
    *chosen(window("conv", (2, 2)), DX, DW, size=(3, 3)),
    *chosen(window("conv", (2, 2), (2, 2), ((1, 1), (1, 1)), flip=True), DX, DW, size=(3, 4)),
    *chosen(window("conv", (2, 1, 2), (1, 2, 1), ((0, 1), (1, 0), (0, 0)), base=0), DX, DW, size=(2, 2, 2)),
    *chosen(
        window("conv", (2,), (2,), ((1, 1),), in_channels=2, out_channels=4, groups=2, bias=True), DX, DW, size=(3,)
    ),
    *chosen(window("conv", (2,), in_channels=2, out_channels=3), DX),
    *chosen(window("conv", (2,), in_channels=2), DX, size=(3,)),
    *chosen(window("conv", (2,), (2,), out_channels=2), DX, size=(4,)),
    *chosen(window("conv", (1,), flip=True), DX),
    *chosen(window("conv", (3,), (1,), ((1, 1),), padding_mode="reflect"), DX, size=(3,)),
]  # fmt: skip
POOLS = [
    *chosen(window("maxpool", (2,)), DX, size=(3,)),
    *chosen(window("maxpool", (2, 2), (1, 2), ((1, 0), (0, 1))), DX, size=(2, 3)),
    *chosen(window("maxpool", (2,), (1,), ((1, 1),), ties="split", base=0), DX, size=(2,)),
    *chosen(window("maxpool", (2,), ties="set"), "derivative input", DX),
    *chosen(window("maxpool", (2,), (1,), ((1, 1),), (2,), ties="set", base=0), "derivative input", DX, size=(1,)),
    *chosen(window("maxpool", (2, 2), (1, 1), ((0, 0), (1, 0)), ties="set"), DX, size=(2, 2)),
    *chosen(window("avgpool", (2,), (2,)), DX),
    *chosen(window("lppool", (2,), (1,), norm="2"), DX, size=(3,)),
    *chosen(window("dilation", (2,)), DX, DW, size=(3,)),
    *chosen(window("erosion", (2,), (1,), ((1, 0),), base=0), DX, DW, size=(2,)),
]  # fmt: skip
CHOSEN = {
    "adaptive": ADAPTIVE,
    "transposed": TRANSPOSED,
    "patches": PATCHES,
    "convolutions": CONVOLUTIONS,
    "pools": POOLS,
}
