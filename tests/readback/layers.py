"""Layers by plain loops: what a command line declares, which entries every output reads, and what follows.

Nothing of symconv is imported; windows are placed by the oracles, and a layer is a list of terms an output.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from itertools import product
from random import Random
from typing import Any

import oracles

from readback.arrays import Array

__all__ = ["KINDS", "OWN", "SYMBOLIC", "Case", "Layer", "case_of", "own_layer", "random_layer", "symbolic_layers"]

Point = tuple[int, ...]
EXTREMA = ("maxpool", "adaptive-max", "dilation", "erosion")


@dataclass(frozen=True)
class Layer:
    """One command of ``symconv derive`` with its options, all in numbers."""

    kind: str
    kernel: Point = ()
    stride: Point = ()
    pads: tuple[tuple[int, int], ...] = ()
    dilation: Point = ()
    ceil_mode: bool = False
    flip: bool = False
    padding_mode: str = "zeros"
    in_channels: int = 1
    out_channels: int = 1
    groups: int = 1
    bias: bool = False
    output_padding: Point = ()
    output: Point = ()
    channels: int = 1
    norm: str = ""
    ties: str = "first"
    exclude_padding: bool = False
    divisor: int | None = None
    base: int = 1
    own: str = ""
    """The class of an operator in a file of one's own; `kind` says what it computes."""

    @property
    def ndim(self) -> int:
        return len(self.kernel or self.output)

    def arguments(self) -> list[str]:
        """The command line, without the question."""
        found = [self.own or self.kind]
        if self.kernel:
            found += ["--kernel", _by(self.kernel)]
        if self.stride:
            found += ["--stride", _by(self.stride)]
        if self.pads:
            found += ["--padding", ",".join(f"{low}:{high}" if low != high else f"{low}" for low, high in self.pads)]
            found[-2:] = [f"--padding={found[-1]}"]
        if self.dilation and self.kind != "max-unpool":
            found += ["--dilation", _by(self.dilation)]
        if self.output_padding:
            found += ["--output-padding", _by(self.output_padding)]
        if self.output:
            found += ["--output", _by(self.output)]
        found += [f"--{name.replace('_', '-')}" for name in ("ceil_mode", "flip", "bias", "exclude_padding")
                  if getattr(self, name)]  # fmt: skip
        for entry in fields(self):
            name, value = entry.name, getattr(self, entry.name)
            if name == "norm" and self.own:
                continue
            if name in ("padding_mode", "in_channels", "out_channels", "groups", "channels", "norm", "ties", "divisor"):
                found += [f"--{name.replace('_', '-')}", str(value)] if value != entry.default else []
        return [*found, "--index-base", str(self.base)] if self.base != 1 else found

    def symbolic_arguments(self) -> list[str]:
        """The command line that leaves all sizes open: the kernel says how many axes there are."""
        bare = replace(self, stride=(), pads=(), dilation=(), output_padding=(), output=())
        given = ["--output", _by(self.output)] if self.kind == "fold" else []  # it needs one to be a layer at all
        return [*bare.arguments(), *given, "--symbolic"]

    def symbols(self) -> dict[str, int]:
        """What the letters of its options stand for."""
        found: dict[str, int] = {}
        rows = {"K": self.kernel, "S": self.stride, "P": [low for low, _ in self.pads], "D": self.dilation}
        rows["R"] = self.output_padding or (0,) * self.ndim if self.kind == "conv-transpose" else ()
        rows["O"] = self.output if self.kind == "fold" else ()
        for letter, values in rows.items():
            for axis, value in enumerate(values, 1):
                found[f"{letter}{axis}" if self.ndim > 1 else letter] = value
        return found

    @property
    def variables(self) -> tuple[str, ...]:
        if self.kind in ("conv", "conv-transpose"):
            return ("input", "weight", *(("bias",) if self.bias else ()))
        return ("input", "weight") if self.kind in ("dilation", "erosion", "matching") else ("input",)

    def axes(self) -> list[oracles.Axis]:
        return [
            oracles.Axis(k, s, low, high, d, self.ceil_mode)
            for k, s, (low, high), d in zip(self.kernel, self.stride, self.pads, self.dilation, strict=True)
        ]

    def output_size(self, sizes: Point) -> Point:
        """The spatial sizes of the output; 0 where there is none."""
        if self.kind.startswith("adaptive") or self.kind == "fold":
            return self.output
        if self.kind == "conv-transpose":
            extra = self.output_padding or (0,) * self.ndim
            return tuple(map(oracles.transposed_size, sizes, self.axes(), extra))
        if self.kind == "max-unpool":
            return tuple(map(oracles.transposed_size, sizes, self.axes()))
        return tuple(map(oracles.output_size, sizes, self.axes()))

    def patches(self) -> Point:
        """How many patches a folding adds up, by axis."""
        return tuple(map(oracles.output_size, self.output, self.axes()))

    def accepts(self, sizes: Point) -> bool:
        """Whether the layer can be applied: every axis has an output, and padding by reading reads what is there."""
        if min(self.patches() if self.kind == "fold" else self.output_size(sizes), default=0) < 1:
            return False
        if self.kind == "conv" and self.padding_mode == "reflect":
            return all(max(pair) < n for n, pair in zip(sizes, self.pads, strict=True))
        return True


