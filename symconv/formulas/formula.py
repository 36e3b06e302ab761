"""A formula: an equation, and what it gives: exact values and entries, SymPy, LaTeX, text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

from symconv.doors import items, mapping, plain_integer
from symconv.errors import ArgumentError, GeometryError, NotSupportedError, Shown, SizeLimitError
from symconv.formulas.algebra import Power
from symconv.formulas.counting import count_terms
from symconv.formulas.elementary import Elementary
from symconv.formulas.entries import check_shape, exact_array, order_of, reader
from symconv.formulas.equation import Equation
from symconv.formulas.exact import (
    Numbers,
    Polynomial,
    divides_by_nothing,
    evaluate,
    is_polynomial,
    polynomial_values,
    polynomials,
)
from symconv.formulas.function import TooLargeError, UndefinedError
from symconv.formulas.printing import LATEX, UNICODE, PrintContext, print_formula
from symconv.formulas.radicals import UndecidedNumberError
from symconv.formulas.substitution import substitute
from symconv.formulas.walks import walk

if TYPE_CHECKING:
    import sympy

__all__ = ["MAX_DENSE_ENTRIES", "MAX_TERMS", "Formula"]

MAX_DENSE_ENTRIES = 100_000
MAX_TERMS = 1_000_000


@dataclass(frozen=True)
class Formula(Equation):
    """``quantity = body`` for all values of the free indices in their ranges, and all that can be asked of it."""

    # ------------------------------------------------------------------ exact values

    def environment(self, input_size: Sequence[int] | int | None, parameters: Mapping[str, int]) -> dict[str, int]:
        """Numbers for all parameters and definitions.

        Raises:
            ArgumentError: where a parameter has no number or one out of its range, or one is given that the formula
                does not have.
            GeometryError: where the sizes break what the formula takes for granted, such as that a window fits.
        """
        env: dict[str, int] = {}
        needed = self.parameters
        if self.sizes:
            env.update(self._sizes(input_size, needed))
        elif input_size is not None:
            raise ArgumentError("input_size", input_size, "must be left out: the sizes of this formula are fixed")
        for name, value in parameters.items():
            if name not in needed or name in env:
                raise ArgumentError(
                    "parameters", name, f"must be among the symbolic parameters ({', '.join(needed) or 'none'})"
                )
            env[name] = self._parameter(name, value)
        missing = [name for name in needed if name not in env and name not in self.table.real]
        if missing:
            raise ArgumentError(
                "parameters",
                tuple(sorted(env)),
                f"must give a number for every symbolic parameter; {', '.join(missing)} has none",
                f"pass {', '.join(f'{name}=...' for name in missing)}",
            )
        for name, definition in self.definitions:
            env[name] = int(definition.evaluate(env))
        for fact in self.facts:
            if fact.names <= env.keys() and fact.evaluate(env) < 0:
                shown = ", ".join(f"{name}={env[name]}" for name in sorted(fact.names))
                raise GeometryError(
                    "input_size",
                    input_size,
                    f"must meet the assumptions of the formula (a window fits): {fact!r} >= 0 fails at {shown}",
                )
        return env

    def _parameter(self, name: str, value: Any) -> Any:
        if name in self.table.real:
            return order_of(name, value)
        least = dict(self.lower).get(name)
        wanted = "must be an integer" if least is None else f"must be an integer >= {least}"
        return plain_integer(name, value, least, wanted)

    def _sizes(self, input_size: Sequence[int] | int | None, needed: Sequence[str]) -> dict[str, int]:
        if input_size is None:
            wanted = [name for name in self.sizes if name in needed]
            if wanted:
                raise ArgumentError("input_size", None, f"must give the {len(self.sizes)} input sizes of this formula")
            return {}
        entries = items(input_size)
        given = (input_size,) if entries is None else entries
        if len(given) != len(self.sizes):
            raise ArgumentError(
                "input_size", input_size, f"must have {len(self.sizes)} integers >= 1, one a spatial axis"
            )
        return {name: plain_integer("input_size", n, 1) for name, n in zip(self.sizes, given, strict=True)}

    def at(self, *indices: int, input_size: Sequence[int] | int | None = None, **parameters: Any) -> sympy.Expr:
        """One exact entry, as a SymPy expression in the entries of the tensors.

        Args:
            indices: values of the free indices, in the order of `indices`, counted from `base`.
            input_size: the input size, one integer a spatial axis.
            parameters: numbers for symbolic options.

        Raises:
            ArgumentError: for a wrong number of indices, or one out of its range.
            SizeLimitError: above 10,000 terms.
        """
        env = self.environment(input_size, parameters)
        if len(indices) != len(self.free):
            names = ", ".join(self.indices)
            raise ArgumentError("indices", indices, f"must have {len(self.free)} entries ({names})")
        for name, value, values in zip(self.indices, indices, self.ranges(env), strict=True):
            wanted = f"must be an integer in {values.start}..{values.stop - 1}"
            if plain_integer(name, value, requirement=wanted) not in values:
                raise ArgumentError(name, value, wanted)
        from symconv.formulas.sympy_form import entry_to_sympy

        return entry_to_sympy(self, tuple(int(value) for value in indices), env)

    def polynomials(
        self, input_size: Sequence[int] | int | None = None, **parameters: int
    ) -> dict[tuple[int, ...], Polynomial]:
        """All entries at given sizes as polynomials ``{monomial: coefficient}``; entries that are zero are left out.

        Raises:
            ArgumentError: where the formula is no polynomial in tensor entries (a maximum, an LP norm).
            SizeLimitError: above 1,000,000 terms.
        """
        if not is_polynomial(self.body):
            raise ArgumentError("formula", self.quantity.kind, "must be a polynomial in tensor entries")
        env = self.environment(input_size, parameters)
        self._count("polynomials", env)
        return polynomials(self.body, self.free_at(env), env, self.boxes)

    def shape(self, input_size: Sequence[int] | int | None = None, **parameters: Any) -> tuple[int, ...]:
        """The number of values of every free index."""
        return tuple(max(0, r.stop - r.start) for r in self.ranges(self.environment(input_size, parameters)))

    def matrix(self, input_size: Sequence[int] | int | None = None, **parameters: Any) -> Any:
        """All entries at a size as exact SymPy: a matrix for two free indices, an array for any other number.

        A derivative becomes the Jacobian matrix: a row for every output, a column for every entry of the variable, both
        row-major.

        Raises:
            SizeLimitError: above 100,000 entries, or terms in all of them; `sparse` and `at` have no limit on zeros.
        """
        from symconv.formulas.sympy_form import to_matrix

        shape = self.shape(input_size, **parameters)
        count = 1
        for extent in shape:
            count *= extent
        if count > MAX_DENSE_ENTRIES:
            raise SizeLimitError(
                f"matrix(input_size={input_size}) would have {count:,} entries (limit {MAX_DENSE_ENTRIES:,}); use "
                f".sparse(input_size) for the nonzero ones, or .at(...) for one"
            )
        return to_matrix(self, shape, self.environment(input_size, parameters))

    def sparse(self, input_size: Sequence[int] | int | None = None, **parameters: Any) -> Any:
        """The nonzero entries at a size as a SymPy ``SparseMatrix`` (a Jacobian for a derivative, else two indices).

        Raises:
            SizeLimitError: above 1,000,000 nonzero entries.
        """
        from symconv.formulas.sympy_form import to_sparse

        return to_sparse(self, self.shape(input_size, **parameters), self.environment(input_size, parameters))

    def values(
        self,
        tensors: Mapping[str, Any],
        input_size: Sequence[int] | int | None = None,
        **parameters: Any,
    ) -> dict[tuple[int, ...], Any]:
        """All entries for tensors with known entries: rational numbers stay rational, roots become floats.

        What has e or a logarithm in it is an exact SymPy number where the entries are exact.

        Args:
            tensors: nested lists or arrays, by letter.
            input_size: the input size, one integer a spatial axis.
            parameters: numbers for symbolic options.

        Raises:
            ArgumentError: for a missing tensor, one of another shape than its box, an entry that is no number, or
                entries at which a function has no value: a logarithm of 0, a derivative at a kink, that of a maximum
                with two winners under ties="error".
            NotSupportedError: where nobody could decide whether an exact number is 0.
            SizeLimitError: above 1,000,000 terms.
        """
        mapping("tensors", tensors, "must be a table of arrays by letter, such as {'a': [1, 2, 3], 'b': [1, 0]}")
        env = self.environment(input_size, parameters)
        open_ones = [name for name in self.parameters if name not in env]
        if open_ones:
            raise ArgumentError("parameters", tuple(parameters), f"must give a number for {', '.join(open_ones)}")
        missing = [t.name for t in self.tensors if t.name not in tensors]
        if missing:
            raise ArgumentError("tensors", tuple(tensors), f"must give a value for {', '.join(missing)}")
        shapes = {t.name: tuple(int((h - low + 1).evaluate(env)) for low, h in t.box) for t in self.tensors}
        for t in self.tensors:
            check_shape(t.name, tensors[t.name], shapes[t.name])
        self._count("values", env)
        if is_polynomial(self.body):
            arrays = {t.name: exact_array(tensors[t.name], shapes[t.name]) for t in self.tensors}
            if not any(array is None for array in arrays.values()):
                return self._polynomial_values(env, arrays)
        read = {t.name: reader(t.name, tensors[t.name], self.base) for t in self.tensors}
        domain = Numbers(read, one_winner=self.one_winner)
        found: dict[tuple[int, ...], Any] = {}
        for point in product(*self.ranges(env)):
            here = {**env, **dict(zip(self.indices, point, strict=True))}
            undefined = divides_by_nothing(self.body, here)
            found[point] = math.nan if undefined else self._value(here, domain)
        return found

    def _polynomial_values(self, env: dict[str, int], arrays: Mapping[str, Any]) -> dict[tuple[int, ...], Any]:
        """The values of a polynomial in exact entries, which need no entry to be worked out by itself."""
        found = polynomial_values(self.body, self.free_at(env), env, self.boxes, arrays)
        divides = any(isinstance(node, Power) for node in walk(self.body))
        result: dict[tuple[int, ...], Any] = {}
        for point in product(*self.ranges(env)):
            here = {**env, **dict(zip(self.indices, point, strict=True))} if divides else env
            undefined = divides and divides_by_nothing(self.body, here)
            result[point] = math.nan if undefined else Fraction(found.get(point, 0))
        return result

    def _value(self, env: Mapping[str, int], domain: Numbers) -> Any:
        """One entry: a rational number, an exact SymPy number, or a float.

        Raises:
            ArgumentError: where a function has no value, or none that is worked out exactly.
            NotSupportedError: where it was not decided whether a number is 0.
        """
        try:
            value = evaluate(self.body, env, domain, self.boxes)
        except UndefinedError as error:
            found = Shown(f"{_written(error)} = {error.value}")
            fix = "use symconv.compile for decimals" if isinstance(error, TooLargeError) else ""
            raise ArgumentError("tensors", found, f"must give every function a value ({error.needs})", fix) from None
        except UndecidedNumberError as error:
            raise NotSupportedError(f"{error}; use symconv.compile for decimals") from None
        return value.expr if isinstance(value, Elementary) else value

    def _count(self, method: str, env: Mapping[str, int]) -> None:
        """Refuse what is too much to be worked out term by term."""
        if count_terms(self.body, self.free_at(env), env, self.boxes, MAX_TERMS) > MAX_TERMS:
            raise SizeLimitError(
                f"{method}(...) would have more than {MAX_TERMS:,} terms in its entries; use symconv.compile for the "
                f"numbers, or .at(...) for a single entry"
            )

    # ------------------------------------------------------------------ other forms

    def sympy(self) -> Any:
        """The right-hand side as SymPy ``Sum``, ``Piecewise`` and ``Indexed``; what lies outside a box is guarded."""
        from symconv.formulas.sympy_form import to_sympy

        return to_sympy(self)

    def latex(self, *, lhs: bool = True) -> str:
        """LaTeX: the equation, or with ``lhs=False`` the right-hand side."""
        return print_formula(self, LATEX, lhs=lhs)

    def text(self, *, lhs: bool = True) -> str:
        """One line of Unicode mathematics."""
        return print_formula(self, UNICODE, lhs=lhs)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def __str__(self) -> str:
        return self.text()


def _written(error: UndefinedError) -> str:
    """The tree that has a value for which a function has none, in numbers for its indices."""
    assert error.place is not None
    arg, env = error.place
    at = substitute(arg, {name: number for name, number in env.items() if isinstance(number, int)})
    return UNICODE.node(at, PrintContext())
