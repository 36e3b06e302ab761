"""A formula: what it defines, its free indices with their ranges, its tree, and the tensors that it reads."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

from symconv.doors import items, mapping, plain_integer
from symconv.errors import ArgumentError, GeometryError, SizeLimitError
from symconv.formulas.algebra import Access, Bound, Bracket, Guard, Named, Node, Reduce, Scalar, Share
from symconv.formulas.bounds import Knowledge
from symconv.formulas.counting import count_terms
from symconv.formulas.exact import Box, Numbers, Polynomial, divides_by_nothing, evaluate, is_polynomial, polynomials
from symconv.formulas.index import Index, IndexLike
from symconv.formulas.naming import free_names
from symconv.formulas.symbols import SymbolTable, is_symbolic
from symconv.formulas.walks import transform

if TYPE_CHECKING:
    import sympy

__all__ = ["MAX_DENSE_ENTRIES", "MAX_NONZEROS", "MAX_TERMS", "Formula", "Quantity", "Role", "Tensor"]

MAX_DENSE_ENTRIES = 100_000
MAX_NONZEROS = 1_000_000
MAX_TERMS = 1_000_000

Role = Literal["input", "weight", "bias", "position", "output", "upstream"]


@dataclass(frozen=True)
class Tensor:
    """A tensor of a formula: its letter, what it is for, and the inclusive range of each of its indices."""

    name: str
    role: Role
    box: Box


@dataclass(frozen=True)
class Quantity:
    """What a formula gives: an entry of a tensor, a derivative of one by another, or a gradient of the error.

    `of` and `wrt` are a letter and the names of its indices; for a gradient `of` is the error, without indices.
    """

    kind: Literal["entry", "derivative", "gradient"]
    of: tuple[str, tuple[str, ...]]
    wrt: tuple[str, tuple[str, ...]] | None = None


@dataclass(frozen=True)
class Formula:
    """``quantity = body`` for all values of the free indices in their ranges.

    Attributes:
        quantity: the left-hand side.
        free: the free indices in order, with their ranges.
        body: the right-hand side; a tensor is zero outside its box.
        tensors: the tensors that the body reads, with their boxes.
        sizes: the names of the input sizes, one a spatial axis.
        definitions: names that stand for expressions in the sizes, such as the output size O.
        lower: known lower bounds of names.
        facts: expressions known to be nonnegative, such as "a window fits".
        base: the first index of every tensor, 0 or 1.
        table: the SymPy symbols behind the names.
    """

    quantity: Quantity
    free: tuple[Bound, ...]
    body: Node
    tensors: tuple[Tensor, ...]
    sizes: tuple[str, ...] = ()
    definitions: tuple[tuple[str, Index], ...] = ()
    lower: tuple[tuple[str, int], ...] = ()
    facts: tuple[Index, ...] = ()
    base: int = 0
    table: SymbolTable = field(default_factory=SymbolTable, compare=False, repr=False)

    # ------------------------------------------------------------------ structure

    @property
    def indices(self) -> tuple[str, ...]:
        """The names of the free indices, in order."""
        return tuple(bound.name for bound in self.free)

    @property
    def boxes(self) -> dict[str, Box]:
        """The box of every tensor, by letter."""
        return {tensor.name: tensor.box for tensor in self.tensors}

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names that must be given numbers before an entry can be: sizes and symbolic options, sorted."""
        names = free_names(self.body)
        for bound in self.free:
            names |= bound.lower.names | bound.upper.names
        for tensor in self.tensors:
            for low, high in tensor.box:
                names |= low.names | high.names
        for _, value in self.definitions:
            names |= value.names
        return tuple(sorted(names - set(self.indices) - {name for name, _ in self.definitions}))

    def knowledge(self) -> Knowledge:
        """What holds of the parameters and free indices."""
        return Knowledge(dict(self.lower), self.free, self.facts, dict(self.definitions))

    def assumptions(self) -> tuple[Guard, ...]:
        """The hypotheses under which the formula is meant: lower bounds, facts, definitions, ranges of free indices."""
        guards = [Guard("ge", Index.of(name) - low) for name, low in self.lower]
        guards += [Guard("ge", fact) for fact in self.facts]
        guards += [Guard("eq", Index.of(name) - value) for name, value in self.definitions]
        for bound in self.free:
            guards += bound.guards()
        return tuple(guards)

    def with_body(self, body: Node) -> Formula:
        """The same statement with another right-hand side."""
        return replace(self, body=body)

    def subs(self, env: Mapping[str, IndexLike]) -> Formula:
        """Put expressions or numbers in for parameters (not for indices)."""
        from symconv.formulas.substitution import substitute

        inner = {name: Index.of(value) for name, value in env.items()}
        return replace(
            self,
            free=tuple(Bound(b.name, b.lower.subs(inner), b.upper.subs(inner)) for b in self.free),
            body=substitute(self.body, inner),
            tensors=tuple(
                replace(t, box=tuple((low.subs(inner), high.subs(inner)) for low, high in t.box)) for t in self.tensors
            ),
            definitions=tuple((name, value.subs(inner)) for name, value in self.definitions if name not in inner),
            lower=tuple((name, low) for name, low in self.lower if name not in inner),
            facts=tuple(fact.subs(inner) for fact in self.facts),
        )

    def rebased(self, base: int) -> Formula:
        """The same formula with indices that count from `base`; sizes and parameters stay what they are."""
        if base == self.base:
            return self
        shift = base - self.base
        free_names = set(self.indices)
        env: dict[str, IndexLike] = {name: Index.of(name) - shift for name in free_names}
        return replace(
            self,
            free=tuple(Bound(b.name, b.lower + shift, b.upper + shift) for b in self.free),
            body=_rebase(self.body, env, shift),
            tensors=tuple(
                replace(t, box=tuple((low + shift, high + shift) for low, high in t.box)) for t in self.tensors
            ),
            base=base,
        )

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
            return _order(name, value)
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

    def ranges(self, env: Mapping[str, int]) -> tuple[range, ...]:
        """The values of the free indices at given sizes."""
        return tuple(range(int(b.lower.evaluate(env)), int(b.upper.evaluate(env)) + 1) for b in self.free)

    def free_at(self, env: Mapping[str, int]) -> list[Bound]:
        """The free indices with their ranges at given sizes, as numbers."""
        return [
            Bound(b.name, Index.of(r.start), Index.of(r.stop - 1))
            for b, r in zip(self.free, self.ranges(env), strict=True)
        ]

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

        Args:
            tensors: nested lists or arrays, by letter.
            input_size: the input size, one integer a spatial axis.
            parameters: numbers for symbolic options.

        Raises:
            ArgumentError: for a missing tensor, one of another shape than its box, or an entry that is no number.
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
        for t in self.tensors:
            _check_shape(t.name, tensors[t.name], tuple(int((h - low + 1).evaluate(env)) for low, h in t.box))
        self._count("values", env)
        domain = Numbers({t.name: _reader(t.name, tensors[t.name], self.base) for t in self.tensors})
        found: dict[tuple[int, ...], Any] = {}
        for point in _points(self.ranges(env)):
            here = {**env, **dict(zip(self.indices, point, strict=True))}
            undefined = divides_by_nothing(self.body, here)
            found[point] = math.nan if undefined else evaluate(self.body, here, domain, self.boxes)
        return found

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
        from symconv.formulas.printing import LATEX, print_formula

        return print_formula(self, LATEX, lhs=lhs)

    def text(self, *, lhs: bool = True) -> str:
        """One line of Unicode mathematics."""
        from symconv.formulas.printing import UNICODE, print_formula

        return print_formula(self, UNICODE, lhs=lhs)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def __str__(self) -> str:
        return self.text()


