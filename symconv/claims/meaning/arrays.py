"""Whole arrays in claims: A, B, C, what correlations, paddings and pools make of them, in symbols or in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product as points
from math import prod
from typing import Any

from symconv.claims.meaning.functions import array_function, names_operator, value_function
from symconv.claims.meaning.indices import to_index
from symconv.claims.meaning.lowering import are_sizes, lower
from symconv.claims.meaning.scope import ARRAY_FUNCTIONS, Scope
from symconv.claims.nested import nested, shape_of
from symconv.claims.syntax import (
    ENTRY,
    TRANSPOSED,
    Binary,
    Call,
    Derivative,
    Entry,
    Expr,
    MatrixLiteral,
    Name,
    Negate,
    Number,
    Raised,
)
from symconv.claims.writing import to_text
from symconv.errors import ClaimError
from symconv.formulas.algebra import Applied, Bracket, Node, Power, add, const, equal, nonnegative, product
from symconv.formulas.arrays import (
    Array,
    correlated,
    flattened,
    multiplied,
    ones,
    padded,
    places_of,
    tensor,
    transposed,
    turned,
)
from symconv.formulas.calculus import differentiate
from symconv.formulas.index import Index
from symconv.formulas.substitution import substitute
from symconv.operators.convolution import Conv
from symconv.proofs.goals import follows

__all__ = ["as_row", "is_array", "numbers", "symbolic"]

MAX_PRODUCTS = 1_000_000  # numbers multiplied for one array: beyond, a claim would not be answered within seconds


def is_array(expr: Expr, scope: Scope) -> bool:
    """Whether an expression is a whole array."""
    if isinstance(expr, MatrixLiteral):
        return True
    if isinstance(expr, Name):
        return expr.name in scope.arrays or expr.name in scope.declared.data or expr.name in scope.declared.matrices
    if isinstance(expr, Call):
        if expr.name == ENTRY:
            return False
        if value_function(expr.name, scope) is not None:
            return any(is_array(arg, scope) for arg in expr.args)
        return expr.name in ARRAY_FUNCTIONS or array_function(expr.name, scope) != "" or names_operator(expr, scope)
    if isinstance(expr, Binary):
        asterisk = expr.op == "star" or (expr.op == "ast" and not are_sizes(expr, scope))
        return asterisk or is_array(expr.left, scope) or (expr.op != "/" and is_array(expr.right, scope))
    if isinstance(expr, Negate):
        return is_array(expr.arg, scope)
    if isinstance(expr, Raised):
        return expr.exponent == TRANSPOSED
    return isinstance(expr, Derivative) and isinstance(expr.by, Name)


# ---------------------------------------------------------------------- in symbols


def symbolic(expr: Expr, scope: Scope) -> Array:
    """An array in the entries of the tensors.

    Raises:
        ClaimError: for something that is no array, or has no formula.
    """
    if isinstance(expr, Name):
        return _named(expr.name, scope)
    if isinstance(expr, Negate) or (isinstance(expr, Binary) and expr.op in ("+", "-", "*", "/", "odot")):
        return _combined(expr, scope)
    if isinstance(expr, Raised) and expr.exponent == TRANSPOSED:
        inner = symbolic(expr.base, scope)
        if len(inner.sizes) > 2:
            raise ClaimError(
                f"a matrix or a vector is transposed, and {to_text(expr.base)} has {len(inner.sizes)} axes"
            )
        return transposed(inner)
    if isinstance(expr, Derivative) and isinstance(expr.by, Name):
        return _gradient(expr, scope)
    if isinstance(expr, Binary) and expr.op in ("star", "ast"):
        return _correlation(expr.left, expr.right, scope, flip=_flips(expr, scope))
    if isinstance(expr, Call):
        return _called(expr, scope)
    if isinstance(expr, MatrixLiteral):
        return _written(expr, scope)
    raise ClaimError("an array is wanted here, such as A, corr(A, B), pad(B, 2) or a matrix")


def _combined(expr: Negate | Binary, scope: Scope) -> Array:
    """Arrays added, multiplied by a number, entry by entry, or as matrices."""
    if isinstance(expr, Negate):
        return _scaled(symbolic(expr.arg, scope), const(-1))
    whole = [side for side in (expr.left, expr.right) if is_array(side, scope)]
    if len(whole) == 1:
        if expr.op == "/":
            return _scaled(symbolic(expr.left, scope), Power(lower(expr.right, scope), const(-1)))
        if expr.op not in ("*", "odot"):
            raise ClaimError(f"{to_text(expr)} adds a number to an array; write the entries out")
        number = expr.right if whole[0] is expr.left else expr.left
        return _scaled(symbolic(whole[0], scope), lower(number, scope))
    left, right = symbolic(expr.left, scope), symbolic(expr.right, scope)
    if expr.op == "*":
        if len(left.sizes) > 2 or len(right.sizes) > 2 or (len(left.sizes) == 1 and len(right.sizes) == 1):
            raise ClaimError(
                f"{to_text(expr)} is no product of matrices; write \\star for a correlation, \\odot for one entry by "
                "entry, or the entries out"
            )
        _check_alike([left.sizes[1] if len(left.sizes) == 2 else Index.of(1)], [right.sizes[0]], expr, scope)
        return multiplied(left, right)
    if len(left.sizes) != len(right.sizes):
        raise ClaimError(f"{to_text(expr)} joins arrays with {len(left.sizes)} and {len(right.sizes)} axes")
    _check_alike(left.sizes, right.sizes, expr, scope)
    if expr.op == "odot":
        return Array(lambda at: product(left.entry(at), right.entry(at)), left.sizes)
    sign = const(1 if expr.op == "+" else -1)
    return Array(lambda at: add(left.entry(at), product(sign, right.entry(at))), left.sizes)


def _scaled(array: Array, factor: Node) -> Array:
    return Array(lambda at: product(factor, array.entry(at)), array.sizes, array.base, array.fits)


def _check_alike(mine: Sequence[Index], theirs: Sequence[Index], expr: Binary, scope: Scope) -> None:
    """Refuse arrays that do not fit together."""
    known = (*scope.hypotheses, *(equal(name, value) for name, value in scope.definitions))
    for a, b in zip(mine, theirs, strict=True):
        if a != b and not follows(known, [equal(a, b)]):
            words = "a product of matrices" if expr.op == "*" else "it"
            raise ClaimError(
                f"{to_text(expr)}: {words} needs sizes that fit, and has {a!r} and {b!r}; a correlation is written "
                r"\star, or * where star declares it"
            )


def _matrix(kind: str, scope: Scope) -> Array:
    """The matrix that takes the input, or the kernel, to the output, all row by row."""
    letters, free = scope.letters, scope.output.free
    role = "input" if kind == "toeplitz" else "weight"
    letter: str = getattr(letters, role)
    if letter not in scope.boxes or not isinstance(scope.op, Conv) or scope.op.bias:
        raise ClaimError(f"matrices: {kind} is that of a convolution without bias, and this is {scope.op!r}")
    box = scope.boxes[letter]
    outputs = [axis.upper - axis.lower + 1 for axis in free]
    columns = [high - low + 1 for low, high in box]

    def entry(at: Sequence[Index]) -> Node:
        rows = [place + axis.lower for place, axis in zip(places_of(at[0] - 1, outputs), free, strict=True)]
        place = [i + low for i, (low, _) in zip(places_of(at[1] - 1, columns), box, strict=True)]
        names = {axis.name: row for axis, row in zip(free, rows, strict=True)}
        return differentiate(substitute(scope.output.body, names), letter, tuple(place))

    sizes = [flattened(Array(entry, tuple(axes))).sizes[0] for axes in (outputs, columns)]
    return Array(entry, tuple(sizes))


def _named(name: str, scope: Scope) -> Array:
    if name in scope.declared.matrices:
        return _matrix(scope.declared.matrices[name], scope)
    role = scope.arrays.get(name)
    if role is None:
        raise scope.unknown("the array", name, [*scope.arrays, *scope.declared.data])
    if role == "output":
        free = scope.output.free
        sizes = tuple(b.upper - b.lower + 1 for b in free)
        shift = scope.base - 1
        names = [b.name for b in free]
        return Array(
            lambda at: substitute(scope.output.body, {n: e + shift for n, e in zip(names, at, strict=True)}), sizes
        )
    letter: str = getattr(scope.letters, role)
    box = scope.boxes[letter]
    sizes = tuple(high - low + 1 for low, high in box)
    if role == "upstream" and scope.declared.upstream == "ones":
        return ones(sizes)
    return tensor(letter, box)


def _gradient(expr: Derivative, scope: Scope) -> Array:
    letters = scope.letters
    if not isinstance(expr.of, Name) or expr.of.name != letters.error:
        raise ClaimError(f"only the error {letters.error} is differentiated by a whole array")
    assert isinstance(expr.by, Name)
    role = scope.arrays.get(expr.by.name)
    if role == "output":
        return _named(scope.capital("upstream"), scope)
    if role not in ("input", "weight", "bias"):
        known = [c for c, r in scope.arrays.items() if r != "upstream"]
        raise scope.unknown("the variable", expr.by.name, known)
    letter: str = getattr(letters, role)
    box = scope.boxes[letter]
    names = [f"x{axis}'" for axis in range(1, len(box) + 1)]  # which no claim can write
    entry = Derivative(expr.of, Entry(letter, tuple(Name(n) for n in names)))
    node = lower(entry, scope)
    sizes = tuple(high - low + 1 for low, high in box)
    return Array(
        lambda at: substitute(node, {n: e + (low - 1) for n, e, (low, _) in zip(names, at, box, strict=True)}), sizes
    )


def _flips(expr: Binary, scope: Scope) -> bool:
    if expr.op == "star":
        return False
    if scope.declared.star not in ("correlation", "convolution"):
        raise ClaimError(
            'what the asterisk between arrays means is not declared; add star = "correlation" or "convolution"'
        )
    return scope.declared.star == "convolution"


def _called(expr: Call, scope: Scope) -> Array:
    name, args = expr.name, expr.args
    _check_arguments(expr, scope)
    kind = array_function(name, scope)
    function = value_function(name, scope)
    if function is not None:
        values = symbolic(args[0], scope)
        return Array(lambda at: Applied(function, values.entry(at)), values.sizes, values.base, values.fits)
    if name == "vec":
        return flattened(symbolic(args[0], scope))
    if kind == "rotation":
        return turned(symbolic(args[0], scope))
    if kind:
        is_full = kind.startswith("full")
        return _correlation(args[0], args[1], scope, flip=kind.endswith("convolution"), full=is_full)
    if name in ("corr", "conv"):
        return _correlation(args[0], args[1], scope, flip=name == "conv")
    if name == "ones":
        return ones(tuple(to_index(arg, scope) for arg in args))
    if name == "rot180":
        return turned(symbolic(args[0], scope))
    if name == "pad":
        inner = _zero_outside(args[0], scope)
        around = [to_index(args[1], scope)] * len(inner.sizes)
        return padded(inner, around, around)
    if names_operator(expr, scope):
        raise ClaimError(f"{name}(...) is computed in numbers only; compare it with a matrix")
    raise scope.unknown("the function", name, list(ARRAY_FUNCTIONS))


def _check_arguments(expr: Call, scope: Scope) -> None:
    usual = {"corr": 2, "conv": 2, "rot180": 1, "pad": 2, "vec": 1}.get(expr.name, len(expr.args))
    wanted = {"": usual, "rotation": 1}.get(array_function(expr.name, scope), 2)
    if len(expr.args) != wanted:
        raise ClaimError(f"{expr.name} takes {wanted} argument{'s' if wanted > 1 else ''}, got {len(expr.args)}")


def _zero_outside(expr: Expr, scope: Scope) -> Array:
    """An array that can be padded: what is computed or cropped is cut off where it ends."""
    array = symbolic(expr, scope)
    if _is_zero_outside(expr, scope):
        return array
    window = ones(array.sizes, array.base)
    return Array(lambda at: product(window.entry(at), array.entry(at)), array.sizes, array.base)


def _is_zero_outside(expr: Expr, scope: Scope) -> bool:
    """Whether the entry of an array is a tree that is zero outside it: that of a tensor, also with zeros around it."""
    if isinstance(expr, Name):
        return scope.arrays.get(expr.name, "output") != "output"
    if not isinstance(expr, Call):
        return isinstance(expr, MatrixLiteral)
    if expr.name == "pad":
        known = (*scope.hypotheses, *(equal(name, value) for name, value in scope.definitions))
        return follows(known, [nonnegative(to_index(expr.args[1], scope))]) and _is_zero_outside(expr.args[0], scope)
    return expr.name == "ones"


def _correlation(left: Expr, right: Expr, scope: Scope, *, flip: bool, full: bool = False) -> Array:
    """A correlation, or the convolution with the kernel turned around; only whole windows count, unless it is full."""
    image, kernel = symbolic(left, scope), symbolic(right, scope)
    if len(image.sizes) != len(kernel.sizes):
        raise ClaimError("the arrays of a correlation must have the same number of axes")
    if full:
        around = [size - 1 for size in kernel.sizes]
        image = padded(_zero_outside(left, scope), around, around)
    return correlated(image, kernel, flip=flip)


def _written(expr: MatrixLiteral, scope: Scope) -> Array:
    """A matrix written out: the sum of its entries under brackets, in symbols such as b[1, 1] too."""
    entries = [[lower(entry, scope) for entry in row] for row in expr.rows]
    sizes = (Index.of(len(entries)), Index.of(len(entries[0])))

    def entry(at: Sequence[Index]) -> Node:
        parts = [
            product(value, Bracket((equal(at[0], i), equal(at[1], j))))
            for i, row in enumerate(entries, 1)
            for j, value in enumerate(row, 1)
            if value != const(0)
        ]
        return add(*parts)

    return Array(entry, sizes)


def as_row(written: Array, axes: int) -> Array:
    """A matrix of one row as a vector, where it is compared with an array of one axis."""
    if axes != 1 or written.sizes[0] != 1:
        return written
    return Array(lambda at: written.entry([Index.of(1), *at]), written.sizes[1:])


# ---------------------------------------------------------------------- in numbers


def numbers(expr: Expr, scope: Scope, *, flip: bool | None = None) -> Any:
    """An array as nested lists of exact numbers.

    Args:
        expr: the array.
        scope: the literal scope.
        flip: read the convolution layer flipped (or not) instead of as declared.
    """
    data = scope.declared.data
    if isinstance(expr, MatrixLiteral):
        return [[_number(entry) for entry in row] for row in expr.rows]
    if isinstance(expr, Name):
        if expr.name in data:
            return data[expr.name]
        if scope.arrays.get(expr.name) == "output":
            return _apply(scope, scope.declared.op, data_of("input", scope), flip)
        raise scope.unknown("the data", expr.name, list(data))
    if isinstance(expr, Call) and expr.name in ("corr", "conv"):
        _check_arguments(expr, scope)
        image, kernel = (numbers(arg, scope, flip=flip) for arg in expr.args)
        return _correlated(image, kernel, expr.name == "conv")
    if isinstance(expr, Binary) and expr.op in ("star", "ast"):
        image, kernel = numbers(expr.left, scope, flip=flip), numbers(expr.right, scope, flip=flip)
        return _correlated(image, kernel, _flips(expr, scope))
    if isinstance(expr, Call) and names_operator(expr, scope) and len(expr.args) == 1:
        return _apply(scope, scope.declared.operators[expr.name].op, numbers(expr.args[0], scope, flip=flip), flip)
    if isinstance(expr, Call) and expr.name == "ones":
        shape = [_whole(arg) for arg in expr.args]
        _check_count(prod(shape), f"ones({', '.join(map(str, shape))})")
        return _filled(shape, Fraction(1))
    if isinstance(expr, Call):
        raise scope.unknown("the function", expr.name, ["corr", "conv", "ones", *scope.declared.operators])
    raise ClaimError("an array of numbers is wanted here: data, a matrix, corr(A, B), or an operator of it")


def data_of(role: str, scope: Scope) -> Any:
    """The numbers of a tensor, by its capital."""
    name = scope.capital(role)
    if name not in scope.declared.data:
        raise scope.unknown("the data", name, list(scope.declared.data))
    return scope.declared.data[name]


def _number(expr: Expr) -> Fraction:
    if isinstance(expr, Number):
        return expr.value
    if isinstance(expr, Negate):
        return -_number(expr.arg)
    if isinstance(expr, Binary) and expr.op in ("+", "-", "*", "/"):
        left, right = _number(expr.left), _number(expr.right)
        if expr.op == "/":
            if right == 0:
                raise ClaimError("divides by zero")
            return left / right
        return left + right if expr.op == "+" else left - right if expr.op == "-" else left * right
    raise ClaimError("a matrix of numbers is wanted here")


def _check_count(count: int, what: str) -> None:
    """Refuse what would take long to work out one by one, before it is begun."""
    if count > MAX_PRODUCTS:
        raise ClaimError(f"{what} takes {count:,} steps in numbers, and at most {MAX_PRODUCTS:,} are taken")


def _whole(expr: Expr) -> int:
    value = _number(expr)
    if value.denominator != 1 or value < 1:
        raise ClaimError("ones takes sizes >= 1")
    return value.numerator


def _filled(shape: Sequence[int], value: Fraction) -> Any:
    return [_filled(shape[1:], value) for _ in range(shape[0])] if shape else value


def _apply(scope: Scope, op: Any, image: Any, flip: bool | None) -> Any:
    """An operator of numbers, by its formula."""
    if isinstance(op, Conv) and flip is not None:
        op = replace(op, flip=flip)
    tensors = {scope.letters.input: image}
    if isinstance(op, Conv):
        tensors[scope.letters.weight] = data_of("weight", scope)
    shape = shape_of(image)
    if len(shape) != op.spatial_axes:
        raise ClaimError(f"an array with {op.spatial_axes} axes is wanted, got {len(shape)}")
    values = op.output(names=scope.letters).values(tensors, shape)
    return nested(values, op.output_size(shape))


def _correlated(image: Any, kernel: Any, flip: bool) -> Any:
    n, k = shape_of(image), shape_of(kernel)
    if len(n) != len(k) or any(a < b for a, b in zip(n, k, strict=True)):
        raise ClaimError(f"a kernel of shape {k} does not fit into an array of shape {n}")

    def read(array: Any, at: Sequence[int]) -> Fraction:
        for position in at:
            array = array[position]
        return Fraction(array)

    def entry(at: Sequence[int]) -> Fraction:
        total = Fraction(0)
        for tap in points(*(range(extent) for extent in k)):
            place = [extent - 1 - t if flip else t for extent, t in zip(k, tap, strict=True)]
            total += read(image, [a + p for a, p in zip(at, place, strict=True)]) * read(kernel, tap)
        return total

    sizes = [a - b + 1 for a, b in zip(n, k, strict=True)]
    _check_count(prod(sizes) * prod(k), "the correlation")
    return nested({at: entry(at) for at in points(*map(range, sizes))}, sizes)
