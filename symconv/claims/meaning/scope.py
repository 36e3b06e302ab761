"""What a claim may speak of: its operator, letters, sizes, sets and functions, at the declared size or for all sizes.

Everything is declared; nothing is guessed. A letter means what its own question says, so the same letter may be an
index in one question and an exponent in the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from fractions import Fraction
from typing import Any

from symconv.claims.declarations import Declarations
from symconv.claims.meaning.naming import CHANNELS, Naming, naming
from symconv.claims.syntax import Binary, Expr, Name, Negate, Number
from symconv.claims.traversal import walk_expr
from symconv.errors import ClaimError
from symconv.formulas.algebra import Guard, nonnegative
from symconv.formulas.arrays import Array
from symconv.formulas.effort import Effort
from symconv.formulas.exact import Box
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.spelling import look
from symconv.operators.base import Operator
from symconv.operators.dense import Dense
from symconv.operators.frame import Geometry, numbered
from symconv.operators.letters import ARRAYS, Letters, capital
from symconv.operators.pointwise import Pointwise
from symconv.operators.pooling import MaxPool, Pooling

__all__ = [
    "ARRAY_FUNCTIONS",
    "ARRAY_KINDS",
    "MATRICES",
    "NORMS",
    "QUANTITIES",
    "VALUES",
    "Scope",
    "general_scope",
    "literal_scope",
    "mentioned",
]

ARRAY_FUNCTIONS = ("corr", "conv", "pad", "rot180", "ones", "vec")
NORMS = ("lp", "lp without absolute value")
VALUES = ("relu", "sigmoid", "tanh", "exp", "log", "softplus")
ARRAY_KINDS = ("correlation", "convolution", "full correlation", "full convolution", "rotation")
QUANTITIES = ("parameters", "multiply-adds", "receptive field", "output size")
MATRICES = ("toeplitz", "im2col")
ORDER = "p"  # the letter for the order of a declared norm where no limit gives it another


def _no_array(expr: Expr, scope: Scope) -> Array:
    """In a scope of sizes alone, such as that of a generalisation."""
    del expr, scope
    raise ClaimError("an array stands where there are sizes alone")


@dataclass
class Scope:
    """Declarations at one size, or for all sizes: formulas, boxes, hypotheses, and what numbers mean.

    Attributes:
        declared: the declarations.
        output: the formula of the output in these sizes.
        sizes: size letters and what they are here.
        boxes: the boxes of all tensors.
        hypotheses: conditions on the symbolic sizes.
        definitions: sizes that follow from others, such as O.
        literal: whether all sizes are numbers.
        order: symbolic sizes in the order in which they are enumerated.
        effort: what the verdict on the claim may cost.
        square: whether all axes were given the same sizes.
        has_order: whether the claim leaves the order of a norm open.
        array_of: reads an array expression; arrays are made of values, and an entry of one is a value.
        is_family: whether the input is a family over an abstract set, whatever its layer.
    """

    declared: Declarations
    letters: Letters
    output: Formula
    input_sizes: tuple[Index, ...]
    output_sizes: tuple[Index, ...]
    windows: Any
    sizes: dict[str, Index]
    boxes: dict[str, Box]
    hypotheses: tuple[Guard, ...]
    definitions: tuple[tuple[str, Index], ...]
    literal: bool
    op: Operator
    naming: Naming
    order: tuple[str, ...] = ()
    elements: Index = field(default_factory=lambda: Index.of(0))
    effort: Effort = field(default_factory=Effort)
    square: bool = False
    has_order: bool = False
    is_family: bool = False
    array_of: Callable[[Expr, Scope], Array] = field(default=_no_array)
    _seen: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def again(self, effort: Effort) -> Scope:
        """The same scope for another claim, with an effort of its own."""
        return replace(self, boxes=dict(self.boxes), effort=effort, _seen={})

    @property
    def orders(self) -> frozenset[str]:
        """The letters for orders of norms, real numbers: that of the layer, and that which the claim leaves open."""
        return frozenset(self.output.table.real) | frozenset({ORDER} if self.has_order else ())

    @property
    def base(self) -> int:
        return self.declared.base

    @property
    def nonempty(self) -> Guard:
        """A set without indices has at least one element."""
        return nonnegative(self.elements - 1)

    def capital(self, role: str) -> str:
        """The array of a role, as it is written."""
        return capital(getattr(self.letters, role))

    @property
    def arrays(self) -> dict[str, str]:
        """The capitals of the tensors, and their roles; a capital that somebody chose for something else is none."""
        roles = ("input", "weight", "bias", "upstream", "output")
        present = [r for r in roles if r == "output" or self.boxes.get(getattr(self.letters, r))]
        chosen = self.naming.chosen
        return {
            self.capital(role): role
            for role in present
            if chosen.get(look(self.capital(role)), f"the {role}") == f"the {role}"
        }

    def number(self, number: Number) -> Index | Fraction:
        """What a number of the claim means here: itself, or what it stands for in general."""
        written = number.span[0] >= 0  # and not put there by the reading of a claim
        meaning = None if self.literal or not written else self.declared.general.get(str(number.value))
        if isinstance(meaning, list | tuple):
            places = sorted(self._seen.get(str(number.value), []))
            position = places.index(number.span) if number.span in places else -1
            meaning = meaning[position] if 0 <= position < len(meaning) else None
        if not meaning:
            value = number.value
            return Index.of(value.numerator) if value.denominator == 1 else value
        return self._size_expression(str(meaning))

    def note_numbers(self, spans: Mapping[str, list[tuple[int, int]]]) -> None:
        """Tell where each number occurs, so that a generalisation can speak of single occurrences."""
        self._seen = {value: list(places) for value, places in spans.items()}

    def _size_expression(self, text: str) -> Index:
        """A size expression of a generalisation, such as "O + 1": letters, numbers, plus, minus and times."""
        from symconv.claims.reading.language import read_claim

        claim = read_claim(text)
        if len(claim.parts) != 1:
            raise ClaimError(f"general: {text!r} must be one expression in {', '.join(self.sizes)}")
        return self._size_index(claim.parts[0])

    def _size_index(self, expr: Expr) -> Index:
        """A size expression whose numbers are themselves."""
        if isinstance(expr, Number) and expr.value.denominator == 1:
            return Index.of(expr.value.numerator)
        if isinstance(expr, Negate):
            return -self._size_index(expr.arg)
        if isinstance(expr, Binary) and expr.op in ("+", "-", "*"):
            left, right = self._size_index(expr.left), self._size_index(expr.right)
            return left + right if expr.op == "+" else left - right if expr.op == "-" else left * right
        if isinstance(expr, Name) and expr.name in self.sizes:
            return self.sizes[expr.name]
        raise ClaimError(f"general: must be an expression in the size letters {', '.join(self.sizes)} with + - *")

    def whole_size(self) -> Index:
        """The output size of all axes.

        Raises:
            ClaimError: where the axes differ.
        """
        sizes = self.output_sizes
        if len(set(sizes)) != 1:
            shown = ", ".join(map(repr, sizes))
            raise ClaimError(f"size differs between the axes ({shown}); write size[1], size[2], ...")
        return sizes[0].subs(dict(self.definitions))

    def unknown(self, kind: str, name: str, known: Mapping[str, Any] | list[str], declare: str = "") -> ClaimError:
        """The error for a name that is not declared: what there is, what was meant, what would declare it."""
        names = list(dict.fromkeys(known))
        near = get_close_matches(name, names, n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]}?" if near else ""
        add = f"; declare it, such as {declare}" if declare and not hint else ""
        return ClaimError(f"{kind} {name!r} is not declared (declared: {', '.join(names) or 'none'}){hint}{add}")


def literal_scope(declared: Declarations) -> Scope:
    """The scope at the declared size."""
    declared = _assuming(declared)
    return _scope(declared, declared.op, declared.input_size)


def general_scope(declared: Declarations, *, apart: bool = False) -> Scope:
    """The scope for all sizes: what the claim's size letters name is symbolic, every other option stays as declared.

    Args:
        declared: what the claim's question declares.
        apart: every axis has sizes of its own, also where those that are declared are the same on all axes.
    """
    from sympy import Symbol

    declared = _assuming(declared)
    named = set(declared.sizes.values()) | {"kernel"}
    options = {"kernel": "kernel_size", "stride": "stride", "padding": "padding", "dilation": "dilation"}
    op: Any = declared.op
    keep = [option for word, option in options.items() if word not in named and option in op.size_letters()]
    if isinstance(getattr(op, "padding", 0), str) and "padding" not in keep:
        keep.append("padding")
    keep += [option for option in ("output_padding",) if option in op.options()]  # which no size letter names
    letters = naming(declared)
    chosen = {option: letters.sizes[word] for word, option in options.items()}
    chosen["padding_after"] = letters.sizes["padding"] + "'"  # no claim can write it
    own = {option: letter for option, letter in chosen.items() if option in op.size_letters()}
    generic = op.generic(keep=keep, shared=not apart, letters=own)
    channels = {kind: letters.sizes[kind] for kind in CHANNELS if kind in named}
    if channels:
        if op.options().get("groups", 1) != 1:
            raise ClaimError("sizes: channels have a letter where there is one group alone; write their numbers")
        generic = replace(
            generic, **{kind: Symbol(letter, integer=True, positive=True) for kind, letter in channels.items()}
        )
    return _scope(declared, generic, None, apart)


def _assuming(declared: Declarations) -> Declarations:
    """The declarations with a layer that says nothing of ties, where maxima are assumed to be unique."""
    if not declared.unique_maxima:
        return declared
    if not isinstance(declared.op, MaxPool):
        raise ClaimError(f"assume: unique maxima are those of a MaxPool, and this is {declared.op!r}")
    return replace(declared, op=replace(declared.op, ties="error"))


def _scope(declared: Declarations, op: Operator, input_size: tuple[int, ...] | None, apart: bool = False) -> Scope:
    if not op.windows and not isinstance(op, Pointwise | Dense):
        raise ClaimError(f"claims speak of one window for all outputs, or of none, and {op.noun} is no such layer")
    letters = naming(declared)
    data = {name: value for name, value in declared.data.items() if _may_be_data(name, letters)}
    declared = replace(declared, data=data)
    output = op.output(names=letters.letters, index_base=declared.base, input_size=input_size)
    frame = op.geometry(letters.letters, input_size)
    square = input_size is None and not apart and op.spatial_axes > 1 and _square(declared)
    env = _own_letters(letters, frame, square) if input_size is None else {}
    inputs = tuple(size.subs(env) for size in frame.sizes)
    outputs = tuple(size.subs(env) for size in frame.outputs)
    definitions = {env.get(name, name): value.subs(env) for name, value in frame.definitions}
    lower = {env.get(name, name): low for name, low in frame.lower.items()}
    hypotheses = [Guard("ge", Index.of(name) - low) for name, low in lower.items()]
    hypotheses += [Guard("ge", fact.subs(env)) for fact in frame.facts]
    body = output.subs(env) if env else output
    boxes = {t.name: t.box for t in body.tensors}
    boxes[frame.letters.upstream] = tuple((bound.lower, bound.upper) for bound in body.free)
    scope = Scope(
        declared,
        frame.letters,
        body,
        inputs,
        outputs,
        op.windows,
        {},
        boxes,
        tuple(dict.fromkeys(hypotheses)),
        tuple(definitions.items()),
        input_size is not None,
        op,
        letters,
        tuple(name for letter in letters.sizes.values() for name in (letter, *_axes(letter, op))),
        Index.of(letters.elements(())),
    )
    scope.square = square
    scope.sizes = _size_letters(scope)
    scope.sizes.update((name, Index.of(name)) for name in frame.symbols if name not in scope.sizes)
    if isinstance(op, Pooling) and input_size is not None:
        taps = Index.of(1)
        for window in op.windows:
            taps = taps * window.k
        scope.elements = taps
    return scope


def _axes(letter: str, op: Operator) -> tuple[str, ...]:
    """The names of a size, axis by axis."""
    return numbered(letter, op.spatial_axes)


def _may_be_data(name: str, letters: Naming) -> bool:
    """Whether a name of the file's data is not one that the question has for something else than a tensor."""
    meaning = letters.chosen.get(look(name), "")
    return not meaning or meaning in {f"the {role}" for role in ARRAYS}


