"""What a command is doing, shown on a terminal once it takes longer than a moment."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.status import Status

__all__ = ["Activity"]

DELAY = 0.5


class Activity:
    """A spinner with a few words on stderr; it comes after half a second and leaves no trace.

    Nothing is shown where stderr is no terminal.
    """

    def __init__(self, words: str) -> None:
        self._words = words
        self._status: Status | None = None
        self._ended = False
        self._lock = threading.Lock()
        self._timer = threading.Timer(DELAY, self._show)
        self._timer.daemon = True

    def __enter__(self) -> Activity:
        if sys.stderr.isatty():
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._ended = True
            if self._status is not None:
                self._status.stop()

    def say(self, words: str) -> None:
        """Change the words."""
        with self._lock:
            self._words = words
            if self._status is not None:
                from rich.text import Text

                self._status.update(Text(words))

    def _show(self) -> None:
        from rich.console import Console
        from rich.text import Text

        with self._lock:
            if not self._ended:
                self._status = Console(stderr=True).status(Text(self._words))
                self._status.start()
