"""Claims of the text language in LaTeX, as people write them; from Python's own syntax tree, by nothing of symconv."""

from __future__ import annotations

import ast
import re

__all__ = ["in_latex", "is_written"]

_GREEK = ("alpha", "beta", "gamma", "omega", "pi", "phi", "Sigma", "mu", "lamda")
_FUNCTIONS = ("max", "min", "lim", "gcd", "exp", "log", "ln")  # upright they are functions, whatever is declared
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_LABELLED = re.compile(r"([A-Za-z])_([A-Za-z]+)")
_SIGNS = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Eq: "=",
    ast.LtE: r"\le",
    ast.GtE: r"\geq",
    ast.Lt: "<",
    ast.Gt: ">",
}


def is_written(name: str) -> bool:
    """Whether LaTeX can write a name: not what it has a meaning of its own for, and no number below a letter."""
    if name in _FUNCTIONS or name.endswith("prime"):
        return False
    return bool(_WORD.fullmatch(name) or _LABELLED.fullmatch(name))


def in_latex(text: str) -> str:
    """A claim in LaTeX."""
    return _latex(ast.parse(f"({text})", mode="eval").body)


def _name(name: str) -> str:
    if len(name) == 1:
        return name
    if name in _GREEK:
        return "\\" + name.replace("lamda", "lambda")
    labelled = _LABELLED.fullmatch(name)
    return rf"{labelled[1]}_{{\mathrm{{{labelled[2]}}}}}" if labelled else rf"\mathrm{{{name}}}"


def _latex(node: ast.AST) -> str:
    match node:
        case ast.Compare(left=left, ops=ops, comparators=others):
            parts = [_latex(left)]
            for op, other in zip(ops, others, strict=True):
                parts += [_SIGNS[type(op)], _latex(other)]
            return " ".join(parts)
        case ast.Constant(value=value):
            return str(value)
        case ast.Name(id=name):
            return _name(name)
        case ast.UnaryOp(operand=operand):
            return f"-{_bracketed(operand)}"
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return rf"\frac{{{_latex(left)}}}{{{_latex(right)}}}"
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return rf"{_bracketed(left)} \cdot {_bracketed(right)}"
        case ast.BinOp(left=left, op=ast.Mod(), right=right):
            return rf"({_bracketed(left)} \bmod {_bracketed(right)})"
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return rf"({_latex(left)})^{{{_latex(right)}}}"
        case ast.BinOp(left=left, op=op, right=right):
            return f"{_latex(left)} {_SIGNS[type(op)]} {_bracketed(right)}"
        case ast.Subscript(value=ast.Name(id=name), slice=places):
            return f"{_name(name)}_{{{_indices(places)}}}"
        case ast.Call(func=ast.Name(id=name), args=args):
            return _call(name, args)
    raise AssertionError(ast.dump(node))


def _bracketed(node: ast.AST) -> str:
    plain = isinstance(node, ast.Name | ast.Subscript) or (isinstance(node, ast.Constant) and node.value >= 0)
    return _latex(node) if plain else rf"\left( {_latex(node)} \right)"


def _indices(places: ast.AST) -> str:
    if isinstance(places, ast.Tuple):
        return ", ".join(_latex(place) for place in places.elts)
    return f"{{{_latex(places)}}}"  # one index of several signs would be an index a sign


def _call(name: str, args: list[ast.expr]) -> str:
    if name == "diff":
        of, by = args
        return rf"\frac{{\partial {_bracketed(of)}}}{{\partial {_bracketed(by)}}}"
    if name in ("floor", "ceil"):
        return rf"\left\l{name} {_latex(args[0])} \right\r{name}"
    if name == "corr":
        return rf"{_bracketed(args[0])} \star {_bracketed(args[1])}"
    if name in ("sum", "max"):
        overs = [over.elts for over in args[1:] if isinstance(over, ast.Tuple)]
        signs = [rf"\{name}_{{{_latex(v)}={_latex(low)}}}^{{{_latex(high)}}}" for v, low, high in overs]
        return f"{' '.join(signs)} {_bracketed(args[0])}"
    if name == "cases":
        rows = []
        for row in args:
            assert isinstance(row, ast.Tuple)
            value, *conditions = row.elts
            said = r"\text{if } " + ", ".join(map(_latex, conditions)) if conditions else r"\text{otherwise}"
            rows.append(f"{_latex(value)} & {said}")
        return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"
    return rf"\operatorname{{{name}}}({', '.join(map(_latex, args))})"
