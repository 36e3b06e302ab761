"""What a printed line of a derivation says, in numbers: a reader of its text that does not see the formula behind it.

It reads sums, brackets, entries, cases, and correlations such as ``(pad[2](up[2](G)) ⋆[dilation 2] rot180(B))[i, j]``,
so that a line whose formula is right and whose words are wrong is found out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from typing import Any

Point = tuple[int, ...]

_TOKEN = re.compile(r"∂|∑|⌊|⌋|⌈|⌉|≤|≥|∣|…|·|−|⋆|×|:|[A-Za-z]\u0303?(?:[₀-₉]+|[A-Za-z0-9]*)′*|[0-9]+|[-+*/()\[\],=]|\s+")
_WORDS = {"if", "else", "and", "pad", "up", "rot180", "rev", "ones", "stride", "dilation", "where"}


@dataclass
class Tensor:
    """Entries by index; zero wherever nothing stands."""

    entries: dict[Point, Fraction]
    shape: Point = ()
    base: int = 1

    def __getitem__(self, at: tuple[Any, ...]) -> Fraction:
        return self.entries.get(tuple(at), Fraction(0))


@dataclass
class Reader:
    """Reads one line.

    Attributes:
        tensors: entries of the tensors, by letter; capitals are the same arrays.
        sizes: numbers for names such as O₁.
        defined: texts of defined entries by letter, such as ``{"g̃": (("s", "t"), "g[(s−2)/2+1, t−2]")}``.
        derivative: numbers for ``∂c[...]/∂a[...]``.
        base: where indices start.
        result: the shape of the last correlation that was read.
    """

    tensors: Mapping[str, Tensor]
    sizes: Mapping[str, int] = field(default_factory=dict)
    defined: Mapping[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    derivative: Mapping[Point, Fraction] = field(default_factory=dict)
    base: int = 1
    text: str = ""
    position: int = 0
    result: Point = ()

    def value(self, text: str, env: Mapping[str, int]) -> Fraction:
        """The value of a right-hand side where the free indices have these values."""
        body, _, condition = text.partition("  if ")
        if condition:
            assert condition.endswith(", else 0"), text
            if not self._fresh(condition.removesuffix(", else 0")).conditions(env):
                return Fraction(0)
        reader = self._fresh(body)
        value = reader.sum_of_terms(env)
        assert reader.peek() == "", f"left over in {body!r} at {reader.position}"
        self.result = reader.result
        return value

    def _fresh(self, text: str) -> Reader:
        return Reader(self.tensors, self.sizes, self.defined, self.derivative, self.base, text)

    # ------------------------------------------------------------------ pieces

    def peek(self) -> str:
        match = _TOKEN.match(self.text, self.position)
        while match is not None and match[0].isspace():
            self.position = match.end()
            match = _TOKEN.match(self.text, self.position)
        assert match is not None or self.position == len(self.text), f"cannot read {self.text[self.position :]!r}"
        return match[0] if match else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        assert not wanted or token == wanted, f"{wanted!r} expected at {self.position} of {self.text!r}, got {token!r}"
        self.position += len(token)
        return token

    def sum_of_terms(self, env: Mapping[str, int]) -> Fraction:
        sign = 1
        if self.peek() == "−":
            self.take()
            sign = -1
        total = sign * self.term(env)
        while self.peek() in ("+", "−"):
            sign = 1 if self.take() == "+" else -1
            total += sign * self.term(env)
        return total

    def term(self, env: Mapping[str, int]) -> Fraction:
        value = self.factor(env)
        while True:
            token = self.peek()
            if token == "·":
                self.take()
                value *= self.factor(env)
            elif token == "/":
                self.take()
                value /= self.factor(env)
            elif token in ("(", "[", "∑", "⌊", "⌈", "∂") or (
                token[:1].isalpha() and token not in _WORDS - {"max", "min"}
            ):
                value *= self.factor(env)
            else:
                return value

    def factor(self, env: Mapping[str, int]) -> Fraction:
        token = self.take()
        if token.isdigit():
            return Fraction(int(token))
        if token == "∑":
            return self._sum(env)
        if token == "[":  # a bracket: 1 where its condition holds
            value = Fraction(int(self.conditions(env)))
            self.take("]")
            return value
        if token in ("⌊", "⌈"):
            inside = self.sum_of_terms(env)
            self.take("⌋" if token == "⌊" else "⌉")
            return Fraction(math.floor(inside) if token == "⌊" else math.ceil(inside))
        if token in ("rot180", "rev"):
            self.take("(")
            return self._correlation(env, backwards=True)
        if token == "(":
            if "⋆" in self.text:
                return self._correlation(env)
            inside = self.sum_of_terms(env)
            self.take(")")
            return inside
        if token in ("max", "min"):
            self.take("(")
            values = self._list(env, ")")
            return max(values) if token == "max" else min(values)
        if token == "∂":
            return self._derivative(env)
        if token in env:
            return Fraction(env[token])
        if token in self.sizes:
            return Fraction(self.sizes[token])
        assert token in self.tensors or token in self.defined, f"{token!r} in {self.text!r}"
        return self._entry(token, self._index(env, token))

    def _list(self, env: Mapping[str, int], end: str) -> list[Fraction]:
        values = [self.sum_of_terms(env)]
        while self.peek() == ",":
            self.take()
            values.append(self.sum_of_terms(env))
        self.take(end)
        return values

    def _index(self, env: Mapping[str, int], letter: str = "") -> tuple[Fraction, ...]:
        if letter in self.tensors and not self.tensors[letter].shape:
            return ()  # a single number, such as the bias of one channel
        self.take("[")
        return tuple(self._list(env, "]"))

    def _entry(self, letter: str, at: tuple[Fraction, ...]) -> Fraction:
        if letter in self.defined:
            places, text = self.defined[letter]
            return self.value(text, dict(zip(places, at, strict=True)))  # type: ignore[misc]
        if any(value.denominator != 1 for value in at):
            return Fraction(0)  # no integer index: there is no such entry
        return self.tensors[letter][tuple(int(value) for value in at)]

    def _sum(self, env: Mapping[str, int]) -> Fraction:
        self.take("(")
        name = self.take()
        self.take("=")
        low = self.sum_of_terms(env)
        self.take("…")
        high = self.sum_of_terms(env)
        self.take(")")
        begin, total = self.position, Fraction(0)
        for place in range(int(low), int(high) + 1):
            self.position = begin
            total += self.term({**env, name: place})
        if low > high:  # nothing to add up, but the text goes on behind the body
            self.position = begin
            self.term({**env, name: int(low)})
        return total

    def _derivative(self, env: Mapping[str, int]) -> Fraction:
        of = self.take()
        at = self._index(env, of)
        self.take("/")
        self.take("∂")
        by = self.take()
        place = self._index(env, by)
        if of == by:  # the derivative of an entry by another: nothing moves what lies outside the array
            inside = all(self.base <= v < self.base + n for v, n in zip(at, self.tensors[of].shape, strict=True))
            return Fraction(int(at == place and inside))
        return self.derivative.get(tuple(int(v) for v in (*at, *place)), Fraction(0))

    def conditions(self, env: Mapping[str, int]) -> bool:
        """Conditions joined by "and" or commas."""
        holds = self._condition(env)
        while self.peek() in ("and", ","):
            self.take()
            holds = self._condition(env) and holds
        return holds

    def _condition(self, env: Mapping[str, int]) -> bool:
        left, holds = self.sum_of_terms(env), True
        while self.peek() in ("≤", "≥", "=", "∣"):
            sign, right = self.take(), self.sum_of_terms(env)
            checks = {"≤": left <= right, "≥": left >= right, "=": left == right}
            holds = holds and (checks[sign] if sign != "∣" else (right / left).denominator == 1)
            left = right
        return holds

    # ------------------------------------------------------------------ whole arrays

    def _correlation(self, env: Mapping[str, int], *, backwards: bool = False) -> Fraction:
        """``(image ⋆[stride s, dilation d] kernel)[i, j]``: the sum over u of image[s*i + d*u] * kernel[u].

        There is an entry for every whole window, and no other. `backwards` for the result turned around.
        """
        image = self._array(env)
        self.take("⋆")
        notes: dict[str, list[int]] = {}
        if self.peek() == "[":
            self.take()
            while True:
                word = self.take()
                notes[word] = self._amounts(env)
                if self.take() == "]":
                    break
        kernel = self._array(env)
        self.take(")")
        at = [int(v) for v in self._index(env)]
        strides, dilations = self._each(notes.get("stride"), at), self._each(notes.get("dilation"), at)
        b, total = self.base, Fraction(0)
        spans = [d * (k - 1) + 1 for k, d in zip(kernel.shape, dilations, strict=True)]
        self.result = tuple((n - span) // s + 1 for n, span, s in zip(image.shape, spans, strides, strict=True))
        for p, n in zip(at, self.result, strict=True):
            assert b <= p < b + n, f"{self.text} has no entry {at}: its size is {self.result}"
        if backwards:
            at = [2 * b + n - 1 - p for p, n in zip(at, self.result, strict=True)]
        for tap, value in kernel.entries.items():
            place = [b + s * (o - b) + d * (t - b) for o, t, s, d in zip(at, tap, strides, dilations, strict=True)]
            assert all(b <= p < b + n for p, n in zip(place, image.shape, strict=True))
            total += image[tuple(place)] * value
        return total

    @staticmethod
    def _each(amounts: list[int] | None, axes: list[int]) -> list[int]:
        found = [1] if amounts is None else amounts
        return found * len(axes) if len(found) == 1 else found

    def _amounts(self, env: Mapping[str, int]) -> list[int]:
        """``2`` or ``(1, 2)``."""
        if self.peek() != "(":
            return [int(self.sum_of_terms(env))]
        begin = self.position
        self.take()
        found = [self.sum_of_terms(env)]
        if self.peek() != ",":  # a bracket of arithmetic, such as (O + 1)*2
            self.position = begin
            return [int(self.sum_of_terms(env))]
        while self.peek() == ",":
            self.take()
            found.append(self.sum_of_terms(env))
        self.take(")")
        return [int(value) for value in found]

    def _pairs(self, env: Mapping[str, int]) -> list[tuple[int, int]]:
        """``1``, ``1:0`` or ``(1:0, 2)``: the zeros before and after, one pair an axis."""
        begin = self.position
        if self.peek() == "(":
            self.take()
            found = [self._pair(env)]
            while self.peek() == ",":
                self.take()
                found.append(self._pair(env))
            if len(found) > 1 or self.text[self.position :].startswith(")]"):
                self.take(")")
                return found
            self.position = begin  # a bracket of arithmetic
        return [self._pair(env)]

    def _pair(self, env: Mapping[str, int]) -> tuple[int, int]:
        low = high = int(self.sum_of_terms(env))
        if self.peek() == ":":
            self.take()
            high = int(self.sum_of_terms(env))
        return low, high

    def _array(self, env: Mapping[str, int]) -> Tensor:
        word, b = self.take(), self.base
        if word == "ones":
            self.take("(")
            sizes = [int(self.sum_of_terms(env))]
            while self.peek() == "×":
                self.take()
                sizes.append(int(self.sum_of_terms(env)))
            self.take(")")
            entries = {at: Fraction(1) for at in product(*(range(b, b + n) for n in sizes))}
            return Tensor(entries, tuple(sizes), b)
        if word in ("pad", "up"):
            self.take("[")
            amounts = self._pairs(env) if word == "pad" else self._amounts(env)
            self.take("]")
            self.take("(")
            inner = self._array(env)
            self.take(")")
            each = amounts * len(inner.shape) if len(amounts) == 1 else amounts
            if word == "pad":
                shape = tuple(n + low + high for n, (low, high) in zip(inner.shape, each, strict=True))
                moved = {
                    tuple(p + low for p, (low, _) in zip(at, each, strict=True)): v for at, v in inner.entries.items()
                }
                kept = {at: v for at, v in moved.items() if all(b <= p < b + n for p, n in zip(at, shape, strict=True))}
                return Tensor(kept, shape, b)
            return Tensor(
                {tuple(b + s * (p - b) for p, s in zip(at, each, strict=True)): v for at, v in inner.entries.items()},
                tuple(s * (n - 1) + 1 for n, s in zip(inner.shape, each, strict=True)),
                b,
            )
        if word in ("rot180", "rev"):
            self.take("(")
            inner = self._array(env)
            self.take(")")
            turned = {
                tuple(2 * b + n - 1 - p for p, n in zip(at, inner.shape, strict=True)): v
                for at, v in inner.entries.items()
            }
            return Tensor(turned, inner.shape, b)
        return self.tensors[word.lower()]