def _by(numbers: Sequence[int]) -> str:
    return "x".join(map(str, numbers))


@dataclass
class Case:
    """A layer at one size with numbers: arrays by letter, outputs, and derivatives by role of the variable."""

    layer: Layer
    sizes: Point
    arrays: dict[str, Array]
    terms: dict[Point, list[tuple[Any, Point | None, Point | None]]]
    derivatives: dict[str, dict[tuple[Point, Point], Any]] = field(default_factory=dict)
    candidates: dict[Point, list[tuple[Any, Point, Point | None]]] = field(default_factory=dict)
    shares: dict[tuple[Point, Point], Any] = field(default_factory=dict)
    maximal: dict[Point, list[Point]] = field(default_factory=dict)

    @property
    def output(self) -> Point:
        return self.layer.output_size(self.sizes)

    def shape(self, letter: str) -> Point:
        return self.arrays[letter].shape


LETTER = {"input": "a", "weight": "b", "bias": "d"}


def case_of(layer: Layer, sizes: Point, random: Random, *, zeros: bool = True) -> Case:
    """Numbers for every array: small ones, so that there are ties and zeros where `zeros` lets them."""

    def number() -> int:
        return random.choice([v for v in (-3, -2, -1, 0, 1, 2, 3) if v or zeros])

    b0, shapes = layer.base, _shapes(layer, sizes)
    arrays = {
        letter: Array({at: number() for at in product(*(range(b0, b0 + n) for n in shape))}, shape, b0)
        for letter, shape in shapes.items()
    }
    case = Case(layer, sizes, arrays, {})
    outs = layer.output_size(sizes)
    if layer.kind == "max-unpool":
        flat = list(range(math.prod(outs)))
        chosen = random.sample(flat, len(arrays["a"].entries))
        arrays["z"] = Array(dict(zip(arrays["a"].entries, chosen, strict=True)), shapes["a"], b0)
    case.terms = {_shift(o, b0): [(k, _shift(i, b0), _shift(m, b0)) for k, i, m in found]
                  for o, found in _terms(layer, sizes, arrays).items()}  # fmt: skip
    shape = shapes["g"]
    arrays["c"] = Array({}, shape, b0)
    for role in layer.variables:
        case.derivatives[role] = {}
    if layer.kind in EXTREMA or layer.norm == "inf":
        _extrema(case)
    elif layer.kind == "lppool":
        _norms(case)
    elif layer.kind in ("energy", "matching"):
        _squares(case)
    else:
        _linear(case)
    return case


def _shift(place: Point | None, base: int) -> Any:
    return None if place is None else tuple(p + base for p in place)


