"""Cross-entropy and squared error: exact values, gradients, derivations and kernels against loops, mpmath, PyTorch."""

from __future__ import annotations

import pickle
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from click.testing import CliRunner

import symconv as sc
from symconv.cli.application import commands
from symconv.derivations.losses import SUMS_TO_ONE

THIRDS = [Fraction(1, 3), Fraction(2, 3), Fraction(0)]
SHARES = [Fraction(1, 2), Fraction(1, 8), Fraction(3, 8)]
SCORES = [Fraction(-2), Fraction(1, 2), Fraction(3)]


def decimal(number: Any) -> mpmath.mpf:
    """An exact number to forty digits."""
    if isinstance(number, Fraction):
        return mpmath.mpf(number.numerator) / number.denominator
    assert not number.atoms(sympy.Float)
    return mpmath.mpf(str(number.evalf(40)))


def targets_of(target: Any) -> list[Fraction]:
    """A class, or numbers, as numbers."""
    return [Fraction(int(k == target)) for k in range(3)] if isinstance(target, int) else target


def plain_loss(x: list[Any], y: list[Any], scores: bool) -> tuple[Any, list[Any]]:
    """Cross-entropy and its derivatives by its definition, in mpmath."""
    x, y = list(map(decimal, x)), list(map(decimal, y))
    total = mpmath.fsum(map(mpmath.exp, x))
    shares = [mpmath.exp(v) / total for v in x] if scores else x
    loss = -mpmath.fsum(t * mpmath.log(s) for t, s in zip(y, shares, strict=True) if t)
    if not scores:
        return loss, [-t / s for t, s in zip(y, shares, strict=True)]
    return loss, [s * mpmath.fsum(y) - t for t, s in zip(y, shares, strict=True)]


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("target", [0, 2, THIRDS])
@pytest.mark.parametrize("scores", [False, True])
def test_cross_entropy_against_its_definition(scores: bool, target: Any, known: bool) -> None:
    op = sc.CrossEntropy(target if known else None, scores)
    entries = SCORES if scores else SHARES
    given: dict[str, Any] = {"a": entries, "g": Fraction(3, 2)}
    if not known:
        given["y"] = targets_of(target)
    output = op.output(input_size=3).values(given)
    gradient = op.gradient(input_size=3).values(given)
    assert list(output) == [()]
    assert list(gradient) == [(0,), (1,), (2,)]
    with mpmath.workdps(40):
        loss, slopes = plain_loss(entries, targets_of(target), scores)
        assert abs(decimal(output[()]) - loss) < 1e-30
        for i in range(3):
            assert abs(decimal(gradient[(i,)]) - slopes[i] * 3 / 2) < 1e-30


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_squared_error_against_loops(ndim: int) -> None:
    shape = (2, 3, 2)[:ndim]
    draw = np.random.default_rng(ndim)
    a, y = (
        np.array([Fraction(int(v), 3) for v in draw.integers(-9, 9, int(np.prod(shape)))], object).reshape(shape)
        for _ in "ay"
    )
    expected = sum((a[at] - y[at]) ** 2 for at in np.ndindex(*shape))
    letter = sc.SquaredError(ndim=ndim)
    own = sc.SquaredError(y.tolist())
    assert own.ndim == ndim
    assert own == sc.SquaredError(y) == sc.SquaredError(y.tolist(), ndim=ndim)
    for op, more in ((letter, {"y": y.tolist()}), (own, {})):
        given = {"a": a.tolist(), "g": Fraction(5), **more}
        assert op.output(input_size=shape).values(given) == {(): expected}
        gradient = op.gradient(input_size=shape).values(given)
        assert gradient == {at: 10 * (a[at] - y[at]) for at in np.ndindex(*shape)}


