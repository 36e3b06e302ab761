"""Coq, where it is installed: every statement of a folder compiled by itself, within limits of time and memory.

Everything runs in a temporary copy with the library of this package, several files at a time. What a theorem rests on
is asked from outside its file, which might print anything.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from symconv.certificates.folder import STATEMENTS, read_index
from symconv.certificates.library import LOGICAL_NAME, library
from symconv.certificates.recorded import Recorded, library_digests
from symconv.errors import NotSupportedError

__all__ = ["Answer", "Checked", "check_folder", "coq_version"]

SECONDS = 120
MEGABYTES = 4_000
PROCESSES = 8  # at a time at most: each holds Coq's library in memory
_QUIET = ["-q", "-w", "none"]
_CLOSED = "Closed under the global context"


@dataclass(frozen=True)
class Answer:
    """What Coq says of one statement.

    Attributes:
        name: its name.
        accepted: whether Coq has checked the theorem and it rests on no axiom.
        said: the axioms that it rests on, or why it is refused; empty where it is accepted.
        digest: the SHA-256 of the file that was checked.
    """

    name: str
    accepted: bool
    said: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Checked:
    """What Coq says of a folder.

    Attributes:
        version: of Coq.
        answers: one a statement, in the order of the index.
        missing: statements that have no certificate.
        kernel: what coqchk says; None where it was not asked.
    """

    version: str
    answers: tuple[Answer, ...]
    missing: tuple[str, ...]
    kernel: Answer | None = None

    @property
    def accepted(self) -> bool:
        """Whether every statement is."""
        return all(answer.accepted for answer in (*self.answers, *([] if self.kernel is None else [self.kernel])))

    @property
    def record(self) -> Recorded:
        """What was accepted, to be kept beside the folder."""
        statements = {answer.name: answer.digest for answer in self.answers if answer.accepted}
        kernel = self.kernel is not None and self.kernel.accepted
        return Recorded(f"Coq {self.version}", statements, library_digests(), kernel)


def coq_version() -> str:
    """The version of the coqc that is found.

    Raises:
        NotSupportedError: where there is none; it says how to install it.
    """
    found = shutil.which("coqc")
    if found is None:
        raise NotSupportedError("coqc is not installed; on Debian and Ubuntu: apt-get install coq (see coq.inria.fr)")
    done = subprocess.run([found, "--print-version"], capture_output=True, text=True, check=False)  # noqa: S603
    words = done.stdout.split()
    if done.returncode or not words:
        raise NotSupportedError(f"{found} does not run: {_last_line(done.stderr)}")
    return words[0]


def check_folder(
    folder: Path,
    *,
    coqchk: bool = False,
    seconds: int = SECONDS,
    megabytes: int = MEGABYTES,
    say: Callable[[str], object] = lambda words: None,
    each: Callable[[Answer], object] = lambda answer: None,
) -> Checked:
    """What Coq says of every statement of a folder.

    Args:
        folder: what was written with --certificates.
        coqchk: check all of it once more with Coq's kernel alone, the library and Coq's own included.
        seconds: the longest that one file may take.
        megabytes: the most memory that it may use.
        say: is told what is being done.
        each: is given every answer as it comes.

    Raises:
        ArgumentError: where the folder is none of certificates.
        NotSupportedError: where Coq is not installed.
    """
    names, missing = read_index(folder)
    version = coq_version()
    answers: list[Answer] = []
    with _copied(folder, names) as here:
        digests = {name: sha256((here / STATEMENTS / f"{name}.v").read_bytes()).hexdigest() for name in names}
        run = _Coq(here, seconds, megabytes)
        for name in library():
            say(f"the library, {name}")
            problem = run.compile(f"{LOGICAL_NAME}/{name}.v")
            if problem:
                raise NotSupportedError(f"Coq {version} refuses symconv's library, {name}: {problem}")
        problems = {}
        with ThreadPoolExecutor(min(os.cpu_count() or 1, PROCESSES)) as pool:
            compiled = {name: pool.submit(run.compile, f"{STATEMENTS}/{name}.v") for name in names}
            try:
                for name, waited_for in compiled.items():
                    say(name)
                    problems[name] = waited_for.result()
            finally:  # an interrupt waits for the files that are being compiled, not for those that wait
                pool.shutdown(wait=False, cancel_futures=True)
        say("what they rest on")
        problems |= run.axioms([name for name in names if not problems[name]])
        for name in names:
            answers.append(Answer(name, not problems[name], problems[name], digests[name]))
            each(answers[-1])
        kernel = None
        if coqchk:
            say("coqchk")
            kernel = run.kernel([answer.name for answer in answers if answer.accepted])
    return Checked(version, tuple(answers), tuple(missing), kernel)


@contextmanager
def _copied(folder: Path, names: list[str]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="symconv-coq-") as place:
        here = Path(place)
        for part in (LOGICAL_NAME, STATEMENTS):
            (here / part).mkdir()
        for name, text in library().items():
            (here / LOGICAL_NAME / f"{name}.v").write_text(text, encoding="utf-8")
        for name in names:
            shutil.copyfile(folder / STATEMENTS / f"{name}.v", here / STATEMENTS / f"{name}.v")
        yield here


class _Coq:
    """Runs Coq's programs in a folder."""

    def __init__(self, here: Path, seconds: int, megabytes: int) -> None:
        self.here, self.seconds, self.megabytes = here, seconds, megabytes
        self.paths = [word for part in (LOGICAL_NAME, STATEMENTS) for word in ("-R", part, part)]

    def run(self, *command: str, seconds: int | None = None) -> tuple[str, str]:
        """What a command prints, and what is wrong; the latter is empty where it ended well."""
        limit = self.seconds if seconds is None else seconds
        try:
            done = subprocess.run(  # noqa: S603  (Coq's programs, found on the path, with names of our own)
                command,
                cwd=self.here,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=limit,
                check=False,
                preexec_fn=_limited(self.megabytes),
            )
        except subprocess.TimeoutExpired:
            return "", f"it took more than {limit} s"
        return done.stdout + done.stderr, "" if done.returncode == 0 else _last_line(done.stderr or done.stdout)

    def compile(self, path: str) -> str:
        """Compile one file; what is wrong with it."""
        return self.run("coqc", *_QUIET, *self.paths, path)[1]

    def axioms(self, names: list[str]) -> dict[str, str]:
        """What the theorems of compiled files rest on, or what is wrong; empty where they rest on nothing."""
        said, problem = self.assumptions(names)
        if not problem and said.splitlines() == [_CLOSED] * len(names):
            return dict.fromkeys(names, "")
        found = {}
        for name in names:  # some do: each is asked by itself, so that no answer is taken for that of another
            said, problem = self.assumptions([name])
            rests = "" if said.strip() == _CLOSED else f"it rests on {' '.join(said.split())}"
            found[name] = problem or rests
        return found

    def assumptions(self, names: list[str]) -> tuple[str, str]:
        """What Coq prints of the assumptions of the theorems of compiled files, and what is wrong."""
        question = self.here / "Question.v"
        asked = [f"Require {STATEMENTS}.{name}.\nPrint Assumptions {STATEMENTS}.{name}.{name}.\n" for name in names]
        question.write_text("".join(asked), "utf-8")
        return self.run("coqc", *_QUIET, *self.paths, question.name)

    def kernel(self, names: list[str]) -> Answer:
        """Check what was compiled with the kernel alone."""
        modules = [f"{STATEMENTS}.{name}" for name in names] or [f"{LOGICAL_NAME}.{name}" for name in library()]
        said, problem = self.run("coqchk", "-silent", "-o", *self.paths, *modules, seconds=20 * self.seconds)
        if problem:
            return Answer("coqchk", False, problem)
        axioms = re.search(r"\* Axioms:(.*?)\n\s*\n", f"{said}\n\n", re.DOTALL)
        if axioms is None or axioms[1].split() != ["<none>"]:
            return Answer("coqchk", False, f"axioms: {' '.join(axioms[1].split()) if axioms else 'not listed'}")
        return Answer("coqchk", True)


def _limited(megabytes: int) -> Callable[[], None] | None:
    """Sets the limit on memory in the process that Coq will be; None where the system has none."""
    if sys.platform == "win32":
        return None

    def limit() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))

    return limit


def _last_line(text: str) -> str:
    """The error of an output in one line, without the place of the temporary folder."""
    said = " ".join(text.split())
    return said[max(said.rfind("Error:"), 0) :][:300] or "it ended without a word"
