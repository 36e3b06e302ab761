"""What the tables of a problem file may hold: its operators and their options, any question, its top level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.cross_entropy import CrossEntropy
from symconv.operators.dense import Dense
from symconv.operators.flatten import Flatten
from symconv.operators.joining import Add
from symconv.operators.leaky_relu import LeakyReLU
from symconv.operators.letters import Letters
from symconv.operators.log_softmax import LogSoftmax
from symconv.operators.morphology import Dilation, Erosion
from symconv.operators.normalisation import BatchNorm
from symconv.operators.option import option_fields
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.relu import ReLU
from symconv.operators.sigmoid import Sigmoid
from symconv.operators.softmax import Softmax
from symconv.operators.softplus import Softplus
from symconv.operators.squared_error import SquaredError
from symconv.operators.tanh import Tanh
from symconv.operators.transposed import ConvTranspose
from symconv.problems import schema
from symconv.problems.asks import ASKS
from symconv.problems.schema import Key, Where

__all__ = ["LAYER_NAMES", "NETWORK", "OPERATORS", "OUTSIDE", "TOP", "VARIANTS", "operator_keys", "question_keys"]

OPERATORS: dict[str, type[Operator]] = {
    kind.__name__: kind
    for kind in (
        *(Conv, MaxPool, AvgPool, LPPool, Dilation, Erosion, ConvTranspose, AdaptiveAvgPool, AdaptiveMaxPool),
        *(ReLU, LeakyReLU, Sigmoid, Tanh, Softplus, Softmax, LogSoftmax, Flatten, Dense, BatchNorm, Add),
        *(CrossEntropy, SquaredError),
    )
}

LAYER_NAMES = ("input", "weight", "bias", "output", "upstream", "target")
"""The arrays of an operator that a file may name."""


def _any(value: Any, where: Where) -> Any:
    """Whatever it is: it is read by a function of its own."""
    del where
    return value


def _target(read: schema.Reader) -> schema.Reader:
    """A target may be the name of an array in the data as well."""

    def placed(value: Any, where: Where) -> Any:
        return schema.text(value, where) if isinstance(value, str) else read(value, where)

    return placed


def operator_keys(kind: str) -> dict[str, Key]:
    """The keys of the table of an operator, made from its declaration."""
    keys = {
        "kind": Key(schema.one_of(*OPERATORS), "the operator: " + ", ".join(OPERATORS), required=True),
        "input_size": Key(
            schema.sizes,
            "the size of the input, one integer a spatial axis; a layer of a network may leave it out",
        ),
    }
    for name, (option, entry) in option_fields(OPERATORS[kind]).items():
        form = option.kind.form("file")
        words = f"{option.words} ({form})" if form else option.words
        read = schema.reader(option.kind.filed)
        if name == "target":
            words, read = f"{option.words} ({TARGETS})", _target(read)
        keys[name] = Key(read, words, entry.default is MISSING, option.example)
    keys["names"] = Key(
        schema.mapping,
        "what its arrays are called; a whole array by that name, an entry by the small letter; the keys are "
        + ", ".join(LAYER_NAMES),
        example='{ output = "Z" }',
    )
    return keys


TARGETS = "a class where there are classes, counted from index_base; an array of numbers, or its name in the data"

NETWORK: dict[str, Key] = {
    "layers": Key(
        schema.texts,
        "the names of operators, in order: what one gives is what the next one takes",
        required=True,
    ),
    "edges": Key(
        schema.pairs,
        'what reads what, where it is no chain: pairs [from, to] of names; the input of the network is called "input", '
        "and an Add reads several",
        example='[["input", "first"], ["first", "second"], ["second", "sum"], ["first", "sum"]]',
    ),
    "input": Key(schema.text, "the name of the input in the data"),
    "weights": Key(schema.tables, "by layer, the names of its weight and its bias in the data"),
    "unit": Key(
        schema.unit,
        "what gradients are printed as multiples of; the common denominator, if it is small, where it is left out",
        example='"1/2"',
    ),
}


OUTSIDE = ("zero", "undefined")


def question_keys(own: Mapping[str, Key] = MappingProxyType({})) -> dict[str, Key]:
    """The keys that every question has, and those that its kind has for itself."""
    return {
        "id": Key(schema.text, "the number of the question, such as 1a", required=True),
        "title": Key(schema.text, "its heading", required=True),
        "text": Key(schema.text, "the words of the exercise, with $mathematics$ in them"),
        "ask": Key(schema.words(*ASKS), f"what is asked, one or several in a list: {', '.join(ASKS)}", required=True),
        "operator": Key(schema.text, "the name of an operator of this file"),
        "operators": Key(schema.texts, "several of them, for the questions about poolings"),
        "network": Key(schema.text, "the name of a network of this file; the only one where it is left out"),
        **own,
        "points": Key(schema.unit, "what it is worth in a class; 1 for each array or count, if left out", example="4"),
        "names": Key(schema.mapping, "letters for this question only", example='{ input = "u" }'),
        "index_base": Key(schema.base, "0 or 1, for this question only", example="0"),
        "outside": Key(schema.one_of(*OUTSIDE), "the same as for the whole file, for the claims of this question"),
        "declare": Key(
            _any,
            "what claims on this question, and formulas of a LaTeX file that answer it, may speak of: keys of a claim",
            example='{ sizes = { K = "kernel" } }',
        ),
    }


TOP: dict[str, Key] = {
    "title": Key(schema.text, "the title of the report", required=True),
    "author": Key(schema.text, "who hands it in", example='"A. Student"'),
    "lead": Key(schema.text, "one or two sentences below the title"),
    "text": Key(schema.text, "the exercise in its own words, with $mathematics$ in them"),
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
    "declare": Key(
        _any,
        "what all claims may speak of, by the keys of a claim; a question may add to it, and a claim",
        example='{ star = "correlation" }',
    ),
    "data": Key(_any, "named arrays of numbers; a decimal stays exact (0.1 is one tenth)"),
    "operators": Key(_any, "named operators", required=True),
    "networks": Key(_any, "named networks of operators"),
    "questions": Key(_any, "the questions, in the order of the report"),
    "claims": Key(_any, "statements to be proved or refuted"),
    "solutions": Key(_any, "solutions to be graded, line by line"),
    "variants": Key(_any, "how the variants of a class differ, and what a slip is worth: symconv exercise"),
}

VARIANTS: dict[str, Key] = {
    "keep": Key(schema.texts, "data that are the same for everybody", example='["P"]', default=()),
    "letters": Key(schema.boolean, "whether arrays get other letters", example="false", default=True),
    "slip_share": Key(
        schema.share, "the share of its points that an answer with one slip earns", example='"1/2"', default=Fraction(0)
    ),
}
