"""The console script: how a command ends when the system asks it to. An interrupt is status 130, SIGTERM is 143.

Both are raised as one exception of ours, which nothing between here and the work mistakes for an error: click would
make an interrupt outside its callbacks status 1, and the first interrupt lost in a destructor is sent once more.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

__all__ = ["main"]

FIRST_STATUS = 128  # as shells count: the status of what a signal ended is this and its number


class SignalledError(BaseException):
    """A signal: it ends what runs in order, so that no process and no directory is left behind.

    Attributes:
        number: which.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def main() -> None:
    """The console script; it ends the process with the exit status."""
    sys.unraisablehook = _again
    signal.signal(signal.SIGTERM, _raise)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a shell may have a command ignore them
        signal.signal(signal.SIGINT, _raise)
    try:
        from symconv.cli.application import commands

        commands()
    except SignalledError as signalled:
        _end(signalled.number)


def _raise(number: int, frame: FrameType | None) -> None:
    del frame
    raise SignalledError(number)


def _again(unraisable: Any) -> None:
    """A signal that came while an object was taken away is lost there: it is sent once more, a moment later."""
    if isinstance(unraisable.exc_value, SignalledError):
        threading.Timer(0.02, os.kill, (os.getpid(), unraisable.exc_value.number)).start()
    else:
        sys.__unraisablehook__(unraisable)


def _end(number: int) -> None:
    for later in (signal.SIGINT, signal.SIGTERM):  # it is ending already
        signal.signal(later, signal.SIG_IGN)
    sys.unraisablehook = _without_complaint
    if number == signal.SIGINT and sys.stderr is not None:
        sys.stderr.write("Interrupted; nothing was left half-written.\n")
    sys.exit(FIRST_STATUS + number)


def _without_complaint(unraisable: Any) -> None:
    """After a signal: an object whose making it cut short may fail as it goes away, and that is nobody's fault."""
    del unraisable
