"""The ``[[claims]]`` of a problem file: what each key takes, and the `ClaimSource` made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from symconv.claims.declarations import Declarations
from symconv.claims.meaning.naming import CHANNELS, SIZES
from symconv.claims.meaning.scope import ARRAY_KINDS, MATRICES, NORMS, QUANTITIES, VALUES
from symconv.claims.reading.lexicon import spelled
from symconv.claims.source import ClaimSource, Mode
from symconv.errors import ArgumentError
from symconv.operators.letters import Letters
from symconv.problems import schema
from symconv.problems.problem import Settled
from symconv.problems.schema import Key, Where, check_table
from symconv.problems.tables import OUTSIDE

__all__ = ["CLAIM", "meanings", "read_claims", "read_declared", "source_of", "words_of"]


def _modes(value: Any, where: Where) -> tuple[str, ...]:
    read = schema.one_of("literal", "general")
    found = tuple(read(entry, where) for entry in (value if isinstance(value, list) else [value]))
    if not found or len(set(found)) < len(found):
        raise where.error('must list "literal", "general" or both, each once')
    return found


def meanings(value: Any, where: Where) -> dict[str, Any]:
    """What numbers of a claim stand for: one size expression, or one an occurrence."""
    if not isinstance(value, dict):
        raise where.error('must be a table such as { 3 = "K" } or { 3 = ["K", "O"] }')
    result: dict[str, Any] = {}
    for key, entry in value.items():
        if not key.isdigit():
            raise where.at(key).error("must be a number of the claim", 'write { 3 = "K" }')
        result[key] = (
            tuple(schema.text(e, where.at(key)) for e in entry)
            if isinstance(entry, list)
            else (schema.text(entry, where.at(key)))
        )
    return result


def words_of(*allowed: str) -> Any:
    def read(value: Any, where: Where) -> dict[str, str]:
        table = schema.mapping(value, where)
        pick = schema.one_of(*allowed)
        return {key: pick(entry, where.at(key)) for key, entry in table.items()}

    return read


UNIQUE = "unique maxima"
"""The assumption that no window of a maximum has two largest entries."""


def _assumptions(value: Any, where: Where) -> tuple[str, ...]:
    """Assumptions such as "x >= 0", as the letters that they speak of, and that maxima are unique."""
    letters = []
    for text in schema.texts(value, where):
        if text == UNIQUE:
            letters.append(text)
            continue
        left, sign, right = text.partition(">=")
        if not sign or right.strip() != "0" or not left.strip().isidentifier():
            raise where.error(f'must be of the form "x >= 0", or "{UNIQUE}", got {text!r}')
        letters.append(left.strip())
    return tuple(letters)


def _upstream(value: Any, where: Where) -> Any:
    """What the upstream gradient is, or its letter with the array that it is the gradient by."""
    if isinstance(value, dict):
        return schema.mapping(value, where)
    return schema.one_of("any", "ones")(value, where)


CLAIM: dict[str, Key] = {
    "id": Key(schema.text, "the name of the claim", required=True),
    "operator": Key(schema.text, "the operator that it is about"),
    "text": Key(schema.text, 'the claim, such as "diff(c[p,q], a[i,j]) == b[i-p+1, j-q+1]"'),
    "latex": Key(schema.text, "the claim as LaTeX instead"),
    "question": Key(
        schema.text,
        "the question that it belongs to; its names and index_base, and what it says of outside, hold for the claim",
    ),
    "check": Key(_modes, '"literal" (at the declared size), "general" (for all sizes), or both', example='"general"'),
    "sizes": Key(
        words_of(*SIZES, *CHANNELS),
        "letters for sizes: " + ", ".join((*SIZES, *CHANNELS)),
        example='{ I = "input", K = "kernel" }',
    ),
    "general": Key(
        meanings, "what numbers stand for in general, one for all or one an occurrence", example='{ 3 = "K" }'
    ),
    "indices": Key(schema.mapping, "ranges of free indices, where they are not clear", example='{ i = "output 1" }'),
    "functions": Key(
        words_of(*NORMS, *VALUES, *ARRAY_KINDS),
        f"letters for functions: norms over a set ({', '.join(NORMS)}), of one value ({', '.join(VALUES)}), of arrays "
        f"({', '.join(ARRAY_KINDS)})",
        example='{ L = "lp" }',
    ),
    "quantities": Key(
        words_of(*QUANTITIES),
        "letters for counts of the layer: " + ", ".join(QUANTITIES),
        example='{ N = "parameters" }',
    ),
    "matrices": Key(
        words_of(*MATRICES),
        "letters for matrices, with images row by row: toeplitz takes the input to the output, im2col the kernel",
        example='{ T = "toeplitz" }',
    ),
    "sets": Key(schema.texts, "letters for window sets", example='["S"]'),
    "upper": Key(schema.text, "an upper index that is no power, such as a channel", example='"k"'),
    "star": Key(
        schema.one_of("correlation", "convolution"),
        "what a bare asterisk between arrays means",
        example='"correlation"',
    ),
    "upstream": Key(
        _upstream,
        'the upstream gradient: "any", or all "ones"; or the letter for it, and the output that it is the gradient by',
        example='"ones"',
    ),
    "outside": Key(
        schema.one_of(*OUTSIDE),
        'what an entry such as b[i-p] counts as where there is none: "zero" or "undefined"',
        example='"zero"',
    ),
    "assume": Key(
        _assumptions, f'signs of entries, and "{UNIQUE}": no window has two largest entries', example='["x >= 0"]'
    ),
    "of": Key(schema.text, 'what a single value is for: "size", or the array of the output', example='"size"'),
    "names": Key(schema.mapping, "letters for this claim, in place of those of its question, its operator or the file"),
    "index_base": Key(schema.base, "0 or 1, for this claim only", example="0"),
    "note": Key(schema.text, "a remark, printed beside it"),
}


DECLARED = (
    *("operator", "check", "sizes", "indices", "functions", "quantities", "matrices", "sets", "upper", "star"),
    *("upstream", "assume", "of"),
)
"""The keys of a claim that a file or a question may have for all of its claims."""


def read_declared(table: Any, where: Where, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a file or a question declares for its claims, added to what was declared before.

    Raises:
        ProblemFileError: for anything that the schema does not allow.
    """
    keys = {name: CLAIM[name] for name in DECLARED}
    return with_own(before or {}, check_table(table, keys, where, "what is declared for claims"))


