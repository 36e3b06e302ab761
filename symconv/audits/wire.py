"""Arrays over a pipe, in a format that runs nothing: a header in JSON, then the entries as they lie in memory.

One side is a black box that may send anything; its header is bounded, and every word of it is looked at before memory
is taken. bfloat16, which NumPy lacks, travels as its 16 bits and is read as the float32 of the same value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from symconv.audits.reading import Array

__all__ = ["Bits", "Message", "ProtocolError", "packed", "unpacked"]

MAGIC = b"symconv1"
MOST_HEADER, MOST_BYTES, MOST_AXES, MOST_ARRAYS = 1 << 16, 1 << 28, 16, 8
SENT = {
    **{name: name for name in ("float16", "float32", "float64")},
    **{f"{sign}int{bits}": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    "bfloat16": "uint16",
}
"""What may be sent, and the type that its bytes are read as."""


class ProtocolError(Exception):
    """What came over the pipe is no message."""


@dataclass(frozen=True)
class Bits:
    """An array of a type that NumPy lacks.

    Attributes:
        type_name: the type.
        bits: its entries as the type that `SENT` names.
    """

    type_name: str
    bits: Array


@dataclass(frozen=True)
class Message:
    """What one side says to the other.

    Attributes:
        kind: what it is.
        text: words about it.
        arrays: arrays by name, in float32 for bfloat16.
        types: the names of their types.
    """

    kind: str
    text: str = ""
    arrays: dict[str, Array] | None = None
    types: dict[str, str] | None = None


def packed(kind: str, text: str = "", arrays: dict[str, Any] | None = None) -> bytes:
    """A message as bytes.

    Raises:
        TypeError: for an array of a type that is not sent.
    """
    rows, bodies = [], []
    for name, value in (arrays or {}).items():
        array, type_name = (value.bits, value.type_name) if isinstance(value, Bits) else _read(value)
        if type_name not in SENT:
            raise TypeError(f"an array of {type_name}")
        rows.append([name, type_name, list(array.shape)])
        bodies.append(np.ascontiguousarray(array).tobytes())
    header = json.dumps([kind, text[:2000], rows]).encode()
    return b"".join([MAGIC, len(header).to_bytes(4, "little"), header, *bodies])


def _read(value: Any) -> tuple[Array, str]:
    array = np.asarray(value)
    return array, array.dtype.name


def unpacked(read: Callable[[int], bytes]) -> Message:
    """The next message.

    Args:
        read: gives the next so many bytes, all of them or an exception.

    Raises:
        ProtocolError: where what comes is no message.
    """
    lead = read(len(MAGIC) + 4)
    size = int.from_bytes(lead[len(MAGIC) :], "little")
    if not lead.startswith(MAGIC) or size > MOST_HEADER:
        raise ProtocolError("no message")
    try:
        header = json.loads(read(size))
    except (ValueError, RecursionError):
        raise ProtocolError("a header that is no JSON") from None
    kind, text, rows = _checked(header)
    arrays = {}
    for name, type_name, shape in rows:
        data = np.frombuffer(read(_bytes(type_name, shape)), dtype=SENT[type_name]).reshape(shape)
        arrays[name] = (data.astype(np.uint32) << 16).view(np.float32) if type_name == "bfloat16" else data
    return Message(kind, text, arrays, {name: type_name for name, type_name, _ in rows})


def _bytes(type_name: str, shape: Sequence[int]) -> int:
    return prod(shape) * np.dtype(SENT[type_name]).itemsize


def _checked(header: Any) -> tuple[str, str, list[tuple[str, str, list[int]]]]:
    """The parts of a header, each of its kind and within its bounds."""
    match header:
        case [str(kind), str(text), list(rows)] if len(rows) <= MOST_ARRAYS:
            pass
        case _:
            raise ProtocolError("a header of another form")
    found, total = [], 0
    for row in rows:
        match row:
            case [str(name), str(type_name), list(shape)] if type_name in SENT and len(shape) <= MOST_AXES:
                pass
            case _:
                raise ProtocolError("an array of another form")
        if not all(type(n) is int and 0 <= n <= MOST_BYTES for n in shape):
            raise ProtocolError("a shape that is none")
        total += _bytes(type_name, shape)
        if total > MOST_BYTES:
            raise ProtocolError(f"more than {MOST_BYTES} bytes")
        found.append((name, type_name, shape))
    return kind, text, found
