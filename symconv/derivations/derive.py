"""`derive`: the worked derivation of an operator's output, derivative or gradient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Literal, TypeAlias, cast

from symconv.derivations.adaptive import covering_stages
from symconv.derivations.chain import derivative_stage, gradient_stage, notation, through_one_tap
from symconv.derivations.closing import closed_stage
from symconv.derivations.convolution import all_ones_stage, input_stage, weight_stage
from symconv.derivations.frame import Frame
from symconv.derivations.losses import is_of_scores, loss_stage, prediction_definition, prediction_steps
from symconv.derivations.networks import network_derivation
from symconv.derivations.output import conditions, output_derivation
from symconv.derivations.patches import adjoint_stage, look_up_stage, position_definition
from symconv.derivations.shares import one_share, share_definition
from symconv.derivations.step import Definition, Derivation, Maths, Phrase, Stage, Step
from symconv.derivations.subdifferential import set_derivation, with_first_ties
from symconv.derivations.transposed import gradient_stages
from symconv.derivations.vectors import outputs_step, recognised_stage
from symconv.derivations.whole import single_channel
from symconv.derivations.windows import needs_of_derivatives
from symconv.doors import flag, instance, items, mapping, one_of, plain_integer
from symconv.errors import ArgumentError
from symconv.formulas.algebra import Share
from symconv.formulas.spelling import look
from symconv.formulas.walks import walk
from symconv.operators.adaptive import AdaptiveMaxPool, AdaptivePooling
from symconv.operators.base import Operator, Variable
from symconv.operators.convolution import Conv
from symconv.operators.letters import ARRAYS, Letters, capital, free_letter
from symconv.operators.losses import Loss
from symconv.operators.networks.network import Network
from symconv.operators.patches import Fold, Unfold
from symconv.operators.pointwise import Pointwise
from symconv.operators.pooling import MaxPool
from symconv.operators.transposed import ConvTranspose
from symconv.operators.unpooling import MaxUnpool
from symconv.operators.vectors import OfVector

__all__ = ["derive", "names_beside_sizes"]

WHAT = ("output", "derivative", "gradient")


def derive(
    op: Operator | Network,
    what: Literal["output", "derivative", "gradient"] = "output",
    wrt: str = "input",
    *,
    names: Mapping[str, Any] | None = None,
    index_base: int = 1,
    input_size: int | Sequence[int] | None = None,
    all_ones: bool = False,
) -> Derivation:
    """The worked derivation of an operator, every step of it handed to the checker.

    Args:
        op: the operator; symbolic options stay symbolic. Of a `Network` there is the gradient: that of every layer in
            closed form, the chain, and the proofs.
        what: "output" (its size and entries), "derivative" (of one output by one entry), "gradient" (of an error).
        wrt: the variable of a derivative or gradient: "input", "weight" or "bias"; of a network "input", "parameters",
            or one of them, such as "conv1.weight".
        names: letters to use (see `symconv.operators.letters.Letters`); for a network a table of them by layer, and
            "input" for its own.
        index_base: where indices start on paper, 1 unless said.
        input_size: numbers for the input size, which is symbolic where left out.
        all_ones: for the gradient of a convolution by its input, go on to the case of an all-ones upstream gradient.

    Under the tie rule "set" derivative and gradient are sets: the subdifferential, and the sum of subdifferentials.

    Raises:
        ArgumentError: for an unknown `what`, a variable that the operator does not have, a variable for an output, or
            `all_ones` where there is no such case.
    """
    instance("op", op, (Operator, Network), "must be an operator, such as Conv(3), or a Network")
    one_of("what", what, WHAT)
    if isinstance(op, Network):
        return _of_network(op, what, wrt, names, index_base, input_size, all_ones)
    op.check_variable(wrt)
    index_base = plain_integer("index_base", index_base, requirement="must be 0 or 1")
    flag("all_ones", all_ones)
    if what == "output" and wrt != "input":
        raise ArgumentError("wrt", wrt, "belongs to a derivative or a gradient", "leave it out for what='output'")
    if all_ones and not (what == "gradient" and wrt == "input" and _has_all_ones(op)):
        raise ArgumentError(
            "all_ones", True, "belongs to the gradient by the input of a Conv with one channel and padding_mode='zeros'"
        )
    wrt = cast("Variable", wrt)
    size = None if input_size is None else _numbers(op, input_size)
    names = names_beside_sizes(op, names, size)
    if isinstance(op, MaxPool | AdaptiveMaxPool) and op.ties == "set":
        alike = Frame(with_first_ties(op), wrt, names, index_base, size)
        return output_derivation(alike) if what == "output" else set_derivation(alike, what)
    frame = Frame(op, wrt, names, index_base, size)
    return output_derivation(frame) if what == "output" else _differentiated(frame, what, all_ones)


def _differentiated(frame: Frame, what: str, all_ones: bool = False) -> Derivation:
    """The derivation of a derivative or a gradient."""
    op, wrt = frame.op, frame.wrt
    needs = needs_of_derivatives(frame)
    first = derivative_stage(frame)
    if isinstance(op, OfVector):
        first = replace(first, steps=(*first.steps, outputs_step(frame, first.steps[-1])))
    elif is_of_scores(op):
        own = islice(prediction_steps(frame, first.steps[-1], "D3"), 2 if what == "derivative" else 1)
        first = replace(first, steps=(*first.steps, *own))  # a gradient uses the hypothesis on targets at its end
    first = _needing(first, needs)
    definitions: list[Definition] = list(notation(frame))
    if one_share(frame) and any(isinstance(n, Share) for n in walk(first.steps[0].after.body)):
        definitions.append(share_definition(frame, "D3"))
    if isinstance(op, MaxUnpool):
        definitions.append(position_definition(frame, op, "D3"))
    if is_of_scores(op):
        definitions.append(prediction_definition(frame, "D3"))
    array = frame.array(wrt)
    if what == "derivative":
        lead = _lead_of_derivative(op, array, through_one_tap(first.steps[-1].after))
        return Derivation(
            f"The derivative of one output with respect to the {wrt}",
            lead,
            conditions(frame),
            tuple(d for d in definitions if d.id != "D2"),
            (first,),
        )
    stages: list[Stage] = [first, _needing(gradient_stage(frame, first.steps[-1]), needs)]
    for stage, more in _readings(frame, stages[-1].steps[-1], all_ones):
        stages.append(_needing(stage, needs))
        definitions += more
    return Derivation(
        f"The gradient of {op.phrase} with respect to its {wrt}",
        _lead(op, wrt, array, through_one_tap(first.steps[-1].after)),
        conditions(frame),
        tuple(definitions),
        tuple(stages),
    )


def _of_network(
    network: Network, what: str, wrt: str, names: Any, index_base: int, input_size: object, all_ones: object
) -> Derivation:
    """The gradients of a network.

    Raises:
        ArgumentError: for anything else than a gradient, and options that belong to one layer.
    """
    if what != "gradient":
        raise ArgumentError("what", what, "must be 'gradient' for a network", "derive its layers one by one")
    if input_size is not None or all_ones is not False:
        raise ArgumentError("input_size, all_ones", (input_size, all_ones), "must be left out for a network")
    base = plain_integer("index_base", index_base, requirement="must be 0 or 1")
    mapping("names", {} if names is None else names, "must be a table by layer")
    return network_derivation(network, lambda frame: _differentiated(frame, "gradient"), wrt, names, base)


def _numbers(op: Operator, input_size: int | Sequence[int]) -> tuple[int, ...]:
    """The input size in Python's integers, where windows fit in it."""
    entries = items(input_size)
    given = (input_size,) if entries is None else entries
    size = tuple(plain_integer("input_size", n, requirement="must be integers, one a spatial axis") for n in given)
    op.output_size(size)
    return size


