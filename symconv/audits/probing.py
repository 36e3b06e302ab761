"""The smallest input that tells two explanations of one output apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from symconv.audits.explanation import Probe
from symconv.audits.reading import Array

__all__ = ["probe"]

MOST_PLACES = 400

Applied = Callable[[Array, Array | None], Array]


def probe(first: Applied, second: Applied, shape: tuple[int, ...], weight_shape: tuple[int, ...] | None) -> Probe | int:
    """The smallest of some inputs of a shape on which two operators differ; how many were tried where they do not.

    Args:
        first, second: what makes an output of an input and a weight.
        shape: the shape of the input.
        weight_shape: that of the weight, which counts up from 1; None for poolings.
    """
    weight = None if weight_shape is None else np.arange(1, 1 + int(np.prod(weight_shape))).reshape(weight_shape)
    tried = 0
    for words, x in _inputs(shape, pooling=weight is None):
        tried += 1
        outputs = first(x, weight), second(x, weight)
        if not np.array_equal(*outputs):
            return Probe(words, x, weight, outputs)
    return tried


def _inputs(shape: tuple[int, ...], pooling: bool) -> Iterator[tuple[str, Array]]:
    """Inputs with one entry, and for poolings with opposite signs, and with all entries different."""
    size = int(np.prod(shape))
    for value in (1, -1) if pooling else (1,):  # padding that counts as 0 beats a negative entry
        for flat in range(0, size, -(-size // MOST_PLACES)):
            x = np.zeros(shape, dtype=float if pooling else np.int64)
            x.flat[flat] = value
            place = list(map(int, np.unravel_index(flat, shape)))
            yield f"an input of shape {shape} that is 0 but for {value} at {place}", x
    if pooling:
        yield f"an input of shape {shape} that counts up from 1", np.arange(1.0, size + 1).reshape(shape)
