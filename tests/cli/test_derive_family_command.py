"""``symconv derive`` for transposed, adaptive, patch and unpooling operators, and for the tie rule "set"."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from symconv.cli.application import commands


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(commands, ["derive", *arguments])
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            "conv-transpose --kernel 3 --stride 2 --padding 1 --output-padding 1 --what output",
            "(pad[1:2](up[2](A)) ⋆ rev(B))[p]",
        ),
        ("conv-transpose --kernel 3 --wrt weight", "(G ⋆ A)[m]"),
        ("conv-transpose --kernel 2 --wrt bias --what derivative", "∂c[p]/∂d"),
        ("conv-transpose --kernel 2 --in-channels 4 --out-channels 2 --groups 2", "a[2f+h−2, i]"),
        ("conv-transpose --kernel 2 --input 3 --flip --what output", "O = #{p : 0 ≤ p ≤ 3}"),
        ("adaptive-avg --output 3", "[⌊I(p − 1)/3⌋ + 1 ≤ i ≤ ⌈Ip/3⌉]"),
        ("adaptive-avg --output 2 --input 5x5 --what output", "adaptive average pooling; 2×2"),
        ("adaptive-max --output 2 --ties set", "conv{e[m] : m ∈ W[p], a[m] = c[p]}"),
        ("maxpool --kernel 2 --ties set", "λ[m] ≥ 0, ∑(m ∈ W[p]) λ[m] = 1"),
        ("unfold --kernel 2 --stride 2 --channels 3", "fold(G)[h, i]"),
        ("unfold --kernel 2 --symbolic --what output", "⌊(I + 2P − D(K − 1) − 1)/S⌋ + 1"),
        ("fold --output 4x4 --kernel 2 --stride 2", "unfold(G)[m, n, i, j]"),
        ("max-unpool --kernel 2x2 --symbolic", "vec(G)[z[i, j]]"),
    ],
)
def test_every_operator_has_a_command(arguments: str, line: str) -> None:
    code, output = run(*arguments.split())
    assert code == 0, output
    assert line in output
    assert "[refuted" not in output
    assert "[undecided" not in output
    code, latex = run(*arguments.split(), "--format", "latex")
    assert code == 0
    assert "\\[\n\\begin{aligned}" in latex


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("conv-transpose --kernel 3 --padding same", "use 'same_upper' or 'same_lower'"),
        ("adaptive-avg", "Missing option '--output'"),
        ("adaptive-avg --output 0", "output_size must be >= 1"),
        ("fold --output 2 --kernel 3", "padded input"),
        ("max-unpool --kernel 2 --dilation 2", "No such option"),
        ("unfold --kernel 2 --wrt weight", "--wrt"),
    ],
)
def test_what_cannot_be_is_refused_by_name(arguments: str, message: str) -> None:
    code, output = run(*arguments.split())
    assert code == 2, output
    assert message in output


@pytest.mark.parametrize(
    ("command", "result"),
    [
        ("dense --out-features 3 --wrt weight", "∂E/∂b[m, n] = g[m]·a[n]"),
        ("dense --out-features 3 --in-features 4 --wrt bias", "∂E/∂d[p′] = g[p′]"),
        ("flatten --input 2x3x4", "∂E/∂a[i, j, k] = g[12i+4j+k−16]"),
        ("batch-norm --channels 4 --wrt bias", "∂E/∂d[f′] = ∑(p = 1 … I₁) ∑(q = 1 … I₂) g[f′, p, q]"),
    ],
)
def test_layers_without_windows_end_in_their_closed_forms(command: str, result: str) -> None:
    found = CliRunner().invoke(commands, ["derive", *command.split()])
    assert found.exit_code == 0, found.output
    assert f"(6) {result}" in found.output
