"""Hypotheses of a page: the sizes that they let in are those that the layer takes, neither more nor fewer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import oracles

from readback.arithmetic import Point
from readback.layers import Layer
from readback.pages import Page
from readback.reading import Reader
from readback.world import World

__all__ = ["check_hypotheses", "condition", "evaluate", "size_names"]

FAR = {1: 7, 2: 7, 3: 4}  # the sizes up to which hypotheses are compared with what a layer takes, by its axes


def evaluate(world: World, text: str, env: Mapping[str, Any]) -> Any:
    reader = Reader(world, text, frozenset(env))
    return reader.end(reader.side())(env)


def condition(world: World, text: str, env: Mapping[str, Any]) -> bool:
    reader = Reader(world, text, frozenset(env))
    holds = reader.conditions()
    assert not reader.peek(), text
    return holds(env)


def check_hypotheses(page: Page, layer: Layer, alike: Sequence[tuple[Layer, Mapping[str, int]]] = ()) -> list[Point]:
    """The sizes that are let in, up to some; they must be those that the layer takes, neither more nor fewer.

    Args:
        page: what is printed.
        layer: the layer.
        alike: where the page keeps options in letters, layers to try, each with what the letters stand for in it.
    """
    text = page.hypotheses
    words = re.sub(r"\s+", " ", text.split(". ", 1)[0].rstrip("."))
    assert words.startswith("For "), text
    names = size_names(layer.ndim)
    stated, _, further = words[4:].partition(" with ")
    further = re.sub(r" \((a window fits|an output is left)\)$", "", further)
    allowed, empty = [], False
    for own, letters in alike or [(layer, {})]:
        folds = layer.kind == "fold"  # the size of its image is an option, and says how many patches there are
        for sizes in [own.patches()] if folds else product(range(FAR[layer.ndim]), repeat=layer.ndim):
            world = World({}, {**dict(zip(names, sizes, strict=True)), **letters})
            holds = all(_shared_bounds(world, part) for part in _groups(stated))
            holds = holds and (not further or all(condition(world, part, {}) for part in further.split(" and ")))
            assert holds == (min(sizes) >= 1 and own.accepts(sizes)), f"{text!r} and {sizes}, {own}: {holds}"
            if holds and own == layer:
                allowed.append(sizes)
            empty |= holds and has_empty(own, sizes)
    said = re.search(r"over no tap is −?∞|whose window has no tap in the", text) is not None
    assert said == empty, text
    return allowed


def has_empty(layer: Layer, sizes: Point) -> bool:
    """Whether a window has nothing to compare or to divide by; a norm is over the zeros of its padding too."""
    if layer.kind not in ("maxpool", "dilation", "erosion", "avgpool"):
        return False
    if layer.kind == "avgpool" and layer.divisor is not None:
        return False
    counted = layer.kind == "avgpool" and not layer.exclude_padding
    for n, axis in zip(sizes, layer.axes(), strict=True):
        low, high = (-axis.before, n + axis.after) if counted else (0, n)
        if any(not any(low <= p < high for p in row) for row in oracles.place(n, axis)):
            return True
    return False


def size_names(ndim: int, letter: str = "I") -> list[str]:
    return [letter] if ndim == 1 else [f"{letter}{axis}" for axis in range(1, ndim + 1)]


def _groups(text: str) -> Iterator[str]:
    """``I₁ ≥ 2, I₂, I₃ ≥ 1`` in its parts, each with one bound."""
    pending: list[str] = []
    for part in re.split(r", ?", text):
        pending.append(part.strip())
        if "≥" in part:
            yield ", ".join(pending)
            pending = []
    assert not pending, text


def _shared_bounds(world: World, text: str) -> bool:
    names, _, low = text.rpartition("≥")
    return all(condition(world, f"{name} ≥ {low}", {}) for name in names.split(", "))
