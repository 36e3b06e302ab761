"""Lines of a solution on networks that they were not made for: one channel, one axis, joins, letters that collide."""

from __future__ import annotations

import pytest

import symconv as sc
from symconv.claims.claim_verdict import ClaimVerdict
from symconv.errors import ProblemFileError
from symconv.problems.reading import read_problem

PLANE = """
[operators.conv]
kind = "Conv"
input_size = [5, 5]
kernel_size = [3, 3]
bias = true
names = { weight = "W", bias = "b", output = "Z", input = "X" }
[networks.net]
layers = ["conv"]
"""
LINE = """
[operators.conv]
kind = "Conv"
input_size = [6]
kernel_size = [3]
names = { weight = "W", output = "Z", input = "X" }
[operators.pool]
kind = "AvgPool"
kernel_size = [2]
names = { output = "P" }
[networks.net]
layers = ["conv", "pool"]
"""
SCORES = """
[operators.conv]
kind = "Conv"
input_size = [4, 4]
kernel_size = [3, 3]
padding = 1
in_channels = 2
out_channels = 2
names = { weight = "W", output = "Z", input = "X" }
[operators.flatten]
kind = "Flatten"
names = { output = "f" }
[operators.dense]
kind = "Dense"
out_features = 3
bias = true
names = { weight = "V", bias = "d", output = "s" }
[operators.softmax]
kind = "Softmax"
names = { output = "pi" }
[operators.loss]
kind = "CrossEntropy"
target = 2
names = { target = "y" }
[networks.net]
layers = ["conv", "flatten", "dense", "softmax", "loss"]
"""
KINK = """
[operators.dense]
kind = "Dense"
input_size = [3]
out_features = 2
names = { weight = "V", output = "s" }
[operators.act]
kind = "ReLU"
names = { output = "r" }
[operators.loss]
kind = "SquaredError"
target = [1, 2]
names = { target = "y" }
[networks.net]
layers = ["dense", "act", "loss"]
"""
JOIN = """
[operators.one]
kind = "Conv"
input_size = [6]
kernel_size = [3]
padding = 1
names = { output = "Z" }
[operators.two]
kind = "Conv"
kernel_size = [3]
padding = 1
names = { output = "Y" }
[operators.sum]
kind = "Add"
names = { output = "R" }
[networks.net]
layers = ["one", "two", "sum"]
edges = [["input", "one"], ["one", "two"], ["two", "sum"], ["one", "sum"]]
"""
BY = r"\frac{\partial E}{\partial "


def graded(network: str, latex: str, upstream: str = "", *, base: int = 1) -> ClaimVerdict:
    """The verdict on the one line of a solution."""
    line = f"{{ latex = '{latex}', upstream = {{ {upstream} }} }}"
    solution = f'[[solutions]]\nid = "1"\ntitle = "M"\nnetwork = "net"\nlines = [ {line} ]\n'
    (result,) = sc.check(read_problem(f'title = "t"\nindex_base = {base}\n{network}{solution}'))
    return result


@pytest.mark.parametrize(
    ("network", "base", "latex", "status"),
    [
        (PLANE, 1, BY + r"W} = X \star G", "exact"),
        (PLANE, 1, BY + r"W} = X \star X", "refuted"),  # a plane of 1x1
        (PLANE, 1, BY + r"W^{oc}} = X^c \star G^o", "exact"),
        (PLANE, 1, BY + r"w_{mn}} = \sum_{p,q} g_{pq} x_{p+m-1,q+n-1}", "exact"),
        (PLANE, 1, BY + r"w_{mn}} = \sum_{p,q} g_{pq} x_{p+n-1,q+m-1}", "refuted"),
        (PLANE, 1, BY + r"b} = \sum_{p,q} g_{pq}", "exact"),
        (PLANE, 1, BY + r"b_o} = \sum_{p,q} g^o_{pq}", "exact"),
        (PLANE, 1, BY + r"b} = 2 \sum_{p,q} g_{pq}", "refuted"),
        (PLANE, 1, BY + r"X} = \operatorname{pad}_2(G) \star \operatorname{rot}_{180}(W)", "exact"),
        (PLANE, 1, BY + r"X} = \operatorname{pad}_2(G) \star W", "refuted"),
        (LINE, 1, BY + r"w_m} = \sum_i g_i x_{i+m-1}", "exact"),
        (LINE, 0, BY + r"w_m} = \sum_i g_i x_{i+m}", "exact"),
        (LINE, 0, BY + r"w_m} = \sum_i g_i x_{i-m+2}", "refuted"),
        (LINE, 1, r"x_i = x_i^2", "undecided"),  # a square, and there is no channel 2
    ],
)
def test_an_array_of_one_channel_needs_no_channel(network: str, base: int, latex: str, status: str) -> None:
    found = graded(network, latex, 'G = "Z"', base=base)
    assert found.status == status, found.verdict.explanation


