"""Every public callable is given wrong things, and answers with a value or with an error of symconv's: nothing else."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from boundary.wrong_things import KINDS, wrong_thing

import symconv as sc

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
    yield "at", lambda v: formula.at(v, input_size=5)
    yield "at(input_size)", lambda v: formula.at(0, input_size=v)
    yield "values", lambda v: formula.values(v, 5)
    yield "values(a)", lambda v: formula.values({"a": v, "b": [1, 2, 3]}, 5)
    yield "values(input_size)", lambda v: formula.values({"a": [1, 2, 3, 4, 5], "b": [1, 2, 3]}, v)
    yield "matrix", formula.matrix
    yield "prove(left)", lambda v: sc.prove(v, formula)
    yield "prove(right)", lambda v: sc.prove(formula, v)
    yield "prove(assuming)", lambda v: sc.prove(formula, formula, assuming=v)
    yield "certificate", sc.certificate
    yield "derive", lambda v: sc.derive(v, "output")
    yield "derive(what)", lambda v: sc.derive(CONV, v)
    yield "derive(wrt)", lambda v: sc.derive(CONV, "gradient", wrt=v)
    yield "derive(names)", lambda v: sc.derive(CONV, "output", names=v)
    yield "derive(all_ones)", lambda v: sc.derive(CONV, "gradient", all_ones=v)
    yield "Window", sc.Window
    yield "size_report", lambda v: sc.size_report(v, 5)
    yield "size_report(input_size)", lambda v: sc.size_report(CONV, v)
    for place in range(3):
        yield (
            f"settings_for({place})",
            lambda v, place=place: sc.settings_for(*(v if n == place else 4 for n in range(3))),
        )


def kernel_doors() -> Iterator[tuple[str, Given]]:
    kernel, pooling = sc.compile(CONV), sc.compile(POOL)
    yield "compile", sc.compile
    for option in ("backend", "threads", "accuracy", "plan", "weight"):
        yield f"compile({option})", lambda v, option=option: sc.compile(CONV, **{option: v})
    yield "kernel(x)", lambda v: kernel(v, W)
    yield "kernel(weight)", lambda v: kernel(X, v)
    yield "kernel(bias)", lambda v: kernel(X, W, v)
    yield "pooling(x)", lambda v: pooling(v)
    yield "pooling(return_indices)", lambda v: pooling(X, return_indices=v)
    yield "vjp(grad_output)", lambda v: kernel.vjp(v, X, W)
    yield "vjp(wrt)", lambda v: kernel.vjp(np.ones(6), X, W, wrt=v)
    yield "vjp(output)", lambda v: pooling.vjp(np.ones(4), X, output=v)
    yield "jvp(dx)", lambda v: kernel.jvp(X, W, dx=v)
    yield "jvp(dweight)", lambda v: kernel.jvp(X, W, dweight=v)
    yield "plan_for(shape)", kernel.plan_for
    yield "plan_for(dtype)", lambda v: kernel.plan_for((8,), v)
    yield "explain(shape)", kernel.explain
    yield "explain(dtype)", lambda v: kernel.explain((8,), v)
    yield "derivation", kernel.derivation


def diagnosis_doors() -> Iterator[tuple[str, Given]]:
    arrays = {"x": X[:5], "weight": W[:2], "y": np.ones(4), "grad_output": np.ones(4), "grad_weight": W[:2]}
    for name in ("x", "weight", "y", "grad_output", "grad_weight"):
        yield f"diagnose({name})", lambda v, name=name: sc.diagnose(**{**arrays, name: v})


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


def file_doors() -> Iterator[tuple[str, Given]]:
    yield "check", sc.check
    yield "check_claim", lambda v: sc.check_claim(v, sc.Declarations(CONV, (5,)))
    yield "check_claim(declarations)", lambda v: sc.check_claim(CLAIM, v)
    yield "check_claim(general)", lambda v: sc.check_claim(CLAIM, sc.Declarations(CONV, (5,)), general=v)
    for option in inspect.signature(sc.Declarations).parameters:
        base = {"op": CONV, "input_size": (5,)}
        yield (
            f"Declarations({option})",
            lambda v, option=option, base=base: sc.check_claim(CLAIM, sc.Declarations(**{**base, option: v})),
        )
    for name in ("load_problem", "build_document", "to_html", "to_latex", "to_pdf"):
        yield name, getattr(sc, name)
    for name in ("from_text", "from_keras", "from_onnx", "from_torch", "network_from_onnx"):
        yield name, getattr(sc, name)
    for name in ("network_from_text", "network_from_torch", "network_from_keras"):
        yield name, lambda v, name=name: getattr(sc, name)(v, (1, 3, 8, 8))
    yield "network_from_text(shape)", lambda v: sc.network_from_text("Conv2d(3, 8, 3)", v)
    yield "network_from_text(ignore)", lambda v: sc.network_from_text("Conv2d(3, 8, 3)", (1, 3, 8, 8), ignore=v)


DOORS = dict(
    [*operator_doors(), *formula_doors(), *kernel_doors(), *diagnosis_doors(), *network_doors(), *file_doors()]
)
# What nothing is given to: records and what they are made of, errors, and the version.
WITHOUT_DOOR = {
    *(
        "Certificate",
        "ClaimVerdict",
        "ConventionWarning",
        "Derivation",
        "Document",
        "Explanation",
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
