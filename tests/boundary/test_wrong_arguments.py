"""Every public callable is given wrong things, and answers with a value or with an error of symconv's: nothing else."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from boundary.wrong_things import KINDS, nothing_found, wrong_thing

import symconv as sc
from symconv.problems import reading as problems

Given = Callable[[Any], object]

X, W = np.arange(8.0), np.ones(3)
CONV, POOL = sc.Conv((3,)), sc.MaxPool((2,))
CLAIM = "c[1] == a[1]*b[1]+a[2]*b[2]+a[3]*b[3]"
NEEDED: dict[str, Any] = {"kernel_size": (2,), "norm_type": 2, "output_size": (2,), "out_features": 2, "channels": 2}
OPERATORS = [
    name
    for name in sc.__all__
    if inspect.isclass(getattr(sc, name)) and issubclass(getattr(sc, name), sc.Operator) and name != "Operator"
]


def operator_doors() -> Iterator[tuple[str, Given]]:
    """Every option of every operator, the others as small as they can be."""
    for name in OPERATORS:
        made = getattr(sc, name)
        options = inspect.signature(made).parameters
        rest = {key: NEEDED[key] for key, option in options.items() if option.default is inspect.Parameter.empty}
        for key in options:
            yield f"{name}({key})", lambda v, made=made, rest=rest, key=key: made(**{**rest, key: v})


def formula_doors() -> Iterator[tuple[str, Given]]:
    formula = CONV.output()
    yield "output_size", CONV.output_size
    yield "output(names)", lambda v: CONV.output(names=v)
    yield "output(index_base)", lambda v: CONV.output(index_base=v)
    yield "output(input_size)", lambda v: CONV.output(input_size=v)
    yield "derivative", CONV.derivative
    yield "gradient", CONV.gradient
    yield "generic(keep)", lambda v: CONV.generic(keep=v)
    yield "generic(shared)", lambda v: CONV.generic(shared=v)
    yield "generic(letters)", lambda v: CONV.generic(letters=v)
    yield "generic(letter)", lambda v: CONV.generic(letters={"stride": v})
    yield "at", lambda v: formula.at(v, input_size=5)
    yield "at(input_size)", lambda v: formula.at(0, input_size=v)
    yield "values", lambda v: formula.values(v, 5)
    yield "values(a)", lambda v: formula.values({"a": v, "b": [1, 2, 3]}, 5)
    yield "values(input_size)", lambda v: formula.values({"a": [1, 2, 3, 4, 5], "b": [1, 2, 3]}, v)
    for name in ("matrix", "sparse", "polynomials", "shape"):
        yield name, getattr(CONV.derivative(), name)
    yield "latex(lhs)", lambda v: formula.latex(lhs=v)
    yield "text(lhs)", lambda v: formula.text(lhs=v)
    yield "Window", sc.Window
    figure = sc.figure(CONV, input_size=5)
    yield "Figure.svg(theme)", figure.svg
    yield "Figure.tikz(define_colours)", lambda v: figure.tikz(define_colours=v)
    yield "Figure.save(path)", figure.save


BACKENDS = ("numpy", "auto", *(("halide",) if find_spec("halide") else ()))


def kernel_doors() -> Iterator[tuple[str, Given]]:
    for backend in BACKENDS:
        kernel, pooling = sc.compile(CONV, backend), sc.compile(POOL, backend)
        doors: dict[str, Given] = {
            "kernel(x)": lambda v, k=kernel: k(v, W),
            "kernel(weight)": lambda v, k=kernel: k(X, v),
            "kernel(bias)": lambda v, k=kernel: k(X, W, v),
            "pooling(x)": pooling,
            "vjp(grad_output)": lambda v, k=kernel: k.vjp(v, X, W),
            "vjp(wrt)": lambda v, k=kernel: k.vjp(np.ones(6), X, W, wrt=v),
            "vjp(output)": lambda v, k=pooling: k.vjp(np.ones(4), X, output=v),
            "jvp(dx)": lambda v, k=kernel: k.jvp(X, W, dx=v),
            "jvp(dweight)": lambda v, k=kernel: k.jvp(X, W, dweight=v),
            "error_bound(x)": lambda v, k=kernel: k.error_bound(v, W),
            "error_bound(weight)": lambda v, k=kernel: k.error_bound(X, v),
            "plan_for(shape)": kernel.plan_for,
            "plan_for(dtype)": lambda v, k=kernel: k.plan_for((8,), v),
            "explain(shape)": kernel.explain,
            "explain(dtype)": lambda v, k=kernel: k.explain((8,), v),
            "derivation": kernel.derivation,
            "compile(weight)": lambda v, b=backend: sc.compile(CONV, b, weight=v),
            "compile(threads)": lambda v, b=backend: sc.compile(CONV, b, threads=v),
            "compile(accuracy)": lambda v, b=backend: sc.compile(CONV, b, accuracy=v),
            "compile(plan)": lambda v, b=backend: sc.compile(CONV, b, plan=v),
        }
        if backend != "halide":  # Halide has no indices
            doors["pooling(return_indices)"] = lambda v, k=pooling: k(X, return_indices=v)
        yield from ((f"{backend} {name}", given) for name, given in doors.items())


def network_doors() -> Iterator[tuple[str, Given]]:
    network = sc.Network([sc.Conv((3,)), sc.Flatten(), sc.Dense(2)])
    given = {n: {r: np.ones(s) for r, s in own.items()} for n, own in network.parameter_sizes(8).items()}
    kernel = sc.compile(network)
    yield "Network", sc.Network
    yield "Network(layer)", lambda v: sc.Network([v])
    yield "Network(name)", lambda v: sc.Network([(v, CONV)])
    yield "Network(edges)", lambda v: sc.Network([CONV], v)
    yield "Network(edge)", lambda v: sc.Network([CONV], [v])
    for name in ("output_size", "shapes", "parameter_counts", "parameter_sizes", "multiply_adds", "table", "sources"):
        yield f"Network.{name}", getattr(network, name)
    yield "Network[]", lambda v: network[v]
    for call, label in ((network.values, "values"), (network.gradients, "gradients"), (kernel, "kernel")):
        yield f"Network.{label}(x)", lambda v, call=call: call(v, given)
        yield f"Network.{label}(weights)", lambda v, call=call: call(X, v)
        yield f"Network.{label}(layer)", lambda v, call=call: call(X, {**given, "conv1": v})
        yield f"Network.{label}(weight)", lambda v, call=call: call(X, {**given, "conv1": {"weight": v}})
    yield "Network.gradients(upstream)", lambda v: network.gradients(X, given, v)
    yield "Network.kernel.vjp(grad_output)", lambda v: kernel.vjp(v, X, given)
    yield "Network.kernel.explain(shape)", kernel.explain


# What every public function takes where it is right; each argument in turn is something else.
FORMULA, DECLARED = CONV.output(), sc.Declarations(CONV, (5,))
PROVED = sc.prove(FORMULA, FORMULA)
SMALL = problems.read_problem(
    'title = "T"\n[operators.o]\nkind = "Conv"\ninput_size = [4]\nkernel_size = [2]\n'
    '[[questions]]\nid = "1"\ntitle = "t"\nask = "size"\noperator = "o"\n'
)
MODEL = "Sequential((0): Conv2d(3, 8, kernel_size=(3, 3)))"
FUNCTIONS: dict[str, dict[str, Any]] = {
    "audit": {"framework": "scipy", "minutes": 1, "cases": 1},
    "build_document": {"problem": SMALL},
    "certificate": {"verdict": PROVED},
    "certify": {"function": np.correlate, "op": CONV, "input_size": 5, "cases": 1, "most": 5, "special": False},
    "check": {"problem": SMALL},
    "check_claim": {"text": CLAIM, "declarations": DECLARED},
    "compile": {"op": CONV},
    "derive": {"op": CONV, "what": "gradient"},
    "diagnose": {"x": X[:5], "weight": W[:2], "y": np.ones(4)},
    "figure": {"op": CONV, "input_size": 5},
    "from_keras": {"layer": {"class_name": "Conv1D", "config": {"filters": 1, "kernel_size": 3}}},
    "from_onnx": {"node": None},
    "from_text": {"text": "Conv2d(1, 1, 3)"},
    "from_torch": {"module": None},
    "load_problem": {"path": "no such file"},
    "network_from_keras": {"model": {}},
    "network_from_onnx": {"model": None},
    "network_from_text": {"text": MODEL, "input_shape": (1, 3, 8, 8)},
    "network_from_torch": {"model": None, "example": (1, 3, 8, 8)},
    "prove": {"left": FORMULA, "right": FORMULA},
    "settings_for": {"input_size": 4, "output_size": 4, "kernel": 4},
    "size_report": {"op": CONV, "input_size": 5},
    "to_html": {"document": sc.build_document(SMALL)},
    "to_latex": {"document": sc.build_document(SMALL)},
    "to_pdf": {"tex": "no document"},
}
CALLED = ("progress", "certify")  # what a function of the caller's does is the caller's


@pytest.fixture(autouse=True)
def no_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symconv.audits.audit.audited", nothing_found)


def function_doors() -> Iterator[tuple[str, Given]]:
    """Every argument of every public function, the others as they should be."""
    for name in sc.__all__:
        function = getattr(sc, name)
        if inspect.isfunction(function):
            for argument in inspect.signature(function).parameters:
                given = {**FUNCTIONS[name]}
                if argument in CALLED:
                    tries = lambda v, f=function, g=given, a=argument: callable(v) or f(**{**g, a: v})  # noqa: E731
                else:
                    tries = lambda v, f=function, g=given, a=argument: f(**{**g, a: v})  # noqa: E731
                yield f"{name}({argument})", tries
    for option in inspect.signature(sc.Declarations).parameters:
        base = {"op": CONV, "input_size": (5,)}
        yield (
            f"Declarations({option})",
            lambda v, option=option, base=base: sc.check_claim(CLAIM, sc.Declarations(**{**base, option: v})),
        )


DOORS = dict([*operator_doors(), *formula_doors(), *kernel_doors(), *network_doors(), *function_doors()])
# What nothing is given to: records and what they are made of, errors, and the version.
WITHOUT_DOOR = {
    *(
        "AuditReport",
        "Certificate",
        "Certification",
        "ClaimVerdict",
        "ConventionWarning",
        "Departure",
        "Derivation",
        "Document",
        "Explanation",
        "Figure",  # its methods are tried
        "Formula",
        "Gradients",
        "Kernel",
        "Operator",  # it is subclassed; the doors of those that are stand above
        "Problem",
    ),
    *("Step", "Verdict", "__version__"),
}


def test_every_public_callable_has_its_doors_tried() -> None:
    tried = {name.partition("(")[0] for name in DOORS}
    errors = {n for n in sc.__all__ if inspect.isclass(getattr(sc, n)) and issubclass(getattr(sc, n), Exception)}
    without = {name for name in OPERATORS if not inspect.signature(getattr(sc, name)).parameters}  # such as Softmax
    assert set(sc.__all__) - tried - WITHOUT_DOOR - errors - without == set()


@pytest.mark.parametrize("door", DOORS)
def test_a_wrong_thing_is_refused_by_an_error_of_symconv(door: str) -> None:
    messages = {kind: said for kind in KINDS if (said := refusal(DOORS[door], kind)) is not None}
    assert len(messages) > len(KINDS) // 3, "a door that takes anything"
    assert {kind: said for kind, said in messages.items() if not 0 < len(said) < 1500} == {}


def refusal(given: Given, kind: str) -> str | None:
    """What an error of symconv says to a wrong thing; None where it was taken."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            given(wrong_thing(kind))
        except sc.SymconvError as error:
            return str(error)
    return None
