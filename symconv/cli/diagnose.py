"""``symconv diagnose``: which operator made an output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from symconv.cli.activity import Activity

if TYPE_CHECKING:
    from collections.abc import Callable

    from symconv.audits.explanation import Explanation

__all__ = ["diagnose"]

Callback = TypeVar("Callback", bound="Callable[..., Any] | click.Command")
NOTHING_FITS = 1
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
NAMES = ("x", "weight", "y", "grad_output", "grad_input", "grad_weight", "grad_bias")


def _gradient(name: str, words: str) -> Callable[[Callback], Callback]:
    """The option of one gradient."""
    return click.option(f"--{name}", type=FILE, metavar="FILE", help=words)


@click.command(short_help="Which operator and conventions made an output.")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="X [W] Y")
@_gradient("grad-output", "The gradient of the output, with one or more of the next three.")
@_gradient("grad-input", "The gradient of the input that you got: is it right?")
@_gradient("grad-weight", "The gradient of the filter that you got.")
@_gradient("grad-bias", "The gradient of the bias that you got.")
@click.option("--limit", type=click.IntRange(1, 1000), default=5, show_default=True, help="The most explanations.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def diagnose(files: tuple[Path, ...], limit: int, as_json: bool, **gradients: Path | None) -> None:
    """Find the operator that made an output of an input, and of a filter where there is one.

    X, W and Y are files: .npy, .npz, .csv (rows of numbers) or .json (nested lists). Without W a pooling is looked for.
    One file alone, .npz or .json, holds all arrays by the names x, weight, y, grad_output, grad_input, grad_weight and
    grad_bias.

    Looked for are, the plainest first: flipped, transposed and turned filters, stride, padding (uneven too), padding
    mode, dilation, groups, the order of the axes of every array, a bias, exchanged axes, transposed convolutions; the
    kinds of pooling with their windows, divisors and rules of rounding sizes. Integers must be equal; floating-point
    numbers may be off by the rounding errors of their type. Where nothing fits, the closest is shown, with the entries
    that differ. To look for options from sizes alone, see symconv shape --output.

    The exit status is 1 where nothing fits, or a gradient is wrong.

    \b
    Examples:
      symconv diagnose image.npy filter.npy output.npy
      symconv diagnose input.csv pooled.csv
      symconv diagnose case.json --json
    """
    from symconv.audits.diagnose import diagnose as search

    arrays = _arrays(files, gradients)
    with Activity("looking for the operator") as activity:
        shares: list[int] = [0]

        def progress(share: float) -> None:
            if int(100 * share) > shares[0]:
                shares[0] = int(100 * share)
                activity.say(f"looking for the operator: {shares[0]} % of what may be spent")

        rest = {name: value for name, value in arrays.items() if name.startswith("grad_")}
        found = search(arrays.get("x"), arrays.get("weight"), arrays.get("y"), progress=progress, **rest)
    if as_json:
        click.echo(json.dumps([_row(each) for each in found[:limit]], ensure_ascii=False, indent=2))
    else:
        _print(found, limit)
    right = bool(found) and found[0].fits and not any(found[0].gradients.values())
    click.get_current_context().exit(0 if right else NOTHING_FITS)


def _arrays(files: tuple[Path, ...], gradients: dict[str, Path | None]) -> dict[str, Any]:
    from symconv.cli.arrays import array_file, arrays_file

    if len(files) == 1:
        arrays = dict(arrays_file(files[0]))
        unknown = sorted(set(arrays) - set(NAMES))
        if unknown or not {"x", "y"} <= set(arrays):
            named = f"holds {', '.join(sorted(arrays)) or 'nothing'}"
            raise click.UsageError(f"{files[0].name} {named}; it must hold x and y, and may hold {', '.join(NAMES)}")
    elif len(files) <= 3:
        names = ("x", "y") if len(files) == 2 else ("x", "weight", "y")
        arrays = {name: array_file(path) for name, path in zip(names, files, strict=True)}
    else:
        raise click.UsageError(f"takes X [W] Y, got {len(files)} files")
    arrays |= {name: array_file(path) for name, path in gradients.items() if path is not None}
    return arrays


def _print(found: list[Explanation], limit: int) -> None:
    if not found:
        click.echo("No operator gives an output of this size.")
        return
    if not found[0].fits:
        click.echo("Nothing fits. The closest:")
    for rank, explanation in enumerate(found[:limit], 1):
        click.echo(f"{rank}. {explanation}")
    if len(found) > limit:
        click.echo(f"... and {len(found) - limit} more; --limit shows them")


def _row(explanation: Explanation) -> dict[str, Any]:
    """An explanation as JSON."""
    bias = explanation.bias
    return {
        "operator": repr(explanation.operator),
        "layout": explanation.layout,
        "reproduce": explanation.reproduce,
        "fits": explanation.fits,
        "exact": explanation.exact,
        "error": explanation.error,
        "bound": explanation.bound,
        "bias": None if bias is None else bias.tolist(),
        "off": explanation.off,
        "differences": [
            {"index": list(each.index), "given": each.given, "due": each.due} for each in explanation.differences
        ],
        "gradients": explanation.gradients,
        "told_apart_by": None if explanation.probe is None else str(explanation.probe),
        "notes": list(explanation.notes),
    }
