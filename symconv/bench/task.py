"""A numeric task: an operator, sizes and a type; its data, and the kernel of ours that does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from symconv.kernels.runtime.kernel import WindowKernel
    from symconv.operators.base import Operator

__all__ = ["Data", "Direction", "Dtype", "Kind", "Task", "data_of", "kernel_of"]

Direction = Literal["forward", "input gradient", "weight gradient"]
Dtype = Literal["float32", "float64"]
Kind = Literal["conv", "max", "average", "lp"]
Array = NDArray[Any]


@dataclass(frozen=True)
class Task:
    """What is computed, of which sizes; square windows and images.

    Attributes:
        operator: "conv", "max", "average" or "lp" (p = 2).
        batch, channels, size: the input is ``(batch, channels, size, size)``.
        kernel, stride, padding: of the window, on both axes.
        out_channels, groups: of a convolution.
        direction: the output, or which gradient.
        dtype: "float32" or "float64".
        bound: the weight is given at compile time.
        separable: the weight is a product of a column and a row.
        channels_last: input and upstream gradient have the channels of a position next to each other in memory.
        accuracy: the accuracy class that a kernel is compiled for, unless the run says another one.
    """

    operator: Kind
    size: int
    kernel: int
    batch: int = 1
    channels: int = 1
    stride: int = 1
    padding: int = 0
    out_channels: int = 1
    groups: int = 1
    direction: Direction = "forward"
    dtype: Dtype = "float32"
    bound: bool = False
    separable: bool = False
    channels_last: bool = False
    accuracy: str = "default"

    @property
    def plane(self) -> bool:
        """Whether the input is one image, which a library of image filters takes too."""
        return self.batch == self.channels == self.out_channels == 1 and self.stride == 1 and self.padding == 0

    @property
    def outputs(self) -> int:
        """The output size of both axes."""
        return (self.size + 2 * self.padding - self.kernel) // self.stride + 1

    @property
    def input_shape(self) -> tuple[int, int, int, int]:
        """``(N, C, I, I)``."""
        return (self.batch, self.channels, self.size, self.size)

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        """``(out, in/groups, K, K)``."""
        return (self.out_channels, self.channels // self.groups, self.kernel, self.kernel)

    @property
    def output_shape(self) -> tuple[int, int, int, int]:
        """``(N, out, O, O)``."""
        out = self.out_channels if self.operator == "conv" else self.channels
        return (self.batch, out, self.outputs, self.outputs)

    @property
    def taps(self) -> int:
        """How many input entries all outputs read together, window by window."""
        inner = self.channels // self.groups if self.operator == "conv" else 1
        return int(np.prod(self.output_shape)) * inner * self.kernel**2

    def op(self) -> Operator:
        """The operator."""
        from symconv.operators.convolution import Conv
        from symconv.operators.pooling import AvgPool, LPPool, MaxPool

        window = (self.kernel, self.kernel)
        if self.operator == "conv":
            return Conv(
                window,
                self.stride,
                self.padding,
                groups=self.groups,
                in_channels=self.channels,
                out_channels=self.out_channels,
            )
        if self.operator == "lp":
            return LPPool(2, window, self.stride, self.padding)
        pool = MaxPool if self.operator == "max" else AvgPool
        return pool(window, self.stride, self.padding)


@dataclass(frozen=True)
class Data:
    """Arrays for a task.

    Attributes:
        x: the input.
        weight: the weight; None for a pooling.
        column, row: its factors, where it is separable.
        upstream: an upstream gradient.
    """

    x: Array
    weight: Array | None
    column: Array | None
    row: Array | None
    upstream: Array

    @property
    def given_weight(self) -> Array:
        """The weight of a convolution."""
        assert self.weight is not None
        return self.weight


def data_of(task: Task) -> Data:
    """Normally distributed data, the same at every call."""
    generator = np.random.default_rng(20)

    def normal(*shape: int) -> Array:
        drawn: Array = generator.standard_normal(shape).astype(task.dtype)
        return drawn

    def laid(a: Array) -> Array:
        return np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 1, -1)), -1, 1) if task.channels_last else a

    x = laid(normal(*task.input_shape))
    weight = column = row = None
    if task.operator == "conv":
        weight = normal(*task.weight_shape)
        if task.separable:
            column, row = normal(task.kernel), normal(task.kernel)
            weight = np.outer(column, row).reshape(task.weight_shape)
    return Data(x, weight, column, row, laid(normal(*task.output_shape)))


def kernel_of(task: Task, data: Data, accuracy: str, backend: str) -> tuple[WindowKernel, Callable[[], Any]]:
    """Our kernel, and the call that does the task with it."""
    from symconv.kernels.compile import compile
    from symconv.kernels.runtime.kernel import WindowKernel

    weight = data.weight
    kernel = compile(task.op(), backend, accuracy=accuracy, weight=weight if task.bound else None)
    assert isinstance(kernel, WindowKernel)  # what a convolution and a pooling become
    given = None if task.bound else weight
    x, upstream = data.x, data.upstream
    if task.direction == "forward":
        return kernel, (lambda: kernel(x)) if given is None else (lambda: kernel(x, given))
    if task.direction == "weight gradient":
        return kernel, lambda: kernel.vjp(upstream, x, given, wrt=("weight",)).weight
    known = None  # what a backward pass needs of the forward pass is at hand, for ours as for the peers
    if task.operator != "conv":
        known = kernel(x, return_indices=True) if task.operator == "max" else kernel(x)
    return kernel, lambda: kernel.vjp(upstream, x, given, wrt=("input",), output=known).input
