"""Several statements in one file, so that Coq loads its library once for all of them.

Each is a module of its own. Only a file every sentence of which is of the few kinds that symconv writes is put together
with others: none of these reaches beyond its module, or changes what a sentence after it means. What they rest on is
asked from outside, so the command that asks it within a file is left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["joined", "plain_sentences"]

_COMMANDS = re.compile(
    r"(From Symconv Require Import|Variables?|Add Ring|Theorem|Definition|Print Assumptions)\s"
    r"|((Section|End) Certificate|Proof|Qed)$|[a-z]"
)
_COMMENT = re.compile(r"\(\*((?!\(\*)[^\"])*?\*\)")


def plain_sentences(text: str) -> list[str] | None:
    """The sentences of a file without comments; None where one of them is not of the kinds that symconv writes.

    >>> plain_sentences("(* It is. *) Theorem t : True. Proof. { exact Logic.I. } Qed. Print Assumptions t.")
    ['Theorem t : True', 'Proof', '{ exact Logic.I', '} Qed', 'Print Assumptions t']
    >>> plain_sentences("Proof. { Axiom a : False. } Qed.") is None
    True
    """
    code = _COMMENT.sub(" ", text)
    if any(sign in code for sign in ("(*", "*)", '"')):  # a comment within a comment, or a string
        return None
    *sentences, rest = (piece.strip() for piece in re.split(r"\.\s", f"{code}\n"))
    for sentence in sentences:
        command = sentence.lstrip("-+*{} \t\r\n")
        if _COMMANDS.match(command) is None or "{" in command or "}" in command:
            return None
    return None if rest else sentences


def joined(files: Sequence[Sequence[str]]) -> str:
    """One file with the sentences of several, each in a module: checked_0, checked_1 and so on."""
    parts = []
    for k, sentences in enumerate(files):
        kept = "".join(f"{sentence}.\n" for sentence in sentences if not sentence.startswith("Print"))
        parts.append(f"Module checked_{k}.\n{kept}End checked_{k}.\n")
    return "".join(parts)
