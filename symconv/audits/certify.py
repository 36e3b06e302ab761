"""`certify`: is a black box exactly the operator that it claims to be, with its gradients?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import chain
from math import prod
from typing import Any

import numpy as np

from symconv.audits.arranging import Arranged, arranged
from symconv.audits.certification import Certification, Finding
from symconv.audits.diagnose import diagnose
from symconv.audits.explanation import Explanation
from symconv.audits.isolation import Isolated, Limits
from symconv.audits.judging import judged
from symconv.audits.planning import TrialPlan, planned
from symconv.audits.reading import Array
from symconv.audits.reference import Reference
from symconv.audits.shrinking import shrunk
from symconv.audits.subject import Subject, subject_of
from symconv.audits.trials import Trial
from symconv.doors import flag, instance, plain_integer
from symconv.errors import ArgumentError, NotSupportedError, SizeLimitError, SymconvError, shortened
from symconv.kernels.runtime.arguments import as_array
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose
from symconv.proofs.verdict import Counterexample, VerdictScope

__all__ = ["certify"]

CERTIFIED = (Conv, ConvTranspose, MaxPool, AvgPool, LPPool, AdaptiveAvgPool, AdaptiveMaxPool)
MOST_ENTRIES, MOST_DIAGNOSED, MOST_CASES = 1 << 20, 1 << 12, 10_000
LETTERS = {"input": "a", "weight": "b", "bias": "d", "upstream": "g"}


def certify(
    function: Any,
    op: Operator,
    input_size: Any,
    *,
    gradients: Callable[..., Any] | None = None,
    dtype: str | None = None,
    arrays: str = "numpy",
    layout: str | None = None,
    weight_layout: str | None = None,
    batch: int | None = None,
    weight: Any = None,
    bias: Any = None,
    special: bool = True,
    cases: int = 20,
    most: int = 5_000,
    seed: int = 0,
    timeout: float = 30.0,
    seconds: float = 300.0,
    memory: int = 4 << 30,
    progress: Callable[[float], None] | None = None,
) -> Certification:
    """Whether a black box is exactly an operator at an input size, forward and, where it gives them, its gradients.

    A convolution is bilinear, so that products of basis vectors decide a size, on the condition that the black box is
    bilinear; this is tried on random cases, and said with the verdict, which is never "proved". An average is linear; a
    maximum is decided by order patterns, with ties, negative entries, zeros, NaN and infinities. Integers must be
    equal; a floating-point result may be off by the a-priori rounding bound of sums in any order in its type, so that
    transforms that lose more digits, such as FFT, are refuted.

    The black box runs in a forked process with limits on time and memory, without files and environment variables of
    this one; that it raises, hangs, crashes, or writes to its arguments is a finding.

    Args:
        function: a function of arrays ``(x)``, ``(x, weight)`` or ``(x, weight, bias)`` as the operator has them, among
            them functions by ctypes and jitted ones; a module of PyTorch, whose parameters are set and whose gradients
            are those of autograd; or the path of an ONNX model with as many inputs, which needs onnxruntime.
        op: a convolution, a transposed one, or a pooling, with numbers for all its options.
        input_size: the spatial input size, one entry an axis, or one for all.
        gradients: a function ``(grad_output, x, ...)`` that gives the gradients of the arguments: a tuple, a mapping by
            "input", "weight" and "bias", a `Gradients`, or one array.
        dtype: "float16", "bfloat16", "float32", "float64", "int32" or "int64"; by default float64 for functions of
            arrays, that of the parameters for a module, else float32.
        arrays: "torch" where a function takes tensors; its gradients are those of autograd.
        layout: the order of axes of input and output, such as "NCHW", "HWC" or "W"; by default the places alone for a
            function of arrays whose operator has one channel, else N, C and the places.
        weight_layout: that of the weight, such as "OIHW" or "HWIO"; by default the operator's own.
        batch: how many items, where the layout has an N; by default 2.
        weight, bias: what the black box holds itself, and is not called with.
        special: whether poolings are tried on NaN and infinities.
        cases: how many random cases are tried; at most 10,000.
        most: how many calls there are at most; where that is too few to decide, the verdict is "undecided".
        seed: of the random cases.
        timeout: the seconds that a call may take.
        seconds: the seconds that all of them may take.
        memory: the bytes that the process may take beyond what this one has.
        progress: is told from time to time which share of the calls is done, 0 to 1.

    Returns:
        A verdict: "exact" with its conditions; "refuted" with the smallest case that was found and, where `diagnose`
        knows one, the likely cause; "undecided" where there are too many products to try, or the time was over.

    Raises:
        ArgumentError: for an argument that is not what it must be; GeometryError where no window fits.
        NotSupportedError: for another operator, or on a system without fork.
        SizeLimitError: above 2**20 entries of an array, or 10,000 cases.

    >>> import symconv as sc
    >>> def smooth(x):
    ...     return (x[:-1] + x[1:]) / 2
    >>> verdict = certify(smooth, sc.AvgPool(2, stride=1, ndim=1), 6)
    >>> verdict.status, verdict.conditions
    ('exact', ('the function is linear in the input, which was tried on 20 random cases',))
    """
    instance("op", op, Operator, "must be an operator, such as symconv.Conv(3)")
    if not isinstance(op, CERTIFIED):
        raise NotSupportedError(f"{op!r} cannot be certified; what can is {', '.join(k.__name__ for k in CERTIFIED)}")
    if isinstance(op, LPPool) and op.norm_type == np.inf:
        raise NotSupportedError(f"{op!r} cannot be certified; certify MaxPool of the absolute values")
    cases, most = plain_integer("cases", cases, 1), plain_integer("most", most, 1)
    if cases > MOST_CASES:
        raise SizeLimitError(f"cases must be at most {MOST_CASES:,}, got {shortened(str(cases))}")
    seed, memory = plain_integer("seed", seed, 0), plain_integer("memory", memory, 1)
    limits = Limits(_positive("timeout", timeout), memory)
    flag("special", special)
    if progress is not None and not callable(progress):
        raise ArgumentError("progress", progress, "must be a function of one number, or None")
    fixed = _fixed(op, weight, bias)
    variables = [name for name in op.variables if name not in fixed]
    subject = subject_of(function, variables, gradients, dtype, arrays)
    if subject.dtype.startswith("int") and not isinstance(op, Conv | ConvTranspose | MaxPool | AdaptiveMaxPool):
        raise ArgumentError("dtype", subject.dtype, f"must be a floating-point type: {op!r} divides or takes roots")
    frame = arranged(op, input_size, layout, weight_layout, batch, subject, variables)
    if max(map(prod, (*frame.shapes.arguments.values(), frame.shapes.output))) > MOST_ENTRIES:
        raise SizeLimitError(f"input_size must make arrays of at most {MOST_ENTRIES:,} entries")
    rounded = _rounded(fixed, frame, op, subject.dtype)
    reference = Reference(op, frame.sizes, subject.dtype, rounded)
    shapes = replace(frame.shapes, top=reference.largest_integer())
    plan = planned(op, shapes, reference, cases, most, seed, special)
    with Isolated(subject.start, limits) as process:
        run = _Run(process, frame, reference, subject, time.monotonic() + _positive("seconds", seconds), progress)
        return run.verdict(op, plan, cases)


def _positive(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        raise ArgumentError(name, value, "must be a positive number of seconds")
    return float(value)


def _fixed(op: Operator, weight: Any, bias: Any) -> dict[str, Array]:
    """What the black box holds itself, as it was given."""
    found: dict[str, Array] = {}
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None:
            if name not in op.variables:
                raise ArgumentError(name, "an array", f"must be left out: {op!r} has no {name}")
            found[name] = as_array(name, value)
    if "bias" in found and "weight" not in found:
        raise ArgumentError("bias", "an array", "must be given with the weight, or left out")
    if "weight" in found and "bias" in op.variables and "bias" not in found:
        raise ArgumentError("bias", None, "must be given with the weight: the operator has one")
    return found


def _rounded(fixed: Mapping[str, Array], frame: Arranged, op: Operator, dtype: str) -> dict[str, Array]:
    """The same in canonical order, with the entries that they have in the type of the black box."""
    found = {}
    for name, array in fixed.items():
        canonical = frame.canonical(name, array, op)
        if dtype == "bfloat16":
            if (canonical.astype(np.float32).view(np.uint32) & 0xFFFF).any():
                raise ArgumentError(name, "an array", "must have entries that bfloat16 holds", "round it first")
            found[name] = canonical.astype(np.float64)
        else:
            found[name] = canonical.astype(dtype).astype(np.float64)
        if not np.isfinite(found[name]).all():
            raise ArgumentError(name, "an array with NaN or infinite entries", "must be finite")
    return found


class _Run:
    """One black box being tried."""

    def __init__(
        self,
        process: Isolated,
        frame: Arranged,
        reference: Reference,
        subject: Subject,
        until: float,
        progress: Callable[[float], None] | None,
    ) -> None:
        self._process, self._frame, self._reference, self._subject = process, frame, reference, subject
        self._until, self._progress, self._calls = until, progress, 0

    def verdict(self, op: Operator, plan: TrialPlan, cases: int) -> Certification:
        """Try all, the random cases first and the first of them a second time; stop at what is wrong."""
        done = 0
        again = [replace(plan.first[0], words=AGAIN)]
        for trial in chain(plan.first, plan.rest, again):
            if time.monotonic() > self._until:
                said = f"the time was over after {done} of {plan.total} cases, which are all right"
                return self._said("undecided", said)
            finding = self.tried(trial)
            if finding is not None:
                return self._refuted(op, trial, finding)
            done += 1
            if self._progress is not None and done % 16 == 0:
                self._progress(min(1.0, done / plan.total))
        what = "output and gradients" if self._frame.shapes.gradients else "output"
        if not plan.decides:
            said = f"{done} cases are all right ({what}); to decide this size takes {plan.needed} further calls"
            return self._said("undecided", f"{said}: raise `most`, or take a smaller input or fewer channels")
        return self._said("exact", f"{done} cases are all right ({what})", conditions=plan.conditions)

    def tried(self, trial: Trial) -> Finding | None:
        """What is wrong with one call; None for nothing."""
        self._calls += 1
        message = self._process.call({name: self._frame.laid(name, array) for name, array in trial.parts()})
        return judged(message, trial, self._frame, self._reference, self._subject.dtype)

    def _refuted(self, op: Operator, trial: Trial, finding: Finding) -> Certification:
        smallest = shrunk(trial, finding, self.tried, self._until)
        if trial.words == AGAIN and smallest.index:
            smallest = replace(smallest, kind="state", words=f"called a second time, {smallest.words}")
        found = self._said("refuted", f"the {self._subject.kind} is not {op!r}", finding=smallest)
        found = replace(found, cause=_cause(op, finding, self._frame), calls=self._calls)
        return replace(found, counterexample=_counterexample(smallest, found.scope)) if smallest.index else found

    def _said(self, status: Any, explanation: str, **more: Any) -> Certification:
        sizes = tuple((f"I_{k}", n) for k, n in enumerate(self._frame.sizes, 1))
        kept = (self._subject.dtype, f"axes {self._frame.words}")
        return Certification(
            status, VerdictScope((), sizes, kept), explanation=explanation, method="trials", calls=self._calls, **more
        )


AGAIN = "the first case again"


def _counterexample(finding: Finding, scope: VerdictScope) -> Counterexample:
    def exact(value: Any) -> Any:
        return Fraction(float(value)) if np.isfinite(value) else float(value)

    tensors = {
        LETTERS[name]: {tuple(map(int, place)): exact(array[tuple(place)]) for place in np.argwhere(array != 0)}
        for name, array in finding.arguments.items()
    }
    boxes = {LETTERS[name]: tuple((0, n - 1) for n in array.shape) for name, array in finding.arguments.items()}
    indices = {f"axis {k}": i for k, i in enumerate(finding.index)}
    return Counterexample(dict(scope.fixed), indices, tensors, boxes, finding.given, finding.due, finding.part)


def _cause(op: Operator, finding: Finding, frame: Arranged) -> Explanation | None:
    """The operator that explains the answers to a call that is wrong; None where there is none, or it is too large."""
    x, y = finding.arguments["input"], finding.answers.get("output")
    if finding.kind not in ("value", "shape") or y is None or max(x.size, y.size) > MOST_DIAGNOSED:
        return None
    pooling = not isinstance(op, Conv | ConvTranspose)
    if not pooling and "weight" not in finding.arguments:
        return None
    pulled: dict[str, Any] = {}
    if "upstream" in finding.arguments:
        named = {part: finding.answers.get(f"grad_{part}") for part in ("input", "weight", "bias")}
        pulled = {f"grad_{part}": array for part, array in named.items() if array is not None}
        pulled |= {"grad_output": finding.arguments["upstream"]} if pulled else {}
    if pooling and finding.index:  # the plane of the entry that is wrong: the search is shorter for it
        plane = tuple(
            i if letter in "NC" else slice(None) for letter, i in zip(frame.data.order, finding.index, strict=True)
        )
        x, y = x[plane], y[plane]
        pulled = {name: array[plane] for name, array in pulled.items()}
    try:
        found = diagnose(x, None if pooling else finding.arguments["weight"], y, **pulled)
    except SymconvError:
        return None
    found = [each for each in found if (each.fits or 4 * each.off < y.size) and _tells(each, op)]
    return min(found, key=partial(_far, op), default=None)


def _tells(explanation: Explanation, op: Operator) -> bool:
    """Whether an explanation says more than that it should be the operator."""
    return explanation.operator != op or any(explanation.gradients.values()) or explanation.fits


def _far(op: Operator, explanation: Explanation) -> tuple[bool, bool, int]:
    """How far an explanation is from the operator that was claimed: another kind, or so many options."""
    if type(explanation.operator) is not type(op):
        return not explanation.fits, True, 0
    theirs = explanation.operator.options()
    return not explanation.fits, False, sum(value != theirs[name] for name, value in op.options().items())
