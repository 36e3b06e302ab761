"""The oracles against PyTorch in float64: values, indices and gradients on a seeded sample of configurations.

PyTorch pads asymmetrically, crops and reflects through `pad`, so the padding of a convolution is applied there first.
"""

from __future__ import annotations

import math
from random import Random
from typing import Any

import oracles
import pytest
from oracles import Tensor, tensor

TOLERANCE = 1e-11


@pytest.fixture(scope="module")
def torch() -> Any:
    module = pytest.importorskip("torch", reason="the comparison of the oracles with PyTorch needs PyTorch")
    module.set_num_threads(1)
    return module


def draw(random: Random, ndim: int, low: int, high: int) -> tuple[int, ...]:
    """One integer an axis."""
    return tuple(random.randint(low, high) for _ in range(ndim))


def leaf(torch: Any, random: Random, shape: tuple[int, ...], integers: bool = False) -> Any:
    """A float64 leaf of seeded values; small integers make ties."""
    values = [random.randint(-2, 2) if integers else random.uniform(-2, 2) for _ in range(math.prod(shape))]
    return torch.tensor(values, dtype=torch.float64).reshape(shape).requires_grad_()


def same(ours: Tensor, theirs: Any, case: object) -> None:
    gap = oracles.worst_gap(ours, tensor(theirs.detach()))
    assert gap < TOLERANCE, (gap, case)


