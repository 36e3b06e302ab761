"""The libraries of the peers: loaded, held to one thread, and named with their versions."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["PACKAGES", "THREAD_VARIABLES", "hold_to_one_thread", "library_version", "load", "machine"]

PACKAGES = {
    "PyTorch": ("torch", ("torch",)),
    "OpenCV": ("cv2", ("opencv-python-headless", "opencv-python", "opencv-contrib-python")),
    "SciPy": ("scipy", ("scipy",)),
    "ONNX reference": ("onnx", ("onnx",)),
    "ONNX Runtime": ("onnxruntime", ("onnxruntime", "onnxruntime-gpu")),
}
"""Of every library: the module, and the names under which it is distributed."""

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
"""What the libraries look at for their number of threads, before they are loaded."""


_held = False


@cache
def load(library: str) -> ModuleType | None:
    """The module of a library; None where it cannot be loaded."""
    try:
        module = import_module(PACKAGES[library][0])
    except (ImportError, OSError):  # OSError: a shared library that it needs is not there
        return None
    if _held and library == "PyTorch":
        module.set_num_threads(1)
        module.set_grad_enabled(False)
    elif _held and library == "OpenCV":
        module.setNumThreads(1)
    return module


def hold_to_one_thread() -> None:
    """From now on in this process: libraries that have a switch for it are loaded with one thread, and no gradients."""
    global _held
    _held = True


def library_version(library: str) -> str | None:
    """The version that is installed, by its metadata; the library itself is not loaded."""
    return _version(*PACKAGES[library][1])


def _version(*names: str) -> str | None:
    """The version of the first of these distributions that is installed."""
    for name in names:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None


def machine() -> dict[str, Any]:
    """The processor, the system, and the versions of everything that takes part; None for a peer that is not there."""
    import numpy
    import sympy

    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "symconv": _version("symconv") or "0+source",
        "numpy": numpy.__version__,
        "blas": _blas(numpy),
        "sympy": sympy.__version__,
        "threads": 1,
        "peers": {library: library_version(library) for library in PACKAGES},
    }


def _processor() -> str:
    """The name of the processor as the system knows it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine() or "unknown"


def _blas(numpy: ModuleType) -> str:
    """The BLAS behind NumPy's matrix products."""
    try:
        found = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return f"{found['name']} {found['version']}"
    except (KeyError, TypeError):  # NumPy before 1.25, or built without that table
        return "unknown"
