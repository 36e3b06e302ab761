"""What runs a plan: arrays in, arrays out, for the output and for the derivatives."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from symconv.kernels.form.tapform import TapForm
from symconv.kernels.runtime.geometry import Line, adjoint_lines, lines_of, phases
from symconv.kernels.runtime.layout import Layout
from symconv.kernels.runtime.padding import Array, Padded, add_unpadded

__all__ = ["NOTHING", "ConvEngine", "Engine", "Given", "Known", "source_of"]

Given: TypeAlias = Mapping[str, Array]
"""The parameters of a call: "weight" ``(groups, out, in, *kernel)`` and "bias" ``(groups, out)``, if there are any."""


@dataclass(frozen=True)
class Known:
    """What is at hand of the forward pass when a gradient is computed, as an engine has it.

    Attributes:
        output: the output, in the type that is computed in.
        indices: of a maximum, the flat index of each output in its input plane, -1 where there is none.
    """

    output: Array | None = None
    indices: Array | None = None


NOTHING = Known()


class Engine(ABC):
    """The functions that a plan has made for an operator.

    Inputs are ``(batch, groups, channels of a group, *sizes)`` for a convolution and ``(planes, *sizes)`` for a
    pooling, ``(N, C, *sizes)`` where its channels are last in memory; their strides are any. Results are new arrays.
    Nothing that is handed in is written to.

    Attributes:
        heading: what stands above its sources.
        threads: how many threads may be used.
    """

    heading: str = "import numpy"
    threads: int = 1

    @abstractmethod
    def forward(self, x: Array, layout: Layout, given: Given, dtype: npt.DTypeLike) -> Array:
        """The output, computed in `dtype`."""

    @abstractmethod
    def input_gradient(self, g: Array, x: Array, layout: Layout, given: Given, known: Known = NOTHING) -> Array:
        """The gradient of the input for the upstream gradient `g`, in the shape of `x`."""

    @abstractmethod
    def weight_gradient(self, g: Array, x: Array, layout: Layout, given: Given) -> Array:
        """The gradient of the weight for the upstream gradient `g`, in the shape of the weight."""

    def push(self, x: Array, tangent: Array, layout: Layout, given: Given, dtype: npt.DTypeLike) -> Array:
        """The tangent of the output for a tangent of the input; here for an output that is linear up to its bias."""
        return self.forward(tangent, layout, {name: v for name, v in given.items() if name != "bias"}, dtype)

    def indices(self, x: Array, layout: Layout, dtype: npt.DTypeLike) -> Array:
        """The flat index in its input plane of every output, for a form that picks an entry; -1 where there is none."""
        raise NotImplementedError(f"{type(self).__name__} picks no entry of a window")

    @property
    @abstractmethod
    def source(self) -> str:
        """The NumPy source of the output."""

    @property
    def gradient_source(self) -> str:
        """The NumPy source of the gradients, where that is another."""
        return self.source

    @property
    def stages(self) -> tuple[str, ...]:
        """What happens, a line a stage."""
        return ()


class ConvEngine(Engine):
    """An engine that can correlate: padding, flipping and the gradient of the input are reduced to that.

    Args:
        form: the tap form of a convolution.
        weight: the bound weight, or None.
    """

    def __init__(self, form: TapForm, weight: Array | None) -> None:
        self.form, self.bound = form, weight is not None
        self._lines: dict[tuple[int, ...], tuple[tuple[Line, ...], bool]] = {}
        self._turned: dict[Any, Array] = {}
        self.flipped = tuple(axis - len(form.walks) for axis, walk in enumerate(form.walks) if walk.step < 0)

    @abstractmethod
    def correlate(self, x: Array, weight: Array, lines: tuple[Line, ...], out: Array, *, turned: bool = False) -> None:
        """Write ``out[o] = sum over channels and taps of x[stride*o + step*m - before] * weight[m]`` to `out`.

        Args:
            x: ``(batch, groups, in, *sizes)``; 0 outside of its sizes.
            weight: ``(groups, out, in, *kernel)``, taps in the order of the positions that they read.
            lines: how each spatial axis is read.
            out: ``(batch, groups, out, *outputs)``, contiguous, of the type of the weight.
            turned: whether this is the gradient of the input rather than the output.
        """

    @abstractmethod
    def contract(self, x: Array, g: Array, lines: tuple[Line, ...]) -> Array:
        """The gradient of the weight: ``sum over items and o of g[o] * x[stride*o + step*m - before]``.

        The shapes are those of `correlate`; the result is ``(groups, out, in, *kernel)``.
        """

    def ascending(self, weight: Array) -> Array:
        """A weight with its taps in the order of the positions that they read, and back."""
        # contiguous, because a matrix product of a view that runs backwards is none of the BLAS
        return np.ascontiguousarray(np.flip(weight, self.flipped)) if self.flipped else weight

    def _turn(self, weight: Array) -> Array:
        """A weight with its taps backwards and its channels exchanged, which gives the gradient of the input."""
        turned: Array = np.flip(self.ascending(weight).swapaxes(1, 2), tuple(range(3, weight.ndim))).copy()
        return turned

    def padded(self, x: Array, layout: Layout, dtype: npt.DTypeLike) -> tuple[Array, tuple[Line, ...]]:
        """The input and how it is read: padding with anything but zeros is built."""
        lines, built = self.lines(layout)
        return (Padded(layout, 0.0)(x, dtype) if built else x), lines

    def lines(self, layout: Layout) -> tuple[tuple[Line, ...], bool]:
        """How the input is read at a size, and whether its padding has to be built first; remembered."""
        found = self._lines.get(layout.sizes)
        if found is None:
            if len(self._lines) >= 64:
                self._lines.clear()
            built = any(len(axis.border) for axis in layout.axes)
            found = self._lines[layout.sizes] = lines_of(layout), built
        return found

    def forward(self, x: Array, layout: Layout, given: Given, dtype: npt.DTypeLike) -> Array:
        weight = given["weight"]
        source, lines = self.padded(x, layout, dtype)
        y = np.empty((len(x), *weight.shape[:2], *layout.outputs), dtype)
        self.correlate(source, self.ascending(weight), lines, y)
        bias = given.get("bias")
        if bias is not None:
            y += bias.reshape(*bias.shape, *[1] * len(lines))
        return y

    def input_gradient(self, g: Array, x: Array, layout: Layout, given: Given, known: Known = NOTHING) -> Array:
        weight = given["weight"]
        turned = self.kept(self._turned, weight.dtype, weight, self._turn)
        lines, built = self.lines(layout)
        sizes = tuple(line.size for line in lines)
        gradient = np.empty((*x.shape[:3], *sizes), g.dtype)
        if all(line.stride == 1 for line in lines):
            self.correlate(g, turned, adjoint_lines(lines), gradient, turned=True)
        else:
            every: tuple[Any, ...] = (...,)
            for where, taps, reads in phases(lines):
                if all(line.taps for line in reads):
                    part = np.empty((*x.shape[:3], *(line.outputs for line in reads)), g.dtype)
                    self.correlate(g, np.ascontiguousarray(turned[every + taps]), reads, part, turned=True)
                    gradient[every + where] = part
                else:
                    gradient[every + where] = 0
        return self.unpadded(gradient, x.shape, layout) if built else gradient

    @staticmethod
    def unpadded(gradient: Array, shape: tuple[int, ...], layout: Layout) -> Array:
        """The gradient of an input of a shape, given that of its padded one."""
        result = np.zeros(shape, gradient.dtype)
        add_unpadded(gradient, layout, result)
        return result

    def weight_gradient(self, g: Array, x: Array, layout: Layout, given: Given) -> Array:
        source, lines = self.padded(x, layout, g.dtype)
        return self.ascending(self.contract(source, g, lines))

    def kept(self, store: dict[Any, Any], key: Any, weight: Array, make: Callable[[Array], Any]) -> Any:
        """What `make` computes from the weight: kept from call to call where the weight is bound, and only there."""
        if not self.bound:
            return make(weight)
        found = store.get(key)  # asked once: another thread may empty the store in between
        if found is None:
            found = store[key] = make(weight)
        return found


def source_of(*functions: Callable[..., Any]) -> str:
    """The source of functions, one after the other."""
    return "\n\n".join(inspect.getsource(function) for function in functions)
