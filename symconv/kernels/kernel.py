"""A kernel: an operator's formula as a function of NumPy arrays, with the derivatives that follow from it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np

from symconv.errors import ArgumentError, NotSupportedError
from symconv.kernels.arguments import (
    Arrangement,
    Types,
    arrange,
    as_array,
    engine_bias,
    engine_weight,
    fit,
    types_of,
    user_weight,
)
from symconv.kernels.chain import ChainEngine
from symconv.kernels.gemm import MatrixEngine
from symconv.kernels.lambdified import Emitted
from symconv.kernels.layout import Layout, layout_of
from symconv.kernels.padding import Array
from symconv.kernels.plans import chain_of
from symconv.kernels.tapform import TapForm
from symconv.operators.base import Operator
from symconv.operators.pooling import MaxPool

__all__ = ["Compiled", "Gradients", "Kernel"]

LAYOUTS = 64
"""How many input sizes a kernel remembers the layout of."""


@dataclass(frozen=True)
class Gradients:
    """The vector-Jacobian products of one upstream gradient; None for what the operator does not have."""

    input: Array
    weight: Array | None = None
    bias: Array | None = None


class Compiled:
    """What kernels of one operator and plan share: the tap form, the programs, the layouts seen so far."""

    def __init__(self, op: Operator, form: TapForm, plan: str) -> None:
        self.op, self.form, self.plan = op, form, plan
        self.engine: ChainEngine | MatrixEngine = (
            MatrixEngine(form) if plan == "gemm" else ChainEngine(chain_of(form, plan))
        )
        self.forward = self.engine.forward_programs()
        self._layouts: OrderedDict[tuple[int, ...], Layout] = OrderedDict()

    @property
    def grouped(self) -> bool:
        """Whether the engine keeps groups and channels of a group apart."""
        return isinstance(self.engine, MatrixEngine)

    def layout(self, sizes: tuple[int, ...]) -> Layout:
        """The layout at an input size.

        Raises:
            GeometryError: where no window fits.
        """
        found = self._layouts.get(sizes)
        if found is None:
            self.op.output_size(sizes)
            found = layout_of(self.form, sizes)
            if len(self._layouts) >= LAYOUTS:
                self._layouts.popitem(last=False)
            self._layouts[sizes] = found
        return found


class Kernel:
    """``kernel(x, weight, bias)``: an operator, compiled. Made by `compile`.

    Attributes:
        op: the operator.
        plan: the name of the plan.
        source: the NumPy source of what runs on each block of the arrays, one function a stage.

    Arrays are ``(N, C, *spatial)``, ``(C, *spatial)`` or ``(*spatial)``, the last for a pooling, and for a convolution
    with one input and one output channel; the result is laid out like the input. Arguments are never written to.

    Types: float32 and float64 stay what they are, float16 is computed in float32. A convolution of integers is exact,
    in int64, and refused where it might overflow; a maximum keeps its integer type. Averages and LP norms of integers
    are refused, as they are no integers. Where types differ, NumPy's promotion decides.
    """

    def __init__(self, compiled: Compiled, weight: Array | None) -> None:
        self._compiled = compiled
        self._weight = weight
        self.op = compiled.op
        self.plan = compiled.plan

    def __repr__(self) -> str:
        return f"<Kernel of {self.op!r}, plan {self.plan!r}>"

    @property
    def source(self) -> str:
        """The NumPy source of what runs on each block of the arrays, one function a stage."""
        return self._listing(self._compiled.forward)

    @property
    def gradient_source(self) -> str:
        """The NumPy source of the gradients, likewise.

        Raises:
            NotSupportedError: for ``ties="set"``.
        """
        return self._listing(self._compiled.engine.pullback_programs())

    def _listing(self, programs: list[Emitted]) -> str:
        functions = "\n\n".join(emitted.source for emitted in programs)
        return f"# {self.op!r}, plan {self.plan!r}\nimport numpy\n\n\n{functions}"

    # ------------------------------------------------------------------ calls

    def __call__(self, x: Any, weight: Any = None, bias: Any = None, *, return_indices: bool = False) -> Any:
        """The output.

        Args:
            x: the input, ``(N, C, *spatial)``, ``(C, *spatial)`` or ``(*spatial)``.
            weight: ``(out, in/groups, *kernel)``, or ``(*kernel)`` for one input and one output channel.
            bias: ``(out,)``.
            return_indices: for `MaxPool`: also return the flat index, in its input plane, of each maximum (int64; the
                first one in row-major order, the first NaN if there is one, -1 for a window without a real tap).

        Returns:
            The output array, or with `return_indices` a pair ``(output, indices)``.

        Raises:
            ArgumentError: for a shape or a type that does not fit; GeometryError where no window fits.
        """
        call = _Call(self, x, weight, bias)
        if return_indices and not isinstance(self.op, MaxPool):
            raise ArgumentError("return_indices", True, "must be False for an operator other than MaxPool")
        call.refuse_inexact()
        y = call.restore(call.forward())
        if not return_indices:
            return y
        assert isinstance(call.engine, ChainEngine)
        indices = call.engine.indices(call.x, call.layout, call.types.compute)
        return y, indices.reshape(*call.arrangement.lead_out, *call.layout.outputs)

    def vjp(self, grad_output: Any, x: Any, weight: Any = None, bias: Any = None) -> Gradients:
        """The gradients of ``<grad_output, kernel(x, weight, bias)>``, each in the shape and type of its variable.

        Args:
            grad_output: the upstream gradient, in the shape of the output.
            x, weight: as for the call.
            bias: not needed; its gradient does not depend on it.

        Raises:
            ArgumentError: for a shape or a type that does not fit.
            NotSupportedError: for ``ties="set"``, whose gradient is a set.
        """
        call = _Call(self, x, weight, bias, bias_needed=False)
        call.refuse_integers("vjp")
        g = as_array("grad_output", grad_output)
        fit("grad_output", g, (*call.arrangement.lead_out, *call.layout.outputs), "the shape of the output")
        arranged = g.reshape(*call.arrangement.engine_out, *call.layout.outputs).astype(call.types.compute, copy=False)
        with np.errstate(all="ignore"):
            to_input, to_weight = call.engine.pull(arranged, call.x, call.layout, call.given)
        result = to_input.reshape(call.shape).astype(call.types.of(call.x), copy=False)
        if call.weight is None or to_weight is None:
            return Gradients(result)
        of_weight = user_weight(self._compiled.form, to_weight, self._compiled.grouped, call.weight.shape)
        of_bias = None
        if self._compiled.form.letter("bias") is not None:
            # every output is its channel's bias plus terms without it
            ndim = len(call.layout.axes)
            summed = arranged.sum(axis=(0, *range(-ndim, 0)), dtype=np.float64).reshape(-1)
            of_bias = summed.astype(call.types.result if call.bias is None else call.types.of(call.bias))
        return Gradients(result, of_weight.astype(call.types.of(call.weight), copy=False), of_bias)

    def jvp(
        self, x: Any, weight: Any = None, bias: Any = None, *, dx: Any = None, dweight: Any = None, dbias: Any = None
    ) -> Array:
        """The tangent of the output at ``(x, weight, bias)`` for tangents of these; None is a zero tangent.

        Raises:
            ArgumentError: for a shape or a type that does not fit.
            NotSupportedError: for ``ties="set"``.
        """
        call = _Call(self, x, weight, bias, bias_needed=False)
        call.refuse_integers("jvp")
        form, grouped = self._compiled.form, self._compiled.grouped
        if form.channels is None and (dweight is not None or dbias is not None):
            raise ArgumentError("dweight, dbias", (dweight, dbias), f"must be left out: {self.op!r} has no weights")
        if dbias is not None and form.letter("bias") is None:
            raise ArgumentError("dbias", dbias, f"must be left out: {self.op!r} has no bias")
        total = np.zeros((*call.arrangement.engine_out, *call.layout.outputs), call.types.compute)
        with np.errstate(all="ignore"):
            if dx is not None:
                tangent = fit("dx", as_array("dx", dx), call.shape, "the shape of x")
                moved = tangent.reshape(call.x.shape)
                total += call.engine.push(call.x, moved, call.layout, call.given, call.types.compute)
            if dweight is not None:
                array = as_array("dweight", dweight)
                call.given[call.letter("weight")] = engine_weight(form, array, grouped, "dweight").astype(
                    call.types.compute
                )
                if form.letter("bias") is not None:
                    call.given[call.letter("bias")] = np.zeros_like(call.given[call.letter("bias")])
                total += call.engine.forward(call.x, call.layout, call.given, call.types.compute)
            if dbias is not None:
                moved = engine_bias(form, as_array("dbias", dbias), grouped, "dbias")
                total += moved.reshape(call.arrangement.engine_out[1:] + (1,) * len(call.layout.axes))
        return call.restore(total)

    # ------------------------------------------------------------------ what it does

    def explain(self) -> str:
        """The plan in words: the stages, how many array operations an output costs, what memory is touched."""
        compiled = self._compiled
        taps = 1
        for walk in compiled.form.walks:
            taps *= walk.taps
        lines = [f"{self.op!r}", f"plan: {self.plan} (NumPy, one thread outside of BLAS)"]
        channels = compiled.form.channels
        if isinstance(compiled.engine, MatrixEngine):
            depth = compiled.engine.inner
            lines += [
                f"  the {taps} taps of a block of outputs become the columns of a matrix; for each of "
                f"{channels.groups if channels else 1} group(s) a product "
                f"({compiled.engine.outer} x {depth}) @ ({depth} x positions)",
                f"operations: {2 * depth} an output entry",
                "bytes: the input once into a padded copy (where there is padding), columns block by block in at most "
                "about 1 MB, the output once",
            ]
            return "\n".join(lines)
        for number, emitted in enumerate(compiled.forward, 1):
            lines.append(f"  stage {number}: {emitted.program.name}, {emitted.program.operations} passes over a block")
        total = sum(emitted.program.operations for emitted in compiled.forward)
        lines += [
            f"operations: {total} an entry ({taps} taps)",
            "bytes: the input once into a padded copy (where there is padding), blocks of about 256 kB that stay in "
            "the cache, the output once",
        ]
        return "\n".join(lines)


class _Call:
    """The arguments of one call, checked and arranged for the engine."""

    def __init__(self, kernel: Kernel, x: Any, weight: Any, bias: Any, *, bias_needed: bool = True) -> None:
        compiled = kernel._compiled
        self.compiled, self.engine, form = compiled, compiled.engine, compiled.form
        array = as_array("x", x)
        self.shape = array.shape
        self.arrangement: Arrangement = arrange(form, array.shape, compiled.grouped)
        self.layout = compiled.layout(self.arrangement.sizes)
        self.x = array.reshape(*self.arrangement.engine_in, *self.arrangement.sizes)
        self.weight = self._optional("weight", weight, kernel)
        self.bias = self._optional("bias", bias, kernel, needed=bias_needed)
        arrays = [a for a in (array, self.weight, self.bias) if a is not None]
        self.types: Types = types_of(arrays, keep_integers=form.channels is None)
        self.given: dict[str, Array] = {}
        if self.weight is not None:
            engine = engine_weight(form, self.weight, compiled.grouped)
            self.given[self.letter("weight")] = engine.astype(self.types.compute, copy=False)
        if form.letter("bias") is not None:
            assert form.channels is not None
            value = np.zeros(form.channels.total_out, self.types.compute) if self.bias is None else self.bias
            engine = engine_bias(form, value, compiled.grouped)
            self.given[self.letter("bias")] = engine.astype(self.types.compute, copy=False)

    def letter(self, role: str) -> str:
        """The letter of a tensor that is there."""
        letter = self.compiled.form.letter(role)
        assert letter is not None
        return letter

    def _optional(self, role: str, value: Any, kernel: Kernel, needed: bool = True) -> Array | None:
        """A weight or a bias: there if and only if the operator has one."""
        bound = kernel._weight if role == "weight" else None
        if self.compiled.form.letter(role) is None:
            if value is not None:
                raise ArgumentError(role, type(value).__name__, f"must be left out: {kernel.op!r} has no {role}")
            return None
        if bound is not None:
            if value is not None:
                raise ArgumentError(role, type(value).__name__, "must be left out: it was bound by compile(weight=...)")
            return bound
        if value is None:
            if needed:
                raise ArgumentError(role, None, f"must be given: {kernel.op!r} has a {role}")
            return None
        return as_array(role, value)

    def refuse_inexact(self) -> None:
        """Refuse integers where the result would not be exact."""
        if not self.types.exact:
            return
        form = self.compiled.form
        if form.channels is not None:
            self._refuse_overflow()
        elif not (isinstance(self.engine, ChainEngine) and self.engine.fill):
            raise ArgumentError(
                "x",
                self.x.dtype.name,
                f"must have a floating dtype: {type(self.compiled.op).__name__} of integers is no integer",
                "pass x.astype('float64')",
            )
        elif self.layout.empty_windows:
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

    def forward(self) -> Array:
        """The output as the engine arranges it."""
        with np.errstate(all="ignore"):
            return self.engine.forward(self.x, self.layout, self.given, self.types.compute)

    def restore(self, y: Array) -> Array:
        """An output laid out like the input of the call, in the type of the result."""
        shaped = y.reshape(*self.arrangement.lead_out, *self.layout.outputs)
        return shaped.astype(self.types.result, copy=False)
