"""An operator of one's own: what follows from its formula agrees with plain loops, and what cannot be is refused."""

from __future__ import annotations

import itertools
from dataclasses import KW_ONLY, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from matching import TemplateMatching

import symconv as sc
from symconv.cli.application import commands
from symconv.errors import NotSupportedError
from symconv.formulas.algebra import Absolute, Node, Power, Reduce, add, const, product, summation
from symconv.operators.frame import Geometry
from symconv.operators.option import KERNEL_SIZE, PADDING
from symconv.problems.build import build_document
from symconv.problems.problem import Declared, Problem, Question
from symconv.report.render import to_html, to_latex

MATCHING = Path(__file__).with_name("matching.py")


def read(op: Any, x: Any, place: tuple[int, ...], tap: tuple[int, ...]) -> Any:
    """The entry that a tap of an output reads, and where it stands; zero in the padding."""
    at = tuple(p * s + m - before for p, s, m, (before, _) in zip(place, op.stride, tap, op.padding, strict=True))
    inside = all(0 <= i < n for i, n in zip(at, x.shape, strict=True))
    return (x[at] if inside else 0), (at if inside else None)


def loops(op: Any, x: Any, w: Any, g: Any) -> tuple[Any, Any, Any]:
    """Output, gradient by the input and gradient by the template, term by term."""
    y, by_input, by_weight = (np.zeros(shape, x.dtype) for shape in (g.shape, x.shape, w.shape))
    for place in itertools.product(*map(range, g.shape)):
        for tap in itertools.product(*map(range, w.shape)):
            entry, at = read(op, x, place, tap)
            y[place] += (entry - w[tap]) ** 2
            by_weight[tap] -= 2 * (entry - w[tap]) * g[place]
            if at is not None:
                by_input[at] += 2 * (entry - w[tap]) * g[place]
    return y, by_input, by_weight


CASES = [
    (TemplateMatching((2, 3)), (4, 5)),
    (TemplateMatching((2, 2), stride=(2, 1), padding=1), (5, 4)),
    (TemplateMatching((3,), padding=((2, 0),)), (6,)),
    (TemplateMatching((2,), stride=3, padding=((-1, 1),)), (8,)),
    (TemplateMatching((1, 2, 2), stride=2), (3, 4, 4)),
    (TemplateMatching((3, 3), padding="same"), (3, 4)),
]


@pytest.mark.parametrize(("op", "size"), CASES, ids=str)
def test_entries_gradients_and_kernel_agree_with_plain_loops(op: Any, size: tuple[int, ...]) -> None:
    rng = np.random.default_rng(7)
    shape = op.output_size(size)
    pads = tuple((w.padding(n)[0].value, 0) for w, n in zip(op.windows, size, strict=True))
    plain = TemplateMatching(op.kernel_size, op.stride, pads)  # a rule in numbers, for the loops
    x, w, g = (rng.integers(-4, 5, size=s).astype(np.float64) for s in (size, op.kernel_size, shape))
    y, by_input, by_weight = loops(plain, x, w, g)
    kernel = sc.compile(op)
    assert np.array_equal(kernel(x, w), y)
    found = kernel.vjp(g, x, w)
    assert np.array_equal(found.input, by_input)
    assert np.array_equal(found.weight, by_weight)
    tangent = kernel.jvp(x, w, dx=by_input, dweight=by_weight)
    assert np.sum(tangent * g) == np.sum(by_input**2) + np.sum(by_weight**2)  # <J v, g> = <v, J^T g>
    assert np.array_equal(sc.compile(op, weight=w)(np.stack([x, x + 1]))[0], y)
    place = tuple(n - 1 for n in shape)
    entry = op.output().at(*place, input_size=size).doit()
    arrays = {"a": x, "b": w}
    assert entry.subs({e: arrays[str(e.base)][tuple(map(int, e.indices))] for e in _entries(entry)}) == y[place]


def _entries(entry: Any) -> list[Any]:
    import sympy

    return list(entry.atoms(sympy.Indexed))


def test_results_have_the_type_of_what_is_given() -> None:
    kernel = sc.compile(TemplateMatching((2,)))
    x, w, g = (np.array(values, np.float16) for values in ([1, 300, 2], [1, 2], [1, 1]))
    with np.errstate(all="raise"):
        y, found = kernel(x, w), kernel.vjp(g, x, w)
    assert (y.dtype, found.input.dtype, found.weight.dtype) == (np.float16,) * 3
    assert y.tolist() == [np.inf, np.inf]  # 298**2 is no half number
    assert found.input.tolist() == [0.0, 2.0 * (298 + 299), 0.0]
    assert kernel(x, w.astype(np.float32)).tolist() == [298.0**2, 299.0**2]