def pull_back(torch: Any, random: Random, output: Any) -> Any:
    """A seeded upstream gradient, sent back through the graph."""
    g = leaf(torch, random, tuple(output.shape)).detach()
    output.backward(g)
    return g


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_conv(torch: Any, ndim: int, mode: str) -> None:
    F = torch.nn.functional
    random = Random(f"conv{ndim}{mode}")
    done = 0
    while done < 40:
        groups = random.choice((1, 1, 2, 3))
        in_channels, out_channels = groups * random.randint(1, 2), groups * random.randint(1, 2)
        spatial, kernel = draw(random, ndim, 2, 6 if ndim < 3 else 4), draw(random, ndim, 1, 3)
        stride, dilation = draw(random, ndim, 1, 3), draw(random, ndim, 1, 2)
        low = -1 if mode == "zeros" else 0
        pads = [(random.randint(low, 2), random.randint(low, 2)) for _ in range(ndim)]
        if mode == "reflect":
            pads = [(min(b, n - 1), min(a, n - 1)) for (b, a), n in zip(pads, spatial, strict=True)]
        room = zip(spatial, pads, kernel, dilation, strict=True)
        if any(n + b + a < d * (k - 1) + 1 for n, (b, a), k, d in room):
            continue
        done += 1
        flip, with_bias = random.random() < 0.3, random.random() < 0.5
        options: dict[str, Any] = {"stride": stride, "dilation": dilation, "groups": groups}
        case = (spatial, kernel, pads, options, flip)
        x = leaf(torch, random, (random.randint(1, 2), in_channels, *spatial))
        w = leaf(torch, random, (out_channels, in_channels // groups, *kernel))
        b = leaf(torch, random, (out_channels,))
        last_axis_first = [side for pair in reversed(pads) for side in pair]
        padded = F.pad(x, last_axis_first, mode="constant" if mode == "zeros" else mode)
        met = w.flip(*range(2, 2 + ndim)) if flip else w
        out = getattr(F, f"conv{ndim}d")(padded, met, b if with_bias else None, **options)
        g = pull_back(torch, random, out)
        options |= {"padding": pads, "padding_mode": mode, "flip": flip}
        xs, ws = x.detach(), w.detach()
        same(oracles.conv(xs, ws, b.detach() if with_bias else None, **options), out, case)
        parts = oracles.conv_vjp(g, xs, ws, **options)
        same(parts.input, x.grad, case)
        same(parts.weight, w.grad, case)
        if with_bias:
            same(parts.bias, b.grad, case)


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_conv_transpose(torch: Any, ndim: int) -> None:
    F = torch.nn.functional
    random = Random(f"transpose{ndim}")
    done = 0
    while done < 80:
        groups = random.choice((1, 1, 2, 3))
        in_channels, out_groups = groups * random.randint(1, 2), random.randint(1, 2)
        spatial, kernel = draw(random, ndim, 1, 4 if ndim < 3 else 3), draw(random, ndim, 1, 3)
        stride, dilation, padding = draw(random, ndim, 1, 3), draw(random, ndim, 1, 2), draw(random, ndim, 0, 2)
        # PyTorch allows an output padding below the stride or the dilation.
        extra = tuple(random.randrange(max(s, d)) for s, d in zip(stride, dilation, strict=True))
        sizes = zip(spatial, kernel, stride, dilation, padding, extra, strict=True)
        if any(s * (n - 1) + d * (k - 1) + 1 + e - 2 * p < 1 for n, k, s, d, p, e in sizes):
            continue
        done += 1
        options: dict[str, Any] = {
            "stride": stride,
            "padding": padding,
            "output_padding": extra,
            "dilation": dilation,
            "groups": groups,
        }
        flip = random.random() < 0.3
        x = leaf(torch, random, (random.randint(1, 2), in_channels, *spatial))
        w = leaf(torch, random, (in_channels, out_groups, *kernel))
        b = leaf(torch, random, (out_groups * groups,))
        met = w.flip(*range(2, 2 + ndim)) if flip else w
        out = getattr(F, f"conv_transpose{ndim}d")(x, met, b, **options)
        g = pull_back(torch, random, out)
        options["flip"] = flip
        case = (spatial, kernel, options)
        xs, ws = x.detach(), w.detach()
        same(oracles.conv_transpose(xs, ws, b.detach(), **options), out, case)
        parts = oracles.conv_transpose_vjp(g, xs, ws, **options)
        same(parts.input, x.grad, case)
        same(parts.weight, w.grad, case)
        same(parts.bias, b.grad, case)


def pool_geometry(random: Random, ndim: int, dilated: bool) -> tuple[tuple[int, ...], dict[str, Any]] | None:
    """Sizes and options that PyTorch accepts: padding of at most half the kernel, and an output that is not empty."""
    spatial, kernel = draw(random, ndim, 1, 7 if ndim < 3 else 5), draw(random, ndim, 1, 4)
    dilation = draw(random, ndim, 1, 2) if dilated else (1,) * ndim
    padding = tuple(random.randint(0, k // 2) for k in kernel)
    geometry = zip(spatial, kernel, dilation, padding, strict=True)
    if any(n + 2 * p < d * (k - 1) + 1 for n, k, d, p in geometry):
        return None
    options = {
        "kernel": kernel,
        "stride": draw(random, ndim, 1, 4),
        "padding": padding,
        "dilation": dilation,
        "ceil_mode": random.random() < 0.5,
    }
    return spatial, options


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_max_pool(torch: Any, ndim: int) -> None:
    random = Random(f"max{ndim}")
    done = holes = 0
    while done < 120:
        drawn = pool_geometry(random, ndim, dilated=True)
        if drawn is None:
            continue
        done += 1
        spatial, options = drawn
        x = leaf(torch, random, (2, 2, *spatial), integers=done % 2 == 0)
        call = getattr(torch.nn.functional, f"max_pool{ndim}d")
        positional = [options[name] for name in ("kernel", "stride", "padding", "dilation", "ceil_mode")]
        out, places = call(x, *positional, return_indices=True)
        values, found = oracles.max_pool(x.detach(), **options)
        same(values, out, drawn)
        if -math.inf in values.flat():
            # A window of padding alone: PyTorch names a tap that is not there, the oracle names none.
            holes += 1
            continue
        assert found == tensor(places), drawn
        g = pull_back(torch, random, out)
        same(oracles.max_pool_vjp(g, x.detach(), **options), x.grad, drawn)
    assert holes <= 12


def test_split_ties(torch: Any) -> None:
    random = Random("split")
    for _ in range(20):
        spatial = draw(random, 2, 1, 3)
        x = leaf(torch, random, (2, 2, *spatial), integers=True)
        out = x.amax(dim=(2, 3), keepdim=True)
        g = pull_back(torch, random, out)
        same(oracles.max_pool_vjp(g, x.detach(), spatial, ties="split"), x.grad, spatial)


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_avg_pool(torch: Any, ndim: int) -> None:
    random = Random(f"avg{ndim}")
    done = 0
    while done < 120:
        drawn = pool_geometry(random, ndim, dilated=False)
        if drawn is None:
            continue
        spatial, options = drawn
        if ndim == 3 and any(n < k for n, k in zip(spatial, options["kernel"], strict=True)):
            continue  # avg_pool3d refuses a kernel larger than the input, whatever the padding
        done += 1
        counting: dict[str, Any] = {"count_include_pad": random.random() < 0.5}
        if ndim > 1 and random.random() < 0.3:
            counting["divisor_override"] = random.randint(1, 5)
        x = leaf(torch, random, (2, 2, *spatial))
        call = getattr(torch.nn.functional, f"avg_pool{ndim}d")
        positional = [options[name] for name in ("kernel", "stride", "padding", "ceil_mode")]
        out = call(x, *positional, **counting)
        same(oracles.avg_pool(x.detach(), **options, **counting), out, (drawn, counting))
        g = pull_back(torch, random, out)
        same(oracles.avg_pool_vjp(g, x.detach(), **options, **counting), x.grad, (drawn, counting))


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_lp_pool(torch: Any, ndim: int) -> None:
    """On positive inputs, since PyTorch takes no absolute value, and without padding, which it does not offer.

    `ceil_mode` stays off: PyTorch multiplies a mean over fewer taps by the full kernel size there.
    """
    random = Random(f"lp{ndim}")
    done = 0
    while done < 60:
        drawn = pool_geometry(random, ndim, dilated=False)
        if drawn is None or any(n < k for n, k in zip(drawn[0], drawn[1]["kernel"], strict=True)):
            continue
        done += 1
        spatial, options = drawn
        options |= {"padding": 0, "ceil_mode": False}
        p = random.choice((1, 1.5, 2, 3, 5))
        x = (leaf(torch, random, (2, 2, *spatial)).detach().abs() + 0.1).requires_grad_()
        # lp_pool1d takes integers only.
        kernel, stride = (options[name] if ndim > 1 else options[name][0] for name in ("kernel", "stride"))
        out = getattr(torch.nn.functional, f"lp_pool{ndim}d")(x, p, kernel, stride)
        same(oracles.lp_pool(x.detach(), p, **options), out, (drawn, p))
        g = pull_back(torch, random, out)
        same(oracles.lp_pool_vjp(g, x.detach(), p, **options), x.grad, (drawn, p))


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_adaptive_pools(torch: Any, ndim: int) -> None:
    F = torch.nn.functional
    random = Random(f"adaptive{ndim}")
    for done in range(60):
        spatial, size = draw(random, ndim, 1, 6 if ndim < 3 else 4), draw(random, ndim, 1, 4)
        case = (spatial, size)
        x = leaf(torch, random, (2, 1, *spatial), integers=done % 2 == 0)
        out = getattr(F, f"adaptive_avg_pool{ndim}d")(x, size)
        same(oracles.adaptive_avg_pool(x.detach(), size), out, case)
        g = pull_back(torch, random, out)
        same(oracles.adaptive_avg_pool_vjp(g, x.detach(), size), x.grad, case)
        x.grad = None
        out, places = getattr(F, f"adaptive_max_pool{ndim}d")(x, size, return_indices=True)
        values, found = oracles.adaptive_max_pool(x.detach(), size)
        same(values, out, case)
        assert found == tensor(places), case
        g = pull_back(torch, random, out)
        same(oracles.adaptive_max_pool_vjp(g, x.detach(), size), x.grad, case)
