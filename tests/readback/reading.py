"""A reader of printed formulas: their text becomes functions of the indices, evaluated by plain loops.

It knows sums, extrema over conditions, brackets, entries, quotients, powers, cases and correlations of whole arrays,
and imports nothing of symconv. What could be read in two ways is refused, such as ``1/KL``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from typing import Any

__all__ = ["Array", "Reader", "UnreadableError", "World", "close"]

Env = Mapping[str, Any]
Value = Callable[[Env], Any]
Point = tuple[int, ...]

TOKEN = re.compile(
    r"(?P<word>argmax|argmin|first|max|min|pad|up|rot180|rev|ones|stride|dilation|sign|unfold|fold|vec|where|if|else|and|lim)"
    r"(?![₀-₉A-Za-z\u0303\u0304])"
    r"|(?P<name>[A-Za-zα-ωΑ-Ω][\u0303\u0304]?[₀-₉]*′*)|(?P<number>[0-9]+)|(?P<sign>\S)"
)
SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
RELATIONS = ("≤", "≥", "=", "∣", "<", ">", "≠")


class UnreadableError(AssertionError):
    """A text that the reader has no meaning for."""


def close(left: Any, right: Any) -> bool:
    """Equality: exact where both sides are, else to nine digits."""
    if isinstance(left, float) or isinstance(right, float):
        return left == right or abs(left - right) <= 1e-9 * max(1, abs(left), abs(right))
    return bool(left == right)


@dataclass
class Array:
    """Entries by index, zero outside its shape; `base` is the first index of every axis."""

    entries: dict[Point, Any]
    shape: Point
    base: int = 1

    def at(self, place: Sequence[Any]) -> Any:
        if any(Fraction(e).denominator != 1 for e in place):
            return 0  # there is no such entry
        return self.entries.get(tuple(int(e) for e in place), 0)

    def places(self) -> Iterator[Point]:
        return product(*(range(self.base, self.base + n) for n in self.shape))


@dataclass
class World:
    """What the names of a page stand for.

    Attributes:
        arrays: arrays by letter; their capitals are the whole arrays.
        numbers: sizes by name, such as "I1".
        entries: further entries by letter, such as those of a definition.
        derivative: ``(of, at, by, place) -> value`` for ``∂c[at]/∂a[place]``.
        sets: sets of points by letter, such as window sets.
        whole: arrays of a construction by name, such as ``fold``.
        base: the first index.
    """

    arrays: dict[str, Array]
    numbers: dict[str, Any] = field(default_factory=dict)
    entries: dict[str, Callable[[tuple[Any, ...]], Any]] = field(default_factory=dict)
    derivative: Callable[[str, Point, str, Point], Any] | None = None
    sets: dict[str, Callable[[Point], set[Point]]] = field(default_factory=dict)
    whole: dict[str, Callable[[Array], Array]] = field(default_factory=dict)
    base: int = 1
    used: set[str] = field(default_factory=set)

    def arity(self, name: str) -> int | None:
        """The number of indices of an entry; None for what has any number."""
        return len(self.arrays[name].shape) if name in self.arrays else None

    def is_indexed(self, name: str) -> bool:
        return name in self.arrays or name in self.entries or name in self.sets


@dataclass
class Reader:
    """Reads one formula, in a world and with these free indices."""

    world: World
    text: str
    scope: frozenset[str] = frozenset()
    tokens: list[str] = field(init=False)
    attached: list[bool] = field(init=False)
    position: int = 0
    open_bars: int = 0

    def __post_init__(self) -> None:
        self.tokens, self.attached, end = [], [], -1
        for match in TOKEN.finditer(self.text):
            self.tokens.append(match[0].translate(SUBSCRIPTS))
            self.attached.append(match.start() == end)
            end = match.end()

    # ------------------------------------------------------------------ tokens

    def peek(self, ahead: int = 0) -> str:
        place = self.position + ahead
        return self.tokens[place] if place < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise UnreadableError(
                f"{wanted or 'more'!r} expected, {token!r} found, at {self.position} of {self.text!r}"
            )
        self.position += 1
        return token

    def refuse(self, why: str) -> UnreadableError:
        return UnreadableError(f"{why}: {' '.join(self.tokens[self.position :])!r} of {self.text!r}")

    def is_name(self, token: str) -> bool:
        match = TOKEN.match(token)
        return match is not None and match.lastgroup == "name"

    def end(self, value: Value) -> Value:
        if self.peek():
            raise self.refuse("left over")
        return value

    # ------------------------------------------------------------------ whole lines

    def side(self) -> Value:
        """A right-hand side, with its cases."""
        value = self.sum()
        if self.peek() == "if":
            self.take()
            condition = self.conditions()
            self.take(",")
            self.take("else")
            self.take("0")
            whole = value
            value = lambda env: whole(env) if condition(env) else 0  # noqa: E731
        return value

    def conditions(self) -> Callable[[Env], bool]:
        """Conditions joined by "and" or commas."""
        found = [self.chain()]
        while self.peek() == "and" or (self.peek() == "," and self.peek(1) not in ("else", "")):
            self.take()
            found.append(self.chain())
        return lambda env: all(condition(env) for condition in found)

    def chain(self) -> Callable[[Env], bool]:
        """``a ≤ b ≤ c``."""
        sides, signs = [self.sum()], []
        while self.peek() in RELATIONS:
            signs.append(self.take())
            sides.append(self.sum())
        if not signs:
            raise self.refuse("no relation")
        return lambda env: all(
            related(a(env), sign, b(env)) for a, sign, b in zip(sides, signs, sides[1:], strict=False)
        )

    # ------------------------------------------------------------------ arithmetic

    def sum(self) -> Value:
        parts, sign = [], 1
        if self.peek() in ("−", "+"):
            sign = -1 if self.take() == "−" else 1
        parts.append((sign, self.term()))
        while self.peek() in ("+", "−"):
            sign = 1 if self.take() == "+" else -1
            if self.peek() in ("+", "−"):
                raise self.refuse("two signs in a row")
            parts.append((sign, self.term()))
        if len(parts) == 1 and parts[0][0] == 1:
            return parts[0][1]
        return lambda env: total(s * part(env) for s, part in parts)

    def term(self) -> Value:
        value, over = self.factor(), False
        while True:
            token = self.peek()
            if token == "·":
                self.take()
                value, over = times(value, self.factor()), False
            elif token == "/":
                self.take()
                if over:
                    raise self.refuse("a quotient of a quotient")
                value, over = divided(value, self.factor()), True
            elif self.starts_factor(token):
                if over and token not in ("∑", "["):
                    raise self.refuse("a product below a stroke without brackets")
                value = times(value, self.factor())
            else:
                return value

    def starts_factor(self, token: str) -> bool:
        if token == "|":
            return self.open_bars == 0
        return token in ("(", "∑", "⌊", "⌈", "[", "∂", "max", "min", "sign") or self.is_name(token) or token.isdigit()

    def factor(self) -> Value:
        value = self.atom()
        if self.peek() == "^":
            self.take()
            exponent = self.atom()
            return lambda env: power(value(env), exponent(env))
        return value

    def atom(self) -> Value:
        token = self.peek()
        if token.isdigit():
            number = int(self.take())
            return lambda env: number
        if token == "(":
            return self._bracketed()
        if token == "|":
            self.take()
            return self._bars()
        if token in ("⌊", "⌈"):
            self.take()
            inside = self.sum()
            self.take("⌋" if token == "⌊" else "⌉")
            return lambda env: math.floor(inside(env)) if token == "⌊" else math.ceil(inside(env))
        if token == "∑":
            self.take()
            return self._sum()
        if token in ("max", "min"):
            self.take()
            return self._extremum(token)
        if token == "[":
            return self._iverson()
        if token == "#":
            return self._count()
        if token == "∂":
            return self._derivative()
        if token == "sign":
            self.take()
            self.take("(")
            inside = self.sum()
            self.take(")")
            return lambda env: (inside(env) > 0) - (inside(env) < 0)
        if token in ("rot180", "rev"):
            return self._entry_of(self.correlated())
        if token in ("fold", "unfold", "vec"):
            return self._entry_of(self.array())
        if self.is_name(token):
            return self._name(self.take())
        raise self.refuse("no factor")

    def _bracketed(self) -> Value:
        if self._has_star():
            return self._entry_of(self.correlated())
        self.take("(")
        inside = self.sum()
        self.take(")")
        return inside

    def _has_star(self) -> bool:
        depth = 0
        for token in self.tokens[self.position :]:
            depth += (token in "([") - (token in ")]")
            if token == "⋆":
                return True
            if depth == 0:
                return False
        return False

    def _bars(self) -> Value:
        """An absolute value, or the number of points of a set."""
        if self.peek() in self.world.sets:
            name = self.take()
            self.world.used.add(name)
            at = self.index(name)
            self.take("|")
            return lambda env: len(self.world.sets[name](at(env)))
        self.open_bars += 1
        inside = self.sum()
        self.open_bars -= 1
        self.take("|")
        return lambda env: abs(inside(env))

    # ------------------------------------------------------------------ names and entries

    def _name(self, name: str) -> Value:
        self.world.used.add(name)
        if name not in self.scope and not self.world.is_indexed(name) and self._is_numbered():
            self.take("[")
            name += self.take()
            self.take("]")
            while self.peek() == "′":
                name += self.take()
        if name in self.scope:
            return lambda env: env[name]
        if name in self.world.numbers and not (self._opens_index() and self.world.is_indexed(name)):
            number = self.world.numbers[name]
            return lambda env: number
        if self.world.is_indexed(name):
            at = self.index(name)
            if name in self.world.arrays:
                return lambda env: self.world.arrays[name].at(at(env))
            entry = self.world.entries[name]
            return lambda env: entry(at(env))
        raise self.refuse(f"what is {name!r}")

    def _is_numbered(self) -> bool:
        return self._opens_index() and self.peek(1).isdigit() and self.peek(2) == "]"

    def _opens_index(self) -> bool:
        return self.peek() == "[" and self.attached[self.position]

    def index(self, name: str = "") -> Callable[[Env], tuple[Any, ...]]:
        """``[p, q]``, or ``[pq]`` where the letter has two indices."""
        arity = self.world.arity(name)
        if arity == 0 or not self._opens_index():
            if arity not in (0, None):
                raise self.refuse(f"{name} without an index")
            return lambda env: ()
        self.take("[")
        begin = self.position
        names = []
        while self.is_name(self.peek()) or (len(self.peek()) == 1 and self.peek().isdigit()):
            names.append(self.take())
        if self.peek() == "]" and len(names) > 1 and arity in (None, len(names)):
            self.take()  # juxtaposed, as in LaTeX
            for letter in names:
                if letter not in self.scope and not letter.isdigit() and letter not in self.world.numbers:
                    raise self.refuse(f"what is the index {letter!r}")
            self.world.used.update(names)
            env_of = [self._index_name(letter) for letter in names]
            return lambda env: tuple(part(env) for part in env_of)
        self.position = begin
        digits = self.peek()
        if arity is not None and arity > 1 and digits.isdigit() and len(digits) == arity and self.peek(1) == "]":
            self.position += 2  # juxtaposed digits
            return lambda env: tuple(map(int, digits))
        parts = [self.sum()]
        while self.peek() == ",":
            self.take()
            parts.append(self.sum())
        self.take("]")
        if arity is not None and arity != len(parts):
            raise self.refuse(f"{name} has {arity} indices")
        return lambda env: tuple(part(env) for part in parts)

    def _index_name(self, letter: str) -> Value:
        if letter.isdigit():
            return lambda env: int(letter)
        if letter in self.scope:
            return lambda env: env[letter]
        return lambda env: self.world.numbers[letter]

    # ------------------------------------------------------------------ sums, extrema, brackets

    def inner(self, names: Sequence[str]) -> frozenset[str]:
        clash = self.scope & set(names)
        if clash:
            raise self.refuse(f"{clash} bound twice")
        return self.scope | set(names)

    def within(self, names: Sequence[str], read: Callable[[], Any]) -> Any:
        before = self.scope
        self.scope = self.inner(names)
        found = read()
        self.scope = before
        return found

    def _sum(self) -> Value:
        self.take("(")
        names, points = self.range()
        self.take(")")
        body = self.within(names, self.term)
        return lambda env: total(body(inner) for inner in points(env))

    def range(self) -> tuple[list[str], Callable[[Env], Iterator[Env]]]:
        """``m = 1 … K``, ``m ∈ S[p]``, ``(m, n) ∈ S[p, q]``."""
        if self.peek() == "(" or self.peek(1) == "∈":
            return self._membership()
        name = self.take()
        self.take("=")
        low = self.sum()
        self.take("…")
        high = self.sum()
        return [name], lambda env: ({**env, name: value} for value in range(whole(low(env)), whole(high(env)) + 1))

    def _membership(self) -> tuple[list[str], Callable[[Env], Iterator[Env]]]:
        names = self.names()
        self.take("∈")
        of = self.take()
        self.world.used.add(of)
        if of not in self.world.sets:
            raise self.refuse(f"what is the set {of!r}")
        at = self.index(of)
        points = self.world.sets[of]
        return names, lambda env: ({**env, **dict(zip(names, point, strict=True))} for point in points(at(env)))

    def names(self) -> list[str]:
        """``m`` or ``(m, n)``."""
        if self.peek() != "(":
            return [self.take()]
        self.take("(")
        found = [self.take()]
        while self.peek() == ",":
            self.take()
            found.append(self.take())
        self.take(")")
        return found

    def _extremum(self, kind: str) -> Value:
        begin = self.position
        self.take("(")
        if self.peek() == "(" or self.peek(1) == "∈":
            try:
                names, points = self.range()
                self.take(")")
            except UnreadableError:
                self.position = begin + 1
            else:
                body = self.within(names, self.term)
                return lambda env: extremum(kind, [body(inner) for inner in points(env)])
        depth, relation = 1, False
        for token in self.tokens[self.position :]:
            depth += (token in "([") - (token in ")]")
            relation = relation or (depth == 1 and token in RELATIONS)
            if depth == 0:
                break
        if not relation:
            values = [self.sum()]
            while self.peek() == ",":
                self.take()
                values.append(self.sum())
            self.take(")")
            pick = max if kind == "max" else min
            return lambda env: pick(value(env) for value in values)
        names, points = self.places()
        self.take(")")
        body = self.within(names, self.term)
        return lambda env: extremum(kind, [body(inner) for inner in points(env)])

    def places(self, kept: Sequence[str] = ()) -> tuple[list[str], Callable[[Env], Iterator[Env]]]:
        """Indices in their ranges under conditions: ``1 ≤ m ≤ K, 5 ≤ 2p + m ≤ I``; up to the closing bracket.

        A chain whose middle is a letter that nothing stands for yet, or one of `kept`, binds it.
        """
        bound: list[tuple[str, Value, Value]] = []
        guards: list[Callable[[Env], bool]] = []
        before = self.scope
        missing = list(kept)
        while True:
            begin = self.position
            triple = self._binder(missing)
            if triple is not None:
                bound.append(triple)
                missing = [name for name in missing if name != triple[0]]
                self.scope = self.scope | {triple[0]}
            else:
                self.position = begin
                guards.append(self.chain())
            if self.peek() != ",":
                break
            self.take()
        self.scope = before
        if missing:
            raise self.refuse(f"no range for {missing}")
        names = [name for name, _, _ in bound]

        def points(env: Env) -> Iterator[Env]:
            for inner in _boxes(bound, env):
                if all(guard(inner) for guard in guards):
                    yield inner

        return names, points

    def _binder(self, missing: Sequence[str]) -> tuple[str, Value, Value] | None:
        try:
            low = self.sum()
        except UnreadableError:
            return None
        name = self.peek(1)
        known = name in self.scope or name in self.world.numbers or self.world.is_indexed(name)
        if self.peek() != "≤" or not self.is_name(name) or self.peek(2) != "≤" or (known and name not in missing):
            return None
        self.take()
        self.take()
        self.take()
        return name, low, self.sum()

    def _iverson(self) -> Value:
        """A bracket: 1 where its conditions hold, or where a place is the first of the best ones."""
        self.take("[")
        if "first" in self.tokens[self.position : self.tokens.index("]", self.position)]:
            return self._first()
        condition = self.conditions()
        self.take("]")
        return lambda env: int(condition(env))

    def _first(self) -> Value:
        """``[(i, j) = first argmax(...) a[m, n]]``."""
        bracketed = self.peek() == "("
        if bracketed:
            self.take()
        where = [self.sum()]
        while bracketed and self.peek() == ",":
            self.take()
            where.append(self.sum())
        if bracketed:
            self.take(")")
        self.take("=")
        self.take("first")
        kind = self.take()
        self.take("(")
        names, points = self.places()
        self.take(")")
        body = self.within(names, self.term)
        self.take("]")

        def value(env: Env) -> int:
            found = [(body(inner), tuple(inner[name] for name in names)) for inner in points(env)]
            best = (max if kind == "argmax" else min)((v for v, _ in found), default=None)
            first = next((at for v, at in found if v == best), None)
            return int(first == tuple(part(env) for part in where))

        return value

    def _count(self) -> Value:
        """``#{p ≥ 1 : ...}``, ``#{p : 0 ≤ p ≤ 2I}``: how many there are."""
        self.take("#")
        self.take("{")
        name = self.take()
        if self.peek() == "≥":
            self.take()
            low = self.sum()
            self.take(":")
            condition = self.within([name], self.conditions)
            self.take("}")
            return lambda env: _counted(name, whole(low(env)), condition, env)
        self.take(":")
        _, points = self.places([name])
        self.take("}")
        return lambda env: sum(1 for _ in points(env))

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


