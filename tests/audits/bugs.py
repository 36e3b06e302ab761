"""The bugs of `flawed`, each with the operator that it is a bug of, the plain implementation of that, and a size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from audits.flawed import Conv, Pool, Transposed, adaptive

import symconv as sc


@dataclass(frozen=True)
class Claim:
    """A plain implementation, made for a flaw, that claims to be an operator."""

    op: Any
    make: Callable[[str], Any]
    size: tuple[int, int]

    def gradients(self, flaw: str) -> Any:
        made = self.make(flaw)
        return getattr(made, "gradients", None)


UNEVEN = ((1, 0), (2, 1))
PLAIN = Claim(
    sc.Conv((2, 3), stride=(1, 2), padding=UNEVEN, bias=True),
    lambda flaw: Conv((1, 2), UNEVEN, flaw=flaw),
    (3, 4),
)
GROUPED = Claim(
    sc.Conv((2, 2), stride=2, padding=1, dilation=2, groups=2, in_channels=4, out_channels=4),
    lambda flaw: Conv((2, 2), ((1, 1), (1, 1)), (2, 2), 2, flaw=flaw),
    (3, 4),
)
CHANNELS = Claim(
    sc.Conv((2, 2), stride=2, in_channels=2, out_channels=3, bias=True),
    lambda flaw: Conv((2, 2), flaw=flaw),
    (4, 5),
)
SQUARE = Claim(sc.Conv((2, 2), padding=1), lambda flaw: Conv(pads=((1, 1), (1, 1)), flaw=flaw), (3, 3))


def _mode(mode: str) -> Claim:
    return Claim(
        sc.Conv((3, 3), padding=1, padding_mode=mode),
        lambda flaw: Conv(pads=((1, 1), (1, 1)), mode=mode, flaw=flaw),
        (3, 4),
    )


SPREAD = Claim(
    sc.ConvTranspose((3, 3), stride=2, padding=1, output_padding=1, in_channels=2, out_channels=2),
    lambda flaw: Transposed(2, 1, 1, flaw),
    (2, 3),
)
LARGEST = Claim(sc.MaxPool((3, 3), stride=2, padding=1), lambda flaw: Pool("max", 3, 2, 1, flaw=flaw), (4, 5))
HOLED = Claim(
    sc.MaxPool((2, 2), stride=1, dilation=2, padding=1), lambda flaw: Pool("max", 2, 1, 1, 2, flaw=flaw), (3, 4)
)
ROUNDED_UP = Claim(
    sc.MaxPool((2, 2), stride=2, ceil_mode=True), lambda flaw: Pool("max", 2, 2, ceiling=True, flaw=flaw), (3, 5)
)
FEW = Claim(
    sc.MaxPool((1, 1), stride=3, ceil_mode=True), lambda flaw: Pool("max", 1, 3, ceiling=True, flaw=flaw), (3, 3)
)
AVERAGE = Claim(sc.AvgPool((3, 3), stride=2, padding=1), lambda flaw: Pool("average", 3, 2, 1, flaw=flaw), (4, 5))
INSIDE = Claim(
    sc.AvgPool((3, 3), stride=2, padding=1, count_include_pad=False),
    lambda flaw: Pool("average", 3, 2, 1, counted=False, flaw=flaw),
    (4, 5),
)
OVER = Claim(
    sc.AvgPool((2, 2), stride=2, ceil_mode=True), lambda flaw: Pool("average", 2, 2, ceiling=True, flaw=flaw), (3, 5)
)
DIVIDED = Claim(
    sc.AvgPool((2, 2), divisor_override=3), lambda flaw: Pool("average", 2, 2, divisor=3, flaw=flaw), (4, 4)
)
NORM = Claim(sc.LPPool(3, (2, 2), stride=1), lambda flaw: Pool("norm", 2, 1, p=3, flaw=flaw), (3, 4))
ADAPTIVE = Claim(sc.AdaptiveAvgPool((3, 3)), lambda flaw: lambda x: adaptive(x, 3, flaw), (5, 4))

CLAIMS = [
    PLAIN, GROUPED, CHANNELS, SQUARE, *map(_mode, ("reflect", "replicate", "circular")), SPREAD, LARGEST, HOLED,
    ROUNDED_UP, AVERAGE, INSIDE, OVER, DIVIDED, NORM, ADAPTIVE,
]  # fmt: skip

BUGS: dict[str, Claim] = {
    **dict.fromkeys(
        (
            "flipped", "stride of the other axis", "padding shifted", "padding sides exchanged",
            "padding axes exchanged", "padding replicates", "saturates", "rectified",
            "bias forgotten", "bias twice", "last row left out", "absolute weights", "writes to its input",
            "remembers", "first item alone", "weight gradient averages the batch", "bias gradient averages",
            "bias gradient of the first item", "no bias gradient", "input gradient pads the other side",
        ),
        PLAIN,
    ),
    **dict.fromkeys(
        (
            "dilation ignored", "size forgets dilation", "groups interleaved", "always the first group",
            "weight gradient forgets dilation",
        ),
        GROUPED,
    ),
    **dict.fromkeys(
        ("first channel alone", "reshaped for transposed", "bias along rows", "sums in float16", "size rounded up"),
        CHANNELS,
    ),
    **dict.fromkeys(("filter transposed", "weight gradient transposed", "input gradient without rotation"), SQUARE),
    **dict.fromkeys(("input gradient forgets stride", "weight gradient forgets stride"), GROUPED),
    "reflection repeats the edge": _mode("reflect"),
    "wraps one too far": _mode("circular"),
    **dict.fromkeys(
        (
            "output padding before", "padding before alone", "channels of the weight exchanged", "transposed flips",
            "overlaps overwrite", "output padding left zero",
        ),
        SPREAD,
    ),
    **dict.fromkeys(
        (
            "starts at zero", "starts at the least number", "padding of zeros wins", "skips NaN",
            "last tie gets it", "all ties get it", "gradient overwrites",
        ),
        LARGEST,
    ),
    "pooling ignores dilation": HOLED,
    "floor for ceiling": ROUNDED_UP,
    "a window too many": FEW,
    **dict.fromkeys(("padding not counted", "integer division", "gradient divides by the entries"), AVERAGE),
    "padding counted": INSIDE,
    "overhang counted": OVER,
    "divisor ignored": DIVIDED,
    **dict.fromkeys(("no absolute value", "mean of powers", "no root", "sign lost"), NORM),
    **dict.fromkeys(("ends rounded down", "starts rounded up"), ADAPTIVE),
}  # fmt: skip
