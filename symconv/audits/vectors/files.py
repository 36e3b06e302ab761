"""Test vectors as files: JSON, .npz, and the layout of ONNX's node tests. The same vectors are the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np

from symconv.audits.reading import Array
from symconv.audits.vectors.case import Vector, VectorSet
from symconv.operators.convolution import Conv
from symconv.operators.transposed import ConvTranspose

__all__ = ["arrays_file", "text_file"]

EPOCH = (1980, 1, 1, 0, 0, 0)


def text_file(found: VectorSet) -> str:
    """The vectors as JSON; NaN and infinities, which JSON has not, are the texts "nan", "inf" and "-inf"."""
    op = found.operator
    head = {
        "operator": repr(op),
        "kind": type(op).__name__,
        "attributes": {name: _plain(value) for name, value in op.options().items()},
        "axes": _axes(op),
        "tells_apart": [{"operator": repr(other), "by": name} for other, name in found.told],
        "does_not_tell_apart": [repr(other) for other in found.untold],
    }
    lines = [f" {json.dumps(name)}: {json.dumps(value, allow_nan=False)}," for name, value in head.items()]
    cases = ",\n".join(_case(vector) for vector in found.vectors)
    return "\n".join(["{", *lines, ' "cases": [', cases, " ]", "}", ""])


def _case(vector: Vector) -> str:
    gradients = {name.removeprefix("grad_"): array for name, array in vector.due.items() if name != "output"}
    rows: dict[str, Any] = {
        "name": vector.name,
        "about": vector.trial.words,
        "input_size": list(vector.sizes),
        "tolerance": {dtype: dict(slack) for dtype, slack in vector.tolerance.items()},
        "arguments": {name: _nested(array) for name, array in vector.trial.arrays.items()},
        "output": _nested(vector.due["output"]),
    }
    if vector.trial.upstream is not None:
        rows["grad_output"] = _nested(vector.trial.upstream)
        rows["gradients"] = {name: _nested(array) for name, array in gradients.items()}
    lines = [f"   {json.dumps(name)}: {json.dumps(value, allow_nan=False)}" for name, value in rows.items()]
    return "  {\n" + ",\n".join(lines) + "\n  }"


def _axes(op: Any) -> dict[str, str]:
    """The order of the axes of every array."""
    places = "DHW"[-op.spatial_axes :]
    found = {"input": f"NC{places}", "output": f"NC{places}"}
    if isinstance(op, Conv | ConvTranspose):
        found["weight"] = ("IO" if isinstance(op, ConvTranspose) else "OI") + places
    if "bias" in op.variables:
        found["bias"] = "O"
    return found


def _plain(value: Any) -> Any:
    """A value of an option as JSON has it."""
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _nested(array: Array) -> Any:
    def entry(value: float) -> Any:
        if not np.isfinite(value):
            return str(value)
        return int(value) if value.is_integer() else value

    def walked(values: Any) -> Any:
        return [walked(each) for each in values] if isinstance(values, list) else entry(values)

    return walked(array.tolist())


def arrays_file(found: VectorSet) -> bytes:
    """The vectors as an .npz: "NAME.input", "NAME.grad_output", "NAME.output", "NAME.grad_input" and so on.

    Whole numbers are int64, everything else float64.
    """
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_STORED) as archive:
        for vector in found.vectors:
            for name, array in _named(vector).items():
                member = BytesIO()
                whole = np.isfinite(array).all() and (array == np.floor(array)).all()
                np.lib.format.write_array(
                    member, np.ascontiguousarray(array.astype("<i8" if whole else "<f8")), (1, 0), allow_pickle=False
                )
                archive.writestr(ZipInfo(f"{vector.name}.{name}.npy", EPOCH), member.getvalue())
    return buffer.getvalue()


def _named(vector: Vector) -> Mapping[str, Array]:
    given = {"grad_output" if name == "upstream" else name: array for name, array in vector.trial.parts()}
    return {**given, **vector.due}