# --- arithmetic ------------------------------------------------------------------------------------------------------


def whole(value: Any) -> int:
    if Fraction(value).denominator != 1:
        raise UnreadableError(f"{value} is no integer")
    return int(value)


def total(values: Iterator[Any]) -> Any:
    found: Any = 0
    for value in values:
        found = found + value
    return found


def times(left: Value, right: Value) -> Value:
    def value(env: Env) -> Any:
        first = left(env)
        return 0 if first == 0 and not isinstance(first, float) else first * right(env)

    return value


def divided(left: Value, right: Value) -> Value:
    def value(env: Env) -> Any:
        top, bottom = left(env), right(env)
        if isinstance(top, float) or isinstance(bottom, float):
            return top / bottom
        return Fraction(top) / Fraction(bottom)

    return value


def power(base: Any, exponent: Any) -> Any:
    if Fraction(exponent).denominator == 1 and not isinstance(base, float):
        return Fraction(base) ** int(exponent)
    return float(base) ** float(exponent)


def related(left: Any, sign: str, right: Any) -> bool:
    if sign == "∣":
        return Fraction(right, left).denominator == 1
    if sign == "=":
        return close(left, right)
    if sign == "≠":
        return not close(left, right)
    slack = 1e-9 if isinstance(left, float) or isinstance(right, float) else 0
    return {"≤": left <= right + slack, "≥": left + slack >= right, "<": left < right, ">": left > right}[sign]


