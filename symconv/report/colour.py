"""The two colours of a report: kernel and upstream gradient, put on the letters of formulas that are already printed.

The printer knows no colours, so that ``formula.latex()`` needs no macros; this walk finds the letters in its output. It
reads only what the printer writes: one-letter names, subscripts in braces, commands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["colour"]

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[{}_^]|[A-Za-z]|[^\\{}_^A-Za-z]+")
_VERBATIM = {"_", "^", r"\operatorname", r"\text", r"\mathrm", r"\mathit", r"\begin", r"\end", r"\textrm"}
_ACCENTS = {r"\tilde", r"\hat"}


def colour(latex: str, roles: Mapping[str, str]) -> str:
    """Wrap the entries and names of coloured letters, such as ``b_{mn}`` into ``\\SCkernel{b_{mn}}``.

    Args:
        latex: LaTeX from symconv's printer.
        roles: the command for each letter, such as ``{"b": "SCkernel", "B": "SCkernel", "g": "SCupstream"}``.

    >>> colour(r"g_{pq}\\, b_{mn}", {"b": "SCkernel"})
    'g_{pq}\\\\, \\\\SCkernel{b_{mn}}'
    """
    if not roles:
        return latex
    tokens = _TOKEN.findall(latex)
    return "".join(_walk(tokens, roles))


def _walk(tokens: list[str], roles: Mapping[str, str]) -> list[str]:
    result: list[str] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token in _VERBATIM:
            end = _group_end(tokens, at + 1)
            result += tokens[at:end]
            at = end
        elif token in _ACCENTS and at + 1 < len(tokens):
            letter = at + 1
            while tokens[letter].isspace():
                letter += 1
            end = _entry_end(tokens, letter + 1)
            whole = "".join(tokens[at:end])
            result.append(_wrapped(whole, roles.get(tokens[letter])))
            at = end
        elif token in roles:
            end = _entry_end(tokens, at + 1)
            result.append(_wrapped("".join(tokens[at:end]), roles[token]))
            at = end
        else:
            result.append(token)
            at += 1
    return result


def _wrapped(text: str, command: str | None) -> str:
    return text if command is None else rf"\{command}{{{text}}}"


def _entry_end(tokens: list[str], at: int) -> int:
    """The end of the subscript that follows a letter, if there is one."""
    return _group_end(tokens, at + 1) if at < len(tokens) and tokens[at] == "_" else at


def _group_end(tokens: list[str], at: int) -> int:
    """The end of the group or single token that starts here."""
    while at < len(tokens) and tokens[at].isspace():
        at += 1
    if at >= len(tokens) or tokens[at] != "{":
        return min(at + 1, len(tokens))
    depth = 0
    for position in range(at, len(tokens)):
        depth += (tokens[position] == "{") - (tokens[position] == "}")
        if depth == 0:
            return position + 1
    return len(tokens)