def test_an_example_has_no_axis_for_one_channel() -> None:
    found = graded(LINE, BY + r"w_m} = \sum_i g_i x_{i-m+2}", 'G = "Z"', base=0)
    (example,) = [found.verdict.counterexample]
    assert example is not None
    assert {name: len(place) for name, own in example.tensors.items() for place in own} == {"g": 1, "x": 1}
    assert example.boxes == {"g": ((0, 3),), "x": ((0, 5),)}


@pytest.mark.parametrize(
    ("network", "latex", "upstream", "status"),
    [
        (SCORES, r"\sum_l \pi_l = 1", "", "undecided"),  # true, and letters of their own do not know it
        (SCORES, r"\sum_l \pi_l = 2", "", "refuted"),
        (SCORES, r"\sum_l \frac{\partial E}{\partial d_l} = 0", 'delta = "s"', "undecided"),  # true too
        (SCORES, r"\sum_l \delta_l = 0", 'delta = "s"', "exact"),
        (SCORES, r"\sum_l \frac{\partial E}{\partial d_l} = 1", 'delta = "s"', "refuted"),
        (KINK, r"r_i \delta_i = s_i \delta_i", 'delta = "s"', "undecided"),  # true: r is s, or delta is 0
        (KINK, r"\delta_i = r_i - y_i", 'delta = "s"', "refuted"),
        (KINK, r"\frac{\partial E}{\partial r} = 2 (r - y)", 'delta = "s"', "exact"),
        (SCORES, r"\delta_i / \delta_i = 1", 'delta = "s"', "undecided"),
        (PLANE, r"x_{11} / x_{11} = 1", "", "undecided"),  # not where it is 0
        (PLANE, r"b / 0 = 1", "", "undecided"),
        (JOIN, BY + r"Y} = G", 'G = "R"', "undecided"),
    ],
)
def test_a_line_is_refuted_where_a_network_tells_its_sides_apart(
    network: str, latex: str, upstream: str, status: str
) -> None:
    found = graded(network, latex, upstream)
    assert found.status == status, found.verdict.explanation
    assert "nan" not in found.verdict.explanation


@pytest.mark.parametrize(
    "right",
    [
        r"\operatorname{pad}_{-1}(X^c) \star G^o",
        r"\operatorname{pad}_{1/2}(X^c) \star G^o",
        r"\operatorname{pad}_{W}(X^c) \star G^o",
        r"\operatorname{pad}_{900000}(X^c) \star G^o",
        r"\operatorname{pad}_1(X) \star G^o",  # which axes are padded
        r"\operatorname{rot}_{W}(X^c) \star G^o",
        r"\operatorname{rot}_{180}() \star G^o",
        r"X \star W^o",
        r"\operatorname{pad}_1(X^c) \ast G^o",  # a correlation to some, a convolution to others
        r"\operatorname{pad}_1(X^c) \star G^{o/2}",
        r"\operatorname{pad}_1(X^9) \star G^o",
    ],
)
def test_what_is_not_read_is_not_judged(right: str) -> None:
    assert graded(SCORES, BY + rf"W^{{oc}}}} = {right}", 'G = "Z"').status == "undecided"


MANY = SCORES.replace("in_channels = 2", "in_channels = 12")
ONE_SCORE = """
[operators.dense]
kind = "Dense"
input_size = [3]
out_features = 1
names = { weight = "M", output = "u", input = "x" }
[operators.loss]
kind = "SquaredError"
target = [1]
names = { target = "y" }
[networks.net]
layers = ["dense", "loss"]
"""


