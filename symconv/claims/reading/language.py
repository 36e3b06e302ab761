"""Claims in a small language that looks like Python: read by `ast.parse` through a whitelist, never run.

``c[i,j] == sum(a[i+m-1, j+n-1]*b[m,n], (m,1,K), (n,1,K))``. The forms with a meaning of their own:

- ``sum(body, (m, 1, K), (n, 1, K))``, first range outermost, and ``sum(x[s,t], (s,t) in S)``; ``max`` likewise;
- ``diff(c[p,q], a[i,j])``, ``limit(body, p, oo)``, ``cases((1, m == i, n == j), (0,))``;
- ``[[1, 2], [3, 4]]`` a matrix, ``setof(x[s], s in S)`` a set;
- ``upper(x[i], k)`` an upper index, ``c["ij"]`` a subscript whose letters the rank of c tells apart, ``star(A, B)``,
  ``ast(A, B)`` and ``odot(A, B)`` the signs between arrays: what LaTeX can say and Python cannot;
- ``entry(star(A, B), i, j)`` an entry of an array that has no name;
- ``A**transposed`` and ``sum(w[m], m in everywhere)``, over all m at which the entries that are read exist.

Every other call is kept as it stands; whether there is such a function is a question for whoever gives it a meaning.
"""

from __future__ import annotations

import ast
import keyword
import re
from typing import Any

from symconv.claims.reading.limits import DEPTH, TERMS, check_size, check_text, read_number
from symconv.claims.syntax import (
    Binary,
    Call,
    Cases,
    Claim,
    Condition,
    Derivative,
    Entry,
    Expr,
    Limit,
    MatrixLiteral,
    Name,
    Negate,
    Number,
    Over,
    Raised,
    Range,
    Relation,
    SetOf,
    Span,
    sum_over,
)
from symconv.errors import ClaimError

__all__ = ["read_claim"]

NAME_LENGTH = 32

_TOKEN = re.compile(
    r"""(?P<number>[0-9]+\.?[0-9]*|\.[0-9]+) | (?P<name>[A-Za-z][A-Za-z0-9_]*) | (?P<text>"[^"]*")
      | (?P<sign>\*\*|//|==|<=|>=|[-+*/%()\[\],<>])""",
    re.VERBOSE,
)
_ADVICE = {
    "=": "== for an equation",
    "^": "** for a power",
    ":": "a formula: there are no slices, annotations or assignments here",
    ".": "a formula: nothing has attributes here",
    "!": "==, <=, >=, < or >",
    "|": "abs(x), or size(S) for a number of elements",
    "\\": "a formula; LaTeX is read by `read_latex`",
    "$": "a formula; LaTeX is read by `read_latex`",
    "{": "( or [",
    "}": ") or ]",
    "'": "a formula: there are no strings here",
    '"': "a formula: there are no strings here",
    "_": "a name that begins with a letter",
}
_WORDS = {
    "lambda": "lamda for the Greek letter",
    "if": "cases((value, condition), (other value,))",
    "else": "cases((value, condition), (other value,))",
    "for": "sum(body, (m, 1, K))",
}
_CLOSING = {"(": ")", "[": "]"}
_OPERATORS: dict[type[ast.operator], Any] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_RELATIONS: dict[type[ast.cmpop], Relation] = {
    ast.Eq: "==",
    ast.LtE: "<=",
    ast.GtE: ">=",
    ast.Lt: "<",
    ast.Gt: ">",
}


def read_claim(text: str) -> Claim:
    """The syntax tree of a claim in the language of this module.

    Args:
        text: the claim, at most 4,000 characters of ASCII; it may span lines, and may begin with a relation, when it
            goes on from the claim before it.

    Raises:
        ClaimError: with the place, what was found there and what was expected.

    >>> read_claim("size == (I - K)/2 + 0.5").relations
    ('==',)
    >>> read_claim("c[i] = 1")
    Traceback (most recent call last):
    symconv.errors.ClaimError: column 6: found '=', expected == for an equation
        c[i] = 1
             ^
    """
    check_text(text, latex=False)
    begin, continues = _check_pieces(text)
    # One line inside brackets, so that blanks and line ends mean nothing and offsets stay those of the source.
    line = "(" + " " * begin + re.sub(r"\s", " ", text[begin:]) + ")"
    try:
        tree = ast.parse(line, mode="eval").body
        claim = _Reader(text).claim(tree, continues)
    except SyntaxError as error:
        position = min(max((error.offset or 1) - 2, 0), len(text) - 1)
        raise ClaimError(f"found {text[position]!r}", "a formula", source=text, position=position) from None
    except (ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, ClaimError):
            raise
        raise ClaimError("the claim is nested too deeply", f"at most {DEPTH} levels") from None
    check_size(claim)
    return claim


