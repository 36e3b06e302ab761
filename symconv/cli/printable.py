"""What comes from a file or an argument, as it may be written to a terminal."""

from __future__ import annotations

__all__ = ["printable", "printable_line"]


def printable(message: str) -> str:
    """A message without the control characters that a file name or a key could smuggle into a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode("ascii") for c in message)


def printable_line(text: str) -> str:
    """One line, whatever stands in the names that a file gives, such as those of a model's layers."""
    return printable(text).replace("\n", "\\n")
