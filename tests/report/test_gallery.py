"""The gallery in `reports/gallery`: figures of many layers, written anew here and compared with what is committed.

`pytest --update-golden tests/report/test_gallery.py` writes it; read the difference.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import symconv as sc

ROOT = Path(__file__).resolve().parents[2]
GALLERY = ROOT / "reports" / "gallery"

# The cases of Dumoulin & Visin, "A guide to convolution arithmetic for deep learning" (arXiv 1603.07285), then others.
GUIDE: dict[str, tuple[str, sc.Operator, tuple[int, ...], dict[str, Any]]] = {
    "no-padding": ("No padding, unit stride", sc.Conv(3), (4, 4), {}),
    "padding": ("Padding, unit stride", sc.Conv(4, padding=2), (5, 5), {"at": (1, 1)}),
    "half-padding": ("Half padding: the size stays", sc.Conv(3, padding="half"), (5, 5), {"at": (1, 3)}),
    "full-padding": ("Full padding: the size grows", sc.Conv(3, padding="full"), (5, 5), {"at": (1, 1)}),
    "stride": ("A stride, no padding", sc.Conv(3, stride=2), (5, 5), {"at": (0, 1)}),
    "stride-and-padding": ("A stride and padding", sc.Conv(3, stride=2, padding=1), (5, 5), {"at": (0, 1)}),
    "stride-odd": ("The same on an even size: some padding is never read", sc.Conv(3, 2, 1), (6, 6), {"at": (2, 1)}),
    "pooling": ("Pooling is the same walk", sc.AvgPool(3, 1), (5, 5), {}),
    "transposed": ("Transposed, no padding, unit stride", sc.ConvTranspose(3), (2, 2), {}),
    "transposed-padding": ("Transposed, padding", sc.ConvTranspose(4, padding=2), (6, 6), {"at": (1, 1)}),
    "transposed-half": ("Transposed, half padding", sc.ConvTranspose(3, padding=1), (5, 5), {"at": (1, 1)}),
    "transposed-full": ("Transposed, full padding", sc.ConvTranspose(3, padding=2), (7, 7), {"at": (1, 1)}),
    "transposed-stride": ("Transposed, a stride: the input is stretched", sc.ConvTranspose(3, stride=2), (2, 2), {}),
    "transposed-stride-and-padding": ("Transposed, a stride and padding", sc.ConvTranspose(3, 2, 1), (3, 3), {}),
    "transposed-odd": ("The same with output padding", sc.ConvTranspose(3, 2, 1, 1), (3, 3), {"at": (5, 5)}),
    "dilated": ("Dilation: holes between the taps", sc.Conv(3, dilation=2), (7, 7), {"at": (1, 1)}),
}
OTHERS: dict[str, tuple[str, sc.Operator, tuple[int, ...], dict[str, Any]]] = {
    "dropped": ("A stride that drops the last row and column", sc.Conv(3, stride=2), (6, 6), {"kind": "multiplicity"}),
    "backward": (
        "Backwards: which outputs read an input",
        sc.Conv(3, 2, 1),
        (5, 5),
        {"kind": "backward", "at": (1, 1)},
    ),
    "matrix": ("The matrix of a convolution", sc.Conv(3, padding=1), (4, 4), {"kind": "matrix"}),
    "matrix-transposed": ("The matrix of a transposed convolution", sc.ConvTranspose(2, 2), (2, 2), {"kind": "matrix"}),
    "groups": (
        "Channels in two groups",
        sc.Conv(2, in_channels=4, out_channels=4, groups=2),
        (3, 3),
        {"at": (2, 1, 1)},
    ),
    "circular": ("Circular padding", sc.Conv(3, padding=1, padding_mode="circular"), (4, 4), {"at": (0, 0)}),
    "reflected": ("Padding by reflection", sc.Conv(3, padding=1, padding_mode="reflect"), (4, 4), {"at": (0, 0)}),
    "max-pooling": ("Max pooling: padding never wins", sc.MaxPool(3, 2, 1), (5, 5), {"at": (0, 0)}),
    "winners": (
        "The winners of a max pooling",
        sc.MaxPool(2),
        (4, 4),
        {"kind": "winners", "data": [[3, 1, 4, 1], [5, 9, 2, 6], [5, 3, 5, 8], [9, 7, 9, 3]]},
    ),
    "adaptive": ("Adaptive pooling: windows of different sizes overlap", sc.AdaptiveAvgPool(3), (7, 7), {}),
    "every-window": ("All windows", sc.Conv(3, 2, 1), (5, 5), {"at": "all"}),
    "moving": ("The window on its way", sc.Conv(3, 2, 1), (5, 5), {"animate": True}),
    "one-axis": ("One axis", sc.Conv((3,), 2, 1), (8,), {}),
    "erosion": ("Erosion of grayscale morphology", sc.Erosion(3, padding=1), (4, 4), {"at": (0, 1)}),
}


def drawn(name: str) -> sc.Figure:
    _, op, size, more = {**GUIDE, **OTHERS}[name]
    return sc.figure(op, more.get("kind", "window"), input_size=size, **{k: v for k, v in more.items() if k != "kind"})


def page() -> str:
    """The page that shows them, with the size of the output as it is worked out."""
    lines = [
        "# Gallery",
        "",
        "Figures that `symconv figure` draws, each from the index map of the layer's formula. The first ones are the",
        "cases of Dumoulin & Visin's guide ([arXiv 1603.07285](https://arxiv.org/abs/1603.07285)).",
        "",
    ]
    for name, (title, op, size, _) in {**GUIDE, **OTHERS}.items():
        axis = sc.size_report(op, size)[0]
        chain = " = ".join(dict.fromkeys((axis.formula, axis.numbers, str(axis.output))))
        lines += [f"## {title}", "", f"`{op!r}` on {' x '.join(map(str, size))}: O = {chain}", ""]
        lines += [f"![{drawn(name).words}]({name}.svg)", ""]
    return "\n".join(lines)


@pytest.mark.parametrize("name", [*GUIDE, *OTHERS, "README"])
def test_a_figure_of_the_gallery(name: str, request: pytest.FixtureRequest) -> None:
    text, path = (page(), GALLERY / "README.md") if name == "README" else (drawn(name).svg(), GALLERY / f"{name}.svg")
    if request.config.getoption("--update-golden"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert path.read_text("utf-8") == text, "pytest --update-golden tests/report/test_gallery.py accepts the new figure"


def test_nothing_else_lies_in_the_gallery() -> None:
    assert {path.name for path in GALLERY.iterdir()} == {"README.md", *(f"{name}.svg" for name in (*GUIDE, *OTHERS))}
