"""A plain implementation of convolution and pooling with a switch for every bug; nothing of symconv is imported.

Arrays are (N, C, H, W); sums are made in the type of the input, entry by entry. `flaw` is the name of one bug, or "".
"""

from __future__ import annotations

from typing import Any

import numpy as np

CALLS = {"number": 0}


def source(position: int, size: int, mode: str, flaw: str) -> int | None:
    """The place that is read for a position, None for a zero."""
    if 0 <= position < size:
        return position
    if flaw == "padding replicates" or mode == "replicate":
        return min(max(position, 0), size - 1)
    if mode == "reflect":
        once = -position if position < 0 else 2 * (size - 1) - position
        return once - 1 if flaw == "reflection repeats the edge" and position < 0 else once
    if mode == "circular":
        return (position + (flaw == "wraps one too far")) % size
    return None


class Conv:
    """A correlation; `pads` is ((top, bottom), (left, right))."""

    def __init__(self, stride=(1, 1), pads=((0, 0), (0, 0)), dilation=(1, 1), groups=1, mode="zeros", flaw=""):
        self.mode, self.groups, self.flaw = mode, groups, flaw
        self.stride = (stride[0], stride[0]) if flaw == "stride of the other axis" else stride
        if flaw == "padding shifted":
            pads = tuple((a - 1, b + 1) for a, b in pads)
        if flaw == "padding sides exchanged":
            pads = tuple((b, a) for a, b in pads)
        self.pads = (pads[1], pads[0]) if flaw == "padding axes exchanged" else pads
        self.dilation = (1, 1) if flaw == "dilation ignored" else dilation

    def outputs(self, n, k, axis):
        span = self.dilation[axis] * (k - 1) + 1
        if self.flaw == "size forgets dilation":
            span = k
        room = n + sum(self.pads[axis]) - span
        if self.flaw == "size rounded up":
            room += self.stride[axis] - 1
        return room // self.stride[axis] + 1

    def reads(self, shape, k, width):
        """(p, q, a, b, row, column) for every tap that reads an entry."""
        for p in range(self.outputs(shape[0], k, 0)):
            for q in range(self.outputs(shape[1], width, 1)):
                for a in range(k):
                    for b in range(width):
                        row = self.stride[0] * p + self.dilation[0] * a - self.pads[0][0]
                        column = self.stride[1] * q + self.dilation[1] * b - self.pads[1][0]
                        row = source(row, shape[0], self.mode, self.flaw)
                        column = source(column, shape[1], self.mode, self.flaw)
                        if row is not None and column is not None:
                            yield p, q, a, b, row, column

    def channels(self, w, o):
        """(channel, channel within the group) that an output channel sees."""
        inner, each = w.shape[1], w.shape[0] // self.groups
        group = o % self.groups if self.flaw == "groups interleaved" else o // each
        if self.flaw == "always the first group":
            group = 0
        for c in range(1 if self.flaw == "first channel alone" else inner):
            yield group * inner + c, c

    def __call__(self, x, w, bias=None):
        flaw, CALLS["number"] = self.flaw, CALLS["number"] + 1
        given = w
        if flaw == "flipped":
            w = w[..., ::-1, ::-1]
        if flaw == "filter transposed":
            w = w.swapaxes(-1, -2)
        if flaw == "absolute weights":
            w = abs(w)
        sizes = [self.outputs(x.shape[2 + axis], given.shape[2 + axis], axis) for axis in (0, 1)]
        y = np.zeros((len(x), len(w), *sizes), x.dtype)
        total = np.float16 if flaw == "sums in float16" else x.dtype.type
        for o in range(len(w)):
            for c, inner in self.channels(w, o):
                for p, q, a, b, row, column in self.reads(x.shape[2:], *w.shape[2:]):
                    for n in range(1 if flaw == "first item alone" else len(x)):
                        y[n, o, p, q] = total(
                            total(y[n, o, p, q]) + total(x[n, c, row, column]) * total(w[o, inner, a, b])
                        )
            if bias is not None and flaw != "bias forgotten":
                if flaw == "bias along rows":
                    y[:, o] += bias[np.arange(sizes[1]) % len(bias)]
                else:
                    y[:, o] += bias[o] * x.dtype.type(2 if flaw == "bias twice" else 1)
        if flaw == "last row left out":
            y[:, :, -1] = 0
        if flaw == "saturates":
            y = np.minimum(y, y.dtype.type(40))
        if flaw == "rectified":
            y = np.maximum(y, y.dtype.type(0))
        if flaw == "reshaped for transposed":
            y = np.moveaxis(y, 1, -1).reshape(y.shape)
        if flaw == "writes to its input":
            x[...] = 0
        if flaw == "remembers":
            y += y.dtype.type(CALLS["number"] > 3)
        return y

    def gradients(self, g, x, w, bias=None):
        flaw = self.flaw
        dx, dw = np.zeros_like(x), np.zeros_like(w)
        walk = Conv(self.stride, self.pads, self.dilation, self.groups, self.mode)
        slip = Conv((1, 1), self.pads, self.dilation, self.groups, self.mode)
        flat = Conv(self.stride, self.pads, (1, 1), self.groups, self.mode)
        side = Conv(self.stride, tuple((b, a) for a, b in self.pads), self.dilation, self.groups, self.mode)
        of_input = {"input gradient forgets stride": slip, "input gradient pads the other side": side}.get(flaw, walk)
        of_weight = {"weight gradient forgets stride": slip, "weight gradient forgets dilation": flat}.get(flaw, walk)
        turned = w[..., ::-1, ::-1] if flaw == "input gradient without rotation" else w
        for o in range(len(w)):
            for c, inner in walk.channels(w, o):
                for walker, whole in ((of_input, "x"), (of_weight, "w")):
                    for p, q, a, b, row, column in walker.reads(x.shape[2:], *w.shape[2:]):
                        if p >= g.shape[2] or q >= g.shape[3]:
                            continue
                        for n in range(len(x)):
                            if whole == "x":
                                dx[n, c, row, column] += g[n, o, p, q] * turned[o, inner, a, b]
                            else:
                                dw[o, inner, a, b] += g[n, o, p, q] * x[n, c, row, column]
        if flaw == "weight gradient averages the batch":
            dw /= len(x)
        if flaw == "weight gradient transposed":
            dw = np.ascontiguousarray(dw.swapaxes(-1, -2))
        if bias is None:
            return dx, dw
        db = g.sum(axis=(0, 2, 3), dtype=g.dtype)
        if flaw == "bias gradient averages":
            db = g.mean(axis=(0, 2, 3), dtype=g.dtype)
        if flaw == "bias gradient of the first item":
            db = g[0].sum(axis=(1, 2), dtype=g.dtype)
        if flaw == "no bias gradient":
            return dx, dw
        return dx, dw, db


