"""The text of a derivation taken apart: hypotheses, definitions, stages and steps, from a terminal or from LaTeX."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from readback.notation import from_latex

__all__ = ["Definition", "Page", "Stage", "Step", "phrase", "read_latex", "read_text"]


@dataclass
class Definition:
    id: str
    object: str
    entry: str
    name: str
    size: str


@dataclass
class Step:
    id: str
    left: str
    relation: str
    right: str
    reason: str = ""
    status: str = ""
    scope: str = ""
    needs: str = ""


@dataclass
class Stage:
    title: str
    domain: str
    steps: list[Step] = field(default_factory=list)


@dataclass
class Page:
    hypotheses: str
    definitions: list[Definition]
    stages: list[Stage]

    @property
    def steps(self) -> list[Step]:
        return [step for stage in self.stages for step in stage.steps]


RELATION = re.compile(r" ?(=|⊇|≤) ?")


def relation_of(line: str) -> tuple[str, str, str]:
    """``left = right`` at the first relation outside of brackets."""
    depth = 0
    for position, sign in enumerate(line):
        depth += (sign in "([{") - (sign in ")]}")
        if depth == 0 and sign in "=⊇≤":
            return line[:position].strip(), sign, line[position + 1 :].strip()
    raise AssertionError(f"no relation in {line!r}")


def definition_of(id: str, line: str) -> Definition:
    """``C: c[p] = ...   (correlation; O, with O = ...)``."""
    head, _, tail = line.rpartition("   (")
    assert head, line
    tail = tail.rstrip()
    assert tail.endswith(")"), line
    name, _, size = tail[:-1].partition("; ")
    own, colon, entry = head.partition(": ")
    if not colon or "{" in own:
        own, entry = "", head
    return Definition(id, own.strip(), entry.strip(), name.strip(), size.strip())


def read_text(text: str) -> Page:
    """What ``symconv derive`` prints."""
    lines = text.rstrip("\n").split("\n")
    assert set(lines[1]) == {"="}, lines[:2]
    assert len(lines[0]) == len(lines[1])
    hypotheses, definitions, stages, k = lines[4], [], [], 5
    for k in range(5, len(lines)):
        match = re.match(r"  (D\d) +(.*)$", lines[k])
        if match:
            definitions.append(definition_of(match[1], match[2]))
            continue
        match = re.match(r"(\S.*?)   \[(.*)\]$", lines[k])
        if match:
            stages.append(Stage(match[1], match[2]))
            continue
        match = re.match(r"  \((\d+)\) (.*)$", lines[k])
        if match:
            left, sign, right = relation_of(match[2])
            stages[-1].steps.append(Step(match[1], left, sign, right))
            continue
        step = stages[-1].steps[-1] if stages and stages[-1].steps else None
        match = re.match(r" +\[(proved|exact|refuted|undecided): (.*)\]$", lines[k])
        if match and step is not None:
            step.status = match[1]
            step.scope, _, step.needs = match[2].partition("; needs ")
        elif lines[k].strip():
            assert step is not None, lines[k]
            step.reason += (" " if step.reason else "") + lines[k].strip()
    return Page(hypotheses, definitions, stages)


def phrase(text: str) -> str:
    """A sentence in LaTeX, its mathematics read."""
    parts = re.split(r"(?<!\\)\$", text)
    plain = [
        from_latex(part).strip() if k % 2 else re.sub(r"\\([&%$#_{}])", r"\1", part) for k, part in enumerate(parts)
    ]
    return "".join(plain)


def read_latex(text: str) -> Page:
    """What ``symconv derive --format latex`` prints."""
    paragraphs = text.strip().split("\n\n")
    definitions, stages = [], []
    for paragraph in paragraphs[1:]:
        match = re.match(r"\((D\d)\) (.*)\.$", paragraph, re.DOTALL)
        if match:
            definitions.append(definition_of(match[1], phrase(match[2])))
            continue
        stages.append(_latex_stage(paragraph))
    return Page(phrase(paragraphs[0]), definitions, stages)


def _latex_stage(paragraph: str) -> Stage:
    head, _, rest = paragraph.partition(":\n\\[\n\\begin{aligned}\n")
    title, _, domain = head.rpartition(", for ")
    if not title:
        title, _, domain = head.rpartition(", at ")
        domain = f"at {domain}"
    else:
        domain = f"for {domain}"
    block, _, marks = rest.partition("\n\\end{aligned}\n\\]\n")
    stage = Stage(phrase(title), phrase(domain))
    pattern = re.compile(r"(.*?) && \\text\{\((\d+): ([^}]*)\)\}(?: \\\\\n|$)", re.DOTALL)
    end = 0
    for match in pattern.finditer(block):
        assert match.start() == end, block[end : match.start()]
        end = match.end()
        left, _, right = match[1].partition("&")
        sign, _, right = right.strip().partition(" ")
        sign = {"=": "=", r"\supseteq": "⊇", r"\leq": "≤"}[sign]
        stage.steps.append(Step(match[2], from_latex(left).strip(), sign, from_latex(right).strip(), match[3]))
    assert end == len(block), block[end:]
    for mark in marks.rstrip(".").split("; "):
        match = re.match(r"((?:\(\d+\)(?:, )?)+) (proved|exact|refuted|undecided) (.*)$", mark, re.DOTALL)
        assert match is not None, mark
        scope, _, needs = match[3].partition(" (needs ")
        for id in re.findall(r"\((\d+)\)", match[1]):
            (step,) = (s for s in stage.steps if s.id == id)
            step.status, step.scope, step.needs = match[2], phrase(scope), phrase(needs[:-1])
    assert all(step.status for step in stage.steps), paragraph
    return stage
