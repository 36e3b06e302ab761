"""What kernels of functions share, of one value or of a vector: no bound of their rounding errors is promised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symconv.errors import NotSupportedError
from symconv.kernels.adapters.planes import PlaneKernel

if TYPE_CHECKING:
    from symconv.kernels.accuracy.bound import ErrorBound
    from symconv.kernels.accuracy.entries import SumOfEntries

__all__ = ["FunctionKernel"]


class FunctionKernel(PlaneKernel):
    """A kernel whose values are those of NumPy's functions, of which NumPy promises no bound either."""

    error = "every operation is rounded; functions are those of NumPy"

    def promise(self, of: str, sizes: tuple[int, ...], compute: np.dtype[Any]) -> SumOfEntries:
        raise NotSupportedError(f"no bound of rounding errors is promised for {self.op!r}")

    def promised(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> list[str]:
        return ["no bound of the rounding error is promised"]

    def error_bound(self, x: Any, *args: Any, **options: Any) -> ErrorBound:
        """Nothing is promised.

        Raises:
            NotSupportedError: always.
        """
        raise NotSupportedError(
            f"no bound of rounding errors is promised for {self.op!r}; compare with op.output().values(...), which is "
            "exact"
        )