def extremum(kind: str, values: list[Any]) -> Any:
    if not values:
        return -math.inf if kind == "max" else math.inf
    return max(values) if kind == "max" else min(values)


def _boxes(bound: Sequence[tuple[str, Value, Value]], env: Env) -> Iterator[Env]:
    if not bound:
        yield env
        return
    (name, low, high), *rest = bound
    for value in range(whole(low(env)), whole(high(env)) + 1):
        yield from _boxes(rest, {**env, name: value})


def _counted(name: str, low: int, condition: Callable[[Env], bool], env: Env) -> int:
    """How many integers from `low` on satisfy a condition that holds on a stretch from its beginning."""
    found, limit = 0, 200
    for value in range(low, low + limit):
        found += condition({**env, name: value})
    assert not condition({**env, name: low + limit}), "no end"
    return found


# --- arrays ----------------------------------------------------------------------------------------------------------


def filled(sizes: Sequence[int], base: int) -> Array:
    return Array(dict.fromkeys(product(*(range(base, base + n) for n in sizes)), 1), tuple(sizes), base)


def _each(amounts: Sequence[Any], ndim: int) -> list[Any]:
    return list(amounts) * ndim if len(amounts) == 1 else list(amounts)


def padded(inner: Array, pads: Sequence[tuple[int, int]]) -> Array:
    each, b = _each(pads, len(inner.shape)), inner.base
    shape = tuple(n + low + high for n, (low, high) in zip(inner.shape, each, strict=True))
    moved = {tuple(p + low for p, (low, _) in zip(at, each, strict=True)): v for at, v in inner.entries.items()}
    kept = {at: v for at, v in moved.items() if all(b <= p < b + n for p, n in zip(at, shape, strict=True))}
    return Array(kept, shape, b)


