"""The command line: ``symconv init``, ``report`` and ``derive``; heavy imports wait inside the commands."""

from symconv.cli.signals import main

__all__ = ["main"]
