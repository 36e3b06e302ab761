"""The backend "halide": formulas as Halide algorithms with schedules by pattern, compiled for this machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from symconv.errors import ArgumentError, NotSupportedError
from symconv.kernels.adapters.through import BatchNormKernel, DenseKernel
from symconv.kernels.adapters.transposed import transposed_kernel
from symconv.kernels.backends.halide.correlation import CorrelationPlan
from symconv.kernels.backends.halide.pooling import PoolingPlan
from symconv.kernels.backends.halide.script import words_for
from symconv.kernels.backends.halide.terms import HalideMorphologyKernel, HalideStatedKernel
from symconv.kernels.backends.halide.wheel import required
from symconv.kernels.runtime.backend import Adapter, Backend, Request
from symconv.kernels.runtime.contract import Kernel
from symconv.operators.base import Operator
from symconv.operators.dense import Dense
from symconv.operators.morphology import Dilation, Erosion
from symconv.operators.normalisation import BatchNorm
from symconv.operators.transposed import ConvTranspose

__all__ = ["BACKEND", "HalideBackend"]

MOST = 256
"""The threads that Halide keeps at most; where HL_NUM_THREADS does not say so, it has one a processor."""


class HalideBackend(Backend):
    """Plans whose engines are Halide pipelines, compiled when they are first called."""

    name = "halide"
    words = "the interpreter is held during a call"
    adapters: ClassVar[Mapping[type[Operator], Adapter]] = {
        ConvTranspose: transposed_kernel,
        Dense: DenseKernel.made,
        BatchNorm: BatchNormKernel.made,
        Dilation: HalideMorphologyKernel.made,
        Erosion: HalideMorphologyKernel.made,
    }

    def words_for(self, threads: int) -> str:
        return f"{words_for(threads)}; {self.words}"

    def stated(self, request: Request) -> Kernel:
        return HalideStatedKernel.made(request, self)

    def kernel(self, request: Request) -> Kernel:
        required()  # refused here, and not at the first call
        try:
            return super().kernel(request)
        except NotSupportedError as error:
            why = f"Halide runs no kernel of {request.op!r} ({error})"
            raise NotSupportedError(f"{why}; run it with backend='numpy'") from None

    def check_threads(self, threads: int) -> None:
        if not 1 <= threads <= MOST:
            raise ArgumentError("threads", threads, f"must be from 1 to {MOST}, those that Halide has at most")


BACKEND = HalideBackend(
    (CorrelationPlan("tiles"), CorrelationPlan("taps"), PoolingPlan("separable"), PoolingPlan("taps"))
)
"""What ``backend="halide"`` is."""
