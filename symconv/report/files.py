"""Files appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from symconv.errors import WriteError, shortened

__all__ = ["write_atomically", "write_together"]


def write_atomically(path: Path, data: str | bytes) -> None:
    """After this call the file holds all of the data; after an error it is as it was before.

    Args:
        path: the file to write; its directory must exist.
        data: text (written as UTF-8 with line ends as they are) or bytes.

    Raises:
        WriteError: naming the path and the reason of the system.
    """
    write_together({path: data})


def write_together(files: Mapping[Path, str | bytes]) -> None:
    """Write several files; nothing is replaced before the data of all of them is on the disk.

    The data goes to temporary files in the same directories first, which then replace the old ones in one step each.

    Args:
        files: the data of every file; text is written as UTF-8 with line ends as they are.

    Raises:
        WriteError: naming the path and the reason of the system.
    """
    places = {_place(path): data for path, data in files.items()}
    staged: list[tuple[Path, Path]] = []
    path = Path()
    try:
        for path, data in places.items():
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
            staged.append((path, Path(name)))
            with os.fdopen(handle, "wb") as stream:
                stream.write(data.encode("utf-8") if isinstance(data, str) else data)
            staged[-1][1].chmod(_permissions(path))
        for path, temporary in staged:
            temporary.replace(path)
    except OSError as error:
        raise WriteError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        for _, temporary in staged:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def _place(path: Path) -> Path:
    """Where a file is written: a link stays, and the file that it leads to is written.

    Raises:
        WriteError: for what is no file and no place for one.
    """
    try:
        place = path.resolve()
        if place.is_dir():
            raise WriteError(f"cannot write {path}: it is a directory; name a file")
        if not place.parent.is_dir():
            raise WriteError(f"cannot write {path}: the directory {place.parent} does not exist; create it first")
        if place.exists() and not place.is_file():
            raise WriteError(f"cannot write {path}: it is no plain file (a pipe, a socket or a device); name a file")
    except WriteError:
        raise
    except (OSError, RuntimeError) as error:  # a name that is too long; a link that leads to itself
        raise WriteError(f"cannot write {shortened(str(path))}: {getattr(error, 'strerror', None) or error}") from None
    return place


def _permissions(path: Path) -> int:
    """The mode of the file that is replaced, or that of a new file under the user's mask (mkstemp makes it private)."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
