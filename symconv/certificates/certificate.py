"""`certificate`: the Coq text of what a verdict says has been proved, or why there is none."""

from __future__ import annotations

import re
from dataclasses import dataclass

from symconv.certificates.arithmetic import arithmetic
from symconv.certificates.equality import equality
from symconv.certificates.naming import in_comment
from symconv.certificates.stating import stated
from symconv.certificates.trees import NotCertified
from symconv.derivations.theorems.recorded import Stated
from symconv.doors import instance, text
from symconv.errors import ArgumentError
from symconv.proofs.record import Conjunction, Equality, Equivalence, Goal, Record
from symconv.proofs.verdict import Verdict

__all__ = ["Certificate", "certificate", "missing_because"]

IMPORTS = "From Symconv Require Import Follow."
_LIBRARIES = {"share_of": "Shares", "by_norms": "Powers", "by_slopes": "Slopes"}
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Certificate:
    """A theorem with its proof, as Coq reads it.

    Attributes:
        name: the identifier of the theorem.
        title: what it says, in words.
        body: the theorem and its parts, without the import of the library.
        before: what symconv had worked out before the statement was made, such as "derivatives": it is not certified.
        imports: the command that imports what the body is written with.
    """

    name: str
    title: str
    body: str
    before: tuple[str, ...] = ()
    imports: str = IMPORTS

    @property
    def text(self) -> str:
        """The whole file; the last line prints what the theorem rests on."""
        return f"{self.comment}{self.imports}\n\n{self.body}\nPrint Assumptions {self.name}.\n"

    @property
    def comment(self) -> str:
        """What it says and what it leaves open, as a comment."""
        lines = [f"(* {in_comment(self.title)} *)"] if self.title else []
        if self.before:
            lines.append(f"(* Worked out before this statement, and not certified: {', '.join(self.before)}. *)")
        return "".join(f"{line}\n" for line in lines)


def certificate(verdict: Verdict, *, name: str = "statement", title: str = "") -> Certificate | None:
    """The certificate of a verdict; None where there is none, and `missing_because` says why.

    Args:
        verdict: what symconv says of a statement.
        name: the identifier of the theorem: letters, digits and underscores.
        title: what it says, for a comment.

    >>> from symconv.operators.convolution import Conv
    >>> from symconv.proofs.prove import prove
    >>> layer = Conv(3, ndim=1).generic()
    >>> made = certificate(prove(layer.output(), layer.output(index_base=1)), name="rebased")
    >>> print(made.text.splitlines()[0])
    From Symconv Require Import Follow.
    """
    made = _made(verdict, name, title)
    return made if isinstance(made, Certificate) else None


def missing_because(verdict: Verdict) -> str:
    """Why a verdict has no certificate; empty where it has one."""
    made = _made(verdict, "statement", "")
    return made if isinstance(made, str) else ""


def _made(verdict: Verdict, name: str, title: str) -> Certificate | str:
    instance("verdict", verdict, Verdict, "must be a verdict, such as prove returns")
    text("title", title)
    if _IDENTIFIER.fullmatch(text("name", name)) is None:
        raise ArgumentError("name", name, "must be an identifier of letters, digits and underscores")
    if not verdict.holds:
        return f"the statement is {verdict.status}, not proved"
    if verdict.record is None:
        return f"a proof by {verdict.method} has no certificate yet" if verdict.method else "nothing was proved"
    parts = list(_leaves(verdict.record))
    names = [name] if len(parts) == 1 else [f"{name}_part{k}" for k in range(1, len(parts) + 1)]
    try:
        texts = [_section(part, own) for part, own in zip(parts, names, strict=True)]
    except NotCertified as reason:
        return str(reason)
    if len(parts) != 1:
        texts.append(f"Definition {name} := {_conjoined(names)}.\n")
    before = dict.fromkeys(word for part in parts if isinstance(part, Equality) for word in part.before)
    first = "ByTaps" if any(isinstance(part, Stated) for part in parts) else "Follow"
    more = [file for word, file in _LIBRARIES.items() if any(word in part for part in texts)]
    imports = f"From Symconv Require Import {' '.join([first, *more])}."
    return Certificate(name, title, "\n".join(texts), tuple(before), imports)


def _leaves(record: Record) -> list[Record]:
    if not isinstance(record, Conjunction):
        return [record]
    return [leaf for part in record.parts for leaf in _leaves(part)]


def _conjoined(names: list[str]) -> str:
    if not names:
        return "Logic.I"
    if len(names) == 1:
        return names[0]
    rest = _conjoined(names[1:])
    return f"conj {names[0]} {f'({rest})' if names[2:] else rest}"


def _section(record: Record, name: str) -> str:
    if isinstance(record, Equality):
        return equality(record, name) + "End Certificate.\n"
    if isinstance(record, Stated):
        return stated(record, name)
    assert isinstance(record, Goal | Equivalence)
    return arithmetic(record, name)