def test_an_entry_without_a_loss_is_refused_with_its_place() -> None:
    for op in (sc.CrossEntropy(1), sc.CrossEntropy()):
        for formula in (op.output(input_size=3), op.gradient(input_size=3)):
            for bad in (0, -1):
                with pytest.raises(sc.ArgumentError, match=rf"of a positive number\), got a\[1\] = {bad}$"):
                    formula.values({"a": [1, bad, 1], "y": [0, 1, 0], "g": 1})
    nothing = sc.CrossEntropy().output(input_size=3).values({"a": [0, 1, 0], "y": [0, 1, 0]})
    assert nothing == {(): 0}  # what has no weight has no part
    with pytest.raises(sc.ArgumentError, match=r"of a number up to 10,000\), got a\[0\] = 1000000"):
        sc.CrossEntropy(1, True).output(input_size=2).values({"a": [10**6, 0]})


def test_the_formulas_by_hand() -> None:
    assert str(sc.CrossEntropy().output()) == "c = −∑(i = 0 … I − 1) y[i]·ln(a[i])"
    assert sc.CrossEntropy(1).output(index_base=1).latex() == r"c = -\ln(a_{2})"
    assert str(sc.CrossEntropy(1, True).output()) == "c = ln(∑(j = 0 … I − 1) e^(a[j])) − a[1]"
    assert str(sc.CrossEntropy(THIRDS).output()) == "c = −(1/3·ln(a[0]) + 2/3·ln(a[1]))"
    assert str(sc.CrossEntropy().gradient()) == "∂E/∂a[i] = −(g·y[i])/a[i]"
    assert str(sc.SquaredError().output()) == "c = ∑(i = 0 … I − 1) (a[i] − y[i])^2"
    assert str(sc.SquaredError(ndim=2).gradient()) == "∂E/∂a[i, j] = 2·g·(a[i, j] − y[i, j])"
    assert str(sc.SquaredError([3, 5]).derivative()) == "∂c/∂a[i] = 2·[0 = i] (a[0] − 3) + 2·[1 = i] (a[1] − 5)"
    assert str(sc.CrossEntropy().output(names={"target": "t"})) == "c = −∑(i = 0 … I − 1) t[i]·ln(a[i])"
    a = sympy.IndexedBase("a")
    assert sc.CrossEntropy(1).output().at(input_size=3) == -sympy.log(a[1])
    assert sc.SquaredError([1, 2]).derivative().matrix() == sympy.Matrix([[2 * a[0] - 2, 2 * a[1] - 4]])


def test_sizes_options_and_copies() -> None:
    assert sc.CrossEntropy(2).output_size(3) == sc.SquaredError(ndim=2).output_size((2, 3)) == ()
    assert repr(sc.CrossEntropy(1, True)) == "CrossEntropy(target=1, from_logits=True)"
    assert sc.CrossEntropy([0.1, 0.9]) == sc.CrossEntropy([Fraction(1, 10), Fraction(9, 10)])
    op = sc.CrossEntropy(THIRDS)
    assert pickle.loads(pickle.dumps(op)) == op
    assert op.output() == op.output(input_size=3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sc.CrossEntropy([0.5, Fraction(2, 3)]), r"^target must have entries that sum to 1, got '7/6'"),
        (lambda: sc.CrossEntropy([0.1, 0.2, 0.6]), r"^target must have entries that sum to 1, got '9/10'"),
        (lambda: sc.CrossEntropy(-1), r"^target must be a class, counted from 0, or an array of exact numbers, got -1"),
        (lambda: sc.CrossEntropy(True), r"^target must be a class"),
        (lambda: sc.CrossEntropy(1.0), r"^target must be a class"),
        (lambda: sc.CrossEntropy("cat"), r"^target must be a class"),
        (lambda: sc.CrossEntropy([[1, 0]]), r"^target must be a class or a vector"),
        (lambda: sc.CrossEntropy([]), r"^target must be an array with rows of one length, and with entries"),
        (lambda: sc.CrossEntropy(3).output_size(3), r"^target must be a class of 3, counted from 0: at most 2, got 3"),
        (lambda: sc.CrossEntropy(THIRDS).output_size(4), r"^input_size must be 3 on axis 0, the size of the"),
        (lambda: sc.CrossEntropy(3).output(input_size=2), r"^target must be a class of 2"),
        (lambda: sc.CrossEntropy(1, "yes"), r"^from_logits must be True or False"),
        (lambda: sc.SquaredError(3), r"^target must be an array of exact numbers, got 3"),
        (lambda: sc.SquaredError([[1, 2], [3]]), r"^target must be an array with rows of one length"),
        (lambda: sc.SquaredError([1, [2]]), r"^target must be an array with rows of one length"),
        (lambda: sc.SquaredError([1, float("nan")]), r"^target must have rational numbers as entries, got nan"),
        (lambda: sc.SquaredError([[1, 2]], ndim=3), r"^ndim must agree with the target, which has 2 axes, got 3"),
        (lambda: sc.Network([sc.CrossEntropy(1)]).output_size((2, 2)), r"must be a vector before CrossEntropy"),
    ],
)  # fmt: skip
def test_what_is_refused(make: Any, message: str) -> None:
    with pytest.raises(sc.ArgumentError, match=message):
        make()