def _check_pieces(text: str) -> tuple[int, Relation | None]:
    """Only the pieces of the language, in an order it knows, reach Python's parser: nothing else of Python does.

    Returns:
        the offset of the formula, and the relation before it, if it begins with one.
    """
    position, before, begin, continues = 0, "", 0, None
    brackets: list[tuple[str, int]] = []

    def error(found: str, expected: str) -> ClaimError:
        return ClaimError(found, expected, source=text, position=position)

    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        match = _TOKEN.match(text, position)
        if match is None:
            raise error(f"found {text[position]!r}", _ADVICE.get(text[position], "a number, a name or an operator"))
        piece, end = match[0], match.end()
        if match["text"]:
            if before != "[" or text[end:].lstrip()[:1] != "]" or not re.fullmatch(r'"[A-Za-z0-9 ]+"', piece):
                raise error("found '\"'", _ADVICE['"'])
        elif match["number"] or match["name"]:
            advice = _word_advice(piece, text[end : end + 1])
            if advice:
                raise error(f"found {piece!r}" if len(piece) < 40 else f"found a word of {len(piece)} letters", advice)
            if _is_operand(before) and piece != "in":
                raise error(f"found {piece!r}", f"an operator after {before!r}, such as *")
        elif piece in _RELATIONS.values() and not before:
            begin, continues = end, next(r for r in _RELATIONS.values() if r == piece)
        elif piece in _CLOSING:
            brackets.append((piece, position))
            if len(brackets) > DEPTH:
                raise error("the claim is nested too deeply", f"at most {DEPTH} brackets inside each other")
        elif piece in _CLOSING.values() and (not brackets or _CLOSING[brackets.pop()[0]] != piece):
            raise error(f"found {piece!r}", "a bracket opened before it")
        elif piece not in ("+", "-") and not _is_operand(before):
            empty = piece in (")", "]") and before in (",", "(")  # a call without values, or a tuple such as (0,)
            if not empty:
                raise error(f"found {piece!r}", "a number or a name before it")
        before, position = piece, end
    if brackets:
        bracket, position = brackets[-1]
        raise error(f"found {bracket!r} without its {_CLOSING[bracket]!r}", "a closing bracket")
    if not _is_operand(before):
        raise error("the claim ends too early", "a number or a name after its last operator")
    return begin, continues


def _is_operand(piece: str) -> bool:
    """Whether a piece can end a value, so that an operator must follow it."""
    return piece[-1:] in (")", "]", '"') or (piece[-1:].isalnum() and piece != "in") or piece[-1:] in ("_", ".")


def _word_advice(piece: str, after: str) -> str:
    """What to write instead of a number or a word that the language does not have; nothing for one that it has."""
    if not piece[0].isalpha():
        if re.match(r"0[0-9]", piece):
            return "a number without leading zeros"
        glued = re.match(r"[A-Za-z_.]", after)
        return "a plain number, and an operator after it: 2*P rather than 2P" if glued else ""
    if keyword.iskeyword(piece) and piece != "in":
        return _WORDS.get(piece, "a name or an operator; this is a word of Python")
    if len(piece) > NAME_LENGTH:
        return f"a name of at most {NAME_LENGTH} letters"
    if "__" in piece:
        return "a name without double underscores"
    return _ADVICE['"'] if after == '"' else ""


