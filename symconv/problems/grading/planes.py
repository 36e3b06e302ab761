r"""Lines with channels: expressions in whole arrays and planes of them, evaluated at the sizes of the exercise.

``X^c`` is a plane of X, ``W^{oc}`` one of W, ``g^o_{pq}`` an entry. A letter may be named for the gradient by an array.
Every entry is an expression of SymPy in independent letters, one for every entry of every array, so that two sides that
agree do so for all numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from itertools import product
from math import prod
from typing import Any

import numpy as np
import sympy

from symconv.claims.reading.latex import read_latex
from symconv.claims.syntax import Binary, Call, Claim, Derivative, Entry, Expr, Name, Negate, Number, Over, Raised, Sum
from symconv.errors import ClaimError, SymconvError
from symconv.formulas.exact import is_polynomial
from symconv.operators.base import Operator
from symconv.operators.networks.shape import INPUT, Shape
from symconv.operators.networks.windows import has_windows
from symconv.problems.chains import array_names
from symconv.problems.grading.point import Point
from symconv.problems.naming import entry_letter
from symconv.problems.problem import Layers, Question

__all__ = ["Arrays", "MisfitError", "UnreadableError", "channels_read"]

ANY = "Omega"
"""What stands for the range that a sum does not say: all values that its index has in the arrays below it."""

MOST_TERMS = 40_000
_BARE = re.compile(r"\\sum\s*_\s*(?:\{\s*([A-Za-z](?:\s*,?\s*[A-Za-z])*)\s*\}|([A-Za-z]))(?!\s*\^)")
_BY = re.compile(r"(\\partial\s*(?:[A-Za-z]|\\[A-Za-z]+))\s*\^(?=\s*(?:\{[^{}]*\}|[A-Za-z0-9])\s*\})")


class UnreadableError(SymconvError):
    """A line says something that is not read here."""


class MisfitError(SymconvError):
    """Arrays of a line do not fit together, so that it cannot be true."""


def channels_read(latex: str) -> Claim:
    r"""The syntax tree of a line, in which ``\sum_o`` may leave its range open and ``\partial W^{oc}`` has channels."""

    def bound(match: re.Match[str]) -> str:
        letters = re.findall("[A-Za-z]", match[1] or match[2])
        listed = letters[0] if len(letters) == 1 else f"({', '.join(letters)})"
        return rf"\sum_{{{listed} \in \{ANY}}} "

    try:
        return read_latex(_BY.sub(rf"\1_{{\\{ANY}}}^", _BARE.sub(bound, latex)))
    except ClaimError as error:
        raise ClaimError(error.found, error.expected) from None  # its place is not that in the line as it was written


@dataclass(frozen=True)
class Arrays:
    """The arrays of a network as letters, and what expressions in them are.

    Attributes:
        chain: the network.
        question: what the line belongs to; it has the letters and the base.
        upstream: by letter the array that it is the gradient by.
    """

    chain: Layers
    question: Question
    upstream: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        return self.chain.network.shapes(self.chain.input_shape)

    @cached_property
    def roles(self) -> dict[str, tuple[str, str]]:
        """By name of an array its layer and role."""
        names = array_names(self.chain, self.question)
        return {name: (layer, role) for layer, own in names.items() for role, name in own.items()}

    @cached_property
    def letters(self) -> dict[str, str]:
        """By letter, of a whole array or of an entry, the name of the array."""
        found = {**{name: name for name in self.roles}, **{name: name for name in self.upstream}}
        for name in list(found):
            found.setdefault(entry_letter(name), name)
        return found

    def shape(self, name: str) -> Shape:
        """The shape of an array, or of the array that a letter is the gradient by."""
        layer, role = self.roles[self.upstream.get(name, name)]
        if role in ("output", "target"):
            source = self.chain.network.sources(layer)[0] if role == "target" else layer
            return self.shapes[source]
        return self.chain.network.parameter_sizes(self.chain.input_shape)[layer][role]

    def channel_axes(self, name: str) -> int:
        """How many axes of an array come before its places."""
        layer, role = self.roles[self.upstream.get(name, name)]
        if role == "output":
            return int(self.chain.network.spatial_axes == len(self.shape(name)) - 1)
        if layer == INPUT or role == "target" or not has_windows(self.chain.network[layer]):
            return 0
        return len(self.shape(name)) - (self.chain.network[layer].spatial_axes if role == "weight" else 0)

    def unsaid_axes(self, name: str) -> int:
        """How many axes a line need not speak of: those of its channels where there is one channel."""
        axes = self.channel_axes(name)
        return axes if set(self.shape(name)[:axes]) == {1} else 0

    def letter_array(self, name: str) -> Any:
        """An array of independent letters, or the numbers of a target that is known, or those of a point."""
        if self.roles.get(name, ("", ""))[1] == "target":
            return self._target(self.roles[name][0])
        if self.point is not None:
            return self._at_point(name, self.point)
        shape, unsaid = self.shape(name), self.unsaid_axes(name)
        result = np.empty(shape, object)
        for at in np.ndindex(*shape):
            place = ",".join(str(i + self.question.index_base) for i in at[unsaid:])
            result[at] = sympy.Symbol(entry_letter(name) + (f"[{place}]" if place else ""), real=True)
        return result

    def _at_point(self, name: str, point: Point) -> Any:
        """The numbers of an array; of a gradient what it is where that can be worked out, else any numbers."""
        if name not in self.upstream:
            return point.array(*self.roles[name])
        array = self.upstream[name]
        if self.roles[array][1] == "output" and self.tail(array) is not None:
            return self.tail_gradient(array)
        return point.any(name, self.shape(name))

    def _target(self, layer: str) -> Any:
        op: Any = self.chain.network[layer]
        shape = self.shapes[self.chain.network.sources(layer)[0]]
        result = np.full(shape, sympy.Integer(0), object)
        if op.target is None:
            raise UnreadableError(f"the target of {layer!r} is given with the data, and no line can speak of it")
        for at, value in op.known_entries():
            result[at] = sympy.Rational(value.numerator, value.denominator)
        return result

    # ------------------------------------------------------------------ values

    def tail(self, name: str) -> dict[str, Any] | None:
        """What follows on an array of a vector, as functions of its entries; None where the array is an image."""
        layer, role = self.roles[name]
        if role != "output" or len(self.shapes[layer]) != 1:
            return None
        values = {layer: self.letter_array(name)}
        order = self.chain.network.names
        for later in order[order.index(layer) + 1 if layer != INPUT else 0 :]:
            sources = self.chain.network.sources(later)
            if len(sources) != 1 or sources[0] not in values:
                return None
            values[later] = self._through(later, values[sources[0]], None)
        return values

    def tail_gradient(self, name: str) -> Any:
        """The gradient of what the network ends with by an array of a vector."""
        values = self.tail(name)
        output = self.chain.network.output
        if values is None or self.shapes[output]:
            raise UnreadableError(
                f"the gradient by {name} goes back through layers that no line is checked through here"
            )
        g: Any = np.array(sympy.Integer(1), object)
        layer = self.roles[name][0]
        at = output
        while at != layer:
            (source,) = self.chain.network.sources(at)
            g = self._through(at, values[source], g)
            at = source
        return g

    def _through(self, layer: str, x: Any, g: Any) -> Any:
        """The output of a layer for entries that are expressions, or its gradient by them."""
        op: Operator = self.chain.network[layer].fitted(x.shape)
        if {"weight", "bias"} & set(op.variables):
            raise UnreadableError(f"lines are not checked through {layer!r}")
        formula = op.output(input_size=x.shape) if g is None else op.gradient("input", input_size=x.shape)
        roles = {tensor.name: tensor.role for tensor in formula.tensors}
        shape = formula.shape()
        result = np.empty(shape, object)
        for at in np.ndindex(*shape):
            entry = formula.at(*at)
            put = {}
            for symbol in entry.atoms(sympy.Indexed):
                array = x if roles[str(symbol.base)] == "input" else g
                put[symbol] = array[tuple(int(i) for i in symbol.indices)]
            bases = {s: g[()] for s in entry.free_symbols if roles.get(str(s)) == "upstream"} if g is not None else {}
            result[at] = entry.xreplace({**put, **bases})
        return result

    def through_the_rest(self, name: str) -> bool:
        """Whether the gradient by an array goes back from the end of the network, no letter being declared for it."""
        layer, role = self.roles[name]
        if role != "output":
            return False
        names, marked = array_names(self.chain, self.question), set(self.upstream.values())
        readers = [after for before, after in self.chain.network.edges if before == layer]
        return len(readers) != 1 or names[readers[0]]["output"] not in marked

    def gradient(self, name: str) -> Any:
        """The gradient of the error by an array: through the one layer whose upstream gradient has a letter."""
        layer, role = self.roles[name]
        readers = (
            [after for before, after in self.chain.network.edges if before == layer] if role == "output" else [layer]
        )
        marked = {array: letter for letter, array in self.upstream.items()}
        names = array_names(self.chain, self.question)
        reader = readers[0] if len(readers) == 1 else ""
        letter = marked.get(names[reader]["output"]) if reader else None
        if letter is None:
            if role == "output":
                return self.tail_gradient(name)
            raise UnreadableError(
                f"the upstream gradient of the layer of {name} has no letter; declare it with upstream"
            )
        op = self.chain.network.fitted(self.shapes)[reader]
        source, *more = self.chain.network.sources(reader)
        if more:
            raise UnreadableError(f"lines about {reader!r}, which reads several arrays, are not read here")
        x_shape = self.shapes[source]
        if op.planes(x_shape) != 1:
            raise UnreadableError(f"lines about {reader!r}, which takes every channel by itself, are not read here")
        sizes = x_shape if len(x_shape) == op.spatial_axes else x_shape[1:]
        variable: Any = "input" if role == "output" else role
        formula = op.gradient(variable, input_size=sizes)
        if not is_polynomial(formula.body):
            raise UnreadableError(f"the gradient of {reader!r} is no polynomial, and lines about it are not read here")
        arrays = {"input": self.letter_array(names[source]["output"]), "upstream": self.letter_array(letter)}
        for own, array in names[reader].items():
            if own in ("weight", "bias"):
                arrays[own] = self.letter_array(array)
        boxes = {t.name: tuple(int((h - low + 1).evaluate({})) for low, h in t.box) for t in formula.tensors}
        tensors = {t.name: arrays[t.role].reshape(boxes[t.name]) for t in formula.tensors}
        shape = formula.shape()
        result = np.full(shape, sympy.Integer(0), object)
        for at, poly in formula.polynomials().items():
            result[at] = sympy.Add(
                *(
                    sympy.Rational(value.numerator, value.denominator)
                    * sympy.Mul(*(tensors[tensor][index] for tensor, index in monomial))
                    for monomial, value in poly.items()
                )
            )
        return result.reshape(self.shape(name))

    # ------------------------------------------------------------------ free indices

    def free(self, exprs: tuple[Expr, ...]) -> dict[str, range]:
        """The free indices of a line with their ranges, from the axes that they stand at."""
        found: dict[str, range] = {}
        for expr in exprs:
            for name, size in self._uses(expr, frozenset()):
                known = found.setdefault(name, range(size))
                if known != range(size):
                    raise UnreadableError(f"the index {name} runs over {len(known)} here and over {size} there")
        return found

    def _uses(self, expr: Expr, bound: frozenset[str]) -> Iterator[tuple[str, int]]:
        array = self._array_of(expr)
        if array is not None:
            name, indices = array
            shape = self.shape(name)
            if len(indices) > len(shape):
                raise UnreadableError(f"{name} has {len(shape)} axes, and {len(indices)} indices stand at it")
            for index, size in zip(indices, shape, strict=False):
                if isinstance(index, Name) and index.name not in bound:
                    yield index.name, size
            return
        if isinstance(expr, Sum):
            inner = frozenset(v for over in expr.over if isinstance(over, Over) for v in over.variables)
            yield from self._uses(expr.body, bound | inner)
            return
        for part in _parts(expr):
            yield from self._uses(part, bound)

    def _array_of(self, expr: Expr) -> tuple[str, tuple[Expr, ...]] | None:
        """The array and the indices of a plane or an entry: channels above, then places below."""
        if isinstance(expr, Raised) and isinstance(expr.base, Name) and expr.base.name in self.letters:
            if expr.exponent == Name("T"):
                return None
            name = self.letters[expr.base.name]
            return name, self._channels(name, expr.exponent)
        if not isinstance(expr, Name | Entry) or expr.name not in self.letters:
            return None
        name = self.letters[expr.name]
        above: tuple[Expr, ...] = ()
        below: tuple[Expr, ...] = ()
        if isinstance(expr, Entry):
            above = self._channels(name, expr.upper) if expr.upper is not None else ()
            below = () if expr.indices == (Name(ANY),) else expr.indices
        unsaid = self.unsaid_axes(name)
        if not above and unsaid + len(below) <= len(self.shape(name)):
            above = (Number(Fraction(self.question.index_base)),) * unsaid
        axes, indices = self.channel_axes(name), (*above, *below)
        if below and len(above) < axes and len(indices) < len(self.shape(name)):
            raise UnreadableError(f"{name} is read at a place, and its channels are not all said")
        return name, indices

    def _channels(self, name: str, above: Expr) -> tuple[Expr, ...]:
        """The channels that stand above the letter of an array: oc is o, then c; 12 is 1, then 2, or the twelfth."""
        axes = self.channel_axes(name)
        listed = (above,) if axes == 1 and isinstance(above, Number) else _listed(above)
        if len(listed) > axes:
            raise UnreadableError(f"the number of channel axes of {name} is {axes}, and that of indices above it "
                                  f"{len(listed)}")  # fmt: skip
        return listed

    # ------------------------------------------------------------------ evaluation

    def value(self, expr: Expr, at: Mapping[str, int]) -> Any:
        """An expression at values of its free indices: an array of expressions, or one expression.

        Raises:
            UnreadableError: for what is not read here.
            MisfitError: for arrays that do not fit together.
        """
        array = self._array_of(expr)
        if array is not None:
            return self._picked(array[0], self._known(array[0]), array[1], at)
        match expr:
            case Number():
                return sympy.Rational(expr.value.numerator, expr.value.denominator)
            case Name() if expr.name in at:
                return sympy.Integer(at[expr.name] + self.question.index_base)
            case Negate():
                return -self.value(expr.arg, at)
            case Raised() if expr.exponent == Name("T"):
                return _transposed(self.value(expr.base, at))
            case Binary():
                return self._joined(expr.op, self.value(expr.left, at), self.value(expr.right, at))
            case Call():
                return self._called(expr, at)
            case Sum() if expr.op == "sum":
                return self._summed(expr, at)
            case Derivative() if expr.of == Name(self._error):
                by = self._array_of(expr.by)
                if by is None or by[0] in self.upstream:
                    raise UnreadableError("what stands below the bar of a derivative must be an array of the network")
                return self._picked(by[0], self.gradient(by[0]), by[1], at)
        raise UnreadableError("the line has a form that is not read here")

    @property
    def _error(self) -> str:
        from symconv.operators.letters import Letters

        return Letters.of(self.question.names).error

    def _known(self, name: str) -> Any:
        if name in self.upstream and not self.has_gradients:
            return self.tail_gradient(self.upstream[name])
        if self.start and name not in self.upstream:
            values = self.tail(self.start)
            layer, role = self.roles[name]
            if values is not None and role == "output" and layer in values:
                return values[layer]
        return self.letter_array(name)

    has_gradients: bool = True
    """Whether the line has a derivative in it; a letter for a gradient stands for what it is where there is none."""
    start: str = ""
    """The array from which on everything is worked out, where the line goes through the rest of the network."""
    point: Point | None = None
    """Numbers for all arrays instead of letters."""

    def entangled(self, exprs: tuple[Expr, ...]) -> bool:
        """Whether a line speaks of arrays that depend on each other: letters of their own then say too little of them.

        Two sides that agree in such letters agree all the more; two that differ need not.
        """
        mentioned = {name for expr in exprs for name in self._mentioned(expr)}
        later = self.tail(self.start) if self.start else None
        outputs, parameters = {self.roles[self.start][0]} if self.start else set(), set()
        for name in mentioned - self.upstream.keys():
            layer, role = self.roles[name]
            if role == "output":
                outputs.add(self.roles[self.start][0] if later is not None and layer in later else layer)
            elif role != "target":
                parameters.add(layer)
            elif self.has_gradients and mentioned & self.upstream.keys():
                return True
        if len(mentioned & self.upstream.keys()) > 1:
            return True
        above = {layer: self._above(layer) for layer in outputs}
        return any(one in above[other] for other in outputs for one in (outputs - {other}) | parameters) or bool(
            outputs & parameters
        )

    def _above(self, layer: str) -> set[str]:
        """The layers that lead to a layer, and the input."""
        found: set[str] = set()
        queue = [layer]
        while queue:
            at = queue.pop()
            for source in self.chain.network.sources(at) if at != INPUT else ():
                if source not in found:
                    found.add(source)
                    queue.append(source)
        return found

    def _mentioned(self, expr: Expr) -> Iterator[str]:
        array = self._array_of(expr)
        if array is not None:
            yield array[0]
        else:
            for part in _parts(expr):
                yield from self._mentioned(part)

    def _picked(self, name: str, array: Any, indices: tuple[Expr, ...], at: Mapping[str, int]) -> Any:
        place = []
        for index in indices:
            value = self.value(index, at)
            if isinstance(value, np.ndarray) or not value.is_Integer:
                raise UnreadableError("an index must be a letter or a number, and no letter of an array")
            place.append(int(value) - self.question.index_base)
        if not all(0 <= i < n for i, n in zip(place, array.shape, strict=False)):
            raise UnreadableError(f"{name} is read outside, and what it counts as there is not said")
        return array[tuple(place)]

    def _joined(self, op: str, left: Any, right: Any) -> Any:
        arrays = isinstance(left, np.ndarray) and isinstance(right, np.ndarray)
        if op == "ast":
            raise UnreadableError("an asterisk is a correlation to some and a convolution to others; write \\star")
        if op == "star":
            return _correlated(self._plane(left, "correlated"), self._plane(right, "correlated"))
        if op in ("+", "-"):
            if arrays and left.shape != right.shape:
                raise MisfitError(f"{_times(left.shape)} and {_times(right.shape)} cannot be added")
            return left + right if op == "+" else left - right
        if op == "/":
            if isinstance(right, np.ndarray) or not right.is_Rational or right == 0:
                raise UnreadableError("only a number other than 0 divides here")
            return left / right
        if not arrays:
            return left * right
        if left.ndim == 1 and right.ndim == 2 and right.shape[0] == 1:
            return np.outer(left, right[0])
        if left.ndim == 2 and right.ndim in (1, 2):
            if left.shape[1] != right.shape[0]:
                raise MisfitError(f"a matrix of {_times(left.shape)} takes no array of {_times(right.shape)}")
            return left @ right
        raise UnreadableError("a product of two arrays is read as that of a matrix and a vector alone")

    def _plane(self, array: Any, done: str) -> Any:
        """A plane of one channel.

        Raises:
            UnreadableError: for anything else, such as all channels at once.
        """
        if not isinstance(array, np.ndarray) or array.ndim != self.chain.network.spatial_axes:
            raise UnreadableError(f"planes are {done} here, one channel at a time")
        return array

    def _called(self, expr: Call, at: Mapping[str, int]) -> Any:
        args = [self.value(arg, at) for arg in expr.args]
        if expr.name == "pad" and len(args) == 2:
            plane, width = self._plane(args[0], "padded"), args[1]
            if isinstance(width, np.ndarray) or not width.is_Integer or width < 0:
                raise UnreadableError("an array is padded by a whole number that is not below 0")
            if prod(n + 2 * int(width) for n in plane.shape) > MOST_TERMS:
                raise UnreadableError("the padded planes of this line are too large")
            return np.pad(plane, int(width), constant_values=sympy.Integer(0))
        if expr.name in ("rot", "rev", "flip") and args:
            if len(args) == 2 and (isinstance(args[1], np.ndarray) or args[1] != 180):
                raise UnreadableError("planes are turned by 180 degrees here")
            return np.flip(self._plane(args[0], "turned"))
        raise UnreadableError(f"{expr.name} of these arguments is not read here")

    def _summed(self, expr: Sum, at: Mapping[str, int]) -> Any:
        names: list[str] = []
        for over in expr.over:
            if not isinstance(over, Over) or over.set != Name(ANY):
                raise UnreadableError("a sum runs over all values of its indices here; write \\sum_{o}")
            names += over.variables
        ranges = self.free((expr.body,))
        if any(name not in ranges for name in names):
            raise UnreadableError("an index of a sum stands at no array below it")
        total: Any = None
        for point in product(*(ranges[name] for name in names)):
            term = self.value(expr.body, {**at, **dict(zip(names, point, strict=True))})
            total = term if total is None else self._joined("+", total, term)
        return total


def _parts(expr: Expr) -> tuple[Expr, ...]:
    match expr:
        case Binary():
            return (expr.left, expr.right)
        case Negate():
            return (expr.arg,)
        case Raised():
            return (expr.base, expr.exponent)
        case Call():
            return expr.args
        case Sum():
            return (expr.body,)
        case Derivative():
            return (expr.by,)
    return ()


def _listed(expr: Expr) -> tuple[Expr, ...]:
    """What stands side by side above a letter."""
    if isinstance(expr, Binary) and expr.op == "*":
        return (*_listed(expr.left), *_listed(expr.right))
    if isinstance(expr, Number) and expr.value.denominator == 1:
        return tuple(Number(Fraction(int(digit))) for digit in str(expr.value))
    return (expr,)


def _correlated(image: Any, kernel: Any) -> Any:
    """The cross-correlation of two planes, at the places where the second lies inside the first."""
    sizes = tuple(n - k + 1 for n, k in zip(image.shape, kernel.shape, strict=True))
    if min(sizes, default=0) < 1:
        raise MisfitError(f"a plane of {_times(kernel.shape)} does not fit into one of {_times(image.shape)}")
    if np.prod(sizes) * kernel.size > MOST_TERMS:
        raise UnreadableError("the sums of this line are too long at the sizes of the exercise")
    result = np.empty(sizes, object)
    for at in np.ndindex(*sizes):
        window = image[tuple(slice(i, i + k) for i, k in zip(at, kernel.shape, strict=True))]
        result[at] = sympy.Add(*(a * b for a, b in zip(window.ravel(), kernel.ravel(), strict=True)))
    return result


def _transposed(array: Any) -> Any:
    """A matrix with its rows for columns; a vector as a row."""
    if not isinstance(array, np.ndarray) or array.ndim > 2:
        raise UnreadableError("a matrix or a vector alone is transposed")
    return array.reshape(1, -1) if array.ndim == 1 else array.T


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def with_gradients(arrays: Arrays, claim: Claim) -> Arrays:
    """The same, told whether the line has a derivative in it, and where it goes through the rest of the network."""

    def derivatives(expr: Expr) -> Iterator[Derivative]:
        if isinstance(expr, Derivative):
            yield expr
        for part in _parts(expr):
            yield from derivatives(part)

    found = [each for part in claim.parts for each in derivatives(part)]
    if not found:
        return replace(arrays, has_gradients=False, start=next(iter(arrays.upstream.values()), ""))
    names = [name for each in found for name in arrays._mentioned(each.by)]
    starts = [name for name in names if name not in arrays.upstream and arrays.through_the_rest(name)]
    return replace(arrays, start=starts[0] if starts else "")