# ---------------------------------------------------------------------- derivations


@pytest.mark.parametrize(
    "op",
    [
        sc.CrossEntropy(), sc.CrossEntropy(1), sc.CrossEntropy(THIRDS),
        sc.CrossEntropy(None, True), sc.CrossEntropy(1, True), sc.CrossEntropy(THIRDS, True),
        sc.SquaredError(), sc.SquaredError(ndim=2), sc.SquaredError([1, 2]),
    ],
    ids=repr,
)  # fmt: skip
def test_every_step_is_proved_under_what_it_says(op: Any) -> None:
    given = isinstance(op.target, tuple)
    for what in ("output", "derivative", "gradient"):
        for step in sc.derive(op, what).steps:
            assert step.verdict.status == ("exact" if given else "proved")
            said = ", ".join(step.verdict.conditions)
            of_logarithms = isinstance(op, sc.CrossEntropy) and not op.from_logits
            assert ("every logarithm is of a positive number" in said) == of_logarithms
            assert (SUMS_TO_ONE in said) == (step.rule == "sum_of_targets")


def test_the_gradient_by_scores_is_the_prediction_minus_the_target() -> None:
    lines = [step.statement for step in sc.derive(sc.CrossEntropy(None, True), "derivative").steps]
    assert lines[-2:] == ["∂c/∂a[i] = π[i]·∑(j = 1 … I) y[j] − y[i]", "∂c/∂a[i] = π[i] − y[i]"]
    last = sc.derive(sc.CrossEntropy(None, True), "gradient").steps[-1]
    assert last.statement == "∂E/∂a[i] = g·(π[i] − y[i])"
    assert last.verdict.conditions == (SUMS_TO_ONE,)
    assert last.verdict.record is None
    # without the hypothesis it does not hold, and no step says so
    plain = sc.prove(last.before, last.after)
    assert plain.status == "refuted"
    assert sc.derive(sc.CrossEntropy(1, True), "derivative").steps[-1].statement == "∂c/∂a[i] = π[i] − [2 = i]"


def test_a_wrong_last_line_would_not_be_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    from symconv.derivations import losses

    true = losses._target
    monkeypatch.setattr(losses, "_target", lambda frame, at: true(frame, at + 1))
    worked = sc.derive(sc.CrossEntropy(None, True), "derivative")
    assert worked.steps[-2].verdict.status == "refuted"


def test_softmax_before_a_cross_entropy_is_one_of_scores() -> None:
    from symconv.formulas.algebra import Access
    from symconv.formulas.substitution import substitute
    from symconv.formulas.walks import transform

    share, loss = sc.Softmax().output(), sc.CrossEntropy(1).output()

    def put(node: Any) -> Any:
        return substitute(share.body, {"p": node.index[0]}) if isinstance(node, Access) else None

    whole = loss.with_body(transform(loss.body, put))
    verdict = sc.prove(whole, sc.CrossEntropy(1, True).output())
    assert (verdict.status, verdict.conditions) == ("proved", ())


