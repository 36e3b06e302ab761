"""Random claims in the text language, and a judge of them that shares nothing with symconv.

A claim starts as an identity that holds for a layer, and then, in most cases, one of its tokens is changed: a number,
a sign, a letter, a word. Whether what results is still true is not known beforehand: the judge parses the text with
Python's own grammar, walks the tree (nothing is run), and works out both sides in loops, with random numbers.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise, product
from random import Random
from typing import Any, Literal

Point = tuple[int, ...]


class MeaninglessError(Exception):
    """A claim that says nothing: an unknown name, a division by zero, a wrong number of indices."""


class UndefinedError(MeaninglessError):
    """A place without a value: a division by zero, an array without entries."""


@dataclass(frozen=True)
class Layer:
    """A convolution layer with the same options on every axis."""

    axes: int = 1
    size: int = 5
    kernel: int = 3
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    flip: bool = False

    @property
    def outputs(self) -> int:
        """The number of places of the window on an axis, by placing it."""
        span = self.dilation * (self.kernel - 1) + 1
        return sum(1 for start in range(0, self.size + 2 * self.padding - span + 1, self.stride))

    def tap(self, output: int, tap: int) -> int:
        """The input that a tap of an output reads, all counted from 0."""
        place = self.kernel - 1 - tap if self.flip else tap
        return self.stride * output + self.dilation * place - self.padding

    def extents(self) -> dict[str, int]:
        return {"a": self.size, "b": self.kernel, "c": self.outputs, "g": self.outputs}


@dataclass
class World:
    """A layer with numbers in its tensors.

    Attributes:
        layer: the layer.
        tensors: entries by letter and index, zero elsewhere; the output's follow from them.
    """

    layer: Layer
    tensors: dict[str, dict[Point, Fraction]]
    base: int = 1
    links: list[tuple[Point, Point, Point]] = field(default_factory=list)

    def __post_init__(self) -> None:
        layer, b = self.layer, self.base
        axis = [
            (p + b, layer.tap(p, m) + b, m + b)
            for p in range(layer.outputs)
            for m in range(layer.kernel)
            if 0 <= layer.tap(p, m) < layer.size
        ]
        self.links = [tuple(zip(*row, strict=True)) for row in product(axis, repeat=layer.axes)]  # type: ignore[misc]
        outputs: dict[Point, Fraction] = {}
        for p, i, m in self.links:
            outputs[p] = outputs.get(p, Fraction(0)) + self.read("a", i) * self.read("b", m)
        self.tensors["c"] = outputs

    @staticmethod
    def random(layer: Layer, random: Random) -> World:
        tensors = {
            letter: {
                at: Fraction(random.randint(-(10**6), 10**6)) for at in product(range(1, n + 1), repeat=layer.axes)
            }
            for letter, n in layer.extents().items()
            if letter != "c"
        }
        return World(layer, tensors)

    def read(self, letter: str, at: Point) -> Fraction:
        return self.tensors[letter].get(at, Fraction(0))

    def exists(self, letter: str, at: Point, padded: bool = False) -> bool:
        n = self.layer.extents()[letter]
        wide = self.layer.padding if padded and letter == "a" else 0
        return all(self.base - wide <= place < self.base + n + wide for place in at)

    def derivative(self, of: str, at: Point, by: str, place: Point) -> Fraction:
        """The derivative of an entry, or of the error, by an entry; 0 by one that there is not."""
        if of == "E" and by == "c":
            return self.read("g", place)
        if not self.exists(by, place):
            return Fraction(0)
        if of == "E":
            outputs = product(range(self.base, self.base + self.layer.outputs), repeat=self.layer.axes)
            return sum((self.read("g", p) * self.derivative("c", p, by, place) for p in outputs), Fraction(0))
        if of != "c":
            return Fraction(int(of == by and at == place))
        total = Fraction(0)
        for p, i, m in self.links:
            if p == at and (i if by == "a" else m) == place:
                total += self.read("b", m) if by == "a" else self.read("a", i)
        return total


def power(base: Fraction, exponent: Fraction) -> Fraction:
    """A power with a whole exponent; 0 has none that is not positive."""
    if exponent.denominator != 1:
        raise MeaninglessError("a root")
    if base == 0 and exponent <= 0:
        raise UndefinedError("a power of 0")
    return base**exponent.numerator


# ---------------------------------------------------------------------- arrays


@dataclass
class Table:
    """A whole array, indices from 1."""

    entries: dict[Point, Fraction]
    shape: Point

    def __getitem__(self, at: Point) -> Fraction:
        return self.entries.get(at, Fraction(0))


def correlate(image: Table, kernel: Table, turned: bool) -> Table:
    if len(image.shape) != len(kernel.shape):
        raise MeaninglessError("axes")
    shape = tuple(n - k + 1 for n, k in zip(image.shape, kernel.shape, strict=True))
    if min(shape) < 1:
        raise UndefinedError("a kernel larger than the array")
    entries = {}
    for at in product(*(range(1, n + 1) for n in shape)):
        total = Fraction(0)
        for tap in product(*(range(1, k + 1) for k in kernel.shape)):
            place = tuple(k + 1 - t if turned else t for k, t in zip(kernel.shape, tap, strict=True))
            total += image[tuple(i + t - 1 for i, t in zip(at, place, strict=True))] * kernel[tap]
        entries[at] = total
    return Table(entries, shape)


# ---------------------------------------------------------------------- the judge


@dataclass(frozen=True)
class Missing:
    """An entry that is read and does not exist; `free` where its index holds a free index of the line."""

    letter: str
    at: Point
    free: bool


@dataclass(frozen=True)
class Place:
    """One value of the free indices: both sides, entries that are missing read as 0."""

    env: Mapping[str, int]
    left: Any
    right: Any
    missing: tuple[Missing, ...]
    defined: bool

    @property
    def differs(self) -> bool:
        """Whether both sides have a value and are not the same."""
        if not self.defined or not isinstance(self.left, tuple):
            return self.defined and self.left != self.right
        (one, mine), (two, theirs) = self.left, self.right
        return bool(one != two or any(mine.get(at, 0) != theirs.get(at, 0) for at in {*mine, *theirs}))


class Judge:
    """Works out a claim in a world; free indices run over declared ranges."""

    def __init__(self, world: World, indices: Mapping[str, str]) -> None:
        self.world = world
        layer = world.layer
        self.sizes = {"I": layer.size, "K": layer.kernel, "O": layer.outputs}
        self.sizes |= {"S": layer.stride, "P": layer.padding, "D": layer.dilation}
        roles = {"input": layer.size, "weight": layer.kernel, "output": layer.outputs}
        self.ranges = {name: roles[place.split()[0]] for name, place in indices.items()}
        self.missing: list[Missing] = []
        self.bound: list[str] = []

    def places(self, text: str) -> Iterator[Place]:
        """Both sides at every value of the free indices, and what is missing or undefined there."""
        tree = ast.parse(f"({text})", mode="eval").body
        if not isinstance(tree, ast.Compare) or not all(isinstance(op, ast.Eq) for op in tree.ops):
            raise MeaninglessError("no equation")
        parts = [tree.left, *tree.comparators]
        if any(self.is_array(part) for part in parts):
            try:
                left, right = (self.array(part) for part in parts)
            except UndefinedError:
                yield Place({}, None, None, (), False)
            else:
                yield Place({}, (left.shape, left.entries), (right.shape, right.entries), (), True)
            return
        free = sorted(set().union(*(self.free(part, frozenset()) for part in parts)))
        if any(name not in self.ranges for name in free):
            raise MeaninglessError("a range")
        for values in product(*(range(1, self.ranges[name] + 1) for name in free)):
            env = dict(zip(free, values, strict=True))
            self.missing = []
            sides: list[Any] = []
            for part in parts:
                try:
                    sides.append(self.value(part, env))
                except UndefinedError:
                    sides.append(None)
            for one, two in pairwise(sides):
                yield Place(env, one, two, tuple(self.missing), None not in (one, two))

    def is_array(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Name):
            return node.id in "ABCG"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "diff":
                return isinstance(node.args[1], ast.Name)
            return node.func.id in ("corr", "conv", "pad", "rot180", "ones")
        return False

    def free(self, node: ast.AST, bound: frozenset[str]) -> set[str]:
        if isinstance(node, ast.Name):
            known = {*self.sizes, "E", "size", *"ABCG"}
            return set() if node.id in bound or node.id in known else {node.id}
        if isinstance(node, ast.Subscript):
            return self.free(node.slice, bound)
        if isinstance(node, ast.Call):
            name = self.name_of(node)
            if name in ("sum", "max"):
                found: set[str] = set()
                for over in node.args[1:]:
                    assert isinstance(over, ast.Tuple)
                    variable, low, high = over.elts
                    assert isinstance(variable, ast.Name)
                    found |= self.free(low, bound) | self.free(high, bound)
                    bound |= {variable.id}
                return found | self.free(node.args[0], bound)
            return set().union(*(self.free(arg, bound) for arg in node.args))
        return set().union(*(self.free(child, bound) for child in ast.iter_child_nodes(node)))

    @staticmethod
    def name_of(node: ast.Call) -> str:
        if not isinstance(node.func, ast.Name):
            raise MeaninglessError("a call")
        return node.func.id

    def value(self, node: ast.AST, env: Mapping[str, int]) -> Fraction:
        match node:
            case ast.Constant(value=int() as number):
                return Fraction(number)
            case ast.Name(id="size"):
                return Fraction(self.world.layer.outputs)
            case ast.Name(id=name):
                if name in self.sizes:
                    return Fraction(self.sizes[name])
                if name not in env:
                    raise MeaninglessError(name)
                return Fraction(env[name])
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.value(operand, env)
            case ast.BinOp(left=left, op=op, right=right):
                one, two = self.value(left, env), self.value(right, env)
                if isinstance(op, ast.Div):
                    if two == 0:
                        raise UndefinedError("0")
                    return one / two
                if isinstance(op, ast.Pow):
                    return power(one, two)
                if isinstance(op, ast.Mod):
                    if two == 0:
                        raise UndefinedError("0")
                    return one % two
                signs: list[tuple[type, Callable[[Fraction, Fraction], Fraction]]] = [
                    (ast.Add, lambda x, y: x + y), (ast.Sub, lambda x, y: x - y), (ast.Mult, lambda x, y: x * y),
                ]  # fmt: skip
                for kind, work in signs:
                    if isinstance(op, kind):
                        return work(one, two)
                raise MeaninglessError("an operator")
            case ast.Subscript(value=ast.Name(id=letter)):
                at = self.index(node, env)
                self.note(self.letter(letter), at, node, env)
                return self.world.read(letter, at)
            case ast.Call():
                return self.call(node, env)
        raise MeaninglessError(ast.dump(node))

    def letter(self, letter: str) -> str:
        if letter not in self.world.tensors:
            raise MeaninglessError(letter)
        return letter

    def note(self, letter: str, at: Point, node: ast.AST, env: Mapping[str, int]) -> None:
        """Remember an entry that does not exist; the input may be read in its padding."""
        if not self.world.exists(letter, at, padded=True):
            names = {part.id for part in ast.walk(node.slice) if isinstance(part, ast.Name)}  # type: ignore[attr-defined]
            free = names & self.ranges.keys() - set(self.bound)
            self.missing.append(Missing(letter, at, any(self.moves(node, name, env) for name in free)))

    def moves(self, node: ast.AST, name: str, env: Mapping[str, int]) -> bool:
        """Whether an index depends on a letter, which it does not where it cancels: b[p-p+3] is b[3]."""
        here = self.index(node, env)
        for step in (1, 2, 1009):
            try:
                if self.index(node, {**env, name: env[name] + step}) != here:
                    return True
            except UndefinedError:
                return True
        return False

    def index(self, node: ast.AST, env: Mapping[str, int]) -> Point:
        assert isinstance(node, ast.Subscript)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        values = [self.value(part, env) for part in parts]
        if len(values) != self.world.layer.axes or any(v.denominator != 1 for v in values):
            raise MeaninglessError("an index")
        return tuple(int(v) for v in values)

    def call(self, node: ast.Call, env: Mapping[str, int]) -> Fraction:
        name, args = self.name_of(node), node.args
        if name in ("floor", "ceil"):
            inside = self.value(args[0], env)
            return Fraction(math.floor(inside) if name == "floor" else math.ceil(inside))
        if name == "sum":
            return self.sum(args[0], args[1:], dict(env))
        if name == "max":
            values = list(self.terms(args[0], args[1:], dict(env)))
            if not values:
                raise UndefinedError("a maximum over nothing")
            return max(values)
        if name == "cases":
            for row in args:
                assert isinstance(row, ast.Tuple)
                if all(self.holds(condition, env) for condition in row.elts[1:]):
                    return self.value(row.elts[0], env)
            raise UndefinedError("no case")
        if name == "diff":
            of, by = args
            if not isinstance(by, ast.Subscript) or not isinstance(by.value, ast.Name) or by.value.id not in "abc":
                raise MeaninglessError("by")
            place = self.index(by, env)
            self.note(by.value.id, place, by, env)
            if isinstance(of, ast.Name):
                if of.id != "E":
                    raise MeaninglessError(of.id)
                return self.world.derivative("E", (), by.value.id, place)
            if not isinstance(of, ast.Subscript) or not isinstance(of.value, ast.Name) or by.value.id == "c":
                raise MeaninglessError("of")
            at = self.index(of, env)
            self.note(self.letter(of.value.id), at, of, env)
            return self.world.derivative(of.value.id, at, by.value.id, place)
        raise MeaninglessError(name)

    def sum(self, body: ast.AST, overs: Sequence[ast.AST], env: dict[str, int]) -> Fraction:
        return sum(self.terms(body, overs, env), Fraction(0))

    def terms(self, body: ast.AST, overs: Sequence[ast.AST], env: dict[str, int]) -> Iterator[Fraction]:
        """The values of a body over ranges."""
        if not overs:
            yield self.value(body, env)
            return
        over = overs[0]
        assert isinstance(over, ast.Tuple)
        variable, low, high = over.elts
        assert isinstance(variable, ast.Name)
        inside = {part.id for end in (low, high) for part in ast.walk(end) if isinstance(part, ast.Name)}
        letters = [v.elts[0].id for v in overs if isinstance(v, ast.Tuple) and isinstance(v.elts[0], ast.Name)]
        if len(set(letters)) < len(letters) or set(letters) & set(self.bound):
            raise MeaninglessError("a letter that is bound twice")
        if variable.id in (*self.sizes, *"abcgE", *inside):
            raise MeaninglessError(variable.id)
        ends = [self.value(end, env) for end in (low, high)]
        if any(end.denominator != 1 for end in ends):
            raise MeaninglessError("a bound")
        self.bound.append(variable.id)
        try:
            for v in range(int(ends[0]), int(ends[1]) + 1):
                yield from self.terms(body, overs[1:], {**env, variable.id: v})
        finally:
            self.bound.pop()

    def holds(self, node: ast.AST, env: Mapping[str, int]) -> bool:
        assert isinstance(node, ast.Compare)
        values = [self.value(side, env) for side in (node.left, *node.comparators)]
        if any(v.denominator != 1 for v in values):
            raise MeaninglessError("a condition")
        checks = {ast.Eq: lambda x, y: x == y, ast.LtE: lambda x, y: x <= y, ast.GtE: lambda x, y: x >= y,
                  ast.Lt: lambda x, y: x < y, ast.Gt: lambda x, y: x > y}  # fmt: skip
        return all(checks[type(op)](x, y) for op, x, y in zip(node.ops, values, values[1:]))  # type: ignore[index]

    def array(self, node: ast.AST) -> Table:
        layer = self.world.layer
        if isinstance(node, ast.Name):
            if node.id not in "ABCG":
                raise MeaninglessError(node.id)
            letter = node.id.lower()
            return Table(self.world.tensors[letter], (layer.extents()[letter],) * layer.axes)
        assert isinstance(node, ast.Call)
        name, args = self.name_of(node), node.args
        if name in ("corr", "conv"):
            return correlate(self.array(args[0]), self.array(args[1]), name == "conv")
        if name == "rot180":
            inner = self.array(args[0])
            turned = {
                tuple(n + 1 - i for n, i in zip(inner.shape, at, strict=True)): v for at, v in inner.entries.items()
            }
            return Table(turned, inner.shape)
        if name == "pad":
            inner, r = self.array(args[0]), int(self.value(args[1], {}))
            shape = tuple(n + 2 * r for n in inner.shape)
            if min(shape) < 1:
                raise UndefinedError("nothing is left")
            moved = {tuple(i + r for i in at): v for at, v in inner.entries.items()}
            return Table({at: v for at, v in moved.items() if all(1 <= i <= n for i, n in zip(at, shape))}, shape)
        if name == "diff" and isinstance(args[0], ast.Name) and args[0].id == "E":
            assert isinstance(args[1], ast.Name)
            letter = args[1].id.lower()
            if letter not in "ab":
                raise MeaninglessError(letter)
            shape = (layer.extents()[letter],) * layer.axes
            places = product(*(range(1, n + 1) for n in shape))
            return Table({at: self.world.derivative("E", (), letter, at) for at in places}, shape)
        raise MeaninglessError(name)


Outcome = Literal["differs", "missing", "false", "undefined", "conditional", "true"]


def worlds(layer: Layer, seed: int) -> list[World]:
    """Random numbers twice, then worlds in which differences and entries are 0."""
    drawn = [World.random(layer, Random(1000 * seed + k)) for k in range(2)]
    alike = []
    for number in (0, 1):
        tensors = {letter: dict.fromkeys(entries, Fraction(number)) for letter, entries in drawn[0].tensors.items()}
        alike.append(World(layer, tensors))
    return [*drawn, *alike]


def outcome(text: str, layer: Layer, indices: Mapping[str, str], seed: int = 0) -> Outcome:
    """What a claim is at one size: as polynomials, which random numbers tell apart.

    "differs": both sides are defined somewhere and differ. "missing": an entry is read that does not exist, by an index
    without a free index. "false": the sides differ where entries outside count as 0. "undefined": a side has no value
    somewhere. "conditional": true where entries outside count as 0, and they are read. "true": none of these.

    Raises:
        MeaninglessError: where it says nothing.
    """
    found = [place for world in worlds(layer, seed) for place in Judge(world, indices).places(text)]
    if any(place.differs and not place.missing for place in found):
        return "differs"
    if any(not gap.free for place in found for gap in place.missing):
        return "missing"
    if any(place.differs for place in found):
        return "false"
    if any(not place.defined for place in found):
        return "undefined"
    return "conditional" if any(place.missing for place in found) else "true"


# ---------------------------------------------------------------------- the claims

TAP = "S*(p-1)+D*(m-1)-P+1"
TURNED = "S*(p-1)+D*(K-m)-P+1"
ONE_AXIS = [  # what holds for every layer of one axis; {t} is where a tap of output p reads
    "c[p] == sum(a[{t}]*b[m], (m,1,K))",
    "c[p] == b[1]*a[{first}] + sum(a[{t}]*b[m], (m,2,K))",
    "diff(c[p], b[m]) == a[{t}]",
    "diff(c[p], a[i]) == sum(b[m]*diff(a[{t}], a[i]), (m,1,K))",
    "diff(c[p], a[i]) == sum(b[m]*cases((1, {t} == i), (0,)), (m,1,K))",
    "diff(E, b[m]) == sum(g[p]*a[{t}], (p,1,O))",
    "diff(E, b[m]) == sum(diff(E, c[p])*diff(c[p], b[m]), (p,1,O))",
    "diff(E, a[i]) == sum(g[p]*b[m]*cases((1, {t} == i), (0,)), (p,1,O), (m,1,K))",
    "diff(E, a[i]) == sum(g[p]*diff(c[p], a[i]), (p,1,O))",
    "size == floor((I+2*P-D*(K-1)-1)/S) + 1",
    "sum(c[p], (p,1,O)) == sum(a[{t}]*b[m], (p,1,O), (m,1,K))",
    "2*c[p] - 3*a[i] == sum(2*a[{t}]*b[m], (m,1,K)) - 3*a[i]",
    "c[p]*g[p] == g[p]*sum(b[m]*a[{t}], (m,1,K))",
    "sum(diff(c[p], a[i])*a[i], (i,1,I)) == c[p]",
]
PLAIN = [  # what holds without stride and dilation
    "diff(c[p], a[i]) == b[i-p+1+P]",
    "diff(E, a[i]) == sum(g[p]*b[i-p+1+P], (p,1,O))",
    "diff(E, a[i]) == sum(g[i-m+1+P]*b[m], (m,1,K))",
    "c[p] == sum(a[i]*b[i-p+1+P], (i,1,I))",
    "C == corr(pad(A, P), B)",
    "diff(E, B) == corr(pad(A, P), G)",
]
BARE = [  # what holds without padding either
    "C == corr(A, B)",
    "diff(E, A) == corr(pad(G, K-1), rot180(B))",
    "diff(E, A) == conv(pad(G, K-1), B)",
    "diff(E, B) == corr(A, G)",
]
TWO_AXES = [
    "c[p,q] == sum(a[p+m-1, q+n-1]*b[m,n], (m,1,K), (n,1,K))",
    "c[q,p] == sum(a[q+m-1, p+n-1]*b[m,n], (n,1,K), (m,1,K))",
    "diff(c[p,q], a[i,j]) == b[i-p+1, j-q+1]",
    "diff(c[p,q], b[m,n]) == a[p+m-1, q+n-1]",
    "diff(E, a[i,j]) == sum(g[p,q]*b[i-p+1, j-q+1], (p,1,O), (q,1,O))",
    "diff(E, b[m,n]) == sum(diff(E, c[p,q])*a[p+m-1, q+n-1], (p,1,O), (q,1,O))",
    *BARE,
]
INDICES = {"p": "output 1", "i": "input 1", "m": "weight 1"}
INDICES_2 = {**INDICES, "q": "output 2", "j": "input 2", "n": "weight 2"}
SIZES = {"S": "stride", "P": "padding", "D": "dilation"}
_TOKEN = re.compile(r"[A-Za-z][A-Za-z0-9]*|[0-9]+|==|>=|<=|.")


@dataclass(frozen=True)
class Case:
    """A claim, the layer at whose size it is declared, and whether it was changed."""

    text: str
    layer: Layer
    indices: Mapping[str, str]
    sizes: Mapping[str, str]
    changed: bool


def random_case(random: Random) -> Case:
    """An identity of a random layer, and two times out of three one token of it changed."""
    if random.random() < 0.3:
        layer = Layer(2, random.choice((2, 3, 4)), 2)
        text, indices, sizes = random.choice(TWO_AXES), INDICES_2, {}
    else:
        kind = random.choice(("any", "any", "plain", "bare"))
        strided = kind == "any"
        layer = Layer(
            1,
            random.randint(3, 6),
            random.randint(1, 3),
            random.randint(1, 3) if strided else 1,
            random.randint(0, 2) if kind != "bare" else 0,
            random.randint(1, 2) if strided else 1,
            strided and random.random() < 0.3,
        )
        text = random.choice({"any": ONE_AXIS, "plain": PLAIN, "bare": BARE}[kind])
        tap = TURNED if layer.flip else TAP
        text = text.format(t=tap, first=tap.replace("D*(m-1)", "0").replace("K-m", "K-1"))
        indices = INDICES
        sizes = {"any": SIZES, "plain": {"P": "padding"}, "bare": {}}[kind]
    if random.random() < 0.25:  # the same with all sizes in numbers: there is nothing general about it then
        numbers = {"K": layer.kernel, "S": layer.stride, "P": layer.padding, "D": layer.dilation, "O": layer.outputs}
        text = re.sub(r"\b[KSPDO]\b", lambda match: str(numbers[match[0]]), text)
    changed = random.random() < 2 / 3
    return Case(mutated(text, random) if changed else text, layer, indices, sizes, changed)


def mutated(text: str, random: Random) -> str:
    """The text with one token changed."""
    tokens = _TOKEN.findall(text)
    while True:
        place = random.randrange(len(tokens))
        other = _others(tokens[place], text, random)
        if other and other != tokens[place]:
            return "".join((*tokens[:place], other, *tokens[place + 1 :]))


def _others(token: str, text: str, random: Random) -> str:
    if token.isdigit():
        return str(max(int(token) + random.choice((1, -1)), 0))
    if token in "+-":
        return "-" if token == "+" else "+"
    if token in ("corr", "conv"):
        return "conv" if token == "corr" else "corr"
    if token in ("floor", "ceil"):
        return random.choice(("ceil", "")) if token == "floor" else "floor"
    if token in (">=", "<="):
        return "<"
    if token in "abcg":
        return random.choice("abcg")
    letters = [t for t in dict.fromkeys(_TOKEN.findall(text)) if len(t) == 1 and t.isalpha() and t not in "abcgE"]
    if token in letters:
        return random.choice([t for t in letters if t.isupper() == token.isupper()])
    return ""
