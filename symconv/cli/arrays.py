"""Arrays from files, .npy, .npz, .csv and .json: nothing in them is run, and sizes are known before memory is taken."""

from __future__ import annotations

import json
import zipfile
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symconv.errors import ArgumentError, SizeLimitError, SymconvError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["array_file", "arrays_file"]

MOST_BYTES = 1 << 28
MOST_TEXT = 1 << 25  # a number in a list takes ten times the memory of its digits
KINDS = (".npy", ".npz", ".csv", ".json")


def array_file(path: Path) -> Any:
    """The array of a file.

    Raises:
        ArgumentError: for a file of another kind, or one that holds no single array; SizeLimitError above 256 MiB.
    """
    _sized(path)
    suffix = path.suffix.lower()
    if suffix == ".npz":
        held = arrays_file(path)
        if len(held) != 1:
            raise ArgumentError("file", path.name, f"must hold one array, and holds {len(held)} ({', '.join(held)})")
        return next(iter(held.values()))
    if suffix == ".npy":
        with path.open("rb") as file:
            return _npy(path.name, file)
    if suffix == ".csv":
        return _csv(path)
    if suffix == ".json":
        found = _json(path)
        if isinstance(found, dict):
            raise ArgumentError("file", path.name, "must hold one array, and holds an object", "give the file alone")
        return found
    raise ArgumentError("file", path.name, f"must end in {', '.join(KINDS)}")


def arrays_file(path: Path) -> Mapping[str, Any]:
    """The arrays of an .npz or .json file by name.

    Raises:
        ArgumentError: for a file of another kind; SizeLimitError above 256 MiB.
    """
    _sized(path)
    if path.suffix.lower() == ".json":
        found = _json(path)
        if not isinstance(found, dict):
            raise ArgumentError("file", path.name, "must hold an object of arrays by name")
        return found
    if path.suffix.lower() != ".npz":
        raise ArgumentError("file", path.name, "must end in .npz or .json where it holds all arrays")
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
            total = sum(member.file_size for member in members)
            if total > MOST_BYTES:
                raise SizeLimitError(f"the file must unpack to at most {MOST_BYTES:,} bytes, got {total:,}")
            found = {}
            for member in members:
                with archive.open(member) as file:
                    found[member.filename[: -len(".npy")]] = _npy(member.filename, file)
            return found
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise ArgumentError("file", path.name, f"must be an .npz archive ({error})") from error


def _sized(path: Path) -> None:
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise SizeLimitError(
            f"the file must have at most {MOST_BYTES:,} bytes, got {size:,}; pass a part of the arrays"
        )


def _npy(name: str, file: Any) -> Any:
    """An .npy file, whose header tells its size; objects, which would be unpickled, are refused."""
    import numpy as np
    from numpy.lib import format as npy

    try:
        version = npy.read_magic(file)
        header = npy.read_array_header_1_0(file) if version == (1, 0) else npy.read_array_header_2_0(file)
        shape, fortran, dtype = header
        if min(shape, default=0) < 0:
            raise ArgumentError("file", name, f"must have a shape, and has {shape}")
        count = prod(shape)
        if dtype.hasobject:
            raise ArgumentError("file", name, "must hold numbers, and holds Python objects")
        if count * dtype.itemsize > MOST_BYTES:
            raise SizeLimitError(f"an array must have at most {MOST_BYTES:,} bytes, got one of shape {shape}")
        data = file.read(count * dtype.itemsize)
        array = np.frombuffer(data, dtype=dtype, count=count)
        return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)
    except SymconvError:
        raise
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise ArgumentError("file", name, f"must be an .npy file ({str(error).splitlines()[0][:160]})") from error


def _csv(path: Path) -> Any:
    """Rows of numbers, integers where all are."""
    rows = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        cells = [cell.strip() for cell in line.replace(";", ",").split(",")] if line.strip() else []
        try:
            rows += [[_number(cell) for cell in cells]] if cells else []
        except ValueError as error:
            raise ArgumentError("file", f"{path.name}, line {number}", "must hold numbers between commas") from error
    if not rows or len({len(row) for row in rows}) > 1:
        raise ArgumentError("file", path.name, "must have rows of one length")
    return rows[0] if len(rows) == 1 else rows


def _number(cell: str) -> int | float:
    try:
        return int(cell)
    except ValueError:
        return float(cell)


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise ArgumentError("file", path.name, f"must be JSON ({str(error)[:160]})") from error


def _text(path: Path) -> str:
    size = path.stat().st_size
    if size > MOST_TEXT:
        raise SizeLimitError(f"a text must have at most {MOST_TEXT:,} bytes, got {size:,}; save it as .npy")
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ArgumentError("file", path.name, "must be text in UTF-8") from error
