"""A class of made-up students: what each would hand in to `homework.toml`, right or with a planted slip."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import plain_answers as plain

HOMEWORK = Path(__file__).with_name("homework.toml")


class Sheet:
    """A variant as its student sees it: arrays by what the questions name, and the names of the items."""

    def __init__(self, exercise: str, form: str) -> None:
        table = tomllib.loads(exercise)
        questions = {question["id"]: question for question in table["questions"]}
        data = table["data"]
        self.x, self.w = data[questions["2"]["input"]], data[questions["2"]["weight"]]
        self.p, self.g = data[questions["4"]["input"]], data[questions["4"]["upstream"]]
        self.h = data[questions["6"]["upstream"]]
        self.items = list(tomllib.loads(form)["answers"])
        of_weight = f"dE/d{questions['4']['weight']}"
        of_input = next(name for name in self.items if name.startswith("4 ") and of_weight not in name)
        self.names = {"4w": f"4 {of_weight}", "4x": of_input}

    def right(self) -> dict[str, Any]:
        """Every answer without a slip, by the name that `SLIPS` uses."""
        y = plain.convolved(self.x, self.w, 2, 1)
        return {
            "1": "3 x 3",
            "2": y,
            "3": plain.pooled(y, 2, 1, "max"),
            "4w": plain.weight_gradient(self.p, self.w, self.g),
            "4x": plain.input_gradient(self.p, self.w, self.g),
            "5": plain.pooled(self.p, 2, 2, "mean"),
            "6": plain.max_gradient(self.p, 2, 1, self.h, "winner"),
        }

    def form(self, answers: dict[str, Any]) -> str:
        """The form, filled in."""
        lines = ["[answers]"]
        for name, value in answers.items():
            shown = value if isinstance(value, str) else plain.text(value)
            lines.append(f'"{self.names.get(name, name)}" = "{shown}"')
        return "\n".join(lines) + "\n"


def follow(sheet: Sheet, answers: dict[str, Any]) -> dict[str, Any]:
    """The answers after one is wrong: question 3 works on with what the student has for question 2."""
    return {**answers, "3": plain.pooled(answers["2"], 2, 1, "max")}


SLIPS: dict[tuple[str, str], Callable[[Sheet], Any]] = {
    ("2", "kernel-flipped"): lambda s: plain.convolved(s.x, plain.turned(s.w), 2, 1),
    ("2", "stride-forgotten"): lambda s: plain.convolved(s.x, s.w, 1, 1),
    ("2", "padding-forgotten"): lambda s: plain.convolved(s.x, s.w, 2, 0),
    ("2", "weight-transposed"): lambda s: plain.convolved(s.x, plain.transposed(s.w), 2, 1),
    ("2", "sign"): lambda s: [[-v for v in row] for row in plain.convolved(s.x, s.w, 2, 1)],
    ("2", "transposed"): lambda s: plain.transposed(plain.convolved(s.x, s.w, 2, 1)),
    ("3", "average-for-maximum"): lambda s: plain.pooled(plain.convolved(s.x, s.w, 2, 1), 2, 1, "mean"),
    ("3", "minimum"): lambda s: plain.pooled(plain.convolved(s.x, s.w, 2, 1), 2, 1, "min"),
    ("4x", "kernel-flipped"): lambda s: plain.input_gradient(s.p, plain.turned(s.w), s.g),
    ("4x", "weight-transposed"): lambda s: plain.input_gradient(s.p, plain.transposed(s.w), s.g),
    ("4w", "kernel-flipped"): lambda s: plain.turned(plain.weight_gradient(s.p, s.w, s.g)),
    ("4w", "transposed"): lambda s: plain.transposed(plain.weight_gradient(s.p, s.w, s.g)),
    ("5", "not-divided"): lambda s: plain.pooled(s.p, 2, 2, "sum"),
    ("5", "wrong-divisor"): lambda s: plain.pooled(s.p, 2, 2, "side"),
    ("5", "maximum-for-average"): lambda s: plain.pooled(s.p, 2, 2, "max"),
    ("5", "stride-forgotten"): lambda s: plain.pooled(s.p, 2, 1, "mean"),
    ("6", "gradient-to-all"): lambda s: plain.max_gradient(s.p, 2, 1, s.h, "all"),
    ("6", "gradient-in-shares"): lambda s: plain.max_gradient(s.p, 2, 1, s.h, "shares"),
    ("6", "overlap-not-added"): lambda s: plain.max_gradient(s.p, 2, 1, s.h, "last"),
    ("1", "stride-forgotten"): lambda s: "5 x 5",
    ("1", "padding-forgotten"): lambda s: "2 x 2",
}
"""Slips by the item that they are in and the name that is due."""
