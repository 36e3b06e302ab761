"""PyTorch: `torch.nn.functional`, and the modules whose padding is not zeros; gradients by autograd."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from symconv.audits.frameworks.call import AuditedFramework, FrameworkCall, OptionSpace, Point, literal
from symconv.audits.isolation import Work
from symconv.audits.reading import Array
from symconv.audits.subject import answered, tensors_of
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose

__all__ = ["TORCH"]

FUNCTIONAL = "torch.nn.functional"
DTYPES = ("float32", "float64", "float16", "bfloat16")
SIZES = {1: ((4,), (1,), (2,), (3,), (5,), (7,)), 2: ((3, 4), (1, 1), (2, 3), (5, 4)), 3: ((2, 3, 4), (1, 1, 2))}
WINDOWS = {1: ((2,), (1,), (3,)), 2: ((2, 2), (1, 1), (3, 2), (2, 3)), 3: ((2, 2, 2), (1, 2, 3))}
STEPS = {1: ((1,), (2,), (3,)), 2: ((1, 1), (2, 2), (2, 1), (3, 2)), 3: ((1, 1, 1), (2, 1, 2))}
CHANNELS = ((1, 1, 1), (2, 3, 1), (2, 2, 2), (4, 2, 2))


def _conv(axes: int, *, module: bool) -> OptionSpace:
    options = {
        "size": SIZES[axes],
        "dtype": DTYPES,
        "kernel_size": WINDOWS[axes],
        "stride": STEPS[axes],
        "padding": ((0,) * axes, (1,) * axes, (2, *(1,) * (axes - 1)), "same", "valid"),
        "dilation": STEPS[axes][:3],
        "channels": CHANNELS,
        "bias": (False, True),
    }
    if module:
        options = {"padding_mode": ("reflect", "replicate", "circular"), **options}

    def build(point: Point) -> tuple[Conv, dict[str, Any]] | None:
        inputs, outputs, groups = point["channels"]
        shared = {name: point[name] for name in ("stride", "padding", "dilation")} | {"groups": groups}
        if point["padding"] == "same" and any(s > 1 for s in point["stride"]):
            return None
        whole = shared | {"bias": point["bias"], "padding_mode": point.get("padding_mode", "zeros")}
        op = Conv(point["kernel_size"], in_channels=inputs, out_channels=outputs, **whole)
        if not module:
            return op, shared
        return op, {"in_channels": inputs, "out_channels": outputs, "kernel_size": point["kernel_size"], **whole}

    name = f"torch.nn.Conv{axes}d" if module else f"{FUNCTIONAL}.conv{axes}d"
    return OptionSpace(name, options, build, gradients=True, title="nn.Conv" if module else "conv")


def _transposed(axes: int) -> OptionSpace:
    options = {
        "size": SIZES[axes],
        "dtype": DTYPES,
        "kernel_size": WINDOWS[axes],
        "stride": STEPS[axes],
        "padding": ((0,) * axes, (1,) * axes),
        "output_padding": ((0,) * axes, (1,) * axes),
        "dilation": STEPS[axes][:3],
        "channels": CHANNELS,
        "bias": (False, True),
    }

    def build(point: Point) -> tuple[ConvTranspose, dict[str, Any]] | None:
        inputs, outputs, groups = point["channels"]
        shared = {name: point[name] for name in ("stride", "padding", "output_padding", "dilation")}
        room = zip(point["output_padding"], point["stride"], point["dilation"], strict=True)
        if any(extra >= max(s, d) for extra, s, d in room):
            return None
        shared["groups"] = groups
        op = ConvTranspose(
            point["kernel_size"], in_channels=inputs, out_channels=outputs, bias=point["bias"], **shared
        )  # fmt: skip
        return op, shared

    return OptionSpace(f"{FUNCTIONAL}.conv_transpose{axes}d", options, build, gradients=True, title="conv_transpose")


def _pool(axes: int, stem: str) -> OptionSpace:
    options: dict[str, tuple[Any, ...]] = {"ceil_mode": (False, True)}
    options |= {"norm_type": (2, 1, 3)} if stem == "lp_pool" else {}
    options |= {
        "size": SIZES[axes],
        "dtype": DTYPES,
        "kernel_size": WINDOWS[axes],
        "stride": STEPS[axes],
    }
    if stem != "lp_pool":
        options["padding"] = ((0,) * axes, (1,) * axes)
    if stem == "max_pool":
        options["dilation"] = STEPS[axes][:3]
    if stem == "avg_pool":
        options["count_include_pad"] = (True, False)
        if axes > 1:
            options["divisor_override"] = (None, 3)
    kind: Any = {"max_pool": MaxPool, "avg_pool": AvgPool, "lp_pool": LPPool}[stem]

    def build(point: Point) -> tuple[Any, dict[str, Any]] | None:
        keywords = {name: value for name, value in point.items() if name not in ("size", "dtype") and value is not None}
        if any(2 * p > k for p, k in zip(point.get("padding", ()), point["kernel_size"])):
            return None  # "pad should be at most half of effective kernel size"
        if stem == "lp_pool" and axes == 1:  # it takes numbers alone
            return kind(**keywords), {n: v[0] if isinstance(v, tuple) else v for n, v in keywords.items()}
        return kind(**keywords), keywords

    return OptionSpace(
        f"{FUNCTIONAL}.{stem}{axes}d",
        options,
        build,
        gradients=True,
        promises=NORM_PROMISES if stem == "lp_pool" else {},
        title=stem,
    )


NORM_PROMISES = {
    "all zeros": "If the sum to the power of p is zero, the gradient of this function is not defined. This "
    "implementation will set the gradient to zero in this case."
}


def _adaptive(axes: int, stem: str) -> OptionSpace:
    kind: Any = {"adaptive_avg_pool": AdaptiveAvgPool, "adaptive_max_pool": AdaptiveMaxPool}[stem]
    options = {
        "size": SIZES[axes],
        "dtype": DTYPES,
        "output_size": ((2,) * axes, (1,) * axes, (3,) * axes, tuple(range(5, 5 - axes, -1))),
    }

    def build(point: Point) -> tuple[Any, dict[str, Any]]:
        return kind(point["output_size"]), {"output_size": point["output_size"]}

    return OptionSpace(f"{FUNCTIONAL}.{stem}{axes}d", options, build, gradients=True, title=stem)


def _families() -> Iterator[OptionSpace]:
    for axes in (1, 2, 3):
        for stem in ("max_pool", "avg_pool", "lp_pool"):
            yield _pool(axes, stem)
        for stem in ("adaptive_avg_pool", "adaptive_max_pool"):
            yield _adaptive(axes, stem)
        yield _conv(axes, module=True)
        yield _conv(axes, module=False)
        yield _transposed(axes)


# ---------------------------------------------------------------------- calling it


def _start() -> Work:
    torch = import_module("torch")
    torch.set_num_threads(1)

    def work(given: dict[str, Array], text: str) -> dict[str, object]:
        function, keywords, dtype = json.loads(text)
        keywords = {name: tuple(value) if isinstance(value, list) else value for name, value in keywords.items()}
        tensors = tensors_of(torch, given, dtype)
        upstream = tensors.pop("upstream", None)
        if upstream is not None:
            tensors = {name: tensor.requires_grad_() for name, tensor in tensors.items()}
        *_, group, name = function.split(".")
        if group == "functional":
            output = getattr(torch.nn.functional, name)(*tensors.values(), **keywords)
        else:
            module = getattr(torch.nn, name)(**keywords, dtype=getattr(torch, dtype))
            held = {key: value for key, value in tensors.items() if key != "input"}
            output = torch.func.functional_call(module, held, (tensors["input"],))
        return answered(torch, output, tensors, upstream)

    return work


def _script(call: FrameworkCall, arrays: Mapping[str, Array]) -> str:
    lines, wanted = ["import torch", ""], "upstream" in arrays
    names = {name: NAMES[name] for name in arrays}
    for name, array in arrays.items():
        leaf = ", requires_grad=True" if wanted and name != "upstream" else ""
        lines.append(f"{names[name]} = torch.tensor({literal(array)}, dtype=torch.{call.dtype}{leaf})")
    variables = [letter for name, letter in names.items() if name != "upstream"]
    said = ", ".join(f"{name}={value!r}" for name, value in call.keywords.items())
    if call.function.startswith(FUNCTIONAL):
        lines.append(f"y = {call.function}({', '.join(variables)}, {said})")
    else:
        held = ", ".join(f'"{name}": {names[name]}' for name in arrays if name not in ("input", "upstream"))
        lines.append(f"layer = {call.function}({said}, dtype=torch.{call.dtype})")
        lines.append(f"y = torch.func.functional_call(layer, {{{held}}}, (x,))")
    lines.append('print("output", y.tolist())')
    if wanted:
        lines.append(f"gradients = torch.autograd.grad(y, [{', '.join(variables)}], g)")
        lines += [f'print("gradient of {v}", gradients[{k}].tolist())' for k, v in enumerate(variables)]
    return "\n".join(lines)


NAMES = {"input": "x", "weight": "w", "bias": "b", "upstream": "g"}

TORCH = AuditedFramework("torch", "PyTorch", ("torch",), lambda: tuple(_families()), _start, _script)
