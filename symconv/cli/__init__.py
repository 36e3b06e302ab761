"""The command line: ``symconv init``, ``report`` and ``derive``; heavy imports wait inside the commands."""

from symconv.cli.application import main

__all__ = ["main"]
