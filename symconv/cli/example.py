"""The packaged examples: exercises that ``symconv report`` works out when no problem file is named."""

from __future__ import annotations

from pathlib import Path

from symconv.errors import ProblemFileError

__all__ = ["EXAMPLES", "NAME", "example_file"]

EXAMPLES = ("dsga1008-hw2", "network")
"""The examples; the first one is taken where none is named."""
NAME = f"{EXAMPLES[0]}.toml"


def example_file(name: str = EXAMPLES[0]) -> Path:
    """Where an example lies: inside the installed package, or in the repository that is worked in.

    Raises:
        ProblemFileError: neither directory has it.
    """
    file = f"{name}.toml"
    package = Path(__file__).resolve().parent.parent
    places = (package / "examples", package.parent / "reports")
    for place in places:
        if (place / file).is_file():
            return place / file
    raise ProblemFileError(
        f"the example {file} was found neither in {places[0]} nor in {places[1]}; install symconv again, or name a "
        "problem file"
    )
