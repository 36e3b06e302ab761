"""An option of an operator, declared once: at its field, in the dataclass of the operator.

Everything that speaks of an option reads this record: the constructor and its documentation, problem files with their
errors and the comments of ``symconv init``, the command line and its help, the importers, the letters of sizes that are
left symbolic, and the words of derivations and reports.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import Field, dataclass, field
from typing import Any

from symconv.operators.kinds import Flag, Kind, Norm, Padding, PerAxis, Size, Whole, Word
from symconv.operators.options import TIES

__all__ = [
    "BIAS",
    "CEIL_MODE",
    "DILATION",
    "FLIP",
    "GROUPS",
    "IN_CHANNELS",
    "KERNEL_SIZE",
    "NORM_TYPE",
    "OUTPUT_SIZE",
    "OUT_CHANNELS",
    "PADDING",
    "POOL_STRIDE",
    "STRIDE",
    "TIES_OPTION",
    "Option",
    "axes_unsaid",
    "documented",
    "option_fields",
]


@dataclass(frozen=True)
class Option:
    """What is known of an option.

    Attributes:
        kind: how its values are read.
        words: what it means, without a full stop.
        noun: what it is called where the options of a layer are listed, before its value, such as "stride 2"; a flag
            has no value there. None where such a list leaves it out.
        letter: the letter of a size that is left symbolic; none for what is no size.
        after: the letter of the padding after the input where it differs from the one before it.
        neutral: the value, of one axis where there are several, that leaves a layer as if it had no such option.
        example: a value as a problem file writes it, for a key that is switched off in the file of ``symconv init``.
        switch: its name on a command line, without the dashes, where that is not its own.
        switch_words: what the switch means, where it says the opposite of the option.
        argument: its name where its field cannot have it, being that of a method.
        known_as: its name in a framework ("onnx", "keras") that takes the same values for the same thing, and nothing
            where it is left out.
    """

    kind: Kind
    words: str
    noun: str = ""
    letter: str = ""
    after: str = ""
    neutral: Any = None
    example: str = ""
    switch: str = ""
    switch_words: str = ""
    argument: str = ""
    known_as: Mapping[str, str] = field(default_factory=dict)

    @property
    def metadata(self) -> dict[str, Option]:
        """What the dataclass field of the option carries: ``field(default=1, metadata=STRIDE.metadata)``."""
        return {"option": self}

    def is_neutral(self, value: Any) -> bool:
        """Whether a value leaves a layer as if it had no such option, on every axis."""
        if isinstance(value, tuple):
            return all(self.is_neutral(entry) for entry in value)
        return bool(value == self.neutral)


def option_fields(kind: type) -> dict[str, tuple[Option, Field[Any]]]:
    """The options of an operator by the names that they are given by, in order, with their fields."""
    found = {}
    for entry in kind.__dataclass_fields__.values() if hasattr(kind, "__dataclass_fields__") else ():
        option = entry.metadata.get("option")
        if option is not None:
            found[option.argument or entry.name] = (option, entry)
    return found


def axes_unsaid(kind: type) -> int | None:
    """How many axes an operator has where its `ndim` is not said; None where a size says it, or they are fixed."""
    entry = getattr(kind, "__dataclass_fields__", {}).get("ndim")
    if entry is None or not entry.init or any(isinstance(o.kind, Size) for o, _ in option_fields(kind).values()):
        return None
    default: Any = entry.default
    return default if isinstance(default, int) else None


def documented(kind: type) -> str:
    """The documentation of an operator with a section ``Args`` made of its options, before its examples and errors."""
    text = kind.__doc__ or ""
    options = [(name, entry.metadata["option"]) for name, entry in vars(kind).items() if _is_option(entry)]
    if not options:
        return text
    lines = ["    Args:"]
    for name, option in options:
        form = option.kind.form("python")
        line = f"{option.argument or name}: {option.words}" + (f" ({form})." if form else ".")
        lines += textwrap.wrap(line, 116, initial_indent=" " * 8, subsequent_indent=" " * 12)
    sized = any(isinstance(option.kind, Size) for _, option in options)
    lines += [f"        ndim: the number of spatial axes{' where the size is an int' if sized else ''}.", "", ""]
    found = re.search(r"^    (Raises:|>>> )", text, flags=re.MULTILINE)
    before, after = (text, "    ") if found is None else (text[: found.start()], text[found.start() :])
    return before.rstrip() + "\n\n" + "\n".join(lines) + after


def _is_option(entry: object) -> bool:
    return isinstance(entry, Field) and "option" in entry.metadata


KERNEL_SIZE = Option(Size(), "the window", noun="window", letter="K", switch="kernel")
STRIDE = Option(
    PerAxis(), "the step between outputs", noun="stride", letter="S", neutral=1, example="2",
    known_as={"onnx": "strides", "keras": "strides"},
)  # fmt: skip
POOL_STRIDE = Option(
    PerAxis(follows="kernel_size"), "the step between outputs; the window itself where it is left out", noun="stride",
    letter="S", neutral=1, example="2", known_as={"onnx": "strides", "keras": "strides"},
)  # fmt: skip
PADDING = Option(
    Padding(), "entries around the input",
    noun="padding", letter="P", after="Q", neutral=0, example="1",
)  # fmt: skip
DILATION = Option(
    PerAxis(), "the step between the taps of a window", noun="dilation", letter="D", neutral=1, example="1",
    known_as={"onnx": "dilations", "keras": "dilation_rate"},
)  # fmt: skip
CEIL_MODE = Option(
    Flag(),
    "whether the number of outputs is rounded up; no window starts in the padding after the input",
    noun="size rounded up", neutral=False, example="true", known_as={"onnx": "ceil_mode"},
)  # fmt: skip
GROUPS = Option(
    Whole(1),
    "the number of groups of channels; input channels of one group reach outputs of that group only",
    neutral=1, example="1",
)  # fmt: skip
IN_CHANNELS = Option(
    Whole(1), "the number of input channels; an index h appears where it is not 1", neutral=1, example="1"
)
OUT_CHANNELS = Option(
    Whole(1), "the number of output channels; an index f appears where it is not 1", neutral=1,
)  # fmt: skip
BIAS = Option(Flag(), "whether a bias is added to every output channel", neutral=False)
FLIP = Option(
    Flag(),
    "whether the kernel is turned around, as in the mathematician's convolution; else it is a cross-correlation",
    noun="kernel turned around", neutral=False, example="true",
)  # fmt: skip
TIES_OPTION = Option(
    Word(TIES, unfiled=("set",)),
    "which of several equal maxima receives the gradient: the first in row-major order as in PyTorch and JAX, or all "
    "of them in equal shares; error refuses data with two winners, and formulas hold where there are none; set leaves "
    "the whole subdifferential, which only formulas can show",
    neutral="first", example='"split"',
)  # fmt: skip
OUTPUT_SIZE = Option(Size(), "the size of the output", letter="O", switch="output", argument="output_size")
NORM_TYPE = Option(Norm(), "the exponent p", noun="exponent", example='"p"', switch="norm")
