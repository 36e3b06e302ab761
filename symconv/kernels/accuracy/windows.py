"""The bounds of convolutions and poolings: which promise the plan of a call makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any, cast

import numpy as np

from symconv.doors import one_of
from symconv.errors import ArgumentError, NotSupportedError
from symconv.kernels.accuracy.bound import ErrorBound, rounds, sized
from symconv.kernels.accuracy.filtering import Filtering
from symconv.kernels.accuracy.low_rank import LowRankSum
from symconv.kernels.accuracy.magnitudes import Magnitudes
from symconv.kernels.accuracy.pooling import pooling_promise
from symconv.kernels.accuracy.programs import roundings_of_chain
from symconv.kernels.accuracy.promise import Exact, TaskPromise, settled
from symconv.kernels.accuracy.spectra import ProductOfSpectra
from symconv.kernels.accuracy.sums import BiasSum, SumOfProducts
from symconv.kernels.accuracy.terms import most_terms
from symconv.kernels.accuracy.transposing import OTHER, ExchangedPromise, exchanged
from symconv.kernels.accuracy.units import Unit
from symconv.kernels.form.tapform import TapForm
from symconv.kernels.plans.folds import FoldEngine
from symconv.kernels.plans.rows import ONE_ROW
from symconv.kernels.plans.separable import SeparablePlan, factors
from symconv.kernels.plans.spectral import SpectralPlan, tiles_of
from symconv.kernels.plans.taps import TapsEngine
from symconv.kernels.plans.winograd import AccurateWinogradPlan, WinogradPlan
from symconv.kernels.runtime.arguments import as_array, fit
from symconv.kernels.runtime.call import Arguments
from symconv.kernels.runtime.compiled import Compiled
from symconv.kernels.runtime.engine import Engine
from symconv.kernels.runtime.geometry import adjoint_lines, lines_of
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import CallShape, Plan, Task

__all__ = ["RESULTS", "bound_of_call", "promise_of", "transposed_promise"]

RESULTS = ("output", "input", "weight", "bias")
"""What a bound can be asked for."""


def any_order(form: TapForm, call: CallShape, task: Task, conversions: int) -> SumOfProducts:
    """A sum of all products in some order, and then the bias."""
    terms = most_terms(form, call.layout, call.batch, task)
    bias = task == "output" and form.letter("bias") is not None
    return SumOfProducts(Unit.of(call.dtype), task, terms, terms + bias + conversions, bias)


def low_rank(form: TapForm, call: CallShape, task: Task, conversions: int) -> TaskPromise:
    """One axis after the other; the gradient of the weight is a direct sum."""
    direct = any_order(form, call, task, conversions)
    if task == "weight" or call.weight is None:
        return direct
    rank = factors(call.weight[:, 0, 0].astype(call.dtype)).rank
    m, n = (walk.taps for walk in form.walks)
    return LowRankSum(direct.unit, direct, rank, (m, n), direct.bias + conversions)


def filtering(m: int) -> Callable[[TapForm, CallShape, Task, int], TaskPromise]:
    """Minimal filtering with m outputs of a tile along an axis."""

    def promise(form: TapForm, call: CallShape, task: Task, conversions: int) -> TaskPromise:
        direct, channels = any_order(form, call, task, conversions), form.channels
        assert channels is not None
        terms = channels.per_group_in if task == "output" else channels.per_group_out
        if task == "weight":
            terms = call.batch * prod(-(-line.outputs // m) for line in lines_of(call.layout))
        taps = tuple(walk.taps for walk in form.walks)
        return Filtering(direct.unit, direct, m, taps, terms, direct.bias + conversions)

    return promise


def spectra(form: TapForm, call: CallShape, task: Task, conversions: int) -> TaskPromise:
    """Products of spectra, tile by tile."""
    direct, lines = any_order(form, call, task, conversions), lines_of(call.layout)
    if task == "input":
        lines = adjoint_lines(lines)
    shape, tiles = tiles_of((lines[0], lines[1]) if len(lines) == 2 else (ONE_ROW, lines[0]), call.dtype.itemsize)
    added = call.batch * len(tiles) if task == "weight" else 1
    return ProductOfSpectra(direct.unit, direct, shape, added, direct.bias + conversions)


PROMISES: dict[type[Plan], Callable[[TapForm, CallShape, Task, int], TaskPromise]] = {
    WinogradPlan: filtering(WinogradPlan.m),
    AccurateWinogradPlan: filtering(AccurateWinogradPlan.m),
    SeparablePlan: low_rank,
    SpectralPlan: spectra,
}
"""What the plans of a convolution promise that are not `direct`: of a form at the sizes of a call, when so many factors
of a product were rounded before. "taps" counts the roundings of its program instead; a plan that is neither promises
nothing, whatever its name is."""


def promise_of(
    plan: Plan, engine: Engine, form: TapForm, call: CallShape, task: Task, conversions: int = 0
) -> TaskPromise | None:
    """The promise of a plan; None where it promises nothing."""
    unit = Unit.of(call.dtype)
    if form.channels is None:
        if not isinstance(engine, FoldEngine):
            return None
        return pooling_promise(form, engine, unit, call.layout, task, conversions)
    if isinstance(engine, TapsEngine):
        direct = any_order(form, call, task, conversions)
        if task != "output":
            return direct
        counted = roundings_of_chain((e.program for e in engine.chain.forward_programs()), unit, form.input)
        return replace(direct, roundings=counted + form.channels.per_group_in - 1 + conversions)
    promise = any_order if plan.direct else PROMISES.get(type(plan))
    return None if promise is None else promise(form, call, task, conversions)


def bound_of_call(arguments: Arguments, of: str, grad_output: Any, inner: Compiled | None = None) -> ErrorBound:
    """The bound of one result of a call.

    Args:
        arguments: the arguments of the call.
        of: "output", "input", "weight" or "bias".
        grad_output: the upstream gradient, for a gradient.
        inner: the convolution, for a transposed one.

    Raises:
        ArgumentError: for another name, or an upstream gradient that is missing or does not fit.
        NotSupportedError: where the plan promises nothing.
    """
    one_of("of", of, RESULTS)
    types, compiled = arguments.types, inner or arguments.compiled
    if types.exact:
        return ErrorBound("integers", of, None, np.zeros(arguments.frame.result))
    upstream = _upstream(arguments, of, grad_output)
    task = cast("Task", "weight" if of == "bias" else of)
    call = arguments.described()
    plan = arguments.compiled.ranked(task, call)[0][1]
    engine = compiled.made(plan)
    with np.errstate(all="ignore"):
        magnitudes, conversions = _magnitudes(arguments, engine, upstream, of)
    variable, result = _variable(arguments, of)
    promise: TaskPromise | None
    if of == "bias":
        assert upstream is not None
        terms = upstream.size // max(1, prod(variable))
        wide = rounds(upstream, types.compute)
        promise = BiasSum(Unit.of(np.dtype(np.float64)), terms, Unit.of(types.compute) if wide else None)
    elif inner is None:
        promise = promise_of(plan, engine, compiled.form, call, task, conversions)
    else:
        magnitudes = exchanged(magnitudes, compiled.form, engine, arguments.frame.shape_out)
        promise = transposed_promise(plan, inner, call, task, "bias" in magnitudes.given, conversions)
    if promise is None:
        raise NotSupportedError(f"the plan {plan.name!r} promises no bound for the {of} of {arguments.compiled.op!r}")
    if isinstance(promise, Exact):
        return ErrorBound(plan.name, of, promise, np.zeros(variable))
    with np.errstate(all="ignore"):
        found = settled(promise.error(magnitudes), promise.unit, Unit.of(result))
    return ErrorBound(plan.name, of, promise, found.reshape(variable))


def transposed_promise(
    plan: Plan, inner: Compiled, call: CallShape, task: Task, bias: bool, conversions: int = 0
) -> TaskPromise | None:
    """The promise of a transposed convolution that a convolution, `inner`, computes with tasks exchanged."""
    further = conversions + bias
    found = promise_of(plan, inner.made(plan), inner.form, call, OTHER[task], further)
    return None if found is None else ExchangedPromise(found.unit, found, bias)


def _upstream(arguments: Arguments, of: str, grad_output: Any) -> Array | None:
    if of == "output":
        if grad_output is not None:
            raise ArgumentError("grad_output", type(grad_output).__name__, "must be left out for the output")
        return None
    if grad_output is None:
        raise ArgumentError("grad_output", None, f"must be given for the gradient of the {of}")
    g = fit("grad_output", as_array("grad_output", grad_output), arguments.frame.result, "the shape of the output")
    return g.reshape(arguments.frame.shape_out)


def _magnitudes(arguments: Arguments, engine: Engine, upstream: Array | None, of: str) -> tuple[Magnitudes, int]:
    """The absolute values, and how many of the two factors of a product are rounded before they are multiplied."""
    compute = arguments.types.compute
    given: dict[str, Array] = {}
    if arguments.weight is not None:
        given["weight"] = arguments.given["weight"].astype(np.float64)
    if arguments.bias is not None and of == "output":
        assert arguments.frame.bias is not None
        given["bias"] = sized(arguments.bias, compute).reshape(arguments.frame.bias)
    x = arguments.x
    if arguments.compiled.form.channels is None:  # a pooling takes planes, in row-major order
        sizes = arguments.layout.sizes
        x = np.ascontiguousarray(arguments.array).reshape(prod(arguments.array.shape[: -len(sizes)]), *sizes)
        if upstream is not None:
            upstream = np.ascontiguousarray(upstream).reshape(len(x), *arguments.layout.outputs)
    magnitudes = Magnitudes(
        arguments.compiled.form,
        arguments.layout,
        engine,
        x.astype(np.float64),
        sized(x, compute),
        given,
        None if upstream is None else sized(upstream, compute),
        Unit.of(compute),
    )
    factors = {"output": (x, arguments.weight), "input": (upstream, arguments.weight)}
    used = factors.get(of, (upstream, x))
    return magnitudes, sum(array is not None and rounds(array, compute) for array in used)


def _variable(arguments: Arguments, of: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """The shape and the type of a result."""
    types = arguments.types
    if of == "output":
        return arguments.frame.result, np.dtype(types.result)
    array = {"input": arguments.array, "weight": arguments.weight, "bias": arguments.bias}[of]
    if array is not None:
        return array.shape, np.dtype(types.of(array))
    channels = arguments.compiled.form.channels
    if of == "bias" and channels is not None and arguments.compiled.form.letter("bias") is not None:
        return (channels.total_out,), np.dtype(types.result)
    raise ArgumentError("of", of, f"must be a variable of {arguments.compiled.op!r}")