def spread(inner: Array, scales: Sequence[int]) -> Array:
    each, b = _each(scales, len(inner.shape)), inner.base
    entries = {tuple(b + s * (p - b) for p, s in zip(at, each, strict=True)): v for at, v in inner.entries.items()}
    return Array(entries, tuple(s * (n - 1) + 1 for n, s in zip(inner.shape, each, strict=True)), b)


def around(inner: Array) -> Array:
    b = inner.base
    turned = {
        tuple(2 * b + n - 1 - p for p, n in zip(at, inner.shape, strict=True)): v for at, v in inner.entries.items()
    }
    return Array(turned, inner.shape, b)


def slide(image: Array, kernel: Array, strides: Sequence[int], dilations: Sequence[int]) -> Array:
    """An entry for every whole window of the image: the sum over u of image[s*i + d*u] * kernel[u]."""
    ndim, b = len(image.shape), image.base
    s, d = _each(strides, ndim), _each(dilations, ndim)
    spans = [e * (k - 1) + 1 for k, e in zip(kernel.shape, d, strict=True)]
    shape = tuple(max(0, (n - span) // e + 1) for n, span, e in zip(image.shape, spans, s, strict=True))
    result = Array({}, shape, b)
    for at in result.places():
        value: Any = 0
        for tap, weight in kernel.entries.items():
            place = [b + e * (o - b) + f * (t - b) for o, t, e, f in zip(at, tap, s, d, strict=True)]
            assert all(b <= p < b + n for p, n in zip(place, image.shape, strict=True))
            value = value + image.at(place) * weight
        result.entries[at] = value
    return result
