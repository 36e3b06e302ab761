"""A black box in a process of its own, with limits on time and memory: a crash or a hang is an answer like others.

The process is a fork, so that closures and loaded libraries work. It has no terminal, no open files, none of the
environment variables but those that libraries need to start, no core dump, and dies with its parent. It is no prison:
it shares the user's rights and what this process holds in memory.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import resource
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from symconv.audits.reading import Array
from symconv.audits.wire import Message, ProtocolError, packed, unpacked
from symconv.errors import NotSupportedError, shortened

__all__ = ["Isolated", "Limits", "Work"]

Work = Callable[[dict[str, Array], str], dict[str, object]]
"""What is called: arrays by name, and a text, in; arrays by name out."""
KEPT = frozenset({"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "TZ"})
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
MOST_FILES = 1 << 16
ENVIRONMENT_AT = 47  # where /proc/self/stat has the start of the environment, after the name in brackets


@dataclass(frozen=True)
class Limits:
    """How long one call may take, and how much memory the process may take beyond what this one has.

    Attributes:
        seconds: of one call.
        memory: bytes.
    """

    seconds: float
    memory: int


class Isolated:
    """A function of arrays that is called in a process of its own, which is started anew after it died.

    Args:
        start: gives the function, once in every process; what is heavy is made there.
        limits: what it may take.

    Attributes:
        starts: how often the process was started.
    """

    def __init__(self, start: Callable[[], Work], limits: Limits) -> None:
        if not hasattr(os, "fork"):
            raise NotSupportedError("a function is tried in a process of its own, which needs fork (Linux, macOS)")
        self._start, self._limits = start, limits
        self._pid = 0
        self._requests = self._answers = -1
        self.starts = 0

    def __enter__(self) -> Isolated:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def call(self, arrays: dict[str, Array], text: str = "") -> Message:
        """What the function makes of arrays and a text.

        Returns:
            A message of the kind "answer" with arrays, or "raised", "refused", "hung" or "crashed" with a text.
        """
        if not self._pid:
            self._begin()
        deadline = time.monotonic() + self._limits.seconds
        try:
            self._send(packed("call", text, arrays), deadline)
            return unpacked(lambda count: self._read(count, deadline))
        except TimeoutError:
            self._end()
            return Message("hung", f"no answer within {self._limits.seconds:g} s")
        except (EOFError, BrokenPipeError):
            return Message("crashed", _death(self._end(patience=1.0)))
        except ProtocolError as error:
            self._end()
            return Message("crashed", f"what it sent back is no answer: {error}")

    # ------------------------------------------------------------------ the process

    def _begin(self) -> None:
        theirs, self._requests = os.pipe()
        self._answers, ours = os.pipe()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads: the child starts none before it forgets
            self._pid = os.fork()
        if not self._pid:
            try:
                _serve(self._start, *_confine((theirs, ours), self._limits))
            finally:
                os._exit(1)
        os.close(theirs)
        os.close(ours)
        os.set_blocking(self._requests, False)
        self.starts += 1

    def _end(self, patience: float = 0.0) -> int:
        """End the process and those that it started; what `os.waitpid` says of it."""
        if not self._pid:
            return 0
        pid, self._pid = self._pid, 0
        os.close(self._requests)
        os.close(self._answers)
        until = time.monotonic() + patience
        while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None and time.monotonic() < until:
            time.sleep(0.01)
        for end in (os.killpg, os.kill):  # it leads a group of its own, unless it died before it could
            with contextlib.suppress(ProcessLookupError, PermissionError):
                end(pid, signal.SIGKILL)
        return os.waitpid(pid, 0)[1]

    def _send(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            _ready(self._requests, deadline, writing=True)
            view = view[os.write(self._requests, view[: 1 << 16]) :]

    def _read(self, count: int, deadline: float) -> bytes:
        found = bytearray()
        while len(found) < count:
            _ready(self._answers, deadline, writing=False)
            part = os.read(self._answers, min(count - len(found), 1 << 20))
            if not part:
                raise EOFError
            found += part
        return bytes(found)


def _ready(pipe: int, deadline: float, *, writing: bool) -> None:
    """Wait until a pipe can be written to or read from.

    Raises:
        TimeoutError: after the deadline.
    """
    poll = select.poll()
    poll.register(pipe, select.POLLOUT if writing else select.POLLIN)
    left = deadline - time.monotonic()
    if left <= 0 or not poll.poll(1000 * left):
        raise TimeoutError


def _death(status: int) -> str:
    """How a process ended, in words."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return f"it ended by {signal.Signals(number).name} ({signal.strsignal(number)})"
    return f"it ended by itself, with status {os.WEXITSTATUS(status)}"


# ---------------------------------------------------------------------- in the new process


def _confine(pipes: tuple[int, int], limits: Limits) -> tuple[int, int]:
    """Leave behind what the parent has open and what its environment says, and take no more than is allowed.

    Returns:
        The pipes, at other numbers.
    """
    os.setsid()
    requests, answers = (fcntl.fcntl(pipe, fcntl.F_DUPFD, 3) for pipe in pipes)
    null = os.open(os.devnull, os.O_RDWR)
    for place in (0, 1, 2):
        os.dup2(null, place)
    low, high = sorted((requests, answers))
    for first, beyond in ((3, low), (low + 1, high), (high + 1, MOST_FILES)):
        os.closerange(first, beyond)
    _forget_environment()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    with contextlib.suppress(OSError, AttributeError):  # Linux alone has it
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, ValueError):  # a hard limit that is lower stays
        resource.setrlimit(resource.RLIMIT_AS, (_address_space() + limits.memory,) * 2)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)  # its threads did not come along
    return requests, answers


def _address_space() -> int:
    """The bytes of addresses that the process has, which are no memory yet; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _forget_environment() -> None:
    """Drop the environment variables, also where the system shows those that a process was started with."""
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    os.environ.clear()
    with contextlib.suppress(OSError, ValueError, IndexError):
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        first, beyond = int(fields[ENVIRONMENT_AT]), int(fields[ENVIRONMENT_AT + 1])
        if 0 < first < beyond:
            ctypes.memset(first, 0, beyond - first)
    os.environ.update(kept)


def _serve(start: Callable[[], Work], requests: int, answers: int) -> None:
    """Answer calls until the pipe is closed."""

    def read(count: int) -> bytes:
        found = bytearray()
        while len(found) < count:
            part = os.read(requests, count - len(found))
            if not part:
                os._exit(0)
            found += part
        return bytes(found)

    work: Work | None = None
    while True:
        asked = unpacked(read)
        try:
            work = work or start()
            given = work(asked.arrays or {}, asked.text)
        except BaseException as error:  # whatever it is, it is what the black box does
            reply = packed("raised", _words(error))
        else:
            try:
                reply = packed("answer", arrays=given)
            except Exception as error:
                reply = packed("refused", f"it returned {_words(error, plain=isinstance(error, TypeError))}")
        view = memoryview(reply)
        while view:
            view = view[os.write(answers, view) :]


def _words(error: BaseException, *, plain: bool = False) -> str:
    try:
        said = shortened(str(error).strip().partition("\n")[0])
    except Exception:
        said = ""
    return said if plain else f"{type(error).__name__}: {said}" if said else type(error).__name__
