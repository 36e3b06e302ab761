"""Lines in LaTeX about the arrays of a network: checked at the sizes of the exercise, and put right by one edit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import sympy

from symconv.claims.syntax import Binary, Call, Claim, Expr, Name, Number, Over, Sum
from symconv.claims.writing import to_latex
from symconv.errors import SymconvError
from symconv.problems.grading.planes import ANY, Arrays, MisfitError, UnreadableError, channels_read, with_gradients
from symconv.problems.grading.point import Point
from symconv.proofs.verdict import Counterexample, Verdict

__all__ = ["Judged", "judge_channels", "shown"]

POINTS = 4
"""So many networks in numbers are tried before a difference is doubted."""
TINY = 1e-12
EXACT = "all entries, as expressions in the entries of all arrays, at the sizes of the exercise"


@dataclass(frozen=True)
class Judged:
    """A verdict on a line, with the line as it should read where one edit makes it true.

    Attributes:
        verdict: at the sizes of the exercise.
        claim: the line as it was read; None where it could not be.
        mended: the line put right.
        edit: the edit in words.
        repaired: the verdict on it.
    """

    verdict: Verdict
    claim: Claim | None = None
    mended: Claim | None = None
    edit: str = ""
    repaired: Verdict | None = None


def judge_channels(latex: str, arrays: Arrays, *, repair: bool = True) -> Judged:
    """Check a line, and look for the edit that makes it true where it is false."""
    try:
        claim = channels_read(latex)
    except SymconvError as error:
        return Judged(Verdict("error", explanation=str(error)))
    if len(claim.parts) < 2 or set(claim.relations) != {"=="}:
        return Judged(Verdict("undecided", explanation="only equalities are read here"), claim)
    known = with_gradients(arrays, claim)
    verdict = _verdict(claim, known)
    if verdict.status == "refuted" and not _differs_in_numbers(claim, known):
        words = "the two sides differ as letters, and for the numbers of a network no difference was found"
        verdict = Verdict("undecided", explanation=words)
    if verdict.status != "refuted" or not repair:
        return Judged(verdict, claim)
    for edit, mended in _edits(claim, known):
        again = _verdict(mended, known)
        if again.holds:
            return Judged(verdict, claim, mended, edit, again)
    return Judged(verdict, claim)


def _verdict(claim: Claim, arrays: Arrays) -> Verdict:
    left, *rest = claim.parts
    try:
        for right in rest:
            found = _difference(left, right, arrays)
            if found is not None and arrays.entangled((left, right)):
                words = "the line speaks of arrays that depend on each other, and that is not looked through here"
                return Verdict("undecided", explanation=words)
            if found is not None:
                return found
    except UnreadableError as error:
        return Verdict("undecided", explanation=str(error))
    except SymconvError as error:
        return Verdict("undecided", explanation=f"the layers say: {error}")
    words = "Both sides agree in every entry, for all numbers, at the sizes of the exercise."
    return Verdict("exact", explanation=words, method=EXACT, sizes=1)


def _difference(left: Expr, right: Expr, arrays: Arrays) -> Verdict | None:
    """Where two sides differ; None where they agree everywhere."""
    free = arrays.free((left, right))
    try:
        for point in product(*free.values()):
            at = dict(zip(free, point, strict=True))
            one, other = (_column(arrays.value(side, at)) for side in (left, right))
            if one.shape != other.shape:
                if _turned(one, other) and not any(_gap(a, b) for a, b in zip(one.flat, other.flat, strict=True)):
                    words = "one side is a row and the other a column, and which of them a gradient is was not said"
                    return Verdict("undecided", explanation=words)
                sizes = [" x ".join(map(str, side.shape)) or "one number" for side in (one, other)]
                return Verdict("refuted", explanation=f"The left side is {sizes[0]}, the right side {sizes[1]}.")
            for place in np.ndindex(*one.shape):
                a, b = one[place], other[place]
                gap = _gap(a, b)
                if gap != 0:
                    return _refuted(a, b, gap, at, place, arrays)
    except MisfitError as error:
        return Verdict("refuted", explanation=f"{str(error)[0].upper()}{str(error)[1:]}.")
    return None


def _column(value: Any) -> Any:
    """A value as an array: one entry alone is a number, and a matrix of one column a vector."""
    array = np.asarray(value, object)
    if array.size == 1:
        return array.reshape(())
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _turned(one: Any, other: Any) -> bool:
    """Whether one is a row and the other a column of as many."""
    return {one.ndim, other.ndim} == {1, 2} and one.size == other.size and 1 in (*one.shape[:-1], *other.shape[:-1])


def _differs_in_numbers(claim: Claim, arrays: Arrays) -> bool:
    """Whether the sides differ in a network: its arrays do not have all values that letters of their own have.

    A softmax sums to 1, and so the gradient before it to 0; what comes out of a ReLU is never below 0.
    """
    free = arrays.free(claim.parts)
    for seed in range(POINTS):
        here = replace(arrays, point=Point(arrays.chain, seed))
        for values in product(*free.values()):
            at = dict(zip(free, values, strict=True))
            try:
                one, *others = (_column(here.value(part, at)) for part in claim.parts)
            except MisfitError:
                return True
            except SymconvError:
                break
            if any(other.shape != one.shape or any(map(_apart, one.flat, other.flat)) for other in others):
                return True
    return False


def _apart(one: Any, other: Any) -> bool:
    """Whether two exact numbers are surely not the same."""
    gap = sympy.N(one - other, 30)
    return bool(gap.is_number and gap.is_finite and abs(gap) > TINY)


def _gap(one: Any, other: Any) -> Any:
    """The difference in a form that is 0 exactly where it is 0 for all numbers.

    Powers of e of different entries are independent, so that rational functions of them are compared.

    Raises:
        UnreadableError: where other functions are left in it.
    """
    gap = one - other
    if gap == 0:
        return gap
    powers = {power: sympy.Dummy(positive=True) for power in sorted(gap.atoms(sympy.exp), key=str)}
    if any(not power.args[0].is_Symbol for power in powers):
        raise UnreadableError("powers of e of sums are not compared here")
    plain = gap.xreplace(powers)
    if plain.has(sympy.log, sympy.Pow) and not plain.is_rational_function():
        raise UnreadableError("functions other than powers of e are not compared here")
    found = sympy.expand(plain) if plain.is_polynomial() else sympy.cancel(sympy.together(plain))
    return found.xreplace({dummy: power for power, dummy in powers.items()})


def _refuted(left: Any, right: Any, gap: Any, at: Mapping[str, int], place: tuple[int, ...], arrays: Arrays) -> Verdict:
    """The smallest numbers that tell two entries apart: as few as possible are 1, all others 0."""
    base = arrays.question.index_base
    indices = {name: value + base for name, value in at.items()}
    indices |= {f"entry {axis}": value + base for axis, value in enumerate(place, 1)}
    put: dict[Any, int] = {}
    if gap.is_polynomial(*gap.free_symbols):
        terms = sympy.Add.make_args(sympy.expand(gap))
        smallest = min(terms, key=lambda term: (len(term.free_symbols), str(term)))
        put = dict.fromkeys(sorted(smallest.free_symbols, key=str), 1)  # a set has no order that stays
    numbers = {symbol: put.get(symbol, 0) for symbol in left.free_symbols | right.free_symbols | gap.free_symbols}
    sides = [side.xreplace({s: sympy.Integer(v) for s, v in numbers.items()}) for side in (left, right)]
    if sides[0] == sides[1] or not all(side.is_finite for side in sides):
        return Verdict("refuted", explanation="The two sides are different expressions.")
    tensors: dict[str, dict[tuple[int, ...], Fraction]] = {}
    for symbol, value in put.items():
        name, _, index = str(symbol).rstrip("]").partition("[")
        place_of = tuple(map(int, index.split(","))) if index else ()
        tensors.setdefault(name, {})[place_of] = Fraction(value)
    boxes = {name: _box(name, arrays) for name in tensors}
    counter = Counterexample({}, indices, tensors, boxes, *sides)
    return Verdict("refuted", counterexample=counter, explanation=f"The two sides differ: {counter}.")


def _box(letter: str, arrays: Arrays) -> tuple[tuple[int, int], ...]:
    base = arrays.question.index_base
    name = arrays.letters[letter]
    return tuple((base, n - 1 + base) for n in arrays.shape(name)[arrays.unsaid_axes(name) :])


# ---------------------------------------------------------------------- repair


def _edits(claim: Claim, arrays: Arrays) -> Iterator[tuple[str, Claim]]:
    """Lines that are one or two small edits away, in words and as trees; the nearest come first."""
    left, right = claim.parts[0], claim.parts[-1]
    try:
        free, bound = arrays.free((right,)), arrays.free((left,))
    except SymconvError:
        return
    loose = tuple(name for name in free if name not in bound)
    if loose:
        wrapped = Sum("sum", right, (Over(loose, Name(ANY)),))
        yield f"the sum over {', '.join(loose)} is missing", replace(claim, parts=(*claim.parts[:-1], wrapped))
    correlations = list(_correlations(right))
    for where in correlations:
        for words, changed in _changes(where):
            yield words, replace(claim, parts=(*claim.parts[:-1], _put(right, where, changed)))


def _correlations(expr: Expr) -> Iterator[Binary]:
    if isinstance(expr, Binary):
        if expr.op == "star":
            yield expr
        for side in (expr.left, expr.right):
            yield from _correlations(side)
    elif isinstance(expr, Sum):
        yield from _correlations(expr.body)


def _changes(star: Binary) -> Iterator[tuple[str, Binary]]:
    """A correlation with another padding, with its kernel turned, or with both."""
    image, kernel = star.left, star.right
    padded = isinstance(image, Call) and image.name == "pad"
    inner = image.args[0] if padded and isinstance(image, Call) else image
    shown_image, shown_kernel = (to_latex(side) for side in (inner, kernel))
    turned = Call("rot", (kernel, Number(Fraction(180))))
    yield f"{shown_kernel} is turned by 180 degrees", replace(star, right=turned)
    for width in range(1, 8):
        image_ = Call("pad", (inner, Number(Fraction(width))))
        if image_ != image:
            yield f"{shown_image} is padded by {width}", replace(star, left=image_)
            yield (
                f"{shown_image} is padded by {width} and {shown_kernel} is turned",
                replace(star, left=image_, right=turned),
            )
    if padded:
        yield f"{shown_image} is not padded", replace(star, left=inner)
    yield "the two change places", replace(star, left=kernel, right=image)


def _put(expr: Expr, old: Binary, new: Binary) -> Expr:
    if expr is old:
        return new
    if isinstance(expr, Binary):
        return replace(expr, left=_put(expr.left, old, new), right=_put(expr.right, old, new))
    if isinstance(expr, Sum):
        return replace(expr, body=_put(expr.body, old, new))
    return expr


def shown(expr: Expr) -> str:
    """An expression of a line as LaTeX, without what stands for a range that was left open."""
    latex = to_latex(expr)
    latex = re.sub(rf"\\sum_\{{\(?([^}}]*?)\)? ?\\in ?\\{ANY}\}}", lambda m: rf"\sum_{{{m[1]}}}", latex)
    latex = re.sub(
        r"\\operatorname\{(pad|rot)\}\\left\( ([^(),]*), (\d+) \\right\)", r"\\operatorname{\1}_{\3}(\2)", latex
    )
    return re.sub(rf"_\{{\\{ANY}\}}", "", latex)
