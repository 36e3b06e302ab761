"""A reader of printed formulas: their text becomes functions of the indices, evaluated by plain loops.

It knows sums, extrema over conditions, brackets, entries, quotients, powers, cases and correlations of whole arrays,
and imports nothing of symconv. What could be read in two ways is refused, such as ``1/KL``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from readback.arithmetic import (
    Env,
    UnreadableError,
    Value,
    divided,
    extremum,
    power,
    related,
    times,
    total,
    whole,
)
from readback.constructions import Constructions
from readback.world import World

__all__ = ["Reader"]

TOKEN = re.compile(
    r"(?P<word>argmax|argmin|first|max|min|pad|up|rot180|rev|ones|stride|dilation|sign|unfold|fold|vec|where|if|else|and|lim|ln)"
    r"(?![₀-₉A-Za-z\u0303\u0304])"
    r"|(?P<name>[A-Za-zα-ωΑ-Ω][\u0303\u0304]?[₀-₉]*′*)|(?P<number>[0-9]+)|(?P<sign>\S)"
)
SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
RELATIONS = ("≤", "≥", "=", "∣", "<", ">", "≠")


@dataclass
class Reader(Constructions):
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
        return (
            token in ("(", "∑", "⌊", "⌈", "[", "∂", "max", "min", "sign", "ln")
            or self.is_name(token)
            or token.isdigit()
        )

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
        if token == "ln":
            self.take()
            self.take("(")
            inside = self.sum()
            self.take(")")
            return lambda env: math.log(inside(env))
        if token == "e" and self.peek(1) == "^":
            self.take()
            return lambda env: math.e
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
        names: list[str] = []
        while self.is_name(self.peek()) or (self.peek().isdigit() and (names or len(self.peek()) == 1)):
            names += self.take() if self.peek().isdigit() else [self.take()]  # "f00" has three indices
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
