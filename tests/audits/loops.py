"""Convolutions and poolings by plain loops, which import nothing of what they check."""

from __future__ import annotations

from typing import Any

import numpy as np

MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def convolved(x: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: int, mode: str, bias: Any) -> Any:
    """A correlation of (N, C, H, W) with (O, I, K, L)."""
    padded = np.pad(x, ((0, 0), (0, 0), *padding), mode=MODES[mode])
    (n, _, height, width), (outputs, inputs, k, m) = padded.shape, w.shape
    rows = (height - dilation[0] * (k - 1) - 1) // stride[0] + 1
    columns = (width - dilation[1] * (m - 1) - 1) // stride[1] + 1
    y = np.zeros((n, outputs, rows, columns), dtype=x.dtype)
    for item in range(n):
        for o in range(outputs):
            group = o // (outputs // groups)
            for p in range(rows):
                for q in range(columns):
                    total = x.dtype.type(0 if bias is None else bias[o])
                    for c in range(inputs):
                        for a in range(k):
                            for b in range(m):
                                row, column = stride[0] * p + dilation[0] * a, stride[1] * q + dilation[1] * b
                                total += padded[item, group * inputs + c, row, column] * w[o, c, a, b]
                    y[item, o, p, q] = total
    return y


def spread(x: Any, w: Any, stride: Any, padding: Any, extra: int) -> Any:
    """A transposed convolution of (C, H, W) with (C, O, K, K)."""
    (inputs, height, width), (_, outputs, k, _) = x.shape, w.shape
    whole = np.zeros((outputs, (height - 1) * stride + k + extra, (width - 1) * stride + k + extra), dtype=x.dtype)
    for c in range(inputs):
        for o in range(outputs):
            for p in range(height):
                for q in range(width):
                    for a in range(k):
                        for b in range(k):
                            whole[o, stride * p + a, stride * q + b] += x[c, p, q] * w[c, o, a, b]
    return whole[:, padding : whole.shape[1] - padding, padding : whole.shape[2] - padding]


def outputs_of(size: int, kernel: int, stride: int, padding: int, ceiling: bool) -> int:
    """The number of outputs of a pooling along an axis, as PyTorch counts them."""
    room = size + 2 * padding - kernel
    if not ceiling:
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - 1 if (count - 1) * stride >= size + padding else count


def pooled(kind: str, x: Any, kernel: Any, stride: Any, padding: Any, ceiling: bool, counted: bool, p: float) -> Any:
    """A pooling of (H, W): "max", "average" or "norm"."""
    sizes = [outputs_of(n, k, s, e, ceiling) for n, k, s, e in zip(x.shape, kernel, stride, padding, strict=True)]
    y = np.zeros(sizes, dtype=x.dtype if kind == "max" else np.result_type(x.dtype, np.float16))
    for i in range(sizes[0]):
        for j in range(sizes[1]):
            values, taps = [], 0
            for a in range(kernel[0]):
                for b in range(kernel[1]):
                    row, column = stride[0] * i + a - padding[0], stride[1] * j + b - padding[1]
                    taps += row < x.shape[0] + padding[0] and column < x.shape[1] + padding[1]
                    if 0 <= row < x.shape[0] and 0 <= column < x.shape[1]:
                        values.append(x[row, column].item())
            if kind == "max":
                y[i, j] = max(values)
            elif kind == "average":
                y[i, j] = sum(values) / (taps if counted else len(values))
            else:
                y[i, j] = sum(abs(v) ** p for v in values) ** (1 / p)
    return y