class Transposed:
    """A transposed convolution; the weight is (I, O, K, L)."""

    def __init__(self, stride, padding, extra, flaw=""):
        self.stride, self.padding, self.extra, self.flaw = stride, padding, extra, flaw

    def place(self, p, a):
        return self.stride * p + a

    def cut(self):
        before = self.padding
        if self.flaw == "output padding before":
            before -= self.extra
        if self.flaw == "padding before alone":
            before = 2 * self.padding
        return before

    def __call__(self, x, w):
        flaw = self.flaw
        if flaw == "channels of the weight exchanged":
            w = w.swapaxes(0, 1)
        if flaw == "transposed flips":
            w = w[..., ::-1, ::-1]
        k, size = w.shape[2], x.shape[2:]
        whole = np.zeros((len(x), w.shape[1], *[self.stride * (n - 1) + k + self.extra + k for n in size]), x.dtype)
        for n in range(len(x)):
            for c in range(x.shape[1]):
                for o in range(w.shape[1]):
                    for p, q, a, b in np.ndindex(*size, k, k):
                        spot = (n, o, self.place(p, a) + k, self.place(q, b) + k)
                        product = x[n, c, p, q] * w[c, o, a, b]
                        whole[spot] = product if flaw == "overlaps overwrite" else whole[spot] + product
        start = k + self.cut()
        made = [self.stride * (n - 1) + k + self.extra - 2 * self.padding for n in size]
        y = whole[:, :, start : start + made[0], start : start + made[1]]
        y = np.pad(y, ((0, 0), (0, 0), (0, made[0] - y.shape[2]), (0, made[1] - y.shape[3])))
        if flaw == "output padding left zero":
            y = y.copy()
            y[:, :, made[0] - self.extra :] = 0
        return y

    def gradients(self, g, x, w):
        dx, dw, k = np.zeros_like(x), np.zeros_like(w), w.shape[2]
        for n, c, o in np.ndindex(len(x), x.shape[1], w.shape[1]):
            for p, q, a, b in np.ndindex(*x.shape[2:], k, k):
                row, column = self.place(p, a) - self.padding, self.place(q, b) - self.padding
                if 0 <= row < g.shape[2] and 0 <= column < g.shape[3]:
                    dx[n, c, p, q] += g[n, o, row, column] * w[c, o, a, b]
                    dw[c, o, a, b] += g[n, o, row, column] * x[n, c, p, q]
        return dx, dw


