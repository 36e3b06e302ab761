"""The worked derivation of F(m, r): a product of polynomials from its values, read backwards as a correlation."""

from __future__ import annotations

import math

from symconv.derivations.step import Definition, Derivation, Maths, Phrase, Stage, Step, maths
from symconv.derivations.winograd import checks
from symconv.derivations.winograd.axis import STEPS, AxisSteps
from symconv.derivations.winograd.nested import Nested
from symconv.derivations.winograd.toom_cook import CookToom
from symconv.derivations.winograd.wording import (
    all_of,
    bracketed,
    equals,
    hadamard,
    letter,
    many,
    sandwich,
    size,
    sum_over,
    sum_to,
)
from symconv.formulas.formula import Formula
from symconv.formulas.printing import LATEX, UNICODE, context_of

__all__ = ["axis_numbers", "derivation"]


def derivation(algorithm: Nested) -> Derivation:
    """The derivation of a nested algorithm, every step checked in exact arithmetic.

    One stage multiplies polynomials by their values at the points, one turns it into the correlation by the
    transposition principle; axes that are alike share them, and on two axes a last stage nests.

    Source: Winograd, Arithmetic Complexity of Computations (1980); Blahut, Fast Algorithms for Signal Processing
    (2010).
    """
    kinds = tuple(dict.fromkeys(algorithm.axes))
    definitions = _definitions(algorithm, kinds)
    whole = len(algorithm.axes) - 1  # definitions of the correlation on all axes, before that of one axis
    ids = tuple(definitions[position].id for position in (whole, whole + 1, -1))
    stages: list[Stage] = []
    for number, axis in enumerate(kinds, 1):
        steps = AxisSteps(axis, str(number) if len(kinds) > 1 else "", 1 + STEPS * (number - 1), *ids)
        stages += steps.stages()
    if len(algorithm.axes) > 1:
        stages.append(_nesting(algorithm, kinds))
    outputs, taps = math.prod(algorithm.outputs), math.prod(algorithm.taps)
    tile = (size(algorithm.inputs), " input" if algorithm.multiplications == 1 else " inputs")
    return Derivation(
        f"{algorithm.name}: {many(outputs, 'output')} of a correlation with {many(taps, 'tap')} by "
        f"{many(algorithm.multiplications, 'multiplication')}",
        (
            "Two polynomials are multiplied by multiplying their values at enough points. The same three matrices, "
            "read backwards, compute a correlation.",
        ),
        ("For every kernel g and every tile d of ", *tile, ". Indices start at 0."),
        definitions,
        tuple(stages),
    )


def axis_numbers(algorithm: Nested) -> tuple[str, ...]:
    """What the matrices of the axes are numbered by: nothing where all axes are alike."""
    alike = len(set(algorithm.axes)) == 1
    return tuple("" if alike else str(number) for number in range(1, len(algorithm.axes) + 1))


def _definitions(algorithm: Nested, kinds: tuple[CookToom, ...]) -> tuple[Definition, ...]:
    entries: list[tuple[Phrase, str, Phrase]] = []
    if len(algorithm.axes) > 1:
        formula = checks.correlation(algorithm.outputs, algorithm.taps)
        entries.append(((_equation(formula),), "correlation", (size(algorithm.outputs),)))
    name = "correlation" if len(algorithm.axes) == 1 else "the same on one axis"
    term, factor = Maths("g_{k}\\, d_{i+k}", "g[k]·d[i+k]"), Maths("u_{i}\\, g_{j-i}", "u[i]·g[j−i]")
    if len(kinds) == 1:
        (axis,) = kinds
        line, product = sum_to("k", axis.r - 1, term), sum_to("i", axis.m - 1, factor)
        sizes: tuple[Phrase, Phrase] = (str(axis.m),), (str(axis.size),)
    else:
        line, product, sizes = sum_over("k", term), sum_over("i", factor), ((), ())
    entries.append(((equals(Maths("y_{i}", "y[i]"), line),), name, sizes[0]))
    entries.append(((equals(Maths("s_{j}", "s[j]"), product),), "coefficients of the product u(x)·g(x)", sizes[1]))
    for number, axis in enumerate(kinds, 1):
        where = "points" if len(kinds) == 1 else f"points on axis {number}, for F({axis.m}, {axis.r})"
        entries.append(((_points(axis),), where, (str(axis.size),)))
    polynomial = equals(Maths("M(x)", "M(x)"), Maths(r"\prod_{q} (x - a_{q})", "∏(q) (x − a[q])"))
    other = equals(Maths("M_{q}(x)", "M[q](x)"), Maths(r"M(x) / (x - a_{q})", "M(x)/(x − a[q])"))
    value = equals(Maths("N_{q}", "N[q]"), Maths("M_{q}(a_{q})", "M[q](a[q])"))
    words = "zero at all finite points; zero at all but one, and its value there"
    entries.append(((polynomial, ", ", other, ", ", value), words, ()))
    return tuple(Definition(f"D{n}", (), *entry) for n, entry in enumerate(entries, 1))


def _points(axis: CookToom) -> Maths:
    latex = r",\, ".join([*map(LATEX.number, axis.points), r"\infty"])
    return Maths(f"a = ({latex})", f"a = ({', '.join([*map(UNICODE.number, axis.points), '∞'])})")


def _equation(formula: Formula) -> Maths:
    context = context_of(formula)
    left = maths(lambda style: style.quantity(formula.quantity))
    return equals(left, maths(lambda style: style.pointwise(formula.body, context)))


def _nesting(algorithm: Nested, kinds: tuple[CookToom, ...]) -> Stage:
    """The last step of the first axis for whole lines, then that of the second for their products."""
    formula = checks.correlation(algorithm.outputs, algorithm.taps)
    numbers = axis_numbers(algorithm)
    products = hadamard(sandwich("G", numbers, Maths("g", "g")), sandwich("B", numbers, Maths("d", "d")))
    earlier = tuple(str(STEPS * number) for number in range(1, len(kinds) + 1))
    tensor = Maths(r"[\,j_1 = i_1 + k_1\,]\,[\,j_2 = i_2 + k_2\,]", "[j₁ = i₁ + k₁]·[j₂ = i₂ + k₂]")
    if algorithm.is_small:
        count = algorithm.certificate.entries
        substep: Phrase = (
            "Certificate: ",
            ", ".join(" ⊗ ".join(letter(name, number).text for number in numbers) for name in "AGB"),
            " give the tensor ",
            tensor,
            f", checked for {all_of(count, 'triple')} of an output, a tap and an input.",
        )
    else:
        substep = (
            "Certificate: the tensor ",
            tensor,
            f" is the product of those of the axes, which hold by ({') and ('.join(earlier)}).",
        )
    step = Step(
        str(STEPS * len(kinds) + 1),
        formula,
        formula,
        "nest",
        "Nest:",
        (
            f"({earlier[0]}) along the first axis multiplies lines instead of numbers, and ({earlier[-1]}) along the "
            "second computes each of these products, which are correlations.",
        ),
        substeps=(substep,),
        uses=("D1", *earlier),
        opens=True,
        shown=(Maths("Y", "Y"), "=", sandwich("A", numbers, bracketed(products))),
        check=lambda: checks.nests(algorithm),
    )
    return Stage(("Both axes",), ("for every g and d",), (step,))
