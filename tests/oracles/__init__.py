"""Plain-loop oracles for the tests: every operator again, by counting, without a line of symconv and without NumPy.

`tensors` holds values, `windows` places one axis step by step, `convolution`, `pooling` and `patches` loop over those
placements, `checks` compares a gradient with the function it belongs to.  Integers and fractions stay exact wherever
the operation is rational.
"""

from __future__ import annotations

from oracles.checks import adjoint_gap, differences, dot, jvp_from_vjp, worst_gap
from oracles.convolution import (
    ConvGradients,
    conv,
    conv_jvp,
    conv_transpose,
    conv_transpose_jvp,
    conv_transpose_vjp,
    conv_vjp,
)
from oracles.patches import fold, max_unpool, max_unpool_vjp, unfold
from oracles.pooling import (
    PoolWindow,
    adaptive_avg_pool,
    adaptive_avg_pool_vjp,
    adaptive_max_pool,
    adaptive_max_pool_vjp,
    avg_pool,
    avg_pool_vjp,
    lp_pool,
    lp_pool_vjp,
    max_pool,
    max_pool_vjp,
)
from oracles.tensors import Scalar, Tensor, full, tensor, to_numpy
from oracles.windows import (
    Axis,
    adaptive_windows,
    output_size,
    place,
    pytorch_same_padding,
    same_output_size,
    same_padding,
    sources,
    touching,
    transposed_size,
    transposed_triples,
    triples,
)

__all__ = [
    "Axis",
    "ConvGradients",
    "PoolWindow",
    "Scalar",
    "Tensor",
    "adaptive_avg_pool",
    "adaptive_avg_pool_vjp",
    "adaptive_max_pool",
    "adaptive_max_pool_vjp",
    "adaptive_windows",
    "adjoint_gap",
    "avg_pool",
    "avg_pool_vjp",
    "conv",
    "conv_jvp",
    "conv_transpose",
    "conv_transpose_jvp",
    "conv_transpose_vjp",
    "conv_vjp",
    "differences",
    "dot",
    "fold",
    "full",
    "jvp_from_vjp",
    "lp_pool",
    "lp_pool_vjp",
    "max_pool",
    "max_pool_vjp",
    "max_unpool",
    "max_unpool_vjp",
    "output_size",
    "place",
    "pytorch_same_padding",
    "same_output_size",
    "same_padding",
    "sources",
    "tensor",
    "to_numpy",
    "touching",
    "transposed_size",
    "transposed_triples",
    "triples",
    "unfold",
    "worst_gap",
]
