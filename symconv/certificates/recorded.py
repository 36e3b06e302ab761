"""What Coq has accepted, kept as a file beside what it was asked: the one source of the words "checked by Coq".

A record holds hashes. A verdict is checked by Coq where the certificate that is written of it now is, byte for byte and
with the same library, one that Coq accepted; so a record of other statements, or of an older symconv, says nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from symconv.certificates.folder import IndexRow
from symconv.certificates.library import library
from symconv.errors import ArgumentError
from symconv.proofs.verdict import Verdict

__all__ = ["RECORD", "Recorded", "digest", "library_digests", "packaged_record", "read_record"]

RECORD = "record.json"
"""The name of the file in a folder of certificates."""

_CHECKER = re.compile(r"Coq \d+(\.\d+){1,2}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Recorded:
    """What a run of Coq has accepted.

    Attributes:
        checker: the program and its version, such as "Coq 8.16.1".
        statements: the SHA-256 of the file of every accepted statement, by its name.
        library: the SHA-256 of every file of the library that it was checked with, by its name.
        kernel: whether Coq's kernel alone (coqchk) has accepted all of it once more.
    """

    checker: str
    statements: Mapping[str, str]
    library: Mapping[str, str]
    kernel: bool = False

    @property
    def text(self) -> str:
        """The file: the same bytes for the same answers, without a date."""
        fields = {
            "checker": self.checker,
            "kernel": self.kernel,
            "library": dict(self.library),
            "statements": dict(sorted(self.statements.items())),
        }
        return json.dumps(fields, indent=1) + "\n"

    def checker_of(self, entry: IndexRow) -> str:
        """By what a statement has been checked, with what was worked out before it; empty where it has not been."""
        if entry.made is None or self.library != library_digests():
            return ""
        if self.statements.get(entry.name) != digest(entry.made.text):
            return ""
        before = entry.made.before
        return f"{self.checker}, but for {' and '.join(before)}" if before else self.checker

    def marked(self, entry: IndexRow) -> Verdict:
        """The verdict of a statement, with what has checked it."""
        return replace(entry.verdict, checked_by=self.checker_of(entry))


def digest(text: str) -> str:
    """The SHA-256 of a text in UTF-8, in hexadecimal."""
    return sha256(text.encode("utf-8")).hexdigest()


def library_digests() -> dict[str, str]:
    """The SHA-256 of every file of the library of this version, by its name."""
    return {name: digest(text) for name, text in library().items()}


def read_record(folder: Path) -> Recorded | None:
    """The record of a folder of certificates; None where Coq has not been asked yet.

    Raises:
        ArgumentError: where there is one that symconv did not write.
    """
    path = folder / RECORD
    if not path.is_file():
        return None
    try:
        return _read(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        wanted = "must be a record that symconv coq-check wrote"
        raise ArgumentError("DIR", str(path), wanted, "it is damaged; run symconv coq-check again") from None


def packaged_record(name: str) -> Recorded:
    """The record of what the package itself states: "theorems", or "dsga1008-hw2", the packaged problem."""
    return _read(json.loads((files("symconv.certificates") / "records" / f"{name}.json").read_text(encoding="utf-8")))


def _read(fields: Any) -> Recorded:
    """The record that a JSON object is.

    Raises:
        ValueError: where it is none.
    """
    if not isinstance(fields, dict) or set(fields) != {"checker", "kernel", "library", "statements"}:
        raise ValueError("no record")
    tables = [fields["statements"], fields["library"]]
    for table in tables:
        if not isinstance(table, dict) or not all(isinstance(v, str) and _DIGEST.fullmatch(v) for v in table.values()):
            raise ValueError("no record")
    checker, kernel = fields["checker"], fields["kernel"]
    if not isinstance(checker, str) or _CHECKER.fullmatch(checker) is None or not isinstance(kernel, bool):
        raise ValueError("no record")
    return Recorded(checker, tables[0], tables[1], kernel)
