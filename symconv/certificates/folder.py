"""A folder of certificates: the library, a file a statement, an index with a line each, and how to run Coq by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symconv.certificates.certificate import Certificate, certificate, missing_because
from symconv.certificates.library import LOGICAL_NAME, library
from symconv.errors import ArgumentError
from symconv.proofs.verdict import Verdict

__all__ = ["INDEX", "IndexRow", "entries", "folder_files", "read_index"]

INDEX = "index.jsonl"
STATEMENTS = "Statements"

_MAKEFILE = """# Checks every statement with Coq 8.16 or later: make; then with its kernel alone: make validate.
all validate: CoqMakefile
\t$(MAKE) -f CoqMakefile $@
CoqMakefile: _CoqProject
\tcoq_makefile -f _CoqProject -o CoqMakefile
.PHONY: all validate
"""

_README = """What symconv has proved, as theorems for Coq
============================================

Symconv/      the library: Definitions.v says what a statement is made of, the other files are proved from it
Statements/   one theorem a file, with its proof and what it rests on (Print Assumptions)
index.jsonl   one line a statement: its name, what it says, and what symconv had worked out before it (not certified);
              or the reason why there is no certificate

Check them with `symconv coq-check DIR`, or with `make` in this folder. Both need Coq (Debian: apt-get install coq).

You must believe: Coq's kernel, the definitions in Symconv/Definitions.v, and that the theorem in a file says what you
read on symconv's page. You need not believe symconv's search, its algebra, or z3: where these are wrong, Coq refuses.
"""


@dataclass(frozen=True)
class IndexRow:
    """One statement: its certificate, or why there is none.

    Attributes:
        name: the identifier of the theorem, and the name of its file.
        title: what it says.
        verdict: the verdict that it is of.
        made: the certificate.
        missing: the reason where there is none.
    """

    name: str
    title: str
    verdict: Verdict
    made: Certificate | None
    missing: str = ""

    @property
    def path(self) -> str:
        """Where its file is, from the folder."""
        return f"{STATEMENTS}/{self.name}.v"

    def line(self) -> str:
        """Its line of the index."""
        fields: dict[str, Any] = {"name": self.name, "title": self.title}
        if self.made is None:
            fields["missing"] = self.missing
        elif self.made.before:
            fields["before"] = list(self.made.before)
        return json.dumps(fields, ensure_ascii=False)


def entries(verdicts: Iterable[tuple[str, str, Verdict]]) -> list[IndexRow]:
    """An entry for every verdict.

    Args:
        verdicts: a name, what is said, and the verdict; names are made identifiers, no two of them the same.
    """
    found: list[IndexRow] = []
    taken: set[str] = set()
    for wanted, title, verdict in verdicts:
        plain = re.sub(r"[^A-Za-z0-9]+", "_", wanted).strip("_")
        plain = plain if plain[:1].isalpha() else f"statement_{plain}".rstrip("_")
        name, count = plain, 1
        while name.lower() in taken:  # some file systems do not tell A from a
            count += 1
            name = f"{plain}_{count}"
        taken.add(name.lower())
        made = certificate(verdict, name=name, title=title)
        found.append(IndexRow(name, title, verdict, made, "" if made is not None else missing_because(verdict)))
    return found


def folder_files(found: Sequence[IndexRow]) -> dict[str, str]:
    """The text of every file of a folder, by its path from there."""
    files = {f"{LOGICAL_NAME}/{name}.v": text for name, text in library().items()}
    files |= {entry.path: entry.made.text for entry in found if entry.made is not None}
    project = [f"-R {LOGICAL_NAME} {LOGICAL_NAME}", f"-R {STATEMENTS} {STATEMENTS}", *files]
    return {
        **files,
        "_CoqProject": "\n".join(project) + "\n",
        "Makefile": _MAKEFILE,
        "README": _README,
        INDEX: "".join(f"{entry.line()}\n" for entry in found),
    }


def read_index(folder: Path) -> tuple[list[str], list[str]]:
    """The names of the statements of a folder, and of those that have no certificate.

    Raises:
        ArgumentError: where the folder is none of certificates, or was written by another version of symconv.
    """
    wanted = "must be a folder that symconv wrote with --certificates"
    try:
        lines = (folder / INDEX).read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
    except (OSError, ValueError):
        raise ArgumentError("DIR", str(folder), wanted, f"it has no {INDEX} that can be read") from None
    names: tuple[list[str], list[str]] = ([], [])
    for row in rows:
        name = row.get("name") if isinstance(row, dict) else None
        if not isinstance(name, str) or re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) is None:
            raise ArgumentError("DIR", str(folder), wanted, f"a line of its {INDEX} names no statement")
        names["missing" in row].append(name)
    for name, text in library().items():
        path = folder / LOGICAL_NAME / f"{name}.v"
        if not path.is_file() or path.read_text(encoding="utf-8", errors="replace") != text:
            fix = f"its {LOGICAL_NAME}/{name}.v is not the one of this version; write the folder again"
            raise ArgumentError("DIR", str(folder), wanted, fix)
    for name in names[0]:
        if not (folder / STATEMENTS / f"{name}.v").is_file():
            raise ArgumentError("DIR", str(folder), wanted, f"{STATEMENTS}/{name}.v is missing; write the folder again")
    return names
