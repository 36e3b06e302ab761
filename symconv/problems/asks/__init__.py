"""Every kind of question, by the word that asks it; a module for each subject."""

from symconv.problems.ask import Ask
from symconv.problems.asks.derivation import DERIVATION
from symconv.problems.asks.pooling import EXPRESSIONS, MODULES, RELATIONS
from symconv.problems.asks.size import SIZE, SIZE_FORMULA
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
}
