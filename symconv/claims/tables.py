"""What the tables of a problem file may hold: its operators and their options, its questions, its top level."""

from __future__ import annotations

from dataclasses import MISSING
from typing import Any

from symconv.claims import schema
from symconv.claims.schema import Key, Where
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.letters import Letters
from symconv.operators.option import option_fields
from symconv.operators.pooling import AvgPool, LPPool, MaxPool

__all__ = ["ASKS", "BELONGS", "OPERATORS", "QUESTION", "TOP", "operator_keys"]

OPERATORS: dict[str, type[Operator]] = {"Conv": Conv, "MaxPool": MaxPool, "AvgPool": AvgPool, "LPPool": LPPool}


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


ASKS: dict[str, str] = {
    "size": "the output size at the declared input size",
    "size-formula": "the output size for all sizes, by counting windows",
    "values": "the output for given data; a convolution is shown in both readings",
    "derivation": "definition, derivative and gradient, step by step",
    "modules": "what poolings there are, and what each computes",
    "expressions": "the formulas of poolings over the window set",
    "relations": "how maximum, average and LP pooling are related",
}

OUTSIDE = ("zero", "undefined")

QUESTION: dict[str, Key] = {
    "id": Key(schema.text, "the number of the question, such as 1a", required=True),
    "title": Key(schema.text, "its heading", required=True),
    "ask": Key(schema.one_of(*ASKS), f"what is asked: {', '.join(ASKS)}", required=True),
    "operator": Key(schema.text, "the name of an operator of this file"),
    "operators": Key(schema.texts, "several of them, for the questions about poolings"),
    "input": Key(schema.text, "values: the name of the input data, or the id of a question whose output it is"),
    "weight": Key(schema.text, "values of a convolution: the name of the kernel data"),
    "printed": Key(schema.array, "values: an answer to compare with"),
    "wrt": Key(schema.texts, 'derivation: by what is differentiated, "input" or "weight" or both'),
    "all_ones": Key(schema.boolean, "derivation: go on to the case of an all-ones upstream gradient", example="true"),
    "sizes": Key(
        schema.one_of("symbolic", "declared"), "derivation: symbolic sizes, or those declared", example='"declared"'
    ),
    "unstated": Key(schema.texts, "values: options that the exercise does not state; the report says what was taken"),
    "names": Key(schema.mapping, "letters for this question only", example='{ input = "u" }'),
    "index_base": Key(schema.base, "0 or 1, for this question only", example="0"),
    "outside": Key(schema.one_of(*OUTSIDE), "the same as for the whole file, for the claims of this question"),
}

BELONGS: dict[str, tuple[str, ...]] = {
    "input": ("values",),
    "weight": ("values",),
    "printed": ("values",),
    "unstated": ("values",),
    "wrt": ("derivation",),
    "all_ones": ("derivation",),
    "sizes": ("derivation",),
}
"""Keys that only some questions use; elsewhere they would be read and forgotten, so they are refused."""

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