class Pool:
    """A pooling of a kind "max", "average" or "norm"; padding is equal on both sides."""

    def __init__(self, kind, k, stride, padding=0, dilation=1, ceiling=False, counted=True, divisor=None, p=2, flaw=""):
        self.kind, self.k, self.stride, self.padding, self.flaw = kind, k, stride, padding, flaw
        self.dilation = 1 if flaw == "pooling ignores dilation" else dilation
        self.ceiling = ceiling and flaw != "floor for ceiling"
        self.counted = counted ^ (flaw in ("padding counted", "padding not counted"))
        self.divisor, self.p = divisor if flaw != "divisor ignored" else None, p

    def outputs(self, n):
        room = n + 2 * self.padding - self.dilation * (self.k - 1) - 1
        if not self.ceiling:
            return room // self.stride + 1
        count = -(-room // self.stride) + 1
        return (
            count - 1 if (count - 1) * self.stride >= n + self.padding and self.flaw != "a window too many" else count
        )

    def window(self, plane, p, q):
        """The places that an output reads, and how many taps count."""
        places, taps = [], 0
        for a, b in np.ndindex(self.k, self.k):
            row = self.stride * p + self.dilation * a - self.padding
            column = self.stride * q + self.dilation * b - self.padding
            taps += row < plane.shape[0] + self.padding and column < plane.shape[1] + self.padding
            if 0 <= row < plane.shape[0] and 0 <= column < plane.shape[1]:
                places.append((row, column))
        if self.flaw == "overhang counted":
            taps = self.k**2
        count = taps if self.counted else len(places)
        return places, self.divisor or count

    def value(self, plane, places, count):
        kind, flaw = plane.dtype.type, self.flaw
        if self.kind == "max":
            start = {"starts at zero": 0, "starts at the least number": np.finfo(np.float16).min}.get(flaw, -np.inf)
            best = kind(start)
            if flaw == "padding of zeros wins" and len(places) < self.k**2:
                best = kind(0)
            for place in places:
                value = plane[place]
                if value > best or (value != value and flaw != "skips NaN"):
                    best = value
                if best != best:
                    break
            return best
        total = kind(0)
        for place in places:
            entry = plane[place]
            if self.kind == "norm":
                entry = entry if flaw == "no absolute value" else abs(entry)
                power = kind(1)
                for _ in range(self.p):
                    power = power * entry
                entry = power
            total = total + entry
        if self.kind == "norm":
            if flaw == "mean of powers":
                total = total / kind(len(places))
            return total if flaw == "no root" else kind(total ** kind(1 / self.p))
        return kind(np.floor(total / kind(count))) if flaw == "integer division" else total / kind(count)

    def __call__(self, x):
        y = np.zeros((*x.shape[:2], *map(self.outputs, x.shape[2:])), x.dtype)
        for n, c, p, q in np.ndindex(*y.shape):
            y[n, c, p, q] = self.value(x[n, c], *self.window(x[n, c], p, q))
        return y

    def gradients(self, g, x):
        dx, kind, flaw = np.zeros_like(x), x.dtype.type, self.flaw
        for n, c, p, q in np.ndindex(*g.shape):
            plane, upstream = x[n, c], g[n, c, p, q]
            places, count = self.window(plane, p, q)
            y = self.value(plane, places, count)
            if self.kind == "max":
                best = [place for place in places if plane[place] == y]
                chosen = best if flaw == "all ties get it" else best[-1:] if flaw == "last tie gets it" else best[:1]
                for place in chosen:
                    if flaw == "gradient overwrites":
                        dx[(n, c, *place)] = upstream
                    else:
                        dx[(n, c, *place)] += upstream
            for place in places if self.kind == "average" else ():
                divided = len(places) if flaw == "gradient divides by the entries" else count
                dx[(n, c, *place)] += upstream / kind(divided)
            for place in places if self.kind == "norm" and y > 0 else ():
                factor = kind(1)
                for _ in range(self.p - 1):
                    factor = factor * (abs(plane[place]) / y)
                sign = kind(1) if flaw == "sign lost" else np.sign(plane[place])
                dx[(n, c, *place)] += upstream * sign * factor
        return dx


def adaptive(x: Any, out: int, flaw: str = "") -> Any:
    """An average over windows that divide the input."""
    y = np.zeros((*x.shape[:2], out, out), x.dtype)
    for n, c, p, q in np.ndindex(*y.shape):
        spans = []
        for o, size in ((p, x.shape[2]), (q, x.shape[3])):
            end = (o + 1) * size // out if flaw == "ends rounded down" else -(-(o + 1) * size // out)
            first = -(-o * size // out) if flaw == "starts rounded up" else o * size // out
            spans.append(range(first, end))
        total = x.dtype.type(0)
        for row in spans[0]:
            for column in spans[1]:
                total += x[n, c, row, column]
        y[n, c, p, q] = total / x.dtype.type(len(spans[0]) * len(spans[1]))
    return y
