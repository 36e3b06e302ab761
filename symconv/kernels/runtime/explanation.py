"""Plans in words: which one an input takes, what the others would cost, and what it does."""

from __future__ import annotations

from math import prod

import numpy.typing as npt

from symconv.doors import items, plain_integer
from symconv.errors import ArgumentError
from symconv.kernels.accuracy.windows import promise_of
from symconv.kernels.runtime.arguments import arrange, as_dtype, compute_type
from symconv.kernels.runtime.compiled import Compiled
from symconv.kernels.runtime.plan import CallShape, Plan, Task

__all__ = ["explanation", "nominal", "shape_call"]

NOMINAL = {1: 4096, 2: 224}
"""The size of an axis of the input that is meant where no shape is given; 32 with more axes."""


def nominal(compiled: Compiled) -> tuple[int, ...]:
    """The shape of the input that is meant where none is given: one item, large enough for the window."""
    ndim = len(compiled.form.walks)
    least = NOMINAL.get(ndim, 32)
    sizes = tuple(max(least, 4 * walk.reach + 4 * walk.stride) for walk in compiled.form.walks)
    channels = compiled.form.channels
    return (1, 1 if channels is None else channels.total_in, *sizes)


def shape_call(compiled: Compiled, shape: tuple[int, ...], dtype: npt.DTypeLike) -> CallShape:
    """What a call with an input of a shape and type costs.

    Raises:
        ArgumentError: for a shape or a type that does not fit; GeometryError where no window fits.
    """
    given = as_dtype("dtype", dtype)
    pooled = given.kind != "f" and compiled.form.channels is None
    compute = given if pooled else compute_type(given)
    entries = items(shape)
    if entries is None:
        raise ArgumentError("shape", shape, "must be a tuple of integers")
    arrangement = arrange(compiled.form, tuple(plain_integer("shape", n, 0) for n in entries), "shape")
    return compiled.call(arrangement.engine_in[0], compiled.layout(arrangement.sizes), compute)


def explanation(compiled: Compiled, shape: tuple[int, ...], dtype: npt.DTypeLike) -> str:
    """The plan that an input takes, in a few lines."""
    call = shape_call(compiled, shape, dtype)
    found = compiled.ranked("output", call)
    cost, plan = found[0]
    channels = compiled.form.channels
    entries = call.batch * call.positions * (1 if channels is None else channels.total_out)
    where = f"an input of {'x'.join(map(str, shape))} in {call.dtype.name}"
    why = "asked for" if compiled.forced is plan else "the lowest estimate"
    lines = [f"{compiled.op!r}", f"plan: {plan.name} for {where}, {why} ({compiled.words})"]
    lines += [f"  stage {number}: {stage}" for number, stage in enumerate(compiled.made(plan).stages, 1)]
    lines += [
        f"operations: {cost.multiply_adds / max(entries, 1):.3g} multiply-adds or comparisons an output entry, "
        f"{cost.multiply_adds:.3g} in all",
        f"bytes: {_bytes(cost.bytes)} read and written, {_bytes(cost.scratch)} of working arrays "
        f"(input {_bytes(_input_bytes(compiled, call))}, output {_bytes(entries * call.dtype.itemsize)})",
        f"accuracy: {plan.accuracy}; {plan.error}",
        *_promised(compiled, plan, call, "output"),
        "estimates: " + ", ".join(f"{other.name} {_seconds(c.seconds)}" for c, other in found),
    ]
    tasks: tuple[Task, ...] = ("input",) if channels is None else ("input", "weight")
    for task in tasks:
        listed = ", ".join(f"{other.name} {_seconds(c.seconds)}" for c, other in compiled.ranked(task, call))
        lines.append(f"gradient of the {task}: {listed}")
        lines += _promised(compiled, compiled.ranked(task, call)[0][1], call, task)
    promise = None if call.dtype.kind in "iu" else promise_of(plan, compiled.made(plan), compiled.form, call, "output")
    if promise is not None:
        lines.append(promise.legend)
    return "\n".join(lines)


def _promised(compiled: Compiled, plan: Plan, call: CallShape, task: Task) -> list[str]:
    """The bound that a plan promises, in a line; an integer type needs none."""
    promise = None if call.dtype.kind in "iu" else promise_of(plan, compiled.made(plan), compiled.form, call, task)
    return [] if promise is None else [f"  {promise.line}"]


def _input_bytes(compiled: Compiled, call: CallShape) -> int:
    channels = compiled.form.channels
    return call.batch * (1 if channels is None else channels.total_in) * prod(call.sizes) * call.dtype.itemsize


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"


def _seconds(seconds: float) -> str:
    return f"{seconds * 1e6:.3g} us" if seconds < 1e-3 else f"{seconds * 1e3:.3g} ms"