def _rebase(node: Node, env: Mapping[str, IndexLike], shift: int) -> Node:
    def change(n: Node) -> Node | None:
        if isinstance(n, Access):
            return Access(n.tensor, tuple(e.subs(env) + shift for e in n.index))
        if isinstance(n, Scalar):
            return Scalar(n.index.subs(env))
        if isinstance(n, Named):
            wrt = None if n.wrt is None else Access(n.wrt.tensor, tuple(e.subs(env) + shift for e in n.wrt.index))
            return Named(n.label, tuple(e.subs(env) + shift for e in n.index), _rebase(n.value, env, shift), wrt)
        if isinstance(n, Bracket):
            return Bracket(tuple(g.subs(env) for g in n.guards))
        if isinstance(n, Share):
            inner = _rebase(n.reduce, env, shift)
            assert isinstance(inner, Reduce)
            return Share(n.policy, inner, tuple(e.subs(env) + shift for e in n.at))
        if isinstance(n, Reduce):
            inner_env = {**env, **{b.name: Index.of(b.name) - shift for b in n.bounds}}
            bounds = tuple(
                Bound(b.name, b.lower.subs(inner_env) + shift, b.upper.subs(inner_env) + shift) for b in n.bounds
            )
            guards = tuple(g.subs(inner_env) for g in n.guards)
            return Reduce(n.op, bounds, guards, _rebase(n.body, inner_env, shift))
        return None

    return transform(node, change)


