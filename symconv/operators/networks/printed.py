"""The network that a printed or typed sequential PyTorch model describes, layer after layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from symconv.doors import list_of
from symconv.errors import ArgumentError, NotSupportedError, SymconvError
from symconv.operators.flatten import Flatten
from symconv.operators.importers.imported import sizes_of
from symconv.operators.importers.text import Written, written
from symconv.operators.importers.torch import axes_of_name, is_layer
from symconv.operators.networks.acts import Same
from symconv.operators.networks.assembly import ModelTable, assemble
from symconv.operators.networks.builder import GraphBuilder
from symconv.operators.networks.graph import Graph
from symconv.operators.networks.modules import is_known, laid
from symconv.operators.networks.moves import Reshape
from symconv.operators.networks.shape import INPUT

__all__ = ["network_from_text"]

_UNORDERED = ("ModuleList", "ModuleDict", "ParameterList", "ParameterDict")
Names = frozenset[str]


def network_from_text(
    text: str, input_shape: Sequence[int], *, ignore: Sequence[str] = (), sequential: Sequence[str] = ()
) -> ModelTable:
    """The table of a sequential model in PyTorch's printed form, or typed as ``nn.Sequential(nn.Conv2d(...), ...)``.

    The layers are taken in the order in which they stand there. The print of any other container than a Sequential does
    not tell what its forward does with its parts: for the outermost one this is taken for granted, with a note, and one
    that stands inside is refused, unless it is named in `sequential`.

    Args:
        text: the model.
        input_shape: batch, channels and spatial sizes; the batch may be left out.
        ignore: class names of further layers that change no shape, and work place by place.
        sequential: class names of containers that call their parts one after the other.

    Returns:
        The table; its `network` has no weights, since a print has none.

    Raises:
        ArgumentError: for text that cannot be read, or a shape that does not fit its first layer.
        NotSupportedError: for a layer that is not known, and a container inside whose order is not known.
        GeometryError: where two layers do not fit together.

    >>> table = network_from_text("Sequential(Conv2d(1, 4, 3), ReLU(), Flatten(), Linear(64, 2))", (1, 6, 6))
    >>> table.network.names, table.parameters
    (('conv1', 'relu1', 'flatten1', 'dense1'), 40)
    """
    return _followed(_Chain(written(text), _names("ignore", ignore), _names("sequential", sequential)), input_shape)


def _names(argument: str, given: object) -> Names:
    return frozenset(list_of(argument, given, str, "must be a tuple of class names"))


def _followed(chain: _Chain, input_shape: Sequence[int]) -> ModelTable:
    """The layers of a chain applied one after the other."""
    input_shape = sizes_of("input_shape", input_shape)
    layers = list(chain.layers())
    present = set(_classes(chain.root))
    for argument, given in (("ignore", chain.ignored), ("sequential", chain.sequential)):
        for name in sorted(given - present):
            raise ArgumentError(argument, name, "must be the class name of a layer of the model")
    axes = next((axes_of_name(layer.name) or 2 for _, layer in layers if is_layer(layer.name)), None)
    if axes is None:
        raise ArgumentError("the model", chain.root.name, "must have a layer with windows, such as Conv2d")
    if len(input_shape) not in (axes + 1, axes + 2):
        shown = "x".join(map(str, input_shape))
        names = "batch, channels and " if axes > 1 else "batch, channels and the "
        raise ArgumentError(
            "input_shape", shown, f"must be {names}{axes} spatial size{'s' if axes > 1 else ''} (or without the batch)"
        )
    shape = (1, *input_shape) if len(input_shape) == axes + 1 else input_shape
    graph = Graph({INPUT: shape}, notes=chain.notes, weighted=False, strict=True)
    builder, value = GraphBuilder(graph), INPUT
    for label, layer in layers:
        place = f"line {layer.line}: " if layer.line else ""
        if layer.name in chain.ignored:
            value = builder.add(label or layer.name, layer.name, Same(), value, aside="it was to be ignored")
            continue
        if not is_known(layer.name):
            raise NotSupportedError(
                f"{place}{layer.name} is not a layer that is known here; where it changes no shape, ignore it "
                f"(--ignore {layer.name}), else export the model to ONNX"
            )
        try:
            if layer.name == "Linear" and chain.root.name != "Sequential":
                value = _flattened(builder, layer, value)
            value = laid(builder, label, layer, value, place)
        except SymconvError as error:
            raise _placed(error, place) from None
    graph.outputs.append(value)
    return assemble(graph)


def _flattened(builder: GraphBuilder, layer: Written, value: str) -> str:
    """A flattening before a Linear that takes as many values as come in: it is in a forward that no print shows."""
    shape = builder.shapes[value]
    inputs = layer.keywords.get("in_features", layer.positional[0] if layer.positional else None)
    if len(shape) == 2 or shape[-1] == inputs or prod(shape[1:]) != inputs:
        return value
    builder.graph.notes.append(f"what comes into the first Linear is flattened, since that takes {inputs:,} values")
    return builder.add("flattened", "Flatten", Reshape((shape[0], prod(shape[1:]))), value, operator=Flatten())


def _classes(layer: Written) -> Iterator[str]:
    """The class names of a layer and of all that it holds."""
    yield layer.name
    for _, child in layer.children:
        yield from _classes(child)
    for entry in layer.positional:
        if isinstance(entry, Written):
            yield from _classes(entry)


class _Chain:
    """The layers of a model, one after the other."""

    def __init__(self, root: Written, ignored: Names, sequential: Names) -> None:
        self.root = root
        self.notes: list[str] = []
        self.ignored, self.sequential = ignored, sequential

    def layers(self) -> Iterator[tuple[str, Written]]:
        """The layers that hold no others, with their labels."""
        return self._below(self.root, "")

    def _below(self, layer: Written, label: str) -> Iterator[tuple[str, Written]]:
        children = list(layer.children)
        if not children and layer.positional and all(isinstance(entry, Written) for entry in layer.positional):
            children = [(str(n), entry) for n, entry in enumerate(layer.positional) if isinstance(entry, Written)]
        if not children or layer.name in self.ignored:
            if layer.name != "Sequential":
                yield label, layer
            return
        place = f"line {layer.line}: " if layer.line else ""
        if layer.name in _UNORDERED:
            raise NotSupportedError(
                f"{place}{layer.name} does not say how its parts are connected; export the model to ONNX"
            )
        if layer.name != "Sequential" and layer.name not in self.sequential:
            if label:
                raise NotSupportedError(
                    f"{place}the print of {layer.name} {label} does not tell what it does with its parts (a branch, a "
                    "sum, a gate?); give the model itself to network_from_torch or export it to ONNX, or, where it "
                    f"calls them one after the other, say so (--sequential {layer.name})"
                )
            self.notes.append(f"the parts of {layer.name} are taken in the order in which they are printed")
        for name, child in children:
            yield from self._below(child, f"{label}.{name}" if label else name)


def _placed(error: SymconvError, place: str) -> SymconvError:
    """An error with the line that it is about, of the same class."""
    if str(error).startswith(place) or not place:
        return error
    if isinstance(error, ArgumentError):
        return type(error)(f"{place}{error.argument}", error.value, error.requirement, error.fix)
    return type(error)(f"{place}{error}")
