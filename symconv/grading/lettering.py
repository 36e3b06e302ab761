r"""Other letters for the arrays of an exercise: in its tables, in its data, and in the $mathematics$ of its texts.

A letter stands for an array and, small, for its entries: X and x change together. Letters of sizes and indices stay.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Any

from symconv.operators.letters import Letters

__all__ = ["drawn_letters", "with_letters"]

_POOL = "abcdfghrstuvwxyz"
"""What arrays may be called: none of the letters of indices, sizes and errors."""

_ROLES = ("input", "weight", "bias", "output", "upstream")
_MATHS = re.compile(r"(?<!\\)\$((?:[^$\\]|\\.)*)\$", re.DOTALL)
_TOKEN = re.compile(r"\\(?:operatorname|text|mathrm|textrm|textit|mathsf)\*?\{[^{}]*\}|\\[A-Za-z]+|[A-Za-z]")
_TEXTS = ("title", "lead", "text")


def drawn_letters(table: Mapping[str, Any], draw: random.Random) -> dict[str, str]:
    """Small letters for those of the arrays of a problem file, drawn at random; no two arrays get the same."""
    old = list(dict.fromkeys(_letters(table)))
    pool = list(_POOL)
    draw.shuffle(pool)
    return dict(zip(old, pool, strict=False)) if len(old) <= len(pool) else {}


def _letters(table: Mapping[str, Any]) -> list[str]:
    """The small letters of the arrays of a file."""
    named = [table.get("names", {}), *(op.get("names", {}) for op in table.get("operators", {}).values())]
    named += [question.get("names", {}) for question in table.get("questions", [])]
    usual = Letters()
    found = [table.get("names", {}).get(role, getattr(usual, role)) for role in _ROLES]
    found += [name for names in named for role, name in names.items() if role in _ROLES]
    found += list(table.get("data", {}))
    return [name.lower() for name in found if len(name) == 1 and name.isascii() and name.isalpha()]


def with_letters(table: Mapping[str, Any], letters: Mapping[str, str]) -> dict[str, Any]:
    """A problem file with other letters, and everything that names an array with it."""

    def name(old: str) -> str:
        if len(old) != 1:
            return old
        new = letters.get(old.lower(), old.lower())
        return new if old.islower() else new.upper()

    def array(old: str) -> str:
        return name(old) if old in table.get("data", {}) else old

    def own(names: Mapping[str, str]) -> dict[str, str]:
        return {role: name(letter) if role in _ROLES else letter for role, letter in names.items()}

    new = {key: worded(value, name) if key in _TEXTS else value for key, value in table.items()}
    usual = Letters()
    roles = {role: table.get("names", {}).get(role, getattr(usual, role)) for role in _ROLES}
    new["names"] = own({**table.get("names", {}), **roles})
    new["data"] = {name(key): value for key, value in table.get("data", {}).items()}
    if "variants" in table and "keep" in table["variants"]:
        kept = table["variants"]["keep"]
        new["variants"] = {**table["variants"], "keep": [array(k) for k in ([kept] if isinstance(kept, str) else kept)]}
    operators = {}
    for key, op in table.get("operators", {}).items():
        operators[key] = {**op, **({"names": own(op["names"])} if "names" in op else {})}
        if isinstance(op.get("target"), str):
            operators[key]["target"] = array(op["target"])
    new["operators"] = operators
    if "networks" in table:
        new["networks"] = {key: _network(net, array) for key, net in table["networks"].items()}
    if "questions" in table:
        new["questions"] = [_question(question, name, array, own) for question in table["questions"]]
    return new


def worded(text: str, name: Any) -> str:
    """A text with other letters in its mathematics."""

    def token(found: re.Match[str]) -> str:
        return name(found[0]) if len(found[0]) == 1 else found[0]

    return _MATHS.sub(lambda found: f"${_TOKEN.sub(token, found[1])}$", text)


def _network(net: Mapping[str, Any], array: Any) -> dict[str, Any]:
    new = dict(net)
    if "input" in net:
        new["input"] = array(net["input"])
    if "weights" in net:
        new["weights"] = {
            layer: {role: array(data) for role, data in own.items()} for layer, own in net["weights"].items()
        }
    return new


def _question(question: Mapping[str, Any], name: Any, array: Any, own: Any) -> dict[str, Any]:
    new = {key: worded(value, name) if key in _TEXTS else value for key, value in question.items()}
    for key in ("input", "weight", "bias", "upstream"):
        if isinstance(question.get(key), str):
            new[key] = array(question[key])
    if "names" in question:
        new["names"] = own(question["names"])
    if "ask" in question and "wrt" in question and not _symbolic(question):
        wrt = question["wrt"]
        new["wrt"] = [name(word) for word in ([wrt] if isinstance(wrt, str) else wrt)]
    if isinstance(question.get("written_out"), Mapping):
        new["written_out"] = {name(key): value for key, value in question["written_out"].items()}
    return new


def _symbolic(question: Mapping[str, Any]) -> bool:
    asks = question["ask"]
    return "derivation" in ([asks] if isinstance(asks, str) else asks)