def test_opencv_computes_the_same() -> None:
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng(3)
    x, w = rng.random((20, 30), np.float32), rng.random((4, 5), np.float32)
    ours = sc.compile(TemplateMatching((4, 5)))(x, w)
    assert np.allclose(ours, cv2.matchTemplate(x, w, cv2.TM_SQDIFF), atol=1e-4)


@pytest.mark.parametrize("wrt", ["input", "weight"])
@pytest.mark.parametrize("what", ["derivative", "gradient"])
def test_every_step_of_its_derivation_is_proved(what: Any, wrt: Any) -> None:
    for op in (TemplateMatching((2, 2), padding=1), TemplateMatching((2,)).generic()):
        worked = sc.derive(op, what, wrt)
        assert {step.verdict.status for step in worked.steps} == {"proved"}
        assert r"\sum" in worked.latex()


def test_two_of_them_are_told_apart() -> None:
    op = TemplateMatching((2,))
    assert sc.prove(op.output(), TemplateMatching((2,)).output()).status == "proved"
    assert sc.prove(op.output(), sc.Conv((2,)).output()).status == "refuted"


def test_a_report_prints_it() -> None:
    declared = Declared("match", TemplateMatching((2, 2)), (4, 4))
    asked = {"wrt": ("input", "weight"), "sizes": "symbolic", "all_ones": False}
    question = Question("1", "The gradient of a match", ("derivation",), (declared,), own=asked)
    document = build_document(Problem("Matching", (question,), {"match": declared}, {}))
    assert "TemplateMatching" in to_html(document)
    assert r"\left( a_{" in to_latex(document)


def test_the_command_line_runs_a_file_only_where_it_is_asked_to(tmp_path: Path) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(commands, ["derive", *arguments])
        return result.exit_code, result.output

    code, text = run("--plugin", str(MATCHING), "TemplateMatching", "--kernel", "2", "--wrt", "weight")
    assert code == 0
    assert "[proved: for all I]" in text
    mark = tmp_path / "ran"
    hostile = tmp_path / "hostile.py"
    hostile.write_text(f"open({str(mark)!r}, 'w').close()\n", encoding="utf-8")
    for asked in (f"{hostile}:TemplateMatching", str(hostile), f"{hostile}(2)", "hostile:TemplateMatching"):
        assert run(asked, "--kernel", "2")[0] == 2, asked
    assert not mark.exists()
    assert "is run only where it is asked for" in run(f"{hostile}:A")[1]
    code, text = run("--plugin", str(hostile), "A")
    assert code == 2
    assert "defines no operator" in text
    assert mark.exists()
    hostile.write_text("1/0\n", encoding="utf-8")
    assert "hostile.py ended in ZeroDivisionError" in run("--plugin", str(hostile), "A")[1]
    assert run("--plugin", str(tmp_path / "none.py"), "A")[0] == 2


# --- what cannot be is refused by name --------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class _Stated(sc.Operator):
    kernel_size: Any = field(metadata=KERNEL_SIZE.metadata)
    padding: Any = field(default=0, metadata=PADDING.metadata)
    how: str = "square"
    _: KW_ONLY
    ndim: int = 2

    variables = ("input", "weight")

    def body(self, geometry: Geometry) -> Node:
        a, b = self.tap_entry(geometry), self.tap_weight(geometry)
        taps = tuple(tap.bound for tap in self.tap_axes(geometry))
        if self.how == "largest square":
            return Reduce("max", taps, (), Power(add(a, b), const(2)))
        if self.how == "root":
            return summation(Power(product(a, a), const(Fraction(1, 2))), *taps)
        if self.how == "absolute":
            return summation(Absolute(add(a, b)), *taps)
        if self.how == "square of the sum":
            return Power(summation(product(a, b), *taps), const(2))
        return summation(product(a, a, b), *taps)


@pytest.mark.parametrize("how", ["largest square", "root", "absolute", "square of the sum"])
def test_a_formula_that_no_kernel_computes_is_refused_with_the_reason(how: str) -> None:
    op = _Stated((2,), how=how)
    with pytest.raises(NotSupportedError, match=r"no kernel can be made of .* its formula "):
        sc.compile(op)


def test_a_stated_product_of_three_is_computed() -> None:
    x, w = np.array([1.0, 2, 3, 4]), np.array([1.0, -1])
    assert sc.compile(_Stated((2,)))(x, w).tolist() == [1 - 4, 4 - 9, 9 - 16]
    with pytest.raises(NotSupportedError, match="needs a floating dtype"):
        sc.compile(_Stated((2,)))(np.array([1, 2, 3]), w)