def _points(ranges: Sequence[range]) -> Iterator[tuple[int, ...]]:
    from itertools import product

    return product(*ranges)


def _order(name: str, value: Any) -> Fraction | int:
    """The p of an LP norm: an exact number >= 1; a float is read as it prints."""
    exact: Fraction | None = None
    if hasattr(value, "__index__"):
        exact = Fraction(plain_integer(name, value, requirement="must be a number >= 1"))
    elif isinstance(value, float | Decimal) and math.isfinite(value):
        exact = Fraction(str(value))
    elif isinstance(value, Fraction) or getattr(value, "is_Rational", False):
        exact = Fraction(int(value.numerator), int(value.denominator))
    if exact is None or exact < 1:
        raise ArgumentError(name, value, "must be a number >= 1")
    return int(exact) if exact.denominator == 1 else exact


def _check_shape(name: str, value: Any, shape: tuple[int, ...]) -> None:
    """Refuse nested lists that are no box of this shape, before anything is read from them."""
    level = [value]
    for axis, extent in enumerate(shape):
        for part in level:
            found = len(part) if _has_entries(part) else None
            if found != extent:
                has = "has a single number" if found is None else f"has {found}"
                raise ArgumentError(
                    f"tensors[{name!r}]", value, f"must have shape {shape}, but {has} where axis {axis} needs {extent}"
                )
        level = [entry for part in level for entry in part]


def _has_entries(part: Any) -> bool:
    axes = getattr(part, "ndim", 0)
    return isinstance(part, list | tuple) or (isinstance(axes, int) and axes >= 1)


def _reader(name: str, value: Any, base: int) -> Any:
    def read(index: tuple[int, ...]) -> Any:
        entry = value
        for position in index:
            entry = entry[position - base]
        number = _number(entry)
        if number is None:
            raise ArgumentError(
                f"tensors[{name!r}]", entry, "must have real numbers as entries", "see .at(...) for symbolic ones"
            )
        return number

    return read


def _number(entry: Any) -> Fraction | float | None:
    """The value of an entry: exact where it is; None where it is no real number."""
    if hasattr(entry, "dtype") and getattr(entry, "shape", None) == () and not hasattr(entry, "mask"):
        entry = entry.item()  # a NumPy number as Python's
    if is_symbolic(entry) and entry.is_Rational:
        return Fraction(int(entry.p), int(entry.q))
    if isinstance(entry, Decimal):
        return Fraction(entry) if entry.is_finite() else None
    if isinstance(entry, int):
        return Fraction(entry)
    return entry if isinstance(entry, float | Fraction) else None
