"""The name of a network's input, and the shapes of what flows through it."""

from __future__ import annotations

from typing import Any

__all__ = ["INPUT", "Shape"]

INPUT = "input"
"""What the edges of a network call its input."""

Shape = tuple[Any, ...]
"""The shape of an array without a batch: channels, then spatial sizes; a vector; or nothing, for one number."""
