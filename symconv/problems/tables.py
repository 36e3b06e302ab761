"""What the tables of a problem file may hold: its operators and their options, any question, its top level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING
from types import MappingProxyType
from typing import Any

from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.letters import Letters
from symconv.operators.morphology import Dilation, Erosion
from symconv.operators.option import option_fields
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.problems import schema
from symconv.problems.asks import ASKS
from symconv.problems.schema import Key, Where

__all__ = ["OPERATORS", "OUTSIDE", "TOP", "operator_keys", "question_keys"]

OPERATORS: dict[str, type[Operator]] = {
    kind.__name__: kind for kind in (Conv, MaxPool, AvgPool, LPPool, Dilation, Erosion)
}


def _any(value: Any, where: Where) -> Any:
    """Whatever it is: it is read by a function of its own."""
    del where
    return value


CHANNELS = ("groups", "in_channels", "out_channels", "bias")
"""Options that a problem file has no key for: its layers have one channel and no bias."""


def operator_keys(kind: str) -> dict[str, Key]:
    """The keys of the table of an operator, made from its declaration."""
    keys = {
        "kind": Key(schema.one_of(*OPERATORS), "the operator: " + ", ".join(OPERATORS), required=True),
        "input_size": Key(schema.sizes, "the size of the input, one integer a spatial axis", required=True),
    }
    for name, (option, entry) in option_fields(OPERATORS[kind]).items():
        if name not in CHANNELS:
            form = option.kind.form("file")
            words = f"{option.words} ({form})" if form else option.words
            keys[name] = Key(schema.reader(option.kind.filed), words, entry.default is MISSING, option.example)
    return keys


OUTSIDE = ("zero", "undefined")


def question_keys(own: Mapping[str, Key] = MappingProxyType({})) -> dict[str, Key]:
    """The keys that every question has, and those that its kind has for itself."""
    return {
        "id": Key(schema.text, "the number of the question, such as 1a", required=True),
        "title": Key(schema.text, "its heading", required=True),
        "ask": Key(schema.one_of(*ASKS), f"what is asked: {', '.join(ASKS)}", required=True),
        "operator": Key(schema.text, "the name of an operator of this file"),
        "operators": Key(schema.texts, "several of them, for the questions about poolings"),
        **own,
        "names": Key(schema.mapping, "letters for this question only", example='{ input = "u" }'),
        "index_base": Key(schema.base, "0 or 1, for this question only", example="0"),
        "outside": Key(schema.one_of(*OUTSIDE), "the same as for the whole file, for the claims of this question"),
    }


TOP: dict[str, Key] = {
    "title": Key(schema.text, "the title of the report", required=True),
    "author": Key(schema.text, "who hands it in", example='"A. Student"'),
    "lead": Key(schema.text, "one or two sentences below the title"),
    "index_base": Key(schema.base, "where indices start on paper: 0 or 1 (1 if left out)", example="0"),
    "names": Key(
        schema.mapping,
        "letters to use instead of the usual ones; the keys are " + ", ".join(Letters.roles()),
        example='{ error = "L" }',
    ),
    "outside": Key(
        schema.one_of(*OUTSIDE),
        "what an entry such as b[i-p] of a claim counts as where there is none; left open, a line that is true only "
        "with zeros there holds under that condition",
        example='"zero"',
    ),
    "data": Key(_any, "named arrays of numbers; a decimal stays exact (0.1 is one tenth)"),
    "operators": Key(_any, "named operators", required=True),
    "questions": Key(_any, "the questions, in the order of the report"),
    "claims": Key(_any, "statements to be proved or refuted"),
}
