"""The rewrites behind the plans for one channel and for chains of stages, as derivations whose steps are checked."""

from __future__ import annotations

from dataclasses import replace
from itertools import product as every
from math import prod

from symconv.derivations.step import Derivation, Maths, Phrase, Stage, Step
from symconv.formulas.algebra import (
    Access,
    Bound,
    Label,
    Named,
    Node,
    Reduce,
    accesses,
    add,
    product,
    substitute,
    summation,
    transform,
    walk,
)
from symconv.formulas.formula import Formula, Tensor
from symconv.formulas.index import Index, quotient
from symconv.operators.base import Operator
from symconv.proofs.rewriting import MOST_TERMS
from symconv.proofs.verdict import Scope, Verdict

__all__ = ["rows_derivation", "separable_derivation", "spectral_derivation", "stages_derivation", "taps_derivation"]

EVERYWHERE: Phrase = ("for every input size, and every index in its range",)
ZERO: Phrase = ("An array is zero outside its range.",)


def _put(formula: Formula, old: Node, new: Node) -> Formula:
    return formula.with_body(transform(formula.body, lambda node: new if node == old else None))


def _window(formula: Formula) -> Reduce:
    """The reduction over the taps."""
    letter = next(tensor.name for tensor in formula.tensors if tensor.role == "input")
    return next(n for n in walk(formula.body) if isinstance(n, Reduce) and accesses(n, letter))


def _read(node: Node, formula: Formula) -> Access:
    letter = next(tensor.name for tensor in formula.tensors if tensor.role == "input")
    return accesses(node, letter)[0]


def _last(bound: Bound) -> int:
    last = bound.upper.value
    assert last is not None
    return last


# ---------------------------------------------------------------------- taps


def taps_derivation(op: Operator) -> Derivation:
    """The window written out, one tap after the other."""
    output = op.output()
    window = _window(output)
    taps: list[Bound] = []  # the axes along which the window is written out; a sum goes on along the others
    for bound in window.bounds[-op.ndim :]:
        if prod(_last(b) + 1 for b in (*taps, bound)) <= MOST_TERMS:
            taps.append(bound)
    others = tuple(bound for bound in window.bounds if bound not in taps)
    written = output
    if window.op == "sum" and not window.guards:
        terms = [
            substitute(window.body, {b.name: Index.of(at) for b, at in zip(taps, place, strict=True)})
            for place in every(*(range(_last(bound) + 1) for bound in taps))
        ]
        written = _put(output, window, summation(add(*terms), *others))
    step = Step(
        "1",
        output,
        written,
        "write_out_taps",
        "Write out",
        ("the taps in row-major order; each of them is a shifted view of the input.",),
        opens=True,
    )
    return Derivation(
        f"{op.phrase.capitalize()}, tap by tap",
        ("A window has a fixed number of taps, and each of them is one array operation for all outputs at once.",),
        ZERO,
        (),
        (Stage(("The output",), EVERYWHERE, (step,)),),
    )


def stages_derivation(op: Operator, plan: str) -> Derivation:
    """A pooling tap by tap, or its reduction over a box as one reduction an axis."""
    output = op.output()
    if plan == "taps" or op.ndim == 1:
        return taps_derivation(op)
    window = _window(output)
    nested: Node = window.body
    for bound in reversed(window.bounds):
        own = tuple(guard for guard in window.guards if guard.names & {bound.name})
        nested = Reduce(window.op, (bound,), own, nested)
    step = Step(
        "1",
        output,
        _put(output, window, nested),
        "transpose",
        "Nest",
        ("one reduction an axis: sums and maxima over a box can be taken one axis after the other.",),
        opens=True,
    )
    return Derivation(
        f"{op.phrase.capitalize()}, one axis after the other",
        ("The inner reduction does not depend on the outer tap but through the row that it reads.",),
        ZERO,
        (),
        (Stage(("The output",), EVERYWHERE, (step,)),),
    )


# ---------------------------------------------------------------------- rows


def rows_derivation(op: Operator) -> Derivation:
    """The shifted copies of the rows, and the taps of the window numbered row-major."""
    output = op.output()
    window, access = _window(output), _read(output.body, output)
    column = output.indices[-1]
    taps = window.bounds
    named = Named(Label("s", "s"), (*access.index[:-1], Index.of(taps[-1].name), Index.of(column)), access)
    read = _put(output, access, named)
    copied = Step(
        "1",
        output,
        read,
        "recognise",
        "Copy",
        ("every row of the input once for each tap along it, shifted by that tap.",),
        opens=True,
    )
    steps = [copied]
    if len(taps) == 2:
        across = _last(taps[1]) + 1
        number = Index.of("k")
        row = quotient(number, across)
        put = {taps[0].name: row, taps[1].name: number - across * row}
        count = Index.of((_last(taps[0]) + 1) * across - 1)
        total = Reduce("sum", (Bound("k", Index.of(0), count),), (), substitute(window.body, put))
        steps.append(
            Step(
                "2",
                output,
                _put(output, window, total),
                "number",
                "Number",
                ("the taps row-major: entry k of a vector times row k of what a row of outputs reads.",),
                uses=("1",),
            )
        )
    return Derivation(
        "A convolution of one channel, row by row",
        ("A row of outputs is a vector of taps times a matrix whose rows are shifted rows of the input.",),
        ZERO,
        (),
        (Stage(("The output",), EVERYWHERE, tuple(steps)),),
    )


