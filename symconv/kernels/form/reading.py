"""How a formula reads its input: along each axis an affine walk, then a map from the walk to an input position.

Tap m of output o stands at ``u = s*o + d*m`` of the walk; what it reads is a function of u alone: ``u - p`` with zero
padding, a minimum, a remainder or a reflection of that with the other padding modes. So the whole input, laid out along
u once, serves every tap as a shifted and strided view. Both parts are read off the access of the formula, and that they
compose to it is checked, not assumed.
"""

from __future__ import annotations

from dataclasses import dataclass

from symconv.errors import NotSupportedError
from symconv.formulas.algebra import Guard
from symconv.formulas.index import Index, Quotient, maximum, minimum, quotient

__all__ = ["WALK", "Walk", "walk_of"]

WALK = "%u"  # no index of a formula can be called that


@dataclass(frozen=True)
class Walk:
    """One axis of an access: ``position(u)`` with ``u = stride*output + step*tap``.

    Attributes:
        output: the name of the output index.
        tap: the name of the tap index.
        stride: the coefficient of the output index, at least 1.
        step: the coefficient of the tap index: the dilation, negative where the kernel is flipped.
        taps: the number of taps; the tap index runs over ``0..taps-1``.
        position: the input position, an index expression in `WALK` and the sizes.
        guards: what must hold of (output, tap) for the tap to be a real one, where the formula says so.
    """

    output: str
    tap: str
    stride: int
    step: int
    taps: int
    position: Index
    guards: tuple[Guard, ...] = ()

    @property
    def shifts(self) -> tuple[Index, ...]:
        """The c of every ``u + c`` inside the position; with one of them the position is u + c all over the input."""
        return tuple(dict.fromkeys(_shifts(self.position)))

    @property
    def read(self) -> Index:
        """The input position that a tap of an output reads, in their indices: the access of the formula."""
        return self.position.subs({WALK: self.stride * Index.of(self.output) + self.step * Index.of(self.tap)})

    @property
    def reach(self) -> int:
        """The distance from the first tap to the last."""
        return abs(self.step) * (self.taps - 1)

    @property
    def apart(self) -> bool:
        """True where no position is read by two outputs."""
        return self.stride > self.reach

    @property
    def tiling(self) -> bool:
        """True where windows stand side by side without gaps, and none has any."""
        return self.stride == self.taps == self.reach + 1

    def offset(self, tap: int) -> int:
        """Where a tap stands in its window, counted from the first position that the window reads."""
        return self.step * tap - min(0, self.step * (self.taps - 1))


def walk_of(index: Index, output: str, tap: str, taps: int, guards: tuple[Guard, ...]) -> Walk:
    """Split an access along one axis into a walk and a position on it.

    Raises:
        NotSupportedError: where the access does not depend on one affine combination of output and tap alone.
    """
    slopes = {(-s, -d) if s < 0 else (s, d) for s, d in _slopes(index, output, tap)}
    if len(slopes) == 1:
        ((s, d),) = slopes
        if s > 0:
            walk = Walk(output, tap, s, d, taps, _along(index, output, tap, s), guards)
            if walk.read == index:
                return walk
    raise NotSupportedError(f"no kernel can be made of an access at {index!r}: it is no function of one affine walk")


def _slopes(expr: Index, output: str, tap: str) -> set[tuple[int, int]]:
    """The coefficients of (output, tap) in an expression and in all expressions inside its atoms, zeros left out."""
    found = {(expr.terms.get((output,), 0), expr.terms.get((tap,), 0))} - {(0, 0)}
    for key in expr.terms:
        for atom in key:
            if isinstance(atom, str):
                continue
            for inner in (atom.numerator,) if isinstance(atom, Quotient) else atom.args:
                found |= _slopes(inner, output, tap)
    return found


def _shifts(position: Index) -> list[Index]:
    found = []
    split = position.linear_in(WALK)
    if split is not None and split[0].value in (1, -1):
        found.append(split[1] * split[0])
    for key in position.terms:
        for atom in key:
            if not isinstance(atom, str):
                for inner in (atom.numerator,) if isinstance(atom, Quotient) else atom.args:
                    found += _shifts(inner)
    return found


def _along(expr: Index, output: str, tap: str, stride: int) -> Index:
    rest = Index({key: value for key, value in expr.terms.items() if key not in ((output,), (tap,))})
    walked = rest + (expr.terms.get((output,), 0) // stride) * Index.of(WALK)

    def change(atom: object) -> Index:
        if isinstance(atom, Quotient):
            return quotient(_along(atom.numerator, output, tap, stride), atom.denominator, atom.rounding)
        parts = [_along(arg, output, tap, stride) for arg in atom.args]  # type: ignore[attr-defined]
        return (maximum if atom.kind == "max" else minimum)(*parts)  # type: ignore[attr-defined]

    return walked.map_atoms(change)
