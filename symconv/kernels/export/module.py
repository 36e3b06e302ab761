"""A standalone NumPy module of an operator: its formula as a function of arrays, where it is from, and a self-test."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import numpy as np

from symconv.errors import GeometryError, NotSupportedError
from symconv.formulas.algebra import Reduce
from symconv.formulas.exact import Numbers, divides_by_nothing, evaluate
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.spelling import one_line
from symconv.formulas.walks import walk
from symconv.kernels.export import helpers
from symconv.kernels.export.printing import ArrayText
from symconv.kernels.form.extraction import numbers_only
from symconv.kernels.runtime.engine import source_of
from symconv.operators.base import Operator

__all__ = ["FIRST_LINE", "numpy_module"]

FIRST_LINE = '"""An operator as a function of NumPy arrays, printed from FORMULA. Run this file to test it."""'
"""By which a module is known as one of these."""

BATCHED = ("input", "target")
ROLES = (*BATCHED, "weight", "bias")

TESTED, TERMS = 24, 200_000
"""The most outputs that a self-test compares, and the most terms that all of them have together."""

LARGEST = 1 << 22
"""The most entries of an array of the self-test."""


def numpy_module(op: Operator) -> str:
    """The text of a module that needs NumPy and nothing else: ``forward(a, ...)``, the formula, and ``self_test()``.

    The function is the formula as it stands, a loop for every bound index and an array for the free ones: made to be
    read, to be checked and to be carried along, while the speed is that of ``compile``. Its self-test compares with
    exact values of the formula that were worked out when it was printed.

    Raises:
        ArgumentError: for symbolic options.
        NotSupportedError: for a formula that overflows as it stands, or reads other arrays than input, weight, bias and
            target, or whose self-test would be too large.

    >>> from symconv.operators.pooling import AvgPool
    >>> "def forward(a):" in numpy_module(AvgPool(2))
    True
    """
    from importlib.metadata import PackageNotFoundError, version

    numbers_only(op)
    formula = op.output()
    for tensor in formula.tensors:
        if tensor.role not in ROLES:
            raise NotSupportedError(f"no module is printed of {op!r}: its formula reads {tensor.role}")
    try:
        number = version("symconv")
    except PackageNotFoundError:
        number = "from a source tree"
    text = ArrayText(formula.indices)
    forward = _forward(formula, text)
    tensors = ", ".join(text.name(tensor.name) for tensor in formula.tensors)
    return "\n".join(
        [
            FIRST_LINE,
            "",
            "import numpy as np",
            "",
            f"FORMULA = {one_line(str(formula))!r}",
            f"OPERATOR = {one_line(repr(op))!r}",
            f"MADE_BY = {f'symconv {number}'!a}",
            "",
            "",
            *(line.replace(": Any", "").replace(" -> Any", "").replace(" -> list[Any]", "") for line in _helpers()),
            "",
            f"def forward({tensors}):",
            f'    """The output for {_described(formula, text)}."""',
            *(f"    {line}" for line in forward),
            "",
            "",
            *_self_test(op, formula, text, tensors),
            "",
            "",
            'if __name__ == "__main__":',
            "    self_test()",
            '    print("the self-test has passed")',
            "",
        ]
    )


def _helpers() -> list[str]:
    functions = (helpers.arrays, helpers.fit, helpers.grid, helpers.read, helpers.pattern)
    return "\n".join(source_of(function) + "\n" for function in functions).split("\n")


def _shape(box: tuple[tuple[Index, Index], ...], text: ArrayText) -> str:
    extents = [text.index(high - low + 1) for low, high in box]
    return f"({', '.join(extents)}{',' * (len(extents) == 1)})"


def _described(formula: Formula, text: ArrayText) -> str:
    """The arrays and their shapes, in words."""
    words = []
    for tensor in formula.tensors:
        batch = " after any axes of a batch" if tensor.role in BATCHED else ""
        words.append(f"{text.name(tensor.name)} {_shape(tensor.box, text)}{batch}")
    return ", ".join(words)


def _forward(formula: Formula, text: ArrayText) -> list[str]:
    """The statements of the function."""
    names = [text.name(tensor.name) for tensor in formula.tensors]
    source = next(tensor for tensor in formula.tensors if tensor.role == "input")
    entry = text.name(source.name)
    listed = ", ".join(names)
    text.say(f"{listed}{',' * (len(names) == 1)} = arrays({listed})")
    text.say(f"T = {entry}.dtype.type")
    text.say(f"if {entry}.ndim < {len(source.box)}:")
    text.say(f'    raise ValueError("{entry} must have {len(source.box)} axes or more, got " + str({entry}.ndim))')
    text.say(f"lead = {entry}.shape[: {entry}.ndim - {len(source.box)}]")
    for axis, (low, high) in enumerate(source.box):
        extent = high - low + 1
        if len(extent.names) == 1 and extent == Index.of(*extent.names):
            text.say(f"{text.index(extent)} = {entry}.shape[{axis - len(source.box)}]")
    for name, meant in formula.definitions:
        text.say(f"{text.name(name)} = {text.index(meant)}")
    for tensor in formula.tensors:
        batched = tensor.role in BATCHED
        text.say(f"fit({text.name(tensor.name)!r}, {text.name(tensor.name)}, {_shape(tensor.box, text)}, {batched})")
    for fact in dict.fromkeys(formula.facts):
        text.say(f"if {text.index(fact)} < 0:")
        text.say(f'    raise ValueError("no window fits into an input of the shape " + str({entry}.shape))')
    extents = [text.index(bound.upper - bound.lower + 1) for bound in formula.free]
    if formula.free:
        found = ", ".join(text.name(bound.name) for bound in formula.free)
        text.say(f"{found}{',' * (len(extents) == 1)} = grid({', '.join(extents)})")
    value = text.visit(formula.body)
    text.say(f"shape = (*lead, {', '.join(extents)})" if extents else "shape = lead")
    text.say(f"return np.array(np.broadcast_to({value}, shape), T)")
    return text.lines


def _self_test(op: Operator, formula: Formula, text: ArrayText, tensors: str) -> list[str]:
    """A function that compares some outputs with exact ones."""
    env = _sizes(op, formula)
    shapes = {t.name: tuple(int((high - low + 1).evaluate(env)) for low, high in t.box) for t in formula.tensors}
    if max(map(prod, shapes.values())) > LARGEST:
        why = f"its self-test would need an array of more than {LARGEST:,} entries"
        raise NotSupportedError(f"no module is printed of {op!r}: {why}")
    given = {name: helpers.pattern(number, shape) for number, (name, shape) in enumerate(shapes.items())}
    domain = Numbers({name: _reader(array) for name, array in given.items()})
    points = list(product(*formula.ranges(env))) if formula.free else [()]
    count = max(1, min(TESTED, TERMS // _terms(formula, env), len(points)))
    expected = {}
    for number in range(count):
        point = points[number * (len(points) - 1) // max(1, count - 1)]
        here = {**env, **dict(zip(formula.indices, point, strict=True))}
        if not divides_by_nothing(formula.body, here):
            value = float(evaluate(formula.body, here, domain, formula.boxes))
            expected[point] = value if np.isfinite(value) else str(value)
    lines = [
        "def self_test():",
        '    """Compare outputs with exact values of the formula, of one item and of a batch."""',
    ]
    for number, (name, shape) in enumerate(shapes.items()):
        lines.append(f"    {text.name(name)} = pattern({number}, {shape!r})")
    stacked = [
        f"np.stack([{text.name(t.name)}] * 2)" if t.role in BATCHED else text.name(t.name) for t in formula.tensors
    ]
    return [
        *lines,
        f"    expected = {expected!r}",
        "    for kind, close in ((np.float64, 1e-12), (np.float32, 1e-4)):",
        f"        one = forward(*(array.astype(kind) for array in ({tensors},)))",
        f"        batch = forward(*(array.astype(kind) for array in ({', '.join(stacked)},)))",
        "        if one.dtype != kind or not np.array_equal(batch, np.stack([one] * 2), equal_nan=True):",
        '            raise ValueError("the self-test has failed: two items are not two times one")',
        "        for place, value in expected.items():",
        "            wanted = float(value)",
        "            near = one[place] == wanted or abs(one[place] - wanted) <= close * (1 + abs(wanted))",
        "            if not near:",
        '                raise ValueError(f"the self-test fails at {place}: {one[place]}, not {wanted}")',
    ]


def _reader(array: Any) -> Any:
    return lambda index: Fraction(int(array[index]))


def _sizes(op: Operator, formula: Formula) -> dict[str, int]:
    """Numbers for all parameters: a little more than the smallest input that has an output."""
    if not formula.sizes:
        return formula.environment(None, {})
    least = 0
    for n in range(1, 1 << 12):
        try:
            env = formula.environment((n,) * len(formula.sizes), {})
        except GeometryError:
            continue
        if all(formula.ranges(env)):
            least = least or n
            if n == least + 2:
                return env
    raise NotSupportedError(f"no module is printed of {op!r}: no input of up to {1 << 12} an axis has an output")


def _terms(formula: Formula, env: dict[str, int]) -> int:
    """How many terms an output has at most, about."""
    counts = [1]
    for node in walk(formula.body):
        if isinstance(node, Reduce):
            here = {**dict.fromkeys(set().union(*(b.lower.names | b.upper.names for b in node.bounds)), 0), **env}
            counts.append(prod(max(1, int((b.upper - b.lower + 1).evaluate(here))) for b in node.bounds))
    return max(counts)
