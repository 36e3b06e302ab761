"""The claims of a problem: right lines marked, wrong ones on tinted ground with a witness, repaired ones after."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from fractions import Fraction
from itertools import groupby
from string import ascii_lowercase
from typing import Any

from symconv.claims.claim_verdict import ClaimVerdict
from symconv.claims.meaning.family import given
from symconv.claims.meaning.scope import general_scope, mentioned
from symconv.claims.reading.language import read_claim
from symconv.claims.source import Mode
from symconv.claims.syntax import Claim, Expr, Name, Number
from symconv.claims.traversal import map_expr
from symconv.claims.traversal import words as words_of
from symconv.claims.writing import size_expr, to_latex
from symconv.errors import ClaimError, RenderError
from symconv.formulas.index import Index
from symconv.formulas.printing import LATEX
from symconv.operators.letters import Letters
from symconv.problems.answers.desk import Desk, mark_of, matrix, number_text, words
from symconv.proofs.verdict import Counterexample, Verdict
from symconv.report.colour import colour
from symconv.report.document import Band, Block, Inline, Math, Paragraph, Reason, RelationLine, Strong, Substep, Text
from symconv.report.marks import Mark
from symconv.report.mathml import to_mathml

__all__ = ["claims"]

_RANK: tuple[Mark, ...] = ("refuted", "none", "undecided", "exact", "proved")  # the weakest first
_FUNCTIONS = {
    "corr": (r"\operatorname{corr}(A, B) = A \star B", "slides the kernel as it is"),
    "conv": (
        r"\operatorname{conv}(A, B) = A \star \operatorname{rot}_{180}(B)",
        "slides it turned by a half",
    ),
    "pad": (r"\operatorname{pad}(B, r)", "has r zeros around B on every axis"),
}
MODES = {"literal": "As printed", "general": "In general"}


def claims(desk: Desk, results: Sequence[ClaimVerdict]) -> list[Block]:
    """Every claim once, in the order of the file: the verdicts as printed and in general beside each other."""
    blocks: list[Block] = []
    for number, (_, same) in enumerate(groupby(results, key=lambda result: id(result.source)), 1):
        blocks += _shown(desk, f"C{number}", list(same))
    return [*_functions(results), *blocks]


def _functions(results: Sequence[ClaimVerdict]) -> list[Block]:
    """What the functions of arrays are that claims use."""
    used = {word for result in results if result.claim is not None for word in words_of(result.claim)}
    said = [(latex, text) for name, (latex, text) in _FUNCTIONS.items() if name in used]
    if not said:
        return []
    runs: list[Inline] = [Text("In the claims")]
    for position, (latex, text) in enumerate(said):
        runs += words(" " if position == 0 else " and " if position == len(said) - 1 else ", ", Math(latex), f" {text}")
    return [Paragraph((*runs, Text(".")), wide=True)]


def _shown(desk: Desk, label: str, results: list[ClaimVerdict]) -> list[Block]:
    first = results[0]
    for number, result in zip(_numbers(label, len(results)), results, strict=True):
        desk.note(number, mark_of(result.verdict), result.verdict)
        desk.proved(number, f"claim {result.source.id}, {result.mode}", result.verdict)
        if result.status == "error":
            desk.errors.append(number)
    roles = desk.roles(Letters.of(first.source.declared.names), first.source.declared.op)
    if first.claim is None:
        return [_unread(label, first)]
    left, *rest = [to_latex(part) for part in _generalised(first, first.claim).parts]
    if not rest:
        left, rest = to_latex(Name(first.source.declared.of)), [left]
    refuted = [result for result in results if result.status == "refuted"]
    if refuted:
        return _refuted(desk, label, results, refuted, left, rest, roles)
    doubt = any(result.status in ("error", "undecided") for result in results)
    right = [colour(part, roles) for part in rest]
    reason = _reason("", [(result, _outcome(result, several=len(results) > 1)) for result in results])
    statement = _line(label, [result.verdict for result in results], colour(left, roles), right, reason, asked=doubt)
    if any(result.status == "error" for result in results):
        return [Band(words("In error"), words(f"claim {first.source.id}"), (statement,))]
    return [statement]


def _numbers(label: str, count: int) -> list[str]:
    """A number for each verdict on a claim: that of the claim, with a letter where there are several."""
    return [label] if count == 1 else [f"{label}{letter}" for letter in ascii_lowercase[:count]]


def _line(
    label: str, verdicts: Sequence[Verdict], left: str, right: Sequence[str], reason: Reason, *, asked: bool = False
) -> RelationLine:
    """A claim with the weakest of the marks of its verdicts."""
    mark = min(map(mark_of, verdicts), key=_RANK.index)
    sign = r"\overset{?}{=}" if asked else "="
    more = tuple(Math(f"{sign} {part}") for part in right[1:])
    number = label.replace("'", "-repair")
    return RelationLine(f"s-{number}", label, mark, Math(left), sign, Math(right[0]), reason, more)


def _reason(rule: str, found: Sequence[tuple[ClaimVerdict, tuple[Inline, ...]]]) -> Reason:
    """What was found, and in which reading of the claim; with a mark each where there are several verdicts."""
    if len(found) == 1:
        ((result, body),) = found
        return Reason(rule or f"{MODES[result.mode]}:", body)
    note = found[0][0].source.note
    said = words("The smallest edit that makes it true.") if rule else words(note) if note else ()
    lines = (
        Substep(letter, (Strong(f"{MODES[result.mode]}:"), Text(" "), *_read_as(result), *body), mark=mark_of(verdict))
        for letter, (result, body) in zip(ascii_lowercase, found, strict=False)
        for verdict in (result.repaired if rule and result.repaired else result.verdict,)
    )
    return Reason(rule, said, tuple(lines))


def _read_as(result: ClaimVerdict) -> tuple[Inline, ...]:
    """What the numbers of a claim stand for in general."""
    if result.mode != "general":
        return ()
    said: list[Inline] = []
    for number, meaning in result.source.declared.general.items():
        letters = [meaning] if isinstance(meaning, str) else [str(one) for one in meaning]
        latex = ", ".join(map(_latex_of, letters))
        said += words(" and " if said else "with ", Math(latex), f" for {number}")
    return (*said, Text(", ")) if said else ()


def _outcome(result: ClaimVerdict, *, several: bool = False) -> tuple[Inline, ...]:
    """What was found, in a few words; a claim in error says why. The note of one with several verdicts stands apart."""
    verdict = result.verdict
    after = _on_condition(verdict) + _given(result)
    if result.source.note and not several:
        after = f"{after} {result.source.note}"
    if result.status == "proved":
        return (*_for_all(verdict), *_maths(after))
    text = {
        "exact": "exact at the declared size",
        "undecided": f"not decided. {verdict.explanation.removesuffix('.')}",
        "error": verdict.explanation.removesuffix("."),
    }[result.status]
    return (Text(text), *_maths(after))


def _for_all(verdict: Verdict) -> tuple[Inline, ...]:
    """For all of which sizes something is proved."""
    scope = verdict.scope
    if not scope.symbolic:
        return words(f"proved {scope}")
    rest = f"; {replace(scope, symbolic=())}" if scope.fixed or scope.kept else ""
    return words("proved for all ", Math(", ".join(map(LATEX.name, scope.symbolic))), rest)


def _on_condition(verdict: Verdict) -> str:
    """The end of a sentence, with the conditions that the verdict rests on."""
    return f", on the condition that {', and that '.join(verdict.conditions)}." if verdict.conditions else "."


def _given(result: ClaimVerdict) -> str:
    """What a claim leaves unsaid and was read as, and what is declared for it: lines that look alike differ by it."""
    declared = given(result.source.declared, result.claim)
    read = f" Read so: {'; '.join(result.readings)}." if result.readings else ""
    return read + (f" Given that {', and '.join(declared)}." if declared else "")


_INDEXED = r"\b\w+\[[^\]]*\]|\b\w+(?= runs from )|(?<=runs from )[^,;]+?(?= to )|(?<= to )[^,;]+(?=, where)"
"""In what was read: entries, an index, and the ends of its range, in the language of claims."""


_NAMED = re.compile(
    rf"(?<=entries of )\w+|(?<=entry of )\w+|(?<=windows of )\w+|\b\w+(?= is the LP)|>= 0|(?P<read>{_INDEXED})"
)


def _maths(text: str) -> tuple[Inline, ...]:
    """A sentence of a verdict with its arrays as mathematics."""
    roles: list[Inline] = []
    position = 0
    for match in _NAMED.finditer(text):
        roles.append(Text(text[position : match.start()]))
        roles.append(Math(r"\ge 0") if match[0] == ">= 0" else _read(match[0]) if match["read"] else _named(match[0]))
        position = match.end()
    return (*roles, *words(*([text[position:]] if text[position:] else [])))


def _named(name: str) -> Inline:
    return Math(LATEX.name(name))


def _read(text: str) -> Inline:
    """A part of a claim; what only looks like one, in the words of an author, stays as it is."""
    try:
        return Math(_latex_of(text))
    except ClaimError:
        return Text(text)


def _latex_of(text: str) -> str:
    return to_latex(read_claim(text).parts[0])


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
    desk: Desk,
    label: str,
    results: list[ClaimVerdict],
    refuted: list[ClaimVerdict],
    left: str,
    rest: list[str],
    roles: dict[str, str],
) -> list[Block]:
    left = colour(left, roles)
    repairs = [(result, result.mended, result.repaired) for result in refuted if result.mended and result.repaired]
    right = [colour(part, roles) for part in rest]
    put_right: list[list[str]] = []
    for _, mended, _ in repairs:
        parts = [to_latex(part) for part in _generalised(results[0], mended).parts][-len(rest) :]
        put_right.append([colour(part, roles) for part in parts])
    shown = [_marked(a, b) for a, b in zip(right, put_right[0] if put_right else right, strict=True)]
    several = len(results) > 1
    found = [
        (result, _wrong(result) if result.status == "refuted" else _outcome(result, several=several))
        for result in results
    ]
    verdicts = [result.verdict for result in results]
    inner: list[Block] = [_line(label, verdicts, left, shown, _reason("", found), asked=True)]
    domain = () if several else words("at the declared size")
    for result in refuted:
        counter = result.verdict.counterexample
        if counter is None:
            continue
        if counter.sizes and not several:
            sizes = ", ".join(f"{LATEX.name(name)}={value}" for name, value in counter.sizes.items())
            domain = words("separated first at ", Math(sizes))
        inner += _witness(counter, roles, result.mode, several=len(refuted) > 1)
    title = words(f"Refuted: {results[0].source.question or results[0].source.id}")
    return [Band(title, domain, tuple(inner)), *_repairs(desk, label, repairs, left, put_right)]


def _repairs(
    desk: Desk,
    label: str,
    repairs: Sequence[tuple[ClaimVerdict, Claim, Verdict]],
    left: str,
    put_right: Sequence[list[str]],
) -> list[Block]:
    """The claim put right, once where the same edit does it in every reading."""
    groups: dict[tuple[str, ...], list[tuple[ClaimVerdict, Verdict]]] = {}
    for (result, _, repaired), parts in zip(repairs, put_right, strict=True):
        groups.setdefault(tuple(parts), []).append((result, repaired))
    blocks: list[Block] = []
    for name, (fixed, same) in zip(_numbers(label, len(groups)), groups.items(), strict=True):
        for number, (_, repaired) in zip(_numbers(f"{name}'", len(same)), same, strict=True):
            desk.note(number, mark_of(repaired), repaired)
        if len(same) == 1:
            reason = Reason("Repair.", words("The smallest edit that makes it true."))
        else:
            reason = _reason(
                "Repair.", [(result, _outcome(replace(result, verdict=v), several=True)) for result, v in same]
            )
        blocks.append(_line(f"{name}'", [repaired for _, repaired in same], left, fixed, reason))
    return blocks


def _wrong(result: ClaimVerdict) -> tuple[Inline, ...]:
    """What is wrong with a refuted claim: the edit that mends it, where there is one."""
    after_all = _on_condition(result.verdict) + _given(result)
    if not result.edit:
        return _maths((result.slip or _why(result)).removesuffix(".") + after_all)
    slip = [Text(f"{result.slip}: ")] if result.slip else []
    try:
        latex = [(_latex_of(before), _latex_of(after)) for before, after in result.changes]
    except ClaimError:
        latex = []
    pairs = [words(*(", ",) * bool(n), Math(a), " should be ", Math(b)) for n, (a, b) in enumerate(latex)]
    edit = tuple(run for pair in pairs for run in pair) if pairs else words(result.edit)
    return (*slip, *edit, *_maths(after_all))


def _why(result: ClaimVerdict) -> str:
    counter = result.verdict.counterexample
    if counter is None:
        return result.verdict.explanation
    if counter.entry is not None:
        return "an entry is read that does not exist."
    return "the two sides differ, and none of the small edits that were tried makes the claim true."


def _witness(counter: Counterexample, roles: dict[str, str], mode: Mode, *, several: bool) -> list[Block]:
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
        text = words("As few entries as possible are not 0.")
        if mode == "general" and not several:
            text = words("No smaller size separates the two sides.")
        elif mode == "general":
            sizes = ", ".join(f"{LATEX.name(name)}={value}" for name, value in counter.sizes.items())
            text = words("No smaller size than ", Math(sizes), " separates the two sides.")
        reason = Reason(f"Witness {MODES[mode].lower()}." if several else "Witness.", text)
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
_MARKABLE = re.compile(r"\\operatorname\{[a-z]+\}|[A-Za-z]|\d+|[+-]")
_COMPARED = 600  # tokens; longer formulas are compared token by token, and marked where they have one shape


def _marked(wrong: str, right: str) -> str:
    """The wrong formula with the tokens marked that the repaired one does not have there."""
    ours, theirs = _TOKEN.findall(wrong), _TOKEN.findall(right)
    if len(ours) == len(theirs):
        different = {k for k, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b}
    elif len(ours) <= _COMPARED:
        pairs = SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
        different = {k for kind, begin, end, _, _ in pairs if kind != "equal" for k in range(begin, end)}
    else:
        return wrong
    different = {k for k in different if _MARKABLE.fullmatch(ours[k])}
    marked = "".join(rf"\SCbad{{{token}}}" if k in different else token for k, token in enumerate(ours))
    try:
        to_mathml(marked)
    except RenderError:  # a token in a place that takes no colour
        return wrong
    return marked