@pytest.mark.parametrize(
    ("network", "latex", "status"),
    [
        (SCORES, r"\frac{\partial E}{\partial f} = \left(\delta^T V\right)^T", "exact"),
        (SCORES, r"\frac{\partial E}{\partial f} = 2 \left(\delta^T V\right)^T", "refuted"),
        (SCORES, r"\frac{\partial E}{\partial f} = \delta^T V", "undecided"),  # a row to some, a column to others
        (SCORES, r"\frac{\partial E}{\partial f} = 2 \delta^T V", "refuted"),
        (SCORES, r"\delta^T \delta = \sum_l \delta_l \delta_l", "exact"),
        (ONE_SCORE, r"\frac{\partial E}{\partial x_i} = \delta M_{1i}", "exact"),
        (ONE_SCORE, r"\frac{\partial E}{\partial x_i} = 2 \delta M_{1i}", "refuted"),
        (ONE_SCORE, r"\frac{\partial E}{\partial x} = \delta M", "undecided"),
        (ONE_SCORE, r"\frac{\partial E}{\partial x} = M^T \delta", "exact"),
    ],
)
def test_a_column_is_a_vector_and_one_entry_a_number(network: str, latex: str, status: str) -> None:
    found = graded(network, latex, 'delta = "s"' if network is SCORES else 'delta = "u"')
    assert found.status == status, found.verdict.explanation


@pytest.mark.parametrize(
    ("network", "latex", "status"),
    [
        (MANY, BY + r"X^{12}} = \sum_o \operatorname{pad}_1(G^o) \star \operatorname{rot}_{180}(W^{o12})", "undecided"),
        (MANY, BY + r"X^{12}_{11}} = 0", "refuted"),  # the twelfth channel, and no row of the first
        (MANY, r"x^{12}_{34} = x^{12}_{34}", "exact"),
        (MANY, r"W^{112} + W^{112} = 2 W^{112}", "undecided"),
        (SCORES, r"f^2 = f_2", "undecided"),  # a square
        (SCORES, r"w^{o}_{mn} = w^{o}_{mn}", "undecided"),  # m is no channel
        (SCORES, r"x_{pq} = x_{pq}", "undecided"),
        (SCORES, r"x_{cpq} = x^c_{pq}", "exact"),
        (SCORES, r"V_{l} = V_{l}", "exact"),  # a row
    ],
)
def test_a_place_is_no_channel(network: str, latex: str, status: str) -> None:
    found = graded(network, latex, 'G = "Z"')
    assert found.status == status, found.verdict.explanation


def test_an_entry_in_the_padding_is_no_fault() -> None:
    latex = BY + r"w^{oc}_{mn}} = \sum_{p,q} g^o_{pq} x^c_{p+m-2,q+n-2}"
    found = graded(SCORES, latex, 'G = "Z"')
    assert (found.status, found.verdict.explanation) == (
        "undecided",
        "X is read outside, and what it counts as there is not said",
    )


@pytest.mark.parametrize(
    ("upstream", "message"),
    [
        ('z = "Z"', "upstream: z: is a letter of the array Z"),
        ('W = "Z"', "upstream: W: is a letter of the array W"),
        ('E = "Z"', "upstream: E: is the letter of the error"),
        ('g = "Z", G = "X"', "upstream: G: is a letter of the gradient by Z"),
        ("'\\input' = \"Z\"", "must be a short name of letters"),
    ],
)
def test_a_letter_of_a_gradient_is_its_own(upstream: str, message: str) -> None:
    with pytest.raises(ProblemFileError, match=message):
        graded(PLANE, BY + r"W} = X \star G", upstream)


@pytest.mark.parametrize("name", ["X", "x"])
def test_an_output_has_not_the_letter_of_the_input(name: str) -> None:
    with pytest.raises(ProblemFileError, match="entries of the input, X, and of the output of 'pool'"):
        graded(LINE.replace('"P"', f'"{name}"'), BY + r"W} = X \star G", 'G = "Z"')
