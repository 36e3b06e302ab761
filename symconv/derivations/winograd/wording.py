"""The pieces of mathematics and words that steps, definitions and tables are put together from."""

from __future__ import annotations

from collections.abc import Sequence

from symconv.derivations.step import Maths
from symconv.formulas.printing import LATEX, UNICODE

__all__ = [
    "all_of",
    "bracketed",
    "equals",
    "grouped",
    "hadamard",
    "joined",
    "letter",
    "many",
    "matrix_entry",
    "matrix_letter",
    "product_of",
    "sandwich",
    "size",
    "sum_over",
    "sum_to",
]

TRANSPOSED = r"^{\mathsf{T}}"


def letter(name: str, number: str = "") -> Maths:
    """The matrix A, G or B, with the number of its axis where that matters."""
    return Maths(f"{name}_{{{number}}}" if number else name, UNICODE.name(name + number))


def matrix_entry(name: str, number: str, row: str, column: str) -> Maths:
    """An entry of the transposed A or B, or of G."""
    matrix = matrix_letter(name, number)
    # a matrix with a number has a subscript already
    latex = rf"{{\left( {matrix.latex} \right)}}" if number else matrix.latex
    return Maths(f"{latex}_{{{row}{column}}}", f"{matrix.text}[{row},{column}]")


def sandwich(name: str, numbers: Sequence[str], inner: Maths) -> Maths:
    """A transform on the first axis from the left, and on the second from the right: ``G g G^T``, ``B^T d B``."""
    parts = [matrix_letter(name, numbers[0]), inner]
    if len(numbers) == 2:
        last = letter(name, numbers[1])
        parts.append(_transposed(last) if name == "G" else last)
    return Maths(r"\, ".join(part.latex for part in parts), " ".join(part.text for part in parts))


def matrix_letter(name: str, number: str = "") -> Maths:
    """The matrix that an algorithm is given by: the transposed A or B, or G."""
    return letter(name, number) if name == "G" else _transposed(letter(name, number))


def _transposed(matrix: Maths) -> Maths:
    return Maths(matrix.latex + TRANSPOSED, matrix.text + "ᵀ")


def hadamard(left: Maths, right: Maths) -> Maths:
    """A product entry by entry."""
    return Maths(rf"({left.latex}) \odot ({right.latex})", f"({left.text}) ⊙ ({right.text})")


def bracketed(inner: Maths) -> Maths:
    """Square brackets."""
    return Maths(rf"\left[ {inner.latex} \right]", f"[{inner.text}]")


def grouped(inner: Maths) -> Maths:
    """Round brackets about a sum."""
    return Maths(rf"\Bigl( {inner.latex} \Bigr)", f"({inner.text})")


def product_of(*factors: Maths) -> Maths:
    """A product of numbers."""
    return Maths(r"\, ".join(f.latex for f in factors), "·".join(f.text for f in factors))


def joined(sign: str, left: Maths, right: Maths) -> Maths:
    """Two pieces with "+" or "-" between them."""
    return Maths(
        f"{left.latex} {sign} {right.latex}", f"{left.text} {UNICODE.minus if sign == '-' else sign} {right.text}"
    )


def equals(left: Maths, right: Maths) -> Maths:
    """An equation."""
    return joined("=", left, right)


def sum_to(index: str, last: int, body: Maths) -> Maths:
    """A sum from 0 up to a number."""
    top = str(last)
    return Maths(LATEX.sum_sign(index, "0", top) + body.latex, UNICODE.sum_sign(index, "0", top) + body.text)


def sum_over(index: str, body: Maths) -> Maths:
    """A sum over all values of an index."""
    return Maths(rf"\sum_{{{index}}} {body.latex}", f"∑({index}) {body.text}")


def many(count: int, noun: str) -> str:
    """``1 output``, ``3 entries``."""
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun[:-1]}ies" if noun.endswith("y") else f"{count} {noun}s"


def all_of(count: int, noun: str) -> str:
    """``all 12 triples``, ``the only triple``."""
    return f"the only {noun}" if count == 1 else f"all {many(count, noun)}"


def size(sizes: Sequence[int]) -> Maths:
    """``4`` or ``4 x 4``."""
    return Maths(r" \times ".join(map(str, sizes)), "×".join(map(str, sizes)))
