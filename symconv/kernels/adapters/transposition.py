"""The convolution that a transposed convolution is the transpose of, and the proof that it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from symconv.formulas.index import Index
from symconv.formulas.quantity import Quantity
from symconv.operators.convolution import Conv
from symconv.operators.transposed import ConvTranspose

if TYPE_CHECKING:
    from symconv.derivations.step import Derivation

__all__ = ["transpose_of", "transposition"]


def transpose_of(op: ConvTranspose) -> Conv:
    """The convolution that `op` is the transpose of, up to the bias.

    Output padding is taken off the padding after: the convolution stops before entries that nothing was written to.
    """
    padding = []
    for axis, window in enumerate(op.windows):
        before, after = (int(side) for side in (window.before, window.after))
        added = op.added(axis).value
        assert added is not None  # symbolic options have been refused
        padding.append((before, after - added))
    return Conv(
        op.kernel_size,
        op.stride,
        tuple(padding),
        op.dilation,
        op.groups,
        in_channels=op.out_channels,
        out_channels=op.in_channels,
        flip=op.flip,
    )


def transposition(op: ConvTranspose) -> Derivation:
    """The output and the gradients of `op` as those of a convolution, for all input sizes."""
    from symconv.derivations.step import Derivation, Stage, Step

    conv, plain = transpose_of(op), replace(op, bias=False)  # the bias of a channel is added to all its entries
    output, by_input, by_weight = plain.output(), plain.gradient("input"), plain.gradient("weight")
    letter = {tensor.role: tensor.name for tensor in (*by_input.tensors, *output.tensors)}
    read, upstream, weight = letter["input"], letter["upstream"], letter["weight"]
    readings = (
        (
            output,
            conv.gradient("input", names={"input": output.quantity.of[0], "upstream": read, "weight": weight}),
            "the gradient of {} by its input, for the input as upstream gradient.",
        ),
        (
            by_input,
            conv.output(names={"input": upstream, "output": read, "weight": weight}),
            "the output of {} for the upstream gradient as input.",
        ),
        (
            by_weight,
            conv.gradient("weight", names={"input": upstream, "upstream": read, "weight": weight}),
            "the gradient of {} by its weight, for the upstream gradient as input and the input as upstream gradient.",
        ),
    )
    steps = []
    for number, (before, after, reason) in enumerate(readings, 1):
        sizes = {
            theirs: op.count(axis, Index.of(ours))
            for axis, (theirs, ours) in enumerate(zip(after.sizes, output.sizes, strict=True))
        }
        after = replace(after.subs(sizes), quantity=_named(before.quantity, after.indices))
        words = (reason.format(repr(conv)),)
        steps.append(Step(str(number), before, after, "transpose", "Transpose", words, opens=True))
    return Derivation(
        f"{type(op).__name__} as the transpose of a convolution",
        (
            "The matrix of one is the transpose of the matrix of the other: every way to compute the convolution and "
            "its gradients computes this operator, up to its bias.",
        ),
        ("For all input sizes.",),
        (),
        (Stage(("The output and the gradients",), ("for all their entries",), tuple(steps)),),
    )


def _named(quantity: Quantity, indices: tuple[str, ...]) -> Quantity:
    """The same quantity at other indices."""
    if quantity.wrt is None:
        return replace(quantity, of=(quantity.of[0], indices))
    return replace(quantity, wrt=(quantity.wrt[0], indices))
