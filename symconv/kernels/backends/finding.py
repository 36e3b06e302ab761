"""Finding a backend: the folders below `symconv.kernels.backends` are their names."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from symconv.doors import one_of
from symconv.kernels import backends
from symconv.kernels.runtime.backend import Backend

__all__ = ["backend_of", "backends_here"]

_found: dict[str, Backend] = {}


def backends_here() -> tuple[str, ...]:
    """The names of the backends."""
    return tuple(module.name for module in iter_modules(backends.__path__) if module.ispkg)


def backend_of(name: str) -> Backend:
    """The backend with a name, imported when it is first asked for.

    Raises:
        ArgumentError: for a name that no folder has.
    """
    if not isinstance(name, str) or name not in _found:
        backend: Backend = import_module(f"{backends.__name__}.{one_of('backend', name, backends_here())}").BACKEND
        assert isinstance(backend, Backend)
        _found[name] = backend
    return _found[name]
