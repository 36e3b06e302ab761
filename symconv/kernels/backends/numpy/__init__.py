"""The backend "numpy": array programs, products of matrices and transforms, all of them calls of NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from symconv.errors import ArgumentError
from symconv.kernels.adapters.adaptive import AdaptiveAvgKernel, AdaptiveMaxKernel
from symconv.kernels.adapters.flatten import FlattenKernel
from symconv.kernels.adapters.losses import CrossEntropyKernel, SquaredErrorKernel
from symconv.kernels.adapters.morphology import MorphologyKernel
from symconv.kernels.adapters.patches import FoldKernel, UnfoldKernel
from symconv.kernels.adapters.pointwise import PointwiseKernel
from symconv.kernels.adapters.stated import StatedKernel
from symconv.kernels.adapters.through import BatchNormKernel, DenseKernel
from symconv.kernels.adapters.transposed import transposed_kernel
from symconv.kernels.adapters.unpooling import MaxUnpoolKernel
from symconv.kernels.adapters.vectors import LogSoftmaxKernel, SoftmaxKernel
from symconv.kernels.plans.folds import FoldPlan
from symconv.kernels.plans.im2col import Im2colPlan
from symconv.kernels.plans.rows import RowsPlan
from symconv.kernels.plans.separable import SeparablePlan
from symconv.kernels.plans.spectral import SpectralPlan
from symconv.kernels.plans.taps import TapsPlan
from symconv.kernels.plans.winograd import AccurateWinogradPlan, WinogradPlan
from symconv.kernels.runtime.backend import Adapter, Backend, Request
from symconv.kernels.runtime.contract import Kernel
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.cross_entropy import CrossEntropy
from symconv.operators.dense import Dense
from symconv.operators.flatten import Flatten
from symconv.operators.leaky_relu import LeakyReLU
from symconv.operators.log_softmax import LogSoftmax
from symconv.operators.morphology import Dilation, Erosion
from symconv.operators.normalisation import BatchNorm
from symconv.operators.patches import Fold, Unfold
from symconv.operators.relu import ReLU
from symconv.operators.sigmoid import Sigmoid
from symconv.operators.softmax import Softmax
from symconv.operators.softplus import Softplus
from symconv.operators.squared_error import SquaredError
from symconv.operators.tanh import Tanh
from symconv.operators.transposed import ConvTranspose
from symconv.operators.unpooling import MaxUnpool

__all__ = ["BACKEND", "NumpyBackend"]


class NumpyBackend(Backend):
    """Plans whose engines call NumPy; threads are those of its BLAS."""

    name = "numpy"
    words = "NumPy, one thread outside of BLAS"
    adapters: ClassVar[Mapping[type[Operator], Adapter]] = {
        ConvTranspose: transposed_kernel,
        AdaptiveAvgPool: AdaptiveAvgKernel.made,
        AdaptiveMaxPool: AdaptiveMaxKernel.made,
        Unfold: UnfoldKernel.made,
        Fold: FoldKernel.made,
        MaxUnpool: MaxUnpoolKernel.made,
        Dilation: MorphologyKernel.made,
        Erosion: MorphologyKernel.made,
        Dense: DenseKernel.made,
        BatchNorm: BatchNormKernel.made,
        Flatten: FlattenKernel.made,
        ReLU: PointwiseKernel.made,
        LeakyReLU: PointwiseKernel.made,
        Sigmoid: PointwiseKernel.made,
        Tanh: PointwiseKernel.made,
        Softplus: PointwiseKernel.made,
        Softmax: SoftmaxKernel.made,
        LogSoftmax: LogSoftmaxKernel.made,
        CrossEntropy: CrossEntropyKernel.made,
        SquaredError: SquaredErrorKernel.made,
    }

    def stated(self, request: Request) -> Kernel:
        return StatedKernel.made(request, self)

    def check_threads(self, threads: int) -> None:
        if threads != 1:
            raise ArgumentError(
                "threads",
                threads,
                "must be 1 for the backend 'numpy'",
                "set the threads of NumPy's BLAS by its variable",
            )


BACKEND = NumpyBackend(
    (
        Im2colPlan(),
        WinogradPlan(),
        AccurateWinogradPlan(),
        RowsPlan(),
        SeparablePlan(),
        SpectralPlan(),
        TapsPlan(),
        FoldPlan("separable"),
        FoldPlan("taps"),
    )
)
"""What ``backend="numpy"`` is; its plans in the order in which those with the same estimate are taken."""
