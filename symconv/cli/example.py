"""The packaged example: an exercise that ``symconv report`` works out when no problem file is named."""

from __future__ import annotations

from pathlib import Path

from symconv.errors import ProblemFileError

__all__ = ["example_file"]

NAME = "dsga1008-hw2.toml"


def example_file() -> Path:
    """Where the example lies: inside the installed package, or in the repository that is worked in.

    Raises:
        ProblemFileError: neither directory has it.
    """
    package = Path(__file__).resolve().parent.parent
    places = (package / "examples", package.parent / "reports")
    for place in places:
        if (place / NAME).is_file():
            return place / NAME
    raise ProblemFileError(
        f"the example {NAME} was found neither in {places[0]} nor in {places[1]}; install symconv again, or name a "
        "problem file"
    )
