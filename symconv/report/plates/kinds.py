"""The kinds of figures, in words."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["KINDS"]

KINDS: Mapping[str, str] = {
    "window": "the window of an output: what it reads, with which weights",
    "backward": "which outputs read an entry of the input, and with which weight",
    "multiplicity": "how many outputs read each entry of the input",
    "matrix": "the matrix of the layer, a row an output, a column an input, coloured by weight",
    "winners": "which entries win the windows of a maximum, for numbers",
}
"""What figures there are."""
