"""From the parse tree of a formula in LaTeX, as ``claims.lark`` makes it, to the tree of claims: one walk."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Literal, TypeAlias

from lark import Token, Tree

from symconv.claims.reading.lexicon import Lexicon
from symconv.claims.reading.limits import TERMS, read_number
from symconv.claims.syntax import (
    ENTRY,
    EVERYWHERE,
    Binary,
    Call,
    Cases,
    Claim,
    Condition,
    Derivative,
    Entry,
    Expr,
    Fold,
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

__all__ = ["Reader"]

Parse: TypeAlias = "Tree[Token] | Token"

_TAKES_NEXT = frozenset(("exp", "log", "ln", "tanh"))
_ALL_INTEGERS = frozenset((r"\mathbb{Z}", r"\mathbb Z", r"\mathbf{Z}"))
_BRACKETS = r"brackets around what it is the remainder of, and by what: (x \bmod y) or (-x) \bmod y"
"""What is wanted where readers would take a remainder of different things."""


class Reader:
    """The walk from the parse tree to the tree of claims."""

    def __init__(self, source: str, lexicon: Lexicon) -> None:
        self.source = source
        self.lexicon = lexicon
        self.notes: list[str] = []
        self.joined: dict[str, dict[str, None]] = {}  # name -> its entries without commas, in their order
        self.steps = 0

    # ------------------------------------------------------------------ places

    def span(self, node: Parse) -> Span:
        if isinstance(node, Token):
            return node.start_pos or 0, node.end_pos or 0
        return node.meta.start_pos, node.meta.end_pos

    def shown(self, node: Parse) -> str:
        begin, end = self.span(node)
        return " ".join(self.source[begin:end].split())

    def error(self, node: Parse, found: str, expected: str) -> ClaimError:
        return ClaimError(found, expected, source=self.source, position=self.span(node)[0])

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    # ------------------------------------------------------------------ claims and chains

    def claim(self, tree: Tree[Token]) -> Claim:
        children = list(tree.children)
        continues = _relation(children.pop(0)) if isinstance(children[0], Token) and children[0].type == "REL" else None
        given: list[Range] = []
        if len(children) > 2 and isinstance(children[-2], Token) and children[-2].type == "GIVEN":
            given = self.given(children[-1])
            del children[-2:]
        parts = tuple(self.expr(child) for child in children[::2])
        relations = tuple(_relation(child) for child in children[1::2])
        for name, entries in self.joined.items():
            listed = ", ".join(list(entries)[:3]) + (f" and {len(entries) - 3} more" if len(entries) > 3 else "")
            verb = "has" if len(entries) == 1 else "have"
            self.note(f"{listed} {verb} no commas; the rank of {name} tells the indices apart")
        return Claim(parts, relations, self.source, tuple(self.notes), continues, given=tuple(given))

    def given(self, node: Parse) -> list[Range]:
        """The ranges that a remark behind a formula gives its indices."""
        assert isinstance(node, Tree)
        clauses = self.inside(node) if node.data == "several" else [node]
        found = [over for clause in clauses for over in self.clause(clause, None)]
        ranges = [over for over in found if isinstance(over, Range)]
        if len(ranges) < len(found):
            raise self.error(node, f"found {self.shown(node)!r} behind the formula", "ranges, such as 0 \\le i \\le 3")
        return ranges

    def expr(self, node: Parse) -> Expr:
        if self.steps > TERMS:
            raise self.error(node, "the claim is nested too deeply", f"at most {TERMS} steps")
        assert isinstance(node, Tree)
        self.steps += 1
        rule: Callable[[Tree[Token]], Expr] = getattr(self, "read_" + str(node.data))
        expr = rule(node)
        self.steps -= 1
        return expr

    def inside(self, node: Tree[Token], *kinds: str) -> list[Parse]:
        """The children that are no signs, save those of the kinds given."""
        return [child for child in node.children if isinstance(child, Tree) or child.type in kinds]

    def only(self, node: Tree[Token]) -> Expr:
        (child,) = self.inside(node)
        return self.expr(child)

    def chain(self, node: Tree[Token]) -> list[Parse]:
        if len(node.children) > 2 * TERMS:
            raise self.error(node, "the claim has a chain of too many terms", f"at most {TERMS}")
        return list(node.children)

    def read_additive(self, node: Tree[Token]) -> Expr:
        children = self.chain(node)
        sign = str(children.pop(0)) if isinstance(children[0], Token) else "+"
        begin = self.span(node)[0]
        for term in children[2::2] if sign == "+" else children[::2]:
            if isinstance(term, Tree) and term.data == "product" and _has_remainder(term):
                raise self.error(term, "found a remainder behind a sum or a sign", _BRACKETS)
        total = self.expr(children[0])
        if sign == "-":
            total = Negate(total, (begin, self.span(children[0])[1]))
        for operator, term in zip(children[1::2], children[2::2]):
            op: Literal["+", "-"] = "+" if str(operator) == "+" else "-"
            total = Binary(op, total, self.expr(term), (begin, self.span(term)[1]))
        return total

    def read_product(self, node: Tree[Token]) -> Expr:
        """Factors from left to right; side by side they are multiplied."""
        children = self.without_indicators(self.chain(node))
        begin = self.span(node)[0]
        before = children.pop(0)
        if self.is_function(before) and children and isinstance(children[0], Tree):
            argument = children.pop(0)
            before, total = argument, self.applied(before, argument, children)
        else:
            total = self.expr(before)
        divided = False
        while children:
            operator = children.pop(0) if isinstance(children[0], Token) else None
            minus = children.pop(0) if isinstance(children[0], Token) else None
            factor = children.pop(0)
            if isinstance(operator, Token) and operator.type == "MOD" and children:
                raise self.error(factor, "found more than one factor behind a remainder", _BRACKETS)
            if self.is_function(factor) and children and isinstance(children[0], Tree):
                argument = children.pop(0)
                factor, value = argument, self.applied(factor, argument, children)
            else:
                value = self.expr(factor)
            if minus is not None:
                value = Negate(value, (self.span(minus)[0], self.span(factor)[1]))
            span = (begin, self.span(factor)[1])
            if operator is None:
                self.note_juxtaposed(before, factor, divided, (begin, span[1]))
            divided = operator is not None and operator == "/"
            total = self.combine(operator, total, value, span)
            before = factor
        return total

    def combine(self, operator: Parse | None, left: Expr, right: Expr, span: Span) -> Expr:
        kind = operator.type if isinstance(operator, Token) else "TIMES"
        if kind == "MOD":
            return Call("mod", (left, right), span)
        if kind == "SLASH":
            return Binary("/", left, right, span)
        if kind == "STAR":
            return Binary("star", left, right, span)
        if kind == "AST" and self.may_be_array(left) and self.may_be_array(right):
            return Binary("ast", left, right, span)
        if operator == "odot" and self.may_be_array(left) and self.may_be_array(right):
            return Binary("odot", left, right, span)
        return Binary("*", left, right, span)

    def may_be_array(self, expr: Expr) -> bool:
        return _may_be_array(expr, self.lexicon.arrays)

    def note_juxtaposed(self, before: Parse, factor: Parse, divided: bool, span: Span) -> None:
        text = " ".join(self.source[slice(*span)].split())
        if divided:
            self.note(f"{text} is read from left to right: the division comes first")
        elif (
            isinstance(before, Tree) and isinstance(factor, Tree) and factor.data == "inner" and before.data == "named"
        ):
            self.note(f"{self.shown(before)}{self.shown(factor)} is read as a product")

    # ------------------------------------------------------------------ sums, maxima, limits

    def read_big(self, node: Tree[Token]) -> Expr:
        """The signs from the inside out; each takes all that follows it."""
        *signs, last = node.children
        body = self.expr(last)
        if isinstance(signs[-1], Token):
            body = Negate(body, (self.span(signs.pop())[0], self.span(last)[1]))
        for sign in reversed(signs):
            assert isinstance(sign, Tree)
            span = (self.span(sign)[0], self.span(last)[1])
            if sign.data in ("summation", "maximum"):
                scripts = self.inside(sign)[0]
                body = sum_over("sum" if sign.data == "summation" else _fold(sign), body, self.scripts(scripts), span)
            elif sign.data == "limit":
                variable, to = self.inside(sign, "NAME", "WORD")
                body = Limit(body, str(variable), self.expr(to), span)
            else:
                body = Derivative(body, self.variable_of(self.inside(sign)[0]), span)
        return body

    def scripts(self, node: Parse) -> tuple[Range | Over, ...]:
        assert isinstance(node, Tree)
        trees = [child for child in self.inside(node) if isinstance(child, Tree)]
        bind = next(tree for tree in trees if tree.data != "arg")
        above = next((tree for tree in trees if tree.data == "arg"), None)
        if bind.data == "several":
            return tuple(over for clause in self.inside(bind) for over in self.clause(clause, above))
        return self.clause(bind, above)

    def clause(self, bind: Parse, above: Tree[Token] | None) -> tuple[Range | Over, ...]:
        """What a sum runs over: ranges, the members of a set, or everywhere."""
        assert isinstance(bind, Tree)
        if bind.data == "ranges":
            return self.ranges(bind, above)
        if bind.data == "listed" and above is None:
            names, braces = self.inside(bind)
            assert isinstance(names, Tree)
            ends = self.braces(braces, len(self.names(names)) if names.data == "tuple" else 0)
            return tuple(Range(name, *ends) for name in self.names(names))
        if above is not None:
            here = "the members of a set" if bind.data == "members" else f"the index {self.shown(bind)}"
            wanted = "no bound there" if bind.data == "members" else rf"where it begins: _{{{self.shown(bind)}=0}}"
            raise self.error(above, f"found a bound above {here}", wanted)
        if bind.data == "members":
            return (self.members(bind),)
        return tuple(Over((name,), EVERYWHERE) for name in self.open_names(bind))

    def braces(self, node: Parse, power: int = 0) -> tuple[Expr, Expr]:
        r"""The ends of a set that is written out, ``\{0, 1\}`` or ``\{0, \dots, K-1\}``; of its power for a tuple."""
        assert isinstance(node, Tree)
        trees = [child for child in node.children if not (isinstance(child, Token) and child.type != "DOTS")]
        above = [child for child in trees if isinstance(child, Tree) and child.data == "arg"]
        if [self.argument(one) for one in above] != [Number(Fraction(power))] * (power > 0):
            wanted = rf"the power {power} of the set" if power else "one number, and no tuple"
            raise self.error(node, f"found the set {self.shown(node)!r}", wanted)
        return self.run([child for child in trees if child not in above], node)

    def run(self, members: list[Parse], node: Parse) -> tuple[Expr, Expr]:
        """The first and the last of numbers that follow each other, or of what has dots between it."""
        dots = [number for number, child in enumerate(members) if isinstance(child, Token)]
        values = [self.expr(child) for child in members if not isinstance(child, Token)]
        before = values[: dots[0]] if dots else values
        numbers = [value.value for value in before if isinstance(value, Number)]
        steps = len(before) < 2 or (len(numbers) == len(before) and all(b - a == 1 for a, b in pairwise(numbers)))
        falls = dots and values and _falls(values[0], values[-1])  # it may be meant backwards, or have no members
        if not values or not steps or (dots and dots != [len(members) - 2]) or (dots and not before) or falls:
            wanted = r"numbers that follow each other, \{0, 1, 2\}, or \{0, \dots, K-1\}"
            raise self.error(node, f"found the set {self.shown(node)!r}", wanted)
        return values[0], values[-1]

    def open_names(self, node: Tree[Token]) -> tuple[str, ...]:
        r"""The indices of a sum without bounds; letters side by side, ``\sum_{mn}``, are an index each."""
        if all(isinstance(child, Token) for child in node.children):
            return tuple(str(child) for child in node.children)
        found: list[str] = []
        (items,) = self.inside(node)
        assert isinstance(items, Tree)
        for child in self.inside(items):
            assert isinstance(child, Tree)
            parts = child.children if child.data == "product" else [child]
            if any(isinstance(part, Token) for part in parts):
                raise self.error(child, f"found {self.shown(child)!r}", "the name of an index")
            found += self.names(Tree("items", list(parts), child.meta))
        return tuple(found)

    def ranges(self, node: Tree[Token], above: Tree[Token] | None) -> tuple[Range | Over, ...]:
        """``m = 1`` with a bound above; ``m = 1, \\dots, K``; ``1 \\le m, n \\le K``."""
        sides = [child for child in node.children if isinstance(child, Tree)]
        relations = [_relation(child) for child in node.children if isinstance(child, Token)]
        apart = self.split(node, sides)
        if apart is not None:
            return tuple(over for one in apart for over in self.ranges(one, above))
        if relations == ["=="]:
            names = self.names(sides[0])
            bounds = [child for child in sides[1].children if not (isinstance(child, Token) and child.type == "COMMA")]
            dots = [isinstance(child, Token) for child in bounds]
            if above is not None and dots == [False]:
                ends = (self.expr(bounds[0]), self.argument(above))
                if ends == (Negate(Name("oo")), Name("oo")):
                    return tuple(Over((name,), EVERYWHERE) for name in names)
                return tuple(Range(name, *ends) for name in names)
            if above is None and len(bounds) > 1:
                ends = self.run(bounds, node)
                return tuple(Range(name, *ends) for name in names)
        elif len(relations) == 2 and above is None and {*relations} <= {"<", "<="}:
            names = self.names(sides[1])
            if len(sides[0].children) == len(sides[2].children) == 1:
                lower, upper = self.expr(sides[0].children[0]), self.expr(sides[2].children[0])
                one = Number(Fraction(1))
                lower = lower if relations[0] == "<=" else Binary("+", lower, one)
                upper = upper if relations[1] == "<=" else Binary("-", upper, one)
                return tuple(Range(name, lower, upper) for name in names)
        raise self.error(node, f"found the range {self.shown(node)!r}", r"_{m=1}^{K} or _{1 \le m \le K}")

    def split(self, node: Tree[Token], sides: list[Tree[Token]]) -> list[Tree[Token]] | None:
        """The ranges of ``i=0, j=0`` or ``0 \\le i \\le 1, 0 \\le j \\le 1``, in which commas stand between them."""
        count = len(sides) - 1
        size = 2 if count % 2 == 0 and count > 2 else 1 if count > 1 and _signs(node) == ["="] * count else 0
        inner = sides[size:-1:size] if size else []
        if not inner or any(len(side.children) != 3 for side in inner):
            return None
        ranges, begin = [], sides[0]
        signs = [child for child in node.children if isinstance(child, Token)]
        for number in range(0, count, size):
            last = sides[number + size]
            ends = last.children[:1] if last is not sides[-1] else last.children
            parts: list[Parse] = [begin]
            for step in range(size):
                after = Tree("items", list(ends), last.meta) if step == size - 1 else sides[number + step + 1]
                parts += [signs[number + step], after]
            ranges.append(Tree("ranges", parts, node.meta))
            begin = Tree("items", last.children[2:], last.meta)
        return ranges

    def members(self, node: Tree[Token]) -> Over:
        names, where = self.inside(node)
        assert isinstance(names, Tree)
        if self.shown(where) in _ALL_INTEGERS:
            return Over(self.names(names), EVERYWHERE)
        return Over(self.names(names), self.expr(where))

    def names(self, node: Tree[Token]) -> tuple[str, ...]:
        names = []
        for child in node.children:
            if isinstance(child, Token) and child.type != "DOTS":
                continue
            expr = self.expr(child) if isinstance(child, Tree) else None
            if not isinstance(expr, Name):
                raise self.error(child, f"found {self.shown(child)!r}", "the name of an index")
            names.append(expr.name)
        return tuple(names)

    # ------------------------------------------------------------------ names and entries

    def read_named(self, node: Tree[Token]) -> Expr:
        first, span = node.children[0], self.span(node)
        name = str(first)
        trees = [child for child in node.children if isinstance(child, Tree)]
        above = next((self.argument(tree) for tree in trees if tree.data == "arg"), None)
        below = next((tree for tree in trees if tree.data == "sub"), None)
        if any(isinstance(child, Token) and child.type == "INDEX_OPEN" for child in node.children):
            return Entry(name, tuple(self.expr(tree) for tree in trees if tree.data != "arg"), above, False, span)
        word = self.word_below(below)
        if below is None or word:
            base = Name(f"{name}_{word}" if word else name, self.span(below) if below is not None else self.span(first))
            base = Name(base.name, (self.span(first)[0], base.span[1]))
            return base if above is None else Raised(base, above, span)
        assert below is not None
        indices, joined = self.indices(below)
        if joined:
            self.joined.setdefault(name, {})[f"{self.shown(first)}{self.shown(below)}"] = None
        return Entry(name, indices, above, joined, span)

    def word_below(self, below: Tree[Token] | None) -> str:
        r"""The word of ``I_{\text{out}}``, which is part of a name and no index."""
        node: Parse | None = below
        while isinstance(node, Tree) and node.data in ("sub", "arg", "named"):
            inner = [child for child in node.children if isinstance(child, Tree) or child.type in ("NAME", "WORD")]
            node = inner[0] if len(inner) == 1 else None
        return str(node) if isinstance(node, Token) and node.type == "WORD" else ""

    def indices(self, below: Tree[Token]) -> tuple[tuple[Expr, ...], bool]:
        """The indices of a subscript, and whether they stood side by side without commas."""
        first = below.children[0]
        if isinstance(first, Token) and first.type == "JOINED":
            begin = self.span(first)[0] + 1
            found = re.finditer(r"(?:\\[A-Za-z]+|[A-Za-z])'*|[0-9]", str(first))
            return tuple(self.sign(match[0], begin + match.start()) for match in found), True
        side_by_side = self.side_by_side(below)
        if side_by_side:
            return tuple(self.expr(child) for child in side_by_side), True
        return tuple(
            self.argument(child) if child.data == "arg" else self.expr(child)
            for child in below.children
            if isinstance(child, Tree)
        ), False

    def sign(self, text: str, position: int) -> Expr:
        """One letter or digit."""
        span = (position, position + len(text))
        if text.isdigit():
            return Number(read_number(text, self.source, position), span)
        stem = text.rstrip("'")
        name = {"\\lambda": "lamda"}.get(stem, stem.lstrip("\\"))
        return Name(name + "_prime" * (len(text) - len(stem)), span)

    def side_by_side(self, below: Tree[Token]) -> list[Tree[Token]]:
        """The factors of a subscript that is a product without signs: ``(i+u)(j+v)`` are two indices."""
        whole = [child for child in below.children if isinstance(child, Tree)]
        if len(whole) != 1 or whole[0].data != "arg":
            return []
        (inner,) = self.inside(whole[0], "NUMBER", "NAME", "WORD")
        if not isinstance(inner, Tree) or inner.data != "product":
            return []
        factors = [child for child in inner.children if isinstance(child, Tree)]
        return factors if len(factors) == len(inner.children) and not any(map(self.is_function, factors)) else []

    def argument(self, node: Tree[Token]) -> Expr:
        """What stands above, below, or in a fraction: braces, or one sign."""
        (child,) = self.inside(node, "NUMBER", "NAME", "WORD")
        if isinstance(child, Tree):
            return self.expr(child)
        span = self.span(child)
        return (
            Number(read_number(child, self.source, span[0]), span) if child.type == "NUMBER" else Name(str(child), span)
        )

    def read_power(self, node: Tree[Token]) -> Expr:
        base, exponent = self.inside(node)
        assert isinstance(exponent, Tree)
        return Raised(self.expr(base), self.argument(exponent), self.span(node))

    # ------------------------------------------------------------------ atoms

    def read_number(self, node: Tree[Token]) -> Expr:
        span = self.span(node)
        return Number(read_number(str(node.children[0]), self.source, span[0]), span)

    def read_inner(self, node: Tree[Token]) -> Expr:
        return self.only(node)

    def read_indexed(self, node: Tree[Token]) -> Expr:
        r"""``(X \star W)_{ij}`` is an entry of an array expression, and ``[Y]_{ij}`` one of Y."""
        inner, below = self.inside(node)
        assert isinstance(below, Tree)
        array, (indices, joined) = self.expr(inner), self.indices(below)
        if isinstance(array, Name):
            return Entry(array.name, indices, None, joined, self.span(node))
        return Call(ENTRY, (array, *indices), self.span(node))

    def read_iverson(self, node: Tree[Token]) -> Expr:
        """1 where conditions hold, else 0."""
        conditions = tuple(c for guard in self.inside(node) if isinstance(guard, Tree) for c in self.conditions(guard))
        one, zero = Number(Fraction(1)), Number(Fraction(0))
        return Cases(((one, conditions), (zero, ())), self.span(node))

    def read_bracketed(self, node: Tree[Token]) -> Expr:
        raise self.error(
            node,
            f"found the condition {self.shown(node)!r} as a value",
            r"[...] or \mathbb{1}[...] for 1 where it holds",
        )

    def without_indicators(self, factors: list[Parse]) -> list[Parse]:
        r"""The factors without the sign of ones before a condition in brackets: ``\mathbb{1}(i = j)``."""
        found: list[Parse] = []
        pending = False
        for number, factor in enumerate(factors):
            kind = factor.data if isinstance(factor, Tree) else ""
            after = factors[number + 1] if number + 1 < len(factors) else None
            condition = isinstance(after, Tree) and after.data in ("iverson", "bracketed")
            if kind == "ones" and condition and isinstance(factor, Tree) and len(factor.children) == 1:
                pending = True
                continue
            if pending and isinstance(factor, Tree):
                factor = Tree("iverson", factor.children, factor.meta)
            pending = False
            found.append(factor)
        return found

    def is_function(self, node: Parse) -> bool:
        """Whether a factor is the name of a function alone, which takes the factor after it: ``\\log p_k``."""
        return isinstance(node, Tree) and node.data == "named" and self.shown(node).lstrip("\\") in _TAKES_NEXT

    def applied(self, function: Parse, argument: Parse, rest: list[Parse]) -> Expr:
        """A function of the factor behind it.

        Raises:
            ClaimError: where another factor follows, which some would read into the argument.
        """
        if rest and isinstance(rest[0], Tree):
            raise self.error(
                argument, f"found {self.shown(function)} before several factors", "brackets around its argument"
            )
        span = (self.span(function)[0], self.span(argument)[1])
        return Call(self.shown(function).lstrip("\\"), (self.expr(argument),), span)

    def read_gradient(self, node: Tree[Token]) -> Expr:
        r"""``\nabla_W L`` is the derivative of L by W."""
        by, of = self.inside(node)
        assert isinstance(by, Tree)
        variable = self.argument(by)
        if not isinstance(variable, (Entry, Name)):
            raise self.error(by, "found a derivative by a formula", "an entry such as a_{i,j}, or an array")
        return Derivative(self.expr(of), variable, self.span(node))

    def read_floor(self, node: Tree[Token]) -> Expr:
        return Call("floor", (self.only(node),), self.span(node))

    def read_ceil(self, node: Tree[Token]) -> Expr:
        return Call("ceil", (self.only(node),), self.span(node))

    def read_bars(self, node: Tree[Token]) -> Expr:
        return Call("abs", (self.only(node),), self.span(node))

    def read_ones(self, node: Tree[Token]) -> Expr:
        r"""``\mathbf{1}_{3 \times 3}``: the sizes stand below, with crosses or commas between them."""
        below = next((child for child in node.children if isinstance(child, Tree)), None)
        if below is None:
            return Name("ones", self.span(node))
        sizes = list(self.indices(below)[0])
        while isinstance(sizes[0], Binary) and sizes[0].op == "*":
            sizes[:1] = [sizes[0].left, sizes[0].right]
        return Call("ones", tuple(sizes), self.span(node))

    def read_root(self, node: Tree[Token]) -> Expr:
        *order, base = self.inside(node)
        assert isinstance(base, Tree)
        root = self.expr(order[0]) if order else Number(Fraction(2))
        return Raised(self.argument(base), Binary("/", Number(Fraction(1)), root), self.span(node))

    def read_fraction(self, node: Tree[Token]) -> Expr:
        above, below = (child for child in node.children if isinstance(child, Tree))
        span = self.span(node)
        of, by = self.differential(above), self.differential(below)
        if of is not None and isinstance(by, (Entry, Name)):
            self.note(f"{self.shown(node)} is read as a derivative")
            return Derivative(of, by, span)
        return Binary("/", self.argument(above), self.argument(below), span)

    def differential(self, node: Tree[Token]) -> Expr | None:
        """The E of ``dE``, where nothing but a d stands before it."""
        product = self.inside(node)[0] if self.inside(node) else None
        if not isinstance(product, Tree) or product.data != "product" or len(product.children) != 2:
            return None
        first, second = product.children
        if isinstance(first, Tree) and first.data == "named" and self.shown(first) == "d" and isinstance(second, Tree):
            return self.expr(second)
        return None

    def variable_of(self, node: Parse) -> Entry | Name:
        variable = self.expr(node)
        if not isinstance(variable, (Entry, Name)):
            raise self.error(node, "found a derivative by a formula", "an entry such as a_{i,j}, or an array")
        return variable

    def read_derivative(self, node: Tree[Token]) -> Expr:
        of, by = (child for child in node.children if isinstance(child, Tree))
        return Derivative(self.only(of), self.variable_of(self.inside(by)[0]), self.span(node))

    def read_quotient_of_partials(self, node: Tree[Token]) -> Expr:
        of, by = self.inside(node)
        return Derivative(self.expr(of), self.variable_of(by), self.span(node))

    def read_call(self, node: Tree[Token]) -> Expr:
        """What stands below the name of a function is its last argument."""
        trees = [child for child in node.children if isinstance(child, Tree)]
        below = self.indices(trees.pop(0))[0] if trees and trees[0].data == "sub" else ()
        if len(below) > 1 and all(isinstance(i, Number) for i in below):  # pad_{12}
            text = "".join(str(i.value) for i in below if isinstance(i, Number))
            span = (below[0].span[0], below[-1].span[1])
            below = (Number(read_number(text, self.source, span[0]), span),)
        return Call(str(node.children[0]), (*(self.expr(tree) for tree in trees), *below), self.span(node))

    def read_largest(self, node: Tree[Token]) -> Expr:
        args = tuple(self.expr(child) for child in self.inside(node))
        if len(args) == 1 and isinstance(args[0], SetOf):
            return sum_over(_fold(node), args[0].body, (args[0].over,), self.span(node))
        return Call(_fold(node), args, self.span(node))

    def read_set(self, node: Tree[Token]) -> SetOf:
        body, bind = self.inside(node)
        if not isinstance(bind, Tree) or bind.data != "members":
            raise self.error(bind, f"found {self.shown(bind)!r}", r"members of a set: (a,b) \in S")
        return SetOf(self.expr(body), self.members(bind), self.span(node))

    def read_set_maximum(self, node: Tree[Token]) -> Expr:
        members = self.read_set(node)
        return sum_over(_fold(node), members.body, (members.over,), self.span(node))

    # ------------------------------------------------------------------ matrices and cases

    def read_matrix(self, node: Tree[Token]) -> Expr:
        rows = tuple(
            tuple(self.expr(child) for child in self.inside(row)) for row in self.inside(node) if isinstance(row, Tree)
        )
        lengths = [len(row) for row in rows]
        if len(set(lengths)) != 1:
            raise self.error(node, f"found rows of lengths {', '.join(map(str, lengths))}", "rows of one length")
        return MatrixLiteral(rows, self.span(node))

    def read_cases(self, node: Tree[Token]) -> Expr:
        rows: list[tuple[Expr, tuple[Condition, ...]]] = []
        for row in self.inside(node):
            assert isinstance(row, Tree)
            if rows and not rows[-1][1]:
                raise self.error(row, "found a case after the one without a condition", "that one last")
            value, *guards = self.inside(row)
            conditions = [c for guard in guards if isinstance(guard, Tree) for c in self.conditions(guard)]
            rows.append((self.expr(value), tuple(conditions)))
        return Cases(tuple(rows), self.span(node))

    def conditions(self, node: Tree[Token]) -> list[Condition]:
        """``1 \\le m \\le K`` is two conditions, and so is ``(m, n) = (i, j)``."""
        found: list[Condition] = []
        for condition in self.inside(node):
            assert isinstance(condition, Tree)
            sides = [child for child in condition.children if isinstance(child, Tree)]
            if sides[-1].data == "braces":
                value, (low, high) = self.expr(sides[0]), self.braces(sides[-1])
                if not _is_whole(value):  # between two numbers there are others
                    raise self.error(sides[0], f"found {self.shown(sides[0])!r} in a set", "an index, such as i")
                found += [Condition(low, "<=", value), Condition(value, "<=", high)]
                continue
            relations = [_relation(child) for child in condition.children if isinstance(child, Token)]
            if sides[0].data == "tuple":
                left, right = (self.inside(side) for side in sides)
                if relations != ["=="] or len(left) != len(right):
                    raise self.error(condition, f"found {self.shown(condition)!r}", "equal tuples of one length")
                found += [Condition(self.expr(a), "==", self.expr(b)) for a, b in zip(left, right, strict=True)]
            else:
                values = [self.expr(side) for side in sides]
                found += [Condition(a, r, b) for a, r, b in zip(values, relations, values[1:])]
        return found


def _relation(token: Parse) -> Relation:
    relations: dict[str, Relation] = {"==": "==", "<=": "<=", ">=": ">=", "<": "<", ">": ">"}
    return relations[str(token)]


def _fold(node: Tree[Token]) -> Fold:
    """Which of both an extremum is, by its sign."""
    sign = next(part for part in node.children if isinstance(part, Token) and part.type == "MAX")
    return "min" if str(sign) == "min" else "max"


def _signs(node: Tree[Token]) -> list[str]:
    return ["=" if str(child) == "==" else str(child) for child in node.children if isinstance(child, Token)]


def _has_remainder(product: Tree[Token]) -> bool:
    return any(isinstance(part, Token) and part.type == "MOD" for part in product.children)


def _is_whole(expr: Expr) -> bool:
    """Whether an expression is made of indices, sizes and whole numbers alone, and so is a whole number."""
    match expr:
        case Name():
            return True
        case Number(value):
            return value.denominator == 1
        case Negate(arg):
            return _is_whole(arg)
        case Binary("+" | "-" | "*", left, right):
            return _is_whole(left) and _is_whole(right)
        case Call("floor" | "ceil" | "mod"):  # which are of indices, and not of values
            return True
    return False


def _falls(first: Expr, last: Expr) -> bool:
    return isinstance(first, Number) and isinstance(last, Number) and last.value < first.value


def _may_be_array(expr: Expr, arrays: frozenset[str]) -> bool:
    """Whether an asterisk beside it may be one between arrays: matrices, capitals, calls, and derivatives by those."""
    match expr:
        case MatrixLiteral():
            return True
        case Name(name):
            return name[0].isupper() or name == "ones" or name in arrays
        case Call(name):
            return name not in ("floor", "ceil", "abs", "max", "min", "mod", "size", ENTRY)
        case Raised(base) | Negate(base) | Derivative(_, base):
            return _may_be_array(base, arrays)
        case Binary(op, left, right):
            return op in ("star", "ast", "odot") or (
                op != "/" and all(_may_be_array(side, arrays) for side in (left, right))
            )
    return False
