"""The claims of a problem: right lines marked, wrong ones on tinted ground with a witness, repaired ones after."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from symconv.claims.claim_verdict import ClaimVerdict
from symconv.claims.meaning.family import given
from symconv.claims.meaning.scope import general_scope, mentioned
from symconv.claims.syntax import Claim, Expr, Name, Number
from symconv.claims.traversal import map_expr
from symconv.claims.writing import size_expr, to_latex
from symconv.errors import RenderError
from symconv.formulas.index import Index
from symconv.formulas.printing import LATEX
from symconv.operators.letters import Letters
from symconv.problems.answers.desk import Desk, mark_of, matrix, number_text, words
from symconv.proofs.verdict import Counterexample
from symconv.report.colour import colour
from symconv.report.document import Band, Block, Inline, Math, Paragraph, Reason, RelationLine, Text
from symconv.report.marks import Mark
from symconv.report.mathml import to_mathml

__all__ = ["claims"]

MODES = {"literal": "As printed", "general": "In general"}


def claims(desk: Desk, results: Sequence[ClaimVerdict]) -> list[Block]:
    """One statement a verdict, in the order of the file."""
    blocks: list[Block] = []
    for number, result in enumerate(results, 1):
        blocks += _shown(desk, f"C{number}", result)
    return blocks


def _shown(desk: Desk, label: str, result: ClaimVerdict) -> list[Block]:
    mark: Mark = mark_of(result.verdict)
    desk.note(label, mark, result.verdict)
    desk.proved(label, f"claim {result.source.id}, {result.mode}", result.verdict)
    if result.status == "error":
        desk.errors.append(label)
    roles = desk.roles(Letters.of(result.source.declared.names), result.source.declared.op)
    if result.claim is None:
        return [_unread(label, result)]
    claim = _generalised(result, result.claim)
    left, *rest = [to_latex(part) for part in claim.parts]
    if not rest:
        left, rest = to_latex(Name(result.source.declared.of)), [left]
    if result.status == "refuted":
        return _refuted(desk, label, result, left, rest, roles)
    reason = Reason(f"{MODES[result.mode]}:", _outcome(result))
    sign = r"\overset{?}{=}" if result.status in ("error", "undecided") else "="
    statement = RelationLine(
        f"s-{label}",
        label,
        mark,
        Math(colour(left, roles)),
        sign,
        Math(colour(rest[0], roles)),
        reason,
        tuple(Math(f"= {colour(part, roles)}") for part in rest[1:]),
    )
    if result.status == "error":
        return [Band(words("In error"), words(f"claim {result.source.id}"), (statement,))]
    return [statement]


def _outcome(result: ClaimVerdict) -> tuple[Inline, ...]:
    """What was found, in a few words; a claim in error says why."""
    text = {
        "proved": f"proved {result.verdict.scope}.",
        "exact": "exact at the declared size.",
        "undecided": "not decided. " + result.verdict.explanation,
        "error": result.verdict.explanation,
    }[result.status]
    text = _on_condition(text, result) + _given(result)
    if result.source.note:
        text += f" {result.source.note}"
    return words(text)


def _on_condition(text: str, result: ClaimVerdict) -> str:
    """A sentence with the conditions that the verdict rests on."""
    conditions = result.verdict.conditions
    return f"{text[:-1]}, on the condition that {', and that '.join(conditions)}." if conditions else text


def _given(result: ClaimVerdict) -> str:
    """What is declared for a claim, as a sentence: two lines that look alike differ by it."""
    declared = given(result.source.declared, result.claim)
    return f" Given that {', and '.join(declared)}." if declared else ""


def _unread(label: str, result: ClaimVerdict) -> Band:
    """A claim that cannot be read is shown as it was written."""
    source = result.source.latex or result.source.text
    body = (Text(f"{source}: {result.verdict.explanation}"),)
    return Band(words("In error"), words(f"claim {result.source.id}"), (Paragraph(body, number=label),))


# ---------------------------------------------------------------------- general form


def _generalised(result: ClaimVerdict, claim: Claim) -> Claim:
    """The claim with its numbers replaced by what they stand for, where it is meant for all sizes."""
    if result.mode != "general" or not result.source.declared.general:
        return claim
    scope = general_scope(result.source.declared)
    spans: dict[str, list[tuple[int, int]]] = {}
    for part in claim.parts:
        for value, places in mentioned(part).items():
            spans.setdefault(value, []).extend(places)
    scope.note_numbers(spans)

    def change(expr: Expr) -> Expr | None:
        if isinstance(expr, Number):
            value = scope.number(expr)
            if isinstance(value, Index) and value.value is None:
                return size_expr(value)
        return None

    return replace(claim, parts=tuple(map_expr(part, change) for part in claim.parts))


# ---------------------------------------------------------------------- refuted claims


def _refuted(
    desk: Desk, label: str, result: ClaimVerdict, left: str, rest: list[str], roles: dict[str, str]
) -> list[Block]:
    mended = _generalised(result, result.mended) if result.mended is not None else None
    repaired = [to_latex(part) for part in mended.parts][-len(rest) :] if mended is not None else rest
    shown = [_marked(colour(a, roles), colour(b, roles)) for a, b in zip(rest, repaired, strict=True)]
    why = words(_on_condition(f"{result.edit}." if result.edit else _why(result), result) + _given(result))
    inner: list[Block] = [
        RelationLine(
            f"s-{label}",
            label,
            "refuted",
            Math(colour(left, roles)),
            r"\overset{?}{=}",
            Math(shown[0]),
            Reason(f"{MODES[result.mode]}:", why),
            tuple(Math(rf"\overset{{?}}{{=}} {part}") for part in shown[1:]),
        )
    ]
    counter = result.verdict.counterexample
    domain = words("at the declared size")
    if counter is not None:
        if counter.sizes:
            sizes = ", ".join(f"{LATEX.name(name)}={value}" for name, value in counter.sizes.items())
            domain = words("separated first at ", Math(sizes))
        inner += _witness(counter, roles, searched=result.mode == "general")
    title = words(f"Refuted: {result.source.question or result.source.id}")
    blocks: list[Block] = [Band(title, domain, tuple(inner))]
    if mended is not None and result.repaired is not None:
        after = f"{label}'"
        mark = mark_of(result.repaired)
        desk.note(after, mark, result.repaired)
        reason = Reason("Repair.", words("The smallest edit that makes it true."))
        parts = [colour(part, roles) for part in repaired]
        blocks.append(
            RelationLine(
                f"s-{label}-repair",
                after,
                mark,
                Math(colour(left, roles)),
                "=",
                Math(parts[0]),
                reason,
                tuple(Math(f"= {part}") for part in parts[1:]),
            )
        )
    return blocks


def _why(result: ClaimVerdict) -> str:
    counter = result.verdict.counterexample
    if counter is None:
        return result.verdict.explanation
    if counter.entry is not None:
        return "an entry is read that does not exist."
    return "the two sides differ, and no small edit makes the claim true."


def _witness(counter: Counterexample, roles: dict[str, str], *, searched: bool) -> list[Block]:
    """The arrays, the entry, and what either side gives there; or the entry that does not exist."""
    if counter.entry is not None:
        return [_missing(counter)]
    pieces = []
    for name, entries in counter.tensors.items():
        if not entries:
            continue
        rows = counter.matrix(name)
        if isinstance(rows, list):
            pieces.append(f"{LATEX.name(name[0].upper() + name[1:])} = {matrix(rows).latex}")
        else:
            pieces.append(f"{LATEX.name(name)} = {number_text(rows)}")
    if counter.indices:
        pieces.append(", ".join(f"{LATEX.name(name)}={value}" for name, value in counter.indices.items()))
    left, right = _value(counter.left), _value(counter.right)
    blocks: list[Block] = []
    if pieces:
        text = "No smaller size separates the two sides." if searched else "As few entries as possible are not 0."
        reason = Reason("Witness.", words(text))
        blocks.append(RelationLine("", "", "none", Math(""), "", Math(colour(r",\qquad ".join(pieces), roles)), reason))
    values = words("The left side is ", Math(left), ", the right side ", Math(rf"\SCbad{{{right}}}"), ".")
    blocks.append(Paragraph(values))
    return blocks


def _missing(counter: Counterexample) -> Paragraph:
    assert counter.entry is not None
    tensor, index = counter.entry
    entry = rf"{LATEX.name(tensor)}_{{{', '.join(map(str, index))}}}"
    exist = r" \times ".join(rf"\{{{low}, \dots, {high}\}}" for low, high in counter.boxes[tensor])
    where = ", ".join(f"{LATEX.name(name)}={value}" for name, value in counter.indices.items())
    at = ("At ", Math(where), " it") if where else ("It",)
    bad = Math(rf"\SCbad{{{entry}}}")
    return Paragraph(
        words(*at, " reads ", bad, "; the entries of ", Math(LATEX.name(tensor)), " are ", Math(exist), ".")
    )


def _value(value: Any) -> str:
    return number_text(value) if isinstance(value, Fraction) else re.sub(r"[^0-9A-Za-z.,/+\- ]", "", str(value))


_TOKEN = re.compile(r"\\operatorname\{[a-z]+\}|\\[A-Za-z]+|[A-Za-z]|\d+|.", re.S)
_MARKABLE = re.compile(r"\\operatorname\{[a-z]+\}|[A-Za-z]|\d+")


def _marked(wrong: str, right: str) -> str:
    """The wrong formula with the tokens that differ from the repaired one marked, where both have the same shape."""
    ours, theirs = _TOKEN.findall(wrong), _TOKEN.findall(right)
    if len(ours) != len(theirs):
        return wrong
    different = [k for k, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b]
    if not different or any(not _MARKABLE.fullmatch(ours[k]) for k in different):
        return wrong
    marked = "".join(rf"\SCbad{{{token}}}" if k in different else token for k, token in enumerate(ours))
    try:
        to_mathml(marked)
    except RenderError:  # a token in a place that takes no colour
        return wrong
    return marked
