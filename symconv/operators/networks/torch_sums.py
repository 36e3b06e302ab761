"""The calls of a PyTorch model whose result depends on all of an axis: norms, products, attention, reductions.

Source: the schemas of ``torch.ops.aten``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symconv.errors import NotSupportedError
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.dense import Dense
from symconv.operators.flatten import Flatten
from symconv.operators.log_softmax import LogSoftmax
from symconv.operators.networks.acts import Collapse, Mix, Product, Same
from symconv.operators.networks.graph import Vertex
from symconv.operators.networks.moves import Reshape
from symconv.operators.networks.torch_trace import CallReading, TorchCall, TorchTrace, place_of
from symconv.operators.networks.windows import Windowing
from symconv.operators.normalisation import BatchNorm
from symconv.operators.softmax import Softmax

__all__ = ["SUMS"]


def _normalised(trace: TorchTrace, call: TorchCall) -> None:
    given, source = call.given, trace.first(call)
    shape = trace.shape(source)
    first = f"{call.output}[0]"  # of several results, where the trace shows new figures beside what is normalised
    output = first if first in trace.graph.shapes else call.output
    if given.get("training") or given.get("running_mean") is None:
        axes = tuple(axis for axis in range(len(shape)) if axis != 1)
        why = "in training it normalises by the figures of a batch: model.eval()"
        trace.add(call, Mix(axes), (source,), output=output, aside=why)
        return
    roles = ("running_mean", "running_var", "weight", "bias")
    loads = [None if given.get(role) is None else trace.loader(given[role]) for role in roles]

    def folded(role: str) -> Callable[[], Any]:
        def load() -> Any:
            figures = [None if one is None else one() for one in loads]
            return BatchNorm.folded(figures[0], figures[1], figures[2], figures[3], eps=given["eps"])[role]

        return load

    weights = {role: folded(role) for role in ("weight", "bias")}
    op = BatchNorm(shape[1], ndim=len(shape) - 2)
    trace.add(call, Same(), (source,), operator=op, weights=weights, output=output)


def _mixed(axes_of: Callable[[Mapping[str, Any], int], Sequence[int]]) -> CallReading:
    def read(trace: TorchTrace, call: TorchCall) -> None:
        source = trace.first(call)
        trace.add(call, Mix(tuple(axes_of(call.given, len(trace.shape(source))))), (source,))

    return read


def _softmax(make: Callable[[], Operator]) -> CallReading:
    def read(trace: TorchTrace, call: TorchCall) -> None:
        source = trace.first(call)
        rank = len(trace.shape(source))
        axis = place_of(call.given["dim"], rank)
        trace.add(call, Mix((axis,)), (source,), operator=make() if (rank, axis) == (2, 1) else None)

    return read


def _dense(trace: TorchTrace, call: TorchCall) -> None:
    given, source = call.given, trace.first(call)
    outputs, inputs = trace.shape(given["weight"])
    weights = {role: given[role] for role in ("weight", "bias") if given.get(role) is not None}
    loads = {role: trace.loader(value) for role, value in weights.items()}
    plain = len(trace.shape(source)) == 2 and None not in loads.values()
    _counted_not(trace)
    trace.add(
        call,
        Product(("left",), (inputs, outputs)),
        (source,),
        operator=Dense(outputs, inputs, bias="bias" in weights) if plain else None,
        weights={role: load for role, load in loads.items() if load is not None},
    )


def _counted_not(trace: TorchTrace) -> None:
    note = "products of matrices (linear layers, attention) have no windows, and are not counted"
    if note not in trace.graph.notes:
        trace.graph.notes.append(note)


def _product(left: str, right: str, added: str = "") -> CallReading:
    def read(trace: TorchTrace, call: TorchCall) -> None:
        factors = [
            (side, call.given[name].name)
            for side, name in (("left", left), ("right", right), ("bias", added))
            if name and getattr(call.given[name], "name", "") in trace.live
        ]
        constants = [trace.shape(call.given[n]) for n in (left, right) if call.given[n].name not in trace.live]
        sides, images = zip(*factors, strict=True)
        _counted_not(trace)
        trace.add(call, Product(tuple(sides), constants[0] if constants else None), images)

    return read


def _attention(trace: TorchTrace, call: TorchCall) -> None:
    """The softmax of products: an entry depends on every place of keys and values, and on its own of the queries."""
    query, key, value = (call.given[name] for name in ("query", "key", "value"))
    scores, weighed = f"{call.output}/scores", f"{call.output}/weights"
    _counted_not(trace)
    if not all(entry.name in trace.live for entry in (query, key, value)):
        raise NotSupportedError("attention over constants is not followed")
    trace.graph.nodes.append(
        Vertex(call.name, call.kind, Product(("left", "right"), None, ("right",)), (query.name, key.name), scores)
    )
    rank = len(trace.shape(query))
    trace.graph.nodes.append(Vertex(call.name, call.kind, Mix((rank - 1,)), (scores,), weighed))
    trace.add(call, Product(("left", "right")), (weighed, value.name))


def _reduced(trace: TorchTrace, call: TorchCall) -> None:
    source = trace.first(call)
    rank = len(trace.shape(source))
    dims = call.given.get("dim")
    dims = range(rank) if dims in (None, []) else dims if isinstance(dims, list | tuple) else [dims]
    axes = tuple(sorted({place_of(axis, rank) for axis in dims}))
    pools = {"mean": AdaptiveAvgPool, "amax": AdaptiveMaxPool}
    if call.given[""] in pools and rank > 2 and axes == tuple(range(2, rank)):  # over all positions
        pool, keep = pools[call.given[""]](1, ndim=rank - 2), bool(call.given.get("keepdim", False))
        between = call.output if keep else f"{call.output}/pooled"
        trace.add(call, Windowing(pool), (source,), output=between, listed=True, operator=pool)
        if not keep:
            trace.add(call, Reshape(trace.shape(source)[:2]), (between,), operator=Flatten())
        return
    trace.add(call, Collapse(axes, bool(call.given.get("keepdim", False))), (source,))


SUMS: dict[str, CallReading] = {
    **dict.fromkeys(
        ("batch_norm", "_native_batch_norm_legit_no_training", "_native_batch_norm_legit_functional"), _normalised
    ),
    "instance_norm": _mixed(lambda given, rank: range(2, rank)),
    "group_norm": _mixed(lambda given, rank: range(1, rank)),
    "layer_norm": _mixed(lambda given, rank: range(rank - len(given["normalized_shape"]), rank)),
    "rms_norm": _mixed(lambda given, rank: range(rank - len(given["normalized_shape"]), rank)),
    "cumsum": _mixed(lambda given, rank: [place_of(given["dim"], rank)]),
    "softmax": _softmax(Softmax),
    "log_softmax": _softmax(LogSoftmax),
    "linear": _dense,
    "matmul": _product("self", "other"),
    "mm": _product("self", "mat2"),
    "bmm": _product("self", "mat2"),
    "addmm": _product("mat1", "mat2", "self"),
    "scaled_dot_product_attention": _attention,
    **dict.fromkeys(("mean", "sum", "amax", "amin", "prod", "norm", "linalg_vector_norm"), _reduced),
    **dict.fromkeys(("var", "std", "argmax", "argmin", "logsumexp"), _reduced),
}
"""Functions by name, and how a call is read."""
