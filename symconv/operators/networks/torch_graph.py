"""The network of a PyTorch model, read by following its forward: ``torch.export`` traces it, and nothing is computed.

What the trace calls is read by the names of PyTorch's own functions. Source: the schemas of ``torch.ops.aten``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import Any

from symconv.errors import ArgumentError, NotSupportedError, SymconvError
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.dense import Dense
from symconv.operators.flatten import Flatten
from symconv.operators.importers.imported import Imported, sizes_of
from symconv.operators.importers.torch import axes_of_name, is_layer, read_layer
from symconv.operators.joining import Add
from symconv.operators.leaky_relu import LeakyReLU
from symconv.operators.log_softmax import LogSoftmax
from symconv.operators.networks.acts import (
    Act,
    Blind,
    Collapse,
    Concat,
    Mix,
    Product,
    Reshape,
    Resize,
    Same,
    Shape,
    Slice,
    Transpose,
)  # fmt: skip
from symconv.operators.networks.assembly import ModelTable, assemble
from symconv.operators.networks.graph import Graph, Vertex
from symconv.operators.networks.resizing import interpolated
from symconv.operators.networks.windows import Pad, Windowing
from symconv.operators.normalisation import BatchNorm
from symconv.operators.relu import ReLU
from symconv.operators.sigmoid import Sigmoid
from symconv.operators.softmax import Softmax
from symconv.operators.softplus import Softplus
from symconv.operators.tanh import Tanh

__all__ = ["network_from_torch"]


def network_from_torch(model: Any, example: Any) -> ModelTable:
    """The table of a PyTorch model, by following its forward on an example.

    Branches, gates, sums and functions count as they are called; the mode of the model is kept (``model.eval()`` for
    inference). Where everything that it calls is a layer of one, ``table.network`` is the model as a `Network`, and
    ``table.weights`` are its weights.

    Args:
        model: a ``torch.nn.Module``.
        example: an input: a tensor, a tuple of tensors, or the shape of one, whose batch may be left out.

    Raises:
        ArgumentError: for what is no module, or an example that the model does not take.
        NotSupportedError: where PyTorch is not installed or cannot trace the model, or nothing in it has windows.
    """
    try:
        import torch
    except ImportError:
        raise NotSupportedError("following a PyTorch model needs PyTorch, which is not installed") from None
    if not isinstance(model, torch.nn.Module):
        raise ArgumentError("model", model, "must be a torch.nn.Module")
    inputs = _examples(torch, model, example)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            traced = torch.export.export(model, inputs, strict=False)
            if any(getattr(getattr(node.target, "_schema", None), "is_mutable", False) for node in traced.graph.nodes):
                traced = traced.run_decompositions({})  # what is written in place becomes a value of its own
    except Exception as error:  # forward is anybody's code, and raises anything
        reason = str(error).strip().splitlines()
        shown = f"{type(error).__name__}: {reason[0] if reason else ''}"
        raise NotSupportedError(
            f"the forward of {type(model).__name__} cannot be followed on this example ({shown})"
        ) from None
    trace = _Trace(traced)
    trace.read()
    table = assemble(trace.graph)
    if not table.layers:
        raise NotSupportedError(f"{type(model).__name__} calls no layer with windows on its input")
    return table


def _examples(torch: Any, model: Any, example: Any) -> tuple[Any, ...]:
    """The arguments of the forward."""
    if isinstance(example, torch.Tensor):
        return (example,)
    if isinstance(example, tuple | list) and example and all(isinstance(entry, torch.Tensor) for entry in example):
        return tuple(example)
    wanted = "must be a tensor, a tuple of tensors, or the shape of one"
    try:
        shape = sizes_of("example", example)
    except ArgumentError:
        raise ArgumentError("example", example, wanted) from None
    names = (type(module).__name__ for module in model.modules())
    axes = next((axes_of_name(name) for name in names if is_layer(name)), None)
    if axes is not None and len(shape) == axes + 1:
        shape = (1, *shape)
    weight = next(iter(model.parameters()), None)
    kind = {} if weight is None else {"dtype": weight.dtype, "device": weight.device}
    return (torch.zeros(shape, **kind),)


@dataclass
class _Call:
    """A call in the trace: the arguments by name, those that are values by the names of these."""

    name: str
    kind: str
    given: Mapping[str, Any]
    output: str


@dataclass
class _Trace:
    """Reads a trace, call after call."""

    traced: Any
    graph: Graph = field(default_factory=lambda: Graph({}))
    live: set[str] = field(default_factory=set)
    arrays: dict[str, Any] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    computed: set[str] = field(default_factory=set)

    def read(self) -> None:
        """Read the whole trace."""
        signature = self.traced.graph_signature
        stored = {**self.traced.state_dict, **self.traced.constants}
        for spec in signature.input_specs:
            if spec.target is not None:
                self.arrays[spec.arg.name] = (spec.target, stored.get(spec.target))
        results = [spec.arg.name for spec in signature.output_specs if spec.kind.name == "USER_OUTPUT"]
        for node in self.traced.graph.nodes:
            shape = self._shape(node)
            if node.op == "placeholder":
                if node.name not in self.arrays and shape is not None:
                    self.graph.inputs[node.name] = self.graph.shapes[node.name] = shape
                    self.live.add(node.name)
                elif shape is not None:
                    self.graph.shapes[node.name] = shape
            elif node.op == "call_function":
                self._call(node, shape)
        self.graph.outputs = results
        if not self.graph.inputs:
            raise ArgumentError("example", None, "must be a tensor that the model reads")

    @staticmethod
    def _shape(node: Any) -> Shape | None:
        value = node.meta.get("val")
        return tuple(int(n) for n in value.shape) if hasattr(value, "shape") else None

    def _call(self, node: Any, shape: Shape | None) -> None:
        values = node.meta.get("val")
        if isinstance(values, tuple | list):
            for place, value in enumerate(values):
                if hasattr(value, "shape"):
                    self.graph.shapes[f"{node.name}[{place}]"] = tuple(int(n) for n in value.shape)
        if shape is not None:
            self.graph.shapes[node.name] = shape
        if not hasattr(node.target, "_schema"):  # operator.getitem, and sizes as numbers
            self._item(node)
            return
        call = self._bound(node)
        if not any(source in self.live for source in self.sources(call)):
            self.computed.add(node.name)
            return
        before = len(self.graph.nodes)
        try:
            self._read(call)
        except SymconvError as error:
            del self.graph.nodes[before:]
            self._blind(call, str(error))
        self.live.add(node.name)
        self.live.update(vertex.output for vertex in self.graph.nodes[before:])

    def _item(self, node: Any) -> None:
        """One of several results."""
        if len(node.args) == 2 and getattr(node.args[0], "name", None) in self.live and isinstance(node.args[1], int):
            source = f"{node.args[0].name}[{node.args[1]}]"
            if source in self.live:
                self.graph.nodes.append(Vertex(node.name, "getitem", Same(), (source,), node.name, passes=True))
                self.live.add(node.name)

    def _bound(self, node: Any) -> _Call:
        schema = node.target._schema
        given: dict[str, Any] = {}
        for place, argument in enumerate(schema.arguments):
            if place < len(node.args):
                given[argument.name] = node.args[place]
            elif argument.name in node.kwargs:
                given[argument.name] = node.kwargs[argument.name]
            elif argument.has_default_value():
                given[argument.name] = argument.default_value
        kind = schema.name.partition("::")[2].rstrip("_")
        stack = list((node.meta.get("nn_module_stack") or {}).values())
        path, module = stack[-1][:2] if stack else ("", "")
        module = module if isinstance(module, str) else getattr(module, "__name__", "")
        here = module.rpartition(".")[2]
        label = path if path and (is_layer(here) or kind in _OF_MODULES) else f"{path}.{kind}" if path else node.name
        count = self.names[label] = self.names.get(label, 0) + 1
        name = label if count == 1 else f"{label}#{count}"
        same = is_layer(here) and here.lower() == kind.replace("_", "").removesuffix("withindices")
        return _Call(name, here if same else kind, {"": kind, **given}, node.name)

    # ------------------------------------------------------------------ what readers use

    def sources(self, call: _Call) -> tuple[str, ...]:
        """The names of all values that a call reads."""
        return tuple(_names(call.given.values()))

    def images(self, call: _Call) -> tuple[str, ...]:
        """Those that depend on an input."""
        return tuple(name for name in self.sources(call) if name in self.live)

    def shape(self, value: Any) -> Shape:
        """The shape of a value."""
        found = self.graph.shapes.get(getattr(value, "name", value))
        if found is None:
            raise NotSupportedError("the size of what it reads is not known")
        return found

    def add(self, call: _Call, act: Act, inputs: Sequence[str], **more: Any) -> None:
        """Add a vertex for the result of a call."""
        output = more.pop("output", call.output)
        self.graph.nodes.append(Vertex(call.name, call.kind, act, tuple(inputs), output, **more))

    def first(self, call: _Call) -> str:
        """The image that a call is about.

        Raises:
            NotSupportedError: where it is a constant.
        """
        value = next(iter(call.given[name] for name in ("input", "self", "query") if name in call.given), None)
        name = getattr(value, "name", "")
        if name not in self.live:
            raise NotSupportedError(f"{call.kind} of a constant is not followed")
        return str(name)

    def loader(self, value: Any) -> Callable[[], Any] | None:
        """How a weight is loaded; None where it is computed, or depends on an input."""
        found = self.arrays.get(getattr(value, "name", ""))
        if found is None or found[1] is None:
            return None
        return lambda: found[1].detach().cpu().numpy().copy()

    def counted(self, *values: Any) -> tuple[tuple[str, int], ...]:
        """Weights that do not depend on an input, by name, with their numbers of entries."""
        found = []
        for value in values:
            name = getattr(value, "name", None)
            if name is not None and name not in self.live:
                found.append((str(self.arrays.get(name, (name,))[0]), prod(self.shape(name))))
        return tuple(found)

    def _blind(self, call: _Call, reason: str) -> None:
        images = self.images(call)
        outputs = [name for name in self.graph.shapes if name.startswith(f"{call.output}[")] or [call.output]
        for output in outputs:
            listed = call.given[""] in _WINDOWED and output == outputs[0]
            self.add(call, Blind(reason), images, output=output, listed=listed)

    # ------------------------------------------------------------------ calls

    def _read(self, call: _Call) -> None:
        kind = call.given[""]
        if kind in _WINDOWED:
            _WINDOWED[kind](self, call)
        elif kind in _READERS:
            _READERS[kind](self, call)
        elif kind in _FUNCTIONS:
            source = self.first(call)
            op = _FUNCTIONS[kind](call.given, max(len(self.shape(source)) - 2, 1))
            why = "" if op is not None else f"{kind} with these options is no layer of a Network"
            self.add(call, Same(), (source,), operator=op, aside=why)
        elif kind in _PASSES:
            self.add(call, Same(), (self.first(call),), passes=True)
        elif kind in _PLACES:
            images = self.images(call)
            self.add(call, Same(tuple(self.shape(name) for name in self.sources(call) if name not in images)), images)
        else:
            self._blind(call, f"{kind} is not followed")


def _names(values: Any) -> Iterator[str]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _names(value)
        elif hasattr(value, "op") and hasattr(value, "name"):
            yield value.name


def _each(value: Any, axes: int) -> tuple[int, ...]:
    """One integer an axis."""
    entries = tuple(value) if isinstance(value, list | tuple) else (value,)
    return entries * axes if len(entries) == 1 else entries


# ---------------------------------------------------------------------- layers with windows


def _layer(trace: _Trace, call: _Call, read: Imported, weights: Mapping[str, Any]) -> None:
    """Add a layer with windows."""
    source = trace.first(call)
    for note in read.notes:
        if note not in trace.graph.notes:
            trace.graph.notes.append(note)
    extra = tuple(
        value.name for value in weights.values() if getattr(value, "name", None) in trace.live
    )  # fmt: skip
    loads = {role: trace.loader(value) for role, value in weights.items() if value is not None}
    aside = read.notes[0] if not read.exact else ""
    aside = aside or ("its weight is computed" if None in loads.values() else "")
    several = f"{call.output}[0]" in trace.graph.shapes
    trace.add(
        call,
        Windowing(read.operator),
        (source, *extra),
        output=f"{call.output}[0]" if several else call.output,
        listed=True,
        operator=None if aside else read.operator,
        weights={role: load for role, load in loads.items() if load is not None},
        arrays=trace.counted(*weights.values()) if weights else None,
        aside=aside,
    )
    if several:  # the places of maxima
        trace.add(call, Windowing(read.operator), (source,), output=f"{call.output}[1]")


def _convolution(transposed: bool) -> Callable[[_Trace, _Call], None]:
    def read(trace: _Trace, call: _Call) -> None:
        given = call.given
        weight = trace.shape(given["weight"])
        axes, groups = len(weight) - 2, given.get("groups", 1)
        flipped = transposed or bool(given.get("transposed"))
        first, second = weight[0], weight[1] * groups
        options = {
            "in_channels": first if flipped else second,
            "out_channels": second if flipped else first,
            "kernel_size": weight[2:],
            "stride": _each(given.get("stride", 1), axes),
            "padding": given["padding"]
            if isinstance(given.get("padding"), str)
            else _each(given.get("padding", 0), axes),
            "dilation": _each(given.get("dilation", 1), axes),
            "groups": groups,
            "bias": given.get("bias") is not None,
        }
        if flipped:
            options["output_padding"] = _each(given.get("output_padding", 0), axes)
        found = read_layer(f"Conv{'Transpose' if flipped else ''}{axes}d", options)
        weights = {"weight": given["weight"]}
        if given.get("bias") is not None:
            weights["bias"] = given["bias"]
        _layer(trace, call, found, weights)

    return read


def _pooling(family: str, axes: int) -> Callable[[_Trace, _Call], None]:
    def read(trace: _Trace, call: _Call) -> None:
        options: dict[str, Any] = {}
        for name in ("kernel_size", "stride", "padding", "dilation"):
            if name in call.given and call.given[name] not in ([], None):
                options[name] = _each(call.given[name], axes)
        for name in ("ceil_mode", "count_include_pad", "divisor_override"):
            if name in call.given:
                options[name] = call.given[name]
        if family.startswith("Adaptive"):
            options = {"output_size": _each(call.given["output_size"], axes)}
        sizes = trace.shape(trace.first(call))[2:]
        _layer(trace, call, read_layer(f"{family}{axes}d", options, input_size=sizes), {})

    return read


def _unpooling(trace: _Trace, call: _Call) -> None:
    raise NotSupportedError("it puts entries where its indices say")


_WINDOWED: dict[str, Callable[[_Trace, _Call], None]] = {"convolution": _convolution(False)}
for _axes in (1, 2, 3):
    _WINDOWED |= {
        f"conv{_axes}d": _convolution(False),
        f"conv_transpose{_axes}d": _convolution(True),
        f"max_pool{_axes}d": _pooling("MaxPool", _axes),
        f"max_pool{_axes}d_with_indices": _pooling("MaxPool", _axes),
        f"avg_pool{_axes}d": _pooling("AvgPool", _axes),
        f"adaptive_avg_pool{_axes}d": _pooling("AdaptiveAvgPool", _axes),
        f"adaptive_max_pool{_axes}d": _pooling("AdaptiveMaxPool", _axes),
        f"max_unpool{_axes}d": _unpooling,
    }


# ---------------------------------------------------------------------- other calls


def _normalised(trace: _Trace, call: _Call) -> None:
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


def _axis(value: Any, rank: int) -> int:
    return int(value) % rank


def _mixed(axes_of: Callable[[Mapping[str, Any], int], Sequence[int]]) -> Callable[[_Trace, _Call], None]:
    def read(trace: _Trace, call: _Call) -> None:
        source = trace.first(call)
        trace.add(call, Mix(tuple(axes_of(call.given, len(trace.shape(source))))), (source,))

    return read


def _softmax(make: Callable[[], Operator]) -> Callable[[_Trace, _Call], None]:
    def read(trace: _Trace, call: _Call) -> None:
        source = trace.first(call)
        rank = len(trace.shape(source))
        axis = _axis(call.given["dim"], rank)
        trace.add(call, Mix((axis,)), (source,), operator=make() if (rank, axis) == (2, 1) else None)

    return read


def _dense(trace: _Trace, call: _Call) -> None:
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


def _counted_not(trace: _Trace) -> None:
    note = "products of matrices (linear layers, attention) have no windows, and are not counted"
    if note not in trace.graph.notes:
        trace.graph.notes.append(note)


def _product(left: str, right: str, added: str = "") -> Callable[[_Trace, _Call], None]:
    def read(trace: _Trace, call: _Call) -> None:
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


def _attention(trace: _Trace, call: _Call) -> None:
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


def _sum(trace: _Trace, call: _Call) -> None:
    """Sums and products, place by place."""
    images, kind = trace.images(call), call.given[""]
    constants = tuple(trace.shape(name) for name in trace.sources(call) if name not in trace.live)
    shapes = [trace.shape(name) for name in images]
    more: dict[str, Any] = {}
    if kind == "add" and len(images) == 2 and shapes[0] == shapes[1] and call.given.get("alpha", 1) == 1:
        more["operator"] = Add(ndim=len(shapes[0]) - 1)
    trace.add(call, Same(constants), images, **more)


def _reshaped(trace: _Trace, call: _Call) -> None:
    source = trace.first(call)
    before, after = trace.shape(source), trace.shape(call.output)
    flat = len(after) == 2 and len(before) >= 2 and after[0] == before[0] and after != before
    more: dict[str, Any] = {"operator": Flatten()} if flat else {"passes": before == after}
    trace.add(call, Reshape(after), (source,), **more)


def _permuted(trace: _Trace, call: _Call) -> None:
    source = trace.first(call)
    rank = len(trace.shape(source))
    if "dims" in call.given:
        order = tuple(_axis(axis, rank) for axis in call.given["dims"])
    else:
        one, other = (_axis(call.given.get(name, place), rank) for place, name in enumerate(("dim0", "dim1")))
        order = tuple(other if axis == one else one if axis == other else axis for axis in range(rank))
    trace.add(call, Transpose(order), (source,))


def _cut(trace: _Trace, call: _Call, axis: int, places: range, output: str) -> None:
    source = trace.first(call)
    rank = len(trace.shape(source))
    cut = (places.start, places.step, len(places))
    trace.add(call, Slice(tuple(cut if at == axis else None for at in range(rank))), (source,), output=output)


def _sliced(trace: _Trace, call: _Call) -> None:
    shape = trace.shape(trace.first(call))
    axis = _axis(call.given.get("dim", 0), len(shape))
    places = range(shape[axis])[slice(call.given.get("start"), call.given.get("end"), call.given.get("step", 1))]
    _cut(trace, call, axis, places, call.output)


def _selected(trace: _Trace, call: _Call) -> None:
    shape = trace.shape(trace.first(call))
    axis = _axis(call.given["dim"], len(shape))
    place = _axis(call.given["index"], shape[axis])
    between = f"{call.output}/cut"
    _cut(trace, call, axis, range(place, place + 1), between)
    trace.add(call, Reshape((*shape[:axis], *shape[axis + 1 :])), (between,))


def _split(trace: _Trace, call: _Call) -> None:
    """Parts of an axis, one result each; without the axis where it is unbound."""
    shape = trace.shape(trace.first(call))
    axis, start = _axis(call.given.get("dim", 0), len(shape)), 0
    place = 0
    while (part := trace.graph.shapes.get(f"{call.output}[{place}]")) is not None:
        output = f"{call.output}[{place}]"
        unbound = len(part) < len(shape)
        count = 1 if unbound else part[axis]
        between = f"{output}/cut" if unbound else output
        _cut(trace, call, axis, range(start, start + count), between)
        if unbound:
            trace.add(call, Reshape(part), (between,), output=output)
        start, place = start + count, place + 1


def _joined(trace: _Trace, call: _Call) -> None:
    names = [value.name for value in call.given["tensors"]]
    shapes = [trace.shape(name) for name in names]
    axis = _axis(call.given.get("dim", 0), len(shapes[0]))
    constant = [name not in trace.live for name in names]
    trace.add(call, Concat.of(axis, [shape[axis] for shape in shapes], constant), trace.images(call))


def _reduced(trace: _Trace, call: _Call) -> None:
    source = trace.first(call)
    rank = len(trace.shape(source))
    dims = call.given.get("dim")
    dims = range(rank) if dims in (None, []) else dims if isinstance(dims, list | tuple) else [dims]
    axes = tuple(sorted({_axis(axis, rank) for axis in dims}))
    pools = {"mean": AdaptiveAvgPool, "amax": AdaptiveMaxPool}
    if call.given[""] in pools and rank > 2 and axes == tuple(range(2, rank)):  # over all positions
        pool, keep = pools[call.given[""]](1, ndim=rank - 2), bool(call.given.get("keepdim", False))
        between = call.output if keep else f"{call.output}/pooled"
        trace.add(call, Windowing(pool), (source,), output=between, listed=True, operator=pool)
        if not keep:
            trace.add(call, Reshape(trace.shape(source)[:2]), (between,), operator=Flatten())
        return
    trace.add(call, Collapse(axes, bool(call.given.get("keepdim", False))), (source,))


_MODES = {"constant": "zeros", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


def _padded(trace: _Trace, call: _Call) -> None:
    source = trace.first(call)
    rank, pads = len(trace.shape(source)), list(call.given["pad"])
    pairs = [(0, 0)] * rank
    for place in range(len(pads) // 2):
        pairs[rank - 1 - place] = (pads[2 * place], pads[2 * place + 1])
    trace.add(call, Pad(tuple(pairs), _MODES[call.given.get("mode", "constant")]), (source,))


def _expanded(trace: _Trace, call: _Call) -> None:
    trace.add(call, Same((trace.shape(call.output),)), (trace.first(call),))


def _upsampled(mode: str) -> Callable[[_Trace, _Call], None]:
    def read(trace: _Trace, call: _Call) -> None:
        source = trace.first(call)
        before, after = trace.shape(source), trace.shape(call.output)
        scales = call.given.get("scale_factors") or (None,) * (len(before) - 2)
        where = "asymmetric" if mode == "nearest" else "half_pixel"
        where = "align_corners" if call.given.get("align_corners") else where
        reads = [
            interpolated(n, m, Fraction(m, n) if s is None else Fraction(str(s)), mode, where, "floor")
            for n, m, s in zip(before[2:], after[2:], scales, strict=True)
        ]
        trace.add(call, Resize((None, None, *reads), after), (source,))

    return read


def _shuffled(trace: _Trace, call: _Call) -> None:
    source, kind = trace.first(call), call.given[""]
    n, c, h, w = trace.shape(source)
    split: Shape
    order: Shape
    if kind == "pixel_shuffle":
        r = call.given["upscale_factor"]
        split, order = (n, c // (r * r), r, r, h, w), (0, 1, 4, 2, 5, 3)
    elif kind == "pixel_unshuffle":
        r = call.given["downscale_factor"]
        split, order = (n, c, h // r, r, w // r, r), (0, 1, 3, 5, 2, 4)
    else:
        split, order = (n, call.given["groups"], c // call.given["groups"], h, w), (0, 2, 1, 3, 4)
    first, second = f"{call.output}/split", f"{call.output}/turned"
    trace.add(call, Reshape(split), (source,), output=first)
    trace.add(call, Transpose(order), (first,), output=second)
    trace.add(call, Reshape(trace.shape(call.output)), (second,))


def _gated(trace: _Trace, call: _Call) -> None:
    shape = trace.shape(trace.first(call))
    axis = _axis(call.given.get("dim", -1), len(shape))
    half = shape[axis] // 2
    parts = (f"{call.output}/0", f"{call.output}/1")
    for place, output in enumerate(parts):
        _cut(trace, call, axis, range(place * half, (place + 1) * half), output)
    trace.add(call, Same(), parts)


_READERS: dict[str, Callable[[_Trace, _Call], None]] = {
    **dict.fromkeys(
        ("batch_norm", "_native_batch_norm_legit_no_training", "_native_batch_norm_legit_functional"), _normalised
    ),
    "instance_norm": _mixed(lambda given, rank: range(2, rank)),
    "group_norm": _mixed(lambda given, rank: range(1, rank)),
    "layer_norm": _mixed(lambda given, rank: range(rank - len(given["normalized_shape"]), rank)),
    "rms_norm": _mixed(lambda given, rank: range(rank - len(given["normalized_shape"]), rank)),
    "cumsum": _mixed(lambda given, rank: [_axis(given["dim"], rank)]),
    "softmax": _softmax(Softmax),
    "log_softmax": _softmax(LogSoftmax),
    "linear": _dense,
    "matmul": _product("self", "other"),
    "mm": _product("self", "mat2"),
    "bmm": _product("self", "mat2"),
    "addmm": _product("mat1", "mat2", "self"),
    "scaled_dot_product_attention": _attention,
    **dict.fromkeys(("add", "sub", "mul", "div"), _sum),
    **dict.fromkeys(
        ("view", "reshape", "flatten", "squeeze", "unsqueeze", "unflatten", "_unsafe_view", "view_as"), _reshaped
    ),
    **dict.fromkeys(("permute", "transpose", "t"), _permuted),
    "slice": _sliced,
    "select": _selected,
    **dict.fromkeys(("split", "split_with_sizes", "chunk", "unbind"), _split),
    **dict.fromkeys(("cat", "concat", "concatenate"), _joined),
    **dict.fromkeys(("mean", "sum", "amax", "amin", "prod", "norm", "linalg_vector_norm"), _reduced),
    **dict.fromkeys(("var", "std", "argmax", "argmin", "logsumexp"), _reduced),
    "pad": _padded,
    **dict.fromkeys(("expand", "expand_as"), _expanded),
    "upsample_nearest1d": _upsampled("nearest"),
    "upsample_nearest2d": _upsampled("nearest"),
    "upsample_nearest3d": _upsampled("nearest"),
    "upsample_linear1d": _upsampled("linear"),
    "upsample_bilinear2d": _upsampled("linear"),
    "upsample_trilinear3d": _upsampled("linear"),
    "upsample_bicubic2d": _upsampled("cubic"),
    **dict.fromkeys(("pixel_shuffle", "pixel_unshuffle", "channel_shuffle"), _shuffled),
    "glu": _gated,
}  # fmt: skip
"""Calls that are about axes."""


def _rectifier(given: Mapping[str, Any], axes: int) -> Operator:
    return ReLU("zero", ndim=axes)


def _leaky(given: Mapping[str, Any], axes: int) -> Operator:
    return LeakyReLU(float(given.get("negative_slope", 0.01)), "slope", ndim=axes)


def _softplus(given: Mapping[str, Any], axes: int) -> Operator | None:
    return Softplus(ndim=axes) if given.get("beta", 1) == 1 and given.get("threshold", 20) >= 20 else None


_FUNCTIONS: dict[str, Callable[[Mapping[str, Any], int], Operator | None]] = {
    "relu": _rectifier,
    "leaky_relu": _leaky,
    "sigmoid": lambda given, axes: Sigmoid(ndim=axes),
    "tanh": lambda given, axes: Tanh(ndim=axes),
    "softplus": _softplus,
}
"""Functions of one value that are operators."""

_PASSES = frozenset(
    ("contiguous", "clone", "alias", "detach", "lift_fresh_copy", "identity", "_assert_tensor_metadata")
)
_PLACES = frozenset((
    "abs", "acos", "asin", "atan", "bitwise_not", "celu", "ceil", "clamp", "clamp_max", "clamp_min", "clip", "cos",
    "elu", "eq", "erf", "exp", "expm1", "floor", "ge", "gelu", "gt", "hardshrink", "hardsigmoid", "hardswish",
    "hardtanh", "le", "log", "log1p", "log2", "log_sigmoid", "logical_and", "logical_not", "logical_or", "logsigmoid",
    "lt", "masked_fill", "maximum", "minimum", "mish", "ne", "neg", "pow", "prelu", "reciprocal", "relu6", "remainder",
    "round", "rsqrt", "selu", "sgn", "sign", "silu", "sin", "softshrink", "softsign", "sqrt", "square", "tan",
    "tanhshrink", "threshold", "to", "_to_copy", "type_as", "where", "rsub", "div_", "floor_divide", "zeros_like",
    "ones_like", "full_like", "rrelu", "nan_to_num", "fake_quantize_per_tensor_affine", "float", "half",
))  # fmt: skip
"""Calls of which an entry of the result depends on those at its place alone."""

_OF_MODULES = frozenset(("linear", "batch_norm", "layer_norm", "group_norm", "relu", "dropout", "hardswish", "silu"))
"""Calls that a module of PyTorch makes once; their names are those of the modules."""


def _dropped(trace: _Trace, call: _Call) -> None:
    """Dropout hands its input on in inference."""
    active = bool(call.given.get("train", call.given.get("training", False))) and call.given.get("p", 0) > 0
    why = "in training it drops entries: model.eval()" if active else ""
    trace.add(call, Same(), (trace.first(call),), passes=not active, aside=why)


_READERS |= dict.fromkeys(("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout"), _dropped)
