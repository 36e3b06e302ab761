"""Coq, where it is installed: every statement of a folder, within limits of time and memory.

Everything runs in a temporary copy with the library of this package, several files at a time. Statements of the form
that symconv writes are compiled several together; what is then not accepted, and what has another form, by itself, so
that an answer is always of one statement. What a theorem rests on is asked from outside its file, which might print
anything.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from symconv.certificates.folder import STATEMENTS, read_index
from symconv.certificates.library import LOGICAL_NAME, library
from symconv.certificates.recorded import Recorded, library_digests
from symconv.certificates.together import joined, plain_sentences
from symconv.errors import NotSupportedError

__all__ = ["Answer", "Checked", "check_folder", "coq_version"]

SECONDS = 120
MEGABYTES = 4_000
PROCESSES = 8  # at a time at most: each holds Coq's library in memory
TOGETHER = "Together"
_FOLDERS = (LOGICAL_NAME, STATEMENTS, TOGETHER)
_AT_MOST = 10  # statements that are compiled together: loading the library is then a small part of their time
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
        places = run.together(names, say)
        alone = [name for name in names if name not in places]
        problems = run.compiled({name: f"{STATEMENTS}/{name}.v" for name in alone}, say)
        say("what they rest on")
        rest = {name: f"{STATEMENTS}.{name}.{name}" for name in alone if not problems[name]}
        problems |= dict.fromkeys(places, "") | run.axioms(rest)
        places |= rest
        for name in names:
            answers.append(Answer(name, not problems[name], problems[name], digests[name]))
            each(answers[-1])
        kernel = None
        if coqchk:
            say("coqchk")
            kernel = run.kernel([places[answer.name] for answer in answers if answer.accepted])
    return Checked(version, tuple(answers), tuple(missing), kernel)


@contextmanager
def _copied(folder: Path, names: list[str]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="symconv-coq-") as place:
        here = Path(place)
        for part in _FOLDERS:
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
        self.paths = [word for part in _FOLDERS for word in ("-R", part, part)]

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

    def compiled(self, paths: Mapping[str, str], say: Callable[[str], object]) -> dict[str, str]:
        """What is wrong with each of some files, several compiled at a time; empty where Coq accepts it."""
        with ThreadPoolExecutor(min(os.cpu_count() or 1, PROCESSES)) as pool:
            waited_for = {name: pool.submit(self.compile, path) for name, path in paths.items()}
            problems = {}
            try:
                for name, one in waited_for.items():
                    say(name)
                    problems[name] = one.result()
            finally:  # an interrupt waits for the files that are being compiled, not for those that wait
                pool.shutdown(wait=False, cancel_futures=True)
        return problems

    def together(self, names: Sequence[str], say: Callable[[str], object]) -> dict[str, str]:
        """Compile statements several to a file; where the theorems are of those files in which all rest on nothing."""
        forms = {name: (self.here / STATEMENTS / f"{name}.v").read_bytes().decode("utf-8", "replace") for name in names}
        plain = {name: found for name, text in forms.items() if (found := plain_sentences(text)) is not None}
        each = min(_AT_MOST, -(-len(plain) // min(os.cpu_count() or 1, PROCESSES)))
        groups = [list(plain)[k : k + each] for k in range(0, len(plain), each or 1)]
        files = {f"part_{k}": group for k, group in enumerate(groups) if len(group) > 1}
        for file, group in files.items():
            text = joined([plain[name] for name in group])
            (self.here / TOGETHER / f"{file}.v").write_text(text, encoding="utf-8")
        paths = {", ".join(group): f"{TOGETHER}/{file}.v" for file, group in files.items()}
        problems = self.compiled(paths, say)
        places = {
            file: {name: f"{TOGETHER}.{file}.checked_{k}.{name}" for k, name in enumerate(group)}
            for (file, group), problem in zip(files.items(), problems.values(), strict=True)
            if not problem
        }
        rests = self.axioms({name: place for found in places.values() for name, place in found.items()})
        closed = [found for found in places.values() if not any(rests[name] for name in found)]
        return {name: place for found in closed for name, place in found.items()}

    def axioms(self, places: Mapping[str, str]) -> dict[str, str]:
        """What compiled theorems rest on, or what is wrong; empty where they rest on nothing."""
        if not places or not self.assumptions(list(places.values())):
            return dict.fromkeys(places, "")
        return {name: self.assumptions([place]) for name, place in places.items()}

    def assumptions(self, places: Sequence[str]) -> str:
        """What theorems of compiled files rest on, all of them taken as one, or what is wrong; empty for nothing."""
        question = self.here / "Question.v"
        required = "".join(f"Require {file}.\n" for file in _files(places))
        everything = "".join(f"(@{place}, " for place in places) + "Logic.I" + ")" * len(places)
        asked = f"{required}Definition everything := {everything}.\nPrint Assumptions everything.\n"
        question.write_text(asked, encoding="utf-8")
        said, problem = self.run("coqc", *_QUIET, *self.paths, question.name)
        return problem or ("" if said.strip() == _CLOSED else f"it rests on {' '.join(said.split())}")

    def kernel(self, places: Sequence[str]) -> Answer:
        """Check the files of compiled theorems with the kernel alone."""
        modules = _files(places) or [f"{LOGICAL_NAME}.{name}" for name in library()]
        said, problem = self.run("coqchk", "-silent", "-o", *self.paths, *modules, seconds=20 * self.seconds)
        if problem:
            return Answer("coqchk", False, problem)
        axioms = re.search(r"\* Axioms:(.*?)\n\s*\n", f"{said}\n\n", re.DOTALL)
        if axioms is None or axioms[1].split() != ["<none>"]:
            return Answer("coqchk", False, f"axioms: {' '.join(axioms[1].split()) if axioms else 'not listed'}")
        return Answer("coqchk", True)


def _files(places: Iterable[str]) -> list[str]:
    """The compiled files of theorems, by their logical names."""
    return list(dict.fromkeys(".".join(place.split(".")[:2]) for place in places))


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
