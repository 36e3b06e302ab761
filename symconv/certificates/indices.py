"""Index expressions and conditions as Coq text; a polynomial is always written in the same way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from symconv.certificates.naming import Names
from symconv.formulas.algebra import Guard
from symconv.formulas.index import Atom, Extremum, Index, Quotient

__all__ = ["condition", "index", "operand", "parenthesised", "proposition", "quotients"]


def parenthesised(text: str) -> str:
    """A text as an argument or a factor."""
    return text if re.fullmatch(r"[\w']+", text) or _in_parentheses(text) else f"({text})"


def _in_parentheses(text: str) -> bool:
    """Whether the first parenthesis of a text is closed by its last character."""
    if not text.startswith("("):
        return False
    depth = 0
    for position, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return position == len(text) - 1
    return False


def index(expr: Index, names: Names) -> str:
    """An index expression: terms that are added before those that are taken away, constants last."""
    found = ""
    for key, value in sorted(expr.terms.items(), key=_rank):
        factors = [_atom(atom, names) for atom in key]
        if abs(value) != 1 or not factors:
            factors.insert(0, str(abs(value)))
        term = " * ".join(factors)
        if found:
            found += (" - " if value < 0 else " + ") + term
        else:
            found = ("- " if value < 0 else "") + term
    return found or "0"


def _rank(term: tuple[tuple[Atom, ...], int]) -> tuple[bool, int, list[str]]:
    key, value = term
    return value < 0, -len(key), [str(atom) for atom in key]


def operand(expr: Index, names: Names) -> str:
    """An index expression as an argument."""
    return parenthesised(index(expr, names))


def _atom(atom: Atom, names: Names) -> str:
    if isinstance(atom, str):
        return names.of(atom)
    if isinstance(atom, Quotient):
        if atom.rounding == "ceil":
            return f"(- ({operand(-atom.numerator, names)} / {operand(atom.denominator, names)}))"
        return f"({operand(atom.numerator, names)} / {operand(atom.denominator, names)})"
    text = operand(atom.args[0], names)
    for arg in atom.args[1:]:
        text = f"(Z.{atom.kind} {text} {operand(arg, names)})"
    return text


def _sides(expr: Index) -> tuple[Index, Index]:
    """What is added, and what is taken away."""
    more = Index({key: value for key, value in expr.terms.items() if value > 0})
    return more, more - expr


def proposition(guard: Guard, names: Names) -> str:
    """A condition as a proposition."""
    if guard.kind == "div":
        assert guard.divisor is not None
        return f"dvd {operand(guard.divisor, names)} {operand(guard.expr, names)} = true"
    more, less = _sides(guard.expr)
    return f"{index(less, names)} {'<=' if guard.kind == 'ge' else '='} {index(more, names)}"


def condition(guards: Sequence[Guard], names: Names) -> str:
    """Conditions as one truth value."""
    parts = []
    for guard in guards:
        if guard.kind == "div":
            assert guard.divisor is not None
            parts.append(f"dvd {operand(guard.divisor, names)} {operand(guard.expr, names)}")
        else:
            more, less = _sides(guard.expr)
            parts.append(f"({index(less, names)} {'<=?' if guard.kind == 'ge' else '=?'} {index(more, names)})")
    return " && ".join(parts) or "true"


def quotients(exprs: Iterable[Index]) -> tuple[tuple[Index, Index], ...]:
    """Numerator and denominator of every ``n / d`` in the texts of some expressions, inner ones first."""
    found: dict[tuple[Index, Index], None] = {}

    def note(expr: Index) -> None:
        for atom in _atoms(expr):
            if isinstance(atom, Quotient):
                note(atom.numerator)
                note(atom.denominator)
                up = atom.rounding == "ceil"
                found[(-atom.numerator if up else atom.numerator, atom.denominator)] = None
            elif isinstance(atom, Extremum):
                for arg in atom.args:
                    note(arg)

    for expr in exprs:
        note(expr)
    return tuple(found)


def _atoms(expr: Index) -> Iterator[Atom]:
    for key in expr.terms:
        yield from key
