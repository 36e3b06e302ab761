"""What the tables of a problem file may hold: its operators and their options, its questions, its top level."""

from __future__ import annotations

from typing import Any

from symconv.claims import schema
from symconv.claims.schema import Key, Where
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.letters import Letters
from symconv.operators.pooling import AvgPool, LPPool, MaxPool

__all__ = ["ASKS", "BELONGS", "OPERATORS", "OPTIONS", "QUESTION", "TOP"]

OPERATORS: dict[str, type[Operator]] = {"Conv": Conv, "MaxPool": MaxPool, "AvgPool": AvgPool, "LPPool": LPPool}


def _any(value: Any, where: Where) -> Any:
    """Whatever it is: it is read by a function of its own."""
    del where
    return value


_COMMON = {
    "kind": Key(schema.one_of(*OPERATORS), "the operator: " + ", ".join(OPERATORS), required=True),
    "input_size": Key(schema.sizes, "the size of the input, one integer a spatial axis", required=True),
}
_WINDOW = {
    "kernel_size": Key(schema.per_axis, "the window, one integer an axis", required=True),
    "stride": Key(schema.per_axis, "the step between outputs; a pooling without one steps by its window", example="2"),
    "padding": Key(
        schema.padding,
        'an integer, one an axis, [before, after] pairs, or "valid", "same", "same_upper", "same_lower", "half", '
        '"full"',
        example="1",
    ),
    "dilation": Key(schema.per_axis, "the step between the taps of a window", example="1"),
}
_CEIL_MODE = {"ceil_mode": Key(schema.boolean, "whether the output size is rounded up", example="true")}
OPTIONS: dict[str, dict[str, Key]] = {
    "Conv": {
        **_COMMON,
        **_WINDOW,
        "flip": Key(
            schema.boolean, "true for the mathematician's convolution, false for cross-correlation", example="true"
        ),
        "padding_mode": Key(schema.text, '"zeros", "reflect", "replicate" or "circular"', example='"circular"'),
    },
    "MaxPool": {
        **_COMMON,
        **_WINDOW,
        **_CEIL_MODE,
        "ties": Key(
            schema.one_of("first", "split"),
            'which equal maximum receives the gradient: "first" or "split"',
            example='"split"',
        ),
    },
    "AvgPool": {
        **_COMMON,
        **_WINDOW,
        **_CEIL_MODE,
        "count_include_pad": Key(schema.boolean, "whether taps in the padding count", example="false"),
        "divisor_override": Key(schema.whole, "divide by this number instead", example="2"),
    },
    "LPPool": {
        **_COMMON,
        "norm_type": Key(schema.norm, 'p: a number >= 1, "inf", or a letter such as "p"', required=True, example='"p"'),
        **_WINDOW,
        **_CEIL_MODE,
    },
}

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
