"""Arrays of any library that follows the Python array API standard, through DLPack."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.errors import ArgumentError
from symconv.kernels.libraries.library import Library

__all__ = ["LIBRARY"]

_IN_MEMORY = (1, 3)  # the codes of DLPack for the CPU, and for memory of the CPU that a GPU can read


class _Standard(Library):
    noun, maker = "an array of the array API standard", "xp.asarray"

    def read(self, name: str, value: Any) -> tuple[npt.NDArray[Any], Any]:
        try:
            code = int(value.__dlpack_device__()[0])
            array = np.from_dlpack(value) if code in _IN_MEMORY else None
        except Exception as error:  # whatever a foreign array answers
            said = str(error).partition("\n")[0][:160]
            raise ArgumentError(name, value, f"must be an array that NumPy can read through DLPack ({said})") from None
        if array is None:
            raise self.elsewhere(name, f"device {code} of DLPack", f"pass a copy on the CPU, such as {name}.get()")
        return array, None

    def give(self, array: npt.NDArray[Any], like: Any, narrow: Any) -> Any:
        made = like.__array_namespace__().from_dlpack(array)
        return made if made.device == like.device else made.to_device(like.device)


LIBRARY = _Standard()