def test_the_command_line() -> None:
    run = CliRunner().invoke
    found = run(commands, ["derive", "cross-entropy", "--target", "1", "--from-logits"])
    assert found.exit_code == 0
    assert "∂E/∂a[i] = g·(π[i] − [2 = i])" in found.output
    halves = run(commands, ["derive", "squared-error", "--target", "1/2,3", "--what", "output"])
    assert "c = (a[1] − 1/2)^2 + (a[2] − 3)^2" in halves.output
    assert run(commands, ["derive", "cross-entropy", "--target", "1/2,1/3"]).exit_code == 2


# ---------------------------------------------------------------------- kernels


@pytest.mark.parametrize("scores", [False, True])
@pytest.mark.parametrize("target", [0, THIRDS])
def test_kernels_against_the_definition(scores: bool, target: Any) -> None:
    draw = np.random.default_rng(8)
    x = draw.normal(0, 3, (4, 3)) if scores else draw.uniform(0.1, 1, (4, 3))
    g = draw.standard_normal(4)
    y = np.array([[float(v) for v in targets_of(target)]] * 4)
    own, letter = sc.compile(sc.CrossEntropy(target, scores)), sc.compile(sc.CrossEntropy(None, scores))
    with mpmath.workdps(30):
        plain = [plain_loss([Fraction(v) for v in row], targets_of(target), scores) for row in x]
    losses = [float(loss) for loss, _ in plain]
    slopes = np.array([[float(v) for v in row] for _, row in plain])
    for found in (own(x), letter(x, y)):
        assert np.allclose(found, losses, rtol=1e-13)
    for found in (own.vjp(g, x).input, letter.vjp(g, x, y).input):
        assert np.allclose(found, g[:, None] * slopes, rtol=1e-12, atol=1e-15)
    dx = draw.standard_normal(x.shape)
    assert np.allclose(own.jvp(x, dx=dx), np.sum(slopes * dx, axis=1), rtol=1e-12, atol=1e-14)
    if isinstance(target, int):
        classes = np.full(4, target)
        assert np.array_equal(letter(x, classes), own(x))
        assert np.array_equal(letter.vjp(g, x, classes).input, own.vjp(g, x).input)
    assert own(x[0]).shape == ()
    assert own(x.reshape(2, 2, 3)).shape == (2, 2)


@pytest.mark.filterwarnings("error")
def test_scores_of_any_size_have_a_loss() -> None:
    kernel = sc.compile(sc.CrossEntropy(0, True))
    x = np.array([[1e300, -1e300, 0.0], [-1e300, 1e300, 0.0], [800.0, 0.0, 0.0], [-800.0, 0.0, 0.0]])
    with np.errstate(all="raise", under="ignore"):
        assert np.allclose(kernel(x), [0, 2e300, 0, 800 + np.log(2)])
        slopes = kernel.vjp(np.ones(4), x).input
    assert np.allclose(slopes, [[0, 0, 0], [-1, 1, 0], [0, 0, 0], [-1, 0.5, 0.5]])


@pytest.mark.filterwarnings("error")
def test_a_probability_of_0_counts_where_it_should() -> None:
    kernel = sc.compile(sc.CrossEntropy([0, 1]))
    x = np.array([[0.0, 1.0], [1.0, 0.0]])
    assert kernel(x).tolist() == [0, np.inf]
    assert kernel.vjp(np.ones(2), x).input.tolist() == [[0, -1], [0, -np.inf]]
    assert np.isnan(kernel(np.array([0.5, -1.0])))