def _shapes(layer: Layer, sizes: Point) -> dict[str, Point]:
    outs = layer.output_size(sizes)
    if layer.kind == "conv":
        inner = layer.in_channels // layer.groups
        return {
            "a": (*_many(layer.in_channels), *sizes),
            "b": (*_many(layer.out_channels), *_many(inner), *layer.kernel),
            "d": _many(layer.out_channels),
            "g": (*_many(layer.out_channels), *outs),
        }
    if layer.kind == "conv-transpose":
        inner = layer.out_channels // layer.groups
        return {
            "a": (*_many(layer.in_channels), *sizes),
            "b": (*_many(layer.in_channels), *_many(inner), *layer.kernel),
            "d": _many(layer.out_channels),
            "g": (*_many(layer.out_channels), *outs),
        }
    if layer.kind == "unfold":
        return {"a": (*_many(layer.channels), *sizes), "g": (*_many(layer.channels), *layer.kernel, *outs)}
    if layer.kind == "fold":
        places = tuple(map(oracles.output_size, layer.output, layer.axes()))
        return {"a": (*_many(layer.channels), *layer.kernel, *places), "g": (*_many(layer.channels), *outs)}
    if layer.kind in ("dilation", "erosion", "matching"):
        return {"a": sizes, "b": layer.kernel, "g": outs}
    return {"a": sizes, "g": outs}


def _many(count: int) -> Point:
    """The axis of channels, which one channel does not have."""
    return (count,) if count > 1 else ()


def _one(index: int, count: int) -> Point:
    return (index,) if count > 1 else ()


Term = tuple[Any, Point | None, Point | None]


def _terms(layer: Layer, sizes: Point, arrays: dict[str, Array]) -> dict[Point, list[Term]]:
    """``(coefficient, input place, weight place)`` of everything that an output reads, taps in row-major order."""
    if layer.kind.startswith("adaptive"):
        rows = [oracles.adaptive_windows(n, out) for n, out in zip(sizes, layer.output, strict=True)]
        return {
            o: [(1 if "max" in layer.kind else Fraction(1, _prod(rows, o)), i, None)
                for i in product(*(row[e] for row, e in zip(rows, o, strict=True)))]
            for o in product(*map(range, layer.output))
        }  # fmt: skip
    if layer.kind == "max-unpool":
        outs = layer.output_size(sizes)
        places = list(product(*map(range, outs)))
        found: dict[Point, list[Term]] = {o: [] for o in places}
        for at, flat in arrays["z"].entries.items():
            found[places[flat]].append((1, tuple(p - layer.base for p in at), None))
        return found
    if layer.kind == "conv-transpose":
        return _transposed(layer, sizes)
    if layer.kind in ("fold", "unfold"):
        return _patches(layer, sizes)
    return _windows(layer, sizes)


def _prod(rows: list[list[list[int]]], o: Point) -> int:
    return math.prod(len(row[e]) for row, e in zip(rows, o, strict=True))


def _tap(layer: Layer, tap: Point) -> Point:
    return tuple(k - 1 - m for m, k in zip(tap, layer.kernel, strict=True)) if layer.flip else tap


def _reads(layer: Layer, sizes: Point) -> Iterator[tuple[Point, Point, Point | None]]:
    """``(output, tap of the weight, input or None)``."""
    mode: Any = layer.padding_mode
    rows = [oracles.triples(n, axis, mode) for n, axis in zip(sizes, layer.axes(), strict=True)]
    for combination in product(*rows):
        o, m, i = zip(*combination, strict=True)
        yield o, _tap(layer, m), None if None in i else i