def _own_letters(letters: Naming, frame: Geometry, square: bool) -> dict[str, str]:
    """The names of the input and output sizes in the letters of the question, one for all axes of a square layer."""
    ndim = len(frame.sizes)
    defined = dict(frame.definitions)
    env: dict[str, str] = {}
    for word, sizes in (("input", frame.sizes), ("output", frame.outputs)):
        letter = letters.sizes[word]
        for size, wanted in zip(sizes, (letter,) * ndim if square else numbered(letter, ndim), strict=True):
            name = min(size.names, default="")
            if size == Index.of(name) and (word == "input" or name in defined) and name not in frame.symbols:
                env[name] = wanted
    return {name: new for name, new in env.items() if name != new}


def _square(declared: Declarations) -> bool:
    windows = declared.op.windows
    return len(set(declared.input_size)) == 1 and len(set(windows)) == 1


def _size_letters(scope: Scope) -> dict[str, Index]:
    """What every size letter is: one letter where all axes agree, else one an axis (K_1, K_2, ...)."""
    windows = scope.windows
    by_word = {
        "input": list(scope.input_sizes),
        "output": list(scope.output_sizes),
        "kernel": [w.k for w in windows],
        "stride": [w.s for w in windows],
        "dilation": [w.d for w in windows],
        "padding": [w.padding(n)[0] for w, n in zip(windows, scope.input_sizes, strict=False)],  # where there are any
    }
    result: dict[str, Index] = {}
    for letter, word in scope.naming.written.items():
        if word in CHANNELS:
            result[letter] = Index.of(getattr(scope.op, word)) if scope.literal else Index.of(letter)
            continue
        if word == "padding":
            _refuse_two_paddings(letter, scope)
        values = by_word[word]
        if len(set(values)) == 1:
            result[letter] = values[0]
        for axis, value in enumerate(values, 1):
            name = f"{letter}_{axis}"
            if scope.naming.chosen.get(look(name), f"the {word}, axis by axis") == f"the {word}, axis by axis":
                result[name] = value
    return result


def _refuse_two_paddings(letter: str, scope: Scope) -> None:
    """A letter for the padding means nothing where there is another one before the input than after it."""
    for axis, (window, size) in enumerate(zip(scope.declared.op.windows, scope.declared.input_size, strict=True), 1):
        before, after = window.padding(size)
        if before != after:
            raise ClaimError(
                f"sizes: {letter!r} is to be the padding, which on axis {axis} is {before!r} before the input and "
                f"{after!r} after it; write the numbers"
            )


def mentioned(expr: Expr) -> dict[str, list[tuple[int, int]]]:
    """Where each number of an expression occurs."""
    found: dict[str, list[tuple[int, int]]] = {}
    for part in walk_expr(expr):
        if isinstance(part, Number):
            found.setdefault(str(part.value), []).append(part.span)
    return found