def test_the_kernel_of_squared_error() -> None:
    draw = np.random.default_rng(3)
    x, y, g = draw.standard_normal((2, 3, 4, 5)), draw.standard_normal((4, 5)), draw.standard_normal((2, 3))
    own = sc.compile(sc.SquaredError([[Fraction(float(v)) for v in row] for row in y]))
    letter = sc.compile(sc.SquaredError(ndim=2))
    whole = np.broadcast_to(y, x.shape)
    for found in (own(x), letter(x, whole)):
        assert np.allclose(found, ((x - y) ** 2).sum((-1, -2)), rtol=1e-14)
    for found in (own.vjp(g, x).input, letter.vjp(g, x, whole).input):
        assert np.allclose(found, 2 * g[..., None, None] * (x - y), rtol=1e-14)
    assert own(x.astype(np.float32)).dtype == np.float32


def test_what_a_kernel_refuses_and_says() -> None:
    own, letter = sc.compile(sc.CrossEntropy(1, True)), sc.compile(sc.CrossEntropy(None, True))
    x = np.zeros((2, 3))
    for call, message in (
        (
            lambda: own(x, np.array([0, 1])),
            r"^target must be left out: .* has its own",
        ),
        (lambda: letter(x), r"^target must be given"),
        (lambda: letter(x, np.array([0, 3])), r"^target must be classes from 0 to 2, got 3"),
        (lambda: letter(x, np.array([-1, 2])), r"^target must be classes from 0 to 2, got -1"),
        (lambda: letter(x, np.zeros((2, 4))), r"^target must have"),
        (lambda: own(np.zeros((2, 1))), r"^target must be a class of 1"),
        (lambda: own.vjp(np.ones(3), x), r"^grad_output must have"),
    ):
        with pytest.raises(sc.ArgumentError, match=message):
            call()
    with pytest.raises(sc.NotSupportedError, match="needs a floating dtype"):
        own(np.array([1, 2, 3]))
    assert own.derivation().steps[0].verdict.status == "proved"
    assert "log_softmax" in own.source
    assert own.explain((5, 3)).startswith("CrossEntropy(target=1, from_logits=True)\nplan: cross-entropy")


def test_a_classifier_in_exact_numbers_and_compiled() -> None:
    layers = [("d", sc.Dense(3)), ("s", sc.Softmax()), ("l", sc.CrossEntropy(1))]
    network, short = sc.Network(layers), sc.Network([layers[0], ("l", sc.CrossEntropy(1, True))])
    weights = {"d": {"weight": [[1, 2], [0, -1], [1, 1]], "bias": [0, 1, 0]}}
    x = [1, -1]
    with mpmath.workdps(40):
        s = [mpmath.exp(v) for v in (-1, 2, 0)]
        shares = [v / mpmath.fsum(s) for v in s]
        for net in (network, short):
            assert abs(decimal(net.values(x, weights)["l"][()]) + mpmath.log(shares[1])) < 1e-30
            bias = net.gradients(x, weights)["d"].bias
            assert all(abs(decimal(bias[k]) - (shares[k] - (k == 1))) < 1e-30 for k in range(3))
    arrays = {"d": {role: np.array(value, float) for role, value in weights["d"].items()}}
    for net in (network, short):
        kernel = sc.compile(net)
        assert np.allclose(kernel(np.array([1.0, -1.0]), arrays), -float(mpmath.log(shares[1])))
        bias = kernel.vjp(1, np.array([1.0, -1.0]), arrays)["d"].bias
        assert np.allclose(bias, [float(v) - (k == 1) for k, v in enumerate(shares)])


def test_autograd_of_pytorch_agrees() -> None:
    torch = pytest.importorskip("torch")
    draw = np.random.default_rng(6)
    x, classes = draw.normal(0, 4, (5, 7)), draw.integers(0, 7, 5)
    entries = torch.tensor(x, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(entries, torch.tensor(classes), reduction="none")
    loss.sum().backward()
    kernel = sc.compile(sc.CrossEntropy(None, True))
    assert np.allclose(kernel(x, classes), loss.detach().numpy(), rtol=1e-13)
    assert np.allclose(kernel.vjp(np.ones(5), x, classes).input, entries.grad.numpy(), rtol=1e-12, atol=1e-15)
