"""Windows in SymPy: sums, maxima and minima over index ranges under a condition, and the shares of a maximum.

SymPy has no such thing that keeps whole over a symbolic range; `doit` writes them out where all is numbers.
"""

from __future__ import annotations

import math
from itertools import product as iterate
from typing import Any

import sympy

from symconv.errors import SizeLimitError
from symconv.formulas.exact import share_of
from symconv.formulas.symbols import SymbolTable
from symconv.formulas.sympy_values import SymPyDomain, extremum_of

__all__ = ["EXTREMA", "ExtremumShare", "WindowMaximum", "WindowMinimum", "WindowSum"]

MOST_TAPS = 10_000
"""A window with more is not written out."""


class _WindowReduction(sympy.Function):
    """A reduction of an expression over index ranges: ``(body, (m, lo, hi), ..., condition)``, kept as it is.

    `doit` evaluates it where ranges and condition are numbers.
    """

    nargs = None
    is_commutative = True  # a number, though SymPy would deny it for the ranges among its arguments

    @classmethod
    def eval(cls, *args: Any) -> None:
        return None

    @property
    def bound_symbols(self) -> list[Any]:
        """The symbols of the ranges; nothing from outside can be put in for them."""
        return [arg.args[0] for arg in self.args if isinstance(arg, sympy.Tuple)]

    @property
    def free_symbols(self) -> set[Any]:
        limits = [limit for arg in self.args if isinstance(arg, sympy.Tuple) for limit in arg.args[1:]]
        inner = [arg for arg in self.args if not isinstance(arg, sympy.Tuple)]
        free = set().union(*(arg.free_symbols for arg in inner)) - set(self.bound_symbols)
        return free.union(*(limit.free_symbols for limit in limits))

    def _eval_subs(self, old: Any, new: Any) -> Any:
        if old in self.bound_symbols:
            return self
        clash = [name for name in self.bound_symbols if name in new.free_symbols]
        if not clash or old not in self.free_symbols:
            return None  # SymPy then goes on into the arguments
        fresh = {name: sympy.Dummy(name.name, **name.assumptions0) for name in clash}
        return self.func(*(arg.xreplace(fresh) for arg in self.args)).subs(old, new)

    def taps(self, **hints: Any) -> list[tuple[tuple[int, ...], Any]] | None:
        """The points of the window in row-major order with their values; None where ranges or conditions are open."""
        ranges = [arg for arg in self.args[1:] if isinstance(arg, sympy.Tuple)]
        conditions = [arg for arg in self.args[1:] if not isinstance(arg, sympy.Tuple)]
        ends = [(low.doit(**hints), high.doit(**hints)) for _, low, high in ranges]
        if not all(low.is_Integer and high.is_Integer for low, high in ends):
            return None
        count = math.prod(max(0, int(high) - int(low) + 1) for low, high in ends)
        if count > MOST_TAPS:
            raise SizeLimitError(
                f"a window of {count:,} taps is too large to be written out (limit {MOST_TAPS:,}); put numbers in for "
                f"smaller sizes, or ask Formula.values(...) for the numbers"
            )
        found = []
        for point in iterate(*(range(int(low), int(high) + 1) for low, high in ends)):
            env = {name: value for (name, _, _), value in zip(ranges, point, strict=True)}
            truth = sympy.And(*(c.subs(env) for c in conditions))
            if truth not in (sympy.true, sympy.false):
                return None
            if truth == sympy.true:
                found.append((point, self.args[0].subs(env).doit(**hints)))
        return found

    def doit(self, **hints: Any) -> Any:
        taps = self.taps(**hints)
        return self if taps is None else self.collect([value for _, value in taps])

    @classmethod
    def collect(cls, values: list[Any]) -> Any:
        return sympy.Add(*values)


class WindowSum(_WindowReduction):
    """A sum over a window under a condition, inside another sum.

    ``Sum`` with a ``Piecewise`` cannot be used there: SymPy 1.14 folds the inner pieces outwards and frees their index.
    """


class WindowMaximum(_WindowReduction):
    """The maximum over a window; SymPy has none over a symbolic range, and differentiates ``Max`` wrongly at ties."""

    @classmethod
    def collect(cls, values: list[Any]) -> Any:
        return extremum_of("max", values)


class WindowMinimum(_WindowReduction):
    """The minimum over a window."""

    @classmethod
    def collect(cls, values: list[Any]) -> Any:
        return extremum_of("min", values)


EXTREMA = {"max": WindowMaximum, "min": WindowMinimum}


class ExtremumShare(sympy.Function):
    """The part of a window maximum's or minimum's gradient that one tap receives, under a tie policy.

    ``ExtremumShare(window, policy, m, n, ...)``, the window as a `WindowMaximum` or a `WindowMinimum`.

    `doit` writes it out as comparisons where the window and the tap are numbers.
    """

    nargs = None
    is_commutative = True  # a number, though SymPy would deny it for the ranges among its arguments

    @classmethod
    def eval(cls, *args: Any) -> None:
        return None

    def doit(self, **hints: Any) -> Any:
        window, policy, *at = self.args
        kind = next((kind for kind, of in EXTREMA.items() if isinstance(window, of)), None)
        taps = None if kind is None else window.taps(**hints)
        if taps is None or not all(place.is_Integer for place in at):
            return self
        assert kind is not None
        return share_of(SymPyDomain(SymbolTable()), kind, policy.name, taps, tuple(int(place) for place in at))
