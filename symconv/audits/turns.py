"""The turns of a filter: its axes exchanged, and some of them reversed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations, product

from symconv.audits.reading import Array, places

__all__ = ["Turn", "turns"]


@dataclass(frozen=True)
class Turn:
    """A filter with its spatial axes put into an order, and then some of them reversed.

    Attributes:
        order: axis ``order[i]`` of the filter becomes axis i.
        reversed: whether axis i then runs backwards.
    """

    order: tuple[int, ...]
    reversed: tuple[bool, ...]

    @property
    def flip(self) -> bool:
        """Whether all axes run backwards, which is what an operator calls its flip."""
        return all(self.reversed)

    @property
    def straight(self) -> bool:
        """Whether the axes stand in their own order."""
        return self.order == tuple(range(len(self.order)))

    def __call__(self, weight: Array) -> Array:
        """The turned weight, whose last axes are the taps."""
        lead = weight.ndim - len(self.order)
        moved = weight.transpose(*range(lead), *(lead + axis for axis in self.order))
        return moved[(..., *(slice(None, None, -1) if back else slice(None) for back in self.reversed))]

    def expression(self, name: str, lead: int) -> str:
        """The turned weight, without the reversal of all axes: what stands before the taps are `lead` axes."""
        if not self.straight:
            name = f"{name}.transpose({', '.join(map(str, (*range(lead), *(lead + axis for axis in self.order))))})"
        if self.flip or not any(self.reversed):
            return name
        return f"np.flip({name}, {tuple(lead + i for i, back in enumerate(self.reversed) if back)})"

    @property
    def words(self) -> str:
        """What was done to the filter, besides the reversal of all axes; empty for nothing.

        >>> [Turn((1, 0), (a, b)).words for a in (False, True) for b in (False, True)]  # doctest: +NORMALIZE_WHITESPACE
        ['the filter is transposed', 'the filter is turned by 90° clockwise',
         'the filter is turned by 90° anticlockwise', 'the filter is transposed']
        >>> Turn((0, 1), (False, True)).words
        'the filter is reversed along W'
        """
        letters = places(len(self.order))
        back = [] if self.flip else [letters[i] for i, reverse in enumerate(self.reversed) if reverse]
        if self.order == (1, 0) and back:
            return f"the filter is turned by 90° {'anti' if back == ['H'] else ''}clockwise"
        said = []
        if self.order == (1, 0):
            said.append("transposed")
        elif not self.straight:
            said.append(f"given the order {''.join(letters[axis] for axis in self.order)} of its axes")
        if back:
            said.append(f"reversed along {' and '.join(back)}")
        return f"the filter is {' and '.join(said)}" if said else ""

    @property
    def cost(self) -> float:
        """How unusual it is."""
        if self.straight:
            return 1.0 if self.flip else 3.0 * any(self.reversed)
        return 2.5 + 0.5 * any(self.reversed)


def turns(axes: int) -> list[Turn]:
    """All turns of a filter with a number of spatial axes, the commonest first.

    >>> len(turns(1)), len(turns(2)), len(turns(3))
    (2, 8, 48)
    """
    found = [Turn(order, back) for order in permutations(range(axes)) for back in product((False, True), repeat=axes)]
    return sorted(found, key=lambda turn: turn.cost)