# ---------------------------------------------------------------------- separable


def separable_derivation(op: Operator) -> Derivation:
    """A kernel that is a sum of products of a column and a row, and the sums over its taps exchanged."""
    output = op.output()
    window = _window(output)
    m, n = window.bounds
    weight = next(tensor for tensor in output.tensors if tensor.role == "weight")
    kernel = accesses(window.body, weight.name)[0]
    term = Bound("t", Index.of(0), Index.of(0))
    lead = weight.box[:-2]
    column = Access("u", (*kernel.index[:-2], Index.of("t"), Index.of(m.name)))
    row = Access("v", (*kernel.index[:-2], Index.of("t"), Index.of(n.name)))
    rank = (Index.of(0), Index.of(min(_last(m), _last(n))))
    term = Bound("t", *rank)
    tensors = (
        *(tensor for tensor in output.tensors if tensor is not weight),
        Tensor("u", "weight", (*lead, rank, weight.box[-2])),
        Tensor("v", "weight", (*lead, rank, weight.box[-1])),
    )
    read = _read(window.body, output)
    factored = Reduce("sum", (m, n), (), product(read, Reduce("sum", (term,), (), product(column, row))))
    inner = Reduce("sum", (n,), (), product(row, read))
    nested = Reduce("sum", (term,), (), Reduce("sum", (m,), (), product(column, inner)))
    start = replace(_put(output, window, factored), tensors=tensors)
    after = replace(_put(output, window, nested), tensors=tensors)
    step = Step(
        "1",
        start,
        after,
        "transpose",
        "Exchange",
        (
            "the sums: with the kernel as the sum over t of products u[t, m] v[t, n], found by its singular values, "
            "a sum over the row comes first, then one over the column.",
        ),
        opens=True,
    )
    return Derivation(
        "A convolution with a kernel of low rank",
        ("A sum over a box of taps becomes one sum over a column and one over a row for each term of the kernel.",),
        ("The kernel is the sum over t of products of a column u[t] and a row v[t]. ", *ZERO),
        (),
        (Stage(("The output",), EVERYWHERE, (step,)),),
    )


# ---------------------------------------------------------------------- spectra


def spectral_derivation(op: Operator) -> Derivation:
    """Overlap-save: within a tile the sum may wrap around, and a sum that wraps around is a product of spectra."""
    output = op.output()
    return Derivation(
        "A convolution of one channel by the convolution theorem",
        ("Outputs are computed a tile at a time; a tile is transformed, multiplied, and transformed back.",),
        ZERO,
        (),
        (
            Stage(
                ("A tile",), ("for every tile length T from K on, and every output of the tile",), _tile_steps(output)
            ),
        ),
    )


def _tile_steps(output: Formula) -> tuple[Step, ...]:
    from symconv.operators.convolution import Conv

    taps = _last(_window(output).bounds[-1]) + 1
    # the theorem speaks of one axis; along the other it is applied to the results of the first
    line = Conv((taps,)).output()
    window, access = _window(line), _read(line.body, line)
    (place,) = access.index
    (size,) = (Index.of(name) for name in line.sizes)
    wrapped = replace(access, index=(place - size * quotient(place, size),))
    cyclic = _put(line, access, wrapped)
    first = Step(
        "1",
        line,
        cyclic,
        "number",
        "Wrap around",
        ("the tile, whose length is that of the input here: its outputs read no entry beyond its end.",),
        opens=True,
    )
    second = Step(
        "2",
        cyclic,
        cyclic,
        "interpolate",
        "Transform",
        (
            "both factors: at the roots of unity w^k a sum that wraps around is a product of values, and the values "
            "give the sum back because the sum over k of w^(kj) is T for j = 0 and 0 for every other j below T.",
        ),
        uses=("1",),
        opens=True,
        shown=(
            Maths(r"\sum_k w^{k j}", "Σ_k w^(kj)"),
            "=",
            Maths(r"T \text{ if } j = 0 \text{ else } 0", "T if j = 0 else 0"),
        ),
        check=_orthogonality,
    )
    assert window.op == "sum"
    return first, second


ORDER = 12
"""The length of the tile at which the roots of unity are summed exactly."""


def _orthogonality() -> Verdict:
    """Sum the powers of a primitive root of unity of order 12 exactly, as polynomials modulo the one that it solves."""
    from sympy import Poly, cyclotomic_poly
    from sympy.abc import x

    modulus = Poly(cyclotomic_poly(ORDER, x), x)
    for shift in range(ORDER):
        total = Poly(sum(x ** (k * shift % ORDER) for k in range(ORDER)), x).rem(modulus)
        if total != Poly(ORDER if shift == 0 else 0, x):
            return Verdict("undecided", explanation=f"the powers of w^{shift} do not add up")
    return Verdict(
        "exact",
        scope=Scope((), (("T", ORDER),)),
        explanation=f"summed exactly for T = {ORDER}; for every T, (w^j - 1) times the sum is w^(jT) - 1 = 0",
        method="polynomial identity",
        sizes=1,
    )