class _Reader:
    """The walk from Python's tree to the tree of claims: what is not named here is refused."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.steps = 0

    def error(self, node: ast.AST, found: str, expected: str) -> ClaimError:
        return ClaimError(found, expected, source=self.source, position=self.span(node)[0])

    def span(self, node: ast.AST) -> Span:
        # The source stands one column further in the parsed line, behind a bracket.
        return max(getattr(node, "col_offset", 1) - 1, 0), getattr(node, "end_col_offset", 1) - 1

    def claim(self, node: ast.expr, continues: Relation | None) -> Claim:
        if not isinstance(node, ast.Compare):
            return Claim((self.expr(node),), (), self.source, (), continues)
        parts = tuple(self.expr(part) for part in (node.left, *node.comparators))
        return Claim(parts, tuple(self.relation(op, node) for op in node.ops), self.source, (), continues)

    def relation(self, op: ast.cmpop, node: ast.expr) -> Relation:
        relation = _RELATIONS.get(type(op))
        if relation is None:
            raise self.error(node, f"found the relation '{_words(op)}'", "==, <=, >=, < or >")
        return relation

    def expr(self, node: ast.expr) -> Expr:
        self.steps += 1
        if self.steps > TERMS:
            raise self.error(node, "the claim has a chain of too many terms", f"at most {TERMS}")
        expr = self.walk(node)
        self.steps -= 1
        return expr

    def walk(self, node: ast.expr) -> Expr:
        span = self.span(node)
        match node:
            case ast.Constant(value=bool() | str() | bytes() | None | complex()):
                raise self.error(node, "found text in quotes", "a number or a name")
            case ast.Constant():
                return Number(read_number(self.source[span[0] : span[1]], self.source, span[0]), span)
            case ast.Name(id=name):
                return Name(name, span)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Negate(self.expr(operand), span)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.expr(operand)
            case ast.BinOp(left=left, op=op, right=right):
                return self.binary(self.expr(left), op, self.expr(right), node)
            case ast.Subscript():
                return self.entry(node)
            case ast.List():
                return self.matrix(node)
            case ast.Call():
                return self.call(node)
            case ast.Tuple():
                raise self.error(node, "found several values in brackets", "one value")
            case ast.Compare():
                raise self.error(node, "found a relation inside a formula", "a value")
        raise self.error(node, f"found {_words(node)}", "a number, a name, an operator or a call")

    def binary(self, left: Expr, op: ast.operator, right: Expr, node: ast.expr) -> Expr:
        span = self.span(node)
        if isinstance(op, ast.Pow):
            return Raised(left, right, span)
        if isinstance(op, ast.FloorDiv):
            return Call("floor", (Binary("/", left, right, span),), span)
        if isinstance(op, ast.Mod):
            return Call("mod", (left, right), span)
        if type(op) not in _OPERATORS:
            raise self.error(node, f"found {_words(op)}", "+, -, *, / or **")
        return Binary(_OPERATORS[type(op)], left, right, span)

    def entry(self, node: ast.Subscript) -> Entry:
        if not isinstance(node.value, ast.Name):
            raise self.error(node, "found an index after something that is no name", "a name before the bracket")
        inside = node.slice
        if isinstance(inside, ast.Constant) and isinstance(inside.value, str):
            return Entry(node.value.id, self.joined(inside, inside.value), None, True, self.span(node))
        items = inside.elts if isinstance(inside, ast.Tuple) else [inside]
        if not items:
            raise self.error(inside, "found an empty index", "one index or more")
        return Entry(node.value.id, tuple(self.expr(item) for item in items), None, False, self.span(node))

    def joined(self, node: ast.Constant, text: str) -> tuple[Expr, ...]:
        """The pieces of a subscript without commas: words where it has blanks, otherwise single characters."""
        pieces = text.split() if " " in text.strip() else list(text.strip())
        if len(pieces) < 2:
            raise self.error(node, "found one index in quotes", "two letters or more, or an index without quotes")
        span = self.span(node)
        return tuple(
            Number(read_number(p, self.source, span[0]), span) if p.isdigit() else Name(p, span) for p in pieces
        )

    def matrix(self, node: ast.List) -> MatrixLiteral:
        nested = [isinstance(item, ast.List) for item in node.elts]
        if any(nested) and not all(nested):
            raise self.error(node, "found rows and values side by side", "a list of rows")
        lists = [item.elts for item in node.elts if isinstance(item, ast.List)] if any(nested) else [node.elts]
        rows = tuple(tuple(self.expr(value) for value in row) for row in lists)
        lengths = [len(row) for row in rows]
        if 0 in lengths or len(set(lengths)) != 1:
            raise self.error(
                node, f"found rows of lengths {', '.join(map(str, lengths))}", "rows of one length, at least 1"
            )
        return MatrixLiteral(rows, self.span(node))

    def call(self, node: ast.Call) -> Expr:
        if not isinstance(node.func, ast.Name):
            raise self.error(node, "found brackets after something that is no name", "an operator before the bracket")
        if node.keywords:
            raise self.error(node, "found a named argument", "values only")
        name, args, span = node.func.id, node.args, self.span(node)
        match name:
            case "sum" | "max" | "min" if name == "sum" or any(isinstance(a, ast.Tuple) or _is_in(a) for a in args[1:]):
                self.count(node, 2, None, f"{name}(body, (m, 1, K)) or {name}(x[s], s in S)")
                over = tuple(self.over(a) for a in args[1:])
                return sum_over(name, self.expr(args[0]), over, span)
            case "setof":
                self.count(node, 2, 2, "setof(x[s], s in S)")
                member = self.over(args[1])
                if not isinstance(member, Over):
                    raise self.error(args[1], "found a range", "members of a set: s in S")
                return SetOf(self.expr(args[0]), member, span)
            case "diff":
                self.count(node, 2, 2, "diff(c[p,q], a[i,j])")
                by = self.expr(args[1])
                if not isinstance(by, (Entry, Name)):
                    raise self.error(args[1], "found a derivative by a formula", "an entry such as a[i,j], or an array")
                return Derivative(self.expr(args[0]), by, span)
            case "limit":
                self.count(node, 3, 3, "limit(body, p, oo)")
                return Limit(self.expr(args[0]), self.variable(args[1]), self.expr(args[2]), span)
            case "cases":
                self.count(node, 1, None, "cases((1, m == i), (0,))")
                return self.cases(node)
            case "upper":
                self.count(node, 2, 2, "upper(x[i], k)")
                entry = self.expr(args[0])
                if not isinstance(entry, Entry) or entry.upper is not None:
                    raise self.error(args[0], "found an upper index on what is no entry", "upper(x[i], k)")
                return Entry(entry.name, entry.indices, self.expr(args[1]), entry.joined, span)
            case "star" | "ast" | "odot" as sign:
                self.count(node, 2, 2, f"{name}(A, B)")
                left, right = self.expr(args[0]), self.expr(args[1])
                return Binary(sign, left, right, span)
        values = tuple(self.expr(a) for a in args)
        if name in ("max", "min") and len(values) == 1 and isinstance(values[0], SetOf):
            return sum_over("max" if name == "max" else "min", values[0].body, (values[0].over,), span)
        return Call(name, values, span)

    def count(self, node: ast.Call, least: int, most: int | None, form: str) -> None:
        if len(node.args) < least or (most is not None and len(node.args) > most):
            raise self.error(node, f"found {ast.unparse(node.func)} with {len(node.args)} arguments", form)

    def variable(self, node: ast.expr) -> str:
        if not isinstance(node, ast.Name):
            raise self.error(node, "found a formula", "the name of an index")
        return node.id

    def over(self, node: ast.expr) -> Range | Over:
        match node:
            case ast.Tuple(elts=[variable, lower, upper]):
                return Range(self.variable(variable), self.expr(lower), self.expr(upper))
            case ast.Compare(left=left, ops=[ast.In()], comparators=[members]):
                names = left.elts if isinstance(left, ast.Tuple) else [left]
                return Over(tuple(self.variable(name) for name in names), self.expr(members))
        raise self.error(node, "found neither a range nor a set", "(m, 1, K) or s in S")

    def cases(self, node: ast.Call) -> Cases:
        rows: list[tuple[Expr, tuple[Condition, ...]]] = []
        for row in node.args:
            value, guards = (row.elts[0], row.elts[1:]) if isinstance(row, ast.Tuple) and row.elts else (row, [])
            if rows and not rows[-1][1]:
                raise self.error(row, "found a case after the one without a condition", "that one last")
            rows.append((self.expr(value), tuple(c for guard in guards for c in self.conditions(guard))))
        return Cases(tuple(rows), self.span(node))

    def conditions(self, node: ast.expr) -> list[Condition]:
        """A chain ``1 <= m <= K`` as the conditions between its neighbours."""
        if not isinstance(node, ast.Compare):
            raise self.error(node, "found a value", "a condition such as m == i or 1 <= m <= K")
        sides = [self.expr(side) for side in (node.left, *node.comparators)]
        return [Condition(a, self.relation(op, node), b) for a, op, b in zip(sides, node.ops, sides[1:])]


def _is_in(node: ast.expr) -> bool:
    return isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In)


def _words(node: ast.AST) -> str:
    """The kind of a node in words: ``ListComp`` is "list comp"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(node).__name__).lower()