def _needing(stage: Stage, needs: Phrase) -> Stage:
    """The stage, every step of it with what its lines need."""
    if not needs:
        return stage
    return replace(
        stage,
        steps=tuple(
            replace(step, needs=(*step.needs, *((", and ",) if step.needs else ()), *needs)) for step in stage.steps
        ),
    )


def names_beside_sizes(
    op: Operator, names: Mapping[str, str] | None, input_size: tuple[int, ...] | None
) -> dict[str, str]:
    """The names of a page: it prints whole arrays by their capitals, which must not be the letters of its sizes.

    A letter of ours gives way, such as that of the bias to a symbolic dilation D.

    Raises:
        ArgumentError: for a chosen letter whose capital is a size of this page, such as K, with a free one.
    """
    letters, moved = Letters.of(names), dict(names or {})
    plain = op.geometry(Letters(), input_size)
    sizes = {*plain.symbols, *op.reals()}.union(*(size.names for size in (*plain.sizes, *plain.outputs)))
    for role in ARRAYS:
        letter = getattr(letters, role)
        if {look(letter), look(capital(letter))}.isdisjoint(map(look, sizes)):
            continue
        used = {*letters.printed(op.spatial_axes), *sizes, "I", "K", "O"}
        if role in letters.chosen:
            raise ArgumentError(
                f"names[{role!r}]",
                letter,
                f"must not be printed, as the array {capital(letter)}, by the letter of a size",
                f"choose another letter, such as {free_letter(used, array=True)}",
            )
        spare = free_letter(used | letters.names, array=True)  # so that no family of indices has to give way to it
        if spare is not None:
            moved[role] = spare
    return moved


