"""The exceptions of symconv: one base class, one reason a class.

Every message names the argument, its value, the requirement it breaks and, where one is known, the fix; the command
line prints it without a traceback and exits with status 2.
"""

from __future__ import annotations

from typing import Any
from unicodedata import east_asian_width

__all__ = [
    "ArgumentError",
    "ClaimError",
    "GeometryError",
    "NotSupportedError",
    "ProblemFileError",
    "RenderError",
    "SizeLimitError",
    "SymconvError",
    "WriteError",
    "shortened",
    "shown",
]


LONGEST_VALUE = 200


class Shown(str):
    """A value as a message shows it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def shown(value: object) -> str:
    """A value as a message shows it: its repr, cut at 200 characters; for one without a repr, its class.

    >>> shown("x" * 300)[-5:]
    'xx...'
    """
    try:
        text = repr(value)
    except Exception:  # a foreign object whose repr raises must not hide what is wrong with it
        text = f"an object of {type(value).__name__} without a repr"
    return shortened(text)


def shortened(text: str) -> str:
    """A text that fits into a message: what is longer than 200 characters is cut."""
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 3] + "..."


class SymconvError(Exception):
    """Base of every error that symconv raises on purpose.

    Attributes:
        layer: the layer of a network that it comes from, where it says so.
    """

    layer: str | None = None


class ArgumentError(SymconvError, ValueError):
    """An argument does not meet its requirement.

    Args:
        argument: the name of the argument, as the caller wrote it.
        value: what was given.
        requirement: what it must be.
        fix: what to do about it, if that is known.

    >>> print(ArgumentError("stride", (2, 0), "must be >= 1 on every axis"))
    stride must be >= 1 on every axis, got (2, 0)
    """

    def __init__(self, argument: str, value: object, requirement: str, fix: str = "") -> None:
        self.argument, self.value, self.requirement, self.fix = argument, value, requirement, fix
        super().__init__(f"{argument} {requirement}, got {shown(value)}" + (f"; {fix}" if fix else ""))

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy holds the value as it was shown: what was given need not be something that can be copied."""
        value = self.value if isinstance(self.value, Shown) else Shown(shown(self.value))
        return type(self), (self.argument, value, self.requirement, self.fix)


class GeometryError(ArgumentError):
    """Sizes that do not fit together, such as a kernel larger than the padded input."""


class NotSupportedError(SymconvError, ValueError):
    """A combination that symconv does not handle yet, or that can never have a meaning; the message says which."""


class SizeLimitError(SymconvError, ValueError):
    """A result was counted before it was built and is too large; the message names the alternative."""


class ProblemFileError(SymconvError, ValueError):
    """A problem file is not what its schema asks for; the message names the file and the key."""


class ClaimError(SymconvError, ValueError):
    """A claim cannot be read, or can have no meaning under what is declared.

    Args:
        found: what is wrong, or what stands there.
        expected: what could have stood there, or what to write instead.
        source: the claim as it was written; with it the message shows the place under a caret.
        position: the offset of the place in the source, counted from 0.

    Attributes:
        line, column: the same place counted from 1; None where the error has no place.

    >>> print(ClaimError("found ')'", "a number or a name", source="2*)", position=2))
    column 3: found ')', expected a number or a name
        2*)
          ^
    """

    def __init__(self, found: str, expected: str = "", *, source: str = "", position: int | None = None) -> None:
        self.found, self.expected, self.source, self.position = found, expected, source, position
        self.line: int | None = None
        self.column: int | None = None
        message = found + (f", expected {expected}" if expected else "")
        if position is not None:
            begin = source.rfind("\n", 0, position) + 1
            self.line, self.column = source.count("\n", 0, position) + 1, position - begin + 1
            place = f"column {self.column}" if "\n" not in source.strip() else f"line {self.line}, column {self.column}"
            message = f"{place}: {message}"
            if source:
                message += "\n" + _excerpt(source[begin:].partition("\n")[0], position - begin)
        super().__init__(message)

    def __reduce__(self) -> tuple[Any, ...]:
        return _claim_error, (type(self), self.found, self.expected, self.source, self.position)


def _claim_error(kind: type[ClaimError], found: str, expected: str, source: str, position: int | None) -> ClaimError:
    return kind(found, expected, source=source, position=position)


def _excerpt(line: str, column: int) -> str:
    """The surroundings of a column with a caret below it; what has no glyph of its own is shown as a replacement."""
    first = max(0, column - 40)
    # A terminal gives wide characters two cells, so the caret moves with them.
    shown = "".join(c if c.isprintable() else "\ufffd" for c in line[first : column + 30])
    width = sum(2 if east_asian_width(c) in "WF" else 1 for c in shown[: column - first])
    return f"    {shown}\n    {' ' * width}^"


class RenderError(SymconvError, RuntimeError):
    """A document could not be turned into LaTeX, HTML or PDF."""


class WriteError(SymconvError, OSError):
    """A file could not be written; nothing was left half-written."""
