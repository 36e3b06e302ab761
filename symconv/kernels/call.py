"""The arguments of one call, checked and arranged for an engine; what depends on shapes and types only is kept."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.errors import ArgumentError, NotSupportedError
from symconv.kernels.arguments import Arrangement, Types, arrange, as_array, engine_bias, engine_weight, types_of
from symconv.kernels.compiled import Compiled, remember
from symconv.kernels.engine import Engine
from symconv.kernels.layout import Layout
from symconv.kernels.padding import Array
from symconv.kernels.plan import Task
from symconv.kernels.stages.plan import StageEngine

__all__ = ["Arguments", "Bound", "Frame"]


@dataclass
class Frame:
    """What all calls with the same shapes and types share.

    Attributes:
        arrangement: how the input is arranged.
        layout: the layout at its size.
        types: the type of the result and the type that is computed in.
        shape_in, shape_out: input and output as an engine has them.
        result: the shape of the output.
        weight, bias: the shapes of the parameters as an engine has them, or None.
        engines: the engines of the tasks seen so far.
    """

    arrangement: Arrangement
    layout: Layout
    types: Types
    shape_in: tuple[int, ...]
    shape_out: tuple[int, ...]
    result: tuple[int, ...]
    weight: tuple[int, ...] | None
    bias: tuple[int, ...] | None
    engines: dict[Task, Engine] = field(default_factory=dict)


class Bound:
    """A weight given at compile time: as the user gave it, and as engines take it in each type."""

    def __init__(self, weight: Array, arranged: Array) -> None:
        self.weight, self._arranged = weight, arranged
        self._in_type: dict[Any, Array] = {}

    def in_type(self, dtype: npt.DTypeLike) -> Array:
        """The weight in a type; the same array every time, which must not be written to."""
        key = np.dtype(dtype)
        if key not in self._in_type:
            converted = self._arranged.astype(key, copy=False)
            converted.flags.writeable = False
            self._in_type[key] = converted
        return self._in_type[key]


class Arguments:
    """The arguments of one call.

    Args:
        compiled: what the kernel runs.
        bound: the weight bound at compile time, or None.
        frames: the frames of calls seen so far.
        x, weight, bias: as the user gave them.
        bias_needed: whether a bias that the operator has must be given.

    Attributes:
        x: the input as an engine takes it.
        given: the parameters as an engine takes them, in the type that is computed in.
        weight, bias: the parameters as the user gave them, or None.
        frame: what the shapes and types decide.

    Raises:
        ArgumentError: for a shape or a type that does not fit; GeometryError where no window fits.
    """

    __slots__ = ("array", "bias", "bound", "compiled", "frame", "given", "weight", "x")

    def __init__(
        self,
        compiled: Compiled,
        bound: Bound | None,
        frames: OrderedDict[Any, Frame],
        x: Any,
        weight: Any,
        bias: Any,
        *,
        bias_needed: bool = True,
    ) -> None:
        self.compiled, self.bound = compiled, bound
        self.array = array = as_array("x", x)
        self.weight = self._weight(weight)
        self.bias = self._bias(bias, bias_needed)
        key = (
            array.shape,
            array.dtype,
            None if self.weight is None else (self.weight.shape, self.weight.dtype),
            None if self.bias is None else (self.bias.shape, self.bias.dtype),
        )
        frame = frames.get(key)
        if frame is None:
            frame = remember(frames, key, self._frame())
        self.frame = frame
        self.x = array.reshape(frame.shape_in)
        self.given: dict[str, Array] = {}
        if frame.weight is not None:
            assert self.weight is not None
            compute = frame.types.compute
            if bound is not None:
                self.given["weight"] = bound.in_type(compute)
            else:
                self.given["weight"] = self.weight.reshape(frame.weight).astype(compute, copy=False)
            if self.bias is not None:
                assert frame.bias is not None
                self.given["bias"] = self.bias.reshape(frame.bias).astype(compute, copy=False)

    def _weight(self, value: Any) -> Array | None:
        """The weight: there if and only if the operator has one, and then either bound or given."""
        if self.bound is not None:
            if value is not None:
                raise ArgumentError(
                    "weight", type(value).__name__, "must be left out: it was bound by compile(weight=...)"
                )
            return self.bound.weight
        if self.compiled.form.channels is None:
            if value is not None:
                raise ArgumentError(
                    "weight", type(value).__name__, f"must be left out: {self.compiled.op!r} has no weight"
                )
            return None
        if value is None:
            raise ArgumentError("weight", None, f"must be given: {self.compiled.op!r} has a weight")
        return as_array("weight", value)

    def _bias(self, value: Any, needed: bool) -> Array | None:
        """The bias: there only if the operator has one."""
        if value is not None:
            if self.compiled.form.letter("bias") is None:
                raise ArgumentError("bias", type(value).__name__, f"must be left out: {self.compiled.op!r} has no bias")
            return as_array("bias", value)
        if needed and self.compiled.form.letter("bias") is not None:
            raise ArgumentError("bias", None, f"must be given: {self.compiled.op!r} has a bias")
        return None

    def _frame(self) -> Frame:
        form = self.compiled.form
        arrangement = arrange(form, self.array.shape)
        layout = self.compiled.layout(arrangement.sizes)
        arrays = [a for a in (self.array, self.weight, self.bias) if a is not None]
        return Frame(
            arrangement,
            layout,
            types_of(arrays, keep_integers=form.channels is None),
            (*arrangement.engine_in, *arrangement.sizes),
            (*arrangement.engine_out, *layout.outputs),
            (*arrangement.lead_out, *layout.outputs),
            None if self.weight is None else engine_weight(form, self.weight).shape,
            None if self.bias is None else engine_bias(form, self.bias).shape,
        )

    @property
    def layout(self) -> Layout:
        """The layout at the size of the input."""
        return self.frame.layout

    @property
    def types(self) -> Types:
        """The types of the call."""
        return self.frame.types

    def engine(self, task: Task) -> Engine:
        """The engine that does a task."""
        found = self.frame.engines.get(task)
        if found is None:
            found = self.frame.engines[task] = self.compiled.engine(task, self._call(True))
        return found

    def engine_for_weights(self) -> Engine:
        """The engine of the output for a weight other than the one bound."""
        return self.compiled.engine("output", self._call(False))

    def _call(self, bound: bool) -> Any:
        return self.compiled.call(self.x.shape[0], self.layout, np.dtype(self.types.compute), bound)

    def restore(self, y: Array) -> Array:
        """An output laid out like the input of the call, in the type of the result."""
        return y.reshape(self.frame.result).astype(self.types.result, copy=False)

    # ------------------------------------------------------------------ integers

    def refuse_inexact(self) -> None:
        """Refuse integers where the result would not be exact."""
        if not self.types.exact:
            return
        if self.compiled.form.channels is not None:
            self._refuse_overflow()
            return
        engine = self.engine("output")
        if not (isinstance(engine, StageEngine) and engine.chain.fill):
            raise ArgumentError(
                "x",
                self.x.dtype.name,
                f"must have a floating dtype: {type(self.compiled.op).__name__} works in floating point",
                "pass x.astype('float64')",
            )
        if self.layout.empty_windows:
            raise ArgumentError(
                "x",
                self.x.dtype.name,
                "must have a floating dtype: a window without a real tap has the maximum "
                "-infinity, which is no integer",
                "pass x.astype('float64')",
            )

    def _refuse_overflow(self) -> None:
        largest = max((abs(int(self.x.min())), abs(int(self.x.max()))), default=0) if self.x.size else 0
        bound = 0
        assert self.weight is not None
        for row in self.weight.reshape(self.weight.shape[0] if self.weight.ndim > len(self.layout.axes) else 1, -1):
            bound = max(bound, sum(abs(int(value)) for value in row.ravel().tolist()))
        most = largest * bound + (max(abs(int(v)) for v in self.bias.tolist()) if self.bias is not None else 0)
        if most >= 1 << 63:
            raise ArgumentError(
                "x",
                self.x.dtype.name,
                f"must be small enough for sums in int64: an output might reach {most:.3g}",
                "pass x.astype('float64')",
            )

    def refuse_integers(self, what: str) -> None:
        """Refuse integers where a derivative is asked for."""
        if self.types.exact:
            raise NotSupportedError(
                f"{what} needs a floating dtype, got x of {self.x.dtype.name}; pass x.astype('float64')"
            )
