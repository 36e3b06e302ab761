"""The nodes of an ONNX model as nodes of a `Graph`: what each does with positions, and which operator it is.

Source: the operator schemas of ONNX, opset 22, and of ONNX Runtime's own domain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from symconv.errors import ArgumentError, NotSupportedError, SymconvError
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.dense import Dense
from symconv.operators.flatten import Flatten
from symconv.operators.importers.functions import ONNX
from symconv.operators.importers.onnx import NODES, attributes_of, read_node
from symconv.operators.joining import Add
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
    Scan,
    Shape,
    Slice,
    Transpose,
)  # fmt: skip
from symconv.operators.networks.graph import Vertex
from symconv.operators.networks.onnx_shapes import OnnxFacts
from symconv.operators.networks.resizing import interpolated
from symconv.operators.networks.staircase import Staircase
from symconv.operators.networks.windows import Pad, Windowing
from symconv.operators.normalisation import BatchNorm

__all__ = ["OnnxReader"]

_PLACES = frozenset((
    "Abs", "Acos", "Acosh", "And", "Asin", "Asinh", "Atan", "Atanh", "BitShift", "BitwiseAnd", "BitwiseNot",
    "BitwiseOr", "BitwiseXor", "Cast", "CastLike", "Ceil", "Celu", "Clip", "Cos", "Cosh", "DequantizeLinear", "Div",
    "Dropout", "DynamicQuantizeLinear", "Elu", "Equal", "Erf", "Exp", "Floor", "Gelu", "Greater", "GreaterOrEqual",
    "HardSigmoid", "HardSwish", "Identity", "IsInf", "IsNaN", "LeakyRelu", "Less", "LessOrEqual", "Log", "Max", "Mean",
    "Min", "Mish", "Mod", "Mul", "Neg", "Not", "Or", "PRelu", "Pow", "QuantizeLinear", "Reciprocal", "Relu", "Round",
    "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt", "Sub", "Sum", "Swish", "Tan",
    "Tanh", "ThresholdedRelu", "Trilu", "Where", "Xor", "Add", "BatchNormalization", "EyeLike",
    "QLinearAdd", "QLinearMul", "QLinearSigmoid", "QLinearLeakyRelu", "FastGelu", "QuickGelu", "BiasGelu",
))  # fmt: skip
"""Nodes of which an output depends on the entry at its place alone, in every input; sizes come from onnx."""

_REDUCED = frozenset((
    "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
    "ReduceSum", "ReduceSumSquare",
))  # fmt: skip
_GLOBAL: Mapping[str, Callable[..., Operator]] = {"ReduceMean": AdaptiveAvgPool, "ReduceMax": AdaptiveMaxPool}
_MODES = {"constant": "zeros", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}
_WINDOWED: Mapping[str, tuple[str, tuple[int, ...]]] = {
    **{kind: (kind, ()) for kind in NODES},
    "FusedConv": ("Conv", (0, 1, 2)),
    "QLinearConv": ("Conv", (0, 3, 8)),
    "ConvInteger": ("Conv", (0, 1)),
    "DeformConv": ("Conv", (0, 1, 3)),
    "QLinearAveragePool": ("AveragePool", (0,)),
    "QLinearGlobalAveragePool": ("GlobalAveragePool", (0,)),
}
"""Layers with windows: the standard one that each is, and which inputs are those of that one (empty for all)."""

_OWN_ATTRIBUTES = (
    "activation", "activation_params", "channels_last", "offset_group",
)  # fmt: skip
_OFFSETS = "it reads where its offsets say"


@dataclass(frozen=True)
class _Renamed:
    """A node that is read as another one."""

    op_type: str
    attribute: tuple[Any, ...]
    input: tuple[str, ...]
    output: tuple[str, ...]
    domain: str = ""


@dataclass
class OnnxReader:
    """Reads the nodes of a model, one after the other.

    Attributes:
        known: the shapes and constants of the model.
        nodes: what was read so far.
        live: the values that depend on an input.
        notes: what there is to say.
    """

    known: OnnxFacts
    nodes: list[Vertex] = field(default_factory=list)
    live: set[str] = field(default_factory=set)
    notes: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.live.update(self.known.inputs)

    # ------------------------------------------------------------------ what is asked of it

    def read(self, node: Any, name: str) -> None:
        """Read one node of the model."""
        if not any(entry in self.live for entry in node.input) and not self._inner(node):
            return  # it depends on shapes alone
        before = len(self.nodes)
        try:
            self._one(node, name)
        except SymconvError as error:
            del self.nodes[before:]
            self._blind(node, name, str(error), listed=node.op_type in _WINDOWED)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            del self.nodes[before:]  # inputs or attributes that no schema allows
            why = f"it is no {node.op_type} that ONNX's schema allows ({type(error).__name__})"
            self._blind(node, name, why, listed=node.op_type in _WINDOWED)
        self.live.update(entry for entry in node.output if entry)

    def _one(self, node: Any, name: str) -> None:
        kind = node.op_type
        if self._inner(node):
            self._hidden_layers(node, name)
            self._blind(node, name, f"{kind} runs one of its graphs, or one many times")
        elif kind in _WINDOWED:
            self._windows(node, name)
        elif kind in _PLACES:
            self._places(node, name)
        elif kind in _REDUCED:
            self._reduced(node, name)
        elif kind in _READERS:
            _READERS[kind](self, node, name)
        else:
            why = _WHY.get(kind, f"{kind} is not followed")
            self._blind(node, name, why)

    @staticmethod
    def _inner(node: Any) -> bool:
        return any(entry.HasField("g") or entry.graphs for entry in getattr(node, "attribute", ()))

    # ------------------------------------------------------------------ helpers

    def shape(self, name: str) -> Shape:
        """The shape of a value.

        Raises:
            NotSupportedError: where it is not known.
        """
        found = self.known.shapes.get(name, self.known.constant.get(name))
        if found is None:
            raise NotSupportedError(f"the size of {name} is not known")
        return found

    def constants(self, node: Any, names: Sequence[str] | None = None) -> tuple[Shape, ...]:
        """The shapes of the inputs of a node that depend on nothing."""
        given = node.input if names is None else names
        return tuple(self.shape(name) for name in given if name and name not in self.live)

    def images(self, node: Any, names: Sequence[str] | None = None) -> tuple[str, ...]:
        """The inputs of a node that depend on an input of the network."""
        return tuple(name for name in (node.input if names is None else names) if name in self.live)

    def add(self, node: Any, name: str, act: Act, inputs: Sequence[str], **more: Any) -> None:
        """Add a node for the first output."""
        self.nodes.append(Vertex(name, node.op_type, act, tuple(inputs), node.output[0], **more))

    def _blind(self, node: Any, name: str, reason: str, *, listed: bool = False) -> None:
        images = self.images(node) or tuple(list(self.known.inputs)[:1])
        outputs = [entry for entry in node.output if entry]
        arrays = self._arrays(node.input[1:2]) if listed and node.op_type in _CONVOLUTIONS else None
        for place, output in enumerate(outputs):
            first = listed and place == 0
            self.nodes.append(
                Vertex(name, node.op_type, Blind(reason), images, output, first, arrays=arrays if first else None)
            )

    def _arrays(self, names: Sequence[str]) -> tuple[tuple[str, int], ...]:
        """Weights that are constants, with their numbers of entries."""
        shapes = {name: self.known.constant.get(name) for name in names if name}
        return tuple((name, prod(shape)) for name, shape in shapes.items() if shape is not None)

    def _hidden_layers(self, node: Any, name: str, depth: int = 0) -> None:
        """Layers in graphs that may run or not: listed as unknown."""
        reason = f"it stands in a graph of {name} ({node.op_type}), and it is not known how often that runs"
        if depth > 20:
            return
        for attribute in node.attribute:
            graphs = [attribute.g] if attribute.HasField("g") else list(attribute.graphs)
            for graph in graphs:
                for entry in graph.node:
                    if entry.op_type in _WINDOWED:
                        label = f"{name}/{attribute.name}/{entry.name or entry.output[0]}"
                        inputs = self.images(node) or tuple(list(self.known.inputs)[:1])
                        self.nodes.append(Vertex(label, entry.op_type, Blind(reason), inputs, f"{label}?", True))
                    self._hidden_layers(entry, name, depth + 1)

    # ------------------------------------------------------------------ layers with windows

    def _windows(self, node: Any, name: str) -> None:
        kind, places = _WINDOWED[node.op_type]
        inputs = [node.input[place] if place < len(node.input) else "" for place in places] or list(node.input)
        while inputs and not inputs[-1]:
            inputs.pop()
        options = attributes_of(node)
        if options.get("channels_last"):
            raise NotSupportedError(f"{node.op_type} with channels_last=1 is not known here")
        kept = tuple(entry for entry in node.attribute if entry.name not in _OWN_ATTRIBUTES)
        shape = self.shape(inputs[0])
        weight = self.shape(inputs[1]) if kind in ("Conv", "ConvTranspose") and len(inputs) > 1 else None
        if kind == "Col2Im":
            self._blind(node, name, "it puts patches together", listed=True)
            return
        read = read_node(
            _Renamed(kind, kept, tuple(inputs), tuple(node.output)), weight_shape=weight, input_size=shape[2:]
        )
        for note in read.notes:
            self.notes[note] = None
        images = [inputs[0], *(entry for entry in inputs[1:3] if kind != "MaxUnpool" and entry in self.live)]
        arrays = self._arrays(inputs[1:3]) if weight is not None else None
        if weight is not None and len(images) > 1:
            self.notes["a weight that the graph computes from its input is no parameter"] = None
        hidden = _OFFSETS if node.op_type == "DeformConv" else ""
        plain = node.op_type == kind and len(images) == 1 and kind != "MaxUnpool"
        aside = (read.notes[0] if not read.exact else "") if plain else f"{node.op_type} is no layer of a Network"
        roles = zip(("weight", "bias"), inputs[1:3], strict=False) if weight is not None else ()
        loads = {role: self._loader(entry) for role, entry in roles if entry}
        output = node.output[0]
        more = {"listed": True, "arrays": arrays, "weights": loads, "aside": aside}
        operator = read.operator if not aside else None
        self.add(node, name, Windowing(read.operator, hidden), images, operator=operator, **more)
        if node.op_type == "FusedConv" and len(node.input) > 3 and node.input[3]:
            self.nodes[-1] = replace(self.nodes[-1], output=f"{output}/conv")
            added = (f"{output}/conv", *self.images(node, node.input[3:4]))
            self.add(node, f"{name} sum", Same(self.constants(node, node.input[3:4])), added)
        for indices in list(node.output)[1:]:
            if indices:
                self.nodes.append(Vertex(name, kind, Windowing(read.operator), (inputs[0],), indices))

    def _loader(self, name: str, change: Callable[[Any], Any] | None = None) -> Callable[[], Any]:
        def load() -> Any:
            array = np.asarray(self.known.load(name))
            return array if change is None else change(array)

        return load

    # ------------------------------------------------------------------ place by place

    def _places(self, node: Any, name: str) -> None:
        kind, images = node.op_type, self.images(node)
        if kind == "BatchNormalization":
            self._norm(node, name)
            return
        others = self.constants(node) if len(images) < len([entry for entry in node.input if entry]) else ()
        if kind in _SCALARS:
            others = ()
        act = Same(others)
        passes = kind in ("Identity", "Dropout") and len(images) == 1
        more: dict[str, Any] = {"passes": passes}
        if kind in ONNX and kind not in ("Add", "Sum"):
            shape = self.shape(images[0])
            try:
                read = read_node(node, input_size=shape[2:] or (1,))
                more["operator"] = read.operator
            except NotSupportedError as error:
                more["aside"] = str(error)
        elif kind in ("Add", "Sum") and not others and len({self.shape(image) for image in images}) == 1 < len(images):
            more["operator"] = Add(ndim=len(self.shape(images[0])) - 1)
        elif kind in _AFFINE and len(images) == 1 and len(node.input) == 2:
            more.update(self._affine(node, images[0]))
        self.add(node, name, act, images, **more)
        for extra in list(node.output)[1:]:
            if extra:
                self.nodes.append(Vertex(name, kind, act, images, extra))

    def _affine(self, node: Any, image: str) -> dict[str, Any]:
        """A sum or product with one number a channel is a batch normalisation."""
        shape = self.shape(image)
        place = 1 - list(node.input).index(image)
        other = node.input[place]
        sizes = self.shape(other)
        full = (1,) * (len(shape) - len(sizes)) + tuple(sizes)
        if len(shape) < 2 or any(n != 1 for axis, n in enumerate(full) if axis != 1) or full[1] not in (1, shape[1]):
            return {"aside": f"{node.op_type} with an array of {sizes} is no layer of a Network"}
        if node.op_type == "Div" and place == 0:
            return {"aside": "a division by entries is no layer of a Network"}
        channels = shape[1]

        def spread(change: Callable[[Any], Any]) -> Callable[[], Any]:
            return self._loader(other, lambda array: np.broadcast_to(change(array).ravel(), (channels,)).copy())

        def filled(value: float) -> Callable[[], Any]:
            return lambda: np.full(channels, value)

        weights = {
            "Add": lambda: (filled(1), spread(lambda c: c)),
            "Sub": lambda: (filled(1), spread(lambda c: -c)) if place else (filled(-1), spread(lambda c: c)),
            "Mul": lambda: (spread(lambda c: c), filled(0)),
            "Div": lambda: (spread(lambda c: 1 / c), filled(0)),
        }[node.op_type]()
        norm = BatchNorm(channels, ndim=len(shape) - 2)
        return {"operator": norm, "weights": dict(zip(("weight", "bias"), weights, strict=True))}

    def _norm(self, node: Any, name: str) -> None:
        image = self.images(node)[0]
        shape, options = self.shape(image), attributes_of(node)
        if options.get("training_mode"):
            others = tuple(axis for axis in range(len(shape)) if axis != 1)
            self.add(node, name, Mix(others), (image,), aside="in training it normalises by the figures of a batch")
            return
        epsilon = float(options.get("epsilon", 1e-5))  # type: ignore[arg-type]
        scale, shift, mean, variance = node.input[1:5]

        def folded(role: str) -> Callable[[], Any]:
            def load() -> Any:
                figures = [self.known.load(entry) for entry in (mean, variance, scale, shift)]
                return BatchNorm.folded(figures[0], figures[1], figures[2], figures[3], eps=epsilon)[role]

            return load

        constant = len(self.images(node)) == 1
        self.add(
            node,
            name,
            Same(),
            self.images(node)[:1],
            operator=BatchNorm(shape[1], ndim=len(shape) - 2) if constant else None,
            weights={role: folded(role) for role in ("weight", "bias")},
        )

    # ------------------------------------------------------------------ axes

    def axes(self, node: Any, place: int = 1, attribute: str = "axes") -> tuple[int, ...] | None:
        """The axes that a node is about, as an attribute or an input; None where it has none.

        Raises:
            NotSupportedError: where the graph computes them.
        """
        found: Any = attributes_of(node).get(attribute)
        if found is None and len(node.input) > place and node.input[place]:
            found = self.known.integers(node.input[place])
            if found is None:
                raise NotSupportedError(f"the {attribute} of {node.op_type} are computed by the graph")
        return (found,) if isinstance(found, int) else found

    def _reduced(self, node: Any, name: str) -> None:
        image, options = node.input[0], attributes_of(node)
        shape = self.shape(image)
        rank, axes = len(shape), self.axes(node)
        if not axes:
            axes = () if options.get("noop_with_empty_axes") else tuple(range(rank))
        axes = tuple(sorted({axis % rank for axis in axes}))
        keep = bool(options.get("keepdims", 1))
        if node.op_type in _GLOBAL and rank > 2 and axes == tuple(range(2, rank)):
            pool = _GLOBAL[node.op_type](1, ndim=rank - 2)
            between = node.output[0] if keep else f"{node.output[0]}/pooled"
            self.nodes.append(Vertex(name, node.op_type, Windowing(pool), (image,), between, True, operator=pool))
            if not keep:
                self.add(node, name, Reshape(shape[:2]), (between,), operator=Flatten())
            return
        self.add(node, name, Collapse(axes, keep), (image,))

    def _arg(self, node: Any, name: str) -> None:
        options, shape = attributes_of(node), self.shape(node.input[0])
        axis = int(options.get("axis", 0)) % len(shape)  # type: ignore[call-overload]
        self.add(node, name, Collapse((axis,), bool(options.get("keepdims", 1))), node.input[:1])

    def _softmax(self, node: Any, name: str) -> None:
        shape = self.shape(node.input[0])
        old = self.known.opset < 13
        axis = int(attributes_of(node).get("axis", 1 if old else -1)) % len(shape)  # type: ignore[call-overload]
        axes = tuple(range(axis, len(shape))) if old else (axis,)
        more: dict[str, Any] = {}
        if len(shape) == 2 and axes == (1,) and node.op_type in ONNX:
            more["operator"] = read_node(_Renamed(node.op_type, (), tuple(node.input), tuple(node.output))).operator
        self.add(node, name, Mix(axes), node.input[:1], **more)

    def _mixing(self, node: Any, name: str) -> None:
        """Normalisations that mix what lies on some axes."""
        kind, shape, options = node.op_type, self.shape(self.images(node)[0]), attributes_of(node)
        rank = len(shape)
        if kind in ("LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization"):
            axes = tuple(range(int(options.get("axis", -1)) % rank, rank))  # type: ignore[call-overload]
        elif kind in ("LpNormalization", "Hardmax"):
            axes = (int(options.get("axis", -1)) % rank,)  # type: ignore[call-overload]
        elif kind == "MeanVarianceNormalization":
            given: Any = options.get("axes", (0, 2, 3))
            axes = tuple(axis % rank for axis in given)
        elif kind == "SkipLayerNormalization":
            axes = (rank - 1,)
        else:
            axes = {"InstanceNormalization": tuple(range(2, rank)), "LRN": (1,)}.get(kind, tuple(range(1, rank)))
        images = self.images(node)
        joined = images[0] if len(images) == 1 else f"{node.output[0]}/joined"
        if len(images) > 1:
            self.nodes.append(Vertex(name, kind, Same(), images, joined))
        self.add(node, name, Mix(axes), (joined,))
        for extra in list(node.output)[1:]:
            if extra:
                self.nodes.append(Vertex(name, kind, Blind(f"a further output of {kind}"), (joined,), extra))

    # ------------------------------------------------------------------ shapes

    def _reshaped(self, node: Any, name: str) -> None:
        before, after = self.shape(node.input[0]), self.shape(node.output[0])
        flat = len(after) == 2 and len(before) >= 2 and after[0] == before[0] and after != before
        more: dict[str, Any] = {"operator": Flatten()} if flat else {"passes": after == before}
        self.add(node, name, Reshape(after), node.input[:1], **more)

    def _transposed(self, node: Any, name: str) -> None:
        rank = len(self.shape(node.input[0]))
        order: Any = attributes_of(node).get("perm", tuple(range(rank))[::-1])
        if not isinstance(order, tuple) or sorted(order) != list(range(rank)):
            raise ArgumentError("Transpose: perm", order, f"must order the {rank} axes of {node.input[0]}")
        self.add(node, name, Transpose(order), node.input[:1], passes=order == tuple(range(rank)))

    def _expanded(self, node: Any, name: str) -> None:
        before, after = self.shape(node.input[0]), self.shape(node.output[0])
        if any(n not in (1, m) for n, m in zip(before[::-1], after[::-1], strict=False)):
            raise NotSupportedError(f"{node.op_type} repeats positions of its input")
        self.add(node, name, Same((after,)), node.input[:1], passes=before == after)

    def _sliced(self, node: Any, name: str) -> None:
        shape = self.shape(node.input[0])
        rank = len(shape)
        if self.known.opset < 10:
            options: Any = attributes_of(node)
            starts, ends, axes, steps = options["starts"], options["ends"], options.get("axes"), None
        else:
            starts, ends = self.axes(node, 1, "starts"), self.axes(node, 2, "ends")
            axes, steps = self.axes(node, 3), self.axes(node, 4, "steps")
        if starts is None or ends is None:
            raise NotSupportedError("Slice has no starts and ends")
        axes = tuple(range(len(starts))) if axes is None else axes
        steps = (1,) * len(starts) if steps is None else steps
        cuts: list[tuple[int, int, int] | None] = [None] * rank
        for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
            n = shape[axis % rank]
            places = range(n)[slice(start, end, step)]
            cuts[axis % rank] = None if places == range(n) else (places.start, places.step, len(places))
        self.add(node, name, Slice(tuple(cuts)), node.input[:1], passes=not any(cuts))

    def _split(self, node: Any, name: str) -> None:
        shape, options = self.shape(node.input[0]), attributes_of(node)
        axis = int(options.get("axis", 0)) % len(shape)  # type: ignore[call-overload]
        start = 0
        for output in node.output:
            count = self.shape(output)[axis]
            cuts = tuple((start, 1, count) if at == axis else None for at in range(len(shape)))
            self.nodes.append(Vertex(name, node.op_type, Slice(cuts), (node.input[0],), output))
            start += count

    def _joined(self, node: Any, name: str) -> None:
        names = list(node.input)
        if node.op_type == "QLinearConcat":
            names = names[2::3]
        shapes = [self.shape(entry) for entry in names]
        axis = int(attributes_of(node).get("axis", 1)) % len(shapes[0])  # type: ignore[call-overload]
        constant = [entry not in self.live for entry in names]
        act = Concat.of(axis, [shape[axis] for shape in shapes], constant)
        self.add(node, name, act, self.images(node, names), passes=len(names) == 1)

    def _gathered(self, node: Any, name: str) -> None:
        data, indices = node.input[:2]
        shape = self.shape(data)
        axis = int(attributes_of(node).get("axis", 0)) % len(shape)  # type: ignore[call-overload]
        if data not in self.live:  # rows of a table, by what the input says
            after = self.shape(node.output[0])
            sizes = self.shape(indices)
            full = (*shape[:axis], *sizes, *shape[axis + 1 :])
            ones = ((1,) * axis, sizes, (1,) * (len(shape) - axis - 1))
            between = f"{node.output[0]}/indices"
            if full != after:
                raise NotSupportedError("Gather gives another shape than its inputs say")
            self.nodes.append(Vertex(name, "Gather", Reshape((*ones[0], *ones[1], *ones[2])), (indices,), between))
            self.add(node, name, Same((full,)), (between,))
            return
        places = self.known.small.get(indices)
        if places is None or places.dtype.kind not in "iu":
            raise NotSupportedError("Gather reads where its indices say")
        n = shape[axis]
        found = tuple(int(place) % n for place in places.ravel())
        between = f"{node.output[0]}/gathered"
        stairs = Staircase(found, 0, table=True)
        reads = tuple((stairs, stairs) if at == axis else None for at in range(len(shape)))
        target = (*shape[:axis], len(found), *shape[axis + 1 :])
        self.nodes.append(Vertex(name, "Gather", Resize(reads, target), (data,), between))
        self.add(node, name, Reshape((*shape[:axis], *places.shape, *shape[axis + 1 :])), (between,))

    def _padded(self, node: Any, name: str) -> None:
        rank, options = len(self.shape(node.input[0])), attributes_of(node)
        mode = _MODES.get(str(options.get("mode", "constant")))
        pads: Any = self.axes(node, 1, "pads") if "paddings" not in options else options["paddings"]
        axes = self.axes(node, 3) if len(node.input) > 3 and node.input[3] else tuple(range(rank))
        if mode is None or not pads or axes is None or len(pads) != 2 * len(axes):
            raise NotSupportedError(f"Pad with mode={options.get('mode')!r} and pads={pads!r} is not known here")
        pairs = [(0, 0)] * rank
        for place, axis in enumerate(axes):
            pairs[axis % rank] = (pads[place], pads[len(axes) + place])
        self.add(node, name, Pad(tuple(pairs), mode), node.input[:1], passes=not any(map(any, pairs)))

    def _shuffled(self, node: Any, name: str) -> None:
        shape, options = self.shape(node.input[0]), attributes_of(node)
        b: Any = options.get("blocksize")
        n, c, h, w = shape
        if node.op_type == "DepthToSpace":
            crd = options.get("mode", "DCR") == "CRD"
            split = (n, c // (b * b), b, b, h, w) if crd else (n, b, b, c // (b * b), h, w)
            order = (0, 1, 4, 2, 5, 3) if crd else (0, 3, 4, 1, 5, 2)
        else:
            split, order = (n, c, h // b, b, w // b, b), (0, 3, 5, 1, 2, 4)
        first, second = f"{node.output[0]}/split", f"{node.output[0]}/turned"
        self.nodes.append(Vertex(name, node.op_type, Reshape(split), (node.input[0],), first))
        self.nodes.append(Vertex(name, node.op_type, Transpose(order), (first,), second))
        self.add(node, name, Reshape(self.shape(node.output[0])), (second,))

    def _resized(self, node: Any, name: str) -> None:
        before, after, options = self.shape(node.input[0]), self.shape(node.output[0]), attributes_of(node)
        rank = len(before)
        place = 1 if node.op_type == "Upsample" or self.known.opset < 11 else 2
        scales: Any = options.get("scales")
        if scales is None and len(node.input) > place and node.input[place] in self.known.small:
            scales = tuple(float(entry) for entry in self.known.small[node.input[place]].ravel())
        axes: Any = options.get("axes", tuple(range(rank)))
        factors: dict[int, Fraction] = {}
        for axis, scale in zip(axes, scales or (), strict=False):
            if scale > 0:
                factors[axis % rank] = Fraction(str(np.float32(scale)))
        if options.get("antialias"):
            raise NotSupportedError("Resize with antialias=1 is not known here")
        where = str(options.get("coordinate_transformation_mode", "half_pixel"))
        if node.op_type == "Upsample" or self.known.opset < 11:
            where = "asymmetric"
        mode, nearest = str(options.get("mode", "nearest")), str(options.get("nearest_mode", "round_prefer_floor"))
        nearest = "floor" if node.op_type == "Upsample" or self.known.opset < 11 else nearest
        reads = [
            None
            if n == m and factors.get(axis, 1) == 1
            else interpolated(n, m, factors.get(axis, Fraction(m, n)), mode, where, nearest)
            for axis, (n, m) in enumerate(zip(before, after, strict=True))
        ]
        self.add(node, name, Resize(tuple(reads), after), node.input[:1], passes=not any(reads))

    # ------------------------------------------------------------------ recurrences

    def _scanned(self, node: Any, name: str) -> None:
        """LSTM, GRU and RNN; the sequence may be one step long."""
        options = attributes_of(node)
        if options.get("layout"):
            raise NotSupportedError(f"{node.op_type} with layout=1 is not known here")
        hidden = self.shape(node.input[2])[-1]
        states = self.images(node, node.input[5:7])
        direction = str(options.get("direction", "forward"))
        for place, output in enumerate(node.output):
            if output:
                act = Scan(direction, place > 0, hidden)
                self.nodes.append(Vertex(name, node.op_type, act, (node.input[0], *states), output))

    # ------------------------------------------------------------------ products

    def _product(self, node: Any, name: str) -> None:
        kind, options = node.op_type, attributes_of(node)
        left, right = (node.input[0], node.input[3]) if kind == "QLinearMatMul" else node.input[:2]
        bias = node.input[2] if kind in ("Gemm", "FusedGemm") and len(node.input) > 2 else ""
        flipped = tuple(
            side for side, flag in (("left", "transA"), ("right", "transB")) if options.get(flag, 0)
        )  # fmt: skip
        factors = [(side, entry) for side, entry in (("left", left), ("right", right)) if entry in self.live]
        if not factors:
            raise NotSupportedError(f"{kind} of constants")
        other = next((self.shape(entry) for entry in (left, right) if entry not in self.live), None)
        if bias in self.live:
            factors.append(("bias", bias))
        sides, images = zip(*factors, strict=True)
        self.notes["products of matrices (MatMul, Gemm) have no windows, and are not counted"] = None
        act = Product(tuple(sides), other, flipped)
        more: dict[str, Any] = {}
        shape = self.shape(left)
        matrix = right not in self.live and len(self.shape(right)) == 2 and len(shape) == 2 and sides == ("left",)
        if kind in ("MatMul", "Gemm") and matrix and "left" not in flipped:
            more = self._dense(right, bias, "right" in flipped, options)
        self.add(node, name, act, images, **more)

    def _dense(self, weight: str, bias: str, flipped: bool, options: Mapping[str, Any]) -> dict[str, Any]:
        rows, columns = self.shape(weight)
        outputs, inputs = (rows, columns) if flipped else (columns, rows)
        alpha, beta = float(options.get("alpha", 1.0)), float(options.get("beta", 1.0))
        loads = {"weight": self._loader(weight, lambda array: alpha * (array if flipped else array.T))}
        if bias:
            if prod(self.shape(bias)) not in (1, outputs) or self.shape(bias)[:-1] not in ((), (1,)):
                return {"aside": "its third input is no bias"}
            loads["bias"] = self._loader(
                bias, lambda array: beta * np.broadcast_to(array.ravel(), (outputs,))
            )  # fmt: skip
        return {"operator": Dense(outputs, inputs, bias=bool(bias)), "weights": loads}


_CONVOLUTIONS = ("Conv", "ConvTranspose", "FusedConv", "QLinearConv", "ConvInteger", "DeformConv")
_SCALARS = frozenset(("Clip", "Cast", "CastLike", "QuantizeLinear", "DequantizeLinear", "Dropout", "QLinearSigmoid",
                      "QLinearLeakyRelu", "QLinearAdd", "QLinearMul", "Trilu"))  # fmt: skip
"""Nodes whose further inputs do not change the shape."""

_AFFINE = ("Add", "Sub", "Mul", "Div")
_WHY = {
    **dict.fromkeys(("RoiAlign", "MaxRoiPool", "GridSample"), "it reads where its coordinates say"),
    **dict.fromkeys(
        ("TopK", "NonMaxSuppression", "NonZero", "GatherElements", "GatherND", "ScatterND", "ScatterElements"),
        "it depends on values which entries it takes",
    ),
}
_READERS: Mapping[str, Callable[[OnnxReader, Any, str], None]] = {
    **dict.fromkeys(("Reshape", "Flatten", "Squeeze", "Unsqueeze"), OnnxReader._reshaped),
    **dict.fromkeys(("Softmax", "LogSoftmax", "QLinearSoftmax"), OnnxReader._softmax),
    **dict.fromkeys(
        (
            "InstanceNormalization", "LayerNormalization", "GroupNormalization", "LRN", "LpNormalization", "Hardmax",
            "MeanVarianceNormalization", "RMSNormalization", "SkipLayerNormalization", "SimplifiedLayerNormalization",
        ),
        OnnxReader._mixing,
    ),
    **dict.fromkeys(("MatMul", "Gemm", "FusedGemm", "MatMulInteger", "QLinearMatMul"), OnnxReader._product),
    **dict.fromkeys(("Expand", "Tile"), OnnxReader._expanded),
    **dict.fromkeys(("Concat", "QLinearConcat"), OnnxReader._joined),
    **dict.fromkeys(("ArgMax", "ArgMin"), OnnxReader._arg),
    **dict.fromkeys(("DepthToSpace", "SpaceToDepth"), OnnxReader._shuffled),
    **dict.fromkeys(("Resize", "Upsample"), OnnxReader._resized),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), OnnxReader._scanned),
    "Transpose": OnnxReader._transposed,
    "Slice": OnnxReader._sliced,
    "Split": OnnxReader._split,
    "Gather": OnnxReader._gathered,
    "Pad": OnnxReader._padded,
}  # fmt: skip
"""Nodes that are about axes."""
