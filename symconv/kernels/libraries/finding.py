"""Whose array a value is; a library is imported when one of its arrays comes."""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib import import_module

import numpy as np

from symconv.kernels.libraries.library import NUMPY, Library
from symconv.kernels.libraries.standard import LIBRARY as STANDARD

__all__ = ["library_of"]

_MODULES = {"torch": "torch_tensors", "jax": "jax_arrays", "jaxlib": "jax_arrays"}
"""Where the library of a package is: imported when one of its arrays comes, which then has imported the package."""


@lru_cache(maxsize=256)
def library_of(kind: type) -> Library | None:
    """The library whose arrays a type is of; None for anything else, such as a list or a number."""
    if issubclass(kind, np.generic):
        return None
    for base in kind.__mro__:
        if base is np.ndarray:
            return NUMPY
        package = str(base.__module__).partition(".")[0]
        if package in _MODULES and package in sys.modules:
            found: Library = import_module(f"symconv.kernels.libraries.{_MODULES[package]}").LIBRARY
            return found if found.has(kind) else None
    if hasattr(kind, "__array_namespace__") and hasattr(kind, "__dlpack_device__"):
        return STANDARD
    return None
