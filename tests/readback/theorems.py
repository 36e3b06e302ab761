"""Statements of theorems read from their print, and evaluated at small sizes by plain loops."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from random import Random
from typing import Any

from readback.arithmetic import Env, Point, UnreadableError, Value, whole
from readback.arrays import Array
from readback.reading import Reader
from readback.world import World

__all__ = ["Statement", "read_statement"]

LATE = -1  # of a condition on arrays
STEP = 1e-3
EDGE = 7  # how far an index without an end is followed
Holds = Callable[[Env], bool]


@dataclass
class Range:
    """An index with its ends, either of which may be missing."""

    name: str
    low: Value | None
    high: Value | None

    def values(self, env: Env) -> range:
        low = -EDGE if self.low is None else whole(self.low(env))
        high = max(low, 0) + EDGE if self.high is None else whole(self.high(env))
        return range(low, high + 1)


@dataclass
class Given:
    """An array that is quantified over."""

    name: str
    ranges: list[Range]
    nonnegative: bool


@dataclass
class Let:
    name: str
    names: list[str]
    text: str
    ranges: list[Range]


@dataclass
class Clause:
    ranges: list[Range]
    given: list[Holds]
    then: list[Holds]


def split(text: str, separator: str) -> list[str]:
    """The parts of a text at a separator outside of all brackets."""
    parts, depth, start = [], 0, 0
    for position, sign in enumerate(text):
        depth += (sign in "([{⌊⌈") - (sign in ")]}⌋⌉")
        if depth == 0 and text.startswith(separator, position) and position >= start:
            parts.append(text[start:position])
            start = position + len(separator)
    return [*parts, text[start:]]


@dataclass
class Statement:
    """What is printed of one part of a theorem: hypotheses and conclusion, line by line."""

    lines: Sequence[str]
    conclusions: Sequence[str]
    world: World = field(default_factory=lambda: World({}, base=0))
    integers: list[Range] = field(default_factory=list)
    reals: list[Range] = field(default_factory=list)
    arrays: list[Given] = field(default_factory=list)
    sizes: list[tuple[str, Value]] = field(default_factory=list)
    given: list[tuple[int, Holds]] = field(default_factory=list)
    lets: list[Let] = field(default_factory=list)
    clauses: list[Clause] = field(default_factory=list)

    # ------------------------------------------------------------------ reading

    def __post_init__(self) -> None:
        self.scope: frozenset[str] = frozenset()
        self.world.derivative = self._difference
        lines = [clean(line) for line in (*self.lines, *self.conclusions)]
        for line in lines:  # names come first, so that a formula may use what a later line defines
            self._declare(line)
        for line in lines:
            self._read(line)

    def _declare(self, line: str) -> None:
        match = re.match(r"(?:where |real )?([A-Za-z]\[?[₀-₉\d]*\]?′*)\[([^=]*?)\](?: ≥ 0)?(?: =| for)", line)
        if match and not line.startswith(("for ", "with ", "integers ")):
            letter, inside = match[1], match[2]
            names = inside.split(",") if "," in inside else re.findall(r"[a-z][₀-₉]*′*", inside)
            if line.startswith(("where ", "real ")):
                self.world.arrays[letter] = Array({}, (0,) * len(names), 0)

    def _read(self, line: str) -> None:
        if line.startswith("integers "):
            self._integers(line.removeprefix("integers "))
        elif line.startswith("real "):
            self._real(line.removeprefix("real "))
        elif line.startswith("with "):
            late = bool(self.arrays or self.lets)
            self.given.append((LATE if late else len(self.sizes), self._condition(line.removeprefix("with "))))
        elif line.startswith("where "):
            self._let(line.removeprefix("where "))
        elif line.startswith("for "):
            self._clause(line.removeprefix("for "))
        elif self._defines_size(line):
            name, _, value = line.partition(" = ")
            reader = self._reader(value)
            self.sizes.append((numbered(name), reader.end(reader.side())))
            self.scope = self.scope | {numbered(name)}
        else:
            self.clauses.append(Clause([], [], self._conjunction(line)))

    def _defines_size(self, line: str) -> bool:
        match = re.match(r"([A-Za-z](?:[₀-₉]|\[\d\])?′*) = ", line)
        return line in [clean(own) for own in self.lines] and bool(match)

    def _reader(self, text: str, names: Sequence[str] = ()) -> Reader:
        return Reader(self.world, text, self.scope | frozenset(names))

    def _integers(self, text: str) -> None:
        self.integers += self._ranges(text)

    def _ranges(self, text: str) -> list[Range]:
        """``I, K ≥ 1``, ``0 ≤ p ≤ O − 1``, ``every integer p, q``."""
        found: list[Range] = []
        pending: list[str] = []
        every = False
        for part in (p.strip() for p in split(text, ",")):
            if part.startswith("every integer "):
                every, part = True, part.removeprefix("every integer ")
            sides = [side.strip() for side in part.split("≤")]
            if len(sides) == 3:
                low, name, high = sides
                found.append(Range(numbered(name), self._value(low), self._value(high)))
                continue
            name, sign, low = part.partition("≥")
            pending.append(numbered(name.strip()))
            if sign or every:
                value = self._value(low) if sign else None
                found += [Range(own, value, None) for own in pending]
                pending = []
        if pending:
            raise UnreadableError(f"no range for {pending} in {text!r}")
        for entry in found:
            self.scope = self.scope | {entry.name}
        return found

    def _value(self, text: str) -> Value:
        reader = self._reader(text)
        return reader.end(reader.sum())

    def _real(self, text: str) -> None:
        if " for " not in text:
            name, _, low = text.partition(" ≥ ")
            self.reals.append(Range(numbered(name), self._value(low), None))
            self.scope = self.scope | {numbered(name)}
            return
        self.arrays.append(self._array(text))

    def _array(self, text: str) -> Given:
        """``a[i, j] ≥ 0 for 0 ≤ i ≤ I₁ − 1, 0 ≤ j ≤ I₂ − 1, else 0``."""
        head, _, ranges = text.partition(" for ")
        if not ranges.endswith(", else 0"):
            raise UnreadableError(f"where is {text!r} zero?")
        entry, sign, _ = head.partition(" ≥ 0")
        own, before = self._entry(entry), self.scope
        found = self._ranges(ranges.removesuffix(", else 0"))
        self.scope = before
        if [r.name for r in found] != own[1]:
            raise UnreadableError(f"other indices: {text!r}")
        self.world.arrays.setdefault(own[0], Array({}, (0,) * len(found), 0))
        return Given(own[0], found, bool(sign))

    def _entry(self, text: str) -> tuple[str, list[str]]:
        match = re.fullmatch(r"([A-Za-z](?:[₀-₉]|\[\d\])?′*)(?:\[(.*)\])?", text.strip())
        if match is None:
            raise UnreadableError(f"no entry: {text!r}")
        inside = match[2] or ""
        names = inside.split(",") if "," in inside else re.findall(r"[a-z](?:[₀-₉]|\[\d\])?′*", inside)
        return numbered(match[1]), [numbered(name.strip()) for name in names]

    def _let(self, text: str) -> None:
        left, _, right = text.partition(" = ")
        name, names = self._entry(left)
        ranges: list[Range] = []
        if names:
            right, _, where = right.rpartition(" for ")
            before = self.scope
            if where.startswith("all integers "):
                own = [numbered(n.strip()) for n in where.removeprefix("all integers ").split(",")]
                if own != names:
                    raise UnreadableError(f"other indices: {text!r}")
            elif where.endswith(", else 0"):
                ranges = self._ranges(where.removesuffix(", else 0"))
                if [r.name for r in ranges] != names:
                    raise UnreadableError(f"other indices: {text!r}")
            else:
                raise UnreadableError(f"for which indices? {text!r}")
            self.scope = before
        let = Let(name, names, right, ranges)
        self.world.arrays.pop(name, None)
        self.lets.append(let)
        self.world.entries[name] = self._entries_of(let)

    def _entries_of(self, let: Let) -> Callable[[tuple[Any, ...]], Any]:
        cache: list[Value] = []
        within: list[str] = []  # its name while it is worked out

        def entry(at: tuple[Any, ...]) -> Any:
            if len(at) != len(let.names):
                raise UnreadableError(f"{let.name} has {len(let.names)} indices, not {len(at)}")
            if not cache:
                cache.append(self._body_of(let))
            env = {**self.env, **dict(zip(let.names, at, strict=True))}
            if any(env[r.name] not in r.values(env) for r in let.ranges):
                return 0
            if within:
                raise UnreadableError(f"{let.name} is defined by itself")
            within.append(let.name)
            try:
                return cache[0](env)
            finally:
                within.pop()

        return entry

    def _body_of(self, let: Let) -> Value:
        """A definition may depend on what a clause ranges over, where it binds no index of that name itself."""
        bound = set(re.findall(r"∑\((\w[₀-₉]*) ?=", let.text)) | set(re.findall(r"≤ (\w[₀-₉]*) ≤", let.text))
        outer = {r.name for clause in self.clauses for r in clause.ranges} - set(map(numbered, bound))
        reader = Reader(self.world, let.text, frozenset(let.names) | self.scope | outer)
        return reader.end(reader.side())

    # ------------------------------------------------------------------ conditions

    def _conjunction(self, text: str) -> list[Holds]:
        left, equivalent, right = text.partition(" if and only if ")
        if equivalent and not _inside(text, text.index(" if and only if ")):
            one, two = self._all(left), self._all(right)
            return [lambda env: one(env) == two(env)]
        return [self._all(text)]

    def _all(self, text: str) -> Holds:
        parts = [self._condition(part.strip()) for part in split(text, " and ")]
        return lambda env: all(part(env) for part in parts)

    def _condition(self, text: str) -> Holds:
        if text.startswith("(for all "):
            return self._every(text.removeprefix("(for all ").removesuffix(")"))
        reader = self._reader(text)
        holds = reader.chain()
        if reader.peek():
            raise reader.refuse("left over")
        return holds

    def _every(self, text: str) -> Holds:
        head, _, then = text.partition(": ")
        before = self.scope
        if "[" in head.partition(" for ")[0]:
            array = self._array(head)
            inner = self._all(then)
            self.scope = before
            return lambda env: all(self._with(array, values, inner, env) for values in self._arrays(array, env))
        ranges = self._ranges(head)
        inner = self._all(then)
        self.scope = before
        return lambda env: all(inner(own) for own in points(ranges, env))

    def _arrays(self, array: Given, env: Env) -> Iterator[dict[Point, Any]]:
        """Arrays of one axis that a statement about all arrays is tried with: small ones, and steps from x."""
        (entry,) = array.ranges
        places = [(k,) for k in entry.values(env)]
        for values in product((-1, 0, 2), repeat=len(places)):
            yield dict(zip(places, map(Fraction, values), strict=True))
        if "x" in self.world.arrays:
            near = {at: self.world.arrays["x"].at(at) for at in places}
            for step in (-10, -1, 1, 10):
                yield from ({**near, at: near[at] + step} for at in places)
                yield {at: value + step for at, value in near.items()}

    def _with(self, array: Given, values: dict[Point, Any], inner: Holds, env: Env) -> bool:
        before = self.world.arrays[array.name].entries
        self.world.arrays[array.name].entries = values
        holds = inner(env)
        self.world.arrays[array.name].entries = before
        return holds

    def _clause(self, text: str) -> None:
        head, colon, then = text.partition(": ")
        if not colon:
            raise UnreadableError(f"for what? {text!r}")
        ranges, _, given = head.partition(" with ")
        before = self.scope
        own = self._ranges(ranges)
        conditions = [self._all(given)] if given else []
        self.clauses.append(Clause(own, conditions, self._conjunction(then)))
        self.scope = before

    # ------------------------------------------------------------------ evaluation

    env: Env = field(default_factory=dict)

    def _difference(self, of: str, at: Point, by: str, place: Point) -> Any:
        """One more in an entry, exact for what is affine in it; of what is no rational number, by five points."""
        entries = self.world.arrays[by].entries
        if place not in entries:
            raise UnreadableError(f"{by} has no entry {place}")
        here = entries[place]

        def moved(step: Any) -> Any:
            entries[place] = here + step
            found = self.world.entries[of](at)
            entries[place] = here
            return found

        difference = moved(1) - moved(0)
        if not isinstance(difference, float):
            return difference
        return (8 * (moved(STEP) - moved(-STEP)) - (moved(2 * STEP) - moved(-2 * STEP))) / (12 * STEP)

    def holds_at(self, random: Random) -> bool | None:
        """Whether what follows holds at random small numbers; None where the hypotheses do not, or nothing is said."""
        env: dict[str, Any] = {}
        try:
            for entry in (*self.integers, *self.reals):
                low = 0 if entry.low is None else entry.low(env)
                env[entry.name] = low + random.choice((0, 0, 1, 1, 2, 3))
                if entry.high is not None and env[entry.name] > entry.high(env):
                    return None
            if not self._suppose(env, 0):
                return None
            for position, (name, value) in enumerate(self.sizes, 1):
                env[name] = value(env)
                if not self._suppose(env, position):
                    return None
            for array in self.arrays:
                boxes = [r.values(env) for r in array.ranges]
                low = 0 if array.nonnegative else -2
                held = {at: Fraction(random.randint(low, 2)) for at in product(*boxes)}
                self.world.arrays[array.name] = Array(held, tuple(map(len, boxes)), 0)
            self.env = env
            if not self._suppose(env, LATE):
                return None
            return all(self._clause_holds(clause, env) for clause in self.clauses)
        except ZeroDivisionError:
            return None

    def _suppose(self, env: Env, position: int) -> bool:
        return all(condition(env) for at, condition in self.given if at == position)

    def _clause_holds(self, clause: Clause, env: Env) -> bool:
        for own in points(clause.ranges, env):
            self.env = own  # what is named may depend on what the clause ranges over
            if all(given(own) for given in clause.given) and not all(then(own) for then in clause.then):
                return False
        return True


def _inside(text: str, position: int) -> bool:
    return text[:position].count("(") != text[:position].count(")")


def points(ranges: Sequence[Range], env: Env) -> Iterator[Env]:
    if not ranges:
        yield env
        return
    first, *rest = ranges
    for value in first.values(env):
        yield from points(rest, {**env, first.name: value})


def numbered(name: str) -> str:
    """``I₁`` and ``I[1]`` as the reader calls them."""
    return re.sub(r"\[(\d)\]", r"\1", name.strip()).translate(str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789"))


def clean(line: str) -> str:
    """One space between signs: how wide a gap is means nothing."""
    line = re.sub(r"\s+", " ", line.strip())
    for sign in "=≤≥":
        line = re.sub(rf" ?{sign} ?", f" {sign} ", line)
    return re.sub(r" ?: ", ": ", line)


def read_statement(hypotheses: Sequence[str], conclusions: Sequence[str]) -> Statement:
    return Statement(hypotheses, conclusions)
