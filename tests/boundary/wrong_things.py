"""Things that nobody should give to a function, one of every kind that people and programs do give."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from symconv.audits.departure import AuditReport

__all__ = ["KINDS", "nothing_found", "wrong_thing"]


class WithoutRepr:
    def __repr__(self) -> str:
        raise RuntimeError("there is none")


class Unhelpful:
    """An object whose every attribute is something unexpected."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return name


def _cyclic() -> list[Any]:
    entries: list[Any] = []
    entries.append(entries)
    return entries


def _numbers() -> Iterator[int]:
    yield 1


KINDS = {
    "nothing": lambda: None,
    "truth": lambda: True,
    "negative": lambda: -1,
    "zero": lambda: 0,
    "huge": lambda: 10**40,
    "half": lambda: 1.5,
    "nan": lambda: float("nan"),
    "infinite": lambda: float("inf"),
    "complex": lambda: 1j,
    "word": lambda: "abc",
    "empty text": lambda: "",
    "long text": lambda: "x" * 5000,
    "NUL": lambda: "a\0b",
    "half a surrogate pair": lambda: "\ud800",
    "bytes": lambda: b"x",
    "ragged": lambda: [[1, 2], [3]],
    "empty list": list,
    "cyclic list": _cyclic,
    "deep list": lambda: [[[[[[1]]]]]],
    "table": lambda: {"a": 1},
    "table of numbers": lambda: {1: 2},
    "set": lambda: {1},
    "object": object,
    "object without repr": WithoutRepr,
    "unhelpful object": Unhelpful,
    "generator": _numbers,
    "function": lambda: len,
    "class": lambda: int,
    "module": lambda: sys,
    "fraction": lambda: Fraction(1, 3),
    "decimal": lambda: Decimal("1.5"),
    "symbol": lambda: sympy.Symbol("x"),
    "symbol of a real": lambda: sympy.Symbol("r", real=True),
    "symbol that is no word": lambda: sympy.Symbol("k| Int)", integer=True),
    "rational": lambda: sympy.Rational(1, 2),
    "array of objects": lambda: np.array([object()]),
    "array of texts": lambda: np.array(["a"]),
    "array of dates": lambda: np.array(["2020-01-01"], dtype="M8[D]"),
    "array of records": lambda: np.zeros(3, dtype=[("a", int)]),
    "masked array": lambda: np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]),
    "array without axes": lambda: np.array(3.5),
    "long double": lambda: np.longdouble(1) * np.ones(3),
}


def wrong_thing(kind: str) -> Any:
    """A fresh one of a kind."""
    return KINDS[kind]()


def nothing_found(*given: object) -> AuditReport:
    """For the sweep of an audit, which takes a minute a framework: what its doors let in is swept by its own tests."""
    return AuditReport("SciPy", {}, (), (), 0, True)
