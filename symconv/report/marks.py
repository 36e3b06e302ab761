"""The marks of a report: what was checked of a statement."""

from __future__ import annotations

from typing import Literal, TypeAlias

__all__ = ["Mark"]

Mark: TypeAlias = Literal["definition", "proved", "exact", "refuted", "undecided", "none"]
"""What was checked of a statement; drawn by shape: open disc, full disc, half disc, cross, dotted disc, nothing."""
