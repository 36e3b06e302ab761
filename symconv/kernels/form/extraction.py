"""From an operator to its tap form, read off its formula; what has no tap form is refused."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Literal

import numpy as np

from symconv.errors import ArgumentError, NotSupportedError
from symconv.formulas.algebra import ONE, Access, Bound, Guard, Node, Reduce, const, inside
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.naming import names_in
from symconv.formulas.walks import accesses, transform, walk
from symconv.kernels.form.pattern import kind_of
from symconv.kernels.form.reading import Walk, walk_of
from symconv.kernels.form.tapform import KINDS, Channels, TapForm
from symconv.operators.base import Operator

__all__ = ["local_form", "numbers_only", "tap_form"]


def numbers_only(op: Operator) -> None:
    """Refuse an operator with symbolic options.

    Raises:
        ArgumentError: where an option has no number.
    """
    formula = op.output()
    symbolic = [name for name in formula.parameters if name not in formula.sizes]
    if symbolic:
        raise ArgumentError("op", op, f"must have numbers for all its options ({', '.join(symbolic)} has none)")


def tap_form(op: Operator) -> TapForm:
    """Derive the tap form from the operator's formula.

    Raises:
        ArgumentError: for an operator with symbolic options.
        NotSupportedError: for a formula whose shape no plan computes.
    """
    form = local_form(op)
    if form.kind is None:
        kinds = "; nor ".join(KINDS.values())
        raise NotSupportedError(f"no kernel can be made of {op!r}: its formula {form.formula} is not {kinds}")
    return form


def local_form(op: Operator) -> TapForm:
    """The same, whether a plan computes its kind or not.

    Raises:
        ArgumentError: for an operator with symbolic options.
        NotSupportedError: for a formula that does not read the input in windows.
    """
    numbers_only(op)
    formula = op.output()
    ndim = len(formula.sizes)
    source = next(tensor for tensor in formula.tensors if tensor.role == "input")
    reads = set(accesses(formula.body, source.name))
    windows = [n for n in walk(formula.body) if isinstance(n, Reduce) and accesses(n, source.name)]
    if len(reads) != 1 or len(windows) != 1:
        raise NotSupportedError(f"no kernel can be made of {op!r}: its formula does not read the input in one window")
    (access,), (window,) = reads, windows
    if min(len(access.index), len(formula.free)) < ndim:
        raise NotSupportedError(f"no kernel can be made of {op!r}: it has fewer indices than the input has axes")
    walks = _walks(formula, access, window, source.box, ndim)
    channels = _channels(formula, access, window, ndim)
    counts: dict[int, Reduce] = {}
    local: tuple[Index, ...] = () if channels is None or channels.input is None else (Index.of(channels.input),)
    here = Access(source.name, (*local, *(Index.of(w.tap) for w in walks)))

    def change(node: Node) -> Node | None:
        if isinstance(node, Access):
            return here if node.tensor == source.name else None
        if isinstance(node, Reduce) and not accesses(node):
            axes = [axis for axis, w in enumerate(walks) if w.output in names_in(node)]
            if not axes and not node.guards and node.body == ONE:
                return const(prod(_extent(bound) for bound in node.bounds))
            if len(axes) != 1 or counts.setdefault(axes[0], node) != node:
                raise NotSupportedError(f"no kernel can be made of {op!r}: a count must depend on one axis alone")
            return Access(f"r{axes[0]}", ())
        if isinstance(node, Reduce):
            return Reduce(node.op, node.bounds, (), transform(node.body, change))
        return None

    body = transform(formula.body, change)
    ties: Literal["first", "split", "set"] = "set" if getattr(op, "ties", None) == "set" else op.tie_policy()
    form = TapForm(formula, body, walks, channels, tuple(sorted(counts.items())), ties)
    return replace(form, kind=kind_of(form))


def _walks(
    formula: Formula, access: Access, window: Reduce, box: tuple[tuple[Index, Index], ...], ndim: int
) -> tuple[Walk, ...]:
    """The walk of every spatial axis; guards are kept where they say that a tap lies in the input, and only those."""
    if not set(window.guards) <= set(inside(access, box)):
        raise NotSupportedError("no kernel can be made of a window under guards other than that its taps are real")
    walks = []
    ranges = {bound.name: bound for bound in window.bounds}
    for position, output in zip(access.index[-ndim:], formula.indices[-ndim:], strict=True):
        names = [name for name in ranges if name in position.names]
        if len(names) != 1 or ranges[names[0]].lower != 0 or ranges[names[0]].upper.value is None:
            raise NotSupportedError(f"no kernel can be made of an access at {position!r}: it must have one tap an axis")
        tap = names[0]
        last = ranges[tap].upper.value
        assert last is not None
        guards: tuple[Guard, ...] = tuple(guard for guard in window.guards if tap in guard.names)
        walks.append(walk_of(position, output, tap, last + 1, guards))
    return tuple(walks)


def _channels(formula: Formula, access: Access, window: Reduce, ndim: int) -> Channels | None:
    """The block structure of the channels, read off the channel index of the access: ``start(f) + h``.

    Outputs with equal starts form a group; the starts must step by the channels of a group.
    """
    if not any(tensor.role == "weight" for tensor in formula.tensors):
        return None
    lead = formula.free[:-ndim]
    output = lead[0].name if lead else None
    outputs = _extent(lead[0]) if lead else 1
    index = access.index[0] if len(access.index) > ndim else Index.of(0)
    inner = [bound for bound in window.bounds if bound.name in index.names]
    name = inner[0].name if inner else None
    inputs = _extent(inner[0]) if inner else 1
    split = index.linear_in(name) if name else (Index.of(1), index)
    starts = np.zeros(outputs, np.int64)
    if split is not None:
        starts += split[1].evaluate({output: np.arange(outputs)} if output else {})
    groups = len(set(starts.tolist()))
    expected = np.repeat(np.arange(groups) * inputs, outputs // groups)
    if split is None or split[0] != 1 or len(inner) > 1 or not np.array_equal(starts, expected):
        raise NotSupportedError(f"no kernel can be made of channels at {index!r}: they must form groups in order")
    return Channels(groups, inputs, outputs // groups, name, output)


def _extent(bound: Bound) -> int:
    extent = (bound.upper - bound.lower + 1).value
    assert extent is not None  # symbolic channels have been refused
    return extent