def with_own(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """What is declared for all claims with what one has of its own, which counts where both say something."""
    both = [name for name in own if isinstance(own[name], dict) and isinstance(shared.get(name), dict)]
    joined = {name: {**shared[name], **own[name]} for name in both if name != "upstream"}
    return {**shared, **own, **joined}


def read_claims(
    entries: Any,
    where: Where,
    operators: Mapping[str, Any],
    data: Mapping[str, Any],
    file: Settled,
    questions: Mapping[str, Settled],
) -> tuple[ClaimSource, ...]:
    """The claims of a problem file, in order.

    Args:
        entries: the tables.
        where: their place.
        operators, data: what the file declares.
        file: what is settled for claims that belong to no question.
        questions: and for those that belong to one, by its id.

    Raises:
        ProblemFileError: for anything that the schema does not allow. What a claim says is not looked at here: a claim
            that cannot be read is a verdict.
    """
    if not isinstance(entries, list):
        raise where.at("claims").error("must be tables [[claims]]")
    result: list[ClaimSource] = []
    for position, entry in enumerate(entries, 1):
        label = entry.get("id") if isinstance(entry, dict) else None
        here = where.at(f"claim {label!r}" if isinstance(label, str) else f"claim {position}")
        own = check_table(entry, CLAIM, here, "a claim")
        settled = questions.get(own.get("question", ""), file)
        read = with_own(settled.declared, own)
        if "operator" not in read:
            raise here.error("a claim needs the key 'operator'", CLAIM["operator"].doc)
        if any(source.id == read["id"] for source in result):
            raise here.error(f"the id {read['id']!r} is used twice", "give every claim its own id")
        if ("text" in read) == ("latex" in read):
            raise here.error("must have either text or latex")
        for key, known in (("operator", operators), ("question", questions)):
            if key in read and read[key] not in known:
                what = f"declared: {', '.join(known)}" if known else "none is"
                raise here.at(key).error(f"names {read[key]!r}, which is not declared; {what}")
        result.append(source_of(read, here, settled, operators, data))
    return tuple(result)


def source_of(
    read: Mapping[str, Any],
    where: Where,
    settled: Settled,
    operators: Mapping[str, Any],
    data: Mapping[str, Any],
) -> ClaimSource:
    """The claim of a table, with all that is declared for it."""
    declared = operators[read["operator"]]
    own = {} if "question" in read else declared.letters  # a question has settled them
    letters = {role: spelled(name) for role, name in {**settled.names, **own, **read.get("names", {})}.items()}
    upstream = read.get("upstream", "any")
    if isinstance(upstream, dict):
        if len(upstream) != 1:
            raise where.at("upstream").error("must name one letter", 'such as { delta = "y" }')
        ((letter, array),) = upstream.items()
        output = letters.get("output", Letters().output)
        if spelled(array).lower() != output.lower():
            raise where.at("upstream").error(f"names {array!r}, and the output is {output!r}")
        letters["upstream"], upstream = spelled(letter), "any"
    try:
        Letters.of(letters)
    except ArgumentError as error:
        raise where.at("names").error(str(error)) from None
    modes = read.get("check", ("literal", "general") if "general" in read else ("literal",))
    return ClaimSource(
        read["id"],
        Declarations(
            declared.op,
            declared.input_size,
            operators,
            letters,
            read.get("index_base", settled.base),
            data,
            read.get("sizes", {}),
            read.get("general", {}),
            read.get("indices", {}),
            read.get("functions", {}),
            read.get("sets", ()),
            read.get("upper", ""),
            read.get("star", ""),
            upstream,
            tuple(one for one in read.get("assume", ()) if one != UNIQUE),
            read.get("of", ""),
            read.get("outside", settled.outside),
            read.get("quantities", {}),
            read.get("matrices", {}),
            UNIQUE in read.get("assume", ()),
        ),
        read.get("text", ""),
        read.get("latex", ""),
        cast("tuple[Mode, ...]", modes),
        read.get("question", ""),
        read.get("note", ""),
    )