def _windows(layer: Layer, sizes: Point) -> dict[Point, list[Term]]:
    reads = list(_reads(layer, sizes))
    if layer.kind == "conv":
        found: dict[Point, list[Term]] = {}
        inner, outer = layer.in_channels // layer.groups, layer.out_channels // layer.groups
        for o, m, i in reads:
            for f in range(layer.out_channels):
                place = (*_one(f, layer.out_channels), *o)
                found.setdefault(place, [])
                for h in range(inner):
                    source = (*_one(f // outer * inner + h, layer.in_channels), *i) if i is not None else None
                    if source is not None:
                        found[place].append((1, source, (*_one(f, layer.out_channels), *_one(h, inner), *m)))
        return found
    ends = [n + high for n, (_, high) in zip(sizes, layer.pads, strict=True)]
    terms: dict[Point, list[Term]] = {}
    counted: dict[Point, int] = {}
    for o, m, _ in reads:
        terms.setdefault(o, [])
        counted.setdefault(o, 0)
        at = [s * q + d * t - low for s, q, d, t, (low, _) in zip(layer.stride, o, layer.dilation, _tap(layer, m),
                                                                  layer.pads, strict=True)]  # fmt: skip
        counted[o] += all(p < end for p, end in zip(at, ends, strict=True))
        if all(0 <= p < n for p, n in zip(at, sizes, strict=True)):  # what hangs over reads cropped entries again
            terms[o].append((1, tuple(at), m if layer.kind in ("dilation", "erosion") else None))
    for rows in terms.values():
        rows.sort(key=lambda row: row[2] or row[1] or ())
    if layer.kind == "avgpool":
        for o, rows in terms.items():
            divisor = layer.divisor or (len(rows) if layer.exclude_padding else counted[o])
            terms[o] = [(Fraction(1, divisor), i, m) for _, i, m in rows]
    return terms


def _transposed(layer: Layer, sizes: Point) -> dict[Point, list[Term]]:
    extra = layer.output_padding or (0,) * layer.ndim
    rows = [oracles.transposed_triples(n, axis, e) for n, axis, e in zip(sizes, layer.axes(), extra, strict=True)]
    outs, inner = layer.output_size(sizes), layer.out_channels // layer.groups
    channels = product(*(map(range, _many(layer.out_channels))), *map(range, outs))
    found: dict[Point, list[Term]] = {o: [] for o in channels}
    for combination in product(*rows):
        i, m, o = zip(*combination, strict=True)
        tap = _tap(layer, m)
        for h in range(layer.in_channels):
            for f in range(inner):
                own = h // (layer.in_channels // layer.groups) * inner + f
                found[(*_one(own, layer.out_channels), *o)].append(
                    (1, (*_one(h, layer.in_channels), *i), (*_one(h, layer.in_channels), *_one(f, inner), *tap))
                )
    return found


def _patches(layer: Layer, sizes: Point) -> dict[Point, list[Term]]:
    image = layer.output if layer.kind == "fold" else sizes
    found: dict[Point, list[Term]] = {}
    for f in range(layer.channels):
        channel = _one(f, layer.channels)
        if layer.kind == "fold":
            found.update({(*channel, *o): [] for o in product(*map(range, image))})
        for o, m, i in _reads(layer, image):
            if layer.kind == "unfold":
                found[(*channel, *m, *o)] = [] if i is None else [(1, (*channel, *i), None)]
            elif i is not None:
                found[(*channel, *i)].append((1, (*channel, *m, *o), None))
    return found


# --- values ----------------------------------------------------------------------------------------------------------


def _add(store: dict[tuple[Point, Point], Any], key: tuple[Point, Point], value: Any) -> None:
    store[key] = store.get(key, 0) + value


def _linear(case: Case) -> None:
    arrays, base = case.arrays, case.layer.base
    for o, terms in case.terms.items():
        value: Any = 0
        for k, i, m in terms:
            assert i is not None
            weight = 1 if m is None else arrays["b"].at(m)
            value += k * arrays["a"].at(i) * weight
            _add(case.derivatives["input"], (o, i), k * weight)
            if m is not None:
                _add(case.derivatives["weight"], (o, m), k * arrays["a"].at(i))
        if case.layer.bias:
            own = o[:1] if case.layer.out_channels > 1 else ()
            value += arrays["d"].at(own)
            _add(case.derivatives["bias"], (o, own), 1)
        arrays["c"].entries[o] = value
    if not case.layer.bias:
        arrays.pop("d", None)
    assert all(at in arrays["c"].entries for at in arrays["c"].places()), base


def _extrema(case: Case) -> None:
    arrays, kind = case.arrays, case.layer.kind
    sign = -1 if kind == "erosion" else 1
    for o, terms in case.terms.items():
        rows = []
        for _, i, m in terms:
            assert i is not None
            value = arrays["a"].at(i)
            if kind == "lppool":
                value = abs(value)
            rows.append((value + sign * arrays["b"].at(m) if m is not None else value, i, m))
        case.candidates[o] = rows
        best = (min if kind == "erosion" else max)((v for v, _, _ in rows), default=-sign * math.inf)
        arrays["c"].entries[o] = best
        winners = [(i, m) for v, i, m in rows if v == best]
        case.maximal[o] = [i for i, _ in winners]
        winners = winners if case.layer.ties == "split" else winners[:1]
        for i, m in winners:
            share = Fraction(1, len(winners))
            _add(case.shares, (o, i), share)
            slope = 1
            if kind == "lppool":
                slope = (arrays["a"].at(i) > 0) - (arrays["a"].at(i) < 0)
            _add(case.derivatives["input"], (o, i), share * slope)
            if m is not None:
                _add(case.derivatives["weight"], (o, m), share * sign)


def _squares(case: Case) -> None:
    """Twice the squares of the taps; or their squared differences from a template, which meets zeros in the padding."""
    arrays, base, squares = case.arrays, case.layer.base, case.layer.kind == "energy"
    for o, m, i in _reads(case.layer, case.sizes):
        place, tap, entry = _shift(o, base), _shift(m, base), _shift(i, base)
        value = (arrays["a"].at(entry) if entry is not None else 0) - (0 if squares else arrays["b"].at(tap))
        factor = 2 if squares else 1
        arrays["c"].entries[place] = arrays["c"].entries.get(place, 0) + factor * value**2
        if entry is not None:
            _add(case.derivatives["input"], (place, entry), 2 * factor * value)
        if not squares:
            _add(case.derivatives["weight"], (place, tap), -2 * value)


def _norms(case: Case) -> None:
    p = Fraction(case.layer.norm)
    for o, terms in case.terms.items():
        places = [i for _, i, _ in terms if i is not None]
        values = [case.arrays["a"].at(i) for i in places]
        case.arrays["c"].entries[o] = oracles.pooling.lp_norm(values, p)
        for i, weight in zip(places, oracles.pooling.lp_weights(values, p), strict=True):
            _add(case.derivatives["input"], (o, i), weight)


# --- random layers ---------------------------------------------------------------------------------------------------

KINDS = ("conv", "conv", "conv", "conv-transpose", "conv-transpose", "maxpool", "maxpool", "avgpool", "avgpool",
         "lppool", "dilation", "erosion", "adaptive-avg", "adaptive-max", "unfold", "fold", "max-unpool")  # fmt: skip


def random_layer(random: Random, kind: str = "") -> Layer:
    """A small layer; nothing says that it has an output at any size."""
    kind = kind or random.choice(KINDS)
    ndim = random.choice((1, 1, 1, 1, 1, 1, 2, 2, 3))
    options: dict[str, Any] = {"kind": kind, "base": random.choice((1, 1, 1, 0))}

    def each(*values: int) -> Point:
        return tuple(random.choice(values) for _ in range(ndim))

    if kind.startswith("adaptive"):
        options["output"] = each(1, 2, 3)
    else:
        taps = (1, 2, 2, 3) if ndim < 3 else (1, 2)
        options |= {"kernel": each(*taps), "stride": each(1, 1, 2, 3), "dilation": each(1, 1, 2)}
        low = -1 if kind in ("conv", "maxpool", "dilation", "erosion", "conv-transpose", "unfold", "lppool") else 0
        options["pads"] = tuple((random.randint(low, 2), random.randint(low, 2)) for _ in range(ndim))
        if random.random() < 0.4:
            options["pads"] = ((0, 0),) * ndim
        if random.random() < 0.3:
            options["pads"] = tuple((low, low) for low, _ in options["pads"])
    if kind == "max-unpool":
        options |= {"dilation": (1,) * ndim, "pads": ((0, 0),) * ndim}
    if kind in ("conv", "conv-transpose"):
        options |= {"flip": random.random() < 0.3, "bias": random.random() < 0.2}
        if random.random() < 0.25:
            groups = random.choice((1, 2))
            options |= {
                "in_channels": groups * random.choice((1, 2)),
                "out_channels": groups * random.choice((1, 2)),
                "groups": groups,
            }
    if kind == "conv" and random.random() < 0.4:
        options["padding_mode"] = random.choice(("reflect", "replicate", "circular"))
        options["pads"] = tuple((max(0, low), max(0, high)) for low, high in options["pads"])
    if kind == "conv-transpose" and random.random() < 0.4:
        options["output_padding"] = tuple(
            random.randrange(max(s, d)) for s, d in zip(options["stride"], options["dilation"], strict=True)
        )
    if kind in ("maxpool", "avgpool", "lppool"):
        options["ceil_mode"] = random.random() < 0.35
    if kind in ("maxpool", "adaptive-max"):
        options["ties"] = random.choice(("first", "split", "set"))
    if kind == "avgpool":
        options |= {"exclude_padding": random.random() < 0.4}
        if random.random() < 0.2:
            options["divisor"] = random.randint(1, 4)
    if kind == "lppool":
        options["norm"] = random.choice(("1", "2", "3", "3/2", "inf"))
    if kind in ("dilation", "erosion"):
        options["flip"] = random.random() < 0.4
    if kind in ("unfold", "fold") and random.random() < 0.2:
        options["channels"] = 2
    if kind == "fold":
        options["output"] = each(1, 2, 3, 4)
    return Layer(**options)


OWN = {"Total": "total", "Energy": "energy", "Filter": "conv", "Matching": "matching"}
"""Operators of one's own, by what they compute."""


def own_layer(random: Random, name: str) -> Layer:
    """A small layer of a class in `own_operators`."""
    ndim = random.choice((1, 1, 2))
    kernel, stride, dilation = (tuple(random.choice(of) for _ in range(ndim)) for of in
                                ((1, 2, 2, 3), (1, 1, 2, 3), (1, 1, 2)))  # fmt: skip
    pads = tuple((random.randint(-1, 2), random.randint(-1, 2)) for _ in range(ndim))
    return Layer(OWN[name], kernel, stride, pads, dilation, base=random.choice((0, 1)), own=name)


SYMBOLIC = ("conv", "conv-transpose", "maxpool", "avgpool", "lppool", "dilation", "erosion", "unfold", "fold")


def symbolic_layers(random: Random, kind: str, count: int) -> list[Layer]:
    """Layers that differ in their sizes alone, for a page that leaves these open: paddings are alike on both sides."""
    while True:
        first = random_layer(random, kind)
        if first.ndim < 3 and first.padding_mode == "zeros":
            break
    found = []
    while len(found) < count:
        ndim = first.ndim
        kernel, stride, low, dilation = ([random.choice(of) for _ in range(ndim)] for of in
                                         ((1, 2, 3), (1, 1, 2, 3), (0, 0, 1, 2), (1, 1, 2)))  # fmt: skip
        own = replace(first, kernel=tuple(kernel), stride=tuple(stride), pads=tuple((p, p) for p in low),
                      dilation=tuple(dilation))  # fmt: skip
        if kind == "conv-transpose":
            own = replace(
                own, output_padding=tuple(random.randrange(max(s, d)) for s, d in zip(stride, dilation, strict=True))
            )
        if kind == "fold":
            own = replace(own, output=tuple(random.randint(1, 4) for _ in range(ndim)))
        found.append(own)
    ones = (1,) * first.ndim  # of its windows some lie in the padding alone
    found.append(
        replace(found[0], kernel=ones, stride=ones, pads=((1, 1),) * first.ndim, dilation=ones, output_padding=())
    )
    return found
