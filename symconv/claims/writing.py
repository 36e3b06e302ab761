"""Claims written out: in the language of `read_claim`, which reads the same tree back, and in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import TypeAlias

from symconv.claims.reading.latex_words import ACCENTS, GREEK
from symconv.claims.syntax import (
    ENTRY,
    EVERYWHERE,
    TRANSPOSED,
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
    SetOf,
    Sum,
)
from symconv.formulas.index import Index

__all__ = ["as_typed", "size_expr", "to_latex", "to_text"]

_Writer: TypeAlias = Callable[[Expr], str]

# How tightly a written expression holds together. In LaTeX there are sums and limits, which take the rest of their
# term, instead of signs before a factor.
_ADD, _MULTIPLY, _NEGATE, _POWER, _ATOM = range(5)
_OPEN, _FACTORS = _MULTIPLY, _NEGATE


def to_text(expr: Expr | Claim) -> str:
    """The text from which `read_claim` reads the same tree.

    A number that no text can be (a negative one, or a third) is written as the quotient or difference that it is.

    >>> from symconv.claims.reading.language import read_claim
    >>> to_text(read_claim("size==floor((I+2*P-K)/S)+1"))
    'size == floor((I + 2*P - K)/S) + 1'
    """
    if isinstance(expr, Claim):
        chain = "".join(f" {r} {to_text(p)}" for r, p in zip(expr.relations, expr.parts[1:], strict=True))
        return (f"{expr.continues} " if expr.continues else "") + to_text(expr.parts[0]) + chain
    return _text(expr)[0]


def _text(expr: Expr) -> tuple[str, int]:
    """An expression and how tightly it holds together."""
    match expr:
        case Number(value):
            return _decimal(value)
        case Name(name):
            return name, _ATOM
        case Entry():
            return _text_entry(expr), _ATOM
        case Binary("+" | "-" as op, left, right):
            after = _at_least(right, _MULTIPLY)
            return f"{_at_least(left, _ADD)} {op} {f'({after})' if after[0] == '-' else after}", _ADD
        case Binary("*" | "/" as op, left, right):
            # A sign at the end of a product would read well only to a parser.
            return f"{_at_least(left, _MULTIPLY)}{op}{_at_least(right, _POWER)}", _MULTIPLY
        case Binary(op, left, right):
            return f"{op}({to_text(left)}, {to_text(right)})", _ATOM
        case Negate(arg):
            return f"-{_at_least(arg, _POWER)}", _NEGATE
        case Raised(base, exponent):
            return f"{_at_least(base, _ATOM)}**{_at_least(exponent, _ATOM)}", _POWER
        case Call(name, args):
            return _text_call(name, args), _ATOM
        case Sum(op, body, over):
            return f"{op}({to_text(body)}, {', '.join(map(_text_over, over))})", _ATOM
        case SetOf(body, member):
            return f"setof({to_text(body)}, {_text_over(member)})", _ATOM
        case Derivative(of, by):
            return _text_call("diff", (of, by)), _ATOM
        case Limit(body, variable, to):
            return f"limit({to_text(body)}, {variable}, {to_text(to)})", _ATOM
        case MatrixLiteral(rows):
            return f"[{', '.join(f'[{_commas(row, to_text)}]' for row in rows)}]", _ATOM
        case Cases(cases):
            return f"cases({', '.join(_text_case(value, guards) for value, guards in cases)})", _ATOM


def _at_least(expr: Expr, tightness: int) -> str:
    text, own = _text(expr)
    return text if own >= tightness else f"({text})"


def _commas(exprs: Iterable[Expr], write: _Writer) -> str:
    return ", ".join(map(write, exprs))


def _decimal(value: Fraction) -> tuple[str, int]:
    """A number as digits, with a point where its decimals end."""
    scale = next((d for d in range(13) if 10**d % value.denominator == 0), None)
    if scale is None:
        return f"{value.numerator}/{value.denominator}", _ADD
    digits = str(abs(value.numerator) * 10**scale // value.denominator).rjust(scale + 1, "0")
    text = f"{digits[:-scale]}.{digits[-scale:]}" if scale else digits
    return (text, _ATOM) if value >= 0 else (f"-{text}", _ADD)


def _text_entry(expr: Entry) -> str:
    if expr.joined:
        pieces = [to_text(index) for index in expr.indices]
        inside = f'"{("" if all(len(p) == 1 for p in pieces) else " ").join(pieces)}"'
    else:
        inside = _commas(expr.indices, to_text)
    entry = f"{expr.name}[{inside}]"
    return entry if expr.upper is None else f"upper({entry}, {to_text(expr.upper)})"


def _text_call(name: str, args: tuple[Expr, ...]) -> str:
    return f"{name}({_commas(args, to_text)})"


def _text_over(over: Range | Over) -> str:
    if isinstance(over, Range):
        return f"({over.variable}, {to_text(over.lower)}, {to_text(over.upper)})"
    names = ", ".join(over.variables)
    return f"{names if len(over.variables) == 1 else f'({names})'} in {to_text(over.set)}"


def _text_case(value: Expr, guards: tuple[Condition, ...]) -> str:
    conditions = [f"{to_text(g.left)} {g.relation} {to_text(g.right)}" for g in guards]
    return f"({', '.join([to_text(value), *conditions])}{'' if conditions else ','})"


_PRIMES = re.compile(r"(?<=[A-Za-z0-9])(?:_prime)+(?![A-Za-z0-9_])")


def as_typed(text: str) -> str:
    """Words about a claim in LaTeX, with the primes of its names as they stand there.

    >>> as_typed("at i_prime = 0, out_prime_prime = 1: prime")
    "at i' = 0, out'' = 1: prime"
    """
    return _PRIMES.sub(lambda primes: "'" * (len(primes[0]) // len("_prime")), text)


# ---------------------------------------------------------------------- LaTeX

_RELATIONS = {"==": "=", "<=": r"\leq", ">=": r"\geq", "<": "<", ">": ">"}
_BRACKETS = {"floor": (r"\lfloor", r"\rfloor"), "ceil": (r"\lceil", r"\rceil"), "abs": (r"\lvert", r"\rvert")}


def to_latex(expr: Expr | Claim) -> str:
    r"""The expression in LaTeX, in the common subset that MathML converters and TeX agree on.

    `read_latex` reads the same tree back, save for what LaTeX has one sign for: a number of elements is written in bars
    as an absolute value is, and an asterisk between scalars is a product.

    >>> from symconv.claims.reading.language import read_claim
    >>> print(to_latex(read_claim("c[i] == sum(a[i+m-1]*b[m], (m,1,K))")))
    c_{i} = \sum_{m=1}^{K} a_{i + m - 1} b_{m}
    """
    if isinstance(expr, Claim):
        parts = [_part(part) for part in expr.parts]
        chain = "".join(f" {_RELATIONS[r]} {p}" for r, p in zip(expr.relations, parts[1:], strict=True))
        return (f"{_RELATIONS[expr.continues]} " if expr.continues else "") + parts[0] + chain
    return _part(expr)


def _part(expr: Expr) -> str:
    return _latex(expr)[0]


def _latex(expr: Expr) -> tuple[str, int]:
    """An expression in LaTeX and how tightly it holds together; `_OPEN` marks what takes the rest of its term."""
    match expr:
        case Number(value):
            return _decimal_latex(value)
        case Name(name):
            return _name(name), _ATOM
        case Entry():
            return _entry(expr), _ATOM
        case Binary("/", left, right):
            return rf"\frac{{{_part(left)}}}{{{_part(right)}}}", _ATOM
        case Binary("+" | "-" as op, left, right):
            return f"{_wrapped(left, _ADD)} {op} {_wrapped(right, _OPEN)}", _ADD
        case Binary():
            return _product(expr)
        case Negate(arg):
            return f"-{_wrapped(arg, _OPEN)}", _ADD
        case Raised(base, exponent):
            return _raised(base, exponent), _POWER
        case Call(name, args):
            return _call(name, args), _ATOM
        case Sum(op, body, over):
            signs = " ".join(_sign(op, o) for o in over)
            return f"{signs} {_wrapped(body, _OPEN)}", _OPEN
        case SetOf(body, member):
            return rf"\left\{{ {_part(body)} \mid {_member(member)} \right\}}", _ATOM
        case Derivative(of, by):
            return rf"\frac{{\partial {_wrapped(of, _ATOM)}}}{{\partial {_wrapped(by, _ATOM)}}}", _ATOM
        case Limit(body, variable, to):
            return rf"\lim_{{{_name(variable)} \to {_part(to)}}} {_wrapped(body, _OPEN)}", _OPEN
        case MatrixLiteral(rows):
            lines = r" \\ ".join(" & ".join(map(_part, row)) for row in rows)
            return rf"\begin{{pmatrix}} {lines} \end{{pmatrix}}", _ATOM
        case Cases(cases):
            lines = r" \\ ".join(_case(value, guards) for value, guards in cases)
            return rf"\begin{{cases}} {lines} \end{{cases}}", _ATOM


def _wrapped(expr: Expr, tightness: int) -> str:
    text, own = _latex(expr)
    return text if own >= tightness else rf"\left( {text} \right)"


def _decimal_latex(value: Fraction) -> tuple[str, int]:
    text, own = _decimal(value)
    if "/" not in text:
        return text, own
    fraction = rf"\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"
    return (fraction, _ATOM) if value > 0 else (f"-{fraction}", _ADD)


def _name(name: str) -> str:
    if name in ("oo", "ones"):
        return r"\infty" if name == "oo" else r"\mathbf{1}"
    stem = name.removesuffix("_prime").removesuffix("_prime")
    primes = "'" * ((len(name) - len(stem)) // len("_prime"))
    greek = "lambda" if stem == "lamda" else stem
    if greek in GREEK:
        return f"\\{greek}{primes}"
    base, _, below = stem.partition("_")
    letter = base if len(base) == 1 else rf"\mathrm{{{base}}}"
    if below in ACCENTS.values():
        return rf"\{below}{{{f'{chr(92)}{base}' if base in GREEK else letter}}}{primes}"
    # An underscore has no place in the words of mathematics: I_out is I with a word below.
    return letter + primes + (rf"_{{\mathrm{{{below.replace('_', '')}}}}}" if below else "")


def _entry(expr: Entry) -> str:
    upper = "" if expr.upper is None else f"^{{{_exponent(expr.upper)}}}"
    name, label, word = _name(expr.name).partition(r"_{\mathrm")
    if expr.joined:
        pieces = [_part(index) for index in expr.indices]
        inside = "".join(pieces) if all(len(p) == 1 for p in pieces) else " ".join(pieces)
    else:
        pieces = [_index(index) for index in expr.indices]
        inside = ("" if expr.close and all(len(p) == 1 for p in pieces) else ", ").join(pieces)
        # One index of two digits would read as two indices, and one word as a part of the name.
        inside = f"{{{inside}}}" if len(expr.indices) == 1 and re.fullmatch(r"\d\d+|\\mathrm.*", inside) else inside
    if label:  # a name has one subscript in LaTeX
        inside = f"\\mathrm{word[:-1]}, {inside}"
    return f"{_unprimed(name) if upper else name}_{{{inside}}}{upper}"


def _unprimed(name: str) -> str:
    """A name with primes in braces, for a prime is an upper index, and TeX takes one."""
    return f"{{{name}}}" if name.endswith("'") else name


def _index(expr: Expr) -> str:
    """An index, in which products have a sign: letters side by side are indices side by side."""
    return _product(expr, spelt=True)[0] if isinstance(expr, Binary) and expr.op == "*" else _part(expr)


def _product(expr: Binary, spelt: bool = False) -> tuple[str, int]:
    """Factors side by side where that cannot be misread: as a number, as a call, or as the d of a derivative."""
    left = _wrapped(expr.left, _FACTORS)
    right, own = _latex(expr.right)
    if own < _OPEN or (isinstance(expr.right, Binary) and own != _ATOM):
        right, own = rf"\left( {right} \right)", _ATOM
    holds = _OPEN if own == _OPEN else _FACTORS
    if expr.op in ("star", "ast", "odot"):
        return rf"{left} \{expr.op} {right}", holds
    unit = isinstance(expr.left, Number) and expr.left.value == 1  # a factor that someone cared to write
    spelt = spelt or unit or right[0].isdigit() or right.startswith(r"\left(") or expr.left == Name("d")
    return (rf"{left} \cdot {right}" if spelt else f"{left} {right}"), holds


def _exponent(expr: Expr) -> str:
    """What stands above, with a slanted fraction where both sides are one sign."""
    if expr == TRANSPOSED:
        return r"\top"
    match expr:
        case Binary("/", (Number() | Name()) as left, (Number() | Name()) as right):
            return f"{_part(left)}/{_part(right)}"
    return _part(expr)


def _raised(base: Expr, exponent: Expr) -> str:
    plain = isinstance(base, Name) or (isinstance(base, Call) and base.name in (*_BRACKETS, "size"))
    plain = plain or (isinstance(base, Number) and _latex(base)[1] == _ATOM and base.value.denominator == 1)
    text = _unprimed(_part(base)) if isinstance(base, Name) else _part(base)
    return (text if plain else rf"\left( {text} \right)") + f"^{{{_exponent(exponent)}}}"


def _call(name: str, args: tuple[Expr, ...]) -> str:
    inside = ", ".join(map(_part, args))
    if name in _BRACKETS and len(args) == 1:
        opening, closing = _BRACKETS[name]
        return rf"\left{opening} {inside} \right{closing}"
    if name == "size" and len(args) == 1:
        return rf"\left\lvert {inside} \right\rvert"
    if name == ENTRY and len(args) > 1:
        return rf"\left( {_part(args[0])} \right)_{{{', '.join(map(_index, args[1:]))}}}"
    if name == "mod" and len(args) == 2:
        return rf"\left( {_wrapped(args[0], _POWER)} \bmod {_wrapped(args[1], _POWER)} \right)"
    if name == "ones" and len(args) > 1 and all(isinstance(arg, (Name, Number)) for arg in args):
        sizes = r" \times ".join(map(_part, args))
        return rf"\mathbf{{1}}_{{{sizes}}}"
    if name in ("max", "min"):
        return rf"\{name}\left( {inside} \right)"
    shown = _name(name) if len(name) == 1 and len(args) > 1 else rf"\operatorname{{{name.replace('_', '')}}}"
    return rf"{shown}\left( {inside} \right)"


def _sign(op: str, over: Range | Over) -> str:
    if isinstance(over, Range):
        return rf"\{op}_{{{_name(over.variable)}={_part(over.lower)}}}^{{{_part(over.upper)}}}"
    return rf"\{op}_{{{_member(over)}}}"


def _member(over: Over) -> str:
    names = ",".join(map(_name, over.variables))
    if over.set == EVERYWHERE:
        return names
    return rf"{names if len(over.variables) == 1 else f'({names})'} \in {_part(over.set)}"


def _case(value: Expr, guards: tuple[Condition, ...]) -> str:
    if not guards:
        return rf"{_part(value)} & \text{{otherwise}}"
    conditions = ",\\ ".join(f"{_part(g.left)} {_RELATIONS[g.relation]} {_part(g.right)}" for g in guards)
    return rf"{_part(value)} & \text{{if }} {conditions}"


def size_expr(size: Index) -> Expr:
    """A size expression as part of a claim: positive summands first, each a number times letters."""
    total: Expr | None = None
    for key, value in sorted(size.terms.items(), key=lambda item: (item[1] < 0, not item[0], str(item[0]))):
        factors: list[Expr] = [Name(str(atom)) for atom in key]
        if abs(value) != 1 or not factors:
            factors.insert(0, Number(Fraction(abs(value))))
        term = factors[0]
        for factor in factors[1:]:
            term = Binary("*", term, factor)
        if total is None:
            total = term if value > 0 else Negate(term)
        else:
            total = Binary("+" if value > 0 else "-", total, term)
    return total if total is not None else Number(Fraction(0))