def _has_all_ones(op: Operator) -> bool:
    return isinstance(op, Conv) and op.padding_mode == "zeros" and single_channel(op)


Reading: TypeAlias = tuple[Stage, tuple[Definition, ...]]


def _readings(frame: Frame, touched: Step, all_ones: bool) -> Iterator[Reading]:
    """What the gradient can be read as: a correlation, another operator, a look-up."""
    op, wrt = frame.op, frame.wrt
    if isinstance(op, Conv) and op.padding_mode == "zeros" and wrt == "input":
        yield input_stage(frame, op, touched)
        if all_ones:
            yield all_ones_stage(frame, op, touched)
    elif isinstance(op, Conv) and op.padding_mode == "zeros" and wrt == "weight" and single_channel(op):
        yield weight_stage(frame, op, touched)
    elif isinstance(op, ConvTranspose) and wrt != "bias":
        yield from gradient_stages(frame, op, touched)
    elif isinstance(op, AdaptivePooling):
        yield from ((stage, ()) for stage in covering_stages(frame, op, touched))
    elif isinstance(op, Unfold | Fold):
        yield adjoint_stage(frame, op, touched), ()
    elif isinstance(op, MaxUnpool):
        stage, definition = look_up_stage(frame, op, touched)
        yield stage, (definition,)
    elif isinstance(op, OfVector):
        yield recognised_stage(frame, touched), ()
    else:
        closed = loss_stage(frame, touched, "D3") if isinstance(op, Loss) else closed_stage(frame, touched)
        if closed is not None:
            yield closed, ()


def _lead_of_derivative(op: Operator, array: Maths, single: bool) -> Phrase:
    if isinstance(op, Pointwise):
        return ("One output depends on the entry of ", array, " at its place alone.")
    if isinstance(op, Loss):
        return ("The loss depends on every entry of ", array, ".")
    if isinstance(op, OfVector):
        return ("Every output depends on every entry of ", array, ": on its own, and on the others by their sum.")
    taps = "at most one tap" if single else "one or more taps"
    return ("One output depends on one entry of ", array, f" through {taps} of its window.")


def _lead(op: Operator, wrt: str, array: Maths, single: bool) -> Phrase:
    if isinstance(op, Loss):
        return ("The loss is one number, and hands its upstream gradient to every entry of ", array, ".")
    if wrt == "input" and not single:
        return ("An output may read an entry of ", array, " by several taps; the gradient gathers all of them.")
    if isinstance(op, Conv) and wrt == "input" and op.padding_mode == "zeros":
        return (
            "Sliding a kernel forward is undone, in the gradient, by sliding the kernel turned around over the "
            "upstream gradient, padded so far that every entry of the input gets its turn.",
        )
    if isinstance(op, ConvTranspose) and wrt == "input":
        return ("The gradient of a transposed convolution is the convolution that it is the transpose of.",)
    if isinstance(op, Unfold):
        return ("An entry that several windows show gathers the upstream gradient of all of them: a folding.",)
    if isinstance(op, Fold):
        return ("Every patch receives what the upstream gradient shows under its window: an unfolding.",)
    if isinstance(op, OfVector):
        return ("Every entry of ", array, " gathers the upstream gradient of all outputs.")
    if isinstance(op, Pointwise):
        return ("Every output hands its upstream gradient to the entry of ", array, " at its place.")
    if isinstance(op, MaxUnpool):
        return ("Every entry receives the upstream gradient from the position that it was put at.",)
    if isinstance(op, Conv | ConvTranspose) and wrt == "weight" and getattr(op, "padding_mode", "zeros") == "zeros":
        return ("The gradient by the kernel is again a correlation: of the input with the upstream gradient.",)
    return ("Every output hands its upstream gradient to the entries of ", array, " that it depends on.")
