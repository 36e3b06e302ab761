"""The Coq library that certificates rest on: files of the package."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

__all__ = ["LOGICAL_NAME", "ORDER", "library"]

LOGICAL_NAME = "Symconv"
ORDER = (
    "Definitions", "Sums", "Maxima", "Follow", "Shares", "Reads", "Taps", "Subgradients", "ByTaps", "Powers", "Slopes"
)  # fmt: skip
"""The files in the order in which they are compiled."""


@lru_cache(maxsize=1)
def library() -> dict[str, str]:
    """The text of every file by its name without ``.v``, in the order in which they are compiled."""
    folder = files("symconv.certificates") / "coq"
    return {name: (folder / f"{name}.v").read_text(encoding="utf-8") for name in ORDER}
