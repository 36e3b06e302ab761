"""Every kind of question, by the word that asks it; a module for each subject."""

from symconv.problems.ask import Ask
from symconv.problems.asks.derivation import DERIVATION
from symconv.problems.asks.linear import ENTRIES, MATRIX
from symconv.problems.asks.numbers import BACKWARD, FORWARD, UPDATE
from symconv.problems.asks.pooling import EXPRESSIONS, MODULES, RELATIONS
from symconv.problems.asks.size import MULTIPLY_ADDS, PARAMETERS, RECEPTIVE_FIELD, SIZE, SIZE_FORMULA
from symconv.problems.asks.values import VALUES

__all__ = ["ASKS"]

ASKS: dict[str, Ask] = {
    "size": SIZE,
    "size-formula": SIZE_FORMULA,
    "values": VALUES,
    "derivation": DERIVATION,
    "modules": MODULES,
    "expressions": EXPRESSIONS,
    "relations": RELATIONS,
    "parameters": PARAMETERS,
    "multiply-adds": MULTIPLY_ADDS,
    "receptive-field": RECEPTIVE_FIELD,
    "forward": FORWARD,
    "backward": BACKWARD,
    "update": UPDATE,
    "matrix": MATRIX,
    "entries": ENTRIES,
}
