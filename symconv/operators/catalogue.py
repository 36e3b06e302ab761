"""The operators by the names that they have at a command line; a new one is a line here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symconv.operators.base import Operator

__all__ = ["COMMANDS", "operator_of"]

COMMANDS: dict[str, str | type[Operator]] = {
    "conv": "convolution.Conv",
    "maxpool": "pooling.MaxPool",
    "avgpool": "pooling.AvgPool",
    "lppool": "pooling.LPPool",
    "dilation": "morphology.Dilation",
    "erosion": "morphology.Erosion",
    "conv-transpose": "transposed.ConvTranspose",
    "adaptive-avg": "adaptive.AdaptiveAvgPool",
    "adaptive-max": "adaptive.AdaptiveMaxPool",
    "unfold": "patches.Unfold",
    "fold": "patches.Fold",
    "max-unpool": "unpooling.MaxUnpool",
    "dense": "dense.Dense",
    "flatten": "flatten.Flatten",
    "batch-norm": "normalisation.BatchNorm",
    "relu": "relu.ReLU",
    "leaky-relu": "leaky_relu.LeakyReLU",
    "sigmoid": "sigmoid.Sigmoid",
    "tanh": "tanh.Tanh",
    "softplus": "softplus.Softplus",
    "softmax": "softmax.Softmax",
    "log-softmax": "log_softmax.LogSoftmax",
    "cross-entropy": "cross_entropy.CrossEntropy",
    "squared-error": "squared_error.SquaredError",
}
"""The class of each, or where it lives in this folder: it is imported when somebody asks for it."""


def operator_of(command: str) -> type[Operator]:
    """The class of an operator by its name at the command line.

    >>> operator_of("maxpool").__name__
    'MaxPool'
    """
    entry = COMMANDS[command]
    if isinstance(entry, type):
        return entry
    module, _, name = entry.rpartition(".")
    found: Any = getattr(import_module(f"symconv.operators.{module}"), name)
    assert isinstance(found, type)
    return found
