"""Answers of made-up students by plain loops, right and with one slip; nothing of symconv is imported."""

from __future__ import annotations

from fractions import Fraction
from typing import Any


def turned(kernel: list[list[Any]]) -> list[list[Any]]:
    return [row[::-1] for row in kernel[::-1]]


def transposed(array: list[list[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*array, strict=True)]


def convolved(x: Any, w: Any, stride: int = 1, padding: int = 0) -> list[list[Any]]:
    """The cross-correlation."""
    rows, columns, k, m = len(x), len(x[0]), len(w), len(w[0])
    result = []
    for top in range(-padding, rows + padding - k + 1, stride):
        line = []
        for left in range(-padding, columns + padding - m + 1, stride):
            total = 0
            for i in range(k):
                for j in range(m):
                    if 0 <= top + i < rows and 0 <= left + j < columns:
                        total += x[top + i][left + j] * w[i][j]
            line.append(total)
        result.append(line)
    return result


def pooled(x: Any, size: int, stride: int, kind: str) -> list[list[Any]]:
    """Pooling by "max", "min", "mean", "sum", or "side": the sum over the length of one side."""
    result = []
    for top in range(0, len(x) - size + 1, stride):
        line = []
        for left in range(0, len(x[0]) - size + 1, stride):
            window = [x[top + i][left + j] for i in range(size) for j in range(size)]
            total = sum(window)
            line.append(
                {
                    "max": max(window),
                    "min": min(window),
                    "mean": Fraction(total) / (size * size),
                    "sum": total,
                    "side": Fraction(total) / size,
                }[kind]
            )
        result.append(line)
    return result


def input_gradient(x: Any, w: Any, g: Any) -> list[list[Any]]:
    """The gradient of a plain cross-correlation by its input: every product handed back to the entry that it read."""
    found = [[0] * len(x[0]) for _ in x]
    for p, line in enumerate(g):
        for q, value in enumerate(line):
            for i, row in enumerate(w):
                for j, weight in enumerate(row):
                    found[p + i][q + j] += value * weight
    return found


def weight_gradient(x: Any, w: Any, g: Any) -> list[list[Any]]:
    """The gradient of a plain cross-correlation by its kernel."""
    return [
        [
            sum(value * x[p + i][q + j] for p, line in enumerate(g) for q, value in enumerate(line))
            for j in range(len(w[0]))
        ]
        for i in range(len(w))
    ]


def max_gradient(x: Any, size: int, stride: int, g: Any, way: str) -> list[list[Any]]:
    """The gradient of a max pooling: to the "winner", to "all" of the window, in "shares", or the "last" window's."""
    found = [[Fraction(0)] * len(x[0]) for _ in x]
    for p, line in enumerate(g):
        for q, value in enumerate(line):
            places = [(p * stride + i, q * stride + j) for i in range(size) for j in range(size)]
            best = max(places, key=lambda place: x[place[0]][place[1]])  # the first of equals
            for place in places if way in ("all", "shares") else [best]:
                share = Fraction(value) / (size * size) if way == "shares" else value
                before = 0 if way == "last" else found[place[0]][place[1]]
                found[place[0]][place[1]] = before + share
    return found


def text(array: Any) -> str:
    """An answer as a student writes it."""
    if not isinstance(array, list):
        return str(array)
    if not isinstance(array[0], list):
        return " ".join(map(str, array))
    return "; ".join(" ".join(map(str, row)) for row in array)
