"""The rewrite of plans that run array programs: the formula that is read off the programs, array by array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from symconv.derivations.step import Definition, Derivation, Phrase, Stage, Step, maths
from symconv.formulas.algebra import Access, Bound, Node, Plus, Reduce, add, summation
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.naming import fresh_name
from symconv.formulas.printing import context_of
from symconv.formulas.quantity import Quantity, Tensor
from symconv.formulas.walks import accesses
from symconv.kernels.form.extraction import tap_form
from symconv.kernels.form.tapform import TapForm
from symconv.kernels.plans.rewriting import EVERYWHERE, ZERO, window_of
from symconv.kernels.programs.derivative import forward
from symconv.kernels.programs.reading import Made, entry_of, read_chain
from symconv.kernels.programs.stage import chain_of

if TYPE_CHECKING:
    from symconv.operators.base import Operator

__all__ = ["chain_derivation", "taps_derivation"]

SHIFTED: Phrase = ("the taps in the order in which they are combined; each is a shifted view of the input.",)
PARTS: Phrase = ("what the window is made of, in the order in which it is combined.",)


def chain_derivation(op: Operator, plan: str) -> Derivation:
    """What the programs of a chain compute, read off them, as the formula of the layer.

    Raises:
        NotSupportedError: where a program does what no formula is read off.
    """
    form = tap_form(op)
    chain = chain_of(form, plan)
    output = op.output()
    window = window_of(output)
    access = accesses(window.body, form.input)[0]
    parameters: dict[str, Node] = {f"r{axis}": count for axis, count in form.counts}
    bias = _bias(form)
    if bias is not None:
        parameters[bias.tensor] = bias
    own = (*(bound.name for bound in window.bounds), *(tensor.name for tensor in output.tensors))
    taken = frozenset((*output.parameters, *output.indices, *own))
    entry = entry_of(form, access)
    plain = entry == Access(form.input, tuple(Index.of(walk.output) for walk in form.walks))
    laid = form.input if plain else fresh_name("x", taken)
    value, made = read_chain(
        chain.forward,
        [forward(stage) for stage in chain.forward],
        entry,
        laid,
        parameters,
        lambda tap: _weight(form, window, tap),
        taken,
    )
    whole = output.with_body(_all_channels(form, value, bias))
    steps = [_array(form, array, number) for number, array in enumerate(made, 1)]
    used = tuple(step.id for step in steps)
    reason = PARTS if made else SHIFTED
    last = Step(str(len(steps) + 1), output, whole, "put_together", "Put together", reason, uses=used, opens=True)
    stages = [Stage(("The output",), EVERYWHERE, (last,))]
    if steps:
        stages.insert(0, Stage(("The arrays on the way",), ("for every place that is read",), tuple(steps)))
    return Derivation(
        f"{op.phrase.capitalize()}, {'tap by tap' if len(chain.forward) == 1 else 'one axis after the other'}",
        ("A window has a fixed number of taps, and each of them is one array operation for all outputs at once.",),
        ZERO,
        (_laid_out(output, form, entry, laid),) if made and not plain else (),
        tuple(stages),
    )


def taps_derivation(op: Operator) -> Derivation:
    """The window tap by tap, as the program of the plan "taps" has it."""
    return chain_derivation(op, "taps")


def _bias(form: TapForm) -> Access | None:
    """The entry of the bias that belongs to an output."""
    letter = form.letter("bias")
    if letter is None:
        return None
    channels = form.layer
    return Access(letter, () if channels.output is None else (Index.of(channels.output),))


def _weight(form: TapForm, window: Reduce, tap: Sequence[int]) -> Access:
    """The entry of the weight at a tap, of the channels of an output."""
    letter = form.letter("weight")
    assert letter is not None
    kernel = accesses(window.body, letter)[0]
    return Access(letter, (*kernel.index[: -len(form.walks)], *map(Index.of, tap)))


def _all_channels(form: TapForm, value: Node, bias: Access | None) -> Node:
    """One input channel after the other; the bias is added along with the first."""
    if form.channels is None or form.channels.input is None:
        return value
    terms = [part for part in (value.args if isinstance(value, Plus) else (value,)) if part != bias]
    channel = Bound(form.channels.input, Index.of(0), Index.of(form.channels.per_group_in - 1))
    return add(summation(add(*terms), channel), *(() if bias is None else (bias,)))


def _laid_out(output: Formula, form: TapForm, entry: Node, name: str) -> Definition:
    """The input as programs see it, with its padding."""
    places = tuple(walk.output for walk in form.walks)
    read = entry.body if isinstance(entry, Reduce) else entry
    line = maths(
        lambda style: f"{style.quantity(Quantity('entry', (name, places)))} = {style.node(read, context_of(output))}"
    )
    size: Phrase = ("nothing where that does not exist",) if isinstance(entry, Reduce) else ()
    return Definition("D1", (), (line,), "the input with its padding", size)


def _array(form: TapForm, array: Made, number: int) -> Step:
    """The step from what the entry of an array is to be to what the program makes of the arrays before it."""
    sizes = [f"N_{axis}" for axis in range(1, len(form.walks) + 1)]
    free = tuple(
        Bound(walk.output, Index.of(0), Index.of(size) - 1) for walk, size in zip(form.walks, sizes, strict=True)
    )
    box = tuple(
        (Index.of(0), walk.stride * bound.upper + walk.reach if axis in array.axes else bound.upper)
        for axis, (walk, bound) in enumerate(zip(form.walks, free, strict=True))
    )
    whole = Formula(
        Quantity("entry", (array.name, tuple(bound.name for bound in free))),
        free,
        array.whole,
        (Tensor(array.source, "input", box),),
        lower=tuple((size, 1) for size in sizes),
    )
    title, reason = "Reduce", "along one axis, for all places along the others."
    if not array.axes:
        title, reason = "Prepare", "every entry once, and not once a tap."
    if array.taps > 1:
        title, reason = "Double", f"windows of {array.taps} taps, from shorter ones."
    return Step(str(number), whole, whole.with_body(array.steps), "put_together", title, (reason,), opens=True)
