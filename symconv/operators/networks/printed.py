"""The network that a printed or typed sequential PyTorch model describes, layer after layer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from symconv.doors import list_of
from symconv.errors import ArgumentError, NotSupportedError, SymconvError
from symconv.operators.convolution import Conv
from symconv.operators.importers.imported import sizes_of
from symconv.operators.importers.text import Written, read_written, written
from symconv.operators.importers.torch import is_layer, options_of
from symconv.operators.networks.table import Image, NetworkTable

__all__ = ["network_from_text", "network_from_torch"]

_SAME_SHAPE = re.compile(
    r"(Batch|Instance)Norm[123]d|SyncBatchNorm|GroupNorm|LayerNorm|RMSNorm|LocalResponseNorm|FrozenBatchNorm2d"
    r"|(Feature)?(Alpha)?Dropout([123]d)?|Identity"
    r"|R?ReLU6?|LeakyReLU|PReLU|ELU|SELU|CELU|GELU|SiLU|Mish|GLU|Softplus|Softshrink|Softsign|Tanh|Tanhshrink"
    r"|Hard(tanh|shrink|swish|sigmoid)|Sigmoid|LogSigmoid|Threshold|(Log)?Softmax|Softmax2d|Softmin|QuantStub|DeQuantStub"
)
_PADDING = re.compile(r"(Zero|Constant|Reflection|Replication|Circular)Pad([123])d")
_MODES = {"Reflection": "reflect", "Replication": "replicate", "Circular": "circular"}
_ENDS = ("Flatten", "Linear", "LazyLinear", "Bilinear", "NonDynamicallyQuantizableLinear", "Unfold")
MOST_DEEP = 64
_UNORDERED = ("ModuleList", "ModuleDict", "ParameterList", "ParameterDict")


def network_from_text(text: str, input_shape: Sequence[int], *, ignore: Sequence[str] = ()) -> NetworkTable:
    """The table of a sequential model in PyTorch's printed form, or typed as ``nn.Sequential(nn.Conv2d(...), ...)``.

    The layers are taken in the order in which they stand there; a container that is no Sequential is noted, since its
    forward need not keep that order. Flatten and Linear end what has windows.

    Args:
        text: the model.
        input_shape: batch, channels and spatial sizes; the batch may be left out.
        ignore: class names of further layers that change no shape.

    Raises:
        ArgumentError: for text that cannot be read, or a shape that does not fit its first layer.
        NotSupportedError: for a layer that is not known; GeometryError where two layers do not fit together.
    """
    return _followed(_Chain(written(text), _ignored(ignore)), input_shape)


def network_from_torch(model: Any, input_shape: Sequence[int], *, ignore: Sequence[str] = ()) -> NetworkTable:
    """The table of a sequential PyTorch model: its modules, in the order in which they are registered.

    Args and Raises: as for `network_from_text`; `model` is anything with PyTorch's ``named_children``.
    """
    return _followed(_Chain(_as_written(model), _ignored(ignore)), input_shape)


def _ignored(ignore: object) -> frozenset[str]:
    return frozenset(list_of("ignore", ignore, str, "must be a tuple of class names"))


def _as_written(module: Any, depth: int = 1) -> Written:
    """A module and what it holds, with the options of the layers that are known.

    Raises:
        ArgumentError: for what is no module, and for one that holds itself or is nested deeper than any model.
    """
    name = type(module).__name__
    if isinstance(module, type) or not callable(getattr(module, "named_children", None)):
        raise ArgumentError("model", module, "must be a PyTorch module, with named_children()")
    if depth > MOST_DEEP:
        raise ArgumentError("model", name, f"must be nested at most {MOST_DEEP} deep, and hold itself nowhere")
    children = tuple((label, _as_written(child, depth + 1)) for label, child in module.named_children())
    if children:
        return Written(name, children=children)
    if is_layer(name):
        return Written(name, keywords=options_of(module))
    return Written(name, keywords={"padding": module.padding} if _PADDING.fullmatch(name) else {})


def _followed(chain: _Chain, input_shape: Sequence[int]) -> NetworkTable:
    """The layers of a chain applied one after the other."""
    input_shape = sizes_of("input_shape", input_shape)
    layers = list(chain.layers())
    for name in sorted(chain.ignored - set(_names(chain.root))):
        raise ArgumentError("ignore", name, "must be the class name of a layer of the model")
    axes = next((_axes(layer) for _, layer in layers if is_layer(layer.name)), None)
    if axes is None:
        raise ArgumentError("the model", chain.root.name, "must have a layer with windows, such as Conv2d")
    if len(input_shape) not in (axes + 1, axes + 2):
        shown = "x".join(map(str, input_shape))
        names = "batch, channels and " if axes > 1 else "batch, channels and the "
        raise ArgumentError(
            "input_shape", shown, f"must be {names}{axes} spatial size{'s' if axes > 1 else ''} (or without the batch)"
        )
    network = NetworkTable(1 if len(input_shape) == axes + 1 else input_shape[0], notes=chain.notes)
    image: Image | None = network.start(input_shape[-axes - 1], input_shape[-axes:])
    ended = ""
    left_out = 0
    for label, layer in layers:
        if image is None:
            left_out += is_layer(layer.name)
            continue
        image = chain.step(network, label, layer, image)
        if image is None:
            ended = f"{layer.name} {label}".strip()
    if ended:
        several = f"; layers with windows among it: {left_out}" if left_out else ""
        network.note(f"the table ends at {ended}; what comes after it is not counted{several}")
    return network


def _names(layer: Written) -> Iterator[str]:
    """The class names of a layer and of all that it holds."""
    yield layer.name
    for _, child in layer.children:
        yield from _names(child)
    for entry in layer.positional:
        if isinstance(entry, Written):
            yield from _names(entry)


def _axes(layer: Written) -> int:
    found = re.search(r"([123])d$", layer.name)
    return int(found[1]) if found else 2


class _Chain:
    """The layers of a model, one after the other."""

    def __init__(self, root: Written, ignored: frozenset[str]) -> None:
        self.root = root
        self.notes: list[str] = []
        self.ignored = ignored

    def layers(self) -> Iterator[tuple[str, Written]]:
        """The layers that hold no others, with their labels."""
        return self._below(self.root, "")

    def _below(self, layer: Written, label: str) -> Iterator[tuple[str, Written]]:
        children = list(layer.children)
        if not children and layer.positional and all(isinstance(entry, Written) for entry in layer.positional):
            children = [(str(n), entry) for n, entry in enumerate(layer.positional) if isinstance(entry, Written)]
        if not children:
            if layer.name != "Sequential":
                yield label, layer
            return
        if layer.name in self.ignored:
            return
        if layer.name in _UNORDERED:
            raise NotSupportedError(
                f"{_place(layer)}{layer.name} does not say how its parts are connected; export the model to ONNX"
            )
        if layer.name != "Sequential":
            note = f"the parts of {layer.name} are taken in the order in which they are printed"
            if note not in self.notes:
                self.notes.append(note)
        for name, child in children:
            yield from self._below(child, f"{label}.{name}" if label else name)

    def step(self, network: NetworkTable, label: str, layer: Written, image: Image) -> Image | None:
        """What a layer makes of an image; None where it ends what has windows."""
        name = layer.name
        try:
            if name.startswith("Fold"):
                raise NotSupportedError(f"{name} puts patches together, and takes no image")
            if is_layer(name):
                read = read_written(
                    layer, input_size=image.sizes, channels=image.channels if name == "Unfold" else None
                )
                result = network.apply(label, name, read.operator, image)
                for note in read.notes:
                    network.note(note)
                return None if name == "Unfold" else result
            padding = _PADDING.fullmatch(name)
            if padding:
                return network.apply(label, name, _padded(layer, padding, image), image, listed=False)
        except SymconvError as error:
            raise _placed(error, layer) from None
        if _SAME_SHAPE.fullmatch(name) or name in self.ignored:
            return image
        if name in _ENDS:
            return None
        raise NotSupportedError(
            f"{_place(layer)}{name} is not a layer that is known here; where it changes no shape, ignore it "
            f"(--ignore {name}), else export the model to ONNX"
        )


def _padded(layer: Written, found: re.Match[str], image: Image) -> Conv:
    """A padding layer as a convolution with one tap, which leaves the entries alone."""
    ndim = int(found[2])
    given = layer.keywords.get("padding", layer.positional[0] if layer.positional else None)
    sides = (given,) * (2 * ndim) if isinstance(given, int) else given
    if not isinstance(sides, tuple) or len(sides) != 2 * ndim:
        raise ArgumentError(f"{layer.name}: padding", given, f"must be one integer or {2 * ndim} of them")
    pairs = tuple(zip(sides[::2], sides[1::2], strict=True))[::-1]  # PyTorch begins with the last axis
    mode = _MODES.get(found[1], "zeros")
    channels = image.channels
    return Conv((1,) * ndim, 1, pairs, 1, channels, channels, channels, padding_mode=mode)


def _place(layer: Written) -> str:
    """Where a layer stands, where it was read from text."""
    return f"line {layer.line}: " if layer.line else ""


def _placed(error: SymconvError, layer: Written) -> SymconvError:
    """An error with the line that it is about, of the same class."""
    if isinstance(error, ArgumentError):
        argument = f"{_place(layer)}{error.argument}"
        return type(error)(argument, error.value, error.requirement, error.fix)
    return type(error)(f"{_place(layer)}{error}")
