"""The part of the reader for derivatives and for whole arrays, such as ``(pad[1](up[2](G)) ⋆ rot180(B))[i, j]``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from readback.arithmetic import Env, UnreadableError, Value, whole
from readback.arrays import Array, around, filled, padded, slide, spread

__all__ = ["Constructions"]


class Constructions:
    """Reads what stands behind a partial sign, a star, or the name of a construction; the rest is the reader's."""

    world: Any
    text: str
    position: int
    peek: Callable[..., str]
    take: Callable[..., str]
    sum: Callable[[], Value]
    index: Callable[..., Callable[[Env], tuple[Any, ...]]]
    refuse: Callable[[str], UnreadableError]

    # ------------------------------------------------------------------ derivatives and arrays

    def _derivative(self) -> Value:
        self.take("∂")
        of = self.take()
        at = self.index(of)
        self.take("/")
        self.take("∂")
        by = self.take()
        place = self.index(by)
        self.world.used.update((of, by))

        def value(env: Env) -> Any:
            left, right = at(env), place(env)
            if of == by:  # nothing moves what lies outside of the array
                array = self.world.arrays[of]
                inside = all(array.base <= e < array.base + n for e, n in zip(left, array.shape, strict=True))
                return int(left == right and inside)
            assert self.world.derivative is not None
            return self.world.derivative(of, left, by, right)

        return value

    def _entry_of(self, array: Callable[[Env], Array]) -> Value:
        at = self.index()

        def value(env: Env) -> Any:
            made, place = array(env), at(env)
            if any(not made.base <= e < made.base + n for e, n in zip(place, made.shape, strict=True)):
                raise UnreadableError(f"{self.text} has no entry {place}: its size is {made.shape}")
            return made.at(place)

        return value

    def correlated(self) -> Callable[[Env], Array]:
        """``(image ⋆[stride s, dilation d] kernel)``, or the same turned around."""
        turned = self.peek() in ("rot180", "rev") and self.peek(1) == "("
        if turned:
            self.take()
        self.take("(")
        image = self.array()
        self.take("⋆")
        notes: dict[str, Callable[[Env], list[int]]] = {}
        if self.peek() == "[":
            self.take()
            while True:
                word = self.take()
                if word not in ("stride", "dilation"):
                    raise self.refuse(f"what is {word!r} below a star")
                notes[word] = self.amounts()
                if self.take() == "]":
                    break
        kernel = self.array()
        self.take(")")
        one = lambda env: [1]  # noqa: E731
        strides, dilations = notes.get("stride", one), notes.get("dilation", one)

        def made(env: Env) -> Array:
            found = slide(image(env), kernel(env), strides(env), dilations(env))
            return around(found) if turned else found

        return made

    def amounts(self) -> Callable[[Env], list[int]]:
        """``2`` or ``(1, 2)``."""
        begin = self.position
        if self.peek() == "(":
            self.take()
            found = [self.sum()]
            if self.peek() == ",":
                while self.peek() == ",":
                    self.take()
                    found.append(self.sum())
                self.take(")")
                return lambda env: [whole(value(env)) for value in found]
            self.position = begin
        single = self.sum() if self.peek(1) in ("]", ",") or self.peek() == "(" else self.factor_or_sum()
        return lambda env: [whole(single(env))]

    def factor_or_sum(self) -> Value:
        return self.sum()

    def pads(self) -> Callable[[Env], list[tuple[int, int]]]:
        """``1``, ``1:0`` or ``(1:0, 2)``: what is put before and after, a pair an axis."""
        begin = self.position
        if self.peek() == "(":
            self.take()
            try:
                found = [self._pair()]
                while self.peek() == ",":
                    self.take()
                    found.append(self._pair())
                self.take(")")
                if self.peek() == "]":
                    return lambda env: [pair(env) for pair in found]
            except UnreadableError:
                pass
            self.position = begin
        pair = self._pair()
        return lambda env: [pair(env)]

    def _pair(self) -> Callable[[Env], tuple[int, int]]:
        low = high = self.sum()
        if self.peek() == ":":
            self.take()
            high = self.sum()
        return lambda env: (whole(low(env)), whole(high(env)))

    def array(self) -> Callable[[Env], Array]:
        """``pad[1:0](up[2](G))``, ``rot180(B)``, ``ones(3×O)``, ``G``."""
        word = self.take()
        if word == "ones":
            self.take("(")
            sizes = [self.sum()]
            while self.peek() == "×":
                self.take()
                sizes.append(self.sum())
            self.take(")")
            return lambda env: filled([whole(size(env)) for size in sizes], self.world.base)
        if word in ("pad", "up"):
            self.take("[")
            pads = self.pads() if word == "pad" else None
            scales = None if pads else self.amounts()
            self.take("]")
            inner = self._argument()
            if pads is not None:
                return lambda env: padded(inner(env), pads(env))
            assert scales is not None
            return lambda env: spread(inner(env), scales(env))
        if word in ("rot180", "rev"):
            inner = self._argument()
            return lambda env: around(inner(env))
        if word in self.world.whole:
            inner = self._argument()
            return lambda env: self.world.whole[word](inner(env))
        letter = word.lower()
        self.world.used.add(letter)
        if letter in self.world.arrays:
            return lambda env: self.world.arrays[letter]
        raise self.refuse(f"what is the array {word!r}")

    def _argument(self) -> Callable[[Env], Array]:
        self.take("(")
        inner = self.array()
        self.take(")")
        return inner
