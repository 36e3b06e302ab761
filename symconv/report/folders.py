"""Folders appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from symconv.errors import WriteError, shortened

__all__ = ["check_new_folder", "write_folder"]


def check_new_folder(folder: Path) -> None:
    """Refuse a place where a new folder cannot appear.

    Raises:
        WriteError: for what is there and is no empty directory, and where the directory around it is not there.
    """
    shown = shortened(str(folder))
    try:
        place = folder.resolve()
        if place.is_dir():
            if any(place.iterdir()):
                raise WriteError(f"cannot write {shown}: the directory is not empty; name a new one")
        elif place.exists():
            raise WriteError(f"cannot write {shown}: it is a file; name a directory")
        elif not place.parent.is_dir():
            raise WriteError(f"cannot write {shown}: the directory {place.parent} does not exist; create it first")
    except WriteError:
        raise
    except (OSError, RuntimeError, ValueError) as error:  # a name too long, a link to itself, a NUL
        raise WriteError(f"cannot write {shown}: {getattr(error, 'strerror', None) or error}") from None


def write_folder(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write a folder: it is made beside its place, and takes it in one step when all files are on the disk.

    Args:
        folder: one that is not there, or is empty.
        files: the data of every file by its path in the folder; text is written as UTF-8.

    Raises:
        WriteError: naming the folder and the reason of the system; nothing is left then.
    """
    check_new_folder(folder)
    place = folder.resolve()
    staged: Path | None = None
    try:
        staged = Path(tempfile.mkdtemp(prefix=f".{place.name[:60]}.", suffix=".part", dir=place.parent))
        for name, data in files.items():
            file = staged / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
        mask = os.umask(0)
        os.umask(mask)
        staged.chmod(0o777 & ~mask)  # mkdtemp makes it private
        if place.is_dir():
            place.rmdir()
        staged.replace(place)
    except OSError as error:
        raise WriteError(f"cannot write {shortened(str(folder))}: {error.strerror or error}") from error
    finally:
        if staged is not None:
            shutil.rmtree(staged, ignore_errors=True)
